//! The scheduler's process ends: new Pods stay Pending, without any Event.

use super::{Fault, Kind, Outcome, Target, quiet};
use crate::component::{ComponentId, Process};
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
    strike: quiet,
    heal,
    end,
};

#[inline(never)]
fn inject(cluster: &mut Cluster, _fault: &Fault) -> Result<Outcome, Text> {
    if std::mem::replace(&mut cluster.sim.network.scheduler_down, true) {
        return Err("the scheduler is down already".into());
    }
    cluster.end_process(Process::Scheduler);
    cluster.scheduler = Default::default();
    Ok(Outcome::Stays)
}

/// A restarted scheduler lists what it watches before it begins.
fn heal(_cluster: &mut Cluster, _fault: &Fault) -> Option<SimDuration> {
    Some(SimDuration::millis(800))
}

fn end(cluster: &mut Cluster, _fault: &Fault, cause: Option<TraceId>) -> Option<SimDuration> {
    if cluster.sim.network.apiserver_down {
        return Some(SimDuration::secs(2));
    }
    cluster.sim.network.scheduler_down = false;
    cluster.list_again(Process::Scheduler, cause);
    let caches = cluster.caches.entry(Process::Scheduler).or_default();
    let mut ctx = cluster.sim.ctx(ComponentId::Scheduler, cause);
    cluster.scheduler.start(caches, &mut ctx);
    None
}
