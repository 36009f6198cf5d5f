//! Affinity, tolerations and topology spread constraints.
//!
//! Models: pkg/apis/core/validation validateAffinity, ValidateTolerations,
//! validateTopologySpreadConstraints (v1.36)

use crate::apiserver::validation::field::{Errors, Path};
use crate::apiserver::validation::meta;
use crate::apiserver::validation::names;
use podscope_api::Value;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
const EFFECTS: &[&str] = &["NoSchedule", "PreferNoSchedule", "NoExecute"];

/// `affinity`.
pub(super) fn affinity(errors: &mut Errors, path: &Path<'_>, affinity: &Value) {
    let node = affinity.get("nodeAffinity");
    {
        let path = path.f("nodeAffinity");
        let required = node.get(REQUIRED);
        if !required.is_null() {
            node_selector(errors, &path.f(REQUIRED), required);
        }
        let list = path.f(PREFERRED);
        for (i, term) in node.get(PREFERRED).items().iter().enumerate() {
            let path = &list.i(i);
            weight(errors, path, term);
            // Wrong values are let through here: they cannot keep a Pod from being scheduled.
            selector_term(errors, &path.f("preference"), term.get("preference"), false);
        }
    }
    for field in ["podAffinity", "podAntiAffinity"] {
        let value = affinity.get(field);
        let path = path.f(field);
        let list = path.f(REQUIRED);
        for (i, term) in value.get(REQUIRED).items().iter().enumerate() {
            pod_term(errors, &list.i(i), term);
        }
        let list = path.f(PREFERRED);
        for (i, weighted) in value.get(PREFERRED).items().iter().enumerate() {
            let path = &list.i(i);
            weight(errors, path, weighted);
            pod_term(
                errors,
                &path.f("podAffinityTerm"),
                weighted.get("podAffinityTerm"),
            );
        }
    }
}

fn weight(errors: &mut Errors, path: &Path<'_>, term: &Value) {
    let weight = term.get("weight").as_int().unwrap_or(0);
    if !(1..=100).contains(&weight) {
        errors.invalid_int(&path.f("weight"), weight, "must be in the range 1-100");
    }
}

/// A node selector, as in required node affinity and in PersistentVolumes.
pub(crate) fn node_selector(errors: &mut Errors, path: &Path<'_>, selector: &Value) {
    let list = path.f("nodeSelectorTerms");
    let terms = selector.get("nodeSelectorTerms").items();
    if terms.is_empty() {
        errors.required(&list, "must have at least one node selector term");
    }
    for (i, term) in terms.iter().enumerate() {
        selector_term(errors, &list.i(i), term, true);
    }
}

#[inline(never)]
fn selector_term(errors: &mut Errors, path: &Path<'_>, term: &Value, check_values: bool) {
    let list = path.f("matchExpressions");
    for (i, requirement) in term.get("matchExpressions").items().iter().enumerate() {
        let path = &list.i(i);
        let values = requirement.get("values").items();
        match requirement.get("operator").str_or_empty() {
            "In" | "NotIn" => {
                if values.is_empty() {
                    errors.required(
                        &path.f("values"),
                        "must be specified when `operator` is 'In' or 'NotIn'",
                    );
                }
            }
            "Exists" | "DoesNotExist" => {
                if !values.is_empty() {
                    errors.forbidden(
                        &path.f("values"),
                        "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
                    );
                }
            }
            "Gt" | "Lt" => {
                if values.len() != 1 {
                    errors.required(
                        &path.f("values"),
                        "must be specified single value when `operator` is 'Lt' or 'Gt'",
                    );
                }
            }
            other => {
                errors.invalid_str(&path.f("operator"), other, "not a valid selector operator")
            }
        }
        names::check(
            errors,
            &path.f("key"),
            requirement.get("key"),
            names::qualified_name,
        );
        if check_values {
            let path = path.f("values");
            for (j, value) in values.iter().enumerate() {
                names::check(errors, &path.i(j), value, names::label_value);
            }
        }
    }
    let list = path.f("matchFields");
    for (i, requirement) in term.get("matchFields").items().iter().enumerate() {
        let path = &list.i(i);
        let values = requirement.get("values").items();
        match requirement.get("operator").str_or_empty() {
            "In" | "NotIn" => {
                if values.len() != 1 {
                    errors.required(
                        &path.f("values"),
                        "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
                    );
                }
            }
            other => {
                errors.invalid_str(&path.f("operator"), other, "not a valid selector operator")
            }
        }
        let key = requirement.get("key").str_or_empty();
        if key == "metadata.name" {
            let path = path.f("values");
            for (j, value) in values.iter().enumerate() {
                names::check(errors, &path.i(j), value, names::subdomain);
            }
        } else {
            errors.invalid_str(&path.f("key"), key, "not a valid field selector key");
        }
    }
}

#[inline(never)]
fn pod_term(errors: &mut Errors, path: &Path<'_>, term: &Value) {
    meta::selector(errors, &path.f("labelSelector"), term.get("labelSelector"));
    meta::selector(
        errors,
        &path.f("namespaceSelector"),
        term.get("namespaceSelector"),
    );
    for namespace in term.get("namespaces").items() {
        names::check(errors, &path.f("namespace"), namespace, names::label);
    }
    label_keys(errors, path, term);
    let key = term.get("topologyKey");
    if key.is_empty() {
        errors.required(&path.f("topologyKey"), "can not be empty");
    }
    names::check(errors, &path.f("topologyKey"), key, names::qualified_name);
}

