//! CronJob: creates a Job at each time of its schedule, and clears away old ones.
//!
//! Models: pkg/controller/cronjob (v1.36)
//! Left out: time zones other than UTC.

pub mod schedule;

use super::job::plan::is_finished;
use super::meta::{self, controller_of, failure_text, find_condition, owner_reference};
use super::{Controller, Next, Resume, Work};
use crate::client::informer::{CacheEvent, Caches};
use crate::client::recorder::{Recorder, Regarding, Style};
use crate::component::ControllerId;
use crate::sim::Ctx;
use crate::trace::{Note, joined};
use podscope_api::request::Propagation;
use podscope_api::{Key, Kind, Object, Request, Response, Text, Timestamp, Value, value};
use podscope_kernel::SimDuration;
use schedule::{Schedule, most_recent, rfc1123, time};
use std::rc::Rc;

crate::codes! {
    /// The schedule is due: a Job is created.
    CREATE = "cronjob.create";
    /// A time of the schedule passes without a Job.
    SKIP = "cronjob.skip";
    /// Old Jobs beyond the history limit (or replaced ones) are deleted.
    CLEAN_UP = "cronjob.clean_up";
    /// The status is out of date and written.
    STATUS = "cronjob.status";
}

/// The annotation with the time that a Job was due.
const SCHEDULED: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";
/// How much after the time the controller looks.
const DELTA: i64 = 100_000;
/// From this many missed times on it complains.
const MANY: usize = 100;

const CHECKED: u8 = 1;
const REPLACED: u8 = 2;
const CREATED: u8 = 3;
const CLEANED: u8 = 4;
const WRITTEN: u8 = 5;
const ASKED: u8 = 6;

/// The controller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CronJobController {
    recorder: Recorder,
}

impl Default for CronJobController {
    fn default() -> Self {
        CronJobController {
            recorder: Recorder::new(ControllerId::CronJob.name(), "", Style::Core),
        }
    }
}

/// A sync in progress.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sync {
    cron: Option<Rc<Object>>,
    status: Value,
    /// Jobs that are asked for, or being deleted.
    jobs: Vec<(Key, Text)>,
    due: Option<Timestamp>,
    next: Option<Timestamp>,
    failure: Option<String>,
}

/// The Jobs that a CronJob controls, the first started first.
fn jobs(cron: &Object, caches: &Caches) -> Vec<Rc<Object>> {
    let mut jobs: Vec<Rc<Object>> = caches
        .owned_by(Kind::Job, cron.uid())
        .filter(|j| j.controller().is_some_and(|c| c.uid == cron.uid()))
        .cloned()
        .collect();
    podscope_api::sort::by_key(&mut jobs, |j| {
        let start = time(j.at("status.startTime"));
        (start.is_none(), start, j.name().to_string())
    });
    jobs
}

impl Controller for CronJobController {
    const ID: ControllerId = ControllerId::CronJob;
    const WORKERS: usize = 5;
    const DEADLINE: &'static str = "cronjob.next";
    type Sync = Sync;

