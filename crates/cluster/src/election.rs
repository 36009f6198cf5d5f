//! Leader election of scheduler and controller manager by a Lease each.
//!
//! A leader renews its Lease every 2 s. As long as nothing disturbs it, that is not stepped through: the
//! Lease is shown as renewed when it is read ([`Election::renewed`]) and written down when something
//! breaks. From then on each step is a request: a process that cannot renew for 10 s exits, one that
//! starts asks every 2 s and a bit, and takes over when it has seen nobody renew for 15 s.
//!
//! Models: staging/src/k8s.io/client-go/tools/leaderelection (v1.36)
//! Left out: second replicas that wait from the start.

use crate::client::recorder::{Recorder, Regarding, Style};
use crate::component::{ComponentId, ControllerId, Process};
use crate::entry::Timer;
use crate::sim::Ctx;
use crate::trace::{Note, RequestId, TraceId};
use crate::world::Cluster;
use podscope_api::{Key, Kind, Object, Request, Response, Text, Timestamp, Value, value};
use podscope_kernel::{EntryId, SimDuration, SimTime};
use std::rc::Rc;

crate::codes! {
    /// A process no longer leads: it has ended, or could not renew its Lease in time.
    LOST = "election.lost";
    /// A process asks for the Lease that another one holds.
    WAITS = "election.waits";
    /// A process has got the Lease and goes to work.
    ACQUIRED = "election.acquired";
}

/// How long a Lease holds.
const LEASE: SimDuration = SimDuration::secs(15);
/// For how long a leader tries to renew before it exits.
const RENEW_DEADLINE: SimDuration = SimDuration::secs(10);
/// How often a leader renews, and the shortest time between two questions of one who waits.
const RETRY: SimDuration = SimDuration::secs(2);
/// How much longer two questions may lie apart, in microseconds.
const JITTER: u64 = 2_400_000;
/// How long a process that has exited takes to come back.
const RESTART: SimDuration = SimDuration::secs(1);

const ASK_AGAIN: &str = "loop.election";
const EXITS: &str = "election.renew_deadline";
const EXPIRES: &str = "election.lease_expires";
const COMES_BACK: &str = "election.restart";
const GOES_TO_WORK: &str = "election.start";

/// Where a process stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Phase {
    /// It leads, and has just renewed or is about to.
    #[default]
    Leads,
    /// It leads and cannot renew.
    Fails,
    /// It does not run.
    Down,
    /// It runs and wants to lead.
    Asks,
    /// It has got the Lease and fills its caches.
    Starts,
}

/// One of the two processes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Candidate {
    phase: Phase,
    /// A moment at which it renewed; others lie whole periods from it.
    renewed: SimTime,
    identity: Text,
    exits: Option<EntryId>,
    asked: Option<RequestId>,
    /// The Lease's revision that it saw last, and when it first did.
    seen: Option<(u64, SimTime)>,
}

/// The elections of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Election {
    scheduler: Candidate,
    manager: Candidate,
}

/// The two processes that elect a leader.
const PROCESSES: [Process; 2] = [Process::Scheduler, Process::ControllerManager];

/// The key of a process's Lease.
fn lease(process: Process) -> Key {
    Key::new("kube-system", name(process))
}

fn name(process: Process) -> &'static str {
    match process {
        Process::Scheduler => "kube-scheduler",
        _ => "kube-controller-manager",
    }
}

/// In whose name a process asks for its Lease.
fn component(process: Process) -> ComponentId {
    match process {
        Process::Scheduler => ComponentId::Scheduler,
        _ => ComponentId::Controller(ControllerId::LeaderElection),
    }
}

/// The two Leases of a cluster that has been set up.
pub fn leases(epoch_micros: i64) -> [Value; 2] {
    let at = |seconds: i64| Timestamp(epoch_micros - seconds * 1_000_000).micros_text();
    PROCESSES.map(|process| {
        value!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": (name(process)), "namespace": "kube-system"},
            "spec": {"holderIdentity": (format!("control-plane_{}", name(process))),
                "leaseDurationSeconds": 15, "leaseTransitions": 0,
                "acquireTime": (at(3_600)), "renewTime": (at(2))}
        })
    })
}

