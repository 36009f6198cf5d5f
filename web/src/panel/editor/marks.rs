//! A line of code with what is marked in it: problems, fields without effect, places found.

use crate::draw::yaml_spans;
use yew::prelude::*;

/// A marked range of a line: bytes of the line, and a class.
pub type Mark = (usize, usize, &'static str);

/// Pieces of a line: classes and text, cut wherever a colour or a mark begins or ends.
#[inline(never)]
pub fn pieces<'a>(line: &'a str, marks: &[Mark]) -> Vec<(String, &'a str)> {
    let mut out: Vec<(String, &str)> = Vec::new();
    let mut at = 0;
    for (class, part) in crate::yaml::parts(line) {
        let end = at + part.len();
        let mut from = at;
        while from < end {
            let ends = marks.iter().flat_map(|mark| [mark.0, mark.1]);
            let to = ends.filter(|b| *b > from && *b < end).min().unwrap_or(end);
            let mut classes = class.to_owned();
            for mark in marks.iter().filter(|m| m.0 <= from && from < m.1) {
                classes.push(' ');
                classes.push_str(mark.2);
            }
            if let Some(piece) = line.get(from..to) {
                out.push((classes, piece));
            }
            from = to;
        }
        at = end;
    }
    out
}

/// Draws a line.
pub fn draw(line: &str, marks: &[Mark]) -> Html {
    if marks.is_empty() {
        return yaml_spans(line);
    }
    let piece =
        |(class, text): (String, &str)| html! { <span class={class}>{text.to_owned()}</span> };
    pieces(line, marks).into_iter().map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn marks_cut_colours() {
        let shown = |line, marks: &[Mark]| -> Vec<String> {
            let pieces = pieces(line, marks).into_iter();
            pieces
                .map(|(class, text)| format!("{class}|{text}"))
                .collect()
        };
        assert_eq!(
            shown("a: bcd", &[(0, 1, "squig"), (4, 5, "hit"), (4, 6, "now")]),
            [
                "key squig|a",
                "pun|:",
                "val| b",
                "val hit now|c",
                "val now|d"
            ]
        );
        assert_eq!(shown("é: x", &[(0, 2, "hit")])[0], "key hit|é");
        assert_eq!(shown("", &[(0, 1, "squig")]).len(), 0);
    }
}
