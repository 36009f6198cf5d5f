//! ReplicaSet: keeps the number of its Pods, by creating and deleting them.
//!
//! Pods are created in batches of 1, 2, 4 and so on, so that a mistake fails once and not a hundred times.
//! Until the cache has shown what was asked for, only the status is written.
//!
//! Models: pkg/controller/replicaset (v1.36)

pub mod expectations;
pub mod ranking;
pub mod status;

use super::meta::{
    self, adopt, controller_of, failure_text, owner_reference, release, replicas, selecting,
    selector,
};
use super::{Controller, Next, Resume, Work};
use crate::client::informer::{CacheEvent, Caches};
use crate::client::recorder::{Recorder, Regarding, Style};
use crate::client::tally::Group;
use crate::component::ControllerId;
use crate::sim::Ctx;
use crate::trace::{Note, joined};
use expectations::Expectations;
use podscope_api::{Answer, Key, Kind, Object, Request, Response, Value, value};
use podscope_kernel::SimDuration;
use podscope_kernel::collections::BTreeMap;
use status::Alike;
use std::rc::Rc;

crate::codes! {
    /// Pods are missing: a batch is created.
    CREATE_BATCH = "replicaset.create_batch";
    /// There are too many Pods: these are deleted.
    DELETE = "replicaset.delete";
    /// What was asked for has not been seen yet: only the status is looked at.
    WAIT = "replicaset.wait";
    /// A Pod without owner that the selector matches is adopted.
    ADOPT = "replicaset.adopt";
    /// A Pod that the selector no longer matches is released.
    RELEASE = "replicaset.release";
    /// The status is out of date and written.
    STATUS = "replicaset.status";
}

/// How many Pods one sync creates or deletes at most.
const BURST: usize = 500;

const ASKED: u8 = 1;
const CLAIMED: u8 = 2;
const CREATED: u8 = 3;
const DELETED: u8 = 4;
const WRITTEN: u8 = 5;
const READ_AGAIN: u8 = 6;
const WRITTEN_AGAIN: u8 = 7;

/// The controller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReplicaSetController {
    recorder: Recorder,
    expectations: Expectations,
    /// The newest revisions that this controller has written itself: (ReplicaSet, its Pods).
    written: BTreeMap<Key, (u64, u64)>,
}

impl Default for ReplicaSetController {
    fn default() -> Self {
        ReplicaSetController {
            recorder: Recorder::new(ControllerId::ReplicaSet.name(), "", Style::Core),
            expectations: Expectations::default(),
            written: BTreeMap::new(),
        }
    }
}

/// A sync in progress.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sync {
    set: Option<Rc<Object>>,
    /// The active Pods, when they have to be looked at one by one.
    active: Vec<Rc<Object>>,
    /// The active Pods counted, when that is enough.
    counted: Option<Vec<Alike>>,
    terminating: i64,
    manage: bool,
    /// How many Pods are still to be created, and how many go out next.
    missing: usize,
    batch: usize,
    doomed: Vec<Rc<Object>>,
    failure: Option<String>,
}

impl Sync {
    /// How many active Pods there are.
    fn have(&self) -> i64 {
        match &self.counted {
            Some(counted) => counted.iter().map(|alike| alike.pods).sum(),
            None => i64::try_from(self.active.len()).unwrap_or(i64::MAX),
        }
    }
}

/// The sizes of the batches in which `count` Pods are created, when none fails.
pub fn slow_start_batches(count: usize, first: usize) -> Vec<usize> {
    let mut batches = Vec::new();
    let (mut left, mut size) = (count, first.max(1).min(count));
    while size > 0 {
        batches.push(size);
        left -= size;
        size = left.min(size.saturating_mul(2));
    }
    batches
}

impl Controller for ReplicaSetController {
    const ID: ControllerId = ControllerId::ReplicaSet;
    const WORKERS: usize = 5;
    const DEADLINE: &'static str = "replicaset.min_ready_seconds";
    type Sync = Sync;

