//! Where sessions come from: the engine, or the fixture when the page is worked on alone.

use podscope_session::api::{SessionApi, Source};
use podscope_session::view::Msg;

/// Opens a session.
pub fn open(source: Source<'_>) -> Result<Box<dyn SessionApi>, Msg> {
    crate::fixture::Fixture::open(source).map(|session| Box::new(session) as Box<dyn SessionApi>)
}

/// Opens a preset that is known to exist.
pub fn first(preset: &'static str) -> Box<dyn SessionApi> {
    let _ = preset;
    Box::new(crate::fixture::Fixture::birth())
}
