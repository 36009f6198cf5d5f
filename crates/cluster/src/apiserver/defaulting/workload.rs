//! Defaults of Deployments, ReplicaSets, DaemonSets and StatefulSets.
//!
//! Models: pkg/apis/apps/v1/defaults.go (v1.36)

use super::{claim_spec, each, pod, set, set_number};
use podscope_api::{Kind, Value};

/// A Deployment.
pub(super) fn deployment(object: &mut Value) {
    let spec = object.entry("spec");
    pod::template(spec.entry("template"));
    set(spec, "replicas", 1);
    set(spec, "strategy.type", "RollingUpdate");
    if spec.at("strategy.type").as_str() == Some("RollingUpdate") {
        set(spec, "strategy.rollingUpdate.maxUnavailable", "25%");
        set(spec, "strategy.rollingUpdate.maxSurge", "25%");
    }
    set(spec, "revisionHistoryLimit", 10);
    set(spec, "progressDeadlineSeconds", 600);
}

/// A ReplicaSet or ReplicationController.
pub(super) fn replica_set(kind: Kind, object: &mut Value) {
    let labels = object.at("spec.template.metadata.labels").clone();
    if kind == Kind::ReplicationController && !labels.is_empty() {
        set(object, "spec.selector", labels.clone());
        set(object, "metadata.labels", labels);
    }
    let spec = object.entry("spec");
    if kind == Kind::ReplicaSet || !spec.get("template").is_null() {
        pod::template(spec.entry("template"));
    }
    set(spec, "replicas", 1);
}

/// A DaemonSet.
pub(super) fn daemon_set(object: &mut Value) {
    let spec = object.entry("spec");
    pod::template(spec.entry("template"));
    set(spec, "updateStrategy.type", "RollingUpdate");
    if spec.at("updateStrategy.type").as_str() == Some("RollingUpdate") {
        set(spec, "updateStrategy.rollingUpdate.maxUnavailable", 1);
        set(spec, "updateStrategy.rollingUpdate.maxSurge", 0);
    }
    set(spec, "revisionHistoryLimit", 10);
}

/// A StatefulSet.
#[inline(never)]
pub(super) fn stateful_set(object: &mut Value) {
    let spec = object.entry("spec");
    pod::template(spec.entry("template"));
    set(spec, "podManagementPolicy", "OrderedReady");
    if spec.at("updateStrategy.type").is_empty() {
        spec.set("updateStrategy.type", "RollingUpdate");
        set(spec, "updateStrategy.rollingUpdate", Value::map());
    }
    let rolling = !spec.at("updateStrategy.rollingUpdate").is_null();
    if rolling && spec.at("updateStrategy.type").as_str() == Some("RollingUpdate") {
        set(spec, "updateStrategy.rollingUpdate.partition", 0);
    }
    set(
        spec,
        "persistentVolumeClaimRetentionPolicy.whenDeleted",
        "Retain",
    );
    set(
        spec,
        "persistentVolumeClaimRetentionPolicy.whenScaled",
        "Retain",
    );
    set(spec, "replicas", 1);
    set(spec, "revisionHistoryLimit", 10);
    each(spec, "volumeClaimTemplates", |claim| {
        set(claim, "apiVersion", "v1");
        set(claim, "kind", "PersistentVolumeClaim");
        set(claim, "status.phase", "Pending");
        claim_spec(claim.entry("spec"));
    });
    if !spec.get("ordinals").is_null() {
        set_number(spec, "ordinals.start", 0);
    }
}
