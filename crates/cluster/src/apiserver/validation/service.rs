//! Validation of Services.
//!
//! Models: pkg/apis/core/validation validateService, ValidateServiceUpdate (v1.36)
//! Left out: Services of two address families are checked for form but the cluster serves IPv4 only.

use super::field::{Errors, Path};
use super::names;
use podscope_api::Value;
use podscope_api::status::quote;

const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];

fn headless(spec: &Value) -> bool {
    let ips = spec.get("clusterIPs").items();
    ips.len() == 1 && ips.first().and_then(Value::as_str) == Some("None")
}

fn kind(spec: &Value) -> &str {
    spec.get("type").str_or_empty()
}

/// True when traffic from outside the cluster is let in.
pub(crate) fn externally_accessible(spec: &Value) -> bool {
    match kind(spec) {
        "LoadBalancer" | "NodePort" => true,
        "ClusterIP" => !spec.get("externalIPs").is_empty(),
        _ => false,
    }
}

/// True when a health check port is needed.
pub(crate) fn needs_health_check(spec: &Value) -> bool {
    kind(spec) == "LoadBalancer" && spec.get("externalTrafficPolicy").as_str() == Some("Local")
}

/// A new or changed Service.
#[inline(never)]
pub(super) fn service(errors: &mut Errors, service: &Value, old: Option<&Value>) {
    let annotations = service.at("metadata.annotations");
    let annotations_path = &Path::root("metadata.annotations");
    let (mode, hints) = (
        "service.kubernetes.io/topology-mode",
        "service.kubernetes.io/topology-aware-hints",
    );
    if let (Some(mode_value), Some(hints_value)) = (
        annotations.get(mode).as_str(),
        annotations.get(hints).as_str(),
    ) && mode_value != hints_value
    {
        errors.invalid_str(
            &annotations_path.k(mode),
            mode_value,
            &format!("must match annotations[{hints}] when both are specified"),
        );
    }
    let path = &Path::root("spec");
    let spec = service.get("spec");
    let is_headless = headless(spec);
    let ports = spec.get("ports").items();
    if ports.is_empty() && !is_headless && kind(spec) != "ExternalName" {
        errors.required(&path.f("ports"), "");
    }
    match kind(spec) {
        "LoadBalancer" | "NodePort" if is_headless => errors.invalid_str(
            &path.f("clusterIPs").i(0),
            "None",
            &format!("may not be set to 'None' for {} services", kind(spec)),
        ),
        "ExternalName" => external_name(errors, path, spec),
        _ => {}
    }
    let list = path.f("ports");
    let mut seen: Vec<&str> = Vec::new();
    for (i, port) in ports.iter().enumerate() {
        service_port(errors, &list.i(i), port, ports.len() > 1, &mut seen);
    }
    names::labels(errors, &path.f("selector"), spec.get("selector"));
    session_affinity(errors, path, spec);
    cluster_ips(errors, path, spec, old);
    external_ips(errors, &path.f("externalIPs"), spec.get("externalIPs"));
    errors.one_of(
        &path.f("type"),
        spec.get("type"),
        &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"],
    );
    port_conflicts(errors, path, spec);
    source_ranges(errors, path, spec, annotations);
    let load_balancer = kind(spec) == "LoadBalancer";
    let only = "may only be used when `type` is 'LoadBalancer'";
    let allocate = spec.get("allocateLoadBalancerNodePorts");
    if !allocate.is_null() && !load_balancer {
        errors.forbidden(&path.f("allocateLoadBalancerNodePorts"), only);
    }
    if allocate.is_null() && load_balancer {
        errors.required(&Path::root("allocateLoadBalancerNodePorts"), "");
    }
    load_balancer_class(errors, path, spec);
    traffic_policies(errors, path, spec);
}

