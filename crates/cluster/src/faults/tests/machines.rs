//! Machines, kubelets, links, zones.

use super::*;

#[test]
fn a_short_reboot_is_not_noticed_by_the_control_plane() {
    let mut cluster = one_node();
    ready(&mut cluster, "web", nginx());
    let ip = |c: &Cluster| stored(c, "web").expect("stored").at("status.podIP").clone();
    let before = ip(&cluster);
    inject(
        &mut cluster,
        "node-reboot",
        "r",
        value!({"target": "node-1", "boot_s": "15"}),
    );
    on(&mut cluster, 14);
    assert!(cluster.nodes()[0].runtime().processes().is_empty());
    on(&mut cluster, 20);
    assert!(
        super::super::active(&cluster).is_empty(),
        "it came back by itself"
    );
    assert_eq!(condition(&cluster, "node-1", "Ready"), "True");
    assert!(!has_event(&cluster, "NodeNotReady"));
    assert!(has_event(
        &cluster,
        "Rebooted Node node-1 has been rebooted"
    ));
    assert!(has_event(&cluster, "SandboxChanged"));
    assert_eq!(restarts(&cluster, "web"), 1);
    assert_ne!(ip(&cluster), before, "a new sandbox has a new address");
    inject(
        &mut cluster,
        "node-reboot",
        "r",
        value!({"target": "node-1", "boot_s": "300"}),
    );
    let unknown = until(&mut cluster, 80, |c| {
        condition(c, "node-1", "Ready") == "Unknown"
    });
    assert!(matches!(unknown, Some(39..=56)), "{unknown:?}");
}

#[test]
fn a_restarted_kubelet_leaves_containers_alone() {
    let mut cluster = one_node();
    ready(&mut cluster, "web", nginx());
    inject(
        &mut cluster,
        "kubelet-restart",
        "r",
        value!({"target": "node-1"}),
    );
    on(&mut cluster, 60);
    assert!(super::super::active(&cluster).is_empty());
    assert!(has_event(&cluster, "Starting Starting kubelet."));
    assert_eq!(restarts(&cluster, "web"), 0);
    assert_eq!(condition(&cluster, "node-1", "Ready"), "True");
    assert!(
        stored(&cluster, "web")
            .expect("stored")
            .condition_true("Ready")
    );
}

#[test]
fn a_lost_zone_is_replaced_in_the_others() {
    let mut cluster = cluster_of(&[
        ("node-1", "zone-1"),
        ("node-2", "zone-1"),
        ("node-3", "zone-2"),
    ]);
    submit(
        &mut cluster,
        Request::create(Kind::Deployment, deployment("web", 4)),
    );
    on(&mut cluster, 20);
    assert_eq!(ready_pods(&cluster, "web"), 4);
    inject(&mut cluster, "zone-loss", "z", value!({"target": "zone-1"}));
    inject(
        &mut cluster,
        "node-power",
        "p",
        value!({"target": "node-2"}),
    );
    let why = refused(&cluster.take_trace()).expect("refused");
    assert!(why.contains("no power already"), "{why}");
    let unknown = until(&mut cluster, 80, |c| {
        condition(c, "node-1", "Ready") == "Unknown" && condition(c, "node-2", "Ready") == "Unknown"
    });
    assert!(matches!(unknown, Some(39..=60)), "{unknown:?}");
    assert_eq!(condition(&cluster, "node-3", "Ready"), "True");
    let replaced = until(&mut cluster, 400, |c| ready_pods(c, "web") == 4);
    assert!(
        matches!(replaced, Some(280..=330)),
        "300 s later: {replaced:?}"
    );
    heal(&mut cluster, "z");
    let back = until(&mut cluster, 60, |c| {
        condition(c, "node-1", "Ready") == "True" && condition(c, "node-2", "Ready") == "True"
    });
    assert!(matches!(back, Some(19..=45)), "{back:?}");
}

#[test]
fn two_faults_that_keep_a_machine_dark_must_both_end() {
    let mut cluster = cluster_of(&[("node-1", "zone-1"), ("node-2", "zone-1")]);
    on(&mut cluster, 5);
    inject(
        &mut cluster,
        "node-power",
        "p",
        value!({"target": "node-1"}),
    );
    inject(&mut cluster, "zone-loss", "z", value!({"target": "zone-1"}));
    on(&mut cluster, 5);
    heal(&mut cluster, "z");
    on(&mut cluster, 40);
    assert!(
        cluster.network().powered_off.contains(&0),
        "held by the other fault"
    );
    assert!(!cluster.network().powered_off.contains(&1));
    heal(&mut cluster, "p");
    on(&mut cluster, 40);
    assert!(cluster.network().powered_off.is_empty());
}

