//! Validation of kinds outside the core group that are small: PodDisruptionBudget, PriorityClass,
//! Ingress, NetworkPolicy, RBAC, Lease, EndpointSlice, RuntimeClass, admission registration.
//!
//! Models: pkg/apis/{policy,scheduling,networking,rbac,coordination,discovery,node,admissionregistration}/validation (v1.36)
//! Left out: rules for fields that the simulation never reads.

use super::field::{Errors, Path};
use super::meta;
use super::names;
use crate::apiserver::go;
use podscope_api::Value;

/// `spec` of a PodDisruptionBudget.
#[inline(never)]
pub(super) fn disruption_budget(errors: &mut Errors, budget: &Value) {
    let path = &Path::root("spec");
    let spec = budget.get("spec");
    let fields = ["minAvailable", "maxUnavailable"];
    if fields.iter().all(|f| !spec.get(f).is_null()) {
        errors.invalid_text(
            path,
            &go::internal_json("PodDisruptionBudgetSpec", spec),
            "minAvailable and maxUnavailable cannot be both set",
        );
    }
    for field in fields {
        let value = spec.get(field);
        if !value.is_null() {
            names::int_or_percent(errors, &path.f(field), value);
            names::at_most_hundred_percent(errors, &path.f(field), value);
        }
    }
    meta::selector(errors, &path.f("selector"), spec.get("selector"));
    errors.optional_one_of(
        &path.f("unhealthyPodEvictionPolicy"),
        spec.get("unhealthyPodEvictionPolicy"),
        &["AlwaysAllow", "IfHealthyBudget"],
    );
}

/// A new PriorityClass.
#[inline(never)]
pub(super) fn priority_class(errors: &mut Errors, class: &Value) {
    let name = class.at("metadata.name").str_or_empty();
    let value = class.get("value").as_int().unwrap_or(0);
    let system = match name {
        "system-cluster-critical" => Some(2_000_000_000),
        "system-node-critical" => Some(2_000_001_000),
        _ => None,
    };
    if name.starts_with("system-") && system != Some(value) {
        errors.forbidden(
            &Path::root("metadata").f("name"),
            "priority class names with 'system-' prefix are reserved for system use only",
        );
    } else if value > 1_000_000_000 && system.is_none() {
        errors.forbidden(
            &Path::root("value"),
            "maximum allowed value of a user defined priority is 1000000000",
        );
    }
    let policy = class.get("preemptionPolicy");
    if !policy.is_null() {
        errors.one_of(
            &Path::root("preemptionPolicy"),
            policy,
            &["PreemptLowerPriority", "Never"],
        );
    }
}

/// A changed PriorityClass: value and policy stay.
pub(super) fn priority_class_update(errors: &mut Errors, new: &Value, old: &Value) {
    if new.get("value").as_int().unwrap_or(0) != old.get("value").as_int().unwrap_or(0) {
        errors.forbidden(&Path::root("value"), "may not be changed in an update.");
    }
    meta::immutable(
        errors,
        &Path::root("preemptionPolicy"),
        new.get("preemptionPolicy"),
        old.get("preemptionPolicy"),
    );
}

/// `spec` of an Ingress.
#[inline(never)]
pub(super) fn ingress(errors: &mut Errors, ingress: &Value) {
    let path = &Path::root("spec");
    let spec = ingress.get("spec");
    let default = spec.get("defaultBackend");
    if spec.get("rules").is_empty() && default.is_null() {
        errors.invalid_text(
            path,
            "[]",
            "either `defaultBackend` or `rules` must be specified",
        );
    }
    if !default.is_null() {
        ingress_backend(errors, &path.f("defaultBackend"), default);
    }
    let class = spec.get("ingressClassName");
    if !class.is_null() {
        names::check(errors, &path.f("ingressClassName"), class, names::subdomain);
    }
    let rules = path.f("rules");
    for (i, rule) in spec.get("rules").items().iter().enumerate() {
        let path = &rules.i(i);
        let host = rule.get("host").str_or_empty();
        if !host.is_empty() {
            let host_path = &path.f("host");
            if names::parse_ip(host).is_some() {
                errors.invalid_str(host_path, host, "must be a DNS name, not an IP address");
            }
            let plain = host.strip_prefix("*.").unwrap_or(host);
            errors.invalid_each(host_path, host, names::subdomain(plain));
        }
        let http = rule.get("http");
        if http.is_null() {
            continue;
        }
        let list = path.f("http.paths");
        if http.get("paths").is_empty() {
            errors.required(&list, "");
        }
        for (j, entry) in http.get("paths").items().iter().enumerate() {
            let path = &list.i(j);
            let url = entry.get("path").str_or_empty();
            match entry.get("pathType").as_str() {
                None => errors.required(&path.f("pathType"), "pathType must be specified"),
                Some("Exact" | "Prefix") if !url.starts_with('/') => {
                    errors.invalid_str(&path.f("path"), url, "must be an absolute path");
                }
                Some("Exact" | "Prefix" | "ImplementationSpecific") => {}
                Some(other) => errors.not_supported(
                    &path.f("pathType"),
                    other,
                    &["Exact", "ImplementationSpecific", "Prefix"],
                ),
            }
            ingress_backend(errors, &path.f("backend"), entry.get("backend"));
        }
    }
}

