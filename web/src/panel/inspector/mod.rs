//! The inspector: a row of tabs under the stage, and the panel that opens above it.

pub mod act;
mod etcd;
mod events;
mod log;
mod network;
mod node;
mod object;
mod objects;
mod scheduler;
mod size;
mod state;
mod terminal;
mod tree;

pub use size::remember;
pub use state::{InspectAct, InspectorUi};

use super::explain::arrows;
use crate::draw::lanes;
use crate::panel::icon_button;
use crate::state::{Act, Scene, TABS, Tab};
use podscope_session::view::*;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

/// Draws the tab row, and the open panel. `always` opens one (small screens).
pub fn draw(scene: &Scene<'_>, always: bool) -> Html {
    let open = scene
        .ui
        .tab
        .or_else(|| always.then(|| size::last_tab(scene.ui)));
    let tab = |(tab, word): &(Tab, &'static str)| {
        let here = open == Some(*tab);
        let first = open.is_none() && *tab == Tab::Objects;
        html! {
            <button key={*word} class="tab" type="button" role="tab" aria-selected={here.to_string()} aria-controls={here.then_some("inspector")}
                tabindex={if here || first { "0" } else { "-1" }} onclick={scene.act(Act::Tab(*tab))}>{scene.t(word)}</button>
        }
    };
    html! {
        <section class="inspect" aria-label={scene.t("pane.inspect")}>
            if scene.ui.tab.is_some() { {grip(scene)} }
            <div class="tabs">
                <div class="tabs" role="tablist" aria-label={scene.t("pane.inspect")} onkeydown={arrows()}>{for TABS.iter().map(tab)}</div>
                {legend(scene)}
                if let Some(open) = scene.ui.tab { {closer(scene, open)} }
            </div>
            if let Some(open) = open { <div class="ipanel" id="inspector" role="tabpanel" aria-label={label(scene, open)}>{panel(scene, open)}{sight(scene, open)}</div> }
        </section>
    }
}

#[inline(never)]
fn label(scene: &Scene<'_>, open: Tab) -> AttrValue {
    let word = TABS.iter().find(|tab| tab.0 == open);
    word.map(|tab| scene.t(tab.1)).unwrap_or_default()
}

#[inline(never)]
fn sight(scene: &Scene<'_>, open: Tab) -> Html {
    html! { <size::Sight tab={label(scene, open)}/> }
}

#[inline(never)]
fn grip(scene: &Scene<'_>) -> Html {
    html! { <size::Grip height={size::height(scene.ui)} words={scene.words.clone()} on={scene.on.clone()}/> }
}

#[inline(never)]
fn closer(scene: &Scene<'_>, open: Tab) -> Html {
    icon_button(
        scene,
        "close",
        "inspect.close",
        "ib close wide",
        Act::Tab(open),
        false,
    )
}

fn legend(scene: &Scene<'_>) -> Html {
    const MARKS: [(MarkKind, &str, bool); 7] = [
        (MarkKind::Create, "mark.create", false),
        (MarkKind::Status, "mark.status", true),
        (MarkKind::Bind, "mark.bind", false),
        (MarkKind::Event, "mark.event", true),
        (MarkKind::Read, "mark.read", true),
        (MarkKind::Conflict, "mark.conflict", true),
        (MarkKind::Lease, "mark.lease", false),
    ];
    let mark = |(kind, word, open): &(MarkKind, &'static str, bool)| {
        html! { <span key={*word}><svg class="k-client" viewBox="-7 -7 14 14" aria-hidden="true">
        <path class={if *open { "mk h" } else { "mk" }} d={lanes::shape(*kind, 0, 0)}/></svg>{scene.t(word)}</span> }
    };
    html! { <div class="legend wide">{for MARKS.iter().map(mark)}</div> }
}

#[inline(never)]
fn panel(scene: &Scene<'_>, tab: Tab) -> Html {
    match tab {
        Tab::Objects => objects::draw(scene),
        Tab::Events => events::draw(scene),
        Tab::Etcd => etcd::draw(scene),
        Tab::Scheduler => scheduler::draw(scene),
        Tab::Node => node::draw(scene),
        Tab::Network => network::draw(scene),
        Tab::Log => log::draw(scene),
        Tab::Kubectl => terminal::draw(scene),
    }
}

/// What a text field holds when its `input` event arrives.
fn field(event: &InputEvent) -> String {
    let input: Option<HtmlInputElement> = event.target_dyn_into();
    input.map(|input| input.value()).unwrap_or_default()
}

/// What a selection holds when its `change` event arrives.
pub fn chosen(event: &Event) -> String {
    let select: Option<HtmlSelectElement> = event.target_dyn_into();
    select.map(|select| select.value()).unwrap_or_default()
}

/// A search field that filters as one types.
fn finder(scene: &Scene<'_>, word: &str, value: &str, act: fn(String) -> InspectAct) -> Html {
    let oninput = scene
        .on
        .reform(move |event: InputEvent| Act::Inspect(act(field(&event))));
    html! { <input class="filter" type="search" aria-label={scene.t(word)} placeholder={scene.t(word)} value={value.to_owned()} {oninput}/> }
}

/// A button that goes to an event's moment.
fn go(scene: &Scene<'_>, event: EventIndex, label: String) -> Html {
    html! { <button type="button" title={scene.t("inspect.go")} onclick={scene.act(Act::Seek(Seek::Event(event)))}>{label}</button> }
}

/// A button that opens an object.
fn opens(scene: &Scene<'_>, object: &ObjectRef, label: String) -> Html {
    html! { <button type="button" onclick={scene.act(Act::Object(object.clone()))}>{label}</button> }
}

/// `pod/web`, with the namespace when it is not the default one.
fn short(object: &ObjectRef) -> String {
    let mut out = object.kind.to_ascii_lowercase();
    out.push('/');
    if !object.namespace.is_empty() && &*object.namespace != "default" {
        out.push_str(&object.namespace);
        out.push('/');
    }
    out.push_str(&object.name);
    out
}

/// Whether a text holds another, whatever the case.
fn holds(text: &str, wanted: &str) -> bool {
    wanted.is_empty() || text.to_lowercase().contains(&wanted.to_lowercase())
}
