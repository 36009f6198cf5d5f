//! Text to documents. Never fails: what cannot be read becomes diagnostics.

use crate::diagnostic::{Diagnostic, Message};
use crate::document::Document;
use crate::reader::{self, MAX_DEPTH, Refusal};
use crate::span::Span;
use podscope_api::Object;
use std::borrow::Cow;
use std::rc::Rc;

/// Longer texts are refused as a whole.
pub const MAX_BYTES: usize = 1 << 20;
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
        // kubectl gives the last line a line break when it has none.
        let source = chunk.of(text);
        let source = if source.ends_with('\n') {
            Cow::Borrowed(source)
        } else {
            Cow::Owned(format!("{source}\n"))
        };
        match read(&source, chunk) {
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

/// Reads the first document of a chunk, whose text this is; `None` when there is none.
fn read(source: &str, chunk: Span) -> Result<Option<Document>, Box<Diagnostic>> {
    match reader::read(source, chunk) {
        Ok(None) => Ok(None),
        Ok(Some((nodes, root))) => {
            let span = nodes.get(root as usize).map_or(chunk, |n| n.span);
            Ok(Some(Document {
                object: Object::default(),
                span,
                source: chunk,
                duplicates: Vec::new(),
                nodes: Rc::new(nodes),
                root,
            }))
        }
        Err(Refusal::Syntax(words, span)) => {
            Err(Box::new(Diagnostic::error(span, Message::Yaml(words))))
        }
        Err(Refusal::TooDeep(span)) => {
            let message = Message::TooDeep {
                limit: MAX_DEPTH as u32,
            };
            Err(Box::new(Diagnostic::error(span, message)))
        }
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
