//! The whole trace, filtered. What matched is kept and follows the trace as it grows.

use crate::cluster_view::object_ref;
use crate::index::component_kind;
use crate::session::Session;
use crate::view::*;
use crate::{components, explain};
use podscope_api::Value;
use podscope_cluster::TraceEvent;
use std::rc::Rc;

/// The most characters of a line's arguments.
const MAX_DETAIL: usize = 240;

/// What matched so far.
#[derive(Default)]
pub(crate) struct Found {
    filter: LogFilter,
    seen: usize,
    events: Rc<[EventIndex]>,
}

/// The events that pass a filter, in order, the known future included.
pub fn find(session: &Session, filter: &LogFilter, kept: &mut Found) -> Rc<[EventIndex]> {
    let log = session.log();
    if kept.filter != *filter || kept.seen > log.len() {
        *kept = Found {
            filter: filter.clone(),
            ..Found::default()
        };
    }
    if kept.seen == log.len() {
        return kept.events.clone();
    }
    let index = session.index();
    let background = |i: usize| index.entries().get(i).is_some_and(|e| e.background);
    let number = |i: usize| EventIndex::try_from(i + 1).unwrap_or(EventIndex::MAX);
    let rest = log.iter().enumerate().skip(kept.seen);
    let fresh =
        rest.filter(|(i, event)| !(filter.quiet && background(*i)) && passes(event, filter));
    kept.events = kept
        .events
        .iter()
        .copied()
        .chain(fresh.map(|(i, _)| number(i)))
        .collect();
    kept.seen = log.len();
    kept.events.clone()
}

fn passes(event: &TraceEvent, filter: &LogFilter) -> bool {
    if filter
        .component
        .is_some_and(|kind| component_kind(event.actor) != kind)
    {
        return false;
    }
    if !filter.kind.is_empty() {
        let about = event
            .subject
            .as_ref()
            .is_some_and(|s| s.kind.name() == &*filter.kind);
        if !about {
            return false;
        }
    }
    let wanted = filter.text.trim();
    if wanted.is_empty() || contains(event.code, wanted) {
        return true;
    }
    if let Some(subject) = &event.subject {
        let name = contains(&subject.key.name, wanted) || contains(subject.kind.name(), wanted);
        // `kind/name` and `namespace/name` too, when asked for.
        let whole = wanted.contains('/')
            && (contains(
                &format!("{}/{}", subject.kind.name(), subject.key.name),
                wanted,
            ) || contains(
                &format!("{}/{}", subject.key.namespace, subject.key.name),
                wanted,
            ));
        if name || whole {
            return true;
        }
    }
    event.args.iter().any(|(_, value)| match value {
        Value::Str(text) => contains(text, wanted),
        Value::Int(n) => contains(&n.to_string(), wanted),
        _ => false,
    })
}

/// Whether a text holds another, whatever the case of ASCII letters.
fn contains(text: &str, wanted: &str) -> bool {
    let (text, wanted) = (text.as_bytes(), wanted.as_bytes());
    let Some(first) = wanted.first() else {
        return true;
    };
    let ends = text.len().checked_sub(wanted.len());
    ends.is_some_and(|last| {
        (0..=last).any(|i| {
            text[i].eq_ignore_ascii_case(first)
                && text[i..i + wanted.len()].eq_ignore_ascii_case(wanted)
        })
    })
}

/// Lines of the log; unknown events are left out.
pub fn rows(session: &Session, events: &[EventIndex]) -> Vec<LogRow> {
    let log = session.log();
    let row = |number: &EventIndex| {
        let event = log.get((*number as usize).checked_sub(1)?)?;
        let mut detail = String::new();
        for (name, value) in &event.args {
            if detail.len() >= MAX_DETAIL {
                break;
            }
            if !detail.is_empty() {
                detail.push_str("  ");
            }
            detail.push_str(name);
            detail.push('=');
            match value.as_str() {
                Some(text) => detail.extend(
                    text.chars()
                        .take(MAX_DETAIL)
                        .map(|c| if c == '\n' { ' ' } else { c }),
                ),
                None => detail.push_str(&podscope_api::json::to_string(value)),
            }
        }
        let cut = detail.char_indices().nth(MAX_DETAIL).map(|(i, _)| i);
        if let Some(cut) = cut {
            detail.truncate(cut);
            detail.push('…');
        }
        Some(LogRow {
            event: *number,
            at: event.at.0.saturating_mul(1_000),
            kind: component_kind(event.actor),
            who: components::name(session, event.actor).into(),
            code: event.code,
            msg: explain::msg(session, event),
            object: event.subject.as_ref().map(|s| object_ref(s.kind, &s.key)),
            detail: detail.into(),
        })
    };
    events.iter().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::contains;

    #[test]
    fn case_does_not_matter() {
        assert!(contains("Scheduler.Bound", "scheduler.b"));
        assert!(contains("x", "") && !contains("", "x") && !contains("abc", "abcd"));
        assert!(contains("ends in Ü", "Ü"));
    }
}
