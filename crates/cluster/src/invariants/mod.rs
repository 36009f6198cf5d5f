//! Invariants: what must stay true of the cluster whatever happens, one small function each.
//!
//! They only read. A [`Checker`] looks after every step of a simulation and keeps the little history that
//! some of them need; what it finds names the invariant, the object, what should be and what is, and the
//! fault that explains it, when one does. The words stand in `content/<locale>/invariants.txt`.

mod checker;
mod history;
mod nodes;
mod objects;
mod pods;
mod rollouts;
mod services;
#[cfg(test)]
mod tests;
mod workloads;

pub use checker::{Checker, Violation};
pub(crate) use history::History;

use crate::component::ComponentId;
use crate::world::Cluster;
use podscope_api::{Key, Kind, Object, Text};
use podscope_kernel::SimTime;
use std::rc::Rc;

/// A change of the store, as rules about changes see it.
pub(crate) struct Commit<'a> {
    /// The cluster after the change.
    pub cluster: &'a Cluster,
    /// What happened before; the change itself is in it already.
    pub history: &'a History,
    /// The kind.
    pub kind: Kind,
    /// Namespace and name under which it is stored.
    pub key: &'a Key,
    /// The revision that the change made.
    pub revision: u64,
    /// When.
    pub at: SimTime,
    /// The object before; `None` when it was created.
    pub old: Option<&'a Rc<Object>>,
    /// The object after; `None` when it was removed.
    pub new: Option<&'a Rc<Object>>,
    /// Whose request it was, as far as is known.
    pub actor: Option<ComponentId>,
}

/// What is wrong: about which object, what should be and what is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The object's kind; `None` for what is no object.
    pub kind: Option<Kind>,
    /// Namespace and name, or another name.
    pub object: Text,
    /// What should be.
    pub expected: Text,
    /// What is.
    pub found: Text,
}

impl Finding {
    pub(crate) fn new(
        kind: Kind,
        key: &Key,
        expected: impl Into<Text>,
        found: impl Into<Text>,
    ) -> Finding {
        Finding {
            kind: Some(kind),
            object: key.to_string().into(),
            expected: expected.into(),
            found: found.into(),
        }
    }
}

/// When an invariant is looked at.
#[derive(Clone, Copy)]
pub(crate) enum Rule {
    /// At every change of the store.
    Change(fn(&Commit<'_>) -> Option<Finding>),
    /// After something happened in a container runtime.
    Runtime(fn(&Cluster, &mut Vec<Finding>)),
    /// Every few seconds.
    Tick(fn(&Cluster, &mut Vec<Finding>)),
    /// When nothing but loops is left to happen, everything is up and every watch is open.
    Rest(fn(&Cluster, &mut Vec<Finding>)),
}

/// A named invariant.
pub struct Invariant {
    /// `invariant.<name>`, stable: its words are `.title`, `.why`, `.broken` and, where a fault may break it
    /// legitimately, `.excuse` below this code.
    pub code: &'static str,
    /// Kinds of faults that break it legitimately; `person` stands for a forced deletion.
    pub excuses: &'static [&'static str],
    pub(crate) rule: Rule,
}

impl Invariant {
    /// Its name, such as `bound-pod-stays`.
    pub fn name(&self) -> &'static str {
        self.code.strip_prefix("invariant.").unwrap_or(self.code)
    }
    /// When it is looked at: `change`, `step`, `time` or `rest`.
    pub fn when(&self) -> &'static str {
        match self.rule {
            Rule::Change(_) => "change",
            Rule::Runtime(_) => "step",
            Rule::Tick(_) => "time",
            Rule::Rest(_) => "rest",
        }
    }
}

/// Faults after which the control plane's caches are old for a while.
const STALE: &[&str] = &[
    "apiserver-down",
    "etcd-member-down",
    "controller-manager-down",
    "etcd-quorum-loss",
    "etcd-slow",
    "etcd-no-space",
    "apiserver-overload",
    "watch-cut",
];
/// Faults after which a machine goes on without the API server.
const CUT_OFF: &[&str] = &[
    "partition",
    "kubelet-crash",
    "node-power",
    "apiserver-down",
    "zone-loss",
    "certificate-expired",
    "person",
];
/// Faults after which a Pod gets a new sandbox.
const REBOOTED: &[&str] = &[
    "node-power",
    "node-reboot",
    "zone-loss",
    "spot-termination",
    "kubelet-restart",
];
/// Faults under which nobody judges a Node's lease.
const UNJUDGED: &[&str] = &[
    "apiserver-down",
    "etcd-member-down",
    "controller-manager-down",
    "etcd-quorum-loss",
    "etcd-slow",
    "etcd-no-space",
    "apiserver-overload",
    "watch-cut",
    "clock-skew",
];

