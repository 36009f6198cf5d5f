//! A Job's state, decided from its Pods: what counts, whether it is over, which Pods come and go.
//!
//! Models: pkg/controller/job/job_controller.go (v1.36)

use super::index;
use super::policy::{self, Verdict};
use crate::controllers::meta::{find_condition, is_active, ready_since, status_count};
use crate::controllers::pod_control::{label, pod_from};
use crate::controllers::replicaset::ranking;
use podscope_api::{Kind, Object, Text, Timestamp, Value, value};
use podscope_kernel::collections::BTreeSet;
use std::rc::Rc;

/// The finalizer that keeps a Pod until it is counted.
pub const FINALIZER: &str = "batch.kubernetes.io/job-tracking";
/// How many Pods one sync creates or deletes at most, and how many uids wait in the status.
pub const MOST: usize = 500;

/// Why a Job is over (or about to be).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ending {
    /// Whether it succeeded.
    pub success: bool,
    /// The condition's reason.
    pub reason: Text,
    /// The condition's message.
    pub message: Text,
}

impl Ending {
    fn new(success: bool, reason: &str, message: &str) -> Ending {
        Ending {
            success,
            reason: reason.into(),
            message: message.into(),
        }
    }
    /// The types of the condition that is set first, and of the one that ends the Job.
    pub fn types(&self) -> (&'static str, &'static str) {
        match self.success {
            true => ("SuccessCriteriaMet", "Complete"),
            false => ("FailureTarget", "Failed"),
        }
    }
}

/// Whether a Job has a condition of this type that is True.
pub fn is(job: &Object, condition: &str) -> bool {
    let found = find_condition(job.status(), condition);
    found.get("status").as_str() == Some("True")
}

/// Whether a Job has ended.
pub fn is_finished(job: &Object) -> bool {
    is(job, "Complete") || is(job, "Failed")
}

/// `spec.completions`; `None` when any success is enough.
pub fn completions(job: &Object) -> Option<i64> {
    job.at("spec.completions").as_int()
}

/// Whether each Pod has an index.
pub fn is_indexed(job: &Object) -> bool {
    job.at("spec.completionMode").as_str() == Some("Indexed")
}

/// Whether it is suspended.
pub fn is_suspended(job: &Object) -> bool {
    job.at("spec.suspend").is_true()
}

fn only_failed_are_replaced(job: &Object) -> bool {
    job.at("spec.podReplacementPolicy").as_str() == Some("Failed")
}

/// Whether a Pod still has to be counted.
pub fn is_tracked(pod: &Object) -> bool {
    let finalizers = pod.at("metadata.finalizers").items().iter();
    finalizers.clone().any(|f| f.as_str() == Some(FINALIZER))
}

/// Whether a Pod counts as failed: one that is being deleted will never succeed.
pub fn has_failed(job: &Object, pod: &Object) -> bool {
    match pod.at("status.phase").str_or_empty() {
        "Failed" => true,
        "Succeeded" => false,
        _ => pod.is_being_deleted() && !only_failed_are_replaced(job),
    }
}

pub(super) fn has_succeeded(pod: &Object) -> bool {
    pod.at("status.phase").as_str() == Some("Succeeded")
}

fn uncounted(job: &Object, list: &str) -> BTreeSet<Text> {
    let uids = job.at("status.uncountedTerminatedPods").get(list).items();
    uids.iter().filter_map(|u| u.as_text().cloned()).collect()
}

pub(super) fn number(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// When a Pod's last container ended; its Ready condition's change or the deletion stand in for it.
pub fn finish_time(pod: &Object) -> Option<Timestamp> {
    let time = |v: &Value| v.as_str().and_then(Timestamp::parse);
    let statuses = pod.at("status.containerStatuses").items();
    let ends: Option<Vec<Timestamp>> = statuses
        .iter()
        .map(|s| time(s.at("state.terminated.finishedAt")))
        .collect();
    let last = ends.and_then(|ends| ends.into_iter().max_by_key(|t| t.0));
    let ready = time(pod.condition("Ready").get("lastTransitionTime"));
    last.or(ready).or_else(|| pod.deleted())
}

/// Failures in a row and the last one's time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Record {
    /// Failures since the last success.
    pub failures: i64,
    /// When the last one was.
    pub last: Option<Timestamp>,
}

