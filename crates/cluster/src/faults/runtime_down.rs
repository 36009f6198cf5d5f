//! A machine's container runtime ends: what runs, runs on under its shims, nothing can be started or stopped.
//!
//! Models: containerd 2.1 (shims outlive the daemon), pkg/kubelet/runtime.go (30 s without an answer) (v1.36)
//! Left out: the PLEG's own complaint after 3 min, the pause of the kubelet's whole loop; calls under way,
//! except pulls, are finished.

use super::{Fault, Kind, Outcome, Target, machine};
use crate::component::ComponentId;
use crate::trace::TraceId;
use crate::world::Cluster;
use podscope_api::Text;
use podscope_kernel::SimDuration;

pub(super) const KIND: Kind = Kind {
    name: "runtime-down",
    target: Target::Node,
    params: &[],
    help: "A machine's container runtime ends; containers run on, but none is started, stopped or seen until healed.",
    inject,
    strike,
    heal,
    end,
};

fn inject(cluster: &mut Cluster, fault: &Fault) -> Result<Outcome, Text> {
    let Some(id) = machine(cluster, &fault.target) else {
        return Err("there is no such node".into());
    };
    let now = cluster.sim.now;
    let network = &mut cluster.sim.network;
    if network.powered_off.contains(&id) || network.runtime_down.contains_key(&id) {
        return Err(format!("the runtime of {} is down already", fault.target).into());
    }
    network.runtime_down.insert(id, now);
    Ok(Outcome::Stays)
}

fn strike(cluster: &mut Cluster, fault: &Fault, cause: Option<TraceId>) {
    let Some(id) = machine(cluster, &fault.target) else {
        return;
    };
    if let Some(node) = cluster.nodes.get_mut(usize::from(id)) {
        let mut ctx = cluster.sim.ctx(ComponentId::Kubelet(id), cause);
        node.parts_mut().0.runtime_lost(&mut ctx);
    }
}

/// Its supervisor has it up again within two seconds.
fn heal(_cluster: &mut Cluster, _fault: &Fault) -> Option<SimDuration> {
    Some(SimDuration::secs(2))
}

fn end(cluster: &mut Cluster, fault: &Fault, cause: Option<TraceId>) -> Option<SimDuration> {
    let id = machine(cluster, &fault.target)?;
    cluster.sim.network.runtime_down.remove(&id)?;
    let node = cluster.nodes.get_mut(usize::from(id))?;
    let mut ctx = cluster.sim.ctx(ComponentId::Runtime(id), cause);
    let (kubelet, runtime) = node.parts_mut();
    runtime.back(&mut ctx);
    let mut ctx = cluster.sim.ctx(ComponentId::Kubelet(id), cause);
    kubelet.runtime_returned(&mut ctx);
    None
}
