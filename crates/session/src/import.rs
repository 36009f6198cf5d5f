//! Import: a scenario file as it is, or what `kubectl get … -o yaml` printed (an object, several
//! documents, or a `List`; YAML or JSON) made into a scenario.
//!
//! Nodes become the cluster's nodes. Objects that people make become one manifest. What a server
//! or a controller makes is left out, and said.

use crate::scenario::{self, ClusterSpec, File, NodeSpec, Scenario, Step};
use crate::view::*;
use podscope_api::{Kind, Object, Value};
use podscope_kernel::collections::{BTreeMap, BTreeSet};
use podscope_manifest::diagnostic::{Diagnostic, Message, Severity};

/// The longest text that is read, in bytes.
pub const MAX_BYTES: usize = podscope_manifest::parse::MAX_BYTES;
/// The most names that a note lists.
const MAX_NAMED: usize = 8;
/// The manifest that the objects become.
const FILE: &str = "imported.yaml";

/// Reads what was picked or pasted.
///
/// # Errors
/// Why nothing can be made of it.
pub fn read(text: &str) -> Result<Imported, Refused> {
    if text.len() > MAX_BYTES {
        let count = |n: usize| Arg::Count(i64::try_from(n).unwrap_or(i64::MAX));
        let args = vec![("bytes", count(text.len())), ("limit", count(MAX_BYTES))];
        return Err(Msg::new("import.too-large", args));
    }
    let (documents, diagnostics) = podscope_manifest::parse::parse(text);
    let is_scenario = documents
        .first()
        .is_some_and(|d| !d.object.get("podscope").is_null());
    if is_scenario {
        let scenario = Scenario::parse(text).map_err(|e| failed(&e.0))?;
        return Ok(Imported {
            scenario: text.into(),
            what: Msg::new(
                "import.scenario",
                vec![("title", Arg::Text(scenario.title.into()))],
            ),
            notes: [].into(),
        });
    }
    let worst = diagnostics.iter().find(|d| d.severity == Severity::Error);
    if let Some(Diagnostic { message, span, .. }) = worst {
        return Err(failed(&match message {
            Message::Yaml(text) => text.clone(),
            other => format!("line {}: {}", span.line, other.code()),
        }));
    }
    let objects: Vec<Object> = documents
        .into_iter()
        .flat_map(|d| items(d.object))
        .collect();
    Dump::default().take(objects)
}

fn failed(text: &str) -> Refused {
    Msg::new("import.failed", vec![("text", Arg::Text(text.into()))])
}

/// The objects of a document: a list's items, else itself.
fn items(object: Object) -> Vec<Object> {
    let list = object.get("kind").str_or_empty().ends_with("List")
        && object.get("items").as_map().is_none();
    if list && (!object.get("items").is_null()) {
        return object
            .get("items")
            .items()
            .iter()
            .map(|v| Object(v.clone()))
            .collect();
    }
    vec![object]
}

#[derive(Default)]
struct Dump {
    nodes: Vec<NodeSpec>,
    manifests: Vec<(u8, Object)>,
    /// Reason, then the names that it concerns.
    notes: BTreeMap<&'static str, Vec<String>>,
    namespaces: BTreeSet<String>,
    made: BTreeSet<String>,
}

impl Dump {
    fn take(mut self, objects: Vec<Object>) -> Result<Imported, Refused> {
        for object in objects {
            self.object(object);
        }
        if self.nodes.is_empty() && self.manifests.is_empty() {
            return Err(Msg::plain("import.nothing"));
        }
        for namespace in self.namespaces.difference(&self.made) {
            let value = podscope_api::value!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": (namespace.as_str())}});
            self.manifests.push((0, Object(value)));
        }
        podscope_api::sort::by_key(&mut self.manifests, |(order, _)| *order);
        let count = |n: usize| Arg::Count(i64::try_from(n).unwrap_or(i64::MAX));
        let args = vec![
            ("nodes", count(self.nodes.len())),
            ("objects", count(self.manifests.len())),
        ];
        if self.nodes.is_empty() {
            self.note("import.no-nodes", String::new());
        }
        let parts: Vec<String> = self
            .manifests
            .iter()
            .map(|(_, o)| podscope_manifest::yaml::to_string(&o.0))
            .collect();
        let mut scenario = Scenario {
            podscope: scenario::VERSION,
            cluster: ClusterSpec {
                nodes: self.nodes,
                ..ClusterSpec::default()
            },
            cursor: "end".into(),
            ..Scenario::default()
        };
        if !parts.is_empty() {
            scenario.files = vec![File {
                name: FILE.into(),
                text: parts.join("---\n"),
            }];
            scenario.commands = vec![Step {
                at: "1ms".into(),
                kubectl: ["apply -f ", FILE].concat(),
                ..Step::default()
            }];
        }
        let text = scenario.to_yaml();
        Scenario::parse(&text).map_err(|e| failed(&e.0))?;
        let notes = self.notes.into_iter().map(|(code, names)| {
            let mut list = names
                .iter()
                .take(MAX_NAMED)
                .cloned()
                .collect::<Vec<_>>()
                .join(", ");
            if names.len() > MAX_NAMED {
                list.push_str(", …");
            }
            Msg::new(
                code,
                vec![("n", count(names.len())), ("names", Arg::Text(list.into()))],
            )
        });
        Ok(Imported {
            scenario: text.into(),
            what: Msg::new("import.dump", args),
            notes: notes.collect(),
        })
    }

