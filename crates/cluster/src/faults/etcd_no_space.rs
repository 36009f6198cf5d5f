//! etcd's database has reached its quota: it raises the alarm NOSPACE and takes no more puts.
//!
//! Reads and deletions of keys go on; a graceful deletion is a put first.
//! Models: go.etcd.io/etcd/server v3.6 (apply: the capped applier)

use super::{Fault, Kind, Outcome, Target, held_by_another, over, quiet};
use crate::world::Cluster;
use podscope_api::Text;
use podscope_kernel::SimDuration;

pub(super) const KIND: Kind = Kind {
    name: "etcd-no-space",
    target: Target::None,
    params: &[],
    help: "etcd's database is full; nothing can be created or changed until it is compacted and the alarm is cleared.",
    inject,
    strike: quiet,
    heal,
    end: over,
};

fn inject(cluster: &mut Cluster, _fault: &Fault) -> Result<Outcome, Text> {
    if std::mem::replace(&mut cluster.sim.network.etcd_no_space, true) {
        return Err("etcd has no space already".into());
    }
    Ok(Outcome::Stays)
}

fn heal(cluster: &mut Cluster, fault: &Fault) -> Option<SimDuration> {
    cluster.sim.network.etcd_no_space = held_by_another(cluster, fault);
    None
}
