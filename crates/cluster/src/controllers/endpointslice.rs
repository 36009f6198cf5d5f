//! EndpointSlice: lists for each Service the addresses of the Pods that it selects, and how they are.
//!
//! Models: pkg/controller/endpointslice, staging/src/k8s.io/endpointslice (v1.36)
//! Left out: the legacy Endpoints objects, IPv6 and dual stack, topology hints.

use super::meta::{self, failure_text, is_terminal, owner_reference, ready_since};
use super::{Controller, Next, Resume, Work};
use crate::client::informer::{CacheEvent, Caches};
use crate::component::ControllerId;
use crate::sim::Ctx;
use crate::trace::Note;
use podscope_api::selector::Selector;
use podscope_api::{IntOrString, Key, Kind, Object, Request, Text, Timestamp, Value, value};
use podscope_kernel::SimDuration;
use podscope_kernel::collections::BTreeMap;
use std::rc::Rc;

crate::codes! {
    /// A Service's slices are out of date: endpoints come, go or change.
    CHANGE = "endpointslice.change";
}

/// How many endpoints a slice has at most.
const MAX_ENDPOINTS: usize = 100;
const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
const ME: &str = "endpointslice-controller.k8s.io";
const SERVICE_NAME: &str = "kubernetes.io/service-name";
const HEADLESS: &str = "service.kubernetes.io/headless";
const TRIGGER_TIME: &str = "endpoints.kubernetes.io/last-change-trigger-time";

const WRITTEN: u8 = 1;

/// The controller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct EndpointSliceController {
    /// When the oldest change was made that a Service's next write brings in.
    triggers: BTreeMap<Key, Timestamp>,
    /// Newest revision of a slice that this controller has written, by Service.
    written: BTreeMap<Key, u64>,
}

/// Whether a Pod is listed at all; `terminating` says whether Pods being deleted are.
pub fn is_included(pod: &Object, terminating: bool) -> bool {
    let address = !pod.at("status.podIP").str_or_empty().is_empty()
        || !pod.at("status.podIPs").items().is_empty();
    address && !is_terminal(pod) && (terminating || !pod.is_being_deleted())
}

/// The endpoint of a Pod; `node` gives the zone.
pub fn endpoint(pod: &Object, node: Option<&Object>, service: &Object) -> Value {
    let serving = ready_since(pod).is_some();
    let terminating = pod.is_being_deleted();
    let all = service.at("spec.publishNotReadyAddresses").is_true();
    let mut target = value!({
        "kind": "Pod", "namespace": (pod.key().namespace), "name": (pod.name())
    });
    if !pod.uid().is_empty() {
        target.set("uid", pod.uid());
    }
    let mut endpoint = value!({
        "addresses": (addresses(pod)),
        "conditions": {
            "ready": (all || (serving && !terminating)), "serving": (serving),
            "terminating": (terminating)
        },
        "targetRef": (target)
    });
    let node_name = pod.at("spec.nodeName");
    if !node_name.is_empty() {
        endpoint.set("nodeName", node_name.clone());
    }
    let zone = node.and_then(|n| n.label("topology.kubernetes.io/zone"));
    if let Some(zone) = zone.filter(|z| !z.is_empty()) {
        endpoint.set("zone", zone);
    }
    let hostname = pod.at("spec.hostname");
    let subdomain = pod.at("spec.subdomain").str_or_empty();
    if !hostname.is_empty() && subdomain == service.name() && pod.namespace() == service.namespace()
    {
        endpoint.set("hostname", hostname.clone());
    }
    endpoint
}

/// The Pod's IPv4 addresses.
fn addresses(pod: &Object) -> Value {
    let listed: Vec<Value> = pod
        .at("status.podIPs")
        .items()
        .iter()
        .map(|ip| ip.get("ip").clone())
        .filter(|ip| ip.as_str().is_some_and(|t| !t.contains(':')))
        .collect();
    if listed.is_empty() && pod.at("status.podIPs").items().is_empty() {
        return Value::list([pod.at("status.podIP").clone()]);
    }
    Value::from(listed)
}

/// The Service's ports as this Pod has them: named target ports are looked up in its containers.
fn ports(service: &Object, pod: &Object) -> Vec<Value> {
    let mut ports = Vec::new();
    for port in service.at("spec.ports").items() {
        let protocol = match port.get("protocol").str_or_empty() {
            "" => "TCP",
            text => text,
        };
        let number = match IntOrString::from_value(port.get("targetPort")) {
            Some(IntOrString::Int(0)) | None => port.get("port").as_int(),
            Some(IntOrString::Int(n)) => Some(n),
            Some(IntOrString::Str(name)) => container_port(pod, name, protocol),
        };
        let Some(number) = number else { continue };
        let mut entry = value!({
            "name": (port.get("name").str_or_empty()), "protocol": (protocol), "port": (number)
        });
        let app = port.get("appProtocol");
        if !app.is_empty() {
            entry.set("appProtocol", app.clone());
        }
        ports.push(entry);
    }
    ports
}

