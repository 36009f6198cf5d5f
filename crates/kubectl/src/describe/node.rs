//! Nodes, with what their Pods ask for.

use super::{Page, rfc1123};
use crate::ctx::Ctx;
use crate::fault::Res;
use crate::table::{node_roles, since, text};
use podscope_api::quantity::Quantity;
use podscope_api::{Kind, Object, Request, Value};
use std::collections::BTreeMap;

type Amounts = BTreeMap<String, Quantity>;

pub(super) fn node(ctx: &mut Ctx<'_>, page: &mut Page, o: &Object) -> Res<()> {
    page.field(0, "Name", o.name());
    page.field(0, "Roles", node_roles(o));
    page.labels("", "Labels", o.labels());
    page.annotations("Annotations", o.at("metadata.annotations"));
    page.field(
        0,
        "CreationTimestamp",
        rfc1123(o.at("metadata.creationTimestamp")),
    );
    taints(page, o);
    page.field(0, "Unschedulable", o.at("spec.unschedulable").is_true());
    match ctx.send(Request::get(Kind::Lease, "kube-node-lease", o.name())) {
        Ok(lease) => {
            page.line(0, "Lease:");
            let spec = lease.object.get("spec");
            let or_unset = |value: &Value| {
                if value.is_null() {
                    "<unset>".into()
                } else {
                    rfc1123(value)
                }
            };
            let holder = spec.get("holderIdentity");
            page.field(1, "HolderIdentity", holder.as_str().unwrap_or("<unset>"));
            page.field(1, "AcquireTime", or_unset(spec.get("acquireTime")));
            page.field(1, "RenewTime", or_unset(spec.get("renewTime")));
        }
        Err(crate::fault::Fault::Status(status)) => {
            page.field(
                0,
                "Lease",
                format!("Failed to get lease: {}", status.message),
            );
        }
        Err(fault) => return Err(fault),
    }
    let conditions = o.status().get("conditions").items();
    if !conditions.is_empty() {
        page.line(0, "Conditions:");
        page.line(
            1,
            "Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage",
        );
        page.line(
            1,
            "----\t------\t-----------------\t------------------\t------\t-------",
        );
    }
    for c in conditions {
        let part = |field: &str| c.get(field).str_or_empty();
        let line = format!(
            "{} \t{} \t{} \t{} \t{} \t{}",
            part("type"),
            part("status"),
            rfc1123(c.get("lastHeartbeatTime")),
            rfc1123(c.get("lastTransitionTime")),
            part("reason"),
            part("message")
        );
        page.line(1, &line);
    }
    page.line(0, "Addresses:");
    for address in o.status().get("addresses").items() {
        let part = |field: &str| address.get(field).str_or_empty();
        page.field(1, part("type"), part("address"));
    }
    for (title, field) in [("Capacity", "capacity"), ("Allocatable", "allocatable")] {
        let amounts = o.status().get(field).entries();
        if !amounts.is_empty() {
            page.line(0, &format!("{title}:"));
        }
        for (name, amount) in amounts {
            page.field(1, name, text(amount));
        }
    }
    page.line(0, "System Info:");
    for (title, field) in [
        ("Machine ID", "machineID"),
        ("System UUID", "systemUUID"),
        ("Boot ID", "bootID"),
        ("Kernel Version", "kernelVersion"),
        ("OS Image", "osImage"),
        ("Operating System", "operatingSystem"),
        ("Architecture", "architecture"),
        ("Container Runtime Version", "containerRuntimeVersion"),
        ("Kubelet Version", "kubeletVersion"),
    ] {
        page.field(1, title, o.at("status.nodeInfo").get(field).str_or_empty());
    }
    page.field_if(0, "PodCIDR", o.at("spec.podCIDR"));
    let ranges = o.at("spec.podCIDRs").items();
    if !ranges.is_empty() {
        let ranges: Vec<&str> = ranges.iter().map(Value::str_or_empty).collect();
        page.field(0, "PodCIDRs", ranges.join(","));
    }
    page.field_if(0, "ProviderID", o.at("spec.providerID"));
    let mut request = Request::list(Kind::Pod, "");
    request.options.field_selector = format!(
        "spec.nodeName={},status.phase!=Failed,status.phase!=Succeeded",
        o.name()
    )
    .into();
    let pods = ctx.send(request)?;
    allocated(ctx, page, o, pods.object.get("items").items());
    Ok(())
}

fn taints(page: &mut Page, o: &Object) {
    let mut lines: Vec<String> = o
        .at("spec.taints")
        .items()
        .iter()
        .map(|t| {
            let part = |field: &str| t.get(field).str_or_empty();
            match part("value") {
                "" => format!("{}:{}", part("key"), part("effect")),
                value => format!("{}={value}:{}", part("key"), part("effect")),
            }
        })
        .collect();
    let rank = |line: &str| {
        let effect = line.rsplit(':').next().unwrap_or("");
        ["NoExecute", "NoSchedule", "PreferNoSchedule"]
            .iter()
            .position(|e| *e == effect)
    };
    podscope_api::sort::by(&mut lines, |a, b| {
        rank(a).cmp(&rank(b)).then_with(|| a.cmp(b))
    });
    if lines.is_empty() {
        page.field(0, "Taints", "<none>");
    }
    for (i, line) in lines.iter().enumerate() {
        page.line(
            0,
            &format!("{}\t{line}", if i == 0 { "Taints:" } else { "" }),
        );
    }
}

