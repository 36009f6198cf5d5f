//! A session: one scenario being played, with its files, its futures and its cursor.

use crate::api::{SessionApi, Source};
use crate::index::{Index, Zoom};
use crate::lesson::Lesson;
use crate::lesson_view::LessonView;
use crate::scenario::{self, Scenario, ScenarioError};
use crate::simulation::{Command, Simulation};
use crate::view::*;
use podscope_cluster::TraceEvent;
use podscope_kernel::{SimDuration, SimTime, Timeline};
use podscope_kubectl::Invocation;
use std::cell::{Ref, RefCell};
use std::rc::Rc;

mod calls;

/// How long after the last thing of note the cluster counts as being at rest.
const QUIET: SimDuration = SimDuration::secs(3);
/// How long after a fault nothing may happen before that is taken for rest.
const QUIET_AFTER_FAULT: SimDuration = SimDuration::secs(75);
/// The longest stretch that is run ahead after a command.
const MAX_AHEAD: SimDuration = SimDuration::secs(1_800);
/// The most queue entries that are run ahead after a command.
const MAX_AHEAD_STEPS: u64 = 400_000;
/// The most files.
const MAX_FILES: usize = 64;
/// The longest name of a file, in characters.
const MAX_NAME: usize = 64;

/// A manifest being edited.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub name: Rc<str>,
    pub text: Rc<str>,
    pub applied: Option<Rc<str>>,
    pub diagnostics: Rc<Diagnostics>,
}

/// A kept future.
#[derive(Clone)]
struct Future {
    id: u32,
    timeline: Timeline<Simulation>,
}

/// What is computed from the trace and kept until it changes.
#[derive(Default)]
struct Derived {
    index: Index,
    found: crate::logbook::Found,
    /// Past and future as last asked for, and what it was made from.
    timeline: Option<(TimelineKey, Rc<TimelineView>)>,
    receipts: crate::inside_scheduler::Receipts,
}

/// Known events, future shown, other futures, machines at the cursor: while these stay, so does the
/// timeline. A cut log forgets all that is derived.
type TimelineKey = (usize, u32, usize, usize);

/// One scenario being played.
pub struct Session {
    preset: Rc<str>,
    title: String,
    cluster: scenario::ClusterSpec,
    expect: Vec<scenario::Expectation>,
    until: String,
    pub(crate) timeline: Timeline<Simulation>,
    futures: Vec<Future>,
    current: u32,
    next_fork: u32,
    next_fault: u32,
    pub(crate) files: Vec<File>,
    /// The file removed last and where it stood.
    removed: Option<(usize, File)>,
    pub(crate) previews: RefCell<crate::previews::Previews>,
    derived: RefCell<Derived>,
}

impl Session {
    /// Opens something.
    ///
    /// # Errors
    /// Why it cannot be opened, in words for the person.
    pub fn open(source: Source<'_>) -> Result<Session, ScenarioError> {
        match source {
            Source::Preset(id) => {
                let text = podscope_lesson::preset(id).ok_or_else(|| {
                    let known: Vec<&str> =
                        podscope_lesson::presets().iter().map(|p| p.id).collect();
                    ScenarioError(format!(
                        "there is no preset {id:?}; there are: {}",
                        known.join(", ")
                    ))
                })?;
                let mut session = Session::from_scenario(&Scenario::parse(text)?)?;
                session.preset = id.into();
                Ok(session)
            }
            Source::Scenario(text) => Session::from_scenario(&Scenario::parse(text)?),
            Source::Manifest(text) => {
                let file = scenario::File {
                    name: "manifest.yaml".into(),
                    text: text.into(),
                };
                let scenario = Scenario {
                    podscope: scenario::VERSION,
                    files: vec![file],
                    ..Scenario::default()
                };
                Session::from_scenario(&scenario)
            }
            Source::Link(fragment) => crate::share::open(fragment),
            Source::Lesson(lesson) => Session::of_lesson(lesson),
        }
    }

