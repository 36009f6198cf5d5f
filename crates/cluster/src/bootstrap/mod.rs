//! The objects of a cluster that has been set up and is at rest.

mod rbac;

use crate::config::{ClusterConfig, NodeConfig};
use crate::controllers::service_account::root_ca;
use podscope_api::{Kind, Object, Timestamp, Value, value};

/// What the scheduler watches.
pub const SCHEDULER_WATCHES: &[Kind] = &[
    Kind::Pod,
    Kind::Node,
    Kind::Namespace,
    Kind::Service,
    Kind::ReplicaSet,
    Kind::StatefulSet,
    Kind::ReplicationController,
    Kind::PodDisruptionBudget,
    Kind::PersistentVolume,
    Kind::PersistentVolumeClaim,
    Kind::StorageClass,
];

/// Codes of timers that go on for ever without anything being wrong or to come.
const LOOPS: &[&str] = &[];

/// Whether a timer belongs to a loop that never ends.
pub fn is_loop(code: &str) -> bool {
    LOOPS.contains(&code) || code.starts_with("loop.")
}

/// All objects, in the order in which they are created.
pub fn objects(config: &ClusterConfig) -> Vec<Object> {
    let created = Timestamp(config.epoch_micros - 3_600_000_000).seconds_text();
    let mut objects = Vec::new();
    if config.sidecar_webhook {
        objects.push(crate::apiserver::admission::webhook::sidecar_configuration());
    }
    if config.cpu_limit_policy {
        objects.extend(crate::apiserver::admission::validating_policy::cpu_limits());
    }
    for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
        objects.push(value!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": (name), "labels": {"kubernetes.io/metadata.name": (name)}},
            "spec": {"finalizers": ["kubernetes"]},
            "status": {"phase": "Active"}
        }));
        objects.push(value!({
            "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": "default", "namespace": (name)}
        }));
        objects.push(root_ca(name));
    }
    for (name, priority, description) in [
        (
            "system-node-critical",
            2_000_001_000_i64,
            "Used for system critical pods that must not be moved from their current node.",
        ),
        (
            "system-cluster-critical",
            2_000_000_000,
            "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
        ),
    ] {
        objects.push(value!({
            "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
            "metadata": {"name": (name), "generation": 1},
            "description": (description), "value": (priority), "preemptionPolicy": "PreemptLowerPriority"
        }));
    }
    objects.extend(rbac::objects());
    objects.extend(crate::election::leases(config.epoch_micros));
    objects.extend(kubernetes_service());
    objects.extend(
        config
            .nodes
            .iter()
            .enumerate()
            .map(|(i, n)| node(i, n, config)),
    );
    objects.extend(config.nodes.iter().map(|n| {
        value!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": (n.name.clone()), "namespace": "kube-node-lease"},
            "spec": {"holderIdentity": (n.name.clone()), "leaseDurationSeconds": 40,
                "renewTime": (Timestamp(config.epoch_micros - 1_000_000).micros_text())}
        })
    }));
    objects
        .into_iter()
        .map(|mut object| {
            if object.at("metadata.creationTimestamp").is_null() {
                object.set("metadata.creationTimestamp", created.clone());
            }
            Object(object)
        })
        .collect()
}

/// The Service by which Pods reach the API server, with its EndpointSlice.
fn kubernetes_service() -> [Value; 2] {
    [
        value!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "kubernetes", "namespace": "default",
                "labels": {"component": "apiserver", "provider": "kubernetes"}},
            "spec": {
                "clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1"],
                "internalTrafficPolicy": "Cluster", "ipFamilies": ["IPv4"],
                "ipFamilyPolicy": "SingleStack",
                "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
                "sessionAffinity": "None", "type": "ClusterIP"
            },
            "status": {"loadBalancer": {}}
        }),
        value!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": "kubernetes", "namespace": "default", "generation": 1,
                "labels": {"kubernetes.io/service-name": "kubernetes"}},
            "endpoints": [{"addresses": ["192.168.1.10"], "conditions": {"ready": true}}],
            "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}]
        }),
    ]
}

/// A worker's Node, Ready, as its kubelet registered it.
fn node(index: usize, config: &NodeConfig, cluster: &ClusterConfig) -> Value {
    let name = config.name.clone();
    let mut labels = value!({
        "beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux",
        "kubernetes.io/hostname": (name.clone())
    });
    if !config.zone.is_empty() {
        labels
            .map_mut()
            .insert("topology.kubernetes.io/zone", config.zone.clone().into());
    }
    for (key, text) in &config.labels {
        labels.map_mut().insert(key.clone(), text.clone().into());
    }
    let cidr = format!("10.244.{}.0/24", index + 1);
    let mut resources =
        value!({"ephemeral-storage": "104857600Ki", "hugepages-1Gi": "0", "hugepages-2Mi": "0"});
    resources.set(
        "cpu",
        if config.milli_cpu % 1000 == 0 {
            (config.milli_cpu / 1000).to_string()
        } else {
            format!("{}m", config.milli_cpu)
        },
    );
    resources.set("memory", format!("{}Ki", config.memory_bytes / 1024));
    resources.set("pods", config.max_pods.to_string());
    for (resource, count) in &config.extended {
        resources
            .map_mut()
            .insert(resource.clone(), count.to_string().into());
    }
    let heartbeat = Timestamp(cluster.epoch_micros - 60_000_000).seconds_text();
    let condition = |kind: &str, status: &str, reason: &str, message: &str| {
        value!({"type": (kind), "status": (status), "reason": (reason), "message": (message),
            "lastHeartbeatTime": (heartbeat.clone()),
            "lastTransitionTime": (Timestamp(cluster.epoch_micros - 3_590_000_000).seconds_text())})
    };
    let conditions = Value::list([
        condition(
            "MemoryPressure",
            "False",
            "KubeletHasSufficientMemory",
            "kubelet has sufficient memory available",
        ),
        condition(
            "DiskPressure",
            "False",
            "KubeletHasNoDiskPressure",
            "kubelet has no disk pressure",
        ),
        condition(
            "PIDPressure",
            "False",
            "KubeletHasSufficientPID",
            "kubelet has sufficient PID available",
        ),
        condition(
            "Ready",
            "True",
            "KubeletReady",
            "kubelet is posting ready status",
        ),
    ]);
    let mut node = value!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": (name.clone()), "labels": (labels),
            "annotations": {"node.alpha.kubernetes.io/ttl": "0"}},
        "spec": {"podCIDR": (cidr.clone()), "podCIDRs": [(cidr)]},
        "status": {
            "capacity": (resources.clone()), "allocatable": (resources),
            "conditions": (conditions),
            "addresses": [
                {"type": "InternalIP", "address": (format!("192.168.1.{}", index + 11))},
                {"type": "Hostname", "address": (name)}
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {
                "architecture": "amd64", "bootID": "", "machineID": "", "systemUUID": "",
                "containerRuntimeVersion": "containerd://2.1.4",
                "kernelVersion": "6.12.0", "kubeProxyVersion": "", "kubeletVersion": "v1.36.2",
                "operatingSystem": "linux", "osImage": "Debian GNU/Linux 13 (trixie)"
            }
        }
    });
    if !config.taints.is_empty() {
        let taints = config.taints.iter().map(|(key, value, effect)| {
            let mut taint = value!({"key": (key.clone()), "effect": (effect.clone())});
            if !value.is_empty() {
                taint.set("value", value.clone());
            }
            taint
        });
        node.set("spec.taints", Value::list(taints));
    }
    node
}
