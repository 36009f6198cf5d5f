//! One YAML document: a tree of nodes with their places, and the object that it means.
//!
//! Models: go.yaml.in/yaml/v2 decode.go and sigs.k8s.io/yaml (keys become text, merge keys, aliases)

use crate::span::Span;
use podscope_api::{Map, Object, Value, json};
use std::rc::Rc;

/// The number of a node in its document.
pub type NodeId = u32;

/// One node of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Where it stands. A block map begins with its first key; a missing value has an empty range.
    pub span: Span,
    /// What it is.
    pub content: Content,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A leaf and whether it was written without quotes.
    Scalar(Value, bool),
    /// A list.
    List(Vec<NodeId>),
    /// A map's keys and values, in order, with repeats.
    Map(Vec<(NodeId, NodeId)>),
    /// A reference to an anchored node.
    Alias(NodeId),
    /// A scalar that does not fit its tag; the words of Go's reader.
    Bad(String),
}

/// One document of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The object; null when there were errors that leave none.
    pub object: Object,
    /// From its first to its last byte, comments and separators aside.
    pub span: Span,
    /// The part of the text that a client would cut out for it.
    pub source: Span,
    /// Keys that stand twice in one map: the later key and its value.
    pub duplicates: Vec<(NodeId, NodeId)>,
    pub(crate) nodes: Rc<Vec<Node>>,
    pub(crate) root: NodeId,
}

/// Where a field is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Located {
    /// The key, for a map's field.
    pub key: Option<Span>,
    /// The value.
    pub value: Span,
    /// False when the field itself is not written: then this is the nearest parent that is.
    pub exact: bool,
}

/// How often aliases may repeat nodes before a document is refused.
const MAX_NODES: u64 = 200_000;

/// An error that Go's reader finds after parsing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub message: String,
    pub node: NodeId,
}

impl Failure {
    /// The message; `source` is the text of the node, for an alias its name.
    pub fn words(self, source: &str) -> String {
        let name = source.trim_start_matches('*').trim();
        self.message
            .replace("anchor value", &format!("anchor '{name}' value"))
    }
}

impl Document {
    /// The document itself, or the items of a `v1` `List`, each as a document of its own.
    pub fn flattened(self) -> Vec<Document> {
        let is_list = self.object.get("apiVersion").as_str() == Some("v1")
            && self.object.get("kind").as_str() == Some("List");
        let Some(items) = is_list.then(|| self.step(self.root, "items")).flatten() else {
            return vec![self];
        };
        let Some(Content::List(items)) = self.node(self.resolve(items.value)).map(|n| &n.content)
        else {
            return vec![self];
        };
        let values = self.object.get("items").items();
        items
            .iter()
            .zip(values)
            .map(|(id, value)| Document {
                object: Object(value.clone()),
                span: self.node(*id).map_or(self.span, |n| n.span),
                source: self.source,
                duplicates: Vec::new(),
                nodes: Rc::clone(&self.nodes),
                root: self.resolve(*id),
            })
            .collect()
    }

