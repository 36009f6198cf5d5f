//! The eviction manager: every 10 s it compares what is left with its thresholds, reclaims, and evicts.
//!
//! One Pod goes per pass. A condition is told until 5 min after it was last met. Without a fault nothing
//! runs out, and the manager does not look.
//! Models: pkg/kubelet/eviction (eviction_manager.go, helpers.go) (v1.36)
//! Left out: soft thresholds, local storage limits of Pods, the Pods' own usage (nobody's is measured).

use super::worker::{Mode, Worker};
use super::{EVICTED, Kubelet};
use crate::client::informer::Caches;
use crate::entry::Timer;
use crate::node::eviction::{Candidate, Order, message, rank};
use crate::node::runtime::Runtime;
use crate::sim::Ctx;
use crate::trace::Note;
use podscope_api::{Key, Kind, Object, Text};
use podscope_kernel::{SimDuration, SimTime};

/// The manager looks, and may have to evict somebody.
pub const EVICTION_TIMER: &str = "kubelet.eviction";
/// The manager looks.
pub const EVICTION_LOOP: &str = "loop.kubelet.eviction";

/// Between two looks.
const EVERY: SimDuration = SimDuration::secs(10);
/// So long a condition is told after it was last met.
const TRANSITION: SimDuration = SimDuration::secs(300);
/// Pods of this priority on are critical: they are admitted and kept.
const CRITICAL: i64 = 2_000_000_000;
/// The machine's disk; its Node's capacity says the same.
const DISK_BYTES: i64 = 104_857_600 << 10;
/// The machine's process IDs.
const PIDS: i64 = 32_768;

/// What can run out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Scarce {
    Memory,
    Disk,
    Pids,
}

const ALL: [Scarce; 3] = [Scarce::Memory, Scarce::Disk, Scarce::Pids];

impl Scarce {
    /// The Node's condition.
    pub(super) fn condition(self) -> &'static str {
        match self {
            Scarce::Memory => "MemoryPressure",
            Scarce::Disk => "DiskPressure",
            Scarce::Pids => "PIDPressure",
        }
    }
    /// The resource in messages.
    fn resource(self) -> &'static str {
        match self {
            Scarce::Memory => "memory",
            Scarce::Disk => "ephemeral-storage",
            Scarce::Pids => "pids",
        }
    }
    /// Reason and message of the condition while it holds.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Scarce::Memory => (
                "KubeletHasInsufficientMemory",
                "kubelet has insufficient memory available",
            ),
            Scarce::Disk => ("KubeletHasDiskPressure", "kubelet has disk pressure"),
            Scarce::Pids => (
                "KubeletHasInsufficientPID",
                "kubelet has insufficient PID available",
            ),
        }
    }
    /// The Event's reason when the condition begins and when it ends.
    fn event(self, begins: bool) -> &'static str {
        match (self, begins) {
            (Scarce::Memory, true) => "NodeHasInsufficientMemory",
            (Scarce::Memory, false) => "NodeHasSufficientMemory",
            (Scarce::Disk, true) => "NodeHasDiskPressure",
            (Scarce::Disk, false) => "NodeHasNoDiskPressure",
            (Scarce::Pids, true) => "NodeHasInsufficientPID",
            (Scarce::Pids, false) => "NodeHasSufficientPID",
        }
    }
    fn order(self) -> Order {
        match self {
            Scarce::Memory => Order::Memory,
            Scarce::Disk => Order::Priority,
            Scarce::Pids => Order::Processes,
        }
    }
}

/// What the manager remembers while something is scarce or was so until a short time ago.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Pressure {
    /// When each threshold was last met.
    met: [Option<SimTime>; 3],
    /// Bytes of images that were removed.
    reclaimed: i64,
    /// When the next look is due.
    next: SimTime,
}

impl Pressure {
    /// Whether a condition is told.
    pub(super) fn holds(&self, condition: &str) -> Option<Scarce> {
        let told = |(met, scarce): &(&Option<SimTime>, &Scarce)| {
            met.is_some() && scarce.condition() == condition
        };
        self.met.iter().zip(&ALL).find(told).map(|(_, s)| *s)
    }
}

/// What is left of a resource and what is wanted, when less is left: both in units and as text.
fn short(scarce: Scarce, node: &str, reclaimed: i64, ctx: &Ctx<'_>) -> Option<(String, String)> {
    let faults = &ctx.sim.faults;
    match scarce {
        Scarce::Memory => {
            let left = faults.memory_left(node)?;
            (left < 100).then(|| ("100Mi".into(), format!("{left}Mi")))
        }
        Scarce::Disk => {
            let percent = faults.disk_left(node)?;
            let left = DISK_BYTES / 100 * percent + reclaimed;
            let wanted = DISK_BYTES / 10;
            (left < wanted).then(|| (wanted.to_string(), format!("{}Ki", left >> 10)))
        }
        Scarce::Pids => {
            let percent = faults.pids_left(node)?;
            let (left, wanted) = (PIDS * percent / 100, PIDS / 10);
            (left < wanted).then(|| (wanted.to_string(), left.to_string()))
        }
    }
}

impl Kubelet {
    /// Begins to look, at the next of the manager's passes.
    #[inline(never)]
    pub(crate) fn look_at_resources(&mut self, ctx: &mut Ctx<'_>) {
        let phase = SimDuration::millis((u64::from(self.id) * 379 + 3_700) % 10_000);
        let at = (ctx.now() - phase).next_multiple(EVERY) + phase;
        let pressure = self.pressure.get_or_insert_default();
        pressure.next = at;
        ctx.set_timer_at(at, Timer::internal(EVICTION_TIMER));
    }

