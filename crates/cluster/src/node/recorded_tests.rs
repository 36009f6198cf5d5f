//! What recordings of a real cluster showed of Pods, Nodes and their Events, each in a small cluster.

use super::tests::{has_event, heal, inject, nginx, one_node, pod, run, running, stored, submit};
use crate::trace::{Data, TraceEvent};
use crate::world::Cluster;
use podscope_api::{Kind, Object, PatchType, Request, value};
use podscope_kernel::SimDuration;

/// Revisions of a Pod's end: whether the object was still there after each, from a moment on.
fn ends(trace: &[TraceEvent]) -> Vec<bool> {
    let commits = trace.iter().filter(|event| event.code == "etcd.commit");
    let pods = commits.filter(|e| e.subject.as_ref().is_some_and(|s| s.kind == Kind::Pod));
    pods.filter_map(|event| match &event.data {
        Data::Change(_, new) => Some(new.is_some()),
        _ => None,
    })
    .collect()
}

fn deletes(trace: &[TraceEvent]) -> usize {
    let requests = trace.iter().filter(|event| event.code == "client.request");
    let deletes = requests.filter(|event| event.arg("verb").as_str() == Some("delete"));
    deletes.count()
}

fn pass(cluster: &mut Cluster, seconds: u64) -> Vec<TraceEvent> {
    let until = cluster.now() + SimDuration::secs(seconds);
    run(cluster, until.0)
}

#[test]
fn a_pod_without_a_node_is_marked_and_then_removed() {
    let mut cluster = one_node();
    let mut waiting = pod("waiting", nginx());
    waiting.remove("spec.nodeName");
    waiting.set(
        "spec.schedulingGates",
        vec![value!({"name": "example.com/wait"})],
    );
    submit(&mut cluster, Request::create(Kind::Pod, waiting));
    pass(&mut cluster, 1);
    submit(
        &mut cluster,
        Request::delete(Kind::Pod, "default", "waiting"),
    );
    assert_eq!(ends(&pass(&mut cluster, 1)), [true, false]);
}

#[test]
fn the_kubelet_asks_once_for_a_pod_that_a_finalizer_holds() {
    let mut cluster = one_node();
    let mut held = pod("held", nginx());
    held.set("metadata.finalizers", vec!["example.com/hold".into()]);
    running(&mut cluster, held);
    submit(&mut cluster, Request::delete(Kind::Pod, "default", "held"));
    assert_eq!(
        deletes(&pass(&mut cluster, 60)),
        2,
        "the person's and the kubelet's"
    );
    assert!(stored(&cluster, "held").is_some());
}

#[test]
fn containers_that_stop_slowly_are_waited_for_and_killed_when_the_grace_is_over() {
    for (seconds, least, most, code) in [("3", 3, 5, 0), ("60", 30, 33, 137)] {
        let mut cluster = one_node();
        running(&mut cluster, pod("web", nginx()));
        inject(
            &mut cluster,
            "slow-stop",
            "s",
            value!({"target": "web", "seconds": (seconds)}),
        );
        submit(&mut cluster, Request::delete(Kind::Pod, "default", "web"));
        let mut trace = pass(&mut cluster, least);
        assert!(stored(&cluster, "web").is_some(), "{seconds}");
        trace.extend(pass(&mut cluster, most - least));
        assert!(stored(&cluster, "web").is_none(), "{seconds}");
        let exit = trace
            .iter()
            .find(|event| event.arg("exit_code").as_int().is_some());
        let exit = exit.and_then(|event| event.arg("exit_code").as_int());
        assert_eq!(exit, Some(code));
        heal(&mut cluster, "s");
    }
}

#[test]
fn the_kubelet_tells_of_a_cordon_at_its_next_look() {
    let mut cluster = one_node();
    pass(&mut cluster, 1);
    for (cordoned, reason) in [(true, "NodeNotSchedulable"), (false, "NodeSchedulable")] {
        let words = format!("{reason} Node node-1 status is now: {reason} x1");
        let patch = value!({"spec": {"unschedulable": (cordoned)}});
        let patch = Request::patch(Kind::Node, "", "node-1", "", PatchType::Merge, patch);
        submit(&mut cluster, patch);
        assert!(!has_event(&cluster, &words));
        pass(&mut cluster, 11);
        assert!(has_event(&cluster, &words), "{words}");
    }
}

#[test]
fn a_node_that_is_heard_of_again_tells_what_turned_good() {
    let mut cluster = one_node();
    pass(&mut cluster, 1);
    inject(&mut cluster, "partition", "p", value!({"target": "node-1"}));
    pass(&mut cluster, 60);
    heal(&mut cluster, "p");
    pass(&mut cluster, 60);
    for reason in [
        "NodeHasSufficientMemory",
        "NodeHasNoDiskPressure",
        "NodeHasSufficientPID",
        "NodeReady",
    ] {
        assert!(
            has_event(&cluster, &format!("{reason} Node node-1")),
            "{reason}"
        );
    }
}

#[test]
fn an_endpoint_slice_counts_changes_of_its_endpoints() {
    let mut cluster = one_node();
    let slice = Object(value!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": {"name": "s", "namespace": "default"},
        "addressType": "IPv4", "ports": [], "endpoints": []
    }));
    submit(&mut cluster, Request::create(Kind::EndpointSlice, slice));
    pass(&mut cluster, 1);
    for (change, generation) in [
        (value!({"endpoints": [{"addresses": ["10.0.0.1"]}]}), 2),
        (value!({"metadata": {"labels": {"a": "1"}}}), 2),
        (value!({"endpoints": []}), 3),
    ] {
        let kind = Kind::EndpointSlice;
        let patch = Request::patch(kind, "default", "s", "", PatchType::Merge, change);
        submit(&mut cluster, patch);
        pass(&mut cluster, 1);
        let key = podscope_api::Key::new("default", "s");
        let stored = cluster.etcd().get(kind, &key);
        assert_eq!(stored.map(|s| s.object.generation()), Some(generation));
    }
}
