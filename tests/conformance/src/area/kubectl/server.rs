//! A small API server over recorded objects: enough of one to drive kubectl.

use super::super::apiserver;
use podscope_api::selector::{FieldSelector, Selector};
use podscope_api::{
    Answer, Body, Failure, Object, Request, Response, Status, Timestamp, Value, Verb, patch, value,
};
use podscope_cluster::apiserver::special;
use podscope_kubectl::{Call, Env, Invocation, Outcome, Received, Reply};
use std::rc::Rc;

/// The objects and the requests so far.
#[derive(Default)]
pub struct Server {
    pub objects: Vec<Object>,
    pub requests: Vec<(Request, u16)>,
    /// Recorded answers that the server cannot make itself: (method, path, status).
    pub refusals: Vec<(String, String, Status)>,
    /// Whether writes go through the whole pipeline of the API server.
    pub complete: bool,
}

/// What a command left.
pub struct Ended {
    pub stdout: String,
    pub stderr: String,
    pub exit_code: u8,
}

/// The version of everything that was written.
pub const WRITTEN: &str = "8373";

/// The most calls that one command may make.
const MAX_CALLS: usize = 500;

impl Server {
    pub fn new(mut objects: Vec<Object>) -> Server {
        objects.sort_by_key(|a| a.key());
        Server {
            objects,
            ..Server::default()
        }
    }

    /// Runs a command to its end.
    pub fn run(&mut self, invocation: &Invocation, namespace: &str, now: Timestamp) -> Ended {
        let env = Env {
            now,
            namespace: namespace.into(),
            server: "127.0.0.1:6443".into(),
        };
        let mut replies: Vec<Reply> = Vec::new();
        let mut at = now;
        for _ in 0..MAX_CALLS {
            let call = match podscope_kubectl::run(invocation, &env, &replies) {
                Outcome::Done {
                    stdout,
                    stderr,
                    exit_code,
                } => {
                    return Ended {
                        stdout,
                        stderr,
                        exit_code,
                    };
                }
                Outcome::Need { call, .. } => call,
            };
            let received = match call {
                Call::Request(request) => {
                    let response = self.answer(&request);
                    let code = match &response {
                        Ok(answer) => answer.code,
                        Err(Failure::Status(status)) => status.code,
                        Err(_) => 0,
                    };
                    self.requests.push((request, code));
                    Received::Answer(response)
                }
                Call::Sleep { micros } => {
                    at = Timestamp(at.0 + micros);
                    Received::Elapsed
                }
                Call::Watch { timeout_micros, .. } => {
                    at = Timestamp(at.0 + timeout_micros.unwrap_or(3_600_000_000));
                    Received::Elapsed
                }
            };
            replies.push(Reply { at, received });
        }
        Ended {
            stdout: String::new(),
            stderr: "too many calls".into(),
            exit_code: 255,
        }
    }

    fn answer(&mut self, request: &Request) -> Response {
        let path = request.path();
        let method = request.verb.method();
        if let Some(at) = self
            .refusals
            .iter()
            .position(|(m, p, _)| m == method && *p == path)
        {
            return Err(Failure::Status(self.refusals.remove(at).2));
        }
        self.serve(request).map_err(Failure::Status)
    }

    fn find(&self, request: &Request) -> Option<usize> {
        self.objects.iter().position(|o| {
            o.kind() == Some(request.kind)
                && o.name() == request.name.as_ref()
                && (!request.kind.namespaced() || o.namespace() == request.namespace.as_ref())
        })
    }

