//! Inside one call: from whom to whom, its steps, the very data that was sent and came back.

use super::inside::{Frame, panes, scroll};
use super::{kind_class, kind_glyph, px};
use crate::path;
use crate::state::Act;
use crate::words::{length, moment};
use podscope_session::view::*;
use yew::prelude::*;

/// Draws it.
#[inline(never)]
pub fn draw(frame: &Frame<'_>, inside: &CallInside) -> Html {
    let answer = match (&*inside.answer, inside.took) {
        ("", None) => html! { <span class="muted">{frame.t("inside.on-its-way")}</span> },
        ("", Some(_)) => html! { <span>{frame.t("inside.came-back")}</span> },
        (text, _) if inside.failed => {
            html! { <b class="badge">{"✕ "}<code>{text.to_owned()}</code></b> }
        }
        (text, _) => html! { <b>{text.to_owned()}</b> },
    };
    let took = inside.took.map(|took| {
        html! { <span class="muted num">{frame.words.t1("inside.took-span", "span", &length(took))}</span> }
    });
    let first = inside.at;
    let step = |step: &CallStep| {
        let mut text = frame
            .words
            .part(&step.msg, ".brief")
            .filter(|text| !text.is_empty())
            .unwrap_or_default();
        let title = frame.words.say(&step.msg).replace('`', "");
        if !text.is_empty() {
            text.insert_str(0, ": ");
        }
        html! { <li key={step.event} class={classes!(step.now.then_some("now"))}>
            <span class="at num">{["+", &length(step.at.saturating_sub(first))].concat()}</span>
            {kind_glyph(step.kind, 14)}
            <span><button class="linky" type="button" onclick={frame.act(Act::Seek(Seek::Event(step.event)))}>{title}</button>{text}</span>
        </li> }
    };
    scroll(
        frame,
        "inside.call.label",
        "callin",
        html! { <>
            if !frame.text && inside.from != inside.to { {line(frame, inside)} }
            <p class="callhead">
                if frame.text { <span>{inside.from.1.to_string()}{" → "}{inside.to.1.to_string()}{": "}</span> }
                <code class="strong">{inside.label.to_string()}</code>{" "}{answer}{" "}{took}
                <span class="muted small num">{" "}{frame.words.t1("timer.at", "at", &moment(inside.at))}</span>
            </p>
            {panes(frame, &inside.panes)}
            {frame.head("inside.call.steps")}
            <ol class="callsteps">{for inside.steps.iter().map(step)}</ol>
        </> },
    )
}

/// Sender and receiver with the request between them, and the answer below it.
fn line(frame: &Frame<'_>, inside: &CallInside) -> Html {
    let w = (frame.width - 48).clamp(280, 640);
    let end = |(kind, name): &(ComponentKind, Text), x: i32, anchor: &'static str| {
        let (glyph_x, text_x) = if anchor == "lab" {
            (x, x + 30)
        } else {
            (x - 22, x - 30)
        };
        html! { <g class={kind_class(*kind)}>
            <svg x={px(glyph_x)} y="19" width="22" height="22" viewBox="0 0 24 24"><use href={["#g-", super::kind_name(*kind)].concat()}/></svg>
            {super::text(text_x, 34, anchor, name.to_string())}
        </g> }
    };
    let room = |name: &str| 44 + name.chars().count() as i32 * 8;
    let (a, b) = (room(&inside.from.1), w - room(&inside.to.1));
    let back = match (&*inside.answer, inside.took) {
        (_, None) if inside.answer.is_empty() => html! {},
        _ if inside.failed
            && inside.answer.contains(' ')
            && !inside.answer.starts_with(|c: char| c.is_ascii_digit()) =>
        {
            html! { <path class="msg-none" d={path!("M", a + 4, " 40H", b - 8)} marker-end="url(#a-no)"/> }
        }
        _ => {
            let class = if inside.failed {
                "msg-response msg-bad"
            } else {
                "msg-response"
            };
            html! { <path class={class} d={path!("M", b - 4, " 40H", a + 4)} marker-end="url(#a-res)"/> }
        }
    };
    if b - a < 40 {
        return html! {};
    }
    html! {
        <svg class="callline" viewBox={["0 0 ", &w.to_string(), " 56"].concat()} width={px(w)} height="56" aria-hidden="true">
            {end(&inside.from, 0, "lab")}
            {end(&inside.to, w, "lab end")}
            <path class="msg-request" d={path!("M", a + 4, " 22H", b - 4)} marker-end="url(#a-req)"/>
            {back}
        </svg>
    }
}
