//! etcd: the key-value store with its revisions, as a Raft group of which quorum and acknowledgements are visible.
//!
//! Models: go.etcd.io/etcd/server v3.6 as far as a client can tell.
//! Left out: elections' message rounds, snapshots, learners; a lost leader is replaced after the election timeout.

use crate::config::delay;
use crate::sim::Ctx;
use podscope_api::{Key, Kind, Object};
use podscope_kernel::collections::BTreeMap;
use podscope_kernel::{Derived, SimTime};
use std::hash::{Hash, Hasher};
use std::rc::Rc;

crate::codes! {
    /// The API server proposes a write to the leader.
    PROPOSE = "etcd.propose";
    /// A member has the entry on disk.
    ACK = "etcd.ack";
    /// A majority has it: the write is committed and has a revision.
    COMMIT = "etcd.commit";
    /// A transaction's condition did not hold: nothing was written.
    COMPARE_FAILED = "etcd.compare_failed";
    /// No majority: the write waits.
    NO_QUORUM = "etcd.no_quorum";
}

/// How many changes are kept for watches that come back.
const HISTORY: usize = 4096;

/// A stored object with its revisions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stored {
    /// The object as stored (its resourceVersion equals `mod_revision`).
    pub object: Rc<Object>,
    /// Revision of its creation.
    pub create_revision: u64,
    /// Revision of its last change.
    pub mod_revision: u64,
    /// How many times it was written since its creation.
    pub version: u64,
}

/// One change in the history.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    /// The revision that it made.
    pub revision: u64,
    /// The kind.
    pub kind: Kind,
    /// The object before; `None` when it was created.
    pub old: Option<Rc<Object>>,
    /// The object after; `None` when it was deleted.
    pub new: Option<Rc<Object>>,
}

/// The newest changes by their revision; hashed as the list that they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct History(BTreeMap<u64, Change>);

impl Hash for History {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_usize(self.0.len());
        for change in self.0.values() {
            change.hash(state);
        }
    }
}

/// The store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Etcd {
    members: u8,
    leader: u8,
    term: u64,
    revision: u64,
    objects: BTreeMap<(Kind, Key), Stored>,
    history: History,
    /// The revision up to which objects were put here without passing the API server.
    set_up: Derived<u64>,
}

/// When a proposal commits: acknowledgements by member, and the moment of the majority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// When a majority has it on disk.
    pub commit_at: SimTime,
    /// Each member that is up, with the moment of its acknowledgement, in order of time.
    pub acks: Vec<(u8, SimTime)>,
}

