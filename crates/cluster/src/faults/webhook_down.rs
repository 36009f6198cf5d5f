//! The server behind admission webhooks does not listen.
//!
//! Models: staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook (failurePolicy Fail and Ignore) (v1.36)

use super::{Fault, Kind, Outcome, Target, held_by_another, over, quiet};
use crate::apiserver::admission::webhook::Server;
use crate::world::Cluster;
use podscope_api::Text;
use podscope_kernel::SimDuration;

pub(super) const KIND: Kind = Kind {
    name: "webhook-down",
    target: Target::Webhooks,
    params: &[],
    help: "The server of a webhook configuration refuses connections; its failurePolicy decides what becomes of requests.",
    inject,
    strike: quiet,
    heal,
    end: over,
};

fn inject(cluster: &mut Cluster, fault: &Fault) -> Result<Outcome, Text> {
    let servers = &mut cluster.api.webhooks;
    if servers.contains_key(&fault.target) {
        return Err(format!("the server of {} is broken already", fault.target).into());
    }
    servers.insert(fault.target.clone(), Server::Down);
    Ok(Outcome::Stays)
}

pub(super) fn heal(cluster: &mut Cluster, fault: &Fault) -> Option<SimDuration> {
    if !held_by_another(cluster, fault) {
        cluster.api.webhooks.remove(&fault.target);
    }
    None
}
