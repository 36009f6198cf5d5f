//! Which Pods would have to go, Node by Node, and which Node is the least harm.

use crate::filters::*;
use crate::matching::*;
use podscope_api::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A Node that would have room: the victims' names, most important first, and how many a budget protects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Victims {
    pub node: String,
    pub names: Vec<String>,
    pub violations: u64,
}

pub fn priority(pod: &Value) -> i64 {
    pod.at("spec.priority").as_int().unwrap_or(0)
}
fn started(pod: &Value) -> &str {
    // All of one form, so that the text's order is that of time.
    pod.at("status.startTime").str_or_empty()
}

/// Parts Pods into those whose going would break a budget and the others.
fn part<'a>(sight: &Sight, pods: &[&'a Value]) -> (Vec<&'a Value>, Vec<&'a Value>) {
    let budgets = sight.of_kind("PodDisruptionBudget");
    let left = |b: &&Value| b.at("status.disruptionsAllowed").as_int().unwrap_or(0);
    let mut left: Vec<i64> = budgets.iter().map(left).collect();
    pods.iter().partition(|pod| {
        let labels = pod.at("metadata.labels");
        let mut broken = false;
        for (budget, left) in budgets.iter().zip(&mut left) {
            let selector = label_selector(budget.at("spec.selector"));
            let gone = budget.at("status.disruptedPods").get(name(pod));
            if namespace(budget) == namespace(pod)
                && !labels.entries().is_empty()
                && !is_empty(&selector)
                && selects(&selector, labels)
                && gone.is_null()
            {
                *left -= 1;
                broken |= *left < 0;
            }
        }
        broken
    })
}

/// Without any less important Pod of the Node, then with as many of them as fit.
pub fn dry_run(
    sight: &Sight,
    node: &Value,
    skipped: &BTreeSet<&'static str>,
) -> Result<Victims, Vec<String>> {
    let weaker = |p: &&Value| priority(p) < priority(sight.pod);
    let mut able: Vec<&Value> = sight.pods_on(node).into_iter().filter(weaker).collect();
    if able.is_empty() {
        return Err(vec![
            "No preemption victims found for incoming pod".to_string(),
        ]);
    }
    able.sort_by(|a, b| (priority(b), started(a)).cmp(&(priority(a), started(b))));
    let mut without = sight.clone();
    let is = |a: &Value, b: &Value| a.at("metadata.uid") == b.at("metadata.uid");
    without
        .placed
        .retain(|p| !able.iter().any(|victim| is(p, victim)));
    if let Some(no) = with_plans(&without, node, skipped) {
        return Err(no.reasons);
    }
    let (protected, free) = part(sight, &able);
    let (mut victims, mut violations) = (Vec::new(), 0);
    let count = protected.len();
    for (i, pod) in protected.into_iter().chain(free).enumerate() {
        without.placed.push(pod);
        if with_plans(&without, node, skipped).is_some() {
            without.placed.pop();
            victims.push(pod);
            violations += (i < count) as u64;
        }
    }
    victims.sort_by(|a, b| (priority(b), started(a)).cmp(&(priority(a), started(b))));
    Ok(Victims {
        node: name(node).to_string(),
        names: victims.iter().map(|p| name(p).to_string()).collect(),
        violations,
    })
}

/// The Nodes among which the choice is free: the last rule is the order of a map.
pub fn best(sight: &Sight, candidates: &[Victims]) -> Vec<String> {
    let pod = |v: &Victims, i: usize| {
        let all = sight.placed.iter();
        let mut same = all.filter(|p| {
            name(p) == v.names[i] && p.at("spec.nodeName").as_str() == Some(v.node.as_str())
        });
        *same.next().expect("a victim is a placed Pod")
    };
    let key = |v: &Victims| {
        let pods: Vec<&Value> = (0..v.names.len()).map(|i| pod(v, i)).collect();
        let sum: i64 = pods.iter().map(|p| priority(p) + (1 << 31)).sum();
        (v.violations, priority(pods[0]), sum, pods.len())
    };
    let early = |v: &Victims| {
        let pods: Vec<&Value> = (0..v.names.len()).map(|i| pod(v, i)).collect();
        let top = pods
            .iter()
            .filter(|p| priority(p) == priority(pods[0]))
            .map(|p| started(p).to_string());
        top.min()
    };
    let Some(least) = candidates.iter().map(key).min() else {
        return Vec::new();
    };
    let mild = candidates.iter().filter(|v| key(v) == least);
    let latest = mild.clone().map(early).max();
    mild.filter(|v| Some(early(v)) == latest)
        .map(|v| v.node.clone())
        .collect()
}

/// Why the Pod may not make others go.
pub fn ineligible(
    sight: &Sight,
    nominated: &str,
    said: &BTreeMap<String, No>,
) -> Option<&'static str> {
    if sight.pod.at("spec.preemptionPolicy").as_str() == Some("Never") {
        return Some("not eligible due to preemptionPolicy=Never.");
    }
    let node = sight.nodes.iter().find(|n| name(n) == nominated)?;
    if said.get(nominated).is_some_and(|no| no.code == UU) {
        return None;
    }
    let going = sight.pods_on(node).into_iter().any(|p| {
        let conditions = p.at("status.conditions").items().iter();
        let ours = conditions.clone().any(|c| {
            c.get("type").as_str() == Some("DisruptionTarget")
                && c.get("status").as_str() == Some("True")
                && c.get("reason").as_str() == Some("PreemptionByScheduler")
        });
        priority(p) < priority(sight.pod) && !p.at("metadata.deletionTimestamp").is_null() && ours
    });
    going.then_some("not eligible due to a terminating pod on the nominated node.")
}
