//! The JSON-like tree that every Kubernetes object is made of.

use std::rc::Rc;

/// Shared immutable text.
pub type Text = Rc<str>;

/// A floating-point number compared and hashed by its bits, so that values stay `Eq`.
#[derive(Clone, Copy, Debug)]
pub struct Float(pub f64);

impl PartialEq for Float {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}
impl Eq for Float {}
impl std::hash::Hash for Float {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.to_bits());
    }
}

/// One node of an object. Lists and maps are shared: cloning is cheap, writing copies on demand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Value {
    /// JSON `null`, also what a missing field reads as.
    #[default]
    Null,
    /// JSON `true` or `false`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A number with a fraction or beyond 64 bits.
    Float(Float),
    /// Text.
    Str(Text),
    /// An ordered list.
    List(Rc<Vec<Value>>),
    /// A map with keys in byte order.
    Map(Rc<Map>),
}

/// What a missing field reads as.
pub const NULL: &Value = &Value::Null;

impl Value {
    /// An empty map.
    pub fn map() -> Value {
        Value::Map(Rc::new(Map::default()))
    }

    /// A map from `(key, value)` pairs; later pairs win.
    pub fn from_pairs<K: Into<Text>, I: IntoIterator<Item = (K, Value)>>(pairs: I) -> Value {
        Value::Map(Rc::new(pairs.into_iter().collect()))
    }

    /// A map from `(key, value)` pairs that are taken out of their places; later pairs win.
    pub fn from_fields(pairs: &mut [(&str, Value)]) -> Value {
        let mut map = Map(Vec::with_capacity(pairs.len()));
        for (key, value) in pairs {
            *map.entry(key) = std::mem::take(value);
        }
        Value::from(map)
    }

    /// A list of values that are taken out of their places.
    pub fn from_items(items: &mut [Value]) -> Value {
        let mut list = Vec::with_capacity(items.len());
        for item in items {
            list.push(std::mem::take(item));
        }
        Value::from(list)
    }

    /// A list from values.
    pub fn list<I: IntoIterator<Item = Value>>(items: I) -> Value {
        Value::List(Rc::new(items.into_iter().collect()))
    }

    /// A text value.
    pub fn str(text: impl Into<Text>) -> Value {
        Value::Str(text.into())
    }

