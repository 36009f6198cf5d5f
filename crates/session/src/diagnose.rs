//! What is known of a manifest while it is edited: findings at their place, who reads which line,
//! and what applying it would do.
//!
//! What the server would say is not guessed: the text is applied to a copy of the cluster at the cursor,
//! and the answers are read off.

use crate::fixes;
use crate::preview::{Preview, Refusal};
use crate::previews;
use crate::readers;
use crate::session::Session;
use crate::view::*;
use podscope_api::{Kind, Status};
use podscope_manifest::{self as manifest, Document, Message, Span};

/// The longest text that is looked at, in bytes.
pub const MAX_BYTES: usize = 512 << 10;
/// The most findings of one text.
const MAX_FINDINGS: usize = 200;

/// Diagnostics, who reads which line, and what applying would do.
pub fn diagnose(session: &Session, text: &str) -> Diagnostics {
    let (documents, found) = manifest::parse(text);
    let documents: Vec<Document> = documents
        .into_iter()
        .flat_map(Document::flattened)
        .collect();
    let readable = !found
        .iter()
        .any(|d| d.severity == manifest::Severity::Error);
    let seen = (readable && !documents.is_empty() && text.len() <= MAX_BYTES)
        .then(|| previews::preview(session, text, &documents));
    let lines = Lines::new(text);
    let mut items: Vec<DiagnosticView> =
        found.iter().map(|d| of_manifest(&lines, text, d)).collect();
    let mut effect = Effect::Unknown;
    if let Some(seen) = seen {
        effect = seen.effect.clone();
        findings(&lines, &documents, &seen, &mut items);
    }
    podscope_api::sort::by_key(&mut items, |d| (d.line, d.column, d.severity));
    items.dedup();
    items.truncate(MAX_FINDINGS);
    let mut readers: Vec<(u32, ComponentKind)> =
        documents.iter().flat_map(readers::of_lines).collect();
    podscope_api::sort::natural(&mut readers);
    readers.dedup();
    Diagnostics {
        items: items.into(),
        readers: readers.into(),
        effect,
    }
}

/// What the preview and the tables say of the documents.
fn findings(
    lines: &Lines<'_>,
    documents: &[Document],
    seen: &Preview,
    items: &mut Vec<DiagnosticView>,
) {
    for refusal in &seen.refusals {
        of_refusal(lines, documents, refusal, items);
    }
    if !seen.client.is_empty() {
        of_client(lines, documents, &seen.client, items);
    }
    for words in &seen.warnings {
        of_warning(lines, documents, words, items);
    }
    for document in documents {
        without_effect(lines, document, items);
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
        why: why(heading, words),
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
    if let Message::DuplicateKey(_) = &found.message {
        view.fixes = fixes::remove_pair(text, found.span).into_iter().collect();
    }
    if let Some(edit) = &found.fix {
        view.fixes = vec![fixes::replace(text, edit.span, &edit.text)].into();
    }
    view
}

/// The document that a refused request came from.
fn owner<'a>(documents: &'a [Document], refusal: &Refusal) -> Option<&'a Document> {
    documents
        .iter()
        .find(|d| {
            d.object.get("kind").as_str() == Some(refusal.kind.name())
                && d.object.at("metadata.name").str_or_empty() == &*refusal.name
        })
        .or(documents.first())
}

/// One finding per cause, at the token that it is about.
#[inline(never)]
fn of_refusal(
    lines: &Lines<'_>,
    documents: &[Document],
    refusal: &Refusal,
    items: &mut Vec<DiagnosticView>,
) {
    let Some(document) = owner(documents, refusal) else {
        return;
    };
    for found in manifest::explain(document, &refusal.status) {
        let mut view = of_manifest(lines, lines.text, &found);
        // A cause is printed with its field before it.
        if !refusal.status.causes.is_empty() && !found.path.is_empty() {
            view.text = [&found.path, ": ", &*view.text].concat().into();
        }
        let more = fixes::more(lines.text, document, &found);
        view.fixes = view.fixes.iter().cloned().chain(more).collect();
        items.push(view);
    }
}

