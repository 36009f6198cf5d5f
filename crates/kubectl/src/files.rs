//! Manifests from files: cut into documents, checked as kubectl does before it asks the server.
//!
//! Models: staging/src/k8s.io/cli-runtime/pkg/resource/visitor.go (v1.36)

use crate::ctx::Ctx;
use crate::fault::{Fault, Res};
use crate::flags::Flags;
use podscope_api::status::quote;
use podscope_api::{Kind, Object, Text, Timestamp, Value, json};
use podscope_manifest::{Message, parse};

/// An object as a file gives it, with its namespace filled in.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    pub kind: Kind,
    pub object: Object,
    /// The file's name.
    pub source: String,
}

/// Documents that have been read and found good: a command reads its files anew at each reply.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    documents: Vec<(Text, bool, Vec<Value>)>,
}

/// The most documents that are kept.
const MAX_KEPT: usize = 256;

impl Memory {
    fn document(&mut self, text: &str, source: &str, validate: bool) -> Res<Vec<Value>> {
        let known = self.documents.iter();
        let mut known = known.filter(|(t, checked, _)| *checked == validate && **t == *text);
        if let Some((_, _, values)) = known.next() {
            return Ok(values.clone());
        }
        let values = document(text, source, validate)?;
        if self.documents.len() < MAX_KEPT {
            self.documents.push((text.into(), validate, values.clone()));
        }
        Ok(values)
    }
}

/// The objects of all files of `--filename`, up to the first error in each file.
pub(crate) fn manifests(ctx: &mut Ctx<'_>, flags: &Flags) -> Res<Vec<Res<Manifest>>> {
    let mut found = Vec::new();
    let validate = !matches!(flags.str("validate"), "false" | "ignore");
    for name in flags.list("filename") {
        for (source, text) in read(ctx, name)? {
            let mut documents = Vec::new();
            for chunk in parse::chunks(text) {
                match ctx.memory.document(chunk.of(text), &source, validate) {
                    Ok(values) => documents.extend(values.into_iter().map(Ok)),
                    Err(fault) => {
                        documents.push(Err(fault));
                        break;
                    }
                }
            }
            for document in documents {
                let manifest = document
                    .and_then(|value| manifest(ctx, value, &source, flags.has("namespace")));
                let stop = manifest.is_err();
                found.push(manifest);
                if stop {
                    break;
                }
            }
        }
    }
    Ok(found)
}

/// The files that a name stands for: one, standard input, or those of a folder.
fn read<'a>(ctx: &Ctx<'a>, name: &str) -> Res<Vec<(String, &'a str)>> {
    let invocation = ctx.invocation;
    if name == "-" {
        return Ok(vec![("STDIN".into(), invocation.stdin.as_str())]);
    }
    let bare = name.trim_start_matches("./");
    let files = invocation.files.iter();
    if let Some((_, text)) = files.clone().find(|(n, _)| n == bare || n == name) {
        return Ok(vec![(name.to_string(), text.as_str())]);
    }
    let folder = match bare.trim_end_matches('/') {
        "." | "" => String::new(),
        folder => format!("{folder}/"),
    };
    let inside = files.filter(|(n, _)| {
        n.strip_prefix(folder.as_str())
            .is_some_and(|rest| !rest.contains('/'))
            && [".json", ".yaml", ".yml"].iter().any(|e| n.ends_with(e))
    });
    let mut inside: Vec<(String, &str)> = inside.map(|(n, t)| (n.clone(), t.as_str())).collect();
    podscope_api::sort::natural(&mut inside);
    if inside.is_empty() {
        return Err(Fault::Text(format!(
            "the path {} does not exist",
            quote(name)
        )));
    }
    Ok(inside)
}

/// A file's text, for commands that take single files.
pub(crate) fn text<'a>(ctx: &Ctx<'a>, name: &str) -> Res<&'a str> {
    let files = ctx.invocation.files.iter();
    files
        .map(|(n, text)| (n.as_str(), text.as_str()))
        .find(|(n, _)| *n == name.trim_start_matches("./"))
        .map(|(_, text)| text)
        .ok_or_else(|| Fault::Text(format!("error reading {name}: no such file or directory")))
}

/// One YAML document as a value, in kubectl's words when it cannot be read.
pub(crate) fn yaml(text: &str) -> Result<Value, String> {
    match parse::first(text) {
        Ok(document) => Ok(document.map_or(Value::Null, |d| d.object.0)),
        Err(diagnostic) => Err(match &diagnostic.message {
            Message::Yaml(words) => words.clone(),
            Message::TooDeep { .. } => "yaml: exceeded max depth".into(),
            _ => "yaml: the document is too large".into(),
        }),
    }
}

