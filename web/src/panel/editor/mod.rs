//! The manifest editor: a textarea over its own coloured copy, so that input methods, phones and screen
//! readers have the browser's own text field. Undo is ours: it outlives fixes and switching files.

mod act;
mod changes;
mod code;
pub mod effect;
pub mod field;
pub mod find;
mod findbar;
pub mod history;
mod jump;
mod keys;
mod marks;
mod problems;
pub mod snippets;
pub mod text;
mod tools;
pub mod ui;

use super::popper;
use crate::state::{Act, Menu, Scene, Section};
use code::{Editor, FileRef, Listing};
use podscope_session::view::*;
use std::rc::Rc;
use ui::EditorAct;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, HtmlTextAreaElement};
use yew::prelude::*;

/// Draws the pane.
pub fn draw(scene: &Scene<'_>) -> Html {
    let Some(file) = scene
        .files
        .get(scene.ui.file)
        .or_else(|| scene.files.first())
    else {
        return html! { <section class="manifest" aria-label={scene.t("pane.manifest")}></section> };
    };
    let here = scene
        .view
        .focus
        .lines
        .filter(|lines| usize::from(lines.0) == scene.ui.file);
    let used = is_used(scene);
    html! {
        <section class={if used { "manifest used" } else { "manifest" }} aria-label={scene.t("pane.manifest")}>
            {head(scene)}
            if used { {findbar::draw(scene, file)} }
            <Editor file={FileRef(file.clone())} here={here.map(|(_, from, to)| (from, to))}
                label={scene.words.t1("editor.label", "file", &file.name)} hint={scene.t("editor.hint")}
                listing={if used { listing(scene, file) } else { None }} on={scene.on.clone()}/>
            if used { {below(scene, file)} }
            {problems::draw(scene, file)}
            {foot(scene, file)}
        </section>
    }
}

/// Somebody works in the editor, or a small screen shows nothing else.
fn is_used(scene: &Scene<'_>) -> bool {
    scene.ui.editor.used || scene.ui.pane == Section::Manifest
}

/// What the coloured copy shows beyond the file: proposals and places that were found.
#[inline(never)]
fn listing(scene: &Scene<'_>, file: &FileView) -> Option<Rc<Listing>> {
    let editor = &scene.ui.editor;
    let hits = match &editor.find {
        Some(find) => find::places(&file.text, &find.needle),
        None => Vec::new(),
    };
    if hits.is_empty() && editor.list.is_none() {
        return None;
    }
    Some(Rc::new(Listing {
        label: scene.t("editor.suggestions"),
        list: editor.list.clone(),
        now: editor.find.as_ref().map_or(0, |find| find.at),
        hits,
    }))
}

/// What stands below the code while somebody works in it.
#[inline(never)]
fn below(scene: &Scene<'_>, file: &FileView) -> Html {
    html! { <>
        {field::draw(scene)}
        {changes::draw(scene)}
        {tools::touch(scene, file)}
    </> }
}

fn errors(file: &FileView) -> usize {
    file.diagnostics
        .items
        .iter()
        .filter(|item| item.severity == Severity::Error)
        .count()
}

fn head(scene: &Scene<'_>) -> Html {
    let only = scene.files.len() < 2;
    html! {
        <div class="head">
            <h2>{scene.t("pane.manifest")}</h2>
            if scene.ui.editor.naming {
                {tools::naming(scene)}
            } else if only {
                <span class="muted">{scene.files.first().map(|file| file.name.to_string())}</span>
            } else {
                {tabs(scene)}
            }
            <span class="right">
                if is_used(scene) { {tools::new_file(scene)} }
                {popper(scene, Menu::Examples, html! { {scene.t("menu.examples")} }, "btn quiet menu", "right", || {
                    html! { <>{for super::bar::presets(scene, false)}</> }
                })}
            </span>
        </div>
    }
}

#[inline(never)]
fn tabs(scene: &Scene<'_>) -> Html {
    let tab = |(i, file): (usize, &FileView)| {
        let count = errors(file);
        let here = i == scene.ui.file;
        html! {
            <button key={file.name.to_string()} class="tab" type="button" role="tab" aria-selected={here.to_string()}
                tabindex={if here { "0" } else { "-1" }} onkeydown={tools::tab_keys(scene, i)} onclick={scene.act(Act::File(i))}>
                {file.name.to_string()}
                if count > 0 { <b class="badge">{scene.words.t1("editor.errors", "n", &count.to_string())}</b> }
                else if !file.applied { <span class="unsaved" title={scene.t("editor.differs")}><span class="sr">{scene.t("editor.differs")}</span></span> }
            </button>
        }
    };
    html! { <div class="files" role="tablist" aria-label={scene.t("editor.files")}>{for scene.files.iter().enumerate().map(tab)}</div> }
}