impl Election {
    /// Whether nothing has to be done: both lead undisturbed.
    pub fn is_quiet(&self) -> bool {
        self.scheduler.phase == Phase::Leads && self.manager.phase == Phase::Leads
    }
    /// Whether a process leads (and works).
    pub fn leads(&self, process: Process) -> bool {
        matches!(self.of(process).phase, Phase::Leads | Phase::Fails)
    }
    fn of(&self, process: Process) -> &Candidate {
        match process {
            Process::Scheduler => &self.scheduler,
            _ => &self.manager,
        }
    }
    fn of_mut(&mut self, process: Process) -> &mut Candidate {
        match process {
            Process::Scheduler => &mut self.scheduler,
            _ => &mut self.manager,
        }
    }
    /// A Lease as it is at this moment: with the newest of the renewals that are not stepped through.
    #[inline(never)]
    pub fn renewed(&self, object: &Rc<Object>, ctx: &Ctx<'_>) -> Rc<Object> {
        let process = PROCESSES.into_iter().find(|p| object.key() == lease(*p));
        let Some(candidate) = process.map(|p| self.of(p)) else {
            return object.clone();
        };
        if candidate.phase != Phase::Leads {
            return object.clone();
        }
        let mut object = (**object).clone();
        let at = ctx.wall_at(candidate.last(ctx.now()));
        object.set("spec.renewTime", at.micros_text());
        Rc::new(object)
    }
}

impl Candidate {
    /// When it renewed last.
    fn last(&self, now: SimTime) -> SimTime {
        let since = now.since(self.renewed).0;
        SimTime(now.0 - since % RETRY.0)
    }
}

/// Whether a Lease can be renewed now.
fn can_renew(cluster: &Cluster) -> bool {
    let network = &cluster.sim.network;
    let down = network.etcd_down.len();
    let up = usize::from(cluster.etcd.members()).saturating_sub(down);
    !network.apiserver_down && !network.etcd_no_space && up >= cluster.etcd.quorum()
}

/// Writes down the renewals that were not stepped through; a leader that `releases` leaves the Lease to others.
fn write_down(cluster: &mut Cluster, process: Process, releases: bool, cause: Option<TraceId>) {
    let key = lease(process);
    let now = cluster.sim.now;
    let last = cluster.sim.election.of(process).last(now);
    let Some(stored) = cluster.etcd.get(Kind::Lease, &key) else {
        return;
    };
    let mut object = (*stored.object).clone();
    let at = cluster.wall_at(if releases { now } else { last });
    object.set("spec.renewTime", at.micros_text());
    if releases {
        object.set("spec.holderIdentity", "");
        object.set("spec.leaseDurationSeconds", 1);
    }
    let change = cluster.etcd.commit(Kind::Lease, key, Some(object));
    let mut ctx = cluster.sim.ctx(ComponentId::ApiServer, cause);
    cluster.api.publish(&mut ctx, &change);
}

/// A process ends; one that is asked to end may release its Lease.
#[inline(never)]
pub(crate) fn stopped(
    cluster: &mut Cluster,
    process: Process,
    releases: bool,
    cause: Option<TraceId>,
) {
    let phase = cluster.sim.election.of(process).phase;
    if phase == Phase::Leads {
        write_down(cluster, process, releases && can_renew(cluster), cause);
    }
    cluster.end_process(process);
    let candidate = cluster.sim.election.of_mut(process);
    *candidate = Candidate {
        phase: Phase::Down,
        ..Candidate::default()
    };
    match process {
        Process::Scheduler => cluster.scheduler = Default::default(),
        _ => cluster.controllers = Default::default(),
    }
    let note = Note::new(LOST).about(Kind::Lease, lease(process));
    cluster.sim.ctx(component(process), cause).trace(note);
}

/// A process starts: it wants to lead.
#[inline(never)]
pub(crate) fn started(cluster: &mut Cluster, process: Process, cause: Option<TraceId>) {
    let mut ctx = cluster.sim.ctx(component(process), cause);
    let identity = format!("control-plane_{}", ctx.uuid());
    *cluster.sim.election.of_mut(process) = Candidate {
        phase: Phase::Asks,
        identity: identity.into(),
        ..Candidate::default()
    };
    ask(cluster, process, cause);
}

