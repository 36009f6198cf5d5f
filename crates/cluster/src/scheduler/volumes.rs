//! Claims and volumes: which volume suits a claim, and what binding writes into both. The scheduler
//! (WaitForFirstConsumer) and the volume controller (immediate binding) share these rules.
//!
//! Models: `k8s.io/component-helpers/storage/volume/pv_helpers.go` (v1.36). Left out: VolumeAttributesClass.

use super::affinity::label_selector;
use super::node_selector::NodeSelector;
use podscope_api::{Key, Object, Quantity, Text, Value, value};

/// On a claim or volume: the binding is the controller's work, not a person's.
pub const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";
/// On a claim: both sides of the binding are written.
pub const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
/// On a claim: the Node on which its first Pod will run.
pub const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
/// The provisioner of classes whose volumes are made by hand.
pub const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";

/// The claims of a Pod: (name, whether a controller makes it for this Pod), in the order of its volumes.
#[inline(never)]
pub fn claims(pod: &Object) -> Vec<(Text, bool)> {
    let mut claims = Vec::new();
    for volume in pod.spec().get("volumes").items() {
        let named = volume.get("persistentVolumeClaim").get("claimName");
        if let Some(name) = named.as_text() {
            claims.push((name.clone(), false));
        } else if !volume.get("ephemeral").is_null() {
            let volume = volume.get("name").str_or_empty();
            claims.push(([pod.name(), "-", volume].concat().into(), true));
        }
    }
    claims
}

/// Whether a Pod mentions a claim of its namespace.
pub fn uses_claim(pod: &Object, claim: &Object) -> bool {
    pod.namespace() == claim.namespace()
        && claims(pod)
            .iter()
            .any(|(name, _)| name.as_ref() == claim.name())
}

/// The class of a claim or volume; empty when it has none.
pub fn class_of(object: &Object) -> &str {
    let old = object.annotation("volume.beta.kubernetes.io/storage-class");
    old.unwrap_or_else(|| object.spec().get("storageClassName").str_or_empty())
}

/// Whether claims of this class wait for their first Pod.
pub fn is_delayed(class: Option<&Object>) -> bool {
    class.is_some_and(|c| c.get("volumeBindingMode").as_str() == Some("WaitForFirstConsumer"))
}

/// Whether both sides of the claim's binding are written.
pub fn is_fully_bound(claim: &Object) -> bool {
    let volume = claim.spec().get("volumeName").str_or_empty();
    !volume.is_empty() && claim.annotation(BIND_COMPLETED).is_some()
}

/// The storage that a claim asks for.
pub fn asked(claim: &Object) -> Quantity {
    let requests = claim.spec().get("resources").get("requests");
    Quantity::from_value(requests.get("storage")).unwrap_or_default()
}

/// The storage that a volume has.
pub fn capacity(volume: &Object) -> Quantity {
    let capacity = volume.spec().get("capacity");
    Quantity::from_value(capacity.get("storage")).unwrap_or_default()
}

/// Whether a volume is meant for this very claim.
pub fn is_bound_to(volume: &Object, claim: &Object) -> bool {
    let target = volume.spec().get("claimRef");
    let uid = target.get("uid").str_or_empty();
    target.get("name").as_str() == Some(claim.name())
        && target.get("namespace").str_or_empty() == claim.namespace()
        && (uid.is_empty() || uid == claim.uid())
}

/// Whether one is a file system and the other a raw device.
pub fn modes_differ(volume: &Object, claim: &Object) -> bool {
    let mode = |object: &Object| {
        let mode = object.spec().get("volumeMode").as_text().cloned();
        mode.unwrap_or_else(|| "Filesystem".into())
    };
    mode(volume) != mode(claim)
}

/// Whether the volume can be used in every way that the claim wants.
pub fn has_access_modes(volume: &Object, claim: &Object) -> bool {
    let modes = volume.spec().get("accessModes").items();
    let mut wanted = claim.spec().get("accessModes").items().iter();
    wanted.all(|mode| modes.contains(mode))
}

/// Whether a Node with this name and these labels can reach the volume.
pub fn reaches(volume: &Object, name: &str, labels: &Value) -> bool {
    let required = volume.spec().get("nodeAffinity").get("required");
    required.is_null() || NodeSelector::parse(required).matches(name, labels)
}

/// The volume for a claim among `volumes`: one that is meant for it, else the smallest that suits.
///
/// With `node` (name and labels) the scheduler asks for one that this Node reaches; without, the volume
/// controller asks, and gets no free volume for a claim that is `delayed`.
#[inline(never)]
pub fn find_matching<'a>(
    claim: &Object,
    volumes: &[&'a Object],
    node: Option<(&str, &Value)>,
    taken: &[Key],
    delayed: bool,
) -> Option<&'a Object> {
    let wanted = asked(claim);
    let selector = claim.spec().get("selector");
    let selector = (!selector.is_null()).then(|| label_selector(selector));
    let mut smallest: Option<(&Object, Quantity)> = None;
    for volume in volumes {
        let own = is_bound_to(volume, claim);
        let reserved = !volume.spec().get("claimRef").is_null();
        let size = capacity(volume);
        if taken.contains(&volume.key())
            || (reserved && !own)
            || size < wanted
            || modes_differ(volume, claim)
            || volume.is_being_deleted()
        {
            continue;
        }
        let near = node.is_none_or(|(name, labels)| reaches(volume, name, labels));
        if own {
            return near.then_some(volume);
        }
        let suits = !(node.is_none() && delayed)
            && volume.status().get("phase").as_str() == Some("Available")
            && selector.as_ref().is_none_or(|s| s.matches(volume.labels()))
            && class_of(volume) == class_of(claim)
            && near
            && (node.is_none() || has_access_modes(volume, claim));
        if suits && smallest.as_ref().is_none_or(|(_, least)| *least > size) {
            smallest = Some((volume, size));
        }
    }
    smallest.map(|(volume, _)| volume)
}

