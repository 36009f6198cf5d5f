//! Preemption in action: less important Pods are marked and deleted while the preemptor waits.
//!
//! Models: `pkg/scheduler/framework/preemption/executor.go` (v1.36)

use super::failure::with_condition;
use super::{Call, PREEMPT, Scheduler};
use crate::client::informer::Caches;
use crate::client::recorder::Regarding;
use crate::scheduler::events::ClusterEvent;
use crate::scheduler::pod_info::PodInfo;
use crate::scheduler::queue::{Place, Waiting};
use crate::sim::Ctx;
use crate::trace::Note;
use podscope_api::{Key, Kind, Object, Request, Text, value};
use std::rc::Rc;

/// The priority up to which Pods hear of a change: that of a Pod that only waits for its Node, else any.
///
/// Models: `pkg/scheduler/eventhandlers.go` getLEPriorityPreCheck (v1.36)
pub(super) fn planned_priority(event: &ClusterEvent) -> i64 {
    let pod = event.new.as_ref().or(event.old.as_ref());
    match pod.filter(|pod| event.kind == Kind::Pod && pod.spec().get("nodeName").is_empty()) {
        Some(pod) => pod.spec().get("priority").as_int().unwrap_or(0),
        None => i64::MAX,
    }
}

impl Scheduler {
    /// A Pod that waits for a Node counts as being there for lesser ones: for them it went and came.
    #[inline(never)]
    pub(super) fn tell_of_plan(&mut self, event: &ClusterEvent, ctx: &mut Ctx<'_>) {
        let plan = |o: &Option<Rc<Object>>| {
            let o = o.as_ref().map(|o| o.status().get("nominatedNodeName"));
            o.cloned().filter(|name| !name.is_empty())
        };
        let (from, to) = (plan(&event.old), plan(&event.new));
        let told = |old: Option<Rc<Object>>, new: Option<Rc<Object>>| ClusterEvent {
            old,
            new,
            own: false,
            ..event.clone()
        };
        if from != to && from.is_some() {
            self.tell(told(event.old.clone(), None), ctx);
        }
        if from != to && to.is_some() {
            self.tell(told(None, event.new.clone()), ctx);
        }
    }

    /// Makes less important Pods go; the preemptor waits meanwhile.
    #[inline(never)]
    pub(super) fn preempt(
        &mut self,
        pod: &Rc<PodInfo>,
        node: Text,
        victims: Vec<Rc<PodInfo>>,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        let waiting = self.cache.nominated_to(&node).iter();
        let lesser: Vec<Key> = waiting
            .filter(|p| p.priority < pod.priority)
            .map(|p| p.key.clone())
            .collect();
        for key in lesser {
            if let Some(object) = caches.get(Kind::Pod, &key) {
                let mut wanted = (**object).clone();
                wanted.remove("status.nominatedNodeName");
                self.cache.forget_nomination(&PodInfo::new(object));
                self.patch(object, &wanted, ctx);
            }
        }
        let preemptor = pod.key.clone();
        let begin = ctx.cause();
        let victims = victims.into_iter().filter(|victim| !victim.terminating);
        let victims: Vec<Rc<PodInfo>> = victims.collect();
        match u32::try_from(victims.len()) {
            Ok(0) => self.preempting.remove(&preemptor),
            Ok(left) => self.preempting.insert(preemptor.clone(), left),
            Err(_) => None,
        };
        for victim in victims {
            ctx.set_cause(begin);
            ctx.trace(
                Note::new(PREEMPT)
                    .about(Kind::Pod, victim.key.clone())
                    .arg("preemptor", preemptor.to_string())
                    .arg("node", node.clone()),
            );
            let mut condition = value!({
                "type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler",
                "lastProbeTime": null
            });
            let by = [
                &*self.profile_for(&pod.object).scheduler_name,
                ": preempting to accommodate a higher priority pod",
            ];
            condition.set("message", by.concat());
            if victim.object.generation() > 0 {
                condition.set("observedGeneration", victim.object.generation());
            }
            let marked = with_condition(&victim.object, condition, ctx);
            let request = marked.and_then(|wanted| self.patch(&victim.object, &wanted, ctx));
            let node = node.clone();
            match request {
                Some(id) => {
                    self.calls.insert(
                        id,
                        Call::MarkVictim {
                            preemptor: pod.clone(),
                            victim,
                            node,
                        },
                    );
                }
                None => self.delete_victim(pod.clone(), victim, node, ctx),
            }
        }
    }

    pub(super) fn delete_victim(
        &mut self,
        preemptor: Rc<PodInfo>,
        victim: Rc<PodInfo>,
        node: Text,
        ctx: &mut Ctx<'_>,
    ) {
        // The last deletion must find the preemptor ready to be woken by it.
        self.one_victim_less(&preemptor.key);
        let Key { namespace, name } = victim.key.clone();
        let id = ctx.request(Request::delete(Kind::Pod, namespace, name));
        let call = Call::DeleteVictim {
            preemptor,
            victim,
            node,
        };
        self.calls.insert(id, call);
    }

    /// A victim could not be marked: when it was the last one, the preemptor is to look again.
    pub(super) fn victim_spared(&mut self, preemptor: &Key, ctx: &mut Ctx<'_>) {
        if self.one_victim_less(preemptor) {
            let now = ctx.now();
            let waits = |w: &Waiting| w.place == Place::Unschedulable;
            if self.queue.get(preemptor).is_some_and(waits) {
                self.queue.requeue(preemptor, now, ctx.cause());
            }
        }
    }

    /// True when no victim is left to be dealt with.
    pub(super) fn one_victim_less(&mut self, preemptor: &Key) -> bool {
        let left = self.preempting.get(preemptor).copied().unwrap_or(0);
        if left > 1 {
            self.preempting.insert(preemptor.clone(), left - 1);
            return false;
        }
        self.preempting.remove(preemptor);
        true
    }

    pub(super) fn preempted(
        &mut self,
        preemptor: &PodInfo,
        victim: &PodInfo,
        node: &Text,
        ctx: &mut Ctx<'_>,
    ) {
        let uid = preemptor.object.uid();
        let note = format!("Preempted by pod {uid} on node {node}");
        let regarding = Regarding::object(Kind::Pod, &victim.object);
        self.recorder_for(&preemptor.object).record(
            ctx,
            regarding,
            "Normal",
            "Preempted",
            "Preempting",
            &note,
        );
    }
}
