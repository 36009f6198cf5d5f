//! The scheduler's own picture of the cluster: Nodes in order, the Pods on them, and indexes that make
//! one decision cheap (Pods grouped by labels, Nodes grouped by the value of a label, images by name).
//!
//! Models: `pkg/scheduler/backend/cache` (v1.36). Left out: per-cycle snapshots, as a cycle here is one step.

use super::affinity::{PodAffinity, label_selector};
use super::node_info::{NodeInfo, Slot};
use super::node_tree::{NodeTree, zone_of};
use super::pod_info::PodInfo;
use super::profile::Profile;
use podscope_api::{Key, Kind, Object, Selector, Text, Value};
use podscope_kernel::collections::{BTreeMap, BTreeSet};
use podscope_kernel::state_hash;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

/// How many Pods of a class are on a Node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Count {
    /// Pods that are not being deleted.
    pub live: u32,
    /// Pods that are being deleted.
    pub terminating: u32,
}

/// Pods that no selector and no affinity term can tell apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PodClass {
    /// The class's number.
    pub id: u32,
    /// Their namespace.
    pub namespace: Text,
    /// Their labels, a map or null.
    pub labels: Value,
    /// Their affinity to other Pods.
    pub affinity: Option<Rc<PodAffinity>>,
    /// How many there are on which Node.
    pub nodes: BTreeMap<Slot, Count>,
}

/// An image that is on some Node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ImageState {
    /// Its size in bytes.
    pub size: i64,
    /// How many Nodes have it.
    pub count: u32,
    /// The Nodes that have it, one bit for each slot.
    bits: Vec<u64>,
}

impl ImageState {
    /// Whether the Node in this slot has it.
    pub fn is_on(&self, slot: Slot) -> bool {
        let word = self.bits.get(slot as usize / 64).copied().unwrap_or(0);
        word >> (slot % 64) & 1 == 1
    }
    fn set(&mut self, slot: Slot, on: bool) {
        let place = slot as usize / 64;
        if self.is_on(slot) == on {
            return;
        }
        if self.bits.len() <= place {
            self.bits.resize(place + 1, 0);
        }
        self.bits[place] ^= 1 << (slot % 64);
        self.count = if on { self.count + 1 } else { self.count - 1 };
    }
}

/// No domain: the Node lacks the label.
pub const NO_DOMAIN: u32 = u32::MAX;

/// Nodes grouped by the value of one label.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Topology {
    /// Each Node's domain by slot, [`NO_DOMAIN`] where the Node lacks the label.
    pub domains: Vec<u32>,
    /// Each domain's label value.
    pub values: Vec<Text>,
}

impl Topology {
    /// A Node's domain, `None` when it lacks the label.
    pub fn domain(&self, slot: Slot) -> Option<usize> {
        match self.domains.get(slot as usize) {
            Some(domain) if *domain != NO_DOMAIN => Some(*domain as usize),
            _ => None,
        }
    }
}

/// The picture of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cache {
    nodes: Vec<Rc<NodeInfo>>,
    by_name: BTreeMap<Text, Slot>,
    free: Vec<Slot>,
    tree: NodeTree,
    order: Rc<Vec<Slot>>,
    classes: BTreeMap<u32, Rc<PodClass>>,
    class_index: BTreeMap<u64, Vec<u32>>,
    class_of_namespace: BTreeMap<Text, BTreeSet<u32>>,
    affine: BTreeSet<u32>,
    next_class: u32,
    images: BTreeMap<Text, Rc<ImageState>>,
    topologies: BTreeMap<Text, Rc<Topology>>,
    nominated: BTreeMap<Text, Vec<Rc<PodInfo>>>,
    namespaces: BTreeMap<Text, Value>,
    objects: BTreeMap<(Kind, Key), Object>,
    service_selectors: BTreeMap<Key, Value>,
}

