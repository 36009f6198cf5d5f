//! What is known of a manifest while it is edited.

use crate::session::Session;
use crate::view::{Diagnostics, Effect};

/// The longest text that is looked at, in bytes.
pub const MAX_BYTES: usize = 512 << 10;

/// Diagnostics, who reads which line, and what applying would do.
pub fn diagnose(_session: &Session, _text: &str) -> Diagnostics {
    Diagnostics {
        items: Vec::new().into(),
        readers: Vec::new().into(),
        effect: Effect::Unknown,
    }
}
