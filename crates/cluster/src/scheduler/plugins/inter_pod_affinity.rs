//! InterPodAffinity: near to or far from other Pods.
//!
//! Models: `pkg/scheduler/framework/plugins/interpodaffinity` (v1.36)

use super::{Cycle, Plugin, PluginId, PreFilter};
use crate::scheduler::affinity::{PodAffinity, Term};
use crate::scheduler::cache::{PodClass, Topology};
use crate::scheduler::events::ClusterEvent;
use crate::scheduler::node_info::{NodeInfo, Slot};
use crate::scheduler::pod_info::PodInfo;
use crate::scheduler::verdict::{Reason, Rejection};
use podscope_api::{Kind, Object, Selector, Text, Value, value, value::NULL};
use std::rc::Rc;

/// A sum for each domain of a label.
#[derive(Clone)]
struct Tally {
    key: Text,
    topology: Rc<Topology>,
    sums: Vec<i64>,
}

impl Tally {
    fn new(cycle: Cycle, key: &Text) -> Tally {
        let topology = cycle.cache.topology(key);
        Tally {
            key: key.clone(),
            sums: vec![0; topology.values.len()],
            topology,
        }
    }
    /// Adds where the Node is; false when the Node lacks the label.
    fn add(&mut self, slot: Slot, n: i64) -> bool {
        let place = self
            .topology
            .domain(slot)
            .and_then(|d| self.sums.get_mut(d));
        place.map(|sum| *sum += n).is_some()
    }
    /// The sum where the Node is, `None` when it lacks the label.
    fn at(&self, slot: Slot) -> Option<i64> {
        self.sums.get(self.topology.domain(slot)?).copied()
    }
    fn is_zero(&self) -> bool {
        self.sums.iter().all(|sum| *sum == 0)
    }
}

/// The tally for a key, made when missing.
#[inline(never)]
fn tally<'a>(tallies: &'a mut Vec<Tally>, cycle: Cycle, key: &Text) -> &'a mut Tally {
    let at = tallies
        .iter()
        .position(|t| t.key == *key)
        .unwrap_or_else(|| {
            tallies.push(Tally::new(cycle, key));
            tallies.len() - 1
        });
    &mut tallies[at]
}

/// State: matching Pods by domain.
#[derive(Clone, Default)]
pub struct InterPodAffinity {
    own: Rc<PodAffinity>,
    /// For each required term of the Pod: Pods that match all of them.
    near: Vec<Tally>,
    /// For each required anti-affinity term of the Pod: Pods that match it.
    far: Vec<Tally>,
    /// For each label: required anti-affinity terms of other Pods that match the Pod.
    existing: Vec<Tally>,
    scores: Vec<Tally>,
}

/// Whether a term of the Pod to be placed is about Pods with these labels in this namespace.
fn about(cycle: Cycle, term: &Term, namespace: &str, labels: &Value) -> bool {
    match cycle.cache.namespace_labels(namespace) {
        Some(namespace_labels) => term.matches(namespace, namespace_labels, labels),
        // A namespace that is not known is selected by name, or by selecting all.
        None => {
            (term.namespaces.iter().any(|n| n.as_ref() == namespace)
                || term.namespace_selector.is_everything())
                && term.selector.matches(labels)
        }
    }
}

/// Whether a term of another Pod is about the Pod to be placed.
fn about_own(cycle: Cycle, term: &Term) -> bool {
    let namespace = &cycle.pod.key.namespace;
    let labels = cycle.cache.namespace_labels(namespace).unwrap_or(NULL);
    term.matches(namespace, labels, cycle.pod.labels())
}

fn about_all(cycle: Cycle, terms: &[Term], namespace: &str, labels: &Value) -> bool {
    !terms.is_empty() && terms.iter().all(|t| about(cycle, t, namespace, labels))
}

fn total(class: &PodClass) -> impl Iterator<Item = (Slot, i64)> {
    class
        .nodes
        .iter()
        .map(|(slot, c)| (*slot, i64::from(c.live) + i64::from(c.terminating)))
}

