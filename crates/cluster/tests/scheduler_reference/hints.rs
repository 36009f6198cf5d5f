//! QueueingHints are sound: when a change lets a rejected Pod fit, a plugin that rejected it says so.

use crate::engine;
use crate::generate::{HOSTNAME, Rng, World, ZONE, node, pod, world};
use crate::matching::{required_node_terms, terms};
use podscope_api::{Kind, Object, Value, value};
use podscope_cluster::scheduler::events::ClusterEvent;
use podscope_cluster::scheduler::plugins::{Cycle, PluginId};
use podscope_cluster::scheduler::profile::Profile;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A change: its name, the cluster after it, the object before and after, whether it is the Pod's own.
struct Change {
    what: &'static str,
    world: World,
    old: Option<Value>,
    new: Option<Value>,
    own: bool,
}

fn change_node(world: &World, rng: &mut Rng, what: &'static str) -> Option<Change> {
    let at = rng.below(world.nodes.len());
    let old = world.nodes[at].clone();
    let mut new = old.clone();
    match what {
        "node taints gone" => drop(new.remove("spec.taints")),
        "node uncordoned" => drop(new.remove("spec.unschedulable")),
        "node label" => {
            let (key, value) = [
                ("disk", "ssd"),
                ("disk", "hdd"),
                ("rack", "7"),
                (ZONE, "z1"),
                (ZONE, "z4"),
                ("gone", "x"),
            ][rng.below(6)];
            *new.at_mut("metadata.labels").entry(key) = value.into();
        }
        "node label gone" => {
            let labels = new.at_mut("metadata.labels").map_mut();
            labels.remove(["disk", "rack", ZONE][rng.below(3)]);
        }
        "node room" => {
            let room = new.at_mut("status.allocatable");
            for (resource, amount) in [
                ("cpu", "64"),
                ("memory", "64Gi"),
                ("pods", "200"),
                ("nvidia.com/gpu", "8"),
                ("hugepages-2Mi", "8Gi"),
                ("ephemeral-storage", "99Gi"),
            ] {
                if rng.percent(60) {
                    *room.entry(resource) = amount.into();
                }
            }
        }
        _ => {
            new.remove("spec.taints");
            *new.at_mut("metadata.labels").entry("disk") = "ssd".into();
            *new.at_mut("status.allocatable").entry("cpu") = "64".into();
        }
    }
    let mut after = world.clone();
    after.nodes[at] = new.clone();
    Some(Change {
        what,
        world: after,
        old: Some(old),
        new: Some(new),
        own: false,
    })
}

fn change_pod(world: &World, rng: &mut Rng, what: &'static str) -> Option<Change> {
    if world.placed.is_empty() {
        return None;
    }
    let at = rng.below(world.placed.len());
    let old = world.placed[at].clone();
    let mut after = world.clone();
    let mut new = Some(old.clone());
    if what == "pod gone" {
        after.placed.remove(at);
        new = None;
    }
    if let Some(new) = &mut new {
        match what {
            "pod label" => {
                *new.at_mut("metadata.labels").entry("app") = rng.pick(&["a", "b", "c", "d"]).into()
            }
            "pod scaled down" => {
                for container in new.at_mut("spec.containers").list_mut() {
                    container.set("resources.requests", value!({"cpu": "0", "memory": "0"}));
                }
            }
            _ => new.set("metadata.deletionTimestamp", "2026-01-02T00:00:00Z"),
        }
        after.placed[at] = new.clone();
    }
    Some(Change {
        what,
        world: after,
        old: Some(old),
        new,
        own: false,
    })
}

fn change_own(world: &World, rng: &mut Rng, what: &'static str) -> Option<Change> {
    let mut after = world.clone();
    match what {
        "own tolerations" => after
            .pod
            .set("spec.tolerations", value!([{"operator": "Exists"}])),
        "own requests" => {
            // What a resize can do: smaller, and nothing taken out.
            for container in after.pod.at_mut("spec.containers").list_mut() {
                let asked = container.at_mut("resources.requests").map_mut();
                for (resource, amount) in asked.values_mut() {
                    if &**resource == "cpu" || &**resource == "memory" {
                        *amount = "0.001".into();
                    }
                }
            }
        }
        _ => {
            *after.pod.at_mut("metadata.labels").entry("app") =
                rng.pick(&["a", "b", "c", "d"]).into()
        }
    }
    Some(Change {
        what,
        old: Some(world.pod.clone()),
        new: Some(after.pod.clone()),
        world: after,
        own: true,
    })
}

fn come(world: &World, rng: &mut Rng, what: &'static str) -> Option<Change> {
    let mut after = world.clone();
    let new = if what == "node came" {
        let mut new = node(rng, "node-new", true);
        if rng.percent(50) {
            new.remove("spec.taints");
        }
        after.nodes.push(new.clone());
        new
    } else {
        let mut new = pod(rng, "came", 5);
        new.set(
            "spec.nodeName",
            format!("node-{}", rng.below(world.nodes.len())),
        );
        after.placed.push(new.clone());
        new
    };
    Some(Change {
        what,
        world: after,
        old: None,
        new: Some(new),
        own: false,
    })
}

