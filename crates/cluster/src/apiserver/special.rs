//! Subresources: scale, binding, token.

use super::write::Decision;
use podscope_api::{Cause, Kind, Object, Status, Value, value};

/// The `scale` subresource of a workload.
///
/// # Errors
/// `404 NotFound` for kinds that have none.
#[inline(never)]
pub fn scale_of(kind: Kind, object: &Object) -> Result<Object, Status> {
    if !matches!(
        kind,
        Kind::Deployment | Kind::ReplicaSet | Kind::StatefulSet | Kind::ReplicationController
    ) {
        return Err(Status::new(
            404,
            "NotFound",
            "the server could not find the requested resource",
        ));
    }
    let mut scale = value!({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {}, "spec": {}, "status": {}});
    for field in [
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "creationTimestamp",
    ] {
        let v = object.get("metadata").get(field);
        if !v.is_null() {
            scale.at_mut("metadata").map_mut().insert(field, v.clone());
        }
    }
    let replicas = object.at("spec.replicas").as_int().unwrap_or(0);
    if replicas != 0 {
        scale.set("spec.replicas", replicas);
    }
    scale.set(
        "status.replicas",
        object.at("status.replicas").as_int().unwrap_or(0),
    );
    if let Ok(selector) =
        podscope_api::selector::Selector::from_label_selector(object.at("spec.selector"))
    {
        scale.set("status.selector", selector.to_string());
    }
    Ok(Object(scale))
}

/// The object with the replicas of a written `Scale`.
///
/// # Errors
/// `422 Invalid` for replicas below zero.
pub fn scaled(object: &Object, scale: &Value) -> Result<Object, Status> {
    let replicas = scale.at("spec.replicas").as_int().unwrap_or(0);
    if replicas < 0 {
        let cause = Cause {
            reason: "FieldValueInvalid".into(),
            message: format!("Invalid value: {replicas}: must be greater than or equal to 0")
                .into(),
            field: "spec.replicas".into(),
        };
        let name = object.name();
        return Err(Status::invalid("autoscaling", "Scale", name, vec![cause]));
    }
    let mut object = object.clone();
    object.set("spec.replicas", replicas);
    Ok(object)
}

/// `POST pods/NAME/binding`: sets the node once, marks the Pod as scheduled, copies the node's zone labels.
///
/// Models: pkg/registry/core/pod/storage/storage.go (v1.36)
///
/// # Errors
/// `409 Conflict` when the Pod has a node or is being deleted, `400`/`409` on a wrong uid.
pub(crate) fn bind(
    pod: &Object,
    binding: &Object,
    node: Option<&Object>,
    now: &str,
) -> Result<Decision, Status> {
    let name = pod.name();
    let conflict = |why: String| Status::conflict("", "pods/binding", name, &why);
    let wanted = binding.at("target.name").str_or_empty();
    let uid = binding.uid();
    if !uid.is_empty() && uid != pod.uid() {
        let why = format!(
            "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
            pod.uid()
        );
        return Err(conflict(why));
    }
    if pod.is_being_deleted() {
        return Err(conflict(format!(
            "pod {name} is being deleted, cannot be assigned to a host"
        )));
    }
    let bound = pod.at("spec.nodeName").str_or_empty();
    if !bound.is_empty() {
        return Err(conflict(format!(
            "pod {name} is already assigned to node \"{bound}\""
        )));
    }
    if !pod.at("spec.schedulingGates").items().is_empty() {
        return Err(conflict(format!(
            "pod {name} has non-empty .spec.schedulingGates"
        )));
    }
    let mut object = pod.clone();
    object.set("spec.nodeName", wanted);
    object.remove("status.nominatedNodeName");
    for label in [
        "topology.kubernetes.io/zone",
        "topology.kubernetes.io/region",
    ] {
        if let Some(zone) = node.and_then(|n| n.label(label)) {
            object
                .at_mut("metadata.labels")
                .map_mut()
                .insert(label, Value::str(zone));
        }
    }
    let mut condition = value!({"type": "PodScheduled", "status": "True", "lastProbeTime": null});
    condition.set("lastTransitionTime", now);
    set_condition(&mut object, condition);
    let mut answer =
        value!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"});
    answer.set("code", 201);
    Ok(Decision {
        object: Some(object),
        code: 201,
        answer: Some(Object(answer)),
    })
}

/// Puts a condition in the place of the one with its type, or at the end.
pub fn set_condition(object: &mut Object, condition: Value) {
    let conditions = object.at_mut("status.conditions").list_mut();
    let same = |c: &&mut Value| c.get("type") == condition.get("type");
    match conditions.iter_mut().find(same) {
        Some(place) => *place = condition,
        None => conditions.push(condition),
    }
}

/// How long a token is asked for, in seconds.
///
/// # Errors
/// `422 Invalid` for less than ten minutes or more than 2^32 seconds.
pub fn token_seconds(request: &Value) -> Result<i64, Status> {
    let seconds = request
        .at("spec.expirationSeconds")
        .as_int()
        .unwrap_or(3600);
    let why = match seconds {
        ..600 => "may not specify a duration less than 10 minutes",
        0x1_0000_0001.. => "may not specify a duration larger than 2^32 seconds",
        _ => return Ok(seconds),
    };
    let cause = Cause {
        reason: "FieldValueInvalid".into(),
        message: format!("Invalid value: {seconds}: {why}").into(),
        field: "spec.expirationSeconds".into(),
    };
    let group = "authentication.k8s.io";
    Err(Status::invalid(group, "TokenRequest", "", vec![cause]))
}

/// `POST serviceaccounts/NAME/token`: a bound token; nothing is stored.
pub(crate) fn token(account: &Object, request: &Object, expires: &str, serial: u64) -> Object {
    let mut answer = request.clone();
    answer.set("kind", "TokenRequest");
    answer.set("apiVersion", "authentication.k8s.io/v1");
    answer.set("metadata.name", account.name());
    answer.set("metadata.namespace", account.namespace());
    answer.set(
        "status.token",
        format!(
            "simulated.{}.{}.{serial:x}",
            account.namespace(),
            account.name()
        ),
    );
    answer.set("status.expirationTimestamp", expires);
    answer
}
