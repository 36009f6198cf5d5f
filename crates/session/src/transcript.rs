//! The trace as text: one line per event.

use crate::session::Session;
use crate::view::*;
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

/// The story as plain text for readers; `say` gives a message's words.
pub fn readable(title: &str, rows: &[StoryRow], say: &dyn Fn(&Msg) -> String) -> String {
    let mut out = format!("{title}\n");
    for row in rows {
        if let Some(phase) = &row.phase {
            out.push_str(&format!("\n{}\n", one_line(&say(phase))));
        }
        let words = one_line(&say(&row.msg)).replace('`', "");
        let words = without(&words, &row.who);
        out.push_str(&format!("{:>14}  {}: {words}\n", clock(row.at), row.who));
    }
    out
}

/// The story as Markdown, one list for each phase.
pub fn markdown(title: &str, rows: &[StoryRow], say: &dyn Fn(&Msg) -> String) -> String {
    let mut out = format!("# {}\n", escaped(title));
    let mut in_list = false;
    for row in rows {
        if let Some(phase) = &row.phase {
            out.push_str(&format!("\n## {}\n", escaped(&say(phase))));
            in_list = false;
        }
        if !in_list {
            out.push('\n');
            in_list = true;
        }
        let words = say(&row.msg);
        let (who, words) = (escaped(&row.who), escaped(without(&words, &row.who)));
        out.push_str(&format!("- {} **{who}**: {words}\n", clock(row.at)));
    }
    out
}

/// Words without the name of who acts, when they begin with it and a colon.
fn without<'a>(words: &'a str, who: &str) -> &'a str {
    let rest = words
        .strip_prefix(who)
        .and_then(|rest| rest.strip_prefix(": "));
    rest.unwrap_or(words)
}

/// Milliseconds with their fraction: the same everywhere in a transcript, so that lines compare.
fn clock(at: Nanos) -> String {
    let micros = at / 1_000;
    format!("{}.{:03} ms", micros / 1_000, micros % 1_000)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text for Markdown: what would be markup is escaped, but for pairs of backquotes, which the
/// catalogue uses with the same meaning.
fn escaped(text: &str) -> String {
    let line = one_line(text);
    let mut out = String::with_capacity(line.len());
    let paired = line.matches('`').count().is_multiple_of(2);
    let mut in_code = false;
    for c in line.chars() {
        match c {
            '`' if paired => in_code = !in_code,
            '\\' | '*' | '_' | '#' | '<' | '>' | '[' | ']' | '|' | '`' if !in_code => {
                out.push('\\')
            }
            _ => {}
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(phase: Option<Msg>, words: &str) -> StoryRow {
        StoryRow {
            event: 1,
            at: 1_234_567_000,
            kind: ComponentKind::Client,
            who: "kubectl".into(),
            msg: Msg::new("x", vec![("words", Arg::Text(words.into()))]),
            phase,
        }
    }

    fn say(msg: &Msg) -> String {
        match msg.args.first() {
            Some((_, Arg::Text(text))) => text.to_string(),
            _ => msg.code.to_string(),
        }
    }

    #[test]
    fn markdown_has_a_list_for_each_phase_and_escapes() {
        let rows = [
            row(Some(Msg::plain("Submit")), "sends `a_b` *now*"),
            row(None, "two\nlines <x>"),
        ];
        assert_eq!(
            markdown("A [b]", &rows, &say),
            "# A \\[b\\]\n\n## Submit\n\n- 1234.567 ms **kubectl**: sends `a_b` \\*now\\*\n- 1234.567 ms **kubectl**: two lines \\<x\\>\n"
        );
    }

    #[test]
    fn text_is_aligned_and_plain() {
        let text = readable("T", &[row(None, "sends `x`")], &say);
        assert_eq!(text, "T\n   1234.567 ms  kubectl: sends x\n");
    }
}
