//! Probes: when they run, how results count, what follows.
//!
//! A probe succeeds unless a fault says otherwise. Once a result stands and no fault is in force, a probe
//! is not repeated in the simulation, because it could only say the same again.
//! Models: pkg/kubelet/prober (v1.36)

use super::worker::{Doing, Mode, Role, Slot, Worker};
use super::{Kubelet, PROBE, PROBE_LOOP, PROBE_TIMER};
use crate::client::informer::Caches;
use crate::entry::Timer;
use crate::node::runtime::Runtime;
use crate::sim::Ctx;
use crate::trace::Note;
use podscope_api::{Key, Kind, Text, Value};
use podscope_kernel::{SimDuration, SimTime};

/// What a probe is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProbeKind {
    /// Gates the others; failure restarts.
    Startup,
    /// Failure restarts.
    Liveness,
    /// Failure takes the Pod out of its Services.
    Readiness,
}

impl ProbeKind {
    /// The field in the container's spec.
    pub fn field(self) -> &'static str {
        match self {
            ProbeKind::Startup => "startupProbe",
            ProbeKind::Liveness => "livenessProbe",
            ProbeKind::Readiness => "readinessProbe",
        }
    }
    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            ProbeKind::Startup => "Startup",
            ProbeKind::Liveness => "Liveness",
            ProbeKind::Readiness => "Readiness",
        }
    }
}

/// A probe of a running container.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Probe {
    /// What it is for.
    pub kind: ProbeKind,
    /// The container it probes.
    pub container: Text,
    /// Whether it runs a command inside the container.
    pub command: bool,
    /// When it runs next.
    pub next: SimTime,
    /// How often the last outcome came in a row.
    pub in_a_row: i64,
    /// The last outcome.
    pub last: bool,
    /// The result in force: what counts after the thresholds.
    pub result: bool,
    /// Whether a result was published at all.
    pub decided: bool,
}

fn setting(probe: &Value, field: &str, default: i64) -> i64 {
    probe
        .get(field)
        .as_int()
        .filter(|n| *n > 0)
        .unwrap_or(default)
}

impl Slot {
    #[inline(never)]
    fn probe(&self, kind: ProbeKind) -> Option<&Probe> {
        let id = self.seen.as_ref().map(|c| &c.id);
        let same = |p: &&Probe| p.kind == kind && Some(&p.container) == id;
        self.probes.iter().find(same)
    }
    /// Whether the running container has started: no startup probe, or it has passed.
    pub fn started(&self, container: &Value) -> bool {
        container.get("startupProbe").is_null()
            || self
                .probe(ProbeKind::Startup)
                .is_some_and(|p| p.decided && p.result)
    }
    /// Whether the running container is ready: no readiness probe, or it has passed.
    pub fn ready(&self, container: &Value) -> bool {
        container.get("readinessProbe").is_null()
            || self
                .probe(ProbeKind::Readiness)
                .is_some_and(|p| p.decided && p.result)
    }
}

/// What the application would answer to a failing probe.
fn failure_text(probe: &Value, ip: &str) -> String {
    let get = probe.get("httpGet");
    if !get.is_null() {
        return "HTTP probe failed with statuscode: 503".to_string();
    }
    let tcp = probe.get("tcpSocket");
    if !tcp.is_null() {
        let port = match tcp.get("port") {
            Value::Int(n) => n.to_string(),
            other => other.str_or_empty().to_string(),
        };
        return format!("dial tcp {ip}:{port}: connect: connection refused");
    }
    if !probe.get("grpc").is_null() {
        return "service unhealthy (responded with \"NOT_SERVING\")".to_string();
    }
    String::new()
}

