//! VolumeBinding: the Pod's claims must exist, be bound or bindable, and be reachable from the Node.
//!
//! Models: `pkg/scheduler/framework/plugins/volumebinding` (v1.36); the texts for missing claims are also
//! those of VolumeRestrictions and NodeVolumeLimits, which ask first. Left out: storage capacity, limits
//! per Node, zones of in-tree disks and ReadWriteOncePod.

use super::{Cycle, Plugin, PluginId, PreFilter};
use crate::scheduler::events::ClusterEvent;
use crate::scheduler::node_info::NodeInfo;
use crate::scheduler::node_selector::NodeSelector;
use crate::scheduler::verdict::{Reason, Rejection};
use podscope_api::{Kind, Object, Quantity, Text, Value};

const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";

/// A claim that is to be bound when its first Pod is placed.
#[derive(Clone)]
struct Delayed {
    provisioned: bool,
    volumes: Vec<NodeSelector>,
    anywhere: bool,
}

/// State: where the Pod's volumes can be reached.
#[derive(Clone, Default)]
pub struct VolumeBinding {
    missing: bool,
    bound: Vec<NodeSelector>,
    delayed: Vec<Delayed>,
}

fn reject(message: impl Into<Text>) -> Rejection {
    Rejection::unresolvable(PluginId::VolumeBinding, Reason::Other(message.into()))
}

/// The claims of a Pod: (name, whether a controller makes it for this Pod).
pub fn claims(pod: &Object) -> Vec<(Text, bool)> {
    let mut claims = Vec::new();
    for volume in pod.spec().get("volumes").items() {
        if let Some(name) = volume
            .get("persistentVolumeClaim")
            .get("claimName")
            .as_text()
        {
            claims.push((name.clone(), false));
        } else if !volume.get("ephemeral").is_null() {
            let volume = volume.get("name").str_or_empty();
            claims.push(([pod.name(), "-", volume].concat().into(), true));
        }
    }
    claims
}

impl VolumeBinding {
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
        if !volume.is_empty() && claim.annotation(BIND_COMPLETED).is_some() {
            match cycle
                .cache
                .object(Kind::PersistentVolume, &"".into(), volume)
            {
                Some(volume) => self.bound.extend(reach(volume)),
                None => self.missing = true,
            }
            return Ok(true);
        }
        let class = claim.spec().get("storageClassName").str_or_empty();
        let class = cycle.cache.object(Kind::StorageClass, &"".into(), class);
        let Some(class) = class.filter(|_| volume.is_empty()).filter(|class| {
            class.get("volumeBindingMode").as_str() == Some("WaitForFirstConsumer")
        }) else {
            return Ok(false);
        };
        let provisioner = class.get("provisioner").as_str();
        let mut delayed = Delayed {
            provisioned: provisioner != Some("kubernetes.io/no-provisioner"),
            volumes: Vec::new(),
            anywhere: false,
        };
        for volume in cycle
            .cache
            .objects(Kind::PersistentVolume)
            .filter(|v| suits(v, claim))
        {
            match reach(volume) {
                Some(selector) => delayed.volumes.push(selector),
                None => delayed.anywhere = true,
            }
        }
        self.delayed.push(delayed);
        Ok(true)
    }
}

/// The Nodes that can reach a volume; `None` when all can.
fn reach(volume: &Object) -> Option<NodeSelector> {
    let required = volume.spec().get("nodeAffinity").get("required");
    (!required.is_null()).then(|| NodeSelector::parse(required))
}

/// Whether a free volume could be bound to a claim.
fn suits(volume: &Object, claim: &Object) -> bool {
    let (has, wants) = (volume.spec(), claim.spec());
    let size = |v: &Value| Quantity::from_value(v.get("storage")).unwrap_or_default();
    let modes = has.get("accessModes").items();
    volume.status().get("phase").as_str() == Some("Available")
        && has.get("claimRef").is_null()
        && has.get("storageClassName") == wants.get("storageClassName")
        && size(has.get("capacity")) >= size(wants.get("resources").get("requests"))
        && wants
            .get("accessModes")
            .items()
            .iter()
            .all(|mode| modes.contains(mode))
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
    fn filter(&self, _cycle: Cycle, node: &NodeInfo) -> Result<(), Rejection> {
        if self.missing {
            return Err(reject(
                "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)",
            ));
        }
        let reaches = |selector: &NodeSelector| selector.matches(&node.name, &node.labels);
        if !self.bound.iter().all(reaches) {
            return Err(reject(
                "node(s) didn't match PersistentVolume's node affinity",
            ));
        }
        let bindable = |d: &Delayed| d.provisioned || d.anywhere || d.volumes.iter().any(reaches);
        if !self.delayed.iter().all(bindable) {
            return Err(reject(
                "node(s) didn't find available persistent volumes to bind",
            ));
        }
        Ok(())
    }

    fn hint(_cycle: Cycle, event: &ClusterEvent) -> bool {
        let volumes = matches!(
            event.kind,
            Kind::PersistentVolumeClaim | Kind::PersistentVolume | Kind::StorageClass
        );
        let nodes = event.is_node_add_or_taint() || event.labels_changed();
        (volumes && event.new.is_some()) || (event.kind == Kind::Node && nodes)
    }
}

#[cfg(test)]
mod tests {
    use crate::scheduler::fixture::{cache, node, pod, verdicts};
    use podscope_api::{Kind, Object, value};

    #[test]
    fn a_claim_must_exist_and_be_bindable() {
        let mut cache = cache(&[node("a", "z", value!({}))], &[]);
        let web = pod(
            "web",
            value!({"spec": {"volumes": [
                {"name": "v", "persistentVolumeClaim": {"claimName": "data"}}
            ]}}),
        );
        assert_eq!(
            verdicts(&cache, &web),
            ["VolumeBinding: persistentvolumeclaim \"data\" not found"]
        );
        let claim = Object(value!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data", "namespace": "default"},
            "spec": {"storageClassName": "later"}, "status": {"phase": "Pending"}
        }));
        cache.apply(Kind::PersistentVolumeClaim, &claim.key(), Some(&claim));
        assert_eq!(
            verdicts(&cache, &web),
            ["VolumeBinding: pod has unbound immediate PersistentVolumeClaims"]
        );
        let class = Object(value!({
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "later"},
            "provisioner": "example.com/disk", "volumeBindingMode": "WaitForFirstConsumer"
        }));
        cache.apply(Kind::StorageClass, &class.key(), Some(&class));
        assert_eq!(verdicts(&cache, &web), ["a: ok"]);
    }
}
