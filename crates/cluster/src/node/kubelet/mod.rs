//! The kubelet: makes the containers of a machine be what the Pods bound to it say, and reports what is.
//!
//! One worker per Pod does one thing after the other (volumes, sandbox, images, containers); the status
//! manager reports; probes, heartbeats and admission stand beside.
//! Models: pkg/kubelet (v1.36)

pub mod heartbeat;
pub mod images;
pub mod pressure;
pub mod probes;
pub mod report;
mod status;
mod terminate;
mod volumes;
pub mod worker;

use super::runtime::Runtime;
use super::{Input, Local, admission};
use crate::client::informer::{CacheEvent, Caches};
use crate::client::recorder::{Recorder, Regarding, Style};
use crate::config::NodeConfig;
use crate::entry::Timer;
use crate::sim::Ctx;
use crate::trace::{Note, RequestId};
use heartbeat::Heartbeat;
use images::Puller;
use podscope_api::{Failure, Key, Kind, Object, Response, Text};
use podscope_kernel::collections::BTreeMap;
use report::Report;
use std::rc::Rc;
use worker::{Mode, Worker};

crate::codes! {
    /// The kubelet's process has started.
    STARTED = "kubelet.started";
    /// The kubelet takes a Pod that was bound to its machine.
    ADMITTED = "kubelet.admitted";
    /// The kubelet refuses a Pod that was bound to its machine.
    REJECTED = "kubelet.rejected";
    /// The Pod's cgroup exists.
    CGROUP = "kubelet.cgroup";
    /// The Pod's volumes are mounted.
    VOLUMES = "kubelet.volumes";
    /// The kubelet calls the runtime.
    CALL = "cri.call";
    /// The image is on the machine already.
    IMAGE_PRESENT = "kubelet.image_present";
    /// A restart or a pull has to wait.
    BACK_OFF = "kubelet.back_off";
    /// A probe was run and its result changed, or it failed.
    PROBE = "kubelet.probe";
    /// The kubelet sees that a Pod's containers have changed.
    RELIST = "kubelet.relist";
    /// A Pod's containers are to be stopped.
    TERMINATING = "kubelet.terminating";
    /// Nothing of a Pod is left on the machine but its records.
    CLEANED_UP = "kubelet.cleaned_up";
    /// The kubelet ends a Pod to get back what has run out.
    EVICTED = "kubelet.evicted";
    /// The Node's status is reported.
    NODE_STATUS = "kubelet.node_status";
}

/// A Pod's volumes are looked at.
pub const VOLUMES_TIMER: &str = "kubelet.volumes";
/// A restart's back-off is over.
pub const RESTART_TIMER: &str = "kubelet.restart";
/// Something failed and is tried again.
pub const RETRY_TIMER: &str = "kubelet.retry";
/// A probe is due that may change a result.
pub const PROBE_TIMER: &str = "kubelet.probe";
/// A probe is due that repeats a known result.
pub const PROBE_LOOP: &str = "loop.kubelet.probe";
/// A worker goes on.
pub const WORK_TIMER: &str = "kubelet.work";
/// A status could not be sent and is tried again.
pub const REPORT_TIMER: &str = "loop.kubelet.report";

/// What a request was sent for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Sent {
    Read(Key),
    Status(Key),
    Delete(Key),
    Token(Key),
    Source(Key, Text),
    Lease,
    LeaseRead,
    NodeStatus,
}

/// The kubelet's state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Kubelet {
    id: u16,
    config: Rc<NodeConfig>,
    pods: BTreeMap<Key, Worker>,
    reports: BTreeMap<Key, Report>,
    sent: BTreeMap<RequestId, Sent>,
    recorder: Recorder,
    puller: Puller,
    heartbeat: Heartbeat,
    pressure: Option<pressure::Pressure>,
}

impl Kubelet {
    /// A kubelet that has not started yet.
    pub fn new(id: u16, config: Rc<NodeConfig>) -> Kubelet {
        Kubelet {
            id,
            recorder: Recorder::new("kubelet", config.name.clone(), Style::Core),
            config,
            pods: BTreeMap::new(),
            reports: BTreeMap::new(),
            sent: BTreeMap::new(),
            puller: Puller::default(),
            heartbeat: Heartbeat::default(),
            pressure: None,
        }
    }
    /// The workers, one for each Pod.
    pub fn workers(&self) -> impl Iterator<Item = (&Key, &Worker)> {
        self.pods.iter()
    }
    /// One Pod's worker.
    pub fn worker(&self, key: &Key) -> Option<&Worker> {
        self.pods.get(key)
    }

