//! How fast a scale may follow what the metrics ask for: stabilisation windows, policies, bounds.
//!
//! Models: pkg/controller/podautoscaler/horizontal.go (v1.36)

use podscope_api::{Object, Timestamp, Value};

/// A recommendation, or a change of the scale, at a time.
pub type At = (Timestamp, i64);

/// What was recommended and done before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct History {
    /// What the metrics asked for.
    pub recommended: Vec<At>,
    /// Replicas added.
    pub up: Vec<At>,
    /// Replicas removed.
    pub down: Vec<At>,
}

/// Everything is forgotten after an hour, the longest window there is.
const LONGEST: i64 = 3_600_000_000;
/// The window for shrinking, when none is given, in seconds.
const WINDOW: i64 = 300;

impl History {
    /// Forgets what is older than any window.
    pub fn forget(&mut self, now: Timestamp) {
        for list in [&mut self.recommended, &mut self.up, &mut self.down] {
            list.retain(|(at, _)| now.0 - at.0 <= LONGEST);
        }
    }
}

/// The decision with the reasons for the conditions AbleToScale and ScalingLimited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The size.
    pub replicas: i64,
    /// Reason and message of AbleToScale.
    pub able: (&'static str, &'static str),
    /// Whether it was limited, with reason and message of ScalingLimited.
    pub limited: (bool, &'static str, &'static str),
}

const READY: (&str, &str) = ("ReadyForNewScale", "recommended size matches current size");
const IN_RANGE: (&str, &str) = (
    "DesiredWithinRange",
    "the desired count is within the acceptable range",
);
const TOO_MANY: (&str, &str) = (
    "TooManyReplicas",
    "the desired replica count is more than the maximum replica count",
);
const TOO_FEW: (&str, &str) = (
    "TooFewReplicas",
    "the desired replica count is less than the minimum replica count",
);
const UP_LIMIT: (&str, &str) = (
    "ScaleUpLimit",
    "the desired replica count is increasing faster than the maximum scale rate",
);
const DOWN_LIMIT: (&str, &str) = (
    "ScaleDownLimit",
    "the desired replica count is decreasing faster than the maximum scale rate",
);
const DOWN_STABLE: (&str, &str) = (
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent recommendation",
);
const UP_STABLE: (&str, &str) = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
);

/// The bounds of an autoscaler.
pub fn bounds(autoscaler: &Object) -> (i64, i64) {
    let least = autoscaler.at("spec.minReplicas").as_int().unwrap_or(1);
    (
        least,
        autoscaler.at("spec.maxReplicas").as_int().unwrap_or(1),
    )
}

fn window(rules: &Value, default: i64) -> i64 {
    let seconds = rules.get("stabilizationWindowSeconds").as_int();
    seconds.unwrap_or(default).saturating_mul(1_000_000)
}

/// From what the metrics ask for to the size that is set; remembers what was asked for.
pub fn normalize(
    autoscaler: &Object,
    current: i64,
    desired: i64,
    history: &mut History,
    now: Timestamp,
) -> Outcome {
    let behavior = autoscaler.at("spec.behavior");
    let (least, most) = bounds(autoscaler);
    let up = behavior.get("scaleUp");
    let down = behavior.get("scaleDown");
    let recent = |window: i64| {
        let list = history.recommended.iter();
        list.filter(move |(at, _)| at.0 > now.0 - window)
            .map(|(_, n)| *n)
    };
    let (stable, why) = if behavior.is_null() {
        let highest = recent(WINDOW * 1_000_000).fold(desired, i64::max);
        (highest, DOWN_STABLE)
    } else {
        let low = recent(window(up, 0)).fold(desired, i64::min);
        let high = recent(window(down, WINDOW)).fold(desired, i64::max);
        let why = if desired >= current {
            UP_STABLE
        } else {
            DOWN_STABLE
        };
        (current.max(low).min(high), why)
    };
    history.recommended.push((now, desired));
    let able = if stable == desired { READY } else { why };
    let (replicas, (reason, message)) = if behavior.is_null() {
        let limit = (2 * current).max(4);
        let (most, many) = if most > limit {
            (limit, UP_LIMIT)
        } else {
            (most, TOO_MANY)
        };
        match stable {
            n if n < least => (least, TOO_FEW),
            n if n > most => (most, many),
            n => (n, IN_RANGE),
        }
    } else {
        let limited = match stable {
            n if n > current => {
                let limit = up_limit(up, current, history, now).max(current);
                let (most, many) = if most > limit {
                    (limit, UP_LIMIT)
                } else {
                    (most, TOO_MANY)
                };
                (n > most).then_some((most, many))
            }
            n if n < current => {
                let limit = down_limit(down, current, history, now).min(current);
                let (least, few) = if least < limit {
                    (limit, DOWN_LIMIT)
                } else {
                    (least, TOO_FEW)
                };
                (n < least).then_some((least, few))
            }
            _ => None,
        };
        limited.unwrap_or((stable, IN_RANGE))
    };
    Outcome {
        replicas,
        able,
        limited: (replicas != stable, reason, message),
    }
}

