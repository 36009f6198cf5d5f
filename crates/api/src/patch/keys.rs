//! Which lists a strategic merge patch merges, and by which key.
//!
//! Models: the `patchStrategy` and `patchMergeKey` tags of staging/src/k8s.io/api (v1.36)

/// What a strategic merge patch does with a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// For lists: merge instead of replace.
    pub merge: bool,
    /// For maps: replace the whole map.
    pub replace: bool,
    /// The key that identifies an element; empty for lists of scalars.
    pub key: &'static str,
    /// Patches carry `$retainKeys`: fields that are not named are cleared.
    pub retain_keys: bool,
}

/// Merged lists as (field, allowed parents, kind, merge key); `*` stands for any.
const MERGED: &[(&str, &str, &str, &str)] = &[
    ("addresses", "status", "Node", "type"),
    ("allocatedResourcesStatus", "*", "Pod", "name"),
    ("conditions", "status", "*", "type"),
    ("containers", "spec", "*", "name"),
    ("env", "*ontainers", "*", "name"),
    ("ephemeralContainers", "spec", "*", "name"),
    ("finalizers", "metadata", "*", ""),
    ("hostAliases", "spec", "*", "ip"),
    ("hostIPs", "status", "*", "ip"),
    ("imagePullSecrets", "spec", "*", "name"),
    ("initContainers", "spec", "*", "name"),
    ("matchConditions", "*", "*", "name"),
    ("ownerReferences", "metadata", "*", "uid"),
    ("podCIDRs", "spec", "Node", ""),
    ("podIPs", "status", "*", "ip"),
    ("ports", "*ontainers", "*", "containerPort"),
    ("ports", "spec", "Service", "port"),
    ("resourceClaimStatuses", "status", "*", "name"),
    ("resourceClaims", "spec", "*", "name"),
    ("schedulingGates", "spec", "*", "name"),
    ("secrets", "", "ServiceAccount", "name"),
    ("topologySpreadConstraints", "spec", "*", "topologyKey"),
    ("variables", "spec", "ValidatingAdmissionPolicy", "name"),
    ("volumeDevices", "*ontainers", "*", "devicePath"),
    ("volumeMounts", "*", "*", "mountPath"),
    ("volumes", "spec", "*", "name"),
    ("webhooks", "", "*", "name"),
];

/// The rule for `field` below `parent` (the nearest field name above it, `""` at the top) of a kind.
pub fn rule(kind: &str, parent: &str, field: &str) -> Rule {
    let fits = |pattern: &str, name: &str| match pattern.strip_prefix('*') {
        Some(end) => name.ends_with(end),
        None => name == pattern,
    };
    if let Some((name, .., key)) = MERGED
        .iter()
        .find(|(f, p, k, _)| *f == field && fits(p, parent) && fits(k, kind))
    {
        let retain_keys = matches!(
            *name,
            "volumes" | "resourceClaims" | "resourceClaimStatuses"
        );
        return Rule {
            merge: true,
            key,
            retain_keys,
            replace: false,
        };
    }
    Rule {
        retain_keys: (kind, parent, field) == ("Deployment", "spec", "strategy"),
        replace: (kind, parent, field) == ("PodDisruptionBudget", "spec", "selector"),
        ..Rule::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_depend_on_the_parent() {
        assert_eq!(
            rule("Deployment", "initContainers", "ports").key,
            "containerPort"
        );
        assert_eq!(rule("Service", "spec", "ports").key, "port");
        assert!(!rule("NetworkPolicy", "ingress", "ports").merge);
        assert!(rule("Pod", "spec", "volumes").retain_keys);
        assert!(!rule("Namespace", "spec", "finalizers").merge);
        assert!(!rule("ServiceAccount", "", "imagePullSecrets").merge);
    }
}
