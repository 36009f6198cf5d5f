//! The glossary: all terms with search, as a dialogue.

use super::terms::mark;
use crate::learn::{LearnAct, glossary, see_word};
use crate::state::{Act, Scene};
use crate::words::{Words, rich};
use podscope_lesson::glossary::Term;
use wasm_bindgen::JsCast;
use yew::prelude::*;

/// Draws it when it is open.
#[inline(never)]
pub fn draw(scene: &Scene<'_>) -> Html {
    let Some(at) = &scene.ui.learn.glossary else {
        return html! {};
    };
    html! { <Dialogue at={at.clone()} words={scene.words.clone()} on={scene.on.clone()}/> }
}

#[derive(Clone, PartialEq, Properties)]
struct Props {
    /// The term that it opens at; empty for none.
    at: String,
    words: Words,
    on: Callback<Act>,
}

struct Dialogue {
    query: String,
    node: NodeRef,
    search: NodeRef,
}

enum Msg {
    Search(String),
}

impl Component for Dialogue {
    type Message = Msg;
    type Properties = Props;

    fn create(_ctx: &Context<Dialogue>) -> Dialogue {
        Dialogue {
            query: String::new(),
            node: NodeRef::default(),
            search: NodeRef::default(),
        }
    }

    fn update(&mut self, _ctx: &Context<Dialogue>, msg: Msg) -> bool {
        match msg {
            Msg::Search(query) => self.query = query,
        }
        true
    }

    fn rendered(&mut self, ctx: &Context<Dialogue>, first: bool) {
        let Some(node) = self.node.cast::<web_sys::HtmlDialogElement>() else {
            return;
        };
        if !first {
            return;
        }
        node.show_modal().ok();
        let at = ["term-", &ctx.props().at].concat();
        let term = web_sys::window()
            .and_then(|window| window.document())
            .and_then(|document| document.get_element_by_id(&at))
            .and_then(|term| term.dyn_into::<web_sys::HtmlElement>().ok());
        match term {
            Some(term) => {
                term.scroll_into_view();
                term.focus().ok();
            }
            None => {
                if let Some(input) = self.search.cast::<web_sys::HtmlElement>() {
                    input.focus().ok();
                }
            }
        }
    }

    fn destroy(&mut self, _ctx: &Context<Dialogue>) {
        // Closing gives the keyboard back to whoever had it.
        if let Some(node) = self.node.cast::<web_sys::HtmlDialogElement>() {
            node.close();
        }
    }

    fn view(&self, ctx: &Context<Dialogue>) -> Html {
        let props = ctx.props();
        let words = &props.words;
        let glossary = glossary(words);
        let found = glossary.search(&self.query);
        let close = {
            let on = props.on.clone();
            move |event: Event| {
                event.prevent_default();
                on.emit(Act::Learn(LearnAct::CloseGlossary));
            }
        };
        let close_too = props
            .on
            .reform(|_: MouseEvent| Act::Learn(LearnAct::CloseGlossary));
        let search = ctx.link().callback(|event: InputEvent| {
            let input: Option<web_sys::HtmlInputElement> = event.target_dyn_into();
            Msg::Search(input.map(|input| input.value()).unwrap_or_default())
        });
        // Letters are text here, not shortcuts.
        let keys = Callback::from(|event: KeyboardEvent| {
            if event.key() != "Escape" {
                event.stop_propagation();
            }
        });
        let count = words.t1("glossary.count", "n", &found.len().to_string());
        html! {
            <dialog class="glossary" ref={self.node.clone()} aria-labelledby="glossary-title" oncancel={close} onkeydown={keys}>
                <div class="glosshead">
                    <h2 id="glossary-title">{words.t("glossary.title")}</h2>
                    <button type="button" class="btn quiet" onclick={close_too}>{words.t("close")}</button>
                    <label><span class="sr">{words.t("glossary.search")}</span>
                        <input type="search" ref={self.search.clone()} autocomplete="off" spellcheck="false" placeholder={words.t("glossary.search")}
                            value={self.query.clone()} oninput={search}/></label>
                    <span class="muted small" role="status">{count}</span>
                </div>
                <div class="glosslist" tabindex="0" role="region" aria-label={words.t("glossary.terms")}>
                    if found.is_empty() { <p class="muted">{words.t("glossary.nothing")}</p> }
                    <ul>{for found.into_iter().map(|term| entry(props, term))}</ul>
                </div>
            </dialog>
        }
    }
}

fn entry(props: &Props, term: &Term) -> Html {
    let words = &props.words;
    let see = term.see.clone();
    let here = term.id == props.at;
    let onclick = props
        .on
        .reform(move |_: MouseEvent| Act::Learn(LearnAct::See(see.clone())));
    html! {
        <li key={term.id.clone()} id={["term-", &term.id].concat()} tabindex="-1" class={here.then_some("here")}>
            <h3>{mark(&term.glyph, 18)}{term.name.clone()}</h3>
            <p>{rich(&term.plain)}</p>
            <p class="muted">{rich(&term.exact)}</p>
            if let Some(word) = see_word(words, &term.see) {
                <button type="button" class="linky" {onclick} aria-label={[&*word, ": ", &term.name].concat()}>{word}</button>
            }
        </li>
    }
}
