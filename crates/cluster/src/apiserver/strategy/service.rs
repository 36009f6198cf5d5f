//! Services: cluster IPs, address families and node ports.
//!
//! Models: pkg/registry/core/service/storage (v1.36)

use super::super::defaulting::each;
use super::super::validation::service::{needs_health_check, related_fields};
use podscope_api::status::quote;
use podscope_api::{Cause, Kind, Status, Value, value};

/// Hands out cluster IPs and node ports.
pub trait Allocator {
    /// A cluster IP: the wanted one, or any when `wanted` is empty.
    ///
    /// # Errors
    /// Why it cannot be had, such as `provided IP is already allocated`.
    fn cluster_ip(&mut self, wanted: &str) -> Result<String, String>;
    /// A node port for a protocol: the wanted one, or any when `wanted` is 0.
    ///
    /// # Errors
    /// Why it cannot be had.
    fn node_port(&mut self, wanted: i64, protocol: &str) -> Result<i64, String>;
}

fn kind(spec: &Value) -> &str {
    spec.get("type").str_or_empty()
}

/// Keeps `clusterIP` and the first of `clusterIPs` equal.
#[inline(never)]
pub(super) fn normalize_cluster_ips(service: &mut Value, old: Option<&Value>) {
    let spec = service.get("spec");
    let (ip, ips) = (
        spec.get("clusterIP").clone(),
        spec.get("clusterIPs").clone(),
    );
    let single = || Value::list([ip.clone()]);
    let Some(old) = old else {
        if !ip.is_empty() && ips.is_empty() {
            service.set("spec.clusterIPs", single());
        }
        return;
    };
    let old_ip = old.at("spec.clusterIP");
    if ip.is_empty() && !old_ip.is_empty() {
        // The client cleared one field: the other goes too.
        if ips == *old.at("spec.clusterIPs") {
            service.remove("spec.clusterIPs");
        }
    } else if ip != *old_ip && ips == *old.at("spec.clusterIPs") {
        service.set("spec.clusterIPs", single());
    }
}

fn refuse(service: &Value, field: &str, reason: &str, message: String) -> Status {
    Status::invalid(
        Kind::Service.group(),
        Kind::Service.name(),
        service.at("metadata.name").str_or_empty(),
        vec![Cause {
            reason: reason.into(),
            message: message.into(),
            field: field.into(),
        }],
    )
}

/// Allocates what a new Service needs. It runs before validation.
///
/// # Errors
/// `422 Invalid` when a wanted IP or port cannot be had.
#[inline(never)]
pub fn allocate(
    service: &mut Value,
    allocator: &mut dyn Allocator,
    dry_run: bool,
) -> Result<(), Status> {
    normalize_cluster_ips(service, None);
    let causes = related_fields(service.get("spec"));
    if !causes.is_empty() {
        let name = service.at("metadata.name").str_or_empty();
        let (group, kind) = (Kind::Service.group(), Kind::Service.name());
        return Err(Status::invalid(group, kind, name, causes));
    }
    families(service)?;
    let spec = service.get("spec");
    let service_kind = kind(spec);
    let headless = spec.get("clusterIP").as_str() == Some("None");
    if ["ClusterIP", "NodePort", "LoadBalancer"].contains(&service_kind) && !headless {
        let wanted = spec.get("clusterIP").str_or_empty().to_string();
        let ips = spec.get("clusterIPs").clone();
        let nameless = service.at("metadata.name").is_empty() && !dry_run;
        match allocator.cluster_ip(&wanted) {
            // The address is written down with the Service that has it.
            Ok(ip) if nameless => {
                let message = format!(
                    "Invalid value: [{}]: failed to allocate IP{}: IPAddress.networking.k8s.io {} is invalid: spec.parentRef.name: Required value",
                    quote(&wanted),
                    if wanted.is_empty() {
                        String::new()
                    } else {
                        format!(" {wanted}")
                    },
                    quote(&ip)
                );
                let (field, reason) = ("spec.clusterIPs", "FieldValueInvalid");
                return Err(refuse(service, field, reason, message));
            }
            Ok(ip) => {
                service.set("spec.clusterIP", ip.as_str());
                service.set("spec.clusterIPs", Value::list([Value::from(ip)]));
            }
            Err(why) => {
                let printed = podscope_api::json::to_string(&ips);
                let message =
                    format!("Invalid value: {printed}: failed to allocate IP {wanted}: {why}");
                return Err(refuse(
                    service,
                    "spec.clusterIPs",
                    "FieldValueInvalid",
                    message,
                ));
            }
        }
    }
    node_ports(service, allocator)?;
    if needs_health_check(service.get("spec")) && service.at("spec.healthCheckNodePort").is_empty()
    {
        let port = allocator.node_port(0, "TCP").unwrap_or(0);
        service.set("spec.healthCheckNodePort", port);
    }
    Ok(())
}

