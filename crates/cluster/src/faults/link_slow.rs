//! The link between a machine and the API server is slow and loses packets.
//!
//! A lost packet is sent again after 200 ms, doubled each time: TCP hides the loss and shows the delay.
//! Models: TCP's retransmission timer (RFC 6298, Linux' minimum of 200 ms)

use super::{Active, Fault, Kind, Outcome, Target, machine, nothing, number, over, quiet};
use crate::world::Cluster;
use podscope_api::Text;

pub(super) const KIND: Kind = Kind {
    name: "link-slow",
    target: Target::Node,
    params: &[
        number("latency_ms", "200", 0, 30_000),
        number("loss_percent", "0", 0, 90),
    ],
    help: "Messages between a machine and the API server take latency_ms longer each way, and loss_percent of them are lost and sent again.",
    inject,
    strike: quiet,
    heal: nothing,
    end: over,
};

fn inject(cluster: &mut Cluster, fault: &Fault) -> Result<Outcome, Text> {
    let Some(id) = machine(cluster, &fault.target) else {
        return Err("there is no such node".into());
    };
    let number = |name: &str| fault.text(name).trim().parse::<u64>().unwrap_or(0);
    if number("latency_ms") == 0 && number("loss_percent") == 0 {
        return Err("a link without latency and loss is not slow".into());
    }
    if cluster.sim.faults.link(&cluster.sim.config, id).is_some() {
        return Err(format!("the link of {} is slow already", fault.target).into());
    }
    Ok(Outcome::Stays)
}

impl Active {
    /// What is added to a machine's messages: milliseconds, and how many of a hundred are lost.
    #[inline(never)]
    pub(crate) fn link(&self, config: &crate::ClusterConfig, machine: u16) -> Option<(u64, u64)> {
        let name = &config.nodes.get(usize::from(machine))?.name;
        let fault = self.of(KIND.name).find(|f| f.target == *name)?;
        let number = |name: &str| fault.text(name).trim().parse().unwrap_or(0);
        Some((number("latency_ms"), number("loss_percent")))
    }
}
