//! Invariants of StatefulSets, Jobs, DaemonSets, and of what workloads' statuses count.

use super::history::serves;
use super::{Commit, Finding};
use crate::component::{ComponentId, ControllerId};
use crate::controllers::meta::{is_active, status_count};
use crate::world::Cluster;
use podscope_api::{Key, Kind, Object};
use podscope_kernel::collections::BTreeMap;
use std::rc::Rc;

fn ordinal(set: &str, pod: &str) -> Option<i64> {
    pod.strip_prefix(set)?.strip_prefix('-')?.parse().ok()
}

fn set_of<'a>(commit: &Commit<'a>, pod: &Object) -> Option<&'a Rc<Object>> {
    let owner = pod.controller().filter(|o| o.kind == "StatefulSet")?;
    let key = Key::new(pod.namespace(), owner.name);
    let stored = commit.cluster.etcd.get(Kind::StatefulSet, &key)?;
    (stored.object.uid() == owner.uid).then_some(&stored.object)
}

/// A StatefulSet that keeps order creates a Pod only when all with lower numbers are Ready.
///
/// Models: pkg/controller/statefulset/stateful_set_control.go (v1.36)
pub(super) fn in_order(commit: &Commit<'_>) -> Option<Finding> {
    let by = Some(ComponentId::Controller(ControllerId::StatefulSet));
    if commit.kind != Kind::Pod || commit.actor != by || commit.old.is_some() {
        return None;
    }
    let pod = commit.new?;
    let set = set_of(commit, pod)?;
    if set.at("spec.podManagementPolicy").as_str() == Some("Parallel") {
        return None;
    }
    let own = ordinal(set.name(), pod.name())?;
    let start = set.at("spec.ordinals.start").as_int().unwrap_or(0);
    for lower in start..own.min(start + 1_000) {
        let key = Key::new(pod.namespace(), format!("{}-{lower}", set.name()));
        let stored = commit.cluster.etcd.get(Kind::Pod, &key);
        let fine = stored.is_some_and(|s| serves(&s.object));
        if !fine && !commit.history.unready_lately(&key, commit.at) {
            let name = key.to_string();
            return Some(Finding::new(Kind::Pod, commit.key, name, "NotReady"));
        }
    }
    None
}

/// A StatefulSet's Pods are named after it and a number that only one of them has.
pub(super) fn ordinals(commit: &Commit<'_>) -> Option<Finding> {
    if commit.kind != Kind::Pod || commit.old.is_some() {
        return None;
    }
    let pod = commit.new?;
    let owner = pod.controller().filter(|o| o.kind == "StatefulSet")?;
    let own = ordinal(owner.name, pod.name());
    let label = pod.label("apps.kubernetes.io/pod-index");
    match own {
        Some(n) if label.is_none_or(|l| l == n.to_string()) => None,
        _ => Some(Finding::new(
            Kind::Pod,
            commit.key,
            format!("{}-N", owner.name),
            label.unwrap_or_default(),
        )),
    }
}

/// A Job that is Complete or Failed stays so.
pub(super) fn job_stays_finished(commit: &Commit<'_>) -> Option<Finding> {
    if commit.kind != Kind::Job {
        return None;
    }
    let (old, new) = (commit.old?, commit.new?);
    let end = ["Complete", "Failed"]
        .into_iter()
        .find(|c| old.condition_true(c))?;
    if new.condition_true(end) {
        return None;
    }
    Some(Finding::new(Kind::Job, commit.key, end, "-"))
}

/// What a Job has counted as succeeded or failed is never taken back.
pub(super) fn job_counts_grow(commit: &Commit<'_>) -> Option<Finding> {
    if commit.kind != Kind::Job {
        return None;
    }
    let (old, new) = (commit.old?, commit.new?);
    ["succeeded", "failed"].into_iter().find_map(|field| {
        let (was, is) = (status_count(old, field), status_count(new, field));
        (is < was).then(|| {
            Finding::new(
                Kind::Job,
                commit.key,
                format!("{field} {was}"),
                format!("{field} {is}"),
            )
        })
    })
}

/// The Pods that a workload controls and that are neither over nor going.
fn pods_of<'a>(cluster: &'a Cluster, owner: &'a Object) -> impl Iterator<Item = &'a Rc<Object>> {
    cluster
        .etcd
        .of_kind(Kind::Pod)
        .map(|(_, s)| &s.object)
        .filter(move |p| p.controller().is_some_and(|o| o.uid == owner.uid()) && is_active(p))
}

