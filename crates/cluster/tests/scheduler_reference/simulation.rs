//! The running cluster binds as the reference says, Pod after Pod, on what the API server stores.

use crate::amounts::{allocatable, requests};
use crate::filters::name;
use crate::generate::{Rng, World, pod};
use crate::outcome;
use podscope_api::{Key, Kind, Object, Request, Value, value};
use podscope_cluster::{Cluster, ClusterConfig, Command, NodeConfig};
use podscope_kernel::SimDuration;
use std::rc::Rc;

fn config(rng: &mut Rng) -> ClusterConfig {
    let (seed, nodes) = (rng.next(), 1 + rng.below(5));
    let make = |i: usize| {
        let zone = rng.pick(&["", "z1", "z1", "z2", "z3"]);
        let mut node = NodeConfig::worker(format!("node-{i}"), zone);
        node.milli_cpu = [1000, 2000, 4000][rng.below(3)];
        node.memory_bytes = [2i64 << 30, 4 << 30][rng.below(2)];
        node.max_pods = [3, 20, 110][rng.below(3)];
        if rng.percent(60) {
            let disk = rng.pick(&["ssd", "hdd"]);
            node.labels.push(("disk".into(), disk.into()));
        }
        if rng.percent(25) {
            let effect = rng.pick(&["NoSchedule", "PreferNoSchedule"]);
            node.taints
                .push(("dedicated".into(), "a".into(), effect.into()));
        }
        if rng.percent(25) {
            node.extended.push(("nvidia.com/gpu".into(), 2));
        }
        node
    };
    ClusterConfig {
        seed,
        nodes: (0..nodes).map(make).collect(),
        ..ClusterConfig::default()
    }
}

/// A Pod that the API server accepts: what is drawn too freely elsewhere is left out.
fn acceptable(rng: &mut Rng, at: usize) -> Value {
    let mut pod = pod(rng, &format!("pod-{at}"), 20);
    for field in [
        "metadata.uid",
        "spec.priority",
        "spec.overhead",
        "spec.resources",
        "status",
    ] {
        pod.remove(field);
    }
    pod.set("metadata.namespace", "default");
    if rng.percent(30) {
        let key = rng.pick(&["kubernetes.io/hostname", "topology.kubernetes.io/zone"]);
        let when = rng.pick(&["DoNotSchedule", "ScheduleAnyway"]);
        let app = rng.pick(&["a", "b"]);
        pod.set(
            "spec.topologySpreadConstraints",
            value!([{"topologyKey": (key), "maxSkew": 1, "whenUnsatisfiable": (when),
                "labelSelector": {"matchLabels": {"app": (app)}}}]),
        );
    }
    if rng.percent(25) {
        pod.set(
            "spec.tolerations",
            value!([{"key": "dedicated", "operator": "Exists"}]),
        );
    }
    if rng.percent(20) {
        pod.set("spec.nodeSelector", value!({"disk": "ssd"}));
    }
    // Extended resources and huge pages need limits that equal the requests.
    for list in ["spec.containers", "spec.initContainers"] {
        if pod.at(list).is_null() {
            continue;
        }
        for (i, container) in pod.at_mut(list).list_mut().iter_mut().enumerate() {
            container.set("name", format!("{}{i}", &list[5..6]));
            let asked = container.at_mut("resources.requests").map_mut();
            asked.remove("hugepages-2Mi");
            let gpu = asked.get("nvidia.com/gpu").cloned();
            if let Some(gpu) = gpu {
                container.set("resources.limits", value!({"nvidia.com/gpu": (gpu)}));
            }
            if let Some(ports) = container.map_mut().remove("ports") {
                // The first port alone: two of one number in a container are refused.
                let mut port = ports.index(0).clone();
                if let Some(host) = port.get("hostPort").as_int() {
                    port.set("hostPort", host + i as i64);
                }
                container.set("ports", Value::list([port]));
            }
        }
    }
    pod
}

struct Bench {
    cluster: Cluster,
}

