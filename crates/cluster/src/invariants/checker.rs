//! Looks at a cluster after every step and notes what is broken, where, and what explains it.

use super::history::Seen;
use super::{ALL, Commit, Finding, History, Invariant, Rule};
use crate::component::ComponentId;
use crate::trace::{Data, RequestId, TraceEvent};
use crate::world::Cluster;
use podscope_api::{Request, Text, Verb};
use podscope_kernel::collections::{BTreeMap, BTreeSet};
use podscope_kernel::{SimDuration, SimTime};
use std::rc::Rc;

/// The most violations that are kept; more are counted.
const MOST: usize = 1_000;
/// How long after its end a fault still explains something.
const AFTERMATH: SimDuration = SimDuration::secs(600);
/// How often rules about time look.
const TICK: SimDuration = SimDuration::secs(5);

/// An invariant that was found broken.
#[derive(Clone, Debug)]
pub struct Violation {
    /// Which.
    pub invariant: &'static Invariant,
    /// When.
    pub at: SimTime,
    /// How many trace events had been reported then: the number of the last one, counted from 1.
    pub event: u64,
    /// What is wrong.
    pub finding: Finding,
    /// The kind of the fault that explains it, if one does; `person` for a forced deletion.
    pub excuse: Option<Text>,
}

/// Follows one simulation from its start.
#[derive(Clone, Debug)]
pub struct Checker {
    history: History,
    events: u64,
    requests: BTreeMap<RequestId, ComponentId>,
    faults: BTreeMap<Text, SimTime>,
    /// What is broken now and was reported: rule and object.
    open: BTreeSet<(usize, Text)>,
    ticked: SimTime,
    /// The revision at which the cluster was last seen at rest.
    rested: u64,
    violations: Vec<Violation>,
    more: u64,
}

impl std::fmt::Debug for Invariant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Checker {
    /// Begins with a cluster that has just been made.
    pub fn new(cluster: &Cluster) -> Checker {
        let mut history = History::default();
        let stored = cluster.etcd.objects().iter();
        history.start(
            stored.map(|((kind, _), stored)| (*kind, stored.object.clone())),
            cluster.now(),
        );
        history.revision = cluster.etcd.revision();
        Checker {
            history,
            events: 0,
            requests: BTreeMap::new(),
            faults: BTreeMap::new(),
            open: BTreeSet::new(),
            ticked: cluster.now(),
            rested: 0,
            violations: Vec::new(),
            more: 0,
        }
    }

    /// Everything found so far, oldest first; at most 1,000.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }
    /// How many were found beyond those that are kept.
    pub fn more(&self) -> u64 {
        self.more
    }

    /// Looks after a step that has reported `events`.
    #[inline(never)]
    pub fn step(&mut self, cluster: &Cluster, events: &[TraceEvent]) {
        let mut runtime = false;
        for event in events {
            self.events += 1;
            runtime |= matches!(event.actor, ComponentId::Runtime(_) | ComponentId::Fault);
            match event.code {
                crate::world::REQUEST => self.request(event),
                crate::world::RESPONSE | crate::world::NO_ANSWER => {
                    if let Some(id) = event.request {
                        self.requests.remove(&id);
                    }
                }
                crate::etcd::COMMIT => self.commit(cluster, event),
                crate::faults::INJECTED => {
                    let kind = event.arg("kind").str_or_empty();
                    self.faults.insert(kind.into(), event.at);
                }
                _ => {}
            }
        }
        if !cluster.sim.faults.none() {
            for (_, fault) in cluster.sim.faults.iter() {
                self.faults.insert(fault.kind.into(), cluster.now());
            }
        }
        if runtime {
            self.state(cluster, |rule| match rule {
                Rule::Runtime(rule) => Some(*rule),
                _ => None,
            });
        }
        if cluster.now().since(self.ticked) >= TICK {
            self.ticked = cluster.now();
            self.state(cluster, |rule| match rule {
                Rule::Tick(rule) => Some(*rule),
                _ => None,
            });
        }
        if self.rested != cluster.etcd.revision() && at_rest(cluster) {
            self.look_at_rest(cluster);
        }
    }

