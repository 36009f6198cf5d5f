//! A whole scheduling attempt: what the reference says of it, in a form to compare.

use crate::filters::*;
use crate::generate::World;
use crate::matching::*;
use crate::preemption::{self, Victims};
use crate::scores;
use podscope_api::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What came of an attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Code and text when the Pod itself was rejected.
    pub pre_filter: String,
    /// `ok`, or code, plugin and sorted reasons, by Node; Nodes that were not looked at are absent.
    pub verdicts: BTreeMap<String, String>,
    /// Weighted parts by plugin, then the total, by Node; empty when nothing was scored.
    pub scores: BTreeMap<String, Vec<(String, i64)>>,
    /// Nodes that may be chosen.
    pub chosen: Vec<String>,
    /// Where preemption would make room.
    pub candidates: Vec<Victims>,
    /// Which of them it may choose.
    pub nominated: Vec<String>,
    /// The whole message when the Pod fits nowhere.
    pub message: String,
    /// Where the next attempt begins.
    pub next_start: u64,
}

pub fn verdict(no: &Option<No>) -> String {
    match no {
        None => "ok".to_string(),
        Some(no) => {
            let mut reasons = no.reasons.clone();
            reasons.sort();
            format!("{} {}: {}", no.code, no.plugin, reasons.join("; "))
        }
    }
}

/// Zones in order of appearance, one Node of each in turn.
pub fn tree_order(nodes: &[Value]) -> Vec<&Value> {
    let mut zones: Vec<((String, String), Vec<&Value>)> = Vec::new();
    for node in nodes {
        let part = |what: &str| {
            let old = label(node, &format!("failure-domain.beta.kubernetes.io/{what}"));
            let new = label(node, &format!("topology.kubernetes.io/{what}"));
            old.or(new).unwrap_or("").to_string()
        };
        let zone = (part("region"), part("zone"));
        match zones.iter_mut().find(|(z, _)| *z == zone) {
            Some((_, nodes)) => nodes.push(node),
            None => zones.push((zone, vec![node])),
        }
    }
    let longest = zones.iter().map(|(_, n)| n.len()).max().unwrap_or(0);
    (0..longest)
        .flat_map(|i| zones.iter().filter_map(move |(_, n)| n.get(i).copied()))
        .collect()
}

/// The names that node affinity narrows the search to.
fn narrowed(pod: &Value) -> Option<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    let terms = required_node_terms(pod).get("nodeSelectorTerms").items();
    if terms.is_empty() {
        return None;
    }
    for term in terms {
        let mut mine: Option<BTreeSet<String>> = None;
        for field in term.get("matchFields").items() {
            if field.get("operator").as_str() == Some("In") {
                let values = field.get("values").items().iter();
                let values: BTreeSet<String> =
                    values.map(|v| v.str_or_empty().to_string()).collect();
                mine = Some(match mine {
                    None => values,
                    Some(mine) => mine.intersection(&values).cloned().collect(),
                });
            }
        }
        names.extend(mine?);
    }
    Some(names)
}

/// A max-heap's root when built as container/heap builds it.
fn root(totals: &[i64]) -> usize {
    let mut heap: Vec<usize> = (0..totals.len()).collect();
    for top in (0..heap.len() / 2).rev() {
        let mut i = top;
        loop {
            let mut j = 2 * i + 1;
            if j >= heap.len() {
                break;
            }
            if j + 1 < heap.len() && totals[heap[j + 1]] > totals[heap[j]] {
                j += 1;
            }
            if totals[heap[j]] <= totals[heap[i]] {
                break;
            }
            heap.swap(i, j);
            i = j;
        }
    }
    heap[0]
}

fn histogram(nodes: usize, reasons: impl IntoIterator<Item = String>) -> String {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for reason in reasons {
        *counts.entry(reason).or_default() += 1;
    }
    let mut parts: Vec<String> = counts.iter().map(|(r, n)| format!("{n} {r}")).collect();
    parts.sort();
    format!("0/{nodes} nodes are available: {}.", parts.join(", "))
}

