//! A Pod's status as the kubelet sees it.
//!
//! Models: pkg/kubelet/kubelet_pods.go (generateAPIPodStatus, convertToAPIContainerStatuses), pkg/kubelet/status (v1.36)

use super::worker::{Role, Slot, Worker};
use crate::node::phase;
use crate::node::resources::{Side, pod_amounts, qos_of, to_value};
use crate::node::runtime::{Container, ContainerState};
use podscope_api::{Text, Timestamp, Value, value};
use podscope_kernel::SimTime;

/// What is needed besides the worker: the machine's address and the clocks.
pub(super) struct Context<'a> {
    pub host_ip: &'a str,
    /// Wall-clock time at simulated time zero, in microseconds.
    pub epoch_micros: i64,
    /// Whether everything of the Pod has ended and will stay so.
    pub ended: bool,
}

impl Context<'_> {
    fn time(&self, at: SimTime) -> String {
        Timestamp(self.epoch_micros.saturating_add_unsigned(at.0)).seconds_text()
    }
}

#[inline(never)]
fn terminated(container: &Container, context: &Context<'_>) -> Value {
    value!({"terminated": {
        "containerID": (format!("containerd://{}", container.id)),
        "exitCode": (i64::from(container.exit_code)),
        "finishedAt": (context.time(container.finished)),
        "reason": (container.reason.clone()),
        "startedAt": (context.time(container.started))
    }})
}

fn volume_mounts(container: &Value) -> Value {
    Value::list(container.get("volumeMounts").items().iter().map(|m| {
        let mut mount =
            value!({"mountPath": (m.get("mountPath").clone()), "name": (m.get("name").clone())});
        if m.get("readOnly").is_true() {
            mount.set("readOnly", true);
            mount.set("recursiveReadOnly", "Disabled");
        }
        mount
    }))
}

fn container_status(worker: &Worker, slot: &Slot, at: u8, context: &Context<'_>) -> Value {
    let container = worker.container(at);
    let seen = slot.seen.as_ref();
    let running = slot.running();
    let mut status = value!({
        "name": (slot.name.clone()),
        "ready": false,
        "started": false,
        "restartCount": 0,
        "lastState": {},
        "imageID": ""
    });
    status.set("image", container.get("image").clone());
    let mounts = volume_mounts(container);
    if !mounts.items().is_empty() {
        status.set("volumeMounts", mounts);
    }
    if let Some(c) = seen {
        status.set("containerID", format!("containerd://{}", c.id));
        status.set("image", c.image.clone());
        status.set("imageID", c.image_id.clone());
        status.set("restartCount", i64::from(c.attempt));
        let resources = container.get("resources");
        let requests = resources.get("requests");
        if !requests.entries().is_empty() {
            status.set("allocatedResources", requests.clone());
        }
        let own = if resources.is_null() {
            Value::map()
        } else {
            resources.clone()
        };
        status.set("resources", own);
    }
    if let Some(before) = &slot.before {
        status.set("lastState", terminated(before, context));
    }
    let waiting = |reason: &str, message: &str| {
        let mut state = value!({"waiting": {"reason": (reason)}});
        if !message.is_empty() {
            state.set("waiting.message", message);
        }
        state
    };
    let initializing = worker.slots.iter().any(|s| s.role != Role::App);
    let state = match seen {
        Some(c) if running => value!({"running": {"startedAt": (context.time(c.started))}}),
        Some(c) if c.state == ContainerState::Exited => match &slot.waiting {
            Some((reason, message)) if !context.ended => {
                status.set("lastState", terminated(c, context));
                waiting(reason, message)
            }
            _ => terminated(c, context),
        },
        _ => match &slot.waiting {
            Some((reason, message)) if seen.is_none() => waiting(reason, message),
            _ if initializing => waiting("PodInitializing", ""),
            _ => waiting("ContainerCreating", ""),
        },
    };
    status.set("state", state);
    let started = running && slot.started(container);
    status.set("started", started);
    let ready = match slot.role {
        Role::Init => slot.exited().is_some_and(|c| c.exit_code == 0),
        _ => running && started && slot.ready(container),
    };
    status.set("ready", ready);
    status
}

