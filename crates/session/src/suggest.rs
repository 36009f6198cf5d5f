//! Completion and documentation of manifest fields: the schema, and what is in the cluster.

use crate::complete::named;
use crate::readers;
use crate::session::Session;
use crate::view::{FieldView, SuggestItem, SuggestView, Text};
use podscope_api::{Kind, schema};
use podscope_manifest::{self as manifest, complete::Place};
use std::rc::Rc;

/// The most proposals.
const MAX: usize = 60;

/// Ends of field paths whose value is the name of an object.
const NAMES: &[(&str, Kind)] = &[
    ("configMap.name", Kind::ConfigMap),
    ("configMapKeyRef.name", Kind::ConfigMap),
    ("configMapRef.name", Kind::ConfigMap),
    ("imagePullSecrets.name", Kind::Secret),
    ("metadata.namespace", Kind::Namespace),
    ("nodeName", Kind::Node),
    (
        "persistentVolumeClaim.claimName",
        Kind::PersistentVolumeClaim,
    ),
    ("priorityClassName", Kind::PriorityClass),
    ("runtimeClassName", Kind::RuntimeClass),
    ("scaleTargetRef.name", Kind::Deployment),
    ("secret.secretName", Kind::Secret),
    ("secretKeyRef.name", Kind::Secret),
    ("secretRef.name", Kind::Secret),
    ("serviceAccountName", Kind::ServiceAccount),
    ("storageClassName", Kind::StorageClass),
];

/// Proposals for a cursor before a byte of the text.
pub fn suggest(session: &Session, text: &str, cursor: u32) -> SuggestView {
    if text.len() > crate::diagnose::MAX_BYTES {
        return SuggestView::default();
    }
    let found = manifest::complete(text, cursor);
    let mut items: Vec<SuggestItem> = found
        .items
        .iter()
        .map(|item| SuggestItem {
            label: item.label.as_str().into(),
            detail: item.detail.as_str().into(),
            insert: item.insert.as_str().into(),
            required: item.required,
        })
        .collect();
    let mut replace = found.replace;
    if items.is_empty()
        && let Some(place) = manifest::complete::place(text, cursor)
    {
        replace = place.replace;
        items = in_cluster(session, &place);
    }
    items.truncate(MAX);
    SuggestView {
        from: replace.start,
        to: replace.end,
        items: items.into(),
    }
}

/// Names of objects, and labels of nodes.
fn in_cluster(session: &Session, place: &Place) -> Vec<SuggestItem> {
    let path = place.path.join(".");
    let of_nodes = || named(session, Kind::Node);
    let mut items: Vec<(Text, Text, Text)> = Vec::new();
    let mut put = |label: &str, detail: &str, insert: String| {
        items.push((label.into(), detail.into(), insert.into()));
    };
    match &place.value_of {
        None if path.ends_with("nodeSelector") => {
            for (key, _) in of_nodes().flat_map(|o| o.labels().entries()) {
                put(key, "Node", [key, ": "].concat());
            }
        }
        Some(key) if path.ends_with("nodeSelector") => {
            for value in of_nodes().filter_map(|o| o.label(key)) {
                put(value, "Node", manifest::scalar_text(value));
            }
        }
        Some(key) if key == "topologyKey" => {
            for (key, _) in of_nodes().flat_map(|o| o.labels().entries()) {
                put(key, "Node", key.to_string());
            }
        }
        Some(key) => {
            let whole = [&path, ".", key.as_str()].concat();
            let fits = |end: &str| {
                whole
                    .strip_suffix(end)
                    .is_some_and(|before| before.is_empty() || before.ends_with('.'))
            };
            for (_, kind) in NAMES.iter().filter(|(end, _)| fits(end)) {
                for object in named(session, *kind) {
                    put(
                        object.name(),
                        kind.name(),
                        manifest::scalar_text(object.name()),
                    );
                }
            }
        }
        None => {}
    }
    let word = place.word.to_ascii_lowercase();
    items.retain(|(label, ..)| label.to_ascii_lowercase().starts_with(&word));
    podscope_api::sort::natural(&mut items);
    items.dedup();
    items
        .into_iter()
        .map(|(label, detail, insert)| SuggestItem {
            label,
            detail,
            insert,
            required: false,
        })
        .collect()
}

