//! The editor's tools: files, snippets, and the most used keys for screens without a keyboard.

use super::ui::EditorAct;
use super::{focus_later, on, snippets};
use crate::panel::popper;
use crate::state::{Act, Menu, Scene};
use podscope_session::view::FileView;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// A sign drawn from one path on a field of 24.
fn sign(d: &'static str) -> Html {
    html! { <svg class="sign" viewBox="0 0 24 24" aria-hidden="true"><path d={d}/></svg> }
}

const UNDO: &str = "M8 5L3.5 9.500 8 14M4 9.500h10a5 5 0 0 1 0 10h-4";
const REDO: &str = "M16 5l4.500 4.500L16 14M20 9.500H10a5 5 0 0 0 0 10h4";
const FIND: &str = "M10.500 4a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13M15.300 15.300L21 21";
const CHANGES: &str = "M12 4v10M7 9h10M7 19h10";
const MORE: &str = "M5 12h.01M12 12h.01M19 12h.01";
const ADD: &str = "M12 5v14M5 12h14";
const DEEPER: &str = "M4 5h16M11 10h9M11 14h9M4 19h16M4 9.500l3 2.500-3 2.500";
const OUT: &str = "M4 5h16M11 10h9M11 14h9M4 19h16M7 9.500L4 12l3 2.500";
const SUGGEST: &str = "M4 5h9M4 10h16M4 14h16M4 19h10";
const NEXT: &str = "M12 4v9M12 17v.01M7 21h10";

fn tool(scene: &Scene<'_>, word: &str, d: &'static str, act: EditorAct, disabled: bool) -> Html {
    html! {
        <button class="ib" type="button" aria-label={scene.t(word)} title={scene.t(word)} disabled={disabled} onclick={on(scene, act)}>{sign(d)}</button>
    }
}

/// The tools beside the button that applies.
#[inline(never)]
pub fn draw(scene: &Scene<'_>, file: &FileView) -> Html {
    let open = scene.ui.editor.changes.is_some();
    let find = scene.ui.editor.find.is_some();
    html! {
        <span class="tools">
            <button class="ib" type="button" aria-pressed={find.to_string()} aria-label={scene.t("tool.find")} title={scene.t("tool.find")}
                onclick={on(scene, if find { EditorAct::Unfind } else { EditorAct::Find(false) })}>{sign(FIND)}</button>
            <button class="ib" type="button" aria-pressed={open.to_string()} aria-label={scene.t("changes.label")} title={scene.t("changes.label")}
                onclick={on(scene, EditorAct::Changes)}>{sign(CHANGES)}</button>
            {popper(scene, Menu::Editor, html! { <>{sign(MORE)}<span class="sr">{scene.t("tool.more")}</span></> }, "ib", "up", || menu(scene, file))}
        </span>
    }
}

/// Adds a file.
#[inline(never)]
pub fn new_file(scene: &Scene<'_>) -> Html {
    tool(scene, "tool.new", ADD, EditorAct::New, false)
}

fn menu(scene: &Scene<'_>, file: &FileView) -> Html {
    let (undo, redo) = scene.ui.editor.can(&file.name);
    let item = |word: &str, keys: &'static str, act: EditorAct, off: bool| {
        html! {
            <button type="button" disabled={off} onclick={on(scene, act)}><span>{scene.t(word)}</span>
                if !keys.is_empty() { <kbd class="right wide">{keys}</kbd> }</button>
        }
    };
    let piece = |snippet: snippets::Snippet| {
        html! { <button key={snippet.id} type="button" onclick={on(scene, EditorAct::Insert(snippet.id))}>{snippet.id}</button> }
    };
    html! { <>
        <h2>{file.name.to_string()}</h2>
        {item("tool.rename", "", EditorAct::Rename, false)}
        {item("tool.remove", "", EditorAct::Remove, false)}
        if scene.files.len() > 1 { {item("tool.apply-all", "Ctrl Shift Enter", EditorAct::ApplyAll, false)} }
        <h2>{scene.t("tool.edit")}</h2>
        {item("tool.undo", "Ctrl Z", EditorAct::Undo, !undo)}
        {item("tool.redo", "Ctrl Y", EditorAct::Redo, !redo)}
        {item("tool.replace", "Ctrl H", EditorAct::Find(true), false)}
        {item("tool.problem", "F8", EditorAct::Problem(false), file.diagnostics.items.is_empty())}
        <h2>{scene.t("tool.insert")}</h2>
        <div class="row">{for snippets::all().filter(|snippet| !snippet.part).map(piece)}</div>
        <h2>{scene.t("tool.insert-here")}</h2>
        <div class="row">{for snippets::all().filter(|snippet| snippet.part).map(piece)}</div>
    </> }
}

