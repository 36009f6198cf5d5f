//! What is known of a manifest while it is edited: findings at their place, who reads which line,
//! and what applying it would do.
//!
//! What the server would say is not guessed: the text is applied to a copy of the cluster at the cursor,
//! and the answers are read off.

use crate::preview::{self, Preview};
use crate::session::Session;
use crate::view::*;
use podscope_api::Status;
use podscope_manifest::{self as manifest, Document, Message, Span};

/// The longest text that is looked at, in bytes.
pub const MAX_BYTES: usize = 512 << 10;
/// The most findings of one text.
const MAX_FINDINGS: usize = 200;

/// Diagnostics, who reads which line, and what applying would do.
pub fn diagnose(session: &Session, text: &str) -> Diagnostics {
    let (documents, found) = manifest::parse(text);
    let lines = Lines::new(text);
    let mut items: Vec<DiagnosticView> =
        found.iter().map(|d| of_manifest(&lines, text, d)).collect();
    let readable = !found
        .iter()
        .any(|d| d.severity == manifest::Severity::Error);
    let mut effect = Effect::Unknown;
    if readable && !documents.is_empty() && text.len() <= MAX_BYTES {
        let Preview {
            effect: seen,
            refusals,
            client,
            warnings,
        } = preview::preview(session, text);
        effect = seen;
        for refusal in &refusals {
            let document = owner(&documents, refusal);
            items.extend(of_status(&lines, document, &refusal.status));
        }
        for words in &client {
            items.push(at_span(
                &lines,
                Span::default(),
                Severity::Error,
                ComponentKind::Client,
                "diagnostic.client",
                words,
            ));
        }
        for words in &warnings {
            items.push(of_warning(&lines, &documents, words));
        }
    }
    podscope_api::sort::by_key(&mut items, |d| (d.line, d.column));
    items.dedup();
    items.truncate(MAX_FINDINGS);
    let mut readers: Vec<(u32, ComponentKind)> = documents.iter().flat_map(readers).collect();
    podscope_api::sort::natural(&mut readers);
    readers.dedup();
    Diagnostics {
        items: items.into(),
        readers: readers.into(),
        effect,
    }
}

/// Where the lines of a text begin.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Lines<'a> {
        let starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(i, _)| i + 1))
            .collect();
        Lines { text, starts }
    }

    /// Line from 0, first and one past the last column, in characters.
    fn place(&self, span: Span) -> (u32, u32, u32) {
        let clamp = |i: u32| {
            let mut i = (i as usize).min(self.text.len());
            while !self.text.is_char_boundary(i) {
                i -= 1;
            }
            i
        };
        let (start, end) = (clamp(span.start), clamp(span.end));
        let line = self
            .starts
            .partition_point(|s| *s <= start)
            .saturating_sub(1);
        let from = self.starts.get(line).copied().unwrap_or(0);
        let stop = self.text[from..]
            .find('\n')
            .map_or(self.text.len(), |i| from + i);
        let chars = |a: usize, b: usize| self.text.get(a..b).map_or(0, |t| t.chars().count());
        let column = chars(from, start);
        let mut end_column = column + chars(start, end.min(stop).max(start));
        if end_column == column {
            end_column += 1;
        }
        let u = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        (u(line), u(column), u(end_column))
    }
}

#[inline(never)]
fn at_span(
    lines: &Lines<'_>,
    span: Span,
    severity: Severity,
    source: ComponentKind,
    heading: &'static str,
    words: &str,
) -> DiagnosticView {
    let (line, column, end_column) = lines.place(span);
    DiagnosticView {
        line,
        column,
        end_column,
        severity,
        source,
        heading: Msg::plain(heading),
        text: words.into(),
        fixes: Vec::new().into(),
    }
}

