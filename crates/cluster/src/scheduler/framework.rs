//! One scheduling decision as a pure function: PreFilter, Filter, PreScore, Score, NormalizeScore, choice.
//!
//! Models: `pkg/scheduler/schedule_one.go`, `pkg/scheduler/framework/runtime` (v1.36). Left out: extenders;
//! sixteen workers, so that Nodes are looked at strictly in order.

use super::cache::Cache;
use super::fit_error;
use super::node_info::{NodeInfo, Slot};
use super::plugins::{Cycle, PluginId, Plugins, PreFilter};
use super::pod_info::PodInfo;
use super::profile::Profile;
use super::verdict::{Code, Rejection};
use podscope_api::Text;
use podscope_kernel::collections::BTreeSet;
use std::rc::Rc;

/// With fewer Nodes than this all of them are looked at; otherwise at least this many feasible ones are sought.
const MIN_FEASIBLE: i64 = 100;

/// One plugin's scores, in the order of [`Scores::nodes`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PluginScores {
    /// The plugin.
    pub plugin: PluginId,
    /// What Score said.
    pub raw: Vec<i64>,
    /// What NormalizeScore made of it, 0 to 100; times the plugin's weight it counts.
    pub normalized: Vec<i64>,
}

/// The scores of all feasible Nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scores {
    /// The Nodes.
    pub nodes: Vec<Slot>,
    /// By plugin, in plugin order.
    pub by_plugin: Vec<PluginScores>,
    /// Plugins whose PreScore said that they have nothing to say.
    pub skipped: Vec<PluginId>,
    /// Each Node's sum of weighted scores.
    pub totals: Vec<i64>,
}

/// The outcome of one scheduling cycle up to the choice of a Node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Decision {
    /// How many Nodes there were.
    pub nodes: u64,
    /// Plugins whose PreFilter said that their Filter need not run.
    pub skipped_filters: Vec<PluginId>,
    /// The rejection of the Pod before any Node was looked at.
    pub pre_filter: Option<Rejection>,
    /// Plugins that narrowed the Nodes down before filtering, and how many were left.
    pub narrowed: Option<(Vec<PluginId>, u64)>,
    /// Nodes that were rejected, in the order in which they were looked at.
    pub rejected: Vec<(Slot, Rejection)>,
    /// Nodes on which the Pod fits, in the order in which they were looked at.
    pub feasible: Vec<Slot>,
    /// The scores, when there was a choice.
    pub scores: Option<Scores>,
    /// The chosen Node.
    pub chosen: Option<Slot>,
    /// Where the next cycle begins to look.
    pub next_start: u64,
}

/// How many feasible Nodes are enough. `percentage` 0 is adaptive: fewer percent the more Nodes there are.
///
/// Models: `numFeasibleNodesToFind` (v1.36)
pub fn num_feasible_nodes_to_find(percentage: i64, nodes: i64) -> i64 {
    if nodes < MIN_FEASIBLE {
        return nodes;
    }
    let percentage = if percentage == 0 {
        (50 - nodes / 125).max(5)
    } else {
        percentage
    };
    (nodes.saturating_mul(percentage) / 100).max(MIN_FEASIBLE)
}

/// Runs a scheduling cycle for `pod`. `start` is where to begin to look at Nodes (see
/// [`Decision::next_start`]).
pub fn schedule(
    pod: &PodInfo,
    cache: &Cache,
    profile: &Profile,
    start: u64,
) -> (Decision, Plugins) {
    let cycle = Cycle {
        cache,
        profile,
        pod,
    };
    let mut plugins = Plugins::default();
    let mut decision = find_feasible(cycle, &mut plugins, start);
    choose(cycle, &mut plugins, &mut decision);
    (decision, plugins)
}

/// Chooses among the feasible Nodes; a single one is taken without scoring.
pub fn choose(cycle: Cycle, plugins: &mut Plugins, decision: &mut Decision) {
    match decision.feasible.as_slice() {
        [] => {}
        [only] => decision.chosen = Some(*only),
        nodes => {
            let scores = score(cycle, plugins, nodes);
            decision.chosen = select_host(&scores);
            decision.scores = Some(scores);
        }
    }
}

