//! What must hold of every draw, whatever the numbers are.

use crate::amounts::{allocatable, requests};
use crate::engine;
use crate::filters::{self, name};
use crate::generate::{Rng, World, pod, world};
use crate::matching::terms;
use podscope_api::{Value, value};
use podscope_cluster::scheduler::framework::{num_feasible_nodes_to_find, score};
use podscope_cluster::scheduler::plugins::{Cycle, Plugins};
use podscope_cluster::scheduler::profile::Profile;
use std::collections::BTreeMap;

const DRAWS: u64 = 500;

fn draws() -> impl Iterator<Item = (u64, World)> {
    (0..DRAWS).map(|i| (i, world(1_000_000 + i, 7)))
}

#[test]
fn verdicts_do_not_depend_on_the_order_of_nodes_and_pods() {
    for (seed, world) in draws() {
        let before = engine::attempt(&world);
        let (mut other, mut rng) = (world.clone(), Rng(seed));
        for i in (1..other.nodes.len()).rev() {
            other.nodes.swap(i, rng.below(i + 1));
        }
        for i in (1..other.placed.len()).rev() {
            other.placed.swap(i, rng.below(i + 1));
        }
        other.start = 0;
        let after = engine::attempt(&other);
        assert_eq!(before.verdicts, after.verdicts, "seed {seed}");
        assert_eq!(before.scores, after.scores, "seed {seed}");
        assert_eq!(before.candidates, after.candidates, "seed {seed}");
        assert_eq!(before.message, after.message, "seed {seed}");
    }
}

#[test]
fn more_room_never_turns_a_yes_into_a_no() {
    let mut yes = 0;
    for (seed, world) in draws().filter(|(_, w)| !w.nodes.is_empty()) {
        let mut rng = Rng(seed);
        let mut bigger = world.clone();
        let at = rng.below(bigger.nodes.len());
        let node = &mut bigger.nodes[at];
        let resource = rng.pick(&["cpu", "memory", "pods", "nvidia.com/gpu"]);
        let more = allocatable(node, resource) + 1 + rng.below(5000) as i64;
        let text = match resource {
            "cpu" => format!("{more}m"),
            _ => more.to_string(),
        };
        *node.at_mut("status.allocatable").entry(resource) = text.into();
        let (before, after) = (engine::attempt(&world), engine::attempt(&bigger));
        for (name, verdict) in before.verdicts {
            if verdict == "ok" {
                yes += 1;
                // A Pod that waits for a Node may have got it, then only that one was looked at.
                let now = after.verdicts.get(&name);
                assert!(now.is_none_or(|v| v == "ok"), "seed {seed}: {name} {now:?}");
            }
        }
    }
    assert!(yes > DRAWS / 2);
}

#[test]
fn a_filter_that_stands_aside_would_have_let_every_node_pass() {
    let mut aside = 0;
    for (seed, world) in draws() {
        let (decision, _) = engine::decide(&world, &engine::cache(&world));
        let sight = world.sight();
        for plugin in &decision.skipped_filters {
            if !filters::FILTERS.contains(&plugin.name()) {
                continue;
            }
            for node in &world.nodes {
                let no = filters::one(plugin.name(), &sight, node);
                assert_eq!(no, None, "seed {seed}: {} on {}", plugin.name(), name(node));
                aside += 1;
            }
        }
    }
    assert!(aside > DRAWS);
}

#[test]
fn normalized_scores_are_within_0_and_100_and_add_up() {
    let mut seen = 0;
    for (seed, world) in draws() {
        let (cache, profile) = (engine::cache(&world), Profile::default());
        let pod = engine::pod_info(&world.pod);
        let cycle = Cycle {
            cache: &cache,
            profile: &profile,
            pod: &pod,
        };
        // Every Node is scored, also those that filters would refuse.
        let all = score(cycle, &mut Plugins::default(), cache.order());
        for (i, total) in all.totals.iter().enumerate() {
            let parts = all.by_plugin.iter();
            let sum: i64 = parts
                .map(|by| {
                    let score = by.normalized[i];
                    assert!((0..=100).contains(&score), "seed {seed}: {:?}", by.plugin);
                    score * by.plugin.weight()
                })
                .sum();
            assert_eq!(sum, *total, "seed {seed}");
            seen += 1;
        }
    }
    assert!(seen > DRAWS);
}

