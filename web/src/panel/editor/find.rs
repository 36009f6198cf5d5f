//! Finding and replacing in a file.

/// The most places that are found.
pub const MOST: usize = 1_000;

/// What is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Find {
    /// The text looked for.
    pub needle: String,
    /// What replaces it.
    pub with: String,
    /// The replacing row is shown.
    pub replacing: bool,
    /// The place that is selected, by number.
    pub at: usize,
}

/// Bytes of all places, in order, in any case of ASCII letters.
pub fn places(text: &str, needle: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    if needle.is_empty() {
        return found;
    }
    let mut from = 0;
    while found.len() < MOST
        && let Some(window) = text.as_bytes().get(from..)
    {
        let hit = window
            .windows(needle.len())
            .position(|part| part.eq_ignore_ascii_case(needle.as_bytes()));
        let Some(hit) = hit else { break };
        found.push((from + hit, from + hit + needle.len()));
        from += hit + needle.len();
    }
    found
}

/// The number of the place to go to from a byte: the next, or the one before; round the end.
pub fn step(places: &[(usize, usize)], byte: usize, back: bool) -> usize {
    if back {
        let before = places.iter().rposition(|place| place.0 < byte);
        return before.unwrap_or(places.len().saturating_sub(1));
    }
    let next = places.iter().position(|place| place.0 >= byte);
    next.unwrap_or(0)
}

/// The text with all places replaced.
pub fn replaced(text: &str, places: &[(usize, usize)], with: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for place in places {
        out.push_str(text.get(from..place.0).unwrap_or_default());
        out.push_str(with);
        from = place.1;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn places_are_found_in_any_case() {
        let text = "Web: é web\nWEB";
        let found = places(text, "web");
        assert_eq!(found, [(0, 3), (8, 11), (12, 15)]);
        assert_eq!(step(&found, 9, false), 2);
        assert_eq!(step(&found, 13, false), 0);
        assert_eq!(step(&found, 8, true), 0);
        assert_eq!(step(&found, 0, true), 2);
        assert_eq!(replaced(text, &found, "x"), "x: é x\nx");
        assert!(places(text, "").is_empty());
        assert_eq!(places("aaa", "aa").len(), 1);
        assert_eq!(places("éé", "é").len(), 2);
    }
}
