//! Validation of PersistentVolumeClaims, PersistentVolumes and StorageClasses.
//!
//! Models: pkg/apis/core/validation ValidatePersistentVolumeClaimSpec, ValidatePersistentVolume,
//! pkg/apis/storage/validation (v1.36)
//! Left out: the finer rules of exotic volume sources.

use super::field::{Errors, Path};
use super::meta;
use super::names;
use super::pod::affinity;
use podscope_api::{Quantity, Value};

const ACCESS_MODES: &[&str] = &[
    "ReadOnlyMany",
    "ReadWriteMany",
    "ReadWriteOnce",
    "ReadWriteOncePod",
];
const VOLUME_MODES: &[&str] = &["Block", "Filesystem"];
const PV_SOURCES: &[&str] = &[
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "glusterfs",
    "flocker",
    "nfs",
    "rbd",
    "quobyte",
    "cephfs",
    "iscsi",
    "cinder",
    "fc",
    "flexVolume",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "scaleIO",
    "local",
    "storageos",
    "csi",
];

fn access_modes(errors: &mut Errors, path: &Path<'_>, modes: &Value) {
    if modes.is_empty() {
        errors.required(path, "at least 1 access mode is required");
    }
    let items = modes.items();
    let mut once_pod = false;
    let mut other = false;
    for mode in items {
        let mode = mode.str_or_empty();
        if !ACCESS_MODES.contains(&mode) {
            errors.not_supported(path, mode, ACCESS_MODES);
        }
        if mode == "ReadWriteOncePod" {
            once_pod = true;
        } else {
            other = true;
        }
    }
    if once_pod && other {
        errors.forbidden(path, "may not use ReadWriteOncePod with other access modes");
    }
}

/// `spec` of a PersistentVolumeClaim, also as a template.
#[inline(never)]
pub(super) fn claim_spec(errors: &mut Errors, path: &Path<'_>, spec: &Value) {
    let modes = spec.get("accessModes");
    access_modes(errors, &path.f("accessModes"), modes);
    if !spec.get("selector").is_null() {
        meta::selector(errors, &path.f("selector"), spec.get("selector"));
    }
    let storage = spec.at("resources.requests").get("storage");
    let resources = path.f("resources");
    let at = &resources.k("storage");
    match Quantity::from_value(storage) {
        None => errors.required(at, ""),
        Some(q) if q.sign() <= 0 => {
            errors.invalid_str(at, &q.to_string(), "must be greater than zero");
        }
        Some(_) => {}
    }
    let class = spec.get("storageClassName").str_or_empty();
    if !class.is_empty() {
        errors.invalid_each(&path.f("storageClassName"), class, names::subdomain(class));
    }
    errors.optional_one_of(&path.f("volumeMode"), spec.get("volumeMode"), VOLUME_MODES);
    let source = spec.get("dataSource");
    if !source.is_null() {
        data_source(errors, &path.f("dataSource"), source);
    }
    let source_ref = spec.get("dataSourceRef");
    if !source_ref.is_null() {
        data_source(errors, &path.f("dataSourceRef"), source_ref);
    }
}

fn data_source(errors: &mut Errors, path: &Path<'_>, source: &Value) {
    for field in ["name", "kind"] {
        if source.get(field).is_empty() {
            errors.required(&path.f(field), "");
        }
    }
    let group = source.get("apiGroup").str_or_empty();
    if group.is_empty() && source.get("kind").str_or_empty() != "PersistentVolumeClaim" {
        errors.invalid_str(
            path,
            source.get("kind").str_or_empty(),
            "must be 'PersistentVolumeClaim' when referencing the default apiGroup",
        );
    }
    if !group.is_empty() {
        errors.invalid_each(&path.f("apiGroup"), group, names::subdomain(group));
    }
}

/// The name of a CSI driver.
pub(super) fn csi_driver(errors: &mut Errors, path: &Path<'_>, driver: &Value) {
    let driver = driver.str_or_empty();
    if driver.is_empty() {
        errors.required(path, "");
    }
    if driver.len() > 63 {
        errors.too_long(path, 63);
    }
    let lower = driver.to_ascii_lowercase();
    if !driver.is_empty() {
        errors.invalid_each(path, driver, names::subdomain(&lower));
    }
}

/// `spec` of a PersistentVolumeClaim changed: only the request may grow.
pub(super) fn claim_update(errors: &mut Errors, new: &Value, old: &Value) {
    let path = &Path::root("spec");
    let mut comparable = new.clone();
    let bound = !old.at("spec.volumeName").is_empty();
    if !bound {
        comparable.set("spec.volumeName", old.at("spec.volumeName").clone());
    }
    let storage = |v: &Value| v.at("spec.resources.requests").get("storage").clone();
    if old.at("status.phase").as_str() == Some("Bound") {
        comparable.set("spec.resources.requests.storage", storage(old));
    }
    comparable.set(
        "spec.volumeAttributesClassName",
        old.at("spec.volumeAttributesClassName").clone(),
    );
    let strip = |v: &Value| {
        let mut spec = v.get("spec").clone();
        for field in ["volumeName", "volumeAttributesClassName"] {
            if spec.get(field).is_empty() {
                spec.remove(field);
            }
        }
        spec
    };
    if strip(&comparable) != strip(old) {
        errors.forbidden(
            path,
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
        );
    }
    let (Some(new_size), Some(old_size)) = (
        Quantity::from_value(&storage(new)),
        Quantity::from_value(&storage(old)),
    ) else {
        return;
    };
    if new_size < old_size {
        errors.forbidden(
            &path.f("resources.requests.storage"),
            "field can not be less than status.capacity",
        );
    }
}

