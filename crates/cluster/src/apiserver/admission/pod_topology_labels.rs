//! PodTopologyLabels: a Pod bound to a Node learns the Node's zone and region.
//!
//! Models: plugin/pkg/admission/podtopologylabels (v1.36)

use super::{Admission, Lookup, Operation};
use podscope_api::{Kind, Status, Value};

/// The labels that are copied.
pub const LABELS: [&str; 2] = [
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
];

/// Copies the labels at a binding (from the Node named as its target) and for Pods created on a Node.
pub fn admit(a: &mut Admission<'_>, lookup: &dyn Lookup) -> Result<(), Status> {
    if a.kind != Kind::Pod || a.operation != Operation::Create {
        return Ok(());
    }
    let node = match a.subresource {
        "binding" => a.object.at("target.name"),
        "" => a.object.at("spec.nodeName"),
        _ => return Ok(()),
    };
    let Some(node) = node
        .as_str()
        .and_then(|name| lookup.get(Kind::Node, "", name))
    else {
        return Ok(());
    };
    for key in LABELS {
        if let Some(value) = node.label(key) {
            let labels = a.object.at_mut("metadata.labels").map_mut();
            labels.insert(key, Value::str(value));
        }
    }
    Ok(())
}
