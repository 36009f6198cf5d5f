//! The edits that are offered: what each changes in a Pod, in a Node or in the cluster around them.

use super::state::State;
use crate::why_attempt::amount;
use podscope_api::{Key, Kind, Object, Quantity, Text, Value, value};
use podscope_cluster::scheduler::pod_info::{HostPort, PodInfo};
use podscope_cluster::scheduler::resources::{is_sidecar, pod_requests};
use podscope_cluster::scheduler::taint::Taint;
use std::rc::Rc;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
/// The taint that a cordoned Node carries beside its mark.
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

/// What one container asks for, before and after, in base units. An empty name stands for the whole Pod.
pub type Part = (Text, i64, i64);

/// A Pod that goes, and where the one that its controller makes in its place goes first.
#[derive(Clone, Debug)]
pub struct Gone {
    /// The Pod.
    pub pod: Rc<PodInfo>,
    /// Its controller as `Kind/name`; empty for none.
    pub owner: Text,
    /// The Node of the one that comes in its place, if it fits somewhere.
    pub to: Option<(Rc<PodInfo>, Text)>,
}

/// One edit.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "fields are named for what they are")]
pub enum Edit {
    /// Containers ask for less of a resource.
    Request { resource: Text, parts: Vec<Part> },
    /// The Pod tolerates a taint.
    Tolerate(Taint),
    /// An entry of the node selector goes.
    DropSelector { key: Text, value: Text },
    /// An expression of a term of the required node affinity goes.
    DropExpression { term: usize, key: Text },
    /// The required node affinity goes.
    DropNodeAffinity,
    /// A required term of the affinity to Pods goes.
    DropPodTerm { anti: bool, index: usize, key: Text },
    /// A spread constraint allows more.
    Skew {
        index: usize,
        key: Text,
        from: i64,
        to: i64,
    },
    /// A spread constraint becomes a wish.
    SoftSpread { index: usize, key: Text },
    /// A port of the Node is not asked for.
    DropPort(HostPort),
    /// A priority class, made first when it is new.
    Priority { class: Text, value: i64, new: bool },
    /// The scheduling gates go.
    DropGates(Vec<Text>),
    /// A volume with a claim goes.
    DropVolume { volume: Text, claim: Text },
    /// The Pod names the Node that it wants.
    Pin(Text),
    /// A Node takes Pods again.
    Uncordon(Text),
    /// A Node takes no new Pods.
    Cordon(Text),
    /// A taint goes.
    Untaint { node: Text, taint: Taint },
    /// A Node gets a label.
    Label { node: Text, key: Text, value: Text },
    /// A Node has more of a resource.
    Capacity {
        node: Text,
        resource: Text,
        from: i64,
        to: i64,
    },
    /// A Node like another one comes.
    AddNode { like: Text, node: Box<Object> },
    /// Another Pod goes.
    Delete(Gone),
    /// A workload gets fewer Pods; these may be the ones.
    Scale {
        kind: Kind,
        key: Key,
        from: i64,
        to: i64,
        gone: Vec<Rc<PodInfo>>,
    },
}

impl Edit {
    /// The name of its kind: two edits of one kind differ in how much or where.
    pub fn kind(&self) -> String {
        match self {
            Edit::Request { resource, .. } => ["request.", resource].concat(),
            Edit::Capacity { resource, .. } => ["capacity.", resource].concat(),
            Edit::Tolerate(_) => "toleration".into(),
            Edit::DropSelector { .. } => "selector".into(),
            Edit::DropExpression { .. } | Edit::DropNodeAffinity => "node-affinity".into(),
            Edit::DropPodTerm { anti: false, .. } => "pod-affinity".into(),
            Edit::DropPodTerm { anti: true, .. } => "pod-anti-affinity".into(),
            Edit::Skew { .. } => "spread-skew".into(),
            Edit::SoftSpread { .. } => "spread-soft".into(),
            Edit::DropPort(_) => "port".into(),
            Edit::Priority { .. } => "priority".into(),
            Edit::DropGates(_) => "gates".into(),
            Edit::DropVolume { .. } => "volume".into(),
            Edit::Pin(_) => "pin".into(),
            Edit::Uncordon(_) => "uncordon".into(),
            Edit::Cordon(_) => "cordon".into(),
            Edit::Untaint { .. } => "untaint".into(),
            Edit::Label { .. } => "label".into(),
            Edit::AddNode { .. } => "add-node".into(),
            Edit::Delete(gone) if gone.owner.is_empty() => "delete".into(),
            Edit::Delete(_) => "replace".into(),
            Edit::Scale { .. } => "scale".into(),
        }
    }

