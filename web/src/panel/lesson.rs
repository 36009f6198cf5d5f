//! The lesson in the explain column: one idea per step, what to do, and what the engine made of it.

use super::explain::{arrows, pane_line};
use super::inspector::InspectAct;
use super::predict;
use super::terms::linked;
use crate::draw::icon;
use crate::learn::{LearnAct, Running, about};
use crate::state::{Act, Scene};
use crate::words::{heading, rich};
use podscope_session::lesson::{LessonStep, Suggestion};
use yew::prelude::*;

/// Draws the lesson that runs.
#[inline(never)]
pub fn draw(scene: &Scene<'_>, running: &Running) -> Html {
    let Some(step) = running.step() else {
        return html! {};
    };
    let mut seen = Vec::new();
    let count = running.lesson.steps.len();
    let met = running.met();
    let gated = step.gate.is_some();
    let title = running.part(scene.words, "title").unwrap_or_default();
    let number = scene
        .words
        .t1("lesson.step", "n", &(running.step + 1).to_string());
    let number = number.replace("{count}", &count.to_string());
    let asked = running.asked.as_ref();
    // A question is over when the answer is there and nobody had guessed.
    let asked = asked.filter(|asked| !met || scene.ui.learn.given(asked.event).is_some());
    html! {
        <section class={classes!("explain", "lesson", (met && gated).then_some("told"))} aria-label={scene.t("lesson.pane")}>
            {head(scene, running)}
            {progress(running, &number)}
            <div class="scroll prose" tabindex="0" key={step.id.clone()}>
                <div class="phase">{number.clone()}</div>
                <h2 class="title" id="lesson-title" tabindex="-1">{heading(&title)}</h2>
                {text(scene, running.part(scene.words, "before"), &mut seen)}
                {for asked.map(|asked| predict::draw(scene, asked))}
                if met && gated { {told(scene, running, &mut seen)} }
                {text(scene, running.part(scene.words, "text"), &mut seen)}
                if running.step + 1 == count { <p class="small muted">{predict::tally(scene)}</p> }
                if !step.suggest.is_empty() { {suggestions(scene, running, step)} }
            </div>
            {foot(scene, running, step)}
        </section>
    }
}

fn head(scene: &Scene<'_>, running: &Running) -> Html {
    html! {
        <div class="head"><h2>{running.word(scene.words, "title")}</h2>
            <span class="right">{switch(scene, running)}
                <button class="btn quiet" type="button" onclick={scene.act(Act::Learn(LearnAct::Leave))}>{scene.t("lesson.leave")}</button></span></div>
    }
}

/// Between the lesson and the engine's own explanation of the event at the cursor.
#[inline(never)]
pub fn switch(scene: &Scene<'_>, running: &Running) -> Html {
    let item = |explain: bool, word: &'static str| {
        let here = running.explain == explain;
        html! { <button type="button" role="radio" aria-checked={here.to_string()} tabindex={if here { "0" } else { "-1" }}
        onclick={scene.act(Act::Learn(LearnAct::Explain(explain)))}>{scene.t(word)}</button> }
    };
    html! { <span class="zoom" role="radiogroup" aria-label={scene.t("lesson.switch")} onkeydown={arrows()}>
    {item(false, "lesson.switch.lesson")}{item(true, "lesson.switch.step")}</span> }
}

fn progress(running: &Running, number: &str) -> Html {
    let bar = |i: usize| {
        let class = match i.cmp(&running.step) {
            std::cmp::Ordering::Less => "done",
            std::cmp::Ordering::Equal if running.met() => "cur done",
            std::cmp::Ordering::Equal => "cur",
            std::cmp::Ordering::Greater => "",
        };
        html! { <span key={i} class={class}></span> }
    };
    html! { <div class="lprog" role="img" aria-label={number.to_owned()}>{for (0..running.lesson.steps.len()).map(bar)}</div> }
}

fn text(scene: &Scene<'_>, text: Option<String>, seen: &mut Vec<usize>) -> Html {
    let text = text.unwrap_or_default();
    let lines = text.split('\n').filter(|line| !line.trim().is_empty());
    let paragraphs = lines.map(|line| html! { <p>{linked(scene, line.trim(), seen)}</p> });
    paragraphs.collect()
}

