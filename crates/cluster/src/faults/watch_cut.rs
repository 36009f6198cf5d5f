//! All watches break; when the history is forgotten too, clients must list again.
//!
//! Models: staging/src/k8s.io/client-go/tools/cache/reflector.go; the watch cache of an API server that has
//! restarted: `410 Gone`, `too old resource version` (v1.36)

use super::{Accepts, Fault, Kind, Outcome, Param, Target, nothing, over};
use crate::entry::Entry;
use crate::trace::TraceId;
use crate::world::Cluster;
use podscope_api::Text;

pub(super) const KIND: Kind = Kind {
    name: "watch-cut",
    target: Target::None,
    params: &[Param {
        name: "forget",
        default: "no",
        accepts: Accepts::OneOf(&["no", "yes"]),
    }],
    help: "Every watch is cut; forget=yes also forgets what has happened, as a restart of the API server does: clients get 410 Gone and list again.",
    inject,
    strike,
    heal: nothing,
    end: over,
};

fn inject(cluster: &mut Cluster, _fault: &Fault) -> Result<Outcome, Text> {
    if cluster.sim.network.apiserver_down {
        return Err("the API server is down: there is no watch".into());
    }
    Ok(Outcome::Momentary)
}

fn strike(cluster: &mut Cluster, fault: &Fault, _cause: Option<TraceId>) {
    let network = cluster.sim.network.clone();
    let lives = |p: crate::component::Process| network.lives(p);
    // What was on the wire is lost with the connections.
    cluster
        .sim
        .queue
        .retain(|entry| !matches!(entry, Entry::Watch { to, .. } if lives(*to)));
    cluster.lose_watches(lives);
    if &*fault.text("forget") == "yes" {
        cluster.etcd.compact();
    }
}
