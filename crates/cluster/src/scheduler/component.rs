//! The scheduler as a component: hears of Pods and Nodes, tries Pods one at a time, binds them.
//!
//! Models: `pkg/scheduler/{scheduler,schedule_one,eventhandlers}.go` (v1.36). Left out: PreBind work (claims
//! that wait for their first consumer are bound by nobody), Permit, several profiles, leader election.

use super::cache::Cache;
use super::events::ClusterEvent;
use super::framework::{Decision, schedule};
use super::node_info::Slot;
use super::plugins::default_preemption::{Candidate, post_filter, post_filter_message};
use super::plugins::{Cycle, PluginId, Plugins};
use super::pod_info::PodInfo;
use super::profile::Profile;
use super::queue::{FLUSH_UNSCHEDULABLE, Place, SchedulingQueue, Waiting};
use super::report;
use crate::client::informer::{CacheEvent, Caches};
use crate::client::recorder::{Recorder, Regarding, Style};
use crate::entry::Timer;
use crate::sim::Ctx;
use crate::trace::{Data, Note, RequestId, TraceId};
use podscope_api::patch::two_way_strategic;
use podscope_api::{Failure, Key, Kind, Object, PatchType, Request, Response, Text, Value, value};
use podscope_kernel::SimDuration;
use std::collections::{BTreeMap, BTreeSet};
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
const BACKOFF: &str = "scheduler.backoff";
const OVERDUE: &str = "loop.scheduler.unschedulable";

/// From a Pod entering the queue to its being taken out, when nothing else is being tried (microseconds).
const POP_DELAY: (u64, u64) = (40, 150);
/// How long a scheduling cycle takes (microseconds).
const CYCLE_TIME: (u64, u64) = (700, 1_800);
/// Most events kept for the Pod that is being tried; beyond, it is tried again anyway.
const MAX_EVENTS: usize = 256;
/// Longest note of an Event in bytes.
const MAX_NOTE: usize = 1024;
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
        /// The Node to be made free with the Pods that have to go.
        preempt: Option<(Text, Vec<Rc<PodInfo>>)>,
    },
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
    MarkVictim {
        preemptor: Key,
        victim: Rc<PodInfo>,
        node: Text,
    },
    DeleteVictim {
        preemptor: Key,
        victim: Rc<PodInfo>,
        node: Text,
    },
}

/// kube-scheduler.
#[derive(Clone, Debug, Hash)]
pub struct Scheduler {
    cache: Cache,
    profile: Rc<Profile>,
    queue: SchedulingQueue,
    recorder: Recorder,
    next_start: u64,
    attempt: Option<Attempt>,
    assumed: BTreeMap<Key, Text>,
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
            next_start: 0,
            attempt: None,
            assumed: BTreeMap::new(),
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
    /// The configuration.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }
    /// Where a Pod would go now and why, with every verdict and score (see [`report::explain`]).
    pub fn explain(&self, pod: &Object) -> Value {
        report::explain(
            &PodInfo::new(pod),
            &self.cache,
            &self.profile,
            self.next_start,
        )
    }

