//! A cloud or an operator drains a machine: it is cordoned and its Pods are evicted through the API.
//!
//! Disruption budgets are asked: what they refuse is asked for again every 5 s, for as long as it takes.
//! Models: kubectl drain, as managed node pools do it when they upgrade (v1.36)

use super::{Fault, Kind, Outcome, RESTS, Target, machine, object};
use crate::trace::TraceId;
use crate::world::Cluster;
use podscope_api::Text;
use podscope_kernel::SimDuration;

pub(super) const KIND: Kind = Kind {
    name: "node-drain",
    target: Target::Node,
    params: &[],
    help: "A machine is cordoned and drained through the eviction API, budgets permitting; healing uncordons it.",
    inject,
    strike,
    heal,
    end,
};

fn inject(cluster: &mut Cluster, fault: &Fault) -> Result<Outcome, Text> {
    if machine(cluster, &fault.target).is_none() {
        return Err("there is no such node".into());
    }
    let mut others = cluster.sim.faults.faults.values();
    if others
        .any(|f| matches!(f.kind, "node-drain" | "spot-termination") && f.target == fault.target)
    {
        return Err(format!("{} is being drained already", fault.target).into());
    }
    Ok(Outcome::EndsAfter(SimDuration::secs(1)))
}

fn strike(cluster: &mut Cluster, fault: &Fault, cause: Option<TraceId>) {
    object::cordon(cluster, &fault.target, true, cause);
}

fn heal(_cluster: &mut Cluster, _fault: &Fault) -> Option<SimDuration> {
    Some(SimDuration::ZERO)
}

fn end(cluster: &mut Cluster, fault: &Fault, cause: Option<TraceId>) -> Option<SimDuration> {
    if cluster.sim.network.apiserver_down {
        return Some(SimDuration::secs(5));
    }
    if fault.ending {
        object::cordon(cluster, &fault.target, false, cause);
        return None;
    }
    match object::evict_all(cluster, &fault.target, cause) {
        true => Some(SimDuration::secs(5)),
        false => Some(RESTS),
    }
}
