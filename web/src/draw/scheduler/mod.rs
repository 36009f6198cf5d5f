//! Inside the scheduler: one attempt with its receipts, and the queue.

mod changed;
mod filter;
mod help;
mod preemption;
mod queue;
mod receipt;
mod score;
pub mod ui;

use super::cluster::opener;
use super::inside::Frame;
use crate::panel::explain::because;
use crate::state::Act;
use crate::words::{Words, middle, moment};
use podscope_session::view::*;
use ui::SchedAct;
use yew::prelude::*;

pub use queue::queue;
pub use receipt::plugin;

/// From so many nodes on, equal rows are one, and rows can be looked for.
pub const MANY: usize = 9;
/// Rows that are drawn at first, and with each wish for more.
pub const ROWS: usize = 150;
/// Tries on offer.
const TRIES: usize = 60;

/// Draws the whole.
#[inline(never)]
pub fn draw(frame: &Frame<'_>, inside: &SchedulerInside) -> Html {
    html! {
        <div class="mx inside sched" tabindex="0" role="region" aria-label={frame.t("inside.scheduler.label")}>
            {attempt(frame, inside)}
            {queue(frame)}
        </div>
    }
}

/// One attempt without the queue.
#[inline(never)]
pub fn matrix(frame: &Frame<'_>, inside: &SchedulerInside) -> Html {
    html! {
        <div class="mx inside sched" tabindex="0" role="region" aria-label={frame.t("inside.scheduler.label")}>
            {attempt(frame, inside)}
        </div>
    }
}

fn attempt(frame: &Frame<'_>, inside: &SchedulerInside) -> Html {
    let Some(pod) = &inside.pod else {
        return html! { <p class="empty">{frame.t("inside.scheduler.empty")}</p> };
    };
    html! { <>
        {head(frame, inside, pod)}
        {outcome(frame, inside)}
        {help::draw(frame, inside, pod)}
        {points(frame, inside)}
        {filter::draw(frame, inside)}
        {preemption::draw(frame, inside)}
        {score::draw(frame, inside)}
        {changed::draw(frame, inside)}
    </> }
}

/// Which attempt it is, and the way to the others.
fn head(frame: &Frame<'_>, inside: &SchedulerInside, pod: &ObjectRef) -> Html {
    let queues = frame.session.queues();
    let pick = frame.on.reform(|event: Event| {
        let select = event.target_dyn_into::<web_sys::HtmlSelectElement>();
        let value = select.map(|select| select.value()).unwrap_or_default();
        Act::Sched(SchedAct::Attempt(value.parse().ok()))
    });
    let chosen = frame.ui.sched.attempt;
    let option = |row: &AttemptRow| {
        let end = match (&*row.node, &*row.message) {
            ("", "") => frame.t("sched.begun").to_string(),
            ("", _) => frame.t("sched.nowhere").to_string(),
            (node, _) => ["→ ", node].concat(),
        };
        let name = middle(&row.pod.name, 24);
        let label = [&moment(row.at), "  ", &*name, " ", &end].concat();
        html! { <option value={row.event.to_string()} selected={chosen == Some(row.event)}>{label}</option> }
    };
    let listed = queues.attempts.iter().take(TRIES);
    let number = Msg::new(
        "sched.try",
        vec![
            ("n", Arg::Count(i64::from(inside.attempt.max(1)))),
            ("at", Arg::At(inside.at)),
        ],
    );
    let begins = !inside.points.iter().any(|p| p.state != PointState::Ahead);
    html! { <>
        <div class="tryhead">
            <p class="sec"><span class="tag">{"Pod"}</span>{frame.object(pod)}<span>{frame.words.say(&number)}</span></p>
            <label class="tries"><span>{frame.t("sched.tries")}</span>
                <select onchange={pick}>
                    <option value="" selected={chosen.is_none()}>{frame.t("sched.nearest")}</option>
                    {for listed.map(option)}
                </select></label>
        </div>
        if begins { <p class="muted small">{frame.t("inside.scheduler.begins")}</p> }
        if let Some(woken) = &inside.woken { <p class="small woken">{woken_text(frame.words, woken)}</p> }
    </> }
}

/// What brought the Pod back, in a sentence.
fn woken_text(words: &Words, msg: &Msg) -> String {
    let of = |name: &str| {
        let found = msg.args.iter().find(|(known, _)| *known == name);
        match found {
            Some((_, Arg::Text(text))) => text.to_string(),
            _ => String::new(),
        }
    };
    let (event, plugin) = (of("event"), of("plugin"));
    let code = ["sched.event.", &*event].concat();
    let event = if words.has(&code) {
        words.t(&code).to_string()
    } else {
        event
    };
    let args = vec![
        ("event", Arg::Text(event.into())),
        ("plugin", Arg::Text(plugin.as_str().into())),
    ];
    let code = if plugin.is_empty() {
        "sched.again"
    } else {
        "sched.again-by"
    };
    words.say(&Msg::new(code, args))
}

/// What came out: the node, or the message with its parts to choose.
fn outcome(frame: &Frame<'_>, inside: &SchedulerInside) -> Html {
    if let Some(message) = &inside.message {
        let line = inside.line.as_ref();
        let line = line.map(|line| because(frame.words, frame.on, line));
        return html! { <><p class="verbatim"><code>{for parts(frame, inside, message)}</code></p>{for line}</> };
    }
    let Some(node) = &inside.chosen else {
        return html! {};
    };
    let best = inside.rows.iter().find(|row| row.node == *node);
    let total = best.and_then(|row| row.total);
    let others = inside.rows.iter().filter(|row| row.node != *node);
    let second = others.filter_map(|row| row.total).max();
    let (code, lead) = match (total, second) {
        (Some(_), _) if inside.tied > 1 => ("sched.won-tie", 0),
        (Some(total), Some(second)) => ("sched.won", total - second),
        _ => ("sched.only", 0),
    };
    let args = vec![
        ("node", Arg::Text(node.clone())),
        ("n", Arg::Count(total.unwrap_or(0))),
        ("lead", Arg::Count(lead)),
        ("tied", Arg::Count(i64::from(inside.tied))),
    ];
    html! { <p class="won">{crate::words::rich(&frame.words.say(&Msg::new(code, args)))}</p> }
}

