//! The page: owns the session, turns acts into its commands, and draws the panels.

use crate::draw::{lanes, sprite};
use crate::layout::lanes::Axis;
use crate::panel;
use crate::state::*;
use crate::widget::{self, Options};
use crate::words::Words;
use crate::{motion, store};
use gloo_timers::callback::Timeout;
use podscope_session::api::SessionApi;
use podscope_session::view::*;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use yew::prelude::*;

/// What the root component is for.
#[derive(Clone, Debug, Default, PartialEq, Properties)]
pub struct Props {
    /// A figure in another page; `None` for the page itself.
    #[prop_or_default]
    pub figure: Option<Rc<Options>>,
}

/// The root component of the page, or of a figure.
pub struct App {
    /// It is a figure.
    pub(crate) figure_of: Option<Rc<Options>>,
    pub(crate) session: Box<dyn SessionApi>,
    pub(crate) words: Words,
    pub(crate) ui: Ui,
    pub(crate) view: Rc<ClusterView>,
    pub(crate) timeline: Rc<TimelineView>,
    pub(crate) files: Rc<[FileView]>,
    pub(crate) explain: Option<Rc<ExplainView>>,
    axis: Rc<Axis>,
    /// What the axis was laid out for.
    axis_of: (Rc<TimelineView>, i32),
    /// The last change was one step forward: messages travel.
    pub(crate) stepped: bool,
    /// Said by the live region.
    pub(crate) spoken: AttrValue,
    pub(crate) figure: NodeRef,
    strip: NodeRef,
    timer: Option<Timeout>,
    _listeners: Vec<Listener>,
}

/// A listener on the window for as long as it lives.
struct Listener {
    name: &'static str,
    call: Closure<dyn FnMut(web_sys::Event)>,
}

impl Listener {
    fn new(name: &'static str, call: impl FnMut(web_sys::Event) + 'static) -> Listener {
        let call = Closure::new(call);
        if let Some(window) = web_sys::window() {
            window
                .add_event_listener_with_callback(
                    name,
                    AsRef::<JsValue>::as_ref(&call).unchecked_ref(),
                )
                .ok();
        }
        Listener { name, call }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(window) = web_sys::window() {
            let call = AsRef::<JsValue>::as_ref(&self.call).unchecked_ref();
            window
                .remove_event_listener_with_callback(self.name, call)
                .ok();
        }
    }
}

/// How long a clock-speed frame lasts.
const FRAME_MS: u32 = 40;

impl Component for App {
    type Message = Act;
    type Properties = Props;

    #[inline(never)]
    fn create(ctx: &Context<App>) -> App {
        let words = Words::here();
        let figure_of = ctx.props().figure.clone();
        let (session, problem) = match &figure_of {
            Some(options) => store::open_figure(options),
            None => store::open(),
        };
        let mut listeners = Vec::new();
        let link = ctx.link().clone();
        listeners.push(Listener::new("resize", move |_| {
            link.send_message(Act::Resize(0, 0, 0))
        }));
        if figure_of.is_none() {
            let link = ctx.link().clone();
            listeners.push(Listener::new("keydown", move |event| {
                if let Ok(event) = event.dyn_into::<KeyboardEvent>() {
                    link.send_message(Act::Key(event));
                }
            }));
            listeners.push(Listener::new("hashchange", |_| store::reload()));
        }
        let timeline = session.timeline();
        let mut ui = Ui {
            theme: store::theme(),
            ..Ui::default()
        };
        ui.notice = problem.map(|msg| Notice {
            text: words.say(&msg),
            bad: true,
        });
        let mut app = App {
            view: session.view(),
            files: session.files(),
            explain: None,
            axis: Rc::default(),
            axis_of: (timeline.clone(), -1),
            timeline,
            words,
            ui,
            stepped: false,
            spoken: AttrValue::default(),
            figure: NodeRef::default(),
            strip: NodeRef::default(),
            timer: None,
            _listeners: listeners,
            figure_of,
            session,
        };
        app.refresh();
        if let Some(id) = store::lesson_asked() {
            ctx.link()
                .send_message(Act::Learn(crate::learn::LearnAct::Start(id)));
        }
        if let Some(options) = app.figure_of.clone() {
            app.moment(&options.step);
            app.refresh();
        }
        app
    }

