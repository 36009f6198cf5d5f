//! What is kept outside the page: the link, the tab's storage, the clipboard. Each may be refused;
//! the page works without.

use crate::state::{THEMES, Theme};
use podscope_session::api::{SessionApi, Source};
use podscope_session::view::Msg;
use wasm_bindgen::prelude::*;

/// The preset that a first visit shows.
const FIRST: &str = "birth";
const WORK: &str = "podscope.work";
const THEME: &str = "podscope.theme";
const LESSON: &str = "podscope.lesson";
/// Larger work is not kept.
const MOST_KEPT: usize = 400_000;

/// Opens what the address names, or the work kept by a page that broke, or the first lesson.
/// The message says what could not be opened.
pub fn open() -> (Box<dyn SessionApi>, Option<Msg>) {
    let location = web_sys::window().map(|window| window.location());
    let hash = location
        .as_ref()
        .and_then(|location| location.hash().ok())
        .unwrap_or_default();
    let search = location
        .and_then(|location| location.search().ok())
        .unwrap_or_default();
    let fragment = hash.trim_start_matches('#');
    let mut problem = None;
    if search.contains("again")
        && let Some(work) = storage().and_then(|storage| storage.get_item(WORK).ok().flatten())
    {
        match crate::engine::open(Source::Scenario(&work)) {
            Ok(session) => return (session, None),
            Err(msg) => problem = Some(msg),
        }
    }
    if is_link(fragment) {
        match crate::engine::open(Source::Link(fragment)) {
            Ok(session) => return (session, None),
            Err(msg) => problem = Some(msg),
        }
    } else if let Some(id) = search.strip_prefix("?preset=") {
        match crate::engine::open(Source::Preset(id.split('&').next().unwrap_or_default())) {
            Ok(session) => return (session, None),
            Err(msg) => problem = Some(msg),
        }
    }
    (crate::engine::first(FIRST), problem)
}

/// `#stage` and the like are places on the page; a link begins with its version.
fn is_link(fragment: &str) -> bool {
    fragment.starts_with(|c: char| c.is_ascii_digit()) || fragment.len() > 12
}

/// Opens what a figure shows.
pub fn open_figure(options: &crate::widget::Options) -> (Box<dyn SessionApi>, Option<Msg>) {
    let source = match (&options.scenario, &options.manifest, &options.preset) {
        (Some(text), _, _) => Source::Scenario(text),
        (_, Some(text), _) => Source::Manifest(text),
        (_, _, Some(id)) => Source::Preset(id),
        _ => Source::Preset(FIRST),
    };
    match crate::engine::open(source) {
        Ok(session) => (session, None),
        Err(msg) => (crate::engine::first(FIRST), Some(msg)),
    }
}

/// Opens a preset.
pub fn open_preset(id: &str) -> Result<Box<dyn SessionApi>, Msg> {
    crate::engine::open(Source::Preset(id))
}

fn storage() -> Option<web_sys::Storage> {
    web_sys::window()?.session_storage().ok().flatten()
}

/// Keeps the work for a reload after a crash.
pub fn keep(session: &dyn SessionApi) {
    let work = session.export_scenario();
    crate::crash::remember(session);
    if work.len() <= MOST_KEPT
        && let Some(storage) = storage()
    {
        storage.set_item(WORK, &work).ok();
    }
}

/// What was kept under this name in this browser tab.
#[inline(never)]
pub fn kept(name: &str) -> Option<String> {
    storage()?.get_item(name).ok().flatten()
}

/// Keeps a text for this browser tab, where that is allowed.
#[inline(never)]
pub fn set_kept(name: &str, text: &str) {
    if let Some(storage) = storage() {
        storage.set_item(name, text).ok();
    }
}

/// The theme chosen before.
pub fn theme() -> Theme {
    let name = storage().and_then(|storage| storage.get_item(THEME).ok().flatten());
    let theme = THEMES.iter().find(|theme| Some(theme.2) == name.as_deref());
    let theme = theme.map_or(Theme::System, |theme| theme.0);
    show_theme(theme);
    theme
}

