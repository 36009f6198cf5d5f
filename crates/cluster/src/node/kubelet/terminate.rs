//! The end of a Pod on its machine: hooks, signals, sandbox, volumes, the object itself.
//!
//! Models: pkg/kubelet/kuberuntime/kuberuntime_container.go (killContainer), pkg/kubelet/pod_workers.go (v1.36)

use super::worker::{Doing, Mode, Role, Worker};
use super::{CLEANED_UP, Kubelet, TERMINATING, WORK_TIMER};
use crate::client::informer::Caches;
use crate::entry::Timer;
use crate::node::Cri;
use crate::node::backoff::grace_seconds;
use crate::node::runtime::Runtime;
use crate::sim::Ctx;
use crate::trace::Note;
use podscope_api::{Key, Kind, Value};
use podscope_kernel::SimDuration;

/// What a container gets at least between SIGTERM and SIGKILL.
const MIN_GRACE_S: i64 = 2;

/// How long a container's preStop hook takes.
fn pre_stop(container: &Value) -> SimDuration {
    let hook = container.at("lifecycle.preStop");
    if hook.is_null() {
        return SimDuration::ZERO;
    }
    if let Some(seconds) = hook.at("sleep.seconds").as_int() {
        return SimDuration::secs(u64::try_from(seconds).unwrap_or(0));
    }
    let words = hook.at("exec.command").items().iter();
    let argv: Vec<String> = words.map(|w| w.str_or_empty().to_string()).collect();
    if argv.is_empty() {
        return SimDuration::millis(20);
    }
    let program = crate::node::runtime::program::program(&argv);
    program.runs.unwrap_or(SimDuration::secs(86_400))
}

impl Kubelet {
    /// The Pod is to be ended: because it was deleted, is another's, or its object is gone.
    pub(super) fn terminate(
        &mut self,
        key: &Key,
        runtime: &mut Runtime,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        let Some(mut worker) = self.pods.remove(key) else {
            return;
        };
        self.begin_termination(&mut worker, runtime, caches, ctx);
        self.pods.insert(key.clone(), worker);
        self.remove_if_gone(key, runtime, caches, ctx);
    }

    /// Forgets a worker that has nothing left to do and no object.
    pub(super) fn remove_if_gone(
        &mut self,
        key: &Key,
        runtime: &mut Runtime,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        let over = |w: &Worker| w.gone && w.mode == Mode::Terminated;
        if self.pods.get(key).is_some_and(over) {
            self.forget(key, runtime, caches, ctx);
        }
    }

    #[inline(never)]
    pub(super) fn begin_termination(
        &mut self,
        worker: &mut Worker,
        runtime: &mut Runtime,
        _caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        let pod = worker.pod.clone();
        let asked = pod.at("metadata.deletionGracePeriodSeconds").as_int();
        let spec = pod.at("spec.terminationGracePeriodSeconds").as_int();
        let grace = grace_seconds(spec, asked, worker.evicted.is_some().then_some(1));
        match worker.mode {
            Mode::Terminated => {
                self.finish_if_deleted(worker, ctx);
                return;
            }
            Mode::Terminating => {
                if worker.grace_s.is_some_and(|before| grace < before) {
                    worker.grace_s = Some(grace);
                    self.shorten(worker, ctx);
                }
                self.report_status(worker, ctx);
                return;
            }
            Mode::Syncing => {}
        }
        worker.mode = Mode::Terminating;
        worker.grace_s = Some(grace);
        worker.todo.clear();
        worker.refresh(runtime);
        let note = Note::new(TERMINATING)
            .about(Kind::Pod, pod.key())
            .arg("grace_s", grace);
        ctx.trace(note);
        let cause = ctx.cause();
        self.report_status(worker, ctx);
        ctx.set_cause(cause);
        match worker.doing {
            // These are given up; the others are waited for.
            Doing::Volumes | Doing::Image(_) => worker.doing = Doing::Nothing,
            Doing::Nothing => {}
            _ => return,
        }
        self.go_on_terminating(worker, ctx);
    }

