//! Questions before a step, answered by the engine, which looks ahead on a copy where the future is not
//! known yet. Each answer on offer has its reason, from this run's own numbers.

use crate::session::Session;
use crate::view::*;
use podscope_api::{Text, Value, Verb};
use podscope_cluster::{ComponentId, Data, TraceEvent};
use podscope_kernel::SimDuration;
use std::borrow::Cow;

/// How many events ahead the answer to a quick question may lie.
const AHEAD: usize = 600;
/// The most answers offered.
const MAX_OPTIONS: usize = 5;
/// How far a copy runs ahead.
const COPY_SPAN: SimDuration = SimDuration::secs(600);
/// How many queue entries a copy runs ahead at most.
const COPY_STEPS: u32 = 60_000;

/// The kinds of questions: what asks, and its name in lessons.
const KINDS: [(&str, Ask); 6] = [
    ("node", node),
    ("pods", pods),
    ("batch", batch),
    ("accepted", accepted),
    ("majority", majority),
    ("replacement", replacement),
];

type Ask = fn(&Session, usize, &TraceEvent) -> Option<PredictView>;

/// The names of all kinds of questions.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(name, _)| *name)
}

/// The question that suggests itself after the event at `place` in the log, if there is one.
pub fn before(session: &Session, place: usize) -> Option<PredictView> {
    let event = session.log().get(place)?;
    KINDS.iter().find_map(|(_, ask)| ask(session, place, event))
}

/// The first question of a kind that is asked by an event in this part of the log.
pub fn within(
    session: &Session,
    kind: &str,
    places: std::ops::Range<usize>,
) -> Option<(usize, PredictView)> {
    let ask = KINDS.iter().find(|(name, _)| *name == kind)?.1;
    places
        .filter_map(|place| Some((place, session.log().get(place)?)))
        .find_map(|(place, event)| Some((place, ask(session, place, event)?)))
}

/// An answer on offer, with its reason.
struct Choice {
    text: Msg,
    reason: Msg,
}

fn view(
    kind: &'static str,
    question: Msg,
    options: Vec<Choice>,
    answer: usize,
    at: usize,
) -> Option<PredictView> {
    if options.len() < 2 || answer >= options.len() {
        return None;
    }
    Some(PredictView {
        kind,
        question,
        answer: u16::try_from(answer).ok()?,
        event: EventIndex::try_from(at + 1).ok()?,
        reasons: options.iter().map(|o| o.reason.clone()).collect(),
        options: options.into_iter().map(|o| o.text).collect(),
    })
}

fn ahead(session: &Session, place: usize) -> impl Iterator<Item = (usize, &TraceEvent)> {
    let log = session.log();
    log.iter().enumerate().skip(place + 1).take(AHEAD)
}

fn text(name: &'static str, text: impl Into<Text>) -> (&'static str, Arg) {
    (name, Arg::Text(text.into()))
}

fn int(event: &TraceEvent, name: &str) -> i64 {
    event.arg(name).as_int().unwrap_or(0)
}

/// Numbers as answers: those given, in order, without repeating.
fn numbers(code: &'static str, of: &[i64], reason: impl Fn(i64) -> Msg) -> (Vec<i64>, Vec<Choice>) {
    let mut of: Vec<i64> = of.to_vec();
    podscope_api::sort::natural(&mut of);
    of.dedup();
    let options = of.iter().map(|n| Choice {
        text: Msg::new(code, vec![("n", Arg::Count(*n))]),
        reason: reason(*n),
    });
    let options = options.collect();
    (of, options)
}

