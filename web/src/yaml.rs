//! Colours a line of YAML: enough for reading, no parser. The engine's parser decides what it means.

/// Parts of a line with their classes: `pun`, `key`, `val`, `com`, or none.
pub fn parts(line: &str) -> Vec<(&'static str, &str)> {
    let mut parts = Vec::with_capacity(5);
    let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
    let (space, mut rest) = line.split_at(indent);
    push(&mut parts, "pun", space);
    while let Some(after) = rest
        .strip_prefix('-')
        .filter(|after| after.is_empty() || after.starts_with(' '))
    {
        let dash = rest.len() - after.trim_start_matches(' ').len();
        let (mark, after) = rest.split_at(dash);
        push(&mut parts, "pun", mark);
        rest = after;
    }
    if rest.starts_with('#') || rest == "---" {
        push(&mut parts, "com", rest);
        return parts;
    }
    let (body, comment) = match comment_start(rest) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    match key_end(body) {
        Some(at) => {
            let (key, value) = body.split_at(at);
            push(&mut parts, "key", key);
            let (colon, value) = value.split_at(1);
            push(&mut parts, "pun", colon);
            push(&mut parts, "val", value);
        }
        None => push(&mut parts, "val", body),
    }
    push(&mut parts, "com", comment);
    parts
}

fn push<'a>(parts: &mut Vec<(&'static str, &'a str)>, class: &'static str, part: &'a str) {
    if !part.is_empty() {
        parts.push((class, part));
    }
}

/// Byte of the colon that ends a key: followed by a space or the end, outside quotes.
fn key_end(text: &str) -> Option<usize> {
    unquoted(text, |rest| rest.starts_with(": ") || rest == ":")
}

fn comment_start(text: &str) -> Option<usize> {
    unquoted(text, |rest| rest.starts_with(" #"))
}

/// First byte outside quotes at which the rest of the text satisfies `found`.
fn unquoted(text: &str, found: impl Fn(&str) -> bool) -> Option<usize> {
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if found(text.get(at..).unwrap_or_default()) => return Some(at),
            // A quote inside a word is an apostrophe.
            None if matches!(c, '"' | '\'')
                && before.is_ascii()
                && !before.is_ascii_alphanumeric() =>
            {
                quote = Some(c)
            }
            None => {}
        }
        before = c;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn keys_values_and_comments_are_told_apart() {
        assert_eq!(
            parts("  - name: nginx # web"),
            [
                ("pun", "  "),
                ("pun", "- "),
                ("key", "name"),
                ("pun", ":"),
                ("val", " nginx"),
                ("com", " # web")
            ]
        );
        assert_eq!(parts("spec:"), [("key", "spec"), ("pun", ":")]);
        assert_eq!(parts("- \"a: b\""), [("pun", "- "), ("val", "\"a: b\"")]);
        assert_eq!(
            parts("image: nginx:1.25"),
            [("key", "image"), ("pun", ":"), ("val", " nginx:1.25")]
        );
        assert_eq!(parts("# all"), [("com", "# all")]);
        assert!(parts("").is_empty());
    }

    #[test]
    fn no_text_is_lost() {
        for line in ["a: 'it''s' # x", "\t- - b", "äö: \"ü", "{a: b}", ": :", "'"] {
            let whole: String = parts(line).into_iter().map(|(_, part)| part).collect();
            assert_eq!(whole, line);
        }
    }
}