/// PreFilter and Filter.
pub fn find_feasible(cycle: Cycle, plugins: &mut Plugins, start: u64) -> Decision {
    let cache = cycle.cache;
    let mut decision = Decision {
        nodes: cache.len() as u64,
        next_start: start,
        ..Decision::default()
    };
    if cache.is_empty() {
        return decision;
    }
    let only = match pre_filter(cycle, plugins, &mut decision) {
        Ok(only) => only,
        Err(rejection) => {
            decision.pre_filter = Some(rejection);
            return decision;
        }
    };
    let active = active_filters(cycle.profile, &decision.skipped_filters);
    let nominated = cache.find(cycle.pod.nominated()).filter(|node| {
        let left_out = only.as_ref().is_some_and(|only| !only.contains(&node.name));
        !left_out && filter_with_nominated(cycle, plugins, &active, node).is_ok()
    });
    if let Some(node) = nominated {
        decision.feasible.push(node.slot);
        return decision;
    }
    let narrowed: Option<Vec<Slot>> = only.map(|names| {
        names
            .iter()
            .filter_map(|name| cache.find(name))
            .map(|node| node.slot)
            .collect()
    });
    let order = narrowed.as_deref().unwrap_or(cache.order());
    let wanted = num_feasible_nodes_to_find(cycle.profile.percentage_of_nodes, order.len() as i64);
    let first = (start % order.len().max(1) as u64) as usize;
    let (before, after) = order.split_at(first);
    for slot in after.iter().chain(before) {
        match filter_with_nominated(cycle, plugins, &active, cache.node(*slot)) {
            Ok(()) => decision.feasible.push(*slot),
            Err(rejection) => decision.rejected.push((*slot, rejection)),
        }
        if decision.feasible.len() as i64 >= wanted {
            break;
        }
    }
    let examined = (decision.feasible.len() + decision.rejected.len()) as u64;
    decision.next_start = (start + examined) % cache.len() as u64;
    if let Some(narrowed) = &narrowed {
        let by = std::mem::take(&mut decision.narrowed)
            .map(|(by, _)| by)
            .unwrap_or_default();
        decision.narrowed = Some((by, narrowed.len() as u64));
    }
    decision
}

fn pre_filter(
    cycle: Cycle,
    plugins: &mut Plugins,
    decision: &mut Decision,
) -> Result<Option<BTreeSet<Text>>, Rejection> {
    let mut only: Option<BTreeSet<Text>> = None;
    let mut narrowed_by = Vec::new();
    let mut rejection = None;
    for id in cycle
        .profile
        .enabled
        .iter()
        .copied()
        .filter(|id| id.filters())
    {
        match plugins.pre_filter(id, cycle) {
            PreFilter::Success => {}
            PreFilter::Skip => decision.skipped_filters.push(id),
            PreFilter::Only(names) => {
                narrowed_by.push(id);
                only = Some(match only {
                    Some(only) => only.intersection(&names).cloned().collect(),
                    None => names,
                });
            }
            PreFilter::Reject(rejected) => {
                if rejected.code != Code::Unschedulable {
                    return Err(rejected);
                }
                rejection.get_or_insert(rejected);
            }
        }
    }
    if !narrowed_by.is_empty() {
        decision.narrowed = Some((narrowed_by, 0));
    }
    match rejection {
        Some(rejection) => Err(rejection),
        None => Ok(only),
    }
}

/// The enabled plugins whose Filter runs.
pub fn active_filters(profile: &Profile, skipped: &[PluginId]) -> Vec<PluginId> {
    let enabled = profile.enabled.iter().copied();
    enabled
        .filter(|id| id.filters() && !skipped.contains(id))
        .collect()
}

/// Filter: every active plugin in order, until one says no.
pub fn filter(
    cycle: Cycle,
    plugins: &Plugins,
    active: &[PluginId],
    node: &NodeInfo,
) -> Result<(), Rejection> {
    for id in active {
        plugins.filter(*id, cycle, node)?;
    }
    Ok(())
}

/// Filter, first as if the Pods that wait for this Node and are at least as important were there, then without.
pub fn filter_with_nominated(
    cycle: Cycle,
    plugins: &Plugins,
    active: &[PluginId],
    node: &NodeInfo,
) -> Result<(), Rejection> {
    if cycle.cache.has_nominations() {
        let waiting = cycle.cache.nominated_to(&node.name).iter();
        let waiting: Vec<&Rc<PodInfo>> = waiting
            .filter(|pod| pod.priority >= cycle.pod.priority && !pod.is_same(cycle.pod))
            .collect();
        if !waiting.is_empty() {
            let (mut node, mut plugins) = (node.clone(), plugins.clone());
            for pod in waiting {
                for id in active {
                    plugins.change(*id, cycle, &node, pod, 1);
                }
                node.add_pod(pod.clone(), u32::MAX);
            }
            filter(cycle, &plugins, active, &node)?;
        }
    }
    filter(cycle, plugins, active, node)
}