    /// The process has started and its caches are filled.
    pub fn start(&mut self, caches: &Caches, ctx: &mut Ctx<'_>) {
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
            CYCLE_END => self.end_cycle(caches, ctx),
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
            Some(Call::MarkVictim {
                preemptor,
                victim,
                node,
            }) => {
                if answer.is_ok() {
                    self.delete_victim(preemptor, victim, node, ctx);
                } else {
                    self.victim_spared(&preemptor, ctx);
                }
            }
            Some(Call::DeleteVictim {
                preemptor,
                victim,
                node,
            }) => {
                if answer.is_ok() {
                    self.preempted(&preemptor, &victim, &node, ctx);
                }
            }
            None => {}
        }
        self.wake(ctx);
    }

    // What the scheduler hears.

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
        let responsible =
            name.is_none_or(|name| name.is_empty() || *name == *self.profile.scheduler_name);
        if !responsible || self.assumed.contains_key(&key) {
            return;
        }
        let gate = gate_of(new);
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
                .arg("gate", gate.clone());
            let cause = ctx.trace_aside(note);
            self.queue.add(pod, gate, ctx.now(), Some(cause));
            return;
        };
        self.queue.update(pod.clone(), gate.clone());
        match place {
            Place::InFlight => {
                if let Some(attempt) = self.attempt.as_mut().filter(|a| a.pod.is_same(&pod)) {
                    attempt.events.push(event);
                }
            }
            Place::Unschedulable if was_gated && gate.is_empty() => {
                self.queue.requeue(&key, ctx.now(), ctx.cause());
                self.note_requeue(&key, "UnscheduledPodUpdate", None, ctx);
            }
            Place::Unschedulable if gate.is_empty() => {
                if let Some(waiting) = self.queue.get(&key) {
                    if let Some(plugin) = self.worth_another_try(waiting, &event) {
                        self.requeue(&key, &event, Some(plugin), ctx);
                    }
                }
            }
            _ => {}
        }
    }

    /// Lets waiting Pods be tried again for which a change may matter.
    fn tell(&mut self, event: ClusterEvent, ctx: &mut Ctx<'_>) {
        if event.name().is_empty() {
            return;
        }
        let mut again: Vec<(Key, PluginId)> = Vec::new();
        for waiting in self.queue.unschedulable() {
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

    /// The plugin that thinks that a Pod may fit after a change: one of those that rejected it.
    fn worth_another_try(&self, waiting: &Waiting, event: &ClusterEvent) -> Option<PluginId> {
        if !waiting.gate.is_empty() || self.preempting.contains_key(&waiting.pod.key) {
            return None;
        }
        let cycle = Cycle {
            cache: &self.cache,
            profile: &self.profile,
            pod: &waiting.pod,
        };
        waiting
            .rejected_by
            .iter()
            .copied()
            .find(|plugin| plugin.hint(cycle, event))
    }

    fn requeue(
        &mut self,
        key: &Key,
        event: &ClusterEvent,
        plugin: Option<PluginId>,
        ctx: &mut Ctx<'_>,
    ) {
        self.queue.requeue(key, ctx.now(), event.cause);
        self.note_requeue(key, event.name(), plugin, ctx);
    }

    /// Reports that a waiting Pod is to be tried again; its next cycle is caused by this.
    fn note_requeue(
        &mut self,
        key: &Key,
        event: &'static str,
        plugin: Option<PluginId>,
        ctx: &mut Ctx<'_>,
    ) {
        let place = self.queue.get(key).map_or("", |w| w.place.name());
        let note = Note::new(REQUEUE)
            .about(Kind::Pod, key.clone())
            .arg("event", event)
            .arg("plugin", plugin.map_or("", PluginId::name))
            .arg("queue", place);
        let cause = ctx.trace_aside(note);
        self.queue.set_cause(key, Some(cause));
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

    // The scheduling cycle.

    fn next_cycle(&mut self, ctx: &mut Ctx<'_>) {
        if self.attempt.is_some() {
            return;
        }
        while let Some(waiting) = self.queue.pop() {
            ctx.set_cause(waiting.cause);
            if waiting.pod.terminating {
                let note = ["skip schedule deleting pod: ", &waiting.pod.key.to_string()].concat();
                self.warn(&waiting.pod, &note, ctx);
                self.queue.remove(&waiting.pod.key);
                continue;
            }
            let outcome = self.try_pod(&waiting, ctx);
            self.attempt = Some(Attempt {
                pod: waiting.pod,
                outcome,
                events: Vec::new(),
                cause: ctx.cause(),
            });
            let wait = ctx.jitter(STREAM, CYCLE_TIME);
            ctx.set_timer(wait, Timer::internal(CYCLE_END));
            return;
        }
    }

    fn try_pod(&mut self, waiting: &Waiting, ctx: &mut Ctx<'_>) -> Outcome {
        let pod = &waiting.pod;
        let about = |code| Note::new(code).about(Kind::Pod, pod.key.clone());
        ctx.trace(
            about(CYCLE)
                .arg("attempt", i64::from(waiting.attempts))
                .arg("nodes", count(self.cache.len()))
                .arg("waiting", count(self.queue.count(Place::Active))),
        );
        self.keep_topologies(pod);
        let (decision, plugins) = schedule(pod, &self.cache, &self.profile, self.next_start);
        self.next_start = decision.next_start;
        let cycle = Cycle {
            cache: &self.cache,
            profile: &self.profile,
            pod,
        };
        report_decision(cycle, &plugins, &decision, &about, ctx);
        match decision.chosen {
            Some(slot) => {
                let node = self.cache.node(slot).name.clone();
                self.assume(pod, &node, ctx);
                Outcome::Bind(node)
            }
            None => self.no_node(pod, &plugins, &decision, &about, ctx),
        }
    }

    /// Keeps the labels' groups that the Pod's rules look at.
    fn keep_topologies(&mut self, pod: &PodInfo) {
        let defaults = self
            .profile
            .default_constraints
            .iter()
            .map(|c| c.topology_key.clone());
        let own = pod
            .object
            .spec()
            .get("topologySpreadConstraints")
            .items()
            .iter();
        let own = own.filter_map(|c| c.get("topologyKey").as_text().cloned());
        let terms = pod.affinity.iter().flat_map(|a| {
            let required = a.required.iter().chain(&a.required_anti);
            required.chain(&a.preferred).chain(&a.preferred_anti)
        });
        let terms = terms.map(|t| t.topology_key.clone());
        let keys: Vec<Text> = defaults.chain(own).chain(terms).collect();
        for key in &keys {
            self.cache.keep_topology(key);
        }
    }

    fn assume(&mut self, pod: &Rc<PodInfo>, node: &Text, ctx: &mut Ctx<'_>) {
        self.cache.forget_nomination(pod);
        self.cache.add_pod(pod.clone(), node);
        self.assumed.insert(pod.key.clone(), node.clone());
        ctx.trace(
            Note::new(ASSUME)
                .about(Kind::Pod, pod.key.clone())
                .arg("node", node.clone()),
        );
    }

    fn no_node(
        &self,
        pod: &Rc<PodInfo>,
        plugins: &Plugins,
        decision: &Decision,
        about: &dyn Fn(&'static str) -> Note,
        ctx: &mut Ctx<'_>,
    ) -> Outcome {
        let cycle = Cycle {
            cache: &self.cache,
            profile: &self.profile,
            pod,
        };
        if decision.nodes == 0 {
            let (message, rejected_by) = (decision.fit_error(""), BTreeSet::new());
            return Outcome::Unschedulable {
                message,
                rejected_by,
                preempt: None,
            };
        }
        let offset = ctx.random(STREAM, 0, decision.nodes - 1);
        let out = match decision.pre_filter {
            // PostFilter ends with an error before preemption is looked at.
            Some(_) => Default::default(),
            None => post_filter(cycle, plugins, decision, offset),
        };
        let post_filter = post_filter_message(cycle, decision, &out);
        ctx.trace(
            about(POST_FILTER)
                .arg("message", post_filter.clone())
                .data(Data::Json(report::preemption(&self.cache, &out))),
        );
        let name = |slot: Slot| self.cache.node(slot).name.clone();
        let preempt = out
            .chosen
            .map(|Candidate { node, victims, .. }| (name(node), victims));
        Outcome::Unschedulable {
            message: decision.fit_error(&post_filter),
            rejected_by: decision.rejecting_plugins(),
            preempt,
        }
    }

    fn end_cycle(&mut self, caches: &Caches, ctx: &mut Ctx<'_>) {
        let Some(attempt) = self.attempt.take() else {
            return;
        };
        ctx.set_cause(attempt.cause);
        let pod = attempt.pod;
        match attempt.outcome {
            Outcome::Bind(node) => self.bind(pod, node, ctx),
            Outcome::Unschedulable {
                message,
                rejected_by,
                preempt,
            } => {
                self.unschedulable(
                    &pod,
                    &message,
                    rejected_by,
                    attempt.events,
                    &preempt,
                    caches,
                    ctx,
                );
                if let Some((node, victims)) = preempt {
                    self.preempt(&pod, node, victims, caches, ctx);
                }
            }
        }
        self.next_cycle(ctx);
    }

    // The binding cycle.

    fn bind(&mut self, pod: Rc<PodInfo>, node: Text, ctx: &mut Ctx<'_>) {
        let Key { namespace, name } = pod.key.clone();
        ctx.trace(
            Note::new(BIND)
                .about(Kind::Pod, pod.key.clone())
                .arg("node", node.clone()),
        );
        let binding = value!({
            "kind": "Binding", "apiVersion": "v1",
            "metadata": {
                "name": (name.clone()), "namespace": (namespace.clone()), "uid": (pod.object.uid())
            },
            "target": {"kind": "Node", "name": (node.clone())}
        });
        let mut request = Request::create(Kind::Pod, Object(binding));
        request.name = name;
        request.subresource = "binding".into();
        let id = ctx.request(request);
        self.calls.insert(id, Call::Bind { pod, node });
    }

    fn bound(
        &mut self,
        pod: &Rc<PodInfo>,
        node: &Text,
        answer: &Response,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        match answer {
            Ok(_) => {
                ctx.trace(
                    Note::new(BOUND)
                        .about(Kind::Pod, pod.key.clone())
                        .arg("node", node.clone()),
                );
                let note = format!("Successfully assigned {} to {node}", pod.key);
                let regarding = Regarding::object(Kind::Pod, &pod.object);
                self.recorder
                    .record(ctx, regarding, "Normal", "Scheduled", "Binding", &note);
            }
            Err(failure) => {
                let why = failure_text(failure, pod);
                let message = format!("running Bind plugin \"DefaultBinder\": {why}");
                self.failed(pod, node, &message, caches, ctx);
            }
        }
    }

    /// Binding went wrong: the Pod is not on the Node after all.
    fn failed(
        &mut self,
        pod: &Rc<PodInfo>,
        node: &Text,
        message: &str,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        ctx.trace(
            Note::new(FAILED)
                .about(Kind::Pod, pod.key.clone())
                .arg("message", message.to_string()),
        );
        if self.assumed.remove(&pod.key).is_some() {
            self.cache.remove_pod(pod, node);
            let mut gone = pod.object.clone();
            gone.set("spec.nodeName", node.clone());
            let event = ClusterEvent {
                kind: Kind::Pod,
                old: Some(Rc::new(gone)),
                new: None,
                own: false,
                cause: ctx.cause(),
            };
            self.tell(event, ctx);
        }
        self.warn(pod, message, ctx);
        match self.latest(pod, caches) {
            None => {
                self.queue.remove(&pod.key);
            }
            Some(latest) => {
                self.queue
                    .update(Rc::new(PodInfo::new(&latest)), gate_of(&latest));
                self.queue.failed(&pod.key, ctx.now());
                self.patch_status(&latest, "SchedulerError", message, None, ctx);
            }
        }
    }

    // When there is no Node.

    #[allow(clippy::too_many_arguments, reason = "one call, one place")]
    fn unschedulable(
        &mut self,
        pod: &Rc<PodInfo>,
        message: &str,
        rejected_by: BTreeSet<PluginId>,
        events: Vec<ClusterEvent>,
        preempt: &Option<(Text, Vec<Rc<PodInfo>>)>,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        let names: Vec<&str> = rejected_by.iter().map(|id| id.name()).collect();
        ctx.trace(
            Note::new(UNSCHEDULABLE)
                .about(Kind::Pod, pod.key.clone())
                .arg("message", message.to_string())
                .arg("plugins", names.join(", ")),
        );
        let Some(latest) = self.latest(pod, caches) else {
            self.queue.remove(&pod.key);
            self.warn(pod, message, ctx);
            return;
        };
        let now = ctx.now();
        let info = Rc::new(PodInfo::new(&latest));
        if let Some((node, _)) = preempt {
            self.cache.nominate(info.clone(), node);
            self.preempting.insert(pod.key.clone(), 0);
        }
        self.queue.update(info, gate_of(&latest));
        if rejected_by.is_empty() {
            self.queue.failed(&pod.key, now);
        } else {
            self.queue.fitted_nowhere(&pod.key, rejected_by, now);
            self.check_missed(&pod.key, &events, ctx);
        }
        self.warn(pod, message, ctx);
        let nominated = preempt.as_ref().map(|(node, _)| node.clone());
        self.patch_status(
            &latest,
            "Unschedulable",
            message,
            Some(nominated.unwrap_or_else(|| "".into())),
            ctx,
        );
    }

    /// Something that matters may have happened while the Pod was being tried.
    fn check_missed(&mut self, key: &Key, events: &[ClusterEvent], ctx: &mut Ctx<'_>) {
        let Some(waiting) = self.queue.get(key) else {
            return;
        };
        let found = events.iter().find_map(|event| {
            let plugin = self.worth_another_try(waiting, event)?;
            Some((event, plugin))
        });
        if let Some((event, plugin)) = found {
            self.requeue(key, event, Some(plugin), ctx);
        }
    }

    /// The Pod as it is now, unless it is gone, another one, or placed.
    fn latest(&self, pod: &PodInfo, caches: &Caches) -> Option<Object> {
        let object = caches.get(Kind::Pod, &pod.key)?;
        let same = object.uid() == pod.object.uid();
        let free = object.spec().get("nodeName").str_or_empty().is_empty();
        (same && free).then(|| (**object).clone())
    }

    fn warn(&mut self, pod: &PodInfo, message: &str, ctx: &mut Ctx<'_>) {
        let regarding = Regarding::object(Kind::Pod, &pod.object);
        let note = truncated(message);
        self.recorder.record(
            ctx,
            regarding,
            "Warning",
            "FailedScheduling",
            "Scheduling",
            &note,
        );
    }

    /// Writes the condition PodScheduled=False (and the nominated Node), when that changes anything.
    fn patch_status(
        &mut self,
        pod: &Object,
        reason: &str,
        message: &str,
        nominated: Option<Text>,
        ctx: &mut Ctx<'_>,
    ) {
        let mut condition = value!({
            "type": "PodScheduled", "status": "False", "reason": (reason), "message": (message),
            "lastProbeTime": null
        });
        if pod.generation() > 0 {
            condition.set("observedGeneration", pod.generation());
        }
        let wanted = with_condition(pod, condition, ctx);
        let mut wanted = wanted.unwrap_or_else(|| pod.clone());
        if let Some(node) = nominated {
            if node.is_empty() {
                wanted.remove("status.nominatedNodeName");
            } else {
                wanted.set("status.nominatedNodeName", node);
            }
        }
        self.patch(pod, &wanted, ctx);
    }

    /// Sends what turns a Pod's status into the wanted one; `None` when there is nothing to change.
    fn patch(&mut self, pod: &Object, wanted: &Object, ctx: &mut Ctx<'_>) -> Option<RequestId> {
        let patch = two_way_strategic("Pod", pod, wanted);
        if patch.is_empty() {
            return None;
        }
        let Key { namespace, name } = pod.key();
        let kind = PatchType::Strategic;
        Some(ctx.request(Request::patch(
            Kind::Pod,
            namespace,
            name,
            "status",
            kind,
            patch,
        )))
    }

    // Preemption.

    /// Makes less important Pods go; the preemptor waits meanwhile.
    fn preempt(
        &mut self,
        pod: &Rc<PodInfo>,
        node: Text,
        victims: Vec<Rc<PodInfo>>,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        let waiting = self.cache.nominated_to(&node).iter();
        let lesser: Vec<Key> = waiting
            .filter(|p| p.priority < pod.priority)
            .map(|p| p.key.clone())
            .collect();
        for key in lesser {
            if let Some(object) = caches.get(Kind::Pod, &key) {
                let mut wanted = (**object).clone();
                wanted.remove("status.nominatedNodeName");
                self.cache.forget_nomination(&PodInfo::new(object));
                self.patch(object, &wanted, ctx);
            }
        }
        let preemptor = pod.key.clone();
        let begin = ctx.cause();
        let victims = victims.into_iter().filter(|victim| !victim.terminating);
        let victims: Vec<Rc<PodInfo>> = victims.collect();
        match u32::try_from(victims.len()) {
            Ok(0) => self.preempting.remove(&preemptor),
            Ok(left) => self.preempting.insert(preemptor.clone(), left),
            Err(_) => None,
        };
        for victim in victims {
            ctx.set_cause(begin);
            ctx.trace(
                Note::new(PREEMPT)
                    .about(Kind::Pod, victim.key.clone())
                    .arg("preemptor", preemptor.to_string())
                    .arg("node", node.clone()),
            );
            let mut condition = value!({
                "type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler",
                "lastProbeTime": null
            });
            let by = [
                &*self.profile.scheduler_name,
                ": preempting to accommodate a higher priority pod",
            ];
            condition.set("message", by.concat());
            if victim.object.generation() > 0 {
                condition.set("observedGeneration", victim.object.generation());
            }
            let marked = with_condition(&victim.object, condition, ctx);
            let request = marked.and_then(|wanted| self.patch(&victim.object, &wanted, ctx));
            let (preemptor, node) = (preemptor.clone(), node.clone());
            match request {
                Some(id) => {
                    self.calls.insert(
                        id,
                        Call::MarkVictim {
                            preemptor,
                            victim,
                            node,
                        },
                    );
                }
                None => self.delete_victim(preemptor, victim, node, ctx),
            }
        }
    }

    fn delete_victim(
        &mut self,
        preemptor: Key,
        victim: Rc<PodInfo>,
        node: Text,
        ctx: &mut Ctx<'_>,
    ) {
        // The last deletion must find the preemptor ready to be woken by it.
        self.one_victim_less(&preemptor);
        let Key { namespace, name } = victim.key.clone();
        let id = ctx.request(Request::delete(Kind::Pod, namespace, name));
        let call = Call::DeleteVictim {
            preemptor,
            victim,
            node,
        };
        self.calls.insert(id, call);
    }

    /// A victim could not be marked: when it was the last one, the preemptor is to look again.
    fn victim_spared(&mut self, preemptor: &Key, ctx: &mut Ctx<'_>) {
        if self.one_victim_less(preemptor) {
            let now = ctx.now();
            let waits = |w: &Waiting| w.place == Place::Unschedulable;
            if self.queue.get(preemptor).is_some_and(waits) {
                self.queue.requeue(preemptor, now, ctx.cause());
            }
        }
    }

    /// True when no victim is left to be dealt with.
    fn one_victim_less(&mut self, preemptor: &Key) -> bool {
        let left = self.preempting.get(preemptor).copied().unwrap_or(0);
        if left > 1 {
            self.preempting.insert(preemptor.clone(), left - 1);
            return false;
        }
        self.preempting.remove(preemptor);
        true
    }

    fn preempted(&mut self, preemptor: &Key, victim: &PodInfo, node: &Text, ctx: &mut Ctx<'_>) {
        let uid = self
            .queue
            .get(preemptor)
            .map(|w| w.pod.object.uid().to_string())
            .unwrap_or_default();
        let note = format!("Preempted by pod {uid} on node {node}");
        let regarding = Regarding::object(Kind::Pod, &victim.object);
        self.recorder
            .record(ctx, regarding, "Normal", "Preempted", "Preempting", &note);
    }
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Reports what each extension point said.
fn report_decision(
    cycle: Cycle,
    plugins: &Plugins,
    decision: &Decision,
    about: &dyn Fn(&'static str) -> Note,
    ctx: &mut Ctx<'_>,
) {
    let skipped = decision
        .skipped_filters
        .iter()
        .map(|id| Value::str(id.name()));
    let mut pre_filter = value!({"skipped": (Value::list(skipped))});
    if let Some(no) = &decision.pre_filter {
        pre_filter.set("rejected", report::rejection(no));
    }
    if let Some((by, left)) = &decision.narrowed {
        let by = by.iter().map(|id| Value::str(id.name()));
        pre_filter.set("narrowedBy", Value::list(by));
        pre_filter.set("left", i64::try_from(*left).unwrap_or(i64::MAX));
    }
    ctx.trace(about(PRE_FILTER).data(Data::Json(pre_filter)));
    if decision.pre_filter.is_some() || decision.nodes == 0 {
        return;
    }
    ctx.trace(
        about(FILTER)
            .arg(
                "nodes",
                count(decision.feasible.len() + decision.rejected.len()),
            )
            .arg("feasible", count(decision.feasible.len()))
            .data(Data::Json(report::filter(cycle.cache, decision, false))),
    );
    if let Some(scores) = &decision.scores {
        let data = report::scores(cycle, plugins, scores, false);
        ctx.trace(
            about(SCORE)
                .arg("nodes", count(scores.nodes.len()))
                .data(Data::Json(data)),
        );
    }
    if let Some(slot) = decision.chosen {
        let best = decision
            .scores
            .as_ref()
            .and_then(|s| s.totals.iter().max().copied());
        let tied = decision
            .scores
            .iter()
            .flat_map(|s| &s.totals)
            .filter(|t| Some(**t) == best);
        let note = about(CHOOSE)
            .arg("node", cycle.cache.node(slot).name.clone())
            .arg("tied", count(tied.count()));
        ctx.trace(match best {
            Some(best) => note.arg("score", best),
            None => note,
        });
    }
}

/// What PreEnqueue says of a Pod's scheduling gates; empty when it may be tried.
fn gate_of(pod: &Object) -> String {
    let gates = pod.spec().get("schedulingGates").items();
    let names: Vec<&str> = gates
        .iter()
        .map(|gate| gate.get("name").str_or_empty())
        .collect();
    match names.as_slice() {
        [] => String::new(),
        names => ["waiting for scheduling gates: [", &names.join(" "), "]"].concat(),
    }
}

/// The Pod with a condition; `None` when it has just that one already. The time of transition is kept while the
/// status stays the same.
fn with_condition(pod: &Object, mut condition: Value, ctx: &Ctx<'_>) -> Option<Object> {
    let kind = condition.get("type").str_or_empty().to_string();
    let old = pod.condition(&kind);
    let same_status = old.get("status") == condition.get("status");
    let time = match old
        .get("lastTransitionTime")
        .as_text()
        .filter(|_| same_status)
    {
        Some(time) => Value::Str(time.clone()),
        None => ctx.wall().seconds_text().into(),
    };
    condition.set("lastTransitionTime", time);
    let fields = [
        "status",
        "reason",
        "message",
        "observedGeneration",
        "lastTransitionTime",
    ];
    if !old.is_null() && fields.iter().all(|f| old.get(f) == condition.get(f)) {
        return None;
    }
    let mut wanted = pod.clone();
    crate::apiserver::special::set_condition(&mut wanted, condition);
    Some(wanted)
}

/// The text of a failed request, as the client library puts it.
fn failure_text(failure: &Failure, pod: &PodInfo) -> String {
    const SERVER: &str = "10.0.0.10:6443";
    let Key { namespace, name } = &pod.key;
    let url = format!("https://{SERVER}/api/v1/namespaces/{namespace}/pods/{name}/binding");
    match failure {
        Failure::Status(status) => status.message.to_string(),
        Failure::ConnectionRefused => {
            format!("Post \"{url}\": dial tcp {SERVER}: connect: connection refused")
        }
        Failure::Timeout => format!("Post \"{url}\": context deadline exceeded"),
    }
}

/// A note of at most 1024 bytes.
fn truncated(message: &str) -> String {
    const SUFFIX: &str = " ...";
    if message.len() <= MAX_NOTE {
        return message.to_string();
    }
    let mut end = MAX_NOTE - SUFFIX.len();
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    [message.get(..end).unwrap_or(""), SUFFIX].concat()
}
