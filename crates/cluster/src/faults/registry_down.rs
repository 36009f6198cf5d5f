//! The registry does not answer: images that are not on the machine cannot be pulled.

use super::{Fault, Kind, Outcome, Target, held_by_another, over, quiet};
use crate::world::Cluster;
use podscope_api::Text;
use podscope_kernel::SimDuration;

pub(super) const KIND: Kind = Kind {
    name: "registry-down",
    target: Target::None,
    params: &[],
    help: "The image registry refuses connections.",
    inject,
    strike: quiet,
    heal,
    end: over,
};

fn inject(cluster: &mut Cluster, _fault: &Fault) -> Result<Outcome, Text> {
    if std::mem::replace(&mut cluster.sim.network.registry_down, true) {
        return Err("the registry is down already".into());
    }
    Ok(Outcome::Stays)
}

fn heal(cluster: &mut Cluster, fault: &Fault) -> Option<SimDuration> {
    cluster.sim.network.registry_down = held_by_another(cluster, fault);
    None
}
