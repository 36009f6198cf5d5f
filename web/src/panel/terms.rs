//! Terms of the glossary in running text: a button that opens what the glossary says, by hover or click.

use crate::draw::glyph;
use crate::learn::{LearnAct, glossary, see_word};
use crate::state::{Act, Scene};
use crate::words::{Words, rich};
use gloo_timers::callback::Timeout;
use podscope_lesson::glossary::Term as Entry;
use wasm_bindgen::prelude::*;
use yew::prelude::*;

/// How long the pointer rests before a popover opens, and how long it may be away before it closes.
const OPEN_MS: u32 = 180;
const CLOSE_MS: u32 = 260;
/// Room between popover and window edge, and between popover and term.
const EDGE: f64 = 8.0;

/// Text in which backquotes mark code, asterisks mark what is strong, and terms of the glossary open;
/// each at its first occurrence in `seen`.
#[inline(never)]
pub fn linked(scene: &Scene<'_>, text: &str, seen: &mut Vec<usize>) -> Html {
    let parts = text.split("**").enumerate().map(|(i, part)| {
        let part = plain(scene, part, seen);
        if i % 2 == 1 {
            html! { <b>{part}</b> }
        } else {
            part
        }
    });
    parts.collect()
}

fn plain(scene: &Scene<'_>, text: &str, seen: &mut Vec<usize>) -> Html {
    let glossary = glossary(scene.words);
    let mut out: Vec<Html> = Vec::new();
    let term = |index: usize, label: Html| {
        let entry = glossary.terms().get(index).cloned();
        entry.map_or(label.clone(), |entry| {
            html! { <Term entry={EntryRef(entry)} words={scene.words.clone()} on={scene.on.clone()}>{label}</Term> }
        })
    };
    for (i, part) in text.split('`').enumerate() {
        let found = glossary.find(part, seen);
        if i % 2 == 1 {
            let code = html! { <code>{part.to_owned()}</code> };
            match found[..] {
                [(0, end, index)] if end == part.len() => out.push(term(index, code)),
                _ => {
                    // Part of a longer name: the term is still to come.
                    seen.truncate(seen.len() - found.len());
                    out.push(code);
                }
            }
            continue;
        }
        let mut from = 0;
        for (start, end, index) in found {
            out.push(rich(part.get(from..start).unwrap_or_default()));
            let label = part.get(start..end).unwrap_or_default().to_owned();
            out.push(term(index, html! { {label} }));
            from = end;
        }
        out.push(rich(part.get(from..).unwrap_or_default()));
    }
    out.into_iter().collect()
}

/// An entry as a property.
#[derive(Clone, PartialEq)]
pub struct EntryRef(Entry);

/// Properties of a term.
#[derive(Clone, PartialEq, Properties)]
pub struct TermProps {
    entry: EntryRef,
    words: Words,
    on: Callback<Act>,
    children: Html,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    No,
    Hover,
    Pinned,
}

/// A term in running text.
pub struct Term {
    open: Open,
    button: NodeRef,
    pop: NodeRef,
    timer: Option<Timeout>,
    away: Option<Away>,
}

/// What happens to it.
pub enum TermMsg {
    Enter,
    Leave,
    Show,
    Click,
    Close,
    Escape,
}

/// Window listeners for as long as a popover is open: Escape, a press elsewhere, scrolling.
struct Away {
    calls: Vec<(&'static str, Closure<dyn FnMut(web_sys::Event)>)>,
}

impl Away {
    fn new(link: &html::Scope<Term>, inside: NodeRef) -> Away {
        let mut calls = Vec::new();
        let names: [&'static str; 3] = ["keydown", "pointerdown", "scroll"];
        for name in names {
            let (link, inside) = (link.clone(), inside.clone());
            let call = Closure::new(move |event: web_sys::Event| {
                let key = event.dyn_ref::<KeyboardEvent>().map(|event| event.key());
                match key.as_deref() {
                    Some("Escape") => {
                        event.stop_propagation();
                        link.send_message(TermMsg::Escape);
                    }
                    Some(_) => {}
                    None => {
                        let target = event.target_dyn_into::<web_sys::Node>();
                        let pop = inside.cast::<web_sys::Node>();
                        let own = pop.and_then(|pop| pop.parent_node());
                        if !own.is_some_and(|own| own.contains(target.as_ref())) {
                            link.send_message(TermMsg::Close);
                        }
                    }
                }
            });
            calls.push((name, call));
        }
        let away = Away { calls };
        away.each(|window, name, call| {
            window
                .add_event_listener_with_callback_and_bool(name, call, true)
                .ok();
        });
        away
    }

    fn each(&self, with: impl Fn(&web_sys::Window, &str, &web_sys::js_sys::Function)) {
        let Some(window) = web_sys::window() else {
            return;
        };
        for (name, call) in &self.calls {
            with(
                &window,
                name,
                AsRef::<JsValue>::as_ref(call).unchecked_ref(),
            );
        }
    }
}

impl Drop for Away {
    fn drop(&mut self) {
        self.each(|window, name, call| {
            window
                .remove_event_listener_with_callback_and_bool(name, call, true)
                .ok();
        });
    }
}

impl Component for Term {
    type Message = TermMsg;
    type Properties = TermProps;

    fn create(_ctx: &Context<Term>) -> Term {
        Term {
            open: Open::No,
            button: NodeRef::default(),
            pop: NodeRef::default(),
            timer: None,
            away: None,
        }
    }

