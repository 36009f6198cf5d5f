//! Validation of changed Pods: what a running Pod may still change.
//!
//! Models: pkg/apis/core/validation ValidatePodUpdate, ValidatePodResize,
//! ValidatePodEphemeralContainersUpdate (v1.36)

use super::{affinity, container, metadata_and_spec};
use crate::apiserver::go;
use crate::apiserver::validation::field::{Errors, Path};
use crate::apiserver::validation::meta;
use podscope_api::Value;

const UPDATABLE: &str = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/// A changed Pod.
#[inline(never)]
pub(crate) fn update(errors: &mut Errors, new: &Value, old: &Value) {
    meta::kind_update(errors, new.get("metadata"), old.get("metadata"));
    metadata_and_spec(errors, new);
    annotation_updates(errors, new, old);
    let path = &Path::root("spec");
    let (spec, was) = (new.get("spec"), old.get("spec"));
    for list in ["containers", "initContainers"] {
        let list_path = path.f(list);
        let items = spec.get(list).items();
        if items.len() != was.get(list).items().len() {
            return errors.forbidden(&list_path, "pod updates may not add or remove containers");
        }
        for (i, item) in items.iter().enumerate() {
            let path = &list_path.i(i);
            if item.get("image").is_empty() {
                errors.required(&path.f("image"), "");
            }
            container::image_trimmed(errors, path, item);
        }
    }
    let deadline_path = &path.f("activeDeadlineSeconds");
    let (deadline, old_deadline) = (
        spec.get("activeDeadlineSeconds").as_int(),
        was.get("activeDeadlineSeconds").as_int(),
    );
    match (deadline, old_deadline) {
        (Some(n), _) if !(0..=i64::from(i32::MAX)).contains(&n) => {
            return errors.invalid_int(
                deadline_path,
                n,
                "must be between 0 and 2147483647, inclusive",
            );
        }
        (Some(n), Some(o)) if o < n => {
            return errors.invalid_int(
                deadline_path,
                n,
                "must be less than or equal to previous value",
            );
        }
        (None, Some(_)) => errors.invalid(
            deadline_path,
            &Value::Null,
            "must not update from a positive integer to nil value",
        ),
        _ => {}
    }
    added_tolerations(errors, &path.f("tolerations"), spec, was);
    let gates = path.f("schedulingGates");
    for (i, gate) in spec.get("schedulingGates").items().iter().enumerate() {
        let name = gate.get("name");
        if !was
            .get("schedulingGates")
            .items()
            .iter()
            .any(|g| g.get("name") == name)
        {
            errors.forbidden(
                &gates.i(i).f("name"),
                &format!(
                    "only deletion is allowed, but found new scheduling gate '{}'",
                    name.str_or_empty()
                ),
            );
        }
    }
    let mut munged = with_old_fields(spec, was);
    if !was.get("schedulingGates").is_empty() {
        gated_selectors(errors, path, &mut munged, was);
    }
    let (new_text, old_text) = (
        go::internal_json_lines("PodSpec", &munged),
        go::internal_json_lines("PodSpec", was),
    );
    if new_text != old_text {
        let diff = crate::apiserver::validation::diff::unified(&old_text, &new_text);
        errors.forbidden(path, &format!("{UPDATABLE}\n{diff}"));
    }
}

/// The new spec with everything that may change set back to what it was.
fn with_old_fields(spec: &Value, was: &Value) -> Value {
    let mut munged = spec.clone();
    for list in ["containers", "initContainers"] {
        if spec.get(list).is_empty() {
            continue;
        }
        let items: Vec<Value> = spec
            .get(list)
            .items()
            .iter()
            .zip(was.get(list).items())
            .map(|(item, old)| {
                let mut item = item.clone();
                item.set("image", old.get("image").clone());
                item
            })
            .collect();
        munged.set(list, items);
    }
    for field in ["activeDeadlineSeconds", "schedulingGates", "tolerations"] {
        set_back(&mut munged, was, field);
    }
    let grace = "terminationGracePeriodSeconds";
    if was.get(grace).as_int().is_some_and(|n| n < 0) && spec.get(grace).as_int() == Some(1) {
        set_back(&mut munged, was, grace);
    }
    munged
}

