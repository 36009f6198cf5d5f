//! The status manager: sends each Pod's status when it has changed, and deletes what has ended.
//!
//! Models: pkg/kubelet/status/status_manager.go (v1.36)

use super::status::{self, Context};
use super::worker::{Mode, Worker};
use super::{Kubelet, REPORT_TIMER, Sent, is_not_found};
use crate::entry::Timer;
use crate::node::runtime::node_ip;
use crate::sim::Ctx;
use podscope_api::{Failure, Key, Kind, PatchType, Request, Response, Text, Value, patch, value};
use podscope_kernel::SimDuration;

/// After this long a status that could not be sent is tried again.
const RETRY: SimDuration = SimDuration::secs(10);

/// What is to be told of one Pod.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Report {
    uid: Text,
    status: Value,
    /// Whether a newer status waits to be sent.
    dirty: bool,
    /// Whether a request is under way.
    busy: bool,
    /// Whether nothing of the Pod is left on the machine.
    finished: bool,
    /// The server has been asked to delete the object, and did what it could.
    asked: bool,
}

impl Report {
    /// The status as the kubelet would have it.
    pub fn status(&self) -> &Value {
        &self.status
    }
    /// Whether the API has been told.
    pub fn told(&self) -> bool {
        !self.dirty && !self.busy
    }
}

impl Kubelet {
    /// What is to be told of each Pod.
    pub fn reports(&self) -> impl Iterator<Item = (&Key, &Report)> {
        self.reports.iter()
    }

