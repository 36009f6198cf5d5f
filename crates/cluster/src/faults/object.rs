//! Objects that faults change through the API, as an administrator would.

use crate::component::ComponentId;
use crate::trace::TraceId;
use crate::world::Cluster;
use podscope_api::{Body, Key, Kind, Object, PatchType, Request, Text, Value, Verb, value};
use std::rc::Rc;

/// The kind and key that a target such as `pods/web` or `configmaps/other/app` names.
pub(super) fn parse(target: &str) -> Option<(Kind, Key)> {
    let (plural, rest) = target.split_once('/')?;
    let kind = Kind::ALL.iter().copied().find(|k| k.plural() == plural)?;
    let key = match rest.split_once('/') {
        Some((namespace, name)) => Key::new(namespace, name),
        None if kind.namespaced() => Key::new("default", rest),
        None => Key::new("", rest),
    };
    Some((kind, key))
}

/// The name of an object as a target.
pub(super) fn name(kind: Kind, object: &Object) -> Text {
    match object.namespace() {
        "" | "default" => format!("{}/{}", kind.plural(), object.name()).into(),
        namespace => format!("{}/{namespace}/{}", kind.plural(), object.name()).into(),
    }
}

/// The object that a target names, as stored.
pub(super) fn find(cluster: &Cluster, target: &str) -> Option<(Kind, Rc<Object>)> {
    let (kind, key) = parse(target)?;
    let stored = cluster.etcd.get(kind, &key)?;
    Some((kind, stored.object.clone()))
}

/// Sends a request in the administrator's name.
#[inline(never)]
pub(super) fn send(cluster: &mut Cluster, request: Request, cause: Option<TraceId>) {
    cluster.sim.ctx(ComponentId::Fault, cause).request(request);
}

/// A merge patch of an object.
pub(super) fn patch(kind: Kind, key: &Key, patch: Value) -> Request {
    let (namespace, name) = (key.namespace.clone(), key.name.clone());
    Request::patch(kind, namespace, name, "", PatchType::Merge, patch)
}

/// Marks a Node as (un)schedulable.
pub(super) fn cordon(cluster: &mut Cluster, node: &str, on: bool, cause: Option<TraceId>) {
    let mark = if on { Value::from(true) } else { Value::Null };
    let request = patch(
        Kind::Node,
        &Key::new("", node),
        value!({"spec": {"unschedulable": (mark)}}),
    );
    send(cluster, request, cause);
}

/// Asks for the eviction of every Pod of a machine that a drain would evict; false when there is none left.
/// A refusal because of a disruption budget is asked for again by whoever calls this again.
#[inline(never)]
pub(super) fn evict_all(cluster: &mut Cluster, node: &str, cause: Option<TraceId>) -> bool {
    let pods: Vec<Rc<Object>> = cluster
        .api
        .cached(Kind::Pod)
        .filter(|p| p.at("spec.nodeName").as_str() == Some(node))
        .filter(|p| {
            let owners = p.at("metadata.ownerReferences").items();
            let phase = p.at("status.phase").str_or_empty();
            let daemon = owners
                .iter()
                .any(|o| o.get("kind").as_str() == Some("DaemonSet"));
            !daemon && !matches!(phase, "Succeeded" | "Failed")
        })
        .cloned()
        .collect();
    for pod in pods.iter().filter(|p| !p.is_being_deleted()) {
        let body = value!({"apiVersion": "policy/v1", "kind": "Eviction",
            "metadata": {"name": (pod.name()), "namespace": (pod.namespace())}});
        let mut request = Request::new(Verb::Create, Kind::Pod, pod.namespace(), pod.name());
        request.subresource = "eviction".into();
        request.body = Body::Object(Rc::new(Object(body)));
        send(cluster, request, cause);
    }
    !pods.is_empty()
}
