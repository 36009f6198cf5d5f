//! Walks over values with their types: what is set, what differs, merging, removing, checking.
//!
//! Models: sigs.k8s.io/structured-merge-diff/v6/typed

use super::set::{Set, element};
use crate::json;
use crate::schema::{Field, Shape, Struct, Topology, Type};
use crate::value::{NULL, Text, Value};

/// How a value is owned.
#[derive(Clone, Copy, Debug)]
pub enum Atom {
    /// As a whole.
    Leaf,
    /// Text by text.
    Texts,
    /// Item by item, named by these keys.
    Items(&'static str, Type),
    /// Field by field.
    Fields(Struct),
    /// Entry by entry.
    Entries(Type),
}

fn of_type(ty: Type, topology: Topology) -> Atom {
    match (ty.shape(), topology) {
        (_, Topology::Atomic) => Atom::Leaf,
        (Shape::Struct(fields), _) => Atom::Fields(fields),
        (Shape::Map(item), _) => Atom::Entries(item),
        (Shape::List(item), Topology::Map(keys)) => Atom::Items(keys, item),
        (Shape::List(_), Topology::Set) => Atom::Texts,
        _ => Atom::Leaf,
    }
}

fn of_field(field: &Field) -> Atom {
    of_type(field.ty, field.topology)
}

fn of_item(ty: Type) -> Atom {
    match ty.shape() {
        Shape::Struct(fields) if fields.is_atomic() => Atom::Leaf,
        _ => of_type(ty, Topology::Default),
    }
}

impl Atom {
    fn is_map(self) -> bool {
        matches!(self, Atom::Fields(_) | Atom::Entries(_))
    }

    /// How the part with this key of `fieldsV1` is owned.
    fn below(self, key: &str) -> Atom {
        match self {
            Atom::Fields(fields) => {
                let name = key.strip_prefix("f:").unwrap_or(key);
                fields.field(name).map_or(Atom::Leaf, |f| of_field(&f))
            }
            Atom::Entries(item) => of_type(item, Topology::Default),
            Atom::Items(_, item) => of_item(item),
            Atom::Leaf | Atom::Texts => Atom::Leaf,
        }
    }

    /// The parts of a value with their keys.
    fn parts(self, value: &Value) -> Vec<(Text, &Value)> {
        if self.is_map() {
            let entries = value.entries().iter();
            return entries.map(|(k, v)| (format!("f:{k}").into(), v)).collect();
        }
        let items = value.items().iter();
        items.map(|item| (self.item_key(item), item)).collect()
    }

    fn item_key(self, item: &Value) -> Text {
        let Atom::Items(keys, ty) = self else {
            return format!("v:{}", json::to_string(item)).into();
        };
        let mut named = Value::map();
        for key in keys.split(',') {
            let mut value = item.get(key).clone();
            if value.is_null()
                && let Shape::Struct(fields) = ty.shape()
                && let Some(field) = fields.field(key)
            {
                value = field.published_default();
            }
            named.map_mut().insert(key, value);
        }
        format!("k:{}", json::to_string(&named)).into()
    }
}

fn part<'a>(parts: &[(Text, &'a Value)], key: &str) -> Option<&'a Value> {
    parts.iter().find(|(k, _)| **k == *key).map(|(_, v)| *v)
}

/// Whether several items of a list have this key: they are owned together.
fn is_repeated(parts: &[(Text, &Value)], key: &str) -> bool {
    key.starts_with(['k', 'v']) && parts.iter().filter(|(k, _)| **k == *key).count() > 1
}

fn leaf() -> Set {
    let mut set = Set::default();
    set.own = true;
    set
}

/// Everything that a value sets.
pub fn field_set(atom: Atom, value: &Value) -> Set {
    if matches!(atom, Atom::Leaf) {
        return leaf();
    }
    let mut set = Set::default();
    let parts = atom.parts(value);
    for (key, below) in &parts {
        let below = *below;
        if is_repeated(&parts, key) {
            set.put(key, leaf());
            continue;
        }
        let mut child = field_set(atom.below(key), below);
        let empty_map = below.as_map().is_some_and(|m| m.is_empty());
        child.own |= !matches!(atom, Atom::Fields(_)) || below.is_null() || empty_map;
        set.put(key, child);
    }
    set
}

/// Where two values differ.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// Places of the second value only.
    pub added: Set,
    /// Places of both with different values.
    pub modified: Set,
    /// Places of the first value only.
    pub removed: Set,
}