/// What a sync has found out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Look {
    /// Pods that run or will run.
    pub active: Vec<Rc<Object>>,
    /// Pods that are being deleted and have not ended.
    pub terminating: i64,
    /// Active Pods that are Ready.
    pub ready: i64,
    /// Successes, counted or not (indexes, for an indexed Job).
    pub succeeded: i64,
    /// Failures, counted or not.
    pub failed: i64,
    /// Indexes with a success.
    pub done: BTreeSet<i64>,
    /// Indexes that are not tried again.
    pub lost: BTreeSet<i64>,
    /// Failures in a row, with those seen now.
    pub record: Record,
    /// Why it is over.
    pub ending: Option<Ending>,
}

/// Looks at a Job and its Pods.
pub fn look(job: &Object, pods: &[Rc<Object>], record: Record, now: Timestamp) -> Look {
    let mut look = Look {
        record,
        ..Look::default()
    };
    let (old_good, old_bad) = (uncounted(job, "succeeded"), uncounted(job, "failed"));
    let mut new: Vec<(Timestamp, bool)> = Vec::new();
    let (mut good, mut bad) = (0, 0);
    for pod in pods {
        if is_active(pod) {
            look.active.push(pod.clone());
            look.ready += i64::from(ready_since(pod).is_some());
        }
        let ended = matches!(
            pod.at("status.phase").str_or_empty(),
            "Succeeded" | "Failed"
        );
        look.terminating += i64::from(pod.is_being_deleted() && !ended);
        if !is_tracked(pod) {
            continue;
        }
        let at = finish_time(pod).unwrap_or(now);
        if has_succeeded(pod) && !old_good.contains(pod.uid()) {
            good += 1;
            new.push((at, true));
        } else if has_failed(job, pod) && !old_bad.contains(pod.uid()) {
            if policy::verdict(job, pod) != Verdict::Ignored {
                bad += 1;
            }
            new.push((at, false));
        }
    }
    podscope_api::sort::by_key(&mut new, |(at, good)| (at.0, *good));
    for (at, good) in new {
        look.record = if good {
            Record::default()
        } else {
            Record {
                failures: look.record.failures + 1,
                last: Some(at),
            }
        };
    }
    look.succeeded = status_count(job, "succeeded") + good + number(old_good.len());
    look.failed = status_count(job, "failed") + bad + number(old_bad.len());
    if is_indexed(job) {
        indexes(job, pods, &mut look);
    }
    look.ending = ending(job, pods, &look, now);
    look
}

/// Which indexes are done and which are lost.
fn indexes(job: &Object, pods: &[Rc<Object>], look: &mut Look) {
    let completions = completions(job).unwrap_or(0);
    let text = job.at("status.completedIndexes").str_or_empty();
    look.done = index::parse(text, completions);
    let valid = |p: &Rc<Object>| index::of(p).filter(|i| *i < completions);
    for pod in pods.iter().filter(|p| has_succeeded(p) && is_tracked(p)) {
        look.done.extend(valid(pod));
    }
    look.succeeded = number(look.done.len());
    let Some(limit) = job.at("spec.backoffLimitPerIndex").as_int() else {
        return;
    };
    let text = job.at("status.failedIndexes").str_or_empty();
    look.lost = index::parse(text, completions);
    for pod in pods.iter().filter(|p| has_failed(job, p)) {
        let Some(i) = valid(pod).filter(|i| !look.done.contains(i)) else {
            continue;
        };
        let over = failures_of(job, pods, i) > limit;
        if over || policy::verdict(job, pod) == Verdict::FailsIndex {
            look.lost.insert(i);
        }
    }
}

/// How often Pods of an index have failed, as far as it counts.
pub fn failures_of(job: &Object, pods: &[Rc<Object>], i: i64) -> i64 {
    let counts = |p: &&Rc<Object>| {
        has_failed(job, p) && index::of(p) == Some(i) && policy::verdict(job, p) != Verdict::Ignored
    };
    number(pods.iter().filter(counts).count())
}

