//! Heartbeats: the Lease every 10 s, the Node's status when it has changed or every 5 min.
//!
//! Models: pkg/kubelet/kubelet_node_status.go, staging/src/k8s.io/component-helpers/apimachinery/lease (v1.36)

use super::{Kubelet, NODE_STATUS, Sent, is_not_found};
use crate::client::informer::Caches;
use crate::client::recorder::Regarding;
use crate::entry::Timer;
use crate::node::runtime::Runtime;
use crate::sim::Ctx;
use crate::trace::Note;
use podscope_api::{
    Failure, Key, Kind, Object, PatchType, Request, Response, Text, Value, patch, value,
};
use podscope_kernel::{SimDuration, SimTime};
use std::rc::Rc;

/// The Lease is renewed.
pub const LEASE_LOOP: &str = "loop.kubelet.lease";
/// The Node's status is looked at.
pub const STATUS_LOOP: &str = "loop.kubelet.node_status";

/// Between two renewals.
const LEASE_EVERY: SimDuration = SimDuration::secs(10);
/// Between two looks at the status.
const STATUS_EVERY: SimDuration = SimDuration::secs(10);
/// Between two reports when nothing changes.
const REPORT_EVERY: SimDuration = SimDuration::secs(300);
/// How many images a Node's status lists.
const MAX_IMAGES: usize = 50;

/// What the heartbeats know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Heartbeat {
    lease: Option<Rc<Object>>,
    address: Text,
    node: Option<Rc<Object>>,
    next_status: SimTime,
    boot: Text,
    cold: bool,
    /// Whether the last Event about it said that the Node takes no Pods.
    cordoned: bool,
}

impl Heartbeat {
    /// The machine's address as its Node says.
    pub fn address(&self) -> Option<&str> {
        (!self.address.is_empty()).then_some(&*self.address)
    }
    /// An image was added: the next look at the status will report it.
    pub(super) fn images_changed(&mut self, ctx: &mut Ctx<'_>) {
        self.look_soon(ctx);
    }
    /// Whether the Node was cordoned or uncordoned since the last Event about it.
    fn cordon_changed(&self) -> bool {
        let node = self.node.as_ref();
        node.is_some_and(|n| n.spec().get("unschedulable").is_true() != self.cordoned)
    }
    /// Looks at the status at the next of its ten-second beats.
    fn look_soon(&mut self, ctx: &mut Ctx<'_>) {
        let at = beat(ctx, ctx.now());
        if self.next_status > at || self.next_status <= ctx.now() {
            self.next_status = at;
            let cause = ctx.cause();
            ctx.set_timer_at(at, Timer::internal(STATUS_LOOP));
            ctx.set_cause(cause);
        }
    }
}

/// The next of a machine's ten-second beats after a time; machines do not beat together.
fn beat(ctx: &Ctx<'_>, after: SimTime) -> SimTime {
    let machine = u64::from(ctx.me().machine().unwrap_or(0));
    let phase = SimDuration::millis((machine * 613 + 470) % 10_000);
    (after - phase).next_multiple(STATUS_EVERY) + phase
}

fn address_of(node: &Object) -> Text {
    let addresses = node.at("status.addresses").items();
    let internal = addresses
        .iter()
        .find(|a| a.get("type").as_str() == Some("InternalIP"));
    internal
        .map_or("", |a| a.get("address").str_or_empty())
        .into()
}

/// A condition as the eviction manager tells it: type, status, reason, message.
#[inline(never)]
fn pressed(
    pressure: &super::pressure::Pressure,
    usual: (&'static str, &'static str, &'static str, &'static str),
) -> (&'static str, &'static str, &'static str, &'static str) {
    match pressure.holds(usual.0) {
        Some(scarce) => {
            let (reason, message) = scarce.words();
            (usual.0, "True", reason, message)
        }
        None => usual,
    }
}

