//! Defaults of Pods and Pod templates.
//!
//! Models: pkg/apis/core/v1/defaults.go (v1.36)

use super::{claim_spec, each, image, set, set_number, set_text};
use crate::apiserver::validation::pod::resources;
use podscope_api::{Quantity, Value};

const CONTAINER_LISTS: &[&str] = &["containers", "initContainers", "ephemeralContainers"];
const FILE_MODE: i64 = 0o644;

/// Annotations of releases that had no fields for init containers: they are dropped.
const INIT_ANNOTATIONS: &[&str] = &[
    "pod.beta.kubernetes.io/init-containers",
    "pod.alpha.kubernetes.io/init-containers",
    "pod.beta.kubernetes.io/init-container-statuses",
    "pod.alpha.kubernetes.io/init-container-statuses",
];

fn drop_init_annotations(object: &mut Value) {
    for key in INIT_ANNOTATIONS {
        if !object.at("metadata.annotations").get(key).is_null() {
            object.at_mut("metadata.annotations").map_mut().remove(key);
        }
    }
}

/// A Pod.
pub(super) fn pod(object: &mut Value) {
    drop_init_annotations(object);
    let spec = object.entry("spec");
    pod_spec(spec);
    // What follows holds for Pods only, not for templates.
    for list in ["containers", "initContainers"] {
        each(spec, list, requests_from_limits);
    }
    pod_level_requests(spec);
    set(spec, "enableServiceLinks", true);
    if spec.get("hostNetwork").is_true() {
        for list in ["containers", "initContainers"] {
            each(spec, list, |c| {
                each(c, "ports", |port| {
                    if port.get("hostPort").is_empty() {
                        let own = port.get("containerPort").clone();
                        port.set("hostPort", own);
                    }
                });
            });
        }
    }
    set(object, "status.phase", "Pending");
}

/// A Pod template.
pub(super) fn template(template: &mut Value) {
    drop_init_annotations(template);
    pod_spec(template.entry("spec"));
}

fn pod_spec(spec: &mut Value) {
    // The old name of the field and the new one are kept equal.
    let account = match spec.get("serviceAccountName") {
        Value::Null => spec.get("serviceAccount").clone(),
        name => name.clone(),
    };
    if !account.is_empty() {
        spec.set("serviceAccountName", account.clone());
        spec.set("serviceAccount", account);
    }
    set(spec, "dnsPolicy", "ClusterFirst");
    set(spec, "restartPolicy", "Always");
    set(spec, "securityContext", Value::map());
    set(spec, "terminationGracePeriodSeconds", 30);
    set(spec, "schedulerName", "default-scheduler");
    each(spec, "volumes", volume);
    for list in CONTAINER_LISTS {
        each(spec, list, container);
    }
    if !spec.get("overhead").is_null() {
        round_up(spec, "overhead");
    }
    if !spec.get("resources").is_null() {
        for field in ["resources.limits", "resources.requests"] {
            round_up(spec, field);
        }
    }
}

/// Rounds quantities finer than a thousandth up.
fn round_up(object: &mut Value, path: &str) {
    let mut changed: Vec<(podscope_api::Text, Value)> = Vec::new();
    for (name, value) in object.at(path).entries() {
        if let Some(mut quantity) = Quantity::from_value(value)
            && !quantity.round_up(-3)
        {
            changed.push((name.clone(), Value::from(quantity.to_string())));
        }
    }
    for (name, value) in changed {
        object.at_mut(path).map_mut().insert(name, value);
    }
}

fn container(c: &mut Value) {
    let image = c.get("image").str_or_empty();
    let policy = image::pull_policy(image);
    set(c, "imagePullPolicy", policy);
    set(c, "terminationMessagePath", "/dev/termination-log");
    set(c, "terminationMessagePolicy", "File");
    set(c, "resources", Value::map());
    for field in ["resources.limits", "resources.requests"] {
        round_up(c, field);
    }
    each(c, "ports", |port| set(port, "protocol", "TCP"));
    each(c, "env", |var| {
        field_ref(var, "valueFrom.fieldRef");
        if !var.at("valueFrom.fileKeyRef").is_null() {
            set(var, "valueFrom.fileKeyRef.optional", false);
        }
    });
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if c.get(probe).is_null() {
            continue;
        }
        let probe = c.entry(probe);
        for (field, default) in [
            ("timeoutSeconds", 1),
            ("periodSeconds", 10),
            ("successThreshold", 1),
            ("failureThreshold", 3),
        ] {
            set_number(probe, field, default);
        }
        http_get(probe);
        if !probe.get("grpc").is_null() {
            set_text(probe, "grpc.service");
        }
    }
    for hook in ["lifecycle.postStart", "lifecycle.preStop"] {
        if !c.at(hook).is_null() {
            http_get(c.at_mut(hook));
        }
    }
}

