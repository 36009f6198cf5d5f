//! Validation of small core kinds: ConfigMap, Secret, Namespace, Node, LimitRange, ResourceQuota, Endpoints.
//!
//! Models: pkg/apis/core/validation (v1.36)

use super::field::{Errors, Path};
use super::names;
use super::pod::{affinity, resources};
use podscope_api::{Quantity, Value, json};

/// The largest total size of a ConfigMap's or Secret's values, in bytes.
const MAX_DATA_BYTES: usize = 1024 * 1024;

/// A ConfigMap.
#[inline(never)]
pub(super) fn config_map(errors: &mut Errors, map: &Value) {
    let binary = map.get("binaryData");
    let mut bytes = 0;
    let path = &Path::root("data");
    for (key, value) in map.get("data").entries() {
        errors.invalid_each(&path.k(key), key, names::config_key(key));
        if !binary.get(key).is_null() {
            errors.invalid_str(&path.k(key), key, "duplicate of key present in binaryData");
        }
        bytes += value.str_or_empty().len();
    }
    let path = &Path::root("binaryData");
    for (key, value) in binary.entries() {
        errors.invalid_each(&path.k(key), key, names::config_key(key));
        bytes += decoded_length(value.str_or_empty());
    }
    if bytes > MAX_DATA_BYTES {
        errors.too_long(&Path::root(""), MAX_DATA_BYTES);
    }
}

/// How many bytes a base64 text stands for.
fn decoded_length(text: &str) -> usize {
    text.trim_end_matches('=').len() * 3 / 4
}

/// What `immutable: true` forbids; `fields` are those with content.
pub(super) fn kept_immutable(errors: &mut Errors, new: &Value, old: &Value, fields: &[&str]) {
    if !old.get("immutable").is_true() {
        return;
    }
    let why = "field is immutable when `immutable` is set";
    if !new.get("immutable").is_true() {
        errors.forbidden(&Path::root("immutable"), why);
    }
    for field in fields {
        let (a, b) = (new.get(field), old.get(field));
        if a != b && !(a.is_empty() && b.is_empty()) {
            errors.forbidden(&Path::root(field), why);
        }
    }
}

/// A Secret.
#[inline(never)]
pub(super) fn secret(errors: &mut Errors, secret: &Value) {
    let data = secret.get("data");
    let path = &Path::root("data");
    let mut bytes = 0;
    for (key, value) in data.entries() {
        errors.invalid_each(&path.k(key), key, names::config_key(key));
        bytes += decoded_length(value.str_or_empty());
    }
    if bytes > MAX_DATA_BYTES {
        errors.too_long(path, MAX_DATA_BYTES);
    }
    let mut required = |keys: &[&str]| {
        for key in keys {
            if data.get(key).is_null() {
                errors.required(&path.k(key), "");
            }
        }
    };
    match secret.get("type").str_or_empty() {
        "kubernetes.io/service-account-token" => {
            let key = "kubernetes.io/service-account.name";
            if secret.at("metadata.annotations").get(key).is_empty() {
                errors.required(&Path::root("metadata.annotations").k(key), "");
            }
        }
        "kubernetes.io/dockercfg" => required(&[".dockercfg"]),
        "kubernetes.io/dockerconfigjson" => required(&[".dockerconfigjson"]),
        "kubernetes.io/basic-auth" => {
            let keys = ["username", "password"];
            if keys.iter().all(|k| data.get(k).is_null()) {
                required(&keys);
            }
        }
        "kubernetes.io/ssh-auth" if data.get("ssh-privatekey").is_empty() => {
            errors.required(&path.k("ssh-privatekey"), "");
        }
        "kubernetes.io/tls" => required(&["tls.crt", "tls.key"]),
        _ => {}
    }
}

/// A Namespace's own finalizers.
pub(super) fn namespace(errors: &mut Errors, namespace: &Value) {
    let path = &Path::root("spec").f("finalizers").to_string();
    let path = &Path::root(path);
    for finalizer in namespace.at("spec.finalizers").items() {
        let name = finalizer.str_or_empty();
        errors.invalid_each(path, name, names::qualified_name(name));
        if !name.contains('/') && !["kubernetes", "orphan", "foregroundDeletion"].contains(&name) {
            errors.invalid_str(
                path,
                name,
                "name is neither a standard finalizer name nor is it fully qualified",
            );
        }
    }
}

