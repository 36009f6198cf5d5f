//! The scheduler as a component: hears of Pods and Nodes, tries Pods one at a time, binds them.
//!
//! Hearing is here; the scheduling cycle, binding, failure and preemption are files beside it.
//!
//! Models: `pkg/scheduler/{scheduler,schedule_one,eventhandlers}.go` (v1.36). Left out: Permit (no default plugin
//! waits there), leader election.

mod binding;
mod cycle;
mod failure;
mod preemption;
mod profiles;
mod receipts;
mod requeue;
mod volumes;

use super::cache::Cache;
use super::events::ClusterEvent;
use super::plugins::PluginId;
use super::plugins::scheduling_gates::{pre_enqueue, pre_enqueue_plugin};
use super::pod_info::PodInfo;
use super::profile::Profile;
use super::queue::{FLUSH_UNSCHEDULABLE, Place, SchedulingQueue};
use super::report;
use crate::client::informer::{CacheEvent, Caches};
use crate::client::recorder::{Recorder, Style};
use crate::entry::Timer;
use crate::sim::Ctx;
use crate::trace::{Note, RequestId, TraceId};
use podscope_api::{Key, Kind, Object, Response, Text, Value};
use podscope_kernel::SimDuration;
use podscope_kernel::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

crate::codes! {
    /// A Pod without a Node enters the queue.
    ENQUEUE = "scheduler.enqueue";
    /// A Pod may not be tried yet: scheduling gates.
    GATED = "scheduler.gated";
    /// A waiting Pod is to be tried again.
    REQUEUE = "scheduler.requeue";
    /// A scheduling cycle begins: a Pod is taken from the queue.
    CYCLE = "scheduler.cycle";
    /// PreFilter: plugins look at the Pod once.
    PRE_FILTER = "scheduler.pre_filter";
    /// Filter: which Nodes can run the Pod.
    FILTER = "scheduler.filter";
    /// PreScore, Score, NormalizeScore: how good each feasible Node is.
    SCORE = "scheduler.score";
    /// A Node is chosen.
    CHOOSE = "scheduler.choose";
    /// PostFilter: no Node can run the Pod; would it help if other Pods went?
    POST_FILTER = "scheduler.post_filter";
    /// The scheduler counts the Pod as being on the Node from now on.
    ASSUME = "scheduler.assume";
    /// Reserve: the Pod's claims get their volumes in the scheduler's own memory.
    RESERVE = "scheduler.reserve";
    /// PreBind: what Reserve decided is written; the binding waits for it.
    PRE_BIND = "scheduler.pre_bind";
    /// Unreserve: what was reserved is given back.
    UNRESERVE = "scheduler.unreserve";
    /// The binding cycle begins: the choice is told to the API server.
    BIND = "scheduler.bind";
    /// The Pod is bound.
    BOUND = "scheduler.bound";
    /// The Pod could not be placed and waits.
    UNSCHEDULABLE = "scheduler.unschedulable";
    /// Something went wrong; the Pod backs off.
    FAILED = "scheduler.failed";
    /// A less important Pod has to go.
    PREEMPT = "scheduler.preempt";
}

const WAKE: &str = "scheduler.wake";
const CYCLE_END: &str = "scheduler.cycle_end";
const VOLUMES_CHECK: &str = "scheduler.volumes";
const BACKOFF: &str = "scheduler.backoff";
const OVERDUE: &str = "loop.scheduler.unschedulable";

/// From a Pod entering the queue to its being taken out, when nothing else is being tried (microseconds).
const POP_DELAY: (u64, u64) = (40, 150);
/// Most events kept for the Pod that is being tried; beyond, it is tried again anyway.
const MAX_EVENTS: usize = 256;
/// Stream of the scheduler's own random numbers.
const STREAM: &str = "scheduler";

/// How a scheduling cycle came out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Outcome {
    /// To be bound to this Node.
    Bind(Text),
    /// Fits nowhere.
    Unschedulable {
        message: String,
        rejected_by: BTreeSet<PluginId>,
        /// What becomes of the Node that the Pod waits for.
        nominate: Nominate,
    },
}

