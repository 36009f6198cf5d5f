//! Plain data that the page draws. Produced by the session, never by the page; cheap to clone and
//! to compare, free of words for people: those are [`Msg`] codes with typed arguments, looked up in
//! `content/<locale>/`. Strings that Kubernetes itself prints arrive verbatim as [`Text`].

pub use crate::time_view::*;
use std::rc::Rc;

pub use crate::inspect_view::*;
pub use crate::whatif::view::*;
mod scheduler;
pub use scheduler::*;
mod stage;
pub use stage::*;

/// Shared text.
pub type Text = Rc<str>;

/// Simulated time in nanoseconds since the scenario's start.
pub type Nanos = u64;

/// Position in the trace: the number of events that have happened. 0 is "nothing has happened";
/// event `n` is the one that moved the cursor from `n - 1` to `n`.
pub type EventIndex = u32;

/// Index of a component in [`ClusterView::components`]; stable for the life of a session.
pub type ComponentId = u16;

/// A code of the message catalogue with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Msg {
    /// Key in the catalogue, such as `"scheduler.bound"`.
    pub code: &'static str,
    /// Named arguments, in the order that the engine found natural.
    pub args: Rc<[(&'static str, Arg)]>,
}

impl Msg {
    /// A message without arguments.
    pub fn plain(code: &'static str) -> Msg {
        Msg {
            code,
            args: Rc::new([]),
        }
    }
    /// A message with arguments.
    #[inline(never)]
    pub fn new(code: &'static str, args: Vec<(&'static str, Arg)>) -> Msg {
        Msg {
            code,
            args: args.into(),
        }
    }
}

/// An argument of a [`Msg`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arg {
    /// A name, a path, a number with unit: shown as it is.
    Text(Text),
    /// A count; the catalogue may choose a plural by it.
    Count(i64),
    /// A moment.
    At(Nanos),
    /// A length of time.
    Span(Nanos),
}

/// What a component is: decides its shape and its hue everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ComponentKind {
    /// kubectl, you, a CI system.
    Client,
    /// The API server and its stages.
    ApiServer,
    /// An etcd member.
    Etcd,
    /// A controller of the controller manager.
    Controller,
    /// The scheduler.
    Scheduler,
    /// A kubelet.
    Kubelet,
    /// containerd, runc, a container.
    Runtime,
    /// CNI plugins, kube-proxy, a veth pair.
    Network,
    /// An admission webhook: drawn beside the API server.
    Webhook,
    /// The person, for commands and faults.
    You,
}

/// A component of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentView {
    /// Its id; equals its index.
    pub id: ComponentId,
    /// Its kind.
    pub kind: ComponentKind,
    /// Short name as a label: `Deployment`, `scheduler`, `node-1` for a kubelet.
    pub name: Text,
    /// The node that it runs on, for kubelet, runtime and network.
    pub node: Option<Text>,
    /// What it is doing or waiting for, one short line.
    pub doing: Option<Msg>,
    /// False while a fault keeps it from running or from being heard.
    pub up: bool,
    /// False while there is nothing in the cluster for it to do.
    pub drawn: bool,
}

/// An object's address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// Kind, such as `Pod`.
    pub kind: Text,
    /// Namespace, empty for cluster-scoped objects.
    pub namespace: Text,
    /// Name.
    pub name: Text,
}

/// How a Pod is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PodLook {
    /// Created, no node yet.
    Planned,
    /// The scheduler found no node.
    Unschedulable,
    /// Bound; its containers are being made. Per mille done.
    Creating(u16),
    /// Running, not Ready.
    Running,
    /// Running and Ready.
    Ready,
    /// Being deleted. Per mille of the grace period left.
    Terminating(u16),
    /// Its node is silent: the last known phase is in doubt.
    Doubtful,
    /// Failed, or in CrashLoopBackOff or ImagePullBackOff.
    Failed,
    /// Completed.
    Succeeded,
}

