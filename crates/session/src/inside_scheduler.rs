//! The inside of the scheduler: the decision nearest to the cursor, and its queue.

use crate::cluster_view::object_ref;
use crate::session::Session;
use crate::view::*;
use podscope_api::{Kind, Object, Quantity, Value};
use podscope_cluster::scheduler::plugins::PluginId;
use podscope_cluster::scheduler::queue::{Place, Waiting};
use podscope_cluster::{Data, TraceEvent};
use std::rc::Rc;

/// How far back the decision is looked for.
const LOOK_BACK: usize = 50_000;
/// Filter plugins that the page has a column for, in their order.
const FILTERS: &[PluginId] = &[
    PluginId::NodeUnschedulable,
    PluginId::NodeName,
    PluginId::TaintToleration,
    PluginId::NodeAffinity,
    PluginId::NodePorts,
    PluginId::NodeResourcesFit,
    PluginId::PodTopologySpread,
    PluginId::InterPodAffinity,
];

/// What the stage shows of the scheduler.
pub fn inside(session: &Session) -> SchedulerInside {
    let mut view = SchedulerInside {
        plugins: FILTERS.iter().map(|p| Text::from(p.name())).collect(),
        ..SchedulerInside::default()
    };
    queue(session, &mut view);
    let log = session.shown_log();
    let recent = &log[log.len().saturating_sub(LOOK_BACK)..];
    let Some(start) = recent.iter().rposition(|e| e.code == "scheduler.cycle") else {
        return view;
    };
    let cycle = &recent[start];
    view.pod = cycle.subject.as_ref().map(|s| object_ref(s.kind, &s.key));
    let about = |e: &&TraceEvent| e.subject == cycle.subject && e.code.starts_with("scheduler.");
    for event in recent[start..].iter().filter(about) {
        match (event.code, &event.data) {
            ("scheduler.filter", Data::Json(data)) => view.filter = filter(data),
            ("scheduler.score", Data::Json(data)) => scores(session, data, &mut view),
            ("scheduler.choose", _) => {
                let node = event.arg("node").str_or_empty();
                view.tie = event.arg("tied").as_int().is_some_and(|n| n > 1);
                view.chosen = view
                    .scored
                    .iter()
                    .position(|(name, _)| &**name == node)
                    .and_then(|i| u16::try_from(i).ok());
            }
            ("scheduler.unschedulable" | "scheduler.failed", _) => {
                view.message = event.arg("message").as_text().cloned();
            }
            _ => {}
        }
    }
    view
}

fn queue(session: &Session, view: &mut SchedulerInside) {
    let queue = session.simulation().cluster().scheduler().queue();
    let pod = |w: &Waiting| object_ref(Kind::Pod, &w.pod.key);
    let of = |places: &'static [Place]| {
        queue
            .iter()
            .map(|(_, w)| w)
            .filter(move |w| places.contains(&w.place))
            .take(200)
    };
    view.active = of(&[Place::Active, Place::InFlight]).map(pod).collect();
    view.backoff = of(&[Place::Backoff, Place::ErrorBackoff])
        .map(|w| (pod(w), w.expiry().0.saturating_mul(1_000)))
        .collect();
    view.unschedulable = of(&[Place::Unschedulable]).map(pod).collect();
}

fn filter(data: &Value) -> Rc<[FilterRow]> {
    let all = u16::try_from(FILTERS.len()).unwrap_or(0);
    data.get("verdicts")
        .items()
        .iter()
        .map(|verdict| {
            let rejected = verdict.get("rejected");
            let plugin = rejected.get("plugin").str_or_empty();
            let passed = FILTERS
                .iter()
                .position(|p| p.name() == plugin)
                .and_then(|i| u16::try_from(i).ok());
            let reason = rejected.get("reasons").index(0);
            FilterRow {
                node: verdict.get("node").str_or_empty().into(),
                passed: if rejected.is_null() {
                    all
                } else {
                    passed.unwrap_or(all)
                },
                reason: reason.get("message").as_text().cloned(),
                detail: facts(reason.get("facts")).into(),
            }
        })
        .collect()
}

/// The numbers behind a verdict, as `name value` pairs.
fn facts(facts: &Value) -> String {
    let mut out = String::new();
    for (name, value) in facts.entries() {
        if !out.is_empty() {
            out.push_str(", ");
        }
        let text = value
            .as_str()
            .map_or_else(|| podscope_api::json::to_string(value), str::to_string);
        out.push_str(&format!("{name} {text}"));
    }
    out
}

fn scores(session: &Session, data: &Value, view: &mut SchedulerInside) {
    let nodes = data.get("nodes").items();
    let text = |v: &Value| Text::from(v.str_or_empty());
    view.scored = nodes
        .iter()
        .map(|n| {
            (
                text(n.get("node")),
                used(session, n.get("node").str_or_empty()),
            )
        })
        .collect();
    view.totals = nodes
        .iter()
        .map(|n| n.get("total").as_int().unwrap_or(0))
        .collect();
    let plugins = data.get("plugins").items().iter();
    let skipped = data.get("skipped").items().iter().map(|name| ScoreRow {
        plugin: text(name),
        weight: 0,
        cells: Vec::new().into(),
    });
    view.scores = plugins
        .enumerate()
        .map(|(i, plugin)| ScoreRow {
            plugin: text(plugin.get("plugin")),
            weight: plugin.get("weight").as_int().unwrap_or(1),
            cells: nodes
                .iter()
                .map(|n| {
                    let score = n.get("scores").index(i);
                    let int = |field: &str| score.get(field).as_int().unwrap_or(0);
                    ScoreCell {
                        raw: int("raw"),
                        normalized: int("normalized"),
                        weighted: int("weighted"),
                    }
                })
                .collect(),
        })
        .chain(skipped)
        .collect();
}

/// What a node's Pods have asked for: `500m of 4 CPU requested`.
fn used(session: &Session, node: &str) -> Text {
    let etcd = session.simulation().cluster().etcd();
    let key = podscope_api::Key::new("", node);
    let Some(stored) = etcd.get(Kind::Node, &key) else {
        return "".into();
    };
    let milli = |v: &Value| Quantity::from_value(v).map_or(0, |q| q.milli_value());
    let asks = |pod: &Object| -> i64 {
        pod.at("spec.containers")
            .items()
            .iter()
            .map(|c| milli(c.at("resources.requests.cpu")))
            .sum()
    };
    let requested: i64 = etcd
        .of_kind(Kind::Pod)
        .filter(|(_, s)| s.object.at("spec.nodeName").as_str() == Some(node))
        .map(|(_, s)| asks(&s.object))
        .sum();
    let all = milli(stored.object.at("status.allocatable.cpu"));
    let cpu = if all % 1000 == 0 {
        (all / 1000).to_string()
    } else {
        format!("{all}m")
    };
    format!("{requested}m of {cpu} CPU requested").into()
}
