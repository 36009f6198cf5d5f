//! When no node has room: who would have to go where, and which of them does.

use crate::draw::inside::{Frame, heads};
use crate::words::rich;
use podscope_session::view::*;
use yew::prelude::*;

/// Victims that are named of a candidate.
const MOST_VICTIMS: usize = 6;

/// The section; nothing when preemption was not looked at.
#[inline(never)]
pub fn draw(frame: &Frame<'_>, inside: &SchedulerInside) -> Html {
    if !inside
        .points
        .iter()
        .any(|p| p.name == "PostFilter" && p.event.is_some())
    {
        return html! {};
    }
    let attempt = frame.session.attempt(inside.event);
    let Some(preemption) = attempt.as_ref().and_then(|a| a.preemption.as_ref()) else {
        return html! {};
    };
    let rejected = preemption.rejected.iter();
    let rejected = rejected
        .map(|(reason, n)| html! { <li><b class="num">{*n}</b>{" "}{reason.to_string()}</li> });
    let candidates = &preemption.candidates;
    html! { <>
        <p class="sec">{frame.t("sched.preemption")}<span>{frame.n("sched.candidates", candidates.len())}</span></p>
        if let Some(node) = &preemption.node { <p>{rich(&frame.n("sched.nominated", node))}</p> }
        if let Some(why) = preemption.why.as_ref().filter(|_| !candidates.is_empty()) {
            <p class="small">{frame.t("sched.decided")}{" "}<b>{frame.words.say(why)}</b></p>
        }
        if !candidates.is_empty() {
            <div class="sideways" tabindex="0" role="group" aria-label={frame.t("sched.preemption")}>
            <table class="calls victims"><thead><tr>{heads(frame, &["text.node", "sched.victims", "sched.protected", "sched.highest", "sched.victims-n"])}</tr></thead>
                <tbody>{for candidates.iter().map(|c| candidate(frame, c, preemption.node.as_ref()))}</tbody></table></div>
        }
        if candidates.is_empty() { <p class="small">{frame.t("sched.nobody-goes")}</p> }
        if !preemption.rejected.is_empty() { <ul class="reasons" aria-label={frame.t("sched.no-help")}>{for rejected}</ul> }
    </> }
}

fn candidate(frame: &Frame<'_>, candidate: &CandidateView, chosen: Option<&Text>) -> Html {
    let won = chosen == Some(&candidate.node);
    let victim = |(pod, priority): &(ObjectRef, i64)| {
        html! { <li>{frame.object(pod)}{" "}<span class="muted num">{frame.n("sched.priority", priority)}</span></li> }
    };
    let hidden = candidate.victims.len().saturating_sub(MOST_VICTIMS);
    let highest = candidate.victims.first().map(|(_, priority)| *priority);
    html! { <tr key={candidate.node.to_string()} class={classes!(won.then_some("win"))}>
        <th scope="row">{candidate.node.to_string()}if won { {" "}<small>{frame.t("inside.scheduler.chosen")}</small> }</th>
        <td><ul>{for candidate.victims.iter().take(MOST_VICTIMS).map(victim)}
            if hidden > 0 { <li class="muted">{frame.n("sched.more", hidden)}</li> }</ul></td>
        <td class="num">{candidate.violations}</td><td class="num">{highest}</td><td class="num">{candidate.victims.len()}</td>
    </tr> }
}
