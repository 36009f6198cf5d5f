//! Taint eviction: deletes Pods from nodes whose NoExecute taints they do not tolerate (any longer).
//!
//! A Pod that tolerates a taint for some seconds gets a timer. It lives in memory only: a new leader starts it anew.
//!
//! Models: pkg/controller/tainteviction (v1.36)

use super::meta::{self, failure_text};
use super::{Controller, Next, Resume, Work};
use crate::client::informer::{CacheEvent, Caches};
use crate::client::recorder::{Recorder, Regarding, Style};
use crate::component::ControllerId;
use crate::entry::Timer;
use crate::sim::Ctx;
use crate::trace::Note;
use podscope_api::{Key, Kind, Object, Request, Response, Text, Value, value};
use podscope_kernel::collections::BTreeMap;
use podscope_kernel::{EntryId, SimDuration, SimTime};

crate::codes! {
    /// A Pod tolerates its node's taints only for a while: a timer is set.
    SCHEDULED = "taint_eviction.scheduled";
    /// The taints are gone or tolerated again: the timer is cancelled.
    CANCELLED = "taint_eviction.cancelled";
    /// The time is over, or there was none: the Pod is deleted.
    EVICT = "taint_eviction.evict";
    /// The Pod could not be deleted; nobody tries again before its node's taints change.
    GIVEN_UP = "taint_eviction.given_up";
}

/// The deadline of a toleration with `tolerationSeconds`.
pub const DEADLINE: &str = "taint_eviction.toleration_seconds";
/// How often an eviction is tried before it is given up.
const TRIES: u8 = 5;

const POD_READ: u8 = 1;
const MARKED: u8 = 2;
const DELETED: u8 = 3;

/// How long a Pod may stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stay {
    /// So many seconds more; 0 is: it must go now.
    Seconds(i64),
    /// For ever.
    ForEver,
}

/// The shortest `tolerationSeconds` of the tolerations that match the taints.
pub fn min_toleration_time(used: &[Value]) -> Stay {
    if used.is_empty() {
        return Stay::Seconds(0);
    }
    used.iter()
        .filter_map(|t| t.get("tolerationSeconds").as_int())
        .map(|seconds| Stay::Seconds(seconds.max(0)))
        .min()
        .unwrap_or(Stay::ForEver)
}

/// Whether a toleration covers a taint.
pub fn tolerates(toleration: &Value, taint: &Value) -> bool {
    let text = |v: &Value, field: &str| v.get(field).str_or_empty().to_string();
    let effect = text(toleration, "effect");
    let key = text(toleration, "key");
    if !effect.is_empty() && effect != text(taint, "effect") {
        return false;
    }
    if !key.is_empty() && key != text(taint, "key") {
        return false;
    }
    match toleration.get("operator").str_or_empty() {
        "" | "Equal" => text(toleration, "value") == text(taint, "value"),
        "Exists" => true,
        _ => false,
    }
}

/// How long a Pod may stay on a node with these NoExecute taints.
pub fn stay(pod: &Object, taints: &[Value]) -> Stay {
    let tolerations = pod.at("spec.tolerations").items();
    let mut used = Vec::new();
    for taint in taints {
        match tolerations.iter().find(|t| tolerates(t, taint)) {
            Some(toleration) => used.push(toleration.clone()),
            None => return Stay::Seconds(0),
        }
    }
    if taints.is_empty() {
        return Stay::ForEver;
    }
    min_toleration_time(&used)
}

fn no_execute(node: &Object) -> Vec<Value> {
    node.at("spec.taints")
        .items()
        .iter()
        .filter(|t| t.get("effect").as_str() == Some("NoExecute"))
        .cloned()
        .collect()
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Scheduled {
    uid: Text,
    start: SimTime,
    due: SimTime,
    timer: Option<EntryId>,
}

/// The controller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TaintEvictionController {
    recorder: Recorder,
    scheduled: BTreeMap<Key, Scheduled>,
}

impl Default for TaintEvictionController {
    fn default() -> Self {
        TaintEvictionController {
            recorder: Recorder::new(ControllerId::TaintEviction.name(), "", Style::Core),
            scheduled: BTreeMap::new(),
        }
    }
}

/// An eviction in progress.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sync {
    uid: Text,
    tries: u8,
}

impl Controller for TaintEvictionController {
    const ID: ControllerId = ControllerId::TaintEviction;
    const WORKERS: usize = 8;
    type Sync = Sync;