fn ask(cluster: &mut Cluster, process: Process, cause: Option<TraceId>) {
    let key = lease(process);
    let mut ctx = cluster.sim.ctx(component(process), cause);
    let id = ctx.request(Request::get(Kind::Lease, key.namespace, key.name));
    cluster.sim.election.of_mut(process).asked = Some(id);
}

/// Something was broken or mended: leaders may be unable to renew, or able again.
#[inline(never)]
pub(crate) fn check(cluster: &mut Cluster, cause: Option<TraceId>) {
    let able = can_renew(cluster);
    for process in PROCESSES {
        let now = cluster.sim.now;
        let phase = cluster.sim.election.of(process).phase;
        match (phase, able) {
            (Phase::Leads, false) => {
                let next = cluster.sim.election.of(process).last(now) + RETRY;
                write_down(cluster, process, false, cause);
                let mut ctx = cluster.sim.ctx(component(process), cause);
                let timer = Timer::deadline(EXITS, lease(process));
                let exits = ctx.set_timer_at(next + RENEW_DEADLINE, timer);
                let candidate = cluster.sim.election.of_mut(process);
                (candidate.phase, candidate.exits) = (Phase::Fails, Some(exits));
            }
            (Phase::Fails, true) => {
                let candidate = cluster.sim.election.of_mut(process);
                candidate.phase = Phase::Leads;
                candidate.renewed = now;
                let exits = candidate.exits.take();
                let mut ctx = cluster.sim.ctx(component(process), cause);
                if let Some(exits) = exits {
                    ctx.cancel(exits);
                }
            }
            _ => {}
        }
    }
}

/// Whether a fault keeps the process from running.
fn is_broken(cluster: &Cluster, process: Process) -> bool {
    let network = &cluster.sim.network;
    match process {
        Process::Scheduler => network.scheduler_down,
        _ => network.controller_manager_down,
    }
}

/// A timer; false when it is not one of these.
#[inline(never)]
pub(crate) fn timer(
    cluster: &mut Cluster,
    to: ComponentId,
    timer: &Timer,
    cause: Option<TraceId>,
) -> bool {
    let Some(process) = PROCESSES.into_iter().find(|p| component(*p) == to) else {
        return false;
    };
    let phase = cluster.sim.election.of(process).phase;
    match timer.code {
        ASK_AGAIN if phase == Phase::Asks => ask(cluster, process, cause),
        EXITS if phase == Phase::Fails => {
            stopped(cluster, process, false, cause);
            let mut ctx = cluster.sim.ctx(to, cause);
            ctx.set_timer(RESTART, Timer::internal(COMES_BACK));
        }
        COMES_BACK if !is_broken(cluster, process) => started(cluster, process, cause),
        GOES_TO_WORK => work(cluster, process, cause),
        ASK_AGAIN | EXITS | EXPIRES | COMES_BACK => {}
        _ => return false,
    }
    true
}

