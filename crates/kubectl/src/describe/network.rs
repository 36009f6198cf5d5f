//! Services and EndpointSlices.

use super::Page;
use crate::ctx::Ctx;
use crate::fault::Res;
use crate::table::{labels, text};
use crate::text::or;
use podscope_api::{Kind, Object, Request, Value};

fn joined(list: &Value) -> String {
    list.items()
        .iter()
        .map(Value::str_or_empty)
        .collect::<Vec<_>>()
        .join(",")
}

pub(super) fn service(ctx: &mut Ctx<'_>, page: &mut Page, o: &Object) -> Res<()> {
    let mut request = Request::list(Kind::EndpointSlice, o.namespace());
    request.options.label_selector = format!("kubernetes.io/service-name={}", o.name()).into();
    let slices = ctx.send(request)?;
    let slices = slices.object.get("items").items();
    let spec = o.spec();
    page.field(0, "Name", o.name());
    page.field(0, "Namespace", o.namespace());
    page.labels("", "Labels", o.labels());
    page.annotations("Annotations", o.at("metadata.annotations"));
    page.field(0, "Selector", labels(spec.get("selector")));
    page.field(0, "Type", spec.get("type").str_or_empty());
    page.field_if(0, "IP Family Policy", spec.get("ipFamilyPolicy"));
    page.field(
        0,
        "IP Families",
        or(&joined(spec.get("ipFamilies")), "<none>"),
    );
    page.field(0, "IP", spec.get("clusterIP").str_or_empty());
    page.field(0, "IPs", or(&joined(spec.get("clusterIPs")), "<none>"));
    if !spec.get("externalIPs").items().is_empty() {
        page.field(0, "External IPs", joined(spec.get("externalIPs")));
    }
    if let Some(ip) = spec
        .get("loadBalancerIP")
        .as_str()
        .filter(|ip| !ip.is_empty())
    {
        page.field(0, "Desired LoadBalancer IP", ip);
    }
    page.field_if(0, "External Name", spec.get("externalName"));
    let points = o.at("status.loadBalancer.ingress").items();
    if !points.is_empty() {
        let shown = points.iter().map(|p| {
            let mode = match p.get("ipMode").str_or_empty() {
                "" => String::new(),
                mode => format!(" ({mode})"),
            };
            let ip = p.get("ip").str_or_empty();
            if ip.is_empty() {
                p.get("hostname").str_or_empty().to_string()
            } else {
                format!("{ip}{mode}")
            }
        });
        page.field(
            0,
            "LoadBalancer Ingress",
            shown.collect::<Vec<_>>().join(", "),
        );
    }
    for port in spec.get("ports").items() {
        let name = or(port.get("name").str_or_empty(), "<unset>");
        let protocol = port.get("protocol").str_or_empty();
        page.line(
            0,
            &format!("Port:\t{name}\t{}/{protocol}", text(port.get("port"))),
        );
        page.field(
            0,
            "TargetPort",
            format!("{}/{protocol}", text(port.get("targetPort"))),
        );
        if let Some(number) = port.get("nodePort").as_int().filter(|n| *n != 0) {
            page.line(0, &format!("NodePort:\t{name}\t{number}/{protocol}"));
        }
        page.field(
            0,
            "Endpoints",
            endpoints(slices, port.get("name").str_or_empty()),
        );
    }
    page.field(
        0,
        "Session Affinity",
        spec.get("sessionAffinity").str_or_empty(),
    );
    page.field_if(
        0,
        "External Traffic Policy",
        spec.get("externalTrafficPolicy"),
    );
    page.field_if(
        0,
        "Internal Traffic Policy",
        spec.get("internalTrafficPolicy"),
    );
    page.field_if(0, "Traffic Distribution", spec.get("trafficDistribution"));
    if let Some(number) = spec.get("healthCheckNodePort").as_int().filter(|n| *n != 0) {
        page.field(0, "HealthCheck NodePort", number);
    }
    let ranges = spec.get("loadBalancerSourceRanges");
    if !ranges.items().is_empty() {
        page.field(0, "LoadBalancer Source Ranges", joined(ranges));
    }
    Ok(())
}

/// The ready addresses behind a Service's port, at most three.
fn endpoints(slices: &[Value], name: &str) -> String {
    const MOST: usize = 3;
    if slices.is_empty() {
        return "<none>".into();
    }
    let (mut shown, mut count, mut more) = (Vec::new(), 0, false);
    let none = [Value::Null];
    for slice in slices {
        let ports = slice.get("ports").items();
        let unnamed = ports.is_empty();
        for port in if unnamed { &none } else { ports } {
            if !unnamed && port.get("name").str_or_empty() != name {
                continue;
            }
            for endpoint in slice.get("endpoints").items() {
                more |= shown.len() == MOST;
                let ready = endpoint.at("conditions.ready");
                if !ready.is_null() && !ready.is_true() {
                    continue;
                }
                count += 1;
                if more {
                    continue;
                }
                let ip = endpoint.get("addresses").index(0).str_or_empty();
                let number = text(port.get("port"));
                shown.push(if unnamed {
                    ip.to_string()
                } else if ip.contains(':') {
                    format!("[{ip}]:{number}")
                } else {
                    format!("{ip}:{number}")
                });
            }
        }
    }
    let list = shown.join(",");
    if more {
        format!("{list} + {} more...", count - MOST)
    } else {
        list
    }
}

pub(super) fn endpoint_slice(page: &mut Page, o: &Object) {
    page.field(0, "Name", o.name());
    page.field(0, "Namespace", o.namespace());
    page.labels("", "Labels", o.labels());
    page.annotations("Annotations", o.at("metadata.annotations"));
    page.field(0, "AddressType", o.get("addressType").str_or_empty());
    let ports = o.get("ports").items();
    if ports.is_empty() {
        page.line(0, "Ports: <unset>");
    } else {
        page.line(0, "Ports:");
        page.line(1, "Name\tPort\tProtocol");
        page.line(1, "----\t----\t--------");
    }
    for port in ports {
        let name = or(port.get("name").str_or_empty(), "<unset>").to_string();
        let number = match text(port.get("port")) {
            n if n.is_empty() => "<unset>".into(),
            n => n,
        };
        page.line(
            1,
            &format!("{name}\t{number}\t{}", port.get("protocol").str_or_empty()),
        );
    }
    let endpoints = o.get("endpoints").items();
    if endpoints.is_empty() {
        page.line(0, "Endpoints: <none>");
    } else {
        page.line(0, "Endpoints:");
    }
    for endpoint in endpoints {
        let addresses: Vec<&str> = endpoint
            .get("addresses")
            .items()
            .iter()
            .map(Value::str_or_empty)
            .collect();
        page.line(1, &format!("- Addresses:\t{}", addresses.join(", ")));
        page.line(2, "Conditions:");
        let ready = match endpoint.at("conditions.ready") {
            Value::Null => "<unset>".to_string(),
            ready => ready.is_true().to_string(),
        };
        page.field(3, "Ready", ready);
        let or_unset = |field: &str| or(endpoint.get(field).str_or_empty(), "<unset>").to_string();
        page.field(2, "Hostname", or_unset("hostname"));
        let target = endpoint.get("targetRef");
        if !target.is_null() {
            let part = |field: &str| target.get(field).str_or_empty();
            page.field(2, "TargetRef", format!("{}/{}", part("kind"), part("name")));
        }
        page.field(2, "NodeName", or_unset("nodeName"));
        page.field(2, "Zone", or_unset("zone"));
    }
}