    /// Stops app containers, then sidecars in reverse order, then the sandbox.
    #[inline(never)]
    pub(super) fn go_on_terminating(&mut self, worker: &mut Worker, ctx: &mut Ctx<'_>) {
        let running: Vec<u8> = (0u8..)
            .zip(&worker.slots)
            .filter(|(_, s)| s.running())
            .map(|(i, _)| i)
            .collect();
        let is_sidecar = |i: &u8| {
            let slot = worker.slots.get(usize::from(*i));
            slot.is_some_and(|s| s.role == Role::Sidecar)
        };
        let apps: Vec<u8> = running.iter().copied().filter(|i| !is_sidecar(i)).collect();
        let next = if apps.is_empty() {
            running.last().copied().into_iter().collect()
        } else {
            apps
        };
        if !next.is_empty() {
            worker.doing = Doing::Stop(u8::try_from(next.len()).unwrap_or(u8::MAX));
            let grace = worker.grace_s.unwrap_or(30);
            for slot in next {
                let name = worker.container(slot).get("name").str_or_empty();
                let message = format!("Stopping container {name}");
                self.stop_container(worker, slot, grace, &message, ctx);
            }
            return;
        }
        if worker.has_sandbox() {
            worker.doing = Doing::StopSandbox;
            self.call(worker, Cri::StopPodSandbox, 0, 0, 0, SimDuration::ZERO, ctx);
            return;
        }
        self.stopped(worker, ctx);
    }

    /// Records why, runs the preStop hook and has the runtime stop the container.
    #[inline(never)]
    pub(super) fn stop_container(
        &mut self,
        worker: &Worker,
        slot: u8,
        grace_s: i64,
        message: &str,
        ctx: &mut Ctx<'_>,
    ) {
        let cause = ctx.cause();
        let pod = worker.pod.clone();
        let field = worker.field(slot);
        self.event(&pod, &field, "Normal", "Killing", message, ctx);
        let grace = SimDuration::secs(u64::try_from(grace_s).unwrap_or(0));
        let hook = pre_stop(worker.container(slot)).min(grace);
        let used = i64::try_from(hook.as_secs()).unwrap_or(0);
        let left = (grace_s - used).max(MIN_GRACE_S);
        self.call(worker, Cri::StopContainer, slot, 0, left, hook, ctx);
        ctx.set_cause(cause);
    }

    /// A second deletion with a shorter grace period.
    fn shorten(&mut self, worker: &Worker, ctx: &mut Ctx<'_>) {
        let grace = worker.grace_s.unwrap_or(1).max(MIN_GRACE_S);
        for (i, slot) in (0u8..).zip(&worker.slots) {
            if slot.running() {
                self.call(
                    worker,
                    Cri::StopContainer,
                    i,
                    0,
                    grace,
                    SimDuration::ZERO,
                    ctx,
                );
            }
        }
    }

    /// Nothing runs any more: the last status is told, volumes and cgroup go.
    pub(super) fn stopped(&mut self, worker: &mut Worker, ctx: &mut Ctx<'_>) {
        if worker.mode != Mode::Terminating {
            return;
        }
        worker.mode = Mode::Terminated;
        worker.doing = Doing::CleanUp;
        let cause = ctx.cause();
        self.report_status(worker, ctx);
        ctx.set_cause(cause);
        let wait = ctx.jitter("kubelet", (100_000, 300_000));
        ctx.set_timer(wait, Timer::keyed(WORK_TIMER, worker.pod.key()));
    }

    /// Volumes and cgroup are gone.
    pub(super) fn clean_up(
        &mut self,
        key: &Key,
        runtime: &mut Runtime,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        let Some(worker) = self.pods.get_mut(key).filter(|w| w.doing == Doing::CleanUp) else {
            return;
        };
        worker.doing = Doing::Nothing;
        worker.mounted = false;
        ctx.trace(Note::new(CLEANED_UP).about(Kind::Pod, key.clone()));
        self.finish_report(key, ctx);
        self.remove_if_gone(key, runtime, caches, ctx);
    }

    /// A Pod of which nothing runs was deleted: its object may go.
    #[inline(never)]
    pub(super) fn finish_if_deleted(&mut self, worker: &Worker, ctx: &mut Ctx<'_>) {
        if worker.doing == Doing::CleanUp || worker.gone || !worker.pod.is_being_deleted() {
            return;
        }
        let key = worker.pod.key();
        // The worker is out of the map while it is handled.
        let before = self.pods.insert(key.clone(), worker.clone());
        self.finish_report(&key, ctx);
        match before {
            Some(before) => {
                self.pods.insert(key, before);
            }
            None => {
                self.pods.remove(&key);
            }
        }
    }
}
