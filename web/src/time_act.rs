//! What a person can do with time and with what leaves the page: jumps, breakpoints, futures,
//! copies, downloads, imports.

use crate::app::App;
use crate::panel::exchange::{self, What};
use crate::state::{Act, Notice};
use crate::store;
use podscope_session::api::Source;
use podscope_session::import;
use podscope_session::view::*;
use std::rc::Rc;
use yew::prelude::*;

/// An act of this area.
#[derive(Clone, Debug)]
pub enum TimeAct {
    /// To the next event of the selected object, or to the one before.
    NextOf(ObjectRef, bool),
    /// Chooses the kind of the breakpoint in the making.
    BreakKind(usize),
    /// Narrows it.
    BreakValue(String),
    /// Sets it.
    AddBreak,
    /// Takes one away.
    RemoveBreak(usize),
    /// The same for the object that is selected; by a key.
    NextSelected(bool),
    /// Runs to the next breakpoint.
    RunTo,
    /// Puts two futures side by side.
    Compare(u32, u32),
    /// Goes to a moment of a future.
    GoTo(u32, EventIndex),
    /// Copies something.
    Copy(What),
    /// The clipboard answered.
    Copied(What, bool),
    /// Offers something as a download.
    Download(What),
    /// A download could not be made.
    Refused(What),
    /// Opens the dialogue that imports.
    Import,
    /// Its text is now this; with the name of the file it came from.
    ImportText(String, String),
    /// A file could not be read: a code of the catalogue.
    ImportRefused(&'static str),
    /// Opens what was imported.
    ImportOpen,
    /// Closes the dialogue.
    Close,
}

/// An open dialogue.
#[derive(Clone, Debug, PartialEq)]
pub enum Dialog {
    /// Two futures side by side.
    Compare(Rc<CompareView>),
    /// A text that clipboard or download refused: its title and itself.
    Text(&'static str, Rc<str>),
    /// Importing.
    Import(Draft),
}

/// What is being imported.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    /// The text.
    pub text: Rc<str>,
    /// The file that it came from; empty when pasted.
    pub name: Rc<str>,
    /// What can be made of it; `None` while there is no text.
    pub found: Option<Result<Imported, Msg>>,
}

/// What the page remembers for this area.
#[derive(Clone, Debug, Default)]
pub struct TimeUi {
    /// Breakpoints that are set.
    pub breaks: Rc<Vec<Breakpoint>>,
    /// Index of the kind of the one in the making.
    pub kind: usize,
    /// What it is narrowed by.
    pub value: String,
    /// Open dialogue.
    pub dialog: Option<Dialog>,
}

/// The most breakpoints.
pub const MAX_BREAKS: usize = 12;

impl App {
    /// Does what was asked; whether anything is to be drawn.
    #[inline(never)]
    pub fn time_act(&mut self, ctx: &Context<App>, act: TimeAct) -> bool {
        match act {
            TimeAct::NextOf(object, forward) => {
                self.pause();
                match self.session.next_of(&object, forward) {
                    Some(event) => self.session.seek(Seek::Event(event)),
                    None => self.note("jump.no-more", "object", &object.name),
                }
            }
            TimeAct::BreakKind(kind) => {
                self.ui.time.kind = kind;
                self.ui.time.value.clear();
            }
            TimeAct::BreakValue(value) => self.ui.time.value = value,
            TimeAct::AddBreak => self.add_break(),
            TimeAct::RemoveBreak(i) => {
                let breaks = Rc::make_mut(&mut self.ui.time.breaks);
                if i < breaks.len() {
                    breaks.remove(i);
                }
            }
            TimeAct::NextSelected(forward) => {
                let in_focus = self.view.focus.objects.first();
                if let Some(object) = self.ui.object.as_ref().or(in_focus).cloned() {
                    return self.time_act(ctx, TimeAct::NextOf(object, forward));
                }
                self.note("jump.no-object", "", "");
            }
            TimeAct::RunTo => self.run_to(),
            TimeAct::Compare(left, right) => {
                self.pause();
                self.ui.menu = None;
                self.ui.time.dialog = self.session.compare(left, right).map(Dialog::Compare);
            }
            TimeAct::GoTo(fork, event) => {
                self.pause();
                self.ui.time.dialog = None;
                let current = self
                    .timeline
                    .forks
                    .iter()
                    .any(|f| f.id == fork && f.current);
                let done = if current {
                    Ok(())
                } else {
                    self.session.switch(fork)
                };
                if done.is_ok() {
                    self.session.seek(Seek::Event(event));
                }
                self.report(done);
            }
            TimeAct::Copy(what) => {
                let Some(text) = exchange::text(self, what) else {
                    return self.time_act(ctx, TimeAct::Refused(what));
                };
                let link = ctx.link().clone();
                store::copy(&text, move |done| {
                    link.send_message(Act::Time(TimeAct::Copied(what, done)));
                });
            }
            TimeAct::Copied(_, true) => {
                self.ui.menu = None;
                self.note("share.copied", "", "");
            }
            TimeAct::Download(what) => exchange::download(self, ctx, what),
            TimeAct::Copied(what, false) | TimeAct::Refused(what) => {
                self.ui.menu = None;
                match exchange::text(self, what) {
                    Some(text) => {
                        self.ui.time.dialog = Some(Dialog::Text(what.title(), text.into()));
                    }
                    None => self.fail("share.no-picture"),
                }
            }
            TimeAct::Import => {
                self.pause();
                self.ui.menu = None;
                self.ui.time.dialog = Some(Dialog::Import(Draft::default()));
            }
            TimeAct::ImportText(text, name) => {
                let found = (!text.trim().is_empty()).then(|| import::read(&text));
                self.ui.time.dialog = Some(Dialog::Import(Draft {
                    text: text.into(),
                    name: name.into(),
                    found,
                }));
            }
            TimeAct::ImportRefused(code) => {
                self.ui.time.dialog = Some(Dialog::Import(Draft {
                    found: Some(Err(Msg::plain(code))),
                    ..Draft::default()
                }));
            }
            TimeAct::ImportOpen => self.import_open(),
            TimeAct::Close => self.ui.time.dialog = None,
        }
        true
    }

