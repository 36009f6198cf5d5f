//! When a change counts as a new generation.
//!
//! Models: PrepareForUpdate of the strategies in pkg/registry (v1.36)

use podscope_api::{Kind, Value};

/// The generation of a changed object.
pub fn next(kind: Kind, new: &Value, old: &Value) -> i64 {
    let before = old.at("metadata.generation").as_int().unwrap_or(0);
    let spec_changed = match kind {
        Kind::PriorityClass => false,
        // It has no spec: everything but its metadata counts.
        Kind::EndpointSlice => ["addressType", "endpoints", "ports"]
            .iter()
            .any(|field| new.get(field) != old.get(field)),
        Kind::MutatingWebhookConfiguration | Kind::ValidatingWebhookConfiguration => {
            new.get("webhooks") != old.get("webhooks")
        }
        _ => new.get("spec") != old.get("spec"),
    };
    // A Deployment's annotations are copied to its ReplicaSets: a change there counts too.
    let annotations_changed = kind == Kind::Deployment
        && new.at("metadata.annotations") != old.at("metadata.annotations");
    if super::counts_generations(kind) && (spec_changed || annotations_changed) {
        before + 1
    } else {
        before
    }
}
