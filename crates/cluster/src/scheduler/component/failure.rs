//! What becomes of a Pod that could not be placed: it waits, and everybody may read why.
//!
//! Models: `pkg/scheduler/schedule_one.go` handleSchedulingFailure (v1.36)

use super::{Nominate, Scheduler, UNSCHEDULABLE};
use crate::client::informer::Caches;
use crate::client::recorder::Regarding;
use crate::scheduler::events::ClusterEvent;
use crate::scheduler::plugins::scheduling_gates::pre_enqueue;
use crate::scheduler::plugins::{PluginId, wakes};
use crate::scheduler::pod_info::PodInfo;
use crate::scheduler::queue::{Place, backoff_of};
use crate::sim::Ctx;
use crate::trace::{Data, Note, RequestId};
use podscope_api::patch::two_way_strategic;
use podscope_api::{Key, Kind, Object, PatchType, Request, Text, Value, value};
use podscope_kernel::collections::BTreeSet;
use std::rc::Rc;

/// Longest note of an Event in bytes.
const MAX_NOTE: usize = 1024;

impl Scheduler {
    #[allow(clippy::too_many_arguments, reason = "one call, one place")]
    #[inline(never)]
    pub(super) fn unschedulable(
        &mut self,
        pod: &Rc<PodInfo>,
        message: &str,
        rejected_by: BTreeSet<PluginId>,
        events: Vec<ClusterEvent>,
        nominate: &Nominate,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        let names: Vec<&str> = rejected_by.iter().map(|id| id.name()).collect();
        ctx.trace(
            Note::new(UNSCHEDULABLE)
                .about(Kind::Pod, pod.key.clone())
                .arg("message", message.to_string())
                .arg("plugins", names.join(", "))
                .data(Data::Json(
                    self.back_to_queue(&pod.key, &rejected_by).into(),
                )),
        );
        let Some(latest) = self.latest(pod, caches) else {
            self.queue.remove(&pod.key);
            self.warn(pod, message, ctx);
            return;
        };
        let now = ctx.now();
        let info = Rc::new(PodInfo::new(&latest));
        let nominated: Option<Text> = match nominate {
            Nominate::Preempt(node, _) => {
                self.cache.nominate(info.clone(), node);
                self.preempting.insert(pod.key.clone(), 0);
                Some(node.clone())
            }
            Nominate::Clear => {
                self.cache.forget_nomination(&info);
                Some("".into())
            }
            Nominate::Keep => None,
        };
        self.queue.update(info, pre_enqueue(&latest));
        if rejected_by.is_empty() {
            self.queue.failed(&pod.key, now);
        } else {
            self.queue.fitted_nowhere(&pod.key, rejected_by, now);
            self.check_missed(&pod.key, &events, ctx);
        }
        self.warn(pod, message, ctx);
        self.patch_status(&latest, "Unschedulable", message, nominated, ctx);
    }

    /// Where a Pod goes after a cycle without a Node: `{queue, attempts, backoffMs, wakes: [{plugin, events}]}`.
    pub(super) fn back_to_queue(&self, key: &Key, rejected_by: &BTreeSet<PluginId>) -> Value {
        let waiting = self.queue.get(key);
        let error = rejected_by.is_empty();
        let place = match error {
            true => Place::ErrorBackoff,
            false => Place::Unschedulable,
        };
        let failures = waiting.map_or(0, |w| if error { w.errors } else { w.unschedulable });
        let backoff = backoff_of(failures.saturating_add(1)).as_millis();
        value!({
            "queue": (place.name()),
            "attempts": (waiting.map_or(0, |w| i64::from(w.attempts))),
            "backoffMs": (i64::try_from(backoff).unwrap_or(i64::MAX)),
            "wakes": (wakes::shown(rejected_by))
        })
    }

