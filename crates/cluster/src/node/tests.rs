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

pub(crate) fn one_node() -> Cluster {
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
    run(&mut cluster, 6_000_000);
    let web = stored(&cluster, "web").expect("stored");
    assert_eq!(web.at("status.phase").as_str(), Some("Running"));
    assert!(web.condition_true("Ready"));
    assert!(cluster.is_stable(), "{:?}", waits(&cluster));
    submit(&mut cluster, Request::delete(Kind::Pod, "default", "web"));
    run(&mut cluster, 12_000_000);
    assert_eq!(stored(&cluster, "web"), None);
    assert_eq!(cluster.nodes()[0].runtime().pods().count(), 0);
}

pub(crate) fn inject(cluster: &mut Cluster, kind: &str, name: &str, params: Value) {
    let command = Command::Inject {
        kind: kind.into(),
        name: name.into(),
        params,
    };
    let at = cluster.now();
    cluster.command(at, &command);
}

pub(crate) fn heal(cluster: &mut Cluster, name: &str) {
    let at = cluster.now();
    cluster.command(at, &Command::Heal { name: name.into() });
}

pub(crate) fn running(cluster: &mut Cluster, pod: Object) {
    let name = pod.name().to_string();
    submit(cluster, Request::create(Kind::Pod, pod));
    let until = cluster.now().0 + 11_000_000;
    run(cluster, until);
    let stored = stored(cluster, &name).expect("stored");
    assert!(stored.condition_true("Ready"), "{}", text(&stored));
}

fn text(pod: &Object) -> String {
    podscope_api::json::to_string_pretty(pod.status())
}

/// What keeps the cluster from being at rest.
fn waits(cluster: &Cluster) -> Vec<Entry> {
    let entries = cluster.sim.queue.iter().map(|(_, e)| e.clone());
    entries
        .filter(|e| !matches!(e, Entry::Timer { timer, .. } if timer.code.starts_with("loop.")))
        .collect()
}

pub(crate) fn has_event(cluster: &Cluster, part: &str) -> bool {
    events(cluster).iter().any(|e| e.contains(part))
}

pub(crate) fn nginx() -> Value {
    value!({"name": "nginx", "image": "nginx:1.27"})
}

#[test]
fn a_crashing_container_backs_off() {
    let mut cluster = one_node();
    running(&mut cluster, pod("web", nginx()));
    inject(
        &mut cluster,
        "container-crash",
        "c",
        value!({"target": "web", "times": "always", "exit_code": 3}),
    );
    let mut waited = false;
    let end = cluster.now().0 + 120_000_000;
    while cluster.now().0 < end {
        let until = cluster.now().0 + 500_000;
        run(&mut cluster, until);
        let web = stored(&cluster, "web").expect("stored");
        assert_eq!(
            web.at("status.phase").as_str(),
            Some("Running"),
            "{}",
            text(&web)
        );
        let state = web
            .at("status.containerStatuses")
            .index(0)
            .at("state.waiting.reason");
        waited |= state.as_str() == Some("CrashLoopBackOff");
    }
    let web = stored(&cluster, "web").expect("stored");
    let status = web.at("status.containerStatuses").index(0);
    // At once, then after 10, 20 and 40 s.
    assert_eq!(
        status.get("restartCount").as_int(),
        Some(4),
        "{}",
        text(&web)
    );
    assert!(waited);
    assert_eq!(status.at("lastState.terminated.exitCode").as_int(), Some(3));
    assert!(has_event(
        &cluster,
        "Back-off restarting failed container nginx in pod web_default("
    ));
    heal(&mut cluster, "c");
    let until = cluster.now().0 + 200_000_000;
    run(&mut cluster, until);
    let web = stored(&cluster, "web").expect("stored");
    assert!(web.condition_true("Ready"), "{}", text(&web));
}

