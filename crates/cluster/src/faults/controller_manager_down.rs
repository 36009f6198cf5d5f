//! The controller manager's process ends: nothing is repaired, scaled, counted or collected.

use super::{Fault, Kind, Outcome, Target};
use crate::component::Process;
use crate::trace::TraceId;
use crate::world::Cluster;
use podscope_api::Text;
use podscope_kernel::SimDuration;

pub(super) const KIND: Kind = Kind {
    name: "controller-manager-down",
    target: Target::None,
    params: &[],
    help: "The controller manager's process ends; desired and actual state drift apart.",
    inject,
    strike,
    heal,
    end,
};

#[inline(never)]
fn inject(cluster: &mut Cluster, _fault: &Fault) -> Result<Outcome, Text> {
    if std::mem::replace(&mut cluster.sim.network.controller_manager_down, true) {
        return Err("the controller manager is down already".into());
    }
    Ok(Outcome::Stays)
}

/// It is killed: its Lease stays.
fn strike(cluster: &mut Cluster, _fault: &Fault, cause: Option<TraceId>) {
    crate::election::stopped(cluster, Process::ControllerManager, false, cause);
}

/// A restarted controller manager has another identity: it waits until its own old Lease has run out.
fn heal(_cluster: &mut Cluster, _fault: &Fault) -> Option<SimDuration> {
    Some(SimDuration::secs(1))
}

fn end(cluster: &mut Cluster, _fault: &Fault, cause: Option<TraceId>) -> Option<SimDuration> {
    cluster.sim.network.controller_manager_down = false;
    crate::election::started(cluster, Process::ControllerManager, cause);
    None
}