/// What becomes of `status.nominatedNodeName` after a cycle without a Node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Nominate {
    /// It stays as it is: preemption was not looked at, or its victims are still going.
    Keep,
    /// It is emptied: preemption would not help.
    Clear,
    /// A Node is to be made free of these Pods.
    Preempt(Text, Vec<Rc<PodInfo>>),
}

/// The Pod that is being tried.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Attempt {
    pod: Rc<PodInfo>,
    outcome: Outcome,
    /// What happened meanwhile.
    events: Vec<ClusterEvent>,
    cause: Option<TraceId>,
}

/// What an answer is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Call {
    Bind {
        pod: Rc<PodInfo>,
        node: Text,
    },
    /// One write of PreBind.
    PreBind {
        pod: Rc<PodInfo>,
    },
    MarkVictim {
        preemptor: Rc<PodInfo>,
        victim: Rc<PodInfo>,
        node: Text,
    },
    DeleteVictim {
        preemptor: Rc<PodInfo>,
        victim: Rc<PodInfo>,
        node: Text,
    },
}

/// kube-scheduler.
#[derive(Clone, Debug, Hash)]
pub struct Scheduler {
    cache: Cache,
    profile: Rc<Profile>,
    /// Further profiles, each with the recorder that shows its name.
    others: Vec<(Rc<Profile>, Recorder)>,
    queue: SchedulingQueue,
    recorder: Recorder,
    next_start: u64,
    attempt: Option<Attempt>,
    assumed: BTreeMap<Key, Text>,
    /// Pods whose claims are being bound.
    reserved: BTreeMap<Key, volumes::Reserved>,
    calls: BTreeMap<RequestId, Call>,
    /// Pods that make others go, with how many are still to be deleted.
    preempting: BTreeMap<Key, u32>,
    wake_set: bool,
    backoff_set: bool,
    overdue_set: bool,
}

impl Default for Scheduler {
    fn default() -> Self {
        let profile = Profile::default();
        Scheduler {
            cache: Cache::default(),
            queue: SchedulingQueue::default(),
            recorder: Recorder::new(profile.scheduler_name.clone(), "", Style::Series),
            profile: Rc::new(profile),
            others: Vec::new(),
            next_start: 0,
            attempt: None,
            assumed: BTreeMap::new(),
            reserved: BTreeMap::new(),
            calls: BTreeMap::new(),
            preempting: BTreeMap::new(),
            wake_set: false,
            backoff_set: false,
            overdue_set: false,
        }
    }
}

impl Scheduler {
    /// The scheduler's picture of the cluster.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }
    /// The queue.
    pub fn queue(&self) -> &SchedulingQueue {
        &self.queue
    }
    /// The configuration of the default profile.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }
    /// Where a Pod would go now and why, with every verdict and score (see [`report::explain`]).
    pub fn explain(&self, pod: &Object) -> Value {
        report::explain(
            &PodInfo::new(pod),
            &self.cache,
            self.profile_for(pod),
            self.next_start,
        )
    }

    /// The process has started and its caches are filled.
    pub fn start(&mut self, caches: &Caches, ctx: &mut Ctx<'_>) {
        let config = ctx.sim.config.clone();
        if !config.schedulers.is_empty() {
            self.configure(&config.schedulers);
        }
        for kind in crate::bootstrap::SCHEDULER_WATCHES
            .iter()
            .filter(|kind| **kind != Kind::Pod)
        {
            for object in caches.list(*kind) {
                self.cache.apply(*kind, &object.key(), Some(object));
            }
        }
        for object in caches.list(Kind::Pod) {
            let cause = ctx.cause();
            self.pod_event(
                &CacheEvent {
                    kind: Kind::Pod,
                    old: None,
                    new: Some(object.clone()),
                    cause,
                },
                ctx,
            );
        }
        self.wake(ctx);
    }

    /// A change in a cache.
    pub fn event(&mut self, event: &CacheEvent, ctx: &mut Ctx<'_>) {
        ctx.set_cause(event.cause);
        if event.kind == Kind::Pod {
            self.pod_event(event, ctx);
        } else {
            let Some(key) = event.object().map(|o| o.key()) else {
                return;
            };
            self.cache.apply(event.kind, &key, event.new.as_deref());
            self.tell(
                ClusterEvent {
                    kind: event.kind,
                    old: event.old.clone(),
                    new: event.new.clone(),
                    own: false,
                    cause: event.cause,
                },
                ctx,
            );
        }
        self.wake(ctx);
    }