fn container_port(pod: &Object, name: &str, protocol: &str) -> Option<i64> {
    let sidecar = |c: &&Value| c.get("restartPolicy").as_str() == Some("Always");
    let containers = pod.at("spec.containers").items().iter();
    let sidecars = pod.at("spec.initContainers").items().iter().filter(sidecar);
    containers
        .chain(sidecars)
        .flat_map(|c| c.get("ports").items())
        .find(|p| {
            p.get("name").as_str() == Some(name)
                && matches!(p.get("protocol").as_str().unwrap_or("TCP"), t if t == protocol)
        })
        .and_then(|p| p.get("containerPort").as_int())
}

/// What the slices of a Service should be, in requests: creates, updates, deletes.
pub fn reconcile(
    service: &Object,
    slices: &[Rc<Object>],
    pods: &[(Rc<Object>, Option<Rc<Object>>)],
    trigger: Option<Timestamp>,
) -> Vec<Request> {
    let mut wanted: BTreeMap<Vec<(Text, Text)>, (Vec<Value>, Vec<Value>)> = BTreeMap::new();
    for (pod, node) in pods {
        let ports = ports(service, pod);
        let key = ports
            .iter()
            .map(|p| {
                let number = p.get("port").as_int().unwrap_or(0);
                let name: Text = p.get("name").str_or_empty().into();
                (
                    name,
                    format!("{number}/{}", p.get("protocol").str_or_empty()).into(),
                )
            })
            .collect();
        let (_, endpoints) = wanted.entry(key).or_insert_with(|| (ports, Vec::new()));
        endpoints.push(endpoint(pod, node.as_deref(), service));
    }
    if wanted.is_empty() {
        wanted.insert(Vec::new(), (Vec::new(), Vec::new()));
    }
    let mut left: Vec<Rc<Object>> = slices.to_vec();
    let mut changes = Changes::default();
    for (_, (ports, endpoints)) in wanted {
        let (mine, others) = left
            .into_iter()
            .partition(|slice| slice.get("ports").items() == ports);
        left = others;
        place(service, &ports, endpoints, mine, &mut changes);
    }
    changes.delete.extend(left);
    changes.requests(trigger)
}

#[derive(Default)]
struct Changes {
    create: Vec<Object>,
    update: Vec<Object>,
    delete: Vec<Rc<Object>>,
}

impl Changes {
    /// Instead of deleting one slice and creating another, the one becomes the other.
    fn requests(self, trigger: Option<Timestamp>) -> Vec<Request> {
        let mut delete = self.delete.into_iter();
        let mut update = self.update;
        let mut create = Vec::new();
        for mut slice in self.create {
            match delete.next() {
                Some(reused) => {
                    slice.set("metadata", reused.get("metadata").clone());
                    update.push(slice);
                }
                None => create.push(slice),
            }
        }
        let stamped = |mut slice: Object| {
            stamp(&mut slice, trigger);
            slice
        };
        let mut requests: Vec<Request> = create
            .into_iter()
            .map(|slice| Request::create(Kind::EndpointSlice, stamped(slice)))
            .collect();
        requests.extend(
            update
                .into_iter()
                .map(|slice| Request::update(Kind::EndpointSlice, "", stamped(slice))),
        );
        requests.extend(delete.map(|slice| {
            let key = slice.key();
            Request::delete(Kind::EndpointSlice, key.namespace, key.name)
        }));
        requests
    }
}

/// Distributes the endpoints of one set of ports over its slices; each stays where it is if it can.
fn place(
    service: &Object,
    ports: &[Value],
    wanted: Vec<Value>,
    mut slices: Vec<Rc<Object>>,
    changes: &mut Changes,
) {
    let same_target = |a: &Value, b: &Value| a.get("targetRef") == b.get("targetRef");
    let mut rest = wanted;
    podscope_api::sort::by_key(&mut slices, |s| (s.created(), s.key()));
    let mut kept: Vec<Vec<Value>> = Vec::new();
    for slice in &slices {
        let mut list = Vec::new();
        for current in slice.get("endpoints").items() {
            if let Some(i) = rest.iter().position(|w| same_target(w, current)) {
                list.push(rest.remove(i));
            }
        }
        kept.push(list);
    }
    // New endpoints fill the fullest slice with room first.
    while !rest.is_empty() {
        let room = (0..kept.len())
            .filter(|i| kept.get(*i).is_some_and(|l| l.len() < MAX_ENDPOINTS))
            .max_by_key(|i| kept.get(*i).map_or(0, Vec::len));
        let Some(list) = room.and_then(|i| kept.get_mut(i)) else {
            break;
        };
        let count = rest.len().min(MAX_ENDPOINTS - list.len());
        list.extend(rest.drain(..count));
    }
    let mut chunks: Vec<Vec<Value>> = rest.chunks(MAX_ENDPOINTS).map(<[Value]>::to_vec).collect();
    if slices.is_empty() && chunks.is_empty() {
        chunks.push(Vec::new());
    }
    let full = kept.iter().any(|l| !l.is_empty()) || !chunks.is_empty();
    for (i, (slice, endpoints)) in slices.iter().zip(kept).enumerate() {
        if endpoints.is_empty() && (full || i > 0) {
            changes.delete.push(slice.clone());
            continue;
        }
        let mut updated = (**slice).clone();
        write(&mut updated, service, ports, endpoints);
        if !same(&updated, slice) {
            changes.update.push(updated);
        }
    }
    for endpoints in chunks {
        let mut slice = Object(value!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {
                "generateName": (format!("{}-", service.name())),
                "namespace": (service.key().namespace),
                "ownerReferences": [(owner_reference(Kind::Service, service))]
            }
        }));
        write(&mut slice, service, ports, endpoints);
        changes.create.push(slice);
    }
}