    fn start(&mut self, caches: &Caches, work: &mut Work<'_>, _ctx: &mut Ctx<'_>) {
        for node in caches
            .list(Kind::Node)
            .filter(|n| !no_execute(n).is_empty())
        {
            work.add(node.key(), None);
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
        let taints = |o: &Option<_>| o.as_deref().map(no_execute).unwrap_or_default();
        match event.kind {
            Kind::Node if taints(&event.old) != taints(&event.new) => {
                work.add(object.key(), event.cause);
            }
            Kind::Pod => {
                let changed = match (&event.old, &event.new) {
                    (Some(a), Some(b)) => {
                        a.at("spec.nodeName") != b.at("spec.nodeName")
                            || a.at("spec.tolerations") != b.at("spec.tolerations")
                    }
                    _ => true,
                };
                let node = Key::new("", object.at("spec.nodeName").str_or_empty());
                let tainted = caches
                    .get(Kind::Node, &node)
                    .is_some_and(|n| !no_execute(n).is_empty());
                if changed && (tainted || self.scheduled.contains_key(&object.key())) {
                    work.add(object.key(), event.cause);
                }
            }
            _ => {}
        }
    }

    fn timer(&mut self, timer: &Timer, _caches: &Caches, work: &mut Work<'_>, ctx: &mut Ctx<'_>) {
        if timer.code == DEADLINE {
            if let Some(scheduled) = self.scheduled.get_mut(&timer.key) {
                scheduled.timer = None;
            }
            work.add(timer.key.clone(), ctx.cause());
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
            0 if key.namespace.is_empty() => self.node(key, caches, ctx),
            0 => match self.look_at(key, caches, ctx) {
                true => self.evict(key, sync, caches, ctx),
                false => Next::Done,
            },
            POD_READ => match answers.first() {
                Some(Ok(answer)) if answer.object.uid() == &*sync.uid => {
                    mark(key, &answer.object, ctx)
                }
                Some(answer) if meta::code(answer) != 404 && answer.is_err() => {
                    try_again(key, sync, answer, ctx)
                }
                _ => Next::Done,
            },
            MARKED => match answers.first() {
                Some(Ok(_)) => Next::Call {
                    requests: vec![Request::delete(
                        Kind::Pod,
                        key.namespace.clone(),
                        key.name.clone(),
                    )],
                    stage: DELETED,
                },
                Some(answer) if meta::code(answer) != 404 => try_again(key, sync, answer, ctx),
                _ => Next::Done,
            },
            DELETED => match answers.first() {
                Some(answer @ Err(_)) if meta::code(answer) != 404 => {
                    try_again(key, sync, answer, ctx)
                }
                _ => Next::Done,
            },
            _ => Next::Done,
        }
    }
}

impl TaintEvictionController {
    /// A node's taints have changed: all its Pods are looked at.
    fn node(&mut self, key: &Key, caches: &Caches, ctx: &mut Ctx<'_>) -> Next {
        let mut now: Vec<Key> = Vec::new();
        for pod in caches.list(Kind::Pod) {
            if pod.at("spec.nodeName").as_str() == Some(&key.name)
                && self.look_at(&pod.key(), caches, ctx)
            {
                now.push(pod.key());
            }
        }
        for pod in now {
            ctx.set_timer(SimDuration::ZERO, Timer::keyed(DEADLINE, pod));
        }
        Next::Done
    }

    /// Compares a Pod's tolerations with its node's taints; true when it must go now.
    fn look_at(&mut self, key: &Key, caches: &Caches, ctx: &mut Ctx<'_>) -> bool {
        let Some(pod) = caches.get(Kind::Pod, key) else {
            self.cancel(key, ctx);
            return false;
        };
        let node = Key::new("", pod.at("spec.nodeName").str_or_empty());
        let taints = caches
            .get(Kind::Node, &node)
            .map(|n| no_execute(n))
            .unwrap_or_default();
        let note = |code| Note::new(code).about(Kind::Pod, key.clone());
        let seconds = match stay(pod, &taints) {
            Stay::ForEver => {
                if self.cancel(key, ctx) {
                    ctx.trace(note(CANCELLED).arg("node", node.name.clone()));
                    let message = format!("Cancelling deletion of Pod {key}");
                    self.record(ctx, pod, &message);
                }
                return false;
            }
            Stay::Seconds(0) => {
                self.cancel(key, ctx);
                return !pod.is_being_deleted();
            }
            Stay::Seconds(seconds) => SimDuration::secs(u64::try_from(seconds).unwrap_or(0)),
        };
        let now = ctx.now();
        let mut start = now;
        if let Some(before) = self.scheduled.get(key).filter(|s| *s.uid == *pod.uid()) {
            start = before.start;
            if before.due <= now {
                self.scheduled.remove(key);
                return !pod.is_being_deleted();
            }
            if before.due <= start + seconds {
                return false;
            }
        }
        self.cancel(key, ctx);
        let due = (start + seconds).max(now);
        let names = taints
            .iter()
            .map(|t| t.get("key").str_or_empty().to_string());
        let note = note(SCHEDULED)
            .arg("node", node.name.clone())
            .arg("taints", crate::trace::joined(names))
            .arg(
                "seconds",
                i64::try_from(due.since(now).as_secs()).unwrap_or(0),
            );
        let cause = ctx.cause();
        ctx.trace(note);
        let timer = ctx.set_timer_at(due, Timer::deadline(DEADLINE, key.clone()));
        ctx.set_cause(cause);
        let scheduled = Scheduled {
            uid: pod.uid().into(),
            start,
            due,
            timer: Some(timer),
        };
        self.scheduled.insert(key.clone(), scheduled);
        false
    }