    /// One pass of the manager.
    #[inline(never)]
    pub(super) fn eviction_pass(
        &mut self,
        runtime: &mut Runtime,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        let now = ctx.now();
        let Some(mut pressure) = self.pressure.take().filter(|p| p.next <= now) else {
            return;
        };
        let node = self.config.name.clone();
        let cause = ctx.cause();
        let mut first = None;
        for (i, scarce) in ALL.into_iter().enumerate() {
            let low = short(scarce, &node, pressure.reclaimed, ctx);
            let before = pressure.met[i];
            pressure.met[i] = match (&low, before) {
                (Some(_), _) => Some(now),
                (None, Some(at)) if now.since(at) < TRANSITION => Some(at),
                (None, _) => None,
            };
            if before.is_some() != pressure.met[i].is_some() {
                let reason = scarce.event(before.is_none());
                let message = format!("Node {node} status is now: {reason}");
                self.node_event("Normal", reason, &message, ctx);
                self.heartbeat.images_changed(ctx);
                ctx.set_cause(cause);
            }
            if let (Some(amounts), None) = (low, &first) {
                first = Some((scarce, amounts));
            }
        }
        let mut evicted = false;
        if let Some((scarce, (wanted, left))) = first {
            let message = format!("Attempting to reclaim {}", scarce.resource());
            self.node_event("Warning", "EvictionThresholdMet", &message, ctx);
            ctx.set_cause(cause);
            let freed = match scarce {
                Scarce::Disk => runtime.remove_unused_images(),
                _ => 0,
            };
            pressure.reclaimed = pressure.reclaimed.saturating_add(freed);
            if freed > 0 {
                self.heartbeat.images_changed(ctx);
                ctx.set_cause(cause);
            }
            if freed == 0 || short(scarce, &node, pressure.reclaimed, ctx).is_some() {
                evicted = self.evict_one(scarce, &wanted, &left, runtime, caches, ctx);
            }
        }
        if pressure.met.iter().all(Option::is_none) {
            return;
        }
        pressure.next = now + EVERY;
        ctx.set_cause(None);
        let code = if evicted {
            EVICTION_TIMER
        } else {
            EVICTION_LOOP
        };
        ctx.set_timer(EVERY, Timer::internal(code));
        self.pressure = Some(pressure);
    }

    /// Evicts the first Pod of the ranking; false when there is none.
    fn evict_one(
        &mut self,
        scarce: Scarce,
        wanted: &str,
        left: &str,
        runtime: &mut Runtime,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) -> bool {
        let priority = |w: &Worker| w.pod.at("spec.priority").as_int().unwrap_or(0);
        let active: Vec<(&Key, &Worker)> = self
            .pods
            .iter()
            .filter(|(_, w)| w.mode == Mode::Syncing && w.rejected.is_none())
            .filter(|(_, w)| priority(w) < CRITICAL)
            .collect();
        let mut candidates: Vec<Candidate<'_>> = active
            .iter()
            .map(|(_, w)| Candidate {
                name: w.pod.uid(),
                spec: w.pod.spec(),
                priority: priority(w),
                memory_bytes: 0,
                processes: i64::try_from(w.slots.iter().filter(|s| s.running()).count())
                    .unwrap_or(0),
            })
            .collect();
        rank(&mut candidates, scarce.order());
        let chosen = candidates.first().map(|c| c.name);
        let chosen = active.iter().find(|(_, w)| Some(w.pod.uid()) == chosen);
        let Some(key) = chosen.map(|(key, _)| (*key).clone()) else {
            return false;
        };
        let Some(mut worker) = self.pods.remove(&key) else {
            return false;
        };
        let (text, _) = message(&worker.pod, scarce.resource(), &[], None);
        let text = format!("{text}Threshold quantity: {wanted}, available: {left}. ");
        self.evict(&mut worker, "Evicted", &text, runtime, caches, ctx);
        self.pods.insert(key, worker);
        true
    }

    /// Ends a Pod for good: it is told to have failed, with this reason.
    #[inline(never)]
    pub(super) fn evict(
        &mut self,
        worker: &mut Worker,
        reason: &str,
        text: &str,
        runtime: &mut Runtime,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        let pod = worker.pod.clone();
        let note = Note::new(EVICTED)
            .about(Kind::Pod, pod.key())
            .arg("reason", reason.to_string())
            .arg("message", text.to_string());
        ctx.trace(note);
        self.event(&pod, "", "Warning", reason, text, ctx);
        worker.evicted = Some((reason.into(), text.into()));
        self.begin_termination(worker, runtime, caches, ctx);
    }

    /// Why a machine under pressure does not take a Pod: reason and message.
    #[inline(never)]
    pub(super) fn pressed(&self, pod: &Object) -> Option<(Text, Text)> {
        let pressure = self.pressure.as_ref()?;
        let mut held: Vec<Scarce> = ALL
            .into_iter()
            .filter(|s| pressure.holds(s.condition()).is_some())
            .collect();
        if held.is_empty() || pod.at("spec.priority").as_int().unwrap_or(0) >= CRITICAL {
            return None;
        }
        if held == [Scarce::Memory] {
            let best_effort =
                crate::node::resources::qos_of(pod) == crate::node::resources::Qos::BestEffort;
            let tolerates = pod.at("spec.tolerations").items().iter().any(|t| {
                let key = t.get("key").str_or_empty();
                let all = key.is_empty() && t.get("operator").as_str() == Some("Exists");
                all || key == "node.kubernetes.io/memory-pressure"
            });
            if !best_effort || tolerates {
                return None;
            }
        }
        held.dedup();
        let names: Vec<&str> = held.iter().map(|s| s.condition()).collect();
        let message = format!("The node had condition: [{}]. ", names.join(" "));
        Some(("Evicted".into(), message.into()))
    }
}