    fn start(&mut self, caches: &Caches, work: &mut Work<'_>, _ctx: &mut Ctx<'_>) {
        for set in caches.list(Kind::ReplicaSet) {
            work.add(set.key(), None);
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
            Kind::ReplicaSet => {
                if event.new.is_none() {
                    self.expectations.forget(&object.key());
                    self.written.remove(&object.key());
                }
                work.add(object.key(), event.cause);
            }
            Kind::Pod => self.pod(event, caches, work),
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
        match stage {
            0 => self.begin(key, sync, caches, ctx),
            ASKED => match answers.first() {
                Some(Ok(answer))
                    if sync
                        .set
                        .as_ref()
                        .is_some_and(|s| s.uid() == answer.object.uid())
                        && !answer.object.is_being_deleted() =>
                {
                    let requests = self.claims(sync, caches, ctx, true);
                    Next::Call {
                        requests,
                        stage: CLAIMED,
                    }
                }
                Some(Err(failure)) => Next::Retry(failure_text(failure).to_string()),
                _ => Next::Retry("the ReplicaSet has been replaced".into()),
            },
            CLAIMED => {
                for answer in answers.iter().flatten() {
                    let revision = answer.object.resource_version();
                    self.wrote(key, 0, revision);
                }
                match meta::first_failure(answers) {
                    None => self.manage(key, sync, caches, ctx),
                    Some(text) => Next::Retry(text.to_string()),
                }
            }
            CREATED => self.created(key, sync, answers, ctx),
            DELETED => self.deleted(key, sync, answers, ctx),
            WRITTEN | WRITTEN_AGAIN => {
                if let Some(Ok(answer)) = answers.first() {
                    self.wrote(key, answer.object.resource_version(), 0);
                    return end(sync, ctx);
                }
                match answers.first() {
                    Some(answer) if stage == WRITTEN && meta::code(answer) != 404 => Next::Call {
                        requests: vec![Request::get(
                            Kind::ReplicaSet,
                            key.namespace.clone(),
                            key.name.clone(),
                        )],
                        stage: READ_AGAIN,
                    },
                    Some(Err(failure)) => Next::Retry(failure_text(failure).to_string()),
                    _ => Next::Done,
                }
            }
            _ => match answers.first() {
                Some(Ok(Answer { object, .. })) => {
                    sync.set = Some(object.clone());
                    self.write_status(sync, ctx, WRITTEN_AGAIN)
                }
                Some(Err(failure)) => Next::Retry(failure_text(failure).to_string()),
                None => Next::Done,
            },
        }
    }
}

impl ReplicaSetController {
    fn pod(&mut self, event: &CacheEvent, caches: &Caches, work: &mut Work<'_>) {
        let Some(pod) = event.object() else { return };
        let owner = |p: &Object| controller_of(caches, Kind::ReplicaSet, p).cloned();
        let going = event.new.as_ref().is_none_or(|p| p.is_being_deleted());
        if going {
            // A Pod that is going away counts as gone: its replacement is not held up by it.
            for object in event.old.iter().chain(&event.new) {
                if let Some(set) = owner(object) {
                    self.expectations.deleted(&set.key(), pod.uid());
                    work.add(set.key(), event.cause);
                }
            }
            return;
        }
        if let Some(old) = &event.old
            && old.controller() != pod.controller()
            && let Some(set) = owner(old)
        {
            work.add(set.key(), event.cause);
        }
        match pod.controller() {
            Some(_) => {
                if let Some(set) = owner(pod) {
                    if event.old.is_none() {
                        self.expectations.created(&set.key(), 1);
                    }
                    work.add(set.key(), event.cause);
                }
            }
            None => {
                let changed = event.old.as_ref().is_none_or(|old| {
                    old.labels() != pod.labels() || old.controller() != pod.controller()
                });
                if changed {
                    for set in selecting(caches, Kind::ReplicaSet, pod) {
                        work.add(set.key(), event.cause);
                    }
                }
            }
        }
    }

    fn wrote(&mut self, key: &Key, set: u64, pods: u64) {
        let newest = self.written.entry(key.clone()).or_default();
        newest.0 = newest.0.max(set);
        newest.1 = newest.1.max(pods);
    }

    fn begin(&mut self, key: &Key, sync: &mut Sync, caches: &Caches, ctx: &mut Ctx<'_>) -> Next {
        let Some(set) = caches.get(Kind::ReplicaSet, key) else {
            return Next::Done;
        };
        let (set_revision, pod_revision) = self.written.get(key).copied().unwrap_or_default();
        if seen(caches, Kind::ReplicaSet) < set_revision || seen(caches, Kind::Pod) < pod_revision {
            return Next::Retry("the cache has not seen this controller's own writes yet".into());
        }
        sync.set = Some(set.clone());
        sync.manage = self.expectations.satisfied(key, ctx.now()) && !set.is_being_deleted();
        if !set.is_being_deleted() && self.orphans(set, caches).next().is_some() {
            return Next::Call {
                requests: vec![Request::get(
                    Kind::ReplicaSet,
                    key.namespace.clone(),
                    key.name.clone(),
                )],
                stage: ASKED,
            };
        }
        let requests = self.claims(sync, caches, ctx, false);
        if requests.is_empty() {
            return self.manage(key, sync, caches, ctx);
        }
        Next::Call {
            requests,
            stage: CLAIMED,
        }
    }

