//! What a DaemonSet's Pods should be, decided from the caches: which Nodes get one, which Pods go.
//!
//! Models: pkg/controller/daemon/{daemon_controller.go,update.go,util} (v1.36)

use super::super::meta::{is_available, is_terminal, ready_since, status_count};
use super::super::pod_control::{label, pod_from};
use super::super::revisions::REVISION_LABEL;
use crate::scheduler::node_selector::RequiredNode;
use crate::scheduler::taint::{Effect, Taint, Toleration, untolerated};
use podscope_api::int_or_string::Round;
use podscope_api::{IntOrString, Kind, Object, Text, Timestamp, Value, value};
use podscope_kernel::collections::BTreeMap;
use std::rc::Rc;

const REQUIRED: &str = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution";
/// The template's generation, as an annotation of the set.
const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";
/// The label by which Pods name the template's generation.
pub const GENERATION_LABEL: &str = "pod-template-generation";
/// What every daemon Pod tolerates.
const TOLERATED: &[(&str, &str)] = &[
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
];
const HOST_NETWORK: (&str, &str) = ("node.kubernetes.io/network-unavailable", "NoSchedule");

/// Pods by the Node that they are on or meant for.
pub type ByNode = BTreeMap<Text, Vec<Rc<Object>>>;

/// What a sync asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Plan {
    /// The Nodes that get a Pod.
    pub create: Vec<Text>,
    /// The Pods that go.
    pub delete: Vec<Rc<Object>>,
    /// Of those: Pods that have ended, to be told of.
    pub ended: Vec<Rc<Object>>,
}

/// The Pods that failed on a Node, and whether it is too early to replace one.
pub type HeldBack<'a> = &'a mut dyn FnMut(&str) -> bool;

/// The Node that a Pod is on, or that its affinity names.
pub fn target_node(pod: &Object) -> Option<Text> {
    if let Some(name) = pod.at("spec.nodeName").as_text()
        && !name.is_empty()
    {
        return Some(name.clone());
    }
    let terms = pod.at(REQUIRED).get("nodeSelectorTerms");
    terms.items().iter().find_map(|term| {
        let fields = term.get("matchFields").items();
        let field = fields
            .iter()
            .find(|f| f.get("key").as_str() == Some("metadata.name"))?;
        field.get("values").index(0).as_text().cloned()
    })
}

/// The Pods of a set by Node. Those that have ended and are being deleted count only when asked for.
pub fn by_node(pods: &[Rc<Object>], with_ended: bool) -> ByNode {
    let mut map = ByNode::new();
    for pod in pods {
        if !with_ended && is_terminal(pod) && pod.is_being_deleted() {
            continue;
        }
        if let Some(node) = target_node(pod) {
            map.entry(node).or_default().push(pod.clone());
        }
    }
    for pods in map.values_mut() {
        podscope_api::sort::by_key(pods, |p| {
            let unbound = p.at("spec.nodeName").is_empty();
            (unbound, p.created(), p.name().to_string())
        });
    }
    map
}

/// The template with the tolerations of daemon Pods.
fn tolerating(set: &Object) -> Value {
    let mut template = set.at("spec.template").clone();
    let host = template.at("spec.hostNetwork").is_true();
    let more = TOLERATED.iter().chain(host.then_some(&HOST_NETWORK));
    for (key, effect) in more {
        let toleration = value!({"key": (*key), "operator": "Exists", "effect": (*effect)});
        let list = template.at_mut("spec.tolerations").list_mut();
        let same = |t: &&mut Value| {
            t.get("key") == toleration.get("key")
                && t.get("effect") == toleration.get("effect")
                && t.get("operator") == toleration.get("operator")
        };
        match list.iter_mut().find(same) {
            Some(place) => *place = toleration,
            None => list.push(toleration),
        }
    }
    template
}

/// Whether a Pod of the set should come to a Node, and whether one that is there may stay.
pub fn should_run(set: &Object, node: &Object) -> (bool, bool) {
    let template = tolerating(set);
    let wanted = template.at("spec.nodeName").str_or_empty();
    if !wanted.is_empty() && wanted != node.name() {
        return (false, false);
    }
    let required = RequiredNode::parse(template.get("spec"));
    if !required.matches(node.name(), node.labels()) {
        return (false, false);
    }
    let taints = Taint::list(node.at("spec.taints"));
    let tolerations = Toleration::list(template.at("spec.tolerations"));
    if untolerated(&taints, &tolerations, false).is_none() {
        return (true, true);
    }
    let executing: Vec<Taint> = taints
        .into_iter()
        .filter(|t| t.effect == Effect::NoExecute)
        .collect();
    (
        false,
        untolerated(&executing, &tolerations, false).is_none(),
    )
}

