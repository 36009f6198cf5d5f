//! What each score plugin gives every feasible Node, before and after NormalizeScore.

use crate::amounts::{allocatable, non_zero, requests};
use crate::filters::*;
use crate::matching::*;
use podscope_api::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Plugins with their weights, in order.
pub const WEIGHTS: [(&str, i64); 7] = [
    ("TaintToleration", 3),
    ("NodeAffinity", 2),
    ("NodeResourcesFit", 1),
    ("PodTopologySpread", 2),
    ("InterPodAffinity", 2),
    ("NodeResourcesBalancedAllocation", 1),
    ("ImageLocality", 1),
];

/// The normalized scores of one plugin for the feasible Nodes; `None` when it stands aside.
pub fn one(plugin: &str, sight: &Sight, feasible: &[&Value]) -> Option<Vec<i64>> {
    match plugin {
        "TaintToleration" => Some(scaled(&taints(sight, feasible), true)),
        "NodeAffinity" => preferred_nodes(sight, feasible).map(|raw| scaled(&raw, false)),
        "NodeResourcesFit" => Some(feasible.iter().map(|n| least(sight, n)).collect()),
        "PodTopologySpread" => spread(sight, feasible),
        "InterPodAffinity" => neighbours(sight, feasible),
        "NodeResourcesBalancedAllocation" => balance(sight, feasible),
        "ImageLocality" => Some(feasible.iter().map(|n| images(sight, n)).collect()),
        other => panic!("no such score: {other}"),
    }
}

fn scaled(raw: &[i64], reverse: bool) -> Vec<i64> {
    let max = raw.iter().copied().max().unwrap_or(0);
    let scale = |r: &i64| match (max, reverse) {
        (0, true) => 100,
        (0, false) => 0,
        (_, true) => 100 - 100 * r / max,
        (_, false) => 100 * r / max,
    };
    raw.iter().map(scale).collect()
}

fn taints(sight: &Sight, feasible: &[&Value]) -> Vec<i64> {
    let effect = |v: &Value| v.get("effect").str_or_empty().to_string();
    let tolerations = sight.pod.at("spec.tolerations").items().iter();
    let soft: Vec<&Value> = tolerations
        .filter(|t| matches!(effect(t).as_str(), "" | "PreferNoSchedule"))
        .collect();
    let count = |node: &&Value| {
        let taints = node.at("spec.taints").items().iter();
        taints
            .filter(|t| effect(t) == "PreferNoSchedule")
            .filter(|t| !soft.iter().any(|s| tolerates(s, t)))
            .count() as i64
    };
    feasible.iter().map(count).collect()
}

fn preferred_nodes(sight: &Sight, feasible: &[&Value]) -> Option<Vec<i64>> {
    let terms = sight
        .pod
        .at("spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution");
    if terms.is_null() {
        return None;
    }
    let sum = |node: &&Value| {
        let matching = terms.items().iter();
        matching
            .filter(|t| node_term(t.get("preference"), node))
            .map(|t| t.get("weight").as_int().unwrap_or(0))
            .sum()
    };
    Some(feasible.iter().map(sum).collect())
}

fn least(sight: &Sight, node: &Value) -> i64 {
    let mut asked = non_zero(sight.pod);
    for pod in sight.pods_on(node) {
        let other = non_zero(pod);
        asked = (asked.0 + other.0, asked.1 + other.1);
    }
    let (mut sum, mut weights) = (0, 0);
    for (resource, asked) in [("cpu", asked.0), ("memory", asked.1)] {
        let all = allocatable(node, resource);
        if all > 0 {
            weights += 1;
            sum += if asked > all {
                0
            } else {
                ((all - asked) as i128 * 100 / all as i128) as i64
            };
        }
    }
    if weights == 0 { 0 } else { sum / weights }
}

fn balance(sight: &Sight, feasible: &[&Value]) -> Option<Vec<i64>> {
    let asked = requests(sight.pod);
    let of = |resource: &str| asked.get(resource).copied().unwrap_or(0);
    if of("cpu") == 0 && of("memory") == 0 {
        return None;
    }
    let even = |node: &Value, with: i64| {
        let mut parts = Vec::new();
        for resource in ["cpu", "memory"] {
            let all = allocatable(node, resource);
            if all > 0 {
                let used = sight.used(node, resource) + with * of(resource);
                parts.push((used as f64 / all as f64).min(1.0));
            }
        }
        let deviation = match parts.as_slice() {
            [a, b] => ((a - b) / 2.0).abs(),
            _ => 0.0,
        };
        ((1.0 - deviation) * 100.0) as i64
    };
    let score = |node: &&Value| 50 + (50 + even(node, 1) - even(node, 0)) / 2;
    Some(feasible.iter().map(score).collect())
}

fn image_name(image: &str) -> String {
    match (image.rfind(':'), image.rfind('/')) {
        (Some(colon), slash) if slash.is_none_or(|slash| colon > slash) => image.to_string(),
        _ => format!("{image}:latest"),
    }
}

