//! The list of components that the page draws, and their numbers.

use crate::index::component_kind;
use crate::session::Session;
use crate::view::{ComponentId as Id, ComponentKind, ComponentView};
use podscope_api::Kind;
use podscope_cluster::{ComponentId, ControllerId, Process};

/// The controllers that are drawn, in the order of the story, with their short names.
pub const CONTROLLERS: &[(ControllerId, &str)] = &[
    (ControllerId::Deployment, "Deployment"),
    (ControllerId::ReplicaSet, "ReplicaSet"),
    (ControllerId::EndpointSlice, "EndpointSlice"),
    (ControllerId::NodeLifecycle, "Node lifecycle"),
    (ControllerId::TaintEviction, "Taint eviction"),
    (ControllerId::PodGarbageCollector, "Pod GC"),
    (ControllerId::GarbageCollector, "Garbage collector"),
    (ControllerId::ServiceAccount, "ServiceAccount"),
    (ControllerId::Namespace, "Namespace"),
    (ControllerId::DaemonSet, "DaemonSet"),
    (ControllerId::StatefulSet, "StatefulSet"),
    (ControllerId::Job, "Job"),
    (ControllerId::CronJob, "CronJob"),
    (ControllerId::Disruption, "Disruption"),
    (ControllerId::HorizontalPodAutoscaler, "Autoscaler"),
];

/// The client's number.
pub const CLIENT: Id = 0;
/// The API server's number.
pub const API_SERVER: Id = 1;
/// etcd's number (its members are drawn together).
pub const ETCD: Id = 2;
const FIRST_CONTROLLER: Id = 3;
const SCHEDULER: Id = FIRST_CONTROLLER + CONTROLLERS.len() as Id;
const FIRST_NODE: Id = SCHEDULER + 1;

/// A component's number on the page.
pub fn number(id: ComponentId) -> Id {
    let node = |n: u16, part: u16| {
        FIRST_NODE
            .saturating_add(n.saturating_mul(3))
            .saturating_add(part)
    };
    match id {
        ComponentId::Client(_) | ComponentId::Fault => CLIENT,
        ComponentId::ApiServer => API_SERVER,
        ComponentId::Etcd(_) => ETCD,
        // What clears away old Jobs is drawn with what runs them.
        ComponentId::Controller(ControllerId::Tokens) => {
            number(ComponentId::Controller(ControllerId::ServiceAccount))
        }
        ComponentId::Controller(ControllerId::TtlAfterFinished) => {
            number(ComponentId::Controller(ControllerId::Job))
        }
        ComponentId::Controller(c) => CONTROLLERS
            .iter()
            .position(|(id, _)| *id == c)
            .and_then(|i| Id::try_from(i).ok())
            .map_or(FIRST_CONTROLLER + 3, |i| FIRST_CONTROLLER + i),
        ComponentId::Scheduler => SCHEDULER,
        ComponentId::Kubelet(n) => node(n, 0),
        ComponentId::Runtime(n) => node(n, 1),
        ComponentId::KubeProxy(n) => node(n, 2),
        ComponentId::Registry => CLIENT,
    }
}

/// The component behind a number.
pub fn of_number(id: Id) -> ComponentId {
    match id {
        CLIENT => ComponentId::Client(0),
        API_SERVER => ComponentId::ApiServer,
        ETCD => ComponentId::Etcd(0),
        SCHEDULER => ComponentId::Scheduler,
        id if id < SCHEDULER => CONTROLLERS
            .get(usize::from(id - FIRST_CONTROLLER))
            .map_or(ComponentId::ApiServer, |(c, _)| ComponentId::Controller(*c)),
        id => {
            let n = (id - FIRST_NODE) / 3;
            match (id - FIRST_NODE) % 3 {
                0 => ComponentId::Kubelet(n),
                1 => ComponentId::Runtime(n),
                _ => ComponentId::KubeProxy(n),
            }
        }
    }
}

