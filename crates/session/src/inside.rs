//! The inside of a component.

use crate::components;
use crate::diff;
use crate::explain::{msg, object_yaml};
use crate::session::Session;
use crate::view::*;
use podscope_api::{Body, Request};
use podscope_cluster::{ComponentId as Id, Data, TraceEvent};
use std::rc::Rc;

/// How far back the request in focus is looked for.
const LOOK_BACK: usize = 20_000;
/// How many requests are listed beside the one in focus.
const REQUESTS: usize = 12;

/// What the stage shows of a target.
pub fn inside(session: &Session, target: &Target) -> InsideView {
    match target {
        Target::Cluster => InsideView::Nothing,
        Target::Node(name) => session
            .simulation()
            .cluster()
            .nodes()
            .iter()
            .find(|n| n.config.name == *name)
            .map_or(InsideView::Nothing, |n| {
                crate::inside_node::inside(session, n.id)
            }),
        Target::Component(number) => match components::of_number(*number) {
            Id::ApiServer => InsideView::ApiServer(api_server(session)),
            Id::Etcd(_) => InsideView::Etcd(crate::inside_etcd::inside(session)),
            Id::Controller(c) => {
                InsideView::Controller(crate::inside_controller::inside(session, *number, c))
            }
            Id::Client(_) => InsideView::Client(crate::inside_controller::client(session)),
            Id::Scheduler => InsideView::Scheduler(crate::inside_scheduler::inside(session, None)),
            Id::Kubelet(n) | Id::Runtime(n) | Id::KubeProxy(n) => {
                crate::inside_node::inside(session, n)
            }
            _ => InsideView::Nothing,
        },
        Target::Call(event) => crate::inside_call::inside(session, *event),
        Target::Plugin(_) => InsideView::Scheduler(crate::inside_scheduler::inside(session, None)),
    }
}

/// The index in [`PIPELINE`] of an event inside the API server.
fn stage_of(code: &str) -> Option<u16> {
    Some(match code {
        "apiserver.authentication" => 0,
        "apiserver.priority" => 1,
        "apiserver.authorization" => 2,
        "apiserver.decode" | "apiserver.default" | "apiserver.patch" => 3,
        "apiserver.mutate" => 4,
        "apiserver.validate" | "apiserver.prepare" => 5,
        "apiserver.admit" => 6,
        "apiserver.quota" => 7,
        "etcd.propose"
        | "etcd.ack"
        | "etcd.commit"
        | "etcd.no_quorum"
        | "etcd.compare_failed"
        | "apiserver.stored"
        | "apiserver.unchanged" => 8,
        _ => return None,
    })
}

/// The index in [`PIPELINE`] of a refusal's stage name.
fn refused_stage(name: &str) -> u16 {
    let name = match name {
        "default" | "patch" => "decode",
        other => other,
    };
    PIPELINE
        .iter()
        .position(|s| *s == name)
        .and_then(|i| u16::try_from(i).ok())
        .unwrap_or(8)
}

