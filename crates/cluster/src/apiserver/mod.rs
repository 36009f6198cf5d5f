//! kube-apiserver: the hub. Everybody learns and writes through it; only it talks to etcd.
//!
//! A request is in flight from its arrival to its answer and passes the stages one after the other;
//! each stage is reported. Models: staging/src/k8s.io/apiserver (v1.36)

pub mod admission;
pub mod authorization;
pub mod check;
pub mod defaulting;
pub mod delete;
pub mod eviction;
pub mod go;
pub mod pipeline;
pub mod read;
pub mod special;
pub mod strategy;
mod trouble;
pub mod validation;
pub mod warnings;
pub mod watch;
pub mod write;

use crate::client::informer::{Scope, WatchId};
use crate::component::{ComponentId, Process, User};
use crate::config::delay;
use crate::etcd::{Change, Etcd};
use crate::sim::{Ctx, Sim};
use crate::trace::{Data, Note, RequestId, TraceId};
use podscope_api::{Answer, Failure, Key, Kind, Object, Request, Status, Text, Verb};
use podscope_kernel::SimTime;
use podscope_kernel::collections::BTreeMap;
use std::rc::Rc;

crate::codes! {
    /// A request reached the API server.
    RECEIVED = "apiserver.received";
    /// It knows who asks.
    AUTHENTICATION = "apiserver.authentication";
    /// The request has a seat in its priority level.
    PRIORITY = "apiserver.priority";
    /// The client may do this.
    AUTHORIZATION = "apiserver.authorization";
    /// The body was read against the schema.
    DECODE = "apiserver.decode";
    /// Empty fields got their defaults.
    DEFAULT = "apiserver.default";
    /// A mutating admission plugin or webhook changed the object.
    MUTATE = "apiserver.mutate";
    /// Name, uid, creation time, generation and addresses were set.
    PREPARE = "apiserver.prepare";
    /// The object was checked against the rules of its kind.
    VALIDATE = "apiserver.validate";
    /// A validating admission plugin or policy passed the object.
    ADMIT = "apiserver.admit";
    /// The quota has room for it.
    QUOTA = "apiserver.quota";
    /// A patch was applied to the stored object.
    PATCH = "apiserver.patch";
    /// The request was refused.
    REFUSED = "apiserver.refused";
    /// A read was answered.
    READ = "apiserver.read";
    /// A write was stored and is answered.
    STORED = "apiserver.stored";
    /// Nothing had changed, so nothing was written.
    UNCHANGED = "apiserver.unchanged";
    /// A watch was opened.
    WATCH = "apiserver.watch";
}

/// Where a request is inside the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Authentication, priority and fairness, authorization.
    Front,
    /// Decoding, defaulting, admission, validation of a write.
    Process,
    /// etcd's answer.
    Commit,
    /// Another look for a majority of etcd's members.
    Retry,
}

/// What a write is going to store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Pending {
    pub kind: Kind,
    pub key: Key,
    /// The object to store; `None` deletes the key.
    pub object: Option<Object>,
    /// The revision that the decision was based on; `None` when the key must not exist.
    pub expected: Option<u64>,
    /// Whether the client insisted on that revision itself (then a change means 409).
    pub strict: bool,
    /// HTTP code of the answer.
    pub code: u16,
    /// Answered instead of the stored object.
    pub answer: Option<Object>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct InFlight {
    pub from: ComponentId,
    pub user: Rc<User>,
    pub request: Rc<Request>,
    pub cause: Option<TraceId>,
    pub arrived: SimTime,
    pub pending: Option<Pending>,
    pub acks: Vec<(u8, SimTime)>,
    pub warnings: Vec<Text>,
    pub attempts: u8,
    /// How many of a request's several writes are done.
    pub step: u8,
    /// Whether another write follows the one on its way.
    pub more: bool,
    /// What this deletion has marked; somebody else's write may remove it then.
    pub marked: Option<Rc<Object>>,
}

/// A watch that is open.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Watcher {
    /// Who watches.
    pub to: Process,
    /// What kind.
    pub kind: Kind,
    /// Which objects.
    pub scope: Scope,
    /// Whether the stream is open.
    pub open: bool,
}

