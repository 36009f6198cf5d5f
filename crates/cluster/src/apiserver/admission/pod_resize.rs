//! PodResizeValidator: a Pod on a node cannot ask for more than the whole node has.
//!
//! Models: plugin/pkg/admission/podresize (v1.36)

use super::{Admission, Lookup};
use crate::apiserver::validation::pod::resources;
use podscope_api::{Cause, Kind, Quantity, Status};

/// Refuses a resize beyond the node's allocatable resources.
pub fn admit(a: &mut Admission<'_>, lookup: &dyn Lookup) -> Result<(), Status> {
    let Some(old) = a
        .old
        .filter(|_| a.kind == Kind::Pod && a.subresource == "resize")
    else {
        return Ok(());
    };
    let spec = a.object.get("spec");
    let requests = resources::aggregate(spec, "requests");
    if requests == resources::aggregate(old.get("spec"), "requests") {
        return Ok(());
    }
    let Some(node) = lookup.get(Kind::Node, "", spec.get("nodeName").str_or_empty()) else {
        return Ok(());
    };
    let mut lacks: Vec<String> = Vec::new();
    for name in ["cpu", "memory"] {
        let Some((_, requested)) = requests.iter().find(|(n, _)| n == name) else {
            continue;
        };
        let whole = Quantity::from_value(node.at("status.allocatable").get(name));
        let whole = whole.unwrap_or_default();
        if *requested > whole {
            let number = |q: &Quantity| {
                if name == "cpu" {
                    q.milli_value()
                } else {
                    q.value()
                }
            };
            lacks.push(format!(
                "{name}, requested: {}, allocatable: {}",
                number(requested),
                number(&whole)
            ));
        }
    }
    if lacks.is_empty() {
        return Ok(());
    }
    let why = format!(
        "node didn't have enough allocatable resources: {}",
        lacks.join("; ")
    );
    let mut status = a.forbidden(&why);
    status.causes.push(Cause {
        reason: "NodeCapacity".into(),
        message: "".into(),
        field: "".into(),
    });
    Err(status)
}