impl InterPodAffinity {
    fn count(&mut self, cycle: Cycle) {
        for class in cycle.cache.classes_with_affinity() {
            let terms = class.affinity.iter().flat_map(|a| &a.required_anti);
            for term in terms.filter(|t| about_own(cycle, t)) {
                let tally = tally(&mut self.existing, cycle, &term.topology_key);
                for (slot, n) in total(class) {
                    tally.add(slot, n);
                }
            }
        }
        let own = self.own.clone();
        if own.required.is_empty() && own.required_anti.is_empty() {
            return;
        }
        for class in cycle.cache.classes() {
            if about_all(cycle, &own.required, &class.namespace, &class.labels) {
                for (slot, n) in total(class) {
                    self.near.iter_mut().for_each(|tally| {
                        tally.add(slot, n);
                    });
                }
            }
            for (term, tally) in own.required_anti.iter().zip(&mut self.far) {
                if about(cycle, term, &class.namespace, &class.labels) {
                    for (slot, n) in total(class) {
                        tally.add(slot, n);
                    }
                }
            }
        }
    }

    fn affinity_holds(&self, cycle: Cycle, node: &NodeInfo) -> bool {
        let mut all_near = true;
        for tally in &self.near {
            match tally.at(node.slot) {
                // Every label must be on the Node.
                None => return false,
                Some(n) => all_near &= n > 0,
            }
        }
        // The first of a group that wants to be near itself may go anywhere.
        all_near
            || (self.near.iter().all(Tally::is_zero)
                && about_all(
                    cycle,
                    &self.own.required,
                    &cycle.pod.key.namespace,
                    cycle.pod.labels(),
                ))
    }

    fn sum(&self, node: &NodeInfo) -> i64 {
        self.scores
            .iter()
            .filter_map(|tally| tally.at(node.slot))
            .sum()
    }
}

impl Plugin for InterPodAffinity {
    fn pre_filter(&mut self, cycle: Cycle) -> PreFilter {
        if let Some(message) = invalid_terms(cycle.pod.object.spec().get("affinity")) {
            let reason = Reason::Other(message.into());
            return PreFilter::Reject(Rejection::unresolvable(PluginId::InterPodAffinity, reason));
        }
        let own = cycle.pod.affinity.clone().unwrap_or_default();
        let tallies = |terms: &[Term]| -> Vec<Tally> {
            terms
                .iter()
                .map(|t| Tally::new(cycle, &t.topology_key))
                .collect()
        };
        *self = InterPodAffinity {
            near: tallies(&own.required),
            far: tallies(&own.required_anti),
            own,
            ..InterPodAffinity::default()
        };
        self.count(cycle);
        let nothing = self.existing.iter().all(Tally::is_zero);
        if nothing && self.near.is_empty() && self.far.is_empty() {
            return PreFilter::Skip;
        }
        PreFilter::Success
    }

    #[inline(never)]
    fn filter(&self, cycle: Cycle, node: &NodeInfo) -> Result<(), Rejection> {
        const ID: PluginId = PluginId::InterPodAffinity;
        if !self.near.is_empty() && !self.affinity_holds(cycle, node) {
            return Err(Rejection::unresolvable(ID, Reason::PodAffinity));
        }
        let taken = |tally: &&Tally| tally.at(node.slot).is_some_and(|n| n > 0);
        if let Some(tally) = self.far.iter().find(taken) {
            let reason = Reason::PodAntiAffinity {
                topology_key: tally.key.clone(),
            };
            return Err(Rejection::unschedulable(ID, reason));
        }
        if let Some(tally) = self.existing.iter().find(taken) {
            let reason = Reason::ExistingAntiAffinity {
                topology_key: tally.key.clone(),
            };
            return Err(Rejection::unschedulable(ID, reason));
        }
        Ok(())
    }

    fn change(&mut self, cycle: Cycle, node: &NodeInfo, pod: &PodInfo, delta: i64) {
        let own = self.own.clone();
        let (namespace, labels) = (&pod.key.namespace, pod.labels());
        for term in pod.affinity.iter().flat_map(|a| &a.required_anti) {
            if about_own(cycle, term) {
                tally(&mut self.existing, cycle, &term.topology_key).add(node.slot, delta);
            }
        }
        if about_all(cycle, &own.required, namespace, labels) {
            for tally in &mut self.near {
                tally.add(node.slot, delta);
            }
        }
        for (term, tally) in own.required_anti.iter().zip(&mut self.far) {
            if about(cycle, term, namespace, labels) {
                tally.add(node.slot, delta);
            }
        }
    }

