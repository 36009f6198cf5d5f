//! The trace events of one attempt, and its receipts in full.

use crate::explain::msg;
use crate::session::Session;
use crate::view::*;
use podscope_api::Value;
use podscope_cluster::{Data, TraceEvent};
use std::rc::Rc;

/// How far back an attempt is looked for, and how far its events are followed.
const LOOK_BACK: usize = 200_000;
const MOST_EVENTS: usize = 50_000;
/// How many attempts are kept as computed.
const MOST_KEPT: usize = 4;

/// Receipts that were computed again: place of the attempt in the log, and what came out. Kept while the log
/// is not cut.
pub type Receipts = Vec<(usize, Rc<Value>)>;

/// One attempt.
pub(super) struct Attempt<'a> {
    /// Place of its first event in the log.
    pub place: usize,
    /// Its first event, `scheduler.cycle`.
    pub cycle: &'a TraceEvent,
    events: Vec<&'a TraceEvent>,
}

/// What Filter and Score said, see `scheduler::report`; null where there is nothing (yet).
pub(super) struct Facts {
    pub filter: Value,
    pub scores: Value,
}

impl<'a> Attempt<'a> {
    /// The attempt that begins with this event, else the last one that has begun at the cursor.
    pub fn find(session: &'a Session, event: Option<EventIndex>) -> Option<Attempt<'a>> {
        let log = session.shown_log();
        let begins = |e: &TraceEvent| e.code == "scheduler.cycle" && e.subject.is_some();
        let named = event
            .and_then(|event| (event as usize).checked_sub(1))
            .filter(|place| log.get(*place).is_some_and(begins));
        let from = log.len().saturating_sub(LOOK_BACK);
        let place = match named {
            Some(place) => place,
            None => from + log.get(from..)?.iter().rposition(begins)?,
        };
        Some(Attempt::at(log, place))
    }

    fn at(log: &'a [TraceEvent], place: usize) -> Attempt<'a> {
        let cycle = &log[place];
        let mut events = Vec::new();
        for event in log[place + 1..].iter().take(MOST_EVENTS) {
            if !event.code.starts_with("scheduler.") || event.subject != cycle.subject {
                continue;
            }
            if event.code == "scheduler.cycle" {
                break;
            }
            events.push(event);
            let ends = [
                "scheduler.bound",
                "scheduler.failed",
                "scheduler.unschedulable",
            ];
            if ends.contains(&event.code) {
                break;
            }
        }
        Attempt {
            place,
            cycle,
            events,
        }
    }

    /// The same Pod's attempt before this one.
    pub fn before(&self, session: &'a Session) -> Option<Attempt<'a>> {
        let log = session.shown_log().get(..self.place)?;
        let from = log.len().saturating_sub(LOOK_BACK);
        let same = |e: &TraceEvent| e.code == "scheduler.cycle" && e.subject == self.cycle.subject;
        let place = from + log.get(from..)?.iter().rposition(same)?;
        Some(Attempt::at(log, place))
    }

    /// Its first event's number.
    pub fn event(&self) -> EventIndex {
        EventIndex::try_from(self.place + 1).unwrap_or(EventIndex::MAX)
    }

    /// Its last event with this code.
    pub fn last(&self, code: &str) -> Option<&'a TraceEvent> {
        self.events.iter().rev().find(|e| e.code == code).copied()
    }

    /// The data of its last event with this code.
    pub fn json(&self, code: &str) -> Option<&'a Value> {
        match &self.last(code)?.data {
            Data::Json(value) => Some(value),
            _ => None,
        }
    }

    /// Whether the current event is one of its own.
    pub fn holds_cursor(&self, session: &Session) -> bool {
        let Some(last) = session.shown_log().last() else {
            return false;
        };
        last.id == self.cycle.id || self.events.iter().any(|e| e.id == last.id)
    }

    /// Why the Pod was tried once more.
    pub fn woken(&self, session: &Session) -> Option<Msg> {
        let cause = session
            .log()
            .get(usize::try_from(self.cycle.cause?.0).ok()?)?;
        (cause.code == "scheduler.requeue").then(|| msg(session, cause))
    }

    /// Filter and Score in full, and whether they are a summary all the same.
    pub fn facts(&self, session: &Session) -> (Facts, bool) {
        let null = &Value::Null;
        let filter = self.json("scheduler.filter").unwrap_or(null);
        let scores = self.json("scheduler.score").unwrap_or(null);
        let shown = scores.get("nodes").items().len();
        let all = scores.get("scored").as_int().unwrap_or(0);
        let short = filter.get("verdicts").is_null() && filter.get("nodes").as_int() > Some(0);
        let whole = !short && i64::try_from(shown).is_ok_and(|shown| shown >= all);
        let full = (!whole).then(|| receipts(session, self)).flatten();
        let partial = !whole && full.is_none();
        let pick = |part: &str, traced: &Value| match &full {
            Some(full) if !traced.is_null() => full.get(part).clone(),
            _ => traced.clone(),
        };
        let facts = Facts {
            filter: pick("filter", filter),
            scores: pick("scores", scores),
        };
        (facts, partial)
    }
}

/// Every verdict and score of an attempt, computed from the worlds around it.
#[inline(never)]
fn receipts(session: &Session, attempt: &Attempt<'_>) -> Option<Rc<Value>> {
    let place = attempt.place;
    let known = session.receipts(|kept| {
        let found = kept.iter().find(|(at, _)| *at == place);
        found.map(|(_, value)| value.clone())
    });
    if known.is_some() {
        return known;
    }
    let (before, after) = session.timeline.around(place)?;
    let start = before.cluster().scheduler().next_start();
    let key = &attempt.cycle.subject.as_ref()?.key;
    let value = Rc::new(after.cluster().scheduler().receipts(key, start)?);
    session.receipts(|kept| {
        kept.push((place, value.clone()));
        if kept.len() > MOST_KEPT {
            kept.remove(0);
        }
    });
    Some(value)
}
