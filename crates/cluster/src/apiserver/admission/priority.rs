//! Priority: a Pod's priority comes from its PriorityClass.
//!
//! Models: plugin/pkg/admission/priority (v1.36)

use super::{Admission, Lookup, Operation};
use podscope_api::{Kind, Object, Status, Value};
use std::rc::Rc;

/// Classes that exist in every cluster, with their values.
pub const SYSTEM_CLASSES: &[(&str, i64)] = &[
    ("system-node-critical", 2_000_001_000),
    ("system-cluster-critical", 2_000_000_000),
];

fn default_class(lookup: &dyn Lookup) -> Option<Rc<Object>> {
    lookup
        .list(Kind::PriorityClass, "")
        .into_iter()
        .filter(|c| c.get("globalDefault").is_true())
        .min_by_key(|c| c.get("value").as_int().unwrap_or(0))
}

/// Sets `spec.priority` and `spec.preemptionPolicy` of a new Pod.
pub fn mutate(a: &mut Admission<'_>, lookup: &dyn Lookup) -> Result<(), Status> {
    if !a.creates_pod() {
        return Ok(());
    }
    let name = a
        .object
        .at("spec.priorityClassName")
        .str_or_empty()
        .to_string();
    let (priority, policy) = if name.is_empty() {
        match default_class(lookup) {
            Some(class) => {
                a.object.set("spec.priorityClassName", class.name());
                of(&class)
            }
            None => (0, "PreemptLowerPriority".to_string()),
        }
    } else {
        let system = SYSTEM_CLASSES.iter().find(|(n, _)| *n == name);
        match (lookup.get(Kind::PriorityClass, "", &name), system) {
            (Some(class), _) => of(&class),
            (None, Some((_, value))) => (*value, "PreemptLowerPriority".to_string()),
            (None, None) => {
                return Err(a.forbidden(&format!("no PriorityClass with name {name} was found")));
            }
        }
    };
    if let Some(given) = a.object.at("spec.priority").as_int()
        && given != priority
    {
        return Err(a.forbidden(&format!(
            "the integer value of priority ({given}) must not be provided in pod spec; priority admission controller computed {priority} from the given PriorityClass name"
        )));
    }
    a.object.set("spec.priority", priority);
    let given = a.object.at("spec.preemptionPolicy");
    if let Some(given) = given.as_str() {
        if given != policy {
            return Err(a.forbidden(&format!(
                "the string value of PreemptionPolicy ({given}) must not be provided in pod spec; priority admission controller computed {policy} from the given PriorityClass name"
            )));
        }
    } else {
        a.object.set("spec.preemptionPolicy", policy);
    }
    Ok(())
}

fn of(class: &Value) -> (i64, String) {
    let policy = match class.get("preemptionPolicy").str_or_empty() {
        "" => "PreemptLowerPriority",
        policy => policy,
    };
    (class.get("value").as_int().unwrap_or(0), policy.to_string())
}

/// Only one PriorityClass may be the default.
pub fn validate(a: &mut Admission<'_>, lookup: &dyn Lookup) -> Result<(), Status> {
    if a.kind != Kind::PriorityClass || a.operation == Operation::Delete {
        return Ok(());
    }
    if a.object.get("globalDefault").is_true()
        && let Some(class) = default_class(lookup)
        && (a.operation == Operation::Create || class.name() != a.name())
    {
        return Err(a.forbidden(&format!(
            "PriorityClass {} is already marked as default. Only one default can exist",
            class.name()
        )));
    }
    Ok(())
}
