//! PodTopologySpread: spreads matching Pods evenly over zones, hosts or any other label's values.
//!
//! Models: `pkg/scheduler/framework/plugins/podtopologyspread` (v1.36)

use super::{Cycle, Plugin, PluginId, PreFilter};
use crate::scheduler::cache::Topology;
use crate::scheduler::events::ClusterEvent;
use crate::scheduler::node_info::{NodeInfo, Slot};
use crate::scheduler::node_selector::RequiredNode;
use crate::scheduler::pod_info::PodInfo;
use crate::scheduler::profile::Constraint;
use crate::scheduler::taint::{Toleration, untolerated};
use crate::scheduler::verdict::{Reason, Rejection};
use podscope_api::value::Float;
use podscope_api::{Kind, Object, Value, value};
use std::rc::Rc;

const HOSTNAME: &str = "kubernetes.io/hostname";

/// A constraint that filters, with the matching Pods in each domain.
#[derive(Clone)]
pub struct Hard {
    /// The constraint.
    pub constraint: Constraint,
    /// The domains.
    pub topology: Rc<Topology>,
    /// Matching Pods by domain; `None` for domains without any Node that counts.
    pub counts: Vec<Option<i64>>,
    own: i64,
    minimum: i64,
}

impl Hard {
    #[inline(never)]
    fn find_minimum(&mut self) {
        let counted = self.counts.iter().flatten();
        let domains = counted.clone().count() as i64;
        self.minimum = match counted.min() {
            Some(min) if domains >= self.constraint.min_domains => *min,
            _ => 0,
        };
    }
}

/// A constraint that scores.
#[derive(Clone)]
struct Soft {
    constraint: Constraint,
    topology: Rc<Topology>,
    /// Matching Pods by domain, or by slot where a domain is a host.
    counts: Vec<i64>,
    by_host: bool,
    weight: f64,
}

/// State: the constraints with their counts.
#[derive(Clone, Default)]
pub struct PodTopologySpread {
    /// Constraints that filter.
    pub hard: Vec<Hard>,
    soft: Vec<Soft>,
    ignored: Vec<bool>,
    eligibility: Eligibility,
}

/// Which Nodes count for a constraint.
#[derive(Clone, Default)]
struct Eligibility {
    required: RequiredNode,
    tolerations: Vec<Toleration>,
}

impl Eligibility {
    fn read(pod: &PodInfo) -> Eligibility {
        let spec = pod.object.spec();
        Eligibility {
            required: RequiredNode::parse(spec),
            tolerations: Toleration::list(spec.get("tolerations")),
        }
    }
    fn counts(&self, cycle: Cycle, constraint: &Constraint, node: &NodeInfo) -> bool {
        let comparisons = cycle.profile.features.taint_comparisons;
        let fits = !constraint.honor_affinity || self.required.matches(&node.name, &node.labels);
        fits && (!constraint.honor_taints
            || untolerated(&node.taints, &self.tolerations, comparisons).is_none())
    }
}

/// The constraints of one sort (filtering or scoring) that apply to the Pod.
fn constraints(cycle: Cycle, hard: bool) -> Vec<Constraint> {
    let listed = cycle
        .pod
        .object
        .spec()
        .get("topologySpreadConstraints")
        .items();
    if !listed.is_empty() {
        let parse = |c: &Value| Constraint::parse(c, cycle.pod.labels(), cycle.profile.features);
        return listed
            .iter()
            .map(parse)
            .filter(|c| c.hard == hard)
            .collect();
    }
    let defaults = cycle
        .profile
        .default_constraints
        .iter()
        .filter(|c| c.hard == hard);
    let mut defaults: Vec<Constraint> = defaults.cloned().collect();
    if defaults.is_empty() {
        return defaults;
    }
    let selector = cycle.cache.default_selector(cycle.pod);
    if selector.is_everything() {
        return Vec::new();
    }
    for constraint in &mut defaults {
        constraint.selector = selector.clone();
    }
    defaults
}

