//! By how little another node would win.

use crate::session::Session;
use crate::view::*;
use std::rc::Rc;

/// The answer; `None` when there is no such Pod.
#[inline(never)]
pub fn sensitivity(session: &Session, pod: &ObjectRef) -> Option<SensitivityView> {
    let key = crate::why::key(session, pod)?;
    Some(SensitivityView {
        pod: crate::cluster_view::object_ref(podscope_api::Kind::Pod, &key),
        totals: Rc::new([]),
        winner: None,
        changes: Rc::new([]),
        bounds: Msg::plain("sensitivity.bounds"),
    })
}