/// A Pod on the stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodView {
    /// Its address.
    pub object: ObjectRef,
    /// How it is drawn.
    pub look: PodLook,
    /// The STATUS column of `kubectl get pods`.
    pub status: Text,
    /// The READY column, `1/2`.
    pub ready: Text,
    /// `status.podIP`, or empty.
    pub ip: Text,
    /// The scheduler's or kubelet's message, verbatim.
    pub message: Option<Text>,
    /// Its containers.
    pub containers: Rc<[ContainerView]>,
}

/// State of a container, for its drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerLook {
    /// Waiting.
    Waiting,
    /// Running.
    Running,
    /// Running and ready.
    Ready,
    /// Exited with 0.
    Exited,
    /// Exited with another code, or killed.
    Failed,
}

/// A container of a Pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerView {
    /// Its name.
    pub name: Text,
    /// Its image as written.
    pub image: Text,
    /// How it is drawn.
    pub look: ContainerLook,
    /// Waiting or termination reason, or empty.
    pub reason: Text,
    /// Restart count.
    pub restarts: u32,
}

/// How a node is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeLook {
    /// Ready.
    Ready,
    /// Its kubelet reports NotReady.
    NotReady,
    /// Its kubelet is silent (whether or not the API knows yet).
    Silent,
}

/// A node on the stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeView {
    /// Name.
    pub name: Text,
    /// Zone, may be empty.
    pub zone: Text,
    /// How it is drawn.
    pub look: NodeLook,
    /// What the API says: `Ready`, `NotReady`, `Ready,SchedulingDisabled`.
    pub status: Text,
    /// Cordoned.
    pub cordoned: bool,
    /// Allocatable, such as `4 CPU  8 GiB`.
    pub capacity: Text,
    /// Requested and allocatable CPU in thousandths, for the meter.
    pub cpu_milli: (i64, i64),
    /// Requested and allocatable memory in bytes, for the meter.
    pub memory: (i64, i64),
    /// Pods bound to it, in order of creation.
    pub pods: Rc<[PodView]>,
    /// Its kubelet.
    pub kubelet: ComponentId,
    /// Whether the kubelet really runs and is reachable; differs from `status` while the API does
    /// not know.
    pub alive: bool,
}

/// An etcd member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EtcdMemberView {
    /// Name.
    pub name: Text,
    /// Leads the Raft group.
    pub leader: bool,
    /// Running.
    pub up: bool,
    /// Last index that it has in its log.
    pub index: u64,
}

/// The kind of a message between two components.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// A request: solid, filled head.
    Request,
    /// A response: dashed, open head.
    Response,
    /// A watch event: dotted, open head.
    Watch,
    /// No answer came: red dots ending in a cross.
    NoAnswer,
    /// A call inside a node: kubelet, CRI, CNI, runc.
    Local,
}

/// A message that the current event sent or delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageView {
    /// Its kind.
    pub kind: MessageKind,
    /// Sender.
    pub from: ComponentId,
    /// Receiver.
    pub to: ComponentId,
    /// A label as the wire has it: `POST deployments`, `201 Created`, `ADDED Pod`.
    pub label: Text,
    /// False for an answer that is an error.
    pub ok: bool,
}

/// A running deadline, drawn as a meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimerView {
    /// What it is: `timer.lease`, `timer.toleration`, `timer.backoff`, `timer.grace`, …
    pub name: Msg,
    /// The consequence at its end.
    pub then: Msg,
    /// When it started.
    pub from: Nanos,
    /// When it fires; `None` for "for ever".
    pub due: Option<Nanos>,
    /// Who keeps it.
    pub component: ComponentId,
}

/// A fault in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultView {
    /// Handle for healing it.
    pub id: u32,
    /// Its name and target, such as `fault.node-power` with `node`.
    pub name: Msg,
    /// Since when.
    pub since: Nanos,
}

/// A kind of fault that can be injected, from the engine's registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultKindView {
    /// Registry name: `node-power`, `partition`, `kubelet-crash`, …; its words are
    /// `fault.<kind>` and `fault.<kind>.help`.
    pub kind: &'static str,
    /// The code of its words: `fault.<kind>`.
    pub code: &'static str,
    /// What kind of thing it is aimed at.
    pub aims_at: FaultTarget,
    /// What it can be aimed at right now; one empty entry when it needs no target.
    pub targets: Rc<[Text]>,
    /// Its parameters.
    pub params: Rc<[FaultParamView]>,
}

