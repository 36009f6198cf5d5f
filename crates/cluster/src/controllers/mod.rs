//! kube-controller-manager: shared caches, and controllers that compare what is with what should be.
//!
//! A controller is one file: which kinds wake it, how an event becomes a key, how a key is reconciled.
//! The harness here does what is common: queue, workers, back-off, requests and their answers.

pub mod cronjob;
pub mod daemonset;
pub mod deployment;
pub mod disruption;
pub mod endpointslice;
pub mod garbage_collector;
pub mod horizontal_pod_autoscaler;
pub mod job;
pub mod meta;
pub mod namespace;
pub mod node_lifecycle;
pub mod persistent_volume;
pub mod pod_control;
pub mod pod_garbage_collector;
pub mod replicaset;
pub mod revisions;
pub mod service_account;
pub mod statefulset;
pub mod taint_eviction;
#[cfg(test)]
mod tests;
pub mod tokens;

use crate::bootstrap;
use crate::client::informer::{CacheEvent, Caches};
use crate::client::workqueue::WorkQueue;
use crate::component::{ComponentId, ControllerId};
use crate::config::delay;
use crate::entry::Timer;
use crate::sim::{Ctx, Sim};
use crate::trace::{Note, RequestId, TraceId};
use podscope_api::{Key, Kind, Request, Response};
use podscope_kernel::collections::BTreeMap;
use podscope_kernel::{EntryId, SimDuration, SimTime};
use std::fmt::Debug;
use std::hash::{Hash, Hasher};

crate::codes! {
    /// A controller takes a key from its work queue and compares.
    RECONCILE = "controller.reconcile";
    /// A reconciliation failed and will be tried again after a back-off.
    RETRY = "controller.retry";
    /// A reconciliation failed too often; the key is left alone until its next event.
    DROPPED = "controller.dropped";
}

const WAKE: &str = "controller.wake";
const AGAIN: &str = "controller.again";

/// What a reconciliation does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing is left to do for now.
    Done,
    /// Send these requests at once; go on with `stage` when all are answered.
    Call {
        /// The requests.
        requests: Vec<Request>,
        /// What `reconcile` is called with afterwards.
        stage: u8,
    },
    /// It failed: try again after the key's back-off. The words are for the log.
    Retry(String),
    /// Look again after a while; replaces what was asked for before for this key.
    After(SimDuration),
}

/// Where a reconciliation stands.
pub struct Resume<'a, S> {
    /// 0 at the start, else what [`Next::Call`] said.
    pub stage: u8,
    /// The answers to the requests of [`Next::Call`], in their order.
    pub answers: &'a [Response],
    /// What the reconciliation remembers from stage to stage; fresh at the start.
    pub sync: &'a mut S,
}

/// What is special about a controller.
pub trait Controller {
    /// Who it is.
    const ID: ControllerId;
    /// How many keys it works on at a time.
    const WORKERS: usize;
    /// After how many failures in a row a key is dropped until its next event.
    const MAX_RETRIES: u32 = u32::MAX;
    /// First delay of a key's back-off; it doubles with each failure in a row.
    const BASE_DELAY: SimDuration = SimDuration::millis(5);
    /// The code of the deadline that [`Next::After`] sets.
    const DEADLINE: &'static str = AGAIN;
    /// What one reconciliation remembers while it waits for answers.
    type Sync: Clone + Debug + Default + PartialEq + Eq + Hash;
    /// Called once when the process starts (and its caches are filled).
    fn start(&mut self, _caches: &Caches, _work: &mut Work<'_>, _ctx: &mut Ctx<'_>) {}
    /// A change in a cache: adds the keys that it concerns.
    fn event(
        &mut self,
        event: &CacheEvent,
        caches: &Caches,
        work: &mut Work<'_>,
        ctx: &mut Ctx<'_>,
    );
    /// Compares what is with what should be, for one key.
    fn reconcile(
        &mut self,
        key: &Key,
        resume: Resume<'_, Self::Sync>,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) -> Next;
    /// A timer of the controller's own.
    #[inline(never)]
    fn timer(
        &mut self,
        _timer: &Timer,
        _caches: &Caches,
        _work: &mut Work<'_>,
        _ctx: &mut Ctx<'_>,
    ) {
    }
    /// An answer to a request that the controller sent outside of a reconciliation.
    #[inline(never)]
    fn response(
        &mut self,
        _id: RequestId,
        _answer: &Response,
        _caches: &Caches,
        _work: &mut Work<'_>,
        _ctx: &mut Ctx<'_>,
    ) {
    }
}

/// Lets event handlers put keys into the work queue.
pub struct Work<'a> {
    queue: &'a mut WorkQueue,
    later: Vec<(SimDuration, Key)>,
    cause: Option<TraceId>,
}

