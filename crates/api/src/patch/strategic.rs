//! Strategic merge patch: applying one to an object, and folding two patches into one.
//!
//! Models: staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go (v1.36)

use super::keys::rule;
use super::list::{arrange, is_delete, position};
use super::unprocessable;
use crate::status::Status;
use crate::value::{Map, Text, Value};

/// Directive of a map or list element: `delete`, `replace` or `merge`.
const PATCH: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const SET_ORDER: &str = "$setElementOrder/";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";

/// Applies a strategic merge patch to an object of the kind named `kind`.
///
/// # Errors
/// 400 for a malformed patch, 422 for one without merge keys, 500 for an unknown directive.
pub fn strategic(kind: &str, object: &Value, patch: &Value) -> Result<Value, Status> {
    if !matches!(patch, Value::Map(_)) {
        let what = match patch {
            Value::Null => return Ok(object.clone()),
            Value::List(_) => "array",
            Value::Str(_) => "string",
            Value::Bool(_) => "bool",
            _ => "number",
        };
        return Err(Status::bad_request(format!(
            "json: cannot unmarshal {what} into Go value of type map[string]interface {{}}"
        )));
    }
    let merge = Merge { kind, apply: true };
    merge.map(object.clone(), patch, "")
}

/// Folds the `changes` patch into the `deletions` patch; directives stay for the server.
pub(super) fn fold(kind: &str, deletions: Value, changes: &Value) -> Result<Value, Status> {
    let merge = Merge { kind, apply: false };
    merge.map(deletions, changes, "")
}

struct Merge<'a> {
    kind: &'a str,
    /// Whether directives are carried out (and nulls removed) or kept.
    apply: bool,
}

impl Merge<'_> {
    fn map(&self, original: Value, patch: &Value, parent: &str) -> Result<Value, Status> {
        if let Some(directive) = patch.as_map().and_then(|m| m.get(PATCH)) {
            return match directive.as_str() {
                Some("replace") => {
                    let mut rest = patch.clone();
                    rest.remove(PATCH);
                    Ok(rest)
                }
                Some("delete") => Ok(Value::map()),
                _ => Err(unknown_directive(directive, patch)),
            };
        }
        let mut patch = patch.as_map().cloned().unwrap_or_default();
        let mut original = original;
        let target = original.map_mut();
        self.retain_keys(target, &mut patch)?;
        self.ordered_lists(target, &mut patch, parent)?;
        for (key, change) in patch.entries() {
            let (key, deletes) = match key.strip_prefix(DELETE_FROM) {
                Some(_) if !self.apply => {
                    target.insert(key.clone(), change.clone());
                    continue;
                }
                Some(list) => (list, true),
                None => (key.as_ref(), false),
            };
            if change.is_null() {
                target.remove(key);
                if self.apply {
                    continue;
                }
            }
            let same_type = |v: &Value| {
                matches!(
                    (v, change),
                    (Value::Map(_), Value::Map(_)) | (Value::List(_), Value::List(_))
                )
            };
            let Some(old) = target.get(key).cloned() else {
                if !deletes {
                    target.insert(Text::from(key), self.added(change));
                }
                continue;
            };
            let rule = rule(self.kind, parent, key);
            let merged = if !same_type(&old) {
                if deletes {
                    continue;
                }
                self.added(change)
            } else if matches!(old, Value::Map(_)) {
                if rule.replace {
                    change.clone()
                } else {
                    self.map(old, change, key)?
                }
            } else if rule.merge || deletes {
                Value::from(self.list(old.items(), change.items(), key, rule.key, deletes)?)
            } else {
                change.clone()
            };
            target.insert(Text::from(key), merged);
        }
        Ok(original)
    }

    /// A value that the original does not have: without directives and nulls when applying.
    fn added(&self, change: &Value) -> Value {
        if self.apply {
            without_nulls(change)
        } else {
            change.clone()
        }
    }

    fn retain_keys(&self, target: &mut Map, patch: &mut Map) -> Result<(), Status> {
        let Some(keep) = patch.remove(RETAIN_KEYS) else {
            return Ok(());
        };
        let bad = || Status::bad_request("invalid patch format of retainKeys");
        if !self.apply {
            if target.get(RETAIN_KEYS).is_some_and(|other| *other != keep) {
                return Err(bad());
            }
            target.insert(RETAIN_KEYS, keep);
            return Ok(());
        }
        let kept = |key: &str| keep.items().iter().any(|k| k.as_str() == Some(key));
        let fits = patch.entries().iter().all(|(key, value)| {
            value.is_null()
                || key.starts_with(DELETE_FROM)
                || key.starts_with(SET_ORDER)
                || kept(key)
        });
        if !fits || !matches!(keep, Value::List(_)) {
            return Err(bad());
        }
        target.retain(|key, _| kept(key));
        Ok(())
    }

    /// Merges the lists that have a `$setElementOrder/…` directive and puts them in order.
    fn ordered_lists(&self, target: &mut Map, patch: &mut Map, parent: &str) -> Result<(), Status> {
        let directives: Vec<(Text, Value)> = patch
            .entries()
            .iter()
            .filter(|(key, _)| key.starts_with(SET_ORDER))
            .cloned()
            .collect();
        for (directive, order) in directives {
            let bad = || Status::bad_request("invalid patch format of setElementOrder list");
            let field = directive.strip_prefix(SET_ORDER).unwrap_or_default();
            if !self.apply {
                if target.get(&directive).is_some_and(|other| *other != order) {
                    return Err(bad());
                }
                target.insert(directive.clone(), order.clone());
            }
            patch.remove(&directive);
            let change = patch.remove(field);
            let old = target.get(field).cloned();
            let key = rule(self.kind, parent, field).key;
            let items = change.as_ref().map(Value::items).unwrap_or_default();
            let in_order_list = |item: &Value| {
                is_delete(item)
                    || item.get(PATCH).as_str() == Some("replace")
                    || position(order.items(), item, key).is_some()
            };
            if !matches!(order, Value::List(_)) || !items.iter().all(in_order_list) {
                return Err(bad());
            }
            let merged = match (&old, &change) {
                (None, None) => continue,
                (Some(old), None) => old.items().to_vec(),
                (None, Some(change)) => {
                    let added = if self.apply {
                        without_directives(change)
                    } else {
                        change.clone()
                    };
                    added.items().to_vec()
                }
                (Some(old), Some(change)) => {
                    self.list(old.items(), change.items(), field, key, false)?
                }
            };
            let server = old.as_ref().map(Value::items).unwrap_or_default();
            let arranged = arrange(merged, order.items(), server, key);
            target.insert(field, Value::from(arranged));
        }
        Ok(())
    }

    fn list(
        &self,
        original: &[Value],
        patch: &[Value],
        field: &str,
        key: &str,
        deletes: bool,
    ) -> Result<Vec<Value>, Status> {
        let mut merged = original.to_vec();
        let mut changes: Vec<Value> = Vec::new();
        if key.is_empty() {
            if deletes {
                merged.retain(|item| !patch.contains(item));
                return Ok(merged);
            }
            for item in patch {
                if !merged.contains(item) {
                    merged.push(item.clone());
                }
            }
            return Ok(arrange(merged, patch, original, key));
        }
        let no_key = |item: &Value| {
            let shown = crate::json::to_string(item);
            Status::new(
                500,
                "",
                format!("map: {shown} does not contain declared merge key: {key}"),
            )
        };
        let mut replace = false;
        for item in patch {
            match item.as_map().ok_or_else(unprocessable)?.get(PATCH) {
                None => changes.push(item.clone()),
                Some(Value::Str(d)) if d.as_ref() == "delete" => {
                    if item.get(key).is_null() {
                        return Err(no_key(item));
                    }
                    merged.retain(|old| old.get(key) != item.get(key));
                    if !self.apply {
                        merged.push(item.clone());
                    }
                }
                Some(Value::Str(d)) if d.as_ref() == "replace" => replace = true,
                Some(directive) => return Err(unknown_directive(directive, item)),
            }
        }
        if replace {
            return Ok(changes);
        }
        for item in &changes {
            if item.get(key).is_null() {
                return Err(no_key(item));
            }
            match position(&merged, item, key) {
                Some(at) => {
                    if let Some(old) = merged.get_mut(at) {
                        *old = self.map(std::mem::take(old), item, field)?;
                    }
                }
                None => merged.push(self.added(item)),
            }
        }
        Ok(arrange(merged, &changes, original, key))
    }
}