/// The name of a component as a label.
pub fn name(session: &Session, id: ComponentId) -> String {
    let node = |n: u16| session.node_name(n);
    match id {
        ComponentId::Client(_) => "kubectl".into(),
        ComponentId::ApiServer => "API server".into(),
        ComponentId::Etcd(_) => "etcd".into(),
        ComponentId::Controller(c) => CONTROLLERS
            .iter()
            .find(|(id, _)| *id == c)
            .map_or(c.name(), |(_, name)| name)
            .to_string(),
        ComponentId::Scheduler => "scheduler".into(),
        ComponentId::Kubelet(n) => format!("kubelet {}", node(n)),
        ComponentId::Runtime(n) => format!("containerd {}", node(n)),
        ComponentId::KubeProxy(n) => format!("kube-proxy {}", node(n)),
        ComponentId::Registry => "registry".into(),
        ComponentId::Fault => "you".into(),
    }
}

/// All components, each at its number.
pub fn views(session: &Session) -> Vec<ComponentView> {
    let cluster = session.simulation().cluster();
    let network = cluster.network();
    let last = FIRST_NODE
        + u16::try_from(cluster.nodes().len())
            .unwrap_or(0)
            .saturating_mul(3);
    (0..last)
        .map(|id| {
            let component = of_number(id);
            let node = component.machine().map(|n| session.node_name(n).into());
            let up = match component {
                ComponentId::ApiServer => !network.apiserver_down,
                ComponentId::Etcd(_) => {
                    usize::from(cluster.etcd().members()) - network.etcd_down.len()
                        >= cluster.etcd().quorum()
                }
                ComponentId::Controller(_) => !network.controller_manager_down,
                ComponentId::Scheduler => !network.scheduler_down,
                ComponentId::Kubelet(n) => {
                    network.reaches_apiserver(Some(n)) && !network.kubelet_down.contains(&n)
                }
                ComponentId::Runtime(n) | ComponentId::KubeProxy(n) => {
                    !network.powered_off.contains(&n)
                }
                _ => true,
            };
            let drawn = match component {
                ComponentId::Controller(c) => needed(session, c),
                _ => true,
            };
            let short = match component {
                ComponentId::Kubelet(n) => session.node_name(n),
                other => name(session, other),
            };
            let kind = match component_kind(component) {
                ComponentKind::You => ComponentKind::Client,
                kind => kind,
            };
            ComponentView {
                id,
                kind,
                name: short.into(),
                node,
                doing: None,
                up,
                drawn,
            }
        })
        .collect()
}

/// Whether a controller has (or may soon have) something to do: those of few clusters' kinds need an object.
fn needed(session: &Session, id: ControllerId) -> bool {
    session
        .simulation()
        .cluster()
        .controllers()
        .queue(id)
        .is_some()
        && has_objects(session, id)
}

#[inline(never)]
fn has_objects(session: &Session, id: ControllerId) -> bool {
    let kind = match id {
        ControllerId::DaemonSet => Kind::DaemonSet,
        ControllerId::StatefulSet => Kind::StatefulSet,
        ControllerId::Job => Kind::Job,
        ControllerId::CronJob => Kind::CronJob,
        ControllerId::Disruption => Kind::PodDisruptionBudget,
        ControllerId::HorizontalPodAutoscaler => Kind::HorizontalPodAutoscaler,
        _ => return true,
    };
    let cluster = session.simulation().cluster();
    let caches = cluster.caches(Process::ControllerManager);
    caches.is_some_and(|caches| caches.list(kind).next().is_some())
}

impl Session {
    /// The name of a machine.
    pub(crate) fn node_name(&self, machine: u16) -> String {
        self.simulation()
            .cluster()
            .nodes()
            .get(usize::from(machine))
            .map_or_else(
                || format!("machine-{machine}"),
                |n| n.config.name.to_string(),
            )
    }
}