    fn orphans<'a>(
        &self,
        set: &'a Object,
        caches: &'a Caches,
    ) -> impl Iterator<Item = &'a Rc<Object>> + use<'a> {
        let selector = selector(set);
        let alone = caches.tally().into_iter();
        alone
            .flat_map(|tally| tally.alone_in(set.namespace()))
            .filter_map(|key| caches.get(Kind::Pod, key))
            .filter(move |p| meta::is_active(p) && selector.matches(p.labels()))
    }

    /// The patches that release Pods which no longer match and (when asked) adopt orphans.
    fn claims(
        &self,
        sync: &Sync,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
        adopting: bool,
    ) -> Vec<Request> {
        let Some(set) = &sync.set else {
            return Vec::new();
        };
        let selector = selector(set);
        let note = |code, pod: &Object| {
            Note::new(code)
                .about(Kind::ReplicaSet, set.key())
                .arg("pod", pod.name())
        };
        let mut requests = Vec::new();
        let strays = groups(set, caches)
            .iter()
            .any(|g| g.active > 0 && !selector.matches(&g.labels));
        if strays && !set.is_being_deleted() {
            for pod in owned(set, caches).filter(|p| meta::is_active(p)) {
                if !selector.matches(pod.labels()) {
                    ctx.trace_aside(note(RELEASE, pod));
                    requests.push(release(Kind::Pod, pod, set.uid()));
                }
            }
        }
        if adopting {
            for pod in self.orphans(set, caches) {
                ctx.trace_aside(note(ADOPT, pod));
                let owner = owner_reference(Kind::ReplicaSet, set);
                requests.push(adopt(Kind::Pod, pod, owner));
            }
        }
        requests
    }

    /// Compares the number of Pods with `spec.replicas`.
    fn manage(&mut self, key: &Key, sync: &mut Sync, caches: &Caches, ctx: &mut Ctx<'_>) -> Next {
        let Some(set) = sync.set.clone() else {
            return Next::Done;
        };
        let wanted = usize::try_from(replicas(&set)).unwrap_or(0);
        let selector = selector(&set);
        let mine = || {
            groups(&set, caches)
                .iter()
                .filter(|g| selector.matches(&g.labels))
        };
        sync.terminating = mine().map(|g| g.terminating).sum();
        // Pods adopted just now are not in the cache yet; they count all the same.
        let adopted: Vec<Rc<Object>> = if set.is_being_deleted() {
            Vec::new()
        } else {
            self.orphans(&set, caches).cloned().collect()
        };
        let active: i64 = mine().map(|g| g.active).sum();
        let have = usize::try_from(active).unwrap_or(0) + adopted.len();
        let waits = set.at("spec.minReadySeconds").as_int().unwrap_or(0) != 0;
        if adopted.is_empty() && have <= wanted && !waits {
            let counted = mine().filter(|g| g.active > 0).map(|g| Alike {
                labels: g.labels.clone(),
                pods: g.active,
                ready: g.ready,
                available: g.ready,
            });
            sync.counted = Some(counted.collect());
        } else {
            sync.counted = None;
            sync.active = owned(&set, caches)
                .filter(|p| meta::is_active(p) && selector.matches(p.labels()))
                .cloned()
                .chain(adopted)
                .collect();
        }
        if !sync.manage {
            if have != wanted && !set.is_being_deleted() {
                ctx.trace(Note::new(WAIT).about(Kind::ReplicaSet, key.clone()));
            }
            return self.write_status(sync, ctx, WRITTEN);
        }
        if have < wanted {
            sync.missing = (wanted - have).min(BURST);
            sync.batch = 1;
            let missing = i64::try_from(sync.missing).unwrap_or(0);
            self.expectations.expect_creations(key, missing, ctx.now());
            return create_batch(sync, ctx);
        }
        if have > wanted {
            let related = related_pods(&set, caches);
            let diff = (have - wanted).min(BURST);
            sync.doomed = ranking::pods_to_delete(&sync.active, &related, diff, ctx.wall());
            let uids = sync.doomed.iter().map(|p| p.uid().into()).collect();
            self.expectations.expect_deletions(key, uids, ctx.now());
            let note = Note::new(DELETE)
                .about(Kind::ReplicaSet, key.clone())
                .arg("have", i64::try_from(have).unwrap_or(i64::MAX))
                .arg("want", i64::try_from(wanted).unwrap_or(i64::MAX))
                .arg("pods", joined(sync.doomed.iter().map(|p| p.name())));
            ctx.trace(note);
            let requests = sync.doomed.iter().map(|p| {
                let key = p.key();
                Request::delete(Kind::Pod, key.namespace, key.name)
            });
            return Next::Call {
                requests: requests.collect(),
                stage: DELETED,
            };
        }
        self.write_status(sync, ctx, WRITTEN)
    }

