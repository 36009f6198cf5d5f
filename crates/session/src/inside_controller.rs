//! The inside of a controller: caches, work queue, what it compares, what it writes; and a client's.

use crate::cluster_view::object_ref;
use crate::requests::recent;
use crate::session::Session;
use crate::view::*;
use podscope_api::{Kind, Object, Verb};
use podscope_cluster::client::informer::Caches;
use podscope_cluster::{ComponentId as Id, ControllerId, Process};

/// How many objects are compared on the page.
const MAX_COMPARED: usize = 60;
/// How many keys of a queue are shown.
const MAX_KEYS: usize = 60;
/// How many requests are shown.
const MAX_REQUESTS: usize = 14;

/// The kinds whose changes put keys into a controller's queue.
///
/// Models: the event handlers of `podscope_cluster::controllers`.
fn wakes(id: ControllerId) -> &'static [Kind] {
    match id {
        ControllerId::Deployment => &[Kind::Deployment, Kind::ReplicaSet, Kind::Pod],
        ControllerId::ReplicaSet => &[Kind::ReplicaSet, Kind::Pod],
        ControllerId::EndpointSlice => &[Kind::Service, Kind::Pod, Kind::EndpointSlice, Kind::Node],
        ControllerId::NodeLifecycle => &[Kind::Node, Kind::Lease, Kind::Pod],
        ControllerId::TaintEviction | ControllerId::PodGarbageCollector => &[Kind::Node, Kind::Pod],
        ControllerId::ServiceAccount => &[Kind::ServiceAccount, Kind::Namespace],
        ControllerId::RootCa => &[Kind::ConfigMap, Kind::Namespace],
        ControllerId::Namespace => &[Kind::Namespace],
        ControllerId::PersistentVolume | ControllerId::Provisioner => {
            &[Kind::PersistentVolumeClaim, Kind::PersistentVolume]
        }
        ControllerId::ClaimProtection => &[Kind::PersistentVolumeClaim, Kind::Pod],
        ControllerId::VolumeProtection => &[Kind::PersistentVolume],
        ControllerId::EphemeralVolume => &[Kind::Pod],
        ControllerId::DaemonSet => &[
            Kind::DaemonSet,
            Kind::Pod,
            Kind::ControllerRevision,
            Kind::Node,
        ],
        ControllerId::StatefulSet => &[Kind::StatefulSet, Kind::Pod],
        ControllerId::Job => &[Kind::Job, Kind::Pod],
        ControllerId::TtlAfterFinished => &[Kind::Job],
        ControllerId::CronJob => &[Kind::CronJob, Kind::Job],
        ControllerId::Disruption => &[Kind::PodDisruptionBudget, Kind::Pod],
        ControllerId::HorizontalPodAutoscaler => &[Kind::HorizontalPodAutoscaler],
        ControllerId::Tokens => &[Kind::Secret, Kind::ServiceAccount],
        _ => &[],
    }
}

/// What the stage shows of a controller.
pub fn inside(session: &Session, component: ComponentId, id: ControllerId) -> ControllerInside {
    let cluster = session.simulation().cluster();
    let caches = cluster.caches(Process::ControllerManager);
    ControllerInside {
        component,
        queue: queue(session, id).into(),
        compares: caches
            .map(|caches| compares(session, caches, id))
            .unwrap_or_default()
            .into(),
        caches: caches
            .map(|caches| lines(caches, id))
            .unwrap_or_default()
            .into(),
        writes: recent(session, MAX_REQUESTS, |event, request| {
            event.actor == Id::Controller(id)
                && !matches!(request.verb, Verb::Get | Verb::List | Verb::Watch)
        })
        .into(),
        limit: (20, 30),
    }
}

fn lines(caches: &Caches, id: ControllerId) -> Vec<CacheLine> {
    let woken = wakes(id);
    let mut lines: Vec<CacheLine> = caches
        .informers()
        .map(|(_, informer)| CacheLine {
            kind: informer.kind.name().into(),
            objects: u32::try_from(informer.objects().len()).unwrap_or(u32::MAX),
            revision: informer.revision,
            connected: informer.connected,
            wakes: woken.contains(&informer.kind),
        })
        .filter(|line| line.wakes || line.objects > 0)
        .collect();
    podscope_api::sort::by_key(&mut lines, |line| !line.wakes);
    lines
}

fn queue(session: &Session, id: ControllerId) -> Vec<QueuedKey> {
    let cluster = session.simulation().cluster();
    let Some(queue) = cluster.controllers().queue(id) else {
        return Vec::new();
    };
    let key = |key: &podscope_api::Key, place| QueuedKey {
        key: key.to_string().into(),
        place,
        failures: queue.failures(key),
    };
    let later = cluster
        .timers()
        .filter(|(_, owner, timer, _)| *owner == Id::Controller(id) && !timer.key.name.is_empty())
        .map(|(at, _, timer, _)| key(&timer.key, KeyPlace::Later(at.0.saturating_mul(1_000))));
    let in_hand = queue.in_hand().map(|k| key(k, KeyPlace::InHand));
    let waiting = queue.waiting().map(|k| key(k, KeyPlace::Waiting));
    in_hand.chain(waiting).chain(later).take(MAX_KEYS).collect()
}

fn count(code: &'static str, n: usize) -> Msg {
    let n = i64::try_from(n).unwrap_or(i64::MAX);
    Msg::new(code, vec![("n", Arg::Count(n))])
}