    fn pre_score(&mut self, cycle: Cycle, _nodes: &[Slot]) -> bool {
        self.scores.clear();
        let own = cycle.pod.affinity.clone().unwrap_or_default();
        let prefers = !own.preferred.is_empty() || !own.preferred_anti.is_empty();
        if cycle.profile.ignore_preferred_of_existing && !prefers {
            return false;
        }
        let mut any = false;
        let mut add = |class: &PodClass, term: &Term, weight: i64| {
            let tally = tally(&mut self.scores, cycle, &term.topology_key);
            for (slot, n) in total(class) {
                any |= tally.add(slot, weight * n);
            }
        };
        let mut process = |class: &PodClass| {
            for (terms, sign) in [(&own.preferred, 1), (&own.preferred_anti, -1)] {
                for term in terms {
                    if about(cycle, term, &class.namespace, &class.labels) {
                        add(class, term, sign * term.weight);
                    }
                }
            }
            let Some(affinity) = &class.affinity else {
                return;
            };
            let hard = cycle.profile.hard_pod_affinity_weight;
            for term in affinity
                .required
                .iter()
                .filter(|t| hard > 0 && about_own(cycle, t))
            {
                add(class, term, hard);
            }
            for (terms, sign) in [(&affinity.preferred, 1), (&affinity.preferred_anti, -1)] {
                for term in terms.iter().filter(|t| about_own(cycle, t)) {
                    add(class, term, sign * term.weight);
                }
            }
        };
        if prefers {
            cycle.cache.classes().for_each(&mut process);
        } else {
            cycle.cache.classes_with_affinity().for_each(&mut process);
        }
        any
    }

    fn score(&self, _cycle: Cycle, node: &NodeInfo) -> i64 {
        self.sum(node)
    }

    #[inline(never)]
    fn normalize(&self, _cycle: Cycle, _nodes: &[Slot], scores: &mut [i64]) {
        let min = scores.iter().copied().min().unwrap_or(0);
        let max = scores.iter().copied().max().unwrap_or(0);
        for score in scores {
            *score = if max > min {
                (100.0 * ((*score - min) as f64 / (max - min) as f64)) as i64
            } else {
                0
            };
        }
    }

    fn account(&self, _cycle: Cycle, node: &NodeInfo) -> Value {
        let sums = self.scores.iter().filter_map(|tally| {
            let sum = tally.at(node.slot)?;
            Some(value!({"topologyKey": (tally.key.clone()), "sum": (sum)}))
        });
        value!({"terms": (sums.collect::<Vec<Value>>())})
    }

    fn hint(cycle: Cycle, event: &ClusterEvent) -> bool {
        let own = cycle.pod.affinity.clone().unwrap_or_default();
        if event.kind == Kind::Node {
            let keys = own
                .required
                .iter()
                .chain(&own.required_anti)
                .map(|t| &t.topology_key);
            let value = |object: &Option<Rc<Object>>, key: &Text| {
                object.as_ref().map(|o| o.labels().get(key).clone())
            };
            let changed = |key: &Text| value(&event.old, key) != value(&event.new, key);
            return event.is_node_add_or_taint() || keys.into_iter().any(changed);
        }
        if event.own {
            return event.labels_changed();
        }
        let read = |object: &Option<Rc<Object>>| object.as_ref().map(|o| PodInfo::new(o));
        let near =
            |pod: &PodInfo| about_all(cycle, &own.required, &pod.key.namespace, pod.labels());
        let (before, after) = (read(&event.old), read(&event.new));
        let is =
            |pod: &Option<PodInfo>, test: &dyn Fn(&PodInfo) -> bool| pod.as_ref().is_some_and(test);
        let hates = |pod: &PodInfo| {
            let mut terms = pod.affinity.iter().flat_map(|a| &a.required_anti);
            terms.any(|t| about_own(cycle, t))
        };
        let unmet = |term: &Term| {
            let far = |pod: &PodInfo| about(cycle, term, &pod.key.namespace, pod.labels());
            is(&before, &far) && !is(&after, &far)
        };
        // A Pod to be near to came, or one to be far from went.
        (is(&after, &near) && !is(&before, &near))
            || own.required_anti.iter().any(unmet)
            || (after.is_none() && is(&before, &hates))
    }
}

