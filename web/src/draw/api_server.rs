//! Inside the API server: the request's stages, and the object beside the stage that touches it.

use super::inside::{Frame, folded, requests, scroll};
use super::{cylinder, glyph_at, is_opening, octagon, px, text};
use crate::path;
use crate::state::Act;
use crate::words::Words;
use crate::zoom::StageAct;
use podscope_session::view::*;
use yew::prelude::*;

/// Draws it: stages left (above, where it is narrow), and what the chosen one did to the object.
#[inline(never)]
pub fn draw(frame: &Frame<'_>, inside: &ApiServerInside) -> Html {
    let words = frame.words;
    if inside.request.is_empty() {
        return html! { <p class="empty">{words.t("inside.api.empty")}</p> };
    }
    let picked = picked(frame, inside);
    if frame.text {
        return scroll(
            frame,
            "inside.api.label",
            "",
            html! { <>
                {heading(frame, inside, picked)}
                <ol class="stagelist">{for inside.stages.iter().map(|stage| line(frame, stage))}</ol>
                {object(frame, inside, picked)}
            </> },
        );
    }
    html! {
        <div class="two">
            <div class="pipe" tabindex="0" role="group" aria-label={words.t("inside.api.label")}>
                { if frame.is_narrow() { row(inside, frame, picked) } else { column(inside, frame, picked) } }
            </div>
            <div class="diff inside" tabindex="0" role="region" aria-label={words.t("inside.api.object")}>
                {heading(frame, inside, picked)}
                {object(frame, inside, picked)}
            </div>
        </div>
    }
}

/// The stage whose work is shown: the one chosen, else where the request stands.
fn picked<'a>(frame: &Frame<'_>, inside: &'a ApiServerInside) -> Option<&'a StageView> {
    let chosen = frame
        .ui
        .picked
        .and_then(|picked| inside.stages.iter().find(|s| s.stage == picked));
    let here = || {
        let here = |s: &&StageView| matches!(s.state, StageState::Current | StageState::Refused);
        inside.stages.iter().find(here)
    };
    let changed = || inside.stages.iter().rev().find(|s| !s.lines.is_empty());
    let passed = || {
        inside
            .stages
            .iter()
            .rev()
            .find(|s| s.state == StageState::Passed)
    };
    chosen.or_else(here).or_else(changed).or_else(passed)
}

fn heading(frame: &Frame<'_>, inside: &ApiServerInside, picked: Option<&StageView>) -> Html {
    let request = match inside.event {
        Some(event) => frame.opens(Target::Call(event), inside.request.to_string()),
        None => html! { {inside.request.to_string()} },
    };
    let what = picked.map(|stage| {
        let name = frame.t(&stage_code(stage.stage, ""));
        let did = match stage.changed {
            _ if stage.state == StageState::Ahead => frame.t("inside.api.ahead").to_string(),
            (0, 0) => frame.t("inside.api.same").to_string(),
            (added, removed) => frame.words.say(&Msg::new(
                "change.lines",
                vec![
                    ("added", Arg::Count(i64::from(added))),
                    ("removed", Arg::Count(i64::from(removed))),
                ],
            )),
        };
        let go = stage.event.map(|event| {
            html! { <button class="linky" type="button"
            onclick={frame.act(Act::Seek(Seek::Event(event)))}>{frame.t("inside.go")}</button> }
        });
        html! { <p class="small did"><b>{name}</b>{": "}{did}{" "}{go}</p> }
    });
    let refusal = inside.refusal.as_ref().map(|(code, reason, message)| {
        let head = [&*code.to_string(), " ", reason].concat();
        html! { <div class="refusal"><b>{head}</b><br/><code>{message.to_string()}</code></div> }
    });
    html! { <>
        <h2>{inside.object.to_string()}</h2>
        <p class="small"><code>{request}</code>{" "}<span class="muted">{frame.words.t1("inside.api.from", "name", &inside.from)}</span></p>
        {refusal}{what}
    </> }
}

fn object(frame: &Frame<'_>, inside: &ApiServerInside, picked: Option<&StageView>) -> Html {
    let own = picked
        .map(|stage| &stage.lines)
        .filter(|lines| !lines.is_empty());
    let plain: Vec<CodeLine> = inside
        .lines
        .iter()
        .filter(|line| line.mark != LineMark::Del)
        .map(|line| CodeLine {
            mark: LineMark::Same,
            ..line.clone()
        })
        .collect();
    html! { <>
        {folded(frame, own.map_or(&plain, |lines| &**lines))}
        <h2 class="others">{frame.t("inside.api.requests")}</h2>
        {requests(frame, &inside.requests, true)}
    </> }
}