impl Bench {
    fn pass(&mut self, millis: u64) {
        let until = self.cluster.now() + SimDuration::millis(millis);
        while self.cluster.next_time().is_some_and(|t| t <= until) {
            self.cluster.step();
            self.cluster.take_trace();
        }
        self.cluster.idle_until(until);
    }
    fn objects(&self, kind: Kind) -> Vec<Value> {
        let all = self.cluster.api().cached(kind);
        let mut all: Vec<Value> = all.map(|o| o.0.clone()).collect();
        all.sort_by(|a, b| name(a).cmp(name(b)));
        all
    }
}

/// Plays one cluster; gives how many Pods were bound and how many were left waiting.
fn play(seed: u64) -> (u64, u64) {
    let mut rng = Rng(seed);
    let mut bench = Bench {
        cluster: Cluster::new(config(&mut rng)),
    };
    bench.pass(3000);
    let mut start = 0;
    let (mut bound, mut waiting) = (0, 0);
    for at in 0..14 {
        let mut world = World {
            nodes: bench.objects(Kind::Node),
            placed: bench.objects(Kind::Pod),
            plans: Vec::new(),
            others: Vec::new(),
            pod: Value::Null,
            start,
        };
        for kind in [Kind::Namespace, Kind::Service] {
            world.others.extend(bench.objects(kind));
        }
        world
            .placed
            .retain(|p| !p.at("spec.nodeName").str_or_empty().is_empty());
        let object = Object(acceptable(&mut rng, at));
        let key = Key::new("default", object.name());
        let request = Request::create(Kind::Pod, object.clone());
        let now = bench.cluster.now();
        bench
            .cluster
            .command(now, &Command::Request(Rc::new(request)));
        bench.pass(200);
        let stored = bench.cluster.etcd().get(Kind::Pod, &key);
        let stored = stored.map(|s| s.object.0.clone()).unwrap_or_default();
        assert!(
            !stored.is_null(),
            "seed {seed}: refused {}",
            podscope_api::json::to_string(&object.0)
        );
        // As the scheduler met it: not yet bound, no status.
        world.pod = stored.clone();
        world.pod.remove("spec.nodeName");
        world.pod.remove("status");
        let want = outcome::attempt(&world);
        start = want.next_start;
        let got = stored.at("spec.nodeName").str_or_empty();
        let chosen = want.chosen.first().map_or("", |n| n.as_str());
        assert_eq!(got, chosen, "seed {seed}, Pod {at}");
        if chosen.is_empty() {
            waiting += 1;
            let conditions = stored.at("status.conditions").items().iter();
            let mut said = conditions.filter(|c| c.get("type").as_str() == Some("PodScheduled"));
            let message = said.next().map(|c| c.get("message").clone());
            let message = message.unwrap_or_default();
            assert_eq!(
                message.str_or_empty(),
                want.message,
                "seed {seed}, Pod {at}"
            );
            // Waiting Pods are tried again at their own times; none is left for the next round.
            let now = bench.cluster.now();
            let mut delete = Request::delete(Kind::Pod, "default", key.name.clone());
            delete.options.grace_period_seconds = Some(0);
            bench
                .cluster
                .command(now, &Command::Request(Rc::new(delete)));
            bench.pass(200);
        } else {
            bound += 1;
        }
    }
    let nodes = bench.objects(Kind::Node);
    for node in &nodes {
        for resource in ["cpu", "memory", "nvidia.com/gpu"] {
            let mine = bench.objects(Kind::Pod).into_iter();
            let mine = mine.filter(|p| p.at("spec.nodeName").as_str() == Some(name(node)));
            let sum: i64 = mine
                .map(|p| requests(&p).get(resource).copied().unwrap_or(0))
                .sum();
            assert!(sum <= allocatable(node, resource), "seed {seed}");
        }
    }
    (bound, waiting)
}

fn check(seeds: std::ops::Range<u64>) {
    let (mut bound, mut waiting) = (0, 0);
    let count = seeds.end - seeds.start;
    for seed in seeds {
        let (more_bound, more_waiting) = play(seed);
        bound += more_bound;
        waiting += more_waiting;
    }
    println!("{count} clusters: {bound} bound, {waiting} left waiting");
    assert!(bound > 3 * count && waiting > count);
}

#[test]
fn the_cluster_binds_as_the_reference_says() {
    check(1..16);
}

/// More clusters.
#[test]
#[ignore = "takes minutes"]
fn the_cluster_binds_as_the_reference_says_in_many_more_clusters() {
    check(1000..3000);
}
