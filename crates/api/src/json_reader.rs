//! JSON text to values.

use crate::float;
use crate::value::{Float, Map, Value};

/// Documents with more levels are refused.
const MAX_DEPTH: u32 = 127;

/// Reads one JSON document. Depth is bounded; the last of two equal keys wins.
///
/// # Errors
/// What is wrong, with line and column.
pub fn parse(text: &str) -> Result<Value, String> {
    let mut reader = Reader {
        text,
        at: 0,
        depth: 0,
    };
    let found = reader.document();
    found.map_err(|problem| reader.words(problem))
}

/// What is wrong, and how many bytes beyond the reader's place it is.
type Problem = (&'static str, usize);

const END_OF_VALUE: &str = "EOF while parsing a value";
const END_OF_TEXT: &str = "EOF while parsing a string";
const END_OF_ESCAPE: &str = "unexpected end of hex escape";
const LONE_SURROGATE: &str = "lone leading surrogate in hex escape";
const BAD_NUMBER: &str = "invalid number";
const BAD_ESCAPE: &str = "invalid escape";

struct Reader<'t> {
    text: &'t str,
    /// The byte to read next.
    at: usize,
    depth: u32,
}

/// The problem is the byte just read.
fn here<T>(words: &'static str) -> Result<T, Problem> {
    Err((words, 0))
}

/// The problem is the byte to be read next.
fn next<T>(words: &'static str) -> Result<T, Problem> {
    Err((words, 1))
}

