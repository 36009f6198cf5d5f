//! Text to documents. Never fails: what cannot be read becomes diagnostics.

use crate::diagnostic::{Diagnostic, Message};
use crate::document::{Content, Document, Node, NodeId};
use crate::go_error;
use crate::scalar;
use crate::span::Span;
use podscope_api::{Object, Value};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Longer texts are refused as a whole.
pub const MAX_BYTES: usize = 1 << 20;
/// Documents with more levels are refused.
pub const MAX_DEPTH: usize = 100;
/// Texts with more documents are read up to this one.
pub const MAX_DOCUMENTS: usize = 1000;

/// Reads all documents of a manifest.
pub fn parse(text: &str) -> (Vec<Document>, Vec<Diagnostic>) {
    let mut documents = Vec::new();
    let mut diagnostics = Vec::new();
    if text.len() > MAX_BYTES {
        let span = Span {
            start: 0,
            end: text.len() as u32,
            line: 1,
            column: 1,
        };
        let message = Message::TooLarge {
            bytes: text.len() as u32,
            limit: MAX_BYTES as u32,
        };
        diagnostics.push(Diagnostic::error(span, message));
        return (documents, diagnostics);
    }
    for (count, chunk) in chunks(text).into_iter().enumerate() {
        if count >= MAX_DOCUMENTS {
            let message = Message::TooManyDocuments {
                limit: MAX_DOCUMENTS as u32,
            };
            diagnostics.push(Diagnostic::error(chunk, message));
            break;
        }
        match read(text, chunk) {
            Ok(None) => {}
            Ok(Some(mut document)) => {
                if let Err(failure) = document.build() {
                    let span = document.node(failure.node).map_or(chunk, |n| n.span);
                    let message = Message::Yaml(failure.words(span.of(text)));
                    diagnostics.push(Diagnostic::error(span, message));
                }
                for (key, _) in &document.duplicates {
                    let span = document.node(*key).map_or(chunk, |n| n.span);
                    let message = Message::DuplicateKey(document.key_text(*key));
                    diagnostics.push(Diagnostic::warning(span, message));
                }
                documents.push(document);
            }
            Err(diagnostic) => diagnostics.push(*diagnostic),
        }
    }
    (documents, diagnostics)
}

/// Reads the first document of a text as one request's body, separators and all.
///
/// # Errors
/// The first thing wrong with it.
pub fn first(text: &str) -> Result<Option<Document>, Box<Diagnostic>> {
    let whole = Span {
        start: 0,
        end: text.len() as u32,
        line: 1,
        column: 1,
    };
    if text.len() > MAX_BYTES {
        let message = Message::TooLarge {
            bytes: text.len() as u32,
            limit: MAX_BYTES as u32,
        };
        return Err(Box::new(Diagnostic::error(whole, message)));
    }
    let Some(mut document) = read(text, whole)? else {
        return Ok(None);
    };
    match document.build() {
        Ok(()) => Ok(Some(document)),
        Err(failure) => {
            let span = document.node(failure.node).map_or(whole, |n| n.span);
            let message = Message::Yaml(failure.words(span.of(text)));
            Err(Box::new(Diagnostic::error(span, message)))
        }
    }
}

/// The parts of the text between lines that begin with `---`, as kubectl cuts them. Parts without anything
/// but blanks and comments are left out.
pub fn chunks(text: &str) -> Vec<Span> {
    let mut chunks = Vec::new();
    let mut chunk = Span {
        start: 0,
        end: 0,
        line: 1,
        column: 1,
    };
    let mut has_content = false;
    let (mut offset, mut line_number) = (0, 1);
    for line in text.split_inclusive('\n') {
        let next = offset + line.len() as u32;
        line_number += 1;
        if is_separator(line) {
            if has_content {
                chunks.push(chunk);
            }
            has_content = false;
            chunk = Span {
                start: next,
                end: next,
                line: line_number,
                column: 1,
            };
        } else {
            let content = line.trim();
            has_content |= !content.is_empty() && !content.starts_with('#');
            chunk.end = next;
        }
        offset = next;
    }
    if has_content {
        chunks.push(chunk);
    }
    chunks
}