/// A Node: taints, quantities, address ranges.
#[inline(never)]
pub(super) fn node(errors: &mut Errors, node: &Value) {
    let list = Path::root("metadata.taints");
    let taints = node.at("spec.taints").items();
    for (i, taint) in taints.iter().enumerate() {
        let path = &list.i(i);
        names::check(
            errors,
            &path.f("key"),
            taint.get("key"),
            names::qualified_name,
        );
        let value = taint.get("value").str_or_empty();
        let complaints = names::label_value(value);
        if !complaints.is_empty() {
            errors.invalid_str(&path.f("value"), value, &complaints.join(";"));
        }
        let effect = taint.get("effect").str_or_empty();
        if effect.is_empty() {
            errors.required(&path.f("effect"), "");
        } else {
            affinity::taint_effect(errors, &path.f("effect"), effect);
        }
        let same = |other: &Value| {
            ["key", "effect"]
                .iter()
                .all(|f| other.get(f) == taint.get(f))
        };
        if taints.iter().take(i).any(same) {
            let printed = crate::apiserver::go::internal_json("Taint", taint);
            errors.duplicate_text(
                path,
                &format!("{printed}: taints must be unique by key and effect pair"),
            );
        }
    }
    for field in ["capacity", "allocatable"] {
        let path = Path::root("status");
        let path = path.f(field);
        for (name, value) in node.get("status").get(field).entries() {
            resources::quantity_value(errors, &path.f(name), name, value);
        }
    }
    let list = Path::root("spec.podCIDRs");
    for (i, range) in node.at("spec.podCIDRs").items().iter().enumerate() {
        names::cidr(errors, &list.i(i), range.str_or_empty());
    }
}

/// A changed Node: what may be set once only.
pub(super) fn node_update(errors: &mut Errors, new: &Value, old: &Value) {
    let path = &Path::root("spec");
    for (field, shown) in [("podCIDRs", "podCIDR"), ("providerID", "providerID")] {
        let (a, b) = (new.get("spec").get(field), old.get("spec").get(field));
        if !b.is_empty() && a != b {
            errors.forbidden(
                &path.f(field),
                &format!("node updates may not change {shown} except from \"\" to valid"),
            );
        }
    }
}

fn limit_resource(errors: &mut Errors, path: &Path<'_>, limit_type: &str, name: &str) {
    if ["Pod", "Container"].contains(&limit_type) {
        resources::container_resource_name(errors, path, name);
    } else {
        resources::resource_name(errors, path, name);
    }
}

/// A LimitRange.
#[inline(never)]
pub(super) fn limit_range(errors: &mut Errors, range: &Value) {
    let list = Path::root("spec.limits");
    let limits = range.at("spec.limits").items();
    for (i, limit) in limits.iter().enumerate() {
        let path = &list.i(i);
        let limit_type = limit.get("type").str_or_empty();
        let type_path = &path.f("type");
        let complaints = names::qualified_name(limit_type);
        if !complaints.is_empty() {
            errors.invalid_each(type_path, limit_type, complaints);
        } else if !limit_type.contains('/')
            && !["Pod", "Container", "PersistentVolumeClaim"].contains(&limit_type)
        {
            errors.invalid_str(
                type_path,
                limit_type,
                "must be a standard limit type or fully qualified",
            );
        }
        if limits
            .iter()
            .take(i)
            .any(|l| l.get("type").str_or_empty() == limit_type)
        {
            errors.duplicate(type_path, limit_type);
        }
        limit_item(errors, path, limit, limit_type);
    }
}

fn limit_item(errors: &mut Errors, path: &Path<'_>, limit: &Value, limit_type: &str) {
    let mut keys: Vec<&str> = Vec::new();
    let pod = limit_type == "Pod";
    for field in [
        "max",
        "min",
        "default",
        "defaultRequest",
        "maxLimitRequestRatio",
    ] {
        let values = limit.get(field);
        let path_field = path.f(field);
        if field == "maxLimitRequestRatio" && limit_type == "PersistentVolumeClaim" {
            let storage = |f: &str| limit.get(f).get("storage").is_null();
            if storage("min") && storage("max") {
                errors.required(
                    &path.f("limits"),
                    "either minimum or maximum storage value is required, but neither was provided",
                );
            }
        }
        if pod && field.starts_with("default") {
            if !values.is_empty() {
                errors.forbidden(&path_field, "may not be specified when `type` is 'Pod'");
            }
            continue;
        }
        for (name, _) in values.entries() {
            limit_resource(errors, &path_field.k(name), limit_type, name);
            keys.push(name);
        }
    }
    podscope_api::sort::natural(&mut keys);
    keys.dedup();
    for key in keys {
        limit_amounts(errors, path, limit, key, pod);
    }
}

