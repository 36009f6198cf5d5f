//! The terminal: kubectl of the engine, with history and completion. What is entered is a command of the session;
//! `clear`, `history` and `kubectl edit` are the page's own.

use super::{InspectAct, go};
use crate::state::{Act, Scene};
use crate::words::{Words, moment};
use podscope_session::view::*;
use std::rc::Rc;
use web_sys::{ClipboardEvent, HtmlInputElement};
use yew::prelude::*;

/// The most entries that are shown.
const MAX_ENTRIES: usize = 200;

/// Draws the tab.
#[inline(never)]
pub fn draw(scene: &Scene<'_>) -> Html {
    let ui = &scene.ui.inspector.terminal;
    let entries = scene.session.terminal();
    let mut shown: Vec<(EventIndex, Html)> = Vec::new();
    let kept = entries.iter().filter(|entry| entry.event > ui.cleared);
    let skip = kept.clone().count().saturating_sub(MAX_ENTRIES);
    shown.extend(
        kept.skip(skip)
            .map(|entry| (entry.event, entry_of(scene, entry))),
    );
    for (i, (behind, line, answer)) in ui.local.iter().enumerate() {
        let drawn = html! { <div key={["l", &*i.to_string()].concat()}><span class="p">{"$ "}</span>{line.clone()}{"\n"}{answer.clone()}{"\n"}</div> };
        let at = shown
            .iter()
            .position(|(event, _)| event > behind)
            .unwrap_or(shown.len());
        shown.insert(at, (*behind, drawn));
    }
    let empty = shown.is_empty();
    let version = (
        entries.len(),
        ui.local.len(),
        ui.cleared,
        entries.last().is_some_and(|e| e.exit.is_some()) != ui.options.is_empty(),
    );
    html! {
        <div class="terminal">
            <Scroll version={version} label={scene.t("terminal.log")}>
                if empty { <span class="p">{scene.t("terminal.empty")}</span> }
                {for shown.into_iter().map(|(_, drawn)| drawn)}
            </Scroll>
            {options(scene)}
            <Prompt line={ui.line.clone()} open={!ui.options.is_empty()} marked={ui.marked} words={scene.words.clone()} on={scene.on.clone()}/>
        </div>
    }
}

fn entry_of(scene: &Scene<'_>, entry: &TerminalEntry) -> Html {
    let (class, exit) = match entry.exit {
        Some(0) => ("", scene.words.t1("terminal.exit", "n", "0")),
        Some(n) => ("bad", scene.words.t1("terminal.exit", "n", &n.to_string())),
        None => ("", scene.t("terminal.runs")),
    };
    let mut output = entry.output.to_string();
    if !output.is_empty() && !output.ends_with('\n') {
        output.push('\n');
    }
    html! { <div key={entry.event}>
    <div class="cmd"><span><span class="p">{"$ "}</span>{entry.command.to_string()}</span>
        <span class="exit">{go(scene, entry.event, moment(entry.at))}{" "}<span class={class}>{exit}</span></span></div>
    <span class={class}>{output}</span></div> }
}

/// Words that may stand at the end of the line.
fn options(scene: &Scene<'_>) -> Html {
    let ui = &scene.ui.inspector.terminal;
    if ui.options.is_empty() {
        return html! {};
    }
    let option = |(i, word): (usize, &Text)| {
        let id = ["word-", &*i.to_string()].concat();
        let here = i == ui.marked;
        html! { <li key={i} id={id} role="option" aria-selected={here.to_string()} onclick={scene.act(Act::Inspect(InspectAct::Take(i)))}>{word.to_string()}</li> }
    };
    html! { <ul class="words" id="words" role="listbox" aria-label={scene.t("terminal.words")}>{for ui.options.iter().enumerate().map(option)}</ul> }
}

#[derive(Properties, PartialEq)]
struct ScrollProps {
    version: (usize, usize, EventIndex, bool),
    label: AttrValue,
    children: Html,
}

