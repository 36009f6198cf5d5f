//! The bar for finding and replacing.

use super::find::{MOST, places};
use super::on;
use super::ui::EditorAct;
use crate::draw::icon;
use crate::state::{Act, Scene};
use podscope_session::view::FileView;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// Draws it when it is open.
#[inline(never)]
pub fn draw(scene: &Scene<'_>, file: &FileView) -> Html {
    let Some(find) = &scene.ui.editor.find else {
        return html! {};
    };
    let count = places(&file.text, &find.needle).len();
    let shown = match count {
        0 if find.needle.is_empty() => AttrValue::default(),
        0 => scene.t("find.none"),
        n => {
            let more = if n == MOST { "+" } else { "" };
            let text = [
                (find.at + 1).to_string().as_str(),
                "/",
                &n.to_string(),
                more,
            ]
            .concat();
            AttrValue::from(text)
        }
    };
    let read = |event: InputEvent| {
        let input: Option<HtmlInputElement> = event.target_dyn_into();
        input.map(|input| input.value()).unwrap_or_default()
    };
    let needle = scene
        .on
        .reform(move |event| Act::Editor(EditorAct::Needle(read(event))));
    let with = scene
        .on
        .reform(move |event| Act::Editor(EditorAct::With(read(event))));
    let keys = |enter: fn(bool) -> EditorAct| {
        let send = scene.on.clone();
        Callback::from(move |event: KeyboardEvent| {
            let act = match event.key().as_str() {
                "Enter" if !event.is_composing() => enter(event.shift_key()),
                "F3" => EditorAct::Next(event.shift_key()),
                "Escape" => EditorAct::Unfind,
                _ => return,
            };
            event.prevent_default();
            event.stop_propagation();
            send.emit(Act::Editor(act));
        })
    };
    let none = count == 0;
    html! {
        <div class="find" role="search" aria-label={scene.t("find.label")}>
            <div class="row">
                <input id="editor-find" type="text" autocomplete="off" spellcheck="false" aria-label={scene.t("find.needle")} placeholder={scene.t("find.needle")}
                    value={find.needle.clone()} oninput={needle} onkeydown={keys(EditorAct::Next)}/>
                <span class="count" role="status">{shown}</span>
                <button class="ib" type="button" disabled={none} aria-label={scene.t("find.back")} title={scene.t("find.back")} onclick={on(scene, EditorAct::Next(true))}><span aria-hidden="true">{"↑"}</span></button>
                <button class="ib" type="button" disabled={none} aria-label={scene.t("find.next")} title={scene.t("find.next")} onclick={on(scene, EditorAct::Next(false))}><span aria-hidden="true">{"↓"}</span></button>
                <button class="ib" type="button" aria-label={scene.t("close")} onclick={on(scene, EditorAct::Unfind)}>{icon("close")}</button>
            </div>
            if find.replacing {
                <div class="row">
                    <input id="editor-with" type="text" autocomplete="off" spellcheck="false" aria-label={scene.t("find.with")} placeholder={scene.t("find.with")}
                        value={find.with.clone()} oninput={with} onkeydown={keys(|_| EditorAct::Replace(false))}/>
                    <button class="btn" type="button" disabled={none} onclick={on(scene, EditorAct::Replace(false))}>{scene.t("find.one")}</button>
                    <button class="btn" type="button" disabled={none} onclick={on(scene, EditorAct::Replace(true))}>{scene.t("find.all")}</button>
                </div>
            }
        </div>
    }
}
