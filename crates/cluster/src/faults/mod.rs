//! Faults: what can be broken, each in a file of its own, and how it is mended.
//!
//! A fault has a kind, a target and parameters. What it cannot be aimed at is refused with a trace event.

mod apiserver_down;
mod apiserver_overload;
mod certificate_expired;
mod clock_skew;
mod cni_failure;
mod config_missing;
mod container_crash;
mod container_oom;
mod controller_manager_down;
mod disk_pressure;
mod etcd_member_down;
mod etcd_no_space;
mod etcd_quorum_loss;
mod etcd_slow;
mod exec_failure;
mod image_architecture;
mod image_missing;
mod ip_exhaustion;
mod kind;
mod kube_proxy_down;
mod kubelet_crash;
mod kubelet_restart;
mod link_slow;
mod liveness_failure;
mod memory_pressure;
mod node_drain;
mod node_power;
mod node_reboot;
mod object;
mod partition;
mod pid_pressure;
mod readiness_failure;
mod registry_auth;
mod registry_down;
mod registry_rate_limit;
mod registry_slow;
mod scheduler_down;
mod slow_start;
mod slow_stop;
mod spot_termination;
mod startup_failure;
mod stuck_finalizer;
mod target;
mod watch_cut;
mod webhook_down;
mod webhook_slow;
mod zone_loss;

#[cfg(test)]
mod tests;

pub use kind::{Accepts, Kind, Param, Target};
use kind::{Outcome, number};

use crate::component::{ComponentId, Process};
use crate::entry::Entry;
use crate::node::Input;
use crate::node::kubelet::probes::{Probe, ProbeKind};
use crate::node::runtime::catalogue;
use crate::trace::{Note, TraceId};
use crate::world::Cluster;
use podscope_api::{Key, Object, Text, Value};
use podscope_kernel::collections::BTreeMap;
use podscope_kernel::{SimDuration, SimTime};
use std::rc::Rc;

crate::codes! {
    /// Something was broken.
    INJECTED = "fault.injected";
    /// Something is being mended.
    HEALED = "fault.healed";
    /// A fault is over.
    ENDED = "fault.ended";
    /// A fault cannot be injected or healed.
    REFUSED = "fault.refused";
}

/// What a fault's end gives when it stays as it is until it is healed.
const RESTS: SimDuration = SimDuration(u64::MAX);

/// Every kind of fault: one file each.
pub const KINDS: &[Kind] = &[
    node_power::KIND,
    node_reboot::KIND,
    zone_loss::KIND,
    partition::KIND,
    node_drain::KIND,
    spot_termination::KIND,
    link_slow::KIND,
    clock_skew::KIND,
    certificate_expired::KIND,
    kubelet_crash::KIND,
    kubelet_restart::KIND,
    kube_proxy_down::KIND,
    memory_pressure::KIND,
    disk_pressure::KIND,
    pid_pressure::KIND,
    cni_failure::KIND,
    ip_exhaustion::KIND,
    container_crash::KIND,
    container_oom::KIND,
    readiness_failure::KIND,
    liveness_failure::KIND,
    startup_failure::KIND,
    exec_failure::KIND,
    slow_start::KIND,
    slow_stop::KIND,
    config_missing::KIND,
    stuck_finalizer::KIND,
    image_missing::KIND,
    image_architecture::KIND,
    registry_auth::KIND,
    registry_rate_limit::KIND,
    registry_down::KIND,
    registry_slow::KIND,
    apiserver_down::KIND,
    apiserver_overload::KIND,
    watch_cut::KIND,
    webhook_down::KIND,
    webhook_slow::KIND,
    etcd_member_down::KIND,
    etcd_quorum_loss::KIND,
    etcd_slow::KIND,
    etcd_no_space::KIND,
    scheduler_down::KIND,
    controller_manager_down::KIND,
];

/// The kind with this name.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|k| k.name == name)
}

/// A fault that is in force.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fault {
    /// Its kind's name.
    pub kind: &'static str,
    /// Counted from 1 in the order of injection.
    pub number: u32,
    /// What it is aimed at; empty for nothing in particular.
    pub target: Text,
    /// All its parameters.
    pub params: Value,
    /// Since when.
    pub since: SimTime,
    /// Whether it is being mended (a machine boots, a process starts).
    pub ending: bool,
}