    /// A session at the scenario's cursor, its commands carried out in the known future.
    ///
    /// # Errors
    /// The first part of the scenario that cannot be used.
    pub fn from_scenario(scenario: &Scenario) -> Result<Session, ScenarioError> {
        let config = scenario.cluster.config()?;
        let journal = scenario.journal()?;
        let last = journal.iter().map(|t| t.at).max();
        let has_faults = journal
            .iter()
            .any(|t| matches!(t.command, Command::Inject { .. }));
        let applied: Vec<(String, String)> = journal
            .iter()
            .filter_map(|t| match &t.command {
                Command::Kubectl(i) => Some(i.files.clone()),
                _ => None,
            })
            .flatten()
            .collect();
        let mut session = Session {
            preset: "".into(),
            title: scenario.title.clone(),
            cluster: scenario.cluster.clone(),
            expect: scenario.expect.clone(),
            until: scenario.until.clone(),
            timeline: Timeline::new(Simulation::new(config), journal),
            futures: Vec::new(),
            current: 0,
            next_fork: 1,
            next_fault: 1,
            files: Vec::new(),
            removed: None,
            previews: RefCell::default(),
            derived: RefCell::default(),
        };
        for file in scenario.files.iter().take(MAX_FILES) {
            session.edit(&file.name, &file.text);
            if applied
                .iter()
                .any(|(name, text)| *name == file.name && *text == file.text)
                && let Some(f) = session.files.iter_mut().find(|f| *f.name == *file.name)
            {
                f.applied = Some(f.text.clone());
            }
        }
        if let Some(last) = last {
            session.timeline.run_until(last);
            session.run_ahead(has_faults);
        }
        if !session.until.is_empty() && session.until != "stable" {
            let until = scenario::parse_duration(&session.until)?;
            session.timeline.run_until(SimTime(until.0));
        }
        session.open_at(&scenario.cursor)?;
        Ok(session)
    }

    fn open_at(&mut self, cursor: &str) -> Result<(), ScenarioError> {
        if cursor.is_empty() {
            self.timeline.seek_events(0);
        } else if cursor.bytes().all(|b| b.is_ascii_digit()) {
            self.timeline
                .seek_events(cursor.parse().unwrap_or(usize::MAX));
        } else if cursor == "end" {
            self.timeline.seek_events(self.timeline.log().len());
        } else {
            let at = scenario::parse_duration(cursor)?;
            self.timeline.seek_time(SimTime(at.0));
        }
        Ok(())
    }

    /// The timeline of a future, the one shown or a kept one.
    pub(crate) fn timeline_of(&self, fork: u32) -> Option<&Timeline<Simulation>> {
        if fork == self.current {
            return Some(&self.timeline);
        }
        let future = self.futures.iter().find(|f| f.id == fork)?;
        Some(&future.timeline)
    }

    /// A session that stands at the end of one of the futures, without files and other futures.
    pub(crate) fn at_end_of(&self, fork: u32) -> Option<Session> {
        let timeline = self.timeline_of(fork)?;
        let mut session = Session {
            preset: self.preset.clone(),
            title: String::new(),
            cluster: self.cluster.clone(),
            expect: Vec::new(),
            until: String::new(),
            timeline: timeline.clone(),
            futures: Vec::new(),
            current: fork,
            next_fork: 0,
            next_fault: 0,
            files: Vec::new(),
            removed: None,
            previews: RefCell::default(),
            derived: RefCell::default(),
        };
        session.seek_end();
        Some(session)
    }

    /// The simulation at the cursor.
    pub fn simulation(&self) -> &Simulation {
        self.timeline.world()
    }
    /// The whole known trace.
    pub fn log(&self) -> &[TraceEvent] {
        self.timeline.log()
    }
    /// The trace up to the cursor.
    pub fn shown_log(&self) -> &[TraceEvent] {
        let log = self.timeline.log();
        &log[..self.timeline.shown().min(log.len())]
    }
    /// The clock at the cursor.
    pub fn now(&self) -> SimTime {
        self.timeline.world().cluster().now()
    }
    /// Moves the cursor to a time.
    pub fn seek_time(&mut self, at: SimTime) {
        self.timeline.seek_time(at);
    }
    /// Moves the cursor to the end of what is known.
    pub fn seek_end(&mut self) {
        let all = self.timeline.log().len();
        self.timeline.seek_events(all);
    }
    /// Runs forward as long as `goes_on` says so and the clock is not past `limit`.
    pub fn run_while(&mut self, goes_on: impl Fn(&Simulation) -> bool, limit: SimTime) {
        while self.timeline.next_time().is_some_and(|t| t <= limit) {
            self.timeline.step_entry();
            if !goes_on(self.timeline.world()) {
                break;
            }
        }
    }
    /// A hash of every trace event up to the cursor.
    pub fn log_hash(&self) -> u64 {
        self.timeline.log_hash()
    }
    /// What the scenario expects of its end.
    pub fn expectations(&self) -> &[scenario::Expectation] {
        &self.expect
    }
    /// The scenario's title.
    pub fn title(&self) -> &str {
        &self.title
    }
    /// Carries out a command at the cursor without running ahead.
    pub fn submit(&mut self, command: Command) {
        self.timeline.submit(command);
    }
    /// Runs forward for a while.
    pub fn run_for(&mut self, span: SimDuration) {
        let at = self.timeline.world().cluster().now() + span;
        self.timeline.run_until(at);
    }
    /// Runs forward until only loops are left.
    pub fn run_until_stable(&mut self) {
        let faults = !self.simulation().cluster().network().is_whole();
        self.run_ahead(faults);
    }

