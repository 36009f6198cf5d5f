//! DefaultPreemption: which less important Pods would have to go so that the Pod fits.
//!
//! Models: `pkg/scheduler/framework/preemption`, `.../plugins/defaultpreemption` (v1.36)

use super::{Cycle, PluginId, Plugins};
use crate::scheduler::affinity::label_selector;
use crate::scheduler::fit_error;
use crate::scheduler::framework::{Decision, active_filters, filter_with_nominated};
use crate::scheduler::node_info::{NodeInfo, Slot};
use crate::scheduler::pod_info::PodInfo;
use crate::scheduler::verdict::Code;
use podscope_api::{Kind, Text};
use podscope_kernel::collections::{BTreeMap, BTreeSet};
use std::cmp::Reverse;
use std::rc::Rc;

const NOT_HELPFUL: &str = "Preemption is not helpful for scheduling";
const NO_VICTIMS: &str = "No preemption victims found for incoming pod";

/// A Node that would have room without some Pods.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Candidate {
    /// The Node.
    pub node: Slot,
    /// The Pods that would have to go, most important first.
    pub victims: Vec<Rc<PodInfo>>,
    /// How many of them a PodDisruptionBudget protects.
    pub violations: u64,
}

/// What was tried on each Node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct DryRun {
    /// Nodes that would have room.
    pub candidates: Vec<Candidate>,
    /// Nodes that would not, with the reasons.
    pub rejected: BTreeMap<Slot, Vec<Text>>,
}

/// What PostFilter said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PostFilter {
    /// The Node to be made free, with the Pods that have to go.
    pub chosen: Option<Candidate>,
    /// What was tried.
    pub dry_run: DryRun,
    /// Whether anything was tried: not for a Pod that may not preempt, or whose victims are still going.
    pub tried: bool,
    /// What is said when there is no such Node; empty otherwise.
    pub message: String,
}

/// Whether a Pod may make others go; else why not. `nominated` is what filtering said about the Node that
/// the Pod already waits for.
pub fn eligible(cycle: Cycle, nominated: Option<Code>) -> Result<(), &'static str> {
    let spec = cycle.pod.object.spec();
    if spec.get("preemptionPolicy").as_str() == Some("Never") {
        return Err("not eligible due to preemptionPolicy=Never.");
    }
    let Some(node) = cycle.cache.find(cycle.pod.nominated()) else {
        return Ok(());
    };
    let leaving = |pod: &PodInfo| {
        let condition = pod.object.condition("DisruptionTarget");
        pod.terminating
            && pod.priority < cycle.pod.priority
            && condition.get("status").as_str() == Some("True")
            && condition.get("reason").as_str() == Some("PreemptionByScheduler")
    };
    if nominated != Some(Code::UnschedulableAndUnresolvable)
        && node.pods.iter().any(|placed| leaving(&placed.pod))
    {
        return Err("not eligible due to a terminating pod on the nominated node.");
    }
    Ok(())
}

/// Looks for Pods to preempt after a cycle that found no Node. `offset` is where to begin among the Nodes.
pub fn post_filter(
    cycle: Cycle,
    plugins: &Plugins,
    decision: &Decision,
    offset: u64,
) -> PostFilter {
    let nominated = decision
        .rejected
        .iter()
        .find(|(slot, _)| cycle.cache.node(*slot).name.as_ref() == cycle.pod.nominated());
    let nominated = match nominated {
        Some((_, rejection)) => Some(rejection.code),
        // Left out before filtering.
        None => cycle
            .cache
            .find(cycle.pod.nominated())
            .map(|_| Code::UnschedulableAndUnresolvable),
    };
    if let Err(why) = eligible(cycle, nominated) {
        return PostFilter {
            message: why.to_string(),
            ..PostFilter::default()
        };
    }
    let resolvable: BTreeSet<Slot> = decision
        .rejected
        .iter()
        .filter(|(_, rejection)| rejection.code == Code::Unschedulable)
        .map(|(slot, _)| *slot)
        .collect();
    let order = cycle.cache.order().iter().copied();
    let helpful: Vec<Slot> = order.filter(|slot| resolvable.contains(slot)).collect();
    preempt(
        cycle,
        plugins,
        &active_filters(cycle.profile, &decision.skipped_filters),
        &helpful,
        offset,
    )
}

