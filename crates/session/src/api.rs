//! The session's interface, as the page uses it.

use crate::lesson::Lesson;
use crate::lesson_view::LessonView;
use crate::view::*;
use std::rc::Rc;

/// Commands in, plain data out. Everything that a person can do is one of these calls, hence in
/// the journal, replayable and shareable. Views are computed at the cursor when asked for; an
/// implementation may keep them until the cursor moves (`Rc` equality tells the page).
///
/// A command given while the cursor is in the past forks the timeline there; both futures stay.
pub trait SessionApi {
    /// The scenario's name: a preset id, or empty for one of the person's own.
    fn preset(&self) -> Rc<str>;
    /// Examples and lessons.
    fn presets(&self) -> &[PresetView];
    /// Manifest files.
    fn files(&self) -> Rc<[FileView]>;
    /// Replaces a file's text (creates the file when there is none of that name) and says what is
    /// known of it. Bounded: oversized text gives one diagnostic.
    fn edit(&mut self, file: &str, text: &str) -> Rc<Diagnostics>;
    /// Removes a file.
    fn remove_file(&mut self, file: &str);
    /// `kubectl apply -f <file>` at the cursor; runs ahead until stable.
    fn apply(&mut self, file: &str) -> Result<(), Refused>;
    /// A kubectl command line, without the word `kubectl`, already split.
    fn kubectl(&mut self, argv: &[&str]) -> Result<(), Refused>;
    /// The terminal's entries up to the cursor.
    fn terminal(&self) -> Rc<[TerminalEntry]>;
    /// Completions of a command line.
    fn complete(&self, line: &str) -> Vec<Rc<str>>;
    /// Faults that can be injected now.
    fn fault_kinds(&self) -> Rc<[FaultKindView]>;
    /// Injects a fault at the cursor.
    fn fault(&mut self, kind: &str, target: &str, params: &[(&str, &str)]) -> Result<(), Refused>;
    /// Heals one.
    fn heal(&mut self, fault: u32) -> Result<(), Refused>;

    /// Steps forward. False when nothing moved.
    fn step(&mut self, size: StepSize) -> bool;
    /// Steps back. False when nothing moved.
    fn back(&mut self, size: StepSize) -> bool;
    /// Goes anywhere.
    fn seek(&mut self, to: Seek);
    /// Switches to another future.
    fn switch(&mut self, fork: u32) -> Result<(), Refused>;

    /// The cluster at the cursor.
    fn view(&self) -> Rc<ClusterView>;
    /// Lanes, phases and forks.
    fn timeline(&self) -> Rc<TimelineView>;
    /// The explanation of an event.
    fn explain(&self, event: EventIndex) -> Option<Rc<ExplainView>>;
    /// The inside of a component or node.
    fn inside(&self, target: &Target) -> Rc<InsideView>;
    /// All objects as tables.
    fn objects(&self) -> Rc<[TableView]>;
    /// One object at a revision (default: the newest), compared with another (default: the one
    /// before).
    fn object(
        &self,
        object: &ObjectRef,
        revision: Option<u64>,
        against: Option<u64>,
    ) -> Option<Rc<ObjectView>>;
    /// Kubernetes Events, newest last.
    fn events(&self) -> Rc<[KubeEventView]>;
    /// etcd's keys.
    fn etcd_keys(&self) -> Rc<[EtcdKeyView]>;

    /// A step of a lesson at the cursor, counted from 0; `None` beyond the last.
    fn lesson(&self, lesson: &Lesson, step: usize) -> Option<LessonView>;
    /// Does what a step asks of the learner, or goes to the moment that it waits for.
    fn show_lesson(&mut self, lesson: &Lesson, step: usize) -> Result<(), Refused>;
    /// What a name in lessons and glossary opens on the stage.
    fn target(&self, name: &str) -> Option<Target>;
    /// The next event with this trace code after the cursor, else the first one.
    fn find_event(&self, code: &str) -> Option<EventIndex>;

    /// The fragment of a link that opens this very moment.
    fn share(&self) -> String;
    /// The scenario file.
    fn export_scenario(&self) -> String;
    /// The whole trace as text, for reports and for readers.
    fn transcript(&self) -> String;
}

/// What to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source<'a> {
    /// A preset by id.
    Preset(&'a str),
    /// A scenario file's text.
    Scenario(&'a str),
    /// A manifest on the default cluster.
    Manifest(&'a str),
    /// The fragment of a share link.
    Link(&'a str),
    /// What a lesson plays.
    Lesson(&'a Lesson),
}