/// A stage in words.
fn line(frame: &Frame<'_>, stage: &StageView) -> Html {
    let state = match stage.state {
        StageState::Passed => "state.passed",
        StageState::Current => "state.current",
        StageState::Refused => "state.refused",
        StageState::Ahead => "state.ahead",
    };
    let name = frame.t(&stage_code(stage.stage, ""));
    html! { <li key={stage.stage}>
        <button class="linky" type="button" onclick={frame.stage(StageAct::Pick(stage.stage))}>{name}</button>
        {": "}{frame.t(state)}{" "}<span class="muted">{brief(frame.words, stage.result.as_ref())}</span>
    </li> }
}

/// What a stage decided, with the data of this request; else its title.
fn brief(words: &Words, msg: Option<&Msg>) -> String {
    let Some(msg) = msg else { return String::new() };
    match words.part(msg, ".brief") {
        Some(text) if text.trim().is_empty() => words.t("inside.api.nothing").to_string(),
        Some(text) => text,
        None => words.say(msg),
    }
}

fn stage_code(stage: u16, part: &str) -> String {
    let name = PIPELINE
        .get(usize::from(stage))
        .copied()
        .unwrap_or_default();
    ["stage.", name, part].concat()
}

fn tick(x: i32, y: i32) -> Html {
    html! { <path class="sline" d={path!("M", x - 5, " ", y, "l3.5 4 6.5 -8")}/> }
}

fn column(inside: &ApiServerInside, frame: &Frame<'_>, picked: Option<&StageView>) -> Html {
    let words = frame.words;
    let pitch = 64;
    let count = inside.stages.len() as i32;
    let height = count * pitch + 10;
    let here = inside
        .stages
        .iter()
        .position(|stage| matches!(stage.state, StageState::Current | StageState::Refused));
    let passed = inside
        .stages
        .iter()
        .filter(|stage| stage.state == StageState::Passed)
        .count();
    let reached = here.unwrap_or(passed.saturating_sub(1)) as i32;
    let mid = 28 + reached * pitch;
    let stage = |(i, stage): (usize, &StageView)| {
        let y = 28 + i as i32 * pitch;
        let name = words.t(&stage_code(stage.stage, ""));
        let mut result = brief(words, stage.result.as_ref());
        if PIPELINE.get(usize::from(stage.stage)) == Some(&"admit")
            && result == *words.t("inside.api.nothing")
        {
            result = words.t("state.passed").to_string();
        }
        let mut detail = stage
            .result
            .as_ref()
            .and_then(|msg| words.part(msg, ".more"))
            .unwrap_or_default();
        if let (1.., _) | (_, 1..) = stage.changed {
            detail = [
                "+",
                &stage.changed.0.to_string(),
                " −",
                &stage.changed.1.to_string(),
                " ",
                &words.t("inside.api.lines"),
            ]
            .concat();
        }
        let last = stage.stage as usize + 1 == PIPELINE.len();
        let own = picked.is_some_and(|picked| picked.stage == stage.stage);
        let attributes = pick(frame, stage);
        let drawing = match stage.state {
            StageState::Current => html! { <>
                <path class="nowfill" d={path!("M16 ", y - 18, "h220l14 18-14 18H16z")}/>
                {glyph_at("client", 34, y, 20)}
            </> },
            StageState::Refused => html! { <g class="k-fault">
                {octagon(34, y, 17, "shape")}
                <path class="faultline" d={path!("M28 ", y - 6, "l12 12M40 ", y - 6, "l-12 12")}/>
            </g> },
            _ if last => cylinder(23, y - 16, 22, 32, "shape"),
            StageState::Passed => {
                html! { <g class="k-api">{octagon(34, y, 11, "shape")}{tick(34, y)}</g> }
            }
            StageState::Ahead => html! { <g class="k-api">{octagon(34, y, 11, "shape")}</g> },
        };
        let (lab, sub) = match stage.state {
            StageState::Current => ("lab nowtext", "lab2 nowt"),
            StageState::Refused => ("lab faulttext", "lab2 faulttext"),
            _ => ("lab", "lab2"),
        };
        let compact = result.is_empty();
        html! {
            <>
            <g role="button" tabindex="0" aria-pressed={own.to_string()} aria-label={attributes.spoken} onclick={attributes.click} onkeydown={attributes.key}>
                <rect class="hit" x="10" y={px(y - 22)} width="246" height="52"/>
                {drawing}
                if own && stage.state != StageState::Current { <path class="inkline" d={path!("M250 ", y - 14, "v28")} stroke-width="4"/> }
                <rect class="focus" x="12" y={px(y - 22)} width="240" height="52"/>
            </g>
            // Beside the button: its name says more than its label.
                {text(54, if compact { y + 5 } else { y - 2 }, lab, name)}
                if !compact { {text(54, y + 12, sub, cut(&result, 34))} }
                if !detail.is_empty() && stage.state != StageState::Current {
                    {text(54, y + 26, "lab3", cut(&detail, 34))}
                }
            </>
        }
    };
    let view_box = ["0 0 262 ", &height.to_string()].concat();
    let label = spoken(inside, words);
    html! {
        <svg class="pic" viewBox={view_box} width="262" height={px(height)} role="group" aria-label={label}>
            <path class="rail" d={path!("M34 4V", mid)}/>
            <path class="rail ahead" d={path!("M34 ", mid, "V", 28 + (count - 1) * pitch)}/>
            { for inside.stages.iter().enumerate().map(stage) }
        </svg>
    }
}

