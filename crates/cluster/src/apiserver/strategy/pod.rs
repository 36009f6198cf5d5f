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
                "reason": "SchedulingGated",
                "message": "Scheduling is blocked due to non-empty scheduling gates"
            }]),
        );
    }
    pod.set("status", status);
    label_keys_to_selectors(pod);
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
