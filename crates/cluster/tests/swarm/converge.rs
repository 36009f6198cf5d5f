//! Whether a cluster is what it should be: every workload as wanted, or stuck for a reason that is told.

use podscope_api::{Kind, Object};
use podscope_cluster::{Cluster, faults};
use std::collections::BTreeMap;

/// Why a Pod that does not serve may stay so: nobody can place it.
fn told(pod: &Object) -> bool {
    let scheduled = pod.condition("PodScheduled");
    let reason = scheduled.get("reason").str_or_empty();
    let unplaced = pod.at("spec.nodeName").str_or_empty().is_empty();
    unplaced && matches!(reason, "Unschedulable" | "SchedulingGated")
}

fn is_over(pod: &Object) -> bool {
    matches!(
        pod.at("status.phase").str_or_empty(),
        "Succeeded" | "Failed"
    )
}

/// What is not yet as it should be; empty when all is.
pub fn left(cluster: &Cluster) -> Vec<String> {
    let mut left = Vec::new();
    if !cluster.network().is_whole() || !faults::active(cluster).is_empty() {
        left.push("a fault is in force".to_string());
    }
    let of = |kind: Kind| cluster.etcd().of_kind(kind).map(|(_, s)| &*s.object);
    for node in of(Kind::Node) {
        if !node.condition_true("Ready") {
            left.push(format!("{} is not Ready", node.name()));
        }
        for taint in node.at("spec.taints").items() {
            let key = taint.get("key").str_or_empty();
            let cordoned = node.at("spec.unschedulable").is_true();
            let wanted = cordoned && key == "node.kubernetes.io/unschedulable";
            if key.starts_with("node.kubernetes.io/") && !wanted {
                left.push(format!("{} has the taint {key}", node.name()));
            }
        }
    }
    for ((kind, key), stored) in cluster.etcd().objects() {
        if stored.object.is_being_deleted() {
            left.push(format!("{} {key} is still being deleted", kind.name()));
        }
    }
    // Pods by the uid of their controller: those that count, those that serve, those that are told why not.
    let mut owned: BTreeMap<String, (i64, i64, i64)> = BTreeMap::new();
    for pod in of(Kind::Pod) {
        let (serves, told) = (pod.condition_true("Ready"), told(pod));
        if is_over(pod) {
            continue;
        }
        let uid = pod.controller().map_or("", |o| o.uid).to_string();
        let counts = owned.entry(uid).or_default();
        counts.0 += 1;
        counts.1 += i64::from(serves);
        counts.2 += i64::from(told);
        let running = pod.at("status.phase").str_or_empty() == "Running";
        let of_job = pod.controller().is_some_and(|o| o.kind == "Job");
        if !serves && !told && !of_job {
            let status = pod.at("status.containerStatuses").index(0);
            let why = status.at("state.waiting.reason").str_or_empty();
            left.push(format!(
                "Pod {} does not serve: {why} {running}",
                pod.name()
            ));
        }
    }
    let counts = |o: &Object| owned.get(o.uid()).copied().unwrap_or_default();
    let told = |o: &Object, field: &str| o.status().get(field).as_int().unwrap_or(0);
    let wanted = |o: &Object| o.at("spec.replicas").as_int().unwrap_or(1);
    for kind in [
        Kind::Deployment,
        Kind::ReplicaSet,
        Kind::StatefulSet,
        Kind::DaemonSet,
    ] {
        for o in of(kind) {
            if told(o, "observedGeneration") != o.generation() {
                left.push(format!("{} {} was not looked at", kind.name(), o.name()));
            }
        }
    }
    for set in of(Kind::ReplicaSet) {
        let all = counts(set).0;
        if all != wanted(set) && !set.condition_true("ReplicaFailure") {
            left.push(format!(
                "ReplicaSet {} has {all} of {}",
                set.name(),
                wanted(set)
            ));
        }
    }
    for deployment in of(Kind::Deployment) {
        let own = of(Kind::ReplicaSet)
            .filter(|s| s.controller().is_some_and(|o| o.uid == deployment.uid()));
        let unplaced: i64 = own.map(|s| counts(s).2).sum();
        let updated = told(deployment, "updatedReplicas");
        let available = told(deployment, "availableReplicas");
        let all = told(deployment, "replicas");
        let n = wanted(deployment);
        let paused = deployment.at("spec.paused").is_true();
        if unplaced == 0 && !paused && (updated, available, all) != (n, n, n) {
            left.push(format!(
                "Deployment {}: {updated} updated, {available} available, {all} of {n}",
                deployment.name()
            ));
        }
    }
    for set in of(Kind::StatefulSet) {
        let (all, ready, unplaced) = counts(set);
        let n = wanted(set);
        let current = set.at("status.currentRevision") == set.at("status.updateRevision");
        if unplaced == 0 && ((all, ready) != (n, n) || (!current && n > 0)) {
            left.push(format!("StatefulSet {}: {ready} of {n}", set.name()));
        }
    }
    for set in of(Kind::DaemonSet) {
        let (all, ready, unplaced) = counts(set);
        let desired = told(set, "desiredNumberScheduled");
        let updated = told(set, "updatedNumberScheduled");
        if unplaced == 0 && ((all, ready) != (desired, desired) || updated != desired) {
            left.push(format!(
                "DaemonSet {}: {ready} ready, {updated} updated of {desired}",
                set.name()
            ));
        }
    }
    for job in of(Kind::Job) {
        let over = job.condition_true("Complete") || job.condition_true("Failed");
        // A CronJob's newest may have just begun.
        let fresh = job.controller().is_some();
        if !over && !fresh && counts(job).2 == 0 {
            left.push(format!("Job {} is not over", job.name()));
        }
    }
    left
}