#[test]
fn rules_grow_old_without_kube_proxy() {
    let mut cluster = cluster_of(&[("node-1", "zone-1"), ("node-2", "zone-1")]);
    let service = Object(value!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}
    }));
    submit(&mut cluster, Request::create(Kind::Service, service));
    submit(
        &mut cluster,
        Request::create(Kind::Deployment, deployment("web", 1)),
    );
    on(&mut cluster, 20);
    let rules = |c: &Cluster, n: usize| format!("{:?}", c.nodes()[n].proxy());
    let before = rules(&cluster, 0);
    inject(
        &mut cluster,
        "kube-proxy-down",
        "k",
        value!({"target": "node-1"}),
    );
    let scale = value!({"spec": {"replicas": 3}});
    let patch = podscope_api::PatchType::Merge;
    submit(
        &mut cluster,
        Request::patch(Kind::Deployment, "default", "web", "", patch, scale),
    );
    on(&mut cluster, 30);
    let endpoints = |text: &str| text.matches("--to-destination").count();
    assert_eq!(
        endpoints(&rules(&cluster, 0)),
        endpoints(&before),
        "as they were"
    );
    let three = endpoints(&before) + 2;
    assert_eq!(endpoints(&rules(&cluster, 1)), three);
    heal(&mut cluster, "k");
    on(&mut cluster, 5);
    assert_eq!(endpoints(&rules(&cluster, 0)), three);
}

#[test]
fn an_expired_certificate_looks_like_a_lost_node_whose_pods_run_on() {
    let mut cluster = one_node();
    ready(&mut cluster, "web", nginx());
    inject(
        &mut cluster,
        "certificate-expired",
        "c",
        value!({"target": "node-1"}),
    );
    let unknown = until(&mut cluster, 80, |c| {
        condition(c, "node-1", "Ready") == "Unknown"
    });
    assert!(matches!(unknown, Some(39..=56)), "{unknown:?}");
    assert!(!cluster.nodes()[0].runtime().processes().is_empty());
    heal(&mut cluster, "c");
    let back = until(&mut cluster, 40, |c| {
        condition(c, "node-1", "Ready") == "True"
    });
    assert!(back.is_some());
}

#[test]
fn a_slow_link_delays_and_a_lossy_one_delays_more() {
    let took = |latency: &str, loss: &str| {
        let mut cluster = one_node();
        on(&mut cluster, 2);
        if latency != "0" || loss != "0" {
            let params =
                value!({"target": "node-1", "latency_ms": (latency), "loss_percent": (loss)});
            inject(&mut cluster, "link-slow", "l", params);
        }
        submit(
            &mut cluster,
            Request::create(Kind::Pod, pod("web", nginx())),
        );
        let start = cluster.now();
        let ready = |c: &Cluster| stored(c, "web").is_some_and(|p| p.condition_true("Ready"));
        until(&mut cluster, 300, ready).expect("ready in the end");
        cluster.now().since(start).as_millis()
    };
    let (usual, slow, lossy) = (took("0", "0"), took("1000", "0"), took("1000", "60"));
    assert!(slow >= usual + 4_000, "{usual} {slow}");
    assert!(lossy > slow, "{slow} {lossy}");
    let mut cluster = one_node();
    let params = value!({"target": "node-1", "latency_ms": "0"});
    inject(&mut cluster, "link-slow", "l", params);
    assert!(
        refused(&cluster.take_trace()).is_some(),
        "nothing slow about it"
    );
}

#[test]
fn a_wrong_clock_shows_in_what_the_kubelet_writes_and_loses_no_node() {
    let mut cluster = one_node();
    on(&mut cluster, 2);
    let params = value!({"target": "node-1", "skew_s": "-3600"});
    inject(&mut cluster, "clock-skew", "s", params);
    ready(&mut cluster, "web", nginx());
    on(&mut cluster, 120);
    assert_eq!(condition(&cluster, "node-1", "Ready"), "True");
    let web = stored(&cluster, "web").expect("stored");
    let created = web
        .at("metadata.creationTimestamp")
        .str_or_empty()
        .to_string();
    let seen = web.at("status.startTime").str_or_empty().to_string();
    assert!(
        seen < created,
        "started {seen}, an hour before it was created {created}"
    );
    heal(&mut cluster, "s");
    on(&mut cluster, 15);
    let lease = cluster
        .etcd()
        .get(Kind::Lease, &Key::new("kube-node-lease", "node-1"));
    let renewed = lease
        .expect("Lease")
        .object
        .at("spec.renewTime")
        .str_or_empty()
        .to_string();
    assert!(renewed > created, "{renewed}");
}

fn phase_and_reason(cluster: &Cluster, name: &str) -> (String, String) {
    let made = stored(cluster, name).expect("stored");
    let text = |path: &str| made.at(path).str_or_empty().to_string();
    (text("status.phase"), text("status.reason"))
}

