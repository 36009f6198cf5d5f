//! The whole cluster at the cursor, for the stage.

use crate::components;
use crate::session::Session;
use crate::view::*;
use podscope_api::{Kind, Object, Quantity, Value};
use podscope_cluster::{ComponentId, Data, TraceEvent};
use podscope_kernel::collections::BTreeMap;
use std::rc::Rc;

/// The most deadlines that are shown.
const MAX_TIMERS: usize = 12;

/// An object's address.
pub fn object_ref(kind: Kind, key: &podscope_api::Key) -> ObjectRef {
    ObjectRef {
        kind: kind.name().into(),
        namespace: key.namespace.clone(),
        name: key.name.clone(),
    }
}

/// The view.
pub fn view(session: &Session) -> ClusterView {
    let cluster = session.simulation().cluster();
    let shown = session.timeline.shown();
    let event = shown.checked_sub(1).and_then(|i| session.log().get(i));
    let of_kind = |kind: Kind| cluster.etcd().of_kind(kind).map(|(_, s)| &s.object);
    let silent: Vec<bool> = cluster
        .nodes()
        .iter()
        .map(|n| {
            !cluster.network().reaches_apiserver(Some(n.id))
                || cluster.network().kubelet_down.contains(&n.id)
        })
        .collect();
    let mut by_node: BTreeMap<&str, Vec<&Rc<Object>>> = BTreeMap::new();
    for pod in of_kind(Kind::Pod) {
        by_node
            .entry(pod.at("spec.nodeName").str_or_empty())
            .or_default()
            .push(pod);
    }
    for pods in by_node.values_mut() {
        podscope_api::sort::by_key(pods, |p| (p.created(), p.key()));
    }
    let mut nodes = Vec::new();
    for (i, machine) in cluster.nodes().iter().enumerate() {
        let quiet = silent.get(i).copied().unwrap_or(false);
        let key = podscope_api::Key::new("", machine.config.name.clone());
        let Some(node) = cluster.etcd().get(Kind::Node, &key).map(|s| &s.object) else {
            continue;
        };
        let pods = by_node.remove(node.name()).unwrap_or_default();
        nodes.push(node_view(session, node, &pods, machine.id, quiet));
    }
    let pending: Vec<PodView> = by_node
        .remove("")
        .unwrap_or_default()
        .iter()
        .map(|p| pod_view(session, p, false))
        .collect();
    let timers = crate::deadlines::views(session);
    let faults = crate::faults::views(session);
    let index = session.index();
    let phases = index.entries()[..shown.min(index.entries().len())]
        .iter()
        .filter(|e| e.phase.is_some())
        .count();
    // Leases and heartbeats go on for ever; the picture stays calm.
    let quiet = shown
        .checked_sub(1)
        .and_then(|last| index.entries().get(last))
        .is_some_and(|entry| entry.background);
    let rest = index.entries().get(shown..).unwrap_or(&[]);
    let at_end = rest.iter().all(|e| e.background);
    let cursor = Cursor {
        event: EventIndex::try_from(shown).unwrap_or(EventIndex::MAX),
        time: cluster.now().0.saturating_mul(1_000),
        phase: phases.checked_sub(1).and_then(|p| u16::try_from(p).ok()),
        at_end,
        stable: cluster.is_stable(),
    };
    ClusterView {
        cursor,
        components: components::views(session).into(),
        nodes: nodes.into(),
        pending: pending.into(),
        etcd: etcd_members(session).into(),
        revision: cluster.etcd().revision(),
        messages: event
            .filter(|_| !quiet)
            .map(|e| messages(session, e))
            .unwrap_or_default()
            .into(),
        focus: event
            .filter(|_| !quiet)
            .map(|e| focus(session, e))
            .unwrap_or_default(),
        next_deadline: timers
            .iter()
            .filter_map(|t| t.due)
            .filter(|due| *due > cursor.time)
            .min(),
        timers: timers.into_iter().take(MAX_TIMERS).collect(),
        faults: faults.into(),
        now: event.map(|e| crate::explain::msg(session, e)),
        summary: of_kind(Kind::Deployment).map(|d| summary(d)).collect(),
    }
}

