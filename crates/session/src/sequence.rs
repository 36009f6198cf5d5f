//! The messages of the trace as a sequence diagram, and that diagram in Mermaid's language.

use crate::components;
use crate::session::Session;
use crate::view::*;

/// The most messages; a diagram with more can be read by nobody.
pub const MAX_STEPS: usize = 300;
/// The longest label, in characters.
const MAX_LABEL: usize = 80;

/// The messages up to the cursor, without loops.
pub fn of(session: &Session) -> SequenceView {
    let index = session.index();
    let log = session.shown_log();
    let mut numbers = Vec::new();
    let mut steps: Vec<SequenceStep> = Vec::new();
    let mut left_out = 0u32;
    let mut phase = None;
    for (event, entry) in log.iter().zip(index.entries()) {
        phase = entry.phase.map(Msg::plain).or(phase);
        if entry.background {
            continue;
        }
        for message in crate::cluster_view::messages(session, event) {
            // The list that a watch begins with is long and says nothing.
            if message.kind == MessageKind::Watch && !matters(session, event) {
                continue;
            }
            if steps.len() >= MAX_STEPS {
                left_out += 1;
                continue;
            }
            let mut place = |id| {
                let found = numbers.iter().position(|n| *n == id).unwrap_or_else(|| {
                    numbers.push(id);
                    numbers.len() - 1
                });
                u16::try_from(found).unwrap_or(u16::MAX)
            };
            let (from, to) = (place(message.from), place(message.to));
            steps.push(SequenceStep {
                phase: phase.take(),
                kind: message.kind,
                from,
                to,
                label: message.label,
            });
        }
    }
    let name = |id: &ComponentId| components::name(session, components::of_number(*id)).into();
    SequenceView {
        participants: numbers.iter().map(name).collect(),
        steps: steps.into(),
        left_out,
    }
}

/// A watch event is worth an arrow when something came of it.
fn matters(session: &Session, event: &podscope_cluster::TraceEvent) -> bool {
    let from = usize::try_from(event.id.0).unwrap_or(0) + 1;
    let rest = session.shown_log().get(from..).unwrap_or_default();
    rest.iter().take(200).any(|e| e.cause == Some(event.id))
}

/// The diagram in Mermaid's language; `say` gives a message's words.
pub fn mermaid(view: &SequenceView, title: &str, say: &dyn Fn(&Msg) -> String) -> String {
    let mut out = String::from("sequenceDiagram\n");
    if !title.is_empty() {
        out = format!("---\ntitle: {}\n---\n{out}", quoted(title));
    }
    out.push_str("    autonumber\n");
    for (i, name) in view.participants.iter().enumerate() {
        out.push_str(&format!("    participant p{i} as {}\n", label(name)));
    }
    let last = view.participants.len().saturating_sub(1);
    for step in view.steps.iter() {
        if let Some(phase) = &step.phase {
            let over = if last == 0 {
                "p0".to_string()
            } else {
                format!("p0,p{last}")
            };
            out.push_str(&format!("    Note over {over}: {}\n", label(&say(phase))));
        }
        let arrow = match step.kind {
            MessageKind::Request | MessageKind::Local => "->>",
            MessageKind::Response => "-->>",
            MessageKind::Watch => "--)",
            MessageKind::NoAnswer => "-x",
        };
        out.push_str(&format!(
            "    p{}{arrow}p{}: {}\n",
            step.from,
            step.to,
            label(&step.label)
        ));
    }
    if view.left_out > 0 && !view.participants.is_empty() {
        let count = Arg::Count(view.left_out.into());
        let words = say(&Msg::new("share.left-out", vec![("n", count)]));
        out.push_str(&format!("    Note over p0: {}\n", label(&words)));
    }
    out
}

/// A label: one line, without the characters that end a statement or begin an entity.
fn label(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().take(MAX_LABEL) {
        match c {
            '#' => out.push_str("#35;"),
            ';' => out.push_str("#59;"),
            ':' if out.is_empty() => {}
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '%' => out.push_str("#37;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    if text.chars().count() > MAX_LABEL {
        out.push('…');
    }
    let out = out.trim().to_string();
    // Mermaid takes a bare `end` for the end of a block.
    if out.is_empty() || out == "end" {
        format!("({out})")
    } else {
        out
    }
}

/// A YAML string in double quotes.
fn quoted(text: &str) -> String {
    podscope_api::json::to_string(&podscope_api::Value::str(text))
}
