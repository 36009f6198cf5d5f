//! Inside the scheduler: who may, who scores what, who wins, and the queue.

use super::cluster::opener;
use super::inside::Frame;
use super::{px, text};
use crate::path;
use crate::state::Act;
use crate::words::{Words, middle, moment};
use crate::zoom::StageAct;
use podscope_session::view::*;
use yew::prelude::*;

/// Draws it.
#[inline(never)]
pub fn draw(frame: &Frame<'_>, inside: &SchedulerInside) -> Html {
    let words = frame.words;
    let pod = inside.pod.as_ref().map(|pod| {
        let waits = inside
            .filter
            .is_empty()
            .then(|| frame.t("inside.scheduler.begins"));
        html! { <p class="sec">{"Pod "}{frame.object(pod)}<span>{waits}</span></p> }
    });
    html! {
        <div class="mx inside" tabindex="0" role="region" aria-label={words.t("inside.scheduler.label")}>
            if inside.pod.is_none() { <p class="empty">{words.t("inside.scheduler.empty")}</p> }
            {pod}
            if !inside.filter.is_empty() { {filter(frame, inside)} }
            if let Some(message) = &inside.message {
                <p class="verbatim"><code>{message.to_string()}</code></p>
            }
            if !inside.scored.is_empty() {
                { if inside.scored.len() > MOST_COLUMNS { many(frame, inside) } else { scores(frame, inside) } }
            }
            {queue(inside, words)}
        </div>
    }
}

/// More nodes than this are rows of the score table, not columns.
const MOST_COLUMNS: usize = 4;
/// From so many nodes on, equal rows are one.
const GROUP_FROM: usize = 9;
/// Rows that are drawn at most; the others are counted.
const MOST_ROWS: usize = 400;

/// Rows with the same verdict, in the order of the first: (one of them, names).
fn groups<'a, T>(
    rows: impl Iterator<Item = (&'a str, T)>,
    together: bool,
    same: impl Fn(&T, &T) -> bool,
) -> Vec<(T, Vec<&'a str>)> {
    let mut groups: Vec<(T, Vec<&str>)> = Vec::new();
    for (name, row) in rows {
        match groups
            .iter_mut()
            .find(|(first, _)| together && same(first, &row))
        {
            Some((_, names)) => names.push(name),
            None => groups.push((row, vec![name])),
        }
    }
    groups
}

/// `node-1`, or `12 nodes, node-1 …`.
fn names(frame: &Frame<'_>, names: &[&str]) -> String {
    match names {
        [one] => middle(one, 15).to_string(),
        all => {
            let first = all.first().copied().unwrap_or_default();
            [
                &*frame.n("inside.scheduler.nodes", all.len()),
                ", ",
                &middle(first, 10),
                " …",
            ]
            .concat()
        }
    }
}

fn group_button(frame: &Frame<'_>, count: usize) -> Html {
    if count < GROUP_FROM {
        return html! {};
    }
    let open = frame.ui.ungrouped;
    let word = if open {
        "inside.scheduler.group"
    } else {
        "inside.scheduler.ungroup"
    };
    html! { <button class="linky" type="button" onclick={frame.stage(StageAct::Groups(!open))}>{frame.t(word)}</button> }
}

