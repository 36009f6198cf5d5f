//! A ConfigMap or Secret is deleted that Pods need.
//!
//! Containers that run keep what they have; those that start wait for it.
//! Models: pkg/kubelet (volume manager, CreateContainerConfigError) (v1.36)

use super::{Fault, Kind, Outcome, Target, object};
use crate::trace::TraceId;
use crate::world::Cluster;
use podscope_api::{Kind as ObjectKind, Request, Text};
use podscope_kernel::SimDuration;

pub(super) const KIND: Kind = Kind {
    name: "config-missing",
    target: Target::Object(&[ObjectKind::ConfigMap, ObjectKind::Secret]),
    params: &[],
    help: "A ConfigMap or Secret is deleted; healing creates it again with what it held.",
    inject,
    strike,
    heal,
    end,
};

fn inject(cluster: &mut Cluster, fault: &Fault) -> Result<Outcome, Text> {
    let Some((_, found)) = object::find(cluster, &fault.target) else {
        return Err("there is no such object".into());
    };
    if cluster.sim.network.apiserver_down {
        return Err("the API server is down: nothing can be deleted".into());
    }
    cluster.sim.faults.kept.insert(fault.number, found);
    Ok(Outcome::Stays)
}

fn strike(cluster: &mut Cluster, fault: &Fault, cause: Option<TraceId>) {
    let Some((kind, found)) = object::find(cluster, &fault.target) else {
        return;
    };
    let key = found.key();
    object::send(
        cluster,
        Request::delete(kind, key.namespace, key.name),
        cause,
    );
}

fn heal(_cluster: &mut Cluster, _fault: &Fault) -> Option<SimDuration> {
    Some(SimDuration::ZERO)
}

fn end(cluster: &mut Cluster, fault: &Fault, cause: Option<TraceId>) -> Option<SimDuration> {
    if cluster.sim.network.apiserver_down {
        return Some(SimDuration::secs(2));
    }
    let kept = cluster.sim.faults.kept.remove(&fault.number)?;
    if object::find(cluster, &fault.target).is_some() {
        return None;
    }
    let (kind, _) = object::parse(&fault.target)?;
    let mut again = (*kept).clone();
    for field in [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "managedFields",
        "generation",
    ] {
        again.0.entry("metadata").map_mut().remove(field);
    }
    object::send(cluster, Request::create(kind, again), cause);
    None
}