    fn serve(&mut self, request: &Request) -> Result<Answer, Status> {
        let kind = request.kind;
        let not_found = || Status::not_found(kind.group(), kind.plural(), &request.name);
        let ok = |object: Object, code: u16| Answer {
            code,
            object: Rc::new(object),
            warnings: if kind.name() == "Endpoints" {
                vec![
                    "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
                        .into(),
                ]
            } else {
                Vec::new()
            },
        };
        let writes = matches!(request.verb, Verb::Create | Verb::Patch | Verb::Update);
        let whole = matches!(&*request.subresource, "" | "status" | "scale");
        if self.complete && writes && whole {
            return self.write(request);
        }
        if let ("token", Body::Object(body)) = (&*request.subresource, &request.body) {
            special::token_seconds(body)?;
            return Err(Status::bad_request("tokens are random"));
        }
        match request.verb {
            Verb::List => self.list(request).map(|list| ok(list, 200)),
            Verb::Create if request.subresource.is_empty() => {
                let Body::Object(object) = &request.body else {
                    return Err(Status::bad_request("no body"));
                };
                let mut object = object.as_ref().clone();
                if kind.namespaced() {
                    object.set("metadata.namespace", request.namespace.clone());
                }
                let taken = Request::get(kind, request.namespace.clone(), object.name());
                if self.find(&taken).is_some() {
                    return Err(Status::already_exists(
                        kind.group(),
                        kind.plural(),
                        object.name(),
                    ));
                }
                if !request.options.dry_run {
                    self.objects.push(object.clone());
                }
                Ok(ok(object, 201))
            }
            Verb::Get | Verb::Patch | Verb::Update | Verb::Delete => {
                let at = self.find(request).ok_or_else(not_found)?;
                let live = self.objects[at].clone();
                match request.subresource.as_ref() {
                    "" | "status" => {}
                    "scale"
                        if matches!(
                            kind.name(),
                            "Deployment" | "ReplicaSet" | "StatefulSet" | "ReplicationController"
                        ) =>
                    {
                        return self.scale(request, at).map(|o| ok(o, 200));
                    }
                    _ => {
                        return Err(Status::new(
                            404,
                            "NotFound",
                            "the server could not find the requested resource",
                        ));
                    }
                }
                let new = match (&request.verb, &request.body) {
                    (Verb::Get, _) => return Ok(ok(live, 200)),
                    (Verb::Delete, _) => {
                        if !request.options.dry_run {
                            self.objects.remove(at);
                        }
                        return Ok(ok(
                            Object(
                                value!({"kind": "Status", "apiVersion": "v1", "status": "Success"}),
                            ),
                            200,
                        ));
                    }
                    (_, Body::Patch(patch_type, change)) => {
                        Object(patch::apply(*patch_type, kind.name(), &live, change)?)
                    }
                    (_, Body::Object(object)) => object.as_ref().clone(),
                    _ => live,
                };
                if !request.options.dry_run {
                    self.objects[at] = new.clone();
                }
                Ok(ok(new, 200))
            }
            _ => Err(Status::new(
                405,
                "MethodNotAllowed",
                "the server does not allow this method on the requested resource",
            )),
        }
    }

    /// A write through the whole pipeline.
    fn write(&mut self, request: &Request) -> Result<Answer, Status> {
        let at = self.find(request);
        let live = at.and_then(|at| self.objects.get(at));
        let live = live.filter(|_| request.verb != Verb::Create).cloned();
        let code = if live.is_some() { 200 } else { 201 };
        let (object, warnings) = apiserver::write(request, live.as_ref(), &self.objects)?;
        let mut object = Object(object);
        let taken = Request::get(request.kind, request.namespace.clone(), object.name());
        if live.is_none() && self.find(&taken).is_some() {
            let kind = request.kind;
            let (group, plural) = (kind.group(), kind.plural());
            return Err(Status::already_exists(group, plural, object.name()));
        }
        if !request.options.dry_run && live.as_ref() != Some(&object) {
            object.set("metadata.resourceVersion", WRITTEN);
        }
        if !request.options.dry_run {
            match at.filter(|_| live.is_some()) {
                Some(at) => self.objects[at] = object.clone(),
                None => self.objects.push(object.clone()),
            }
        }
        if &*request.subresource == "scale" {
            object = special::scale_of(request.kind, &object)?;
        }
        Ok(Answer {
            code,
            object: Rc::new(object),
            warnings,
        })
    }

    /// The `Scale` of a workload; writing it changes `spec.replicas`.
    fn scale(&mut self, request: &Request, at: usize) -> Result<Object, Status> {
        let live = &self.objects[at];
        let mut scale = value!({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {}, "spec": {}, "status": {}});
        for field in [
            "name",
            "namespace",
            "uid",
            "resourceVersion",
            "creationTimestamp",
        ] {
            scale.set(
                &format!("metadata.{field}"),
                live.get("metadata").get(field).clone(),
            );
        }
        scale.set("spec.replicas", live.at("spec.replicas").clone());
        scale.set(
            "status.replicas",
            live.at("status.replicas").as_int().unwrap_or(0),
        );
        let new = match &request.body {
            Body::Patch(patch_type, change) => patch::apply(*patch_type, "Scale", &scale, change)?,
            Body::Object(object) => object.0.clone(),
            Body::None => return Ok(Object(scale)),
        };
        if !request.options.dry_run {
            self.objects[at].set("spec.replicas", new.at("spec.replicas").clone());
        }
        Ok(Object(new))
    }

    fn list(&self, request: &Request) -> Result<Object, Status> {
        let kind = request.kind;
        let labels = Selector::parse(&request.options.label_selector).map_err(|e| {
            Status::bad_request(
                format!("unable to parse requirement: {e}")
                    .replace("unable to parse requirement: unable", "unable"),
            )
        })?;
        let fields =
            FieldSelector::parse(&request.options.field_selector).map_err(Status::bad_request)?;
        fields.check(kind).map_err(Status::bad_request)?;
        let items = self.objects.iter().filter(|o| {
            o.kind() == Some(kind)
                && (request.namespace.is_empty() || o.namespace() == request.namespace.as_ref())
                && labels.matches(o.labels())
                && fields.matches(o)
        });
        let mut list = Value::map();
        list.set("kind", format!("{}List", kind.name()));
        list.set("apiVersion", kind.api_version());
        list.set("metadata.resourceVersion", "2329");
        list.set(
            "items",
            Value::list(items.map(|o| {
                let mut item = o.0.clone();
                item.remove("kind");
                item.remove("apiVersion");
                item
            })),
        );
        Ok(Object(list))
    }
}