fn filter(frame: &Frame<'_>, inside: &SchedulerInside) -> Html {
    let words = frame.words;
    let left = inside
        .filter
        .iter()
        .filter(|row| row.reason.is_none())
        .count();
    let line = [
        &*frame.n("inside.scheduler.plugins", inside.plugins.len()),
        ", ",
        &frame.n("inside.scheduler.in", inside.filter.len()),
        ", ",
        &frame.n("inside.scheduler.left", left),
    ]
    .concat();
    let together = inside.filter.len() >= GROUP_FROM && !frame.ui.ungrouped;
    let rows = inside.filter.iter().map(|row| (&*row.node, row));
    let groups = groups(rows, together, |a: &&FilterRow, b: &&FilterRow| {
        (a.passed, &a.reason, &a.detail) == (b.passed, &b.reason, &b.detail)
    });
    let shown = groups.len().min(MOST_ROWS);
    let start = if together { 150 } else { 98 };
    let cols = inside.plugins.len().max(1) as i32;
    let pitch = (560 / cols).clamp(20, 36);
    let failing: Vec<usize> = inside
        .filter
        .iter()
        .filter(|row| row.reason.is_some())
        .map(|row| usize::from(row.passed))
        .collect();
    let heads = inside.plugins.iter().enumerate().map(|(i, name)| {
        let x = start + pitch * i as i32;
        let at = ["translate(", &x.to_string(), " 74) rotate(-38)"].concat();
        let class = if failing.contains(&i) {
            "lab2 strong"
        } else {
            "lab3"
        };
        let opened = opener(&frame.on.reform(Act::Open), Target::Plugin(name.clone()));
        html! { <text key={i} role="button" tabindex="0" transform={at} class={classes!(class, "headlink")}
            onclick={opened.click} onkeydown={opened.key}>{name.to_string()}</text> }
    });
    let rows = groups.iter().take(shown).enumerate().map(|(i, (row, nodes))| {
        let y = 90 + 19 * i as i32;
        let ticks = (0..i32::from(row.passed).min(cols)).map(|i| {
            html! { <path class="k-sched sline" d={path!("M", start - 6 + pitch * i, " ", y - 4, "l3 4 6 -8")}/> }
        });
        let no = row.reason.as_ref().map(|reason| {
            let x = start - 6 + pitch * i32::from(row.passed);
            let reason_x = x + 24;
            let detail_x = reason_x + reason.chars().count() as i32 * 67 / 10 + 10;
            html! { <>
                <path class="faultline" d={path!("M", x, " ", y - 9, "l10 10m0-10l-10 10")}/>
                {text(reason_x, y, "lab2 faulttext", reason.to_string())}
                {text(detail_x, y, "lab2 mono", row.detail.to_string())}
            </> }
        });
        html! { <g key={row.node.to_string()} aria-hidden="true">
            <path class="hair" d={path!("M0 ", y + 6, "H760")}/>
            {text(0, y, "lab2", names(frame, nodes))}
            {for ticks}{no}
        </g> }
    });
    let height = 96 + 19 * shown as i32;
    let view_box = ["0 0 760 ", &height.to_string()].concat();
    let label = filter_label(inside, words);
    let hidden = groups.len() - shown;
    html! { <>
        <p class="sec">{words.t("inside.scheduler.filter")}<span>{line}</span>{group_button(frame, inside.filter.len())}</p>
        <div class="sideways" tabindex="0" role="group" aria-label={words.t("inside.scheduler.filter")}>
            if frame.text {
                <ul>{for groups.iter().take(shown).map(|(row, nodes)| html! { <li>{verdict(frame, row, nodes)}</li> })}</ul>
            } else {
                <svg class="filt" viewBox={view_box} width="760" height={px(height)} role="group" aria-label={label}>
                    {for heads}{for rows}
                </svg>
            }
        </div>
        if hidden > 0 { <p class="small muted">{frame.n("stage.more-nodes", hidden)}</p> }
    </> }
}

/// A row of the filter in words.
fn verdict(frame: &Frame<'_>, row: &FilterRow, nodes: &[&str]) -> String {
    let who = names(frame, nodes);
    match &row.reason {
        None => [&*who, ": ", &*frame.t("state.passed")].concat(),
        Some(reason) => [&*who, ": ", reason, " ", &row.detail].concat(),
    }
}

