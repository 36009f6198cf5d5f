//! StatefulSet: Pods with numbers, names and claims that stay; by default one after the other.
//!
//! A Pod is never replaced before the old one of its name is gone from the API.
//!
//! Models: pkg/controller/statefulset (v1.36)
//! Left out: claims that are deleted when the set shrinks.

mod events;
pub mod plan;

use super::meta::{self, adopt, controller_of, failure_text, owner_reference, selecting, selector};
use super::pod_control::{self, Claim, Written};
use super::revisions::{self, REVISION_LABEL};
use super::{Controller, Next, Resume, Work};
use crate::client::informer::{CacheEvent, Caches};
use crate::client::recorder::{Recorder, Regarding, Style};
use crate::component::ControllerId;
use crate::sim::Ctx;
use crate::trace::{Note, joined};
use plan::{Plan, State};
use podscope_api::{Key, Kind, Object, Request, Response};
use podscope_kernel::SimDuration;
use std::rc::Rc;

crate::codes! {
    /// The next Pod by number is created (with its claims).
    CREATE = "statefulset.create";
    /// A Pod goes: beyond the number wanted, ended, or old in a rolling update.
    DELETE = "statefulset.delete";
    /// The template is new: a revision keeps it.
    REVISION = "statefulset.revision";
    /// A Pod that is not healthy holds up those after it.
    WAIT = "statefulset.wait";
    /// The status is out of date and written.
    STATUS = "statefulset.status";
}

const ASKED: u8 = 1;
const CLAIMED: u8 = 2;
const REVISED: u8 = 3;
const CLAIMS: u8 = 4;
const CREATED: u8 = 5;
const MENDED: u8 = 6;
const DELETED: u8 = 7;
const WRITTEN: u8 = 8;
const READ_AGAIN: u8 = 9;
const WRITTEN_AGAIN: u8 = 10;
const CLEANED: u8 = 11;

/// The controller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StatefulSetController {
    recorder: Recorder,
    written: Written,
}

impl Default for StatefulSetController {
    fn default() -> Self {
        StatefulSetController {
            recorder: Recorder::new("statefulset-controller", "", Style::Core),
            written: Written::default(),
        }
    }
}

/// A sync in progress.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sync {
    set: Option<Rc<Object>>,
    claim: Claim,
    /// Revisions without an owner that the set takes.
    revisions: Vec<Rc<Object>>,
    update: Option<Rc<Object>>,
    plan: Plan,
    /// Claims that are being created, each with its Pod's name.
    claims: Vec<(Object, String)>,
    /// How many Pods go out next.
    batch: usize,
    status: Option<podscope_api::Value>,
    failure: Option<String>,
}

impl Controller for StatefulSetController {
    const ID: ControllerId = ControllerId::StatefulSet;
    const WORKERS: usize = 5;
    const DEADLINE: &'static str = "statefulset.min_ready_seconds";
    type Sync = Sync;

