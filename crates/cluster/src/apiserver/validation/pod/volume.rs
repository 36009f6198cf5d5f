//! Volumes of a Pod.
//!
//! Models: pkg/apis/core/validation ValidateVolumes, validateVolumeSource (v1.36)

use super::env::{VOLUME_FIELDS, field_ref, resource_field_ref};
use crate::apiserver::validation::field::{Errors, Path};
use crate::apiserver::validation::meta;
use crate::apiserver::validation::names;
use crate::apiserver::validation::storage;
use podscope_api::{Quantity, Value};

const MODE: &str = "must be a number between 0 and 0777 (octal), both inclusive";
const HOST_PATH_TYPES: &[&str] = &[
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
];

/// A kind of volume: its field, its name in paths when that differs, and its required texts.
struct Source {
    field: &'static str,
    required: &'static [&'static str],
}

const fn source(field: &'static str, required: &'static [&'static str]) -> Source {
    Source { field, required }
}

/// In the order in which the server looks for them.
const SOURCES: &[Source] = &[
    source("emptyDir", &[]),
    source("hostPath", &["path"]),
    source("gitRepo", &["repository"]),
    source("gcePersistentDisk", &["pdName"]),
    source("awsElasticBlockStore", &["volumeID"]),
    source("secret", &["secretName"]),
    source("nfs", &["server", "path"]),
    source("iscsi", &["targetPortal", "iqn"]),
    source("glusterfs", &["endpoints", "path"]),
    source("flocker", &[]),
    source("persistentVolumeClaim", &["claimName"]),
    source("rbd", &["monitors", "image"]),
    source("cinder", &["volumeID"]),
    source("cephfs", &["monitors"]),
    source("quobyte", &[]),
    source("downwardAPI", &[]),
    source("fc", &[]),
    source("flexVolume", &["driver"]),
    source("configMap", &["name"]),
    source("azureFile", &["secretName", "shareName"]),
    source("vsphereVolume", &["volumePath"]),
    source("photonPersistentDisk", &["pdID"]),
    source("portworxVolume", &["volumeID"]),
    source("azureDisk", &["diskName", "diskURI"]),
    source("storageos", &[]),
    source("projected", &[]),
    source("scaleIO", &["gateway", "system", "volumeName"]),
    source("csi", &[]),
    source("ephemeral", &[]),
    source("image", &[]),
];

/// The volumes; gives those that are fine. `pod_name` is empty in templates.
pub(super) fn volumes<'v>(
    errors: &mut Errors,
    path: &Path<'_>,
    volumes: &'v Value,
    pod_name: &str,
) -> Vec<&'v Value> {
    let mut fine: Vec<&Value> = Vec::new();
    for (i, volume) in volumes.items().iter().enumerate() {
        let path = &path.i(i);
        let before = errors.0.len();
        let name = volume.get("name").str_or_empty();
        volume_source(errors, path, volume, pod_name);
        if name.is_empty() {
            errors.required(&path.f("name"), "");
        } else {
            names::check(errors, &path.f("name"), volume.get("name"), names::label);
        }
        if find(&fine, name).is_some() {
            errors.duplicate(&path.f("name"), name);
        }
        if errors.0.len() == before {
            fine.push(volume);
        }
        let claim = volume.at("persistentVolumeClaim.claimName").str_or_empty();
        let created = |v: &Value| {
            !v.get("ephemeral").is_null()
                && claim == format!("{pod_name}-{}", v.get("name").str_or_empty())
        };
        if !pod_name.is_empty() && !claim.is_empty() && volumes.items().iter().any(created) {
            errors.invalid_str(
                &path.f("persistentVolumeClaim").f("claimName"),
                claim,
                "must not reference a PVC that gets created for an ephemeral volume",
            );
        }
    }
    fine
}

