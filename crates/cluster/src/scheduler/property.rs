//! The cache after any history decides as one that is made of the objects as they are now; receipts stay.

use super::cache::Cache;
use super::fixture::{node, pod};
use super::framework::{Decision, schedule};
use super::pod_info::PodInfo;
use super::profile::Profile;
use super::report::{self, Facts, Part, Receipt};
use podscope_api::{Key, Kind, Object, Text, Value, value};
use podscope_kernel::Rng;
use podscope_kernel::collections::BTreeMap;
use std::rc::Rc;

/// The objects behind a cache.
#[derive(Default)]
struct Cluster {
    nodes: BTreeMap<Text, Object>,
    placed: BTreeMap<Key, (Object, Text)>,
}

fn any_node(rng: &mut Rng, name: &str) -> Object {
    let mut fields =
        value!({"metadata": {"labels": {"disk": (["ssd", "hdd"][rng.below(2) as usize])}}});
    if rng.below(4) == 0 {
        let effect = ["NoSchedule", "PreferNoSchedule"][rng.below(2) as usize];
        fields.set(
            "spec.taints",
            value!([{"key": "k", "value": "v", "effect": (effect)}]),
        );
    }
    if rng.below(2) == 0 {
        let image = value!([{"names": ["nginx:latest"], "sizeBytes": 700_000_000}]);
        fields.set("status.images", image);
    }
    let zone = format!("z{}", rng.below(3));
    let mut node = node(name, &zone, fields);
    if rng.below(6) == 0 {
        node.remove("metadata.labels.disk");
    }
    node
}

fn any_pod(rng: &mut Rng, name: &str) -> Object {
    let app = format!("app-{}", rng.below(3));
    let other = format!("app-{}", rng.below(3));
    let keys = [
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
        "disk",
    ];
    let mut key = || keys[rng.below(3) as usize];
    let term = value!({"topologyKey": (key()), "labelSelector": {"matchLabels": {"app": (other)}}});
    let spread = value!({
        "topologyKey": (key()), "maxSkew": 1, "labelSelector": {"matchLabels": {"app": (app.clone())}}
    });
    let mut fields = value!({
        "metadata": {"labels": {"app": (app)}},
        "spec": {"priority": (rng.below(3) as i64), "containers": [{"name": "c", "image": "nginx", "resources": {
            "requests": {"cpu": (format!("{}m", rng.below(900))), "memory": (format!("{}Mi", rng.below(900)))}
        }}]}
    });
    let side = ["podAffinity", "podAntiAffinity"][rng.below(2) as usize];
    match rng.below(7) {
        0 => {
            let required = value!({"requiredDuringSchedulingIgnoredDuringExecution": [(term)]});
            fields.entry("spec").entry("affinity").set(side, required);
        }
        1 => {
            let preferred = value!({"preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 7, "podAffinityTerm": (term)}
            ]});
            fields.entry("spec").entry("affinity").set(side, preferred);
        }
        n @ (2 | 3) => {
            let mut spread = spread;
            let then = ["DoNotSchedule", "ScheduleAnyway"][n as usize - 2];
            spread.set("whenUnsatisfiable", then);
            fields.set("spec.topologySpreadConstraints", value!([(spread)]));
        }
        4 => fields.set(
            "spec.tolerations",
            value!([{"key": "k", "operator": "Exists"}]),
        ),
        5 => fields.set("spec.nodeSelector", value!({"disk": "ssd"})),
        _ => {}
    }
    pod(name, fields)
}

impl Cluster {
    /// A cache that has seen nothing but these objects, Nodes in the order in which `like` looks at them.
    fn fresh(&self, like: &Cache) -> Cache {
        let mut cache = Cache::default();
        for info in like.nodes() {
            let node = &self.nodes[&info.name];
            cache.apply(Kind::Node, &node.key(), Some(node));
        }
        for (pod, on) in self.placed.values() {
            cache.add_pod(Rc::new(PodInfo::new(pod)), on);
        }
        cache
    }

    /// Changes something at random, here and in the cache.
    fn change(&mut self, rng: &mut Rng, cache: &mut Cache) {
        let name = format!("n{}", rng.below(9));
        let key = Key::new("", &*name);
        let number = format!("p{}", rng.below(40));
        let at = Key::new("default", &*number);
        match rng.below(10) {
            0 => {
                self.nodes.remove(&*name);
                cache.apply(Kind::Node, &key, None);
            }
            1 | 2 => {
                let node = any_node(rng, &name);
                cache.apply(Kind::Node, &key, Some(&node));
                self.nodes.insert(name.into(), node);
            }
            3 | 4 => {
                if let Some((old, on)) = self.placed.remove(&at) {
                    assert!(cache.remove_pod(&PodInfo::new(&old), &on));
                }
            }
            5 => {
                if let Some((pod, on)) = self.placed.get_mut(&at) {
                    let labels = value!({"app": (format!("app-{}", rng.below(3)))});
                    pod.set("metadata.labels", labels);
                    if rng.below(2) == 0 {
                        pod.set("metadata.deletionTimestamp", "2026-01-01T00:00:00Z");
                    }
                    cache.update_pod(Rc::new(PodInfo::new(pod)), on);
                }
            }
            _ => {
                let pod = any_pod(rng, &number);
                if let (false, Some(on)) = (
                    self.placed.contains_key(&at),
                    self.nodes.keys().nth(rng.below(9) as usize).cloned(),
                ) {
                    cache.add_pod(Rc::new(PodInfo::new(&pod)), &on);
                    self.placed.insert(at, (pod, on));
                }
            }
        }
    }
}

