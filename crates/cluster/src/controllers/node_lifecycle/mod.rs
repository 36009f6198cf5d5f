//! Node lifecycle: notices nodes that have fallen silent, marks them and their Pods, taints them.
//!
//! Every 5 s it looks for a sign of life of each node (a newer Lease or another heartbeat). Without one for
//! 50 s the node's conditions become Unknown. The taints for that stop new Pods at once (NoSchedule) and
//! start the eviction of running ones (NoExecute), the latter one node at a time per zone.
//!
//! Models: pkg/controller/nodelifecycle (v1.36)
//! Left out: copying of beta labels, the pod CIDR allocator.

pub mod taints;
pub mod zone;

use super::meta::{self, failure_text};
use super::{Controller, Next, Resume, Work};
use crate::client::informer::{CacheEvent, Caches};
use crate::client::recorder::{Recorder, Regarding, Style};
use crate::component::ControllerId;
use crate::entry::Timer;
use crate::sim::Ctx;
use crate::trace::Note;
use podscope_api::{Key, Kind, Object, PatchType, Request, Text, Timestamp, Value, value};
use podscope_kernel::collections::BTreeMap;
use podscope_kernel::{SimDuration, SimTime};
use std::collections::VecDeque;
use std::rc::Rc;
use taints::Change;
use zone::{Zone, ZoneState, zone_of};

crate::codes! {
    /// A node has given no sign of life for the grace period: its conditions become Unknown.
    UNKNOWN = "node_lifecycle.unknown";
    /// A node is not ready: its Pods are marked as not ready.
    PODS_NOT_READY = "node_lifecycle.pods_not_ready";
    /// A node's taints are brought in line with its conditions.
    TAINTS = "node_lifecycle.taints";
    /// A node waits in its zone's queue for its NoExecute taint.
    QUEUED = "node_lifecycle.queued";
    /// The share of lost nodes in a zone has changed how fast nodes are tainted.
    ZONE = "node_lifecycle.zone";
}

/// How often nodes are looked at.
const PERIOD: SimDuration = SimDuration::secs(5);
/// How long one look takes: the pause is counted from its end.
const PASS: (u64, u64) = (2_000, 9_000);
/// Without a sign of life for longer than this a node is unreachable.
pub const GRACE: SimDuration = SimDuration::secs(50);
/// The same for a node that has not reported anything yet.
const STARTUP_GRACE: SimDuration = SimDuration::secs(60);
/// How often the queues of the zones are looked at.
const TAINT_PERIOD: SimDuration = SimDuration::millis(100);

const MONITOR: &str = "loop.node_monitor";
const TAINT: &str = "node_lifecycle.no_execute";

/// Keys of this controller's queue beside Nodes and Pods: names that no namespace can have.
const HEALTH: &str = "@health";
const EXECUTE: &str = "@no-execute";
const SPARE: &str = "@spare";

const STATUS_WRITTEN: u8 = 1;
const POD_WRITTEN: u8 = 2;
const NODE_READ: u8 = 3;
const TAINTED: u8 = 4;

/// What the controller has last seen of a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Health {
    /// When it last gave a sign of life, by this controller's clock.
    probe: SimTime,
    ready: Value,
    renewed: Text,
}

/// The controller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NodeLifecycleController {
    recorder: Recorder,
    nodes: BTreeMap<Text, Health>,
    zones: BTreeMap<Text, Zone>,
    taint_timer: Option<SimTime>,
}

impl Default for NodeLifecycleController {
    fn default() -> Self {
        NodeLifecycleController {
            recorder: Recorder::new(ControllerId::NodeLifecycle.name(), "", Style::Core),
            nodes: BTreeMap::new(),
            zones: BTreeMap::new(),
            taint_timer: None,
        }
    }
}

/// Work on one node in progress.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sync {
    node: Text,
    was_ready: bool,
    pods: VecDeque<Rc<Object>>,
    change: Change,
    failed: bool,
}

