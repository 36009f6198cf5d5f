//! A Pod's worker: what it knows of the Pod, and the one thing it does at a time.
//!
//! Models: pkg/kubelet/pod_workers.go, pkg/kubelet/kuberuntime/kuberuntime_manager.go (v1.36)

use super::probes::{Probe, ProbeKind};
use super::{BACK_OFF, CALL, CGROUP, IMAGE_PRESENT, Kubelet, RESTART_TIMER, RETRY_TIMER, images};
use crate::client::informer::Caches;
use crate::component::ComponentId;
use crate::entry::Timer;
use crate::node::backoff::{BackOff, CRASH};
use crate::node::cgroup;
use crate::node::phase::restarts;
use crate::node::resources::{is_sidecar, qos_of};
use crate::node::runtime::{Container, ContainerState, Runtime, Sandbox};
use crate::node::{Call, Cri, Local};
use crate::sim::Ctx;
use crate::trace::{Data, Note};
use podscope_api::{Key, Kind, Object, Text, Timestamp, Value};
use podscope_kernel::collections::BTreeMap;
use podscope_kernel::{SimDuration, SimTime};
use std::collections::VecDeque;
use std::rc::Rc;

/// Where a Pod is in its life on the machine; it never goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// Containers are started and kept running.
    Syncing,
    /// Containers are being stopped.
    Terminating,
    /// Nothing runs any more.
    Terminated,
}

/// The one thing that a worker is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Doing {
    /// It waits for something to change.
    Nothing,
    /// It waits for volumes.
    Volumes,
    /// The sandbox is being made.
    Sandbox,
    /// The old sandbox is being stopped before a new one is made.
    OldSandbox,
    /// The image of this container is being pulled, or waits for its turn.
    Image(u8),
    /// This container is being created.
    Create(u8),
    /// This container is being started.
    Start(u8),
    /// So many containers are being stopped.
    Stop(u8),
    /// The sandbox is being stopped.
    StopSandbox,
    /// Volumes and cgroup are being taken away.
    CleanUp,
}

/// What kind of container a slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Runs to its end before the next one.
    Init,
    /// An init container that keeps running.
    Sidecar,
    /// An app container.
    App,
}

/// What a worker knows of one container of its Pod.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Slot {
    /// The container's name.
    pub name: Text,
    /// Its kind.
    pub role: Role,
    /// The newest container, as last seen.
    pub seen: Option<Container>,
    /// The one before it.
    pub before: Option<Container>,
    /// Why it is not running: reason and message.
    pub waiting: Option<(Text, Text)>,
    /// The back-off of restarts.
    pub restarts: BackOff,
    /// The back-off of image pulls and when the last pull failed, with its error.
    pub pulls: Option<(BackOff, SimTime, Text)>,
    /// The probes of the running container.
    pub probes: Vec<Probe>,
    /// Whether it is to be killed and started again, because of a failed probe; the grace in seconds.
    pub kill: Option<i64>,
    /// Which probe failed.
    pub kill_reason: ProbeKind,
}

impl Slot {
    /// Whether the newest container runs.
    pub fn running(&self) -> bool {
        self.seen
            .as_ref()
            .is_some_and(|c| c.state == ContainerState::Running)
    }
    /// The newest container if it has ended.
    pub fn exited(&self) -> Option<&Container> {
        self.seen
            .as_ref()
            .filter(|c| c.state == ContainerState::Exited)
    }
}