    fn start(&mut self, caches: &Caches, work: &mut Work<'_>, _ctx: &mut Ctx<'_>) {
        for set in caches.list(Kind::StatefulSet) {
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
            Kind::StatefulSet => {
                if event.new.is_none() {
                    self.written.forget(&object.key());
                }
                work.add(object.key(), event.cause);
            }
            Kind::Pod => {
                for pod in event.old.iter().chain(&event.new) {
                    if let Some(set) = controller_of(caches, Kind::StatefulSet, pod) {
                        work.add(set.key(), event.cause);
                    }
                }
                if object.controller().is_none() && event.new.is_some() {
                    for set in selecting(caches, Kind::StatefulSet, object) {
                        work.add(set.key(), event.cause);
                    }
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
        let Some(set) = sync.set.clone() else {
            return self.begin(key, sync, caches);
        };
        match stage {
            ASKED => match pod_control::may_not_adopt(&set, answers) {
                Some(why) => Next::Retry(why),
                None => self.take(&set, sync),
            },
            CLAIMED => {
                let (own, pods) = answers.split_at(sync.revisions.len().min(answers.len()));
                for (place, answer) in sync.revisions.iter_mut().zip(own) {
                    if let Ok(answer) = answer {
                        *place = answer.object.clone();
                    }
                }
                match meta::first_failure(own).map(|t| t.to_string()) {
                    Some(why) => Next::Retry(why),
                    None => match sync.claim.answered(pods) {
                        Some(why) => Next::Retry(why),
                        None => self.revision(&set, sync, caches, ctx),
                    },
                }
            }
            REVISED => match answers.first() {
                Some(Ok(answer)) => {
                    sync.update = Some(answer.object.clone());
                    self.decide(&set, sync, caches, ctx)
                }
                _ => Next::Retry(first_words(answers)),
            },
            CLAIMS => self.claims_made(&set, sync, answers, ctx),
            CREATED => self.pods_made(&set, sync, answers, ctx),
            MENDED => {
                sync.failure = meta::first_failure(answers).map(|t| t.to_string());
                self.delete(&set, sync, ctx)
            }
            DELETED => {
                for (pod, answer) in std::mem::take(&mut sync.plan.delete).iter().zip(answers) {
                    self.tell(&set, "Delete", "Pod", pod.name(), "", answer, ctx);
                    self.note(answer, sync);
                }
                self.write_status(&set, sync, ctx, WRITTEN)
            }
            WRITTEN if answers.first().is_some_and(|a| meta::code(a) == 409) => Next::Call {
                requests: vec![Request::get(
                    Kind::StatefulSet,
                    key.namespace.clone(),
                    key.name.clone(),
                )],
                stage: READ_AGAIN,
            },
            READ_AGAIN => match answers.first() {
                Some(Ok(answer)) => {
                    let set = answer.object.clone();
                    sync.set = Some(set.clone());
                    self.write_status(&set, sync, ctx, WRITTEN_AGAIN)
                }
                _ => Next::Retry(first_words(answers)),
            },
            WRITTEN | WRITTEN_AGAIN => match answers.first() {
                Some(Err(failure)) if meta::code(&answers[0]) != 404 => {
                    Next::Retry(failure_text(failure).to_string())
                }
                _ => {
                    if let Some(answer) = answers.first() {
                        self.written.answer(key, true, answer);
                    }
                    self.clean_up(&set, sync, caches)
                }
            },
            _ => end(&set, sync),
        }
    }
}

fn first_words(answers: &[Response]) -> String {
    meta::first_failure(answers).map_or_else(String::new, |t| t.to_string())
}

/// The end of a sync: with `minReadySeconds` it looks again when Pods may have become available.
fn end(set: &Object, sync: &mut Sync) -> Next {
    if let Some(why) = sync.failure.take() {
        return Next::Retry(why);
    }
    let status = sync.status.as_ref().unwrap_or(set.status());
    if plan::waits_for_available(set, status) {
        let seconds = set.at("spec.minReadySeconds").as_int().unwrap_or(0);
        return Next::After(SimDuration::secs(u64::try_from(seconds).unwrap_or(0)));
    }
    Next::Done
}

impl StatefulSetController {
    fn begin(&mut self, key: &Key, sync: &mut Sync, caches: &Caches) -> Next {
        let Some(set) = caches.get(Kind::StatefulSet, key).cloned() else {
            return Next::Done;
        };
        if self.written.unseen(key, Kind::StatefulSet, caches) {
            return pod_control::lagging();
        }
        let selector = selector(&set);
        if !set.is_being_deleted() {
            let orphans = caches
                .list_in(Kind::ControllerRevision, set.namespace())
                .filter(|r| r.controller().is_none() && selector.matches(r.labels()));
            sync.revisions = orphans.cloned().collect();
        }
        let named = |pod: &Object| plan::ordinal(set.name(), pod.name()).is_some();
        sync.claim = pod_control::claim(&set, &selector, Kind::Pod, caches, &named);
        sync.set = Some(set.clone());
        let none = sync.revisions.is_empty();
        if !none || !sync.claim.orphans.is_empty() {
            return Next::Call {
                requests: vec![Request::get(
                    Kind::StatefulSet,
                    key.namespace.clone(),
                    key.name.clone(),
                )],
                stage: ASKED,
            };
        }
        self.take(&set, sync)
    }

    fn take(&mut self, set: &Object, sync: &Sync) -> Next {
        let owner = owner_reference(Kind::StatefulSet, set);
        let revisions = sync.revisions.iter();
        let mut requests: Vec<Request> = revisions
            .map(|r| adopt(Kind::ControllerRevision, r, owner.clone()))
            .collect();
        requests.extend(sync.claim.requests(Kind::StatefulSet, set, Kind::Pod));
        Next::Call {
            requests,
            stage: CLAIMED,
        }
    }

    fn all(&self, set: &Object, sync: &Sync, caches: &Caches) -> Vec<Rc<Object>> {
        let mut all = revisions::of(set, caches);
        for revision in &sync.revisions {
            if !all.iter().any(|r| r.name() == revision.name()) {
                all.push(revision.clone());
            }
        }
        podscope_api::sort::by_key(&mut all, |r| {
            (revisions::number(r), r.created(), r.name().to_string())
        });
        all
    }

    /// Finds the revision with the template, or keeps the template in a new one.
    fn revision(
        &mut self,
        set: &Rc<Object>,
        sync: &mut Sync,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) -> Next {
        let all = self.all(set, sync, caches);
        let next = revisions::next_number(&all);
        let call = |request| Next::Call {
            requests: vec![request],
            stage: REVISED,
        };
        match revisions::find(&all, &revisions::data(set)) {
            Some(found) if all.last().is_some_and(|last| last.name() != found.name()) => {
                call(revisions::renumbered(found, next))
            }
            Some(found) => {
                sync.update = Some(found.clone());
                self.decide(set, sync, caches, ctx)
            }
            None => {
                let revision = revisions::new(Kind::StatefulSet, set, next);
                let note = Note::new(REVISION)
                    .about(Kind::StatefulSet, set.key())
                    .arg("name", revision.name())
                    .arg("revision", next);
                ctx.trace(note);
                call(Request::create(Kind::ControllerRevision, revision))
            }
        }
    }

    fn decide(
        &mut self,
        set: &Rc<Object>,
        sync: &mut Sync,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) -> Next {
        let Some(update) = sync.update.clone() else {
            return Next::Done;
        };
        let current = self.current(set, sync, caches).unwrap_or(update.clone());
        let state = State {
            set,
            current: &current,
            update: &update,
            pods: &sync.claim.mine,
            now: ctx.wall(),
        };
        sync.plan = plan::plan(state);
        sync.status = Some(plan::status(state));
        if sync.plan == Plan::default()
            && meta::status_count(set, "replicas") != meta::replicas(set)
            && !set.is_being_deleted()
        {
            ctx.trace_aside(Note::new(WAIT).about(Kind::StatefulSet, set.key()));
        }
        sync.batch = 1;
        self.create(set, sync, caches, ctx)
    }

    fn current(&self, set: &Object, sync: &Sync, caches: &Caches) -> Option<Rc<Object>> {
        let name = set.at("status.currentRevision").as_str()?;
        let all = self.all(set, sync, caches);
        all.into_iter().find(|r| r.name() == name)
    }

    /// The next Pods: first the claims that they lack.
    fn create(
        &mut self,
        set: &Object,
        sync: &mut Sync,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) -> Next {
        if sync.plan.create.is_empty() {
            return self.mend(sync);
        }
        let note = Note::new(CREATE)
            .about(Kind::StatefulSet, set.key())
            .arg("pods", joined(sync.plan.create.iter().map(|p| p.name())));
        ctx.trace(note);
        sync.claims.clear();
        for pod in &sync.plan.create {
            let ordinal = plan::ordinal(set.name(), pod.name()).unwrap_or(0);
            for claim in plan::claims(set, ordinal) {
                let key = claim.key();
                if caches.get(Kind::PersistentVolumeClaim, &key).is_none() {
                    sync.claims.push((claim, pod.name().into()));
                }
            }
        }
        let create =
            |(c, _): &(Object, String)| Request::create(Kind::PersistentVolumeClaim, c.clone());
        Next::Call {
            requests: sync.claims.iter().map(create).collect(),
            stage: CLAIMS,
        }
    }

    fn claims_made(
        &mut self,
        set: &Rc<Object>,
        sync: &mut Sync,
        answers: &[Response],
        ctx: &mut Ctx<'_>,
    ) -> Next {
        for ((claim, pod), answer) in std::mem::take(&mut sync.claims).iter().zip(answers) {
            self.tell(set, "Create", "Claim", claim.name(), pod, answer, ctx);
            self.note(answer, sync);
        }
        if let Some(why) = sync.failure.clone() {
            // No Pod without its claims.
            for pod in std::mem::take(&mut sync.plan.create) {
                let message = format!(
                    "Create Pod {} in StatefulSet {} failed error: {why}",
                    pod.name(),
                    set.name()
                );
                let regarding = Regarding::object(Kind::StatefulSet, set);
                self.recorder
                    .record(ctx, regarding, "Warning", "FailedCreate", "", &message);
            }
            return self.write_status(set, sync, ctx, WRITTEN);
        }
        self.next_pods(sync)
    }

    /// The next batch of Pods.
    fn next_pods(&mut self, sync: &Sync) -> Next {
        let batch = sync.plan.create.iter().take(sync.batch);
        Next::Call {
            requests: batch
                .map(|p| Request::create(Kind::Pod, p.clone()))
                .collect(),
            stage: CREATED,
        }
    }

    fn pods_made(
        &mut self,
        set: &Rc<Object>,
        sync: &mut Sync,
        answers: &[Response],
        ctx: &mut Ctx<'_>,
    ) -> Next {
        let rest = sync
            .plan
            .create
            .split_off(answers.len().min(sync.plan.create.len()));
        for (pod, answer) in std::mem::replace(&mut sync.plan.create, rest)
            .iter()
            .zip(answers)
        {
            // Somebody else's Pod of that name: tried again without a word.
            if meta::code(answer) != 409 {
                self.tell(set, "Create", "Pod", pod.name(), "", answer, ctx);
            }
            self.note(answer, sync);
        }
        if sync.failure.is_some() {
            return self.write_status(set, sync, ctx, WRITTEN);
        }
        if sync.plan.create.is_empty() {
            return self.mend(sync);
        }
        sync.batch = sync.batch.saturating_mul(2);
        self.next_pods(sync)
    }

    fn mend(&mut self, sync: &mut Sync) -> Next {
        let mend = std::mem::take(&mut sync.plan.mend).into_iter();
        Next::Call {
            requests: mend.map(|p| Request::update(Kind::Pod, "", p)).collect(),
            stage: MENDED,
        }
    }

    fn delete(&mut self, set: &Object, sync: &Sync, ctx: &mut Ctx<'_>) -> Next {
        if !sync.plan.delete.is_empty() {
            let note = Note::new(DELETE)
                .about(Kind::StatefulSet, set.key())
                .arg("pods", joined(sync.plan.delete.iter().map(|p| p.name())));
            ctx.trace(note);
        }
        Next::Call {
            requests: pod_control::deletions(&sync.plan.delete),
            stage: DELETED,
        }
    }

    /// Remembers what an answer tells about this controller's own writes.
    fn note(&mut self, answer: &Response, sync: &mut Sync) {
        match answer {
            Ok(object) if object.object.kind() == Some(Kind::Pod) => {
                if let Some(set) = &sync.set {
                    self.written.answer(&set.key(), false, answer);
                }
            }
            Ok(_) => {}
            Err(failure) if meta::code(answer) != 404 => {
                let text = failure_text(failure).to_string();
                sync.failure.get_or_insert(text);
            }
            Err(_) => {}
        }
    }

    fn write_status(
        &mut self,
        set: &Rc<Object>,
        sync: &Sync,
        ctx: &mut Ctx<'_>,
        stage: u8,
    ) -> Next {
        let wanted = sync
            .status
            .as_ref()
            .filter(|status| *status != set.status());
        let Some(status) = wanted else {
            return Next::Call {
                requests: Vec::new(),
                stage: WRITTEN_AGAIN,
            };
        };
        let mut object = (**set).clone();
        object.set("status", status.clone());
        let note = Note::new(STATUS)
            .about(Kind::StatefulSet, set.key())
            .arg("replicas", meta::status_count(&object, "replicas"))
            .arg("ready", meta::status_count(&object, "readyReplicas"))
            .arg("updated", meta::status_count(&object, "updatedReplicas"));
        ctx.trace(note);
        Next::Call {
            requests: vec![Request::update(Kind::StatefulSet, "status", object)],
            stage,
        }
    }

    fn clean_up(&mut self, set: &Object, sync: &Sync, caches: &Caches) -> Next {
        let limit = set.at("spec.revisionHistoryLimit").as_int().unwrap_or(10);
        let all = self.all(set, sync, caches);
        let current = set.at("status.currentRevision").as_str();
        let update = sync.update.as_ref().map(|u| u.name());
        let requests = revisions::clean_up(&all, limit, &|revision| {
            let name = Some(revision.name());
            let used = |p: &Rc<Object>| p.label(REVISION_LABEL) == name;
            name == current || name == update || sync.claim.mine.iter().any(used)
        });
        Next::Call {
            requests,
            stage: CLEANED,
        }
    }
}
