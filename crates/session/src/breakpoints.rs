//! Breakpoints: a registry of conditions on what the trace reports. A condition on an object is
//! met when etcd commits the change, for that is the first moment at which anybody could see it.

use crate::cluster_view::object_ref;
use crate::session::Session;
use crate::view::*;
use podscope_api::{Kind, Object, Value};
use podscope_cluster::{Data, TraceEvent, faults};
use podscope_kernel::collections::BTreeSet;
use std::rc::Rc;

/// The most breakpoints that are looked at.
const MAX_BREAKS: usize = 32;
/// The most values that are proposed.
const MAX_VALUES: usize = 60;
/// The most queue entries that are run beyond what is known.
const MAX_STEPS: u32 = 200_000;
/// The longest stretch that is run beyond what is known, in microseconds.
const MAX_BEYOND: u64 = 600_000_000;

/// An event in its trace.
struct Seen<'a> {
    log: &'a [TraceEvent],
    place: usize,
    event: &'a TraceEvent,
}

struct BreakKind {
    name: &'static str,
    param: BreakParam,
    met: fn(&Seen<'_>, &str) -> bool,
}

/// All kinds, in the order in which they are offered. A new one is one line here, its condition
/// below and its words `break.<name>`.
const KINDS: &[BreakKind] = &[
    of("pod-ready", BreakParam::Name, |seen, name| {
        becomes(seen, Kind::Pod, name, |pod| pod.condition_true("Ready"))
    }),
    of("pod-bound", BreakParam::Name, |seen, name| {
        let bound = |pod: &Object| !pod.at("spec.nodeName").str_or_empty().is_empty();
        becomes(seen, Kind::Pod, name, bound)
    }),
    of("pod-unschedulable", BreakParam::Name, |seen, name| {
        becomes(seen, Kind::Pod, name, |pod| {
            pod.condition("PodScheduled").get("reason").str_or_empty() == "Unschedulable"
        })
    }),
    of("pod-unready", BreakParam::Name, |seen, name| {
        ceases(seen, Kind::Pod, name, |pod| pod.condition_true("Ready"))
    }),
    of("pod-restart", BreakParam::Name, restarted),
    of("pod-failing", BreakParam::Name, |seen, name| {
        becomes(seen, Kind::Pod, name, failing)
    }),
    of("pod-deleted", BreakParam::Name, |seen, name| {
        change(seen, Kind::Pod, name)
            .is_some_and(|(before, after)| before.is_some() && after.is_none())
    }),
    of("rolled-out", BreakParam::Name, |seen, name| {
        becomes(seen, Kind::Deployment, name, rolled_out)
    }),
    of("node-not-ready", BreakParam::Name, |seen, name| {
        ceases(seen, Kind::Node, name, |node| node.condition_true("Ready"))
    }),
    of("node-ready", BreakParam::Name, |seen, name| {
        becomes(seen, Kind::Node, name, |node| node.condition_true("Ready"))
    }),
    of("warning", BreakParam::Reason, |seen, reason| {
        kube_event(seen, reason).is_some_and(|event| event.at("type").str_or_empty() == "Warning")
    }),
    of("event", BreakParam::Reason, |seen, reason| {
        kube_event(seen, reason).is_some()
    }),
    of("changed", BreakParam::Kind, |seen, kind| {
        let subject = seen.event.subject.as_ref();
        seen.event.code == COMMIT
            && subject.is_some_and(|s| kind.is_empty() || s.kind.name() == kind)
    }),
    of("object", BreakParam::Name, |seen, name| {
        let subject = seen.event.subject.as_ref();
        seen.event.code == COMMIT && subject.is_some_and(|s| s.key.name.contains(name))
    }),
    of("refused", BreakParam::None, |seen, _| {
        seen.event.code == "apiserver.refused"
    }),
    of("conflict", BreakParam::None, |seen, _| {
        seen.event.code == "client.response" && seen.event.arg("code").as_int() == Some(409)
    }),
    of("fault-seen", BreakParam::None, fault_seen),
    of("code", BreakParam::Code, |seen, code| {
        let rest = seen.event.code.strip_prefix(code);
        !code.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }),
];

const COMMIT: &str = "etcd.commit";

const fn of(name: &'static str, param: BreakParam, met: fn(&Seen<'_>, &str) -> bool) -> BreakKind {
    BreakKind { name, param, met }
}

type Both<'a> = (Option<&'a Rc<Object>>, Option<&'a Rc<Object>>);

/// The object before and after, when the event commits a change of that kind and name.
fn change<'a>(seen: &Seen<'a>, kind: Kind, name: &str) -> Option<Both<'a>> {
    let subject = seen.event.subject.as_ref()?;
    if seen.event.code != COMMIT || subject.kind != kind || !subject.key.name.contains(name) {
        return None;
    }
    match &seen.event.data {
        Data::Change(before, after) => Some((before.as_ref(), after.as_ref())),
        _ => None,
    }
}

fn becomes(seen: &Seen<'_>, kind: Kind, name: &str, holds: fn(&Object) -> bool) -> bool {
    change(seen, kind, name).is_some_and(|(before, after)| {
        after.is_some_and(|o| holds(o)) && !before.is_some_and(|o| holds(o))
    })
}

fn ceases(seen: &Seen<'_>, kind: Kind, name: &str, holds: fn(&Object) -> bool) -> bool {
    change(seen, kind, name).is_some_and(|(before, after)| {
        before.is_some_and(|o| holds(o)) && after.is_some_and(|o| !holds(o))
    })
}

fn statuses(pod: &Object) -> impl Iterator<Item = &Value> {
    let of = |path| pod.at(path).items().iter();
    of("status.initContainerStatuses").chain(of("status.containerStatuses"))
}