impl Controller for NodeLifecycleController {
    const ID: ControllerId = ControllerId::NodeLifecycle;
    const WORKERS: usize = 8;
    type Sync = Sync;

    fn start(&mut self, caches: &Caches, work: &mut Work<'_>, ctx: &mut Ctx<'_>) {
        let now = ctx.now();
        for node in caches.list(Kind::Node) {
            if !taints::no_schedule(node).is_empty() {
                work.add(node.key(), None);
            }
        }
        if now > SimTime::ZERO {
            // A new leader knows nothing: it registers every node with a fresh grace period.
            ctx.set_timer(SimDuration::ZERO, Timer::internal(MONITOR));
            return;
        }
        for node in caches.list(Kind::Node) {
            self.nodes
                .insert(node.key().name, seen_now(node, caches, now));
            self.zones.entry(zone_of(node)).or_default().state = ZoneState::Normal;
        }
        let phase = ctx.random("node_lifecycle", 0, PERIOD.0);
        ctx.set_timer(SimDuration(phase), Timer::internal(MONITOR));
    }

    fn event(
        &mut self,
        event: &CacheEvent,
        _caches: &Caches,
        work: &mut Work<'_>,
        _ctx: &mut Ctx<'_>,
    ) {
        let Some(new) = &event.new else { return };
        match event.kind {
            Kind::Node if !taints::no_schedule(new).is_empty() => work.add(new.key(), event.cause),
            Kind::Pod => {
                let node = |p: &Object| p.at("spec.nodeName").clone();
                let moved = event.old.as_ref().is_none_or(|old| node(old) != node(new));
                if moved && !node(new).is_empty() {
                    work.add(new.key(), event.cause);
                }
            }
            _ => {}
        }
    }

    fn timer(&mut self, timer: &Timer, caches: &Caches, work: &mut Work<'_>, ctx: &mut Ctx<'_>) {
        match timer.code {
            MONITOR => {
                self.monitor(caches, work, ctx);
                let wait = PERIOD + ctx.jitter("node_lifecycle", PASS);
                ctx.set_cause(None);
                ctx.set_timer(wait, Timer::internal(MONITOR));
            }
            TAINT => {
                self.taint_timer = None;
                let now = ctx.now();
                for zone in self.zones.values_mut() {
                    while let Some(node) = zone.waiting.first().cloned() {
                        if !zone.allow(now) {
                            break;
                        }
                        zone.waiting.remove(&node);
                        work.add(Key::new(EXECUTE, node), ctx.cause());
                    }
                }
                self.set_taint_timer(ctx);
            }
            _ => {}
        }
    }

    fn reconcile(
        &mut self,
        key: &Key,
        resume: Resume<'_, Sync>,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) -> Next {
        let Resume {
            stage,
            answers,
            sync,
        } = resume;
        match stage {
            0 => self.begin(key, sync, caches, ctx),
            STATUS_WRITTEN => match answers.first() {
                Some(Ok(answer)) => {
                    let node = answer.object.clone();
                    if sync.was_ready {
                        let message = format!("Node {} status is now: NodeNotReady", node.name());
                        self.record(ctx, &node, "NodeNotReady", &message);
                    }
                    self.queue_no_execute(&node, ctx);
                    sync.pods = pods_on(&sync.node, caches).cloned().collect();
                    next_pod(sync, ctx)
                }
                // The next look at the node tries again.
                Some(Err(_)) | None => Next::Done,
            },
            POD_WRITTEN => {
                let pod = sync.pods.pop_front();
                match (answers.first(), pod) {
                    (Some(Ok(_)), Some(pod)) => self.recorder.record(
                        ctx,
                        Regarding::object(Kind::Pod, &pod),
                        "Warning",
                        "NodeNotReady",
                        "",
                        "Node is not ready",
                    ),
                    (Some(answer @ Err(_)), _) if meta::code(answer) != 404 => sync.failed = true,
                    _ => {}
                }
                next_pod(sync, ctx)
            }
            NODE_READ => match answers.first() {
                Some(Ok(answer)) => patch_taints(sync, &answer.object, ctx),
                Some(answer) if meta::code(answer) == 404 => Next::Done,
                Some(Err(failure)) => Next::Retry(failure_text(failure).to_string()),
                None => Next::Done,
            },
            _ => match answers.first() {
                Some(Err(failure)) if meta::code(&answers[0]) != 404 => {
                    Next::Retry(failure_text(failure).to_string())
                }
                _ => read_node(sync),
            },
        }
    }
}