/// The kubelet's part of the status: its phase as computed, and the fields.
pub(super) fn status(worker: &Worker, context: &Context<'_>) -> (&'static str, Value) {
    let pod = &worker.pod;
    let spec = pod.spec();
    let (mut init, mut apps) = (Vec::new(), Vec::new());
    for (i, slot) in worker.slots.iter().enumerate() {
        let i = u8::try_from(i).unwrap_or(u8::MAX);
        let status = container_status(worker, slot, i, context);
        if slot.role == Role::App {
            apps.push(status);
        } else {
            init.push(status);
        }
    }
    // The API lists statuses in the order of the containers' names' places; hosts sort them by name.
    let by_name = |a: &Value, b: &Value| {
        a.get("name")
            .str_or_empty()
            .cmp(b.get("name").str_or_empty())
    };
    podscope_api::sort::by(&mut apps, by_name);
    let all: Vec<Value> = init.iter().chain(&apps).cloned().collect();
    let started = phase::has_started(spec, &all);
    let mut computed = phase::phase(spec, &all, context.ended, started);
    let mut status = Value::map();
    if let Some((reason, message)) = &worker.rejected {
        computed = "Failed";
        let message = format!("Pod was rejected: {message}");
        status.set("phase", computed);
        status.set("reason", reason.clone());
        status.set("message", message);
        status.set("startTime", worker.started.seconds_text());
        status.set("qosClass", qos_of(pod).name());
        if pod.generation() > 0 {
            status.set("observedGeneration", pod.generation());
        }
        return (computed, status);
    }
    if worker.evicted.is_some() {
        computed = "Failed";
    }
    // The end is told only once nothing is left to run.
    let told = if matches!(computed, "Succeeded" | "Failed") && !context.ended {
        if started { "Running" } else { "Pending" }
    } else {
        computed
    };
    let mut conditions = conditions(worker, &all, computed);
    if let Some((reason, message)) = &worker.evicted {
        disrupted(&mut status, &mut conditions, reason, message);
    }
    status.set("phase", told);
    status.set("conditions", conditions);
    status.set("hostIP", context.host_ip);
    status.set("hostIPs", value!([{"ip": (context.host_ip)}]));
    if let Some(sandbox) = worker.sandbox.as_ref().filter(|s| !s.link.ip.is_empty()) {
        let ip: Text = if sandbox.host_network {
            context.host_ip.into()
        } else {
            sandbox.link.ip.clone()
        };
        status.set("podIP", ip.clone());
        status.set("podIPs", value!([{"ip": (ip)}]));
    }
    status.set("startTime", worker.started.seconds_text());
    status.set("qosClass", qos_of(pod).name());
    if !init.is_empty() {
        status.set("initContainerStatuses", init);
    }
    status.set("containerStatuses", apps);
    let requests = pod_amounts(spec, Side::Requests, true);
    let limits = pod_amounts(spec, Side::Limits, true);
    if !requests.is_empty() {
        status.set("allocatedResources", to_value(&requests));
    }
    let mut resources = Value::map();
    for (field, amounts) in [("limits", &limits), ("requests", &requests)] {
        if !amounts.is_empty() {
            resources.set(field, to_value(amounts));
        }
    }
    status.set("resources", resources);
    if pod.generation() > 0 {
        status.set("observedGeneration", pod.generation());
    }
    (computed, status)
}

/// What the status says of a Pod that the kubelet has ended for good.
#[inline(never)]
fn disrupted(status: &mut Value, conditions: &mut Vec<Value>, reason: &Text, message: &Text) {
    status.set("reason", reason.clone());
    status.set("message", message.clone());
    conditions.push(value!({
        "type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet",
        "message": (message.clone()), "lastProbeTime": null
    }));
}

fn conditions(worker: &Worker, statuses: &[Value], computed: &str) -> Vec<Value> {
    let spec = worker.pod.spec();
    let sandboxes: Vec<(bool, &str)> = worker
        .sandbox
        .iter()
        .map(|s| (s.ready, &*s.link.ip))
        .collect();
    let foreign = worker.pod.at("status.conditions").items();
    let mut scheduled = value!({"type": "PodScheduled", "status": "True", "lastProbeTime": null});
    let mut list = vec![
        phase::ready_to_start(spec, &sandboxes),
        phase::initialized(spec, Some(statuses), computed),
        phase::ready(spec, foreign, Some(statuses), computed),
        phase::containers_ready(spec, Some(statuses), computed),
    ];
    for condition in &mut list {
        if worker.pod.generation() > 0 {
            condition.set("observedGeneration", worker.pod.generation());
        }
    }
    if worker.pod.generation() > 0 {
        scheduled.set("observedGeneration", worker.pod.generation());
    }
    list.push(scheduled);
    list
}

/// The types of condition that the kubelet writes, in its order.
pub(super) const OWNED: &[&str] = &[
    "PodReadyToStartContainers",
    "Initialized",
    "Ready",
    "ContainersReady",
    "PodScheduled",
];

/// The status to be stored: the kubelet's fields over what others have written.
pub(super) fn merged(live: &Value, own: &Value) -> Value {
    let mut status = live.clone();
    for field in ["reason", "message", "podIP", "podIPs"] {
        if own.get(field).is_null() && !live.get(field).is_null() && field.starts_with("pod") {
            status.map_mut().remove(field);
        }
    }
    for (field, value) in own.entries() {
        if &**field != "conditions" {
            status.map_mut().insert(field.clone(), value.clone());
        }
    }
    // A terminal phase never changes back.
    let before = live.get("phase").str_or_empty();
    if matches!(before, "Succeeded" | "Failed") {
        status.set("phase", before);
    }
    let owned = |c: &&Value| OWNED.contains(&c.get("type").str_or_empty());
    if own.get("conditions").items().is_empty() {
        return status;
    }
    let mut conditions: Vec<Value> = live
        .get("conditions")
        .items()
        .iter()
        .filter(|c| {
            !owned(c)
                && !own
                    .get("conditions")
                    .items()
                    .iter()
                    .any(|o| o.get("type") == c.get("type"))
        })
        .cloned()
        .collect();
    conditions.extend(own.get("conditions").items().iter().cloned());
    status.set("conditions", conditions);
    status
}

/// Gives each condition the time of its last change: the earlier one's when the status is the same.
pub(super) fn stamp(status: &mut Value, before: &Value, now: Timestamp) {
    if status.get("conditions").items().is_empty() {
        return;
    }
    let old = before.get("conditions").items().to_vec();
    for condition in status.entry("conditions").list_mut() {
        let same = old.iter().find(|c| {
            c.get("type") == condition.get("type") && c.get("status") == condition.get("status")
        });
        let at = match same.map(|c| c.get("lastTransitionTime")) {
            Some(at) if !at.is_null() => at.clone(),
            _ => now.seconds_text().into(),
        };
        condition.set("lastTransitionTime", at);
    }
}
