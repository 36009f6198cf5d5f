//! The network plugin of a machine fails: no new Pod gets an interface.
//!
//! Models: containerd 2.1 (RunPodSandbox), CNI plugins 1.7. The Node stays Ready: nobody checks the plugin
//! itself. Left out: a missing configuration, which makes the Node unready.

use super::{Active, Fault, Kind, Outcome, Target, machine, nothing, over, quiet};
use crate::world::Cluster;
use podscope_api::Text;

pub(super) const KIND: Kind = Kind {
    name: "cni-failure",
    target: Target::Node,
    params: &[],
    help: "A machine's network plugin fails; new Pods there wait for their sandbox, running ones are unaffected.",
    inject,
    strike: quiet,
    heal: nothing,
    end: over,
};

fn inject(cluster: &mut Cluster, fault: &Fault) -> Result<Outcome, Text> {
    if machine(cluster, &fault.target).is_none() {
        return Err("there is no such node".into());
    }
    let mut others = cluster.sim.faults.of(fault.kind);
    if others.any(|f| f.target == fault.target) {
        return Err(format!("the network plugin of {} fails already", fault.target).into());
    }
    Ok(Outcome::Stays)
}

impl Active {
    /// The words of a machine's network plugin when it fails.
    #[inline(never)]
    pub(crate) fn cni_error(&self, node: &str) -> Option<&'static str> {
        let mut broken = self.of(KIND.name);
        broken
            .any(|f| *f.target == *node)
            .then_some("failed to list chains: running [/usr/sbin/iptables -t nat -S --wait]: exit status 4: iptables: Resource temporarily unavailable.")
    }
}