fn external_name(errors: &mut Errors, path: &Path<'_>, spec: &Value) {
    for (field, empty) in [
        ("clusterIPs", spec.get("clusterIPs").is_empty()),
        ("ipFamilies", spec.get("ipFamilies").is_empty()),
        ("ipFamilyPolicy", spec.get("ipFamilyPolicy").is_null()),
    ] {
        if !empty {
            errors.forbidden(&path.f(field), "may not be set for ExternalName services");
        }
    }
    let name = spec.get("externalName").str_or_empty();
    let name = name.strip_suffix('.').unwrap_or(name);
    let path = &path.f("externalName");
    if name.is_empty() {
        errors.required(path, "");
    } else {
        errors.invalid_each(path, name, names::subdomain(name));
    }
}

fn service_port<'v>(
    errors: &mut Errors,
    path: &Path<'_>,
    port: &'v Value,
    name_required: bool,
    seen: &mut Vec<&'v str>,
) {
    let name = port.get("name").str_or_empty();
    if name.is_empty() {
        if name_required {
            errors.required(&path.f("name"), "");
        }
    } else {
        names::check(errors, &path.f("name"), port.get("name"), names::label);
        if seen.contains(&name) {
            errors.duplicate(&path.f("name"), name);
        }
        seen.push(name);
    }
    names::port_number(
        errors,
        &path.f("port"),
        port.get("port").as_int().unwrap_or(0),
    );
    errors.one_of(&path.f("protocol"), port.get("protocol"), PROTOCOLS);
    names::port_number_or_name(errors, &path.f("targetPort"), port.get("targetPort"));
    let app = port.get("appProtocol");
    if !app.is_null() {
        names::check(errors, &path.f("appProtocol"), app, names::qualified_name);
    }
}

fn session_affinity(errors: &mut Errors, path: &Path<'_>, spec: &Value) {
    errors.one_of(
        &path.f("sessionAffinity"),
        spec.get("sessionAffinity"),
        &["ClientIP", "None"],
    );
    let config = spec.get("sessionAffinityConfig");
    let path = &path.f("sessionAffinityConfig");
    match spec.get("sessionAffinity").str_or_empty() {
        "ClientIP" => {
            let required = "when session affinity type is ClientIP";
            let client = config.get("clientIP");
            let timeout = client.get("timeoutSeconds");
            let seconds_path = &path.f("clientIP.timeoutSeconds");
            if config.is_null() {
                errors.required(path, required);
            } else if client.is_null() {
                errors.required(&path.f("clientIP"), required);
            } else if let Some(seconds) = timeout.as_int() {
                if !(1..=86_400).contains(&seconds) {
                    errors.invalid_int(
                        seconds_path,
                        seconds,
                        "must be greater than 0 and less than 86400",
                    );
                }
            } else {
                errors.required(seconds_path, required);
            }
        }
        "None" if !config.is_null() => {
            errors.forbidden(path, "must not be set when session affinity is None");
        }
        _ => {}
    }
}

/// What is wrong with the addresses and address families that a client asks for.
pub(crate) fn related_fields(spec: &Value) -> Vec<podscope_api::Cause> {
    let mut errors = Errors::default();
    cluster_ips(&mut errors, &Path::root("spec"), spec, None);
    errors.0
}

