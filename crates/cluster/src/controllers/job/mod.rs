//! Job: runs Pods until enough of them have succeeded, or too many have failed.
//!
//! Each Pod carries a finalizer until it is counted: first its uid is written into the status, then the
//! finalizer is taken off, then the counter goes up. So no end of a Pod is counted twice or lost.
//! Changes of Pods are gathered for a second.
//!
//! Models: pkg/controller/job (v1.36)
//! Left out: a back-off for each index of its own.

pub mod backoff;
pub mod count;
pub mod index;
pub mod orphan;
pub mod plan;
pub mod policy;
pub mod status;
pub mod ttl;

use super::meta::{self, controller_of, failure_text, selecting, selector};
use super::pod_control::{self, Batches, Claim, Written};
use super::replicaset::expectations::Expectations;
use super::{Controller, Next, Resume, Work};
use crate::client::informer::{CacheEvent, Caches};
use crate::client::recorder::{Recorder, Regarding, Style};
use crate::component::ControllerId;
use crate::entry::Timer;
use crate::sim::Ctx;
use crate::trace::{Note, joined};
pub use backoff::backoff_remaining;
use plan::{Act, Ending, Look, Record};
use podscope_api::{Key, Kind, Object, Request, Response, Text, Value};
use podscope_kernel::collections::{BTreeMap, BTreeSet};
use podscope_kernel::{SimDuration, SimTime};
use status::{suspend, write};
use std::rc::Rc;

crate::codes! {
    /// Pods are missing: a batch is created.
    CREATE = "job.create";
    /// Pods go: the Job is over, suspended, or has too many.
    DELETE = "job.delete";
    /// After failures it waits before it tries again.
    BACK_OFF = "job.back_off";
    /// Pods have ended: they are counted.
    COUNT = "job.count";
    /// The Job is over.
    FINISHED = "job.finished";
    /// The status is out of date and written.
    STATUS = "job.status";
    /// A Pod whose Job is gone loses the Job's finalizer.
    ORPHAN = "job.orphan";
}

/// Changes of Pods are gathered for this long.
const BATCH: SimDuration = SimDuration::secs(1);
/// The wait after the first failure, and the longest, in microseconds.
const BACK_OFFS: (i64, i64) = (10_000_000, 600_000_000);
/// The timer that ends the gathering.
const GATHERED: &str = "job.gathered";
const ASKED: u8 = 1;
const CLAIMED: u8 = 2;
const CREATED: u8 = 3;
const DELETED: u8 = 4;
const FLUSHED: u8 = 5;
const FREED: u8 = 6;
const WRITTEN: u8 = 7;

/// The controller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JobController {
    recorder: Recorder,
    expectations: Expectations,
    written: Written,
    records: BTreeMap<Key, Record>,
    /// When the changes gathered for a Job are looked at.
    gathering: BTreeMap<Key, SimTime>,
}

impl Default for JobController {
    fn default() -> Self {
        JobController {
            recorder: Recorder::new(ControllerId::Job.name(), "", Style::Core),
            expectations: Expectations::default(),
            written: Written::default(),
            records: BTreeMap::new(),
            gathering: BTreeMap::new(),
        }
    }
}

/// A sync in progress.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sync {
    job: Option<Rc<Object>>,
    claim: Claim,
    look: Look,
    creating: Batches,
    doomed: Vec<Rc<Object>>,
    /// The status as it will be written.
    status: Value,
    active: i64,
    managed: bool,
    flush: bool,
    ending: Option<Ending>,
    freeing: Vec<Rc<Object>>,
    told: bool,
    resumed: Option<bool>,
    failure: Option<String>,
    again: Option<SimDuration>,
}

impl Controller for JobController {
    const ID: ControllerId = ControllerId::Job;
    const WORKERS: usize = 5;
    const BASE_DELAY: SimDuration = SimDuration::secs(1);
    const DEADLINE: &'static str = "job.again";
    type Sync = Sync;

