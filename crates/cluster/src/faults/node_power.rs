//! A machine loses its power: every process on it is gone without a word.
//!
//! Nothing is reported. The API server learns of it only because the Lease is not renewed. When power
//! returns the machine boots, the kubelet starts, finds dead sandboxes and starts the Pods again.

use super::target::in_zone;
use super::{Fault, Kind, Outcome, Target, machine, number, processes, quiet, start_again};
use crate::component::ComponentId;
use crate::trace::TraceId;
use crate::world::Cluster;
use podscope_api::Text;
use podscope_kernel::SimDuration;

pub(super) const KIND: Kind = Kind {
    name: "node-power",
    target: Target::Node,
    params: &[number("boot_s", "20", 0, 3_600)],
    help: "A machine loses its power; healing boots it again, which takes boot_s seconds.",
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
    off(cluster, id);
    Ok(Outcome::Stays)
}

fn heal(_cluster: &mut Cluster, fault: &Fault) -> Option<SimDuration> {
    Some(fault.seconds("boot_s", 20))
}

fn end(cluster: &mut Cluster, fault: &Fault, cause: Option<TraceId>) -> Option<SimDuration> {
    let id = machine(cluster, &fault.target)?;
    on(cluster, fault, id, cause)
}

/// A machine goes dark.
#[inline(never)]
pub(super) fn off(cluster: &mut Cluster, id: u16) {
    cluster.sim.network.powered_off.insert(id);
    if let Some(node) = cluster.nodes.get_mut(usize::from(id)) {
        node.lose_power();
    }
    cluster.lose_watches(|p| processes(id).contains(&p));
    // Whatever was under way on the machine is gone.
    cluster
        .sim
        .queue
        .retain(|entry| entry.machine() != Some(id));
}

/// A machine has booted, unless another fault keeps it dark; gives how long to wait when it cannot start yet.
#[inline(never)]
pub(super) fn on(
    cluster: &mut Cluster,
    fault: &Fault,
    id: u16,
    cause: Option<TraceId>,
) -> Option<SimDuration> {
    let held = cluster.sim.faults.faults.values().any(|other| {
        other.number != fault.number && !other.ending && darkens(cluster, other).contains(&id)
    });
    if held {
        return None;
    }
    cluster.sim.network.powered_off.remove(&id);
    let reachable =
        !cluster.sim.network.apiserver_down && cluster.sim.network.reaches_apiserver(Some(id));
    if !reachable {
        // Without the API server the kubelet does not know what to run.
        cluster.sim.network.powered_off.insert(id);
        return Some(SimDuration::secs(2));
    }
    *cluster.sim.faults.boots.entry(id).or_insert(0) += 1;
    cluster.sim.network.kubelet_down.remove(&id);
    cluster.sim.network.proxy_down.remove(&id);
    for component in [
        ComponentId::Runtime(id),
        ComponentId::Kubelet(id),
        ComponentId::KubeProxy(id),
    ] {
        start_again(cluster, component, cause);
    }
    None
}

/// The machines that a fault keeps without power.
fn darkens(cluster: &Cluster, fault: &Fault) -> Vec<u16> {
    match fault.kind {
        "node-power" | "node-reboot" => machine(cluster, &fault.target).into_iter().collect(),
        "spot-termination" if super::spot_termination::taken(cluster, fault) => {
            machine(cluster, &fault.target).into_iter().collect()
        }
        "zone-loss" => in_zone(cluster, &fault.target),
        _ => Vec::new(),
    }
}