/// Why a Job is over, if it is.
fn ending(job: &Object, pods: &[Rc<Object>], look: &Look, now: Timestamp) -> Option<Ending> {
    for (success, condition) in [(true, "SuccessCriteriaMet"), (false, "FailureTarget")] {
        if is(job, condition) {
            let found = find_condition(job.status(), condition);
            let (reason, message) = (found.get("reason"), found.get("message"));
            let ending = Ending::new(success, reason.str_or_empty(), message.str_or_empty());
            return Some(ending);
        }
    }
    let failing = pods.iter().filter(|p| has_failed(job, p));
    for pod in failing {
        if let Verdict::FailsJob(why) = policy::verdict(job, pod) {
            return Some(Ending::new(false, "PodFailurePolicy", &why));
        }
    }
    let limit = job.at("spec.backoffLimit").as_int().unwrap_or(6);
    if look.failed > limit || restarted_too_often(job, pods, limit) {
        let message = "Job has reached the specified backoff limit";
        return Some(Ending::new(false, "BackoffLimitExceeded", message));
    }
    if deadline_left(job, now).is_some_and(|left| left <= 0) {
        let message = "Job was active longer than specified deadline";
        return Some(Ending::new(false, "DeadlineExceeded", message));
    }
    let completions = completions(job).unwrap_or(0);
    let lost = number(look.lost.len());
    if job
        .at("spec.maxFailedIndexes")
        .as_int()
        .is_some_and(|most| lost > most)
    {
        let message = "Job has exceeded the specified maximal number of failed indexes";
        return Some(Ending::new(false, "MaxFailedIndexesExceeded", message));
    }
    if lost > 0 && lost + look.succeeded >= completions {
        return Some(Ending::new(
            false,
            "FailedIndexes",
            "Job has failed indexes",
        ));
    }
    let met = is_indexed(job).then(|| policy::success(job, &look.done, completions));
    let message = met.flatten()?;
    Some(Ending::new(true, "SuccessPolicy", &message))
}

/// With restartPolicy OnFailure restarts count too.
fn restarted_too_often(job: &Object, pods: &[Rc<Object>], limit: i64) -> bool {
    if job.at("spec.template.spec.restartPolicy").as_str() != Some("OnFailure") {
        return false;
    }
    let mut restarts = 0;
    for pod in pods {
        if !matches!(pod.at("status.phase").str_or_empty(), "Running" | "Pending") {
            continue;
        }
        for list in ["status.initContainerStatuses", "status.containerStatuses"] {
            for status in pod.at(list).items() {
                restarts += status.get("restartCount").as_int().unwrap_or(0);
            }
        }
    }
    if limit == 0 {
        restarts > 0
    } else {
        restarts >= limit
    }
}

/// What is left of `activeDeadlineSeconds`, in microseconds.
pub fn deadline_left(job: &Object, now: Timestamp) -> Option<i64> {
    let seconds = job.at("spec.activeDeadlineSeconds").as_int()?;
    let start = job.at("status.startTime").as_str();
    let start = start.and_then(Timestamp::parse);
    if is_suspended(job) {
        return None;
    }
    let start = start.unwrap_or(now);
    Some(
        start
            .0
            .saturating_add(seconds.saturating_mul(1_000_000))
            .saturating_sub(now.0),
    )
}

/// Whether all that was wanted has succeeded.
pub fn is_complete(job: &Object, look: &Look, active: i64) -> bool {
    let enough = match completions(job) {
        None => look.succeeded > 0,
        Some(wanted) => look.succeeded >= wanted,
    };
    enough && active == 0
}

/// How it ends when all has succeeded.
pub fn completed() -> Ending {
    let message = "Reached expected number of succeeded pods";
    Ending::new(true, "CompletionsReached", message)
}

/// What a sync asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Nothing.
    Nothing,
    /// These Pods go.
    Delete(Vec<Rc<Object>>),
    /// So many Pods come.
    Create(usize),
}

