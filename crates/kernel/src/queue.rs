//! The queue of everything that is going to happen, ordered by (time, sequence).

use crate::collections::BTreeMap;
use crate::time::SimTime;
use std::rc::Rc;

/// Names one entry of a [`Queue`], to cancel it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId {
    /// When the entry is due.
    pub at: SimTime,
    /// Its place among all entries ever pushed.
    pub sequence: u64,
}

/// Entries in total order: earlier first, and first pushed first at the same time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Queue<E> {
    // Shared, so that moving them about and copying the queue cost little.
    entries: BTreeMap<EntryId, Rc<E>>,
    next_sequence: u64,
}

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Queue {
            entries: BTreeMap::new(),
            next_sequence: 0,
        }
    }
}

impl<E: Clone> Queue<E> {
    /// Adds an entry due at `at`.
    pub fn push(&mut self, at: SimTime, entry: E) -> EntryId {
        let id = EntryId {
            at,
            sequence: self.next_sequence,
        };
        self.next_sequence += 1;
        self.entries.insert(id, Rc::new(entry));
        id
    }
    /// Takes the next entry.
    pub fn pop(&mut self) -> Option<(SimTime, E)> {
        let (id, entry) = self.entries.pop_first()?;
        Some((id.at, Rc::unwrap_or_clone(entry)))
    }
    /// When the next entry is due.
    pub fn next_time(&self) -> Option<SimTime> {
        self.entries.first_key_value().map(|(id, _)| id.at)
    }
    /// Takes an entry out before it is due; `None` when it ran already.
    pub fn cancel(&mut self, id: EntryId) -> Option<E> {
        self.entries.remove(&id).map(Rc::unwrap_or_clone)
    }
    /// Keeps only entries for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&E) -> bool) {
        self.entries.retain(|_, e| keep(e));
    }
    /// All entries in the order in which they are due.
    pub fn iter(&self) -> impl Iterator<Item = (EntryId, &E)> {
        self.entries.iter().map(|(id, e)| (*id, &**e))
    }
    /// How many entries wait.
    pub fn len(&self) -> usize {
        self.entries.len()
    }
    /// True when nothing waits.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_time_then_sequence() {
        let mut q = Queue::default();
        q.push(SimTime(5), 'c');
        let a = q.push(SimTime(1), 'a');
        q.push(SimTime(5), 'd');
        q.push(SimTime(1), 'b');
        assert_eq!(q.cancel(a), Some('a'));
        assert_eq!(q.cancel(a), None);
        let order: String = std::iter::from_fn(|| q.pop()).map(|(_, c)| c).collect();
        assert_eq!(order, "bcd");
    }
}