    /// The order in which kinds are offered: what takes something back first, what costs others last.
    pub fn rank(&self) -> u32 {
        match self {
            Edit::DropGates(_) => 0,
            Edit::Uncordon(_) => 1,
            Edit::Request { .. } => 2,
            Edit::Tolerate(_) | Edit::Label { .. } => 3,
            Edit::DropSelector { .. } | Edit::DropExpression { .. } | Edit::Untaint { .. } => 4,
            Edit::Skew { .. } | Edit::DropPort(_) | Edit::DropPodTerm { .. } => 5,
            Edit::SoftSpread { .. } | Edit::DropNodeAffinity | Edit::Pin(_) => 6,
            Edit::DropVolume { .. } => 7,
            Edit::AddNode { .. } | Edit::Capacity { .. } => 8,
            Edit::Scale { .. } | Edit::Delete(_) | Edit::Cordon(_) => 9,
            Edit::Priority { .. } => 10,
        }
    }

    /// Whether it changes the Pod itself.
    pub fn is_of_pod(&self) -> bool {
        use Edit::*;
        !matches!(
            self,
            Uncordon(_)
                | Cordon(_)
                | Untaint { .. }
                | Label { .. }
                | Capacity { .. }
                | AddNode { .. }
                | Delete(_)
                | Scale { .. }
        )
    }

    /// How large it is beside others of its kind: smaller is better.
    pub fn cost(&self) -> i64 {
        let share = |part: i64, whole: i64| part.saturating_mul(1_000) / whole.max(1);
        match self {
            Edit::Request { parts, .. } => {
                let sum = |f: fn(&Part) -> i64| parts.iter().map(f).fold(0, i64::saturating_add);
                let (from, to) = (sum(|p| p.1), sum(|p| p.2));
                from.saturating_sub(to)
            }
            Edit::Capacity { from, to, .. } => to.saturating_sub(*from),
            Edit::Skew { from, to, .. }
            | Edit::Scale {
                from: to, to: from, ..
            } => to.saturating_sub(*from),
            Edit::Priority { value, .. } => *value,
            Edit::Delete(gone) => {
                let pod = &gone.pod;
                let small = share(pod.requests.milli_cpu, 1_000) + (pod.requests.memory >> 20);
                let important = pod.priority.clamp(-1_000_000, 1_000_000_000);
                important.saturating_mul(1_000_000).saturating_add(small)
            }
            _ => 0,
        }
    }

    /// Makes the edit in a state.
    pub fn apply(&self, state: &mut State) {
        match self {
            _ if self.is_of_pod() => self.apply_to_pod(&mut state.pod),
            Edit::AddNode { node, .. } => state.set_node((**node).clone()),
            Edit::Delete(gone) => {
                if let Some((pod, node)) = &gone.to {
                    state.add_pod(pod.clone(), node);
                }
                state.remove_pod(&gone.pod);
            }
            Edit::Scale { gone, .. } => gone.iter().for_each(|pod| state.remove_pod(pod)),
            _ => {
                let node = self.node().and_then(|name| state.nodes.get(name));
                if let Some(node) = node {
                    let mut node = (**node).clone();
                    self.apply_to_node(&mut node);
                    state.set_node(node);
                }
            }
        }
    }

    /// The Node that it changes.
    pub fn node(&self) -> Option<&Text> {
        match self {
            Edit::Uncordon(node) | Edit::Cordon(node) => Some(node),
            Edit::Untaint { node, .. } | Edit::Label { node, .. } => Some(node),
            Edit::Capacity { node, .. } => Some(node),
            _ => None,
        }
    }

    /// Makes the edit in a Node object.
    pub fn apply_to_node(&self, node: &mut Object) {
        match self {
            Edit::Uncordon(_) => {
                node.remove("spec.unschedulable");
                drop_taints(node, |taint| {
                    taint.get("key").as_str() == Some(UNSCHEDULABLE)
                });
            }
            Edit::Cordon(_) => node.set("spec.unschedulable", Value::Bool(true)),
            Edit::Untaint { taint, .. } => drop_taints(node, |t| is_taint(t, taint)),
            Edit::Label { key, value, .. } => {
                *node.at_mut("metadata.labels").entry(key) = Value::Str(value.clone());
            }
            Edit::Capacity { resource, to, .. } => {
                let text = amount(resource, *to);
                let has = Quantity::from_value(node.status().get("capacity").get(resource));
                let wanted = Quantity::parse(&text).unwrap_or_default();
                if has.is_none_or(|has| has < wanted) {
                    *node.at_mut("status.capacity").entry(resource) = text.clone().into();
                }
                *node.at_mut("status.allocatable").entry(resource) = text.into();
            }
            _ => {}
        }
    }

