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
pub trait SessionApi:
    crate::time_api::TimeApi + crate::scheduler_api::SchedulerApi + crate::whatif::api::WhatIfApi
{
    /// The scenario's name: a preset id, or empty for one of the person's own.
    fn preset(&self) -> Rc<str>;
    /// Examples and lessons.
    fn presets(&self) -> &[PresetView];
    /// Manifest files.
    fn files(&self) -> Rc<[FileView]>;
    /// Replaces a file's text (creates the file when there is none of that name) and says what is
    /// known of it. Bounded: oversized text gives one diagnostic.
    fn edit(&mut self, file: &str, text: &str) -> Rc<Diagnostics>;
    /// Replaces a file's text without looking at it, while somebody types fast in a long one; `edit`
    /// with the same text follows. An oversized text or an unknown file changes nothing.
    fn retype(&mut self, file: &str, text: &str);
    /// Makes the next `edit` of the document at a byte quick, while nobody waits.
    fn warm(&self, text: &str, cursor: u32);
    /// Removes a file; the last one removed can be restored.
    fn remove_file(&mut self, file: &str);
    /// Puts the file that was removed last back in its place; its index. `None` without one, or when
    /// there is another of its name.
    fn restore_file(&mut self) -> Option<usize>;
    /// Gives a file another name.
    fn rename_file(&mut self, file: &str, name: &str) -> Result<(), Refused>;
    /// What can be written before a byte of a manifest.
    fn suggest(&self, text: &str, cursor: u32) -> SuggestView;
    /// The field at a byte of a manifest, or the field `child` beside the cursor when one is proposed.
    fn field(&self, text: &str, cursor: u32, child: Option<&str>) -> Option<FieldView>;
    /// What applying a text would change in the objects that are there, by field.
    fn changes(&self, text: &str) -> Rc<[ObjectChange]>;
    /// `kubectl apply` with all files at the cursor; runs ahead until stable.
    fn apply_all(&mut self) -> Result<(), Refused>;
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
    /// Injects a fault after a length of simulated time; the cursor stays. What is known up to then
    /// stays too. Refused with the engine's reason when it could not be injected at that moment.
    fn fault_later(
        &mut self,
        kind: &str,
        target: &str,
        params: &[(&str, &str)],
        after: Nanos,
    ) -> Result<(), Refused>;
    /// Faults in force, being mended and planned, with their timers.
    fn faults(&self) -> Vec<FaultDetail>;
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
    /// before; 0: none, the plain YAML).
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
    /// etcd at a glance.
    fn etcd(&self) -> EtcdOverview;
    /// Objects by their owners.
    fn tree(&self) -> Rc<[TreeRow]>;
    /// The scheduler's queue and its last tries.
    fn queues(&self) -> SchedulerQueues;
    /// A machine in detail.
    fn node(&self, name: &str) -> Option<NodeDetail>;
    /// Services, and the rules of one machine.
    fn network(&self, node: &str) -> NetworkView;
    /// Follows a request to `host[:port]` through the rules; `draw` decides where a rule draws.
    fn request(&self, from: &RequestFrom, to: &str, draw: u32) -> RequestView;
    /// Numbers of the events of the whole known trace that pass a filter. Kept between calls.
    fn log_find(&self, filter: &LogFilter) -> Rc<[EventIndex]>;
    /// These events as lines.
    fn log_rows(&self, events: &[EventIndex]) -> Vec<LogRow>;

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
