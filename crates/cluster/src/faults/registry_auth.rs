//! The registry asks for credentials that the cluster does not have.
//!
//! Models: containerd 2.1 (core/remotes/docker, core/images). Left out: pull secrets; nobody has the right ones.

use super::{Active, Fault, Kind, Outcome, Target, nothing, over, quiet};
use crate::world::Cluster;
use podscope_api::Text;

pub(super) const KIND: Kind = Kind {
    name: "registry-auth",
    target: Target::Image,
    params: &[],
    help: "The registry refuses to give out this image without credentials (without a tag: any of its tags).",
    inject,
    strike: quiet,
    heal: nothing,
    end: over,
};

fn inject(_cluster: &mut Cluster, _fault: &Fault) -> Result<Outcome, Text> {
    Ok(Outcome::Stays)
}

impl Active {
    /// Whether the registry wants credentials for this image.
    #[inline(never)]
    pub(super) fn needs_credentials(&self, full: &str) -> bool {
        self.of(KIND.name).any(|f| super::is_image(&f.target, full))
    }
}
