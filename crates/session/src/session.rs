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
            let kept = Future {
                id: self.current,
                timeline: self.timeline.clone(),
            };
            self.futures.push(kept);
            self.current = self.next_fork;
            self.next_fork += 1;
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

impl SessionApi for Session {
    fn preset(&self) -> Rc<str> {
        self.preset.clone()
    }

    fn presets(&self) -> &[PresetView] {
        crate::presets::views()
    }

    fn files(&self) -> Rc<[FileView]> {
        self.files
            .iter()
            .map(|f| FileView {
                name: f.name.clone(),
                text: f.text.clone(),
                applied: f.applied.as_ref() == Some(&f.text),
                diagnostics: f.diagnostics.clone(),
            })
            .collect()
    }

    fn edit(&mut self, file: &str, text: &str) -> Rc<Diagnostics> {
        let diagnostics = Rc::new(crate::diagnose::diagnose(self, text));
        let full = self.files.len() >= MAX_FILES;
        let text: Rc<str> = if text.len() > crate::diagnose::MAX_BYTES {
            "".into()
        } else {
            text.into()
        };
        match self.files.iter_mut().find(|f| *f.name == *file) {
            Some(f) => {
                if !text.is_empty() || diagnostics.items.is_empty() {
                    f.text = text;
                }
                f.diagnostics = diagnostics.clone();
            }
            None if !full => self.files.push(File {
                name: file.into(),
                text,
                applied: None,
                diagnostics: diagnostics.clone(),
            }),
            None => {}
        }
        diagnostics
    }

    #[inline(never)]
    fn retype(&mut self, file: &str, text: &str) {
        let short = text.len() <= crate::diagnose::MAX_BYTES;
        if let Some(f) = self.files.iter_mut().find(|f| short && *f.name == *file) {
            f.text = text.into();
        }
    }

    #[inline(never)]
    fn warm(&self, text: &str, cursor: u32) {
        crate::previews::warm(self, text, cursor);
    }

    #[inline(never)]
    fn remove_file(&mut self, file: &str) {
        if let Some(at) = self.files.iter().position(|f| *f.name == *file) {
            self.removed = Some((at, self.files.remove(at)));
        }
    }

    #[inline(never)]
    fn restore_file(&mut self) -> Option<usize> {
        let (at, file) = self.removed.take()?;
        if self.files.iter().any(|f| f.name == file.name) || self.files.len() >= MAX_FILES {
            self.removed = Some((at, file));
            return None;
        }
        let at = at.min(self.files.len());
        self.files.insert(at, file);
        Some(at)
    }

    #[inline(never)]
    fn rename_file(&mut self, file: &str, name: &str) -> Result<(), Refused> {
        let name = name.trim();
        let long = name.chars().count() > MAX_NAME;
        if name.is_empty() || long || name.contains(['/', '\\', '\n']) {
            return Err(Msg::plain("refused.file-name"));
        }
        if *file != *name && self.files.iter().any(|f| *f.name == *name) {
            return Err(Msg::new(
                "refused.file-twice",
                vec![("file", Arg::Text(name.into()))],
            ));
        }
        if let Some(f) = self.files.iter_mut().find(|f| *f.name == *file) {
            f.name = name.into();
        }
        Ok(())
    }

    #[inline(never)]
    fn suggest(&self, text: &str, cursor: u32) -> SuggestView {
        crate::suggest::suggest(self, text, cursor)
    }

    #[inline(never)]
    fn field(&self, text: &str, cursor: u32, child: Option<&str>) -> Option<FieldView> {
        crate::suggest::field(text, cursor, child)
    }

    #[inline(never)]
    fn changes(&self, text: &str) -> Rc<[ObjectChange]> {
        crate::changes::changes(self, text)
    }

    #[inline(never)]
    fn apply_all(&mut self) -> Result<(), Refused> {
        if self.files.is_empty() {
            return Err(Msg::plain("refused.empty-command"));
        }
        let mut argv: Vec<String> = vec!["apply".into()];
        let mut files = Vec::new();
        for file in self.files.iter_mut().filter(|f| !f.text.trim().is_empty()) {
            file.applied = Some(file.text.clone());
            argv.extend(["-f".to_string(), file.name.to_string()]);
            files.push((file.name.to_string(), file.text.to_string()));
        }
        let invocation = Invocation {
            argv,
            files,
            stdin: String::new(),
        };
        self.act(Command::Kubectl(Rc::new(invocation)));
        Ok(())
    }

    #[inline(never)]
    fn apply(&mut self, file: &str) -> Result<(), Refused> {
        let Some(found) = self.files.iter_mut().find(|f| *f.name == *file) else {
            return Err(Msg::new(
                "refused.no-file",
                vec![("file", Arg::Text(file.into()))],
            ));
        };
        found.applied = Some(found.text.clone());
        let invocation = Invocation {
            argv: vec!["apply".into(), "-f".into(), file.into()],
            files: vec![(file.into(), found.text.to_string())],
            stdin: String::new(),
        };
        self.act(Command::Kubectl(Rc::new(invocation)));
        Ok(())
    }