/// A Pod's worker.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Worker {
    /// The Pod as the kubelet's cache has it.
    pub pod: Rc<Object>,
    /// What it asks for: thousandths of a core for cpu, whole units for the rest.
    pub requests: Rc<Vec<(Text, i64)>>,
    /// Where it is in its life.
    pub mode: Mode,
    /// What it is doing.
    pub doing: Doing,
    /// Its containers: init containers first.
    pub slots: Vec<Slot>,
    /// When the kubelet first saw the Pod.
    pub started: Timestamp,
    /// Why admission refused it: reason and message.
    pub rejected: Option<(Text, Text)>,
    /// Why the kubelet ends it for good: reason and message.
    pub evicted: Option<(Text, Text)>,
    /// Whether the Pod's object has left the API, or is another's.
    pub gone: bool,
    /// The Pod of the same name that waits for this one to be gone.
    pub next: Option<Rc<Object>>,
    /// The sandbox as last seen.
    pub sandbox: Option<Sandbox>,
    /// Whether the volumes are mounted.
    pub mounted: bool,
    /// Whether what the volumes come from has been asked for.
    pub asked: bool,
    /// Whether the service account token has arrived.
    pub token: bool,
    /// ConfigMaps and Secrets asked for: found (true), missing (false).
    pub sources: BTreeMap<Text, Option<bool>>,
    /// When the volumes will be looked at again after a failure, in multiples of half a second.
    pub volume_wait: SimDuration,
    /// The shortest grace period asked for, once it is terminating.
    pub grace_s: Option<i64>,
    /// Whether something changed while it was busy.
    pub again: bool,
    /// Containers still to be started in this pass.
    pub todo: VecDeque<u8>,
    /// Whether something failed in this pass, so that it is tried again.
    pub failed: bool,
    /// When its next pass is due, if one is set.
    pub wakes: Option<SimTime>,
    /// How long the last pull took, without and with its wait for a turn.
    pub pull_took: (SimDuration, SimDuration),
    cgroup: bool,
}

impl Worker {
    /// A worker for a Pod of which nothing runs yet.
    pub fn new(pod: Rc<Object>, now: Timestamp) -> Worker {
        let mut slots = Vec::new();
        let spec = pod.spec();
        let mut add = |container: &Value, role: Role| {
            slots.push(Slot {
                name: container.get("name").str_or_empty().into(),
                role,
                seen: None,
                before: None,
                waiting: None,
                restarts: BackOff::default(),
                pulls: None,
                probes: Vec::new(),
                kill: None,
                kill_reason: ProbeKind::Liveness,
            });
        };
        for container in spec.get("initContainers").items().iter().take(100) {
            let sidecar = is_sidecar(container);
            add(container, if sidecar { Role::Sidecar } else { Role::Init });
        }
        for container in spec.get("containers").items().iter().take(100) {
            add(container, Role::App);
        }
        let started = pod.at("status.startTime").as_str();
        let started = started.and_then(Timestamp::parse).unwrap_or(now);
        let requests = Rc::new(crate::node::admission::units(spec));
        Worker {
            pod,
            requests,
            mode: Mode::Syncing,
            doing: Doing::Nothing,
            slots,
            started,
            rejected: None,
            evicted: None,
            gone: false,
            next: None,
            sandbox: None,
            mounted: false,
            asked: false,
            token: false,
            sources: BTreeMap::new(),
            volume_wait: SimDuration::ZERO,
            grace_s: None,
            again: false,
            todo: VecDeque::new(),
            failed: false,
            wakes: None,
            pull_took: (SimDuration::ZERO, SimDuration::ZERO),
            cgroup: false,
        }
    }
    /// Whether the Pod uses up some of the machine.
    pub fn counts(&self) -> bool {
        self.rejected.is_none() && self.mode != Mode::Terminated
    }
    /// Takes over what the runtime has of the Pod from before the kubelet's start.
    pub fn adopt(&mut self, runtime: &Runtime) {
        if runtime
            .pod(self.pod.uid())
            .is_some_and(|r| r.sandbox.as_ref().is_some_and(|s| s.ready))
        {
            self.mounted = true;
            self.token = true;
            self.cgroup = true;
        }
        self.refresh(runtime);
    }
    /// Looks at what the runtime has of the Pod.
    pub fn refresh(&mut self, runtime: &Runtime) {
        let Some(record) = runtime.pod(self.pod.uid()) else {
            return;
        };
        self.sandbox.clone_from(&record.sandbox);
        for slot in &mut self.slots {
            let Some(newest) = record.newest(&slot.name) else {
                continue;
            };
            if slot.seen.as_ref() != Some(newest) {
                slot.seen = Some(newest.clone());
                slot.before = record.before(&slot.name, newest.attempt).cloned();
            }
        }
    }
    /// Whether a ready sandbox exists.
    pub fn has_sandbox(&self) -> bool {
        self.sandbox.as_ref().is_some_and(|s| s.ready)
    }
    /// Whether the container belongs to the present sandbox.
    fn current<'a>(&self, slot: &'a Slot) -> Option<&'a Container> {
        let id = self.sandbox.as_ref().map(|s| &s.id);
        slot.seen.as_ref().filter(|c| Some(&c.sandbox) == id)
    }
    /// The container's part of the spec.
    pub fn container(&self, slot: u8) -> &Value {
        crate::node::runtime::at_slot(self.pod.spec(), slot)
    }
    /// `spec.containers{name}` or `spec.initContainers{name}`.
    pub fn field(&self, slot: u8) -> String {
        let Some(s) = self.slots.get(usize::from(slot)) else {
            return String::new();
        };
        let list = if s.role == Role::App {
            "containers"
        } else {
            "initContainers"
        };
        format!("spec.{list}{{{}}}", s.name)
    }
    fn policy(&self) -> &str {
        self.pod
            .at("spec.restartPolicy")
            .as_str()
            .unwrap_or("Always")
    }

    /// The containers to be started now, in order, when the sandbox is ready.
    pub fn to_start(&self) -> Vec<u8> {
        let mut list = Vec::new();
        let apps_started = self
            .slots
            .iter()
            .any(|s| s.role == Role::App && self.current(s).is_some());
        for (i, slot) in self.slots.iter().enumerate() {
            let i = u8::try_from(i).unwrap_or(u8::MAX);
            let current = self.current(slot);
            let state = current.map(|c| c.state);
            match slot.role {
                Role::Sidecar => match state {
                    Some(ContainerState::Running) => {
                        if !slot.started(self.container(i)) && !apps_started {
                            return list;
                        }
                    }
                    _ => {
                        list.push(i);
                        if !apps_started {
                            return list;
                        }
                    }
                },
                Role::Init if apps_started => {}
                Role::Init => match current {
                    Some(c) if c.state == ContainerState::Exited && c.exit_code == 0 => {}
                    Some(c) if c.state == ContainerState::Exited => {
                        if restarts(self.container(i), self.policy(), i64::from(c.exit_code)) {
                            list.push(i);
                        }
                        return list;
                    }
                    Some(c) if c.state == ContainerState::Running => return list,
                    _ => {
                        list.push(i);
                        return list;
                    }
                },
                Role::App => match current {
                    Some(c) if c.state == ContainerState::Running => {}
                    Some(c) if c.state == ContainerState::Exited => {
                        if restarts(self.container(i), self.policy(), i64::from(c.exit_code)) {
                            list.push(i);
                        }
                    }
                    _ => list.push(i),
                },
            }
        }
        list
    }
    /// Whether the Pod needs a sandbox that it does not have.
    fn needs_sandbox(&self) -> bool {
        if self.has_sandbox() {
            return false;
        }
        // A Pod that is not to be started again does not get another sandbox.
        let ran = self.slots.iter().any(|s| s.seen.is_some());
        let again = self.policy() != "Never" || !ran;
        let done = |s: &Slot| {
            s.role != Role::App
                || s.exited()
                    .is_some_and(|c| c.exit_code == 0 && self.policy() == "OnFailure")
        };
        again && !self.slots.iter().all(done)
    }
}

