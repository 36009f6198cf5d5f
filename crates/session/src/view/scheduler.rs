//! Plain data of the scheduler's inside: one attempt with its receipts, and what changed since the one before.

use super::*;

/// How far an attempt has come with an extension point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointState {
    /// Done, and the attempt went on.
    Passed,
    /// The attempt ended here.
    Failed,
    /// Not needed, or nobody has anything to say there.
    Skipped,
    /// Not reached at the cursor.
    Ahead,
}

/// An extension point in an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointView {
    /// Its name: `PreFilter`, `Reserve`.
    pub name: &'static str,
    /// What became of it.
    pub state: PointState,
    /// What it came to.
    pub text: Msg,
    /// Its event.
    pub event: Option<EventIndex>,
}

/// A plugin of the matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginColumn {
    /// Its name.
    pub name: Text,
    /// The weight of its score; 0 for a filter.
    pub weight: i64,
    /// PreFilter or PreScore said that it need not run for this Pod.
    pub skipped: bool,
}

/// A cell of the score matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScoreCell {
    /// As the plugin gave it.
    pub raw: i64,
    /// After NormalizeScore, 0 to 100.
    pub normalized: i64,
    /// Times weight.
    pub weighted: i64,
}

/// What was said of a node in an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRow {
    /// The node.
    pub node: Text,
    /// What its Pods had requested of what it has: `500m of 4 CPU`.
    pub used: Text,
    /// Index of the plugin that said no in [`SchedulerInside::plugins`]; `None` when it passed all.
    pub stopped: Option<u16>,
    /// The reasons of the no, verbatim, joined by commas; empty when it passed all.
    pub reason: Text,
    /// The numbers that decided it.
    pub detail: Option<Msg>,
    /// One per plugin of [`SchedulerInside::scorers`]; empty when it was not scored.
    pub cells: Rc<[ScoreCell]>,
    /// The sum of weighted scores, when it was scored.
    pub total: Option<i64>,
}

/// What is different from the attempt before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptDiff {
    /// The attempt before: its first event and when it was.
    pub event: EventIndex,
    /// When it was.
    pub at: Nanos,
    /// Its number.
    pub attempt: u32,
    /// What changed, with the nodes for which it did (none: the Pod itself), at most 40.
    pub changes: Rc<[(Msg, Rc<[Text]>)]>,
}

/// Inside the scheduler: one attempt with its receipts, as far as it has come at the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchedulerInside {
    /// The Pod, `None` before the first attempt.
    pub pod: Option<ObjectRef>,
    /// The attempt's first event.
    pub event: EventIndex,
    /// When it began.
    pub at: Nanos,
    /// Its number, from 1, as the queue counts.
    pub attempt: u32,
    /// The moment at which the cursor stands lies within it.
    pub now: bool,
    /// Why it was tried once more.
    pub woken: Option<Msg>,
    /// Its extension points in order.
    pub points: Rc<[PointView]>,
    /// How many nodes there were.
    pub nodes: u32,
    /// How many of them were looked at.
    pub looked: u32,
    /// How many of those passed.
    pub feasible: u32,
    /// How many that pass are enough to stop looking.
    pub enough: u32,
    /// Filter plugins in their order.
    pub plugins: Rc<[PluginColumn]>,
    /// One row per node that was looked at.
    pub rows: Rc<[NodeRow]>,
    /// The rows are those that the trace shows of many; the others could not be computed again.
    pub partial: bool,
    /// Reasons with how many nodes each was given for.
    pub reasons: Rc<[(Text, u32)]>,
    /// Score plugins in their order.
    pub scorers: Rc<[PluginColumn]>,
    /// The plugin that rejected the Pod before any node was looked at, and its reasons, verbatim.
    pub rejected: Option<(Text, Text)>,
    /// Plugins that narrowed the nodes down, and how many were left.
    pub narrowed: Option<(Text, u32)>,
    /// The chosen node.
    pub chosen: Option<Text>,
    /// How many nodes had the best total.
    pub tied: u32,
    /// `0/3 nodes are available: …`, verbatim.
    pub message: Option<Text>,
    /// The line of a manifest that decided that no node will do: file, line from 1, text.
    pub line: Option<(Text, u32, Text)>,
    /// What is different from the attempt before.
    pub since: Option<AttemptDiff>,
}

/// What would make the Pods of a manifest fit, and how to write it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectAnswer {
    /// The answer, which was carried out on a copy.
    pub answer: AnswerView,
    /// The same as a change of the text; `None` when it changes something else.
    pub fix: Option<Fix>,
}

/// What a plugin said of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Passed,
    /// No.
    Failed,
    /// It was not asked: it has nothing to say about this Pod.
    Skipped,
    /// It was not asked: another said no before.
    NotAsked,
}

/// A filter plugin's verdict with its numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckLine {
    /// The plugin.
    pub plugin: Text,
    /// What it said.
    pub verdict: Verdict,
    /// Its words, verbatim; empty for a yes.
    pub reason: Text,
    /// The numbers.
    pub sums: Rc<[Msg]>,
}

/// A score plugin's arithmetic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScoreLine {
    /// The plugin.
    pub plugin: Text,
    /// Its weight.
    pub weight: i64,
    /// What came out.
    pub cell: ScoreCell,
    /// How the raw score came about.
    pub sums: Rc<[Msg]>,
}

/// All receipts of one node in an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptView {
    /// The node.
    pub node: Text,
    /// Filter plugins in order.
    pub checks: Rc<[CheckLine]>,
    /// Score plugins in order, without those that were skipped.
    pub scores: Rc<[ScoreLine]>,
    /// The sum.
    pub total: Option<i64>,
}
