//! The cluster as one value: components, caches, queue. It hands each entry to whom it concerns.

use crate::apiserver::watch::Opened;
use crate::apiserver::{ApiServer, Watcher};
use crate::bootstrap;
use crate::client::informer::{CacheEvent, Caches, Scope, WatchId};
use crate::component::{ComponentId, Credential, Process, User};
use crate::config::{ClusterConfig, delay};
use crate::controllers::{self, ControllerManager};
use crate::entry::{Entry, Timer, WatchEvent};
use crate::etcd::Etcd;
use crate::node::{Input, Node};
use crate::scheduler::Scheduler;
use crate::sim::Sim;
use crate::trace::{Data, Note, RequestId, TraceEvent, TraceId};
use podscope_api::{Failure, Key, Kind, Request, Response, Text};
use podscope_kernel::collections::BTreeMap;
use podscope_kernel::{Derived, SimDuration, SimTime, StateHasher};
use std::hash::{Hash, Hasher};
use std::rc::Rc;

crate::codes! {
    /// A client sends a request.
    REQUEST = "client.request";
    /// An answer reaches its client.
    RESPONSE = "client.response";
    /// A request or its answer got lost, or nobody listened.
    NO_ANSWER = "client.no_answer";
    /// A watch event reaches a process and changes its cache.
    WATCH_EVENT = "watch.event";
    /// A client opens its watches again after it had lost them.
    RECONNECTED = "watch.reconnected";
    /// A timer fires.
    TIMER = "timer.fired";
}

/// What a person can do to the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// Sends one API request as the administrator.
    Request(Rc<Request>),
    /// Breaks something: the fault's kind, a name to heal it by, its parameters.
    Inject {
        /// The fault's kind, as in the registry of faults.
        kind: Text,
        /// The name by which it is healed.
        name: Text,
        /// Its parameters.
        params: podscope_api::Value,
    },
    /// Mends what was broken under this name.
    Heal {
        /// The name given when it was injected.
        name: Text,
    },
}

/// The whole cluster.
#[derive(Clone, Debug, Hash)]
pub struct Cluster {
    pub(crate) sim: Sim,
    pub(crate) etcd: Etcd,
    pub(crate) api: ApiServer,
    pub(crate) controllers: ControllerManager,
    pub(crate) scheduler: Scheduler,
    pub(crate) nodes: Vec<Node>,
    pub(crate) caches: BTreeMap<Process, Caches>,
    outbox: Vec<(u16, RequestId, Rc<Response>, Option<TraceId>)>,
    users: Derived<BTreeMap<ComponentId, Rc<User>>>,
}

impl Cluster {
    /// A cluster at rest: nodes are Ready, caches are filled, nothing runs but the system's own loops.
    pub fn new(config: ClusterConfig) -> Cluster {
        let config = Rc::new(config);
        let mut cluster = Cluster {
            etcd: Etcd::new(config.etcd_members),
            api: ApiServer::default(),
            controllers: ControllerManager::default(),
            scheduler: Scheduler::default(),
            nodes: Vec::new(),
            caches: BTreeMap::new(),
            sim: Sim::new(config.clone()),
            outbox: Vec::new(),
            users: Derived::default(),
        };
        for object in bootstrap::objects(&config) {
            let Some(kind) = object.kind() else { continue };
            let uid = cluster.sim.ctx(ComponentId::ApiServer, None).uuid();
            let mut object = object;
            object.set("metadata.uid", uid);
            let node = Key::new("", object.key().name);
            if let (Kind::Lease, Some(node)) = (kind, cluster.etcd.get(Kind::Node, &node)) {
                let owner = crate::node::lease_owner(&node.object);
                object.set("metadata.ownerReferences", vec![owner]);
            }
            let change = cluster.etcd.commit(kind, object.key(), Some(object));
            cluster.api.remember(&change);
        }
        cluster.etcd.end_set_up();
        for (i, node) in config.nodes.iter().enumerate() {
            let id = u16::try_from(i).unwrap_or(u16::MAX);
            cluster.nodes.push(Node::new(id, Rc::new(node.clone())));
        }
        cluster.open_watches();
        cluster.start();
        cluster
    }