impl Kubelet {
    /// Runs a worker until it has to wait for something.
    pub(super) fn sync(
        &mut self,
        key: &Key,
        runtime: &mut Runtime,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        let Some(mut worker) = self.pods.remove(key) else {
            return;
        };
        match worker.mode {
            _ if worker.doing != Doing::Nothing => worker.again = true,
            Mode::Syncing => self.sync_pod(&mut worker, runtime, caches, ctx),
            Mode::Terminating | Mode::Terminated => {}
        }
        self.pods.insert(key.clone(), worker);
    }

    pub(super) fn sync_pod_now(
        &mut self,
        worker: &mut Worker,
        runtime: &mut Runtime,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        self.sync_pod(worker, runtime, caches, ctx);
    }

    fn sync_pod(
        &mut self,
        worker: &mut Worker,
        runtime: &mut Runtime,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        let key = worker.pod.key();
        worker.again = false;
        worker.failed = false;
        worker.refresh(runtime);
        self.renew_probes(worker, ctx);
        let phase = self.report_status(worker, ctx);
        if worker.rejected.is_some() {
            worker.mode = Mode::Terminated;
            self.finish_if_deleted(worker, ctx);
            return;
        }
        if matches!(phase, "Succeeded" | "Failed") {
            self.begin_termination(worker, runtime, caches, ctx);
            return;
        }
        if !worker.cgroup {
            worker.cgroup = true;
            let path = cgroup::pod_path(worker.pod.uid(), qos_of(&worker.pod));
            let note = Note::new(CGROUP)
                .about(Kind::Pod, key.clone())
                .arg("path", path)
                .arg("qos", qos_of(&worker.pod).name())
                .data(Data::Json(cgroup::pod_files(worker.pod.spec()).into()));
            ctx.trace(note);
        }
        if !worker.mounted {
            self.begin_volumes(worker, ctx);
            return;
        }
        if worker.needs_sandbox() {
            self.begin_sandbox(worker, ctx);
            return;
        }
        if !worker.has_sandbox() {
            return;
        }
        if self.begin_kills(worker, ctx) {
            return;
        }
        worker.todo = worker.to_start().into();
        self.start_next(worker, runtime, caches, ctx);
    }

