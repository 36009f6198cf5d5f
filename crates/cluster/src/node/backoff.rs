//! The back-off of crashing containers and failing image pulls, and grace periods.
//!
//! Models: staging/src/k8s.io/client-go/util/flowcontrol/backoff.go, pkg/kubelet/pod_workers.go (v1.36)

use podscope_kernel::{SimDuration, SimTime};

/// Rules of a back-off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rules {
    /// The first wait.
    pub initial: SimDuration,
    /// The longest wait.
    pub max: SimDuration,
    /// Forgotten after this much time without a failure.
    pub reset_after: SimDuration,
}

/// Crashing containers: 10 s doubled to 300 s, forgotten after 600 s.
pub const CRASH: Rules = Rules {
    initial: SimDuration::secs(10),
    max: SimDuration::secs(300),
    reset_after: SimDuration::secs(600),
};

/// A back-off's memory: nothing yet, or the wait and when it was last raised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct BackOff {
    wait: SimDuration,
    updated: SimTime,
}

impl BackOff {
    /// The wait in force for a failure at `failed`; zero when there is none.
    pub fn wait(&self, failed: SimTime, rules: Rules) -> SimDuration {
        if failed.since(self.updated) > rules.reset_after {
            SimDuration::ZERO
        } else {
            self.wait
        }
    }
    /// Raises the wait at `now`, because of a failure at `failed`.
    pub fn next(&mut self, now: SimTime, failed: SimTime, rules: Rules) {
        let old = self.wait(failed, rules);
        self.wait = if old == SimDuration::ZERO {
            rules.initial
        } else {
            old.times(2).min(rules.max)
        };
        self.updated = now;
    }
    /// The wait last set.
    pub fn current(&self) -> SimDuration {
        self.wait
    }
}

/// The grace period of a terminating Pod in seconds: an eviction's own, else the deletion's, else the
/// spec's; never less than one.
pub fn grace_seconds(spec: Option<i64>, deletion: Option<i64>, eviction: Option<i64>) -> i64 {
    eviction.or(deletion).or(spec).unwrap_or(30).max(1)
}
