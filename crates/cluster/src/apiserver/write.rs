//! CREATE, UPDATE and PATCH: from the request's body to the object that is going to be stored.

use super::pipeline::is_apply;
use super::{
    ApiServer, InFlight, PATCH, Pending, Progress, UNCHANGED, is_collection, not_found, refuse,
    special,
};
use crate::etcd::Etcd;
use crate::sim::Ctx;
use crate::trace::{Data, Note, RequestId};
use podscope_api::{Answer, Body, Key, Kind, Object, Request, Status, Verb};
use std::rc::Rc;

/// What a handler decided to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    /// The object to store; `None`: nothing is to be stored.
    pub object: Option<Object>,
    /// HTTP code of the answer.
    pub code: u16,
    /// What is answered, when it is not the stored object.
    pub answer: Option<Object>,
}

/// The 409 of an update based on an old resourceVersion.
pub(crate) fn modified(kind: Kind, name: &str) -> Status {
    let why = "the object has been modified; please apply your changes to the latest version and try again";
    Status::conflict(kind.group(), kind.plural(), name, why)
}

/// The 409 of a precondition that does not hold.
#[inline(never)]
pub(crate) fn other(what: &str, kind: Kind, key: &Key, asked: &str, found: &str) -> Status {
    let why = format!(
        "Precondition failed: {what} in precondition: {asked}, {what} in object meta: {found}"
    );
    Status::conflict(kind.group(), kind.plural(), &key.name, &why)
}

impl ApiServer {
    /// Decodes, defaults, admits and validates a write, then proposes it to etcd.
    pub(crate) fn process(
        &mut self,
        ctx: &mut Ctx<'_>,
        etcd: &mut Etcd,
        id: RequestId,
        flight: &mut InFlight,
    ) -> Progress {
        let request = flight.request.clone();
        match request.verb {
            Verb::Delete | Verb::DeleteCollection => self.delete(ctx, etcd, id, flight, &request),
            Verb::Create if !request.subresource.is_empty() => {
                self.post_subresource(ctx, etcd, id, flight, &request)
            }
            Verb::Create => self.create(ctx, etcd, id, flight, &request),
            _ => self.change(ctx, etcd, id, flight, &request),
        }
    }

    fn create(
        &mut self,
        ctx: &mut Ctx<'_>,
        etcd: &mut Etcd,
        id: RequestId,
        flight: &mut InFlight,
        request: &Request,
    ) -> Progress {
        let Body::Object(body) = &request.body else {
            return refuse(
                ctx,
                id,
                "decode",
                Status::bad_request("the request has no object"),
            );
        };
        self.create_from(ctx, etcd, id, flight, request, body)
    }

    /// A new object, from the body of a `POST` or from an apply of something that does not exist.
    fn create_from(
        &mut self,
        ctx: &mut Ctx<'_>,
        etcd: &mut Etcd,
        id: RequestId,
        flight: &mut InFlight,
        request: &Request,
        body: &Rc<Object>,
    ) -> Progress {
        let object = match super::pipeline::create(self, ctx, id, flight, request, body) {
            Ok(object) => object,
            Err((stage, status)) => return refuse(ctx, id, stage, status),
        };
        let key = object.key();
        let kind = request.kind;
        if etcd.get(kind, &key).is_some() {
            return refuse(
                ctx,
                id,
                "storage",
                Status::already_exists(kind.group(), kind.plural(), &key.name),
            );
        }
        if request.options.dry_run {
            return answered(201, object, flight);
        }
        let decision = Decision {
            object: Some(object),
            code: 201,
            answer: None,
        };
        self.store(ctx, etcd, id, flight, kind, key, decision, None)
    }

    /// `POST` to a subresource of an object that exists.
    fn post_subresource(
        &mut self,
        ctx: &mut Ctx<'_>,
        etcd: &mut Etcd,
        id: RequestId,
        flight: &mut InFlight,
        request: &Request,
    ) -> Progress {
        let key = Key::new(request.namespace.clone(), request.name.clone());
        let kind = request.kind;
        let Some(stored) = etcd.get(kind, &key) else {
            return refuse(ctx, id, "storage", not_found(kind, &request.name));
        };
        let (current, revision) = (stored.object.clone(), stored.mod_revision);
        let Body::Object(body) = &request.body else {
            return refuse(
                ctx,
                id,
                "decode",
                Status::bad_request("the request has no object"),
            );
        };
        match (kind, &*request.subresource) {
            (Kind::Pod, "binding") => {
                let node_key = Key::new("", body.at("target.name").str_or_empty());
                let node = self.cached_one(Kind::Node, &node_key).cloned();
                let now = ctx.wall().seconds_text();
                match special::bind(&current, body, node.as_deref(), &now) {
                    Ok(decision) => self.store(
                        ctx,
                        etcd,
                        id,
                        flight,
                        kind,
                        key,
                        decision,
                        Some((revision, false)),
                    ),
                    Err(status) => refuse(ctx, id, "storage", status),
                }
            }
            (Kind::Pod, "eviction") => self.evict(ctx, etcd, id, flight, request, body),
            (Kind::ServiceAccount, "token") => {
                let seconds = match special::token_seconds(body) {
                    Ok(seconds) => seconds,
                    Err(status) => return refuse(ctx, id, "validate", status),
                };
                let expires = podscope_api::Timestamp(ctx.wall().0 + seconds * 1_000_000);
                let answer = special::token(&current, body, &expires.seconds_text(), id.0);
                answered(201, answer, flight)
            }
            (_, other) => {
                let message = format!(
                    "the server does not allow this method on the requested resource ({other})"
                );
                refuse(
                    ctx,
                    id,
                    "storage",
                    Status::new(405, "MethodNotAllowed", message),
                )
            }
        }
    }