/// What a fault is aimed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultTarget {
    /// Nothing in particular: a part of the control plane, the registry.
    Nothing,
    /// A machine, by its Node's name.
    Node,
    /// A Pod: `name`, `namespace/name`, or `label=value` for all that have it.
    Pod,
    /// An image.
    Image,
    /// A member of etcd, by its number from 0.
    EtcdMember,
    /// A zone, by the machines' label.
    Zone,
    /// The server behind a MutatingWebhookConfiguration, by the configuration's name.
    Webhooks,
    /// An object, as `resource/name` or `resource/namespace/name`.
    Object,
}

/// What a fault's parameter may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultAccepts {
    /// A whole number within these bounds, both included.
    Number(i64, i64),
    /// One of these words; the empty one leaves it open.
    OneOf(&'static [&'static str]),
    /// The name of a container of the Pod; empty for the first.
    Container,
}

/// A parameter of a fault. Its words are `fault.param.<name>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultParamView {
    /// Its name; a unit comes last in it (`boot_s`).
    pub name: &'static str,
    /// What it is when it is not given.
    pub default: &'static str,
    /// What it may be.
    pub accepts: FaultAccepts,
}

/// Whether a fault is there already, or still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultState {
    /// In force.
    InForce,
    /// Being mended: a machine boots, a process starts.
    Ending,
    /// Planned for later.
    Planned,
}

/// A fault with everything that is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultDetail {
    /// Handle for healing it; 0 while it is planned.
    pub id: u32,
    /// Its name and target.
    pub name: Msg,
    /// Parameters that were given.
    pub params: Rc<[(Text, Text)]>,
    /// Since when it is in force, or when it will be.
    pub at: Nanos,
    /// Whether it is there.
    pub state: FaultState,
    /// Deadlines that name its target, soonest first.
    pub timers: Rc<[TimerView]>,
}

/// What the current step is about: everything in here is yellow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Focus {
    /// The acting component.
    pub component: Option<ComponentId>,
    /// Objects that it touches.
    pub objects: Rc<[ObjectRef]>,
    /// A node that it is about.
    pub node: Option<Text>,
    /// Lines of a manifest that caused it: file index, first and last line (from 0).
    pub lines: Option<(u16, u32, u32)>,
}

/// Where the session stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Events that have happened.
    pub event: EventIndex,
    /// Simulated time.
    pub time: Nanos,
    /// Index into [`TimelineView::phases`], `None` before the first.
    pub phase: Option<u16>,
    /// The journal's last known event has been reached; going on computes new future.
    pub at_end: bool,
    /// Nothing but periodic loops is left to do.
    pub stable: bool,
}

/// The whole cluster at the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterView {
    /// Where in time this is.
    pub cursor: Cursor,
    /// Every component, by id.
    pub components: Rc<[ComponentView]>,
    /// Worker nodes in name order.
    pub nodes: Rc<[NodeView]>,
    /// Pods without a node.
    pub pending: Rc<[PodView]>,
    /// etcd's members.
    pub etcd: Rc<[EtcdMemberView]>,
    /// etcd's revision.
    pub revision: u64,
    /// Messages of the current event.
    pub messages: Rc<[MessageView]>,
    /// What is yellow.
    pub focus: Focus,
    /// Running deadlines, soonest first, at most a dozen.
    pub timers: Rc<[TimerView]>,
    /// When the next deadline is due, if any.
    pub next_deadline: Option<Nanos>,
    /// Faults in force.
    pub faults: Rc<[FaultView]>,
    /// One sentence: what the current event is.
    pub now: Option<Msg>,
    /// Workloads with their counts, for the text equivalent:
    /// `summary.deployment` with `name`, `ready`, `desired`.
    pub summary: Rc<[Msg]>,
}

