//! What the API server makes of a request whose body is YAML text.

use crate::Message;
use crate::document::{Content, Document};
use crate::parse;
use podscope_api::decode::{self, Decoded, Source};
use podscope_api::request::FieldValidation;
use podscope_api::status::quote;
use podscope_api::{Kind, Status, Value};
use std::borrow::Cow;

/// Decodes the body of `POST` with `Content-Type: application/yaml`. Only the first document is read.
///
/// # Errors
/// `400 BadRequest` in the server's words.
pub fn decode(kind: Kind, body: &[u8], validation: FieldValidation) -> Result<Decoded, Status> {
    let unreadable = |why: &str| decode::unreadable(kind, why, body);
    let text = match text_of(body) {
        Some(text) => text,
        None => {
            let why = utf8_message(body).unwrap_or("yaml: invalid UTF-8");
            return Err(unreadable(why));
        }
    };
    let document = match parse::first(&text) {
        Ok(document) => document,
        Err(diagnostic) => {
            let why = match &diagnostic.message {
                Message::Yaml(why) => why.as_str(),
                Message::TooDeep { .. } => "yaml: exceeded max depth",
                _ => "yaml: the document is too large",
            };
            return Err(unreadable(why));
        }
    };
    let value = document
        .as_ref()
        .map_or(Value::Null, |d| d.object.0.clone());
    let source = Source {
        value,
        strict: document
            .as_ref()
            .and_then(duplicate_keys)
            .into_iter()
            .collect(),
        body,
    };
    decode::decode(kind, &source, validation)
}

/// UTF-8, or UTF-16 with its mark, as Go's reader takes it.
fn text_of(body: &[u8]) -> Option<Cow<'_, str>> {
    let unit: fn([u8; 2]) -> u16 = match body {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => {
            let text = std::str::from_utf8(body).ok()?;
            return Some(Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text)));
        }
    };
    let pairs = body.get(2..)?.chunks_exact(2);
    let units: Vec<u16> = pairs.map(|p| unit([p[0], p[1]])).collect();
    String::from_utf16(&units).ok().map(Cow::Owned)
}

/// What strict reading says of keys that stand twice.
pub fn duplicate_keys(document: &Document) -> Option<String> {
    let mut message = String::new();
    for (key, value) in &document.duplicates {
        let line = document.node(*value).map_or(0, |n| n.span.line);
        let line = line + 1 - document.source.line;
        let key = match document.node(*key).map(|n| &n.content) {
            Some(Content::Scalar(Value::Str(text), _)) => quote(text),
            _ => document.key_text(*key),
        };
        message.push_str(&format!("\n  line {line}: key {key} already set in map"));
    }
    (!message.is_empty()).then(|| format!("yaml: unmarshal errors:{message}"))
}

/// What Go's reader says of bytes that are not UTF-8; `None` when they are.
fn utf8_message(bytes: &[u8]) -> Option<&'static str> {
    let error = std::str::from_utf8(bytes).err()?;
    let first = bytes.get(error.valid_up_to()).copied().unwrap_or(0);
    let width = match first {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => return Some("yaml: invalid leading UTF-8 octet"),
    };
    if error.valid_up_to() + width > bytes.len() {
        return Some("yaml: incomplete UTF-8 octet sequence");
    }
    let trailing = bytes.get(error.valid_up_to() + 1..error.valid_up_to() + width);
    Some(match trailing {
        Some(t) if t.iter().all(|b| b & 0xc0 == 0x80) => "yaml: invalid length of a UTF-8 sequence",
        _ => "yaml: invalid trailing UTF-8 octet",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_not_text() {
        assert_eq!(
            utf8_message(b"a: \xff"),
            Some("yaml: invalid leading UTF-8 octet")
        );
        assert_eq!(
            utf8_message(b"a: \xc3("),
            Some("yaml: invalid trailing UTF-8 octet")
        );
        assert_eq!(utf8_message("é".as_bytes()), None);
        assert_eq!(text_of(b"\xff\xfea\0").as_deref(), Some("a"));
    }
}
