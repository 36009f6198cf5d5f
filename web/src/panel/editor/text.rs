//! Changes of a text, as pure functions. Places of the page are UTF-16 units, places of the engine bytes.

/// A selection of a text area, in UTF-16 units.
pub type Selection = (u32, u32);

/// The byte at a UTF-16 unit; the end of the text when it is past it.
pub fn to_byte(text: &str, unit: u32) -> usize {
    let mut seen = 0;
    for (at, c) in text.char_indices() {
        if seen >= unit {
            return at;
        }
        seen += c.len_utf16() as u32;
    }
    text.len()
}

/// The UTF-16 unit at a byte.
pub fn to_unit(text: &str, byte: usize) -> u32 {
    let before = text.char_indices().take_while(|(at, _)| *at < byte);
    before.map(|(_, c)| c.len_utf16() as u32).sum()
}

/// Line and column, in characters from 0, of a byte.
pub fn place(text: &str, byte: usize) -> (u32, u32) {
    let mut byte = byte.min(text.len());
    while !text.is_char_boundary(byte) {
        byte -= 1;
    }
    let before = text.get(..byte).unwrap_or_default();
    let start = line_start(text, byte);
    let column = before.get(start..).map_or(0, |row| row.chars().count());
    (before.matches('\n').count() as u32, column as u32)
}

/// The byte of a line and column, in characters from 0.
pub fn byte_of(text: &str, line: u32, column: u32) -> usize {
    let start = match line {
        0 => 0,
        n => text
            .match_indices('\n')
            .nth(n as usize - 1)
            .map_or(text.len(), |(at, _)| at + 1),
    };
    let row = text.get(start..).unwrap_or_default();
    let row = row.split('\n').next().unwrap_or_default();
    let ahead = row.char_indices().nth(column as usize);
    start + ahead.map_or(row.len(), |(at, _)| at)
}

/// Where the line of a byte begins.
pub fn line_start(text: &str, byte: usize) -> usize {
    let before = text.get(..byte).unwrap_or_default();
    before.rfind('\n').map_or(0, |at| at + 1)
}

/// The text with a range replaced, and the caret behind it.
pub fn replaced(text: &str, from: usize, to: usize, by: &str) -> (String, Selection) {
    let (Some(before), Some(after)) = (text.get(..from), text.get(to.max(from)..)) else {
        return (text.to_owned(), (0, 0));
    };
    let caret = to_unit(before, before.len()) + to_unit(by, by.len());
    ([before, by, after].concat(), (caret, caret))
}

/// The text after a line break was typed before the caret: the new line is indented as the one above,
/// deeper below a key that ends with its colon.
pub fn indented(text: &str, caret: u32) -> Option<(String, Selection)> {
    let at = to_byte(text, caret);
    let above = text.get(..at)?.strip_suffix('\n')?;
    let row = above.get(line_start(above, above.len())..)?;
    let blanks = row.len() - row.trim_start_matches(' ').len();
    let mut indent = " ".repeat(blanks);
    if row.trim_end().ends_with(':') {
        indent.push_str("  ");
        // Below `- key:` the value belongs to the key, not to the dash.
        if row.trim_start().starts_with("- ") {
            indent.push_str("  ");
        }
    } else if row.trim_start().starts_with("- ") && row.contains(": ") {
        indent.push_str("  ");
    }
    (!indent.is_empty()).then(|| replaced(text, at, at, &indent))
}

/// All lines of a selection two columns deeper, or less deep; without a selection two blanks at the caret.
pub fn shifted(text: &str, selection: Selection, back: bool) -> (String, Selection) {
    let (from, to) = (to_byte(text, selection.0), to_byte(text, selection.1));
    if from == to && !back {
        return replaced(text, from, from, "  ");
    }
    let start = line_start(text, from);
    let (Some(before), Some(inside), Some(after)) =
        (text.get(..start), text.get(start..to), text.get(to..))
    else {
        return (text.to_owned(), selection);
    };
    let mut out = String::with_capacity(text.len() + 64);
    out.push_str(before);
    let (mut first, mut all) = (0i64, 0i64);
    // The rest of the last line belongs to it: blanks at the caret can lie behind it.
    let tail = after.split('\n').next().unwrap_or_default();
    for (i, row) in inside.split('\n').enumerate() {
        let last = i == inside.matches('\n').count();
        if i > 0 {
            out.push('\n');
        }
        let whole = if last {
            [row, tail].concat()
        } else {
            row.to_owned()
        };
        let blanks = (whole.len() - whole.trim_start_matches(' ').len()).min(2);
        let change = match back {
            true => -(blanks as i64),
            false if whole.trim().is_empty() => 0,
            false => 2,
        };
        if change > 0 {
            out.push_str("  ");
            out.push_str(&whole);
        } else {
            out.push_str(whole.get((-change) as usize..).unwrap_or_default());
        }
        if i == 0 {
            first = change;
        }
        all += change;
    }
    out.push_str(after.get(tail.len()..).unwrap_or_default());
    let floor = to_unit(text, start);
    let moved = |unit: u32, by: i64| (i64::from(unit) + by).max(i64::from(floor)) as u32;
    (out, (moved(selection.0, first), moved(selection.1, all)))
}

