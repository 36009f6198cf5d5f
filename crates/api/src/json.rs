//! JSON text to values and back, as Go's `encoding/json` writes it.

use crate::float;
pub use crate::json_reader::parse;
use crate::value::Value;

/// Compact JSON with sorted keys; `<`, `>`, `&`, U+2028 and U+2029 are escaped as Go does.
pub fn to_string(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value, true);
    out
}

/// JSON indented by four spaces, as `kubectl -o json` prints it (without a final newline).
pub fn to_string_pretty(value: &Value) -> String {
    let mut out = String::new();
    write_pretty(&mut out, value, 0);
    out
}

/// Appends compact JSON; with `escape_html` as Go's `json.Marshal`, without as an encoder with `SetEscapeHTML(false)`.
pub fn write(out: &mut String, value: &Value, escape_html: bool) {
    match value {
        Value::List(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(out, item, escape_html);
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push('{');
            for (i, (key, item)) in map.entries().iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_text(out, key, escape_html);
                out.push(':');
                write(out, item, escape_html);
            }
            out.push('}');
        }
        leaf => write_leaf(out, leaf, escape_html),
    }
}

fn write_pretty(out: &mut String, value: &Value, depth: usize) {
    let newline = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("    ", depth));
    };
    match value {
        Value::List(items) if !items.is_empty() => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                newline(out, depth + 1);
                write_pretty(out, item, depth + 1);
            }
            newline(out, depth);
            out.push(']');
        }
        Value::Map(map) if !map.is_empty() => {
            out.push('{');
            for (i, (key, item)) in map.entries().iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                newline(out, depth + 1);
                write_text(out, key, true);
                out.push_str(": ");
                write_pretty(out, item, depth + 1);
            }
            newline(out, depth);
            out.push('}');
        }
        leaf => write(out, leaf, true),
    }
}

fn write_leaf(out: &mut String, value: &Value, escape_html: bool) {
    match value {
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Int(i) => out.push_str(&i.to_string()),
        Value::Float(f) => out.push_str(&float_text(f.0)),
        Value::Str(s) => write_text(out, s, escape_html),
        _ => out.push_str("null"),
    }
}

/// A float as Go's `encoding/json` writes it (shortest form; exponent below 1e-6 and from 1e21).
#[inline(never)]
pub fn float_text(f: f64) -> String {
    let abs = f.abs();
    if abs == 0.0 || (1e-6..1e21).contains(&abs) || !abs.is_finite() {
        return float::text(f);
    }
    let (mantissa, exponent) = float::scientific(f);
    let sign = if exponent < 0 { "" } else { "+" };
    format!("{mantissa}e{sign}{exponent}")
}

fn write_text(out: &mut String, text: &str, escape_html: bool) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' if escape_html => out.push_str(&format!("\\u{:04x}", c as u32)),
            '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_as_go_does() {
        let v = parse(r#"{"b":[1,-2.5,null,true],"a":"<x>&\n","c":{},"big":1e21}"#).expect("valid");
        assert_eq!(
            to_string(&v),
            r#"{"a":"\u003cx\u003e\u0026\n","b":[1,-2.5,null,true],"big":1e+21,"c":{}}"#
        );
        assert_eq!(
            to_string_pretty(&crate::value!({"a": [1]})),
            "{\n    \"a\": [\n        1\n    ]\n}"
        );
        assert!(parse("{").is_err());
    }
}