/// Looks for Pods to preempt on these Nodes.
pub fn preempt(
    cycle: Cycle,
    plugins: &Plugins,
    active: &[PluginId],
    helpful: &[Slot],
    offset: u64,
) -> PostFilter {
    let profile = cycle.profile;
    let share = helpful.len() as u64 * profile.min_candidates_percentage.max(0) as u64 / 100;
    let limit = share
        .max(profile.min_candidates_absolute.max(0) as u64)
        .min(helpful.len() as u64);
    let dry_run = dry_run(cycle, plugins, active, helpful, offset, limit);
    let chosen = select(&dry_run.candidates).cloned();
    if chosen.is_some() {
        return PostFilter {
            chosen,
            dry_run,
            tried: true,
            message: String::new(),
        };
    }
    let nodes = cycle.cache.len() as u64;
    let mut reasons: Vec<(Text, u64)> = Vec::new();
    for texts in dry_run.rejected.values() {
        reasons.extend(texts.iter().map(|text| (text.clone(), 1)));
    }
    reasons.push((NOT_HELPFUL.into(), nodes - dry_run.rejected.len() as u64));
    let message = fit_error::message(nodes, "", reasons, "");
    PostFilter {
        chosen: None,
        dry_run,
        tried: true,
        message,
    }
}

/// Tries Nodes one after another until there are enough candidates, one of them without a violation.
pub fn dry_run(
    cycle: Cycle,
    plugins: &Plugins,
    active: &[PluginId],
    nodes: &[Slot],
    offset: u64,
    limit: u64,
) -> DryRun {
    let mut rejected = BTreeMap::new();
    // Each list holds as many as are wanted in all; further ones are forgotten.
    let (mut clean, mut violating) = (Vec::new(), Vec::new());
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let first = (offset % nodes.len().max(1) as u64) as usize;
    let (before, after) = nodes.split_at(first);
    for slot in after.iter().chain(before) {
        match victims_on(cycle, plugins, active, cycle.cache.node(*slot)) {
            Ok(candidate) => {
                let list = if candidate.violations == 0 {
                    &mut clean
                } else {
                    &mut violating
                };
                if list.len() < limit {
                    list.push(candidate);
                }
            }
            Err(reasons) => {
                rejected.insert(*slot, reasons);
            }
        }
        if !clean.is_empty() && clean.len() + violating.len() >= limit {
            break;
        }
    }
    clean.append(&mut violating);
    DryRun {
        candidates: clean,
        rejected,
    }
}

/// Orders Pods from most to least important.
fn by_importance(pods: &mut [Rc<PodInfo>]) {
    podscope_api::sort::by_key(pods, |pod| (Reverse(pod.priority), pod.started()));
}

/// A Node and the plugins' state as they would be.
struct Trial<'a> {
    cycle: Cycle<'a>,
    active: &'a [PluginId],
    node: NodeInfo,
    plugins: Plugins,
}

impl Trial<'_> {
    fn remove(&mut self, pod: &Rc<PodInfo>) {
        self.node.remove_pod(pod);
        for id in self.active {
            self.plugins.change(*id, self.cycle, &self.node, pod, -1);
        }
    }
    fn add(&mut self, pod: &Rc<PodInfo>) {
        self.node.add_pod(pod.clone(), u32::MAX);
        for id in self.active {
            self.plugins.change(*id, self.cycle, &self.node, pod, 1);
        }
    }
    fn fits(&self) -> Result<(), Vec<Text>> {
        filter_with_nominated(self.cycle, &self.plugins, self.active, &self.node)
            .map_err(|rejection| rejection.reasons.iter().map(|r| r.message()).collect())
    }
}

