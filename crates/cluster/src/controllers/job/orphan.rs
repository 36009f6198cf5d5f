//! Pods whose Job is gone or over: nobody will count them, so they lose the Job's finalizer.
//!
//! Models: pkg/controller/job/job_controller.go syncOrphanPod (v1.36)

use super::plan::{self, FINALIZER};
use super::{ORPHAN, first_words};
use crate::client::informer::Caches;
use crate::controllers::Next;
use crate::controllers::meta::{self, controller_of, strategic};
use crate::sim::Ctx;
use crate::trace::Note;
use podscope_api::{Key, Kind, Object, Request, Response, value};

/// What stands before the namespace in the key of a Pod whose Job is gone.
pub const ORPHANED: &str = "orphan:";

const FREED: u8 = 1;

/// The key of a Pod whose Job is gone.
pub fn orphan(pod: &Object) -> Key {
    Key::new(format!("{ORPHANED}{}", pod.namespace()), pod.name())
}

/// The patch that takes the Job's finalizer off a Pod.
pub fn freeing(pod: &Object) -> Request {
    let patch = value!({"metadata": {"$deleteFromPrimitiveList/finalizers": [(FINALIZER)]}});
    strategic(Kind::Pod, pod, "", patch)
}

/// A Pod that no Job counts any more.
pub fn release_orphan(
    stage: u8,
    key: &Key,
    answers: &[Response],
    caches: &Caches,
    ctx: &mut Ctx<'_>,
) -> Next {
    if stage == FREED {
        let failed = answers.first().is_some_and(|a| a.is_err());
        return match failed && !matches!(meta::code(&answers[0]), 404 | 422) {
            true => Next::Retry(first_words(answers)),
            false => Next::Done,
        };
    }
    let Some(pod) = caches.get(Kind::Pod, key).filter(|p| plan::is_tracked(p)) else {
        return Next::Done;
    };
    let running = controller_of(caches, Kind::Job, pod);
    if running.is_some_and(|job| !plan::is_finished(job)) {
        return Next::Done;
    }
    ctx.trace(Note::new(ORPHAN).about(Kind::Pod, key.clone()));
    Next::Call {
        requests: vec![freeing(pod)],
        stage: FREED,
    }
}