fn is_separator(line: &str) -> bool {
    line.strip_prefix("---").is_some_and(|rest| {
        let rest = rest.trim();
        rest.is_empty() || rest.starts_with('#')
    })
}

/// A chunk as the reader gets it, and how its places (in characters) map to those of the whole text.
struct Places<'t> {
    text: &'t str,
    chunk: Span,
    /// Byte offset in the chunk of every character that the reader gets; empty when both are the same.
    offsets: Vec<u32>,
    /// The chunk with more spaces before the lines of some quoted scalars.
    padded: Option<String>,
}

/// More than the deepest column that a quoted scalar of a sensible manifest begins at.
const PADDING: usize = 200;

impl<'t> Places<'t> {
    fn new(text: &'t str, chunk: Span) -> Places<'t> {
        let source = chunk.of(text);
        let offsets = if source.is_ascii() {
            Vec::new()
        } else {
            source.char_indices().map(|(i, _)| i as u32).collect()
        };
        Places {
            text,
            chunk,
            offsets,
            padded: None,
        }
    }

    fn source(&self) -> &str {
        match &self.padded {
            Some(padded) => padded,
            None => self.chunk.of(self.text),
        }
    }

    /// Indents the lines of the quoted scalars that begin at these characters. Go's reader takes them at any
    /// column; the spaces before a line of a quoted scalar do not count.
    fn pad(&mut self, starts: &[usize]) {
        let source = self.chunk.of(self.text);
        let mut padded = String::with_capacity(source.len());
        let mut offsets = Vec::with_capacity(source.len());
        let mut quote: Option<char> = None;
        let mut escaped = false;
        let mut spaces = 0;
        for (count, (offset, c)) in source.char_indices().enumerate() {
            padded.push(c);
            offsets.push(offset as u32);
            match quote {
                None => quote = starts.contains(&(count + spaces)).then_some(c),
                Some('"') if escaped => escaped = false,
                Some('"') if c == '\\' => escaped = true,
                Some(open) if open == c => quote = None,
                Some(_) => {}
            }
            if c == '\n' && quote.is_some() {
                padded.extend(std::iter::repeat_n(' ', PADDING));
                offsets.extend(std::iter::repeat_n(offset as u32 + 1, PADDING));
                spaces += PADDING;
            }
        }
        self.padded = Some(padded);
        self.offsets = offsets;
    }

    fn byte(&self, index: usize) -> u32 {
        let length = self.chunk.end - self.chunk.start;
        let offset = if self.offsets.is_empty() {
            index as u32
        } else {
            self.offsets.get(index).copied().unwrap_or(length)
        };
        self.chunk.start + offset.min(length)
    }

    fn span(&self, start: &Marker, end: &Marker) -> Span {
        let first = self.byte(start.index());
        let column = if self.padded.is_none() {
            start.col()
        } else {
            let before = self.text.get(..first as usize).unwrap_or("");
            before.chars().rev().take_while(|c| *c != '\n').count()
        };
        Span {
            start: first,
            end: self.byte(end.index()).max(first),
            line: self.chunk.line + (start.line() as u32).saturating_sub(1),
            column: column as u32 + 1,
        }
    }
}

/// A collection that is being read.
struct Open {
    id: NodeId,
    is_map: bool,
    children: Vec<NodeId>,
    is_flow: bool,
}

/// Reads the first document of a chunk; `None` when there is none.
fn read(text: &str, chunk: Span) -> Result<Option<Document>, Box<Diagnostic>> {
    let mut places = Places::new(text, chunk);
    // Go's reader is the judge; this one only tells the places.
    let mut refusal = go_error::message(chunk.of(text));
    let mut starts = Vec::new();
    loop {
        let error = match read_nodes(&places) {
            Ok(_) if refusal.is_some() => None,
            Ok(document) => return Ok(document),
            Err(Failed::Limit(diagnostic)) => return Err(diagnostic),
            Err(Failed::Syntax(error)) => Some(error),
        };
        let at = error.as_ref().map(ScanError::marker);
        let message = match (refusal.take(), &error) {
            (Some(message), _) => message,
            (None, None) => String::new(),
            (None, Some(error)) => {
                let start = error.marker().index();
                let is_quoted = error.info() == "invalid indentation in quoted scalar";
                if is_quoted && !starts.contains(&start) && starts.len() < MAX_PADDED {
                    starts.push(start);
                    places.pad(&starts);
                    continue;
                }
                format!("yaml: line {}: {}", error.marker().line(), error.info())
            }
        };
        let span = match at {
            Some(at) => places.span(at, at),
            None => {
                let line =
                    go_line(&message).map_or(chunk.line, |l| chunk.line + l.saturating_sub(1));
                line_span(text, chunk, line)
            }
        };
        return Err(Box::new(Diagnostic::error(span, Message::Yaml(message))));
    }
}

/// How many quoted scalars of a document may need padding.
const MAX_PADDED: usize = 50;

/// Why a document could not be read.
enum Failed {
    Syntax(ScanError),
    Limit(Box<Diagnostic>),
}

fn read_nodes(places: &Places<'_>) -> Result<Option<Document>, Failed> {
    let (text, chunk) = (places.text, places.chunk);
    let mut parser = Parser::new_from_str(places.source());
    let mut nodes: Vec<Node> = Vec::new();
    let mut stack: Vec<Open> = Vec::new();
    let mut anchors: BTreeMap<usize, NodeId> = BTreeMap::new();
    let mut root: Option<NodeId> = None;
    while let Some(event) = parser.next_event() {
        let (event, place) = event.map_err(Failed::Syntax)?;
        let span = places.span(&place.start, &place.end);
        let mut finished = None;
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                let value = scalar_value(&value, style, tag.as_deref());
                let is_plain = style == ScalarStyle::Plain;
                let span = trimmed(text, span, style);
                finished = Some(push(&mut nodes, span, Content::Scalar(value, is_plain)));
                remember(&mut anchors, anchor, finished);
            }
            Event::Alias(anchor) => {
                let target = anchors.get(&anchor).copied().unwrap_or(NodeId::MAX);
                finished = Some(push(&mut nodes, span, Content::Alias(target)));
            }
            Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) => {
                let is_map = matches!(event, Event::MappingStart(..));
                if stack.len() >= MAX_DEPTH {
                    let message = Message::TooDeep {
                        limit: MAX_DEPTH as u32,
                    };
                    return Err(Failed::Limit(Box::new(Diagnostic::error(span, message))));
                }
                let id = push(&mut nodes, span, Content::List(Vec::new()));
                remember(&mut anchors, anchor, Some(id));
                stack.push(Open {
                    id,
                    is_map,
                    children: Vec::new(),
                    is_flow: span.of(text).starts_with(['{', '[']),
                });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                finished = stack.pop().map(|open| close(text, open, span, &mut nodes));
            }
            Event::DocumentEnd | Event::StreamEnd => break,
            _ => {}
        }
        if let Some(id) = finished {
            match stack.last_mut() {
                Some(open) => open.children.push(id),
                None => root = root.or(Some(id)),
            }
        }
    }
    Ok(root.map(|root| {
        let span = nodes.get(root as usize).map_or(chunk, |n| n.span);
        Document {
            object: Object::default(),
            span,
            source: chunk,
            duplicates: Vec::new(),
            nodes: Rc::new(nodes),
            root,
        }
    }))
}