/// PreScore, Score and NormalizeScore for these Nodes.
pub fn score(cycle: Cycle, plugins: &mut Plugins, nodes: &[Slot]) -> Scores {
    let mut scores = Scores {
        nodes: nodes.to_vec(),
        totals: vec![0; nodes.len()],
        ..Scores::default()
    };
    for id in cycle
        .profile
        .enabled
        .iter()
        .copied()
        .filter(|id| id.weight() > 0)
    {
        if !plugins.pre_score(id, cycle, nodes) {
            scores.skipped.push(id);
            continue;
        }
        let raw = plugins.scores(id, cycle, nodes);
        let mut normalized = raw.clone();
        plugins.normalize(id, cycle, nodes, &mut normalized);
        for (total, score) in scores.totals.iter_mut().zip(&normalized) {
            *total += score * id.weight();
        }
        scores.by_plugin.push(PluginScores {
            plugin: id,
            raw,
            normalized,
        });
    }
    scores
}

fn select_host(scores: &Scores) -> Option<Slot> {
    let keys: Vec<(i64, i64)> = scores.totals.iter().map(|total| (*total, 0)).collect();
    let mut heap: Vec<usize> = (0..keys.len()).collect();
    heapify(&mut heap, &keys);
    scores.nodes.get(*heap.first()?).copied()
}

/// The order in which Nodes with these (total, randomizer) come off the heap, as positions.
///
/// Models: `selectHost` (v1.36)
pub fn pop_order(keys: &[(i64, i64)]) -> Vec<usize> {
    let mut heap: Vec<usize> = (0..keys.len()).collect();
    heapify(&mut heap, keys);
    let mut order = Vec::with_capacity(heap.len());
    while !heap.is_empty() {
        order.push(heap.swap_remove(0));
        sift_down(&mut heap, keys, 0);
    }
    order
}

fn heapify(heap: &mut [usize], keys: &[(i64, i64)]) {
    for at in (0..heap.len() / 2).rev() {
        sift_down(heap, keys, at);
    }
}

/// As Go's container/heap: the left child is preferred on equal keys, and equal keys never swap.
fn sift_down(heap: &mut [usize], keys: &[(i64, i64)], mut at: usize) {
    let better = |heap: &[usize], a: usize, b: usize| keys[heap[a]] > keys[heap[b]];
    loop {
        let mut child = 2 * at + 1;
        if child >= heap.len() {
            return;
        }
        if child + 1 < heap.len() && better(heap, child + 1, child) {
            child += 1;
        }
        if !better(heap, child, at) {
            return;
        }
        heap.swap(at, child);
        at = child;
    }
}

impl Decision {
    /// Nodes that were left out before filtering.
    pub fn absent(&self) -> u64 {
        match self.narrowed {
            Some((_, left)) => self.nodes.saturating_sub(left),
            None => 0,
        }
    }

    /// The plugins that rejected the Pod or a Node, in plugin order: those that are asked whether a change
    /// in the cluster is worth another try.
    pub fn rejecting_plugins(&self) -> BTreeSet<PluginId> {
        let rejected = self.rejected.iter().map(|(_, rejection)| rejection.plugin);
        let narrowed = self.narrowed.iter().filter(|_| self.absent() > 0);
        let narrowed = narrowed.flat_map(|(by, _)| by.iter().copied());
        rejected
            .chain(narrowed)
            .chain(self.pre_filter.as_ref().map(|r| r.plugin))
            .collect()
    }

    /// Why the Pod fits nowhere, with what PostFilter said.
    pub fn fit_error(&self, post_filter: &str) -> String {
        if self.nodes == 0 {
            return fit_error::NO_NODES.to_string();
        }
        let pre_filter = self
            .pre_filter
            .as_ref()
            .map(Rejection::message)
            .unwrap_or_default();
        let mut reasons: Vec<(Text, u64)> = Vec::new();
        for (_, rejection) in &self.rejected {
            reasons.extend(rejection.reasons.iter().map(|reason| (reason.message(), 1)));
        }
        if let Some((by, _)) = &self.narrowed {
            let names: Vec<&str> = by.iter().map(|id| id.name()).collect();
            let text = ["node(s) didn't satisfy plugin(s) [", &names.join(" "), "]"].concat();
            reasons.push((text.into(), self.absent()));
        }
        fit_error::message(self.nodes, &pre_filter, reasons, post_filter)
    }
}
