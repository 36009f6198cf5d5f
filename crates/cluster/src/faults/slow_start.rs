//! A Pod's containers take long before they answer their probes.

use super::{Fault, Kind, Outcome, Target, nothing, number, over, quiet};
use crate::world::Cluster;
use podscope_api::Text;

pub(super) const KIND: Kind = Kind {
    name: "slow-start",
    target: Target::Pod,
    params: &[number("seconds", "60", 1, 86_400)],
    help: "A Pod's containers answer no probe in their first seconds.",
    inject,
    strike: quiet,
    heal: nothing,
    end: over,
};

fn inject(_cluster: &mut Cluster, _fault: &Fault) -> Result<Outcome, Text> {
    Ok(Outcome::Stays)
}