/// The Node goes with all that is on it; what is told is the Node's going, Pods go before it.
fn node_gone(world: &World, rng: &mut Rng) -> Option<Change> {
    let mut after = world.clone();
    let old = after.nodes.remove(rng.below(world.nodes.len()));
    let on = |p: &Value| p.at("spec.nodeName") == old.at("metadata.name");
    if after.placed.iter().any(on) {
        return None;
    }
    Some(Change {
        what: "node gone",
        world: after,
        old: Some(old.clone()),
        new: None,
        own: false,
    })
}

fn changes(world: &World, rng: &mut Rng) -> Vec<Change> {
    let nodes = [
        "node taints gone",
        "node uncordoned",
        "node label",
        "node label",
        "node label gone",
        "node room",
        "node at large",
    ];
    let pods = [
        "pod gone",
        "pod gone",
        "pod label",
        "pod scaled down",
        "pod going",
    ];
    let mut all: Vec<Option<Change>> = Vec::new();
    all.extend(nodes.map(|what| change_node(world, rng, what)));
    all.extend(pods.map(|what| change_pod(world, rng, what)));
    all.extend(
        ["own tolerations", "own requests", "own labels"].map(|what| change_own(world, rng, what)),
    );
    all.extend(["node came", "pod came"].map(|what| come(world, rng, what)));
    all.push(node_gone(world, rng));
    all.into_iter().flatten().collect()
}

/// Gaps that upstream has too: a Pod that fits then waits for the flush after five minutes.
///
/// - kubernetes/kubernetes#141354: who is to be near Pods like itself may come first once the last of
///   those is gone or called otherwise; only the coming of Pods to be near is listened to.
/// - The labels of a Node change under a Pod that wants to be far from the waiting one; only labels that
///   the waiting Pod's own terms name are listened to.
/// - The labels of a Node change so that the waiting Pod's node affinity no longer counts it for spreading;
///   only topology keys are listened to.
/// - A Pod begins to end and no longer counts for spreading; only its end is listened to.
fn known_gap(world: &World, change: &Change, rejecting: &str) -> bool {
    let went = matches!(change.what, "pod gone" | "pod label");
    let near = !terms(&world.pod, "podAffinity", "required").is_empty();
    let moved = change.what.starts_with("node label") || change.what == "node at large";
    let shunned = |p: &Value| !terms(p, "podAntiAffinity", "required").is_empty();
    let choosy =
        !required_node_terms(&world.pod).is_null() || !world.pod.at("spec.nodeSelector").is_null();
    (rejecting.contains("InterPodAffinity")
        && ((went && near) || (moved && world.placed.iter().any(shunned))))
        || (rejecting.contains("PodTopologySpread")
            && ((moved && choosy) || change.what == "pod going"))
}

/// Looks at every change after every rejected draw; gives how often each made the Pod fit, and what was missed.
fn missed(seeds: std::ops::Range<u64>) -> (BTreeMap<&'static str, u64>, Vec<String>) {
    let (mut helped, mut missed) = (BTreeMap::new(), Vec::new());
    for seed in seeds {
        let mut world = world(seed, 4);
        // What a nominated Pod may do is not what these rules are about.
        world.pod.remove("status.nominatedNodeName");
        if world.nodes.is_empty() {
            continue;
        }
        let (before, _) = engine::decide(&world, &engine::cache(&world));
        if !before.feasible.is_empty() {
            continue;
        }
        for change in changes(&world, &mut Rng(seed)) {
            let cache = engine::cache(&change.world);
            let (after, _) = engine::decide(&change.world, &cache);
            if after.feasible.is_empty() {
                continue;
            }
            *helped.entry(change.what).or_default() += 1;
            let (pod, profile) = (engine::pod_info(&change.world.pod), Profile::default());
            let cycle = Cycle {
                cache: &cache,
                profile: &profile,
                pod: &pod,
            };
            let object = |v: &Option<Value>| v.clone().map(|v| Rc::new(Object(v)));
            let (old, new) = (object(&change.old), object(&change.new));
            let either = old.as_ref().or(new.as_ref());
            let event = ClusterEvent {
                kind: either.and_then(|o| o.kind()).unwrap_or(Kind::Pod),
                old,
                new,
                own: change.own,
                cause: None,
            };
            let rejecting = before.rejecting_plugins();
            let heard = !event.name().is_empty();
            let names = format!("{rejecting:?}");
            if known_gap(&world, &change, &names) {
                continue;
            }
            if !heard || !rejecting.iter().any(|plugin| plugin.hint(cycle, &event)) {
                let json = |v: &Option<Value>| {
                    v.as_ref()
                        .map(podscope_api::json::to_string)
                        .unwrap_or_default()
                };
                missed.push(format!(
                    "seed {seed}, {} ({}), rejected by {rejecting:?}\n{}old {}\nnew {}\n",
                    change.what,
                    event.name(),
                    crate::describe(&world),
                    json(&change.old),
                    json(&change.new)
                ));
            }
        }
    }
    (helped, missed)
}