impl Kubelet {
    /// Gives each newly running container its probes.
    pub(super) fn renew_probes(&mut self, worker: &mut Worker, ctx: &mut Ctx<'_>) {
        let now = ctx.now();
        let mut added = false;
        for i in 0..worker.slots.len() {
            let at = u8::try_from(i).unwrap_or(u8::MAX);
            let container = worker.container(at).clone();
            let Some(slot) = worker.slots.get_mut(i) else {
                continue;
            };
            if slot.role == Role::Init || !slot.running() {
                slot.probes.clear();
                continue;
            }
            let Some(seen) = slot.seen.clone() else {
                continue;
            };
            if slot.probes.iter().any(|p| p.container == seen.id) {
                continue;
            }
            slot.probes.clear();
            for kind in [
                ProbeKind::Startup,
                ProbeKind::Liveness,
                ProbeKind::Readiness,
            ] {
                let spec = container.get(kind.field());
                if spec.is_null() {
                    continue;
                }
                let delay = setting(spec, "initialDelaySeconds", 0);
                let delay = SimDuration::secs(u64::try_from(delay).unwrap_or(0));
                // The process needs a moment before it listens.
                let soonest = now + SimDuration::millis(15);
                slot.probes.push(Probe {
                    kind,
                    container: seen.id.clone(),
                    command: !spec.get("exec").is_null(),
                    next: (seen.started + delay).max(soonest),
                    in_a_row: 0,
                    last: true,
                    result: kind == ProbeKind::Liveness,
                    decided: kind == ProbeKind::Liveness,
                });
                added = true;
            }
        }
        if added {
            self.set_probe_timer(worker, ctx);
        }
    }

    /// Sets the timer for the next probe that matters.
    #[inline(never)]
    fn set_probe_timer(&self, worker: &Worker, ctx: &mut Ctx<'_>) {
        let mut next: Option<(SimTime, bool)> = None;
        for (i, slot) in (0u8..).zip(&worker.slots) {
            let container = worker.container(i);
            let started = slot.started(container);
            let since = slot.seen.as_ref().map_or(SimTime::ZERO, |c| c.started);
            for probe in &slot.probes {
                if probe.kind != ProbeKind::Startup && !started {
                    continue;
                }
                let healthy = ctx
                    .sim
                    .faults
                    .probe_passes(&worker.pod, since, probe, ctx.sim.now);
                let steady = probe.decided && probe.result == healthy;
                if steady && healthy && probe.last {
                    continue;
                }
                if next.is_none_or(|(at, _)| probe.next < at) {
                    next = Some((probe.next, !steady));
                }
            }
        }
        let Some((at, matters)) = next else { return };
        let key = worker.pod.key();
        let timer = if matters {
            Timer::deadline(PROBE_TIMER, key)
        } else {
            Timer::keyed(PROBE_LOOP, key)
        };
        ctx.set_timer_at(at, timer);
    }

    /// A fault that concerns probes was injected or healed: the next probe of each container may differ.
    pub(crate) fn probe_faults_changed(&mut self, ctx: &mut Ctx<'_>) {
        let keys: Vec<Key> = self.pods.keys().cloned().collect();
        for key in keys {
            let Some(mut worker) = self.pods.remove(&key) else {
                continue;
            };
            let now = ctx.now();
            for i in 0..worker.slots.len() {
                let at = u8::try_from(i).unwrap_or(u8::MAX);
                let container = worker.container(at).clone();
                for probe in worker
                    .slots
                    .iter_mut()
                    .skip(i)
                    .take(1)
                    .flat_map(|s| &mut s.probes)
                {
                    let period = setting(container.get(probe.kind.field()), "periodSeconds", 10);
                    let period = SimDuration::secs(u64::try_from(period).unwrap_or(10));
                    // The probe went on in its rhythm while nobody looked.
                    if probe.next < now {
                        let missed = now.since(probe.next).0 / period.0.max(1);
                        probe.next += period.times(missed + 1);
                    }
                }
            }
            self.set_probe_timer(&worker, ctx);
            self.pods.insert(key, worker);
        }
    }

    /// Runs the probes of a Pod that are due.
    #[inline(never)]
    pub(super) fn probe(
        &mut self,
        key: &Key,
        runtime: &mut Runtime,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        let Some(mut worker) = self.pods.remove(key) else {
            return;
        };
        worker.refresh(runtime);
        let changed = worker.mode != Mode::Terminated && self.run_probes(&mut worker, ctx);
        if worker.mode != Mode::Terminated {
            self.set_probe_timer(&worker, ctx);
        }
        if changed {
            let cause = ctx.cause();
            if worker.doing == Doing::Nothing && worker.mode == Mode::Syncing {
                self.sync_pod_now(&mut worker, runtime, caches, ctx);
            } else {
                self.report_status(&worker, ctx);
            }
            ctx.set_cause(cause);
        }
        self.pods.insert(key.clone(), worker);
    }

