//! The disk of an etcd member is slow.
//!
//! A majority decides when a write is committed: one slow member of three is not noticed, two are.
//! Models: go.etcd.io/raft v3 (commit by majority). Left out: elections caused by missed heartbeats.

use super::{Active, Fault, Kind, Outcome, Target, nothing, number, over, quiet};
use crate::world::Cluster;
use podscope_api::Text;
use podscope_kernel::SimDuration;

pub(super) const KIND: Kind = Kind {
    name: "etcd-slow",
    target: Target::EtcdMember,
    params: &[number("fsync_ms", "500", 1, 30_000)],
    help: "Each write of an etcd member to its disk takes fsync_ms milliseconds longer.",
    inject,
    strike: quiet,
    heal: nothing,
    end: over,
};

fn inject(cluster: &mut Cluster, fault: &Fault) -> Result<Outcome, Text> {
    let mut others = cluster.sim.faults.of(fault.kind);
    if others.any(|f| f.target == fault.target) {
        return Err(format!("etcd member {} is slow already", fault.target).into());
    }
    Ok(Outcome::Stays)
}

impl Active {
    /// How much longer than usual a member's disk takes.
    #[inline(never)]
    pub(crate) fn fsync_delay(&self, member: u8) -> SimDuration {
        let mut slow = self.of(KIND.name);
        let fault = slow.find(|f| f.target.parse() == Ok(member));
        fault.map_or(SimDuration::ZERO, |f| {
            SimDuration::millis(f.text("fsync_ms").trim().parse().unwrap_or(500))
        })
    }
}
