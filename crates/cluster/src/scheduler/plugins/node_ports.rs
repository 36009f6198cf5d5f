//! NodePorts: a host port can be had once.
//!
//! Models: `pkg/scheduler/framework/plugins/nodeports` (v1.36)

use super::{Cycle, Plugin, PluginId, PreFilter};
use crate::scheduler::events::ClusterEvent;
use crate::scheduler::node_info::NodeInfo;
use crate::scheduler::pod_info::PodInfo;
use crate::scheduler::verdict::{Reason, Rejection};

/// No state.
#[derive(Clone, Default)]
pub struct NodePorts;

impl Plugin for NodePorts {
    fn pre_filter(&mut self, cycle: Cycle) -> PreFilter {
        if cycle.pod.ports.is_empty() {
            PreFilter::Skip
        } else {
            PreFilter::Success
        }
    }

    #[inline(never)]
    fn filter(&self, cycle: Cycle, node: &NodeInfo) -> Result<(), Rejection> {
        let mut wanted = cycle.pod.ports.iter();
        match wanted.find(|port| node.ports.iter().any(|taken| taken.clashes(port))) {
            None => Ok(()),
            Some(port) => {
                let reason = Reason::Port(port.clone());
                Err(Rejection::unschedulable(PluginId::NodePorts, reason))
            }
        }
    }

    fn hint(cycle: Cycle, event: &ClusterEvent) -> bool {
        if let (true, Some(gone)) = (event.is_pod_delete(), &event.old) {
            let freed = PodInfo::new(gone).ports;
            let mut wanted = cycle.pod.ports.iter();
            return wanted.any(|port| freed.iter().any(|f| f.clashes(port)));
        }
        event.is_node_add_or_taint()
    }
}

#[cfg(test)]
mod tests {
    use super::super::PluginId;
    use crate::scheduler::fixture::{cache, hint, node, pod, verdicts};
    use podscope_api::{Object, value};

    fn with_port(name: &str, ip: &str, port: i64) -> Object {
        pod(
            name,
            value!({"spec": {"containers": [
                {"name": "c", "ports": [{"hostIP": (ip), "hostPort": (port)}]}
            ]}}),
        )
    }

    #[test]
    fn all_addresses_clash_with_one() {
        let holder = with_port("holder", "10.0.0.1", 80);
        let cache = cache(&[node("a", "z", value!({}))], &[(holder.clone(), "a")]);
        const NO: &str = "a: NodePorts: node(s) didn't have free ports for the requested pod ports";
        assert_eq!(verdicts(&cache, &with_port("web", "", 80)), [NO]);
        assert_eq!(
            verdicts(&cache, &with_port("web", "10.0.0.2", 80)),
            ["a: ok"]
        );
        assert_eq!(verdicts(&cache, &with_port("web", "", 81)), ["a: ok"]);
        let id = PluginId::NodePorts;
        assert!(hint(
            &cache,
            &with_port("web", "", 80),
            id,
            Some(holder.clone()),
            None
        ));
        assert!(!hint(
            &cache,
            &with_port("web", "", 81),
            id,
            Some(holder),
            None
        ));
    }
}
