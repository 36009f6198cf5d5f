//! The startup probes of a Pod's containers fail.
//!
//! Models: pkg/kubelet/prober (v1.36)

use super::{Fault, Kind, Outcome, Target, nothing, over, quiet, target};
use crate::world::Cluster;
use podscope_api::Text;

pub(super) const KIND: Kind = Kind {
    name: "startup-failure",
    target: Target::Pod,
    params: &[],
    help: "The startup probes of a Pod fail until healed; a container that has started is not asked again.",
    inject,
    strike: quiet,
    heal: nothing,
    end: over,
};

fn inject(cluster: &mut Cluster, fault: &Fault) -> Result<Outcome, Text> {
    if !target::has_probe(cluster, &fault.target, "startupProbe") {
        return Err(format!("\"{}\" has no startupProbe", fault.target).into());
    }
    Ok(Outcome::Stays)
}
