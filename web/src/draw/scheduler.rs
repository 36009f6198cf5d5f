//! Inside the scheduler: who may, who scores what, who wins, and the queue.

use super::{px, text};
use crate::path;
use crate::words::{Words, middle, moment};
use podscope_session::view::*;
use yew::prelude::*;

/// Draws it.
#[inline(never)]
pub fn draw(inside: &SchedulerInside, words: &Words) -> Html {
    html! {
        <div class="mx" tabindex="0" role="region" aria-label={words.t("inside.scheduler.label")}>
            if inside.pod.is_none() { <p class="empty">{words.t("inside.scheduler.empty")}</p> }
            if !inside.filter.is_empty() { {filter(inside, words)} }
            if let Some(message) = &inside.message {
                <p class="verbatim"><code>{message.to_string()}</code></p>
            }
            if !inside.scored.is_empty() { {scores(inside, words)} }
            {queue(inside, words)}
        </div>
    }
}

fn filter(inside: &SchedulerInside, words: &Words) -> Html {
    let left = inside
        .filter
        .iter()
        .filter(|row| row.reason.is_none())
        .count();
    let mut line = words
        .t1(
            "inside.scheduler.plugins",
            "n",
            &inside.plugins.len().to_string(),
        )
        .to_string();
    line.push_str(", ");
    line.push_str(&words.t1("inside.scheduler.in", "n", &inside.filter.len().to_string()));
    line.push_str(", ");
    line.push_str(&words.t1("inside.scheduler.left", "n", &left.to_string()));
    let shown = inside.filter.len().min(60);
    let cols = inside.plugins.len().max(1) as i32;
    let pitch = (560 / cols).clamp(20, 36);
    let failing: Vec<usize> = inside
        .filter
        .iter()
        .filter(|row| row.reason.is_some())
        .map(|row| usize::from(row.passed))
        .collect();
    let heads = inside.plugins.iter().enumerate().map(|(i, name)| {
        let x = 98 + pitch * i as i32;
        let at = ["translate(", &x.to_string(), " 74) rotate(-38)"].concat();
        let class = if failing.contains(&i) {
            "lab2 strong"
        } else {
            "lab3"
        };
        html! { <text key={i} transform={at} class={class}>{name.to_string()}</text> }
    });
    let rows = inside.filter.iter().take(shown).enumerate().map(|(i, row)| {
        let y = 90 + 19 * i as i32;
        let ticks = (0..i32::from(row.passed).min(cols)).map(|i| {
            html! { <path class="k-sched sline" d={path!("M", 92 + pitch * i, " ", y - 4, "l3 4 6 -8")}/> }
        });
        let no = row.reason.as_ref().map(|reason| {
            let x = 92 + pitch * i32::from(row.passed);
            let reason_x = x + 24;
            let detail_x = reason_x + reason.chars().count() as i32 * 67 / 10 + 10;
            html! { <>
                <path class="faultline" d={path!("M", x, " ", y - 9, "l10 10m0-10l-10 10")}/>
                {text(reason_x, y, "lab2 faulttext", reason.to_string())}
                {text(detail_x, y, "lab2 mono", row.detail.to_string())}
            </> }
        });
        html! { <g key={row.node.to_string()}>
            <path class="hair" d={path!("M0 ", y + 6, "H680")}/>
            {text(0, y, "lab2", middle(&row.node, 13).to_string())}
            {for ticks}{no}
        </g> }
    });
    let height = 96 + 19 * shown as i32;
    let view_box = ["0 0 680 ", &height.to_string()].concat();
    let label = filter_label(inside, words);
    html! { <>
        <p class="sec">{words.t("inside.scheduler.filter")}<span>{line}</span></p>
        <svg class="filt" viewBox={view_box} preserveAspectRatio="xMinYMin meet" role="img" aria-label={label}>
            {for heads}{for rows}
        </svg>
    </> }
}

fn filter_label(inside: &SchedulerInside, words: &Words) -> String {
    let row = |row: &FilterRow| match &row.reason {
        None => [&*row.node, ": ", &*words.t("state.passed")].concat(),
        Some(reason) => [&*row.node, ": ", reason, " ", &row.detail].concat(),
    };
    inside.filter.iter().map(row).collect::<Vec<_>>().join("; ")
}

fn scores(inside: &SchedulerInside, words: &Words) -> Html {
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
            <th class="c0" scope="row">{row.plugin.to_string()}</th>{for cells}<td class="dif num">{lead}</td>
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
        if inside.scored.len() > 4 {
            <p class="small muted">{words.t1("stage.more-nodes", "n", &(inside.scored.len() - 4).to_string())}</p>
        }
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
