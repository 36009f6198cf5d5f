//! Where sessions come from.

use podscope_session::Session;
use podscope_session::api::{SessionApi, Source};
use podscope_session::view::{Arg, Msg};

/// Opens a session; the message says why it cannot be.
pub fn open(source: Source<'_>) -> Result<Box<dyn SessionApi>, Msg> {
    match Session::open(source) {
        Ok(session) => Ok(Box::new(session)),
        Err(error) => {
            let text = Arg::Text(error.to_string().into());
            Err(Msg::new("open.failed", vec![("text", text)]))
        }
    }
}

/// Opens a preset that comes with the program.
///
/// # Panics
/// When the preset is broken: a tidy test opens every one.
pub fn first(preset: &'static str) -> Box<dyn SessionApi> {
    match open(Source::Preset(preset)) {
        Ok(session) => session,
        Err(msg) => panic!("the first lesson opens: {msg:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn every_preset_opens() {
        for preset in first("birth").presets() {
            assert!(open(Source::Preset(preset.id)).is_ok(), "{}", preset.id);
        }
    }
}
