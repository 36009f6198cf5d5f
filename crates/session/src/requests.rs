//! Requests with their answers, one line each.

use crate::cluster_view::code_text;
use crate::components;
use crate::index::component_kind;
use crate::session::Session;
use crate::view::*;
use podscope_api::{Body, Request};
use podscope_cluster::trace::RequestId;
use podscope_cluster::{Data, TraceEvent};
use podscope_kernel::collections::BTreeMap;

/// How far back requests are looked for.
const LOOK_BACK: usize = 20_000;

/// An event's number on the page.
pub fn number(event: &TraceEvent) -> EventIndex {
    EventIndex::try_from(event.id.0.saturating_add(1)).unwrap_or(EventIndex::MAX)
}

/// An event's moment.
pub fn nanos(event: &TraceEvent) -> Nanos {
    event.at.0.saturating_mul(1_000)
}

/// `POST deployments nginx`, as short as it can be told.
pub fn label(request: &Request) -> String {
    let mut text = format!(
        "{} {}",
        request.verb.method(),
        podscope_cluster::apiserver::resource(request)
    );
    let own = match &request.body {
        Body::Object(object) if request.name.is_empty() => object.name(),
        _ => "",
    };
    let name = if own.is_empty() { &*request.name } else { own };
    if !name.is_empty() {
        text.push(' ');
        text.push_str(name);
    }
    text
}

/// The answer of a request in one line, and whether it is a failure. `event` is `client.response` or
/// `client.no_answer`.
pub fn answer(event: &TraceEvent) -> (Text, bool) {
    if event.code == "client.no_answer" {
        return (event.arg("message").str_or_empty().into(), true);
    }
    let code = event.arg("code").as_int().unwrap_or(0);
    (code_text(code).into(), code >= 400)
}

/// The newest requests up to the cursor whose event is `wanted`, newest first, at most `most`.
/// Those of loops that never end are left out.
pub fn recent(
    session: &Session,
    most: usize,
    wanted: impl Fn(&TraceEvent, &Request) -> bool,
) -> Vec<RequestLine> {
    let log = session.shown_log();
    let index = session.index();
    let mut answers: BTreeMap<RequestId, &TraceEvent> = BTreeMap::new();
    let mut out = Vec::new();
    let from = log.len().saturating_sub(LOOK_BACK);
    for (i, event) in log.iter().enumerate().skip(from).rev() {
        let Some(id) = event.request else { continue };
        if matches!(event.code, "client.response" | "client.no_answer") {
            answers.insert(id, event);
            continue;
        }
        let (Data::Request(request), "client.request") = (&event.data, event.code) else {
            continue;
        };
        let background = index.entries().get(i).is_some_and(|e| e.background);
        if background || !wanted(event, request) {
            continue;
        }
        let found = answers.remove(&id);
        let (text, failed) = found.map_or_else(|| ("".into(), false), answer);
        out.push(RequestLine {
            event: number(event),
            at: nanos(event),
            took: found.map(|e| nanos(e).saturating_sub(nanos(event))),
            kind: component_kind(event.actor),
            who: components::name(session, event.actor).into(),
            label: label(request).into(),
            answer: text,
            failed,
        });
        if out.len() >= most {
            break;
        }
    }
    out
}
