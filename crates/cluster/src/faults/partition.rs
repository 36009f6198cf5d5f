//! A machine is cut off from the API server: everything on it runs on, nobody hears of it.

use super::{Fault, Kind, Outcome, Target, held_by_another, machine, over, processes, quiet};
use crate::world::Cluster;
use podscope_api::Text;
use podscope_kernel::SimDuration;

pub(super) const KIND: Kind = Kind {
    name: "partition",
    target: Target::Node,
    params: &[],
    help: "A machine is cut off from the API server; its Pods run on.",
    inject,
    strike: quiet,
    heal,
    end: over,
};

#[inline(never)]
fn inject(cluster: &mut Cluster, fault: &Fault) -> Result<Outcome, Text> {
    let Some(id) = machine(cluster, &fault.target) else {
        return Err("there is no such node".into());
    };
    if !cluster.sim.network.partitioned.insert(id) {
        return Err(format!("{} is cut off already", fault.target).into());
    }
    cluster.lose_watches(|p| processes(id).contains(&p));
    if cluster.sim.network.powered_off.contains(&id) {
        cluster
            .sim
            .queue
            .retain(|entry| entry.machine() != Some(id));
    }
    Ok(Outcome::Stays)
}

fn heal(cluster: &mut Cluster, fault: &Fault) -> Option<SimDuration> {
    let id = machine(cluster, &fault.target)?;
    if !held_by_another(cluster, fault) {
        cluster.sim.network.partitioned.remove(&id);
    }
    None
}