/// The field at a byte of the text, or the one called `child` where the cursor stands.
pub fn field(text: &str, cursor: u32, child: Option<&str>) -> Option<FieldView> {
    if text.len() > crate::diagnose::MAX_BYTES {
        return None;
    }
    let (kind, path) = match child {
        Some(child) => {
            let place = manifest::complete::place(text, cursor)?;
            let mut path = place.path;
            path.push(child.to_string());
            (place.kind?, path)
        }
        None => manifest::complete::path_at(text, cursor)?,
    };
    let parts: Vec<&str> = path.iter().map(String::as_str).collect();
    let field = schema::field(kind, &parts)?;
    let owner = match parts.split_last() {
        Some((_, [])) | None => Some(schema::of(kind)),
        Some((_, parents)) => schema::field(kind, parents).and_then(|f| f.ty.inner_struct()),
    };
    let code = owner.map_or("field", |owner| owner.name());
    let values: Vec<Text> = field
        .ty
        .values()
        .filter(|v| !v.is_empty())
        .map(Rc::from)
        .collect();
    Some(FieldView {
        path: path.join(".").into(),
        of: field.ty.label().into(),
        required: field.required,
        default: field.default.map(Rc::from),
        values: values.into(),
        readers: readers::of_field(kind, &path).into(),
        simulated: manifest::not_simulated::is_simulated(kind, &parts),
        code: ["field.", code, ".", field.name].concat().into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Source;

    fn labels(session: &Session, text: &str) -> Vec<String> {
        let cursor = text.find('^').expect("a cursor") as u32;
        let found = suggest(session, &text.replace('^', ""), cursor);
        found.items.iter().map(|i| i.label.to_string()).collect()
    }

    #[test]
    fn names_come_from_the_cluster() {
        let session = Session::open(Source::Preset("birth")).expect("opens");
        let pod = "apiVersion: v1\nkind: Pod\nspec:\n";
        assert_eq!(
            labels(&session, &format!("{pod}  nodeName: ^")),
            ["node-1", "node-2", "node-3"]
        );
        assert_eq!(
            labels(&session, &format!("{pod}  priorityClassName: system-n^")),
            ["system-node-critical"]
        );
        let zones = labels(
            &session,
            &format!("{pod}  nodeSelector:\n    topology.kubernetes.io/zone: ^"),
        );
        assert!(zones.len() >= 2, "{zones:?}");
        let keys = labels(
            &session,
            &format!("{pod}  nodeSelector:\n    kubernetes.io/h^"),
        );
        assert_eq!(keys, ["kubernetes.io/hostname"]);
        assert_eq!(
            labels(&session, &format!("{pod}  restartPolicy: N^")),
            ["Never"]
        );
    }

    #[test]
    fn fields_are_described() {
        let text =
            "apiVersion: v1\nkind: Pod\nspec:\n  hostname: x\n  containers:\n  - image: nginx\n";
        let at = |needle: &str| {
            let cursor = text.find(needle).expect("there") as u32 + 1;
            field(text, cursor, None).expect("a field")
        };
        let image = at("image");
        assert_eq!(&*image.code, "field.Container.image");
        assert_eq!(&*image.path, "spec.containers.image");
        assert!(image.simulated);
        assert!(!at("hostname").simulated);
        let child = field(text, text.len() as u32 - 13, Some("imagePullPolicy"));
        assert!(child.is_some_and(|c| c.values.len() == 3));
    }

    #[test]
    fn every_description_is_of_a_field() {
        let text = include_str!("../../../content/en/fields.txt");
        let mut section = "";
        let mut seen = 0;
        for line in text.lines().filter(|l| !l.starts_with('#')) {
            if let Some(name) = line.strip_prefix("[field.") {
                section = name.trim_end_matches(']');
            } else if let Some((name, words)) = line.split_once(" = ") {
                let owner = schema::named(section)
                    .or_else(|| {
                        Kind::ALL
                            .iter()
                            .find(|k| k.name() == section)
                            .map(|k| schema::of(*k))
                    })
                    .or_else(|| schema::named(&["v2.", section].concat()));
                let field =
                    owner.and_then(|owner| owner.fields().into_iter().find(|f| f.name == name));
                assert!(field.is_some(), "{section}.{name}");
                assert!(words.len() > 10, "{section}.{name}");
                seen += 1;
            }
        }
        assert!(seen > 150, "{seen}");
    }
}
