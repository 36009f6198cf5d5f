//! Two futures side by side: where they part, what differs first, how each ends.

use crate::session::Session;
use crate::simulation::{Command, Simulation};
use crate::story;
use crate::view::*;
use podscope_api::{Body, Kind, Object, Value};
use podscope_cluster::{Data, TraceEvent};
use podscope_kernel::collections::BTreeMap;
use podscope_kernel::{SimTime, Timeline};
use std::rc::Rc;

/// The most lines of each side that are aligned; the table takes the square of it.
const MAX_ALIGNED: usize = 600;
/// The most lines that are shown.
const MAX_SHOWN: usize = 240;
/// The most queue entries that the shorter future is run on.
const MAX_STEPS: u32 = 100_000;
/// The most fields named as differing in one line.
const MAX_FIELDS: usize = 6;

/// The comparison; `None` when a future is not there.
pub fn compare(session: &Session, left: u32, right: u32) -> Option<CompareView> {
    let (mut a, mut b) = (session.at_end_of(left)?, session.at_end_of(right)?);
    // What is known of one may reach further: both are looked at up to the same moment.
    let end = a.now().max(b.now());
    for side in [&mut a, &mut b] {
        for _ in 0..MAX_STEPS {
            if side.timeline.next_time().is_none_or(|at| at > end) || !side.timeline.step_entry() {
                break;
            }
        }
    }
    let names = (
        started(&a.timeline, &b.timeline),
        started(&b.timeline, &a.timeline),
    );
    let shared = a
        .log()
        .iter()
        .zip(b.log())
        .take_while(|(x, y)| same_event(x, y))
        .count();
    let mut sides = [&a, &b].map(|side| story::actions(side, shared, side.log().len()));
    let left_out = [0, 1].map(|i| {
        let side = &mut sides[i];
        let more = side.len().saturating_sub(MAX_ALIGNED);
        side.truncate(MAX_ALIGNED);
        u32::try_from(more).unwrap_or(u32::MAX)
    });
    let [left_rows, right_rows] = sides;
    let mut rows = align(&a, &b, left_rows, right_rows);
    let (hidden_left, hidden_right) = rows.get(MAX_SHOWN..).map_or((0, 0), |rest| {
        let count = |f: fn(&CompareRow) -> bool| {
            u32::try_from(rest.iter().filter(|r| f(r)).count()).unwrap_or(0)
        };
        (count(|r| r.left.is_some()), count(|r| r.right.is_some()))
    });
    let first = rows.iter().position(|row| {
        let mut sides = [&row.left, &row.right].into_iter().flatten();
        let alone = row.pairing == Pairing::Alone;
        // That a command, and what kubectl sends for it, is on one side only is no news.
        let by_you = |r: &StoryRow| by_person(&r.msg) || alone && r.kind == ComponentKind::Client;
        row.pairing != Pairing::Same && !sides.any(by_you)
    });
    rows.truncate(MAX_SHOWN);
    let shared_at = shared
        .checked_sub(1)
        .and_then(|i| a.log().get(i))
        .map_or(0, |e| e.at.0);
    let ends = [&a, &b].map(|side| Rc::new(crate::cluster_view::view(side)));
    let summary = summary(&a, &b, &ends);
    let [left_end, right_end] = ends;
    Some(CompareView {
        ids: (left, right),
        names,
        shared: (
            EventIndex::try_from(shared).unwrap_or(EventIndex::MAX),
            shared_at.saturating_mul(1_000),
        ),
        first: first
            .filter(|i| *i < MAX_SHOWN)
            .and_then(|i| u16::try_from(i).ok()),
        rows: rows.into(),
        left_out: (left_out[0] + hidden_left, left_out[1] + hidden_right),
        ends: (left_end, right_end),
        summary: summary.into(),
    })
}

fn shared_commands(a: &Timeline<Simulation>, b: &Timeline<Simulation>) -> usize {
    let both = a.journal().iter().zip(b.journal());
    both.take_while(|(x, y)| x == y).count()
}

/// When two futures part: at the first command that only one of them has.
pub fn parting(a: &Timeline<Simulation>, b: &Timeline<Simulation>) -> SimTime {
    let shared = shared_commands(a, b);
    let commands = [a.journal().get(shared), b.journal().get(shared)];
    let first = commands.into_iter().flatten().map(|timed| timed.at).min();
    first.unwrap_or(SimTime::MAX)
}

/// What a future began with: the first command that the other does not have.
pub fn started(timeline: &Timeline<Simulation>, other: &Timeline<Simulation>) -> Msg {
    let journal = timeline.journal();
    let shared = shared_commands(timeline, other);
    let text = |text: &str| Arg::Text(text.into());
    match journal.get(shared).map(|timed| &timed.command) {
        None => Msg::plain("fork.nothing"),
        Some(Command::Kubectl(invocation)) => match &invocation.argv[..] {
            [apply, f, file] if apply == "apply" && f == "-f" => {
                Msg::new("fork.apply", vec![("file", text(file))])
            }
            words => Msg::new("fork.kubectl", vec![("command", text(&words.join(" ")))]),
        },
        Some(Command::Inject { kind, params, .. }) => {
            let target = params.get("target").str_or_empty();
            Msg::new(
                "fork.fault",
                vec![("kind", text(kind)), ("target", text(target))],
            )
        }
        Some(Command::Heal { name }) => Msg::new("fork.heal", vec![("name", text(name))]),
    }
}

