//! Compares the schema table with the field lists of a real API server.

use podscope_api::schema::{self, PatchStrategy, Topology};
use podscope_api::{Kind, Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("PODSCOPE_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = root.join(path);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not there", path.display());
    None
}

fn patch_text(patch: PatchStrategy) -> (&'static str, &'static str) {
    match patch {
        PatchStrategy::Default => ("", ""),
        PatchStrategy::Replace => ("replace", ""),
        PatchStrategy::Merge(key) => ("merge", key),
        PatchStrategy::RetainKeys => ("retainKeys", ""),
        PatchStrategy::MergeRetainKeys(key) => ("merge,retainKeys", key),
    }
}

#[test]
fn the_table_has_what_the_server_publishes() {
    let Some(path) = shared("conformance/corpora/explain/fields.jsonl") else {
        return;
    };
    let text = std::fs::read_to_string(path).expect("readable");
    let mut wrong = Vec::new();
    let mut listed: BTreeMap<(Kind, Vec<String>), Vec<String>> = BTreeMap::new();
    for line in text.lines() {
        let row = json::parse(line).expect("JSON");
        let get = |key: &str| row.get(key).str_or_empty().to_string();
        let api_version = match get("group").as_str() {
            "" => get("version"),
            group => format!("{group}/{}", get("version")),
        };
        let Some(kind) = Kind::from_api(&api_version, &get("kind")) else {
            continue;
        };
        let clean = get("field").replace("[]", "").replace("{}", "");
        let parts: Vec<&str> = clean.split('.').filter(|p| !p.is_empty()).collect();
        let Some((last, parents)) = parts.split_last() else {
            continue;
        };
        let parents: Vec<String> = parents.iter().map(ToString::to_string).collect();
        listed
            .entry((kind, parents))
            .or_default()
            .push(last.to_string());
        let Some(field) = schema::field(kind, &parts) else {
            wrong.push(format!("{kind} {clean}: not in the table"));
            continue;
        };
        let (strategy, key) = patch_text(field.patch);
        let row_keys = row.get("x-kubernetes-list-map-keys").items().iter();
        let row_keys: Vec<&str> = row_keys.map(Value::str_or_empty).collect();
        let topology = match field.topology {
            Topology::Map(keys) => keys,
            _ => "",
        };
        let list_type = match field.topology {
            Topology::Map(_) => "map",
            Topology::Set => "set",
            Topology::Atomic => "atomic",
            Topology::Default => "",
        };
        let row_list_type = match get("x-kubernetes-list-type") {
            text if text.is_empty() => get("x-kubernetes-map-type").replace("granular", ""),
            text => text,
        };
        let mut values: Vec<&str> = field.ty.values().collect();
        values.sort_unstable();
        let row_values = row.get("enum").items().iter().map(Value::str_or_empty);
        let row_values: Vec<&str> = row_values.collect();
        let label = field.ty.label();
        let row_type = match get("type").as_str() {
            "string" if ["RawExtension", "Quantity"].contains(&label.as_str()) => label.clone(),
            // In the published schema, bytes are text and quantities have a name.
            other => other
                .replace("[]byte", "bytes")
                .replace("map[string]bytes", "map[string]string"),
        };
        let same_type = label == row_type
            || label.replace("bytes", "string") == row_type
            || label.ends_with("RawExtension") && row_type == "Object";
        for (what, same) in [
            ("required", field.required == row.get("required").is_true()),
            (
                "patch",
                strategy == get("x-kubernetes-patch-strategy")
                    && key == get("x-kubernetes-patch-merge-key"),
            ),
            ("keys", topology == row_keys.join(",")),
            ("list type", list_type == row_list_type),
            ("type", same_type),
            ("values", values.is_empty() || values == row_values),
        ] {
            if !same {
                wrong.push(format!(
                    "{kind} {clean}: {what} differs ({field:?}, {label}) from {}",
                    json::to_string(&row)
                ));
            }
        }
    }
    for ((kind, parents), names) in &listed {
        let parents: Vec<&str> = parents.iter().map(String::as_str).collect();
        for field in schema::fields(*kind, &parents) {
            if !names.iter().any(|n| n == field.name) {
                wrong.push(format!(
                    "{kind} {}: {} is too much",
                    parents.join("."),
                    field.name
                ));
            }
        }
    }
    assert!(listed.len() > 500, "the corpus was read");
    assert!(
        wrong.is_empty(),
        "{} differences\n{}",
        wrong.len(),
        wrong[..wrong.len().min(60)].join("\n")
    );
}
