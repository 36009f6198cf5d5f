//! Plain data for "why is this Pod where it is?" and "what would have to change?".
//!
//! All words are codes with typed arguments, in `content/<locale>/whatif.txt`; what Kubernetes itself
//! says arrives verbatim as [`Text`].

use crate::view::*;
use std::rc::Rc;

/// Why a Pod is where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhyView {
    /// The Pod.
    pub pod: ObjectRef,
    /// Where it is in its life: `why.gated`, `why.queued`, `why.pending`, `why.bound`, `why.running`, ….
    pub stage: Msg,
    /// The scheduler's message as it stands in the Pod's condition, verbatim.
    pub message: Option<Text>,
    /// The scheduler's attempts up to the cursor, oldest first; beyond 50 the first and the newest.
    pub attempts: Rc<[AttemptView]>,
    /// Attempts that are left out of `attempts`.
    pub left_out: u32,
    /// From a person's act, a manifest's line or a timer down to the last event that is about the Pod.
    pub causes: Rc<[CauseView]>,
    /// What the chain of causes ends in.
    pub root: RootView,
}

/// What a chain of causes ends in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RootView {
    /// A person's command or fault: `root.command`, `root.fault`, with the event.
    Act(Msg, EventIndex),
    /// A timer or loop of a component that runs from the start: `root.timer`, with the first event of it.
    Timer(Msg, EventIndex),
    /// The chain ends in nothing that is known; a bug.
    Unknown(EventIndex),
}

/// One attempt of the scheduler to place a Pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptView {
    /// Counted from 1.
    pub number: u32,
    /// The event with which it began.
    pub event: EventIndex,
    /// When.
    pub at: Nanos,
    /// What had put the Pod (back) into the queue: `attempt.new`, `attempt.requeued` with `event` and
    /// `plugin`.
    pub woken: Msg,
    /// How it ended: `attempt.bound`, `attempt.unschedulable`, `attempt.preempting`, `attempt.failed`,
    /// `attempt.running`.
    pub outcome: Msg,
    /// The scheduler's message, verbatim.
    pub message: Option<Text>,
    /// Plugins whose Filter ran, in their order.
    pub filters: Rc<[Text]>,
    /// Plugins whose Filter had nothing to do.
    pub skipped: Rc<[Text]>,
    /// The no that was said before any node was looked at: plugin and reason.
    pub pre_filter: Option<VerdictView>,
    /// Each node with what was said of it; empty beyond 50 nodes (see `reasons`).
    pub nodes: Rc<[NodeReceipt]>,
    /// How many nodes were rejected for which reason, verbatim; the most frequent first.
    pub reasons: Rc<[(Text, u32)]>,
    /// Plugins that scored, with their weights, in the order of [`NodeReceipt::scores`].
    pub scorers: Rc<[(Text, i64)]>,
    /// Preemption: what was tried.
    pub preemption: Option<PreemptionView>,
    /// What is different from the attempt before: `differs.*`.
    pub differs: Rc<[Msg]>,
}

/// What was said of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeReceipt {
    /// Its name.
    pub node: Text,
    /// It was chosen.
    pub chosen: bool,
    /// The no, `None` when every filter passed.
    pub rejected: Option<VerdictView>,
    /// Requested by the Pod, taken and allocatable, by resource in base units (thousandths of a CPU, bytes,
    /// pieces).
    pub room: Rc<[RoomView]>,
    /// One score for each of [`AttemptView::scorers`]; empty when the node was not scored.
    pub scores: Rc<[ScoreReceipt]>,
    /// The sum of the weighted scores, when it was scored.
    pub total: Option<i64>,
}

/// A plugin's no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerdictView {
    /// The plugin.
    pub plugin: Text,
    /// Its place in [`AttemptView::filters`]; those before it said yes, those after it were not asked.
    pub place: u16,
    /// Whether removing other Pods could help: `Unschedulable` or `UnschedulableAndUnresolvable`.
    pub code: Text,
    /// Its reasons: the words of Kubernetes, verbatim, and the numbers that decided: `verdict.*`.
    pub reasons: Rc<[(Text, Msg)]>,
}