/// Calls `add` with every Node and its number of Pods that the constraint counts.
fn count_pods(cycle: Cycle, constraint: &Constraint, mut add: impl FnMut(Slot, i64)) {
    if constraint.selector.is_everything() {
        return;
    }
    for class in cycle.cache.classes_in(&cycle.pod.key.namespace) {
        if constraint.selector.matches(&class.labels) {
            for (slot, count) in class.nodes.iter().filter(|(_, c)| c.live > 0) {
                add(*slot, i64::from(count.live));
            }
        }
    }
}

fn has_all(topologies: &[Rc<Topology>], slot: Slot) -> bool {
    topologies.iter().all(|t| t.domain(slot).is_some())
}

impl Plugin for PodTopologySpread {
    fn pre_filter(&mut self, cycle: Cycle) -> PreFilter {
        self.hard.clear();
        let constraints = constraints(cycle, true);
        if constraints.is_empty() {
            return PreFilter::Skip;
        }
        self.eligibility = Eligibility::read(cycle.pod);
        let topologies: Vec<Rc<Topology>> = constraints
            .iter()
            .map(|c| cycle.cache.topology(&c.topology_key))
            .collect();
        for (constraint, topology) in constraints.into_iter().zip(&topologies) {
            let mut counts = vec![None; topology.values.len()];
            let mut eligible = vec![false; cycle.cache.slots()];
            for node in cycle.cache.nodes() {
                let counted = has_all(&topologies, node.slot)
                    && self.eligibility.counts(cycle, &constraint, node);
                if let (true, Some(domain)) = (counted, topology.domain(node.slot)) {
                    eligible[node.slot as usize] = true;
                    counts[domain] = Some(0);
                }
            }
            count_pods(cycle, &constraint, |slot, n| {
                let domain = topology.domain(slot).filter(|_| eligible[slot as usize]);
                if let Some(count) = domain.and_then(|d| counts[d].as_mut()) {
                    *count += n;
                }
            });
            let own = i64::from(constraint.selector.matches(cycle.pod.labels()));
            let topology = topology.clone();
            let mut hard = Hard {
                constraint,
                topology,
                counts,
                own,
                minimum: 0,
            };
            hard.find_minimum();
            self.hard.push(hard);
        }
        PreFilter::Success
    }

    #[inline(never)]
    fn filter(&self, _cycle: Cycle, node: &NodeInfo) -> Result<(), Rejection> {
        for hard in &self.hard {
            let topology_key = || hard.constraint.topology_key.clone();
            let Some(domain) = hard.topology.domain(node.slot) else {
                let reason = Reason::SpreadLabel {
                    topology_key: topology_key(),
                };
                return Err(Rejection::unresolvable(PluginId::PodTopologySpread, reason));
            };
            let matching = hard.counts[domain].unwrap_or(0);
            if matching + hard.own - hard.minimum > hard.constraint.max_skew {
                let reason = Reason::Spread {
                    topology_key: topology_key(),
                    matching,
                    own: hard.own,
                    minimum: hard.minimum,
                    max_skew: hard.constraint.max_skew,
                };
                return Err(Rejection::unschedulable(
                    PluginId::PodTopologySpread,
                    reason,
                ));
            }
        }
        Ok(())
    }

    fn change(&mut self, cycle: Cycle, node: &NodeInfo, pod: &PodInfo, delta: i64) {
        let everywhere = self
            .hard
            .iter()
            .all(|h| h.topology.domain(node.slot).is_some());
        if pod.key.namespace != cycle.pod.key.namespace || !everywhere {
            return;
        }
        for hard in &mut self.hard {
            let counted = hard.constraint.selector.matches(pod.labels())
                && self.eligibility.counts(cycle, &hard.constraint, node);
            if let (true, Some(domain)) = (counted, hard.topology.domain(node.slot)) {
                *hard.counts[domain].get_or_insert(0) += delta;
                hard.find_minimum();
            }
        }
    }