impl Work<'_> {
    /// Adds a key because of `cause`; without one, because of what is being handled.
    pub fn add(&mut self, key: Key, cause: Option<TraceId>) {
        self.queue.add(key, cause.or(self.cause));
    }
    /// Adds a key after a while.
    pub fn add_after(&mut self, key: Key, after: SimDuration) {
        self.later.push((after, key));
    }
}

/// What a controller's kind says about its queue.
#[derive(Clone, Copy)]
struct Rules {
    id: ControllerId,
    workers: usize,
    max_retries: u32,
    base_delay: SimDuration,
    deadline: &'static str,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Running {
    stage: u8,
    waiting: BTreeMap<RequestId, usize>,
    answers: Vec<Option<Response>>,
}

/// Whether a reconciliation goes on.
#[derive(PartialEq)]
enum Step {
    /// Now, with its next stage.
    Again,
    /// When its answers are there.
    Later,
    /// It has ended.
    Ended,
}

/// The part of a controller that is the same for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Core {
    queue: WorkQueue,
    running: BTreeMap<Key, Running>,
    requests: BTreeMap<RequestId, Key>,
    deadlines: BTreeMap<Key, EntryId>,
    wake_set: bool,
}

impl Core {
    /// Sets a worker on its way when there is work and a worker is free.
    fn wake(&mut self, rules: Rules, ctx: &mut Ctx<'_>) {
        if self.wake_set || self.queue.is_empty() || self.running.len() >= rules.workers {
            return;
        }
        self.wake_set = true;
        let wait = ctx.jitter("worker", delay::WORKER);
        ctx.set_timer(wait, Timer::internal(WAKE));
    }

    /// Gives the next key to a worker, if one is free.
    #[inline(never)]
    fn take(&mut self, rules: Rules, ctx: &mut Ctx<'_>) -> Option<Key> {
        if self.running.len() >= rules.workers {
            return None;
        }
        let (key, cause) = self.queue.take()?;
        ctx.set_cause(cause);
        let note = Note::new(RECONCILE)
            .arg("key", key.to_string())
            .arg("controller", rules.id.name());
        ctx.trace(note);
        self.running.insert(key.clone(), Running::default());
        Some(key)
    }

    /// The reconciliation that an answer belongs to, when it was its last one; `Err` when it belongs to none.
    fn answered(&mut self, id: RequestId, response: &Response) -> Result<Option<Key>, ()> {
        let key = self.requests.remove(&id).ok_or(())?;
        let Some(running) = self.running.get_mut(&key) else {
            return Ok(None);
        };
        if let Some(place) = running
            .waiting
            .remove(&id)
            .and_then(|i| running.answers.get_mut(i))
        {
            *place = Some(response.clone());
        }
        Ok(running.waiting.is_empty().then_some(key))
    }

    /// The stage of a reconciliation, and the answers that it waited for.
    fn resumed(&mut self, key: &Key) -> Option<(u8, Vec<Response>)> {
        let running = self.running.get_mut(key)?;
        let answers = running.answers.drain(..).flatten().collect();
        Some((running.stage, answers))
    }

    /// Does what a reconciliation asks for.
    fn follow(&mut self, key: &Key, next: Next, rules: Rules, ctx: &mut Ctx<'_>) -> Step {
        match next {
            Next::Call { requests, stage } => {
                let Some(running) = self.running.get_mut(key) else {
                    return Step::Ended;
                };
                running.stage = stage;
                if requests.is_empty() {
                    // Nothing to send: go on at once.
                    return Step::Again;
                }
                running.answers = vec![None; requests.len()];
                for (i, request) in requests.into_iter().enumerate() {
                    let id = ctx.request(request);
                    running.waiting.insert(id, i);
                    self.requests.insert(id, key.clone());
                }
                return Step::Later;
            }
            Next::Done => {
                self.queue.forget(key);
                self.set_deadline(key, None, rules, ctx);
            }
            Next::After(wait) => {
                self.queue.forget(key);
                self.set_deadline(key, Some(wait), rules, ctx);
            }
            Next::Retry(why) if self.queue.failures(key) >= rules.max_retries => {
                let note = Note::new(DROPPED)
                    .arg("key", key.to_string())
                    .arg("error", why);
                ctx.trace(note);
                self.queue.forget(key);
            }
            Next::Retry(why) => {
                let wait = self.queue.back_off_from(key, rules.base_delay);
                let note = Note::new(RETRY)
                    .arg("key", key.to_string())
                    .arg("error", why)
                    .arg(
                        "wait_ms",
                        i64::try_from(wait.as_millis()).unwrap_or(i64::MAX),
                    );
                ctx.trace(note);
                ctx.set_timer(wait, Timer::keyed(AGAIN, key.clone()));
            }
        }
        self.running.remove(key);
        self.queue.done(key);
        self.wake(rules, ctx);
        Step::Ended
    }