    fn update(&mut self, ctx: &Context<App>, act: Act) -> bool {
        self.stepped = false;
        let drawn = self.act(ctx, act);
        if drawn {
            self.refresh();
        }
        drawn
    }

    fn rendered(&mut self, ctx: &Context<App>, _first: bool) {
        if self.ui.stage.refocus.is_some() {
            self.refocus();
        }
        self.measure(ctx);
        let select = self.ui.editor.select.take();
        if select.is_some() || self.ui.editor.list.is_some() {
            panel::editor::drawn(select, self.ui.editor.list.as_ref());
        }
    }

    fn view(&self, ctx: &Context<App>) -> Html {
        let on = ctx.link().callback(|act: Act| act);
        let scene = Scene {
            ui: &self.ui,
            view: &self.view,
            timeline: &self.timeline,
            files: &self.files,
            session: &*self.session,
            words: &self.words,
            on: &on,
        };
        let moving = self.stepped && !motion::is_reduced();
        if let Some(options) = &self.figure_of {
            return html! { <>
                {sprite()}
                {widget::draw(&scene, self.explain.as_ref(), options, &self.figure, moving)}
                {panel::bar::notice(&scene)}
                <p class="sr" aria-live="polite">{self.spoken.clone()}</p>
            </> };
        }
        let holds = self.ui.editor.holds;
        let problems = self.files.get(self.ui.file).is_some_and(|file| {
            !holds
                && file
                    .diagnostics
                    .items
                    .iter()
                    .any(|item| item.severity == Severity::Error)
        });
        let inspect = self.ui.pane == Section::Inspect;
        html! { <>
            {sprite()}
            <a class="skip" href="#stage" onclick={scene.act::<MouseEvent>(Act::Section(Section::Cluster))}>{scene.t("bar.skip")}</a>
            <div class={classes!("app", problems.then_some("problems"), self.ui.learn.picking.is_some().then_some("picking"))} data-pane={self.ui.pane.name()}>
                {panel::bar::draw(&scene)}
                <main class="panes">
                    {panel::editor::draw(&scene)}
                    {panel::stage::draw(&scene, &self.figure, moving)}
                    {panel::explain::draw(&scene, self.explain.as_ref())}
                    {panel::inspector::draw(&scene, inspect)}
                </main>
                {panel::time::draw(&scene, &self.axis, &self.strip)}
                {panel::bar::tabs(&scene)}
            </div>
            {panel::bar::notice(&scene)}
            {panel::help::draw(&scene)}
            {panel::exchange::dialog(&scene)}
            {panel::glossary::draw(&scene)}
            if self.ui.menu.is_some() {
                <div class="backdrop" onclick={scene.act::<MouseEvent>(Act::Menu(None))}></div>
            }
            <p class="sr" aria-live="polite">{self.spoken.clone()}</p>
        </> }
    }
}

