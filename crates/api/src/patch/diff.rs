//! Computing patches: what changed between two documents, and `kubectl apply`'s three-way patch.
//!
//! Models: staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go,
//! staging/src/k8s.io/apimachinery/pkg/util/jsonmergepatch/patch.go (v1.36)

use super::keys::{Rule, rule};
use super::list::in_order;
use super::strategic::fold;
use crate::status::Status;
use crate::value::{Map, Value};
use std::cmp::Ordering;

/// The strategic merge patch that turns `original` into `modified`.
pub fn two_way_strategic(kind: &str, original: &Value, modified: &Value) -> Value {
    let diff = Diff {
        kind,
        changes: true,
        deletions: true,
        order: true,
    };
    Value::from(diff.maps(original, modified, "", false))
}

/// The strategic merge patch of `kubectl apply`: fields that `original` (last applied) has and `modified`
/// (the manifest) lacks are deleted, and whatever `modified` says wins over `current` (the live object).
///
/// # Errors
/// The two halves cannot be combined.
pub fn three_way_strategic(
    kind: &str,
    original: &Value,
    modified: &Value,
    current: &Value,
) -> Result<Value, Status> {
    let half = |from: &Value, changes: bool| {
        let diff = Diff {
            kind,
            changes,
            deletions: !changes,
            order: true,
        };
        Value::from(diff.maps(from, modified, "", false))
    };
    let changes = half(current, true);
    fold(kind, half(original, false), &changes)
}

/// The JSON merge patch of `kubectl apply`, used for kinds without a schema of merge keys.
pub fn three_way_merge(original: &Value, modified: &Value, current: &Value) -> Value {
    let changes = merge_diff(current, modified, true);
    let mut patch = merge_diff(original, modified, false);
    overlay(&mut patch, &changes);
    patch
}

fn overlay(target: &mut Value, patch: &Value) {
    for (key, value) in patch.entries() {
        let place = target.map_mut().entry(key);
        match (&place, value) {
            (Value::Map(_), Value::Map(_)) => overlay(place, value),
            _ => *place = value.clone(),
        }
    }
}

/// Either only the additions and changes, or only the deletions (as nulls).
fn merge_diff(from: &Value, to: &Value, changes: bool) -> Value {
    let mut patch = Map::default();
    if changes {
        for (key, new) in to.entries() {
            match (from.get(key), new) {
                (old @ Value::Map(_), Value::Map(_)) => {
                    let inner = merge_diff(old, new, true);
                    if !inner.is_empty() {
                        patch.insert(key.clone(), inner);
                    }
                }
                (old, new) if old != new && !new.is_null() => {
                    patch.insert(key.clone(), new.clone());
                }
                _ => {}
            }
        }
    } else {
        for (key, old) in from.entries() {
            match (old, to.as_map().and_then(|m| m.get(key))) {
                (_, None) => {
                    patch.insert(key.clone(), Value::Null);
                }
                (Value::Map(_), Some(new @ Value::Map(_))) => {
                    let inner = merge_diff(old, new, false);
                    if !inner.is_empty() {
                        patch.insert(key.clone(), inner);
                    }
                }
                _ => {}
            }
        }
    }
    Value::from(patch)
}

struct Diff<'a> {
    kind: &'a str,
    /// Report additions and changes.
    changes: bool,
    /// Report deletions.
    deletions: bool,
    /// Write `$setElementOrder`.
    order: bool,
}

