//! Resource names, quantities, requests and limits.
//!
//! Models: pkg/apis/core/validation validateResourceRequirements, pkg/apis/core/helper (v1.36)

use crate::apiserver::validation::field::{Errors, Path};
use crate::apiserver::validation::names;
use podscope_api::{Quantity, Value};

const STANDARD: &[&str] = &[
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "storage",
    "requests.storage",
    "services.nodeports",
    "services.loadbalancers",
];
const STANDARD_CONTAINER: &[&str] = &["cpu", "memory", "ephemeral-storage"];
const COUNTED: &[&str] = &[
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
];

/// True for `hugepages-2Mi` and the like.
pub(crate) fn is_huge_page(name: &str) -> bool {
    name.starts_with("hugepages-")
}

/// True for names without a domain and names in `kubernetes.io/`.
pub(crate) fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

/// True for names with a domain of their own, such as `example.com/gpu`.
pub(crate) fn is_extended(name: &str) -> bool {
    !is_native(name)
        && !name.starts_with("requests.")
        && names::qualified_name(&format!("requests.{name}")).is_empty()
}

/// True when requests may be lower than limits.
pub(crate) fn overcommit_allowed(name: &str) -> bool {
    is_native(name) && !is_huge_page(name)
}

/// Any resource name: a standard one, or one with a domain.
pub(crate) fn resource_name(errors: &mut Errors, path: &Path<'_>, name: &str) -> bool {
    let complaints = names::qualified_name(name);
    if !complaints.is_empty() {
        errors.invalid_each(path, name, complaints);
        return false;
    }
    let standard =
        STANDARD.contains(&name) || is_huge_page(name) || name.starts_with("requests.hugepages-");
    if !name.contains('/') && !standard {
        errors.invalid_str(
            path,
            name,
            "must be a standard resource type or fully qualified",
        );
        return false;
    }
    true
}

/// A name that a container may request.
pub(crate) fn container_resource_name(errors: &mut Errors, path: &Path<'_>, name: &str) -> bool {
    let fine = resource_name(errors, path, name);
    if !name.contains('/') {
        if !STANDARD_CONTAINER.contains(&name) && !is_huge_page(name) {
            errors.invalid_str(path, name, "must be a standard resource for containers");
            return false;
        }
    } else if !is_native(name) && !is_extended(name) {
        errors.invalid_str(path, name, "doesn't follow extended resource name standard");
        return false;
    }
    fine
}

/// A name that may be requested for a whole Pod.
pub(super) fn pod_resource_name(errors: &mut Errors, path: &Path<'_>, name: &str) -> bool {
    if !resource_name(errors, path, name) {
        return false;
    }
    if !["cpu", "memory"].contains(&name) && !is_huge_page(name) {
        errors.not_supported(path, name, &["cpu", "hugepages-", "memory"]);
        return false;
    }
    true
}

/// A quantity of the named resource: not negative, and whole where things are counted.
pub(crate) fn quantity_value(errors: &mut Errors, path: &Path<'_>, name: &str, value: &Value) {
    let Some(quantity) = Quantity::from_value(value) else {
        return;
    };
    let text = quantity.to_string();
    if quantity.sign() < 0 {
        errors.invalid_str(path, &text, "must be greater than or equal to 0");
    }
    if (COUNTED.contains(&name) || is_extended(name)) && quantity.milli_value() % 1000 != 0 {
        errors.invalid_str(path, &text, "must be an integer");
    }
}

