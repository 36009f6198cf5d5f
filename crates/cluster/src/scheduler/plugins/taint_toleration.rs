//! TaintToleration: taints keep away Pods that do not tolerate them, or make a Node less welcome.
//!
//! Models: `pkg/scheduler/framework/plugins/tainttoleration` (v1.36)

use super::{Cycle, Plugin, PluginId, PreFilter, default_normalize};
use crate::scheduler::events::ClusterEvent;
use crate::scheduler::node_info::{NodeInfo, Slot};
use crate::scheduler::taint::{Effect, Toleration, untolerated};
use crate::scheduler::verdict::{Reason, Rejection};
use podscope_api::{Object, Value, value};

/// State: the Pod's tolerations.
#[derive(Clone, Default)]
pub struct TaintToleration {
    tolerations: Vec<Toleration>,
}

impl TaintToleration {
    fn read(&mut self, cycle: Cycle) {
        self.tolerations = Toleration::list(cycle.pod.object.spec().get("tolerations"));
    }

    /// Taints that make the Node less welcome and that the Pod does not tolerate.
    fn unwelcome(&self, cycle: Cycle, node: &NodeInfo) -> i64 {
        const EFFECT: Effect = Effect::PreferNoSchedule;
        let comparisons = cycle.profile.features.taint_comparisons;
        let mut count = 0;
        for taint in node.taints.iter().filter(|t| t.effect == EFFECT) {
            let tolerates = |t: &Toleration| t.is_for(EFFECT) && t.tolerates(taint, comparisons);
            if !self.tolerations.iter().any(tolerates) {
                count += 1;
            }
        }
        count
    }
}

impl Plugin for TaintToleration {
    fn pre_filter(&mut self, cycle: Cycle) -> PreFilter {
        self.read(cycle);
        PreFilter::Success
    }

    fn filter(&self, cycle: Cycle, node: &NodeInfo) -> Result<(), Rejection> {
        let comparisons = cycle.profile.features.taint_comparisons;
        match untolerated(&node.taints, &self.tolerations, comparisons) {
            None => Ok(()),
            Some(taint) => {
                let reason = Reason::Taint(taint.clone());
                Err(Rejection::unresolvable(PluginId::TaintToleration, reason))
            }
        }
    }

    fn pre_score(&mut self, cycle: Cycle, _nodes: &[Slot]) -> bool {
        self.read(cycle);
        true
    }

    fn score(&self, cycle: Cycle, node: &NodeInfo) -> i64 {
        self.unwelcome(cycle, node)
    }

    fn normalize(&self, _cycle: Cycle, _nodes: &[Slot], scores: &mut [i64]) {
        default_normalize(scores, true);
    }

    fn account(&self, cycle: Cycle, node: &NodeInfo) -> Value {
        value!({"untolerated": (self.unwelcome(cycle, node))})
    }

    fn hint(cycle: Cycle, event: &ClusterEvent) -> bool {
        if event.is_own() {
            let tolerations = |object: &Object| object.spec().get("tolerations").clone();
            let (old, new) = (event.old.as_deref(), event.new.as_deref());
            return old.map(tolerations) != new.map(tolerations);
        }
        let mut state = TaintToleration::default();
        state.read(cycle);
        let (before, after) = event.nodes();
        after.is_some_and(|node| state.filter(cycle, &node).is_ok())
            && before.is_none_or(|node| state.filter(cycle, &node).is_err())
    }
}

#[cfg(test)]
mod tests {
    use super::super::PluginId;
    use crate::scheduler::fixture::{cache, hint, node, pod, scores, verdicts};
    use podscope_api::value;

    #[test]
    fn taints_filter_and_soft_taints_score() {
        let taint = |effect: &str| value!({"spec": {"taints": [{"key": "gpu", "value": "yes", "effect": (effect)}]}});
        let (hard, soft) = (
            node("a", "z", taint("NoSchedule")),
            node("b", "z", taint("PreferNoSchedule")),
        );
        let free = node("c", "z", value!({}));
        let cache = cache(&[hard.clone(), soft, free], &[]);
        let web = pod("web", value!({}));
        assert_eq!(
            verdicts(&cache, &web),
            [
                "a: TaintToleration: node(s) had untolerated taint(s)",
                "b: ok",
                "c: ok"
            ]
        );
        assert_eq!(
            scores(&cache, &web, PluginId::TaintToleration),
            [100, 0, 100]
        );
        let tolerant = pod(
            "web",
            value!({"spec": {"tolerations": [{"key": "gpu", "value": "yes"}]}}),
        );
        assert_eq!(verdicts(&cache, &tolerant), ["a: ok", "b: ok", "c: ok"]);
        let clean = node("a", "z", value!({}));
        assert!(hint(
            &cache,
            &web,
            PluginId::TaintToleration,
            Some(hard),
            Some(clean)
        ));
    }
}