fn set_back(value: &mut Value, was: &Value, field: &str) {
    match was.get(field) {
        Value::Null => {
            value.remove(field);
        }
        old => value.set(field, old.clone()),
    }
}

fn annotation_updates(errors: &mut Errors, new: &Value, old: &Value) {
    let path = &Path::root("metadata.annotations");
    let (now, was) = (
        new.at("metadata.annotations"),
        old.at("metadata.annotations"),
    );
    let armor = |key: &str| key.starts_with("container.apparmor.security.beta.kubernetes.io/");
    let mirror = |key: &str| key == "kubernetes.io/config.mirror";
    for (key, value) in was.entries() {
        if now.get(key) == value {
            continue;
        }
        if armor(key) {
            errors.forbidden(
                &path.k(key),
                "may not remove or update AppArmor annotations",
            );
        }
        if mirror(key) {
            errors.forbidden(
                &path.k(key),
                "may not remove or update mirror pod annotation",
            );
        }
    }
    for (key, _) in now.entries() {
        if !was.get(key).is_null() {
            continue;
        }
        if armor(key) {
            errors.forbidden(&path.k(key), "may not add AppArmor annotations");
        }
        if mirror(key) {
            errors.forbidden(&path.k(key), "may not add mirror pod annotation");
        }
    }
    super::security::annotations(errors, path, now, new.get("spec"));
}

fn added_tolerations(errors: &mut Errors, path: &Path<'_>, spec: &Value, was: &Value) {
    let plain = |t: &Value| {
        let mut t = t.clone();
        t.remove("tolerationSeconds");
        t
    };
    let now = spec.get("tolerations");
    for old in was.get("tolerations").items() {
        if !now.items().iter().any(|t| plain(t) == plain(old)) {
            return errors.forbidden(
                path,
                "existing toleration can not be modified except its tolerationSeconds",
            );
        }
    }
    affinity::tolerations(errors, path, now);
}

/// A gated Pod may narrow its node selector and required node affinity.
fn gated_selectors(errors: &mut Errors, path: &Path<'_>, munged: &mut Value, was: &Value) {
    let (now, old) = (munged.get("nodeSelector").clone(), was.get("nodeSelector"));
    if now != *old {
        let narrowed = old.entries().iter().all(|(k, v)| now.get(k) == v);
        if !narrowed {
            errors.invalid(
                &path.f("nodeSelector"),
                &now,
                "only additions are allowed (no mutations or deletions)",
            );
        }
        set_back(munged, was, "nodeSelector");
    }
    let field = "affinity.nodeAffinity";
    let (now, old) = (munged.at(field).clone(), was.at(field).clone());
    if now == old {
        return;
    }
    node_affinity_narrowed(errors, &path.f("affinity").f("nodeAffinity"), &now, &old);
    if old.is_null() {
        munged.remove(field);
        if was.get("affinity").is_null() && munged.get("affinity").is_empty() {
            munged.remove("affinity");
        }
    } else {
        munged.set(field, old);
    }
}

fn node_affinity_narrowed(errors: &mut Errors, path: &Path<'_>, now: &Value, old: &Value) {
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let terms = |v: &Value| v.get(required).get("nodeSelectorTerms").items().to_vec();
    let (old_terms, new_terms) = (terms(old), terms(now));
    if old_terms.is_empty() {
        return;
    }
    let list = path.f(required);
    let list = list.f("nodeSelectorTerms");
    if old_terms.len() != new_terms.len() {
        let value = now.get(required).get("nodeSelectorTerms");
        return errors.invalid(
            &list,
            value,
            "no additions/deletions to non-empty NodeSelectorTerms list are allowed",
        );
    }
    for (i, (new, old)) in new_terms.iter().zip(&old_terms).enumerate() {
        let begins = |field: &str| {
            let old = old.get(field).items();
            new.get(field).items().get(..old.len()) == Some(old)
        };
        if !begins("matchExpressions") || !begins("matchFields") {
            errors.invalid_text(
                &list.i(i),
                &go::internal_json("NodeSelectorTerm", new),
                "only additions are allowed (no mutations or deletions)",
            );
        }
    }
}

