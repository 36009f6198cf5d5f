//! The scheduling cycle: one Pod at a time, from the queue to a Node or to the end of hope.
//!
//! Models: `pkg/scheduler/schedule_one.go` schedulingCycle (v1.36)

use super::{
    ASSUME, Attempt, CHOOSE, CYCLE, CYCLE_END, FILTER, Nominate, Outcome, POST_FILTER, PRE_FILTER,
    SCORE, STREAM,
};
use super::{Scheduler, count};
use crate::client::informer::Caches;
use crate::entry::Timer;
use crate::scheduler::cache::Cache;
use crate::scheduler::framework::{Decision, schedule};
use crate::scheduler::node_info::Slot;
use crate::scheduler::plugins::default_preemption::{Candidate, post_filter, post_filter_message};
use crate::scheduler::plugins::{Cycle, Plugins};
use crate::scheduler::pod_info::PodInfo;
use crate::scheduler::queue::{Place, Waiting};
use crate::scheduler::report::{self, Facts, Part, Receipt};
use crate::sim::Ctx;
use crate::trace::{Data, Note};
use podscope_api::{Key, Kind, Text};
use podscope_kernel::collections::BTreeSet;
use std::rc::Rc;

/// How long a scheduling cycle takes (microseconds).
const CYCLE_TIME: (u64, u64) = (700, 1_800);

impl Scheduler {
    pub(super) fn next_cycle(&mut self, ctx: &mut Ctx<'_>) {
        if self.attempt.is_some() {
            return;
        }
        loop {
            let from = self.queue.next_place();
            let Some(waiting) = self.queue.pop() else {
                return;
            };
            ctx.set_cause(waiting.cause);
            if waiting.pod.terminating {
                let note = ["skip schedule deleting pod: ", &waiting.pod.key.to_string()].concat();
                self.warn(&waiting.pod, &note, ctx);
                self.queue.remove(&waiting.pod.key);
                continue;
            }
            let key = waiting.pod.key.clone();
            let outcome = self.try_pod(&waiting, from, ctx);
            self.attempt = Some(Attempt {
                pod: waiting.pod,
                outcome,
                events: Vec::new(),
                cause: ctx.cause(),
            });
            let wait = ctx.jitter(STREAM, CYCLE_TIME);
            ctx.set_timer(wait, Timer::keyed(CYCLE_END, key));
            return;
        }
    }

    pub(super) fn try_pod(&mut self, waiting: &Waiting, from: Place, ctx: &mut Ctx<'_>) -> Outcome {
        let pod = &waiting.pod;
        let about = |code| Note::new(code).about(Kind::Pod, pod.key.clone());
        ctx.trace(
            about(CYCLE)
                .arg("attempt", i64::from(waiting.attempts))
                .arg("nodes", count(self.cache.len()))
                .arg("queue", from.name())
                .arg("waiting", count(self.queue.count(Place::Active))),
        );
        let profile = self.profile_for(&pod.object).clone();
        self.cache.keep_topologies(pod, &profile);
        let (decision, plugins) = schedule(pod, &self.cache, &profile, self.next_start);
        self.next_start = decision.next_start;
        let (decision, plugins) = (Rc::new(decision), Rc::new(plugins));
        let facts = Facts::new(pod, &profile, &self.cache, &plugins, &decision);
        report_decision(&Rc::new(facts), &self.cache, &decision, &about, ctx);
        match decision.chosen {
            Some(slot) => {
                let node = self.cache.node(slot).name.clone();
                self.assume(pod, &node, ctx);
                if plugins.volume_binding.has_work() {
                    self.reserve(pod, slot, &plugins, ctx);
                }
                Outcome::Bind(node)
            }
            None => self.no_node(pod, &plugins, &decision, &about, ctx),
        }
    }

    /// Looks at this Node first from now on, so that it is taken among equals; nothing when there is none
    /// of this name. For replays of recordings: upstream's parallel workers leave the order open.
    pub fn look_first_at(&mut self, node: &str) {
        let place = self.cache.find(node).and_then(|found| {
            let order = self.cache.order();
            order.iter().position(|slot| *slot == found.slot)
        });
        if let Some(place) = place {
            self.next_start = place as u64;
        }
    }

