//! The inside of a component.

use crate::session::Session;
use crate::view::*;

/// What the stage shows of a target.
pub fn inside(_session: &Session, _target: &Target) -> InsideView {
    InsideView::Nothing
}