impl Diff<'_> {
    fn maps(&self, original: &Value, modified: &Value, parent: &str, retain: bool) -> Map {
        let mut patch = Map::default();
        let none = Map::default();
        let old_map = original.as_map().unwrap_or(&none);
        for (key, new) in modified.entries() {
            let Some(old) = old_map.get(key) else {
                if self.changes {
                    patch.insert(key.clone(), new.clone());
                }
                continue;
            };
            let rule = rule(self.kind, parent, key);
            match (old, new) {
                (Value::Map(_), Value::Map(_)) if rule.replace => {
                    if self.changes {
                        patch.insert(key.clone(), new.clone());
                    }
                }
                (Value::Map(_), Value::Map(_)) => {
                    let inner = self.maps(old, new, key, rule.retain_keys);
                    if !inner.is_empty() {
                        patch.insert(key.clone(), Value::from(inner));
                    }
                }
                (Value::List(old), Value::List(new)) if rule.merge => {
                    self.lists(old, new, key, rule, &mut patch);
                }
                _ => {
                    if self.changes && old != new {
                        patch.insert(key.clone(), new.clone());
                    }
                }
            }
        }
        let has_new = |key: &str| modified.as_map().is_some_and(|m| m.contains_key(key));
        if self.deletions {
            for (key, _) in old_map.entries().iter().filter(|(key, _)| !has_new(key)) {
                patch.insert(key.clone(), Value::Null);
            }
        }
        let extra = old_map.entries().iter().any(|(key, _)| !has_new(key));
        if retain && (!patch.is_empty() || extra) {
            let keep: Vec<Value> = modified
                .entries()
                .iter()
                .filter(|(_, v)| !v.is_null())
                .map(|(key, _)| Value::Str(key.clone()))
                .collect();
            if !keep.is_empty() {
                patch.insert("$retainKeys", Value::from(keep));
            }
        }
        patch
    }

    fn lists(&self, old: &[Value], new: &[Value], field: &str, rule: Rule, patch: &mut Map) {
        if old.is_empty() {
            if !new.is_empty() && self.changes {
                patch.insert(field, Value::list(new.iter().cloned()));
            }
            return;
        }
        let scalars = rule.key.is_empty();
        let (items, deletes) = if scalars {
            self.scalars(old, new)
        } else {
            (self.elements(old, new, field, rule), Vec::new())
        };
        let same_order = if scalars {
            old == new
        } else {
            old.len() == new.len()
                && old
                    .iter()
                    .zip(new)
                    .all(|(a, b)| a.get(rule.key) == b.get(rule.key))
        };
        let touched = !items.is_empty() || !deletes.is_empty();
        let ordered = self.order
            && ((self.changes && (touched || !same_order)) || (self.deletions && touched));
        if ordered {
            let order = if scalars {
                new.to_vec()
            } else {
                new.iter()
                    .map(|item| Value::from_pairs([(rule.key, item.get(rule.key).clone())]))
                    .collect()
            };
            if !order.is_empty() {
                patch.insert(format!("$setElementOrder/{field}"), Value::from(order));
            }
        }
        if !items.is_empty() {
            patch.insert(field, Value::from(items));
        }
        if !deletes.is_empty() {
            patch.insert(
                format!("$deleteFromPrimitiveList/{field}"),
                Value::from(deletes),
            );
        }
    }

    fn scalars(&self, old: &[Value], new: &[Value]) -> (Vec<Value>, Vec<Value>) {
        let pick = |from: &[Value], other: &[Value], wanted: bool| -> Vec<Value> {
            let items = from.iter().filter(|i| wanted && !other.contains(i));
            items.cloned().collect()
        };
        (
            in_order(pick(new, old, self.changes), new, ""),
            pick(old, new, self.deletions),
        )
    }

    /// The changed elements in the order of `new`, then deletions in the order of their keys. Both lists
    /// are walked side by side in the order of their keys; of equal keys in one list, which the API forbids,
    /// the last comes first, as in the original's sorting.
    fn elements(&self, old: &[Value], new: &[Value], field: &str, rule: Rule) -> Vec<Value> {
        let text = |v: &Value| match v.get(rule.key) {
            Value::Str(s) => s.to_string(),
            other => crate::json::to_string(other),
        };
        let sorted = |list: &[Value]| {
            let mut keyed: Vec<(String, Value)> = list
                .iter()
                .rev()
                .map(|item| (text(item), item.clone()))
                .collect();
            crate::sort::by(&mut keyed, |a, b| a.0.cmp(&b.0));
            keyed
        };
        let (old, sorted_new) = (sorted(old), sorted(new));
        let (mut before, mut after) = (old.iter().peekable(), sorted_new.iter().peekable());
        let (mut items, mut deletes) = (Vec::new(), Vec::new());
        loop {
            let order = match (before.peek(), after.peek()) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(a), Some(b)) => a.0.cmp(&b.0),
            };
            let was = (order != Ordering::Greater)
                .then(|| before.next())
                .flatten();
            let is = (order != Ordering::Less).then(|| after.next()).flatten();
            match (was, is) {
                (Some((_, was)), Some((_, is))) => {
                    let mut inner = self.maps(was, is, field, rule.retain_keys);
                    if !inner.is_empty() {
                        inner.insert(rule.key, is.get(rule.key).clone());
                        items.push(Value::from(inner));
                    }
                }
                (None, Some((_, is))) if self.changes => items.push(is.clone()),
                (Some((_, was)), None) if self.deletions => {
                    deletes.push(Value::from_pairs([
                        (rule.key, was.get(rule.key).clone()),
                        ("$patch", Value::from("delete")),
                    ]));
                }
                _ => {}
            }
        }
        let mut items = in_order(items, new, rule.key);
        items.extend(deletes);
        items
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::to_string;
    use crate::value;

    #[test]
    fn three_ways() {
        let original = value!({"spec": {"replicas": 2, "containers": [{"name": "a", "env": [{"name": "X"}]}]}});
        let modified = value!({"spec": {"containers": [{"name": "a", "image": "2"}]}});
        let current = value!({"spec": {"replicas": 9, "containers": [
            {"name": "a", "image": "1", "env": [{"name": "X"}]}, {"name": "injected"}]}});
        let patch = three_way_strategic("Pod", &original, &modified, &current).expect("fits");
        assert_eq!(
            to_string(&patch),
            r#"{"spec":{"$setElementOrder/containers":[{"name":"a"}],"containers":[{"env":null,"image":"2","name":"a"}],"replicas":null}}"#
        );
        assert_eq!(
            to_string(&three_way_merge(&original, &modified, &current)),
            r#"{"spec":{"containers":[{"image":"2","name":"a"}],"replicas":null}}"#
        );
    }
}
