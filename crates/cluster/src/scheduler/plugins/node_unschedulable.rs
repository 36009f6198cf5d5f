//! NodeUnschedulable: keeps Pods away from cordoned Nodes.
//!
//! Models: `pkg/scheduler/framework/plugins/nodeunschedulable` (v1.36)

use super::{Cycle, Plugin, PluginId, PreFilter};
use crate::scheduler::events::ClusterEvent;
use crate::scheduler::node_info::NodeInfo;
use crate::scheduler::taint::{Effect, Taint, Toleration};
use crate::scheduler::verdict::{Reason, Rejection};

/// State: whether the Pod tolerates the taint that a cordon stands for.
#[derive(Clone, Default)]
pub struct NodeUnschedulable {
    tolerated: bool,
}

impl Plugin for NodeUnschedulable {
    fn pre_filter(&mut self, cycle: Cycle) -> PreFilter {
        let cordon = Taint {
            key: "node.kubernetes.io/unschedulable".into(),
            value: "".into(),
            effect: Effect::NoSchedule,
        };
        let comparisons = cycle.profile.features.taint_comparisons;
        let tolerations = Toleration::list(cycle.pod.object.spec().get("tolerations"));
        self.tolerated = tolerations
            .iter()
            .any(|t| t.tolerates(&cordon, comparisons));
        PreFilter::Success
    }

    fn filter(&self, _cycle: Cycle, node: &NodeInfo) -> Result<(), Rejection> {
        if !node.unschedulable || self.tolerated {
            return Ok(());
        }
        Err(Rejection::unresolvable(
            PluginId::NodeUnschedulable,
            Reason::Cordoned,
        ))
    }

    fn hint(cycle: Cycle, event: &ClusterEvent) -> bool {
        if event.is_own() {
            let mut state = NodeUnschedulable::default();
            state.pre_filter(cycle);
            return state.tolerated;
        }
        let (before, after) = event.nodes();
        after.is_some_and(|node| !node.unschedulable)
            && before.is_none_or(|node| node.unschedulable)
    }
}

#[cfg(test)]
mod tests {
    use super::super::PluginId;
    use crate::scheduler::fixture::{cache, hint, node, pod, verdicts};
    use podscope_api::value;

    #[test]
    fn a_cordon_keeps_pods_away_until_it_is_lifted() {
        let cordoned = node("a", "z", value!({"spec": {"unschedulable": true}}));
        let (cache, web) = (
            cache(std::slice::from_ref(&cordoned), &[]),
            pod("web", value!({})),
        );
        assert_eq!(
            verdicts(&cache, &web),
            ["a: NodeUnschedulable: node(s) were unschedulable"]
        );
        let tolerant = pod(
            "web",
            value!({"spec": {"tolerations": [{"operator": "Exists"}]}}),
        );
        assert_eq!(verdicts(&cache, &tolerant), ["a: ok"]);
        let open = node("a", "z", value!({}));
        let id = PluginId::NodeUnschedulable;
        assert!(hint(&cache, &web, id, Some(cordoned.clone()), Some(open)));
        assert!(!hint(
            &cache,
            &web,
            id,
            Some(cordoned.clone()),
            Some(cordoned)
        ));
    }
}