/// `spec` of a PersistentVolume.
#[inline(never)]
pub(super) fn volume(errors: &mut Errors, spec: &Value) {
    let path = &Path::root("spec");
    access_modes(errors, &path.f("accessModes"), spec.get("accessModes"));
    let capacity = spec.get("capacity");
    let capacity_path = path.f("capacity");
    if capacity.is_empty() {
        errors.required(&capacity_path, "");
    }
    if capacity.get("storage").is_null() || capacity.entries().len() > 1 {
        let keys: Vec<&str> = capacity.entries().iter().map(|(k, _)| &**k).collect();
        if !keys.is_empty() {
            errors.not_supported_text(
                &capacity_path,
                &podscope_api::json::to_string(capacity),
                &["storage"],
            );
        }
    }
    for (name, value) in capacity.entries() {
        if let Some(q) = Quantity::from_value(value)
            && q.sign() <= 0
        {
            errors.invalid_str(
                &capacity_path.k(name),
                &q.to_string(),
                "must be greater than zero",
            );
        }
    }
    errors.optional_one_of(
        &path.f("persistentVolumeReclaimPolicy"),
        spec.get("persistentVolumeReclaimPolicy"),
        &["Delete", "Recycle", "Retain"],
    );
    let affinity = spec.get("nodeAffinity");
    if !affinity.is_null() {
        let path = path.f("nodeAffinity");
        if affinity.get("required").is_null() {
            errors.required(
                &path.f("required"),
                "must specify required node constraints",
            );
        } else {
            affinity::node_selector(errors, &path.f("required"), affinity.get("required"));
        }
    }
    let mut count = 0;
    for source in PV_SOURCES {
        let value = spec.get(source);
        if value.is_null() {
            continue;
        }
        if count > 0 {
            errors.forbidden(&path.f(source), "may not specify more than 1 volume type");
        }
        count += 1;
        let at = path.f(source);
        match *source {
            "hostPath" | "local" if value.get("path").is_empty() => {
                errors.required(&at.f("path"), "");
            }
            "nfs" => {
                for field in ["server", "path"] {
                    if value.get(field).is_empty() {
                        errors.required(&at.f(field), "");
                    }
                }
                if !value.get("path").str_or_empty().starts_with('/') {
                    errors.invalid(&at.f("path"), value.get("path"), "must be an absolute path");
                }
            }
            "csi" => {
                csi_driver(errors, &at.f("driver"), value.get("driver"));
                if value.get("volumeHandle").is_empty() {
                    errors.required(&at.f("volumeHandle"), "");
                }
            }
            _ => {}
        }
        if *source == "local" && affinity.is_null() {
            errors.required(
                &path.f("nodeAffinity"),
                "Local volume requires node affinity",
            );
        }
    }
    if count == 0 {
        errors.required(path, "must specify a volume type");
    }
    let class = spec.get("storageClassName").str_or_empty();
    if !class.is_empty() {
        errors.invalid_each(&path.f("storageClassName"), class, names::subdomain(class));
    }
    errors.optional_one_of(&path.f("volumeMode"), spec.get("volumeMode"), VOLUME_MODES);
}

/// A StorageClass.
#[inline(never)]
pub(super) fn class(errors: &mut Errors, class: &Value) {
    let provisioner = class.get("provisioner").str_or_empty();
    let path = &Path::root("provisioner");
    if provisioner.is_empty() {
        errors.required(path, "");
    } else {
        errors.invalid_each(
            path,
            provisioner,
            names::qualified_name(&provisioner.to_ascii_lowercase()),
        );
    }
    let parameters = &Path::root("parameters");
    let mut bytes = 0;
    for (key, value) in class.get("parameters").entries() {
        if key.is_empty() {
            errors.invalid_str(parameters, key, "field can not be empty.");
        }
        bytes += key.len() + value.str_or_empty().len();
    }
    if bytes > 256 * 1024 {
        errors.too_long(parameters, 256 * 1024);
    }
    errors.one_of(
        &Path::root("reclaimPolicy"),
        class.get("reclaimPolicy"),
        &["Delete", "Retain"],
    );
    errors.one_of(
        &Path::root("volumeBindingMode"),
        class.get("volumeBindingMode"),
        &["Immediate", "WaitForFirstConsumer"],
    );
}
