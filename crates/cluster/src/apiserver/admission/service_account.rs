//! ServiceAccount: every Pod runs as one, and gets its token.
//!
//! Models: plugin/pkg/admission/serviceaccount (v1.36)

use super::{Admission, Lookup};
use crate::apiserver::defaulting::each;
use crate::apiserver::strategy::names;
use podscope_api::{Kind, Status, Value, value};

const DEFAULT: &str = "default";
/// Where tokens are mounted.
pub const TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// How the token volume's name begins.
pub const VOLUME_PREFIX: &str = "kube-api-access-";
/// One hour and seven seconds: the seconds mark tokens that this plugin asked for.
const EXPIRATION_SECONDS: i64 = 3607;
const MIRROR: &str = "kubernetes.io/config.mirror";

/// Names the account, adds its pull secrets and its token volume.
pub fn mutate(a: &mut Admission<'_>, lookup: &dyn Lookup) -> Result<(), Status> {
    if !a.creates_pod() || !a.object.at("metadata.annotations").get(MIRROR).is_null() {
        return Ok(());
    }
    if a.object.at("spec.serviceAccountName").is_empty() {
        a.object.set("spec.serviceAccountName", DEFAULT);
    }
    let name = a.object.at("spec.serviceAccountName").clone();
    a.object.set("spec.serviceAccount", name.clone());
    let name = name.str_or_empty();
    let Some(account) = lookup.get(Kind::ServiceAccount, a.namespace, name) else {
        return Err(a.forbidden(&format!(
            "error looking up service account {}/{name}: serviceaccount \"{name}\" not found",
            a.namespace
        )));
    };
    let own = a.object.at("spec.automountServiceAccountToken").as_bool();
    let theirs = account.get("automountServiceAccountToken").as_bool();
    if own.or(theirs) != Some(false) {
        mount_token(a);
    }
    if a.object.at("spec.imagePullSecrets").is_empty() {
        let secrets = account.get("imagePullSecrets");
        if !secrets.is_empty() {
            a.object.set("spec.imagePullSecrets", secrets.clone());
        }
    }
    Ok(())
}

fn mount_token(a: &mut Admission<'_>) {
    let volumes = a.object.at("spec.volumes").items();
    let names: Vec<&str> = volumes
        .iter()
        .map(|v| v.get("name").str_or_empty())
        .collect();
    let existing = names.iter().find(|n| n.starts_with(VOLUME_PREFIX));
    let volume = match existing {
        Some(name) => (*name).to_string(),
        None => loop {
            let name = names::generate(VOLUME_PREFIX, a.random);
            if !names.contains(&name.as_str()) {
                break name;
            }
        },
    };
    let reused = existing.is_some();
    let mount = value!({"name": (volume.as_str()), "mountPath": (TOKEN_PATH), "readOnly": true});
    let mut needed = false;
    for list in ["initContainers", "containers"] {
        each(a.object.entry("spec"), list, |c| {
            let mounted = c
                .get("volumeMounts")
                .items()
                .iter()
                .any(|m| m.get("mountPath").as_str() == Some(TOKEN_PATH));
            if !mounted {
                c.entry("volumeMounts").list_mut().push(mount.clone());
                needed = true;
            }
        });
    }
    if needed && !reused {
        a.object
            .at_mut("spec.volumes")
            .list_mut()
            .push(token_volume(&volume));
    }
}

/// The token volume: the token itself, the cluster's certificate, the namespace.
fn token_volume(name: &str) -> Value {
    value!({"name": (name), "projected": {"defaultMode": 420, "sources": [
        {"serviceAccountToken": {"expirationSeconds": (EXPIRATION_SECONDS), "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace",
            "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}}
    ]}})
}

/// Mirror Pods may not use the API.
pub fn validate(a: &mut Admission<'_>, _lookup: &dyn Lookup) -> Result<(), Status> {
    if !a.creates_pod() || a.object.at("metadata.annotations").get(MIRROR).is_null() {
        return Ok(());
    }
    if !a.object.at("spec.serviceAccountName").is_empty() {
        return Err(a.forbidden("a mirror pod may not reference service accounts"));
    }
    for volume in a.object.at("spec.volumes").items() {
        for source in volume.at("projected.sources").items() {
            if !source.get("serviceAccountToken").is_null() {
                return Err(
                    a.forbidden("a mirror pod may not use ServiceAccountToken volume projections")
                );
            }
        }
    }
    Ok(())
}
