//! Ephemeral volumes: a Pod's own claims are made from the templates in its volumes, and go with it.
//!
//! Models: pkg/controller/volume/ephemeral (v1.36)

use crate::client::informer::{CacheEvent, Caches};
use crate::client::recorder::{Recorder, Regarding, Style};
use crate::component::ControllerId;
use crate::controllers::meta::{self, failure_text, owner_reference};
use crate::controllers::{Controller, Next, Resume, Work};
use crate::sim::Ctx;
use podscope_api::{Key, Kind, Object, Request, Value, value};
use podscope_kernel::SimTime;

/// The controller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EphemeralVolumes {
    recorder: Recorder,
}

impl Default for EphemeralVolumes {
    fn default() -> Self {
        EphemeralVolumes {
            recorder: Recorder::new("ephemeral_volume", "", Style::Core),
        }
    }
}

fn has_templates(pod: &Object) -> bool {
    let mut volumes = pod.spec().get("volumes").items().iter();
    volumes.any(|volume| !volume.get("ephemeral").is_null())
}

/// The claim of one volume.
fn claim(pod: &Object, volume: &Value) -> Object {
    let template = volume.get("ephemeral").get("volumeClaimTemplate");
    let name = [pod.name(), "-", volume.get("name").str_or_empty()].concat();
    let mut claim = value!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": (name), "namespace": (pod.namespace())},
        "spec": (template.get("spec").clone())
    });
    for field in ["labels", "annotations"] {
        let given = template.get("metadata").get(field);
        if !given.is_null() {
            claim
                .at_mut("metadata")
                .map_mut()
                .insert(field, given.clone());
        }
    }
    let owner = owner_reference(Kind::Pod, pod);
    claim.set("metadata.ownerReferences", Value::list([owner]));
    Object(claim)
}

impl Controller for EphemeralVolumes {
    const ID: ControllerId = ControllerId::EphemeralVolume;
    const WORKERS: usize = 5;
    type Sync = ();

    fn start(&mut self, caches: &Caches, work: &mut Work<'_>, ctx: &mut Ctx<'_>) {
        if ctx.now() > SimTime::ZERO {
            for pod in caches.list(Kind::Pod).filter(|pod| has_templates(pod)) {
                work.add(pod.key(), None);
            }
        }
    }

    fn event(
        &mut self,
        event: &CacheEvent,
        _caches: &Caches,
        work: &mut Work<'_>,
        _ctx: &mut Ctx<'_>,
    ) {
        if event.kind == Kind::Pod
            && event.old.is_none()
            && let Some(pod) = event.new.as_ref().filter(|pod| has_templates(pod))
        {
            work.add(pod.key(), event.cause);
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
            let failed = |a: &&podscope_api::Response| a.is_err() && meta::code(a) != 409;
            return match resume.answers.iter().find(failed) {
                Some(answer) if meta::namespace_terminating(answer) => Next::Done,
                Some(Err(failure)) => {
                    let text = failure_text(failure);
                    if let Some(pod) = caches.get(Kind::Pod, key) {
                        let text = ["ephemeral volume controller: ", &text].concat();
                        let pod = Regarding::object(Kind::Pod, pod);
                        self.recorder
                            .record(ctx, pod, "Warning", "FailedBinding", "", &text);
                    }
                    Next::Retry(text.to_string())
                }
                _ => Next::Done,
            };
        }
        let Some(pod) = caches
            .get(Kind::Pod, key)
            .filter(|pod| !pod.is_being_deleted())
        else {
            return Next::Done;
        };
        let volumes = pod.spec().get("volumes").items().iter();
        let templates = volumes.filter(|volume| !volume.get("ephemeral").is_null());
        let wanted = templates.map(|volume| claim(pod, volume));
        let missing =
            wanted.filter(|c| caches.get(Kind::PersistentVolumeClaim, &c.key()).is_none());
        let requests: Vec<Request> = missing
            .map(|claim| Request::create(Kind::PersistentVolumeClaim, claim))
            .collect();
        match requests.is_empty() {
            true => Next::Done,
            false => Next::Call { requests, stage: 1 },
        }
    }
}
