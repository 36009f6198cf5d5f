//! JSON values to the stored form of a kind, with the API server's words for what does not fit.
//!
//! Models: staging/src/k8s.io/apimachinery/pkg/runtime/serializer/json, sigs.k8s.io/json and
//! staging/src/k8s.io/apiserver/pkg/endpoints/handlers/{create,rest}.go (v1.36)
//!
//! The stored form is what a round trip through the Go types leaves: null and empty fields that are
//! marked `omitempty` are gone, fields without that mark are there, times and quantities are canonical.

use crate::duration;
use crate::kind::Kind;
use crate::object::Object;
use crate::quantity;
use crate::request::FieldValidation;
use crate::schema::{self, Field, Shape, Struct, Type};
use crate::status::{Status, quote};
use crate::time::Timestamp;
use crate::value::{Map, NULL, Text, Value};
use crate::{decode_time, json};

/// What is to be decoded.
#[derive(Clone, Debug, Default)]
pub struct Source<'a> {
    /// The body as read, before any check.
    pub value: Value,
    /// What strict decoding finds in the text and not in the value, in the server's words: the message of
    /// the YAML reader for duplicate keys, `duplicate field "spec.replicas"` for JSON.
    pub strict: Vec<String>,
    /// The body's text, for messages that show its beginning; the value as JSON when empty.
    pub body: &'a [u8],
}

/// A decoded object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The object in its stored form, before defaulting.
    pub object: Object,
    /// Texts of `Warning` headers.
    pub warnings: Vec<Text>,
}

/// An empty list of policies is not a missing one: it gets no default.
fn keep_empty_policies(object: &mut Object, given: &Value) {
    for path in [
        "spec.behavior.scaleUp.policies",
        "spec.behavior.scaleDown.policies",
    ] {
        if matches!(given.at(path), Value::List(list) if list.is_empty()) {
            object.set(path, Value::list([]));
        }
    }
}

/// Decodes the body of a request for objects of a kind.
///
/// # Errors
/// `400 BadRequest` in the server's words.
pub fn decode(
    kind: Kind,
    source: &Source<'_>,
    validation: FieldValidation,
) -> Result<Decoded, Status> {
    decode_like(kind, source, validation, NULL)
}

/// [`decode`], when `known` is an object of the kind in its stored form, see [`normalize_like`].
///
/// # Errors
/// `400 BadRequest` in the server's words.
pub fn decode_like(
    kind: Kind,
    source: &Source<'_>,
    validation: FieldValidation,
    known: &Value,
) -> Result<Decoded, Status> {
    let (mut api_version, mut name) =
        interpret(&source.value).map_err(|e| unrecognized(kind, &e, source))?;
    if name.is_empty() {
        name = kind.name().to_string();
    }
    if api_version.is_empty() {
        api_version = kind.api_version();
    }
    let version = api_version.rsplit('/').next().unwrap_or("");
    let refused = |why: &str| {
        Status::bad_request(format!(
            "{name} in version {} cannot be handled as a {kind}: {why}",
            quote(version)
        ))
    };
    let Some(actual) = registered(&api_version, &name) else {
        return Err(refused(&format!(
            "no kind {} is registered for version {} in scheme \"pkg/api/legacyscheme/scheme.go:30\"",
            quote(&name),
            quote(&api_version)
        )));
    };
    let root = actual.map(schema::of).or_else(|| schema::named(&name));
    let outcome = match root {
        Some(root) => decode_struct_like(root, &source.value, known).map_err(|e| refused(&e))?,
        None => Outcome::default(),
    };
    let errors = strict_errors(&source.strict, outcome.unknown);
    if actual != Some(kind) {
        return Err(refused(&format!(
            "converting ({}.{name}) to ({}.{kind}): unknown conversion",
            version,
            internal_package(kind)
        )));
    }
    let mut warnings = Vec::new();
    if !errors.is_empty() {
        match validation {
            FieldValidation::Ignore => {}
            FieldValidation::Strict => {
                return Err(refused(&format!(
                    "strict decoding error: {}",
                    errors.join(", ")
                )));
            }
            FieldValidation::Warn => {
                for error in &errors {
                    let text = error
                        .strip_prefix("yaml: unmarshal errors:")
                        .unwrap_or(error);
                    let lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
                    warnings.extend(lines.map(Text::from));
                }
            }
        }
    }
    if api_version != kind.api_version() {
        return Err(Status::bad_request(format!(
            "the API version in the data ({api_version}) does not match the expected API version ({})",
            kind.api_version()
        )));
    }
    let mut object = Object(outcome.value);
    object
        .entry("apiVersion")
        .clone_from(&Value::from(kind.api_version()));
    object.entry("kind").clone_from(&Value::from(kind.name()));
    if kind == Kind::HorizontalPodAutoscaler {
        keep_empty_policies(&mut object, &source.value);
    }
    Ok(Decoded { object, warnings })
}

