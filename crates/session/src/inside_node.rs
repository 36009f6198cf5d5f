//! The inside of a node: calls, sandboxes, cgroups, network.

use crate::cluster_view::object_ref;
use crate::session::Session;
use crate::view::*;
use podscope_api::{Key, Kind, Value};
use podscope_cluster::node::Node;
use podscope_cluster::node::kubelet::worker::{Doing, Mode, Worker};
use podscope_cluster::node::runtime::{Container, ContainerState, PodRecord};
use podscope_cluster::{ComponentId as Id, Data, TraceEvent};

/// The most calls that are shown.
const MAX_CALLS: usize = 200;
/// The most sandboxes that are shown.
const MAX_SANDBOXES: usize = 60;

/// What the stage shows of a machine.
pub fn inside(session: &Session, machine: u16) -> InsideView {
    let cluster = session.simulation().cluster();
    let Some(node) = cluster.nodes().iter().find(|n| n.id == machine) else {
        return InsideView::Nothing;
    };
    let focus = focus(session, machine);
    let runtime = node.runtime();
    let mut records: Vec<(&Text, &PodRecord)> = runtime.pods().collect();
    podscope_api::sort::by_key(&mut records, |(_, r)| {
        (Some(&r.key) != focus.as_ref(), r.key.clone())
    });
    let first = records
        .first()
        .filter(|(_, r)| Some(&r.key) == focus.as_ref())
        .or(records.first());
    let cgroups = first.map(|(uid, _)| cgroups(node, uid)).unwrap_or_default();
    let sandboxes = records
        .iter()
        .take(MAX_SANDBOXES)
        .filter_map(|(_, r)| sandbox(session, node, r));
    let images = runtime.images().values().map(|s| ImageView {
        name: s.image.name.clone(),
        bytes: s.image.layers.iter().map(|l| l.bytes).sum(),
        layers: s.image.layers.iter().map(|l| (l.bytes, l.bytes)).collect(),
    });
    let rules = node
        .proxy()
        .rules()
        .flat_map(|(_, ports)| ports)
        .flat_map(|p| &p.chains)
        .flat_map(|(_, rules)| rules.iter().cloned())
        .take(400);
    InsideView::Node(NodeInside {
        node: node.config.name.clone(),
        calls: focus
            .as_ref()
            .map(|key| calls(session, machine, key))
            .unwrap_or_default()
            .into(),
        sandboxes: sandboxes.collect(),
        cgroups: cgroups.into(),
        bridge: (
            "cni0".into(),
            format!("{}/24", runtime.addresses().gateway()).into(),
        ),
        images: images.collect(),
        routes: runtime.routes().into_iter().map(Text::from).collect(),
        rules: rules.collect(),
        workers: workers(session, node, focus.as_ref()).into(),
        pulls: pulls(session, machine).into(),
    })
}

/// All sandboxes of a machine with their namespaces, at most 60.
pub fn namespaced(session: &Session, node: &Node) -> std::rc::Rc<[SandboxView]> {
    let pods = node.runtime().pods().take(MAX_SANDBOXES);
    pods.filter_map(|(_, r)| sandbox(session, node, r))
        .collect()
}

/// The Pod that the machine was last busy with.
fn focus(session: &Session, machine: u16) -> Option<Key> {
    session
        .shown_log()
        .iter()
        .rev()
        .take(50_000)
        .filter(|e| e.actor.machine() == Some(machine))
        .filter_map(|e| e.subject.as_ref())
        .find(|s| s.kind == Kind::Pod)
        .map(|s| s.key.clone())
}

