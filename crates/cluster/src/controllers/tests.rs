//! Controllers inside the whole cluster: what a person would see them write.

mod jobs;
mod workloads;

use crate::apiserver::{REFUSED, STORED};
use crate::{Cluster, ClusterConfig, Command, TraceEvent};
use podscope_api::request::Propagation;
use podscope_api::{Key, Kind, Object, Request, Value, value};
use podscope_kernel::SimTime;
use std::rc::Rc;

/// A cluster under test with everything that it has reported.
struct Run {
    cluster: Cluster,
    trace: Vec<TraceEvent>,
}

impl Run {
    fn new() -> Run {
        Run::with(ClusterConfig::default())
    }
    fn with(config: ClusterConfig) -> Run {
        let mut cluster = Cluster::new(config);
        let trace = cluster.take_trace();
        Run { cluster, trace }
    }
    /// Runs for so many milliseconds.
    fn run(&mut self, millis: u64) -> &mut Run {
        let until = SimTime(self.cluster.now().0 + millis * 1_000);
        while self.cluster.next_time().is_some_and(|t| t <= until) {
            self.cluster.step();
            self.trace.extend(self.cluster.take_trace());
        }
        self.cluster.idle_until(until);
        self
    }
    fn send(&mut self, request: Request) -> &mut Run {
        let at = self.cluster.now();
        self.cluster
            .command(at, &Command::Request(Rc::new(request)));
        self.trace.extend(self.cluster.take_trace());
        self
    }
    fn create(&mut self, kind: Kind, object: Value) -> &mut Run {
        self.send(Request::create(kind, Object(object)))
    }
    fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<Rc<Object>> {
        self.cluster
            .etcd()
            .get(kind, &Key::new(namespace, name))
            .map(|s| s.object.clone())
    }
    fn list(&self, kind: Kind) -> Vec<Rc<Object>> {
        self.cluster
            .etcd()
            .objects()
            .iter()
            .filter(|((k, _), _)| *k == kind)
            .map(|(_, s)| s.object.clone())
            .collect()
    }
    /// `user verb resource code` of every write that ended, in order.
    fn writes(&self) -> Vec<String> {
        let requests: podscope_kernel::collections::BTreeMap<_, _> = self
            .trace
            .iter()
            .filter(|e| e.code == crate::world::REQUEST)
            .filter_map(|e| match (&e.data, e.request) {
                (crate::Data::Request(r), Some(id)) => Some((id, (e.actor, r.clone()))),
                _ => None,
            })
            .collect();
        self.trace
            .iter()
            .filter(|e| e.code == STORED || e.code == REFUSED)
            .filter_map(|e| {
                let (actor, request) = requests.get(&e.request?)?;
                let code = e.arg("code").as_int().unwrap_or(0);
                Some(format!(
                    "{actor} {} {} {code}",
                    request.verb.name(),
                    crate::apiserver::resource(request)
                ))
            })
            .collect()
    }
    fn count(&self, write: &str) -> usize {
        self.writes().iter().filter(|w| *w == write).count()
    }
    /// `type reason message` of all Events, in the order of their creation.
    fn events(&self) -> Vec<String> {
        let mut events: Vec<(u64, String)> = self
            .list(Kind::Event)
            .iter()
            .map(|e| {
                let text = |f: &str| e.get(f).str_or_empty().to_string();
                (
                    e.resource_version(),
                    format!("{} {} {}", text("type"), text("reason"), text("message")),
                )
            })
            .collect();
        events.sort();
        events.into_iter().map(|(_, e)| e).collect()
    }
    /// Cuts a machine off from the API server.
    fn cut_off(&mut self, machine: u16) -> &mut Run {
        self.cluster.sim.network.partitioned.insert(machine);
        self.cluster.lose_watches(|p| p.machine() == Some(machine));
        self
    }
    /// When something was first reported after `since`, in seconds from there.
    fn first(&self, code: &str, since: SimTime) -> Option<u64> {
        self.trace
            .iter()
            .find(|e| e.code == code && e.at > since)
            .map(|e| e.at.since(since).as_secs())
    }
    /// Pods on a node.
    fn pods_on(&self, node: &str) -> Vec<Rc<Object>> {
        let mut pods = self.list(Kind::Pod);
        pods.retain(|p| p.at("spec.nodeName").as_str() == Some(node));
        pods
    }
    fn delete(&mut self, kind: Kind, name: &str, propagation: Propagation) -> &mut Run {
        let mut delete = Request::delete(kind, "default", name);
        delete.options.propagation = Some(propagation);
        self.send(delete)
    }
    fn set_image(&mut self, name: &str, image: &str) -> &mut Run {
        let patch = value!({"spec": {"template": {"spec": {"containers": [
            {"name": "c", "image": (image)}
        ]}}}});
        let target = Object(value!({"metadata": {"name": (name), "namespace": "default"}}));
        self.send(super::meta::strategic(Kind::Deployment, &target, "", patch))
    }
}

