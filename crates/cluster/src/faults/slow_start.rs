//! A Pod's containers take long before they answer their probes.

use super::{Fault, Kind, Outcome, Target, nothing, over};
use crate::world::Cluster;
use podscope_api::Text;

pub(super) const KIND: Kind = Kind {
    name: "slow-start",
    target: Target::Pod,
    params: &[("seconds", "60")],
    help: "A Pod's containers answer no probe in their first seconds.",
    inject,
    heal: nothing,
    end: over,
};

fn inject(_cluster: &mut Cluster, fault: &Fault) -> Result<Outcome, Text> {
    fault.number("seconds", 1, 86_400)?;
    Ok(Outcome::Stays)
}