/// Many nodes: one row each (or one for equal ones), a column for each plugin, sorted.
#[inline(never)]
fn many(frame: &Frame<'_>, inside: &SchedulerInside) -> Html {
    let plugins: Vec<(usize, &ScoreRow)> = inside
        .scores
        .iter()
        .enumerate()
        .filter(|(_, row)| !row.cells.is_empty())
        .collect();
    let sort = frame
        .ui
        .sort
        .map(usize::from)
        .filter(|by| plugins.iter().any(|(i, _)| i == by));
    let cell = |plugin: usize, node: usize| {
        inside
            .scores
            .get(plugin)
            .and_then(|row| row.cells.get(node))
    };
    let total = |node: usize| inside.totals.get(node).copied().unwrap_or(0);
    let mut order: Vec<usize> = (0..inside.scored.len()).collect();
    podscope_session::sort::by_key(&mut order, |node| {
        let by = sort
            .and_then(|plugin| cell(plugin, *node))
            .map_or(0, |cell| -cell.weighted);
        (
            by,
            -total(*node),
            Some(*node) != inside.chosen.map(usize::from),
            *node,
        )
    });
    let together = inside.scored.len() >= GROUP_FROM && !frame.ui.ungrouped;
    let win = |node: usize| Some(node) == inside.chosen.map(usize::from);
    let rows = order
        .iter()
        .filter_map(|node| Some((&*inside.scored.get(*node)?.0, *node)));
    let equal = |a: &usize, b: &usize| {
        total(*a) == total(*b)
            && !win(*a)
            && !win(*b)
            && plugins
                .iter()
                .all(|(plugin, _)| cell(*plugin, *a) == cell(*plugin, *b))
    };
    let groups = groups(rows, together, equal);
    let hidden = groups.len().saturating_sub(MOST_ROWS);
    let sorted = |by: Option<usize>| if by == sort { "descending" } else { "none" };
    let head = |(i, row): &(usize, &ScoreRow)| {
        let by = u16::try_from(*i).ok();
        html! { <th scope="col" class="num" key={*i} aria-sort={sorted(Some(*i))}>
        <button class="linky" type="button" onclick={frame.stage(StageAct::Sort(by))}>{row.plugin.to_string()}</button>
        <small>{"× "}{row.weight}</small></th> }
    };
    let body = groups.iter().take(MOST_ROWS).map(|(node, nodes)| {
        let cells = plugins.iter().map(|(plugin, _)| {
            html! { <td class="num">{cell(*plugin, *node).map_or(0, |cell| cell.weighted)}</td> }
        });
        let used = inside
            .scored
            .get(*node)
            .map(|scored| scored.1.to_string())
            .unwrap_or_default();
        html! { <tr key={*node} class={classes!(win(*node).then_some("win"))}>
            <th scope="row" title={used}>{names(frame, nodes)}
                if win(*node) { {" "}<small>{frame.t("inside.scheduler.chosen")}</small> }</th>
            {for cells}<td class="num strong">{total(*node)}</td>
        </tr> }
    });
    html! { <>
        <p class="sec">{frame.t("inside.scheduler.score")}<span>{frame.t("inside.scheduler.sorted")}</span>{group_button(frame, inside.scored.len())}</p>
        <div class="sideways" tabindex="0" role="group" aria-label={frame.t("inside.scheduler.score")}>
            <table class="wide-mx"><thead><tr>
                <th scope="col">{frame.t("text.node")}</th>{for plugins.iter().map(head)}
                <th scope="col" class="num" aria-sort={sorted(None)}>
                    <button class="linky" type="button" onclick={frame.stage(StageAct::Sort(None))}>{frame.t("inside.scheduler.total")}</button></th>
            </tr></thead><tbody>{for body}</tbody></table>
        </div>
        if hidden > 0 { <p class="small muted">{frame.n("stage.more-nodes", hidden)}</p> }
        if inside.tie { <p class="small muted">{frame.t("inside.scheduler.tie")}</p> }
    </> }
}

