//! The whole trace as pages of lines, filtered by component, kind of object and text.

use super::{InspectAct, chosen, finder, go, opens, short};
use crate::draw::kind_glyph;
use crate::panel::stage::heads;
use crate::state::{Act, Scene};
use crate::words::moment;
use podscope_session::view::*;
use wasm_bindgen::JsCast;
use yew::prelude::*;

/// Lines of a page.
pub const PAGE: usize = 150;

/// Kinds of components on offer.
const COMPONENTS: [(ComponentKind, &str); 9] = [
    (ComponentKind::Client, "log.client"),
    (ComponentKind::ApiServer, "log.api"),
    (ComponentKind::Etcd, "log.etcd"),
    (ComponentKind::Controller, "log.controller"),
    (ComponentKind::Scheduler, "log.scheduler"),
    (ComponentKind::Kubelet, "log.kubelet"),
    (ComponentKind::Runtime, "log.runtime"),
    (ComponentKind::Network, "log.network"),
    (ComponentKind::You, "log.you"),
];

/// The page with the present moment: that of the last found event that has happened.
fn present(found: &[EventIndex], now: EventIndex) -> usize {
    found
        .partition_point(|event| *event <= now)
        .saturating_sub(1)
        / PAGE
}

/// Draws the tab.
#[inline(never)]
pub fn draw(scene: &Scene<'_>) -> Html {
    let ui = &scene.ui.inspector;
    let found = scene.session.log_find(&ui.log);
    let now = scene.view.cursor.event;
    let pages = found.len().div_ceil(PAGE).max(1);
    let page = ui.log_page.unwrap_or(present(&found, now)).min(pages - 1);
    let from = page * PAGE;
    let shown = found
        .get(from..found.len().min(from + PAGE))
        .unwrap_or_default();
    let rows = scene.session.log_rows(shown);
    let row = |row: &LogRow| {
        let title = scene
            .words
            .part(&row.msg, ".title")
            .map(|title| title.replace('`', ""));
        let object = row
            .object
            .as_ref()
            .map(|object| opens(scene, object, short(object)));
        let class = match row.event.cmp(&now) {
            std::cmp::Ordering::Equal => "now",
            std::cmp::Ordering::Greater => "later",
            std::cmp::Ordering::Less => "",
        };
        html! { <tr key={row.event} class={class}>
        <td class="num">{go(scene, row.event, row.event.to_string())}</td><td class="num">{moment(row.at)}</td>
        <td>{kind_glyph(row.kind, 13)}{" "}{row.who.to_string()}</td><td>{title.unwrap_or_default()}<small class="code2">{row.code}</small></td>
        <td>{object}</td><td class="detail mono">{row.detail.to_string()}</td></tr> }
    };
    let turn = |word: &str, sign: &'static str, to: Option<usize>| {
        let act = Act::Inspect(InspectAct::LogPage(to));
        html! { <button class="step" type="button" aria-label={scene.t(word)} title={scene.t(word)} disabled={to.is_none()} onclick={scene.act(act)}>{sign}</button> }
    };
    let back = page.checked_sub(1);
    let on = (page + 1 < pages).then_some(page + 1);
    let last = (from + shown.len()).to_string();
    let first = if shown.is_empty() { 0 } else { from + 1 };
    let range = [&*first.to_string(), "–", &*last].concat();
    html! {
        <div class="list log" tabindex="0" role="region" aria-label={scene.t("tab.log")}>
            <div class="inh">
                {filters(scene)}
                <span class="right pages" role="group" aria-label={scene.t("log.pages")}>
                    <span class="small muted num">{range}{" "}{scene.words.t1("log.of", "n", &found.len().to_string())}</span>
                    {turn("log.first", "«", back.map(|_| 0))}{turn("log.back", "‹", back)}{turn("log.on", "›", on)}{turn("log.last", "»", on.map(|_| pages - 1))}
                    <button class="linky small" type="button" onclick={scene.act(Act::Inspect(InspectAct::LogPage(None)))}>{scene.t("log.now")}</button>
                </span>
            </div>
            <Follow now={now} page={page}/>
            <table><thead><tr>{heads(scene, &["log.number", "log.at", "log.who", "log.what", "log.object", "log.data"])}</tr></thead>
                <tbody>{for rows.iter().map(row)}</tbody></table>
            if found.is_empty() { <p class="empty">{scene.t(if scene.timeline.events == 0 { "log.empty" } else { "inspect.none" })}</p> }
        </div>
    }
}