const fn change(
    code: &'static str,
    excuses: &'static [&'static str],
    rule: fn(&Commit<'_>) -> Option<Finding>,
) -> Invariant {
    let rule = Rule::Change(rule);
    Invariant {
        code,
        excuses,
        rule,
    }
}

const fn rest(code: &'static str, rule: fn(&Cluster, &mut Vec<Finding>)) -> Invariant {
    Invariant {
        code,
        excuses: &[],
        rule: Rule::Rest(rule),
    }
}

/// Every invariant.
pub const ALL: &[Invariant] = &[
    change(
        "invariant.one-object-per-name",
        &[],
        objects::one_object_per_name,
    ),
    change(
        "invariant.uids-are-given-once",
        &[],
        objects::uids_are_given_once,
    ),
    change("invariant.revisions-grow", &[], objects::revisions_grow),
    change(
        "invariant.deletion-is-final",
        &[],
        objects::deletion_is_final,
    ),
    change("invariant.finalizers-hold", &[], objects::finalizers_hold),
    change("invariant.generation-grows", &[], objects::generation_grows),
    change(
        "invariant.observed-generation-grows",
        &[],
        objects::observed_generation_grows,
    ),
    change("invariant.one-controller", &[], objects::one_controller),
    change(
        "invariant.conditions-are-unique",
        &[],
        objects::conditions_are_unique,
    ),
    change(
        "invariant.lease-has-one-holder",
        &[],
        objects::lease_has_one_holder,
    ),
    change("invariant.bound-pod-stays", &[], pods::bound_pod_stays),
    change(
        "invariant.phase-goes-forward",
        REBOOTED,
        pods::phase_goes_forward,
    ),
    change("invariant.ended-stays-ended", &[], pods::ended_stays_ended),
    change("invariant.restarts-count-up", &[], pods::restarts_count_up),
    change(
        "invariant.node-has-room",
        &["node-power"],
        nodes::node_has_room,
    ),
    change("invariant.rollout-surge", STALE, rollouts::surge),
    change("invariant.rollout-available", STALE, rollouts::available),
    change("invariant.statefulset-in-order", STALE, workloads::in_order),
    change("invariant.statefulset-ordinals", &[], workloads::ordinals),
    change(
        "invariant.job-stays-finished",
        &[],
        workloads::job_stays_finished,
    ),
    change("invariant.job-counts-grow", &[], workloads::job_counts_grow),
    Invariant {
        code: "invariant.pod-runs-once",
        excuses: CUT_OFF,
        rule: Rule::Runtime(pods::pod_runs_once),
    },
    Invariant {
        code: "invariant.pod-ips-are-unique",
        excuses: &[],
        rule: Rule::Runtime(pods::pod_ips_are_unique),
    },
    Invariant {
        code: "invariant.ready-needs-a-lease",
        excuses: UNJUDGED,
        rule: Rule::Tick(nodes::ready_needs_a_lease),
    },
    rest("invariant.owners-resolve", objects::owners_resolve),
    rest(
        "invariant.caches-equal-the-store",
        objects::caches_equal_the_store,
    ),
    rest(
        "invariant.endpoints-are-ready",
        services::endpoints_are_ready,
    ),
    rest(
        "invariant.ready-pods-are-endpoints",
        services::ready_pods_are_endpoints,
    ),
    rest("invariant.replicaset-counts", workloads::replicaset_counts),
    rest("invariant.workload-counts", workloads::workload_counts),
    rest(
        "invariant.one-daemon-per-node",
        workloads::one_daemon_per_node,
    ),
    rest(
        "invariant.machines-run-what-is-bound",
        pods::machines_run_what_is_bound,
    ),
    rest(
        "invariant.scheduler-counts-right",
        nodes::scheduler_counts_right,
    ),
];

/// The invariant with this name.
pub fn invariant(name: &str) -> Option<&'static Invariant> {
    ALL.iter().find(|i| i.name() == name)
}
