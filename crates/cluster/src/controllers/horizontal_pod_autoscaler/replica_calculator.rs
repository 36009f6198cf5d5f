//! HorizontalPodAutoscaler: how many replicas a resource's utilisation asks for.
//!
//! Models: pkg/controller/podautoscaler/replica_calculator.go (v1.36)

use podscope_api::{Object, Text, Timestamp};
use podscope_kernel::collections::BTreeMap;

/// A Pod's usage of the resource, in thousandths, and when it was sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Usage of all containers.
    pub milli: i64,
    /// End of the sample.
    pub at: Timestamp,
    /// Length of the sample in microseconds.
    pub window: i64,
}

/// What a decision depends on.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The resource is `cpu`: samples from a Pod's start do not count.
    pub is_cpu: bool,
    /// The wall clock.
    pub now: Timestamp,
    /// How long after its start a Pod's CPU usage counts only while it is Ready, in microseconds.
    pub cpu_initialization: i64,
    /// A Pod that became unready this soon after its start has never been ready, in microseconds.
    pub initial_readiness: i64,
    /// Target in percent of the requests.
    pub target_percent: i64,
    /// How far above 1 the ratio may be without a change.
    pub tolerance_up: f64,
    /// How far below 1 the ratio may be without a change.
    pub tolerance_down: f64,
}

/// The decision: replicas, utilisation in percent, average usage per Pod in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// How many replicas there should be.
    pub replicas: i64,
    /// Utilisation in percent of the requests.
    pub utilization_percent: i64,
    /// Average usage of a Pod in thousandths.
    pub average_milli: i64,
}

#[derive(Default)]
struct Groups {
    ready: i64,
    unready: Vec<Text>,
    missing: Vec<Text>,
    ignored: Vec<Text>,
}

fn group(pods: &[Object], metrics: &BTreeMap<Text, Metric>, rules: Rules) -> Groups {
    let mut groups = Groups::default();
    for pod in pods {
        let name = pod.key().name;
        let phase = pod.at("status.phase").str_or_empty();
        if pod.is_being_deleted() || phase == "Failed" {
            groups.ignored.push(name);
        } else if phase == "Pending" {
            groups.unready.push(name);
        } else {
            match metrics.get(&name) {
                None => groups.missing.push(name),
                Some(metric) if rules.is_cpu && sample_is_early(pod, *metric, rules) => {
                    groups.unready.push(name);
                }
                Some(_) => groups.ready += 1,
            }
        }
    }
    groups
}

/// Whether a Pod's CPU sample says nothing about its work yet.
fn sample_is_early(pod: &Object, metric: Metric, rules: Rules) -> bool {
    let ready = pod.condition("Ready");
    let started = pod
        .at("status.startTime")
        .as_str()
        .and_then(Timestamp::parse);
    let (false, Some(started)) = (ready.is_null(), started) else {
        return true;
    };
    let is_false = ready.get("status").as_str() == Some("False");
    let changed = ready
        .get("lastTransitionTime")
        .as_str()
        .and_then(Timestamp::parse)
        .unwrap_or(ZERO);
    if started.0 + rules.cpu_initialization > rules.now.0 {
        is_false || metric.at.0 < changed.0 + metric.window
    } else {
        is_false && started.0 + rules.initial_readiness > changed.0
    }
}

/// 0001-01-01T00:00:00Z: what a missing time means.
const ZERO: Timestamp = Timestamp(-62_135_596_800_000_000);

/// Usage in relation to the target, in percent of the requests, and the average.
fn ratio(
    metrics: &BTreeMap<Text, Metric>,
    requests: &BTreeMap<Text, i64>,
    target: i64,
) -> Option<(f64, i64, i64)> {
    let known: Vec<(i64, i64)> = metrics
        .iter()
        .filter_map(|(name, metric)| Some((metric.milli, *requests.get(name)?)))
        .collect();
    let used: i64 = known.iter().map(|(m, _)| m).sum();
    let requested: i64 = known.iter().map(|(_, r)| r).sum();
    if requested == 0 {
        return None;
    }
    let percent = used.saturating_mul(100) / requested;
    let count = i64::try_from(known.len()).unwrap_or(i64::MAX);
    Some((percent as f64 / target as f64, percent, used / count))
}

/// How many replicas the utilisation asks for. `requests` holds each Pod's request in thousandths.
///
/// # Errors
/// Why nothing can be said.
pub fn resource_replicas(
    current: i64,
    pods: &[Object],
    mut metrics: BTreeMap<Text, Metric>,
    requests: &BTreeMap<Text, i64>,
    rules: Rules,
) -> Result<Decision, &'static str> {
    if pods.is_empty() {
        return Err("no pods returned by selector while calculating replica count");
    }
    let groups = group(pods, &metrics, rules);
    for name in groups.ignored.iter().chain(&groups.unready) {
        metrics.remove(name);
    }
    if metrics.is_empty() {
        return Err("did not receive metrics for targeted pods (pods might be unready)");
    }
    let none = "no metrics returned matched known pods";
    let (usage, utilization_percent, average_milli) =
        ratio(&metrics, requests, rules.target_percent).ok_or(none)?;
    let decision = |replicas: i64| {
        Ok(Decision {
            replicas,
            utilization_percent,
            average_milli,
        })
    };
    let tolerated = |r: f64| 1.0 - rules.tolerance_down <= r && r <= 1.0 + rules.tolerance_up;
    let up_with_unready = !groups.unready.is_empty() && usage > 1.0;
    if !up_with_unready && groups.missing.is_empty() {
        if tolerated(usage) {
            return decision(current);
        }
        return decision((usage * groups.ready as f64).ceil() as i64);
    }
    let assumed = |milli: i64| Metric {
        milli,
        at: ZERO,
        window: 0,
    };
    for name in &groups.missing {
        if usage < 1.0 {
            // Before it shrinks, a Pod that tells nothing counts as fully used.
            let request = requests.get(name).copied().unwrap_or(0);
            let milli = request.saturating_mul(rules.target_percent.max(100)) / 100;
            metrics.insert(name.clone(), assumed(milli));
        } else if usage > 1.0 {
            metrics.insert(name.clone(), assumed(0));
        }
    }
    if up_with_unready {
        for name in &groups.unready {
            metrics.insert(name.clone(), assumed(0));
        }
    }
    let (fresh, ..) = ratio(&metrics, requests, rules.target_percent).ok_or(none)?;
    if tolerated(fresh) || (usage < 1.0 && fresh > 1.0) || (usage > 1.0 && fresh < 1.0) {
        return decision(current);
    }
    let wanted = (fresh * metrics.len() as f64).ceil() as i64;
    if (fresh < 1.0 && wanted > current) || (fresh > 1.0 && wanted < current) {
        return decision(current);
    }
    decision(wanted)
}