/// What is wrong with the terms' selectors; the API server lets no such Pod through.
fn invalid_terms(affinity: &Value) -> Option<String> {
    const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
    const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
    let sides = [
        ("requiredAffinityTerms", "podAffinity", REQUIRED),
        ("requiredAntiAffinityTerms", "podAntiAffinity", REQUIRED),
        ("preferredAffinityTerms", "podAffinity", PREFERRED),
        ("preferredAntiAffinityTerms", "podAntiAffinity", PREFERRED),
    ];
    let mut errors: Vec<String> = Vec::new();
    for (name, side, field) in sides {
        let wrong = affinity
            .get(side)
            .get(field)
            .items()
            .iter()
            .find_map(|term| {
                let term = if field == PREFERRED {
                    term.get("podAffinityTerm")
                } else {
                    term
                };
                let selectors = [term.get("labelSelector"), term.get("namespaceSelector")];
                selectors
                    .into_iter()
                    .find_map(|s| Selector::from_label_selector(s).err())
            });
        if let Some(wrong) = wrong {
            errors.push([name, ": ", &wrong].concat());
        }
    }
    match errors.as_slice() {
        [] => None,
        [one] => Some(["parsing pod: ", one].concat()),
        many => Some(["parsing pod: [", &many.join(", "), "]"].concat()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::PluginId;
    use crate::scheduler::fixture::{cache, hint, node, pod, scores, verdicts};
    use podscope_api::{Object, Value, value};

    fn labelled(name: &str, affinity: Value) -> Object {
        pod(
            name,
            value!({
                "metadata": {"labels": {"app": (name)}}, "spec": {"affinity": (affinity)}
            }),
        )
    }
    fn required(side: &str, app: &str) -> Value {
        let term = value!({
            "topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": (app)}}
        });
        let terms = value!({"requiredDuringSchedulingIgnoredDuringExecution": [(term)]});
        Value::from_pairs([(side, terms)])
    }

    #[test]
    fn near_far_and_the_wishes_of_others() {
        let nodes = [node("a", "z", value!({})), node("b", "z", value!({}))];
        let cache_with = |pod: Object| cache(&nodes, &[(pod, "a")]);
        let cache = cache_with(labelled("db", Value::Null));
        let near = labelled("web", required("podAffinity", "db"));
        assert_eq!(
            verdicts(&cache, &near),
            [
                "a: ok",
                "b: InterPodAffinity: node(s) didn't match pod affinity rules"
            ]
        );
        let far = labelled("web", required("podAntiAffinity", "db"));
        assert_eq!(
            verdicts(&cache, &far),
            [
                "a: InterPodAffinity: node(s) didn't match pod anti-affinity rules",
                "b: ok"
            ]
        );
        // The first of a group that wants to be near itself may go anywhere.
        let first = labelled("web", required("podAffinity", "web"));
        assert_eq!(verdicts(&cache, &first), ["a: ok", "b: ok"]);
        let hermit = cache_with(labelled("db", required("podAntiAffinity", "web")));
        assert_eq!(
            verdicts(&hermit, &labelled("web", Value::Null)),
            [
                "a: InterPodAffinity: node(s) didn't satisfy existing pods anti-affinity rules",
                "b: ok"
            ]
        );
        let fan = cache_with(labelled("db", required("podAffinity", "web")));
        let id = PluginId::InterPodAffinity;
        assert_eq!(scores(&fan, &labelled("web", Value::Null), id), [100, 0]);
        assert!(hint(
            &cache,
            &far,
            id,
            Some(labelled("db", Value::Null)),
            None
        ));
        assert!(!hint(
            &cache,
            &near,
            id,
            Some(labelled("db", Value::Null)),
            None
        ));
        assert!(hint(
            &cache,
            &near,
            id,
            None,
            Some(labelled("db", Value::Null))
        ));
    }
}