impl Fault {
    /// A parameter as text; the kind's default when it was not given.
    #[inline(never)]
    pub fn text(&self, name: &str) -> String {
        let given = self.params.get(name);
        match given {
            Value::Str(s) => s.to_string(),
            Value::Int(i) => i.to_string(),
            Value::Bool(b) => b.to_string(),
            _ => kind(self.kind)
                .and_then(|k| k.params.iter().find(|p| p.name == name))
                .map_or_else(String::new, |p| p.default.to_string()),
        }
    }
    fn seconds(&self, name: &str, default: u64) -> SimDuration {
        let seconds = self.text(name).trim().parse().unwrap_or(default);
        SimDuration::secs(seconds)
    }
}

/// The faults in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Active {
    faults: BTreeMap<Text, Fault>,
    injected: u32,
    boots: BTreeMap<u16, u32>,
    /// Objects that faults have deleted and will bring back, by the fault's number.
    kept: BTreeMap<u32, Rc<Object>>,
}

impl Active {
    /// All faults in force, by the name under which each was injected.
    pub fn iter(&self) -> impl Iterator<Item = (&Text, &Fault)> {
        self.faults.iter()
    }
    fn of(&self, kind: &'static str) -> impl Iterator<Item = &Fault> {
        self.faults.values().filter(move |f| f.kind == kind)
    }
    /// Whether nothing is broken.
    #[inline]
    pub(crate) fn none(&self) -> bool {
        self.faults.is_empty()
    }
    /// What containerd says of an image that a fault keeps it from pulling.
    #[inline(never)]
    pub(crate) fn pull_error(&self, full: &str) -> Option<String> {
        image_missing::pull_error(self, full)
    }
    /// How many times slower than usual the registry is.
    pub(crate) fn registry_slowness(&self) -> u64 {
        let slow = self.of(registry_slow::KIND.name);
        slow.map(|f| f.text("factor").parse().unwrap_or(1))
            .fold(1, |a: u64, b: u64| a.saturating_mul(b))
            .clamp(1, 10_000)
    }
    /// After how long, with which exit code and reason a container crashes each time it is started.
    pub(crate) fn crash_at_start(
        &self,
        pod: &Key,
        labels: &Value,
        container: &str,
    ) -> Option<(SimDuration, i32, &'static str)> {
        if self.none() {
            return None;
        }
        let kinds = [container_crash::KIND.name, container_oom::KIND.name];
        let fault = self.faults.values().find(|f| {
            let own = f.text("container");
            kinds.contains(&f.kind)
                && (own.is_empty() || own == container)
                && target::is_pod(&f.target, pod, labels)
        })?;
        let after = fault.seconds("after_s", 1);
        if fault.kind == container_oom::KIND.name || !fault.text("reason").is_empty() {
            return Some((after, 137, "OOMKilled"));
        }
        let code = fault.text("exit_code").parse().unwrap_or(1);
        Some((after, code, ""))
    }
    /// Whether a probe passes now.
    pub(crate) fn probe_passes(
        &self,
        pod: &Object,
        started: SimTime,
        probe: &Probe,
        now: SimTime,
    ) -> bool {
        if self.faults.is_empty() {
            return true;
        }
        let key = pod.key();
        let hit = |f: &&Fault| target::is_pod(&f.target, &key, pod.labels());
        let fails = match probe.kind {
            ProbeKind::Readiness => self.of(readiness_failure::KIND.name).any(|f| hit(&f)),
            ProbeKind::Liveness => self.of(liveness_failure::KIND.name).any(|f| hit(&f)),
            ProbeKind::Startup => self.of(startup_failure::KIND.name).any(|f| hit(&f)),
        } || self.command_fails(pod, probe);
        let slow = self
            .of(slow_start::KIND.name)
            .filter(hit)
            .any(|f| now.since(started) < f.seconds("seconds", 60));
        !fails && !slow
    }
    /// How often a machine has been switched on again.
    pub(crate) fn boots(&self, machine: u16) -> u32 {
        self.boots.get(&machine).copied().unwrap_or(0)
    }
}

