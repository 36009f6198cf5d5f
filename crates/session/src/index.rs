//! What each trace event is for the timeline: its zoom, its lane, its mark, its phase.

use crate::view::{ComponentKind, MarkKind};
use podscope_api::{Kind, Verb};
use podscope_cluster::{ComponentId, ControllerId, Data, TraceEvent, trace::RequestId};
use podscope_kernel::collections::BTreeSet;

/// How coarse a step has to be to stop at an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Zoom {
    /// A person's command or a fault.
    Phase,
    /// A component does something that others will notice.
    Action,
    /// One request, verdict or call.
    Call,
    /// A detail of a call.
    Field,
}

/// What the timeline knows of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// How coarse a step has to be to stop here.
    pub zoom: Zoom,
    /// It belongs to a loop that never ends (leases, heartbeats): stepping passes over it.
    pub background: bool,
    /// Its mark in its actor's lane.
    pub mark: Option<MarkKind>,
    /// The phase that begins here.
    pub phase: Option<&'static str>,
}

/// The phases of a story, in the order in which they can begin.
const BIRTH: &[&str] = &[
    "phase.submit",
    "phase.api-server",
    "phase.etcd",
    "phase.deployment",
    "phase.replicaset",
    "phase.scheduler",
    "phase.kubelet",
    "phase.cri",
    "phase.status",
];
const FAULT: &[&str] = &[
    "phase.fault",
    "phase.noticed",
    "phase.evicted",
    "phase.replaced",
    "phase.rescheduled",
    "phase.restarted",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Story {
    None,
    Birth,
    Fault,
}

/// The index over a trace; follows it as it grows and can be cut.
#[derive(Clone, Debug)]
pub struct Index {
    entries: Vec<Entry>,
    background: BTreeSet<RequestId>,
    story: Story,
    reached: usize,
    started: bool,
}

impl Default for Index {
    fn default() -> Self {
        Index {
            entries: Vec::new(),
            background: BTreeSet::new(),
            story: Story::None,
            reached: 0,
            started: false,
        }
    }
}

impl Index {
    /// All entries, one per trace event.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The names of the phases that the running story may still reach.
    pub fn expected(&self) -> &'static [&'static str] {
        let all = match self.story {
            Story::None => &[],
            Story::Birth => BIRTH,
            Story::Fault => FAULT,
        };
        all.get(self.reached..).unwrap_or(&[])
    }

    /// Follows a trace: takes in what is new, starts anew when it was cut.
    pub fn follow(&mut self, log: &[TraceEvent]) {
        if log.len() < self.entries.len() {
            *self = Index::default();
        }
        for event in &log[self.entries.len()..] {
            let entry = self.classify(event);
            self.entries.push(entry);
        }
    }

    fn classify(&mut self, event: &TraceEvent) -> Entry {
        if let (Data::Request(request), "client.request", Some(id)) =
            (&event.data, event.code, event.request)
        {
            let heartbeat = request.kind == Kind::Lease
                || (request.kind == Kind::Node && matches!(event.actor, ComponentId::Kubelet(_)));
            if heartbeat {
                self.background.insert(id);
            }
        }
        let of_background = event
            .request
            .is_some_and(|id| self.background.contains(&id));
        let lease = event
            .subject
            .as_ref()
            .is_some_and(|s| s.kind == Kind::Lease);
        let background = of_background || lease || event.code.starts_with("loop.");
        Entry {
            zoom: zoom(event),
            background,
            mark: mark(event, background),
            phase: if background { None } else { self.phase(event) },
        }
    }

    fn phase(&mut self, event: &TraceEvent) -> Option<&'static str> {
        let (story, place) = match (event.code, event.actor) {
            ("you.command", _) => {
                let line = event.arg("command").str_or_empty();
                let reads = [
                    "get",
                    "describe",
                    "events",
                    "logs",
                    "explain",
                    "api-resources",
                    "version",
                ];
                if line
                    .split(' ')
                    .nth(1)
                    .is_some_and(|verb| reads.contains(&verb))
                {
                    return None;
                }
                (Story::Birth, 0)
            }
            (code, _) if code.starts_with("fault.") && !code.contains("heal") => (Story::Fault, 0),
            _ => (self.story, self.place(event)?),
        };
        if place == 0 {
            self.story = story;
            self.reached = 1;
            self.started = false;
        } else if place < self.reached {
            return None;
        } else {
            self.reached = place + 1;
        }
        match story {
            Story::Birth => BIRTH.get(place).copied(),
            Story::Fault => FAULT.get(place).copied(),
            Story::None => None,
        }
    }

    /// Where in the running story an event belongs.
    fn place(&mut self, event: &TraceEvent) -> Option<usize> {
        let decided = event.code == "client.request"
            && matches!(&event.data, Data::Request(r) if r.verb.writes() && r.kind != Kind::Event);
        match self.story {
            Story::None => None,
            Story::Birth => match event.actor {
                ComponentId::ApiServer
                    if self.reached == 1 && event.code == "apiserver.received" =>
                {
                    (event.arg("verb").str_or_empty() != "get").then_some(1)
                }
                ComponentId::ApiServer if self.reached == 2 && event.code == "etcd.propose" => {
                    Some(2)
                }
                ComponentId::Controller(ControllerId::Deployment) if decided => Some(3),
                ComponentId::Controller(ControllerId::ReplicaSet) if decided => Some(4),
                ComponentId::Scheduler if event.code != "watch.event" => Some(5),
                ComponentId::Kubelet(_) if event.code.starts_with("kubelet.") => {
                    if event.code.contains("container_started")
                        || event.code.contains("container.started")
                    {
                        self.started = true;
                    }
                    Some(6)
                }
                ComponentId::Kubelet(_) if decided && self.started => Some(8),
                ComponentId::Runtime(_) => {
                    if event.code.contains("start") {
                        self.started = true;
                    }
                    Some(7)
                }
                _ => None,
            },
            Story::Fault => match event.actor {
                ComponentId::Controller(ControllerId::NodeLifecycle) if decided => Some(1),
                ComponentId::Controller(ControllerId::TaintEviction) if decided => Some(2),
                ComponentId::Controller(ControllerId::ReplicaSet)
                    if decided
                        && matches!(&event.data, Data::Request(r) if r.verb == Verb::Create) =>
                {
                    Some(3)
                }
                ComponentId::Scheduler if self.reached == 4 && event.code != "watch.event" => {
                    Some(4)
                }
                ComponentId::Runtime(_) if self.reached == 5 => Some(5),
                _ => None,
            },
        }
    }
}