/// What was printed; new lines are scrolled into sight.
#[component]
fn Scroll(props: &ScrollProps) -> Html {
    let end = use_node_ref();
    {
        let end = end.clone();
        use_effect_with(props.version, move |_| {
            if let Some(end) = end.cast::<web_sys::Element>() {
                end.set_scroll_top(end.scroll_height());
            }
        });
    }
    html! { <div class="tty" ref={end} tabindex="0" role="log" aria-label={props.label.clone()}>{props.children.clone()}</div> }
}

#[derive(Properties, PartialEq)]
struct PromptProps {
    line: String,
    open: bool,
    marked: usize,
    words: Words,
    on: Callback<Act>,
}

/// The line that is typed: Enter runs it, Tab completes it, arrows go through the history.
#[component]
fn Prompt(props: &PromptProps) -> Html {
    let input = use_node_ref();
    {
        // The caret goes behind what was completed or recalled.
        let (input, line) = (input.clone(), props.line.clone());
        use_effect_with(props.line.clone(), move |_| {
            if let Some(field) = input.cast::<HtmlInputElement>() {
                let end = u32::try_from(line.encode_utf16().count()).ok();
                field
                    .set_selection_range(end.unwrap_or(0), end.unwrap_or(0))
                    .ok();
            }
        });
    }
    let act = {
        let on = props.on.clone();
        Rc::new(move |act: InspectAct| on.emit(Act::Inspect(act)))
    };
    let (open, marked) = (props.open, props.marked);
    let onkeydown = {
        let act = act.clone();
        Callback::from(move |event: KeyboardEvent| {
            event.stop_propagation();
            let Some(field) = event.target_dyn_into::<HtmlInputElement>() else {
                return;
            };
            if event.is_composing() {
                return;
            }
            let control = event.ctrl_key() && !event.alt_key() && !event.meta_key();
            let selected = field.selection_start().ok() != field.selection_end().ok();
            let next = match event.key().as_str() {
                "c" | "C" if control && !selected => InspectAct::Cancel,
                "l" | "L" if control => InspectAct::Clear,
                _ if control || event.alt_key() || event.meta_key() => return,
                "Enter" if open => InspectAct::Take(marked),
                "Enter" => InspectAct::Enter(field.value()),
                // An empty line leaves Tab to the page.
                "Tab" if !event.shift_key() && !field.value().trim().is_empty() && !open => {
                    InspectAct::Complete
                }
                "Tab" if !event.shift_key() && open => InspectAct::Take(marked),
                "ArrowUp" if open => InspectAct::Mark(false),
                "ArrowDown" if open => InspectAct::Mark(true),
                "ArrowUp" => InspectAct::History(false),
                "ArrowDown" => InspectAct::History(true),
                "Escape" if open => InspectAct::Line(field.value()),
                // Leaves the field, so that Tab goes on.
                "Escape" => {
                    field.blur().ok();
                    return;
                }
                _ => return,
            };
            event.prevent_default();
            act(next);
        })
    };
    let oninput = {
        let act = act.clone();
        Callback::from(move |event: InputEvent| act(InspectAct::Line(super::field(&event))))
    };
    let onpaste = {
        let on = props.on.clone();
        Callback::from(move |event: Event| {
            let Some(paste) = event.dyn_ref::<ClipboardEvent>() else {
                return;
            };
            let text = paste
                .clipboard_data()
                .and_then(|data| data.get_data("text/plain").ok());
            let Some(text) = text.filter(|text| text.trim_end().contains('\n')) else {
                return;
            };
            event.prevent_default();
            on.emit(Act::Inspect(InspectAct::Enter(text)));
        })
    };
    let current = open.then(|| ["word-", &*marked.to_string()].concat());
    html! {
        <label class="prompt"><span aria-hidden="true">{"$"}</span>
            <input ref={input} type="text" role="combobox" aria-expanded={open.to_string()} aria-controls="words" aria-autocomplete="list"
                aria-activedescendant={current} spellcheck="false" autocomplete="off" autocapitalize="off" value={props.line.clone()}
                aria-label={props.words.t("terminal.input")} placeholder="kubectl get pods -o wide" {onkeydown} {oninput} {onpaste}/>
            <span class="hint small muted wide">{props.words.t("terminal.hint")}</span>
        </label>
    }
}

use wasm_bindgen::JsCast;
