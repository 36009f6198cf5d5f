//! Refusals of the API server, placed in the manifest's text.

use crate::diagnostic::{Diagnostic, Edit, Message, Severity};
use crate::document::{Content, Document, Located, Node, NodeId};
use crate::span::Span;
use crate::suggest::nearest;
use podscope_api::schema::{self, Shape, Struct, Type};
use podscope_api::{Cause, Kind, Quantity, Status, Text, Value};

/// What a refusal says about a document, one finding for each cause. What names no field is placed at the
/// document's beginning.
pub fn explain(document: &Document, status: &Status) -> Vec<Diagnostic> {
    if !status.causes.is_empty() {
        return status
            .causes
            .iter()
            .map(|c| of_cause(document, c))
            .collect();
    }
    if let Some((_, errors)) = status.message.split_once("strict decoding error: ") {
        return strict_errors(errors)
            .into_iter()
            .map(|error| of_strict_error(document, error, Severity::Error))
            .collect();
    }
    vec![of_message(document, &status.message)]
}

/// Warnings of the API server, placed in the text.
pub fn explain_warning(document: &Document, warning: &str) -> Diagnostic {
    of_strict_error(document, warning, Severity::Warning)
}

fn of_cause(document: &Document, cause: &Cause) -> Diagnostic {
    let located = document.locate(&cause.field);
    Diagnostic {
        path: cause.field.to_string(),
        fix: unsupported_value_fix(located.value, &cause.message),
        ..Diagnostic::error(
            spoken_of(document, &located, &cause.message),
            Message::Server(cause.message.clone()),
        )
    }
}

/// The token that the server's words about a field mean. What is missing or not allowed is the key, a bad
/// value the value; inside a map or list, the key, value or item that the words quote.
fn spoken_of(document: &Document, located: &Located, message: &str) -> Span {
    let collection = collection_at(located.value, document);
    match located.key {
        Some(key) if !located.exact || message.starts_with("Forbidden") => return key,
        None if !located.exact => return first_token(document, located.value),
        _ => {}
    }
    let Some(collection) = collection else {
        return located.value;
    };
    quoted(message)
        .and_then(|text| part_with(document, collection, &text))
        .or(located.key)
        .unwrap_or_else(|| first_token(document, located.value))
}

/// The text in quotes after `value: `.
fn quoted(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("value: \"")?;
    Some(rest.split('"').next().unwrap_or("").to_string())
}

/// The key, else the value or item, that reads so.
fn part_with(document: &Document, node: &Node, text: &str) -> Option<Span> {
    let scalar = |id: &NodeId| (document.key_text(*id) == text).then_some(*id);
    let found = match &node.content {
        Content::Map(entries) => {
            let keys = entries.iter().find_map(|(key, _)| scalar(key));
            keys.or_else(|| entries.iter().find_map(|(_, value)| scalar(value)))
        }
        Content::List(items) => items.iter().find_map(scalar),
        _ => None,
    };
    document.node(found?).map(|node| node.span)
}

fn collection_at(span: Span, document: &Document) -> Option<&Node> {
    document
        .nodes
        .iter()
        .find(|n| n.span == span && matches!(n.content, Content::Map(_) | Content::List(_)))
}

fn is_collection(span: Span, document: &Document) -> bool {
    collection_at(span, document).is_some()
}

/// The place itself; of a map or list only where it begins.
fn first_token(document: &Document, mut span: Span) -> Span {
    if span == document.span {
        span = document.node(document.root()).map_or(span, |n| n.span);
    }
    while let Some(node) = collection_at(span, document) {
        let first = match &node.content {
            Content::Map(entries) => entries.first().map(|(key, _)| *key),
            Content::List(items) => items.first().copied(),
            _ => None,
        };
        match first.and_then(|id| document.node(id)) {
            Some(first) if first.span != span => span = first.span,
            _ => break,
        }
    }
    span
}

/// `Unsupported value: "never": supported values: "Always", "OnFailure"`: the nearest supported one.
fn unsupported_value_fix(span: Span, message: &str) -> Option<Edit> {
    let rest = message.strip_prefix("Unsupported value: ")?;
    let (value, supported) = rest.split_once(": supported values: ")?;
    let unquoted = |s: &str| s.trim_matches('"').to_string();
    let supported: Vec<String> = supported.split(", ").map(unquoted).collect();
    let names = supported.iter().map(String::as_str);
    let text = nearest(&unquoted(value), names)?.to_string();
    Some(Edit { span, text })
}