/// The fewest important Pods that would have to go; else why that would not help.
fn victims_on(
    cycle: Cycle,
    plugins: &Plugins,
    active: &[PluginId],
    node: &NodeInfo,
) -> Result<Candidate, Vec<Text>> {
    let mut trial = Trial {
        cycle,
        active,
        node: node.clone(),
        plugins: plugins.clone(),
    };
    let placed = node.pods.iter().map(|placed| &placed.pod);
    let mut lesser: Vec<Rc<PodInfo>> = placed
        .filter(|pod| pod.priority < cycle.pod.priority)
        .cloned()
        .collect();
    if lesser.is_empty() {
        return Err(vec![NO_VICTIMS.into()]);
    }
    for pod in &lesser {
        trial.remove(pod);
    }
    trial.fits()?;
    by_importance(&mut lesser);
    let (protected, others) = split_by_budget(cycle, lesser);
    let mut victims = Vec::new();
    let mut violations = 0;
    for (pod, is_protected) in protected
        .iter()
        .map(|p| (p, true))
        .chain(others.iter().map(|p| (p, false)))
    {
        trial.add(pod);
        if trial.fits().is_err() {
            trial.remove(pod);
            victims.push(pod.clone());
            violations += u64::from(is_protected);
        }
    }
    by_importance(&mut victims);
    Ok(Candidate {
        node: node.slot,
        victims,
        violations,
    })
}

/// Pods whose removal a PodDisruptionBudget does not allow, and the others, both in the given order.
fn split_by_budget(cycle: Cycle, pods: Vec<Rc<PodInfo>>) -> (Vec<Rc<PodInfo>>, Vec<Rc<PodInfo>>) {
    let budgets = cycle.cache.objects(Kind::PodDisruptionBudget);
    let mut budgets: Vec<_> = budgets
        .map(|budget| {
            let allowed = budget
                .status()
                .get("disruptionsAllowed")
                .as_int()
                .unwrap_or(0);
            (
                budget,
                label_selector(budget.spec().get("selector")),
                allowed,
            )
        })
        .filter(|(_, selector, _)| !selector.is_everything())
        .collect();
    pods.into_iter().partition(|pod| {
        let mut violated = false;
        for (budget, selector, allowed) in &mut budgets {
            let concerns = budget.namespace() == pod.key.namespace.as_ref()
                && !pod.labels().is_empty()
                && selector.matches(pod.labels())
                && budget
                    .status()
                    .get("disruptedPods")
                    .get(&pod.key.name)
                    .is_null();
            if concerns {
                *allowed -= 1;
                violated |= *allowed < 0;
            }
        }
        violated
    })
}

/// What decides between candidates, in this order.
pub const CRITERIA: [&str; 5] = [
    "violations",
    "highestPriority",
    "sumOfPriorities",
    "victims",
    "youngest",
];

/// A candidate's numbers by [`CRITERIA`]; the smallest is the best. The last is minus the start of the foremost
/// victim that started first, in microseconds.
pub fn rank(candidate: &Candidate) -> [i64; 5] {
    let victims = &candidate.victims;
    let highest = victims.first().map_or(i64::MIN, |pod| pod.priority);
    let sum: i64 = victims.iter().map(|pod| pod.priority + (1 << 31)).sum();
    let foremost = victims.iter().filter(|pod| pod.priority == highest);
    let earliest = foremost.map(|pod| pod.started().0).min();
    [
        i64::try_from(candidate.violations).unwrap_or(i64::MAX),
        highest,
        sum,
        i64::try_from(victims.len()).unwrap_or(i64::MAX),
        earliest.unwrap_or(i64::MIN).saturating_neg(),
    ]
}

/// The best candidate: fewest violations, then the least important victims, the fewest, the youngest.
pub fn select(candidates: &[Candidate]) -> Option<&Candidate> {
    candidates.iter().min_by_key(|c| rank(c))
}

