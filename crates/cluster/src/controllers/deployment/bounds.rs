//! How many Pods a rolling update may have too many and too few.
//!
//! Models: pkg/controller/deployment/util/deployment_util.go (v1.36)

use super::super::meta::replicas;
use podscope_api::int_or_string::Round;
use podscope_api::{IntOrString, Object, Value};

/// True for the strategy `RollingUpdate`.
pub fn is_rolling(deployment: &Object) -> bool {
    deployment.at("spec.strategy.type").as_str() == Some("RollingUpdate")
}

/// `maxSurge` and `maxUnavailable` as numbers of Pods for `desired` replicas.
/// Surge is rounded up, unavailable down; when both are 0, one may be unavailable.
/// `None` when a text is not a percentage.
pub fn fenceposts(surge: &Value, unavailable: &Value, desired: i64) -> Option<(i64, i64)> {
    let number = |value: &Value, round| match IntOrString::from_value(value) {
        Some(n) => n.scaled(desired, round),
        None => Some(0),
    };
    let surge = number(surge, Round::Up)?;
    let unavailable = number(unavailable, Round::Down)?;
    Some(match (surge, unavailable) {
        (0, 0) => (0, 1),
        both => both,
    })
}

fn rolling_fenceposts(deployment: &Object) -> (i64, i64) {
    let rolling = deployment.at("spec.strategy.rollingUpdate");
    fenceposts(
        rolling.get("maxSurge"),
        rolling.get("maxUnavailable"),
        replicas(deployment),
    )
    .unwrap_or((0, 0))
}

/// How many Pods above `spec.replicas` there may be.
pub fn max_surge(deployment: &Object) -> i64 {
    if is_rolling(deployment) {
        rolling_fenceposts(deployment).0
    } else {
        0
    }
}

/// How many of `spec.replicas` Pods may be unavailable.
pub fn max_unavailable(deployment: &Object) -> i64 {
    let desired = replicas(deployment);
    if !is_rolling(deployment) || desired == 0 {
        return 0;
    }
    rolling_fenceposts(deployment).1.min(desired)
}

/// How many Pods must stay available during a rolling update.
pub fn min_available(deployment: &Object) -> i64 {
    if is_rolling(deployment) {
        replicas(deployment) - max_unavailable(deployment)
    } else {
        0
    }
}