fn word(code: &'static str, text: &str) -> Msg {
    Msg::new(code, vec![("text", Arg::Text(text.into()))])
}

/// What a controller compares: desired and observed, from its own cache.
fn compares(session: &Session, caches: &Caches, id: ControllerId) -> Vec<Compare> {
    let kind = match id {
        ControllerId::Deployment => Kind::Deployment,
        ControllerId::ReplicaSet => Kind::ReplicaSet,
        ControllerId::DaemonSet => Kind::DaemonSet,
        ControllerId::StatefulSet => Kind::StatefulSet,
        ControllerId::EndpointSlice => Kind::Service,
        ControllerId::NodeLifecycle | ControllerId::TaintEviction => Kind::Node,
        ControllerId::ServiceAccount | ControllerId::Namespace => Kind::Namespace,
        _ => return Vec::new(),
    };
    let about = session.shown_log().last().and_then(|e| {
        let own = e.actor == Id::Controller(id);
        own.then(|| e.arg("key").str_or_empty().to_string())
    });
    let subject = session.shown_log().last().and_then(|e| e.subject.clone());
    caches
        .list(kind)
        .take(MAX_COMPARED)
        .map(|object| {
            let (desired, observed, same) = pair(caches, id, kind, object);
            let key = object.key();
            Compare {
                now: about.as_deref() == Some(&*key.to_string())
                    || subject
                        .as_ref()
                        .is_some_and(|s| s.kind == kind && s.key == key),
                object: object_ref(kind, &key),
                desired,
                observed,
                same,
            }
        })
        .collect()
}

fn pair(caches: &Caches, id: ControllerId, kind: Kind, object: &Object) -> (Msg, Msg, bool) {
    let replicas =
        |o: &Object| usize::try_from(o.at("spec.replicas").as_int().unwrap_or(0)).unwrap_or(0);
    match (id, kind) {
        (_, Kind::Deployment) => {
            let sets: usize = caches
                .owned_by(Kind::ReplicaSet, object.uid())
                .map(|set| replicas(set))
                .sum();
            let wanted = replicas(object);
            (
                count("compare.replicas", wanted),
                count("compare.in-sets", sets),
                wanted == sets,
            )
        }
        (_, Kind::ReplicaSet | Kind::StatefulSet | Kind::DaemonSet) => {
            let pods = caches
                .owned_by(Kind::Pod, object.uid())
                .filter(|p| !p.is_being_deleted())
                .count();
            let nodes = object.at("status.desiredNumberScheduled").as_int();
            let wanted = match (kind, nodes) {
                (Kind::DaemonSet, nodes) => usize::try_from(nodes.unwrap_or(0)).unwrap_or(0),
                _ => replicas(object),
            };
            (
                count("compare.pods", wanted),
                count("compare.pods", pods),
                wanted == pods,
            )
        }
        (_, Kind::Service) => {
            let slices = caches.owned_by(Kind::EndpointSlice, object.uid());
            let endpoints: usize = slices.map(|s| s.get("endpoints").items().len()).sum();
            let selector = object.at("spec.selector");
            let wanted = podscope_api::Selector::from_labels(selector);
            let pods = caches
                .list_in(Kind::Pod, object.namespace())
                .filter(|p| !selector.is_null() && wanted.matches(p.labels()))
                .filter(|p| !p.at("status.podIP").is_null())
                .count();
            (
                count("compare.matching", pods),
                count("compare.endpoints", endpoints),
                pods == endpoints,
            )
        }
        (ControllerId::TaintEviction, _) => {
            let taints = object.at("spec.taints").items();
            let evicts: Vec<&str> = taints
                .iter()
                .filter(|t| t.get("effect").as_str() == Some("NoExecute"))
                .map(|t| t.get("key").str_or_empty())
                .collect();
            let text = if evicts.is_empty() {
                Msg::plain("compare.untainted")
            } else {
                word("compare.tainted", &evicts.join(", "))
            };
            (Msg::plain("compare.untainted"), text, evicts.is_empty())
        }
        (_, Kind::Node) => {
            let ready = object.condition("Ready").get("status");
            let ready = ready.str_or_empty();
            (
                word("compare.ready", "True"),
                word("compare.ready", ready),
                ready == "True",
            )
        }
        (ControllerId::ServiceAccount, _) => {
            let account = podscope_api::Key::new(object.name(), "default");
            let there = caches.get(Kind::ServiceAccount, &account).is_some();
            (
                Msg::plain("compare.account"),
                Msg::plain(if there {
                    "compare.account"
                } else {
                    "compare.missing"
                }),
                there,
            )
        }
        _ => {
            let phase = object.at("status.phase").str_or_empty();
            (
                word("compare.phase", "Active"),
                word("compare.phase", phase),
                phase == "Active",
            )
        }
    }
}

/// What the stage shows of a client.
pub fn client(session: &Session) -> ClientInside {
    use crate::api::SessionApi;
    let entries = session.terminal();
    let requests = recent(session, MAX_REQUESTS, |event, _| {
        matches!(event.actor, Id::Client(_))
    });
    let last = entries.last();
    ClientInside {
        command: last.map_or_else(|| "".into(), |e| e.command.clone()),
        output: last.map_or_else(|| "".into(), |e| e.output.clone()),
        exit: last.and_then(|e| e.exit),
        requests: requests.into(),
    }
}