/// A name that no text has yet: the name itself, or with `-2`, `-3`, ….
pub fn free_name(base: &str, end: &str, taken: impl Fn(&str) -> bool) -> String {
    let first = [base, end].concat();
    if !taken(&first) {
        return first;
    }
    (2..1_000)
        .map(|n| [base, "-", &n.to_string(), end].concat())
        .find(|name| !taken(name))
        .unwrap_or(first)
}

/// The text with a document added at its end, and the caret before it.
pub fn with_document(text: &str, document: &str) -> (String, Selection) {
    let kept = text.trim_end();
    let before = match kept {
        "" => String::new(),
        kept if kept.ends_with("\n---") => [kept, "\n"].concat(),
        kept => [kept, "\n---\n"].concat(),
    };
    let caret = to_unit(&before, before.len());
    ([&before, document].concat(), (caret, caret))
}

/// The text with lines inserted below the line of the caret, at the column of that line's key.
pub fn with_lines(text: &str, caret: u32, lines: &str) -> (String, Selection) {
    let at = to_byte(text, caret);
    let start = line_start(text, at);
    let row = text.get(start..).unwrap_or_default();
    let row = row.split('\n').next().unwrap_or_default();
    let column = row.len() - row.trim_start_matches([' ', '-']).len();
    let column = if row.trim_end().ends_with(':') {
        column + 2
    } else {
        column
    };
    let indent = " ".repeat(column);
    let mut block = String::new();
    for line in lines.lines() {
        block.push('\n');
        block.push_str(&indent);
        block.push_str(line);
    }
    if row.trim().is_empty() {
        let (head, _) = replaced(text, start, start + row.len(), "");
        let block = block.get(1..).unwrap_or_default();
        return replaced(&head, start, start, block);
    }
    let end = start + row.len();
    replaced(text, end, end, &block)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// The text with its selection as brackets.
    fn shown((text, (from, to)): (String, Selection)) -> String {
        let (from, to) = (to_byte(&text, from), to_byte(&text, to));
        [&text[..from], "[", &text[from..to], "]", &text[to..]].concat()
    }

    #[test]
    fn places_of_page_and_engine_agree() {
        let text = "é: 😀x\nb";
        assert_eq!(to_byte(text, 5), text.find('x').expect("there"));
        assert_eq!(to_unit(text, text.find('x').expect("there")), 5);
        assert_eq!(place(text, text.len()), (1, 1));
        assert_eq!(byte_of(text, 0, 4), text.find('x').expect("there"));
        assert_eq!(byte_of(text, 9, 9), text.len());
    }

    #[test]
    fn a_new_line_is_indented() {
        let at = |text: &str| indented(text, to_unit(text, text.len())).map(shown);
        assert_eq!(at("spec:\n").as_deref(), Some("spec:\n  []"));
        assert_eq!(at("  a: 1\n").as_deref(), Some("  a: 1\n  []"));
        assert_eq!(at("- name: x\n").as_deref(), Some("- name: x\n  []"));
        assert_eq!(at("- env:\n").as_deref(), Some("- env:\n    []"));
        assert_eq!(at("a: 1\n"), None);
        assert_eq!(at("a"), None);
    }

    #[test]
    fn lines_move_together() {
        assert_eq!(shown(shifted("a\nb\nc", (0, 3), false)), "  [a\n  b]\nc");
        assert_eq!(shown(shifted("  a\n b\nc", (2, 6), true)), "[a\nb]\nc");
        assert_eq!(shown(shifted("    ab", (5, 5), true)), "  a[]b");
        assert_eq!(shown(shifted("ab", (1, 1), false)), "a  []b");
        assert_eq!(shown(shifted("a", (1, 1), true)), "a[]");
    }

    #[test]
    fn snippets_go_where_they_fit() {
        assert_eq!(shown(with_document("", "a: 1\n")), "[]a: 1\n");
        assert_eq!(
            shown(with_document("x: 1\n", "a: 1\n")),
            "x: 1\n---\n[]a: 1\n"
        );
        assert_eq!(
            shown(with_lines("  - a: 1\nb", 4, "p:\n  q: 1")),
            "  - a: 1\n    p:\n      q: 1[]\nb"
        );
        assert_eq!(shown(with_lines("s:\n", 1, "p: 1")), "s:\n  p: 1[]\n");
        assert_eq!(free_name("web", ".yaml", |n| n == "web.yaml"), "web-2.yaml");
    }
}
