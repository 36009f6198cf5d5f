//! Chapters, glossary, presets and message catalogue loaded from content/.

pub mod catalogue;
pub mod glossary;
pub mod lessons;
pub mod presets;

pub use presets::{Preset, preset, presets};

/// The English words: what the first scene shows is read at once, all others at the first word that is
/// missing there, so that a page need not load them before.
pub fn english() -> catalogue::Catalogue {
    catalogue::Catalogue::read(&[FIRST]).with_later(|| catalogue::Catalogue::read(&LATER))
}

/// The words of the first scene.
pub const FIRST: &str = include_str!("../../../content/en/page.txt");

/// All other words. One line per file of `content/en`.
pub const LATER: [&str; 15] = [
    include_str!("../../../content/en/trace.txt"),
    include_str!("../../../content/en/explain.txt"),
    include_str!("../../../content/en/requests.txt"),
    include_str!("../../../content/en/more.txt"),
    include_str!("../../../content/en/time.txt"),
    include_str!("../../../content/en/editor.txt"),
    include_str!("../../../content/en/fields.txt"),
    include_str!("../../../content/en/inspector.txt"),
    include_str!("../../../content/en/faults.txt"),
    include_str!("../../../content/en/lesson.txt"),
    include_str!("../../../content/en/stage.txt"),
    include_str!("../../../content/en/whatif.txt"),
    include_str!("../../../content/en/scheduler.txt"),
    include_str!("../../../content/en/workloads.txt"),
    include_str!("../../../content/en/invariants.txt"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_catalogue_can_be_read() {
        for file in LATER.into_iter().chain([FIRST]) {
            assert_eq!(catalogue::problems(file), []);
        }
    }

    #[test]
    fn no_code_stands_in_two_files() {
        let files = LATER.into_iter().chain([FIRST]);
        let mut codes: Vec<String> = files
            .flat_map(|file| {
                let file = catalogue::Catalogue::read(&[file]);
                file.codes().map(str::to_owned).collect::<Vec<_>>()
            })
            .collect();
        codes.sort();
        let twice: Vec<_> = codes.windows(2).filter(|two| two[0] == two[1]).collect();
        assert!(twice.is_empty(), "{twice:?}");
    }

    #[test]
    fn later_words_are_found() {
        let words = english();
        let first = words.codes().count();
        let codes = catalogue::Catalogue::read(&LATER);
        assert!(codes.codes().count() > first);
        for code in codes.codes() {
            assert_eq!(words.get(code), codes.get(code));
        }
    }
}
