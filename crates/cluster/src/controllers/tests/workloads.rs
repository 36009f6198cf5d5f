//! DaemonSets and StatefulSets inside the whole cluster.

use super::*;

fn template(name: &str, image: &str) -> Value {
    value!({
        "metadata": {"labels": {"app": (name)}},
        "spec": {
            "terminationGracePeriodSeconds": 10,
            "containers": [{"name": "c", "image": (image),
                "resources": {"requests": {"cpu": "50m", "memory": "32Mi"}}}]
        }
    })
}

fn daemonset(name: &str) -> Value {
    value!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"name": (name), "namespace": "default"},
        "spec": {"selector": {"matchLabels": {"app": (name)}}, "template": (template(name, "nginx:1.25"))}
    })
}

fn statefulset(name: &str, replicas: i64) -> Value {
    value!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"name": (name), "namespace": "default"},
        "spec": {"serviceName": (name), "replicas": (replicas),
            "selector": {"matchLabels": {"app": (name)}},
            "template": (template(name, "postgres:15"))}
    })
}

fn patch(kind: Kind, name: &str, patch: Value) -> Request {
    let target = Object(value!({"metadata": {"name": (name), "namespace": "default"}}));
    crate::controllers::meta::strategic(kind, &target, "", patch)
}

fn image(image: &str) -> Value {
    value!({"spec": {"template": {"spec": {"containers": [{"name": "c", "image": (image)}]}}}})
}

#[test]
fn a_daemonset_has_a_pod_on_every_node() {
    let mut run = Run::new();
    run.create(Kind::DaemonSet, daemonset("agent")).run(20_000);
    let set = run.get(Kind::DaemonSet, "default", "agent").expect("set");
    println!("{}", podscope_api::json::to_string_pretty(set.status()));
    for w in run.writes() {
        if !w.contains("events") {
            println!("{w}");
        }
    }
    for w in run.events() {
        println!("{w}");
    }
    assert_eq!(set.at("status.numberAvailable").as_int(), Some(3));
}

#[test]
fn a_statefulset_comes_one_after_the_other() {
    let mut run = Run::new();
    run.create(Kind::StatefulSet, statefulset("db", 3))
        .run(60_000);
    let set = run.get(Kind::StatefulSet, "default", "db").expect("set");
    println!("{}", podscope_api::json::to_string_pretty(set.status()));
    for w in run.writes() {
        if !w.contains("events") {
            println!("{w}");
        }
    }
    for w in run.events() {
        println!("{w}");
    }
    assert_eq!(set.at("status.availableReplicas").as_int(), Some(3));
    run.send(patch(Kind::StatefulSet, "db", image("postgres:16")))
        .run(100_000);
    let set = run.get(Kind::StatefulSet, "default", "db").expect("set");
    println!("{}", podscope_api::json::to_string_pretty(set.status()));
}
