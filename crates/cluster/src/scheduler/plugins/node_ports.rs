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
