//! A ReplicaSet's status, from its Pods.
//!
//! Models: pkg/controller/replicaset/replica_set_utils.go (v1.36)

use super::super::meta::{is_available, ready_since, remove_condition, replicas};
use podscope_api::selector::Selector;
use podscope_api::{Object, Timestamp, Value, value};
use std::rc::Rc;

/// Active Pods that a ReplicaSet's status cannot tell apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Alike {
    /// Their labels, a map or null.
    pub labels: Value,
    /// How many there are.
    pub pods: i64,
    /// How many of them are Ready.
    pub ready: i64,
    /// How many have been Ready for long enough.
    pub available: i64,
}

/// One Pod after the other.
pub fn each(set: &Object, active: &[Rc<Object>], now: Timestamp) -> Vec<Alike> {
    let min_ready = set.at("spec.minReadySeconds").as_int().unwrap_or(0);
    let alike = active.iter().map(|pod| Alike {
        labels: pod.labels().clone(),
        pods: 1,
        ready: i64::from(ready_since(pod).is_some()),
        available: i64::from(is_available(pod, min_ready, now)),
    });
    alike.collect()
}

/// Counts and conditions. `terminating` is `None` when it is not counted; `failure` are the words of the
/// first create or delete that failed in this sync.
pub fn calculate(
    set: &Object,
    active: &[Rc<Object>],
    terminating: Option<i64>,
    failure: Option<&str>,
    now: Timestamp,
) -> Value {
    of(set, &each(set, active, now), terminating, failure, now)
}

/// [`calculate`] for Pods that have been counted.
pub fn of(
    set: &Object,
    active: &[Alike],
    terminating: Option<i64>,
    failure: Option<&str>,
    now: Timestamp,
) -> Value {
    let template = Selector::from_labels(set.at("spec.template.metadata.labels"));
    let (mut replicas_now, mut labeled, mut ready, mut available) = (0, 0, 0, 0);
    for alike in active {
        replicas_now += alike.pods;
        ready += alike.ready;
        available += alike.available;
        if template.matches(&alike.labels) {
            labeled += alike.pods;
        }
    }
    let mut status = set.status().clone();
    status.map_mut().insert("replicas", replicas_now.into());
    for (field, n) in [
        ("fullyLabeledReplicas", labeled),
        ("readyReplicas", ready),
        ("availableReplicas", available),
    ] {
        write_count(&mut status, field, n);
    }
    match terminating {
        Some(n) => status.set("terminatingReplicas", n),
        None => {
            status.map_mut().remove("terminatingReplicas");
        }
    }
    let failing = !super::super::meta::find_condition(&status, "ReplicaFailure").is_null();
    match failure {
        Some(text) if !failing => {
            let reason = if replicas_now < replicas(set) {
                "FailedCreate"
            } else {
                "FailedDelete"
            };
            status.entry("conditions").list_mut().push(value!({
                "type": "ReplicaFailure", "status": "True", "reason": (reason), "message": (text),
                "lastTransitionTime": (now.seconds_text())
            }));
        }
        None if failing => remove_condition(&mut status, "ReplicaFailure"),
        _ => {}
    }
    status
}

fn write_count(status: &mut Value, field: &str, n: i64) {
    if n == 0 {
        status.map_mut().remove(field);
    } else {
        status.set(field, n);
    }
}

/// When the next Pod that is Ready now becomes available, if one has still to wait.
pub fn next_available(set: &Object, active: &[Rc<Object>], now: Timestamp) -> Option<Timestamp> {
    let min_ready = set.at("spec.minReadySeconds").as_int().unwrap_or(0);
    active
        .iter()
        .filter_map(|p| ready_since(p)?)
        .map(|since| Timestamp(since.0.saturating_add(min_ready.saturating_mul(1_000_000))))
        .filter(|at| *at >= now)
        .min()
}