#[inline(never)]
fn summary(deployment: &Object) -> Msg {
    Msg::new(
        "summary.deployment",
        vec![
            ("name", Arg::Text(deployment.name().into())),
            (
                "ready",
                Arg::Count(deployment.at("status.readyReplicas").as_int().unwrap_or(0)),
            ),
            (
                "desired",
                Arg::Count(deployment.at("spec.replicas").as_int().unwrap_or(0)),
            ),
        ],
    )
}

/// The etcd members at the cursor.
pub fn etcd_members(session: &Session) -> Vec<EtcdMemberView> {
    let cluster = session.simulation().cluster();
    let etcd = cluster.etcd();
    (0..etcd.members())
        .map(|m| EtcdMemberView {
            name: format!("etcd-{}", m + 1).into(),
            leader: m == etcd.leader(),
            up: !cluster.network().etcd_down.contains(&m),
            index: if cluster.network().etcd_down.contains(&m) {
                last_of_member(session, m)
            } else {
                etcd.revision()
            },
        })
        .collect()
}

/// The revision that a member had when it went down.
fn last_of_member(session: &Session, member: u8) -> u64 {
    let name = member.to_string();
    let down = podscope_cluster::faults::active(session.simulation().cluster());
    let since = down
        .into_iter()
        .filter(|(_, f)| f.kind == "etcd-member-down" && *f.target == *name)
        .map(|(_, f)| f.since)
        .min();
    let mut commits = session
        .shown_log()
        .iter()
        .rev()
        .filter(|e| e.code == "etcd.commit");
    let before = commits.find(|e| since.is_none_or(|since| e.at <= since));
    let revision = before.and_then(|e| e.arg("revision").as_int());
    u64::try_from(revision.unwrap_or(1)).unwrap_or(1)
}

fn quantity(value: &Value) -> Option<Quantity> {
    Quantity::from_value(value)
}

fn node_view(
    session: &Session,
    node: &Object,
    pods: &[&Rc<Object>],
    machine: u16,
    silent: bool,
) -> NodeView {
    let ready = node.condition("Ready").get("status").str_or_empty() == "True";
    let cordoned = node.at("spec.unschedulable").is_true();
    let mut status = String::from(if ready { "Ready" } else { "NotReady" });
    if cordoned {
        status.push_str(",SchedulingDisabled");
    }
    let allocatable = |resource: &str| quantity(node.at("status.allocatable").get(resource));
    let (cpu, memory) = (
        allocatable("cpu").map_or(0, |q| q.milli_value()),
        allocatable("memory").map_or(0, |q| q.value()),
    );
    let (mut cpu_used, mut memory_used) = (0i64, 0i64);
    for pod in pods {
        if matches!(
            pod.at("status.phase").str_or_empty(),
            "Succeeded" | "Failed"
        ) {
            continue;
        }
        for container in pod.at("spec.containers").items() {
            let requests = container.get("resources").get("requests");
            cpu_used += quantity(requests.get("cpu")).map_or(0, |q| q.milli_value());
            memory_used += quantity(requests.get("memory")).map_or(0, |q| q.value());
        }
    }
    let cores = if cpu % 1000 == 0 {
        (cpu / 1000).to_string()
    } else {
        format!("{}m", cpu)
    };
    let capacity = format!("{cores} CPU  {} GiB", memory >> 30);
    NodeView {
        name: node.name().into(),
        zone: node
            .label("topology.kubernetes.io/zone")
            .unwrap_or("")
            .into(),
        look: match (silent, ready) {
            (true, _) => NodeLook::Silent,
            (false, true) => NodeLook::Ready,
            (false, false) => NodeLook::NotReady,
        },
        status: status.into(),
        cordoned,
        capacity: capacity.into(),
        cpu_milli: (cpu_used, cpu),
        memory: (memory_used, memory),
        pods: pods.iter().map(|p| pod_view(session, p, silent)).collect(),
        kubelet: components::number(ComponentId::Kubelet(machine)),
        alive: !silent,
    }
}

