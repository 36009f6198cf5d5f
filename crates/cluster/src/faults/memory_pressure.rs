//! Something outside of the Pods eats a machine's memory.
//!
//! Models: pkg/kubelet/eviction (v1.36). Left out: what Pods use themselves, the kernel's own killing.

use super::{Active, Fault, Kind, Outcome, Target, machine, nothing, number, over};
use crate::world::Cluster;
use podscope_api::Text;

pub(super) const KIND: Kind = Kind {
    name: "memory-pressure",
    target: Target::Node,
    params: &[number("available_mib", "50", 0, 99)],
    help: "Something outside of the Pods leaves only available_mib MiB of a machine's memory; the kubelet evicts Pods below 100Mi.",
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
        return Err(format!("{} has no memory left already", fault.target).into());
    }
    Ok(Outcome::Stays)
}

impl Active {
    /// How many MiB of a machine's memory are available, when a fault has taken the rest.
    #[inline(never)]
    pub(crate) fn memory_left(&self, node: &str) -> Option<i64> {
        let fault = self.of(KIND.name).find(|f| *f.target == *node)?;
        fault.text("available_mib").trim().parse().ok()
    }
}
