//! NodeName: a Pod that names a Node runs on no other.
//!
//! Models: `pkg/scheduler/framework/plugins/nodename` (v1.36)

use super::{Cycle, Plugin, PluginId};
use crate::scheduler::node_info::NodeInfo;
use crate::scheduler::verdict::{Reason, Rejection};

/// No state.
#[derive(Clone, Default)]
pub struct NodeName;

impl Plugin for NodeName {
    fn filter(&self, cycle: Cycle, node: &NodeInfo) -> Result<(), Rejection> {
        let wanted = cycle.pod.node_name();
        if wanted.is_empty() || wanted == node.name.as_ref() {
            return Ok(());
        }
        Err(Rejection::unresolvable(
            PluginId::NodeName,
            Reason::OtherNode,
        ))
    }
}