/// `resources` of a container, or of a Pod, as `name_check` says.
pub(super) fn requirements(
    errors: &mut Errors,
    path: &Path<'_>,
    resources: &Value,
    name_check: fn(&mut Errors, &Path<'_>, &str) -> bool,
    claim_names: &[&str],
) {
    let limits = resources.get("limits");
    let requests = resources.get("requests");
    let (limits_path, requests_path) = (path.f("limits"), path.f("requests"));
    for (name, value) in limits.entries() {
        let path = &limits_path.k(name);
        name_check(errors, path, name);
        quantity_value(errors, path, name, value);
        whole_pages(errors, path, name, value);
    }
    for (name, value) in requests.entries() {
        let path = &requests_path.k(name);
        name_check(errors, path, name);
        quantity_value(errors, path, name, value);
        let quantity = Quantity::from_value(value).unwrap_or(Quantity::ZERO);
        match Quantity::from_value(limits.get(name)) {
            Some(limit) if quantity != limit && !overcommit_allowed(name) => errors.invalid_str(
                &requests_path,
                &quantity.to_string(),
                &format!("must be equal to {name} limit of {limit}"),
            ),
            Some(limit) if quantity > limit => errors.invalid_str(
                &requests_path,
                &quantity.to_string(),
                &format!("must be less than or equal to {name} limit of {limit}"),
            ),
            None if !overcommit_allowed(name) => errors.required(
                &limits_path,
                "Limit must be set for non overcommitable resources",
            ),
            _ => {}
        }
        whole_pages(errors, path, name, value);
    }
    let any = |test: fn(&str) -> bool| {
        [limits, requests]
            .iter()
            .any(|list| list.entries().iter().any(|(name, _)| test(name)))
    };
    if any(is_huge_page) && !any(|name| name == "cpu" || name == "memory") {
        errors.forbidden(path, "HugePages require cpu or memory");
    }
    claims(
        errors,
        &path.f("claims"),
        resources.get("claims"),
        claim_names,
    );
}

fn whole_pages(errors: &mut Errors, path: &Path<'_>, name: &str, value: &Value) {
    let Some(size) = name.strip_prefix("hugepages-") else {
        return;
    };
    let Some(quantity) = Quantity::from_value(value) else {
        return;
    };
    let size = Quantity::parse(size).map_or(0, |size| size.milli_value());
    if size <= 0 || quantity.milli_value() % size != 0 {
        errors.invalid_str(
            path,
            &quantity.to_string(),
            &format!("{quantity} is not positive integer multiple of {name}"),
        );
    }
}

fn claims(errors: &mut Errors, path: &Path<'_>, claims: &Value, known: &[&str]) {
    let mut seen: Vec<String> = Vec::new();
    for (i, claim) in claims.items().iter().enumerate() {
        let path = &path.i(i);
        let name = claim.get("name").str_or_empty();
        if name.is_empty() {
            errors.required(path, "");
            continue;
        }
        let request = claim.get("request").str_or_empty();
        let mut key = name.to_string();
        if seen.contains(&key) {
            errors.duplicate(path, name);
        } else {
            if !request.is_empty() {
                names::check(
                    errors,
                    &path.f("request"),
                    claim.get("request"),
                    names::label,
                );
                key = format!("{name}/{request}");
            }
            let overlaps = request.is_empty()
                && seen
                    .iter()
                    .any(|s| s.split_once('/').is_some_and(|(n, _)| n == name));
            if seen.contains(&key) || overlaps {
                errors.duplicate(path, &key);
            }
            seen.push(key);
        }
        if !known.contains(&name) {
            let mut detail = String::from("must be one of the names in pod.spec.resourceClaims");
            if known.is_empty() {
                detail.push_str(" which is empty");
            } else {
                let mut sorted = known.to_vec();
                podscope_api::sort::natural(&mut sorted);
                sorted.dedup();
                detail.push_str(": ");
                detail.push_str(&sorted.join(", "));
            }
            errors.not_found(path, name, &detail);
        }
    }
}

/// Adds the quantities of `more` into `sum`, a list of (name, quantity).
pub(crate) fn add_all(sum: &mut Vec<(String, Quantity)>, more: &Value) {
    for (name, value) in more.entries() {
        let value = Quantity::from_value(value).unwrap_or(Quantity::ZERO);
        match sum.iter_mut().find(|(n, _)| n.as_str() == &**name) {
            Some((_, total)) => *total = total.plus(value),
            None => sum.push((name.to_string(), value)),
        }
    }
}

/// What the containers ask for together: the sum of containers and sidecars, or the largest init step.
/// `field` is `requests` or `limits`.
pub(crate) fn aggregate(spec: &Value, field: &str) -> Vec<(String, Quantity)> {
    let mut sum = Vec::new();
    for container in spec.get("containers").items() {
        add_all(&mut sum, container.get("resources").get(field));
    }
    let mut sidecars = Vec::new();
    let mut largest: Vec<(String, Quantity)> = Vec::new();
    for container in spec.get("initContainers").items() {
        let own = container.get("resources").get(field);
        let mut step = sidecars.clone();
        add_all(&mut step, own);
        if container.get("restartPolicy").as_str() == Some("Always") {
            add_all(&mut sum, own);
            sidecars.clone_from(&step);
        }
        raise(&mut largest, &step);
    }
    raise(&mut sum, &largest);
    podscope_api::sort::by(&mut sum, |a, b| a.0.cmp(&b.0));
    sum
}

fn raise(list: &mut Vec<(String, Quantity)>, other: &[(String, Quantity)]) {
    for (name, value) in other {
        match list.iter_mut().find(|(n, _)| n == name) {
            Some((_, own)) if *value > *own => *own = *value,
            Some(_) => {}
            None => list.push((name.clone(), *value)),
        }
    }
}

/// `spec.resources` of a Pod against its containers.
pub(super) fn pod_level(
    errors: &mut Errors,
    spec_path: &Path<'_>,
    spec: &Value,
    claim_names: &[&str],
) {
    let resources = spec.get("resources");
    if resources.is_null() {
        return;
    }
    let path = &spec_path.f("resources");
    if spec.at("os.name").as_str() == Some("windows") {
        return errors.forbidden(path, "may not be set for a windows pod");
    }
    if !resources.get("claims").is_null() {
        errors.forbidden(
            &path.f("claims"),
            "claims may not be set for Resources at pod-level",
        );
    }
    requirements(errors, path, resources, pod_resource_name, claim_names);
    for (field, what) in [("requests", "requests"), ("limits", "limits")] {
        for (name, total) in aggregate(spec, field) {
            if field == "limits" && !is_huge_page(&name) {
                continue;
            }
            if let Some(own) = Quantity::from_value(resources.get(field).get(&name))
                && total > own
            {
                errors.invalid_str(
                    &path.f(field).k(&name),
                    &own.to_string(),
                    &format!(
                        "must be greater than or equal to aggregate container {what} of {total}"
                    ),
                );
            }
        }
    }
    let containers = path.f("containers");
    for (i, container) in spec.get("containers").items().iter().enumerate() {
        for (name, value) in container.at("resources.limits").entries() {
            let (Some(limit), Some(pod)) = (
                Quantity::from_value(value),
                Quantity::from_value(resources.get("limits").get(name)),
            ) else {
                continue;
            };
            if limit > pod {
                errors.invalid_str(
                    &containers.i(i).k(name).f("limits"),
                    &limit.to_string(),
                    &format!("must be less than or equal to pod limits of {pod}"),
                );
            }
        }
    }
}
