//! What the page and the command line ask of a session, call by call.

use super::*;

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