fn count<'a>(pods: impl Iterator<Item = &'a Rc<Object>>) -> (i64, i64) {
    pods.fold((0, 0), |(all, ready), p| {
        (all + 1, ready + i64::from(p.condition_true("Ready")))
    })
}

/// At rest, a ReplicaSet's status counts the Pods that it has, and it has as many as it should or says why not.
pub(super) fn replicaset_counts(cluster: &Cluster, out: &mut Vec<Finding>) {
    for (key, stored) in cluster.etcd.of_kind(Kind::ReplicaSet) {
        let set = &stored.object;
        if set.is_being_deleted() {
            continue;
        }
        let (all, ready) = count(pods_of(cluster, set));
        let told = (
            status_count(set, "replicas"),
            status_count(set, "readyReplicas"),
        );
        if told != (all, ready) {
            out.push(Finding::new(
                Kind::ReplicaSet,
                key,
                format!("{all} replicas, {ready} ready"),
                format!("{} replicas, {} ready", told.0, told.1),
            ));
        }
        let wanted = crate::controllers::meta::replicas(set);
        if wanted != all && !set.condition_true("ReplicaFailure") {
            out.push(Finding::new(
                Kind::ReplicaSet,
                key,
                format!("{wanted} replicas"),
                format!("{all} replicas"),
            ));
        }
    }
}

/// Whether a Node is marked as one where something is wrong: a DaemonSet does not count its Pods there.
fn is_marked(cluster: &Cluster) -> bool {
    let marked = |node: &Object| {
        let taints = node.at("spec.taints").items().iter();
        let keys = taints.map(|t| t.get("key").str_or_empty());
        keys.into_iter()
            .any(|k| k.starts_with("node.kubernetes.io/"))
    };
    let mut nodes = cluster.etcd.of_kind(Kind::Node);
    nodes.any(|(_, s)| marked(&s.object))
}

/// At rest, the statuses of Deployments, StatefulSets, DaemonSets and Jobs count what is there.
pub(super) fn workload_counts(cluster: &Cluster, out: &mut Vec<Finding>) {
    let mut differs = |kind: Kind, key: &Key, field: &str, there: i64, told: i64| {
        if there != told {
            let text = |n: i64| format!("{field} {n}");
            out.push(Finding::new(kind, key, text(there), text(told)));
        }
    };
    for kind in [
        Kind::Deployment,
        Kind::StatefulSet,
        Kind::DaemonSet,
        Kind::Job,
    ] {
        for (key, stored) in cluster.etcd.of_kind(kind) {
            let workload = &stored.object;
            if workload.is_being_deleted() {
                continue;
            }
            let (all, ready) = match kind {
                Kind::Deployment => {
                    let sets = cluster.etcd.of_kind(Kind::ReplicaSet).map(|(_, s)| s);
                    let own = sets.filter(|s| {
                        s.object
                            .controller()
                            .is_some_and(|o| o.uid == workload.uid())
                    });
                    own.map(|s| count(pods_of(cluster, &s.object)))
                        .fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1))
                }
                _ => count(pods_of(cluster, workload)),
            };
            let told = |field: &str| status_count(workload, field);
            match kind {
                Kind::DaemonSet if is_marked(cluster) => {}
                Kind::DaemonSet => differs(kind, key, "numberReady", ready, told("numberReady")),
                Kind::Job => differs(kind, key, "active", all, told("active")),
                _ => {
                    differs(kind, key, "replicas", all, told("replicas"));
                    differs(kind, key, "readyReplicas", ready, told("readyReplicas"));
                }
            }
            let observed = workload.at("status.observedGeneration").as_int();
            if kind != Kind::Job {
                differs(
                    kind,
                    key,
                    "observedGeneration",
                    workload.generation(),
                    observed.unwrap_or(0),
                );
            }
        }
    }
}

/// At rest, a Node has at most one Pod of a DaemonSet.
pub(super) fn one_daemon_per_node(cluster: &Cluster, out: &mut Vec<Finding>) {
    for (key, stored) in cluster.etcd.of_kind(Kind::DaemonSet) {
        let mut by_node: BTreeMap<&str, usize> = BTreeMap::new();
        for pod in pods_of(cluster, &stored.object) {
            let node = pod.at("spec.nodeName").str_or_empty();
            *by_node.entry(node).or_insert(0) += 1;
        }
        for (node, pods) in by_node {
            if pods > 1 && !node.is_empty() {
                let found = format!("{node}: {pods}");
                out.push(Finding::new(Kind::DaemonSet, key, "1", found));
            }
        }
    }
}