/// Which Pods come or go.
pub fn manage(job: &Object, look: &Look, now: Timestamp) -> Act {
    if look.ending.is_some() || is_suspended(job) {
        let doomed: Vec<Rc<Object>> = look.active.iter().take(MOST).cloned().collect();
        return match doomed.is_empty() {
            true => Act::Nothing,
            false => Act::Delete(doomed),
        };
    }
    let parallelism = job.at("spec.parallelism").as_int().unwrap_or(1);
    let active = number(look.active.len());
    let terminating = if only_failed_are_replaced(job) {
        look.terminating
    } else {
        0
    };
    let wanted = match completions(job) {
        None if look.succeeded > 0 => active,
        None => parallelism,
        Some(n) => {
            let lost = number(look.lost.len());
            (n - look.succeeded - lost).clamp(0, parallelism.max(0))
        }
    };
    let spare = usize::try_from(active + terminating - wanted).unwrap_or(0);
    let doomed = superfluous(job, &look.active, spare, now);
    if !doomed.is_empty() {
        return Act::Delete(doomed);
    }
    match usize::try_from(wanted - terminating - active) {
        Ok(missing) if missing > 0 => Act::Create(missing.min(MOST)),
        _ => Act::Nothing,
    }
}

/// Pods with an index that another has too, then as many others as are to go.
fn superfluous(
    job: &Object,
    active: &[Rc<Object>],
    spare: usize,
    now: Timestamp,
) -> Vec<Rc<Object>> {
    let mut doomed: Vec<Rc<Object>> = Vec::new();
    let mut rest: Vec<Rc<Object>> = active.to_vec();
    if is_indexed(job) {
        let mut seen = BTreeSet::new();
        let completions = completions(job).unwrap_or(0);
        podscope_api::sort::by_key(&mut rest, |p| (p.created(), p.name().to_string()));
        let (keep, twice): (Vec<_>, Vec<_>) = rest
            .into_iter()
            .partition(|p| index::of(p).is_some_and(|i| i < completions && seen.insert(i)));
        (rest, doomed) = (keep, twice);
    }
    if doomed.len() < spare {
        let more = spare - doomed.len();
        let none: Vec<Rc<Object>> = Vec::new();
        let ranked = ranking::pods_to_delete(&rest, &none, more, now);
        doomed.extend(ranked);
    }
    doomed.truncate(MOST);
    doomed
}

/// The lowest indexes without success, loss or Pod.
pub fn pending(job: &Object, look: &Look, pods: &[Rc<Object>], count: usize) -> Vec<i64> {
    let taken: BTreeSet<i64> = pods
        .iter()
        .filter(|p| {
            is_active(p)
                || (only_failed_are_replaced(job)
                    && p.is_being_deleted()
                    && !has_failed(job, p)
                    && !has_succeeded(p))
        })
        .filter_map(|p| index::of(p))
        .collect();
    let free = |i: &i64| !look.done.contains(i) && !look.lost.contains(i) && !taken.contains(i);
    let all = 0..completions(job).unwrap_or(0);
    all.filter(free).take(count).collect()
}

/// A new Pod, with its index and how often it was tried before.
pub fn new_pod(job: &Object, i: Option<i64>, failures: Option<i64>) -> Object {
    let mut template = job.at("spec.template").clone();
    let finalizers = template.at_mut("metadata.finalizers").list_mut();
    if !finalizers.iter().any(|f| f.as_str() == Some(FINALIZER)) {
        finalizers.push(FINALIZER.into());
    }
    let mut pod = pod_from(Kind::Job, job, &template);
    let Some(i) = i else { return pod };
    let text = i.to_string();
    pod.set("metadata.generateName", format!("{}-{i}-", job.name()));
    let annotations = pod.at_mut("metadata.annotations").map_mut();
    annotations.insert(index::INDEX, Value::str(text.clone()));
    if let Some(failures) = failures {
        annotations.insert(index::FAILURES, failures.to_string().into());
    }
    label(&mut pod, index::INDEX, &text);
    pod.set("spec.hostname", format!("{}-{i}", job.name()));
    let path = format!("metadata.labels['{}']", index::INDEX);
    let variable = value!({"name": "JOB_COMPLETION_INDEX",
        "valueFrom": {"fieldRef": {"fieldPath": (path)}}});
    for list in ["initContainers", "containers"] {
        if pod.spec().get(list).items().is_empty() {
            continue;
        }
        for container in pod.at_mut("spec").entry(list).list_mut() {
            let env = container.entry("env").list_mut();
            let named = |v: &Value| v.get("name") == variable.get("name");
            if !env.iter().any(named) {
                env.push(variable.clone());
            }
        }
    }
    pod
}
