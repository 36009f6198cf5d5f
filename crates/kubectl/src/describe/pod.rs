//! Pods.

use super::{Page, container, rfc1123, volume};
use crate::ctx::Ctx;
use crate::table::since;
use podscope_api::{Object, Value};

/// `Controlled By`.
pub(super) fn owner(page: &mut Page, object: &Object) {
    if let Some(owner) = object.controller() {
        page.field(0, "Controlled By", format!("{}/{}", owner.kind, owner.name));
    }
}

pub(super) fn pod(ctx: &mut Ctx<'_>, page: &mut Page, pod: &Object) {
    let (spec, status) = (pod.spec(), pod.status());
    page.field(0, "Name", pod.name());
    page.field(0, "Namespace", pod.namespace());
    page.field_if(0, "Priority", spec.get("priority"));
    page.field_if(0, "Priority Class Name", spec.get("priorityClassName"));
    page.field_if(0, "Runtime Class Name", spec.get("runtimeClassName"));
    page.field_if(0, "Service Account", spec.get("serviceAccountName"));
    match spec.get("nodeName").str_or_empty() {
        "" => page.field(0, "Node", "<none>"),
        node => {
            page.field(
                0,
                "Node",
                format!("{node}/{}", status.get("hostIP").str_or_empty()),
            );
        }
    }
    if !status.get("startTime").is_null() {
        page.field(0, "Start Time", rfc1123(status.get("startTime")));
    }
    page.labels("", "Labels", pod.labels());
    page.annotations("Annotations", pod.at("metadata.annotations"));
    let phase = status.get("phase").str_or_empty();
    if pod.is_being_deleted() && !matches!(phase, "Failed" | "Succeeded") {
        let lasts = since(pod.at("metadata.deletionTimestamp"), ctx.now);
        page.field(0, "Status", format!("Terminating (lasts {lasts})"));
        let grace = pod
            .at("metadata.deletionGracePeriodSeconds")
            .as_int()
            .unwrap_or(0);
        page.field(0, "Termination Grace Period", format!("{grace}s"));
    } else {
        page.field(0, "Status", phase);
    }
    page.field_if(0, "Reason", status.get("reason"));
    page.field_if(0, "Message", status.get("message"));
    container::seccomp(page, 0, spec.get("securityContext"));
    page.field(0, "IP", status.get("podIP").str_or_empty());
    let ips = status.get("podIPs").items();
    if ips.is_empty() {
        page.field(0, "IPs", "<none>");
    } else {
        page.line(0, "IPs:");
    }
    for ip in ips {
        page.field(1, "IP", ip.get("ip").str_or_empty());
    }
    owner(page, pod);
    page.field_if(0, "NominatedNodeName", status.get("nominatedNodeName"));
    if !spec.get("resources").is_null() {
        page.line(0, "Resources:");
        container::resources(page, spec.get("resources"), 1);
    }
    for (title, field, statuses, always) in [
        (
            "Init Containers",
            "initContainers",
            "initContainerStatuses",
            false,
        ),
        ("Containers", "containers", "containerStatuses", true),
        (
            "Ephemeral Containers",
            "ephemeralContainers",
            "ephemeralContainerStatuses",
            false,
        ),
    ] {
        let containers = spec.get(field);
        if always || !containers.items().is_empty() {
            container::containers(page, title, containers, status.get(statuses), Some(pod), "");
        }
    }
    let gates = spec.get("readinessGates").items();
    if !gates.is_empty() {
        page.line(0, "Readiness Gates:");
        page.line(1, "Type\tStatus");
        for gate in gates {
            let name = gate.get("conditionType").str_or_empty();
            let met = match pod.condition(name).get("status").str_or_empty() {
                "" => "<none>",
                status => status,
            };
            page.line(1, &format!("{name} \t{met} "));
        }
    }
    let conditions = status.get("conditions").items();
    if !conditions.is_empty() {
        page.line(0, "Conditions:");
        page.line(1, "Type\tStatus");
    }
    for condition in conditions {
        let part = |field: &str| condition.get(field).str_or_empty();
        page.line(1, &format!("{} \t{} ", part("type"), part("status")));
    }
    volume::volumes(page, spec.get("volumes"), "");
    page.field(0, "QoS Class", quality(pod));
    page.labels("", "Node-Selectors", spec.get("nodeSelector"));
    container::tolerations(page, "", spec.get("tolerations"));
    container::spread(page, "", spec.get("topologySpreadConstraints"));
}

/// The QoS class, computed where the status lacks it.
fn quality(pod: &Object) -> &str {
    match pod.status().get("qosClass").str_or_empty() {
        "" => {}
        class => return class,
    }
    let all = ["initContainers", "containers"].map(|f| pod.spec().get(f).items());
    let mut containers = all.iter().flat_map(|c| c.iter());
    let side = |c: &Value, side: &str, name: &str| c.get("resources").get(side).get(name).clone();
    let some = |c: &Value| {
        ["limits", "requests"]
            .iter()
            .any(|s| ["cpu", "memory"].iter().any(|n| !side(c, s, n).is_empty()))
    };
    let full = |c: &Value| {
        ["cpu", "memory"].iter().all(|n| {
            let (limit, request) = (side(c, "limits", n), side(c, "requests", n));
            !limit.is_empty() && (request.is_null() || request == limit)
        })
    };
    if containers.clone().all(full) {
        "Guaranteed"
    } else if containers.any(some) {
        "Burstable"
    } else {
        "BestEffort"
    }
}