/// The volume of that name.
pub(super) fn find<'v>(volumes: &[&'v Value], name: &str) -> Option<&'v Value> {
    volumes
        .iter()
        .copied()
        .find(|v| v.get("name").str_or_empty() == name)
}

fn volume_source(errors: &mut Errors, path: &Path<'_>, volume: &Value, pod_name: &str) {
    let mut found = false;
    for source in SOURCES {
        let value = volume.get(source.field);
        if value.is_null() {
            continue;
        }
        if found {
            // Two of the server's paths are misspelled.
            let field = match source.field {
                "cephfs" => "cephFS",
                "downwardAPI" => "downwarAPI",
                other => other,
            };
            errors.forbidden(&path.f(field), "may not specify more than 1 volume type");
            continue;
        }
        found = true;
        let field = match source.field {
            "gcePersistentDisk" => "persistentDisk",
            other => other,
        };
        for required in source.required {
            if value.get(required).is_empty() {
                errors.required(&path.f(field).f(required), "");
            }
        }
        details(errors, &path.f(field), source.field, value);
        // A template may leave the image open: something may fill it in when the Pod is made.
        if source.field == "image" && !pod_name.is_empty() && value.get("reference").is_empty() {
            errors.required(&path.f("image").f("reference"), "");
        }
        if source.field == "ephemeral" {
            let name = volume.get("name").str_or_empty();
            if !pod_name.is_empty() && !name.is_empty() {
                let claim = format!("{pod_name}-{name}");
                for message in names::subdomain(&claim) {
                    errors.invalid_str(
                        &path.f("name"),
                        name,
                        &format!("PVC name \"{claim}\": {message}"),
                    );
                }
            }
        }
    }
    if !found {
        errors.required(path, "must specify a volume type");
    }
}

/// What a kind of volume is checked for beyond its required texts.
fn details(errors: &mut Errors, path: &Path<'_>, field: &str, value: &Value) {
    match field {
        "emptyDir" => {
            let limit = Quantity::from_value(value.get("sizeLimit"));
            if limit.is_some_and(|q| q.sign() < 0) {
                errors.forbidden(
                    &path.f("sizeLimit"),
                    "SizeLimit field must be a valid resource quantity",
                );
            }
        }
        "hostPath" if !value.get("path").is_empty() => {
            no_backsteps(errors, &path.f("path"), value.get("path").str_or_empty());
            errors.optional_one_of(&path.f("type"), value.get("type"), HOST_PATH_TYPES);
        }
        "gitRepo" => descending(
            errors,
            &path.f("directory"),
            value.get("directory").str_or_empty(),
        ),
        "gcePersistentDisk" | "awsElasticBlockStore" => {
            let partition = value.get("partition").as_int().unwrap_or(0);
            if !(0..=255).contains(&partition) {
                errors.invalid_int(
                    &path.f("partition"),
                    partition,
                    "must be between 1 and 255, inclusive",
                );
            }
        }
        "secret" | "configMap" => {
            mode(errors, &path.f("defaultMode"), value.get("defaultMode"));
            let items = path.f("items");
            for (i, item) in value.get("items").items().iter().enumerate() {
                key_to_path(errors, &items.i(i), item);
            }
        }
        "nfs" => {
            let target = value.get("path").str_or_empty();
            if !target.starts_with('/') {
                errors.invalid_str(&path.f("path"), target, "must be an absolute path");
            }
        }
        "iscsi" => iscsi(errors, path, value),
        "flocker" => flocker(errors, path, value),
        "quobyte" => {
            if value.get("registry").is_empty() {
                errors.required(
                    &path.f("registry"),
                    "must be a host:port pair or multiple pairs separated by commas",
                );
            }
            if value.get("volume").is_empty() {
                errors.required(&path.f("volume"), "");
            }
        }
        "downwardAPI" => {
            mode(errors, &path.f("defaultMode"), value.get("defaultMode"));
            for file in value.get("items").items() {
                downward_file(errors, path, file);
            }
        }
        "fc" => fibre_channel(errors, path, value),
        "projected" => {
            mode(errors, &path.f("defaultMode"), value.get("defaultMode"));
            projected(errors, path, value);
        }
        "csi" => csi(errors, path, value),
        "ephemeral" => {
            let template = value.get("volumeClaimTemplate");
            let path = &path.f("volumeClaimTemplate");
            if template.is_null() {
                errors.required(path, "");
            } else {
                let metadata = path.f("metadata");
                names::labels(
                    errors,
                    &metadata.f("labels"),
                    template.at("metadata.labels"),
                );
                meta::annotations(
                    errors,
                    &metadata.f("annotations"),
                    template.at("metadata.annotations"),
                );
                storage::claim_spec(errors, &path.f("spec"), template.get("spec"));
            }
        }
        "image" => errors.optional_one_of(
            &path.f("pullPolicy"),
            value.get("pullPolicy"),
            &["Always", "IfNotPresent", "Never"],
        ),
        _ => {}
    }
}

