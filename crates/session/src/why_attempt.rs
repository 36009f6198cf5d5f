//! One attempt of the scheduler to place a Pod, read off the trace: who said what about which node.

use crate::cluster_view::object_ref;
use crate::session::Session;
use crate::view::*;
use podscope_api::{Key, Kind, Value};
use podscope_cluster::{Data, TraceEvent};
use std::rc::Rc;

/// The most events after its beginning that an attempt is looked for in.
const MAX_SPAN: usize = 20_000;
/// How far back the beginning of an attempt is looked for.
const LOOK_BACK: usize = 50_000;

/// The attempt that an event (counted from 1) belongs to, or the last one before it.
#[inline(never)]
pub fn at(session: &Session, event: EventIndex) -> Option<AttemptView> {
    let log = session.log();
    let end = usize::try_from(event).ok()?.min(log.len());
    let this = log.get(end.checked_sub(1)?)?;
    let subject = this.subject.as_ref().filter(|s| s.kind == Kind::Pod);
    let start = log.get(end.saturating_sub(LOOK_BACK)..end)?;
    let begins = |e: &TraceEvent| {
        e.code == "scheduler.cycle" && subject.is_none_or(|s| e.subject.as_ref() == Some(s))
    };
    let place = start.iter().rposition(begins)? + end.saturating_sub(LOOK_BACK);
    Some(read(log, place, log.len()))
}

/// Places in the log at which attempts for a Pod begin, up to `shown`.
pub fn beginnings(log: &[TraceEvent], pod: &Key, shown: usize) -> Vec<usize> {
    let about = |e: &TraceEvent| {
        e.code == "scheduler.cycle" && e.subject.as_ref().is_some_and(|s| s.key == *pod)
    };
    let shown = log.get(..shown).unwrap_or(log).iter().enumerate();
    shown.filter(|(_, e)| about(e)).map(|(i, _)| i).collect()
}

/// Reads the attempt that begins at `start`, from events before `end`.
#[inline(never)]
pub fn read(log: &[TraceEvent], start: usize, end: usize) -> AttemptView {
    let end = end.min(log.len()).min(start.saturating_add(MAX_SPAN));
    let mut view = AttemptView {
        number: 0,
        event: EventIndex::try_from(start + 1).unwrap_or(EventIndex::MAX),
        at: 0,
        woken: Msg::plain("attempt.new"),
        outcome: Msg::plain("attempt.running"),
        message: None,
        filters: Rc::new([]),
        skipped: Rc::new([]),
        pre_filter: None,
        nodes: Rc::new([]),
        reasons: Rc::new([]),
        scorers: Rc::new([]),
        preemption: None,
        differs: Rc::new([]),
    };
    let Some(cycle) = log.get(start) else {
        return view;
    };
    view.number = u32::try_from(cycle.arg("attempt").as_int().unwrap_or(0)).unwrap_or(0);
    view.at = cycle.at.0.saturating_mul(1_000);
    view.woken = woken(log, cycle);
    let mut nodes: Vec<NodeReceipt> = Vec::new();
    let rest = log.get(start + 1..end).unwrap_or_default();
    for event in rest.iter().filter(|e| e.subject == cycle.subject) {
        match (event.code, &event.data) {
            ("scheduler.cycle" | "scheduler.requeue", _) => break,
            ("scheduler.pre_filter", Data::Json(data)) => {
                let no = data.get("rejected");
                view.pre_filter = (!no.is_null()).then(|| verdict(no, &[]));
                view.skipped = texts(data.get("skipped"));
            }
            ("scheduler.filter", Data::Json(data)) => filter(data, &mut view, &mut nodes),
            ("scheduler.score", Data::Json(data)) => scores(data, &mut view, &mut nodes),
            ("scheduler.choose", _) => {
                let name = event.arg("node").str_or_empty();
                for node in nodes.iter_mut().filter(|n| *n.node == *name) {
                    node.chosen = true;
                }
                view.outcome = named("attempt.chosen", "node", name);
            }
            ("scheduler.post_filter", Data::Json(data)) => {
                view.preemption = preemption(data);
            }
            ("scheduler.unschedulable", _) => {
                let made_free = view.preemption.as_ref().and_then(|p| p.node.clone());
                view.outcome = match made_free {
                    Some(node) => named("attempt.preempting", "node", &node),
                    None => Msg::plain("attempt.unschedulable"),
                };
                view.message = event.arg("message").as_text().cloned();
            }
            ("scheduler.failed", _) => {
                view.outcome = Msg::plain("attempt.failed");
                view.message = event.arg("message").as_text().cloned();
            }
            ("scheduler.bound", _) => {
                view.outcome = named("attempt.bound", "node", event.arg("node").str_or_empty());
                break;
            }
            _ => {}
        }
    }
    view.nodes = nodes.into();
    view
}

