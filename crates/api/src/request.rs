//! Requests to the API server and its answers, as every client and the server see them.

use crate::kind::Kind;
use crate::object::Object;
use crate::status::Status;
use crate::value::{Text, Value};
use std::rc::Rc;

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Read one object.
    Get,
    /// Read all objects of a kind.
    List,
    /// Open a stream of changes.
    Watch,
    /// Create an object or post to a subresource such as `binding`.
    Create,
    /// Replace an object.
    Update,
    /// Change parts of an object.
    Patch,
    /// Delete an object.
    Delete,
    /// Delete all objects that match.
    DeleteCollection,
}

impl Verb {
    /// The verb as RBAC and audit name it.
    pub fn name(self) -> &'static str {
        match self {
            Verb::Get => "get",
            Verb::List => "list",
            Verb::Watch => "watch",
            Verb::Create => "create",
            Verb::Update => "update",
            Verb::Patch => "patch",
            Verb::Delete => "delete",
            Verb::DeleteCollection => "deletecollection",
        }
    }
    /// The HTTP method that carries it.
    pub fn method(self) -> &'static str {
        match self {
            Verb::Get | Verb::List | Verb::Watch => "GET",
            Verb::Create => "POST",
            Verb::Update => "PUT",
            Verb::Patch => "PATCH",
            Verb::Delete | Verb::DeleteCollection => "DELETE",
        }
    }
    /// True for verbs that may change something.
    pub fn writes(self) -> bool {
        !matches!(self, Verb::Get | Verb::List | Verb::Watch)
    }
}

/// How the patch in a PATCH body is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PatchType {
    /// RFC 6902.
    Json,
    /// RFC 7386.
    Merge,
    /// Kubernetes' strategic merge patch.
    Strategic,
    /// Server-side apply.
    Apply,
}

impl PatchType {
    /// The content type that announces it.
    pub fn content_type(self) -> &'static str {
        match self {
            PatchType::Json => "application/json-patch+json",
            PatchType::Merge => "application/merge-patch+json",
            PatchType::Strategic => "application/strategic-merge-patch+json",
            PatchType::Apply => "application/apply-patch+yaml",
        }
    }
}

/// The body of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Body {
    /// No body.
    #[default]
    None,
    /// An object as decoded JSON (not yet checked against the schema).
    Object(Rc<Object>),
    /// A patch.
    Patch(PatchType, Value),
}

/// What the server does with unknown and duplicate fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldValidation {
    /// Drop them silently.
    Ignore,
    /// Drop them with a warning (the server's default).
    #[default]
    Warn,
    /// Refuse the request.
    Strict,
}

/// What becomes of dependents when an owner is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Propagation {
    /// The garbage collector deletes them later.
    Background,
    /// The owner stays until they are gone.
    Foreground,
    /// They stay and lose the owner.
    Orphan,
}

/// Query parameters and delete options.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Options {
    /// `fieldManager`, empty when not given.
    pub field_manager: Text,
    /// `fieldValidation`.
    pub field_validation: FieldValidation,
    /// `dryRun=All`.
    pub dry_run: bool,
    /// `force` of server-side apply.
    pub force: bool,
    /// `labelSelector`, empty when not given.
    pub label_selector: Text,
    /// `fieldSelector`, empty when not given.
    pub field_selector: Text,
    /// `resourceVersion` of a list or watch, `None` when not given.
    pub resource_version: Option<u64>,
    /// `gracePeriodSeconds` of a delete.
    pub grace_period_seconds: Option<i64>,
    /// `propagationPolicy` of a delete.
    pub propagation: Option<Propagation>,
    /// `preconditions.uid` of a delete, empty when not given.
    pub precondition_uid: Text,
    /// `preconditions.resourceVersion` of a delete, empty when not given.
    pub precondition_resource_version: Text,
}

