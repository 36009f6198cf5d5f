//! Plain data for breakpoints, for two futures side by side and for what leaves the page.

use crate::view::*;
use std::rc::Rc;

/// What a kind of breakpoint can be narrowed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakParam {
    /// Nothing.
    None,
    /// A kind of object, such as `Deployment`; empty for any.
    Kind,
    /// Part of an object's name; empty for any.
    Name,
    /// The reason of a Kubernetes Event, such as `FailedScheduling`; empty for any.
    Reason,
    /// A trace code, or its beginning up to a dot; must be given.
    Code,
}

/// A kind of breakpoint, from the registry. Its words are `break.<name>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakKindView {
    /// Its name.
    pub name: &'static str,
    /// What it can be narrowed by.
    pub param: BreakParam,
    /// Values that make sense in this run, at most 60.
    pub values: Rc<[Text]>,
}

/// A breakpoint that a person set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breakpoint {
    /// Its kind's name.
    pub kind: Text,
    /// What it is narrowed by; empty when it is not.
    pub value: Text,
}

/// A breakpoint that was met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakHit {
    /// Index of the breakpoint in the list that was asked about.
    pub index: u16,
    /// The event that met it; seeking to it shows the moment.
    pub event: EventIndex,
    /// When.
    pub at: Nanos,
    /// What met it.
    pub object: Option<ObjectRef>,
}

/// One line of the story: what a component did that others notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoryRow {
    /// The event.
    pub event: EventIndex,
    /// When.
    pub at: Nanos,
    /// Whose it was.
    pub kind: ComponentKind,
    /// Its name.
    pub who: Text,
    /// What it was.
    pub msg: Msg,
    /// The phase that begins here.
    pub phase: Option<Msg>,
}

/// How two futures relate in one line of their comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pairing {
    /// The same in both, at perhaps different times.
    Same,
    /// The same step with other data: path, left, right; at most six.
    Differs(Rc<[(Text, Text, Text)]>),
    /// Only on one side.
    Alone,
}

/// One line of the comparison of two futures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompareRow {
    /// What the left future has here.
    pub left: Option<StoryRow>,
    /// What the right one has.
    pub right: Option<StoryRow>,
    /// How they relate.
    pub pairing: Pairing,
}

/// One line of the comparison of two ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndRow {
    /// What is compared.
    pub what: Msg,
    /// On the left.
    pub left: Text,
    /// On the right.
    pub right: Text,
}

/// Two futures side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompareView {
    /// Ids of the two futures.
    pub ids: (u32, u32),
    /// What started each.
    pub names: (Msg, Msg),
    /// The last event that both share, and when it was.
    pub shared: (EventIndex, Nanos),
    /// From the parting on, aligned; the person's own commands are in it.
    pub rows: Rc<[CompareRow]>,
    /// Index in `rows` of the first difference in what the cluster does, after the commands.
    pub first: Option<u16>,
    /// How many lines of each side are left out.
    pub left_out: (u32, u32),
    /// The cluster at both ends.
    pub ends: (Rc<ClusterView>, Rc<ClusterView>),
    /// What the ends have, line by line; equal values too.
    pub summary: Rc<[EndRow]>,
}

/// A step of a sequence diagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SequenceStep {
    /// The phase that begins before it.
    pub phase: Option<Msg>,
    /// Its message; participants are indices into [`SequenceView::participants`].
    pub kind: MessageKind,
    /// Sender.
    pub from: u16,
    /// Receiver.
    pub to: u16,
    /// What the wire carries.
    pub label: Text,
}

/// The messages of the trace up to the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SequenceView {
    /// Names, in order of first appearance.
    pub participants: Rc<[Text]>,
    /// Messages in order of time.
    pub steps: Rc<[SequenceStep]>,
    /// How many messages came after those.
    pub left_out: u32,
}

/// Something pasted or picked, made into a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The scenario file, to be opened.
    pub scenario: Text,
    /// What it was: `import.scenario`, `import.dump` with `nodes` and `objects`, …
    pub what: Msg,
    /// What was not taken over, and what was changed.
    pub notes: Rc<[Msg]>,
}