#[test]
fn memory_pressure_taints_evicts_one_by_one_and_clears_after_five_minutes() {
    let mut cluster = one_node();
    ready(&mut cluster, "besteffort", nginx());
    let guaranteed = value!({"name": "nginx", "image": "nginx:1.27", "resources": {
        "limits": {"cpu": "100m", "memory": "64Mi"}}});
    ready(&mut cluster, "guaranteed", guaranteed);
    inject(
        &mut cluster,
        "memory-pressure",
        "m",
        value!({"target": "node-1"}),
    );
    let gone = |name: &'static str| move |c: &Cluster| phase_and_reason(c, name).0 == "Failed";
    let told = until(&mut cluster, 30, |c| {
        condition(c, "node-1", "MemoryPressure") == "True"
    });
    assert!(matches!(told, Some(0..=20)), "{told:?}");
    on(&mut cluster, 1);
    let taints = node(&cluster, "node-1").at("spec.taints").clone();
    let taint = taints.index(0);
    assert_eq!(
        taint.get("key").as_str(),
        Some("node.kubernetes.io/memory-pressure")
    );
    let first = until(&mut cluster, 20, gone("besteffort"));
    assert!(first.is_some(), "{:?}", events(&cluster));
    assert_eq!(phase_and_reason(&cluster, "besteffort").1, "Evicted");
    assert_eq!(
        phase_and_reason(&cluster, "guaranteed").0,
        "Running",
        "one per pass"
    );
    let target = stored(&cluster, "besteffort").expect("stored");
    assert_eq!(
        target.condition("DisruptionTarget").get("reason").as_str(),
        Some("TerminationByKubelet")
    );
    assert!(has_event(
        &cluster,
        "EvictionThresholdMet Attempting to reclaim memory"
    ));
    assert!(has_event(
        &cluster,
        "Evicted The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi."
    ));
    assert!(until(&mut cluster, 30, gone("guaranteed")).is_some());
    submit(
        &mut cluster,
        Request::create(Kind::Pod, pod("late", nginx())),
    );
    on(&mut cluster, 3);
    assert_eq!(
        phase_and_reason(&cluster, "late"),
        ("Failed".into(), "Evicted".into())
    );
    heal(&mut cluster, "m");
    let clear = until(&mut cluster, 400, |c| {
        condition(c, "node-1", "MemoryPressure") == "False"
    });
    assert!(matches!(clear, Some(280..=325)), "{clear:?}");
    on(&mut cluster, 2);
    assert!(
        node(&cluster, "node-1")
            .at("spec.taints")
            .items()
            .is_empty()
    );
    ready(&mut cluster, "again", nginx());
}

#[test]
fn disk_pressure_removes_images_first() {
    let mut cluster = one_node();
    ready(&mut cluster, "web", nginx());
    let other = value!({"name": "c", "image": "busybox:1.36", "command": ["sleep", "1"]});
    let mut short = pod("short", other);
    short.set("spec.restartPolicy", "Never");
    submit(&mut cluster, Request::create(Kind::Pod, short));
    on(&mut cluster, 15);
    let has = |c: &Cluster, part: &str| {
        c.nodes()[0]
            .runtime()
            .images()
            .keys()
            .any(|i| i.contains(part))
    };
    assert!(has(&cluster, "busybox") && has(&cluster, "nginx"));
    inject(
        &mut cluster,
        "disk-pressure",
        "d",
        value!({"target": "node-1"}),
    );
    let told = until(&mut cluster, 30, |c| {
        condition(c, "node-1", "DiskPressure") == "True"
    });
    assert!(matches!(told, Some(0..=20)), "{told:?}");
    assert!(
        !has(&cluster, "busybox") && has(&cluster, "nginx"),
        "used images stay"
    );
    let evicted = until(&mut cluster, 30, |c| {
        phase_and_reason(c, "web").0 == "Failed"
    });
    assert!(evicted.is_some());
    assert_eq!(phase_and_reason(&cluster, "web").1, "Evicted");
    heal(&mut cluster, "d");
    let clear = until(&mut cluster, 400, |c| {
        condition(c, "node-1", "DiskPressure") == "False"
    });
    assert!(matches!(clear, Some(280..=325)), "{clear:?}");
}

#[test]
fn a_deployment_moves_away_from_a_machine_without_process_ids() {
    let mut cluster = cluster_of(&[("node-1", "zone-1"), ("node-2", "zone-1")]);
    submit(
        &mut cluster,
        Request::create(Kind::Deployment, deployment("web", 2)),
    );
    on(&mut cluster, 20);
    inject(
        &mut cluster,
        "pid-pressure",
        "p",
        value!({"target": "node-1"}),
    );
    let moved = |c: &Cluster| {
        let pods = c.etcd().of_kind(Kind::Pod);
        let there = pods.filter(|(_, s)| s.object.condition_true("Ready"));
        let there: Vec<_> = there
            .map(|(_, s)| s.object.at("spec.nodeName").clone())
            .collect();
        there.len() == 2 && there.iter().all(|n| n.as_str() == Some("node-2"))
    };
    let took = until(&mut cluster, 120, moved);
    assert!(took.is_some_and(|s| s <= 60), "{took:?}");
    assert_eq!(condition(&cluster, "node-1", "PIDPressure"), "True");
    assert_eq!(condition(&cluster, "node-1", "Ready"), "True");
}
