//! Carries a set of edits out on a copy of the cluster and waits until the Pod is bound.

use super::carry::{Goal, Plan};
use crate::view::Nanos;
use podscope_api::{Key, Kind, Object, Text};
use podscope_cluster::Cluster;
use podscope_kernel::{SimDuration, SimTime};

/// Stands for the person who makes the edits.
const CLIENT: u16 = u16::MAX;
/// The most queue entries that a trial carries out: without machines, and with them.
const MAX_STEPS: (u32, u32) = (6_000, 60_000);
/// How far a trial looks ahead: the longest back-off of a waiting Pod, and the longest end of another one.
const MAX_AHEAD: (SimDuration, SimDuration) = (SimDuration::secs(15), SimDuration::secs(75));

/// What came of a trial.
pub struct Outcome {
    /// The node that the Pod was bound to.
    pub node: Text,
    /// From the first edit to the binding, in simulated nanoseconds.
    pub after: Nanos,
    /// Pods that preemption made go.
    pub victims: Vec<Key>,
}

/// A person's pace: from one answer to the next request.
const PAUSE: SimDuration = SimDuration::millis(700);

/// Tries a plan; `None` when a request was refused or the Pod was not bound within the bounds. Where other
/// Pods wait for the same room, it must not matter how fast one edit follows the other: then the plan is
/// tried at a person's pace, too.
#[inline(never)]
pub fn carry_out(cluster: &Cluster, pod: &Object, plan: &Plan) -> Option<Outcome> {
    let outcome = at_pace(cluster, pod, plan, SimDuration::ZERO)?;
    let contested = cluster.scheduler().queue().iter().count() > 1;
    if contested && plan.requests.len() > 1 {
        at_pace(cluster, pod, plan, PAUSE)?;
    }
    Some(outcome)
}

/// Whether a plan may bind the Pod, at one pace or the other.
#[inline(never)]
pub fn may_do(cluster: &Cluster, pod: &Object, plan: &Plan) -> bool {
    [SimDuration::ZERO, PAUSE]
        .into_iter()
        .any(|pause| at_pace(cluster, pod, plan, pause).is_some())
}

fn at_pace(cluster: &Cluster, pod: &Object, plan: &Plan, pause: SimDuration) -> Option<Outcome> {
    let mut copy = cluster.clone();
    copy.take_trace();
    copy.take_answers();
    let (steps, ahead) = if plan.machines {
        (MAX_STEPS.1, MAX_AHEAD.1)
    } else {
        copy.leave_out_machines();
        (MAX_STEPS.0, MAX_AHEAD.0)
    };
    let start = copy.now();
    copy.idle_until(SimTime(start.0 + 1));
    let before = uids(&copy);
    let mut requests = plan.requests.iter();
    let mut waits = requests.next()?.clone().into_sent(&mut copy);
    let mut all_sent = false;
    let mut looked_at = 0;
    let mut victims: Vec<Key> = Vec::new();
    let mut due: Option<SimTime> = None;
    for _ in 0..steps {
        if let Some(at) = due.filter(|at| copy.next_time().is_none_or(|next| next >= *at)) {
            copy.idle_until(at);
            due = None;
            waits = requests.next()?.clone().into_sent(&mut copy);
        }
        if copy.next_time().is_none_or(|at| at.since(start) > ahead) {
            return None;
        }
        copy.step();
        for event in copy.take_trace() {
            if event.code == "scheduler.preempt"
                && let Some(subject) = &event.subject
            {
                victims.push(subject.key.clone());
            }
        }
        for (client, id, answer, _) in copy.take_answers() {
            if client != CLIENT || id != waits {
                continue;
            }
            if answer.is_err() {
                return None;
            }
            match requests.len() {
                0 => all_sent = true,
                _ => due = Some(copy.now() + pause),
            }
        }
        let revision = copy.etcd().revision();
        if all_sent && revision != looked_at {
            looked_at = revision;
            if let Some(node) = bound(&copy, pod, &plan.goal, &before) {
                return Some(Outcome {
                    node,
                    after: copy.now().since(start).0.saturating_mul(1_000),
                    victims,
                });
            }
        }
    }
    None
}

trait Sent {
    fn into_sent(self, cluster: &mut Cluster) -> podscope_cluster::RequestId;
}

impl Sent for podscope_api::Request {
    fn into_sent(self, cluster: &mut Cluster) -> podscope_cluster::RequestId {
        cluster.send(CLIENT, self, None)
    }
}

fn pods(cluster: &Cluster) -> impl Iterator<Item = &std::rc::Rc<Object>> {
    let objects = cluster.etcd().objects();
    objects
        .range((Kind::Pod, Key::new("", ""))..)
        .take_while(|((kind, _), _)| *kind == Kind::Pod)
        .map(|(_, stored)| &stored.object)
}

fn uids(cluster: &Cluster) -> Vec<Text> {
    pods(cluster).map(|pod| pod.uid().into()).collect()
}

/// The node of the Pod that was to be bound, once it is.
fn bound(cluster: &Cluster, pod: &Object, goal: &Goal, before: &[Text]) -> Option<Text> {
    let node = |pod: &Object| {
        let name = pod.at("spec.nodeName").as_text().filter(|n| !n.is_empty());
        name.cloned()
    };
    match goal {
        Goal::Same | Goal::Named => {
            let now = &cluster.etcd().get(Kind::Pod, &pod.key())?.object;
            let is_same = now.uid() == pod.uid();
            (is_same == (*goal == Goal::Same)).then(|| node(now))?
        }
        Goal::Of(uid) => {
            let new = |p: &&std::rc::Rc<Object>| !before.iter().any(|uid| **uid == *p.uid());
            let mut new = pods(cluster).filter(new);
            new.find_map(|p| {
                let owner = p.controller()?;
                let direct = owner.uid == &**uid;
                let through = || {
                    let kind = Kind::from_api(owner.api_version, owner.kind)?;
                    let key = Key::new(p.namespace(), owner.name);
                    let above = &cluster.etcd().get(kind, &key)?.object;
                    Some(above.controller()?.uid == &**uid)
                };
                (direct || through() == Some(true)).then(|| node(p))?
            })
        }
    }
}
