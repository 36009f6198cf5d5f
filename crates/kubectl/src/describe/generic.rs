//! Kinds without a form of their own: all fields, with their names spelled out.

use super::Page;
use crate::table::text;
use podscope_api::{Object, Value};

const HIDDEN: &[&str] = &[
    ".metadata.managedFields",
    ".metadata.name",
    ".metadata.namespace",
    ".metadata.labels",
    ".metadata.annotations",
];

pub(super) fn generic(page: &mut Page, o: &Object) {
    page.field(0, "Name", o.name());
    page.field(0, "Namespace", o.namespace());
    page.labels("", "Labels", o.labels());
    page.annotations("Annotations", o.at("metadata.annotations"));
    content(page, 0, o, "");
}

fn content(page: &mut Page, level: usize, value: &Value, path: &str) {
    for (key, field) in value.entries() {
        let here = format!("{path}.{key}");
        if HIDDEN.contains(&here.as_str()) || level > 32 {
            continue;
        }
        let label = label(key);
        match field {
            Value::Map(_) => {
                page.line(level, &format!("{label}:"));
                content(page, level + 1, field, &here);
            }
            Value::List(items) => {
                page.line(level, &format!("{label}:"));
                for item in items.iter() {
                    match item {
                        Value::Map(_) => content(page, level + 1, item, &here),
                        other => page.line(level + 1, &text(other)),
                    }
                }
            }
            Value::Null => page.field(level, &label, "<nil>"),
            other => page.field(level, &label, text(other)),
        }
    }
}

/// `creationTimestamp` as `Creation Timestamp`, `uid` as `UID`.
fn label(field: &str) -> String {
    if field.contains(['.', '/']) {
        return field.to_string();
    }
    let mut words: Vec<String> = Vec::new();
    let mut last = ' ';
    for c in field.chars() {
        let starts = (c.is_uppercase() && !last.is_uppercase())
            || (c.is_ascii_digit() != last.is_ascii_digit() && last != ' ');
        match words.last_mut() {
            Some(word) if !starts => word.push(c),
            _ => words.push(c.to_string()),
        }
        last = c;
    }
    let shown = words.iter().map(|word| {
        let upper = word.to_ascii_uppercase();
        if matches!(upper.as_str(), "API" | "URL" | "UID" | "OSB" | "GUID") {
            return upper;
        }
        let mut chars = word.chars();
        chars.next().map_or(String::new(), |c| {
            String::from(c.to_ascii_uppercase()) + chars.as_str()
        })
    });
    shown.collect::<Vec<_>>().join(" ")
}
