//! A controller's work queue: keys waiting for a worker, each at most once, with per-key back-off.
//!
//! Models: staging/src/k8s.io/client-go/util/workqueue (v1.36)

use crate::trace::TraceId;
use podscope_api::Key;
use podscope_kernel::SimDuration;
use podscope_kernel::collections::{BTreeMap, BTreeSet};
use std::collections::VecDeque;

/// First delay of the exponential back-off per key.
const BASE_DELAY: SimDuration = SimDuration::millis(5);
/// Longest delay of the exponential back-off per key.
const MAX_DELAY: SimDuration = SimDuration::secs(1_000);

/// The queue. A key added while a worker has it is handed out again once the worker is done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct WorkQueue {
    waiting: VecDeque<Key>,
    dirty: BTreeMap<Key, Option<TraceId>>,
    processing: BTreeSet<Key>,
    failures: BTreeMap<Key, u32>,
}

impl WorkQueue {
    /// Adds a key because of `cause`; the first cause is kept. False when it waits already.
    pub fn add(&mut self, key: Key, cause: Option<TraceId>) -> bool {
        if self.dirty.contains_key(&key) {
            return false;
        }
        self.dirty.insert(key.clone(), cause);
        if self.processing.contains(&key) {
            return false;
        }
        self.waiting.push_back(key);
        true
    }
    /// Hands out the next key with its cause.
    pub fn take(&mut self) -> Option<(Key, Option<TraceId>)> {
        let key = self.waiting.pop_front()?;
        let cause = self.dirty.remove(&key).flatten();
        self.processing.insert(key.clone());
        Some((key, cause))
    }
    /// A worker is done with a key.
    pub fn done(&mut self, key: &Key) {
        self.processing.remove(key);
        if self.dirty.contains_key(key) {
            self.waiting.push_back(key.clone());
        }
    }
    /// Counts a failure of the key and says how long to wait before it is added again.
    pub fn back_off(&mut self, key: &Key) -> SimDuration {
        self.back_off_from(key, BASE_DELAY)
    }
    /// [`WorkQueue::back_off`] with another first delay.
    pub fn back_off_from(&mut self, key: &Key, base: SimDuration) -> SimDuration {
        let n = self.failures.entry(key.clone()).or_insert(0);
        let delay = base.times(1 << (*n).min(30)).min(MAX_DELAY);
        *n = n.saturating_add(1);
        delay
    }
    /// Forgets the key's failures.
    pub fn forget(&mut self, key: &Key) {
        self.failures.remove(key);
    }
    /// How many failures in a row the key has.
    pub fn failures(&self, key: &Key) -> u32 {
        self.failures.get(key).copied().unwrap_or(0)
    }
    /// How many keys wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }
    /// True when no key waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
    /// How many keys workers have in hand.
    pub fn in_progress(&self) -> usize {
        self.processing.len()
    }
    /// The keys that workers have in hand.
    pub fn in_hand(&self) -> impl Iterator<Item = &Key> {
        self.processing.iter()
    }
    /// The waiting keys, next first.
    pub fn waiting(&self) -> impl Iterator<Item = &Key> {
        self.waiting.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_hand_is_not_handed_out_twice() {
        let mut q = WorkQueue::default();
        let key = Key::new("default", "web");
        assert!(q.add(key.clone(), None));
        assert!(!q.add(key.clone(), None));
        assert!(q.take().is_some());
        assert!(!q.add(key.clone(), None));
        assert!(q.take().is_none());
        q.done(&key);
        assert!(q.take().is_some());
        assert_eq!(q.back_off(&key), SimDuration::millis(5));
        assert_eq!(q.back_off(&key), SimDuration::millis(10));
        q.forget(&key);
        assert_eq!(q.back_off(&key), SimDuration::millis(5));
    }
}