fn deployment(name: &str, replicas: i64, image: &str) -> Value {
    value!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": (name), "namespace": "default"},
        "spec": {
            "replicas": (replicas),
            "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
            "selector": {"matchLabels": {"app": (name)}},
            "strategy": {"type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "template": {
                "metadata": {"labels": {"app": (name)}},
                "spec": {
                    "containers": [{"name": "c", "image": (image), "imagePullPolicy": "IfNotPresent",
                        "resources": {}, "terminationMessagePath": "/dev/termination-log",
                        "terminationMessagePolicy": "File"}],
                    "restartPolicy": "Always", "terminationGracePeriodSeconds": 30,
                    "dnsPolicy": "ClusterFirst", "securityContext": {},
                    "schedulerName": "default-scheduler",
                    "tolerations": [
                        {"key": "node.kubernetes.io/not-ready", "operator": "Exists",
                            "effect": "NoExecute", "tolerationSeconds": 300},
                        {"key": "node.kubernetes.io/unreachable", "operator": "Exists",
                            "effect": "NoExecute", "tolerationSeconds": 300}
                    ]
                }
            }
        }
    })
}

#[test]
fn a_new_deployment_is_written_as_often_as_recorded() {
    let mut run = Run::new();
    run.create(Kind::Deployment, deployment("web", 3, "nginx:1.25"))
        .run(20_000);
    assert_eq!(run.list(Kind::Pod).len(), 3);
    let web = run
        .get(Kind::Deployment, "default", "web")
        .unwrap_or_default();
    assert_eq!(web.at("status.availableReplicas").as_int(), Some(3));
    let progressing = web.condition("Progressing").get("reason").as_str();
    assert_eq!(progressing, Some("NewReplicaSetAvailable"));
    for (write, least, most) in [
        ("deployment-controller create replicasets 201", 1, 1),
        // One to three for readiness: Pods may become ready at the same time.
        ("deployment-controller update deployments/status 200", 4, 6),
        ("deployment-controller update deployments/status 409", 1, 1),
        ("deployment-controller create events 201", 1, 1),
        ("replicaset-controller create pods 201", 3, 3),
        ("replicaset-controller create events 201", 3, 3),
        ("replicaset-controller update replicasets/status 200", 3, 5),
    ] {
        let count = run.count(write);
        assert!((least..=most).contains(&count), "{write}: {count}");
    }
}

#[test]
fn every_request_of_the_controllers_is_allowed() {
    let mut run = Run::new();
    run.create(Kind::Service, service("web", "web"))
        .create(Kind::Deployment, deployment("web", 4, "nginx:1.25"))
        .run(10_000)
        .set_image("web", "nginx:1.28")
        .run(10_000)
        .delete(Kind::Deployment, "web", Propagation::Foreground)
        .run(40_000);
    let denied: Vec<String> = run
        .writes()
        .into_iter()
        .filter(|w| w.contains("controller") && w.ends_with(" 403"))
        .collect();
    assert!(denied.is_empty(), "{denied:#?}");
}

