//! The text area over its coloured copy, with the proposals at the caret.

use super::marks::{self, Mark};
use super::ui::{EditorAct, List};
use super::{keys, text};
use crate::draw::kind_glyph;
use crate::state::Act;
use podscope_session::view::*;
use std::rc::Rc;
use web_sys::HtmlTextAreaElement;
use yew::prelude::*;

/// Lines above this number are not coloured.
const MOST_COLOURED: usize = 2_000;
/// Lines that are drawn anew together.
const CHUNK: usize = 40;

/// A file as a property: equal when it is the same.
#[derive(Clone)]
pub struct FileRef(pub FileView);

impl PartialEq for FileRef {
    fn eq(&self, other: &FileRef) -> bool {
        Rc::ptr_eq(&self.0.diagnostics, &other.0.diagnostics)
            && self.0.text == other.0.text
            && self.0.name == other.0.name
    }
}

/// What the copy shows beyond the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing {
    /// Name of the proposals.
    pub label: AttrValue,
    /// Proposals.
    pub list: Option<List>,
    /// Bytes of places that were found.
    pub hits: Vec<(usize, usize)>,
    /// Which of them is the current one.
    pub now: usize,
}

/// Properties of the editor.
#[derive(Properties, PartialEq)]
pub struct EditorProps {
    pub file: FileRef,
    /// Lines that the current step is about.
    pub here: Option<(u32, u32)>,
    pub label: AttrValue,
    pub hint: AttrValue,
    pub listing: Option<Rc<Listing>>,
    pub on: Callback<Act>,
}

/// Draws it.
#[component]
pub fn Editor(props: &EditorProps) -> Html {
    let file = &props.file.0;
    // Escape, then Tab leaves the editor; else Tab indents.
    let leaving = use_mut_ref(|| false);
    let listing = props.listing.as_deref();
    let list = listing.and_then(|listing| listing.list.as_ref());
    let oninput = props.on.reform(keys::typed);
    let onkeydown = {
        let on = props.on.clone();
        let listing = list.is_some();
        Callback::from(move |event: KeyboardEvent| {
            keys::pressed(&event, &on, &mut leaving.borrow_mut(), listing)
        })
    };
    let onselect = props.on.reform(|_: Event| keys::caret());
    let onkeyup = props.on.reform(|_: KeyboardEvent| keys::caret());
    let onfocus = props.on.reform(|_: FocusEvent| keys::caret());
    let onclick = props.on.reform(|_: MouseEvent| keys::caret());
    let onmousemove = {
        let on = props.on.clone();
        let hovered = use_mut_ref(keys::Hover::default);
        Callback::from(move |event: MouseEvent| keys::hover(&event, &on, &hovered))
    };
    let count = file.text.bytes().filter(|b| *b == b'\n').count() + 1;
    let coloured = count <= MOST_COLOURED;
    // What was typed since is not lost.
    let ahead = keys::is_ahead().then(super::textarea).flatten();
    let value = ahead.map_or_else(|| file.text.to_string(), |area| area.value());
    let chunks = if coloured {
        lines(props, listing)
    } else {
        Vec::new()
    };
    html! {
        <div class="code">
            <div class="ed">
                <div aria-hidden="true">
                    {for chunks.into_iter().enumerate().map(|(i, lines)| html! { <Chunk key={i} {lines}/> })}
                </div>
                <textarea id="manifest-text" class={if coloured { "" } else { "plain" }} aria-label={props.label.clone()}
                    aria-describedby="manifest-hint" spellcheck="false" autocomplete="off" autocapitalize="off" autocorrect="off"
                    aria-autocomplete={list.map(|_| "list")} aria-controls={list.map(|_| "editor-options")}
                    aria-activedescendant={list.map(|list| option_id(list.active))}
                    wrap="off" {value} {oninput} {onkeydown} {onkeyup} {onselect} {onclick} {onfocus} {onmousemove}
                    rows={count.to_string()}/>
                if let (Some(listing), Some(list)) = (listing, list) { {options(listing, list, &props.on)} }
            </div>
            <p id="manifest-hint" class="sr">{props.hint.clone()}</p>
        </div>
    }
}

fn option_id(i: usize) -> String {
    ["editor-option-", &i.to_string()].concat()
}

#[inline(never)]
fn options(listing: &Listing, list: &List, on: &Callback<Act>) -> Html {
    let option = |(i, item): (usize, &SuggestItem)| {
        // The keyboard stays in the text.
        let keep = Callback::from(|event: PointerEvent| event.prevent_default());
        let hold = Callback::from(|event: MouseEvent| event.prevent_default());
        html! {
            <li key={i} id={option_id(i)} role="option" aria-selected={(i == list.active).to_string()}
                onpointerdown={keep} onmousedown={hold} onclick={on.reform(move |_| Act::Editor(EditorAct::Take(Some(i))))}>
                <b>{item.label.to_string()}</b><span>{item.detail.to_string()}</span>
            </li>
        }
    };
    html! {
        <ul id="editor-options" class="options" role="listbox" aria-label={listing.label.clone()}>
            {for list.view.items.iter().enumerate().map(option)}
        </ul>
    }
}