impl NodeLifecycleController {
    fn begin(&mut self, key: &Key, sync: &mut Sync, caches: &Caches, ctx: &mut Ctx<'_>) -> Next {
        sync.node = key.name.clone();
        let node_key = Key::new("", key.name.clone());
        let node = caches.get(Kind::Node, &node_key);
        match (&*key.namespace, node) {
            ("", Some(node)) => {
                sync.change = taints::no_schedule(node);
                tainting(sync, ctx)
            }
            (EXECUTE, Some(node)) => {
                sync.change = taints::no_execute(node);
                tainting(sync, ctx)
            }
            (HEALTH, Some(node)) => {
                sync.was_ready = node.condition_true("Ready");
                let Some(updated) = unknown_conditions(node, ctx.wall()) else {
                    sync.pods = pods_on(&sync.node, caches).cloned().collect();
                    return next_pod(sync, ctx);
                };
                let silent = self
                    .nodes
                    .get(&sync.node)
                    .map_or(SimDuration::ZERO, |h| ctx.now().since(h.probe));
                let note = Note::new(UNKNOWN)
                    .about(Kind::Node, node.key())
                    .arg("silent_s", i64::try_from(silent.as_secs()).unwrap_or(0))
                    .arg("grace_s", i64::try_from(GRACE.as_secs()).unwrap_or(0));
                ctx.trace(note);
                Next::Call {
                    requests: vec![Request::update(Kind::Node, "status", updated)],
                    stage: STATUS_WRITTEN,
                }
            }
            (SPARE, Some(node)) => {
                sync.change.remove = [taints::NOT_READY, taints::UNREACHABLE]
                    .into_iter()
                    .filter(|taint| taints::has(node, taint, "NoExecute"))
                    .map(|taint| (taint, "NoExecute"))
                    .collect();
                tainting(sync, ctx)
            }
            ("" | EXECUTE | HEALTH | SPARE, None) => Next::Done,
            _ => {
                // A Pod that has just been bound to a node that is not ready.
                let Some(pod) = caches.get(Kind::Pod, key) else {
                    return Next::Done;
                };
                sync.node = pod.at("spec.nodeName").str_or_empty().into();
                let lost = caches
                    .get(Kind::Node, &Key::new("", sync.node.clone()))
                    .is_some_and(|n| {
                        let ready = n.condition("Ready");
                        !ready.is_null() && !n.condition_true("Ready")
                    });
                if !lost {
                    return Next::Done;
                }
                sync.pods = VecDeque::from([pod.clone()]);
                next_pod(sync, ctx)
            }
        }
    }

    fn record(&mut self, ctx: &mut Ctx<'_>, node: &Object, reason: &str, message: &str) {
        let mut regarding = Regarding::object(Kind::Node, node);
        regarding.resource_version = "".into();
        self.recorder
            .record(ctx, regarding, "Normal", reason, "", message);
    }

