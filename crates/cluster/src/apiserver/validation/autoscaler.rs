//! Validation of HorizontalPodAutoscalers.
//!
//! Models: pkg/apis/autoscaling/validation (v1.36)

use super::field::{Errors, Path};
use super::meta;
use super::names;
use podscope_api::{Quantity, Value};

const SOURCES: &[(&str, &str)] = &[
    ("Object", "object"),
    ("Pods", "pods"),
    ("Resource", "resource"),
    ("ContainerResource", "containerResource"),
    ("External", "external"),
];
const TYPES: &[&str] = &[
    "ContainerResource",
    "External",
    "Object",
    "Pods",
    "Resource",
];
const MAX_WINDOW_SECONDS: i64 = 3600;
const MAX_PERIOD_SECONDS: i64 = 1800;

/// `spec` of a HorizontalPodAutoscaler.
#[inline(never)]
pub(super) fn autoscaler(errors: &mut Errors, autoscaler: &Value) {
    let path = &Path::root("spec");
    let spec = autoscaler.get("spec");
    let min = spec.get("minReplicas").as_int();
    let max = spec.get("maxReplicas").as_int().unwrap_or(0);
    let has_external = spec
        .get("metrics")
        .items()
        .iter()
        .any(|m| matches!(m.get("type").str_or_empty(), "Object" | "External"));
    let lowest = 1;
    if let Some(min) = min
        && min < lowest
    {
        errors.invalid_int(
            &path.f("minReplicas"),
            min,
            &format!("must be greater than or equal to {lowest}"),
        );
    }
    if max == 0 {
        errors.required(&path.f("maxReplicas"), "must be set and greater than 0");
    } else if max < 1 {
        errors.invalid_int(
            &path.f("maxReplicas"),
            max,
            "must be greater than or equal to 1",
        );
    }
    if min.is_some_and(|min| max < min) {
        errors.invalid_int(
            &path.f("maxReplicas"),
            max,
            "must be greater than or equal to `minReplicas`",
        );
    }
    reference(
        errors,
        &path.f("scaleTargetRef"),
        spec.get("scaleTargetRef"),
    );
    let list = path.f("metrics");
    for (i, metric) in spec.get("metrics").items().iter().enumerate() {
        metric_spec(errors, &list.i(i), metric);
    }
    if min == Some(0) && !has_external {
        errors.forbidden(
            &list,
            "must specify at least one Object or External metric to support scaling to zero replicas",
        );
    }
    let behavior = spec.get("behavior");
    for field in ["scaleUp", "scaleDown"] {
        let rules = behavior.get(field);
        if !rules.is_null() {
            scaling_rules(errors, &path.f("behavior").f(field), rules);
        }
    }
}

/// A reference to what is scaled.
fn reference(errors: &mut Errors, path: &Path<'_>, target: &Value) {
    for field in ["kind", "name"] {
        let value = target.get(field).str_or_empty();
        if value.is_empty() {
            errors.required(&path.f(field), "");
        } else {
            errors.invalid_each(&path.f(field), value, meta::path_segment(value));
        }
    }
    let version = target.get("apiVersion").str_or_empty();
    let path = &path.f("apiVersion");
    if version.matches('/').count() > 1 {
        errors.invalid_str(
            path,
            version,
            &format!("unexpected GroupVersion string: {version}"),
        );
    } else if !version.contains('/') && target.get("kind").str_or_empty() != "ReplicationController"
    {
        errors.invalid_str(path, version, "apiVersion must specify API group");
    }
}

fn metric_spec(errors: &mut Errors, path: &Path<'_>, metric: &Value) {
    let kind = metric.get("type").str_or_empty();
    let type_path = &path.f("type");
    if kind.is_empty() {
        errors.required(type_path, "must specify a metric source type");
    }
    let known = SOURCES.iter().find(|(k, _)| *k == kind);
    if known.is_none() {
        errors.not_supported(type_path, kind, TYPES);
    }
    let present: Vec<&(&str, &str)> = SOURCES
        .iter()
        .filter(|(_, field)| !metric.get(field).is_null())
        .collect();
    if let Some((k, field)) = present.first() {
        metric_source(errors, &path.f(field), k, metric.get(field));
    }
    match known {
        Some((_, field)) if metric.get(field).is_null() => errors.required(
            &path.f(field),
            "must populate information for the given metric source",
        ),
        Some(_) => {}
        // The server says it twice.
        None => errors.not_supported(type_path, kind, TYPES),
    }
    if present.len() > 1 {
        for (k, field) in present {
            if *k != kind {
                errors.forbidden(&path.f(field), "must populate the given metric source only");
            }
        }
    }
}

