//! Why a Pod is where it is: its place in life, the scheduler's attempts, the chain of causes.

use crate::session::Session;
use crate::view::*;
use crate::why_attempt;
use podscope_api::{Key, Kind, Object};
use podscope_kernel::collections::BTreeMap;
use std::rc::Rc;

/// The most attempts that are listed.
const MAX_ATTEMPTS: usize = 50;

/// The key of a Pod that is there at the cursor. An empty namespace stands for `default`.
pub fn key(session: &Session, pod: &ObjectRef) -> Option<Key> {
    let namespace: Text = match &*pod.namespace {
        "" => "default".into(),
        _ => pod.namespace.clone(),
    };
    let key = Key::new(namespace, pod.name.clone());
    let etcd = session.simulation().cluster().etcd();
    etcd.get(Kind::Pod, &key)?;
    Some(key)
}

/// The answer; `None` when there is no such Pod at the cursor.
#[inline(never)]
pub fn why(session: &Session, pod: &ObjectRef) -> Option<WhyView> {
    let key = key(session, pod)?;
    let stored = session.simulation().cluster().etcd().get(Kind::Pod, &key)?;
    let object = stored.object.clone();
    let log = session.shown_log();
    let mut places = why_attempt::beginnings(log, &key, log.len());
    // A Pod of this name that lived before is another one.
    let born = log.iter().rposition(|e| {
        let new = matches!(e.code, "scheduler.enqueue" | "scheduler.gated");
        new && e.subject.as_ref().is_some_and(|s| s.key == key)
    });
    places.retain(|place| born.is_none_or(|born| *place > born));
    let left_out = places.len().saturating_sub(MAX_ATTEMPTS);
    if left_out > 0 {
        places.drain(1..=left_out);
    }
    let mut attempts: Vec<AttemptView> = Vec::new();
    for place in &places {
        let mut view = why_attempt::read(log, *place, log.len());
        if let Some(before) = attempts.last() {
            view.differs = differences(before, &view);
        }
        attempts.push(view);
    }
    let about = |e: &podscope_cluster::TraceEvent| {
        let own = e.subject.as_ref();
        own.is_some_and(|s| s.kind == Kind::Pod && s.key == key)
    };
    let last = log.iter().rposition(about);
    let event = EventIndex::try_from(last.map_or(0, |i| i + 1)).unwrap_or(EventIndex::MAX);
    let explained = last.and_then(|_| crate::explain::explain(session, event));
    let condition = object.condition("PodScheduled");
    Some(WhyView {
        pod: crate::cluster_view::object_ref(Kind::Pod, &key),
        stage: stage(session, &key, &object),
        message: condition.get("message").as_text().cloned(),
        left_out: u32::try_from(left_out).unwrap_or(u32::MAX),
        attempts: attempts.into(),
        causes: explained.map_or_else(|| Rc::new([]) as Rc<[CauseView]>, |e| e.causes),
        root: crate::why_root::root(session, event).unwrap_or(RootView::Unknown(event)),
    })
}

