//! What decided: one node's verdicts and scores with their arithmetic, and one plugin's word on every node.

use super::filter::wanted;
use super::ui::SchedAct;
use super::{MANY, more};
use crate::draw::inside::{Frame, heads, scroll};
use crate::state::Act;
use crate::words::middle;
use podscope_session::view::*;
use yew::prelude::*;

/// Names that are listed of a group.
const MOST_NAMES: usize = 60;

/// Each plugin's verdict on a node with its numbers; of a group, the other nodes too.
#[inline(never)]
pub fn verdicts(
    frame: &Frame<'_>,
    inside: &SchedulerInside,
    node: &Text,
    all: &[&NodeRow],
) -> Html {
    let Some(receipt) = frame.session.receipt(inside.event, node) else {
        return html! { <p class="muted">{frame.t("sched.no-receipt")}</p> };
    };
    let check = |line: &CheckLine| {
        let (class, sign, word) = match line.verdict {
            Verdict::Passed => ("yes", "✓", "state.passed"),
            Verdict::Failed => ("no", "✕", "sched.said-no"),
            Verdict::Skipped => ("skipd", "–", "sched.skipped"),
            Verdict::NotAsked => ("skipd", "·", "inside.plugin.not-asked"),
        };
        let said = match line.verdict {
            Verdict::Failed => html! { <b class="faulttext">{line.reason.to_string()}</b> },
            _ => html! { <span class="muted">{frame.t(word)}</span> },
        };
        html! { <li key={line.plugin.to_string()} class={class}><b aria-hidden="true">{sign}</b>{super::plugin_button(frame, &line.plugin)}
        <span>{said}{sums(frame, &line.sums)}</span></li> }
    };
    html! { <>
        {others(frame, node, all, SchedAct::Verdict)}
        <h2>{frame.n("sched.verdicts-on", node)}</h2>
        <ul class="checks">{for receipt.checks.iter().map(check)}</ul>
    </> }
}

/// How a node's total came about.
#[inline(never)]
pub fn sum(frame: &Frame<'_>, inside: &SchedulerInside, node: &Text, all: &[&NodeRow]) -> Html {
    let Some(receipt) = frame.session.receipt(inside.event, node) else {
        return html! { <p class="muted">{frame.t("sched.no-receipt")}</p> };
    };
    let line = |line: &ScoreLine| {
        let cell = line.cell;
        let normal = if cell.raw == cell.normalized {
            html! { <td class="num">{cell.raw}</td> }
        } else {
            html! { <td class="num">{cell.raw}{" → "}{cell.normalized}</td> }
        };
        html! { <tr key={line.plugin.to_string()}><th scope="row">{super::plugin_button(frame, &line.plugin)}</th>
        <td class="how">{sums(frame, &line.sums)}</td>{normal}
        <td class="num">{"× "}{line.weight}</td><td class="num strong">{cell.weighted}</td></tr> }
    };
    html! { <>
        {others(frame, node, all, SchedAct::Sum)}
        <h2>{frame.n("sched.sum-of", node)}</h2>
        <div class="sideways" tabindex="0" role="group" aria-label={frame.n("sched.sum-of", node)}>
        <table class="sums"><thead><tr>{heads(frame, &["sched.plugin", "sched.how", "sched.raw", "inside.plugin.weight", "inside.plugin.points"])}</tr></thead>
            <tbody>{for receipt.scores.iter().map(line)}</tbody>
            <tfoot><tr><th scope="row" colspan="4">{frame.t("inside.scheduler.total")}</th><td class="num strong">{receipt.total.unwrap_or(0)}</td></tr></tfoot>
        </table></div>
    </> }
}

