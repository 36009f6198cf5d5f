//! The API server's process ends: connections are refused, every watch breaks. What runs, runs on.

use super::{Fault, Kind, Outcome, Target, quiet};
use crate::entry::Entry;
use crate::trace::TraceId;
use crate::world::Cluster;
use podscope_api::{Failure, Text};
use podscope_kernel::SimDuration;

pub(super) const KIND: Kind = Kind {
    name: "apiserver-down",
    target: Target::None,
    params: &[],
    help: "The API server's process ends; nothing can be read or written until healed.",
    inject,
    strike: quiet,
    heal,
    end,
};

#[inline(never)]
fn inject(cluster: &mut Cluster, _fault: &Fault) -> Result<Outcome, Text> {
    if std::mem::replace(&mut cluster.sim.network.apiserver_down, true) {
        return Err("the API server is down already".into());
    }
    for (id, flight) in std::mem::take(&mut cluster.api.inflight) {
        // Whether such a request has had its effect its client cannot know.
        let mut ctx = cluster.sim.ctx(flight.from, flight.cause);
        ctx.fail_later(
            flight.from,
            id,
            Failure::ConnectionRefused,
            SimDuration::millis(1),
        );
    }
    cluster
        .sim
        .queue
        .retain(|entry| !matches!(entry, Entry::Stage { .. } | Entry::Watch { .. }));
    cluster.lose_watches(|_| true);
    let off = cluster.sim.network.powered_off.clone();
    let kubelets = cluster.sim.network.kubelet_down.clone();
    cluster.sim.queue.retain(|entry| match entry {
        Entry::Reconnect { to, .. } => {
            let machine = to.machine();
            machine.is_none_or(|m| !off.contains(&m) && !kubelets.contains(&m))
        }
        _ => true,
    });
    Ok(Outcome::Stays)
}

fn heal(_cluster: &mut Cluster, _fault: &Fault) -> Option<SimDuration> {
    Some(SimDuration::secs(3))
}

fn end(cluster: &mut Cluster, _fault: &Fault, _cause: Option<TraceId>) -> Option<SimDuration> {
    cluster.sim.network.apiserver_down = false;
    None
}
