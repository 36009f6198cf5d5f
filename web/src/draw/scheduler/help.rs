//! What would make a Pod fit, what would bring it to a node, by how little another node would win.

use super::ui::{Asked, SchedAct};
use crate::draw::inside::Frame;
use crate::state::Act;
use crate::words::{length, rich};
use podscope_session::view::*;
use yew::prelude::*;

/// Nodes on offer.
const MOST_NODES: usize = 200;
/// Commands up to this length together are shown at once.
const SHORT: usize = 120;
/// Nodes whose obstacles are listed.
const MOST_BLOCKED: usize = 12;

/// Ways to ask, and the answers to what was asked of this Pod.
#[inline(never)]
pub fn draw(frame: &Frame<'_>, inside: &SchedulerInside, pod: &ObjectRef) -> Html {
    let asked = frame.ui.sched.asked.as_ref();
    let asked = asked.filter(|asked| asked.pod == *pod);
    html! { <>{questions(frame, inside, pod)}{for asked.map(|asked| answers(frame, asked))}</> }
}

fn questions(frame: &Frame<'_>, inside: &SchedulerInside, pod: &ObjectRef) -> Html {
    let placed = inside.chosen.is_some();
    let picked = frame.ui.sched.to.clone();
    let pick = frame.on.reform(|event: Event| {
        let select = event.target_dyn_into::<web_sys::HtmlSelectElement>();
        let value = select.map(|select| select.value()).unwrap_or_default();
        Act::Sched(SchedAct::To((!value.is_empty()).then(|| value.into())))
    });
    let option = |row: &NodeRow| {
        let here = picked.as_ref() == Some(&row.node);
        html! { <option value={row.node.to_string()} selected={here}>{row.node.to_string()}</option> }
    };
    let nodes = inside.rows.iter();
    let nodes = nodes.filter(|row| inside.chosen.as_ref() != Some(&row.node));
    let word = if placed {
        "sched.ask-move"
    } else {
        "sched.ask"
    };
    let ask = Act::Sched(SchedAct::Ask(pod.clone(), picked.clone()));
    let near = Act::Sched(SchedAct::Sensitivity(pod.clone()));
    let scored = inside.rows.iter().any(|row| row.total.is_some());
    html! {
        <div class="asks">
            <span>{frame.t(word)}</span>
            <select aria-label={frame.t("sched.ask-node")} onchange={pick}>
                <option value="" selected={picked.is_none()}>{frame.t(if placed { "sched.choose-node" } else { "sched.any-node" })}</option>
                {for nodes.take(MOST_NODES).map(option)}
            </select>
            <button class="btn" type="button" disabled={placed && picked.is_none()} onclick={frame.act(ask)}>{frame.t("sched.find-out")}</button>
            if scored { <button class="btn quiet" type="button" onclick={frame.act(near)}>{frame.t("sched.ask-near")}</button> }
        </div>
    }
}

fn answers(frame: &Frame<'_>, asked: &Asked) -> Html {
    let close = frame.act(Act::Sched(SchedAct::Unask));
    let old = (asked.event != frame.step).then(|| {
        let step = frame.n("sched.asked-at", asked.event);
        html! { <p class="small muted">{step}</p> }
    });
    let body = match (&asked.answer, &asked.sensitivity) {
        (Some(view), _) => what_if(frame, view),
        (_, Some(view)) => sensitivity(frame, view),
        _ => html! { <p>{frame.t("sched.no-pod")}</p> },
    };
    html! {
        <section class="helps" aria-label={frame.t("sched.answers")}>
            <button class="ib x" type="button" aria-label={frame.t("sched.close")} title={frame.t("sched.close")} onclick={close}>{"✕"}</button>
            {old}{body}
        </section>
    }
}