fn restarted(seen: &Seen<'_>, name: &str) -> bool {
    let count = |pod: &Rc<Object>| -> i64 {
        statuses(pod)
            .filter_map(|s| s.get("restartCount").as_int())
            .sum()
    };
    change(seen, Kind::Pod, name)
        .is_some_and(|(before, after)| after.map_or(0, count) > before.map_or(0, count))
}

fn failing(pod: &Object) -> bool {
    pod.at("status.phase").str_or_empty() == "Failed"
        || statuses(pod).any(|s| {
            let reason = s.at("state.waiting.reason").str_or_empty();
            reason.ends_with("BackOff") || reason.starts_with("Err") || reason.ends_with("Error")
        })
}

fn rolled_out(deployment: &Object) -> bool {
    let status = |field: &str| deployment.status().get(field).as_int().unwrap_or(0);
    let wanted = deployment.at("spec.replicas").as_int().unwrap_or(1);
    status("observedGeneration") >= deployment.generation()
        && [
            status("replicas"),
            status("updatedReplicas"),
            status("availableReplicas"),
        ] == [wanted; 3]
}

fn kube_event<'a>(seen: &Seen<'a>, reason: &str) -> Option<&'a Rc<Object>> {
    let event = change(seen, Kind::Event, "")?.1?;
    (reason.is_empty() || event.at("reason").str_or_empty() == reason).then_some(event)
}

/// After a fault: a node or Pod that was Ready is not, a Warning, or a request without an answer.
fn fault_seen(seen: &Seen<'_>, _: &str) -> bool {
    let ready = |o: &Object| o.condition_true("Ready");
    let noticed = seen.event.code == "client.no_answer"
        || ceases(seen, Kind::Node, "", ready)
        || ceases(seen, Kind::Pod, "", ready)
        || kube_event(seen, "").is_some_and(|event| event.at("type").str_or_empty() == "Warning");
    noticed
        && seen
            .log
            .iter()
            .take(seen.place)
            .any(|e| e.code == faults::INJECTED)
}

/// The kinds with values from the known trace.
pub fn kinds(session: &Session) -> Rc<[BreakKindView]> {
    let values = |param| -> Vec<Text> {
        let mut found: BTreeSet<&str> = BTreeSet::new();
        for event in session.log().iter().filter(|e| e.code == COMMIT) {
            let (Some(subject), Data::Change(_, after)) = (&event.subject, &event.data) else {
                continue;
            };
            match (param, after) {
                (BreakParam::Kind, _) => found.insert(subject.kind.name()),
                (BreakParam::Reason, Some(o)) if subject.kind == Kind::Event => {
                    found.insert(o.at("reason").str_or_empty())
                }
                _ => false,
            };
        }
        found.into_iter().take(MAX_VALUES).map(Text::from).collect()
    };
    let one = |kind: &BreakKind| BreakKindView {
        name: kind.name,
        param: kind.param,
        values: values(kind.param).into(),
    };
    KINDS.iter().map(one).collect()
}

/// The first breakpoint met by the events at `after..upto` of a trace.
pub fn met(
    log: &[TraceEvent],
    breaks: &[Breakpoint],
    after: usize,
    upto: usize,
) -> Option<BreakHit> {
    let known: Vec<(usize, &BreakKind, &str)> = breaks
        .iter()
        .take(MAX_BREAKS)
        .enumerate()
        .filter_map(|(i, b)| {
            let kind = KINDS.iter().find(|kind| kind.name == &*b.kind)?;
            Some((i, kind, b.value.trim()))
        })
        .collect();
    if known.is_empty() {
        return None;
    }
    for place in after..upto.min(log.len()) {
        let seen = Seen {
            log,
            place,
            event: log.get(place)?,
        };
        let hit = known
            .iter()
            .find(|(_, kind, value)| (kind.met)(&seen, value));
        if let Some((index, ..)) = hit {
            let subject = seen.event.subject.as_ref();
            return Some(BreakHit {
                index: u16::try_from(*index).unwrap_or(u16::MAX),
                event: EventIndex::try_from(place + 1).unwrap_or(EventIndex::MAX),
                at: seen.event.at.0.saturating_mul(1_000),
                object: subject.map(|s| object_ref(s.kind, &s.key)),
            });
        }
    }
    None
}

/// Runs to the first breakpoint after the cursor.
///
/// # Errors
/// None was met within the bounds; the cursor is where it was.
pub fn run_to(session: &mut Session, breaks: &[Breakpoint]) -> Result<BreakHit, Refused> {
    if breaks.is_empty() {
        return Err(Msg::plain("refused.no-breakpoint"));
    }
    let known = session.log().len();
    if let Some(hit) = met(session.log(), breaks, session.timeline.shown(), known) {
        session.timeline.seek_events(hit.event as usize);
        return Ok(hit);
    }
    // Beyond what is known: on a copy, for a search in vain leaves nothing behind.
    let kept = session.timeline.clone();
    session.timeline.seek_events(known);
    let start = session.now().0;
    let mut looked = known;
    for _ in 0..MAX_STEPS {
        if session.now().0.saturating_sub(start) > MAX_BEYOND || !session.timeline.step_entry() {
            break;
        }
        let now_known = session.log().len();
        if let Some(hit) = met(session.log(), breaks, looked, now_known) {
            session.timeline.seek_events(hit.event as usize);
            return Ok(hit);
        }
        looked = now_known;
    }
    let at = session.now().0.saturating_mul(1_000);
    session.timeline = kept;
    Err(Msg::new("refused.break-never", vec![("at", Arg::At(at))]))
}

/// The names of all kinds.
pub fn names() -> Vec<&'static str> {
    KINDS.iter().map(|kind| kind.name).collect()
}
