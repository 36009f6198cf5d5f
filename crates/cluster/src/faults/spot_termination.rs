//! A cloud takes a spot machine back: a warning first, then the power.
//!
//! A termination handler cordons and drains the machine as soon as it hears of it; what is not gone when
//! the time is over is lost with the machine.
//! Models: the handlers of cloud providers (two minutes' warning on AWS, 30 s on Azure and Google)

use super::{Fault, Kind, Outcome, RESTS, Target, machine, node_power, number, object};
use crate::trace::TraceId;
use crate::world::Cluster;
use podscope_api::Text;
use podscope_kernel::SimDuration;

pub(super) const KIND: Kind = Kind {
    name: "spot-termination",
    target: Target::Node,
    params: &[
        number("warning_s", "120", 5, 3_600),
        number("boot_s", "60", 0, 3_600),
    ],
    help: "A spot machine is drained when its end is announced and loses its power warning_s seconds later; healing brings it back after boot_s seconds.",
    inject,
    strike,
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
    let mut others = cluster.sim.faults.faults.values();
    if others
        .any(|f| matches!(f.kind, "node-drain" | "spot-termination") && f.target == fault.target)
    {
        return Err(format!("{} is being drained already", fault.target).into());
    }
    Ok(Outcome::EndsAfter(SimDuration::secs(1)))
}

fn strike(cluster: &mut Cluster, fault: &Fault, cause: Option<TraceId>) {
    object::cordon(cluster, &fault.target, true, cause);
}

/// Whether the machine has been taken.
pub(super) fn taken(cluster: &Cluster, fault: &Fault) -> bool {
    cluster.sim.now.since(fault.since) >= fault.seconds("warning_s", 120)
}

fn heal(cluster: &mut Cluster, fault: &Fault) -> Option<SimDuration> {
    let boot = fault.seconds("boot_s", 60);
    Some(if taken(cluster, fault) {
        boot
    } else {
        SimDuration::ZERO
    })
}

fn end(cluster: &mut Cluster, fault: &Fault, cause: Option<TraceId>) -> Option<SimDuration> {
    let id = machine(cluster, &fault.target)?;
    if fault.ending {
        if cluster.sim.network.apiserver_down {
            return Some(SimDuration::secs(2));
        }
        if cluster.sim.network.powered_off.contains(&id)
            && let Some(wait) = node_power::on(cluster, fault, id, cause)
        {
            return Some(wait);
        }
        object::cordon(cluster, &fault.target, false, cause);
        return None;
    }
    if taken(cluster, fault) {
        if !cluster.sim.network.powered_off.contains(&id) {
            node_power::off(cluster, id);
        }
        return Some(RESTS);
    }
    if !cluster.sim.network.apiserver_down {
        object::evict_all(cluster, &fault.target, cause);
    }
    let end = fault.since + fault.seconds("warning_s", 120);
    Some(end.since(cluster.sim.now).min(SimDuration::secs(5)))
}
