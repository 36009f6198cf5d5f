//! The scenarios on offer: lessons and examples, one line each.

/// A scenario on offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// Its name in links and attributes; its title is the message `preset.<id>`.
    pub id: &'static str,
    /// The message code of its title.
    pub title: &'static str,
    /// Whether it tells a story with phases; otherwise it is an example to play with.
    pub lesson: bool,
    /// The scenario file's text.
    pub text: &'static str,
}

macro_rules! presets {
    ($($id:literal $lesson:literal;)*) => {
        const PRESETS: &[Preset] = &[$(Preset {
            id: $id,
            title: concat!("preset.", $id),
            lesson: $lesson,
            text: include_str!(concat!("../../../content/scenarios/", $id, ".yaml")),
        }),*];
    };
}

presets! {
    "birth" true;
    "two-containers" true;
    "node-burns-down" true;
    "pending" false;
    "waiting" false;
    "preemption" false;
    "service" false;
    "sidecar" false;
    "cpu-limits" false;
}

/// All of them, in the order in which they are offered.
pub fn presets() -> &'static [Preset] {
    PRESETS
}

/// The scenario file's text of one of them.
pub fn preset(id: &str) -> Option<&'static str> {
    PRESETS.iter().find(|p| p.id == id).map(|p| p.text)
}
