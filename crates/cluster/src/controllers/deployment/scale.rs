//! How large each ReplicaSet is to be: rolling updates, scaling events.
//!
//! Models: pkg/controller/deployment/{rolling.go,sync.go,util/deployment_util.go} (v1.36)

use super::super::meta::{replicas, status_count};
use super::bounds::{is_rolling, max_surge, max_unavailable};
use super::replica_sets::{DESIRED, MAX, age_key};
use podscope_api::int_or_string::Round;
use podscope_api::{IntOrString, Object};
use std::cmp::Reverse;
use std::rc::Rc;

/// One ReplicaSet (an index into the given list) gets a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resize {
    /// Which.
    pub index: usize,
    /// Its new `spec.replicas`.
    pub replicas: i64,
}

/// Sum of `spec.replicas`.
pub fn total(sets: &[Rc<Object>]) -> i64 {
    sets.iter().map(|rs| replicas(rs)).sum()
}

fn available(sets: &[Rc<Object>]) -> i64 {
    sets.iter()
        .map(|rs| status_count(rs, "availableReplicas"))
        .sum()
}

/// The size that the new ReplicaSet may have: as far as the surge over all ReplicaSets allows.
pub fn new_size(deployment: &Object, all_total: i64, current: i64) -> i64 {
    let desired = replicas(deployment);
    if !is_rolling(deployment) {
        return desired;
    }
    let surge = IntOrString::from_value(deployment.at("spec.strategy.rollingUpdate.maxSurge"))
        .and_then(|n| n.scaled(desired, Round::Up))
        .unwrap_or(0);
    let room = desired + surge - all_total;
    if room <= 0 {
        return current;
    }
    current + room.min(desired - current)
}

/// The new ReplicaSet's size in this sync of a rolling update; `None` when it stays.
pub fn reconcile_new(deployment: &Object, all_total: i64, current: i64) -> Option<i64> {
    let desired = replicas(deployment);
    if current == desired {
        return None;
    }
    let size = if current > desired {
        desired
    } else {
        new_size(deployment, all_total, current)
    };
    (size != current).then_some(size)
}

/// Indices of `old`, oldest first.
fn oldest_first(old: &[Rc<Object>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..old.len()).collect();
    podscope_api::sort::by_key(&mut order, |i| old.get(*i).map(|rs| age_key(rs)));
    order
}

/// Takes away up to `most` Pods that are not available, oldest ReplicaSet first. `sizes` holds the sizes of `old`.
#[inline(never)]
pub fn clean_up_unhealthy(old: &[Rc<Object>], sizes: &mut [i64], most: i64) -> Vec<Resize> {
    let mut left = most;
    let mut resizes = Vec::new();
    for index in oldest_first(old) {
        let (Some(rs), Some(size)) = (old.get(index), sizes.get_mut(index)) else {
            continue;
        };
        let unhealthy = *size - status_count(rs, "availableReplicas");
        let take = left.min(unhealthy);
        if left <= 0 || take <= 0 {
            continue;
        }
        *size -= take;
        left -= take;
        resizes.push(Resize {
            index,
            replicas: *size,
        });
    }
    resizes
}

/// Takes away available Pods as far as enough stay available. `all_available` counts old and new ones.
#[inline(never)]
pub fn scale_down_old(
    deployment: &Object,
    old: &[Rc<Object>],
    sizes: &mut [i64],
    all_available: i64,
) -> Vec<Resize> {
    let min_available = replicas(deployment) - max_unavailable(deployment);
    let mut left = all_available - min_available;
    let mut resizes = Vec::new();
    for index in oldest_first(old) {
        let Some(size) = sizes.get_mut(index) else {
            continue;
        };
        let take = left.min(*size);
        if take <= 0 {
            continue;
        }
        *size -= take;
        left -= take;
        resizes.push(Resize {
            index,
            replicas: *size,
        });
    }
    resizes
}

/// What one sync of a rolling update takes away from the active old ReplicaSets, in order.
pub fn reconcile_old(deployment: &Object, old: &[Rc<Object>], new: Option<&Object>) -> Vec<Resize> {
    let old_total = total(old);
    if old_total == 0 {
        return Vec::new();
    }
    let (new_size, new_available) = new.map_or((0, 0), |rs| {
        (replicas(rs), status_count(rs, "availableReplicas"))
    });
    let min_available = replicas(deployment) - max_unavailable(deployment);
    let most = old_total + new_size - min_available - (new_size - new_available);
    if most <= 0 {
        return Vec::new();
    }
    let mut sizes: Vec<i64> = old.iter().map(|rs| replicas(rs)).collect();
    let mut resizes = clean_up_unhealthy(old, &mut sizes, most);
    resizes.extend(scale_down_old(
        deployment,
        old,
        &mut sizes,
        available(old) + new_available,
    ));
    resizes
}