    /// `PUT` and `PATCH`.
    fn change(
        &mut self,
        ctx: &mut Ctx<'_>,
        etcd: &mut Etcd,
        id: RequestId,
        flight: &mut InFlight,
        request: &Request,
    ) -> Progress {
        debug_assert!(!is_collection(request));
        let kind = request.kind;
        let key = Key::new(request.namespace.clone(), request.name.clone());
        let Some(stored) = etcd.get(kind, &key) else {
            if is_apply(request) && request.subresource.is_empty() {
                return match super::pipeline::apply(ctx, flight, request, None) {
                    Ok(object) => {
                        self.create_from(ctx, etcd, id, flight, request, &Rc::new(object))
                    }
                    Err(status) => refuse(ctx, id, "patch", status),
                };
            }
            return refuse(ctx, id, "storage", not_found(kind, &request.name));
        };
        let (current, revision) = (stored.object.clone(), stored.mod_revision);
        // What was set up may lack fields that the stored form has.
        let settled = etcd
            .is_from_set_up(stored)
            .then(|| podscope_api::decode::normalize(kind, &current));
        let scale = &*request.subresource == "scale";
        let base = match scale.then(|| special::scale_of(kind, &current)).transpose() {
            Ok(base) => base.map_or_else(|| current.clone(), Rc::new),
            Err(status) => return refuse(ctx, id, "storage", status),
        };
        let wanted = match &request.body {
            Body::Object(object) => object.clone(),
            Body::Patch(patch_type, patch) => {
                let patched = if is_apply(request) && !scale {
                    super::pipeline::apply(ctx, flight, request, Some(&base))
                } else {
                    podscope_api::patch::apply(*patch_type, kind.name(), &base, patch).map(Object)
                };
                match patched {
                    Ok(object) => {
                        let object = Rc::new(object);
                        let note = Note::new(PATCH)
                            .of(id)
                            .about(kind, key.clone())
                            .arg("type", patch_type.content_type())
                            .data(Data::Change(Some(base.clone()), Some(object.clone())));
                        ctx.trace(note);
                        object
                    }
                    Err(status) => return refuse(ctx, id, "patch", status),
                }
            }
            Body::None => {
                return refuse(
                    ctx,
                    id,
                    "decode",
                    Status::bad_request("the request has no object"),
                );
            }
        };
        let wanted_uid = wanted.uid();
        if !wanted_uid.is_empty() && wanted_uid != current.uid() {
            return refuse(
                ctx,
                id,
                "storage",
                other("UID", kind, &key, wanted_uid, current.uid()),
            );
        }
        let asked = wanted.at("metadata.resourceVersion").str_or_empty();
        let strict = !asked.is_empty()
            && (matches!(request.body, Body::Object(_))
                || asked != base.at("metadata.resourceVersion").str_or_empty());
        if strict && asked != revision.to_string() {
            return refuse(ctx, id, "storage", modified(kind, &key.name));
        }
        let wanted = if scale {
            match special::scaled(&current, &wanted) {
                Ok(object) => Rc::new(object),
                Err(status) => return refuse(ctx, id, "validate", status),
            }
        } else if kind == Kind::Namespace && &*request.subresource == "finalize" {
            // Nothing else can be changed through this subresource.
            let mut object = (*current).clone();
            object.set("spec.finalizers", wanted.at("spec.finalizers").clone());
            Rc::new(object)
        } else {
            wanted
        };
        let object = match super::pipeline::update(
            self,
            ctx,
            id,
            flight,
            request,
            &current,
            settled.as_ref().unwrap_or(&current),
            &wanted,
        ) {
            Ok(object) => object,
            Err((stage, status)) => return refuse(ctx, id, stage, status),
        };
        let answer = if scale {
            special::scale_of(kind, &object).ok()
        } else {
            None
        };
        if request.options.dry_run {
            return answered(200, answer.unwrap_or(object), flight);
        }
        if object == *current {
            ctx.trace(Note::new(UNCHANGED).of(id).about(kind, key));
            return answered(200, answer.unwrap_or(object), flight);
        }
        if super::delete::finished(&object) {
            return self.remove(ctx, etcd, id, flight, kind, key, revision);
        }
        let decision = Decision {
            object: Some(object),
            code: 200,
            answer,
        };
        self.store(
            ctx,
            etcd,
            id,
            flight,
            kind,
            key,
            decision,
            Some((revision, strict)),
        )
    }

    /// Proposes a decided write; `based_on` is the revision it was decided on and whether the client insists.
    #[allow(clippy::too_many_arguments, reason = "the parts of one write")]
    pub(crate) fn store(
        &mut self,
        ctx: &mut Ctx<'_>,
        etcd: &mut Etcd,
        id: RequestId,
        flight: &mut InFlight,
        kind: Kind,
        key: Key,
        decision: Decision,
        based_on: Option<(u64, bool)>,
    ) -> Progress {
        flight.pending = Some(Pending {
            kind,
            key,
            object: decision.object,
            expected: based_on.map(|(revision, _)| revision),
            strict: based_on.is_some_and(|(_, strict)| strict),
            code: decision.code,
            answer: decision.answer,
        });
        self.propose(ctx, etcd, id, flight)
    }
}

/// An answer without a write.
pub(crate) fn answered(code: u16, object: Object, flight: &mut InFlight) -> Progress {
    let warnings = std::mem::take(&mut flight.warnings);
    Progress::Answered(Ok(Answer {
        code,
        object: Rc::new(object),
        warnings,
    }))
}
