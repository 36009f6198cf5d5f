//! Invariants of Pods and of what machines run.

use super::{Commit, Finding};
use crate::controllers::meta::{is_active, is_terminal};
use crate::node::runtime::ContainerState;
use crate::world::Cluster;
use podscope_api::{Key, Kind, Object, Text};
use podscope_kernel::collections::{BTreeMap, BTreeSet};

/// A bound Pod never goes to another node, and is never unbound.
pub(super) fn bound_pod_stays(commit: &Commit<'_>) -> Option<Finding> {
    if commit.kind != Kind::Pod {
        return None;
    }
    let node = |o: &Object| o.at("spec.nodeName").str_or_empty().to_string();
    let (was, is) = (node(commit.old?), node(commit.new?));
    if was.is_empty() || was == is {
        return None;
    }
    Some(Finding::new(Kind::Pod, commit.key, was, is))
}

fn phases(commit: &Commit<'_>) -> Option<(String, String)> {
    if commit.kind != Kind::Pod {
        return None;
    }
    let phase = |o: &Object| o.at("status.phase").str_or_empty().to_string();
    Some((phase(commit.old?), phase(commit.new?)))
}

/// A Pod that runs does not become Pending again.
///
/// A new sandbox breaks it where there are init containers: they run again, and while they do the kubelet says
/// Pending.
pub(super) fn phase_goes_forward(commit: &Commit<'_>) -> Option<Finding> {
    let (was, is) = phases(commit)?;
    let back = was == "Running" && is == "Pending";
    back.then(|| Finding::new(Kind::Pod, commit.key, was, is))
}

/// Succeeded and Failed are final.
pub(super) fn ended_stays_ended(commit: &Commit<'_>) -> Option<Finding> {
    let (was, is) = phases(commit)?;
    let over = matches!(&*was, "Succeeded" | "Failed");
    (over && is != was).then(|| Finding::new(Kind::Pod, commit.key, was, is))
}

/// A container's restart count never falls.
pub(super) fn restarts_count_up(commit: &Commit<'_>) -> Option<Finding> {
    if commit.kind != Kind::Pod {
        return None;
    }
    let (old, new) = (commit.old?, commit.new?);
    for list in ["status.initContainerStatuses", "status.containerStatuses"] {
        for was in old.at(list).items() {
            let name = was.get("name");
            let is = new.at(list).items().iter().find(|s| s.get("name") == name);
            let count = |v: &podscope_api::Value| v.get("restartCount").as_int().unwrap_or(0);
            if let Some(is) = is
                && count(is) < count(was)
            {
                let (was, is) = (count(was).to_string(), count(is).to_string());
                return Some(Finding::new(Kind::Pod, commit.key, was, is));
            }
        }
    }
    None
}

/// Containers of one Pod name run on one machine at a time: what a StatefulSet promises its Pods.
pub(super) fn pod_runs_once(cluster: &Cluster, out: &mut Vec<Finding>) {
    let mut runs: BTreeMap<&Key, Text> = BTreeMap::new();
    for node in &cluster.nodes {
        for (_, record) in node.runtime().pods() {
            let running = |c: &crate::node::runtime::Container| c.state == ContainerState::Running;
            if !record.containers.iter().any(running) {
                continue;
            }
            let name = &node.config.name;
            if let Some(other) = runs.insert(&record.key, name.clone()) {
                let both = format!("{other}, {name}");
                out.push(Finding::new(Kind::Pod, &record.key, "1", both));
            }
        }
    }
}

/// No two live sandboxes have one Pod IP.
pub(super) fn pod_ips_are_unique(cluster: &Cluster, out: &mut Vec<Finding>) {
    let mut taken: BTreeMap<&str, &Key> = BTreeMap::new();
    for node in &cluster.nodes {
        for (_, record) in node.runtime().pods() {
            let Some(sandbox) = &record.sandbox else {
                continue;
            };
            if !sandbox.ready || sandbox.host_network || sandbox.link.ip.is_empty() {
                continue;
            }
            if let Some(other) = taken.insert(&sandbox.link.ip, &record.key) {
                let ip = sandbox.link.ip.clone();
                out.push(Finding::new(Kind::Pod, &record.key, ip, other.to_string()));
            }
        }
    }
}

/// At rest, what runs on a machine is bound to it, and each Pod that is bound and not over has a sandbox there.
pub(super) fn machines_run_what_is_bound(cluster: &Cluster, out: &mut Vec<Finding>) {
    let mut bound: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (key, stored) in cluster.etcd.of_kind(Kind::Pod) {
        let pod = &stored.object;
        let node = pod.at("spec.nodeName").str_or_empty();
        if node.is_empty() || is_terminal(pod) {
            continue;
        }
        bound.entry(node).or_default().insert(pod.uid());
        let machine = cluster.nodes.iter().find(|n| &*n.config.name == node);
        let runs = machine.is_some_and(|m| m.runtime().pod(pod.uid()).is_some());
        if is_active(pod) && !runs {
            out.push(Finding::new(Kind::Pod, key, node, "-"));
        }
    }
    for node in &cluster.nodes {
        let here = bound.get(&*node.config.name);
        for (uid, record) in node.runtime().pods() {
            let runs = record
                .containers
                .iter()
                .any(|c| c.state == ContainerState::Running);
            if runs && !here.is_some_and(|uids| uids.contains(&**uid)) {
                let name = node.config.name.clone();
                out.push(Finding::new(Kind::Pod, &record.key, "-", name));
            }
        }
    }
}
