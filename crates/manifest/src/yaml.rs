//! Values to YAML text exactly as `kubectl get -o yaml` prints them.
//!
//! Models: sigs.k8s.io/yaml and go.yaml.in/yaml/v2 (encode.go, emitterc.go, sorter.go)

use crate::scalar;
use podscope_api::{Text, Value, float, json};
use std::cmp::Ordering;

/// YAML text of a value: keys in Go's natural order, lists not indented, lines folded after 80 columns.
pub fn to_string(value: &Value) -> String {
    let mut emitter = Emitter::default();
    emitter.node(value, 0, Place::Root);
    emitter.out.push('\n');
    emitter.out
}

const INDENT: usize = 2;
const WIDTH: usize = 80;
const MAX_SIMPLE_KEY: usize = 128;

/// A text as it is written as a value: with quotes only where it needs them.
pub fn scalar_text(text: &str) -> String {
    to_string(&Value::str(text)).trim_end().to_string()
}

/// Where a node stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    /// After `- `.
    Item,
    /// After `key:`.
    Value,
}

#[derive(Default)]
struct Emitter {
    out: String,
    /// Characters on the current line.
    column: usize,
}

impl Emitter {
    fn put(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    fn put_str(&mut self, text: &str) {
        text.chars().for_each(|c| self.put(c));
    }

    fn new_line(&mut self, indent: usize) {
        self.out.push('\n');
        self.column = 0;
        for _ in 0..indent {
            self.put(' ');
        }
    }

    /// `indent` is the column where a block collection's lines begin.
    fn node(&mut self, value: &Value, indent: usize, place: Place) {
        match value {
            Value::Map(map) if !map.is_empty() => self.map(map.entries(), indent, place),
            Value::List(items) if !items.is_empty() => self.list(items, indent, place),
            leaf => {
                if place == Place::Value {
                    self.put(' ');
                }
                // Continuation lines stand one level deeper than the collection around the scalar.
                let deeper = indent.max(INDENT);
                match leaf {
                    Value::Map(_) => self.put_str("{}"),
                    Value::List(_) => self.put_str("[]"),
                    Value::Str(text) => self.text(text, deeper, false),
                    Value::Null => self.put_str("null"),
                    Value::Bool(true) => self.put_str("true"),
                    Value::Bool(false) => self.put_str("false"),
                    Value::Int(i) => self.put_str(&i.to_string()),
                    Value::Float(f) => self.put_str(&float_text(f.0)),
                }
            }
        }
    }

    fn map(&mut self, entries: &[(Text, Value)], indent: usize, place: Place) {
        let mut sorted: Vec<&(Text, Value)> = entries.iter().collect();
        podscope_api::sort::by(&mut sorted, |a, b| key_order(&a.0, &b.0));
        for (i, (key, value)) in sorted.into_iter().enumerate() {
            if i > 0 || place == Place::Value {
                self.new_line(indent);
            }
            let is_simple = key.len() <= MAX_SIMPLE_KEY && !key.contains(is_break);
            if is_simple {
                self.text(key, indent, true);
            } else {
                self.put_str("? ");
                self.text(key, indent + INDENT, false);
                self.new_line(indent);
            }
            self.put(':');
            match value {
                // Lists stand at the same column as the key that holds them.
                Value::List(items) if !items.is_empty() => {
                    self.node(value, indent, Place::Value);
                }
                _ => self.node(value, indent + INDENT, Place::Value),
            }
        }
    }

    fn list(&mut self, items: &[Value], indent: usize, place: Place) {
        for (i, item) in items.iter().enumerate() {
            if i > 0 || place == Place::Value {
                self.new_line(indent);
            }
            self.put_str("- ");
            self.node(item, indent + INDENT, Place::Item);
        }
    }

    fn text(&mut self, text: &str, indent: usize, is_key: bool) {
        let analysis = Analysis::of(text);
        if text.contains('\n') && analysis.block && !is_key {
            return self.literal(text, indent);
        }
        let wants_plain = !text.contains('\n') && plain_can_be_read(text);
        if wants_plain && analysis.plain {
            self.plain(text, indent, is_key);
        } else if wants_plain && analysis.single {
            self.single_quoted(text, indent, is_key);
        } else {
            self.double_quoted(text, indent, is_key);
        }
    }

    fn plain(&mut self, text: &str, indent: usize, is_key: bool) {
        let chars: Vec<char> = text.chars().collect();
        let mut after_space = false;
        for (i, c) in chars.iter().enumerate() {
            let is_space = *c == ' ';
            let folds = is_space
                && !is_key
                && !after_space
                && self.column > WIDTH
                && chars.get(i + 1) != Some(&' ');
            if folds {
                self.new_line(indent);
            } else {
                self.put(*c);
            }
            after_space = is_space;
        }
    }

    fn single_quoted(&mut self, text: &str, indent: usize, is_key: bool) {
        let chars: Vec<char> = text.chars().collect();
        self.put('\'');
        let mut after_space = false;
        for (i, c) in chars.iter().enumerate() {
            let is_space = *c == ' ';
            let folds = is_space
                && !is_key
                && !after_space
                && self.column > WIDTH
                && i > 0
                && i + 1 < chars.len()
                && chars.get(i + 1) != Some(&' ');
            if folds {
                self.new_line(indent);
            } else {
                if *c == '\'' {
                    self.put('\'');
                }
                self.put(*c);
            }
            after_space = is_space;
        }
        self.put('\'');
    }

    fn double_quoted(&mut self, text: &str, indent: usize, is_key: bool) {
        let chars: Vec<char> = text.chars().collect();
        self.put('"');
        let mut after_space = false;
        for (i, c) in chars.iter().enumerate() {
            let c = *c;
            if !is_printable(c) || is_break(c) || matches!(c, '"' | '\\') {
                self.escape(c);
                after_space = false;
            } else if c == ' ' {
                let folds =
                    !is_key && !after_space && self.column > WIDTH && i > 0 && i + 1 < chars.len();
                if folds {
                    self.new_line(indent);
                    if chars.get(i + 1) == Some(&' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(c);
                }
                after_space = true;
            } else {
                self.put(c);
                after_space = false;
            }
        }
        self.put('"');
    }

    fn escape(&mut self, c: char) {
        self.put('\\');
        let short = match c {
            '\0' => '0',
            '\u{7}' => 'a',
            '\u{8}' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\u{b}' => 'v',
            '\u{c}' => 'f',
            '\r' => 'r',
            '\u{1b}' => 'e',
            '"' => '"',
            '\\' => '\\',
            '\u{85}' => 'N',
            '\u{a0}' => '_',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            _ => {
                let code = c as u32;
                let (letter, width) = match code {
                    0..=0xff => ('x', 2),
                    0x100..=0xffff => ('u', 4),
                    _ => ('U', 8),
                };
                self.put(letter);
                self.put_str(&format!("{code:0width$X}"));
                return;
            }
        };
        self.put(short);
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.put('|');
        if text.starts_with(|c| c == ' ' || is_break(c)) {
            self.put_str(&INDENT.to_string());
        }
        let mut ends = text.chars().rev();
        match (ends.next().map(is_break), ends.next().map(is_break)) {
            (Some(true), Some(false)) => {}
            (Some(true), _) => self.put('+'),
            _ => self.put('-'),
        }
        let body = text.strip_suffix('\n').unwrap_or(text);
        for line in body.split('\n') {
            self.out.push('\n');
            self.column = 0;
            if !line.is_empty() {
                for _ in 0..indent {
                    self.put(' ');
                }
                self.put_str(line);
            }
        }
    }
}

/// Whether unquoted text would be read back as this text (numbers, bools, times, base-60 would not).
fn plain_can_be_read(text: &str) -> bool {
    scalar::is_plain_text(text) && !is_base_60(text)
}

/// `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?`
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut parts = unsigned.split(':');
    let first = parts.next().unwrap_or("");
    let first_fits = first.starts_with(|c: char| c.is_ascii_digit())
        && first.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let rest: Vec<&str> = parts.collect();
    let Some((last, middle)) = rest.split_last() else {
        return false;
    };
    let minute = |part: &str| match part.as_bytes() {
        [d] => d.is_ascii_digit(),
        [t, d] => (b'0'..=b'5').contains(t) && d.is_ascii_digit(),
        _ => false,
    };
    let (last, fraction) = last.split_once('.').unwrap_or((last, ""));
    let fraction_fits = fraction.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    first_fits && middle.iter().all(|m| minute(m)) && minute(last) && fraction_fits
}

fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && c != '\u{feff}'
}