/// The lane and name of a call that ends with this event.
fn call(event: &TraceEvent) -> Option<(u8, String)> {
    let container = event.arg("container").str_or_empty();
    let with = |name: &str| format!("{name} {container}").trim_end().to_string();
    Some(match event.code {
        "cri.run_pod_sandbox" => (1, "RunPodSandbox".into()),
        "cri.pull_image" => (1, "PullImage".into()),
        "cri.create_container" => (1, with("CreateContainer")),
        "cri.start_container" => (1, with("StartContainer")),
        "cri.stop_container" => (1, with("StopContainer")),
        "cri.stop_pod_sandbox" => (1, "StopPodSandbox".into()),
        "cri.failed" => (1, event.arg("call").str_or_empty().to_string()),
        "cni.add" => (2, "ADD bridge".into()),
        "cni.del" => (2, "DEL bridge".into()),
        "runc.create" => (3, with("create")),
        "runc.start" => (3, with("start")),
        "runc.kill" => (3, with("kill")),
        "kubelet.admitted" => (0, "admit".into()),
        "kubelet.cgroup" => (0, "cgroup".into()),
        "kubelet.volumes" => (0, "volumes".into()),
        _ => return None,
    })
}

fn calls(session: &Session, machine: u16, pod: &Key) -> Vec<CallView> {
    let log = session.shown_log();
    let mine: Vec<&TraceEvent> = log
        .iter()
        .filter(|e| e.actor.machine() == Some(machine))
        .filter(|e| {
            e.subject
                .as_ref()
                .is_some_and(|s| s.kind == Kind::Pod && s.key == *pod)
        })
        .collect();
    let nanos = |e: &TraceEvent| e.at.0.saturating_mul(1_000);
    let number = |e: &TraceEvent| EventIndex::try_from(e.id.0 + 1).unwrap_or(EventIndex::MAX);
    let mut out: Vec<CallView> = Vec::new();
    // A CRI call begins when the kubelet sends it; what the runtime does for it begins where the part before ended.
    let (mut open, mut part): (Option<&TraceEvent>, Nanos) = (None, 0);
    for event in &mine {
        if event.code == "cri.call" {
            open = Some(event);
            part = nanos(event);
            continue;
        }
        let Some((lane, name)) = call(event) else {
            continue;
        };
        let from = match (lane, open) {
            (1, Some(begin)) => nanos(begin),
            (0, _) | (_, None) => nanos(event),
            _ => part,
        };
        out.push(CallView {
            lane,
            name: name.into(),
            from,
            to: Some(nanos(event)),
            failed: event.code == "cri.failed",
            event: number(event),
        });
        part = nanos(event);
        if lane == 1 {
            open = None;
        }
    }
    if let Some(begin) = open {
        out.push(CallView {
            lane: 1,
            name: begin.arg("call").str_or_empty().into(),
            from: nanos(begin),
            to: None,
            failed: false,
            event: number(begin),
        });
    }
    let skip = out.len().saturating_sub(MAX_CALLS);
    out.split_off(skip)
}

fn sandbox(session: &Session, node: &Node, record: &PodRecord) -> Option<SandboxView> {
    let sandbox = record.sandbox.as_ref()?;
    let gateway = node.runtime().addresses().gateway();
    let current = session.shown_log().last();
    let now = |container: &str| {
        current.is_some_and(|e| {
            e.actor == Id::Runtime(node.id)
                && e.subject.as_ref().is_some_and(|s| s.key == record.key)
                && e.arg("container").str_or_empty() == container
        })
    };
    let worker = node.kubelet().worker(&record.key);
    let mut processes = vec![ProcessView {
        container: "pause".into(),
        command: "/pause".into(),
        pid: if sandbox.ready { sandbox.pid } else { 0 },
        look: match worker {
            _ if sandbox.ready => ContainerLook::Running,
            Some(worker) if worker.mode == Mode::Syncing => ContainerLook::Waiting,
            _ => ContainerLook::Exited,
        },
        now: now("pause"),
        probes: Vec::new().into(),
    }];
    for c in &record.containers {
        let look = match (c.state, c.exit_code) {
            (ContainerState::Created, _) => ContainerLook::Waiting,
            (ContainerState::Running, _) => ContainerLook::Running,
            (ContainerState::Exited, 0) => ContainerLook::Exited,
            (ContainerState::Exited, _) => ContainerLook::Failed,
        };
        processes.push(ProcessView {
            container: c.name.clone(),
            command: c.argv.join(" ").into(),
            pid: c.pid,
            look,
            now: now(&c.name),
            probes: worker.map(|w| probes(w, c)).unwrap_or_default().into(),
        });
    }
    let namespaces = namespaces(sandbox.pid, &processes);
    let address = if sandbox.link.ip.is_empty() {
        String::new()
    } else {
        format!("{}/24", sandbox.link.ip)
    };
    Some(SandboxView {
        id: sandbox.id.get(..13).unwrap_or(&sandbox.id).into(),
        pod: object_ref(Kind::Pod, &record.key),
        processes: processes.into(),
        namespaces: namespaces.into(),
        address: address.into(),
        gateway: gateway.into(),
        mac: sandbox.link.mac.clone(),
        veth: sandbox.link.veth.clone(),
    })
}