#[test]
fn power_loss_is_silent_and_heals() {
    let mut cluster = one_node();
    running(&mut cluster, pod("web", nginx()));
    let before = stored(&cluster, "web").expect("stored");
    inject(
        &mut cluster,
        "node-power",
        "p",
        value!({"target": "node-1"}),
    );
    let until = cluster.now().0 + 35_000_000;
    let trace = run(&mut cluster, until);
    let machine = |e: &&TraceEvent| e.actor.machine().is_some();
    assert_eq!(trace.iter().find(machine), None);
    assert_eq!(stored(&cluster, "web").as_ref(), Some(&before));
    assert!(cluster.nodes()[0].runtime().processes().is_empty());
    heal(&mut cluster, "p");
    let until = cluster.now().0 + 90_000_000;
    run(&mut cluster, until);
    let web = stored(&cluster, "web").expect("stored");
    assert!(web.condition_true("Ready"), "{}", text(&web));
    let status = web.at("status.containerStatuses").index(0);
    assert_eq!(
        status.get("restartCount").as_int(),
        Some(1),
        "{}",
        text(&web)
    );
    assert!(has_event(&cluster, "SandboxChanged Pod sandbox changed"));
    assert!(has_event(
        &cluster,
        "Rebooted Node node-1 has been rebooted, boot id: "
    ));
    assert!(crate::faults::active(&cluster).is_empty());
}

#[test]
fn a_missing_image_is_tried_again() {
    let mut cluster = one_node();
    inject(
        &mut cluster,
        "image-missing",
        "i",
        value!({"target": "nginx:1.27"}),
    );
    submit(
        &mut cluster,
        Request::create(Kind::Pod, pod("web", nginx())),
    );
    run(&mut cluster, 40_000_000);
    let web = stored(&cluster, "web").expect("stored");
    assert_eq!(web.at("status.phase").as_str(), Some("Pending"));
    let reason = web
        .at("status.containerStatuses")
        .index(0)
        .at("state.waiting.reason");
    assert!(
        matches!(reason.as_str(), Some("ErrImagePull" | "ImagePullBackOff")),
        "{}",
        text(&web)
    );
    assert!(has_event(
        &cluster,
        "Failed Failed to pull image \"nginx:1.27\": rpc error: code = NotFound desc = failed to pull and unpack image \"docker.io/library/nginx:1.27\": failed to resolve reference \"docker.io/library/nginx:1.27\": docker.io/library/nginx:1.27: not found"
    ));
    assert!(has_event(
        &cluster,
        "BackOff Back-off pulling image \"nginx:1.27\""
    ));
    heal(&mut cluster, "i");
    run(&mut cluster, 120_000_000);
    let web = stored(&cluster, "web").expect("stored");
    assert!(web.condition_true("Ready"), "{}", text(&web));
}

#[test]
fn probes_take_traffic_away_and_restart() {
    let mut cluster = one_node();
    let probe = value!({"httpGet": {"path": "/", "port": 80}, "periodSeconds": 5});
    let mut container = nginx();
    container.set("readinessProbe", probe.clone());
    container.set("livenessProbe", probe);
    running(&mut cluster, pod("web", container));
    assert!(
        cluster.is_stable(),
        "{:?} {:?}",
        waits(&cluster),
        cluster.api().in_flight().next()
    );
    inject(
        &mut cluster,
        "readiness-failure",
        "r",
        value!({"target": "web"}),
    );
    let until = cluster.now().0 + 20_000_000;
    run(&mut cluster, until);
    let web = stored(&cluster, "web").expect("stored");
    assert!(!web.condition_true("Ready"), "{}", text(&web));
    assert_eq!(
        web.at("status.containerStatuses")
            .index(0)
            .get("restartCount")
            .as_int(),
        Some(0)
    );
    assert!(has_event(
        &cluster,
        "Unhealthy Readiness probe failed: HTTP probe failed with statuscode: 503"
    ));
    heal(&mut cluster, "r");
    let until = cluster.now().0 + 20_000_000;
    run(&mut cluster, until);
    assert!(stored(&cluster, "web").is_some_and(|w| w.condition_true("Ready")));
    inject(
        &mut cluster,
        "liveness-failure",
        "l",
        value!({"target": "app=web"}),
    );
    let until = cluster.now().0 + 20_000_000;
    run(&mut cluster, until);
    heal(&mut cluster, "l");
    let until = cluster.now().0 + 20_000_000;
    run(&mut cluster, until);
    let web = stored(&cluster, "web").expect("stored");
    assert_eq!(
        web.at("status.containerStatuses")
            .index(0)
            .get("restartCount")
            .as_int(),
        Some(1),
        "{}",
        text(&web)
    );
    assert!(has_event(
        &cluster,
        "Killing Container nginx failed liveness probe, will be restarted"
    ));
    assert!(web.condition_true("Ready"), "{}", text(&web));
}