impl App {
    /// Does what was asked; whether anything is to be drawn.
    fn act(&mut self, ctx: &Context<App>, act: Act) -> bool {
        match act {
            Act::Editor(act) => return self.editor_act(ctx, act),
            Act::Apply => self.apply(),
            Act::File(file) => self.editor_show(file),
            Act::Preset(id) => self.open_preset(id),
            Act::Step(size) => self.step(size),
            Act::Back(size) => {
                self.pause();
                let size = size.unwrap_or(self.zoom());
                return self.session.back(size);
            }
            Act::Seek(to) => {
                self.pause();
                self.session.seek(to);
            }
            Act::End => {
                self.pause();
                self.end();
            }
            Act::Play => self.play(ctx),
            Act::Tick => self.tick(ctx),
            Act::Speed(speed) => self.ui.speed = speed,
            Act::Zoom(zoom) => self.ui.zoom = zoom,
            Act::Open(target) => {
                if self.learn_pick(&target) {
                    return true;
                }
                self.open(target);
            }
            Act::Stage(act) => return self.stage_act(act),
            Act::Sched(act) => self.sched_act(act),
            Act::AsText => {
                self.ui.as_text = !self.ui.as_text;
                if self.ui.menu.take().is_some() && is_small() {
                    self.ui.pane = Section::Cluster;
                }
            }
            Act::Tab(tab) => {
                self.ui.tab = if self.ui.tab == Some(tab) {
                    None
                } else {
                    Some(tab)
                };
                panel::inspector::remember(&mut self.ui);
            }
            Act::Object(object) => {
                self.ui.object = Some(object);
                self.ui.revision = None;
                self.ui.inspector.against = None;
                self.ui.inspector.breaking = false;
                self.ui.tab = Some(Tab::Objects);
                panel::inspector::remember(&mut self.ui);
                if is_small() {
                    self.ui.pane = Section::Inspect;
                }
            }
            Act::Revision(revision) => self.ui.revision = Some(revision),
            Act::CloseObject => self.ui.object = None,
            Act::Inspect(act) => return self.inspect_act(act),
            Act::Menu(menu) => self.ui.menu = menu,
            Act::Theme(theme) => {
                self.ui.theme = theme;
                self.ui.menu = None;
                store::set_theme(theme);
            }
            Act::Section(pane) => self.ui.pane = pane,
            Act::ExplainTab(tab) => self.ui.explain_tab = tab,
            Act::Time(act) => return self.time_act(ctx, act),
            Act::Learn(act) => return self.learn_act(act),
            Act::Help(open) => self.ui.help = open,
            Act::Key(event) => return self.key(ctx, &event),
            Act::Resize(0, ..) => self.measure(ctx),
            Act::Resize(w, h, lanes) => {
                self.ui.stage_size = (w, h);
                self.ui.lanes_width = lanes;
            }
            Act::Moment(step) => {
                self.pause();
                self.moment(&step);
            }
            Act::Pause => self.pause(),
            Act::Hush => self.ui.notice = None,
            Act::Switch(fork) => {
                let done = self.session.switch(fork);
                self.report(done);
            }
        }
        true
    }

    /// To the last known event that is not one of a loop's; from there, on until stable.
    fn end(&mut self) {
        if self.view.cursor.at_end {
            self.session.step(StepSize::UntilStable);
            return;
        }
        self.session.seek(Seek::Event(self.timeline.events));
        self.session.back(StepSize::Event);
        if !self.session.view().cursor.at_end {
            self.session.step(StepSize::Event);
        }
    }

    fn zoom(&self) -> StepSize {
        ZOOMS
            .get(self.ui.zoom)
            .map_or(StepSize::Action, |zoom| zoom.0)
    }

    fn refresh(&mut self) {
        self.view = self.session.view();
        self.timeline = self.session.timeline();
        self.files = self.session.files();
        self.ui.file = self.ui.file.min(self.files.len().saturating_sub(1));
        let event = self.view.cursor.event;
        if self.explain.as_ref().map(|explain| explain.event) != Some(event) {
            self.explain = if event == 0 {
                None
            } else {
                self.session.explain(event)
            };
            self.ui.explain_tab = 0;
        }
        let of = (self.timeline.clone(), self.ui.lanes_width);
        if !Rc::ptr_eq(&self.axis_of.0, &of.0) || self.axis_of.1 != of.1 {
            let axis = Axis::new(&self.timeline, lanes::LEFT, self.ui.lanes_width - 16);
            if *self.axis != axis {
                self.axis = Rc::new(axis);
            }
            self.axis_of = of;
        }
        if !self.ui.playing {
            self.spoken = self.editor_spoken().unwrap_or_else(|| self.sentence());
        }
        self.learn_refresh();
    }

    /// What the live region says: the step's title, else the summary.
    fn sentence(&self) -> AttrValue {
        let title = self
            .explain
            .as_ref()
            .and_then(|explain| self.words.part(&explain.msg, ".title"));
        let summary = crate::draw::cluster::summary(&self.view, &self.words);
        match title.map(|title| title.replace('`', "")) {
            Some(title) if !summary.starts_with(&title) => {
                AttrValue::from([&title, ". ", &summary].concat())
            }
            _ => AttrValue::from(summary),
        }
    }

    /// Goes to a named moment; an unknown name changes nothing.
    #[inline(never)]
    fn moment(&mut self, step: &str) {
        if let Some(to) = widget::place(step, &self.session.timeline()) {
            self.session.seek(to);
        }
    }

    /// Keeps the work of the page; figures keep nothing.
    pub(crate) fn keep(&self) {
        if self.figure_of.is_none() {
            store::keep(&*self.session);
        }
    }