    fn update(&mut self, ctx: &Context<Term>, msg: TermMsg) -> bool {
        let later = |ms, then: fn() -> TermMsg| {
            let link = ctx.link().clone();
            Some(Timeout::new(ms, move || link.send_message(then())))
        };
        let was = self.open;
        match msg {
            TermMsg::Enter => {
                self.timer = None;
                if self.open == Open::No {
                    self.timer = later(OPEN_MS, || TermMsg::Show);
                }
            }
            TermMsg::Leave => {
                self.timer = None;
                if self.open == Open::Hover {
                    self.timer = later(CLOSE_MS, || TermMsg::Close);
                }
            }
            TermMsg::Show if self.open == Open::No => self.open = Open::Hover,
            TermMsg::Show => {}
            TermMsg::Click => {
                self.timer = None;
                self.open = if self.open == Open::Pinned {
                    Open::No
                } else {
                    Open::Pinned
                };
            }
            TermMsg::Close => self.open = Open::No,
            TermMsg::Escape => {
                self.open = Open::No;
                if let Some(button) = self.button.cast::<web_sys::HtmlElement>() {
                    button.focus().ok();
                }
            }
        }
        if self.open == Open::No {
            self.away = None;
        } else if self.away.is_none() {
            self.away = Some(Away::new(ctx.link(), self.button.clone()));
        }
        was != self.open
    }

    fn rendered(&mut self, _ctx: &Context<Term>, _first: bool) {
        if self.open != Open::No {
            place(&self.button, &self.pop);
        }
    }

    fn view(&self, ctx: &Context<Term>) -> Html {
        let props = ctx.props();
        let link = ctx.link();
        let open = self.open != Open::No;
        let mouse = |msg: fn() -> TermMsg| {
            link.batch_callback(move |event: PointerEvent| {
                (event.pointer_type() == "mouse").then(msg)
            })
        };
        let keys = link.batch_callback(|event: KeyboardEvent| {
            let press = matches!(event.key().as_str(), "Enter" | " ");
            if press {
                event.prevent_default();
                event.stop_propagation();
            }
            press.then_some(TermMsg::Click)
        });
        html! {
            <span class="term-w" onpointerenter={mouse(|| TermMsg::Enter)} onpointerleave={mouse(|| TermMsg::Leave)}>
                // In a line of text, hence no button: that would be a box of its own, which does not wrap.
                <span role="button" tabindex="0" class="term" ref={self.button.clone()} aria-expanded={open.to_string()} onkeydown={keys}
                    onclick={link.callback(|_| TermMsg::Click)}>{props.children.clone()}</span>
                if open { {self.popover(props, link)} }
            </span>
        }
    }
}

impl Term {
    fn popover(&self, props: &TermProps, link: &html::Scope<Term>) -> Html {
        let EntryRef(entry) = &props.entry;
        let act = |act: LearnAct| {
            let (on, link) = (props.on.clone(), link.clone());
            Callback::from(move |_: MouseEvent| {
                link.send_message(TermMsg::Close);
                on.emit(Act::Learn(act.clone()));
            })
        };
        html! {
            <span class="termpop" role="group" aria-label={entry.name.clone()} ref={self.pop.clone()}>
                <span class="termhead">if !entry.glyph.is_empty() { {mark(&entry.glyph, 18)} }<b>{entry.name.clone()}</b></span>
                <span class="termtext">{rich(&entry.plain)}</span>
                <span class="termtext muted">{rich(&entry.exact)}</span>
                <span class="acts">
                    if let Some(word) = see_word(&props.words, &entry.see) {
                        <button type="button" class="linky" onclick={act(LearnAct::See(entry.see.clone()))}>{word}</button>
                    }
                    <button type="button" class="linky" onclick={act(LearnAct::Glossary(entry.id.clone()))}>{props.words.t("glossary.open")}</button>
                </span>
            </span>
        }
    }
}

/// The glyph of a kind by its name in the glossary.
pub fn mark(name: &str, size: u8) -> Html {
    const GLYPHS: [&str; 13] = [
        "client", "api", "etcd", "ctrl", "sched", "kubelet", "runtime", "net", "pod", "obj",
        "node", "fault", "webhook",
    ];
    let known = GLYPHS.iter().find(|known| **known == name);
    known.map_or_else(Html::default, |name| glyph(name, size))
}

/// Puts the popover below its term, or above when there is no room; inside the window.
fn place(button: &NodeRef, pop: &NodeRef) {
    let (Some(button), Some(pop), Some(window)) = (
        button.cast::<web_sys::Element>(),
        pop.cast::<web_sys::HtmlElement>(),
        web_sys::window(),
    ) else {
        return;
    };
    let size = |value: Result<JsValue, JsValue>| value.ok().and_then(|v| v.as_f64()).unwrap_or(0.0);
    let (wide, high) = (size(window.inner_width()), size(window.inner_height()));
    let term = button.get_bounding_client_rect();
    let own = pop.get_bounding_client_rect();
    let left = term.left().min(wide - own.width() - EDGE).max(EDGE);
    let below = term.bottom() + 4.0;
    let top = if below + own.height() + EDGE > high {
        (term.top() - own.height() - 4.0).max(EDGE)
    } else {
        below
    };
    let px = |value: f64| [&*(value as i32).to_string(), "px"].concat();
    let style = pop.style();
    style.set_property("left", &px(left)).ok();
    style.set_property("top", &px(top)).ok();
}