    fn start(&mut self, caches: &Caches, work: &mut Work<'_>, _ctx: &mut Ctx<'_>) {
        for job in caches.list(Kind::Job) {
            work.add(job.key(), None);
        }
    }

    fn event(
        &mut self,
        event: &CacheEvent,
        caches: &Caches,
        work: &mut Work<'_>,
        ctx: &mut Ctx<'_>,
    ) {
        let Some(object) = event.object() else { return };
        match event.kind {
            Kind::Job => {
                let key = object.key();
                if event.new.is_none() {
                    self.expectations.forget(&key);
                    self.written.forget(&key);
                    self.records.remove(&key);
                    let pods = caches.owned_by(Kind::Pod, object.uid());
                    for pod in pods.filter(|p| plan::is_tracked(p)) {
                        work.add(orphan::orphan(pod), event.cause);
                    }
                }
                let status_only = |old: &Rc<Object>| {
                    event.new.is_some() && old.generation() == object.generation()
                };
                if event.old.as_ref().is_some_and(status_only) {
                    self.gather(key, ctx);
                } else {
                    work.add(key, event.cause);
                }
            }
            Kind::Pod => self.pod(event, caches, work, ctx),
            _ => {}
        }
    }

    fn timer(&mut self, timer: &Timer, _caches: &Caches, work: &mut Work<'_>, ctx: &mut Ctx<'_>) {
        if timer.code == GATHERED {
            self.gathering.remove(&timer.key);
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
        if let Some(namespace) = key.namespace.strip_prefix(orphan::ORPHANED) {
            let pod = Key::new(namespace, key.name.clone());
            return orphan::release_orphan(stage, &pod, answers, caches, ctx);
        }
        let Some(job) = sync.job.clone() else {
            return self.begin(key, sync, caches, ctx);
        };
        match stage {
            ASKED => match pod_control::may_not_adopt(&job, answers) {
                Some(why) => Next::Retry(why),
                None => Next::Call {
                    requests: sync.claim.requests(Kind::Job, &job, Kind::Pod),
                    stage: CLAIMED,
                },
            },
            CLAIMED => match sync.claim.answered(answers) {
                Some(why) => Next::Retry(why),
                None => self.look(key, &job, sync, ctx),
            },
            CREATED => {
                self.written.pods(key, answers);
                let regarding = Regarding::object(Kind::Job, &job);
                let (failed, why) =
                    pod_control::created(&mut self.recorder, &regarding, answers, ctx);
                if failed > 0 {
                    let lost = i64::try_from(failed + sync.creating.stop()).unwrap_or(0);
                    self.expectations.created(key, lost);
                    sync.active -= lost;
                    sync.failure = why;
                }
                if sync.creating.left() > 0 {
                    return Next::Call {
                        requests: sync.creating.next_batch(),
                        stage: CREATED,
                    };
                }
                self.conclude(&job, sync, ctx)
            }
            DELETED => {
                self.written.pods(key, answers);
                let regarding = Regarding::object(Kind::Job, &job);
                let doomed = std::mem::take(&mut sync.doomed);
                let (failed, why) =
                    pod_control::deleted(&mut self.recorder, &regarding, &doomed, answers, ctx);
                for pod in &failed {
                    self.expectations.deleted(key, pod.uid());
                }
                let gone: Vec<&Rc<Object>> = doomed
                    .iter()
                    .filter(|p| !failed.iter().any(|f| f.uid() == p.uid()))
                    .collect();
                let ready = gone.iter().filter(|p| meta::ready_since(p).is_some());
                sync.look.ready -= i64::try_from(ready.count()).unwrap_or(0);
                let gone = i64::try_from(gone.len()).unwrap_or(0);
                sync.active -= gone;
                sync.look.terminating += gone;
                sync.failure = why;
                self.conclude(&job, sync, ctx)
            }
            FLUSHED => match answers.first() {
                Some(Ok(answer)) => {
                    self.written.answer(key, true, &answers[0]);
                    self.records.insert(key.clone(), sync.look.record);
                    sync.job = Some(answer.object.clone());
                    sync.flush = false;
                    self.free(sync, ctx)
                }
                _ => Next::Retry(first_words(answers)),
            },
            FREED => self.freed(key, sync, answers, ctx),
            WRITTEN => {
                match answers.first() {
                    Some(Err(failure)) if meta::code(&answers[0]) != 404 => {
                        return Next::Retry(failure_text(failure).to_string());
                    }
                    Some(answer) => self.written.answer(key, true, answer),
                    None => {}
                }
                self.end(&job, sync, ctx)
            }
            _ => Next::Done,
        }
    }
}

fn first_words(answers: &[Response]) -> String {
    meta::first_failure(answers).map_or_else(String::new, |t| t.to_string())
}

impl JobController {
    /// Looks at a Job when changes have been gathered for a second.
    fn gather(&mut self, key: Key, ctx: &mut Ctx<'_>) {
        if self.gathering.contains_key(&key) {
            return;
        }
        self.gathering.insert(key.clone(), ctx.now() + BATCH);
        ctx.set_timer(BATCH, Timer::keyed(GATHERED, key));
    }

