//! What the page itself remembers, and what a person can do to it.

use podscope_session::view::*;
use std::rc::Rc;
use yew::prelude::*;

/// Tabs of the inspector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    /// Tables and YAML.
    Objects,
    /// Kubernetes Events.
    Events,
    /// Keys and revisions.
    Etcd,
    /// The matrix.
    Scheduler,
    /// Runtime view.
    Node,
    /// Rules, and a request through them.
    Network,
    /// The whole trace.
    Log,
    /// The terminal.
    Kubectl,
}

/// All tabs with their word.
pub const TABS: [(Tab, &str); 8] = [
    (Tab::Objects, "tab.objects"),
    (Tab::Events, "tab.events"),
    (Tab::Etcd, "tab.etcd"),
    (Tab::Scheduler, "tab.scheduler"),
    (Tab::Node, "tab.node"),
    (Tab::Network, "tab.network"),
    (Tab::Log, "tab.log"),
    (Tab::Kubectl, "tab.kubectl"),
];

/// The pane in focus on small screens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Explain.
    Explain,
    /// Manifest.
    Manifest,
    /// Stage alone.
    Cluster,
    /// Inspector.
    Inspect,
}

impl Section {
    /// As the `data-pane` attribute.
    pub fn name(self) -> &'static str {
        match self {
            Section::Explain => "explain",
            Section::Manifest => "manifest",
            Section::Cluster => "cluster",
            Section::Inspect => "inspect",
        }
    }
}

/// An open menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Menu {
    /// Lessons.
    Lessons,
    /// Example manifests.
    Examples,
    /// The editor's tools.
    Editor,
    /// Themes.
    Theme,
    /// Faults.
    Faults,
    /// Sharing and exporting.
    Share,
    /// Jumps, breakpoints, futures.
    Jump,
    /// Everything that does not fit a phone's bar.
    More,
}

/// A theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// As the system.
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
    /// High contrast.
    Contrast,
}

/// All themes with their word and attribute.
pub const THEMES: [(Theme, &str, &str); 4] = [
    (Theme::System, "theme.system", ""),
    (Theme::Light, "theme.light", "light"),
    (Theme::Dark, "theme.dark", "dark"),
    (Theme::Contrast, "theme.contrast", "contrast"),
];

/// Step sizes of the zoom control with their word.
pub const ZOOMS: [(StepSize, &str); 4] = [
    (StepSize::Phase, "zoom.phase"),
    (StepSize::Action, "zoom.action"),
    (StepSize::Call, "zoom.call"),
    (StepSize::Event, "zoom.field"),
];

/// A way to play.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speed {
    /// One step every so many milliseconds.
    Steps(u32),
    /// Simulated seconds per second, in thousandths.
    Clock(u64),
}

/// All speeds with their word.
pub const SPEEDS: [(Speed, &str); 8] = [
    (Speed::Steps(2400), "speed.slow"),
    (Speed::Steps(1100), "speed.normal"),
    (Speed::Steps(350), "speed.fast"),
    (Speed::Clock(100), "speed.tenth"),
    (Speed::Clock(1_000), "speed.real"),
    (Speed::Clock(10_000), "speed.10"),
    (Speed::Clock(100_000), "speed.100"),
    (Speed::Clock(1_000_000), "speed.1000"),
];