    /// Sets when to look at a key again, in place of what was set before.
    fn set_deadline(
        &mut self,
        key: &Key,
        wait: Option<SimDuration>,
        rules: Rules,
        ctx: &mut Ctx<'_>,
    ) {
        if let Some(old) = self.deadlines.remove(key) {
            ctx.cancel(old);
        }
        if let Some(wait) = wait {
            let timer = if rules.deadline == AGAIN || bootstrap::is_loop(rules.deadline) {
                Timer::keyed(rules.deadline, key.clone())
            } else {
                Timer::deadline(rules.deadline, key.clone())
            };
            let id = ctx.set_timer(wait, timer);
            self.deadlines.insert(key.clone(), id);
        }
    }

    fn keys_later(&mut self, later: Vec<(SimDuration, Key)>, rules: Rules, ctx: &mut Ctx<'_>) {
        for (after, key) in later {
            ctx.set_timer(after, Timer::keyed(AGAIN, key));
        }
        self.wake(rules, ctx);
    }
}

/// A controller with its queue and the reconciliations in progress.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loop<C: Controller> {
    /// What is special about it.
    pub controller: C,
    core: Core,
    /// What the reconciliations that wait for answers remember.
    syncs: Vec<(Key, C::Sync)>,
}

impl<C: Controller + Hash> Hash for Loop<C> {
    /// In whatever order reconciliations began to wait.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let core = &self.core;
        (&self.controller, &core.queue).hash(state);
        state.write_u64(core.running.len() as u64);
        for (key, running) in &core.running {
            (key, running.stage).hash(state);
            match self.syncs.iter().find(|(k, _)| k == key) {
                Some((_, sync)) => sync.hash(state),
                None => C::Sync::default().hash(state),
            }
            (&running.waiting, &running.answers).hash(state);
        }
        (&core.requests, &core.deadlines, core.wake_set).hash(state);
    }
}

impl<C: Controller> Loop<C> {
    const RULES: Rules = Rules {
        id: C::ID,
        workers: C::WORKERS,
        max_retries: C::MAX_RETRIES,
        base_delay: C::BASE_DELAY,
        deadline: C::DEADLINE,
    };

    /// A controller that has not started.
    pub fn new(controller: C) -> Self {
        Loop {
            controller,
            core: Core::default(),
            syncs: Vec::new(),
        }
    }
    /// The work queue.
    pub fn queue(&self) -> &WorkQueue {
        &self.core.queue
    }

    fn with_work(
        &mut self,
        ctx: &mut Ctx<'_>,
        handle: impl FnOnce(&mut C, &mut Work<'_>, &mut Ctx<'_>),
    ) {
        let mut work = Work {
            queue: &mut self.core.queue,
            later: Vec::new(),
            cause: ctx.cause(),
        };
        handle(&mut self.controller, &mut work, ctx);
        let later = work.later;
        self.core.keys_later(later, Self::RULES, ctx);
    }

    /// The process has started.
    pub fn start(&mut self, caches: &Caches, ctx: &mut Ctx<'_>) {
        self.with_work(ctx, |c, work, ctx| c.start(caches, work, ctx));
    }
    /// A change in a cache.
    pub fn event(&mut self, event: &CacheEvent, caches: &Caches, ctx: &mut Ctx<'_>) {
        self.with_work(ctx, |c, work, ctx| c.event(event, caches, work, ctx));
    }
    /// A timer of this controller.
    #[inline(never)]
    pub fn timer(&mut self, timer: &Timer, caches: &Caches, ctx: &mut Ctx<'_>) {
        match timer.code {
            WAKE => {
                self.core.wake_set = false;
                while let Some(key) = self.core.take(Self::RULES, ctx) {
                    self.go_on(key, caches, ctx);
                }
            }
            code if code == AGAIN || code == C::DEADLINE => {
                let cause = ctx.cause();
                self.core.queue.add(timer.key.clone(), cause);
                self.core.wake(Self::RULES, ctx);
            }
            _ => self.with_work(ctx, |c, work, ctx| c.timer(timer, caches, work, ctx)),
        }
    }
    /// An answer to a request of this controller.
    #[inline(never)]
    pub fn response(
        &mut self,
        id: RequestId,
        response: &Response,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        match self.core.answered(id, response) {
            Ok(Some(key)) => self.go_on(key, caches, ctx),
            Ok(None) => {}
            Err(()) => self.with_work(ctx, |c, work, ctx| {
                c.response(id, response, caches, work, ctx)
            }),
        }
    }

