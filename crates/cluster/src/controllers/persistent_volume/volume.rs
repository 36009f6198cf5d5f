//! A volume: free, bound, or left behind by its claim.
//!
//! Models: pkg/controller/volume/persistentvolume/pv_controller.go syncVolume (v1.36)

use super::{PROVISIONED_BY, PersistentVolumeBinder, Step};
use crate::client::informer::Caches;
use crate::scheduler::volumes::{BOUND_BY_CONTROLLER, modes_differ};
use crate::sim::Ctx;
use podscope_api::{Key, Kind, Object, Request, Value, value};

const VOLUME: Kind = Kind::PersistentVolume;

impl PersistentVolumeBinder {
    /// The next write for a volume.
    pub(super) fn sync_volume(&mut self, key: &Key, caches: &Caches, ctx: &mut Ctx<'_>) -> Step {
        let Some(volume) = self.volume(caches, &key.name) else {
            return Step::Rest;
        };
        let target = volume.spec().get("claimRef");
        let uid = target.get("uid").str_or_empty();
        if uid.is_empty() {
            return self.volume_phase(&volume, "Available", ctx);
        }
        let owner = Key::new(
            target.get("namespace").str_or_empty(),
            target.get("name").str_or_empty(),
        );
        let claim = self.claim(caches, &owner).filter(|c| c.uid() == uid);
        let Some(claim) = claim else {
            return self.released(&volume, ctx);
        };
        match claim.spec().get("volumeName").str_or_empty() {
            "" if modes_differ(&volume, &claim) => {
                let text = format!(
                    "Cannot bind PersistentVolume to requested PersistentVolumeClaim \"{}\" due to incompatible volumeMode.",
                    claim.name()
                );
                self.tell(VOLUME, &volume, ("Warning", "VolumeMismatch"), &text, ctx);
                Step::Rest
            }
            // The claim's half is missing.
            "" => self.bind(&volume, &claim, ctx),
            name if name == volume.name() => self.volume_phase(&volume, "Bound", ctx),
            // The claim has another volume by now.
            _ if is_disposable(&volume) => self.released(&volume, ctx),
            _ => unbind(&volume),
        }
    }

    fn volume_phase(&self, volume: &Object, phase: &str, ctx: &mut Ctx<'_>) -> Step {
        self.phase(VOLUME, volume, value!({"phase": (phase)}), ctx)
            .unwrap_or(Step::Rest)
    }

    fn released(&self, volume: &Object, ctx: &mut Ctx<'_>) -> Step {
        if volume.status().get("phase").as_str() == Some("Failed") {
            return Step::Rest;
        }
        self.volume_phase(volume, "Released", ctx)
    }
}

/// Whether a volume was made for its claim and may go with it.
pub(super) fn is_disposable(volume: &Object) -> bool {
    volume.annotation(PROVISIONED_BY).is_some()
        && volume.spec().get("persistentVolumeReclaimPolicy").as_str() == Some("Delete")
}

/// Takes the volume's half of a binding back, as far as a person did not ask for it.
fn unbind(volume: &Object) -> Step {
    let mut volume = volume.clone();
    if volume.annotation(BOUND_BY_CONTROLLER).is_some() {
        let annotations = volume.at_mut("metadata").entry("annotations");
        annotations.map_mut().remove(BOUND_BY_CONTROLLER);
        volume.remove("spec.claimRef");
    } else {
        volume.set("spec.claimRef.uid", Value::str(""));
    }
    Step::Write(Request::update(VOLUME, "", volume))
}