    /// The node with this number.
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id as usize)
    }

    /// The outermost node.
    pub fn root(&self) -> NodeId {
        self.root
    }

    /// Where the field at a path is written. Paths are those of the API server's messages:
    /// `spec.template.spec.containers[0].name`, `metadata.labels[app.kubernetes.io/name]`,
    /// `data.key.with.dots`. An empty path is the whole document.
    pub fn locate(&self, path: &str) -> Located {
        let mut located = Located {
            key: None,
            value: self.span,
            exact: true,
        };
        let mut id = self.root;
        let mut rest = path;
        while !rest.is_empty() {
            let Some(step) = self.step(self.resolve(id), rest) else {
                located.exact = false;
                return located;
            };
            located.key = step.key.and_then(|k| self.node(k)).map(|n| n.span);
            located.value = self.node(step.value).map_or(located.value, |n| n.span);
            id = step.value;
            rest = step.rest;
        }
        located
    }

    /// The field path of the innermost node at a byte of the text, with indexes and map keys, and whether
    /// the byte is in a key. For completion and hover.
    #[inline(never)]
    pub fn path_at(&self, byte: u32) -> (Vec<String>, bool) {
        let mut path = Vec::new();
        let mut id = self.root;
        loop {
            let Some(node) = self.node(id) else {
                return (path, false);
            };
            match &node.content {
                Content::Map(entries) => {
                    let entry = entries
                        .iter()
                        .rev()
                        .find(|(key, _)| self.node(*key).is_some_and(|key| key.span.start <= byte));
                    let Some((key, value)) = entry else {
                        return (path, false);
                    };
                    path.push(self.key_text(*key));
                    if self.node(*key).is_some_and(|key| byte <= key.span.end) {
                        return (path, true);
                    }
                    id = *value;
                }
                Content::List(items) => {
                    let item = items.iter().enumerate().rev().find(|(_, item)| {
                        self.node(**item)
                            .is_some_and(|item| item.span.start <= byte)
                    });
                    let Some((index, item)) = item else {
                        return (path, false);
                    };
                    path.push(index.to_string());
                    id = *item;
                }
                _ => return (path, false),
            }
        }
    }

    fn resolve(&self, id: NodeId) -> NodeId {
        match self.node(id).map(|n| &n.content) {
            Some(Content::Alias(target)) => *target,
            _ => id,
        }
    }

    fn step<'p>(&self, id: NodeId, path: &'p str) -> Option<Step<'p>> {
        match &self.node(id)?.content {
            Content::List(items) => {
                let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
                let index: usize = index.parse().ok()?;
                Some(Step {
                    key: None,
                    value: *items.get(index)?,
                    rest: rest.strip_prefix('.').unwrap_or(rest),
                })
            }
            Content::Map(entries) => {
                let mut best: Option<Step<'p>> = None;
                // The last of repeated keys wins; of several that fit, the longest.
                for (key, value) in entries {
                    let Some(rest) = strip_key(path, &self.key_text(*key)) else {
                        continue;
                    };
                    if best.as_ref().is_none_or(|b| rest.len() <= b.rest.len()) {
                        best = Some(Step {
                            key: Some(*key),
                            value: *value,
                            rest,
                        });
                    }
                }
                best
            }
            _ => None,
        }
    }

    /// A key as text.
    pub fn key_text(&self, id: NodeId) -> String {
        match self.node(id).map(|n| &n.content) {
            Some(Content::Scalar(value, _)) => scalar_key(value).unwrap_or_default(),
            Some(Content::Alias(target)) if *target != id => match self.node(*target) {
                Some(Node {
                    content: Content::Scalar(value, _),
                    ..
                }) => scalar_key(value).unwrap_or_default(),
                _ => String::new(),
            },
            _ => String::new(),
        }
    }

    /// Builds the object.
    pub(crate) fn build(&mut self) -> Result<(), Failure> {
        let mut builder = Builder {
            document: self,
            done: vec![None; self.nodes.len()],
            open: Vec::new(),
            duplicates: Vec::new(),
        };
        let built = builder.node(self.root)?;
        let duplicates = builder.duplicates;
        if built.value.as_map().is_some() || !built.value.is_null() {
            self.object = Object(built.value);
        }
        self.duplicates = duplicates;
        Ok(())
    }
}

struct Step<'p> {
    key: Option<NodeId>,
    value: NodeId,
    rest: &'p str,
}

/// What follows a key at the start of a path: `key`, `[key]` or `["key"]`, then the end, `.` or `[`.
fn strip_key<'p>(path: &'p str, key: &str) -> Option<&'p str> {
    if let Some(inner) = path.strip_prefix('[') {
        let inner = inner.strip_prefix('"').unwrap_or(inner);
        let after = inner.strip_prefix(key)?;
        let after = after.strip_prefix('"').unwrap_or(after).strip_prefix(']')?;
        return Some(after.strip_prefix('.').unwrap_or(after));
    }
    if key.is_empty() {
        return None;
    }
    let after = path.strip_prefix(key)?;
    match after.as_bytes().first() {
        None | Some(b'[') => Some(after),
        Some(b'.') => after.get(1..),
        _ => None,
    }
}

/// A scalar as a JSON key; `None` for null.
fn scalar_key(value: &Value) -> Option<String> {
    Some(match value {
        Value::Str(text) => text.to_string(),
        Value::Int(i) => i.to_string(),
        Value::Bool(b) => b.to_string(),
        Value::Float(f) => json::float_text(f.0),
        _ => return None,
    })
}

#[derive(Clone)]
struct Built {
    value: Value,
    /// Nodes, with those that aliases repeat, and how many of them are repeats.
    nodes: u64,
    repeats: u64,
}

struct Builder<'a> {
    document: &'a Document,
    done: Vec<Option<Built>>,
    open: Vec<NodeId>,
    duplicates: Vec<(NodeId, NodeId)>,
}

