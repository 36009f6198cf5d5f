//! The world of a session: the cluster and the people's kubectl commands that talk to it.

use podscope_api::{Failure, Request, Text, Timestamp, Value, Verb, value};
use podscope_cluster::{
    Cluster, ClusterConfig, Note, TraceEvent, TraceId, trace::RequestId, world,
};
use podscope_kernel::collections::BTreeMap;
use podscope_kernel::{Derived, SimDuration, SimTime, World};
use podscope_kubectl::{Call, Env, EventType, Invocation, Memory, Outcome, Received, Reply};
use std::rc::Rc;

podscope_cluster::codes! {
    /// A person enters a command.
    COMMAND = "you.command";
    /// The command has printed its last line.
    FINISHED = "you.command_finished";
    /// kubectl asks again after a while.
    POLL = "you.poll";
}

/// Everything that a person can do. This, and only this, is journalled.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// A kubectl command line with the files that it can read.
    Kubectl(Rc<Invocation>),
    /// Breaks something.
    Inject {
        /// The fault's kind.
        kind: Text,
        /// The name by which it is healed.
        name: Text,
        /// Its parameters.
        params: Value,
    },
    /// Mends what was broken under this name.
    Heal {
        /// The fault's name.
        name: Text,
    },
}

/// A kubectl command on its way, or ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Terminal {
    /// What was entered.
    pub invocation: Rc<Invocation>,
    /// When.
    pub at: SimTime,
    /// Everything printed so far on standard output.
    pub stdout: Text,
    /// Everything printed so far on standard error.
    pub stderr: Text,
    /// The exit code, once it has ended.
    pub exit: Option<u8>,
    env: Env,
    replies: Vec<Reply>,
    memory: Derived<Memory>,
    waits: Option<Waits>,
    cause: Option<TraceId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Waits {
    Answer(RequestId),
    Time(SimTime),
    Change {
        request: Request,
        seen: Rc<BTreeMap<podscope_api::Key, u64>>,
        until: Option<SimTime>,
        poll: SimTime,
    },
}

/// The cluster with the terminals of the people who use it.
#[derive(Clone, Debug, Hash)]
pub struct Simulation {
    cluster: Cluster,
    terminals: BTreeMap<u16, Terminal>,
    refused_at: Option<Text>,
}

/// The most commands of one session.
const MAX_TERMINALS: usize = 4096;
/// How often a waiting command looks for a change; stands for the delay of a watch stream.
const WATCH_DELAY: SimDuration = SimDuration::millis(2);

impl Simulation {
    /// A fresh cluster and no command.
    pub fn new(config: ClusterConfig) -> Simulation {
        Simulation {
            cluster: Cluster::new(config),
            terminals: BTreeMap::new(),
            refused_at: None,
        }
    }
    /// The cluster.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }
    /// All commands entered so far, in order.
    pub fn terminals(&self) -> impl Iterator<Item = &Terminal> {
        self.terminals.values()
    }
    /// The stage of the last refusal by the API server that this world has seen.
    pub fn last_refusal(&self) -> Option<Text> {
        self.refused_at.clone()
    }
    /// See [`Cluster::look_first_at`].
    pub fn look_first_at(&mut self, node: &str) {
        self.cluster.look_first_at(node);
    }
    /// See [`Cluster::leave_out_machines`].
    pub fn leave_out_machines(&mut self) {
        self.cluster.leave_out_machines();
    }
    /// A hash of everything.
    pub fn state_hash(&self) -> u64 {
        podscope_kernel::state_hash(self)
    }

    /// The wall clock.
    pub fn wall(&self) -> Timestamp {
        self.cluster.wall_at(self.cluster.now())
    }

