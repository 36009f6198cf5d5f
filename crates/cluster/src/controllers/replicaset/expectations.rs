//! What a ReplicaSet has asked for and not yet seen come true: it does not act again before.
//!
//! Models: pkg/controller/controller_utils.go ControllerExpectations (v1.36)

use podscope_api::{Key, Text};
use podscope_kernel::collections::{BTreeMap, BTreeSet};
use podscope_kernel::{SimDuration, SimTime};

/// After this long nobody waits any more.
const TIMEOUT: SimDuration = SimDuration::secs(300);

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Expected {
    creations: i64,
    deletions: BTreeSet<Text>,
    since: SimTime,
}

/// Expectations by ReplicaSet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Expectations(BTreeMap<Key, Expected>);

impl Expectations {
    /// So many Pods are going to be created.
    pub fn expect_creations(&mut self, set: &Key, count: i64, now: SimTime) {
        let expected = Expected {
            creations: count,
            deletions: BTreeSet::new(),
            since: now,
        };
        self.0.insert(set.clone(), expected);
    }
    /// The Pods with these uids are going to be deleted.
    pub fn expect_deletions(&mut self, set: &Key, uids: BTreeSet<Text>, now: SimTime) {
        let expected = Expected {
            creations: 0,
            deletions: uids,
            since: now,
        };
        self.0.insert(set.clone(), expected);
    }
    /// So many Pods are going to be created and the Pods with these uids to be deleted.
    pub fn expect(&mut self, set: &Key, creations: i64, uids: BTreeSet<Text>, now: SimTime) {
        let expected = Expected {
            creations,
            deletions: uids,
            since: now,
        };
        self.0.insert(set.clone(), expected);
    }
    /// So many Pods have come, or will not come after all.
    pub fn created(&mut self, set: &Key, count: i64) {
        if let Some(expected) = self.0.get_mut(set) {
            expected.creations = (expected.creations - count).max(0);
        }
    }
    /// A Pod is going or gone, or will stay after all.
    pub fn deleted(&mut self, set: &Key, uid: &str) {
        if let Some(expected) = self.0.get_mut(set) {
            expected.deletions.remove(uid);
        }
    }
    /// Whether nothing is expected any more.
    pub fn satisfied(&self, set: &Key, now: SimTime) -> bool {
        self.0.get(set).is_none_or(|e| {
            (e.creations <= 0 && e.deletions.is_empty()) || now.since(e.since) > TIMEOUT
        })
    }
    /// Forgets a ReplicaSet that is gone.
    pub fn forget(&mut self, set: &Key) {
        self.0.remove(set);
    }
}