/// One plugin in the decision that is shown: what it looks at, what it said of each node.
#[inline(never)]
pub fn plugin(frame: &Frame<'_>, inside: &SchedulerInside, name: &str) -> Html {
    let column = inside.plugins.iter().position(|plugin| **plugin == *name);
    let row = inside.scores.iter().find(|row| *row.plugin == *name);
    let about = ["plugin.", name].concat();
    let verdict = |filter: &FilterRow| {
        let Some(column) = column else {
            return html! {};
        };
        let passed = usize::from(filter.passed);
        match &filter.reason {
            Some(reason) if passed == column => {
                html! { <><b class="badge">{"✕ "}{reason.to_string()}</b>{" "}<code>{filter.detail.to_string()}</code></> }
            }
            _ if passed > column => html! { <>{"✓ "}{frame.t("state.passed")}</> },
            _ => html! { <span class="muted">{frame.t("inside.plugin.not-asked")}</span> },
        }
    };
    let line = |filter: &FilterRow| {
        let at = inside
            .scored
            .iter()
            .position(|(node, _)| *node == filter.node);
        let cell = at.and_then(|at| row?.cells.get(at));
        let score = cell.map(|cell| {
            let weight = row.map_or(1, |row| row.weight);
            html! { <><td class="num">{cell.raw}</td><td class="num">{cell.normalized}</td>
            <td class="num">{"× "}{weight}</td><td class="num strong">{cell.weighted}</td></> }
        });
        let score = score.unwrap_or_else(|| html! { <><td></td><td></td><td></td><td></td></> });
        html! { <tr key={filter.node.to_string()}>
            <th scope="row">{frame.opens(Target::Node(filter.node.clone()), filter.node.to_string())}</th>
            if column.is_some() { <td>{verdict(filter)}</td> }
            {score}
        </tr> }
    };
    super::inside::scroll(
        frame,
        "inside.plugin.label",
        "",
        html! { <>
            if frame.words.has(&about) { <p>{frame.t(&about)}</p> }
            <table class="calls"><thead><tr>
                <th scope="col">{frame.t("text.node")}</th>
                if column.is_some() { <th scope="col">{frame.t("inside.scheduler.filter")}</th> }
                {super::inside::heads(frame, &["inside.plugin.raw", "inside.plugin.normal", "inside.plugin.weight", "inside.plugin.points"])}
            </tr></thead><tbody>{for inside.filter.iter().take(MOST_ROWS).map(line)}</tbody></table>
            if row.is_some_and(|row| row.cells.is_empty()) { <p class="muted">{frame.t("inside.plugin.skipped")}</p> }
        </> },
    )
}

fn filter_label(inside: &SchedulerInside, words: &Words) -> String {
    let row = |row: &FilterRow| match &row.reason {
        None => [&*row.node, ": ", &*words.t("state.passed")].concat(),
        Some(reason) => [&*row.node, ": ", reason, " ", &row.detail].concat(),
    };
    inside.filter.iter().map(row).collect::<Vec<_>>().join("; ")
}

