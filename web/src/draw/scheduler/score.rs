//! How good each node is: plugins as rows for a few nodes, as columns for many.

use super::ui::SchedAct;
use super::{MANY, group_button, groups, more, names, receipt};
use crate::draw::inside::Frame;
use crate::draw::px;
use crate::state::Act;
use podscope_session::view::*;
use yew::prelude::*;

/// More nodes than this are rows of the score table, not columns.
const MOST_COLUMNS: usize = 4;

/// The scores' section; nothing when there was no choice.
pub fn draw(frame: &Frame<'_>, inside: &SchedulerInside) -> Html {
    let mut scored: Vec<&NodeRow> = inside
        .rows
        .iter()
        .filter(|row| row.total.is_some())
        .collect();
    if scored.is_empty() {
        return html! {};
    }
    // The winner first, then by total, then in the order in which they were looked at.
    podscope_session::sort::by_key(&mut scored, |row| {
        (!wins(inside, row), std::cmp::Reverse(row.total))
    });
    let table = if scored.len() > MOST_COLUMNS {
        many(frame, inside, scored)
    } else {
        few(frame, inside, &scored)
    };
    let best = scored_best(inside);
    let tie = (inside.tied > 1).then(|| {
        let args = vec![
            ("n", Arg::Count(i64::from(inside.tied))),
            ("total", Arg::Count(best)),
            (
                "node",
                Arg::Text(inside.chosen.clone().unwrap_or_else(|| "".into())),
            ),
        ];
        frame.words.say(&Msg::new("sched.tie", args))
    });
    html! { <>{table}{for tie.map(|tie| html! { <p class="small tie">{crate::words::rich(&tie)}</p> })}</> }
}

fn scored_best(inside: &SchedulerInside) -> i64 {
    inside
        .rows
        .iter()
        .filter_map(|row| row.total)
        .max()
        .unwrap_or(0)
}

fn wins(inside: &SchedulerInside, row: &NodeRow) -> bool {
    inside.chosen.as_ref() == Some(&row.node)
}

fn few(frame: &Frame<'_>, inside: &SchedulerInside, scored: &[&NodeRow]) -> Html {
    let win = |row: &NodeRow| wins(inside, row).then_some("win");
    let open = frame.ui.sched.sum.as_ref();
    let open = open.filter(|node| scored.iter().any(|row| row.node == **node));
    let heads = scored.iter().map(|row| {
        let act = Act::Sched(SchedAct::Sum(row.node.clone()));
        let here = open == Some(&row.node);
        html! { <th scope="col" class={classes!(win(row))}><button class="linky" type="button" aria-expanded={here.to_string()}
            onclick={frame.act(act)}>{row.node.to_string()}</button><small>{frame.n("sched.requested", &row.used)}</small></th> }
    });
    let cells = scored.iter().flat_map(|row| row.cells.iter());
    let most = cells.map(|cell| cell.weighted).max().unwrap_or(1).max(1);
    let lines = inside.scorers.iter().enumerate().map(|(i, scorer)| {
        let cell = |row: &&NodeRow| match row.cells.get(i) {
            None => html! { <td class={classes!(win(row))}><span class="f">{frame.t("inside.scheduler.skipped")}</span></td> },
            Some(cell) => {
                let bar = (cell.weighted * 64 / most).clamp(0, 64) as i32;
                let sum = [&*cell.normalized.to_string(), " × ", &*scorer.weight.to_string()].concat();
                html! { <td class={classes!(win(row))}>
                    <svg class="meter k-sched" viewBox="0 0 64 8" aria-hidden="true">
                        <rect class="t" width="64" height="8"/><rect class="b" width={px(bar)} height="8"/>
                    </svg>
                    <span class="n num">{cell.weighted}</span><span class="f num">{sum}</span>
                </td> }
            }
        };
        let mut pair = scored.iter().filter_map(|row| row.cells.get(i));
        let lead = match (pair.next(), pair.next()) {
            (Some(a), Some(b)) if a.weighted != b.weighted => signed(a.weighted - b.weighted),
            _ => String::new(),
        };
        html! { <tr class={if scorer.skipped { "skipr" } else { "" }}>
            <th class="c0" scope="row">{super::plugin_button(frame, &scorer.name)}</th>{for scored.iter().map(cell)}<td class="dif num">{lead}</td>
        </tr> }
    });
    let total = |row: &&NodeRow| {
        html! { <td class={classes!("num", win(row))}>{row.total.unwrap_or(0)}
            if wins(inside, row) { <small>{frame.t("inside.scheduler.chosen")}</small> }
        </td> }
    };
    let mut pair = scored.iter().filter_map(|row| row.total);
    let lead = match (pair.next(), pair.next()) {
        (Some(a), Some(b)) => signed(a - b),
        _ => String::new(),
    };
    html! { <>
        <div class="sideways" tabindex="0" role="group" aria-label={frame.t("inside.scheduler.score")}>
        <table class="few">
            <thead><tr>
                <th class="c0" scope="col">{frame.t("inside.scheduler.score")}{" "}<span>{frame.t("inside.scheduler.points")}</span></th>
                {for heads}<th class="w2 dif" scope="col">{frame.t("inside.scheduler.lead")}</th>
            </tr></thead>
            <tbody>
                {for lines}
                <tr class="tot"><th class="c0" scope="row">{frame.t("inside.scheduler.total")}</th>{for scored.iter().map(total)}
                    <td class="dif num">{lead}</td></tr>
            </tbody>
        </table></div>
        if let Some(node) = open { <div class="receipt">{receipt::sum(frame, inside, node, &[])}</div> }
    </> }
}

