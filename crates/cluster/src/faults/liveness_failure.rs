//! The liveness probes of a Pod's containers fail.

use super::{Fault, Kind, Outcome, Target, nothing, over, quiet, target};
use crate::world::Cluster;
use podscope_api::Text;

pub(super) const KIND: Kind = Kind {
    name: "liveness-failure",
    target: Target::Pod,
    params: &[],
    help: "The liveness probes of a Pod fail until healed.",
    inject,
    strike: quiet,
    heal: nothing,
    end: over,
};

fn inject(cluster: &mut Cluster, fault: &Fault) -> Result<Outcome, Text> {
    if !target::has_probe(cluster, &fault.target, "livenessProbe") {
        return Err(format!("\"{}\" has no livenessProbe", fault.target).into());
    }
    Ok(Outcome::Stays)
}
