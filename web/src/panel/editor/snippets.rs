//! Pieces of manifests that can be inserted; they are in `content/snippets.yaml`.

/// A piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// Its kind, or the field of a container or Pod that it begins with.
    pub id: &'static str,
    /// Lines for the place of the caret; otherwise a whole document.
    pub part: bool,
    /// Its text; `NAME` stands for a free name.
    pub text: &'static str,
}

const TEXT: &str = include_str!("../../../../content/snippets.yaml");

/// All of them, in their order: `#= Id` begins a document, `#+ id` lines.
pub fn all() -> impl Iterator<Item = Snippet> {
    TEXT.split("\n#").filter_map(|block| {
        let (head, text) = block.split_once('\n')?;
        let mark = head.chars().next()?;
        let id = head.get(1..)?.trim();
        matches!(mark, '=' | '+').then_some(Snippet {
            id,
            part: mark == '+',
            text: text.trim_end_matches('\n'),
        })
    })
}

/// The one with this id.
pub fn of(id: &str) -> Option<Snippet> {
    all().find(|snippet| snippet.id == id)
}
