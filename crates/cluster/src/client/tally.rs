//! Pods counted by who controls them, so that a controller need not look at each of them at every sync.

use crate::controllers::meta;
use podscope_api::{Key, Object, Text, Value};
use podscope_kernel::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Pods of one controller with the same labels.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    /// Their labels, a map or null.
    pub labels: Value,
    /// How many there are.
    pub all: i64,
    /// How many are neither finished nor being deleted.
    pub active: i64,
    /// How many are being deleted and not finished.
    pub terminating: i64,
    /// How many of the active ones are Ready.
    pub ready: i64,
}

/// The counts of one cache.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    groups: BTreeMap<Text, Vec<Group>>,
    alone: BTreeSet<Key>,
}

impl Tally {
    /// The Pods that the owner with this uid controls.
    pub fn of(&self, uid: &str) -> &[Group] {
        self.groups.get(uid).map_or(&[], Vec::as_slice)
    }

    /// The Pods in a namespace that nobody controls.
    pub fn alone_in<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = &'a Key> {
        self.alone
            .range(Key::new(namespace, "")..)
            .take_while(move |key| &*key.namespace == namespace)
    }

    /// A Pod has changed: what it is now, what it was.
    pub fn change(&mut self, key: &Key, old: Option<&Rc<Object>>, new: Option<&Rc<Object>>) {
        // The new one first: a group that stays is not taken down and set up again.
        if let Some(pod) = new {
            self.count(pod, 1);
        }
        if let Some(pod) = old {
            self.count(pod, -1);
        }
        if new.is_some_and(|pod| pod.controller().is_none()) {
            self.alone.insert(key.clone());
        } else {
            self.alone.remove(key);
        }
    }

    /// A Pod came (`by` is 1) or went (-1).
    fn count(&mut self, pod: &Object, by: i64) {
        let Some(owner) = pod.controller() else {
            return;
        };
        if !self.groups.contains_key(owner.uid) {
            self.groups.insert(owner.uid.into(), Vec::new());
        }
        let Some(groups) = self.groups.get_mut(owner.uid) else {
            return;
        };
        let labels = pod.labels();
        let at = match groups.iter().position(|g| g.labels == *labels) {
            Some(at) => at,
            None => {
                groups.push(Group {
                    labels: labels.clone(),
                    all: 0,
                    active: 0,
                    terminating: 0,
                    ready: 0,
                });
                groups.len() - 1
            }
        };
        let group = &mut groups[at];
        let (active, deleted) = (meta::is_active(pod), pod.is_being_deleted());
        group.all += by;
        group.active += by * i64::from(active);
        group.terminating += by * i64::from(deleted && !meta::is_terminal(pod));
        group.ready += by * i64::from(active && pod.condition_true("Ready"));
        if group.all == 0 {
            groups.remove(at);
            if groups.is_empty() {
                self.groups.remove(owner.uid);
            }
        }
    }
}