    fn note(&mut self, code: &'static str, name: String) {
        let names = self.notes.entry(code).or_default();
        if !names.contains(&name) {
            names.push(name);
        }
    }

    fn object(&mut self, mut object: Object) {
        let (api_version, kind_name) = (
            object.get("apiVersion").str_or_empty().to_string(),
            object.get("kind").str_or_empty().to_string(),
        );
        let title = |o: &Object| format!("{kind_name} {}", o.key());
        let Some(kind) = Kind::from_api(&api_version, &kind_name) else {
            let name = if kind_name.is_empty() {
                "?".to_string()
            } else {
                title(&object)
            };
            return self.note("import.unknown", name);
        };
        if kind == Kind::Node {
            return self.node(&object);
        }
        let system = ["kube-system", "kube-public", "kube-node-lease"];
        let name = object.name().to_string();
        let namespace = object.namespace().to_string();
        if system.contains(&&*namespace)
            || kind == Kind::Namespace && (system.contains(&&*name) || name == "default")
        {
            return self.note("import.system", title(&object));
        }
        if object.controller().is_some() {
            return self.note("import.owned", title(&object));
        }
        let server_made = match kind {
            Kind::Event
            | Kind::Lease
            | Kind::EndpointSlice
            | Kind::Endpoints
            | Kind::ControllerRevision => true,
            Kind::Service => name == "kubernetes" && namespace == "default",
            Kind::ServiceAccount => name == "default",
            Kind::ConfigMap => name == "kube-root-ca.crt",
            Kind::Secret => {
                object.get("type").str_or_empty() == "kubernetes.io/service-account-token"
            }
            Kind::PriorityClass => name.starts_with("system-"),
            Kind::ClusterRole | Kind::ClusterRoleBinding | Kind::Role | Kind::RoleBinding => {
                name.starts_with("system:") || object.label("kubernetes.io/bootstrapping").is_some()
            }
            _ => false,
        };
        if server_made {
            return self.note("import.server-made", title(&object));
        }
        let not_acted_on = [Kind::ReplicationController, Kind::Ingress];
        if not_acted_on.contains(&kind) {
            self.note("import.no-controller", title(&object));
        }
        if kind == Kind::Secret {
            self.note("import.secret", title(&object));
        }
        clean(&mut object, kind);
        if kind == Kind::Namespace {
            self.made.insert(name);
        } else if kind.namespaced() && !namespace.is_empty() && namespace != "default" {
            self.namespaces.insert(namespace);
        }
        let order = match kind {
            Kind::Namespace => 0,
            Kind::Pod
            | Kind::Deployment
            | Kind::ReplicaSet
            | Kind::DaemonSet
            | Kind::StatefulSet
            | Kind::Job
            | Kind::CronJob
            | Kind::ReplicationController => 2,
            _ => 1,
        };
        self.manifests.push((order, object));
    }

