//! Kubernetes Events, newest first.

use super::{InspectAct, finder, go, holds, opens, short};
use crate::panel::stage::heads;
use crate::state::{Act, Scene};
use crate::words::moment;
use podscope_session::view::*;
use yew::prelude::*;

/// The most rows.
const MAX_ROWS: usize = 300;

/// Draws the tab.
#[inline(never)]
pub fn draw(scene: &Scene<'_>) -> Html {
    let find = scene.ui.filter.trim();
    let warnings = scene.ui.inspector.warnings;
    let all = scene.session.events();
    let matches = |event: &&KubeEventView| {
        let hit = |text: &str| holds(text, find);
        (event.warning || !warnings)
            && (hit(&event.reason)
                || hit(&event.message)
                || hit(&short(&event.object))
                || hit(&event.from))
    };
    let found: Vec<&KubeEventView> = all.iter().rev().filter(matches).collect();
    let row = |event: &&KubeEventView| {
        let kind = if event.warning { "Warning" } else { "Normal" };
        html! { <tr>
            <td class="num">{go(scene, event.event, moment(event.at))}</td>
            <td class={if event.warning { "badge warn" } else { "" }}>{kind}</td>
            <td>{event.reason.to_string()}</td>
            <td>{opens(scene, &event.object, short(&event.object))}</td>
            <td class="wrap">{event.message.to_string()}</td><td>{event.from.to_string()}</td><td class="num">{event.count}</td>
        </tr> }
    };
    let more = found.len().saturating_sub(MAX_ROWS);
    html! {
        <div class="list" tabindex="0" role="region" aria-label={scene.t("tab.events")}>
            <div class="inh"><h2>{scene.t("tab.events")}{" "}<span class="muted">{found.len()}</span></h2>
                {finder(scene, "events.filter", &scene.ui.filter, InspectAct::EventFind)}
                <label class="check"><input type="checkbox" checked={warnings} onchange={scene.act(Act::Inspect(InspectAct::Warnings))}/>{scene.t("events.warnings")}</label></div>
            <table><thead><tr>{heads(scene, &["events.at", "events.type", "events.reason", "events.object", "events.message", "events.from", "events.count"])}</tr></thead>
                <tbody>{for found.iter().take(MAX_ROWS).map(row)}</tbody></table>
            if more > 0 { <p class="empty">{scene.words.t1("objects.more", "n", &more.to_string())}</p> }
            if found.is_empty() { <p class="empty">{scene.t(if all.is_empty() { "events.empty" } else { "inspect.none" })}</p> }
        </div>
    }
}
