//! The scheduler among the other components: what a client of the API server sees.

use super::profile::Strategy;
use crate::trace::TraceEvent;
use crate::world::{Cluster, Command};
use crate::{ClusterConfig, NodeConfig};
use podscope_api::{Key, Kind, Object, Options, PatchType, Request, Value, value};
use podscope_kernel::{SimDuration, SimTime};
use std::rc::Rc;

struct Bench {
    cluster: Cluster,
    trace: Vec<TraceEvent>,
}

impl Bench {
    fn new(nodes: usize) -> Bench {
        Bench::with(nodes, Vec::new())
    }
    fn with(nodes: usize, schedulers: Vec<(podscope_api::Text, Strategy)>) -> Bench {
        let node = |i| NodeConfig::worker(format!("node-{}", i + 1), format!("zone-{}", i % 2 + 1));
        let config = ClusterConfig {
            nodes: (0..nodes).map(node).collect(),
            schedulers,
            ..ClusterConfig::default()
        };
        Bench {
            cluster: Cluster::new(config),
            trace: Vec::new(),
        }
    }
    fn send(&mut self, request: Request) {
        let now = self.cluster.now();
        self.cluster
            .command(now, &Command::Request(Rc::new(request)));
    }
    fn create(&mut self, object: Value) {
        let object = Object(object);
        let kind = object.kind().expect("the kind is served");
        self.send(Request::create(kind, object));
    }
    fn pod(&mut self, name: &str, milli_cpu: i64, change: impl Fn(&mut Value)) {
        let mut pod = value!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": (name), "namespace": "default"},
            "spec": {"containers": [{"name": "c", "image": "nginx", "resources": {
                "requests": {"cpu": (format!("{milli_cpu}m")), "memory": "64Mi"}
            }}]}
        });
        change(&mut pod);
        self.create(pod);
    }
    /// Lets a number of seconds pass.
    fn pass(&mut self, seconds: u64) {
        self.pass_millis(seconds * 1000);
    }
    fn pass_millis(&mut self, millis: u64) {
        let until = self.cluster.now() + SimDuration::millis(millis);
        while self.cluster.next_time().is_some_and(|t| t <= until) {
            self.cluster.step();
            self.trace.append(&mut self.cluster.take_trace());
        }
        self.cluster.idle_until(until);
    }
    fn get(&self, name: &str) -> Object {
        let key = Key::new("default", name);
        let stored = self.cluster.etcd().get(Kind::Pod, &key);
        stored.map(|s| (*s.object).clone()).unwrap_or_default()
    }
    fn node_of(&self, name: &str) -> String {
        self.get(name)
            .spec()
            .get("nodeName")
            .str_or_empty()
            .to_string()
    }
    fn condition(&self, name: &str) -> Value {
        self.get(name).condition("PodScheduled").clone()
    }
    /// Reasons of the scheduler's Events about an object, oldest first.
    fn reasons(&self, name: &str) -> Vec<String> {
        let mut events: Vec<_> = self
            .cluster
            .api()
            .cached(Kind::Event)
            .filter(|e| e.at("involvedObject.name").as_str() == Some(name))
            .filter(|e| e.get("reportingComponent").as_str() == Some("default-scheduler"))
            .collect();
        events.sort_by_key(|e| e.resource_version());
        events
            .iter()
            .map(|e| e.get("reason").str_or_empty().to_string())
            .collect()
    }
    fn codes(&self, name: &str) -> Vec<&'static str> {
        let about = |e: &&TraceEvent| {
            e.subject
                .as_ref()
                .is_some_and(|s| s.kind == Kind::Pod && &*s.key.name == name)
        };
        let mine = self.trace.iter().filter(about).map(|e| e.code);
        mine.filter(|code| code.starts_with("scheduler.")).collect()
    }
}

#[test]
fn a_pod_is_bound_and_every_step_is_shown() {
    let mut bench = Bench::new(3);
    bench.pass(1);
    bench.pod("web", 100, |_| {});
    bench.pass(1);
    assert_eq!(bench.node_of("web"), "node-1");
    assert_eq!(bench.condition("web").get("status").as_str(), Some("True"));
    assert_eq!(bench.reasons("web"), ["Scheduled"]);
    let steps = [
        "enqueue",
        "cycle",
        "pre_filter",
        "filter",
        "score",
        "choose",
        "assume",
        "bind",
        "bound",
    ];
    let steps: Vec<String> = steps.iter().map(|s| format!("scheduler.{s}")).collect();
    assert_eq!(bench.codes("web"), steps);
    let causes = bench
        .trace
        .iter()
        .filter(|e| e.code.starts_with("scheduler."));
    assert!(
        causes.into_iter().all(|e| e.cause.is_some()),
        "every step has a cause"
    );
    // The Pod counts once, also after the watch has confirmed what was assumed.
    let node = bench
        .cluster
        .scheduler()
        .cache()
        .find("node-1")
        .map(|n| n.requested.milli_cpu);
    assert_eq!(node, Some(100));
}