    fn pod(&mut self, event: &CacheEvent, caches: &Caches, work: &mut Work<'_>, ctx: &mut Ctx<'_>) {
        let Some(pod) = event.object() else { return };
        let going = event.new.as_ref().is_none_or(|p| p.is_being_deleted());
        for object in event.old.iter().chain(&event.new) {
            let Some(owner) = object.controller().filter(|o| o.kind == "Job") else {
                continue;
            };
            let job = controller_of(caches, Kind::Job, object);
            if event.new.is_some()
                && plan::is_tracked(pod)
                && job.is_none_or(|j| plan::is_finished(j))
                && owner.kind == "Job"
            {
                work.add(orphan::orphan(pod), event.cause);
            }
            let Some(job) = job else { continue };
            if going {
                self.expectations.deleted(&job.key(), pod.uid());
            } else if event.old.is_none() {
                self.expectations.created(&job.key(), 1);
            }
            self.gather(job.key(), ctx);
        }
        if pod.controller().is_none() && !going {
            let jobs: Vec<Key> = selecting(caches, Kind::Job, pod).map(|j| j.key()).collect();
            for key in jobs {
                self.gather(key, ctx);
            }
        }
    }

    fn begin(&mut self, key: &Key, sync: &mut Sync, caches: &Caches, ctx: &mut Ctx<'_>) -> Next {
        let Some(job) = caches.get(Kind::Job, key).cloned() else {
            return Next::Done;
        };
        if plan::is_finished(&job) {
            self.records.remove(key);
            return Next::Done;
        }
        if self.written.unseen(key, Kind::Job, caches) {
            return pod_control::lagging();
        }
        sync.job = Some(job.clone());
        sync.claim = pod_control::claim(&job, &selector(&job), Kind::Pod, caches, &|_| true);
        if !sync.claim.orphans.is_empty() {
            let request = Request::get(Kind::Job, key.namespace.clone(), key.name.clone());
            return Next::Call {
                requests: vec![request],
                stage: ASKED,
            };
        }
        if !sync.claim.is_settled() {
            return Next::Call {
                requests: sync.claim.requests(Kind::Job, &job, Kind::Pod),
                stage: CLAIMED,
            };
        }
        self.look(key, &job, sync, ctx)
    }

