//! NodeAffinity: the Pod's node selector and node affinity.
//!
//! Models: `pkg/scheduler/framework/plugins/nodeaffinity` (v1.36)

use super::{Cycle, Plugin, PluginId, PreFilter, default_normalize};
use crate::scheduler::events::ClusterEvent;
use crate::scheduler::node_info::{NodeInfo, Slot};
use crate::scheduler::node_selector::{NodeTerm, RequiredNode};
use crate::scheduler::verdict::{Reason, Rejection};
use podscope_api::{Text, Value, value};
use podscope_kernel::collections::BTreeSet;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// State: what the Pod demands and prefers.
#[derive(Clone, Default)]
pub struct NodeAffinity {
    required: RequiredNode,
    preferred: Vec<(i64, NodeTerm)>,
}

/// Weighted terms from a list of `{weight, preference}`; those that can match nothing are left out.
pub fn preferred_terms(list: &Value) -> Vec<(i64, NodeTerm)> {
    let parse = |preferred: &Value| {
        let weight = preferred.get("weight").as_int().filter(|w| *w != 0)?;
        Some((weight, NodeTerm::parse(preferred.get("preference"))?))
    };
    list.items().iter().filter_map(parse).collect()
}

impl NodeAffinity {
    fn sum(&self, node: &NodeInfo) -> i64 {
        let matching = self
            .preferred
            .iter()
            .filter(|(_, t)| t.matches(&node.name, &node.labels));
        matching.map(|(weight, _)| weight).sum()
    }
}

impl Plugin for NodeAffinity {
    fn pre_filter(&mut self, cycle: Cycle) -> PreFilter {
        let spec = cycle.pod.object.spec();
        self.required = RequiredNode::parse(spec);
        if self.required.is_empty() && cycle.profile.added_required.is_none() {
            return PreFilter::Skip;
        }
        let terms = spec
            .at("affinity.nodeAffinity")
            .get(REQUIRED)
            .get("nodeSelectorTerms");
        match node_names(terms.items()) {
            None => PreFilter::Success,
            Some(names) if names.is_empty() => {
                let reason = Reason::Other("pod affinity terms conflict".into());
                PreFilter::Reject(Rejection::unresolvable(PluginId::NodeAffinity, reason))
            }
            Some(names) => PreFilter::Only(names),
        }
    }

    fn filter(&self, cycle: Cycle, node: &NodeInfo) -> Result<(), Rejection> {
        let reject = |reason| Err(Rejection::unresolvable(PluginId::NodeAffinity, reason));
        let added = cycle.profile.added_required.as_ref();
        if added.is_some_and(|added| !added.matches(&node.name, &node.labels)) {
            return reject(Reason::EnforcedAffinity);
        }
        if !self.required.matches(&node.name, &node.labels) {
            return reject(Reason::NodeAffinity);
        }
        Ok(())
    }

    fn pre_score(&mut self, cycle: Cycle, _nodes: &[Slot]) -> bool {
        let affinity = cycle.pod.object.spec().at("affinity.nodeAffinity");
        self.preferred = preferred_terms(affinity.get(PREFERRED));
        self.preferred
            .extend(cycle.profile.added_preferred.iter().cloned());
        let any = !affinity.get(PREFERRED).items().is_empty();
        any || !cycle.profile.added_preferred.is_empty()
    }

    fn score(&self, _cycle: Cycle, node: &NodeInfo) -> i64 {
        self.sum(node)
    }

    fn normalize(&self, _cycle: Cycle, _nodes: &[Slot], scores: &mut [i64]) {
        default_normalize(scores, false);
    }

    fn account(&self, _cycle: Cycle, node: &NodeInfo) -> Value {
        value!({"matchingWeight": (self.sum(node))})
    }

    fn hint(cycle: Cycle, event: &ClusterEvent) -> bool {
        if event.taints_changed() {
            return true;
        }
        let state = NodeAffinity {
            required: RequiredNode::parse(cycle.pod.object.spec()),
            ..NodeAffinity::default()
        };
        let (before, after) = event.nodes();
        after.is_some_and(|node| state.filter(cycle, &node).is_ok())
            && before.is_none_or(|node| state.filter(cycle, &node).is_err())
    }
}

/// The Nodes that the terms name, when every term names some: terms are alternatives.
#[inline(never)]
fn node_names(terms: &[Value]) -> Option<BTreeSet<Text>> {
    let mut all: Option<BTreeSet<Text>> = None;
    for term in terms {
        let mut names: Option<BTreeSet<Text>> = None;
        for field in term.get("matchFields").items() {
            let by_name = field.get("key").as_str() == Some("metadata.name")
                && field.get("operator").as_str() == Some("In");
            if by_name {
                let values = field.get("values").items().iter();
                let listed: BTreeSet<Text> = values.filter_map(|v| v.as_text().cloned()).collect();
                names = Some(match names {
                    Some(names) => names.intersection(&listed).cloned().collect(),
                    None => listed,
                });
            }
        }
        all.get_or_insert_default().extend(names?);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::super::PluginId;
    use crate::scheduler::fixture::{cache, hint, node, pod, scores, verdicts};
    use podscope_api::{Value, value};

    fn affinity(required: Value) -> Value {
        value!({"spec": {"affinity": {"nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": (required)}
        }}}})
    }

    #[test]
    fn terms_are_alternatives_and_names_narrow() {
        let ssd = value!({"metadata": {"labels": {"disk": "ssd", "gen": "3"}}});
        let nodes = [node("a", "z", ssd), node("b", "z", value!({}))];
        let cache = cache(&nodes, &[]);
        const NO: &str = "NodeAffinity: node(s) didn't match Pod's node affinity/selector";
        let selector = pod("web", value!({"spec": {"nodeSelector": {"disk": "ssd"}}}));
        assert_eq!(
            verdicts(&cache, &selector),
            ["a: ok".to_string(), format!("b: {NO}")]
        );
        let newer = affinity(value!([
            {"matchExpressions": [{"key": "gen", "operator": "Gt", "values": ["2"]}]}, {}
        ]));
        assert_eq!(
            verdicts(&cache, &pod("web", newer)),
            ["a: ok".to_string(), format!("b: {NO}")]
        );
        let field = value!({"key": "metadata.name", "operator": "In", "values": ["b"]});
        let named = pod("web", affinity(value!([{"matchFields": [(field)]}])));
        assert_eq!(verdicts(&cache, &named), ["b: ok"]);
        let labelled = node("b", "z", value!({"metadata": {"labels": {"disk": "ssd"}}}));
        let id = PluginId::NodeAffinity;
        assert!(hint(
            &cache,
            &selector,
            id,
            Some(nodes[1].clone()),
            Some(labelled)
        ));
        assert!(!hint(&cache, &selector, id, None, Some(nodes[1].clone())));
    }

    #[test]
    fn preferences_add_up() {
        let term = |key: &str, weight: i64| {
            value!({"weight": (weight), "preference": {
                "matchExpressions": [{"key": (key), "operator": "Exists"}]
            }})
        };
        let web = pod(
            "web",
            value!({"spec": {"affinity": {"nodeAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [(term("x", 10)), (term("y", 30))]
            }}}}),
        );
        let labelled =
            |name: &str, labels: Value| node(name, "z", value!({"metadata": {"labels": (labels)}}));
        let nodes = [
            labelled("a", value!({"x": "1"})),
            labelled("b", value!({"x": "1", "y": "1"})),
            labelled("c", value!({})),
        ];
        assert_eq!(
            scores(&cache(&nodes, &[]), &web, PluginId::NodeAffinity),
            [25, 100, 0]
        );
    }
}