/// The message; each count of a reason is a button that shows the nodes it was given for.
fn parts(frame: &Frame<'_>, inside: &SchedulerInside, message: &str) -> Vec<Html> {
    let mut found: Vec<(usize, usize, &Text)> = Vec::new();
    for (reason, n) in inside.reasons.iter() {
        let text = [&*n.to_string(), " ", reason].concat();
        if let Some(at) = message.find(&text) {
            found.push((at, at + text.len(), reason));
        }
    }
    podscope_session::sort::by_key(&mut found, |(at, ..)| *at);
    let mut out = Vec::new();
    let mut done = 0;
    for (from, to, reason) in found {
        // One reason may be the beginning of another.
        let (Some(before), Some(part)) = (message.get(done..from), message.get(from..to)) else {
            continue;
        };
        let on = frame.ui.sched.only.as_deref() == Some(&**reason);
        let act = SchedAct::Only((!on).then(|| (*reason).clone()));
        out.push(html! { {before.to_owned()} });
        out.push(html! { <button class="linky part" type="button" aria-pressed={on.to_string()} onclick={frame.act(Act::Sched(act))}>{part.to_owned()}</button> });
        done = to;
    }
    out.push(html! { {message.get(done..).unwrap_or_default().to_owned()} });
    out
}

/// The extension points, each with what it came to.
fn points(frame: &Frame<'_>, inside: &SchedulerInside) -> Html {
    let point = |point: &PointView| {
        let (class, sign, word) = match point.state {
            PointState::Passed => ("yes", "✓", "state.passed"),
            PointState::Failed => ("no", "✕", "sched.ended"),
            PointState::Skipped => ("skipd", "–", "sched.skipped"),
            PointState::Ahead => ("ahead", "·", "sched.point.ahead"),
        };
        let name = match point.event {
            Some(event) => {
                let act = Act::Seek(Seek::Event(event));
                html! { <button class="linky" type="button" title={frame.t("inside.go")} onclick={frame.act(act)}>{point.name}</button> }
            }
            None => html! { <span>{point.name}</span> },
        };
        html! { <li key={point.name} class={class}><b aria-hidden="true">{sign}</b><span class="sr">{frame.t(word)}{": "}</span>
        {name}<small>{frame.words.say(&point.text)}</small></li> }
    };
    html! { <ol class="points" aria-label={frame.t("sched.points")}>{for inside.points.iter().map(point)}</ol> }
}

/// Rows with the same verdict, in the order of the first: (one of them, places).
fn groups<T>(
    rows: impl Iterator<Item = T>,
    together: bool,
    same: impl Fn(&T, &T) -> bool,
) -> Vec<(T, Vec<T>)>
where
    T: Copy,
{
    let mut groups: Vec<(T, Vec<T>)> = Vec::new();
    for row in rows {
        let found = groups
            .iter_mut()
            .find(|(first, _)| together && same(first, &row));
        match found {
            Some((_, all)) => all.push(row),
            None => groups.push((row, vec![row])),
        }
    }
    groups
}

/// `node-1`, or `12 nodes: node-1, node-2 …`.
fn names(frame: &Frame<'_>, rows: &[&NodeRow]) -> String {
    match rows {
        [one] => middle(&one.node, 18).to_string(),
        all => {
            let mut text = frame.n("inside.scheduler.nodes", all.len()).to_string();
            for (i, row) in all.iter().take(2).enumerate() {
                text.push_str(if i == 0 { ": " } else { ", " });
                text.push_str(&middle(&row.node, 14));
            }
            text.push_str(" …");
            text
        }
    }
}

/// A plugin's name as a button that opens it.
fn plugin_button(frame: &Frame<'_>, name: &Text) -> Html {
    frame.opens(Target::Plugin(name.clone()), name.to_string())
}

/// Switches between equal rows as one and every node by itself.
fn group_button(frame: &Frame<'_>, count: usize) -> Html {
    if count < MANY {
        return html! {};
    }
    let open = frame.ui.sched.ungrouped;
    let word = if open {
        "inside.scheduler.group"
    } else {
        "inside.scheduler.ungroup"
    };
    html! { <button class="linky" type="button" onclick={frame.act(Act::Sched(SchedAct::Groups(open)))}>{frame.t(word)}</button> }
}

/// What is left out below a long table, and the way to it.
fn more(frame: &Frame<'_>, all: usize, shown: usize) -> Html {
    if shown >= all {
        return html! {};
    }
    html! { <p class="small muted">{frame.n("sched.more", all - shown)}{" "}
    <button class="linky" type="button" onclick={frame.act(Act::Sched(SchedAct::More))}>{frame.t("sched.show-more")}</button></p> }
}

/// A head of the slanted kind.
fn slanted(frame: &Frame<'_>, column: &PluginColumn, loud: bool) -> Html {
    let opened = opener(
        &frame.on.reform(Act::Open),
        Target::Plugin(column.name.clone()),
    );
    let class = classes!(
        "slant",
        loud.then_some("loud"),
        column.skipped.then_some("skipc")
    );
    html! { <th scope="col" key={column.name.to_string()} class={class}><span role="button" tabindex="0"
    onclick={opened.click} onkeydown={opened.key}>{column.name.to_string()}</span></th> }
}