/// The Pod that a set makes for a Node.
pub fn new_pod(set: &Object, node: &str, hash: &str) -> Object {
    let mut pod = pod_from(Kind::DaemonSet, set, &tolerating(set));
    if let Some(generation) = set.annotation(TEMPLATE_GENERATION) {
        label(&mut pod, GENERATION_LABEL, generation);
    }
    if !hash.is_empty() {
        label(&mut pod, REVISION_LABEL, hash);
    }
    let only = value!([{"key": "metadata.name", "operator": "In", "values": [(node)]}]);
    let required = pod.at_mut(REQUIRED);
    if required.get("nodeSelectorTerms").items().is_empty() {
        *required = value!({"nodeSelectorTerms": [{"matchFields": (only)}]});
        return pod;
    }
    for term in required.entry("nodeSelectorTerms").list_mut() {
        term.set("matchFields", only.clone());
    }
    pod
}

/// Whether a Pod has the set's newest template.
pub fn is_updated(set: &Object, pod: &Object, hash: &str) -> bool {
    let generation = set.annotation(TEMPLATE_GENERATION);
    (generation.is_some() && pod.label(GENERATION_LABEL) == generation)
        || (!hash.is_empty() && pod.label(REVISION_LABEL) == Some(hash))
}

fn min_ready(set: &Object) -> i64 {
    set.at("spec.minReadySeconds").as_int().unwrap_or(0)
}

fn number(set: &Object, field: &str, desired: i64) -> i64 {
    let rolling = set.at("spec.updateStrategy.rollingUpdate");
    let value = IntOrString::from_value(rolling.get(field));
    value
        .and_then(|n| n.scaled(desired, Round::Up))
        .unwrap_or(0)
}

fn surges(set: &Object) -> bool {
    is_rolling(set) && number(set, "maxSurge", 1) > 0
}

/// True for the strategy `RollingUpdate`.
pub fn is_rolling(set: &Object) -> bool {
    set.at("spec.updateStrategy.type").as_str() != Some("OnDelete")
}

/// Pods that are missing, superfluous, ended or without a Node.
pub fn manage(
    set: &Object,
    nodes: &[Rc<Object>],
    pods: &[Rc<Object>],
    hash: &str,
    now: Timestamp,
    held_back: HeldBack<'_>,
) -> Plan {
    let placed = by_node(pods, false);
    let mut plan = Plan::default();
    for node in nodes {
        let (run, stay) = should_run(set, node);
        match placed.get(node.name()) {
            None if run => plan.create.push(node.key().name),
            None => {}
            Some(there) if stay => settle(set, there, hash, now, held_back, &mut plan),
            Some(there) => {
                let going = there.iter().filter(|p| !p.is_being_deleted());
                plan.delete.extend(going.cloned());
            }
        }
    }
    // Pods that wait for a Node that does not exist (any more).
    for (node, pods) in &placed {
        if !nodes.iter().any(|n| n.name() == &**node) {
            let waiting = pods.iter().filter(|p| p.at("spec.nodeName").is_empty());
            plan.delete.extend(waiting.cloned());
        }
    }
    plan
}

/// The Pods on a Node that may keep one.
fn settle(
    set: &Object,
    there: &[Rc<Object>],
    hash: &str,
    now: Timestamp,
    held_back: HeldBack<'_>,
    plan: &mut Plan,
) {
    let mut running: Vec<&Rc<Object>> = Vec::new();
    for pod in there.iter().filter(|p| !p.is_being_deleted()) {
        match pod.at("status.phase").str_or_empty() {
            "Failed" => {
                let node = pod.at("spec.nodeName").str_or_empty();
                if !held_back(node) {
                    plan.ended.push(pod.clone());
                    plan.delete.push(pod.clone());
                }
            }
            "Succeeded" => {
                plan.ended.push(pod.clone());
                plan.delete.push(pod.clone());
            }
            _ => running.push(pod),
        }
    }
    if running.len() < 2 {
        return;
    }
    if !surges(set) {
        plan.delete.extend(running.into_iter().skip(1).cloned());
        return;
    }
    let (mut new, mut old): (Option<&Rc<Object>>, Option<&Rc<Object>>) = (None, None);
    for pod in running {
        let place = if is_updated(set, pod, hash) {
            &mut new
        } else {
            &mut old
        };
        match place {
            None => *place = Some(pod),
            Some(_) => plan.delete.push(pod.clone()),
        }
    }
    if let (Some(new), Some(old)) = (new, old)
        && (ready_since(old).is_none() || is_available(new, min_ready(set), now))
    {
        plan.delete.push(old.clone());
    }
}

