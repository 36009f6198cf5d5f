//! GET and LIST.

use super::{ApiServer, READ, not_found, resource};
use crate::etcd::Etcd;
use crate::sim::Ctx;
use crate::trace::{Note, RequestId};
use podscope_api::selector::{FieldSelector, Selector};
use podscope_api::{Answer, Failure, Key, Kind, Object, Request, Response, Status, Value, Verb};
use std::rc::Rc;

impl ApiServer {
    /// Answers a read. Without a majority of etcd's members only lists from the cache can be answered.
    pub(crate) fn read(
        &self,
        ctx: &mut Ctx<'_>,
        etcd: &Etcd,
        id: RequestId,
        request: &Request,
    ) -> Response {
        let note = Note::new(READ)
            .of(id)
            .arg("verb", request.verb.name())
            .arg("resource", resource(request));
        match request.verb {
            Verb::Get => {
                let key = Key::new(request.namespace.clone(), request.name.clone());
                let found = etcd.get(request.kind, &key).map(|s| s.object.clone());
                let code = if found.is_some() { 200 } else { 404 };
                ctx.trace(note.about(request.kind, key).arg("code", code));
                let object =
                    found.ok_or_else(|| Failure::Status(not_found(request.kind, &request.name)))?;
                let object = match &*request.subresource {
                    "" | "status" if request.kind == Kind::Lease => {
                        ctx.sim.election.renewed(&object, ctx)
                    }
                    "" | "status" => object,
                    "scale" => Rc::new(super::special::scale_of(request.kind, &object)?),
                    other => {
                        let message =
                            format!("the server could not find the requested resource ({other})");
                        return Err(Status::new(404, "NotFound", message).into());
                    }
                };
                Ok(Answer {
                    code: 200,
                    object,
                    warnings: Vec::new(),
                })
            }
            _ => {
                let mut items = self.select(request)?;
                if request.kind == Kind::Lease {
                    for item in &mut items {
                        *item = ctx.sim.election.renewed(item, ctx);
                    }
                }
                let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
                ctx.trace(note.arg("code", 200).arg("count", count));
                let mut list = podscope_api::value!({"metadata": {}});
                list.set("kind", format!("{}List", request.kind.name()));
                list.set("apiVersion", request.kind.api_version());
                list.set("metadata.resourceVersion", etcd.revision().to_string());
                list.set("items", Value::list(items.into_iter().map(|o| o.0.clone())));
                Ok(Answer {
                    code: 200,
                    object: Rc::new(Object(list)),
                    warnings: Vec::new(),
                })
            }
        }
    }

    /// The objects that a list or deletecollection means.
    ///
    /// # Errors
    /// `400 BadRequest` for a selector that cannot be read.
    #[inline(never)]
    pub(crate) fn select(&self, request: &Request) -> Result<Vec<Rc<Object>>, Status> {
        let options = &request.options;
        let labels = Selector::parse(&options.label_selector)
            .map_err(|e| Status::bad_request(format!("unable to parse requirement: {e}")))?;
        let fields = FieldSelector::parse(&options.field_selector).map_err(Status::bad_request)?;
        fields.check(request.kind).map_err(Status::bad_request)?;
        Ok(self
            .cached(request.kind)
            .filter(|o| request.namespace.is_empty() || o.namespace() == &*request.namespace)
            .filter(|o| labels.matches(o.labels()) && fields.matches(o))
            .cloned()
            .collect())
    }
}
