//! Learning: a running lesson, answers to predictions, the glossary. What it remembers and does.

use crate::app::App;
use crate::state::{Act, Section, Ui};
use crate::store;
use crate::words::{self, Words};
use gloo_timers::callback::Timeout;
use podscope_lesson::catalogue::Catalogue;
use podscope_lesson::glossary::{Glossary, See};
use podscope_lesson::lessons;
use podscope_session::api::Source;
use podscope_session::lesson::{Lesson, LessonStep};
use podscope_session::lesson_view::LessonView;
use podscope_session::view::*;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use yew::prelude::*;

/// What a person can do while learning.
#[derive(Clone, Debug, PartialEq)]
pub enum LearnAct {
    /// Starts a lesson.
    Start(&'static str),
    /// Goes on with the lesson that was left.
    Resume,
    /// Leaves it.
    Leave,
    /// To the next step.
    Next,
    /// To the step before.
    Back,
    /// Does what the step asks.
    ShowMe,
    /// Shows the engine's explanation instead of the lesson, or the lesson again.
    Explain(bool),
    /// Opens the glossary, at a term when one is named.
    Glossary(String),
    /// Closes it.
    CloseGlossary,
    /// Goes to where a term can be seen.
    See(See),
    /// Answers a prediction.
    Answer(PredictView, u16),
    /// Skips one.
    Skip(EventIndex),
    /// The next click on a node answers the prediction; or no more.
    Pick(Option<PredictView>),
}

/// An answer that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Which prediction: the event that shows it.
    pub event: EventIndex,
    /// The answer; `None`: skipped.
    pub answer: Option<u16>,
    /// It was right.
    pub right: bool,
}

/// What the page remembers of learning.
#[derive(Clone, Debug, Default)]
pub struct LearnUi {
    /// The lesson that runs, or was left.
    pub lesson: Option<Running>,
    /// The glossary is open at this term (empty: at none).
    pub glossary: Option<String>,
    /// Answers given so far.
    pub given: Vec<Given>,
    /// A node on the stage answers this.
    pub picking: Option<PredictView>,
}

/// A lesson that runs.
#[derive(Clone, Debug)]
pub struct Running {
    /// Its name.
    pub id: &'static str,
    /// What it does.
    pub lesson: Rc<Lesson>,
    /// Its prose.
    pub prose: Rc<Catalogue>,
    /// Where it is, from 0.
    pub step: usize,
    /// How that step stands at the cursor.
    pub view: Option<LessonView>,
    /// What was asked in this step.
    pub asked: Option<PredictView>,
    /// It was left; it can be resumed.
    pub left: bool,
    /// The engine's explanation is shown instead.
    pub explain: bool,
}

impl Running {
    /// The step.
    pub fn step(&self) -> Option<&LessonStep> {
        self.lesson.steps.get(self.step)
    }
    /// Whether the next step may come.
    pub fn met(&self) -> bool {
        self.view.as_ref().is_some_and(|view| view.met)
    }
    /// A part of the step's prose with this run's facts in it.
    pub fn part(&self, words: &Words, name: &str) -> Option<String> {
        let code = [&self.step()?.id, ".", name].concat();
        let facts = self.view.as_ref().map_or(&[][..], |view| &view.facts);
        let facts = words::named(facts);
        let own = ["lesson.", self.id, ".", &code].concat();
        words.try_say(&own, &facts).or_else(|| {
            self.prose.get(&code)?;
            Some(self.prose.say(&code, &facts))
        })
    }
    /// A word of the whole lesson.
    pub fn word(&self, words: &Words, name: &str) -> String {
        let own = ["lesson.", self.id, ".", name].concat();
        let said = words.try_say(&own, &[]);
        said.unwrap_or_else(|| self.prose.say(name, &[]))
    }
}

impl LearnUi {
    /// The lesson, when it is shown.
    pub fn running(&self) -> Option<&Running> {
        self.lesson.as_ref().filter(|lesson| !lesson.left)
    }
    /// The answer given to a prediction.
    pub fn given(&self, event: EventIndex) -> Option<&Given> {
        self.given.iter().find(|given| given.event == event)
    }
    /// How many predictions were answered, and how many of them right.
    pub fn count(&self) -> (usize, usize) {
        let answered = self.given.iter().filter(|given| given.answer.is_some());
        (
            answered.count(),
            self.given.iter().filter(|given| given.right).count(),
        )
    }
    /// What Escape closes here.
    pub fn escape(&self) -> Option<Act> {
        if self.glossary.is_some() {
            Some(Act::Learn(LearnAct::CloseGlossary))
        } else if self.picking.is_some() {
            Some(Act::Learn(LearnAct::Pick(None)))
        } else {
            None
        }
    }
    /// A key of the lesson.
    #[inline(never)]
    pub fn key(&self, key: &str) -> Option<Act> {
        if matches!(key, "g" | "G") {
            return Some(Act::Learn(LearnAct::Glossary(String::new())));
        }
        self.running()?;
        Some(Act::Learn(match key {
            "j" | "J" => LearnAct::Next,
            "k" | "K" => LearnAct::Back,
            "m" | "M" => LearnAct::ShowMe,
            _ => return None,
        }))
    }
}

