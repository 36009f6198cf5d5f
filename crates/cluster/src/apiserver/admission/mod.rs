//! Admission: plugins that change or refuse a decoded object, in the server's order.
//!
//! Each plugin is one file and one line in [`PLUGINS`]. Mutating plugins run before validation,
//! validating ones after it. Models: pkg/kubeapiserver/options/plugins.go (v1.36)
//! Left out: NodeRestriction, certificate plugins, PodGroup plugins, CEL beyond a small subset.

pub mod cel;
pub mod default_ingress_class;
pub mod default_storage_class;
pub mod default_toleration_seconds;
pub mod limit_ranger;
pub mod namespace_lifecycle;
mod pod_resize;
pub mod pod_security;
pub mod pod_topology_labels;
pub mod priority;
pub mod resource_quota;
pub mod runtime_class;
pub mod service_account;
pub mod storage_object_in_use;
pub mod taint_nodes_by_condition;
pub mod validating_policy;
pub mod webhook;

use crate::apiserver::strategy::names::Random;
use podscope_api::{Kind, Object, Status, Text, Value};
use std::rc::Rc;

/// What a request does to the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// A new object.
    Create,
    /// A changed object.
    Update,
    /// An object goes away.
    Delete,
}

impl Operation {
    /// The operation as admission names it.
    pub fn name(self) -> &'static str {
        match self {
            Operation::Create => "CREATE",
            Operation::Update => "UPDATE",
            Operation::Delete => "DELETE",
        }
    }
}

/// Read access to what plugins look up.
pub trait Lookup {
    /// One object; the namespace is empty for cluster-scoped kinds.
    fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<Rc<Object>>;
    /// All objects of a kind, in one namespace or (empty) in all, in the order of their names.
    fn list(&self, kind: Kind, namespace: &str) -> Vec<Rc<Object>>;
    /// How the server behind a configuration's webhooks fails, if it does.
    fn webhook_server(&self, _configuration: &str) -> Option<webhook::Server> {
        None
    }
}

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct UserInfo {
    /// The user's name.
    pub name: Text,
    /// The user's groups.
    pub groups: Vec<Text>,
}

/// What a plugin sees of a request; it changes `object` and adds `warnings`.
pub struct Admission<'a> {
    /// The kind of the object.
    pub kind: Kind,
    /// `status`, `scale`, `binding` and so on; empty for the object itself.
    pub subresource: &'a str,
    /// What the request does.
    pub operation: Operation,
    /// The namespace, empty for cluster-scoped kinds.
    pub namespace: &'a str,
    /// The object as it stands now; null for deletions.
    pub object: Value,
    /// The object before; `None` for creations.
    pub old: Option<&'a Value>,
    /// Who asks.
    pub user: &'a UserInfo,
    /// Whether nothing will be stored.
    pub dry_run: bool,
    /// Random numbers for generated names.
    pub random: &'a mut dyn Random,
    /// Texts for `Warning` headers.
    pub warnings: Vec<Text>,
}

impl Admission<'_> {
    /// The object's name; the `generateName` prefix while it has none.
    pub fn name(&self) -> &str {
        let shown = if self.object.is_null() {
            self.old.unwrap_or(podscope_api::value::NULL)
        } else {
            &self.object
        };
        let metadata = shown.get("metadata");
        match metadata.get("name").str_or_empty() {
            "" => metadata.get("generateName").str_or_empty(),
            name => name,
        }
    }

    /// `403 Forbidden` with a plugin's reason.
    pub fn forbidden(&self, why: &str) -> Status {
        Status::forbidden(self.kind.group(), self.kind.plural(), self.name(), why)
    }

    /// True for a new Pod (not one of its subresources).
    pub fn creates_pod(&self) -> bool {
        self.kind == Kind::Pod && self.operation == Operation::Create && self.subresource.is_empty()
    }
}

/// One plugin: a function for the mutating and one for the validating round.
pub struct Plugin {
    /// The plugin's name, such as `LimitRanger`.
    pub name: &'static str,
    /// Changes the object or refuses the request.
    pub mutate: Option<Admit>,
    /// Refuses the request or warns.
    pub validate: Option<Admit>,
}

/// A plugin's function.
pub type Admit = fn(&mut Admission<'_>, &dyn Lookup) -> Result<(), Status>;

const fn mutating(name: &'static str, mutate: Admit) -> Plugin {
    Plugin {
        name,
        mutate: Some(mutate),
        validate: None,
    }
}
const fn validating(name: &'static str, validate: Admit) -> Plugin {
    Plugin {
        name,
        mutate: None,
        validate: Some(validate),
    }
}
const fn both(name: &'static str, mutate: Admit, validate: Admit) -> Plugin {
    Plugin {
        name,
        mutate: Some(mutate),
        validate: Some(validate),
    }
}

/// All plugins in their order.
pub const PLUGINS: &[Plugin] = &[
    mutating("NamespaceLifecycle", namespace_lifecycle::admit),
    both("LimitRanger", limit_ranger::mutate, limit_ranger::validate),
    both(
        "ServiceAccount",
        service_account::mutate,
        service_account::validate,
    ),
    mutating("TaintNodesByCondition", taint_nodes_by_condition::admit),
    validating("PodSecurity", pod_security::admit),
    both("Priority", priority::mutate, priority::validate),
    mutating(
        "DefaultTolerationSeconds",
        default_toleration_seconds::admit,
    ),
    mutating("DefaultStorageClass", default_storage_class::admit),
    mutating("StorageObjectInUseProtection", storage_object_in_use::admit),
    both(
        "RuntimeClass",
        runtime_class::mutate,
        runtime_class::validate,
    ),
    mutating("DefaultIngressClass", default_ingress_class::admit),
    mutating("PodTopologyLabels", pod_topology_labels::admit),
    mutating("MutatingAdmissionWebhook", webhook::admit),
    validating("ValidatingAdmissionPolicy", validating_policy::admit),
    validating("PodResizeValidator", pod_resize::admit),
    validating("ResourceQuota", resource_quota::admit),
];
