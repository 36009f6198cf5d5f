//! VolumeRestrictions: some volumes can be used by one Pod, or written to by one Pod, at a time.
//!
//! Models: `pkg/scheduler/framework/plugins/volumerestrictions` (v1.36)

use super::{Cycle, Plugin, PluginId, PreFilter};
use crate::scheduler::events::ClusterEvent;
use crate::scheduler::node_info::NodeInfo;
use crate::scheduler::pod_info::PodInfo;
use crate::scheduler::verdict::{Reason, Rejection};
use crate::scheduler::volumes::uses_claim;
use podscope_api::{Kind, Object, Text, Value, value};

const DISK: &str = "node(s) had no available disk";
const IN_USE: &str = "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod";
/// Volumes in a Pod's own words that are compared, each with its field of identity.
const DISKS: &[(&str, &str)] = &[
    ("gcePersistentDisk", "pdName"),
    ("awsElasticBlockStore", "volumeID"),
    ("iscsi", "iqn"),
    ("rbd", "image"),
];

/// State: claims that one Pod may use, and how many other Pods use them.
#[derive(Clone, Default)]
pub struct VolumeRestrictions {
    exclusive: Vec<Text>,
    users: i64,
}

/// How many of these claims a Pod uses.
fn uses(pod: &PodInfo, claims: &[Text]) -> i64 {
    let volumes = pod.object.spec().get("volumes").items().iter();
    let names = volumes.map(|v| v.get("persistentVolumeClaim").get("claimName"));
    let names = names.filter(|name| name.as_text().is_some_and(|n| claims.contains(n)));
    i64::try_from(names.count()).unwrap_or(i64::MAX)
}

/// Whether two volumes are one disk that both cannot have.
fn clash(wanted: &Value, taken: &Value) -> bool {
    DISKS.iter().any(|(kind, identity)| {
        let (a, b) = (wanted.get(kind), taken.get(kind));
        if a.is_null() || b.is_null() || a.get(identity) != b.get(identity) {
            return false;
        }
        let only_read = a.get("readOnly").is_true() && b.get("readOnly").is_true();
        match *kind {
            "awsElasticBlockStore" => true,
            "rbd" => {
                let pool = |v: &Value| match v.get("pool").str_or_empty() {
                    "" => "rbd".to_string(),
                    pool => pool.to_string(),
                };
                let theirs = b.get("monitors").items();
                let mut monitors = a.get("monitors").items().iter();
                !only_read && pool(a) == pool(b) && monitors.any(|m| theirs.contains(m))
            }
            _ => !only_read,
        }
    })
}

fn is_disk(volume: &Value) -> bool {
    DISKS.iter().any(|(kind, _)| !volume.get(kind).is_null())
}

impl VolumeRestrictions {
    /// Reads the claims that a Pod must have for itself.
    #[inline(never)]
    fn read(&mut self, cycle: Cycle, volumes: &[Value]) -> Result<(), Rejection> {
        let namespace = &cycle.pod.key.namespace;
        for volume in volumes {
            let Some(name) = volume.at("persistentVolumeClaim.claimName").as_text() else {
                continue;
            };
            let claim = cycle
                .cache
                .object(Kind::PersistentVolumeClaim, namespace, name);
            let Some(claim) = claim else {
                let text = ["persistentvolumeclaim \"", name, "\" not found"].concat();
                let reason = Reason::Other(text.into());
                return Err(Rejection::unresolvable(
                    PluginId::VolumeRestrictions,
                    reason,
                ));
            };
            let modes = claim.spec().get("accessModes").items();
            if modes.contains(&Value::str("ReadWriteOncePod")) {
                self.exclusive.push(name.clone());
            }
        }
        if !self.exclusive.is_empty() {
            let nodes = cycle.cache.nodes();
            let pods = nodes.flat_map(|node| node.pods.iter().map(|placed| &placed.pod));
            let pods =
                pods.filter(|pod| pod.key.namespace == *namespace && !pod.is_same(cycle.pod));
            self.users = pods.map(|pod| uses(pod, &self.exclusive).min(1)).sum();
        }
        Ok(())
    }
}

impl Plugin for VolumeRestrictions {
    fn pre_filter(&mut self, cycle: Cycle) -> PreFilter {
        *self = VolumeRestrictions::default();
        let volumes = cycle.pod.object.spec().get("volumes").items();
        let concerns = |v: &Value| is_disk(v) || !v.get("persistentVolumeClaim").is_null();
        if !volumes.iter().any(concerns) {
            return PreFilter::Skip;
        }
        if let Err(rejection) = self.read(cycle, volumes) {
            return PreFilter::Reject(rejection);
        }
        if self.users == 0 && !volumes.iter().any(is_disk) {
            return PreFilter::Skip;
        }
        PreFilter::Success
    }

