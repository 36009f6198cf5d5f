//! The Yew single-page app; the only crate that knows the DOM.

mod app;
#[cfg(all(test, target_arch = "wasm32"))]
mod component_tests;
mod crash;
mod draw;
mod engine;
mod layout;
mod learn;
mod motion;
mod panel;
mod picture;
mod state;
mod store;
mod time_act;
mod widget;
mod words;
mod yaml;
mod zoom;

use wasm_bindgen::prelude::*;

#[cfg(all(test, target_arch = "wasm32"))]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

/// Starts the page when the document has its root; else waits to be asked for widgets.
#[wasm_bindgen(start)]
pub fn start() {
    crash::install();
    let document = web_sys::window().and_then(|window| window.document());
    if let Some(root) = document.and_then(|document| document.get_element_by_id("podscope-page")) {
        yew::Renderer::<app::App>::with_root_and_props(root, app::Props::default()).render();
    }
}
