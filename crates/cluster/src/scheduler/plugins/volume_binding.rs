//! VolumeBinding: the Pod's claims must exist, be bound or bindable, and be reachable from the Node.
//!
//! A claim whose class says WaitForFirstConsumer is bound here: Filter looks for a volume on each Node, Reserve
//! takes the one of the chosen Node ([`VolumeBinding::on`]), PreBind writes it (`scheduler/component/volumes.rs`).
//!
//! Models: `pkg/scheduler/framework/plugins/volumebinding` (v1.36). Left out: CSIStorageCapacity, translation of
//! in-tree disks to CSI, scoring by capacity (off by default).

use super::{Cycle, Plugin, PluginId, PreFilter};
use crate::scheduler::events::ClusterEvent;
use crate::scheduler::node_info::NodeInfo;
use crate::scheduler::verdict::{Code, Reason, Rejection};
use crate::scheduler::volumes::{
    NO_PROVISIONER, SELECTED_NODE, allows, asked, claims, class_of, find_matching, is_delayed,
    is_fully_bound, reaches, uses_claim,
};
use podscope_api::{Key, Kind, Object, Text, Value, value};

/// What a Pod's claims get on one Node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PodVolumes {
    /// Volumes with the claims that they are bound to.
    pub bindings: Vec<(Object, Object)>,
    /// Claims for which a volume is made.
    pub provisions: Vec<Object>,
}

/// State: the Pod's claims.
#[derive(Clone, Default)]
pub struct VolumeBinding {
    bound: Vec<Object>,
    delayed: Vec<Object>,
}

fn reject(message: impl Into<Text>) -> Rejection {
    Rejection::unresolvable(PluginId::VolumeBinding, Reason::Other(message.into()))
}

const NOT_NEAR: &str = "node(s) didn't match PersistentVolume's node affinity";
const NOT_FOUND: &str = "node(s) didn't find available persistent volumes to bind";
const NO_VOLUME: &str = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";

fn because(message: &'static str, facts: Value) -> Reason {
    Reason::Volume { message, facts }
}

impl VolumeBinding {
    /// Whether a volume is to be found for some claim.
    pub fn has_work(&self) -> bool {
        !self.delayed.is_empty()
    }

    /// Takes a claim in; false when it should be bound by now but is not.
    #[inline(never)]
    fn claim(&mut self, cycle: Cycle, name: &Text, ephemeral: bool) -> Result<bool, Rejection> {
        let kind = Kind::PersistentVolumeClaim;
        let quoted = |text: &str| ["persistentvolumeclaim \"", name, "\" ", text].concat();
        let Some(claim) = cycle.cache.object(kind, &cycle.pod.key.namespace, name) else {
            return Err(reject(if ephemeral {
                let start = "waiting for ephemeral volume controller to create the ";
                [start, "persistentvolumeclaim \"", name, "\""].concat()
            } else {
                quoted("not found")
            }));
        };
        let volume = claim.spec().get("volumeName").str_or_empty();
        if claim.status().get("phase").as_str() == Some("Lost") {
            let text = ["bound to non-existent persistentvolume \"", volume, "\""].concat();
            return Err(reject(quoted(&text)));
        }
        if claim.is_being_deleted() {
            return Err(reject(quoted("is being deleted")));
        }
        if ephemeral {
            let owner = claim.controller();
            if owner.is_none_or(|owner| owner.uid != cycle.pod.object.uid()) {
                let pod = &cycle.pod.key;
                return Err(reject(format!(
                    "PVC {}/{name} was not created for pod {pod} (pod is not owner)",
                    pod.namespace
                )));
            }
        }
        if is_fully_bound(claim) {
            self.bound.push(claim.clone());
            return Ok(true);
        }
        let class = cycle
            .cache
            .object(Kind::StorageClass, &"".into(), class_of(claim));
        if !is_delayed(class) || !volume.is_empty() {
            return Ok(false);
        }
        self.delayed.push(claim.clone());
        Ok(true)
    }

    /// What the claims get on a Node.
    ///
    /// # Errors
    /// Why they get nothing there.
    #[inline(never)]
    pub fn on(&self, cycle: Cycle, node: &NodeInfo) -> Result<PodVolumes, Rejection> {
        let mut reasons = Vec::new();
        let mut missing = Vec::new();
        for claim in &self.bound {
            let name = claim.spec().get("volumeName").str_or_empty();
            let facts = value!({"claim": (claim.name()), "volume": (name)});
            match cycle.cache.object(Kind::PersistentVolume, &"".into(), name) {
                None => {
                    missing.push(because(NO_VOLUME, facts));
                    break;
                }
                Some(volume) if !reaches(volume, &node.name, &node.labels) => {
                    reasons.push(because(NOT_NEAR, facts));
                    break;
                }
                Some(_) => {}
            }
        }
        let mut found = PodVolumes::default();
        if let Some(claim) = self.find(cycle, node, &mut found) {
            let facts = value!({
                "claim": (claim.name()), "class": (class_of(claim)),
                "requested": (asked(claim).canonical())
            });
            reasons.push(because(NOT_FOUND, facts));
        }
        reasons.append(&mut missing);
        if reasons.is_empty() {
            return Ok(found);
        }
        Err(Rejection {
            plugin: PluginId::VolumeBinding,
            code: Code::UnschedulableAndUnresolvable,
            reasons,
        })
    }