    fn open_watches(&mut self) {
        for kind in controllers::WATCHED {
            self.open_watch(Process::ControllerManager, *kind, Scope::All);
        }
        for kind in bootstrap::SCHEDULER_WATCHES {
            self.open_watch(Process::Scheduler, *kind, Scope::All);
        }
        for i in 0..self.nodes.len() {
            let name = self.nodes[i].config.name.clone();
            let kubelet = Process::Kubelet(self.nodes[i].id);
            self.open_watch(kubelet, Kind::Pod, Scope::Node(name.clone()));
            self.open_watch(kubelet, Kind::Node, Scope::Name(name));
            let proxy = Process::KubeProxy(self.nodes[i].id);
            self.open_watch(proxy, Kind::Service, Scope::All);
            self.open_watch(proxy, Kind::EndpointSlice, Scope::All);
        }
    }

    fn open_watch(&mut self, to: Process, kind: Kind, scope: Scope) {
        let watch = WatchId(u32::try_from(self.api.watchers().count()).unwrap_or(u32::MAX));
        self.caches
            .entry(to)
            .or_default()
            .add(watch, kind, scope.clone());
        let objects = self
            .api
            .cached(kind)
            .filter(|o| scope.shows(o))
            .cloned()
            .collect();
        let revision = self.etcd.revision();
        if let Some(informer) = self.caches.get_mut(&to).and_then(|c| c.informer_mut(watch)) {
            informer.replace(objects, revision, None);
        }
        self.api.register(
            watch,
            Watcher {
                to,
                kind,
                scope,
                open: true,
            },
        );
    }

    fn start(&mut self) {
        let caches = self.caches.entry(Process::ControllerManager).or_default();
        self.controllers.start(&mut self.sim, caches, None);
        let caches = self.caches.entry(Process::Scheduler).or_default();
        self.scheduler
            .start(caches, &mut self.sim.ctx(ComponentId::Scheduler, None));
        for i in 0..self.nodes.len() {
            let id = self.nodes[i].id;
            for component in [
                ComponentId::Runtime(id),
                ComponentId::Kubelet(id),
                ComponentId::KubeProxy(id),
            ] {
                self.wake_node(component, Input::Start, None);
            }
        }
    }

