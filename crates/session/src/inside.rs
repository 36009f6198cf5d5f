//! The inside of a component.

use crate::cluster_view::{etcd_members, object_ref};
use crate::components;
use crate::diff;
use crate::explain::{msg, object_yaml};
use crate::session::Session;
use crate::view::*;
use podscope_api::{Body, Kind, Request};
use podscope_cluster::{ComponentId as Id, ControllerId, Data, Process, TraceEvent};

/// How far back the request in focus is looked for.
const LOOK_BACK: usize = 20_000;
/// How many entries of etcd's log are shown.
const ETCD_LOG: usize = 12;

/// What the stage shows of a target.
pub fn inside(session: &Session, target: &Target) -> InsideView {
    match target {
        Target::Cluster => InsideView::Nothing,
        Target::Node(name) => session
            .simulation()
            .cluster()
            .nodes()
            .iter()
            .find(|n| n.config.name == *name)
            .map_or(InsideView::Nothing, |n| {
                crate::inside_node::inside(session, n.id)
            }),
        Target::Component(number) => match components::of_number(*number) {
            Id::ApiServer => InsideView::ApiServer(api_server(session)),
            Id::Etcd(_) => InsideView::Etcd(etcd(session)),
            Id::Controller(c) => InsideView::Controller(controller(session, *number, c)),
            Id::Scheduler => InsideView::Scheduler(crate::inside_scheduler::inside(session)),
            Id::Kubelet(n) | Id::Runtime(n) | Id::KubeProxy(n) => {
                crate::inside_node::inside(session, n)
            }
            _ => InsideView::Nothing,
        },
    }
}

/// The index in [`PIPELINE`] of an event inside the API server.
fn stage_of(code: &str) -> Option<u16> {
    Some(match code {
        "apiserver.authentication" => 0,
        "apiserver.priority" => 1,
        "apiserver.authorization" => 2,
        "apiserver.decode" | "apiserver.default" | "apiserver.patch" => 3,
        "apiserver.mutate" => 4,
        "apiserver.validate" | "apiserver.prepare" => 5,
        "apiserver.admit" => 6,
        "apiserver.quota" => 7,
        "etcd.propose"
        | "etcd.ack"
        | "etcd.commit"
        | "etcd.no_quorum"
        | "etcd.compare_failed"
        | "apiserver.stored"
        | "apiserver.unchanged" => 8,
        _ => return None,
    })
}

/// The index in [`PIPELINE`] of a refusal's stage name.
fn refused_stage(name: &str) -> u16 {
    let name = match name {
        "default" | "patch" => "decode",
        other => other,
    };
    PIPELINE
        .iter()
        .position(|s| *s == name)
        .and_then(|i| u16::try_from(i).ok())
        .unwrap_or(8)
}

