//! Invariants on demand: the session's past is played once more with a checker beside it.

use crate::session::Session;
use crate::view::*;
use podscope_cluster::invariants::{self, Checker, Violation};
use podscope_kernel::Timeline;
use std::rc::Rc;

/// What must be true of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvariantView {
    /// Its name, such as `bound-pod-stays`.
    pub name: &'static str,
    /// Its words: `.title`, `.why`, and for some `.excuse` below this code.
    pub code: &'static str,
    /// When it is looked at: `change`, `step`, `time` or `rest`.
    pub when: &'static str,
    /// Kinds of faults that break it legitimately.
    pub excuses: &'static [&'static str],
}

/// An invariant that is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViolationView {
    /// Its words: `.title`, `.why`, `.broken`, and `.excuse` when [`ViolationView::excused`].
    pub text: Msg,
    /// The event after which it was found, counted from 1; 0: from the start.
    pub event: EventIndex,
    /// When.
    pub at: Nanos,
    /// The object, when it is about one.
    pub object: Option<ObjectRef>,
    /// Whether a fault explains it.
    pub excused: bool,
}

/// What was looked at and found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckView {
    /// How many events were looked at.
    pub events: EventIndex,
    /// What is broken, in the order in which it was found; at most 1,000.
    pub violations: Rc<[ViolationView]>,
    /// How many more there are.
    pub more: u64,
}

/// Pure questions: nothing of the session changes.
pub trait CheckApi {
    /// All invariants.
    fn invariants(&self) -> Rc<[InvariantView]>;
    /// Looks at every step up to the cursor. Costs about twice the playing.
    fn check(&self) -> CheckView;
}

impl CheckApi for Session {
    #[inline(never)]
    fn invariants(&self) -> Rc<[InvariantView]> {
        invariants::ALL
            .iter()
            .map(|i| InvariantView {
                name: i.name(),
                code: i.code,
                when: i.when(),
                excuses: i.excuses,
            })
            .collect()
    }

    #[inline(never)]
    fn check(&self) -> CheckView {
        let events = self.shown_log().len();
        let mut origin = self.timeline.clone();
        origin.seek_events(0);
        let world = origin.world().clone();
        let mut checker = Checker::new(world.cluster());
        let mut replay = Timeline::new(world, self.timeline.journal().to_vec());
        while replay.shown() < events {
            let before = replay.shown();
            if !replay.step_entry() {
                break;
            }
            let new = replay.log().get(before..).unwrap_or_default();
            checker.step(replay.world().cluster(), new);
        }
        CheckView {
            events: index(events as u64),
            violations: checker.violations().iter().map(violation).collect(),
            more: checker.more(),
        }
    }
}

fn index(event: u64) -> EventIndex {
    EventIndex::try_from(event).unwrap_or(EventIndex::MAX)
}

fn violation(violation: &Violation) -> ViolationView {
    let finding = &violation.finding;
    let fault = violation.excuse.clone().unwrap_or_else(|| "".into());
    let text = |text: &podscope_api::Text| Arg::Text(text.clone());
    let args = vec![
        ("object", text(&finding.object)),
        ("expected", text(&finding.expected)),
        ("found", text(&finding.found)),
        ("fault", text(&fault)),
    ];
    let object = finding.kind.filter(|_| !finding.object.contains(' '));
    ViolationView {
        text: Msg::new(violation.invariant.code, args),
        event: index(violation.event),
        at: violation.at.0.saturating_mul(1_000),
        object: object.map(|kind| {
            let (namespace, name) = finding
                .object
                .split_once('/')
                .unwrap_or(("", &finding.object));
            ObjectRef {
                kind: kind.name().into(),
                namespace: namespace.into(),
                name: name.into(),
            }
        }),
        excused: violation.excuse.is_some(),
    }
}
