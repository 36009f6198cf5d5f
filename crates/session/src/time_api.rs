//! The part of the session's interface about time: breakpoints, futures, what leaves the page.

use crate::session::Session;
use crate::view::*;
use std::rc::Rc;

/// Questions about time. None of them changes the cluster, so none is in the journal.
pub trait TimeApi {
    /// The kinds of breakpoints.
    fn breakpoint_kinds(&self) -> Rc<[BreakKindView]>;
    /// The first breakpoint met by the known events after `after` up to `upto`.
    fn met(&self, breaks: &[Breakpoint], after: EventIndex, upto: EventIndex) -> Option<BreakHit>;
    /// Runs until a breakpoint is met and stands there. Bounded: what is known, then as far as a
    /// command runs ahead.
    ///
    /// # Errors
    /// No breakpoint was met; the cursor is where it was.
    fn run_to(&mut self, breaks: &[Breakpoint]) -> Result<BreakHit, Refused>;
    /// The next known event that is about an object, or the one before.
    fn next_of(&self, object: &ObjectRef, forward: bool) -> Option<EventIndex>;
    /// Two futures side by side; `None` when one is not there.
    fn compare(&self, left: u32, right: u32) -> Option<Rc<CompareView>>;
    /// What happened up to the cursor, without details and loops.
    fn story(&self) -> Rc<[StoryRow]>;
    /// The messages up to the cursor.
    fn sequence(&self) -> SequenceView;
}

impl TimeApi for Session {
    #[inline(never)]
    fn breakpoint_kinds(&self) -> Rc<[BreakKindView]> {
        crate::breakpoints::kinds(self)
    }
    #[inline(never)]
    fn met(&self, breaks: &[Breakpoint], after: EventIndex, upto: EventIndex) -> Option<BreakHit> {
        crate::breakpoints::met(self.log(), breaks, after as usize, upto as usize)
    }
    #[inline(never)]
    fn run_to(&mut self, breaks: &[Breakpoint]) -> Result<BreakHit, Refused> {
        crate::breakpoints::run_to(self, breaks)
    }
    #[inline(never)]
    fn next_of(&self, object: &ObjectRef, forward: bool) -> Option<EventIndex> {
        crate::story::next_of(self, object, forward)
    }
    #[inline(never)]
    fn compare(&self, left: u32, right: u32) -> Option<Rc<CompareView>> {
        crate::compare::compare(self, left, right).map(Rc::new)
    }
    #[inline(never)]
    fn story(&self) -> Rc<[StoryRow]> {
        crate::story::rows(self, 0, self.shown_log().len()).into()
    }
    #[inline(never)]
    fn sequence(&self) -> SequenceView {
        crate::sequence::of(self)
    }
}