#[inline(never)]
fn iscsi(errors: &mut Errors, path: &Path<'_>, value: &Value) {
    let iqn = value.get("iqn").str_or_empty();
    if !iqn.is_empty() {
        if !["iqn", "eui", "naa"].iter().any(|p| iqn.starts_with(p)) {
            errors.invalid_str(
                &path.f("iqn"),
                iqn,
                "must be valid format starting with iqn, eui, or naa",
            );
        } else if !iqn_fits(iqn) {
            errors.invalid_str(&path.f("iqn"), iqn, "must be valid format");
        }
    }
    let lun = value.get("lun").as_int().unwrap_or(0);
    if !(0..=255).contains(&lun) {
        errors.invalid_int(&path.f("lun"), lun, "must be between 0 and 255, inclusive");
    }
    let chap = value.get("chapAuthDiscovery").is_true() || value.get("chapAuthSession").is_true();
    if chap && value.get("secretRef").is_null() {
        errors.required(&path.f("secretRef"), "");
    }
}

/// `iqn.2001-04.com.example:storage`, `eui.` with 16 or `naa.` with 32 letters and digits.
fn iqn_fits(iqn: &str) -> bool {
    let letters = |s: &str, n: usize| s.len() == n && s.bytes().all(|c| c.is_ascii_alphanumeric());
    if let Some(rest) = iqn.strip_prefix("iqn.") {
        let b = rest.as_bytes();
        let digit = |i: usize| b.get(i).is_some_and(u8::is_ascii_digit);
        return [0, 1, 2, 3, 5, 6].iter().all(|i| digit(*i))
            && b.get(4) == Some(&b'-')
            && b.get(7) == Some(&b'.')
            && rest
                .get(8..)
                .and_then(|r| r.split_once(':'))
                .is_some_and(|(authority, name)| {
                    !authority.is_empty()
                        && authority
                            .bytes()
                            .all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'.')
                        && !name.is_empty()
                        && !name.contains([',', ';', '*', '&', '$', '|'])
                        && !name.contains(char::is_whitespace)
                });
    }
    iqn.strip_prefix("eui.").is_some_and(|r| letters(r, 16))
        || iqn.strip_prefix("naa.").is_some_and(|r| letters(r, 32))
}

fn flocker(errors: &mut Errors, path: &Path<'_>, value: &Value) {
    let name = value.get("datasetName").str_or_empty();
    let uuid = value.get("datasetUUID").str_or_empty();
    if name.is_empty() && uuid.is_empty() {
        errors.required(path, "one of datasetName and datasetUUID is required");
    }
    if !name.is_empty() && !uuid.is_empty() {
        errors.invalid_str(
            path,
            "resource",
            "datasetName and datasetUUID can not be specified simultaneously",
        );
    }
    if name.contains('/') {
        errors.invalid_str(&path.f("datasetName"), name, "must not contain '/'");
    }
}