impl Builder<'_> {
    fn fail<T>(&self, node: NodeId, message: impl Into<String>) -> Result<T, Failure> {
        Err(Failure {
            message: message.into(),
            node,
        })
    }

    fn node(&mut self, id: NodeId) -> Result<Built, Failure> {
        if let Some(Some(built)) = self.done.get(id as usize) {
            return Ok(built.clone());
        }
        let document = self.document;
        let Some(node) = document.node(id) else {
            return self.fail(id, "yaml: no such node");
        };
        let built = match &node.content {
            // Such numbers do not exist in JSON.
            Content::Scalar(Value::Float(f), _) if !f.0.is_finite() => {
                let number = match f.0 {
                    n if n.is_nan() => "NaN",
                    n if n > 0.0 => "+Inf",
                    _ => "-Inf",
                };
                return self.fail(id, format!("json: unsupported value: {number}"));
            }
            Content::Bad(words) => return self.fail(id, words.clone()),
            Content::Scalar(value, _) => Built {
                value: value.clone(),
                nodes: 1,
                repeats: 0,
            },
            Content::Alias(target) => {
                if self.open.contains(target) {
                    return self.fail(id, "yaml: anchor value contains itself");
                }
                let target = self.node(*target)?;
                Built {
                    nodes: target.nodes.saturating_add(1),
                    repeats: target.nodes,
                    value: target.value,
                }
            }
            Content::List(items) => {
                self.open.push(id);
                let mut built = Built {
                    value: Value::Null,
                    nodes: 1,
                    repeats: 0,
                };
                let mut values = Vec::with_capacity(items.len());
                for item in items {
                    let item = self.node(*item)?;
                    built.nodes = built.nodes.saturating_add(item.nodes);
                    built.repeats = built.repeats.saturating_add(item.repeats);
                    values.push(item.value);
                }
                self.open.pop();
                built.value = Value::from(values);
                built
            }
            Content::Map(entries) => {
                self.open.push(id);
                let mut out = Map::default();
                let mut built = Built {
                    value: Value::Null,
                    nodes: 1,
                    repeats: 0,
                };
                self.entries(entries, &mut out, &mut built)?;
                self.open.pop();
                built.value = Value::from(out);
                built
            }
        };
        if is_excessive(&built) {
            return self.fail(id, "yaml: document contains excessive aliasing");
        }
        if let Some(done) = self.done.get_mut(id as usize) {
            *done = Some(built.clone());
        }
        Ok(built)
    }

    fn entries(
        &mut self,
        entries: &[(NodeId, NodeId)],
        out: &mut Map,
        built: &mut Built,
    ) -> Result<(), Failure> {
        for (key_id, value_id) in entries {
            let key = self.node(*key_id)?;
            let is_merge = matches!(
                self.document.node(*key_id).map(|n| &n.content),
                Some(Content::Scalar(Value::Str(text), true)) if &**text == "<<"
            );
            let value = self.node(*value_id)?;
            for part in [&key, &value] {
                built.nodes = built.nodes.saturating_add(part.nodes);
                built.repeats = built.repeats.saturating_add(part.repeats);
            }
            if is_merge {
                self.merge(*value_id, &value.value, out)?;
                continue;
            }
            let Some(text) = scalar_key(&key.value) else {
                let message = match key.value {
                    Value::Null => format!(
                        "unsupported map key of type: %!s(<nil>), key: <nil>, value: {}",
                        go_syntax(&value.value)
                    ),
                    other => format!("yaml: invalid map key: {}", go_syntax(&other)),
                };
                return self.fail(*key_id, message);
            };
            if out.insert(text, value.value).is_some() {
                self.duplicates.push((*key_id, *value_id));
            }
        }
        Ok(())
    }

    #[inline(never)]
    fn merge(&mut self, id: NodeId, value: &Value, out: &mut Map) -> Result<(), Failure> {
        let maps: Vec<&Value> = match value {
            Value::Map(_) => vec![value],
            // Earlier maps win, so they come last.
            Value::List(items) => items.iter().rev().collect(),
            _ => Vec::new(),
        };
        if maps.is_empty() && !matches!(value, Value::List(_))
            || maps.iter().any(|m| m.as_map().is_none())
        {
            let message = "yaml: map merge requires map or sequence of maps as the value";
            return self.fail(id, message);
        }
        for map in maps {
            for (key, value) in map.entries() {
                out.insert(key.clone(), value.clone());
            }
        }
        Ok(())
    }
}

/// Go's measure against documents that aliases blow up, and a bound of our own.
fn is_excessive(built: &Built) -> bool {
    let ratio_exceeded = built.repeats > 100
        && built.nodes > 1000
        && built.repeats.saturating_mul(100) > built.nodes.saturating_mul(99);
    ratio_exceeded || built.repeats > 0 && built.nodes > MAX_NODES
}

/// A value in Go's syntax (`%#v`), as messages about map keys show it.
#[inline(never)]
fn go_syntax(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".to_string(),
        Value::Bool(b) => b.to_string(),
        Value::Int(i) => i.to_string(),
        Value::Float(f) => json::float_text(f.0),
        Value::Str(text) => podscope_api::status::quote(text),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(go_syntax).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Value::Map(map) => {
            let entry = |(key, value): &(podscope_api::Text, Value)| {
                format!("{}:{}", podscope_api::status::quote(key), go_syntax(value))
            };
            let entries: Vec<String> = map.entries().iter().map(entry).collect();
            format!(
                "map[interface {{}}]interface {{}}{{{}}}",
                entries.join(", ")
            )
        }
    }
}