#[test]
fn init_containers_and_sidecars_go_first() {
    let mut cluster = one_node();
    let mut web = pod("web", nginx());
    web.set(
        "spec.initContainers",
        value!([
            {"name": "setup", "image": "busybox:1", "command": ["sh", "-c", "sleep 2"]},
            {"name": "proxy", "image": "envoyproxy/envoy:v1", "restartPolicy": "Always"}
        ]),
    );
    submit(&mut cluster, Request::create(Kind::Pod, web));
    run(&mut cluster, 2_800_000);
    let web = stored(&cluster, "web").expect("stored");
    let initialized = web.condition("Initialized");
    assert_eq!(
        initialized.get("message").as_str(),
        Some("containers with incomplete status: [setup proxy]"),
        "{}",
        text(&web)
    );
    run(&mut cluster, 20_000_000);
    let web = stored(&cluster, "web").expect("stored");
    assert!(web.condition_true("Ready"), "{}", text(&web));
    let init = web.at("status.initContainerStatuses");
    assert_eq!(
        init.index(0).at("state.terminated.reason").as_str(),
        Some("Completed")
    );
    assert!(init.index(1).get("ready").is_true());
    let trace = {
        submit(&mut cluster, Request::delete(Kind::Pod, "default", "web"));
        run(&mut cluster, 60_000_000)
    };
    let ends: Vec<&str> = trace
        .iter()
        .filter(|e| e.code == super::runtime::PROCESS_EXIT)
        .map(|e| e.arg("container").str_or_empty())
        .collect();
    assert_eq!(ends, ["nginx", "proxy"]);
    assert_eq!(stored(&cluster, "web"), None);
}

#[test]
fn a_pod_that_ends_says_how() {
    let mut cluster = one_node();
    for (name, script) in [("good", "sleep 2"), ("bad", "sleep 1; exit 3")] {
        let mut job = pod(
            name,
            value!({"name": "c", "image": "busybox:1", "command": ["sh", "-c", (script)]}),
        );
        job.set("spec.restartPolicy", "Never");
        submit(&mut cluster, Request::create(Kind::Pod, job));
    }
    run(&mut cluster, 20_000_000);
    let (good, bad) = (
        stored(&cluster, "good").expect("stored"),
        stored(&cluster, "bad").expect("stored"),
    );
    assert_eq!(
        good.at("status.phase").as_str(),
        Some("Succeeded"),
        "{}",
        text(&good)
    );
    assert_eq!(
        good.condition("Ready").get("reason").as_str(),
        Some("PodCompleted")
    );
    assert_eq!(
        bad.at("status.phase").as_str(),
        Some("Failed"),
        "{}",
        text(&bad)
    );
    assert_eq!(
        bad.at("status.containerStatuses")
            .index(0)
            .at("state.terminated.exitCode")
            .as_int(),
        Some(3)
    );
    assert!(cluster.is_stable());
    submit(&mut cluster, Request::delete(Kind::Pod, "default", "bad"));
    run(&mut cluster, 25_000_000);
    assert_eq!(stored(&cluster, "bad"), None);
    assert_eq!(cluster.nodes()[0].runtime().pods().count(), 1);
}

