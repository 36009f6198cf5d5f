//! A prediction: the question, its answers, and after answering why each is right or wrong.

use super::terms::linked;
use crate::learn::LearnAct;
use crate::state::{Act, Scene};
use crate::words::rich;
use podscope_session::view::*;
use yew::prelude::*;

/// Draws it; nothing once it was skipped.
#[inline(never)]
pub fn draw(scene: &Scene<'_>, predict: &PredictView) -> Html {
    let learn = &scene.ui.learn;
    let given = learn.given(predict.event);
    if given.is_some_and(|given| given.answer.is_none()) {
        return html! {};
    }
    let given = given.and_then(|given| given.answer);
    let option = |(i, option): (usize, &Msg)| {
        let i = u16::try_from(i).unwrap_or(u16::MAX);
        let (mark, class) = match given {
            Some(_) if i == predict.answer => ("✓".to_owned(), "opt yes"),
            Some(given) if i == given => ("✕".to_owned(), "opt no"),
            _ => ((i + 1).to_string(), "opt"),
        };
        let word = match given {
            Some(_) if i == predict.answer => Some(scene.t("predict.is-right")),
            Some(given) if i == given => Some(scene.t("predict.is-yours")),
            _ => None,
        };
        html! { <button key={i} class={class} type="button" disabled={given.is_some()}
        onclick={scene.act(Act::Learn(LearnAct::Answer(predict.clone(), i)))}>
        <span class="key" aria-hidden="true">{mark}</span><span>{rich(&scene.words.say(option))}</span>
        if let Some(word) = word { <span class="sr">{word}</span> }</button> }
    };
    let picking = learn.picking.as_ref() == Some(predict);
    let pick = (predict.kind == "node" && given.is_none()).then(|| {
        let next = (!picking).then(|| predict.clone());
        html! { <button class="linky" type="button" aria-pressed={picking.to_string()}
        onclick={scene.act(Act::Learn(LearnAct::Pick(next)))}>{scene.t("predict.stage")}</button> }
    });
    html! {
        <div class="ask">
            <p><b>{scene.t("predict.head")}</b>{" "}{rich(&scene.words.say(&predict.question))}</p>
            <div class={classes!("opts", few(scene, predict).then_some("row"))}>{for predict.options.iter().enumerate().map(option)}</div>
            if let Some(given) = given { {verdict(scene, predict, given)} } else {
                <p class="acts small">
                    {pick}
                    <button class="linky" type="button" onclick={scene.act(Act::Learn(LearnAct::Skip(predict.event)))}>{scene.t("predict.skip")}</button>
                    if picking { <span class="muted" role="status">{scene.t("predict.stage.on")}</span> }
                </p>
            }
        </div>
    }
}

/// Short answers stand in one row.
fn few(scene: &Scene<'_>, predict: &PredictView) -> bool {
    let mut long = predict.options.iter().map(|option| scene.words.say(option));
    predict.options.len() <= 5 && long.all(|text| text.chars().count() <= 6)
}

fn verdict(scene: &Scene<'_>, predict: &PredictView, given: u16) -> Html {
    let right = given == predict.answer;
    let reason = |i: u16| {
        let msg = predict.reasons.get(usize::from(i));
        msg.map(|msg| scene.words.say(msg)).unwrap_or_default()
    };
    let head = scene.t(if right {
        "predict.right"
    } else {
        "predict.wrong"
    });
    let own = (!right).then(|| reason(given));
    let best = reason(predict.answer);
    let same = own.as_deref() == Some(&*best);
    let mut seen = Vec::new();
    html! { <div class="verdict" role="status">
        <p><b class={if right { "good" } else { "bad" }}>{if right { "✓ " } else { "✕ " }}{head}</b>{" "}
            if let Some(own) = own { {linked(scene, &own, &mut seen)} }
            if right { {linked(scene, &best, &mut seen)} }</p>
        if !right && !same { <p>{linked(scene, &best, &mut seen)}</p> }
        <p class="acts small"><button class="linky" type="button" onclick={scene.act(Act::Seek(Seek::Event(predict.event)))}>{scene.t("predict.show")}</button>
            <span class="muted">{tally(scene)}</span></p>
    </div> }
}

/// How many were right so far.
pub fn tally(scene: &Scene<'_>) -> String {
    let (answered, right) = scene.ui.learn.count();
    let text = scene.words.t1("predict.count", "right", &right.to_string());
    text.replace("{n}", &answered.to_string())
}
