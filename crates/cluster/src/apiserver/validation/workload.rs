//! Validation of Deployments, ReplicaSets, ReplicationControllers, DaemonSets and StatefulSets.
//!
//! Models: pkg/apis/apps/validation, pkg/apis/core/validation ValidateReplicationController (v1.36)

use super::field::{Errors, Path};
use super::meta::{self, print_selector};
use super::{names, pod, storage};
use crate::apiserver::go;
use podscope_api::Value;

/// A label selector that is required, not empty, and fits the template's labels.
fn selector_and_template(
    errors: &mut Errors,
    path: &Path<'_>,
    spec: &Value,
    kind: &str,
    template: fn(&mut Errors, &Path<'_>, &Value),
) {
    let selector = spec.get("selector");
    let selector_path = &path.f("selector");
    let mut usable = true;
    if selector.is_null() {
        errors.required(selector_path, "");
    } else {
        usable = meta::selector(errors, selector_path, selector);
        if empty_selector(selector) {
            errors.invalid_text(
                selector_path,
                "{}",
                &format!("empty selector is invalid for {kind}"),
            );
        }
    }
    let template_path = &path.f("template");
    let value = spec.get("template");
    if !usable {
        return errors.invalid_text(
            selector_path,
            &print_selector(selector),
            "invalid label selector",
        );
    }
    matches_template(errors, template_path, selector, value);
    template(errors, template_path, value);
}

fn empty_selector(selector: &Value) -> bool {
    selector.get("matchLabels").is_empty() && selector.get("matchExpressions").is_empty()
}

/// Refuses template labels that the selector does not select.
pub(super) fn matches_template(
    errors: &mut Errors,
    template_path: &Path<'_>,
    selector: &Value,
    template: &Value,
) {
    let labels = template.at("metadata.labels");
    if !meta::selects(selector, labels) {
        errors.invalid(
            &template_path.f("metadata.labels"),
            if labels.is_empty() {
                &Value::Null
            } else {
                labels
            },
            "`selector` does not match template `labels`",
        );
    }
}

fn always_restarting(errors: &mut Errors, path: &Path<'_>, template: &Value) {
    pod::template(errors, path, template);
    let spec = template.get("spec");
    let policy = spec.get("restartPolicy").str_or_empty();
    if policy != "Always" {
        errors.not_supported(&path.f("spec.restartPolicy"), policy, &["Always"]);
    }
}

fn no_deadline(errors: &mut Errors, path: &Path<'_>, template: &Value, kind: &str) {
    if !template.at("spec.activeDeadlineSeconds").is_null() {
        errors.forbidden(
            &path.f("spec.activeDeadlineSeconds"),
            &format!("activeDeadlineSeconds in {kind} is not Supported"),
        );
    }
}

fn replica_set_template(errors: &mut Errors, path: &Path<'_>, template: &Value) {
    always_restarting(errors, path, template);
    no_deadline(errors, path, template, "ReplicaSet");
}

/// `spec` of a Deployment.
pub(super) fn deployment(errors: &mut Errors, spec: &Value) {
    let path = &Path::root("spec");
    errors.non_negative(&path.f("replicas"), spec.get("replicas"));
    selector_and_template(errors, path, spec, "deployment", replica_set_template);
    deployment_strategy(errors, &path.f("strategy"), spec.get("strategy"));
    errors.non_negative(&path.f("minReadySeconds"), spec.get("minReadySeconds"));
    errors.non_negative(
        &path.f("revisionHistoryLimit"),
        spec.get("revisionHistoryLimit"),
    );
    if let Some(deadline) = spec.get("progressDeadlineSeconds").as_int() {
        let path = &path.f("progressDeadlineSeconds");
        errors.non_negative(path, spec.get("progressDeadlineSeconds"));
        if deadline <= spec.get("minReadySeconds").as_int().unwrap_or(0) {
            errors.invalid_int(path, deadline, "must be greater than minReadySeconds");
        }
    }
}

fn deployment_strategy(errors: &mut Errors, path: &Path<'_>, strategy: &Value) {
    let rolling = strategy.get("rollingUpdate");
    let rolling_path = &path.f("rollingUpdate");
    match strategy.get("type").str_or_empty() {
        "Recreate" => {
            if !rolling.is_null() {
                errors.forbidden(
                    rolling_path,
                    "may not be specified when strategy `type` is 'Recreate'",
                );
            }
        }
        "RollingUpdate" if rolling.is_null() => {
            errors.required(rolling_path, "this should be defaulted and never be nil");
        }
        "RollingUpdate" => {
            let (unavailable, surge) = (rolling.get("maxUnavailable"), rolling.get("maxSurge"));
            let unavailable_path = &rolling_path.f("maxUnavailable");
            names::int_or_percent(errors, unavailable_path, unavailable);
            names::int_or_percent(errors, &rolling_path.f("maxSurge"), surge);
            if number(unavailable) == 0 && number(surge) == 0 {
                errors.invalid(
                    unavailable_path,
                    unavailable,
                    "may not be 0 when `maxSurge` is 0",
                );
            }
            names::at_most_hundred_percent(errors, unavailable_path, unavailable);
        }
        _ => errors.not_supported_text(
            path,
            &go::internal_json("DeploymentStrategy", strategy),
            &["Recreate", "RollingUpdate"],
        ),
    }
}

/// The number in a count or percentage; 0 for text that is neither.
fn number(value: &Value) -> i64 {
    match value {
        Value::Int(i) => *i,
        Value::Str(s) => s.trim_end_matches('%').parse().unwrap_or(0),
        _ => 0,
    }
}

/// `status` of a Deployment.
pub(super) fn deployment_status(errors: &mut Errors, status: &Value) {
    let path = &Path::root("status");
    let get = |field: &str| status.get(field).as_int().unwrap_or(0);
    for field in [
        "observedGeneration",
        "replicas",
        "updatedReplicas",
        "readyReplicas",
        "availableReplicas",
        "unavailableReplicas",
        "terminatingReplicas",
        "collisionCount",
    ] {
        errors.non_negative(&path.f(field), status.get(field));
    }
    for field in ["updatedReplicas", "readyReplicas", "availableReplicas"] {
        if get(field) > get("replicas") {
            errors.invalid_int(
                &path.f(field),
                get(field),
                "cannot be greater than status.replicas",
            );
        }
    }
    if get("availableReplicas") > get("readyReplicas") {
        errors.invalid_int(
            &path.f("availableReplicas"),
            get("availableReplicas"),
            "cannot be greater than readyReplicas",
        );
    }
}

/// `status` of a ReplicaSet.
pub(super) fn replica_set_status(errors: &mut Errors, status: &Value) {
    let path = &Path::root("status");
    let get = |field: &str| status.get(field).as_int().unwrap_or(0);
    for field in [
        "replicas",
        "fullyLabeledReplicas",
        "readyReplicas",
        "availableReplicas",
        "terminatingReplicas",
        "observedGeneration",
    ] {
        errors.non_negative(&path.f(field), status.get(field));
    }
    for (field, most, what) in [
        ("fullyLabeledReplicas", "replicas", "status.replicas"),
        ("readyReplicas", "replicas", "status.replicas"),
        ("availableReplicas", "replicas", "status.replicas"),
        ("availableReplicas", "readyReplicas", "readyReplicas"),
    ] {
        if get(field) > get(most) {
            errors.invalid_int(
                &path.f(field),
                get(field),
                &format!("cannot be greater than {what}"),
            );
        }
    }
}

/// `spec` of a ReplicaSet.
pub(super) fn replica_set(errors: &mut Errors, spec: &Value) {
    let path = &Path::root("spec");
    errors.non_negative(&path.f("replicas"), spec.get("replicas"));
    errors.non_negative(&path.f("minReadySeconds"), spec.get("minReadySeconds"));
    // The server says "deployment" here too.
    selector_and_template(errors, path, spec, "deployment", replica_set_template);
}

/// `spec` of a ReplicationController, whose selector is a plain map.
#[inline(never)]
pub(super) fn replication_controller(errors: &mut Errors, spec: &Value) {
    let path = &Path::root("spec");
    errors.non_negative(&path.f("minReadySeconds"), spec.get("minReadySeconds"));
    let selector = spec.get("selector");
    if selector.is_empty() {
        errors.required(&path.f("selector"), "");
    }
    errors.non_negative(&path.f("replicas"), spec.get("replicas"));
    let template = spec.get("template");
    let path = &path.f("template");
    if template.is_null() {
        return errors.required(path, "");
    }
    let as_selector = podscope_api::value!({"matchLabels": (selector.clone())});
    if !selector.is_empty() {
        matches_template(errors, path, &as_selector, template);
    }
    always_restarting(errors, path, template);
    no_deadline(errors, path, template, "ReplicationController");
}

/// `spec` of a DaemonSet.
#[inline(never)]
pub(super) fn daemon_set(errors: &mut Errors, spec: &Value) {
    let path = &Path::root("spec");
    let selector = spec.get("selector");
    let template = spec.get("template");
    let template_path = &path.f("template");
    // Unlike for Deployments a missing selector shows only as one that selects nothing.
    if meta::selector(errors, &path.f("selector"), selector) {
        matches_template(errors, template_path, selector, template);
    }
    if !selector.is_null() && empty_selector(selector) {
        errors.invalid_text(
            &path.f("selector"),
            "{}",
            "empty selector is invalid for daemonset",
        );
    }
    pod::template(errors, template_path, template);
    let policy = template.at("spec.restartPolicy").str_or_empty();
    if policy != "Always" {
        errors.not_supported(&template_path.f("spec.restartPolicy"), policy, &["Always"]);
    }
    no_deadline(errors, template_path, template, "DaemonSet");
    errors.non_negative(&path.f("minReadySeconds"), spec.get("minReadySeconds"));
    daemon_set_strategy(
        errors,
        &path.f("updateStrategy"),
        spec.get("updateStrategy"),
    );
    errors.non_negative(
        &path.f("revisionHistoryLimit"),
        spec.get("revisionHistoryLimit"),
    );
}

fn daemon_set_strategy(errors: &mut Errors, path: &Path<'_>, strategy: &Value) {
    let rolling = strategy.get("rollingUpdate");
    let path_rolling = &path.f("rollingUpdate");
    match strategy.get("type").str_or_empty() {
        "OnDelete" => {}
        "RollingUpdate" if rolling.is_null() => errors.required(path_rolling, ""),
        "RollingUpdate" => {
            let (unavailable, surge) = (rolling.get("maxUnavailable"), rolling.get("maxSurge"));
            let (unavailable_path, surge_path) = (
                &path_rolling.f("maxUnavailable"),
                &path_rolling.f("maxSurge"),
            );
            names::int_or_percent(errors, unavailable_path, unavailable);
            names::int_or_percent(errors, surge_path, surge);
            names::at_most_hundred_percent(errors, unavailable_path, unavailable);
            names::at_most_hundred_percent(errors, surge_path, surge);
            match (number(unavailable) > 0, number(surge) > 0) {
                (true, true) => errors.invalid(
                    surge_path,
                    surge,
                    "may not be set when maxUnavailable is non-zero",
                ),
                (false, false) => {
                    errors.required(unavailable_path, "cannot be 0 when maxSurge is 0");
                }
                _ => {}
            }
        }
        _ => errors.not_supported_text(
            path,
            &go::internal_json("DaemonSetUpdateStrategy", strategy),
            &["RollingUpdate", "OnDelete"],
        ),
    }
}

/// `spec` of a StatefulSet.
#[inline(never)]
pub(super) fn stateful_set(errors: &mut Errors, spec: &Value) {
    let path = &Path::root("spec");
    match spec.get("podManagementPolicy").str_or_empty() {
        "" => errors.required(&path.f("podManagementPolicy"), ""),
        "OrderedReady" | "Parallel" => {}
        other => errors.invalid_str(
            &path.f("podManagementPolicy"),
            other,
            "must be 'OrderedReady' or 'Parallel'",
        ),
    }
    stateful_set_strategy(
        errors,
        &path.f("updateStrategy"),
        spec.get("updateStrategy"),
    );
    let retention = spec.get("persistentVolumeClaimRetentionPolicy");
    if !retention.is_null() {
        let path = path.f("persistentVolumeClaimRetentionPolicy");
        for field in ["whenDeleted", "whenScaled"] {
            let value = retention.get(field).str_or_empty();
            if !["Retain", "Delete"].contains(&value) {
                errors.not_supported(&path.f(field), value, &["Retain", "Delete"]);
            }
        }
    }
    let claims = path.f("volumeClaimTemplates");
    for (i, claim) in spec.get("volumeClaimTemplates").items().iter().enumerate() {
        storage::claim_spec(errors, &claims.i(i).f("spec"), claim.get("spec"));
    }
    errors.non_negative(&path.f("replicas"), spec.get("replicas"));
    errors.non_negative(&path.f("minReadySeconds"), spec.get("minReadySeconds"));
    let service = spec.get("serviceName");
    if !service.is_empty() {
        names::check(errors, &path.f("serviceName"), service, names::label);
    }
    errors.non_negative(&path.f("ordinals.start"), spec.at("ordinals.start"));
    errors.non_negative(
        &path.f("revisionHistoryLimit"),
        spec.get("revisionHistoryLimit"),
    );
    let selector = spec.get("selector");
    let selector_path = &path.f("selector");
    let mut usable = true;
    if selector.is_null() {
        errors.required(selector_path, "");
    } else {
        usable = meta::selector(errors, selector_path, selector);
        if empty_selector(selector) {
            errors.invalid_text(
                selector_path,
                "{}",
                "empty selector is invalid for statefulset",
            );
        }
    }
    let template = spec.get("template");
    let template_path = &path.f("template");
    if usable {
        matches_template(errors, template_path, selector, template);
        // Volumes made from claim templates are not known here: the server checks the rest of the
        // template with them in place.
        let with_claims = with_claim_volumes(spec);
        pod::template(errors, template_path, &with_claims);
    } else {
        errors.invalid_text(selector_path, &print_selector(selector), "");
    }
    let policy = template.at("spec.restartPolicy").str_or_empty();
    if policy != "Always" {
        errors.not_supported(&template_path.f("spec.restartPolicy"), policy, &["Always"]);
    }
    if !template.at("spec.activeDeadlineSeconds").is_null() {
        errors.forbidden(
            &template_path.f("spec.activeDeadlineSeconds"),
            "activeDeadlineSeconds in StatefulSet is not Supported",
        );
    }
}

/// The template with a volume for every claim template, as the controller will make them.
fn with_claim_volumes(spec: &Value) -> Value {
    let mut template = spec.get("template").clone();
    let mut volumes: Vec<Value> = Vec::new();
    for claim in spec.get("volumeClaimTemplates").items() {
        let name = claim.at("metadata.name").clone();
        let mut volume = Value::map();
        volume.set("name", name.clone());
        volume.set("persistentVolumeClaim.claimName", name);
        volumes.push(volume);
    }
    if volumes.is_empty() {
        return template;
    }
    // A claim wins over a volume of the same name.
    for volume in template.at("spec.volumes").items() {
        let name = volume.get("name");
        if !volumes.iter().any(|v| v.get("name") == name) {
            volumes.push(volume.clone());
        }
    }
    template.set("spec.volumes", volumes);
    template
}

fn stateful_set_strategy(errors: &mut Errors, path: &Path<'_>, strategy: &Value) {
    let rolling = strategy.get("rollingUpdate");
    let path_rolling = &path.f("rollingUpdate");
    match strategy.get("type").str_or_empty() {
        "" => errors.required(path, ""),
        "OnDelete" => {
            if !rolling.is_null() {
                errors.invalid_text(
                    path_rolling,
                    &go::internal_json("RollingUpdateStatefulSetStrategy", rolling),
                    "only allowed for updateStrategy 'RollingUpdate'",
                );
            }
        }
        "RollingUpdate" => {
            if !rolling.is_null() {
                errors.non_negative(&path_rolling.f("partition"), rolling.get("partition"));
                let unavailable = rolling.get("maxUnavailable");
                if !unavailable.is_null() {
                    let path = &path_rolling.f("maxUnavailable");
                    names::int_or_percent(errors, path, unavailable);
                    if number(unavailable) == 0 {
                        errors.invalid(path, unavailable, "cannot be 0");
                    }
                    names::at_most_hundred_percent(errors, path, unavailable);
                }
            }
        }
        _ => errors.invalid_text(
            path,
            &go::internal_json("StatefulSetUpdateStrategy", strategy),
            "must be 'RollingUpdate' or 'OnDelete'",
        ),
    }
}

/// A changed StatefulSet: only some fields of its spec may change.
pub(super) fn stateful_set_update(errors: &mut Errors, new: &Value, old: &Value) {
    let (spec, was) = (new.get("spec"), old.get("spec"));
    stateful_set(errors, spec);
    let mut comparable = spec.clone();
    for field in [
        "replicas",
        "template",
        "updateStrategy",
        "minReadySeconds",
        "ordinals",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
    ] {
        match was.get(field) {
            Value::Null => {
                comparable.remove(field);
            }
            value => comparable.set(field, value.clone()),
        }
    }
    if comparable != *was {
        errors.forbidden(
            &Path::root("spec"),
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        );
    }
}
