//! Deployment: keeps one ReplicaSet per template and moves replicas from the old ones to the new one.
//!
//! It never touches Pods. A sync is decided as a whole from the caches ([`plan`]) and then carried out
//! write by write; two status writes in one sync end in a 409, which the next sync mends.
//!
//! Models: pkg/controller/deployment (v1.36)

pub mod bounds;
pub mod plan;
pub mod replica_sets;
pub mod scale;
pub mod status;

use super::meta::{
    self, adopt, controller_of, failure_text, owner_reference, reason, release, selecting, selector,
};
use super::{Controller, Next, Resume, Work};
use crate::client::informer::{CacheEvent, Caches};
use crate::client::recorder::{Recorder, Regarding, Style};
use crate::component::ControllerId;
use crate::sim::Ctx;
use crate::trace::{Note, TraceId};
use plan::{Inputs, Plan, Step};
use podscope_api::{Key, Kind, Object, Request, Response};
use podscope_kernel::collections::BTreeMap;
use std::rc::Rc;

crate::codes! {
    /// The template is new: a ReplicaSet for it is created.
    CREATE = "deployment.create_replica_set";
    /// A ReplicaSet gets more replicas.
    SCALE_UP = "deployment.scale_up";
    /// A ReplicaSet loses replicas.
    SCALE_DOWN = "deployment.scale_down";
    /// A ReplicaSet beyond the history limit is deleted.
    CLEAN_UP = "deployment.clean_up";
    /// The status is out of date and written.
    STATUS = "deployment.status";
    /// Another template has the same hash: a new name is tried.
    COLLISION = "deployment.hash_collision";
    /// A ReplicaSet without owner that the selector matches is adopted.
    ADOPT = "deployment.adopt";
    /// A ReplicaSet that the selector no longer matches is released.
    RELEASE = "deployment.release";
}

const ASKED: u8 = 1;
const CLAIMED: u8 = 2;
const WRITTEN: u8 = 3;
const GIVEN_UP: u8 = 4;

/// The controller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeploymentController {
    recorder: Recorder,
}

impl Default for DeploymentController {
    fn default() -> Self {
        DeploymentController {
            recorder: Recorder::new(ControllerId::Deployment.name(), "", Style::Core),
        }
    }
}

/// A sync in progress.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sync {
    deployment: Option<Rc<Object>>,
    plan: Plan,
    /// resourceVersions of ReplicaSets that this sync has written, by name.
    written: BTreeMap<Key, String>,
    error: String,
}

impl Controller for DeploymentController {
    const ID: ControllerId = ControllerId::Deployment;
    const WORKERS: usize = 5;
    const MAX_RETRIES: u32 = 15;
    const DEADLINE: &'static str = "deployment.progress_deadline";
    type Sync = Sync;

    fn start(&mut self, caches: &Caches, work: &mut Work<'_>, _ctx: &mut Ctx<'_>) {
        for deployment in caches.list(Kind::Deployment) {
            work.add(deployment.key(), None);
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
            Kind::Deployment => work.add(object.key(), event.cause),
            Kind::ReplicaSet => {
                for set in event.old.iter().chain(&event.new) {
                    match set.controller() {
                        Some(_) => {
                            if let Some(owner) = controller_of(caches, Kind::Deployment, set) {
                                work.add(owner.key(), event.cause);
                            }
                        }
                        None if event.new.is_some() => {
                            for owner in selecting(caches, Kind::Deployment, set) {
                                work.add(owner.key(), event.cause);
                            }
                        }
                        None => {}
                    }
                }
            }
            Kind::Pod if event.new.is_none() => pod_gone(object, caches, work, event.cause),
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
                // The live object must be the cached one and not be going away.
                Some(Ok(answer))
                    if sync
                        .deployment
                        .as_ref()
                        .is_some_and(|d| d.uid() == answer.object.uid())
                        && !answer.object.is_being_deleted() =>
                {
                    let deployment = sync.deployment.clone();
                    let requests = deployment
                        .map(|d| adoptions(&d, caches, ctx))
                        .unwrap_or_default();
                    Next::Call {
                        requests,
                        stage: CLAIMED,
                    }
                }
                Some(Ok(_)) => Next::Retry("the Deployment has been replaced".into()),
                Some(Err(failure)) => Next::Retry(failure_text(failure).to_string()),
                None => Next::Done,
            },
            CLAIMED => match meta::first_failure(answers) {
                // The ReplicaSets' watch events start the next sync.
                None => Next::Done,
                Some(text) => Next::Retry(text.to_string()),
            },
            WRITTEN => {
                let Some(answer) = answers.first() else {
                    return Next::Done;
                };
                self.written(sync, answer, caches, ctx)
            }
            _ => Next::Retry(std::mem::take(&mut sync.error)),
        }
    }
}

