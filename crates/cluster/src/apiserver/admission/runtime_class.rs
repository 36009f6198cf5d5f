//! RuntimeClass: overhead, node selector and tolerations of the class a Pod names.
//!
//! Models: plugin/pkg/admission/runtimeclass (v1.36)

use super::{Admission, Lookup};
use podscope_api::{Kind, Object, Status, Value};
use std::rc::Rc;

fn class(a: &Admission<'_>, lookup: &dyn Lookup) -> Result<Option<Rc<Object>>, Status> {
    let Some(name) = a.object.at("spec.runtimeClassName").as_str() else {
        return Ok(None);
    };
    match lookup.get(Kind::RuntimeClass, "", name) {
        Some(class) => Ok(Some(class)),
        None => Err(a.forbidden(&format!("pod rejected: RuntimeClass \"{name}\" not found"))),
    }
}

/// Writes the class's overhead and scheduling rules into a new Pod.
pub fn mutate(a: &mut Admission<'_>, lookup: &dyn Lookup) -> Result<(), Status> {
    if !a.creates_pod() {
        return Ok(());
    }
    let Some(class) = class(a, lookup)? else {
        return Ok(());
    };
    let overhead = class.at("overhead.podFixed");
    let own = a.object.at("spec.overhead");
    if !overhead.is_null() {
        if !own.is_empty() && own != overhead {
            return Err(a.forbidden(
                "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
            ));
        }
        a.object.set("spec.overhead", overhead.clone());
    }
    let scheduling = class.get("scheduling");
    for (key, value) in scheduling.get("nodeSelector").entries() {
        let own = a.object.at("spec.nodeSelector").get(key);
        if !own.is_null() && own != value {
            return Err(a.forbidden(&format!(
                "pod rejected: conflict: runtimeClass.scheduling.nodeSelector[{key}] = {}; pod.spec.nodeSelector[{key}] = {}",
                value.str_or_empty(),
                own.str_or_empty()
            )));
        }
        a.object
            .at_mut("spec.nodeSelector")
            .map_mut()
            .insert(key.clone(), value.clone());
    }
    for toleration in scheduling.get("tolerations").items() {
        if !a.object.at("spec.tolerations").items().contains(toleration) {
            a.object
                .at_mut("spec.tolerations")
                .list_mut()
                .push(toleration.clone());
        }
    }
    Ok(())
}

/// A Pod without a class may not claim overhead.
pub fn validate(a: &mut Admission<'_>, lookup: &dyn Lookup) -> Result<(), Status> {
    if !a.creates_pod() {
        return Ok(());
    }
    let class = class(a, lookup)?;
    let fixed = class
        .as_ref()
        .map_or(&Value::Null, |c| c.at("overhead.podFixed"));
    if !a.object.at("spec.overhead").is_empty() && fixed.is_null() {
        return Err(a.forbidden(
            "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
        ));
    }
    Ok(())
}