    /// Makes the edit in a Pod, or in a Pod template.
    pub fn apply_to_pod(&self, pod: &mut Object) {
        match self {
            Edit::Request { resource, parts } => {
                parts
                    .iter()
                    .for_each(|part| set_request(pod, resource, part));
            }
            Edit::Tolerate(taint) => {
                let mut toleration = value!({"key": (taint.key.clone())});
                if taint.value.is_empty() {
                    toleration.set("operator", "Exists");
                } else {
                    toleration.set("operator", "Equal");
                    toleration.set("value", taint.value.clone());
                }
                toleration.set("effect", taint.effect.name());
                pod.at_mut("spec.tolerations").list_mut().push(toleration);
            }
            Edit::DropSelector { key, .. } => {
                let selector = pod.at_mut("spec.nodeSelector").map_mut();
                selector.remove(key);
                if selector.is_empty() {
                    pod.remove("spec.nodeSelector");
                }
            }
            Edit::DropExpression { term, key } => {
                let path = [
                    "spec.affinity.nodeAffinity.",
                    REQUIRED,
                    ".nodeSelectorTerms",
                ]
                .concat();
                if let Some(term) = pod.at_mut(&path).list_mut().get_mut(*term) {
                    let expressions = term.entry("matchExpressions").list_mut();
                    expressions.retain(|e| e.get("key").as_str() != Some(&**key));
                    if expressions.is_empty() {
                        term.remove("matchExpressions");
                    }
                }
            }
            Edit::DropNodeAffinity => {
                pod.remove(&["spec.affinity.nodeAffinity.", REQUIRED].concat());
                tidy_affinity(pod, "nodeAffinity");
            }
            Edit::DropPodTerm { anti, index, .. } => {
                let side = pod_side(*anti);
                let path = ["spec.affinity.", side, ".", REQUIRED].concat();
                let terms = pod.at_mut(&path).list_mut();
                if *index < terms.len() {
                    terms.remove(*index);
                }
                if terms.is_empty() {
                    pod.remove(&path);
                    tidy_affinity(pod, side);
                }
            }
            Edit::Skew { index, to, .. } => {
                if let Some(c) = constraint(pod, *index) {
                    c.set("maxSkew", *to);
                }
            }
            Edit::SoftSpread { index, .. } => {
                if let Some(c) = constraint(pod, *index) {
                    c.set("whenUnsatisfiable", "ScheduleAnyway");
                    c.remove("minDomains");
                }
            }
            Edit::DropPort(port) => {
                each_container(pod, &mut |container| {
                    for p in container.at_mut("ports").list_mut().iter_mut() {
                        if p.get("hostPort").as_int() == Some(port.port) {
                            p.remove("hostPort");
                            p.remove("hostIP");
                        }
                    }
                    if container.get("ports").items().is_empty() {
                        container.remove("ports");
                    }
                });
                // The network of the Node demands that its ports are named.
            }
            Edit::Priority { class, value, .. } => {
                pod.set("spec.priorityClassName", class.clone());
                pod.set("spec.priority", *value);
                pod.remove("spec.preemptionPolicy");
            }
            Edit::DropGates(_) => {
                pod.remove("spec.schedulingGates");
            }
            Edit::DropVolume { volume, .. } => {
                let volumes = pod.at_mut("spec.volumes").list_mut();
                volumes.retain(|v| v.get("name").as_str() != Some(&**volume));
                each_container(pod, &mut |container| {
                    if !container.get("volumeMounts").is_null() {
                        let mounts = container.entry("volumeMounts").list_mut();
                        mounts.retain(|m| m.get("name").as_str() != Some(&**volume));
                    }
                });
            }
            Edit::Pin(node) => {
                *pod.at_mut("spec.nodeSelector")
                    .entry("kubernetes.io/hostname") = Value::Str(node.clone());
            }
            _ => {}
        }
    }
}

fn pod_side(anti: bool) -> &'static str {
    if anti {
        "podAntiAffinity"
    } else {
        "podAffinity"
    }
}

/// Removes an affinity that says nothing any more.
fn tidy_affinity(pod: &mut Object, side: &str) {
    let path = ["spec.affinity.", side].concat();
    if pod.at(&path).entries().is_empty() {
        pod.remove(&path);
    }
    if pod.at("spec.affinity").entries().is_empty() {
        pod.remove("spec.affinity");
    }
}

fn constraint(pod: &mut Object, index: usize) -> Option<&mut Value> {
    let list = pod.at_mut("spec.topologySpreadConstraints").list_mut();
    list.get_mut(index)
}

/// Calls `f` with every container, init containers included.
fn each_container(pod: &mut Object, f: &mut dyn FnMut(&mut Value)) {
    for field in ["spec.containers", "spec.initContainers"] {
        if !pod.at(field).is_null() {
            pod.at_mut(field).list_mut().iter_mut().for_each(&mut *f);
        }
    }
}

fn is_taint(value: &Value, taint: &Taint) -> bool {
    value.get("key").as_str() == Some(&*taint.key)
        && value.get("effect").as_str() == Some(taint.effect.name())
}