impl Kubelet {
    /// Starts the loops; after a boot it also tells that it is back.
    pub(super) fn start_heartbeat(&mut self, cold: bool, caches: &Caches, ctx: &mut Ctx<'_>) {
        if let Some(node) = caches.list(Kind::Node).next() {
            self.heartbeat.address = address_of(node);
            self.heartbeat.node = Some(node.clone());
        }
        self.heartbeat.cold = cold;
        let cause = ctx.cause();
        if cold {
            self.node_event("Normal", "Starting", "Starting kubelet.", ctx);
            for reason in [
                "NodeHasSufficientMemory",
                "NodeHasNoDiskPressure",
                "NodeHasSufficientPID",
            ] {
                let message = format!("Node {} status is now: {reason}", self.config.name);
                self.node_event("Normal", reason, &message, ctx);
            }
            let message = "Updated Node Allocatable limit across pods";
            self.node_event("Normal", "NodeAllocatableEnforced", message, ctx);
            self.renew_lease(ctx);
            ctx.set_cause(cause);
            self.heartbeat.next_status = ctx.now();
            ctx.set_timer(SimDuration::millis(100), Timer::internal(STATUS_LOOP));
        } else {
            let first = ctx.jitter("kubelet", (200_000, LEASE_EVERY.0));
            ctx.set_timer(first, Timer::internal(LEASE_LOOP));
            self.later_status(ctx);
        }
        ctx.set_cause(cause);
    }

    pub(super) fn node_event(
        &mut self,
        event_type: &str,
        reason: &str,
        message: &str,
        ctx: &mut Ctx<'_>,
    ) {
        let regarding = Regarding {
            kind: Kind::Node,
            key: Key::new("", self.config.name.clone()),
            // The real kubelet writes the Node's name here.
            uid: self.config.name.clone(),
            field_path: "".into(),
            resource_version: "".into(),
        };
        self.recorder
            .record(ctx, regarding, event_type, reason, "", message);
    }

    /// The next report in about five minutes.
    fn later_status(&mut self, ctx: &mut Ctx<'_>) {
        let half = REPORT_EVERY.0 / 2;
        let wait = SimDuration(half) + ctx.jitter("kubelet", (0, 2 * half));
        let at = beat(ctx, ctx.now() + wait);
        self.heartbeat.next_status = at;
        ctx.set_cause(None);
        ctx.set_timer_at(at, Timer::internal(STATUS_LOOP));
    }

    /// Renews the Lease; the loop goes on whatever becomes of it.
    pub(super) fn renew_lease(&mut self, ctx: &mut Ctx<'_>) {
        ctx.set_cause(None);
        ctx.set_timer(LEASE_EVERY, Timer::internal(LEASE_LOOP));
        match self.heartbeat.lease.clone() {
            Some(lease) => self.put_lease(&lease, ctx),
            None => {
                let name = self.config.name.clone();
                let id = ctx.request(Request::get(Kind::Lease, "kube-node-lease", name));
                self.sent.insert(id, Sent::LeaseRead);
            }
        }
    }

    fn put_lease(&mut self, lease: &Object, ctx: &mut Ctx<'_>) {
        let mut lease = lease.clone();
        lease.set("spec.renewTime", ctx.wall().micros_text());
        lease.set("spec.holderIdentity", self.config.name.clone());
        lease.set("spec.leaseDurationSeconds", 40);
        let id = ctx.request(Request::update(Kind::Lease, "", lease));
        self.sent.insert(id, Sent::Lease);
    }