    fn add_break(&mut self) {
        let kinds = self.session.breakpoint_kinds();
        let Some(kind) = kinds.get(self.ui.time.kind) else {
            return;
        };
        let value = std::mem::take(&mut self.ui.time.value);
        let value = value.trim();
        if value.is_empty() && kind.param == BreakParam::Code {
            return self.fail("break.code-missing");
        }
        let new = Breakpoint {
            kind: kind.name.into(),
            value: value.into(),
        };
        let breaks = Rc::make_mut(&mut self.ui.time.breaks);
        if breaks.len() < MAX_BREAKS && !breaks.contains(&new) {
            breaks.push(new);
        }
    }

    fn run_to(&mut self) {
        self.pause();
        self.ui.menu = None;
        self.start_if_blank();
        let breaks = self.ui.time.breaks.clone();
        match self.session.run_to(&breaks) {
            Ok(hit) => self.stopped(&hit),
            Err(refused) => self.report(Err(refused)),
        }
    }

    /// Called by play after each step: goes back to the first breakpoint that the step passed.
    /// Whether there was one.
    #[inline(never)]
    pub fn broke(&mut self, before: EventIndex) -> bool {
        if self.ui.time.breaks.is_empty() {
            return false;
        }
        let after = self.session.view().cursor.event;
        let breaks = self.ui.time.breaks.clone();
        let Some(hit) = self.session.met(&breaks, before, after) else {
            return false;
        };
        self.session.seek(Seek::Event(hit.event));
        self.stopped(&hit);
        true
    }

    fn stopped(&mut self, hit: &BreakHit) {
        let breaks = self.ui.time.breaks.clone();
        let Some(met) = breaks.get(usize::from(hit.index)) else {
            return;
        };
        let what = crate::panel::breakpoints::name(&self.words, met);
        let object = hit.object.as_ref().map_or("", |object| &*object.name);
        let args = vec![
            ("what", Arg::Text(what.into())),
            ("object", Arg::Text(object.into())),
            ("at", Arg::At(hit.at)),
        ];
        let code = if object.is_empty() {
            "break.met-plain"
        } else {
            "break.met"
        };
        self.ui.notice = Some(Notice {
            text: self.words.say(&Msg::new(code, args)),
            bad: false,
        });
    }

    fn note(&mut self, code: &str, name: &str, text: &str) {
        self.ui.notice = Some(Notice {
            text: self.words.t1(code, name, text).to_string(),
            bad: false,
        });
    }

    fn fail(&mut self, code: &str) {
        self.ui.notice = Some(Notice {
            text: self.words.t(code).to_string(),
            bad: true,
        });
    }

    fn import_open(&mut self) {
        let Some(Dialog::Import(draft)) = &self.ui.time.dialog else {
            return;
        };
        let Some(Ok(found)) = draft.found.clone() else {
            return;
        };
        match crate::engine::open(Source::Scenario(&found.scenario)) {
            Ok(session) => {
                let theme = self.ui.theme;
                self.session = session;
                self.explain = None;
                self.ui = crate::state::Ui {
                    theme,
                    stage_size: self.ui.stage_size,
                    lanes_width: self.ui.lanes_width,
                    ..crate::state::Ui::default()
                };
                let text = self.words.say(&found.what);
                self.ui.notice = Some(Notice { text, bad: false });
                self.keep();
            }
            Err(msg) => {
                if let Some(Dialog::Import(draft)) = &mut self.ui.time.dialog {
                    draft.found = Some(Err(msg));
                }
            }
        }
    }
}