#[test]
fn a_deaf_process_is_killed_after_its_grace() {
    let mut cluster = one_node();
    running(
        &mut cluster,
        pod(
            "deaf",
            value!({"name": "c", "image": "busybox:1", "command": ["sleep", "infinity"]}),
        ),
    );
    let mut delete = Request::delete(Kind::Pod, "default", "deaf");
    delete.options.grace_period_seconds = Some(5);
    let start = cluster.now().0;
    submit(&mut cluster, delete);
    run(&mut cluster, start + 4_500_000);
    assert!(stored(&cluster, "deaf").is_some_and(|p| p.is_being_deleted()));
    let trace = run(&mut cluster, start + 8_000_000);
    let exit = trace
        .iter()
        .find(|e| e.code == super::runtime::PROCESS_EXIT)
        .expect("it ends");
    assert_eq!(exit.arg("exit_code").as_int(), Some(137));
    assert_eq!(stored(&cluster, "deaf"), None);
}

#[test]
fn a_pod_that_does_not_fit_is_refused() {
    let mut cluster = one_node();
    let big = value!({"name": "c", "image": "nginx:1.27", "resources": {"requests": {"cpu": "9"}}});
    submit(&mut cluster, Request::create(Kind::Pod, pod("big", big)));
    run(&mut cluster, 3_000_000);
    let big = stored(&cluster, "big").expect("stored");
    assert_eq!(
        big.at("status.phase").as_str(),
        Some("Failed"),
        "{}",
        text(&big)
    );
    assert_eq!(big.at("status.reason").as_str(), Some("OutOfcpu"));
    assert_eq!(
        big.at("status.message").as_str(),
        Some(
            "Pod was rejected: Node didn't have enough resource: cpu, requested: 9000, used: 0, capacity: 4000"
        )
    );
    submit(&mut cluster, Request::delete(Kind::Pod, "default", "big"));
    run(&mut cluster, 6_000_000);
    assert_eq!(stored(&cluster, "big"), None);
}

#[test]
fn a_kubelet_crash_leaves_containers_alone() {
    let mut cluster = one_node();
    running(&mut cluster, pod("web", nginx()));
    let before = cluster.nodes()[0].runtime().processes();
    inject(
        &mut cluster,
        "kubelet-crash",
        "k",
        value!({"target": "node-1", "restart_s": 15}),
    );
    let until = cluster.now().0 + 40_000_000;
    run(&mut cluster, until);
    assert_eq!(cluster.nodes()[0].runtime().processes(), before);
    let web = stored(&cluster, "web").expect("stored");
    assert!(web.condition_true("Ready"), "{}", text(&web));
    assert!(has_event(&cluster, "Starting Starting kubelet."));
    submit(&mut cluster, Request::delete(Kind::Pod, "default", "web"));
    let until = cluster.now().0 + 5_000_000;
    run(&mut cluster, until);
    assert_eq!(stored(&cluster, "web"), None);
}

#[test]
fn a_partition_is_mended() {
    let mut cluster = one_node();
    running(&mut cluster, pod("web", nginx()));
    inject(&mut cluster, "partition", "x", value!({"target": "node-1"}));
    inject(
        &mut cluster,
        "container-crash",
        "c",
        value!({"target": "web"}),
    );
    let until = cluster.now().0 + 30_000_000;
    run(&mut cluster, until);
    let web = stored(&cluster, "web").expect("stored");
    assert_eq!(
        web.at("status.containerStatuses")
            .index(0)
            .get("restartCount")
            .as_int(),
        Some(0)
    );
    heal(&mut cluster, "x");
    let until = cluster.now().0 + 60_000_000;
    run(&mut cluster, until);
    let web = stored(&cluster, "web").expect("stored");
    assert_eq!(
        web.at("status.containerStatuses")
            .index(0)
            .get("restartCount")
            .as_int(),
        Some(1),
        "{}",
        text(&web)
    );
    assert!(web.condition_true("Ready"));
}