impl Cache {
    /// Takes over what a watch said about an object other than a Pod: `None` when it is gone.
    pub fn apply(&mut self, kind: Kind, key: &Key, object: Option<&Object>) {
        match (kind, object) {
            (Kind::Node, Some(node)) => self.set_node(node),
            (Kind::Node, None) => self.remove_node(&key.name),
            (Kind::Namespace, Some(namespace)) => {
                self.namespaces
                    .insert(key.name.clone(), namespace.labels().clone());
            }
            (Kind::Namespace, None) => {
                self.namespaces.remove(&key.name);
            }
            (Kind::Service, object) => {
                let selector = object
                    .map(|o| o.spec().get("selector"))
                    .filter(|s| !s.is_null());
                match selector {
                    Some(selector) => self.service_selectors.insert(key.clone(), selector.clone()),
                    None => self.service_selectors.remove(key),
                };
            }
            (_, Some(object)) => {
                self.objects.insert((kind, key.clone()), object.clone());
            }
            (_, None) => {
                self.objects.remove(&(kind, key.clone()));
            }
        }
    }

    /// Another object that the scheduler watches.
    pub fn object(&self, kind: Kind, namespace: &Text, name: &str) -> Option<&Object> {
        self.objects.get(&(kind, Key::new(namespace.clone(), name)))
    }
    /// All other objects of a kind that the scheduler watches, by namespace and name.
    pub fn objects(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        let all = self.objects.iter();
        all.filter(move |((k, _), _)| *k == kind)
            .map(|(_, object)| object)
    }
    /// The labels (a map or null) of a namespace, `None` when there is no such namespace.
    pub fn namespace_labels(&self, name: &str) -> Option<&Value> {
        self.namespaces.get(name)
    }
    /// Selectors (maps) of the Services of a namespace.
    pub fn service_selectors(&self, namespace: &Text) -> impl Iterator<Item = &Value> {
        let from = Key {
            namespace: namespace.clone(),
            name: "".into(),
        };
        let rest = self.service_selectors.range(from..);
        let namespace = namespace.clone();
        rest.take_while(move |(key, _)| key.namespace == namespace)
            .map(|(_, selector)| selector)
    }

    // Nodes.

    /// How many Nodes there are.
    pub fn len(&self) -> usize {
        self.order.len()
    }
    /// True when there is no Node.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
    /// The Nodes in the order in which they are looked at.
    pub fn order(&self) -> &[Slot] {
        &self.order
    }
    /// The Node in a slot.
    ///
    /// # Panics
    /// Never for slots that this cache gave out.
    pub fn node(&self, slot: Slot) -> &NodeInfo {
        self.nodes
            .get(slot as usize)
            .expect("invariant: slots are those of this cache")
    }
    /// The Node in a slot, to be kept as it is now.
    ///
    /// # Panics
    /// Never for slots that this cache gave out.
    pub fn shared(&self, slot: Slot) -> Rc<NodeInfo> {
        let node = self.nodes.get(slot as usize).cloned();
        node.expect("invariant: slots are those of this cache")
    }
    /// All Nodes in order.
    pub fn nodes(&self) -> impl Iterator<Item = &NodeInfo> {
        self.order.iter().map(|slot| self.node(*slot))
    }
    /// The Node with this name.
    pub fn find(&self, name: &str) -> Option<&NodeInfo> {
        let node = self.node(*self.by_name.get(name)?);
        node.present.then_some(node)
    }
    /// How many slots there are, some of them perhaps unused.
    pub fn slots(&self) -> usize {
        self.nodes.len()
    }

    fn slot(&mut self, name: &Text) -> Slot {
        if let Some(slot) = self.by_name.get(name) {
            return *slot;
        }
        let slot = self.free.pop().unwrap_or(self.nodes.len() as Slot);
        let info = Rc::new(NodeInfo::unknown(slot, name.clone()));
        match self.nodes.get_mut(slot as usize) {
            Some(place) => *place = info,
            None => self.nodes.push(info),
        }
        self.by_name.insert(name.clone(), slot);
        slot
    }

    fn node_mut(&mut self, slot: Slot) -> &mut NodeInfo {
        let node = self.nodes.get_mut(slot as usize);
        Rc::make_mut(node.expect("invariant: slots are those of this cache"))
    }