    pub(crate) fn report(&mut self, done: Result<(), Refused>) {
        if let Err(refused) = done {
            self.ui.notice = Some(Notice {
                text: self.words.say(&refused),
                bad: true,
            });
        }
    }

    pub(crate) fn pause(&mut self) {
        self.ui.playing = false;
        self.timer = None;
    }

    #[inline(never)]
    fn apply(&mut self) {
        self.apply_with(|session, name| session.apply(name));
    }

    /// Applies the file that is shown, or more.
    #[inline(never)]
    pub(crate) fn apply_with(
        &mut self,
        apply: fn(&mut dyn SessionApi, &str) -> Result<(), Refused>,
    ) {
        self.pause();
        self.editor_settle();
        let Some(name) = self.files.get(self.ui.file).map(|file| file.name.clone()) else {
            return;
        };
        let done = apply(&mut *self.session, &name);
        let applied = done.is_ok();
        self.report(done);
        self.keep();
        if applied {
            self.open(Target::Cluster);
            self.ui.stage.refocus = None;
            self.ui.pane = Section::Explain;
            self.stepped = true;
        }
    }

    #[inline(never)]
    fn open_preset(&mut self, id: &'static str) {
        self.pause();
        let theme = self.ui.theme;
        let sizes = (self.ui.stage_size, self.ui.lanes_width);
        match store::open_preset(id) {
            Ok(session) => {
                self.session = session;
                self.ui = Ui {
                    theme,
                    stage_size: sizes.0,
                    lanes_width: sizes.1,
                    ..Ui::default()
                };
                self.explain = None;
            }
            Err(msg) => {
                self.ui.menu = None;
                self.report(Err(msg));
            }
        }
    }

    fn step(&mut self, size: Option<StepSize>) {
        self.pause();
        self.start_if_blank();
        let moved = self.session.step(size.unwrap_or(self.zoom()));
        self.stepped = moved;
        if !moved {
            self.ui.notice = Some(Notice {
                text: self.words.t("time.done").to_string(),
                bad: false,
            });
        }
    }

    /// A scenario without any command begins with applying the file that is shown.
    pub(crate) fn start_if_blank(&mut self) {
        if self.timeline.events == 0
            && self.view.cursor.event == 0
            && let Some(name) = self.files.get(self.ui.file).map(|file| file.name.clone())
        {
            let done = self.session.apply(&name);
            self.report(done);
        }
    }

    fn play(&mut self, ctx: &Context<App>) {
        if self.ui.playing {
            return self.pause();
        }
        self.start_if_blank();
        self.ui.playing = true;
        self.ui.notice = None;
        self.tick(ctx);
    }

    #[inline(never)]
    fn tick(&mut self, ctx: &Context<App>) {
        if !self.ui.playing {
            return;
        }
        let speed = SPEEDS
            .get(self.ui.speed)
            .map_or(Speed::Steps(1100), |speed| speed.0);
        let (size, wait) = match speed {
            Speed::Steps(ms) => (self.zoom(), ms),
            Speed::Clock(rate) => (
                StepSize::For(Nanos::from(FRAME_MS) * 1_000 * rate),
                FRAME_MS,
            ),
        };
        let before = self.view.cursor.event;
        let moved = self.session.step(size);
        if moved && self.broke(before) {
            return self.pause();
        }
        self.stepped = moved && matches!(speed, Speed::Steps(ms) if ms > 480);
        let view = self.session.view();
        let over = view.cursor.stable && view.faults.is_empty();
        if !moved || over {
            return self.pause();
        }
        let link = ctx.link().clone();
        self.timer = Some(Timeout::new(wait, move || link.send_message(Act::Tick)));
    }

    #[inline(never)]
    pub(crate) fn kubectl(&mut self, line: &str) {
        self.pause();
        let argv = split(line);
        let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
        let argv = argv.strip_prefix(&["kubectl"]).unwrap_or(&argv);
        let done = self.session.kubectl(argv);
        self.report(done);
        // The answer takes simulated time; the terminal shows what has been printed at the cursor.
        for _ in 0..400 {
            let entries = self.session.terminal();
            let answered = entries.last().is_none_or(|entry| entry.exit.is_some());
            if answered || !self.session.step(StepSize::Event) {
                break;
            }
        }
    }