/// A Pod as it is drawn; `silent` when its node cannot be heard.
#[inline(never)]
pub fn pod_view(session: &Session, pod: &Object, silent: bool) -> PodView {
    let now = session.simulation().wall();
    let cells = podscope_kubectl::row(Kind::Pod, pod, false, now);
    let cell = |i: usize| cells.get(i).map(ToString::to_string).unwrap_or_default();
    let (ready_text, status) = (cell(1), cell(2));
    let phase = pod.at("status.phase").str_or_empty();
    let is_ready = pod.condition_true("Ready");
    let scheduled = pod.condition("PodScheduled");
    let unschedulable = scheduled.get("reason").as_str() == Some("Unschedulable");
    let statuses = pod.at("status.containerStatuses").items();
    let failing = statuses.iter().any(|s| {
        let reason = s.at("state.waiting.reason").str_or_empty();
        reason.ends_with("BackOff") || reason.starts_with("Err") || reason.ends_with("Error")
    });
    let look = if silent && !pod.at("spec.nodeName").is_null() {
        PodLook::Doubtful
    } else if pod.is_being_deleted() {
        let grace = pod
            .at("metadata.deletionGracePeriodSeconds")
            .as_int()
            .unwrap_or(0)
            .max(1);
        let left = pod
            .deleted()
            .map_or(0, |d| d.0 - now.0)
            .clamp(0, grace * 1_000_000);
        PodLook::Terminating(u16::try_from(left / (grace * 1_000)).unwrap_or(0).min(1000))
    } else {
        match phase {
            "Succeeded" => PodLook::Succeeded,
            "Failed" => PodLook::Failed,
            _ if failing => PodLook::Failed,
            "Running" if is_ready => PodLook::Ready,
            "Running" => PodLook::Running,
            _ if !pod.at("spec.nodeName").str_or_empty().is_empty() => {
                PodLook::Creating(progress(session, pod))
            }
            _ if unschedulable => PodLook::Unschedulable,
            _ => PodLook::Planned,
        }
    };
    let message = [scheduled.get("message"), pod.at("status.message")]
        .into_iter()
        .chain(statuses.iter().map(|s| s.at("state.waiting.message")))
        .find_map(|v| v.as_str().filter(|s| !s.is_empty()))
        .map(Text::from);
    PodView {
        object: object_ref(Kind::Pod, &pod.key()),
        look,
        status: status.into(),
        ready: ready_text.into(),
        ip: pod.at("status.podIP").str_or_empty().into(),
        message,
        containers: containers(pod).into(),
    }
}

/// How far a Pod's creation has come, in thousandths: bound, sandbox, containers.
fn progress(_session: &Session, pod: &Object) -> u16 {
    let statuses = pod.at("status.containerStatuses").items();
    let started = statuses
        .iter()
        .filter(|s| !s.at("state.running").is_null())
        .count();
    let sandbox = pod.condition_true("PodReadyToStartContainers");
    let total = pod.at("spec.containers").items().len().max(1);
    let base = if sandbox {
        400
    } else if !statuses.is_empty() {
        200
    } else {
        100
    };
    base + u16::try_from(started * 500 / total).unwrap_or(0)
}

fn containers(pod: &Object) -> Vec<ContainerView> {
    let statuses = pod.at("status.containerStatuses").items();
    pod.at("spec.containers")
        .items()
        .iter()
        .map(|c| {
            let name = c.get("name").str_or_empty();
            let status = statuses
                .iter()
                .find(|s| s.get("name").as_str() == Some(name));
            let none = Value::Null;
            let status = status.unwrap_or(&none);
            let state = status.get("state");
            let (look, reason) = if !state.get("running").is_null() {
                let look = if status.get("ready").is_true() {
                    ContainerLook::Ready
                } else {
                    ContainerLook::Running
                };
                (look, "")
            } else if !state.get("terminated").is_null() {
                let ok = state.at("terminated.exitCode").as_int() == Some(0);
                let look = if ok {
                    ContainerLook::Exited
                } else {
                    ContainerLook::Failed
                };
                (look, state.at("terminated.reason").str_or_empty())
            } else {
                (
                    ContainerLook::Waiting,
                    state.at("waiting.reason").str_or_empty(),
                )
            };
            ContainerView {
                name: name.into(),
                image: c.get("image").str_or_empty().into(),
                look,
                reason: reason.into(),
                restarts: u32::try_from(status.get("restartCount").as_int().unwrap_or(0))
                    .unwrap_or(0),
            }
        })
        .collect()
}