#[test]
fn the_control_plane_fails_and_comes_back() {
    for kind in [
        "apiserver-down",
        "scheduler-down",
        "controller-manager-down",
    ] {
        let mut cluster = one_node();
        running(&mut cluster, pod("web", nginx()));
        inject(&mut cluster, kind, "f", Value::map());
        let until = cluster.now().0 + 30_000_000;
        run(&mut cluster, until);
        assert!(
            !cluster.nodes()[0].runtime().processes().is_empty(),
            "{kind}"
        );
        heal(&mut cluster, "f");
        let until = cluster.now().0 + 90_000_000;
        run(&mut cluster, until);
        assert!(crate::faults::active(&cluster).is_empty(), "{kind}");
        assert!(cluster.network().is_whole(), "{kind}");
        let web = stored(&cluster, "web").expect("stored");
        assert!(web.condition_true("Ready"), "{kind}: {}", text(&web));
        submit(&mut cluster, Request::delete(Kind::Pod, "default", "web"));
        let until = cluster.now().0 + 5_000_000;
        run(&mut cluster, until);
        assert_eq!(stored(&cluster, "web"), None, "{kind}");
    }
}

#[test]
fn faults_that_cannot_be_are_refused() {
    let mut cluster = one_node();
    for (kind, params) in [
        ("no-such-fault", Value::map()),
        ("node-power", value!({"target": "node-9"})),
        ("node-power", value!({"target": "node-1", "boot_s": "soon"})),
        ("node-power", value!({"target": "node-1", "volts": 3})),
        ("container-crash", value!({"target": "nobody"})),
        ("etcd-member-down", value!({"target": "7"})),
        ("registry-down", value!({"target": "x"})),
        ("partition", Value::Null),
        ("image-missing", value!({"target": "A B"})),
    ] {
        inject(&mut cluster, kind, "f", params);
        let trace = cluster.take_trace();
        assert_eq!(
            trace.last().map(|e| e.code),
            Some(crate::faults::REFUSED),
            "{kind}"
        );
        assert!(crate::faults::active(&cluster).is_empty(), "{kind}");
    }
    heal(&mut cluster, "f");
    assert_eq!(
        cluster.take_trace().last().map(|e| e.code),
        Some(crate::faults::REFUSED)
    );
    for kind in crate::faults::KINDS {
        for target in crate::faults::targets(&cluster, kind) {
            inject(&mut cluster, kind.name, "f", value!({"target": (target)}));
            heal(&mut cluster, "f");
            let until = cluster.now().0 + 25_000_000;
            run(&mut cluster, until);
        }
    }
    assert!(crate::faults::active(&cluster).is_empty());
}

#[test]
fn the_same_commands_give_the_same_world() {
    let hash = || {
        let mut cluster = one_node();
        running(&mut cluster, pod("web", nginx()));
        inject(
            &mut cluster,
            "node-power",
            "p",
            value!({"target": "node-1"}),
        );
        run(&mut cluster, 60_000_000);
        heal(&mut cluster, "p");
        run(&mut cluster, 120_000_000);
        cluster.state_hash()
    };
    assert_eq!(hash(), hash());
}

/// The folder of recordings beside the checkout; `None` when it is not there.
fn recordings() -> Option<std::path::PathBuf> {
    let shared = std::env::var_os("PODSCOPE_SHARED").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        std::path::PathBuf::from,
    );
    let golden = shared.join("golden");
    golden.is_dir().then_some(golden)
}

fn lines(path: &std::path::Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let parsed = text
        .lines()
        .filter_map(|l| podscope_api::json::parse(l).ok());
    parsed.collect()
}