fn by_person(msg: &Msg) -> bool {
    msg.code.starts_with("you.") || msg.code.starts_with("fault.")
}

fn same_event(a: &TraceEvent, b: &TraceEvent) -> bool {
    a.at == b.at
        && a.code == b.code
        && a.actor == b.actor
        && a.subject == b.subject
        && a.args == b.args
}

/// What makes two lines the same step: who, what, about which object. Numbers that only count
/// (revisions, delays) do not.
fn key(session: &Session, row: &StoryRow) -> (String, &'static str, String) {
    let event = event_of(session, row);
    let subject = event
        .and_then(|e| e.subject.as_ref())
        .map_or_else(String::new, |s| format!("{} {}", s.kind, s.key));
    let request = match event.map(|e| &e.data) {
        Some(Data::Request(r)) => {
            let name = match &r.body {
                Body::Object(o) if r.name.is_empty() => o.name(),
                _ => &r.name,
            };
            // A Kubernetes Event's own name is a hash; what it is about tells it from others.
            let about = match &r.body {
                Body::Object(o) if r.kind == Kind::Event => format!(
                    "{} {}",
                    o.at("reason").str_or_empty(),
                    o.at("involvedObject.name").str_or_empty()
                ),
                _ => name.to_string(),
            };
            format!(" {:?} {} {} {about}", r.verb, r.kind.name(), r.subresource)
        }
        _ => String::new(),
    };
    let subject = if request.contains(" Event ") {
        String::new()
    } else {
        subject
    };
    (row.who.to_string(), row.msg.code, subject + &request)
}

fn event_of<'a>(session: &'a Session, row: &StoryRow) -> Option<&'a TraceEvent> {
    session.log().get((row.event as usize).checked_sub(1)?)
}

/// Aligns two lists of lines by their longest common subsequence; what stands alone comes in order
/// of time.
fn align(a: &Session, b: &Session, left: Vec<StoryRow>, right: Vec<StoryRow>) -> Vec<CompareRow> {
    let keys_a: Vec<_> = left.iter().map(|row| key(a, row)).collect();
    let keys_b: Vec<_> = right.iter().map(|row| key(b, row)).collect();
    let (n, m) = (left.len(), right.len());
    let width = m + 1;
    let mut best = vec![0u16; (n + 1) * width];
    for i in (0..n).rev() {
        for j in (0..m).rev() {
            best[i * width + j] = if keys_a[i] == keys_b[j] {
                best[(i + 1) * width + j + 1] + 1
            } else {
                best[(i + 1) * width + j].max(best[i * width + j + 1])
            };
        }
    }
    let mut rows = Vec::with_capacity(n.max(m));
    let (mut i, mut j) = (0, 0);
    let (mut left, mut right) = (left.into_iter(), right.into_iter());
    while i < n || j < m {
        if i < n && j < m && keys_a[i] == keys_b[j] {
            let (x, y) = (left.next(), right.next());
            let pairing = match (&x, &y) {
                (Some(x), Some(y)) => pairing(event_of(a, x), event_of(b, y)),
                _ => Pairing::Alone,
            };
            rows.push(CompareRow {
                left: x,
                right: y,
                pairing,
            });
            (i, j) = (i + 1, j + 1);
            continue;
        }
        let down = if i < n { best[(i + 1) * width + j] } else { 0 };
        let across = if j < m { best[i * width + j + 1] } else { 0 };
        let earlier = left
            .as_slice()
            .first()
            .zip(right.as_slice().first())
            .is_none_or(|(x, y)| x.at <= y.at);
        let take_left = i < n && (j == m || down > across || down == across && earlier);
        let (x, y) = if take_left {
            i += 1;
            (left.next(), None)
        } else {
            j += 1;
            (None, right.next())
        };
        rows.push(CompareRow {
            left: x,
            right: y,
            pairing: Pairing::Alone,
        });
    }
    rows
}

/// How two events of the same step relate.
fn pairing(a: Option<&TraceEvent>, b: Option<&TraceEvent>) -> Pairing {
    let (Some(a), Some(b)) = (a, b) else {
        return Pairing::Alone;
    };
    let mut fields = Vec::new();
    for (name, x) in &a.args {
        let y = b.arg(name);
        let counts = matches!(
            *name,
            "revision" | "resource_version" | "bytes" | "seq" | "number" | "uid" | "pid" | "id"
        ) || name.ends_with("_ms");
        if x != y && !counts {
            fields.push((Text::from(*name), short(x), short(y)));
        }
    }
    if let (Some(x), Some(y)) = (body(a), body(b))
        && !Rc::ptr_eq(x, y)
    {
        differing(x, y, "", &mut fields);
    }
    fields.truncate(MAX_FIELDS);
    if fields.is_empty() {
        Pairing::Same
    } else {
        Pairing::Differs(fields.into())
    }
}

