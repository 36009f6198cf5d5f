//! Plain data of the insides: requests, single calls, etcd's log, work queues, a node's workers.

use super::*;

/// A request with its answer, in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLine {
    /// The event that sent it; opening it shows the call.
    pub event: EventIndex,
    /// When it was sent.
    pub at: Nanos,
    /// How long the answer took; `None` while there is none.
    pub took: Option<Nanos>,
    /// Kind of the sender, for its glyph.
    pub kind: ComponentKind,
    /// Name of the sender.
    pub who: Text,
    /// `POST deployments nginx`.
    pub label: Text,
    /// `201 Created`, or the reason why there is no answer; empty while it is on its way.
    pub answer: Text,
    /// The answer is an error, or none came.
    pub failed: bool,
}

/// One event of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallStep {
    /// The event.
    pub event: EventIndex,
    /// When.
    pub at: Nanos,
    /// Who acts.
    pub kind: ComponentKind,
    /// What it is.
    pub msg: Msg,
    /// It is the newest one at the cursor.
    pub now: bool,
}

/// Inside one call: a request with its way through the API server, or a call on a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallInside {
    /// The event that was opened.
    pub event: EventIndex,
    /// `POST deployments nginx`, `RunPodSandbox`.
    pub label: Text,
    /// The sender: kind and name.
    pub from: (ComponentKind, Text),
    /// The receiver: kind and name.
    pub to: (ComponentKind, Text),
    /// When it began.
    pub at: Nanos,
    /// How long it took; `None` while it runs.
    pub took: Option<Nanos>,
    /// The answer in one line; empty while it runs.
    pub answer: Text,
    /// The answer is an error, or none came.
    pub failed: bool,
    /// Its events up to the cursor, at most 60.
    pub steps: Rc<[CallStep]>,
    /// Its data: what was sent, what came back.
    pub panes: Rc<[Pane]>,
}

/// An entry of etcd's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EtcdEntry {
    /// The revision that it made; 0 while it is not committed.
    pub revision: u64,
    /// The Raft term in which it was proposed.
    pub term: u64,
    /// It deletes its key.
    pub delete: bool,
    /// The key.
    pub key: Text,
    /// Numbers of the members that have said that they have it, up to the majority.
    pub acks: Rc<[u8]>,
    /// Its newest event.
    pub event: EventIndex,
    /// When that was.
    pub at: Nanos,
    /// The current step belongs to it.
    pub now: bool,
}

/// Where a key of a work queue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// It waits for a worker.
    Waiting,
    /// A worker has it.
    InHand,
    /// It is put into the queue again at this moment.
    Later(Nanos),
}

/// A key of a work queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedKey {
    /// `default/nginx`.
    pub key: Text,
    /// Where it is.
    pub place: KeyPlace,
    /// Failures in a row: each doubles the wait before the next attempt.
    pub failures: u32,
}

/// What a controller compares for one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compare {
    /// The object.
    pub object: ObjectRef,
    /// What should be.
    pub desired: Msg,
    /// What its caches show.
    pub observed: Msg,
    /// Nothing is left to do.
    pub same: bool,
    /// The current step is about it.
    pub now: bool,
}

/// An informer's cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheLine {
    /// The kind.
    pub kind: Text,
    /// How many objects it holds.
    pub objects: u32,
    /// The revision that it has heard of last.
    pub revision: u64,
    /// Its watch is open.
    pub connected: bool,
    /// A change of this kind wakes the controller.
    pub wakes: bool,
}

/// A Pod's worker in a kubelet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerLine {
    /// The Pod.
    pub pod: ObjectRef,
    /// What it is doing: `doing.sandbox` and the like, with `container` where there is one.
    pub doing: Msg,
    /// Why a container does not run, in the kubelet's words.
    pub waiting: Option<Text>,
    /// The current step is about it.
    pub now: bool,
}

/// A probe of a running container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeLine {
    /// `Startup`, `Liveness` or `Readiness`.
    pub kind: Text,
    /// The result in force; `None` before the first.
    pub ok: Option<bool>,
    /// When it runs next.
    pub next: Nanos,
}

/// An image on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullLine {
    /// Its name.
    pub image: Text,
    /// Layers: bytes, and bytes that are here.
    pub layers: Rc<[(u64, u64)]>,
    /// The event that began it.
    pub event: EventIndex,
}

/// Inside a client: the command and the requests that it made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientInside {
    /// The newest command line, without the word `kubectl`.
    pub command: Text,
    /// What it has printed.
    pub output: Text,
    /// Its exit code, `None` while it runs.
    pub exit: Option<i32>,
    /// Requests, newest first.
    pub requests: Rc<[RequestLine]>,
}