    /// Forgets a Pod's timer; true when one was running.
    fn cancel(&mut self, key: &Key, ctx: &mut Ctx<'_>) -> bool {
        let Some(scheduled) = self.scheduled.remove(key) else {
            return false;
        };
        scheduled.timer.is_some_and(|timer| ctx.cancel(timer))
    }

    fn evict(&mut self, key: &Key, sync: &mut Sync, caches: &Caches, ctx: &mut Ctx<'_>) -> Next {
        let Some(pod) = caches.get(Kind::Pod, key) else {
            return Next::Done;
        };
        sync.uid = pod.uid().into();
        let node = pod.at("spec.nodeName").str_or_empty();
        ctx.trace(
            Note::new(EVICT)
                .about(Kind::Pod, key.clone())
                .arg("node", node),
        );
        let message = format!("Marking for deletion Pod {key}");
        self.record(ctx, pod, &message);
        read(key)
    }

    fn record(&mut self, ctx: &mut Ctx<'_>, pod: &Object, message: &str) {
        let mut regarding = Regarding::object(Kind::Pod, pod);
        regarding.resource_version = "".into();
        regarding.uid = "".into();
        self.recorder.record(
            ctx,
            regarding,
            "Normal",
            "TaintManagerEviction",
            "",
            message,
        );
    }
}

fn read(key: &Key) -> Next {
    Next::Call {
        requests: vec![Request::get(
            Kind::Pod,
            key.namespace.clone(),
            key.name.clone(),
        )],
        stage: POD_READ,
    }
}

fn try_again(key: &Key, sync: &mut Sync, answer: &Response, ctx: &mut Ctx<'_>) -> Next {
    sync.tries = sync.tries.saturating_add(1);
    if sync.tries < TRIES {
        return read(key);
    }
    let Err(failure) = answer else {
        return Next::Done;
    };
    ctx.trace(
        Note::new(GIVEN_UP)
            .about(Kind::Pod, key.clone())
            .arg("error", failure_text(failure)),
    );
    Next::Done
}

/// Writes on the Pod why it is going to be deleted.
fn mark(key: &Key, pod: &Object, ctx: &mut Ctx<'_>) -> Next {
    let patch = disruption_target(
        pod,
        "DeletionByTaintManager",
        "Taint manager: deleting due to NoExecute taint",
        &ctx.wall().seconds_text(),
    );
    Next::Call {
        requests: vec![Request::patch(
            Kind::Pod,
            key.namespace.clone(),
            key.name.clone(),
            "status",
            podscope_api::PatchType::Strategic,
            patch,
        )],
        stage: MARKED,
    }
}

/// The patch of `pods/status` that says why a Pod is disrupted.
pub fn disruption_target(pod: &Object, reason: &str, message: &str, at: &str) -> Value {
    let mut condition = value!({
        "type": "DisruptionTarget", "status": "True", "reason": (reason), "message": (message),
        "lastProbeTime": null, "lastTransitionTime": (at)
    });
    if pod.generation() > 0 {
        condition.set("observedGeneration", pod.generation());
    }
    let mut order: Vec<Value> = pod
        .at("status.conditions")
        .items()
        .iter()
        .map(|c| value!({"type": (c.get("type").clone())}))
        .collect();
    let this = value!({"type": "DisruptionTarget"});
    if !order.contains(&this) {
        order.push(this);
    }
    let mut patch =
        value!({"metadata": {"uid": (pod.uid())}, "status": {"conditions": [(condition)]}});
    patch
        .entry("status")
        .map_mut()
        .insert("$setElementOrder/conditions", Value::from(order));
    patch
}
