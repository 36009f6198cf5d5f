//! An image was built for another processor only.
//!
//! Models: containerd 2.1 (core/remotes/docker, core/images). Left out: images of one platform without an index, which are pulled and fail with `exec format error`.

use super::{Active, Fault, Kind, Outcome, Target, nothing, over, quiet};
use crate::world::Cluster;
use podscope_api::Text;

pub(super) const KIND: Kind = Kind {
    name: "image-architecture",
    target: Target::Image,
    params: &[],
    help: "The image has no variant for the machines' processor (without a tag: none of its tags has).",
    inject,
    strike: quiet,
    heal: nothing,
    end: over,
};

fn inject(_cluster: &mut Cluster, _fault: &Fault) -> Result<Outcome, Text> {
    Ok(Outcome::Stays)
}

impl Active {
    /// Whether this image has no variant for linux/amd64.
    #[inline(never)]
    pub(super) fn other_architecture(&self, full: &str) -> bool {
        self.of(KIND.name).any(|f| super::is_image(&f.target, full))
    }
}
