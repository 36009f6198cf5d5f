//! Controllers inside the whole cluster: what a person would see them write.

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
        let requests: std::collections::BTreeMap<_, _> = self
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
    /// Gives every Pod without one a node, an address and the Ready condition.
    fn make_ready(&mut self) -> &mut Run {
        for (i, pod) in self.list(Kind::Pod).into_iter().enumerate() {
            if pod.condition_true("Ready") || pod.is_being_deleted() {
                continue;
            }
            if pod.at("spec.nodeName").is_null() {
                let mut binding = Request::create(
                    Kind::Pod,
                    Object(value!({
                        "metadata": {"name": (pod.key().name), "namespace": (pod.key().namespace)},
                        "target": {"kind": "Node", "name": (format!("node-{}", i % 3 + 1))}
                    })),
                );
                binding.name = pod.key().name;
                binding.subresource = "binding".into();
                self.send(binding).run(20);
            }
            let at = self.cluster.wall_at(self.cluster.now()).seconds_text();
            let patch = value!({"status": {
                "phase": "Running", "podIP": (format!("10.244.1.{}", i + 2)),
                "podIPs": [{"ip": (format!("10.244.1.{}", i + 2))}],
                "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": (at)}]
            }});
            self.send(super::meta::strategic(Kind::Pod, &pod, "status", patch))
                .run(30);
        }
        self
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
                    "schedulerName": "nobody"
                }
            }
        }
    })
}

#[test]
fn a_new_deployment_is_written_as_often_as_recorded() {
    let mut run = Run::new();
    run.create(Kind::Deployment, deployment("web", 3, "nginx:1.25"))
        .run(2_000)
        .make_ready()
        .run(1_000);
    assert_eq!(run.list(Kind::Pod).len(), 3);
    assert_eq!(run.count("deployment-controller create replicasets 201"), 1);
    assert_eq!(
        run.count("deployment-controller update deployments/status 200"),
        6
    );
    assert_eq!(
        run.count("deployment-controller update deployments/status 409"),
        1
    );
    assert_eq!(run.count("deployment-controller create events 201"), 1);
    assert_eq!(run.count("replicaset-controller create pods 201"), 3);
    assert_eq!(run.count("replicaset-controller create events 201"), 3);
    assert_eq!(
        run.count("replicaset-controller update replicasets/status 200"),
        5
    );
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
    assert_eq!(
        run.count("endpointslice-controller create endpointslices 201"),
        1
    );
    run.create(Kind::Deployment, deployment("web", 3, "nginx:1.25"))
        .run(1_000)
        .make_ready()
        .run(500);
    assert_eq!(
        run.count("endpointslice-controller update endpointslices 200"),
        3
    );
    let slices = run.list(Kind::EndpointSlice);
    assert_eq!(slices.len(), 2, "the API server's own and the Service's");
    let slice = slices.iter().find(|s| s.name() != "kubernetes").cloned();
    let slice = slice.map(|s| (*s).clone()).unwrap_or_default();
    let endpoints = slice.get("endpoints").items().to_vec();
    assert_eq!(endpoints.len(), 3);
    assert!(endpoints.iter().all(|e| e.at("conditions.ready").is_true()));
    assert!(endpoints.iter().all(|e| e.at("zone").as_str().is_some()));
    assert_eq!(slice.at("ports").index(0).at("port").as_int(), Some(80));
    let pod = run.list(Kind::Pod)[0].clone();
    run.send(Request::delete(Kind::Pod, "default", pod.name()))
        .run(100);
    let ready = |run: &Run| {
        let slice = run.get(Kind::EndpointSlice, "default", slice.name());
        slice.map_or(0, |s| {
            let ready = |e: &&Value| e.at("conditions.ready").is_true();
            s.get("endpoints").items().iter().filter(ready).count()
        })
    };
    assert_eq!(
        ready(&run),
        2,
        "a Pod that is being deleted is not ready any more"
    );
}

/// Renews the Leases of these nodes every 10 s for so many seconds.
fn alive(run: &mut Run, nodes: &[&str], seconds: u64) {
    for _ in 0..seconds / 10 {
        for node in nodes {
            let at = run.cluster.wall_at(run.cluster.now()).micros_text();
            let patch = value!({"spec": {"renewTime": (at)}});
            let lease =
                Object(value!({"metadata": {"name": (*node), "namespace": "kube-node-lease"}}));
            run.send(super::meta::strategic(Kind::Lease, &lease, "", patch));
        }
        run.run(10_000);
    }
}

