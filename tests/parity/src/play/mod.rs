//! Plays a recording's script in the simulation.
//!
//! Commands start at the recorded times, later when a command that had ended before in the recording has
//! not ended here. Where the scheduler may take any of several equal Nodes, the recorded one is looked at
//! first, so that what follows can be compared: the step is taken back and done again.

mod waits;

use crate::normal::Names;
use crate::observe::Observer;
use crate::recording::Recording;
use crate::run::{Change, Command, Decision, Run, What, base_of};
use crate::script::{self, Line};
use crate::setup;
use podscope_api::Object;
use podscope_kernel::{SimTime, World};
use podscope_session::{Invocation, Simulation};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// How long a command may take longer than recorded before the script goes on, in microseconds.
const PATIENCE: i64 = 120_000_000;
/// How far ahead is looked for the recorded state, in microseconds: at least and at most.
const SOON: u64 = 3_000_000;
const LATE: u64 = 60_000_000;
/// The most steps of one recording.
const MAX_STEPS: u64 = 3_000_000;

/// What was played.
pub struct Played {
    /// What was seen.
    pub run: Run,
    /// Notes whose acts cannot be simulated.
    pub not_done: Vec<String>,
}

enum Item<'a> {
    Command(usize),
    Note(&'a str),
    Act(podscope_session::Command),
}

struct Running {
    command: usize,
    terminal: usize,
    waiting: Vec<Invocation>,
    line: Line,
}

/// The Pod that a command's output is about.
fn told_pod(stdout: &str) -> Option<&str> {
    let line = stdout.lines().next()?;
    let described = line.strip_prefix("Name:").map(str::trim);
    let word = line.split(' ').next().unwrap_or("");
    described.or(word.strip_prefix("pod/")).or(line
        .strip_prefix("pod \"")
        .and_then(|l| l.split('"').next()))
}

struct Player<'a> {
    names: Names,
    recording: &'a Recording,
    simulation: Simulation,
    observer: Observer,
    running: Vec<Running>,
    /// Random names seen so far, with what they were made from.
    bases: BTreeMap<String, String>,
    /// Pods that have no Node yet.
    pending: BTreeSet<String>,
    /// Simulated names with the recorded ones that they stand for.
    aliases: BTreeMap<String, String>,
    /// Names of recorded ReplicaSets by their Deployment, in order of creation.
    replica_sets: BTreeMap<String, Vec<String>>,
    /// Recorded decisions by the Pods' base name.
    wanted: BTreeMap<String, Vec<&'a Decision>>,
    /// How many decisions there were for each base name.
    made: BTreeMap<String, usize>,
    steps: u64,
    downs: setup::Downs,
    /// What is to be done to new Pods and for Pods that are gone.
    acts: Vec<podscope_session::Command>,
}

/// How many seeds are tried for a choice that cannot be steered.
const SEEDS: u64 = 24;

/// Plays it. Without a seed of the caller's it is 1. Among equal candidates for preemption the scheduler
/// draws one; where a recording has such a choice, it is the first seed with which all Pods go where they went.
pub fn play(recording: &Recording, seed: Option<u64>) -> Played {
    let preempts = |change: &Change| change.object.0.get("reason").as_str() == Some("Preempted");
    let draws = seed.is_none() && recording.run.changes.iter().any(preempts);
    let fits = |seed: u64| {
        let played = play_with(recording, seed);
        (nodes(&played.run) == nodes(&recording.run)).then_some(played)
    };
    match seed {
        None if draws => (1..=SEEDS).find_map(fits),
        _ => None,
    }
    .unwrap_or_else(|| play_with(recording, seed.unwrap_or(1)))
}