    /// The clock.
    pub fn now(&self) -> SimTime {
        self.sim.now
    }
    /// When the next entry is due.
    pub fn next_time(&self) -> Option<SimTime> {
        self.sim.queue.next_time()
    }
    /// etcd.
    pub fn etcd(&self) -> &Etcd {
        &self.etcd
    }
    /// The API server.
    pub fn api(&self) -> &ApiServer {
        &self.api
    }
    /// The controllers.
    pub fn controllers(&self) -> &ControllerManager {
        &self.controllers
    }
    /// The scheduler.
    pub fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }
    /// See [`Scheduler::look_first_at`].
    pub fn look_first_at(&mut self, node: &str) {
        self.scheduler.look_first_at(node);
    }
    /// The machines.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }
    /// What is up and down.
    pub fn network(&self) -> &crate::network::Network {
        &self.sim.network
    }
    /// The configuration at the start.
    pub fn config(&self) -> &ClusterConfig {
        &self.sim.config
    }
    /// The caches of a process.
    pub fn caches(&self, process: Process) -> Option<&Caches> {
        self.caches.get(&process)
    }
    /// The wall clock at a simulated time.
    pub fn wall_at(&self, at: SimTime) -> podscope_api::Timestamp {
        podscope_api::Timestamp(self.sim.config.epoch_micros.saturating_add_unsigned(at.0))
    }
    /// All pending timers: when, whose, which.
    pub fn timers(&self) -> impl Iterator<Item = (SimTime, ComponentId, &Timer, Option<TraceId>)> {
        self.sim.queue.iter().filter_map(|(id, entry)| match entry {
            Entry::Timer { to, timer, cause } => Some((id.at, *to, timer, *cause)),
            _ => None,
        })
    }
    /// Whether only the system's own loops (leases, status reports, resyncs) are left in the queue.
    pub fn is_stable(&self) -> bool {
        self.sim.queue.iter().all(|(_, entry)| match entry {
            Entry::Timer { timer, .. } => !timer.deadline && crate::bootstrap::is_loop(timer.code),
            Entry::Reconnect { .. } => true,
            _ => false,
        }) && self.api.in_flight().next().is_none()
    }
    /// A hash of everything: two clusters with equal hashes go on equally.
    pub fn state_hash(&self) -> u64 {
        let mut hasher = StateHasher::default();
        self.hash(&mut hasher);
        hasher.finish()
    }

    /// What a list request selects from the API server's watch cache; nothing when its selectors cannot be read.
    pub fn select(&self, request: &Request) -> Vec<Rc<podscope_api::Object>> {
        self.api.select(request).unwrap_or_default()
    }

    /// Moves the clock over a span in which nothing is due.
    pub fn idle_until(&mut self, at: SimTime) {
        self.sim.now = self.sim.now.max(at);
    }

    /// Leaves out all machines from now on: nothing reaches their kubelets, runtimes and proxies any more,
    /// and what they had under way is dropped. For looking a little ahead at what the control plane decides.
    pub fn leave_out_machines(&mut self) {
        self.api.close(|watcher| watcher.to.machine().is_some());
        self.sim.queue.retain(|entry| entry.machine().is_none());
    }

    /// Answers that arrived for people's clients since the last call: client, request, answer, cause.
    pub fn take_answers(&mut self) -> Vec<(u16, RequestId, Rc<Response>, Option<TraceId>)> {
        std::mem::take(&mut self.outbox)
    }

    /// Takes the trace events reported since the last call.
    pub fn take_trace(&mut self) -> Vec<TraceEvent> {
        self.sim.take_trace()
    }

    /// Reports something in the name of a person's client.
    pub fn note(&mut self, client: u16, cause: Option<TraceId>, note: Note) -> TraceId {
        self.sim.ctx(ComponentId::Client(client), cause).trace(note)
    }

    /// Sends a request in the name of a person's client.
    pub fn send(&mut self, client: u16, request: Request, cause: Option<TraceId>) -> RequestId {
        self.sim
            .ctx(ComponentId::Client(client), cause)
            .request(request)
    }

    /// Carries out a command at time `at`.
    #[inline(never)]
    pub fn command(&mut self, at: SimTime, command: &Command) {
        self.idle_until(at);
        match command {
            Command::Request(request) => {
                self.send(0, (**request).clone(), None);
            }
            Command::Inject { kind, name, params } => {
                crate::faults::inject(self, kind, name, params)
            }
            Command::Heal { name } => crate::faults::heal(self, name),
        }
    }

    /// Handles the next entry of the queue.
    pub fn step(&mut self) {
        let Some((at, entry)) = self.sim.queue.pop() else {
            return;
        };
        self.sim.now = at;
        match entry {
            Entry::Send {
                from,
                id,
                request,
                cause,
            } => self.send_now(from, id, request, cause),
            Entry::Arrive {
                from,
                id,
                request,
                cause,
            } => self.arrive(from, id, request, cause),
            Entry::Stage { id, stage } => self.api.stage(&mut self.sim, &mut self.etcd, id, stage),
            Entry::Response {
                to,
                id,
                response,
                cause,
            } => self.answer(to, id, &response, cause),
            Entry::Watch {
                to,
                watch,
                event,
                cause,
            } => self.watch_event(to, watch, &event, cause),
            Entry::Reconnect { to, watch } => self.reconnect(to, watch),
            Entry::Timer { to, timer, cause } => self.timer(to, &timer, cause),
            Entry::Local { to, message, cause } => {
                self.wake_node(to, Input::Local(&message), cause)
            }
            Entry::Fault { name, cause } => crate::faults::due(self, &name, cause),
        }
    }

    fn send_now(
        &mut self,
        from: ComponentId,
        id: RequestId,
        request: Rc<Request>,
        cause: Option<TraceId>,
    ) {
        let reaches = self.sim.network.reaches_apiserver(from.machine());
        let refused = self.sim.network.apiserver_down;
        let mut ctx = self.sim.ctx(from, cause);
        let note = Note::new(REQUEST)
            .of(id)
            .arg("verb", request.verb.name())
            .arg("method", request.verb.method())
            .arg("path", request.path())
            .data(Data::Request(request.clone()));
        ctx.trace(note);
        let latency = ctx.latency(from);
        if !reaches {
            ctx.fail_later(from, id, Failure::Timeout, delay::CLIENT_TIMEOUT);
        } else if refused {
            ctx.fail_later(from, id, Failure::ConnectionRefused, latency);
        } else {
            let cause = ctx.cause();
            let at = ctx.now() + latency;
            self.sim.queue.push(
                at,
                Entry::Arrive {
                    from,
                    id,
                    request,
                    cause,
                },
            );
        }
    }

    fn arrive(
        &mut self,
        from: ComponentId,
        id: RequestId,
        request: Rc<Request>,
        cause: Option<TraceId>,
    ) {
        if self.sim.network.apiserver_down || !self.sim.network.reaches_apiserver(from.machine()) {
            self.sim
                .ctx(from, cause)
                .fail_later(from, id, Failure::Timeout, delay::CLIENT_TIMEOUT);
            return;
        }
        let user = match self.users.get(&from) {
            Some(user) => user.clone(),
            None => {
                let user = self.user(from);
                self.users.insert(from, user.clone());
                user
            }
        };
        self.api
            .arrive(&mut self.sim, from, id, request, user, cause);
    }

    /// The identity that a component shows.
    fn user(&self, from: ComponentId) -> Rc<User> {
        let user = |name: String, groups: &[&str], credential| {
            let groups = groups.iter().map(|g| Text::from(*g)).collect();
            Rc::new(User {
                name: name.into(),
                groups,
                credential,
            })
        };
        let certificate = Credential::Certificate;
        match from {
            ComponentId::Controller(
                crate::ControllerId::LeaderElection | crate::ControllerId::Tokens,
            ) => user(
                "system:kube-controller-manager".into(),
                &["system:authenticated"],
                certificate,
            ),
            ComponentId::Controller(c) => user(
                format!("system:serviceaccount:kube-system:{}", c.account()),
                &[
                    "system:serviceaccounts",
                    "system:serviceaccounts:kube-system",
                    "system:authenticated",
                ],
                Credential::Token,
            ),
            ComponentId::Scheduler => user(
                "system:kube-scheduler".into(),
                &["system:authenticated"],
                certificate,
            ),
            ComponentId::Kubelet(n) | ComponentId::Runtime(n) => {
                let name = self
                    .nodes
                    .get(usize::from(n))
                    .map_or("", |n| &n.config.name);
                user(
                    format!("system:node:{name}"),
                    &["system:nodes", "system:authenticated"],
                    certificate,
                )
            }
            ComponentId::KubeProxy(_) => user(
                "system:serviceaccount:kube-system:kube-proxy".into(),
                &[
                    "system:serviceaccounts",
                    "system:serviceaccounts:kube-system",
                    "system:authenticated",
                ],
                Credential::Token,
            ),
            _ => user(
                "kubernetes-admin".into(),
                &["system:masters", "system:authenticated"],
                certificate,
            ),
        }
    }

    fn answer(
        &mut self,
        to: ComponentId,
        id: RequestId,
        response: &Rc<Response>,
        cause: Option<TraceId>,
    ) {
        if !self.sim.network.runs(to) {
            return;
        }
        if !self.sim.network.reaches_apiserver(to.machine())
            && matches!(**response, Ok(_) | Err(Failure::Status(_)))
        {
            self.sim
                .ctx(to, cause)
                .fail_later(to, id, Failure::Timeout, delay::CLIENT_TIMEOUT);
            return;
        }
        let mut ctx = self.sim.ctx(to, cause);
        let (code, text): (i64, Text) = match &**response {
            Ok(answer) => (i64::from(answer.code), "".into()),
            Err(Failure::Status(status)) => (i64::from(status.code), status.message.clone()),
            Err(Failure::ConnectionRefused) => (0, "connection refused".into()),
            Err(Failure::Timeout) => (0, "no answer".into()),
        };
        let trace_code = if code == 0 { NO_ANSWER } else { RESPONSE };
        let note = Note::new(trace_code)
            .of(id)
            .arg("code", code)
            .arg("message", text)
            .data(Data::Response(response.clone()));
        ctx.trace(note);
        let cause = ctx.cause();
        if !self.sim.election.is_quiet() && crate::election::answer(self, to, id, response, cause) {
            return;
        }
        match to {
            ComponentId::Client(n) => self.outbox.push((n, id, response.clone(), cause)),
            ComponentId::Controller(c) => {
                let caches = self.caches.entry(Process::ControllerManager).or_default();
                self.controllers
                    .response(c, id, response, caches, &mut self.sim.ctx(to, cause));
            }
            ComponentId::Scheduler => {
                let caches = self.caches.entry(Process::Scheduler).or_default();
                let mut ctx = self.sim.ctx(to, cause);
                self.scheduler.response(id, response, caches, &mut ctx);
            }
            ComponentId::Kubelet(_) | ComponentId::Runtime(_) | ComponentId::KubeProxy(_) => {
                self.wake_node(to, Input::Response(id, response), cause);
            }
            _ => {}
        }
    }

    fn timer(&mut self, to: ComponentId, timer: &Timer, cause: Option<TraceId>) {
        let mut ctx = self.sim.ctx(to, cause);
        if timer.deadline {
            ctx.trace(
                Note::new(TIMER)
                    .arg("timer", timer.code)
                    .arg("for", timer.key.to_string()),
            );
        }
        let cause = ctx.cause();
        if !self.sim.election.is_quiet() && crate::election::timer(self, to, timer, cause) {
            return;
        }
        match to {
            ComponentId::Controller(c) => {
                let caches = self.caches.entry(Process::ControllerManager).or_default();
                self.controllers
                    .timer(c, timer, caches, &mut self.sim.ctx(to, cause));
            }
            ComponentId::Scheduler => {
                let caches = self.caches.entry(Process::Scheduler).or_default();
                self.scheduler
                    .timer(timer, caches, &mut self.sim.ctx(to, cause));
            }
            ComponentId::Kubelet(_) | ComponentId::Runtime(_) | ComponentId::KubeProxy(_) => {
                self.wake_node(to, Input::Timer(timer), cause);
            }
            _ => {}
        }
    }

    pub(crate) fn wake_node(&mut self, to: ComponentId, input: Input<'_>, cause: Option<TraceId>) {
        let Some(machine) = to.machine() else { return };
        let process = match to {
            ComponentId::KubeProxy(n) => Process::KubeProxy(n),
            _ => Process::Kubelet(machine),
        };
        let caches = self.caches.entry(process).or_default();
        if let Some(node) = self.nodes.get_mut(usize::from(machine)) {
            node.on(to, input, caches, &mut self.sim.ctx(to, cause));
        }
    }

    fn watch_event(
        &mut self,
        to: Process,
        watch: WatchId,
        event: &WatchEvent,
        cause: Option<TraceId>,
    ) {
        if !self.sim.network.reaches_apiserver(to.machine()) {
            return;
        }
        let Some(informer) = self.caches.get_mut(&to).and_then(|c| c.informer_mut(watch)) else {
            return;
        };
        if !informer.connected {
            return;
        }
        let kind = informer.kind;
        let Some(mut change) = informer.apply(event, cause) else {
            return;
        };
        let mut ctx = self.sim.ctx(component_of(to), cause);
        let note = Note::new(WATCH_EVENT)
            .about(kind, event.object.key())
            .arg("type", event.kind.name())
            .arg(
                "revision",
                i64::try_from(event.revision).unwrap_or(i64::MAX),
            )
            .data(Data::Change(change.old.clone(), change.new.clone()));
        change.cause = Some(ctx.trace(note));
        self.cache_event(to, &change);
    }

    fn cache_event(&mut self, to: Process, change: &CacheEvent) {
        match to {
            Process::ControllerManager => {
                let caches = self.caches.entry(to).or_default();
                self.controllers.event(&mut self.sim, caches, change);
            }
            Process::Kubelet(n) => {
                self.wake_node(ComponentId::Kubelet(n), Input::Cache(change), change.cause)
            }
            Process::KubeProxy(n) => self.wake_node(
                ComponentId::KubeProxy(n),
                Input::Cache(change),
                change.cause,
            ),
            Process::Scheduler => {
                let mut ctx = self.sim.ctx(ComponentId::Scheduler, change.cause);
                self.scheduler.event(change, &mut ctx);
            }
            Process::Client(_) => {}
        }
    }

    /// A process that has just started lists everything that it watches.
    pub(crate) fn list_again(&mut self, process: Process, cause: Option<TraceId>) {
        let Some(caches) = self.caches.get_mut(&process) else {
            return;
        };
        let revision = self.etcd.revision();
        let watches: Vec<WatchId> = caches.informers().map(|(id, _)| id).collect();
        for watch in watches {
            let Some(informer) = caches.informer_mut(watch) else {
                continue;
            };
            let objects = self
                .api
                .cached(informer.kind)
                .filter(|o| informer.scope.shows(o))
                .cloned()
                .collect();
            informer.replace(objects, revision, None);
            informer.connected = true;
            informer.failures = 0;
            let mut ctx = self.sim.ctx(ComponentId::ApiServer, cause);
            let _ = self.api.reopen(&mut ctx, &self.etcd, watch, revision);
        }
        self.sim.queue.retain(|entry| match entry {
            Entry::Reconnect { to, .. } => *to != process,
            _ => true,
        });
    }

    /// A process of the control plane has ended: its connections break, what it had under way is lost.
    pub(crate) fn end_process(&mut self, process: Process) {
        self.lose_watches(|p| p == process);
        let same = |c: &ComponentId| c.process() == Some(process);
        self.sim.queue.retain(|entry| match entry {
            Entry::Send { from, .. } => !same(from),
            Entry::Response { to, .. } | Entry::Timer { to, .. } | Entry::Local { to, .. } => {
                !same(to)
            }
            Entry::Watch { to, .. } | Entry::Reconnect { to, .. } => *to != process,
            _ => true,
        });
    }

    /// Cuts the streams of the processes for which `lost` says so; they try to come back.
    pub(crate) fn lose_watches(&mut self, lost: impl Fn(Process) -> bool) {
        self.api.close(|w| lost(w.to));
        let mut retries = Vec::new();
        for (process, caches) in &mut self.caches {
            if !lost(*process) {
                continue;
            }
            let watches: Vec<WatchId> = caches.informers().map(|(id, _)| id).collect();
            for watch in watches {
                if let Some(informer) = caches.informer_mut(watch).filter(|i| i.connected) {
                    informer.connected = false;
                    informer.failures = 0;
                    retries.push((*process, watch));
                }
            }
        }
        for (process, watch) in retries {
            self.retry_watch(process, watch, 0);
        }
    }

    /// Back-off of a reflector: 0.8 s doubled up to 30 s, each time up to twice as long.
    ///
    /// Models: staging/src/k8s.io/client-go/tools/cache/reflector.go (v1.36)
    fn retry_watch(&mut self, to: Process, watch: WatchId, failures: u32) {
        let base = SimDuration::millis(800)
            .times(1 << failures.min(6))
            .min(SimDuration::secs(30));
        let wait = base + SimDuration(self.sim.rng.stream("reflector").below(base.0));
        let at = self.sim.now + wait;
        self.sim.queue.push(at, Entry::Reconnect { to, watch });
    }

    #[inline(never)]
    fn reconnect(&mut self, to: Process, watch: WatchId) {
        let reachable =
            !self.sim.network.apiserver_down && self.sim.network.reaches_apiserver(to.machine());
        let Some(informer) = self.caches.get_mut(&to).and_then(|c| c.informer_mut(watch)) else {
            return;
        };
        if informer.connected {
            return;
        }
        if !reachable {
            informer.failures += 1;
            let failures = informer.failures;
            self.retry_watch(to, watch, failures);
            return;
        }
        informer.connected = true;
        informer.failures = 0;
        let (kind, revision) = (informer.kind, informer.revision);
        let mut ctx = self.sim.ctx(component_of(to), None);
        let cause = ctx.trace(Note::new(RECONNECTED).arg("resource", kind.plural()));
        let mut ctx = self.sim.ctx(ComponentId::ApiServer, Some(cause));
        let opened = self.api.reopen(&mut ctx, &self.etcd, watch, revision);
        let cause = ctx.cause();
        if let Some(Opened::Relist(objects, revision)) = opened {
            let events = self
                .caches
                .get_mut(&to)
                .and_then(|c| c.informer_mut(watch))
                .map(|i| i.replace(objects, revision, cause))
                .unwrap_or_default();
            for event in events {
                self.cache_event(to, &event);
            }
        }
    }
}

