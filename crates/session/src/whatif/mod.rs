//! What would have to change so that a Pod is placed: the smallest sets of edits, each carried out on a
//! copy of the cluster before it is offered.
//!
//! The search (`search.rs`) asks the scheduler's own plugins on a changed picture of the cluster; a trial
//! (`trial.rs`) sends the edits as requests to a copy of the simulation and waits until the Pod is bound.
//! Everything is bounded by counted work, never by the clock: [`search::MAX_WEIGHED`] states weighed for at
//! most [`search::MAX_NODES`] nodes and [`search::MAX_EDITS`] edits in a set, [`MAX_TRIALS`] trials.

pub mod api;
mod carry;
mod edit;
mod options;
mod search;
pub mod sensitivity;
mod state;
mod tell;
mod trial;
pub mod view;

pub use crate::why_root::is_root;

use crate::session::Session;
use crate::view::*;
use podscope_api::{Kind, Object};
use podscope_cluster::{Cluster, ComponentId};
use std::rc::Rc;

/// The most trials for one question.
pub const MAX_TRIALS: u32 = 24;
/// The most answers.
pub const MAX_ANSWERS: usize = 8;
/// The most nodes whose blockers are listed.
const MAX_BLOCKERS: usize = 50;
/// The most trials for one kind of set.
const MAX_OF_KIND: u32 = 4;

/// All Pods at the cursor, by namespace and name.
pub fn pods(session: &Session) -> Vec<ObjectRef> {
    let objects = session.simulation().cluster().etcd().objects();
    objects
        .range((Kind::Pod, podscope_api::Key::new("", ""))..)
        .take_while(|((kind, _), _)| *kind == Kind::Pod)
        .map(|((kind, key), _)| crate::cluster_view::object_ref(*kind, key))
        .collect()
}

/// The answer; `None` when there is no such Pod.
#[inline(never)]
pub fn what_if(session: &Session, pod: &ObjectRef, node: Option<&str>) -> Option<WhatIfView> {
    let key = crate::why::key(session, pod)?;
    let cluster = session.simulation().cluster();
    let object = cluster.etcd().get(Kind::Pod, &key)?.object.clone();
    Some(ask(cluster, &object, node))
}

/// The answer for a Pod of a cluster.
#[inline(never)]
pub fn ask(cluster: &Cluster, pod: &Object, node: Option<&str>) -> WhatIfView {
    let mut view = WhatIfView {
        pod: crate::cluster_view::object_ref(Kind::Pod, &pod.key()),
        node: node.map(Text::from),
        now: Msg::plain("whatif.pending"),
        blockers: Rc::new([]),
        answers: Rc::new([]),
        bounds: tell::bounds(0, 0, 0),
    };
    if let Some(now) = nothing_to_do(cluster, pod, node) {
        view.now = now;
        return view;
    }
    let search = search::Search::new(cluster, pod, node);
    view.blockers = blockers(search.base());
    let (plans, weighed) = search.run();
    let (mut tried, mut failed) = (0, 0);
    let mut answers: Vec<AnswerView> = Vec::new();
    let mut of_kind: Vec<(&str, u32)> = Vec::new();
    let smallest = plans.first().map_or(0, |p| p.edits.len());
    for plan in &plans {
        if tried >= MAX_TRIALS || answers.len() >= MAX_ANSWERS {
            break;
        }
        // Larger sets only when there is hardly any smaller one.
        if plan.edits.len() > smallest && answers.len() >= 3 {
            break;
        }
        if answers.iter().any(|a| *a.kind == *plan.kind) {
            continue;
        }
        match of_kind.iter_mut().find(|(kind, _)| *kind == plan.kind) {
            Some((_, n)) if *n >= MAX_OF_KIND => continue,
            Some((_, n)) => *n += 1,
            None => of_kind.push((&plan.kind, 1)),
        }
        let mut attempt = |plan: &search::Plan| {
            let carried = carry::plan(cluster, pod, &plan.edits)?;
            tried += 1;
            let outcome = trial::carry_out(cluster, pod, &carried)
                .filter(|outcome| node.is_none_or(|node| *node == *outcome.node));
            // Which Pods of a workload go is its controller's choice: one fewer must have been tried.
            let less = plan.one_fewer().and_then(|less| {
                let carried = carry::plan(cluster, pod, &less.edits)?;
                tried += 1;
                trial::carry_out(cluster, pod, &carried)
            });
            // Others that wait and come first may also help: by being near, or by making room.
            let others = cluster.scheduler().queue().iter().count() > 1;
            let alone = plan.edits.iter().all(edit::Edit::is_of_pod);
            let helped = outcome.is_some() && others && !alone && {
                let mut less = plan.smaller().into_iter();
                less.any(|edits| {
                    tried += 1;
                    let carried = carry::plan(cluster, pod, &edits);
                    carried.is_some_and(|mut c| {
                        // The Pods that others make go have to end.
                        c.machines = true;
                        trial::may_do(cluster, pod, &c)
                    })
                })
            };
            let outcome = outcome.filter(|_| less.is_none() && !helped);
            if outcome.is_none() {
                failed += 1;
            }
            Some(tell::answer(pod, plan, carried, outcome?))
        };
        answers.extend(attempt(plan));
    }
    view.now = tell::now(pod, node, !answers.is_empty());
    view.answers = answers.into();
    view.bounds = tell::bounds(weighed, tried, failed);
    view
}