/// The refusal of a body that could not be read at all, such as one with a YAML error.
#[inline(never)]
pub fn unreadable(kind: Kind, why: &str, body: &[u8]) -> Status {
    Status::bad_request(format!(
        "the object provided is unrecognized (must be of type {kind}): {why} ({})",
        summary(body)
    ))
}

fn unrecognized(kind: Kind, why: &str, source: &Source<'_>) -> Status {
    if source.body.is_empty() {
        unreadable(kind, why, json::to_string(&source.value).as_bytes())
    } else {
        unreadable(kind, why, source.body)
    }
}

const SUMMARY_BYTES: usize = 30;

/// The beginning of a body: JSON as it is, anything else in hexadecimal.
fn summary(body: &[u8]) -> String {
    let head = body.get(..SUMMARY_BYTES).unwrap_or(body);
    let mut text = match body.first() {
        None => "<empty>".to_string(),
        Some(b'{') => String::from_utf8_lossy(head).into_owned(),
        Some(_) => head.iter().map(|b| format!("{b:02x}")).collect(),
    };
    if body.len() > SUMMARY_BYTES {
        text.push_str(" ...");
    }
    text
}

fn strict_errors(text: &[String], unknown: Vec<String>) -> Vec<String> {
    text.iter().cloned().chain(unknown).collect()
}

/// `apiVersion` and `kind` of a body; keys match in any case, as in Go's JSON reader.
fn interpret(value: &Value) -> Result<(String, String), String> {
    const PREFIX: &str = "couldn't get version/kind; json parse error: json: cannot unmarshal";
    let (mut api_version, mut kind) = (String::new(), String::new());
    let entries = match value {
        Value::Null => return Ok((api_version, kind)),
        Value::Map(map) => map.entries(),
        other => {
            return Err(format!(
                "{PREFIX} {} into Go value of type struct {{ APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }}",
                json_word(other)
            ));
        }
    };
    let mut error = None;
    for (key, value) in entries {
        let (place, field) = if key.eq_ignore_ascii_case("apiVersion") {
            (&mut api_version, "apiVersion")
        } else if key.eq_ignore_ascii_case("kind") {
            (&mut kind, "kind")
        } else {
            continue;
        };
        match value {
            Value::Str(text) => *place = text.to_string(),
            Value::Null => {}
            other => {
                error.get_or_insert_with(|| {
                    let word = json_word(other);
                    format!("{PREFIX} {word} into Go struct field .{field} of type string")
                });
            }
        }
    }
    if let Some(error) = error {
        return Err(error);
    }
    if api_version.bytes().filter(|b| *b == b'/').count() > 1 {
        return Err(format!("unexpected GroupVersion string: {api_version}"));
    }
    if api_version == "/" {
        api_version.clear();
    }
    Ok((api_version, kind))
}

