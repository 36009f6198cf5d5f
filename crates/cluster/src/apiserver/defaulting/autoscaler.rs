//! Defaults of HorizontalPodAutoscalers.
//!
//! Models: pkg/apis/autoscaling/v2/defaults.go (v1.36)

use super::set;
use podscope_api::{Value, value};

/// A HorizontalPodAutoscaler.
#[inline(never)]
pub(super) fn autoscaler(object: &mut Value) {
    let spec = object.entry("spec");
    set(spec, "minReplicas", 1);
    if spec.get("metrics").is_empty() {
        spec.set(
            "metrics",
            value!([{"type": "Resource", "resource": {
                "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}]),
        );
    }
    if spec.get("behavior").is_null() {
        return;
    }
    let behavior = spec.entry("behavior");
    rules(
        behavior,
        "scaleUp",
        value!([
            {"type": "Pods", "value": 4, "periodSeconds": 15},
            {"type": "Percent", "value": 100, "periodSeconds": 15}
        ]),
    );
    set(behavior, "scaleUp.stabilizationWindowSeconds", 0);
    rules(
        behavior,
        "scaleDown",
        value!([{"type": "Percent", "value": 100, "periodSeconds": 15}]),
    );
}

fn rules(behavior: &mut Value, field: &str, policies: Value) {
    let rules = behavior.entry(field);
    set(rules, "selectPolicy", "Max");
    if rules.get("policies").is_null() {
        rules.set("policies", policies);
    }
}
