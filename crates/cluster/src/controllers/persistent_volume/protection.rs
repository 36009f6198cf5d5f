//! Protection of claims and volumes in use: the finalizer that admission put on them goes when nobody uses them.
//!
//! Models: pkg/controller/volume/{pvcprotection,pvprotection} (v1.36)

use super::RELEASE;
use crate::client::informer::{CacheEvent, Caches};
use crate::component::ControllerId;
use crate::controllers::meta::{self, failure_text};
use crate::controllers::{Controller, Next, Resume, Work};
use crate::scheduler::volumes::{claims, uses_claim};
use crate::sim::Ctx;
use crate::trace::Note;
use podscope_api::{Key, Kind, Object, Request, Response, Value};
use podscope_kernel::SimTime;

const CLAIM: &str = "kubernetes.io/pvc-protection";
const VOLUME: &str = "kubernetes.io/pv-protection";

/// Lets claims go that no placed Pod uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ClaimProtection;

/// Lets volumes go that are bound to no claim.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct VolumeProtection;

fn waits(object: &Object, finalizer: &str) -> bool {
    let finalizers = object.at("metadata.finalizers").items();
    object.is_being_deleted() && finalizers.contains(&Value::str(finalizer))
}

/// Takes the finalizer away.
#[inline(never)]
fn release(kind: Kind, object: &Object, finalizer: &str, ctx: &mut Ctx<'_>) -> Next {
    ctx.trace(Note::new(RELEASE).about(kind, object.key()));
    let left = object.at("metadata.finalizers").items().iter();
    let left = left.filter(|f| f.as_str() != Some(finalizer)).cloned();
    let mut object = object.clone();
    object.set("metadata.finalizers", Value::list(left.collect::<Vec<_>>()));
    Next::Call {
        requests: vec![Request::update(kind, "", object)],
        stage: 1,
    }
}

fn end(answers: &[Response]) -> Next {
    match answers.first() {
        Some(answer @ Err(failure)) if meta::code(answer) != 404 => {
            Next::Retry(failure_text(failure).to_string())
        }
        _ => Next::Done,
    }
}

#[inline(never)]
fn after_restart(kind: Kind, caches: &Caches, work: &mut Work<'_>, ctx: &Ctx<'_>) {
    if ctx.now() > SimTime::ZERO {
        for object in caches.list(kind).filter(|o| o.is_being_deleted()) {
            work.add(object.key(), None);
        }
    }
}

/// A Pod is gone or has ended: the claims that it used may be free.
#[inline(never)]
fn claims_of(pod: &Object, event: &CacheEvent, work: &mut Work<'_>) {
    for (name, _) in claims(pod) {
        work.add(Key::new(pod.namespace(), name), event.cause);
    }
}

impl Controller for ClaimProtection {
    const ID: ControllerId = ControllerId::ClaimProtection;
    const WORKERS: usize = 1;
    type Sync = ();

    fn start(&mut self, caches: &Caches, work: &mut Work<'_>, ctx: &mut Ctx<'_>) {
        after_restart(Kind::PersistentVolumeClaim, caches, work, ctx);
    }

    fn event(
        &mut self,
        event: &CacheEvent,
        _caches: &Caches,
        work: &mut Work<'_>,
        _ctx: &mut Ctx<'_>,
    ) {
        match (event.kind, &event.old, &event.new) {
            (Kind::PersistentVolumeClaim, _, Some(claim)) if waits(claim, CLAIM) => {
                work.add(claim.key(), event.cause);
            }
            (Kind::Pod, Some(pod), None) => claims_of(pod, event, work),
            _ => {}
        }
    }

    fn reconcile(
        &mut self,
        key: &Key,
        resume: Resume<'_, ()>,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) -> Next {
        if resume.stage > 0 {
            return end(resume.answers);
        }
        let claim = caches.get(Kind::PersistentVolumeClaim, key);
        let Some(claim) = claim.filter(|claim| waits(claim, CLAIM)) else {
            return Next::Done;
        };
        // A Pod without a Node will not be started with a claim that is going away.
        let mut pods = caches.list_in(Kind::Pod, &key.namespace);
        let placed = |pod: &Object| !pod.spec().get("nodeName").str_or_empty().is_empty();
        if pods.any(|pod| placed(pod) && uses_claim(pod, claim)) {
            return Next::Done;
        }
        release(Kind::PersistentVolumeClaim, claim, CLAIM, ctx)
    }
}

impl Controller for VolumeProtection {
    const ID: ControllerId = ControllerId::VolumeProtection;
    const WORKERS: usize = 1;
    type Sync = ();

    fn start(&mut self, caches: &Caches, work: &mut Work<'_>, ctx: &mut Ctx<'_>) {
        after_restart(Kind::PersistentVolume, caches, work, ctx);
    }

    fn event(
        &mut self,
        event: &CacheEvent,
        _caches: &Caches,
        work: &mut Work<'_>,
        _ctx: &mut Ctx<'_>,
    ) {
        if event.kind == Kind::PersistentVolume
            && let Some(volume) = event.new.as_ref().filter(|v| waits(v, VOLUME))
        {
            work.add(volume.key(), event.cause);
        }
    }

    fn reconcile(
        &mut self,
        key: &Key,
        resume: Resume<'_, ()>,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) -> Next {
        if resume.stage > 0 {
            return end(resume.answers);
        }
        let volume = caches.get(Kind::PersistentVolume, key);
        match volume.filter(|volume| waits(volume, VOLUME)) {
            Some(volume) if volume.status().get("phase").as_str() != Some("Bound") => {
                release(Kind::PersistentVolume, volume, VOLUME, ctx)
            }
            _ => Next::Done,
        }
    }
}
