//! The inside of the scheduler: one attempt with its receipts.

mod attempt;
mod changed;
mod points;
mod receipt;
mod sums;

use crate::cluster_view::object_ref;
use crate::session::Session;
use crate::view::*;
use attempt::Attempt;
use podscope_api::{Kind, Value};
use podscope_cluster::scheduler::framework::num_feasible_nodes_to_find;
use podscope_cluster::scheduler::plugins::PluginId;
use std::rc::Rc;

pub use attempt::Receipts;
pub use receipt::receipt;

/// The most rows of the matrix.
const MAX_ROWS: usize = 5_000;

/// What the stage shows of the scheduler: the attempt that begins with this event, else the one nearest to the
/// cursor.
pub fn inside(session: &Session, event: Option<EventIndex>) -> SchedulerInside {
    let Some(attempt) = Attempt::find(session, event) else {
        return SchedulerInside::default();
    };
    let (facts, partial) = attempt.facts(session);
    let text = |v: &Value| Text::from(v.str_or_empty());
    let pre_filter = attempt.json("scheduler.pre_filter");
    let plugins = filters(session, pre_filter);
    let (rows, scorers) = rows(&facts, &plugins);
    let nodes = count(attempt.cycle.arg("nodes"));
    let asked = pre_filter.map_or(&Value::Null, |data| data.get("rejected"));
    let narrowed = pre_filter.filter(|data| !data.get("narrowedBy").is_null());
    let narrowed = narrowed.map(|data| (names(data.get("narrowedBy")), count(data.get("left"))));
    let of = narrowed.as_ref().map_or(nodes, |(_, left)| *left);
    let percentage = session
        .simulation()
        .cluster()
        .scheduler()
        .profile()
        .percentage_of_nodes;
    let reasons = facts.filter.get("reasons").entries();
    let chosen = attempt.last("scheduler.choose");
    let fails = ["scheduler.unschedulable", "scheduler.failed"];
    let failed = fails.iter().find_map(|code| attempt.last(code));
    SchedulerInside {
        pod: attempt
            .cycle
            .subject
            .as_ref()
            .map(|s| object_ref(s.kind, &s.key)),
        event: attempt.event(),
        at: attempt.cycle.at.0.saturating_mul(1_000),
        attempt: count(attempt.cycle.arg("attempt")),
        now: attempt.holds_cursor(session),
        woken: attempt.woken(session),
        points: points::points(session, &attempt),
        nodes,
        looked: count(facts.filter.get("nodes")),
        feasible: count(facts.filter.get("feasible")),
        enough: u32::try_from(num_feasible_nodes_to_find(percentage, i64::from(of))).unwrap_or(of),
        rows,
        partial,
        reasons: reasons
            .iter()
            .map(|(reason, n)| (reason.clone(), count(n)))
            .collect(),
        scorers,
        rejected: (!asked.is_null()).then(|| (text(asked.get("plugin")), receipt::said(asked))),
        narrowed,
        tied: chosen.map_or(0, |e| count(e.arg("tied"))),
        chosen: chosen.map(|e| e.arg("node").str_or_empty().into()),
        message: failed.and_then(|e| e.arg("message").as_text().cloned()),
        line: failed.and_then(|e| crate::explain::manifest_line(session, e)),
        since: changed::since(session, &attempt, &facts),
        plugins,
    }
}

fn count(value: &Value) -> u32 {
    value
        .as_int()
        .and_then(|n| u32::try_from(n).ok())
        .unwrap_or(0)
}

fn names(list: &Value) -> Text {
    let names: Vec<&str> = list.items().iter().map(Value::str_or_empty).collect();
    names.join(", ").into()
}

/// The filter plugins in their order, with those that PreFilter skipped.
fn filters(session: &Session, pre_filter: Option<&Value>) -> Rc<[PluginColumn]> {
    let skipped = pre_filter.map_or(&[][..], |data| data.get("skipped").items());
    let enabled = &session.simulation().cluster().scheduler().profile().enabled;
    let filters = enabled.iter().filter(|id| id.filters());
    let column = |id: &PluginId| PluginColumn {
        name: id.name().into(),
        weight: 0,
        skipped: skipped.iter().any(|name| name.as_str() == Some(id.name())),
    };
    filters.map(column).collect()
}

/// What was said of each node, and the score plugins.
fn rows(facts: &attempt::Facts, plugins: &[PluginColumn]) -> (Rc<[NodeRow]>, Rc<[PluginColumn]>) {
    let scored = facts.scores.get("nodes").items();
    let mut totals: Vec<(&str, usize)> = scored
        .iter()
        .enumerate()
        .map(|(i, node)| (node.get("node").str_or_empty(), i))
        .collect();
    podscope_api::sort::natural(&mut totals);
    let score = |name: &str| {
        let at = totals
            .binary_search_by(|(known, _)| (*known).cmp(name))
            .ok()?;
        scored.get(totals.get(at)?.1)
    };
    let cell = |score: &Value| ScoreCell {
        raw: score.get("raw").as_int().unwrap_or(0),
        normalized: score.get("normalized").as_int().unwrap_or(0),
        weighted: score.get("weighted").as_int().unwrap_or(0),
    };
    let row = |verdict: &Value| {
        let name = verdict.get("node").str_or_empty();
        let no = verdict.get("rejected");
        let plugin = no.get("plugin").str_or_empty();
        let stopped = plugins.iter().position(|p| &*p.name == plugin);
        let score = score(name);
        NodeRow {
            node: name.into(),
            used: sums::used(verdict.get("resources")),
            stopped: stopped.and_then(|i| u16::try_from(i).ok()),
            reason: receipt::said(no),
            detail: sums::fact(no.get("reasons").index(0).get("facts")),
            cells: score.map_or_else(
                || [].into(),
                |node| node.get("scores").items().iter().map(cell).collect(),
            ),
            total: score.and_then(|node| node.get("total").as_int()),
        }
    };
    let verdicts = facts.filter.get("verdicts").items();
    let rows = verdicts.iter().take(MAX_ROWS).map(row).collect();
    let scorers = facts.scores.get("plugins").items().iter();
    let scorers = scorers.map(|plugin| PluginColumn {
        name: plugin.get("plugin").str_or_empty().into(),
        weight: plugin.get("weight").as_int().unwrap_or(1),
        skipped: false,
    });
    let skipped = facts.scores.get("skipped").items().iter();
    let skipped = skipped.map(|name| PluginColumn {
        name: name.str_or_empty().into(),
        weight: PluginId::ALL
            .iter()
            .find(|id| Some(id.name()) == name.as_str())
            .map_or(0, |id| id.weight()),
        skipped: true,
    });
    (rows, scorers.chain(skipped).collect())
}

/// The Pods of the queue with what they wait for.
#[inline(never)]
pub fn last_attempt(session: &Session, pod: &ObjectRef) -> Option<EventIndex> {
    let log = session.shown_log();
    let is_its = |e: &podscope_cluster::TraceEvent| {
        e.code == "scheduler.cycle"
            && e.subject.as_ref().is_some_and(|s| {
                s.kind == Kind::Pod
                    && *s.key.name == *pod.name
                    && *s.key.namespace == *pod.namespace
            })
    };
    let place = log.iter().rposition(is_its)?;
    EventIndex::try_from(place + 1).ok()
}
