//! A claim: find it a volume, have one made, or say why it waits.
//!
//! Models: pkg/controller/volume/persistentvolume/pv_controller.go syncClaim, index.go (v1.36)

use super::{BIND, PROVISIONER, PersistentVolumeBinder, Step, WAIT};
use crate::client::informer::Caches;
use crate::controllers::meta::is_terminal;
use crate::scheduler::volumes::{
    BIND_COMPLETED, BOUND_BY_CONTROLLER, NO_PROVISIONER, SELECTED_NODE, annotate, asked,
    bound_volume, capacity, class_of, find_matching, has_access_modes, is_bound_to, is_delayed,
    modes_differ, uses_claim,
};
use crate::sim::Ctx;
use crate::trace::Note;
use podscope_api::{Key, Kind, Object, Request, value};
use std::rc::Rc;

const CLAIM: Kind = Kind::PersistentVolumeClaim;

impl PersistentVolumeBinder {
    /// The next write for a claim.
    pub(super) fn sync_claim(&mut self, key: &Key, caches: &Caches, ctx: &mut Ctx<'_>) -> Step {
        let Some(claim) = self.claim(caches, key) else {
            return Step::Rest;
        };
        if claim.annotation(BIND_COMPLETED).is_some() {
            return self.sync_bound(&claim, caches, ctx);
        }
        let name = claim.spec().get("volumeName").str_or_empty();
        if name.is_empty() {
            return self.sync_unbound(&claim, caches, ctx);
        }
        let Some(volume) = self.volume(caches, name) else {
            return self.pending(&claim, ctx);
        };
        let free = volume.spec().get("claimRef").is_null();
        let problem = match free {
            true => unsuitable(&volume, &claim),
            false => None,
        };
        if let Some(problem) = problem {
            let text = format!("Cannot bind to requested volume \"{name}\": {problem}");
            self.tell(CLAIM, &claim, ("Warning", "VolumeMismatch"), &text, ctx);
            return self.pending(&claim, ctx);
        }
        if free || is_bound_to(&volume, &claim) {
            return self.bind(&volume, &claim, ctx);
        }
        if claim.annotation(BOUND_BY_CONTROLLER).is_none() {
            let text = format!("volume \"{name}\" already bound to a different claim.");
            self.tell(CLAIM, &claim, ("Warning", "FailedBinding"), &text, ctx);
        }
        self.pending(&claim, ctx)
    }

    /// A claim for which no volume is named yet.
    fn sync_unbound(&mut self, claim: &Rc<Object>, caches: &Caches, ctx: &mut Ctx<'_>) -> Step {
        let class_name = class_of(claim);
        let class = caches.get(Kind::StorageClass, &Key::new("", class_name));
        let delayed = is_delayed(class.map(|class| &**class));
        if let Some(volume) = self.best_match(claim, delayed, caches) {
            return self.bind(&volume, claim, ctx);
        }
        if delayed && claim.annotation(SELECTED_NODE).is_none() {
            let (reason, text) = first_consumer(claim, caches);
            return self.wait(claim, ("Normal", reason), &text, ctx);
        }
        if class_name.is_empty() {
            let text = "no persistent volumes available for this claim and no storage class is set";
            return self.wait(claim, ("Normal", "FailedBinding"), text, ctx);
        }
        let Some(class) = class else {
            let text = format!("storageclass.storage.k8s.io \"{class_name}\" not found");
            return self.wait(claim, ("Warning", "ProvisioningFailed"), &text, ctx);
        };
        let provisioner = class.get("provisioner").str_or_empty();
        if provisioner == NO_PROVISIONER || provisioner.starts_with("kubernetes.io/") {
            let text = format!("no volume plugin matched name: {provisioner}");
            return self.wait(claim, ("Warning", "ProvisioningFailed"), &text, ctx);
        }
        let told = |key: &&str| claim.annotation(key) != Some(provisioner);
        if PROVISIONER.iter().any(told) {
            let mut claim = (**claim).clone();
            for key in PROVISIONER {
                annotate(&mut claim, key, provisioner);
            }
            return Step::Write(Request::update(CLAIM, "", claim));
        }
        let text = format!(
            "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered."
        );
        self.wait(claim, ("Normal", "ExternalProvisioning"), &text, ctx)
    }

    /// The volume for a claim: of those with the fewest ways to be used the smallest.
    fn best_match(&self, claim: &Object, delayed: bool, caches: &Caches) -> Option<Rc<Object>> {
        let volumes = caches.list(Kind::PersistentVolume);
        let volumes = volumes.filter_map(|volume| self.volume(caches, volume.name()));
        let volumes: Vec<Rc<Object>> = volumes.filter(|v| has_access_modes(v, claim)).collect();
        let modes = |volume: &Object| volume.spec().get("accessModes").items().len();
        let mut counts: Vec<usize> = volumes.iter().map(|v| modes(v)).collect();
        podscope_api::sort::natural(&mut counts);
        counts.dedup();
        counts.into_iter().find_map(|count| {
            let alike: Vec<&Object> = volumes
                .iter()
                .filter(|v| modes(v) == count)
                .map(|v| &**v)
                .collect();
            let found = find_matching(claim, &alike, None, &[], delayed)?;
            volumes.iter().find(|v| v.name() == found.name()).cloned()
        })
    }