    fn start(&mut self, caches: &Caches, work: &mut Work<'_>, _ctx: &mut Ctx<'_>) {
        for cron in caches.list(Kind::CronJob) {
            work.add(cron.key(), None);
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
        match event.kind {
            Kind::CronJob => work.add(object.key(), event.cause),
            Kind::Job => {
                if let Some(cron) = controller_of(caches, Kind::CronJob, object) {
                    work.add(cron.key(), event.cause);
                }
            }
            _ => {}
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
        let Some(cron) = sync.cron.clone() else {
            return begin(key, sync, caches);
        };
        match stage {
            ASKED => {
                // The cache may lag behind this controller's own writes.
                if let Some(Ok(answer)) = answers.first()
                    && answer.object.uid() == cron.uid()
                {
                    sync.cron = Some(answer.object.clone());
                }
                let cron = sync.cron.clone().unwrap_or(cron);
                self.look(&cron, sync, caches, ctx)
            }
            CHECKED => {
                for ((job, uid), answer) in std::mem::take(&mut sync.jobs).iter().zip(answers) {
                    if meta::code(answer) == 404 {
                        let message = format!("Active job went missing: {}", job.name);
                        self.tell(&cron, "Normal", "MissingJob", &message, ctx);
                        drop_active(&mut sync.status, uid);
                    }
                }
                self.schedule(&cron, sync, caches, ctx)
            }
            REPLACED => {
                self.deleted(&cron, sync, answers, ctx);
                match sync.failure.take() {
                    Some(why) => Next::Retry(why),
                    None => self.create(&cron, sync, ctx),
                }
            }
            CREATED => {
                match answers.first() {
                    Some(Ok(answer)) => {
                        let job = &answer.object;
                        let message = format!("Created job {}", job.name());
                        self.tell(&cron, "Normal", "SuccessfulCreate", &message, ctx);
                        let reference = value!({
                            "kind": "Job", "namespace": (job.namespace()), "name": (job.name()),
                            "uid": (job.uid()), "apiVersion": "batch/v1",
                            "resourceVersion": (job.at("metadata.resourceVersion").clone())
                        });
                        sync.status.entry("active").list_mut().push(reference);
                        if let Some(due) = sync.due {
                            sync.status.set("lastScheduleTime", due.seconds_text());
                        }
                    }
                    Some(answer @ Err(failure)) => {
                        let quiet = meta::namespace_terminating(answer);
                        if meta::code(answer) != 409 && !quiet {
                            let text = failure_text(failure);
                            let message = format!("Error creating job: {text}");
                            self.tell(&cron, "Warning", "FailedCreate", &message, ctx);
                            return Next::Retry(text.to_string());
                        }
                    }
                    None => {}
                }
                self.clean_up(&cron, sync, caches, ctx)
            }
            CLEANED => {
                self.deleted(&cron, sync, answers, ctx);
                self.write(&cron, sync, ctx)
            }
            _ => match answers.first() {
                Some(Err(failure)) if meta::code(&answers[0]) != 404 => {
                    Next::Retry(failure_text(failure).to_string())
                }
                _ => end(sync, ctx),
            },
        }
    }
}

/// Takes a Job off the list of active ones.
fn drop_active(status: &mut Value, uid: &str) {
    let list = status.entry("active").list_mut();
    list.retain(|r| r.get("uid").as_str() != Some(uid));
    if list.is_empty() {
        status.map_mut().remove("active");
    }
}

/// The end of a sync: it looks again at the next time of the schedule.
fn end(sync: &Sync, ctx: &Ctx<'_>) -> Next {
    match sync.next {
        Some(next) => {
            let wait = next.0.saturating_add(DELTA).saturating_sub(ctx.wall().0);
            Next::After(SimDuration(u64::try_from(wait).unwrap_or(0)))
        }
        None => Next::Done,
    }
}

/// The Job of a time of the schedule.
fn new_job(cron: &Object, due: Timestamp) -> Object {
    let template = cron.at("spec.jobTemplate");
    let mut job = Object(value!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {
            "name": (job_name(cron, due)), "namespace": (cron.namespace()),
            "ownerReferences": [(owner_reference(Kind::CronJob, cron))]
        },
        "spec": (template.get("spec").clone())
    }));
    for field in ["labels", "annotations"] {
        let value = template.get("metadata").get(field);
        if !value.is_empty() {
            job.at_mut("metadata").set(field, value.clone());
        }
    }
    let annotations = job.at_mut("metadata.annotations").map_mut();
    annotations.insert(SCHEDULED, due.seconds_text().into());
    job
}

/// The name ends in the minutes since 1970.
fn job_name(cron: &Object, due: Timestamp) -> String {
    format!("{}-{}", cron.name(), due.unix_seconds() / 60)
}

fn begin(key: &Key, sync: &mut Sync, caches: &Caches) -> Next {
    let Some(cron) = caches.get(Kind::CronJob, key).cloned() else {
        return Next::Done;
    };
    let active = cron.at("status.active").items();
    let unexpected = |job: &Rc<Object>| {
        let listed = |r: &Value| r.get("uid").as_str() == Some(job.uid());
        !is_finished(job) && !active.iter().any(listed)
    };
    let asks = jobs(&cron, caches).iter().any(unexpected);
    let get = || Request::get(Kind::CronJob, key.namespace.clone(), key.name.clone());
    let requests = asks.then(get).into_iter().collect();
    sync.cron = Some(cron);
    Next::Call {
        requests,
        stage: ASKED,
    }
}

impl CronJobController {
    fn tell(&mut self, cron: &Object, event: &str, reason: &str, message: &str, ctx: &mut Ctx<'_>) {
        let regarding = Regarding::object(Kind::CronJob, cron);
        self.recorder
            .record(ctx, regarding, event, reason, "", message);
    }