    /// Finds or promises a volume for each claim; gives the claim that gets none.
    fn find(&self, cycle: Cycle, node: &NodeInfo, found: &mut PodVolumes) -> Option<&Object> {
        let selected = |claim: &Object| claim.annotation(SELECTED_NODE).map(Text::from);
        let elsewhere = |c: &&Object| selected(c).is_some_and(|name| name != node.name);
        if let Some(claim) = self.delayed.iter().find(elsewhere) {
            return Some(claim);
        }
        let mut to_make: Vec<&Object> = Vec::new();
        let mut to_match: Vec<&Object> = Vec::new();
        for claim in &self.delayed {
            match selected(claim) {
                Some(_) => to_make.push(claim),
                None => to_match.push(claim),
            }
        }
        // The smallest claims first get the smallest volumes.
        podscope_api::sort::by(&mut to_match, |a, b| asked(a).cmp(&asked(b)));
        let volumes: Vec<&Object> = cycle.cache.objects(Kind::PersistentVolume).collect();
        let mut taken: Vec<Key> = Vec::new();
        for claim in to_match {
            let here = Some((&*node.name, &node.labels));
            match find_matching(claim, &volumes, here, &taken, true) {
                Some(volume) => {
                    taken.push(volume.key());
                    found.bindings.push((volume.clone(), claim.clone()));
                }
                None => to_make.push(claim),
            }
        }
        for claim in to_make {
            let class = cycle
                .cache
                .object(Kind::StorageClass, &"".into(), class_of(claim));
            let can = class.is_some_and(|class| {
                let provisioner = class.get("provisioner").str_or_empty();
                !provisioner.is_empty()
                    && provisioner != NO_PROVISIONER
                    && allows(class, &node.labels)
            });
            if !can {
                return Some(claim);
            }
            found.provisions.push(claim.clone());
        }
        None
    }
}

impl Plugin for VolumeBinding {
    fn pre_filter(&mut self, cycle: Cycle) -> PreFilter {
        *self = VolumeBinding::default();
        let claims = claims(&cycle.pod.object);
        if claims.is_empty() {
            return PreFilter::Skip;
        }
        let mut immediate = false;
        for (name, ephemeral) in &claims {
            match self.claim(cycle, name, *ephemeral) {
                Ok(settled) => immediate |= !settled,
                Err(rejection) => return PreFilter::Reject(rejection),
            }
        }
        if immediate {
            return PreFilter::Reject(reject("pod has unbound immediate PersistentVolumeClaims"));
        }
        PreFilter::Success
    }

    #[inline(never)]
    fn filter(&self, cycle: Cycle, node: &NodeInfo) -> Result<(), Rejection> {
        self.on(cycle, node).map(drop)
    }

