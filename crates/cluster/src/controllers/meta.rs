//! What all controllers do with objects: owners, conditions, Pods' states, words for failures.

use crate::client::informer::Caches;
use podscope_api::selector::Selector;
use podscope_api::{
    Failure, Key, Kind, Object, PatchType, Request, Response, Text, Timestamp, Value, value,
};
use std::rc::Rc;

/// The words of a failed request for logs, events and conditions.
pub fn failure_text(failure: &Failure) -> Text {
    match failure {
        Failure::Status(status) => status.message.clone(),
        Failure::ConnectionRefused => "connection refused".into(),
        Failure::Timeout => "context deadline exceeded".into(),
    }
}

/// The HTTP code of an answer; 0 when none came.
pub fn code(response: &Response) -> u16 {
    match response {
        Ok(answer) => answer.code,
        Err(Failure::Status(status)) => status.code,
        Err(_) => 0,
    }
}

/// The machine-readable reason of a refusal, or `""`.
pub fn reason(response: &Response) -> &str {
    match response {
        Err(Failure::Status(status)) => &status.reason,
        _ => "",
    }
}

/// The words of the first failure among answers.
pub fn first_failure(answers: &[Response]) -> Option<Text> {
    answers
        .iter()
        .find_map(|a| a.as_ref().err().map(failure_text))
}

/// True when a create failed because the namespace is going away: not worth a word or a retry.
pub fn namespace_terminating(response: &Response) -> bool {
    match response {
        Err(Failure::Status(status)) => status
            .causes
            .iter()
            .any(|c| &*c.reason == "NamespaceTerminating"),
        _ => false,
    }
}

/// The controller reference that `owner` puts on what it creates.
pub fn owner_reference(kind: Kind, owner: &Object) -> Value {
    value!({
        "apiVersion": (kind.api_version()), "kind": (kind.name()),
        "name": (owner.key().name), "uid": (owner.uid()),
        "controller": true, "blockOwnerDeletion": true
    })
}

/// The cached owner of this kind that controls `object`, when its uid is still the same.
pub fn controller_of<'a>(
    caches: &'a Caches,
    kind: Kind,
    object: &Object,
) -> Option<&'a Rc<Object>> {
    let owner = object.controller().filter(|o| o.kind == kind.name())?;
    let key = Key::new(object.namespace(), owner.name);
    caches.get(kind, &key).filter(|o| o.uid() == owner.uid)
}

/// Cached objects of a kind in the namespace whose selector matches an object without a controller.
pub fn selecting<'a>(
    caches: &'a Caches,
    kind: Kind,
    object: &'a Object,
) -> impl Iterator<Item = &'a Rc<Object>> {
    caches
        .list_in(kind, object.namespace())
        .filter(|owner| !object.labels().is_empty() && selector(owner).matches(object.labels()))
}

/// The selector of a workload; one that cannot be read selects nothing.
pub fn selector(workload: &Object) -> Selector {
    Selector::from_label_selector(workload.at("spec.selector")).unwrap_or(Selector::Nothing)
}

/// `spec.replicas`, 1 when absent.
pub fn replicas(workload: &Object) -> i64 {
    workload.at("spec.replicas").as_int().unwrap_or(1)
}

/// An integer of the status, 0 when absent.
pub fn status_count(object: &Object, field: &str) -> i64 {
    object.status().get(field).as_int().unwrap_or(0)
}

/// True for Pods that are neither finished nor being deleted.
pub fn is_active(pod: &Object) -> bool {
    !is_terminal(pod) && !pod.is_being_deleted()
}

/// True for Pods whose phase is Succeeded or Failed.
pub fn is_terminal(pod: &Object) -> bool {
    matches!(
        pod.at("status.phase").as_str(),
        Some("Succeeded" | "Failed")
    )
}

/// When a Pod became Ready; the inner option is empty when the condition tells no time.
pub fn ready_since(pod: &Object) -> Option<Option<Timestamp>> {
    let ready = pod.condition("Ready");
    (ready.get("status").as_str() == Some("True")).then(|| {
        ready
            .get("lastTransitionTime")
            .as_str()
            .and_then(Timestamp::parse)
    })
}

/// True when the Pod has been Ready for `min_ready_seconds`.
pub fn is_available(pod: &Object, min_ready_seconds: i64, now: Timestamp) -> bool {
    match ready_since(pod) {
        None => false,
        Some(_) if min_ready_seconds == 0 => true,
        Some(None) => false,
        Some(Some(since)) => since.0.saturating_add(min_ready_seconds * 1_000_000) < now.0,
    }
}

/// True when two conditions say the same, whatever their times.
pub fn same_condition(a: &Value, b: &Value) -> bool {
    a.get("status") == b.get("status") && a.get("reason") == b.get("reason")
}

/// The first entry of `conditions` with this type, or null.
pub fn find_condition<'a>(status: &'a Value, condition_type: &str) -> &'a Value {
    status
        .get("conditions")
        .items()
        .iter()
        .find(|c| c.get("type").as_str() == Some(condition_type))
        .unwrap_or(podscope_api::value::NULL)
}

/// Takes the condition out of `status`; an empty list goes with it.
pub fn remove_condition(status: &mut Value, condition_type: &str) {
    if find_condition(status, condition_type).is_null() {
        return;
    }
    let list = status.entry("conditions").list_mut();
    list.retain(|c| c.get("type").as_str() != Some(condition_type));
    if list.is_empty() {
        status.map_mut().remove("conditions");
    }
}

/// A `PATCH` that writes an owner reference onto an orphan.
pub fn adopt(kind: Kind, object: &Object, owner: Value) -> Request {
    let patch = value!({"metadata": {"ownerReferences": [(owner)], "uid": (object.uid())}});
    strategic(kind, object, "", patch)
}

/// A `PATCH` that takes an owner's reference off an object.
#[inline(never)]
pub fn release(kind: Kind, object: &Object, owner_uid: &str) -> Request {
    let patch = value!({"metadata": {
        "ownerReferences": [{"$patch": "delete", "uid": (owner_uid)}], "uid": (object.uid())
    }});
    strategic(kind, object, "", patch)
}

/// A strategic merge patch of an object.
pub fn strategic(kind: Kind, object: &Object, subresource: &str, patch: Value) -> Request {
    let key = object.key();
    Request::patch(
        kind,
        key.namespace,
        key.name,
        subresource,
        PatchType::Strategic,
        patch,
    )
}

/// Writes an annotation; true when it was different.
pub fn annotate(object: &mut Object, key: &str, text: &str) -> bool {
    if object.annotation(key) == Some(text) {
        return false;
    }
    object
        .at_mut("metadata.annotations")
        .map_mut()
        .insert(key, Value::str(text));
    true
}