    #[inline(never)]
    fn kubectl(&mut self, argv: &[&str]) -> Result<(), Refused> {
        if argv.is_empty() {
            return Err(Msg::plain("refused.empty-command"));
        }
        let files = self
            .files
            .iter()
            .map(|f| (f.name.to_string(), f.text.to_string()))
            .collect();
        let argv: Vec<String> = argv.iter().map(|w| (*w).to_string()).collect();
        let invocation = Invocation {
            argv,
            files,
            stdin: String::new(),
        };
        self.act(Command::Kubectl(Rc::new(invocation)));
        Ok(())
    }

    #[inline(never)]
    fn terminal(&self) -> Rc<[TerminalEntry]> {
        let shown = self.timeline.shown();
        let mut entries = Vec::new();
        let commands = self.log()[..shown]
            .iter()
            .enumerate()
            .filter(|(_, e)| e.code == crate::simulation::COMMAND);
        for ((i, event), terminal) in commands.zip(self.simulation().terminals()) {
            let mut output = terminal.stdout.to_string();
            output.push_str(&terminal.stderr);
            entries.push(TerminalEntry {
                command: event.arg("command").str_or_empty().into(),
                at: nanos(event.at),
                event: EventIndex::try_from(i + 1).unwrap_or(EventIndex::MAX),
                output: output.into(),
                exit: terminal.exit.map(i32::from),
            });
        }
        entries.into()
    }

    #[inline(never)]
    fn complete(&self, line: &str) -> Vec<Rc<str>> {
        crate::complete::complete(self, line)
    }

    fn fault_kinds(&self) -> Rc<[FaultKindView]> {
        crate::faults::kinds(self)
    }

    #[inline(never)]
    fn fault(&mut self, kind: &str, target: &str, params: &[(&str, &str)]) -> Result<(), Refused> {
        let command = self.injection(kind, target, params)?;
        if let Some(refused) = crate::faults::refusal(self, &command) {
            return Err(refused);
        }
        self.next_fault += 1;
        self.act(command);
        Ok(())
    }

    #[inline(never)]
    fn fault_later(
        &mut self,
        kind: &str,
        target: &str,
        params: &[(&str, &str)],
        after: Nanos,
    ) -> Result<(), Refused> {
        let command = self.injection(kind, target, params)?;
        let shown = self.timeline.shown();
        let after = (after / 1_000).min(MAX_AHEAD.0);
        let at = SimTime(self.now().0.saturating_add(after));
        self.timeline.run_until(at);
        let refused = crate::faults::refusal(self, &command);
        if refused.is_none() {
            self.next_fault += 1;
            self.act(command);
        }
        self.timeline.seek_events(shown);
        refused.map_or(Ok(()), Err)
    }

    #[inline(never)]
    fn faults(&self) -> Vec<FaultDetail> {
        crate::faults::detail(self)
    }

    #[inline(never)]
    fn heal(&mut self, fault: u32) -> Result<(), Refused> {
        let Some(name) = crate::faults::name_of(self, fault) else {
            return Err(Msg::plain("refused.no-fault"));
        };
        self.act(Command::Heal { name });
        Ok(())
    }

    #[inline(never)]
    fn step(&mut self, size: StepSize) -> bool {
        let before = self.timeline.position();
        match size {
            StepSize::For(span) => {
                let at = SimTime(before.at.0.saturating_add(span / 1_000));
                self.timeline.run_until(at);
            }
            StepSize::NextDeadline => {
                // At the last deadline there is still what follows from it.
                match crate::deadlines::next(self) {
                    Some(at) => self.timeline.run_until(at),
                    None => return self.step(StepSize::Action),
                };
            }
            StepSize::UntilStable => {
                let faults = !self.simulation().cluster().network().is_whole();
                self.run_ahead(faults);
            }
            _ => match self.stop(size, true) {
                Some(events) => self.timeline.seek_events(events),
                None => {
                    // Beyond what is known: go on to the next event of note, within bounds.
                    for _ in 0..20_000 {
                        let known = self.timeline.shown();
                        if !self.timeline.step_entry() {
                            break;
                        }
                        if let Some(events) = self.stop_from(known) {
                            self.timeline.seek_events(events);
                            break;
                        }
                    }
                }
            },
        }
        self.timeline.position() != before
    }

    fn back(&mut self, size: StepSize) -> bool {
        let before = self.timeline.position();
        match size {
            StepSize::For(span) => {
                let at = SimTime(before.at.0.saturating_sub(span / 1_000));
                self.timeline.seek_time(at);
            }
            _ => self
                .timeline
                .seek_events(self.stop(size, false).unwrap_or(0)),
        }
        self.timeline.position() != before
    }

