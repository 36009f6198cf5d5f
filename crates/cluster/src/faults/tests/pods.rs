//! Containers, probes, images, sandboxes.

use super::*;

#[test]
fn a_container_beyond_its_limit_is_killed_by_the_kernel() {
    let mut cluster = one_node();
    ready(&mut cluster, "free", nginx());
    inject(
        &mut cluster,
        "container-oom",
        "f",
        value!({"target": "free"}),
    );
    let why = refused(&cluster.take_trace()).expect("refused");
    assert!(why.contains("memory limit"), "{why}");
    let limited = value!({"name": "nginx", "image": "nginx:1.27", "resources": {"limits": {"memory": "64Mi"}}});
    ready(&mut cluster, "web", limited);
    inject(
        &mut cluster,
        "container-oom",
        "f",
        value!({"target": "web"}),
    );
    assert!(
        super::super::active(&cluster).is_empty(),
        "it was over at once"
    );
    on(&mut cluster, 5);
    let web = stored(&cluster, "web").expect("stored");
    let last = web
        .at("status.containerStatuses")
        .index(0)
        .at("lastState.terminated")
        .clone();
    assert_eq!(last.get("reason").as_str(), Some("OOMKilled"));
    assert_eq!(last.get("exitCode").as_int(), Some(137));
    assert_eq!(
        restarts(&cluster, "web"),
        1,
        "the first restart comes at once"
    );
    assert!(web.condition_true("Ready"));
    let params = value!({"target": "web", "times": "always", "after_s": "3"});
    inject(&mut cluster, "container-oom", "f", params);
    let loops = until(&mut cluster, 40, |c| {
        waiting(c, "web") == "CrashLoopBackOff"
    });
    assert!(loops.is_some());
    heal(&mut cluster, "f");
    let back = until(&mut cluster, 90, |c| {
        stored(c, "web").is_some_and(|p| p.condition_true("Ready"))
    });
    assert!(back.is_some(), "healed, it stays up");
    on(&mut cluster, 60);
    assert!(
        stored(&cluster, "web")
            .expect("stored")
            .condition_true("Ready")
    );
}

fn probed(field: &str, probe: Value) -> Value {
    let mut container = nginx();
    container.set(field, probe);
    container
}

#[test]
fn a_startup_probe_that_fails_restarts_the_container() {
    let mut cluster = one_node();
    inject(
        &mut cluster,
        "startup-failure",
        "f",
        value!({"target": "app=web"}),
    );
    let probe = value!({"httpGet": {"port": 80}, "periodSeconds": 2, "failureThreshold": 3});
    let web = pod("web", probed("startupProbe", probe));
    submit(&mut cluster, Request::create(Kind::Pod, web));
    on(&mut cluster, 45);
    assert!(has_event(
        &cluster,
        "Unhealthy Startup probe failed: HTTP probe failed with statuscode: 503"
    ));
    assert!(has_event(
        &cluster,
        "Killing Container nginx failed startup probe, will be restarted"
    ));
    assert!(restarts(&cluster, "web") >= 1);
    heal(&mut cluster, "f");
    let back = until(&mut cluster, 60, |c| {
        stored(c, "web").is_some_and(|p| p.condition_true("Ready"))
    });
    assert!(back.is_some());
    ready(&mut cluster, "plain", nginx());
    inject(
        &mut cluster,
        "startup-failure",
        "f",
        value!({"target": "plain"}),
    );
    let why = refused(&cluster.take_trace()).expect("refused");
    assert!(why.contains("no startupProbe"), "{why}");
}

#[test]
fn only_probes_that_run_a_command_fail_with_it() {
    let mut cluster = one_node();
    let exec = value!({"exec": {"command": ["true"]}, "periodSeconds": 5});
    ready(&mut cluster, "cmd", probed("readinessProbe", exec));
    let http = value!({"httpGet": {"port": 80}, "periodSeconds": 5});
    ready(&mut cluster, "http", probed("readinessProbe", http));
    inject(
        &mut cluster,
        "exec-failure",
        "f",
        value!({"target": "http"}),
    );
    let why = refused(&cluster.take_trace()).expect("refused");
    assert!(why.contains("no probe of \"http\" runs a command"), "{why}");
    inject(&mut cluster, "exec-failure", "f", value!({"target": "cmd"}));
    let lost = until(&mut cluster, 30, |c| {
        !stored(c, "cmd").is_some_and(|p| p.condition_true("Ready"))
    });
    assert!(
        matches!(lost, Some(9..=16)),
        "three failures five seconds apart: {lost:?}"
    );
    assert!(
        stored(&cluster, "http")
            .expect("stored")
            .condition_true("Ready")
    );
    assert_eq!(restarts(&cluster, "cmd"), 0);
    heal(&mut cluster, "f");
    let back = until(&mut cluster, 10, |c| {
        stored(c, "cmd").is_some_and(|p| p.condition_true("Ready"))
    });
    assert!(back.is_some());
}