/// The counts of the first list of a message.
fn counts(message: &str) -> u64 {
    let list = message.split_once("available: ").map_or("", |(_, l)| l);
    let end = list.find(". ").unwrap_or(list.len());
    let parts = list[..end].split(", ");
    parts
        .filter_map(|p| p.split(' ').next()?.parse::<u64>().ok())
        .sum()
}

#[test]
fn a_message_counts_every_node_once_for_each_of_its_reasons() {
    let mut seen = 0;
    for (seed, world) in draws() {
        let got = engine::attempt(&world);
        if got.message.is_empty() || !got.pre_filter.is_empty() || world.nodes.is_empty() {
            continue;
        }
        let reasons = |v: &String| v.split("; ").count() as u64;
        let absent = world.nodes.len() - got.verdicts.len();
        let want = got.verdicts.values().map(reasons).sum::<u64>() + absent as u64;
        assert_eq!(counts(&got.message), want, "seed {seed}: {}", got.message);
        seen += 1;
    }
    assert!(seen > DRAWS / 5);
}

fn without(world: &World, victims: &[String]) -> World {
    let mut left = world.clone();
    left.placed
        .retain(|p| !victims.iter().any(|v| v == name(p)));
    left
}

#[test]
fn the_pod_fits_when_its_victims_are_gone_and_none_of_them_could_have_stayed() {
    let (mut seen, mut kept) = (0, 0);
    for (seed, world) in (0..4 * DRAWS).map(|i| (i, world(2_000_000 + i, 5))) {
        let got = engine::attempt(&world);
        // Rules about neighbours may come to like a victim once others are back.
        let plain = terms(&world.pod, "podAffinity", "required").is_empty()
            && world.pod.at("spec.topologySpreadConstraints").is_null();
        for candidate in &got.candidates {
            assert!(!candidate.names.is_empty(), "seed {seed}");
            let fits = |world: &World| {
                let verdicts = engine::attempt(world).verdicts;
                verdicts.get(&candidate.node).is_none_or(|v| v == "ok")
            };
            assert!(fits(&without(&world, &candidate.names)), "seed {seed}");
            for victim in candidate.names.iter().filter(|_| plain) {
                let others: Vec<String> = candidate
                    .names
                    .iter()
                    .filter(|n| *n != victim)
                    .cloned()
                    .collect();
                let left = without(&world, &others);
                let verdicts = engine::attempt(&left).verdicts;
                // `None`: the Pod got the Node that it waited for.
                let now = verdicts.get(&candidate.node);
                assert!(now.is_none_or(|v| v != "ok"), "seed {seed}: {victim}");
                kept += 1;
            }
            seen += 1;
        }
    }
    assert!(seen > 50 && kept > 50, "{seen} {kept}");
}

#[test]
fn pods_placed_one_after_another_never_ask_for_more_than_there_is() {
    let mut placed = 0;
    for (seed, mut world) in (0..DRAWS / 5).map(|i| (i, world(3_000_000 + i, 5))) {
        let mut rng = Rng(seed);
        world.placed.clear();
        for i in 0..25 {
            world.pod = pod(&mut rng, &format!("new-{i}"), 15);
            let cache = engine::cache(&world);
            let (decision, _) = engine::decide(&world, &cache);
            if let Some(slot) = decision.chosen {
                let mut bound = world.pod.clone();
                bound.set("spec.nodeName", cache.node(slot).name.clone());
                world.placed.push(bound);
                placed += 1;
            }
            world.start = decision.next_start;
        }
        for node in &world.nodes {
            let mut sums: BTreeMap<String, i64> = BTreeMap::new();
            let mine = world.sight().pods_on(node);
            for pod in &mine {
                for (resource, amount) in requests(pod) {
                    *sums.entry(resource).or_default() += amount;
                }
            }
            assert!(mine.len() as i64 <= allocatable(node, "pods"));
            for (resource, sum) in sums {
                let all = allocatable(node, &resource);
                assert!(
                    sum <= all,
                    "seed {seed}: {} {resource} {sum} of {all}",
                    name(node)
                );
            }
        }
    }
    assert!(placed > DRAWS, "{placed}");
}

