//! Cells by column title.

use super::{Cell, since, workload};
use crate::text::{or, or_none};
use podscope_api::selector::Selector;
use podscope_api::{Kind, Object, Timestamp, Value};

/// An object and when it is looked at.
pub(super) struct Of<'a> {
    pub object: &'a Object,
    pub now: Timestamp,
}

/// `a=b,c=d`, or `<none>`.
pub(crate) fn labels(map: &Value) -> String {
    let pairs = map
        .entries()
        .iter()
        .map(|(k, v)| format!("{k}={}", v.str_or_empty()));
    or_none(&pairs.collect::<Vec<_>>().join(",")).to_string()
}

impl Of<'_> {
    fn int(&self, path: &str) -> Cell {
        Cell::Int(self.object.at(path).as_int().unwrap_or(0))
    }
    fn str(&self, path: &str) -> Cell {
        self.object.at(path).str_or_empty().into()
    }
    fn or(&self, path: &str, stand_in: &str) -> Cell {
        match workload::text(self.object.at(path)) {
            text if text.is_empty() => stand_in.into(),
            text => text.into(),
        }
    }
    fn or_none(&self, path: &str) -> Cell {
        self.or(path, "<none>")
    }
    fn count(&self, path: &str) -> i64 {
        let value = self.object.at(path);
        (value.items().len() + value.entries().len()) as i64
    }

    /// The Pod template's spec.
    fn template(&self, kind: Kind) -> &Value {
        self.object.at(match kind {
            Kind::CronJob => "spec.jobTemplate.spec.template.spec",
            Kind::PodTemplate => "template.spec",
            _ => "spec.template.spec",
        })
    }

    fn ratio(&self, ready: &str) -> Cell {
        let number = |path: &str| self.object.at(path).as_int().unwrap_or(0);
        format!("{}/{}", number(ready), number("spec.replicas")).into()
    }

    fn subjects(&self, kind: &str) -> Cell {
        let subjects = self.object.get("subjects").items().iter();
        let names = subjects
            .filter(|s| s.get("kind").as_str() == Some(kind))
            .map(|s| {
                let name = s.get("name").str_or_empty();
                match s.get("namespace").str_or_empty() {
                    "" => name.to_string(),
                    namespace => format!("{namespace}/{name}"),
                }
            });
        names.collect::<Vec<_>>().join(", ").into()
    }

    pub fn cell(&self, kind: Kind, title: &str) -> Cell {
        use Kind::*;
        let o = self.object;
        match (kind, title) {
            (StorageClass, "NAME") => {
                let default = o.annotation("storageclass.kubernetes.io/is-default-class");
                let mark = if default == Some("true") {
                    " (default)"
                } else {
                    ""
                };
                format!("{}{mark}", o.name()).into()
            }
            (_, "NAME") => o.name().into(),
            (_, "AGE") => since(o.at("metadata.creationTimestamp"), self.now).into(),
            (_, "CREATED AT") => self.str("metadata.creationTimestamp"),
            (_, "CONTAINERS") => workload::containers(self.template(kind), "name").into(),
            (_, "IMAGES") => workload::containers(self.template(kind), "image").into(),
            (Service | ReplicationController, "SELECTOR") => labels(o.at("spec.selector")).into(),
            (CronJob, "SELECTOR") => {
                Selector::describe(o.at("spec.jobTemplate.spec.selector")).into()
            }
            (_, "SELECTOR") => Selector::describe(o.at("spec.selector")).into(),

            (Deployment | StatefulSet, "READY") => self.ratio("status.readyReplicas"),
            (Deployment, "UP-TO-DATE") => self.int("status.updatedReplicas"),
            (Deployment, "AVAILABLE") => self.int("status.availableReplicas"),
            (ReplicaSet | ReplicationController, "DESIRED") => self.int("spec.replicas"),
            (ReplicaSet | ReplicationController, "CURRENT") => self.int("status.replicas"),
            (ReplicaSet | ReplicationController, "READY") => self.int("status.readyReplicas"),
            (DaemonSet, "DESIRED") => self.int("status.desiredNumberScheduled"),
            (DaemonSet, "CURRENT") => self.int("status.currentNumberScheduled"),
            (DaemonSet, "READY") => self.int("status.numberReady"),
            (DaemonSet, "UP-TO-DATE") => self.int("status.updatedNumberScheduled"),
            (DaemonSet, "AVAILABLE") => self.int("status.numberAvailable"),
            (DaemonSet, "NODE SELECTOR") => labels(self.template(kind).get("nodeSelector")).into(),
            (Job, "STATUS") => workload::job_status(o).into(),
            (Job, "COMPLETIONS") => workload::job_completions(o).into(),
            (Job, "DURATION") => workload::job_duration(o, self.now).into(),
            (CronJob, "SCHEDULE") => self.str("spec.schedule"),
            (CronJob, "TIMEZONE") => self.or_none("spec.timeZone"),
            (CronJob, "SUSPEND") => match o.at("spec.suspend") {
                Value::Bool(true) => "True".into(),
                Value::Bool(false) => "False".into(),
                _ => "<unset>".into(),
            },
            (CronJob, "ACTIVE") => self.count("status.active").into(),
            (CronJob, "LAST SCHEDULE") => workload::last_schedule(o, self.now).into(),

            (Node, "STATUS") => workload::node_status(o).into(),
            (Node, "ROLES") => workload::node_roles(o).into(),
            (Node, "VERSION") => self.str("status.nodeInfo.kubeletVersion"),
            (Node, "INTERNAL-IP") => workload::node_address(o, "InternalIP").into(),
            (Node, "EXTERNAL-IP") => workload::node_address(o, "ExternalIP").into(),
            (Node, "OS-IMAGE") => workload::node_info(o, "osImage").into(),
            (Node, "KERNEL-VERSION") => {
                let kernel = workload::node_info(o, "kernelVersion");
                match o.at("status.nodeInfo.architecture").str_or_empty() {
                    "" => kernel.into(),
                    architecture => format!("{kernel} ({architecture})").into(),
                }
            }
            (Node, "CONTAINER-RUNTIME") => workload::node_info(o, "containerRuntimeVersion").into(),

            (Service, "TYPE") => self.str("spec.type"),
            (Service, "CLUSTER-IP") => {
                let first = o.at("spec.clusterIPs").index(0).str_or_empty();
                or_none(or(first, o.at("spec.clusterIP").str_or_empty())).into()
            }
            (Service, "EXTERNAL-IP") => workload::external_ip(o).into(),
            (Service, "PORT(S)") => workload::service_ports(o).into(),
            (Endpoints, "ENDPOINTS") => workload::endpoints(o).into(),
            (EndpointSlice, "ADDRESSTYPE") => self.str("addressType"),
            (EndpointSlice, "PORTS") => workload::slice_ports(o).into(),
            (EndpointSlice, "ENDPOINTS") => workload::slice_endpoints(o).into(),

            (Namespace, "STATUS") => self.str("status.phase"),
            (ConfigMap, "DATA") => (self.count("data") + self.count("binaryData")).into(),
            (Secret, "DATA") => self.count("data").into(),
            (Secret, "TYPE") => self.str("type"),
            (ResourceQuota, "REQUEST") => workload::quota(o, false).into(),
            (ResourceQuota, "LIMIT") => workload::quota(o, true).into(),
            (PodDisruptionBudget, "MIN AVAILABLE") => self.or("spec.minAvailable", "N/A"),
            (PodDisruptionBudget, "MAX UNAVAILABLE") => self.or("spec.maxUnavailable", "N/A"),
            (PodDisruptionBudget, _) => self.int("status.disruptionsAllowed"),
            (HorizontalPodAutoscaler, "REFERENCE") => {
                let target = o.at("spec.scaleTargetRef");
                let part = |field: &str| target.get(field).str_or_empty();
                format!("{}/{}", part("kind"), part("name")).into()
            }
            (HorizontalPodAutoscaler, "TARGETS") => workload::hpa_targets(o).into(),
            (HorizontalPodAutoscaler, "MINPODS") => self.or("spec.minReplicas", "<unset>"),
            (HorizontalPodAutoscaler, "MAXPODS") => self.int("spec.maxReplicas"),
            (HorizontalPodAutoscaler, _) => self.int("status.currentReplicas"),
            (Lease, _) => self.str("spec.holderIdentity"),
            (PriorityClass, "VALUE") => self.int("value"),
            (PriorityClass, "GLOBAL-DEFAULT") => {
                o.get("globalDefault").is_true().to_string().into()
            }
            (PriorityClass, _) => self.str("preemptionPolicy"),
            (RuntimeClass, _) => self.str("handler"),
            (StorageClass, "PROVISIONER") => self.str("provisioner"),
            (StorageClass, "RECLAIMPOLICY") => self.or("reclaimPolicy", "Delete"),
            (StorageClass, "VOLUMEBINDINGMODE") => self.or("volumeBindingMode", "<unset>"),
            (StorageClass, _) => o.get("allowVolumeExpansion").is_true().to_string().into(),

            (PersistentVolume | PersistentVolumeClaim, "STATUS") if o.is_being_deleted() => {
                "Terminating".into()
            }
            (PersistentVolume | PersistentVolumeClaim, "STATUS") => self.str("status.phase"),
            (PersistentVolume, "CAPACITY") => self.or("spec.capacity.storage", ""),
            (PersistentVolume, "ACCESS MODES") => {
                workload::access_modes(o.at("spec.accessModes")).into()
            }
            (PersistentVolume, "RECLAIM POLICY") => self.str("spec.persistentVolumeReclaimPolicy"),
            (PersistentVolume, "CLAIM") => match o.at("spec.claimRef") {
                Value::Null => "".into(),
                claim => {
                    let part = |field: &str| claim.get(field).str_or_empty();
                    format!("{}/{}", part("namespace"), part("name")).into()
                }
            },
            (PersistentVolume, "REASON") => self.str("status.reason"),
            (PersistentVolumeClaim, "VOLUME") => self.str("spec.volumeName"),
            (PersistentVolumeClaim, "CAPACITY") => match o.at("spec.volumeName") {
                Value::Null => "".into(),
                _ => self.or("status.capacity.storage", ""),
            },
            (PersistentVolumeClaim, "ACCESS MODES") => match o.at("spec.volumeName") {
                Value::Null => "".into(),
                _ => workload::access_modes(o.at("status.accessModes")).into(),
            },
            (PersistentVolume | PersistentVolumeClaim, "STORAGECLASS") => {
                self.str("spec.storageClassName")
            }
            (PersistentVolume | PersistentVolumeClaim, "VOLUMEATTRIBUTESCLASS") => {
                self.or("spec.volumeAttributesClassName", "<unset>")
            }
            (PersistentVolume | PersistentVolumeClaim, _) => self.or("spec.volumeMode", "<unset>"),

            (PodTemplate, _) => labels(o.at("template.metadata.labels")).into(),
            (ControllerRevision, "CONTROLLER") => match o.controller() {
                None => "<none>".into(),
                Some(owner) => {
                    let group = owner.api_version.split_once('/').map_or("", |(g, _)| g);
                    let kind = owner.kind.to_ascii_lowercase();
                    let kind = podscope_api::status::qualified(group, &kind);
                    format!("{kind}/{}", owner.name).into()
                }
            },
            (ControllerRevision, _) => self.int("revision"),
            (Ingress, "CLASS") => self.or_none("spec.ingressClassName"),
            (Ingress, "HOSTS") => workload::ingress_hosts(o).into(),
            (Ingress, "ADDRESS") => workload::ingress_points(o).join(",").into(),
            (Ingress, _) => if self.count("spec.tls") > 0 {
                "80, 443"
            } else {
                "80"
            }
            .into(),
            (IngressClass, "CONTROLLER") => self.str("spec.controller"),
            (IngressClass, _) => match o.at("spec.parameters") {
                Value::Null => "<none>".into(),
                p => {
                    let part = |field: &str| p.get(field).str_or_empty();
                    let kind = podscope_api::status::qualified(part("apiGroup"), part("kind"));
                    format!("{kind}/{}", part("name")).into()
                }
            },
            (NetworkPolicy, _) => Selector::describe(o.at("spec.podSelector")).into(),
            (RoleBinding | ClusterRoleBinding, "ROLE") => {
                let part = |field: &str| o.get("roleRef").get(field).str_or_empty();
                format!("{}/{}", part("kind"), part("name")).into()
            }
            (_, "USERS") => self.subjects("User"),
            (_, "GROUPS") => self.subjects("Group"),
            (_, "SERVICEACCOUNTS") => self.subjects("ServiceAccount"),
            (_, "WEBHOOKS") => self.count("webhooks").into(),
            (_, "VALIDATIONS") => self.count("spec.validations").into(),
            (_, "PARAMKIND") => match o.at("spec.paramKind") {
                Value::Null => "<unset>".into(),
                p => {
                    let part = |field: &str| p.get(field).str_or_empty();
                    format!("{}/{}", part("apiVersion"), part("kind")).into()
                }
            },
            (_, "POLICYNAME") => self.str("spec.policyName"),
            (_, "PARAMREF") => match o.at("spec.paramRef") {
                Value::Null => "<unset>".into(),
                p => {
                    let name = p.get("name").str_or_empty();
                    match p.get("namespace").str_or_empty() {
                        "" => or(name, "*").into(),
                        namespace => format!("{namespace}/{}", or(name, "*")).into(),
                    }
                }
            },
            _ => "".into(),
        }
    }
}

