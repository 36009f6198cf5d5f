//! A machine: kubelet, container runtime, network and kube-proxy. Only these talk to each other directly.
//!
//! The kubelet calls the runtime by messages that take time ([`Local`]); listing what runs on the
//! machine (the kubelet's relist) reads the runtime's state.

pub mod admission;
pub mod backoff;
pub mod cgroup;
pub mod eviction;
pub mod kubelet;
pub mod phase;
pub mod proxy;
pub mod resources;
pub mod route;
pub mod runtime;
pub mod sha256;

#[cfg(test)]
mod recorded_tests;
#[cfg(test)]
pub(crate) mod tests;

use crate::client::informer::{CacheEvent, Caches};
use crate::component::ComponentId;
use crate::config::NodeConfig;
use crate::entry::Timer;
use crate::sim::Ctx;
use crate::trace::RequestId;
use kubelet::Kubelet;
pub use kubelet::worker::Mode;
use podscope_api::{Object, Response, Text, Value, value};
use proxy::KubeProxy;
use runtime::Runtime;
use std::rc::Rc;

/// The owner reference of a Node's Lease.
pub(crate) fn lease_owner(node: &Object) -> Value {
    value!({
        "apiVersion": "v1", "kind": "Node", "name": (node.key().name), "uid": (node.uid())
    })
}

/// A call of the container runtime interface, as far as it takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cri {
    /// Makes the Pod's namespaces, its network and the pause container.
    RunPodSandbox,
    /// Fetches an image.
    PullImage,
    /// Prepares a container.
    CreateContainer,
    /// Starts a container's process.
    StartContainer,
    /// Asks a container's process to end, and kills it after a while.
    StopContainer,
    /// Ends the pause container and takes the network away.
    StopPodSandbox,
}

impl Cri {
    /// The name in the protocol.
    pub fn name(self) -> &'static str {
        match self {
            Cri::RunPodSandbox => "RunPodSandbox",
            Cri::PullImage => "PullImage",
            Cri::CreateContainer => "CreateContainer",
            Cri::StartContainer => "StartContainer",
            Cri::StopContainer => "StopContainer",
            Cri::StopPodSandbox => "StopPodSandbox",
        }
    }
}

/// A call on its way: which, for which Pod and container.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Call {
    /// Which call.
    pub what: Cri,
    /// The Pod as the kubelet knows it.
    pub pod: Rc<Object>,
    /// The container's place: init containers first, then app containers.
    pub slot: u8,
    /// How often this sandbox or container was made before.
    pub attempt: u32,
    /// Seconds to wait before SIGKILL.
    pub grace_s: i64,
}

/// A message between components of one machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Local {
    /// The kubelet calls the runtime.
    Call(Call),
    /// A call inside the runtime goes on with its next stage.
    Stage(Call, u8),
    /// The runtime's answer to the kubelet; the error is empty when all went well.
    Done(Call, Text),
    /// The kubelet looks at what runs (PLEG) and finds this Pod changed.
    Relist(Rc<Object>),
}

impl Local {
    /// What it is, as a stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Local::Call(_) => "cri.call",
            Local::Stage(..) => "runtime.stage",
            Local::Done(..) => "cri.answer",
            Local::Relist(_) => "kubelet.relist",
        }
    }
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

/// A machine. Its parts are shared, so that copying a cluster costs little.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// Its number.
    pub id: u16,
    /// Its configuration.
    pub config: Rc<NodeConfig>,
    kubelet: Rc<Kubelet>,
    runtime: Rc<Runtime>,
    proxy: Rc<KubeProxy>,
}

impl Node {
    /// A machine that has just been set up.
    pub fn new(id: u16, config: Rc<NodeConfig>) -> Node {
        Node {
            id,
            kubelet: Rc::new(Kubelet::new(id, config.clone())),
            runtime: Rc::new(Runtime::new(id, &config)),
            proxy: Rc::new(KubeProxy::new(id)),
            config,
        }
    }
    /// The kubelet's state.
    pub fn kubelet(&self) -> &Kubelet {
        &self.kubelet
    }
    /// The container runtime's state.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }
    /// kube-proxy's state.
    pub fn proxy(&self) -> &KubeProxy {
        &self.proxy
    }
    /// The power goes off: processes are gone without a word, what is on the disk stays.
    pub(crate) fn lose_power(&mut self) {
        Rc::make_mut(&mut self.runtime).lose_power();
        self.kubelet = Rc::new(Kubelet::new(self.id, self.config.clone()));
        self.proxy = Rc::new(KubeProxy::new(self.id));
    }
    /// The kubelet's process is gone with all it knew; containers run on.
    pub(crate) fn lose_kubelet(&mut self) {
        self.kubelet = Rc::new(Kubelet::new(self.id, self.config.clone()));
    }
    /// For faults: the runtime and the kubelet, to be changed.
    pub(crate) fn parts_mut(&mut self) -> (&mut Kubelet, &mut Runtime) {
        (
            Rc::make_mut(&mut self.kubelet),
            Rc::make_mut(&mut self.runtime),
        )
    }
    /// One of its components is woken.
    ///
    /// `caches` are those of the process that `to` runs in (the kubelet's also for the runtime).
    pub fn on(&mut self, to: ComponentId, input: Input<'_>, caches: &Caches, ctx: &mut Ctx<'_>) {
        if ctx.sim.network.powered_off.contains(&self.id) {
            return;
        }
        match to {
            ComponentId::Kubelet(_) => {
                if ctx.sim.network.kubelet_down.contains(&self.id) {
                    return;
                }
                let runtime = Rc::make_mut(&mut self.runtime);
                Rc::make_mut(&mut self.kubelet).on(input, runtime, caches, ctx);
            }
            ComponentId::Runtime(_) => Rc::make_mut(&mut self.runtime).on(input, ctx),
            ComponentId::KubeProxy(_) if !ctx.sim.network.proxy_down.contains(&self.id) => {
                Rc::make_mut(&mut self.proxy).on(input, caches, ctx);
            }
            _ => {}
        }
    }
}