/// The messages that an event sent or delivered.
#[inline(never)]
pub fn messages(session: &Session, event: &TraceEvent) -> Vec<MessageView> {
    let actor = components::number(event.actor);
    let api = components::API_SERVER;
    let message = |kind, from, to, label: String, ok| {
        vec![MessageView {
            kind,
            from,
            to,
            label: label.into(),
            ok,
        }]
    };
    match (event.code, &event.data) {
        ("client.request", Data::Request(r)) => {
            let label = format!(
                "{} {}",
                r.verb.method(),
                podscope_cluster::apiserver::resource(r)
            );
            message(MessageKind::Request, actor, api, label, true)
        }
        ("client.response", _) => {
            let code = event.arg("code").as_int().unwrap_or(0);
            message(
                MessageKind::Response,
                api,
                actor,
                code_text(code),
                code < 400,
            )
        }
        ("client.no_answer", _) => message(
            MessageKind::NoAnswer,
            actor,
            api,
            event.arg("message").str_or_empty().into(),
            false,
        ),
        ("watch.event", _) => {
            let kind = event.subject.as_ref().map_or("", |s| s.kind.name());
            let label = format!("{} {kind}", event.arg("type").str_or_empty());
            // The controller manager's caches are shared: the controller that acts on it shows it.
            let to = match event.actor {
                ComponentId::Controller(_) => {
                    next_actor(session, event).map_or(actor, components::number)
                }
                _ => actor,
            };
            message(MessageKind::Watch, api, to, label, true)
        }
        ("etcd.propose", _) => {
            let key = event.arg("key").str_or_empty();
            message(
                MessageKind::Request,
                api,
                components::ETCD,
                format!("PUT {key}"),
                true,
            )
        }
        ("etcd.commit", _) => {
            let revision = event.arg("revision").as_int().unwrap_or(0);
            message(
                MessageKind::Response,
                components::ETCD,
                api,
                format!("revision {revision}"),
                true,
            )
        }
        (code, Data::Call(_, _)) if event.actor.machine().is_some() => {
            let machine = event.actor.machine().unwrap_or(0);
            let kubelet = components::number(ComponentId::Kubelet(machine));
            let label = code.rsplit('.').next().unwrap_or(code).to_string();
            message(MessageKind::Local, kubelet, actor, label, true)
        }
        _ => Vec::new(),
    }
}

/// The controller that goes on because of this event, looking a little ahead.
fn next_actor(session: &Session, event: &TraceEvent) -> Option<ComponentId> {
    let from = usize::try_from(event.id.0).ok()? + 1;
    session
        .log()
        .get(from..)?
        .iter()
        .take(400)
        .find(|e| e.cause == Some(event.id) && matches!(e.actor, ComponentId::Controller(_)))
        .map(|e| e.actor)
}

/// `201 Created` and so on.
pub fn code_text(code: i64) -> String {
    let word = match code {
        200 => "OK",
        201 => "Created",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        410 => "Gone",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        504 => "Gateway Timeout",
        _ => "",
    };
    format!("{code} {word}").trim_end().to_string()
}

#[inline(never)]
fn focus(session: &Session, event: &TraceEvent) -> Focus {
    let mut objects: Vec<ObjectRef> = event
        .subject
        .iter()
        .map(|s| object_ref(s.kind, &s.key))
        .collect();
    if let Data::Request(r) = &event.data {
        let mut key = podscope_api::Key::new(r.namespace.clone(), r.name.clone());
        if let podscope_api::Body::Object(o) = &r.body
            && key.name.is_empty()
        {
            key = o.key();
        }
        if !key.name.is_empty() {
            objects.push(object_ref(r.kind, &key));
        }
    }
    objects.dedup();
    let node = event
        .actor
        .machine()
        .map(|n| session.node_name(n).into())
        .or_else(|| {
            event
                .subject
                .as_ref()
                .filter(|s| s.kind == Kind::Node)
                .map(|s| s.key.name.clone())
        });
    Focus {
        component: Some(components::number(event.actor)),
        objects: objects.into(),
        node,
        lines: crate::manifest_line::of(session, event),
    }
}