fn unknown_directive(directive: &Value, patch: &Value) -> Status {
    let shown: Vec<String> = patch
        .entries()
        .iter()
        .map(|(k, v)| {
            let text = v
                .as_str()
                .map_or_else(|| crate::json::to_string(v), String::from);
            format!("{k}:{text}")
        })
        .collect();
    let message = format!(
        "unknown patch type: {} in map: map[{}]",
        directive.str_or_empty(),
        shown.join(" ")
    );
    Status::new(500, "", message)
}

fn without_nulls(value: &Value) -> Value {
    strip(value, true)
}

fn without_directives(value: &Value) -> Value {
    strip(value, false)
}

/// The value without directives (and, when asked, without null fields).
fn strip(value: &Value, nulls: bool) -> Value {
    match value {
        Value::Map(map) => Value::from_pairs(map.entries().iter().filter_map(|(key, v)| {
            let directive = key.as_ref() == PATCH
                || key.as_ref() == RETAIN_KEYS
                || key.starts_with(SET_ORDER)
                || key.starts_with(DELETE_FROM);
            (!(directive || nulls && v.is_null())).then(|| (key.clone(), strip(v, nulls)))
        })),
        Value::List(items) => Value::list(
            items
                .iter()
                .filter(|item| !is_delete(item))
                .map(|item| strip(item, nulls)),
        ),
        leaf => leaf.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    #[test]
    fn lists_merge_by_key_and_directives_apply() {
        let object = value!({"spec": {"containers": [{"name": "a", "image": "1"}, {"name": "b"}],
            "tolerations": [{"key": "x"}], "volumes": [{"name": "v", "emptyDir": {}}]}});
        let patch = value!({"spec": {
            "$setElementOrder/containers": [{"name": "c"}, {"name": "a"}],
            "containers": [{"name": "c", "image": "3"}, {"name": "a", "image": null},
                {"name": "b", "$patch": "delete"}],
            "tolerations": [{"key": "y"}],
            "volumes": [{"name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": {}}]}});
        let want = value!({"spec": {"containers": [{"name": "c", "image": "3"}, {"name": "a"}],
            "tolerations": [{"key": "y"}], "volumes": [{"name": "v", "hostPath": {}}]}});
        assert_eq!(strategic("Pod", &object, &patch), Ok(want));
        let bad = value!({"spec": {"$patch": "foo"}});
        assert_eq!(
            strategic("Pod", &object, &bad).map_err(|s| s.message.to_string()),
            Err("unknown patch type: foo in map: map[$patch:foo]".into())
        );
    }

    #[test]
    fn scalars_merge() {
        let object = value!({"metadata": {"finalizers": ["a", "b"]}});
        let patch = value!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"],
            "finalizers": ["c", "b"]}});
        let got = strategic("Pod", &object, &patch).expect("fits");
        assert_eq!(got.at("metadata.finalizers"), &value!(["c", "b"]));
    }
}