    /// A timer.
    pub fn timer(&mut self, timer: &Timer, caches: &Caches, ctx: &mut Ctx<'_>) {
        match timer.code {
            WAKE => {
                self.wake_set = false;
                self.next_cycle(ctx);
            }
            CYCLE_END => self.end_cycle(&timer.key, caches, ctx),
            VOLUMES_CHECK => self.check_volumes(&timer.key, caches, ctx),
            BACKOFF => {
                self.backoff_set = false;
                for key in self.queue.flush_backoff(ctx.now()) {
                    self.note_requeue(&key, "BackoffComplete", None, ctx);
                }
            }
            OVERDUE => {
                self.overdue_set = false;
                for key in self.queue.overdue(ctx.now()) {
                    self.queue.requeue(&key, ctx.now(), ctx.cause());
                    self.note_requeue(&key, "UnschedulableTimeout", None, ctx);
                }
            }
            _ => {}
        }
        self.wake(ctx);
    }

    /// An answer to a request.
    pub fn response(
        &mut self,
        id: RequestId,
        answer: &Response,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        match self.calls.remove(&id) {
            Some(Call::Bind { pod, node }) => self.bound(&pod, &node, answer, caches, ctx),
            Some(Call::PreBind { pod }) => self.volume_written(&pod, answer, caches, ctx),
            Some(Call::MarkVictim {
                preemptor,
                victim,
                node,
            }) => {
                if answer.is_ok() {
                    self.delete_victim(preemptor, victim, node, ctx);
                } else {
                    self.victim_spared(&preemptor.key, ctx);
                }
            }
            Some(Call::DeleteVictim {
                preemptor,
                victim,
                node,
            }) if answer.is_ok() => self.preempted(&preemptor, &victim, &node, ctx),
            _ => {}
        }
        self.wake(ctx);
    }

    fn pod_event(&mut self, event: &CacheEvent, ctx: &mut Ctx<'_>) {
        // Finished Pods are not watched: they vanish.
        let alive = |o: &&Rc<Object>| !PodInfo::is_finished(o);
        let (old, new) = (
            event.old.as_ref().filter(alive),
            event.new.as_ref().filter(alive),
        );
        let node_of = |o: &Rc<Object>| -> Option<Text> {
            o.spec()
                .get("nodeName")
                .as_text()
                .filter(|n| !n.is_empty())
                .cloned()
        };
        let (from, to) = (old.and_then(node_of), new.and_then(node_of));
        let told = |old: Option<&Rc<Object>>, own: bool| ClusterEvent {
            kind: Kind::Pod,
            old: old.cloned(),
            new: new.cloned(),
            own,
            cause: event.cause,
        };
        match (new, from, to) {
            (Some(new), from, Some(node)) => {
                let key = new.key();
                self.queue.remove(&key);
                let known = self
                    .cache
                    .pod_on(&node, &key)
                    .filter(|p| p.object.uid() == new.uid());
                let pod = Rc::new(match known {
                    Some(known) => known.changed(new),
                    None => PodInfo::new(new),
                });
                if let Some(assumed) = self.assumed.remove(&key).filter(|assumed| *assumed != node)
                {
                    self.cache.remove_pod(&pod, &assumed);
                }
                self.cache.forget_nomination(&pod);
                self.cache.update_pod(pod, &node);
                self.tell(told(old.filter(|_| from.is_some()), false), ctx);
            }
            (None, Some(node), _) => {
                let Some(old) = old else { return };
                if let Some(pod) = self.cache.pod_on(&node, &old.key()).cloned() {
                    self.cache.remove_pod(&pod, &node);
                }
                self.tell(told(Some(old), false), ctx);
            }
            (Some(new), _, None) => self.waiting_event(new, told(old, true), ctx),
            (None, None, _) => {
                let Some(old) = old else { return };
                let key = old.key();
                let nominated = old
                    .status()
                    .get("nominatedNodeName")
                    .str_or_empty()
                    .to_string();
                if let Some(waiting) = self.queue.remove(&key) {
                    self.cache.forget_nomination(&waiting.pod);
                    if let Some(node) = self.assumed.remove(&key) {
                        self.cache.remove_pod(&waiting.pod, &node);
                    }
                }
                if !nominated.is_empty() {
                    self.tell(told(Some(old), false), ctx);
                }
            }
        }
    }

