//! NodeName: a Pod that names a Node runs on no other.
//!
//! Models: `pkg/scheduler/framework/plugins/nodename` (v1.36)

use super::{Cycle, Plugin, PluginId, PreFilter};
use crate::scheduler::events::ClusterEvent;
use crate::scheduler::node_info::NodeInfo;
use crate::scheduler::verdict::{Reason, Rejection};
use podscope_api::Text;

/// State: the Node that the Pod names.
#[derive(Clone, Default)]
pub struct NodeName {
    wanted: Option<Text>,
}

impl Plugin for NodeName {
    fn pre_filter(&mut self, cycle: Cycle) -> PreFilter {
        let wanted = cycle.pod.object.spec().get("nodeName").as_text();
        self.wanted = wanted.filter(|name| !name.is_empty()).cloned();
        PreFilter::Success
    }

    fn filter(&self, _cycle: Cycle, node: &NodeInfo) -> Result<(), Rejection> {
        match &self.wanted {
            Some(wanted) if *wanted != node.name => Err(Rejection::unresolvable(
                PluginId::NodeName,
                Reason::OtherNode,
            )),
            _ => Ok(()),
        }
    }

    fn hint(_cycle: Cycle, event: &ClusterEvent) -> bool {
        event.is_node_add_or_taint()
    }
}

#[cfg(test)]
mod tests {
    use crate::scheduler::fixture::{cache, node, pod, verdicts};
    use podscope_api::value;

    #[test]
    fn only_the_named_node_will_do() {
        let cache = cache(
            &[node("a", "z", value!({})), node("b", "z", value!({}))],
            &[],
        );
        let web = pod("web", value!({"spec": {"nodeName": "b"}}));
        assert_eq!(
            verdicts(&cache, &web),
            [
                "a: NodeName: node(s) didn't match the requested node name",
                "b: ok"
            ]
        );
    }
}
