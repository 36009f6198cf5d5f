//! A Pod's containers take long to end when they are asked to.

use super::{Active, Fault, Kind, Outcome, Target, nothing, number, over, quiet, target};
use crate::world::Cluster;
use podscope_api::{Object, Text};
use podscope_kernel::SimDuration;

pub(super) const KIND: Kind = Kind {
    name: "slow-stop",
    target: Target::Pod,
    params: &[number("seconds", "60", 1, 86_400)],
    help: "A Pod's containers end so many seconds after the signal to stop, unless they are killed before.",
    inject,
    strike: quiet,
    heal: nothing,
    end: over,
};

fn inject(_cluster: &mut Cluster, _fault: &Fault) -> Result<Outcome, Text> {
    Ok(Outcome::Stays)
}

impl Active {
    /// How much longer than usual a Pod's containers take to end after the signal to stop.
    #[inline(never)]
    pub(crate) fn stop_delay(&self, pod: &Object) -> SimDuration {
        let key = pod.key();
        let slow = self.of(KIND.name);
        let hit = slow.filter(|fault| target::is_pod(&fault.target, &key, pod.labels()));
        hit.map(|fault| fault.seconds("seconds", 60))
            .max()
            .unwrap_or_default()
    }
}