fn limit_amounts(errors: &mut Errors, path: &Path<'_>, limit: &Value, key: &str, pod: bool) {
    let get = |field: &str| {
        if pod && field.starts_with("default") {
            return None;
        }
        Quantity::from_value(limit.get(field).get(key))
    };
    let (min, max) = (get("min"), get("max"));
    let (default, request, ratio) = (
        get("default"),
        get("defaultRequest"),
        get("maxLimitRequestRatio"),
    );
    // (low, its words, high, its words, the field, the value shown)
    type Rule<'a> = (
        Option<Quantity>,
        &'a str,
        Option<Quantity>,
        &'a str,
        &'a str,
        Option<Quantity>,
    );
    let rules: [Rule<'_>; 6] = [
        (min, "min value", max, "max value", "min", min),
        (
            min,
            "min value",
            request,
            "default request value",
            "defaultRequest",
            request,
        ),
        (
            request,
            "default request value",
            max,
            "max value",
            "defaultRequest",
            request,
        ),
        (
            request,
            "default request value",
            default,
            "default limit value",
            "defaultRequest",
            request,
        ),
        (min, "min value", default, "default value", "default", min),
        (default, "default value", max, "max value", "default", max),
    ];
    for (low, low_words, high, high_words, field, shown) in rules {
        if let (Some(low), Some(high), Some(shown)) = (low, high, shown)
            && low > high
        {
            errors.invalid_str(
                &path.f(field).k(key),
                &shown.to_string(),
                &format!("{low_words} {low} is greater than {high_words} {high}"),
            );
        }
    }
    if let Some(ratio) = ratio {
        let path = path.f("maxLimitRequestRatio");
        let path = &path.k(key);
        let shown = ratio.to_string();
        if ratio.milli_value() < 1000 {
            errors.invalid_str(path, &shown, &format!("ratio {ratio} is less than 1"));
        }
        if let (Some(min), Some(max)) = (min, max)
            && min.sign() > 0
        {
            let most = max.milli_value() as f64 / min.milli_value() as f64;
            if ratio.milli_value() as f64 / 1000.0 > most {
                errors.invalid_str(
                    path,
                    &shown,
                    &format!(
                        "ratio {ratio} is greater than max/min = {}",
                        podscope_api::float::fixed(most, 6)
                    ),
                );
            }
        }
    }
    if let (Some(default), Some(request)) = (default, request)
        && !resources::overcommit_allowed(key)
        && default != request
    {
        errors.invalid_str(
            &path.f("defaultRequest").k(key),
            &request.to_string(),
            &format!(
                "default value {default} must equal to defaultRequest value {request} in {key}"
            ),
        );
    }
}

const QUOTA_RESOURCES: &[&str] = &[
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.storage",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "resourcequotas",
    "services",
    "pods",
    "replicationcontrollers",
    "secrets",
    "persistentvolumeclaims",
    "configmaps",
    "services.nodeports",
    "services.loadbalancers",
];
const POD_QUOTA_RESOURCES: &[&str] = &[
    "cpu",
    "memory",
    "limits.cpu",
    "limits.memory",
    "requests.cpu",
    "requests.memory",
    "pods",
];
const SCOPES: &[&str] = &[
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
    "VolumeAttributesClass",
];

fn standard_quota(name: &str) -> bool {
    QUOTA_RESOURCES.contains(&name)
        || name.starts_with("hugepages-")
        || name.starts_with("requests.hugepages-")
}

fn scope_fits(scope: &str, resource: &str) -> bool {
    match scope {
        "BestEffort" => resource == "pods",
        "Terminating"
        | "NotTerminating"
        | "NotBestEffort"
        | "PriorityClass"
        | "CrossNamespacePodAffinity" => POD_QUOTA_RESOURCES.contains(&resource),
        "VolumeAttributesClass" => {
            ["persistentvolumeclaims", "requests.storage"].contains(&resource)
        }
        _ => true,
    }
}

fn quota_amounts(errors: &mut Errors, path: &Path<'_>, amounts: &Value) {
    for (name, value) in amounts.entries() {
        let path = &path.k(name);
        if !resources::resource_name(errors, path, name) && name.contains('/') {
            resources::quantity_value(errors, path, name, value);
            continue;
        }
        if !name.contains('/') && !standard_quota(name) {
            errors.invalid_str(path, name, "must be a standard resource for quota");
        }
        resources::quantity_value(errors, path, name, value);
    }
}

