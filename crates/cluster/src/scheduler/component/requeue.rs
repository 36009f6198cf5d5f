//! What a change in the cluster means for a waiting Pod: whether it is to be tried again, and why.
//!
//! Models: `pkg/scheduler/backend/queue` isPodWorthRequeuing (v1.36)

use super::{REQUEUE, Scheduler};
use crate::scheduler::events::ClusterEvent;
use crate::scheduler::plugins::{Cycle, PluginId};
use crate::scheduler::queue::{Place, Waiting};
use crate::sim::Ctx;
use crate::trace::Note;
use podscope_api::{Key, Kind};

impl Scheduler {
    /// The plugin that thinks that a Pod may fit after a change: one of those that rejected it.
    #[inline(never)]
    pub(super) fn worth_another_try(
        &self,
        waiting: &Waiting,
        event: &ClusterEvent,
    ) -> Option<PluginId> {
        if !waiting.gate.is_empty() || self.preempting.contains_key(&waiting.pod.key) {
            return None;
        }
        let cycle = Cycle {
            cache: &self.cache,
            profile: self.profile_for(&waiting.pod.object),
            pod: &waiting.pod,
        };
        waiting
            .rejected_by
            .iter()
            .copied()
            .find(|plugin| plugin.hint(cycle, event))
    }

    pub(super) fn requeue(
        &mut self,
        key: &Key,
        event: &ClusterEvent,
        plugin: Option<PluginId>,
        ctx: &mut Ctx<'_>,
    ) {
        self.queue.requeue(key, ctx.now(), event.cause);
        self.note_requeue(key, event.name(), plugin, ctx);
    }

    /// Reports that a waiting Pod is to be tried again; its next cycle is caused by this.
    #[inline(never)]
    pub(super) fn note_requeue(
        &mut self,
        key: &Key,
        event: &'static str,
        plugin: Option<PluginId>,
        ctx: &mut Ctx<'_>,
    ) {
        let waiting = self.queue.get(key);
        let backs_off = waiting.filter(|w| matches!(w.place, Place::Backoff | Place::ErrorBackoff));
        let mut note = Note::new(REQUEUE)
            .about(Kind::Pod, key.clone())
            .arg("event", event)
            .arg("plugin", plugin.map_or("", PluginId::name))
            .arg("queue", waiting.map_or("", |w| w.place.name()));
        if let Some(waiting) = backs_off {
            let left = waiting.expiry().since(ctx.now()).as_millis();
            note = note.arg("wait_ms", i64::try_from(left).unwrap_or(i64::MAX));
        }
        let cause = ctx.trace_aside(note);
        self.queue.set_cause(key, Some(cause));
    }
}