/// The volume with its half of the binding; `None` when it has that already.
pub fn bound_volume(volume: &Object, claim: &Object) -> Option<Object> {
    let target = volume.spec().get("claimRef");
    if target.get("uid").as_str() == Some(claim.uid()) {
        return None;
    }
    let mut bound = volume.clone();
    if target.is_null() {
        annotate(&mut bound, BOUND_BY_CONTROLLER, "yes");
    }
    bound.set(
        "spec.claimRef",
        value!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "name": (claim.name()), "namespace": (claim.namespace()),
            "resourceVersion": (claim.at("metadata.resourceVersion").clone()), "uid": (claim.uid())
        }),
    );
    Some(bound)
}

/// Sets an annotation.
pub fn annotate(object: &mut Object, key: &str, text: &str) {
    let annotations = object.at_mut("metadata").entry("annotations");
    annotations.map_mut().insert(key, Value::str(text));
}

/// Whether a Node with these labels is where a class allows volumes.
///
/// Models: `v1helper.MatchTopologySelectorTerms` (v1.36)
pub fn allows(class: &Object, labels: &Value) -> bool {
    let terms = class.get("allowedTopologies").items();
    let matches = |term: &Value| {
        let rules = term.get("matchLabelExpressions").items();
        let rule = |rule: &Value| {
            let value = labels.get(rule.get("key").str_or_empty());
            !value.is_null() && rule.get("values").items().contains(value)
        };
        !rules.is_empty() && rules.iter().all(rule)
    };
    terms.is_empty() || terms.iter().any(matches)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(name: &str, size: &str, fields: Value) -> Object {
        let volume = value!({
            "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": (name)},
            "spec": {"capacity": {"storage": (size)}, "accessModes": ["ReadWriteOnce"]},
            "status": {"phase": "Available"}
        });
        Object(podscope_api::patch::merge(&volume, &fields))
    }
    fn claim(size: &str, fields: Value) -> Object {
        let claim = value!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data", "namespace": "default", "uid": "u"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": (size)}}}
        });
        Object(podscope_api::patch::merge(&claim, &fields))
    }
    fn found(claim: &Object, volumes: &[Object], node: bool) -> String {
        let volumes: Vec<&Object> = volumes.iter().collect();
        let labels = value!({"kubernetes.io/hostname": "a"});
        let node = node.then_some(("a", &labels));
        find_matching(claim, &volumes, node, &[], true)
            .map(|v| v.name().to_string())
            .unwrap_or_default()
    }

    #[test]
    fn the_smallest_that_suits_or_the_one_that_is_meant() {
        let affinity = |host: &str| {
            value!({"spec": {"nodeAffinity": {"required": {"nodeSelectorTerms": [
                {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [(host)]}]}
            ]}}}})
        };
        let volumes = [
            volume("big", "10Gi", value!({})),
            volume("small", "5Gi", value!({})),
            volume("tiny", "1Gi", value!({})),
            volume("block", "5Gi", value!({"spec": {"volumeMode": "Block"}})),
            volume(
                "fast",
                "5Gi",
                value!({"spec": {"storageClassName": "fast"}}),
            ),
            volume("far", "4Gi", affinity("b")),
            volume("near", "6Gi", affinity("a")),
            volume("lost", "4Gi", value!({"status": {"phase": "Released"}})),
        ];
        let data = claim("3Gi", value!({}));
        assert_eq!(found(&data, &volumes, true), "small");
        let wants_many = claim("3Gi", value!({"spec": {"accessModes": ["ReadWriteMany"]}}));
        assert_eq!(found(&wants_many, &volumes, true), "");
        let fast = claim("3Gi", value!({"spec": {"storageClassName": "fast"}}));
        assert_eq!(found(&fast, &volumes, true), "fast");
        let labelled = claim(
            "3Gi",
            value!({"spec": {"selector": {"matchLabels": {"a": "b"}}}}),
        );
        assert_eq!(found(&labelled, &volumes, true), "");
        assert_eq!(found(&data, &volumes, false), "", "the scheduler decides");
        let meant = volume(
            "meant",
            "9Gi",
            value!({"spec": {"claimRef": {"name": "data", "namespace": "default"}}}),
        );
        let volumes = [volume("small", "5Gi", value!({})), meant];
        assert_eq!(found(&data, &volumes, true), "meant");
        assert_eq!(found(&data, &volumes, false), "meant");
    }

    #[test]
    fn topologies_are_alternatives_of_conditions() {
        let class = Object(value!({"allowedTopologies": [
            {"matchLabelExpressions": [{"key": "zone", "values": ["a", "b"]}, {"key": "disk", "values": ["ssd"]}]},
            {"matchLabelExpressions": [{"key": "zone", "values": ["c"]}]}
        ]}));
        assert!(allows(&class, &value!({"zone": "a", "disk": "ssd"})));
        assert!(!allows(&class, &value!({"zone": "a"})));
        assert!(allows(&class, &value!({"zone": "c"})));
        assert!(allows(&Object(value!({})), &value!({})));
    }
}