/// Older versions that the server still knows of, as `(apiVersion, kind)`.
const OLD_VERSIONS: &[(&str, Kind)] = &[
    ("apps/v1beta1", Kind::Deployment),
    ("apps/v1beta1", Kind::StatefulSet),
    ("apps/v1beta1", Kind::ControllerRevision),
    ("apps/v1beta2", Kind::Deployment),
    ("apps/v1beta2", Kind::StatefulSet),
    ("apps/v1beta2", Kind::DaemonSet),
    ("apps/v1beta2", Kind::ReplicaSet),
    ("apps/v1beta2", Kind::ControllerRevision),
    ("extensions/v1beta1", Kind::Deployment),
    ("extensions/v1beta1", Kind::DaemonSet),
    ("extensions/v1beta1", Kind::ReplicaSet),
    ("extensions/v1beta1", Kind::Ingress),
    ("extensions/v1beta1", Kind::NetworkPolicy),
    ("batch/v1beta1", Kind::CronJob),
    ("autoscaling/v1", Kind::HorizontalPodAutoscaler),
    ("policy/v1beta1", Kind::PodDisruptionBudget),
    ("networking.k8s.io/v1beta1", Kind::Ingress),
    ("networking.k8s.io/v1beta1", Kind::IngressClass),
    ("discovery.k8s.io/v1beta1", Kind::EndpointSlice),
    ("coordination.k8s.io/v1beta1", Kind::Lease),
    ("scheduling.k8s.io/v1beta1", Kind::PriorityClass),
    ("scheduling.k8s.io/v1alpha1", Kind::PriorityClass),
    ("storage.k8s.io/v1beta1", Kind::StorageClass),
    ("node.k8s.io/v1beta1", Kind::RuntimeClass),
    ("node.k8s.io/v1alpha1", Kind::RuntimeClass),
    ("events.k8s.io/v1", Kind::Event),
    ("events.k8s.io/v1beta1", Kind::Event),
];

/// Kinds that the server can read but that are not resources of their own.
const OTHER_KINDS: &[(&str, &str)] = &[
    ("v1", "Binding"),
    ("v1", "List"),
    ("v1", "Status"),
    ("v1", "ComponentStatus"),
    ("v1", "PodStatusResult"),
    ("v1", "PodAttachOptions"),
    ("v1", "PodExecOptions"),
    ("v1", "PodLogOptions"),
    ("v1", "SerializedReference"),
    ("v1", "RangeAllocation"),
    ("autoscaling/v1", "Scale"),
    ("policy/v1", "Eviction"),
    ("authentication.k8s.io/v1", "TokenRequest"),
    ("authentication.k8s.io/v1", "TokenReview"),
];

/// Whether the server can read this kind: `Some(Some(kind))` for a resource, `Some(None)` for another.
fn registered(api_version: &str, name: &str) -> Option<Option<Kind>> {
    if let Some(kind) = Kind::from_api(api_version, name) {
        return Some(Some(kind));
    }
    let old = OLD_VERSIONS
        .iter()
        .find(|(version, kind)| *version == api_version && kind.name() == name);
    if let Some((_, kind)) = old {
        return Some(Some(*kind));
    }
    let is_list = name
        .strip_suffix("List")
        .is_some_and(|item| Kind::from_api(api_version, item).is_some());
    // Every group has these options.
    let is_option = Kind::ALL.iter().any(|k| k.api_version() == api_version)
        && [
            "CreateOptions",
            "DeleteOptions",
            "GetOptions",
            "ListOptions",
            "PatchOptions",
            "UpdateOptions",
            "WatchEvent",
        ]
        .contains(&name);
    (is_list || is_option || OTHER_KINDS.contains(&(api_version, name))).then_some(None)
}

/// The package of the server's internal types.
fn internal_package(kind: Kind) -> &'static str {
    match kind.group().split('.').next() {
        None | Some("") => "core",
        Some(group) => group,
    }
}

/// What decoding a struct gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The value in its stored form.
    pub value: Value,
    /// Strict errors, such as `unknown field "spec.replica"`.
    pub unknown: Vec<String>,
}

/// Decodes a value as a struct of the schema.
///
/// # Errors
/// The words of Go's JSON reader for the first value of a wrong type.
pub fn decode_struct(root: Struct, value: &Value) -> Result<Outcome, String> {
    decode_struct_like(root, value, NULL)
}

fn decode_struct_like(root: Struct, value: &Value, known: &Value) -> Result<Outcome, String> {
    let mut decoder = Decoder::default();
    let value = match value {
        Value::Map(map) => decoder.object(root, map, known)?,
        Value::Null => decoder.zero_struct(root),
        other => {
            let word = json_word(other);
            return Err(format!(
                "json: cannot unmarshal {word} into Go value of type {}",
                root.go_name()
            ));
        }
    };
    match decoder.error {
        Some(error) => Err(error),
        None => Ok(Outcome {
            value,
            unknown: decoder.unknown,
        }),
    }
}