fn scores(frame: &Frame<'_>, inside: &SchedulerInside) -> Html {
    let words = frame.words;
    // The winner first, then by total; at most four columns.
    let mut order: Vec<usize> = (0..inside.scored.len()).collect();
    podscope_session::sort::by_key(&mut order, |i| {
        let total = inside.totals.get(*i).copied().unwrap_or(0);
        (Some(*i) != inside.chosen.map(usize::from), -total)
    });
    order.truncate(4);
    let win = |i: usize| Some(i) == inside.chosen.map(usize::from);
    let heads = order.iter().filter_map(|i| {
        let (name, used) = inside.scored.get(*i)?;
        let class = win(*i).then_some("win");
        Some(html! { <th scope="col" class={classes!(class)}>{name.to_string()}<small>{used.to_string()}</small></th> })
    });
    let most = inside
        .scores
        .iter()
        .flat_map(|row| row.cells.iter())
        .map(|cell| cell.weighted)
        .max()
        .unwrap_or(1)
        .max(1);
    let rows = inside.scores.iter().map(|row| {
        let cells = order.iter().map(|i| match row.cells.get(*i) {
            None => html! { <td class={classes!(win(*i).then_some("win"))}><span class="f">{words.t("inside.scheduler.skipped")}</span></td> },
            Some(cell) => {
                let bar = (cell.weighted * 64 / most).clamp(0, 64) as i32;
                let sum = [&*cell.normalized.to_string(), " × ", &*row.weight.to_string()].concat();
                html! { <td class={classes!(win(*i).then_some("win"))}>
                    <svg class="meter k-sched" viewBox="0 0 64 8" aria-hidden="true">
                        <rect class="t" width="64" height="8"/><rect class="b" width={px(bar)} height="8"/>
                    </svg>
                    <span class="n num">{cell.weighted}</span><span class="f num">{sum}</span>
                </td> }
            }
        });
        let lead = lead(row.cells.as_ref(), &order);
        let class = if row.cells.is_empty() { "skipr" } else { "" };
        html! { <tr class={class}>
            <th class="c0" scope="row">{frame.opens(Target::Plugin(row.plugin.clone()), row.plugin.to_string())}</th>{for cells}<td class="dif num">{lead}</td>
        </tr> }
    });
    let totals = order.iter().map(|i| {
        let total = inside.totals.get(*i).copied().unwrap_or(0);
        html! { <td class={classes!("num", win(*i).then_some("win"))}>{total}
            if win(*i) { <small>{words.t("inside.scheduler.chosen")}</small> }
        </td> }
    });
    let mut pair = order.iter().filter_map(|i| inside.totals.get(*i));
    let lead_total = match (pair.next(), pair.next()) {
        (Some(a), Some(b)) => signed(a - b),
        _ => String::new(),
    };
    html! { <>
        <table>
            <thead><tr>
                <th class="c0" scope="col">{words.t("inside.scheduler.score")}{" "}<span>{words.t("inside.scheduler.points")}</span></th>
                {for heads}<th class="w2 dif" scope="col">{words.t("inside.scheduler.lead")}</th>
            </tr></thead>
            <tbody>
                {for rows}
                <tr class="tot"><th class="c0" scope="row">{words.t("inside.scheduler.total")}</th>{for totals}
                    <td class="dif num">{lead_total}</td></tr>
            </tbody>
        </table>
        if inside.tie { <p class="small muted">{words.t("inside.scheduler.tie")}</p> }
    </> }
}

fn lead(cells: &[ScoreCell], order: &[usize]) -> String {
    let mut pair = order.iter().filter_map(|i| cells.get(*i));
    match (pair.next(), pair.next()) {
        (Some(a), Some(b)) if a.weighted != b.weighted => signed(a.weighted - b.weighted),
        _ => String::new(),
    }
}

fn signed(n: i64) -> String {
    if n > 0 {
        ["+", &n.to_string()].concat()
    } else {
        n.to_string().replace('-', "−")
    }
}

fn queue(inside: &SchedulerInside, words: &Words) -> Html {
    let name = |object: &ObjectRef| html! { <li>{object.name.to_string()}</li> };
    let waiting = |(object, at): &(ObjectRef, Nanos)| {
        html! { <li>{object.name.to_string()}{" "}<span class="muted">{moment(*at)}</span></li> }
    };
    let none = || html! { <li class="muted">{"—"}</li> };
    html! {
        <div class="queue">
            <div><h2>{words.t("inside.scheduler.active")}</h2><ul>
                {for inside.active.iter().map(name)}
                if inside.active.is_empty() {{none()}}
            </ul></div>
            <div><h2>{words.t("inside.scheduler.backoff")}</h2><ul>
                {for inside.backoff.iter().map(waiting)}
                if inside.backoff.is_empty() {{none()}}
            </ul></div>
            <div><h2>{words.t("inside.scheduler.unschedulable")}</h2><ul>
                {for inside.unschedulable.iter().map(name)}
                if inside.unschedulable.is_empty() {{none()}}
            </ul></div>
        </div>
    }
}