#[inline(never)]
fn of_manifest(lines: &Lines<'_>, text: &str, found: &manifest::Diagnostic) -> DiagnosticView {
    let severity = match found.severity {
        manifest::Severity::Info => Severity::Info,
        manifest::Severity::Warning => Severity::Warning,
        manifest::Severity::Error => Severity::Error,
    };
    let (heading, args, words): (&'static str, Vec<(&'static str, Arg)>, String) =
        match &found.message {
            Message::Yaml(words) => ("diagnostic.yaml", vec![], words.clone()),
            Message::DuplicateKey(key) => (
                "diagnostic.duplicate-key",
                vec![("key", Arg::Text(key.as_str().into()))],
                String::new(),
            ),
            Message::TooLarge { bytes, limit } => (
                "diagnostic.too-large",
                vec![
                    ("bytes", Arg::Count(i64::from(*bytes))),
                    ("limit", Arg::Count(i64::from(*limit))),
                ],
                String::new(),
            ),
            Message::TooManyDocuments { limit } => (
                "diagnostic.too-many-documents",
                vec![("limit", Arg::Count(i64::from(*limit)))],
                String::new(),
            ),
            Message::TooDeep { limit } => (
                "diagnostic.too-deep",
                vec![("limit", Arg::Count(i64::from(*limit)))],
                String::new(),
            ),
            Message::MissingType(field) => (
                "diagnostic.missing-type",
                vec![("field", Arg::Text((*field).into()))],
                String::new(),
            ),
            Message::UnknownKind { api_version, kind } => (
                "diagnostic.unknown-kind",
                vec![
                    ("kind", Arg::Text(kind.as_str().into())),
                    ("version", Arg::Text(api_version.as_str().into())),
                ],
                String::new(),
            ),
            Message::Server(words) => ("diagnostic.refused", vec![], words.to_string()),
            Message::NotSimulated(path) => (
                "diagnostic.no-effect",
                vec![("field", Arg::Text(path.as_str().into()))],
                String::new(),
            ),
        };
    let source = match &found.message {
        Message::Server(_) => ComponentKind::ApiServer,
        _ => ComponentKind::Client,
    };
    let mut view = at_span(lines, found.span, severity, source, heading, &words);
    view.heading = Msg::new(heading, args);
    if let Some(edit) = &found.fix {
        let label = Msg::new(
            "fix.replace",
            vec![
                ("from", Arg::Text(edit.span.of(text).into())),
                ("to", Arg::Text(edit.text.as_str().into())),
            ],
        );
        let edit = TextEdit {
            from: edit.span.start,
            to: edit.span.end,
            text: edit.text.as_str().into(),
        };
        view.fixes = vec![Fix {
            label,
            edits: vec![edit].into(),
        }]
        .into();
    }
    view
}

/// The document that a refused request came from.
fn owner<'a>(documents: &'a [Document], refusal: &preview::Refusal) -> Option<&'a Document> {
    documents
        .iter()
        .find(|d| {
            d.object.get("kind").as_str() == Some(refusal.kind.name())
                && d.object.at("metadata.name").str_or_empty() == &*refusal.name
        })
        .or(documents.first())
}

/// One finding per cause, at the field that it is about.
#[inline(never)]
fn of_status(
    lines: &Lines<'_>,
    document: Option<&Document>,
    status: &Status,
) -> Vec<DiagnosticView> {
    let view = |path: &str, words: &str| {
        let span = document.map_or_else(Span::default, |d| best_span(d, path));
        at_span(
            lines,
            span,
            Severity::Error,
            ComponentKind::ApiServer,
            "diagnostic.refused",
            words,
        )
    };
    if !status.causes.is_empty() {
        return status
            .causes
            .iter()
            .map(|c| view(&c.field, &format!("{}: {}", c.field, c.message)))
            .collect();
    }
    // A decoding error names fields in quotes: unknown field "spec.replicsa".
    let unknown: Vec<&str> = status
        .message
        .split("unknown field \"")
        .skip(1)
        .filter_map(|t| t.split('"').next())
        .collect();
    if !unknown.is_empty() {
        return unknown
            .iter()
            .map(|field| view(field, &format!("unknown field \"{field}\"")))
            .collect();
    }
    // json: cannot unmarshal string into Go struct field Deployment.spec.replicas of type int32
    let field = status
        .message
        .split("Go struct field ")
        .nth(1)
        .and_then(|t| t.split(' ').next());
    let path = field
        .and_then(|f| f.split_once('.'))
        .map_or("", |(_, path)| path);
    vec![view(path, &status.message)]
}