/// The stored form of an object that fits its kind; unknown fields and values of a wrong type are dropped.
pub fn normalize(kind: Kind, value: &Value) -> Value {
    normalize_like(kind, value, NULL)
}

/// [`normalize`], when `known` is an object of the kind in its stored form: what the two share is taken
/// over as it is, and what comes out equal is shared.
pub fn normalize_like(kind: Kind, value: &Value, known: &Value) -> Value {
    match value {
        Value::Map(_) if value.is_shared_with(known) => known.clone(),
        Value::Map(map) => Decoder::default()
            .object(schema::of(kind), map, known)
            .unwrap_or_default(),
        _ => Value::Null,
    }
}

const MAX_STRICT_ERRORS: usize = 100;

/// The state of Go's JSON reader while it goes through a value.
#[derive(Default)]
struct Decoder {
    /// The first error; reading goes on.
    error: Option<String>,
    unknown: Vec<String>,
    /// The struct and field path that type errors name.
    context: Option<Struct>,
    fields: Vec<&'static str>,
    /// The path that strict errors name, with indexes and map keys.
    path: String,
}

/// What a value is called in error messages.
fn json_word(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Int(_) | Value::Float(_) => "number",
        Value::Str(_) => "string",
        Value::List(_) => "array",
        Value::Map(_) => "object",
    }
}

const TWO_POW_63: f64 = 9_223_372_036_854_775_808.0;

/// A number as it stands in JSON text.
fn literal(value: &Value) -> String {
    match value {
        Value::Int(i) => i.to_string(),
        // Up to 64 bits without sign, Go's YAML reader keeps the digits.
        Value::Float(f) if (TWO_POW_63..=2.0 * TWO_POW_63).contains(&f.0) => {
            (f.0 as u64).to_string()
        }
        Value::Float(f) => json::float_text(f.0),
        _ => String::new(),
    }
}

impl Decoder {
    #[inline(never)]
    fn type_error(&self, what: &str, go_type: &str) -> String {
        if self.fields.is_empty() {
            format!("json: cannot unmarshal {what} into Go value of type {go_type}")
        } else {
            format!(
                "json: cannot unmarshal {what} into Go struct field {}.{} of type {go_type}",
                self.context.map_or("", Struct::name),
                self.fields.join(".")
            )
        }
    }

    fn save(&mut self, error: String) {
        self.error.get_or_insert(error);
    }

    fn mismatch(&mut self, value: &Value, ty: Type) -> Value {
        let error = self.type_error(json_word(value), &ty.go_name());
        self.save(error);
        zero(ty)
    }

    fn unknown_field(&mut self, name: &str) {
        if self.unknown.len() >= MAX_STRICT_ERRORS {
            return;
        }
        let path = match self.path.as_str() {
            "" => name.to_string(),
            path => format!("{path}.{name}"),
        };
        let error = format!("unknown field {}", quote(&path));
        if !self.unknown.contains(&error) {
            self.unknown.push(error);
        }
    }

    fn push_key(&mut self, key: &str) {
        if !self.path.is_empty() {
            self.path.push('.');
        }
        self.path.push_str(key);
    }

    /// `Err` is an error that ends reading at once, as those of Go's own `UnmarshalJSON` do.
    /// `known` is in its stored form already, see [`normalize_like`].
    fn object(&mut self, target: Struct, map: &Map, known: &Value) -> Result<Value, String> {
        let (outer_context, outer_fields) = (self.context, self.fields.len());
        let outer_path = self.path.len();
        let mut entries = Vec::with_capacity(map.len());
        for (key, value) in map.entries() {
            let Some(field) = target.find(key, &mut self.fields) else {
                self.unknown_field(key);
                continue;
            };
            self.context = Some(target);
            self.fields.push(field.name);
            self.push_key(field.name);
            let decoded = self.value(value, field.ty, known.get(key))?;
            self.path.truncate(outer_path);
            self.fields.truncate(outer_fields);
            self.context = outer_context;
            if !left_out(&field, &decoded) {
                entries.push((key.clone(), decoded));
            }
        }
        let mut out = Map::from_ordered(entries);
        add_kept_fields(target, &mut out);
        Ok(shared(out, known))
    }