#[test]
fn a_rolling_update_goes_up_and_down_in_turn() {
    let mut run = Run::new();
    run.create(Kind::Deployment, deployment("web", 4, "nginx:1.25"))
        .run(10_000)
        .set_image("web", "nginx:1.28")
        .run(60_000);
    let events: Vec<String> = run
        .events()
        .into_iter()
        .filter(|e| e.contains("ScalingReplicaSet"))
        .collect();
    let sets = run.list(Kind::ReplicaSet);
    let set = |size: i64| {
        let found = sets
            .iter()
            .find(|s| s.at("spec.replicas").as_int() == Some(size));
        found.map_or("", |s| s.name())
    };
    let (old, new) = (set(0), set(4));
    let step = |direction: &str, set: &str, from: i64, to: i64| {
        format!("Normal ScalingReplicaSet Scaled {direction} replica set {set} from {from} to {to}")
    };
    let beginning = [
        step("up", old, 0, 4),
        step("up", new, 0, 1),
        step("down", old, 4, 3),
        step("up", new, 1, 2),
    ];
    assert_eq!(events.get(..4), Some(&beginning[..]), "{events:#?}");
    assert_eq!(run.list(Kind::Pod).len(), 4);
    let web = run
        .get(Kind::Deployment, "default", "web")
        .unwrap_or_default();
    assert_eq!(
        web.annotation("deployment.kubernetes.io/revision"),
        Some("2")
    );
    assert_eq!(web.at("status.updatedReplicas").as_int(), Some(4));
}

#[test]
fn recreate_waits_until_the_old_pods_are_gone() {
    let mut run = Run::new();
    let mut d = deployment("web", 2, "nginx:1.25");
    d.set("spec.strategy", value!({"type": "Recreate"}));
    run.create(Kind::Deployment, d).run(10_000);
    run.set_image("web", "nginx:1.28").run(200);
    assert_eq!(
        run.list(Kind::ReplicaSet).len(),
        1,
        "the new one has to wait"
    );
    run.run(60_000);
    let sets = run.list(Kind::ReplicaSet);
    assert_eq!(sets.len(), 2);
    assert_eq!(run.list(Kind::Pod).len(), 2);
}

fn service(name: &str, app: &str) -> Value {
    value!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": (name), "namespace": "default"},
        "spec": {"selector": {"app": (app)}, "clusterIP": "10.96.0.10",
            "ports": [{"port": 80, "targetPort": 80, "protocol": "TCP"}]}
    })
}

#[test]
fn endpoints_follow_their_pods() {
    let mut run = Run::new();
    run.create(Kind::Service, service("web", "web")).run(200);
    let created = "endpointslice-controller create endpointslices 201";
    assert_eq!(run.count(created), 1);
    run.create(Kind::Deployment, deployment("web", 3, "nginx:1.25"))
        .run(20_000);
    let slices = run.list(Kind::EndpointSlice);
    assert_eq!(slices.len(), 2, "the API server's own and the Service's");
    let slice = slices.iter().find(|s| s.name() != "kubernetes").cloned();
    let slice = slice.unwrap_or_default();
    let endpoints = slice.get("endpoints").items();
    assert_eq!(endpoints.len(), 3);
    assert!(endpoints.iter().all(|e| e.at("conditions.ready").is_true()));
    assert!(endpoints.iter().all(|e| e.at("zone").as_str().is_some()));
    assert_eq!(slice.at("ports").index(0).at("port").as_int(), Some(80));
    let pod = run.list(Kind::Pod)[0].clone();
    run.send(Request::delete(Kind::Pod, "default", pod.name()))
        .run(50);
    let slice = run.get(Kind::EndpointSlice, "default", slice.name());
    let slice = slice.unwrap_or_default();
    let ready = |e: &&Value| e.at("conditions.ready").is_true();
    let count = slice.get("endpoints").items().iter().filter(ready).count();
    assert_eq!(
        count, 2,
        "a Pod that is being deleted is not ready any more"
    );
}

#[test]
fn a_silent_node_is_marked_and_its_pods_are_replaced() {
    let mut run = Run::new();
    run.create(Kind::Deployment, deployment("web", 6, "nginx:1.25"))
        .run(30_000);
    let lost = run.pods_on("node-2").len();
    assert!(lost > 0, "the Pods are spread over the nodes");
    let start = run.cluster.now();
    run.cut_off(1).run(360_000);
    let unknown = run.first(super::node_lifecycle::UNKNOWN, start);
    assert!(
        unknown.is_some_and(|s| (40..=55).contains(&s)),
        "{unknown:?}"
    );
    let evicted = run.first(super::taint_eviction::EVICT, start);
    assert!(
        evicted.is_some_and(|s| (340..=356).contains(&s)),
        "{evicted:?}"
    );
    let node = run.get(Kind::Node, "", "node-2").unwrap_or_default();
    let ready = node.condition("Ready").get("reason").as_str();
    assert_eq!(ready, Some("NodeStatusUnknown"));
    let taints = node.at("spec.taints").items().iter();
    let taints: Vec<&str> = taints.map(|t| t.get("effect").str_or_empty()).collect();
    assert_eq!(taints, ["NoSchedule", "NoExecute"]);
    let events = run.events();
    for event in [
        "Normal NodeNotReady Node node-2 status is now: NodeNotReady",
        "Warning NodeNotReady Node is not ready",
    ] {
        assert!(
            events.iter().any(|e| e == event),
            "{event} is missing in {events:#?}"
        );
    }
    let marked = "Normal TaintManagerEviction Marking for deletion Pod default/web-";
    assert_eq!(
        events.iter().filter(|e| e.starts_with(marked)).count(),
        lost
    );
    assert_eq!(
        run.list(Kind::Pod).len(),
        6 + lost,
        "the lost ones stay Terminating"
    );
    for pod in run.pods_on("node-2") {
        let reason = pod.condition("DisruptionTarget").get("reason").as_str();
        assert_eq!(reason, Some("DeletionByTaintManager"));
        assert!(pod.is_being_deleted());
    }
}