fn cluster_ips(errors: &mut Errors, path: &Path<'_>, spec: &Value, old: Option<&Value>) {
    if kind(spec) == "ExternalName" {
        return;
    }
    let (ip, ips) = (spec.get("clusterIP"), spec.get("clusterIPs"));
    let list = &path.f("clusterIPs");
    if ip.is_empty() {
        if !ips.is_empty() {
            errors.invalid(list, ips, "must be empty when `clusterIP` is not specified");
        }
    } else if ips.is_empty() {
        errors.required(list, "");
    } else if ips.index(0) != ip {
        errors.invalid(list, ips, "first value must match `clusterIP`");
    }
    let families = spec.get("ipFamilies").items();
    let families_path = path.f("ipFamilies");
    for (i, family) in families.iter().enumerate() {
        let text = family.str_or_empty();
        if !["IPv4", "IPv6"].contains(&text) {
            errors.not_supported(&families_path.i(i), text, &["IPv4", "IPv6"]);
        }
        if families.iter().take(i).any(|f| f == family) {
            errors.duplicate(&families_path.i(i), text);
        }
    }
    errors.optional_one_of(
        &path.f("ipFamilyPolicy"),
        spec.get("ipFamilyPolicy"),
        &["PreferDualStack", "RequireDualStack", "SingleStack"],
    );
    let known = old.map_or(&[][..], |o| o.at("spec.clusterIPs").items());
    let before = errors.0.len();
    for (i, address) in ips.items().iter().enumerate() {
        let text = address.str_or_empty();
        if i == 0 && text == "None" {
            if ips.items().len() > 1 {
                errors.invalid(list, ips, "'None' must be the first and only value");
            }
        } else if !known.contains(address) {
            names::ip(errors, &list.i(i), text);
        }
    }
    let invalid = errors.0.len() > before;
    if ips.items().len() > 2 {
        errors.invalid(list, ips, "may only hold up to 2 values");
    }
    if invalid {
        return;
    }
    let six = |v: &Value| names::parse_ip(v.str_or_empty()).is_some_and(|ip| ip.is_ipv6());
    if ips.items().len() > 1 && six(ips.index(0)) == six(ips.index(1)) {
        errors.invalid(
            list,
            ips,
            "may specify no more than one IP for each IP family",
        );
    }
    if headless(spec) {
        return;
    }
    for (i, (address, family)) in ips.items().iter().zip(families).enumerate() {
        let wrong = match family.str_or_empty() {
            "IPv4" => six(address),
            "IPv6" => !six(address),
            _ => false,
        };
        if wrong {
            let detail = format!(
                "expected an {} value as indicated by `ipFamilies[{i}]`",
                family.str_or_empty()
            );
            errors.invalid(&list.i(i), address, &detail);
        }
    }
}

fn external_ips(errors: &mut Errors, path: &Path<'_>, list: &Value) {
    for (i, ip) in list.items().iter().enumerate() {
        let path = &path.i(i);
        let text = ip.str_or_empty();
        names::ip(errors, path, text);
        let Some(ip) = names::parse_ip(text) else {
            continue;
        };
        let (link_local, multicast) = match ip {
            std::net::IpAddr::V4(v4) => {
                let [a, b, c, _] = v4.octets();
                (v4.is_link_local(), a == 224 && b == 0 && c == 0)
            }
            std::net::IpAddr::V6(v6) => {
                let first = v6.segments()[0];
                (first & 0xffc0 == 0xfe80, first & 0xff0f == 0xff02)
            }
        };
        if ip.is_unspecified() {
            errors.invalid_str(path, text, &format!("may not be unspecified ({text})"));
        }
        if ip.is_loopback() {
            errors.invalid_str(
                path,
                text,
                "may not be in the loopback range (127.0.0.0/8, ::1/128)",
            );
        }
        if link_local {
            errors.invalid_str(
                path,
                text,
                "may not be in the link-local range (169.254.0.0/16, fe80::/10)",
            );
        }
        if multicast {
            errors.invalid_str(
                path,
                text,
                "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)",
            );
        }
    }
}

fn port_conflicts(errors: &mut Errors, path: &Path<'_>, spec: &Value) {
    let ports = spec.get("ports").items();
    let list = path.f("ports");
    if kind(spec) == "ClusterIP" {
        for (i, port) in ports.iter().enumerate() {
            if !port.get("nodePort").is_empty() {
                errors.forbidden(
                    &list.i(i).f("nodePort"),
                    "may not be used when `type` is 'ClusterIP'",
                );
            }
        }
    }
    let earlier = |i: usize, field: &str| {
        let own = |p: &Value| {
            (
                p.get("protocol").clone(),
                p.get(field).as_int().unwrap_or(0),
            )
        };
        ports
            .get(i)
            .is_some_and(|p| ports.iter().take(i).any(|q| own(q) == own(p)))
    };
    for (i, port) in ports.iter().enumerate() {
        if !port.get("nodePort").is_empty() && earlier(i, "nodePort") {
            errors.duplicate_text(
                &list.i(i).f("nodePort"),
                &port.get("nodePort").as_int().unwrap_or(0).to_string(),
            );
        }
    }
    for (i, port) in ports.iter().enumerate() {
        if earlier(i, "port") {
            errors.duplicate_text(
                &list.i(i),
                &format!(
                    "{{\"Name\":\"\",\"Protocol\":{},\"AppProtocol\":null,\"Port\":{},\"TargetPort\":0,\"NodePort\":0}}",
                    quote(port.get("protocol").str_or_empty()),
                    port.get("port").as_int().unwrap_or(0)
                ),
            );
        }
    }
}

