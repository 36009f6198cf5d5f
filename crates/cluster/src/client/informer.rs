//! A process's caches: one reflector per watched kind, and the events it hands to the components.
//!
//! Models: staging/src/k8s.io/client-go/tools/cache (v1.36)

use super::tally::Tally;
use crate::entry::{WatchEvent, WatchType};
use crate::trace::TraceId;
use podscope_api::{Key, Kind, Object, Text};
use podscope_kernel::Derived;
use podscope_kernel::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Names one watch of the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatchId(pub u32);

/// Which objects a watch shows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// All of the kind.
    All,
    /// Pods bound to this node.
    Node(Text),
    /// The one object with this name.
    Name(Text),
    /// Objects in this namespace.
    Namespace(Text),
}

impl Scope {
    /// Whether an object is in sight.
    pub fn shows(&self, object: &Object) -> bool {
        match self {
            Scope::All => true,
            Scope::Node(node) => object.spec().get("nodeName").as_str() == Some(node),
            Scope::Name(name) => object.name() == &**name,
            Scope::Namespace(namespace) => object.namespace() == &**namespace,
        }
    }
}

/// A change in a cache, as components' event handlers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheEvent {
    /// The kind.
    pub kind: Kind,
    /// The object before; `None` when it came into sight.
    pub old: Option<Rc<Object>>,
    /// The object now; `None` when it went out of sight.
    pub new: Option<Rc<Object>>,
    /// The trace event of the delivery.
    pub cause: Option<TraceId>,
}

impl CacheEvent {
    /// The object now, or as it was last.
    pub fn object(&self) -> Option<&Rc<Object>> {
        self.new.as_ref().or(self.old.as_ref())
    }
}

/// One kind's cache with its reflector.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Informer {
    /// The kind.
    pub kind: Kind,
    /// What it sees.
    pub scope: Scope,
    /// The newest revision seen.
    pub revision: u64,
    /// Whether the stream is open.
    pub connected: bool,
    /// How often connecting has failed in a row.
    pub failures: u32,
    store: BTreeMap<Key, Rc<Object>>,
    by_owner: BTreeMap<Text, BTreeSet<Key>>,
    /// Kept for a cache of all Pods.
    tally: Derived<Option<Box<Tally>>>,
}

/// All caches of one process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Caches {
    informers: BTreeMap<WatchId, Informer>,
}

impl Caches {
    /// Adds a cache; `watch` names it for the API server.
    pub fn add(&mut self, watch: WatchId, kind: Kind, scope: Scope) {
        let counts = kind == Kind::Pod && scope == Scope::All;
        let informer = Informer {
            kind,
            scope,
            revision: 0,
            connected: true,
            failures: 0,
            store: BTreeMap::new(),
            by_owner: BTreeMap::new(),
            tally: Derived(counts.then(Box::default)),
        };
        self.informers.insert(watch, informer);
    }
    /// All informers by watch.
    pub fn informers(&self) -> impl Iterator<Item = (WatchId, &Informer)> {
        self.informers.iter().map(|(id, i)| (*id, i))
    }
    /// One informer.
    pub fn informer_mut(&mut self, watch: WatchId) -> Option<&mut Informer> {
        self.informers.get_mut(&watch)
    }
    /// The Pods by who controls them, when all Pods are cached.
    pub fn tally(&self) -> Option<&Tally> {
        self.of(Kind::Pod)?.tally()
    }
    fn of(&self, kind: Kind) -> Option<&Informer> {
        self.informers.values().find(|i| i.kind == kind)
    }
    /// One object from the cache.
    pub fn get(&self, kind: Kind, key: &Key) -> Option<&Rc<Object>> {
        self.of(kind)?.store.get(key)
    }
    /// All cached objects of a kind, by namespace and name.
    pub fn list(&self, kind: Kind) -> impl Iterator<Item = &Rc<Object>> {
        self.of(kind).into_iter().flat_map(|i| i.store.values())
    }
    /// All cached objects of a kind in one namespace.
    pub fn list_in<'a>(
        &'a self,
        kind: Kind,
        namespace: &'a str,
    ) -> impl Iterator<Item = &'a Rc<Object>> {
        let from = Key::new(namespace, "");
        self.of(kind)
            .into_iter()
            .flat_map(move |i| i.store.range(from.clone()..))
            .take_while(move |(k, _)| &*k.namespace == namespace)
            .map(|(_, o)| o)
    }
    /// Cached objects of a kind that name this uid among their owners.
    pub fn owned_by(&self, kind: Kind, uid: &str) -> impl Iterator<Item = &Rc<Object>> {
        self.of(kind).into_iter().flat_map(move |i| {
            i.by_owner
                .get(uid)
                .into_iter()
                .flatten()
                .filter_map(|key| i.store.get(key))
        })
    }
}

impl Informer {
    /// The counts of a cache of all Pods.
    pub fn tally(&self) -> Option<&Tally> {
        self.tally.as_deref()
    }

    /// The cached objects, by namespace and name.
    pub fn objects(&self) -> &BTreeMap<Key, Rc<Object>> {
        &self.store
    }

    /// Takes a watch event in; `None` when it tells nothing new.
    pub fn apply(&mut self, event: &WatchEvent, cause: Option<TraceId>) -> Option<CacheEvent> {
        if event.revision <= self.revision {
            return None;
        }
        self.revision = event.revision;
        let new = (event.kind != WatchType::Deleted).then(|| event.object.clone());
        self.put(event.object.key(), new, cause)
    }

    /// Replaces the whole cache by a fresh list at `revision`; gives the differences as events.
    pub fn replace(
        &mut self,
        objects: Vec<Rc<Object>>,
        revision: u64,
        cause: Option<TraceId>,
    ) -> Vec<CacheEvent> {
        let fresh: BTreeMap<Key, Rc<Object>> = objects.into_iter().map(|o| (o.key(), o)).collect();
        let gone: Vec<Key> = self
            .store
            .keys()
            .filter(|k| !fresh.contains_key(k))
            .cloned()
            .collect();
        self.revision = revision;
        let removed: Vec<CacheEvent> = gone
            .into_iter()
            .filter_map(|key| self.put(key, None, cause))
            .collect();
        let mut events = removed;
        for (key, object) in fresh {
            if self.store.get(&key) != Some(&object) {
                events.extend(self.put(key, Some(object), cause));
            }
        }
        events
    }

    fn put(
        &mut self,
        key: Key,
        new: Option<Rc<Object>>,
        cause: Option<TraceId>,
    ) -> Option<CacheEvent> {
        let old = match &new {
            Some(object) => self.store.insert(key.clone(), object.clone()),
            None => self.store.remove(&key),
        };
        if old.is_none() && new.is_none() {
            return None;
        }
        if let Some(tally) = self.tally.as_deref_mut() {
            tally.change(&key, old.as_ref(), new.as_ref());
        }
        let owners_changed = match (&old, &new) {
            (Some(a), Some(b)) => {
                a.at("metadata.ownerReferences") != b.at("metadata.ownerReferences")
            }
            _ => true,
        };
        if owners_changed {
            for owner in old.iter().flat_map(|o| o.owners()) {
                if let Some(keys) = self.by_owner.get_mut(owner.uid) {
                    keys.remove(&key);
                    if keys.is_empty() {
                        self.by_owner.remove(owner.uid);
                    }
                }
            }
            for owner in new.iter().flat_map(|o| o.owners()) {
                self.by_owner
                    .entry(owner.uid.into())
                    .or_default()
                    .insert(key.clone());
            }
        }
        Some(CacheEvent {
            kind: self.kind,
            old,
            new,
            cause,
        })
    }
}
