//! A Deployment's status: counts, conditions, progress and its deadline.
//!
//! Models: pkg/controller/deployment/{progress.go,sync.go,util/deployment_util.go} (v1.36)

use super::super::meta::{
    find_condition, remove_condition, replicas, same_condition, status_count,
};
use super::bounds::max_unavailable;
use podscope_api::{Object, Timestamp, Value, value};
use std::rc::Rc;

/// Reason of a rollout that took longer than its deadline.
pub const TIMED_OUT: &str = "ProgressDeadlineExceeded";
/// Reason of a rollout that is complete.
pub const NEW_AVAILABLE: &str = "NewReplicaSetAvailable";

/// A new condition of a Deployment.
pub fn condition(
    condition_type: &str,
    status: &str,
    reason: &str,
    message: &str,
    now: Timestamp,
) -> Value {
    let at = now.seconds_text();
    value!({
        "type": (condition_type), "status": (status), "reason": (reason), "message": (message),
        "lastUpdateTime": (at.clone()), "lastTransitionTime": (at)
    })
}

/// Puts a condition at the end of the list, unless the same status and reason stand there already.
pub fn set_condition(status: &mut Value, mut condition: Value) {
    let name = condition.get("type").str_or_empty().to_string();
    let current = find_condition(status, &name).clone();
    if !current.is_null() {
        if same_condition(&current, &condition) {
            return;
        }
        if current.get("status") == condition.get("status") {
            condition.set(
                "lastTransitionTime",
                current.get("lastTransitionTime").clone(),
            );
        }
        remove_condition(status, &name);
    }
    status.entry("conditions").list_mut().push(condition);
}

/// `spec.progressDeadlineSeconds`, when there is one.
pub fn progress_deadline(deployment: &Object) -> Option<i64> {
    deployment
        .at("spec.progressDeadlineSeconds")
        .as_int()
        .filter(|seconds| *seconds != i64::from(i32::MAX))
}

fn count(status: &Value, field: &str) -> i64 {
    status.get(field).as_int().unwrap_or(0)
}

/// Whether the rollout is complete by this status.
pub fn is_complete(deployment: &Object, status: &Value) -> bool {
    let desired = replicas(deployment);
    count(status, "updatedReplicas") == desired
        && count(status, "replicas") == desired
        && count(status, "availableReplicas") == desired
        && count(status, "observedGeneration") >= deployment.generation()
}

/// Whether the rollout came forward between two statuses.
pub fn is_progressing(old: &Value, new: &Value) -> bool {
    let outdated = |s: &Value| count(s, "replicas") - count(s, "updatedReplicas");
    count(new, "updatedReplicas") > count(old, "updatedReplicas")
        || outdated(new) < outdated(old)
        || count(new, "readyReplicas") > count(old, "readyReplicas")
        || count(new, "availableReplicas") > count(old, "availableReplicas")
}

/// When the deadline of the rollout passes, by its Progressing condition.
pub fn deadline(deployment: &Object, status: &Value) -> Option<Timestamp> {
    let seconds = progress_deadline(deployment)?;
    let updated = find_condition(status, "Progressing")
        .get("lastUpdateTime")
        .as_str()
        .and_then(Timestamp::parse)?;
    Some(Timestamp(
        updated.0.saturating_add(seconds.saturating_mul(1_000_000)),
    ))
}

/// Whether the rollout has made no progress for longer than its deadline.
pub fn is_timed_out(deployment: &Object, status: &Value, now: Timestamp) -> bool {
    let condition = find_condition(status, "Progressing");
    match condition.get("reason").as_str() {
        Some(NEW_AVAILABLE) => false,
        Some(TIMED_OUT) => progress_deadline(deployment).is_some() && !condition.is_null(),
        _ => deadline(deployment, status).is_some_and(|at| at < now),
    }
}

/// How long until a Deployment without progress is looked at again: `None` never, 0 at once, in microseconds.
pub fn look_again(deployment: &Object, new_status: &Value, now: Timestamp) -> Option<i64> {
    let condition = deployment.condition("Progressing");
    if condition.is_null() || progress_deadline(deployment).is_none() {
        return None;
    }
    if is_complete(deployment, new_status) || condition.get("reason").as_str() == Some(TIMED_OUT) {
        return None;
    }
    let left = deadline(deployment, deployment.status())?.0 - now.0;
    Some(if left < 1_000_000 { 0 } else { left })
}

