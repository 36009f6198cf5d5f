//! A lesson: a scenario told in steps, each gated on what the engine does. Its file is described in
//! `docs/lessons.md`; its prose lies in `content/<locale>/lessons`.

use crate::lesson_text;
use crate::scenario::{Expectation, ScenarioError};
use std::rc::Rc;

/// The version of the format that this program reads.
pub const VERSION: u32 = 1;
/// The longest lesson text that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 18;
/// The most steps.
pub const MAX_STEPS: usize = 64;
/// The most facts of a step.
pub const MAX_FACTS: usize = 32;

/// A lesson as written in its file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lesson {
    /// The format's version: 1.
    pub lesson: u32,
    /// The preset whose scenario it plays.
    pub scenario: String,
    /// The scenario's commands are left to the learner; only its cluster and files are there.
    pub by_hand: bool,
    /// Its steps.
    pub steps: Vec<LessonStep>,
    /// What must be true when all steps were shown.
    pub expect: Vec<Expectation>,
}

/// A step of a lesson.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LessonStep {
    /// Its name: the section of its prose.
    pub id: String,
    /// What the stage opens: see [`crate::lesson_view::target`]; left as it is when empty.
    pub open: String,
    /// What must have happened before the next step; `None` for a step that is only read.
    pub gate: Option<Gate>,
    /// What "show me" does: `apply FILE`, `kubectl …`, `fault …`; it goes to the gate's moment when empty.
    pub show: String,
    /// The kind of question that is asked before the gate is met.
    pub predict: String,
    /// Names in the prose, and where this run has their values.
    pub facts: Vec<(String, Fact)>,
    /// Where to go from here, at the end.
    pub suggest: Vec<Suggestion>,
}

/// What the engine must have done. All that is given must be so of one event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gate {
    /// A trace code.
    pub event: String,
    /// A phase such as `phase.scheduler` begins.
    pub phase: String,
    /// The event's object has this kind.
    pub kind: String,
    /// The event's object has this in its name.
    pub object: String,
    /// Arguments of the event as `name=value`.
    pub with: Vec<String>,
    /// The object as stored then has `path=value`.
    pub stored: Vec<String>,
    /// How many such events it takes since the step before; 1 when left out.
    pub times: Option<u64>,
}

/// Where a value comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fact {
    /// The first event with this trace code: in the step, else before it, else after it.
    pub event: String,
    /// The event's object has this kind.
    pub kind: String,
    /// The event's object has this in its name.
    pub object: String,
    /// Arguments of the event as `name=value`.
    pub with: Vec<String>,
    /// The last such event of the step instead of the first.
    pub last: bool,
    /// What of it: `object`, `time`, `since` (since the step before), `count`, an argument's name, or
    /// `data.<path>` in the data it carries. Without an event: `nodes`, `members`, `minor`.
    pub get: String,
}

/// Something to do next, in free play.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suggestion {
    /// Its words: `<id>` in the step's section.
    pub id: String,
    /// Opens a preset.
    pub preset: String,
    /// Runs a kubectl command.
    pub kubectl: String,
}

impl Lesson {
    /// Reads a lesson.
    ///
    /// # Errors
    /// Where and what is wrong, with line and column where there is one.
    pub fn parse(text: &str) -> Result<Lesson, ScenarioError> {
        if text.len() > MAX_BYTES {
            let size = text.len();
            return Err(ScenarioError(format!(
                "the lesson has {size} bytes; at most {MAX_BYTES} are read"
            )));
        }
        lesson_text::read(text)
    }

    /// A lesson that comes with the program.
    ///
    /// # Errors
    /// There is none of that name.
    #[inline(never)]
    pub fn named(id: &str) -> Result<Rc<Lesson>, ScenarioError> {
        match podscope_lesson::lessons::lesson(id) {
            Some(text) => Ok(Rc::new(Lesson::parse(text)?)),
            None => {
                let known: Vec<&str> = podscope_lesson::lessons::lessons().collect();
                Err(ScenarioError(format!(
                    "there is no lesson {id:?}; there are: {}",
                    known.join(", ")
                )))
            }
        }
    }
}