#[test]
fn a_pod_that_fits_nowhere_waits_until_there_is_room() {
    let mut bench = Bench::new(2);
    bench.pod("a", 3000, |_| {});
    bench.pass(1);
    bench.pod("b", 3000, |_| {});
    bench.pass(1);
    bench.pod("c", 3000, |_| {});
    bench.pass(5);
    assert_eq!(bench.node_of("c"), "");
    let condition = bench.condition("c");
    let message = "0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: \
                   0/2 nodes are available: 2 No preemption victims found for incoming pod.";
    assert_eq!(condition.get("message").as_str(), Some(message));
    assert_eq!(condition.get("reason").as_str(), Some("Unschedulable"));
    assert_eq!(bench.reasons("c"), ["FailedScheduling"]);
    let mut delete = Request::delete(Kind::Pod, "default", "a");
    delete.options = Options {
        grace_period_seconds: Some(0),
        ..Options::default()
    };
    bench.send(delete);
    bench.pass(5);
    assert_eq!(bench.node_of("c"), "node-1");
    assert!(bench.codes("c").contains(&"scheduler.requeue"));
}

#[test]
fn gates_and_other_schedulers_are_left_alone() {
    let mut bench = Bench::new(1);
    bench.pod("gated", 100, |pod| {
        pod.set("spec.schedulingGates", value!([{"name": "a"}]))
    });
    bench.pod("other", 100, |pod| pod.set("spec.schedulerName", "mine"));
    bench.pass(40);
    assert_eq!(
        (bench.node_of("gated"), bench.node_of("other")),
        Default::default()
    );
    assert_eq!(bench.codes("gated"), ["scheduler.gated"]);
    assert!(bench.codes("other").is_empty());
    assert!(bench.reasons("gated").is_empty() && bench.reasons("other").is_empty());
}

fn prioritize(pod: &mut Value, class: &str, priority: i64) {
    pod.set("spec.priorityClassName", class);
    pod.set("spec.priority", priority);
}

#[test]
fn an_important_pod_makes_a_lesser_one_go() {
    let mut bench = Bench::new(1);
    for (name, priority) in [("low", 10), ("high", 1000)] {
        bench.create(value!({
            "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
            "metadata": {"name": (name)}, "value": (priority)
        }));
    }
    bench.pass(1);
    bench.pod("small", 3000, |pod| prioritize(pod, "low", 10));
    bench.pass(1);
    bench.pod("big", 3000, |pod| prioritize(pod, "high", 1000));
    bench.pass_millis(30);
    assert_eq!(
        bench.get("big").at("status.nominatedNodeName").as_str(),
        Some("node-1")
    );
    assert_eq!(
        bench.condition("big").get("message").as_str(),
        Some("0/1 nodes are available: 1 Insufficient cpu.")
    );
    let small = bench.get("small");
    assert!(small.is_being_deleted());
    assert_eq!(
        small.condition("DisruptionTarget").get("reason").as_str(),
        Some("PreemptionByScheduler")
    );
    // The kubelet stops it, and the room is free.
    bench.pass(45);
    assert_eq!(bench.node_of("big"), "node-1");
    // Binding clears what preemption had promised.
    assert!(bench.get("big").at("status.nominatedNodeName").is_null());
    assert_eq!(bench.reasons("small"), ["Scheduled", "Preempted"]);
    assert_eq!(bench.reasons("big"), ["FailedScheduling", "Scheduled"]);
}

#[test]
fn each_profile_rates_nodes_in_its_own_way() {
    let packed = vec![("packed".into(), Strategy::MostAllocated)];
    let mut bench = Bench::with(2, packed);
    bench.pass(1);
    bench.pod("first", 1000, |_| {});
    bench.pass(1);
    assert_eq!(bench.node_of("first"), "node-1");
    bench.pod("spread", 1000, |_| {});
    bench.pod("nobody", 100, |pod| pod.set("spec.schedulerName", "other"));
    bench.pass(1);
    assert_eq!(bench.node_of("spread"), "node-2");
    // Balance speaks for the empty side, but full counts more: both Nodes are alike, so the first one.
    bench.pod("a", 1500, |pod| pod.set("spec.schedulerName", "packed"));
    bench.pass(1);
    bench.pod("b", 100, |pod| pod.set("spec.schedulerName", "packed"));
    bench.pass(1);
    assert_eq!(
        (bench.node_of("a"), bench.node_of("b")),
        ("node-1".into(), "node-1".into())
    );
    assert_eq!(bench.node_of("nobody"), "");
    let reporters: Vec<String> = bench
        .cluster
        .api()
        .cached(Kind::Event)
        .filter(|e| e.at("involvedObject.name").as_str() == Some("a"))
        .filter(|e| e.get("reason").as_str() == Some("Scheduled"))
        .map(|e| e.get("reportingComponent").str_or_empty().to_string())
        .collect();
    assert_eq!(reporters, ["packed"]);
}