fn what_if(frame: &Frame<'_>, view: &WhatIfView) -> Html {
    let answer = |(i, answer): (usize, &AnswerView)| one(frame, i, answer);
    let blocked = view.blockers.iter().filter(|b| !b.reasons.is_empty());
    let hidden = blocked.clone().count().saturating_sub(MOST_BLOCKED);
    let blocker = |blocker: &BlockerView| {
        let reason = |(text, numbers): &(Text, Msg)| {
            html! { <span>{text.to_string()}<span class="arith">{frame.words.say(numbers)}</span></span> }
        };
        html! { <li key={blocker.node.to_string()}><b>{blocker.node.to_string()}</b><div>{for blocker.reasons.iter().map(reason)}</div></li> }
    };
    html! { <>
        <h2>{rich(&frame.words.say(&view.now))}</h2>
        <ol class="answers">{for view.answers.iter().enumerate().map(answer)}</ol>
        if !view.blockers.is_empty() {
            <details><summary>{frame.t("sched.in-the-way")}</summary>
                <ul class="blockers">{for blocked.take(MOST_BLOCKED).map(blocker)}</ul>
                if hidden > 0 { <p class="small muted">{frame.n("sched.more", hidden)}</p> }
            </details>
        }
        <p class="small muted">{frame.words.say(&view.bounds)}</p>
    </> }
}

fn side(side: EditSide) -> &'static str {
    match side {
        EditSide::Pod => "sched.side.pod",
        EditSide::Node => "sched.side.node",
        EditSide::Others => "sched.side.others",
        EditSide::Cluster => "sched.side.cluster",
    }
}

/// One answer: its edits, what came of it on the copy, how to do it.
fn one(frame: &Frame<'_>, i: usize, answer: &AnswerView) -> Html {
    let edit = |edit: &EditView| {
        html! { <p class="edit"><span class="side">{frame.t(side(edit.side))}</span>{rich(&frame.words.say(&edit.text))}</p> }
    };
    let outcome = Msg::new(
        "sched.then",
        vec![
            ("node", Arg::Text(answer.node.clone())),
            ("after", Arg::Text(length(answer.after).into())),
        ],
    );
    let victims: Vec<&str> = answer.victims.iter().map(|pod| &*pod.name).collect();
    let command =
        |line: &Text| html! { <code class="cmdline">{"kubectl "}{line.to_string()}</code> };
    let commands = answer.commands.iter().map(command);
    let length: usize = answer.commands.iter().map(|line| line.len()).sum();
    let number = u16::try_from(i).unwrap_or(u16::MAX);
    let label = frame.n("sched.try-n", i + 1);
    html! {
        <li key={i}>
            <div>{for answer.edits.iter().map(edit)}
            <p class="small muted">{frame.words.say(&outcome)}
                if !victims.is_empty() { {" "}{frame.n("sched.then-gone", victims.join(", "))} }</p>
            if length <= SHORT { {for commands} } else {
                <details><summary>{frame.t("sched.command")}</summary>{for commands}</details>
            }</div>
            <button class="btn" type="button" aria-label={label} onclick={frame.act(Act::Sched(SchedAct::TryOut(number)))}>{frame.t("sched.try-out")}</button>
        </li>
    }
}

fn sensitivity(frame: &Frame<'_>, view: &SensitivityView) -> Html {
    let row = |(i, row): (usize, &SensitivityRow)| {
        let then = match &row.winner {
            Some(node) => frame.n("sched.wins", node),
            None => frame.t("sched.fits-nowhere"),
        };
        html! { <li key={i}>{rich(&frame.words.say(&row.text))}{" "}<b>{then}</b></li> }
    };
    let head = match &view.winner {
        Some(node) => frame.n("sched.near", node),
        None => frame.t("sched.near-none"),
    };
    html! { <>
        <h2>{rich(&head)}</h2>
        if view.changes.is_empty() { <p>{frame.t("sched.near-nothing")}</p> }
        <ul class="nears">{for view.changes.iter().enumerate().map(row)}</ul>
        <p class="small muted">{frame.words.say(&view.bounds)}</p>
    </> }
}
