//! NodeResourcesBalancedAllocation: better where CPU and memory fill up alike.
//!
//! Models: `pkg/scheduler/framework/plugins/noderesources/balanced_allocation.go` (v1.36)

use super::{Cycle, Plugin};
use crate::scheduler::node_info::{NodeInfo, Slot};
use podscope_api::{Value, value};

/// No state.
#[derive(Clone, Default)]
pub struct NodeResourcesBalancedAllocation;

impl NodeResourcesBalancedAllocation {
    /// How alike the resources are filled, 0 to 100, with the Pod `times` times on top (0 or 1).
    fn balance(cycle: Cycle, node: &NodeInfo, times: i64) -> i64 {
        // Two resources by default; a handful at most.
        let mut fractions = [0.0_f64; 8];
        let mut count = 0;
        for resource in &cycle.profile.balanced_resources {
            let own = cycle.pod.requests.get(resource);
            let native = matches!(resource.as_ref(), "cpu" | "memory" | "ephemeral-storage");
            let allocatable = node.allocatable.get(resource);
            if allocatable == 0 || (own == 0 && !native) {
                continue;
            }
            let requested = node.requested.get(resource).saturating_add(own * times);
            let fraction = (requested as f64 / allocatable as f64).min(1.0);
            if let Some(place) = fractions.get_mut(count) {
                *place = fraction;
                count += 1;
            }
        }
        let fractions = &fractions[..count];
        let deviation = match fractions {
            [] | [_] => 0.0,
            [a, b] => libm::fabs(a - b) / 2.0,
            _ => {
                let n = fractions.len() as f64;
                let mean = fractions.iter().sum::<f64>() / n;
                libm::sqrt(
                    fractions
                        .iter()
                        .map(|f| (f - mean) * (f - mean))
                        .sum::<f64>()
                        / n,
                )
            }
        };
        ((1.0 - deviation) * 100.0) as i64
    }
}

impl Plugin for NodeResourcesBalancedAllocation {
    fn pre_score(&mut self, cycle: Cycle, _nodes: &[Slot]) -> bool {
        let mut resources = cycle.profile.balanced_resources.iter();
        resources.any(|resource| cycle.pod.requests.get(resource) != 0)
    }

    fn score(&self, cycle: Cycle, node: &NodeInfo) -> i64 {
        let (before, after) = (Self::balance(cycle, node, 0), Self::balance(cycle, node, 1));
        50 + (50 + after - before) / 2
    }

    fn account(&self, cycle: Cycle, node: &NodeInfo) -> Value {
        let resources = cycle.profile.balanced_resources.iter().map(|resource| {
            let (used, own) = (
                node.requested.get(resource),
                cycle.pod.requests.get(resource),
            );
            value!({
                "resource": (resource.clone()), "used": (used), "requested": (own),
                "allocatable": (node.allocatable.get(resource))
            })
        });
        value!({
            "resources": (resources.collect::<Vec<Value>>()),
            "before": (Self::balance(cycle, node, 0)), "after": (Self::balance(cycle, node, 1))
        })
    }
}