fn source_ranges(errors: &mut Errors, path: &Path<'_>, spec: &Value, annotations: &Value) {
    let only = "may only be used when `type` is 'LoadBalancer'";
    let ranges = spec.get("loadBalancerSourceRanges");
    if !ranges.is_empty() {
        let path = &path.f("LoadBalancerSourceRanges");
        if kind(spec) != "LoadBalancer" {
            errors.forbidden(path, only);
        }
        for (i, range) in ranges.items().iter().enumerate() {
            names::cidr(errors, &path.i(i), range.str_or_empty().trim());
        }
        return;
    }
    let key = "service.beta.kubernetes.io/load-balancer-source-ranges";
    if let Some(value) = annotations.get(key).as_str() {
        let root = Path::root("metadata.annotations");
        let path = &root.k(key);
        if kind(spec) != "LoadBalancer" {
            errors.forbidden(path, only);
        }
        for range in value
            .split(',')
            .map(str::trim)
            .filter(|_| !value.trim().is_empty())
        {
            names::cidr(errors, path, range);
        }
    }
}

fn load_balancer_class(errors: &mut Errors, path: &Path<'_>, spec: &Value) {
    let class = spec.get("loadBalancerClass");
    if class.is_null() {
        return;
    }
    let path = &path.f("loadBalancerClass");
    if kind(spec) == "LoadBalancer" {
        names::check(errors, path, class, names::qualified_name);
    } else {
        errors.forbidden(path, "may only be used when `type` is 'LoadBalancer'");
    }
}

fn traffic_policies(errors: &mut Errors, path: &Path<'_>, spec: &Value) {
    let policies = &["Cluster", "Local"];
    let external = spec.get("externalTrafficPolicy");
    let external_path = &path.f("externalTrafficPolicy");
    if externally_accessible(spec) {
        errors.one_of(external_path, external, policies);
    } else if !external.is_empty() {
        errors.invalid(
            external_path,
            external,
            "may only be set for externally-accessible services",
        );
    }
    let health = spec.get("healthCheckNodePort").as_int().unwrap_or(0);
    let health_path = &path.f("healthCheckNodePort");
    if needs_health_check(spec) {
        if health == 0 {
            errors.required(health_path, "");
        } else {
            names::port_number(errors, health_path, health);
        }
    } else if health != 0 {
        errors.invalid_int(
            health_path,
            health,
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
        );
    }
    let internal = spec.get("internalTrafficPolicy");
    let internal_path = &path.f("internalTrafficPolicy");
    if internal.is_null() && ["NodePort", "LoadBalancer", "ClusterIP"].contains(&kind(spec)) {
        errors.required(internal_path, "");
    }
    errors.optional_one_of(internal_path, internal, policies);
    errors.optional_one_of(
        &path.f("trafficDistribution"),
        spec.get("trafficDistribution"),
        &["PreferClose", "PreferSameZone", "PreferSameNode"],
    );
}

/// A changed Service.
pub(super) fn update(errors: &mut Errors, new: &Value, old: &Value) {
    let path = &Path::root("spec");
    let (spec, was) = (new.get("spec"), old.get("spec"));
    if kind(spec) != "ExternalName" && kind(was) != "ExternalName" {
        cluster_ips_kept(errors, path, spec, was);
        families_kept(errors, path, spec, was);
    }
    let class = spec.get("loadBalancerClass");
    if kind(spec) == "LoadBalancer"
        && kind(was) == "LoadBalancer"
        && class != was.get("loadBalancerClass")
    {
        errors.invalid(
            &path.f("loadBalancerClass"),
            class,
            "may not change once set",
        );
    }
    // The server checks the class twice on updates.
    load_balancer_class(errors, path, spec);
    if needs_health_check(was)
        && needs_health_check(spec)
        && spec.get("healthCheckNodePort") != was.get("healthCheckNodePort")
    {
        errors.forbidden(&path.f("healthCheckNodePort"), "field is immutable");
    }
    service(errors, new, Some(old));
}