impl DeploymentController {
    fn begin(&mut self, key: &Key, sync: &mut Sync, caches: &Caches, ctx: &mut Ctx<'_>) -> Next {
        let Some(deployment) = caches.get(Kind::Deployment, key) else {
            return Next::Done;
        };
        sync.deployment = Some(deployment.clone());
        if !deployment.is_being_deleted() {
            let releases = releases(deployment, caches, ctx);
            if !releases.is_empty() {
                return Next::Call {
                    requests: releases,
                    stage: CLAIMED,
                };
            }
            if orphans(deployment, caches).next().is_some() {
                return Next::Call {
                    requests: vec![Request::get(
                        Kind::Deployment,
                        key.namespace.clone(),
                        key.name.clone(),
                    )],
                    stage: ASKED,
                };
            }
        }
        let sets: Vec<Rc<Object>> = caches
            .owned_by(Kind::ReplicaSet, deployment.uid())
            .filter(|rs| rs.controller().is_some_and(|c| c.uid == deployment.uid()))
            .cloned()
            .collect();
        let pods = sets
            .iter()
            .flat_map(|rs| caches.owned_by(Kind::Pod, rs.uid()))
            .cloned()
            .collect();
        sync.plan = plan::plan(Inputs {
            deployment: (**deployment).clone(),
            sets,
            pods,
            now: ctx.wall(),
        });
        go_on(sync, ctx)
    }

    fn written(
        &mut self,
        sync: &mut Sync,
        answer: &Response,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) -> Next {
        let (Some(step), Some(deployment)) = (sync.plan.steps.pop_front(), sync.deployment.clone())
        else {
            return Next::Done;
        };
        match (&step, answer) {
            (Step::Create(set), Ok(answer)) => {
                remember(sync, &answer.object);
                let size = meta::replicas(set);
                if size > 0 {
                    self.scaled(ctx, &deployment, set, 0, size);
                }
                go_on(sync, ctx)
            }
            (Step::Create(set), Err(_)) => {
                self.not_created(sync, &deployment, set, answer, caches, ctx)
            }
            (Step::Update(set, change), Ok(answer)) => {
                remember(sync, &answer.object);
                if let Some((from, to)) = change {
                    self.scaled(ctx, &deployment, set, *from, *to);
                }
                go_on(sync, ctx)
            }
            (Step::Delete(_), Err(_)) if meta::code(answer) == 404 => go_on(sync, ctx),
            (_, Ok(_)) => go_on(sync, ctx),
            (_, Err(failure)) => Next::Retry(failure_text(failure).to_string()),
        }
    }

    fn scaled(&mut self, ctx: &mut Ctx<'_>, deployment: &Object, set: &Object, from: i64, to: i64) {
        let direction = if to > from { "up" } else { "down" };
        let message = format!(
            "Scaled {direction} replica set {} from {from} to {to}",
            set.name()
        );
        let regarding = Regarding::object(Kind::Deployment, deployment);
        self.recorder
            .record(ctx, regarding, "Normal", "ScalingReplicaSet", "", &message);
    }

    /// The new ReplicaSet could not be created: a name that is taken, or a real refusal.
    #[inline(never)]
    fn not_created(
        &mut self,
        sync: &mut Sync,
        deployment: &Rc<Object>,
        set: &Object,
        answer: &Response,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) -> Next {
        let Err(failure) = answer else {
            return Next::Done;
        };
        let text = failure_text(failure);
        if meta::namespace_terminating(answer) {
            return Next::Done;
        }
        let mut changed = (**deployment).clone();
        if reason(answer) == "AlreadyExists" {
            let ours = caches.get(Kind::ReplicaSet, &set.key()).filter(|rs| {
                rs.controller().is_some_and(|c| c.uid == deployment.uid())
                    && replica_sets::same_template(rs.at("spec.template"), set.at("spec.template"))
            });
            if ours.is_some() {
                // The cache knows it by now: the next sync finds it.
                return Next::Retry(text.to_string());
            }
            let collisions = changed.at("status.collisionCount").as_int().unwrap_or(0) + 1;
            changed.set("status.collisionCount", collisions);
            ctx.trace(
                Note::new(COLLISION)
                    .about(Kind::Deployment, deployment.key())
                    .arg("replicaSet", set.name())
                    .arg("collisions", collisions),
            );
        } else {
            let message = format!(
                "Failed to create new replica set \"{}\": {text}",
                set.name()
            );
            if status::progress_deadline(deployment).is_some() {
                let condition = status::condition(
                    "Progressing",
                    "False",
                    "ReplicaSetCreateError",
                    &message,
                    ctx.wall(),
                );
                status::set_condition(changed.entry("status"), condition);
            }
            let regarding = Regarding::object(Kind::Deployment, deployment);
            self.recorder.record(
                ctx,
                regarding,
                "Warning",
                "ReplicaSetCreateError",
                "",
                &message,
            );
        }
        sync.error = text.to_string();
        if changed == **deployment {
            return Next::Retry(std::mem::take(&mut sync.error));
        }
        Next::Call {
            requests: vec![Request::update(Kind::Deployment, "status", changed)],
            stage: GIVEN_UP,
        }
    }
}

