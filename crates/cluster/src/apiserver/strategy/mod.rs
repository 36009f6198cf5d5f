//! What the server does to an object before it is validated: reset the status, set generations,
//! generate names, selectors and hashes.

pub mod generation;
pub mod hash;
pub mod job;
pub mod names;
pub mod pod;
pub mod service;
pub mod update;

use podscope_api::{Kind, Value};

/// Kinds whose objects count changes of their spec in `metadata.generation`.
pub fn counts_generations(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Pod
            | Kind::ReplicationController
            | Kind::Deployment
            | Kind::ReplicaSet
            | Kind::DaemonSet
            | Kind::StatefulSet
            | Kind::Job
            | Kind::CronJob
            | Kind::PodDisruptionBudget
            | Kind::EndpointSlice
            | Kind::PriorityClass
            | Kind::Ingress
            | Kind::IngressClass
            | Kind::NetworkPolicy
            | Kind::MutatingWebhookConfiguration
            | Kind::ValidatingWebhookConfiguration
            | Kind::ValidatingAdmissionPolicy
            | Kind::ValidatingAdmissionPolicyBinding
    )
}

/// Kinds whose status clients cannot set when they create an object.
fn resets_status(kind: Kind) -> bool {
    !matches!(
        kind,
        Kind::Node | Kind::Namespace | Kind::Pod | Kind::PersistentVolume
    )
}

/// Prepares a new object: name and uid are set already.
pub fn prepare_create(kind: Kind, object: &mut Value) {
    if resets_status(kind) && !object.get("status").is_null() {
        object.set("status", Value::map());
    }
    match kind {
        Kind::Namespace => {
            object.set("status", podscope_api::value!({"phase": "Active"}));
            let finalizers = object.at("spec.finalizers").items();
            let kubernetes = Value::str("kubernetes");
            if !finalizers.contains(&kubernetes) {
                let mut finalizers = finalizers.to_vec();
                finalizers.push(kubernetes);
                object.set("spec.finalizers", finalizers);
            }
        }
        Kind::Pod => pod::prepare_create(object),
        Kind::Job => job::generate_selector(object),
        Kind::DaemonSet => template_generation(object, 1),
        Kind::Service => {
            object.set("status", podscope_api::value!({"loadBalancer": {}}));
            service::normalize_cluster_ips(object, None);
        }
        Kind::PersistentVolumeClaim => {
            object.set("status", podscope_api::value!({"phase": "Pending"}));
            data_sources(object);
        }
        Kind::PersistentVolume => {
            object.set("status", podscope_api::value!({"phase": "Pending"}));
        }
        Kind::Secret => string_data(object),
        Kind::HorizontalPodAutoscaler => {
            object.set(
                "status",
                podscope_api::value!({"currentMetrics": null, "desiredReplicas": 0}),
            );
        }
        _ => {}
    }
    drop_disabled(kind, object);
    if counts_generations(kind) {
        object.set("metadata.generation", 1);
    }
}

/// What becomes of an object that passed validation on its way to the store.
pub fn finish(kind: Kind, object: &mut Value) {
    if kind == Kind::Namespace {
        super::defaulting::apply(kind, object);
    }
    if kind == Kind::Job {
        job::own_labels(object);
    }
}

/// Drops fields of features that are off in this release.
fn drop_disabled(kind: Kind, object: &mut Value) {
    let path = match kind {
        Kind::Pod => "spec",
        Kind::CronJob => "spec.jobTemplate.spec.template.spec",
        _ => "spec.template.spec",
    };
    if object.at(path).is_null() {
        return;
    }
    let spec = object.at_mut(path);
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        super::defaulting::each(spec, list, |c| {
            if c.at("lifecycle.stopSignal").is_null() {
                return;
            }
            c.remove("lifecycle.stopSignal");
            if c.get("lifecycle").is_empty() {
                c.remove("lifecycle");
            }
        });
    }
}

const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// DaemonSets keep the generation of their template in an annotation.
fn template_generation(object: &mut Value, generation: i64) {
    let annotations = object.at_mut("metadata.annotations").map_mut();
    annotations.insert(TEMPLATE_GENERATION, generation.to_string().into());
}

/// A DaemonSet as it is read: with the annotation.
pub fn mark_template_generation(kind: Kind, object: &mut Value) {
    if kind == Kind::DaemonSet {
        template_generation(object, 0);
    }
}

/// `stringData` is written into `data` and does not stay.
#[inline(never)]
fn string_data(object: &mut Value) {
    let Some(plain) = object.remove("stringData") else {
        return;
    };
    for (key, value) in plain.entries() {
        let encoded = base64(value.str_or_empty().as_bytes());
        object
            .entry("data")
            .map_mut()
            .insert(key.clone(), encoded.into());
    }
}

/// Standard base64 with padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let get = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let word = get(0) << 16 | get(1) << 8 | get(2);
        for i in 0..4 {
            if i <= chunk.len() {
                let letter = LETTERS.get((word >> (18 - 6 * i)) as usize & 63);
                out.push(char::from(*letter.unwrap_or(&b'A')));
            } else {
                out.push('=');
            }
        }
    }
    out
}

/// A data source given in one of the two fields is copied to the other.
#[inline(never)]
fn data_sources(object: &mut Value) {
    let (old, new) = (
        object.at("spec.dataSource").clone(),
        object.at("spec.dataSourceRef").clone(),
    );
    if new.is_null() && !old.is_null() {
        object.set("spec.dataSourceRef", old);
    } else if old.is_null() && !new.is_null() && new.get("namespace").is_empty() {
        object.set("spec.dataSource", new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_everywhere() {
        assert_eq!(base64(b""), "");
        assert_eq!(base64(b"f"), "Zg==");
        assert_eq!(base64(b"fo"), "Zm8=");
        assert_eq!(base64(b"foobar"), "Zm9vYmFy");
    }
}