fn body(event: &TraceEvent) -> Option<&Rc<Object>> {
    match &event.data {
        Data::Request(r) => match &r.body {
            Body::Object(o) if r.kind != Kind::Event => Some(o),
            _ => None,
        },
        Data::Change(_, after) => after.as_ref(),
        Data::Object(o) => Some(o),
        _ => None,
    }
}

/// Fields that the server or the clock makes: they differ and mean nothing.
const NOISE: &[&str] = &[
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "managedFields",
    "lastTransitionTime",
    "lastUpdateTime",
    "lastHeartbeatTime",
    "startTime",
    "startedAt",
    "finishedAt",
    "firstTimestamp",
    "lastTimestamp",
    "eventTime",
    "renewTime",
    "acquireTime",
    "containerID",
    "timeAdded",
    "deletionTimestamp",
    "annotations",
    "observedGeneration",
    "generation",
];

/// Collects where two trees differ, at most [`MAX_FIELDS`].
fn differing(a: &Value, b: &Value, path: &str, out: &mut Vec<(Text, Text, Text)>) {
    if out.len() >= MAX_FIELDS || a == b {
        return;
    }
    if let (Some(x), Some(y)) = (a.as_map(), b.as_map()) {
        let only_b = y.entries().iter().filter(|(k, _)| !x.contains_key(k));
        for (k, _) in x.entries().iter().chain(only_b) {
            if !NOISE.contains(&&**k) {
                let path = if path.is_empty() {
                    k.to_string()
                } else {
                    format!("{path}.{k}")
                };
                differing(a.get(k), b.get(k), &path, out);
            }
        }
        return;
    }
    let (x, y) = (a.items(), b.items());
    if !x.is_empty() && x.len() == y.len() {
        for (i, (p, q)) in x.iter().zip(y).enumerate() {
            differing(p, q, &format!("{path}[{i}]"), out);
        }
        return;
    }
    out.push((path.into(), short(a), short(b)));
}

/// A value in at most 60 characters; nothing is a dash.
fn short(value: &Value) -> Text {
    let text = match value {
        Value::Null => "–".to_string(),
        Value::Str(s) => s.to_string(),
        other => podscope_api::json::to_string(other),
    };
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()).into(),
        None => text.into(),
    }
}

fn summary(a: &Session, b: &Session, ends: &[Rc<ClusterView>; 2]) -> Vec<EndRow> {
    let mut rows = Vec::new();
    let mut push = |what: Msg, values: [String; 2]| {
        let [left, right] = values.map(Text::from);
        rows.push(EndRow { what, left, right });
    };
    let mut lines: BTreeMap<String, (Msg, [String; 2])> = BTreeMap::new();
    for (side, end) in ends.iter().enumerate() {
        let mut add = |order: String, what: Msg, value: String| {
            let line = lines
                .entry(order)
                .or_insert_with(|| (what, ["–".into(), "–".into()]));
            line.1[side] = value;
        };
        for deployment in end.summary.iter() {
            let arg = |wanted: &str| {
                deployment
                    .args
                    .iter()
                    .find(|(name, _)| *name == wanted)
                    .map(|(_, arg)| arg.clone())
            };
            if let (Some(Arg::Text(name)), Some(Arg::Count(ready)), Some(Arg::Count(desired))) =
                (arg("name"), arg("ready"), arg("desired"))
            {
                let what = Msg::new("end.deployment", vec![("name", Arg::Text(name.clone()))]);
                add(format!("1 {name}"), what, format!("{ready}/{desired}"));
            }
        }
        for node in end.nodes.iter().take(12) {
            let what = Msg::new("end.node", vec![("name", Arg::Text(node.name.clone()))]);
            let ready = node
                .pods
                .iter()
                .filter(|p| p.look == PodLook::Ready)
                .count();
            add(
                format!("3 {}", node.name),
                what,
                format!("{}, {ready}/{}", node.status, node.pods.len()),
            );
        }
        let running = end.nodes.iter().flat_map(|n| n.pods.iter());
        let mut looks: BTreeMap<String, usize> = BTreeMap::new();
        for pod in running.chain(end.pending.iter()) {
            *looks.entry(pod.status.to_string()).or_default() += 1;
        }
        for (status, count) in looks {
            let what = Msg::new(
                "end.pods",
                vec![("status", Arg::Text(status.as_str().into()))],
            );
            add(format!("2 {status}"), what, count.to_string());
        }
    }
    for (_, (what, values)) in lines {
        push(what, values);
    }
    let warnings = |s: &Session| {
        crate::objects::events(s)
            .iter()
            .filter(|e| e.warning)
            .count()
            .to_string()
    };
    push(Msg::plain("end.warnings"), [warnings(a), warnings(b)]);
    let faults = |end: &Rc<ClusterView>| end.faults.len().to_string();
    push(
        Msg::plain("end.faults"),
        [faults(&ends[0]), faults(&ends[1])],
    );
    rows
}