/// An answer; false when it is not one of these.
#[inline(never)]
pub(crate) fn answer(
    cluster: &mut Cluster,
    to: ComponentId,
    id: RequestId,
    response: &Response,
    cause: Option<TraceId>,
) -> bool {
    let process = PROCESSES.into_iter().find(|p| component(*p) == to);
    let asks = |p: &Process| cluster.sim.election.of(*p).asked == Some(id);
    let Some(process) = process.filter(asks) else {
        return false;
    };
    cluster.sim.election.of_mut(process).asked = None;
    let now = cluster.sim.now;
    let wall = cluster.wall_at(now).micros_text();
    let identity = cluster.sim.election.of(process).identity.clone();
    let object = response.as_ref().ok().map(|answer| answer.object.clone());
    // A question is a read that needs a majority of etcd's members.
    let Some(object) = object.filter(|_| can_renew(cluster)) else {
        again(cluster, process, cause);
        return true;
    };
    let holder = object.at("spec.holderIdentity").str_or_empty();
    if holder == &*identity {
        won(cluster, process, &object, cause);
        return true;
    }
    let seen = cluster.sim.election.of(process).seen;
    let revision = object.resource_version();
    let since = match seen {
        Some((known, since)) if known == revision => since,
        _ => {
            cluster.sim.election.of_mut(process).seen = Some((revision, now));
            if !holder.is_empty() {
                let mut ctx = cluster.sim.ctx(to, cause);
                let note = Note::new(WAITS)
                    .about(Kind::Lease, lease(process))
                    .arg("holder", holder);
                ctx.trace(note);
                ctx.set_timer(LEASE, Timer::deadline(EXPIRES, lease(process)));
            }
            now
        }
    };
    if !holder.is_empty() && now.since(since) < LEASE {
        again(cluster, process, cause);
        return true;
    }
    let mut object = (*object).clone();
    let before = object.at("spec.leaseTransitions").as_int().unwrap_or(0);
    object.set("spec.holderIdentity", identity);
    object.set("spec.leaseDurationSeconds", 15);
    object.set("spec.leaseTransitions", before + 1);
    object.set("spec.acquireTime", wall.clone());
    object.set("spec.renewTime", wall);
    let mut ctx = cluster.sim.ctx(to, cause);
    let id = ctx.request(Request::update(Kind::Lease, "", object));
    cluster.sim.election.of_mut(process).asked = Some(id);
    true
}

/// It did not get the Lease: it asks again after a while.
fn again(cluster: &mut Cluster, process: Process, cause: Option<TraceId>) {
    let mut ctx = cluster.sim.ctx(component(process), cause);
    let wait = RETRY + SimDuration(ctx.random("election", 0, JITTER));
    ctx.set_timer(wait, Timer::keyed(ASK_AGAIN, lease(process)));
}

/// It has got the Lease: it tells so and fills its caches.
fn won(cluster: &mut Cluster, process: Process, object: &Object, cause: Option<TraceId>) {
    let now = cluster.sim.now;
    let candidate = cluster.sim.election.of_mut(process);
    (candidate.phase, candidate.renewed) = (Phase::Starts, now);
    let identity = candidate.identity.clone();
    let mut ctx = cluster.sim.ctx(component(process), cause);
    let transitions = object.at("spec.leaseTransitions").as_int().unwrap_or(0);
    let note = Note::new(ACQUIRED)
        .about(Kind::Lease, lease(process))
        .arg("identity", identity.clone())
        .arg("transitions", transitions);
    ctx.trace(note);
    let mut recorder = Recorder::new(name(process), "", Style::Core);
    let regarding = Regarding::object(Kind::Lease, object);
    let message = format!("{identity} became leader");
    recorder.record(
        &mut ctx,
        regarding,
        "Normal",
        "LeaderElection",
        "",
        &message,
    );
    // The scheduler has filled its caches before it asked.
    let wait = match process {
        Process::Scheduler => SimDuration::millis(1),
        _ => SimDuration::millis(600),
    };
    ctx.set_timer(wait, Timer::internal(GOES_TO_WORK));
}

/// It leads: everything that it watches is listed, and its components start.
fn work(cluster: &mut Cluster, process: Process, cause: Option<TraceId>) {
    if cluster.sim.election.of(process).phase != Phase::Starts {
        return;
    }
    if cluster.sim.network.apiserver_down {
        // It cannot list: it ends and starts over.
        stopped(cluster, process, false, cause);
        let mut ctx = cluster.sim.ctx(component(process), cause);
        ctx.set_timer(RESTART, Timer::internal(COMES_BACK));
        return;
    }
    cluster.sim.election.of_mut(process).phase = Phase::Leads;
    cluster.list_again(process, cause);
    let caches = cluster.caches.entry(process).or_default();
    match process {
        Process::Scheduler => {
            let mut ctx = cluster.sim.ctx(ComponentId::Scheduler, cause);
            cluster.scheduler.start(caches, &mut ctx);
        }
        _ => cluster.controllers.start(&mut cluster.sim, caches, cause),
    }
    check(cluster, cause);
}
