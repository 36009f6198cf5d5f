//! Validation of `metadata`, label selectors and immutable fields.
//!
//! Models: staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go (v1.36)

use super::field::{Errors, Path, print};
use super::names::{self, Check, Complaints};
use podscope_api::status::quote;
use podscope_api::{Value, json};

/// The largest total size of annotation keys and values, in bytes.
const MAX_ANNOTATION_BYTES: usize = 262_144;
const STANDARD_FINALIZERS: &[&str] = &["kubernetes", "orphan", "foregroundDeletion"];

/// How a kind's name is checked and whether it lives in a namespace.
#[derive(Clone, Copy)]
pub struct NameRule {
    /// The check of `metadata.name`.
    pub check: Check,
    /// Whether the kind is namespaced.
    pub namespaced: bool,
}

/// A name that may stand in a URL path.
pub fn path_segment(s: &str) -> Complaints {
    if s == "." || s == ".." {
        return vec![format!("may not be '{s}'")];
    }
    ["/", "%"]
        .iter()
        .filter(|bad| s.contains(**bad))
        .map(|bad| format!("may not contain '{bad}'"))
        .collect()
}

/// `metadata` of a new object.
pub fn create(errors: &mut Errors, meta: &Value, rule: NameRule) {
    let path = &Path::root("metadata");
    let generate = meta.get("generateName").str_or_empty();
    if !generate.is_empty() {
        // A trailing dash is fine: a suffix follows.
        let masked = match generate.strip_suffix('-') {
            Some(start) if !start.is_empty() => {
                let mut masked: String = start.to_string();
                masked.pop();
                masked + "a"
            }
            _ => generate.to_string(),
        };
        errors.invalid_each(&path.f("generateName"), generate, (rule.check)(&masked));
    }
    let name = meta.get("name").str_or_empty();
    if name.is_empty() {
        errors.required(&path.f("name"), "name or generateName is required");
    } else {
        errors.invalid_each(&path.f("name"), name, (rule.check)(name));
    }
    let namespace = meta.get("namespace").str_or_empty();
    if !rule.namespaced {
        if !namespace.is_empty() {
            errors.forbidden(&path.f("namespace"), "not allowed on this type");
        }
    } else if namespace.is_empty() {
        errors.required(&path.f("namespace"), "");
    } else {
        errors.invalid_each(&path.f("namespace"), namespace, names::label(namespace));
    }
    common(errors, path, meta);
}

fn common(errors: &mut Errors, path: &Path<'_>, meta: &Value) {
    errors.non_negative(&path.f("generation"), meta.get("generation"));
    names::labels(errors, &path.f("labels"), meta.get("labels"));
    annotations(errors, &path.f("annotations"), meta.get("annotations"));
    owner_references(
        errors,
        &path.f("ownerReferences"),
        meta.get("ownerReferences"),
    );
    let list = meta.get("finalizers");
    finalizers(errors, &path.f("finalizers"), list);
    kube_finalizers(errors, &path.f("finalizers"), list);
}

/// Annotations: keys and total size.
pub fn annotations(errors: &mut Errors, path: &Path<'_>, annotations: &Value) {
    let mut bytes = 0;
    for (key, value) in annotations.entries() {
        errors.invalid_each(path, key, names::qualified_name(&key.to_ascii_lowercase()));
        bytes += key.len() + value.str_or_empty().len();
    }
    if bytes > MAX_ANNOTATION_BYTES {
        errors.too_long(path, MAX_ANNOTATION_BYTES);
    }
}

fn finalizers(errors: &mut Errors, path: &Path<'_>, list: &Value) {
    let has = |name: &str| list.items().iter().any(|f| f.as_str() == Some(name));
    for finalizer in list.items() {
        names::check(errors, path, finalizer, names::qualified_name);
    }
    if has("orphan") && has("foregroundDeletion") {
        errors.invalid(
            path,
            list,
            "finalizer orphan and foregroundDeletion cannot be both set",
        );
    }
}

fn kube_finalizers(errors: &mut Errors, path: &Path<'_>, list: &Value) {
    for (i, finalizer) in list.items().iter().enumerate() {
        let name = finalizer.str_or_empty();
        if !name.contains('/') && !STANDARD_FINALIZERS.contains(&name) {
            errors.invalid_str(
                &path.i(i),
                name,
                "name is neither a standard finalizer name nor is it fully qualified",
            );
        }
    }
}

fn owner_references(errors: &mut Errors, path: &Path<'_>, list: &Value) {
    let mut controller: Option<&Value> = None;
    for owner in list.items() {
        let api_version = owner.get("apiVersion").str_or_empty();
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let kind = owner.get("kind").str_or_empty();
        if version.is_empty() {
            errors.invalid_str(
                &path.f("apiVersion"),
                api_version,
                "version must not be empty",
            );
        }
        for field in ["kind", "name", "uid"] {
            if owner.get(field).is_empty() {
                errors.invalid_str(&path.f(field), "", "must not be empty");
            }
        }
        if group.is_empty() && version == "v1" && kind == "Event" {
            errors.invalid_text(
                path,
                &print_owner(owner),
                "/v1, Kind=Event is disallowed from being an owner",
            );
        }
        if owner.get("controller").is_true() {
            if let Some(first) = controller {
                let named = |o: &Value| {
                    format!(
                        "{}/{}",
                        o.get("kind").str_or_empty(),
                        o.get("name").str_or_empty()
                    )
                };
                let all: Vec<String> = list.items().iter().map(print_owner).collect();
                let detail = format!(
                    "Only one reference can have Controller set to true. Found \"true\" in references for {} and {}",
                    named(first),
                    named(owner)
                );
                errors.invalid_text(path, &format!("[{}]", all.join(",")), &detail);
                return;
            }
            controller = Some(owner);
        }
    }
}