    /// Keys that no control took; whether anything is to be drawn.
    #[inline(never)]
    fn key(&mut self, ctx: &Context<App>, event: &KeyboardEvent) -> bool {
        if event.alt_key() || event.default_prevented() {
            return false;
        }
        if event.ctrl_key() || event.meta_key() {
            if event.key() == "Enter" {
                self.apply();
                return true;
            }
            return false;
        }
        let dialog = self.ui.time.dialog.is_some();
        if (dialog || takes_keys(event)) && event.key() != "Escape" {
            return false;
        }
        let shift = event.shift_key();
        let act = match event.key().as_str() {
            " " => Act::Play,
            "ArrowRight" if shift => Act::Step(Some(StepSize::Phase)),
            "ArrowLeft" if shift => Act::Back(Some(StepSize::Phase)),
            "ArrowRight" => Act::Step(None),
            "ArrowLeft" => Act::Back(None),
            "Home" => Act::Seek(Seek::Event(0)),
            "End" => Act::End,
            "d" | "D" => Act::Step(Some(StepSize::NextDeadline)),
            "n" => Act::Time(crate::time_act::TimeAct::NextSelected(true)),
            "N" => Act::Time(crate::time_act::TimeAct::NextSelected(false)),
            "b" | "B" => Act::Time(crate::time_act::TimeAct::RunTo),
            "t" | "T" => Act::AsText,
            "?" => Act::Help(!self.ui.help),
            "1" => Act::Zoom(0),
            "2" => Act::Zoom(1),
            "3" => Act::Zoom(2),
            "4" => Act::Zoom(3),
            "Escape" => self.escape(),
            key => match self.ui.learn.key(key) {
                Some(act) => act,
                None => return false,
            },
        };
        event.prevent_default();
        self.act(ctx, act)
    }

    /// What Escape closes: the topmost thing.
    fn escape(&self) -> Act {
        if self.ui.time.dialog.is_some() {
            Act::Time(crate::time_act::TimeAct::Close)
        } else if let Some(act) = self.ui.learn.escape() {
            act
        } else if self.ui.help {
            Act::Help(false)
        } else if self.ui.menu.is_some() {
            Act::Menu(None)
        } else if self.ui.notice.is_some() {
            Act::Hush
        } else if self.ui.object.is_some() {
            Act::CloseObject
        } else if let Some(tab) = self.ui.tab {
            Act::Tab(tab)
        } else {
            Act::Stage(crate::zoom::StageAct::Out)
        }
    }

    /// Reads the sizes that the drawings need; asks for a new drawing when they changed.
    fn measure(&self, ctx: &Context<App>) {
        let size = |node: &NodeRef| {
            let element = node.cast::<web_sys::Element>()?;
            let (w, h) = (element.client_width(), element.client_height());
            (w > 0 && h > 0).then_some((w, h))
        };
        let stage = size(&self.figure).unwrap_or(self.ui.stage_size);
        let lanes = size(&self.strip).map_or(self.ui.lanes_width, |strip| strip.0);
        if stage != self.ui.stage_size || lanes != self.ui.lanes_width {
            ctx.link()
                .send_message(Act::Resize(stage.0, stage.1, lanes));
        }
    }
}

pub(crate) fn is_small() -> bool {
    motion::media("(max-width: 1180px)")
}

/// Whether the focused control needs plain keys for itself.
fn takes_keys(event: &KeyboardEvent) -> bool {
    let Some(element) = event.target_dyn_into::<web_sys::Element>() else {
        return false;
    };
    let typing = matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT");
    let role = element.get_attribute("role");
    let button = matches!(element.tag_name().as_str(), "BUTTON" | "A" | "SUMMARY")
        || role.as_deref() == Some("button");
    typing || button && (event.key() == " " || event.key() == "Enter")
}

/// Splits a command line into words; quotes group, a backslash takes the next character as it is.
pub fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = line.chars().take(4_000);
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(chars.next()),
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::split;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn command_lines_split_as_a_shell_does() {
        assert_eq!(split("get pods  -o wide"), ["get", "pods", "-o", "wide"]);
        assert_eq!(
            split(r#"patch x -p '{"a": 1}' "" a\ b"#),
            ["patch", "x", "-p", r#"{"a": 1}"#, "", "a b"]
        );
        assert_eq!(split("  "), Vec::<String>::new());
        assert_eq!(split("'open"), ["open"]);
    }
}
