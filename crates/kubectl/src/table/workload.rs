//! Cells that need more than a field: Jobs, autoscalers, nodes, services, endpoints.

use super::since;
use crate::text::{or, or_none};
use podscope_api::{Object, Timestamp, Value, duration};

/// The text of an int-or-string or quantity field.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Str(s) => s.to_string(),
        Value::Null => String::new(),
        other => podscope_api::json::to_string(other),
    }
}

/// The first `max` entries, and how many more there are; `<unset>` for none.
pub(super) fn with_more(items: &[String], max: usize, unset: &str) -> String {
    if items.is_empty() {
        return unset.into();
    }
    let shown = items.get(..items.len().min(max)).unwrap_or(&[]).join(",");
    match items.len().saturating_sub(max) {
        0 => shown,
        more => format!("{shown} + {more} more..."),
    }
}

pub(super) fn job_status(job: &Object) -> &'static str {
    let has = |name: &str| job.condition_true(name);
    if has("Complete") {
        "Complete"
    } else if has("Failed") {
        "Failed"
    } else if job.is_being_deleted() {
        "Terminating"
    } else if has("Suspended") {
        "Suspended"
    } else if has("FailureTarget") {
        "FailureTarget"
    } else if has("SuccessCriteriaMet") {
        "SuccessCriteriaMet"
    } else {
        "Running"
    }
}

pub(super) fn job_completions(job: &Object) -> String {
    let succeeded = job.status().get("succeeded").as_int().unwrap_or(0);
    match job.spec().get("completions").as_int() {
        Some(wanted) => format!("{succeeded}/{wanted}"),
        None => match job.spec().get("parallelism").as_int() {
            Some(parallelism) if parallelism > 1 => format!("{succeeded}/1 of {parallelism}"),
            _ => format!("{succeeded}/1"),
        },
    }
}

pub(super) fn job_duration(job: &Object, now: Timestamp) -> String {
    let time = |field: &str| job.status().get(field).as_str().and_then(Timestamp::parse);
    match (time("startTime"), time("completionTime")) {
        (None, _) => String::new(),
        (Some(start), None) => super::age(start, now),
        (Some(start), Some(end)) => duration::human((end.0 - start.0).saturating_mul(1000)),
    }
}

pub(crate) fn node_status(node: &Object) -> String {
    let mut status = match node.condition("Ready").get("status").as_str() {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }
    .to_string();
    if node.spec().get("unschedulable").is_true() {
        status.push_str(",SchedulingDisabled");
    }
    status
}

pub(crate) fn node_roles(node: &Object) -> String {
    let mut roles: Vec<&str> = Vec::new();
    for (key, value) in node.labels().entries() {
        let role = match key.strip_prefix("node-role.kubernetes.io/") {
            Some(role) => role,
            None if key.as_ref() == "kubernetes.io/role" => value.str_or_empty(),
            None => continue,
        };
        if !role.is_empty() && !roles.contains(&role) {
            roles.push(role);
        }
    }
    podscope_api::sort::natural(&mut roles);
    or_none(&roles.join(",")).to_string()
}

pub(super) fn node_address(node: &Object, kind: &str) -> String {
    let addresses = node.status().get("addresses").items();
    let found = addresses
        .iter()
        .find(|a| a.get("type").as_str() == Some(kind));
    or_none(found.map_or("", |a| a.get("address").str_or_empty())).to_string()
}

pub(super) fn node_info(node: &Object, field: &str) -> String {
    or(
        node.at("status.nodeInfo").get(field).str_or_empty(),
        "<unknown>",
    )
    .to_string()
}

fn texts(list: &Value) -> Vec<String> {
    list.items()
        .iter()
        .map(|v| v.str_or_empty().to_string())
        .collect()
}

/// The addresses of a load balancer, sorted.
pub(crate) fn ingress_points(object: &Object) -> Vec<String> {
    let mut points: Vec<String> = Vec::new();
    for point in object.at("status.loadBalancer.ingress").items() {
        let text = or(
            point.get("ip").str_or_empty(),
            point.get("hostname").str_or_empty(),
        );
        if !text.is_empty() && !points.iter().any(|p| p == text) {
            points.push(text.to_string());
        }
    }
    podscope_api::sort::natural(&mut points);
    points
}

pub(super) fn external_ip(service: &Object) -> String {
    let spec = service.spec();
    let mut ips = texts(spec.get("externalIPs"));
    match spec.get("type").str_or_empty() {
        "ExternalName" => spec.get("externalName").str_or_empty().to_string(),
        "LoadBalancer" => {
            let points = ingress_points(service);
            if points.is_empty() && ips.is_empty() {
                return "<pending>".into();
            }
            ips.splice(0..0, points);
            ips.join(",")
        }
        "ClusterIP" | "NodePort" => or_none(&ips.join(",")).to_string(),
        _ => "<unknown>".into(),
    }
}

pub(super) fn service_ports(service: &Object) -> String {
    let ports: Vec<String> = service
        .spec()
        .get("ports")
        .items()
        .iter()
        .map(|p| {
            let number = |field: &str| p.get(field).as_int().unwrap_or(0);
            let protocol = p.get("protocol").str_or_empty();
            match number("nodePort") {
                0 => format!("{}/{protocol}", number("port")),
                node => format!("{}:{node}/{protocol}", number("port")),
            }
        })
        .collect();
    or_none(&ports.join(",")).to_string()
}