/// A change through `/ephemeralcontainers`: containers may be added, none changed or removed.
#[inline(never)]
pub(crate) fn ephemeral_containers(errors: &mut Errors, new: &Value, old: &Value) {
    metadata_and_spec(errors, new);
    meta::kind_update(errors, new.get("metadata"), old.get("metadata"));
    let path = &Path::root("spec").f("ephemeralContainers").to_string();
    let path = &Path::root(path);
    let now = new.at("spec.ephemeralContainers").items();
    for was in old.at("spec.ephemeralContainers").items() {
        let name = was.get("name").str_or_empty();
        match now.iter().find(|c| c.get("name").str_or_empty() == name) {
            None => errors.forbidden(
                path,
                &format!("existing ephemeral containers {name:?} may not be removed\n"),
            ),
            Some(c) if c != was => errors.forbidden(
                path,
                &format!("existing ephemeral containers {name:?} may not be changed\n"),
            ),
            Some(_) => {}
        }
    }
}

/// A change through `/resize`: only cpu and memory of containers.
#[inline(never)]
pub(crate) fn resize(errors: &mut Errors, new: &Value, old: &Value) {
    meta::kind_update(errors, new.get("metadata"), old.get("metadata"));
    metadata_and_spec(errors, new);
    let path = &Path::root("spec");
    let (spec, was) = (new.get("spec"), old.get("spec"));
    if qos(new) != qos(old) {
        errors.invalid_str(
            path,
            qos(new),
            "Pod QOS Class may not change as a result of resizing",
        );
    }
    for list in ["containers", "initContainers"] {
        let list_path = path.f(list);
        if spec.get(list).items().len() != was.get(list).items().len() {
            return errors.forbidden(
                &list_path,
                "pods may not add or remove containers on resize",
            );
        }
        for (i, (c, o)) in spec
            .get(list)
            .items()
            .iter()
            .zip(was.get(list).items())
            .enumerate()
        {
            for field in ["requests", "limits"] {
                let (now, old) = (c.get("resources").get(field), o.get("resources").get(field));
                if old.entries().iter().any(|(k, _)| now.get(k).is_null()) {
                    errors.forbidden(
                        &list_path.i(i).f("resources").f(field),
                        &format!("resource {field} cannot be removed"),
                    );
                }
            }
        }
    }
    let strip = |spec: &Value, from: &Value| {
        let mut spec = spec.clone();
        for list in ["containers", "initContainers"] {
            let items: Vec<Value> = spec
                .get(list)
                .items()
                .iter()
                .zip(from.get(list).items())
                .map(|(c, o)| {
                    let mut c = c.clone();
                    c.set("resources", o.get("resources").clone());
                    c
                })
                .collect();
            if !items.is_empty() {
                spec.set(list, items);
            }
        }
        spec
    };
    if strip(spec, was) != *was {
        errors.forbidden(
            path,
            "only cpu and memory resources for containers are mutable",
        );
    }
}

/// The QoS class by requests and limits of cpu and memory.
pub(crate) fn qos(pod: &Value) -> &'static str {
    let (mut any, mut guaranteed) = (false, true);
    let spec = pod.get("spec");
    let mut count = |resources: &Value| {
        for name in ["cpu", "memory"] {
            let get = |f: &str| {
                podscope_api::Quantity::from_value(resources.get(f).get(name))
                    .filter(|q| !q.is_zero())
            };
            let (request, limit) = (get("requests"), get("limits"));
            any |= request.is_some() || limit.is_some();
            guaranteed &= limit.is_some() && (request.is_none() || request == limit);
        }
    };
    // What the Pod asks for as a whole decides; its containers do where it asks for nothing.
    let whole = spec.get("resources");
    if whole.get("requests").is_empty() && whole.get("limits").is_empty() {
        for list in ["containers", "initContainers"] {
            for c in spec.get(list).items() {
                count(c.get("resources"));
            }
        }
    } else {
        count(whole);
    }
    match (any, guaranteed) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        _ => "Burstable",
    }
}
