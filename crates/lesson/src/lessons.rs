//! Lessons and the glossary: what they do is a file in `content/lessons`, what they say is a file per
//! language. All of it is text that is read when somebody opens it.

/// The words of one language for lessons and glossary.
#[derive(Clone, Copy, Debug)]
pub struct Locale {
    /// Its tag, such as `en`.
    pub tag: &'static str,
    /// The glossary's text.
    pub glossary: &'static str,
    /// The prose of each lesson, by the lesson's id.
    pub lessons: &'static [(&'static str, &'static str)],
}

/// The language that every text exists in.
pub const DEFAULT: &str = "en";

macro_rules! locale {
    ($tag:literal: $($id:literal),*) => {
        Locale {
            tag: $tag,
            glossary: include_str!(concat!("../../../content/", $tag, "/glossary.txt")),
            lessons: &[$((
                $id,
                include_str!(concat!("../../../content/", $tag, "/lessons/", $id, ".txt")),
            )),*],
        }
    };
}

macro_rules! lessons {
    ($($id:literal),*) => {
        const LESSONS: &[(&str, &str)] = &[$((
            $id,
            include_str!(concat!("../../../content/lessons/", $id, ".yaml")),
        )),*];
    };
}

// A lesson is one word here and one in each language.
lessons!("birth");
const LOCALES: &[Locale] = &[locale!("en": "birth")];

/// All languages.
pub fn locales() -> &'static [Locale] {
    LOCALES
}

/// The ids of all lessons, in the order in which they are offered.
pub fn lessons() -> impl Iterator<Item = &'static str> {
    LESSONS.iter().map(|(id, _)| *id)
}

/// A lesson's file: what it does.
#[inline(never)]
pub fn lesson(id: &str) -> Option<&'static str> {
    LESSONS.iter().find(|(name, _)| *name == id).map(|l| l.1)
}

fn of(locale: &str) -> Option<&'static Locale> {
    LOCALES.iter().find(|l| l.tag == locale)
}

/// A lesson's prose in a language; in English when that language has none.
#[inline(never)]
pub fn prose(locale: &str, id: &str) -> Option<&'static str> {
    let find = |l: &'static Locale| l.lessons.iter().find(|(name, _)| *name == id).map(|l| l.1);
    of(locale)
        .and_then(find)
        .or_else(|| of(DEFAULT).and_then(find))
}

/// The glossary in a language; in English when there is none.
#[inline(never)]
pub fn glossary(locale: &str) -> &'static str {
    of(locale).or(of(DEFAULT)).map_or("", |l| l.glossary)
}