fn named(code: &'static str, name: &'static str, text: &str) -> Msg {
    Msg::new(code, vec![(name, Arg::Text(text.into()))])
}

/// What had put the Pod (back) into the queue.
fn woken(log: &[TraceEvent], cycle: &TraceEvent) -> Msg {
    let cause = cycle.cause.and_then(|id| usize::try_from(id.0).ok());
    let Some(cause) = cause.and_then(|place| log.get(place)) else {
        return Msg::plain("attempt.new");
    };
    if cause.code != "scheduler.requeue" {
        return Msg::plain("attempt.new");
    }
    let text = |name: &str| Arg::Text(cause.arg(name).str_or_empty().into());
    let plugin = cause.arg("plugin").str_or_empty();
    let code = if plugin.is_empty() {
        "attempt.requeued"
    } else {
        "attempt.hinted"
    };
    Msg::new(
        code,
        vec![("event", text("event")), ("plugin", text("plugin"))],
    )
}

fn texts(list: &Value) -> Rc<[Text]> {
    let all = list.items().iter();
    all.filter_map(|v| v.as_text().cloned()).collect()
}

fn int(value: &Value) -> i64 {
    value.as_int().unwrap_or(0)
}

/// Reads `{plugin, code, reasons: [{message, facts?}]}`.
fn verdict(no: &Value, filters: &[Text]) -> VerdictView {
    let plugin: Text = no.get("plugin").str_or_empty().into();
    let place = filters.iter().position(|name| *name == plugin);
    let reasons = no.get("reasons").items().iter().map(|reason| {
        let message: Text = reason.get("message").str_or_empty().into();
        (message, numbers(reason.get("facts")))
    });
    VerdictView {
        place: u16::try_from(place.unwrap_or(0)).unwrap_or(0),
        code: no.get("code").str_or_empty().into(),
        reasons: reasons.collect(),
        plugin,
    }
}

/// The numbers that decided, as a message by what they are.
pub fn numbers(facts: &Value) -> Msg {
    let text = |name: &str| Arg::Text(facts.get(name).str_or_empty().into());
    if facts.get("resource").as_str().is_some() {
        return resource(facts);
    }
    if !facts.get("maxSkew").is_null() {
        let number = |name: &str| Arg::Count(int(facts.get(name)));
        return Msg::new(
            "verdict.spread",
            vec![
                ("key", text("topologyKey")),
                ("matching", number("matching")),
                ("own", number("own")),
                ("minimum", number("minimum")),
                ("skew", number("maxSkew")),
            ],
        );
    }
    if !facts.get("effect").is_null() {
        let value = facts.get("value").str_or_empty();
        let key = facts.get("key").str_or_empty();
        let taint = if value.is_empty() {
            key.to_string()
        } else {
            [key, "=", value].concat()
        };
        let effect = facts.get("effect").str_or_empty();
        let taint = [&taint, ":", effect].concat();
        return named("verdict.taint", "taint", &taint);
    }
    if !facts.get("hostPort").is_null() {
        return Msg::new(
            "verdict.port",
            vec![
                ("port", Arg::Count(int(facts.get("hostPort")))),
                ("protocol", text("protocol")),
                ("ip", text("hostIP")),
            ],
        );
    }
    if !facts.get("topologyKey").is_null() {
        return Msg::new("verdict.topology", vec![("key", text("topologyKey"))]);
    }
    if facts.entries().is_empty() {
        return Msg::plain("verdict.none");
    }
    let json = podscope_api::json::to_string(facts);
    named("verdict.facts", "facts", &json)
}

