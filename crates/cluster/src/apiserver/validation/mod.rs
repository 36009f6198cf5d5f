//! Validation of new and changed objects: which fields are wrong, and in which words.
//!
//! All functions expect objects that were decoded and defaulted, and collect every error.

mod autoscaler;
mod core;
pub mod cron;
pub mod diff;
pub mod field;
mod job;
pub mod meta;
pub mod names;
mod other;
pub(crate) mod pod;
pub(crate) mod service;
mod storage;
mod workload;

use field::{Errors, Path};
use meta::NameRule;
use podscope_api::{Cause, Kind, Status, Value};

/// How the names of a kind are checked.
fn name_rule(kind: Kind) -> NameRule {
    let check: names::Check = match kind {
        Kind::Namespace | Kind::Service | Kind::StatefulSet => names::label,
        Kind::Role | Kind::RoleBinding | Kind::ClusterRole | Kind::ClusterRoleBinding => {
            meta::path_segment
        }
        _ => names::subdomain,
    };
    NameRule {
        check,
        namespaced: kind.namespaced(),
    }
}

/// What is wrong with a new object.
pub fn create(kind: Kind, object: &Value) -> Vec<Cause> {
    let mut errors = Errors::default();
    let e = &mut errors;
    if kind == Kind::Pod {
        pod::create(e, object);
        return errors.0;
    }
    meta::create(e, object.get("metadata"), name_rule(kind));
    body(e, kind, object, None);
    match kind {
        Kind::CronJob => job::cron_job(e, object),
        Kind::ResourceQuota => core::quota_status(e, object),
        Kind::Job => job::job(e, object),
        _ => {}
    }
    errors.0
}

/// What is checked alike in new and changed objects of a kind.
fn body(e: &mut Errors, kind: Kind, object: &Value, old: Option<&Value>) {
    let spec = object.get("spec");
    match kind {
        Kind::Deployment => workload::deployment(e, spec),
        Kind::ReplicaSet => workload::replica_set(e, spec),
        Kind::ReplicationController => workload::replication_controller(e, spec),
        Kind::DaemonSet => workload::daemon_set(e, spec),
        Kind::StatefulSet => workload::stateful_set(e, spec),
        Kind::PodTemplate => pod::template(e, &Path::root("template"), object.get("template")),
        Kind::Service => service::service(e, object, old),
        Kind::ConfigMap => core::config_map(e, object),
        Kind::Secret => core::secret(e, object),
        Kind::Namespace => core::namespace(e, object),
        Kind::Node => core::node(e, object),
        Kind::LimitRange => core::limit_range(e, object),
        Kind::ResourceQuota => core::quota_spec(e, object),
        Kind::Endpoints => core::endpoints(e, object),
        Kind::PersistentVolumeClaim => storage::claim_spec(e, &Path::root("spec"), spec),
        Kind::PersistentVolume => storage::volume(e, spec),
        Kind::StorageClass => storage::class(e, object),
        Kind::PodDisruptionBudget => other::disruption_budget(e, object),
        Kind::PriorityClass => other::priority_class(e, object),
        Kind::HorizontalPodAutoscaler => autoscaler::autoscaler(e, object),
        Kind::Ingress => other::ingress(e, object),
        Kind::NetworkPolicy => other::network_policy(e, object),
        Kind::Role => other::role(e, object, true),
        Kind::ClusterRole => other::role(e, object, false),
        Kind::RoleBinding => other::role_binding(e, object, true),
        Kind::ClusterRoleBinding => other::role_binding(e, object, false),
        Kind::Lease => other::lease(e, object),
        Kind::EndpointSlice => other::endpoint_slice(e, object),
        Kind::RuntimeClass => other::runtime_class(e, object),
        _ => {}
    }
}

/// What is wrong with a changed object; `subresource` is empty, `status`, `resize` or `ephemeralcontainers`.
pub fn update(kind: Kind, subresource: &str, new: &Value, old: &Value) -> Vec<Cause> {
    let mut errors = Errors::default();
    let e = &mut errors;
    // The server checks metadata once for all kinds, then lets the kind check it again.
    meta::update(e, new.get("metadata"), old.get("metadata"));
    match (kind, subresource) {
        (Kind::Pod, "ephemeralcontainers") => pod::ephemeral_containers(e, new, old),
        (Kind::Pod, "resize") => pod::resize(e, new, old),
        (_, "status") => {
            meta::kind_update(e, new.get("metadata"), old.get("metadata"));
            status(e, kind, new);
        }
        (Kind::Pod, _) => pod::update(e, new, old),
        _ => {
            meta::kind_update(e, new.get("metadata"), old.get("metadata"));
            whole(e, kind, new, old);
        }
    }
    errors.0
}

fn status(e: &mut Errors, kind: Kind, new: &Value) {
    match kind {
        Kind::Deployment => workload::deployment_status(e, new.get("status")),
        Kind::ReplicaSet => workload::replica_set_status(e, new.get("status")),
        Kind::Service => service::status(e, new),
        Kind::ResourceQuota => core::quota_status(e, new),
        _ => {}
    }
}

#[inline(never)]
fn whole(e: &mut Errors, kind: Kind, new: &Value, old: &Value) {
    let selector_path = &Path::root("spec").f("selector").to_string();
    match kind {
        Kind::Service => return service::update(e, new, old),
        Kind::Job => return job::job_update(e, new, old),
        Kind::CronJob => return job::cron_spec(e, new.get("spec")),
        Kind::ConfigMap => core::kept_immutable(e, new, old, &["data", "binaryData"]),
        Kind::Secret => {
            meta::immutable(e, &Path::root("type"), new.get("type"), old.get("type"));
            core::kept_immutable(e, new, old, &["data"]);
        }
        Kind::Node => core::node_update(e, new, old),
        Kind::Namespace => return,
        Kind::PriorityClass => return other::priority_class_update(e, new, old),
        Kind::StatefulSet => return workload::stateful_set_update(e, new, old),
        Kind::PersistentVolumeClaim => {
            body(e, kind, new, Some(old));
            return storage::claim_update(e, new, old);
        }
        _ => {}
    }
    body(e, kind, new, Some(old));
    match kind {
        Kind::Deployment | Kind::ReplicaSet | Kind::DaemonSet => {
            let (now, was) = (new.at("spec.selector"), old.at("spec.selector"));
            if now != was {
                e.invalid_text(
                    &Path::root(selector_path),
                    &meta::print_selector(now),
                    "field is immutable",
                );
            }
        }
        Kind::ResourceQuota => core::quota_update(e, new, old),
        Kind::RoleBinding | Kind::ClusterRoleBinding => other::role_ref_kept(e, new, old),
        _ => {}
    }
}

/// The server's answer about an object with errors: `422 Invalid`.
pub fn invalid(kind: Kind, name: &str, causes: Vec<Cause>) -> Status {
    Status::invalid(kind.group(), kind.name(), name, causes)
}
