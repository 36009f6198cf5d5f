//! What the inspector remembers, and what a person can do in it.

use crate::panel::faults::{FaultAct, FaultsUi};
use crate::state::Tab;
use podscope_session::view::*;

/// What the inspector remembers.
#[derive(Clone, Debug, Default)]
pub struct InspectorUi {
    /// The tab that was open last.
    pub last: Option<Tab>,
    /// Height of the open panel in pixels; 0: as it comes.
    pub height: i32,
    /// Only objects with this in their row.
    pub find: String,
    /// Objects are shown by owner.
    pub tree: bool,
    /// The revision that the object is compared with; 0: none.
    pub against: Option<u64>,
    /// `managedFields` is unfolded.
    pub managed: bool,
    /// `status` is folded.
    pub folded: bool,
    /// The object's "Break…" is open.
    pub breaking: bool,
    /// Only warnings.
    pub warnings: bool,
    /// Only keys with this.
    pub key_find: String,
    /// The key whose history is shown.
    pub key: Option<ObjectRef>,
    /// The node of the tabs Node and Network.
    pub node: Option<Text>,
    /// Where a request comes from, as the value of its option.
    pub from: String,
    /// Where it goes.
    pub to: String,
    /// The request that was sent, and which draw it is.
    pub sent: Option<(RequestFrom, String, u32)>,
    /// What of the log is shown.
    pub log: LogFilter,
    /// Page of the log; `None`: the one with the present moment.
    pub log_page: Option<usize>,
    /// The terminal.
    pub terminal: TerminalUi,
    /// The faults' menu.
    pub faults: FaultsUi,
}

/// What the terminal remembers.
#[derive(Clone, Debug, Default)]
pub struct TerminalUi {
    /// What is being typed.
    pub line: String,
    /// Everything entered, oldest first.
    pub history: Vec<String>,
    /// How far back in the history the line is; 0: a new line.
    pub back: usize,
    /// What was being typed before going back.
    pub draft: String,
    /// Lines that the page itself has answered: behind which entry they stand, line, answer.
    pub local: Vec<(EventIndex, String, String)>,
    /// Entries up to this event are cleared away.
    pub cleared: EventIndex,
    /// Words that may stand at the end of the line.
    pub options: Vec<Text>,
    /// The one that is marked.
    pub marked: usize,
}

/// What a person can do in the inspector.
#[derive(Clone, Debug)]
pub enum InspectAct {
    /// The panel has this height.
    Height(i32),
    /// Only objects with this in their row.
    Find(String),
    /// Objects by owner, or as tables.
    Tree(bool),
    /// Compares with this revision; 0: with none.
    Against(u64),
    /// Folds or unfolds `managedFields`.
    Managed,
    /// Folds or unfolds `status`.
    Status,
    /// Opens or closes "Break…" of the object.
    Breaking,
    /// Only events with this.
    EventFind(String),
    /// Only warnings, or all events.
    Warnings,
    /// Only keys with this.
    KeyFind(String),
    /// Shows the history of a key.
    Key(Option<ObjectRef>),
    /// The node of the tabs Node and Network.
    Node(String),
    /// Where a request comes from.
    From(String),
    /// Where it goes.
    To(String),
    /// Sends it.
    Send,
    /// Only log lines of this kind of component.
    LogComponent(Option<ComponentKind>),
    /// Only log lines about this kind of object.
    LogKind(String),
    /// Only log lines with this.
    LogText(String),
    /// With or without loops.
    LogQuiet,
    /// Shows a page of the log.
    LogPage(Option<usize>),
    /// The terminal's line is now this.
    Line(String),
    /// Enters the line, or several.
    Enter(String),
    /// Completes the line.
    Complete,
    /// Marks the next or the previous word on offer.
    Mark(bool),
    /// Takes a word on offer.
    Take(usize),
    /// Goes back or forward in the history.
    History(bool),
    /// Gives up the line.
    Cancel,
    /// Clears the terminal.
    Clear,
    /// A fault.
    Fault(FaultAct),
}
