//! etcd, the API server, webhooks, watches.

use super::*;
use podscope_api::{Failure, Response};

fn ask(cluster: &mut Cluster, request: Request) {
    submit(cluster, request);
}

fn answers(cluster: &mut Cluster) -> Vec<Rc<Response>> {
    let taken = cluster.take_answers();
    taken.into_iter().map(|(_, _, r, _)| r).collect()
}

fn message(response: &Response) -> (u16, String) {
    match response {
        Ok(answer) => (answer.code, String::new()),
        Err(Failure::Status(s)) => (s.code, s.message.to_string()),
        Err(other) => (0, format!("{other:?}")),
    }
}

fn config_map(name: &str) -> Request {
    let object = value!({"metadata": {"name": (name), "namespace": "default"}, "data": {"a": "b"}});
    Request::create(Kind::ConfigMap, Object(object))
}

#[test]
fn without_a_majority_only_cached_lists_are_answered() {
    let mut cluster = one_node();
    ready(&mut cluster, "web", nginx());
    cluster.take_answers();
    inject(&mut cluster, "etcd-quorum-loss", "q", Value::map());
    inject(&mut cluster, "etcd-quorum-loss", "q2", Value::map());
    assert!(refused(&cluster.take_trace()).is_some());
    let mut cached = Request::list(Kind::Pod, "default");
    cached.options.resource_version = Some(0);
    ask(&mut cluster, cached);
    on(&mut cluster, 2);
    let got = answers(&mut cluster);
    assert_eq!(got.len(), 1);
    assert!(matches!(&*got[0], Ok(a) if a.object.get("items").items().len() == 1));
    let trace = on(&mut cluster, 14);
    let lost = trace.iter().filter(|e| e.code == crate::election::LOST);
    assert_eq!(lost.count(), 2, "both leaders exit within 14 s");
    ask(&mut cluster, Request::list(Kind::Pod, "default"));
    ask(&mut cluster, Request::get(Kind::Pod, "default", "web"));
    ask(&mut cluster, config_map("m"));
    on(&mut cluster, 33);
    assert!(answers(&mut cluster).is_empty(), "all wait");
    on(&mut cluster, 3);
    let got = answers(&mut cluster);
    assert_eq!(got.len(), 1, "the write is given up after 34 s");
    let (code, text) = message(&got[0]);
    assert_eq!(code, 504);
    assert_eq!(
        text,
        "Timeout: request did not complete within requested timeout - context deadline exceeded"
    );
    on(&mut cluster, 26);
    let got: Vec<(u16, String)> = answers(&mut cluster).iter().map(|r| message(r)).collect();
    assert_eq!(got.len(), 2, "reads are given up after 60 s");
    assert!(
        got.iter()
            .any(|(code, m)| *code == 504 && m.ends_with("(get pods)")),
        "{got:?}"
    );
    assert!(
        got.iter().any(|(_, m)| m.ends_with("(get pods web)")),
        "{got:?}"
    );
    // A read that is under way when the majority returns is answered late.
    ask(&mut cluster, Request::get(Kind::Pod, "default", "web"));
    on(&mut cluster, 20);
    heal(&mut cluster, "q");
    on(&mut cluster, 4);
    let got = answers(&mut cluster);
    assert_eq!(got.len(), 1);
    assert_eq!(message(&got[0]).0, 200);
    assert!(
        !cluster.nodes()[0].runtime().processes().is_empty(),
        "what runs, runs on"
    );
    submit(
        &mut cluster,
        Request::create(Kind::Deployment, deployment("late", 1)),
    );
    let works = until(&mut cluster, 60, |c| ready_pods(c, "late") == 1);
    assert!(
        works.is_some_and(|s| s >= 8),
        "after a new election: {works:?}"
    );
    assert_eq!(condition(&cluster, "node-1", "Ready"), "True");
}

fn write_takes(cluster: &mut Cluster, name: &str) -> u64 {
    let start = cluster.now();
    ask(cluster, config_map(name));
    let key = Key::new("default", name);
    let there = |c: &Cluster| c.etcd().get(Kind::ConfigMap, &key).is_some();
    until(cluster, 60, there).expect("written");
    cluster.now().since(start).as_millis()
}

