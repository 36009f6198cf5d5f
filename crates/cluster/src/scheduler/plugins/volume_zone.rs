//! VolumeZone: a Node must lie in the zone and region that the labels of the Pod's bound volumes name.
//!
//! Models: `pkg/scheduler/framework/plugins/volumezone` (v1.36)

use super::{Cycle, Plugin, PluginId, PreFilter};
use crate::scheduler::events::ClusterEvent;
use crate::scheduler::node_info::NodeInfo;
use crate::scheduler::verdict::{Reason, Rejection};
use crate::scheduler::volumes::{class_of, is_delayed, uses_claim};
use podscope_api::{Kind, Object, Text, Value, value};

/// Labels that place a volume, each with the newer name of the same thing.
const LABELS: [(&str, &str); 4] = [
    (
        "failure-domain.beta.kubernetes.io/zone",
        "topology.kubernetes.io/zone",
    ),
    (
        "failure-domain.beta.kubernetes.io/region",
        "topology.kubernetes.io/region",
    ),
    ("topology.kubernetes.io/zone", "topology.kubernetes.io/zone"),
    (
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/region",
    ),
];

/// Where one volume can be reached: one of these values of a label.
#[derive(Clone, PartialEq, Eq)]
struct Place {
    volume: Text,
    label: &'static str,
    newer: &'static str,
    values: Vec<Text>,
}

/// State: where the Pod's volumes can be reached.
#[derive(Clone, Default)]
pub struct VolumeZone {
    places: Vec<Place>,
}

fn places(volume: &Object) -> Vec<Place> {
    let place = |(label, newer): &(&'static str, &'static str)| {
        // One zone, or several joined by `__`; a list with an empty part is not understood.
        let values: Vec<Text> = volume
            .label(label)?
            .split("__")
            .map(|v| v.trim().into())
            .collect();
        let volume = volume.name().into();
        values.iter().all(|v| !v.is_empty()).then_some(Place {
            volume,
            label,
            newer,
            values,
        })
    };
    LABELS.iter().filter_map(place).collect()
}

fn reject(message: impl Into<Text>) -> Rejection {
    Rejection::unresolvable(PluginId::VolumeZone, Reason::Other(message.into()))
}

fn own_claims(pod: &Object) -> impl Iterator<Item = &Text> {
    let volumes = pod.spec().get("volumes").items().iter();
    volumes.filter_map(|v| v.get("persistentVolumeClaim").get("claimName").as_text())
}

impl VolumeZone {
    #[inline(never)]
    fn read(&mut self, cycle: Cycle, name: &Text) -> Result<(), Rejection> {
        let (cache, global) = (cycle.cache, Text::from(""));
        let missing = |kind: &str, name: &str| reject([kind, " \"", name, "\" not found"].concat());
        let claim = cache.object(Kind::PersistentVolumeClaim, &cycle.pod.key.namespace, name);
        let claim = claim.ok_or_else(|| missing("persistentvolumeclaim", name))?;
        let volume = claim.spec().get("volumeName").str_or_empty();
        if !volume.is_empty() {
            let found = cache.object(Kind::PersistentVolume, &global, volume);
            let found = found.ok_or_else(|| missing("persistentvolume", volume))?;
            self.places.extend(places(found));
            return Ok(());
        }
        let class = class_of(claim);
        if class.is_empty() {
            return Err(reject(
                "PersistentVolumeClaim had no pv name and storageClass name",
            ));
        }
        let found = cache.object(Kind::StorageClass, &global, class);
        let found = found.ok_or_else(|| missing("storageclass.storage.k8s.io", class))?;
        if is_delayed(Some(found)) {
            return Ok(());
        }
        Err(reject("PersistentVolume had no name"))
    }
}

