//! Plain data of the inspector: the owners' tree, the log, nodes in detail, the network, etcd and the scheduler
//! at a glance.

use crate::view::*;
use std::rc::Rc;

/// A row of the tree by owner: parents come before their children.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeRow {
    /// How deep it stands.
    pub depth: u8,
    /// The object; `None` for a container.
    pub object: Option<ObjectRef>,
    /// Its kind: `Deployment`, `Pod`, `container`.
    pub kind: Text,
    /// Its name.
    pub name: Text,
    /// Telling cells of its kubectl row with their heads: `READY 3/3`, `STATUS Running`.
    pub cells: Rc<[(Text, Text)]>,
    /// Touched by the current event.
    pub now: bool,
}

/// What of the log is shown. Empty fields leave things open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// Only of components of this kind.
    pub component: Option<ComponentKind>,
    /// Only about objects of this kind.
    pub kind: Text,
    /// Only events whose code, object or arguments contain this, whatever the case of ASCII letters.
    pub text: Text,
    /// Without the loops that never end: leases, heartbeats.
    pub quiet: bool,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRow {
    /// The event.
    pub event: EventIndex,
    /// When.
    pub at: Nanos,
    /// Kind of the actor.
    pub kind: ComponentKind,
    /// The actor.
    pub who: Text,
    /// The trace event's code, as the filter finds it.
    pub code: &'static str,
    /// The code that has its words, with arguments; `<code>.title` is its sentence.
    pub msg: Msg,
    /// What it is about.
    pub object: Option<ObjectRef>,
    /// Arguments as `name=value`, cut to a few hundred characters.
    pub detail: Text,
}

/// A process of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeProcess {
    /// Process id on the host.
    pub pid: u32,
    /// Command line.
    pub command: Text,
    /// Its Pod, `None` for the machine's own.
    pub pod: Option<ObjectRef>,
    /// Its container.
    pub container: Text,
}

/// A cgroup with its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CgroupFiles {
    /// Path below `/sys/fs/cgroup`.
    pub path: Text,
    /// Its Pod.
    pub pod: ObjectRef,
    /// File and value.
    pub files: Rc<[(Text, Text)]>,
}

/// A volume of a Pod on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeView {
    /// Its Pod.
    pub pod: ObjectRef,
    /// Name in the Pod's spec.
    pub name: Text,
    /// `kubernetes.io/projected`, …
    pub plugin: Text,
    /// What it is made from: `configmap web`, or empty.
    pub source: Text,
    /// Where containers see it: `nginx: /etc/nginx`.
    pub mounts: Rc<[Text]>,
}

/// A machine in detail. Each list is bounded at 500.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeDetail {
    /// The node.
    pub node: Text,
    /// Its address.
    pub ip: Text,
    /// Its Pods' address range.
    pub pod_cidr: Text,
    /// Processes, by pid.
    pub processes: Rc<[NodeProcess]>,
    /// Sandboxes with namespaces and the veth pair.
    pub sandboxes: Rc<[SandboxView]>,
    /// Control groups of its Pods and containers.
    pub cgroups: Rc<[CgroupFiles]>,
    /// Images.
    pub images: Rc<[ImageView]>,
    /// Volumes.
    pub volumes: Rc<[VolumeView]>,
    /// Routes as `ip route` prints them.
    pub routes: Rc<[Text]>,
}

/// A port of a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortView {
    /// Its name, may be empty.
    pub name: Text,
    /// The Service's port.
    pub port: i64,
    /// The container's port: a number or a name.
    pub target: Text,
    /// The port on every node; 0 for none.
    pub node_port: i64,
    /// `TCP` or `UDP`.
    pub protocol: Text,
}

/// An endpoint of a Service, from its EndpointSlices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointView {
    /// Address.
    pub address: Text,
    /// Ports, joined by commas.
    pub ports: Text,
    /// Its node.
    pub node: Text,
    /// Its Pod.
    pub pod: Text,
    /// Gets traffic.
    pub ready: bool,
    /// Answers, ready or ending.
    pub serving: bool,
    /// Is ending.
    pub terminating: bool,
}

/// A Service with its endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceView {
    /// The Service.
    pub object: ObjectRef,
    /// `ClusterIP`, `NodePort`, …
    pub kind: Text,
    /// Its address, `None` when it is headless.
    pub ip: Text,
    /// Ports.
    pub ports: Rc<[PortView]>,
    /// Endpoints.
    pub endpoints: Rc<[EndpointView]>,
}

/// A rule of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleView {
    /// The Service that it is for.
    pub service: ObjectRef,
    /// Its chain; those of the table filter begin with `filter:`.
    pub chain: Text,
    /// The rule as iptables prints it.
    pub rule: Text,
}

/// Services, rules of one machine, and where a request may come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkView {
    /// All machines.
    pub nodes: Rc<[Text]>,
    /// All Services.
    pub services: Rc<[ServiceView]>,
    /// Rules of the machine asked for, at most 2,000.
    pub rules: Rc<[RuleView]>,
    /// Where a request may come from.
    pub sources: Rc<[RequestFrom]>,
}

/// Where a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestFrom {
    /// A Pod.
    Pod(ObjectRef),
    /// A machine itself.
    Node(Text),
    /// Somewhere that is no part of the cluster.
    Outside,
}

/// A stop on a request's way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HopView {
    /// Who decides here.
    pub kind: ComponentKind,
    /// What happens.
    pub text: Msg,
    /// The rule as written, or empty.
    pub verbatim: Text,
}

/// A request followed to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestView {
    /// Its way.
    pub hops: Rc<[HopView]>,
    /// A container answers.
    pub ok: bool,
    /// How it ends, and why.
    pub end: Msg,
    /// What a client prints, or empty.
    pub says: Text,
}

/// etcd at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EtcdOverview {
    /// Members.
    pub members: Rc<[EtcdMemberView]>,
    /// Raft term.
    pub term: u64,
    /// How many members make a majority.
    pub quorum: u32,
    /// Newest revision.
    pub revision: u64,
    /// Watches can go on from this revision; what was before it is compacted.
    pub compacted: u64,
    /// Changes still kept.
    pub kept: u32,
}

/// A Pod in the scheduler's queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueRow {
    /// The Pod.
    pub pod: ObjectRef,
    /// `queue.active`, `queue.in-flight`, `queue.backoff`, `queue.unschedulable`.
    pub place: &'static str,
    /// Since when it is there.
    pub since: Nanos,
    /// When its back-off is over.
    pub until: Option<Nanos>,
    /// When it is tried again at the latest, although nothing that it waits for has happened.
    pub flush: Option<Nanos>,
    /// How often it was tried.
    pub attempts: u32,
    /// Plugins that rejected it: those that are asked whether a change is worth another try.
    pub rejected_by: Rc<[Text]>,
    /// The node that is kept for it, or empty.
    pub nominated: Text,
    /// What kept it from being tried at all, or empty.
    pub gate: Text,
}

/// A try of the scheduler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRow {
    /// The Pod.
    pub pod: ObjectRef,
    /// When it began.
    pub at: Nanos,
    /// Its first event.
    pub event: EventIndex,
    /// The number of this try of its Pod, from 1.
    pub attempt: u32,
    /// The node that was chosen, or empty.
    pub node: Text,
    /// Why none was chosen, verbatim, or empty.
    pub message: Text,
}

/// The scheduler's queue and its last tries, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchedulerQueues {
    /// Pods that wait, at most 300.
    pub queue: Rc<[QueueRow]>,
    /// Tries, at most 60.
    pub attempts: Rc<[AttemptRow]>,
}