/// What makes a stage a button.
struct Pick {
    spoken: String,
    click: Callback<MouseEvent>,
    key: Callback<KeyboardEvent>,
}

fn pick(frame: &Frame<'_>, stage: &StageView) -> Pick {
    let act = StageAct::Pick(stage.stage);
    let on = frame.on.clone();
    let name = frame.t(&stage_code(stage.stage, ""));
    let state = match stage.state {
        StageState::Passed => "state.passed",
        StageState::Current => "state.current",
        StageState::Refused => "state.refused",
        StageState::Ahead => "state.ahead",
    };
    Pick {
        spoken: [
            &*name,
            ": ",
            &frame.t(state),
            ", ",
            &brief(frame.words, stage.result.as_ref()),
        ]
        .concat(),
        click: frame.stage(act),
        key: Callback::from(move |event: KeyboardEvent| {
            if is_opening(&event) {
                on.emit(Act::Stage(act));
            }
        }),
    }
}

/// Cuts at the end; only for our own short lines, never for a server's message.
fn cut(line: &str, most: usize) -> String {
    if line.chars().count() <= most {
        return line.to_owned();
    }
    let mut cut: String = line.chars().take(most - 1).collect();
    cut.push('…');
    cut
}

fn spoken(inside: &ApiServerInside, words: &Words) -> String {
    let mut label = words.t("inside.api.label").to_string();
    for stage in inside.stages.iter() {
        let state = match stage.state {
            StageState::Passed => "state.passed",
            StageState::Current => "state.current",
            StageState::Refused => "state.refused",
            StageState::Ahead => continue,
        };
        label.push_str(". ");
        label.push_str(&words.t(&stage_code(stage.stage, "")));
        label.push_str(": ");
        label.push_str(&words.t(state));
    }
    label
}

fn row(inside: &ApiServerInside, frame: &Frame<'_>, picked: Option<&StageView>) -> Html {
    let words = frame.words;
    let count = inside.stages.len().max(2) as i32;
    let pitch = (360 - 44) / (count - 1);
    let stage = |(i, stage): (usize, &StageView)| {
        let x = 22 + pitch * i as i32;
        let last = stage.stage as usize + 1 == PIPELINE.len();
        let here = matches!(stage.state, StageState::Current | StageState::Refused);
        let drawing = match stage.state {
            StageState::Current => {
                html! { <rect class="nowfill" x={px(x - 13)} y="5" width="26" height="26"/> }
            }
            StageState::Refused => html! { <g class="k-fault">
                {octagon(x, 18, 13, "shape")}
                <path class="faultline" d={path!("M", x - 5, " 13l10 10M", x + 5, " 13l-10 10")}/>
            </g> },
            _ if last => cylinder(x - 10, 5, 20, 26, "shape"),
            StageState::Passed => {
                html! { <g class="k-api">{octagon(x, 18, 11, "shape")}{tick(x, 18)}</g> }
            }
            StageState::Ahead => html! { <g class="k-api">{octagon(x, 18, 11, "shape")}</g> },
        };
        let label = words.t(&stage_code(stage.stage, ".short"));
        let own = picked.is_some_and(|picked| picked.stage == stage.stage);
        let clear = here || own || inside.stages.len() <= 7;
        let attributes = pick(frame, stage);
        html! { <><g role="button" tabindex="0" aria-pressed={own.to_string()} aria-label={attributes.spoken}
            onclick={attributes.click} onkeydown={attributes.key}>
            <rect class="hit" x={px(x - pitch / 2)} y="0" width={px(pitch)} height="54"/>
            {drawing}
            if own && !here { <path class="inkline" stroke-width="4" d={path!("M", x - 11, " 35h22")}/> }
            <rect class="focus" x={px(x - 16)} y="2" width="32" height="50"/>
        </g>
        if clear { {text(x.clamp(26, 334), 50, if here || own { "lab3 mid strong" } else { "lab3 mid" }, label)} }
        </> }
    };
    html! {
        <svg class="pic" viewBox="0 0 360 54" role="group" aria-label={spoken(inside, words)}>
            <path class="rail" d="M22 18H338"/>
            { for inside.stages.iter().enumerate().map(stage) }
        </svg>
    }
}
