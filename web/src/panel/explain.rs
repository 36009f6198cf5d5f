//! The explain panel: what happens, why, the data, what caused it, what comes next.

use super::editor::ui::EditorAct;
use super::terms::linked;
use crate::draw::{glyph, kind_glyph, line_class, yaml_spans};
use crate::state::{Act, Scene};
use crate::words::{Words, heading, moment, rich};
use podscope_session::view::*;
use std::rc::Rc;
use yew::prelude::*;

/// Draws it for the current event; before the first one, the cast.
pub fn draw(scene: &Scene<'_>, explain: Option<&Rc<ExplainView>>) -> Html {
    if let Some(running) = scene.ui.learn.running()
        && !(running.explain && explain.is_some())
    {
        return super::lesson::draw(scene, running);
    }
    match explain {
        Some(explain) => event(scene, explain),
        None => cast(scene),
    }
}

/// A chain of causes longer than this is folded after its first two links.
const MOST_LINKS: usize = 8;
const ROOTS: usize = 2;

/// Who plays: glyph names, in the order of the story.
const CAST: [&str; 9] = [
    "client", "api", "etcd", "ctrl", "sched", "kubelet", "runtime", "net", "pod",
];

fn cast(scene: &Scene<'_>) -> Html {
    let item = |name: &'static str| {
        html! { <li key={name}>{glyph(name, 22)}
        <span><b>{scene.t(&["cast.", name].concat())}</b><br/>
        <span class="muted">{scene.t(&["cast.", name, ".role"].concat())}</span></span></li> }
    };
    html! {
        <section class="explain" aria-label={scene.t("pane.explain")}>
            <div class="head"><h2>{scene.t("cast.title")}</h2><span class="right muted small">{scene.t("cast.note")}</span></div>
            <div class="scroll prose" tabindex="0">
                <ul class="cast">{for CAST.into_iter().map(item)}</ul>
                <p class="small muted note">{scene.t("cast.marks")}</p>
            </div>
        </section>
    }
}

#[inline(never)]
fn event(scene: &Scene<'_>, explain: &ExplainView) -> Html {
    let words = scene.words;
    let title = words
        .part(&explain.msg, ".title")
        .unwrap_or_else(|| explain.msg.code.to_owned());
    let part = |name: &str| words.part(&explain.msg, name);
    // Each term opens at its first occurrence in the whole explanation.
    let mut seen = Vec::new();
    let mut section = |head: &str, text: Option<String>| {
        text.filter(|text| !text.trim().is_empty()).map(|text| {
            let lines = text
                .split('\n')
                .map(|p| html! { <p>{linked(scene, p, &mut seen)}</p> });
            html! { <><h3>{scene.t(head)}</h3>{for lines}</> }
        })
    };
    let (what, why) = (
        section("explain.what", part(".what")),
        section("explain.why", part(".why")),
    );
    let next = section("explain.next", part(".next"));
    let then = explain.next.as_ref().map(|next| {
        let next = words.say(next);
        html! { <p class="small"><button class="linky" type="button" onclick={scene.act(Act::Step(Some(StepSize::Call)))}>{rich(&next)}</button></p> }
    });
    let right = match scene.ui.learn.running() {
        Some(running) => super::lesson::switch(scene, running),
        None => html! { {words.t1("explain.step", "n", &explain.event.to_string())} },
    };
    html! {
        <section class="explain" aria-label={scene.t("pane.explain")}>
            <div class="head wide"><h2>{scene.t("pane.explain")}</h2>
                <span class="right muted small num">{right}</span></div>
            <div class="scroll prose" tabindex="0" key={explain.event}>
                <div class="phase">{kind_glyph(explain.kind, 18)}{words.say(&explain.who)}</div>
                <h2 class="title">{heading(&title)}</h2>
                {what}{why}
                {causes(scene, explain)}
                {panes(scene, explain, part(".detail"), part(".example"), &mut seen)}
                {next}{then}
            </div>
            {for explain.predict.as_ref().map(|asked| super::predict::draw(scene, asked))}
        </section>
    }
}

fn causes(scene: &Scene<'_>, explain: &ExplainView) -> Html {
    if explain.causes.is_empty() {
        return html! {};
    }
    let count = explain.causes.len();
    // A long chain shows its roots and its end; the middle can be stepped through.
    let hidden = if count > MOST_LINKS {
        ROOTS..count - (MOST_LINKS - ROOTS)
    } else {
        0..0
    };
    let link = |(i, cause): (usize, &CauseView)| {
        if i == hidden.start && !hidden.is_empty() {
            let more = scene
                .words
                .t1("explain.more", "n", &hidden.len().to_string());
            return html! { <li key={i} class="fold"><span></span><span>{more}</span></li> };
        }
        if hidden.contains(&i) {
            return html! {};
        }
        let last = i + 1 == count;
        let text = scene.words.say(&cause.text);
        let inner = match cause.event {
            Some(event) if !last => {
                html! { <button type="button" onclick={scene.act(Act::Seek(Seek::Event(event)))}>{rich(&text)}</button> }
            }
            _ => rich(&text),
        };
        html! {
            <li key={i} class={classes!(last.then_some("now"))}>{kind_glyph(cause.kind, 16)}
                <span>{inner}</span><span class="at">{moment(cause.at)}</span></li>
        }
    };
    let line = explain.line.as_ref();
    let line = line.map(|line| because(scene.words, scene.on, line));
    html! { <><h3>{scene.t("explain.causes")}</h3><ol class="chain">{for explain.causes.iter().enumerate().map(link)}</ol>{for line}{root(scene, explain.event)}</> }
}

