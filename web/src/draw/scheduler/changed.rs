//! What is different from the attempt before.

use super::ui::SchedAct;
use crate::draw::inside::Frame;
use crate::state::Act;
use crate::words::middle;
use podscope_session::view::*;
use yew::prelude::*;

/// Nodes that are named of a change.
const MOST_NAMES: usize = 4;

/// The section; nothing for a first attempt.
#[inline(never)]
pub fn draw(frame: &Frame<'_>, inside: &SchedulerInside) -> Html {
    let Some(since) = &inside.since else {
        return html! {};
    };
    let of = Msg::new(
        "sched.since",
        vec![
            ("n", Arg::Count(i64::from(since.attempt.max(1)))),
            ("at", Arg::At(since.at)),
        ],
    );
    // What changed for the same nodes stands together.
    let mut together: Vec<(&[Text], Vec<&Msg>)> = Vec::new();
    for (msg, nodes) in since.changes.iter() {
        match together.iter().position(|(known, _)| **known == **nodes) {
            Some(at) => together[at].1.push(msg),
            None => together.push((nodes, vec![msg])),
        }
    }
    let change = |(nodes, msgs): &(&[Text], Vec<&Msg>)| {
        let named: Vec<String> = nodes
            .iter()
            .take(MOST_NAMES)
            .map(|node| middle(node, 16).to_string())
            .collect();
        let mut who = named.join(", ");
        if nodes.len() > MOST_NAMES {
            let rest = nodes.len() - MOST_NAMES;
            who = [&*who, " ", &frame.n("sched.and-more", rest)].concat();
        }
        let who = if nodes.is_empty() {
            frame.t("sched.the-pod").to_string()
        } else {
            who
        };
        let msgs = msgs
            .iter()
            .map(|msg| html! { <span>{frame.words.say(msg)}</span> });
        html! { <li><b>{who}</b><div>{for msgs}</div></li> }
    };
    let act = Act::Sched(SchedAct::Attempt(Some(since.event)));
    html! { <>
        <p class="sec">{frame.t("sched.changed")}<span>{frame.words.say(&of)}</span>
            <button class="linky" type="button" onclick={frame.act(act)}>{frame.t("sched.show-before")}</button></p>
        if since.changes.is_empty() { <p class="small muted">{frame.t("sched.nothing-changed")}</p> }
        <ul class="changed">{for together.iter().map(change)}</ul>
    </> }
}
