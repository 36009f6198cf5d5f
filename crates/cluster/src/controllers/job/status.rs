//! The status of a Job as it is written.
//!
//! Models: pkg/controller/job/job_controller.go (v1.36)

use super::{STATUS, Sync, count, plan};
use crate::controllers::Next;
use crate::controllers::meta;
use crate::sim::Ctx;
use crate::trace::Note;
use podscope_api::{Kind, Object, Request};

/// The condition of a Job that was suspended or resumed.
pub fn suspend(job: &Object, sync: &mut Sync, now: podscope_api::Timestamp) {
    let has = meta::find_condition(&sync.status, "Suspended");
    let suspended = plan::is_suspended(job);
    let is = has.get("status").as_str() == Some("True");
    if suspended && !is {
        let condition = count::condition("Suspended", "True", "JobSuspended", "Job suspended", now);
        count::set_condition(&mut sync.status, condition);
        sync.resumed = Some(false);
    } else if !suspended && is {
        let condition = count::condition("Suspended", "False", "JobResumed", "Job resumed", now);
        count::set_condition(&mut sync.status, condition);
        sync.status.set("startTime", now.seconds_text());
        sync.resumed = Some(true);
    }
}

/// Writes the status as far as it is known.
pub fn write(sync: &Sync, stage: u8, ctx: &mut Ctx<'_>) -> Next {
    let Some(job) = &sync.job else {
        return Next::Done;
    };
    let mut object = (**job).clone();
    object.set("status", sync.status.clone());
    let note = Note::new(STATUS)
        .about(Kind::Job, job.key())
        .arg("active", meta::status_count(&object, "active"))
        .arg("succeeded", meta::status_count(&object, "succeeded"))
        .arg("failed", meta::status_count(&object, "failed"));
    ctx.trace(note);
    Next::Call {
        requests: vec![Request::update(Kind::Job, "status", object)],
        stage,
    }
}
