//! Validation of Pods and Pod templates.
//!
//! Models: pkg/apis/core/validation ValidatePodSpec, ValidatePodCreate (v1.36)
//! Left out: `workloadRef`, `podCertificate` sources and exotic volumes' finer rules.

pub(crate) mod affinity;
mod container;
mod env;
mod probe;
pub(crate) mod resources;
mod security;
mod update;
mod volume;

use super::field::{Errors, Path};
use super::meta::{self, NameRule};
use super::names;
use podscope_api::Value;

pub(crate) use update::{ephemeral_containers, qos, resize, update};

/// Whether a Pod itself is checked or the template of a workload.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Of<'a> {
    /// A Pod of that name.
    Pod(&'a str),
    /// A template.
    Template,
}

pub(super) const NAME: NameRule = NameRule {
    check: names::subdomain,
    namespaced: true,
};

/// A new Pod.
pub(super) fn create(errors: &mut Errors, pod: &Value) {
    metadata_and_spec(errors, pod);
    let path = &Path::root("spec");
    let spec = pod.get("spec");
    if !spec.get("ephemeralContainers").is_empty() {
        errors.forbidden(&path.f("ephemeralContainers"), "cannot be set on create");
    }
    if !spec.get("nodeName").is_empty() && !spec.get("schedulingGates").is_empty() {
        errors.forbidden(
            &path.f("nodeName"),
            "cannot be set until all schedulingGates have been cleared",
        );
    }
    security::annotations_match(errors, path, pod.at("metadata.annotations"), spec);
}

fn metadata_and_spec(errors: &mut Errors, pod: &Value) {
    let metadata = pod.get("metadata");
    meta::create(errors, metadata, NAME);
    let annotations = metadata.get("annotations");
    let spec = pod.get("spec");
    let path = &Path::root("spec");
    security::annotations(
        errors,
        &Path::root("metadata.annotations"),
        annotations,
        spec,
    );
    let name = metadata.get("name").str_or_empty();
    pod_spec(errors, path, spec, Of::Pod(name));
    if spec.get("serviceAccountName").is_empty() {
        let volumes = path.f("volumes");
        for (i, volume) in spec.get("volumes").items().iter().enumerate() {
            for (j, source) in volume.at("projected.sources").items().iter().enumerate() {
                if !source.get("serviceAccountToken").is_null() {
                    errors.forbidden(
                        &volumes
                            .i(i)
                            .f("projected.sources")
                            .i(j)
                            .f("serviceAccountToken"),
                        "must not be specified when serviceAccountName is not set",
                    );
                }
            }
        }
    }
    for list in ["containers", "initContainers"] {
        let path = path.f(list);
        for (i, c) in spec.get(list).items().iter().enumerate() {
            container::image_trimmed(errors, &path.i(i), c);
        }
    }
}

/// A Pod template at `path`.
pub(super) fn template(errors: &mut Errors, path: &Path<'_>, template: &Value) {
    let metadata = template.get("metadata");
    let annotations = metadata.get("annotations");
    let spec = template.get("spec");
    // The server's paths leave out `metadata` here.
    names::labels(errors, &path.f("labels"), metadata.get("labels"));
    meta::annotations(errors, &path.f("annotations"), annotations);
    security::annotations(errors, &path.f("annotations"), annotations, spec);
    let spec_path = &path.f("spec");
    pod_spec(errors, spec_path, spec, Of::Template);
    security::annotations_match(errors, spec_path, annotations, spec);
    if !spec.get("ephemeralContainers").is_empty() {
        errors.forbidden(
            &spec_path.f("ephemeralContainers"),
            "ephemeral containers not allowed in pod template",
        );
    }
}

