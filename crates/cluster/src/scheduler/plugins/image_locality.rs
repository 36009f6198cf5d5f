//! ImageLocality: better where the Pod's images already are.
//!
//! Models: `pkg/scheduler/framework/plugins/imagelocality` (v1.36)

use super::{Cycle, Plugin};
use crate::scheduler::cache::ImageState;
use crate::scheduler::node_info::{NodeInfo, Slot};
use podscope_api::{Value, value};
use std::rc::Rc;

const MIB: i64 = 1024 * 1024;
const MIN: i64 = 23 * MIB;
const MAX_PER_CONTAINER: i64 = 1000 * MIB;

/// One of the Pod's images that some Node has.
#[derive(Clone)]
struct Image {
    /// Its size in bytes, scaled by the share of Nodes that have it.
    scaled: i64,
    state: Rc<ImageState>,
}

/// State: the Pod's images that some Node has.
#[derive(Clone, Default)]
pub struct ImageLocality {
    images: Vec<Image>,
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

impl ImageLocality {
    fn sum(&self, node: &NodeInfo) -> i64 {
        let mut sum = 0;
        for image in &self.images {
            if image.state.is_on(node.slot) {
                sum += image.scaled;
            }
        }
        sum
    }
}

impl Plugin for ImageLocality {
    fn pre_score(&mut self, cycle: Cycle, _nodes: &[Slot]) -> bool {
        *self = ImageLocality::default();
        let spec = cycle.pod.object.spec();
        let total = cycle.cache.len() as f64;
        let mut add = |image: &Value| {
            let Some(name) = image.as_str().map(normalized_name) else {
                return;
            };
            if let Some(state) = cycle.cache.image(&name).cloned() {
                let spread = f64::from(state.count) / total;
                let scaled = (state.size as f64 * spread) as i64;
                self.images.push(Image { scaled, state });
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
        if self.images.is_empty() || max <= MIN {
            return 0;
        }
        100 * (self.sum(node).clamp(MIN, max) - MIN) / (max - MIN)
    }

    fn account(&self, _cycle: Cycle, node: &NodeInfo) -> Value {
        value!({
            "scaledBytes": (self.sum(node)),
            "minBytes": (MIN), "maxBytes": (MAX_PER_CONTAINER * self.containers)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::PluginId;
    use crate::scheduler::fixture::{cache, node, pod, scores};
    use podscope_api::value;

    #[test]
    fn a_big_image_that_is_there_counts() {
        let image = value!({"status": {"images": [
            {"names": ["nginx:latest"], "sizeBytes": 1_048_576_000}
        ]}});
        let nodes = [node("a", "z", image), node("b", "z", value!({}))];
        // 1000 MiB, halved because one of two Nodes has it: (500 - 23) of (1000 - 23).
        let web = pod("web", value!({}));
        assert_eq!(
            scores(&cache(&nodes, &[]), &web, PluginId::ImageLocality),
            [48, 0]
        );
    }
}
