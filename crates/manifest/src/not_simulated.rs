//! Fields that are stored and shown but change nothing in the simulation.

use podscope_api::{Kind, Value};

/// Paths below a pod's spec, with `[]` for every item and `{}` for every map value.
const POD_SPEC: &[&str] = &[
    "dnsConfig",
    "dnsPolicy",
    "hostAliases",
    "hostIPC",
    "hostPID",
    "hostUsers",
    "hostname",
    "hostnameOverride",
    "os",
    "schedulingGroup",
    "securityContext",
    "setHostnameAsFQDN",
    "shareProcessNamespace",
    "subdomain",
];

/// Paths below a container.
const CONTAINER: &[&str] = &[
    "lifecycle.stopSignal",
    "resizePolicy",
    "securityContext",
    "stdin",
    "stdinOnce",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "tty",
    "volumeDevices",
    "workingDir",
];

/// Paths of other kinds.
const OTHERS: &[(Kind, &[&str])] = &[
    (
        Kind::Service,
        &[
            "spec.externalIPs",
            "spec.externalName",
            "spec.loadBalancerClass",
            "spec.loadBalancerIP",
            "spec.loadBalancerSourceRanges",
            "spec.trafficDistribution",
        ],
    ),
    (Kind::Ingress, &["spec"]),
    (Kind::IngressClass, &["spec"]),
    (Kind::NetworkPolicy, &["spec"]),
    (Kind::RuntimeClass, &["handler"]),
    (Kind::Job, &["spec.managedBy"]),
    (Kind::CronJob, &["spec.timeZone"]),
    (
        Kind::StatefulSet,
        &["spec.persistentVolumeClaimRetentionPolicy"],
    ),
    (
        Kind::PersistentVolumeClaim,
        &[
            "spec.dataSource",
            "spec.dataSourceRef",
            "spec.volumeAttributesClassName",
        ],
    ),
    (Kind::PersistentVolume, &["spec.mountOptions"]),
    (
        Kind::StorageClass,
        &["allowVolumeExpansion", "mountOptions", "parameters"],
    ),
];

/// Where a kind keeps pod specs.
fn pod_spec_path(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Pod => "spec",
        Kind::PodTemplate => "template.spec",
        Kind::Deployment
        | Kind::ReplicaSet
        | Kind::ReplicationController
        | Kind::DaemonSet
        | Kind::StatefulSet
        | Kind::Job => "spec.template.spec",
        Kind::CronJob => "spec.jobTemplate.spec.template.spec",
        _ => return None,
    })
}

/// The paths of all fields of an object that are given but not acted on, in the order of the tables.
pub fn not_simulated(kind: Kind, object: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (_, paths) in OTHERS.iter().filter(|(k, _)| *k == kind) {
        for path in *paths {
            collect(object, path, String::new(), &mut found);
        }
    }
    if let Some(base) = pod_spec_path(kind) {
        let spec = object.at(base);
        for path in POD_SPEC {
            collect(spec, path, base.to_string(), &mut found);
        }
        for list in ["initContainers", "containers"] {
            for (i, container) in spec.get(list).items().iter().enumerate() {
                for path in CONTAINER {
                    collect(container, path, format!("{base}.{list}[{i}]"), &mut found);
                }
            }
        }
    }
    found
}

/// Whether the field at a path (without indexes) is acted on.
pub fn is_simulated(kind: Kind, path: &[&str]) -> bool {
    let path = path.join(".");
    let within = |base: &str, patterns: &[&str]| {
        let rest = match base {
            "" => Some(path.as_str()),
            _ => path.strip_prefix(base).and_then(|r| r.strip_prefix('.')),
        };
        rest.is_some_and(|rest| {
            patterns.iter().any(|pattern| {
                rest.strip_prefix(pattern)
                    .is_some_and(|after| after.is_empty() || after.starts_with('.'))
            })
        })
    };
    let others = OTHERS.iter().filter(|(k, _)| *k == kind);
    let mut found = others.flat_map(|(_, paths)| paths.iter());
    if found.any(|pattern| within("", &[pattern])) {
        return false;
    }
    let Some(base) = pod_spec_path(kind) else {
        return true;
    };
    let containers = ["initContainers", "containers"];
    !within(base, POD_SPEC)
        && !containers
            .iter()
            .any(|list| within(&[base, ".", list].concat(), CONTAINER))
}

fn collect(value: &Value, pattern: &str, path: String, found: &mut Vec<String>) {
    let (head, rest) = pattern.split_once('.').unwrap_or((pattern, ""));
    let (name, every) = match head.strip_suffix("[]") {
        Some(name) => (name, true),
        None => (head, false),
    };
    let value = value.get(name);
    if value.is_null() {
        return;
    }
    let path = crate::explain::join(&path, name);
    let items: Vec<(String, &Value)> = if every {
        let items = value.items().iter().enumerate();
        items.map(|(i, v)| (format!("{path}[{i}]"), v)).collect()
    } else {
        vec![(path, value)]
    };
    for (path, value) in items {
        if rest.is_empty() {
            found.push(path);
        } else {
            collect(value, rest, path, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use podscope_api::{schema, value};

    #[test]
    fn paths_are_found_where_they_are_given() {
        let deployment = value!({"spec": {"template": {"spec": {
            "hostname": "x",
            "containers": [{"name": "a"}, {"name": "b", "tty": true, "lifecycle": {"stopSignal": "SIGINT"}}],
        }}}});
        assert_eq!(
            not_simulated(Kind::Deployment, &deployment),
            [
                "spec.template.spec.hostname",
                "spec.template.spec.containers[1].lifecycle.stopSignal",
                "spec.template.spec.containers[1].tty",
            ]
        );
        assert!(not_simulated(Kind::Pod, &value!({"spec": {"nodeName": "w1"}})).is_empty());
    }

    #[test]
    fn every_path_is_a_field() {
        let known = |kind: Kind, path: &str| {
            let parts: Vec<&str> = path.split('.').map(|p| p.trim_end_matches("[]")).collect();
            schema::field(kind, &parts).is_some()
        };
        for path in POD_SPEC {
            assert!(known(Kind::Pod, &format!("spec.{path}")), "{path}");
        }
        for path in CONTAINER {
            assert!(
                known(Kind::Pod, &format!("spec.containers.{path}")),
                "{path}"
            );
        }
        for (kind, paths) in OTHERS {
            for path in *paths {
                assert!(known(*kind, path), "{kind} {path}");
            }
        }
    }
}