/// The newer and the older Pod among those of one Node; `None` when there are too many of a sort.
type Pair<'a> = (Option<&'a Rc<Object>>, Option<&'a Rc<Object>>);

fn pair<'a>(set: &Object, there: &'a [Rc<Object>], hash: &str) -> Option<Pair<'a>> {
    let mut pair: Pair<'a> = (None, None);
    for pod in there.iter().filter(|p| !p.is_being_deleted()) {
        let place = if is_updated(set, pod, hash) {
            &mut pair.0
        } else {
            &mut pair.1
        };
        if place.replace(pod).is_some() {
            return None;
        }
    }
    Some(pair)
}

/// The next Pods of a rolling update: old ones go (and with surge: new ones come first).
pub fn rolling(
    set: &Object,
    nodes: &[Rc<Object>],
    pods: &[Rc<Object>],
    hash: &str,
    now: Timestamp,
) -> Plan {
    let placed = by_node(pods, false);
    let runs: Vec<&Rc<Object>> = nodes.iter().filter(|n| should_run(set, n).0).collect();
    let desired = i64::try_from(runs.len()).unwrap_or(i64::MAX);
    let surge = number(set, "maxSurge", desired);
    let unavailable = number(set, "maxUnavailable", desired).max(i64::from(surge == 0));
    let available = |pod: &Object| is_available(pod, min_ready(set), now);
    let mut plan = Plan::default();
    let room = |most: i64, taken: i64| usize::try_from((most - taken).max(0)).unwrap_or(0);
    if surge == 0 {
        let mut taken = 0;
        let mut candidates = Vec::new();
        for there in placed.values() {
            match pair(set, there, hash) {
                Some((Some(new), None)) => taken += i64::from(!available(new)),
                Some((None, Some(old))) if !available(old) => plan.delete.push(old.clone()),
                Some((None, Some(old))) if taken < unavailable => candidates.push(old.clone()),
                Some((None, Some(_))) => {}
                _ => taken += 1,
            }
        }
        let room = room(unavailable, taken);
        plan.delete.extend(candidates.into_iter().take(room));
        return plan;
    }
    let mut taken = 0;
    let mut candidates = Vec::new();
    for (node, there) in &placed {
        if !runs.iter().any(|n| n.name() == &**node) {
            continue;
        }
        match pair(set, there, hash) {
            None => taken += 1,
            Some((Some(new), Some(_))) => taken += i64::from(!available(new)),
            Some((None, Some(old))) if !available(old) => plan.create.push(node.clone()),
            Some((None, Some(_))) if taken < surge => candidates.push(node.clone()),
            _ => {}
        }
    }
    let room = room(surge, taken);
    plan.create.extend(candidates.into_iter().take(room));
    plan
}

/// The status: how many Nodes should have, have, have ready, updated and available Pods.
pub fn status(
    set: &Object,
    nodes: &[Rc<Object>],
    pods: &[Rc<Object>],
    hash: &str,
    now: Timestamp,
    observed: bool,
) -> Value {
    let placed = by_node(pods, false);
    let [
        mut desired,
        mut current,
        mut missed,
        mut ready,
        mut updated,
        mut available,
    ] = [0i64; 6];
    for node in nodes {
        let there = placed.get(node.name());
        if !should_run(set, node).0 {
            missed += i64::from(there.is_some());
            continue;
        }
        desired += 1;
        let Some(pod) = there.and_then(|pods| pods.first()) else {
            continue;
        };
        current += 1;
        ready += i64::from(ready_since(pod).is_some());
        available += i64::from(is_available(pod, min_ready(set), now));
        updated += i64::from(is_updated(set, pod, hash));
    }
    let mut status = set.status().clone();
    for (field, n) in [
        ("currentNumberScheduled", current),
        ("numberMisscheduled", missed),
        ("desiredNumberScheduled", desired),
        ("numberReady", ready),
    ] {
        status.set(field, n);
    }
    if observed {
        status.set("observedGeneration", set.generation());
    }
    for (field, n) in [
        ("updatedNumberScheduled", updated),
        ("numberAvailable", available),
        ("numberUnavailable", desired - available),
    ] {
        if n == 0 {
            status.map_mut().remove(field);
        } else {
            status.set(field, n);
        }
    }
    status
}

/// Whether a ready Pod has still to become available.
pub fn waits_for_available(set: &Object) -> bool {
    min_ready(set) > 0 && status_count(set, "numberReady") != status_count(set, "numberAvailable")
}