    /// A node of the dump as a machine of the cluster.
    fn node(&mut self, node: &Object) {
        let name = node.name().to_string();
        let control_plane = node.at("spec.taints").items().iter().any(|taint| {
            let key = taint.get("key").str_or_empty();
            key == "node-role.kubernetes.io/control-plane"
                || key == "node-role.kubernetes.io/master"
        });
        if control_plane {
            return self.note("import.control-plane", name);
        }
        if self.nodes.iter().any(|n| n.name == name) {
            return self.note("import.twice", name);
        }
        let resource = |key: &str| {
            let allocatable = node.at("status.allocatable").get(key);
            let value = if allocatable.is_null() {
                node.at("status.capacity").get(key)
            } else {
                allocatable
            };
            match value {
                Value::Int(n) => n.to_string(),
                other => other.str_or_empty().to_string(),
            }
        };
        let zone = node
            .label("topology.kubernetes.io/zone")
            .unwrap_or_default()
            .to_string();
        let own = |key: &str| {
            let well_known = [
                "kubernetes.io/hostname",
                "kubernetes.io/os",
                "kubernetes.io/arch",
                "beta.kubernetes.io/os",
                "beta.kubernetes.io/arch",
                "topology.kubernetes.io/zone",
            ];
            !well_known.contains(&key)
        };
        let labels = node
            .labels()
            .entries()
            .iter()
            .filter(|(k, _)| own(k))
            .map(|(k, v)| format!("{k}={}", v.str_or_empty()));
        let taint = |t: &Value| {
            let key = t.get("key").str_or_empty();
            let of_condition = key.starts_with("node.kubernetes.io/")
                || key.starts_with("node.cloudprovider.kubernetes.io/");
            (!of_condition && !key.is_empty()).then(|| match t.get("value").str_or_empty() {
                "" => format!("{key}:{}", t.get("effect").str_or_empty()),
                value => format!("{key}={value}:{}", t.get("effect").str_or_empty()),
            })
        };
        let standard = |key: &str| {
            matches!(key, "cpu" | "memory" | "pods" | "ephemeral-storage")
                || key.starts_with("hugepages-")
                || key.starts_with("attachable-volumes")
        };
        let extended = node
            .at("status.allocatable")
            .entries()
            .iter()
            .filter(|(k, _)| !standard(k))
            .filter_map(|(k, v)| {
                let n = v.as_int().or_else(|| v.str_or_empty().parse().ok())?;
                Some(format!("{k}={n}"))
            });
        let images = node.at("status.images").items().iter().filter_map(|image| {
            let names = image.get("names").items();
            let tagged = names
                .iter()
                .find(|n| !n.str_or_empty().contains('@'))
                .or(names.first())?;
            Some(tagged.str_or_empty().to_string())
        });
        let spec = NodeSpec {
            zone,
            cpu: resource("cpu"),
            memory: resource("memory"),
            pods: resource("pods").parse().ok(),
            labels: labels.collect(),
            taints: node
                .at("spec.taints")
                .items()
                .iter()
                .filter_map(taint)
                .collect(),
            resources: extended.collect(),
            images: images.take(200).collect(),
            count: None,
            name: name.clone(),
        };
        let cluster = ClusterSpec {
            nodes: vec![spec.clone()],
            ..ClusterSpec::default()
        };
        if cluster.config().is_err() || self.nodes.len() >= scenario::MAX_NODES {
            return self.note("import.bad-node", name);
        }
        if node.at("spec.unschedulable").is_true() {
            self.note("import.cordoned", name.clone());
        }
        if node.condition("Ready").get("status").str_or_empty() != "True"
            && !node.status().is_null()
        {
            self.note("import.not-ready", name);
        }
        self.nodes.push(spec);
    }
}

/// Takes out what a server wrote into an object.
fn clean(object: &mut Object, kind: Kind) {
    let value = &mut object.0;
    value.remove("status");
    for field in [
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "managedFields",
        "selfLink",
        "ownerReferences",
    ] {
        value.remove(&["metadata.", field].concat());
    }
    if let Value::Map(_) = value.at("metadata.annotations") {
        let annotations = value.at_mut("metadata.annotations").map_mut();
        annotations.retain(|key, _| {
            !matches!(
                &**key,
                "kubectl.kubernetes.io/last-applied-configuration"
                    | "deployment.kubernetes.io/revision"
            )
        });
        if annotations.is_empty() {
            value.remove("metadata.annotations");
        }
    }
    match kind {
        Kind::Pod => {
            for field in [
                "nodeName",
                "serviceAccount",
                "tolerations",
                "priority",
                "preemptionPolicy",
                "enableServiceLinks",
            ] {
                let keep = field == "tolerations" && !only_defaults(value.at("spec.tolerations"));
                if !keep {
                    value.remove(&["spec.", field].concat());
                }
            }
            let token = |name: &str| name.starts_with("kube-api-access-");
            without(value, "spec.volumes", &|v| {
                token(v.get("name").str_or_empty())
            });
            for list in ["spec.containers", "spec.initContainers"] {
                if value.at(list).items().is_empty() {
                    continue;
                }
                for container in value.at_mut(list).list_mut() {
                    without(container, "volumeMounts", &|v| {
                        token(v.get("name").str_or_empty())
                    });
                }
            }
        }
        Kind::Service if value.at("spec.clusterIP").str_or_empty() != "None" => {
            value.remove("spec.clusterIP");
            value.remove("spec.clusterIPs");
        }
        Kind::PersistentVolumeClaim => {
            value.remove("spec.volumeName");
        }
        Kind::Namespace => {
            value.remove("spec");
        }
        _ => {}
    }
}

/// The two tolerations that admission adds to every Pod.
fn only_defaults(tolerations: &Value) -> bool {
    tolerations.items().iter().all(|t| {
        let key = t.get("key").str_or_empty();
        t.get("tolerationSeconds").as_int() == Some(300)
            && (key == "node.kubernetes.io/not-ready" || key == "node.kubernetes.io/unreachable")
    })
}

/// Takes items out of a list; an empty list goes with them.
fn without(value: &mut Value, path: &str, drop: &dyn Fn(&Value) -> bool) {
    if !value.at(path).items().iter().any(drop) {
        return;
    }
    let list = value.at_mut(path).list_mut();
    list.retain(|item| !drop(item));
    if list.is_empty() {
        value.remove(path);
    }
}
