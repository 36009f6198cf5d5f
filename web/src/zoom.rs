//! Semantic zoom: from the cluster into a component, from there into one call, and out again, with the
//! focus of the keyboard kept.

use crate::app::App;
use podscope_session::view::*;
use wasm_bindgen::JsCast;

/// What a person does with the stage beyond opening something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageAct {
    /// One level out.
    Out,
    /// Shows what a stage of the API server changed.
    Pick(u16),
}

/// What the stage remembers.
#[derive(Clone, Debug, Default)]
pub struct StageUi {
    /// Levels between the cluster and what is shown, outermost first.
    pub path: Vec<Target>,
    /// The buttons by which each level was opened, by place among the stage's buttons.
    came: Vec<Option<u32>>,
    /// The focus to be set once it is drawn.
    pub refocus: Option<Refocus>,
    /// Stage of the API server whose change is shown; else the newest.
    pub picked: Option<u16>,
    /// The scheduler's inside.
    pub sched: crate::draw::scheduler::ui::SchedUi,
}

/// Where the focus goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refocus {
    /// To the title of what was opened.
    Title,
    /// To the button by which it was opened.
    Button(u32),
}

const BUTTONS: &str = "#stage [role=button], #stage button.opens";

/// The place of the focused element among the stage's buttons.
fn focused() -> Option<u32> {
    let document = web_sys::window()?.document()?;
    let active = document.active_element()?;
    let buttons = document.query_selector_all(BUTTONS).ok()?;
    (0..buttons.length()).find(|i| {
        buttons
            .item(*i)
            .is_some_and(|node| node.is_same_node(Some(&active)))
    })
}

impl App {
    /// Opens the cluster, a component, a node, a call.
    #[inline(never)]
    pub(crate) fn open(&mut self, target: Target) {
        let from = focused();
        let stage = &mut self.ui.stage;
        if target == self.ui.target {
            return;
        }
        stage.picked = None;
        let old = std::mem::replace(&mut self.ui.target, target.clone());
        if target == Target::Cluster {
            stage.sched.attempt = None;
            let first = stage.came.first().copied().flatten();
            stage.path.clear();
            stage.came.clear();
            stage.refocus = first.map(Refocus::Button);
            return;
        }
        if let Some(at) = stage.path.iter().position(|level| *level == target) {
            stage.path.truncate(at);
            stage.refocus = stage
                .came
                .get(at + 1)
                .copied()
                .flatten()
                .map(Refocus::Button);
            stage.came.truncate(at + 1);
            return;
        }
        if old != Target::Cluster {
            stage.path.push(old);
        }
        stage.came.push(from);
        stage.refocus = from.map(|_| Refocus::Title);
    }

    /// Does what was asked; whether anything is to be drawn.
    #[inline(never)]
    pub(crate) fn stage_act(&mut self, act: StageAct) -> bool {
        match act {
            StageAct::Out => return self.out(),
            StageAct::Pick(stage) => self.ui.stage.picked = Some(stage),
        }
        true
    }

    fn out(&mut self) -> bool {
        if self.ui.target == Target::Cluster {
            let drawn = self.ui.as_text;
            self.ui.as_text = false;
            return drawn;
        }
        let stage = &mut self.ui.stage;
        stage.picked = None;
        self.ui.target = stage.path.pop().unwrap_or(Target::Cluster);
        if self.ui.target == Target::Cluster {
            stage.sched.attempt = None;
        }
        stage.refocus = stage.came.pop().flatten().map(Refocus::Button);
        true
    }

    /// Puts the focus where it belongs after the level has changed.
    #[inline(never)]
    pub(crate) fn refocus(&mut self) {
        let Some(to) = self.ui.stage.refocus.take() else {
            return;
        };
        let document = web_sys::window().and_then(|window| window.document());
        let Some(document) = document else { return };
        let element = match to {
            Refocus::Title => document.get_element_by_id("stage-title"),
            Refocus::Button(i) => document
                .query_selector_all(BUTTONS)
                .ok()
                .and_then(|buttons| buttons.item(i))
                .and_then(|node| node.dyn_into().ok()),
        };
        // Shapes of a drawing take the focus as elements of a page do.
        if let Some(element) = element {
            let element: web_sys::HtmlElement = element.unchecked_into();
            element.focus().ok();
        }
    }
}
