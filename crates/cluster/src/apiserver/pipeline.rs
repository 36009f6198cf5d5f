//! The pipeline of a write, stage by stage, with each stage reported.

use super::{ApiServer, DECODE, InFlight, VALIDATE};
use crate::sim::Ctx;
use crate::trace::{Data, Note, RequestId};
use podscope_api::{Object, Request, Status, Value};
use std::rc::Rc;

type Refusal = (&'static str, Status);

/// From the body of a create to the object that is going to be stored.
///
/// # Errors
/// The stage that refused, and its words.
pub(crate) fn create(
    _api: &ApiServer,
    ctx: &mut Ctx<'_>,
    id: RequestId,
    _flight: &mut InFlight,
    request: &Request,
    body: &Rc<Object>,
) -> Result<Object, Refusal> {
    ctx.trace(Note::new(DECODE).of(id).data(Data::Object(body.clone())));
    let mut object = (**body).clone();
    object.set("apiVersion", request.kind.api_version());
    object.set("kind", request.kind.name());
    let prefix = object
        .at("metadata.generateName")
        .str_or_empty()
        .to_string();
    if object.name().is_empty() && !prefix.is_empty() {
        let suffix = ctx.random_name("name", 5);
        object.set("metadata.name", format!("{prefix}{suffix}"));
    }
    if request.kind.namespaced() {
        object.set("metadata.namespace", request.namespace.clone());
    }
    let uid = ctx.uuid();
    object.set("metadata.uid", uid);
    object.set("metadata.creationTimestamp", ctx.wall().seconds_text());
    if !object.get("spec").is_null() {
        object.set("metadata.generation", 1);
    }
    ctx.trace(
        Note::new(VALIDATE)
            .of(id)
            .data(Data::Object(Rc::new(object.clone()))),
    );
    Ok(object)
}

/// From the stored object and the wanted one to the object that is going to be stored.
///
/// # Errors
/// The stage that refused, and its words.
pub(crate) fn update(
    _api: &ApiServer,
    ctx: &mut Ctx<'_>,
    id: RequestId,
    _flight: &mut InFlight,
    request: &Request,
    current: &Rc<Object>,
    wanted: &Rc<Object>,
) -> Result<Object, Refusal> {
    let mut object = (**wanted).clone();
    for field in [
        "uid",
        "creationTimestamp",
        "generation",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "resourceVersion",
    ] {
        let before = current.get("metadata").get(field).clone();
        let meta = object.at_mut("metadata").map_mut();
        if before.is_null() {
            meta.remove(field);
        } else {
            meta.insert(field, before);
        }
    }
    let keep = |object: &mut Object, field: &str| {
        let before = current.get(field).clone();
        if before.is_null() {
            object.map_mut().remove(field);
        } else {
            object.set(field, before);
        }
    };
    match &*request.subresource {
        "status" => keep(&mut object, "spec"),
        _ if current.kind() == Some(podscope_api::Kind::Node)
            && current.get("status") != &Value::Null =>
        {
            keep(&mut object, "status")
        }
        _ => keep(&mut object, "status"),
    }
    if object.spec() != current.spec() && current.generation() > 0 {
        object.set("metadata.generation", current.generation() + 1);
    }
    ctx.trace(Note::new(VALIDATE).of(id).data(Data::Change(
        Some(current.clone()),
        Some(Rc::new(object.clone())),
    )));
    Ok(object)
}