fn foot(scene: &Scene<'_>, file: &FileView) -> Html {
    let (word, bad) = match &file.diagnostics.effect {
        Effect::Unknown if file.text.trim().is_empty() => ("editor.empty", false),
        Effect::Unknown => ("effect.unknown", true),
        Effect::Refused { .. } => ("effect.refused", true),
        Effect::Pending { .. } => ("effect.pending", false),
        Effect::Unchanged => ("effect.unchanged", false),
        Effect::Runs => ("effect.valid", false),
    };
    let state = match &file.diagnostics.effect {
        Effect::Pending { pods, .. } => scene.words.t1(word, "n", &pods.to_string()),
        _ => scene.t(word),
    };
    html! {
        <div class="foot">
            <button class="btn" type="button" onclick={scene.act(Act::Apply)}>{scene.t("editor.apply")}</button>
            if is_used(scene) {
                {tools::draw(scene, file)}
            } else {
                <span class="wide"><kbd>{"Ctrl"}</kbd>{" "}<kbd>{"Enter"}</kbd></span>
            }
            <span class={classes!("right", "small", if bad { "badge" } else { "muted" })}>{state}</span>
        </div>
    }
}

/// A callback that does one thing in the editor.
fn on<E: 'static>(scene: &Scene<'_>, act: EditorAct) -> Callback<E> {
    scene.act(Act::Editor(act))
}

fn element(id: &str) -> Option<HtmlElement> {
    let document = web_sys::window()?.document()?;
    document.get_element_by_id(id)?.dyn_into().ok()
}

fn textarea() -> Option<HtmlTextAreaElement> {
    element("manifest-text")?.dyn_into().ok()
}

/// Puts the keyboard into an element as soon as it is drawn.
fn focus_later(id: &'static str) {
    gloo_timers::callback::Timeout::new(0, move || {
        if let Some(element) = element(id) {
            element.focus().ok();
            if let Ok(input) = element.dyn_into::<web_sys::HtmlInputElement>() {
                input.select();
            }
        }
    })
    .forget();
}

/// After drawing: makes the selection that was asked for, and puts the proposals at their place.
#[inline(never)]
pub fn drawn(select: Option<(text::Selection, bool)>, list: Option<&ui::List>) {
    let Some(area) = textarea() else { return };
    if let Some(((from, to), focus)) = select {
        if focus {
            area.focus().ok();
        }
        area.set_selection_range(from, to).ok();
        show(&area, from);
    }
    if let (Some(list), Some(options)) = (list, element("editor-options")) {
        let style = options.style();
        let set = |name: &str, value: u32| style.set_property(name, &value.to_string()).ok();
        set("--line", list.place.0);
        set("--column", list.place.1);
        let pane = area.closest(".code").ok().flatten();
        let bottom = pane.map_or(0, |pane| pane.scroll_top() + pane.client_height());
        let below = bottom - (list.place.0 as i32 + 1) * LINE;
        options
            .class_list()
            .toggle_with_force("above", below < 150 && list.place.0 > 6)
            .ok();
        if let Ok(Some(active)) = options.query_selector("[aria-selected=true]") {
            let (top, height) = (
                active
                    .dyn_ref::<HtmlElement>()
                    .map_or(0, HtmlElement::offset_top),
                26,
            );
            if top < options.scroll_top() {
                options.set_scroll_top(top);
            } else if top + height > options.scroll_top() + options.client_height() {
                options.set_scroll_top(top + height - options.client_height());
            }
        }
    }
}

/// Puts a text and a selection into the text area at once, and the keyboard too.
fn rewrite(text: &str, selection: text::Selection) {
    if let Some(area) = textarea() {
        keys::write(&area, text, selection);
        area.focus().ok();
        show(&area, selection.0);
    }
}

/// Height of a line of code in pixels.
const LINE: i32 = 18;

/// Scrolls so that the line of a UTF-16 unit can be seen.
fn show(area: &HtmlTextAreaElement, unit: u32) {
    let value = area.value();
    let (line, _) = text::place(&value, text::to_byte(&value, unit));
    let Some(pane) = area.closest(".code").ok().flatten() else {
        return;
    };
    let top = line as i32 * LINE;
    let seen = pane.scroll_top()..pane.scroll_top() + pane.client_height() - 2 * LINE;
    if !seen.contains(&top) {
        pane.set_scroll_top((top - 60).max(0));
    }
}
