//! The explanation of one event: its message, the data of this run, its causes, what comes next.

use crate::components;
use crate::diff;
use crate::index::{Zoom, component_kind};
use crate::session::Session;
use crate::view::*;
use podscope_api::{Body, Failure, Object, Response, Value};
use podscope_cluster::{ComponentId, Data, TraceEvent, TraceId};
use podscope_manifest::yaml;

/// The most lines of a pane.
const MAX_LINES: usize = 400;
/// The most links of a chain of causes.
const MAX_CAUSES: usize = 24;
/// The most events that a chain of causes is followed through.
const MAX_CHAIN: usize = 10_000;

/// An event's code with its arguments.
#[inline(never)]
pub fn msg(session: &Session, event: &TraceEvent) -> Msg {
    let mut args: Vec<(&'static str, Arg)> = event
        .args
        .iter()
        .map(|(name, value)| {
            let arg = match value {
                Value::Int(i) if name.ends_with("_ms") => {
                    Arg::Span(u64::try_from(*i).unwrap_or(0).saturating_mul(1_000_000))
                }
                Value::Int(i) => Arg::Count(*i),
                Value::Str(s) => Arg::Text(s.clone()),
                other => Arg::Text(podscope_api::json::to_string(other).into()),
            };
            (*name, arg)
        })
        .collect();
    if let Some(subject) = &event.subject {
        args.push(("kind", Arg::Text(subject.kind.name().into())));
        args.push(("object", Arg::Text(subject.key.name.clone())));
        args.push(("namespace", Arg::Text(subject.key.namespace.clone())));
    }
    args.push((
        "actor",
        Arg::Text(components::name(session, event.actor).into()),
    ));
    if let Some(machine) = event.actor.machine() {
        args.push(("node", Arg::Text(session.node_name(machine).into())));
    }
    if let Data::Request(request) = &event.data {
        args.push(("target", Arg::Text(target(request))));
        args.push(("of", Arg::Text(request.kind.name().into())));
    }
    Msg::new(crate::telling::code(event), args)
}

/// The name of the object that a request is about; of one that is created, what is known of it.
fn target(request: &podscope_api::Request) -> Text {
    if !request.name.is_empty() {
        return request.name.clone();
    }
    let Body::Object(object) = &request.body else {
        return request.kind.name().into();
    };
    let of = |path: &str| object.at(path).as_text().cloned();
    of("metadata.name")
        .or_else(|| of("metadata.generateName"))
        .unwrap_or_else(|| request.kind.name().into())
}

fn event_at(session: &Session, id: TraceId) -> Option<&TraceEvent> {
    session.log().get(usize::try_from(id.0).ok()?)
}

/// The chain of causes of an event, from its root down to itself.
pub fn causes(session: &Session, event: &TraceEvent) -> Vec<TraceId> {
    let mut chain = vec![event.id];
    let mut at = event.cause;
    while let Some(id) = at {
        if chain.len() >= MAX_CHAIN {
            break;
        }
        chain.push(id);
        at = event_at(session, id).and_then(|e| e.cause);
    }
    chain.reverse();
    chain
}

/// The explanation; `event` counts from 1.
pub fn explain(session: &Session, event: EventIndex) -> Option<ExplainView> {
    let place = usize::try_from(event).ok()?.checked_sub(1)?;
    let this = session.log().get(place)?;
    let index = session.index();
    let chain = causes(session, this);
    let telling = |id: &TraceId| {
        usize::try_from(id.0)
            .ok()
            .and_then(|i| index.entries().get(i))
            .is_some_and(|e| e.zoom <= Zoom::Action)
    };
    let last = chain.last().copied();
    let root = chain.first().copied();
    let mut links: Vec<TraceId> = chain
        .into_iter()
        .filter(|id| Some(*id) == root || Some(*id) == last || telling(id))
        .collect();
    if links.len() > MAX_CAUSES {
        let tail = links.split_off(links.len() - (MAX_CAUSES - 4));
        links.truncate(4);
        links.extend(tail);
    }
    let causes = links.iter().filter_map(|id| {
        let e = event_at(session, *id)?;
        Some(CauseView {
            event: EventIndex::try_from(id.0 + 1).ok(),
            kind: component_kind(e.actor),
            text: msg(session, e),
            at: e.at.0.saturating_mul(1_000),
        })
    });
    let next = (place + 1..session.log().len())
        .take(5_000)
        .find(|i| {
            index
                .entries()
                .get(*i)
                .is_some_and(|e| !e.background && e.zoom <= Zoom::Call)
        })
        .and_then(|i| session.log().get(i))
        .map(|e| msg(session, e));
    Some(ExplainView {
        event,
        at: this.at.0.saturating_mul(1_000),
        kind: component_kind(this.actor),
        who: who(session, this),
        msg: msg(session, this),
        panes: panes(this).into(),
        causes: causes.collect(),
        line: manifest_line(session, this),
        next,
        predict: crate::predict::before(session, place),
    })
}

/// The line of a manifest that decided an event, with its text.
pub(crate) fn manifest_line(session: &Session, event: &TraceEvent) -> Option<(Text, u32, Text)> {
    let (file, from, _) = crate::manifest_line::of(session, event)?;
    let file = session.files.get(usize::from(file))?;
    let text = file.text.lines().nth(usize::try_from(from).ok()?)?;
    Some((file.name.clone(), from + 1, text.trim().into()))
}

fn who(session: &Session, event: &TraceEvent) -> Msg {
    let name = components::name(session, event.actor);
    let code = match event.actor {
        ComponentId::Controller(_) => "who.controller",
        _ => "who.component",
    };
    Msg::new(code, vec![("name", Arg::Text(name.into()))])
}

fn pane(title: &'static str, syntax: PaneSyntax, mut lines: Vec<CodeLine>) -> Pane {
    if lines.len() > MAX_LINES {
        let more = lines.len() - MAX_LINES;
        lines.truncate(MAX_LINES);
        lines.push(CodeLine {
            text: format!("… {more} more lines").into(),
            mark: LineMark::Dim,
        });
    }
    Pane {
        title,
        syntax,
        lines: lines.into(),
    }
}

/// An object's YAML without managedFields.
pub fn object_yaml(object: &Object) -> String {
    yaml::to_string(object)
}

/// The data that an event shows, most telling first.
pub fn panes(event: &TraceEvent) -> Vec<Pane> {
    let mut panes = Vec::new();
    match &event.data {
        Data::None => {}
        Data::Request(request) => {
            let mut text = format!("{} {}", request.verb.method(), request.path());
            let mut query: Vec<String> = Vec::new();
            let options = &request.options;
            if !options.field_manager.is_empty() {
                query.push(format!("fieldManager={}", options.field_manager));
            }
            if options.field_validation == podscope_api::request::FieldValidation::Strict {
                query.push("fieldValidation=Strict".into());
            }
            if options.dry_run {
                query.push("dryRun=All".into());
            }
            if !options.label_selector.is_empty() {
                query.push(format!("labelSelector={}", options.label_selector));
            }
            if !options.field_selector.is_empty() {
                query.push(format!("fieldSelector={}", options.field_selector));
            }
            for (i, part) in query.iter().enumerate() {
                text.push_str(if i == 0 { "?" } else { "&" });
                text.push_str(part);
            }
            match &request.body {
                Body::None => {}
                Body::Object(object) => {
                    text.push_str("\n\n");
                    text.push_str(&object_yaml(object));
                }
                Body::Patch(patch_type, patch) => {
                    text.push_str(&format!(
                        "\nContent-Type: {}\n\n",
                        patch_type.content_type()
                    ));
                    text.push_str(&yaml::to_string(patch));
                }
            }
            panes.push(pane("pane.request", PaneSyntax::Http, diff::plain(&text)));
        }
        Data::Response(response) => {
            panes.push(pane(
                "pane.response",
                PaneSyntax::Http,
                diff::plain(&response_text(response)),
            ));
        }
        Data::Object(object) => {
            panes.push(pane(
                "pane.object",
                PaneSyntax::Yaml,
                diff::plain(&object_yaml(object)),
            ));
        }
        Data::Change(before, after) => {
            let text = |o: &Option<std::rc::Rc<Object>>| {
                o.as_ref().map(|o| object_yaml(o)).unwrap_or_default()
            };
            panes.push(pane(
                "pane.diff",
                PaneSyntax::Yaml,
                diff::lines(&text(before), &text(after)),
            ));
        }
        Data::Json(value) => panes.push(pane(
            "pane.detail",
            PaneSyntax::Yaml,
            diff::plain(&yaml::to_string(value)),
        )),
        Data::Call(call, result) => {
            panes.push(pane(
                "pane.request",
                PaneSyntax::Yaml,
                diff::plain(&yaml::to_string(call)),
            ));
            if !result.is_null() {
                panes.push(pane(
                    "pane.response",
                    PaneSyntax::Yaml,
                    diff::plain(&yaml::to_string(result)),
                ));
            }
        }
        #[allow(unreachable_patterns, reason = "components may add data of their own")]
        _ => {}
    }
    if !event.args.is_empty() {
        let lines = event.args.iter().map(|(name, value)| {
            let text = value
                .as_str()
                .map_or_else(|| podscope_api::json::to_string(value), str::to_string);
            CodeLine {
                text: format!("{name}: {text}").into(),
                mark: LineMark::Same,
            }
        });
        panes.push(pane("pane.arguments", PaneSyntax::Plain, lines.collect()));
    }
    panes
}

fn response_text(response: &Response) -> String {
    match response {
        Ok(answer) => {
            let mut text = crate::cluster_view::code_text(i64::from(answer.code));
            for warning in &answer.warnings {
                text.push_str(&format!("\nWarning: 299 - \"{warning}\""));
            }
            text.push_str("\n\n");
            text.push_str(&object_yaml(&answer.object));
            text
        }
        Err(Failure::Status(status)) => {
            let mut text = crate::cluster_view::code_text(i64::from(status.code));
            text.push_str("\n\n");
            text.push_str(&yaml::to_string(&status.to_value()));
            text
        }
        Err(Failure::ConnectionRefused) => "connect: connection refused".into(),
        Err(Failure::Timeout) => "no answer".into(),
    }
}
