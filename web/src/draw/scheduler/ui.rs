//! What the page remembers of the scheduler's inside, and what a person can do there.

use podscope_session::view::*;
use std::rc::Rc;

/// What a person does there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchedAct {
    /// Shows the attempt that begins with this event; none: the one nearest to the cursor.
    Attempt(Option<EventIndex>),
    /// Opens the inside of the scheduler at a Pod's last attempt.
    Why(ObjectRef),
    /// Opens or closes what decided a row of the filters, by one of its nodes.
    Verdict(Text),
    /// Opens or closes the arithmetic of a node's score.
    Sum(Text),
    /// Only rows with this in a name or a reason.
    Find(String),
    /// Only rows with this reason; empty: those that passed.
    Only(Option<Text>),
    /// Equal rows as one, or every node by itself.
    Groups(bool),
    /// Sorts the scores: by plugin, or by total.
    Sort(Option<u16>),
    /// More rows.
    More,
    /// The node that is asked about; none: any.
    To(Option<Text>),
    /// Asks what would make a Pod fit, or bring it to a node.
    Ask(ObjectRef, Option<Text>),
    /// Asks by how little another node would win.
    Sensitivity(ObjectRef),
    /// Tries an answer out in a future of its own.
    TryOut(u16),
    /// Closes the answers.
    Unask,
    /// Asks what would make the Pods of the file fit that is being written.
    Effect,
}

/// Answers as they were when asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The Pod.
    pub pod: ObjectRef,
    /// The moment.
    pub event: EventIndex,
    /// What would make it fit.
    pub answer: Option<Rc<WhatIfView>>,
    /// By how little another node would win.
    pub sensitivity: Option<Rc<SensitivityView>>,
}

/// What is remembered.
#[derive(Clone, Debug, Default)]
pub struct SchedUi {
    /// The attempt shown; none: the one nearest to the cursor.
    pub attempt: Option<EventIndex>,
    /// Nodes whose verdict or score is opened.
    pub verdict: Option<Text>,
    /// As `verdict`, for the arithmetic of the score.
    pub sum: Option<Text>,
    /// Only rows with this in a name or a reason.
    pub find: String,
    /// Only rows with this reason; empty: those that passed.
    pub only: Option<Text>,
    /// Equal rows are shown one by one.
    pub ungrouped: bool,
    /// Plugin by which the scores are sorted; else by total.
    pub sort: Option<u16>,
    /// How often more rows were wished for.
    pub more: usize,
    /// The node that is asked about; none: any.
    pub to: Option<Text>,
    /// What would make the Pods of a file fit: its name, its text, the answers.
    pub effect: Option<(Text, Text, Rc<[EffectAnswer]>)>,
    /// What was asked.
    pub asked: Option<Asked>,
}

impl SchedUi {
    /// How many rows are drawn.
    pub fn rows(&self) -> usize {
        super::ROWS.saturating_mul(self.more.saturating_add(1))
    }
}

fn toggle(open: &mut Option<Text>, node: Text) {
    *open = if open.as_ref() == Some(&node) {
        None
    } else {
        Some(node)
    };
}

impl crate::app::App {
    /// Does what was asked for in the scheduler's inside.
    #[inline(never)]
    pub(crate) fn sched_act(&mut self, act: SchedAct) {
        let ui = &mut self.ui.stage.sched;
        match act {
            SchedAct::Attempt(event) => {
                ui.attempt = event;
                (ui.verdict, ui.sum, ui.only, ui.more) = (None, None, None, 0);
            }
            SchedAct::Why(pod) => self.why(&pod),
            SchedAct::Verdict(node) => toggle(&mut ui.verdict, node),
            SchedAct::Sum(node) => toggle(&mut ui.sum, node),
            SchedAct::Find(text) => (ui.find, ui.more) = (text, 0),
            SchedAct::Only(reason) => (ui.only, ui.more) = (reason, 0),
            SchedAct::Groups(together) => ui.ungrouped = !together,
            SchedAct::Sort(plugin) => ui.sort = plugin,
            SchedAct::More => ui.more += 1,
            SchedAct::To(node) => ui.to = node,
            SchedAct::Ask(..) | SchedAct::Sensitivity(..) | SchedAct::TryOut(..) => {
                self.sched_ask(act);
            }
            SchedAct::Unask => ui.asked = None,
            SchedAct::Effect => {
                ui.effect = self.files.get(self.ui.file).map(|file| {
                    let answers = self.session.effect_answers(&file.name);
                    (file.name.clone(), file.text.clone(), answers)
                });
            }
        }
    }

    /// Opens the inside of the scheduler at a Pod's last attempt.
    fn why(&mut self, pod: &ObjectRef) {
        let last = self.session.last_attempt(pod);
        let scheduler = self.view.components.iter();
        let scheduler = scheduler
            .into_iter()
            .find(|c| c.kind == ComponentKind::Scheduler);
        if let Some(scheduler) = scheduler.map(|c| c.id) {
            self.open(Target::Component(scheduler));
        }
        let ui = &mut self.ui.stage.sched;
        ui.attempt = last;
        (ui.verdict, ui.sum, ui.only, ui.more) = (None, None, None, 0);
        ui.find.clear();
        if crate::app::is_small() {
            self.ui.pane = crate::state::Section::Cluster;
        }
    }

    #[inline(never)]
    fn sched_ask(&mut self, act: SchedAct) {
        let event = self.view.cursor.event;
        let ui = &mut self.ui.stage.sched;
        match act {
            SchedAct::Ask(pod, node) => {
                let answer = self.session.what_if(&pod, node.as_deref());
                let sensitivity = None;
                ui.asked = Some(Asked {
                    pod,
                    event,
                    answer,
                    sensitivity,
                });
            }
            SchedAct::Sensitivity(pod) => {
                let sensitivity = self.session.sensitivity(&pod);
                let answer = None;
                ui.asked = Some(Asked {
                    pod,
                    event,
                    answer,
                    sensitivity,
                });
            }
            SchedAct::TryOut(number) => {
                let answer = ui.asked.as_ref().and_then(|asked| asked.answer.clone());
                let mut answers = answer.iter().flat_map(|view| view.answers.iter());
                let Some(answer) = answers.nth(usize::from(number)) else {
                    return;
                };
                ui.asked = None;
                ui.attempt = None;
                self.pause();
                let done = self.session.try_out(answer);
                let good = done.is_ok();
                self.report(done);
                if good {
                    self.keep();
                    self.ui.notice = Some(crate::state::Notice {
                        text: self.words.t("sched.tried-out").to_string(),
                        bad: false,
                    });
                }
            }
            _ => {}
        }
    }
}
