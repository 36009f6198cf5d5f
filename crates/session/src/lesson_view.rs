//! How far a lesson is: which gates are met at the cursor, what this run says, what is asked.

use crate::api::SessionApi;
use crate::lesson::{Fact, Gate, Lesson, LessonStep};
use crate::scenario::{self, ScenarioError};
use crate::session::Session;
use crate::view::*;
use podscope_api::Text;
use podscope_cluster::{ControllerId, Data, TraceEvent};
use std::ops::Range;

/// A step of a lesson at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LessonView {
    /// Its gate is met at the cursor, or it has none.
    pub met: bool,
    /// The event that meets it, once the engine has come there.
    pub moment: Option<EventIndex>,
    /// Where the step begins.
    pub from: EventIndex,
    /// Names in the prose with their values in this run; names whose value is not known yet are missing.
    pub facts: Vec<(String, Arg)>,
    /// The question that is asked before the gate is met.
    pub predict: Option<PredictView>,
    /// What the stage opens.
    pub open: Option<Target>,
}

/// A step of a lesson at the cursor; `step` counts from 0, `None` beyond the last.
#[inline(never)]
pub fn view(session: &Session, lesson: &Lesson, step: usize) -> Option<LessonView> {
    let this = lesson.steps.get(step)?;
    let from = begins(session, lesson, step);
    let shown = session.shown_log().len();
    let moment = this.gate.as_ref().map(|gate| find(session, gate, from));
    let end = match moment {
        Some(Some(at)) => at + 1,
        // A step that is only read tells of all that happened before it.
        _ => shown.max(from),
    };
    let met = match moment {
        None => true,
        Some(at) => at.is_some_and(|at| at < shown),
    };
    let range = from..end;
    let facts: Vec<(String, Arg)> = this
        .facts
        .iter()
        .filter_map(|(name, fact)| Some((name.clone(), value(session, fact, &range)?)))
        .collect();
    let asked = (!met && !this.predict.is_empty())
        // The event that ended the step before may be the one that asks.
        .then(|| crate::predict::within(session, &this.predict, from.saturating_sub(1)..end))
        .flatten();
    let number = |i: usize| EventIndex::try_from(i).ok();
    Some(LessonView {
        met,
        moment: moment.flatten().and_then(|at| number(at + 1)),
        from: number(from).unwrap_or(0),
        open: target(session, &fill(&this.open, &facts)),
        predict: asked.map(|(_, predict)| predict),
        facts,
    })
}

/// Does what the step asks of the learner, or goes to its moment.
///
/// # Errors
/// The step asks for something that cannot be done now.
#[inline(never)]
pub fn show(session: &mut Session, lesson: &Lesson, step: usize) -> Result<(), Refused> {
    let (Some(this), Some(view)) = (lesson.steps.get(step), view(session, lesson, step)) else {
        return Ok(());
    };
    if this.gate.is_none() {
        return Ok(());
    }
    if let Some(moment) = view.moment {
        session.seek(Seek::Event(moment));
        return Ok(());
    }
    perform(session, this, &view)?;
    // What was done may need time to have its effect.
    match self::view(session, lesson, step).and_then(|v| v.moment) {
        Some(moment) => session.seek(Seek::Event(moment)),
        None => return Err(Msg::plain("lesson.refused")),
    }
    Ok(())
}

fn perform(session: &mut Session, step: &LessonStep, view: &LessonView) -> Result<(), Refused> {
    let failed = |e: ScenarioError| Msg::new("open.failed", vec![("text", Arg::Text(e.0.into()))]);
    let line = fill(&step.show, &view.facts);
    let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
    match verb {
        "apply" => session.apply(rest),
        "kubectl" => {
            let words = scenario::split_words(rest).map_err(failed)?;
            session.kubectl(&words.iter().map(String::as_str).collect::<Vec<_>>())
        }
        "fault" => {
            let (kind, params) = scenario::parse_fault(rest).map_err(failed)?;
            let known = session.fault_kinds();
            let Some(known) = known.iter().find(|k| *k.kind == *kind) else {
                return Err(Msg::plain("refused.no-fault"));
            };
            let mut target = String::new();
            let mut others: Vec<(&str, String)> = Vec::new();
            for (name, value) in params.entries() {
                if &**name == "target" {
                    target = value.str_or_empty().to_string();
                } else {
                    others.push((name, value.str_or_empty().to_string()));
                }
            }
            let others: Vec<(&str, &str)> = others.iter().map(|(n, v)| (*n, v.as_str())).collect();
            session.fault(known.kind, &target, &others)
        }
        _ => Ok(()),
    }
}