impl Plugin for VolumeZone {
    fn pre_filter(&mut self, cycle: Cycle) -> PreFilter {
        self.places.clear();
        for name in own_claims(&cycle.pod.object) {
            if let Err(rejection) = self.read(cycle, name) {
                return PreFilter::Reject(rejection);
            }
        }
        if self.places.is_empty() {
            return PreFilter::Skip;
        }
        PreFilter::Success
    }

    #[inline(never)]
    fn filter(&self, _cycle: Cycle, node: &NodeInfo) -> Result<(), Rejection> {
        // A cluster without zones has no far ones.
        if LABELS.iter().all(|(label, _)| node.label(label).is_none()) {
            return Ok(());
        }
        let fits = |place: &&Place| {
            let here = node.label(place.label).or_else(|| node.label(place.newer));
            here.is_some_and(|here| place.values.iter().any(|v| v.as_ref() == here))
        };
        let Some(place) = self.places.iter().find(|place| !fits(place)) else {
            return Ok(());
        };
        let values = place.values.iter().map(|v| Value::Str(v.clone()));
        let facts = value!({
            "volume": (place.volume.clone()), "label": (place.label), "values": (Value::list(values))
        });
        let message = "node(s) had no available volume zone";
        Err(Rejection::unresolvable(
            PluginId::VolumeZone,
            Reason::Volume { message, facts },
        ))
    }

    #[inline(never)]
    fn hint(cycle: Cycle, event: &ClusterEvent) -> bool {
        let Some(new) = event.new.as_deref() else {
            return false;
        };
        let old = event.old.as_deref();
        match event.kind {
            Kind::Node => event.is_node_add_or_taint() || event.labels_changed(),
            Kind::StorageClass => old.is_none() && is_delayed(Some(new)),
            Kind::PersistentVolumeClaim => uses_claim(&cycle.pod.object, new),
            Kind::PersistentVolume => old.is_none_or(|old| places(old) != places(new)),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::PluginId;
    use crate::scheduler::fixture::{cache, hint, node, pod, verdicts};
    use podscope_api::{Kind, Object, value};

    #[test]
    fn a_volume_of_another_zone_is_out_of_reach() {
        let nodes = [
            node("a", "one", value!({})),
            node("b", "two", value!({})),
            node("c", "three", value!({})),
        ];
        let mut cache = cache(&nodes, &[]);
        let claim = Object(value!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data", "namespace": "default",
                "annotations": {"pv.kubernetes.io/bind-completed": "yes"}},
            "spec": {"volumeName": "disk"}
        }));
        cache.apply(Kind::PersistentVolumeClaim, &claim.key(), Some(&claim));
        let disk = |label: &str, zones: &str| {
            let mut disk = Object(value!({
                "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "disk", "labels": {}}
            }));
            disk.at_mut("metadata.labels")
                .map_mut()
                .insert(label, zones.into());
            disk
        };
        let web = pod(
            "web",
            value!({"spec": {"volumes": [
                {"name": "v", "persistentVolumeClaim": {"claimName": "data"}}
            ]}}),
        );
        const NO: &str = "VolumeZone: node(s) had no available volume zone";
        let in_one = disk("topology.kubernetes.io/zone", "one");
        cache.apply(Kind::PersistentVolume, &in_one.key(), Some(&in_one));
        let expected = ["a: ok".to_string(), format!("b: {NO}"), format!("c: {NO}")];
        assert_eq!(verdicts(&cache, &web), expected);
        // The old label, and two zones.
        let in_two = disk("failure-domain.beta.kubernetes.io/zone", "one__three");
        cache.apply(Kind::PersistentVolume, &in_two.key(), Some(&in_two));
        let expected = ["a: ok".to_string(), format!("b: {NO}"), "c: ok".to_string()];
        assert_eq!(verdicts(&cache, &web), expected);
        let id = PluginId::VolumeZone;
        assert!(hint(&cache, &web, id, Some(in_one.clone()), Some(in_two)));
        assert!(!hint(&cache, &web, id, Some(in_one.clone()), Some(in_one)));
    }
}
