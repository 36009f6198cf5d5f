//! The client certificate of a kubelet has expired: the API server does not know it any more.
//!
//! Streams that are open stay open; every new request is refused with 401.
//! Models: staging/src/k8s.io/apiserver/pkg/authentication/request/x509 (v1.36)
//! Left out: the kubelet's own rotation, which has failed already.

use super::{Active, Fault, Kind, Outcome, Target, machine, nothing, over, quiet};
use crate::world::Cluster;
use podscope_api::Text;

pub(super) const KIND: Kind = Kind {
    name: "certificate-expired",
    target: Target::Node,
    params: &[],
    help: "A kubelet's client certificate has expired; all that it asks is refused, its Lease grows old, its Pods run on.",
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
        return Err(format!("the certificate of {} has expired already", fault.target).into());
    }
    Ok(Outcome::Stays)
}

impl Active {
    /// Whether the certificate of a machine's kubelet has expired.
    #[inline(never)]
    pub(crate) fn certificate_expired(&self, user: &str) -> bool {
        let node = user.strip_prefix("system:node:");
        let mut expired = self.of(KIND.name);
        node.is_some_and(|node| expired.any(|f| *f.target == *node))
    }
}
