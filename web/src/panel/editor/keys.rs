//! Keys, input and pointer of the text area.

use super::code::selection;
use super::text;
use super::ui::EditorAct;
use crate::state::Act;
use gloo_timers::callback::Timeout;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::HtmlTextAreaElement;
use yew::prelude::*;

/// How long the pointer rests on a line until its field is shown.
const REST_MS: u32 = 250;

thread_local! {
    /// Inputs that the page has not been told of: acts are done a little later.
    static PENDING: Cell<u32> = const { Cell::new(0) };
}

/// Whether the text area is ahead of the page's text.
pub fn is_ahead() -> bool {
    PENDING.get() > 0
}

/// The page was told of an input.
pub fn told() {
    PENDING.set(PENDING.get().saturating_sub(1));
}

/// What was typed, as an act. A new line is indented here and now: the next letter may come before the
/// page has been told.
#[inline(never)]
pub fn typed(event: InputEvent) -> Act {
    let Some(area) = event.target_dyn_into::<HtmlTextAreaElement>() else {
        return Act::Editor(EditorAct::Close);
    };
    // Programs that help with typing may send a plain event, which says nothing of itself.
    let input = event.dyn_ref::<InputEvent>();
    let how = input.map(InputEvent::input_type).unwrap_or_default();
    let composing = input.is_some_and(InputEvent::is_composing);
    let is_break = matches!(how.as_str(), "insertLineBreak" | "insertParagraph");
    if is_break
        && !composing
        && let Some((new, caret)) = text::indented(&area.value(), selection(&area).0)
    {
        write(&area, &new, caret);
    }
    let (text, caret) = (area.value(), selection(&area));
    PENDING.set(PENDING.get() + 1);
    Act::Editor(EditorAct::Type(text, caret, how, composing))
}

/// Gives the text area another text and selection.
pub fn write(area: &HtmlTextAreaElement, text: &str, (from, to): text::Selection) {
    area.set_value(text);
    area.set_selection_range(from, to).ok();
}

/// The caret moved, as an act. Where it is then is read when the act is done: until then it may move on.
#[inline(never)]
pub fn caret() -> Act {
    Act::Editor(EditorAct::Caret)
}

/// A key went down.
#[inline(never)]
pub fn pressed(event: &KeyboardEvent, on: &Callback<Act>, leaving: &mut bool, listing: bool) {
    // A key of an input method is none of ours.
    if event.is_composing() || event.key_code() == 229 {
        return;
    }
    let key = event.key();
    // Proposals for a text that has changed since are none.
    let listing = listing && !is_ahead();
    let found = (if listing { in_list(&key) } else { None }).or_else(|| own(event, &key, leaving));
    *leaving = key == "Escape" && !listing;
    if let Some(act) = found {
        event.prevent_default();
        event.stop_propagation();
        on.emit(act);
    } else if key != "Escape" {
        // Letters are text here, not shortcuts.
        event.stop_propagation();
    }
}

fn in_list(key: &str) -> Option<Act> {
    Some(Act::Editor(match key {
        "ArrowDown" => EditorAct::Move(1),
        "ArrowUp" => EditorAct::Move(-1),
        "PageDown" => EditorAct::Move(6),
        "PageUp" => EditorAct::Move(-6),
        "Enter" | "Tab" => EditorAct::Take(None),
        "Escape" => EditorAct::Close,
        _ => return None,
    }))
}

fn own(event: &KeyboardEvent, key: &str, leaving: &bool) -> Option<Act> {
    let command = event.ctrl_key() || event.meta_key();
    let shift = event.shift_key();
    let act = match key {
        "Enter" if command && shift => EditorAct::ApplyAll,
        "Enter" if command => return Some(Act::Apply),
        "Enter" if event.alt_key() => EditorAct::FixHere,
        "F8" => EditorAct::Problem(shift),
        "F3" => EditorAct::Next(shift),
        " " if command => EditorAct::Suggest,
        "z" | "Z" if command && shift => EditorAct::Redo,
        "z" if command => EditorAct::Undo,
        "y" if command => EditorAct::Redo,
        "f" if command => EditorAct::Find(false),
        "h" if command => EditorAct::Find(true),
        "i" if command => EditorAct::Say,
        "Tab" if *leaving || command => return None,
        "Tab" => EditorAct::Indent(shift),
        _ => return None,
    };
    Some(Act::Editor(act))
}

/// Where the pointer rests.
#[derive(Default)]
pub struct Hover {
    line: Option<u32>,
    timer: Option<Timeout>,
}

/// The pointer moved over the text.
#[inline(never)]
pub fn hover(event: &MouseEvent, on: &Callback<Act>, hovered: &Rc<RefCell<Hover>>) {
    let line = u32::try_from(event.offset_y() / super::LINE).ok();
    let mut state = hovered.borrow_mut();
    if state.line == line || event.buttons() != 0 {
        return;
    }
    state.line = line;
    let on = on.clone();
    let rest = move || on.emit(Act::Editor(EditorAct::Hover(line)));
    state.timer = Some(Timeout::new(REST_MS, rest));
}