    fn set_node(&mut self, object: &Object) {
        let slot = self.slot(&object.key().name);
        let old = self.node(slot).clone_head();
        self.node_mut(slot).set_node(object);
        let new = self.node(slot).clone_head();
        if !old.present || old.labels != new.labels {
            self.topologies.clear();
            let (before, after) = (zone_of(&old.labels), zone_of(&new.labels));
            if !old.present || before != after {
                if old.present {
                    self.tree.remove(&before, slot);
                }
                self.tree.add(after, slot);
                self.order = Rc::new(self.tree.order());
            }
        }
        if old.images != new.images {
            self.remove_images(slot, &old.images);
            for (name, size) in new.images {
                let fresh = ImageState {
                    size,
                    ..ImageState::default()
                };
                let state = self.images.entry(name).or_insert_with(|| Rc::new(fresh));
                Rc::make_mut(state).set(slot, true);
            }
        }
    }

    fn remove_images(&mut self, slot: Slot, images: &[(Text, i64)]) {
        for (name, _) in images {
            if let Some(state) = self.images.get_mut(name) {
                let state = Rc::make_mut(state);
                state.set(slot, false);
                if state.count == 0 {
                    self.images.remove(name);
                }
            }
        }
    }

    fn remove_node(&mut self, name: &Text) {
        let Some(slot) = self.by_name.get(name).copied() else {
            return;
        };
        let old = self.node(slot).clone_head();
        self.tree.remove(&zone_of(&old.labels), slot);
        self.order = Rc::new(self.tree.order());
        self.topologies.clear();
        self.remove_images(slot, &old.images);
        self.node_mut(slot).clear_node();
        self.release(slot);
    }

    fn release(&mut self, slot: Slot) {
        let node = self.node(slot);
        if !node.present && node.pods.is_empty() {
            let name = node.name.clone();
            self.by_name.remove(&name);
            self.free.push(slot);
        }
    }

    // Pods.

    /// Puts the changed Pod in the place of the one on this Node, or adds it.
    pub fn update_pod(&mut self, pod: Rc<PodInfo>, node: &Text) {
        let slot = self.slot(node);
        let place = self
            .node(slot)
            .pods
            .iter()
            .position(|p| p.pod.is_same(&pod));
        let same = place.filter(|at| self.node(slot).pods[*at].pod.counts_as(&pod));
        match same {
            Some(at) => self.node_mut(slot).pods[at].pod = pod,
            None => {
                self.remove_pod(&pod, node);
                self.add_pod(pod, node);
            }
        }
    }
    /// The Pod on this Node.
    pub fn pod_on(&self, node: &str, key: &Key) -> Option<&Rc<PodInfo>> {
        let node = self.node(*self.by_name.get(node)?);
        node.pods
            .iter()
            .map(|placed| &placed.pod)
            .find(|pod| pod.key == *key)
    }

    /// Puts a Pod on the Node that it names (or is to be on). It must not be there already.
    pub fn add_pod(&mut self, pod: Rc<PodInfo>, node: &Text) {
        let slot = self.slot(node);
        let class = self.class(&pod);
        if let Some(class) = self.classes.get_mut(&class) {
            let count = Rc::make_mut(class).nodes.entry(slot).or_default();
            if pod.terminating {
                count.terminating += 1;
            } else {
                count.live += 1;
            }
        }
        self.node_mut(slot).add_pod(pod, class);
    }

    /// Takes a Pod off its Node; false when it was not there.
    pub fn remove_pod(&mut self, pod: &PodInfo, node: &str) -> bool {
        let Some(slot) = self.by_name.get(node).copied() else {
            return false;
        };
        let Some(placed) = self.node_mut(slot).remove_pod(pod) else {
            return false;
        };
        self.leave(placed.class, slot, placed.pod.terminating);
        self.release(slot);
        true
    }