    /// The kubelet is woken.
    pub(crate) fn on(
        &mut self,
        input: Input<'_>,
        runtime: &mut Runtime,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        match input {
            Input::Start => self.start(runtime, caches, ctx),
            Input::Cache(event) => self.cache(event, runtime, caches, ctx),
            Input::Response(id, response) => self.response(id, response, runtime, caches, ctx),
            Input::Timer(timer) => self.timer(timer, runtime, caches, ctx),
            Input::Local(Local::Done(call, error)) => {
                self.answer(call, error, runtime, caches, ctx);
            }
            Input::Local(Local::Relist(pod)) => {
                let key = pod.key();
                if self
                    .pods
                    .get(&key)
                    .is_some_and(|w| w.pod.uid() == pod.uid())
                {
                    ctx.trace(Note::new(RELIST).about(Kind::Pod, key.clone()));
                    self.sync(&key, runtime, caches, ctx);
                }
            }
            Input::Local(_) => {}
        }
    }

    fn start(&mut self, runtime: &mut Runtime, caches: &Caches, ctx: &mut Ctx<'_>) {
        let cold = ctx.now().0 > 0;
        if cold {
            ctx.trace(Note::new(STARTED).arg("node", self.config.name.clone()));
            if !ctx.sim.faults.none() {
                self.look_at_resources(ctx);
            }
        }
        self.start_heartbeat(cold, caches, ctx);
        let cause = ctx.cause();
        let known: Vec<Rc<Object>> = caches.list(Kind::Pod).cloned().collect();
        let orphans: Vec<Rc<Object>> = runtime
            .pods()
            .filter(|(uid, _)| !known.iter().any(|p| p.uid() == &***uid))
            .map(|(_, record)| record.pod.clone())
            .collect();
        for pod in known {
            ctx.set_cause(cause);
            self.update(pod, runtime, caches, ctx);
        }
        for pod in orphans {
            ctx.set_cause(cause);
            let key = pod.key();
            if self.pods.contains_key(&key) {
                runtime.remove_pod(pod.uid());
                continue;
            }
            let mut worker = Worker::new(pod, ctx.wall());
            worker.gone = true;
            self.pods.insert(key.clone(), worker);
            self.terminate(&key, runtime, caches, ctx);
        }
    }

    fn cache(
        &mut self,
        event: &CacheEvent,
        runtime: &mut Runtime,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        match (event.kind, &event.new) {
            (Kind::Pod, Some(pod)) => self.update(pod.clone(), runtime, caches, ctx),
            (Kind::Pod, None) => {
                if let Some(old) = &event.old {
                    self.removed(old, runtime, caches, ctx);
                }
            }
            (Kind::Node, Some(node)) => self.own_node_changed(node, ctx),
            _ => {}
        }
    }

    /// A Pod was added or changed.
    fn update(
        &mut self,
        pod: Rc<Object>,
        runtime: &mut Runtime,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        let key = pod.key();
        if let Some(worker) = self.pods.get_mut(&key) {
            if worker.pod.uid() != pod.uid() {
                // The old Pod has to go before the new one of the same name may start.
                worker.next = Some(pod);
                worker.gone = true;
                self.terminate(&key, runtime, caches, ctx);
                return;
            }
            let deleted = pod.is_being_deleted();
            let spec_changed = worker.pod.generation() != pod.generation()
                || worker.pod.spec() != pod.spec()
                || worker.pod.is_being_deleted() != deleted;
            worker.pod = pod;
            if deleted {
                self.terminate(&key, runtime, caches, ctx);
            } else if spec_changed {
                self.sync(&key, runtime, caches, ctx);
            } else {
                self.reconcile(&key, ctx);
            }
            return;
        }
        self.add(pod, runtime, caches, ctx);
    }

    fn add(&mut self, pod: Rc<Object>, runtime: &mut Runtime, caches: &Caches, ctx: &mut Ctx<'_>) {
        let key = pod.key();
        let phase = pod.at("status.phase").str_or_empty();
        let terminal = matches!(phase, "Succeeded" | "Failed");
        let known = runtime.pod(pod.uid()).is_some();
        let mut worker = Worker::new(pod.clone(), ctx.wall());
        if terminal && !known {
            worker.mode = Mode::Terminated;
            self.pods.insert(key.clone(), worker);
            if pod.is_being_deleted() {
                self.finish_report(&key, ctx);
            }
            return;
        }
        if pod.is_being_deleted() {
            self.pods.insert(key.clone(), worker);
            self.terminate(&key, runtime, caches, ctx);
            return;
        }
        if !known {
            if let Some((reason, message)) = self.pressed(&pod) {
                self.refuse(worker, reason, message, runtime, caches, ctx);
                return;
            }
            let node = caches.list(Kind::Node).next();
            let others = self
                .pods
                .values()
                .filter(|w| w.counts())
                .map(|w| (&*w.pod, &**w.requests));
            if let Err((reason, message)) = admission::admit(&pod, node.map(|n| &**n), others) {
                self.refuse(worker, reason, message, runtime, caches, ctx);
                return;
            }
            let note = Note::new(ADMITTED)
                .about(Kind::Pod, key.clone())
                .arg("node", self.config.name.clone());
            ctx.trace(note);
        }
        worker.adopt(runtime);
        self.pods.insert(key.clone(), worker);
        self.sync(&key, runtime, caches, ctx);
    }