fn cluster_ips_kept(errors: &mut Errors, path: &Path<'_>, spec: &Value, was: &Value) {
    if headless(spec) && headless(was) {
        return;
    }
    let (ips, old) = (spec.get("clusterIPs"), was.get("clusterIPs"));
    let path_ips = path.f("clusterIPs");
    let printed = if ips.is_empty() { &Value::Null } else { ips };
    let once_set = "may not change once set";
    let (n, m) = (ips.items().len(), old.items().len());
    if n == m {
        for (i, (a, b)) in old.items().iter().zip(ips.items()).enumerate() {
            if a != b {
                errors.invalid(&path_ips.i(i), printed, once_set);
            }
        }
        return;
    }
    if n == 0 {
        errors.invalid(
            &path_ips.i(0),
            printed,
            "primary clusterIP can not be unset",
        );
    } else if m > 0 && ips.index(0) != old.index(0) {
        errors.invalid(&path_ips.i(0), printed, once_set);
    }
    if m > n && n == 1 && spec.get("ipFamilyPolicy").as_str() != Some("SingleStack") {
        errors.invalid(
            &path.f("ipFamilyPolicy"),
            spec.get("ipFamilyPolicy"),
            "must be set to 'SingleStack' when releasing the secondary clusterIP",
        );
    }
}

fn families_kept(errors: &mut Errors, path: &Path<'_>, spec: &Value, was: &Value) {
    if headless(spec) || headless(was) {
        return;
    }
    let (families, old) = (spec.get("ipFamilies"), was.get("ipFamilies"));
    let path_families = path.f("ipFamilies");
    let (n, m) = (families.items().len(), old.items().len());
    if n > 0 && m > 0 && families.index(0) != old.index(0) {
        errors.invalid(&path_families.i(0), families, "may not change once set");
    }
    if m > n && n == 1 && spec.get("ipFamilyPolicy").as_str() != Some("SingleStack") {
        errors.invalid(
            &path.f("ipFamilyPolicy"),
            spec.get("ipFamilyPolicy"),
            "must be set to 'SingleStack' when releasing the secondary ipFamily",
        );
    }
}

/// `status` of a Service changed.
#[inline(never)]
pub(super) fn status(errors: &mut Errors, new: &Value) {
    let path = &Path::root("status").f("loadBalancer.ingress").to_string();
    let path = &Path::root(path);
    let ingress = new.at("status.loadBalancer.ingress").items();
    if kind(new.get("spec")) != "LoadBalancer" {
        if !ingress.is_empty() {
            errors.forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'");
        }
        return;
    }
    for (i, entry) in ingress.iter().enumerate() {
        let path = &path.i(i);
        let ip = entry.get("ip").str_or_empty();
        if !ip.is_empty() {
            names::ip(errors, &path.f("ip"), ip);
        }
        let mode = entry.get("ipMode");
        if mode.is_null() && !ip.is_empty() {
            errors.required(&path.f("ipMode"), "must be specified when `ip` is set");
        } else if !mode.is_null() && ip.is_empty() {
            errors.forbidden(
                &path.f("ipMode"),
                "may not be specified when `ip` is not set",
            );
        } else {
            errors.optional_one_of(&path.f("ipMode"), mode, &["Proxy", "VIP"]);
        }
        let host = entry.get("hostname").str_or_empty();
        if !host.is_empty() {
            errors.invalid_each(&path.f("hostname"), host, names::subdomain(host));
            if names::parse_ip(host).is_some() {
                errors.invalid_str(
                    &path.f("hostname"),
                    host,
                    "must be a DNS name, not an IP address",
                );
            }
        }
    }
}