/// The value at a path, its key when the value spans lines, or the nearest parent that is written.
fn best_span(document: &Document, path: &str) -> Span {
    let located = document.locate(path);
    match located.key {
        Some(key) if located.value.line != key.line || !located.exact => key,
        _ => located.value,
    }
}

/// A warning of the server, at the field that it names if it names one.
fn of_warning(lines: &Lines<'_>, documents: &[Document], words: &str) -> DiagnosticView {
    let path = words
        .split(':')
        .next()
        .filter(|p| p.starts_with("spec.") || p.starts_with("metadata."));
    let span = match (path, documents.first()) {
        (Some(path), Some(document)) => best_span(document, path),
        _ => Span::default(),
    };
    at_span(
        lines,
        span,
        Severity::Warning,
        ComponentKind::ApiServer,
        "diagnostic.warning",
        words,
    )
}

/// Who acts on a field, by its path (list indexes left out).
const READERS: &[(&str, ComponentKind)] = &[
    ("apiVersion", ComponentKind::ApiServer),
    ("spec.replicas", ComponentKind::Controller),
    ("spec.selector", ComponentKind::Controller),
    ("spec.strategy", ComponentKind::Controller),
    ("spec.template", ComponentKind::Controller),
    ("containers.image", ComponentKind::Runtime),
    ("containers.command", ComponentKind::Runtime),
    ("resources.requests", ComponentKind::Scheduler),
    ("resources.limits", ComponentKind::Runtime),
    ("spec.nodeSelector", ComponentKind::Scheduler),
    ("spec.affinity", ComponentKind::Scheduler),
    ("spec.tolerations", ComponentKind::Scheduler),
    ("spec.topologySpreadConstraints", ComponentKind::Scheduler),
    ("spec.nodeName", ComponentKind::Kubelet),
    ("containers.livenessProbe", ComponentKind::Kubelet),
    ("containers.readinessProbe", ComponentKind::Kubelet),
    ("containers.startupProbe", ComponentKind::Kubelet),
    ("spec.restartPolicy", ComponentKind::Kubelet),
    ("spec.terminationGracePeriodSeconds", ComponentKind::Kubelet),
    ("spec.ports", ComponentKind::Network),
];

fn readers(document: &Document) -> Vec<(u32, ComponentKind)> {
    let mut out = Vec::new();
    let is_service = document.object.get("kind").as_str() == Some("Service");
    let pod_spec = if document.object.get("kind").as_str() == Some("Pod") {
        "spec"
    } else {
        "spec.template.spec"
    };
    for (suffix, kind) in READERS {
        let mut paths: Vec<String> = Vec::new();
        if *suffix == "spec.ports" {
            if is_service {
                paths.push((*suffix).into());
            }
        } else if let Some(rest) = suffix
            .strip_prefix("containers.")
            .or_else(|| suffix.starts_with("resources.").then_some(*suffix))
        {
            let containers = document.object.at(pod_spec).get("containers").items().len();
            paths.extend(
                (0..containers.min(50)).map(|i| format!("{pod_spec}.containers[{i}].{rest}")),
            );
        } else {
            paths.push((*suffix).into());
            if let Some(rest) = suffix.strip_prefix("spec.")
                && pod_spec != "spec"
            {
                paths.push(format!("{pod_spec}.{rest}"));
            }
        }
        for path in paths {
            let located = document.locate(&path);
            if located.exact
                && let Some(key) = located.key
            {
                out.push((key.line.saturating_sub(1), *kind));
            }
        }
    }
    out
}