/// With a hundred Nodes and more only a part is looked at, and the next search begins where this one ended.
#[test]
fn many_nodes_are_searched_in_turns() {
    let nodes: Vec<Value> = (0..250)
        .map(|i| {
            let name = format!("node-{i}");
            let zone = format!("z{}", i % 3);
            value!({
                "apiVersion": "v1", "kind": "Node",
                "metadata": {"name": (name.clone()), "labels": {
                    "kubernetes.io/hostname": (name), "topology.kubernetes.io/zone": (zone)
                }},
                "spec": {"unschedulable": (i % 4 == 0)},
                "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"}}
            })
        })
        .collect();
    let order: Vec<String> = crate::outcome::tree_order(&nodes)
        .into_iter()
        .map(|n| name(n).to_string())
        .collect();
    let mut rng = Rng(7);
    let mut world = World {
        nodes,
        placed: Vec::new(),
        plans: Vec::new(),
        others: Vec::new(),
        pod: pod(&mut rng, "p", 0),
        start: 0,
    };
    world
        .pod
        .set("spec", value!({"containers": [{"name": "c"}]}));
    let cache = engine::cache(&world);
    let wanted = num_feasible_nodes_to_find(0, 250) as usize;
    assert_eq!(wanted, 120);
    for _ in 0..10 {
        let (decision, _) = engine::decide(&world, &cache);
        let mut at = world.start as usize;
        let mut feasible = Vec::new();
        while feasible.len() < wanted {
            let node = &order[at % 250];
            let number: usize = node["node-".len()..].parse().expect("a number");
            if !number.is_multiple_of(4) {
                feasible.push(node.clone());
            }
            at += 1;
        }
        let got: Vec<String> = decision
            .feasible
            .iter()
            .map(|slot| cache.node(*slot).name.to_string())
            .collect();
        assert_eq!(got, feasible);
        assert_eq!(decision.next_start as usize, at % 250);
        world.start = decision.next_start;
    }
}

/// Thousands of terms on thousands of Nodes with Pods that have terms too: an answer, at a cost that grows
/// with Nodes times terms. The same Pod with terms multiplied out over the Pods would not come to an end.
#[test]
fn five_thousand_nodes_and_a_thousand_terms_get_an_answer() {
    let nodes: Vec<Value> = (0..5000)
        .map(|i| {
            let labels = value!({"kubernetes.io/hostname": (format!("node-{i}")),
                "topology.kubernetes.io/zone": (format!("z{}", i % 50)), "k1": "v"});
            value!({
                "apiVersion": "v1", "kind": "Node",
                "metadata": {"name": (format!("node-{i}")), "labels": (labels)},
                "spec": {},
                "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"}}
            })
        })
        .collect();
    let term = |i: usize| {
        value!({"topologyKey": (["kubernetes.io/hostname", "topology.kubernetes.io/zone", "k1"][i % 3]),
            "labelSelector": {"matchLabels": {"app": (format!("a{}", i % 7))}}})
    };
    let affinity = |count: usize| {
        let soft = (0..count).map(|i| value!({"weight": 3, "podAffinityTerm": (term(i))}));
        let hard = (0..count).map(|i| term(i + 1));
        value!({"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": (Value::list(soft))},
            "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": (Value::list(hard))}})
    };
    let placed = (0..300).map(|i| {
        value!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": (format!("p{i}")), "uid": (format!("p{i}")), "namespace": "default",
                "labels": {"app": (format!("b{}", i % 9))}},
            "spec": {"nodeName": (format!("node-{i}")), "priority": 0, "affinity": (affinity(3)),
                "containers": [{"name": "c"}]}
        })
    });
    let constraint = |i: usize| {
        value!({"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone",
            "whenUnsatisfiable": (if i.is_multiple_of(2) { "DoNotSchedule" } else { "ScheduleAnyway" }),
            "labelSelector": {"matchLabels": {"app": (format!("b{i}"))}}})
    };
    let tolerations = (0..1000).map(|i| value!({"key": (format!("t{i}")), "operator": "Exists"}));
    let mut world = World {
        placed: placed.collect(),
        nodes,
        plans: Vec::new(),
        others: Vec::new(),
        pod: pod(&mut Rng(1), "p", 0),
        start: 0,
    };
    world.pod.set("metadata.labels", value!({"app": "b1"}));
    world.pod.set(
        "spec",
        value!({"priority": 10, "containers": [{"name": "c"}], "affinity": (affinity(1000)),
            "topologySpreadConstraints": (Value::list((0..100).map(constraint))),
            "tolerations": (Value::list(tolerations))}),
    );
    let cache = engine::cache(&world);
    let (decision, _) = engine::decide(&world, &cache);
    assert_eq!(
        decision.feasible.len() as i64,
        num_feasible_nodes_to_find(0, 5000)
    );
    assert!(decision.chosen.is_some());
}