/// Where a Pod is in its life.
#[inline(never)]
pub fn stage(session: &Session, key: &Key, pod: &Object) -> Msg {
    let cluster = session.simulation().cluster();
    let node = pod.at("spec.nodeName").str_or_empty();
    let with_node = |code| Msg::new(code, vec![("node", Arg::Text(node.into()))]);
    if !node.is_empty() {
        if pod.is_being_deleted() {
            return with_node("why.terminating");
        }
        return match pod.at("status.phase").str_or_empty() {
            "Running" if pod.condition_true("Ready") => with_node("why.ready"),
            "Running" => with_node("why.running"),
            "Succeeded" => with_node("why.succeeded"),
            "Failed" => with_node("why.failed"),
            _ => with_node("why.bound"),
        };
    }
    if pod.is_being_deleted() {
        return Msg::plain("why.deleted");
    }
    let scheduler = cluster.scheduler();
    let named = pod.at("spec.schedulerName").str_or_empty();
    if !named.is_empty() && *named != *scheduler.profile().scheduler_name {
        return Msg::new(
            "why.other-scheduler",
            vec![("name", Arg::Text(named.into()))],
        );
    }
    if !cluster
        .network()
        .runs(podscope_cluster::ComponentId::Scheduler)
    {
        return Msg::plain("why.no-scheduler");
    }
    let Some(waiting) = scheduler.queue().get(key) else {
        return Msg::plain("why.unseen");
    };
    if !waiting.gate.is_empty() {
        let gates = pod.at("spec.schedulingGates").items().iter();
        let names: Vec<&str> = gates.map(|g| g.get("name").str_or_empty()).collect();
        let names = Arg::Text(names.join(", ").into());
        return Msg::new("why.gated", vec![("gates", names)]);
    }
    let nominated = pod.at("status.nominatedNodeName").str_or_empty();
    if !nominated.is_empty() {
        let node = Arg::Text(nominated.into());
        return Msg::new("why.nominated", vec![("node", node)]);
    }
    use podscope_cluster::scheduler::queue::Place;
    match waiting.place {
        Place::Active => Msg::plain("why.queued"),
        Place::InFlight => Msg::plain("why.trying"),
        Place::Backoff | Place::ErrorBackoff => {
            let until = Arg::At(waiting.expiry().0.saturating_mul(1_000));
            Msg::new("why.backoff", vec![("until", until)])
        }
        Place::Unschedulable => Msg::new(
            "why.pending",
            vec![("attempts", Arg::Count(i64::from(waiting.attempts)))],
        ),
    }
}

/// What is different between two attempts: verdicts that changed, nodes that came and went, room.
#[inline(never)]
fn differences(before: &AttemptView, after: &AttemptView) -> Rc<[Msg]> {
    const MOST: usize = 20;
    let mut out: Vec<Msg> = Vec::new();
    let old: BTreeMap<&str, &NodeReceipt> = before.nodes.iter().map(|n| (&*n.node, n)).collect();
    let new: BTreeMap<&str, &NodeReceipt> = after.nodes.iter().map(|n| (&*n.node, n)).collect();
    let node = |name: &str| ("node", Arg::Text(name.into()));
    for (name, receipt) in &new {
        let Some(was) = old.get(name) else {
            out.push(Msg::new("differs.came", vec![node(name)]));
            continue;
        };
        let said = |n: &NodeReceipt| {
            let reasons = n.rejected.as_ref().map(|v| v.reasons.clone());
            let texts = reasons.iter().flat_map(|r| r.iter().map(|(t, _)| &**t));
            texts.collect::<Vec<_>>().join(", ")
        };
        let (was_said, is_said) = (said(was), said(receipt));
        let text = |t: &str| Arg::Text(t.into());
        if was_said != is_said {
            let code = match (was_said.is_empty(), is_said.is_empty()) {
                (false, true) => "differs.fits",
                (true, _) => "differs.rejected",
                _ => "differs.reason",
            };
            let args = vec![
                node(name),
                ("from", text(&was_said)),
                ("to", text(&is_said)),
            ];
            out.push(Msg::new(code, args));
        }
        for room in receipt.room.iter() {
            let same = was.room.iter().find(|r| r.resource == room.resource);
            let Some(was) = same else { continue };
            let free = |r: &RoomView| r.allocatable.saturating_sub(r.used);
            let amount = |n: i64| Arg::Text(why_attempt::amount(&room.resource, n).into());
            if free(was) != free(room) {
                let args = vec![
                    node(name),
                    ("resource", Arg::Text(room.resource.clone())),
                    ("from", amount(free(was))),
                    ("to", amount(free(room))),
                ];
                out.push(Msg::new("differs.free", args));
            }
            if was.requested != room.requested && !out.iter().any(|m| m.code == "differs.request") {
                let args = vec![
                    ("resource", Arg::Text(room.resource.clone())),
                    ("from", amount(was.requested)),
                    ("to", amount(room.requested)),
                ];
                out.push(Msg::new("differs.request", args));
            }
        }
    }
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        // With a single attempt's list cut off nothing can be said about nodes.
        if !after.nodes.is_empty() {
            out.push(Msg::new("differs.went", vec![node(name)]));
        }
    }
    if out.is_empty() {
        out.push(Msg::plain("differs.nothing"));
    }
    out.truncate(MOST);
    out.into()
}