/// Which of [`CRITERIA`] left the chosen candidate alone: `only` when there was no other, `first` when
/// several are equal in all of them.
pub fn criterion(candidates: &[Candidate], chosen: &Candidate) -> &'static str {
    let best = rank(chosen);
    let mut left: Vec<[i64; 5]> = candidates.iter().map(rank).collect();
    if left.len() < 2 {
        return "only";
    }
    for (i, name) in CRITERIA.iter().enumerate() {
        left.retain(|other| other[i] == best[i]);
        if left.len() < 2 {
            return name;
        }
    }
    "first"
}

/// All that PostFilter plugins say, in order: what stands behind the reasons in the Pod's message.
pub fn post_filter_message(cycle: Cycle, decision: &Decision, preemption: &PostFilter) -> String {
    // DynamicResources has seen nothing when PreFilter stopped before it, and its error ends PostFilter.
    if decision
        .pre_filter
        .as_ref()
        .is_some_and(|r| r.code == Code::UnschedulableAndUnresolvable)
    {
        return "not found".to_string();
    }
    if decision.nodes == 0 || preemption.chosen.is_some() {
        return String::new();
    }
    let claims = cycle
        .pod
        .object
        .spec()
        .get("resourceClaims")
        .items()
        .is_empty();
    let first = if claims {
        "no new claims to deallocate, "
    } else {
        ""
    };
    [first, "preemption: ", &preemption.message].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::fixture::{cache, node, pod};
    use crate::scheduler::framework::schedule;
    use crate::scheduler::profile::Profile;
    use podscope_api::{Object, value};

    fn asking(name: &str, priority: i64, cpu: &str) -> Object {
        pod(
            name,
            value!({
                "metadata": {"labels": {"app": (name)}},
                "spec": {"priority": (priority), "containers": [
                    {"name": "c", "resources": {"requests": {"cpu": (cpu)}}}
                ]}
            }),
        )
    }

    #[test]
    fn as_few_and_as_unimportant_as_possible_and_no_protected_one() {
        let nodes = [node("a", "z", value!({})), node("b", "z", value!({}))];
        let placed = [
            (asking("protected", 1, "4"), "a"),
            (asking("low", 5, "2"), "b"),
            (asking("lowest", 2, "2"), "b"),
        ];
        let mut cache = cache(&nodes, &placed);
        let budget = Object(value!({
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
            "metadata": {"name": "keep", "namespace": "default"},
            "spec": {"selector": {"matchLabels": {"app": "protected"}}},
            "status": {"disruptionsAllowed": 0}
        }));
        cache.apply(Kind::PodDisruptionBudget, &budget.key(), Some(&budget));
        let (profile, pod) = (Profile::default(), PodInfo::new(&asking("vip", 10, "2")));
        let (decision, plugins) = schedule(&pod, &cache, &profile, 0);
        let cycle = Cycle {
            cache: &cache,
            profile: &profile,
            pod: &pod,
        };
        let out = post_filter(cycle, &plugins, &decision, 0);
        let chosen = out.chosen.expect("there is a candidate");
        let victims: Vec<&str> = chosen.victims.iter().map(|v| &*v.key.name).collect();
        assert_eq!(
            (&*cache.node(chosen.node).name, victims),
            ("b", vec!["lowest"])
        );
        let names: Vec<u64> = out
            .dry_run
            .candidates
            .iter()
            .map(|c| c.violations)
            .collect();
        assert_eq!(names, [0, 1], "the protected one is the other candidate");
        let all = &out.dry_run.candidates;
        assert_eq!(criterion(all, &all[0]), "violations");
        assert_eq!(criterion(&all[..1], &all[0]), "only");
        let twice = [all[0].clone(), all[0].clone()];
        assert_eq!(criterion(&twice, &twice[0]), "first");
        let mut fewer = twice.clone();
        fewer[1].victims.clear();
        assert_eq!(criterion(&fewer, &fewer[1]), "highestPriority");
        assert_eq!(
            decision.fit_error(""),
            "0/2 nodes are available: 2 Insufficient cpu."
        );
    }
}
