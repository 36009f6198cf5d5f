//! What the scheduler knows of a Node: what it has, and what the Pods on it take.
//!
//! Models: `pkg/scheduler/framework/types.go` NodeInfo (v1.36)

use super::pod_info::{HostPort, PodInfo};
use super::resources::Resources;
use super::taint::Taint;
use podscope_api::{Object, Text, Value};
use std::rc::Rc;

/// The number of a Node in the cache; stays the same while the cache knows the Node.
pub type Slot = u32;

/// A Pod on a Node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PlacedPod {
    /// The Pod.
    pub pod: Rc<PodInfo>,
    /// The class of Pods with the same namespace, labels and affinity.
    pub class: u32,
}

/// A Node and its Pods.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct NodeInfo {
    /// Its number in the cache.
    pub slot: Slot,
    /// Its name.
    pub name: Text,
    /// Whether the Node object exists; Pods may name a Node that does not.
    pub present: bool,
    /// The Node's labels, a map or null.
    pub labels: Value,
    /// `spec.unschedulable`.
    pub unschedulable: bool,
    /// `spec.taints`.
    pub taints: Vec<Taint>,
    /// `status.allocatable`.
    pub allocatable: Resources,
    /// What its Pods ask for.
    pub requested: Resources,
    /// What its Pods ask for, with defaults: CPU (thousandths) and memory (bytes).
    pub non_zero: (i64, i64),
    /// Its Pods, in the order in which they came.
    pub pods: Vec<PlacedPod>,
    /// The ports that its Pods take.
    pub ports: Vec<HostPort>,
    /// Names and sizes in bytes of the images on it.
    pub images: Vec<(Text, i64)>,
}

impl NodeInfo {
    /// A Node of which nothing is known but the name.
    pub fn unknown(slot: Slot, name: Text) -> NodeInfo {
        NodeInfo {
            slot,
            name,
            ..NodeInfo::default()
        }
    }

    /// Takes over the Node object.
    pub fn set_node(&mut self, node: &Object) {
        self.present = true;
        self.labels = node.labels().clone();
        self.unschedulable = node.spec().get("unschedulable").is_true();
        self.taints = Taint::list(node.spec().get("taints"));
        self.allocatable = Resources::from_list(node.status().get("allocatable"));
        self.images.clear();
        for image in node.status().get("images").items() {
            let size = image.get("sizeBytes").as_int().unwrap_or(0);
            for name in image.get("names").items() {
                if let Some(name) = name.as_text() {
                    self.images.push((name.clone(), size));
                }
            }
        }
    }

    /// Forgets the Node object; its Pods stay.
    #[inline(never)]
    pub fn clear_node(&mut self) {
        let pods = std::mem::take(&mut self.pods);
        *self = NodeInfo {
            requested: std::mem::take(&mut self.requested),
            non_zero: self.non_zero,
            ports: std::mem::take(&mut self.ports),
            pods,
            ..NodeInfo::unknown(self.slot, self.name.clone())
        };
    }

    /// Adds a Pod.
    pub fn add_pod(&mut self, pod: Rc<PodInfo>, class: u32) {
        self.requested.add(&pod.requests, 1);
        self.non_zero.0 = self.non_zero.0.saturating_add(pod.non_zero.0);
        self.non_zero.1 = self.non_zero.1.saturating_add(pod.non_zero.1);
        self.ports.extend(pod.ports.iter().cloned());
        self.pods.push(PlacedPod { pod, class });
    }

    /// Removes a Pod; `None` when it is not here.
    pub fn remove_pod(&mut self, pod: &PodInfo) -> Option<PlacedPod> {
        let at = self.pods.iter().position(|p| p.pod.is_same(pod))?;
        let placed = self.pods.remove(at);
        self.requested.add(&placed.pod.requests, -1);
        self.non_zero.0 = self.non_zero.0.saturating_sub(placed.pod.non_zero.0);
        self.non_zero.1 = self.non_zero.1.saturating_sub(placed.pod.non_zero.1);
        for port in &placed.pod.ports {
            if let Some(i) = self.ports.iter().position(|p| p == port) {
                self.ports.remove(i);
            }
        }
        Some(placed)
    }

    /// The value of a label, `None` when the Node does not have it.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels.get(key).as_str()
    }
}
