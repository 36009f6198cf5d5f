//! Files that the browser is asked to save. Nothing leaves the machine.

use super::{canvas, collect};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::js_sys::Array;
use web_sys::{Blob, BlobPropertyBag, Element, HtmlAnchorElement, Url};
use yew::NodeRef;

/// The stage as the text of an SVG file; `None` when it shows no picture.
pub fn svg(figure: &NodeRef) -> Option<String> {
    let picture = collect::picture(&figure.cast::<Element>()?)?;
    Some(super::svg::write(&picture))
}

/// Saves the stage as a PNG; false when that cannot even begin. `refused` is called when the
/// browser gives no picture in the end.
pub fn png(figure: &NodeRef, name: &'static str, refused: impl Fn() + 'static) -> bool {
    let picture = figure
        .cast::<Element>()
        .and_then(|figure| collect::picture(&figure));
    let Some(canvas) = picture.and_then(|picture| canvas::paint(&picture)) else {
        return false;
    };
    let done = Closure::once_into_js(move |blob: Option<Blob>| {
        if blob.and_then(|blob| save(name, &blob)).is_none() {
            refused();
        }
    });
    canvas.to_blob(done.unchecked_ref()).is_ok()
}

/// Saves a text as a file; `None` when the browser refuses.
pub fn save_text(name: &str, kind: &str, text: &str) -> Option<()> {
    let options = BlobPropertyBag::new();
    options.set_type(&[kind, ";charset=utf-8"].concat());
    let parts = Array::of1(&JsValue::from_str(text));
    let blob = Blob::new_with_str_sequence_and_options(&parts, &options).ok()?;
    save(name, &blob)
}

fn save(name: &str, blob: &Blob) -> Option<()> {
    let document = web_sys::window()?.document()?;
    let url = Url::create_object_url_with_blob(blob).ok()?;
    let anchor: HtmlAnchorElement = document.create_element("a").ok()?.dyn_into().ok()?;
    anchor.set_href(&url);
    anchor.set_download(name);
    // Some browsers follow a link only where it stands in the page.
    document.body()?.append_child(&anchor).ok()?;
    anchor.click();
    anchor.remove();
    // The browser still reads it after the click; a minute is ample.
    gloo_timers::callback::Timeout::new(60_000, move || {
        Url::revoke_object_url(&url).ok();
    })
    .forget();
    Some(())
}
