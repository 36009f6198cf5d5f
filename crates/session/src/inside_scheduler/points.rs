//! The extension points of an attempt in their order, each with what it came to.

use super::attempt::Attempt;
use super::{count, names};
use crate::session::Session;
use crate::view::*;
use podscope_cluster::TraceEvent;
use std::rc::Rc;

fn number(event: &TraceEvent) -> Option<EventIndex> {
    EventIndex::try_from(event.id.0 + 1).ok()
}

fn n(value: u32) -> (&'static str, Arg) {
    ("n", Arg::Count(i64::from(value)))
}

fn text(name: &'static str, text: impl Into<Text>) -> (&'static str, Arg) {
    (name, Arg::Text(text.into()))
}

/// All points, those ahead too.
pub fn points(_session: &Session, attempt: &Attempt<'_>) -> Rc<[PointView]> {
    let last = |code: &str| attempt.last(code);
    let fails = last("scheduler.unschedulable").or_else(|| last("scheduler.failed"));
    let no_room =
        last("scheduler.post_filter").is_some() || last("scheduler.unschedulable").is_some();
    let mut points = Vec::with_capacity(9);
    let mut point = |name, code: &str, state: Option<PointState>, text: Msg| {
        let event = last(code);
        let state = match (state, event) {
            (Some(state), _) => state,
            (None, Some(_)) => PointState::Passed,
            (None, None) => PointState::Ahead,
        };
        let text = match state {
            PointState::Ahead => Msg::plain("sched.point.ahead"),
            _ => text,
        };
        points.push(PointView {
            name,
            state,
            text,
            event: event.and_then(number),
        });
    };
    let pre = attempt.json("scheduler.pre_filter");
    let rejected = pre.filter(|data| !data.get("rejected").is_null());
    let pre_text = match (rejected, pre) {
        (Some(data), _) => Msg::new(
            "sched.point.rejected",
            vec![text(
                "plugin",
                data.get("rejected").get("plugin").str_or_empty(),
            )],
        ),
        (None, Some(data)) if !data.get("narrowedBy").is_null() => Msg::new(
            "sched.point.narrowed",
            vec![
                n(count(data.get("left"))),
                text("plugins", names(data.get("narrowedBy"))),
            ],
        ),
        (None, data) => {
            let skipped = data.map_or(0, |data| data.get("skipped").items().len());
            Msg::new(
                "sched.point.skip",
                vec![n(u32::try_from(skipped).unwrap_or(0))],
            )
        }
    };
    let ended = |before: bool| (before && no_room).then_some(PointState::Skipped);
    point(
        "PreFilter",
        "scheduler.pre_filter",
        rejected.map(|_| PointState::Failed),
        pre_text,
    );
    let filter = last("scheduler.filter");
    let (feasible, looked) = filter.map_or((0, 0), |e| {
        (count(e.arg("feasible")), count(e.arg("nodes")))
    });
    let filter_state = match filter {
        Some(_) if feasible == 0 => Some(PointState::Failed),
        Some(_) => None,
        None => ended(true),
    };
    let left = vec![n(feasible), ("of", Arg::Count(i64::from(looked)))];
    point(
        "Filter",
        "scheduler.filter",
        filter_state,
        Msg::new("sched.point.left", left),
    );
    let post = attempt.json("scheduler.post_filter");
    let frees = post.filter(|data| !data.get("chosen").is_null());
    let (post_state, post_text) = match (post, frees) {
        (_, Some(data)) => {
            let node = text("node", data.get("chosen").str_or_empty());
            (None, Msg::new("sched.point.preempts", vec![node]))
        }
        (Some(_), None) => (Some(PointState::Failed), Msg::plain("sched.point.no-help")),
        (None, _) if feasible > 0 => (
            Some(PointState::Skipped),
            Msg::plain("sched.point.not-needed"),
        ),
        _ => (ended(true), Msg::plain("sched.point.not-needed")),
    };
    point("PostFilter", "scheduler.post_filter", post_state, post_text);
    let score = last("scheduler.score");
    let one = score.is_none() && last("scheduler.choose").is_some();
    let (score_state, score_text) = match (score, one) {
        (Some(e), _) => {
            let scored = count(e.arg("nodes"));
            (None, Msg::new("sched.point.scored", vec![n(scored)]))
        }
        (None, true) => (
            Some(PointState::Skipped),
            Msg::plain("sched.point.only-one"),
        ),
        _ => (ended(true), Msg::plain("sched.point.none-left")),
    };
    point("Score", "scheduler.score", score_state, score_text);
    let node = last("scheduler.choose").map_or("", |e| e.arg("node").str_or_empty());
    let with_node = |code: &'static str| Msg::new(code, vec![text("node", node)]);
    let none = || Msg::plain("sched.point.none-left");
    let (reserve, permit) = match no_room {
        true => (none(), none()),
        false => (
            with_node("sched.point.assumed"),
            Msg::plain("sched.point.nobody"),
        ),
    };
    point("Reserve", "scheduler.assume", ended(true), reserve);
    point("Permit", "scheduler.assume", ended(true), permit);
    let bound = last("scheduler.bound");
    let (bind_state, bind_text) = match (bound, fails, no_room) {
        (Some(_), ..) => (None, with_node("sched.point.bound")),
        (None, Some(_), false) => (Some(PointState::Failed), Msg::plain("sched.point.failed")),
        (None, _, true) => (ended(true), none()),
        _ => (None, with_node("sched.point.binding")),
    };
    let bind_event = if bound.is_some() {
        "scheduler.bound"
    } else {
        "scheduler.bind"
    };
    point("Bind", bind_event, bind_state, bind_text);
    points.into()
}