#[test]
fn nothing_is_evicted_when_all_nodes_are_silent() {
    let mut run = Run::new();
    run.create(Kind::Deployment, deployment("web", 3, "nginx:1.25"))
        .run(20_000);
    for machine in 0..3 {
        run.cut_off(machine);
    }
    run.run(400_000);
    assert!(run.list(Kind::Pod).iter().all(|p| !p.is_being_deleted()));
    for node in run.list(Kind::Node) {
        assert!(!super::node_lifecycle::taints::has(
            &node,
            super::node_lifecycle::taints::UNREACHABLE,
            "NoExecute"
        ));
    }
}

#[test]
fn dependents_of_a_deleted_owner_go_in_the_background() {
    let mut run = Run::new();
    run.create(Kind::Deployment, deployment("web", 2, "nginx:1.25"))
        .run(10_000)
        .delete(Kind::Deployment, "web", Propagation::Background)
        .run(60_000);
    assert!(run.list(Kind::ReplicaSet).is_empty());
    assert!(run.list(Kind::Pod).is_empty());
    let by_collector =
        |resource: &str| run.count(&format!("generic-garbage-collector delete {resource} 200"));
    assert_eq!(by_collector("replicasets"), 1);
    assert_eq!(by_collector("pods"), 2);
}

#[test]
fn foreground_deletion_waits_for_the_dependents() {
    let mut run = Run::new();
    run.create(Kind::Deployment, deployment("web", 2, "nginx:1.25"))
        .run(10_000)
        .delete(Kind::Deployment, "web", Propagation::Foreground)
        .run(100);
    let owner = run.get(Kind::Deployment, "default", "web");
    assert!(
        owner.is_some_and(|d| d.is_being_deleted()),
        "it waits for its Pods"
    );
    assert!(run.list(Kind::Pod).iter().all(|p| p.is_being_deleted()));
    run.run(60_000);
    assert!(run.list(Kind::Pod).is_empty());
    assert!(run.list(Kind::ReplicaSet).is_empty());
    assert!(run.list(Kind::Deployment).is_empty());
}

#[test]
fn orphans_stay_and_are_adopted_again() {
    let mut run = Run::new();
    run.create(Kind::Deployment, deployment("web", 2, "nginx:1.25"))
        .run(10_000)
        .delete(Kind::Deployment, "web", Propagation::Orphan)
        .run(1_000);
    assert!(run.list(Kind::Deployment).is_empty());
    let sets = run.list(Kind::ReplicaSet);
    assert_eq!(sets.len(), 1);
    assert_eq!(sets[0].owners().count(), 0);
    assert_eq!(run.list(Kind::Pod).len(), 2);
    run.create(Kind::Deployment, deployment("web", 2, "nginx:1.25"))
        .run(1_000);
    let sets = run.list(Kind::ReplicaSet);
    assert_eq!(sets.len(), 1);
    assert!(sets[0].controller().is_some_and(|c| c.name == "web"));
    assert_eq!(run.list(Kind::Pod).len(), 2);
}