/// Which styles can hold a text.
struct Analysis {
    plain: bool,
    single: bool,
    block: bool,
}

impl Analysis {
    fn of(text: &str) -> Analysis {
        let mut indicators = text.starts_with("---") || text.starts_with("...");
        let (mut breaks, mut special) = (false, false);
        let (mut break_space, mut space_break) = (false, false);
        let mut previous = ' ';
        let mut chars = text.chars().peekable();
        let mut is_first = true;
        while let Some(c) = chars.next() {
            let next_blank = chars.peek().is_none_or(|n| is_blank(*n));
            indicators |= match c {
                '#' => is_first || is_blank(previous),
                ':' => next_blank,
                '?' | '-' => is_first && next_blank,
                ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
                | '@' | '`' => is_first,
                _ => false,
            };
            special |= !is_printable(c);
            breaks |= is_break(c);
            if !is_first {
                break_space |= c == ' ' && is_break(previous);
                space_break |= is_break(c) && previous == ' ';
            }
            previous = c;
            is_first = false;
        }
        let edge = |c: Option<char>| c.is_some_and(|c| c == ' ' || is_break(c));
        let trailing_space = text.ends_with(' ');
        let ends = edge(text.chars().next()) || edge(text.chars().last());
        let broken = space_break || special;
        Analysis {
            plain: !(indicators || breaks || ends || break_space || broken),
            single: !(break_space || broken),
            block: !(trailing_space || broken || text.is_empty()),
        }
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\0') || is_break(c)
}

/// Go's `%g`-like text for floats.
fn float_text(f: f64) -> String {
    if f.is_nan() {
        return ".nan".to_string();
    }
    if f.is_infinite() {
        return if f > 0.0 { ".inf" } else { "-.inf" }.to_string();
    }
    let abs = f.abs();
    if abs != 0.0 && !(1e-4..1e21).contains(&abs) {
        let (mantissa, exponent) = float::scientific(f);
        let sign = if exponent < 0 { '-' } else { '+' };
        let digits = exponent.unsigned_abs();
        return format!("{mantissa}e{sign}{digits:02}");
    }
    json::float_text(f)
}

/// yaml.v2's order of keys: letters by code, other characters before letters, numbers by value.
fn key_order(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let differs = a.iter().zip(&b).position(|(x, y)| x != y);
    let Some(i) = differs else {
        return a.len().cmp(&b.len());
    };
    let (Some(x), Some(y)) = (a.get(i), b.get(i)) else {
        return Ordering::Equal;
    };
    match (x.is_alphabetic(), y.is_alphabetic()) {
        (true, true) => return x.cmp(y),
        (false, false) => {}
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
    }
    // Zeros after other digits are not leading zeros.
    let mut seed = 0;
    if *x == '0' || *y == '0' {
        let before = a.get(..i).unwrap_or(&[]).iter().rev();
        let digits: Vec<&char> = before.take_while(|c| c.is_ascii_digit()).collect();
        if digits.iter().any(|c| **c != '0') {
            seed = 1;
        }
    }
    let number = |chars: &[char]| {
        let mut value: i64 = seed;
        let mut end = i;
        for c in chars.get(i..).unwrap_or(&[]) {
            let Some(digit) = c.to_digit(10) else {
                break;
            };
            value = value.wrapping_mul(10).wrapping_add(i64::from(digit));
            end += 1;
        }
        (value, end)
    };
    number(&a).cmp(&number(&b)).then(x.cmp(y))
}

#[cfg(test)]
mod tests {
    use super::*;
    use podscope_api::value;

