//! The panels around the stage.

pub mod bar;
pub mod breakpoints;
pub mod compare;
pub mod editor;
pub mod exchange;
pub mod explain;
pub mod faults;
pub mod glossary;
pub mod help;
pub mod inspector;
pub mod lesson;
pub mod predict;
pub mod stage;
pub mod terms;
pub mod time;

use crate::draw::icon;
use crate::state::{Act, Menu, Scene};
use yew::prelude::*;

/// A button that opens a menu, with the menu when it is open.
pub fn popper(
    scene: &Scene<'_>,
    menu: Menu,
    label: Html,
    class: &'static str,
    place: &'static str,
    items: impl FnOnce() -> Html,
) -> Html {
    let open = scene.ui.menu == Some(menu);
    let toggle = scene.act(Act::Menu(if open { None } else { Some(menu) }));
    html! {
        <span class="popper">
            <button class={class} type="button" aria-expanded={open.to_string()} onclick={toggle}>{label}</button>
            if open { <div class={classes!("pop", place)}>{items()}</div> }
        </span>
    }
}

/// A round-less icon button.
pub fn icon_button(
    scene: &Scene<'_>,
    name: &str,
    label: &str,
    class: &'static str,
    act: Act,
    disabled: bool,
) -> Html {
    html! {
        <button class={class} type="button" aria-label={scene.t(label)} title={scene.t(label)} disabled={disabled}
            onclick={scene.act(act)}>{icon(name)}</button>
    }
}
