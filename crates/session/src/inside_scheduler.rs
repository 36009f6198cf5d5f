//! The inside of the scheduler: the decision nearest to the cursor, and its queue.

use crate::session::Session;
use crate::view::SchedulerInside;

/// What the stage shows of the scheduler.
pub fn inside(_session: &Session) -> SchedulerInside {
    SchedulerInside::default()
}
