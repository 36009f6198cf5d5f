//! The scheduler: who waits where, the last tries, and the matrix of the one nearest to the cursor.

use super::{go, opens, short};
use crate::draw::scheduler;
use crate::panel::stage::heads;
use crate::state::Scene;
use crate::words::moment;
use podscope_session::view::*;
use yew::prelude::*;

/// From so many nodes on the reasons are counted first.
const MANY: usize = 9;

/// Draws the tab.
#[inline(never)]
pub fn draw(scene: &Scene<'_>) -> Html {
    let queues = scene.session.queues();
    let component = scene.view.components.iter();
    let component = component
        .into_iter()
        .find(|c| c.kind == ComponentKind::Scheduler);
    let inside = component.map(|c| scene.session.inside(&Target::Component(c.id)));
    html! { <>
        <div class="list" tabindex="0" role="region" aria-label={scene.t("tab.scheduler")}>
            {queue(scene, &queues)}
            {attempts(scene, &queues)}
        </div>
        <div class="side matrix">
            if let Some(InsideView::Scheduler(inside)) = inside.as_deref() {
                {reasons(scene, inside)}
                {scheduler::draw(&crate::draw::inside::Frame::of(scene), inside)}
            }
        </div>
    </> }
}

fn queue(scene: &Scene<'_>, queues: &SchedulerQueues) -> Html {
    let row = |row: &QueueRow| {
        let until = row.until.map(moment).unwrap_or_default();
        let why = if row.gate.is_empty() {
            &row.rejected_by
        } else {
            &row.gate
        };
        html! { <tr key={short(&row.pod)}><td>{opens(scene, &row.pod, row.pod.name.to_string())}</td><td>{scene.t(row.place)}</td>
        <td class="num">{row.attempts}</td><td class="num">{moment(row.since)}</td><td class="num">{until}</td><td class="wrap">{why.to_string()}</td></tr> }
    };
    html! { <>
        <h2>{scene.t("queue.head")}{" "}<span class="muted">{queues.queue.len()}</span></h2>
        if queues.queue.is_empty() { <p class="empty">{scene.t("queue.empty")}</p> } else {
            <table><thead><tr>{heads(scene, &["queue.pod", "queue.place", "queue.tries", "queue.since", "queue.until", "queue.rejected"])}</tr></thead>
                <tbody>{for queues.queue.iter().map(row)}</tbody></table>
        }
    </> }
}

fn attempts(scene: &Scene<'_>, queues: &SchedulerQueues) -> Html {
    let row = |row: &AttemptRow| {
        let result = if row.node.is_empty() {
            &row.message
        } else {
            &row.node
        };
        html! { <tr key={row.event}><td class="num">{go(scene, row.event, moment(row.at))}</td>
        <td>{opens(scene, &row.pod, row.pod.name.to_string())}</td><td class="wrap">{result.to_string()}</td></tr> }
    };
    html! { <>
        <h2>{scene.t("queue.tries.head")}</h2>
        if queues.attempts.is_empty() { <p class="empty">{scene.t("inside.scheduler.empty")}</p> } else {
            <table><thead><tr>{heads(scene, &["queue.at", "queue.pod", "queue.result"])}</tr></thead>
                <tbody>{for queues.attempts.iter().map(row)}</tbody></table>
        }
    </> }
}

/// With many nodes, how often each reason was given; the rows follow.
fn reasons(scene: &Scene<'_>, inside: &SchedulerInside) -> Html {
    if inside.filter.len() < MANY {
        return html! {};
    }
    let passed = scene.t("queue.passed");
    let mut counts: Vec<(String, usize)> = Vec::new();
    for row in inside.filter.iter() {
        let reason = row.reason.as_deref().unwrap_or(&passed);
        match counts.iter_mut().find(|(known, _)| known == reason) {
            Some((_, n)) => *n += 1,
            None => counts.push((reason.to_owned(), 1)),
        }
    }
    let row = |(reason, n): &(String, usize)| html! { <li><b class="num">{*n}</b>{" "}{reason.clone()}</li> };
    html! { <ul class="reasons" aria-label={scene.t("queue.reasons")}>{for counts.iter().map(row)}</ul> }
}
