//! Pods that wait for a Node: ready to be tried, backing off, or waiting for a change.
//!
//! Models: `pkg/scheduler/backend/queue` (v1.36). Left out: events are kept for the one Pod that is being
//! tried, not for those that are being bound.

use super::plugins::PluginId;
use super::pod_info::PodInfo;
use crate::trace::TraceId;
use podscope_api::Key;
use podscope_kernel::collections::{BTreeMap, BTreeSet};
use podscope_kernel::{SimDuration, SimTime};
use std::cmp::Reverse;
use std::rc::Rc;

const INITIAL_BACKOFF: SimDuration = SimDuration::secs(1);
const MAX_BACKOFF: SimDuration = SimDuration::secs(10);
/// After this long without a change that matters, a Pod is tried again all the same.
pub const MAX_UNSCHEDULABLE: SimDuration = SimDuration::secs(300);
/// How often that is looked at.
pub const FLUSH_UNSCHEDULABLE: SimDuration = SimDuration::secs(30);

/// Which of the queue's structures a Pod is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// To be tried next.
    Active,
    /// To be tried when its back-off is over, or earlier when nothing else is to be done.
    Backoff,
    /// To be tried when its back-off after an error is over.
    ErrorBackoff,
    /// To be tried when something changes that may help.
    Unschedulable,
    /// Being tried.
    InFlight,
}

impl Place {
    /// The name of the structure.
    pub fn name(self) -> &'static str {
        match self {
            Place::Active => "activeQ",
            Place::Backoff | Place::ErrorBackoff => "backoffQ",
            Place::Unschedulable => "unschedulablePods",
            Place::InFlight => "inFlightPods",
        }
    }
}

/// A Pod in the queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Waiting {
    /// The Pod.
    pub pod: Rc<PodInfo>,
    /// Where it is.
    pub place: Place,
    /// When it was put (back) into the queue.
    pub since: SimTime,
    /// How often it was tried.
    pub attempts: u32,
    /// How often it fitted nowhere.
    pub unschedulable: u32,
    /// How many errors there were in a row.
    pub errors: u32,
    /// The plugins that rejected it.
    pub rejected_by: BTreeSet<PluginId>,
    /// Why it may not be tried at all; empty when it may.
    pub gate: String,
    /// Why it is where it is.
    pub cause: Option<TraceId>,
    order: u64,
}

type ByUrgency = (Reverse<i64>, SimTime, u64);

/// The queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SchedulingQueue {
    pods: BTreeMap<Key, Waiting>,
    active: BTreeMap<ByUrgency, Key>,
    backoff: BTreeMap<(SimTime, u64), Key>,
    error_backoff: BTreeMap<(SimTime, u64), Key>,
    unschedulable: BTreeSet<Key>,
    next_order: u64,
}

