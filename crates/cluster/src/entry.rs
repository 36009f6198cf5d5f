//! Entries of the queue: everything that can be due.

use crate::apiserver::Stage;
use crate::client::informer::WatchId;
use crate::component::{ComponentId, Process};
use crate::node::Local;
use crate::trace::{RequestId, TraceId};
use podscope_api::{Key, Object, Request, Response, Text};
use std::rc::Rc;

/// A timer of a component.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timer {
    /// What it is for: a stable code such as `kubelet.lease`.
    pub code: &'static str,
    /// The object that it is for; empty when for none.
    pub key: Key,
    /// Whether it is a deadline that a person waits for (shown, and where "next deadline" stops).
    pub deadline: bool,
}

impl Timer {
    /// A timer of the component's own housekeeping.
    pub fn internal(code: &'static str) -> Timer {
        Timer {
            code,
            key: Key::new("", ""),
            deadline: false,
        }
    }
    /// A housekeeping timer for an object.
    pub fn keyed(code: &'static str, key: Key) -> Timer {
        Timer {
            code,
            key,
            deadline: false,
        }
    }
    /// A deadline for an object.
    pub fn deadline(code: &'static str, key: Key) -> Timer {
        Timer {
            code,
            key,
            deadline: true,
        }
    }
}

/// What kind of change a watch event tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WatchType {
    /// The object came into the watcher's sight.
    Added,
    /// The object changed.
    Modified,
    /// The object went out of the watcher's sight.
    Deleted,
}

impl WatchType {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            WatchType::Added => "ADDED",
            WatchType::Modified => "MODIFIED",
            WatchType::Deleted => "DELETED",
        }
    }
}

/// One event of a watch stream.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WatchEvent {
    /// What happened.
    pub kind: WatchType,
    /// The object, after the change (before it, when deleted).
    pub object: Rc<Object>,
    /// The revision of the change.
    pub revision: u64,
}

/// Something that is due at a time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "fields are named for what they are")]
pub enum Entry {
    /// A client puts a request on the wire.
    Send {
        from: ComponentId,
        id: RequestId,
        request: Rc<Request>,
        cause: Option<TraceId>,
    },
    /// A request reaches the API server.
    Arrive {
        from: ComponentId,
        id: RequestId,
        request: Rc<Request>,
        cause: Option<TraceId>,
    },
    /// A request goes on to its next stage inside the API server.
    Stage { id: RequestId, stage: Stage },
    /// An answer reaches its client.
    Response {
        to: ComponentId,
        id: RequestId,
        response: Rc<Response>,
        cause: Option<TraceId>,
    },
    /// A watch event reaches its watcher.
    Watch {
        to: Process,
        watch: WatchId,
        event: Rc<WatchEvent>,
        cause: Option<TraceId>,
    },
    /// A reflector tries to open its watch (or to list) again.
    Reconnect { to: Process, watch: WatchId },
    /// A timer fires.
    Timer {
        to: ComponentId,
        timer: Timer,
        cause: Option<TraceId>,
    },
    /// A message between components of one machine.
    Local {
        to: ComponentId,
        message: Local,
        cause: Option<TraceId>,
    },
    /// A fault that was set to a time, or its own end, takes effect.
    Fault { name: Text, cause: Option<TraceId> },
}

impl Entry {
    /// The machine on which this entry is to be handled, if it is a machine's.
    pub fn machine(&self) -> Option<u16> {
        match self {
            Entry::Send { from, .. } => from.machine(),
            Entry::Response { to, .. } | Entry::Timer { to, .. } | Entry::Local { to, .. } => {
                to.machine()
            }
            Entry::Watch { to, .. } | Entry::Reconnect { to, .. } => to.machine(),
            Entry::Arrive { .. } | Entry::Stage { .. } | Entry::Fault { .. } => None,
        }
    }
}