fn write(slice: &mut Object, service: &Object, ports: &[Value], endpoints: Vec<Value>) {
    let list_or_null = |list: Vec<Value>| {
        if list.is_empty() {
            Value::Null
        } else {
            Value::from(list)
        }
    };
    slice.set("endpoints", list_or_null(endpoints));
    slice.set("ports", list_or_null(ports.to_vec()));
    let mut labels = Value::map();
    for (key, text) in service.labels().entries() {
        if &**key != HEADLESS {
            labels.map_mut().insert(key.clone(), text.clone());
        }
    }
    labels
        .map_mut()
        .insert(SERVICE_NAME, Value::str(service.name()));
    labels.map_mut().insert(MANAGED_BY, Value::str(ME));
    if service.at("spec.clusterIP").as_str() == Some("None") {
        labels.map_mut().insert(HEADLESS, Value::str(""));
    }
    slice.set("metadata.labels", labels);
}

/// The annotation by which the delay of the network's programming is measured.
fn stamp(slice: &mut Object, trigger: Option<Timestamp>) {
    match trigger {
        Some(at) => {
            meta::annotate(slice, TRIGGER_TIME, &at.seconds_text());
        }
        None => {
            if slice.annotation(TRIGGER_TIME).is_some() {
                slice
                    .at_mut("metadata.annotations")
                    .map_mut()
                    .remove(TRIGGER_TIME);
            }
        }
    }
}

fn same(a: &Object, b: &Object) -> bool {
    a.get("endpoints").items() == b.get("endpoints").items()
        && a.get("ports").items() == b.get("ports").items()
        && a.labels() == b.labels()
}

/// What of a Pod matters to endpoints.
fn relevant(pod: &Object) -> (Value, bool, bool, bool, Value, Value) {
    (
        pod.status().get("podIPs").clone(),
        ready_since(pod).is_some(),
        pod.is_being_deleted(),
        is_terminal(pod),
        pod.labels().clone(),
        pod.at("spec.nodeName").clone(),
    )
}

fn services_of<'a>(pod: &'a Object, caches: &'a Caches) -> impl Iterator<Item = &'a Rc<Object>> {
    caches
        .list_in(Kind::Service, pod.namespace())
        .filter(|s| selects(s, pod))
}

fn selects(service: &Object, pod: &Object) -> bool {
    let selector = service.at("spec.selector");
    !selector.is_empty() && Selector::from_labels(selector).matches(pod.labels())
}

impl EndpointSliceController {
    /// Remembers when the change was made that brought a Pod into its state.
    fn trigger(&mut self, service: &Key, pod: &Object) {
        let ready = pod
            .condition("Ready")
            .get("lastTransitionTime")
            .as_str()
            .and_then(Timestamp::parse);
        if let Some(at) = ready.filter(|_| !pod.is_being_deleted()) {
            let earliest = self.triggers.entry(service.clone()).or_insert(at);
            *earliest = (*earliest).min(at);
        }
    }
}

impl Controller for EndpointSliceController {
    const ID: ControllerId = ControllerId::EndpointSlice;
    const WORKERS: usize = 5;
    const MAX_RETRIES: u32 = 15;
    const BASE_DELAY: SimDuration = SimDuration::secs(1);
    type Sync = ();

    fn start(&mut self, caches: &Caches, work: &mut Work<'_>, _ctx: &mut Ctx<'_>) {
        for service in caches.list(Kind::Service) {
            if !service.at("spec.selector").is_empty() {
                work.add(service.key(), None);
            }
        }
    }

