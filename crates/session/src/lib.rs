//! The facade: commands in, plain data views out; time travel, forks, share links, why and what-if.
//!
//! [`api::SessionApi`] is what the page may ask for, [`view`] is what it gets. The engine's session
//! implements it; so does the page's fixture, which lets the page be drawn and tested on its own.

pub mod api;
pub mod breakpoints;
mod changes;
mod cluster_view;
mod compare;
mod complete;
mod components;
mod deadlines;
mod diagnose;
mod diff;
mod effect_fix;
pub mod expect;
mod explain;
mod faults;
mod fixes;
mod glance;
pub mod import;
pub mod index;
mod inside;
mod inside_call;
mod inside_controller;
mod inside_etcd;
mod inside_node;
mod inside_scheduler;
mod inspect_view;
pub mod invariants;
pub mod json;
pub mod lesson;
mod lesson_check;
mod lesson_text;
pub mod lesson_view;
mod logbook;
mod manifest_line;
mod network;
mod objects;
mod predict;
mod presets;
mod preview;
mod previews;
mod readers;
mod requests;
pub mod scenario;
mod scenario_schedulers;
mod scenario_text;
pub mod scheduler_api;
pub mod sequence;
mod session;
mod share;
pub mod simulation;
mod story;
mod suggest;
mod telling;
pub mod time_api;
mod time_view;
mod timeline_view;
pub mod transcript;
mod tree;
mod try_out;
pub mod view;
pub mod whatif;
mod why;
mod why_attempt;
mod why_root;

pub use lesson_check::check as check_lesson;
pub use podscope_api::{float, sort};
pub use podscope_kernel::SimTime;
pub use podscope_kubectl::Invocation;
pub use podscope_lesson::preset;

/// The words of messages.
pub mod words {
    pub use podscope_lesson::catalogue::{Argument, Catalogue};
    pub use podscope_lesson::english;
}

pub use scenario::{Scenario, ScenarioError};
pub use session::Session;
pub use simulation::{Command, Simulation};

/// The kinds of faults that can be injected.
pub fn fault_kinds() -> Vec<&'static str> {
    faults::names()
}

/// One line of help per kind of fault.
pub fn fault_help() -> Vec<String> {
    faults::help()
}

/// Faults of a session's journal that were refused, with the reason.
pub fn refused_faults(session: &Session) -> Vec<String> {
    faults::refused(session)
}

/// The scenarios that come with the program: id and title.
pub fn preset_titles() -> Vec<(&'static str, String)> {
    podscope_lesson::presets()
        .iter()
        .map(|p| {
            (
                p.id,
                Scenario::parse(p.text).map(|s| s.title).unwrap_or_default(),
            )
        })
        .collect()
}