    fn class(&mut self, pod: &PodInfo) -> u32 {
        let fingerprint = state_hash(&(&pod.key.namespace, pod.labels(), &pod.affinity));
        for id in self.class_index.get(&fingerprint).into_iter().flatten() {
            if let Some(class) = self.classes.get(id) {
                let same = class.namespace == pod.key.namespace
                    && class.labels == *pod.labels()
                    && class.affinity == pod.affinity;
                if same {
                    return *id;
                }
            }
        }
        let id = self.next_class;
        self.next_class = self.next_class.wrapping_add(1);
        self.class_index.entry(fingerprint).or_default().push(id);
        let namespace = pod.key.namespace.clone();
        self.class_of_namespace
            .entry(namespace.clone())
            .or_default()
            .insert(id);
        if pod.affinity.is_some() {
            self.affine.insert(id);
        }
        let class = PodClass {
            id,
            namespace,
            labels: pod.labels().clone(),
            affinity: pod.affinity.clone(),
            nodes: BTreeMap::new(),
        };
        self.classes.insert(id, Rc::new(class));
        id
    }

    fn leave(&mut self, id: u32, slot: Slot, terminating: bool) {
        let Some(class) = self.classes.get_mut(&id).map(Rc::make_mut) else {
            return;
        };
        if let Some(count) = class.nodes.get_mut(&slot) {
            if terminating {
                count.terminating = count.terminating.saturating_sub(1);
            } else {
                count.live = count.live.saturating_sub(1);
            }
            if *count == Count::default() {
                class.nodes.remove(&slot);
            }
        }
        if !class.nodes.is_empty() {
            return;
        }
        let fingerprint = state_hash(&(&class.namespace, &class.labels, &class.affinity));
        let namespace = class.namespace.clone();
        self.classes.remove(&id);
        self.affine.remove(&id);
        if let Some(ids) = self.class_index.get_mut(&fingerprint) {
            ids.retain(|i| *i != id);
            if ids.is_empty() {
                self.class_index.remove(&fingerprint);
            }
        }
        if let Some(ids) = self.class_of_namespace.get_mut(&namespace) {
            ids.remove(&id);
            if ids.is_empty() {
                self.class_of_namespace.remove(&namespace);
            }
        }
    }

