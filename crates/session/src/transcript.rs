//! The trace as text: one line per event.

use crate::session::Session;
use podscope_api::{Value, value};
use podscope_cluster::TraceEvent;

/// One event as a line: time, number, actor, code, object, arguments.
pub fn line(event: &TraceEvent) -> String {
    let mut out = format!(
        "{:>8}.{:03} ms  #{:<6} {:<28} {:<28}",
        event.at.0 / 1_000,
        event.at.0 % 1_000,
        event.id.0,
        event.actor.to_string(),
        event.code
    );
    if let Some(subject) = &event.subject {
        out.push_str(&format!(" {} {}", subject.kind, subject.key));
    }
    for (name, value) in &event.args {
        let text = match value.as_str() {
            Some(s) => s.replace('\n', "\\n"),
            None => podscope_api::json::to_string(value),
        };
        out.push_str(&format!(" {name}={text}"));
    }
    out.truncate(out.trim_end().len());
    out
}

/// One event as a JSON object on one line.
pub fn json_line(event: &TraceEvent) -> String {
    let mut v = value!({"code": (event.code), "actor": (event.actor.to_string())});
    let int = |n: u64| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
    v.set("id", int(event.id.0));
    v.set("at_us", int(event.at.0));
    if let Some(cause) = event.cause {
        v.set("cause", int(cause.0));
    }
    if let Some(request) = event.request {
        v.set("request", int(request.0));
    }
    if let Some(subject) = &event.subject {
        v.set("subject", format!("{} {}", subject.kind, subject.key));
    }
    let args = event
        .args
        .iter()
        .map(|(name, value)| (*name, value.clone()));
    v.set("args", Value::from_pairs(args));
    podscope_api::json::to_string(&v)
}

/// The trace up to the cursor.
pub fn of(session: &Session) -> String {
    let mut out = String::new();
    for event in session.shown_log() {
        out.push_str(&line(event));
        out.push('\n');
    }
    out
}