    fn event(
        &mut self,
        event: &CacheEvent,
        caches: &Caches,
        work: &mut Work<'_>,
        _ctx: &mut Ctx<'_>,
    ) {
        let Some(object) = event.object() else { return };
        match event.kind {
            Kind::Service => {
                if event.old.is_none()
                    && let Some(at) = object.created()
                {
                    self.triggers.entry(object.key()).or_insert(at);
                }
                work.add(object.key(), event.cause);
            }
            Kind::Pod => {
                let old = event.old.as_deref().map(relevant);
                let new = event.new.as_deref().map(relevant);
                if old == new {
                    return;
                }
                let mut keys: Vec<Key> = Vec::new();
                for pod in event.old.iter().chain(&event.new) {
                    keys.extend(services_of(pod, caches).map(|s| s.key()));
                }
                podscope_api::sort::natural(&mut keys);
                keys.dedup();
                let readiness =
                    |o: &Option<_>| o.as_ref().map(|r: &(_, bool, bool, _, _, _)| (r.1, r.2));
                for key in keys {
                    if let Some(pod) = event.new.as_ref().filter(|_| {
                        readiness(&old) != readiness(&new)
                            || old.as_ref().map(|o| &o.0) != new.as_ref().map(|n| &n.0)
                    }) {
                        self.trigger(&key, pod);
                    }
                    work.add(key, event.cause);
                }
            }
            Kind::EndpointSlice if event.new.is_none() => {
                let service = object.label(SERVICE_NAME).unwrap_or("");
                if object.label(MANAGED_BY) == Some(ME) {
                    work.add(Key::new(object.namespace(), service), event.cause);
                }
            }
            Kind::Node => {
                let zone = |o: &Option<Rc<Object>>| {
                    o.as_ref()
                        .and_then(|n| n.label("topology.kubernetes.io/zone"))
                        .map(str::to_string)
                };
                if event.old.is_none()
                    || event.new.is_none()
                    || zone(&event.old) != zone(&event.new)
                {
                    for service in caches.list(Kind::Service) {
                        if !service.at("spec.selector").is_empty() {
                            work.add(service.key(), event.cause);
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn reconcile(
        &mut self,
        key: &Key,
        resume: Resume<'_, ()>,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) -> Next {
        if resume.stage == WRITTEN {
            for answer in resume.answers {
                match answer {
                    Ok(answer) if answer.object.at("kind").as_str() == Some("EndpointSlice") => {
                        let newest = self.written.entry(key.clone()).or_default();
                        *newest = (*newest).max(answer.object.resource_version());
                    }
                    Err(failure) if meta::code(answer) != 404 => {
                        return Next::Retry(failure_text(failure).to_string());
                    }
                    _ => {}
                }
            }
            return Next::Done;
        }
        let Some(service) = caches.get(Kind::Service, key) else {
            self.triggers.remove(key);
            self.written.remove(key);
            return Next::Done;
        };
        if service.at("spec.selector").is_empty()
            || service.at("spec.type").as_str() == Some("ExternalName")
        {
            return Next::Done;
        }
        let slices: Vec<Rc<Object>> = caches
            .list_in(Kind::EndpointSlice, &key.namespace)
            .filter(|s| s.label(SERVICE_NAME) == Some(&key.name) && s.label(MANAGED_BY) == Some(ME))
            .filter(|s| !s.is_being_deleted())
            .cloned()
            .collect();
        let seen = caches
            .informers()
            .find(|(_, i)| i.kind == Kind::EndpointSlice)
            .map_or(u64::MAX, |(_, i)| i.revision);
        if self.written.get(key).is_some_and(|r| *r > seen) {
            return Next::Retry("EndpointSlice informer cache is out of date".into());
        }
        let mut missing_node = false;
        let publish_all = service.at("spec.publishNotReadyAddresses").is_true();
        let mut pods = Vec::new();
        for pod in caches.list_in(Kind::Pod, &key.namespace) {
            if !selects(service, pod) || !is_included(pod, true) {
                continue;
            }
            let name = pod.at("spec.nodeName").str_or_empty();
            let node = caches.get(Kind::Node, &Key::new("", name)).cloned();
            if node.is_none() && !publish_all {
                missing_node = true;
                continue;
            }
            pods.push((pod.clone(), node));
        }
        let trigger = self.triggers.remove(key);
        let requests = reconcile(service, &slices, &pods, trigger);
        if requests.is_empty() {
            return if missing_node {
                Next::Retry("skipping a Pod whose Node is not found".into())
            } else {
                Next::Done
            };
        }
        let ready = pods
            .iter()
            .filter(|(p, _)| ready_since(p).is_some() && !p.is_being_deleted());
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let note = Note::new(CHANGE)
            .about(Kind::Service, key.clone())
            .arg("endpoints", count(pods.len()))
            .arg("ready", count(ready.count()));
        ctx.trace(note);
        Next::Call {
            requests,
            stage: WRITTEN,
        }
    }
}
