//! What may be asked of the scheduler's attempts.

use crate::inside_scheduler;
use crate::session::Session;
use crate::view::*;
use std::rc::Rc;

/// Questions about the attempts that have begun at the cursor. None of them changes anything.
pub trait SchedulerApi {
    /// The attempt that begins with this event, else the one nearest to the cursor. With many nodes its
    /// receipts are computed again and kept.
    fn matrix(&self, event: Option<EventIndex>) -> Rc<SchedulerInside>;
    /// All receipts of one node in the attempt that begins with this event.
    fn receipt(&self, event: EventIndex, node: &str) -> Option<ReceiptView>;
    /// The first event of a Pod's last attempt.
    fn last_attempt(&self, pod: &ObjectRef) -> Option<EventIndex>;
    /// What would make the Pods of a file fit, as it is written now; none when they would all run.
    fn effect_answers(&self, file: &str) -> Rc<[EffectAnswer]>;
    /// Carries out an answer to "what would have to change?" in a future that forks at the cursor, which goes
    /// to its first command; the future known before is kept.
    fn try_out(&mut self, answer: &AnswerView) -> Result<(), Refused>;
}

impl SchedulerApi for Session {
    #[inline(never)]
    fn matrix(&self, event: Option<EventIndex>) -> Rc<SchedulerInside> {
        Rc::new(inside_scheduler::inside(self, event))
    }

    #[inline(never)]
    fn receipt(&self, event: EventIndex, node: &str) -> Option<ReceiptView> {
        inside_scheduler::receipt(self, event, node)
    }

    #[inline(never)]
    fn last_attempt(&self, pod: &ObjectRef) -> Option<EventIndex> {
        inside_scheduler::last_attempt(self, pod)
    }

    #[inline(never)]
    fn effect_answers(&self, file: &str) -> Rc<[EffectAnswer]> {
        crate::effect_fix::answers(self, file)
    }

    #[inline(never)]
    fn try_out(&mut self, answer: &AnswerView) -> Result<(), Refused> {
        crate::try_out::try_out(self, answer)
    }
}
