//! Volumes.

use super::Page;
use crate::table::text;
use podscope_api::Value;

/// Kinds of volumes as (field, what it is, lines of title=field; `?` unset when missing, `!` a bool).
const SOURCES: &[(&str, &str, &str)] = &[
    (
        "hostPath",
        "HostPath (bare host directory volume)",
        "Path=path HostPathType=type",
    ),
    (
        "emptyDir",
        "EmptyDir (a temporary directory that shares a pod's lifetime)",
        "Medium=medium SizeLimit=sizeLimit?",
    ),
    (
        "secret",
        "Secret (a volume populated by a Secret)",
        "SecretName=secretName Optional=optional!",
    ),
    (
        "configMap",
        "ConfigMap (a volume populated by a ConfigMap)",
        "Name=name Optional=optional!",
    ),
    (
        "persistentVolumeClaim",
        "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
        "ClaimName=claimName ReadOnly=readOnly!",
    ),
    (
        "nfs",
        "NFS (an NFS mount that lasts the lifetime of a pod)",
        "Server=server Path=path ReadOnly=readOnly!",
    ),
    (
        "csi",
        "CSI (a Container Storage Interface (CSI) volume source)",
        "Driver=driver FSType=fsType ReadOnly=readOnly!",
    ),
];

pub(super) fn volumes(page: &mut Page, volumes: &Value, space: &str) {
    if volumes.items().is_empty() {
        page.line(0, &format!("{space}Volumes:\t<none>"));
        return;
    }
    page.line(0, &format!("{space}Volumes:"));
    let indent = if space.is_empty() { "" } else { " " };
    for volume in volumes.items() {
        page.line(
            1,
            &format!("{indent}{}:", volume.get("name").str_or_empty()),
        );
        if let Some((field, what, fields)) = SOURCES
            .iter()
            .find(|(field, ..)| !volume.get(field).is_null())
        {
            page.field(2, "Type", what);
            for entry in fields.split(' ') {
                let (title, name) = entry.split_once('=').unwrap_or((entry, ""));
                let value = volume.get(field).get(name.trim_end_matches(['?', '!']));
                let shown = match value {
                    Value::Null if name.ends_with('?') => "<unset>".into(),
                    value if name.ends_with('!') => value.is_true().to_string(),
                    value => text(value),
                };
                page.field(2, title, shown);
            }
        } else if !volume.get("projected").is_null() {
            projected(page, volume.get("projected"));
        } else if !volume.get("downwardAPI").is_null() {
            page.field(
                2,
                "Type",
                "DownwardAPI (a volume populated by information about the pod)",
            );
            page.line(2, "Items:");
            for item in volume.at("downwardAPI.items").items() {
                let from = match item.at("fieldRef.fieldPath").str_or_empty() {
                    "" => item.at("resourceFieldRef.resource").str_or_empty(),
                    path => path,
                };
                page.line(3, &format!("{from} -> {}", item.get("path").str_or_empty()));
            }
        } else {
            page.line(1, "<unknown>");
        }
    }
}

fn projected(page: &mut Page, volume: &Value) {
    page.field(
        2,
        "Type",
        "Projected (a volume that contains injected data from multiple sources)",
    );
    for source in volume.get("sources").items() {
        for (field, title) in [("secret", "SecretName"), ("configMap", "ConfigMapName")] {
            let from = source.get(field);
            if !from.is_null() {
                page.field(2, title, from.get("name").str_or_empty());
                page.field(2, "Optional", from.get("optional").is_true());
            }
        }
        if !source.get("downwardAPI").is_null() {
            page.field(2, "DownwardAPI", true);
        }
        let token = source.get("serviceAccountToken");
        if !token.is_null() {
            let seconds = token.get("expirationSeconds").as_int().unwrap_or(0);
            page.field(2, "TokenExpirationSeconds", seconds);
        }
    }
}