    fn pre_score(&mut self, cycle: Cycle, nodes: &[Slot]) -> bool {
        self.soft.clear();
        let constraints = constraints(cycle, false);
        if constraints.is_empty() {
            return false;
        }
        self.eligibility = Eligibility::read(cycle.pod);
        let own = !cycle
            .pod
            .object
            .spec()
            .get("topologySpreadConstraints")
            .items()
            .is_empty();
        let require_all = own || !cycle.profile.system_default_spread;
        let topologies: Vec<Rc<Topology>> = constraints
            .iter()
            .map(|c| cycle.cache.topology(&c.topology_key))
            .collect();
        self.ignored = vec![false; cycle.cache.slots()];
        let mut candidates: Vec<Slot> = Vec::with_capacity(nodes.len());
        for slot in nodes {
            if require_all && !has_all(&topologies, *slot) {
                self.ignored[*slot as usize] = true;
            } else {
                candidates.push(*slot);
            }
        }
        for (constraint, topology) in constraints.into_iter().zip(&topologies) {
            let by_host = constraint.topology_key.as_ref() == HOSTNAME;
            let soft = if by_host {
                let mut counts = vec![0; cycle.cache.slots()];
                count_pods(cycle, &constraint, |slot, n| counts[slot as usize] += n);
                (counts, candidates.len())
            } else {
                self.count_domains(
                    cycle,
                    &constraint,
                    topology,
                    &topologies,
                    &candidates,
                    require_all,
                )
            };
            self.soft.push(Soft {
                constraint,
                topology: topology.clone(),
                counts: soft.0,
                by_host,
                weight: libm::log(soft.1 as f64 + 2.0),
            });
        }
        true
    }

    fn score(&self, _cycle: Cycle, node: &NodeInfo) -> i64 {
        if self
            .ignored
            .get(node.slot as usize)
            .copied()
            .unwrap_or(false)
        {
            return 0;
        }
        let sum: f64 = self
            .soft
            .iter()
            .filter_map(|soft| soft.part(node))
            .map(|(_, part)| part)
            .sum();
        libm::round(sum) as i64
    }

    fn normalize(&self, _cycle: Cycle, nodes: &[Slot], scores: &mut [i64]) {
        let ignored = |slot: &Slot| self.ignored.get(*slot as usize).copied().unwrap_or(false);
        let counted = nodes
            .iter()
            .zip(scores.iter())
            .filter(|(slot, _)| !ignored(slot));
        let (mut min, mut max) = (i64::MAX, 0);
        for (_, score) in counted {
            min = min.min(*score);
            max = max.max(*score);
        }
        for (slot, score) in nodes.iter().zip(scores) {
            *score = match max {
                _ if ignored(slot) => 0,
                0 => 100,
                max => 100 * (max + min - *score) / max,
            };
        }
    }

    fn account(&self, _cycle: Cycle, node: &NodeInfo) -> Value {
        let parts = self.soft.iter().filter_map(|soft| {
            let (matching, part) = soft.part(node)?;
            Some(value!({
                "topologyKey": (soft.constraint.topology_key.clone()), "matching": (matching),
                "maxSkew": (soft.constraint.max_skew),
                "weight": (Value::Float(Float(soft.weight))), "part": (Value::Float(Float(part)))
            }))
        });
        let ignored = self
            .ignored
            .get(node.slot as usize)
            .copied()
            .unwrap_or(false);
        value!({"constraints": (parts.collect::<Vec<Value>>()), "ignored": (ignored)})
    }

