//! What a scheduling cycle shows: verdicts and scores with the numbers behind them, as plain data.

use super::cache::Cache;
use super::framework::{Decision, Scores, active_filters, schedule};
use super::node_info::{NodeInfo, Slot};
use super::plugins::default_preemption::{CRITERIA, Candidate, PostFilter, criterion, rank};
use super::plugins::{Cycle, PluginId, Plugins};
use super::pod_info::PodInfo;
use super::profile::Profile;
use super::resources::Resource;
use super::verdict::{Reason, Rejection};
use podscope_api::{Text, Value, value};
use podscope_kernel::collections::BTreeMap;

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
#[inline(never)]
pub fn rejection(rejection: &Rejection) -> Value {
    value!({
        "plugin": (rejection.plugin.name()),
        "code": (rejection.code.name()),
        "reasons": (Value::list(rejection.reasons.iter().map(reason)))
    })
}

/// What the Pod asks for, what is taken and what the Node has: `[{resource, requested, used, allocatable}]`.
fn room(pod: &PodInfo, node: &NodeInfo) -> Value {
    let asked = pod.requests.scalar.iter();
    let asked = asked.map(|(name, _)| Resource::Scalar(name.clone()));
    let shown = [Resource::Cpu, Resource::Memory].into_iter().chain(asked);
    let row = |resource: Resource| {
        value!({
            "resource": (resource.name()),
            "requested": (pod.requests.amount(&resource)),
            "used": (node.requested.amount(&resource)),
            "allocatable": (node.allocatable.amount(&resource))
        })
    };
    Value::list(shown.map(row).collect::<Vec<_>>())
}

/// Names of plugins as a list.
pub fn names<'a>(plugins: impl IntoIterator<Item = &'a PluginId>) -> Value {
    let names = plugins.into_iter().map(|id| Value::str(id.name()));
    Value::list(names.collect::<Vec<_>>())
}

/// What Filter said: `{nodes, feasible, plugins, skipped, reasons: {message: count}, verdicts?: [{node,
/// resources, rejected?}]}`. `all` shows the verdicts of any number of Nodes.
pub fn filter(cycle: Cycle, decision: &Decision, all: bool) -> Value {
    let cache = cycle.cache;
    let mut reasons: BTreeMap<Text, i64> = BTreeMap::new();
    for (_, rejection) in &decision.rejected {
        for reason in &rejection.reasons {
            *reasons.entry(reason.message()).or_default() += 1;
        }
    }
    let reasons = reasons.into_iter();
    let reasons = reasons.map(|(message, n)| (message, Value::Int(n)));
    let nodes = decision.feasible.len() + decision.rejected.len();
    let mut out = value!({
        "nodes": (count(nodes)),
        "feasible": (count(decision.feasible.len())),
        "plugins": (names(&active_filters(cycle.profile, &decision.skipped_filters))),
        "skipped": (names(&decision.skipped_filters)),
        "reasons": (Value::from_pairs(reasons))
    });
    if all || nodes <= MAX_SHOWN {
        let verdict = |slot: &Slot| {
            let room = room(cycle.pod, cache.node(*slot));
            value!({"node": (name(cache, *slot)), "resources": (room)})
        };
        let yes = decision.feasible.iter().map(verdict);
        let no = decision.rejected.iter().map(|(slot, no)| {
            let mut verdict = verdict(slot);
            verdict.set("rejected", rejection(no));
            verdict
        });
        out.set("verdicts", Value::list(yes.chain(no)));
    }
    out
}

/// What Score said: `{skipped, plugins: [{plugin, weight}], nodes: [{node, total, scores: [{plugin, raw,
/// normalized, weighted, account}]}]}`; with many Nodes only the best, unless `all`.
pub fn scores(cycle: Cycle, plugins: &Plugins, scores: &Scores, all: bool) -> Value {
    let mut places: Vec<usize> = (0..scores.nodes.len()).collect();
    if !all && places.len() > MAX_SHOWN {
        podscope_api::sort::by_key(&mut places, |i| (std::cmp::Reverse(scores.totals[*i]), *i));
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
    value!({
        "skipped": (names(&scores.skipped)),
        "plugins": (Value::list(weights)),
        "scored": (count(scores.nodes.len())),
        "nodes": (Value::list(nodes.collect::<Vec<_>>()))
    })
}

/// What PostFilter said: `{chosen?, criterion?, candidates: [{node, victims: [{namespace, name, priority}],
/// violations, rank}], rejected: {message: count}}`. `rank` has one number for each of the criteria, the smaller the
/// better; `criterion` is the one that decided.
#[inline(never)]
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
                "violations": (Value::Int(i64::try_from(candidate.violations).unwrap_or(i64::MAX))),
                "rank": (ranks(candidate))
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
        shown.set("criterion", criterion(&out.dry_run.candidates, chosen));
    }
    shown
}

fn ranks(candidate: &Candidate) -> Value {
    let ranks = CRITERIA.iter().zip(rank(candidate));
    Value::from_pairs(ranks.map(|(name, rank)| (*name, Value::Int(rank))))
}

/// Where a Pod would go now and why, with every verdict and every score: `{filter, scores?, chosen?, message?}`.
pub fn explain(pod: &PodInfo, cache: &Cache, profile: &Profile, start: u64) -> Value {
    let (decision, plugins) = schedule(pod, cache, profile, start);
    let cycle = Cycle {
        cache,
        profile,
        pod,
    };
    let mut out = value!({"filter": (filter(cycle, &decision, true))});
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
