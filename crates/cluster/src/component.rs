//! Who is who: components, the processes that hold caches, and the identities they show to the API server.

use podscope_api::Text;
use std::fmt;

macro_rules! controllers {
    ($($name:ident: $text:literal;)*) => {
        /// A controller inside kube-controller-manager.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ControllerId { $(#[doc = $text] $name,)* }

        impl ControllerId {
            /// Every controller.
            pub const ALL: &'static [ControllerId] = &[$(ControllerId::$name),*];
            /// Its name, also its source in Events.
            pub fn name(self) -> &'static str {
                match self { $(ControllerId::$name => $text,)* }
            }
        }
    };
}

controllers! {
    Deployment: "deployment-controller";
    ReplicaSet: "replicaset-controller";
    EndpointSlice: "endpointslice-controller";
    NodeLifecycle: "node-controller";
    TaintEviction: "taint-eviction-controller";
    PodGarbageCollector: "pod-garbage-collector";
    GarbageCollector: "generic-garbage-collector";
    ServiceAccount: "service-account-controller";
    RootCa: "root-ca-cert-publisher";
    Namespace: "namespace-controller";
    PersistentVolume: "persistent-volume-binder";
    Provisioner: "external-provisioner";
    ClaimProtection: "pvc-protection-controller";
    VolumeProtection: "pv-protection-controller";
    EphemeralVolume: "ephemeral-volume-controller";
    LeaderElection: "kube-controller-manager";
    DaemonSet: "daemon-set-controller";
    StatefulSet: "statefulset-controller";
    Job: "job-controller";
    TtlAfterFinished: "ttl-after-finished-controller";
    CronJob: "cronjob-controller";
    Disruption: "disruption-controller";
    HorizontalPodAutoscaler: "horizontal-pod-autoscaler";
    Tokens: "tokens-controller";
}

impl ControllerId {
    /// The service account that it shows: taint eviction shares the node controller's.
    pub fn account(self) -> &'static str {
        match self {
            ControllerId::TaintEviction => ControllerId::NodeLifecycle.name(),
            other => other.name(),
        }
    }
}

/// Anything that acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ComponentId {
    /// A person or a pipeline with a client such as kubectl.
    Client(u16),
    /// kube-apiserver.
    ApiServer,
    /// One member of etcd.
    Etcd(u8),
    /// A controller.
    Controller(ControllerId),
    /// kube-scheduler.
    Scheduler,
    /// The kubelet of a machine.
    Kubelet(u16),
    /// The container runtime (containerd with runc and CNI) of a machine.
    Runtime(u16),
    /// kube-proxy of a machine.
    KubeProxy(u16),
    /// The image registry.
    Registry,
    /// The hand that breaks and mends things.
    Fault,
}

/// A process that keeps informer caches and holds connections to the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Process {
    /// kube-controller-manager: all controllers share its caches.
    ControllerManager,
    /// kube-scheduler.
    Scheduler,
    /// The kubelet of a machine.
    Kubelet(u16),
    /// kube-proxy of a machine.
    KubeProxy(u16),
    /// A person's client.
    Client(u16),
}

impl ComponentId {
    /// The process that this component runs in, if it is a client of the API server.
    pub fn process(self) -> Option<Process> {
        match self {
            ComponentId::Client(n) => Some(Process::Client(n)),
            ComponentId::Controller(_) => Some(Process::ControllerManager),
            ComponentId::Scheduler => Some(Process::Scheduler),
            ComponentId::Kubelet(n) => Some(Process::Kubelet(n)),
            ComponentId::KubeProxy(n) => Some(Process::KubeProxy(n)),
            _ => None,
        }
    }
    /// The machine that it runs on, `None` for the control plane and clients.
    pub fn machine(self) -> Option<u16> {
        match self {
            ComponentId::Kubelet(n) | ComponentId::Runtime(n) | ComponentId::KubeProxy(n) => {
                Some(n)
            }
            _ => None,
        }
    }
}

impl Process {
    /// The machine that it runs on, `None` for the control plane and clients.
    pub fn machine(self) -> Option<u16> {
        match self {
            Process::Kubelet(n) | Process::KubeProxy(n) => Some(n),
            _ => None,
        }
    }
}

impl fmt::Display for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ComponentId::Client(n) => write!(f, "client-{n}"),
            ComponentId::ApiServer => f.write_str("kube-apiserver"),
            ComponentId::Etcd(n) => write!(f, "etcd-{n}"),
            ComponentId::Controller(c) => f.write_str(c.name()),
            ComponentId::Scheduler => f.write_str("kube-scheduler"),
            ComponentId::Kubelet(n) => write!(f, "kubelet-{n}"),
            ComponentId::Runtime(n) => write!(f, "runtime-{n}"),
            ComponentId::KubeProxy(n) => write!(f, "kube-proxy-{n}"),
            ComponentId::Registry => f.write_str("registry"),
            ComponentId::Fault => f.write_str("fault"),
        }
    }
}

/// Who the API server takes a client for, from its certificate or token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct User {
    /// The user name, such as `system:node:node-1`.
    pub name: Text,
    /// The groups.
    pub groups: Vec<Text>,
    /// How it proves itself.
    pub credential: Credential,
}

/// What a client shows to prove who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Credential {
    /// An X.509 client certificate: common name is the user, organizations are the groups.
    Certificate,
    /// A service account's bearer token.
    Token,
    /// Nothing.
    None,
}
