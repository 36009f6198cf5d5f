//! What an apply would change in the cluster, field by field, and who set these fields.

use super::on;
use super::ui::EditorAct;
use crate::draw::{glyph, icon};
use crate::state::Scene;
use podscope_session::view::*;
use yew::prelude::*;

/// Draws the comparison when it is asked for.
#[inline(never)]
pub fn draw(scene: &Scene<'_>) -> Html {
    let Some(changes) = &scene.ui.editor.changes else {
        return html! {};
    };
    html! {
        <section class="changes" tabindex="0" aria-label={scene.t("changes.label")}>
            <h3>{scene.t("changes.label")}
                <button class="linky right" type="button" aria-label={scene.t("close")} onclick={on(scene, EditorAct::Changes)}>{icon("close")}</button></h3>
            if changes.is_empty() { <p class="muted">{scene.t("changes.unread")}</p> }
            {for changes.iter().map(|change| object(scene, change))}
        </section>
    }
}

fn object(scene: &Scene<'_>, change: &ObjectChange) -> Html {
    let state = match (change.new, change.fields.len()) {
        (true, _) => scene.t("changes.new"),
        (false, 0) => scene.t("changes.same"),
        (false, n) => scene.words.t1("changes.fields", "n", &n.to_string()),
    };
    let name = [&*change.object.kind, " ", &change.object.name].concat();
    html! {
        <div key={name.clone()}>
            <p class="what">{glyph("obj", 14)}<b>{name}</b><span class="muted">{state}</span></p>
            if !change.fields.is_empty() { <ul>{for change.fields.iter().map(|change| field(scene, change))}</ul> }
        </div>
    }
}

fn field(scene: &Scene<'_>, change: &FieldChange) -> Html {
    let side = |class: &'static str, sign: &'static str, word: &str, value: &Option<Text>| {
        match value {
            Some(value) => html! {
                <code class={class}><span aria-hidden="true">{sign}</span><span class="sr">{scene.t(word)}</span>{value.to_string()}</code>
            },
            None => html! {},
        }
    };
    let owner = change.owner.as_ref().map(|owner| {
        let word = if change.foreign {
            "changes.foreign"
        } else {
            "changes.owner"
        };
        let class = if change.foreign {
            "owner foreign"
        } else {
            "owner"
        };
        html! { <span class={class}>{scene.words.t1(word, "by", owner)}</span> }
    });
    html! {
        <li key={change.path.to_string()}>
            <code class="path">{change.path.to_string()}</code>
            {side("l del", "− ", "changes.from", &change.from)}{side("l add", "+ ", "changes.to", &change.to)}
            {owner}
        </li>
    }
}