/// How far a step goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepSize {
    /// One trace event (field zoom).
    Event,
    /// One call: the next request, verdict, CRI call.
    Call,
    /// One component's action.
    Action,
    /// To the start of the next phase.
    Phase,
    /// To the next deadline of [`ClusterView::timers`].
    NextDeadline,
    /// Until only periodic loops are left.
    UntilStable,
    /// For a length of simulated time.
    For(Nanos),
}

/// Where to seek.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seek {
    /// To an event.
    Event(EventIndex),
    /// To a moment.
    Time(Nanos),
}

/// A mark in a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    /// Filled arrow.
    Create,
    /// Flag on a bar.
    Update,
    /// Open arrow.
    Status,
    /// Filled diamond.
    Bind,
    /// Open flag: a Kubernetes Event.
    Event,
    /// Thin bar.
    Read,
    /// Dot.
    Lease,
    /// Cross.
    Conflict,
    /// Struck square.
    Delete,
    /// Triangle from above: a command of yours.
    You,
    /// Bolt.
    Fault,
    /// A local call: CRI, CNI, runc.
    Call,
}

/// One mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub at: Nanos,
    /// The event; seeking to it makes it current.
    pub event: EventIndex,
    /// What.
    pub kind: MarkKind,
}

/// A lane of the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneView {
    /// Kind of its component.
    pub kind: ComponentKind,
    /// Label: `Deployment ctrl`, `kubelet node-1`.
    pub name: Text,
    /// Its marks in order of time.
    pub marks: Rc<[Mark]>,
    /// Spans in which it was down or unheard; the end is `None` while it lasts.
    pub silent: Rc<[(Nanos, Option<Nanos>)]>,
}

/// A phase of the story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseView {
    /// Its name: `phase.submit`, `phase.api-server`, …
    pub name: Msg,
    /// First event of it.
    pub event: EventIndex,
    /// When it starts.
    pub at: Nanos,
}

/// Everything known of past and future. The session runs ahead of the cursor until stable after
/// each command, so the future is known and drawn pale.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimelineView {
    /// Lanes, in the order of the story.
    pub lanes: Rc<[LaneView]>,
    /// Phases, in order of time; those not reached in this run are absent.
    pub phases: Rc<[PhaseView]>,
    /// Names of phases expected but not known yet, after `phases`.
    pub expected: Rc<[Msg]>,
    /// Last known moment.
    pub end: Nanos,
    /// Number of known events.
    pub events: EventIndex,
    /// Other futures kept: name and the event at which they part.
    pub forks: Rc<[ForkView]>,
}

/// A fork of the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForkView {
    /// Its id.
    pub id: u32,
    /// The event at which it leaves the current timeline.
    pub parts_at: EventIndex,
    /// When that is.
    pub at: Nanos,
    /// What it began with that the others do not have.
    pub name: Msg,
    /// It is the one shown.
    pub current: bool,
}

/// Mark of a line of code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineMark {
    /// As before.
    Same,
    /// Added.
    Add,
    /// Removed.
    Del,
    /// What this step is about.
    Now,
    /// Folded or less important.
    Dim,
}

/// A line of code, request or YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeLine {
    /// Its text without line end.
    pub text: Text,
    /// Its mark.
    pub mark: LineMark,
}

/// How a pane's lines are coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaneSyntax {
    /// An HTTP request or response: first line is the verb or the code.
    Http,
    /// YAML.
    Yaml,
    /// JSON.
    Json,
    /// Anything else: a command line, a table, a rule list.
    Plain,
}

/// A pane with the actual data of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pane {
    /// Tab label: `pane.request`, `pane.response`, `pane.diff`, `pane.cri`, `pane.cni`,
    /// `pane.oci`, `pane.object`, `pane.detail`.
    pub title: &'static str,
    /// How it is coloured.
    pub syntax: PaneSyntax,
    /// Its lines, at most 400.
    pub lines: Rc<[CodeLine]>,
}

/// A link of the chain of causes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CauseView {
    /// The event, `None` for a manifest line.
    pub event: Option<EventIndex>,
    /// Whose it was.
    pub kind: ComponentKind,
    /// What it was.
    pub text: Msg,
    /// When.
    pub at: Nanos,
}