#[inline(never)]
fn fibre_channel(errors: &mut Errors, path: &Path<'_>, value: &Value) {
    let (wwns, wwids) = (value.get("targetWWNs"), value.get("wwids"));
    let wwns_path = &path.f("targetWWNs");
    if wwns.is_empty() && wwids.is_empty() {
        errors.required(
            wwns_path,
            "must specify either targetWWNs or wwids, but not both",
        );
    }
    if !wwns.is_empty() && !wwids.is_empty() {
        errors.invalid(
            wwns_path,
            wwns,
            "targetWWNs and wwids can not be specified simultaneously",
        );
    }
    if !wwns.is_empty() {
        match value.get("lun").as_int() {
            None => errors.required(&path.f("lun"), "lun is required if targetWWNs is specified"),
            Some(lun) if !(0..=255).contains(&lun) => {
                errors.invalid_int(&path.f("lun"), lun, "must be between 0 and 255, inclusive");
            }
            _ => {}
        }
    }
}

fn csi(errors: &mut Errors, path: &Path<'_>, value: &Value) {
    storage::csi_driver(errors, &path.f("driver"), value.get("driver"));
    let secret = value.get("nodePublishSecretRef");
    if !secret.is_null() {
        let path = path.f("nodePublishSecretRef");
        let path = &path.f("name");
        if secret.get("name").is_empty() {
            errors.required(path, "");
        } else {
            names::check(errors, path, secret.get("name"), names::subdomain);
        }
    }
}

fn mode(errors: &mut Errors, path: &Path<'_>, mode: &Value) {
    if let Some(mode) = mode.as_int()
        && !(0..=0o777).contains(&mode)
    {
        errors.invalid_int(path, mode, MODE);
    }
}

fn key_to_path(errors: &mut Errors, path: &Path<'_>, item: &Value) {
    for field in ["key", "path"] {
        if item.get(field).is_empty() {
            errors.required(&path.f(field), "");
        }
    }
    local_path(errors, &path.f("path"), item.get("path").str_or_empty());
    mode(errors, &path.f("mode"), item.get("mode"));
}

fn downward_file(errors: &mut Errors, path: &Path<'_>, file: &Value) {
    if file.get("path").is_empty() {
        errors.required(&path.f("path"), "");
    }
    local_path(errors, &path.f("path"), file.get("path").str_or_empty());
    let (field, resource) = (file.get("fieldRef"), file.get("resourceFieldRef"));
    if !field.is_null() {
        field_ref(errors, &path.f("fieldRef"), field, VOLUME_FIELDS);
        if !resource.is_null() {
            errors.invalid_str(
                path,
                "resource",
                "fieldRef and resourceFieldRef can not be specified simultaneously",
            );
        }
    } else if !resource.is_null() {
        resource_field_ref(errors, &path.f("resourceFieldRef"), resource, true);
    } else {
        errors.required(path, "one of fieldRef and resourceFieldRef is required");
    }
    mode(errors, &path.f("mode"), file.get("mode"));
}

