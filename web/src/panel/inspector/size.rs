//! The panel's height, and the tab that was open last: kept for the browser's tab.

use super::{InspectAct, InspectorUi};
use crate::state::{Act, TABS, Tab, Ui};
use crate::store;
use crate::words::Words;
use wasm_bindgen::JsCast;
use yew::prelude::*;

const KEPT_TAB: &str = "podscope.tab";
const KEPT_HEIGHT: &str = "podscope.inspector";
/// The smallest height.
const MIN: i32 = 120;
/// How far one key press goes.
const STEP: i32 = 24;

/// The largest height: 45 % of the window.
fn most() -> i32 {
    let window = web_sys::window().and_then(|window| window.inner_height().ok()?.as_f64());
    (window.unwrap_or(800.0) * 0.45) as i32
}

/// The height of the open panel.
pub fn height(ui: &Ui) -> i32 {
    let kept = || store::kept(KEPT_HEIGHT).and_then(|kept| kept.parse().ok());
    let wanted = match ui.inspector.height {
        0 => kept().unwrap_or(most().min(360)),
        height => height,
    };
    wanted.clamp(MIN, most().max(MIN))
}

/// Takes a height and keeps it.
pub fn set_height(ui: &mut InspectorUi, height: i32) {
    ui.height = height.clamp(MIN, most().max(MIN));
    store::set_kept(KEPT_HEIGHT, &ui.height.to_string());
}

/// The tab that was open last, in this page or before.
#[inline(never)]
pub fn last_tab(ui: &Ui) -> Tab {
    if let Some(tab) = ui.inspector.last {
        return tab;
    }
    let kept = store::kept(KEPT_TAB);
    let tab = TABS.iter().find(|tab| Some(tab.1) == kept.as_deref());
    tab.map_or(Tab::Objects, |tab| tab.0)
}

/// Remembers the tab that is open.
#[inline(never)]
pub fn remember(ui: &mut Ui) {
    let Some(open) = ui.tab else { return };
    if ui.inspector.last != Some(open) {
        ui.inspector.last = Some(open);
        if let Some(tab) = TABS.iter().find(|tab| tab.0 == open) {
            store::set_kept(KEPT_TAB, tab.1);
        }
    }
}

#[derive(Properties, PartialEq)]
pub struct SightProps {
    pub tab: AttrValue,
}

/// Brings the open tab into sight where the row is wider than the window.
#[component]
pub fn Sight(props: &SightProps) -> Html {
    use_effect_with(props.tab.clone(), |_| {
        let document = web_sys::window().and_then(|window| window.document());
        let find = |query: &str| -> Option<web_sys::HtmlElement> {
            document
                .as_ref()?
                .query_selector(query)
                .ok()??
                .dyn_into()
                .ok()
        };
        let tab = find(".inspect [aria-selected=true]");
        let row = tab
            .as_ref()
            .and_then(|tab| tab.parent_element()?.dyn_into().ok());
        let row: Option<web_sys::HtmlElement> = row;
        if let (Some(row), Some(tab)) = (row, tab) {
            let middle = tab.offset_left() - row.offset_left() + tab.offset_width() / 2;
            row.set_scroll_left((middle - row.client_width() / 2).max(0));
        }
    });
    html! {}
}

#[derive(Properties, PartialEq)]
pub struct GripProps {
    pub height: i32,
    pub words: Words,
    pub on: Callback<Act>,
}

/// The edge by which the panel is made larger or smaller: pointer, arrows, Home and End.
#[component]
pub fn Grip(props: &GripProps) -> Html {
    use_effect_with(props.height, |height| show(*height));
    let set = {
        let on = props.on.clone();
        move |height: i32| on.emit(Act::Inspect(InspectAct::Height(height)))
    };
    let height = props.height;
    let onkeydown = {
        let set = set.clone();
        Callback::from(move |event: KeyboardEvent| {
            let next = match event.key().as_str() {
                "ArrowUp" => height + STEP,
                "ArrowDown" => height - STEP,
                "Home" => most(),
                "End" => MIN,
                _ => return,
            };
            event.prevent_default();
            event.stop_propagation();
            set(next);
        })
    };
    let onpointerdown = Callback::from(|event: PointerEvent| {
        if let Some(grip) = event.target_dyn_into::<web_sys::Element>() {
            grip.set_pointer_capture(event.pointer_id()).ok();
        }
        event.prevent_default();
    });
    let onpointermove = Callback::from(|event: PointerEvent| {
        if event.buttons() & 1 == 1
            && let Some(height) = wanted(&event)
        {
            show(height);
        }
    });
    let onpointerup = Callback::from(move |event: PointerEvent| {
        if let Some(height) = wanted(&event) {
            set(height);
        }
    });
    html! {
        <div class="grip wide" role="separator" tabindex="0" aria-orientation="horizontal" aria-controls="inspector"
            aria-label={props.words.t("inspect.resize")} aria-valuemin={MIN.to_string()} aria-valuemax={most().to_string()}
            aria-valuenow={height.to_string()} {onkeydown} {onpointerdown} {onpointermove} {onpointerup}></div>
    }
}

/// The height that puts the panel's edge under the pointer; its foot stands still.
fn wanted(event: &PointerEvent) -> Option<i32> {
    let document = web_sys::window()?.document()?;
    let foot = document
        .get_element_by_id("inspector")?
        .get_bounding_client_rect()
        .bottom();
    // The row of tabs is between the edge and the panel.
    let tabs = 34.0;
    Some(
        (foot - f64::from(event.client_y()) - tabs).clamp(f64::from(MIN), f64::from(most())) as i32,
    )
}

/// Shows a height: a property of the document, because the policy forbids style attributes.
fn show(height: i32) {
    let root = web_sys::window().and_then(|window| window.document()?.document_element());
    if let Some(root) = root.and_then(|root| root.dyn_into::<web_sys::HtmlElement>().ok()) {
        let value = [height.to_string().as_str(), "px"].concat();
        root.style().set_property("--inspector", &value).ok();
    }
}
