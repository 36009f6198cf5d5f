//! Keyboard shortcuts, and what this page is.

use crate::state::{Act, Scene};
use yew::prelude::*;

/// Shortcut and its word.
const KEYS: [(&[&str], &str); 19] = [
    (&["Space"], "key.play"),
    (&["→"], "key.forward"),
    (&["←"], "key.back"),
    (&["Shift", "→"], "key.phase"),
    (&["Shift", "←"], "key.phase-back"),
    (&["D"], "key.deadline"),
    (&["N"], "key.object"),
    (&["Shift", "N"], "key.object-back"),
    (&["B"], "key.stop"),
    (&["Home"], "key.start"),
    (&["End"], "key.end"),
    (&["1", "4"], "key.zoom"),
    (&["Ctrl", "Enter"], "key.apply"),
    (&["T"], "key.text"),
    (&["G"], "key.glossary"),
    (&["J"], "key.lesson-next"),
    (&["K"], "key.lesson-back"),
    (&["M"], "key.lesson-show"),
    (&["Esc"], "key.escape"),
];

/// Draws the dialogue when it is open.
pub fn draw(scene: &Scene<'_>) -> Html {
    if !scene.ui.help {
        return html! {};
    }
    let row = |(keys, word): &(&[&str], &'static str)| {
        let keys = keys.iter().map(|key| html! { <><kbd>{*key}</kbd>{" "}</> });
        html! { <><dt>{for keys}</dt><dd>{scene.t(word)}</dd></> }
    };
    html! {
        <div class="help" role="dialog" aria-modal="true" aria-labelledby="help-title">
            <div>
                <h2 id="help-title">{scene.t("help.title")}</h2>
                <dl>{for KEYS.iter().map(row)}</dl>
                {crate::draw::legend::draw(scene.words)}
                <p class="note small muted">{scene.t("help.editor")}</p>
                <p class="note small muted">{scene.t("help.about")}</p>
                <p class="acts"><button class="btn" type="button" onclick={scene.act(Act::Learn(crate::learn::LearnAct::Glossary(String::new())))}>{scene.t("glossary.title")}</button>
                    <button class="btn" type="button" id="help-close" onclick={scene.act(Act::Help(false))}>{scene.t("close")}</button></p>
            </div>
        </div>
    }
}
