//! Which Pods go first when a ReplicaSet shrinks.
//!
//! Models: pkg/controller/controller_utils.go ActivePodsWithRanks (v1.36)

use super::super::meta::{is_active, ready_since};
use podscope_api::{Object, Timestamp, Value};
use std::cmp::Ordering;
use std::rc::Rc;

/// Annotation by which people say which Pod is cheaper to lose.
pub const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";

/// What the order depends on besides the Pods.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The wall clock; `None` compares times exactly instead of by order of magnitude.
    pub now: Option<Timestamp>,
    /// Whether the deletion cost annotation counts.
    pub deletion_cost: bool,
}

/// `Less`: the first Pod goes before the second. A rank is how many related Pods share the node.
pub fn compare(a: &Object, a_rank: i64, b: &Object, b_rank: i64, rules: Rules) -> Ordering {
    let scheduled = |p: &Object| !p.at("spec.nodeName").str_or_empty().is_empty();
    let (a_ready, b_ready) = (ready_since(a), ready_since(b));
    scheduled(a)
        .cmp(&scheduled(b))
        .then_with(|| phase(a).cmp(&phase(b)))
        .then_with(|| a_ready.is_some().cmp(&b_ready.is_some()))
        .then_with(|| {
            if rules.deletion_cost {
                deletion_cost(a).cmp(&deletion_cost(b))
            } else {
                Ordering::Equal
            }
        })
        .then_with(|| b_rank.cmp(&a_rank))
        .then_with(|| match (a_ready, b_ready) {
            (Some(x), Some(y)) => newer_first(x, y, a, b, rules),
            _ => Ordering::Equal,
        })
        .then_with(|| {
            restarts(b, "containerStatuses", Sidecars::No).cmp(&restarts(
                a,
                "containerStatuses",
                Sidecars::No,
            ))
        })
        .then_with(|| {
            restarts(b, "initContainerStatuses", Sidecars::Only).cmp(&restarts(
                a,
                "initContainerStatuses",
                Sidecars::Only,
            ))
        })
        .then_with(|| newer_first(a.created(), b.created(), a, b, rules))
}

fn phase(pod: &Object) -> u8 {
    match pod.at("status.phase").str_or_empty() {
        "Pending" => 0,
        "Unknown" => 1,
        "Running" => 2,
        // The map upstream reads knows no other phase: they count like Pending.
        _ => 0,
    }
}

fn deletion_cost(pod: &Object) -> i64 {
    let Some(text) = pod.annotation(DELETION_COST) else {
        return 0;
    };
    // Neither plus signs nor leading zeros are read.
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|b| b.is_ascii_digit())
        && (digits == "0" && text == "0" || !digits.starts_with('0'));
    if !plain {
        return 0;
    }
    text.parse::<i32>().map_or(0, i64::from)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sidecars {
    No,
    Only,
}

fn restarts(pod: &Object, list: &str, which: Sidecars) -> i64 {
    let sidecar = |name: &Value| {
        pod.at("spec.initContainers")
            .items()
            .iter()
            .any(|c| c.get("name") == name && c.get("restartPolicy").as_str() == Some("Always"))
    };
    pod.status()
        .get(list)
        .items()
        .iter()
        .filter(|s| which == Sidecars::No || sidecar(s.get("name")))
        .map(|s| s.get("restartCount").as_int().unwrap_or(0))
        .max()
        .unwrap_or(0)
}

/// Later times first. By order of magnitude of the age: within one, the smaller uid goes first.
/// A missing time counts as the latest.
fn newer_first(
    x: Option<Timestamp>,
    y: Option<Timestamp>,
    a: &Object,
    b: &Object,
    rules: Rules,
) -> Ordering {
    if x == y {
        return Ordering::Equal;
    }
    let (Some(x), Some(y)) = (x, y) else {
        return if x.is_none() {
            Ordering::Less
        } else {
            Ordering::Greater
        };
    };
    let Some(now) = rules.now else {
        return y.cmp(&x);
    };
    match magnitude(now, x).cmp(&magnitude(now, y)) {
        Ordering::Equal => a.uid().cmp(b.uid()),
        other => other,
    }
}

/// The whole binary logarithm of an age in nanoseconds, below zero for none.
fn magnitude(now: Timestamp, at: Timestamp) -> i64 {
    let nanos = i128::from(now.0 - at.0) * 1_000;
    match u128::try_from(nanos) {
        Ok(n) if n > 0 => i64::from(n.ilog2()),
        _ => -1,
    }
}

/// The Pods to delete to become `diff` fewer. `related` are the Pods of all ReplicaSets of the same owner.
#[inline(never)]
pub fn pods_to_delete(
    pods: &[Rc<Object>],
    related: &[Rc<Object>],
    diff: usize,
    now: Timestamp,
) -> Vec<Rc<Object>> {
    if diff >= pods.len() {
        return pods.to_vec();
    }
    let on_node = |pod: &Object| {
        let node = pod.at("spec.nodeName").str_or_empty();
        let same = related
            .iter()
            .filter(|r| is_active(r) && r.at("spec.nodeName").str_or_empty() == node)
            .count();
        i64::try_from(same).unwrap_or(i64::MAX)
    };
    let rules = Rules {
        now: Some(now),
        deletion_cost: true,
    };
    let mut ranked: Vec<(i64, Rc<Object>)> = pods.iter().map(|p| (on_node(p), p.clone())).collect();
    podscope_api::sort::by(&mut ranked, |(x, a), (y, b)| compare(a, *x, b, *y, rules));
    ranked.into_iter().take(diff).map(|(_, p)| p).collect()
}