fn projected(errors: &mut Errors, path: &Path<'_>, value: &Value) {
    let mut paths: Vec<&str> = Vec::new();
    let sources = path.f("sources");
    for (i, source) in value.get("sources").items().iter().enumerate() {
        let at = &sources.i(i);
        let mut count = 0;
        for kind in ["secret", "configMap"] {
            let source = source.get(kind);
            if source.is_null() {
                continue;
            }
            count += 1;
            let at = &at.f(kind);
            let name = source.get("name").str_or_empty();
            if name.is_empty() {
                errors.required(&at.f("name"), "");
            }
            let items = at.f("items");
            for (j, item) in source.get("items").items().iter().enumerate() {
                key_to_path(errors, &items.i(j), item);
                claim_path(
                    errors,
                    path,
                    item.get("path").str_or_empty(),
                    name,
                    &mut paths,
                );
            }
        }
        let downward = source.get("downwardAPI");
        if !downward.is_null() {
            count += 1;
            for file in downward.get("items").items() {
                downward_file(errors, &at.f("downwardAPI"), file);
                let target = file.get("path").str_or_empty();
                claim_path(errors, path, target, target, &mut paths);
            }
        }
        let token = source.get("serviceAccountToken");
        if !token.is_null() {
            count += 1;
            service_account_token(errors, path, &at.f("serviceAccountToken"), token);
        }
        let bundle = source.get("clusterTrustBundle");
        if !bundle.is_null() {
            count += 1;
            trust_bundle(errors, &at.f("clusterTrustBundle"), bundle);
            let target = bundle.get("path").str_or_empty();
            claim_path(errors, path, target, target, &mut paths);
        }
        if !source.get("podCertificate").is_null() {
            count += 1;
        }
        if count > 1 {
            errors.forbidden(at, "may not specify more than 1 volume type per source");
        }
    }
}

fn claim_path<'v>(
    errors: &mut Errors,
    path: &Path<'_>,
    target: &'v str,
    named: &str,
    seen: &mut Vec<&'v str>,
) {
    if target.is_empty() {
        return;
    }
    if seen.contains(&target) {
        errors.invalid_str(path, named, "conflicting duplicate paths");
    } else {
        seen.push(target);
    }
}

fn service_account_token(errors: &mut Errors, volume: &Path<'_>, at: &Path<'_>, token: &Value) {
    let seconds = token.get("expirationSeconds").as_int().unwrap_or(0);
    let at = &at.f("expirationSeconds");
    if seconds < 600 {
        errors.invalid_int(
            at,
            seconds,
            "may not specify a duration less than 10 minutes",
        );
    }
    if seconds > 1 << 32 {
        errors.invalid_int(
            at,
            seconds,
            "may not specify a duration larger than 2^32 seconds",
        );
    }
    let target = token.get("path").str_or_empty();
    if target.is_empty() {
        errors.required(&volume.f("path"), "");
    } else {
        local_path(errors, &volume.f("path"), target);
    }
}

#[inline(never)]
fn trust_bundle(errors: &mut Errors, at: &Path<'_>, bundle: &Value) {
    match (
        bundle.get("name").as_str(),
        bundle.get("signerName").as_str(),
    ) {
        (Some(_), Some(_)) => {
            errors.invalid(at, bundle, "only one of name and signerName may be used")
        }
        (None, None) => errors.required(at, "either name or signerName must be specified"),
        (Some(""), None) => errors.required(&at.f("name"), "must be a valid object name"),
        (None, Some("")) => errors.required(&at.f("signerName"), "must be a valid signer name"),
        _ => {}
    }
    if bundle.get("path").is_empty() {
        errors.required(&at.f("path"), "");
    }
    local_path(errors, &at.f("path"), bundle.get("path").str_or_empty());
}

/// A relative path without `..`.
pub(super) fn descending(errors: &mut Errors, path: &Path<'_>, target: &str) {
    if target.starts_with('/') {
        errors.invalid_str(path, target, "must be a relative path");
    }
    no_backsteps(errors, path, target);
}

/// A path without `..` as one of its parts.
pub(super) fn no_backsteps(errors: &mut Errors, path: &Path<'_>, target: &str) {
    if has_backsteps(target) {
        errors.invalid_str(path, target, "must not contain '..'");
    }
}

/// True when one of the path's parts is `..`.
pub(super) fn has_backsteps(target: &str) -> bool {
    target.split('/').any(|part| part == "..")
}

/// A relative path whose first part does not begin with `..`.
fn local_path(errors: &mut Errors, path: &Path<'_>, target: &str) {
    descending(errors, path, target);
    if target.starts_with("..") && !target.starts_with("../") {
        errors.invalid_str(path, target, "must not start with '..'");
    }
}
