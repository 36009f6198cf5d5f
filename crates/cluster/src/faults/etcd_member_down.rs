//! A member of etcd is down: writes go on as long as a majority is up.

use super::{Fault, Kind, Outcome, Target, held_by_another, over, quiet};
use crate::world::Cluster;
use podscope_api::Text;
use podscope_kernel::SimDuration;

pub(super) const KIND: Kind = Kind {
    name: "etcd-member-down",
    target: Target::EtcdMember,
    params: &[],
    help: "A member of etcd is down; without a majority nothing can be written.",
    inject,
    strike: quiet,
    heal,
    end: over,
};

fn inject(cluster: &mut Cluster, fault: &Fault) -> Result<Outcome, Text> {
    let Ok(member) = fault.target.parse() else {
        return Err("there is no such member".into());
    };
    if !cluster.sim.network.etcd_down.insert(member) {
        return Err(format!("etcd member {member} is down already").into());
    }
    Ok(Outcome::Stays)
}

fn heal(cluster: &mut Cluster, fault: &Fault) -> Option<SimDuration> {
    let member = fault.target.parse().ok()?;
    if !held_by_another(cluster, fault) {
        cluster.sim.network.etcd_down.remove(&member);
    }
    None
}