/// What cannot be equal (times, addresses, names of containers and images) made equal.
fn masked(value: &Value) -> Value {
    const MASKED: &[&str] = &[
        "startTime",
        "startedAt",
        "finishedAt",
        "containerID",
        "image",
        "imageID",
        "hostIP",
        "hostIPs",
        "podIP",
        "podIPs",
        "uid",
    ];
    match value {
        // Whole seconds: whether it changes with the status depends on when in a second a run began.
        Value::Map(map) if map.contains_key("lastTransitionTime") => {
            let mut rest = value.clone();
            rest.remove("lastTransitionTime");
            masked(&rest)
        }
        Value::Map(map) => Value::from_pairs(map.entries().iter().map(|(k, v)| {
            let masks = MASKED.contains(&&**k);
            (k.clone(), if masks { Value::from("…") } else { masked(v) })
        })),
        Value::List(items) => Value::list(items.iter().map(masked)),
        other => other.clone(),
    }
}

/// The kubelet sends the same status patches as the recorded one, from creation (to deletion).
fn same_patches(folder: &str, name: &str, ready: &[&str]) {
    let Some(golden) = recordings() else {
        eprintln!("skipped: no recordings (set PODSCOPE_SHARED)");
        return;
    };
    let is_pod = |o: &Value| {
        o.get("kind").as_str() == Some("Pod")
            && o.at("metadata.name")
                .as_str()
                .is_some_and(|n| n.ends_with(name))
    };
    let watch = lines(&golden.join(folder).join("watch.jsonl"));
    let recorded = watch
        .iter()
        .find(|w| is_pod(w.get("object")))
        .expect("the Pod was recorded");
    let object = recorded.get("object");
    let full = object.at("metadata.name").str_or_empty().to_string();
    let patches: Vec<String> = lines(&golden.join(folder).join("audit.jsonl"))
        .iter()
        .filter(|a| {
            let uri = a.get("requestURI").str_or_empty();
            a.get("verb").as_str() == Some("patch")
                && uri.ends_with(&format!("/pods/{full}/status"))
                && a.get("user").str_or_empty().starts_with("system:node:")
        })
        .map(|a| podscope_api::json::to_string(&masked(a.get("requestObject"))))
        .collect();
    let mut pod = value!({"apiVersion": "v1", "kind": "Pod"});
    pod.set("metadata.name", full.clone());
    pod.set("metadata.namespace", "default");
    pod.set("spec", object.get("spec").clone());
    for field in [
        "nodeSelector",
        "priority",
        "preemptionPolicy",
        "tolerations",
    ] {
        pod.at_mut("spec").map_mut().remove(field);
    }
    let mut config = ClusterConfig {
        nodes: vec![NodeConfig::worker("node-1", "zone-1")],
        ..ClusterConfig::default()
    };
    config.seed = 3;
    let mut cluster = Cluster::new(config);
    submit(&mut cluster, Request::create(Kind::Pod, Object(pod)));
    let mut trace = run(&mut cluster, 6_000_000);
    if patches.len() > ready.len() {
        submit(
            &mut cluster,
            Request::delete(Kind::Pod, "default", full.clone()),
        );
        trace.extend(run(&mut cluster, 12_000_000));
    }
    let sent: Vec<String> = trace
        .iter()
        .filter(|e| e.code == crate::world::REQUEST)
        .filter_map(|e| match &e.data {
            crate::trace::Data::Request(r)
                if r.kind == Kind::Pod
                    && &*r.subresource == "status"
                    && e.actor.machine().is_some() =>
            {
                match &r.body {
                    podscope_api::Body::Patch(_, patch) => {
                        Some(podscope_api::json::to_string(&masked(patch)))
                    }
                    _ => None,
                }
            }
            _ => None,
        })
        .collect();
    assert_eq!(sent.len(), patches.len(), "{sent:#?}");
    for (sent, recorded) in sent.iter().zip(&patches) {
        assert_eq!(sent, recorded);
    }
}

#[test]
fn status_patches_as_recorded_without_probes() {
    same_patches(
        "01e-deploy-with-simulated-delays",
        "rmd4n",
        &["seen", "sandbox", "running"],
    );
}

#[test]
fn status_patches_as_recorded_with_a_readiness_probe() {
    same_patches(
        "13a-real-node-pod",
        "web",
        &["seen", "sandbox", "running", "ready"],
    );
}