thread_local! {
    static GLOSSARY: std::cell::OnceCell<Rc<Glossary>> = const { std::cell::OnceCell::new() };
}

/// The glossary in the page's language, read when it is first asked for.
#[inline(never)]
pub fn glossary(words: &Words) -> Rc<Glossary> {
    let read = || {
        let glossary = Glossary::read(lessons::glossary());
        Rc::new(glossary.translated(|code| words.try_say(code, &[])))
    };
    GLOSSARY.with(|cell| cell.get_or_init(read).clone())
}

/// A lesson's prose.
#[inline(never)]
pub fn prose(id: &str) -> Catalogue {
    Catalogue::read(&[lessons::prose(id).unwrap_or_default()])
}

impl App {
    /// Does what was asked; whether anything is to be drawn.
    #[inline(never)]
    pub fn learn_act(&mut self, act: LearnAct) -> bool {
        match act {
            LearnAct::Start(id) => self.lesson_start(id, 0),
            LearnAct::Resume => self.lesson_resume(),
            LearnAct::Leave => {
                if let Some(lesson) = &mut self.ui.learn.lesson {
                    lesson.left = true;
                }
                self.ui.learn.picking = None;
            }
            LearnAct::Next => self.lesson_go(1),
            LearnAct::Back => self.lesson_go(-1),
            LearnAct::ShowMe => self.lesson_show(),
            LearnAct::Explain(explain) => {
                if let Some(lesson) = &mut self.ui.learn.lesson {
                    lesson.explain = explain;
                }
            }
            LearnAct::Glossary(term) => {
                self.ui.menu = None;
                self.ui.help = false;
                self.ui.learn.glossary = Some(term);
            }
            LearnAct::CloseGlossary => self.ui.learn.glossary = None,
            LearnAct::See(see) => self.see(&see),
            LearnAct::Answer(predict, answer) => self.answer(&predict, Some(answer)),
            LearnAct::Skip(event) => {
                self.ui.learn.picking = None;
                self.ui.learn.given.push(Given {
                    event,
                    answer: None,
                    right: false,
                });
            }
            LearnAct::Pick(predict) => {
                if predict.is_some() {
                    self.ui.target = Target::Cluster;
                    self.ui.as_text = false;
                }
                self.ui.learn.picking = predict;
            }
        }
        true
    }

    /// A click on the stage while a node is asked for: answers instead of opening it.
    #[inline(never)]
    pub fn learn_pick(&mut self, target: &Target) -> bool {
        let (Some(predict), Target::Node(name)) = (self.ui.learn.picking.clone(), target) else {
            return false;
        };
        let named = |option: &Msg| {
            option
                .args
                .iter()
                .any(|(_, arg)| matches!(arg, Arg::Text(text) if text == name))
        };
        let Some(answer) = predict.options.iter().position(named) else {
            return false;
        };
        self.answer(&predict, u16::try_from(answer).ok());
        true
    }

    fn answer(&mut self, predict: &PredictView, answer: Option<u16>) {
        self.ui.learn.picking = None;
        if self.ui.learn.given(predict.event).is_none() {
            self.ui.learn.given.push(Given {
                event: predict.event,
                answer,
                right: answer == Some(predict.answer),
            });
        }
    }

    #[inline(never)]
    fn lesson_start(&mut self, id: &'static str, step: usize) {
        self.pause();
        let lesson = match Lesson::named(id) {
            Ok(lesson) => lesson,
            Err(error) => return self.complain(error.to_string()),
        };
        let session = match crate::engine::open(Source::Lesson(&lesson)) {
            Ok(session) => session,
            Err(msg) => return self.report(Err(msg)),
        };
        self.session = session;
        for i in 0..step.min(lesson.steps.len()) {
            self.session.show_lesson(&lesson, i).ok();
        }
        self.ui = Ui {
            theme: self.ui.theme,
            stage_size: self.ui.stage_size,
            lanes_width: self.ui.lanes_width,
            ..Ui::default()
        };
        self.explain = None;
        self.ui.learn.lesson = Some(Running {
            id,
            prose: Rc::new(prose(id)),
            step: step.min(lesson.steps.len().saturating_sub(1)),
            lesson,
            view: None,
            asked: None,
            left: false,
            explain: false,
        });
        self.lesson_arrived();
    }

    fn lesson_resume(&mut self) {
        self.ui.menu = None;
        if let Some(lesson) = &mut self.ui.learn.lesson {
            lesson.left = false;
            self.ui.pane = Section::Explain;
            return;
        }
        if let Some((id, step)) = store::kept_lesson() {
            self.lesson_start(id, step);
        }
    }

