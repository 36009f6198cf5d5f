//! Changed objects: what the client cannot change is set back before validation.
//!
//! Models: staging/src/k8s.io/apiserver/pkg/registry/rest/update.go BeforeUpdate, PrepareForUpdate of the
//! strategies in pkg/registry (v1.36)

use super::{counts_generations, generation, service};
use podscope_api::{Kind, Value};

/// Metadata that belongs to the server.
const SERVER_METADATA: &[&str] = &[
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "selfLink",
    "uid",
];

/// Prepares a changed object; `subresource` is empty, `status`, `resize`, `ephemeralcontainers` or `scale`.
pub fn prepare_update(kind: Kind, subresource: &str, new: &mut Value, old: &Value) {
    for field in SERVER_METADATA {
        keep(new, old, &format!("metadata.{field}"));
    }
    if kind == Kind::Namespace && subresource != "finalize" {
        keep(new, old, "spec.finalizers");
    }
    match subresource {
        "status" => {
            keep_all_but_status(kind, new, old);
        }
        "ephemeralcontainers" => {
            let wanted = new.at("spec.ephemeralContainers").clone();
            let mut spec = old.get("spec").clone();
            if !wanted.is_empty() {
                spec.set("ephemeralContainers", wanted);
            }
            new.set("spec", spec);
            keep(new, old, "status");
        }
        "resize" => {
            resources_only(new, old);
            keep(new, old, "status");
        }
        _ => {
            if !matches!(kind, Kind::Node | Kind::Event | Kind::Lease)
                || !old.get("status").is_null()
            {
                keep(new, old, "status");
            }
            whole(kind, new, old);
        }
    }
    let generation = generation::next(kind, new, old);
    if counts_generations(kind) && subresource != "status" && generation > 0 {
        new.set("metadata.generation", generation);
    }
}

/// Sets a field back to what it was.
fn keep(new: &mut Value, old: &Value, path: &str) {
    match old.at(path) {
        Value::Null => {
            new.remove(path);
        }
        before => new.set(path, before.clone()),
    }
}

fn keep_all_but_status(kind: Kind, new: &mut Value, old: &Value) {
    keep(new, old, "spec");
    if matches!(kind, Kind::Deployment | Kind::Pod) {
        // Labels cannot be changed through the status.
        if kind == Kind::Deployment {
            keep(new, old, "metadata.labels");
        }
        keep(new, old, "metadata.ownerReferences");
    }
    if kind == Kind::Pod {
        keep(new, old, "status.qosClass");
    }
}

#[inline(never)]
fn whole(kind: Kind, new: &mut Value, old: &Value) {
    match kind {
        Kind::Service => service::prepare_update(new, old),

        Kind::Secret => {
            super::string_data(new);
            if new.get("type").is_empty() {
                keep(new, old, "type");
            }
        }
        Kind::PersistentVolumeClaim => super::data_sources(new),

        Kind::DaemonSet => {
            let before = old
                .at("metadata.annotations")
                .get(super::TEMPLATE_GENERATION);
            let before = before.str_or_empty().parse::<i64>().unwrap_or(0);
            let changed = new.at("spec.template") != old.at("spec.template");
            super::template_generation(new, before + i64::from(changed));
        }
        _ => {}
    }
}

#[inline(never)]
fn resources_only(new: &mut Value, old: &Value) {
    let mut spec = old.get("spec").clone();
    for list in ["containers", "initContainers"] {
        let wanted = new.get("spec").get(list).items();
        if wanted.len() != spec.get(list).items().len() || wanted.is_empty() {
            continue;
        }
        let items: Vec<Value> = spec
            .get(list)
            .items()
            .iter()
            .zip(wanted)
            .map(|(before, wanted)| {
                let mut item = before.clone();
                item.set("resources", wanted.get("resources").clone());
                item
            })
            .collect();
        spec.set(list, items);
    }
    new.set("spec", spec);
}