    /// The kubelet does not take a Pod: reason and message say why.
    #[inline(never)]
    fn refuse(
        &mut self,
        mut worker: Worker,
        reason: Text,
        message: Text,
        runtime: &mut Runtime,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        let pod = worker.pod.clone();
        let key = pod.key();
        let note = Note::new(REJECTED)
            .about(Kind::Pod, key.clone())
            .arg("reason", reason.clone())
            .arg("message", message.clone());
        ctx.trace(note);
        self.event(&pod, "", "Warning", &reason, &message, ctx);
        worker.rejected = Some((reason, message));
        self.pods.insert(key.clone(), worker);
        self.sync(&key, runtime, caches, ctx);
    }

    /// A Pod has left the API.
    fn removed(&mut self, pod: &Object, runtime: &mut Runtime, caches: &Caches, ctx: &mut Ctx<'_>) {
        let key = pod.key();
        let Some(worker) = self.pods.get_mut(&key).filter(|w| w.pod.uid() == pod.uid()) else {
            return;
        };
        worker.gone = true;
        self.reports.remove(&key);
        if worker.mode == Mode::Terminated {
            self.forget(&key, runtime, caches, ctx);
        } else {
            self.terminate(&key, runtime, caches, ctx);
        }
    }

    /// Nothing of the Pod is left: its records go, and a Pod that waited for the name starts.
    fn forget(&mut self, key: &Key, runtime: &mut Runtime, caches: &Caches, ctx: &mut Ctx<'_>) {
        self.reports.remove(key);
        let Some(worker) = self.pods.remove(key) else {
            return;
        };
        runtime.remove_pod(worker.pod.uid());
        if let Some(next) = worker.next {
            self.add(next, runtime, caches, ctx);
        }
    }

    fn response(
        &mut self,
        id: RequestId,
        response: &Response,
        runtime: &mut Runtime,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        let Some(sent) = self.sent.remove(&id) else {
            return;
        };
        match sent {
            Sent::Read(key) => self.report_read(&key, response, ctx),
            Sent::Status(key) => self.report_sent(&key, response, ctx),
            Sent::Delete(key) => self.report_deleted(&key, response, ctx),
            Sent::Token(key) => self.token_answered(&key, response, ctx),
            Sent::Source(key, source) => self.source_answered(&key, source, response, ctx),
            Sent::Lease | Sent::LeaseRead => self.lease_answered(&sent, response, ctx),
            Sent::NodeStatus => self.node_status_answered(response, ctx),
        }
        let _ = (runtime, caches);
    }

    fn timer(&mut self, timer: &Timer, runtime: &mut Runtime, caches: &Caches, ctx: &mut Ctx<'_>) {
        match timer.code {
            heartbeat::LEASE_LOOP => self.renew_lease(ctx),
            heartbeat::STATUS_LOOP => self.node_status_due(runtime, caches, ctx),
            pressure::EVICTION_TIMER | pressure::EVICTION_LOOP => {
                self.eviction_pass(runtime, caches, ctx);
            }
            VOLUMES_TIMER => self.look_at_volumes(&timer.key, runtime, caches, ctx),
            RESTART_TIMER | RETRY_TIMER => self.sync(&timer.key, runtime, caches, ctx),
            WORK_TIMER => self.clean_up(&timer.key, runtime, caches, ctx),
            PROBE_TIMER | PROBE_LOOP => self.probe(&timer.key, runtime, caches, ctx),
            REPORT_TIMER => self.send_report(&timer.key, ctx),
            _ => {}
        }
    }

    /// Records an Event about a Pod, or about one of its containers (`field` such as `spec.containers{c}`).
    fn event(
        &mut self,
        pod: &Object,
        field: &str,
        event_type: &str,
        reason: &str,
        message: &str,
        ctx: &mut Ctx<'_>,
    ) {
        let regarding = Regarding::object(Kind::Pod, pod).part(field);
        self.recorder
            .record(ctx, regarding, event_type, reason, "", message);
    }
}

/// Whether an answer says that the object is not there.
fn is_not_found(response: &Response) -> bool {
    matches!(response, Err(Failure::Status(status)) if status.code == 404)
}