fn print_owner(owner: &Value) -> String {
    print_ordered(
        owner,
        &[
            "apiVersion",
            "kind",
            "name",
            "uid",
            "controller",
            "blockOwnerDeletion",
        ],
    )
}

/// A map as JSON with its keys in the given order; other keys are left out.
pub fn print_ordered(value: &Value, keys: &[&str]) -> String {
    let mut out = String::from("{");
    for key in keys {
        let field = value.get(key);
        if field.is_null() {
            continue;
        }
        if out.len() > 1 {
            out.push(',');
        }
        out.push_str(&quote(key));
        out.push(':');
        json::write(&mut out, field, true);
    }
    out.push('}');
    out
}

/// A label selector as error messages print it.
pub fn print_selector(selector: &Value) -> String {
    if selector.is_null() {
        return "null".into();
    }
    let mut shown = selector.clone();
    for key in ["matchLabels", "matchExpressions"] {
        if shown.get(key).is_empty() {
            shown.remove(key);
        }
    }
    print_ordered(&shown, &["matchLabels", "matchExpressions"])
}

/// A label selector; `false` when something was wrong with it.
pub fn selector(errors: &mut Errors, path: &Path<'_>, selector: &Value) -> bool {
    let before = errors.0.len();
    names::labels(errors, &path.f("matchLabels"), selector.get("matchLabels"));
    let expressions = path.f("matchExpressions");
    for (i, e) in selector.get("matchExpressions").items().iter().enumerate() {
        let path = &expressions.i(i);
        let values = e.get("values").items();
        match e.get("operator").str_or_empty() {
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
            other => {
                errors.invalid_str(&path.f("operator"), other, "not a valid selector operator")
            }
        }
        names::check(errors, &path.f("key"), e.get("key"), names::qualified_name);
        for (j, value) in values.iter().enumerate() {
            names::check(errors, &path.f("values").i(j), value, names::label_value);
        }
    }
    errors.0.len() == before
}

/// True when a (valid) selector selects the labels. A missing selector selects nothing.
pub fn selects(selector: &Value, labels: &Value) -> bool {
    let is = |key: &str, value: &str| labels.get(key).as_str() == Some(value);
    !selector.is_null()
        && selector
            .get("matchLabels")
            .entries()
            .iter()
            .all(|(k, v)| is(k, v.str_or_empty()))
        && selector.get("matchExpressions").items().iter().all(|e| {
            let key = e.get("key").str_or_empty();
            let one_of = || {
                e.get("values")
                    .items()
                    .iter()
                    .any(|v| is(key, v.str_or_empty()))
            };
            match e.get("operator").str_or_empty() {
                "In" => one_of(),
                "NotIn" => !one_of(),
                "Exists" => !labels.get(key).is_null(),
                _ => labels.get(key).is_null(),
            }
        })
}

/// `metadata` of a changed object. The server runs this once for all kinds and most kinds run it once more.
pub fn update(errors: &mut Errors, new: &Value, old: &Value) {
    let path = &Path::root("metadata");
    // A deletion that is under way cannot be taken back or put off.
    for field in ["deletionTimestamp", "deletionGracePeriodSeconds"] {
        if !new.get(field).is_null() && new.get(field) != old.get(field) {
            errors.invalid(&path.f(field), new.get(field), "field is immutable");
        }
    }
    if !old.get("deletionTimestamp").is_null() {
        let added: Vec<String> = new
            .get("finalizers")
            .items()
            .iter()
            .filter(|f| !old.get("finalizers").items().contains(f))
            .map(|f| quote(f.str_or_empty()))
            .collect();
        if !added.is_empty() {
            errors.forbidden(
                &path.f("finalizers"),
                &format!(
                    "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                    added.join(", ")
                ),
            );
        }
    }
    finalizers(errors, &path.f("finalizers"), new.get("finalizers"));
    if new.get("resourceVersion").is_empty() {
        errors.invalid_str(
            &path.f("resourceVersion"),
            "",
            "must be specified for an update",
        );
    }
    let generation = new.get("generation").as_int().unwrap_or(0);
    if generation < old.get("generation").as_int().unwrap_or(0) {
        errors.invalid_int(&path.f("generation"), generation, "must not be decremented");
    }
    for field in ["name", "namespace", "uid", "creationTimestamp"] {
        immutable(errors, &path.f(field), new.get(field), old.get(field));
    }
    names::labels(errors, &path.f("labels"), new.get("labels"));
    annotations(errors, &path.f("annotations"), new.get("annotations"));
    owner_references(
        errors,
        &path.f("ownerReferences"),
        new.get("ownerReferences"),
    );
}

/// [`update`] plus what core kinds add to it.
pub fn kind_update(errors: &mut Errors, new: &Value, old: &Value) {
    update(errors, new, old);
    let path = &Path::root("metadata");
    kube_finalizers(errors, &path.f("finalizers"), new.get("finalizers"));
}

/// Refuses a change of a field.
pub fn immutable(errors: &mut Errors, path: &Path<'_>, new: &Value, old: &Value) {
    let same = new == old || (new.is_empty() && old.is_empty());
    if !same {
        errors.invalid_text(path, &print(new), "field is immutable");
    }
}