fn images(sight: &Sight, node: &Value) -> i64 {
    let has = |node: &Value, wanted: &str| -> Option<i64> {
        let all = node.at("status.images").items().iter();
        let named = |i: &&Value| {
            let names = i.get("names").items();
            names.iter().any(|n| n.as_str() == Some(wanted))
        };
        all.filter(named)
            .map(|i| i.get("sizeBytes").as_int().unwrap_or(0))
            .next()
    };
    let spec = sight.pod.get("spec");
    let containers = spec.get("containers").items().iter();
    let containers: Vec<&Value> = spec
        .get("initContainers")
        .items()
        .iter()
        .chain(containers)
        .map(|c| c.get("image"))
        .collect();
    let volumes = spec.get("volumes").items().iter();
    let volumes = volumes.map(|v| v.at("image.reference"));
    let mut sum = 0;
    for image in containers.iter().copied().chain(volumes) {
        let wanted = image_name(image.str_or_empty());
        if let Some(size) = has(node, &wanted) {
            let holders = sight.nodes.iter().filter(|n| has(n, &wanted).is_some());
            let part = holders.count() as f64 / sight.nodes.len() as f64;
            sum += (size as f64 * part) as i64;
        }
    }
    let (low, high) = (23 << 20, (1000 << 20) * containers.len() as i64);
    let sum = sum.clamp(low, high);
    100 * (sum - low) / (high - low)
}

/// The selector of the Services and of the controller of a Pod.
fn own_selector(sight: &Sight) -> Selector {
    let pod = sight.pod;
    let mut merged: BTreeMap<String, Value> = BTreeMap::new();
    for service in sight.of_kind("Service") {
        let selector = service.at("spec.selector");
        let mine = Some(equalities(selector));
        if namespace(service) == namespace(pod)
            && !selector.is_null()
            && selects(&mine, pod.at("metadata.labels"))
        {
            for (key, value) in selector.entries() {
                merged.insert(key.to_string(), value.clone());
            }
        }
    }
    let mut all = equalities(&Value::from_pairs(merged));
    let owners = pod.at("metadata.ownerReferences").items().iter();
    if let Some(owner) = owners.clone().find(|o| o.get("controller").is_true()) {
        let kind = owner.get("kind").str_or_empty();
        let found = sight
            .of_kind(kind)
            .into_iter()
            .find(|o| owner.get("name") == o.at("metadata.name") && namespace(o) == namespace(pod));
        if let (Some(found), "ReplicaSet" | "StatefulSet") = (found, kind) {
            all.extend(label_selector(found.at("spec.selector")).unwrap_or_default());
        }
    }
    Some(all)
}

fn spread(sight: &Sight, feasible: &[&Value]) -> Option<Vec<i64>> {
    let pod = sight.pod;
    let own = !pod.at("spec.topologySpreadConstraints").items().is_empty();
    let rules = if own {
        spreads(pod, "ScheduleAnyway")
    } else {
        let selector = own_selector(sight);
        if is_empty(&selector) {
            return None;
        }
        vec![
            Spread::system(HOSTNAME, 3, selector.clone()),
            Spread::system("topology.kubernetes.io/zone", 5, selector),
        ]
    };
    if rules.is_empty() {
        return None;
    }
    let complete = |n: &Value| !own || rules.iter().all(|r| label(n, &r.key).is_some());
    let rated: Vec<&&Value> = feasible.iter().filter(|n| complete(n)).collect();
    let raw = |node: &Value| {
        let mut sum = 0.0;
        for rule in &rules {
            let Some(value) = label(node, &rule.key) else {
                continue;
            };
            let values: BTreeSet<&str> = rated
                .iter()
                .map(|n| label(n, &rule.key).unwrap_or(""))
                .collect();
            let (size, count) = if rule.key == HOSTNAME {
                (rated.len(), rule.count(sight, node))
            } else {
                let counted = sight.nodes.iter().filter(|n| {
                    complete(n) && rule.includes(pod, n) && label(n, &rule.key) == Some(value)
                });
                (values.len(), counted.map(|n| rule.count(sight, n)).sum())
            };
            sum += count as f64 * (size as f64 + 2.0).ln() + (rule.max_skew - 1) as f64;
        }
        sum.round() as i64
    };
    let raws: Vec<i64> = rated.iter().map(|n| raw(n)).collect();
    let min = raws.iter().copied().min().unwrap_or(0);
    let max = raws.iter().copied().max().unwrap_or(0);
    let score = |node: &&Value| match max {
        _ if !complete(node) => 0,
        0 => 100,
        max => 100 * (max + min - raw(node)) / max,
    };
    Some(feasible.iter().map(score).collect())
}

fn neighbours(sight: &Sight, feasible: &[&Value]) -> Option<Vec<i64>> {
    let (pod, names) = (sight.pod, sight.namespace_labels());
    let mut worth: BTreeMap<(String, String), i64> = BTreeMap::new();
    for other in &sight.placed {
        let Some(node) = sight.node_of(other) else {
            continue;
        };
        let mut add = |from: &Value, to: &Value, kind: &str, when: &str, factor: i64| {
            for term in terms(from, kind, when) {
                let weight = if when == "required" { 1 } else { term.weight };
                if let Some(value) = label(node, &term.key)
                    && term.means(to, &names)
                {
                    *worth.entry((term.key, value.to_string())).or_default() += factor * weight;
                }
            }
        };
        add(pod, other, "podAffinity", "preferred", 1);
        add(pod, other, "podAntiAffinity", "preferred", -1);
        add(other, pod, "podAffinity", "required", 1);
        add(other, pod, "podAffinity", "preferred", 1);
        add(other, pod, "podAntiAffinity", "preferred", -1);
    }
    if worth.is_empty() {
        return None;
    }
    let raw = |node: &&Value| -> i64 {
        let mine = worth.iter();
        mine.filter(|((key, value), _)| label(node, key) == Some(value))
            .map(|(_, worth)| worth)
            .sum()
    };
    let raws: Vec<i64> = feasible.iter().map(raw).collect();
    let min = raws.iter().copied().min().unwrap_or(0);
    let span = raws.iter().copied().max().unwrap_or(0) - min;
    let score = |r: &i64| match span {
        0 => 0,
        span => (100.0 * ((r - min) as f64 / span as f64)) as i64,
    };
    Some(raws.iter().map(score).collect())
}