impl Reader<'_> {
    fn words(&self, (words, beyond): Problem) -> String {
        let end = (self.at + beyond).min(self.text.len());
        let read = self.text.as_bytes().get(..end).unwrap_or_default();
        let (mut line, mut column) = (1, 0);
        for byte in read {
            if *byte == b'\n' {
                line += 1;
                column = 0;
            } else {
                column += 1;
            }
        }
        format!("{words} at line {line} column {column}")
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// The next byte that is no blank, not yet taken.
    fn skip(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
        self.peek()
    }

    fn document(&mut self) -> Result<Value, Problem> {
        let value = self.value()?;
        match self.skip() {
            None => Ok(value),
            Some(_) => next("trailing characters"),
        }
    }

    fn value(&mut self) -> Result<Value, Problem> {
        match self.skip() {
            None => next(END_OF_VALUE),
            Some(b'n') => self.word("null", Value::Null),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'"') => Ok(Value::from(self.text()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'[' | b'{') if self.depth == MAX_DEPTH => next("recursion limit exceeded"),
            Some(b'[') => self.list(),
            Some(b'{') => self.map(),
            Some(_) => next("expected value"),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Problem> {
        for expected in word.bytes() {
            match self.take() {
                None => return here(END_OF_VALUE),
                Some(byte) if byte != expected => return here("expected ident"),
                Some(_) => {}
            }
        }
        Ok(value)
    }

    fn list(&mut self) -> Result<Value, Problem> {
        self.at += 1;
        self.depth += 1;
        let mut items = Vec::new();
        loop {
            match self.skip() {
                Some(b']') => break,
                Some(b',') if !items.is_empty() => {
                    self.at += 1;
                    if self.skip() == Some(b']') {
                        return next("trailing comma");
                    }
                }
                None => return next("EOF while parsing a list"),
                Some(_) if !items.is_empty() => return next("expected `,` or `]`"),
                Some(_) => {}
            }
            items.push(self.value()?);
        }
        self.at += 1;
        self.depth -= 1;
        Ok(Value::from(items))
    }

    fn map(&mut self) -> Result<Value, Problem> {
        self.at += 1;
        self.depth += 1;
        let mut map = Map::default();
        loop {
            match self.skip() {
                Some(b'}') => break,
                Some(b',') if !map.is_empty() => {
                    self.at += 1;
                    match self.skip() {
                        Some(b'}') => return next("trailing comma"),
                        None => return next(END_OF_VALUE),
                        Some(_) => {}
                    }
                }
                None => return next("EOF while parsing an object"),
                Some(_) if !map.is_empty() => return next("expected `,` or `}`"),
                Some(_) => {}
            }
            if self.peek() != Some(b'"') {
                return next("key must be a string");
            }
            let key = self.text()?;
            match self.skip() {
                Some(b':') => self.at += 1,
                Some(_) => return next("expected `:`"),
                None => return next("EOF while parsing an object"),
            }
            let value = self.value()?;
            map.insert(key, value);
        }
        self.at += 1;
        self.depth -= 1;
        Ok(Value::from(map))
    }

    fn text(&mut self) -> Result<String, Problem> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let start = self.at;
            while self
                .peek()
                .is_some_and(|b| b >= 0x20 && !matches!(b, b'"' | b'\\'))
            {
                self.at += 1;
            }
            out.push_str(self.text.get(start..self.at).unwrap_or_default());
            match self.take() {
                None => return here(END_OF_TEXT),
                Some(b'"') => return Ok(out),
                Some(b'\\') => out.push(self.escape()?),
                Some(_) => {
                    return here(
                        "control character (\\u0000-\\u001F) found while parsing a string",
                    );
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, Problem> {
        Ok(match self.take() {
            None => return here(END_OF_TEXT),
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let high = self.hex()?;
                match high {
                    0xdc00..=0xdfff => return here(LONE_SURROGATE),
                    0xd800..=0xdbff => {
                        for expected in [b'\\', b'u'] {
                            match self.take() {
                                None => return here(END_OF_TEXT),
                                Some(byte) if byte != expected => return here(END_OF_ESCAPE),
                                Some(_) => {}
                            }
                        }
                        let low = self.hex()?;
                        if !(0xdc00..=0xdfff).contains(&low) {
                            return here(LONE_SURROGATE);
                        }
                        let code = 0x1_0000 + ((high - 0xd800) << 10 | (low - 0xdc00));
                        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
                    }
                    _ => char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER),
                }
            }
            Some(_) => return here(BAD_ESCAPE),
        })
    }

    /// Four hexadecimal digits.
    fn hex(&mut self) -> Result<u32, Problem> {
        if self.at + 4 > self.text.len() {
            self.at = self.text.len();
            return here(END_OF_TEXT);
        }
        let mut code = 0;
        let mut is_hex = true;
        for _ in 0..4 {
            let digit = self.take().and_then(|b| char::from(b).to_digit(16));
            is_hex &= digit.is_some();
            code = code << 4 | digit.unwrap_or_default();
        }
        if is_hex { Ok(code) } else { here(BAD_ESCAPE) }
    }

    fn digits(&mut self) {
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
    }

    fn number(&mut self) -> Result<Value, Problem> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.take() {
            None => return here(END_OF_VALUE),
            Some(b'0') => {
                if let Some(b'0'..=b'9') = self.peek() {
                    return next(BAD_NUMBER);
                }
            }
            Some(b'1'..=b'9') => self.digits(),
            Some(_) => return here(BAD_NUMBER),
        }
        let mut is_whole = true;
        if self.peek() == Some(b'.') {
            is_whole = false;
            self.at += 1;
            let fraction = self.at;
            self.digits();
            if self.at == fraction {
                return next(match self.peek() {
                    Some(_) => BAD_NUMBER,
                    None => END_OF_VALUE,
                });
            }
        }
        if let Some(b'e' | b'E') = self.peek() {
            is_whole = false;
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            match self.take() {
                None => return here(END_OF_VALUE),
                Some(b'0'..=b'9') => self.digits(),
                Some(_) => return here(BAD_NUMBER),
            }
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        if is_whole
            && text != "-0"
            && let Ok(int) = text.parse()
        {
            return Ok(Value::Int(int));
        }
        match float::parse(text) {
            Some(float) if float.is_finite() => Ok(Value::Float(Float(float))),
            _ => here("number out of range"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_serde(value: serde_json::Value) -> Value {
        match value {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(b) => Value::Bool(b),
            serde_json::Value::Number(n) => match n.as_i64() {
                Some(int) => Value::Int(int),
                None => Value::Float(Float(n.as_f64().unwrap_or(f64::NAN))),
            },
            serde_json::Value::String(text) => Value::from(text),
            serde_json::Value::Array(items) => Value::list(items.into_iter().map(from_serde)),
            serde_json::Value::Object(map) => {
                Value::from_pairs(map.into_iter().map(|(k, v)| (k, from_serde(v))))
            }
        }
    }

    /// `serde_json` reads floats a little imprecisely.
    fn rounded(value: Value) -> Value {
        match value {
            Value::Float(float) => Value::Float(Float(f64::from(float.0 as f32))),
            Value::List(items) => Value::list(items.iter().cloned().map(rounded)),
            other => other,
        }
    }

    fn same(text: &str) {
        let theirs = serde_json::from_str(text)
            .map(from_serde)
            .map_err(|e| e.to_string());
        let ours = parse(text);
        if let (Err(ours), Err(theirs)) = (&ours, &theirs)
            && theirs.contains("number out of range")
        {
            // It stops before the number's last digit.
            assert!(ours.contains("number out of range"), "{text:?}: {ours}");
            return;
        }
        assert_eq!(ours.map(rounded), theirs.map(rounded), "{text:?}");
    }

    const TEXTS: [&str; 12] = [
        "",
        " {\"a\": [1, -2.5, null, true, false], \"b\" : {\"c\":{}},\n \"a\": 3}",
        "[0, -0, 1e3, 1.25E-2, 9223372036854775807, 9223372036854775808, -9223372036854775808]",
        "\"x\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00é\"",
        "[1,]",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{1: 2}",
        "[1 2]",
        "tru",
        "\"\\ud83d\\u0041\"",
        "1e999",
    ];

    #[test]
    fn reads_as_serde_json_does_whatever_is_broken() {
        for text in TEXTS {
            same(text);
            let bytes: Vec<char> = text.chars().collect();
            for i in 0..bytes.len() {
                let (head, tail) = bytes.split_at(i);
                let head: String = head.iter().collect();
                same(&head);
                for with in [
                    "", "\n", "0", "-", ".", "e", "\\", "\"", "u", "[", "}", ",", ":", "\u{1}", "ü",
                ] {
                    let tail: String = tail.iter().skip(1).collect();
                    same(&format!("{head}{with}{tail}"));
                }
            }
        }
    }

    #[test]
    fn depth_is_bounded() {
        for depth in [126, 127, 128, 1000] {
            same(&format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
        }
    }
}
