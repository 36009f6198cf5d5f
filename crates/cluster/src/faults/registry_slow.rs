//! The registry is slow.

use super::{Fault, Kind, Outcome, Target, nothing, over};
use crate::world::Cluster;
use podscope_api::Text;

pub(super) const KIND: Kind = Kind {
    name: "registry-slow",
    target: Target::None,
    params: &[("factor", "10")],
    help: "Layers arrive factor times slower than usual.",
    inject,
    heal: nothing,
    end: over,
};

fn inject(_cluster: &mut Cluster, fault: &Fault) -> Result<Outcome, Text> {
    fault.number("factor", 1, 1_000)?;
    Ok(Outcome::Stays)
}