/// What there is to say when no edit is to be sought.
fn nothing_to_do(cluster: &Cluster, pod: &Object, node: Option<&str>) -> Option<Msg> {
    let on = pod.at("spec.nodeName").str_or_empty();
    let named = |code, name: &str| Msg::new(code, vec![("node", Arg::Text(name.into()))]);
    if let Some(node) = node
        && cluster.scheduler().cache().find(node).is_none()
    {
        return Some(Msg::new(
            "whatif.no-node",
            vec![("to", Arg::Text(node.into()))],
        ));
    }
    if pod.is_being_deleted() {
        return Some(Msg::plain("whatif.deleted"));
    }
    if !on.is_empty() && node.is_none_or(|node| node == on) {
        return Some(named("whatif.bound", on));
    }
    if !cluster.network().runs(ComponentId::Scheduler) {
        return Some(Msg::plain("whatif.no-scheduler"));
    }
    let scheduler = pod.at("spec.schedulerName").str_or_empty();
    if !scheduler.is_empty() && *scheduler != *cluster.scheduler().profile().scheduler_name {
        return Some(Msg::plain("whatif.other-scheduler"));
    }
    if on.is_empty() {
        let state = state::State::new(cluster, pod);
        if let Some(fits) = state.fits_anywhere()
            && node.is_none_or(|node| state.chosen().is_some_and(|c| *c == *node))
        {
            let name = node.map_or(fits, Text::from);
            return Some(named("whatif.fits", &name));
        }
    }
    None
}

/// The scheduler's first reason against each of the first Nodes, as it would be in the Pod's message; empty
/// where the Pod fits.
#[inline(never)]
pub fn because(cluster: &Cluster, pod: &Object, most: usize) -> Vec<(Text, Text)> {
    let state = state::State::new(cluster, pod);
    let nodes = state.cache.nodes().take(most);
    let reason = |name: &Text| match state.first_no(name) {
        Ok(()) => "".into(),
        Err(no) => no.message().into(),
    };
    nodes.map(|n| (n.name.clone(), reason(&n.name))).collect()
}

/// Everything that is in the way, by node.
#[inline(never)]
fn blockers(state: &state::State) -> Rc<[BlockerView]> {
    let nodes = state.cache.nodes().take(MAX_BLOCKERS);
    let mut all: Vec<BlockerView> = nodes
        .map(|node| {
            let noes = state.all_noes(&node.name);
            let reasons = noes.iter().flat_map(|no| no.reasons.iter());
            let reasons = reasons.map(|reason| {
                let numbers = crate::why_attempt::numbers(&reason.facts());
                (reason.message(), numbers)
            });
            BlockerView {
                node: node.name.clone(),
                reasons: reasons.collect(),
            }
        })
        .collect();
    podscope_api::sort::by_key(&mut all, |b| b.node.clone());
    all.into()
}