    fn seek(&mut self, to: Seek) {
        match to {
            Seek::Event(event) => self.timeline.seek_events(event as usize),
            Seek::Time(at) => self.timeline.seek_time(SimTime(at / 1_000)),
        }
    }

    #[inline(never)]
    fn switch(&mut self, fork: u32) -> Result<(), Refused> {
        let Some(place) = self.futures.iter().position(|f| f.id == fork) else {
            return Err(Msg::plain("refused.no-fork"));
        };
        let mut future = self.futures.remove(place);
        std::mem::swap(&mut self.timeline, &mut future.timeline);
        std::mem::swap(&mut self.current, &mut future.id);
        self.futures.push(future);
        self.forget_derived();
        Ok(())
    }

    fn view(&self) -> Rc<ClusterView> {
        Rc::new(crate::cluster_view::view(self))
    }

    fn timeline(&self) -> Rc<TimelineView> {
        let machines = self.timeline.world().cluster().nodes().len();
        let key = (self.log().len(), self.current, self.futures.len(), machines);
        if let Some((made_from, view)) = &self.derived.borrow().timeline
            && *made_from == key
        {
            return view.clone();
        }
        let view = self.fresh_timeline();
        self.derived.borrow_mut().timeline = Some((key, view.clone()));
        view
    }

    #[inline(never)]
    fn explain(&self, event: EventIndex) -> Option<Rc<ExplainView>> {
        crate::explain::explain(self, event).map(Rc::new)
    }

    #[inline(never)]
    fn inside(&self, target: &Target) -> Rc<InsideView> {
        Rc::new(crate::inside::inside(self, target))
    }

    #[inline(never)]
    fn objects(&self) -> Rc<[TableView]> {
        crate::objects::tables(self)
    }

    #[inline(never)]
    fn object(
        &self,
        object: &ObjectRef,
        revision: Option<u64>,
        against: Option<u64>,
    ) -> Option<Rc<ObjectView>> {
        crate::objects::object(self, object, revision, against).map(Rc::new)
    }

    #[inline(never)]
    fn events(&self) -> Rc<[KubeEventView]> {
        crate::objects::events(self)
    }

    #[inline(never)]
    fn etcd_keys(&self) -> Rc<[EtcdKeyView]> {
        crate::objects::etcd_keys(self)
    }

    #[inline(never)]
    fn etcd(&self) -> EtcdOverview {
        crate::glance::etcd(self)
    }

    #[inline(never)]
    fn tree(&self) -> Rc<[TreeRow]> {
        crate::tree::rows(self)
    }

    #[inline(never)]
    fn queues(&self) -> SchedulerQueues {
        crate::glance::scheduler(self)
    }

    #[inline(never)]
    fn node(&self, name: &str) -> Option<NodeDetail> {
        crate::glance::node(self, name)
    }

    #[inline(never)]
    fn network(&self, node: &str) -> NetworkView {
        crate::network::view(self, node)
    }

    #[inline(never)]
    fn request(&self, from: &RequestFrom, to: &str, draw: u32) -> RequestView {
        crate::network::request(self, from, to, draw)
    }

    #[inline(never)]
    fn log_find(&self, filter: &LogFilter) -> Rc<[EventIndex]> {
        // Taken out meanwhile: the search reads the index, which is kept beside it.
        let mut found = std::mem::take(&mut self.derived.borrow_mut().found);
        let events = crate::logbook::find(self, filter, &mut found);
        self.derived.borrow_mut().found = found;
        events
    }

    #[inline(never)]
    fn log_rows(&self, events: &[EventIndex]) -> Vec<LogRow> {
        crate::logbook::rows(self, events)
    }

    #[inline(never)]
    fn lesson(&self, lesson: &Lesson, step: usize) -> Option<LessonView> {
        crate::lesson_view::view(self, lesson, step)
    }

    #[inline(never)]
    fn show_lesson(&mut self, lesson: &Lesson, step: usize) -> Result<(), Refused> {
        crate::lesson_view::show(self, lesson, step)
    }

    #[inline(never)]
    fn target(&self, name: &str) -> Option<Target> {
        crate::lesson_view::target(self, name)
    }

    #[inline(never)]
    fn find_event(&self, code: &str) -> Option<EventIndex> {
        let log = self.log();
        let shown = self.timeline.shown().min(log.len());
        let find = |part: &[TraceEvent]| part.iter().position(|e| e.code == code);
        let at = find(&log[shown..]).map(|i| i + shown);
        let at = at.or_else(|| find(&log[..shown]))?;
        EventIndex::try_from(at + 1).ok()
    }

    #[inline(never)]
    fn share(&self) -> String {
        crate::share::fragment(self)
    }

    fn export_scenario(&self) -> String {
        self.scenario().to_yaml()
    }

    fn transcript(&self) -> String {
        crate::transcript::of(self)
    }
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