/// A sync writes a ReplicaSet twice at times: the second write is based on the first.
fn remember(sync: &mut Sync, set: &Object) {
    let version = set.at("metadata.resourceVersion").str_or_empty();
    sync.written.insert(set.key(), version.to_string());
}

/// Sends the next write of the plan, or ends the sync.
fn go_on(sync: &mut Sync, ctx: &mut Ctx<'_>) -> Next {
    let (Some(step), Some(deployment)) = (sync.plan.steps.front(), &sync.deployment) else {
        return match sync.plan.again {
            Some(wait) => Next::After(wait),
            None => Next::Done,
        };
    };
    let about = |code: &'static str| Note::new(code).about(Kind::Deployment, deployment.key());
    let request = match step {
        Step::Create(set) => {
            let note = about(CREATE)
                .arg("replicaSet", set.name())
                .arg("replicas", meta::replicas(set))
                .arg("revision", replica_sets::revision(set));
            ctx.trace(note);
            Request::create(Kind::ReplicaSet, set.clone())
        }
        Step::Update(set, change) => {
            if let Some((from, to)) = change {
                let note = about(if to > from { SCALE_UP } else { SCALE_DOWN })
                    .arg("replicaSet", set.name())
                    .arg("from", *from)
                    .arg("to", *to)
                    .arg("desired", meta::replicas(deployment))
                    .arg("maxSurge", bounds::max_surge(deployment))
                    .arg("maxUnavailable", bounds::max_unavailable(deployment));
                ctx.trace(note);
            }
            let mut set = set.clone();
            if let Some(version) = sync.written.get(&set.key()) {
                set.set("metadata.resourceVersion", version.clone());
            }
            Request::update(Kind::ReplicaSet, "", set)
        }
        Step::Delete(key) => {
            ctx.trace(about(CLEAN_UP).arg("replicaSet", key.name.clone()));
            Request::delete(Kind::ReplicaSet, key.namespace.clone(), key.name.clone())
        }
        Step::Status(object) => {
            let progressing = object.condition("Progressing");
            let note = about(STATUS)
                .arg("replicas", meta::status_count(object, "replicas"))
                .arg("updated", meta::status_count(object, "updatedReplicas"))
                .arg("available", meta::status_count(object, "availableReplicas"))
                .arg("progressing", progressing.get("reason").str_or_empty());
            ctx.trace(note);
            Request::update(Kind::Deployment, "status", object.clone())
        }
    };
    Next::Call {
        requests: vec![request],
        stage: WRITTEN,
    }
}

/// A Pod is gone: with `Recreate` the Deployment may be waiting for the last one.
#[inline(never)]
fn pod_gone(pod: &Object, caches: &Caches, work: &mut Work<'_>, cause: Option<TraceId>) {
    let Some(deployment) = controller_of(caches, Kind::ReplicaSet, pod)
        .and_then(|set| controller_of(caches, Kind::Deployment, set))
    else {
        return;
    };
    if deployment.at("spec.strategy.type").as_str() != Some("Recreate") {
        return;
    }
    let left = caches
        .owned_by(Kind::ReplicaSet, deployment.uid())
        .any(|rs| caches.owned_by(Kind::Pod, rs.uid()).next().is_some());
    if !left {
        work.add(deployment.key(), cause);
    }
}

/// ReplicaSets without owner that the Deployment's selector matches.
fn orphans<'a>(deployment: &'a Object, caches: &'a Caches) -> impl Iterator<Item = &'a Rc<Object>> {
    let selector = selector(deployment);
    caches
        .list_in(Kind::ReplicaSet, deployment.namespace())
        .filter(move |rs| {
            rs.controller().is_none()
                && !rs.is_being_deleted()
                && !rs.labels().is_empty()
                && selector.matches(rs.labels())
        })
}

fn adoptions(deployment: &Object, caches: &Caches, ctx: &mut Ctx<'_>) -> Vec<Request> {
    orphans(deployment, caches)
        .map(|rs| {
            let note = Note::new(ADOPT)
                .about(Kind::Deployment, deployment.key())
                .arg("replicaSet", rs.name());
            ctx.trace_aside(note);
            adopt(
                Kind::ReplicaSet,
                rs,
                owner_reference(Kind::Deployment, deployment),
            )
        })
        .collect()
}

fn releases(deployment: &Object, caches: &Caches, ctx: &mut Ctx<'_>) -> Vec<Request> {
    let selector = selector(deployment);
    caches
        .owned_by(Kind::ReplicaSet, deployment.uid())
        .filter(|rs| rs.controller().is_some_and(|c| c.uid == deployment.uid()))
        .filter(|rs| !selector.matches(rs.labels()) && !rs.is_being_deleted())
        .map(|rs| {
            let note = Note::new(RELEASE)
                .about(Kind::Deployment, deployment.key())
                .arg("replicaSet", rs.name());
            ctx.trace_aside(note);
            release(Kind::ReplicaSet, rs, deployment.uid())
        })
        .collect()
}
