//! A disruption budget's numbers, from its Pods and those who control them.
//!
//! Models: pkg/controller/disruption/disruption.go (v1.36)

use crate::client::informer::Caches;
use crate::controllers::meta::{controller_of, ready_since, replicas};
use podscope_api::int_or_string::Round;
use podscope_api::{IntOrString, Key, Kind, Object, Text, Timestamp, Value};
use podscope_kernel::collections::BTreeMap;
use std::rc::Rc;

/// How long a Pod that was to be evicted counts as gone while it is still there, in microseconds.
pub const DELETION_TIMEOUT: i64 = 120_000_000;

/// The numbers of a budget.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// How many Pods there should be.
    pub expected: i64,
    /// How many have to be healthy.
    pub desired: i64,
    /// How many are healthy.
    pub current: i64,
    /// Pods being evicted, with the time of their eviction.
    pub disrupted: BTreeMap<Text, Timestamp>,
    /// Pods that were to be evicted and are still there after the timeout.
    pub overdue: Vec<Rc<Object>>,
    /// Pods that nobody controls, where the number of all is asked for.
    pub unmanaged: Vec<Text>,
    /// When an eviction under way has to be looked at again.
    pub again: Option<Timestamp>,
}

impl Numbers {
    /// How many disruptions are allowed now.
    pub fn allowed(&self) -> i64 {
        if self.expected <= 0 {
            return 0;
        }
        (self.current - self.desired).max(0)
    }
}

/// Sums up the scales of those who control the Pods.
fn scale(pods: &[Rc<Object>], caches: &Caches, numbers: &mut Numbers) -> Result<i64, String> {
    let mut scales: BTreeMap<Text, i64> = BTreeMap::new();
    for pod in pods {
        let Some(owner) = pod.controller() else {
            numbers.unmanaged.push(pod.key().name);
            continue;
        };
        let (uid, count) = match owner.kind {
            "ReplicaSet" => {
                let set = controller_of(caches, Kind::ReplicaSet, pod);
                let deployment = set.and_then(|s| controller_of(caches, Kind::Deployment, s));
                let found = deployment.or(set);
                found.map(|o| (Text::from(o.uid()), replicas(o)))
            }
            "StatefulSet" | "ReplicationController" => {
                let kind = match owner.kind {
                    "StatefulSet" => Kind::StatefulSet,
                    _ => Kind::ReplicationController,
                };
                controller_of(caches, kind, pod).map(|o| (Text::from(o.uid()), replicas(o)))
            }
            other => {
                let kind = Kind::ALL.iter().copied().find(|k| k.name() == other);
                let what = kind.map_or_else(
                    || other.to_lowercase(),
                    |k| format!("{}.{}", k.plural(), k.group()),
                );
                return Err(format!("{what} does not implement the scale subresource"));
            }
        }
        .ok_or_else(|| format!("found no controllers for pod \"{}\"", pod.name()))?;
        scales.insert(uid, count);
    }
    Ok(scales.values().sum())
}

fn number(value: &Value, total: i64) -> Result<i64, String> {
    let number = IntOrString::from_value(value).and_then(|n| n.scaled(total, Round::Up));
    number.ok_or_else(|| "invalid value for IntOrString".into())
}

/// Works the numbers out.
///
/// # Errors
/// Why the number of Pods that there should be is not known.
pub fn numbers(
    budget: &Object,
    pods: &[Rc<Object>],
    caches: &Caches,
    now: Timestamp,
) -> Result<Numbers, String> {
    let mut numbers = Numbers::default();
    let (most, least) = (
        budget.at("spec.maxUnavailable"),
        budget.at("spec.minAvailable"),
    );
    if !most.is_null() {
        numbers.expected = scale(pods, caches, &mut numbers)?;
        let most = number(most, numbers.expected)?;
        numbers.desired = (numbers.expected - most).max(0);
    } else if let Some(least) = least.as_int() {
        numbers.expected = i64::try_from(pods.len()).unwrap_or(i64::MAX);
        numbers.desired = least;
    } else if !least.is_null() {
        numbers.expected = scale(pods, caches, &mut numbers)?;
        numbers.desired = number(least, numbers.expected)?;
    }
    let disrupted = budget.at("status.disruptedPods");
    for pod in pods.iter().filter(|p| !p.is_being_deleted()) {
        let since = disrupted.get(pod.name()).as_str();
        if let Some(since) = since.and_then(Timestamp::parse) {
            let end = Timestamp(since.0 + DELETION_TIMEOUT);
            if end.0 < now.0 {
                numbers.overdue.push(pod.clone());
            } else {
                numbers.disrupted.insert(pod.key().name, since);
                numbers.again = Some(numbers.again.map_or(end, |a| a.min(end)));
                continue;
            }
        }
        numbers.current += i64::from(ready_since(pod).is_some());
    }
    Ok(numbers)
}

/// The budget with its status written.
pub fn written(budget: &Object, numbers: &Numbers, now: Timestamp) -> Object {
    let mut object = budget.clone();
    for (field, n) in [
        ("currentHealthy", numbers.current),
        ("desiredHealthy", numbers.desired),
        ("disruptionsAllowed", numbers.allowed()),
        ("expectedPods", numbers.expected),
        ("observedGeneration", budget.generation()),
    ] {
        object.at_mut("status").map_mut().insert(field, n.into());
    }
    let status = object.at_mut("status").map_mut();
    if numbers.disrupted.is_empty() {
        status.remove("disruptedPods");
    } else {
        let pods = numbers.disrupted.iter();
        let pods = pods.map(|(name, at)| (name.clone(), Value::str(at.seconds_text())));
        status.insert("disruptedPods", Value::from_pairs(pods));
    }
    crate::apiserver::eviction::allowed_condition(&mut object, None, now);
    object
}

/// The budget whose Pods cannot be counted: nothing is allowed.
pub fn failed(budget: &Object, why: &str, now: Timestamp) -> Object {
    let mut object = budget.clone();
    let status = object.at_mut("status").map_mut();
    status.insert("disruptionsAllowed", 0.into());
    status.insert("observedGeneration", budget.generation().into());
    crate::apiserver::eviction::allowed_condition(&mut object, Some(why), now);
    object
}

/// The keys of the budgets that select a Pod.
pub fn of_pod(pod: &Object, caches: &Caches) -> Vec<Key> {
    let budgets = caches.list_in(Kind::PodDisruptionBudget, pod.namespace());
    let selects = budgets.filter(|b| crate::controllers::meta::selector(b).matches(pod.labels()));
    selects.map(|b| b.key()).collect()
}