    fn zero_struct(&self, target: Struct) -> Value {
        let mut out = Map::default();
        add_kept_fields(target, &mut out);
        Value::from(out)
    }

    fn value(&mut self, value: &Value, ty: Type, known: &Value) -> Result<Value, String> {
        if !known.is_null() && value.is_shared_with(known) {
            return Ok(known.clone());
        }
        let shape = ty.shape();
        if value.is_null() {
            return Ok(if ty.is_pointer() {
                Value::Null
            } else {
                zero(ty)
            });
        }
        Ok(match (shape, value) {
            (Shape::Any | Shape::FieldSet, any) => any.clone(),
            (Shape::Quantity, any) => self.quantity(any)?,
            (Shape::IntOrString, any) => self.int_or_string(any)?,
            (Shape::Time | Shape::MicroTime | Shape::Duration, any) => self.moment(any, shape)?,
            (Shape::String, Value::Str(_)) | (Shape::Bool, Value::Bool(_)) => value.clone(),
            (Shape::Int32 | Shape::Int64, Value::Int(_) | Value::Float(_)) => {
                self.number(value, ty, shape)
            }
            (Shape::Bytes, Value::Str(text)) => match base64(text) {
                Ok(text) => Value::from(text),
                Err(error) => {
                    self.save(error);
                    Value::Null
                }
            },
            (Shape::List(item), Value::List(items)) => {
                let outer_path = self.path.len();
                let mut out = Vec::with_capacity(items.len());
                for (i, element) in items.iter().enumerate() {
                    self.path.push('[');
                    self.path.push_str(&i.to_string());
                    self.path.push(']');
                    out.push(self.value(element, item, known.index(i))?);
                    self.path.truncate(outer_path);
                }
                let kept = known.items();
                if kept.len() == out.len()
                    && kept.iter().zip(&out).all(|(a, b)| a.is_shared_with(b))
                    && matches!(known, Value::List(_))
                {
                    known.clone()
                } else {
                    Value::from(out)
                }
            }
            (Shape::Map(item), Value::Map(map)) => {
                let outer_path = self.path.len();
                let mut out = Vec::with_capacity(map.len());
                for (key, element) in map.entries() {
                    self.push_key(key);
                    let element = self.value(element, item, known.get(key))?;
                    out.push((key.clone(), element));
                    self.path.truncate(outer_path);
                }
                shared(Map::from_ordered(out), known)
            }
            (Shape::Struct(target), Value::Map(map)) => self.object(target, map, known)?,
            (_, other) => self.mismatch(other, ty),
        })
    }

    fn number(&mut self, value: &Value, ty: Type, shape: Shape) -> Value {
        let text = literal(value);
        let parsed = text.parse::<i64>().ok();
        let fits = parsed.filter(|n| shape == Shape::Int64 || i32::try_from(*n).is_ok());
        match fits {
            Some(number) => Value::Int(number),
            None => {
                let error = self.type_error(&format!("number {text}"), &ty.go_name());
                self.save(error);
                zero(ty)
            }
        }
    }

    fn quantity(&mut self, value: &Value) -> Result<Value, String> {
        let text = match value {
            Value::Str(text) => text.to_string(),
            Value::Int(_) | Value::Float(_) => literal(value),
            other => json::to_string(other),
        };
        match quantity::stored_text(&text) {
            Ok(text) => Ok(Value::from(text)),
            Err(error) => Err(error.to_string()),
        }
    }

    fn int_or_string(&mut self, value: &Value) -> Result<Value, String> {
        match value {
            Value::Str(_) => Ok(value.clone()),
            Value::Int(_) | Value::Float(_) => {
                let text = literal(value);
                match text.parse::<i32>() {
                    Ok(number) => Ok(Value::from(number)),
                    Err(_) => Err(self.type_error(&format!("number {text}"), "int32")),
                }
            }
            other => Err(self.type_error(json_word(other), "int32")),
        }
    }

