//! Pod garbage collector: removes Pods that nobody is left to remove.
//!
//! Every 20 s: finished Pods beyond the threshold, Pods going away on nodes that are out of service,
//! Pods of nodes that no longer exist (after 40 s and a second look), Pods going away that never had a node.
//!
//! Models: pkg/controller/podgc (v1.36)

use super::meta::{self, failure_text, is_terminal, strategic};
use super::taint_eviction::disruption_target;
use super::{Controller, Next, Resume, Work};
use crate::client::informer::{CacheEvent, Caches};
use crate::component::ControllerId;
use crate::entry::Timer;
use crate::sim::Ctx;
use crate::trace::Note;
use podscope_api::{Key, Kind, Object, Request, Text};
use podscope_kernel::collections::BTreeMap;
use podscope_kernel::{SimDuration, SimTime};
use std::collections::VecDeque;
use std::rc::Rc;

crate::codes! {
    /// A Pod's node does not exist: it waits a while, then it is looked up.
    QUARANTINE = "pod_gc.quarantine";
    /// A Pod is removed by force.
    REMOVE = "pod_gc.remove";
}

const PERIOD: SimDuration = SimDuration::secs(20);
const QUARANTINE_TIME: SimDuration = SimDuration::secs(40);
/// How many finished Pods may stay.
const TERMINATED_THRESHOLD: usize = 12_500;
const OUT_OF_SERVICE: &str = "node.kubernetes.io/out-of-service";
const LOOP: &str = "loop.pod_gc";

const NODE_READ: u8 = 1;
const MARKED: u8 = 2;
const DELETED: u8 = 3;

/// The controller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PodGarbageCollector {
    /// Missing nodes, with when they were first missed.
    missing: BTreeMap<Text, SimTime>,
}

/// Work on one node's Pods, or on one Pod, in progress.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sync {
    pods: VecDeque<Rc<Object>>,
    reason: &'static str,
    error: String,
}

impl Controller for PodGarbageCollector {
    const ID: ControllerId = ControllerId::PodGarbageCollector;
    const WORKERS: usize = 1;
    const MAX_RETRIES: u32 = 0;
    type Sync = Sync;

    fn start(&mut self, _caches: &Caches, _work: &mut Work<'_>, ctx: &mut Ctx<'_>) {
        let phase = ctx.random("pod_gc", 0, PERIOD.0);
        ctx.set_timer(SimDuration(phase), Timer::internal(LOOP));
    }

    fn event(
        &mut self,
        _event: &CacheEvent,
        _caches: &Caches,
        _work: &mut Work<'_>,
        _ctx: &mut Ctx<'_>,
    ) {
    }

    fn timer(&mut self, timer: &Timer, caches: &Caches, work: &mut Work<'_>, ctx: &mut Ctx<'_>) {
        if timer.code != LOOP {
            return;
        }
        self.pass(caches, work, ctx);
        ctx.set_cause(None);
        ctx.set_timer(PERIOD, Timer::internal(LOOP));
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
            0 if key.namespace.is_empty() => {
                let mut get = Request::get(Kind::Node, "", key.name.clone());
                get.options.resource_version = Some(0);
                Next::Call {
                    requests: vec![get],
                    stage: NODE_READ,
                }
            }
            0 => {
                sync.reason = "terminating";
                sync.pods.extend(caches.get(Kind::Pod, key).cloned());
                delete_next(sync, ctx)
            }
            NODE_READ => match answers.first() {
                Some(answer) if meta::code(answer) == 404 => {
                    self.missing.remove(&key.name);
                    sync.reason = "orphaned";
                    let orphans = caches
                        .list(Kind::Pod)
                        .filter(|p| p.at("spec.nodeName").as_str() == Some(&key.name));
                    sync.pods.extend(orphans.cloned());
                    mark_next(sync, ctx)
                }
                Some(Ok(_)) => {
                    self.missing.remove(&key.name);
                    Next::Done
                }
                // The next pass tries again.
                _ => Next::Done,
            },
            MARKED => match answers.first() {
                Some(Ok(_)) => delete_next(sync, ctx),
                _ => {
                    sync.pods.pop_front();
                    mark_next(sync, ctx)
                }
            },
            DELETED => {
                sync.pods.pop_front();
                if let Some(answer @ Err(failure)) = answers.first()
                    && meta::code(answer) != 404
                {
                    sync.error = failure_text(failure).to_string();
                }
                mark_next(sync, ctx)
            }
            _ => Next::Done,
        }
    }
}