fn push(nodes: &mut Vec<Node>, span: Span, content: Content) -> NodeId {
    nodes.push(Node { span, content });
    nodes.len() as NodeId - 1
}

fn remember(anchors: &mut BTreeMap<usize, NodeId>, anchor: usize, id: Option<NodeId>) {
    if anchor > 0
        && let Some(id) = id
    {
        anchors.insert(anchor, id);
    }
}

fn close(text: &str, open: Open, end: Span, nodes: &mut [Node]) -> NodeId {
    let span_of = |id: Option<&NodeId>| id.and_then(|id| nodes.get(*id as usize)).map(|n| n.span);
    let (first, last) = (
        span_of(open.children.first()),
        span_of(open.children.last()),
    );
    if let Some(node) = nodes.get_mut(open.id as usize) {
        if open.is_flow {
            node.span = node.span.to(end);
        } else {
            if let Some(first) = first {
                node.span = if open.is_map {
                    first
                } else {
                    from_dash(text, first)
                };
            }
            if let Some(last) = last {
                node.span = node.span.to(last);
            }
        }
        node.content = if open.is_map {
            let pairs = open.children.chunks_exact(2);
            let pairs = pairs.filter_map(|pair| match pair {
                [key, value] => Some((*key, *value)),
                _ => None,
            });
            Content::Map(pairs.collect())
        } else {
            Content::List(open.children)
        };
    }
    open.id
}