    fn created(
        &mut self,
        key: &Key,
        sync: &mut Sync,
        answers: &[Response],
        ctx: &mut Ctx<'_>,
    ) -> Next {
        let Some(set) = sync.set.clone() else {
            return Next::Done;
        };
        let regarding = Regarding::object(Kind::ReplicaSet, &set);
        let mut failed = 0;
        for answer in answers {
            match answer {
                Ok(answer) => {
                    self.wrote(key, 0, answer.object.resource_version());
                    let message = format!("Created pod: {}", answer.object.name());
                    self.recorder.record(
                        ctx,
                        regarding.clone(),
                        "Normal",
                        "SuccessfulCreate",
                        "",
                        &message,
                    );
                }
                // In a namespace that goes away the Pod stays expected, so that nothing is tried for a while.
                Err(_) if meta::namespace_terminating(answer) => {}
                Err(failure) => {
                    failed += 1;
                    let text = failure_text(failure);
                    let message = format!("Error creating: {text}");
                    self.recorder.record(
                        ctx,
                        regarding.clone(),
                        "Warning",
                        "FailedCreate",
                        "",
                        &message,
                    );
                    sync.failure.get_or_insert_with(|| text.to_string());
                }
            }
        }
        sync.missing = sync.missing.saturating_sub(answers.len());
        if failed > 0 {
            // Batches that do not go out any more are not waited for either.
            let skipped = i64::try_from(sync.missing).unwrap_or(0);
            self.expectations.created(key, failed + skipped);
            sync.missing = 0;
            return self.write_status(sync, ctx, WRITTEN);
        }
        if sync.missing > 0 {
            sync.batch = sync.batch.saturating_mul(2);
            return create_batch(sync, ctx);
        }
        self.write_status(sync, ctx, WRITTEN)
    }

    #[inline(never)]
    fn deleted(
        &mut self,
        key: &Key,
        sync: &mut Sync,
        answers: &[Response],
        ctx: &mut Ctx<'_>,
    ) -> Next {
        let Some(set) = sync.set.clone() else {
            return Next::Done;
        };
        let regarding = Regarding::object(Kind::ReplicaSet, &set);
        for (pod, answer) in std::mem::take(&mut sync.doomed).iter().zip(answers) {
            match answer {
                Ok(answer) => {
                    self.wrote(key, 0, answer.object.resource_version());
                    let message = format!("Deleted pod: {}", pod.name());
                    self.recorder.record(
                        ctx,
                        regarding.clone(),
                        "Normal",
                        "SuccessfulDelete",
                        "",
                        &message,
                    );
                }
                Err(failure) => {
                    self.expectations.deleted(key, pod.uid());
                    if meta::code(answer) == 404 {
                        continue;
                    }
                    let text = failure_text(failure);
                    let message = format!("Error deleting: {text}");
                    self.recorder.record(
                        ctx,
                        regarding.clone(),
                        "Warning",
                        "FailedDelete",
                        "",
                        &message,
                    );
                    sync.failure.get_or_insert_with(|| text.to_string());
                }
            }
        }
        self.write_status(sync, ctx, WRITTEN)
    }

