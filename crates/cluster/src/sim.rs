//! What all components share: the clock, the queue, random streams, the network and the trace.

use crate::component::{ComponentId, Process};
use crate::config::{ClusterConfig, delay};
use crate::entry::{Entry, Timer};
use crate::network::Network;
use crate::trace::{Note, RequestId, TraceEvent, TraceId};
use podscope_api::{Failure, Request, Response, Timestamp};
use podscope_kernel::collections::BTreeMap;
use podscope_kernel::{EntryId, Queue, SimDuration, SimTime, Streams};
use std::rc::Rc;

use crate::client::limiter::Limiter;

/// The shared part of the world.
#[derive(Clone, Debug, Hash)]
pub struct Sim {
    /// The clock.
    pub now: SimTime,
    /// Everything that is going to happen.
    pub queue: Queue<Entry>,
    /// Random streams.
    pub rng: Streams,
    /// Links and processes that are up or down.
    pub network: Network,
    /// Who leads: scheduler and controller manager.
    pub election: crate::election::Election,
    /// The faults in force.
    pub faults: crate::faults::Active,
    /// The configuration at the start.
    pub config: Rc<ClusterConfig>,
    limiters: BTreeMap<(ComponentId, bool), Limiter>,
    in_order: BTreeMap<Process, SimTime>,
    next_trace: u64,
    next_request: u64,
    trace: Vec<TraceEvent>,
}

impl Sim {
    /// A new shared part at time zero.
    pub fn new(config: Rc<ClusterConfig>) -> Sim {
        Sim {
            now: SimTime::ZERO,
            queue: Queue::default(),
            rng: Streams::new(config.seed),
            network: Network::new(config.nodes.len()),
            election: crate::election::Election::default(),
            faults: crate::faults::Active::default(),
            config,
            limiters: BTreeMap::new(),
            in_order: BTreeMap::new(),
            next_trace: 0,
            next_request: 0,
            trace: Vec::new(),
        }
    }

    /// Takes the trace events reported since the last call.
    pub fn take_trace(&mut self) -> Vec<TraceEvent> {
        std::mem::take(&mut self.trace)
    }

    /// A context in which `me` acts because of `cause`.
    pub fn ctx(&mut self, me: ComponentId, cause: Option<TraceId>) -> Ctx<'_> {
        Ctx {
            sim: self,
            me,
            cause,
        }
    }
}

/// What a component may do: read the clock, draw numbers, send requests, set timers, report.
/// Nothing else of the world can be reached through it.
pub struct Ctx<'a> {
    pub(crate) sim: &'a mut Sim,
    me: ComponentId,
    cause: Option<TraceId>,
}

