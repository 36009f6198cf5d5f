//! Faults: what can be broken, each in a file of its own, and how it is mended.

use crate::trace::TraceId;
use crate::world::Cluster;
use podscope_api::{Key, Text, Value};
use std::collections::BTreeMap;

/// A fault that is in force.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fault {
    /// Its kind, as in the registry.
    pub kind: &'static str,
    /// Its parameters.
    pub params: Value,
}

/// The faults in force, by the name under which each was injected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Active {
    faults: BTreeMap<Text, Fault>,
}

impl Active {
    /// All faults in force.
    pub fn iter(&self) -> impl Iterator<Item = (&Text, &Fault)> {
        self.faults.iter()
    }
    /// Whether the registry does not have this image.
    pub(crate) fn image_missing(&self, _full: &str) -> bool {
        false
    }
    /// How many times slower than usual the registry is.
    pub(crate) fn registry_slowness(&self) -> u64 {
        1
    }
    /// Whether a probe passes now.
    pub(crate) fn probe_passes(
        &self,
        _pod: &podscope_api::Object,
        _container: &str,
        _probe: &crate::node::kubelet::probes::Probe,
        _now: podscope_kernel::SimTime,
    ) -> bool {
        true
    }
    /// How often a machine has been switched on again.
    pub(crate) fn boots(&self, _machine: u16) -> u32 {
        0
    }
    /// The exit code with which a container crashes each time it is started.
    pub(crate) fn crash_at_start(
        &self,
        _pod: &Key,
        _labels: &Value,
        _container: &str,
    ) -> Option<i32> {
        None
    }
}

/// Breaks something.
pub(crate) fn inject(_cluster: &mut Cluster, _kind: &str, _name: &Text, _params: &Value) {}

/// Mends what was broken under this name.
pub(crate) fn heal(_cluster: &mut Cluster, _name: &str) {}

/// A fault's own time has come.
pub(crate) fn due(_cluster: &mut Cluster, _name: &str, _cause: Option<TraceId>) {}