/// What a person can do.
#[derive(Clone, Debug)]
pub enum Act {
    /// In the editor.
    Editor(crate::panel::editor::ui::EditorAct),
    /// Applies the current file.
    Apply,
    /// Shows a file.
    File(usize),
    /// Opens a preset.
    Preset(&'static str),
    /// Steps forward by the zoom, or by the size given.
    Step(Option<StepSize>),
    /// Steps back.
    Back(Option<StepSize>),
    /// Goes anywhere.
    Seek(Seek),
    /// To the end of what is known.
    End,
    /// Plays or pauses.
    Play,
    /// The play timer fired.
    Tick,
    /// Chooses a speed by index.
    Speed(usize),
    /// Chooses the step size by index of [`ZOOMS`].
    Zoom(usize),
    /// Opens the inside of something, or the cluster.
    Open(Target),
    /// Something else on the stage.
    Stage(crate::zoom::StageAct),
    /// In the scheduler's inside.
    Sched(crate::draw::scheduler::ui::SchedAct),
    /// Shows the stage as text or as a picture.
    AsText,
    /// Opens or closes an inspector tab.
    Tab(Tab),
    /// Shows an object.
    Object(ObjectRef),
    /// Shows a revision of it.
    Revision(u64),
    /// Back to the tables.
    CloseObject,
    /// Opens or closes a menu.
    Menu(Option<Menu>),
    /// Chooses a theme.
    Theme(Theme),
    /// A small screen's pane.
    Section(Section),
    /// A data tab of the explanation.
    ExplainTab(usize),
    /// Time, and what leaves the page.
    Time(crate::time_act::TimeAct),
    /// Lessons, predictions, the glossary.
    Learn(crate::learn::LearnAct),
    /// Shows or hides the shortcuts.
    Help(bool),
    /// A key that no control took.
    Key(KeyboardEvent),
    /// The stage has this size; the lanes this width.
    Resize(i32, i32, i32),
    /// Clears the status line.
    Hush,
    /// Something in the inspector, or a fault.
    Inspect(crate::panel::inspector::InspectAct),
    /// Goes to a named moment.
    Moment(String),
    /// Stops playing.
    Pause,
    /// Switches to another future.
    Switch(u32),
}

/// A message to the person, above everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its text.
    pub text: String,
    /// It tells of a failure.
    pub bad: bool,
}

/// The page's own state.
#[derive(Clone, Debug)]
pub struct Ui {
    /// Index of the file shown.
    pub file: usize,
    /// The editor.
    pub editor: crate::panel::editor::ui::EditorUi,
    /// Whether it plays.
    pub playing: bool,
    /// Index into [`SPEEDS`].
    pub speed: usize,
    /// Index into [`ZOOMS`].
    pub zoom: usize,
    /// What the stage shows.
    pub target: Target,
    /// What the stage remembers.
    pub stage: crate::zoom::StageUi,
    /// The stage is shown as text.
    pub as_text: bool,
    /// Open tab of the inspector.
    pub tab: Option<Tab>,
    /// Object shown in it.
    pub object: Option<ObjectRef>,
    /// Its revision.
    pub revision: Option<u64>,
    /// Filter of the events.
    pub filter: String,
    /// The inspector and the faults' menu.
    pub inspector: crate::panel::inspector::InspectorUi,
    /// Open menu.
    pub menu: Option<Menu>,
    /// Theme.
    pub theme: Theme,
    /// Section of a small screen.
    pub pane: Section,
    /// Data tab of the explanation.
    pub explain_tab: usize,
    /// Lessons, predictions, the glossary.
    pub learn: crate::learn::LearnUi,
    /// Shortcuts are shown.
    pub help: bool,
    /// Size of the stage's figure, width of the lanes.
    pub stage_size: (i32, i32),
    /// Width of the lanes.
    pub lanes_width: i32,
    /// Status line.
    pub notice: Option<Notice>,
    /// Breakpoints, open dialogue.
    pub time: crate::time_act::TimeUi,
}

impl Default for Ui {
    fn default() -> Ui {
        Ui {
            file: 0,
            editor: Default::default(),
            playing: false,
            speed: 1,
            zoom: 1,
            target: Target::Cluster,
            stage: Default::default(),
            as_text: false,
            tab: None,
            object: None,
            revision: None,
            filter: String::new(),
            inspector: Default::default(),
            menu: None,
            theme: Theme::System,
            pane: Section::Explain,
            explain_tab: 0,
            learn: Default::default(),
            help: false,
            stage_size: (720, 436),
            lanes_width: 1440,
            notice: None,
            time: crate::time_act::TimeUi::default(),
        }
    }
}

/// What every panel draws from.
pub struct Scene<'a> {
    /// The page's own state.
    pub ui: &'a Ui,
    /// The cluster.
    pub view: &'a Rc<ClusterView>,
    /// Past and future.
    pub timeline: &'a Rc<TimelineView>,
    /// Files.
    pub files: &'a Rc<[FileView]>,
    /// The session, for what is shown only when asked for.
    pub session: &'a dyn podscope_session::api::SessionApi,
    /// Words.
    pub words: &'a crate::words::Words,
    /// Where acts go.
    pub on: &'a Callback<Act>,
}

impl Scene<'_> {
    /// A callback that does one thing whatever the event.
    pub fn act<E: 'static>(&self, act: Act) -> Callback<E> {
        self.on.reform(move |_| act.clone())
    }
    /// A word.
    pub fn t(&self, code: &str) -> AttrValue {
        self.words.t(code)
    }
}