    /// Finds out how things stand, and lets Pods come or go.
    fn look(&mut self, key: &Key, job: &Rc<Object>, sync: &mut Sync, ctx: &mut Ctx<'_>) -> Next {
        let now = ctx.wall();
        let record = self.records.get(key).copied().unwrap_or_default();
        let pods = &sync.claim.mine;
        sync.look = plan::look(job, pods, record, now);
        sync.status = job.status().clone();
        if sync.status.is_null() {
            sync.status = Value::map();
        }
        let suspended = plan::is_suspended(job);
        if job.at("status.startTime").is_null() && !suspended {
            sync.status.set("startTime", now.seconds_text());
        }
        sync.again = (sync.look.ending.is_none())
            .then(|| plan::deadline_left(job, now))
            .flatten()
            .and_then(|left| u64::try_from(left).ok())
            .map(SimDuration);
        sync.active = i64::try_from(sync.look.active.len()).unwrap_or(i64::MAX);
        let ready = self.expectations.satisfied(key, ctx.now());
        sync.managed = ready && !job.is_being_deleted() && sync.look.ending.is_none();
        if sync.look.ending.is_none() && !sync.managed {
            return self.conclude(job, sync, ctx);
        }
        match plan::manage(job, &sync.look, now) {
            Act::Nothing => self.conclude(job, sync, ctx),
            Act::Delete(pods) => {
                let uids = pods.iter().map(|p| p.uid().into()).collect();
                self.expectations.expect_deletions(key, uids, ctx.now());
                let note = Note::new(DELETE)
                    .about(Kind::Job, key.clone())
                    .arg("pods", joined(pods.iter().map(|p| p.name())));
                ctx.trace(note);
                let requests = pod_control::deletions(&pods);
                sync.doomed = pods;
                Next::Call {
                    requests,
                    stage: DELETED,
                }
            }
            Act::Create(missing) => self.create(key, job, sync, missing, ctx),
        }
    }

    fn create(
        &mut self,
        key: &Key,
        job: &Rc<Object>,
        sync: &mut Sync,
        missing: usize,
        ctx: &mut Ctx<'_>,
    ) -> Next {
        let per_index = !job.at("spec.backoffLimitPerIndex").is_null();
        let Record { failures, last } = sync.look.record;
        let (first, most) = BACK_OFFS;
        let left = backoff_remaining(failures, last, ctx.wall(), first, most);
        if left > 0 && !per_index {
            let wait = SimDuration(left.unsigned_abs());
            let note = Note::new(BACK_OFF)
                .about(Kind::Job, key.clone())
                .arg("failures", failures)
                .arg("wait_ms", left / 1_000);
            ctx.trace(note);
            sync.again = Some(sync.again.map_or(wait, |a| a.min(wait)));
            return self.conclude(job, sync, ctx);
        }
        let pods = &sync.claim.mine;
        let new: Vec<Object> = if plan::is_indexed(job) {
            let pending = plan::pending(job, &sync.look, pods, missing);
            let new = pending.into_iter().map(|i| {
                let failures = per_index.then(|| plan::failures_of(job, pods, i));
                plan::new_pod(job, Some(i), failures)
            });
            new.collect()
        } else {
            (0..missing)
                .map(|_| plan::new_pod(job, None, None))
                .collect()
        };
        let count = i64::try_from(new.len()).unwrap_or(0);
        if count == 0 {
            return self.conclude(job, sync, ctx);
        }
        self.expectations.expect_creations(key, count, ctx.now());
        let note = Note::new(CREATE)
            .about(Kind::Job, key.clone())
            .arg("count", count)
            .arg("active", sync.active)
            .arg("succeeded", sync.look.succeeded);
        ctx.trace(note);
        sync.active += count;
        sync.creating = Batches::new(new);
        Next::Call {
            requests: sync.creating.next_batch(),
            stage: CREATED,
        }
    }

    /// Works out the status: what is counted, whether it is over.
    fn conclude(&mut self, job: &Rc<Object>, sync: &mut Sync, ctx: &mut Ctx<'_>) -> Next {
        let now = ctx.wall();
        let mut ending = sync.look.ending.clone();
        if ending.is_none() {
            if plan::is_complete(job, &sync.look, sync.active) {
                ending = Some(plan::completed());
            } else if sync.managed {
                suspend(job, sync, now);
            }
        }
        let free = count::track(
            job,
            &sync.claim.mine,
            &sync.look,
            ending.as_ref(),
            &mut sync.status,
        );
        sync.freeing = free;
        if let Some(ending) = &ending {
            let (interim, _) = ending.types();
            let condition = count::condition(interim, "True", &ending.reason, &ending.message, now);
            count::set_condition(&mut sync.status, condition);
        }
        let status = &mut sync.status;
        if sync.active > 0 {
            status.set("active", sync.active);
        } else {
            status.map_mut().remove("active");
        }
        status.set("ready", sync.look.ready);
        status.set("terminating", sync.look.terminating);
        sync.ending = ending;
        sync.flush = *status != *job.status();
        if !sync.freeing.is_empty() {
            let note = Note::new(COUNT)
                .about(Kind::Job, job.key())
                .arg("pods", joined(sync.freeing.iter().map(|p| p.name())));
            ctx.trace(note);
        }
        if !sync.flush || sync.freeing.is_empty() {
            return self.free(sync, ctx);
        }
        write(sync, FLUSHED, ctx)
    }

