//! A machine's kube-proxy ends: the rules that it wrote stay as they are.
//!
//! Models: cmd/kube-proxy (the kernel keeps the rules; a start lists everything and writes them all) (v1.36)
//! Left out: the health check at port 10256 that load balancers ask.

use super::{Fault, Kind, Outcome, Target, machine, quiet, start_again};
use crate::component::{ComponentId, Process};
use crate::entry::Entry;
use crate::trace::TraceId;
use crate::world::Cluster;
use podscope_api::Text;
use podscope_kernel::SimDuration;

pub(super) const KIND: Kind = Kind {
    name: "kube-proxy-down",
    target: Target::Node,
    params: &[],
    help: "A machine's kube-proxy ends; its rules stay and grow old until healed.",
    inject,
    strike: quiet,
    heal,
    end,
};

fn inject(cluster: &mut Cluster, fault: &Fault) -> Result<Outcome, Text> {
    let Some(id) = machine(cluster, &fault.target) else {
        return Err("there is no such node".into());
    };
    let network = &mut cluster.sim.network;
    if network.powered_off.contains(&id) || !network.proxy_down.insert(id) {
        return Err(format!("kube-proxy of {} is down already", fault.target).into());
    }
    let (proxy, process) = (ComponentId::KubeProxy(id), Process::KubeProxy(id));
    cluster.lose_watches(|p| p == process);
    cluster.sim.queue.retain(|entry| match entry {
        Entry::Send { from, .. } => *from != proxy,
        Entry::Response { to, .. } | Entry::Timer { to, .. } | Entry::Local { to, .. } => {
            *to != proxy
        }
        Entry::Watch { to, .. } | Entry::Reconnect { to, .. } => *to != process,
        _ => true,
    });
    Ok(Outcome::Stays)
}

fn heal(_cluster: &mut Cluster, _fault: &Fault) -> Option<SimDuration> {
    Some(SimDuration::secs(1))
}

fn end(cluster: &mut Cluster, fault: &Fault, cause: Option<TraceId>) -> Option<SimDuration> {
    let id = machine(cluster, &fault.target)?;
    let network = &mut cluster.sim.network;
    if network.powered_off.contains(&id) || !network.proxy_down.contains(&id) {
        return None;
    }
    if network.apiserver_down || !network.reaches_apiserver(Some(id)) {
        return Some(SimDuration::secs(2));
    }
    network.proxy_down.remove(&id);
    start_again(cluster, ComponentId::KubeProxy(id), cause);
    None
}