    fn go_on(&mut self, key: Key, caches: &Caches, ctx: &mut Ctx<'_>) {
        let at = self.syncs.iter().position(|(k, _)| *k == key);
        let mut sync = match at {
            Some(at) => self.syncs.swap_remove(at).1,
            None => C::Sync::default(),
        };
        while let Some((stage, answers)) = self.core.resumed(&key) {
            let resume = Resume {
                stage,
                answers: &answers,
                sync: &mut sync,
            };
            let next = self.controller.reconcile(&key, resume, caches, ctx);
            match self.core.follow(&key, next, Self::RULES, ctx) {
                Step::Again => {}
                Step::Later => {
                    self.syncs.push((key, sync));
                    return;
                }
                Step::Ended => return,
            }
        }
    }
}

macro_rules! registry {
    ($(#[$doc:meta])* $set:ident: $($field:ident: $controller:ty;)*) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
        pub struct $set {
            $(#[doc = "The controller of this name."] pub $field: Loop<$controller>,)*
        }

        #[allow(unused_variables, clippy::match_single_binding, reason = "the registry may be short")]
        impl $set {
            /// The process has started and its caches are filled.
            pub(crate) fn start(&mut self, sim: &mut Sim, caches: &Caches, cause: Option<TraceId>) {
                $(self.$field.start(caches, &mut sim.ctx(ComponentId::Controller(<$controller>::ID), cause));)*
            }
            /// A change in a cache.
            pub(crate) fn event(&mut self, sim: &mut Sim, caches: &Caches, event: &CacheEvent) {
                $(self.$field.event(event, caches, &mut sim.ctx(ComponentId::Controller(<$controller>::ID), event.cause));)*
            }
            /// A timer.
            #[inline(never)]
            pub(crate) fn timer(&mut self, id: ControllerId, timer: &Timer, caches: &Caches, ctx: &mut Ctx<'_>) {
                match id {
                    $(<$controller>::ID => self.$field.timer(timer, caches, ctx),)*
                    _ => {}
                }
            }
            /// An answer.
            #[inline(never)]
            pub(crate) fn response(&mut self, id: ControllerId, request: RequestId, answer: &Response, caches: &Caches, ctx: &mut Ctx<'_>) {
                match id {
                    $(<$controller>::ID => self.$field.response(request, answer, caches, ctx),)*
                    _ => {}
                }
            }
            /// Whether it has this controller.
            pub fn has(id: ControllerId) -> bool {
                match id {
                    $(<$controller>::ID => true,)*
                    _ => false,
                }
            }
            /// A controller's work queue.
            pub fn queue(&self, id: ControllerId) -> Option<&WorkQueue> {
                match id {
                    $(<$controller>::ID => Some(self.$field.queue()),)*
                    _ => None,
                }
            }
            /// Each controller with the number of keys that wait and that are in hand.
            pub fn queues(&self) -> Vec<(ControllerId, usize, usize)> {
                vec![$((<$controller>::ID, self.$field.queue().len(), self.$field.queue().in_progress()),)*]
            }
        }
    };
}

registry! {
    /// The controllers that every cluster needs.
    Always:
    deployment: deployment::DeploymentController;
    replicaset: replicaset::ReplicaSetController;
    endpointslice: endpointslice::EndpointSliceController;
    node_lifecycle: node_lifecycle::NodeLifecycleController;
    taint_eviction: taint_eviction::TaintEvictionController;
    pod_garbage_collector: pod_garbage_collector::PodGarbageCollector;
    garbage_collector: garbage_collector::GarbageCollector;
    service_account: service_account::ServiceAccountController;
    root_ca: service_account::RootCaPublisher;
    namespace: namespace::NamespaceController;
}

registry! {
    /// The controllers of kinds that few clusters have objects of.
    OnDemand:
    daemonset: daemonset::DaemonSetController;
    statefulset: statefulset::StatefulSetController;
    job: job::JobController;
    ttl_after_finished: job::ttl::TtlAfterFinished;
    persistent_volume: persistent_volume::PersistentVolumeBinder;
    provisioner: persistent_volume::provisioner::Provisioner;
    claim_protection: persistent_volume::protection::ClaimProtection;
    volume_protection: persistent_volume::protection::VolumeProtection;
    ephemeral_volumes: persistent_volume::ephemeral::EphemeralVolumes;
    cronjob: cronjob::CronJobController;
    disruption: disruption::DisruptionController;
    tokens: tokens::TokensController;
    autoscaler: horizontal_pod_autoscaler::HorizontalPodAutoscalerController;
}

/// The kinds whose first object wakes the controllers of [`OnDemand`].
const ON_DEMAND: &[Kind] = &[
    Kind::DaemonSet,
    Kind::StatefulSet,
    Kind::Job,
    Kind::CronJob,
    Kind::HorizontalPodAutoscaler,
    Kind::PodDisruptionBudget,
    Kind::PersistentVolumeClaim,
    Kind::PersistentVolume,
    Kind::Secret,
];

/// The controllers of the process; they share its caches.
///
/// Those of [`OnDemand`] do not exist before there is an object for them: they would do nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ControllerManager {
    always: Always,
    on_demand: Option<Box<OnDemand>>,
}

impl ControllerManager {
    /// The process has started and its caches are filled.
    pub(crate) fn start(&mut self, sim: &mut Sim, caches: &Caches, cause: Option<TraceId>) {
        self.always.start(sim, caches, cause);
        let any = ON_DEMAND.iter().any(|k| caches.list(*k).next().is_some());
        if any || sim.now > SimTime::ZERO {
            self.on_demand(sim, caches, cause);
        }
    }
    #[inline(never)]
    fn on_demand(&mut self, sim: &mut Sim, caches: &Caches, cause: Option<TraceId>) {
        let mut controllers: Box<OnDemand> = Box::default();
        controllers.start(sim, caches, cause);
        self.on_demand = Some(controllers);
    }
    /// A change in a cache.
    pub(crate) fn event(&mut self, sim: &mut Sim, caches: &Caches, event: &CacheEvent) {
        self.always.event(sim, caches, event);
        let wakes = ON_DEMAND.contains(&event.kind) || persistent_volume::concerns(event);
        if wakes || self.on_demand.is_some() {
            self.event_on_demand(sim, caches, event);
        }
    }
    #[inline(never)]
    fn event_on_demand(&mut self, sim: &mut Sim, caches: &Caches, event: &CacheEvent) {
        let controllers = self.on_demand.get_or_insert_with(Box::default);
        controllers.event(sim, caches, event);
    }
    /// A timer.
    pub(crate) fn timer(
        &mut self,
        id: ControllerId,
        timer: &Timer,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        match &mut self.on_demand {
            Some(controllers) if OnDemand::has(id) => controllers.timer(id, timer, caches, ctx),
            _ => self.always.timer(id, timer, caches, ctx),
        }
    }
    /// An answer.
    pub(crate) fn response(
        &mut self,
        id: ControllerId,
        request: RequestId,
        answer: &Response,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        match &mut self.on_demand {
            Some(controllers) if OnDemand::has(id) => {
                controllers.response(id, request, answer, caches, ctx);
            }
            _ => self.always.response(id, request, answer, caches, ctx),
        }
    }
    /// A controller's work queue; `None` while the controller is not needed.
    pub fn queue(&self, id: ControllerId) -> Option<&WorkQueue> {
        match &self.on_demand {
            Some(controllers) if OnDemand::has(id) => controllers.queue(id),
            _ => self.always.queue(id),
        }
    }
    /// Each controller with the number of keys that wait and that are in hand.
    pub fn queues(&self) -> Vec<(ControllerId, usize, usize)> {
        let mut queues = self.always.queues();
        if let Some(controllers) = &self.on_demand {
            queues.extend(controllers.queues());
        }
        queues
    }
}

/// The kinds that the controller manager keeps caches of.
pub const WATCHED: &[Kind] = &[
    Kind::Deployment,
    Kind::ReplicaSet,
    Kind::Pod,
    Kind::Node,
    Kind::Service,
    Kind::EndpointSlice,
    Kind::Namespace,
    Kind::ServiceAccount,
    Kind::Lease,
    Kind::ConfigMap,
    Kind::Secret,
    Kind::PersistentVolumeClaim,
    Kind::PersistentVolume,
    Kind::StorageClass,
    Kind::PodDisruptionBudget,
    Kind::DaemonSet,
    Kind::StatefulSet,
    Kind::Job,
    Kind::ControllerRevision,
    Kind::CronJob,
    Kind::HorizontalPodAutoscaler,
];
