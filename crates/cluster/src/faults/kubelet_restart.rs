//! A kubelet is restarted, for example by an update: containers run on, probes begin anew.
//!
//! Models: cmd/kubelet, pkg/kubelet (start-up against running containers) (v1.36)

use super::{Fault, Kind, Outcome, Target, kubelet_crash, number, quiet};
use crate::world::Cluster;
use podscope_api::Text;
use podscope_kernel::SimDuration;

pub(super) const KIND: Kind = Kind {
    name: "kubelet-restart",
    target: Target::Node,
    params: &[number("restart_s", "10", 1, 600)],
    help: "A kubelet's process ends and its supervisor starts it again after restart_s seconds.",
    inject,
    strike: quiet,
    heal: kubelet_crash::heal,
    end: kubelet_crash::end,
};

fn inject(cluster: &mut Cluster, fault: &Fault) -> Result<Outcome, Text> {
    kubelet_crash::inject(cluster, fault)?;
    let seconds = fault.seconds("restart_s", 10);
    Ok(Outcome::EndsAfter(seconds.max(SimDuration::secs(1))))
}