impl PodGarbageCollector {
    fn pass(&mut self, caches: &Caches, work: &mut Work<'_>, ctx: &mut Ctx<'_>) {
        let now = ctx.now();
        let mut finished: Vec<&Rc<Object>> = Vec::new();
        for pod in caches.list(Kind::Pod) {
            let name: Text = pod.at("spec.nodeName").str_or_empty().into();
            let node = caches.get(Kind::Node, &Key::new("", name.clone()));
            if is_terminal(pod) {
                finished.push(pod);
            }
            match node {
                _ if name.is_empty() => {
                    if pod.is_being_deleted() {
                        work.add(pod.key(), None);
                    }
                }
                Some(node) => {
                    self.missing.remove(&name);
                    let out = node
                        .at("spec.taints")
                        .items()
                        .iter()
                        .any(|t| t.get("key").as_str() == Some(OUT_OF_SERVICE));
                    if pod.is_being_deleted() && out && !node.condition_true("Ready") {
                        work.add(pod.key(), None);
                    }
                }
                None => match self.missing.get(&name) {
                    Some(since) if now.since(*since) >= QUARANTINE_TIME => {
                        work.add(Key::new("", name), None);
                    }
                    Some(_) => {}
                    None => {
                        let note = Note::new(QUARANTINE)
                            .about(Kind::Node, Key::new("", name.clone()))
                            .arg("seconds", 40);
                        ctx.trace_aside(note);
                        self.missing.insert(name, now);
                    }
                },
            }
        }
        if finished.len() > TERMINATED_THRESHOLD {
            let surplus = finished.len() - TERMINATED_THRESHOLD;
            let evicted = |p: &Object| p.at("status.reason").as_str() == Some("Evicted");
            podscope_api::sort::by_key(&mut finished, |p| (!evicted(p), p.created(), p.key()));
            for pod in finished.into_iter().take(surplus) {
                work.add(pod.key(), None);
            }
        }
    }
}

/// Writes on the next Pod of a missing node that it has failed, and why.
fn mark_next(sync: &mut Sync, ctx: &mut Ctx<'_>) -> Next {
    let Some(pod) = sync.pods.front() else {
        return if sync.error.is_empty() {
            Next::Done
        } else {
            Next::Retry(std::mem::take(&mut sync.error))
        };
    };
    let mut patch = disruption_target(
        pod,
        "DeletionByPodGC",
        "PodGC: node no longer exists",
        &ctx.wall().seconds_text(),
    );
    if !is_terminal(pod) {
        patch.set("status.phase", "Failed");
    }
    Next::Call {
        requests: vec![strategic(Kind::Pod, pod, "status", patch)],
        stage: MARKED,
    }
}

fn delete_next(sync: &mut Sync, ctx: &mut Ctx<'_>) -> Next {
    let Some(pod) = sync.pods.front() else {
        return Next::Done;
    };
    let key = pod.key();
    let note = Note::new(REMOVE)
        .about(Kind::Pod, key.clone())
        .arg("why", sync.reason)
        .arg("node", pod.at("spec.nodeName").str_or_empty());
    ctx.trace(note);
    let mut delete = Request::delete(Kind::Pod, key.namespace, key.name);
    delete.options.grace_period_seconds = Some(0);
    Next::Call {
        requests: vec![delete],
        stage: DELETED,
    }
}