    fn kubectl(&mut self, invocation: &Rc<Invocation>) {
        if self.terminals.len() >= MAX_TERMINALS {
            return;
        }
        let id = u16::try_from(self.terminals.len()).unwrap_or(u16::MAX);
        let mut line = String::from("kubectl");
        for word in &invocation.argv {
            line.push(' ');
            line.push_str(word);
        }
        let note = Note::new(COMMAND)
            .arg("command", line)
            .arg("terminal", i64::from(id));
        let cause = self.cluster.note(id, None, note);
        let env = Env {
            now: self.wall(),
            namespace: "default".into(),
            server: "127.0.0.1:6443".into(),
        };
        let terminal = Terminal {
            invocation: invocation.clone(),
            at: self.cluster.now(),
            stdout: "".into(),
            stderr: "".into(),
            exit: None,
            env,
            replies: Vec::new(),
            memory: Derived::default(),
            waits: None,
            cause: Some(cause),
        };
        self.terminals.insert(id, terminal);
        self.go_on(id);
    }

    /// Runs a command as far as its replies allow and sends what it asks for.
    fn go_on(&mut self, id: u16) {
        let Some(terminal) = self.terminals.get_mut(&id) else {
            return;
        };
        let outcome = podscope_kubectl::go_on(
            &terminal.invocation,
            &terminal.env,
            &terminal.replies,
            &mut terminal.memory,
        );
        match outcome {
            Outcome::Done {
                stdout,
                stderr,
                exit_code,
            } => {
                terminal.stdout = stdout.into();
                terminal.stderr = stderr.into();
                terminal.exit = Some(exit_code);
                terminal.waits = None;
                terminal.replies = Vec::new();
                terminal.memory = Derived::default();
                let note = Note::new(FINISHED)
                    .arg("exit", i64::from(exit_code))
                    .arg("stdout", terminal.stdout.clone())
                    .arg("stderr", terminal.stderr.clone());
                let cause = terminal.cause;
                self.cluster.note(id, cause, note);
            }
            Outcome::Need {
                call,
                stdout,
                stderr,
            } => {
                terminal.stdout = stdout.into();
                terminal.stderr = stderr.into();
                let cause = terminal.cause;
                let now = self.cluster.now();
                let waits = match call {
                    Call::Request(request) => Waits::Answer(self.cluster.send(id, request, cause)),
                    Call::Sleep { micros } => {
                        Waits::Time(now + SimDuration(u64::try_from(micros).unwrap_or(0)))
                    }
                    Call::Watch {
                        request,
                        timeout_micros,
                    } => {
                        let until = timeout_micros
                            .map(|m| now + SimDuration(u64::try_from(m).unwrap_or(0)));
                        let seen = Rc::new(self.selected(&request));
                        Waits::Change {
                            request,
                            seen,
                            until,
                            poll: now + WATCH_DELAY,
                        }
                    }
                };
                if let Some(terminal) = self.terminals.get_mut(&id) {
                    terminal.waits = Some(waits);
                }
            }
        }
    }

    /// What a watch request selects, as key → resourceVersion, from the API server's watch cache.
    #[inline(never)]
    fn selected(&self, request: &Request) -> BTreeMap<podscope_api::Key, u64> {
        let mut list = request.clone();
        list.verb = Verb::List;
        self.cluster
            .select(&list)
            .into_iter()
            .map(|o| (o.key(), o.resource_version()))
            .collect()
    }

    fn reply(&mut self, id: u16, received: Received, cause: Option<TraceId>) {
        let at = self.wall();
        if let Some(terminal) = self.terminals.get_mut(&id) {
            terminal.replies.push(Reply { at, received });
            terminal.cause = cause.or(terminal.cause);
        }
        self.go_on(id);
    }

    /// When the next waiting command wants to look again.
    fn next_wait(&self) -> Option<(SimTime, u16)> {
        self.terminals
            .iter()
            .filter_map(|(id, t)| match &t.waits {
                Some(Waits::Time(at)) => Some((*at, *id)),
                Some(Waits::Change { poll, .. }) => Some((*poll, *id)),
                _ => None,
            })
            .min()
    }