    /// The Lease has been read or renewed, or not.
    #[inline(never)]
    pub(super) fn lease_answered(&mut self, sent: &Sent, response: &Response, ctx: &mut Ctx<'_>) {
        match response {
            Ok(answer) => {
                self.heartbeat.lease = Some(answer.object.clone());
                if *sent == Sent::LeaseRead {
                    let lease = answer.object.clone();
                    self.put_lease(&lease, ctx);
                }
            }
            Err(_) if is_not_found(response) && *sent == Sent::LeaseRead => {
                let name = self.config.name.clone();
                let owner = self.heartbeat.node.as_ref();
                let owner = owner.map(|node| crate::node::lease_owner(node));
                let owners: Vec<Value> = owner.into_iter().collect();
                let lease = value!({
                    "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                    "metadata": {"name": (name.clone()), "namespace": "kube-node-lease",
                        "ownerReferences": (owners)},
                    "spec": {"holderIdentity": (name), "leaseDurationSeconds": 40,
                        "renewTime": (ctx.wall().micros_text())}
                });
                let id = ctx.request(Request::create(Kind::Lease, Object(lease)));
                self.sent.insert(id, Sent::Lease);
            }
            Err(Failure::Status(_)) => self.heartbeat.lease = None,
            Err(_) => {}
        }
    }

    /// The own Node has changed in the API.
    pub(super) fn own_node_changed(&mut self, node: &Rc<Object>, ctx: &mut Ctx<'_>) {
        self.heartbeat.address = address_of(node);
        self.heartbeat.node = Some(node.clone());
        if !node.condition_true("Ready") {
            self.heartbeat.look_soon(ctx);
        }
        if self.heartbeat.cordon_changed() {
            ctx.set_timer_at(beat(ctx, ctx.now()), Timer::internal(STATUS_LOOP));
        }
    }

    /// Tells at the next look at the status that the Node was cordoned or uncordoned.
    #[inline(never)]
    fn tell_cordon(&mut self, ctx: &mut Ctx<'_>) {
        self.heartbeat.cordoned ^= true;
        let reason = match self.heartbeat.cordoned {
            true => "NodeNotSchedulable",
            false => "NodeSchedulable",
        };
        let message = format!("Node {} status is now: {reason}", self.config.name);
        let cause = ctx.cause();
        self.node_event("Normal", reason, &message, ctx);
        ctx.set_cause(cause);
    }

    /// The status of the Node is looked at, and reported when it is new or time.
    #[inline(never)]
    pub(super) fn node_status_due(
        &mut self,
        runtime: &Runtime,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        if self.heartbeat.cordon_changed() {
            self.tell_cordon(ctx);
        }
        if ctx.now() < self.heartbeat.next_status {
            return;
        }
        let node = caches.list(Kind::Node).next().cloned();
        let Some(node) = node.or(self.heartbeat.node.clone()) else {
            self.later_status(ctx);
            return;
        };
        let wanted = self.node_status(&node, runtime, ctx);
        let old = value!({"status": (node.status().clone())});
        let new = value!({"status": (wanted)});
        let patch = patch::two_way_strategic("Node", &old, &new);
        let ready = !node.condition_true("Ready");
        ctx.trace(Note::new(NODE_STATUS).arg("node", self.config.name.clone()));
        if ready {
            self.tell_recovery(&node, ctx);
        }
        if self.heartbeat.cold {
            self.heartbeat.cold = false;
            let before = node.at("status.nodeInfo.bootID").str_or_empty();
            if *before != *self.boot_id(ctx) {
                let message = format!(
                    "Node {} has been rebooted, boot id: {}",
                    self.config.name,
                    self.boot_id(ctx)
                );
                self.node_event("Warning", "Rebooted", &message, ctx);
            }
        }
        let name = self.config.name.clone();
        let request = Request::patch(Kind::Node, "", name, "status", PatchType::Strategic, patch);
        let id = ctx.request(request);
        self.sent.insert(id, Sent::NodeStatus);
        self.later_status(ctx);
    }

    /// The Events about conditions that turn good.
    #[inline(never)]
    fn tell_recovery(&mut self, node: &Object, ctx: &mut Ctx<'_>) {
        let pressures = [
            ("MemoryPressure", "NodeHasSufficientMemory"),
            ("DiskPressure", "NodeHasNoDiskPressure"),
            ("PIDPressure", "NodeHasSufficientPID"),
        ];
        // A kubelet that starts has told of these already.
        let turned = |condition: &str| {
            let before = node.condition(condition).get("status").as_str();
            before.is_some_and(|status| status != "False")
        };
        let cold = self.heartbeat.cold;
        let told = pressures.iter().filter(|(c, _)| !cold && turned(c));
        let told: Vec<&str> = told.map(|(_, reason)| *reason).collect();
        for reason in told.into_iter().chain(["NodeReady"]) {
            let message = format!("Node {} status is now: {reason}", self.config.name);
            self.node_event("Normal", reason, &message, ctx);
        }
    }

    /// The machine's boot ID: another one after each power loss.
    fn boot_id(&self, ctx: &Ctx<'_>) -> String {
        let boots = ctx.sim.faults.boots(self.id);
        let digest = crate::node::sha256::hex(&format!("boot {} {boots}", self.config.name));
        let part = |a: usize, b: usize| digest.get(a..b).unwrap_or("");
        format!(
            "{}-{}-{}-{}-{}",
            part(0, 8),
            part(8, 12),
            part(12, 16),
            part(16, 20),
            part(20, 32)
        )
    }

    /// The Node's status as the kubelet would have it.
    fn node_status(&self, node: &Object, runtime: &Runtime, ctx: &Ctx<'_>) -> Value {
        let now = ctx.wall().seconds_text();
        let mut status = node.status().clone();
        let wanted = [
            (
                "MemoryPressure",
                "False",
                "KubeletHasSufficientMemory",
                "kubelet has sufficient memory available",
            ),
            (
                "DiskPressure",
                "False",
                "KubeletHasNoDiskPressure",
                "kubelet has no disk pressure",
            ),
            (
                "PIDPressure",
                "False",
                "KubeletHasSufficientPID",
                "kubelet has sufficient PID available",
            ),
            (
                "Ready",
                "True",
                "KubeletReady",
                "kubelet is posting ready status",
            ),
        ];
        let wanted = wanted.map(|told| match &self.pressure {
            Some(pressure) => pressed(pressure, told),
            None => told,
        });
        let old = status.get("conditions").items().to_vec();
        let known = |kind: &str| wanted.iter().any(|(k, ..)| *k == kind);
        let mut conditions: Vec<Value> = old
            .iter()
            .filter(|c| !known(c.get("type").str_or_empty()))
            .cloned()
            .collect();
        for (kind, state, reason, message) in wanted {
            let before = old.iter().find(|c| c.get("type").as_str() == Some(kind));
            let same = before.filter(|c| c.get("status").as_str() == Some(state));
            let since = same.map_or(Value::from(now.clone()), |c| {
                c.get("lastTransitionTime").clone()
            });
            conditions.push(value!({
                "type": (kind), "status": (state), "reason": (reason), "message": (message),
                "lastHeartbeatTime": (now.clone()), "lastTransitionTime": (since)
            }));
        }
        status.set("conditions", conditions);
        let mut images: Vec<_> = runtime.images().values().collect();
        podscope_api::sort::by(&mut images, |a, b| {
            b.image
                .bytes()
                .cmp(&a.image.bytes())
                .then(a.image.name.cmp(&b.image.name))
        });
        let images = images.into_iter().take(MAX_IMAGES).map(|s| {
            value!({
                "names": [(s.image.by_digest()), (s.image.name.clone())],
                "sizeBytes": (i64::try_from(s.image.bytes()).unwrap_or(i64::MAX))
            })
        });
        let images: Vec<Value> = images.collect();
        if !images.is_empty() {
            status.set("images", images);
        }
        let booted = ctx.sim.faults.boots(self.id) > 0;
        if booted {
            status.set("nodeInfo.bootID", self.boot_id(ctx));
        }
        status
    }

    /// The status has been reported, or not.
    pub(super) fn node_status_answered(&mut self, response: &Response, ctx: &mut Ctx<'_>) {
        if response.is_err() {
            self.heartbeat.look_soon(ctx);
        }
    }
}