    pub(super) fn assume(&mut self, pod: &Rc<PodInfo>, node: &Text, ctx: &mut Ctx<'_>) {
        self.cache.forget_nomination(pod);
        self.cache.add_pod(pod.clone(), node);
        self.assumed.insert(pod.key.clone(), node.clone());
        ctx.trace(
            Note::new(ASSUME)
                .about(Kind::Pod, pod.key.clone())
                .arg("node", node.clone()),
        );
    }

    #[inline(never)]
    pub(super) fn no_node(
        &self,
        pod: &Rc<PodInfo>,
        plugins: &Plugins,
        decision: &Decision,
        about: &dyn Fn(&'static str) -> Note,
        ctx: &mut Ctx<'_>,
    ) -> Outcome {
        let cycle = Cycle {
            cache: &self.cache,
            profile: self.profile_for(&pod.object),
            pod,
        };
        if decision.nodes == 0 {
            let (message, rejected_by) = (decision.fit_error(""), BTreeSet::new());
            return Outcome::Unschedulable {
                message,
                rejected_by,
                nominate: Nominate::Keep,
            };
        }
        let offset = ctx.random(STREAM, 0, decision.nodes - 1);
        let out = match decision.pre_filter {
            // PostFilter ends with an error before preemption is looked at.
            Some(_) => Default::default(),
            None => post_filter(cycle, plugins, decision, offset),
        };
        let post_filter = post_filter_message(cycle, decision, &out);
        ctx.trace(
            about(POST_FILTER)
                .arg("message", post_filter.clone())
                .data(Data::Json(report::preemption(&self.cache, &out).into())),
        );
        let name = |slot: Slot| self.cache.node(slot).name.clone();
        let nominate = match out.chosen {
            Some(Candidate { node, victims, .. }) => Nominate::Preempt(name(node), victims),
            None if out.tried => Nominate::Clear,
            None => Nominate::Keep,
        };
        Outcome::Unschedulable {
            message: decision.fit_error(&post_filter),
            rejected_by: decision.rejecting_plugins(),
            nominate,
        }
    }

    pub(super) fn end_cycle(&mut self, key: &Key, caches: &Caches, ctx: &mut Ctx<'_>) {
        let Some(attempt) = self.attempt.take_if(|attempt| attempt.pod.key == *key) else {
            return;
        };
        ctx.set_cause(attempt.cause);
        let pod = attempt.pod;
        match attempt.outcome {
            Outcome::Bind(node) if self.reserved.contains_key(&pod.key) => {
                self.pre_bind(&pod, &node, caches, ctx);
            }
            Outcome::Bind(node) => self.bind(pod, node, ctx),
            Outcome::Unschedulable {
                message,
                rejected_by,
                nominate,
            } => {
                self.unschedulable(
                    &pod,
                    &message,
                    rejected_by,
                    attempt.events,
                    &nominate,
                    caches,
                    ctx,
                );
                if let Nominate::Preempt(node, victims) = nominate {
                    self.preempt(&pod, node, victims, caches, ctx);
                }
            }
        }
        self.next_cycle(ctx);
    }
}

/// Reports what each extension point said.
pub(super) fn report_decision(
    facts: &Rc<Facts>,
    cache: &Cache,
    decision: &Decision,
    about: &dyn Fn(&'static str) -> Note,
    ctx: &mut Ctx<'_>,
) {
    let receipt = |part| Data::Json(Receipt::new(facts, part).into());
    ctx.trace(about(PRE_FILTER).data(receipt(Part::PreFilter)));
    if decision.pre_filter.is_some() || decision.nodes == 0 {
        return;
    }
    ctx.trace(
        about(FILTER)
            .arg(
                "nodes",
                count(decision.feasible.len() + decision.rejected.len()),
            )
            .arg("feasible", count(decision.feasible.len()))
            .data(receipt(Part::Filter)),
    );
    if let Some(scores) = &decision.scores {
        ctx.trace(
            about(SCORE)
                .arg("nodes", count(scores.nodes.len()))
                .data(receipt(Part::Score)),
        );
    }
    if let Some(slot) = decision.chosen {
        let best = decision
            .scores
            .as_ref()
            .and_then(|s| s.totals.iter().max().copied());
        let tied = decision
            .scores
            .iter()
            .flat_map(|s| &s.totals)
            .filter(|t| Some(**t) == best);
        let note = about(CHOOSE)
            .arg("node", cache.node(slot).name.clone())
            .arg("tied", count(tied.count()));
        ctx.trace(match best {
            Some(best) => note.arg("score", best),
            None => note,
        });
    }
}
