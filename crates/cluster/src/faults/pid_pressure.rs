//! Processes outside of the Pods use up a machine's process IDs.
//!
//! Models: pkg/kubelet/eviction (v1.36). The default configuration has no threshold for
//! process IDs; this one has `pid.available: 10%`.

use super::{Active, Fault, Kind, Outcome, Target, machine, nothing, number, over};
use crate::world::Cluster;
use podscope_api::Text;

pub(super) const KIND: Kind = Kind {
    name: "pid-pressure",
    target: Target::Node,
    params: &[number("available_percent", "5", 0, 9)],
    help: "Something outside of the Pods leaves only available_percent percent of a machine's process IDs; the kubelet (with pid.available<10%) evicts Pods.",
    inject,
    strike: super::pressed,
    heal: nothing,
    end: over,
};

fn inject(cluster: &mut Cluster, fault: &Fault) -> Result<Outcome, Text> {
    if machine(cluster, &fault.target).is_none() {
        return Err("there is no such node".into());
    }
    let mut others = cluster.sim.faults.of(fault.kind);
    if others.any(|f| f.target == fault.target) {
        return Err(format!("{} has no process IDs left already", fault.target).into());
    }
    Ok(Outcome::Stays)
}

impl Active {
    /// How many percent of a machine's process IDs are available, when a fault has taken the rest.
    #[inline(never)]
    pub(crate) fn pids_left(&self, node: &str) -> Option<i64> {
        let fault = self.of(KIND.name).find(|f| *f.target == *node)?;
        fault.text("available_percent").trim().parse().ok()
    }
}