/// The cluster has one family, IPv4.
fn families(service: &mut Value) -> Result<(), Status> {
    let spec = service.get("spec");
    if kind(spec) == "ExternalName" || kind(spec).is_empty() {
        return Ok(());
    }
    let policy = spec.get("ipFamilyPolicy").str_or_empty().to_string();
    let given = spec.get("ipFamilies").items().to_vec();
    if given.iter().any(|f| f.as_str() == Some("IPv6")) {
        let at = given
            .iter()
            .position(|f| f.as_str() == Some("IPv6"))
            .unwrap_or(0);
        let message = "Invalid value: \"IPv6\": not configured on this cluster".to_string();
        return Err(refuse(
            service,
            &format!("spec.ipFamilies[{at}]"),
            "FieldValueInvalid",
            message,
        ));
    }
    for (i, ip) in spec.get("clusterIPs").items().iter().enumerate() {
        if ip.as_str().is_some_and(|ip| ip.contains(':')) {
            let printed = podscope_api::json::to_string(spec.get("clusterIPs"));
            let message =
                format!("Invalid value: {printed}: IPv6 is not configured on this cluster");
            let field = format!("spec.clusterIPs[{i}]");
            return Err(refuse(service, &field, "FieldValueInvalid", message));
        }
    }
    if policy == "RequireDualStack" {
        let message = format!(
            "Invalid value: {}: this cluster is not configured for dual-stack services",
            quote(&policy)
        );
        return Err(refuse(
            service,
            "spec.ipFamilyPolicy",
            "FieldValueInvalid",
            message,
        ));
    }
    let headless_without_selector =
        spec.get("clusterIP").as_str() == Some("None") && spec.get("selector").is_empty();
    if policy.is_empty() {
        // Endpoints of a headless Service without selector may be of any family.
        let policy = if headless_without_selector && given.is_empty() {
            "RequireDualStack"
        } else {
            "SingleStack"
        };
        service.set("spec.ipFamilyPolicy", policy);
    }
    if given.is_empty() {
        let dual = service.at("spec.ipFamilyPolicy").as_str() == Some("RequireDualStack");
        let families = if dual {
            value!(["IPv4", "IPv6"])
        } else {
            value!(["IPv4"])
        };
        service.set("spec.ipFamilies", families);
    }
    Ok(())
}

fn node_ports(service: &mut Value, allocator: &mut dyn Allocator) -> Result<(), Status> {
    let spec = service.get("spec");
    let wanted = match kind(spec) {
        "NodePort" => true,
        "LoadBalancer" => spec.get("allocateLoadBalancerNodePorts").as_bool() != Some(false),
        _ => false,
    };
    if !["NodePort", "LoadBalancer"].contains(&kind(spec)) {
        return Ok(());
    }
    let mut refused = None;
    let mut taken: Vec<(i64, String)> = Vec::new();
    let mut index = 0;
    each(service.entry("spec"), "ports", |port| {
        let protocol = port.get("protocol").str_or_empty().to_string();
        let asked = port.get("nodePort").as_int().unwrap_or(0);
        let i = index;
        index += 1;
        if refused.is_some() || (asked == 0 && !wanted) {
            return;
        }
        // Two protocols of one Service may share a port number.
        let shared = taken
            .iter()
            .any(|(p, proto)| *p == asked && *proto != protocol);
        if asked != 0 && shared {
            return;
        }
        match allocator.node_port(asked, &protocol) {
            Ok(number) => {
                port.set("nodePort", number);
                taken.push((number, protocol));
            }
            Err(why) => refused = Some((i, asked, why)),
        }
    });
    match refused {
        None => Ok(()),
        Some((i, asked, why)) => Err(refuse(
            service,
            &format!("spec.ports[{i}].nodePort"),
            "FieldValueInvalid",
            format!("Invalid value: {asked}: {why}"),
        )),
    }
}