/// A list item's range from its `-` on.
fn from_dash(text: &str, item: Span) -> Span {
    let before = text.get(..item.start as usize).unwrap_or("");
    let mut head = before.trim_end();
    // An anchor or a tag may stand between.
    while let Some((rest, word)) = head.rsplit_once([' ', '\n'])
        && word.starts_with(['&', '!'])
    {
        head = rest.trim_end();
    }
    if !head.ends_with('-') {
        return item;
    }
    let dash = head.len() - 1;
    let line_start = head.rfind('\n').map_or(0, |i| i + 1);
    let lines = before.get(dash..).unwrap_or("").matches('\n').count();
    Span {
        start: dash as u32,
        line: item.line.saturating_sub(lines as u32),
        column: head.get(line_start..dash).map_or(0, |l| l.chars().count()) as u32 + 1,
        ..item
    }
}

/// A scalar without the blanks and comments after it, which the reader counts in.
fn trimmed(text: &str, span: Span, style: ScalarStyle) -> Span {
    let source = span.of(text);
    let length = match style {
        ScalarStyle::SingleQuoted => quoted_length(source, '\''),
        ScalarStyle::DoubleQuoted => quoted_length(source, '"'),
        ScalarStyle::Plain => {
            let comment = source.find(" #").or_else(|| source.find("\t#"));
            let end = comment.unwrap_or(source.len());
            source.get(..end).unwrap_or(source).trim_end().len()
        }
        _ => source.trim_end().len(),
    };
    Span {
        end: span.start + length as u32,
        ..span
    }
}

/// The length of a quoted scalar with its quotes.
fn quoted_length(source: &str, quote: char) -> usize {
    let mut chars = source.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && quote == '"' {
            chars.next();
        } else if c == quote {
            let doubled = quote == '\'' && chars.peek().is_some_and(|(_, next)| *next == quote);
            if !doubled {
                return at + 1;
            }
            chars.next();
        }
    }
    source.len()
}

fn scalar_value(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    let plain = style == ScalarStyle::Plain;
    match tag {
        None if plain => scalar::resolve(text),
        Some(tag) if tag.is_yaml_core_schema() => match tag.suffix.as_str() {
            "int" | "float" | "bool" | "null" => scalar::resolve(text),
            _ => Value::from(text),
        },
        _ => Value::from(text),
    }
}

/// The line that a message of Go's reader names.
fn go_line(message: &str) -> Option<u32> {
    let rest = message.strip_prefix("yaml: line ")?;
    rest.split(':').next()?.parse().ok()
}

