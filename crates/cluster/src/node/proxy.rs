//! kube-proxy: from Services and EndpointSlices to iptables rules.

use super::Input;
use crate::client::informer::Caches;
use crate::sim::Ctx;

/// kube-proxy's state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KubeProxy {
    id: u16,
}

impl KubeProxy {
    /// A proxy that has not started yet.
    pub fn new(id: u16) -> KubeProxy {
        KubeProxy { id }
    }
    /// The proxy is woken.
    pub(crate) fn on(&mut self, _input: Input<'_>, _caches: &Caches, _ctx: &mut Ctx<'_>) {}
}