/// Which node will the scheduler pick?
fn node(session: &Session, place: usize, event: &TraceEvent) -> Option<PredictView> {
    if event.actor != ComponentId::Scheduler || event.code != "scheduler.enqueue" {
        return None;
    }
    let pod = event.subject.as_ref()?;
    let (mut filter, mut score, mut chosen) = (None, None, None);
    let mut end = None;
    for (i, e) in ahead(session, place).filter(|(_, e)| e.subject.as_ref() == Some(pod)) {
        match (e.code, &e.data) {
            ("scheduler.filter", Data::Json(data)) => filter = Some(&**data),
            ("scheduler.score", Data::Json(data)) => score = Some(&**data),
            ("scheduler.choose", _) => chosen = Some(e),
            ("scheduler.bound", _) | ("scheduler.unschedulable", _) => {
                end = Some((i, e));
                break;
            }
            _ => {}
        }
    }
    let (at, last) = end?;
    let winner = chosen.map(|e| e.arg("node").str_or_empty().to_string());
    let tied = chosen.map_or(0, |e| int(e, "tied"));
    let cluster = session.simulation().cluster();
    let mut names: Vec<Text> = (cluster.nodes().iter())
        .map(|n| n.config.name.clone())
        .collect();
    if let Some(winner) = &winner {
        // The right answer is among those on offer, wherever it stands.
        let far = names.iter().position(|n| **n == **winner)?;
        if far >= MAX_OPTIONS - 1 {
            names.swap(far, MAX_OPTIONS - 2);
        }
    }
    names.truncate(MAX_OPTIONS - 1);
    let total = |name: &str| -> Option<i64> {
        let nodes = score?.get("nodes").items();
        let row = nodes
            .iter()
            .find(|n| n.get("node").str_or_empty() == name)?;
        row.get("total").as_int()
    };
    let refused = |name: &str| -> Option<&Value> {
        let rows = filter?.get("verdicts").items();
        let row = rows.iter().find(|n| n.get("node").str_or_empty() == name)?;
        Some(row.get("rejected")).filter(|r| !r.is_null())
    };
    let most = winner.as_deref().and_then(total);
    let reason = |name: &Text| -> Msg {
        let won = winner.as_deref() == Some(&**name);
        if let Some(rejected) = refused(name) {
            let reason = rejected.get("reasons").index(0).get("message");
            let args = vec![
                text("node", name.clone()),
                text("plugin", rejected.get("plugin").str_or_empty()),
                text("reason", reason.str_or_empty()),
            ];
            return Msg::new("predict.node.refused", args);
        }
        let (Some(total), Some(most)) = (total(name), most) else {
            let code = if won {
                "predict.node.only"
            } else {
                "predict.node.other"
            };
            return Msg::new(code, vec![text("node", name.clone())]);
        };
        let code = match (won, total == most, tied > 1) {
            (true, _, true) => "predict.node.lot",
            (true, ..) => "predict.node.most",
            (false, true, _) => "predict.node.tied",
            (false, ..) => "predict.node.less",
        };
        let second = names.iter().filter(|n| *n != name);
        let second = second.filter_map(|n| total_of(score, n)).max();
        let args = vec![
            text("node", name.clone()),
            ("total", Arg::Count(total)),
            ("most", Arg::Count(most)),
            ("second", Arg::Count(second.unwrap_or(0))),
            ("tied", Arg::Count(tied)),
        ];
        Msg::new(code, args)
    };
    let mut options: Vec<Choice> = (names.iter())
        .map(|name| Choice {
            text: Msg::new("predict.node.option", vec![text("node", name.clone())]),
            reason: reason(name),
        })
        .collect();
    let nobody = match (&winner, last.code) {
        (None, _) => Msg::new(
            "predict.node.nobody",
            vec![text("message", last.arg("message").str_or_empty())],
        ),
        (Some(winner), _) => Msg::new("predict.node.somebody", vec![text("node", &**winner)]),
    };
    options.push(Choice {
        text: Msg::plain("predict.node.none"),
        reason: nobody,
    });
    let answer = match &winner {
        Some(winner) => names.iter().position(|n| **n == **winner)?,
        None => names.len(),
    };
    let question = Msg::new("predict.node", vec![text("pod", pod.key.name.clone())]);
    view("node", question, options, answer, at)
}

fn total_of(score: Option<&Value>, name: &str) -> Option<i64> {
    let nodes = score?.get("nodes").items();
    let row = nodes
        .iter()
        .find(|n| n.get("node").str_or_empty() == name)?;
    row.get("total").as_int()
}

/// The Deployment is stored: how many of its Pods exist now?
fn pods(session: &Session, place: usize, event: &TraceEvent) -> Option<PredictView> {
    let stored = |e: &TraceEvent, kind| {
        e.code == "apiserver.stored"
            && e.arg("verb").str_or_empty() == "create"
            && e.subject.as_ref().is_some_and(|s| s.kind == kind)
    };
    if !stored(event, podscope_api::Kind::Deployment) {
        return None;
    }
    let name = &event.subject.as_ref()?.key.name;
    let of = |e: &TraceEvent| {
        let pod = e.subject.as_ref().map(|s| &s.key.name);
        pod.is_some_and(|pod| {
            pod.strip_prefix(&**name)
                .is_some_and(|r| r.starts_with('-'))
        })
    };
    let log = session.log();
    let is_pod = |e: &TraceEvent| stored(e, podscope_api::Kind::Pod) && of(e);
    let now = log[..=place].iter().filter(|e| is_pod(e)).count();
    let (first, made) = ahead(session, place).find(|(_, e)| is_pod(e))?;
    let want = ahead(session, place)
        .find(|(_, e)| e.code == "deployment.create_replica_set")
        .map(|(_, e)| int(e, "replicas"))?;
    let now = i64::try_from(now).ok()?;
    let (of, options) = numbers("predict.pods.option", &[0, 1, want], |n| {
        let later = made.at.since(event.at).0.saturating_mul(1_000);
        let code = if n == now {
            "predict.pods.right"
        } else {
            "predict.pods.wrong"
        };
        let args = vec![
            ("n", Arg::Count(now)),
            ("want", Arg::Count(want)),
            ("later", Arg::Span(later)),
        ];
        Msg::new(code, args)
    });
    let question = Msg::new(
        "predict.pods",
        vec![text("deployment", name.clone()), ("want", Arg::Count(want))],
    );
    view(
        "pods",
        question,
        options,
        of.iter().position(|n| *n == now)?,
        first,
    )
}