/// A line of a chunk, without the blanks around it.
fn line_span(text: &str, chunk: Span, line: u32) -> Span {
    let mut start = chunk.start;
    for (number, content) in (chunk.line..).zip(chunk.of(text).split_inclusive('\n')) {
        if number == line {
            let indent = (content.len() - content.trim_start().len()) as u32;
            let width = content.trim().len() as u32;
            return Span {
                start: start + indent,
                end: start + indent + width,
                line,
                column: indent + 1,
            };
        }
        start += content.len() as u32;
    }
    Span {
        end: chunk.start,
        ..chunk
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(text: &str, path: &str) -> (Option<String>, String, bool) {
        let (documents, diagnostics) = parse(text);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        let document = documents.first().expect("a document");
        let located = document.locate(path);
        (
            located.key.map(|k| k.of(text).to_string()),
            located.value.of(text).to_string(),
            located.exact,
        )
    }

    const TEXT: &str = "# é\nkind: \"Pod\" # c\nmetadata:\n  labels: {a.b/c: x, 'd': y}\n  none:\n  plain: a b # c\nspec:\n  containers:\n  - name: ü\n    args:\n    - one\n    - |\n      two\n\n  - name: b\n  other: &o\n    k: 1\n  more: *o\n";

    #[test]
    fn every_node_has_its_place() {
        for (path, key, value) in [
            ("kind", "kind", "\"Pod\""),
            ("metadata.labels", "labels", "{a.b/c: x, 'd': y}"),
            ("metadata.labels[a.b/c]", "a.b/c", "x"),
            ("metadata.labels.a.b/c", "a.b/c", "x"),
            ("metadata.labels.d", "'d'", "y"),
            ("metadata.none", "none", ""),
            ("metadata.plain", "plain", "a b"),
            ("spec.containers[0].name", "name", "ü"),
            (
                "spec.containers[0].args",
                "args",
                "- one\n    - |\n      two",
            ),
            ("spec.more.k", "k", "1"),
        ] {
            let want = (Some(key.to_string()), value.to_string(), true);
            assert_eq!(spans(TEXT, path), want, "{path}");
        }
        let second = spans(TEXT, "spec.containers[1]");
        assert_eq!(second, (None, "name: b".to_string(), true));
        let missing = spans(TEXT, "spec.containers[1].image");
        assert_eq!(missing, (None, "name: b".to_string(), false));
        let (documents, _) = parse(TEXT);
        let name = documents
            .first()
            .map(|d| d.locate("spec.containers[0].name").value);
        assert_eq!(name.map(|n| (n.line, n.column)), Some((9, 11)));
    }

    #[test]
    fn documents_are_cut_as_kubectl_cuts_them() {
        let text =
            "# only a comment\n---\na: 1\n--- # next\n\n---\nb: 2\nb: 3\n---\nc: [\n---\nd: 4\n";
        let (documents, diagnostics) = parse(text);
        let objects: Vec<String> = documents
            .iter()
            .map(|d| podscope_api::json::to_string(&d.object))
            .collect();
        assert_eq!(objects, ["{\"a\":1}", "{\"b\":3}", "{\"d\":4}"]);
        let found: Vec<(&str, u32)> = diagnostics
            .iter()
            .map(|d| (d.message.code(), d.span.line))
            .collect();
        assert_eq!(found, [("duplicate-key", 8), ("yaml", 11)]);
    }

    #[test]
    fn lists_are_flattened() {
        let text =
            "apiVersion: v1\nkind: List\nitems:\n- kind: Pod\n  spec: {a: 1}\n- kind: Service\n";
        let (documents, _) = parse(text);
        let items: Vec<Document> = documents
            .into_iter()
            .flat_map(Document::flattened)
            .collect();
        assert_eq!(items.len(), 2);
        let place = items
            .first()
            .map(|i| i.locate("spec.a").value.of(text).to_string());
        assert_eq!(place.as_deref(), Some("1"));
    }

    #[test]
    fn quoted_lines_may_stand_at_any_column() {
        let text = "a:\n    b: '[\n  {\"x\": 1},\ny\n]'\n    c: d\n";
        let (documents, diagnostics) = parse(text);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        let document = documents.first().expect("a document");
        assert_eq!(
            document.object.at("a.b").as_str(),
            Some("[ {\"x\": 1}, y ]")
        );
        let c = document.locate("a.c");
        assert_eq!(
            (c.value.of(text), c.value.line, c.value.column),
            ("d", 6, 8)
        );
    }
}
