//! DaemonSet: one Pod on every Node that fits.
//!
//! It does not bind its Pods: it writes the Node's name into their affinity and leaves the rest to the scheduler.
//!
//! Models: pkg/controller/daemon (v1.36)
//! Left out: two revisions with the same data.

pub mod plan;

use super::meta::{self, controller_of, failure_text, selecting, selector};
use super::pod_control::{self, Batches, Claim, Written};
use super::replicaset::expectations::Expectations;
use super::revisions::{self, REVISION_LABEL};
use super::{Controller, Next, Resume, Work};
use crate::client::informer::{CacheEvent, Caches};
use crate::client::recorder::{Recorder, Regarding, Style};
use crate::component::ControllerId;
use crate::sim::Ctx;
use crate::trace::{Note, joined};
use plan::Plan;
use podscope_api::{Key, Kind, Object, Request, Response, Text};
use podscope_kernel::collections::BTreeMap;
use podscope_kernel::{SimDuration, SimTime};
use std::rc::Rc;

crate::codes! {
    /// Nodes lack a Pod: they get one each.
    CREATE = "daemonset.create";
    /// Pods go: superfluous, ended, or old in a rolling update.
    DELETE = "daemonset.delete";
    /// The template is new: a revision keeps it.
    REVISION = "daemonset.revision";
    /// The status is out of date and written.
    STATUS = "daemonset.status";
}

/// How many Pods one sync creates or deletes at most.
const BURST: usize = 250;
/// First and longest wait before a failed Pod of a Node is replaced again.
const BACK_OFF: (SimDuration, SimDuration) = (SimDuration::secs(1), SimDuration::secs(900));

const ASKED: u8 = 1;
const CLAIMED: u8 = 2;
const REVISED: u8 = 3;
const CREATED: u8 = 4;
const DELETED: u8 = 5;
const CLEANED: u8 = 6;
const WRITTEN: u8 = 7;
const READ_AGAIN: u8 = 8;
const WRITTEN_AGAIN: u8 = 9;

/// The controller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DaemonSetController {
    recorder: Recorder,
    expectations: Expectations,
    written: Written,
    /// Failed Pods by set and Node: when the last one was replaced, how long to wait after it.
    failed: BTreeMap<(Text, Text), (SimTime, SimDuration)>,
}

impl Default for DaemonSetController {
    fn default() -> Self {
        DaemonSetController {
            recorder: Recorder::new("daemonset-controller", "", Style::Core),
            expectations: Expectations::default(),
            written: Written::default(),
            failed: BTreeMap::new(),
        }
    }
}

/// A sync in progress.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sync {
    set: Option<Rc<Object>>,
    claim: Claim,
    hash: Text,
    observed: bool,
    creating: Batches,
    doomed: Vec<Rc<Object>>,
    failure: Option<String>,
    /// When a failed Pod may be replaced.
    again: Option<SimDuration>,
}

fn nodes(caches: &Caches) -> Vec<Rc<Object>> {
    caches.list(Kind::Node).cloned().collect()
}

impl Controller for DaemonSetController {
    const ID: ControllerId = ControllerId::DaemonSet;
    const WORKERS: usize = 2;
    const DEADLINE: &'static str = "daemonset.min_ready_seconds";
    type Sync = Sync;

