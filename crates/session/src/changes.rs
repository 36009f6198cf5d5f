//! What applying a text would change in the objects that are there, field by field, and who set these fields.

use crate::session::Session;
use crate::view::{FieldChange, ObjectChange, ObjectRef, Text};
use podscope_api::{Object, Value, json};
use std::rc::Rc;

/// The most fields of one object.
const MAX_FIELDS: usize = 100;
/// The longest value shown, in characters.
const MAX_VALUE: usize = 120;
/// Fields that the server keeps for itself.
const KEPT: &[&str] = &[
    "creationTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];
/// The annotation in which kubectl keeps what it applied.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// What managers of kubectl apply begin with.
const APPLY: &str = "kubectl";

/// What would change, object by object, in the order of the text.
pub fn changes(session: &Session, text: &str) -> Rc<[ObjectChange]> {
    if text.len() > crate::diagnose::MAX_BYTES {
        return Vec::new().into();
    }
    crate::preview::stored(session, text)
        .iter()
        .map(|(old, new)| of_object(old.as_deref(), new))
        .collect()
}

fn of_object(old: Option<&Object>, new: &Object) -> ObjectChange {
    let mut fields = Vec::new();
    if let Some(old) = old {
        let mut walk = Walk {
            managers: managers(old),
            fields: &mut fields,
        };
        walk.map(&old.0, &new.0, "", &mut Vec::new());
    }
    ObjectChange {
        object: ObjectRef {
            kind: new.kind().map_or("", |kind| kind.name()).into(),
            namespace: new.namespace().into(),
            name: new.name().into(),
        },
        new: old.is_none(),
        fields: fields.into(),
    }
}

/// Managers with their fields, the latest first.
fn managers(object: &Object) -> Vec<(Text, Value)> {
    let mut found: Vec<(Text, Text, Value)> = object
        .at("metadata.managedFields")
        .items()
        .iter()
        .map(|entry| {
            (
                entry.get("time").str_or_empty().into(),
                entry.get("manager").str_or_empty().into(),
                entry.get("fieldsV1").clone(),
            )
        })
        .collect();
    podscope_api::sort::by_key(&mut found, |entry| std::cmp::Reverse(entry.0.clone()));
    found
        .into_iter()
        .map(|(_, manager, fields)| (manager, fields))
        .collect()
}

struct Walk<'a> {
    managers: Vec<(Text, Value)>,
    fields: &'a mut Vec<FieldChange>,
}

impl Walk<'_> {
    /// `keys` is the place as `fieldsV1` writes it.
    fn value(&mut self, old: &Value, new: &Value, path: &str, keys: &mut Vec<String>) {
        if old == new || self.fields.len() >= MAX_FIELDS {
            return;
        }
        if old.as_map().is_some() && new.as_map().is_some() {
            return self.map(old, new, path, keys);
        }
        if named(old) && named(new) {
            return self.list(old, new, path, keys);
        }
        let owner = self.owner(keys);
        self.fields.push(FieldChange {
            path: path.into(),
            from: short(old),
            to: short(new),
            foreign: owner.as_ref().is_some_and(|o| !o.starts_with(APPLY)),
            owner,
        });
    }

    fn map(&mut self, old: &Value, new: &Value, path: &str, keys: &mut Vec<String>) {
        let olds = old.entries().iter().map(|(key, _)| key);
        let added = new.entries().iter().map(|(key, _)| key);
        let added = added.filter(|key| old.get(key).is_null());
        for key in olds.chain(added) {
            let kept = path.is_empty() && &**key == "status"
                || path == "metadata" && KEPT.contains(&&**key)
                || &**key == LAST_APPLIED;
            if kept {
                continue;
            }
            let below = match path {
                "" => key.to_string(),
                _ if key.contains(['.', '/']) => [path, "[", key, "]"].concat(),
                _ => [path, ".", key].concat(),
            };
            keys.push(["f:", key].concat());
            self.value(old.get(key), new.get(key), &below, keys);
            keys.pop();
        }
    }

    /// Lists of objects with names: by name.
    fn list(&mut self, old: &Value, new: &Value, path: &str, keys: &mut Vec<String>) {
        let none = Value::Null;
        let name = |item: &Value| item.get("name").str_or_empty().to_owned();
        let find =
            |list: &[Value], wanted: &str| list.iter().find(|item| name(item) == wanted).cloned();
        let mut names: Vec<String> = old.items().iter().map(name).collect();
        let added: Vec<String> = new.items().iter().map(name).collect();
        names.extend(added.into_iter().filter(|n| find(old.items(), n).is_none()));
        names.dedup();
        for wanted in names {
            let (from, to) = (find(old.items(), &wanted), find(new.items(), &wanted));
            let key = Value::from_pairs([("name", Value::str(wanted.as_str()))]);
            keys.push(["k:", &json::to_string(&key)].concat());
            let below = [path, "[", &wanted, "]"].concat();
            self.value(
                from.as_ref().unwrap_or(&none),
                to.as_ref().unwrap_or(&none),
                &below,
                keys,
            );
            keys.pop();
        }
    }

    /// The manager that owns the place, or the nearest one around it that somebody owns.
    fn owner(&self, keys: &[String]) -> Option<Text> {
        let owns = |fields: &Value| {
            let mut at = fields;
            keys.iter().all(|key| {
                at = at.get(key);
                !at.is_null()
            })
        };
        self.managers
            .iter()
            .find(|(_, fields)| owns(fields))
            .map(|(manager, _)| manager.clone())
    }
}

/// Whether a value is a list of objects that all have a name.
fn named(value: &Value) -> bool {
    let items = value.items();
    !items.is_empty() && items.iter().all(|i| i.get("name").as_str().is_some())
}

fn short(value: &Value) -> Option<Text> {
    if value.is_null() {
        return None;
    }
    let text = match value.as_str() {
        Some(text) => text.to_owned(),
        None => json::to_string(value),
    };
    if text.chars().count() <= MAX_VALUE {
        return Some(text.into());
    }
    let mut cut: String = text.chars().take(MAX_VALUE).collect();
    cut.push('…');
    Some(cut.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{SessionApi, Source};

    #[test]
    fn only_what_changes_is_listed_with_its_owner() {
        let mut session = Session::open(Source::Preset("birth")).expect("opens");
        let text = session.files()[0].text.to_string();
        let fresh = session.changes(&text);
        assert_eq!(fresh.len(), 1);
        assert!(fresh[0].new && fresh[0].fields.is_empty());
        session.apply("nginx.yaml").expect("accepted");
        session.seek_end();
        let changed = session.changes(&text);
        assert!(
            !changed[0].new && changed[0].fields.is_empty(),
            "{changed:#?}"
        );
        session
            .kubectl(&["scale", "deployment/nginx", "--replicas=5"])
            .expect("accepted");
        session.seek_end();
        let changed = session.changes(&text.replace("image: nginx", "image: httpd"));
        let seen: Vec<String> = changed[0]
            .fields
            .iter()
            .map(|f| {
                format!(
                    "{} {:?} {:?} {:?} {}",
                    f.path,
                    f.from.as_deref(),
                    f.to.as_deref(),
                    f.owner.as_deref(),
                    f.foreign
                )
            })
            .collect();
        assert_eq!(seen.len(), 2, "{seen:#?}");
        assert!(
            seen.iter()
                .any(|s| s.contains("spec.replicas Some(\"5\") Some(\"3\")")),
            "{seen:#?}"
        );
        assert!(
            seen.iter().any(|s| s.contains("[nginx].image")),
            "{seen:#?}"
        );
    }
}