    /// Computes a Pod's status and sends it when it has changed; gives the phase.
    pub(super) fn report_status(&mut self, worker: &Worker, ctx: &mut Ctx<'_>) -> &'static str {
        let host_ip = self
            .heartbeat
            .address()
            .map_or_else(|| node_ip(self.id), |ip| ip.to_string());
        let context = Context {
            host_ip: &host_ip,
            epoch_micros: ctx.sim.config.epoch_micros,
            ended: worker.mode == Mode::Terminated,
        };
        let (phase, status) = status::status(worker, &context);
        self.set_report(worker, status, ctx);
        phase
    }

    /// Tells at once that the sandbox is ready, without anything else that is new.
    pub(super) fn report_sandbox_ready(&mut self, worker: &Worker, ctx: &mut Ctx<'_>) {
        let key = worker.pod.key();
        let Some(report) = self.reports.get(&key) else {
            return;
        };
        let mut status = report.status.clone();
        for condition in status.entry("conditions").list_mut() {
            if condition.get("type").as_str() == Some("PodReadyToStartContainers") {
                condition.set("status", "True");
            }
        }
        self.set_report(worker, status, ctx);
    }

    fn set_report(&mut self, worker: &Worker, mut status: Value, ctx: &mut Ctx<'_>) {
        if worker.gone {
            return;
        }
        let key = worker.pod.key();
        let uid = worker.pod.uid();
        let known = self.reports.get(&key).filter(|r| &*r.uid == uid);
        let before = match known {
            Some(report) => &report.status,
            None => worker.pod.status(),
        };
        status::stamp(&mut status, before, ctx.wall());
        if known.is_some_and(|r| r.status == status) {
            return;
        }
        let busy = known.is_some_and(|r| r.busy);
        let report = Report {
            uid: uid.into(),
            status,
            dirty: true,
            busy,
            finished: false,
            asked: false,
        };
        self.reports.insert(key.clone(), report);
        self.send_report(&key, ctx);
    }

    /// Looks whether the API still says what the kubelet has told.
    pub(super) fn reconcile(&mut self, key: &Key, ctx: &mut Ctx<'_>) {
        let (Some(worker), Some(report)) = (self.pods.get(key), self.reports.get_mut(key)) else {
            return;
        };
        if report.busy || report.dirty {
            return;
        }
        let live = worker.pod.status();
        if status::merged(live, &report.status) != *live {
            // Somebody else wrote into the kubelet's part of the status.
            report.dirty = true;
            ctx.set_timer(RETRY, Timer::keyed(REPORT_TIMER, key.clone()));
        }
    }

    /// Begins to send what has not been sent.
    pub(super) fn send_report(&mut self, key: &Key, ctx: &mut Ctx<'_>) {
        let Some(report) = self.reports.get_mut(key) else {
            return;
        };
        if report.busy || (!report.dirty && !report.finished) {
            return;
        }
        report.busy = true;
        let cause = ctx.cause();
        let request = Request::get(Kind::Pod, key.namespace.clone(), key.name.clone());
        let id = ctx.request(request);
        self.sent.insert(id, Sent::Read(key.clone()));
        ctx.set_cause(cause);
    }

    /// The live Pod has arrived: the difference is sent.
    pub(super) fn report_read(&mut self, key: &Key, response: &Response, ctx: &mut Ctx<'_>) {
        let Some(report) = self.reports.get_mut(key) else {
            return;
        };
        report.busy = false;
        let live = match response {
            Ok(answer) => &answer.object,
            Err(_) if is_not_found(response) => {
                report.dirty = false;
                return;
            }
            Err(_) => {
                ctx.set_timer(RETRY, Timer::keyed(REPORT_TIMER, key.clone()));
                return;
            }
        };
        if live.uid() != &*report.uid {
            self.reports.remove(key);
            return;
        }
        if report.dirty {
            let wanted = status::merged(live.status(), &report.status);
            let old = value!({"metadata": {}, "status": (live.status().clone())});
            let new = value!({"metadata": {"uid": (report.uid.clone())}, "status": (wanted)});
            let patch = patch::two_way_strategic("Pod", &old, &new);
            report.dirty = false;
            if !patch.get("status").is_null() {
                report.busy = true;
                let request = Request::patch(
                    Kind::Pod,
                    key.namespace.clone(),
                    key.name.clone(),
                    "status",
                    PatchType::Strategic,
                    patch,
                );
                let id = ctx.request(request);
                self.sent.insert(id, Sent::Status(key.clone()));
                return;
            }
        }
        if report.finished && live.is_being_deleted() {
            report.busy = true;
            let mut request = Request::delete(Kind::Pod, key.namespace.clone(), key.name.clone());
            request.options.grace_period_seconds = Some(0);
            request.options.precondition_uid = report.uid.clone();
            let id = ctx.request(request);
            self.sent.insert(id, Sent::Delete(key.clone()));
        }
    }

    /// A status has been sent, or not.
    pub(super) fn report_sent(&mut self, key: &Key, response: &Response, ctx: &mut Ctx<'_>) {
        let Some(report) = self.reports.get_mut(key) else {
            return;
        };
        report.busy = false;
        match response {
            Ok(_) => {
                let deleted = self.pods.get(key).is_some_and(|w| w.pod.is_being_deleted());
                if report.dirty || (report.finished && deleted) {
                    self.send_report(key, ctx);
                }
            }
            Err(_) if is_not_found(response) => report.dirty = false,
            Err(failure) => {
                report.dirty = true;
                // A refusal that will not change is not repeated at once.
                let wait = match failure {
                    Failure::Status(status) if status.code == 409 => SimDuration::millis(100),
                    _ => RETRY,
                };
                ctx.set_timer(wait, Timer::keyed(REPORT_TIMER, key.clone()));
            }
        }
    }

    /// The deletion has been answered.
    pub(super) fn report_deleted(&mut self, key: &Key, response: &Response, ctx: &mut Ctx<'_>) {
        let Some(report) = self.reports.get_mut(key) else {
            return;
        };
        report.busy = false;
        if response.is_err() && !is_not_found(response) {
            ctx.set_timer(RETRY, Timer::keyed(REPORT_TIMER, key.clone()));
        } else {
            report.finished = false;
            report.asked = true;
        }
    }

    /// Nothing of the Pod is left: when it is to be deleted, its object goes.
    pub(super) fn finish_report(&mut self, key: &Key, ctx: &mut Ctx<'_>) {
        let Some(worker) = self.pods.get(key).filter(|w| !w.gone) else {
            return;
        };
        let uid: Text = worker.pod.uid().into();
        let status = worker.pod.status().clone();
        let deleted = worker.pod.is_being_deleted();
        let report = self.reports.entry(key.clone()).or_insert_with(|| Report {
            uid,
            status,
            dirty: false,
            busy: false,
            finished: false,
            asked: false,
        });
        // A finalizer may hold the object; the kubelet asks once.
        report.finished = !report.asked;
        if deleted {
            self.send_report(key, ctx);
        }
    }
}