/// When an event was first and last seen, as fields, and how often.
pub(crate) fn event_times(event: &Object) -> (&Value, &Value, i64) {
    let field = |name: &str| event.get(name);
    let first = match field("firstTimestamp") {
        Value::Null => field("eventTime"),
        time => time,
    };
    let last = match field("lastTimestamp") {
        Value::Null => first,
        time => time,
    };
    let series = field("series");
    if series.is_null() {
        (first, last, field("count").as_int().unwrap_or(0).max(1))
    } else {
        (
            first,
            series.get("lastObservedTime"),
            series.get("count").as_int().unwrap_or(0),
        )
    }
}

/// Who reported an event: component and, after a comma, instance.
fn source(event: &Object) -> String {
    let pick = |path: &str, other: &str| {
        or(
            event.at(path).str_or_empty(),
            event.get(other).str_or_empty(),
        )
        .to_string()
    };
    let component = pick("source.component", "reportingComponent");
    let instance = pick("source.host", "reportingInstance");
    if instance.is_empty() {
        component
    } else {
        format!("{component}, {instance}")
    }
}

pub(super) fn event(of: &Of<'_>) -> Vec<Cell> {
    let event = of.object;
    let (first, last, count) = event_times(event);
    let about = event.get("involvedObject");
    let kind = about.get("kind").str_or_empty().to_ascii_lowercase();
    let target = match about.get("name").str_or_empty() {
        "" => kind,
        name => format!("{kind}/{name}"),
    };
    vec![
        since(last, of.now).into(),
        event.get("type").str_or_empty().into(),
        event.get("reason").str_or_empty().into(),
        target.into(),
        about.get("fieldPath").str_or_empty().into(),
        source(event).into(),
        event.get("message").str_or_empty().trim().into(),
        since(first, of.now).into(),
        count.into(),
        event.name().into(),
    ]
}
