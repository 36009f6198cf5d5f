//! Taints that follow from a Node's conditions.
//!
//! Models: pkg/controller/nodelifecycle/node_lifecycle_controller.go, pkg/controller/util/node (v1.36)

use podscope_api::{Object, Timestamp, Value, value};

/// The taint of nodes whose Ready condition is False.
pub const NOT_READY: &str = "node.kubernetes.io/not-ready";
/// The taint of nodes whose Ready condition is Unknown.
pub const UNREACHABLE: &str = "node.kubernetes.io/unreachable";

const FROM_CONDITIONS: &[(&str, &str, &str)] = &[
    ("Ready", "False", NOT_READY),
    ("Ready", "Unknown", UNREACHABLE),
    (
        "MemoryPressure",
        "True",
        "node.kubernetes.io/memory-pressure",
    ),
    ("DiskPressure", "True", "node.kubernetes.io/disk-pressure"),
    ("PIDPressure", "True", "node.kubernetes.io/pid-pressure"),
    (
        "NetworkUnavailable",
        "True",
        "node.kubernetes.io/network-unavailable",
    ),
];
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

/// Taints to add and to remove: (key, effect).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Change {
    /// To add.
    pub add: Vec<(&'static str, &'static str)>,
    /// To remove.
    pub remove: Vec<(&'static str, &'static str)>,
}

impl Change {
    /// True when there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }
}

/// Whether a node has a taint with this key and effect.
pub fn has(node: &Object, key: &str, effect: &str) -> bool {
    node.at("spec.taints")
        .items()
        .iter()
        .any(|t| is(t, key, effect))
}

fn is(taint: &Value, key: &str, effect: &str) -> bool {
    taint.get("key").as_str() == Some(key) && taint.get("effect").as_str() == Some(effect)
}

/// The NoSchedule taints that the node's conditions and `spec.unschedulable` ask for.
pub fn no_schedule(node: &Object) -> Change {
    let mut change = Change::default();
    let mut want = |key: &'static str, wanted: bool| match (wanted, has(node, key, "NoSchedule")) {
        (true, false) => change.add.push((key, "NoSchedule")),
        (false, true) => change.remove.push((key, "NoSchedule")),
        _ => {}
    };
    for (condition, status, key) in FROM_CONDITIONS {
        let is = node.condition(condition).get("status").as_str() == Some(status);
        want(key, is);
    }
    want(UNSCHEDULABLE, node.at("spec.unschedulable").is_true());
    change
}

/// The NoExecute taints that the node's Ready condition asks for.
pub fn no_execute(node: &Object) -> Change {
    let wanted = match node.condition("Ready").get("status").as_str() {
        Some("False") => NOT_READY,
        Some("Unknown") => UNREACHABLE,
        _ => "",
    };
    let mut change = Change::default();
    for key in [NOT_READY, UNREACHABLE] {
        match (key == wanted, has(node, key, "NoExecute")) {
            (true, false) => change.add.push((key, "NoExecute")),
            (false, true) => change.remove.push((key, "NoExecute")),
            _ => {}
        }
    }
    change
}

/// The body of the PATCH that adds or removes taints on the node as it was read; `None` when it has them so already.
pub fn patch(
    node: &Object,
    add: &[(&'static str, &'static str)],
    remove: &[(&'static str, &'static str)],
    now: Timestamp,
) -> Option<Value> {
    let before = node.at("spec.taints").items();
    let mut taints: Vec<Value> = before
        .iter()
        .filter(|t| !remove.iter().any(|(key, effect)| is(t, key, effect)))
        .cloned()
        .collect();
    for (key, effect) in add {
        if !has(node, key, effect) {
            taints.push(value!({
                "key": (*key), "effect": (*effect), "timeAdded": (now.seconds_text())
            }));
        }
    }
    if taints == before {
        return None;
    }
    let taints = if taints.is_empty() {
        Value::Null
    } else {
        Value::from(taints)
    };
    let version = node.at("metadata.resourceVersion").clone();
    Some(value!({"metadata": {"resourceVersion": (version)}, "spec": {"taints": (taints)}}))
}
