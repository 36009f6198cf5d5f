//! A client's token bucket: so many requests a second, with a burst.
//!
//! Models: staging/src/k8s.io/client-go/util/flowcontrol/throttle.go (v1.36)

use crate::component::ComponentId;
use podscope_kernel::{SimDuration, SimTime};

/// A token bucket counted in time: `debt_until` is when the bucket would be full again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Limiter {
    interval: SimDuration,
    burst: u64,
    full_at: SimTime,
}

impl Limiter {
    /// A bucket for `per_second` requests a second and a burst of `burst`.
    pub fn new(per_second: u64, burst: u64) -> Limiter {
        Limiter {
            interval: SimDuration(1_000_000 / per_second.max(1)),
            burst: burst.max(1),
            full_at: SimTime::ZERO,
        }
    }

    /// A bucket that gains one token per `interval`.
    pub fn every(interval: SimDuration, burst: u64) -> Limiter {
        Limiter {
            interval,
            burst: burst.max(1),
            full_at: SimTime::ZERO,
        }
    }

    /// Takes a token if there is one now.
    pub fn allow(&mut self, now: SimTime) -> bool {
        let filled = self.full_at.max(now) + self.interval;
        let allowed = filled.since(now) <= self.interval.times(self.burst);
        if allowed {
            self.full_at = filled;
        }
        allowed
    }

    /// The default limits of each component: 20 a second and a burst of 30 for every controller,
    /// 50 and 100 for scheduler, kubelet and kubectl.
    pub fn of(component: ComponentId) -> Limiter {
        match component {
            ComponentId::Controller(_) => Limiter::new(20, 30),
            _ => Limiter::new(50, 100),
        }
    }

    /// Takes a token and says when the request may go.
    pub fn reserve(&mut self, now: SimTime) -> SimTime {
        self.full_at = self.full_at.max(now) + self.interval;
        let allowance = self.interval.times(self.burst);
        SimTime(self.full_at.0.saturating_sub(allowance.0)).max(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn burst_then_steady() {
        let mut l = Limiter::new(20, 30);
        let start = SimTime(1_000_000);
        let times: Vec<u64> = (0..32).map(|_| l.reserve(start).0 - start.0).collect();
        assert!(times[..30].iter().all(|t| *t == 0));
        assert_eq!(&times[30..], &[50_000, 100_000]);
    }
}