/// Shows and keeps a theme.
pub fn set_theme(theme: Theme) {
    show_theme(theme);
    if let Some(storage) = storage() {
        storage.set_item(THEME, attribute(theme)).ok();
    }
}

/// The lesson that the address asks for.
pub fn lesson_asked() -> Option<&'static str> {
    let search = web_sys::window()?.location().search().ok()?;
    let asked = search.strip_prefix("?lesson=")?;
    lesson_named(asked.split('&').next()?)
}

#[inline(never)]
fn lesson_named(name: &str) -> Option<&'static str> {
    podscope_lesson::lessons::lessons().find(|id| *id == name)
}

/// Keeps how far a lesson is.
pub fn keep_lesson(id: &str, step: usize) {
    if let Some(storage) = storage() {
        let text = [id, " ", &step.to_string()].concat();
        storage.set_item(LESSON, &text).ok();
    }
}

/// The lesson that was kept, and its step.
pub fn kept_lesson() -> Option<(&'static str, usize)> {
    let text = storage()?.get_item(LESSON).ok()??;
    let (id, step) = text.split_once(' ')?;
    Some((lesson_named(id)?, step.parse().ok()?))
}

fn attribute(theme: Theme) -> &'static str {
    THEMES
        .iter()
        .find(|entry| entry.0 == theme)
        .map_or("", |entry| entry.2)
}

fn show_theme(theme: Theme) {
    let root = web_sys::window().and_then(|window| window.document()?.document_element());
    let Some(root) = root else { return };
    match attribute(theme) {
        "" => root.remove_attribute("data-theme").ok(),
        name => root.set_attribute("data-theme", name).ok(),
    };
}

/// The whole address of a fragment.
pub fn link(fragment: &str) -> String {
    let location = web_sys::window().map(|window| window.location());
    let part = |read: fn(&web_sys::Location) -> Result<String, JsValue>| {
        location
            .as_ref()
            .and_then(|location| read(location).ok())
            .unwrap_or_default()
    };
    let (origin, path) = (
        part(web_sys::Location::origin),
        part(web_sys::Location::pathname),
    );
    [&origin, &path, "#", fragment].concat()
}

/// Puts a text on the clipboard and says whether that was allowed.
pub fn copy(text: &str, done: impl Fn(bool) + 'static) {
    let clipboard = web_sys::window().map(|window| window.navigator().clipboard());
    // Without a secure context there is none, whatever the type says.
    let Some(clipboard) = clipboard.filter(|clipboard| !clipboard.is_undefined()) else {
        return done(false);
    };
    let promise = clipboard.write_text(text);
    let done = std::rc::Rc::new(done);
    let good = done.clone();
    let yes = Closure::once_into_js(move |_: JsValue| good(true));
    let no = Closure::once_into_js(move |_: JsValue| done(false));
    then(&promise, &yes, &no);
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Reflect, js_name = apply)]
    fn reflect_apply(function: &JsValue, this: &JsValue, arguments: &JsValue) -> JsValue;
}

/// Waits for a promise.
#[inline(never)]
pub fn then(promise: &web_sys::js_sys::Promise, yes: &JsValue, no: &JsValue) {
    let arguments = web_sys::js_sys::Array::of2(yes, no);
    if let Ok(method) = web_sys::js_sys::Reflect::get(promise, &JsValue::from_str("then")) {
        reflect_apply(&method, promise, &arguments);
    }
}

/// Loads the page anew, for a link that was pasted into the address.
pub fn reload() {
    let window = web_sys::window();
    let hash = window
        .as_ref()
        .and_then(|window| window.location().hash().ok())
        .unwrap_or_default();
    if is_link(hash.trim_start_matches('#'))
        && let Some(window) = window
    {
        window.location().reload().ok();
    }
}