/// The API server: requests in flight, open watches and its watch cache.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ApiServer {
    pub(crate) inflight: BTreeMap<RequestId, InFlight>,
    watchers: BTreeMap<WatchId, Watcher>,
    by_kind: BTreeMap<Kind, Vec<WatchId>>,
    by_node: BTreeMap<Text, Vec<WatchId>>,
    pub(crate) cache: BTreeMap<Kind, BTreeMap<Key, Rc<Object>>>,
    /// Servers of webhooks that do not answer as usual, by their configuration's name.
    pub(crate) webhooks: BTreeMap<Text, admission::webhook::Server>,
    /// How often requests were refused for want of a seat and tried again.
    pub(crate) retries: BTreeMap<RequestId, u8>,
}

impl ApiServer {
    /// The watch cache of one kind: what reads that need not be current are answered from.
    pub fn cached(&self, kind: Kind) -> impl Iterator<Item = &Rc<Object>> {
        self.cache.get(&kind).into_iter().flat_map(BTreeMap::values)
    }
    /// One object from the watch cache.
    pub fn cached_one(&self, kind: Kind, key: &Key) -> Option<&Rc<Object>> {
        self.cache.get(&kind)?.get(key)
    }
    /// Requests in flight with their senders.
    pub fn in_flight(&self) -> impl Iterator<Item = (RequestId, ComponentId, &Rc<Request>)> {
        self.inflight
            .iter()
            .map(|(id, f)| (*id, f.from, &f.request))
    }
    /// The open watches.
    pub fn watchers(&self) -> impl Iterator<Item = (WatchId, &Watcher)> {
        self.watchers.iter().map(|(id, w)| (*id, w))
    }

    /// A request arrives.
    pub(crate) fn arrive(
        &mut self,
        sim: &mut Sim,
        from: ComponentId,
        id: RequestId,
        request: Rc<Request>,
        user: Rc<User>,
        cause: Option<TraceId>,
    ) {
        let mut ctx = sim.ctx(ComponentId::ApiServer, cause);
        let note = Note::new(RECEIVED)
            .of(id)
            .arg("verb", request.verb.name())
            .arg("resource", resource(&request))
            .arg("name", request.name.clone())
            .data(Data::Request(request.clone()));
        ctx.trace(note);
        let cause = ctx.cause();
        let arrived = ctx.now();
        let flight = InFlight {
            from,
            user,
            request,
            cause,
            arrived,
            pending: None,
            acks: Vec::new(),
            warnings: Vec::new(),
            attempts: 0,
            step: 0,
            more: false,
            marked: None,
        };
        self.inflight.insert(id, flight);
        let wait = ctx.jitter("apiserver", delay::FRONT);
        schedule(&mut ctx, wait, id, Stage::Front);
    }

    /// A request in flight goes on.
    pub(crate) fn stage(&mut self, sim: &mut Sim, etcd: &mut Etcd, id: RequestId, stage: Stage) {
        let Some(mut flight) = self.inflight.remove(&id) else {
            return;
        };
        let mut ctx = sim.ctx(ComponentId::ApiServer, flight.cause);
        let done = match stage {
            Stage::Front => self.front(&mut ctx, etcd, id, &mut flight),
            Stage::Retry if !flight.request.verb.writes() => {
                self.read_when_fresh(&mut ctx, etcd, id, &flight)
            }
            Stage::Process | Stage::Retry => self.process(&mut ctx, etcd, id, &mut flight),
            Stage::Commit => self.commit(&mut ctx, etcd, id, &mut flight),
        };
        flight.cause = ctx.cause();
        match done {
            Progress::Waits => {
                self.inflight.insert(id, flight);
            }
            Progress::Answered(response) => ctx.respond(flight.from, id, response),
            Progress::Again => trouble::send_again(&mut ctx, id, &flight),
        }
    }

