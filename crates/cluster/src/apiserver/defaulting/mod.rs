//! Defaulting: the fields that the server fills in when it decodes an object.
//!
//! All functions change the object in place and change nothing when run again.

mod autoscaler;
mod image;
mod job;
mod pod;
mod service;
mod workload;

use podscope_api::{Kind, Value};

pub use image::pull_policy;

/// Fills in the defaults of a kind.
pub fn apply(kind: Kind, object: &mut Value) {
    match kind {
        Kind::Pod => pod::pod(object),
        Kind::PodTemplate => pod::template(object.entry("template")),
        Kind::Deployment => workload::deployment(object),
        Kind::ReplicaSet | Kind::ReplicationController => workload::replica_set(kind, object),
        Kind::DaemonSet => workload::daemon_set(object),
        Kind::StatefulSet => workload::stateful_set(object),
        Kind::Job => job::job(object),
        Kind::CronJob => job::cron_job(object),
        Kind::Service => service::service(object),
        Kind::Namespace => namespace(object),
        Kind::Node => node(object),
        Kind::Secret => set(object, "type", "Opaque"),
        Kind::PersistentVolumeClaim => {
            set(object, "status.phase", "Pending");
            claim_spec(object.entry("spec"));
        }
        Kind::PersistentVolume => {
            set(object, "status.phase", "Pending");
            volume(object.entry("spec"));
        }
        Kind::StorageClass => {
            set(object, "reclaimPolicy", "Delete");
            set(object, "volumeBindingMode", "Immediate");
        }
        Kind::PriorityClass => set(object, "preemptionPolicy", "PreemptLowerPriority"),
        Kind::HorizontalPodAutoscaler => autoscaler::autoscaler(object),
        Kind::LimitRange => limit_range(object),
        Kind::Endpoints => endpoints(object),
        Kind::EndpointSlice => {
            for port in object.entry("ports").list_or_none() {
                set(port, "name", "");
                set(port, "protocol", "TCP");
            }
            drop_null(object, "ports");
        }
        Kind::NetworkPolicy => network_policy(object.entry("spec")),
        Kind::RoleBinding | Kind::ClusterRoleBinding => role_binding(object),
        Kind::MutatingWebhookConfiguration | Kind::ValidatingWebhookConfiguration => {
            webhooks(kind, object);
        }
        Kind::ValidatingAdmissionPolicy => admission_policy(object.entry("spec")),
        Kind::ValidatingAdmissionPolicyBinding if !object.at("spec.matchResources").is_null() => {
            match_resources(object.at_mut("spec.matchResources"));
        }
        _ => {}
    }
}

/// Writing into lists that may be missing.
pub(crate) trait ListExt {
    /// The items to change; nothing when this is not a list.
    fn list_or_none(&mut self) -> std::slice::IterMut<'_, Value>;
}

impl ListExt for Value {
    fn list_or_none(&mut self) -> std::slice::IterMut<'_, Value> {
        match self {
            Value::List(_) => self.list_mut().iter_mut(),
            _ => [].iter_mut(),
        }
    }
}

/// Calls `change` with every item of the list under `field`, without creating it.
pub(crate) fn each(object: &mut Value, field: &str, mut change: impl FnMut(&mut Value)) {
    if !object.get(field).items().is_empty() {
        for item in object.entry(field).list_or_none() {
            change(item);
        }
    }
}

/// Removes a field that is null.
fn drop_null(object: &mut Value, field: &str) {
    if object.get(field).is_null() {
        object.remove(field);
    }
}

/// Writes `value` at `path` when nothing, or empty text, stands there.
pub(crate) fn set(object: &mut Value, path: &str, value: impl Into<Value>) {
    let now = object.at(path);
    if now.is_null() || now.as_str() == Some("") {
        object.set(path, value);
    }
}

/// Writes a number at `path` when nothing or 0 stands there.
pub(crate) fn set_number(object: &mut Value, path: &str, value: i64) {
    if object.at(path).is_empty() {
        object.set(path, value);
    }
}

