//! The registry has counted too many pulls.
//!
//! Models: containerd 2.1 (core/remotes/docker, core/images). Left out: the count itself; every pull is refused.

use super::{Active, Fault, Kind, Outcome, Target, nothing, over, quiet};
use crate::world::Cluster;
use podscope_api::Text;

pub(super) const KIND: Kind = Kind {
    name: "registry-rate-limit",
    target: Target::None,
    params: &[],
    help: "The registry answers 429 to every pull: the limit of pulls is reached.",
    inject,
    strike: quiet,
    heal: nothing,
    end: over,
};

fn inject(cluster: &mut Cluster, fault: &Fault) -> Result<Outcome, Text> {
    if cluster.sim.faults.of(fault.kind).next().is_some() {
        return Err("the limit of pulls is reached already".into());
    }
    Ok(Outcome::Stays)
}

impl Active {
    /// Whether the registry refuses pulls because there were too many.
    #[inline(never)]
    pub(super) fn rate_limited(&self, full: &str) -> bool {
        let _ = full;
        self.of(KIND.name).next().is_some()
    }
}