/// A question before a step, answered by the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PredictView {
    /// Its kind: `node`, `pods`, `batch`, `accepted`, `majority`, `replacement`. A question about a
    /// node may also be answered on the stage.
    pub kind: &'static str,
    /// The question.
    pub question: Msg,
    /// The answers offered.
    pub options: Rc<[Msg]>,
    /// Which one the engine will give.
    pub answer: u16,
    /// Why each is right or wrong, with this run's numbers.
    pub reasons: Rc<[Msg]>,
    /// The event that shows it.
    pub event: EventIndex,
}

/// The explanation of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainView {
    /// The event.
    pub event: EventIndex,
    /// When.
    pub at: Nanos,
    /// Who acts.
    pub kind: ComponentKind,
    /// Its name for the line above the title.
    pub who: Msg,
    /// The trace code with its arguments. The catalogue has under `<code>` the entries
    /// `title`, `what`, `why` and `detail`.
    pub msg: Msg,
    /// The data of this run, most telling first.
    pub panes: Rc<[Pane]>,
    /// From a user action, manifest line or timer down to this event (the last link).
    pub causes: Rc<[CauseView]>,
    /// The line of a manifest that decided it: file, line counted from 1, text.
    pub line: Option<(Text, u32, Text)>,
    /// What comes next.
    pub next: Option<Msg>,
    /// A question about what comes next.
    pub predict: Option<PredictView>,
}

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Would be refused.
    Error,
    /// Accepted with a warning, or stays Pending.
    Warning,
    /// Accepted, has no effect here.
    Info,
}

/// An edit of a file: replaces the bytes `from..to` by `text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextEdit {
    /// First byte replaced.
    pub from: u32,
    /// One past the last byte replaced.
    pub to: u32,
    /// Replacement.
    pub text: Text,
}

/// A one-key fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does: `fix.replace` with `from` and `to`, …
    pub label: Msg,
    /// Its edits, in ascending order.
    pub edits: Rc<[TextEdit]>,
}

/// A diagnostic at a place in a file. Lines and columns count from 0, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiagnosticView {
    /// Line.
    pub line: u32,
    /// First column.
    pub column: u32,
    /// One past the last column, on the same line.
    pub end_column: u32,
    /// How bad.
    pub severity: Severity,
    /// Who says so.
    pub source: ComponentKind,
    /// What it means: `diagnostic.refused`, `diagnostic.yaml`, `diagnostic.no-effect`, …
    pub heading: Msg,
    /// The words of the server, of kubectl or of the YAML parser, verbatim.
    pub text: Text,
    /// Code of the explanation, such as `why.required`; empty when there is none.
    pub why: &'static str,
    /// Fixes.
    pub fixes: Rc<[Fix]>,
}

/// What applying the file would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Effect {
    /// Not computed: the text cannot be read.
    #[default]
    Unknown,
    /// Would be refused at a stage of the pipeline.
    Refused {
        /// Index into [`PIPELINE`].
        stage: u16,
        /// HTTP code.
        code: u16,
        /// `Invalid`, `Forbidden`, …
        reason: Text,
    },
    /// Accepted; some Pods would stay Pending.
    Pending {
        /// How many.
        pods: u32,
        /// The scheduler's message, verbatim.
        message: Text,
        /// Per node: name, requested by one Pod and free, in thousandths of a CPU, and the reason.
        nodes: Rc<[(Text, i64, i64, Text)]>,
    },
    /// Accepted; everything would run.
    Runs,
    /// Accepted; nothing would change.
    Unchanged,
}

/// Names of the API server's stages: message codes `stage.<name>` and `stage.<name>.short`.
pub const PIPELINE: [&str; 9] = [
    "authentication",
    "priority",
    "authorization",
    "decode",
    "mutate",
    "validate",
    "admit",
    "quota",
    "storage",
];

/// What is known of a file's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics {
    /// In order of place.
    pub items: Rc<[DiagnosticView]>,
    /// Which component reads a line: (line from 0, kind), in order of line.
    pub readers: Rc<[(u32, ComponentKind)]>,
    /// What applying would do.
    pub effect: Effect,
}