/// `spec` of a ResourceQuota.
#[inline(never)]
pub(super) fn quota_spec(errors: &mut Errors, quota: &Value) {
    let path = &Path::root("spec");
    let spec = quota.get("spec");
    quota_amounts(errors, &path.f("hard"), spec.get("hard"));
    let scopes = spec.get("scopes");
    let hard: Vec<&str> = spec
        .get("hard")
        .entries()
        .iter()
        .map(|(k, _)| &**k)
        .collect();
    let scopes_path = &path.f("scopes");
    let misfits = |scope: &str| {
        hard.iter()
            .filter(|k| standard_quota(k) && !scope_fits(scope, k))
            .count()
    };
    for scope in scopes.items() {
        let name = scope.str_or_empty();
        if !SCOPES.contains(&name) {
            errors.invalid(scopes_path, scopes, "unsupported scope");
        }
        for _ in 0..misfits(name) {
            errors.invalid(scopes_path, scopes, "unsupported scope applied to resource");
        }
    }
    let has = |name: &str| scopes.items().iter().any(|s| s.as_str() == Some(name));
    for (a, b) in [
        ("BestEffort", "NotBestEffort"),
        ("Terminating", "NotTerminating"),
    ] {
        if has(a) && has(b) {
            errors.invalid(scopes_path, scopes, "conflicting scopes");
        }
    }
    let selector = spec.get("scopeSelector");
    let path = &path.f("scopeSelector.matchExpressions");
    for requirement in selector.get("matchExpressions").items() {
        let name = requirement.get("scopeName").str_or_empty();
        let operator = requirement.get("operator").str_or_empty();
        let values = requirement.get("values");
        if !SCOPES.contains(&name) {
            errors.invalid_str(&path.f("scopeName"), name, "unsupported scope");
        }
        for _ in 0..misfits(name) {
            let printed = crate::apiserver::go::internal_json("ScopeSelector", selector);
            errors.invalid_text(path, &printed, "unsupported scope applied to resource");
        }
        let plain =
            SCOPES.contains(&name) && !["PriorityClass", "VolumeAttributesClass"].contains(&name);
        if plain && operator != "Exists" {
            errors.invalid_str(&path.f("operator"), operator, "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity");
        }
        match operator {
            "In" | "NotIn" => {
                if values.is_empty() {
                    errors.required(&path.f("values"), "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector");
                }
            }
            "Exists" | "DoesNotExist" => {
                if !values.is_empty() {
                    errors.invalid_text(
                        &path.f("values"),
                        &json::to_string(values),
                        "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
                    );
                }
            }
            other => {
                errors.invalid_str(&path.f("operator"), other, "not a valid selector operator")
            }
        }
    }
}

/// `status` of a ResourceQuota.
pub(super) fn quota_status(errors: &mut Errors, quota: &Value) {
    let path = &Path::root("status");
    for field in ["hard", "used"] {
        quota_amounts(errors, &path.f(field), quota.get("status").get(field));
    }
}

/// A changed ResourceQuota: scopes stay.
pub(super) fn quota_update(errors: &mut Errors, new: &Value, old: &Value) {
    let sorted = |v: &Value| {
        let mut scopes: Vec<String> = v
            .at("spec.scopes")
            .items()
            .iter()
            .map(|s| s.str_or_empty().to_string())
            .collect();
        podscope_api::sort::natural(&mut scopes);
        scopes.dedup();
        scopes
    };
    if sorted(new) != sorted(old) {
        let scopes = new.at("spec.scopes");
        errors.invalid(&Path::root("spec.scopes"), scopes, "field is immutable");
    }
}

/// Endpoints: addresses and ports of every subset.
#[inline(never)]
pub(super) fn endpoints(errors: &mut Errors, endpoints: &Value) {
    let list = Path::root("subsets");
    for (i, subset) in endpoints.get("subsets").items().iter().enumerate() {
        let path = &list.i(i);
        let fields = ["addresses", "notReadyAddresses"];
        if fields.iter().all(|f| subset.get(f).is_empty()) {
            errors.required(path, "must specify `addresses` or `notReadyAddresses`");
        }
        for field in fields {
            let path = path.f(field);
            for (j, address) in subset.get(field).items().iter().enumerate() {
                names::ip(errors, &path.i(j).f("ip"), address.get("ip").str_or_empty());
            }
        }
        let path = path.f("ports");
        let ports = subset.get("ports").items();
        for (j, port) in ports.iter().enumerate() {
            let path = &path.i(j);
            if ports.len() > 1 && port.get("name").is_empty() {
                errors.required(&path.f("name"), "");
            }
            names::port_number(
                errors,
                &path.f("port"),
                port.get("port").as_int().unwrap_or(0),
            );
            errors.one_of(
                &path.f("protocol"),
                port.get("protocol"),
                &["SCTP", "TCP", "UDP"],
            );
        }
    }
}