/// A line as it is drawn.
#[derive(Clone, Debug, PartialEq)]
struct Line {
    text: Box<str>,
    class: &'static str,
    marks: Vec<Mark>,
    who: [Option<ComponentKind>; 2],
    /// The text ends here with nothing: the line needs a height.
    blank: bool,
}

/// Properties of lines that are drawn together.
#[derive(Properties, PartialEq)]
struct ChunkProps {
    lines: Rc<[Line]>,
}

#[component]
fn Chunk(props: &ChunkProps) -> Html {
    let line = |(i, line): (usize, &Line)| {
        html! {
            <div key={i} class={line.class}><span>{marks::draw(&line.text, &line.marks)}{if line.blank { "\u{200b}" } else { "" }}</span>
                <span class="who">{for line.who.iter().flatten().map(|kind| kind_glyph(*kind, 14))}</span></div>
        }
    };
    html! { <>{for props.lines.iter().enumerate().map(line)}</> }
}

fn lines(props: &EditorProps, listing: Option<&Listing>) -> Vec<Rc<[Line]>> {
    let file = &props.file.0;
    let mut readers = file.diagnostics.readers.iter().peekable();
    let mut all = Vec::new();
    for (i, text) in file.text.split('\n').enumerate() {
        let number = i as u32;
        let mut who = [None; 2];
        while let Some(reader) = readers.next_if(|reader| reader.0 <= number) {
            if let Some(free) = who.iter_mut().find(|kind| kind.is_none()) {
                *free = Some(reader.1);
            }
        }
        let here = props
            .here
            .is_some_and(|(from, to)| from <= number && number <= to);
        all.push(Line {
            text: text.into(),
            class: if here { "l here" } else { "l" },
            marks: Vec::new(),
            who,
            blank: false,
        });
    }
    if let Some(last) = all.last_mut() {
        last.blank = last.text.is_empty();
    }
    if !file.diagnostics.items.is_empty() {
        mark_problems(&file.diagnostics.items, &mut all);
    }
    if let Some(listing) = listing.filter(|listing| !listing.hits.is_empty()) {
        mark_hits(&file.text, listing, &mut all);
    }
    all.chunks(CHUNK).map(Rc::from).collect()
}

#[inline(never)]
fn mark_problems(items: &[DiagnosticView], lines: &mut [Line]) {
    for item in items {
        let Some(line) = lines.get_mut(item.line as usize) else {
            continue;
        };
        let byte = |column: u32| {
            let mut chars = line.text.char_indices();
            chars.nth(column as usize).map_or(line.text.len(), |c| c.0)
        };
        let (from, to) = (
            byte(item.column),
            byte(item.end_column.max(item.column + 1)),
        );
        let (class, rank) = match item.severity {
            Severity::Error => ("squig", "l bad"),
            Severity::Warning => ("squig warn", "l warn"),
            Severity::Info => ("noop", line.class),
        };
        line.marks.push((from, to, class));
        if line.class != "l bad" {
            line.class = rank;
        }
        if item.severity == Severity::Info {
            mute(lines, item.line as usize);
        }
    }
}

/// The lines of a field that has no effect, and of everything below it.
fn mute(lines: &mut [Line], at: usize) {
    let column = |text: &str| text.len() - text.trim_start_matches([' ', '-']).len();
    let Some(key) = lines.get(at).map(|line| column(&line.text)) else {
        return;
    };
    for (i, line) in lines.iter_mut().enumerate().skip(at) {
        let indent = line.text.len() - line.text.trim_start().len();
        let item = indent == key && line.text.trim_start().starts_with("- ");
        let below = i == at || indent > key || item;
        if !below && !line.text.trim().is_empty() {
            break;
        }
        if line.class == "l" {
            line.class = "l mute";
        }
    }
}

#[inline(never)]
fn mark_hits(text: &str, listing: &Listing, lines: &mut [Line]) {
    let mut start = 0;
    let mut hits = listing.hits.iter().enumerate().peekable();
    for (line, row) in lines.iter_mut().zip(text.split('\n')) {
        let end = start + row.len();
        while let Some((i, (from, to))) = hits.next_if(|(_, hit)| hit.0 <= end) {
            let class = if i == listing.now {
                "found this"
            } else {
                "found"
            };
            line.marks
                .push((from.saturating_sub(start), (*to).min(end) - start, class));
        }
        start = end + 1;
    }
}

/// The text area's selection.
pub fn selection(area: &HtmlTextAreaElement) -> text::Selection {
    let read = |unit: Result<Option<u32>, _>| unit.ok().flatten().unwrap_or(0);
    (read(area.selection_start()), read(area.selection_end()))
}