/// The single errors of `unknown field "a", unknown field "b"`.
fn strict_errors(errors: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = errors;
    loop {
        // Each error ends with a quoted path; commas may stand within quotes.
        let end = rest.match_indices("\", ").map(|(i, _)| i + 1).find(|i| {
            let next = rest.get(i + 2..).unwrap_or("");
            next.starts_with("unknown field") || next.starts_with("duplicate field")
        });
        match end {
            Some(end) => {
                out.push(rest.get(..end).unwrap_or(""));
                rest = rest.get(end + 2..).unwrap_or("");
            }
            None => {
                out.push(rest);
                return out;
            }
        }
    }
}

fn of_strict_error(document: &Document, error: &str, severity: Severity) -> Diagnostic {
    let quoted = error
        .split_once('"')
        .and_then(|(_, rest)| rest.rsplit_once('"'));
    let path = quoted
        .map(|(path, _)| path.replace("\\\"", "\""))
        .unwrap_or_default();
    let is_field = error.starts_with("unknown field") || error.starts_with("duplicate field");
    let mut diagnostic = Diagnostic {
        path: if is_field {
            path.clone()
        } else {
            String::new()
        },
        ..Diagnostic::new(
            severity,
            first_token(document, document.span),
            Message::Server(Text::from(error)),
        )
    };
    if is_field {
        let located = document.locate(&path);
        diagnostic.span = located.key.unwrap_or(located.value);
        if located.exact && error.starts_with("unknown field") {
            diagnostic.fix = unknown_field_fix(document, &path, diagnostic.span);
        }
    } else if error.contains("already set in map")
        && let Some((key, value)) = document.duplicates.iter().find(|(_, value)| {
            let line = document.node(*value).map_or(0, |n| n.span.line);
            error.contains(&format!("line {}:", line + 1 - document.source.line))
        })
    {
        diagnostic.path = document.key_text(*key);
        let span = document.node(*key).or_else(|| document.node(*value));
        diagnostic.span = span.map_or(diagnostic.span, |n| n.span);
    } else if let Some((path, _)) = error.split_once(": ") {
        let located = document.locate(path);
        if located.exact {
            diagnostic.path = path.to_string();
            diagnostic.span = match located.key {
                Some(key) if is_collection(located.value, document) => key,
                _ => located.value,
            };
        }
    }
    diagnostic
}

/// The known field whose name is nearest to an unknown one.
fn unknown_field_fix(document: &Document, path: &str, key: Span) -> Option<Edit> {
    let kind = document.object.kind()?;
    let (parent, name) = match path.rsplit_once('.') {
        Some((parent, name)) => (field_names(parent), name),
        None => (Vec::new(), path),
    };
    let parts: Vec<&str> = parent.iter().map(String::as_str).collect();
    let siblings = document.locate(path.rsplit_once('.').map_or("", |(parent, _)| parent));
    let fields = schema::fields(kind, &parts);
    let names = fields.iter().map(|f| f.name);
    let text = nearest(name, names)?;
    // A field that is already there cannot be what was meant.
    let taken = document.nodes.iter().any(|n| match &n.content {
        Content::Map(entries) if n.span == siblings.value => {
            entries.iter().any(|(k, _)| document.key_text(*k) == text)
        }
        _ => false,
    });
    (!taken).then(|| Edit {
        span: key,
        text: text.to_string(),
    })
}

/// A path's field names, without indexes.
pub(crate) fn field_names(path: &str) -> Vec<String> {
    path.split('.')
        .map(|part| part.split('[').next().unwrap_or("").to_string())
        .filter(|part| !part.is_empty())
        .collect()
}

/// A refusal without causes: of a value of the wrong type, a bad quantity, a bad time.
fn of_message(document: &Document, message: &Text) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(
        first_token(document, document.span),
        Message::Server(message.clone()),
    );
    let found = if let Some((_, rest)) = message.split_once("json: cannot unmarshal ") {
        wrong_type(document, rest)
    } else if message.contains("quantities must match") || message.contains("parse quantity's") {
        find(document, Shape::Quantity, &|v| {
            !v.is_null() && Quantity::from_value(v).is_none()
        })
    } else if let Some((_, rest)) = message.split_once("parsing time \"") {
        let text = rest.split('"').next().unwrap_or("");
        find(document, Shape::Time, &|v| v.as_str() == Some(text))
            .or_else(|| find(document, Shape::MicroTime, &|v| v.as_str() == Some(text)))
    } else if message.contains("no kind \"") || message.contains("unknown conversion") {
        Some("kind".to_string())
    } else if message.contains("API version in the data") {
        Some("apiVersion".to_string())
    } else {
        None
    };
    if let Some(path) = found {
        diagnostic.span = document.locate(&path).value;
        diagnostic.path = path;
    }
    diagnostic
}

