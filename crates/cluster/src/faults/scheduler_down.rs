//! The scheduler's process ends: new Pods stay Pending, without any Event.

use super::{Fault, Kind, Outcome, Target};
use crate::component::Process;
use crate::trace::TraceId;
use crate::world::Cluster;
use podscope_api::Text;
use podscope_kernel::SimDuration;

pub(super) const KIND: Kind = Kind {
    name: "scheduler-down",
    target: Target::None,
    params: &[],
    help: "The scheduler's process ends; new Pods stay Pending.",
    inject,
    strike,
    heal,
    end,
};

#[inline(never)]
fn inject(cluster: &mut Cluster, _fault: &Fault) -> Result<Outcome, Text> {
    if std::mem::replace(&mut cluster.sim.network.scheduler_down, true) {
        return Err("the scheduler is down already".into());
    }
    Ok(Outcome::Stays)
}

/// It is asked to end, and lets go of its Lease.
fn strike(cluster: &mut Cluster, _fault: &Fault, cause: Option<TraceId>) {
    crate::election::stopped(cluster, Process::Scheduler, true, cause);
}

/// A restarted scheduler fills its caches before it asks for its Lease.
fn heal(_cluster: &mut Cluster, _fault: &Fault) -> Option<SimDuration> {
    Some(SimDuration::millis(800))
}

fn end(cluster: &mut Cluster, _fault: &Fault, cause: Option<TraceId>) -> Option<SimDuration> {
    cluster.sim.network.scheduler_down = false;
    crate::election::started(cluster, Process::Scheduler, cause);
    None
}