    /// Classes of Pods in a namespace.
    pub fn classes_in<'a>(&'a self, namespace: &str) -> impl Iterator<Item = &'a PodClass> {
        let ids = self.class_of_namespace.get(namespace);
        ids.into_iter()
            .flatten()
            .filter_map(|id| self.classes.get(id))
            .map(|c| &**c)
    }
    /// All classes of Pods.
    pub fn classes(&self) -> impl Iterator<Item = &PodClass> {
        self.classes.values().map(|c| &**c)
    }
    /// Classes of Pods with affinity or anti-affinity to other Pods.
    pub fn classes_with_affinity(&self) -> impl Iterator<Item = &PodClass> {
        self.affine
            .iter()
            .filter_map(|id| self.classes.get(id))
            .map(|c| &**c)
    }
    /// An image by its full name.
    pub fn image(&self, name: &str) -> Option<&Rc<ImageState>> {
        self.images.get(name)
    }

    // Topology.

    /// Nodes grouped by the value of a label: kept when asked for with [`Cache::keep_topology`], else made now.
    pub fn topology(&self, key: &str) -> Rc<Topology> {
        match self.topologies.get(key) {
            Some(topology) => topology.clone(),
            None => Rc::new(self.group(key)),
        }
    }

    /// Makes later calls of [`Cache::topology`] with this key cheap, until a Node's labels change.
    pub fn keep_topology(&mut self, key: &Text) {
        // Bounded: a cluster uses few topology keys; beyond that they are grouped anew each time.
        const MAX_KEPT: usize = 64;
        if !self.topologies.contains_key(key) && self.topologies.len() < MAX_KEPT {
            let topology = Rc::new(self.group(key));
            self.topologies.insert(key.clone(), topology);
        }
    }

    /// Keeps the groups of Nodes that the Pod's rules look at.
    pub fn keep_topologies(&mut self, pod: &PodInfo, profile: &Profile) {
        for constraint in &profile.default_constraints {
            self.keep_topology(&constraint.topology_key);
        }
        let own = pod.object.spec().get("topologySpreadConstraints").items();
        for key in own.iter().filter_map(|c| c.get("topologyKey").as_text()) {
            self.keep_topology(key);
        }
        if let Some(affinity) = pod.affinity.clone() {
            for term in affinity.terms() {
                self.keep_topology(&term.topology_key);
            }
        }
    }

    fn group(&self, key: &str) -> Topology {
        let mut topology = Topology {
            domains: vec![NO_DOMAIN; self.nodes.len()],
            values: Vec::new(),
        };
        let mut numbers: BTreeMap<&Text, u32> = BTreeMap::new();
        for node in &self.nodes {
            let Some(value) = node.labels.get(key).as_text().filter(|_| node.present) else {
                continue;
            };
            let domain = *numbers.entry(value).or_insert_with(|| {
                topology.values.push(value.clone());
                topology.values.len() as u32 - 1
            });
            if let Some(place) = topology.domains.get_mut(node.slot as usize) {
                *place = domain;
            }
        }
        topology
    }

    // Nominations.

    /// Remembers that a Pod waits for a Node that preemption makes free.
    pub fn nominate(&mut self, pod: Rc<PodInfo>, node: &Text) {
        self.forget_nomination(&pod);
        self.nominated.entry(node.clone()).or_default().push(pod);
    }
    /// Forgets that a Pod waits for a Node.
    pub fn forget_nomination(&mut self, pod: &PodInfo) {
        self.nominated.retain(|_, pods| {
            pods.retain(|p| !p.is_same(pod));
            !pods.is_empty()
        });
    }
    /// The Pods that wait for a Node.
    pub fn nominated_to(&self, node: &str) -> &[Rc<PodInfo>] {
        self.nominated.get(node).map_or(&[], Vec::as_slice)
    }
    /// True when some Pod waits for some Node.
    pub fn has_nominations(&self) -> bool {
        !self.nominated.is_empty()
    }

    /// The selector of Pods that belong together with this one: its Services' and its owner's.
    ///
    /// Models: `pkg/scheduler/framework/plugins/helper/spread.go` DefaultSelector (v1.36)
    pub fn default_selector(&self, pod: &PodInfo) -> Selector {
        let namespace = &pod.key.namespace;
        let mut merged = Value::map();
        for selector in self.service_selectors(namespace) {
            if Selector::from_labels(selector).matches(pod.labels()) {
                for (key, value) in selector.entries() {
                    merged.map_mut().insert(key.clone(), value.clone());
                }
            }
        }
        let Some(owner) = pod.object.controller() else {
            return Selector::from_labels(&merged);
        };
        let kind = match Kind::from_api(owner.api_version, owner.kind) {
            Some(kind @ (Kind::ReplicationController | Kind::ReplicaSet | Kind::StatefulSet)) => {
                kind
            }
            _ => return Selector::from_labels(&merged),
        };
        let Some(object) = self.object(kind, namespace, owner.name) else {
            return Selector::from_labels(&merged);
        };
        let own = object.spec().get("selector");
        if kind == Kind::ReplicationController {
            for (key, value) in own.entries() {
                merged.map_mut().insert(key.clone(), value.clone());
            }
            return Selector::from_labels(&merged);
        }
        let mut requirements = Selector::from_labels(&merged).requirements().to_vec();
        requirements.extend_from_slice(label_selector(own).requirements());
        Selector::All(requirements)
    }
}

impl Hash for Cache {
    /// Only what does not follow from the watched objects: order, numbers, sums and nominations.
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.order, &self.free, self.next_class).hash(state);
        for node in &self.nodes {
            (node.slot, node.pods.len(), node.non_zero).hash(state);
        }
        for (node, pods) in &self.nominated {
            node.hash(state);
            pods.iter().for_each(|pod| pod.key.hash(state));
        }
    }
}

/// The parts of a Node that the cache's indexes depend on.
struct Head {
    present: bool,
    labels: Value,
    images: Vec<(Text, i64)>,
}

impl NodeInfo {
    fn clone_head(&self) -> Head {
        Head {
            present: self.present,
            labels: self.labels.clone(),
            images: self.images.clone(),
        }
    }
}
