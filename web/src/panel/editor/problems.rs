//! What is wrong with the file, in the server's words, with what it means and how to mend it.

use super::on;
use super::ui::EditorAct;
use crate::draw::kind_glyph;
use crate::state::Scene;
use podscope_session::view::*;
use yew::prelude::*;

/// The most problems that are listed.
const MOST: usize = 20;

/// Draws the list; nothing when there is none.
pub fn draw(scene: &Scene<'_>, file: &FileView) -> Html {
    if file.diagnostics.items.is_empty() || scene.ui.editor.holds {
        return html! {};
    }
    list(scene, &file.diagnostics.items)
}

fn severity_class(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "",
        Severity::Warning => "warn",
        Severity::Info => "info",
    }
}

#[inline(never)]
fn list(scene: &Scene<'_>, items: &[DiagnosticView]) -> Html {
    // What is refused comes before what is only good to know.
    let mut order: Vec<usize> = (0..items.len()).collect();
    podscope_session::sort::by_key(&mut order, |i| items.get(*i).map(|item| item.severity));
    let fixable = order
        .iter()
        .find(|i| items.get(**i).is_some_and(|item| !item.fixes.is_empty()));
    let one = |i: usize| {
        let item = items.get(i)?;
        Some(problem(scene, i, item, fixable == Some(&i)))
    };
    let more = order.len().saturating_sub(MOST);
    html! {
        <ul class="diags" tabindex="0" aria-label={scene.t("editor.problems")}>
            {for order.iter().take(MOST).filter_map(|i| one(*i))}
            if more > 0 { <li key="more" class="diag info"><span></span><span>{scene.words.t1("editor.more", "n", &more.to_string())}</span></li> }
        </ul>
    }
}

fn problem(scene: &Scene<'_>, i: usize, item: &DiagnosticView, first: bool) -> Html {
    let place = [
        (item.line + 1).to_string().as_str(),
        ":",
        &(item.column + 1).to_string(),
    ]
    .concat();
    let fixes = item.fixes.iter().enumerate().map(|(fix, view)| {
        let class = if fix == 0 { "btn go" } else { "btn" };
        let keys = (first && fix == 0).then_some("Alt+Enter");
        html! {
            <button key={fix} class={class} type="button" aria-keyshortcuts={keys} onclick={on(scene, EditorAct::Fix(i, fix))}>
                {scene.words.say(&view.label)}
                if keys.is_some() { <kbd class="wide">{"Alt Enter"}</kbd> }
            </button>
        }
    });
    let why = (!item.why.is_empty() && scene.words.has(item.why)).then(|| scene.t(item.why));
    html! {
        <li key={i} class={classes!("diag", severity_class(item.severity))} id={["d", &i.to_string()].concat()}>
            {kind_glyph(item.source, 16)}
            <span><b>{scene.words.say(&item.heading)}</b>
                <button class="at" type="button" onclick={on(scene, EditorAct::GoTo(item.line, item.column))}>
                    {scene.words.t1("editor.line", "at", &place)}</button>
                if !item.text.is_empty() { <><br/><code>{item.text.to_string()}</code></> }
                else if let Some(field) = subject(item) { <><br/><code>{field}</code></> }
                if let Some(why) = why { <span class="why">{why}</span> }</span>
            if !item.fixes.is_empty() { <span class="acts">{for fixes}</span> }
        </li>
    }
}

/// The field that a finding without anybody's words is about.
fn subject(item: &DiagnosticView) -> Option<String> {
    item.heading.args.iter().find_map(|(name, arg)| match arg {
        Arg::Text(text) if *name == "field" => Some(text.to_string()),
        _ => None,
    })
}