    /// The index over the known trace.
    pub(crate) fn index(&self) -> Ref<'_, Index> {
        self.derived.borrow_mut().index.follow(self.timeline.log());
        Ref::map(self.derived.borrow(), |d| &d.index)
    }

    /// The scheduler's receipts that were computed again, to look in or to add to.
    pub(crate) fn receipts<T>(
        &self,
        visit: impl FnOnce(&mut crate::inside_scheduler::Receipts) -> T,
    ) -> T {
        visit(&mut self.derived.borrow_mut().receipts)
    }

    /// Runs until nothing but loops has happened for a while.
    fn run_ahead(&mut self, faults: bool) {
        let quiet = if faults { QUIET_AFTER_FAULT } else { QUIET };
        let start = self.timeline.world().cluster().now();
        let first_step = self.timeline.steps();
        let mut last_of_note = start;
        loop {
            let now = self.timeline.world().cluster().now();
            let Some(next) = self.timeline.next_time() else {
                break;
            };
            let known = self.timeline.shown();
            let stable = self.timeline.world().cluster().is_stable()
                && self.timeline.world().terminals().all(|t| t.exit.is_some());
            if stable && next.since(last_of_note) > quiet {
                break;
            }
            if now.since(start) > MAX_AHEAD || self.timeline.steps() - first_step > MAX_AHEAD_STEPS
            {
                break;
            }
            self.timeline.step_entry();
            let of_note = {
                let index = self.index();
                index
                    .entries()
                    .get(known..)
                    .is_some_and(|new| new.iter().any(|e| !e.background))
            };
            if of_note {
                last_of_note = self.timeline.world().cluster().now();
            }
        }
    }

    /// Carries out a command at the cursor: keeps the future that was known, runs ahead, comes back.
    fn act(&mut self, command: Command) {
        let at = self.timeline.shown();
        let cuts = {
            let index = self.index();
            index
                .entries()
                .get(at..)
                .is_some_and(|rest| rest.iter().any(|e| !e.background))
        };
        if cuts && !self.timeline.journal().is_empty() {
            self.fork();
        }
        let faults = matches!(command, Command::Inject { .. })
            || !self.timeline.world().cluster().network().is_whole();
        let at = self.timeline.submit(command);
        self.forget_derived();
        let cursor = self.timeline.shown();
        self.timeline.run_until(at);
        self.run_ahead(faults);
        // The command itself is shown: it is the event that the person made.
        // Others that are due at the same moment come first.
        let log = self.log();
        let own = (cursor..log.len()).find(|i| {
            log.get(*i)
                .is_some_and(|e| e.code.starts_with("you.") || e.code.starts_with("fault."))
        });
        self.timeline.seek_events(own.unwrap_or(cursor) + 1);
    }

    /// Keeps what is known as a future; what follows is another one.
    #[inline(never)]
    fn fork(&mut self) {
        let kept = Future {
            id: self.current,
            timeline: self.timeline.clone(),
        };
        self.futures.push(kept);
        self.current = self.next_fork;
        self.next_fork += 1;
    }

    /// Gives commands one after the other, each when the one before has ended (waited for through so many queue
    /// entries at most), in a future of its own. The cursor goes to the first.
    #[inline(never)]
    pub(crate) fn act_in_turn(&mut self, commands: Vec<Command>, patience: u32) {
        self.fork();
        let cursor = self.timeline.shown();
        for command in commands {
            let at = self.timeline.submit(command);
            self.forget_derived();
            let from = self.timeline.shown();
            self.timeline.run_until(at);
            for _ in 0..patience {
                let since = self.log().get(from..).unwrap_or_default();
                let ended = since.iter().any(|e| e.code == "you.command_finished");
                if ended || !self.timeline.step_entry() {
                    break;
                }
            }
        }
        let faults = !self.timeline.world().cluster().network().is_whole();
        self.run_ahead(faults);
        let own = self.log().get(cursor..).unwrap_or_default();
        let own = own.iter().position(|e| e.code.starts_with("you."));
        self.timeline.seek_events(cursor + own.unwrap_or(0) + 1);
    }

    /// Finds the next (or the previous) event at which a step of this size stops.
    fn stop(&self, size: StepSize, forward: bool) -> Option<usize> {
        let index = self.index();
        let entries = index.entries();
        let at = self.timeline.shown();
        let stops = |i: &usize| {
            let entry = entries[*i];
            match size {
                StepSize::Phase => entry.phase.is_some(),
                StepSize::Action => !entry.background && entry.zoom <= Zoom::Action,
                StepSize::Call => !entry.background && entry.zoom <= Zoom::Call,
                _ => !entry.background,
            }
        };
        if forward {
            (at..entries.len()).find(stops).map(|i| i + 1)
        } else {
            (0..at.saturating_sub(1)).rev().find(stops).map(|i| i + 1)
        }
    }

    /// The scenario as it stands: everything done so far, the cursor included.
    pub fn scenario(&self) -> Scenario {
        let mut commands = Vec::new();
        let mut files: Vec<scenario::File> = self
            .files
            .iter()
            .map(|f| scenario::File {
                name: f.name.to_string(),
                text: f.text.to_string(),
            })
            .collect();
        for timed in self.timeline.journal() {
            let at = scenario::duration_text(SimDuration(timed.at.0));
            let mut step = scenario::Step {
                at,
                ..scenario::Step::default()
            };
            match &timed.command {
                Command::Kubectl(invocation) => {
                    step.kubectl = scenario::join_words(&invocation.argv);
                    for (name, text) in &invocation.files {
                        match files.iter().find(|f| f.name == *name) {
                            Some(file) if file.text == *text => {}
                            Some(_) => step.files.push(scenario::File {
                                name: name.clone(),
                                text: text.clone(),
                            }),
                            None => files.push(scenario::File {
                                name: name.clone(),
                                text: text.clone(),
                            }),
                        }
                    }
                    if !step.files.is_empty() {
                        step.files = invocation
                            .files
                            .iter()
                            .map(|(name, text)| scenario::File {
                                name: name.clone(),
                                text: text.clone(),
                            })
                            .collect();
                    }
                }
                Command::Inject { kind, name, params } => {
                    let mut words = vec![kind.to_string()];
                    for (key, value) in params.entries() {
                        words.push(format!("{key}={}", value.str_or_empty()));
                    }
                    step.fault = scenario::join_words(&words);
                    if name != kind {
                        step.name = name.to_string();
                    }
                }
                Command::Heal { name } => step.heal = name.to_string(),
            }
            commands.push(step);
        }
        let shown = self.timeline.shown();
        Scenario {
            podscope: scenario::VERSION,
            title: self.title.clone(),
            cluster: self.cluster.clone(),
            files,
            commands,
            until: self.until.clone(),
            cursor: if shown == 0 {
                String::new()
            } else {
                shown.to_string()
            },
            expect: self.expect.clone(),
        }
    }
}