    fn hint(cycle: Cycle, event: &ClusterEvent) -> bool {
        let constraints = constraints(cycle, true);
        match event.kind {
            Kind::Pod => {
                let counted = |object: &Option<Rc<Object>>, c: &Constraint| {
                    object.as_ref().is_some_and(|object| {
                        object.namespace() == &*cycle.pod.key.namespace
                            && c.selector.matches(object.labels())
                    })
                };
                let differs = |c| counted(&event.old, c) != counted(&event.new, c);
                constraints.iter().any(differs) || (event.own && event.labels_changed())
            }
            Kind::Node => {
                let labels = |object: &Rc<Object>| -> Option<Vec<Value>> {
                    let value = |c: &Constraint| {
                        let value = object.labels().get(&c.topology_key);
                        (!value.is_null()).then(|| value.clone())
                    };
                    constraints.iter().map(value).collect()
                };
                let before = event.old.as_ref().and_then(labels);
                let after = event.new.as_ref().and_then(labels);
                before != after || event.taints_changed()
            }
            _ => false,
        }
    }
}

impl PodTopologySpread {
    /// Matching Pods by domain, and how many domains the candidates are in.
    fn count_domains(
        &self,
        cycle: Cycle,
        constraint: &Constraint,
        topology: &Topology,
        topologies: &[Rc<Topology>],
        candidates: &[Slot],
        require_all: bool,
    ) -> (Vec<i64>, usize) {
        let mut wanted = vec![false; topology.values.len()];
        let mut unlabelled = false;
        for slot in candidates {
            match topology.domain(*slot) {
                Some(domain) => wanted[domain] = true,
                // Upstream counts the Nodes without the label as one more domain.
                None => unlabelled = true,
            }
        }
        let size = wanted.iter().filter(|w| **w).count() + usize::from(unlabelled);
        let mut counts = vec![0; topology.values.len()];
        count_pods(cycle, constraint, |slot, n| {
            let node = cycle.cache.node(slot);
            let Some(domain) = topology.domain(slot).filter(|d| wanted[*d]) else {
                return;
            };
            let everywhere = !require_all || has_all(topologies, slot);
            if everywhere && self.eligibility.counts(cycle, constraint, node) {
                counts[domain] += n;
            }
        });
        (counts, size)
    }
}

impl Soft {
    /// Matching Pods where the Node is, and what they add to its raw score.
    fn part(&self, node: &NodeInfo) -> Option<(i64, f64)> {
        let domain = self.topology.domain(node.slot)?;
        let place = if self.by_host {
            node.slot as usize
        } else {
            domain
        };
        let matching = self.counts.get(place).copied().unwrap_or(0);
        Some((
            matching,
            matching as f64 * self.weight + (self.constraint.max_skew - 1) as f64,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::PluginId;
    use crate::scheduler::fixture::{cache, hint, node, pod, scores, verdicts};
    use podscope_api::{Object, Value, value};

    fn spread(when: &str) -> Object {
        pod(
            "web",
            value!({
                "metadata": {"labels": {"app": "web"}},
                "spec": {"topologySpreadConstraints": [{
                    "maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone",
                    "whenUnsatisfiable": (when), "labelSelector": {"matchLabels": {"app": "web"}}
                }]}
            }),
        )
    }
    fn replica(name: &str) -> Object {
        pod(name, value!({"metadata": {"labels": {"app": "web"}}}))
    }

    #[test]
    fn the_fuller_zone_is_refused_or_scores_less() {
        let no_zone: Value =
            value!({"metadata": {"labels": {"topology.kubernetes.io/zone": null}}});
        let nodes = [
            node("a", "z1", value!({})),
            node("b", "z2", value!({})),
            node("c", "", no_zone),
        ];
        let cache = cache(&nodes, &[(replica("one"), "a")]);
        let hard = spread("DoNotSchedule");
        assert_eq!(
            verdicts(&cache, &hard),
            [
                "a: PodTopologySpread: node(s) didn't match pod topology spread constraints",
                "b: ok",
                "c: PodTopologySpread: node(s) didn't match pod topology spread constraints \
                 (missing required label)",
            ]
        );
        let id = PluginId::PodTopologySpread;
        assert_eq!(scores(&cache, &spread("ScheduleAnyway"), id), [0, 100, 0]);
        assert!(hint(&cache, &hard, id, Some(replica("one")), None));
        assert!(!hint(
            &cache,
            &hard,
            id,
            Some(pod("other", value!({}))),
            None
        ));
    }
}