/// `string into Go struct field DeploymentSpec.spec.replicas of type int32`: the first such value.
fn wrong_type(document: &Document, rest: &str) -> Option<String> {
    let word = rest.split(' ').next()?;
    let (_, field) = rest.split_once("Go struct field ")?;
    let field = field.split(" of type ").next()?;
    // The struct's name stands first, names of inlined structs in between.
    let parts: Vec<&str> = field
        .split('.')
        .skip(1)
        .filter(|p| !p.is_empty() && !p.starts_with(|c: char| c.is_ascii_uppercase()))
        .collect();
    search(document, document.root(), &parts, word, String::new())
}

fn json_word(content: &Content) -> &'static str {
    match content {
        Content::List(_) => "array",
        Content::Map(_) => "object",
        Content::Scalar(Value::Str(_), _) => "string",
        Content::Scalar(Value::Bool(_), _) => "bool",
        Content::Scalar(Value::Int(_) | Value::Float(_), _) => "number",
        _ => "null",
    }
}

fn search(
    document: &Document,
    id: NodeId,
    parts: &[&str],
    word: &str,
    path: String,
) -> Option<String> {
    let node = document.node(id)?;
    let content = match &node.content {
        Content::Alias(target) => &document.node(*target)?.content,
        content => content,
    };
    if let (Some(name), Content::Map(entries)) = (parts.first(), content) {
        let rest = parts.get(1..).unwrap_or(&[]);
        let (_, value) = entries
            .iter()
            .rev()
            .find(|(k, _)| document.key_text(*k) == *name)?;
        return search(document, *value, rest, word, join(&path, name));
    }
    if parts.is_empty() && json_word(content) == word {
        return Some(path);
    }
    match content {
        Content::List(items) => items
            .iter()
            .enumerate()
            .find_map(|(i, item)| search(document, *item, parts, word, format!("{path}[{i}]"))),
        Content::Map(entries) => entries.iter().find_map(|(key, value)| {
            let key = format!("{path}[{}]", document.key_text(*key));
            search(document, *value, parts, word, key)
        }),
        _ => None,
    }
}

pub(crate) fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_string()
    } else {
        format!("{path}.{name}")
    }
}

/// The path of the first value of a shape that a test picks.
fn find(document: &Document, shape: Shape, test: &dyn Fn(&Value) -> bool) -> Option<String> {
    let kind: Kind = document.object.kind()?;
    find_in_struct(schema::of(kind), &document.object, shape, test, "")
}

fn find_in_struct(
    target: Struct,
    value: &Value,
    shape: Shape,
    test: &dyn Fn(&Value) -> bool,
    path: &str,
) -> Option<String> {
    value.entries().iter().find_map(|(key, value)| {
        let field = target.field(key)?;
        find_in_type(field.ty, value, shape, test, &join(path, key))
    })
}