/// Where a step begins: one past the event that ended the last gated step before it.
fn begins(session: &Session, lesson: &Lesson, step: usize) -> usize {
    let mut from = 0;
    for step in lesson.steps.iter().take(step) {
        match step.gate.as_ref().map(|gate| find(session, gate, from)) {
            Some(Some(at)) => from = at + 1,
            Some(None) => return session.log().len(),
            None => {}
        }
    }
    from
}

/// The event from `from` on that meets a gate.
fn find(session: &Session, gate: &Gate, from: usize) -> Option<usize> {
    let times = usize::try_from(gate.times.unwrap_or(1).max(1)).ok()?;
    let index = session.index();
    let met = |(i, e): &(usize, &TraceEvent)| {
        if !gate.phase.is_empty() {
            let phase = index.entries().get(*i).and_then(|entry| entry.phase);
            return phase == Some(&*gate.phase);
        }
        if !gate.stored.is_empty() {
            return e.code == "etcd.commit" && about(e, gate) && has_stored(e, &gate.stored);
        }
        e.code == gate.event && about(e, gate) && has_args(e, &gate.with)
    };
    let events = session.log().iter().enumerate().skip(from);
    events.filter(met).nth(times - 1).map(|(i, _)| i)
}

fn about(event: &TraceEvent, gate: &Gate) -> bool {
    is_about(event, &gate.kind, &gate.object)
}

fn is_about(event: &TraceEvent, kind: &str, object: &str) -> bool {
    match &event.subject {
        Some(subject) => {
            (kind.is_empty() || subject.kind.name() == kind) && subject.key.name.contains(object)
        }
        None => kind.is_empty() && object.is_empty(),
    }
}

fn has_args(event: &TraceEvent, pairs: &[String]) -> bool {
    pairs
        .iter()
        .filter_map(|p| p.split_once('='))
        .all(|(name, want)| {
            let value = event.arg(name);
            match value.as_str() {
                Some(text) => text == want,
                None => podscope_api::json::to_string(value) == want,
            }
        })
}

fn has_stored(event: &TraceEvent, pairs: &[String]) -> bool {
    let Data::Change(_, Some(after)) = &event.data else {
        return false;
    };
    pairs
        .iter()
        .filter_map(|p| p.split_once('='))
        .all(|(path, want)| {
            let value = after.at(path);
            match value.as_str() {
                Some(text) => text == want,
                None => podscope_api::json::to_string(value) == want,
            }
        })
}

