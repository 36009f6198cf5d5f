//! What rules need to know about the past.

use super::Commit;
use crate::component::{ComponentId, ControllerId};
use crate::controllers::deployment::bounds;
use crate::controllers::meta::replicas;
use podscope_api::{Key, Kind, Object, Text};
use podscope_kernel::collections::{BTreeMap, BTreeSet};
use podscope_kernel::{SimDuration, SimTime};
use std::rc::Rc;

/// How long a controller may act on what it knew before.
pub(crate) const LAG: SimDuration = SimDuration::secs(5);
/// The most uids and losses that are remembered; beyond it the oldest half is forgotten.
const MOST: usize = 100_000;

/// The bounds of a rollout, as they were from a moment on.
#[derive(Clone, Debug)]
struct Bounds {
    since: SimTime,
    most: i64,
    least: i64,
    replicas: i64,
}

/// What happened so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    /// Every uid that was ever given, with the first holder.
    uids: BTreeMap<Text, (Kind, Key)>,
    /// The newest revision.
    pub(crate) revision: u64,
    /// Deployments by uid: the newest bounds.
    bounds: BTreeMap<Text, Vec<Bounds>>,
    /// Deployments by uid: when one of their Pods was lost without their doing.
    losses: BTreeMap<Text, SimTime>,
    /// Pods that were lost or stopped being Ready, and when.
    unready: BTreeMap<Key, SimTime>,
    /// The newest forced deletion.
    pub(crate) forced: Option<SimTime>,
}

/// Whether a Pod is Ready and not being deleted.
pub(crate) fn serves(pod: &Object) -> bool {
    pod.condition_true("Ready") && !pod.is_being_deleted()
}

impl History {
    /// Takes what is in the store at the start.
    pub(crate) fn start(
        &mut self,
        objects: impl Iterator<Item = (Kind, Rc<Object>)>,
        now: SimTime,
    ) {
        for (kind, object) in objects {
            self.uids.insert(object.uid().into(), (kind, object.key()));
            self.revision = self.revision.max(object.resource_version());
            if kind == Kind::Deployment {
                self.note_bounds(&object, now);
            }
        }
    }

    /// Who had this uid first.
    pub(crate) fn first_holder(&self, uid: &str) -> Option<&(Kind, Key)> {
        self.uids.get(uid)
    }

    fn note_bounds(&mut self, deployment: &Object, now: SimTime) {
        let desired = replicas(deployment);
        let bounds = Bounds {
            since: now,
            most: desired + bounds::max_surge(deployment),
            least: bounds::min_available(deployment),
            replicas: desired,
        };
        let all = self.bounds.entry(deployment.uid().into()).or_default();
        let same = |b: &&Bounds| {
            (b.most, b.least, b.replicas) == (bounds.most, bounds.least, bounds.replicas)
        };
        if all.last().filter(same).is_none() {
            all.push(bounds);
        }
        if all.len() > 16 {
            all.remove(0);
        }
    }

    /// The bounds that a controller may still go by: the most Pods and the least that serve.
    pub(crate) fn bounds(&self, deployment: &str, now: SimTime) -> Option<(i64, i64)> {
        let all = self.bounds.get(deployment)?;
        let old = all.iter().rposition(|b| now.since(b.since) > LAG);
        let recent = all.get(old.unwrap_or(0)..)?;
        let most = recent.iter().map(|b| b.most).max()?;
        let least = recent.iter().map(|b| b.least).min()?;
        Some((most, least))
    }

    /// Whether a Deployment was given another size within a span: Pods then go in proportion.
    pub(crate) fn resized(&self, deployment: &str, now: SimTime, span: SimDuration) -> bool {
        let all = self.bounds.get(deployment).map_or(&[][..], |b| b);
        all.windows(2)
            .any(|two| two[0].replicas != two[1].replicas && now.since(two[1].since) < span)
    }

    /// Whether a Deployment lost a Pod lately without its own doing.
    pub(crate) fn lost_lately(&self, deployment: &str, now: SimTime) -> bool {
        let lost = self.losses.get(deployment);
        lost.is_some_and(|at| now.since(*at) < LAG)
    }

    /// Whether a Pod has served until lately.
    pub(crate) fn unready_lately(&self, pod: &Key, now: SimTime) -> bool {
        let lost = self.unready.get(pod);
        lost.is_some_and(|at| now.since(*at) < LAG)
    }

    /// Takes a change in, after the rules have seen it where they need the state before.
    pub(crate) fn take(&mut self, commit: &Seen) {
        self.revision = self.revision.max(commit.revision);
        if let (None, Some(new)) = (&commit.old, &commit.new) {
            if self.uids.len() > MOST {
                let keep: BTreeSet<Text> = self.uids.keys().take(MOST / 2).cloned().collect();
                self.uids.retain(|uid, _| keep.contains(uid));
            }
            let first = (commit.kind, commit.key.clone());
            self.uids.entry(new.uid().into()).or_insert(first);
        }
        match (commit.kind, &commit.new) {
            (Kind::Deployment, Some(new)) => self.note_bounds(new, commit.at),
            (Kind::Pod, new) => {
                let Some(old) = commit.old.as_ref().filter(|o| serves(o)) else {
                    return;
                };
                if new.as_ref().is_some_and(|n| serves(n)) {
                    return;
                }
                if self.unready.len() > MOST {
                    self.unready.clear();
                }
                self.unready.insert(commit.key.clone(), commit.at);
                let by_set = ComponentId::Controller(ControllerId::ReplicaSet);
                if commit.actor != Some(by_set)
                    && let Some(deployment) = &commit.deployment
                    && old.controller().is_some()
                {
                    self.losses.insert(deployment.clone(), commit.at);
                }
            }
            _ => {}
        }
    }
}

/// A change as the history takes it.
pub(crate) struct Seen {
    kind: Kind,
    key: Key,
    revision: u64,
    at: SimTime,
    old: Option<Rc<Object>>,
    new: Option<Rc<Object>>,
    actor: Option<ComponentId>,
    /// The uid of the Deployment that a Pod belongs to.
    deployment: Option<Text>,
}

impl Seen {
    pub(crate) fn of(commit: &Commit<'_>) -> Seen {
        let object = commit.new.or(commit.old);
        let pod = object.filter(|_| commit.kind == Kind::Pod);
        let deployment = pod.and_then(|p| super::rollouts::deployment_of(commit.cluster, p));
        Seen {
            kind: commit.kind,
            key: commit.key.clone(),
            revision: commit.revision,
            at: commit.at,
            old: commit.old.cloned(),
            new: commit.new.cloned(),
            actor: commit.actor,
            deployment: deployment.map(|d| d.uid().into()),
        }
    }
}