fn find_in_type(
    ty: Type,
    value: &Value,
    shape: Shape,
    test: &dyn Fn(&Value) -> bool,
    path: &str,
) -> Option<String> {
    match ty.shape() {
        Shape::List(item) => {
            value.items().iter().enumerate().find_map(|(i, value)| {
                find_in_type(item, value, shape, test, &format!("{path}[{i}]"))
            })
        }
        Shape::Map(item) => value.entries().iter().find_map(|(key, value)| {
            find_in_type(item, value, shape, test, &format!("{path}[{key}]"))
        }),
        Shape::Struct(inner) => find_in_struct(inner, value, shape, test, path),
        own => (own == shape && test(value)).then(|| path.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{parse, server};
    use podscope_api::request::FieldValidation;

    const TEXT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  labels:\n    a.b/c: x\nspec:\n  replica: 3\n  template:\n    spec:\n      containers:\n      - name: c\n        image: 5\n        resources:\n          limits: {cpu: x}\n";

    fn shown(text: &str, status: &Status) -> Vec<(String, u32, String, Option<String>)> {
        let (documents, _) = parse(text);
        let document = documents.first().expect("a document");
        let row = |d: Diagnostic| {
            (
                d.path,
                d.span.line,
                d.span.of(text).to_string(),
                d.fix.map(|f| f.text),
            )
        };
        explain(document, status).into_iter().map(row).collect()
    }

    fn refusal(text: &str) -> Status {
        server::decode(Kind::Deployment, text.as_bytes(), FieldValidation::Strict)
            .expect_err("refused")
    }

    #[test]
    fn unknown_fields_wrong_types_and_quantities_are_found() {
        let status = refusal(TEXT);
        let at = |path: &str, line, text: &str, fix: Option<&str>| {
            vec![(
                path.to_string(),
                line,
                text.to_string(),
                fix.map(String::from),
            )]
        };
        assert_eq!(
            shown(TEXT, &status),
            at(
                "spec.template.spec.containers[0].resources.limits[cpu]",
                15,
                "x",
                None
            )
        );
        let text = TEXT.replace("cpu: x", "cpu: 1");
        assert_eq!(
            shown(&text, &refusal(&text)),
            at("spec.template.spec.containers[0].image", 13, "5", None)
        );
        let text = text.replace("image: 5", "image: nginx");
        assert_eq!(
            shown(&text, &refusal(&text)),
            at("spec.replica", 8, "replica", Some("replicas"))
        );
    }

    #[test]
    fn causes_are_placed_at_values_keys_or_the_nearest_parent() {
        let cause = |field: &str, message: &str| Cause {
            reason: "FieldValueInvalid".into(),
            message: message.into(),
            field: field.into(),
        };
        let causes = vec![
            cause(
                "spec.template.spec.containers[0].name",
                "Invalid value: \"c\"",
            ),
            cause("spec.selector", "Required value"),
            cause("metadata.labels[a.b/c]", "Invalid value"),
            cause("metadata.labels", "Invalid value"),
            cause(
                "spec.template.spec.containers[0].image",
                "Unsupported value: \"5\": supported values: \"6\", \"long\"",
            ),
        ];
        let status = Status::invalid("apps", "Deployment", "web", causes);
        let got = shown(TEXT, &status);
        let lines: Vec<(u32, &str)> = got.iter().map(|g| (g.1, g.2.as_str())).collect();
        assert_eq!(
            lines,
            [(12, "c"), (7, "spec"), (6, "x"), (5, "labels"), (13, "5")]
        );
        assert_eq!(got.last().and_then(|g| g.3.as_deref()), Some("6"));
    }

    #[test]
    fn the_words_point_at_the_very_token() {
        let text = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  labels:\n    a: x\n    -b: 'y z'\nspec:\n  containers:\n  - name: c\n    args: [one, two]\n  - image: d\n";
        let place = |field: &str, message: &str| {
            let cause = Cause {
                reason: "FieldValueInvalid".into(),
                message: message.into(),
                field: field.into(),
            };
            let status = Status::invalid("", "Pod", "p", vec![cause]);
            let got = shown(text, &status);
            got.into_iter().map(|g| (g.1, g.2)).next().expect("one")
        };
        for (field, message, line, token) in [
            (
                "metadata.labels",
                "Invalid value: \"-b\": name part must",
                7,
                "-b",
            ),
            (
                "metadata.labels",
                "Invalid value: \"y z\": a valid label",
                7,
                "'y z'",
            ),
            (
                "spec.containers[0].args",
                "Invalid value: \"two\": no",
                11,
                "two",
            ),
            (
                "spec.containers[0].args[1]",
                "Invalid value: \"two\": no",
                11,
                "two",
            ),
            ("spec.containers[1].name", "Required value", 12, "image"),
            ("spec.containers[1]", "Invalid value: {}: no", 12, "image"),
            (
                "spec.containers[0].name",
                "Forbidden: may not be set",
                10,
                "name",
            ),
        ] {
            assert_eq!(
                place(field, message),
                (line, token.to_string()),
                "{field} {message}"
            );
        }
    }

    #[test]
    fn refusals_without_a_field_stand_at_the_beginning() {
        let status = Status::forbidden("", "pods", "p", "no");
        assert_eq!(
            shown(TEXT, &status),
            [(String::new(), 1, "apiVersion".to_string(), None)]
        );
    }
}