/// A fact's value: from the step's own events, else from those before, else from what is known ahead.
fn value(session: &Session, fact: &Fact, range: &Range<usize>) -> Option<Arg> {
    let cluster = session.simulation().cluster();
    if fact.event.is_empty() {
        let count = match fact.get.as_str() {
            "nodes" => cluster.nodes().len(),
            "members" => usize::from(cluster.etcd().members()),
            _ => return None,
        };
        return Some(Arg::Count(i64::try_from(count).ok()?));
    }
    let log = session.log();
    let fits = |e: &TraceEvent| {
        e.code == fact.event && is_about(e, &fact.kind, &fact.object) && has_args(e, &fact.with)
    };
    let own = log.get(range.clone()).unwrap_or_default();
    if fact.get == "count" {
        let count = own.iter().filter(|e| fits(e)).count();
        return Some(Arg::Count(i64::try_from(count).ok()?));
    }
    let event = if fact.last {
        own.iter().rev().find(|e| fits(e))
    } else {
        own.iter().find(|e| fits(e))
    };
    let before = || log.get(..range.start)?.iter().rev().find(|e| fits(e));
    let after = || log.get(range.end..)?.iter().find(|e| fits(e));
    let event = event.or_else(before).or_else(after)?;
    let began = match range.start.checked_sub(1).and_then(|i| log.get(i)) {
        Some(e) => e.at,
        None => podscope_kernel::SimTime(0),
    };
    let nanos = |micros: u64| micros.saturating_mul(1_000);
    let text = |value: &podscope_api::Value| match value.as_str() {
        Some(text) => Arg::Text(text.into()),
        None => match value.as_int() {
            Some(n) => Arg::Count(n),
            None => Arg::Text(podscope_api::json::to_string(value).into()),
        },
    };
    Some(match fact.get.as_str() {
        "object" => Arg::Text(event.subject.as_ref()?.key.name.clone()),
        "time" => Arg::At(nanos(event.at.0)),
        "since" => Arg::Span(nanos(event.at.since(began).0)),
        "node" if event.arg("node").is_null() => {
            Arg::Text(session.node_name(event.actor.machine()?).into())
        }
        get => match get.strip_prefix("data.") {
            Some(path) => text(data(event)?.at(path)),
            None => {
                let value = event.arg(get);
                if value.is_null() {
                    return None;
                }
                text(value)
            }
        },
    })
}

fn data(event: &TraceEvent) -> Option<&podscope_api::Value> {
    Some(match &event.data {
        Data::Object(object) | Data::Change(_, Some(object)) => &object.0,
        Data::Json(value) => value,
        Data::Call(value, _) => value,
        Data::Request(request) => match &request.body {
            podscope_api::Body::Object(object) => &object.0,
            podscope_api::Body::Patch(_, patch) => patch,
            podscope_api::Body::None => return None,
        },
        _ => return None,
    })
}

/// Puts facts into braces.
fn fill(text: &str, facts: &[(String, Arg)]) -> String {
    let mut out = text.to_string();
    for (name, arg) in facts {
        if let Arg::Text(value) = arg {
            out = out.replace(&format!("{{{name}}}"), value);
        }
    }
    out
}

/// What a name opens: `cluster`, `api-server`, `etcd`, `scheduler`, a controller such as `replicaset`,
/// or `node NAME` (`node` alone: the first).
#[inline(never)]
pub fn target(session: &Session, name: &str) -> Option<Target> {
    let (what, which) = name.split_once(' ').unwrap_or((name, ""));
    let component = |id| Some(Target::Component(crate::components::number(id)));
    use podscope_cluster::ComponentId as Id;
    match what {
        "" => None,
        "cluster" => Some(Target::Cluster),
        "api-server" => component(Id::ApiServer),
        "etcd" => component(Id::Etcd(0)),
        "scheduler" => component(Id::Scheduler),
        "node" => {
            let nodes = session.simulation().cluster().nodes();
            let names = nodes.iter().map(|n| n.config.name.clone());
            let mut names = names.filter(|n| which.is_empty() || **n == *which);
            names.next().map(|n: Text| Target::Node(n))
        }
        _ => {
            let controller = match what {
                "deployment" => ControllerId::Deployment,
                "replicaset" => ControllerId::ReplicaSet,
                "endpointslice" => ControllerId::EndpointSlice,
                "node-lifecycle" => ControllerId::NodeLifecycle,
                "taint-eviction" => ControllerId::TaintEviction,
                "garbage-collector" => ControllerId::GarbageCollector,
                "daemonset" => ControllerId::DaemonSet,
                "statefulset" => ControllerId::StatefulSet,
                "job" => ControllerId::Job,
                "cronjob" => ControllerId::CronJob,
                "disruption" => ControllerId::Disruption,
                "autoscaler" => ControllerId::HorizontalPodAutoscaler,
                _ => return None,
            };
            component(Id::Controller(controller))
        }
    }
}
