//! Objects by owner: Deployment, ReplicaSet, Pod, container; Service, EndpointSlice.

use super::holds;
use crate::draw::glyph;
use crate::state::Scene;
use podscope_session::view::*;
use yew::prelude::*;

/// The most rows.
const MAX_ROWS: usize = 600;

/// Draws it. A search keeps what matches, with its owners.
pub fn draw(scene: &Scene<'_>) -> Html {
    let rows = scene.session.tree();
    let find = scene.ui.inspector.find.trim();
    let keep = kept(&rows, find);
    let shown: Vec<&TreeRow> = rows
        .iter()
        .zip(&keep)
        .filter(|(_, keep)| **keep)
        .map(|(row, _)| row)
        .collect();
    let more = shown.len().saturating_sub(MAX_ROWS);
    let row = |(i, row): (usize, &&TreeRow)| {
        let selected = row.object.is_some() && row.object == scene.ui.object;
        let class = match (selected, row.now) {
            (true, _) => "sel",
            (_, true) => "now",
            _ => "",
        };
        let indent = ["in in-", &row.depth.min(6).to_string()].concat();
        let name = match &row.object {
            Some(object) => super::opens(scene, object, row.name.to_string()),
            None => html! { {row.name.to_string()} },
        };
        let cells = row.cells.iter().map(|(head, cell)| {
            html! { <span class="pair"><span class="muted">{head.to_lowercase()}</span>{" "}{cell.to_string()}</span> }
        });
        let sign = match &*row.kind {
            "Pod" => "pod",
            "container" | "init container" => "runtime",
            _ => "obj",
        };
        html! { <tr key={i} class={class}>
            <td><span class={indent}>{glyph(sign, 13)}<span class="muted">{row.kind.to_string()}</span>{" "}{name}</span></td>
            <td class="wrap">{for cells}</td>
        </tr> }
    };
    html! { <>
        <table class="tree">
            <thead><tr><th scope="col">{scene.t("objects.tree.object")}</th><th scope="col">{scene.t("objects.tree.state")}</th></tr></thead>
            <tbody>{for shown.iter().take(MAX_ROWS).enumerate().map(row)}</tbody></table>
        if more > 0 { <p class="empty">{scene.words.t1("objects.more", "n", &more.to_string())}</p> }
        if shown.is_empty() { <p class="empty">{scene.t(if rows.is_empty() { "objects.empty" } else { "inspect.none" })}</p> }
    </> }
}

/// Which rows stay: those that match, all above them up to the root, all below them.
fn kept(rows: &[TreeRow], find: &str) -> Vec<bool> {
    let mut keep = vec![find.is_empty(); rows.len()];
    if find.is_empty() {
        return keep;
    }
    let mut owners: Vec<usize> = Vec::new();
    let mut below = None;
    for (i, row) in rows.iter().enumerate() {
        owners.truncate(usize::from(row.depth));
        owners.push(i);
        if below.is_some_and(|depth| row.depth <= depth) {
            below = None;
        }
        let hit = holds(&row.name, find)
            || holds(&row.kind, find)
            || row.cells.iter().any(|(_, cell)| holds(cell, find));
        if hit {
            for owner in &owners {
                keep[*owner] = true;
            }
            below = below.or(Some(row.depth));
        }
        keep[i] = keep[i] || below.is_some();
    }
    keep
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_match_keeps_its_owners_and_what_it_owns() {
        let row = |depth, name: &str| TreeRow {
            depth,
            object: None,
            kind: "x".into(),
            name: name.into(),
            cells: Vec::new().into(),
            now: false,
        };
        let rows = [
            row(0, "web"),
            row(1, "rs-a"),
            row(2, "pod-1"),
            row(1, "rs-b"),
            row(0, "other"),
        ];
        assert_eq!(kept(&rows, "rs-a"), [true, true, true, false, false]);
        assert_eq!(kept(&rows, "nothing"), [false; 5]);
        assert_eq!(kept(&rows, ""), [true; 5]);
    }
}