/// A Pod spec (after defaulting).
fn pod_spec(errors: &mut Errors, path: &Path<'_>, spec: &Value, of: Of<'_>) {
    let pod_name = match of {
        Of::Pod(name) => name,
        Of::Template => "",
    };
    let grace = spec.get("terminationGracePeriodSeconds").as_int();
    if grace.is_none() {
        errors.required(&path.f("terminationGracePeriodSeconds"), "");
    }
    let volumes = volume::volumes(errors, &path.f("volumes"), spec.get("volumes"), pod_name);
    let claims = resource_claims(
        errors,
        &path.f("resourceClaims"),
        spec.get("resourceClaims"),
    );
    let pod = container::Pod {
        spec,
        volumes: &volumes,
        claims: &claims,
        context: probe::Context {
            grace_seconds: grace,
            os: spec.at("os.name").str_or_empty(),
        },
        host_users: spec.get("hostUsers").as_bool() != Some(false),
    };
    container::containers(errors, &path.f("containers"), &pod);
    container::init_containers(errors, &path.f("initContainers"), &pod);
    container::ephemeral_containers(errors, &path.f("ephemeralContainers"), &pod);
    resources::pod_level(errors, path, spec, &claims);
    host_network_ports(errors, path, spec, of);
    errors.one_of(
        &path.f("restartPolicy"),
        spec.get("restartPolicy"),
        &["Always", "OnFailure", "Never"],
    );
    errors.one_of(
        &path.f("dnsPolicy"),
        spec.get("dnsPolicy"),
        &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"],
    );
    names::labels(errors, &path.f("nodeSelector"), spec.get("nodeSelector"));
    security::pod(errors, &path.f("securityContext"), spec);
    affinity::affinity(errors, &path.f("affinity"), spec.get("affinity"));
    dns_config(errors, &path.f("dnsConfig"), spec);
    let gates = path.f("readinessGates");
    for (i, gate) in spec.get("readinessGates").items().iter().enumerate() {
        names::check(
            errors,
            &gates.i(i).f("conditionType"),
            gate.get("conditionType"),
            names::qualified_name,
        );
    }
    scheduling_gates(
        errors,
        &path.f("schedulingGates"),
        spec.get("schedulingGates"),
    );
    affinity::spread(
        errors,
        &path.f("topologySpreadConstraints"),
        spec.get("topologySpreadConstraints"),
    );
    security::host_process(errors, path, spec);
    security::host_users(errors, path, spec);
    hostname_override(errors, path, spec);
    for (field, check) in [
        ("serviceAccountName", names::subdomain as names::Check),
        ("nodeName", names::subdomain),
    ] {
        optional(errors, path, spec, field, check);
    }
    if let Some(seconds) = spec.get("activeDeadlineSeconds").as_int()
        && !(1..=i64::from(i32::MAX)).contains(&seconds)
    {
        errors.invalid_int(
            &path.f("activeDeadlineSeconds"),
            seconds,
            "must be between 1 and 2147483647, inclusive",
        );
    }
    optional(errors, path, spec, "hostname", names::label);
    optional(errors, path, spec, "subdomain", names::label);
    affinity::tolerations(errors, &path.f("tolerations"), spec.get("tolerations"));
    host_aliases(errors, &path.f("hostAliases"), spec.get("hostAliases"));
    optional(errors, path, spec, "priorityClassName", names::subdomain);
    let runtime_class = spec.get("runtimeClassName");
    if !runtime_class.is_null() {
        names::check(
            errors,
            &path.f("runtimeClassName"),
            runtime_class,
            names::subdomain,
        );
    }
    let preemption = spec.get("preemptionPolicy");
    if !preemption.is_null() {
        errors.one_of(
            &path.f("preemptionPolicy"),
            preemption,
            &["PreemptLowerPriority", "Never"],
        );
    }
    if !spec.get("overhead").is_null() {
        let as_limits = podscope_api::value!({"limits": (spec.get("overhead").clone())});
        resources::requirements(
            errors,
            &path.f("overhead"),
            &as_limits,
            resources::container_resource_name,
            &[],
        );
    }
    security::os(errors, path, spec);
    file_key_volumes(errors, path, spec);
}

fn optional(errors: &mut Errors, path: &Path<'_>, spec: &Value, field: &str, check: names::Check) {
    let value = spec.get(field);
    if !value.is_empty() {
        names::check(errors, &path.f(field), value, check);
    }
}

fn resource_claims<'v>(errors: &mut Errors, path: &Path<'_>, list: &'v Value) -> Vec<&'v str> {
    let mut seen: Vec<&str> = Vec::new();
    for (i, claim) in list.items().iter().enumerate() {
        let path = &path.i(i);
        let name = claim.get("name").str_or_empty();
        if name.is_empty() {
            errors.required(&path.f("name"), "");
        } else if seen.contains(&name) {
            errors.duplicate(&path.f("name"), name);
        } else {
            names::check(errors, &path.f("name"), claim.get("name"), names::label);
            seen.push(name);
        }
        let fields = ["resourceClaimName", "resourceClaimTemplateName"];
        let complain = |errors: &mut Errors, what: &str| {
            let printed = crate::apiserver::go::internal_json("PodResourceClaim", claim);
            errors.invalid_text(path, &printed, what);
        };
        match fields.iter().filter(|f| !claim.get(f).is_null()).count() {
            0 => complain(
                errors,
                "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`",
            ),
            1 => {}
            _ => complain(
                errors,
                "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified",
            ),
        }
        for field in fields {
            if !claim.get(field).is_null() {
                names::check(errors, &path.f(field), claim.get(field), names::subdomain);
            }
        }
    }
    seen
}

fn host_network_ports(errors: &mut Errors, path: &Path<'_>, spec: &Value, of: Of<'_>) {
    if !spec.get("hostNetwork").is_true() {
        return;
    }
    let list = path.f("containers");
    for (i, container) in spec.get("containers").items().iter().enumerate() {
        let path = list.i(i);
        let path = path.f("ports");
        for (j, port) in container.get("ports").items().iter().enumerate() {
            let host = port.get("hostPort").as_int().unwrap_or(0);
            let own = port.get("containerPort").as_int().unwrap_or(0);
            // A template may leave it open: the Pod gets it by defaulting.
            if (host != 0 || of != Of::Template) && host != own {
                errors.invalid_int(
                    &path.i(j).f("hostPort"),
                    host,
                    "must match `containerPort` when `hostNetwork` is true",
                );
            }
        }
    }
}

