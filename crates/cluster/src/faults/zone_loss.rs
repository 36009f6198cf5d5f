//! All machines of a zone lose their power.
//!
//! The control plane stands in no zone. The node controller sees a zone of which nothing is left and
//! marks its machines one after the other; with every zone gone it marks none.
//! Models: pkg/controller/nodelifecycle (zone states) (v1.36)

use super::target::in_zone;
use super::{Fault, Kind, Outcome, Target, node_power, number, quiet};
use crate::trace::TraceId;
use crate::world::Cluster;
use podscope_api::Text;
use podscope_kernel::SimDuration;

pub(super) const KIND: Kind = Kind {
    name: "zone-loss",
    target: Target::Zone,
    params: &[number("boot_s", "20", 0, 3_600)],
    help: "All machines of a zone lose their power; healing boots them, which takes boot_s seconds.",
    inject,
    strike: quiet,
    heal,
    end,
};

fn inject(cluster: &mut Cluster, fault: &Fault) -> Result<Outcome, Text> {
    let off = &cluster.sim.network.powered_off;
    let lit: Vec<u16> = in_zone(cluster, &fault.target)
        .into_iter()
        .filter(|id| !off.contains(id))
        .collect();
    if lit.is_empty() {
        return Err(format!("no machine of {} has power", fault.target).into());
    }
    for id in lit {
        node_power::off(cluster, id);
    }
    Ok(Outcome::Stays)
}

fn heal(_cluster: &mut Cluster, fault: &Fault) -> Option<SimDuration> {
    Some(fault.seconds("boot_s", 20))
}

fn end(cluster: &mut Cluster, fault: &Fault, cause: Option<TraceId>) -> Option<SimDuration> {
    let mut wait = None;
    for id in in_zone(cluster, &fault.target) {
        if cluster.sim.network.powered_off.contains(&id) {
            wait = wait.max(node_power::on(cluster, fault, id, cause));
        }
    }
    wait
}
