//! ControllerRevisions: the templates that a DaemonSet or StatefulSet has had, by number.
//!
//! Models: pkg/controller/history, pkg/controller/daemon/update.go, pkg/controller/statefulset/stateful_set_utils.go (v1.36)

use super::meta::owner_reference;
use super::pod_control::label;
use crate::apiserver::strategy::hash::template_hash;
use crate::apiserver::strategy::names::safe_encode;
use crate::client::informer::Caches;
use podscope_api::{Key, Kind, Object, Request, Value, value};
use std::rc::Rc;

/// The label by which Pods name their revision.
pub const REVISION_LABEL: &str = "controller-revision-hash";
/// The label with the hash on a StatefulSet's revisions.
const HASH_LABEL: &str = "controller.kubernetes.io/hash";

/// What a revision keeps of a workload: a patch that brings its template back.
pub fn data(workload: &Object) -> Value {
    let mut template = workload.at("spec.template").clone();
    template.map_mut().insert("$patch", Value::str("replace"));
    value!({"spec": {"template": (template)}})
}

/// The hash of a revision's data, as StatefulSets name their revisions.
pub fn data_hash(data: &Value, collisions: i64) -> String {
    let mut text = String::new();
    podscope_api::json::write(&mut text, data, true);
    text.push_str(&collisions.to_string());
    // FNV-1, not the FNV-1a of templates.
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        hash.wrapping_mul(0x0100_0193) ^ u32::from(byte)
    });
    safe_encode(&hash.to_string())
}

/// The number of a revision.
pub fn number(revision: &Object) -> i64 {
    revision.get("revision").as_int().unwrap_or(0)
}

/// The workload's revisions from the cache, oldest number first.
pub fn of(workload: &Object, caches: &Caches) -> Vec<Rc<Object>> {
    let mut revisions: Vec<Rc<Object>> = caches
        .owned_by(Kind::ControllerRevision, workload.uid())
        .filter(|r| r.controller().is_some_and(|c| c.uid == workload.uid()))
        .cloned()
        .collect();
    podscope_api::sort::by_key(&mut revisions, |r| {
        (number(r), r.created(), r.name().to_string())
    });
    revisions
}

/// The newest revision among `all` that keeps the same data as the workload has now.
pub fn find<'a>(all: &'a [Rc<Object>], data: &Value) -> Option<&'a Rc<Object>> {
    all.iter().rev().find(|r| r.get("data") == data)
}

/// The number that a new revision gets.
pub fn next_number(all: &[Rc<Object>]) -> i64 {
    all.iter().map(|r| number(r)).max().unwrap_or(0) + 1
}

/// A new revision of a workload: its name ends in the template's hash (DaemonSet) or the data's.
pub fn new(kind: Kind, workload: &Object, number: i64) -> Object {
    let data = data(workload);
    let collisions = workload.at("status.collisionCount").as_int();
    let (hash, key) = match kind {
        Kind::DaemonSet => {
            let hash = template_hash(workload.at("spec.template"), collisions);
            (hash, REVISION_LABEL)
        }
        _ => (data_hash(&data, collisions.unwrap_or(0)), HASH_LABEL),
    };
    // The first part is cut so that the whole fits into a name.
    let name = workload.name();
    let name = name.get(..223).unwrap_or(name);
    let mut revision = Object(value!({
        "apiVersion": "apps/v1", "kind": "ControllerRevision",
        "metadata": {
            "name": (format!("{name}-{hash}")), "namespace": (workload.key().namespace),
            "ownerReferences": [(owner_reference(kind, workload))]
        },
        "data": (data), "revision": (number)
    }));
    let labels = workload.at("spec.template.metadata.labels");
    if !labels.is_empty() {
        revision.set("metadata.labels", labels.clone());
    }
    let annotations = workload.at("metadata.annotations");
    if !annotations.is_empty() {
        revision.set("metadata.annotations", annotations.clone());
    }
    label(&mut revision, key, &hash);
    revision
}

/// An old revision that becomes the newest again.
pub fn renumbered(revision: &Object, number: i64) -> Request {
    let mut object = revision.clone();
    object.set("revision", number);
    Request::update(Kind::ControllerRevision, "", object)
}

/// The workload with the template that a revision keeps.
pub fn applied(workload: &Object, revision: &Object) -> Object {
    let mut object = workload.clone();
    let mut template = revision.at("data.spec.template").clone();
    if !template.is_null() {
        template.map_mut().remove("$patch");
        object.set("spec.template", template);
    }
    object
}

/// The deletions of revisions beyond the limit, oldest first; those that `live` names stay.
pub fn clean_up(all: &[Rc<Object>], limit: i64, live: &dyn Fn(&Object) -> bool) -> Vec<Request> {
    let old: Vec<&Rc<Object>> = all.iter().filter(|r| !live(r)).collect();
    let most = usize::try_from(limit.max(0)).unwrap_or(usize::MAX);
    let doomed = old.len().saturating_sub(most);
    let delete = |r: &&Rc<Object>| {
        let Key { namespace, name } = r.key();
        Request::delete(Kind::ControllerRevision, namespace, name)
    };
    old.iter().take(doomed).map(delete).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_recorded() {
        let data = value!({"spec": {"template": {
            "$patch": "replace", "metadata": {"labels": {"app": "db"}},
            "spec": {
                "containers": [{
                    "env": [{"name": "FAKE_STOP_SECONDS", "value": "1"}],
                    "image": "postgres:15", "imagePullPolicy": "IfNotPresent", "name": "pg",
                    "ports": [{"containerPort": 5432, "protocol": "TCP"}],
                    "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
                    "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "File"
                }],
                "dnsPolicy": "ClusterFirst", "restartPolicy": "Always",
                "schedulerName": "default-scheduler", "securityContext": {},
                "terminationGracePeriodSeconds": 10
            }
        }}});
        assert_eq!(data_hash(&data, 0), "59586d67d4");
    }
}