    /// Looks at what must hold at rest, whether or not the cluster is.
    pub fn look_at_rest(&mut self, cluster: &Cluster) {
        self.rested = cluster.etcd.revision();
        self.state(cluster, |rule| match rule {
            Rule::Rest(rule) => Some(*rule),
            _ => None,
        });
    }

    fn request(&mut self, event: &TraceEvent) {
        let (Some(id), Data::Request(request)) = (event.request, &event.data) else {
            return;
        };
        if forced(request) && matches!(event.actor, ComponentId::Client(_)) {
            self.history.forced = Some(event.at);
        }
        if request.verb.writes() {
            if self.requests.len() > 100_000 {
                self.requests.clear();
            }
            self.requests.insert(id, event.actor);
        }
    }

    fn commit(&mut self, cluster: &Cluster, event: &TraceEvent) {
        let (Some(subject), Data::Change(old, new)) = (&event.subject, &event.data) else {
            return;
        };
        let revision = event.arg("revision").as_int().unwrap_or(0);
        let actor = event.request.and_then(|id| self.requests.get(&id)).copied();
        let mut found = Vec::new();
        let commit = Commit {
            cluster,
            history: &self.history,
            kind: subject.kind,
            key: &subject.key,
            revision: u64::try_from(revision).unwrap_or(0),
            at: event.at,
            old: old.as_ref(),
            new: new.as_ref(),
            actor,
        };
        for (place, invariant) in ALL.iter().enumerate() {
            if let Rule::Change(rule) = invariant.rule
                && let Some(finding) = rule(&commit)
            {
                found.push((place, finding));
            }
        }
        let seen = Seen::of(&commit);
        self.history.take(&seen);
        for (place, finding) in found {
            self.report(place, cluster, finding);
        }
    }

    fn state(
        &mut self,
        cluster: &Cluster,
        pick: impl Fn(&Rule) -> Option<fn(&Cluster, &mut Vec<Finding>)>,
    ) {
        for (place, invariant) in ALL.iter().enumerate() {
            let Some(rule) = pick(&invariant.rule) else {
                continue;
            };
            let mut findings = Vec::new();
            rule(cluster, &mut findings);
            let still: BTreeSet<Text> = findings.iter().map(|f| f.object.clone()).collect();
            self.open
                .retain(|(rule, object)| *rule != place || still.contains(object));
            for finding in findings {
                if self.open.insert((place, finding.object.clone())) {
                    self.report(place, cluster, finding);
                }
            }
        }
    }

    fn report(&mut self, place: usize, cluster: &Cluster, finding: Finding) {
        if self.violations.len() >= MOST {
            self.more += 1;
            return;
        }
        let invariant = &ALL[place];
        let now = cluster.now();
        let recent = |at: &SimTime| now.since(*at) <= AFTERMATH;
        let excuse = invariant.excuses.iter().find(|kind| match **kind {
            "person" => self.history.forced.is_some_and(|at| recent(&at)),
            kind => self.faults.get(kind).is_some_and(recent),
        });
        self.violations.push(Violation {
            invariant,
            at: now,
            event: self.events,
            finding,
            excuse: excuse.map(|kind| Text::from(*kind)),
        });
    }
}

/// Whether a request deletes without waiting for the machine.
fn forced(request: &Rc<Request>) -> bool {
    request.verb == Verb::Delete && request.options.grace_period_seconds == Some(0)
}

/// Whether nothing is broken, every watch is open and only loops are left to happen.
pub(super) fn at_rest(cluster: &Cluster) -> bool {
    cluster.sim.faults.iter().next().is_none()
        && cluster.sim.network.is_whole()
        && cluster.is_stable()
        && cluster
            .caches
            .values()
            .all(|caches| caches.informers().all(|(_, i)| i.connected))
}
