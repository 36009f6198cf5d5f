//! Figures in other pages: what `<pod-scope>` mounts into its shadow root.

use crate::app::{App, Props};
use crate::draw::{icon, px};
use crate::panel::{self, icon_button};
use crate::path;
use crate::state::{Act, Scene, Tab};
use crate::words::{moment, rich};
use podscope_session::view::*;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use yew::prelude::*;

/// What a figure shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Where the whole page is.
    pub page: String,
    /// A preset's name.
    pub preset: Option<String>,
    /// A scenario file's text.
    pub scenario: Option<String>,
    /// A manifest.
    pub manifest: Option<String>,
    /// The moment: a phase, a number of events, a time, or `end`.
    pub step: String,
    /// Nothing can be changed, only stepped through.
    pub readonly: bool,
}

/// A mounted figure.
#[wasm_bindgen]
pub struct Figure {
    handle: Option<yew::AppHandle<App>>,
}

#[wasm_bindgen]
impl Figure {
    /// Goes to a moment.
    pub fn seek(&self, step: &str) {
        if let Some(handle) = &self.handle {
            handle.send_message(Act::Moment(step.to_owned()));
        }
    }
    /// Stops playing.
    pub fn pause(&self) {
        if let Some(handle) = &self.handle {
            handle.send_message(Act::Pause);
        }
    }
    /// Takes the figure away.
    pub fn destroy(&mut self) {
        if let Some(handle) = self.handle.take() {
            handle.destroy();
        }
    }
}

/// Mounts a figure into an element.
#[wasm_bindgen]
pub fn mount(
    root: web_sys::Element,
    page: String,
    preset: Option<String>,
    scenario: Option<String>,
    manifest: Option<String>,
    step: Option<String>,
    readonly: bool,
) -> Figure {
    let step = step.unwrap_or_default();
    let options = Options {
        page,
        preset,
        scenario,
        manifest,
        step,
        readonly,
    };
    let props = Props {
        figure: Some(Rc::new(options)),
    };
    let handle = yew::Renderer::<App>::with_root_and_props(root, props).render();
    Figure {
        handle: Some(handle),
    }
}

/// Where a step's name leads, given the timeline.
pub fn place(step: &str, timeline: &TimelineView) -> Option<Seek> {
    let step = step.trim();
    if let Ok(event) = step.parse() {
        return Some(Seek::Event(event));
    }
    if step == "end" {
        return Some(Seek::Event(timeline.events));
    }
    let named = |phase: &&PhaseView| phase.name.code.strip_prefix("phase.") == Some(step);
    if let Some(phase) = timeline.phases.iter().find(named) {
        return Some(Seek::Event(phase.event));
    }
    let (number, unit) = match step.strip_suffix("ms") {
        Some(number) => (number, 1e6),
        None => (step.strip_suffix('s')?, 1e9),
    };
    let number = podscope_session::float::parse(number.trim())?;
    (number.is_finite() && number >= 0.0).then_some(Seek::Time((number * unit) as Nanos))
}

/// Draws the figure.
#[inline(never)]
pub fn draw(
    scene: &Scene<'_>,
    explain: Option<&Rc<ExplainView>>,
    options: &Options,
    figure: &NodeRef,
    moving: bool,
) -> Html {
    let title = explain.and_then(|explain| scene.words.part(&explain.msg, ".title"));
    let what = explain.and_then(|explain| scene.words.part(&explain.msg, ".what"));
    let title = title.unwrap_or_else(|| scene.t("time.nothing").to_string());
    let keys = scene.on.reform(Act::Key);
    html! {
        <figure class="embed" aria-label="Podscope" onkeydown={keys}>
            <div class="etop">
                if scene.ui.target != Target::Cluster {
                    <button class="btn quiet" type="button" onclick={scene.act(Act::Open(Target::Cluster))}>{icon("back")}{scene.t("stage.cluster")}</button>
                }
                <b>{rich(&title)}</b><span class="muted num">{moment(scene.view.cursor.time)}</span>
                <a class="btn quiet" href={address(scene, options)} target="_top">
                    <svg viewBox="0 0 24 24" aria-hidden="true"><use href="#i-mark"/></svg><span>{scene.t("embed.open")}</span></a>
            </div>
            {panel::stage::body(scene, figure, moving)}
            <figcaption>{rich(&what.unwrap_or_default())}</figcaption>
            if !options.readonly && scene.ui.tab.is_some() { {panel::editor::draw(scene)} }
            {controls(scene, options)}
        </figure>
    }
}

