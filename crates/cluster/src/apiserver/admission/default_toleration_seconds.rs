//! DefaultTolerationSeconds: Pods stay five minutes on Nodes that are not ready or unreachable.
//!
//! Models: plugin/pkg/admission/defaulttolerationseconds (v1.36)

use super::{Admission, Lookup, Operation};
use podscope_api::{Kind, Status, value};

/// How long, in seconds.
const SECONDS: i64 = 300;
const KEYS: [&str; 2] = [
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
];

/// Adds the two tolerations unless the Pod has its own.
pub fn admit(a: &mut Admission<'_>, _lookup: &dyn Lookup) -> Result<(), Status> {
    if a.kind != Kind::Pod || !a.subresource.is_empty() || a.operation == Operation::Delete {
        return Ok(());
    }
    for key in KEYS {
        let tolerated = a.object.at("spec.tolerations").items().iter().any(|t| {
            let own = t.get("key").str_or_empty();
            let effect = t.get("effect").str_or_empty();
            (own == key || own.is_empty()) && (effect == "NoExecute" || effect.is_empty())
        });
        if !tolerated {
            let toleration = value!({
                "key": (key), "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": (SECONDS)
            });
            a.object
                .at_mut("spec.tolerations")
                .list_mut()
                .push(toleration);
        }
    }
    Ok(())
}
