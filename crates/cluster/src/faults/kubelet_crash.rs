//! A kubelet's process ends: containers run on, but nobody probes, restarts, starts or reports them.

use super::{Fault, Kind, Outcome, Target, held_by_another, machine, number, quiet, start_again};
use crate::component::{ComponentId, Process};
use crate::entry::Entry;
use crate::trace::TraceId;
use crate::world::Cluster;
use podscope_api::Text;
use podscope_kernel::SimDuration;

pub(super) const KIND: Kind = Kind {
    name: "kubelet-crash",
    target: Target::Node,
    params: &[number("restart_s", "0", 0, 86_400)],
    help: "A kubelet's process ends; after restart_s seconds it starts again by itself (0: when healed).",
    inject,
    strike: quiet,
    heal,
    end,
};

#[inline(never)]
pub(super) fn inject(cluster: &mut Cluster, fault: &Fault) -> Result<Outcome, Text> {
    let restart = fault.text("restart_s").trim().parse().unwrap_or(0);
    let Some(id) = machine(cluster, &fault.target) else {
        return Err("there is no such node".into());
    };
    if cluster.sim.network.powered_off.contains(&id) || !cluster.sim.network.kubelet_down.insert(id)
    {
        return Err(format!("the kubelet of {} is down already", fault.target).into());
    }
    if let Some(node) = cluster.nodes.get_mut(usize::from(id)) {
        node.lose_kubelet();
    }
    let (kubelet, process) = (ComponentId::Kubelet(id), Process::Kubelet(id));
    cluster.lose_watches(|p| p == process);
    cluster.sim.queue.retain(|entry| match entry {
        Entry::Send { from, .. } => *from != kubelet,
        Entry::Response { to, .. } | Entry::Timer { to, .. } | Entry::Local { to, .. } => {
            *to != kubelet
        }
        Entry::Watch { to, .. } | Entry::Reconnect { to, .. } => *to != process,
        _ => true,
    });
    Ok(match restart {
        0 => Outcome::Stays,
        seconds => Outcome::EndsAfter(SimDuration::secs(seconds)),
    })
}

pub(super) fn heal(_cluster: &mut Cluster, _fault: &Fault) -> Option<SimDuration> {
    Some(SimDuration::secs(1))
}

pub(super) fn end(
    cluster: &mut Cluster,
    fault: &Fault,
    cause: Option<TraceId>,
) -> Option<SimDuration> {
    let id = machine(cluster, &fault.target)?;
    if held_by_another(cluster, fault) || cluster.sim.network.powered_off.contains(&id) {
        return None;
    }
    let network = &mut cluster.sim.network;
    if network.apiserver_down || !network.reaches_apiserver(Some(id)) {
        return Some(SimDuration::secs(2));
    }
    network.kubelet_down.remove(&id);
    start_again(cluster, ComponentId::Kubelet(id), cause);
    None
}