    /// Calls the runtime.
    #[allow(clippy::too_many_arguments, reason = "the parts of one call")]
    pub(super) fn call(
        &self,
        worker: &Worker,
        what: Cri,
        slot: u8,
        attempt: u32,
        grace_s: i64,
        after: SimDuration,
        ctx: &mut Ctx<'_>,
    ) {
        let mut note = Note::new(CALL)
            .about(Kind::Pod, worker.pod.key())
            .arg("call", what.name());
        if matches!(
            what,
            Cri::CreateContainer | Cri::StartContainer | Cri::StopContainer | Cri::PullImage
        ) {
            let container = worker.container(slot);
            note = note.arg("container", container.get("name").str_or_empty());
            if what == Cri::PullImage {
                note = note.arg("image", container.get("image").str_or_empty());
            }
        }
        let cause = ctx.cause();
        ctx.trace(note);
        let call = Call {
            what,
            pod: worker.pod.clone(),
            slot,
            attempt,
            grace_s,
        };
        let to = ComponentId::Runtime(self.id);
        ctx.local(to, after + SimDuration::micros(400), Local::Call(call));
        if what == Cri::StopContainer {
            // Several containers are stopped for the same reason.
            ctx.set_cause(cause);
        }
    }

    fn begin_sandbox(&mut self, worker: &mut Worker, ctx: &mut Ctx<'_>) {
        let attempt = worker.sandbox.as_ref().map_or(0, |s| s.attempt + 1);
        if attempt > 0 {
            let pod = worker.pod.clone();
            let message = "Pod sandbox changed, it will be killed and re-created.";
            self.event(&pod, "", "Normal", "SandboxChanged", message, ctx);
        }
        worker.doing = Doing::Sandbox;
        self.call(
            worker,
            Cri::RunPodSandbox,
            0,
            attempt,
            0,
            SimDuration::ZERO,
            ctx,
        );
    }

    /// Starts the next container of this pass, or ends the pass.
    pub(super) fn start_next(
        &mut self,
        worker: &mut Worker,
        runtime: &mut Runtime,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        while let Some(slot) = worker.todo.pop_front() {
            if self.in_back_off(worker, slot, ctx) || self.lacks_config(worker, slot, ctx) {
                continue;
            }
            match self.ensure_image(worker, slot, runtime, ctx) {
                images::Image::Present => {
                    self.begin_create(worker, slot, ctx);
                    return;
                }
                images::Image::Pulling => {
                    worker.doing = Doing::Image(slot);
                    return;
                }
                images::Image::Failed => {
                    worker.failed = true;
                    if worker
                        .slots
                        .get(usize::from(slot))
                        .is_some_and(|s| s.role != Role::App)
                    {
                        worker.todo.clear();
                    }
                }
            }
        }
        worker.doing = Doing::Nothing;
        if worker.again {
            // The relist after a pass that changed something: the next pass reports it.
            self.sync_pod(worker, runtime, caches, ctx);
        } else if worker.failed {
            let wait = SimDuration::secs(10) + ctx.jitter("kubelet", (0, 5_000_000));
            self.wake_at(worker, wait, RETRY_TIMER, ctx);
        }
    }

    /// Sets the worker's next pass, unless an earlier one is set.
    fn wake_at(
        &self,
        worker: &mut Worker,
        wait: SimDuration,
        code: &'static str,
        ctx: &mut Ctx<'_>,
    ) {
        let (now, at) = (ctx.now(), ctx.now() + wait);
        if worker.wakes.is_some_and(|w| w > now && w <= at) {
            return;
        }
        worker.wakes = Some(at);
        ctx.set_timer_at(at, Timer::deadline(code, worker.pod.key()));
    }

