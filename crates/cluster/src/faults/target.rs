//! What faults are aimed at.

use super::{Fault, Target, machine};
use crate::world::Cluster;
use podscope_api::{Key, Kind, Text, Value};

/// Whether a target names this Pod: `name`, `namespace/name` or `key=value` for a label.
#[inline(never)]
pub(super) fn is_pod(target: &str, pod: &Key, labels: &Value) -> bool {
    if let Some((label, value)) = target.split_once('=') {
        return labels.get(label).as_str() == Some(value);
    }
    match target.split_once('/') {
        Some((namespace, name)) => *namespace == *pod.namespace && *name == *pod.name,
        None => &*pod.namespace == "default" && *target == *pod.name,
    }
}

const WEBHOOKS: Kind = Kind::MutatingWebhookConfiguration;

/// The machines of a zone.
#[inline(never)]
pub(super) fn in_zone(cluster: &Cluster, zone: &str) -> Vec<u16> {
    let nodes = cluster.nodes.iter();
    nodes
        .filter(|n| !zone.is_empty() && *n.config.zone == *zone)
        .map(|n| n.id)
        .collect()
}

/// Whether a fault's target exists.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check(cluster: &Cluster, target: Target, fault: &Fault) -> Result<(), Text> {
    let name = &*fault.target;
    match target {
        Target::None if !name.is_empty() => Err("this fault has no target".into()),
        Target::None => Ok(()),
        Target::Node => match machine(cluster, name) {
            Some(_) => Ok(()),
            None => Err(format!("there is no node \"{name}\"").into()),
        },
        Target::Pod => {
            // A label may come with Pods that do not exist yet.
            let label = name.split_once('=').is_some_and(|(key, _)| !key.is_empty());
            let mut pods = cluster.api.cached(Kind::Pod);
            if label || pods.any(|p| is_pod(name, &p.key(), p.labels())) {
                Ok(())
            } else {
                Err(format!("there is no Pod \"{name}\"").into())
            }
        }
        Target::Image => match crate::node::runtime::catalogue::full_name(name) {
            Ok(_) => Ok(()),
            Err(_) => Err(format!("\"{name}\" is not the name of an image").into()),
        },
        Target::Zone if in_zone(cluster, name).is_empty() => {
            Err(format!("there is no zone \"{name}\"").into())
        }
        Target::Zone => Ok(()),
        Target::Webhooks => {
            let key = Key::new("", name);
            match cluster.api.cached_one(WEBHOOKS, &key) {
                Some(_) => Ok(()),
                None => Err(format!("there is no {} \"{name}\"", WEBHOOKS.name()).into()),
            }
        }
        Target::Object(kinds) => match super::object::find(cluster, name) {
            Some((kind, _)) if kinds.contains(&kind) => Ok(()),
            _ => {
                let kinds: Vec<&str> = kinds.iter().map(|k| k.plural()).collect();
                let why = format!("there is no \"{name}\" among {}", kinds.join(", "));
                Err(why.into())
            }
        },
        Target::EtcdMember => match name.parse::<u8>() {
            Ok(member) if member < cluster.etcd.members() => Ok(()),
            _ => Err(format!(
                "there is no etcd member \"{name}\": they are numbered from 0 to {}",
                cluster.etcd.members().saturating_sub(1)
            )
            .into()),
        },
    }
}

/// Whether a container of the Pods aimed at has a probe of this kind; a label may aim at Pods to come.
pub(super) fn has_probe(cluster: &Cluster, target: &str, probe: &str) -> bool {
    any_container(cluster, target, |container| !container.get(probe).is_null())
}

/// Whether a container of the Pods aimed at is such; a label may aim at Pods to come.
pub(super) fn any_container(
    cluster: &Cluster,
    target: &str,
    such: impl Fn(&Value) -> bool,
) -> bool {
    let mut pods = cluster
        .api
        .cached(Kind::Pod)
        .filter(|p| is_pod(target, &p.key(), p.labels()))
        .peekable();
    if pods.peek().is_none() {
        return true;
    }
    let any = |list: &Value| list.items().iter().any(&such);
    pods.any(|p| any(p.at("spec.containers")) || any(p.at("spec.initContainers")))
}

/// What can be aimed at now.
pub(super) fn list(cluster: &Cluster, target: Target) -> Vec<Text> {
    match target {
        Target::None => vec!["".into()],
        Target::Node => cluster
            .nodes
            .iter()
            .map(|n| n.config.name.clone())
            .collect(),
        Target::Pod => cluster
            .api
            .cached(Kind::Pod)
            .take(500)
            .map(|p| match p.namespace() {
                "default" => p.name().into(),
                _ => p.key().to_string().into(),
            })
            .collect(),
        Target::Image => {
            let mut images: Vec<Text> = Vec::new();
            for pod in cluster.api.cached(Kind::Pod).take(500) {
                let lists = [pod.at("spec.initContainers"), pod.at("spec.containers")];
                for container in lists.iter().flat_map(|l| l.items()) {
                    let image = container.get("image").str_or_empty();
                    if !image.is_empty() && !images.iter().any(|i| **i == *image) {
                        images.push(image.into());
                    }
                }
            }
            podscope_api::sort::natural(&mut images);
            images
        }
        Target::Zone => {
            let mut zones: Vec<Text> = cluster
                .nodes
                .iter()
                .map(|n| n.config.zone.clone())
                .filter(|z| !z.is_empty())
                .collect();
            podscope_api::sort::natural(&mut zones);
            zones.dedup();
            zones
        }
        Target::Webhooks => cluster
            .api
            .cached(WEBHOOKS)
            .take(500)
            .map(|c| c.name().into())
            .collect(),
        Target::Object(kinds) => {
            // What a person has made comes first; a cluster's own objects are left out.
            let own = |o: &podscope_api::Object| {
                o.namespace().starts_with("kube-")
                    || o.name().starts_with("kube-")
                    || matches!(o.name(), "kubernetes" | "default")
            };
            let objects = kinds.iter().flat_map(|kind| {
                let all = cluster.api.cached(*kind).filter(|o| !own(o)).take(100);
                all.map(|o| super::object::name(*kind, o))
            });
            objects.take(500).collect()
        }
        Target::EtcdMember => (0..cluster.etcd.members())
            .map(|m| m.to_string().into())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use podscope_api::value;

    #[test]
    fn names_and_labels() {
        let key = Key::new("default", "web");
        let labels = value!({"app": "shop"});
        assert!(is_pod("web", &key, &labels) && is_pod("default/web", &key, &labels));
        assert!(is_pod("app=shop", &key, &labels));
        assert!(!is_pod("app=other", &key, &labels) && !is_pod("other/web", &key, &labels));
    }
}