#[test]
fn a_slow_member_is_noticed_only_when_the_majority_needs_it() {
    let mut cluster = one_node();
    on(&mut cluster, 2);
    let params = |m: &str| value!({"target": (m), "fsync_ms": "2000"});
    inject(&mut cluster, "etcd-slow", "a", params("1"));
    assert!(write_takes(&mut cluster, "one") < 500);
    inject(&mut cluster, "etcd-slow", "b", params("2"));
    assert!(write_takes(&mut cluster, "two") >= 2_000);
    inject(&mut cluster, "etcd-slow", "c", params("2"));
    assert!(refused(&cluster.take_trace()).is_some());
    heal(&mut cluster, "b");
    assert!(write_takes(&mut cluster, "three") < 500);
}

#[test]
fn a_full_database_takes_no_puts_but_lets_go() {
    let mut cluster = one_node();
    on(&mut cluster, 2);
    ask(&mut cluster, config_map("old"));
    on(&mut cluster, 1);
    cluster.take_answers();
    inject(&mut cluster, "etcd-no-space", "n", Value::map());
    ask(&mut cluster, config_map("new"));
    on(&mut cluster, 1);
    let got = answers(&mut cluster);
    let full = (500, "etcdserver: mvcc: database space exceeded".to_string());
    assert_eq!(message(&got[0]), full);
    ask(
        &mut cluster,
        Request::delete(Kind::ConfigMap, "default", "old"),
    );
    ask(&mut cluster, Request::list(Kind::ConfigMap, "default"));
    on(&mut cluster, 1);
    let codes: Vec<u16> = answers(&mut cluster).iter().map(|r| message(r).0).collect();
    assert_eq!(codes, [200, 200], "reads and deletions go on");
    heal(&mut cluster, "n");
    ask(&mut cluster, config_map("new"));
    on(&mut cluster, 1);
    assert_eq!(message(&answers(&mut cluster)[0]).0, 201);
}

#[test]
fn cut_watches_come_back_and_list_again_when_it_is_forgotten() {
    for (forget, code) in [("no", 200), ("yes", 410)] {
        let mut cluster = one_node();
        ready(&mut cluster, "first", nginx());
        inject(&mut cluster, "watch-cut", "w", value!({"forget": (forget)}));
        submit(
            &mut cluster,
            Request::create(Kind::Pod, pod("web", nginx())),
        );
        let trace = on(&mut cluster, 10);
        let opened: Vec<i64> = trace
            .iter()
            .filter(|e| e.code == crate::apiserver::WATCH)
            .filter_map(|e| e.arg("code").as_int())
            .collect();
        assert!(!opened.is_empty());
        assert_eq!(opened.contains(&410), code == 410, "{opened:?}");
        let ready = |c: &Cluster| stored(c, "web").is_some_and(|p| p.condition_true("Ready"));
        let back = until(&mut cluster, 20, ready);
        assert!(back.is_some(), "nothing is missed ({forget})");
    }
}