fn dns_config(errors: &mut Errors, path: &Path<'_>, spec: &Value) {
    let config = spec.get("dnsConfig");
    let servers = config.get("nameservers");
    if spec.get("dnsPolicy").as_str() == Some("None") {
        if config.is_null() {
            return errors.required(path, "must provide `dnsConfig` when `dnsPolicy` is None");
        }
        if servers.is_empty() {
            return errors.required(
                &path.f("nameservers"),
                "must provide at least one DNS nameserver when `dnsPolicy` is None",
            );
        }
    }
    let servers_path = path.f("nameservers");
    if servers.items().len() > 3 {
        errors.invalid(
            &servers_path,
            servers,
            "must not have more than 3 nameservers",
        );
    }
    for (i, server) in servers.items().iter().enumerate() {
        names::ip(errors, &servers_path.i(i), server.str_or_empty());
    }
    let searches = config.get("searches");
    let searches_path = path.f("searches");
    if searches.items().len() > 32 {
        errors.invalid(
            &searches_path,
            searches,
            "must not have more than 32 search paths",
        );
    }
    let bytes: usize = searches
        .items()
        .iter()
        .map(|s| s.str_or_empty().len() + 1)
        .sum();
    if bytes > 2049 {
        errors.invalid(
            &searches_path,
            searches,
            "must not have more than 2048 characters (including spaces) in the search list",
        );
    }
    for (i, search) in searches.items().iter().enumerate() {
        let search = search.str_or_empty();
        if search != "." {
            let search = search.strip_suffix('.').unwrap_or(search);
            errors.invalid_each(
                &searches_path.i(i),
                search,
                names::underscore_subdomain(search),
            );
        }
    }
    let options = path.f("options");
    for (i, option) in config.get("options").items().iter().enumerate() {
        if option.get("name").is_empty() {
            errors.required(&options.i(i), "must not be empty");
        }
    }
}

fn scheduling_gates(errors: &mut Errors, path: &Path<'_>, list: &Value) {
    let mut seen: Vec<&str> = Vec::new();
    for (i, gate) in list.items().iter().enumerate() {
        let name = gate.get("name").str_or_empty();
        errors.invalid_each(&path.i(i), name, names::qualified_name(name));
        if seen.contains(&name) {
            errors.duplicate(&path.i(i), name);
        }
        seen.push(name);
    }
}

fn hostname_override(errors: &mut Errors, path: &Path<'_>, spec: &Value) {
    let Some(name) = spec.get("hostnameOverride").as_str() else {
        return;
    };
    let own = &path.f("hostnameOverride");
    if spec.get("setHostnameAsFQDN").is_true() {
        errors.forbidden(own, "may not be specified when setHostnameAsFQDN is true");
    }
    if spec.get("hostNetwork").is_true() {
        errors.forbidden(own, "may not be specified when hostNetwork is true");
    }
    if name.len() > 64 {
        errors.too_long(own, 64);
    }
    errors.invalid_each(own, name, names::subdomain(name));
}

fn host_aliases(errors: &mut Errors, path: &Path<'_>, list: &Value) {
    for (i, alias) in list.items().iter().enumerate() {
        let path = &path.i(i);
        let ip = alias.get("ip").str_or_empty();
        let zeros = ip.split('.').any(|p| p.len() > 1 && p.starts_with('0'));
        if zeros && names::parse_ip(ip).is_some() {
            errors.invalid_str(&path.f("ip"), ip, "must not have leading 0s");
        } else {
            names::ip(errors, &path.f("ip"), ip);
        }
        let hostnames = path.f("hostnames");
        for (j, name) in alias.get("hostnames").items().iter().enumerate() {
            names::check(errors, &hostnames.i(j), name, names::subdomain);
        }
    }
}

fn file_key_volumes(errors: &mut Errors, path: &Path<'_>, spec: &Value) {
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for (i, container) in spec.get(list).items().iter().enumerate() {
            for (j, var) in container.get("env").items().iter().enumerate() {
                let source = var.at("valueFrom.fileKeyRef");
                if source.is_null() {
                    continue;
                }
                let name = source.get("volumeName").str_or_empty();
                let volumes = spec.get("volumes").items();
                let found = volumes
                    .iter()
                    .find(|v| v.get("name").str_or_empty() == name);
                let list = path.f(list);
                let item = list.i(i);
                let env = item.f("env");
                let var = env.i(j);
                let path = &var.f("valueFrom.fileKeyRef.volumeName");
                match found {
                    None => errors.not_found(path, name, ""),
                    Some(v) if v.get("emptyDir").is_null() => {
                        errors.invalid_str(path, name, "referenced volume must be of type emptyDir")
                    }
                    Some(_) => {}
                }
            }
        }
    }
}