fn drop_taints(node: &mut Object, gone: impl Fn(&Value) -> bool) {
    if node.at("spec.taints").is_null() {
        return;
    }
    let taints = node.at_mut("spec.taints").list_mut();
    taints.retain(|t| !gone(t));
    if taints.is_empty() {
        node.remove("spec.taints");
    }
}

/// Whether a request must equal its limit.
fn is_whole(resource: &str) -> bool {
    resource.contains('/') || resource.starts_with("hugepages-")
}

fn set_request(pod: &mut Object, resource: &Text, part: &Part) {
    let (name, _, to) = part;
    let text: Value = amount(resource, *to).into();
    let write = |resources: &mut Value| {
        for field in ["requests", "limits"] {
            if field == "limits" && !is_whole(resource) {
                continue;
            }
            if field == "limits" && resources.get(field).get(resource).is_null() {
                continue;
            }
            if *to == 0 && is_whole(resource) {
                resources.entry(field).map_mut().remove(resource);
            } else {
                *resources.entry(field).entry(resource) = text.clone();
            }
        }
    };
    if name.is_empty() {
        write(pod.at_mut("spec.resources"));
        return;
    }
    each_container(pod, &mut |container| {
        if container.get("name").as_str() == Some(&**name) {
            write(container.entry("resources"));
        }
    });
}

/// What a Pod asks for of a resource, in base units.
pub fn asked(pod: &Object, resource: &str) -> i64 {
    use podscope_cluster::scheduler::resources::Resource;
    pod_requests(pod)
        .0
        .amount(&Resource::named(&resource.into()))
}

/// No container alone can give so much and go on asking for some: those that ask for most give down to one
/// level. Bounded by the number of containers.
fn level(sorted: &[(Text, i64)], over: i64, parts: &mut Vec<Part>) {
    let mut sum = 0_i64;
    for (n, (_, has)) in sorted.iter().enumerate() {
        sum = sum.saturating_add(*has);
        let next = sorted.get(n + 1).map_or(0, |(_, has)| *has);
        let count = i64::try_from(n + 1).unwrap_or(i64::MAX);
        let left = sum.saturating_sub(over).max(0);
        if left < next.saturating_mul(count) {
            continue;
        }
        let (each, mut more) = (left / count, left % count);
        for (name, has) in sorted.iter().take(n + 1) {
            let to = each + i64::from(more > 0);
            more = (more - 1).max(0);
            if to != *has {
                parts.push((name.clone(), *has, to));
            }
        }
        return;
    }
}

/// The fewest changes after which the whole Pod asks for at most `most` of a resource: the container that
/// asks for most gives alone when it can.
pub fn lower(pod: &Object, resource: &Text, most: i64) -> Vec<Part> {
    let read = |list: &Value| -> i64 {
        let quantity = Quantity::from_value(list.get(resource)).unwrap_or_default();
        if &**resource == "cpu" {
            quantity.milli_value()
        } else {
            quantity.value()
        }
    };
    let spec = pod.spec();
    let most = most.saturating_sub(read(spec.get("overhead"))).max(0);
    let whole = spec.get("resources").get("requests");
    if !whole.get(resource).is_null() {
        return vec![("".into(), read(whole), most)];
    }
    let of = |container: &Value| -> (Text, i64) {
        let name = container.get("name").str_or_empty().into();
        (name, read(container.get("resources").get("requests")))
    };
    let inits = spec.get("initContainers").items();
    let together = spec.get("containers").items().iter();
    let together = together.chain(inits.iter().filter(|c| is_sidecar(c)));
    let mut together: Vec<(Text, i64)> = together.map(of).collect();
    let mut parts: Vec<Part> = Vec::new();
    let sum: i64 = together
        .iter()
        .map(|(_, n)| *n)
        .fold(0, i64::saturating_add);
    let over = sum.saturating_sub(most);
    podscope_api::sort::by_key(&mut together, |(_, n)| std::cmp::Reverse(*n));
    match together.first() {
        Some((name, has)) if over > 0 && *has > over => {
            parts.push((name.clone(), *has, has - over));
        }
        _ if over > 0 => level(&together, over, &mut parts),
        _ => {}
    }
    let after = |name: &str, has: i64| {
        let part = parts.iter().find(|(n, _, _)| **n == *name);
        part.map_or(has, |(_, _, to)| *to)
    };
    let mut beside = 0_i64;
    let mut more: Vec<Part> = Vec::new();
    for container in inits {
        let (name, has) = of(container);
        if is_sidecar(container) {
            beside = beside.saturating_add(after(&name, has));
        } else if beside.saturating_add(has) > most {
            more.push((name, has, most.saturating_sub(beside).max(0)));
        }
    }
    parts.append(&mut more);
    parts
}
