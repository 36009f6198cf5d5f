//! The order in which Nodes are looked at: zone by zone in turn.
//!
//! Models: `pkg/scheduler/backend/cache/node_tree.go` (v1.36)

use super::node_info::Slot;
use podscope_api::{Text, Value};

/// Region and zone, both may be empty.
pub type Zone = (Text, Text);

/// Nodes by zone, both in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct NodeTree(Vec<(Zone, Vec<Slot>)>);

/// The zone that a Node's labels put it in.
pub fn zone_of(labels: &Value) -> Zone {
    let label = |old: &str, new: &str| -> Text {
        let value = labels
            .get(old)
            .as_text()
            .or_else(|| labels.get(new).as_text());
        value.cloned().unwrap_or_else(|| "".into())
    };
    (
        label(
            "failure-domain.beta.kubernetes.io/region",
            "topology.kubernetes.io/region",
        ),
        label(
            "failure-domain.beta.kubernetes.io/zone",
            "topology.kubernetes.io/zone",
        ),
    )
}

impl NodeTree {
    /// Adds a Node at the end of its zone.
    pub fn add(&mut self, zone: Zone, node: Slot) {
        match self.0.iter_mut().find(|(z, _)| *z == zone) {
            Some((_, nodes)) if nodes.contains(&node) => {}
            Some((_, nodes)) => nodes.push(node),
            None => self.0.push((zone, vec![node])),
        }
    }

    /// Removes a Node, and its zone when that was the last one.
    pub fn remove(&mut self, zone: &Zone, node: Slot) {
        if let Some(at) = self.0.iter().position(|(z, _)| z == zone) {
            self.0[at].1.retain(|n| *n != node);
            if self.0[at].1.is_empty() {
                self.0.remove(at);
            }
        }
    }

    /// The first Node of each zone, then the second of each, and so on.
    pub fn order(&self) -> Vec<Slot> {
        let longest = self
            .0
            .iter()
            .map(|(_, nodes)| nodes.len())
            .max()
            .unwrap_or(0);
        let mut order = Vec::new();
        for round in 0..longest {
            order.extend(self.0.iter().filter_map(|(_, nodes)| nodes.get(round)));
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_take_turns_and_come_back_last() {
        let zone = |z: &str| -> Zone { ("".into(), z.into()) };
        let mut tree = NodeTree::default();
        for (z, n) in [("a", 0), ("a", 1), ("b", 2), ("a", 3), ("b", 4)] {
            tree.add(zone(z), n);
        }
        assert_eq!(tree.order(), [0, 2, 1, 4, 3]);
        for n in [0, 1, 3] {
            tree.remove(&zone("a"), n);
        }
        tree.add(zone("a"), 5);
        assert_eq!(tree.order(), [2, 5, 4]);
    }
}
