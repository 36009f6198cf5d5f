//! The registry does not have an image: all its tags when none is named.

use super::{Fault, Kind, Outcome, Target, nothing, over};
use crate::world::Cluster;
use podscope_api::Text;

pub(super) const KIND: Kind = Kind {
    name: "image-missing",
    target: Target::Image,
    params: &[],
    help: "The registry does not have this image (without a tag: none of its tags).",
    inject,
    heal: nothing,
    end: over,
};

fn inject(_cluster: &mut Cluster, _fault: &Fault) -> Result<Outcome, Text> {
    Ok(Outcome::Stays)
}