fn amounts(value: &Value) -> Amounts {
    let read = |(name, amount): &(podscope_api::Text, Value)| {
        Some((name.to_string(), Quantity::from_value(amount)?))
    };
    value.entries().iter().filter_map(read).collect()
}

fn add(total: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        let sum = total
            .remove(name)
            .map_or_else(|| *amount, |old| old.plus(*amount));
        total.insert(name.clone(), sum);
    }
}

fn highest(total: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        if total.get(name).is_none_or(|old| old < amount) {
            total.insert(name.clone(), *amount);
        }
    }
}

/// What a Pod asks for in all: containers and sidecars together, or the largest init step.
fn pod_amounts(pod: &Value, side: &str) -> Amounts {
    let of = |c: &Value| amounts(c.get("resources").get(side));
    let mut total = Amounts::new();
    for container in pod.at("spec.containers").items() {
        add(&mut total, &of(container));
    }
    let (mut sidecars, mut init) = (Amounts::new(), Amounts::new());
    for container in pod.at("spec.initContainers").items() {
        let mut step = of(container);
        if container.get("restartPolicy").as_str() == Some("Always") {
            add(&mut total, &step);
            add(&mut sidecars, &step);
            step = sidecars.clone();
        } else {
            add(&mut step, &sidecars);
        }
        highest(&mut init, &step);
    }
    highest(&mut total, &init);
    for (name, amount) in amounts(pod.at("spec.resources").get(side)) {
        total.insert(name, amount);
    }
    let mut overhead = amounts(pod.at("spec.overhead"));
    if side == "limits" {
        overhead.retain(|name, _| total.contains_key(name));
    }
    add(&mut total, &overhead);
    total
}

/// `100m (2%)` of what the node has.
fn share(amounts: &Amounts, name: &str, node: &Amounts) -> String {
    let base = |q: &Quantity| {
        if name == "cpu" {
            q.milli_value()
        } else {
            q.value()
        }
    };
    let amount = amounts.get(name);
    let all = node.get(name).map_or(0, base);
    let percent = match amount.map_or(0, base) {
        part if all != 0 => (part as f64 / all as f64 * 100.0) as i64,
        _ => 0,
    };
    let shown = amount.map_or("0".to_string(), ToString::to_string);
    format!("{shown} ({percent}%)")
}

fn allocated(ctx: &Ctx<'_>, page: &mut Page, o: &Object, pods: &[Value]) {
    let mut node = amounts(o.at("status.allocatable"));
    if node.is_empty() {
        node = amounts(o.at("status.capacity"));
    }
    page.field(
        0,
        "Non-terminated Pods",
        format!("({} in total)", pods.len()),
    );
    page.line(
        1,
        "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge",
    );
    page.line(
        1,
        "---------\t----\t\t------------\t----------\t---------------\t-------------\t---",
    );
    let (mut requests, mut limits) = (Amounts::new(), Amounts::new());
    for pod in pods {
        let (request, limit) = (pod_amounts(pod, "requests"), pod_amounts(pod, "limits"));
        let line = format!(
            "{}\t{}\t\t{}\t{}\t{}\t{}\t{}",
            pod.at("metadata.namespace").str_or_empty(),
            pod.at("metadata.name").str_or_empty(),
            share(&request, "cpu", &node),
            share(&limit, "cpu", &node),
            share(&request, "memory", &node),
            share(&limit, "memory", &node),
            since(pod.at("metadata.creationTimestamp"), ctx.now)
        );
        page.line(1, &line);
        add(&mut requests, &request);
        add(&mut limits, &limit);
    }
    page.line(0, "Allocated resources:");
    page.line(
        1,
        "(Total limits may be over 100 percent, i.e., overcommitted.)",
    );
    page.line(1, "Resource\tRequests\tLimits");
    page.line(1, "--------\t--------\t------");
    let standard = ["cpu", "memory", "ephemeral-storage"];
    let huge = node
        .keys()
        .map(String::as_str)
        .filter(|n| n.starts_with("hugepages-"));
    for name in standard.into_iter().chain(huge) {
        let (request, limit) = (share(&requests, name, &node), share(&limits, name, &node));
        page.line(1, &format!("{name}\t{request}\t{limit}"));
    }
    let others = node.keys().filter(|n| {
        !standard.contains(&n.as_str()) && !n.starts_with("hugepages-") && *n != "pods"
    });
    for name in others {
        let shown = |amounts: &Amounts| amounts.get(name).map_or("0".into(), ToString::to_string);
        page.line(
            1,
            &format!("{name}\t{}\t{}", shown(&requests), shown(&limits)),
        );
    }
}
