//! Invariants of Nodes: room, leases, the scheduler's own counting.

use super::{Commit, Finding};
use crate::component::ComponentId;
use crate::controllers::meta::is_terminal;
use crate::scheduler::resources::{Resources, pod_requests};
use crate::world::Cluster;
use podscope_api::{Key, Kind, Object, Text, Timestamp};
use podscope_kernel::collections::BTreeMap;

/// How old a lease may be before a Node must not be Ready: 50 s of grace and what the judging takes.
const LEASE_AGE: i64 = 75;

fn requested(cluster: &Cluster, node: &str) -> (Resources, i64) {
    let mut sum = Resources::default();
    let mut pods = 0;
    for (_, stored) in cluster.etcd.of_kind(Kind::Pod) {
        let pod = &stored.object;
        if pod.at("spec.nodeName").as_str() == Some(node) && !is_terminal(pod) {
            sum.add(&pod_requests(pod).0, 1);
            pods += 1;
        }
    }
    (sum, pods)
}

/// The first resource of which more is asked for than there is: name, there is, asked for.
fn exceeded(sum: &Resources, pods: i64, node: &Object) -> Option<(Text, i64, i64)> {
    let room = Resources::from_list(node.at("status.allocatable"));
    let own: [(&str, i64, i64); 4] = [
        ("cpu", room.milli_cpu, sum.milli_cpu),
        ("memory", room.memory, sum.memory),
        (
            "ephemeral-storage",
            room.ephemeral_storage,
            sum.ephemeral_storage,
        ),
        ("pods", room.pods, pods),
    ];
    let more = sum
        .scalar
        .iter()
        .map(|(name, asked)| (&**name, room.scalar(name).unwrap_or(0), *asked));
    own.into_iter()
        .chain(more)
        .find(|(_, there, asked)| asked > there)
        .map(|(name, there, asked)| (name.into(), there, asked))
}

/// The scheduler binds a Pod only where all that its Pods ask for fits into what the Node can allocate.
///
/// Pods that have ended do not count; a Pod that names its Node itself is not the scheduler's doing.
pub(super) fn node_has_room(commit: &Commit<'_>) -> Option<Finding> {
    if commit.kind != Kind::Pod || commit.actor != Some(ComponentId::Scheduler) {
        return None;
    }
    let (old, new) = (commit.old?, commit.new?);
    let node = new.at("spec.nodeName").str_or_empty();
    if node.is_empty() || old.at("spec.nodeName").str_or_empty() == node {
        return None;
    }
    let stored = commit.cluster.etcd.get(Kind::Node, &Key::new("", node))?;
    let (sum, pods) = requested(commit.cluster, node);
    let (what, there, asked) = exceeded(&sum, pods, &stored.object)?;
    let found = format!("{what} {asked}");
    let key = Key::new("", node);
    Some(Finding::new(
        Kind::Node,
        &key,
        format!("{what} {there}"),
        found,
    ))
}

/// A Node counts as Ready only while its kubelet is heard of: by its lease or by the status that it writes.
///
/// Models: pkg/controller/nodelifecycle/node_lifecycle_controller.go (v1.36)
pub(super) fn ready_needs_a_lease(cluster: &Cluster, out: &mut Vec<Finding>) {
    let now = cluster.wall_at(cluster.now());
    for (key, stored) in cluster.etcd.of_kind(Kind::Node) {
        if !stored.object.condition_true("Ready") {
            continue;
        }
        let lease = Key::new("kube-node-lease", key.name.clone());
        let Some(lease) = cluster.etcd.get(Kind::Lease, &lease) else {
            continue;
        };
        let renewed = lease.object.at("spec.renewTime").str_or_empty();
        let beat = stored.object.condition("Ready").get("lastHeartbeatTime");
        let heard = [renewed, beat.str_or_empty()]
            .into_iter()
            .filter_map(Timestamp::parse)
            .max();
        let Some(heard) = heard else { continue };
        let age = (now.0 - heard.0) / 1_000_000;
        if age > LEASE_AGE {
            out.push(Finding::new(
                Kind::Node,
                key,
                format!("≤ {LEASE_AGE} s"),
                format!("{age} s"),
            ));
        }
    }
}

/// At rest, what the scheduler counts as taken on a Node is what the Node's Pods ask for.
pub(super) fn scheduler_counts_right(cluster: &Cluster, out: &mut Vec<Finding>) {
    if cluster.sim.network.scheduler_down {
        return;
    }
    let mut sums: BTreeMap<Text, (Resources, i64)> = BTreeMap::new();
    for (_, stored) in cluster.etcd.of_kind(Kind::Pod) {
        let pod = &stored.object;
        let node = pod.at("spec.nodeName").str_or_empty();
        if !node.is_empty() && !is_terminal(pod) {
            let sum = sums.entry(node.into()).or_default();
            sum.0.add(&pod_requests(pod).0, 1);
            sum.1 += 1;
        }
    }
    for info in cluster.scheduler.cache().nodes() {
        let (sum, pods) = sums.remove(&info.name).unwrap_or_default();
        let counted = i64::try_from(info.pods.len()).unwrap_or(i64::MAX);
        let same = |a: &Resources, b: &Resources| {
            (a.milli_cpu, a.memory, a.ephemeral_storage)
                == (b.milli_cpu, b.memory, b.ephemeral_storage)
        };
        if counted != pods || !same(&info.requested, &sum) {
            let text = |r: &Resources, pods: i64| {
                format!("{pods} pods, cpu {}m, memory {}", r.milli_cpu, r.memory)
            };
            let key = Key::new("", info.name.clone());
            let (a, b) = (text(&sum, pods), text(&info.requested, counted));
            out.push(Finding::new(Kind::Node, &key, a, b));
        }
    }
}
