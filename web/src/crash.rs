//! The recovery screen: when the program breaks, the person's text, link and report survive.

use podscope_session::api::SessionApi;
use std::cell::RefCell;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;

thread_local! {
    /// What the screen offers: link fragment, files.
    static WORK: RefCell<(String, String)> = const { RefCell::new((String::new(), String::new())) };
}

/// Remembers the work, so that it need not be asked for from a broken program.
pub fn remember(session: &dyn SessionApi) {
    let mut files = String::new();
    for file in session.files().iter() {
        files.push_str("# ");
        files.push_str(&file.name);
        files.push('\n');
        files.push_str(&file.text);
        files.push('\n');
    }
    let link = session.share();
    WORK.with(|work| {
        if let Ok(mut work) = work.try_borrow_mut() {
            *work = (link, files);
        }
    });
}

/// Shows the recovery screen on a panic.
#[inline(never)]
pub fn install() {
    std::panic::set_hook(Box::new(|info| {
        let document = web_sys::window().and_then(|window| window.document());
        let page = document.and_then(|document| document.get_element_by_id("podscope-page"));
        match page {
            Some(_) => show(&info.to_string()),
            None => tell_figures(),
        };
    }));
}

/// Builds the screen without the page's own machinery, which may be what broke.
#[inline(never)]
pub fn show(report: &str) -> Option<()> {
    let document = web_sys::window()?.document()?;
    if document.get_element_by_id("crash").is_some() {
        return None;
    }
    let words = podscope_lesson::english();
    let say = |code: &str| words.say(code, &[]);
    let (link, files) = WORK.with(|work| {
        work.try_borrow()
            .map(|work| work.clone())
            .unwrap_or_default()
    });
    let make = |tag: &str, class: &str, text: &str| {
        let element = document.create_element(tag).ok()?;
        element.set_class_name(class);
        element.set_text_content(Some(text));
        Some(element)
    };
    let screen = make("div", "crash", "")?;
    screen.set_id("crash");
    screen.set_attribute("role", "alertdialog").ok();
    screen.set_attribute("aria-labelledby", "crash-title").ok();
    let inner = make("div", "", "")?;
    let title = make("h1", "", &say("crash.title"))?;
    title.set_id("crash-title");
    let text = make("p", "", &say("crash.text"))?;
    let acts = make("p", "acts", "")?;
    let again = make("a", "btn go", &say("crash.reload"))?;
    again
        .set_attribute("href", &["?again#", &link].concat())
        .ok();
    let fresh = make("a", "btn", &say("crash.fresh"))?;
    fresh.set_attribute("href", "?").ok();
    let copy = make("button", "btn", &say("crash.copy"))?;
    let area = make("textarea", "", "")?;
    let whole = [
        "Podscope ",
        env!("CARGO_PKG_VERSION"),
        "\n",
        report,
        "\n\n#",
        &link,
        "\n\n",
        &files,
    ]
    .concat();
    area.set_text_content(Some(&whole));
    area.set_attribute("readonly", "").ok();
    area.set_attribute("aria-label", &say("crash.report")).ok();
    let on_copy = Closure::<dyn FnMut()>::new(move || crate::store::copy(&whole, |_| ()));
    let call: &JsValue = on_copy.as_ref();
    copy.add_event_listener_with_callback("click", call.unchecked_ref())
        .ok();
    on_copy.forget();
    for child in [&again, &fresh, &copy] {
        acts.append_child(child).ok();
    }
    for child in [&title, &text, &acts, &area] {
        inner.append_child(child).ok();
    }
    screen.append_child(&inner).ok();
    document.body()?.append_child(&screen).ok();
    again.dyn_into::<web_sys::HtmlElement>().ok()?.focus().ok()
}

/// Figures stand in somebody else's page: each shows its own small note.
fn tell_figures() -> Option<()> {
    let event = web_sys::Event::new("podscope-broken").ok()?;
    web_sys::window()?.dispatch_event(&event).ok()?;
    Some(())
}