    fn moment(&mut self, value: &Value, shape: Shape) -> Result<Value, String> {
        let Value::Str(text) = value else {
            return Err(self.type_error(json_word(value), "string"));
        };
        match shape {
            Shape::Duration => match duration::parse_go(text) {
                Some(nanoseconds) => Ok(Value::from(duration::go_text(nanoseconds))),
                None => Err(format!("time: invalid duration {}", quote(text))),
            },
            _ => {
                let micros = shape == Shape::MicroTime;
                Ok(moment(decode_time::parse(text, micros)?, text, micros))
            }
        }
    }
}

/// Seconds from Go's zero time, 0001-01-01T00:00:00Z, which prints as null.
const ZERO_TIME: i64 = -62_135_596_800;

/// The stored form of a time that was read from `text`.
fn moment(time: Timestamp, text: &Text, micros: bool) -> Value {
    if time.unix_seconds() == ZERO_TIME {
        return Value::Null;
    }
    let length = if micros { 27 } else { 20 };
    if text.len() == length && text.ends_with('Z') {
        return Value::Str(text.clone());
    }
    Value::from(if micros {
        time.micros_text()
    } else {
        time.seconds_text()
    })
}

/// The map as a value: the known one, when it has the same entries.
fn shared(map: Map, known: &Value) -> Value {
    let kept = known.entries();
    let same = kept.len() == map.len()
        && matches!(known, Value::Map(_))
        && kept
            .iter()
            .zip(map.entries())
            .all(|(a, b)| a.0 == b.0 && a.1.is_shared_with(&b.1));
    if same {
        known.clone()
    } else {
        Value::from(map)
    }
}

/// Adds the fields that are stored even when they were not given.
fn add_kept_fields(target: Struct, out: &mut Map) {
    for field in target.kept() {
        match field.ty.shape() {
            Shape::Struct(inner) if field.inline => add_kept_fields(inner, out),
            _ => {
                if !out.contains_key(field.name) {
                    let value = zero(field.ty);
                    if !left_out(&field, &value) {
                        out.insert(field.name, value);
                    }
                }
            }
        }
    }
}

/// Whether `omitempty` or `omitzero` leaves the field out.
fn left_out(field: &Field, value: &Value) -> bool {
    let omits = field.omit_empty || field.omit_zero;
    if field.ty.is_pointer() {
        return omits && value.is_null();
    }
    match field.ty.shape() {
        Shape::Time | Shape::MicroTime => field.omit_zero && value.is_null(),
        Shape::Struct(_) => field.omit_zero && value.is_empty(),
        Shape::Quantity | Shape::IntOrString | Shape::Any | Shape::FieldSet => false,
        _ => omits && value.is_empty(),
    }
}

/// What Go stores for a type when nothing was given.
fn zero(ty: Type) -> Value {
    if ty.is_pointer() {
        return Value::Null;
    }
    match ty.shape() {
        Shape::String => Value::from(""),
        Shape::Duration => Value::from("0s"),
        Shape::Bool => Value::Bool(false),
        Shape::Int32 | Shape::Int64 | Shape::IntOrString => Value::Int(0),
        Shape::Quantity => Value::from("0"),
        Shape::Struct(inner) => {
            let mut out = Map::default();
            add_kept_fields(inner, &mut out);
            Value::from(out)
        }
        _ => Value::Null,
    }
}

