//! Persistent volume binder: brings claims and volumes together, and keeps their phases true.
//!
//! A key with a namespace is a claim, one without a volume. Each pass finds the next write that is missing and
//! makes it, so that a binding cut short anywhere is finished later. Pending claims are looked at every 15 s.
//!
//! Models: pkg/controller/volume/persistentvolume (v1.36). Left out: recycling, in-tree plugins and their migration,
//! late default classes (RetroactiveDefaultStorageClass).

mod claim;
pub mod ephemeral;
pub mod protection;
pub mod provisioner;
#[cfg(test)]
mod tests;
mod volume;

use super::{Controller, Next, Resume, Work};
use crate::client::informer::{CacheEvent, Caches};
use crate::client::recorder::{Recorder, Regarding, Style};
use crate::component::ControllerId;
use crate::entry::Timer;
use crate::sim::Ctx;
use crate::trace::Note;
use podscope_api::{Key, Kind, Object, Request, Text, Value};
use podscope_kernel::collections::BTreeMap;
use podscope_kernel::{SimDuration, SimTime};
use std::rc::Rc;

crate::codes! {
    /// A volume for a claim is found; both sides are written one after the other.
    BIND = "persistent_volume.bind";
    /// A claim waits: for its first Pod, for a provisioner, or for a volume that suits.
    WAIT = "persistent_volume.wait";
    /// A volume's or claim's phase changes.
    PHASE = "persistent_volume.phase";
    /// A provisioner makes a volume for a claim.
    PROVISION = "persistent_volume.provision";
    /// A volume that nobody claims any more is deleted.
    DELETE = "persistent_volume.delete";
    /// Nobody uses a claim or volume that is being deleted: its finalizer is taken away.
    RELEASE = "persistent_volume.release";
}

/// Whether a change can matter to a controller of claims and volumes.
pub(super) fn concerns(event: &CacheEvent) -> bool {
    match event.kind {
        Kind::PersistentVolume | Kind::PersistentVolumeClaim => true,
        // Only a Pod that comes or goes.
        Kind::Pod if event.old.is_none() || event.new.is_none() => {
            event.object().is_some_and(|pod| has_claims(pod))
        }
        _ => false,
    }
}

/// Whether a Pod mentions a claim, or brings one.
fn has_claims(pod: &Object) -> bool {
    let mut volumes = pod.spec().get("volumes").items().iter();
    let claim =
        |v: &Value| !v.get("persistentVolumeClaim").is_null() || !v.get("ephemeral").is_null();
    volumes.any(claim)
}

/// How often pending claims are looked at again.
const RESYNC: SimDuration = SimDuration::secs(15);
const LOOP: &str = "loop.persistent_volume";
/// On a volume: who made it.
pub(super) const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";
/// On a claim: who is to make its volume.
const PROVISIONER: [&str; 2] = [
    "volume.beta.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/storage-provisioner",
];

/// The controller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PersistentVolumeBinder {
    recorder: Recorder,
    /// Objects as the API server answered, until the cache has them; as many as there are keys in hand.
    fresh: BTreeMap<(Kind, Key), Rc<Object>>,
    resync_set: bool,
}

impl Default for PersistentVolumeBinder {
    fn default() -> Self {
        PersistentVolumeBinder {
            recorder: Recorder::new("persistentvolume-controller", "", Style::Core),
            fresh: BTreeMap::new(),
            resync_set: false,
        }
    }
}

/// What is to be done next for a key.
enum Step {
    /// Send this, then look again.
    Write(Request),
    /// Nothing is left to do for now.
    Rest,
}

impl PersistentVolumeBinder {
    /// The newest that is known of an object.
    fn get(&self, caches: &Caches, kind: Kind, key: &Key) -> Option<Rc<Object>> {
        let cached = caches.get(kind, key)?;
        match self.fresh.get(&(kind, key.clone())) {
            Some(fresh)
                if fresh.resource_version() > cached.resource_version()
                    && fresh.uid() == cached.uid() =>
            {
                Some(fresh.clone())
            }
            _ => Some(cached.clone()),
        }
    }
    fn claim(&self, caches: &Caches, key: &Key) -> Option<Rc<Object>> {
        self.get(caches, Kind::PersistentVolumeClaim, key)
    }
    fn volume(&self, caches: &Caches, name: &str) -> Option<Rc<Object>> {
        self.get(caches, Kind::PersistentVolume, &Key::new("", name))
    }

    fn tell(
        &mut self,
        kind: Kind,
        object: &Object,
        event: (&str, &str),
        message: &str,
        ctx: &mut Ctx<'_>,
    ) {
        let regarding = Regarding::object(kind, object);
        self.recorder
            .record(ctx, regarding, event.0, event.1, "", message);
    }

