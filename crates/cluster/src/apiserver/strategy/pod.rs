//! New Pods: phase, QoS class, scheduling gates, `matchLabelKeys`.
//!
//! Models: pkg/registry/core/pod/strategy.go (v1.36)

use crate::apiserver::defaulting::each;
use crate::apiserver::validation::pod::qos;
use podscope_api::{Value, value};

/// Prepares a new Pod.
pub(super) fn prepare_create(pod: &mut Value) {
    let class = qos(pod);
    let mut status = value!({"phase": "Pending", "qosClass": (class)});
    if !pod.at("spec.schedulingGates").is_empty() {
        status.set(
            "conditions",
            value!([{
                "type": "PodScheduled",
                "status": "False",
                "lastTransitionTime": (pod.at("metadata.creationTimestamp").clone()),
                "reason": "SchedulingGated",
                "message": "Scheduling is blocked due to non-empty scheduling gates"
            }]),
        );
    }
    pod.set("status", status);
    let grace = "spec.terminationGracePeriodSeconds";
    if pod.at(grace).as_int().is_some_and(|n| n < 0) {
        pod.set(grace, 1);
    }
    label_keys_to_selectors(pod);
    app_armor_fields(pod);
}

/// AppArmor annotations of old clients are written into the fields.
fn app_armor_fields(pod: &mut Value) {
    let annotations = pod.at("metadata.annotations").clone();
    let spec = pod.entry("spec");
    if spec.at("os.name").as_str() == Some("windows") {
        return;
    }
    let whole = spec.at("securityContext.appArmorProfile").clone();
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        each(spec, list, |c| {
            let name = c.get("name").str_or_empty();
            let key = format!("container.apparmor.security.beta.kubernetes.io/{name}");
            let Some(text) = annotations.get(&key).as_str() else {
                return;
            };
            let profile = match text.strip_prefix("localhost/") {
                Some(file) => value!({"type": "Localhost", "localhostProfile": (file)}),
                None if text == "runtime/default" => value!({"type": "RuntimeDefault"}),
                None if text == "unconfined" => value!({"type": "Unconfined"}),
                None => return,
            };
            let path = "securityContext.appArmorProfile";
            if c.at(path).is_null() && whole != profile {
                c.set(path, profile);
            }
        });
    }
}

/// Merges `matchLabelKeys` and `mismatchLabelKeys` into the label selectors beside them.
fn label_keys_to_selectors(pod: &mut Value) {
    let labels = pod.at("metadata.labels").clone();
    let spec = pod.entry("spec");
    for kind in ["podAffinity", "podAntiAffinity"] {
        let path = format!("affinity.{kind}");
        if spec.at(&path).is_null() {
            continue;
        }
        let affinity = spec.at_mut(&path);
        each(
            affinity,
            "requiredDuringSchedulingIgnoredDuringExecution",
            |term| {
                merge_keys(term, &labels);
            },
        );
        each(
            affinity,
            "preferredDuringSchedulingIgnoredDuringExecution",
            |weighted| {
                merge_keys(weighted.entry("podAffinityTerm"), &labels);
            },
        );
    }
    each(spec, "topologySpreadConstraints", |constraint| {
        merge_keys(constraint, &labels)
    });
}

#[inline(never)]
fn merge_keys(term: &mut Value, labels: &Value) {
    if term.get("labelSelector").is_null() {
        return;
    }
    for (field, operator) in [("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn")] {
        for key in term.get(field).clone().items() {
            let value = labels.get(key.str_or_empty());
            if value.is_null() {
                continue;
            }
            let expression = value!({
                "key": (key.clone()), "operator": (operator), "values": [(value.clone())]
            });
            term.at_mut("labelSelector.matchExpressions")
                .list_mut()
                .push(expression);
        }
    }
}