    /// Writes the status when it is out of date.
    fn write_status(&mut self, sync: &mut Sync, ctx: &mut Ctx<'_>, stage: u8) -> Next {
        let Some(set) = &sync.set else {
            return Next::Done;
        };
        let now = ctx.wall();
        let one_by_one;
        let active = match &sync.counted {
            Some(counted) => counted,
            None => {
                one_by_one = status::each(set, &sync.active, now);
                &one_by_one
            }
        };
        let failure = sync.failure.as_deref();
        let mut status = status::of(set, active, Some(sync.terminating), failure, now);
        let observed = meta::status_count(set, "observedGeneration");
        if same_counts(set.status(), &status) && observed == set.generation() {
            return end(sync, ctx);
        }
        if set.generation() > 0 {
            status.set("observedGeneration", set.generation());
        }
        let mut object = (**set).clone();
        object.set("status", status);
        let note = Note::new(STATUS)
            .about(Kind::ReplicaSet, set.key())
            .arg("replicas", meta::status_count(&object, "replicas"))
            .arg("ready", meta::status_count(&object, "readyReplicas"))
            .arg(
                "available",
                meta::status_count(&object, "availableReplicas"),
            );
        ctx.trace(note);
        Next::Call {
            requests: vec![Request::update(Kind::ReplicaSet, "status", object)],
            stage,
        }
    }
}

/// The Pods that this ReplicaSet controls.
fn owned<'a>(set: &'a Object, caches: &'a Caches) -> impl Iterator<Item = &'a Rc<Object>> {
    caches
        .owned_by(Kind::Pod, set.uid())
        .filter(|p| p.controller().is_some_and(|c| c.uid == set.uid()))
}

/// The same Pods, counted.
fn groups<'a>(set: &Object, caches: &'a Caches) -> &'a [Group] {
    caches.tally().map_or(&[], |tally| tally.of(set.uid()))
}

/// The Pods of all ReplicaSets with the same owner.
fn related_pods(set: &Object, caches: &Caches) -> Vec<Rc<Object>> {
    let owner = set.controller().map(|c| c.uid).unwrap_or_default();
    caches
        .list_in(Kind::ReplicaSet, set.namespace())
        .filter(|s| {
            s.uid() == set.uid()
                || (!owner.is_empty() && s.controller().is_some_and(|c| c.uid == owner))
        })
        .flat_map(|s| owned(s, caches))
        .cloned()
        .collect()
}

fn seen(caches: &Caches, kind: Kind) -> u64 {
    caches
        .informers()
        .find(|(_, i)| i.kind == kind)
        .map_or(u64::MAX, |(_, i)| i.revision)
}

fn same_counts(a: &Value, b: &Value) -> bool {
    [
        "replicas",
        "fullyLabeledReplicas",
        "readyReplicas",
        "availableReplicas",
    ]
    .iter()
    .all(|field| a.get(field).as_int().unwrap_or(0) == b.get(field).as_int().unwrap_or(0))
        && a.get("terminatingReplicas") == b.get("terminatingReplicas")
        && a.get("conditions").items() == b.get("conditions").items()
}

fn create_batch(sync: &mut Sync, ctx: &mut Ctx<'_>) -> Next {
    let Some(set) = &sync.set else {
        return Next::Done;
    };
    let size = sync.batch.min(sync.missing);
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let note = Note::new(CREATE_BATCH)
        .about(Kind::ReplicaSet, set.key())
        .arg("have", sync.have())
        .arg("want", replicas(set))
        .arg("batch", count(size))
        .arg("left", count(sync.missing - size));
    ctx.trace(note);
    Next::Call {
        requests: (0..size)
            .map(|_| Request::create(Kind::Pod, new_pod(set)))
            .collect(),
        stage: CREATED,
    }
}

/// The Pod that a ReplicaSet creates from its template.
fn new_pod(set: &Object) -> Object {
    let template = set.at("spec.template");
    let mut pod = value!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "generateName": (format!("{}-", set.name())),
            "namespace": (set.key().namespace),
            "ownerReferences": [(owner_reference(Kind::ReplicaSet, set))]
        },
        "spec": (template.get("spec").clone())
    });
    for field in ["labels", "annotations", "finalizers"] {
        let value = template.get("metadata").get(field);
        if !value.is_empty() {
            pod.entry("metadata").set(field, value.clone());
        }
    }
    Object(pod)
}

/// The end of a sync: with `minReadySeconds` it looks again when the next Pod becomes available.
fn end(sync: &mut Sync, ctx: &mut Ctx<'_>) -> Next {
    if let Some(text) = sync.failure.take() {
        return Next::Retry(text);
    }
    let Some(set) = &sync.set else {
        return Next::Done;
    };
    let now = ctx.wall();
    if set.at("spec.minReadySeconds").as_int().unwrap_or(0) == 0 {
        return Next::Done;
    }
    match status::next_available(set, &sync.active, now) {
        Some(at) => {
            let micros = u64::try_from(at.0 - now.0).unwrap_or(0);
            Next::After(SimDuration(micros) + SimDuration::millis(1))
        }
        None => Next::Done,
    }
}
