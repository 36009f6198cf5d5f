//! What a scheduling cycle shows: verdicts and scores with the numbers behind them, as plain data.
//!
//! A cycle keeps the facts ([`Receipt`]); the data is made of them when somebody looks.

use super::cache::Cache;
use super::framework::{Decision, PluginScores, Scores, active_filters, schedule};
use super::node_info::{NodeInfo, Slot};
use super::plugins::default_preemption::{CRITERIA, Candidate, PostFilter, criterion, rank};
use super::plugins::{Cycle, PluginId, Plugins};
use super::pod_info::PodInfo;
use super::profile::Profile;
use super::resources::Resource;
use super::verdict::{Reason, Rejection};
use podscope_api::{Text, Value, value};
use podscope_kernel::collections::BTreeMap;
use std::cell::OnceCell;
use std::rc::Rc;

/// Up to this many Nodes every verdict and every score is shown; beyond, a summary and the best.
pub const MAX_SHOWN: usize = 50;
/// How many of the best Nodes a summary shows.
const BEST: usize = 10;

/// The facts of one scheduling cycle as they were then.
pub struct Facts {
    pod: Rc<PodInfo>,
    profile: Rc<Profile>,
    plugins: Rc<Plugins>,
    /// All of it when few Nodes were looked at; else without Nodes, and with the scores of the best.
    decision: Rc<Decision>,
    /// How many Nodes were looked at, and on how many the Pod fits.
    looked: (usize, usize),
    /// How many Nodes were scored.
    scored: usize,
    /// How often each reason was given.
    reasons: BTreeMap<Text, i64>,
    /// The Nodes that are shown, by number.
    nodes: Vec<Rc<NodeInfo>>,
}

/// An extension point whose data is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// PreFilter.
    PreFilter,
    /// Filter.
    Filter,
    /// Score.
    Score,
}

/// What one extension point said, as data that is made when it is first read.
pub struct Receipt {
    facts: Rc<Facts>,
    part: Part,
    value: OnceCell<Value>,
}

impl Receipt {
    /// The receipt of an extension point.
    pub fn new(facts: &Rc<Facts>, part: Part) -> Receipt {
        Receipt {
            facts: facts.clone(),
            part,
            value: OnceCell::new(),
        }
    }

    /// The data: see [`pre_filter`], [`filter`] and [`scores`].
    #[inline(never)]
    pub fn value(&self) -> &Value {
        self.value.get_or_init(|| {
            let cache = Cache::default();
            let look = self.facts.look(&cache);
            match (self.part, &look.decision.scores) {
                (Part::PreFilter, _) => pre_filter(look.decision),
                (Part::Score, Some(all)) => scores(&look, all),
                _ => filter(&look),
            }
        })
    }
}

impl Facts {
    /// Keeps what a cycle's receipts are made of.
    pub fn new(
        pod: &Rc<PodInfo>,
        profile: &Rc<Profile>,
        cache: &Cache,
        plugins: &Rc<Plugins>,
        decision: &Rc<Decision>,
    ) -> Facts {
        let looked = decision.feasible.len() + decision.rejected.len();
        let scores = decision.scores.as_ref();
        let scored = scores.map_or(0, |s| s.nodes.len());
        let kept = if looked <= MAX_SHOWN {
            decision.clone()
        } else {
            Rc::new(summary(decision))
        };
        let scored_nodes = kept.scores.iter().flat_map(|s| &s.nodes);
        let rejected = kept.rejected.iter().map(|(slot, _)| slot);
        let mut slots: Vec<Slot> = kept.feasible.iter().chain(rejected).copied().collect();
        if slots.is_empty() {
            slots.extend(scored_nodes);
        }
        podscope_api::sort::natural(&mut slots);
        Facts {
            pod: pod.clone(),
            profile: profile.clone(),
            plugins: plugins.clone(),
            looked: (looked, decision.feasible.len()),
            scored,
            reasons: reasons(decision),
            nodes: slots.iter().map(|slot| cache.shared(*slot)).collect(),
            decision: kept,
        }
    }

    fn look<'a>(&'a self, cache: &'a Cache) -> Look<'a> {
        Look {
            cycle: Cycle {
                cache,
                profile: &self.profile,
                pod: &self.pod,
            },
            plugins: &self.plugins,
            decision: &self.decision,
            looked: self.looked,
            scored: self.scored,
            reasons: &self.reasons,
            nodes: &self.nodes,
        }
    }
}

/// What data is made of.
struct Look<'a> {
    /// The cache is empty when the data is made later.
    cycle: Cycle<'a>,
    plugins: &'a Plugins,
    decision: &'a Decision,
    looked: (usize, usize),
    scored: usize,
    reasons: &'a BTreeMap<Text, i64>,
    nodes: &'a [Rc<NodeInfo>],
}

impl Look<'_> {
    fn node(&self, slot: Slot) -> &NodeInfo {
        let at = self.nodes.binary_search_by_key(&slot, |node| node.slot);
        let node = at.ok().and_then(|at| self.nodes.get(at));
        node.expect("invariant: the facts hold every Node that is shown")
    }
}