/// A manifest file in the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileView {
    /// Name, such as `nginx.yaml`.
    pub name: Text,
    /// Its text.
    pub text: Text,
    /// The text equals what was last applied.
    pub applied: bool,
    /// What is known of it.
    pub diagnostics: Rc<Diagnostics>,
}

/// Proposals at a place of a manifest. Bytes of the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SuggestView {
    /// First byte of the word that a proposal replaces.
    pub from: u32,
    /// One past its last byte.
    pub to: u32,
    /// The proposals, at most 60.
    pub items: Rc<[SuggestItem]>,
}

/// A proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuggestItem {
    /// The field's name or the value.
    pub label: Text,
    /// The type of a field; the kind of an object in the cluster.
    pub detail: Text,
    /// What is written.
    pub insert: Text,
    /// The field must be given.
    pub required: bool,
}

/// What is known of a field of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldView {
    /// Its path without indexes, such as `spec.template.spec.containers.image`.
    pub path: Text,
    /// Its type, such as `[]Container`.
    pub of: Text,
    /// Must be given.
    pub required: bool,
    /// The published default.
    pub default: Option<Text>,
    /// The values of an enumeration.
    pub values: Rc<[Text]>,
    /// Who acts on it.
    pub readers: Rc<[ComponentKind]>,
    /// False for what is stored and changes nothing here.
    pub simulated: bool,
    /// Code of its description, such as `field.Container.image`; there may be none.
    pub code: Text,
}

/// What applying a text would do to one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectChange {
    /// The object.
    pub object: ObjectRef,
    /// There is none of that name yet.
    pub new: bool,
    /// The fields that would change, at most 100; none of a new object.
    pub fields: Rc<[FieldChange]>,
}

/// A field that would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// Its path, such as `spec.template.spec.containers[nginx].image`.
    pub path: Text,
    /// The live value as short JSON; `None` when there is none.
    pub from: Option<Text>,
    /// The value after applying.
    pub to: Option<Text>,
    /// Who set the live value last, as `managedFields` has it.
    pub owner: Option<Text>,
    /// The owner is not kubectl apply.
    pub foreign: bool,
}

/// A table as `kubectl get` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableView {
    /// Kind, such as `Pod`.
    pub kind: Text,
    /// Plural, such as `pods`.
    pub plural: Text,
    /// Column heads.
    pub heads: Rc<[Text]>,
    /// Rows.
    pub rows: Rc<[RowView]>,
}

/// A row of a [`TableView`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowView {
    /// The object.
    pub object: ObjectRef,
    /// One cell per head.
    pub cells: Rc<[Text]>,
    /// Touched by the current event.
    pub now: bool,
}

/// A revision of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevisionView {
    /// `resourceVersion`.
    pub revision: u64,
    /// The event that wrote it.
    pub event: EventIndex,
    /// When.
    pub at: Nanos,
    /// Who wrote it.
    pub by: Text,
    /// Its kind, for the glyph.
    pub kind: ComponentKind,
    /// Size of the value as JSON, in bytes; 0 when this revision deleted it.
    pub bytes: u32,
    /// This revision deleted the object.
    pub deletes: bool,
}

/// An object with its history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectView {
    /// Its address.
    pub object: ObjectRef,
    /// YAML of the revision asked for, with the lines that it changed against the one compared.
    pub lines: Rc<[CodeLine]>,
    /// All revisions up to the cursor, oldest first.
    pub revisions: Rc<[RevisionView]>,
    /// The revision shown.
    pub shown: u64,
    /// The revision that it is compared with.
    pub against: Option<u64>,
    /// It no longer exists at the cursor.
    pub deleted: bool,
    /// Owners, nearest first.
    pub owners: Rc<[ObjectRef]>,
}

/// A Kubernetes Event, as `kubectl get events` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeEventView {
    /// Last seen.
    pub at: Nanos,
    /// The trace event that wrote it.
    pub event: EventIndex,
    /// `Normal` or `Warning`.
    pub warning: bool,
    /// Reason.
    pub reason: Text,
    /// What it is about.
    pub object: ObjectRef,
    /// Message.
    pub message: Text,
    /// Reporting component.
    pub from: Text,
    /// How often.
    pub count: u32,
}