impl SchedulingQueue {
    /// A Pod in the queue.
    pub fn get(&self, key: &Key) -> Option<&Waiting> {
        self.pods.get(key)
    }
    /// All Pods in the queue, by namespace and name.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Waiting)> {
        self.pods.iter()
    }
    /// How many Pods are in this place.
    pub fn count(&self, place: Place) -> usize {
        match place {
            Place::Active => self.active.len(),
            Place::Backoff => self.backoff.len(),
            Place::ErrorBackoff => self.error_backoff.len(),
            Place::Unschedulable => self.unschedulable.len(),
            Place::InFlight => {
                let all = self.active.len() + self.backoff.len() + self.error_backoff.len();
                self.pods.len() - all - self.unschedulable.len()
            }
        }
    }
    /// Pods that wait for a change, in the order of their keys.
    pub fn unschedulable(&self) -> impl Iterator<Item = &Waiting> {
        self.unschedulable
            .iter()
            .filter_map(|key| self.pods.get(key))
    }
    /// Whether a Pod can be popped.
    pub fn is_ready(&self) -> bool {
        !self.active.is_empty() || !self.backoff.is_empty()
    }
    /// Whether some Pod backs off.
    pub fn is_backing_off(&self) -> bool {
        !self.backoff.is_empty() || !self.error_backoff.is_empty()
    }

    /// Adds a new Pod, to be tried or (with a gate) to wait.
    pub fn add(&mut self, pod: Rc<PodInfo>, gate: String, now: SimTime, cause: Option<TraceId>) {
        let key = pod.key.clone();
        self.remove(&key);
        let place = if gate.is_empty() {
            Place::Active
        } else {
            Place::Unschedulable
        };
        let waiting = Waiting {
            pod,
            place,
            since: now,
            attempts: 0,
            unschedulable: 0,
            errors: 0,
            rejected_by: BTreeSet::new(),
            gate,
            cause,
            order: 0,
        };
        self.pods.insert(key.clone(), waiting);
        self.put(&key, place);
    }

    /// The Pod changed, or what holds it back did.
    #[inline(never)]
    pub fn update(&mut self, pod: Rc<PodInfo>, gate: String) {
        let key = pod.key.clone();
        let Some(place) = self.pods.get(&key).map(|waiting| waiting.place) else {
            return;
        };
        self.take_out(&key);
        if let Some(waiting) = self.pods.get_mut(&key) {
            waiting.pod = pod;
            waiting.gate = gate;
        }
        self.put(&key, place);
    }

    /// Takes a Pod out for good.
    pub fn remove(&mut self, key: &Key) -> Option<Waiting> {
        self.take_out(key);
        self.pods.remove(key)
    }

    /// Where the next Pod will be taken from.
    pub fn next_place(&self) -> Place {
        match self.active.is_empty() {
            true => Place::Backoff,
            false => Place::Active,
        }
    }

    /// Takes the Pod that is to be tried next: the most urgent one, or when there is none the first of
    /// those that back off.
    pub fn pop(&mut self) -> Option<Waiting> {
        let next = self
            .active
            .values()
            .next()
            .or_else(|| self.backoff.values().next());
        let key = next?.clone();
        self.take_out(&key);
        let waiting = self.pods.get_mut(&key)?;
        waiting.place = Place::InFlight;
        waiting.attempts = waiting.attempts.saturating_add(1);
        waiting.rejected_by.clear();
        Some(waiting.clone())
    }

    /// The Pod that is being tried fits nowhere: it waits for a change.
    pub fn fitted_nowhere(&mut self, key: &Key, rejected_by: BTreeSet<PluginId>, now: SimTime) {
        if let Some(waiting) = self.pods.get_mut(key) {
            waiting.unschedulable = waiting.unschedulable.saturating_add(1);
            waiting.errors = 0;
            waiting.rejected_by = rejected_by;
            waiting.since = now;
        }
        self.put(key, Place::Unschedulable);
    }

    /// Trying (or binding) the Pod went wrong: it backs off.
    pub fn failed(&mut self, key: &Key, now: SimTime) {
        if let Some(waiting) = self.pods.get_mut(key) {
            waiting.errors = waiting.errors.saturating_add(1);
            waiting.since = now;
        }
        self.put(key, Place::ErrorBackoff);
    }

    /// Puts a waiting Pod where it will be tried again: back-off first, if it is not over. Says where.
    pub fn requeue(&mut self, key: &Key, now: SimTime, cause: Option<TraceId>) -> Place {
        let backs_off = self.get(key).is_some_and(|w| w.backs_off(now));
        let place = if backs_off {
            Place::Backoff
        } else {
            Place::Active
        };
        if let Some(waiting) = self.pods.get_mut(key) {
            waiting.cause = cause;
        }
        self.take_out(key);
        self.put(key, place);
        place
    }

    /// Says why the Pod is where it is.
    pub fn set_cause(&mut self, key: &Key, cause: Option<TraceId>) {
        if let Some(waiting) = self.pods.get_mut(key) {
            waiting.cause = cause;
        }
    }

    /// Makes Pods whose back-off is over ready to be tried; gives their keys.
    #[inline(never)]
    pub fn flush_backoff(&mut self, now: SimTime) -> Vec<Key> {
        let over = |queue: &BTreeMap<(SimTime, u64), Key>| -> Vec<Key> {
            let due = queue
                .iter()
                .take_while(|((expiry, _), _)| *expiry < whole_second(now));
            due.map(|(_, key)| key.clone()).collect()
        };
        let mut keys = over(&self.backoff);
        keys.extend(over(&self.error_backoff));
        for key in &keys {
            self.take_out(key);
            self.put(key, Place::Active);
        }
        keys
    }

    /// Pods that have waited so long for a change that they are tried again all the same.
    pub fn overdue(&self, now: SimTime) -> Vec<Key> {
        let overdue = self.unschedulable().filter(|waiting| {
            waiting.gate.is_empty() && now.since(waiting.since) > MAX_UNSCHEDULABLE
        });
        overdue.map(|waiting| waiting.pod.key.clone()).collect()
    }

    fn take_out(&mut self, key: &Key) {
        let Some(waiting) = self.pods.get(key) else {
            return;
        };
        match waiting.place {
            Place::Active => {
                self.active.remove(&waiting.urgency());
            }
            Place::Backoff => {
                self.backoff.remove(&(waiting.expiry(), waiting.order));
            }
            Place::ErrorBackoff => {
                self.error_backoff
                    .remove(&(waiting.expiry(), waiting.order));
            }
            Place::Unschedulable => {
                self.unschedulable.remove(key);
            }
            Place::InFlight => {}
        }
    }

    fn put(&mut self, key: &Key, place: Place) {
        let order = self.next_order;
        let Some(waiting) = self.pods.get_mut(key) else {
            return;
        };
        self.next_order += 1;
        waiting.place = place;
        waiting.order = order;
        match place {
            Place::Active => {
                self.active.insert(waiting.urgency(), key.clone());
            }
            Place::Backoff => {
                self.backoff.insert((waiting.expiry(), order), key.clone());
            }
            Place::ErrorBackoff => {
                self.error_backoff
                    .insert((waiting.expiry(), order), key.clone());
            }
            Place::Unschedulable => {
                self.unschedulable.insert(key.clone());
            }
            Place::InFlight => {}
        }
    }
}

