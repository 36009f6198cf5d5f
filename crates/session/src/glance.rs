//! etcd, the scheduler's queue and a machine in detail, as the inspector lists them.

use crate::cluster_view::{etcd_members, object_ref};
use crate::inside_node::{namespaced, plain};
use crate::session::Session;
use crate::view::*;
use podscope_api::{Kind, Value};
use podscope_cluster::node::runtime::{node_ip, plugin_of};
use podscope_cluster::scheduler::queue::{FLUSH_UNSCHEDULABLE, MAX_UNSCHEDULABLE, Place};
use std::rc::Rc;

/// The most lines of each list of a machine.
const MAX_LIST: usize = 500;
/// The most Pods of the queue.
const MAX_QUEUE: usize = 300;
/// The most tries of the scheduler.
const MAX_ATTEMPTS: usize = 60;
/// How far back tries are looked for.
const LOOK_BACK: usize = 200_000;

/// etcd at a glance.
pub fn etcd(session: &Session) -> EtcdOverview {
    let etcd = session.simulation().cluster().etcd();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    EtcdOverview {
        members: etcd_members(session).into(),
        term: etcd.term(),
        quorum: count(etcd.quorum()),
        revision: etcd.revision(),
        compacted: etcd.oldest(),
        kept: count(etcd.changes_after(0).count()),
    }
}

/// The scheduler's queue and its last tries.
pub fn scheduler(session: &Session) -> SchedulerQueues {
    let queue = session.simulation().cluster().scheduler().queue();
    let row = |w: &podscope_cluster::scheduler::queue::Waiting| {
        let until = matches!(w.place, Place::Backoff | Place::ErrorBackoff);
        let nanos = |at: podscope_kernel::SimTime| at.0.saturating_mul(1_000);
        let waits = w.place == Place::Unschedulable && w.gate.is_empty();
        let overdue = (w.since + MAX_UNSCHEDULABLE).next_multiple(FLUSH_UNSCHEDULABLE);
        QueueRow {
            pod: object_ref(Kind::Pod, &w.pod.key),
            place: match w.place {
                Place::Active => "queue.active",
                Place::InFlight => "queue.in-flight",
                Place::Backoff | Place::ErrorBackoff => "queue.backoff",
                Place::Unschedulable => "queue.unschedulable",
            },
            since: w.since.0.saturating_mul(1_000),
            until: until.then(|| nanos(w.expiry())),
            flush: waits.then(|| nanos(overdue)),
            attempts: w.attempts,
            rejected_by: w.rejected_by.iter().map(|p| p.name().into()).collect(),
            nominated: w.pod.nominated().into(),
            gate: w.gate.as_str().into(),
        }
    };
    let log = session.shown_log();
    let recent = &log[log.len().saturating_sub(LOOK_BACK)..];
    let mut attempts: Vec<AttemptRow> = Vec::new();
    // Backwards: a try's outcome is met before its beginning.
    let mut outcomes: Vec<(&podscope_cluster::trace::Subject, Text, Text)> = Vec::new();
    for event in recent.iter().rev() {
        let Some(subject) = event.subject.as_ref().filter(|s| s.kind == Kind::Pod) else {
            continue;
        };
        match event.code {
            "scheduler.choose" => {
                outcomes.push((subject, event.arg("node").str_or_empty().into(), "".into()));
            }
            "scheduler.unschedulable" | "scheduler.failed" => {
                let message = event.arg("message").str_or_empty();
                outcomes.push((subject, "".into(), message.into()));
            }
            "scheduler.cycle" => {
                let place = outcomes.iter().position(|(s, ..)| *s == subject);
                let (node, message) = match place.map(|i| outcomes.remove(i)) {
                    Some((_, node, message)) => (node, message),
                    None => ("".into(), "".into()),
                };
                attempts.push(AttemptRow {
                    pod: object_ref(subject.kind, &subject.key),
                    at: event.at.0.saturating_mul(1_000),
                    event: EventIndex::try_from(event.id.0 + 1).unwrap_or(EventIndex::MAX),
                    attempt: event
                        .arg("attempt")
                        .as_int()
                        .and_then(|n| u32::try_from(n).ok())
                        .unwrap_or(1),
                    node,
                    message,
                });
                if attempts.len() >= MAX_ATTEMPTS {
                    break;
                }
            }
            _ => {}
        }
    }
    SchedulerQueues {
        queue: queue.iter().take(MAX_QUEUE).map(|(_, w)| row(w)).collect(),
        attempts: attempts.into(),
    }
}

