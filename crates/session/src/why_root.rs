//! What a chain of causes ends in: a person's act, or a timer that runs from the start.

use crate::session::Session;
use crate::view::*;
use podscope_api::Kind;
use podscope_cluster::{ComponentId, ControllerId, Data, TraceEvent};

/// The most events that a chain of causes is followed through. Causes come before their effects, so a
/// chain always ends; nobody reads a longer one.
const MAX_CHAIN: usize = 1_000_000;

/// What the chain of causes of an event (counted from 1) ends in; `None` beyond the known trace.
#[inline(never)]
pub fn root(session: &Session, event: EventIndex) -> Option<RootView> {
    let log = session.log();
    let mut at = log.get(usize::try_from(event).ok()?.checked_sub(1)?)?;
    for _ in 0..MAX_CHAIN {
        let before = at.cause.and_then(|id| usize::try_from(id.0).ok());
        match before.and_then(|place| log.get(place)) {
            Some(cause) => at = cause,
            None => break,
        }
    }
    Some(of(session, at))
}

/// Whether an event without a cause may have none: a person's act, or a timer that runs from the start.
pub fn is_root(event: &TraceEvent) -> bool {
    event.cause.is_none() && (act(event).is_some() || timer(event).is_some())
}

/// A person's act.
fn act(event: &TraceEvent) -> Option<Msg> {
    let by_person = matches!(event.actor, ComponentId::Client(_));
    if by_person && event.code == crate::simulation::COMMAND {
        let command = Arg::Text(event.arg("command").str_or_empty().into());
        return Some(Msg::new("root.command", vec![("command", command)]));
    }
    if event.code.starts_with("fault.") {
        let name = event.arg("name").str_or_empty();
        let kind = event.arg("kind").str_or_empty();
        let what = if kind.is_empty() { name } else { kind };
        return Some(Msg::new(
            "root.fault",
            vec![("fault", Arg::Text(what.into()))],
        ));
    }
    None
}

/// What an event without a cause is.
fn of(session: &Session, event: &TraceEvent) -> RootView {
    let number = EventIndex::try_from(event.id.0.saturating_add(1)).unwrap_or(EventIndex::MAX);
    if event.cause.is_some() {
        return RootView::Unknown(number);
    }
    if let Some(text) = act(event) {
        return RootView::Act(text, number);
    }
    match timer(event) {
        Some(code) => {
            let who = crate::components::name(session, event.actor);
            let text = Msg::new(code, vec![("who", Arg::Text(who.into()))]);
            RootView::Timer(text, number)
        }
        None => RootView::Unknown(number),
    }
}

/// The loop of the start that an event without a cause belongs to. One line for each such loop: a new one
/// that is not here is found by `crates/session/tests/why.rs`.
fn timer(event: &TraceEvent) -> Option<&'static str> {
    let request = match &event.data {
        Data::Request(request) => Some(request.kind),
        _ => None,
    };
    let monitor = ComponentId::Controller(ControllerId::NodeLifecycle);
    Some(match (event.code, request) {
        // All that it does unasked, it does when it looks at the nodes.
        _ if event.actor == monitor => "root.monitor",
        ("client.request", Some(Kind::Lease)) => "root.lease",
        ("client.request", Some(Kind::Node)) | ("kubelet.node_status", _) => "root.heartbeat",
        ("proxy.sync", _) => "root.proxy",
        ("watch.reconnected", _) => "root.reconnect",
        ("timer.fired", _) => "root.timer",
        _ => return None,
    })
}
