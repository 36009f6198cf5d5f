//! The top bar: brand, lesson, what this is, share, theme, help.

use super::popper;
use crate::draw::icon;
use crate::state::{Act, Menu, Scene, THEMES};
use podscope_session::view::PresetView;
use yew::prelude::*;

/// Draws it.
pub fn draw(scene: &Scene<'_>) -> Html {
    let current = scene.session.preset();
    let title = scene
        .session
        .presets()
        .iter()
        .find(|preset| *preset.id == *current);
    let title = title.map_or_else(|| scene.t("preset.own"), |preset| scene.t(preset.title));
    html! {
        <header class="bar">
            // The stage's heading is not there when a small screen shows another pane.
            <h1 class="sr">{"Podscope"}</h1>
            <a class="brand" href="./" aria-label="Podscope">
                <svg viewBox="0 0 24 24" aria-hidden="true"><use href="#i-mark"/></svg><span>{"Podscope"}</span>
            </a>
            <div class="crumb">
                {popper(scene, Menu::Lessons, html! { {title} }, "btn quiet menu", "", || lessons(scene))}
            </div>
            <p class="claim push">{scene.t("bar.claim")}{" "}<b>{"Kubernetes v1.36"}</b>{"."}</p>
            <span class="wide">
                {popper(scene, Menu::Share, html! { {scene.t("bar.share")} }, "btn quiet menu", "right", || super::exchange::menu(scene))}
            </span>
            <span class="wide">
                {popper(scene, Menu::Theme, html! { {scene.t("bar.theme")} }, "btn quiet menu", "right", || themes(scene))}
            </span>
            <button class="btn quiet wide" type="button" aria-label={scene.t("bar.help")} onclick={scene.act(Act::Help(true))}>
                <kbd>{"?"}</kbd>
            </button>
            <span class="phone-only push">
                {popper(scene, Menu::More, html! { <><span aria-hidden="true">{"⋯"}</span><span class="sr">{scene.t("bar.more")}</span></> },
                    "btn quiet", "right", || more(scene))}
            </span>
        </header>
    }
}

/// Items of the lessons' menu.
fn lessons(scene: &Scene<'_>) -> Html {
    html! { <>
        {super::lesson::menu(scene)}
        {for presets(scene, true)}
        <h2>{scene.t("menu.examples")}</h2>
        {for presets(scene, false)}
    </> }
}

/// Items for presets: lessons or examples.
#[inline(never)]
pub fn presets(scene: &Scene<'_>, lessons: bool) -> Vec<Html> {
    let current = scene.session.preset();
    let item = |preset: &PresetView| {
        let here = *preset.id == *current;
        let note = [preset.title, ".note"].concat();
        html! {
            <button key={preset.id} type="button" aria-current={here.to_string()} onclick={scene.act(Act::Preset(preset.id))}>
                <span>{scene.t(preset.title)}
                    if scene.words.has(&note) { <small>{scene.t(&note)}</small> }
                </span>
            </button>
        }
    };
    scene
        .session
        .presets()
        .iter()
        .filter(|preset| preset.lesson == lessons)
        .map(item)
        .collect()
}

/// What a phone's bar and stage head have no room for.
#[inline(never)]
fn more(scene: &Scene<'_>) -> Html {
    html! { <>
        <button type="button" aria-pressed={scene.ui.as_text.to_string()} onclick={scene.act(Act::AsText)}>{scene.t("stage.as-text")}</button>
        {super::exchange::menu(scene)}{themes(scene)}
    </> }
}

#[inline(never)]
fn themes(scene: &Scene<'_>) -> Html {
    let item = |(theme, word, _): &(crate::state::Theme, &'static str, &'static str)| {
        let here = scene.ui.theme == *theme;
        html! { <button key={*word} type="button" aria-current={here.to_string()} onclick={scene.act(Act::Theme(*theme))}>{scene.t(word)}</button> }
    };
    html! { <><h2>{scene.t("bar.theme")}</h2>{for THEMES.iter().map(item)}</> }
}

/// The tab bar of small screens.
pub fn tabs(scene: &Scene<'_>) -> Html {
    use crate::state::Section;
    let item = |(pane, word, kind, symbol): (Section, &'static str, &'static str, &'static str)| {
        let here = scene.ui.pane == pane;
        let href = ["#g-", symbol].concat();
        let class = ["g g-18 k-", kind].concat();
        html! {
            <button key={word} type="button" aria-current={here.then_some("page")} onclick={scene.act(Act::Section(pane))}>
                <svg class={class} viewBox="0 0 24 24" aria-hidden="true"><use href={href}/></svg>{scene.t(word)}
            </button>
        }
    };
    let items = [
        (Section::Explain, "pane.explain", "client", "text"),
        (Section::Manifest, "pane.manifest", "obj", "obj"),
        (Section::Cluster, "pane.cluster", "kubelet", "node"),
        (Section::Inspect, "pane.inspect", "etcd", "etcd"),
    ];
    html! { <nav class="tabbar" aria-label={scene.t("pane.all")}>{for items.into_iter().map(item)}</nav> }
}

/// The status line.
pub fn notice(scene: &Scene<'_>) -> Html {
    let Some(notice) = &scene.ui.notice else {
        return html! {};
    };
    html! {
        <div class={classes!("status", notice.bad.then_some("bad"))} role="status">
            {notice.text.clone()}{" "}
            <button class="linky" type="button" aria-label={scene.t("close")} onclick={scene.act(Act::Hush)}>{icon("close")}</button>
        </div>
    }
}
