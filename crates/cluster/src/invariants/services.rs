//! Invariants of Services: who is an endpoint.

use super::Finding;
use super::history::serves;
use crate::controllers::meta::is_active;
use crate::world::Cluster;
use podscope_api::selector::Selector;
use podscope_api::{Key, Kind, Object};
use podscope_kernel::collections::BTreeSet;

const SERVICE: &str = "kubernetes.io/service-name";

/// The Service that a slice belongs to.
fn service<'a>(cluster: &'a Cluster, slice: &Object) -> Option<&'a Object> {
    let key = Key::new(slice.namespace(), slice.label(SERVICE)?);
    let stored = cluster.etcd.get(Kind::Service, &key)?;
    Some(&stored.object)
}

/// At rest, an endpoint that is ready names a Pod that is Ready, unless the Service publishes others too.
pub(super) fn endpoints_are_ready(cluster: &Cluster, out: &mut Vec<Finding>) {
    for (key, stored) in cluster.etcd.of_kind(Kind::EndpointSlice) {
        let slice = &stored.object;
        let Some(service) = service(cluster, slice) else {
            continue;
        };
        let all = service.at("spec.publishNotReadyAddresses").is_true();
        for endpoint in slice.get("endpoints").items() {
            let target = endpoint.get("targetRef");
            let ready = endpoint.at("conditions.ready").as_bool() != Some(false);
            if target.get("kind").as_str() != Some("Pod") || !ready {
                continue;
            }
            let pod = Key::new(slice.namespace(), target.get("name").str_or_empty());
            let stored = cluster.etcd.get(Kind::Pod, &pod).map(|s| &s.object);
            let same = stored.filter(|p| Some(p.uid()) == target.get("uid").as_str());
            let found = match same {
                None => "-",
                Some(p) if all || serves(p) => continue,
                Some(_) => "NotReady",
            };
            out.push(Finding::new(
                Kind::EndpointSlice,
                key,
                pod.to_string(),
                found,
            ));
        }
    }
}

/// At rest, every Ready Pod that a Service selects is one of its endpoints.
pub(super) fn ready_pods_are_endpoints(cluster: &Cluster, out: &mut Vec<Finding>) {
    for (key, stored) in cluster.etcd.of_kind(Kind::Service) {
        let selector = stored.object.at("spec.selector");
        if selector.is_empty() || stored.object.is_being_deleted() {
            continue;
        }
        let selector = Selector::from_labels(selector);
        let mut named: BTreeSet<&str> = BTreeSet::new();
        let slices = cluster.etcd.of_kind(Kind::EndpointSlice);
        for (_, slice) in slices.filter(|(k, s)| {
            k.namespace == key.namespace && s.object.label(SERVICE) == Some(&key.name)
        }) {
            let endpoints = slice.object.get("endpoints").items();
            named.extend(
                endpoints
                    .iter()
                    .map(|e| e.at("targetRef.uid").str_or_empty()),
            );
        }
        for (pod_key, pod) in cluster.etcd.of_kind(Kind::Pod) {
            let pod = &pod.object;
            if pod_key.namespace == key.namespace
                && is_active(pod)
                && serves(pod)
                && !pod.at("status.podIP").str_or_empty().is_empty()
                && selector.matches(pod.labels())
                && !named.contains(pod.uid())
            {
                let name = pod_key.to_string();
                out.push(Finding::new(Kind::Service, key, name, "-"));
            }
        }
    }
}