impl Ctx<'_> {
    /// The simulated clock.
    pub fn now(&self) -> SimTime {
        self.sim.now
    }
    /// The simulated wall clock.
    pub fn wall(&self) -> Timestamp {
        let right = self.wall_at(self.sim.now);
        match self.me.machine() {
            Some(machine) if !self.sim.faults.none() => {
                let ahead = self.sim.faults.skew_micros(&self.sim.config, machine);
                Timestamp(right.0.saturating_add(ahead))
            }
            _ => right,
        }
    }
    /// The wall clock at another simulated time.
    pub fn wall_at(&self, at: SimTime) -> Timestamp {
        Timestamp(self.sim.config.epoch_micros.saturating_add_unsigned(at.0))
    }
    /// The simulated time of a wall-clock time; zero when it lies before the start.
    pub fn sim_time(&self, at: Timestamp) -> SimTime {
        SimTime(u64::try_from(at.0.saturating_sub(self.sim.config.epoch_micros)).unwrap_or(0))
    }
    /// Who acts.
    pub fn me(&self) -> ComponentId {
        self.me
    }
    /// Why: the trace event that everything done here is caused by.
    pub fn cause(&self) -> Option<TraceId> {
        self.cause
    }
    /// Goes on because of another trace event.
    pub fn set_cause(&mut self, cause: Option<TraceId>) {
        self.cause = cause;
    }
    /// A number in `low..=high` from the named stream.
    pub fn random(&mut self, stream: &'static str, low: u64, high: u64) -> u64 {
        self.sim.rng.stream(stream).between(low, high)
    }
    /// Random text of `len` characters of Kubernetes' name alphabet from the named stream.
    ///
    /// Models: staging/src/k8s.io/apimachinery/pkg/util/rand/rand.go (v1.36)
    pub fn random_name(&mut self, stream: &'static str, len: usize) -> String {
        self.sim
            .rng
            .stream(stream)
            .text(b"bcdfghjklmnpqrstvwxz2456789", len)
    }
    /// A random version 4 UUID.
    pub fn uuid(&mut self) -> String {
        let rng = self.sim.rng.stream("uid");
        let (a, b) = (rng.bits(), rng.bits());
        let c = 0x8000 | ((b >> 48) as u16 & 0x3fff);
        format!(
            "{:08x}-{:04x}-4{:03x}-{c:04x}-{:012x}",
            a >> 32,
            a >> 16 & 0xffff,
            a & 0xfff,
            b & 0xffff_ffff_ffff
        )
    }
    /// A duration drawn from the range (microseconds), from the named stream.
    pub fn jitter(&mut self, stream: &'static str, range: (u64, u64)) -> SimDuration {
        SimDuration(self.random(stream, range.0, range.1))
    }

    /// Reports that something happened; what follows in this handler is caused by it.
    pub fn trace(&mut self, note: Note) -> TraceId {
        let id = self.trace_aside(note);
        self.cause = Some(id);
        id
    }
    /// Reports that something happened without making it the cause of what follows.
    pub fn trace_aside(&mut self, note: Note) -> TraceId {
        let note = note.draft();
        let id = TraceId(self.sim.next_trace);
        self.sim.next_trace += 1;
        self.sim.trace.push(TraceEvent {
            id,
            at: self.sim.now,
            cause: self.cause,
            actor: self.me,
            code: note.code,
            subject: note.subject,
            request: note.request,
            args: note.args,
            data: note.data,
        });
        id
    }

    /// Sets a timer for this component; it fires as `Input::Timer`.
    pub fn set_timer(&mut self, after: SimDuration, timer: Timer) -> EntryId {
        self.set_timer_at(self.sim.now + after, timer)
    }
    /// Sets a timer for this component at a point in time (now, when that has passed).
    pub fn set_timer_at(&mut self, at: SimTime, timer: Timer) -> EntryId {
        let entry = Entry::Timer {
            to: self.me,
            timer,
            cause: self.cause,
        };
        self.sim.queue.push(at.max(self.sim.now), entry)
    }
    /// Cancels a timer; false when it has fired.
    pub fn cancel(&mut self, timer: EntryId) -> bool {
        self.sim.queue.cancel(timer).is_some()
    }
    /// Tells a component of the same machine something, `after` from now.
    /// Only kubelet, runtime and kube-proxy of one machine talk this way.
    pub fn local(&mut self, to: ComponentId, after: SimDuration, message: crate::node::Local) {
        assert_eq!(
            self.me.machine(),
            to.machine(),
            "invariant: only components of one machine talk locally"
        );
        let at = self.sim.now + after;
        self.sim.queue.push(
            at,
            Entry::Local {
                to,
                message,
                cause: self.cause,
            },
        );
    }

    /// Sends a request to the API server; the answer comes as `Input::Response` with this id.
    /// The client's rate limit may hold it back.
    pub fn request(&mut self, request: Request) -> RequestId {
        let id = RequestId(self.sim.next_request);
        self.sim.next_request += 1;
        // Events travel with a client of their own, as in the real components.
        let lane = (self.me, request.kind == podscope_api::Kind::Event);
        let now = self.sim.now;
        let me = self.me;
        let limiter = self
            .sim
            .limiters
            .entry(lane)
            .or_insert_with(|| Limiter::of(me));
        let at = limiter.reserve(now);
        let entry = Entry::Send {
            from: self.me,
            id,
            request: Rc::new(request),
            cause: self.cause,
        };
        self.sim.queue.push(at, entry);
        id
    }

    /// One way's delay between a component and the API server.
    pub(crate) fn latency(&mut self, other: ComponentId) -> SimDuration {
        let range = if other.machine().is_some() {
            delay::NODE_LINK
        } else {
            delay::CONTROL_PLANE
        };
        let usual = self.jitter("network", range);
        if self.sim.faults.none() {
            return usual;
        }
        usual + self.link_delay(other.machine())
    }

    /// What a slow link adds to one message of a machine.
    #[inline(never)]
    pub(crate) fn link_delay(&mut self, machine: Option<u16>) -> SimDuration {
        let config = self.sim.config.clone();
        let link = machine.and_then(|m| self.sim.faults.link(&config, m));
        let Some((latency_ms, loss_percent)) = link else {
            return SimDuration::ZERO;
        };
        let mut delay = SimDuration::millis(latency_ms);
        let mut again = SimDuration::millis(200);
        // After fifteen losses in a row the real connection would be given up.
        for _ in 0..15 {
            if self.random("loss", 0, 99) >= loss_percent {
                break;
            }
            delay = delay + again;
            again = again.times(2).min(SimDuration::secs(120));
        }
        delay
    }

    /// Puts an answer on its way to a client.
    pub(crate) fn respond(&mut self, to: ComponentId, id: RequestId, response: Response) {
        let at = self.sim.now + self.latency(to);
        let entry = Entry::Response {
            to,
            id,
            response: Rc::new(response),
            cause: self.cause,
        };
        self.sim.queue.push(at, entry);
    }

    /// Makes a request fail on the client's side after a while.
    pub(crate) fn fail_later(
        &mut self,
        to: ComponentId,
        id: RequestId,
        failure: Failure,
        after: SimDuration,
    ) {
        let at = self.sim.now + after;
        let entry = Entry::Response {
            to,
            id,
            response: Rc::new(Err(failure)),
            cause: self.cause,
        };
        self.sim.queue.push(at, entry);
    }

    /// When the next watch event to `process` may arrive: later than all sent before.
    pub(crate) fn in_order(&mut self, process: Process, at: SimTime) -> SimTime {
        let last = self.sim.in_order.entry(process).or_default();
        *last = (*last).max(at);
        *last
    }
}
