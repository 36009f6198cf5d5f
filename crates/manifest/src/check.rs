//! What can be said about a document without asking a server.

use crate::diagnostic::{Diagnostic, Message, Severity};
use crate::document::Document;
use crate::explain::explain;
use crate::not_simulated::not_simulated;
use crate::server::duplicate_keys;
use podscope_api::Kind;
use podscope_api::decode::{self, Source};
use podscope_api::request::FieldValidation;

/// Findings about one document: what strict decoding refuses, and fields that are not simulated.
/// Defaulting, validation and admission are the server's.
pub fn check(document: &Document) -> Vec<Diagnostic> {
    let object = &document.object;
    let text = |key: &str| object.get(key).as_str().filter(|s| !s.is_empty());
    let (api_version, name) = match (text("apiVersion"), text("kind")) {
        (Some(api_version), Some(name)) => (api_version, name),
        (api_version, _) => {
            let missing = if api_version.is_none() {
                "apiVersion"
            } else {
                "kind"
            };
            let located = document.locate(missing);
            let span = if located.exact {
                located.value
            } else {
                document.locate("kind").key.unwrap_or(located.value)
            };
            let mut found = Diagnostic::error(span, Message::MissingType(missing));
            found.path = missing.to_string();
            return vec![found];
        }
    };
    if name == "List" && api_version == "v1" {
        return Vec::new();
    }
    let Some(kind) = Kind::from_api(api_version, name) else {
        let message = Message::UnknownKind {
            api_version: api_version.to_string(),
            kind: name.to_string(),
        };
        let mut found = Diagnostic::error(document.locate("kind").value, message);
        found.path = "kind".to_string();
        return vec![found];
    };
    let source = Source {
        value: object.0.clone(),
        strict: duplicate_keys(document).into_iter().collect(),
        body: &[],
    };
    let mut found = match decode::decode(kind, &source, FieldValidation::Strict) {
        Ok(_) => Vec::new(),
        Err(status) => explain(document, &status),
    };
    for path in not_simulated(kind, object) {
        let located = document.locate(&path);
        let span = located.key.unwrap_or(located.value);
        found.push(Diagnostic {
            path: path.clone(),
            ..Diagnostic::new(Severity::Info, span, Message::NotSimulated(path))
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    fn shown(text: &str) -> Vec<(&'static str, u32, String)> {
        let (documents, _) = parse(text);
        let found = documents.iter().flat_map(check);
        found
            .map(|d| (d.message.code(), d.span.line, d.path))
            .collect()
    }

    #[test]
    fn findings_have_their_place() {
        assert_eq!(
            shown("kind: Pod\n"),
            [("missing-type", 1, "apiVersion".to_string())]
        );
        assert_eq!(
            shown("apiVersion: v1\nkind: Pdo\n"),
            [("unknown-kind", 2, "kind".to_string())]
        );
        assert_eq!(
            shown("apiVersion: v1\nkind: Pod\nspec:\n  hostIPC: true\n  nodename: x\n"),
            [
                ("server", 5, "spec.nodename".to_string()),
                ("not-simulated", 4, "spec.hostIPC".to_string()),
            ]
        );
        assert!(shown("apiVersion: v1\nkind: List\nitems: []\n").is_empty());
    }
}
