//! Lessons and the glossary: what a lesson does is a file in `content/lessons`, what it says a file in
//! `content/en/lessons`. All of it is text that is read when somebody opens it. Other languages come with
//! the page's words, as `lesson.<id>.…` and `term.<id>.…`.

macro_rules! lessons {
    ($($id:literal),*) => {
        const LESSONS: &[(&str, &str, &str)] = &[$((
            $id,
            include_str!(concat!("../../../content/lessons/", $id, ".yaml")),
            include_str!(concat!("../../../content/en/lessons/", $id, ".txt")),
        )),*];
    };
}

// A lesson is one word here.
lessons!("birth");

/// The ids of all lessons, in the order in which they are offered.
pub fn lessons() -> impl Iterator<Item = &'static str> {
    LESSONS.iter().map(|(id, ..)| *id)
}

/// A lesson's file: what it does.
#[inline(never)]
pub fn lesson(id: &str) -> Option<&'static str> {
    LESSONS.iter().find(|(name, ..)| *name == id).map(|l| l.1)
}

/// A lesson's prose in English.
#[inline(never)]
pub fn prose(id: &str) -> Option<&'static str> {
    LESSONS.iter().find(|(name, ..)| *name == id).map(|l| l.2)
}

/// The glossary in English.
#[inline(never)]
pub fn glossary() -> &'static str {
    include_str!("../../../content/en/glossary.txt")
}