/// A machine in detail; `None` when there is none of this name.
pub fn node(session: &Session, name: &str) -> Option<NodeDetail> {
    let cluster = session.simulation().cluster();
    let node = cluster.nodes().iter().find(|n| &*n.config.name == name)?;
    let runtime = node.runtime();
    let mut owned: Vec<(u32, NodeProcess)> = Vec::new();
    let mut cgroups = Vec::new();
    let mut volumes = Vec::new();
    for (uid, record) in runtime.pods() {
        let pod = object_ref(Kind::Pod, &record.key);
        let mut process = |pid: u32, command: String, container: &str| {
            let process = NodeProcess {
                pid,
                command: command.into(),
                pod: Some(pod.clone()),
                container: container.into(),
            };
            owned.push((pid, process));
        };
        if let Some(sandbox) = record.sandbox.as_ref().filter(|s| s.ready) {
            process(sandbox.pid, "/pause".into(), "pause");
        }
        for container in record.containers.iter().filter(|c| c.pid != 0) {
            process(container.pid, container.argv.join(" "), &container.name);
        }
        for (path, files) in runtime.cgroups(uid) {
            let files = files
                .entries()
                .iter()
                .map(|(name, value)| (Text::from(&**name), Text::from(plain(value))));
            cgroups.push(CgroupFiles {
                path: path.into(),
                pod: pod.clone(),
                files: files.collect(),
            });
        }
        let spec = record.pod.spec();
        for volume in spec.get("volumes").items() {
            let name = volume.get("name").str_or_empty();
            volumes.push(VolumeView {
                pod: pod.clone(),
                name: name.into(),
                plugin: plugin_of(volume).into(),
                source: source(volume).into(),
                mounts: mounts(spec, name),
            });
        }
    }
    podscope_api::sort::by_key(&mut owned, |(pid, _)| *pid);
    owned.truncate(MAX_LIST);
    cgroups.truncate(MAX_LIST);
    volumes.truncate(MAX_LIST);
    let images = runtime.images().values().take(MAX_LIST).map(|s| ImageView {
        name: s.image.name.clone(),
        bytes: s.image.layers.iter().map(|l| l.bytes).sum(),
        layers: s.image.layers.iter().map(|l| (l.bytes, l.bytes)).collect(),
    });
    Some(NodeDetail {
        node: node.config.name.clone(),
        ip: node_ip(node.id).into(),
        pod_cidr: runtime.addresses().cidr().into(),
        processes: owned.into_iter().map(|(_, p)| p).collect(),
        sandboxes: namespaced(session, node),
        cgroups: cgroups.into(),
        images: images.collect(),
        volumes: volumes.into(),
        routes: runtime.routes().into_iter().map(Text::from).collect(),
    })
}

/// What a volume is made from.
fn source(volume: &Value) -> String {
    let kinds = [
        ("configMap", "name"),
        ("secret", "secretName"),
        ("persistentVolumeClaim", "claimName"),
        ("hostPath", "path"),
    ];
    for (kind, field) in kinds {
        let name = volume.get(kind).get(field).str_or_empty();
        if !name.is_empty() {
            return format!("{kind} {name}");
        }
    }
    let parts = volume.at("projected.sources").items().iter();
    let parts = parts.flat_map(|s| {
        s.entries()
            .iter()
            .map(|(name, _)| name.to_string())
            .collect::<Vec<_>>()
    });
    parts.collect::<Vec<_>>().join(", ")
}

fn mounts(spec: &Value, volume: &str) -> Rc<[Text]> {
    let containers = [spec.get("initContainers"), spec.get("containers")];
    let mut out: Vec<Text> = Vec::new();
    for container in containers.iter().flat_map(|list| list.items()) {
        for mount in container.get("volumeMounts").items() {
            if mount.get("name").as_str() == Some(volume) {
                let (name, path) = (container.get("name"), mount.get("mountPath"));
                out.push(format!("{}: {}", name.str_or_empty(), path.str_or_empty()).into());
            }
        }
    }
    out.into()
}