/// How often each reason was given.
fn reasons(decision: &Decision) -> BTreeMap<Text, i64> {
    let mut reasons: BTreeMap<Text, i64> = BTreeMap::new();
    for (_, rejection) in &decision.rejected {
        for reason in &rejection.reasons {
            *reasons.entry(reason.message()).or_default() += 1;
        }
    }
    reasons
}

/// A decision without its Nodes but with the scores of the best.
fn summary(decision: &Decision) -> Decision {
    let best = |all: &Scores| {
        let mut places: Vec<usize> = (0..all.nodes.len()).collect();
        if places.len() > MAX_SHOWN {
            places = best_places(&all.totals);
        }
        let chosen = |list: &[i64]| places.iter().map(|i| list[*i]).collect();
        let mut by_plugin = Vec::with_capacity(all.by_plugin.len());
        for by in &all.by_plugin {
            by_plugin.push(PluginScores {
                plugin: by.plugin,
                raw: chosen(&by.raw),
                normalized: chosen(&by.normalized),
            });
        }
        Scores {
            nodes: places.iter().map(|i| all.nodes[*i]).collect(),
            by_plugin,
            skipped: all.skipped.clone(),
            totals: chosen(&all.totals),
        }
    };
    Decision {
        nodes: decision.nodes,
        skipped_filters: decision.skipped_filters.clone(),
        pre_filter: decision.pre_filter.clone(),
        narrowed: decision.narrowed.clone(),
        scores: decision.scores.as_ref().map(best),
        chosen: decision.chosen,
        next_start: decision.next_start,
        ..Decision::default()
    }
}

/// The places of the largest totals, largest first, earlier ones first among equals.
fn best_places(totals: &[i64]) -> Vec<usize> {
    let mut best: Vec<usize> = Vec::with_capacity(BEST + 1);
    for (i, total) in totals.iter().enumerate() {
        if best.len() == BEST && best.last().is_some_and(|last| *total <= totals[*last]) {
            continue;
        }
        let at = best.partition_point(|place| totals[*place] >= *total);
        best.insert(at, i);
        best.truncate(BEST);
    }
    best
}

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

/// What PreFilter said: `{skipped, rejected?, narrowedBy?, left?}`.
fn pre_filter(decision: &Decision) -> Value {
    let mut out = value!({"skipped": (names(&decision.skipped_filters))});
    if let Some(no) = &decision.pre_filter {
        out.set("rejected", rejection(no));
    }
    if let Some((by, left)) = &decision.narrowed {
        out.set("narrowedBy", names(by));
        out.set("left", i64::try_from(*left).unwrap_or(i64::MAX));
    }
    out
}

/// What Filter said: `{nodes, feasible, plugins, skipped, reasons: {message: count}, verdicts?: [{node,
/// resources, rejected?}]}`; verdicts only when all of them are kept.
fn filter(look: &Look) -> Value {
    let (decision, profile) = (look.decision, look.cycle.profile);
    let reasons = look.reasons.iter();
    let reasons = reasons.map(|(message, n)| (message.clone(), Value::Int(*n)));
    let mut out = value!({
        "nodes": (count(look.looked.0)),
        "feasible": (count(look.looked.1)),
        "plugins": (names(&active_filters(profile, &decision.skipped_filters))),
        "skipped": (names(&decision.skipped_filters)),
        "reasons": (Value::from_pairs(reasons))
    });
    if decision.feasible.len() + decision.rejected.len() == look.looked.0 {
        let verdict = |slot: &Slot| {
            let node = look.node(*slot);
            value!({"node": (node.name.clone()), "resources": (room(look.cycle.pod, node))})
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
/// normalized, weighted, account}]}]}`; with many Nodes only the best are kept.
fn scores(look: &Look, scores: &Scores) -> Value {
    let nodes = scores.nodes.iter().enumerate().map(|(i, slot)| {
        let node = look.node(*slot);
        let parts = scores.by_plugin.iter().map(|by| {
            let id = by.plugin;
            value!({
                "plugin": (id.name()), "raw": (by.raw[i]), "normalized": (by.normalized[i]),
                "weighted": (by.normalized[i] * id.weight()),
                "account": (look.plugins.account(id, look.cycle, node))
            })
        });
        value!({
            "node": (node.name.clone()), "total": (scores.totals[i]),
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
        "scored": (count(look.scored)),
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
    let mut slots = cache.order().to_vec();
    podscope_api::sort::natural(&mut slots);
    let nodes: Vec<Rc<NodeInfo>> = slots.iter().map(|slot| cache.shared(*slot)).collect();
    let feasible = decision.feasible.len();
    let look = Look {
        cycle: Cycle {
            cache,
            profile,
            pod,
        },
        plugins: &plugins,
        decision: &decision,
        looked: (feasible + decision.rejected.len(), feasible),
        scored: decision.scores.as_ref().map_or(0, |s| s.nodes.len()),
        reasons: &reasons(&decision),
        nodes: &nodes,
    };
    let mut out = value!({"filter": (filter(&look))});
    if let Some(no) = &decision.pre_filter {
        out.set("preFilter", rejection(no));
    }
    if let Some(all) = &decision.scores {
        out.set("scores", scores(&look, all));
    }
    match decision.chosen {
        Some(slot) => out.set("chosen", name(cache, slot)),
        None => out.set("message", decision.fit_error("")),
    }
    out
}
