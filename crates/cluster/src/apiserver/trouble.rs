//! What the API server answers when it, or etcd behind it, is in trouble.
//!
//! Times and words as recorded with an etcd that was stopped, killed and brought back.
//! Models: staging/src/k8s.io/apiserver/pkg/server/filters, client-go's retries (v1.36)

use super::{ApiServer, InFlight, Progress, REFUSED, Stage, refuse, schedule};
use crate::entry::Entry;
use crate::etcd::Etcd;
use crate::sim::Ctx;
use crate::trace::{Note, RequestId};
use podscope_api::{Request, Status, Text, Verb};
use podscope_kernel::SimDuration;

/// After this long a write without a majority is given up.
const WRITE_TIMEOUT: SimDuration = SimDuration::secs(34);
/// After this long a read without a majority is given up.
const READ_TIMEOUT: SimDuration = SimDuration::secs(60);
/// How often a client tries again when it was told to wait.
const MAX_RETRIES: u8 = 10;

/// The answer to somebody whom the API server does not know.
#[inline(never)]
pub(super) fn unauthorized() -> Status {
    Status::new(401, "Unauthorized", "Unauthorized")
}

/// etcd's refusal of a put when its database is full.
#[inline(never)]
pub(super) fn no_space() -> Status {
    let message = "etcdserver: mvcc: database space exceeded";
    Status::new(500, "", message)
}

/// A write without a majority waits, and is given up in the end.
#[inline(never)]
pub(super) fn write_waits(
    ctx: &mut Ctx<'_>,
    id: RequestId,
    flight: &InFlight,
    key: String,
) -> Progress {
    if ctx.now().since(flight.arrived) >= WRITE_TIMEOUT {
        let message = "Timeout: request did not complete within requested timeout - context deadline exceeded";
        return refuse(ctx, id, "storage", Status::new(504, "Timeout", message));
    }
    ctx.trace(Note::new(crate::etcd::NO_QUORUM).of(id).arg("key", key));
    schedule(ctx, SimDuration::secs(1), id, Stage::Retry);
    Progress::Waits
}

/// The words of a client whose read was given up.
fn read_timeout(request: &Request) -> Status {
    let mut what = request.kind.plural().to_string();
    if !request.kind.group().is_empty() {
        what = format!("{what}.{}", request.kind.group());
    }
    if !request.name.is_empty() {
        what = format!("{what} {}", request.name);
    }
    let message = format!(
        "the server was unable to return a response in the time allotted, but may still be processing the request (get {what})"
    );
    Status::new(504, "Timeout", message)
}

/// Sends a request again that was refused with `Retry-After`.
#[inline(never)]
pub(super) fn send_again(ctx: &mut Ctx<'_>, id: RequestId, flight: &InFlight) {
    let wait = SimDuration::secs(1) + ctx.latency(flight.from);
    let at = ctx.now() + wait;
    let cause = ctx.cause();
    ctx.sim.queue.push(
        at,
        Entry::Send {
            from: flight.from,
            id,
            request: flight.request.clone(),
            cause,
        },
    );
}

impl ApiServer {
    /// Answers a read that must be fresh once etcd has a majority; others at once.
    #[inline(never)]
    pub(super) fn read_when_fresh(
        &self,
        ctx: &mut Ctx<'_>,
        etcd: &Etcd,
        id: RequestId,
        flight: &InFlight,
    ) -> Progress {
        let request = &flight.request;
        let cached = request.verb == Verb::List && request.options.resource_version == Some(0);
        if cached || etcd.has_quorum(&ctx.sim.network) {
            return Progress::Answered(self.read(ctx, etcd, id, request));
        }
        if ctx.now().since(flight.arrived) >= READ_TIMEOUT {
            return refuse(ctx, id, "storage", read_timeout(request));
        }
        let key = super::resource(request);
        ctx.trace(Note::new(crate::etcd::NO_QUORUM).of(id).arg("key", key));
        schedule(ctx, SimDuration::secs(1), id, Stage::Retry);
        Progress::Waits
    }

    /// Whether an overloaded API server refuses a request of this priority level.
    #[inline(never)]
    pub(super) fn no_seat(
        &mut self,
        ctx: &mut Ctx<'_>,
        id: RequestId,
        level: &str,
    ) -> Option<Progress> {
        let percent = ctx.sim.faults.refused_percent(level);
        if percent == 0 || ctx.random("overload", 0, 99) >= percent {
            self.retries.remove(&id);
            return None;
        }
        let message: Text = "Too many requests, please try again later.".into();
        let tried = self.retries.entry(id).or_insert(0);
        if *tried >= MAX_RETRIES {
            self.retries.remove(&id);
            let status = Status::new(429, "TooManyRequests", message);
            return Some(refuse(ctx, id, "priority", status));
        }
        *tried += 1;
        let note = Note::new(REFUSED)
            .of(id)
            .arg("stage", "priority")
            .arg("code", 429)
            .arg("reason", "TooManyRequests")
            .arg("message", message);
        ctx.trace(note);
        Some(Progress::Again)
    }
}
