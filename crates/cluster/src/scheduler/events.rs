//! Changes in the cluster that may make a Pod worth another try.
//!
//! Models: `k8s.io/kube-scheduler/framework` ClusterEvent, `pkg/scheduler/framework/events.go` (v1.36)

use super::node_info::NodeInfo;
use crate::trace::TraceId;
use podscope_api::{Kind, Object, Value};
use std::rc::Rc;

/// A change, with the object before and after.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClusterEvent {
    /// The kind of the object.
    pub kind: Kind,
    /// Before; `None` when it is new.
    pub old: Option<Rc<Object>>,
    /// After; `None` when it is gone.
    pub new: Option<Rc<Object>>,
    /// Whether the Pod is the very one whose chances are looked at.
    pub own: bool,
    /// The trace event that told of it.
    pub cause: Option<TraceId>,
}

impl ClusterEvent {
    /// The event's name, such as `NodeAdd`; empty when nothing in it can matter.
    pub fn name(&self) -> &'static str {
        match (self.kind, &self.old, &self.new) {
            (_, None, None) => "",
            (Kind::Node, None, _) => "NodeAdd",
            (Kind::Node, _, None) => "NodeDelete",
            (Kind::Node, ..) if self.taints_changed() => "NodeTaintUpdate",
            (Kind::Node, ..) if self.labels_changed() => "NodeLabelUpdate",
            (Kind::Node, ..) if self.allocatable_changed() => "NodeAllocatableUpdate",
            (Kind::Node, ..) => "",
            (Kind::Pod, None, _) => "AssignedPodAdd",
            (Kind::Pod, _, None) => "AssignedPodDelete",
            (Kind::Pod, ..) if self.own => "UnscheduledPodUpdate",
            (Kind::Pod, ..) if self.labels_changed() || self.spec_changed() => "AssignedPodUpdate",
            (Kind::Pod, ..) => "",
            (Kind::PersistentVolumeClaim, None, _) => "PvcAdd",
            (Kind::PersistentVolumeClaim, _, Some(_)) => "PvcUpdate",
            (Kind::PersistentVolume, None, _) => "PvAdd",
            (Kind::PersistentVolume, _, Some(_)) => "PvUpdate",
            (Kind::StorageClass, None, _) => "StorageClassAdd",
            (Kind::StorageClass, _, Some(_)) => "StorageClassUpdate",
            _ => "",
        }
    }

    fn both(&self) -> Option<(&Object, &Object)> {
        Some((self.old.as_deref()?, self.new.as_deref()?))
    }
    fn changed(&self, read: impl Fn(&Object) -> &Value) -> bool {
        self.both().is_some_and(|(old, new)| read(old) != read(new))
    }
    /// A Node came.
    pub fn is_node_add(&self) -> bool {
        self.kind == Kind::Node && self.old.is_none()
    }
    /// A Node's taints changed, or whether it is cordoned.
    pub fn taints_changed(&self) -> bool {
        self.kind == Kind::Node
            && (self.changed(|o| o.spec().get("taints"))
                || self.changed(|o| o.spec().get("unschedulable")))
    }
    /// The object's labels changed.
    pub fn labels_changed(&self) -> bool {
        self.changed(Object::labels)
    }
    /// What a Node has changed.
    pub fn allocatable_changed(&self) -> bool {
        self.kind == Kind::Node && self.changed(|o| o.status().get("allocatable"))
    }
    fn spec_changed(&self) -> bool {
        self.changed(|o| o.spec())
    }
    /// A Node came, or its taints changed: what a plugin hears that only asks for new Nodes.
    ///
    /// A new Node's taints are taken away after it came, so those who wait for Nodes hear of taints too.
    pub fn is_node_add_or_taint(&self) -> bool {
        self.is_node_add() || self.taints_changed()
    }
    /// A Pod on a Node is gone.
    pub fn is_pod_delete(&self) -> bool {
        self.kind == Kind::Pod && !self.own && self.new.is_none()
    }
    /// The waiting Pod itself changed.
    pub fn is_own(&self) -> bool {
        self.own
    }
    /// The Node before and after, read.
    pub fn nodes(&self) -> (Option<NodeInfo>, Option<NodeInfo>) {
        let read = |object: &Rc<Object>| {
            let mut node = NodeInfo::unknown(0, object.key().name);
            node.set_node(object);
            node
        };
        match self.kind {
            Kind::Node => (self.old.as_ref().map(read), self.new.as_ref().map(read)),
            _ => (None, None),
        }
    }
}
