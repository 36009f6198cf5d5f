//! What the scheduler knows of a Pod, read once from the object.
//!
//! Models: `pkg/scheduler/framework/types.go` PodInfo (v1.36)

use super::affinity::PodAffinity;
use super::resources::{Resources, is_sidecar, pod_requests};
use podscope_api::{Key, Object, Text, Timestamp, Value};
use std::rc::Rc;

/// A port of the Node that a Pod wants or has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPort {
    /// The address, `0.0.0.0` for all.
    pub ip: Text,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: Text,
    /// The port.
    pub port: i64,
}

impl HostPort {
    /// Whether both cannot be had at once.
    pub fn clashes(&self, other: &HostPort) -> bool {
        const ALL: &str = "0.0.0.0";
        self.port == other.port
            && self.protocol == other.protocol
            && (self.ip == other.ip || self.ip.as_ref() == ALL || other.ip.as_ref() == ALL)
    }
}

/// A Pod as the scheduler sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PodInfo {
    /// The object.
    pub object: Object,
    /// Namespace and name.
    pub key: Key,
    /// `spec.priority`, 0 when unset.
    pub priority: i64,
    /// What it asks for.
    pub requests: Resources,
    /// CPU (thousandths) and memory (bytes) with defaults for containers that ask for none.
    pub non_zero: (i64, i64),
    /// Ports of the Node that it takes.
    pub ports: Vec<HostPort>,
    /// Affinity to other Pods, if any.
    pub affinity: Option<Rc<PodAffinity>>,
    /// True once its deletion was asked for.
    pub terminating: bool,
}

impl PodInfo {
    /// Reads a Pod.
    pub fn new(object: &Object) -> PodInfo {
        let key = object.key();
        let spec = object.spec();
        let (requests, non_zero) = pod_requests(object);
        let affinity = PodAffinity::parse(spec.get("affinity"), &key.namespace).map(Rc::new);
        PodInfo {
            priority: spec.get("priority").as_int().unwrap_or(0),
            requests,
            non_zero,
            ports: host_ports(spec),
            affinity,
            terminating: object.is_being_deleted(),
            key,
            object: object.clone(),
        }
    }

    /// `spec.nodeName`, or `""`.
    pub fn node_name(&self) -> &str {
        self.object.spec().get("nodeName").str_or_empty()
    }
    /// `status.nominatedNodeName`, or `""`.
    pub fn nominated(&self) -> &str {
        self.object.status().get("nominatedNodeName").str_or_empty()
    }
    /// `status.startTime`; a Pod that has not started counts as starting last.
    pub fn started(&self) -> Timestamp {
        let text = self.object.status().get("startTime").as_str();
        text.and_then(Timestamp::parse)
            .unwrap_or(Timestamp(i64::MAX))
    }
    /// The labels, a map or null.
    pub fn labels(&self) -> &Value {
        self.object.labels()
    }
    /// The same Pod after a change: parsed again only where something changed that is parsed.
    pub fn changed(&self, object: &Object) -> PodInfo {
        let same = same_but_for_node(object.spec(), self.object.spec())
            && object.labels() == self.labels()
            && !has_container_resources(object)
            && !has_container_resources(&self.object);
        if !same {
            return PodInfo::new(object);
        }
        PodInfo {
            object: object.clone(),
            terminating: object.is_being_deleted(),
            ..self.clone()
        }
    }
    /// Whether it is in the same place for every rule: only the object's other parts differ.
    pub fn counts_as(&self, other: &PodInfo) -> bool {
        self.requests == other.requests
            && self.non_zero == other.non_zero
            && self.labels() == other.labels()
            && self.affinity == other.affinity
            && self.ports == other.ports
            && self.terminating == other.terminating
    }
    /// The pod is finished: it takes no room any more.
    pub fn is_finished(object: &Object) -> bool {
        matches!(
            object.status().get("phase").as_str(),
            Some("Succeeded" | "Failed")
        )
    }
    /// Whether both are one Pod (and not one of the same name later).
    pub fn is_same(&self, other: &PodInfo) -> bool {
        self.key == other.key && self.object.uid() == other.object.uid()
    }
}

/// Whether two specs differ in nothing but the Node: what is parsed does not depend on it.
fn same_but_for_node(a: &Value, b: &Value) -> bool {
    fn others(spec: &Value) -> impl Iterator<Item = &(Text, Value)> {
        let entries = spec.entries().iter();
        entries.filter(|(key, _)| &**key != "nodeName")
    }
    others(a).eq(others(b))
}

/// Whether the kubelet has reported resources other than those asked for, as while resizing.
fn has_container_resources(object: &Object) -> bool {
    let reported = |field: &str| {
        let statuses = object.status().get(field).items();
        statuses.iter().any(|s| !s.get("resources").is_null())
    };
    reported("containerStatuses") || reported("initContainerStatuses")
}

fn host_ports(spec: &Value) -> Vec<HostPort> {
    let mut ports = Vec::new();
    let sidecars = spec
        .get("initContainers")
        .items()
        .iter()
        .filter(|c| is_sidecar(c));
    for container in spec.get("containers").items().iter().chain(sidecars) {
        for port in container.get("ports").items() {
            let Some(number) = port.get("hostPort").as_int().filter(|p| *p > 0) else {
                continue;
            };
            let or = |value: &Value, default: &str| {
                let text = value.as_text().filter(|t| !t.is_empty());
                text.cloned().unwrap_or_else(|| default.into())
            };
            ports.push(HostPort {
                ip: or(port.get("hostIP"), "0.0.0.0"),
                protocol: or(port.get("protocol"), "TCP"),
                port: number,
            });
        }
    }
    ports
}
