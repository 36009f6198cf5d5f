//! The trace as text: one line per event.

use crate::session::Session;
use podscope_cluster::TraceEvent;

/// One event as a line: time, number, actor, code, object, arguments.
pub fn line(event: &TraceEvent) -> String {
    let mut out = format!("{:>12.3} ms  #{:<6} {:<28} {:<28}", event.at.0 as f64 / 1_000.0, event.id.0, event.actor.to_string(), event.code);
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

/// The trace up to the cursor.
pub fn text(session: &Session) -> String {
    let shown = session.timeline.shown();
    let mut out = String::new();
    for event in &session.log()[..shown] {
        out.push_str(&line(event));
        out.push('\n');
    }
    out
}