#[test]
fn a_silent_node_is_marked_and_its_pods_are_replaced() {
    let mut run = Run::new();
    run.create(Kind::Deployment, {
        let mut d = deployment("web", 3, "nginx:1.25");
        d.set("spec.template.spec.tolerations", value!([
            {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
            {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
        ]));
        d
    })
    .run(1_000)
    .make_ready();
    alive(&mut run, &["node-1", "node-2", "node-3"], 20);
    let start = run.cluster.now();
    alive(&mut run, &["node-1", "node-3"], 360);
    let at = |code: &str| {
        run.trace
            .iter()
            .find(|e| e.code == code && e.at > start)
            .map(|e| e.at.since(start).as_secs())
    };
    let unknown = at(super::node_lifecycle::UNKNOWN);
    assert!(
        unknown.is_some_and(|s| (40..=55).contains(&s)),
        "{unknown:?}"
    );
    let evicted = at(super::taint_eviction::EVICT);
    assert!(
        evicted.is_some_and(|s| (340..=356).contains(&s)),
        "{evicted:?}"
    );
    let node = run.get(Kind::Node, "", "node-2").unwrap_or_default();
    assert_eq!(
        node.condition("Ready").get("reason").as_str(),
        Some("NodeStatusUnknown")
    );
    let taints: Vec<&str> = node
        .at("spec.taints")
        .items()
        .iter()
        .map(|t| t.get("effect").str_or_empty())
        .collect();
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
    assert!(events.iter().any(|e| {
        e.starts_with("Normal TaintManagerEviction Marking for deletion Pod default/web-")
    }));
    assert_eq!(
        run.list(Kind::Pod).len(),
        4,
        "the replacement is there, the old one is Terminating"
    );
    let old = run
        .list(Kind::Pod)
        .into_iter()
        .find(|p| p.is_being_deleted())
        .unwrap_or_default();
    assert_eq!(
        old.condition("DisruptionTarget").get("reason").as_str(),
        Some("DeletionByTaintManager")
    );
    assert_eq!(run.count("taint-eviction-controller delete pods 200"), 1);
}

#[test]
fn dependents_of_a_deleted_owner_go_in_the_background() {
    let mut run = Run::new();
    run.create(Kind::Deployment, deployment("web", 2, "nginx:1.25"))
        .run(500);
    let mut delete = Request::delete(Kind::Deployment, "default", "web");
    delete.options.propagation = Some(Propagation::Background);
    run.send(delete).run(1_000);
    assert!(run.list(Kind::ReplicaSet).is_empty());
    assert!(
        run.list(Kind::Pod).is_empty(),
        "Pods without a node go at once"
    );
    assert_eq!(
        run.count("generic-garbage-collector delete replicasets 200"),
        1
    );
    assert_eq!(run.count("generic-garbage-collector delete pods 200"), 2);
}

#[test]
fn foreground_deletion_waits_for_the_dependents() {
    let mut run = Run::new();
    run.create(Kind::Deployment, deployment("web", 2, "nginx:1.25"))
        .run(500)
        .make_ready();
    let mut delete = Request::delete(Kind::Deployment, "default", "web");
    delete.options.propagation = Some(Propagation::Foreground);
    run.send(delete).run(1_000);
    let owner = run.get(Kind::Deployment, "default", "web");
    assert!(
        owner.is_some_and(|d| d.is_being_deleted()),
        "it waits for its Pods"
    );
    assert!(run.list(Kind::Pod).iter().all(|p| p.is_being_deleted()));
    for pod in run.list(Kind::Pod) {
        let mut delete = Request::delete(Kind::Pod, "default", pod.name());
        delete.options.grace_period_seconds = Some(0);
        run.send(delete);
    }
    run.run(1_000);
    assert!(run.list(Kind::ReplicaSet).is_empty());
    assert!(run.list(Kind::Deployment).is_empty());
}

#[test]
fn orphans_stay_and_are_adopted_again() {
    let mut run = Run::new();
    run.create(Kind::Deployment, deployment("web", 2, "nginx:1.25"))
        .run(500);
    let mut delete = Request::delete(Kind::Deployment, "default", "web");
    delete.options.propagation = Some(Propagation::Orphan);
    run.send(delete).run(1_000);
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
    run.create(Kind::Deployment, deployment("web", 1, "nginx:1.25"))
        .run(500)
        .make_ready();
    let node = run.list(Kind::Pod)[0]
        .at("spec.nodeName")
        .str_or_empty()
        .to_string();
    let old = run.list(Kind::Pod)[0].name().to_string();
    run.send(Request::delete(Kind::Node, "", node.clone()));
    run.run(39_000);
    assert!(run.get(Kind::Pod, "default", &old).is_some());
    run.run(42_000);
    assert!(run.get(Kind::Pod, "default", &old).is_none());
    assert_eq!(run.list(Kind::Pod).len(), 1, "a new one has been created");
    assert_eq!(run.count("pod-garbage-collector patch pods/status 200"), 1);
    assert_eq!(run.count("pod-garbage-collector delete pods 200"), 1);
    assert!(
        run.get(Kind::Lease, "kube-node-lease", &node).is_some()
            || run.list(Kind::Lease).len() == 2
    );
    let removed =
        format!("Normal RemovingNode Node {node} event: Removing Node {node} from Controller");
    assert!(run.events().contains(&removed));
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
    .run(500);
    assert_eq!(run.list(Kind::Pod).len(), 1);
    run.send(Request::delete(Kind::Namespace, "", "shop"))
        .run(1_000);
    assert!(
        run.get(Kind::Namespace, "", "shop")
            .is_some_and(|n| n.at("status.phase").as_str() == Some("Terminating"))
    );
    run.run(30_000);
    assert!(
        run.get(Kind::Namespace, "", "shop").is_none(),
        "{:#?}",
        run.writes()
    );
    for kind in Kind::ALL.iter().filter(|k| k.namespaced()) {
        assert!(
            run.list(*kind).iter().all(|o| o.namespace() != "shop"),
            "{kind}"
        );
    }
}