fn metric_source(errors: &mut Errors, path: &Path<'_>, kind: &str, source: &Value) {
    let target = source.get("target");
    let target_path = &path.f("target");
    let has = |field: &str| !target.get(field).is_null();
    if kind == "Object" {
        reference(
            errors,
            &path.f("describedObject"),
            source.get("describedObject"),
        );
    }
    match kind {
        "Resource" | "ContainerResource" => {
            if source.get("name").is_empty() {
                errors.required(&path.f("name"), "must specify a resource name");
            }
            if kind == "ContainerResource" {
                let container = source.get("container");
                if container.is_empty() {
                    errors.required(&path.f("container"), "must specify a container");
                } else {
                    names::check(errors, &path.f("container"), container, names::label);
                }
            }
            metric_target(errors, target_path, target);
            match (has("averageUtilization"), has("averageValue")) {
                (false, false) => errors.required(
                    &target_path.f("averageUtilization"),
                    "must set either a target raw value or a target utilization",
                ),
                (true, true) => errors.forbidden(
                    &target_path.f("averageValue"),
                    "may not set both a target raw value and a target utilization",
                ),
                _ => {}
            }
        }
        _ => {
            let name = source.at("metric.name").str_or_empty();
            let name_path = &path.f("metric.name");
            if name.is_empty() {
                errors.required(name_path, "must specify a metric name");
            } else {
                errors.invalid_each(name_path, name, meta::path_segment(name));
            }
            metric_target(errors, target_path, target);
            let positive =
                |field: &str| Quantity::from_value(target.get(field)).is_some_and(|q| q.sign() > 0);
            if kind == "Pods" {
                if !positive("averageValue") {
                    errors.required(
                        &target_path.f("averageValue"),
                        "must specify a positive target averageValue",
                    );
                }
            } else if !has("value") && !has("averageValue") {
                errors.required(
                    &target_path.f("averageValue"),
                    "must set either a target value or averageValue",
                );
            }
        }
    }
}

fn metric_target(errors: &mut Errors, path: &Path<'_>, target: &Value) {
    let kind = target.get("type").str_or_empty();
    if kind.is_empty() {
        errors.required(&path.f("type"), "must specify a metric target type");
    }
    if !["Utilization", "Value", "AverageValue"].contains(&kind) {
        errors.invalid_str(
            &path.f("type"),
            kind,
            "must be either Utilization, Value, or AverageValue",
        );
    }
    for field in ["value", "averageValue"] {
        if let Some(q) = Quantity::from_value(target.get(field))
            && q.sign() <= 0
        {
            errors.invalid_str(&path.f(field), &q.to_string(), "must be positive");
        }
    }
    if let Some(n) = target.get("averageUtilization").as_int()
        && n < 1
    {
        errors.invalid_int(&path.f("averageUtilization"), n, "must be greater than 0");
    }
}

fn scaling_rules(errors: &mut Errors, path: &Path<'_>, rules: &Value) {
    if let Some(seconds) = rules.get("stabilizationWindowSeconds").as_int() {
        let path = &path.f("stabilizationWindowSeconds");
        if seconds < 0 {
            errors.invalid_int(path, seconds, "must be greater than or equal to zero");
        }
        if seconds > MAX_WINDOW_SECONDS {
            errors.invalid_int(path, seconds, "must be less than or equal to 3600");
        }
    }
    errors.optional_one_of(
        &path.f("selectPolicy"),
        rules.get("selectPolicy"),
        &["Disabled", "Max", "Min"],
    );
    let list = path.f("policies");
    if rules.get("policies").is_empty() {
        errors.required(&list, "must specify at least one Policy");
    }
    for (i, policy) in rules.get("policies").items().iter().enumerate() {
        let path = &list.i(i);
        let kind = policy.get("type").str_or_empty();
        if !["Percent", "Pods"].contains(&kind) {
            errors.not_supported(&path.f("type"), kind, &["Percent", "Pods"]);
        }
        errors.positive(&path.f("value"), policy.get("value"));
        errors.positive(&path.f("periodSeconds"), policy.get("periodSeconds"));
        let period = policy.get("periodSeconds").as_int().unwrap_or(0);
        if period > MAX_PERIOD_SECONDS {
            errors.invalid_int(
                &path.f("periodSeconds"),
                period,
                "must be less than or equal to 1800",
            );
        }
    }
    if let Some(tolerance) = Quantity::from_value(rules.get("tolerance"))
        && tolerance.sign() < 0
    {
        errors.invalid_str(
            &path.f("tolerance"),
            &tolerance.to_string(),
            "must be greater than or equal to 0",
        );
    }
}