fn resource(facts: &Value) -> Msg {
    let name = facts.get("resource").str_or_empty();
    let (used, all) = (int(facts.get("used")), int(facts.get("allocatable")));
    let amount = |n: i64| Arg::Text(amount(name, n).into());
    Msg::new(
        "verdict.resource",
        vec![
            ("resource", Arg::Text(name.into())),
            ("requested", amount(int(facts.get("requested")))),
            ("used", amount(used)),
            ("allocatable", amount(all)),
            ("free", amount(all.saturating_sub(used))),
        ],
    )
}

/// An amount in base units (thousandths of a CPU, bytes, pieces) as a quantity.
pub fn amount(resource: &str, n: i64) -> String {
    use podscope_api::Quantity;
    use podscope_api::quantity::Format;
    let quantity = match resource {
        "cpu" => Quantity::milli(n, Format::DecimalSi),
        "memory" | "ephemeral-storage" => Quantity::new(n, Format::BinarySi),
        name if name.starts_with("hugepages-") => Quantity::new(n, Format::BinarySi),
        _ => Quantity::new(n, Format::DecimalSi),
    };
    quantity.canonical()
}

fn filter(data: &Value, view: &mut AttemptView, nodes: &mut Vec<NodeReceipt>) {
    view.filters = texts(data.get("plugins"));
    let reasons = data.get("reasons").entries().iter();
    let mut reasons: Vec<(Text, u32)> = reasons
        .map(|(text, n)| (text.clone(), u32::try_from(int(n)).unwrap_or(0)))
        .collect();
    podscope_api::sort::by_key(&mut reasons, |(text, n)| {
        (std::cmp::Reverse(*n), text.clone())
    });
    view.reasons = reasons.into();
    for row in data.get("verdicts").items() {
        let room = row.get("resources").items().iter().map(|r| RoomView {
            resource: r.get("resource").str_or_empty().into(),
            requested: int(r.get("requested")),
            used: int(r.get("used")),
            allocatable: int(r.get("allocatable")),
        });
        let no = row.get("rejected");
        nodes.push(NodeReceipt {
            node: row.get("node").str_or_empty().into(),
            chosen: false,
            rejected: (!no.is_null()).then(|| verdict(no, &view.filters)),
            room: room.collect(),
            scores: Rc::new([]),
            total: None,
        });
    }
    podscope_api::sort::by_key(nodes, |n| n.node.clone());
}

fn scores(data: &Value, view: &mut AttemptView, nodes: &mut Vec<NodeReceipt>) {
    let scorers = data.get("plugins").items().iter();
    view.scorers = scorers
        .map(|p| (p.get("plugin").str_or_empty().into(), int(p.get("weight"))))
        .collect();
    for row in data.get("nodes").items() {
        let name = row.get("node").str_or_empty();
        let scores: Rc<[ScoreReceipt]> = row.get("scores").items().iter().map(score).collect();
        let total = Some(int(row.get("total")));
        match nodes.iter_mut().find(|n| *n.node == *name) {
            Some(node) => (node.scores, node.total) = (scores, total),
            // Beyond 50 nodes only the best are shown, without what Filter said.
            None => nodes.push(NodeReceipt {
                node: name.into(),
                chosen: false,
                rejected: None,
                room: Rc::new([]),
                scores,
                total,
            }),
        }
    }
}