/// The ReplicaSet controller hears of a new ReplicaSet: how many Pods will it ask for first?
fn batch(session: &Session, place: usize, event: &TraceEvent) -> Option<PredictView> {
    let set = event.subject.as_ref()?;
    let new = event.code == "watch.event" && event.arg("type").str_or_empty() == "ADDED";
    if !new
        || set.kind != podscope_api::Kind::ReplicaSet
        || !matches!(event.actor, ComponentId::Controller(_))
    {
        return None;
    }
    let (at, first) = ahead(session, place)
        .find(|(_, e)| e.code == "replicaset.create_batch" && e.subject.as_ref() == Some(set))?;
    let (want, batch) = (int(first, "want"), int(first, "batch"));
    if want < 2 {
        return None;
    }
    let (of, options) = numbers("predict.batch.option", &[1, 2, want, batch], |n| {
        let code = if n == batch {
            "predict.batch.right"
        } else {
            "predict.batch.wrong"
        };
        let args = vec![
            ("n", Arg::Count(n)),
            ("batch", Arg::Count(batch)),
            ("want", Arg::Count(want)),
            ("left", Arg::Count(int(first, "left"))),
        ];
        Msg::new(code, args)
    });
    let question = Msg::new("predict.batch", vec![("want", Arg::Count(want))]);
    view(
        "batch",
        question,
        options,
        of.iter().position(|n| *n == batch)?,
        at,
    )
}

/// Whether a request comes from a person's client.
fn from_client(session: &Session, event: &TraceEvent) -> bool {
    let cause = event.cause.and_then(|id| usize::try_from(id.0).ok());
    let mut at = cause.and_then(|i| session.log().get(i));
    while let Some(e) = at {
        if e.request != event.request {
            return false;
        }
        if e.code == "client.request" {
            return matches!(e.actor, ComponentId::Client(_));
        }
        at = e
            .cause
            .and_then(|id| session.log().get(usize::try_from(id.0).ok()?));
    }
    false
}

/// Your write is at the door: will it be stored?
fn accepted(session: &Session, place: usize, event: &TraceEvent) -> Option<PredictView> {
    let Data::Request(request) = &event.data else {
        return None;
    };
    let asks = event.code == "apiserver.received"
        && matches!(request.verb, Verb::Create | Verb::Update | Verb::Patch)
        && from_client(session, event);
    if !asks {
        return None;
    }
    let of = |e: &&(usize, &TraceEvent)| e.1.request == event.request;
    let events: Vec<(usize, &TraceEvent)> = ahead(session, place).collect();
    let mine = events.iter().filter(of);
    let (at, end) = mine.clone().find(|(_, e)| {
        matches!(
            e.code,
            "apiserver.stored" | "apiserver.refused" | "apiserver.unchanged"
        )
    })?;
    let stages = mine.take_while(|(i, _)| i <= at);
    let stages = stages.filter(|(_, e)| e.code.starts_with("apiserver."));
    let stages = i64::try_from(stages.count()).ok()?.saturating_sub(1);
    let refused = end.code == "apiserver.refused";
    let args = vec![
        ("stages", Arg::Count(stages)),
        ("code", Arg::Count(int(end, "code"))),
        text("stage", end.arg("stage").str_or_empty()),
        text("message", end.arg("message").str_or_empty()),
    ];
    let why = |right: bool| {
        let code = match (refused, right) {
            (true, true) => "predict.accepted.refused",
            (true, false) => "predict.accepted.not-stored",
            (false, true) => "predict.accepted.stored",
            (false, false) => "predict.accepted.not-refused",
        };
        Msg::new(code, args.clone())
    };
    let options = vec![
        Choice {
            text: Msg::plain("predict.accepted.yes"),
            reason: why(!refused),
        },
        Choice {
            text: Msg::plain("predict.accepted.no"),
            reason: why(refused),
        },
    ];
    let question = Msg::new("predict.accepted", vec![text("kind", request.kind.name())]);
    view("accepted", question, options, usize::from(refused), *at)
}