    fn begin_create(&mut self, worker: &mut Worker, slot: u8, ctx: &mut Ctx<'_>) {
        let Some(s) = worker.slots.get_mut(usize::from(slot)) else {
            return;
        };
        let attempt = s.seen.as_ref().map_or(0, |c| c.attempt + 1);
        worker.doing = Doing::Create(slot);
        self.call(
            worker,
            Cri::CreateContainer,
            slot,
            attempt,
            0,
            SimDuration::ZERO,
            ctx,
        );
    }

    /// True when the container ended too short a time ago to be started again.
    fn in_back_off(&mut self, worker: &mut Worker, slot: u8, ctx: &mut Ctx<'_>) -> bool {
        let now = ctx.now();
        let key = worker.pod.key();
        let uid = worker.pod.uid().to_string();
        let field = worker.field(slot);
        let Some(s) = worker.slots.get_mut(usize::from(slot)) else {
            return true;
        };
        let Some(finished) = s.exited().map(|c| c.finished) else {
            return false;
        };
        let wait = s.restarts.wait(finished, CRASH);
        let passed = now.since(finished);
        if passed >= wait {
            s.restarts.next(now, finished, CRASH);
            return false;
        }
        let left = SimDuration(wait.0 - passed.0);
        let pod_name = format!("{}_{}({uid})", key.name, key.namespace);
        let message = format!(
            "back-off {} restarting failed container={} pod={pod_name}",
            go_duration(wait),
            s.name
        );
        let name = s.name.clone();
        s.waiting = Some(("CrashLoopBackOff".into(), message.into()));
        let pod = worker.pod.clone();
        let text = format!("Back-off restarting failed container {name} in pod {pod_name}");
        self.event(&pod, &field, "Warning", "BackOff", &text, ctx);
        let note = Note::new(BACK_OFF)
            .about(Kind::Pod, key.clone())
            .arg("container", name)
            .arg("wait_s", i64::try_from(wait.as_secs()).unwrap_or(0));
        ctx.trace_aside(note);
        // The worker comes back a little late, never early.
        let late = ctx.jitter("kubelet", (0, (left.0 / 2).clamp(1, 8_000_000)));
        self.wake_at(worker, left + late, RESTART_TIMER, ctx);
        true
    }

    /// An answer of the runtime.
    pub(super) fn answer(
        &mut self,
        call: &Call,
        error: &Text,
        runtime: &mut Runtime,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        let key = call.pod.key();
        if call.what == Cri::PullImage {
            self.pull_ended(ctx);
        }
        let Some(mut worker) = self.pods.remove(&key) else {
            return;
        };
        if worker.pod.uid() == call.pod.uid() {
            self.answered(&mut worker, call, error, runtime, caches, ctx);
        }
        self.pods.insert(key.clone(), worker);
        self.remove_if_gone(&key, runtime, caches, ctx);
    }

