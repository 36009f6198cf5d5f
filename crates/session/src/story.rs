//! The story: what components did that others notice, one line each, without loops and details.

use crate::components;
use crate::index::{Entry, Zoom, component_kind};
use crate::session::Session;
use crate::view::*;
use podscope_api::Body;
use podscope_cluster::{Data, TraceEvent};

/// The most lines.
const MAX_ROWS: usize = 4_000;

/// The lines of the events `from..to` of the known trace, and those at which a phase begins.
pub fn rows(session: &Session, from: usize, to: usize) -> Vec<StoryRow> {
    wanted(session, from, to, |entry| {
        entry.zoom <= Zoom::Action || entry.phase.is_some()
    })
}

/// The lines of the events `from..to` of the known trace: what components did, and nothing else.
pub fn actions(session: &Session, from: usize, to: usize) -> Vec<StoryRow> {
    wanted(session, from, to, |entry| entry.zoom <= Zoom::Action)
}

fn wanted(
    session: &Session,
    from: usize,
    to: usize,
    is_wanted: fn(&Entry) -> bool,
) -> Vec<StoryRow> {
    let index = session.index();
    let log = session.log();
    let to = to.min(log.len());
    (from..to)
        .filter_map(|i| Some((i, index.entries().get(i)?, log.get(i)?)))
        .filter(|(_, entry, event)| {
            // A kubelet's report recurs for ever, as its request does.
            let recurs = entry.background || event.code == "kubelet.node_status";
            !recurs && is_wanted(entry)
        })
        .take(MAX_ROWS)
        .map(|(i, entry, event)| row(session, i, entry.phase, event))
        .collect()
}

/// One event as a line.
pub fn row(
    session: &Session,
    place: usize,
    phase: Option<&'static str>,
    event: &TraceEvent,
) -> StoryRow {
    StoryRow {
        event: EventIndex::try_from(place + 1).unwrap_or(EventIndex::MAX),
        at: event.at.0.saturating_mul(1_000),
        kind: component_kind(event.actor),
        who: components::name(session, event.actor).into(),
        msg: crate::explain::msg(session, event),
        phase: phase.map(Msg::plain),
    }
}

/// The next known event about an object after the cursor, or the last one before it.
pub fn next_of(session: &Session, object: &ObjectRef, forward: bool) -> Option<EventIndex> {
    let index = session.index();
    let at = session.timeline.shown();
    let about = |i: &usize| {
        let loops = index.entries().get(*i).is_none_or(|e| e.background);
        let own = &*object.kind == "Lease";
        (own || !loops) && session.log().get(*i).is_some_and(|e| is_about(e, object))
    };
    let found = if forward {
        (at..session.log().len()).find(about)
    } else {
        (0..at.saturating_sub(1)).rev().find(about)
    };
    found.and_then(|i| EventIndex::try_from(i + 1).ok())
}

fn is_about(event: &TraceEvent, object: &ObjectRef) -> bool {
    let same = |kind: &str, namespace: &str, name: &str| {
        kind == &*object.kind && namespace == &*object.namespace && name == &*object.name
    };
    let subject = event
        .subject
        .as_ref()
        .is_some_and(|s| same(s.kind.name(), &s.key.namespace, &s.key.name));
    subject
        || match &event.data {
            Data::Request(r) => {
                let name = match &r.body {
                    Body::Object(o) if r.name.is_empty() => o.name(),
                    _ => &r.name,
                };
                same(r.kind.name(), &r.namespace, name)
            }
            _ => false,
        }
}