pub(super) fn slice_ports(slice: &Object) -> String {
    let ports = slice
        .get("ports")
        .items()
        .iter()
        .map(|p| match p.get("port") {
            Value::Null => or(p.get("name").str_or_empty(), "*").to_string(),
            port => text(port),
        });
    with_more(&ports.collect::<Vec<_>>(), 3, "<unset>")
}

pub(super) fn slice_endpoints(slice: &Object) -> String {
    let endpoints = slice.get("endpoints").items().iter();
    let addresses: Vec<String> = endpoints.flat_map(|e| texts(e.get("addresses"))).collect();
    with_more(&addresses, 3, "<unset>")
}

pub(super) fn endpoints(object: &Object) -> String {
    let mut found = Vec::new();
    for subset in object.get("subsets").items() {
        let addresses = subset.get("addresses").items();
        let ports = subset.get("ports").items();
        if ports.is_empty() {
            found.extend(
                addresses
                    .iter()
                    .map(|a| a.get("ip").str_or_empty().to_string()),
            );
        }
        for port in ports {
            let number = port.get("port").as_int().unwrap_or(0);
            let joined = addresses.iter().map(|a| {
                let ip = a.get("ip").str_or_empty();
                if ip.contains(':') {
                    format!("[{ip}]:{number}")
                } else {
                    format!("{ip}:{number}")
                }
            });
            found.extend(joined);
        }
    }
    with_more(&found, 3, "<none>")
}

/// One metric of an autoscaler as `current/target`, without the resource's name.
pub(crate) fn hpa_metric(spec: &Value, current: &Value) -> (String, String) {
    const UNKNOWN: &str = "<unknown>";
    let (kind, field) = match spec.get("type").str_or_empty() {
        "External" => ("External", "external"),
        "Pods" => ("Pods", "pods"),
        "Object" => ("Object", "object"),
        "Resource" => ("Resource", "resource"),
        "ContainerResource" => ("ContainerResource", "containerResource"),
        _ => return (UNKNOWN.into(), "<unknown type>".into()),
    };
    let target = spec.get(field).get("target");
    let now = current.get(field).get("current");
    let shown = |value: &Value| match text(value) {
        t if t.is_empty() => UNKNOWN.to_string(),
        t => t,
    };
    let average = target.get("averageValue");
    match kind {
        "Resource" | "ContainerResource" => {
            if !average.is_null() {
                return (shown(now.get("averageValue")), text(average));
            }
            let percent =
                |v: &Value, none: &str| v.as_int().map_or(none.to_string(), |p| format!("{p}%"));
            (
                percent(now.get("averageUtilization"), UNKNOWN),
                percent(target.get("averageUtilization"), "<auto>"),
            )
        }
        "Pods" => (shown(now.get("averageValue")), text(average)),
        _ if !average.is_null() => (
            shown(now.get("averageValue")),
            format!("{} (avg)", text(average)),
        ),
        _ => (shown(now.get("value")), text(target.get("value"))),
    }
}

pub(super) fn hpa_targets(hpa: &Object) -> String {
    let specs = hpa.spec().get("metrics").items();
    if specs.is_empty() {
        return "<none>".into();
    }
    let statuses = hpa.status().get("currentMetrics");
    let shown: Vec<String> = specs
        .iter()
        .enumerate()
        .map(|(i, spec)| {
            let (current, target) = hpa_metric(spec, statuses.index(i));
            let name = match spec.get("type").str_or_empty() {
                "Resource" => spec.at("resource.name").str_or_empty(),
                "ContainerResource" => spec.at("containerResource.name").str_or_empty(),
                _ => "",
            };
            let name = if name.is_empty() {
                String::new()
            } else {
                format!("{name}: ")
            };
            format!("{name}{current}/{target}")
        })
        .collect();
    let first = shown.get(..shown.len().min(2)).unwrap_or(&[]).join(", ");
    match shown.len().saturating_sub(2) {
        0 => first,
        more => format!("{first} + {more} more..."),
    }
}

/// Containers' names and images, each joined by commas.
pub(super) fn containers(template_spec: &Value, field: &str) -> String {
    let items = template_spec.get("containers").items().iter();
    items
        .map(|c| c.get(field).str_or_empty())
        .collect::<Vec<_>>()
        .join(",")
}

pub(super) fn quota(object: &Object, limits: bool) -> String {
    let used = object.at("status.used");
    let hard = object.at("status.hard").entries().iter();
    let shown = hard
        .filter(|(name, _)| name.starts_with("limits") == limits)
        .map(|(name, hard)| {
            let used = text(used.get(name));
            format!("{name}: {}/{}", or(&used, "0"), text(hard))
        });
    shown.collect::<Vec<_>>().join(", ")
}

pub(crate) fn access_modes(list: &Value) -> String {
    let mut modes: Vec<&str> = Vec::new();
    for (mode, short) in [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ] {
        if list.items().iter().any(|m| m.as_str() == Some(mode)) {
            modes.push(short);
        }
    }
    modes.join(",")
}

pub(super) fn ingress_hosts(ingress: &Object) -> String {
    let rules = ingress.spec().get("rules").items().iter();
    let hosts: Vec<String> = rules
        .map(|r| r.get("host").str_or_empty().to_string())
        .filter(|h| !h.is_empty())
        .collect();
    with_more(&hosts, 3, "*")
}

pub(super) fn last_schedule(job: &Object, now: Timestamp) -> String {
    match job.status().get("lastScheduleTime") {
        Value::Null => "<none>".into(),
        time => since(time, now),
    }
}