/// The nodes of a group, to choose among.
fn others(frame: &Frame<'_>, node: &Text, all: &[&NodeRow], act: fn(Text) -> SchedAct) -> Html {
    if all.len() < 2 {
        return html! {};
    }
    let name = |row: &&NodeRow| {
        let here = row.node == *node;
        html! { <button key={row.node.to_string()} type="button" aria-pressed={here.to_string()} disabled={here}
        onclick={frame.act(Act::Sched(act(row.node.clone())))}>{middle(&row.node, 16).to_string()}</button> }
    };
    let hidden = all.len().saturating_sub(MOST_NAMES);
    html! { <div class="chips members" role="group" aria-label={frame.t("sched.members")}>{for all.iter().take(MOST_NAMES).map(name)}
    if hidden > 0 { <span class="muted small">{frame.n("sched.more", hidden)}</span> }</div> }
}

fn sums(frame: &Frame<'_>, sums: &[Msg]) -> Html {
    if sums.is_empty() {
        return html! {};
    }
    let line = |msg: &Msg| html! { <span class="arith">{frame.words.say(msg)}</span> };
    html! { <>{for sums.iter().map(line)}</> }
}

/// One plugin in the attempt that is shown: what it looks at, what it said of each node.
#[inline(never)]
pub fn plugin(frame: &Frame<'_>, inside: &SchedulerInside, name: &str) -> Html {
    let column = inside
        .plugins
        .iter()
        .position(|plugin| *plugin.name == *name);
    let scorer = inside
        .scorers
        .iter()
        .position(|plugin| *plugin.name == *name);
    let weight = scorer
        .and_then(|i| inside.scorers.get(i))
        .map_or(0, |s| s.weight);
    let about = ["plugin.", name].concat();
    let skips = |columns: &[PluginColumn], at: Option<usize>| {
        at.and_then(|i| columns.get(i))
            .is_some_and(|column| column.skipped)
    };
    let (no_filter, no_score) = (
        skips(&inside.plugins, column),
        skips(&inside.scorers, scorer),
    );
    let verdict = |row: &NodeRow| {
        let Some(column) = column else {
            return html! {};
        };
        match row.stopped.map(usize::from) {
            _ if no_filter => html! { <span class="muted">{frame.t("sched.skipped")}</span> },
            Some(at) if at == column => {
                let detail = row.detail.as_ref().map(|detail| frame.words.say(detail));
                html! { <><b class="badge">{"✕ "}{row.reason.to_string()}</b>{" "}{detail}</> }
            }
            Some(at) if at < column => {
                html! { <span class="muted">{frame.t("inside.plugin.not-asked")}</span> }
            }
            _ => html! { <>{"✓ "}{frame.t("state.passed")}</> },
        }
    };
    let line = |row: &&NodeRow| {
        let cell = scorer.and_then(|i| row.cells.get(i));
        let score = cell.map(|cell| {
            html! { <><td class="num">{cell.raw}</td><td class="num">{cell.normalized}</td>
            <td class="num">{"× "}{weight}</td><td class="num strong">{cell.weighted}</td></> }
        });
        let score = score.unwrap_or_else(|| html! { <><td></td><td></td><td></td><td></td></> });
        html! { <tr key={row.node.to_string()}>
            <th scope="row">{frame.opens(Target::Node(row.node.clone()), row.node.to_string())}</th>
            if column.is_some() { <td>{verdict(row)}</td> }
            {score}
        </tr> }
    };
    let rows = if inside.rows.len() < MANY {
        inside.rows.iter().collect()
    } else {
        wanted(frame, inside)
    };
    let shown = rows.len().min(frame.ui.sched.rows());
    scroll(
        frame,
        "inside.plugin.label",
        "sched",
        html! { <>
            if frame.words.has(&about) { <p>{frame.t(&about)}</p> }
            if no_filter { <p class="muted">{frame.t("sched.skips-filter")}</p> }
            if no_score { <p class="muted">{frame.t("inside.plugin.skipped")}</p> }
            <table class="calls"><thead><tr>
                <th scope="col">{frame.t("text.node")}</th>
                if column.is_some() { <th scope="col">{frame.t("inside.scheduler.filter")}</th> }
                {heads(frame, &["inside.plugin.raw", "inside.plugin.normal", "inside.plugin.weight", "inside.plugin.points"])}
            </tr></thead><tbody>{for rows.iter().take(shown).map(line)}</tbody></table>
            {more(frame, rows.len(), shown)}
        </> },
    )
}
