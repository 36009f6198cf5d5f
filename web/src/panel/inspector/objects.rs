//! Objects as kubectl's tables or by owner, with one of them beside.

use super::{InspectAct, finder, holds, object, tree};
use crate::state::{Act, Scene};
use podscope_session::view::*;
use yew::prelude::*;

/// The most rows of a kind.
const MAX_ROWS: usize = 200;

/// Draws the tab.
#[inline(never)]
pub fn draw(scene: &Scene<'_>) -> Html {
    let ui = &scene.ui.inspector;
    let shape = |tree: bool, word: &str| {
        html! { <button class="tab" type="button" role="radio" aria-checked={(ui.tree == tree).to_string()}
        onclick={scene.act(Act::Inspect(InspectAct::Tree(tree)))}>{scene.t(word)}</button> }
    };
    html! { <>
        <div class="list" tabindex="0" role="region" aria-label={scene.t("tab.objects")}>
            <div class="inh">
                <span class="zoom" role="radiogroup" aria-label={scene.t("objects.shape")} onkeydown={crate::panel::explain::arrows()}>
                    {shape(false, "objects.tables")}{shape(true, "objects.tree")}</span>
                {finder(scene, "objects.find", &ui.find, InspectAct::Find)}
            </div>
            if ui.tree { {tree::draw(scene)} } else { {tables(scene)} }
        </div>
        if let Some(object) = &scene.ui.object { {object::side(scene, object)} }
    </> }
}

fn tables(scene: &Scene<'_>) -> Html {
    let tables = scene.session.objects();
    let find = scene.ui.inspector.find.trim();
    let selected = scene.ui.object.as_ref();
    let mut found = 0;
    let mut table = |table: &TableView| {
        let hit = |row: &&RowView| {
            let kind = [&*table.kind, "/", &*row.object.name].concat();
            holds(&kind, find) || row.cells.iter().any(|cell| holds(cell, find))
        };
        let rows: Vec<&RowView> = table.rows.iter().filter(hit).collect();
        if rows.is_empty() {
            return html! {};
        }
        found += rows.len();
        let head = |text: &Text| html! { <th scope="col">{text.to_string()}</th> };
        let more = rows.len().saturating_sub(MAX_ROWS);
        let row = |row: &&RowView| {
            let class = match (selected == Some(&row.object), row.now) {
                (true, _) => "sel",
                (_, true) => "now",
                _ => "",
            };
            let name = row
                .cells
                .iter()
                .position(|cell| *cell == row.object.name)
                .unwrap_or(0);
            let cells = row.cells.iter().enumerate().map(|(i, cell)| {
                if i != name {
                    return html! { <td>{cell.to_string()}</td> };
                }
                html! { <td>{super::opens(scene, &row.object, cell.to_string())}</td> }
            });
            let key = [&*row.object.namespace, "/", &*row.object.name].concat();
            html! { <tr key={key} class={class}>{for cells}</tr> }
        };
        html! { <div key={table.kind.to_string()}>
            <h2>{table.plural.to_string()}{" "}<span class="muted">{rows.len()}</span></h2>
            <table><thead><tr>{for table.heads.iter().map(head)}</tr></thead><tbody>{for rows.iter().take(MAX_ROWS).map(row)}</tbody></table>
            if more > 0 { <p class="empty">{scene.words.t1("objects.more", "n", &more.to_string())}</p> }
        </div> }
    };
    let drawn: Html = tables.iter().map(&mut table).collect();
    html! { <>
        {drawn}
        if tables.is_empty() { <p class="empty">{scene.t("objects.empty")}</p> }
        else if found == 0 { <p class="empty">{scene.t("inspect.none")}</p> }
    </> }
}