/// The line of a manifest that decided, as a button that selects it in the editor.
#[inline(never)]
pub fn because(words: &Words, on: &Callback<Act>, (file, line, text): &(Text, u32, Text)) -> Html {
    let place = words.t1("explain.line", "line", &line.to_string());
    let act = Act::Editor(EditorAct::ShowLine(file.clone(), line.saturating_sub(1)));
    let act = on.reform(move |_: MouseEvent| act.clone());
    html! { <p class="because">{glyph("obj", 16)}<span>{place.replace("{file}", file)}{" "}
    <button class="linky" type="button" onclick={act}><code>{text.to_string()}</code></button></span></p> }
}

/// What a chain ends in when it is no person's act.
#[inline(never)]
fn root(scene: &Scene<'_>, event: EventIndex) -> Html {
    match scene.session.root(event) {
        Some(RootView::Timer(msg, _)) => {
            html! { <p class="small muted">{scene.t("sched.begins-with")}{" "}{rich(&scene.words.say(&msg))}</p> }
        }
        _ => html! {},
    }
}

fn panes(
    scene: &Scene<'_>,
    explain: &ExplainView,
    detail: Option<String>,
    example: Option<String>,
    seen: &mut Vec<usize>,
) -> Html {
    let mut tabs: Vec<AttrValue> = explain
        .panes
        .iter()
        .map(|pane| scene.t(pane.title))
        .collect();
    if detail.is_some() {
        tabs.push(scene.t("pane.detail"));
    }
    if tabs.is_empty() {
        return html! {};
    }
    let chosen = scene.ui.explain_tab.min(tabs.len() - 1);
    let tab = |(i, title): (usize, &AttrValue)| {
        let focus = if i == chosen { "0" } else { "-1" };
        html! {
            <button key={i} class="tab" type="button" role="tab" id={["xt", &i.to_string()].concat()} aria-controls="explain-data" tabindex={focus}
                aria-selected={(i == chosen).to_string()} onclick={scene.act(Act::ExplainTab(i))}>{title.clone()}</button>
        }
    };
    let body = match explain.panes.get(chosen) {
        Some(pane) => {
            html! { <div class="req">{for pane.lines.iter().map(|line| pane_line(pane.syntax, line))}</div> }
        }
        None => {
            let detail = detail.unwrap_or_default();
            html! { {for detail.split('\n').map(|p| html! { <p>{linked(scene, p, seen)}</p> })} }
        }
    };
    html! { <>
        <h3>{scene.t("explain.example")}</h3>
        {for example.filter(|text| !text.trim().is_empty()).map(|text| html! { <p>{linked(scene, &text, seen)}</p> })}
        <div class="seg" role="tablist" aria-label={scene.t("explain.data")} onkeydown={arrows()}>{for tabs.iter().enumerate().map(tab)}</div>
        <div id="explain-data" role="tabpanel" tabindex="0" aria-labelledby={["xt", &chosen.to_string()].concat()}>{body}</div>
    </> }
}

/// Arrow keys move between the tabs of a tab list.
#[inline(never)]
pub fn arrows() -> Callback<KeyboardEvent> {
    Callback::from(|event: KeyboardEvent| {
        // With Shift, they are the page's.
        let step = match event.key().as_str() {
            "ArrowRight" if !event.shift_key() => 1,
            "ArrowLeft" if !event.shift_key() => -1,
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        let Some(tab) = event.target_dyn_into::<web_sys::HtmlElement>() else {
            return;
        };
        let next = if step > 0 {
            tab.next_element_sibling()
        } else {
            tab.previous_element_sibling()
        };
        if let Some(next) =
            next.and_then(|next| wasm_bindgen::JsCast::dyn_into::<web_sys::HtmlElement>(next).ok())
        {
            next.focus().ok();
            next.click();
        }
    })
}

/// One line of a data pane.
pub fn pane_line(syntax: PaneSyntax, line: &CodeLine) -> Html {
    let class = line_class(line.mark);
    let text = &*line.text;
    match syntax {
        PaneSyntax::Yaml => html! { <div class={class}>{yaml_spans(text)}</div> },
        PaneSyntax::Http => {
            let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
            let loud = first.chars().all(|c| c.is_ascii_uppercase()) && first.len() > 2
                || first.starts_with("HTTP/");
            if !loud {
                return html! { <div class={class}>{text.to_owned()}</div> };
            }
            let (path, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
            html! { <div class={class}><b>{first.to_owned()}</b>{" "}{path.to_owned()}<span class="k">{query.to_owned()}</span></div> }
        }
        PaneSyntax::Json | PaneSyntax::Plain => {
            html! { <div class={class}>{text.to_owned()}</div> }
        }
    }
}