fn check(seeds: std::ops::Range<u64>) {
    let (helped, mut missed) = missed(seeds);
    println!("changes that helped: {helped:?}; missed {}", missed.len());
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    for text in &missed {
        let what = text.split(['\n', ',']).skip(1).take(1).collect::<String>();
        let by = text.lines().next().unwrap_or_default();
        let by = by.split("rejected by").nth(1).unwrap_or_default();
        *kinds.entry(format!("{what}{by}")).or_default() += 1;
    }
    missed.sort_by_key(String::len);
    missed.truncate(3);
    assert!(missed.is_empty(), "{kinds:#?}\n{}", missed.join("\n"));
    assert!(helped.len() >= 9, "too few kinds of changes ever helped");
}

#[test]
fn a_change_that_lets_a_pod_fit_wakes_it() {
    check(4_000_000..4_000_600);
}

/// More draws.
#[test]
#[ignore = "takes minutes"]
fn a_change_that_lets_a_pod_fit_wakes_it_on_many_more_draws() {
    check(5_000_000..5_050_000);
}

/// What a plugin that rejected `pod` says of another Pod's change.
fn hears(plugin: &str, pod: &Value, old: &Value, new: &Value) -> bool {
    let mut world = world(1, 1);
    world.pod = pod.clone();
    let (cache, profile) = (engine::cache(&world), Profile::default());
    let pod = engine::pod_info(&world.pod);
    let cycle = Cycle {
        cache: &cache,
        profile: &profile,
        pod: &pod,
    };
    let object = |v: &Value| (!v.is_null()).then(|| Rc::new(Object(v.clone())));
    let event = ClusterEvent {
        kind: Kind::Pod,
        old: object(old),
        new: object(new),
        own: false,
        cause: None,
    };
    let all = PluginId::ALL.iter().copied();
    let mut plugins = all.filter(|id| id.name() == plugin);
    plugins.next().expect("a plugin").hint(cycle, &event)
}

fn labelled(app: &str, spec: Value) -> Value {
    value!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": (app), "uid": (app), "namespace": "default", "labels": {"app": (app)}},
        "spec": (spec)
    })
}

fn far_from(apps: &[&str]) -> Value {
    let term = |app: &&str| value!({"topologyKey": (HOSTNAME), "labelSelector": {"matchLabels": {"app": (*app)}}});
    let all = Value::list(apps.iter().map(term));
    value!({"nodeName": "node-0", "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": (all)}}})
}

/// Draw 5028591 and those like it: each term of the Pod is looked at by itself.
#[test]
fn a_label_that_meets_another_term_than_before_is_heard() {
    let on_node = || value!({"nodeName": "node-0"});
    let pod = labelled("web", far_from(&["a", "b"]));
    let (a, b, c) = (
        labelled("a", on_node()),
        labelled("b", on_node()),
        labelled("c", on_node()),
    );
    assert!(hears("InterPodAffinity", &pod, &a, &b));
    assert!(hears("InterPodAffinity", &pod, &a, &c));
    assert!(!hears("InterPodAffinity", &pod, &c, &a));
    // Also when the other Pod wants to be far from this one all along; that ends with its going only.
    let hermit = |app: &str| labelled(app, far_from(&["web"]));
    assert!(hears("InterPodAffinity", &pod, &hermit("a"), &hermit("c")));
    assert!(!hears("InterPodAffinity", &pod, &hermit("c"), &hermit("d")));
    assert!(hears("InterPodAffinity", &pod, &hermit("c"), &Value::Null));
    let rule = |app: &str| {
        value!({"maxSkew": 1, "topologyKey": (ZONE), "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"app": (app)}}})
    };
    let rules = Value::list([rule("a"), rule("b")]);
    let pod = labelled("web", value!({"topologySpreadConstraints": (rules)}));
    assert!(hears("PodTopologySpread", &pod, &a, &b));
    assert!(!hears("PodTopologySpread", &pod, &c, &c));
}

#[test]
fn less_of_what_a_pod_asks_for_is_heard_and_of_nothing_else() {
    let asking = |app: &str, resource: &str, amount: &str| {
        let requests = Value::from_pairs([(resource, Value::from(amount))]);
        labelled(
            app,
            value!({"nodeName": "node-0", "containers": [{"name": "c", "resources": {"requests": (requests)}}]}),
        )
    };
    for resource in ["cpu", "memory", "ephemeral-storage", "nvidia.com/gpu"] {
        let (old, new) = (asking("a", resource, "4"), asking("a", resource, "2"));
        let pod = asking("web", resource, "1");
        assert!(hears("NodeResourcesFit", &pod, &old, &new), "{resource}");
        assert!(!hears("NodeResourcesFit", &pod, &new, &old), "{resource}");
        let other = asking("web", "hugepages-2Mi", "1Gi");
        assert!(!hears("NodeResourcesFit", &other, &old, &new), "{resource}");
    }
}
