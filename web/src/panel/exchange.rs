//! What leaves the page and what comes in: the share menu, downloads, the dialogue that imports.

use super::compare;
use crate::app::App;
use crate::picture;
use crate::state::{Act, Scene};
use crate::store;
use crate::time_act::{Dialog, Draft, TimeAct};
use crate::words::rich;
use podscope_session::import::MAX_BYTES;
use podscope_session::view::*;
use podscope_session::{sequence, transcript};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::{HtmlDialogElement, HtmlInputElement, HtmlTextAreaElement};
use yew::prelude::*;

/// Something that can leave the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A link to this very moment.
    Link,
    /// The stage as SVG.
    Svg,
    /// The stage as PNG.
    Png,
    /// The story as text.
    Text,
    /// The story as Markdown.
    Markdown,
    /// The messages as a Mermaid sequence diagram.
    Mermaid,
    /// The scenario file.
    Scenario,
    /// The engine's trace, one line for each event.
    Trace,
}

/// What the menu offers besides the link, with the name of its file.
const ALL: [(What, &str, &str); 7] = [
    (What::Svg, "podscope.svg", "image/svg+xml"),
    (What::Png, "podscope.png", "image/png"),
    (What::Text, "podscope.txt", "text/plain"),
    (What::Markdown, "podscope.md", "text/markdown"),
    (What::Mermaid, "podscope.mmd", "text/plain"),
    (What::Scenario, "podscope.yaml", "application/yaml"),
    (What::Trace, "podscope-trace.txt", "text/plain"),
];

impl What {
    /// The code of its words.
    pub fn title(self) -> &'static str {
        match self {
            What::Link => "share.link-text",
            What::Svg => "share.svg",
            What::Png => "share.png",
            What::Text => "share.text",
            What::Markdown => "share.markdown",
            What::Mermaid => "share.mermaid",
            What::Scenario => "share.file",
            What::Trace => "share.trace",
        }
    }
}

/// The text of something; `None` for a PNG, and for a picture when the stage shows none.
#[inline(never)]
pub fn text(app: &App, what: What) -> Option<String> {
    let session = &app.session;
    let say = |msg: &Msg| app.words.say(msg);
    let preset = session.preset();
    let title = match session.presets().iter().find(|p| *p.id == *preset) {
        Some(preset) => app.words.t(preset.title),
        None => app.words.t("preset.own"),
    };
    Some(match what {
        What::Link => store::link(&session.share()),
        What::Svg => picture::svg(&app.figure)?,
        What::Png => return None,
        What::Text => transcript::readable(&title, &session.story(), &say),
        What::Markdown => transcript::markdown(&title, &session.story(), &say),
        What::Mermaid => sequence::mermaid(&session.sequence(), &title, &say),
        What::Scenario => session.export_scenario(),
        What::Trace => session.transcript(),
    })
}

/// Offers something as a download; what cannot be offered is shown as text.
#[inline(never)]
pub fn download(app: &App, ctx: &Context<App>, what: What) {
    let link = ctx.link().clone();
    let Some((_, name, kind)) = ALL.iter().find(|entry| entry.0 == what) else {
        return;
    };
    let refused = move || link.send_message(Act::Time(TimeAct::Refused(what)));
    if what == What::Png {
        if !picture::png(&app.figure, name, refused.clone()) {
            refused();
        }
        return;
    }
    let done = text(app, what).is_some_and(|text| picture::save_text(name, kind, &text).is_some());
    if !done {
        refused();
    }
}

/// Items of the share menu.
#[inline(never)]
pub fn menu(scene: &Scene<'_>) -> Html {
    let time = |act| scene.act::<MouseEvent>(Act::Time(act));
    let row = |(what, ..): &(What, &str, &str)| {
        let title = scene.t(what.title());
        let copy = scene.words.t1("share.copy-of", "what", &title);
        let save = scene.words.t1("share.save-of", "what", &title);
        html! { <div class="pair" key={what.title()}><span>{title}</span>
        if *what != What::Png {
            <button type="button" aria-label={copy} onclick={time(TimeAct::Copy(*what))}>{scene.t("share.copy")}</button>
        }
        <button type="button" aria-label={save} onclick={time(TimeAct::Download(*what))}>{scene.t("share.save")}</button></div> }
    };
    html! { <div class="jumps">
        <h2>{scene.t("bar.share")}</h2>
        <button type="button" onclick={time(TimeAct::Copy(What::Link))}><span>{scene.t("share.link")}<small>{scene.t("share.link.note")}</small></span></button>
        <h2>{scene.t("share.take")}</h2>
        {for ALL.iter().map(row)}
        <h2>{scene.t("import.title")}</h2>
        <button type="button" onclick={time(TimeAct::Import)}><span>{scene.t("import.open")}<small>{scene.t("import.open.note")}</small></span></button>
    </div> }
}

/// The open dialogue of this area, if any.
pub fn dialog(scene: &Scene<'_>) -> Html {
    match &scene.ui.time.dialog {
        None => html! {},
        Some(dialog) => open_dialog(scene, dialog),
    }
}

