//! What would have to change so that a Pod is placed: the smallest sets of edits, each carried out on a
//! copy of the cluster before it is offered.

pub mod api;
pub mod sensitivity;
pub mod view;

use crate::session::Session;
use crate::view::*;
use std::rc::Rc;

/// The answer; `None` when there is no such Pod.
#[inline(never)]
pub fn what_if(session: &Session, pod: &ObjectRef, node: Option<&str>) -> Option<WhatIfView> {
    let key = crate::why::key(session, pod)?;
    Some(WhatIfView {
        pod: crate::cluster_view::object_ref(podscope_api::Kind::Pod, &key),
        node: node.map(Text::from),
        now: Msg::plain("whatif.pending"),
        blockers: Rc::new([]),
        answers: Rc::new([]),
        bounds: Msg::plain("whatif.bounds"),
    })
}