/// Compares two values of a type.
pub fn compare(
    atom: Atom,
    old: Option<&Value>,
    new: Option<&Value>,
    path: &mut Vec<Text>,
    out: &mut Comparison,
) {
    if old == new {
        return;
    }
    let empty =
        |v: Option<&Value>| v.is_none_or(|v| v.entries().is_empty() && v.items().is_empty());
    if matches!(atom, Atom::Leaf) || empty(old) && empty(new) {
        match (old, new) {
            (None, _) => out.added.insert(path),
            (_, None) => out.removed.insert(path),
            _ => out.modified.insert(path),
        }
        return;
    }
    let olds = atom.parts(old.unwrap_or(NULL));
    let news = atom.parts(new.unwrap_or(NULL));
    for (at, (key, value)) in olds.iter().chain(&news).enumerate() {
        let (before, after) = (part(&olds, key), part(&news, key));
        if at >= olds.len() && before.is_some() {
            continue;
        }
        path.push(key.clone());
        if is_repeated(&olds, key) || is_repeated(&news, key) {
            let all = |parts: &[(Text, &Value)]| -> Option<Value> {
                let items = parts.iter().filter(|(k, _)| k == key);
                let items: Vec<Value> = items.map(|(_, v)| (*v).clone()).collect();
                (!items.is_empty()).then(|| Value::list(items))
            };
            let (before, after) = (all(&olds), all(&news));
            compare(Atom::Leaf, before.as_ref(), after.as_ref(), path, out);
        } else if at < olds.len() {
            compare(atom.below(key), Some(value), after, path, out);
        } else {
            compare(atom.below(key), None, Some(value), path, out);
        }
        path.pop();
    }
    match (old, new) {
        (None, _) => out.added.insert(path),
        (_, None) => out.removed.insert(path),
        _ => {}
    }
}

/// The first value with what the second sets.
pub fn merge(atom: Atom, old: &Value, new: &Value) -> Value {
    if matches!(atom, Atom::Leaf) || old.is_empty() {
        return new.clone();
    }
    if new.is_null() {
        return old.clone();
    }
    if atom.is_map() {
        let mut merged = old.clone();
        for (name, value) in new.entries() {
            let below = atom.below(&format!("f:{name}"));
            let value = match old.get(name) {
                Value::Null => value.clone(),
                before => merge(below, before, value),
            };
            merged.map_mut().insert(name.clone(), value);
        }
        return merged;
    }
    let (olds, news) = (atom.parts(old), atom.parts(new));
    let joined = |key: &Text, value: &Value| match part(&olds, key) {
        Some(before) => merge(atom.below(key), before, value),
        None => value.clone(),
    };
    let mut shared = news.iter().filter(|(k, _)| part(&olds, k).is_some());
    let mut next = shared.next().map(|(k, _)| k);
    let mut merged: Vec<Value> = Vec::new();
    let mut done: Vec<&Text> = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < olds.len() || j < news.len() {
        if let (Some((left, _)), Some((right, value))) = (olds.get(i), news.get(j)) {
            if left == right {
                done.push(right);
                merged.push(joined(right, value));
                (i, j) = (i + 1, j + 1);
                next = shared.next().map(|(k, _)| k);
                continue;
            }
            if part(&news, left).is_some() && next.is_some_and(|n| n != left) {
                i += 1;
                continue;
            }
        }
        if let Some((left, value)) = olds.get(i) {
            if part(&news, left).is_none() {
                merged.push((*value).clone());
                i += 1;
                continue;
            }
            if done.contains(&left) {
                i += 1;
            }
        }
        if let Some((right, value)) = news.get(j) {
            done.push(right);
            merged.push(joined(right, value));
            j += 1;
            if next == Some(right) {
                next = shared.next().map(|(k, _)| k);
            }
        }
    }
    Value::list(merged)
}

/// The value without the members of a set; null when nothing is left.
pub fn remove(atom: Atom, value: &Value, set: &Set) -> Value {
    if matches!(atom, Atom::Leaf) || value.is_empty() {
        return Value::Null;
    }
    let mut map = Value::map();
    let mut items = Vec::new();
    for (key, below) in atom.parts(value) {
        let gone = set.child(&key);
        if gone.own {
            continue;
        }
        let left = if gone.is_empty() {
            below.clone()
        } else {
            remove(atom.below(&key), below, gone)
        };
        match key.strip_prefix("f:") {
            Some(name) if atom.is_map() => {
                map.map_mut().insert(name, left);
            }
            _ => items.push(left),
        }
    }
    match atom.is_map() {
        _ if map.is_empty() && items.is_empty() => Value::Null,
        true => map,
        false => Value::list(items),
    }
}

