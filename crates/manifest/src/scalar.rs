//! What a plain scalar means: YAML 1.1 as Go's yaml.v2 reads it.
//!
//! Models: go.yaml.in/yaml/v2 resolve.go

use podscope_api::value::Float;
use podscope_api::{Value, float, json};

/// The value of an unquoted scalar: null, bool, number or text.
pub fn resolve(text: &str) -> Value {
    match word(text) {
        Some(value) => value,
        None => match text.as_bytes().first() {
            Some(b'.') => match go_float(text) {
                Some(f) => float(f),
                None => Value::from(text),
            },
            Some(b'+' | b'-' | b'0'..=b'9') if !is_timestamp(text) => {
                number(text).unwrap_or_else(|| Value::from(text))
            }
            _ => Value::from(text),
        },
    }
}

/// True when the text, written without quotes, reads back as text.
pub fn is_plain_text(text: &str) -> bool {
    matches!(resolve(text), Value::Str(_)) && text != "<<" && !is_timestamp(text)
}

/// A float as it comes back from JSON: without a fraction it is an integer.
#[inline(never)]
fn float(f: f64) -> Value {
    match json::float_text(f).parse() {
        Ok(whole) => Value::Int(whole),
        Err(_) => Value::Float(Float(f)),
    }
}

fn word(text: &str) -> Option<Value> {
    Some(match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Value::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Value::Bool(false)
        }
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        ".nan" | ".NaN" | ".NAN" => Value::Float(Float(f64::NAN)),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            Value::Float(Float(f64::INFINITY))
        }
        "-.inf" | "-.Inf" | "-.INF" => Value::Float(Float(f64::NEG_INFINITY)),
        _ => return None,
    })
}

fn number(text: &str) -> Option<Value> {
    let plain = text.replace('_', "");
    if let Some(value) = integer(&plain) {
        return Some(value);
    }
    if is_float(&plain) {
        return float::parse(&plain).map(float);
    }
    None
}

/// Go's `ParseInt` with base 0: `0x`, `0o`, `0b` and a leading zero (octal).
fn integer(plain: &str) -> Option<Value> {
    let (negative, digits) = match plain.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, plain.strip_prefix('+').unwrap_or(plain)),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, lower.get(2..)?),
        [b'0', b'o', ..] => (8, lower.get(2..)?),
        [b'0', b'b', ..] => (2, lower.get(2..)?),
        [b'0', _, ..] => (8, lower.get(1..)?),
        _ => (10, lower.as_str()),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let magnitude = i128::from_str_radix(digits, radix).ok()?;
    let value = if negative { -magnitude } else { magnitude };
    if let Ok(small) = i64::try_from(value) {
        return Some(Value::Int(small));
    }
    // Beyond 64 bits it is read as a float; up to 64 bits without sign it keeps its digits in Go.
    if u64::try_from(value).is_ok() && !plain.starts_with(['+', '-']) {
        return Some(Value::Float(Float(value as f64)));
    }
    None
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let exponent_fits = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['+', '-']).unwrap_or(e);
        !e.is_empty() && digits(e)
    });
    let mantissa_fits = match mantissa.split_once('.') {
        None => !mantissa.is_empty() && digits(mantissa),
        Some(("", fraction)) => !fraction.is_empty() && digits(fraction),
        Some((whole, fraction)) => digits(whole) && digits(fraction),
    };
    exponent_fits && mantissa_fits
}

fn go_float(text: &str) -> Option<f64> {
    if is_float(text) {
        float::parse(text)
    } else {
        None
    }
}

/// Whether Go's yaml.v2 takes the text for a timestamp (it stays text, but is quoted when printed).
fn is_timestamp(text: &str) -> bool {
    let Some((year, rest)) = text.split_once('-') else {
        return false;
    };
    if year.len() != 4 || !year.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let Some((month, rest)) = rest.split_once('-') else {
        return false;
    };
    let number = |part: &str, low: u32, high: u32| {
        (1..=2).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_digit())
            && part.parse::<u32>().is_ok_and(|n| (low..=high).contains(&n))
    };
    let day_end = rest.bytes().position(|b| !b.is_ascii_digit());
    let (day, rest) = rest.split_at(day_end.unwrap_or(rest.len()));
    if !number(month, 1, 12) || !number(day, 1, 31) {
        return false;
    }
    let (zone_needed, time) = match rest.split_at_checked(1) {
        None => return rest.is_empty(),
        Some(("T" | "t", time)) => (true, time),
        Some((" ", time)) => (false, time),
        Some(_) => return false,
    };
    let zone = time.find(['Z', '+', '-']);
    let (time, zone) = time.split_at(zone.unwrap_or(time.len()));
    let zone_fits = match zone.as_bytes() {
        [] => !zone_needed,
        [b'Z'] => zone_needed,
        [_, a, b, b':', c, d] => zone_needed && [a, b, c, d].iter().all(|x| x.is_ascii_digit()),
        _ => false,
    };
    let parts: Vec<&str> = time.split(':').collect();
    let [hour, minute, second] = parts.as_slice() else {
        return false;
    };
    let (second, fraction) = second.split_once('.').unwrap_or((second, "0"));
    zone_fits
        && number(hour, 0, 23)
        && number(minute, 0, 59)
        && number(second, 0, 59)
        && !fraction.is_empty()
        && fraction.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_go_does() {
        for (text, want) in [
            ("yes", Value::Bool(true)),
            ("Off", Value::Bool(false)),
            ("oFF", Value::from("oFF")),
            ("~", Value::Null),
            ("", Value::Null),
            ("017", Value::Int(15)),
            ("08", Value::Int(8)),
            ("0o17", Value::Int(15)),
            ("0x1F", Value::Int(31)),
            ("0b11", Value::Int(3)),
            ("-0b11", Value::Int(-3)),
            ("1_000", Value::Int(1000)),
            ("+5", Value::Int(5)),
            ("1e3", Value::Int(1000)),
            ("1.", Value::Int(1)),
            (".5", Value::Float(Float(0.5))),
            ("1.2.3", Value::from("1.2.3")),
            ("12:30:45", Value::from("12:30:45")),
            ("100m", Value::from("100m")),
            ("2026-01-02", Value::from("2026-01-02")),
            ("-", Value::from("-")),
            ("9223372036854775807", Value::Int(i64::MAX)),
            (
                "9223372036854775808",
                Value::Float(Float(9_223_372_036_854_775_808.0)),
            ),
        ] {
            assert_eq!(resolve(text), want, "{text}");
        }
        assert!(is_timestamp("2026-01-02T03:04:05Z"));
        assert!(is_timestamp("2026-1-2"));
        assert!(!is_timestamp("2026-01-02T03:04:05"));
        assert!(!is_plain_text("2026-01-02"));
        assert!(is_plain_text("web-1"));
    }
}
