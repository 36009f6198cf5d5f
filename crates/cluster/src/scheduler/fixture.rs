//! Small clusters for tests of plugins.

use super::cache::Cache;
use super::events::ClusterEvent;
use super::framework::{Scores, find_feasible, score};
use super::plugins::{Cycle, PluginId, Plugins};
use super::pod_info::PodInfo;
use super::profile::Profile;
use podscope_api::{Kind, Object, Value, value};
use std::rc::Rc;

/// A Node with 4 CPUs, 8 GiB, room for 110 Pods and the usual labels; `fields` are merged in.
pub fn node(name: &str, zone: &str, fields: Value) -> Object {
    let node = value!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": (name), "labels": {
            "kubernetes.io/hostname": (name), "topology.kubernetes.io/zone": (zone)
        }},
        "spec": {},
        "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"}}
    });
    Object(podscope_api::patch::merge(&node, &fields))
}

/// A Pod in `default` that asks for nothing; `fields` are merged in.
pub fn pod(name: &str, fields: Value) -> Object {
    let pod = value!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": (name), "namespace": "default", "uid": (name)},
        "spec": {"containers": [{"name": "c", "image": "nginx"}]}
    });
    Object(podscope_api::patch::merge(&pod, &fields))
}

/// A cache with these Nodes and these Pods on Nodes.
pub fn cache(nodes: &[Object], placed: &[(Object, &str)]) -> Cache {
    let mut cache = Cache::default();
    for node in nodes {
        cache.apply(Kind::Node, &node.key(), Some(node));
    }
    for (pod, node) in placed {
        cache.add_pod(Rc::new(PodInfo::new(pod)), &(*node).into());
    }
    cache
}

/// What Filter says of each Node in order: `node: ok` or `node: plugin: reasons`, and a rejection of the
/// Pod itself alone.
pub fn verdicts(cache: &Cache, pod: &Object) -> Vec<String> {
    let (profile, pod) = (Profile::default(), PodInfo::new(pod));
    let cycle = Cycle {
        cache,
        profile: &profile,
        pod: &pod,
    };
    let decision = find_feasible(cycle, &mut Plugins::default(), 0);
    if let Some(no) = &decision.pre_filter {
        return vec![format!("{}: {}", no.plugin.name(), no.message())];
    }
    let mut lines = Vec::new();
    for slot in cache.order() {
        let name = &cache.node(*slot).name;
        if decision.feasible.contains(slot) {
            lines.push(format!("{name}: ok"));
        }
        if let Some((_, no)) = decision.rejected.iter().find(|(s, _)| s == slot) {
            lines.push(format!("{name}: {}: {}", no.plugin.name(), no.message()));
        }
    }
    lines
}

/// One plugin's normalized score of each Node in order; empty when it was skipped.
pub fn scores(cache: &Cache, pod: &Object, plugin: PluginId) -> Vec<i64> {
    let (profile, pod) = (Profile::default(), PodInfo::new(pod));
    let cycle = Cycle {
        cache,
        profile: &profile,
        pod: &pod,
    };
    let all: Scores = score(cycle, &mut Plugins::default(), cache.order());
    let mine = all.by_plugin.into_iter().find(|by| by.plugin == plugin);
    mine.map(|by| by.normalized).unwrap_or_default()
}

/// Whether a plugin that rejected a Pod thinks that a change may help.
pub fn hint(
    cache: &Cache,
    pod: &Object,
    plugin: PluginId,
    old: Option<Object>,
    new: Option<Object>,
) -> bool {
    let (profile, pod) = (Profile::default(), PodInfo::new(pod));
    let cycle = Cycle {
        cache,
        profile: &profile,
        pod: &pod,
    };
    let kind = new
        .as_ref()
        .or(old.as_ref())
        .and_then(|o| o.kind())
        .unwrap_or(Kind::Node);
    let event = ClusterEvent {
        kind,
        old: old.map(Rc::new),
        new: new.map(Rc::new),
        own: false,
        cause: None,
    };
    plugin.hint(cycle, &event)
}
