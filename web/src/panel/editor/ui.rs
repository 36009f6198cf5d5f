//! What the editor remembers, and what a person can do in it.

use super::find::Find;
use super::history::History;
use super::text::Selection;
use gloo_timers::callback::Timeout;
use podscope_session::view::*;
use std::rc::Rc;
use yew::AttrValue;

/// What a person does in the editor.
#[derive(Clone, Debug)]
pub enum EditorAct {
    /// The text area has this text, its caret is here, this input made it; an input method is at work or not.
    Type(String, Selection, String, bool),
    /// The caret moved; the editor has the keyboard.
    Caret,
    /// The pointer rests on a line, or left.
    Hover(Option<u32>),
    /// Undoes, redoes.
    Undo,
    /// Redoes.
    Redo,
    /// Indents the lines of the selection, or the other way.
    Indent(bool),
    /// Asks for proposals.
    Suggest,
    /// Moves in the proposals.
    Move(i32),
    /// Takes a proposal, or the active one.
    Take(Option<usize>),
    /// Puts proposals away.
    Close,
    /// Takes up a fix: finding and fix by index.
    Fix(usize, usize),
    /// Shows a line of a file, counted from 0, selected.
    ShowLine(Text, u32),
    /// Changes the text as one edit.
    Put(Fix),
    /// The first fix of the finding at the caret, else of the next one.
    FixHere,
    /// To the next problem, or the one before.
    Problem(bool),
    /// To a line and column.
    GoTo(u32, u32),
    /// Opens finding, or replacing.
    Find(bool),
    /// Looks for this.
    Needle(String),
    /// Replaces by this.
    With(String),
    /// To the next place, or the one before.
    Next(bool),
    /// Replaces the place, or all.
    Replace(bool),
    /// Ends finding.
    Unfind,
    /// A new file.
    New,
    /// Asks for the file's name.
    Rename,
    /// Names the file, or leaves it.
    Name(Option<String>),
    /// Removes the file.
    Remove,
    /// Puts the removed file back.
    Restore,
    /// Inserts a snippet by its id.
    Insert(&'static str),
    /// Applies all files.
    ApplyAll,
    /// Shows what an apply would change, or hides it.
    Changes,
    /// Typing paused.
    Settle,
    /// Says what is known of the field at the caret.
    Say,
}

/// Proposals that are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// What is proposed.
    pub view: SuggestView,
    /// The active one.
    pub active: usize,
    /// Line and column, in characters, of the word that is replaced.
    pub place: (u32, u32),
}

/// The editor's own state.
#[derive(Clone, Debug, Default)]
pub struct EditorUi {
    /// Somebody works in the editor: its tools are shown.
    pub used: bool,
    /// Letters are being typed into what was sound: problems are listed when that pauses.
    pub holds: bool,
    /// The selection, as far as it is known.
    pub caret: Selection,
    /// The field at the caret, of the active proposal or under the pointer.
    pub field: Option<FieldView>,
    /// Proposals.
    pub list: Option<List>,
    /// Finding.
    pub find: Option<Find>,
    /// The file's name is asked for.
    pub naming: bool,
    /// Name of the file that can be put back.
    pub removed: Option<Text>,
    /// What an apply would change, when it is shown.
    pub changes: Option<Rc<[ObjectChange]>>,
    /// A selection to be made when the text is drawn, and whether the keyboard goes there too.
    pub select: Option<(Selection, bool)>,
    /// Changes by file.
    pub(super) histories: Vec<(Text, History)>,
    /// What the live region says, and the event at which it began to.
    pub(super) says: Option<(EventIndex, AttrValue)>,
    /// Counts problems that were said.
    pub(super) said: usize,
    /// The text was only taken over: it is looked at when typing pauses.
    pub(super) behind: bool,
    /// Fires when typing pauses.
    pub(super) timer: Option<Rc<Timeout>>,
}

impl EditorUi {
    /// The changes of a file.
    pub(super) fn history(&mut self, file: &Text) -> &mut History {
        let at = match self.histories.iter().position(|(name, _)| name == file) {
            Some(at) => at,
            None => {
                self.histories.push((file.clone(), History::default()));
                self.histories.len() - 1
            }
        };
        &mut self.histories[at].1
    }

    /// A file has this name from now on; what is remembered of another of that name is gone.
    pub(super) fn renamed(&mut self, old: &Text, new: &Text) {
        if old != new {
            self.histories.retain(|entry| entry.0 != *new);
        }
        for entry in self.histories.iter_mut().filter(|entry| entry.0 == *old) {
            entry.0 = new.clone();
        }
    }

    /// Whether undo and redo would do something.
    pub fn can(&self, file: &Text) -> (bool, bool) {
        let history = self.histories.iter().find(|(name, _)| name == file);
        history.map_or((false, false), |(_, history)| history.can())
    }
}
