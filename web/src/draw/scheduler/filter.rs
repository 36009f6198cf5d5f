//! Which nodes may run the Pod: a row per node or per group of nodes with one verdict, a column per plugin.

use super::ui::SchedAct;
use super::{MANY, group_button, groups, more, names, receipt, slanted};
use crate::draw::inside::Frame;
use crate::state::Act;
use podscope_session::view::*;
use yew::prelude::*;

/// The filters' section; nothing before they have run.
pub fn draw(frame: &Frame<'_>, inside: &SchedulerInside) -> Html {
    if let Some((plugin, reason)) = &inside.rejected {
        let args = vec![
            ("plugin", Arg::Text(plugin.clone())),
            ("reason", Arg::Text(reason.clone())),
        ];
        let line = frame.words.say(&Msg::new("sched.rejected-early", args));
        return html! { <><p class="sec">{frame.t("inside.scheduler.filter")}</p><p>{crate::words::rich(&line)}</p></> };
    }
    if inside.looked == 0 {
        return html! {};
    }
    html! { <>
        <p class="sec">{frame.t("inside.scheduler.filter")}<span>{line(frame, inside)}</span>{group_button(frame, inside.rows.len())}</p>
        {sampled(frame, inside)}
        {finder(frame, inside)}
        {table(frame, inside)}
    </> }
}

fn line(frame: &Frame<'_>, inside: &SchedulerInside) -> String {
    let asked = inside.plugins.iter().filter(|p| !p.skipped).count();
    let skipped = inside.plugins.len() - asked;
    let args = vec![
        ("n", Arg::Count(i64::try_from(asked).unwrap_or(0))),
        ("skipped", Arg::Count(i64::try_from(skipped).unwrap_or(0))),
        ("in", Arg::Count(i64::from(inside.looked))),
        ("left", Arg::Count(i64::from(inside.feasible))),
    ];
    frame.words.say(&Msg::new("sched.filter", args))
}

/// Why not all nodes were looked at.
fn sampled(frame: &Frame<'_>, inside: &SchedulerInside) -> Html {
    let count = |n: u32| Arg::Count(i64::from(n));
    let narrowed = inside.narrowed.as_ref().map(|(plugins, left)| {
        let args = vec![
            ("plugins", Arg::Text(plugins.clone())),
            ("n", count(*left)),
            ("of", count(inside.nodes)),
        ];
        Msg::new("sched.narrowed", args)
    });
    let of = inside
        .narrowed
        .as_ref()
        .map_or(inside.nodes, |(_, left)| *left);
    let sampled = (inside.looked < of).then(|| {
        let args = vec![
            ("n", count(inside.looked)),
            ("of", count(of)),
            ("enough", count(inside.enough)),
        ];
        Msg::new("sched.sampled", args)
    });
    let partial = inside.partial.then(|| Msg::plain("sched.partial"));
    let lines = narrowed.into_iter().chain(sampled).chain(partial);
    lines
        .map(|msg| html! { <p class="small muted">{frame.words.say(&msg)}</p> })
        .collect()
}

/// With many rows: looking for some of them.
fn finder(frame: &Frame<'_>, inside: &SchedulerInside) -> Html {
    if inside.rows.len() < MANY {
        return html! {};
    }
    let ui = &frame.ui.sched;
    let oninput = frame.on.reform(|event: InputEvent| {
        let input = event.target_dyn_into::<web_sys::HtmlInputElement>();
        Act::Sched(SchedAct::Find(input.map(|i| i.value()).unwrap_or_default()))
    });
    let chip = |label: String, only: Option<Text>| {
        let on = ui.only == only;
        let act = Act::Sched(SchedAct::Only(only));
        html! { <button type="button" aria-pressed={on.to_string()} onclick={frame.act(act)}>{label}</button> }
    };
    let counted = |n: u32, text: &str| [&*n.to_string(), " ", text].concat();
    let passed = (inside.feasible > 0).then(|| {
        chip(
            counted(inside.feasible, &frame.t("state.passed")),
            Some("".into()),
        )
    });
    // The parts of the message choose too; one way is enough.
    let told = inside.message.is_some();
    let reasons = inside.reasons.iter().filter(|_| !told);
    let reasons = reasons.map(|(reason, n)| chip(counted(*n, reason), Some(reason.clone())));
    html! {
        <div class="finder">
            <input class="filter" type="search" aria-label={frame.t("sched.find")} placeholder={frame.t("sched.find")}
                value={ui.find.clone()} {oninput}/>
            <span class="chips" role="group" aria-label={frame.t("sched.verdicts")}>
                {chip(counted(inside.looked, &frame.t("sched.all")), None)}{passed}{for reasons}</span>
        </div>
    }
}

/// The rows that are wished for, and which the filters' search and reason let through.
pub fn wanted<'a>(frame: &Frame<'_>, inside: &'a SchedulerInside) -> Vec<&'a NodeRow> {
    let ui = &frame.ui.sched;
    let needle = ui.find.trim().to_ascii_lowercase();
    let has = |text: &str| text.to_ascii_lowercase().contains(&needle);
    let fits = |row: &&NodeRow| {
        let plugin = row.stopped.and_then(|i| inside.plugins.get(usize::from(i)));
        let only = match ui.only.as_deref() {
            None => true,
            Some("") => row.stopped.is_none(),
            Some(reason) => row.reason.contains(reason),
        };
        only && (needle.is_empty()
            || has(&row.node)
            || has(&row.reason)
            || plugin.is_some_and(|p| has(&p.name)))
    };
    inside.rows.iter().filter(fits).collect()
}