fn ingress_backend(errors: &mut Errors, path: &Path<'_>, backend: &Value) {
    let service = backend.get("service");
    match (service.is_null(), backend.get("resource").is_null()) {
        (false, false) => {
            errors.invalid_str(path, "", "cannot set both resource and service backends")
        }
        (true, true) => errors.required(path, ""),
        (false, true) => {
            let path = &path.f("service");
            if service.get("name").is_empty() {
                errors.required(&path.f("name"), "");
            } else {
                names::check(errors, &path.f("name"), service.get("name"), names::label);
            }
            let port = service.get("port");
            let (name, number) = (port.get("name"), port.get("number"));
            let path = &path.f("port");
            if name.is_empty() && number.is_empty() {
                errors.required(path, "port name or number is required");
            } else if !name.is_empty() && !number.is_empty() {
                errors.invalid_str(path, "", "cannot set both port name & port number");
            } else if !name.is_empty() {
                names::check(errors, &path.f("name"), name, names::port_name);
            } else {
                names::port_number(errors, &path.f("number"), number.as_int().unwrap_or(0));
            }
        }
        _ => {}
    }
}

/// `spec` of a NetworkPolicy.
#[inline(never)]
pub(super) fn network_policy(errors: &mut Errors, policy: &Value) {
    let path = &Path::root("spec");
    let spec = policy.get("spec");
    meta::selector(errors, &path.f("podSelector"), spec.get("podSelector"));
    for (field, peers) in [("ingress", "from"), ("egress", "to")] {
        let list = path.f(field);
        for (i, rule) in spec.get(field).items().iter().enumerate() {
            let path = &list.i(i);
            let ports = path.f("ports");
            for (j, port) in rule.get("ports").items().iter().enumerate() {
                let path = &ports.i(j);
                let number = port.get("port");
                errors.optional_one_of(
                    &path.f("protocol"),
                    port.get("protocol"),
                    &["SCTP", "TCP", "UDP"],
                );
                if !number.is_null() {
                    names::port_number_or_name(errors, &path.f("port"), number);
                }
            }
            let list = path.f(peers);
            for (j, peer) in rule.get(peers).items().iter().enumerate() {
                network_peer(errors, &list.i(j), peer);
            }
        }
    }
    let types = path.f("policyTypes");
    for (i, kind) in spec.get("policyTypes").items().iter().enumerate() {
        let kind = kind.str_or_empty();
        if !["Egress", "Ingress"].contains(&kind) {
            errors.not_supported(&types.i(i), kind, &["Egress", "Ingress"]);
        }
    }
}

fn network_peer(errors: &mut Errors, path: &Path<'_>, peer: &Value) {
    let mut sources = 0;
    for field in ["podSelector", "namespaceSelector"] {
        if !peer.get(field).is_null() {
            sources += 1;
            meta::selector(errors, &path.f(field), peer.get(field));
        }
    }
    let block = peer.get("ipBlock");
    if !block.is_null() {
        if sources > 0 {
            errors.forbidden(path, "may not specify both ipBlock and another peer");
        }
        sources += 1;
        names::cidr(
            errors,
            &path.f("ipBlock.cidr"),
            block.get("cidr").str_or_empty(),
        );
    }
    if sources == 0 {
        errors.required(path, "must specify a peer");
    }
}

/// A Role or ClusterRole.
#[inline(never)]
pub(super) fn role(errors: &mut Errors, role: &Value, namespaced: bool) {
    let list = Path::root("rules");
    for (i, rule) in role.get("rules").items().iter().enumerate() {
        let path = &list.i(i);
        if rule.get("verbs").is_empty() {
            errors.required(&path.f("verbs"), "verbs must contain at least one value");
        }
        let urls = rule.get("nonResourceURLs");
        if !urls.is_empty() {
            if namespaced {
                errors.invalid(
                    &path.f("nonResourceURLs"),
                    urls,
                    "namespaced rules cannot apply to non-resource URLs",
                );
            }
            if ["apiGroups", "resources", "resourceNames"]
                .iter()
                .any(|f| !rule.get(f).is_empty())
            {
                errors.invalid(
                    &path.f("nonResourceURLs"),
                    urls,
                    "rules cannot apply to both regular resources and non-resource URLs",
                );
            }
            continue;
        }
        if rule.get("apiGroups").is_empty() {
            errors.required(
                &path.f("apiGroups"),
                "resource rules must supply at least one api group",
            );
        }
        if rule.get("resources").is_empty() {
            errors.required(
                &path.f("resources"),
                "resource rules must supply at least one resource",
            );
        }
    }
}