    /// True for [`Value::Null`].
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The text, if this is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(s) => Some(s),
            _ => None,
        }
    }

    /// The shared text, if this is text.
    pub fn as_text(&self) -> Option<&Text> {
        match self {
            Value::Str(s) => Some(s),
            _ => None,
        }
    }

    /// The text, or `""`.
    pub fn str_or_empty(&self) -> &str {
        self.as_str().unwrap_or("")
    }

    /// The integer, if this is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(i) => Some(*i),
            _ => None,
        }
    }

    /// The boolean, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// True only for `true`.
    pub fn is_true(&self) -> bool {
        matches!(self, Value::Bool(true))
    }

    /// The map, if this is one.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Value::Map(m) => Some(m),
            _ => None,
        }
    }

    /// The list's items; empty when this is not a list.
    pub fn items(&self) -> &[Value] {
        match self {
            Value::List(l) => l,
            _ => &[],
        }
    }

    /// The map's entries in key order; empty when this is not a map.
    pub fn entries(&self) -> &[(Text, Value)] {
        match self {
            Value::Map(m) => m.entries(),
            _ => &[],
        }
    }

    /// The value under `key`, or null.
    pub fn get(&self, key: &str) -> &Value {
        match self {
            Value::Map(m) => m.get(key).unwrap_or(NULL),
            _ => NULL,
        }
    }

    /// The value at a dotted path of field names, such as `spec.template.spec`, or null.
    /// Not for keys that contain dots (labels, annotations): use [`Value::get`] for those.
    pub fn at(&self, path: &str) -> &Value {
        let mut place = self;
        let mut rest = Some(path);
        while let Some(path) = rest {
            let (key, more) = first_part(path);
            place = place.get(key);
            rest = more;
        }
        place
    }

    /// The list item at `index`, or null.
    #[allow(
        clippy::should_implement_trait,
        reason = "reads as null where Index would panic"
    )]
    pub fn index(&self, index: usize) -> &Value {
        self.items().get(index).unwrap_or(NULL)
    }

    /// True when both are one value or share their content: cheap, and false for some that are equal.
    pub fn is_shared_with(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::List(a), Value::List(b)) => Rc::ptr_eq(a, b),
            (Value::Map(a), Value::Map(b)) => Rc::ptr_eq(a, b),
            (Value::List(_) | Value::Map(_), _) => false,
            (Value::Str(a), Value::Str(b)) => Rc::ptr_eq(a, b) || a == b,
            (a, b) => a == b,
        }
    }

    /// True when the value is null, `""`, `0`, `false`, an empty list or an empty map
    /// (what Go's `omitempty` leaves out).
    pub fn is_empty(&self) -> bool {
        match self {
            Value::Null => true,
            Value::Bool(b) => !b,
            Value::Int(i) => *i == 0,
            Value::Float(f) => f.0 == 0.0,
            Value::Str(s) => s.is_empty(),
            Value::List(l) => l.is_empty(),
            Value::Map(m) => m.is_empty(),
        }
    }

    /// The map to write into; anything that is not a map becomes an empty one first.
    pub fn map_mut(&mut self) -> &mut Map {
        if !matches!(self, Value::Map(_)) {
            *self = Value::map();
        }
        match self {
            Value::Map(m) => Rc::make_mut(m),
            _ => unreachable!("invariant: map_mut made a map"),
        }
    }

    /// The list to write into; anything that is not a list becomes an empty one first.
    pub fn list_mut(&mut self) -> &mut Vec<Value> {
        if !matches!(self, Value::List(_)) {
            *self = Value::List(Rc::default());
        }
        match self {
            Value::List(l) => Rc::make_mut(l),
            _ => unreachable!("invariant: list_mut made a list"),
        }
    }

    /// The place under `key`, created as null when absent.
    pub fn entry(&mut self, key: &str) -> &mut Value {
        self.map_mut().entry(key)
    }

    /// The place at a dotted path, created (with its parents) when absent.
    pub fn at_mut(&mut self, path: &str) -> &mut Value {
        let mut place = self;
        let mut rest = Some(path);
        while let Some(path) = rest {
            let (key, more) = first_part(path);
            place = place.entry(key);
            rest = more;
        }
        place
    }

    /// Writes `value` at a dotted path, creating parents.
    pub fn set(&mut self, path: &str, value: impl Into<Value>) {
        self.put(path, value.into());
    }

    #[inline(never)]
    fn put(&mut self, path: &str, value: Value) {
        *self.at_mut(path) = value;
    }

    /// Removes what stands at a dotted path; gives it back. Parents stay.
    pub fn remove(&mut self, path: &str) -> Option<Value> {
        let (parent, key) = match path.rsplit_once('.') {
            Some((parent, key)) => (Some(parent), key),
            None => (None, path),
        };
        if let Some(parent) = parent {
            if self
                .at(parent)
                .as_map()
                .is_none_or(|m| m.get(key).is_none())
            {
                return None;
            }
            return self.at_mut(parent).map_mut().remove(key);
        }
        if self.get(key).is_null() && self.as_map().is_none_or(|m| m.get(key).is_none()) {
            return None;
        }
        self.map_mut().remove(key)
    }
}

/// The first field name of a dotted path, and the path behind it.
fn first_part(path: &str) -> (&str, Option<&str>) {
    match path.bytes().position(|b| b == b'.') {
        Some(dot) => (&path[..dot], Some(&path[dot + 1..])),
        None => (path, None),
    }
}

impl From<&str> for Value {
    fn from(s: &str) -> Value {
        Value::Str(s.into())
    }
}
impl From<String> for Value {
    fn from(s: String) -> Value {
        Value::Str(s.into())
    }
}
impl From<Text> for Value {
    fn from(s: Text) -> Value {
        Value::Str(s)
    }
}
impl From<i64> for Value {
    fn from(i: i64) -> Value {
        Value::Int(i)
    }
}
impl From<i32> for Value {
    fn from(i: i32) -> Value {
        Value::Int(i64::from(i))
    }
}
impl From<f64> for Value {
    fn from(f: f64) -> Value {
        Value::Float(Float(f))
    }
}
impl From<bool> for Value {
    fn from(b: bool) -> Value {
        Value::Bool(b)
    }
}
impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Value {
        Value::List(Rc::new(items))
    }
}
impl From<Map> for Value {
    fn from(map: Map) -> Value {
        Value::Map(Rc::new(map))
    }
}

/// Maps up to this size are read from end to end.
const SCANNED: usize = 24;

/// A map from text to values, kept sorted by key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Map(Vec<(Text, Value)>);