/// A key of etcd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EtcdKeyView {
    /// The key, such as `/registry/pods/default/nginx`.
    pub key: Text,
    /// Revision of its creation.
    pub create: u64,
    /// Revision of its last change.
    pub modified: u64,
    /// How often it was written.
    pub version: u64,
    /// Size of its value in bytes.
    pub bytes: u32,
    /// The object.
    pub object: ObjectRef,
    /// Touched by the current event.
    pub now: bool,
}

/// State of a stage of the API server's pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageState {
    /// Passed.
    Passed,
    /// Here.
    Current,
    /// Refused here.
    Refused,
    /// Not reached.
    Ahead,
}

/// A stage of the pipeline for the request in focus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageView {
    /// Index into [`PIPELINE`].
    pub stage: u16,
    /// Its state.
    pub state: StageState,
    /// What it decided, in its own words: `kubernetes-admin`, `allow`, `14 fields added`.
    pub result: Option<Msg>,
    /// More: the rule that allowed it, the first plugin, …
    pub detail: Option<Msg>,
    /// The event of it, if it happened.
    pub event: Option<EventIndex>,
    /// Lines that it added to the object and removed from it.
    pub changed: (u32, u32),
    /// The object behind this stage, with what the stage changed; empty when it left it alone.
    pub lines: Rc<[CodeLine]>,
}

/// Inside the API server: the request nearest to the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiServerInside {
    /// `POST /apis/apps/v1/namespaces/default/deployments`, or empty before any request.
    pub request: Text,
    /// Who sent it.
    pub from: Text,
    /// The object's title, `Deployment default/nginx`.
    pub object: Text,
    /// Its stages.
    pub stages: Rc<[StageView]>,
    /// The object at this stage, with what the stage changed.
    pub lines: Rc<[CodeLine]>,
    /// What changed, in one line.
    pub change: Option<Msg>,
    /// The refusal: code, reason and message.
    pub refusal: Option<(u16, Text, Text)>,
    /// The event that sent it; opening it shows the call.
    pub event: Option<EventIndex>,
    /// The requests before it, newest first.
    pub requests: Rc<[RequestLine]>,
}

/// A bar or a point in a node's call lanes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallView {
    /// 0 kubelet, 1 containerd, 2 CNI plugins, 3 runc.
    pub lane: u8,
    /// As called: `RunPodSandbox`, `ADD bridge`, `create nginx`.
    pub name: Text,
    /// Start.
    pub from: Nanos,
    /// End; equal to `from` for a point, `None` while it runs.
    pub to: Option<Nanos>,
    /// It failed.
    pub failed: bool,
    /// Its event.
    pub event: EventIndex,
}

/// A process in a sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessView {
    /// Container name, `pause` for the sandbox's own.
    pub container: Text,
    /// Command line.
    pub command: Text,
    /// Process id on the host, 0 before it has one.
    pub pid: u32,
    /// State.
    pub look: ContainerLook,
    /// What the current step is about.
    pub now: bool,
    /// Its probes, while it runs.
    pub probes: Rc<[ProbeLine]>,
}

/// A namespace of a sandbox: shared by all processes, or one each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespaceView {
    /// `net`, `ipc`, `uts`, `pid`, `mnt`, `cgroup`.
    pub kind: Text,
    /// Inode numbers: one when shared, else one per process.
    pub inodes: Rc<[u64]>,
}

/// A Pod's sandbox on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxView {
    /// Short id.
    pub id: Text,
    /// Its Pod.
    pub pod: ObjectRef,
    /// Processes, pause first.
    pub processes: Rc<[ProcessView]>,
    /// Namespaces.
    pub namespaces: Rc<[NamespaceView]>,
    /// `10.244.1.5/24`, empty before CNI answered.
    pub address: Text,
    /// `10.244.1.1`.
    pub gateway: Text,
    /// Hardware address of eth0.
    pub mac: Text,
    /// The host's end of the veth pair.
    pub veth: Text,
}

