//! TTL after finished: a Job that is over is deleted after `ttlSecondsAfterFinished`.
//!
//! Models: pkg/controller/ttlafterfinished (v1.36)

use super::plan::is_finished;
use crate::client::informer::{CacheEvent, Caches};
use crate::component::ControllerId;
use crate::controllers::meta::{self, failure_text, find_condition};
use crate::controllers::{Controller, Next, Resume, Work};
use crate::sim::Ctx;
use crate::trace::Note;
use podscope_api::request::Propagation;
use podscope_api::{Key, Kind, Object, Request, Timestamp};
use podscope_kernel::SimDuration;

crate::codes! {
    /// A Job has been over for long enough: it is deleted.
    DELETE = "ttl.delete";
}

const READ: u8 = 1;
const DELETED: u8 = 2;

/// The controller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TtlAfterFinished;

/// When a Job is to be deleted; `None` when it is not over, or to be kept.
fn due(job: &Object) -> Option<Timestamp> {
    let seconds = job.at("spec.ttlSecondsAfterFinished").as_int()?;
    if !is_finished(job) || job.is_being_deleted() {
        return None;
    }
    let condition = ["Complete", "Failed"]
        .iter()
        .map(|kind| find_condition(job.status(), kind))
        .find(|c| c.get("status").as_str() == Some("True"))?;
    let at = Timestamp::parse(condition.get("lastTransitionTime").as_str()?)?;
    Some(Timestamp(
        at.0.saturating_add(seconds.saturating_mul(1_000_000)),
    ))
}

impl Controller for TtlAfterFinished {
    const ID: ControllerId = ControllerId::TtlAfterFinished;
    const WORKERS: usize = 5;
    const DEADLINE: &'static str = "ttl.after_finished";
    type Sync = ();

    fn start(&mut self, caches: &Caches, work: &mut Work<'_>, _ctx: &mut Ctx<'_>) {
        for job in caches.list(Kind::Job).filter(|j| due(j).is_some()) {
            work.add(job.key(), None);
        }
    }

    fn event(
        &mut self,
        event: &CacheEvent,
        _caches: &Caches,
        work: &mut Work<'_>,
        _ctx: &mut Ctx<'_>,
    ) {
        if let (Kind::Job, Some(job)) = (event.kind, &event.new)
            && due(job).is_some()
        {
            work.add(job.key(), event.cause);
        }
    }

    fn reconcile(
        &mut self,
        key: &Key,
        resume: Resume<'_, ()>,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) -> Next {
        let answers = resume.answers;
        let fresh = match resume.stage {
            0 => caches.get(Kind::Job, key).cloned(),
            READ => match answers.first() {
                Some(Ok(answer)) => Some(answer.object.clone()),
                Some(Err(failure)) if meta::code(&answers[0]) != 404 => {
                    return Next::Retry(failure_text(failure).to_string());
                }
                _ => None,
            },
            DELETED => {
                return match answers.first() {
                    Some(Err(failure)) if meta::code(&answers[0]) != 404 => {
                        Next::Retry(failure_text(failure).to_string())
                    }
                    _ => Next::Done,
                };
            }
            _ => None,
        };
        let Some((job, at)) = fresh.and_then(|job| due(&job).map(|at| (job, at))) else {
            return Next::Done;
        };
        if let Ok(left) = u64::try_from(at.0 - ctx.wall().0)
            && left > 0
        {
            return Next::After(SimDuration(left));
        }
        if resume.stage == 0 {
            let request = Request::get(Kind::Job, key.namespace.clone(), key.name.clone());
            return Next::Call {
                requests: vec![request],
                stage: READ,
            };
        }
        ctx.trace(Note::new(DELETE).about(Kind::Job, key.clone()));
        let mut delete = Request::delete(Kind::Job, key.namespace.clone(), key.name.clone());
        delete.options.propagation = Some(Propagation::Foreground);
        delete.options.precondition_uid = job.uid().into();
        Next::Call {
            requests: vec![delete],
            stage: DELETED,
        }
    }
}