    fn front(
        &mut self,
        ctx: &mut Ctx<'_>,
        etcd: &Etcd,
        id: RequestId,
        flight: &mut InFlight,
    ) -> Progress {
        let user = flight.user.clone();
        if !ctx.sim.faults.none() && ctx.sim.faults.certificate_expired(&user.name) {
            return refuse(ctx, id, "authentication", trouble::unauthorized());
        }
        let how = match user.credential {
            crate::component::Credential::Certificate => "certificate",
            crate::component::Credential::Token => "token",
            crate::component::Credential::None => "anonymous",
        };
        let note = Note::new(AUTHENTICATION)
            .of(id)
            .arg("user", user.name.clone())
            .arg("groups", crate::trace::joined(user.groups.iter()))
            .arg("how", how);
        ctx.trace(note);
        let level = authorization::priority_level(&user, &flight.request);
        ctx.trace(Note::new(PRIORITY).of(id).arg("level", level));
        if !ctx.sim.faults.none()
            && let Some(refused) = self.no_seat(ctx, id, level)
        {
            return refused;
        }
        match authorization::authorize(&user, &flight.request, self) {
            Ok(reason) => {
                let note = Note::new(AUTHORIZATION)
                    .of(id)
                    .arg("user", user.name.clone())
                    .arg("verb", flight.request.verb.name())
                    .arg("resource", resource(&flight.request))
                    .arg("reason", reason);
                ctx.trace(note);
            }
            Err(status) => return refuse(ctx, id, "authorization", status),
        }
        if flight.request.verb.writes() {
            let mut wait = ctx.jitter("apiserver", delay::PIPELINE);
            if !self.webhooks.is_empty() {
                wait = wait + admission::webhook::delay(self, &flight.request);
            }
            schedule(ctx, wait, id, Stage::Process);
            return Progress::Waits;
        }
        if ctx.sim.faults.none() {
            return Progress::Answered(self.read(ctx, etcd, id, &flight.request));
        }
        self.read_when_fresh(ctx, etcd, id, flight)
    }

    /// Puts a decided write to etcd, or waits for a majority of its members.
    fn propose(
        &mut self,
        ctx: &mut Ctx<'_>,
        etcd: &mut Etcd,
        id: RequestId,
        flight: &mut InFlight,
    ) -> Progress {
        let key = flight
            .pending
            .as_ref()
            .map(|p| crate::etcd::path(p.kind, &p.key))
            .unwrap_or_default();
        let puts = flight.pending.as_ref().is_some_and(|p| p.object.is_some());
        if puts && ctx.sim.network.etcd_no_space {
            return refuse(ctx, id, "storage", trouble::no_space());
        }
        let Some(proposal) = etcd.propose(ctx) else {
            return trouble::write_waits(ctx, id, flight, key);
        };
        let note = Note::new(crate::etcd::PROPOSE)
            .of(id)
            .arg("key", key)
            .arg("leader", i64::from(etcd.leader()))
            .arg("members", i64::from(etcd.members()));
        ctx.trace(note);
        flight.acks = proposal.acks;
        let wait = proposal.commit_at.since(ctx.now());
        schedule(ctx, wait, id, Stage::Commit);
        Progress::Waits
    }

