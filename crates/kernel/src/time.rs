//! Virtual time in microseconds.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// A point in virtual time: microseconds since the scenario's start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimTime(pub u64);

/// A span of virtual time in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimDuration(pub u64);

impl SimTime {
    /// The scenario's start.
    pub const ZERO: SimTime = SimTime(0);
    /// Later than everything.
    pub const MAX: SimTime = SimTime(u64::MAX);

    /// The span since `earlier`; zero when `earlier` is later.
    pub fn since(self, earlier: SimTime) -> SimDuration {
        SimDuration(self.0.saturating_sub(earlier.0))
    }
    /// Whole milliseconds since the start.
    pub fn millis(self) -> u64 {
        self.0 / 1_000
    }
    /// The first multiple of `step` that is strictly later than this; `step` must not be zero.
    pub fn next_multiple(self, step: SimDuration) -> SimTime {
        let step = step.0.max(1);
        SimTime((self.0 / step).saturating_add(1).saturating_mul(step))
    }
}

impl SimDuration {
    /// No time.
    pub const ZERO: SimDuration = SimDuration(0);

    /// A span of microseconds.
    pub const fn micros(n: u64) -> SimDuration {
        SimDuration(n)
    }
    /// A span of milliseconds.
    pub const fn millis(n: u64) -> SimDuration {
        SimDuration(n.saturating_mul(1_000))
    }
    /// A span of seconds.
    pub const fn secs(n: u64) -> SimDuration {
        SimDuration(n.saturating_mul(1_000_000))
    }
    /// Whole milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000
    }
    /// Whole seconds.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000_000
    }
    /// This span `n` times.
    pub const fn times(self, n: u64) -> SimDuration {
        SimDuration(self.0.saturating_mul(n))
    }
}

impl Add<SimDuration> for SimTime {
    type Output = SimTime;
    fn add(self, span: SimDuration) -> SimTime {
        SimTime(self.0.saturating_add(span.0))
    }
}
impl AddAssign<SimDuration> for SimTime {
    fn add_assign(&mut self, span: SimDuration) {
        *self = *self + span;
    }
}
impl Sub<SimDuration> for SimTime {
    type Output = SimTime;
    fn sub(self, span: SimDuration) -> SimTime {
        SimTime(self.0.saturating_sub(span.0))
    }
}
impl Add for SimDuration {
    type Output = SimDuration;
    fn add(self, other: SimDuration) -> SimDuration {
        SimDuration(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}
impl fmt::Display for SimDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SimTime(self.0).fmt(f)
    }
}