    fn answered(
        &mut self,
        worker: &mut Worker,
        call: &Call,
        error: &Text,
        runtime: &mut Runtime,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        let slot = call.slot;
        let pod = worker.pod.clone();
        let terminating = worker.mode != Mode::Syncing;
        match (call.what, worker.doing) {
            (Cri::RunPodSandbox, Doing::Sandbox) => {
                worker.doing = Doing::Nothing;
                if !error.is_empty() {
                    let message = format!("Failed to create pod sandbox: {error}");
                    self.event(&pod, "", "Warning", "FailedCreatePodSandBox", &message, ctx);
                    let wait = SimDuration::secs(10) + ctx.jitter("kubelet", (0, 5_000_000));
                    self.wake_at(worker, wait, RETRY_TIMER, ctx);
                } else {
                    worker.refresh(runtime);
                    if !terminating {
                        worker.again = true;
                        self.report_sandbox_ready(worker, ctx);
                        worker.todo = worker.to_start().into();
                        self.start_next(worker, runtime, caches, ctx);
                    }
                }
            }
            (Cri::PullImage, Doing::Image(at)) if at == slot => {
                worker.doing = Doing::Nothing;
                if self.pulled(worker, slot, error, runtime, ctx) && !terminating {
                    self.begin_create(worker, slot, ctx);
                } else if !terminating {
                    self.start_next(worker, runtime, caches, ctx);
                }
            }
            (Cri::CreateContainer, Doing::Create(at)) if at == slot => {
                worker.doing = Doing::Nothing;
                let field = worker.field(slot);
                if !error.is_empty() {
                    let message = format!("Error: {error}");
                    self.event(&pod, &field, "Warning", "Failed", &message, ctx);
                    self.wait_reason(worker, slot, "CreateContainerError", error);
                    worker.failed = true;
                    if !terminating {
                        self.start_next(worker, runtime, caches, ctx);
                    }
                } else {
                    self.event(&pod, &field, "Normal", "Created", "Container created", ctx);
                    if !terminating {
                        worker.doing = Doing::Start(slot);
                        self.call(
                            worker,
                            Cri::StartContainer,
                            slot,
                            0,
                            0,
                            SimDuration::ZERO,
                            ctx,
                        );
                    }
                }
            }
            (Cri::StartContainer, Doing::Start(at)) if at == slot => {
                worker.doing = Doing::Nothing;
                let field = worker.field(slot);
                self.event(&pod, &field, "Normal", "Started", "Container started", ctx);
                if let Some(s) = worker.slots.get_mut(usize::from(slot)) {
                    s.waiting = None;
                    s.pulls = None;
                }
                worker.refresh(runtime);
                // What was started is looked at once the pass is over.
                worker.again = true;
                if !terminating {
                    self.start_next(worker, runtime, caches, ctx);
                }
            }
            (Cri::StopContainer, Doing::Stop(left)) => {
                worker.doing = if left > 1 {
                    Doing::Stop(left - 1)
                } else {
                    Doing::Nothing
                };
                worker.refresh(runtime);
                if worker.doing == Doing::Nothing && !terminating {
                    self.sync_pod(worker, runtime, caches, ctx);
                }
            }
            (Cri::StopPodSandbox, Doing::StopSandbox) => {
                worker.doing = Doing::Nothing;
                worker.refresh(runtime);
                self.stopped(worker, ctx);
                return;
            }
            _ => return,
        }
        if worker.mode == Mode::Terminating && worker.doing == Doing::Nothing {
            worker.refresh(runtime);
            self.go_on_terminating(worker, ctx);
        }
    }

    pub(super) fn wait_reason(&self, worker: &mut Worker, slot: u8, reason: &str, message: &str) {
        if let Some(s) = worker.slots.get_mut(usize::from(slot)) {
            s.waiting = Some((reason.into(), message.into()));
        }
    }

    /// Tells that an image need not be pulled.
    #[inline(never)]
    pub(super) fn image_present(&mut self, worker: &Worker, slot: u8, ctx: &mut Ctx<'_>) {
        let image = worker
            .container(slot)
            .get("image")
            .str_or_empty()
            .to_string();
        let field = worker.field(slot);
        let pod = worker.pod.clone();
        let note = Note::new(IMAGE_PRESENT)
            .about(Kind::Pod, pod.key())
            .arg("image", image.clone());
        ctx.trace(note);
        let message = format!(
            "Container image \"{image}\" already present on machine and can be accessed by the pod"
        );
        self.event(&pod, &field, "Normal", "Pulled", &message, ctx);
    }
}

/// A duration as Go prints it, to the millisecond: `1m20s`, `1.801s`, `345ms`.
pub fn go_duration(span: SimDuration) -> String {
    let millis = span.as_millis();
    if millis == 0 {
        return "0s".to_string();
    }
    if millis < 1000 {
        return format!("{millis}ms");
    }
    let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
    let (seconds, rest) = (millis / 1000 % 60, millis % 1000);
    let mut text = String::new();
    if hours > 0 {
        text.push_str(&format!("{hours}h"));
    }
    if hours > 0 || minutes > 0 {
        text.push_str(&format!("{minutes}m"));
    }
    text.push_str(&seconds.to_string());
    if rest > 0 {
        let digits = format!("{rest:03}");
        text.push('.');
        text.push_str(digits.trim_end_matches('0'));
    }
    text.push('s');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_go_prints_them() {
        let text = |ms| go_duration(SimDuration::millis(ms));
        assert_eq!(text(1_801), "1.801s");
        assert_eq!(text(1_800), "1.8s");
        assert_eq!(text(345), "345ms");
        assert_eq!(text(80_000), "1m20s");
        assert_eq!(text(300_000), "5m0s");
    }
}