fn signed(n: i64) -> String {
    if n > 0 {
        ["+", &n.to_string()].concat()
    } else {
        n.to_string().replace('-', "−")
    }
}

/// A plugin's name that may break between its words.
fn broken(name: &str) -> Html {
    let mut out: Vec<Html> = Vec::new();
    let mut word = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && word.len() > 2 {
            out.push(html! { <>{std::mem::take(&mut word)}<wbr/></> });
        }
        word.push(c);
    }
    out.push(html! { {word} });
    out.into_iter().collect()
}

/// Many nodes: one row each (or one for equal ones), a column for each plugin, sorted.
#[inline(never)]
fn many(frame: &Frame<'_>, inside: &SchedulerInside, mut scored: Vec<&NodeRow>) -> Html {
    let plugins: Vec<(usize, &PluginColumn)> = inside
        .scorers
        .iter()
        .enumerate()
        .filter(|(_, scorer)| !scorer.skipped)
        .collect();
    let ui = &frame.ui.sched;
    let sort = ui.sort.map(usize::from);
    let sort = sort.filter(|by| plugins.iter().any(|(i, _)| i == by));
    if let Some(by) = sort {
        podscope_session::sort::by_key(&mut scored, |row| {
            let cell = row.cells.get(by).map_or(0, |cell| cell.weighted);
            (std::cmp::Reverse(cell), std::cmp::Reverse(row.total))
        });
    }
    let needle = ui.find.trim().to_ascii_lowercase();
    let all = scored.len();
    scored.retain(|row| needle.is_empty() || row.node.to_ascii_lowercase().contains(&needle));
    let together = all >= MANY && !ui.ungrouped;
    let groups = groups(scored.into_iter(), together, |a, b| {
        a.total == b.total && a.cells == b.cells && !wins(inside, a) && !wins(inside, b)
    });
    let shown = groups.len().min(ui.rows());
    let sorted = |by: Option<usize>| if by == sort { "descending" } else { "none" };
    let head = |(i, scorer): &(usize, &PluginColumn)| {
        let act = Act::Sched(SchedAct::Sort(u16::try_from(*i).ok()));
        html! { <th scope="col" class="num" key={*i} aria-sort={sorted(Some(*i))}>
        <button class="linky" type="button" onclick={frame.act(act)}>{broken(&scorer.name)}</button>
        <small>{"× "}{scorer.weight}</small></th> }
    };
    let columns = (plugins.len() + 2).to_string();
    let row = |(first, rows): &(&NodeRow, Vec<&NodeRow>)| {
        let cells = plugins.iter().map(|(i, _)| {
            html! { <td class="num">{first.cells.get(*i).map_or(0, |cell| cell.weighted)}</td> }
        });
        let open = ui.sum.as_ref();
        let open = open.filter(|node| rows.iter().any(|row| row.node == **node));
        let act = Act::Sched(SchedAct::Sum(open.unwrap_or(&first.node).clone()));
        let won = wins(inside, first);
        html! { <>
            <tr key={first.node.to_string()} class={classes!(won.then_some("win"), open.map(|_| "opened"))}>
                <th scope="row"><button class="linky" type="button" aria-expanded={open.is_some().to_string()} onclick={frame.act(act)}>{names(frame, rows)}</button>
                    if won { {" "}<small>{frame.t("inside.scheduler.chosen")}</small> }</th>
                {for cells}<td class="num strong">{first.total.unwrap_or(0)}</td>
            </tr>
            if let Some(node) = open {
                <tr class="receipt"><td colspan={columns.clone()}>{receipt::sum(frame, inside, node, rows)}</td></tr>
            }
        </> }
    };
    html! { <>
        <p class="sec">{frame.t("inside.scheduler.score")}<span>{frame.t("inside.scheduler.sorted")}</span>{group_button(frame, all)}</p>
        <div class="sideways" tabindex="0" role="group" aria-label={frame.t("inside.scheduler.score")}>
            <table class="wide-mx"><thead><tr>
                <th scope="col">{frame.t("text.node")}</th>{for plugins.iter().map(head)}
                <th scope="col" class="num" aria-sort={sorted(None)}>
                    <button class="linky" type="button" onclick={frame.act(Act::Sched(SchedAct::Sort(None)))}>{frame.t("inside.scheduler.total")}</button></th>
            </tr></thead><tbody>{for groups.iter().take(shown).map(row)}</tbody></table>
        </div>
        {more(frame, groups.len(), shown)}
    </> }
}