    /// A Pod without a Node came or changed.
    fn waiting_event(&mut self, new: &Rc<Object>, event: ClusterEvent, ctx: &mut Ctx<'_>) {
        let name = new.spec().get("schedulerName").as_str();
        let key = new.key();
        let responsible = self.other(new).is_some()
            || name.is_none_or(|name| name.is_empty() || *name == *self.profile.scheduler_name);
        if !responsible || self.assumed.contains_key(&key) {
            return;
        }
        let gate = pre_enqueue(new);
        let pod = Rc::new(PodInfo::new(new));
        if pod.nominated().is_empty() {
            self.cache.forget_nomination(&pod);
        } else {
            self.cache.nominate(pod.clone(), &pod.nominated().into());
        }
        let known = self.queue.get(&key).filter(|w| w.pod.is_same(&pod));
        let Some((place, was_gated)) = known.map(|w| (w.place, !w.gate.is_empty())) else {
            let code = if gate.is_empty() { ENQUEUE } else { GATED };
            let note = Note::new(code)
                .about(Kind::Pod, key)
                .arg("priority", pod.priority)
                .arg("gate", gate.clone())
                .arg("plugin", pre_enqueue_plugin(new));
            let cause = ctx.trace_aside(note);
            self.queue.add(pod, gate, ctx.now(), Some(cause));
            return;
        };
        self.queue.update(pod.clone(), gate.clone());
        match place {
            Place::InFlight => {
                if let Some(attempt) = self.attempt.as_mut().filter(|a| a.pod.is_same(&pod)) {
                    attempt.events.push(event.clone());
                }
            }
            Place::Unschedulable if was_gated && gate.is_empty() => {
                self.queue.requeue(&key, ctx.now(), ctx.cause());
                self.note_requeue(&key, "UnscheduledPodUpdate", None, ctx);
            }
            Place::Unschedulable if gate.is_empty() => {
                let waiting = self.queue.get(&key);
                let plugin = waiting.and_then(|w| self.worth_another_try(w, &event));
                if plugin.is_some() {
                    self.requeue(&key, &event, plugin, ctx);
                }
            }
            _ => {}
        }
        self.tell_of_plan(&event, ctx);
    }

    /// Lets waiting Pods be tried again for which a change may matter.
    fn tell(&mut self, event: ClusterEvent, ctx: &mut Ctx<'_>) {
        if event.name().is_empty() {
            return;
        }
        let mut again: Vec<(Key, PluginId)> = Vec::new();
        let most = preemption::planned_priority(&event);
        for waiting in self.queue.unschedulable() {
            if waiting.pod.priority > most {
                continue;
            }
            if let Some(plugin) = self.worth_another_try(waiting, &event) {
                again.push((waiting.pod.key.clone(), plugin));
            }
        }
        for (key, plugin) in again {
            self.requeue(&key, &event, Some(plugin), ctx);
        }
        if let Some(attempt) = self
            .attempt
            .as_mut()
            .filter(|a| a.events.len() < MAX_EVENTS)
        {
            attempt.events.push(event);
        }
    }

    /// Sets timers for what is to be done next.
    fn wake(&mut self, ctx: &mut Ctx<'_>) {
        if self.attempt.is_none() && !self.wake_set && self.queue.is_ready() {
            self.wake_set = true;
            let wait = ctx.jitter(STREAM, POP_DELAY);
            ctx.set_timer(wait, Timer::internal(WAKE));
        }
        if !self.backoff_set && self.queue.is_backing_off() {
            self.backoff_set = true;
            let at = ctx.now().next_multiple(SimDuration::secs(1));
            ctx.set_timer_at(at, Timer::internal(BACKOFF));
        }
        if !self.overdue_set && self.queue.count(Place::Unschedulable) > 0 {
            self.overdue_set = true;
            let at = ctx.now().next_multiple(FLUSH_UNSCHEDULABLE);
            ctx.set_timer_at(at, Timer::internal(OVERDUE));
        }
    }
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