/// Breaks something; a fault that cannot be is refused with a trace event.
pub(crate) fn inject(cluster: &mut Cluster, kind_name: &str, name: &Text, params: &Value) {
    let target: Text = match params.get("target") {
        Value::Int(i) => i.to_string().into(),
        other => other.str_or_empty().into(),
    };
    if let Err(why) = try_inject(cluster, kind_name, name, target.clone(), params) {
        let note = Note::new(REFUSED)
            .arg("kind", kind_name)
            .arg("name", name.clone())
            .arg("target", target)
            .arg("why", why);
        cluster.sim.ctx(ComponentId::Fault, None).trace(note);
    }
}

fn try_inject(
    cluster: &mut Cluster,
    kind_name: &str,
    name: &Text,
    target: Text,
    params: &Value,
) -> Result<(), Text> {
    let Some(kind) = kind(kind_name) else {
        return Err(format!("there is no fault \"{kind_name}\"").into());
    };
    if cluster.sim.faults.faults.contains_key(name) {
        return Err(format!("a fault named \"{name}\" is in force").into());
    }
    if cluster.sim.faults.faults.len() >= 200 {
        return Err("too many faults are in force".into());
    }
    for (field, _) in params.entries() {
        let known = &**field == "target" || kind.params.iter().any(|p| p.name == &**field);
        if !known {
            return Err(format!("{kind_name} has no parameter \"{field}\"").into());
        }
    }
    let fault = Fault {
        kind: kind.name,
        number: cluster.sim.faults.injected + 1,
        target: target.clone(),
        params: params.clone(),
        since: cluster.sim.now,
        ending: false,
    };
    target::check(cluster, kind.target, &fault)?;
    for param in kind.params {
        if let Some(why) = param.problem(&fault.text(param.name)) {
            return Err(why.into());
        }
    }
    // Reported first: what follows is its effect. A refusal comes from checks that change nothing.
    let outcome = (kind.inject)(cluster, &fault)?;
    cluster.sim.faults.injected += 1;
    let note = Note::new(INJECTED)
        .arg("kind", kind.name)
        .arg("name", name.clone())
        .arg("target", target);
    let cause = cluster.sim.ctx(ComponentId::Fault, None).trace(note);
    if outcome != Outcome::Momentary {
        let known = fault.clone();
        cluster.sim.faults.faults.insert(name.clone(), known);
    }
    (kind.strike)(cluster, &fault, Some(cause));
    crate::election::check(cluster, Some(cause));
    if let Outcome::EndsAfter(span) = outcome {
        push_due(cluster, name, span, Some(cause));
    }
    if kind.target == Target::Pod {
        probes_changed(cluster, Some(cause));
    }
    Ok(())
}

fn push_due(cluster: &mut Cluster, name: &Text, after: SimDuration, cause: Option<TraceId>) {
    let at = cluster.sim.now + after;
    let entry = Entry::Fault {
        name: name.clone(),
        cause,
    };
    cluster.sim.queue.push(at, entry);
}

/// Mends what was broken under this name.
pub(crate) fn heal(cluster: &mut Cluster, name: &str) {
    let known = cluster.sim.faults.faults.get_mut(name);
    let Some(fault) = known.filter(|f| !f.ending) else {
        let note = Note::new(REFUSED)
            .arg("kind", "")
            .arg("name", name)
            .arg("target", "")
            .arg("why", format!("no fault named \"{name}\" is in force"));
        cluster.sim.ctx(ComponentId::Fault, None).trace(note);
        return;
    };
    fault.ending = true;
    let fault = fault.clone();
    // Only its healing is waited for from now on.
    cluster
        .sim
        .queue
        .retain(|entry| !matches!(entry, Entry::Fault { name: n, .. } if **n == *name));
    let note = Note::new(HEALED)
        .arg("kind", fault.kind)
        .arg("name", name)
        .arg("target", fault.target.clone());
    let cause = cluster.sim.ctx(ComponentId::Fault, None).trace(note);
    let wait = kind(fault.kind).and_then(|k| (k.heal)(cluster, &fault));
    match wait {
        Some(wait) => push_due(cluster, &name.into(), wait, Some(cause)),
        None => {
            cluster.sim.faults.faults.remove(name);
            crate::election::check(cluster, Some(cause));
            if kind(fault.kind).is_some_and(|k| k.target == Target::Pod) {
                probes_changed(cluster, Some(cause));
            }
        }
    }
}

