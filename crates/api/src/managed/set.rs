//! Sets of fields: which parts of an object somebody owns. Written as `fieldsV1`.
//!
//! Models: sigs.k8s.io/structured-merge-diff/v6/fieldpath/{set,serialize}.go

use crate::json;
use crate::value::{Text, Value};

/// A place and the places below it. Children are keyed as in `fieldsV1`: `f:name`, `k:{…}`, `v:…`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Set {
    /// Whether the place itself belongs to the set.
    pub own: bool,
    /// In byte order of their keys; none is empty.
    children: Vec<(Text, Set)>,
}

/// Which members of two sets stay.
#[derive(Clone, Copy, PartialEq)]
enum Keep {
    Either,
    Both,
    First,
}

const NOTHING: &Set = &Set {
    own: false,
    children: Vec::new(),
};

impl Set {
    /// The set that `fieldsV1` describes.
    pub fn read(fields: &Value) -> Set {
        let mut set = Set::default();
        for (key, below) in fields.entries() {
            if &**key == "." {
                set.own = true;
                continue;
            }
            let mut child = Set::read(below);
            child.own |= below.is_empty();
            set.children.push((key.clone(), child));
        }
        set
    }

    /// `fieldsV1`.
    pub fn write(&self) -> Value {
        let mut fields = Value::map();
        let map = fields.map_mut();
        if self.own && !self.children.is_empty() {
            map.insert(".", Value::map());
        }
        for (key, child) in &self.children {
            map.insert(key.clone(), child.write());
        }
        fields
    }

    /// Whether nothing belongs to it.
    pub fn is_empty(&self) -> bool {
        !self.own && self.children.is_empty()
    }

    /// The places below, with their keys.
    pub fn children(&self) -> &[(Text, Set)] {
        &self.children
    }

    /// What lies below a key.
    pub fn child(&self, key: &str) -> &Set {
        match self.children.binary_search_by(|(k, _)| (**k).cmp(key)) {
            Ok(at) => self.children.get(at).map_or(NOTHING, |(_, child)| child),
            Err(_) => NOTHING,
        }
    }

    /// Puts a set below a key; an empty one is left out.
    pub fn put(&mut self, key: &str, below: Set) {
        let found = self.children.binary_search_by(|(k, _)| (**k).cmp(key));
        match found {
            _ if below.is_empty() => {
                if let Ok(at) = found {
                    self.children.remove(at);
                }
            }
            Ok(at) => {
                if let Some(place) = self.children.get_mut(at) {
                    place.1 = below;
                }
            }
            Err(at) => self.children.insert(at, (key.into(), below)),
        }
    }

    /// Adds the place at a path.
    pub fn insert(&mut self, path: &[Text]) {
        let Some((first, rest)) = path.split_first() else {
            self.own = true;
            return;
        };
        let found = self.children.binary_search_by(|(k, _)| (**k).cmp(first));
        let at = found.unwrap_or_else(|at| {
            self.children.insert(at, (first.clone(), Set::default()));
            at
        });
        if let Some((_, below)) = self.children.get_mut(at) {
            below.insert(rest);
        }
    }

    /// Drops the place at a path and everything below it.
    pub fn cut(&mut self, path: &[&str]) {
        match path {
            [] => *self = Set::default(),
            [first, rest @ ..] => {
                let found = self.children.binary_search_by(|(k, _)| (**k).cmp(first));
                let Ok(at) = found else { return };
                if let Some((_, below)) = self.children.get_mut(at) {
                    below.cut(rest);
                }
                self.children.retain(|(_, below)| !below.is_empty());
            }
        }
    }

    /// What belongs to one of them.
    pub fn or(&self, other: &Set) -> Set {
        combine(self, other, Keep::Either)
    }

    /// What belongs to both.
    pub fn and(&self, other: &Set) -> Set {
        combine(self, other, Keep::Both)
    }

    /// What belongs to this one only.
    pub fn minus(&self, other: &Set) -> Set {
        combine(self, other, Keep::First)
    }

    /// The members as texts such as `.spec.containers[name="web"].image`.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.write_paths("", &mut paths);
        paths
    }

    fn write_paths(&self, prefix: &str, paths: &mut Vec<String>) {
        for (key, child) in &self.children {
            if child.own {
                paths.push(format!("{prefix}{}", element(key)));
            }
        }
        for (key, child) in &self.children {
            if !child.children.is_empty() {
                child.write_paths(&format!("{prefix}{}", element(key)), paths);
            }
        }
    }
}

fn combine(a: &Set, b: &Set, keep: Keep) -> Set {
    let mut result = Set {
        own: match keep {
            Keep::Either => a.own || b.own,
            Keep::Both => a.own && b.own,
            Keep::First => a.own && !b.own,
        },
        children: Vec::new(),
    };
    let (mut i, mut j) = (0, 0);
    loop {
        let (left, right) = (a.children.get(i), b.children.get(j));
        let order = match (left, right) {
            (None, None) => break,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(l), Some(r)) => l.0.cmp(&r.0),
        };
        let key = if order.is_gt() { right } else { left };
        let x = left.filter(|_| order.is_le()).map_or(NOTHING, |(_, s)| s);
        let y = right.filter(|_| order.is_ge()).map_or(NOTHING, |(_, s)| s);
        i += usize::from(order.is_le());
        j += usize::from(order.is_ge());
        let below = combine(x, y, keep);
        if let Some((key, _)) = key
            && !below.is_empty()
        {
            result.children.push((key.clone(), below));
        }
    }
    result
}

/// `.name`, `[name="web"]` or `[="x"]` for a key of `fieldsV1`.
pub fn element(key: &str) -> String {
    let (sort, rest) = key.split_once(':').unwrap_or(("f", key));
    match sort {
        "k" => {
            let keys = json::parse(rest).unwrap_or_default();
            let parts = keys.entries().iter();
            let parts: Vec<String> = parts
                .map(|(k, v)| format!("{k}={}", json::to_string(v)))
                .collect();
            format!("[{}]", parts.join(","))
        }
        "v" => format!("[={rest}]"),
        "i" => format!("[{rest}]"),
        _ => format!(".{rest}"),
    }
}
