//! The machine in the whole cluster: Pods with a node name become Running, end, crash, and survive power loss.

use crate::entry::Entry;
use crate::trace::TraceEvent;
use crate::world::{Cluster, Command};
use crate::{ClusterConfig, NodeConfig};
use podscope_api::{Key, Kind, Object, Request, Value, value};
use podscope_kernel::SimTime;
use std::rc::Rc;

pub(crate) fn run(cluster: &mut Cluster, until: u64) -> Vec<TraceEvent> {
    let until = SimTime(until);
    let mut trace = cluster.take_trace();
    while cluster.next_time().is_some_and(|t| t <= until) {
        cluster.step();
        trace.extend(cluster.take_trace());
    }
    cluster.idle_until(until);
    trace
}

pub(crate) fn pod(name: &str, container: Value) -> Object {
    Object(value!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": (name), "namespace": "default", "labels": {"app": (name)}},
        "spec": {"nodeName": "node-1", "containers": [(container)],
            "serviceAccountName": "default",
            "volumes": [{"name": "kube-api-access-x", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}]},
        "status": {"phase": "Pending"}
    }))
}

pub(crate) fn submit(cluster: &mut Cluster, request: Request) {
    let at = cluster.now();
    cluster.command(at, &Command::Request(Rc::new(request)));
}

pub(crate) fn stored(cluster: &Cluster, name: &str) -> Option<Rc<Object>> {
    let key = Key::new("default", name);
    cluster
        .etcd()
        .get(Kind::Pod, &key)
        .map(|s| s.object.clone())
}

pub(crate) fn events(cluster: &Cluster) -> Vec<String> {
    let objects = cluster.etcd().objects().iter();
    objects
        .filter(|((kind, _), _)| *kind == Kind::Event)
        .map(|(_, s)| {
            let o = &s.object;
            format!(
                "{} {} x{}",
                o.get("reason").str_or_empty(),
                o.get("message").str_or_empty(),
                o.get("count").as_int().unwrap_or(0)
            )
        })
        .collect()
}

fn one_node() -> Cluster {
    let mut config = ClusterConfig {
        nodes: vec![NodeConfig::worker("node-1", "zone-1")],
        ..ClusterConfig::default()
    };
    config.seed = 7;
    Cluster::new(config)
}

#[test]
fn a_pod_becomes_running_and_goes() {
    let mut cluster = one_node();
    let nginx = value!({"name": "nginx", "image": "nginx:1.27", "resources": {
        "requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "200m", "memory": "256Mi"}}});
    submit(&mut cluster, Request::create(Kind::Pod, pod("web", nginx)));
    let trace = run(&mut cluster, 6_000_000);
    for e in &trace {
        if !e.code.starts_with("apiserver") && !e.code.starts_with("etcd") {
            eprintln!("{} {:?} {} {:?}", e.at, e.actor, e.code, e.args);
        }
    }
    let web = stored(&cluster, "web").expect("stored");
    eprintln!("{}", podscope_api::json::to_string_pretty(web.status()));
    for e in events(&cluster) {
        eprintln!("{e}");
    }
    assert_eq!(web.at("status.phase").as_str(), Some("Running"));
    assert!(web.condition_true("Ready"));
    assert!(
        cluster.is_stable(),
        "{:?}",
        cluster
            .sim
            .queue
            .iter()
            .map(|(_, e)| e.clone())
            .filter(|e| !matches!(e, Entry::Timer{timer, ..} if timer.code.starts_with("loop")))
            .collect::<Vec<_>>()
    );
    submit(&mut cluster, Request::delete(Kind::Pod, "default", "web"));
    let trace = run(&mut cluster, 12_000_000);
    for e in &trace {
        if !e.code.starts_with("apiserver") && !e.code.starts_with("etcd") {
            eprintln!("{} {:?} {} {:?}", e.at, e.actor, e.code, e.args);
        }
    }
    assert_eq!(stored(&cluster, "web"), None);
    assert_eq!(cluster.nodes()[0].runtime().pods().count(), 0);
}
