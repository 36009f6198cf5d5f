//! The scheduler: who waits where, the last tries, and one of them with its receipts.

use super::{go, opens};
use crate::draw::inside::Frame;
use crate::draw::scheduler::{self, ui::SchedAct};
use crate::panel::stage::heads;
use crate::state::{Act, Scene};
use crate::words::moment;
use podscope_session::view::*;
use yew::prelude::*;

/// Draws the tab.
#[inline(never)]
pub fn draw(scene: &Scene<'_>) -> Html {
    let frame = Frame::of(scene);
    let chosen = scene.ui.stage.sched.attempt;
    let inside = scene.session.matrix(chosen);
    html! { <>
        <div class="list mx inside sched" tabindex="0" role="region" aria-label={scene.t("tab.scheduler")}>
            {scheduler::queue(&frame)}
            {attempts(scene, &frame)}
        </div>
        <div class="side matrix">{scheduler::matrix(&frame, &inside)}</div>
    </> }
}

fn attempts(scene: &Scene<'_>, frame: &Frame<'_>) -> Html {
    let queues = scene.session.queues();
    let chosen = scene.ui.stage.sched.attempt;
    let row = |row: &AttemptRow| {
        let result = if row.node.is_empty() {
            &row.message
        } else {
            &row.node
        };
        let here = chosen == Some(row.event);
        let act = Act::Sched(SchedAct::Attempt((!here).then_some(row.event)));
        html! { <tr key={row.event} class={classes!(here.then_some("now"))}><td class="num">{go(scene, row.event, moment(row.at))}</td>
        <td>{opens(scene, &row.pod, row.pod.name.to_string())}</td><td class="num">{row.attempt}</td><td class="wrap">{result.to_string()}</td>
        <td><button class="linky" type="button" aria-pressed={here.to_string()} onclick={frame.act(act)}>{scene.t("sched.receipts")}</button></td></tr> }
    };
    html! { <>
        <h2>{scene.t("queue.tries.head")}</h2>
        if queues.attempts.is_empty() { <p class="empty">{scene.t("inside.scheduler.empty")}</p> } else {
            <table class="calls"><thead><tr>{heads(scene, &["queue.at", "queue.pod", "queue.tries", "queue.result"])}<th scope="col"><span class="sr">{scene.t("sched.receipts")}</span></th></tr></thead>
                <tbody>{for queues.attempts.iter().map(row)}</tbody></table>
        }
    </> }
}
