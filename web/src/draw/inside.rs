//! What the insides share: the way to acts and words, lists of requests, folded diffs, facts.

use super::{kind_glyph, line_class, yaml_spans};
use crate::panel::explain::pane_line;
use crate::state::{Act, Scene};
use crate::words::{Words, length, moment};
use crate::zoom::{StageAct, StageUi};
use podscope_session::view::*;
use yew::prelude::*;

/// What an inside is drawn with.
pub struct Frame<'a> {
    /// Words.
    pub words: &'a Words,
    /// The session, for what is shown only when asked for.
    pub session: &'a dyn podscope_session::api::SessionApi,
    /// Where acts go.
    pub on: &'a Callback<Act>,
    /// What the stage remembers.
    pub ui: &'a StageUi,
    /// Width of the stage in pixels.
    pub width: i32,
    /// The present moment.
    pub now: Nanos,
    /// The present event.
    pub step: EventIndex,
    /// Without pictures.
    pub text: bool,
}

impl<'a> Frame<'a> {
    /// From the page's scene.
    pub fn of(scene: &Scene<'a>) -> Frame<'a> {
        Frame {
            words: scene.words,
            session: scene.session,
            on: scene.on,
            ui: &scene.ui.stage,
            width: scene.ui.stage_size.0,
            now: scene.view.cursor.time,
            step: scene.view.cursor.event,
            text: scene.ui.as_text,
        }
    }
    /// Whether the narrow drawing is to be used.
    pub fn is_narrow(&self) -> bool {
        self.width < crate::layout::cluster::NARROW
    }
    /// A callback that does one thing.
    pub fn act<E: 'static>(&self, act: Act) -> Callback<E> {
        self.on.reform(move |_| act.clone())
    }
    /// A callback that does one thing to the stage.
    pub fn stage<E: 'static>(&self, act: StageAct) -> Callback<E> {
        self.act(Act::Stage(act))
    }
    /// A word.
    pub fn t(&self, code: &str) -> AttrValue {
        self.words.t(code)
    }
    /// A word with a number.
    pub fn n(&self, code: &str, n: impl ToString) -> AttrValue {
        self.words.t1(code, "n", &n.to_string())
    }
    /// A button that opens something on the stage.
    pub fn opens(&self, target: Target, label: impl Into<AttrValue>) -> Html {
        let label: AttrValue = label.into();
        html! { <button class="linky opens" type="button" onclick={self.act(Act::Open(target))}>{label}</button> }
    }
    /// A button that shows an object in the inspector.
    pub fn object(&self, object: &ObjectRef) -> Html {
        let name = object.name.to_string();
        html! { <button class="linky" type="button" onclick={self.act(Act::Object(object.clone()))}>{name}</button> }
    }
    /// A heading of a section.
    pub fn head(&self, code: &str) -> Html {
        html! { <h2>{self.t(code)}</h2> }
    }
}

/// Column heads from words.
pub fn heads(frame: &Frame<'_>, codes: &[&str]) -> Html {
    codes
        .iter()
        .map(|code| html! { <th scope="col">{frame.t(code)}</th> })
        .collect()
}

/// Requests with their answers; each opens as a call. `who` names the senders.
#[inline(never)]
pub fn requests(frame: &Frame<'_>, list: &[RequestLine], who: bool) -> Html {
    if list.is_empty() {
        return html! { <p class="muted small">{frame.t("inside.no-requests")}</p> };
    }
    let row = |line: &RequestLine| {
        let answer = match (&*line.answer, line.took) {
            ("", _) => html! { <span class="muted">{frame.t("inside.on-its-way")}</span> },
            (text, _) if line.failed => html! { <b class="badge">{"✕ "}{text.to_owned()}</b> },
            (text, _) => html! { {text.to_owned()} },
        };
        html! { <tr key={line.event}>
            <td class="num muted">{moment(line.at)}</td>
            if who { <td>{kind_glyph(line.kind, 14)}{" "}{line.who.to_string()}</td> }
            <td>{frame.opens(Target::Call(line.event), line.label.to_string())}</td>
            <td>{answer}</td>
            <td class="num muted">{line.took.map(length).unwrap_or_default()}</td>
        </tr> }
    };
    html! { <table class="calls"><thead><tr>
        <th scope="col">{frame.t("inside.when")}</th>
        if who { <th scope="col">{frame.t("inside.who")}</th> }
        {heads(frame, &["inside.request", "inside.answer", "inside.took"])}
    </tr></thead><tbody>{for list.iter().map(row)}</tbody></table> }
}

/// Lines kept around a change.
const CONTEXT: usize = 3;

/// Lines of YAML; long stretches without a change, and who manages which field, are folded to one line.
#[inline(never)]
pub fn folded(frame: &Frame<'_>, lines: &[CodeLine]) -> Html {
    let changed = |line: &CodeLine| !matches!(line.mark, LineMark::Same | LineMark::Dim);
    let any = lines.iter().any(changed);
    let mut managed = false;
    let mut keep: Vec<bool> = vec![!any; lines.len()];
    for (i, line) in lines.iter().enumerate() {
        if any && changed(line) {
            let to = (i + CONTEXT + 1).min(lines.len());
            for kept in keep.iter_mut().take(to).skip(i.saturating_sub(CONTEXT)) {
                *kept = true;
            }
        }
    }
    for (kept, line) in keep.iter_mut().zip(lines) {
        let text = &*line.text;
        if text.trim_start().starts_with("managedFields:") {
            managed = true;
        } else if managed {
            let deep = text.starts_with("   ") || text.starts_with("  -");
            managed = deep;
        }
        *kept &= !managed;
    }
    let mut out: Vec<Html> = Vec::new();
    let mut i = 0;
    while let Some(line) = lines.get(i) {
        if keep.get(i) == Some(&true) {
            out.push(
                html! { <div class={line_class(line.mark)}><span>{yaml_spans(&line.text)}</span></div> },
            );
            i += 1;
            continue;
        }
        let hidden = keep.iter().skip(i).take_while(|kept| !**kept).count();
        let what = if line.text.contains("managedFields:") {
            "inside.fold-managed"
        } else {
            "inside.fold"
        };
        out.push(html! { <div class="l dim fold"><span>{frame.n(what, hidden)}</span></div> });
        i += hidden.max(1);
    }
    html! { <div class="code">{for out}</div> }
}

/// Panes of data, one below the other or side by side.
#[inline(never)]
pub fn panes(frame: &Frame<'_>, panes: &[Pane]) -> Html {
    let pane = |(i, pane): (usize, &Pane)| {
        html! { <section key={i} class="pane1"><h2>{frame.t(pane.title)}</h2>
        <div class="req" tabindex="0" role="group" aria-label={frame.t(pane.title)}>
            {for pane.lines.iter().map(|line| pane_line(pane.syntax, line))}</div></section> }
    };
    html! { <div class="panes2">{for panes.iter().enumerate().map(pane)}</div> }
}

/// A frame in which an inside scrolls.
pub fn scroll(frame: &Frame<'_>, label: &str, class: &'static str, inner: Html) -> Html {
    html! { <div class={classes!("astext", "inside", class)} tabindex="0" role="region" aria-label={frame.t(label)}>{inner}</div> }
}