    #[inline(never)]
    fn look(&mut self, id: u16, at: SimTime) {
        self.cluster.idle_until(at);
        let Some(waits) = self.terminals.get(&id).and_then(|t| t.waits.clone()) else {
            return;
        };
        match waits {
            Waits::Time(_) => self.reply(id, Received::Elapsed, None),
            Waits::Change {
                request,
                seen,
                until,
                ..
            } => {
                let now_selected = self.selected(&request);
                let change = now_selected
                    .iter()
                    .filter(|(key, rv)| seen.get(*key) != Some(rv))
                    .min_by_key(|(_, rv)| **rv)
                    .map(|(key, _)| key.clone());
                if let Some(key) = change {
                    let kind = if seen.contains_key(&key) {
                        EventType::Modified
                    } else {
                        EventType::Added
                    };
                    if let Some(object) = self.cluster.api().cached_one(request.kind, &key).cloned()
                    {
                        return self.reply(id, Received::Event(kind, object), None);
                    }
                }
                let gone = seen
                    .keys()
                    .find(|key| !now_selected.contains_key(*key))
                    .cloned();
                if let Some(key) = gone {
                    let object =
                        value!({"metadata": {"name": (key.name), "namespace": (key.namespace)}});
                    let object = Rc::new(podscope_api::Object(object));
                    return self.reply(id, Received::Event(EventType::Deleted, object), None);
                }
                if until.is_some_and(|u| u <= at) {
                    return self.reply(id, Received::Elapsed, None);
                }
                // Nothing new: look again right after the next thing that happens.
                let next = self.cluster.next_time().unwrap_or(at).max(at) + WATCH_DELAY;
                let next = until.map_or(next, |u| next.min(u));
                if let Some(terminal) = self.terminals.get_mut(&id) {
                    terminal.waits = Some(Waits::Change {
                        request,
                        seen,
                        until,
                        poll: next,
                    });
                }
            }
            Waits::Answer(_) => {}
        }
    }

    fn deliver(&mut self) {
        for (client, request, response, cause) in self.cluster.take_answers() {
            let expected = self
                .terminals
                .get(&client)
                .is_some_and(|t| t.waits == Some(Waits::Answer(request)));
            if expected {
                let received = Received::Answer(match &*response {
                    Err(Failure::Timeout) => Err(Failure::Timeout),
                    other => other.clone(),
                });
                self.reply(client, received, cause);
            }
        }
    }
}

impl World for Simulation {
    type Command = Command;
    type Trace = TraceEvent;

    fn now(&self) -> SimTime {
        self.cluster.now()
    }

    fn next_time(&self) -> Option<SimTime> {
        let wait = self.next_wait().map(|(at, _)| at.max(self.cluster.now()));
        match (self.cluster.next_time(), wait) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    fn step(&mut self, trace: &mut Vec<TraceEvent>) {
        match (self.next_wait(), self.cluster.next_time()) {
            (Some((at, id)), next) if next.is_none_or(|n| at < n) => self.look(id, at),
            _ => {
                self.cluster.step();
                self.deliver();
            }
        }
        let mut new = self.cluster.take_trace();
        if let Some(refusal) = new.iter().rev().find(|e| e.code == "apiserver.refused") {
            self.refused_at = Some(refusal.arg("stage").str_or_empty().into());
        }
        trace.append(&mut new);
    }

    fn command(&mut self, at: SimTime, command: &Command, trace: &mut Vec<TraceEvent>) {
        self.cluster.idle_until(at);
        match command {
            Command::Kubectl(invocation) => self.kubectl(invocation),
            Command::Inject { kind, name, params } => {
                let command = world::Command::Inject {
                    kind: kind.clone(),
                    name: name.clone(),
                    params: params.clone(),
                };
                self.cluster.command(at, &command);
            }
            Command::Heal { name } => self
                .cluster
                .command(at, &world::Command::Heal { name: name.clone() }),
        }
        trace.append(&mut self.cluster.take_trace());
    }

    fn idle_until(&mut self, at: SimTime) {
        self.cluster.idle_until(at);
    }
}