    fn commit(
        &mut self,
        ctx: &mut Ctx<'_>,
        etcd: &mut Etcd,
        id: RequestId,
        flight: &mut InFlight,
    ) -> Progress {
        let Some(pending) = flight.pending.take() else {
            return Progress::Answered(Err(Failure::Timeout));
        };
        let current = etcd.get(pending.kind, &pending.key).map(|s| s.mod_revision);
        if current != pending.expected {
            ctx.trace(
                Note::new(crate::etcd::COMPARE_FAILED)
                    .of(id)
                    .arg("key", crate::etcd::path(pending.kind, &pending.key)),
            );
            let (group, plural) = (pending.kind.group(), pending.kind.plural());
            if pending.expected.is_none() {
                return refuse(
                    ctx,
                    id,
                    "storage",
                    Status::already_exists(group, plural, &pending.key.name),
                );
            }
            flight.attempts += 1;
            if pending.strict || flight.attempts > 5 {
                return refuse(
                    ctx,
                    id,
                    "storage",
                    write::modified(pending.kind, &pending.key.name),
                );
            }
            return self.process(ctx, etcd, id, flight);
        }
        let majority = etcd.quorum();
        let now = ctx.now();
        for (member, _) in flight
            .acks
            .iter()
            .filter(|(_, at)| *at <= now)
            .take(majority)
        {
            let leader = i64::from(*member == etcd.leader());
            let note = Note::new(crate::etcd::ACK)
                .of(id)
                .arg("member", i64::from(*member))
                .arg("leader", leader);
            ctx.trace(note);
        }
        let change = etcd.commit(pending.kind, pending.key.clone(), pending.object);
        let note = Note::new(crate::etcd::COMMIT)
            .of(id)
            .about(pending.kind, pending.key.clone())
            .arg("key", crate::etcd::path(pending.kind, &pending.key))
            .arg(
                "revision",
                i64::try_from(change.revision).unwrap_or(i64::MAX),
            )
            .data(Data::Change(change.old.clone(), change.new.clone()));
        ctx.trace(note);
        self.publish(ctx, &change);
        if flight.request.verb == podscope_api::Verb::Delete
            && let Some(marked) = &change.new
            && delete::finished(marked)
        {
            // Nothing holds it: what was marked is removed by the same request.
            flight.marked = Some(marked.clone());
            let (kind, revision) = (pending.kind, change.revision);
            return self.remove(ctx, etcd, id, flight, kind, pending.key, revision);
        }
        if flight.more {
            (flight.more, flight.step, flight.attempts) = (false, flight.step + 1, 0);
            return self.process(ctx, etcd, id, flight);
        }
        let object = match (pending.answer, &change.new, &change.old) {
            (Some(answer), _, _) => Rc::new(answer),
            (None, Some(new), _) => new.clone(),
            (None, None, Some(old)) => old.clone(),
            (None, None, None) => Rc::new(Object::default()),
        };
        let note = Note::new(STORED)
            .of(id)
            .about(pending.kind, pending.key)
            .arg("code", i64::from(pending.code))
            .arg("verb", flight.request.verb.name());
        ctx.trace(note);
        let warnings = std::mem::take(&mut flight.warnings);
        Progress::Answered(Ok(Answer {
            code: pending.code,
            object,
            warnings,
        }))
    }

    /// Takes a change into the watch cache and sends it to the watchers.
    pub(crate) fn publish(&mut self, ctx: &mut Ctx<'_>, change: &Change) {
        self.remember(change);
        self.dispatch(ctx, change);
    }

    /// Takes a change into the watch cache.
    pub(crate) fn remember(&mut self, change: &Change) {
        let cache = self.cache.entry(change.kind).or_default();
        match (&change.new, &change.old) {
            (Some(new), _) => {
                cache.insert(new.key(), new.clone());
            }
            (None, Some(old)) => {
                cache.remove(&old.key());
            }
            (None, None) => {}
        }
    }
}

/// What became of a request after a stage.
pub(crate) enum Progress {
    Waits,
    Answered(podscope_api::Response),
    /// The client waits a second and sends it again.
    Again,
}

pub(crate) fn schedule(
    ctx: &mut Ctx<'_>,
    wait: podscope_kernel::SimDuration,
    id: RequestId,
    stage: Stage,
) {
    let at = ctx.now() + wait;
    ctx.sim
        .queue
        .push(at, crate::entry::Entry::Stage { id, stage });
}

/// Reports a refusal and answers with it.
pub(crate) fn refuse(
    ctx: &mut Ctx<'_>,
    id: RequestId,
    stage: &'static str,
    status: Status,
) -> Progress {
    let response = Err(Failure::Status(status.clone()));
    let note = Note::new(REFUSED)
        .of(id)
        .arg("stage", stage)
        .arg("code", i64::from(status.code))
        .arg("reason", status.reason.clone())
        .arg("message", status.message.clone())
        .data(Data::Response(Rc::new(response.clone())));
    ctx.trace(note);
    Progress::Answered(response)
}

/// `pods/binding`, `deployments` and so on.
pub fn resource(request: &Request) -> String {
    let mut text = request.kind.plural().to_string();
    if !request.subresource.is_empty() {
        text.push('/');
        text.push_str(&request.subresource);
    }
    text
}

/// The 409 or 404 wording's resource name is the plural with its group.
pub(crate) fn not_found(kind: Kind, name: &str) -> Status {
    Status::not_found(kind.group(), kind.plural(), name)
}

/// True for verbs that read.
pub(crate) fn is_collection(request: &Request) -> bool {
    matches!(
        request.verb,
        Verb::List | Verb::DeleteCollection | Verb::Watch
    )
}
