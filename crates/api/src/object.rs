//! A Kubernetes object: a [`Value`] with readers for what every object has.

use crate::kind::Kind;
use crate::time::Timestamp;
use crate::value::{Text, Value};
use std::ops::{Deref, DerefMut};

/// A Kubernetes object. Dereferences to its [`Value`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Object(pub Value);

impl Deref for Object {
    type Target = Value;
    fn deref(&self) -> &Value {
        &self.0
    }
}
impl DerefMut for Object {
    fn deref_mut(&mut self) -> &mut Value {
        &mut self.0
    }
}
impl From<Value> for Object {
    fn from(value: Value) -> Object {
        Object(value)
    }
}

/// Name and namespace of an object; `namespace` is empty for cluster-scoped kinds.
/// Ordered by namespace, then name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The namespace, or empty.
    pub namespace: Text,
    /// The name.
    pub name: Text,
}

impl Key {
    /// A key from namespace (may be empty) and name.
    pub fn new(namespace: impl Into<Text>, name: impl Into<Text>) -> Key {
        Key {
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.namespace.is_empty() {
            f.write_str(&self.name)
        } else {
            write!(f, "{}/{}", self.namespace, self.name)
        }
    }
}

/// An owner as written in `metadata.ownerReferences`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OwnerRef<'a> {
    /// The owner's `apiVersion`.
    pub api_version: &'a str,
    /// The owner's kind.
    pub kind: &'a str,
    /// The owner's name.
    pub name: &'a str,
    /// The owner's uid.
    pub uid: &'a str,
    /// Whether this owner is the managing controller.
    pub controller: bool,
    /// Whether foreground deletion of the owner waits for this object.
    pub block_owner_deletion: bool,
}

impl Object {
    /// The kind, if it is one that the API server serves.
    pub fn kind(&self) -> Option<Kind> {
        Kind::from_api(
            self.get("apiVersion").str_or_empty(),
            self.get("kind").str_or_empty(),
        )
    }
    /// `metadata.name`, or `""`.
    pub fn name(&self) -> &str {
        self.get("metadata").get("name").str_or_empty()
    }
    /// `metadata.namespace`, or `""`.
    pub fn namespace(&self) -> &str {
        self.get("metadata").get("namespace").str_or_empty()
    }
    /// Namespace and name, sharing the object's own text.
    pub fn key(&self) -> Key {
        let text = |v: &Value| v.as_text().cloned().unwrap_or_else(|| "".into());
        let meta = self.get("metadata");
        Key {
            namespace: text(meta.get("namespace")),
            name: text(meta.get("name")),
        }
    }
    /// `metadata.uid`, or `""`.
    pub fn uid(&self) -> &str {
        self.get("metadata").get("uid").str_or_empty()
    }
    /// `metadata.resourceVersion` as a number, 0 when absent.
    pub fn resource_version(&self) -> u64 {
        self.get("metadata")
            .get("resourceVersion")
            .as_str()
            .and_then(|s| s.parse().ok())
            .unwrap_or(0)
    }
    /// `metadata.generation`, 0 when absent.
    pub fn generation(&self) -> i64 {
        self.get("metadata").get("generation").as_int().unwrap_or(0)
    }
    /// The label's value, or `None`.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.get("metadata").get("labels").get(key).as_str()
    }
    /// `metadata.labels`, a map or null.
    pub fn labels(&self) -> &Value {
        self.get("metadata").get("labels")
    }
    /// The annotation's value, or `None`.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.get("metadata").get("annotations").get(key).as_str()
    }
    /// `metadata.creationTimestamp`.
    pub fn created(&self) -> Option<Timestamp> {
        Timestamp::parse(self.get("metadata").get("creationTimestamp").as_str()?)
    }
    /// `metadata.deletionTimestamp`; present on objects that are being deleted.
    pub fn deleted(&self) -> Option<Timestamp> {
        Timestamp::parse(self.get("metadata").get("deletionTimestamp").as_str()?)
    }
    /// True once deletion was asked for.
    pub fn is_being_deleted(&self) -> bool {
        !self.get("metadata").get("deletionTimestamp").is_null()
    }
    /// All owners.
    pub fn owners(&self) -> impl Iterator<Item = OwnerRef<'_>> {
        self.get("metadata")
            .get("ownerReferences")
            .items()
            .iter()
            .map(|o| OwnerRef {
                api_version: o.get("apiVersion").str_or_empty(),
                kind: o.get("kind").str_or_empty(),
                name: o.get("name").str_or_empty(),
                uid: o.get("uid").str_or_empty(),
                controller: o.get("controller").is_true(),
                block_owner_deletion: o.get("blockOwnerDeletion").is_true(),
            })
    }
    /// The managing controller, if any.
    pub fn controller(&self) -> Option<OwnerRef<'_>> {
        self.owners().find(|o| o.controller)
    }
    /// `spec`, or null.
    pub fn spec(&self) -> &Value {
        self.get("spec")
    }
    /// `status`, or null.
    pub fn status(&self) -> &Value {
        self.get("status")
    }
    /// The entry of `status.conditions` with this type, or null.
    pub fn condition(&self, condition_type: &str) -> &Value {
        self.status()
            .get("conditions")
            .items()
            .iter()
            .find(|c| c.get("type").as_str() == Some(condition_type))
            .unwrap_or(crate::value::NULL)
    }
    /// True when the condition is `"True"`.
    pub fn condition_true(&self, condition_type: &str) -> bool {
        self.condition(condition_type).get("status").as_str() == Some("True")
    }
}