fn namespace(object: &mut Value) {
    set(object, "status.phase", "Active");
    // The label makes namespaces selectable by name.
    let name = object.at("metadata.name").clone();
    if !name.is_empty() {
        object
            .at_mut("metadata.labels")
            .map_mut()
            .insert("kubernetes.io/metadata.name", name);
    }
}

fn node(object: &mut Value) {
    let capacity = object.at("status.capacity").clone();
    if object.at("status.allocatable").is_null() && !capacity.is_null() {
        object.set("status.allocatable", capacity);
    }
}

/// `spec` of a PersistentVolumeClaim, also as a template.
pub(crate) fn claim_spec(spec: &mut Value) {
    set(spec, "volumeMode", "Filesystem");
}

fn volume(spec: &mut Value) {
    set(spec, "persistentVolumeReclaimPolicy", "Retain");
    set(spec, "volumeMode", "Filesystem");
    if !spec.get("hostPath").is_null() {
        set_text(spec, "hostPath.type");
    }
}

/// Writes `""` where nothing stands.
pub(crate) fn set_text(object: &mut Value, path: &str) {
    if object.at(path).is_null() {
        object.set(path, "");
    }
}

fn limit_range(object: &mut Value) {
    if object.at("spec.limits").items().is_empty() {
        return;
    }
    for item in object.at_mut("spec.limits").list_or_none() {
        if item.get("type").as_str() != Some("Container") {
            continue;
        }
        // default ← max; defaultRequest ← default, else min.
        fill(item, "default", "max");
        fill(item, "defaultRequest", "default");
        fill(item, "defaultRequest", "min");
    }
}

#[inline(never)]
fn fill(item: &mut Value, to: &str, from: &str) {
    for (key, value) in item.get(from).clone().entries() {
        if item.get(to).get(key).is_null() {
            item.entry(to).map_mut().insert(key.clone(), value.clone());
        }
    }
}

fn endpoints(object: &mut Value) {
    each(object, "subsets", |subset| {
        each(subset, "ports", |port| set(port, "protocol", "TCP"));
    });
}

fn network_policy(spec: &mut Value) {
    for rules in ["ingress", "egress"] {
        each(spec, rules, |rule| {
            each(rule, "ports", |port| set(port, "protocol", "TCP"));
        });
    }
    if spec.get("policyTypes").is_empty() {
        let mut types = vec![Value::str("Ingress")];
        if !spec.get("egress").is_empty() {
            types.push(Value::str("Egress"));
        }
        spec.set("policyTypes", types);
    }
}

fn role_binding(object: &mut Value) {
    let rbac = "rbac.authorization.k8s.io";
    set(object, "roleRef.apiGroup", rbac);
    each(object, "subjects", |subject| {
        match subject.get("kind").str_or_empty() {
            "User" | "Group" => set(subject, "apiGroup", rbac),
            _ => {}
        }
    });
}

#[inline(never)]
fn match_resources(value: &mut Value) {
    set(value, "matchPolicy", "Equivalent");
    for field in ["namespaceSelector", "objectSelector"] {
        set(value, field, Value::map());
    }
    for rules in ["resourceRules", "excludeResourceRules"] {
        each(value, rules, |rule| set(rule, "scope", "*"));
    }
}

fn admission_policy(spec: &mut Value) {
    set(spec, "failurePolicy", "Fail");
    if !spec.get("matchConstraints").is_null() {
        match_resources(spec.entry("matchConstraints"));
    }
}

#[inline(never)]
fn webhooks(kind: Kind, object: &mut Value) {
    each(object, "webhooks", |hook| {
        set(hook, "failurePolicy", "Fail");
        set(hook, "matchPolicy", "Equivalent");
        set_number(hook, "timeoutSeconds", 10);
        if kind == Kind::MutatingWebhookConfiguration {
            set(hook, "reinvocationPolicy", "Never");
        }
        for field in ["namespaceSelector", "objectSelector"] {
            set(hook, field, Value::map());
        }
        each(hook, "rules", |rule| set(rule, "scope", "*"));
        if !hook.at("clientConfig.service").is_null() {
            set_number(hook, "clientConfig.service.port", 443);
        }
    });
}
