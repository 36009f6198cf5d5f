//! The inside of one call: a request on its way through the API server, or a call on a machine.

use crate::components;
use crate::explain::{msg, panes};
use crate::index::component_kind;
use crate::requests::{answer, label, nanos, number};
use crate::session::Session;
use crate::view::*;
use podscope_cluster::{ComponentId as Id, Data, TraceEvent};

/// The most events that are shown of one call.
const MAX_STEPS: usize = 60;
/// How many events a call may be spread over.
const REACH: usize = 20_000;
/// The most panes of data.
const MAX_PANES: usize = 6;

/// What the stage shows of the call that `event` belongs to (counted from 1).
pub fn inside(session: &Session, event: EventIndex) -> InsideView {
    let log = session.shown_log();
    let place = usize::try_from(event)
        .ok()
        .and_then(|event| event.checked_sub(1));
    let Some((place, opened)) = place.and_then(|place| Some((place, log.get(place)?))) else {
        return InsideView::Nothing;
    };
    let mine = match (opened.request, opened.actor.machine()) {
        (Some(_), _) => of_request(log, place, opened),
        (None, Some(_)) => on_machine(log, place, opened),
        (None, None) => vec![opened],
    };
    InsideView::Call(view(session, event, opened, &mine))
}

/// All events of a request.
fn of_request<'a>(log: &'a [TraceEvent], place: usize, opened: &TraceEvent) -> Vec<&'a TraceEvent> {
    let range = place.saturating_sub(REACH)..(place + REACH).min(log.len());
    let events = log.get(range).unwrap_or(&[]).iter();
    events.filter(|e| e.request == opened.request).collect()
}

/// From the kubelet's call to the event with which it came back, on one machine and about one Pod.
fn on_machine<'a>(log: &'a [TraceEvent], place: usize, opened: &TraceEvent) -> Vec<&'a TraceEvent> {
    let same = |e: &&TraceEvent| {
        e.actor.machine() == opened.actor.machine()
            && e.subject == opened.subject
            && e.request.is_none()
    };
    let ends = |e: &TraceEvent| e.code.starts_with("cri.") && e.code != "cri.call";
    let mut events: Vec<&TraceEvent> = Vec::new();
    for event in log.iter().take(place + 1).rev().take(REACH).filter(same) {
        if ends(event) && event.id != opened.id {
            break;
        }
        events.push(event);
        if event.code == "cri.call" {
            break;
        }
    }
    // A step of the kubelet's own is no part of a call.
    if events.last().is_none_or(|first| first.code != "cri.call") {
        return log.get(place).into_iter().collect();
    }
    events.reverse();
    if !ends(opened) {
        for event in log.iter().skip(place + 1).take(REACH).filter(same) {
            events.push(event);
            if ends(event) {
                break;
            }
        }
    }
    events
}

fn view(
    session: &Session,
    number_of: EventIndex,
    opened: &TraceEvent,
    mine: &[&TraceEvent],
) -> CallInside {
    let named = |id: Id| -> (ComponentKind, Text) {
        (component_kind(id), components::name(session, id).into())
    };
    let first = mine.first().copied().unwrap_or(opened);
    let sent = mine.iter().find_map(|e| match &e.data {
        Data::Request(request) => Some(request),
        _ => None,
    });
    let done = mine.iter().rev().copied().find(|e| {
        matches!(e.code, "client.response" | "client.no_answer")
            || e.code.starts_with("cri.") && e.code != "cri.call"
    });
    let (text, failed) = match done {
        Some(e) if e.request.is_some() => answer(e),
        Some(e) => (e.arg("error").str_or_empty().into(), e.code == "cri.failed"),
        None => ("".into(), false),
    };
    let title: Text = match sent {
        Some(request) => label(request).into(),
        None => match first.arg("call").str_or_empty() {
            "" => "".into(),
            call => format!("{call} {}", first.arg("container").str_or_empty())
                .trim_end()
                .into(),
        },
    };
    let receiver = match (sent, first.code, first.actor) {
        (Some(_), ..) => Id::ApiServer,
        (None, "cri.call", Id::Kubelet(n)) => Id::Runtime(n),
        (_, _, actor) => actor,
    };
    let newest = mine.last().map(|e| e.id);
    let skip = mine.len().saturating_sub(MAX_STEPS);
    let steps = mine.iter().skip(skip).map(|e| CallStep {
        event: number(e),
        at: nanos(e),
        kind: component_kind(e.actor),
        msg: msg(session, e),
        now: Some(e.id) == newest && session.shown_log().last().map(|e| e.id) == newest,
    });
    // What was opened comes first, then what was sent and what came back.
    let mut shown: Vec<Pane> = Vec::new();
    let mut seen: Vec<u64> = Vec::new();
    let telling = |e: &&&TraceEvent| {
        matches!(
            e.data,
            Data::Request(_) | Data::Response(_) | Data::Call(..) | Data::Json(_)
        )
    };
    for event in [Some(opened)]
        .into_iter()
        .flatten()
        .chain(mine.iter().filter(telling).copied())
    {
        if seen.contains(&event.id.0) || shown.len() >= MAX_PANES {
            continue;
        }
        seen.push(event.id.0);
        let own = panes(event);
        let most = if event.id == opened.id { 2 } else { 1 };
        let most = if matches!(event.data, Data::Call(..)) {
            2
        } else {
            most
        };
        // What arrived is what was sent: once is enough.
        let fresh = own
            .into_iter()
            .filter(|p| p.title != "pane.arguments")
            .take(most);
        let fresh: Vec<Pane> = fresh
            .filter(|p| !shown.iter().any(|s| s.lines == p.lines))
            .collect();
        shown.extend(fresh);
    }
    if shown.is_empty() {
        shown = panes(opened);
    }
    CallInside {
        event: number_of,
        label: title,
        from: named(first.actor),
        to: named(receiver),
        at: nanos(first),
        took: done.map(|e| nanos(e).saturating_sub(nanos(first))),
        answer: text,
        failed,
        steps: steps.collect(),
        panes: shown.into(),
    }
}
