//! Objects as tables and YAML with their history, Events, etcd's keys.

use crate::cluster_view::object_ref;
use crate::components;
use crate::diff;
use crate::explain::object_yaml;
use crate::index::component_kind;
use crate::session::Session;
use crate::view::*;
use podscope_api::{Key, Kind, Object, Timestamp};
use podscope_cluster::{Data, TraceEvent};
use podscope_kernel::collections::BTreeMap;
use std::rc::Rc;

/// The order in which kinds are listed; others follow.
const FIRST: &[Kind] = &[
    Kind::Deployment,
    Kind::ReplicaSet,
    Kind::Pod,
    Kind::Service,
    Kind::EndpointSlice,
    Kind::Node,
    Kind::Lease,
    Kind::ConfigMap,
    Kind::ServiceAccount,
    Kind::Namespace,
];

/// The object that the current event is about.
pub fn touched(session: &Session) -> Option<ObjectRef> {
    let shown = session.timeline.shown();
    let event = shown.checked_sub(1).and_then(|i| session.log().get(i))?;
    event.subject.as_ref().map(|s| object_ref(s.kind, &s.key))
}

/// All objects but Events, kind by kind.
pub fn tables(session: &Session) -> Rc<[TableView]> {
    let etcd = session.simulation().cluster().etcd();
    let now = session.simulation().wall();
    let touched = touched(session);
    let rest = Kind::ALL
        .iter()
        .filter(|k| !FIRST.contains(k) && **k != Kind::Event);
    let mut tables = Vec::new();
    for kind in FIRST.iter().chain(rest) {
        let objects: Vec<&Rc<Object>> = etcd.of_kind(*kind).map(|(_, s)| &s.object).collect();
        if objects.is_empty() {
            continue;
        }
        let rows = objects.iter().map(|o| {
            let object = object_ref(*kind, &o.key());
            let mut cells: Vec<Text> = podscope_kubectl::row(*kind, o, false, now)
                .iter()
                .map(|c| c.to_string().into())
                .collect();
            if kind.namespaced() {
                cells.insert(0, o.namespace().into());
            }
            RowView {
                now: touched.as_ref() == Some(&object),
                object,
                cells: cells.into(),
            }
        });
        let mut heads: Vec<Text> = podscope_kubectl::columns(*kind, false)
            .map(Text::from)
            .collect();
        if kind.namespaced() {
            heads.insert(0, "NAMESPACE".into());
        }
        tables.push(TableView {
            kind: kind.name().into(),
            plural: kind.plural().into(),
            heads: heads.into(),
            rows: rows.collect(),
        });
    }
    tables.into()
}

/// One object with its revisions up to the cursor.
pub fn object(
    session: &Session,
    wanted: &ObjectRef,
    revision: Option<u64>,
    against: Option<u64>,
) -> Option<ObjectView> {
    let kind = Kind::ALL
        .iter()
        .copied()
        .find(|k| k.name() == &*wanted.kind)?;
    let key = Key::new(wanted.namespace.clone(), wanted.name.clone());
    let shown = session.timeline.shown();
    let mut versions: Vec<(RevisionView, Option<Rc<Object>>)> = Vec::new();
    for (i, event) in session.log().iter().take(shown).enumerate() {
        let Data::Change(before, after) = &event.data else {
            continue;
        };
        let about = event
            .subject
            .as_ref()
            .is_some_and(|s| s.kind == kind && s.key == key);
        if event.code != "etcd.commit" || !about {
            continue;
        }
        if versions.is_empty()
            && let Some(before) = before
        {
            versions.push((first(before), Some(before.clone())));
        }
        let by = writer(session, event);
        versions.push((
            RevisionView {
                revision: u64::try_from(event.arg("revision").as_int().unwrap_or(0)).unwrap_or(0),
                event: EventIndex::try_from(i + 1).unwrap_or(EventIndex::MAX),
                at: event.at.0.saturating_mul(1_000),
                by: by.0.into(),
                kind: by.1,
                bytes: after.as_ref().map_or(0, |o| size(o)),
                deletes: after.is_none(),
            },
            after.clone(),
        ));
    }
    if versions.is_empty() {
        let stored = session.simulation().cluster().etcd().get(kind, &key)?;
        versions.push((first(&stored.object), Some(stored.object.clone())));
    }
    let deleted = versions.last().is_some_and(|(_, o)| o.is_none());
    let at = |revision: u64| versions.iter().position(|(r, _)| r.revision == revision);
    let place = revision.and_then(at).unwrap_or(versions.len() - 1);
    let other = match against {
        Some(0) => None,
        wanted => wanted.and_then(at).or_else(|| place.checked_sub(1)),
    };
    let text = |i: usize| {
        versions
            .get(i)
            .and_then(|(_, o)| o.as_ref())
            .map(|o| object_yaml(o))
            .unwrap_or_default()
    };
    let lines = match other {
        Some(other) => diff::lines(&text(other), &text(place)),
        None => diff::plain(&text(place)),
    };
    let newest = versions.iter().rev().find_map(|(_, o)| o.clone());
    let owners = newest.iter().flat_map(|o| {
        let namespace = Text::from(o.namespace());
        o.owners()
            .map(|owner| ObjectRef {
                kind: owner.kind.into(),
                namespace: namespace.clone(),
                name: owner.name.into(),
            })
            .collect::<Vec<_>>()
    });
    Some(ObjectView {
        object: wanted.clone(),
        lines: lines.into(),
        owners: owners.collect(),
        shown: versions.get(place).map_or(0, |(r, _)| r.revision),
        against: other.and_then(|i| versions.get(i)).map(|(r, _)| r.revision),
        revisions: versions.into_iter().map(|(r, _)| r).collect(),
        deleted,
    })
}