    /// A step on or back. On only when its gate is met; back to the moment where that step ended.
    #[inline(never)]
    fn lesson_go(&mut self, by: isize) {
        let Some(running) = self.ui.learn.running() else {
            return;
        };
        let last = running.lesson.steps.len().saturating_sub(1);
        let Some(to) = running.step.checked_add_signed(by).filter(|to| *to <= last) else {
            return;
        };
        if by > 0 && !running.met() {
            let text = self.words.t("lesson.not-yet").to_string();
            self.ui.notice = Some(crate::state::Notice { text, bad: false });
            return;
        }
        let lesson = running.lesson.clone();
        self.pause();
        if by < 0 {
            let moment = self
                .session
                .lesson(&lesson, to)
                .and_then(|view| view.moment);
            if let Some(moment) = moment {
                self.session.seek(Seek::Event(moment));
            }
        }
        if let Some(running) = &mut self.ui.learn.lesson {
            running.step = to;
            running.view = None;
            running.asked = None;
            running.explain = false;
        }
        self.ui.target = Target::Cluster;
        self.ui.notice = None;
        self.ui.learn.picking = None;
        self.lesson_arrived();
    }

    /// A new step is on show: kept for later, and its title takes the keyboard.
    fn lesson_arrived(&mut self) {
        self.ui.explain_tab = 0;
        self.ui.pane = Section::Explain;
        if let Some(running) = self.ui.learn.running() {
            store::keep_lesson(running.id, running.step);
        }
        Timeout::new(0, || focus("lesson-title")).forget();
    }

    #[inline(never)]
    fn lesson_show(&mut self) {
        self.pause();
        let Some(running) = self.ui.learn.running().filter(|running| !running.met()) else {
            return;
        };
        let (lesson, step) = (running.lesson.clone(), running.step);
        let done = self.session.show_lesson(&lesson, step);
        self.stepped = done.is_ok();
        self.report(done);
        self.ui.learn.picking = None;
    }

    /// Looks at the lesson's gate anew. Called whenever anything may have changed.
    pub fn learn_refresh(&mut self) {
        if self.ui.learn.lesson.is_some() {
            self.lesson_refresh();
        }
    }

    #[inline(never)]
    fn lesson_refresh(&mut self) {
        let Some(mut running) = self.ui.learn.lesson.take() else {
            return;
        };
        let was = running.view.as_ref().map(|view| view.met);
        running.view = self.session.lesson(&running.lesson, running.step);
        if running.asked.is_none() {
            running.asked = running.view.as_ref().and_then(|view| view.predict.clone());
        }
        let gated = running.step().is_some_and(|step| step.gate.is_some());
        let arrived = was == Some(false) || was.is_none();
        if running.met() && arrived && !running.left {
            let open = running.view.as_ref().and_then(|view| view.open.clone());
            if let Some(target) = open {
                self.ui.target = target;
            }
            if gated && was == Some(false) {
                self.pause();
                let done = running
                    .part(&self.words, "done")
                    .unwrap_or_default()
                    .replace('`', "");
                let next = self.words.t("lesson.next");
                self.spoken = AttrValue::from([&done, " ", &*next].concat());
            }
        }
        self.ui.learn.lesson = Some(running);
    }

    /// Goes to where a term can be seen.
    #[inline(never)]
    fn see(&mut self, see: &See) {
        self.ui.learn.glossary = None;
        self.pause();
        match see {
            See::Event(code) => match self.session.find_event(code) {
                Some(event) => {
                    self.session.seek(Seek::Event(event));
                    self.ui.target = Target::Cluster;
                    self.ui.pane = Section::Explain;
                    if let Some(running) = &mut self.ui.learn.lesson {
                        running.explain = true;
                    }
                }
                None => {
                    let text = self.words.t("glossary.not-here").to_string();
                    self.ui.notice = Some(crate::state::Notice { text, bad: false });
                }
            },
            See::Open(name) => {
                if let Some(target) = self.session.target(name) {
                    self.ui.target = target;
                    self.ui.as_text = false;
                    self.ui.pane = Section::Cluster;
                }
            }
            See::Tab(name) => {
                let code = ["tab.", name].concat();
                let tab = crate::state::TABS.iter().find(|(_, word)| *word == code);
                if let Some((tab, _)) = tab {
                    self.ui.tab = Some(*tab);
                    self.ui.pane = Section::Inspect;
                }
            }
            See::Nothing => {}
        }
    }

    fn complain(&mut self, text: String) {
        self.ui.notice = Some(crate::state::Notice { text, bad: true });
    }
}

/// Puts the keyboard at an element.
fn focus(id: &str) {
    let document = web_sys::window().and_then(|window| window.document());
    let element = document.and_then(|document| document.get_element_by_id(id));
    if let Some(element) = element.and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok()) {
        element.focus().ok();
    }
}

/// Where a lesson's words come from, for menus: its title and what it is about.
pub fn about(words: &Words, id: &str) -> (String, String) {
    let prose = prose(id);
    let word = |name: &str| {
        let own = words.try_say(&["lesson.", id, ".", name].concat(), &[]);
        own.unwrap_or_else(|| prose.say(name, &[]))
    };
    (word("title"), word("summary"))
}

/// The glossary's own words for a place to see a term.
pub fn see_word(words: &Words, see: &See) -> Option<AttrValue> {
    Some(match see {
        See::Event(_) => words.t("glossary.see.event"),
        See::Open(_) => words.t("glossary.see.open"),
        See::Tab(_) => words.t("glossary.see.tab"),
        See::Nothing => return None,
    })
}