fn filters(scene: &Scene<'_>) -> Html {
    let log = &scene.ui.inspector.log;
    let component = |(i, (kind, word)): (usize, &(ComponentKind, &'static str))| {
        html! { <option value={i.to_string()} selected={log.component == Some(*kind)}>{scene.t(word)}</option> }
    };
    let oncomponent = scene.on.reform(|event: Event| {
        let i: Option<usize> = chosen(&event).parse().ok();
        let kind = i
            .and_then(|i| COMPONENTS.get(i))
            .map(|component| component.0);
        Act::Inspect(InspectAct::LogComponent(kind))
    });
    let onkind = scene
        .on
        .reform(|event: Event| Act::Inspect(InspectAct::LogKind(chosen(&event))));
    let tables = scene.session.objects();
    let mut kinds: Vec<String> = tables.iter().map(|table| table.kind.to_string()).collect();
    kinds.push("Event".into());
    if !log.kind.is_empty() && !kinds.iter().any(|kind| **kind == *log.kind) {
        kinds.push(log.kind.to_string());
    }
    let kind = |kind: &String| {
        let here = **kind == *log.kind;
        html! { <option key={kind.clone()} value={kind.clone()} selected={here}>{kind.clone()}</option> }
    };
    html! { <>
        <select aria-label={scene.t("log.component")} onchange={oncomponent}>
            <option value="" selected={log.component.is_none()}>{scene.t("log.all-components")}</option>{for COMPONENTS.iter().enumerate().map(component)}</select>
        <select aria-label={scene.t("log.kind")} onchange={onkind}>
            <option value="" selected={log.kind.is_empty()}>{scene.t("log.all-kinds")}</option>{for kinds.iter().map(kind)}</select>
        {finder(scene, "log.find", &log.text, InspectAct::LogText)}
        <label class="check"><input type="checkbox" checked={log.quiet} onchange={scene.act(Act::Inspect(InspectAct::LogQuiet))}/>{scene.t("log.quiet")}</label>
    </> }
}

#[derive(Properties, PartialEq)]
struct FollowProps {
    now: EventIndex,
    page: usize,
}

/// Brings the line of the present moment into sight when the moment or the page has changed.
#[component]
fn Follow(props: &FollowProps) -> Html {
    use_effect_with((props.now, props.page), |_| {
        let document = web_sys::window().and_then(|window| window.document());
        let find = |query: &str| -> Option<web_sys::HtmlElement> {
            let found = document.as_ref()?.query_selector(query).ok()??;
            found.dyn_into().ok()
        };
        let Some(list) = find(".list.log") else {
            return;
        };
        // A third of the list stays above it, from the top of a line on: the head above stands still.
        let mut top = find(".list.log tr.now");
        let at = top.as_ref().map_or(0, |row| row.offset_top());
        while let Some(row) = &top {
            let above: Option<web_sys::HtmlElement> = row
                .previous_element_sibling()
                .and_then(|row| row.dyn_into().ok());
            if above.is_none() || at - row.offset_top() > list.client_height() / 3 {
                break;
            }
            top = above;
        }
        list.set_scroll_top(top.map_or(0, |row| row.offset_top()));
    });
    html! {}
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_page_of_a_moment_holds_the_last_event_before_it() {
        let found: Vec<EventIndex> = (1..=400).map(|n| n * 2).collect();
        assert_eq!(present(&found, 0), 0);
        assert_eq!(present(&found, 300), 0);
        assert_eq!(present(&found, 302), 1);
        assert_eq!(present(&found, 9_999), 2);
        assert_eq!(present(&[], 5), 0);
    }
}