    fn start(&mut self, caches: &Caches, work: &mut Work<'_>, _ctx: &mut Ctx<'_>) {
        for set in caches.list(Kind::DaemonSet) {
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
            Kind::DaemonSet => {
                if event.new.is_none() {
                    self.expectations.forget(&object.key());
                    self.written.forget(&object.key());
                }
                work.add(object.key(), event.cause);
            }
            Kind::Pod => self.pod(event, caches, work),
            Kind::ControllerRevision => {
                if let Some(set) = controller_of(caches, Kind::DaemonSet, object) {
                    work.add(set.key(), event.cause);
                }
            }
            Kind::Node => {
                for set in caches.list(Kind::DaemonSet) {
                    let runs = |node: &Option<Rc<Object>>| {
                        node.as_ref().map(|node| plan::should_run(set, node))
                    };
                    if runs(&event.old) != runs(&event.new) && event.new.is_some() {
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
            return self.begin(key, sync, caches, ctx);
        };
        let failure = || meta::first_failure(answers).map(|text| text.to_string());
        match stage {
            ASKED => match pod_control::may_not_adopt(&set, answers) {
                Some(why) => Next::Retry(why),
                None => Next::Call {
                    requests: sync.claim.requests(Kind::DaemonSet, &set, Kind::Pod),
                    stage: CLAIMED,
                },
            },
            CLAIMED => match sync.claim.answered(answers) {
                Some(why) => Next::Retry(why),
                None => self.revision(&set, sync, caches, ctx),
            },
            REVISED => match answers.first() {
                Some(Ok(answer)) => {
                    sync.hash = answer.object.label(REVISION_LABEL).unwrap_or("").into();
                    self.manage(key, &set, sync, caches, ctx)
                }
                _ => Next::Retry(failure().unwrap_or_default()),
            },
            CREATED => {
                self.written.pods(key, answers);
                let regarding = Regarding::object(Kind::DaemonSet, &set);
                let (failed, why) =
                    pod_control::created(&mut self.recorder, &regarding, answers, ctx);
                if failed > 0 {
                    let skipped = sync.creating.stop();
                    let lost = i64::try_from(failed + skipped).unwrap_or(0);
                    self.expectations.created(key, lost);
                    sync.failure = why.or(sync.failure.take());
                }
                self.act(sync)
            }
            DELETED => {
                self.written.pods(key, answers);
                let regarding = Regarding::object(Kind::DaemonSet, &set);
                let doomed = std::mem::take(&mut sync.doomed);
                let (failed, why) =
                    pod_control::deleted(&mut self.recorder, &regarding, &doomed, answers, ctx);
                for pod in failed {
                    self.expectations.deleted(key, pod.uid());
                }
                sync.failure = sync.failure.take().or(why);
                self.clean_up(&set, sync, caches)
            }
            CLEANED => self.write_status(&set, sync, caches, ctx, WRITTEN),
            WRITTEN => match answers.first() {
                Some(Err(_)) if meta::code(&answers[0]) == 409 => Next::Call {
                    requests: vec![Request::get(
                        Kind::DaemonSet,
                        key.namespace.clone(),
                        key.name.clone(),
                    )],
                    stage: READ_AGAIN,
                },
                _ => self.ended(&set, sync, answers),
            },
            READ_AGAIN => match answers.first() {
                Some(Ok(answer)) => {
                    let set = answer.object.clone();
                    sync.set = Some(set.clone());
                    self.write_status(&set, sync, caches, ctx, WRITTEN_AGAIN)
                }
                _ => end(&set, sync, answers),
            },
            _ => self.ended(&set, sync, answers),
        }
    }
}

/// The end of a sync: a set whose Pods have to stay ready for a while is looked at again.
fn end(set: &Object, sync: &mut Sync, answers: &[Response]) -> Next {
    let mut set = set;
    match answers.first() {
        Some(Err(failure)) if meta::code(&answers[0]) != 404 => {
            return Next::Retry(failure_text(failure).to_string());
        }
        Some(Ok(answer)) => set = &answer.object,
        _ => {}
    }
    if let Some(why) = sync.failure.take() {
        return Next::Retry(why);
    }
    if let Some(wait) = sync.again {
        return Next::After(wait);
    }
    if plan::waits_for_available(set) {
        let seconds = set.at("spec.minReadySeconds").as_int().unwrap_or(0);
        return Next::After(SimDuration::secs(u64::try_from(seconds).unwrap_or(0)));
    }
    Next::Done
}

impl DaemonSetController {
    fn ended(&mut self, set: &Object, sync: &mut Sync, answers: &[Response]) -> Next {
        if let Some(answer) = answers.first() {
            self.written.answer(&set.key(), true, answer);
        }
        end(set, sync, answers)
    }

    fn pod(&mut self, event: &CacheEvent, caches: &Caches, work: &mut Work<'_>) {
        let Some(pod) = event.object() else { return };
        let going = event.new.as_ref().is_none_or(|p| p.is_being_deleted());
        for object in event.old.iter().chain(&event.new) {
            if let Some(set) = controller_of(caches, Kind::DaemonSet, object) {
                if going {
                    self.expectations.deleted(&set.key(), pod.uid());
                } else if event.old.is_none() {
                    self.expectations.created(&set.key(), 1);
                }
                work.add(set.key(), event.cause);
            }
        }
        if pod.controller().is_none() && !going {
            for set in selecting(caches, Kind::DaemonSet, pod) {
                work.add(set.key(), event.cause);
            }
        }
    }

    fn begin(&mut self, key: &Key, sync: &mut Sync, caches: &Caches, ctx: &mut Ctx<'_>) -> Next {
        let Some(set) = caches.get(Kind::DaemonSet, key).cloned() else {
            return Next::Done;
        };
        if self.written.unseen(key, Kind::DaemonSet, caches) {
            return pod_control::lagging();
        }
        if set.at("spec.selector").is_empty() {
            let message =
                "This daemon set is selecting all pods. A non-empty selector is required.";
            let regarding = Regarding::object(Kind::DaemonSet, &set);
            self.recorder
                .record(ctx, regarding, "Warning", "SelectingAll", "", message);
            return Next::Done;
        }
        if set.is_being_deleted() {
            return Next::Done;
        }
        sync.set = Some(set.clone());
        sync.claim = pod_control::claim(&set, &selector(&set), Kind::Pod, caches, &|_| true);
        if !sync.claim.orphans.is_empty() {
            return Next::Call {
                requests: vec![Request::get(
                    Kind::DaemonSet,
                    key.namespace.clone(),
                    key.name.clone(),
                )],
                stage: ASKED,
            };
        }
        if !sync.claim.is_settled() {
            return Next::Call {
                requests: sync.claim.requests(Kind::DaemonSet, &set, Kind::Pod),
                stage: CLAIMED,
            };
        }
        self.revision(&set, sync, caches, ctx)
    }

    /// Finds the revision with the template, or keeps the template in a new one.
    fn revision(
        &mut self,
        set: &Rc<Object>,
        sync: &mut Sync,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) -> Next {
        let all = revisions::of(set, caches);
        let newest = all.iter().map(|r| revisions::number(r)).max().unwrap_or(0);
        let call = |request| Next::Call {
            requests: vec![request],
            stage: REVISED,
        };
        match revisions::find(&all, &revisions::data(set)) {
            Some(current) if revisions::number(current) < newest => {
                call(revisions::renumbered(current, newest + 1))
            }
            Some(current) => {
                sync.hash = current.label(REVISION_LABEL).unwrap_or("").into();
                self.manage(&set.key(), set, sync, caches, ctx)
            }
            None => {
                let revision = revisions::new(Kind::DaemonSet, set, newest + 1);
                let note = Note::new(REVISION)
                    .about(Kind::DaemonSet, set.key())
                    .arg("name", revision.name())
                    .arg("revision", newest + 1);
                ctx.trace(note);
                call(Request::create(Kind::ControllerRevision, revision))
            }
        }
    }

    fn manage(
        &mut self,
        key: &Key,
        set: &Rc<Object>,
        sync: &mut Sync,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) -> Next {
        if !self.expectations.satisfied(key, ctx.now()) {
            return self.write_status(set, sync, caches, ctx, WRITTEN);
        }
        sync.observed = true;
        let nodes = nodes(caches);
        let (pods, hash, now) = (&sync.claim.mine, &*sync.hash, ctx.wall());
        let (failed, at) = (&mut self.failed, ctx.now());
        let mut again = None;
        let mut held_back = |node: &str| back_off(failed, set, node, at, &mut again);
        let mut plan = plan::manage(set, &nodes, pods, hash, now, &mut held_back);
        sync.again = again;
        if plan == Plan::default() && plan::is_rolling(set) {
            plan = plan::rolling(set, &nodes, pods, hash, now);
        }
        plan.create.truncate(BURST);
        plan.delete.truncate(BURST);
        let regarding = Regarding::object(Kind::DaemonSet, set);
        for pod in &plan.ended {
            let node = pod.at("spec.nodeName").str_or_empty();
            let failed = pod.at("status.phase").as_str() == Some("Failed");
            let (event, reason, what, then) = if failed {
                ("Warning", "FailedDaemonPod", "failed", "kill")
            } else {
                ("Normal", "SucceededDaemonPod", "succeeded", "delete")
            };
            let (namespace, name) = (pod.namespace(), pod.name());
            let message = format!(
                "Found {what} daemon pod {namespace}/{name} on node {node}, will try to {then} it"
            );
            self.recorder
                .record(ctx, regarding.clone(), event, reason, "", &message);
        }
        let uids = plan.delete.iter().map(|p| p.uid().into()).collect();
        let count = i64::try_from(plan.create.len()).unwrap_or(0);
        self.expectations.expect(key, count, uids, ctx.now());
        if !plan.create.is_empty() {
            let note = Note::new(CREATE)
                .about(Kind::DaemonSet, key.clone())
                .arg("nodes", joined(&plan.create));
            ctx.trace(note);
        }
        if !plan.delete.is_empty() {
            let note = Note::new(DELETE)
                .about(Kind::DaemonSet, key.clone())
                .arg("pods", joined(plan.delete.iter().map(|p| p.name())));
            ctx.trace(note);
        }
        let pods = plan.create.iter().map(|n| plan::new_pod(set, n, hash));
        sync.creating = Batches::new(pods.collect());
        sync.doomed = plan.delete;
        if sync.creating.left() == 0 && sync.doomed.is_empty() {
            return self.clean_up(set, sync, caches);
        }
        self.act(sync)
    }

    /// The next batch of new Pods; after the last one the deletions.
    fn act(&mut self, sync: &mut Sync) -> Next {
        if sync.creating.left() > 0 {
            return Next::Call {
                requests: sync.creating.next_batch(),
                stage: CREATED,
            };
        }
        Next::Call {
            requests: pod_control::deletions(&sync.doomed),
            stage: DELETED,
        }
    }

    fn clean_up(&mut self, set: &Object, sync: &Sync, caches: &Caches) -> Next {
        let limit = set.at("spec.revisionHistoryLimit").as_int().unwrap_or(10);
        let all = revisions::of(set, caches);
        let requests = revisions::clean_up(&all, limit, &|revision| {
            let hash = revision.label(REVISION_LABEL);
            let used = |p: &Rc<Object>| p.label(REVISION_LABEL) == hash;
            hash == Some(&*sync.hash) || sync.claim.mine.iter().any(used)
        });
        Next::Call {
            requests,
            stage: CLEANED,
        }
    }

    fn write_status(
        &mut self,
        set: &Rc<Object>,
        sync: &mut Sync,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
        stage: u8,
    ) -> Next {
        let observed = sync.observed;
        let nodes = nodes(caches);
        let pods = pod_control::claim(set, &selector(set), Kind::Pod, caches, &|_| true).mine;
        let status = plan::status(set, &nodes, &pods, &sync.hash, ctx.wall(), observed);
        if status == *set.status() {
            return end(set, sync, &[]);
        }
        let mut object = (**set).clone();
        object.set("status", status);
        let note = Note::new(STATUS)
            .about(Kind::DaemonSet, set.key())
            .arg(
                "desired",
                meta::status_count(&object, "desiredNumberScheduled"),
            )
            .arg("ready", meta::status_count(&object, "numberReady"))
            .arg(
                "updated",
                meta::status_count(&object, "updatedNumberScheduled"),
            );
        ctx.trace(note);
        Next::Call {
            requests: vec![Request::update(Kind::DaemonSet, "status", object)],
            stage,
        }
    }
}

/// Whether it is too early to replace a failed Pod of this Node; else the next wait is twice as long.
fn back_off(
    failed: &mut BTreeMap<(Text, Text), (SimTime, SimDuration)>,
    set: &Object,
    node: &str,
    now: SimTime,
    again: &mut Option<SimDuration>,
) -> bool {
    let key = (Text::from(set.uid()), Text::from(node));
    if failed.len() > 10_000 {
        failed.clear();
    }
    let (first, longest) = BACK_OFF;
    let wait = match failed.get(&key) {
        Some((at, wait)) if now.since(*at) < *wait => {
            let left = SimDuration(wait.0 - now.since(*at).0);
            *again = Some(again.map_or(left, |a| a.min(left)));
            return true;
        }
        Some((at, wait)) if now.since(*at) <= longest.times(2) => wait.times(2).min(longest),
        _ => first,
    };
    failed.insert(key, (now, wait));
    false
}
