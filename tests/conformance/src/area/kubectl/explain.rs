//! Tables of the published schema: what `kubectl explain` shows, and every field of twenty kinds.
//!
//! Left out: of `ref` only the type's name is compared; the table of fields has no package names.

use super::super::Outcome;
use super::server::Server;
use super::{invocation, placeholder_time};
use podscope_api::schema::{self, Field, PatchStrategy, Shape, Topology, Type};
use podscope_api::{Kind, Value, json};

/// Compares the lines that the recording keeps: those of the head and of the fields.
pub fn explained(case: &Value) -> Outcome {
    let ended = Server::new(Vec::new()).run(&invocation(case), "default", placeholder_time());
    let kept = |line: &&str| {
        let head = ["GROUP:", "KIND:", "VERSION:", "FIELD:", "FIELDS:", "ENUM:"];
        head.iter().any(|h| line.starts_with(h))
            || line.starts_with("  ") && (line.contains("\t<") || line.starts_with("    enum:"))
    };
    let lines = |text: &str| text.lines().filter(kept).collect::<Vec<_>>().join("\n");
    let got = lines(&ended.stdout);
    let want = case.get("stdout_short").str_or_empty();
    if got != want {
        return Outcome::Fail(format!("\nwant {want}\n got {got}"));
    }
    let code = case.get("rc").as_int().unwrap_or(0);
    Outcome::equal(
        (ended.stderr.as_str(), i64::from(ended.exit_code)),
        (case.get("stderr").str_or_empty(), code),
    )
}

/// The type as the published schema names it.
fn label(ty: Type) -> String {
    match ty.shape() {
        Shape::List(item) => format!("[]{}", label(item)),
        Shape::Map(item) => format!("map[string]{}", label(item)),
        Shape::Bytes => "string".into(),
        _ => ty.label(),
    }
}

/// `schema_type` and `format`.
fn published_type(ty: Type) -> (&'static str, &'static str) {
    match ty.shape() {
        Shape::String | Shape::Duration => ("string", ""),
        Shape::Bytes => ("string", "byte"),
        Shape::Time | Shape::MicroTime => ("string", "date-time"),
        Shape::Bool => ("boolean", ""),
        Shape::Int32 => ("integer", "int32"),
        Shape::Int64 => ("integer", "int64"),
        Shape::IntOrString => ("", "int-or-string"),
        Shape::Quantity => ("", ""),
        Shape::List(_) => ("array", ""),
        Shape::Map(_) | Shape::Struct(_) | Shape::Any | Shape::FieldSet => ("object", ""),
    }
}

/// The name that a `ref` ends with; types of Go itself have none.
fn referred(ty: Type) -> String {
    match ty.shape() {
        Shape::List(item) | Shape::Map(item) => referred(item),
        Shape::Quantity
        | Shape::IntOrString
        | Shape::Time
        | Shape::MicroTime
        | Shape::FieldSet
        | Shape::Any
        | Shape::Struct(_) => ty.label(),
        _ => String::new(),
    }
}

/// What the table says of a field, under the names of the recording.
fn described(field: &Field) -> Value {
    let mut row = Value::map();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() && value.as_str() != Some("") {
            row.set(name, value);
        }
    };
    let (schema_type, format) = published_type(field.ty);
    put("type", label(field.ty).into());
    put("required", Value::Bool(field.required));
    put("schema_type", schema_type.into());
    put("format", format.into());
    put("ref", referred(field.ty).into());
    let item = match field.ty.shape() {
        Shape::List(item) | Shape::Map(item) => item,
        _ => field.ty,
    };
    let mut values: Vec<&str> = item.values().collect();
    values.sort_unstable();
    if !values.is_empty() {
        put("enum", Value::list(values.into_iter().map(Value::from)));
    }
    let (list_type, keys) = match field.topology {
        Topology::Map(keys) => ("map", keys),
        Topology::Set => ("set", ""),
        Topology::Atomic => ("atomic", ""),
        Topology::Default => ("", ""),
    };
    if matches!(field.ty.shape(), Shape::List(_)) {
        put("x-kubernetes-list-type", list_type.into());
        let whole = matches!(item.shape(), Shape::Struct(s) if s.is_atomic());
        put(
            "x-kubernetes-map-type",
            if whole { "atomic" } else { "" }.into(),
        );
    } else {
        put("x-kubernetes-map-type", list_type.into());
    }
    if !keys.is_empty() {
        let keys = keys.split(',').map(Value::from);
        put("x-kubernetes-list-map-keys", Value::list(keys));
    }
    let (strategy, key) = match field.patch {
        PatchStrategy::Default => ("", ""),
        PatchStrategy::Replace => ("replace", ""),
        PatchStrategy::Merge(key) => ("merge", key),
        PatchStrategy::RetainKeys => ("retainKeys", ""),
        PatchStrategy::MergeRetainKeys(key) => ("merge,retainKeys", key),
    };
    put("x-kubernetes-patch-strategy", strategy.into());
    put("x-kubernetes-patch-merge-key", key.into());
    row
}

const COMPARED: &[&str] = &[
    "type",
    "required",
    "schema_type",
    "format",
    "ref",
    "enum",
    "default",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-patch-strategy",
    "x-kubernetes-patch-merge-key",
];

/// Compares what the table says of one field with what the server publishes.
pub fn published(case: &Value) -> Outcome {
    let text = |name: &str| case.get(name).str_or_empty();
    let api_version = match text("group") {
        "" => text("version").to_string(),
        group => format!("{group}/{}", text("version")),
    };
    let Some(kind) = Kind::from_api(&api_version, text("kind")) else {
        return Outcome::Skip("kind not modelled".into());
    };
    let clean = text("field").replace("[]", "").replace("{}", "");
    let path: Vec<&str> = clean.split('.').collect();
    let Some(field) = schema::field(kind, &path) else {
        return Outcome::Fail(format!("{kind} {clean}: not in the table"));
    };
    let mut got = described(&field);
    let default = field.published_default();
    if !default.is_null() {
        got.set("default", default);
    }
    let mut wrong = String::new();
    for name in COMPARED {
        let mut want = case.get(name).clone();
        match (*name, want.as_str()) {
            ("ref", Some(full)) => want = full.rsplit('.').next().unwrap_or(full).into(),
            // Said of maps that are granular anyway.
            ("x-kubernetes-map-type", Some("granular")) => want = Value::Null,
            _ => {}
        }
        if want != *got.get(name) {
            wrong.push_str(&format!(
                "\n{kind} {clean} {name}: want {}, got {}",
                json::to_string(&want),
                json::to_string(got.get(name))
            ));
        }
    }
    if wrong.is_empty() {
        Outcome::Pass
    } else {
        Outcome::Fail(wrong)
    }
}
