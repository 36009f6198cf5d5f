//! Chains of effects of faults, through whole clusters, with times.

mod control_plane;
mod machines;
mod objects;
mod pods;
mod targets;

use crate::node::tests::{events, pod, run, stored, submit};
use crate::trace::TraceEvent;
use crate::world::{Cluster, Command};
use crate::{ClusterConfig, NodeConfig};
use podscope_api::{Key, Kind, Object, Request, Value, value};
use podscope_kernel::SimTime;
use std::rc::Rc;

const SECOND: u64 = 1_000_000;

fn cluster_of(nodes: &[(&str, &str)]) -> Cluster {
    let nodes = nodes
        .iter()
        .map(|(name, zone)| NodeConfig::worker(*name, *zone));
    Cluster::new(ClusterConfig {
        nodes: nodes.collect(),
        seed: 11,
        ..ClusterConfig::default()
    })
}

fn one_node() -> Cluster {
    cluster_of(&[("node-1", "zone-1")])
}

fn inject(cluster: &mut Cluster, kind: &str, name: &str, params: Value) {
    let command = Command::Inject {
        kind: kind.into(),
        name: name.into(),
        params,
    };
    let at = cluster.now();
    cluster.command(at, &command);
}

fn heal(cluster: &mut Cluster, name: &str) {
    let at = cluster.now();
    cluster.command(at, &Command::Heal { name: name.into() });
}

/// Why the last fault was refused.
fn refused(trace: &[TraceEvent]) -> Option<String> {
    let last = trace.iter().rev().find(|e| e.code == super::REFUSED);
    last.map(|e| e.arg("why").str_or_empty().to_string())
}

/// Runs so many seconds on.
fn on(cluster: &mut Cluster, seconds: u64) -> Vec<TraceEvent> {
    let until = cluster.now().0 + seconds * SECOND;
    run(cluster, until)
}

/// Creates a Pod on node-1 and waits until it is ready.
fn ready(cluster: &mut Cluster, name: &str, container: Value) {
    submit(cluster, Request::create(Kind::Pod, pod(name, container)));
    on(cluster, 15);
    let made = stored(cluster, name).expect("stored");
    assert!(made.condition_true("Ready"), "{name}: {:?}", made.status());
}

fn nginx() -> Value {
    value!({"name": "nginx", "image": "nginx:1.27"})
}

fn has_event(cluster: &Cluster, part: &str) -> bool {
    events(cluster).iter().any(|e| e.contains(part))
}

fn node(cluster: &Cluster, name: &str) -> Rc<Object> {
    let stored = cluster.etcd().get(Kind::Node, &Key::new("", name));
    stored.expect("the Node").object.clone()
}

fn condition(cluster: &Cluster, name: &str, of: &str) -> String {
    let node = node(cluster, name);
    node.condition(of).get("status").str_or_empty().to_string()
}

/// Runs on until something holds; how many seconds that took.
fn until(cluster: &mut Cluster, seconds: u64, holds: impl Fn(&Cluster) -> bool) -> Option<u64> {
    let start = cluster.now();
    while !holds(cluster) {
        if cluster.now().since(start).as_secs() >= seconds {
            return None;
        }
        let next = SimTime(cluster.now().0 + 100_000);
        run(cluster, next.0);
    }
    Some(cluster.now().since(start).as_secs())
}

fn waiting(cluster: &Cluster, name: &str) -> String {
    let made = stored(cluster, name).expect("stored");
    let state = made.at("status.containerStatuses").index(0).get("state");
    state
        .get("waiting")
        .get("reason")
        .str_or_empty()
        .to_string()
}

fn restarts(cluster: &Cluster, name: &str) -> i64 {
    let made = stored(cluster, name).expect("stored");
    let status = made.at("status.containerStatuses").index(0);
    status.get("restartCount").as_int().unwrap_or(0)
}

fn deployment(name: &str, replicas: i64) -> Object {
    Object(value!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": (name), "namespace": "default", "labels": {"app": (name)}},
        "spec": {"replicas": (replicas), "selector": {"matchLabels": {"app": (name)}},
            "template": {"metadata": {"labels": {"app": (name)}},
                "spec": {"containers": [{"name": "nginx", "image": "nginx:1.27"}]}}}
    }))
}

/// How many Pods with the label are ready.
fn ready_pods(cluster: &Cluster, app: &str) -> usize {
    let pods = cluster.etcd().of_kind(Kind::Pod);
    pods.filter(|(_, s)| s.object.labels().get("app").as_str() == Some(app))
        .filter(|(_, s)| s.object.condition_true("Ready"))
        .count()
}
