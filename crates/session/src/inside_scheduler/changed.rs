//! What is different between two attempts of one Pod.

use super::attempt::{Attempt, Facts};
use super::{count, sums};
use crate::session::Session;
use crate::view::*;
use podscope_api::Value;

/// The most differences that are listed.
const MOST: usize = 40;

/// What changed since the attempt before; `None` when there was none.
pub fn since(session: &Session, attempt: &Attempt<'_>, facts: &Facts) -> Option<AttemptDiff> {
    if facts.filter.is_null() {
        return None;
    }
    let before = attempt.before(session)?;
    let (then, _) = before.facts(session);
    let mut changes: Vec<(Msg, Vec<Text>)> = Vec::new();
    let mut note = |msg: Msg, node: Option<&str>| {
        let nodes = node.map(Text::from);
        match changes.iter().position(|(known, _)| *known == msg) {
            Some(at) => changes[at].1.extend(nodes),
            None if changes.len() < MOST => changes.push((msg, nodes.into_iter().collect())),
            None => {}
        }
    };
    let (old, new) = (sorted(&then.filter), sorted(&facts.filter));
    asked(old.first(), new.first(), &mut note);
    let mut olds = old.iter().peekable();
    for (name, verdict) in &new {
        while let Some((gone, _)) = olds.next_if(|(other, _)| other < name) {
            note(Msg::plain("sched.changed.not-looked"), Some(gone));
        }
        match olds.next_if(|(other, _)| other == name) {
            Some((_, was)) => node(name, was, verdict, &mut note),
            None => note(Msg::plain("sched.changed.looked"), Some(name)),
        }
    }
    for (gone, _) in olds {
        note(Msg::plain("sched.changed.not-looked"), Some(gone));
    }
    Some(AttemptDiff {
        event: before.event(),
        at: before.cycle.at.0.saturating_mul(1_000),
        attempt: count(before.cycle.arg("attempt")),
        changes: changes
            .into_iter()
            .map(|(msg, nodes)| (msg, nodes.into()))
            .collect(),
    })
}

/// Verdicts by node, in the order of names.
fn sorted(filter: &Value) -> Vec<(&str, &Value)> {
    let verdicts = filter.get("verdicts").items().iter();
    let mut all: Vec<(&str, &Value)> = verdicts
        .map(|v| (v.get("node").str_or_empty(), v))
        .collect();
    podscope_api::sort::by_key(&mut all, |(name, _)| *name);
    all
}

fn resource<'a>(verdict: &'a Value, name: &str) -> &'a Value {
    let rows = verdict.get("resources").items();
    let row = rows
        .iter()
        .find(|row| row.get("resource").as_str() == Some(name));
    row.unwrap_or(&Value::Null)
}

/// What the Pod itself asks for, which is the same on every node.
fn asked(
    old: Option<&(&str, &Value)>,
    new: Option<&(&str, &Value)>,
    note: &mut dyn FnMut(Msg, Option<&str>),
) {
    let (Some((_, old)), Some((_, new))) = (old, new) else {
        return;
    };
    for row in new.get("resources").items() {
        let name = row.get("resource").str_or_empty();
        let of = |v: &Value| v.get("requested").as_int().unwrap_or(0);
        let (was, is) = (of(resource(old, name)), of(row));
        if was != is {
            note(amounts("sched.changed.asks", name, was, is), None);
        }
    }
}

fn amounts(code: &'static str, resource: &str, was: i64, is: i64) -> Msg {
    let text = |n: i64| Arg::Text(sums::amount(resource, n).into());
    let by = is.saturating_sub(was);
    let sign = if by < 0 { "−" } else { "+" };
    let by = [sign, &sums::amount(resource, by.saturating_abs())].concat();
    Msg::new(
        code,
        vec![
            ("resource", Arg::Text(resource.into())),
            ("was", text(was)),
            ("is", text(is)),
            ("by", Arg::Text(by.into())),
        ],
    )
}

/// One node's verdict and room, then and now.
fn node(name: &str, was: &Value, is: &Value, note: &mut dyn FnMut(Msg, Option<&str>)) {
    let (no, now) = (was.get("rejected"), is.get("rejected"));
    let plugin = |v: &Value| Arg::Text(v.get("plugin").str_or_empty().into());
    let reason = |v: &Value| Arg::Text(super::receipt::said(v));
    match (no.is_null(), now.is_null()) {
        (true, true) => {}
        (false, true) => note(
            Msg::new(
                "sched.changed.passes",
                vec![("plugin", plugin(no)), ("reason", reason(no))],
            ),
            Some(name),
        ),
        (true, false) => note(
            Msg::new(
                "sched.changed.fails",
                vec![("plugin", plugin(now)), ("reason", reason(now))],
            ),
            Some(name),
        ),
        (false, false) if reason(no) != reason(now) => note(
            Msg::new(
                "sched.changed.other",
                vec![("was", reason(no)), ("reason", reason(now))],
            ),
            Some(name),
        ),
        (false, false) => {}
    }
    for row in is.get("resources").items() {
        let resource_name = row.get("resource").str_or_empty();
        let old = resource(was, resource_name);
        let free = |v: &Value| {
            let of = |field: &str| v.get(field).as_int().unwrap_or(0);
            of("allocatable").saturating_sub(of("used"))
        };
        if !old.is_null() && free(old) != free(row) {
            let change = amounts("sched.changed.free", resource_name, free(old), free(row));
            note(change, Some(name));
        }
    }
}