fn nanos(at: SimTime) -> Nanos {
    at.0.saturating_mul(1_000)
}

impl Session {
    #[inline(never)]
    fn fresh_timeline(&self) -> Rc<TimelineView> {
        let mut view = crate::timeline_view::view(self);
        let mut forks: Vec<ForkView> = Vec::new();
        let fork = |id, timeline: &Timeline<Simulation>, other: &Timeline<Simulation>| {
            let at = crate::compare::parting(timeline, other);
            let before = self.log().partition_point(|event| event.at < at);
            ForkView {
                id,
                parts_at: EventIndex::try_from(before).unwrap_or(EventIndex::MAX),
                at: nanos(at),
                name: crate::compare::started(timeline, other),
                current: id == self.current,
            }
        };
        for future in &self.futures {
            forks.push(fork(future.id, &future.timeline, &self.timeline));
        }
        if let Some(other) = self.futures.last() {
            forks.push(fork(self.current, &self.timeline, &other.timeline));
            podscope_api::sort::by_key(&mut forks, |f| f.id);
        }
        view.forks = forks.into();
        Rc::new(view)
    }

    /// The trace was cut or exchanged: what was computed from it is computed anew.
    fn forget_derived(&self) {
        *self.derived.borrow_mut() = Derived::default();
    }

    /// The command that injects a fault, and its name for forks.
    ///
    /// # Errors
    /// An unknown kind or parameter, a number out of range.
    fn injection(
        &self,
        kind: &str,
        target: &str,
        params: &[(&str, &str)],
    ) -> Result<Command, Refused> {
        let params = crate::faults::params(kind, target, params)?;
        let name: Rc<str> = format!("{kind}-{}", self.next_fault).into();
        let kind = kind.into();
        Ok(Command::Inject { kind, name, params })
    }

    #[inline(never)]
    fn of_lesson(lesson: &Lesson) -> Result<Session, ScenarioError> {
        let text = podscope_lesson::preset(&lesson.scenario).unwrap_or_default();
        let mut scenario = Scenario::parse(text)?;
        if lesson.by_hand {
            scenario.commands.clear();
            scenario.until.clear();
        }
        scenario.cursor.clear();
        let mut session = Session::from_scenario(&scenario)?;
        session.preset = lesson.scenario.as_str().into();
        Ok(session)
    }

    fn stop_from(&self, known: usize) -> Option<usize> {
        let index = self.index();
        let entries = index.entries();
        (known..entries.len())
            .find(|i| !entries[*i].background)
            .map(|i| i + 1)
    }
}