/// Prepares a changed Service: what was allocated stays unless the client says otherwise.
pub(super) fn prepare_update(service: &mut Value, old: &Value) {
    normalize_cluster_ips(service, Some(old));
    let (now, before) = (service.get("spec").clone(), old.get("spec"));
    drop_by_type(service, before);
    let needs_ip = |spec: &Value| kind(spec) != "ExternalName";
    if needs_ip(&now) && needs_ip(before) && service.at("spec.clusterIP").is_empty() {
        for field in ["clusterIP", "clusterIPs"] {
            let path = format!("spec.{field}");
            if service.at(&path).is_empty() && !before.get(field).is_null() {
                service.set(&path, before.get(field).clone());
            }
        }
    }
    if needs_ip(&now) && needs_ip(before) {
        for field in ["ipFamilyPolicy", "ipFamilies"] {
            let path = format!("spec.{field}");
            if service.at(&path).is_empty() && !before.get(field).is_null() {
                service.set(&path, before.get(field).clone());
            }
        }
    }
    let needs_ports = |spec: &Value| ["NodePort", "LoadBalancer"].contains(&kind(spec));
    if needs_ports(&now) && needs_ports(before) {
        let used: Vec<Value> = now
            .get("ports")
            .items()
            .iter()
            .map(|p| p.get("nodePort").clone())
            .collect();
        each(service.entry("spec"), "ports", |port| {
            if !port.get("nodePort").is_empty() {
                return;
            }
            let same = before.get("ports").items().iter().find(|p| {
                p.get("port") == port.get("port") && p.get("protocol") == port.get("protocol")
            });
            if let Some(old_port) = same
                && !old_port.get("nodePort").is_empty()
                && !used.contains(old_port.get("nodePort"))
            {
                port.set("nodePort", old_port.get("nodePort").clone());
            }
        });
    }
    if needs_health_check(&now)
        && needs_health_check(before)
        && service.at("spec.healthCheckNodePort").is_empty()
    {
        service.set(
            "spec.healthCheckNodePort",
            before.get("healthCheckNodePort").clone(),
        );
    }
}

/// Fields that belong to the old type only are dropped when the type changes and they were not touched.
fn drop_by_type(service: &mut Value, before: &Value) {
    let now = service.get("spec").clone();
    let same = |field: &str| now.get(field) == before.get(field);
    let mut drop: Vec<&str> = Vec::new();
    let needs_ip = |spec: &Value| kind(spec) != "ExternalName";
    if needs_ip(before) && !needs_ip(&now) {
        for field in [
            "clusterIP",
            "clusterIPs",
            "ipFamilies",
            "ipFamilyPolicy",
            "internalTrafficPolicy",
        ] {
            if same(field) {
                drop.push(field);
            }
        }
    }

    if needs_health_check(before) && !needs_health_check(&now) && same("healthCheckNodePort") {
        drop.push("healthCheckNodePort");
    }
    if kind(before) == "LoadBalancer" && kind(&now) != "LoadBalancer" {
        for field in ["allocateLoadBalancerNodePorts", "loadBalancerClass"] {
            if same(field) {
                drop.push(field);
            }
        }
    }
    let outside = super::super::validation::service::externally_accessible;
    if outside(before) && !outside(&now) && same("externalTrafficPolicy") {
        drop.push("externalTrafficPolicy");
    }
    for field in drop {
        service.entry("spec").remove(field);
    }
    let needs_ports = |spec: &Value| ["NodePort", "LoadBalancer"].contains(&kind(spec));
    if needs_ports(before) && !needs_ports(&now) {
        let ports = |spec: &Value| -> Vec<Value> {
            spec.get("ports")
                .items()
                .iter()
                .map(|p| p.get("nodePort").clone())
                .collect()
        };
        if ports(&now) == ports(before) {
            each(service.entry("spec"), "ports", |port| {
                port.remove("nodePort");
            });
        }
    }
}

/// Allocates what a changed Service needs in addition.
///
/// # Errors
/// `422 Invalid` when a wanted IP or port cannot be had.
#[inline(never)]
pub fn allocate_update(
    service: &mut Value,
    old: &Value,
    allocator: &mut dyn Allocator,
) -> Result<(), Status> {
    let spec = service.get("spec");
    if kind(old.get("spec")) == "ExternalName" && kind(spec) != "ExternalName" {
        return allocate(service, allocator, false);
    }
    if kind(spec) == "ExternalName" {
        return Ok(());
    }
    let known: Vec<i64> = old
        .at("spec.ports")
        .items()
        .iter()
        .filter_map(|p| p.get("nodePort").as_int())
        .collect();
    let mut keeping = Keeping {
        known,
        inner: allocator,
    };
    node_ports(service, &mut keeping)?;
    if needs_health_check(service.get("spec")) && service.at("spec.healthCheckNodePort").is_empty()
    {
        let port = keeping.inner.node_port(0, "TCP").unwrap_or(0);
        service.set("spec.healthCheckNodePort", port);
    }
    Ok(())
}

/// An allocator for a Service that owns some ports already.
struct Keeping<'a> {
    known: Vec<i64>,
    inner: &'a mut dyn Allocator,
}

impl Allocator for Keeping<'_> {
    fn cluster_ip(&mut self, wanted: &str) -> Result<String, String> {
        self.inner.cluster_ip(wanted)
    }
    fn node_port(&mut self, wanted: i64, protocol: &str) -> Result<i64, String> {
        if self.known.contains(&wanted) {
            return Ok(wanted);
        }
        self.inner.node_port(wanted, protocol)
    }
}
