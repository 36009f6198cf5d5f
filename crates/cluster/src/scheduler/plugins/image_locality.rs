//! ImageLocality: better where the Pod's images already are.
//!
//! Models: `pkg/scheduler/framework/plugins/imagelocality` (v1.36)

use super::{Cycle, Plugin};
use crate::scheduler::node_info::{NodeInfo, Slot};
use podscope_api::{Value, value};
use std::collections::BTreeMap;

const MIB: i64 = 1024 * 1024;
const MIN: i64 = 23 * MIB;
const MAX_PER_CONTAINER: i64 = 1000 * MIB;

/// State: on each Node that has some of the images, the sum of their sizes, each scaled by how many
/// Nodes have it.
#[derive(Clone, Default)]
pub struct ImageLocality {
    sums: BTreeMap<Slot, i64>,
    containers: i64,
}

/// The full name of an image: with `:latest` where it has no tag.
pub fn normalized_name(name: &str) -> String {
    let tagged = match (name.rfind(':'), name.rfind('/')) {
        (Some(colon), Some(slash)) => colon > slash,
        (colon, _) => colon.is_some(),
    };
    if tagged {
        name.to_string()
    } else {
        [name, ":latest"].concat()
    }
}

impl Plugin for ImageLocality {
    fn pre_score(&mut self, cycle: Cycle, _nodes: &[Slot]) -> bool {
        *self = ImageLocality::default();
        let spec = cycle.pod.object.spec();
        let total = cycle.cache.len() as f64;
        let mut add = |image: &Value| {
            let Some(state) = image
                .as_str()
                .and_then(|i| cycle.cache.image(&normalized_name(i)))
            else {
                return;
            };
            let spread = state.nodes.len() as f64 / total;
            for slot in &state.nodes {
                *self.sums.entry(*slot).or_default() += (state.size as f64 * spread) as i64;
            }
        };
        for field in ["initContainers", "containers"] {
            for container in spec.get(field).items() {
                add(container.get("image"));
            }
        }
        for volume in spec.get("volumes").items() {
            add(volume.get("image").get("reference"));
        }
        let count = |field: &str| spec.get(field).items().len() as i64;
        self.containers = count("initContainers") + count("containers");
        true
    }

    fn score(&self, _cycle: Cycle, node: &NodeInfo) -> i64 {
        let max = MAX_PER_CONTAINER * self.containers;
        match self.sums.get(&node.slot) {
            Some(sum) if max > MIN => 100 * ((*sum).clamp(MIN, max) - MIN) / (max - MIN),
            _ => 0,
        }
    }

    fn account(&self, _cycle: Cycle, node: &NodeInfo) -> Value {
        value!({
            "scaledBytes": (self.sums.get(&node.slot).copied().unwrap_or(0)),
            "minBytes": (MIN), "maxBytes": (MAX_PER_CONTAINER * self.containers)
        })
    }
}
