//! TaintNodesByCondition: a new Node starts as not ready.
//!
//! Models: plugin/pkg/admission/nodetaint (v1.36)

use super::{Admission, Lookup, Operation};
use podscope_api::{Kind, Status, value};

/// The taint of Nodes that are not ready.
pub const NOT_READY: &str = "node.kubernetes.io/not-ready";

/// Adds the taint to a new Node.
pub fn admit(a: &mut Admission<'_>, _lookup: &dyn Lookup) -> Result<(), Status> {
    if a.kind != Kind::Node || a.operation != Operation::Create || !a.subresource.is_empty() {
        return Ok(());
    }
    let has = a.object.at("spec.taints").items().iter().any(|t| {
        t.get("key").as_str() == Some(NOT_READY) && t.get("effect").as_str() == Some("NoSchedule")
    });
    if !has {
        let taint = value!({"key": (NOT_READY), "effect": "NoSchedule"});
        a.object.at_mut("spec.taints").list_mut().push(taint);
    }
    Ok(())
}