#[test]
fn the_registry_refuses_in_its_own_words() {
    for (kind, target, words) in [
        (
            "registry-auth",
            "nginx",
            "failed to authorize: failed to fetch anonymous token",
        ),
        ("registry-rate-limit", "", "429 Too Many Requests"),
        (
            "image-architecture",
            "nginx:1.27",
            "no match for platform in manifest: not found",
        ),
    ] {
        let mut cluster = one_node();
        let params = match target {
            "" => Value::map(),
            target => value!({"target": (target)}),
        };
        inject(&mut cluster, kind, "f", params);
        submit(
            &mut cluster,
            Request::create(Kind::Pod, pod("web", nginx())),
        );
        on(&mut cluster, 5);
        assert_eq!(waiting(&cluster, "web"), "ErrImagePull", "{kind}");
        assert!(has_event(&cluster, words), "{kind}: {:?}", events(&cluster));
        on(&mut cluster, 20);
        heal(&mut cluster, "f");
        let back = until(&mut cluster, 60, |c| {
            stored(c, "web").is_some_and(|p| p.condition_true("Ready"))
        });
        assert!(back.is_some_and(|s| s <= 45), "{kind}: {back:?}");
    }
}

#[test]
fn a_broken_network_plugin_stops_new_pods_only() {
    let mut cluster = one_node();
    ready(&mut cluster, "old", nginx());
    inject(
        &mut cluster,
        "cni-failure",
        "f",
        value!({"target": "node-1"}),
    );
    inject(
        &mut cluster,
        "cni-failure",
        "g",
        value!({"target": "node-1"}),
    );
    let why = refused(&cluster.take_trace()).expect("refused");
    assert!(why.contains("fails already"), "{why}");
    submit(
        &mut cluster,
        Request::create(Kind::Pod, pod("web", nginx())),
    );
    on(&mut cluster, 40);
    assert_eq!(waiting(&cluster, "web"), "ContainerCreating");
    assert!(has_event(
        &cluster,
        "FailedCreatePodSandBox Failed to create pod sandbox: rpc error"
    ));
    assert!(has_event(
        &cluster,
        "plugin type=\"bridge\" failed (add): failed to list chains"
    ));
    assert_eq!(condition(&cluster, "node-1", "Ready"), "True");
    assert!(
        stored(&cluster, "old")
            .expect("stored")
            .condition_true("Ready")
    );
    heal(&mut cluster, "f");
    let back = until(&mut cluster, 40, |c| {
        stored(c, "web").is_some_and(|p| p.condition_true("Ready"))
    });
    assert!(
        back.is_some_and(|s| s <= 20),
        "the next try in 10 to 15 s: {back:?}"
    );
}

#[test]
fn a_machine_without_addresses_starts_no_pod() {
    let mut cluster = one_node();
    inject(
        &mut cluster,
        "ip-exhaustion",
        "f",
        value!({"target": "node-1", "free": "1"}),
    );
    ready(&mut cluster, "first", nginx());
    submit(
        &mut cluster,
        Request::create(Kind::Pod, pod("second", nginx())),
    );
    on(&mut cluster, 20);
    assert!(has_event(
        &cluster,
        "failed to allocate for range 0: no IP addresses available in range set: 10.244.1.1-10.244.1.254"
    ));
    inject(
        &mut cluster,
        "ip-exhaustion",
        "g",
        value!({"target": "node-1"}),
    );
    let why = refused(&cluster.take_trace()).expect("refused");
    assert!(why.contains("free addresses"), "{why}");
    heal(&mut cluster, "f");
    let back = until(&mut cluster, 40, |c| {
        stored(c, "second").is_some_and(|p| p.condition_true("Ready"))
    });
    assert!(back.is_some_and(|s| s <= 20), "{back:?}");
}
