//! Zones: when too many nodes are lost at once, the network is more likely to be at fault than the nodes.
//!
//! Models: pkg/controller/nodelifecycle/node_lifecycle_controller.go ComputeZoneState, ReducedQPSFunc (v1.36)

use crate::client::limiter::Limiter;
use podscope_api::{Object, Text};
use podscope_kernel::collections::BTreeSet;
use podscope_kernel::{SimDuration, SimTime};

/// From this many hundredths of nodes that are not ready on, a zone is disrupted.
const UNHEALTHY_PERCENT: i64 = 55;
/// Zones with more nodes than this are still evicted from, slowly, while disrupted.
const LARGE_ZONE: i64 = 50;

/// How a zone is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ZoneState {
    /// Not looked at yet.
    #[default]
    Initial,
    /// Few nodes are lost, or none.
    Normal,
    /// Most nodes are lost.
    PartialDisruption,
    /// All nodes are lost.
    FullDisruption,
}

impl ZoneState {
    /// The state's name.
    pub fn name(self) -> &'static str {
        match self {
            ZoneState::Initial => "Initial",
            ZoneState::Normal => "Normal",
            ZoneState::PartialDisruption => "PartialDisruption",
            ZoneState::FullDisruption => "FullDisruption",
        }
    }

    /// The state of a zone with so many nodes of each sort.
    pub fn of(ready: i64, not_ready: i64) -> ZoneState {
        if ready == 0 && not_ready > 0 {
            ZoneState::FullDisruption
        } else if not_ready > 2 && not_ready * 100 >= UNHEALTHY_PERCENT * (ready + not_ready) {
            ZoneState::PartialDisruption
        } else {
            ZoneState::Normal
        }
    }

    /// How long between two nodes that get their NoExecute taint, while other zones are healthy;
    /// `None` when no node gets it.
    pub fn taint_interval(self, nodes: i64) -> Option<SimDuration> {
        match self {
            ZoneState::PartialDisruption if nodes > LARGE_ZONE => Some(SimDuration::secs(100)),
            ZoneState::PartialDisruption => None,
            _ => Some(SimDuration::secs(10)),
        }
    }
}

/// The key of a node's zone: region and zone labels.
pub fn zone_of(node: &Object) -> Text {
    let label = |key: &str| node.label(key).unwrap_or("");
    let region = label("topology.kubernetes.io/region");
    let zone = label("topology.kubernetes.io/zone");
    if region.is_empty() && zone.is_empty() {
        return "".into();
    }
    format!("{region}:\u{0}:{zone}").into()
}

/// A zone with the nodes that wait for their NoExecute taint.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Zone {
    /// How it is.
    pub state: ZoneState,
    /// Nodes that wait.
    pub waiting: BTreeSet<Text>,
    interval: Option<SimDuration>,
    limiter: Limiter,
    /// When the next token is there at the earliest.
    pub free_at: SimTime,
}

impl Default for Zone {
    fn default() -> Self {
        let interval = SimDuration::secs(10);
        Zone {
            state: ZoneState::Initial,
            waiting: BTreeSet::new(),
            interval: Some(interval),
            limiter: Limiter::every(interval, 1),
            free_at: SimTime::ZERO,
        }
    }
}

impl Zone {
    /// Changes the rate; a changed one starts with a full bucket.
    pub fn set_interval(&mut self, interval: Option<SimDuration>, now: SimTime) {
        if self.interval == interval {
            return;
        }
        self.interval = interval;
        if let Some(interval) = interval {
            self.limiter = Limiter::every(interval, 1);
            self.free_at = now;
        }
    }
    /// Whether anything may be tainted at all.
    pub fn is_open(&self) -> bool {
        self.interval.is_some()
    }
    /// Takes a token if there is one.
    pub fn allow(&mut self, now: SimTime) -> bool {
        let Some(interval) = self.interval else {
            return false;
        };
        let allowed = self.limiter.allow(now);
        if allowed {
            self.free_at = now + interval;
        }
        allowed
    }
}
