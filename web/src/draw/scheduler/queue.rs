//! The scheduler's queue: where each Pod waits, until when, and what would wake it.

use super::ui::SchedAct;
use crate::draw::inside::{Frame, heads};
use crate::state::Act;
use crate::words::moment;
use podscope_session::view::*;
use yew::prelude::*;

/// Rows that are drawn.
const MOST: usize = 100;

/// The section.
pub fn queue(frame: &Frame<'_>) -> Html {
    let queues = frame.session.queues();
    let rows = &queues.queue;
    let hidden = rows.len().saturating_sub(MOST);
    html! { <>
        <p class="sec">{frame.t("queue.head")}<span class="num">{rows.len()}</span></p>
        if rows.is_empty() { <p class="empty">{frame.t("queue.empty")}</p> } else {
            <div class="sideways" tabindex="0" role="group" aria-label={frame.t("queue.head")}>
            <table class="calls waits"><thead><tr>{heads(frame, &["queue.pod", "queue.place", "queue.tries", "sched.until", "sched.wakes"])}</tr></thead>
                <tbody>{for rows.iter().take(MOST).map(|row| line(frame, row))}</tbody></table></div>
        }
        if hidden > 0 { <p class="small muted">{frame.n("sched.more", hidden)}</p> }
    </> }
}

fn line(frame: &Frame<'_>, row: &QueueRow) -> Html {
    let act = Act::Sched(SchedAct::Why(row.pod.clone()));
    let until = match (row.until, row.flush) {
        (Some(at), _) => moment(at),
        (None, Some(at)) => frame.n("sched.latest", moment(at)).to_string(),
        (None, None) => String::new(),
    };
    html! { <tr key={row.pod.name.to_string()}>
        <th scope="row"><button class="linky" type="button" onclick={frame.act(act)}>{row.pod.name.to_string()}</button></th>
        <td>{frame.t(row.place)}</td><td class="num">{row.attempts}</td><td class="num">{until}</td>
        <td class="wakes">{waits_for(frame, row)}</td>
    </tr> }
}

/// What would wake a Pod.
fn waits_for(frame: &Frame<'_>, row: &QueueRow) -> Html {
    if !row.gate.is_empty() {
        return html! { <code>{row.gate.to_string()}</code> };
    }
    if !row.nominated.is_empty() {
        return html! { {frame.n("sched.waits-room", &row.nominated)} };
    }
    let by = row.rejected_by.iter().map(|plugin| {
        let code = ["wake.", plugin].concat();
        let what = if frame.words.has(&code) {
            frame.t(&code)
        } else {
            frame.t("wake.any")
        };
        html! { <li>{what}{" "}<small class="muted">{plugin.to_string()}</small></li> }
    });
    html! { <ul>{for by}</ul> }
}
