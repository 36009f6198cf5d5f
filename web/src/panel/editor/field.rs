//! What is known of a field: its type, who acts on it, in plain words what it does.

use crate::draw::kind_glyph;
use crate::state::Scene;
use crate::words::Words;
use podscope_session::view::*;
use yew::prelude::*;

/// Draws the strip below the code. It is there when nothing is known too, so that nothing jumps.
#[inline(never)]
pub fn draw(scene: &Scene<'_>) -> Html {
    let Some(field) = &scene.ui.editor.field else {
        return html! { <div class="fieldinfo"><p class="muted">{scene.t("editor.no-field")}</p></div> };
    };
    let name = field.path.rsplit('.').next().unwrap_or_default().to_owned();
    let parent = field.path.strip_suffix(name.as_str()).unwrap_or_default();
    html! {
        <div class={if field.simulated { "fieldinfo" } else { "fieldinfo without" }} tabindex="0" role="group" aria-label={scene.t("editor.field")}>
            <p class="path"><code><span>{parent.to_owned()}</span><b>{name}</b></code>
                {for field.readers.iter().map(|kind| kind_glyph(*kind, 14))}</p>
            <p class="ftype">{facts(scene.words, field)}</p>
            if let Some(words) = description(scene.words, field) { <p>{words}</p> }
        </div>
    }
}

/// Type, whether it must be given, default, values, who reads it.
fn facts(words: &Words, field: &FieldView) -> String {
    let mut facts = vec![field.of.to_string()];
    if field.required {
        facts.push(words.t("field.required").to_string());
    }
    if let Some(default) = &field.default {
        facts.push(words.t1("field.default", "value", default).to_string());
    }
    if !field.values.is_empty() {
        let values: Vec<&str> = field.values.iter().map(|value| &**value).collect();
        facts.push(
            words
                .t1("field.values", "values", &values.join(", "))
                .to_string(),
        );
    }
    if !field.simulated {
        facts.push(words.t("diagnostic.no-effect").to_string());
    } else if !field.readers.is_empty() {
        let readers: Vec<String> = field
            .readers
            .iter()
            .map(|kind| reader(words, *kind))
            .collect();
        facts.push(
            words
                .t1("field.read", "by", &readers.join(", "))
                .to_string(),
        );
    }
    facts.join(" · ")
}

fn reader(words: &Words, kind: ComponentKind) -> String {
    let code = match kind {
        ComponentKind::ApiServer => "field.by.api",
        ComponentKind::Controller => "field.by.ctrl",
        ComponentKind::Scheduler => "field.by.sched",
        ComponentKind::Kubelet => "field.by.kubelet",
        ComponentKind::Runtime => "field.by.runtime",
        ComponentKind::Network => "field.by.net",
        _ => "field.by.client",
    };
    words.t(code).to_string()
}

fn description(words: &Words, field: &FieldView) -> Option<AttrValue> {
    words.has(&field.code).then(|| words.t(&field.code))
}

/// All of it as one sentence, for the live region.
pub fn sentence(words: &Words, field: &FieldView) -> String {
    let description = description(words, field).unwrap_or_default();
    [
        &*field.path,
        ". ",
        &facts(words, field),
        ". ",
        &*description,
    ]
    .concat()
}
