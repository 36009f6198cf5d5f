//! The API server has more requests than seats: queues are full and requests are refused with 429.
//!
//! Administrators are exempt; heartbeats of nodes and the Leases of leaders have levels of their own.
//! Clients wait a second, as `Retry-After` says, and try again, at most ten times.
//! Models: staging/src/k8s.io/apiserver/pkg/util/flowcontrol, client-go's retry of 429 (v1.36)
//! Left out: where the load comes from, queues inside a level.

use super::{Active, Fault, Kind, Outcome, Target, nothing, number, over, quiet};
use crate::world::Cluster;
use podscope_api::Text;

pub(super) const KIND: Kind = Kind {
    name: "apiserver-overload",
    target: Target::None,
    params: &[number("percent", "80", 1, 100)],
    help: "The API server refuses so many percent of the requests of controllers, scheduler and Pods with 429; heartbeats pass.",
    inject,
    strike: quiet,
    heal: nothing,
    end: over,
};

fn inject(cluster: &mut Cluster, fault: &Fault) -> Result<Outcome, Text> {
    if cluster.sim.faults.of(fault.kind).next().is_some() {
        return Err("the API server is overloaded already".into());
    }
    Ok(Outcome::Stays)
}

impl Active {
    /// How many of a hundred requests of a priority level find no seat.
    #[inline(never)]
    pub(crate) fn refused_percent(&self, level: &str) -> u64 {
        if matches!(level, "exempt" | "leader-election" | "node-high") {
            return 0;
        }
        let mut overload = self.of(KIND.name);
        overload.next().map_or(0, |f| {
            f.text("percent").trim().parse().unwrap_or(80).min(100)
        })
    }
}