    /// The status with another phase and what comes with it; nothing when it is so already.
    fn phase(&self, kind: Kind, object: &Object, status: Value, ctx: &mut Ctx<'_>) -> Option<Step> {
        let mut wanted = object.status().clone();
        for (field, value) in status.entries() {
            wanted.map_mut().insert(field.clone(), value.clone());
        }
        if wanted == *object.status() {
            return None;
        }
        let phase = |status: &Value| -> Text {
            let phase = status.get("phase").as_text();
            phase.cloned().unwrap_or_else(|| "".into())
        };
        let (before, after) = (phase(object.status()), phase(&wanted));
        ctx.trace(
            Note::new(PHASE)
                .about(kind, object.key())
                .arg("before", before)
                .arg("phase", after),
        );
        let mut object = object.clone();
        object.set("status", wanted);
        Some(Step::Write(Request::update(kind, "status", object)))
    }

    #[inline(never)]
    fn changed(&mut self, event: &CacheEvent, work: &mut Work<'_>, ctx: &mut Ctx<'_>) {
        let Some(object) = event.object() else { return };
        let key = object.key();
        let known = (event.kind, key.clone());
        let newer = |fresh: &Rc<Object>| fresh.resource_version() <= object.resource_version();
        if event.new.is_none() || self.fresh.get(&known).is_some_and(newer) {
            self.fresh.remove(&known);
        }
        match (event.kind, event.new.is_some()) {
            (_, true) => work.add(key, event.cause),
            (Kind::PersistentVolumeClaim, false) => {
                let volume = object.spec().get("volumeName").str_or_empty();
                if !volume.is_empty() {
                    work.add(Key::new("", volume), event.cause);
                }
            }
            _ => {
                let claim = object.spec().get("claimRef");
                if let Some(name) = claim.get("name").as_text() {
                    let namespace = claim.get("namespace").str_or_empty();
                    work.add(Key::new(namespace, name.clone()), event.cause);
                }
            }
        }
        self.keep_looking(ctx);
    }

    fn keep_looking(&mut self, ctx: &mut Ctx<'_>) {
        if !self.resync_set {
            self.resync_set = true;
            ctx.set_timer(RESYNC, Timer::internal(LOOP));
        }
    }

    /// Puts claims that wait back into the queue; stops when there are none.
    #[inline(never)]
    fn resync(&mut self, caches: &Caches, work: &mut Work<'_>, ctx: &mut Ctx<'_>) {
        self.resync_set = false;
        let waits = |c: &&Rc<Object>| c.status().get("phase").as_str() != Some("Bound");
        for claim in caches.list(Kind::PersistentVolumeClaim).filter(waits) {
            work.add(claim.key(), ctx.cause());
            self.keep_looking(ctx);
        }
    }
}

impl Controller for PersistentVolumeBinder {
    const ID: ControllerId = ControllerId::PersistentVolume;
    const WORKERS: usize = 1;
    type Sync = ();

    fn start(&mut self, caches: &Caches, work: &mut Work<'_>, ctx: &mut Ctx<'_>) {
        if ctx.now() > SimTime::ZERO {
            for volume in caches.list(Kind::PersistentVolume) {
                work.add(volume.key(), None);
            }
            self.resync(caches, work, ctx);
        }
    }

    fn event(
        &mut self,
        event: &CacheEvent,
        _caches: &Caches,
        work: &mut Work<'_>,
        ctx: &mut Ctx<'_>,
    ) {
        if matches!(
            event.kind,
            Kind::PersistentVolume | Kind::PersistentVolumeClaim
        ) {
            self.changed(event, work, ctx);
        }
    }

    fn timer(&mut self, timer: &Timer, caches: &Caches, work: &mut Work<'_>, ctx: &mut Ctx<'_>) {
        if timer.code == LOOP {
            self.resync(caches, work, ctx);
        }
    }

    #[inline(never)]
    fn reconcile(
        &mut self,
        key: &Key,
        resume: Resume<'_, ()>,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) -> Next {
        if resume.stage > 0 {
            match resume.answers.first() {
                Some(Ok(answer)) => {
                    let object = answer.object.clone();
                    if let Some(kind) = object.kind() {
                        self.fresh.insert((kind, object.key()), object);
                    }
                }
                // Tried again at the next change or resync.
                _ => return Next::Done,
            }
        }
        let step = match key.namespace.is_empty() {
            true => self.sync_volume(key, caches, ctx),
            false => self.sync_claim(key, caches, ctx),
        };
        match step {
            Step::Write(request) if resume.stage < u8::MAX => Next::Call {
                requests: vec![request],
                stage: resume.stage + 1,
            },
            _ => Next::Done,
        }
    }
}