fn api_server(session: &Session) -> ApiServerInside {
    let shown = session.timeline.shown();
    let log = session.log();
    let recent = &log[shown.saturating_sub(LOOK_BACK)..shown];
    let index = session.index();
    let foreground = |e: &&TraceEvent| {
        usize::try_from(e.id.0)
            .ok()
            .and_then(|i| index.entries().get(i))
            .is_some_and(|entry| !entry.background)
    };
    let writes = |e: &TraceEvent| {
        matches!(
            e.arg("verb").str_or_empty(),
            "create" | "update" | "patch" | "delete"
        )
    };
    // The request of the present event, else the last write that arrived, else the last request.
    let current = recent.last().and_then(|e| e.request);
    let arrival = recent
        .iter()
        .rev()
        .filter(foreground)
        .find(|e| e.code == "apiserver.received" && current.is_none_or(|id| e.request == Some(id)))
        .or_else(|| {
            recent
                .iter()
                .rev()
                .filter(foreground)
                .find(|e| e.code == "apiserver.received" && writes(e))
        })
        .or_else(|| recent.iter().rev().find(|e| e.code == "apiserver.received"));
    let empty = |i: u16| StageView {
        stage: i,
        state: StageState::Ahead,
        result: None,
        detail: None,
        event: None,
    };
    let mut stages: Vec<StageView> = (0..9).map(empty).collect();
    let none: Text = "".into();
    let mut view = ApiServerInside {
        request: none.clone(),
        from: none.clone(),
        object: none,
        stages: Vec::new().into(),
        lines: Vec::new().into(),
        change: None,
        refusal: None,
    };
    let Some(arrival) = arrival else {
        view.stages = stages.into();
        return view;
    };
    let first = usize::try_from(arrival.id.0).unwrap_or(0);
    let of_request: Vec<&TraceEvent> = log[first.min(shown)..shown]
        .iter()
        .filter(|e| e.request == arrival.request)
        .collect();
    if let Data::Request(request) = &arrival.data {
        view.request = format!("{} {}", request.verb.method(), request.path()).into();
        view.object = title(request);
    }
    let mut last_stage = None;
    let mut previous: Option<String> = None;
    for event in &of_request {
        if event.code == "apiserver.refused" {
            let stage = refused_stage(event.arg("stage").str_or_empty());
            let code = u16::try_from(event.arg("code").as_int().unwrap_or(0)).unwrap_or(0);
            let (reason, message) = (
                event.arg("reason").str_or_empty(),
                event.arg("message").str_or_empty(),
            );
            view.refusal = Some((code, reason.into(), message.into()));
            if let Some(s) = stages.get_mut(usize::from(stage)) {
                s.state = StageState::Refused;
                s.event = number(event);
                s.result = Some(msg(session, event));
            }
            last_stage = None;
            continue;
        }
        let Some(stage) = stage_of(event.code) else {
            continue;
        };
        for s in stages.iter_mut().take(usize::from(stage)) {
            s.state = StageState::Passed;
        }
        if let Some(s) = stages.get_mut(usize::from(stage)) {
            s.state = StageState::Passed;
            s.event = number(event);
            s.detail = s.result.replace(msg(session, event));
        }
        last_stage = Some(stage);
        let (before, after) = match &event.data {
            Data::Object(object) => (previous.clone(), Some(object_yaml(object))),
            Data::Change(before, Some(after)) if event.code != "etcd.commit" => (
                before.as_ref().map(|o| object_yaml(o)),
                Some(object_yaml(after)),
            ),
            Data::Change(_, Some(after)) => (previous.clone(), Some(object_yaml(after))),
            _ => continue,
        };
        if let Some(after) = after {
            let lines = match before {
                Some(before) => diff::lines(&before, &after),
                None => diff::plain(&after),
            };
            let added = lines.iter().filter(|l| l.mark == LineMark::Add).count();
            let removed = lines.iter().filter(|l| l.mark == LineMark::Del).count();
            view.change = (added + removed > 0).then(|| {
                Msg::new(
                    "change.lines",
                    vec![
                        ("added", Arg::Count(i64::try_from(added).unwrap_or(0))),
                        ("removed", Arg::Count(i64::try_from(removed).unwrap_or(0))),
                    ],
                )
            });
            view.lines = lines.into();
            previous = Some(after);
        }
    }
    let answered = log[first.min(shown)..shown].iter().any(|e| {
        e.request == arrival.request
            && matches!(
                e.code,
                "client.response" | "apiserver.stored" | "apiserver.read"
            )
    });
    if let Some(stage) = last_stage.filter(|_| !answered)
        && let Some(s) = stages.get_mut(usize::from(stage))
    {
        s.state = StageState::Current;
    }
    view.from = log
        .get(..first)
        .unwrap_or(&[])
        .iter()
        .rev()
        .take(LOOK_BACK)
        .find(|e| e.code == "client.request" && e.request == arrival.request)
        .map_or_else(|| "".into(), |e| components::name(session, e.actor).into());
    view.stages = stages.into();
    view
}

fn number(event: &TraceEvent) -> Option<EventIndex> {
    EventIndex::try_from(event.id.0 + 1).ok()
}

fn title(request: &Request) -> Text {
    let mut key = podscope_api::Key::new(request.namespace.clone(), request.name.clone());
    if let Body::Object(object) = &request.body
        && key.name.is_empty()
    {
        key.name = match object.name() {
            "" => format!("{}…", object.at("metadata.generateName").str_or_empty()).into(),
            name => name.into(),
        };
    }
    format!("{} {key}", request.kind).into()
}