    #[test]
    fn looks_like_kubectl() {
        let value = value!({
            "apiVersion": "v1",
            "metadata": {
                "annotations": {"note": "two\nlines\n", "empty": "", "n": "1", "y": "yes", "t": "2026-01-01T00:00:00Z"},
                "labels": {},
                "name": "p",
            },
            "spec": {"containers": [{"args": ["a: b", "- x", "#c", "it's", "tab\there"], "ports": [{"port": 80}]}], "list": [], "null": null},
        });
        assert_eq!(
            to_string(&value),
            "apiVersion: v1\nmetadata:\n  annotations:\n    empty: \"\"\n    \"n\": \"1\"\n    note: |\n      two\n      lines\n    t: \"2026-01-01T00:00:00Z\"\n    \"y\": \"yes\"\n  labels: {}\n  name: p\nspec:\n  containers:\n  - args:\n    - 'a: b'\n    - '- x'\n    - '#c'\n    - it's\n    - \"tab\\there\"\n    ports:\n    - port: 80\n  list: []\n  \"null\": null\n"
        );
    }

    #[test]
    fn long_text_is_folded() {
        let words = vec!["word"; 40].join(" ");
        let text = to_string(&Value::from_pairs([("m", Value::from(words))]));
        assert!(text.lines().count() > 1, "{text}");
        assert!(
            text.lines().skip(1).all(|l| l.starts_with("  word")),
            "{text}"
        );
    }

    #[test]
    fn keys_sort_naturally() {
        let map = value!({"a10": 1, "a2": 1, "A": 1, "_": 1, "b": 1});
        let text = to_string(&map);
        let keys: Vec<&str> = text.lines().filter_map(|l| l.split(':').next()).collect();
        assert_eq!(keys, ["_", "A", "a2", "a10", "b"]);
    }

    #[test]
    fn nested_lists() {
        let text = to_string(&value!({"a": [[1, 2], {"b": [3]}, "x"]}));
        assert_eq!(text, "a:\n- - 1\n  - 2\n- b:\n  - 3\n- x\n");
    }
}
