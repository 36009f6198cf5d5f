//! How many Pods the scheduler places in a second: its own loop, without API server and kubelets.

use crate::clock;
use crate::table::Table;
use podscope_api::{Kind, Object, Value, value};
use podscope_cluster::client::informer::{CacheEvent, Caches};
use podscope_cluster::entry::Entry;
use podscope_cluster::scheduler::Scheduler;
use podscope_cluster::scheduler::cache::Cache;
use podscope_cluster::scheduler::framework::schedule;
use podscope_cluster::scheduler::pod_info::PodInfo;
use podscope_cluster::scheduler::profile::Profile;
use podscope_cluster::scheduler::queue::SchedulingQueue;
use podscope_cluster::sim::Sim;
use podscope_cluster::{ClusterConfig, ComponentId, Data};
use podscope_session::SimTime;
use std::hint::black_box;
use std::rc::Rc;

/// What the Pods ask for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Workload {
    /// CPU and memory only.
    Simple,
    /// Of ReplicaSets, so that the built-in spreading applies.
    Replicas,
    /// Near to Pods of their group by zone, rather not on one host.
    Affinity,
    /// Never two of a group on one host.
    AntiAffinity,
    /// Evenly over zones, rather evenly over hosts.
    Spread,
}

const WORKLOADS: [(Workload, &str); 5] = [
    (Workload::Simple, "simple"),
    (Workload::Replicas, "of ReplicaSets"),
    (Workload::Affinity, "affinity"),
    (Workload::AntiAffinity, "anti-affinity"),
    (Workload::Spread, "spread"),
];

/// What is measured.
#[derive(Clone, Copy)]
enum Way {
    /// Queue, decision, assumption: nothing is reported.
    Bare,
    /// The scheduler as the simulation runs it, with trace events and the requests that it sends.
    Component,
    /// The same, and every receipt is read.
    Read,
}

/// All lines for clusters of so many Nodes.
pub fn all(table: &mut Table) {
    for nodes in [100, 500, 1_000, 5_000] {
        for (workload, name) in WORKLOADS {
            let goal = match workload {
                Workload::Simple if nodes <= 100 => 20_000.0,
                Workload::Simple if nodes <= 1_000 => 10_000.0,
                _ => 1_000.0,
            };
            let pods = if workload == Workload::Simple {
                5_000
            } else {
                2_000
            };
            for (way, what) in [
                (Way::Bare, "decide"),
                (Way::Component, "component"),
                (Way::Read, "receipts read"),
            ] {
                let line = format!("schedule, {nodes} nodes: {name}, {what}");
                let goal = (nodes <= 1_000 && !matches!(way, Way::Read)).then_some(goal);
                table.rate(&line, goal, pods, || measure(workload, nodes, pods, way));
            }
        }
    }
}

fn node(i: u32) -> Object {
    let name = format!("node-{i}");
    Object(value!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": (name.clone()), "uid": (name.clone()), "labels": {
            "beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": (name),
            "kubernetes.io/os": "linux", "topology.kubernetes.io/zone": (format!("zone-{}", i % 3))
        }},
        "spec": {},
        "status": {
            "allocatable": {"cpu": "32", "memory": "128Gi", "ephemeral-storage": "100Gi", "pods": "110"},
            "images": [{"names": ["docker.io/library/nginx:1.25"], "sizeBytes": 70_000_000}]
        }
    }))
}

fn pod(workload: Workload, i: u32) -> Object {
    let (name, app) = (format!("pod-{i:05}"), format!("app-{}", i / 50));
    let selector = value!({"matchLabels": {"app": (app.clone())}});
    let near = |key: &str| value!({"topologyKey": (key), "labelSelector": (selector.clone())});
    let (host, zone) = ("kubernetes.io/hostname", "topology.kubernetes.io/zone");
    let mut pod = value!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": (name.clone()), "namespace": "default", "uid": (name), "labels": {"app": (app.clone())},
            "creationTimestamp": "2026-01-01T00:00:00Z"
        },
        "spec": {
            "schedulerName": "default-scheduler", "priority": 0, "restartPolicy": "Always",
            "containers": [{
                "name": "nginx", "image": "nginx:1.25",
                "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}}
            }],
            "tolerations": [
                {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
                {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
            ]
        },
        "status": {"phase": "Pending", "qosClass": "Burstable"}
    });
    match workload {
        Workload::Simple => {}
        Workload::Replicas => pod.set(
            "metadata.ownerReferences",
            value!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": (app.clone()), "uid": (app), "controller": true}]),
        ),
        Workload::Affinity => pod.set(
            "spec.affinity",
            value!({
                "podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [(near(zone))]},
                "podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 100, "podAffinityTerm": (near(host))}
                ]}
            }),
        ),
        Workload::AntiAffinity => pod.set(
            "spec.affinity",
            value!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [(near(host))]}}),
        ),
        Workload::Spread => pod.set(
            "spec.topologySpreadConstraints",
            value!([
                {"maxSkew": 1, "topologyKey": (zone), "whenUnsatisfiable": "DoNotSchedule", "labelSelector": (selector.clone())},
                {"maxSkew": 1, "topologyKey": (host), "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": (selector.clone())}
            ]),
        ),
    }
    Object(pod)
}

