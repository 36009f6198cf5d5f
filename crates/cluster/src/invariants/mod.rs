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
    /// Its name, stable; its words are `invariant.<name>.…`.
    pub name: &'static str,
    /// Kinds of faults that break it legitimately; `person` stands for a forced deletion.
    pub excuses: &'static [&'static str],
    pub(crate) rule: Rule,
}

impl Invariant {
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
];
/// Faults after which a machine goes on without the API server.
const CUT_OFF: &[&str] = &[
    "partition",
    "kubelet-crash",
    "node-power",
    "apiserver-down",
    "person",
];
/// Faults under which nobody judges a Node's lease.
const UNJUDGED: &[&str] = &[
    "apiserver-down",
    "etcd-member-down",
    "controller-manager-down",
];

const fn change(
    name: &'static str,
    excuses: &'static [&'static str],
    rule: fn(&Commit<'_>) -> Option<Finding>,
) -> Invariant {
    let rule = Rule::Change(rule);
    Invariant {
        name,
        excuses,
        rule,
    }
}

const fn rest(name: &'static str, rule: fn(&Cluster, &mut Vec<Finding>)) -> Invariant {
    Invariant {
        name,
        excuses: &[],
        rule: Rule::Rest(rule),
    }
}

/// Every invariant.
pub const ALL: &[Invariant] = &[
    change("one-object-per-name", &[], objects::one_object_per_name),
    change("uids-are-given-once", &[], objects::uids_are_given_once),
    change("revisions-grow", &[], objects::revisions_grow),
    change("deletion-is-final", &[], objects::deletion_is_final),
    change("finalizers-hold", &[], objects::finalizers_hold),
    change("generation-grows", &[], objects::generation_grows),
    change(
        "observed-generation-grows",
        &[],
        objects::observed_generation_grows,
    ),
    change("one-controller", &[], objects::one_controller),
    change("conditions-are-unique", &[], objects::conditions_are_unique),
    change("lease-has-one-holder", &[], objects::lease_has_one_holder),
    change("bound-pod-stays", &[], pods::bound_pod_stays),
    change("phase-goes-forward", &[], pods::phase_goes_forward),
    change("restarts-count-up", &[], pods::restarts_count_up),
    change("node-has-room", &["node-power"], nodes::node_has_room),
    change("rollout-surge", STALE, rollouts::surge),
    change("rollout-available", STALE, rollouts::available),
    change("statefulset-in-order", STALE, workloads::in_order),
    change("statefulset-ordinals", &[], workloads::ordinals),
    change("job-stays-finished", &[], workloads::job_stays_finished),
    change("job-counts-grow", &[], workloads::job_counts_grow),
    Invariant {
        name: "pod-runs-once",
        excuses: CUT_OFF,
        rule: Rule::Runtime(pods::pod_runs_once),
    },
    Invariant {
        name: "pod-ips-are-unique",
        excuses: &[],
        rule: Rule::Runtime(pods::pod_ips_are_unique),
    },
    Invariant {
        name: "ready-needs-a-lease",
        excuses: UNJUDGED,
        rule: Rule::Tick(nodes::ready_needs_a_lease),
    },
    rest("owners-resolve", objects::owners_resolve),
    rest("caches-equal-the-store", objects::caches_equal_the_store),
    rest("endpoints-are-ready", services::endpoints_are_ready),
    rest(
        "ready-pods-are-endpoints",
        services::ready_pods_are_endpoints,
    ),
    rest("replicaset-counts", workloads::replicaset_counts),
    rest("workload-counts", workloads::workload_counts),
    rest("one-daemon-per-node", workloads::one_daemon_per_node),
    rest(
        "machines-run-what-is-bound",
        pods::machines_run_what_is_bound,
    ),
    rest("scheduler-counts-right", nodes::scheduler_counts_right),
];

/// The invariant with this name.
pub fn invariant(name: &str) -> Option<&'static Invariant> {
    ALL.iter().find(|i| i.name == name)
}