/// A fault's own time has come: it is over, unless it has to wait longer.
#[inline(never)]
pub(crate) fn due(cluster: &mut Cluster, name: &str, cause: Option<TraceId>) {
    let Some(fault) = cluster.sim.faults.faults.get(name).cloned() else {
        return;
    };
    let Some(kind) = kind(fault.kind) else { return };
    if let Some(wait) = (kind.end)(cluster, &fault, cause) {
        if wait != RESTS {
            push_due(cluster, &name.into(), wait, cause);
        }
        return;
    }
    cluster.sim.faults.faults.remove(name);
    let note = Note::new(ENDED)
        .arg("kind", fault.kind)
        .arg("name", name)
        .arg("target", fault.target);
    let cause = cluster.sim.ctx(ComponentId::Fault, cause).trace(note);
    crate::election::check(cluster, Some(cause));
}

/// The faults in force, by name.
pub fn active(cluster: &Cluster) -> Vec<(&Text, &Fault)> {
    cluster.sim.faults.iter().collect()
}

/// What a kind of fault can be aimed at now; one empty text when it needs no target.
pub fn targets(cluster: &Cluster, kind: &Kind) -> Vec<Text> {
    target::list(cluster, kind.target)
}

/// The kubelet of the machine aimed at looks at its resources from now on.
fn pressed(cluster: &mut Cluster, fault: &Fault, cause: Option<TraceId>) {
    let Some(id) = machine(cluster, &fault.target) else {
        return;
    };
    if !cluster.sim.network.runs(ComponentId::Kubelet(id)) {
        return;
    }
    if let Some(node) = cluster.nodes.get_mut(usize::from(id)) {
        let mut ctx = cluster.sim.ctx(ComponentId::Kubelet(id), cause);
        node.parts_mut().0.look_at_resources(&mut ctx);
    }
}

/// Nothing follows at once.
fn quiet(_cluster: &mut Cluster, _fault: &Fault, _cause: Option<TraceId>) {}

/// Nothing to do when it is healed or ends.
fn nothing(_cluster: &mut Cluster, _fault: &Fault) -> Option<SimDuration> {
    None
}
fn over(_cluster: &mut Cluster, _fault: &Fault, _cause: Option<TraceId>) -> Option<SimDuration> {
    None
}

/// Probes may turn out differently from now on.
fn probes_changed(cluster: &mut Cluster, cause: Option<TraceId>) {
    for node in &mut cluster.nodes {
        let down = cluster.sim.network.powered_off.contains(&node.id)
            || cluster.sim.network.kubelet_down.contains(&node.id);
        if !down {
            let mut ctx = cluster.sim.ctx(ComponentId::Kubelet(node.id), cause);
            let (kubelet, _) = node.parts_mut();
            kubelet.probe_faults_changed(&mut ctx);
        }
    }
}

/// The machine with this name.
fn machine(cluster: &Cluster, name: &str) -> Option<u16> {
    let node = cluster.nodes.iter().find(|n| &*n.config.name == name);
    node.map(|n| n.id)
}

/// Whether a fault's target names this image; without a tag it names all of them.
fn is_image(target: &str, full: &str) -> bool {
    let named = catalogue::full_name(target).unwrap_or_default();
    let whole = !target.contains('@') && !target.rsplit('/').next().unwrap_or("").contains(':');
    named == full || (whole && catalogue::repository(&named) == catalogue::repository(full))
}

/// The processes of a machine that talk to the API server.
fn processes(machine: u16) -> [Process; 2] {
    [Process::Kubelet(machine), Process::KubeProxy(machine)]
}

/// Whether another fault of this kind holds the same target down.
fn held_by_another(cluster: &Cluster, fault: &Fault) -> bool {
    cluster.sim.faults.faults.values().any(|f| {
        f.kind == fault.kind && f.target == fault.target && f.number != fault.number && !f.ending
    })
}

/// Starts a machine's component again with fresh caches.
fn start_again(cluster: &mut Cluster, component: ComponentId, cause: Option<TraceId>) {
    if let Some(process) = component.process() {
        cluster.list_again(process, cause);
    }
    cluster.wake_node(component, Input::Start, cause);
}