/// The whole page at this very moment.
fn address(scene: &Scene<'_>, options: &Options) -> String {
    if scene.ui.playing {
        return options.page.clone();
    }
    [&options.page, "#", &scene.session.share()].concat()
}

fn controls(scene: &Scene<'_>, options: &Options) -> Html {
    let cursor = scene.view.cursor;
    let play = if scene.ui.playing {
        ("pause", "time.pause")
    } else {
        ("play", "time.play")
    };
    let phases = &scene.timeline.phases;
    let known = phases.len() + scene.timeline.expected.len();
    let phase = cursor
        .phase
        .and_then(|i| Some((i, phases.get(usize::from(i))?)));
    let label = phase.map(|(i, phase)| {
        let args = vec![
            ("n", Arg::Count(i64::from(i) + 1)),
            ("of", Arg::Count(known as i64)),
            ("name", Arg::Text(scene.words.say(&phase.name).into())),
        ];
        scene.words.say(&Msg::new("embed.phase", args))
    });
    html! {
        <div class="ectl">
            {icon_button(scene, "prev", "time.back", "ib", Act::Back(None), cursor.event == 0)}
            {icon_button(scene, play.0, play.1, "ib play", Act::Play, false)}
            {icon_button(scene, "next", "time.forward", "ib", Act::Step(None), false)}
            {scrub(cursor.phase, known)}
            <span class="small num">{label}</span>
            if !options.readonly {
                <button class="btn quiet" type="button" aria-expanded={scene.ui.tab.is_some().to_string()} onclick={scene.act(Act::Tab(Tab::Objects))}>
                    {icon("edit")}{scene.t("pane.manifest")}</button>
            }
            <span class="small muted simu">{scene.t("embed.simulated")}</span>
        </div>
    }
}

fn scrub(phase: Option<u16>, known: usize) -> Html {
    let count = known.max(1) as i32;
    let x = phase.map_or(0, |phase| (i32::from(phase) + 1) * 330 / count);
    let ticks =
        (1..count).map(|i| html! { <path class="lt2" d={path!("M", i * 330 / count, " 7v10")}/> });
    html! {
        <svg class="scrub" viewBox="0 0 330 24" preserveAspectRatio="none" width={px(330)} aria-hidden="true">
            <path class="ln2" d="M0 12h330"/><path class="lp" d={path!("M0 12h", x)}/>{for ticks}
            <path class="cap" d={path!("M", (x - 8).clamp(0, 314), " 2h16v12l-8 8-8-8z")}/>
        </svg>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn steps_have_names_numbers_and_times() {
        let phase = PhaseView {
            name: Msg::plain("phase.etcd"),
            event: 17,
            at: 5,
        };
        let timeline = TimelineView {
            phases: [phase].into(),
            events: 40,
            ..TimelineView::default()
        };
        assert_eq!(place("etcd", &timeline), Some(Seek::Event(17)));
        assert_eq!(place(" 12 ", &timeline), Some(Seek::Event(12)));
        assert_eq!(place("end", &timeline), Some(Seek::Event(40)));
        assert_eq!(
            place("350.5s", &timeline),
            Some(Seek::Time(350_500_000_000))
        );
        assert_eq!(place("20ms", &timeline), Some(Seek::Time(20_000_000)));
        for nonsense in ["", "later", "-3s", "NaNs", "1e999s"] {
            assert_eq!(place(nonsense, &timeline), None, "{nonsense}");
        }
    }
}