/// The probes of a container, while it runs.
fn probes(worker: &Worker, container: &Container) -> Vec<ProbeLine> {
    let slots = worker.slots.iter();
    slots
        .flat_map(|slot| slot.probes.iter())
        .filter(|p| p.container == container.id)
        .map(|p| ProbeLine {
            kind: p.kind.name().into(),
            ok: p.decided.then_some(p.result),
            next: p.next.0.saturating_mul(1_000),
        })
        .collect()
}

/// What the kubelet's workers are doing, the one in focus first.
fn workers(session: &Session, node: &Node, focus: Option<&Key>) -> Vec<WorkerLine> {
    let current = session.shown_log().last();
    let touched = |key: &Key| {
        current.is_some_and(|e| {
            e.actor.machine() == Some(node.id) && e.subject.as_ref().is_some_and(|s| s.key == *key)
        })
    };
    let mut list: Vec<(&Key, &Worker)> = node.kubelet().workers().collect();
    podscope_api::sort::by_key(&mut list, |(key, _)| (Some(*key) != focus, (*key).clone()));
    list.into_iter()
        .take(MAX_SANDBOXES)
        .map(|(key, worker)| WorkerLine {
            pod: object_ref(Kind::Pod, key),
            doing: doing(worker),
            waiting: worker
                .slots
                .iter()
                .filter(|s| !s.running())
                .find_map(|s| s.waiting.as_ref())
                .map(|(reason, _)| reason.clone()),
            now: touched(key),
        })
        .collect()
}

fn doing(worker: &Worker) -> Msg {
    let slot = |code, slot: u8| {
        let name = worker.slots.get(usize::from(slot)).map(|s| s.name.clone());
        let name = name.unwrap_or_else(|| "".into());
        Msg::new(code, vec![("container", Arg::Text(name))])
    };
    let running = worker.slots.iter().filter(|s| s.running()).count();
    match worker.doing {
        Doing::Volumes => Msg::plain("doing.volumes"),
        Doing::Sandbox => Msg::plain("doing.sandbox"),
        Doing::OldSandbox | Doing::StopSandbox => Msg::plain("doing.stop-sandbox"),
        Doing::Image(n) => slot("doing.image", n),
        Doing::Create(n) => slot("doing.create", n),
        Doing::Start(n) => slot("doing.start", n),
        Doing::Stop(_) => Msg::plain("doing.stop"),
        Doing::CleanUp => Msg::plain("doing.clean-up"),
        Doing::Nothing if worker.mode == Mode::Terminated => Msg::plain("doing.ended"),
        Doing::Nothing => {
            let n = i64::try_from(running).unwrap_or(0);
            Msg::new("doing.watches", vec![("n", Arg::Count(n))])
        }
    }
}