    fn run_probes(&mut self, worker: &mut Worker, ctx: &mut Ctx<'_>) -> bool {
        let now = ctx.now();
        let pod = worker.pod.clone();
        let ip: Text = worker
            .sandbox
            .as_ref()
            .map_or("".into(), |s| s.link.ip.clone());
        let mut changed = false;
        for i in 0..worker.slots.len() {
            let at = u8::try_from(i).unwrap_or(u8::MAX);
            let container = worker.container(at).clone();
            let field = worker.field(at);
            let Some(slot) = worker.slots.get_mut(i) else {
                continue;
            };
            if !slot.running() || slot.kill.is_some() {
                continue;
            }
            let started = slot.started(&container);
            let since = slot.seen.as_ref().map_or(now, |c| c.started);
            let name = slot.name.clone();
            let mut kill = None;
            let mut events = Vec::new();
            for probe in &mut slot.probes {
                let waits = probe.kind != ProbeKind::Startup && !started;
                let ending = worker.mode != Mode::Syncing && probe.kind != ProbeKind::Readiness;
                let over = probe.kind == ProbeKind::Startup && probe.decided && probe.result;
                if waits || ending || over || probe.next > now {
                    continue;
                }
                let spec = container.get(probe.kind.field());
                let period = setting(spec, "periodSeconds", 10);
                probe.next = now + SimDuration::secs(u64::try_from(period).unwrap_or(10));
                let passes = ctx.sim.faults.probe_passes(&pod, since, probe, now);
                probe.in_a_row = if probe.in_a_row > 0 && probe.last == passes {
                    probe.in_a_row.saturating_add(1)
                } else {
                    1
                };
                probe.last = passes;
                let threshold = if passes {
                    setting(spec, "successThreshold", 1)
                } else {
                    setting(spec, "failureThreshold", 3)
                };
                if !passes {
                    let text = failure_text(spec, &ip);
                    events.push(format!("{} probe failed: {text}", probe.kind.name()));
                }
                let counts = probe.in_a_row >= threshold;
                if counts && (!probe.decided || probe.result != passes) {
                    probe.decided = true;
                    probe.result = passes;
                    changed = true;
                    let note = Note::new(PROBE)
                        .about(Kind::Pod, pod.key())
                        .arg("container", name.clone())
                        .arg("probe", probe.kind.name())
                        .arg("passes", passes);
                    ctx.trace(note);
                }
                if counts && !passes && probe.kind != ProbeKind::Readiness {
                    let own = spec.get("terminationGracePeriodSeconds").as_int();
                    let pods = pod.at("spec.terminationGracePeriodSeconds").as_int();
                    kill = Some((probe.kind, own.or(pods).unwrap_or(30)));
                }
            }
            if let Some((kind, grace)) = kill {
                slot.kill = Some(grace);
                slot.waiting = None;
                slot.kill_reason = kind;
                changed = true;
            }
            for message in events {
                self.event(&pod, &field, "Warning", "Unhealthy", &message, ctx);
            }
        }
        changed
    }

    /// Stops containers whose probe says so; true when one is being stopped.
    pub(super) fn begin_kills(&mut self, worker: &mut Worker, ctx: &mut Ctx<'_>) -> bool {
        let mut count = 0;
        for i in 0..worker.slots.len() {
            let at = u8::try_from(i).unwrap_or(u8::MAX);
            let Some(slot) = worker.slots.get_mut(i) else {
                continue;
            };
            let Some(grace) = slot.kill.take() else {
                continue;
            };
            if !slot.running() {
                continue;
            }
            let word = match slot.kill_reason {
                ProbeKind::Startup => "startup",
                _ => "liveness",
            };
            let message = format!(
                "Container {} failed {word} probe, will be restarted",
                slot.name
            );
            slot.probes.clear();
            self.stop_container(worker, at, grace, &message, ctx);
            count += 1;
        }
        if count > 0 {
            worker.doing = Doing::Stop(count);
        }
        count > 0
    }
}
