//! A machine is restarted: everything on it ends, and it comes back by itself.
//!
//! When it is back before its Lease counts as lost (about 40 s), its Node never becomes unready.
//! Models: pkg/kubelet/kubelet_node_status.go (`Rebooted`), pkg/kubelet/kuberuntime (new sandboxes) (v1.36)

use super::{Fault, Kind, Outcome, Target, machine, node_power, number, quiet};
use crate::trace::TraceId;
use crate::world::Cluster;
use podscope_api::Text;
use podscope_kernel::SimDuration;

pub(super) const KIND: Kind = Kind {
    name: "node-reboot",
    target: Target::Node,
    params: &[number("boot_s", "20", 1, 3_600)],
    help: "A machine restarts without warning its Pods and is back after boot_s seconds.",
    inject,
    strike: quiet,
    heal,
    end,
};

fn inject(cluster: &mut Cluster, fault: &Fault) -> Result<Outcome, Text> {
    let Some(id) = machine(cluster, &fault.target) else {
        return Err("there is no such node".into());
    };
    if cluster.sim.network.powered_off.contains(&id) {
        return Err(format!("{} has no power already", fault.target).into());
    }
    node_power::off(cluster, id);
    Ok(Outcome::EndsAfter(fault.seconds("boot_s", 20)))
}

/// Healed early, it has booted early.
fn heal(_cluster: &mut Cluster, _fault: &Fault) -> Option<SimDuration> {
    Some(SimDuration::ZERO)
}

fn end(cluster: &mut Cluster, fault: &Fault, cause: Option<TraceId>) -> Option<SimDuration> {
    let id = machine(cluster, &fault.target)?;
    node_power::on(cluster, fault, id, cause)
}