    #[inline(never)]
    fn filter(&self, cycle: Cycle, node: &NodeInfo) -> Result<(), Rejection> {
        let id = PluginId::VolumeRestrictions;
        let wanted = cycle.pod.object.spec().get("volumes").items();
        for other in &node.pods {
            let taken = other.pod.object.spec().get("volumes").items();
            if wanted.iter().any(|w| taken.iter().any(|t| clash(w, t))) {
                let facts = value!({"pod": (other.pod.key.to_string())});
                let message = DISK;
                return Err(Rejection::unschedulable(
                    id,
                    Reason::Volume { message, facts },
                ));
            }
        }
        if self.users > 0 {
            let claims = self.exclusive.iter().map(|c| Value::Str(c.clone()));
            let facts = value!({"claims": (Value::list(claims)), "users": (self.users)});
            let message = IN_USE;
            return Err(Rejection::unschedulable(
                id,
                Reason::Volume { message, facts },
            ));
        }
        Ok(())
    }

    fn change(&mut self, cycle: Cycle, _node: &NodeInfo, pod: &PodInfo, delta: i64) {
        if !self.exclusive.is_empty() && pod.key.namespace == cycle.pod.key.namespace {
            self.users += delta * uses(pod, &self.exclusive).min(1);
        }
    }

    #[inline(never)]
    fn hint(cycle: Cycle, event: &ClusterEvent) -> bool {
        if event.is_node_add_or_taint() {
            return true;
        }
        let pod = &cycle.pod.object;
        match (event.kind, event.new.as_deref(), event.old.as_deref()) {
            (Kind::PersistentVolumeClaim, Some(claim), _) => uses_claim(pod, claim),
            (Kind::Pod, None, Some(gone)) if !event.own => {
                let volumes = |o: &Object| o.spec().get("volumes").items().to_vec();
                let (wanted, freed) = (volumes(pod), volumes(gone));
                let claim = |v: &Value| v.at("persistentVolumeClaim.claimName").clone();
                let same_claim = |a: &Value, b: &Value| !claim(a).is_null() && claim(a) == claim(b);
                let near = gone.namespace() == pod.namespace();
                wanted.iter().any(|w| {
                    let mut freed = freed.iter();
                    freed.any(|f| clash(w, f) || (near && same_claim(w, f)))
                })
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::PluginId;
    use crate::scheduler::fixture::{cache, hint, node, pod, verdicts};
    use podscope_api::{Kind, Object, Value, value};

    fn with(name: &str, volume: Value) -> Object {
        let mut volume = volume;
        volume.set("name", "v");
        pod(name, value!({"spec": {"volumes": [(volume)]}}))
    }

    #[test]
    fn a_disk_is_written_by_one_pod() {
        let disk = |only: bool| value!({"gcePersistentDisk": {"pdName": "d", "readOnly": (only)}});
        let nodes = [node("a", "z", value!({})), node("b", "z", value!({}))];
        let taken = cache(&nodes, &[(with("holder", disk(false)), "a")]);
        const NO: &str = "a: VolumeRestrictions: node(s) had no available disk";
        assert_eq!(verdicts(&taken, &with("web", disk(false))), [NO, "b: ok"]);
        assert_eq!(verdicts(&taken, &with("web", disk(true))), [NO, "b: ok"]);
        let read = cache(&nodes, &[(with("holder", disk(true)), "a")]);
        assert_eq!(
            verdicts(&read, &with("web", disk(true))),
            ["a: ok", "b: ok"]
        );
        let rbd = |monitor: &str| value!({"rbd": {"image": "i", "monitors": ["m1", (monitor)]}});
        let taken = cache(&nodes, &[(with("holder", rbd("m2")), "a")]);
        assert_eq!(verdicts(&taken, &with("web", rbd("m3"))), [NO, "b: ok"]);
    }

    #[test]
    fn a_claim_for_one_pod_is_had_once_in_the_whole_cluster() {
        let mine = value!({"persistentVolumeClaim": {"claimName": "mine"}});
        let nodes = [node("a", "z", value!({})), node("b", "z", value!({}))];
        let holder = with("holder", mine.clone());
        let mut cache = cache(&nodes, &[(holder.clone(), "a")]);
        for (kind, object) in [
            (
                Kind::PersistentVolumeClaim,
                value!({
                    "apiVersion": "v1", "kind": "PersistentVolumeClaim",
                    "metadata": {"name": "mine", "namespace": "default",
                        "annotations": {"pv.kubernetes.io/bind-completed": "yes"}},
                    "spec": {"accessModes": ["ReadWriteOncePod"], "volumeName": "disk"}
                }),
            ),
            (
                Kind::PersistentVolume,
                value!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "disk"}}),
            ),
        ] {
            let object = Object(object);
            cache.apply(kind, &object.key(), Some(&object));
        }
        let web = with("web", mine);
        const NO: &str = "VolumeRestrictions: node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod";
        assert_eq!(
            verdicts(&cache, &web),
            [format!("a: {NO}"), format!("b: {NO}")]
        );
        let id = PluginId::VolumeRestrictions;
        assert!(hint(&cache, &web, id, Some(holder.clone()), None));
        assert!(!hint(
            &cache,
            &web,
            id,
            Some(pod("other", value!({}))),
            None
        ));
        let (holder, a) = (crate::scheduler::pod_info::PodInfo::new(&holder), "a");
        cache.remove_pod(&holder, a);
        assert_eq!(verdicts(&cache, &web), ["a: ok", "b: ok"]);
    }
}