/// A resource of a node, in base units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomView {
    /// Its name.
    pub resource: Text,
    /// What the Pod asks for.
    pub requested: i64,
    /// What the Pods on the node ask for.
    pub used: i64,
    /// What the node has.
    pub allocatable: i64,
}

/// A plugin's score for a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScoreReceipt {
    /// What Score said.
    pub raw: i64,
    /// After NormalizeScore, 0 to 100.
    pub normalized: i64,
    /// Times the weight.
    pub weighted: i64,
    /// The numbers behind `raw`, as name and value.
    pub account: Rc<[(Text, Text)]>,
}

/// What preemption found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreemptionView {
    /// The node that is made free.
    pub node: Option<Text>,
    /// The nodes that could be made free, with the Pods that would have to go: name, priority; and how many
    /// of them a PodDisruptionBudget protects.
    pub candidates: Rc<[CandidateView]>,
    /// Why other nodes cannot be made free, verbatim, with how many.
    pub rejected: Rc<[(Text, u32)]>,
    /// Why this candidate and not another: `victims.*`.
    pub why: Option<Msg>,
}

/// A node that preemption could make free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CandidateView {
    /// The node.
    pub node: Text,
    /// The Pods that would go, most important first, with their priorities.
    pub victims: Rc<[(ObjectRef, i64)]>,
    /// How many of them a PodDisruptionBudget protects.
    pub violations: u32,
}

/// What would have to change so that a Pod is placed, or placed on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhatIfView {
    /// The Pod.
    pub pod: ObjectRef,
    /// The node that was asked for.
    pub node: Option<Text>,
    /// How things stand: `whatif.pending`, `whatif.bound`, `whatif.waits`, ….
    pub now: Msg,
    /// Everything that is in the way on each node, not only what the scheduler met first. At most 50 nodes.
    pub blockers: Rc<[BlockerView]>,
    /// The answers, smallest first; each was carried out on a copy of the cluster, where the Pod was bound.
    pub answers: Rc<[AnswerView]>,
    /// What bounds the search: `whatif.bounds` with how many sets were weighed, tried and failed.
    pub bounds: Msg,
}

/// What keeps a Pod off a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockerView {
    /// The node.
    pub node: Text,
    /// All reasons, in the scheduler's words and in numbers; empty when the Pod would fit.
    pub reasons: Rc<[(Text, Msg)]>,
}

/// Whose edit it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EditSide {
    /// The Pod itself changes.
    Pod,
    /// A node changes or comes.
    Node,
    /// Other Pods, or what they belong to, change or go.
    Others,
    /// Something else in the cluster, such as a volume.
    Cluster,
}

/// One edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditView {
    /// Whose it is.
    pub side: EditSide,
    /// What it does: `edit.*` with its numbers.
    pub text: Msg,
    /// What it is about.
    pub object: ObjectRef,
}

/// A set of edits that was tried and after which the Pod was bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerView {
    /// The edits; none can be left out.
    pub edits: Rc<[EditView]>,
    /// The kind of the set, such as `request.cpu` or `untaint`; at most one answer of a kind is given.
    pub kind: Text,
    /// The node that the Pod was bound to.
    pub node: Text,
    /// Simulated time from the edit to the binding.
    pub after: Nanos,
    /// Pods that preemption made go on the way.
    pub victims: Rc<[ObjectRef]>,
    /// kubectl command lines that do it, without the word `kubectl`; what they read is in `files`.
    pub commands: Rc<[Text]>,
    /// Files that the commands read: name, text.
    pub files: Rc<[(Text, Text)]>,
}

/// What would make another node win, by how little.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SensitivityView {
    /// The Pod.
    pub pod: ObjectRef,
    /// The nodes that the Pod fits on, with their total scores, best first; at most 50.
    pub totals: Rc<[(Text, i64)]>,
    /// The node that wins now.
    pub winner: Option<Text>,
    /// The smallest changes that make another node win: `sensitivity.*` with `from`, `to` and `by`.
    pub changes: Rc<[SensitivityRow]>,
    /// What bounds the search: `sensitivity.bounds` with the step and the number of trials.
    pub bounds: Msg,
}

/// A smallest change and what comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SensitivityRow {
    /// The change.
    pub text: Msg,
    /// The node that wins then, `None` when the Pod fits nowhere any more.
    pub winner: Option<Text>,
}