/// A decision with names in the place of numbers.
fn named(cache: &Cache, decision: &Decision) -> Value {
    let name = |slot: &u32| Value::Str(cache.node(*slot).name.clone());
    let feasible: Vec<Value> = decision.feasible.iter().map(name).collect();
    let rejected = decision.rejected.iter();
    let rejected = rejected.map(|(slot, no)| value!([(name(slot)), (no.message())]));
    let mut out = value!({
        "feasible": (feasible),
        "rejected": (rejected.collect::<Vec<Value>>()),
        "chosen": (decision.chosen.as_ref().map(name).unwrap_or_default()),
        "next": (decision.next_start as i64)
    });
    for by in decision.scores.iter().flat_map(|s| &s.by_plugin) {
        let numbers = by.raw.iter().zip(&by.normalized);
        let numbers = numbers.map(|(raw, normal)| value!([(*raw), (*normal)]));
        out.set(by.plugin.name(), numbers.collect::<Vec<Value>>());
    }
    out
}

#[test]
fn a_history_leaves_no_trace_in_decisions() {
    let profile = Profile::default();
    for seed in 0..12 {
        let mut rng = Rng::new(seed);
        let (mut cluster, mut cache) = (Cluster::default(), Cache::default());
        let mut start = 0;
        for step in 0..60 {
            cluster.change(&mut rng, &mut cache);
            let pod = PodInfo::new(&any_pod(&mut rng, "new"));
            cache.keep_topologies(&pod, &profile);
            let fresh = cluster.fresh(&cache);
            let (fast, _) = schedule(&pod, &cache, &profile, start);
            let (plain, _) = schedule(&pod, &fresh, &profile, start);
            assert_eq!(
                named(&cache, &fast),
                named(&fresh, &plain),
                "seed {seed}, step {step}: {}",
                podscope_api::json::to_string(&pod.object)
            );
            start = fast.next_start;
        }
    }
}

#[test]
fn a_receipt_tells_what_was_also_when_read_late() {
    let profile = Rc::new(Profile::default());
    for seed in 0..8 {
        let mut rng = Rng::new(seed);
        let (mut cluster, mut cache) = (Cluster::default(), Cache::default());
        let mut kept = Vec::new();
        for _ in 0..60 {
            cluster.change(&mut rng, &mut cache);
            let pod = Rc::new(PodInfo::new(&any_pod(&mut rng, "new")));
            let then = report::explain(&pod, &cache, &profile, 0);
            let (decision, plugins) = schedule(&pod, &cache, &profile, 0);
            let (decision, plugins) = (Rc::new(decision), Rc::new(plugins));
            let facts = Rc::new(Facts::new(&pod, &profile, &cache, &plugins, &decision));
            kept.push((then, facts, decision.scores.is_some()));
        }
        for (then, facts, scored) in &kept {
            let filter = Receipt::new(facts, Part::Filter);
            assert_eq!(filter.value(), then.get("filter"), "seed {seed}");
            if *scored {
                let score = Receipt::new(facts, Part::Score);
                assert_eq!(score.value(), then.get("scores"), "seed {seed}");
            }
        }
    }
}

#[test]
fn of_many_nodes_the_ten_best_are_kept() {
    let nodes: Vec<Object> = (0..120)
        .map(|i| node(&format!("n{i}"), "z", value!({})))
        .collect();
    let placed: Vec<(Object, String)> = (0..120)
        .map(|i| {
            let cpu = format!("{}m", 100 + 37 * i % 1900);
            let fields = value!({"spec": {"containers": [
                {"name": "c", "image": "i", "resources": {"requests": {"cpu": (cpu)}}}
            ]}});
            (pod(&format!("p{i}"), fields), format!("n{i}"))
        })
        .collect();
    let placed: Vec<(Object, &str)> = placed.iter().map(|(p, n)| (p.clone(), &**n)).collect();
    let cache = super::fixture::cache(&nodes, &placed);
    let (profile, pod) = (
        Rc::new(Profile::default()),
        Rc::new(PodInfo::new(&pod("new", value!({})))),
    );
    let (decision, plugins) = schedule(&pod, &cache, &profile, 0);
    let (decision, plugins) = (Rc::new(decision), Rc::new(plugins));
    let facts = Rc::new(Facts::new(&pod, &profile, &cache, &plugins, &decision));
    let shown = Receipt::new(&facts, Part::Score);
    let all = decision.scores.as_ref().expect("there was a choice");
    let mut best: Vec<usize> = (0..all.totals.len()).collect();
    best.sort_by_key(|i| (std::cmp::Reverse(all.totals[*i]), *i));
    let names: Vec<&str> = best
        .iter()
        .take(10)
        .map(|i| &*cache.node(all.nodes[*i]).name)
        .collect();
    let got = shown.value().get("nodes").items().iter();
    let got: Vec<&str> = got.map(|n| n.get("node").str_or_empty()).collect();
    assert_eq!(got, names);
    assert_eq!(shown.value().get("scored").as_int(), Some(100));
    let filter = Receipt::new(&facts, Part::Filter);
    assert_eq!(filter.value().get("feasible").as_int(), Some(100));
    assert!(filter.value().get("verdicts").is_null());
}