    /// One look at all nodes.
    fn monitor(&mut self, caches: &Caches, work: &mut Work<'_>, ctx: &mut Ctx<'_>) {
        let now = ctx.now();
        self.come_and_go(caches, ctx);
        let mut counts: BTreeMap<Text, (i64, i64)> = BTreeMap::new();
        for node in caches.list(Kind::Node) {
            let name = node.key().name;
            let silent = self.look_at(node, caches, now);
            let ready = node.condition("Ready");
            let grace = if ready.is_null() {
                STARTUP_GRACE
            } else {
                GRACE
            };
            let lost = silent > grace && unknown_conditions(node, ctx.wall()).is_some();
            if lost {
                work.add(Key::new(HEALTH, name.clone()), None);
            } else {
                self.taint_by_condition(node, work, ctx);
                let stale = !ready.is_null()
                    && !node.condition_true("Ready")
                    && pods_on(&name, caches).any(|p| p.condition_true("Ready"));
                if stale && ready.get("status").as_str() == Some("Unknown") {
                    work.add(Key::new(HEALTH, name.clone()), None);
                }
            }
            if node
                .label("node.kubernetes.io/exclude-disruption")
                .is_none()
            {
                let count = counts.entry(zone_of(node)).or_default();
                if node.condition_true("Ready") && !lost {
                    count.0 += 1;
                } else {
                    count.1 += 1;
                }
            }
        }
        self.zones_changed(&counts, caches, work, ctx);
        self.set_taint_timer(ctx);
    }

    /// Nodes that have come or gone since the last look.
    fn come_and_go(&mut self, caches: &Caches, ctx: &mut Ctx<'_>) {
        let now = ctx.now();
        for node in caches.list(Kind::Node) {
            let name = node.key().name;
            if !self.nodes.contains_key(&name) {
                self.nodes.insert(name.clone(), seen_now(node, caches, now));
                self.zones.entry(zone_of(node)).or_default();
                let message = format!("Node {name} event: Registered Node {name} in Controller");
                self.record(ctx, node, "RegisteredNode", &message);
            }
        }
        let gone: Vec<Text> = self
            .nodes
            .keys()
            .filter(|n| {
                caches
                    .get(Kind::Node, &Key::new("", (*n).clone()))
                    .is_none()
            })
            .cloned()
            .collect();
        for name in gone {
            self.nodes.remove(&name);
            for zone in self.zones.values_mut() {
                zone.waiting.remove(&name);
            }
            let node = Object(value!({"metadata": {"name": (name.clone())}}));
            let message = format!("Node {name} event: Removing Node {name} from Controller");
            self.record(ctx, &node, "RemovingNode", &message);
        }
    }

    /// Looks for a sign of life; says how long there has been none.
    fn look_at(&mut self, node: &Object, caches: &Caches, now: SimTime) -> SimDuration {
        let fresh = seen_now(node, caches, now);
        let health = self
            .nodes
            .entry(node.key().name)
            .or_insert_with(|| fresh.clone());
        let heartbeat =
            health.ready.get("lastHeartbeatTime") != fresh.ready.get("lastHeartbeatTime");
        if heartbeat || fresh.renewed > health.renewed {
            health.probe = now;
        }
        health.ready = fresh.ready;
        health.renewed = fresh.renewed;
        now.since(health.probe)
    }

    /// The NoExecute taint that a node's Ready condition asks for: queued, swapped or removed.
    fn taint_by_condition(&mut self, node: &Object, work: &mut Work<'_>, ctx: &mut Ctx<'_>) {
        let name = node.key().name;
        let change = taints::no_execute(node);
        let ready = node.condition_true("Ready") || node.condition("Ready").is_null();
        if ready || !change.remove.is_empty() {
            // A taint that is wrong now goes, or is replaced, without waiting for a turn.
            for zone in self.zones.values_mut() {
                zone.waiting.remove(&name);
            }
            if !change.is_empty() {
                work.add(Key::new(EXECUTE, name), None);
            }
        } else if !change.is_empty() {
            self.queue_no_execute(node, ctx);
        }
    }

    #[inline(never)]
    fn queue_no_execute(&mut self, node: &Object, ctx: &mut Ctx<'_>) {
        if taints::no_execute(node).add.is_empty() {
            return;
        }
        let name = node.key().name;
        let zone = self.zones.entry(zone_of(node)).or_default();
        if zone.waiting.insert(name) {
            let ready = node.condition("Ready").get("status").str_or_empty();
            let note = Note::new(QUEUED)
                .about(Kind::Node, node.key())
                .arg("ready", ready)
                .arg(
                    "zone",
                    node.label("topology.kubernetes.io/zone").unwrap_or(""),
                );
            ctx.trace(note);
        }
        self.set_taint_timer(ctx);
    }