/// What happened, why it matters; technical detail and example.
fn told(scene: &Scene<'_>, running: &Running, seen: &mut Vec<usize>) -> Html {
    let mut section = |head: &str, part: &str| {
        html! { <><h3>{scene.t(head)}</h3>{text(scene, running.part(scene.words, part), seen)}</> }
    };
    let (what, why) = (
        section("explain.what", "what"),
        section("explain.why", "why"),
    );
    let chosen = scene.ui.explain_tab.min(1);
    let tab = |i: usize, word: &'static str| {
        let focus = if i == chosen { "0" } else { "-1" };
        html! { <button class="tab" type="button" role="tab" id={["lt", &i.to_string()].concat()} aria-controls="lesson-data" tabindex={focus}
        aria-selected={(i == chosen).to_string()} onclick={scene.act(Act::ExplainTab(i))}>{scene.t(word)}</button> }
    };
    let body = if chosen == 0 {
        text(scene, running.part(scene.words, "detail"), seen)
    } else {
        let event = running.view.as_ref().and_then(|view| view.moment);
        let explain = event.and_then(|event| scene.session.explain(event));
        let pane = explain.as_ref().and_then(|explain| explain.panes.first());
        html! { <>
            {text(scene, running.part(scene.words, "example"), seen)}
            if let Some(pane) = pane {
                <div class="req">{for pane.lines.iter().take(60).map(|line| pane_line(pane.syntax, line))}</div>
            }
        </> }
    };
    html! { <>
        {what}{why}
        <div class="seg" role="tablist" aria-label={scene.t("explain.data")} onkeydown={arrows()}>
            {tab(0, "pane.detail")}{tab(1, "lesson.example")}</div>
        <div id="lesson-data" role="tabpanel" tabindex="0" aria-labelledby={["lt", &chosen.to_string()].concat()}>{body}</div>
    </> }
}

fn suggestions(scene: &Scene<'_>, running: &Running, step: &LessonStep) -> Html {
    let item = |s: &Suggestion| {
        let preset = scene.session.presets().iter().find(|p| p.id == s.preset);
        let act = match preset {
            Some(preset) => Act::Preset(preset.id),
            None => Act::Inspect(InspectAct::Enter(s.kubectl.clone())),
        };
        html! { <li key={s.id.clone()}><button class="btn" type="button" onclick={scene.act(act)}>{running.part(scene.words, &s.id).unwrap_or_default()}</button>
        if !s.kubectl.is_empty() { <code>{["kubectl ", &s.kubectl].concat()}</code> }</li> }
    };
    html! { <ul class="ideas">{for step.suggest.iter().map(item)}
    <li><button class="btn" type="button" onclick={scene.act(Act::Learn(LearnAct::Glossary(String::new())))}>{scene.t("lesson.glossary")}</button></li></ul> }
}

fn foot(scene: &Scene<'_>, running: &Running, step: &LessonStep) -> Html {
    let met = running.met();
    let last = running.step + 1 == running.lesson.steps.len();
    let line = match (&step.gate, met) {
        (Some(_), true) => running.part(scene.words, "done").map(|done| {
            html! { <p role="status"><b class="good" aria-hidden="true">{"✓ "}</b>{rich(&done)}</p> }
        }),
        (Some(_), false) => running.part(scene.words, "task").map(|task| {
            html! { <p><b>{scene.t("lesson.turn")}</b>{" "}{rich(&task)}</p> }
        }),
        (None, _) => None,
    };
    html! {
        <div class="task">
            {for line}
            <div class="acts">
                <button class="btn quiet" type="button" disabled={running.step == 0} onclick={scene.act(Act::Learn(LearnAct::Back))}>{icon("back")}{scene.t("lesson.back")}</button>
                if !met { <button class="btn" type="button" onclick={scene.act(Act::Learn(LearnAct::ShowMe))}>{scene.t("lesson.show")}<kbd class="wide">{"M"}</kbd></button> }
                if last {
                    <button class="btn go" type="button" onclick={scene.act(Act::Learn(LearnAct::Leave))}>{scene.t("lesson.end")}</button>
                } else {
                    <button class={if met { "btn go" } else { "btn" }} type="button" aria-disabled={(!met).to_string()}
                        onclick={scene.act(Act::Learn(LearnAct::Next))}>{scene.t("lesson.next")}<kbd class="wide">{"J"}</kbd></button>
                }
            </div>
        </div>
    }
}

/// Items of the lessons' menu: lessons to start or to resume.
#[inline(never)]
pub fn menu(scene: &Scene<'_>) -> Html {
    let left = match &scene.ui.learn.lesson {
        Some(running) => Some((running.id, running.step)),
        None => crate::store::kept_lesson(),
    };
    let item = |id: &'static str| {
        let (title, summary) = about(scene.words, id);
        let resume = left.filter(|(kept, step)| *kept == id && *step > 0).map(|(_, step)| {
            let word = scene.words.t1("lesson.resume", "n", &(step + 1).to_string());
            html! { <button type="button" onclick={scene.act(Act::Learn(LearnAct::Resume))}><span>{word}</span></button> }
        });
        html! { <>
            <button key={id} type="button" onclick={scene.act(Act::Learn(LearnAct::Start(id)))}><span>{title}<small>{summary}</small></span></button>
            {for resume}
        </> }
    };
    html! { <>
        <h2>{scene.t("menu.lessons")}</h2>
        {for podscope_lesson::lessons::lessons().map(item)}
        <button type="button" onclick={scene.act(Act::Learn(LearnAct::Glossary(String::new())))}><span>{scene.t("glossary.title")}<small>{scene.t("glossary.about")}</small></span></button>
        <h2>{scene.t("lesson.stories")}</h2>
    </> }
}