fn field_ref(object: &mut Value, path: &str) {
    if !object.at(path).is_null() {
        set(object.at_mut(path), "apiVersion", "v1");
    }
}

fn http_get(handler: &mut Value) {
    if !handler.get("httpGet").is_null() {
        let action = handler.entry("httpGet");
        set(action, "path", "/");
        set(action, "scheme", "HTTP");
    }
}

fn volume(v: &mut Value) {
    let sources = v
        .entries()
        .iter()
        .filter(|(k, value)| &**k != "name" && !value.is_null());
    if sources.count() == 0 {
        v.set("emptyDir", Value::map());
    }
    for source in ["secret", "configMap", "downwardAPI", "projected"] {
        if !v.get(source).is_null() {
            set(v.entry(source), "defaultMode", FILE_MODE);
        }
    }
    if !v.get("downwardAPI").is_null() {
        each(v.entry("downwardAPI"), "items", |item| {
            field_ref(item, "fieldRef")
        });
    }
    if !v.get("projected").is_null() {
        each(v.entry("projected"), "sources", |source| {
            if !source.get("downwardAPI").is_null() {
                each(source.entry("downwardAPI"), "items", |item| {
                    field_ref(item, "fieldRef")
                });
            }
            if !source.get("serviceAccountToken").is_null() {
                set(source, "serviceAccountToken.expirationSeconds", 3600);
            }
        });
    }
    for (source, defaults) in TEXT_DEFAULTS {
        if !v.get(source).is_null() {
            for (field, default) in *defaults {
                set(v.entry(source), field, *default);
            }
        }
    }
    if !v.get("hostPath").is_null() {
        set_text(v, "hostPath.type");
    }
    if !v.get("azureDisk").is_null() {
        set(v, "azureDisk.readOnly", false);
    }
    if !v.at("ephemeral.volumeClaimTemplate").is_null() {
        claim_spec(v.at_mut("ephemeral.volumeClaimTemplate.spec"));
    }
    if !v.get("image").is_null() {
        let policy = image::pull_policy(v.at("image.reference").str_or_empty());
        set(v, "image.pullPolicy", policy);
    }
}

/// Defaults of texts in volume sources.
const TEXT_DEFAULTS: &[(&str, &[(&str, &str)])] = &[
    ("iscsi", &[("iscsiInterface", "default")]),
    (
        "rbd",
        &[
            ("pool", "rbd"),
            ("user", "admin"),
            ("keyring", "/etc/ceph/keyring"),
        ],
    ),
    (
        "azureDisk",
        &[
            ("cachingMode", "ReadWrite"),
            ("kind", "Shared"),
            ("fsType", "ext4"),
        ],
    ),
    (
        "scaleIO",
        &[("storageMode", "ThinProvisioned"), ("fsType", "xfs")],
    ),
];

fn requests_from_limits(c: &mut Value) {
    let limits = c.at("resources.limits").clone();
    for (name, value) in limits.entries() {
        if c.at("resources.requests").get(name).is_null() {
            c.at_mut("resources.requests")
                .map_mut()
                .insert(name.clone(), value.clone());
        }
    }
}

/// Pod-level limits without requests: the containers' sum, else the limit itself.
fn pod_level_requests(spec: &mut Value) {
    let limits = spec.at("resources.limits").clone();
    if limits.is_empty() {
        return;
    }
    let sums = resources::aggregate(spec, "requests");
    for (name, value) in limits.entries() {
        if !spec.at("resources.requests").get(name).is_null() {
            continue;
        }
        let sum = sums.iter().find(|(n, _)| n.as_str() == &**name);
        let request = match sum {
            Some((_, quantity)) if resources::overcommit_allowed(name) => {
                Value::from(quantity.to_string())
            }
            _ => value.clone(),
        };
        spec.at_mut("resources.requests")
            .map_mut()
            .insert(name.clone(), request);
    }
}