/// A RoleBinding or ClusterRoleBinding.
#[inline(never)]
pub(super) fn role_binding(errors: &mut Errors, binding: &Value, namespaced: bool) {
    let reference = binding.get("roleRef");
    let path = &Path::root("roleRef");
    let group = reference.get("apiGroup").str_or_empty();
    if group != "rbac.authorization.k8s.io" {
        errors.not_supported(&path.f("apiGroup"), group, &["rbac.authorization.k8s.io"]);
    }
    let kind = reference.get("kind").str_or_empty();
    let kinds: &[&str] = if namespaced {
        &["Role", "ClusterRole"]
    } else {
        &["ClusterRole"]
    };
    if !kinds.contains(&kind) {
        errors.not_supported(&path.f("kind"), kind, kinds);
    }
    let name = reference.get("name").str_or_empty();
    if name.is_empty() {
        errors.required(&path.f("name"), "");
    } else {
        errors.invalid_each(&path.f("name"), name, meta::path_segment(name));
    }
    let list = Path::root("subjects");
    for (i, subject) in binding.get("subjects").items().iter().enumerate() {
        let path = &list.i(i);
        if subject.get("name").is_empty() {
            errors.required(&path.f("name"), "");
        }
        let group = subject.get("apiGroup").str_or_empty();
        match subject.get("kind").str_or_empty() {
            "ServiceAccount" => {
                let name = subject.get("name");
                if !name.is_empty() {
                    names::check(errors, &path.f("name"), name, names::subdomain);
                }
                if !group.is_empty() {
                    errors.not_supported(&path.f("apiGroup"), group, &[""]);
                }
                if subject.get("namespace").is_empty() {
                    errors.required(&path.f("namespace"), "");
                }
            }
            "User" | "Group" => {
                if group != "rbac.authorization.k8s.io" {
                    errors.not_supported(
                        &path.f("apiGroup"),
                        group,
                        &["rbac.authorization.k8s.io"],
                    );
                }
            }
            other => {
                errors.not_supported(&path.f("kind"), other, &["Group", "ServiceAccount", "User"])
            }
        }
    }
}

/// A changed binding: the role stays.
pub(super) fn role_ref_kept(errors: &mut Errors, new: &Value, old: &Value) {
    if new.get("roleRef") != old.get("roleRef") {
        errors.invalid_text(
            &Path::root("roleRef"),
            &go::internal_json("RoleRef", new.get("roleRef")),
            "cannot change roleRef",
        );
    }
}

/// `spec` of a Lease.
#[inline(never)]
pub(super) fn lease(errors: &mut Errors, lease: &Value) {
    let path = &Path::root("spec");
    let spec = lease.get("spec");
    if let Some(seconds) = spec.get("leaseDurationSeconds").as_int()
        && seconds <= 0
    {
        errors.invalid_int(
            &path.f("leaseDurationSeconds"),
            seconds,
            "must be greater than 0",
        );
    }
    if let Some(transitions) = spec.get("leaseTransitions").as_int()
        && transitions < 0
    {
        errors.invalid_int(
            &path.f("leaseTransitions"),
            transitions,
            "must be greater than or equal to 0",
        );
    }
}

/// An EndpointSlice.
#[inline(never)]
pub(super) fn endpoint_slice(errors: &mut Errors, slice: &Value) {
    let family = slice.get("addressType").str_or_empty();
    let types = &["FQDN", "IPv4", "IPv6"];
    if family.is_empty() {
        errors.required(&Path::root("addressType"), "");
    } else if !types.contains(&family) {
        errors.not_supported(&Path::root("addressType"), family, types);
    }
    let list = Path::root("endpoints");
    for (i, endpoint) in slice.get("endpoints").items().iter().enumerate() {
        let path = list.i(i);
        let path = &path.f("addresses");
        let addresses = endpoint.get("addresses").items();
        if addresses.is_empty() {
            errors.required(path, "must contain at least 1 address");
        }
        for (j, address) in addresses.iter().enumerate() {
            if family != "FQDN" {
                names::ip(errors, &path.i(j), address.str_or_empty());
            }
        }
    }
    let list = Path::root("ports");
    for (i, port) in slice.get("ports").items().iter().enumerate() {
        errors.one_of(
            &list.i(i).f("protocol"),
            port.get("protocol"),
            &["SCTP", "TCP", "UDP"],
        );
    }
}

/// A RuntimeClass.
pub(super) fn runtime_class(errors: &mut Errors, class: &Value) {
    names::check(
        errors,
        &Path::root("handler"),
        class.get("handler"),
        names::label,
    );
}