/// The policies of one direction, or what they are when none are given.
fn policies(rules: &Value, up: bool) -> Vec<(bool, i64, i64)> {
    let given = rules.get("policies").items();
    if given.is_empty() {
        return if up {
            vec![(false, 4, 15), (true, 100, 15)]
        } else {
            vec![(true, 100, 15)]
        };
    }
    let read = |policy: &Value| {
        let percent = policy.get("type").as_str() == Some("Percent");
        let value = policy.get("value").as_int().unwrap_or(0);
        (
            percent,
            value,
            policy.get("periodSeconds").as_int().unwrap_or(15),
        )
    };
    given.iter().map(read).collect()
}

/// The size at the start of a period.
fn at_start(current: i64, seconds: i64, history: &History, now: Timestamp) -> i64 {
    let from = now.0 - seconds.saturating_mul(1_000_000);
    let sum = |list: &[At]| -> i64 {
        list.iter()
            .filter(|(at, _)| at.0 > from)
            .map(|(_, n)| *n)
            .sum()
    };
    current - sum(&history.up) + sum(&history.down)
}

fn select(rules: &Value, proposals: Vec<i64>, current: i64, up: bool) -> i64 {
    let highest = proposals.iter().copied().max().unwrap_or(current);
    let lowest = proposals.iter().copied().min().unwrap_or(current);
    match rules.get("selectPolicy").as_str() {
        Some("Disabled") => current,
        Some("Min") if up => lowest,
        Some("Min") => highest,
        _ if up => highest,
        _ => lowest,
    }
}

fn up_limit(rules: &Value, current: i64, history: &History, now: Timestamp) -> i64 {
    let propose = |(percent, value, seconds): (bool, i64, i64)| {
        let start = at_start(current, seconds, history, now);
        if percent {
            // Rounded up.
            start + (start.saturating_mul(value) + 99).div_euclid(100)
        } else {
            start.saturating_add(value)
        }
    };
    let proposals = policies(rules, true).into_iter().map(propose).collect();
    select(rules, proposals, current, true)
}

fn down_limit(rules: &Value, current: i64, history: &History, now: Timestamp) -> i64 {
    let propose = |(percent, value, seconds): (bool, i64, i64)| {
        let start = at_start(current, seconds, history, now);
        if percent {
            start.saturating_mul(100 - value) / 100
        } else {
            start - value
        }
    };
    let proposals = policies(rules, false).into_iter().map(propose).collect();
    select(rules, proposals, current, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use podscope_api::value;

    fn autoscaler(behavior: Value) -> Object {
        let mut object = value!({"spec": {"minReplicas": 2, "maxReplicas": 20}});
        if !behavior.is_null() {
            object.set("spec.behavior", behavior);
        }
        Object(object)
    }

    #[test]
    fn growth_is_limited_and_shrinking_waits() {
        let now = Timestamp(10_000_000_000);
        let plain = autoscaler(Value::Null);
        let mut history = History::default();
        let up = normalize(&plain, 3, 15, &mut history, now);
        assert_eq!((up.replicas, up.limited.1), (6, "ScaleUpLimit"));
        let later = Timestamp(now.0 + 60_000_000);
        let down = normalize(&plain, 6, 2, &mut history, later);
        assert_eq!((down.replicas, down.able.0), (12, "ScaleDownStabilized"));
        let late = Timestamp(now.0 + 400_000_000);
        let down = normalize(&plain, 6, 1, &mut history, late);
        assert_eq!((down.replicas, down.limited.1), (2, "TooFewReplicas"));
    }

    #[test]
    fn policies_hold_a_period() {
        let now = Timestamp(10_000_000_000);
        let slow = autoscaler(value!({
            "scaleUp": {"stabilizationWindowSeconds": 0,
                "policies": [{"type": "Pods", "value": 2, "periodSeconds": 60}]},
            "scaleDown": {"stabilizationWindowSeconds": 0, "selectPolicy": "Disabled"}
        }));
        let mut history = History::default();
        assert_eq!(normalize(&slow, 3, 9, &mut history, now).replicas, 5);
        history.up.push((now, 2));
        let soon = Timestamp(now.0 + 15_000_000);
        assert_eq!(normalize(&slow, 5, 9, &mut history, soon).replicas, 5);
        let next = Timestamp(now.0 + 75_000_000);
        assert_eq!(normalize(&slow, 5, 9, &mut history, next).replicas, 7);
        let down = normalize(&slow, 7, 2, &mut history, next);
        assert_eq!((down.replicas, down.limited.1), (7, "ScaleDownLimit"));
    }
}