/// The objects of one document: itself, or the items of a list.
fn document(text: &str, source: &str, validate: bool) -> Res<Vec<Value>> {
    let parsing = |why: String| Fault::Text(format!("error parsing {source}: {why}"));
    // The reader drops a byte order mark and ends every line.
    let ended = format!("{}\n", text.trim_start_matches('\u{feff}'));
    let text = if text.ends_with('\n') && !text.starts_with('\u{feff}') {
        text
    } else {
        ended.as_str()
    };
    let value =
        yaml(text).map_err(|why| parsing(format!("error converting YAML to JSON: {why}")))?;
    if value.is_null() {
        return Ok(Vec::new());
    }
    if let Some(number) = not_json(&value) {
        let why = format!("error converting YAML to JSON: json: unsupported value: {number}");
        return Err(parsing(why));
    }
    if validate {
        check_type(&value).map_err(|why| {
            Fault::Text(format!(
                "error validating {}: error validating data: {why}; if you choose to ignore these errors, turn validation off with --validate=false",
                quote(source)
            ))
        })?;
    }
    check_metadata(&value)
        .map_err(|why| Fault::Text(format!("unable to decode {}: {why}", quote(source))))?;
    let kind = value.get("kind").str_or_empty();
    if kind.ends_with("List") && matches!(value.get("items"), Value::List(_)) {
        let mut items = Vec::new();
        for item in value.get("items").items() {
            let mut item = item.clone();
            if item.get("kind").is_null() {
                item.set("kind", kind.trim_end_matches("List"));
                item.set("apiVersion", value.get("apiVersion").clone());
            }
            items.push(item);
        }
        return Ok(items);
    }
    Ok(vec![value])
}

fn not_json(value: &Value) -> Option<&'static str> {
    match value {
        Value::Float(f) if f.0.is_nan() => Some("NaN"),
        Value::Float(f) if f.0 == f64::INFINITY => Some("+Inf"),
        Value::Float(f) if f.0 == f64::NEG_INFINITY => Some("-Inf"),
        Value::List(items) => items.iter().find_map(not_json),
        Value::Map(map) => map.entries().iter().find_map(|(_, v)| not_json(v)),
        _ => None,
    }
}

fn check_type(value: &Value) -> Result<(), String> {
    let Value::Map(map) = value else {
        return Err("invalid object to validate".into());
    };
    let mut wrong: Vec<String> = Vec::new();
    for field in ["apiVersion", "kind"] {
        match map.get(field) {
            None | Some(Value::Null) => wrong.push(format!("{field} not set")),
            Some(Value::Str(_)) => {}
            Some(_) => wrong.push(format!("{field} isn't string type")),
        }
    }
    match wrong.as_slice() {
        [] => Ok(()),
        [one] => Err(one.clone()),
        _ => Err(format!("[{}]", wrong.join(", "))),
    }
}

/// The JSON type's name in Go's decoding errors.
fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "bool",
        Value::Int(_) | Value::Float(_) => "number",
        Value::Str(_) => "string",
        Value::List(_) => "array",
        _ => "object",
    }
}

fn check_metadata(value: &Value) -> Result<(), String> {
    let text = |v: &Value| matches!(v, Value::Str(_) | Value::Null);
    if value.get("kind").str_or_empty().is_empty() {
        return Err(format!(
            "Object 'Kind' is missing in '{}'",
            json::to_string(value)
        ));
    }
    let meta = value.get("metadata");
    let cannot = |v: &Value, place: &str, wanted: &str| {
        let found = json_type(v);
        Err(format!(
            "json: cannot unmarshal {found} into Go struct field {place} of type {wanted}"
        ))
    };
    if !matches!(meta, Value::Map(_) | Value::Null) {
        return cannot(meta, "metadataOnlyObject.metadata", "v1.ObjectMeta");
    }
    for (key, field) in meta.entries() {
        let place = format!("ObjectMeta.metadata.{key}");
        match key.as_ref() {
            "labels" | "annotations" => {
                if !matches!(field, Value::Map(_) | Value::Null) {
                    return cannot(field, &place, "map[string]string");
                }
                if let Some((_, bad)) = field.entries().iter().find(|(_, v)| !text(v)) {
                    return cannot(bad, &place, "string");
                }
            }
            "name" | "namespace" | "generateName" if !text(field) => {
                return cannot(field, &place, "string");
            }
            "creationTimestamp" => {
                if let Some(time) = field.as_str().filter(|t| Timestamp::parse(t).is_none()) {
                    let shown = quote(time);
                    return Err(format!(
                        "parsing time {shown} as \"2006-01-02T15:04:05Z07:00\": cannot parse {shown} as \"2006\""
                    ));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Finds the kind and fills in the namespace.
fn manifest(ctx: &Ctx<'_>, value: Value, source: &str, enforce: bool) -> Res<Manifest> {
    let mut object = Object(value);
    let Some(kind) = object.kind() else {
        let (version, kind) = (object.get("apiVersion"), object.get("kind"));
        return Err(Fault::Text(format!(
            "resource mapping not found for name: {} namespace: {} from {}: no matches for kind {} in version {}\nensure CRDs are installed first",
            quote(object.name()),
            quote(object.namespace()),
            quote(source),
            quote(kind.str_or_empty()),
            quote(version.str_or_empty())
        )));
    };
    if kind.namespaced() {
        let own = object.namespace().to_string();
        if own.is_empty() {
            object.set("metadata.namespace", ctx.namespace.as_str());
        } else if enforce && own != ctx.namespace {
            return Err(Fault::Text(format!(
                "the namespace from the provided object {} does not match the namespace {}. You must pass '--namespace={own}' to perform this operation.",
                quote(&own),
                quote(&ctx.namespace)
            )));
        }
    }
    Ok(Manifest {
        kind,
        object,
        source: source.to_string(),
    })
}