fn annotated(replica_set: &Object, key: &str) -> Option<i64> {
    replica_set.annotation(key)?.parse().ok()
}

/// Whether the Deployment's size has changed since its active ReplicaSets were scaled last.
pub fn is_scaling_event(deployment: &Object, sets: &[Rc<Object>]) -> bool {
    sets.iter()
        .filter(|rs| replicas(rs) > 0)
        .any(|rs| annotated(rs, DESIRED).is_some_and(|n| n != replicas(deployment)))
}

/// A ReplicaSet's share of a scaling event before it is limited by what is left; negative when it shrinks.
pub fn fraction(replica_set: &Object, deployment: &Object) -> i64 {
    let size = replicas(replica_set);
    if replicas(deployment) == 0 {
        return -size;
    }
    let most = replicas(deployment) + max_surge(deployment);
    let before = match annotated(replica_set, MAX) {
        Some(n) if n != 0 => n,
        _ => status_count(deployment, "replicas"),
    };
    if before == 0 {
        return 0;
    }
    rounded(size * most, before) - size
}

/// The nearest whole number to a quotient, halves away from zero.
fn rounded(dividend: i64, divisor: i64) -> i64 {
    let (a, b) = (dividend.abs(), divisor.abs());
    let magnitude = (2 * a + b) / (2 * b);
    if (dividend < 0) == (divisor < 0) {
        magnitude
    } else {
        -magnitude
    }
}

/// Distributes a scaling event; `sets` are all ReplicaSets, `new` says which is the new one.
/// ReplicaSets that keep their size are listed too: their annotations may be out of date.
pub fn scale(deployment: &Object, sets: &[Rc<Object>], new: Option<usize>) -> Vec<Resize> {
    let desired = replicas(deployment);
    let size = |i: usize| sets.get(i).map_or(0, |rs| replicas(rs));
    let age = |i: usize| sets.get(i).map(|rs| age_key(rs));
    let mut active: Vec<usize> = (0..sets.len()).filter(|i| size(*i) > 0).collect();
    if active.len() <= 1 {
        let newest_old = (0..sets.len()).max_by_key(|i| age(*i));
        let Some(index) = active.first().copied().or(new).or(newest_old) else {
            return Vec::new();
        };
        if size(index) == desired {
            return Vec::new();
        }
        return vec![Resize {
            index,
            replicas: desired,
        }];
    }
    let saturated = new.and_then(|i| sets.get(i)).is_some_and(|rs| {
        annotated(rs, DESIRED) == Some(desired)
            && replicas(rs) == desired
            && status_count(rs, "availableReplicas") == desired
    });
    if saturated {
        active.retain(|i| Some(*i) != new);
        return active
            .into_iter()
            .map(|index| Resize { index, replicas: 0 })
            .collect();
    }
    if !is_rolling(deployment) {
        return Vec::new();
    }
    let allowed = if desired > 0 {
        desired + max_surge(deployment)
    } else {
        0
    };
    let to_add = allowed - active.iter().map(|i| size(*i)).sum::<i64>();
    if to_add > 0 {
        podscope_api::sort::by_key(&mut active, |i| (size(*i), age(*i)));
        active.reverse();
    } else if to_add < 0 {
        podscope_api::sort::by_key(&mut active, |i| (Reverse(size(*i)), age(*i)));
    }
    let mut added = 0;
    let mut resizes: Vec<Resize> = Vec::new();
    for index in active {
        let left = to_add - added;
        let share = match sets.get(index) {
            Some(rs) if left != 0 => {
                let share = fraction(rs, deployment);
                if to_add > 0 {
                    share.min(left)
                } else {
                    share.max(left)
                }
            }
            _ => 0,
        };
        added += share;
        resizes.push(Resize {
            index,
            replicas: size(index) + share,
        });
    }
    if let Some(first) = resizes.first_mut() {
        first.replicas = (first.replicas + to_add - added).max(0);
    }
    resizes
}
