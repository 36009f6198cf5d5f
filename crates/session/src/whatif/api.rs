//! The part of the session's interface about causes and about what would have to change.

use crate::session::Session;
use crate::view::*;
use std::rc::Rc;

/// Pure questions: nothing of the session changes, nothing is journalled. Each is answered at the cursor and
/// bounded by counted work, see [`crate::whatif`].
pub trait WhatIfApi {
    /// Where a Pod is in its life and why; `None` when there is no such Pod at the cursor.
    fn why(&self, pod: &ObjectRef) -> Option<Rc<WhyView>>;
    /// What the chain of causes of an event (counted from 1) ends in; `None` beyond the known trace.
    fn root(&self, event: EventIndex) -> Option<RootView>;
    /// One attempt of the scheduler: the one that the event (counted from 1) belongs to.
    fn attempt(&self, event: EventIndex) -> Option<Rc<AttemptView>>;
    /// The smallest sets of edits after which a Pod is bound, each carried out on a copy first; with `node`,
    /// bound to that node. `None` when there is no such Pod.
    fn what_if(&self, pod: &ObjectRef, node: Option<&str>) -> Option<Rc<WhatIfView>>;
    /// The same for the first Pod that would stay Pending if a manifest were applied; `None` when every Pod
    /// would be placed or the text would be refused. Costs as much as `what_if`: ask when typing rests.
    fn preview_fix(&self, text: &str) -> Option<Rc<WhatIfView>>;
    /// The smallest changes after which another node wins. `None` when there is no such Pod.
    fn sensitivity(&self, pod: &ObjectRef) -> Option<Rc<SensitivityView>>;
}

impl WhatIfApi for Session {
    #[inline(never)]
    fn why(&self, pod: &ObjectRef) -> Option<Rc<WhyView>> {
        crate::why::why(self, pod).map(Rc::new)
    }
    #[inline(never)]
    fn root(&self, event: EventIndex) -> Option<RootView> {
        crate::why_root::root(self, event)
    }
    #[inline(never)]
    fn attempt(&self, event: EventIndex) -> Option<Rc<AttemptView>> {
        crate::why_attempt::at(self, event).map(Rc::new)
    }
    #[inline(never)]
    fn what_if(&self, pod: &ObjectRef, node: Option<&str>) -> Option<Rc<WhatIfView>> {
        crate::whatif::what_if(self, pod, node).map(Rc::new)
    }
    #[inline(never)]
    fn preview_fix(&self, text: &str) -> Option<Rc<WhatIfView>> {
        crate::preview::fix(self, text).map(Rc::new)
    }
    #[inline(never)]
    fn sensitivity(&self, pod: &ObjectRef) -> Option<Rc<SensitivityView>> {
        crate::whatif::sensitivity::sensitivity(self, pod).map(Rc::new)
    }
}