/// A row of keys for screens that are touched.
#[inline(never)]
pub fn touch(scene: &Scene<'_>, file: &FileView) -> Html {
    let (undo, redo) = scene.ui.editor.can(&file.name);
    let removed = scene.ui.editor.removed.as_ref().map(|name| {
        html! {
            <p class="removed"><span>{scene.words.t1("editor.removed", "file", name)}</span>
                <button class="btn" type="button" onclick={on(scene, EditorAct::Restore)}>{scene.t("tool.undo")}</button></p>
        }
    });
    html! { <>
        {removed}
        <div class="touch" role="toolbar" aria-label={scene.t("tool.keys")}>
            {tool(scene, "tool.out", OUT, EditorAct::Indent(true), false)}
            {tool(scene, "tool.deeper", DEEPER, EditorAct::Indent(false), false)}
            {tool(scene, "tool.undo", UNDO, EditorAct::Undo, !undo)}
            {tool(scene, "tool.redo", REDO, EditorAct::Redo, !redo)}
            {tool(scene, "tool.suggest", SUGGEST, EditorAct::Suggest, false)}
            {tool(scene, "tool.problem", NEXT, EditorAct::Problem(false), file.diagnostics.items.is_empty())}
        </div>
    </> }
}

/// Asks for the file's name.
#[inline(never)]
pub fn naming(scene: &Scene<'_>) -> Html {
    let name = scene
        .files
        .get(scene.ui.file)
        .map(|file| file.name.to_string());
    let read = || {
        let input = super::element("editor-name")?;
        Some(
            wasm_bindgen::JsCast::dyn_into::<HtmlInputElement>(input)
                .ok()?
                .value(),
        )
    };
    let onsubmit = scene.on.reform(move |event: SubmitEvent| {
        event.prevent_default();
        Act::Editor(EditorAct::Name(read()))
    });
    let send = scene.on.clone();
    let onkeydown = Callback::from(move |event: KeyboardEvent| {
        if event.key() == "Escape" {
            event.prevent_default();
            event.stop_propagation();
            send.emit(Act::Editor(EditorAct::Name(None)));
        }
    });
    focus_later("editor-name");
    html! {
        <form class="naming" onsubmit={onsubmit}>
            <input id="editor-name" type="text" maxlength="64" autocomplete="off" spellcheck="false" aria-label={scene.t("tool.name")} value={name} {onkeydown}/>
            <button class="btn" type="submit">{scene.t("tool.save")}</button>
        </form>
    }
}

/// Arrow keys go from tab to tab.
#[inline(never)]
pub fn tab_keys(scene: &Scene<'_>, at: usize) -> Callback<KeyboardEvent> {
    let count = scene.files.len();
    let send = scene.on.clone();
    Callback::from(move |event: KeyboardEvent| {
        let to = match event.key().as_str() {
            "ArrowRight" => (at + 1) % count,
            "ArrowLeft" => (at + count - 1) % count,
            "Home" => 0,
            "End" => count - 1,
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        send.emit(Act::File(to));
        let tabs = web_sys::window().and_then(|window| window.document());
        let tabs = tabs.and_then(|document| document.query_selector_all(".files [role=tab]").ok());
        if let Some(tab) = tabs.and_then(|tabs| tabs.item(to as u32)) {
            let tab: Option<web_sys::HtmlElement> = wasm_bindgen::JsCast::dyn_into(tab).ok();
            if let Some(tab) = tab {
                tab.focus().ok();
            }
        }
    })
}
