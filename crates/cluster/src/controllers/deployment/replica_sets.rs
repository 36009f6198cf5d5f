//! A Deployment's ReplicaSets: which is the new one, what is written on it, which history goes.
//!
//! Models: pkg/controller/deployment/{sync.go,util/deployment_util.go} (v1.36)

use super::super::meta::{annotate, owner_reference, replicas, status_count};
use super::bounds::max_surge;
use podscope_api::{Key, Kind, Object, Timestamp, Value, value};
use std::rc::Rc;

/// The label that tells ReplicaSets of one Deployment apart.
pub const HASH_LABEL: &str = "pod-template-hash";
/// How often the Deployment had been changed when this ReplicaSet became the new one.
pub const REVISION: &str = "deployment.kubernetes.io/revision";
/// Earlier revisions of a ReplicaSet that became the new one again.
pub const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";
/// `spec.replicas` of the Deployment when the ReplicaSet was last scaled.
pub const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
/// `spec.replicas` plus surge of the Deployment when the ReplicaSet was last scaled.
pub const MAX: &str = "deployment.kubernetes.io/max-replicas";

/// Annotations of a Deployment that are its own and not copied.
const NOT_COPIED: &[&str] = &[
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    REVISION_HISTORY,
    DESIRED,
    MAX,
    "deprecated.deployment.rollback.to",
];
const MAX_NAME: usize = 253;
const MAX_HISTORY: usize = 2000;

/// Creation time and name: the order from oldest to newest.
pub fn age_key(replica_set: &Object) -> (Option<Timestamp>, String) {
    (replica_set.created(), replica_set.name().to_string())
}

/// The templates are the same but for the hash label.
pub fn same_template(a: &Value, b: &Value) -> bool {
    comparable(a) == comparable(b)
}

fn comparable(template: &Value) -> Value {
    let mut template = template.clone();
    if !template.at("metadata.labels").get(HASH_LABEL).is_null() {
        template
            .at_mut("metadata.labels")
            .map_mut()
            .remove(HASH_LABEL);
    }
    without_nothing(&mut template);
    template
}

