//! Times in objects, with the words of Go's `time.Parse` for what is not one.

use crate::status::quote;
use crate::time::{Timestamp, days_in_month};

/// Reads RFC 3339 text; with `micros` exactly six fraction digits are asked for, as `MicroTime` does.
///
/// # Errors
/// Go's words, such as `parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"`.
pub fn parse(text: &str, micros: bool) -> Result<Timestamp, String> {
    if let Some(error) = complaint(text, micros) {
        return Err(error);
    }
    Timestamp::parse(text).ok_or_else(|| format!("parsing time {}", quote(text)))
}

fn complaint(text: &str, micros: bool) -> Option<String> {
    let layout = if micros {
        "2006-01-02T15:04:05.000000Z07:00"
    } else {
        "2006-01-02T15:04:05Z07:00"
    };
    let cannot = |rest: &str, element: &str| {
        Some(format!(
            "parsing time {} as {}: cannot parse {} as {}",
            quote(text),
            quote(layout),
            quote(rest),
            quote(element)
        ))
    };
    let out_of_range =
        |what: &str| Some(format!("parsing time {}: {what} out of range", quote(text)));
    let mut rest = text;
    let mut numbers = [0_i64; 6];
    let elements = [
        ("", "2006", 4),
        ("-", "01", 2),
        ("-", "02", 2),
        ("T", "15", 2),
        (":", "04", 2),
        (":", "05", 2),
    ];
    for ((prefix, element, width), number) in elements.into_iter().zip(&mut numbers) {
        match rest.strip_prefix(prefix) {
            Some(after) => rest = after,
            None => return cannot(rest, prefix),
        }
        let digits = rest
            .get(..width)
            .filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
        let Some(digits) = digits else {
            return cannot(rest, element);
        };
        *number = digits.parse().unwrap_or(0);
        rest = rest.get(width..).unwrap_or("");
        let range = match element {
            "01" => (1..=12).contains(number).then_some(()).ok_or("month"),
            "15" => (*number < 24).then_some(()).ok_or("hour"),
            "04" => (*number < 60).then_some(()).ok_or("minute"),
            "05" => (*number < 60).then_some(()).ok_or("second"),
            _ => Ok(()),
        };
        if let Err(what) = range {
            return out_of_range(what);
        }
    }
    let fraction = rest
        .strip_prefix('.')
        .map_or(0, |r| r.bytes().take_while(u8::is_ascii_digit).count());
    if micros {
        let six = rest
            .get(1..7)
            .is_some_and(|d| rest.starts_with('.') && d.bytes().all(|b| b.is_ascii_digit()));
        if !six {
            return cannot(rest, ".000000");
        }
        rest = rest.get(7..).unwrap_or("");
    } else if fraction > 0 {
        rest = rest.get(1 + fraction..).unwrap_or("");
    }
    let zone = match rest.as_bytes() {
        [b'Z', ..] => 1,
        [b'+' | b'-', a, b, b':', c, d, ..] if [a, b, c, d].iter().all(|x| x.is_ascii_digit()) => 6,
        _ => return cannot(rest, "Z07:00"),
    };
    let extra = rest.get(zone..).unwrap_or("");
    if !extra.is_empty() {
        return Some(format!(
            "parsing time {}: extra text: {}",
            quote(text),
            quote(extra)
        ));
    }
    let [year, month, day, ..] = numbers;
    if !(1..=days_in_month(year, month)).contains(&day) {
        return out_of_range("day");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complains_as_go_does() {
        let error = |text: &str| parse(text, false).err().unwrap_or_default();
        assert_eq!(
            error("yesterday"),
            "parsing time \"yesterday\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"yesterday\" as \"2006\""
        );
        assert_eq!(
            error("2026-01-02"),
            "parsing time \"2026-01-02\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"\" as \"T\""
        );
        assert_eq!(
            error("2026-13-02T00:00:00Z"),
            "parsing time \"2026-13-02T00:00:00Z\": month out of range"
        );
        assert_eq!(
            error("2026-02-30T00:00:00Z"),
            "parsing time \"2026-02-30T00:00:00Z\": day out of range"
        );
        assert!(parse("2026-02-28T00:00:00.5+02:00", false).is_ok());
        assert!(parse("2026-02-28T00:00:00Z", true).is_err());
        assert!(parse("2026-02-28T00:00:00.123456Z", true).is_ok());
    }
}
