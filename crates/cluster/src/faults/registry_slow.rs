//! The registry is slow.

use super::{Fault, Kind, Outcome, Target, nothing, number, over, quiet};
use crate::world::Cluster;
use podscope_api::Text;

pub(super) const KIND: Kind = Kind {
    name: "registry-slow",
    target: Target::None,
    params: &[number("factor", "10", 1, 1_000)],
    help: "Layers arrive factor times slower than usual.",
    inject,
    strike: quiet,
    heal: nothing,
    end: over,
};

fn inject(_cluster: &mut Cluster, _fault: &Fault) -> Result<Outcome, Text> {
    Ok(Outcome::Stays)
}
