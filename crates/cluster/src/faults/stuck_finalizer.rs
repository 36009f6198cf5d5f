//! An object bears a finalizer that nobody takes away: deleted, it stays.
//!
//! Models: staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go (v1.36)

use super::{Fault, Kind, Outcome, Target, object};
use crate::trace::TraceId;
use crate::world::Cluster;
use podscope_api::{Kind as ObjectKind, Text, Value, value};
use podscope_kernel::SimDuration;

pub(super) const KIND: Kind = Kind {
    name: "stuck-finalizer",
    target: Target::Object(&[
        ObjectKind::Pod,
        ObjectKind::Deployment,
        ObjectKind::Service,
        ObjectKind::ConfigMap,
        ObjectKind::Secret,
        ObjectKind::PersistentVolumeClaim,
        ObjectKind::Namespace,
    ]),
    params: &[],
    help: "An object gets a finalizer whose controller is gone: when it is deleted, it stays until healed.",
    inject,
    strike,
    heal,
    end,
};

/// The finalizer.
const FINALIZER: &str = "gone.example/cleanup";

fn inject(cluster: &mut Cluster, fault: &Fault) -> Result<Outcome, Text> {
    let Some((_, found)) = object::find(cluster, &fault.target) else {
        return Err("there is no such object".into());
    };
    if held(&found.at("metadata.finalizers").items()).count() > 0 {
        return Err(format!("{} has the finalizer already", fault.target).into());
    }
    if found.is_being_deleted() {
        return Err(format!("{} is being deleted: it takes no finalizer", fault.target).into());
    }
    Ok(Outcome::Stays)
}

fn held<'a>(list: &'a &[Value]) -> impl Iterator<Item = &'a Value> {
    list.iter().filter(|f| f.as_str() == Some(FINALIZER))
}

fn strike(cluster: &mut Cluster, fault: &Fault, cause: Option<TraceId>) {
    let Some((kind, found)) = object::find(cluster, &fault.target) else {
        return;
    };
    let mut list = found.at("metadata.finalizers").items().to_vec();
    list.push(FINALIZER.into());
    let patch = value!({"metadata": {"finalizers": (list)}});
    object::send(cluster, object::patch(kind, &found.key(), patch), cause);
}

fn heal(_cluster: &mut Cluster, _fault: &Fault) -> Option<SimDuration> {
    Some(SimDuration::ZERO)
}

fn end(cluster: &mut Cluster, fault: &Fault, cause: Option<TraceId>) -> Option<SimDuration> {
    let (kind, found) = object::find(cluster, &fault.target)?;
    if cluster.sim.network.apiserver_down {
        return Some(SimDuration::secs(2));
    }
    let mut list = found.at("metadata.finalizers").items().to_vec();
    list.retain(|f| f.as_str() != Some(FINALIZER));
    let patch = value!({"metadata": {"finalizers": (list)}});
    object::send(cluster, object::patch(kind, &found.key(), patch), cause);
    None
}