/// Images that are being pulled, with the bytes that are here by now: all layers at the same pace,
/// from the moment that the manifest was known to the moment that the trace has for the end.
fn pulls(session: &Session, machine: u16) -> Vec<PullLine> {
    let here = |e: &&TraceEvent| e.actor == Id::Runtime(machine);
    let shown = session.shown_log();
    let mut open: Vec<&TraceEvent> = Vec::new();
    for event in shown.iter().rev().take(20_000).filter(here) {
        let same = |e: &&TraceEvent| e.arg("image") == event.arg("image");
        match event.code {
            "cri.pull_image" | "image.unpack" => open.push(event),
            "image.manifest" if !open.iter().any(same) => open.push(event),
            _ => {}
        }
    }
    let now = session.simulation().cluster().now().0;
    open.into_iter()
        .filter(|e| e.code == "image.manifest")
        .map(|manifest| {
            let rest = session.log().get(shown.len()..).unwrap_or(&[]);
            let end = rest
                .iter()
                .filter(here)
                .find(|e| e.code == "image.unpack" && e.arg("image") == manifest.arg("image"));
            let whole = end.map_or(0, |e| e.at.0.saturating_sub(manifest.at.0));
            let passed = now.saturating_sub(manifest.at.0).min(whole);
            let layers = match &manifest.data {
                Data::Json(data) => data.get("layers").items(),
                _ => &[],
            };
            let layer = |layer: &Value| {
                let bytes = u64::try_from(layer.get("size").as_int().unwrap_or(0)).unwrap_or(0);
                let part = u128::from(bytes) * u128::from(passed) / u128::from(whole.max(1));
                let done = if layer.get("present").is_true() {
                    bytes
                } else {
                    u64::try_from(part).unwrap_or(bytes)
                };
                (bytes, done)
            };
            PullLine {
                image: manifest.arg("image").str_or_empty().into(),
                layers: layers.iter().map(layer).collect(),
                event: crate::requests::number(manifest),
            }
        })
        .collect()
}

/// Namespaces by kind: one inode number when shared by the Pod, one per process otherwise. The kernel
/// numbers them upwards; here the number follows from the process that made the namespace.
fn namespaces(pause: u32, processes: &[ProcessView]) -> Vec<NamespaceView> {
    const BASE: u64 = 4_026_532_000;
    let inode = |pid: u32, n: u64| BASE + u64::from(pid) * 8 + n;
    let shared = [("net", 0), ("ipc", 1), ("uts", 2)];
    let own = [("pid", 3), ("mnt", 4), ("cgroup", 5)];
    let shared = shared.iter().map(|(kind, n)| NamespaceView {
        kind: (*kind).into(),
        inodes: vec![inode(pause, *n)].into(),
    });
    let own = own.iter().map(|(kind, n)| NamespaceView {
        kind: (*kind).into(),
        inodes: processes
            .iter()
            .filter(|p| p.pid != 0)
            .map(|p| inode(p.pid, *n))
            .collect(),
    });
    shared.chain(own).collect()
}

fn cgroups(node: &Node, uid: &str) -> Vec<CgroupView> {
    let files = node.runtime().cgroups(uid);
    let mut out = Vec::new();
    for (i, (path, files)) in files.iter().enumerate() {
        let file = |name: &str| text(files.get(name));
        if i == 0 {
            let parts: Vec<&str> = path.split('/').collect();
            for (depth, part) in parts.iter().enumerate().take(parts.len().saturating_sub(1)) {
                out.push(CgroupView {
                    depth: u8::try_from(depth).unwrap_or(u8::MAX),
                    name: (*part).into(),
                    weight: "".into(),
                    limit: "".into(),
                });
            }
        }
        let depth = path.matches('/').count();
        let name = path.rsplit('/').next().unwrap_or(path);
        let (cpu, memory) = (file("cpu.max"), file("memory.max"));
        let limit = [("cpu.max", cpu), ("memory.max", memory)]
            .into_iter()
            .filter(|(_, t)| !t.is_empty())
            .map(|(name, t)| format!("{name} {t}"))
            .collect::<Vec<_>>()
            .join(", ");
        out.push(CgroupView {
            depth: u8::try_from(depth).unwrap_or(u8::MAX),
            name: name.into(),
            weight: file("cpu.weight").into(),
            limit: limit.into(),
        });
    }
    out
}

/// A file's content as text.
pub fn plain(value: &Value) -> String {
    text(value)
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Str(s) => s.to_string(),
        other => podscope_api::json::to_string(other),
    }
}
