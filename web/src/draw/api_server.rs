//! Inside the API server: the request's stages, and the object beside the stage that touches it.

use super::{cylinder, glyph_at, octagon, px, text, yaml_lines};
use crate::path;
use crate::words::Words;
use podscope_session::view::*;
use yew::prelude::*;

/// Draws it. `narrow` puts the stages in a row above the object.
#[inline(never)]
pub fn draw(
    inside: &ApiServerInside,
    words: &Words,
    narrow: bool,
    go: &Callback<EventIndex>,
) -> Html {
    if inside.request.is_empty() {
        return html! { <p class="empty">{words.t("inside.api.empty")}</p> };
    }
    let refusal = inside.refusal.as_ref().map(|(code, reason, message)| {
        let head = [&*code.to_string(), " ", reason].concat();
        html! { <div class="refusal"><b>{head}</b><br/><code>{message.to_string()}</code></div> }
    });
    let change = inside.change.as_ref().map(|msg| words.say(msg));
    html! {
        <div class="two">
            <div class="pipe" tabindex="0" role="group" aria-label={words.t("inside.api.label")}>
                { if narrow { row(inside, words) } else { column(inside, words, go) } }
            </div>
            <div class="diff" tabindex="0" role="region" aria-label={words.t("inside.api.object")}>
                <h2>{inside.object.to_string()}</h2>
                <p class="muted small"><code>{inside.request.to_string()}</code></p>
                if let Some(change) = change { <p class="muted small">{change}</p> }
                {refusal}
                <div class="code">{yaml_lines(&inside.lines)}</div>
            </div>
        </div>
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

fn column(inside: &ApiServerInside, words: &Words, go: &Callback<EventIndex>) -> Html {
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
        let result = stage
            .result
            .as_ref()
            .map(|msg| words.say(msg))
            .unwrap_or_default();
        let detail = stage
            .detail
            .as_ref()
            .map(|msg| words.say(msg))
            .unwrap_or_default();
        let last = stage.stage as usize + 1 == PIPELINE.len();
        let event = stage.event;
        let go = go.clone();
        let onclick = Callback::from(move |_: MouseEvent| {
            if let Some(event) = event {
                go.emit(event);
            }
        });
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
            <g key={i} onclick={onclick}>
                {drawing}
                {text(54, if compact { y + 5 } else { y - 2 }, lab, name)}
                if !compact { {text(54, y + 12, sub, cut(&result, 34))} }
                if !detail.is_empty() && stage.state != StageState::Current {
                    {text(54, y + 26, "lab3", cut(&detail, 34))}
                }
            </g>
        }
    };
    let view_box = ["0 0 262 ", &height.to_string()].concat();
    let label = spoken(inside, words);
    html! {
        <svg viewBox={view_box} width="262" height={px(height)} role="img" aria-label={label}>
            <path class="rail" d={path!("M34 4V", mid)}/>
            <path class="rail ahead" d={path!("M34 ", mid, "V", 28 + (count - 1) * pitch)}/>
            { for inside.stages.iter().enumerate().map(stage) }
        </svg>
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

fn row(inside: &ApiServerInside, words: &Words) -> Html {
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
        let clear = here || inside.stages.len() <= 7;
        html! { <g key={i}>
            {drawing}
            if clear { {text(x.clamp(26, 334), 48, if here { "lab3 mid strong" } else { "lab3 mid" }, label)} }
        </g> }
    };
    html! {
        <svg viewBox="0 0 360 54" role="img" aria-label={spoken(inside, words)}>
            <path class="rail" d="M22 18H338"/>
            { for inside.stages.iter().enumerate().map(stage) }
        </svg>
    }
}