fn etcd(session: &Session) -> EtcdInside {
    let shown = session.timeline.shown();
    let log: Vec<(u64, Text, u8)> = session.log()[..shown]
        .iter()
        .rev()
        .take(LOOK_BACK)
        .filter(|e| e.code == "etcd.commit")
        .take(ETCD_LOG)
        .map(|commit| {
            let acks = session.log()[..usize::try_from(commit.id.0).unwrap_or(0)]
                .iter()
                .rev()
                .take(16)
                .filter(|e| e.code == "etcd.ack" && e.request == commit.request)
                .count();
            let verb = if matches!(&commit.data, Data::Change(_, None)) {
                "DELETE"
            } else {
                "PUT"
            };
            let text = format!("{verb} {}", commit.arg("key").str_or_empty());
            let revision = u64::try_from(commit.arg("revision").as_int().unwrap_or(0)).unwrap_or(0);
            (revision, text.into(), u8::try_from(acks).unwrap_or(u8::MAX))
        })
        .collect();
    EtcdInside {
        members: etcd_members(session).into(),
        log: log.into_iter().rev().collect(),
        compacted: session.simulation().cluster().etcd().oldest(),
    }
}

fn controller(session: &Session, component: ComponentId, id: ControllerId) -> ControllerInside {
    let cluster = session.simulation().cluster();
    let caches: Vec<(Text, u32, u64)> = cluster
        .caches(Process::ControllerManager)
        .into_iter()
        .flat_map(podscope_cluster::client::informer::Caches::informers)
        .filter(|(_, i)| !i.objects().is_empty())
        .map(|(_, i)| {
            (
                i.kind.name().into(),
                u32::try_from(i.objects().len()).unwrap_or(u32::MAX),
                i.revision,
            )
        })
        .collect();
    let queue: Vec<(Text, Option<Nanos>)> = cluster
        .controllers()
        .keys(id)
        .into_iter()
        .map(|k| (Text::from(k.to_string()), None))
        .collect();
    let later = cluster
        .timers()
        .filter(|(_, owner, timer, _)| *owner == Id::Controller(id) && !timer.key.name.is_empty())
        .take(20)
        .map(|(at, _, timer, _)| {
            (
                Text::from(timer.key.to_string()),
                Some(at.0.saturating_mul(1_000)),
            )
        });
    let queue: Vec<_> = queue.into_iter().chain(later).collect();
    ControllerInside {
        component,
        queue: queue.into(),
        compares: compares(session, id).into(),
        caches: caches.into(),
    }
}

/// What a workload controller compares: desired and observed, from its own cache.
fn compares(session: &Session, id: ControllerId) -> Vec<(Text, Text, Text)> {
    let Some(caches) = session
        .simulation()
        .cluster()
        .caches(Process::ControllerManager)
    else {
        return Vec::new();
    };
    let kind = match id {
        ControllerId::Deployment => Kind::Deployment,
        ControllerId::ReplicaSet => Kind::ReplicaSet,
        ControllerId::EndpointSlice => Kind::Service,
        ControllerId::NodeLifecycle => Kind::Node,
        _ => return Vec::new(),
    };
    caches
        .list(kind)
        .take(40)
        .map(|o| {
            let (desired, observed) = match kind {
                Kind::Deployment => {
                    let replicas =
                        |o: &podscope_api::Object| o.at("spec.replicas").as_int().unwrap_or(0);
                    let sets: i64 = caches
                        .owned_by(Kind::ReplicaSet, o.uid())
                        .map(|r| replicas(r))
                        .sum();
                    (
                        format!("{} replicas", replicas(o)),
                        format!("{sets} in its ReplicaSets"),
                    )
                }
                Kind::ReplicaSet => {
                    let pods = caches
                        .owned_by(Kind::Pod, o.uid())
                        .filter(|p| !p.is_being_deleted())
                        .count();
                    (
                        format!("{} Pods", o.at("spec.replicas").as_int().unwrap_or(0)),
                        format!("{pods} Pods"),
                    )
                }
                Kind::Service => {
                    let slices = caches.owned_by(Kind::EndpointSlice, o.uid());
                    let endpoints: usize = slices.map(|s| s.get("endpoints").items().len()).sum();
                    let wanted = podscope_api::Selector::from_labels(o.at("spec.selector"));
                    let pods = caches
                        .list_in(Kind::Pod, o.namespace())
                        .filter(|p| !o.at("spec.selector").is_null() && wanted.matches(p.labels()))
                        .count();
                    (
                        format!("{pods} Pods match"),
                        format!("{endpoints} endpoints"),
                    )
                }
                _ => {
                    let ready = o
                        .condition("Ready")
                        .get("status")
                        .str_or_empty()
                        .to_string();
                    ("Ready True".to_string(), format!("Ready {ready}"))
                }
            };
            (
                Text::from(object_ref(kind, &o.key()).name),
                desired.into(),
                observed.into(),
            )
        })
        .collect()
}