    /// The queues are looked at every 100 ms; that matters only when something can leave one.
    fn set_taint_timer(&mut self, ctx: &mut Ctx<'_>) {
        let next = self
            .zones
            .values()
            .filter(|z| !z.waiting.is_empty() && z.is_open())
            .map(|z| z.free_at)
            .min();
        let Some(free_at) = next else { return };
        let at = SimTime(free_at.max(ctx.now()).0).next_multiple(TAINT_PERIOD);
        if self.taint_timer.is_some_and(|t| t <= at) {
            return;
        }
        self.taint_timer = Some(at);
        ctx.set_timer_at(at, Timer::internal(TAINT));
    }

    /// Sets the pace of each zone by how many of its nodes are lost.
    fn zones_changed(
        &mut self,
        counts: &BTreeMap<Text, (i64, i64)>,
        caches: &Caches,
        work: &mut Work<'_>,
        ctx: &mut Ctx<'_>,
    ) {
        let now = ctx.now();
        let new = |key: &Text| {
            let (ready, lost) = counts.get(key).copied().unwrap_or_default();
            (ZoneState::of(ready, lost), ready + lost)
        };
        self.zones
            .retain(|key, zone| counts.contains_key(key) || !zone.waiting.is_empty());
        for key in counts.keys() {
            self.zones.entry(key.clone()).or_default();
        }
        let full = |state: ZoneState| state == ZoneState::FullDisruption;
        let were_all_lost = !self.zones.is_empty() && self.zones.values().all(|z| full(z.state));
        let are_all_lost = !self.zones.is_empty() && self.zones.keys().all(|k| full(new(k).0));
        if are_all_lost && were_all_lost {
            return;
        }
        if are_all_lost {
            // Nobody is there to take over: nothing is evicted.
            for node in caches.list(Kind::Node) {
                if has_no_execute(node) {
                    work.add(Key::new(SPARE, node.key().name), None);
                }
            }
        }
        if were_all_lost {
            for health in self.nodes.values_mut() {
                health.probe = now;
            }
        }
        for (key, zone) in &mut self.zones {
            let (state, nodes) = new(key);
            if state == zone.state && !were_all_lost && !are_all_lost {
                continue;
            }
            if are_all_lost {
                zone.waiting.clear();
                zone.set_interval(None, now);
            } else {
                zone.set_interval(state.taint_interval(nodes), now);
            }
            if zone.state != ZoneState::Initial || state != ZoneState::Normal {
                let label = key.rsplit('\u{0}').next().unwrap_or("");
                let note = Note::new(ZONE)
                    .arg("zone", label.trim_start_matches(':'))
                    .arg("from", zone.state.name())
                    .arg("to", state.name())
                    .arg("nodes", nodes)
                    .arg("all_zones_lost", are_all_lost);
                ctx.trace_aside(note);
            }
            zone.state = state;
        }
    }
}

fn has_no_execute(node: &Object) -> bool {
    [taints::NOT_READY, taints::UNREACHABLE]
        .iter()
        .any(|key| taints::has(node, key, "NoExecute"))
}

fn seen_now(node: &Object, caches: &Caches, now: SimTime) -> Health {
    let lease = caches.get(Kind::Lease, &Key::new("kube-node-lease", node.key().name));
    Health {
        probe: now,
        ready: node.condition("Ready").clone(),
        renewed: lease
            .map_or("", |l| l.at("spec.renewTime").str_or_empty())
            .into(),
    }
}

fn pods_on<'a>(node: &'a str, caches: &'a Caches) -> impl Iterator<Item = &'a Rc<Object>> {
    caches
        .list(Kind::Pod)
        .filter(move |p| p.at("spec.nodeName").as_str() == Some(node))
}