    #[inline(never)]
    fn hint(cycle: Cycle, event: &ClusterEvent) -> bool {
        let Some(new) = event.new.as_deref() else {
            return false;
        };
        match event.kind {
            Kind::Node => event.is_node_add_or_taint() || event.labels_changed(),
            Kind::PersistentVolume => true,
            Kind::PersistentVolumeClaim => uses_claim(&cycle.pod.object, new),
            Kind::StorageClass => {
                let topologies = |o: &Object| o.get("allowedTopologies").clone();
                let old = event.old.as_deref();
                old.is_none_or(|old| topologies(old) != topologies(new))
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::PluginId;
    use crate::scheduler::cache::Cache;
    use crate::scheduler::fixture::{cache, hint, node, pod, verdicts};
    use podscope_api::{Object, Value, value};

    fn using(claims: &[&str]) -> Object {
        let volumes = claims
            .iter()
            .map(|name| value!({"name": (*name), "persistentVolumeClaim": {"claimName": (*name)}}));
        pod("web", value!({"spec": {"volumes": (Value::list(volumes))}}))
    }
    fn claim(name: &str, fields: Value) -> Object {
        let claim = value!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"name": (name), "namespace": "default", "uid": (name)},
            "spec": {"storageClassName": "later", "resources": {"requests": {"storage": "1Gi"}}},
            "status": {"phase": "Pending"}
        });
        Object(podscope_api::patch::merge(&claim, &fields))
    }
    fn volume(name: &str, host: &str) -> Object {
        Object(value!({
            "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": (name)},
            "spec": {"capacity": {"storage": "2Gi"}, "storageClassName": "later",
                "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
                    {"key": "kubernetes.io/hostname", "operator": "In", "values": [(host)]}]}]}}},
            "status": {"phase": "Available"}
        }))
    }
    fn class(provisioner: &str, fields: Value) -> Object {
        let class = value!({
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "later"},
            "provisioner": (provisioner), "volumeBindingMode": "WaitForFirstConsumer"
        });
        Object(podscope_api::patch::merge(&class, &fields))
    }
    fn set(cache: &mut Cache, object: &Object) {
        let kind = object.kind().expect("the kind is known");
        cache.apply(kind, &object.key(), Some(object));
    }

    #[test]
    fn a_claim_must_exist_and_be_bindable() {
        let nodes = [node("a", "z", value!({})), node("b", "y", value!({}))];
        let mut cache = cache(&nodes, &[]);
        let web = using(&["data"]);
        const NONE: &str =
            "VolumeBinding: node(s) didn't find available persistent volumes to bind";
        // VolumeRestrictions asks for the claim first.
        assert_eq!(
            verdicts(&cache, &web),
            ["VolumeRestrictions: persistentvolumeclaim \"data\" not found"]
        );
        set(&mut cache, &claim("data", value!({})));
        assert_eq!(
            verdicts(&cache, &web),
            ["VolumeBinding: pod has unbound immediate PersistentVolumeClaims"]
        );
        set(&mut cache, &class("example.com/disk", value!({})));
        assert_eq!(verdicts(&cache, &web), ["a: ok", "b: ok"]);
        let zones = value!({"allowedTopologies": [{"matchLabelExpressions": [
            {"key": "topology.kubernetes.io/zone", "values": ["y"]}]}]});
        set(&mut cache, &class("example.com/disk", zones));
        assert_eq!(
            verdicts(&cache, &web),
            [format!("a: {NONE}"), "b: ok".into()]
        );
        set(
            &mut cache,
            &class("kubernetes.io/no-provisioner", value!({})),
        );
        assert_eq!(
            verdicts(&cache, &web),
            [format!("a: {NONE}"), format!("b: {NONE}")]
        );
        set(&mut cache, &volume("disk", "a"));
        assert_eq!(
            verdicts(&cache, &web),
            ["a: ok".into(), format!("b: {NONE}")]
        );
        // One volume is not enough for two claims.
        set(&mut cache, &claim("more", value!({})));
        let greedy = using(&["data", "more"]);
        assert_eq!(
            verdicts(&cache, &greedy),
            [format!("a: {NONE}"), format!("b: {NONE}")]
        );
        // The Node was chosen before: only that one will do.
        let chosen =
            value!({"metadata": {"annotations": {"volume.kubernetes.io/selected-node": "b"}}});
        set(&mut cache, &claim("data", chosen));
        set(&mut cache, &class("example.com/disk", value!({})));
        assert_eq!(
            verdicts(&cache, &web),
            [format!("a: {NONE}"), "b: ok".into()]
        );
    }

    #[test]
    fn a_bound_claim_pulls_the_pod_to_its_volume() {
        let nodes = [node("a", "z", value!({})), node("b", "z", value!({}))];
        let mut cache = cache(&nodes, &[]);
        let bound = value!({
            "metadata": {"annotations": {"pv.kubernetes.io/bind-completed": "yes"}},
            "spec": {"volumeName": "disk"}, "status": {"phase": "Bound"}
        });
        set(&mut cache, &claim("data", bound.clone()));
        let web = using(&["data"]);
        assert_eq!(
            verdicts(&cache, &web),
            ["VolumeZone: persistentvolume \"disk\" not found"]
        );
        set(&mut cache, &volume("disk", "b"));
        assert_eq!(
            verdicts(&cache, &web),
            [
                "a: VolumeBinding: node(s) didn't match PersistentVolume's node affinity",
                "b: ok"
            ]
        );
        let lost = podscope_api::patch::merge(&bound, &value!({"status": {"phase": "Lost"}}));
        set(&mut cache, &claim("data", lost));
        assert_eq!(
            verdicts(&cache, &web),
            [
                "VolumeBinding: persistentvolumeclaim \"data\" bound to non-existent persistentvolume \"disk\""
            ]
        );
    }

    #[test]
    fn its_own_claims_wake_a_pod() {
        let cache = cache(&[node("a", "z", value!({}))], &[]);
        let (web, id) = (using(&["data"]), PluginId::VolumeBinding);
        let data = claim("data", value!({}));
        assert!(hint(&cache, &web, id, None, Some(data.clone())));
        assert!(!hint(
            &cache,
            &web,
            id,
            None,
            Some(claim("other", value!({})))
        ));
        let far = claim("data", value!({"metadata": {"namespace": "far"}}));
        assert!(!hint(&cache, &web, id, None, Some(far)));
        assert!(hint(&cache, &web, id, None, Some(volume("disk", "a"))));
        let old = class("a.b/c", value!({}));
        assert!(hint(&cache, &web, id, None, Some(old.clone())));
        let relabelled = class("a.b/c", value!({"metadata": {"labels": {"a": "b"}}}));
        assert!(!hint(&cache, &web, id, Some(old), Some(relabelled)));
        assert!(!hint(&cache, &web, id, Some(data), None));
    }
}