    /// Something that matters may have happened while the Pod was being tried.
    pub(super) fn check_missed(&mut self, key: &Key, events: &[ClusterEvent], ctx: &mut Ctx<'_>) {
        let Some(waiting) = self.queue.get(key) else {
            return;
        };
        let found = events.iter().find_map(|event| {
            let plugin = self.worth_another_try(waiting, event)?;
            Some((event, plugin))
        });
        if let Some((event, plugin)) = found {
            self.requeue(key, event, Some(plugin), ctx);
        }
    }

    /// The Pod as it is now, unless it is gone, another one, or placed.
    pub(super) fn latest(&self, pod: &PodInfo, caches: &Caches) -> Option<Object> {
        let object = caches.get(Kind::Pod, &pod.key)?;
        let same = object.uid() == pod.object.uid();
        let free = object.spec().get("nodeName").str_or_empty().is_empty();
        (same && free).then(|| (**object).clone())
    }

    #[inline(never)]
    pub(super) fn warn(&mut self, pod: &PodInfo, message: &str, ctx: &mut Ctx<'_>) {
        let regarding = Regarding::object(Kind::Pod, &pod.object);
        let note = truncated(message);
        self.recorder_for(&pod.object).record(
            ctx,
            regarding,
            "Warning",
            "FailedScheduling",
            "Scheduling",
            &note,
        );
    }

    /// Writes the condition PodScheduled=False (and the nominated Node), when that changes anything.
    pub(super) fn patch_status(
        &mut self,
        pod: &Object,
        reason: &str,
        message: &str,
        nominated: Option<Text>,
        ctx: &mut Ctx<'_>,
    ) {
        let mut condition = value!({
            "type": "PodScheduled", "status": "False", "reason": (reason), "message": (message),
            "lastProbeTime": null
        });
        if pod.generation() > 0 {
            condition.set("observedGeneration", pod.generation());
        }
        let wanted = with_condition(pod, condition, ctx);
        let mut wanted = wanted.unwrap_or_else(|| pod.clone());
        if let Some(node) = nominated {
            if node.is_empty() {
                wanted.remove("status.nominatedNodeName");
            } else {
                wanted.set("status.nominatedNodeName", node);
            }
        }
        self.patch(pod, &wanted, ctx);
    }

    /// Sends what turns a Pod's status into the wanted one; `None` when there is nothing to change.
    pub(super) fn patch(
        &mut self,
        pod: &Object,
        wanted: &Object,
        ctx: &mut Ctx<'_>,
    ) -> Option<RequestId> {
        let patch = two_way_strategic("Pod", pod, wanted);
        if patch.is_empty() {
            return None;
        }
        let Key { namespace, name } = pod.key();
        let kind = PatchType::Strategic;
        Some(ctx.request(Request::patch(
            Kind::Pod,
            namespace,
            name,
            "status",
            kind,
            patch,
        )))
    }
}

/// The Pod with a condition; `None` when it has just that one already. The time of transition is kept while the
/// status stays the same.
pub(super) fn with_condition(pod: &Object, mut condition: Value, ctx: &Ctx<'_>) -> Option<Object> {
    let kind = condition.get("type").str_or_empty().to_string();
    let old = pod.condition(&kind);
    let same_status = old.get("status") == condition.get("status");
    let time = match old
        .get("lastTransitionTime")
        .as_text()
        .filter(|_| same_status)
    {
        Some(time) => Value::Str(time.clone()),
        None => ctx.wall().seconds_text().into(),
    };
    condition.set("lastTransitionTime", time);
    let fields = [
        "status",
        "reason",
        "message",
        "observedGeneration",
        "lastTransitionTime",
    ];
    if !old.is_null() && fields.iter().all(|f| old.get(f) == condition.get(f)) {
        return None;
    }
    let mut wanted = pod.clone();
    crate::apiserver::special::set_condition(&mut wanted, condition);
    Some(wanted)
}

/// A note of at most 1024 bytes.
pub(super) fn truncated(message: &str) -> String {
    const SUFFIX: &str = " ...";
    if message.len() <= MAX_NOTE {
        return message.to_string();
    }
    let mut end = MAX_NOTE - SUFFIX.len();
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    [message.get(..end).unwrap_or(""), SUFFIX].concat()
}