impl Etcd {
    /// An empty store with so many members.
    pub fn new(members: u8) -> Etcd {
        Etcd {
            members: members.max(1),
            leader: 0,
            term: 2,
            revision: 1,
            objects: BTreeMap::new(),
            history: History::default(),
            set_up: Derived::default(),
        }
    }
    /// How many members there are.
    pub fn members(&self) -> u8 {
        self.members
    }
    /// The leader's number.
    pub fn leader(&self) -> u8 {
        self.leader
    }
    /// The Raft term.
    pub fn term(&self) -> u64 {
        self.term
    }
    /// The newest revision.
    pub fn revision(&self) -> u64 {
        self.revision
    }
    /// The oldest revision from which a watch can go on.
    pub fn oldest(&self) -> u64 {
        self.history
            .0
            .first_key_value()
            .map_or(self.revision, |(oldest, _)| oldest.saturating_sub(1))
    }
    /// All keys with what they hold.
    pub fn objects(&self) -> &BTreeMap<(Kind, Key), Stored> {
        &self.objects
    }
    /// What is stored of one kind, by key.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (&Key, &Stored)> {
        let from = (kind, Key::new("", ""));
        let rest = self.objects.range(from..);
        let own = rest.take_while(move |((k, _), _)| *k == kind);
        own.map(|((_, key), stored)| (key, stored))
    }
    /// The kept changes after `revision`.
    pub fn changes_after(&self, revision: u64) -> impl Iterator<Item = &Change> {
        let after = self.history.0.range(revision.saturating_add(1)..);
        after.map(|(_, change)| change)
    }
    /// The cluster is set up: what is written from now on passes the API server.
    pub(crate) fn end_set_up(&mut self) {
        self.set_up = Derived(self.revision);
    }
    /// Whether an object is as the set-up has put it here.
    pub(crate) fn is_from_set_up(&self, stored: &Stored) -> bool {
        stored.mod_revision <= *self.set_up
    }
    /// How many members make a majority.
    pub fn quorum(&self) -> usize {
        usize::from(self.members) / 2 + 1
    }

    /// Whether a majority of the members is up.
    pub fn has_quorum(&self, network: &crate::network::Network) -> bool {
        usize::from(self.members).saturating_sub(network.etcd_down.len()) >= self.quorum()
    }
    /// Forgets the history: a watch can go on from the newest revision only.
    #[inline(never)]
    pub(crate) fn compact(&mut self) {
        self.history = History::default();
    }

    /// Plans a write: every member that is up gets it to disk after a while; `None` without a majority.
    pub fn propose(&mut self, ctx: &mut Ctx<'_>) -> Option<Proposal> {
        let up: Vec<u8> = (0..self.members)
            .filter(|m| !ctx.sim.network.etcd_down.contains(m))
            .collect();
        if up.len() < self.quorum() {
            return None;
        }
        if !up.contains(&self.leader) {
            self.leader = up[0];
            self.term += 1;
        }
        let mut acks = Vec::new();
        for member in up {
            let mut at = ctx.now() + ctx.jitter("etcd", delay::FSYNC);
            if !ctx.sim.faults.none() {
                at += ctx.sim.faults.fsync_delay(member);
            }
            if member != self.leader {
                at = at
                    + ctx.jitter("etcd", delay::CONTROL_PLANE)
                    + ctx.jitter("etcd", delay::CONTROL_PLANE);
            }
            acks.push((member, at));
        }
        podscope_api::sort::by_key(&mut acks, |(member, at)| (*at, *member));
        let commit_at = acks[self.quorum() - 1].1;
        Some(Proposal { commit_at, acks })
    }

    /// What is stored under a key.
    pub fn get(&self, kind: Kind, key: &Key) -> Option<&Stored> {
        self.objects.get(&(kind, key.clone()))
    }

    /// Writes an object (`Some`) or deletes the key (`None`) and gives the change with its new revision.
    /// The stored object's resourceVersion is set to that revision.
    pub fn commit(&mut self, kind: Kind, key: Key, object: Option<Object>) -> Change {
        self.revision += 1;
        let revision = self.revision;
        let old = self.objects.get(&(kind, key.clone())).cloned();
        let change = match object {
            Some(mut object) => {
                object.set("metadata.resourceVersion", revision.to_string());
                let object = Rc::new(object);
                let stored = Stored {
                    object: object.clone(),
                    create_revision: old.as_ref().map_or(revision, |o| o.create_revision),
                    mod_revision: revision,
                    version: old.as_ref().map_or(1, |o| o.version + 1),
                };
                self.objects.insert((kind, key), stored);
                Change {
                    revision,
                    kind,
                    old: old.map(|o| o.object),
                    new: Some(object),
                }
            }
            None => {
                self.objects.remove(&(kind, key));
                let mut last = old.map(|o| (*o.object).clone());
                if let Some(last) = &mut last {
                    last.set("metadata.resourceVersion", revision.to_string());
                }
                Change {
                    revision,
                    kind,
                    old: last.map(Rc::new),
                    new: None,
                }
            }
        };
        self.history.0.insert(revision, change.clone());
        if self.history.0.len() > HISTORY {
            self.history.0.pop_first();
        }
        change
    }
}

/// The key under which the API server stores an object.
///
/// Models: pkg/registry, storage prefixes (v1.36)
pub fn path(kind: Kind, key: &Key) -> String {
    let prefix = match kind {
        Kind::Node => "minions".to_string(),
        Kind::Service => "services/specs".to_string(),
        Kind::Endpoints => "services/endpoints".to_string(),
        Kind::Lease => "leases".to_string(),
        Kind::ReplicationController => "controllers".to_string(),
        Kind::Ingress | Kind::IngressClass => kind.plural().replace("ingresses", "ingress"),
        _ => kind.plural().to_string(),
    };
    if key.namespace.is_empty() {
        format!("/registry/{prefix}/{}", key.name)
    } else {
        format!("/registry/{prefix}/{}/{}", key.namespace, key.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use podscope_api::value;

    #[test]
    fn revisions_grow_and_history_goes_on() {
        let mut etcd = Etcd::new(3);
        let key = Key::new("default", "p");
        let object = Object(value!({"metadata": {"namespace": "default", "name": "p"}}));
        let created = etcd.commit(Kind::Pod, key.clone(), Some(object.clone()));
        let updated = etcd.commit(Kind::Pod, key.clone(), Some(object));
        let deleted = etcd.commit(Kind::Pod, key.clone(), None);
        assert!(created.revision < updated.revision && updated.revision < deleted.revision);
        assert_eq!(etcd.get(Kind::Pod, &key), None);
        assert_eq!(etcd.changes_after(created.revision).count(), 2);
        assert_eq!(
            path(Kind::Node, &Key::new("", "n1")),
            "/registry/minions/n1"
        );
    }
}