    /// Compares the list of active Jobs with the Jobs that there are.
    fn look(
        &mut self,
        cron: &Rc<Object>,
        sync: &mut Sync,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) -> Next {
        sync.status = cron.status().clone();
        if sync.status.is_null() {
            sync.status = Value::map();
        }
        let jobs = jobs(cron, caches);
        for job in &jobs {
            let active = cron.at("status.active").items();
            let found = active
                .iter()
                .any(|r| r.get("uid").as_str() == Some(job.uid()));
            if !found && !is_finished(job) {
                let name = job.name();
                let message =
                    format!("Saw a job that the controller did not create or forgot: {name}");
                self.tell(cron, "Warning", "UnexpectedJob", &message, ctx);
            } else if found && is_finished(job) {
                let condition = if is_good(job) { "Complete" } else { "Failed" };
                let name = job.name();
                let message = format!("Saw completed job: {name}, condition: {condition}");
                drop_active(&mut sync.status, job.uid());
                self.tell(cron, "Normal", "SawCompletedJob", &message, ctx);
            }
            if is_good(job) {
                let end = time(job.at("status.completionTime"));
                if let Some(end) =
                    end.filter(|e| Some(*e) > time(sync.status.get("lastSuccessfulTime")))
                {
                    sync.status.set("lastSuccessfulTime", end.seconds_text());
                }
            }
        }
        // Jobs that are listed as active and not in the cache are asked for.
        for reference in sync.status.get("active").items() {
            let text = |field: &str| -> Text { reference.get(field).str_or_empty().into() };
            let uid = text("uid");
            if !jobs.iter().any(|j| *j.uid() == *uid) {
                sync.jobs
                    .push((Key::new(text("namespace"), text("name")), uid));
            }
        }
        let get = |(key, _): &(Key, Text)| {
            Request::get(Kind::Job, key.namespace.clone(), key.name.clone())
        };
        Next::Call {
            requests: sync.jobs.iter().map(get).collect(),
            stage: CHECKED,
        }
    }

    /// Whether a Job is due now.
    fn schedule(
        &mut self,
        cron: &Rc<Object>,
        sync: &mut Sync,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) -> Next {
        let now = ctx.wall();
        if cron.is_being_deleted() || cron.at("spec.suspend").is_true() {
            return self.clean_up(cron, sync, caches, ctx);
        }
        let text = cron.at("spec.schedule").str_or_empty();
        let schedule = match Schedule::parse(text) {
            Ok(schedule) => schedule,
            Err(why) => {
                let message = format!("unparseable schedule: {text:?} : {why}");
                self.tell(cron, "Warning", "UnparseableSchedule", &message, ctx);
                return self.clean_up(cron, sync, caches, ctx);
            }
        };
        let (due, missed) = most_recent(cron, &schedule, now, true);
        if missed > MANY {
            let message = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
            self.tell(cron, "Warning", "TooManyMissedTimes", message, ctx);
        }
        sync.next = schedule.next(now);
        let Some(due) = due else {
            return self.clean_up(cron, sync, caches, ctx);
        };
        let deadline = cron.at("spec.startingDeadlineSeconds").as_int();
        let late = |s: i64| due.0.saturating_add(s.saturating_mul(1_000_000)) < now.0;
        let name = job_name(cron, due);
        let active = sync.status.get("active").items().to_vec();
        let started = active
            .iter()
            .any(|r| r.get("name").as_str() == Some(&*name))
            || time(cron.at("status.lastScheduleTime")) == Some(due);
        if started {
            return self.clean_up(cron, sync, caches, ctx);
        }
        let skip = |why: &str| {
            Note::new(SKIP)
                .about(Kind::CronJob, cron.key())
                .arg("due", due.seconds_text())
                .arg("why", why)
        };
        if deadline.is_some_and(late) {
            let message = format!("Missed scheduled time to start a job: {}", rfc1123(due));
            ctx.trace(skip("startingDeadlineSeconds"));
            self.tell(cron, "Warning", "MissSchedule", &message, ctx);
            return self.clean_up(cron, sync, caches, ctx);
        }
        sync.due = Some(due);
        match cron.at("spec.concurrencyPolicy").str_or_empty() {
            "Forbid" if !active.is_empty() => {
                let message = "Not starting job because prior execution is running and concurrency policy is Forbid";
                ctx.trace(skip("concurrencyPolicy"));
                self.tell(cron, "Normal", "JobAlreadyActive", message, ctx);
                self.clean_up(cron, sync, caches, ctx)
            }
            "Replace" if !active.is_empty() => {
                for r in &active {
                    let text = |field: &str| -> Text { r.get(field).str_or_empty().into() };
                    let key = Key::new(text("namespace"), text("name"));
                    sync.jobs.push((key, text("uid")));
                }
                delete(cron, sync, REPLACED, ctx)
            }
            _ => self.create(cron, sync, ctx),
        }
    }