fn first(object: &Object) -> RevisionView {
    RevisionView {
        revision: object.resource_version(),
        event: 0,
        at: 0,
        by: "".into(),
        kind: ComponentKind::ApiServer,
        bytes: size(object),
        deletes: false,
    }
}

/// Size of an object as JSON, in bytes.
fn size(object: &Object) -> u32 {
    u32::try_from(podscope_api::json::to_string(object).len()).unwrap_or(u32::MAX)
}

/// Who sent the request that this commit belongs to.
fn writer(session: &Session, commit: &TraceEvent) -> (String, ComponentKind) {
    let upto = usize::try_from(commit.id.0).unwrap_or(0);
    session
        .log()
        .get(..upto)
        .unwrap_or(&[])
        .iter()
        .rev()
        .take(100_000)
        .find(|e| e.code == "client.request" && e.request == commit.request)
        .map_or((String::new(), ComponentKind::ApiServer), |e| {
            (components::name(session, e.actor), component_kind(e.actor))
        })
}

/// Kubernetes Events, newest last.
pub fn events(session: &Session) -> Rc<[KubeEventView]> {
    let cluster = session.simulation().cluster();
    let epoch = cluster.config().epoch_micros;
    // The commit of each Event's newest revision.
    let commits = session
        .shown_log()
        .iter()
        .filter(|e| e.code == "etcd.commit");
    let of_events = commits.filter(|e| e.subject.as_ref().is_some_and(|s| s.kind == Kind::Event));
    let written: BTreeMap<i64, u64> = of_events
        .map(|e| (e.arg("revision").as_int().unwrap_or(0), e.id.0 + 1))
        .collect();
    let mut events: Vec<(u64, KubeEventView)> = cluster
        .etcd()
        .of_kind(Kind::Event)
        .map(|(_, stored)| {
            let o = &stored.object;
            let at = [
                o.at("series.lastObservedTime"),
                o.get("lastTimestamp"),
                o.get("eventTime"),
                o.at("metadata.creationTimestamp"),
            ]
            .into_iter()
            .find_map(|v| Timestamp::parse(v.as_str()?))
            .map_or(0, |t| u64::try_from(t.0 - epoch).unwrap_or(0));
            let involved = o.get("involvedObject");
            let count = o
                .at("series.count")
                .as_int()
                .or(o.get("count").as_int())
                .unwrap_or(1);
            let from = [o.at("source.component"), o.get("reportingComponent")]
                .into_iter()
                .find_map(|v| v.as_str().filter(|s| !s.is_empty()))
                .unwrap_or("");
            let revision = i64::try_from(stored.mod_revision).unwrap_or(0);
            let event = written.get(&revision).copied().unwrap_or(0);
            let view = KubeEventView {
                event: EventIndex::try_from(event).unwrap_or(EventIndex::MAX),
                at: at.saturating_mul(1_000),
                warning: o.get("type").as_str() == Some("Warning"),
                reason: o.get("reason").str_or_empty().into(),
                object: ObjectRef {
                    kind: involved.get("kind").str_or_empty().into(),
                    namespace: involved.get("namespace").str_or_empty().into(),
                    name: involved.get("name").str_or_empty().into(),
                },
                message: o.get("message").str_or_empty().into(),
                from: from.into(),
                count: u32::try_from(count).unwrap_or(u32::MAX),
            };
            (stored.mod_revision, view)
        })
        .collect();
    podscope_api::sort::by_key(&mut events, |(revision, _)| *revision);
    events.into_iter().map(|(_, v)| v).collect()
}

/// etcd's keys in their order.
pub fn etcd_keys(session: &Session) -> Rc<[EtcdKeyView]> {
    let touched = touched(session);
    let mut keys: Vec<EtcdKeyView> = session
        .simulation()
        .cluster()
        .etcd()
        .objects()
        .iter()
        .map(|((kind, key), stored)| {
            let object = object_ref(*kind, key);
            EtcdKeyView {
                key: podscope_cluster::etcd::path(*kind, key).into(),
                create: stored.create_revision,
                modified: stored.mod_revision,
                version: stored.version,
                bytes: size(&stored.object),
                now: touched.as_ref() == Some(&object),
                object,
            }
        })
        .collect();
    podscope_api::sort::by(&mut keys, |a, b| a.key.cmp(&b.key));
    keys.into()
}
