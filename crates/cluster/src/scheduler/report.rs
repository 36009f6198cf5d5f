//! What a scheduling cycle shows: verdicts and scores with the numbers behind them, as plain data.

use super::cache::Cache;
use super::framework::{Decision, Scores, schedule};
use super::node_info::Slot;
use super::plugins::default_preemption::PostFilter;
use super::plugins::{Cycle, Plugins};
use super::pod_info::PodInfo;
use super::profile::Profile;
use super::verdict::{Reason, Rejection};
use podscope_api::{Text, Value, value};
use std::collections::BTreeMap;

/// Up to this many Nodes every verdict and every score is shown; beyond, a summary and the best.
pub const MAX_SHOWN: usize = 50;
/// How many of the best Nodes a summary shows.
const BEST: usize = 10;

fn name(cache: &Cache, slot: Slot) -> Value {
    Value::Str(cache.node(slot).name.clone())
}

fn count(n: usize) -> Value {
    Value::Int(i64::try_from(n).unwrap_or(i64::MAX))
}

/// One reason: `{message, facts?}`.
fn reason(reason: &Reason) -> Value {
    let mut out = value!({"message": (reason.message())});
    let facts = reason.facts();
    if !facts.is_null() {
        out.set("facts", facts);
    }
    out
}

/// A plugin's no: `{plugin, code, reasons: [{message, facts?}]}`.
pub fn rejection(rejection: &Rejection) -> Value {
    value!({
        "plugin": (rejection.plugin.name()),
        "code": (rejection.code.name()),
        "reasons": (Value::list(rejection.reasons.iter().map(reason)))
    })
}

/// What Filter said: `{nodes, feasible, skipped, reasons: {message: count}, verdicts?: [{node, rejected?}]}`.
/// `all` shows the verdicts of any number of Nodes.
pub fn filter(cache: &Cache, decision: &Decision, all: bool) -> Value {
    let mut reasons: BTreeMap<Text, i64> = BTreeMap::new();
    for (_, rejection) in &decision.rejected {
        for reason in &rejection.reasons {
            *reasons.entry(reason.message()).or_default() += 1;
        }
    }
    let skipped = decision
        .skipped_filters
        .iter()
        .map(|id| Value::str(id.name()));
    let mut out = value!({
        "nodes": (count(decision.feasible.len() + decision.rejected.len())),
        "feasible": (count(decision.feasible.len())),
        "skipped": (Value::list(skipped))
    });
    let reasons = reasons
        .into_iter()
        .map(|(message, n)| (message, Value::Int(n)));
    out.set("reasons", Value::from_pairs(reasons));
    if all || decision.feasible.len() + decision.rejected.len() <= MAX_SHOWN {
        let yes = decision
            .feasible
            .iter()
            .map(|slot| value!({"node": (name(cache, *slot))}));
        let no = decision
            .rejected
            .iter()
            .map(|(slot, no)| value!({"node": (name(cache, *slot)), "rejected": (rejection(no))}));
        out.set("verdicts", Value::list(yes.chain(no)));
    }
    out
}

/// What Score said: `{skipped, plugins: [{plugin, weight}], nodes: [{node, total, scores: [{plugin, raw,
/// normalized, weighted, account}]}]}`; with many Nodes only the best, unless `all`.
pub fn scores(cycle: Cycle, plugins: &Plugins, scores: &Scores, all: bool) -> Value {
    let mut places: Vec<usize> = (0..scores.nodes.len()).collect();
    if !all && places.len() > MAX_SHOWN {
        places.sort_by_key(|i| (std::cmp::Reverse(scores.totals[*i]), *i));
        places.truncate(BEST);
    }
    let nodes = places.into_iter().map(|i| {
        let slot = scores.nodes[i];
        let parts = scores.by_plugin.iter().map(|by| {
            let id = by.plugin;
            value!({
                "plugin": (id.name()), "raw": (by.raw[i]), "normalized": (by.normalized[i]),
                "weighted": (by.normalized[i] * id.weight()),
                "account": (plugins.account(id, cycle, cycle.cache.node(slot)))
            })
        });
        value!({
            "node": (name(cycle.cache, slot)), "total": (scores.totals[i]),
            "scores": (Value::list(parts.collect::<Vec<_>>()))
        })
    });
    let weights = scores
        .by_plugin
        .iter()
        .map(|by| value!({"plugin": (by.plugin.name()), "weight": (by.plugin.weight())}));
    let skipped = scores.skipped.iter().map(|id| Value::str(id.name()));
    value!({
        "skipped": (Value::list(skipped)),
        "plugins": (Value::list(weights)),
        "scored": (count(scores.nodes.len())),
        "nodes": (Value::list(nodes.collect::<Vec<_>>()))
    })
}

/// What PostFilter said: `{chosen?, candidates: [{node, victims: [{namespace, name, priority}], violations}],
/// rejected: {message: count}}`.
pub fn preemption(cache: &Cache, out: &PostFilter) -> Value {
    let candidates = out
        .dry_run
        .candidates
        .iter()
        .take(MAX_SHOWN)
        .map(|candidate| {
            let victims = candidate.victims.iter().map(|pod| {
                value!({
                    "namespace": (pod.key.namespace.clone()), "name": (pod.key.name.clone()),
                    "priority": (pod.priority)
                })
            });
            value!({
                "node": (name(cache, candidate.node)),
                "victims": (Value::list(victims.collect::<Vec<_>>())),
                "violations": (Value::Int(i64::try_from(candidate.violations).unwrap_or(i64::MAX)))
            })
        });
    let mut reasons: BTreeMap<Text, i64> = BTreeMap::new();
    for texts in out.dry_run.rejected.values() {
        for text in texts {
            *reasons.entry(text.clone()).or_default() += 1;
        }
    }
    let reasons = reasons
        .into_iter()
        .map(|(message, n)| (message, Value::Int(n)));
    let mut shown = value!({
        "candidates": (Value::list(candidates.collect::<Vec<_>>())),
        "rejected": (Value::from_pairs(reasons))
    });
    if let Some(chosen) = &out.chosen {
        shown.set("chosen", name(cache, chosen.node));
    }
    shown
}

/// Where a Pod would go now and why, with every verdict and every score: `{filter, scores?, chosen?, message?}`.
pub fn explain(pod: &PodInfo, cache: &Cache, profile: &Profile, start: u64) -> Value {
    let (decision, plugins) = schedule(pod, cache, profile, start);
    let cycle = Cycle {
        cache,
        profile,
        pod,
    };
    let mut out = value!({"filter": (filter(cache, &decision, true))});
    if let Some(no) = &decision.pre_filter {
        out.set("preFilter", rejection(no));
    }
    if let Some(all) = &decision.scores {
        out.set("scores", scores(cycle, &plugins, all, true));
    }
    match decision.chosen {
        Some(slot) => out.set("chosen", name(cache, slot)),
        None => out.set("message", decision.fit_error("")),
    }
    out
}
