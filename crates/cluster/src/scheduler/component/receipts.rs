//! The whole of an attempt's receipts, computed again: the trace shows many Nodes as a summary only.

use super::{Outcome, Scheduler};
use crate::scheduler::report;
use podscope_api::{Key, Value};

impl Scheduler {
    /// Where the search for Nodes begins in the next attempt.
    pub fn next_start(&self) -> u64 {
        self.next_start
    }

    /// Every verdict and every score of the attempt that has just begun (see [`report::explain`]). `self` is
    /// the scheduler right after the attempt's cycle, `start` is [`Scheduler::next_start`] right before it.
    /// `None` when it is not trying this Pod.
    pub fn receipts(&self, pod: &Key, start: u64) -> Option<Value> {
        let attempt = self.attempt.as_ref().filter(|a| a.pod.key == *pod)?;
        let mut cache = self.cache.clone();
        if let Outcome::Bind(node) = &attempt.outcome {
            cache.remove_pod(&attempt.pod, node);
        }
        let pod = &attempt.pod;
        Some(report::explain(
            pod,
            &cache,
            self.profile_for(&pod.object),
            start,
        ))
    }
}