#[inline(never)]
fn open_dialog(scene: &Scene<'_>, dialog: &Dialog) -> Html {
    let (title, class, inside) = match dialog {
        Dialog::Compare(view) => ("compare.title", "wide-dialog", compare::draw(scene, view)),
        Dialog::Text(title, text) => (*title, "", refused_text(scene, text)),
        Dialog::Import(draft) => ("import.title", "", import(scene, draft)),
    };
    let close = scene.act::<MouseEvent>(Act::Time(TimeAct::Close));
    html! { <Modal class={class} title={scene.t(title)} close={scene.t("close")} on_close={close}>{inside}</Modal> }
}

/// A text in a box from which it can be taken by hand.
fn refused_text(scene: &Scene<'_>, text: &str) -> Html {
    let onfocus = Callback::from(|event: FocusEvent| {
        if let Some(area) = event.target_dyn_into::<HtmlTextAreaElement>() {
            area.select();
        }
    });
    html! { <>
        <p>{scene.t("share.by-hand")}</p>
        <textarea class="taken code" readonly={true} aria-label={scene.t("share.the-text")} value={text.to_owned()} {onfocus}/>
    </> }
}

fn import(scene: &Scene<'_>, draft: &Draft) -> Html {
    let oninput = scene.on.reform(|event: InputEvent| {
        let area: Option<HtmlTextAreaElement> = event.target_dyn_into();
        let text = area.map(|area| area.value()).unwrap_or_default();
        Act::Time(TimeAct::ImportText(text, String::new()))
    });
    let on = scene.on.clone();
    let onchange = Callback::from(move |event: Event| {
        if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
            read_file(&input, &on);
        }
    });
    let result = match &draft.found {
        None => html! { <p class="muted small">{scene.t("import.how")}</p> },
        Some(Err(msg)) => html! { <p class="verbatim bad" role="alert">{scene.words.say(msg)}</p> },
        Some(Ok(found)) => {
            let note = |note: &Msg| html! { <li key={note.code}>{scene.words.say(note)}</li> };
            html! { <div role="status">
                <p><b>{scene.words.say(&found.what)}</b></p>
                if !found.notes.is_empty() {
                    <h3>{scene.t("import.notes")}</h3>
                    <ul class="notes">{for found.notes.iter().map(note)}</ul>
                }
            </div> }
        }
    };
    let ready = matches!(draft.found, Some(Ok(_)));
    html! { <div class="import">
        <p>{rich(&scene.t("import.what"))}</p>
        <label class="pick">{scene.t("import.pick")}{" "}<input type="file" accept=".yaml,.yml,.json,.txt" {onchange}/></label>
        <label for="import-text">{scene.t("import.paste")}</label>
        <textarea id="import-text" class="taken code" spellcheck="false" {oninput} value={draft.text.to_string()}/>
        {result}
        <p class="acts"><button type="button" class="btn go" disabled={!ready} onclick={scene.act(Act::Time(TimeAct::ImportOpen))}>{scene.t("import.do")}</button></p>
        <p class="muted small">{scene.t("import.replaces")}</p>
    </div> }
}

/// Reads a picked file; nothing of it leaves the page.
fn read_file(input: &HtmlInputElement, on: &Callback<Act>) {
    let Some(file) = input.files().and_then(|files| files.get(0)) else {
        return;
    };
    if file.size() > MAX_BYTES as f64 {
        return on.emit(Act::Time(TimeAct::ImportRefused("import.file-too-large")));
    }
    let (name, good, bad) = (file.name(), on.clone(), on.clone());
    let yes = Closure::once_into_js(move |text: JsValue| {
        let text = text.as_string().unwrap_or_default();
        good.emit(Act::Time(TimeAct::ImportText(text, name)));
    });
    let no = Closure::once_into_js(move |_: JsValue| {
        bad.emit(Act::Time(TimeAct::ImportRefused("import.unreadable")));
    });
    store::then(file.text().unchecked_ref(), &yes, &no);
    // The same file can be picked again.
    input.set_value("");
}

/// What a [`Modal`] shows.
#[derive(PartialEq, Properties)]
pub struct ModalProps {
    /// Its class.
    pub class: &'static str,
    /// Its heading.
    pub title: AttrValue,
    /// The word on its button.
    pub close: AttrValue,
    /// Closes it.
    pub on_close: Callback<MouseEvent>,
    /// Its inside.
    pub children: Html,
}

/// A dialogue above everything: the browser keeps the focus inside and gives it back.
#[component]
pub fn Modal(props: &ModalProps) -> Html {
    let dialog = use_node_ref();
    {
        let dialog = dialog.clone();
        use_effect_with((), move |()| {
            if let Some(dialog) = dialog.cast::<HtmlDialogElement>() {
                dialog.show_modal().ok();
            }
        });
    }
    html! { <dialog class={classes!("modal", props.class)} ref={dialog} aria-labelledby="modal-title">
        <header><h2 id="modal-title">{props.title.clone()}</h2>
            <button class="btn" type="button" onclick={props.on_close.clone()}>{props.close.clone()}</button></header>
        <div class="modal-body" tabindex="0" role="region" aria-labelledby="modal-title">{props.children.clone()}</div>
    </dialog> }
}
