//! The server behind admission webhooks takes its time.
//!
//! Requests wait for it, at most timeoutSeconds; then failurePolicy decides.
//! Models: staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook (v1.36)

use super::{Fault, Kind, Outcome, Target, number, over, quiet, webhook_down};
use crate::apiserver::admission::webhook::Server;
use crate::world::Cluster;
use podscope_api::Text;

pub(super) const KIND: Kind = Kind {
    name: "webhook-slow",
    target: Target::Webhooks,
    params: &[number("seconds", "20", 1, 60)],
    help: "The server of a webhook configuration answers after so many seconds; beyond timeoutSeconds the call has failed.",
    inject,
    strike: quiet,
    heal: webhook_down::heal,
    end: over,
};

fn inject(cluster: &mut Cluster, fault: &Fault) -> Result<Outcome, Text> {
    let seconds = fault.text("seconds").trim().parse().unwrap_or(20);
    let servers = &mut cluster.api.webhooks;
    if servers.contains_key(&fault.target) {
        return Err(format!("the server of {} is broken already", fault.target).into());
    }
    servers.insert(fault.target.clone(), Server::Slow(seconds));
    Ok(Outcome::Stays)
}
