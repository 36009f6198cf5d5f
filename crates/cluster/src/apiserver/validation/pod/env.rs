//! Environment variables, their sources and the fields that the downward API offers.
//!
//! Models: pkg/apis/core/validation ValidateEnv, ValidateEnvFrom, validateObjectFieldSelector (v1.36)

use crate::apiserver::validation::field::{Errors, Path};
use crate::apiserver::validation::names;
use podscope_api::{Quantity, Value};

/// Fields of a Pod that an environment variable may take its value from.
const ENV_FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
/// Fields that a downward API volume may show.
pub(super) const VOLUME_FIELDS: &[&str] = &[
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
];
/// Fields that exist but that neither may use.
const OTHER_FIELDS: &[&str] = &[
    "metadata.annotations",
    "metadata.labels",
    "spec.restartPolicy",
    "spec.schedulerName",
    "status.phase",
];
const RESOURCE_FIELDS: &[&str] = &[
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];
const CPU_DIVISORS: &[&str] = &["1m", "1"];
const BYTE_DIVISORS: &[&str] = &[
    "1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei",
];

/// `env` of a container.
pub(super) fn env(errors: &mut Errors, path: &Path<'_>, env: &Value) {
    for (i, var) in env.items().iter().enumerate() {
        let path = &path.i(i);
        if var.get("name").is_empty() {
            errors.required(&path.f("name"), "");
        } else {
            names::check(errors, &path.f("name"), var.get("name"), names::env_name);
        }
        let from = var.get("valueFrom");
        if !from.is_null() {
            let has_value = !var.get("value").is_empty();
            value_from(errors, &path.f("valueFrom"), from, has_value);
        }
    }
}

#[inline(never)]
fn value_from(errors: &mut Errors, path: &Path<'_>, from: &Value, has_value: bool) {
    let mut sources = 0;
    for source in [
        "fieldRef",
        "resourceFieldRef",
        "configMapKeyRef",
        "secretKeyRef",
        "fileKeyRef",
    ] {
        let value = from.get(source);
        if value.is_null() {
            continue;
        }
        sources += 1;
        let path = &path.f(source);
        match source {
            "fieldRef" => field_ref(errors, path, value, ENV_FIELDS),
            "resourceFieldRef" => resource_field_ref(errors, path, value, false),
            "fileKeyRef" => file_key_ref(errors, path, value),
            _ => key_ref(errors, path, value),
        }
    }
    if sources == 0 {
        errors.invalid_str(
            path,
            "",
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
        );
    } else if has_value {
        errors.invalid_str(path, "", "may not be specified when `value` is not empty");
    } else if sources > 1 {
        errors.invalid_str(
            path,
            "",
            "may not have more than one field specified at a time",
        );
    }
}

fn key_ref(errors: &mut Errors, path: &Path<'_>, source: &Value) {
    names::check(
        errors,
        &path.f("name"),
        source.get("name"),
        names::subdomain,
    );
    required_key(errors, &path.f("key"), source.get("key"), names::config_key);
}

fn required_key(errors: &mut Errors, path: &Path<'_>, key: &Value, check: names::Check) {
    if key.is_empty() {
        errors.required(path, "");
    } else {
        names::check(errors, path, key, check);
    }
}

fn file_key_ref(errors: &mut Errors, path: &Path<'_>, source: &Value) {
    required_key(errors, &path.f("key"), source.get("key"), names::env_name);
    required_key(
        errors,
        &path.f("volumeName"),
        source.get("volumeName"),
        names::label,
    );
    let file = source.get("path").str_or_empty();
    if file.is_empty() {
        errors.required(&path.f("path"), "");
    } else {
        super::volume::no_backsteps(errors, &path.f("path"), file);
    }
}