/// The reference's answer.
pub fn attempt(world: &World) -> Outcome {
    let sight = world.sight();
    let mut out = Outcome {
        next_start: world.start,
        ..Outcome::default()
    };
    let count = sight.nodes.len();
    if count == 0 {
        out.message = "no nodes available to schedule pods".to_string();
        return out;
    }
    let only = narrowed(sight.pod);
    if only.as_ref().is_some_and(BTreeSet::is_empty) {
        let text = "pod affinity terms conflict";
        out.pre_filter = format!("{UU} NodeAffinity: {text}");
        out.message = format!("0/{count} nodes are available: {text}. not found");
        return out;
    }
    let skipped = skipped(&sight);
    let nominated = sight.pod.at("status.nominatedNodeName").str_or_empty();
    let waits_for = sight.nodes.iter().find(|n| name(n) == nominated);
    if let Some(node) = waits_for
        && with_plans(&sight, node, &skipped).is_none()
    {
        out.verdicts.insert(name(node).to_string(), "ok".into());
        out.chosen = vec![name(node).to_string()];
        return out;
    }
    let order = match &only {
        None => tree_order(sight.nodes),
        Some(only) => {
            let listed = only.iter();
            listed
                .filter_map(|o| sight.nodes.iter().find(|n| name(n) == o))
                .collect()
        }
    };
    let (mut feasible, mut said) = (Vec::new(), BTreeMap::new());
    for i in 0..order.len() {
        let node = order[(i + world.start as usize) % order.len()];
        let no = with_plans(&sight, node, &skipped);
        out.verdicts.insert(name(node).to_string(), verdict(&no));
        match no {
            None => feasible.push(node),
            Some(no) => {
                said.insert(name(node).to_string(), no);
            }
        }
    }
    out.next_start = (world.start + order.len() as u64) % count as u64;
    match feasible.as_slice() {
        [] => fail(&sight, &mut out, &said, &skipped),
        [one] => out.chosen = vec![name(one).to_string()],
        many => choose(&sight, &mut out, many),
    }
    out
}

fn choose(sight: &Sight, out: &mut Outcome, feasible: &[&Value]) {
    let mut totals = vec![0; feasible.len()];
    for (plugin, weight) in scores::WEIGHTS {
        let Some(normalized) = scores::one(plugin, sight, feasible) else {
            continue;
        };
        for (i, node) in feasible.iter().enumerate() {
            assert!((0..=100).contains(&normalized[i]), "a score out of range");
            totals[i] += weight * normalized[i];
            let mine = out.scores.entry(name(node).to_string()).or_default();
            mine.push((plugin.to_string(), weight * normalized[i]));
        }
    }
    for (i, node) in feasible.iter().enumerate() {
        let mine = out.scores.entry(name(node).to_string()).or_default();
        mine.push(("total".to_string(), totals[i]));
    }
    out.chosen = vec![name(feasible[root(&totals)]).to_string()];
}

fn fail(
    sight: &Sight,
    out: &mut Outcome,
    said: &BTreeMap<String, No>,
    skipped: &BTreeSet<&'static str>,
) {
    let count = sight.nodes.len();
    let absent = count - said.len();
    let left_out = "node(s) didn't satisfy plugin(s) [NodeAffinity]".to_string();
    let reasons = said.values().flat_map(|no| no.reasons.clone());
    let first = histogram(count, reasons.chain(std::iter::repeat_n(left_out, absent)));
    let nominated = sight.pod.at("status.nominatedNodeName").str_or_empty();
    let claims = "no new claims to deallocate, preemption: ";
    if let Some(why) = preemption::ineligible(sight, nominated, said) {
        out.message = format!("{first} {claims}{why}");
        return;
    }
    let mut reasons = Vec::new();
    for node in sight.nodes {
        let helpful = said.get(name(node)).is_some_and(|no| no.code == U);
        match helpful.then(|| preemption::dry_run(sight, node, skipped)) {
            None => reasons.push("Preemption is not helpful for scheduling".to_string()),
            Some(Ok(victims)) => out.candidates.push(victims),
            Some(Err(why)) => reasons.extend(why),
        }
    }
    out.candidates.sort_by(|a, b| a.node.cmp(&b.node));
    out.nominated = preemption::best(sight, &out.candidates);
    out.message = match out.candidates.is_empty() {
        true => format!("{first} {claims}{}", histogram(count, reasons)),
        false => first,
    };
}