#[test]
fn pods_of_a_deleted_node_are_collected_after_a_while() {
    let mut run = Run::new();
    run.create(Kind::Deployment, deployment("web", 6, "nginx:1.25"))
        .run(20_000)
        .cut_off(1);
    let lost = run.pods_on("node-2").len();
    assert!(lost > 0);
    run.send(Request::delete(Kind::Node, "", "node-2"))
        .run(39_000);
    assert_eq!(run.pods_on("node-2").len(), lost);
    run.run(42_000);
    assert!(run.pods_on("node-2").is_empty());
    assert_eq!(run.list(Kind::Pod).len(), 6, "new ones have been created");
    assert_eq!(
        run.count("pod-garbage-collector patch pods/status 200"),
        lost
    );
    assert_eq!(run.count("pod-garbage-collector delete pods 200"), lost);
    let removed = "Normal RemovingNode Node node-2 event: Removing Node node-2 from Controller";
    assert!(run.events().iter().any(|e| e == removed));
}

#[test]
fn a_namespace_gets_its_defaults_and_is_emptied_when_deleted() {
    let mut run = Run::new();
    run.create(
        Kind::Namespace,
        value!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"},
            "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}
        }),
    )
    .run(500);
    assert!(run.get(Kind::ServiceAccount, "shop", "default").is_some());
    assert!(
        run.get(Kind::ConfigMap, "shop", "kube-root-ca.crt")
            .is_some()
    );
    let template = deployment("web", 1, "nginx:1.25")
        .at("spec.template.spec")
        .clone();
    run.create(
        Kind::Pod,
        value!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "bare", "namespace": "shop"}, "spec": (template)}),
    )
    .run(10_000)
    .send(Request::delete(Kind::Namespace, "", "shop"))
    .run(1_000);
    let phase = |run: &Run| {
        let namespace = run.get(Kind::Namespace, "", "shop")?;
        namespace.at("status.phase").as_str().map(str::to_string)
    };
    assert_eq!(phase(&run).as_deref(), Some("Terminating"));
    run.run(60_000);
    assert_eq!(phase(&run), None, "{:#?}", run.writes());
    for kind in Kind::ALL.iter().filter(|k| k.namespaced()) {
        let left = run
            .list(*kind)
            .into_iter()
            .find(|o| o.namespace() == "shop");
        assert!(left.is_none(), "{kind} is left: {left:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_world() {
    let play = || {
        let mut run = Run::new();
        run.create(Kind::Deployment, deployment("web", 3, "nginx:1.25"))
            .run(5_000)
            .set_image("web", "nginx:1.28")
            .run(5_000)
            .cut_off(1)
            .run(70_000);
        (run.cluster.state_hash(), run.trace.len())
    };
    assert_eq!(play(), play());
}

#[test]
fn at_rest_the_controllers_only_wait_in_their_loops() {
    let mut run = Run::new();
    run.create(Kind::Deployment, deployment("web", 3, "nginx:1.25"))
        .run(60_000);
    let waiting: Vec<&str> = run
        .cluster
        .timers()
        .filter(|(_, to, ..)| matches!(to, crate::ComponentId::Controller(_)))
        .map(|(_, _, timer, _)| timer.code)
        .filter(|code| !crate::bootstrap::is_loop(code))
        .collect();
    assert!(waiting.is_empty(), "{waiting:?}");
}

#[test]
fn a_restarted_controller_manager_catches_up() {
    let mut run = Run::new();
    run.create(Kind::Deployment, deployment("web", 2, "nginx:1.25"))
        .run(10_000);
    let at = run.cluster.now();
    let down = Command::Inject {
        kind: "controller-manager-down".into(),
        name: "down".into(),
        params: Value::map(),
    };
    run.cluster.command(at, &down);
    let target = Object(value!({"metadata": {"name": "web", "namespace": "default"}}));
    let patch = value!({"spec": {"replicas": 4}});
    run.send(super::meta::strategic(Kind::Deployment, &target, "", patch))
        .run(20_000);
    assert_eq!(run.list(Kind::Pod).len(), 2, "nobody compares");
    let at = run.cluster.now();
    let heal = Command::Heal {
        name: "down".into(),
    };
    run.cluster.command(at, &heal);
    run.run(60_000);
    assert_eq!(run.list(Kind::Pod).len(), 4);
    let registered =
        "Normal RegisteredNode Node node-1 event: Registered Node node-1 in Controller";
    assert!(run.events().iter().any(|e| e == registered));
    let ready = run
        .list(Kind::Node)
        .iter()
        .all(|n| n.condition_true("Ready"));
    assert!(ready, "its grace periods begin anew");
}