/// Takes out what the API does not tell apart from absence: nulls and empty lists; empty label maps too.
fn without_nothing(value: &mut Value) {
    for field in ["labels", "annotations", "creationTimestamp"] {
        if value.at("metadata").get(field).is_empty() && !value.get("metadata").is_null() {
            value.entry("metadata").map_mut().remove(field);
        }
    }
    drop_nulls(value);
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Map(_) => {
            let map = value.map_mut();
            for_each_value(map);
            map.retain(|_, v| !v.is_null() && !matches!(v, Value::List(l) if l.is_empty()));
        }
        Value::List(_) => value.list_mut().iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

fn for_each_value(map: &mut podscope_api::Map) {
    map.retain(|_, v| {
        drop_nulls(v);
        true
    });
}

/// The oldest ReplicaSet with the Deployment's template, as an index into `all`.
pub fn find_new(deployment: &Object, all: &[Rc<Object>]) -> Option<usize> {
    let template = comparable(deployment.at("spec.template"));
    all.iter()
        .enumerate()
        .filter(|(_, rs)| comparable(rs.at("spec.template")) == template)
        .min_by_key(|(_, rs)| age_key(rs))
        .map(|(i, _)| i)
}

/// The revision written on a ReplicaSet, 0 when none.
pub fn revision(replica_set: &Object) -> i64 {
    replica_set
        .annotation(REVISION)
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

/// `<deployment>-<hash>`, the first part cut so that the whole fits into a name.
pub fn name(deployment: &str, hash: &str) -> String {
    let room = MAX_NAME.saturating_sub(1 + hash.len());
    let prefix = match deployment.get(..room) {
        Some(cut) if room > 0 => cut,
        _ => deployment,
    };
    format!("{prefix}-{hash}")
}

/// Writes the desired and the greatest size; true when they were different.
pub fn annotate_sizes(replica_set: &mut Object, deployment: &Object) -> bool {
    let desired = replicas(deployment);
    let most = desired + max_surge(deployment);
    let a = annotate(replica_set, DESIRED, &desired.to_string());
    let b = annotate(replica_set, MAX, &most.to_string());
    a || b
}

/// Whether the sizes written on a ReplicaSet are not those of the Deployment.
pub fn sizes_differ(replica_set: &Object, deployment: &Object) -> bool {
    annotate_sizes(&mut replica_set.clone(), deployment)
}

/// Copies the Deployment's annotations and raises the revision of its new ReplicaSet; true when something changed.
pub fn annotate_new(replica_set: &mut Object, deployment: &Object, new_revision: i64) -> bool {
    let mut changed = false;
    for (key, text) in deployment.at("metadata.annotations").entries() {
        if !NOT_COPIED.contains(&&**key) {
            changed |= annotate(replica_set, key, text.str_or_empty());
        }
    }
    let old = replica_set.annotation(REVISION).map(str::to_string);
    if old.as_deref().is_some_and(|t| t.parse::<i64>().is_err()) {
        return changed;
    }
    if revision(replica_set) >= new_revision {
        return changed;
    }
    annotate(replica_set, REVISION, &new_revision.to_string());
    if let Some(old) = old {
        let before = replica_set.annotation(REVISION_HISTORY).unwrap_or("");
        let history = longer_history(before, &old);
        annotate(replica_set, REVISION_HISTORY, &history);
    }
    true
}

/// The comma list with one more revision; the oldest go when it gets too long.
fn longer_history(before: &str, old: &str) -> String {
    if before.is_empty() {
        return old.to_string();
    }
    let mut rest = before;
    while rest.len() + 1 + old.len() > MAX_HISTORY {
        match rest.split_once(',') {
            Some((_, later)) => rest = later,
            None => return old.to_string(),
        }
    }
    format!("{rest},{old}")
}

/// The ReplicaSet to create for the Deployment's template; its size is not set yet.
pub fn new_replica_set(deployment: &Object, hash: &str, new_revision: i64) -> Object {
    let mut template = deployment.at("spec.template").clone();
    template
        .at_mut("metadata.labels")
        .map_mut()
        .insert(HASH_LABEL, Value::str(hash));
    let mut selector = deployment.at("spec.selector").clone();
    selector
        .at_mut("matchLabels")
        .map_mut()
        .insert(HASH_LABEL, Value::str(hash));
    let mut object = Object(value!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": (name(deployment.name(), hash)),
            "namespace": (deployment.key().namespace),
            "labels": (template.at("metadata.labels").clone()),
            "ownerReferences": [(owner_reference(Kind::Deployment, deployment))]
        },
        "spec": {"replicas": 0, "selector": (selector), "template": (template)}
    }));
    let min_ready = deployment.at("spec.minReadySeconds").as_int().unwrap_or(0);
    if min_ready != 0 {
        object.set("spec.minReadySeconds", min_ready);
    }
    annotate_new(&mut object, deployment, new_revision);
    annotate_sizes(&mut object, deployment);
    object
}

/// The old ReplicaSets that `revisionHistoryLimit` does not leave, in the order of their deletion.
pub fn surplus_history(deployment: &Object, old: &[Rc<Object>]) -> Vec<Key> {
    let limit = match deployment.at("spec.revisionHistoryLimit").as_int() {
        Some(limit) if limit != i64::from(i32::MAX) => limit,
        _ => return Vec::new(),
    };
    let mut candidates: Vec<&Rc<Object>> = old.iter().filter(|rs| !rs.is_being_deleted()).collect();
    podscope_api::sort::by_key(&mut candidates, |rs| (revision(rs), age_key(rs)));
    let surplus = usize::try_from(
        i64::try_from(candidates.len())
            .unwrap_or(i64::MAX)
            .saturating_sub(limit)
            .max(0),
    )
    .unwrap_or(0);
    candidates
        .into_iter()
        .take(surplus)
        .filter(|rs| {
            status_count(rs, "replicas") == 0
                && replicas(rs) == 0
                && rs.generation() <= status_count(rs, "observedGeneration")
        })
        .map(|rs| rs.key())
        .collect()
}