fn api_server(session: &Session) -> ApiServerInside {
    let shown = session.timeline.shown();
    let log = session.log();
    let recent = &log[shown.saturating_sub(LOOK_BACK)..shown];
    // Before the index is borrowed.
    let requests = crate::requests::recent(session, REQUESTS, |_, _| true);
    let index = session.index();
    let foreground = |e: &&TraceEvent| {
        usize::try_from(e.id.0)
            .ok()
            .and_then(|i| index.entries().get(i))
            .is_some_and(|entry| !entry.background)
    };
    let writes = |e: &TraceEvent| {
        matches!(
            e.arg("verb").str_or_empty(),
            "create" | "update" | "patch" | "delete"
        )
    };
    // The request of the present event, else the last write that arrived, else the last request.
    let current = recent.last().and_then(|e| e.request);
    let arrival = recent
        .iter()
        .rev()
        .filter(foreground)
        .find(|e| e.code == "apiserver.received" && current.is_none_or(|id| e.request == Some(id)))
        .or_else(|| {
            recent
                .iter()
                .rev()
                .filter(foreground)
                .find(|e| e.code == "apiserver.received" && writes(e))
        })
        .or_else(|| recent.iter().rev().find(|e| e.code == "apiserver.received"));
    let empty = |i: u16| StageView {
        stage: i,
        state: StageState::Ahead,
        result: None,
        detail: None,
        event: None,
        changed: (0, 0),
        lines: Vec::new().into(),
    };
    let mut stages: Vec<StageView> = (0..9).map(empty).collect();
    let none: Text = "".into();
    let mut view = ApiServerInside {
        request: none.clone(),
        from: none.clone(),
        object: none,
        stages: Vec::new().into(),
        lines: Vec::new().into(),
        change: None,
        refusal: None,
        event: None,
        requests: requests.into(),
    };
    let Some(arrival) = arrival else {
        view.stages = stages.into();
        return view;
    };
    let first = usize::try_from(arrival.id.0).unwrap_or(0);
    let of_request: Vec<&TraceEvent> = log[first.min(shown)..shown]
        .iter()
        .filter(|e| e.request == arrival.request)
        .collect();
    if let Data::Request(request) = &arrival.data {
        view.request = format!("{} {}", request.verb.method(), request.path()).into();
        view.object = title(request);
    }
    let mut last_stage = None;
    let mut previous: Option<String> = None;
    for event in &of_request {
        if event.code == "apiserver.refused" {
            let stage = refused_stage(event.arg("stage").str_or_empty());
            let code = u16::try_from(event.arg("code").as_int().unwrap_or(0)).unwrap_or(0);
            let (reason, message) = (
                event.arg("reason").str_or_empty(),
                event.arg("message").str_or_empty(),
            );
            view.refusal = Some((code, reason.into(), message.into()));
            if let Some(s) = stages.get_mut(usize::from(stage)) {
                s.state = StageState::Refused;
                s.event = number(event);
                s.result = Some(msg(session, event));
            }
            last_stage = None;
            continue;
        }
        let Some(stage) = stage_of(event.code) else {
            continue;
        };
        for s in stages.iter_mut().take(usize::from(stage)) {
            s.state = StageState::Passed;
        }
        if let Some(s) = stages.get_mut(usize::from(stage)) {
            s.state = StageState::Passed;
            s.event = number(event);
            s.detail = s.result.replace(msg(session, event));
        }
        last_stage = Some(stage);
        let (before, after) = match &event.data {
            Data::Object(object) => (previous.clone(), Some(object_yaml(object))),
            Data::Change(before, Some(after)) if event.code != "etcd.commit" => (
                before.as_ref().map(|o| object_yaml(o)),
                Some(object_yaml(after)),
            ),
            Data::Change(_, Some(after)) => (previous.clone(), Some(object_yaml(after))),
            _ => continue,
        };
        if let Some(after) = after {
            let lines = match before {
                Some(before) => diff::lines(&before, &after),
                None => diff::plain(&after),
            };
            let added = lines.iter().filter(|l| l.mark == LineMark::Add).count();
            let removed = lines.iter().filter(|l| l.mark == LineMark::Del).count();
            view.change = (added + removed > 0).then(|| {
                Msg::new(
                    "change.lines",
                    vec![
                        ("added", Arg::Count(i64::try_from(added).unwrap_or(0))),
                        ("removed", Arg::Count(i64::try_from(removed).unwrap_or(0))),
                    ],
                )
            });
            let lines: Rc<[CodeLine]> = lines.into();
            if let Some(s) = stages.get_mut(usize::from(stage))
                && added + removed > 0
            {
                let most = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
                s.changed = (s.changed.0 + most(added), s.changed.1 + most(removed));
                s.lines = lines.clone();
            }
            view.lines = lines;
            previous = Some(after);
        }
    }
    let answered = log[first.min(shown)..shown].iter().any(|e| {
        e.request == arrival.request
            && matches!(
                e.code,
                "client.response" | "apiserver.stored" | "apiserver.read"
            )
    });
    if let Some(stage) = last_stage.filter(|_| !answered)
        && let Some(s) = stages.get_mut(usize::from(stage))
    {
        s.state = StageState::Current;
    }
    let sent = log
        .get(..first)
        .unwrap_or(&[])
        .iter()
        .rev()
        .take(LOOK_BACK)
        .find(|e| e.code == "client.request" && e.request == arrival.request);
    view.from = sent.map_or_else(|| "".into(), |e| components::name(session, e.actor).into());
    view.event = sent.and_then(number);
    view.stages = stages.into();
    view
}

fn number(event: &TraceEvent) -> Option<EventIndex> {
    EventIndex::try_from(event.id.0 + 1).ok()
}

fn title(request: &Request) -> Text {
    let mut key = podscope_api::Key::new(request.namespace.clone(), request.name.clone());
    if let Body::Object(object) = &request.body
        && key.name.is_empty()
    {
        key.name = match object.name() {
            "" => format!("{}…", object.at("metadata.generateName").str_or_empty()).into(),
            name => name.into(),
        };
    }
    format!("{} {key}", request.kind).into()
}
