//! A machine's clock is wrong.
//!
//! What it writes bears the wrong time. Whether it counts as lost is measured by the controller's own
//! clock, so it stays Ready.
//! Models: pkg/controller/nodelifecycle (the Lease's change counts, not its time) (v1.36)
//! Left out: tokens and certificates that are not valid yet or any more by the wrong clock.

use super::{Active, Fault, Kind, Outcome, Target, machine, nothing, number, over, quiet};
use crate::world::Cluster;
use podscope_api::Text;

pub(super) const KIND: Kind = Kind {
    name: "clock-skew",
    target: Target::Node,
    params: &[number("skew_s", "600", -86_400, 86_400)],
    help: "A machine's clock is skew_s seconds ahead (negative: behind); what its kubelet writes bears that time.",
    inject,
    strike: quiet,
    heal: nothing,
    end: over,
};

fn inject(cluster: &mut Cluster, fault: &Fault) -> Result<Outcome, Text> {
    let Some(id) = machine(cluster, &fault.target) else {
        return Err("there is no such node".into());
    };
    if fault.text("skew_s").trim().parse() == Ok(0) {
        return Err("a clock that is right is no fault".into());
    }
    if cluster.sim.faults.skew_micros(&cluster.sim.config, id) != 0 {
        return Err(format!("the clock of {} is wrong already", fault.target).into());
    }
    Ok(Outcome::Stays)
}

impl Active {
    /// How far a machine's clock is ahead, in microseconds.
    #[inline(never)]
    pub(crate) fn skew_micros(&self, config: &crate::ClusterConfig, machine: u16) -> i64 {
        let Some(node) = config.nodes.get(usize::from(machine)) else {
            return 0;
        };
        let fault = self.of(KIND.name).find(|f| f.target == node.name);
        let seconds = fault.map(|f| f.text("skew_s").trim().parse().unwrap_or(0));
        seconds.unwrap_or(0_i64).saturating_mul(1_000_000)
    }
}