/// What kubectl itself complains about: at the document's type when that is what is wrong.
#[inline(never)]
fn of_client(
    lines: &Lines<'_>,
    documents: &[Document],
    words: &[String],
    items: &mut Vec<DiagnosticView>,
) {
    let untyped: Vec<manifest::Diagnostic> = documents
        .iter()
        .filter_map(|document| {
            manifest::check(document).into_iter().find(|found| {
                matches!(
                    found.message,
                    Message::MissingType(_) | Message::UnknownKind { .. }
                )
            })
        })
        .collect();
    for (i, words) in words.iter().enumerate() {
        let Some(found) = untyped.get(i).or(untyped.last()) else {
            if let Some(view) = of_decoding(lines, documents, words) {
                items.push(view);
                continue;
            }
            items.push(at_span(
                lines,
                Span::default(),
                Severity::Error,
                ComponentKind::Client,
                "diagnostic.client",
                words,
            ));
            continue;
        };
        let mut view = of_manifest(lines, lines.text, found);
        view.text = words.as_str().into();
        if let Message::UnknownKind { kind, .. } = &found.message {
            let names = Kind::ALL.iter().map(|kind| kind.name());
            let near = manifest::suggest::nearest(kind, names);
            view.fixes = near
                .map(|name| fixes::replace(lines.text, found.span, name))
                .into_iter()
                .collect();
        }
        items.push(view);
    }
}

/// What kubectl cannot decode, at the value of the wrong type.
fn of_decoding(lines: &Lines<'_>, documents: &[Document], words: &str) -> Option<DiagnosticView> {
    let status = Status::bad_request(words);
    let (document, found) = documents.iter().find_map(|document| {
        let found = manifest::explain(document, &status).into_iter();
        let mut placed = found.filter(|found| !found.path.is_empty());
        placed.next().map(|found| (document, found))
    })?;
    let mut view = at_span(
        lines,
        found.span,
        Severity::Error,
        ComponentKind::Client,
        "diagnostic.client",
        words,
    );
    view.fixes = fixes::more(lines.text, document, &found).into();
    Some(view)
}

/// A warning of the server, at the field that it names if it names one.
#[inline(never)]
fn of_warning(
    lines: &Lines<'_>,
    documents: &[Document],
    words: &str,
    items: &mut Vec<DiagnosticView>,
) {
    let named = documents
        .iter()
        .map(|document| manifest::explain_warning(document, words))
        .find(|found| !found.path.is_empty());
    let span = named.as_ref().map_or(Span::default(), |found| found.span);
    items.push(at_span(
        lines,
        span,
        Severity::Warning,
        ComponentKind::ApiServer,
        "diagnostic.warning",
        words,
    ));
}

/// Fields that are stored and do nothing here.
#[inline(never)]
fn without_effect(lines: &Lines<'_>, document: &Document, items: &mut Vec<DiagnosticView>) {
    let Some(kind) = document.object.kind() else {
        return;
    };
    for path in manifest::not_simulated(kind, &document.object) {
        let located = document.locate(&path);
        let span = located.key.unwrap_or(located.value);
        let found =
            manifest::Diagnostic::new(manifest::Severity::Info, span, Message::NotSimulated(path));
        items.push(of_manifest(lines, lines.text, &found));
    }
}

/// Parts of messages with the code of their explanation; the first that fits counts.
const WHY: &[(&str, &str)] = &[
    ("unknown field", "why.unknown-field"),
    ("duplicate field", "why.duplicate-key"),
    ("already set in map", "why.duplicate-key"),
    ("`selector` does not match", "why.selector"),
    ("must be less than or equal to", "why.limit"),
    ("immutable", "why.immutable"),
    ("Required value", "why.required"),
    ("Unsupported value", "why.unsupported"),
    ("Duplicate value", "why.duplicate"),
    ("Forbidden", "why.forbidden"),
    ("exceeded quota", "why.quota"),
    ("cannot unmarshal", "why.type"),
    ("quantities must match", "why.quantity"),
    ("parse quantity", "why.quantity"),
    ("namespaces", "why.namespace"),
    ("RFC 1123", "why.name"),
    ("Invalid value", "why.invalid"),
];

/// Code of the explanation of a finding.
fn why(heading: &str, words: &str) -> &'static str {
    match heading {
        "diagnostic.no-effect" => "why.no-effect",
        "diagnostic.yaml" => "why.yaml",
        "diagnostic.missing-type" => "why.missing-type",
        "diagnostic.unknown-kind" => "why.unknown-kind",
        "diagnostic.duplicate-key" => "why.duplicate-key",
        "diagnostic.refused" | "diagnostic.client" => WHY
            .iter()
            .find(|(part, _)| words.contains(part))
            .map_or("", |(_, code)| code),
        _ => "",
    }
}