/// Names of ReplicaSets by their Deployment, in the order in which they are first seen.
fn replica_sets(run: &Run) -> BTreeMap<String, Vec<String>> {
    let mut by: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let sets = run.changes.iter().filter(|c| c.resource == "replicasets");
    for change in sets {
        if let Some(owner) = change.object.controller() {
            let names = by.entry(owner.name.to_string()).or_default();
            let name = change.object.name().to_owned();
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    by
}

/// The Nodes that Pods were given, by base name in order.
fn nodes(run: &Run) -> Vec<(String, String)> {
    let names = Names::of(run);
    let of = |d: &Decision| (names.base(&d.pod).to_owned(), d.node.clone());
    let mut nodes: Vec<(String, String)> = run.decisions.iter().map(of).collect();
    nodes.sort_by(|a, b| a.0.cmp(&b.0));
    nodes
}

fn play_with(recording: &Recording, seed: u64) -> Played {
    let names = Names::of(&recording.run);
    let mut wanted: BTreeMap<String, Vec<&Decision>> = BTreeMap::new();
    for decision in &recording.run.decisions {
        let base = names.base(&decision.pod).to_owned();
        wanted.entry(base).or_default().push(decision);
    }
    let mut config = setup::config(recording);
    config.seed = seed;
    let mut player = Player {
        names,
        recording,
        simulation: Simulation::new(config),
        observer: Observer::new(setup::LEAD),
        running: Vec::new(),
        bases: BTreeMap::new(),
        replica_sets: replica_sets(&recording.run),
        aliases: BTreeMap::new(),
        pending: BTreeSet::new(),
        wanted,
        made: BTreeMap::new(),
        steps: 0,
        downs: setup::Downs::default(),
        acts: Vec::new(),
    };
    for (before, command) in setup::before(recording) {
        player.run_until(-before);
        player.submit(&command);
    }
    player.run_until(0);
    player.observer.run = Run::default();
    player.made.clear();
    let not_done = player.script();
    player.observer.run.aliases = std::mem::take(&mut player.aliases);
    Played {
        run: player.observer.run,
        not_done,
    }
}

impl Player<'_> {
    fn now(&self) -> i64 {
        i64::try_from(self.simulation.now().0).unwrap_or(i64::MAX) - setup::LEAD
    }

    fn script(&mut self) -> Vec<String> {
        let recording = self.recording;
        let recorded = &recording.run.commands;
        let mut items: Vec<(i64, Item)> = Vec::new();
        for (i, command) in recorded.iter().enumerate() {
            items.push((command.start, Item::Command(i)));
        }
        for (at, words) in &recording.notes {
            items.push((*at, Item::Note(words)));
        }
        for (at, act) in setup::statuses(recording) {
            items.push((at, Item::Act(act)));
        }
        items.sort_by_key(|(at, _)| *at);
        for command in recorded {
            self.observer.run.commands.push(Command {
                stem: command.stem.clone(),
                line: command.line.clone(),
                ..Command::default()
            });
        }
        let (mut shift, mut not_done, mut before) = (0, Vec::new(), 0);
        for (at, item) in items {
            let ended_before = |running: &Running| recorded[running.command].end <= at;
            let limit = at + shift + PATIENCE;
            while self.running.iter().any(ended_before) && self.now() < limit && self.step(limit) {}
            shift = shift.max(self.now() - at);
            self.run_until(at + shift);
            // A script that did nothing but look for long waited for something.
            let gap = u64::try_from(at - before).unwrap_or(0);
            self.settle(at, SOON.max(gap * 2 / 5).min(LATE));
            shift = shift.max(self.now() - at);
            let looks = |i: usize| {
                let line = &recorded[i].line;
                line.starts_with("kubectl get") || line.starts_with("kubectl describe")
            };
            if !matches!(item, Item::Command(i) if looks(i)) {
                before = at;
            }
            self.observer.shift = shift;
            if let Item::Note(words) = item
                && let Some(node) = setup::stopped_kubelet(words)
            {
                self.wait_for_lease(node, at);
                shift = shift.max(self.now() - at);
                self.observer.shift = shift;
            }
            match item {
                Item::Command(i) => self.start(i),
                Item::Act(act) => self.submit(&act),
                Item::Note(words) => match setup::note(recording, words, &mut self.downs) {
                    Ok(commands) => commands.iter().for_each(|c| self.submit(c)),
                    Err(why) => not_done.push(why),
                },
            }
        }
        let end = recording.length + shift;
        self.run_until(end);
        self.settle(recording.length, LATE);
        let limit = end + PATIENCE;
        while !self.running.is_empty() && self.now() < limit && self.step(limit) {}
        not_done
    }

    fn start(&mut self, i: usize) {
        let recorded = &self.recording.run.commands[i];
        let now = self.now();
        let first_pod = told_pod(&recorded.stdout).map(|name| self.counterpart(name));
        let line = script::read(
            &recorded.line,
            &self.recording.files,
            first_pod.as_deref(),
            &|name| self.counterpart(name),
        );
        let command = &mut self.observer.run.commands[i];
        command.start = now;
        match line {
            Err(why) => command.skipped = Some(why),
            Ok(mut line) => {
                if line.beside {
                    line.timeout = Some((recorded.end - recorded.start) / 1_000_000);
                }
                let mut waiting = line.invocations.clone();
                waiting.reverse();
                let running = Running {
                    command: i,
                    terminal: usize::MAX,
                    waiting,
                    line,
                };
                self.running.push(running);
                self.look_after_commands();
            }
        }
    }

    /// The simulated Pod for a recorded one with a random name: made from the same base, on the same Node.
    fn counterpart(&self, name: &str) -> String {
        let (recorded, names) = (&self.recording.run, &self.names);
        let base = names.pod_base(name);
        if base == name || self.bases.contains_key(name) {
            return name.to_owned();
        }
        let now = self.now() - self.observer.shift;
        let mut theirs: BTreeMap<&str, &Object> = BTreeMap::new();
        for change in recorded.changes.iter().filter(|c| c.at <= now) {
            if names.base(change.object.name()) == base {
                match change.what {
                    What::Deleted => theirs.remove(change.object.name()),
                    _ => theirs.insert(change.object.name(), &change.object),
                };
            }
        }
        let pods = self.simulation.cluster().api();
        let pods = pods.cached(podscope_api::Kind::Pod);
        let ours: Vec<_> = pods
            .filter(|pod| self.bases.get(pod.name()) == Some(&base))
            .collect();
        let node = |pod: &Object| pod.spec().get("nodeName").str_or_empty().to_owned();
        let older = || recorded.changes.iter().find(|c| c.object.name() == name);
        let known = theirs.get(name).copied().or_else(|| Some(&older()?.object));
        let wanted = known.map(node).unwrap_or_default();
        let beside = theirs.values().filter(|pod| node(pod) == wanted);
        let place = beside.take_while(|pod| pod.name() != name).count();
        let there: Vec<_> = ours.iter().filter(|pod| node(pod) == wanted).collect();
        let found = there.get(place).or(there.last()).copied().or(ours.first());
        found.map_or_else(|| name.to_owned(), |pod| pod.name().to_owned())
    }

    /// Notes commands that have ended and starts what waits for them.
    fn look_after_commands(&mut self) {
        let mut i = 0;
        while i < self.running.len() {
            let now = self.now();
            let running = &mut self.running[i];
            let command = &mut self.observer.run.commands[running.command];
            if running.terminal != usize::MAX {
                let Some(terminal) = self.simulation.terminals().nth(running.terminal) else {
                    self.running.remove(i);
                    continue;
                };
                let late = running
                    .line
                    .timeout
                    .is_some_and(|t| now - command.start >= t * 1_000_000);
                if terminal.exit.is_none() && !late {
                    i += 1;
                    continue;
                }
                let killed = match running.line.beside {
                    true => self.recording.run.commands[running.command].exit,
                    false => Some(124),
                };
                command.exit = terminal.exit.map(i64::from).or(killed);
                if !running.line.quiet {
                    command.stdout.push_str(&terminal.stdout);
                }
                command.stderr.push_str(&terminal.stderr);
                command.end = now;
                if late {
                    running.waiting.clear();
                }
            }
            match running.waiting.pop() {
                Some(next) => {
                    running.terminal = self.simulation.terminals().count();
                    self.submit(&podscope_session::Command::Kubectl(Rc::new(next)));
                }
                None => {
                    self.running.remove(i);
                }
            }
        }
    }

    fn submit(&mut self, command: &podscope_session::Command) {
        let at = SimTime(self.simulation.now().0 + 1);
        let mut trace = Vec::new();
        self.simulation.command(at, command, &mut trace);
        self.saw(&trace);
    }

    fn run_until(&mut self, at: i64) {
        while self.step(at) {}
        let at = SimTime(u64::try_from(at + setup::LEAD).unwrap_or(0));
        if at > self.simulation.now() {
            self.simulation.idle_until(at);
        }
    }

    /// The next step, if it is due before the limit.
    fn step(&mut self, limit: i64) -> bool {
        let limit = SimTime(u64::try_from(limit + setup::LEAD).unwrap_or(0));
        let due = self.simulation.next_time().is_some_and(|at| at <= limit);
        if !due || self.steps >= MAX_STEPS {
            return false;
        }
        self.steps += 1;
        let before = (!self.pending.is_empty()).then(|| self.simulation.clone());
        let mut trace = Vec::new();
        self.simulation.step(&mut trace);
        let choice = trace.iter().find(|event| event.code == "scheduler.choose");
        if let Some(choice) = choice {
            let pod = choice.subject.as_ref().map(|s| s.key.name.to_string());
            let pod = pod.unwrap_or_default();
            let base = self.bases.get(&pod).cloned().unwrap_or(pod);
            let made = self.made.entry(base.clone()).or_default();
            let wanted = self.wanted.get(&base).and_then(|list| list.get(*made));
            *made += 1;
            let tied = choice.arg("tied").as_int().unwrap_or(0) > 1;
            if let (Some(wanted), Some(before), true) = (wanted, before, tied)
                && choice.arg("node").str_or_empty() != wanted.node
            {
                self.simulation = before;
                self.simulation.look_first_at(&wanted.node);
                trace.clear();
                self.simulation.step(&mut trace);
            }
        }
        self.saw(&trace);
        for act in std::mem::take(&mut self.acts) {
            self.submit(&act);
        }
        self.look_after_commands();
        true
    }

    /// A ReplicaSet whose name was not recorded stands for the next one of its Deployment that has not
    /// appeared: a template with a time in it (`rollout restart`) never hashes to the same.
    fn alias(&mut self, object: &Object) {
        let Some(owner) = object.controller().map(|owner| owner.name.to_string()) else {
            return;
        };
        let Some(names) = self.replica_sets.get_mut(&owner) else {
            return;
        };
        let place = names.iter().position(|name| name == object.name());
        let recorded = match place {
            Some(place) => names.remove(place),
            None if names.is_empty() => return,
            None => names.remove(0),
        };
        if recorded != object.name() {
            let hash = |name: &str| name.rsplit('-').next().unwrap_or("").to_owned();
            self.aliases.insert(hash(object.name()), hash(&recorded));
            self.aliases.insert(object.name().to_owned(), recorded);
        }
    }

    fn saw(&mut self, trace: &[podscope_cluster::TraceEvent]) {
        for event in trace {
            self.observer.see(event);
            let (Some(subject), podscope_cluster::Data::Change(old, new), "etcd.commit") =
                (&event.subject, &event.data, event.code)
            else {
                continue;
            };
            if let (None, Some(object), podscope_api::Kind::ReplicaSet) = (old, new, subject.kind) {
                self.alias(object);
            }
            if let Some(object) = new
                && let Some((name, base)) = base_of(object, &self.aliases)
            {
                self.bases.insert(name, base);
            }
            if subject.kind == podscope_api::Kind::Pod {
                match (old, new) {
                    (None, Some(pod)) => {
                        let acts = setup::behaviour(pod, self.downs.ready);
                        let probed =
                            podscope_api::json::to_string(pod.spec()).contains("FAKE_READY_FILE");
                        if probed {
                            let name = format!("{}/{}", pod.namespace(), pod.name());
                            self.downs.probed.push(name);
                        }
                        self.acts.extend(acts);
                    }
                    (Some(pod), None) => {
                        let name = format!("{}/{}", pod.namespace(), pod.name());
                        self.downs.probed.retain(|p| *p != name);
                        if !setup::behaviour(pod, false).is_empty() {
                            self.acts.extend(setup::forget(pod));
                        }
                    }
                    _ => {}
                }
                let name = subject.key.name.to_string();
                let waits = new
                    .as_ref()
                    .is_some_and(|pod| pod.spec().get("nodeName").is_null());
                if waits {
                    self.pending.insert(name);
                } else {
                    self.pending.remove(&name);
                }
            }
        }
    }
}