#[test]
fn a_pod_keeps_its_place_while_its_victims_are_going() {
    let mut bench = Bench::new(1);
    bench.create(value!({
        "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
        "metadata": {"name": "high"}, "value": 1000
    }));
    bench.pass(1);
    bench.pod("small", 2000, |_| {});
    bench.pod("tiny", 500, |_| {});
    bench.pass(1);
    bench.pod("big", 3000, |pod| prioritize(pod, "high", 1000));
    bench.pass_millis(60);
    assert!(bench.get("small").is_being_deleted());
    // Something else goes: the Pod is tried again, and must not lose the Node that it waits for.
    let mut delete = Request::delete(Kind::Pod, "default", "tiny");
    delete.options = Options {
        grace_period_seconds: Some(0),
        ..Options::default()
    };
    bench.send(delete);
    bench.pass_millis(60);
    let why = bench.condition("big");
    let why = why.get("message").str_or_empty().to_string();
    assert_eq!(
        why,
        "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, \
         preemption: not eligible due to a terminating pod on the nominated node."
    );
    let nominated = |bench: &Bench| {
        let pod = bench.get("big");
        pod.at("status.nominatedNodeName")
            .str_or_empty()
            .to_string()
    };
    assert_eq!(nominated(&bench), "node-1");
    // Nobody less important takes the room that it waits for.
    bench.pod("late", 1500, |_| {});
    bench.pass(45);
    assert_eq!(bench.node_of("big"), "node-1");
    assert_eq!(nominated(&bench), "");
    assert_eq!(bench.node_of("late"), "");
    let failed = bench.trace.iter().find(|e| {
        let about = e.subject.as_ref().is_some_and(|s| &*s.key.name == "late");
        about && e.code == "scheduler.unschedulable"
    });
    let Some(crate::trace::Data::Json(shown)) = failed.map(|e| e.data.clone()) else {
        panic!("where it waits is told");
    };
    assert_eq!(shown.get("queue").as_str(), Some("unschedulablePods"));
    assert_eq!(shown.get("backoffMs").as_int(), Some(1000));
    let first = shown.get("wakes").index(0);
    assert_eq!(first.get("plugin").as_str(), Some("NodeResourcesFit"));
}

#[test]
fn without_nodes_a_pod_backs_off() {
    let mut bench = Bench::new(0);
    bench.pod("web", 100, |_| {});
    bench.pass(30);
    let message = bench
        .condition("web")
        .get("message")
        .str_or_empty()
        .to_string();
    assert_eq!(message, "no nodes available to schedule pods");
    let attempts = bench
        .codes("web")
        .iter()
        .filter(|c| **c == "scheduler.cycle")
        .count();
    // After 1, 2, 4, 8 and 10 seconds, each rounded up to a flush.
    assert!((4..=6).contains(&attempts), "{attempts} attempts in 30 s");
    assert_eq!(bench.cluster.now(), SimTime(30_000_000));
}

#[test]
fn a_plan_that_is_dropped_wakes_the_lesser_pod_that_it_held_up() {
    let mut bench = Bench::new(1);
    bench.create(value!({
        "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
        "metadata": {"name": "high"}, "value": 1000
    }));
    bench.pass(1);
    bench.pod("held", 3000, |pod| {
        prioritize(pod, "high", 1000);
        pod.set("spec.nodeSelector", value!({"no": "node"}));
    });
    bench.pass(1);
    let plan = |bench: &mut Bench, node: Value| {
        let patch = value!({"status": {"nominatedNodeName": (node)}});
        let kind = PatchType::Merge;
        bench.send(Request::patch(
            Kind::Pod,
            "default",
            "held",
            "status",
            kind,
            patch,
        ));
    };
    plan(&mut bench, "node-1".into());
    bench.pass(1);
    bench.pod("low", 3000, |_| {});
    bench.pass(3);
    assert_eq!(bench.node_of("low"), "", "the room is spoken for");
    plan(&mut bench, Value::Null);
    bench.pass(3);
    assert_eq!(bench.node_of("low"), "node-1");
}