/// A line of a node's cgroup tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CgroupView {
    /// Depth.
    pub depth: u8,
    /// Name.
    pub name: Text,
    /// `cpu.weight`.
    pub weight: Text,
    /// `20000 of 100000 µs, 256 MiB`, or empty.
    pub limit: Text,
}

/// An image on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageView {
    /// Reference.
    pub name: Text,
    /// Bytes of all layers.
    pub bytes: u64,
    /// Layers: bytes and bytes pulled.
    pub layers: Rc<[(u64, u64)]>,
}

/// Inside a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeInside {
    /// The node.
    pub node: Text,
    /// Calls of the Pod in focus, or of the latest one.
    pub calls: Rc<[CallView]>,
    /// Its sandbox first, then the others of this node.
    pub sandboxes: Rc<[SandboxView]>,
    /// cgroup tree of the Pod in focus.
    pub cgroups: Rc<[CgroupView]>,
    /// The bridge: name and address.
    pub bridge: (Text, Text),
    /// Images.
    pub images: Rc<[ImageView]>,
    /// Routes as `ip route` prints them.
    pub routes: Rc<[Text]>,
    /// kube-proxy's rules, one per line.
    pub rules: Rc<[Text]>,
    /// The kubelet's workers, one for each Pod; the one in focus first.
    pub workers: Rc<[WorkerLine]>,
    /// Images on their way.
    pub pulls: Rc<[PullLine]>,
}

/// Inside a controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControllerInside {
    /// The controller.
    pub component: ComponentId,
    /// Its work queue: keys in hand, then those that wait, then those that come later.
    pub queue: Rc<[QueuedKey]>,
    /// What it compares.
    pub compares: Rc<[Compare]>,
    /// The informer caches of its process; those that wake it first.
    pub caches: Rc<[CacheLine]>,
    /// What it wrote, newest first.
    pub writes: Rc<[RequestLine]>,
    /// Its client's limit: requests a second, and how many at once.
    pub limit: (u32, u32),
}

/// Inside etcd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EtcdInside {
    /// Members.
    pub members: Rc<[EtcdMemberView]>,
    /// The Raft term.
    pub term: u64,
    /// The newest revision.
    pub revision: u64,
    /// How many members make a majority.
    pub quorum: u8,
    /// The write that is on its way through the members, or the one of the current step.
    pub proposal: Option<EtcdEntry>,
    /// Last entries of the log, oldest first.
    pub log: Rc<[EtcdEntry]>,
    /// The keys that were written last, newest first.
    pub keys: Rc<[EtcdKeyView]>,
    /// Compacted up to this revision.
    pub compacted: u64,
}

/// What the stage can open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The whole cluster.
    Cluster,
    /// A component.
    Component(ComponentId),
    /// A node by name.
    Node(Text),
    /// One call, by an event of it.
    Call(EventIndex),
    /// One plugin of the scheduler in the decision that is shown, by name.
    Plugin(Text),
}

/// The inside of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InsideView {
    /// The API server.
    ApiServer(ApiServerInside),
    /// etcd.
    Etcd(EtcdInside),
    /// The scheduler.
    Scheduler(SchedulerInside),
    /// A controller.
    Controller(ControllerInside),
    /// A node.
    Node(NodeInside),
    /// A client.
    Client(ClientInside),
    /// One call.
    Call(CallInside),
    /// Nothing to show: an unknown target, a call that has not happened yet.
    Nothing,
}

/// One command of the terminal with what it printed up to the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TerminalEntry {
    /// The command line.
    pub command: Text,
    /// When it was entered.
    pub at: Nanos,
    /// The event that entered it.
    pub event: EventIndex,
    /// What it printed; error lines too.
    pub output: Text,
    /// Its exit code, `None` while it runs.
    pub exit: Option<i32>,
}

/// A scenario on offer: an example or a lesson.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresetView {
    /// Its name in links and attributes, such as `birth`.
    pub id: &'static str,
    /// Catalogue code of its title: `preset.<id>`.
    pub title: &'static str,
    /// It is a lesson, with phases that tell a story; else an example manifest.
    pub lesson: bool,
}

/// A failure of a command of the session, as a message for the person.
pub type Refused = Msg;