/// `matchLabelKeys` and `mismatchLabelKeys` beside a `labelSelector`.
#[inline(never)]
fn label_keys(errors: &mut Errors, path: &Path<'_>, term: &Value) {
    let selector = term.get("labelSelector");
    for field in ["matchLabelKeys", "mismatchLabelKeys"] {
        let keys = term.get(field).items();
        let path = path.f(field);
        if !keys.is_empty() && selector.is_null() {
            errors.forbidden(&path, "must not be specified when labelSelector is not set");
            continue;
        }
        for (i, key) in keys.iter().enumerate() {
            names::check(errors, &path.i(i), key, names::qualified_name);
        }
    }
    let keys = term.get("matchLabelKeys").items();
    let mut known: Vec<&str> = selector
        .get("matchLabels")
        .entries()
        .iter()
        .map(|(k, _)| &**k)
        .collect();
    for expression in selector.get("matchExpressions").items() {
        let key = expression.get("key").str_or_empty();
        if let Some(i) = keys.iter().rposition(|k| k.as_str() == Some(key))
            && known.contains(&key)
        {
            errors.invalid_str(
                &path.i(i),
                key,
                "exists in both matchLabelKeys and labelSelector",
            );
        }
        known.push(key);
    }
    let mismatch = term.get("mismatchLabelKeys").items();
    for (i, key) in keys.iter().enumerate() {
        if mismatch.contains(key) {
            errors.invalid(
                &path.f("matchLabelKeys").i(i),
                key,
                "exists in both matchLabelKeys and mismatchLabelKeys",
            );
        }
    }
}

/// `tolerations`.
pub(super) fn tolerations(errors: &mut Errors, path: &Path<'_>, list: &Value) {
    for (i, toleration) in list.items().iter().enumerate() {
        let path = &path.i(i);
        let key = toleration.get("key");
        let operator = toleration.get("operator").str_or_empty();
        let value = toleration.get("value").str_or_empty();
        let effect = toleration.get("effect").str_or_empty();
        if !key.is_empty() {
            names::check(errors, &path.f("key"), key, names::qualified_name);
        } else if operator != "Exists" {
            errors.invalid_str(
                &path.f("operator"),
                operator,
                "operator must be Exists when `key` is empty, which means \"match all values and all keys\"",
            );
        }
        if !toleration.get("tolerationSeconds").is_null() && effect != "NoExecute" {
            errors.invalid_str(
                &path.f("effect"),
                effect,
                "effect must be 'NoExecute' when `tolerationSeconds` is set",
            );
        }
        let operator_path = &path.f("operator");
        match operator {
            "Equal" | "" => {
                let complaints = names::label_value(value);
                if !complaints.is_empty() {
                    errors.invalid_str(operator_path, value, &complaints.join(";"));
                }
            }
            "Exists" => {
                if !value.is_empty() {
                    errors.invalid_str(
                        operator_path,
                        value,
                        "value must be empty when `operator` is 'Exists'",
                    );
                }
            }
            // Known, but behind a feature gate that is off.
            "Lt" | "Gt" => {
                errors.not_supported(operator_path, operator, &["Equal", "Exists", "Lt", "Gt"]);
            }
            other => errors.not_supported(operator_path, other, &["Equal", "Exists"]),
        }
        if !effect.is_empty() {
            taint_effect(errors, &path.f("effect"), effect);
        }
    }
}

/// A taint's effect.
pub(crate) fn taint_effect(errors: &mut Errors, path: &Path<'_>, effect: &str) {
    if !EFFECTS.contains(&effect) {
        errors.not_supported(path, effect, EFFECTS);
    }
}

/// `topologySpreadConstraints`.
pub(super) fn spread(errors: &mut Errors, path: &Path<'_>, list: &Value) {
    for (i, constraint) in list.items().iter().enumerate() {
        let path = &path.i(i);
        errors.positive(&path.f("maxSkew"), constraint.get("maxSkew"));
        if constraint.get("topologyKey").is_empty() {
            errors.required(&path.f("topologyKey"), "can not be empty");
        }
        let when = constraint.get("whenUnsatisfiable").str_or_empty();
        if !["DoNotSchedule", "ScheduleAnyway"].contains(&when) {
            errors.not_supported(
                &path.f("whenUnsatisfiable"),
                when,
                &["DoNotSchedule", "ScheduleAnyway"],
            );
        }
        let same = |other: &Value| {
            ["topologyKey", "whenUnsatisfiable"]
                .iter()
                .all(|f| other.get(f).str_or_empty() == constraint.get(f).str_or_empty())
        };
        if list.items().iter().skip(i + 1).any(same) {
            errors.duplicate(
                &path.f("{topologyKey, whenUnsatisfiable}"),
                &format!(
                    "{{{}, {when}}}",
                    constraint.get("topologyKey").str_or_empty()
                ),
            );
        }
        if let Some(domains) = constraint.get("minDomains").as_int() {
            let path = &path.f("minDomains");
            errors.positive(path, constraint.get("minDomains"));
            if when != "DoNotSchedule" {
                errors.invalid_int(
                    path,
                    domains,
                    &format!(
                        "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {when}"
                    ),
                );
            }
        }
        for field in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            errors.optional_one_of(&path.f(field), constraint.get(field), &["Honor", "Ignore"]);
        }
        label_keys(errors, path, constraint);
        meta::selector(
            errors,
            &path.f("labelSelector"),
            constraint.get("labelSelector"),
        );
    }
}