    fn create(&mut self, cron: &Object, sync: &Sync, ctx: &mut Ctx<'_>) -> Next {
        let Some(due) = sync.due else {
            return Next::Done;
        };
        let job = new_job(cron, due);
        let note = Note::new(CREATE)
            .about(Kind::CronJob, cron.key())
            .arg("name", job.name())
            .arg("due", due.seconds_text());
        ctx.trace(note);
        Next::Call {
            requests: vec![Request::create(Kind::Job, job)],
            stage: CREATED,
        }
    }

    /// Tells of deleted Jobs.
    fn deleted(&mut self, cron: &Object, sync: &mut Sync, answers: &[Response], ctx: &mut Ctx<'_>) {
        for ((job, uid), answer) in std::mem::take(&mut sync.jobs).iter().zip(answers) {
            match answer {
                Ok(_) => {
                    drop_active(&mut sync.status, uid);
                    let message = format!("Deleted job {}", job.name);
                    self.tell(cron, "Normal", "SuccessfulDelete", &message, ctx);
                }
                Err(failure) => {
                    let text = failure_text(failure);
                    let message = format!("Deleted job: {text}");
                    self.tell(cron, "Warning", "FailedDelete", &message, ctx);
                    sync.failure.get_or_insert_with(|| text.to_string());
                }
            }
        }
    }

    /// Finished Jobs beyond the limits go, the oldest first.
    fn clean_up(
        &mut self,
        cron: &Rc<Object>,
        sync: &mut Sync,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) -> Next {
        let jobs = jobs(cron, caches);
        for (field, good) in [
            ("spec.failedJobsHistoryLimit", false),
            ("spec.successfulJobsHistoryLimit", true),
        ] {
            let Some(limit) = cron.at(field).as_int() else {
                continue;
            };
            let done = jobs
                .iter()
                .filter(|j| is_finished(j) && is_good(j) == good && !j.is_being_deleted());
            let done: Vec<&Rc<Object>> = done.collect();
            let keep = usize::try_from(limit).unwrap_or(0);
            let more = done.len().saturating_sub(keep);
            let doomed = done.into_iter().take(more);
            sync.jobs
                .extend(doomed.map(|j| (j.key(), Text::from(j.uid()))));
        }
        delete(cron, sync, CLEANED, ctx)
    }

    fn write(&mut self, cron: &Rc<Object>, sync: &Sync, ctx: &mut Ctx<'_>) -> Next {
        let empty = cron.status().is_empty() && sync.status.is_empty();
        if empty || sync.status == *cron.status() {
            return end(sync, ctx);
        }
        let mut object = (**cron).clone();
        object.set("status", sync.status.clone());
        let active = sync.status.get("active").items().len();
        let note = Note::new(STATUS)
            .about(Kind::CronJob, cron.key())
            .arg("active", i64::try_from(active).unwrap_or(i64::MAX));
        ctx.trace(note);
        Next::Call {
            requests: vec![Request::update(Kind::CronJob, "status", object)],
            stage: WRITTEN,
        }
    }
}

/// The requests that delete the Jobs in hand.
fn delete(cron: &Object, sync: &Sync, stage: u8, ctx: &mut Ctx<'_>) -> Next {
    if !sync.jobs.is_empty() {
        let note = Note::new(CLEAN_UP)
            .about(Kind::CronJob, cron.key())
            .arg("jobs", joined(sync.jobs.iter().map(|(key, _)| &key.name)));
        ctx.trace(note);
    }
    let request = |(key, _): &(Key, Text)| {
        let mut delete = Request::delete(Kind::Job, key.namespace.clone(), key.name.clone());
        delete.options.propagation = Some(Propagation::Background);
        delete
    };
    Next::Call {
        requests: sync.jobs.iter().map(request).collect(),
        stage,
    }
}

fn is_good(job: &Object) -> bool {
    let complete = find_condition(job.status(), "Complete");
    complete.get("status").as_str() == Some("True")
}
