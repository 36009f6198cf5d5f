//! NodeResourcesBalancedAllocation: better where CPU and memory fill up alike.
//!
//! Models: `pkg/scheduler/framework/plugins/noderesources/balanced_allocation.go` (v1.36)

use super::{Cycle, Plugin};
use crate::scheduler::node_info::{NodeInfo, Slot};
use crate::scheduler::resources::Resource;
use podscope_api::{Value, value};

/// At most this many resources are balanced.
const MAX_RESOURCES: usize = 8;

/// State: the balanced resources with what the Pod asks for; scalar ones only when it asks for some.
#[derive(Clone, Default)]
pub struct NodeResourcesBalancedAllocation {
    resources: Vec<(Resource, i64)>,
}

impl NodeResourcesBalancedAllocation {
    /// How alike the resources are filled, 0 to 100, with the Pod `times` times on top (0 or 1).
    fn balance(&self, node: &NodeInfo, times: i64) -> i64 {
        let mut fractions = [0.0_f64; MAX_RESOURCES];
        let mut count = 0;
        for (resource, own) in &self.resources {
            let allocatable = node.allocatable.amount(resource);
            if allocatable == 0 || count == MAX_RESOURCES {
                continue;
            }
            let requested = node.requested.amount(resource).saturating_add(own * times);
            fractions[count] = (requested as f64 / allocatable as f64).min(1.0);
            count += 1;
        }
        let deviation = match &fractions[..count] {
            [] | [_] => 0.0,
            [a, b] => libm::fabs(a - b) / 2.0,
            all => {
                let n = all.len() as f64;
                let mean = all.iter().sum::<f64>() / n;
                libm::sqrt(all.iter().map(|f| (f - mean) * (f - mean)).sum::<f64>() / n)
            }
        };
        ((1.0 - deviation) * 100.0) as i64
    }
}

impl Plugin for NodeResourcesBalancedAllocation {
    fn pre_score(&mut self, cycle: Cycle, _nodes: &[Slot]) -> bool {
        let listed = cycle.profile.balanced_resources.iter().map(|name| {
            let resource = Resource::named(name);
            let own = cycle.pod.requests.amount(&resource);
            (resource, own)
        });
        self.resources = listed
            .filter(|(resource, own)| *own != 0 || !matches!(resource, Resource::Scalar(_)))
            .collect();
        self.resources.iter().any(|(_, own)| *own != 0)
    }

    fn score(&self, _cycle: Cycle, node: &NodeInfo) -> i64 {
        50 + (50 + self.balance(node, 1) - self.balance(node, 0)) / 2
    }

    fn account(&self, _cycle: Cycle, node: &NodeInfo) -> Value {
        let resources = self.resources.iter().map(|(resource, own)| {
            value!({
                "resource": (resource.name()), "used": (node.requested.amount(resource)),
                "requested": (*own), "allocatable": (node.allocatable.amount(resource))
            })
        });
        value!({
            "resources": (resources.collect::<Vec<Value>>()),
            "before": (self.balance(node, 0)), "after": (self.balance(node, 1))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::PluginId;
    use crate::scheduler::fixture::{cache, node, pod, scores};
    use podscope_api::{Object, value};

    fn asking(name: &str, cpu: &str, memory: &str) -> Object {
        pod(
            name,
            value!({"spec": {"containers": [
                {"name": "c", "resources": {"requests": {"cpu": (cpu), "memory": (memory)}}}
            ]}}),
        )
    }

    #[test]
    fn evening_out_beats_tilting() {
        let heavy_on_cpu = asking("cpu", "2", "0");
        let nodes = [node("a", "z", value!({})), node("b", "z", value!({}))];
        let cache = cache(&nodes, &[(heavy_on_cpu, "a")]);
        // On a memory catches up with CPU (75 to 100), on b it runs ahead (100 to 75).
        let web = asking("web", "0", "4Gi");
        let id = PluginId::NodeResourcesBalancedAllocation;
        assert_eq!(scores(&cache, &web, id), [87, 62]);
        assert!(scores(&cache, &pod("nothing", value!({})), id).is_empty());
    }
}
