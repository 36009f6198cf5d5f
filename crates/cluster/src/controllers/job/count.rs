//! Counting a Job's Pods: through the uids in the status, so that each end counts once; and its conditions.
//!
//! Models: pkg/controller/job/job_controller.go trackJobStatusAndRemoveFinalizers (v1.36)

use super::index;
use super::plan::{Ending, Look, MOST, has_failed, has_succeeded, is_indexed, is_tracked, number};
use super::policy::{self, Verdict};
use podscope_api::{Object, Text, Timestamp, Value, value};
use podscope_kernel::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Writes a list of uids into the status; an empty list is left out.
fn write_uids(status: &mut Value, list: &str, uids: &[Text]) {
    let place = status.entry("uncountedTerminatedPods");
    if place.is_null() {
        *place = Value::map();
    }
    if uids.is_empty() {
        place.map_mut().remove(list);
    } else {
        let uids = uids.iter().map(|u| Value::str(u.clone()));
        place.map_mut().insert(list, Value::list(uids));
    }
}

/// Moves uids whose Pods have lost the finalizer (or are gone) to the counters.
pub fn count(status: &mut Value, tracked: &BTreeSet<Text>) {
    for list in ["succeeded", "failed"] {
        let uids = status.at("uncountedTerminatedPods").get(list).items();
        let uids: Vec<Text> = uids.iter().filter_map(|u| u.as_text().cloned()).collect();
        let (left, counted): (Vec<Text>, Vec<Text>) =
            uids.into_iter().partition(|u| tracked.contains(u));
        if !counted.is_empty() {
            let before = status.get(list).as_int().unwrap_or(0);
            status.set(list, before + number(counted.len()));
        }
        write_uids(status, list, &left);
    }
}

/// Takes ended Pods into the status; gives those whose finalizer may go then.
pub fn track(
    job: &Object,
    pods: &[Rc<Object>],
    look: &Look,
    ending: Option<&Ending>,
    status: &mut Value,
) -> Vec<Rc<Object>> {
    let tracked = pods.iter().filter(|p| is_tracked(p));
    count(status, &tracked.clone().map(|p| p.uid().into()).collect());
    let mut lists: BTreeMap<&str, Vec<Text>> = BTreeMap::new();
    for list in ["succeeded", "failed"] {
        let uids = status.at("uncountedTerminatedPods").get(list).items();
        let uids = uids.iter().filter_map(|u| u.as_text().cloned()).collect();
        lists.insert(list, uids);
    }
    let mut free = Vec::new();
    let indexed = is_indexed(job);
    for pod in tracked.take(MOST) {
        let failed = has_failed(job, pod) || (ending.is_some() && !has_succeeded(pod));
        if !failed && !has_succeeded(pod) {
            continue;
        }
        free.push(pod.clone());
        let list = if has_succeeded(pod) {
            "succeeded"
        } else {
            "failed"
        };
        let indexed_success = indexed && list == "succeeded";
        let ignored = list == "failed" && policy::verdict(job, pod) == Verdict::Ignored;
        let uid: Text = pod.uid().into();
        let uids = lists.entry(list).or_default();
        if !indexed_success && !ignored && !uids.contains(&uid) {
            uids.push(uid);
        }
    }
    for (list, uids) in &lists {
        write_uids(status, list, uids);
    }
    if indexed {
        let done = number(look.done.len());
        if done > 0 || !status.get("succeeded").is_null() {
            status.set("succeeded", done);
            status.set("completedIndexes", index::text(&look.done));
        }
        if !job.at("spec.backoffLimitPerIndex").is_null() {
            status.set("failedIndexes", index::text(&look.lost));
        }
    }
    free
}

/// A condition that is True from now on.
pub fn condition(kind: &str, status: &str, reason: &str, message: &str, now: Timestamp) -> Value {
    value!({
        "type": (kind), "status": (status), "reason": (reason), "message": (message),
        "lastProbeTime": (now.seconds_text()), "lastTransitionTime": (now.seconds_text())
    })
}

/// Sets a condition of the status; true when that changed it.
pub fn set_condition(status: &mut Value, condition: Value) -> bool {
    let list = status.entry("conditions").list_mut();
    let same = |c: &&mut Value| c.get("type") == condition.get("type");
    match list.iter_mut().find(same) {
        Some(place) if place.get("status") == condition.get("status") => false,
        Some(place) => {
            *place = condition;
            true
        }
        None => {
            list.push(condition);
            true
        }
    }
}
