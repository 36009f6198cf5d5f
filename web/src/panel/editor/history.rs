//! What was changed in a file, for undo and redo. It outlives switching files, fixes and inserted snippets,
//! which the browser's own memory does not.

use super::text::Selection;

/// The most changes that are remembered.
const MOST: usize = 500;
/// The most bytes of changed text that are remembered.
const MOST_BYTES: usize = 1 << 20;

/// One change: at a byte, the old text became the new one.
#[derive(Clone, Debug)]
struct Change {
    at: usize,
    old: String,
    new: String,
    before: Selection,
    after: Selection,
    typed: bool,
}

/// The changes of one file.
#[derive(Clone, Debug, Default)]
pub struct History {
    done: Vec<Change>,
    undone: Vec<Change>,
}

impl History {
    /// Remembers that a text became another; what is typed letter by letter is one change up to the end of
    /// a word.
    pub fn record(
        &mut self,
        old: &str,
        new: &str,
        before: Selection,
        after: Selection,
        typed: bool,
    ) {
        if old == new {
            return;
        }
        self.undone.clear();
        let (at, removed, added) = difference(old, new);
        if typed
            && let Some(last) = self.done.last_mut().filter(|last| last.typed)
            && last.joins(at, removed, added)
        {
            if removed.is_empty() {
                last.new.push_str(added);
            } else {
                last.old.insert_str(0, removed);
                last.at = at;
            }
            last.after = after;
            return;
        }
        self.done.push(Change {
            at,
            old: removed.to_owned(),
            new: added.to_owned(),
            before,
            after,
            typed,
        });
        let size = |change: &Change| change.old.len() + change.new.len();
        while self.done.len() > MOST || self.done.iter().map(size).sum::<usize>() > MOST_BYTES {
            self.done.remove(0);
        }
    }

    /// Whether there is something to undo, and to redo.
    pub fn can(&self) -> (bool, bool) {
        (!self.done.is_empty(), !self.undone.is_empty())
    }

    /// The text before the last change.
    pub fn undo(&mut self, text: &str) -> Option<(String, Selection)> {
        let change = self.done.pop()?;
        let back = swap(text, change.at, &change.new, &change.old);
        let selection = change.before;
        self.undone.push(change);
        self.known(back.map(|text| (text, selection)))
    }

    /// The text after the change that was undone last.
    pub fn redo(&mut self, text: &str) -> Option<(String, Selection)> {
        let change = self.undone.pop()?;
        let on = swap(text, change.at, &change.old, &change.new);
        let selection = change.after;
        self.done.push(change);
        self.known(on.map(|text| (text, selection)))
    }

    /// A text that somebody else changed is none of ours: then nothing is remembered any more.
    fn known<T>(&mut self, found: Option<T>) -> Option<T> {
        if found.is_none() {
            *self = History::default();
        }
        found
    }
}

impl Change {
    fn joins(&self, at: usize, removed: &str, added: &str) -> bool {
        let word = |c: char| !c.is_whitespace();
        let typing = removed.is_empty()
            && self.old.is_empty()
            && at == self.at + self.new.len()
            && !added.contains('\n')
            && (added.starts_with(word) <= self.new.ends_with(word) || !self.new.contains(word));
        let deleting = added.is_empty()
            && self.new.is_empty()
            && at + removed.len() == self.at
            && removed != "\n";
        typing || deleting
    }
}

/// What differs: the byte, the old part, the new part.
fn difference<'a>(old: &'a str, new: &'a str) -> (usize, &'a str, &'a str) {
    let same = |(a, b): &(u8, u8)| a == b;
    let mut start = old.bytes().zip(new.bytes()).take_while(same).count();
    while !old.is_char_boundary(start) || !new.is_char_boundary(start) {
        start -= 1;
    }
    let most = old.len().min(new.len()) - start;
    let ends = old.bytes().rev().zip(new.bytes().rev());
    let mut end = ends.take(most).take_while(same).count();
    while !old.is_char_boundary(old.len() - end) || !new.is_char_boundary(new.len() - end) {
        end -= 1;
    }
    (
        start,
        old.get(start..old.len() - end).unwrap_or_default(),
        new.get(start..new.len() - end).unwrap_or_default(),
    )
}

fn swap(text: &str, at: usize, from: &str, to: &str) -> Option<String> {
    let rest = text.get(at..)?.strip_prefix(from)?;
    Some([text.get(..at)?, to, rest].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn typed(history: &mut History, texts: &[&str]) {
        for pair in texts.windows(2) {
            history.record(pair[0], pair[1], (0, 0), (1, 1), true);
        }
    }

    #[test]
    fn words_are_undone_at_once() {
        let mut history = History::default();
        typed(&mut history, &["", "a", "ab", "ab ", "ab c", "ab cd"]);
        let mut text = "ab cd".to_owned();
        let mut seen = Vec::new();
        while let Some((next, _)) = history.undo(&text) {
            text = next;
            seen.push(text.clone());
        }
        assert_eq!(seen, ["ab ", ""]);
        while let Some((next, _)) = history.redo(&text) {
            text = next;
        }
        assert_eq!(text, "ab cd");
    }

    #[test]
    fn fixes_and_letters_are_changes_of_their_own() {
        let mut history = History::default();
        typed(&mut history, &["é", "éx"]);
        history.record("éx", "éy", (0, 0), (2, 2), false);
        typed(&mut history, &["éy", "é", ""]);
        assert_eq!(history.undo("").map(|u| u.0).as_deref(), Some("éy"));
        assert_eq!(history.undo("éy").map(|u| u.0).as_deref(), Some("éx"));
        assert_eq!(history.undo("éx").map(|u| u.0).as_deref(), Some("é"));
        assert_eq!(history.can(), (false, true));
    }

    #[test]
    fn a_strange_text_is_left_alone() {
        let mut history = History::default();
        typed(&mut history, &["a", "ab"]);
        assert!(history.undo("zz").is_none());
        assert_eq!(history.can(), (false, false));
    }

    #[test]
    fn memory_is_bounded() {
        let mut history = History::default();
        for i in 0..1_200 {
            let (old, new) = (i.to_string(), (i + 1).to_string());
            history.record(&old, &new, (0, 0), (0, 0), false);
        }
        assert_eq!(history.done.len(), MOST);
    }
}