/// One request, as a client sends it. Who sends it travels beside it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    /// What it does.
    pub verb: Verb,
    /// On which kind.
    pub kind: Kind,
    /// `status`, `scale`, `binding`, `eviction`, `token` and so on; empty for the object itself.
    pub subresource: Text,
    /// The namespace; empty for cluster-scoped kinds and for lists over all namespaces.
    pub namespace: Text,
    /// The object's name; empty for lists and creates.
    pub name: Text,
    /// The body.
    pub body: Body,
    /// Query parameters and delete options.
    pub options: Options,
}

impl Request {
    /// A request without body and options.
    pub fn new(
        verb: Verb,
        kind: Kind,
        namespace: impl Into<Text>,
        name: impl Into<Text>,
    ) -> Request {
        Request {
            verb,
            kind,
            subresource: "".into(),
            namespace: namespace.into(),
            name: name.into(),
            body: Body::None,
            options: Options::default(),
        }
    }
    /// `GET` of one object.
    pub fn get(kind: Kind, namespace: impl Into<Text>, name: impl Into<Text>) -> Request {
        Request::new(Verb::Get, kind, namespace, name)
    }
    /// `GET` of all objects of a kind, in one namespace or (empty) in all.
    pub fn list(kind: Kind, namespace: impl Into<Text>) -> Request {
        Request::new(Verb::List, kind, namespace, "")
    }
    /// `POST` of an object into its namespace.
    pub fn create(kind: Kind, object: Object) -> Request {
        let request = Request::new(Verb::Create, kind, object.key().namespace, "");
        Request {
            body: Body::Object(Rc::new(object)),
            ..request
        }
    }
    /// `PUT` of an object in its place; `subresource` may be empty.
    pub fn update(kind: Kind, subresource: &str, object: Object) -> Request {
        let key = object.key();
        let request = Request::new(Verb::Update, kind, key.namespace, key.name);
        Request {
            subresource: subresource.into(),
            body: Body::Object(Rc::new(object)),
            ..request
        }
    }
    /// `PATCH` of an object; `subresource` may be empty.
    pub fn patch(
        kind: Kind,
        namespace: impl Into<Text>,
        name: impl Into<Text>,
        subresource: &str,
        patch_type: PatchType,
        patch: Value,
    ) -> Request {
        let request = Request::new(Verb::Patch, kind, namespace, name);
        Request {
            subresource: subresource.into(),
            body: Body::Patch(patch_type, patch),
            ..request
        }
    }
    /// `DELETE` of one object.
    pub fn delete(kind: Kind, namespace: impl Into<Text>, name: impl Into<Text>) -> Request {
        Request::new(Verb::Delete, kind, namespace, name)
    }
    /// The URL path, without query.
    pub fn path(&self) -> String {
        let mut path = match self.kind.group() {
            "" => format!("/api/{}", self.kind.version()),
            group => format!("/apis/{group}/{}", self.kind.version()),
        };
        if self.kind.namespaced() && !self.namespace.is_empty() {
            path.push_str("/namespaces/");
            path.push_str(&self.namespace);
        }
        for part in [self.kind.plural(), &self.name, &self.subresource] {
            if !part.is_empty() {
                path.push('/');
                path.push_str(part);
            }
        }
        path
    }
}

/// A successful answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Answer {
    /// HTTP status code, such as 200 or 201.
    pub code: u16,
    /// The object, the `…List` object, or a `Status` with `status: Success`.
    pub object: Rc<Object>,
    /// Texts of the `Warning` headers, in order.
    pub warnings: Vec<Text>,
}

/// A client's view of a request that did not reach the server or got no answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The server refused.
    Status(Status),
    /// Nobody listens at the address.
    ConnectionRefused,
    /// No answer came in time.
    Timeout,
}

impl From<Status> for Failure {
    fn from(status: Status) -> Failure {
        Failure::Status(status)
    }
}

/// What a client gets.
pub type Response = Result<Answer, Failure>;