fn replica_set(i: u32) -> Object {
    let app = format!("app-{i}");
    Object(value!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": (app.clone()), "namespace": "default", "uid": (app.clone())},
        "spec": {"selector": {"matchLabels": {"app": (app)}}}
    }))
}

/// The objects that the scheduler hears of before the Pods.
fn surroundings(nodes: u32, pods: u32) -> Vec<(Kind, Object)> {
    let namespace = Object(value!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": "default", "labels": {"kubernetes.io/metadata.name": "default"}}
    }));
    let mut all = vec![(Kind::Namespace, namespace)];
    all.extend((0..=pods / 50).map(|i| (Kind::ReplicaSet, replica_set(i))));
    all.extend((0..nodes).map(|i| (Kind::Node, node(i))));
    all
}

/// Milliseconds on the processor until all Pods are placed.
fn measure(workload: Workload, nodes: u32, pods: u32, way: Way) -> f64 {
    let objects = surroundings(nodes, pods);
    let waiting = (0..pods).map(|i| pod(workload, i));
    match way {
        Way::Bare => bare(objects, waiting),
        Way::Component => component(objects, waiting, pods, false),
        Way::Read => component(objects, waiting, pods, true),
    }
}

fn timed(run: impl FnOnce()) -> f64 {
    let (busy, start) = (clock::on_processor(), clock::now());
    run();
    match clock::on_processor().zip(busy) {
        Some((after, before)) => after - before,
        None => clock::now() - start,
    }
}

fn bare(objects: Vec<(Kind, Object)>, waiting: impl Iterator<Item = Object>) -> f64 {
    let (mut cache, profile) = (Cache::default(), Profile::default());
    for (kind, object) in &objects {
        cache.apply(*kind, &object.key(), Some(object));
    }
    let mut queue = SchedulingQueue::default();
    for pod in waiting {
        queue.add(Rc::new(PodInfo::new(&pod)), String::new(), SimTime(0), None);
    }
    let mut start = 0;
    timed(|| {
        while let Some(next) = queue.pop() {
            cache.keep_topologies(&next.pod, &profile);
            let (decision, plugins) = schedule(&next.pod, &cache, &profile, start);
            start = decision.next_start;
            let slot = decision.chosen.expect("there is room for all Pods");
            let node = cache.node(slot).name.clone();
            cache.add_pod(next.pod.clone(), &node);
            queue.remove(&next.pod.key);
            black_box((decision, plugins));
        }
    })
}

fn component(
    objects: Vec<(Kind, Object)>,
    waiting: impl Iterator<Item = Object>,
    pods: u32,
    read: bool,
) -> f64 {
    let mut sim = Sim::new(Rc::new(ClusterConfig::default()));
    let (mut scheduler, caches) = (Scheduler::default(), Caches::default());
    let pods_last = waiting.map(|pod| (Kind::Pod, pod));
    for (kind, object) in objects.into_iter().chain(pods_last) {
        let event = CacheEvent {
            kind,
            old: None,
            new: Some(Rc::new(object)),
            cause: None,
        };
        scheduler.event(&event, &mut sim.ctx(ComponentId::Scheduler, None));
    }
    let mut bound = 0;
    let mut events = 0;
    let time = timed(|| {
        while bound < pods {
            let Some((at, entry)) = sim.queue.pop() else {
                break;
            };
            sim.now = at;
            match entry {
                Entry::Timer { timer, cause, .. } => {
                    let mut ctx = sim.ctx(ComponentId::Scheduler, cause);
                    scheduler.timer(&timer, &caches, &mut ctx);
                }
                Entry::Send { request, .. } if request.subresource.as_ref() == "binding" => {
                    bound += 1;
                }
                _ => {}
            }
            for event in sim.take_trace() {
                events += 1;
                if let (true, Data::Json(receipt)) = (read, &event.data) {
                    let receipt: &Value = receipt;
                    black_box(receipt.get("nodes"));
                }
            }
        }
    });
    black_box(events);
    assert_eq!(bound, pods, "there is room for all Pods");
    time
}
