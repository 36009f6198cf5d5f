//! Images: the pull policy, one pull at a time on a machine, and the back-off after failures.
//!
//! Models: pkg/kubelet/images (v1.36). Left out: pull secrets, registry credentials, parallel pulls.

use super::worker::{Doing, Worker, go_duration};
use super::{BACK_OFF, Kubelet};
use crate::node::backoff::{BackOff, Rules};
use crate::node::runtime::{Runtime, catalogue};
use crate::node::{Cri, Mode};
use crate::sim::Ctx;
use crate::trace::Note;
use podscope_api::{Key, Kind, Text};
use podscope_kernel::{SimDuration, SimTime};
use std::collections::VecDeque;

/// Failing pulls: 10 s doubled to 300 s.
const PULL: Rules = Rules {
    initial: SimDuration::secs(10),
    max: SimDuration::secs(300),
    reset_after: SimDuration::secs(600),
};

/// What became of an image that a container needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Image {
    Present,
    Pulling,
    Failed,
}

/// Pulls that wait for their turn; the first one is under way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Puller {
    queue: VecDeque<Turn>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Turn {
    key: Key,
    uid: Text,
    slot: u8,
    asked: SimTime,
    began: SimTime,
}

impl Puller {
    /// How many pulls are under way or wait.
    pub fn len(&self) -> usize {
        self.queue.len()
    }
    /// True when nothing is pulled.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

impl Kubelet {
    /// The pulls of this machine.
    pub fn puller(&self) -> &Puller {
        &self.puller
    }

    /// Sees to it that a container's image is there, or on its way.
    pub(super) fn ensure_image(
        &mut self,
        worker: &mut Worker,
        slot: u8,
        runtime: &Runtime,
        ctx: &mut Ctx<'_>,
    ) -> Image {
        let container = worker.container(slot);
        let image = container.get("image").str_or_empty().to_string();
        let policy = container.get("imagePullPolicy").str_or_empty().to_string();
        let field = worker.field(slot);
        let pod = worker.pod.clone();
        let full = match catalogue::full_name(&image) {
            Ok(full) => full,
            Err(message) => {
                self.event(&pod, &field, "Warning", "InspectFailed", &message, ctx);
                self.event(
                    &pod,
                    &field,
                    "Warning",
                    "Failed",
                    "Error: InvalidImageName",
                    ctx,
                );
                self.wait_reason(worker, slot, "InvalidImageName", &message);
                return Image::Failed;
            }
        };
        let present = runtime.images().contains_key(&*full);
        let always = match &*policy {
            "Always" => true,
            "IfNotPresent" | "Never" => false,
            _ => full.ends_with(":latest"),
        };
        if present && !always {
            self.image_present(worker, slot, ctx);
            return Image::Present;
        }
        if policy == "Never" {
            let message =
                format!("Container image \"{image}\" is not present with pull policy of Never");
            self.event(&pod, &field, "Warning", "ErrImageNeverPull", &message, ctx);
            self.event(
                &pod,
                &field,
                "Warning",
                "Failed",
                "Error: ErrImageNeverPull",
                ctx,
            );
            self.wait_reason(worker, slot, "ErrImageNeverPull", &message);
            return Image::Failed;
        }
        let now = ctx.now();
        let failure = worker
            .slots
            .get(usize::from(slot))
            .and_then(|s| s.pulls.clone());
        if let Some((back_off, failed, error)) = failure {
            let wait = back_off.wait(failed, PULL);
            if now.since(failed) < wait {
                let message = format!("Back-off pulling image \"{image}\"");
                self.event(&pod, &field, "Normal", "BackOff", &message, ctx);
                self.event(
                    &pod,
                    &field,
                    "Warning",
                    "Failed",
                    "Error: ImagePullBackOff",
                    ctx,
                );
                let text = format!("{message}: ErrImagePull: {error}");
                self.wait_reason(worker, slot, "ImagePullBackOff", &text);
                let note = Note::new(BACK_OFF)
                    .about(Kind::Pod, pod.key())
                    .arg("image", image)
                    .arg("wait_s", i64::try_from(wait.as_secs()).unwrap_or(0));
                ctx.trace_aside(note);
                return Image::Failed;
            }
        }
        let message = format!("Pulling image \"{image}\"");
        self.event(&pod, &field, "Normal", "Pulling", &message, ctx);
        self.puller.queue.push_back(Turn {
            key: pod.key(),
            uid: pod.uid().into(),
            slot,
            asked: now,
            began: now,
        });
        if self.puller.queue.len() == 1 {
            self.call(worker, Cri::PullImage, slot, 0, 0, SimDuration::ZERO, ctx);
        }
        Image::Pulling
    }

    /// A pull has ended, well or not: the next one begins.
    pub(super) fn pull_ended(&mut self, ctx: &mut Ctx<'_>) {
        let Some(ended) = self.puller.queue.pop_front() else {
            return;
        };
        if let Some(worker) = self.pods.get_mut(&ended.key) {
            worker.pull_took = (ctx.now().since(ended.began), ctx.now().since(ended.asked));
        }
        let cause = ctx.cause();
        while let Some(turn) = self.puller.queue.front_mut() {
            turn.began = ctx.now();
            let (key, uid, slot) = (turn.key.clone(), turn.uid.clone(), turn.slot);
            let waits = self.pods.get(&key).filter(|w| {
                w.pod.uid() == &*uid && w.doing == Doing::Image(slot) && w.mode == Mode::Syncing
            });
            if let Some(worker) = waits {
                self.call(worker, Cri::PullImage, slot, 0, 0, SimDuration::ZERO, ctx);
                break;
            }
            self.puller.queue.pop_front();
        }
        ctx.set_cause(cause);
    }

    /// A container's pull has come back; true when the image is there.
    pub(super) fn pulled(
        &mut self,
        worker: &mut Worker,
        slot: u8,
        error: &Text,
        runtime: &Runtime,
        ctx: &mut Ctx<'_>,
    ) -> bool {
        let image = worker
            .container(slot)
            .get("image")
            .str_or_empty()
            .to_string();
        let field = worker.field(slot);
        let pod = worker.pod.clone();
        if error.is_empty() {
            let full = catalogue::full_name(&image).unwrap_or_default();
            let stored = runtime.images().get(&*full);
            let bytes = stored.map_or(0, |s| s.image.bytes());
            let (pull, total) = worker.pull_took;
            let message = format!(
                "Successfully pulled image \"{image}\" in {} ({} including waiting). Image size: {bytes} bytes.",
                go_duration(pull),
                go_duration(total)
            );
            self.event(&pod, &field, "Normal", "Pulled", &message, ctx);
            self.heartbeat.images_changed(ctx);
            return true;
        }
        let now = ctx.now();
        let message = format!("Failed to pull image \"{image}\": {error}");
        self.event(&pod, &field, "Warning", "Failed", &message, ctx);
        self.event(
            &pod,
            &field,
            "Warning",
            "Failed",
            "Error: ErrImagePull",
            ctx,
        );
        if let Some(s) = worker.slots.get_mut(usize::from(slot)) {
            let mut back_off = s.pulls.take().map_or(BackOff::default(), |(b, ..)| b);
            back_off.next(now, now, PULL);
            s.pulls = Some((back_off, now, error.clone()));
            s.waiting = Some(("ErrImagePull".into(), error.clone()));
        }
        worker.failed = true;
        false
    }
}