/// The component that stands for a process in the trace.
pub fn component_of(process: Process) -> ComponentId {
    match process {
        Process::ControllerManager => ComponentId::Controller(crate::ControllerId::LeaderElection),
        Process::Scheduler => ComponentId::Scheduler,
        Process::Kubelet(n) => ComponentId::Kubelet(n),
        Process::KubeProxy(n) => ComponentId::KubeProxy(n),
        Process::Client(n) => ComponentId::Client(n),
    }
}

impl podscope_kernel::World for Cluster {
    type Command = Command;
    type Trace = TraceEvent;
    fn now(&self) -> SimTime {
        self.sim.now
    }
    fn next_time(&self) -> Option<SimTime> {
        Cluster::next_time(self)
    }
    fn step(&mut self, trace: &mut Vec<TraceEvent>) {
        Cluster::step(self);
        trace.append(&mut self.take_trace());
    }
    #[inline(never)]
    fn command(&mut self, at: SimTime, command: &Command, trace: &mut Vec<TraceEvent>) {
        Cluster::command(self, at, command);
        trace.append(&mut self.take_trace());
    }
    fn idle_until(&mut self, at: SimTime) {
        Cluster::idle_until(self, at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use podscope_api::{Key, Object, value};

    fn run(cluster: &mut Cluster, until: SimTime) -> Vec<TraceEvent> {
        let mut trace = cluster.take_trace();
        while cluster.next_time().is_some_and(|t| t <= until) {
            cluster.step();
            trace.extend(cluster.take_trace());
        }
        trace
    }

    #[test]
    fn a_request_passes_every_stage_and_is_answered() {
        let mut cluster = Cluster::new(ClusterConfig::default());
        let map = value!({"metadata": {"name": "m", "namespace": "default"}, "data": {"a": "b"}});
        let request = Request::create(Kind::ConfigMap, Object(map));
        cluster.command(SimTime(10), &Command::Request(Rc::new(request)));
        let trace = run(&mut cluster, SimTime(1_000_000));
        let codes: Vec<&str> = trace
            .iter()
            .filter(|e| e.request.is_some())
            .map(|e| e.code)
            .collect();
        for code in [
            REQUEST,
            crate::apiserver::AUTHENTICATION,
            crate::apiserver::AUTHORIZATION,
            crate::etcd::PROPOSE,
            crate::etcd::COMMIT,
            RESPONSE,
        ] {
            assert!(codes.contains(&code), "{code} is missing in {codes:?}");
        }
        let answers = cluster.take_answers();
        assert_eq!(answers.len(), 1);
        assert!(matches!(&*answers[0].2, Ok(answer) if answer.code == 201));
        let stored = cluster
            .etcd()
            .get(Kind::ConfigMap, &Key::new("default", "m"));
        assert_eq!(
            stored.map(|s| s.object.resource_version()),
            Some(cluster.etcd().revision())
        );
        assert!(
            trace.iter().all(|e| e.cause.is_none_or(|c| c < e.id)),
            "causes come before effects"
        );
    }
}
