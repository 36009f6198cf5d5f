//! A machine: kubelet, container runtime, network and kube-proxy. Only these talk to each other directly.

use crate::client::informer::{CacheEvent, Caches};
use crate::component::ComponentId;
use crate::config::NodeConfig;
use crate::entry::Timer;
use crate::sim::Ctx;
use crate::trace::RequestId;
use podscope_api::{Response, Value};
use std::rc::Rc;

/// A message between components of one machine, such as a CRI call or its answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Local {
    /// What it is: a stable code.
    pub code: &'static str,
    /// Its content.
    pub data: Value,
}

/// What a component on a machine is woken by.
pub enum Input<'a> {
    /// The machine or the process has just started.
    Start,
    /// A change in its cache.
    Cache(&'a CacheEvent),
    /// An answer of the API server.
    Response(RequestId, &'a Response),
    /// A timer.
    Timer(&'a Timer),
    /// A message of another component of this machine.
    Local(&'a Local),
}

/// A machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// Its number.
    pub id: u16,
    /// Its configuration.
    pub config: Rc<NodeConfig>,
}

impl Node {
    /// A machine that has just been set up.
    pub fn new(id: u16, config: Rc<NodeConfig>) -> Node {
        Node { id, config }
    }
    /// One of its components is woken.
    ///
    /// `caches` are those of the process that `to` runs in (the kubelet's also for the runtime).
    pub fn on(
        &mut self,
        _to: ComponentId,
        _input: Input<'_>,
        _caches: &Caches,
        _ctx: &mut Ctx<'_>,
    ) {
    }
}