fn with_webhook(policy: &str) -> Cluster {
    let mut cluster = Cluster::new(ClusterConfig {
        sidecar_webhook: true,
        seed: 3,
        ..ClusterConfig::default()
    });
    on(&mut cluster, 2);
    let patch = value!([{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": (policy)}]);
    let kind = Kind::MutatingWebhookConfiguration;
    let patch = Request::patch(
        kind,
        "",
        "sidecar-injector",
        "",
        podscope_api::PatchType::Json,
        patch,
    );
    ask(&mut cluster, patch);
    on(&mut cluster, 2);
    assert_eq!(message(&answers(&mut cluster)[0]).0, 200);
    cluster
}

#[test]
fn a_dead_webhook_fails_requests_or_is_passed_over() {
    let target = value!({"target": "sidecar-injector"});
    let mut cluster = with_webhook("Fail");
    inject(&mut cluster, "webhook-down", "w", target.clone());
    submit(
        &mut cluster,
        Request::create(Kind::Deployment, deployment("web", 1)),
    );
    on(&mut cluster, 10);
    assert!(
        has_event(
            &cluster,
            "FailedCreate Error creating: Internal error occurred: failed calling webhook \"sidecar.podscope.example\": failed to call webhook: Post \"https://127.0.0.1:9999/sidecar?timeout=5s\": dial tcp 127.0.0.1:9999: connect: connection refused"
        ),
        "{:?}",
        events(&cluster)
    );
    inject(&mut cluster, "webhook-slow", "s", target.clone());
    assert!(refused(&cluster.take_trace()).is_some());
    heal(&mut cluster, "w");
    let back = until(&mut cluster, 60, |c| ready_pods(c, "web") == 1);
    assert!(back.is_some());
    let mut cluster = with_webhook("Ignore");
    inject(&mut cluster, "webhook-down", "w", target);
    submit(
        &mut cluster,
        Request::create(Kind::Deployment, deployment("web", 1)),
    );
    let made = until(&mut cluster, 30, |c| ready_pods(c, "web") == 1);
    assert!(made.is_some());
    let mut pods = cluster.etcd().of_kind(Kind::Pod);
    let one = pods.next().expect("a Pod").1.object.clone();
    assert_eq!(
        one.at("spec.containers").items().len(),
        1,
        "without the sidecar"
    );
}

#[test]
fn a_slow_webhook_delays_and_then_fails() {
    let mut cluster = with_webhook("Fail");
    let params = |s: &str| value!({"target": "sidecar-injector", "seconds": (s)});
    inject(&mut cluster, "webhook-slow", "w", params("2"));
    let bare = || {
        let mut pod = pod("web", nginx());
        pod.set("spec.nodeName", Value::Null);
        Request::create(Kind::Pod, pod)
    };
    let start = cluster.now();
    ask(&mut cluster, bare());
    let there = |c: &Cluster| stored(c, "web").is_some();
    assert_eq!(until(&mut cluster, 20, there), Some(2));
    assert!(cluster.now().since(start).as_millis() < 2_500);
    heal(&mut cluster, "w");
    ask(&mut cluster, Request::delete(Kind::Pod, "default", "web"));
    on(&mut cluster, 40);
    answers(&mut cluster);
    inject(&mut cluster, "webhook-slow", "w", params("30"));
    ask(&mut cluster, bare());
    on(&mut cluster, 4);
    assert!(
        answers(&mut cluster).is_empty(),
        "it waits for timeoutSeconds"
    );
    on(&mut cluster, 2);
    let got = answers(&mut cluster);
    let (code, text) = message(&got[0]);
    assert_eq!(code, 500);
    assert!(
        text.ends_with(
            "Post \"https://127.0.0.1:9999/sidecar?timeout=5s\": context deadline exceeded"
        ),
        "{text}"
    );
}

#[test]
fn an_overloaded_api_server_slows_controllers_and_spares_heartbeats() {
    let took = |percent: &str| {
        let mut cluster = cluster_of(&[("node-1", "zone-1"), ("node-2", "zone-1")]);
        on(&mut cluster, 2);
        if percent != "0" {
            inject(
                &mut cluster,
                "apiserver-overload",
                "o",
                value!({"percent": (percent)}),
            );
        }
        submit(
            &mut cluster,
            Request::create(Kind::Deployment, deployment("web", 3)),
        );
        let ready = until(&mut cluster, 600, |c| ready_pods(c, "web") == 3).expect("in the end");
        let trace = on(&mut cluster, 60);
        (ready, cluster, trace)
    };
    let (usual, ..) = took("0");
    let (late, cluster, _) = took("60");
    assert!(late > usual + 3, "{usual} {late}");
    assert_eq!(condition(&cluster, "node-1", "Ready"), "True");
    let mut cluster = cluster_of(&[("node-1", "zone-1")]);
    on(&mut cluster, 2);
    inject(
        &mut cluster,
        "apiserver-overload",
        "o",
        value!({"percent": "100"}),
    );
    submit(
        &mut cluster,
        Request::create(Kind::Deployment, deployment("web", 1)),
    );
    let trace = on(&mut cluster, 120);
    let refusals = |e: &&TraceEvent| {
        e.code == crate::apiserver::REFUSED && e.arg("reason").as_str() == Some("TooManyRequests")
    };
    assert!(trace.iter().filter(refusals).count() >= 10);
    assert_eq!(ready_pods(&cluster, "web"), 0);
    assert_eq!(
        condition(&cluster, "node-1", "Ready"),
        "True",
        "heartbeats have a level of their own"
    );
    heal(&mut cluster, "o");
    let back = until(&mut cluster, 300, |c| ready_pods(c, "web") == 1);
    assert!(back.is_some());
}