/// `fieldRef`, with the fields that are allowed here.
pub(super) fn field_ref(errors: &mut Errors, path: &Path<'_>, fs: &Value, allowed: &[&str]) {
    let version = fs.get("apiVersion").str_or_empty();
    let field = fs.get("fieldPath").str_or_empty();
    if version.is_empty() {
        return errors.required(&path.f("apiVersion"), "");
    }
    let path_field = &path.f("fieldPath");
    if field.is_empty() {
        return errors.required(path_field, "");
    }
    let convert = |errors: &mut Errors, what: String| {
        errors.invalid_str(
            path_field,
            field,
            &format!("error converting fieldPath: {what}"),
        );
    };
    if version != "v1" {
        return convert(errors, format!("unsupported pod version: {version}"));
    }
    if let Some((base, key)) = subscripted(field) {
        match base {
            "metadata.annotations" => {
                let key = key.to_ascii_lowercase();
                errors.invalid_each(path, &key, names::qualified_name(&key));
            }
            "metadata.labels" => errors.invalid_each(path, key, names::qualified_name(key)),
            _ => convert(
                errors,
                format!("field label does not support subscript: {field}"),
            ),
        }
        return;
    }
    let field = if field == "spec.host" {
        "spec.nodeName"
    } else {
        field
    };
    if !ENV_FIELDS.contains(&field) && !OTHER_FIELDS.contains(&field) {
        convert(errors, format!("field label not supported: {field}"));
    } else if !allowed.contains(&field) {
        errors.not_supported(path_field, field, allowed);
    }
}

/// Splits `metadata.labels['key']`.
fn subscripted(field: &str) -> Option<(&str, &str)> {
    let (base, key) = field.strip_suffix("']")?.split_once("['")?;
    (!base.is_empty()).then_some((base, key))
}

/// `resourceFieldRef`; in a volume the container must be named.
#[inline(never)]
pub(super) fn resource_field_ref(errors: &mut Errors, path: &Path<'_>, fs: &Value, volume: bool) {
    let resource = fs.get("resource").str_or_empty();
    let hugepages =
        resource.starts_with("limits.hugepages-") || resource.starts_with("requests.hugepages-");
    if volume && fs.get("containerName").is_empty() {
        errors.required(&path.f("containerName"), "");
    } else if resource.is_empty() {
        errors.required(&path.f("resource"), "");
    } else if !hugepages && !RESOURCE_FIELDS.contains(&resource) {
        errors.not_supported(&path.f("resource"), resource, RESOURCE_FIELDS);
    }
    let Some(divisor) = Quantity::from_value(fs.get("divisor")).filter(|d| !d.is_zero()) else {
        return;
    };
    let divisor = divisor.canonical();
    let (allowed, what) = match resource.split_once('.').map_or("", |(_, r)| r) {
        "cpu" => {
            if !CPU_DIVISORS.contains(&divisor.as_str()) {
                errors.invalid_str(
                    &path.f("divisor"),
                    resource,
                    "only divisor's values 1m and 1 are supported with the cpu resource",
                );
            }
            return;
        }
        "memory" => (BYTE_DIVISORS, "memory"),
        "ephemeral-storage" => (BYTE_DIVISORS, "local ephemeral storage"),
        _ if hugepages => (BYTE_DIVISORS, "hugepages"),
        _ => return,
    };
    if !allowed.contains(&divisor.as_str()) {
        errors.invalid_str(
            &path.f("divisor"),
            resource,
            &format!(
                "only divisor's values {} are supported with the {what} resource",
                allowed.join(", ")
            ),
        );
    }
}

/// `envFrom` of a container.
pub(super) fn env_from(errors: &mut Errors, list_path: &Path<'_>, list: &Value) {
    for (i, from) in list.items().iter().enumerate() {
        let path = &list_path.i(i);
        let prefix = from.get("prefix");
        if !prefix.is_empty() {
            names::check(errors, &path.f("prefix"), prefix, names::env_name);
        }
        let mut sources = 0;
        for source in ["configMapRef", "secretRef"] {
            let value = from.get(source);
            if !value.is_null() {
                sources += 1;
                let path = &path.f(source);
                required_key(errors, &path.f("name"), value.get("name"), |s| {
                    names::subdomain(s.strip_suffix('-').unwrap_or(s))
                });
            }
        }
        // The server names the list, not the item.
        match sources {
            0 => errors.invalid_str(
                list_path,
                "",
                "must specify one of: `configMapRef` or `secretRef`",
            ),
            1 => {}
            _ => errors.invalid_str(
                list_path,
                "",
                "may not have more than one field specified at a time",
            ),
        }
    }
}