/// The Node with all conditions that its kubelet keeps set to Unknown; `None` when they are already.
#[inline(never)]
pub fn unknown_conditions(node: &Object, now: Timestamp) -> Option<Object> {
    let mut updated = node.clone();
    let at = now.seconds_text();
    let list = updated.at_mut("status.conditions").list_mut();
    for name in ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"] {
        match list
            .iter_mut()
            .find(|c| c.get("type").as_str() == Some(name))
        {
            None => list.push(value!({
                "type": (name), "status": "Unknown", "reason": "NodeStatusNeverUpdated",
                "message": "Kubelet never posted node status.",
                "lastHeartbeatTime": (node.at("metadata.creationTimestamp").clone()),
                "lastTransitionTime": (at.clone())
            })),
            Some(condition) if condition.get("status").as_str() != Some("Unknown") => {
                condition.set("status", "Unknown");
                condition.set("reason", "NodeStatusUnknown");
                condition.set("message", "Kubelet stopped posting node status.");
                condition.set("lastTransitionTime", at.clone());
            }
            Some(_) => {}
        }
    }
    (updated != *node).then_some(updated)
}

/// Marks the next Pod of a lost node as not ready.
#[inline(never)]
fn next_pod(sync: &mut Sync, ctx: &mut Ctx<'_>) -> Next {
    while let Some(pod) = sync.pods.front() {
        if pod.condition_true("Ready") {
            break;
        }
        sync.pods.pop_front();
    }
    let Some(pod) = sync.pods.front() else {
        return if sync.failed {
            Next::Retry("not all Pods could be marked".into())
        } else {
            Next::Done
        };
    };
    let mut updated = (**pod).clone();
    let at = ctx.wall().seconds_text();
    for condition in updated.at_mut("status.conditions").list_mut() {
        if condition.get("type").as_str() == Some("Ready") {
            condition.set("status", "False");
            condition.set("lastTransitionTime", at.clone());
        }
    }
    let note = Note::new(PODS_NOT_READY)
        .about(Kind::Pod, pod.key())
        .arg("node", sync.node.clone());
    ctx.trace_aside(note);
    Next::Call {
        requests: vec![Request::update(Kind::Pod, "status", updated)],
        stage: POD_WRITTEN,
    }
}

/// Begins a change of taints.
#[inline(never)]
fn tainting(sync: &Sync, ctx: &mut Ctx<'_>) -> Next {
    if sync.change.is_empty() {
        return Next::Done;
    }
    let names = |list: &[(&'static str, &'static str)]| {
        crate::trace::joined(list.iter().map(|(key, effect)| format!("{key}:{effect}")))
    };
    let note = Note::new(TAINTS)
        .about(Kind::Node, Key::new("", sync.node.clone()))
        .arg("add", names(&sync.change.add))
        .arg("remove", names(&sync.change.remove));
    ctx.trace(note);
    read_node(sync)
}

fn read_node(sync: &Sync) -> Next {
    if sync.change.is_empty() {
        return Next::Done;
    }
    let mut get = Request::get(Kind::Node, "", sync.node.clone());
    get.options.resource_version = Some(0);
    Next::Call {
        requests: vec![get],
        stage: NODE_READ,
    }
}

/// New taints go on in one PATCH, old ones come off in a second.
#[inline(never)]
fn patch_taints(sync: &mut Sync, node: &Object, ctx: &mut Ctx<'_>) -> Next {
    let add = std::mem::take(&mut sync.change.add);
    let remove = if add.is_empty() {
        std::mem::take(&mut sync.change.remove)
    } else {
        Vec::new()
    };
    match taints::patch(node, &add, &remove, ctx.wall()) {
        Some(patch) => Next::Call {
            requests: vec![Request::patch(
                Kind::Node,
                "",
                sync.node.clone(),
                "",
                PatchType::Strategic,
                patch,
            )],
            stage: TAINTED,
        },
        None => read_node(sync),
    }
}
