//! A majority of etcd's members is down: nothing can be written, nothing that must be fresh can be read.
//!
//! Lists that may be old are still answered from the API server's cache, and open watches stay silent.
//! Models: recordings of one and three members (stopped, killed, returned); storage timeouts of 34 and 60 s
//! Left out: health checks that restart the API server when this lasts for minutes.

use super::{Fault, Kind, Outcome, Target, quiet};
use crate::trace::TraceId;
use crate::world::Cluster;
use podscope_api::Text;
use podscope_kernel::SimDuration;

pub(super) const KIND: Kind = Kind {
    name: "etcd-quorum-loss",
    target: Target::None,
    params: &[],
    help: "A majority of etcd's members is down; writes and fresh reads wait and fail, what runs, runs on.",
    inject,
    strike: quiet,
    heal,
    end,
};

/// The members that this fault takes down: the leader and the next ones.
fn hit(cluster: &Cluster) -> Vec<u8> {
    let members = cluster.etcd.members();
    let first = cluster.etcd.leader();
    let needed = u8::try_from(cluster.etcd.quorum()).unwrap_or(members);
    (0..needed).map(|i| (first + i) % members.max(1)).collect()
}

fn inject(cluster: &mut Cluster, fault: &Fault) -> Result<Outcome, Text> {
    if cluster.sim.faults.of(fault.kind).next().is_some() {
        return Err("etcd has no majority already".into());
    }
    for member in hit(cluster) {
        cluster.sim.network.etcd_down.insert(member);
    }
    Ok(Outcome::Stays)
}

/// The members are back within a second.
fn heal(_cluster: &mut Cluster, _fault: &Fault) -> Option<SimDuration> {
    Some(SimDuration::millis(900))
}

fn end(cluster: &mut Cluster, _fault: &Fault, _cause: Option<TraceId>) -> Option<SimDuration> {
    let single: Vec<u8> = cluster
        .sim
        .faults
        .of("etcd-member-down")
        .filter(|f| !f.ending)
        .filter_map(|f| f.target.parse().ok())
        .collect();
    // The leader has not changed: without a majority nobody could elect another.
    for member in hit(cluster) {
        if !single.contains(&member) {
            cluster.sim.network.etcd_down.remove(&member);
        }
    }
    None
}