/// Checks base64 text as Go does; line breaks are dropped.
#[inline(never)]
fn base64(text: &str) -> Result<String, String> {
    let illegal = |at: usize| Err(format!("illegal base64 data at input byte {at}"));
    let mut out = String::with_capacity(text.len());
    let mut padding = 0;
    let mut last = 0;
    for (i, b) in text.bytes().enumerate() {
        match b {
            b'\r' | b'\n' => continue,
            b'=' if out.len() % 4 < 2 => return illegal(i),
            b'=' => padding += 1,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' if padding == 0 => {}
            _ => return illegal(i),
        }
        last = i;
        out.push(b as char);
        if padding > 0
            && out.len().is_multiple_of(4)
            && text
                .get(i + 1..)
                .is_some_and(|r| !r.trim_end_matches(['\r', '\n']).is_empty())
        {
            return illegal(i + 1);
        }
    }
    match out.len() % 4 {
        0 => Ok(out),
        // Go names the place after the last complete group.
        rest if padding == 0 => illegal(text.len() - rest),
        _ => illegal(last + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    fn source(value: Value) -> Source<'static> {
        Source {
            value,
            ..Source::default()
        }
    }

    fn message(kind: Kind, value: Value) -> String {
        match decode(kind, &source(value), FieldValidation::Strict) {
            Ok(_) => "accepted".to_string(),
            Err(status) => status.message.to_string(),
        }
    }

    #[test]
    fn unknown_fields_are_named_with_their_path() {
        let object = value!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "spec": {
                "replica": 3,
                "template": {"spec": {"containers": [{"name": "c", "imagePolicy": "x"}]}},
            },
        });
        assert_eq!(
            message(Kind::Deployment, object.clone()),
            "Deployment in version \"v1\" cannot be handled as a Deployment: strict decoding error: unknown field \"spec.replica\", unknown field \"spec.template.spec.containers[0].imagePolicy\""
        );
        let warned = decode(Kind::Deployment, &source(object), FieldValidation::Warn);
        let warnings = warned.map(|d| d.warnings).unwrap_or_default();
        assert_eq!(
            warnings.first().map(AsRef::as_ref),
            Some("unknown field \"spec.replica\"")
        );
    }

    #[test]
    fn wrong_types_are_named_as_go_names_them() {
        for (spec, want) in [
            (
                value!({"replicas": "three"}),
                "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
            ),
            (
                value!({"replicas": 1.5}),
                "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
            ),
            (
                value!({"template": {"spec": {"containers": {"name": "c"}}}}),
                "json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container",
            ),
            (
                value!({"template": {"spec": {"volumes": [{"configMap": []}]}}}),
                "json: cannot unmarshal array into Go struct field Volume.spec.template.spec.volumes.VolumeSource.configMap of type v1.ConfigMapVolumeSource",
            ),
        ] {
            let object = value!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": (spec)});
            let got = message(Kind::Deployment, object);
            assert!(got.ends_with(want), "{got}");
        }
    }

    #[test]
    fn the_stored_form_is_what_go_keeps() {
        let object = value!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "p", "labels": {}, "creationTimestamp": null},
            "spec": {
                "nodeName": "", "hostNetwork": false, "priority": 0,
                "containers": [{"name": "c", "args": [], "resources": {"limits": {"cpu": 0.5}}}],
                "volumes": [{"name": "v", "emptyDir": {}}],
            },
        });
        let decoded = decode(Kind::Pod, &source(object), FieldValidation::Strict);
        let want = value!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "status": {},
            "spec": {
                "priority": 0,
                "containers": [{"name": "c", "resources": {"limits": {"cpu": "500m"}}}],
                "volumes": [{"name": "v", "emptyDir": {}}],
            },
        });
        assert_eq!(decoded.map(|d| d.object.0), Ok(want));
    }

    #[test]
    fn other_kinds_are_refused() {
        assert_eq!(
            message(Kind::Pod, value!({"apiVersion": "v1", "kind": "Pods"})),
            "Pods in version \"v1\" cannot be handled as a Pod: no kind \"Pods\" is registered for version \"v1\" in scheme \"pkg/api/legacyscheme/scheme.go:30\""
        );
        assert_eq!(
            message(Kind::Pod, value!({"apiVersion": "v1", "kind": "Service"})),
            "Service in version \"v1\" cannot be handled as a Pod: converting (v1.Service) to (core.Pod): unknown conversion"
        );
        assert_eq!(
            message(Kind::Pod, value!([1])),
            "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" } (5b315d)"
        );
    }

    #[test]
    fn base64_as_go_reads_it() {
        assert_eq!(base64("aGVsbG8="), Ok("aGVsbG8=".to_string()));
        assert_eq!(base64("aGVs\nbG8="), Ok("aGVsbG8=".to_string()));
        assert!(base64("hello world").is_err());
        assert!(base64("aGVsbG8").is_err());
        assert!(base64("=").is_err());
    }
}