/// How long a Pod backs off after so many failures.
pub fn backoff_of(failures: u32) -> SimDuration {
    match failures {
        0 => SimDuration::ZERO,
        n => INITIAL_BACKOFF.times(1 << (n - 1).min(8)).min(MAX_BACKOFF),
    }
}

fn whole_second(at: SimTime) -> SimTime {
    SimTime(at.0 - at.0 % 1_000_000)
}

impl Waiting {
    fn urgency(&self) -> ByUrgency {
        (Reverse(self.pod.priority), self.since, self.order)
    }

    /// How long it backs off: a second, doubled with each failure up to ten.
    pub fn backoff(&self) -> SimDuration {
        let failures = if self.errors > 0 {
            self.errors
        } else {
            self.unschedulable
        };
        backoff_of(failures)
    }

    /// When its back-off is over, cut to whole seconds so that Pods of one second keep their urgency.
    pub fn expiry(&self) -> SimTime {
        whole_second(self.since + self.backoff())
    }

    /// Whether it still backs off.
    pub fn backs_off(&self, now: SimTime) -> bool {
        self.backoff() != SimDuration::ZERO && self.expiry() >= whole_second(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use podscope_api::{Object, value};

    fn pod(name: &str, priority: i64) -> Rc<PodInfo> {
        let object = value!({
            "metadata": {"name": (name), "namespace": "default", "uid": (name)},
            "spec": {"priority": (priority)}
        });
        Rc::new(PodInfo::new(&Object(object)))
    }

    #[test]
    fn urgent_first_then_oldest_then_those_that_back_off() {
        let mut queue = SchedulingQueue::default();
        let name = |w: Option<Waiting>| w.map(|w| w.pod.key.name.to_string()).unwrap_or_default();
        queue.add(pod("old", 0), String::new(), SimTime(1), None);
        queue.add(pod("new", 0), String::new(), SimTime(2), None);
        queue.add(pod("urgent", 10), String::new(), SimTime(3), None);
        queue.add(pod("gated", 99), "waiting".into(), SimTime(3), None);
        assert_eq!(name(queue.pop()), "urgent");
        assert_eq!(name(queue.pop()), "old");
        let old = Key::new("default", "old");
        queue.fitted_nowhere(&old, BTreeSet::new(), SimTime(5));
        assert_eq!(queue.requeue(&old, SimTime(6), None), Place::Backoff);
        assert_eq!(name(queue.pop()), "new");
        // Nothing else to do: the one that backs off is taken at once.
        assert_eq!(name(queue.pop()), "old");
        assert_eq!(name(queue.pop()), "");
    }

    #[test]
    fn backoff_doubles_up_to_ten_seconds() {
        let mut queue = SchedulingQueue::default();
        let key = Key::new("default", "p");
        queue.add(pod("p", 0), String::new(), SimTime(0), None);
        let mut waits = Vec::new();
        for _ in 0..6 {
            queue.pop();
            queue.fitted_nowhere(&key, BTreeSet::new(), SimTime(0));
            waits.extend(queue.get(&key).map(|w| w.backoff().as_secs()));
        }
        assert_eq!(waits, [1, 2, 4, 8, 10, 10]);
        assert_eq!(
            queue.requeue(&key, SimTime(11_000_000), None),
            Place::Active
        );
    }
}