fn table(frame: &Frame<'_>, inside: &SchedulerInside) -> Html {
    let together = inside.rows.len() >= MANY && !frame.ui.sched.ungrouped;
    let rows = wanted(frame, inside);
    let groups = groups(rows.into_iter(), together, |a, b| {
        (a.stopped, &a.reason) == (b.stopped, &b.reason)
    });
    if groups.is_empty() {
        return html! { <p class="empty">{frame.t("sched.none-found")}</p> };
    }
    let shown = groups.len().min(frame.ui.sched.rows());
    let slim = frame.is_narrow() || frame.text;
    let columns = if slim { 2 } else { inside.plugins.len() + 2 };
    let failing = |i: usize| {
        inside
            .rows
            .iter()
            .any(|row| row.stopped.is_some_and(|s| usize::from(s) == i))
    };
    let heads = inside.plugins.iter().enumerate();
    let row = |(first, all): &(&NodeRow, Vec<&NodeRow>)| {
        let open = frame.ui.sched.verdict.as_ref();
        let open = open.filter(|node| all.iter().any(|row| row.node == **node));
        let act = Act::Sched(SchedAct::Verdict(open.unwrap_or(&first.node).clone()));
        let label = names(frame, all);
        html! { <>
            <tr key={first.node.to_string()} class={classes!(open.map(|_| "opened"))}>
                <th scope="row"><button class="linky" type="button" aria-expanded={open.is_some().to_string()} onclick={frame.act(act)}>{label}</button></th>
                if slim { {verdict_text(frame, inside, first, all)} } else { {cells(frame, inside, first, all)} }
            </tr>
            if let Some(node) = open {
                <tr class="receipt"><td colspan={columns.to_string()}>{receipt::verdicts(frame, inside, node, all)}</td></tr>
            }
        </> }
    };
    html! { <>
        <div class="sideways" tabindex="0" role="group" aria-label={frame.t("inside.scheduler.filter")}>
            <table class={classes!("fm", slim.then_some("slim"))}>
                <thead><tr><th scope="col">{frame.t("text.node")}</th>
                    if slim { <th scope="col">{frame.t("sched.verdict")}</th> } else {
                        {for heads.map(|(i, column)| slanted(frame, column, failing(i)))}
                        <th scope="col" class="rest"><span class="sr">{frame.t("sched.verdict")}</span></th>
                    }
                </tr></thead>
                <tbody>{for groups.iter().take(shown).map(row)}</tbody>
            </table>
        </div>
        {more(frame, groups.len(), shown)}
    </> }
}

/// A tick, a cross or a dash for each plugin; behind the cross, the reason.
fn cells(frame: &Frame<'_>, inside: &SchedulerInside, first: &NodeRow, all: &[&NodeRow]) -> Html {
    let stopped = first.stopped.map(usize::from);
    let asked = stopped.map_or(inside.plugins.len(), |at| at + 1);
    let cell = |(i, column): (usize, &PluginColumn)| {
        let (class, sign, word) = match stopped {
            _ if column.skipped => ("skipc", "–", "sched.skipped"),
            Some(at) if at == i => ("no", "✕", "sched.said-no"),
            _ => ("yes", "✓", "state.passed"),
        };
        html! { <td key={i} class={class}><span aria-hidden="true">{sign}</span><span class="sr">{frame.t(word)}</span></td> }
    };
    let rest = (inside.plugins.len() + 1 - asked).to_string();
    html! { <>
        {for inside.plugins.iter().take(asked).enumerate().map(cell)}
        <td class="rest" colspan={rest}>{reason(frame, first, all)}</td>
    </> }
}

/// The reason in the plugin's words with its numbers, when they are the same for all.
fn reason(frame: &Frame<'_>, first: &NodeRow, all: &[&NodeRow]) -> Html {
    if first.stopped.is_none() {
        return html! {};
    }
    let detail = match &first.detail {
        Some(detail) if all.iter().all(|row| row.detail == first.detail) => frame.words.say(detail),
        Some(_) => frame.t("sched.numbers-differ").to_string(),
        None => String::new(),
    };
    html! { <><b class="faulttext">{first.reason.to_string()}</b>{" "}<span class="detail">{detail}</span></> }
}

fn verdict_text(
    frame: &Frame<'_>,
    inside: &SchedulerInside,
    first: &NodeRow,
    all: &[&NodeRow],
) -> Html {
    match first
        .stopped
        .and_then(|i| inside.plugins.get(usize::from(i)))
    {
        None => {
            html! { <td><span class="yes" aria-hidden="true">{"✓ "}</span>{frame.t("state.passed")}</td> }
        }
        Some(plugin) => {
            html! { <td><span class="no" aria-hidden="true">{"✕ "}</span><span class="by">{plugin.name.to_string()}</span>{" "}{reason(frame, first, all)}</td> }
        }
    }
}