    /// Takes the finalizer off Pods whose end is in the status.
    fn free(&mut self, sync: &mut Sync, _ctx: &mut Ctx<'_>) -> Next {
        Next::Call {
            requests: sync.freeing.iter().map(|p| orphan::freeing(p)).collect(),
            stage: FREED,
        }
    }

    fn freed(
        &mut self,
        key: &Key,
        sync: &mut Sync,
        answers: &[Response],
        ctx: &mut Ctx<'_>,
    ) -> Next {
        self.written.pods(key, answers);
        let tracked = sync.claim.mine.iter().filter(|p| plan::is_tracked(p));
        let mut tracked: BTreeSet<Text> = tracked.map(|p| p.uid().into()).collect();
        for (pod, answer) in sync.freeing.iter().zip(answers) {
            match answer {
                Err(failure) if !matches!(meta::code(answer), 404 | 422) => {
                    let text = failure_text(failure).to_string();
                    sync.failure.get_or_insert(text);
                }
                _ => {
                    tracked.remove(pod.uid());
                }
            }
        }
        count::count(&mut sync.status, &tracked);
        let counted = sync
            .status
            .get("uncountedTerminatedPods")
            .entries()
            .is_empty();
        let waits = sync.look.terminating > 0;
        if let Some(ending) = sync.ending.clone().filter(|_| counted && !waits) {
            let now = ctx.wall();
            let (_, last) = ending.types();
            let condition = count::condition(last, "True", &ending.reason, &ending.message, now);
            count::set_condition(&mut sync.status, condition);
            if ending.success {
                sync.status.set("completionTime", now.seconds_text());
            }
            sync.told = true;
            let note = Note::new(FINISHED)
                .about(Kind::Job, key.clone())
                .arg("condition", last)
                .arg("reason", ending.reason.clone());
            ctx.trace(note);
        }
        let job = sync.job.as_ref();
        if job.is_none_or(|job| *job.status() == sync.status) {
            return Next::Call {
                requests: Vec::new(),
                stage: WRITTEN,
            };
        }
        write(sync, WRITTEN, ctx)
    }

    fn end(&mut self, job: &Rc<Object>, sync: &mut Sync, ctx: &mut Ctx<'_>) -> Next {
        let key = job.key();
        let regarding = Regarding::object(Kind::Job, job);
        let mut tell = |event: &str, reason: &str, message: &str| {
            let regarding = regarding.clone();
            self.recorder
                .record(ctx, regarding, event, reason, "", message);
        };
        match sync.resumed {
            Some(true) => tell("Normal", "Resumed", "Job resumed"),
            Some(false) => tell("Normal", "Suspended", "Job suspended"),
            None => {}
        }
        match sync.ending.as_ref().filter(|_| sync.told) {
            Some(ending) if ending.success => tell("Normal", "Completed", "Job completed"),
            Some(ending) => tell("Warning", &ending.reason, &ending.message),
            None => {}
        }
        self.records.insert(key, sync.look.record);
        if let Some(why) = sync.failure.take() {
            return Next::Retry(why);
        }
        match sync.again.filter(|_| sync.ending.is_none()) {
            Some(wait) => Next::After(wait + SimDuration(1)),
            None => Next::Done,
        }
    }
}
