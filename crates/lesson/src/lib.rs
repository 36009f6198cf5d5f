//! Chapters, glossary, presets and message catalogue loaded from content/.

pub mod catalogue;
pub mod presets;

pub use presets::{Preset, preset, presets};

/// The English catalogue. One line per file of `content/en`.
pub fn english() -> catalogue::Catalogue {
    catalogue::Catalogue::read(&ENGLISH)
}

/// The texts of `content/en`.
pub const ENGLISH: [&str; 2] = [
    include_str!("../../../content/en/page.txt"),
    include_str!("../../../content/en/trace.txt"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_catalogue_can_be_read() {
        for file in ENGLISH {
            assert_eq!(catalogue::problems(file), []);
        }
    }
}