    /// A claim that was bound before.
    fn sync_bound(&mut self, claim: &Rc<Object>, caches: &Caches, ctx: &mut Ctx<'_>) -> Step {
        let name = claim.spec().get("volumeName").str_or_empty();
        let volume = self.volume(caches, name).filter(|_| !name.is_empty());
        let (reason, text) = match volume {
            None if name.is_empty() => (
                "ClaimLost",
                "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!",
            ),
            None => (
                "ClaimLost",
                "Bound claim has lost its PersistentVolume. Data on the volume is lost!",
            ),
            Some(volume) => {
                let target = volume.spec().get("claimRef");
                if target.is_null() || target.get("uid").as_str() == Some(claim.uid()) {
                    return self.bind(&volume, claim, ctx);
                }
                (
                    "ClaimMisbound",
                    "Two claims are bound to the same volume, this one is bound incorrectly",
                )
            }
        };
        if claim.status().get("phase").as_str() == Some("Lost") {
            return Step::Rest;
        }
        self.tell(CLAIM, claim, ("Warning", reason), text, ctx);
        self.phase(CLAIM, claim, value!({"phase": "Lost"}), ctx)
            .unwrap_or(Step::Rest)
    }

    /// The next of the four writes that bind a claim to a volume.
    pub(super) fn bind(&mut self, volume: &Object, claim: &Object, ctx: &mut Ctx<'_>) -> Step {
        if let Some(volume) = bound_volume(volume, claim) {
            note_bind(claim, &volume, "volume", ctx);
            return Step::Write(Request::update(Kind::PersistentVolume, "", volume));
        }
        let bound = value!({"phase": "Bound"});
        if let Some(step) = self.phase(Kind::PersistentVolume, volume, bound, ctx) {
            return step;
        }
        let named = claim.spec().get("volumeName").str_or_empty();
        if named != volume.name() || claim.annotation(BIND_COMPLETED).is_none() {
            note_bind(claim, volume, "claim", ctx);
            let mut claim = claim.clone();
            if named.is_empty() {
                claim.set("spec.volumeName", volume.name());
                annotate(&mut claim, BOUND_BY_CONTROLLER, "yes");
            }
            annotate(&mut claim, BIND_COMPLETED, "yes");
            return Step::Write(Request::update(CLAIM, "", claim));
        }
        let mut status = value!({"phase": "Bound"});
        status.set("accessModes", volume.spec().get("accessModes").clone());
        if claim.status().get("phase").as_str() != Some("Bound") {
            status.set("capacity", volume.spec().get("capacity").clone());
        }
        self.phase(CLAIM, claim, status, ctx).unwrap_or(Step::Rest)
    }

    /// Says why a claim waits.
    fn wait(
        &mut self,
        claim: &Object,
        event: (&'static str, &'static str),
        text: &str,
        ctx: &mut Ctx<'_>,
    ) -> Step {
        ctx.trace(
            Note::new(WAIT)
                .about(CLAIM, claim.key())
                .arg("reason", event.1)
                .arg("message", text.to_string()),
        );
        self.tell(CLAIM, claim, event, text, ctx);
        self.pending(claim, ctx)
    }

    fn pending(&self, claim: &Object, ctx: &mut Ctx<'_>) -> Step {
        self.phase(CLAIM, claim, value!({"phase": "Pending"}), ctx)
            .unwrap_or(Step::Rest)
    }
}

fn note_bind(claim: &Object, volume: &Object, half: &'static str, ctx: &mut Ctx<'_>) {
    let note = Note::new(BIND).about(CLAIM, claim.key());
    ctx.trace(note.arg("volume", volume.key().name).arg("half", half));
}

/// Why a claim that waits for its first Pod waits now.
fn first_consumer(claim: &Object, caches: &Caches) -> (&'static str, String) {
    let pods = caches.list_in(Kind::Pod, claim.namespace());
    let waiting = pods.filter(|pod| {
        let free = pod.spec().get("nodeName").str_or_empty().is_empty();
        free && !is_terminal(pod) && uses_claim(pod, claim)
    });
    let names: Vec<&str> = waiting.map(|pod| pod.name()).collect();
    match names.as_slice() {
        [] => (
            "WaitForFirstConsumer",
            "waiting for first consumer to be created before binding".to_string(),
        ),
        [name] => (
            "WaitForPodScheduled",
            format!("waiting for pod {name} to be scheduled"),
        ),
        names => (
            "WaitForPodScheduled",
            format!("waiting for pods {} to be scheduled", names.join(",")),
        ),
    }
}

/// Why a volume that a claim names cannot be its own.
///
/// Models: checkVolumeSatisfyClaim (v1.36)
fn unsuitable(volume: &Object, claim: &Object) -> Option<&'static str> {
    if volume.is_being_deleted() {
        return Some("the volume is marked for deletion");
    }
    if capacity(volume) < asked(claim) {
        return Some("requested PV is too small");
    }
    if class_of(volume) != class_of(claim) {
        return Some("storageClassName does not match");
    }
    if modes_differ(volume, claim) {
        return Some("incompatible volumeMode");
    }
    (!has_access_modes(volume, claim)).then_some("incompatible accessMode")
}
