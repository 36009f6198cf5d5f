//! Which links and processes are up.

use crate::component::{ComponentId, Process};
use podscope_kernel::collections::BTreeSet;

/// The state of the network as faults have left it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Network {
    machines: u16,
    /// Machines cut off from the API server.
    pub partitioned: BTreeSet<u16>,
    /// Machines without power.
    pub powered_off: BTreeSet<u16>,
    /// Machines whose kubelet process is down.
    pub kubelet_down: BTreeSet<u16>,
    /// Whether nobody listens at the API server's address.
    pub apiserver_down: bool,
    /// Whether the registry does not answer.
    pub registry_down: bool,
    /// etcd members that are down.
    pub etcd_down: BTreeSet<u8>,
    /// Machines whose kube-proxy process is down.
    pub proxy_down: BTreeSet<u16>,
    /// Whether etcd takes no more puts because its database is full.
    pub etcd_no_space: bool,
    /// Whether the scheduler process is down.
    pub scheduler_down: bool,
    /// Whether the controller manager process is down.
    pub controller_manager_down: bool,
}

impl Network {
    /// Everything is up.
    pub fn new(machines: usize) -> Network {
        Network {
            machines: u16::try_from(machines).unwrap_or(u16::MAX),
            ..Network::default()
        }
    }
    /// Whether nothing is broken.
    pub fn is_whole(&self) -> bool {
        *self == Network::new(usize::from(self.machines))
    }
    /// How many machines there are.
    pub fn machines(&self) -> u16 {
        self.machines
    }
    /// Whether a component's process is up.
    pub fn runs(&self, component: ComponentId) -> bool {
        let powered = |m: &u16| !self.powered_off.contains(m);
        match component {
            ComponentId::Kubelet(m) => powered(&m) && !self.kubelet_down.contains(&m),
            ComponentId::Runtime(m) => powered(&m),
            ComponentId::KubeProxy(m) => powered(&m) && !self.proxy_down.contains(&m),
            ComponentId::Scheduler => !self.scheduler_down,
            ComponentId::Controller(_) => !self.controller_manager_down,
            ComponentId::ApiServer => !self.apiserver_down,
            ComponentId::Etcd(member) => !self.etcd_down.contains(&member),
            ComponentId::Registry => !self.registry_down,
            ComponentId::Client(_) | ComponentId::Fault => true,
        }
    }
    /// Whether a process is up that holds watches.
    pub fn lives(&self, process: Process) -> bool {
        match process {
            Process::Kubelet(m) => self.runs(ComponentId::Kubelet(m)),
            Process::KubeProxy(m) => self.runs(ComponentId::KubeProxy(m)),
            Process::Scheduler => !self.scheduler_down,
            Process::ControllerManager => !self.controller_manager_down,
            Process::Client(_) => true,
        }
    }
    /// Whether packets pass between a machine (`None`: the control plane) and the API server.
    pub fn reaches_apiserver(&self, machine: Option<u16>) -> bool {
        machine.is_none_or(|m| !self.partitioned.contains(&m) && !self.powered_off.contains(&m))
    }
}