/// The set with the fields of structs that only their parts belong to.
pub fn with_named_fields(atom: Atom, set: &Set) -> Set {
    let mut result = Set::default();
    result.own = set.own;
    for (key, child) in set.children() {
        let mut below = with_named_fields(atom.below(key), child);
        below.own |= !child.children().is_empty()
            && matches!(atom, Atom::Fields(fields)
                if fields.field(key.strip_prefix("f:").unwrap_or(key)).is_some());
        result.put(key, below);
    }
    result
}

/// A value as Go prints it inside an error: `map[a:1 b:[x y]]`.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".into(),
        Value::Str(text) => text.to_string(),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(shown).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Map(map) => {
            let parts = map.entries().iter();
            let parts: Vec<String> = parts.map(|(k, v)| format!("{k}:{}", shown(v))).collect();
            format!("map[{}]", parts.join(" "))
        }
        other => json::to_string(other),
    }
}

/// The name of a value's type in Go.
fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int64",
        Value::Float(_) => "float64",
        Value::Str(_) => "string",
        Value::List(_) => "[]interface {}",
        Value::Map(_) => "map[string]interface {}",
    }
}

/// What does not fit its type, with the path before it.
pub fn misfits(atom: Atom, ty: Option<Type>, value: &Value, path: &str, out: &mut Vec<String>) {
    if value.is_null() {
        return;
    }
    let say = |out: &mut Vec<String>, text: String| {
        out.push(if path.is_empty() {
            text
        } else {
            format!("{path}: {text}")
        });
    };
    let shape = ty.map(Type::shape);
    let wants_list = matches!(shape, Some(Shape::List(_)));
    let wants_map = matches!(atom, Atom::Fields(_) | Atom::Entries(_))
        || matches!(shape, Some(Shape::Struct(_) | Shape::Map(_)));
    if wants_list && !matches!(value, Value::List(_)) {
        return say(out, format!("expected list, got &{{{}}}", shown(value)));
    }
    if wants_map && !matches!(value, Value::Map(_)) {
        return say(out, format!("expected map, got &{{{}}}", shown(value)));
    }
    if !wants_list && !wants_map {
        let number = matches!(value, Value::Int(_) | Value::Float(_));
        let text = value.as_str().is_some();
        let truth = value.as_bool().is_some();
        match shape {
            Some(Shape::Int32 | Shape::Int64) if !number => say(
                out,
                format!("expected numeric (int or float), got {}", go_type(value)),
            ),
            Some(Shape::String | Shape::Bytes | Shape::Duration) if !text => say(
                out,
                format!(
                    "expected string, got &value.valueUnstructured{{Value:{}}}",
                    shown(value)
                ),
            ),
            Some(Shape::Bool) if !truth => {
                say(out, format!("expected boolean, got &{{{}}}", shown(value)));
            }
            Some(Shape::Quantity | Shape::IntOrString | Shape::Time | Shape::MicroTime)
                if !number && !text && !truth =>
            {
                say(
                    out,
                    format!("expected any scalar, got &{{{}}}", shown(value)),
                );
            }
            _ => {}
        }
        return;
    }
    if wants_list {
        let Some(Shape::List(item_type)) = shape else {
            return;
        };
        let mut seen: Vec<Text> = Vec::new();
        for (i, item) in value.items().iter().enumerate() {
            let key = match atom {
                Atom::Items(..) => {
                    if item.as_map().is_none() {
                        let why = if item.is_null() {
                            "associative list with keys may not have an explicit null element"
                        } else {
                            "associative list with keys may not have non-map elements"
                        };
                        say(out, format!("element {i}: {why}"));
                        continue;
                    }
                    atom.item_key(item)
                }
                Atom::Texts => atom.item_key(item),
                _ => format!("i:{i}").into(),
            };
            let name = element(&key);
            if seen.contains(&key) {
                say(out, format!("duplicate entries for key {name}"));
                continue;
            }
            seen.push(key);
            let place = format!("{path}{name}");
            misfits(of_item(item_type), Some(item_type), item, &place, out);
        }
        return;
    }
    for (name, below) in value.entries() {
        let place = format!("{path}.{name}");
        match (atom, shape) {
            (Atom::Fields(fields), _) | (_, Some(Shape::Struct(fields))) => {
                match fields.field(name) {
                    Some(field) => misfits(of_field(&field), Some(field.ty), below, &place, out),
                    None => out.push(format!("{place}: field not declared in schema")),
                }
            }
            (Atom::Entries(item), _) | (_, Some(Shape::Map(item))) => {
                misfits(
                    of_type(item, Topology::Default),
                    Some(item),
                    below,
                    &place,
                    out,
                );
            }
            _ => {}
        }
    }
}