fn score(row: &Value) -> ScoreReceipt {
    let mut account: Vec<(Text, Text)> = Vec::new();
    flat("", row.get("account"), &mut account);
    ScoreReceipt {
        raw: int(row.get("raw")),
        normalized: int(row.get("normalized")),
        weighted: int(row.get("weighted")),
        account: account.into(),
    }
}

/// The leaves of a tree of numbers, named by their path. Bounded.
fn flat(path: &str, value: &Value, out: &mut Vec<(Text, Text)>) {
    const MOST: usize = 64;
    let below = |name: &str| match path {
        "" => name.to_string(),
        path => [path, ".", name].concat(),
    };
    for (name, inner) in value.entries() {
        flat(&below(name), inner, out);
    }
    for (i, inner) in value.items().iter().enumerate() {
        flat(&below(&i.to_string()), inner, out);
    }
    let leaf = value.entries().is_empty() && value.items().is_empty();
    if leaf && !value.is_null() && !value.is_empty() && out.len() < MOST {
        let text = match value.as_text() {
            Some(text) => text.clone(),
            None => podscope_api::json::to_string(value).into(),
        };
        out.push((path.into(), text));
    }
}

fn preemption(data: &Value) -> Option<PreemptionView> {
    let candidates: Vec<CandidateView> = data
        .get("candidates")
        .items()
        .iter()
        .map(|c| {
            let victims = c.get("victims").items().iter().map(|v| {
                let text = |field: &str| Text::from(v.get(field).str_or_empty());
                let key = Key::new(text("namespace"), text("name"));
                (object_ref(Kind::Pod, &key), int(v.get("priority")))
            });
            CandidateView {
                node: c.get("node").str_or_empty().into(),
                victims: victims.collect(),
                violations: u32::try_from(int(c.get("violations"))).unwrap_or(0),
            }
        })
        .collect();
    let rejected = data.get("rejected").entries().iter();
    let rejected: Rc<[(Text, u32)]> = rejected
        .map(|(text, n)| (text.clone(), u32::try_from(int(n)).unwrap_or(0)))
        .collect();
    let node = data.get("chosen").as_text().cloned();
    if node.is_none() && candidates.is_empty() && rejected.is_empty() {
        return None;
    }
    let why = node.as_ref().map(|node| choice(node, &candidates));
    Some(PreemptionView {
        node,
        candidates: candidates.into(),
        rejected,
        why,
    })
}

/// The first rule by which the chosen candidate was better than every other.
///
/// Models: `pkg/scheduler/framework/preemption` pickOneNodeForPreemption (v1.36)
fn choice(node: &Text, candidates: &[CandidateView]) -> Msg {
    let msg = |code| Msg::new(code, vec![("node", Arg::Text(node.clone()))]);
    let Some(chosen) = candidates.iter().find(|c| c.node == *node) else {
        return msg("victims.only");
    };
    let others = || candidates.iter().filter(|c| c.node != *node);
    if others().next().is_none() {
        return msg("victims.only");
    }
    let highest = |c: &CandidateView| c.victims.first().map_or(i64::MIN, |(_, p)| *p);
    let sum = |c: &CandidateView| c.victims.iter().map(|(_, p)| *p + (1 << 31)).sum::<i64>();
    if others().all(|c| c.violations > chosen.violations) {
        return msg("victims.budgets");
    }
    let left: Vec<&CandidateView> = others()
        .filter(|c| c.violations == chosen.violations)
        .collect();
    if left.iter().all(|c| highest(c) > highest(chosen)) {
        return msg("victims.priority");
    }
    let left = left.into_iter().filter(|c| highest(c) == highest(chosen));
    let left: Vec<&CandidateView> = left.collect();
    if left.iter().all(|c| sum(c) > sum(chosen)) {
        return msg("victims.sum");
    }
    let mut left = left.into_iter().filter(|c| sum(c) == sum(chosen));
    if left.all(|c| c.victims.len() > chosen.victims.len()) {
        return msg("victims.fewest");
    }
    msg("victims.youngest")
}