/// A write is proposed to etcd: how many members must have it on disk?
fn majority(session: &Session, place: usize, event: &TraceEvent) -> Option<PredictView> {
    if event.code != "etcd.propose" || !from_client(session, event) {
        return None;
    }
    let members = int(event, "members");
    let mut acks = 0;
    let (at, _) = ahead(session, place)
        .filter(|(_, e)| e.request == event.request)
        .find(|(_, e)| {
            acks += i64::from(e.code == "etcd.ack");
            e.code == "etcd.commit"
        })?;
    if !(2..=5).contains(&members) {
        return None;
    }
    let all: Vec<i64> = (1..=members).collect();
    let (of, options) = numbers("predict.majority.option", &all, |n| {
        let code = match n.cmp(&acks) {
            std::cmp::Ordering::Less => "predict.majority.few",
            std::cmp::Ordering::Equal => "predict.majority.right",
            std::cmp::Ordering::Greater => "predict.majority.many",
        };
        let args = vec![
            ("n", Arg::Count(n)),
            ("acks", Arg::Count(acks)),
            ("members", Arg::Count(members)),
            ("spare", Arg::Count(members - acks)),
        ];
        Msg::new(code, args)
    });
    let question = Msg::new("predict.majority", vec![("members", Arg::Count(members))]);
    view(
        "majority",
        question,
        options,
        of.iter().position(|n| *n == acks)?,
        at,
    )
}

/// A machine has lost power: when will replacements of its Pods be made?
fn replacement(session: &Session, place: usize, event: &TraceEvent) -> Option<PredictView> {
    let lost = event.code == "fault.injected"
        && matches!(
            event.arg("kind").str_or_empty(),
            "node-power" | "node-partition"
        );
    if !lost {
        return None;
    }
    let known = session.log().get(place + 1..)?;
    let made = |e: &TraceEvent| e.code == "replicaset.create_batch";
    // What is known may end before the answer: then a copy runs on.
    let known: Cow<'_, [TraceEvent]> = if known.iter().any(made) {
        Cow::Borrowed(known)
    } else {
        let mut copy = session.timeline.clone();
        copy.seek_events(copy.log().len());
        let limit = event.at + COPY_SPAN;
        for _ in 0..COPY_STEPS {
            if copy.next_time().is_none_or(|t| t > limit) || !copy.step_entry() {
                break;
            }
        }
        Cow::Owned(copy.log().get(place + 1..)?.to_vec())
    };
    let span = |e: &TraceEvent| e.at.since(event.at).0.saturating_mul(1_000);
    let first = |code: &str| known.iter().find(|e| e.code == code);
    let noticed = first("node_lifecycle.unknown")?;
    let clock = first("taint_eviction.scheduled");
    let evicted = first("taint_eviction.evict");
    let made = known.iter().position(made).map(|i| (i, &known[i]));
    let answer = match made {
        None => 3,
        Some((_, e)) if e.at < noticed.at => 0,
        Some((_, e)) if evicted.is_none_or(|v| e.at < v.at) => 1,
        Some(_) => 2,
    };
    let evict = evicted.or(made.map(|m| m.1))?;
    let args = vec![
        ("noticed", Arg::Span(span(noticed))),
        ("evicted", Arg::Span(span(evict))),
        ("made", Arg::Span(made.map_or(0, |m| span(m.1)))),
        ("grace_s", Arg::Count(int(noticed, "grace_s"))),
        ("silent_s", Arg::Count(int(noticed, "silent_s"))),
        (
            "seconds",
            Arg::Count(clock.map_or(0, |e| int(e, "seconds"))),
        ),
        text("target", event.arg("target").str_or_empty()),
    ];
    let codes: [(&'static str, &'static str); 4] = [
        ("predict.replacement.now", "predict.replacement.now.why"),
        (
            "predict.replacement.noticed",
            "predict.replacement.noticed.why",
        ),
        (
            "predict.replacement.evicted",
            "predict.replacement.evicted.why",
        ),
        ("predict.replacement.never", "predict.replacement.never.why"),
    ];
    let options = codes
        .into_iter()
        .enumerate()
        .map(|(i, (option, why))| Choice {
            text: Msg::new(option, args.clone()),
            reason: Msg::new(
                if i == answer {
                    "predict.replacement.right"
                } else {
                    why
                },
                args.clone(),
            ),
        });
    let at = made.map_or(place + known.len(), |(i, _)| place + 1 + i);
    let question = Msg::new("predict.replacement", args.clone());
    view("replacement", question, options.collect(), answer, at)
}