impl Map {
    /// A map of entries whose keys ascend already; otherwise they are put in order, later ones win.
    pub fn from_ordered(entries: Vec<(Text, Value)>) -> Map {
        if entries.windows(2).all(|pair| pair[0].0 < pair[1].0) {
            return Map(entries);
        }
        entries.into_iter().collect()
    }

    /// Where a key is, or would be.
    fn find(&self, key: &str) -> Result<usize, usize> {
        match self.place(key) {
            Some(i) => Ok(i),
            None => self.0.binary_search_by(|(k, _)| k.as_ref().cmp(key)),
        }
    }

    /// Where a key is.
    fn place(&self, key: &str) -> Option<usize> {
        if self.0.len() > SCANNED {
            return self.0.binary_search_by(|(k, _)| k.as_ref().cmp(key)).ok();
        }
        // Lengths lie side by side, texts do not: looking at all lengths is faster than a search
        // that reads a text at each of its steps.
        let first = key.as_bytes().first();
        let same = |(k, _): &(Text, Value)| {
            k.len() == key.len() && k.as_bytes().first() == first && **k == *key
        };
        self.0.iter().position(same)
    }

    /// The value under `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.place(key).map(|i| &self.0[i].1)
    }

    /// True when `key` is present, even with a null value.
    pub fn contains_key(&self, key: &str) -> bool {
        self.place(key).is_some()
    }

    /// Writes `value` under `key`; gives back what stood there.
    pub fn insert(&mut self, key: impl Into<Text>, value: Value) -> Option<Value> {
        self.replace(key.into(), value)
    }

    #[inline(never)]
    fn replace(&mut self, key: Text, value: Value) -> Option<Value> {
        match self.find(&key) {
            Ok(i) => Some(std::mem::replace(&mut self.0[i].1, value)),
            Err(i) => {
                self.0.insert(i, (key, value));
                None
            }
        }
    }

    /// Removes `key`; gives back its value.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.place(key).map(|i| self.0.remove(i).1)
    }

    /// The place under `key`, created as null when absent.
    pub fn entry(&mut self, key: &str) -> &mut Value {
        let i = match self.find(key) {
            Ok(i) => i,
            Err(i) => {
                self.0.insert(i, (key.into(), Value::Null));
                i
            }
        };
        &mut self.0[i].1
    }

    /// All entries in key order.
    pub fn entries(&self) -> &[(Text, Value)] {
        &self.0
    }

    /// All values, to be written, in key order.
    pub fn values_mut(&mut self) -> impl Iterator<Item = (&Text, &mut Value)> {
        self.0.iter_mut().map(|(k, v)| (&*k, v))
    }

    /// Keeps only the entries for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&Text, &mut Value) -> bool) {
        self.0.retain_mut(|(k, v)| keep(k, v));
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Into<Text>> FromIterator<(K, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(pairs: I) -> Map {
        let pairs = pairs.into_iter();
        let mut map = Map(Vec::with_capacity(pairs.size_hint().0));
        for (key, value) in pairs {
            map.insert(key, value);
        }
        map
    }
}

/// Builds a [`Value`] from JSON-like syntax: `value!({"a": 1, "b": [true, null, (expr)]})`.
/// Rust expressions stand in parentheses.
#[macro_export]
macro_rules! value {
    (null) => { $crate::Value::Null };
    ([ $($item:tt),* $(,)? ]) => { $crate::Value::from_items(&mut [ $($crate::value!($item)),* ]) };
    ({ $($key:literal : $val:tt),* $(,)? }) => {
        $crate::Value::from_fields(&mut [ $(($key, $crate::value!($val))),* ])
    };
    (($e:expr)) => { $crate::Value::from($e) };
    ($e:literal) => { $crate::Value::from($e) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_and_write() {
        let mut v = value!({"spec": {"replicas": 3, "list": [1, "two", null]}});
        assert_eq!(v.at("spec.replicas").as_int(), Some(3));
        assert!(v.at("spec.none.deeper").is_null());
        let before = v.clone();
        v.set("spec.template.spec.nodeName", "w1");
        assert_eq!(v.at("spec.template.spec.nodeName").as_str(), Some("w1"));
        assert!(before.at("spec.template").is_null());
        assert_eq!(v.remove("spec.replicas"), Some(Value::Int(3)));
        assert_eq!(v.remove("spec.nothing.at.all"), None);
    }
}