/// Counts and the Available condition, from the ReplicaSets' statuses.
pub fn calculate(
    deployment: &Object,
    all: &[Rc<Object>],
    new: Option<&Object>,
    now: Timestamp,
) -> Value {
    let sum = |field: &str| all.iter().map(|rs| status_count(rs, field)).sum::<i64>();
    let available = sum("availableReplicas");
    let wanted: i64 = all.iter().map(|rs| replicas(rs)).sum();
    let mut status = Value::map();
    let updated = new.map_or(0, |rs| status_count(rs, "replicas"));
    for (field, n) in [
        ("observedGeneration", deployment.generation()),
        ("replicas", sum("replicas")),
        ("updatedReplicas", updated),
        ("readyReplicas", sum("readyReplicas")),
        ("availableReplicas", available),
        ("unavailableReplicas", (wanted - available).max(0)),
    ] {
        if n != 0 {
            status.set(field, n);
        }
    }
    if let Some(n) = terminating(all) {
        status.set("terminatingReplicas", n);
    }
    for field in ["collisionCount", "conditions"] {
        let before = deployment.status().get(field);
        if !before.is_null() {
            status.set(field, before.clone());
        }
    }
    let enough = available >= replicas(deployment) - max_unavailable(deployment);
    let condition = if enough {
        condition(
            "Available",
            "True",
            "MinimumReplicasAvailable",
            "Deployment has minimum availability.",
            now,
        )
    } else {
        condition(
            "Available",
            "False",
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
            now,
        )
    };
    set_condition(&mut status, condition);
    status
}

/// Sum of terminating Pods; `None` when a ReplicaSet that was synced does not tell.
fn terminating(all: &[Rc<Object>]) -> Option<i64> {
    let mut sum = 0;
    for rs in all {
        match rs.at("status.terminatingReplicas").as_int() {
            Some(n) => sum += n,
            None if status_count(rs, "observedGeneration") == 0 => {}
            None => return None,
        }
    }
    Some(sum)
}

/// The whole status of a rollout: counts, Available, Progressing, ReplicaFailure.
pub fn rollout(
    deployment: &Object,
    all: &[Rc<Object>],
    new: Option<&Object>,
    now: Timestamp,
) -> Value {
    let mut status = calculate(deployment, all, new, now);
    if progress_deadline(deployment).is_none() {
        remove_condition(&mut status, "Progressing");
    } else {
        estimate_progress(deployment, new, &mut status, now);
    }
    match replica_failure(all, new) {
        Some(condition) => set_condition(&mut status, condition),
        None => remove_condition(&mut status, "ReplicaFailure"),
    }
    status
}

fn estimate_progress(
    deployment: &Object,
    new: Option<&Object>,
    status: &mut Value,
    now: Timestamp,
) {
    let current = deployment.condition("Progressing");
    let settled = count(status, "replicas") == count(status, "updatedReplicas")
        && current.get("reason").as_str() == Some(NEW_AVAILABLE);
    if settled {
        return;
    }
    let subject = match new {
        Some(rs) => format!("ReplicaSet \"{}\"", rs.name()),
        None => format!("Deployment \"{}\"", deployment.name()),
    };
    let progressing = |value: &str, reason: &str, message: String| {
        condition("Progressing", value, reason, &message, now)
    };
    if is_complete(deployment, status) {
        let message = format!("{subject} has successfully progressed.");
        set_condition(status, progressing("True", NEW_AVAILABLE, message));
    } else if is_progressing(deployment.status(), status) {
        let message = format!("{subject} is progressing.");
        let mut condition = progressing("True", "ReplicaSetUpdated", message);
        if current.get("status").as_str() == Some("True") {
            condition.set(
                "lastTransitionTime",
                current.get("lastTransitionTime").clone(),
            );
        }
        remove_condition(status, "Progressing");
        set_condition(status, condition);
    } else if is_timed_out(deployment, status, now) {
        let message = format!("{subject} has timed out progressing.");
        set_condition(status, progressing("False", TIMED_OUT, message));
    }
}

/// The failure that a ReplicaSet reports, the new one's first.
fn replica_failure(all: &[Rc<Object>], new: Option<&Object>) -> Option<Value> {
    let failure = |rs: &Object| {
        let condition = rs.condition("ReplicaFailure");
        (!condition.is_null()).then(|| {
            let at = condition.get("lastTransitionTime").clone();
            value!({
                "type": "ReplicaFailure",
                "status": (condition.get("status").clone()),
                "reason": (condition.get("reason").clone()),
                "message": (condition.get("message").clone()),
                "lastUpdateTime": (at.clone()), "lastTransitionTime": (at)
            })
        })
    };
    new.and_then(failure)
        .or_else(|| all.iter().find_map(|rs| failure(rs)))
}

/// The Progressing condition that a change of `spec.paused` asks for.
pub fn paused_condition(deployment: &Object, now: Timestamp) -> Option<Value> {
    progress_deadline(deployment)?;
    let current = deployment.condition("Progressing");
    let reason = current.get("reason").as_str();
    if reason == Some(TIMED_OUT) {
        return None;
    }
    let was_paused = reason == Some("DeploymentPaused");
    let is_paused = deployment.at("spec.paused").is_true();
    match (is_paused, was_paused) {
        (true, false) => Some(("DeploymentPaused", "Deployment is paused")),
        (false, true) => Some(("DeploymentResumed", "Deployment is resumed")),
        _ => None,
    }
    .map(|(reason, message)| condition("Progressing", "Unknown", reason, message, now))
}