fn zoom(event: &TraceEvent) -> Zoom {
    let group = event.code.split('.').next().unwrap_or("");
    match (group, event.code) {
        ("you" | "fault", _) => Zoom::Phase,
        (_, "client.request") => match &event.data {
            Data::Request(r) if r.verb.writes() => Zoom::Action,
            _ => Zoom::Call,
        },
        (_, "etcd.ack" | "apiserver.priority" | "controller.reconcile") => Zoom::Field,
        ("apiserver" | "etcd" | "client" | "watch", _) => Zoom::Call,
        _ => Zoom::Action,
    }
}

fn mark(event: &TraceEvent, background: bool) -> Option<MarkKind> {
    match event.code {
        "you.command" => return Some(MarkKind::You),
        code if code.starts_with("fault.") => return Some(MarkKind::Fault),
        "client.response" => {
            return (event.arg("code").as_int() == Some(409)).then_some(MarkKind::Conflict);
        }
        "client.request" => {}
        code if ["cri.", "cni.", "runc."]
            .iter()
            .any(|p| code.starts_with(p)) =>
        {
            return Some(MarkKind::Call);
        }
        _ => return None,
    }
    let Data::Request(request) = &event.data else {
        return None;
    };
    Some(match (request.verb, request.kind, &*request.subresource) {
        (_, Kind::Lease, _) => MarkKind::Lease,
        _ if background => MarkKind::Lease,
        (Verb::Get | Verb::List | Verb::Watch, _, _) => MarkKind::Read,
        (Verb::Create, _, "binding") => MarkKind::Bind,
        (Verb::Create | Verb::Patch, Kind::Event, _) => MarkKind::Event,
        (Verb::Create, _, "") => MarkKind::Create,
        (Verb::Delete | Verb::DeleteCollection, _, _) | (Verb::Create, _, "eviction") => {
            MarkKind::Delete
        }
        (Verb::Create, _, _) => MarkKind::Read,
        (_, _, "status") => MarkKind::Status,
        _ => MarkKind::Update,
    })
}

/// The kind of a component, which decides its shape and hue.
pub fn component_kind(id: ComponentId) -> ComponentKind {
    match id {
        ComponentId::Client(_) => ComponentKind::Client,
        ComponentId::ApiServer => ComponentKind::ApiServer,
        ComponentId::Etcd(_) => ComponentKind::Etcd,
        ComponentId::Controller(_) => ComponentKind::Controller,
        ComponentId::Scheduler => ComponentKind::Scheduler,
        ComponentId::Kubelet(_) => ComponentKind::Kubelet,
        ComponentId::Runtime(_) | ComponentId::Registry => ComponentKind::Runtime,
        ComponentId::KubeProxy(_) => ComponentKind::Network,
        ComponentId::Fault => ComponentKind::You,
    }
}
