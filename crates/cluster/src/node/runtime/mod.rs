//! The container runtime of a machine: containerd with its CRI plugin, CNI plugins and runc.
//!
//! Models: containerd 2.1, runc 1.3, CNI plugins 1.7, in the order and with about the durations of the recordings.

pub mod catalogue;
pub mod cni;
pub mod oci;
pub mod program;

use super::cgroup;
use super::resources::{Qos, qos_of};
use super::{Call, Cri, Input, Local};
use crate::component::ComponentId;
use crate::config::NodeConfig;
use crate::entry::Timer;
use crate::sim::Ctx;
use crate::trace::{Data, Note};
use catalogue::Image;
use cni::{Addresses, Link};
use podscope_api::{Key, Kind, Object, Text, Value, value};
use podscope_kernel::collections::{BTreeMap, BTreeSet};
use podscope_kernel::{SimDuration, SimTime};
use program::{OnStop, Program};
use std::rc::Rc;

crate::codes! {
    /// RunPodSandbox has come back.
    RUN_POD_SANDBOX = "cri.run_pod_sandbox";
    /// PullImage has come back.
    PULL_IMAGE = "cri.pull_image";
    /// CreateContainer has come back.
    CREATE_CONTAINER = "cri.create_container";
    /// StartContainer has come back.
    START_CONTAINER = "cri.start_container";
    /// StopContainer has come back.
    STOP_CONTAINER = "cri.stop_container";
    /// StopPodSandbox has come back.
    STOP_POD_SANDBOX = "cri.stop_pod_sandbox";
    /// A CRI call failed.
    CRI_FAILED = "cri.failed";
    /// A network plugin gave the Pod its interface and address.
    CNI_ADD = "cni.add";
    /// A network plugin took them away.
    CNI_DEL = "cni.del";
    /// The registry told which manifest a tag means.
    IMAGE_RESOLVE = "image.resolve";
    /// Manifest and config are there: the layers are known.
    IMAGE_MANIFEST = "image.manifest";
    /// Layers were fetched, checked and unpacked.
    IMAGE_UNPACK = "image.unpack";
    /// containerd wrote config.json.
    OCI_CONFIG = "oci.config";
    /// `runc create`: namespaces, cgroup, mounts; the process waits.
    RUNC_CREATE = "runc.create";
    /// `runc start`: the process becomes the container's program.
    RUNC_START = "runc.start";
    /// `runc kill`: a signal to the container's process.
    RUNC_KILL = "runc.kill";
    /// A container's process has ended.
    PROCESS_EXIT = "runtime.exit";
}

/// A process ends by itself.
const EXIT: &str = "runtime.exit_at";
/// A process that runs for long ends by itself.
const LONG_EXIT: &str = "loop.runtime.exit_at";
/// A process that was asked to stop is killed.
const KILL: &str = "runtime.sigkill";

/// From this long a run on, its end is not waited for.
const LONG: SimDuration = SimDuration::secs(600);
/// The kubelet's relist interval.
const RELIST: SimDuration = SimDuration::secs(1);

/// Durations, low and high, in microseconds.
mod takes {
    pub const NETNS: (u64, u64) = (18_000, 30_000);
    pub const CNI_ADD: (u64, u64) = (70_000, 110_000);
    pub const PAUSE_CREATE: (u64, u64) = (150_000, 210_000);
    pub const PAUSE_START: (u64, u64) = (60_000, 90_000);
    pub const RESOLVE: (u64, u64) = (110_000, 190_000);
    pub const MANIFEST: (u64, u64) = (60_000, 110_000);
    pub const UNPACK: (u64, u64) = (80_000, 160_000);
    pub const CREATE: (u64, u64) = (25_000, 60_000);
    pub const RUNC_CREATE: (u64, u64) = (60_000, 110_000);
    pub const RUNC_START: (u64, u64) = (15_000, 40_000);
    pub const EXIT: (u64, u64) = (15_000, 60_000);
    pub const STOP_SANDBOX: (u64, u64) = (180_000, 320_000);
    pub const REFUSED: (u64, u64) = (20_000, 60_000);
}

/// Compressed bytes that arrive from the registry in a microsecond.
const BYTES_PER_US: u64 = 55;

/// Where a container is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContainerState {
    /// Prepared, no process yet.
    Created,
    /// Its process runs.
    Running,
    /// Its process has ended.
    Exited,
}

/// A container on the machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Container {
    /// 64 hexadecimal digits.
    pub id: Text,
    /// The name in the Pod's spec.
    pub name: Text,
    /// How many containers of this name the Pod had before.
    pub attempt: u32,
    /// The id of its sandbox.
    pub sandbox: Text,
    /// The image's full name.
    pub image: Text,
    /// `repository@sha256:…`
    pub image_id: Text,
    /// Where it is.
    pub state: ContainerState,
    /// When its process started.
    pub started: SimTime,
    /// When its process ended.
    pub finished: SimTime,
    /// The exit code.
    pub exit_code: i32,
    /// `Completed`, `Error`, `OOMKilled`, `StartError`, `Unknown`.
    pub reason: Text,
    /// The process on the machine; 0 when there is none.
    pub pid: u32,
    /// The command line.
    pub argv: Rc<Vec<String>>,
    /// What its program does.
    pub program: Program,
    /// When it ends by itself, and with which code.
    pub ends: Option<(SimTime, i32)>,
    /// When it will be killed, once it was asked to stop.
    pub killed_at: Option<SimTime>,
    stop: Option<Call>,
}

/// A Pod's sandbox: its namespaces, held by the pause container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sandbox {
    /// 64 hexadecimal digits.
    pub id: Text,
    /// How many sandboxes the Pod had before.
    pub attempt: u32,
    /// Whether the pause container runs.
    pub ready: bool,
    /// The network interfaces.
    pub link: Link,
    /// Whether the Pod uses the machine's own network.
    pub host_network: bool,
    /// The pause process.
    pub pid: u32,
}

/// What the runtime has of one Pod.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PodRecord {
    /// Namespace and name.
    pub key: Key,
    /// The newest sandbox.
    pub sandbox: Option<Sandbox>,
    /// Containers, oldest first; of each name the newest two are kept.
    pub containers: Vec<Container>,
    /// The Pod's cgroup below `/sys/fs/cgroup`.
    pub cgroup: Text,
    /// The QoS class.
    pub qos: Qos,
    /// The Pod as it was when the sandbox was made.
    pub pod: Rc<Object>,
}

impl PodRecord {
    /// The newest container of a name.
    pub fn newest(&self, name: &str) -> Option<&Container> {
        self.containers.iter().rev().find(|c| &*c.name == name)
    }
    /// The newest container of a name before another one.
    pub fn before(&self, name: &str, attempt: u32) -> Option<&Container> {
        let mut older = self.containers.iter().rev();
        older.find(|c| &*c.name == name && c.attempt < attempt)
    }
}

/// An image on the machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stored {
    /// What it is.
    pub image: Rc<Image>,
    /// When it was last used.
    pub used: SimTime,
}

/// The runtime's state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Runtime {
    id: u16,
    memory_bytes: i64,
    pods: BTreeMap<Text, PodRecord>,
    images: BTreeMap<Text, Stored>,
    layers: BTreeSet<Text>,
    addresses: Addresses,
    next_pid: u32,
}

/// The Pod CIDR of a machine; its Node's `spec.podCIDR` says the same.
pub fn pod_cidr(id: u16) -> String {
    let n = u32::from(id) + 1;
    format!("10.{}.{}.0/24", 244 + n / 256 % 8, n % 256)
}

/// The container in the spec at a place: init containers first, then app containers.
pub fn at_slot(spec: &Value, slot: u8) -> &Value {
    let init = spec.get("initContainers").items();
    let slot = usize::from(slot);
    match init.get(slot) {
        Some(container) => container,
        None => spec
            .get("containers")
            .index(slot.saturating_sub(init.len())),
    }
}

/// The plugin that serves a volume, as in the kubelet's directories.
pub fn plugin_of(volume: &Value) -> &'static str {
    const PLUGINS: &[(&str, &str)] = &[
        ("configMap", "configmap"),
        ("secret", "secret"),
        ("projected", "projected"),
        ("downwardAPI", "downward-api"),
        ("emptyDir", "empty-dir"),
        ("hostPath", "host-path"),
        ("persistentVolumeClaim", "csi"),
    ];
    let found = PLUGINS
        .iter()
        .find(|(field, _)| !volume.get(field).is_null());
    found.map_or("empty-dir", |(_, name)| name)
}

fn words(list: &Value) -> Vec<String> {
    let items = list.items().iter();
    items.map(|w| w.str_or_empty().to_string()).collect()
}

fn hex_id(ctx: &mut Ctx<'_>) -> Text {
    let mut id = String::with_capacity(64);
    for _ in 0..4 {
        let bits = ctx.random("container-id", 0, u64::MAX - 1);
        id.push_str(&format!("{bits:016x}"));
    }
    id.into()
}

impl Runtime {
    /// A runtime with nothing but the configured images.
    pub fn new(id: u16, config: &NodeConfig) -> Runtime {
        let mut runtime = Runtime {
            id,
            memory_bytes: config.memory_bytes,
            pods: BTreeMap::new(),
            images: BTreeMap::new(),
            layers: BTreeSet::new(),
            addresses: Addresses::new(&pod_cidr(id)),
            next_pid: 2_000,
        };
        for name in &config.images {
            if let Ok(full) = catalogue::full_name(name) {
                runtime.keep(&full, SimTime::ZERO);
            }
        }
        runtime
    }
    /// What it has of each Pod, by uid.
    pub fn pods(&self) -> impl Iterator<Item = (&Text, &PodRecord)> {
        self.pods.iter()
    }
    /// What it has of one Pod.
    pub fn pod(&self, uid: &str) -> Option<&PodRecord> {
        self.pods.get(uid)
    }
    /// The images on the machine, by full name.
    pub fn images(&self) -> &BTreeMap<Text, Stored> {
        &self.images
    }
    /// Bytes of all layers on the machine.
    pub fn image_bytes(&self) -> u64 {
        let mut seen = BTreeSet::new();
        self.images
            .values()
            .flat_map(|s| &s.image.layers)
            .filter(|l| seen.insert(&l.digest))
            .map(|l| l.bytes)
            .sum()
    }
    /// The addresses given out.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }
    /// The addresses given out, to be changed by faults.
    pub(crate) fn addresses_mut(&mut self) -> &mut Addresses {
        &mut self.addresses
    }
    /// The machine's processes as (pid, command line, cgroup), by pid.
    pub fn processes(&self) -> Vec<(u32, String, String)> {
        let mut list = Vec::new();
        for record in self.pods.values() {
            if let Some(sandbox) = record.sandbox.as_ref().filter(|s| s.ready) {
                let scope = format!("{}/cri-containerd-{}.scope", record.cgroup, sandbox.id);
                list.push((sandbox.pid, "/pause".to_string(), scope));
            }
            for container in &record.containers {
                if container.state == ContainerState::Running {
                    let scope = format!("{}/cri-containerd-{}.scope", record.cgroup, container.id);
                    list.push((container.pid, container.argv.join(" "), scope));
                }
            }
        }
        podscope_api::sort::natural(&mut list);
        list
    }
    /// The machine's routes for Pods, as `ip route` prints them.
    pub fn routes(&self) -> Vec<String> {
        vec![format!(
            "{} dev cni0 proto kernel scope link src {}",
            self.addresses.cidr(),
            self.addresses.gateway()
        )]
    }
    /// The cgroup files of a Pod and of each of its running containers: (path, files).
    pub fn cgroups(&self, uid: &str) -> Vec<(String, Value)> {
        let Some(record) = self.pods.get(uid) else {
            return Vec::new();
        };
        let spec = record.pod.spec();
        let mut list = vec![(record.cgroup.to_string(), cgroup::pod_files(spec))];
        let all = [spec.get("initContainers"), spec.get("containers")];
        for container in all.iter().flat_map(|c| c.items()) {
            let name = container.get("name").str_or_empty();
            let newest = record.newest(name);
            if let Some(c) = newest.filter(|c| c.state == ContainerState::Running) {
                let path = format!("{}/cri-containerd-{}.scope", record.cgroup, c.id);
                list.push((path, cgroup::container_files(container)));
            }
        }
        list
    }

    /// The power goes off: every process is gone; records and images stay on the disk.
    pub(crate) fn lose_power(&mut self) {
        for record in self.pods.values_mut() {
            if let Some(sandbox) = &mut record.sandbox {
                sandbox.ready = false;
                sandbox.pid = 0;
            }
            for container in &mut record.containers {
                if container.state != ContainerState::Exited {
                    container.state = ContainerState::Exited;
                    container.exit_code = 255;
                    container.reason = "Unknown".into();
                    container.pid = 0;
                    container.finished = container.started;
                    container.stop = None;
                    container.ends = None;
                    container.killed_at = None;
                }
            }
        }
        self.addresses.clear();
    }
    /// Forgets a Pod: its containers, sandbox and logs are removed.
    pub(crate) fn remove_pod(&mut self, uid: &str) {
        if let Some(sandbox) = self.pods.remove(uid).and_then(|r| r.sandbox) {
            self.addresses.release(&sandbox.id);
        }
    }
    /// Removes the images that no container uses; gives the bytes that were freed.
    #[inline(never)]
    pub(crate) fn remove_unused_images(&mut self) -> i64 {
        let before = self.image_bytes();
        let containers = self.pods.values().flat_map(|r| &r.containers);
        let used: BTreeSet<Text> = containers
            .filter(|c| c.state != ContainerState::Exited)
            .map(|c| c.image.clone())
            .collect();
        self.images.retain(|full, _| used.contains(full));
        let layers = self.images.values().flat_map(|s| &s.image.layers);
        self.layers = layers.map(|l| l.digest.clone()).collect();
        let freed = before.saturating_sub(self.image_bytes());
        i64::try_from(freed).unwrap_or(i64::MAX)
    }
    /// Forgets the containers of a Pod that has a new sandbox and starts over.
    fn keep(&mut self, full: &str, now: SimTime) -> Rc<Image> {
        let image = Rc::new(catalogue::image(full));
        for layer in &image.layers {
            self.layers.insert(layer.digest.clone());
        }
        let stored = Stored {
            image: image.clone(),
            used: now,
        };
        self.images.insert(full.into(), stored);
        image
    }

    fn pid(&mut self, ctx: &mut Ctx<'_>) -> u32 {
        let step = ctx.random("pid", 9, 40);
        self.next_pid = self
            .next_pid
            .saturating_add(u32::try_from(step).unwrap_or(9));
        self.next_pid
    }

    /// The runtime is woken.
    pub(crate) fn on(&mut self, input: Input<'_>, ctx: &mut Ctx<'_>) {
        match input {
            Input::Local(Local::Call(call)) => self.call(call, ctx),
            Input::Local(Local::Stage(call, stage)) => self.stage(call, *stage, ctx),
            Input::Timer(timer) => self.due(timer, ctx),
            _ => {}
        }
    }

    fn later(&self, call: &Call, stage: u8, after: SimDuration, ctx: &mut Ctx<'_>) {
        let to = ComponentId::Runtime(self.id);
        ctx.local(to, after, Local::Stage(call.clone(), stage));
    }
    #[inline(never)]
    fn done(&self, call: &Call, error: impl Into<Text>, ctx: &mut Ctx<'_>) {
        let error: Text = error.into();
        if !error.is_empty() {
            let note = Note::new(CRI_FAILED)
                .about(Kind::Pod, call.pod.key())
                .arg("call", call.what.name())
                .arg("error", error.clone());
            ctx.trace(note);
        }
        let to = ComponentId::Kubelet(self.id);
        let answer = Local::Done(call.clone(), error);
        ctx.local(to, SimDuration::micros(300), answer);
    }

    fn call(&mut self, call: &Call, ctx: &mut Ctx<'_>) {
        match call.what {
            Cri::RunPodSandbox => {
                let wait = ctx.jitter("runtime", takes::NETNS);
                let cni = if call.pod.at("spec.hostNetwork").is_true() {
                    SimDuration::ZERO
                } else {
                    ctx.jitter("runtime", takes::CNI_ADD)
                };
                self.later(call, 1, wait + cni, ctx);
            }
            Cri::PullImage => {
                let refused = ctx.sim.network.registry_down;
                let range = if refused {
                    takes::REFUSED
                } else {
                    takes::RESOLVE
                };
                let wait = ctx.jitter("registry", range);
                self.later(call, 1, wait, ctx);
            }
            Cri::CreateContainer => {
                let wait = ctx.jitter("runtime", takes::CREATE);
                self.later(call, 1, wait, ctx);
            }
            Cri::StartContainer => {
                let wait = ctx.jitter("runtime", takes::RUNC_CREATE);
                self.later(call, 1, wait, ctx);
            }
            Cri::StopContainer => self.stop(call, ctx),
            Cri::StopPodSandbox => {
                let wait = ctx.jitter("runtime", takes::STOP_SANDBOX);
                self.later(call, 1, wait, ctx);
            }
        }
    }

    fn stage(&mut self, call: &Call, stage: u8, ctx: &mut Ctx<'_>) {
        match (call.what, stage) {
            (Cri::RunPodSandbox, 1) => self.sandbox_network(call, ctx),
            (Cri::RunPodSandbox, 2) => self.sandbox_created(call, ctx),
            (Cri::RunPodSandbox, _) => self.sandbox_started(call, ctx),
            (Cri::PullImage, 1) => self.pull_resolved(call, ctx),
            (Cri::PullImage, 2) => self.pull_manifest(call, ctx),
            (Cri::PullImage, _) => self.pull_unpacked(call, ctx),
            (Cri::CreateContainer, _) => self.created(call, ctx),
            (Cri::StartContainer, 1) => self.runc_created(call, ctx),
            (Cri::StartContainer, _) => self.runc_started(call, ctx),
            (Cri::StopPodSandbox, _) => self.sandbox_stopped(call, ctx),
            (Cri::StopContainer, _) => {}
        }
    }

    fn sandbox_network(&mut self, call: &Call, ctx: &mut Ctx<'_>) {
        let (pod, key) = (&call.pod, call.pod.key());
        let uid = pod.uid();
        let class = qos_of(pod);
        let id = hex_id(ctx);
        let host_network = pod.at("spec.hostNetwork").is_true();
        let mut link = Link::default();
        if host_network {
            link.ip = node_ip(self.id).into();
        } else {
            let bits = ctx.random("container-id", 0, u64::MAX - 1);
            link.netns = format!(
                "/var/run/netns/cni-{:08x}-{:04x}-{:04x}-{:04x}-{:08x}{:04x}",
                bits >> 32,
                bits >> 16 & 0xffff,
                bits & 0xffff,
                bits >> 40 & 0xffff,
                bits & 0xffff_ffff,
                bits >> 20 & 0xffff
            )
            .into();
            if let Some(error) = self.cni_broken(ctx) {
                return self.done(call, cni::failed(&id, error), ctx);
            }
            let cidr = self.addresses.cidr();
            let request = cni::request("ADD", &key, uid, &id, &link.netns, &cidr);
            match self.addresses.take(&id) {
                Ok(ip) => link.ip = ip,
                Err(error) => {
                    return self.done(call, cni::failed(&id, &error), ctx);
                }
            }
            link.veth = format!("veth{:08x}", bits as u32).into();
            let m = bits.rotate_left(17).to_be_bytes();
            link.mac = format!(
                "{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}",
                m[0] & 0xfe | 2,
                m[1],
                m[2],
                m[3],
                m[4],
                m[5]
            )
            .into();
            let result = cni::result(&link, &self.addresses.gateway());
            let note = Note::new(CNI_ADD)
                .about(Kind::Pod, key.clone())
                .arg("ip", link.ip.clone())
                .arg("veth", link.veth.clone())
                .data(Data::Call(request, result));
            ctx.trace(note);
        }
        let sandbox = Sandbox {
            id,
            attempt: call.attempt,
            ready: false,
            link,
            host_network,
            pid: 0,
        };
        let record = self.pods.entry(uid.into()).or_insert_with(|| PodRecord {
            key,
            sandbox: None,
            containers: Vec::new(),
            cgroup: cgroup::pod_path(uid, class).into(),
            qos: class,
            pod: pod.clone(),
        });
        record.pod = pod.clone();
        record.sandbox = Some(sandbox);
        let wait = ctx.jitter("runtime", takes::PAUSE_CREATE);
        self.later(call, 2, wait, ctx);
    }

    fn sandbox_created(&mut self, call: &Call, ctx: &mut Ctx<'_>) {
        let pid = self.pid(ctx);
        let Some(record) = self.pods.get_mut(call.pod.uid()) else {
            return;
        };
        let Some(sandbox) = &mut record.sandbox else {
            return;
        };
        sandbox.pid = pid;
        let config = oci::pause_config(&call.pod, sandbox, &record.cgroup);
        let steps = oci::create_steps(&config, pid, &record.cgroup);
        let note = Note::new(RUNC_CREATE)
            .about(Kind::Pod, call.pod.key())
            .arg("container", "pause")
            .arg("pid", i64::from(pid))
            .data(Data::Call(config, steps));
        ctx.trace(note);
        let wait = ctx.jitter("runtime", takes::PAUSE_START);
        self.later(call, 3, wait, ctx);
    }

    fn sandbox_started(&mut self, call: &Call, ctx: &mut Ctx<'_>) {
        let Some(record) = self.pods.get_mut(call.pod.uid()) else {
            return;
        };
        let Some(sandbox) = &mut record.sandbox else {
            return;
        };
        sandbox.ready = true;
        let pod = &call.pod;
        let request = value!({
            "config": {
                "metadata": {"name": (pod.name()), "namespace": (pod.namespace()), "uid": (pod.uid()), "attempt": (i64::from(call.attempt))},
                "hostname": (pod.name()),
                "log_directory": (format!("/var/log/pods/{}_{}_{}", pod.namespace(), pod.name(), pod.uid())),
                "dns_config": {
                    "servers": ["10.96.0.10"],
                    "searches": [(format!("{}.svc.cluster.local", pod.namespace())), "svc.cluster.local", "cluster.local"],
                    "options": ["ndots:5"]
                },
                "labels": (pod.labels().clone()),
                "linux": {
                    "cgroup_parent": (record.cgroup.clone()),
                    "security_context": {"namespace_options": {
                        "network": (if sandbox.host_network { "NODE" } else { "POD" }),
                        "pid": (if pod.at("spec.hostPID").is_true() { "NODE" } else { "CONTAINER" }),
                        "ipc": (if pod.at("spec.hostIPC").is_true() { "NODE" } else { "POD" })
                    }}
                }
            }
        });
        let note = Note::new(RUN_POD_SANDBOX)
            .about(Kind::Pod, pod.key())
            .arg("sandbox", sandbox.id.clone())
            .arg("ip", sandbox.link.ip.clone())
            .data(Data::Call(
                request,
                value!({"pod_sandbox_id": (sandbox.id.clone())}),
            ));
        ctx.trace(note);
        self.done(call, "", ctx);
    }

    /// The network plugin's words when a fault has broken it.
    fn cni_broken(&self, ctx: &Ctx<'_>) -> Option<&'static str> {
        if ctx.sim.faults.none() {
            return None;
        }
        let node = ctx.sim.config.nodes.get(usize::from(self.id))?;
        ctx.sim.faults.cni_error(&node.name)
    }

    fn image_of(call: &Call) -> String {
        let container = at_slot(call.pod.spec(), call.slot);
        catalogue::full_name(container.get("image").str_or_empty()).unwrap_or_default()
    }

    fn pull_resolved(&mut self, call: &Call, ctx: &mut Ctx<'_>) {
        let full = Self::image_of(call);
        let repository = catalogue::repository(&full).to_string();
        let host = repository.split('/').next().unwrap_or("").to_string();
        let tag = full.get(repository.len() + 1..).unwrap_or("latest");
        let path = repository.get(host.len() + 1..).unwrap_or("");
        if ctx.sim.network.registry_down {
            let site = if host == "docker.io" {
                "registry-1.docker.io"
            } else {
                &host
            };
            let why = format!(
                "failed to do request: Head \"https://{site}/v2/{path}/manifests/{tag}\": dial tcp 203.0.113.7:443: connect: connection refused"
            );
            return self.done(call, unresolved("Unavailable", &full, &why), ctx);
        }
        if let Some(error) = ctx.sim.faults.pull_error(&full) {
            return self.done(call, error, ctx);
        }
        let image = catalogue::image(&full);
        let request = value!({"method": "HEAD", "url": (format!("https://{host}/v2/{path}/manifests/{tag}"))});
        let note = Note::new(IMAGE_RESOLVE)
            .about(Kind::Pod, call.pod.key())
            .arg("image", full.clone())
            .data(Data::Call(
                request,
                value!({"digest": (image.digest.clone())}),
            ));
        ctx.trace(note);
        if self.images.contains_key(&*full) {
            // The tag still means the image that is here: nothing to fetch.
            return self.image_here(call, &image, ctx);
        }
        let wait = ctx.jitter("registry", takes::MANIFEST);
        self.later(call, 2, wait, ctx);
    }

    fn pull_manifest(&mut self, call: &Call, ctx: &mut Ctx<'_>) {
        let full = Self::image_of(call);
        let image = catalogue::image(&full);
        let missing: u64 = image
            .layers
            .iter()
            .filter(|l| !self.layers.contains(&l.digest))
            .map(|l| l.bytes)
            .sum();
        let layers = image.layers.iter().map(|l| {
            value!({"digest": (l.digest.clone()), "size": (i64::try_from(l.bytes).unwrap_or(i64::MAX)),
                "present": (self.layers.contains(&l.digest))})
        });
        let data = value!({
            "digest": (image.manifest.clone()), "config": (image.config.clone()),
            "platform": "linux/amd64", "layers": (Value::list(layers))
        });
        let note = Note::new(IMAGE_MANIFEST)
            .about(Kind::Pod, call.pod.key())
            .arg("image", full)
            .arg("layers", i64::try_from(image.layers.len()).unwrap_or(0))
            .arg("bytes", i64::try_from(missing).unwrap_or(i64::MAX))
            .data(Data::Json(data.into()));
        ctx.trace(note);
        let slow = ctx.sim.faults.registry_slowness();
        let fetch = SimDuration::micros(missing / BYTES_PER_US).times(slow);
        // Unpacking keeps pace with about a tenth of the fetch.
        let unpack = ctx.jitter("registry", takes::UNPACK) + SimDuration::micros(missing / 500);
        self.later(call, 3, fetch + unpack, ctx);
    }

    fn pull_unpacked(&mut self, call: &Call, ctx: &mut Ctx<'_>) {
        let full = Self::image_of(call);
        let now = ctx.now();
        let image = self.keep(&full, now);
        let layers = image.layers.iter().map(|l| Value::from(l.digest.clone()));
        let key = call.pod.key();
        let note = Note::new(IMAGE_UNPACK)
            .about(Kind::Pod, key.clone())
            .arg("image", full.clone())
            .data(Data::Json(
                value!({"snapshotter": "overlayfs", "layers": (Value::list(layers))}).into(),
            ));
        ctx.trace(note);
        self.image_here(call, &image, ctx);
    }

    /// PullImage comes back.
    fn image_here(&self, call: &Call, image: &Image, ctx: &mut Ctx<'_>) {
        let request = value!({"image": {"image": (image.name.clone())}});
        let note = Note::new(PULL_IMAGE)
            .about(Kind::Pod, call.pod.key())
            .arg("image", image.name.clone())
            .data(Data::Call(
                request,
                value!({"image_ref": (image.config.clone())}),
            ));
        ctx.trace(note);
        self.done(call, "", ctx);
    }

    fn created(&mut self, call: &Call, ctx: &mut Ctx<'_>) {
        let full = Self::image_of(call);
        let container = at_slot(call.pod.spec(), call.slot).clone();
        let name: Text = container.get("name").str_or_empty().into();
        let now = ctx.now();
        let image = match self.images.get_mut(&*full) {
            Some(stored) => {
                stored.used = now;
                stored.image.clone()
            }
            None => Rc::new(catalogue::image(&full)),
        };
        let command = words(container.get("command"));
        let argv = program::argv(&image, &command, &words(container.get("args")));
        let program = program::program(&argv);
        let id = hex_id(ctx);
        let memory = self.memory_bytes;
        let Some(record) = self.pods.get_mut(call.pod.uid()) else {
            return self.done(
                call,
                "rpc error: code = NotFound desc = failed to find sandbox",
                ctx,
            );
        };
        let Some(sandbox) = record.sandbox.as_ref().filter(|s| s.ready) else {
            return self.done(
                call,
                "rpc error: code = NotFound desc = sandbox is not ready",
                ctx,
            );
        };
        let config = oci::config(&oci::Parts {
            pod: &call.pod,
            container: &container,
            id: &id,
            sandbox,
            cgroup: &record.cgroup,
            argv: &argv,
            user: image.user,
            node_memory: memory,
        });
        let key = call.pod.key();
        let note = Note::new(OCI_CONFIG)
            .about(Kind::Pod, key.clone())
            .arg("container", name.clone())
            .data(Data::Json(config.into()));
        ctx.trace(note);
        let request = value!({
            "pod_sandbox_id": (sandbox.id.clone()),
            "config": {
                "metadata": {"name": (name.clone()), "attempt": (i64::from(call.attempt))},
                "image": {"image": (image.config.clone())},
                "log_path": (format!("{name}/{}.log", call.attempt)),
                "linux": {"resources": (cgroup::container_files(&container))}
            }
        });
        let note = Note::new(CREATE_CONTAINER)
            .about(Kind::Pod, key)
            .arg("container", name.clone())
            .arg("id", id.clone())
            .data(Data::Call(request, value!({"container_id": (id.clone())})));
        ctx.trace(note);
        let sandbox = sandbox.clone();
        record.pod = call.pod.clone();
        let same: Vec<usize> = (0..record.containers.len())
            .filter(|i| record.containers.get(*i).is_some_and(|c| c.name == name))
            .collect();
        if same.len() > 1 {
            record.containers.remove(same[0]);
        }
        record.containers.push(Container {
            id,
            name,
            attempt: call.attempt,
            sandbox: sandbox.id.clone(),
            image: image.name.clone(),
            image_id: image.by_digest().into(),
            state: ContainerState::Created,
            started: now,
            finished: now,
            exit_code: 0,
            reason: "".into(),
            pid: 0,
            argv: Rc::new(argv),
            program,
            ends: None,
            killed_at: None,
            stop: None,
        });
        self.done(call, "", ctx);
    }

    /// The container that a call is about.
    fn container(&mut self, call: &Call) -> Option<&mut Container> {
        let name = at_slot(call.pod.spec(), call.slot)
            .get("name")
            .str_or_empty();
        let record = self.pods.get_mut(call.pod.uid())?;
        record
            .containers
            .iter_mut()
            .rev()
            .find(|c| &*c.name == name)
    }

    fn runc_created(&mut self, call: &Call, ctx: &mut Ctx<'_>) {
        let pid = self.pid(ctx);
        let cgroup = match self.pods.get(call.pod.uid()) {
            Some(record) => record.cgroup.clone(),
            None => return,
        };
        let spec = at_slot(call.pod.spec(), call.slot);
        let files = cgroup::container_files(spec);
        let sandbox_pid = self
            .pods
            .get(call.pod.uid())
            .and_then(|r| r.sandbox.as_ref())
            .map_or(0, |s| s.pid);
        let Some(container) = self.container(call) else {
            return;
        };
        container.pid = pid;
        let scope = format!("{cgroup}/cri-containerd-{}.scope", container.id);
        let join = |kind: &str, file: &str| value!({"type": (kind), "path": (format!("/proc/{sandbox_pid}/ns/{file}"))});
        let outline = value!({"linux": {
            "namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "cgroup"},
                (join("network", "net")), (join("ipc", "ipc")), (join("uts", "uts"))],
            "resources": {"unified": (files)}
        }});
        let steps = oci::create_steps(&outline, pid, &scope);
        let note = Note::new(RUNC_CREATE)
            .about(Kind::Pod, call.pod.key())
            .arg("container", container.name.clone())
            .arg("pid", i64::from(pid))
            .data(Data::Json(steps.into()));
        ctx.trace(note);
        let wait = ctx.jitter("runtime", takes::RUNC_START);
        self.later(call, 2, wait, ctx);
    }

    fn runc_started(&mut self, call: &Call, ctx: &mut Ctx<'_>) {
        let now = ctx.now();
        let key = call.pod.key();
        let crash = {
            let name = at_slot(call.pod.spec(), call.slot)
                .get("name")
                .str_or_empty();
            ctx.sim.faults.crash_at_start(&key, call.pod.labels(), name)
        };
        let Some(container) = self.container(call) else {
            return;
        };
        container.state = ContainerState::Running;
        container.started = now;
        container.ends = match crash {
            Some((after, exit_code, reason)) => {
                container.reason = reason.into();
                Some((now + after, exit_code))
            }
            None => {
                let runs = container.program.runs;
                runs.map(|span| (now + span, container.program.exit_code))
            }
        };
        let ends = container.ends;
        let note = Note::new(RUNC_START)
            .about(Kind::Pod, key.clone())
            .arg("container", container.name.clone())
            .arg("pid", i64::from(container.pid))
            .arg("command", container.argv.join(" "));
        ctx.trace(note);
        let request = value!({"container_id": (container.id.clone())});
        let note = Note::new(START_CONTAINER)
            .about(Kind::Pod, key.clone())
            .arg("container", container.name.clone())
            .data(Data::Call(request, Value::map()));
        ctx.trace(note);
        if let Some((at, _)) = ends {
            let code = if at.since(now) > LONG {
                LONG_EXIT
            } else {
                EXIT
            };
            ctx.set_timer_at(at, Timer::keyed(code, key));
        }
        self.done(call, "", ctx);
    }

    #[inline(never)]
    fn stop(&mut self, call: &Call, ctx: &mut Ctx<'_>) {
        let now = ctx.now();
        let key = call.pod.key();
        let exit = ctx.jitter("runtime", takes::EXIT);
        let grace = SimDuration::secs(u64::try_from(call.grace_s).unwrap_or(0));
        let delay = ctx.sim.faults.stop_delay(&call.pod);
        let exit = exit + delay;
        let signal = self
            .container(call)
            .and_then(|c| catalogue_signal(&c.image))
            .unwrap_or("SIGTERM");
        let running = match self.container(call) {
            Some(c) if c.state == ContainerState::Running => c,
            _ => return self.done(call, "", ctx),
        };
        running.stop = Some(call.clone());
        let kill_at = now + grace;
        running.killed_at = Some(
            running
                .killed_at
                .map_or(kill_at, |before| before.min(kill_at)),
        );
        let note = Note::new(RUNC_KILL)
            .about(Kind::Pod, key.clone())
            .arg("container", running.name.clone())
            .arg("signal", signal)
            .arg("grace_s", call.grace_s);
        ctx.trace(note);
        match running.program.on_stop {
            OnStop::Exits(code) if delay == SimDuration::ZERO || exit < grace => {
                let at = now + exit;
                if running.ends.is_none_or(|(before, _)| at < before) {
                    running.ends = Some((at, code));
                }
                ctx.set_timer_at(at, Timer::keyed(EXIT, key));
            }
            OnStop::Exits(_) | OnStop::Ignores => {
                ctx.set_timer_at(kill_at, Timer::deadline(KILL, key));
            }
        }
    }

    /// Ends a running container's process now, as if it had ended by itself.
    pub(crate) fn end_now(
        &mut self,
        uid: &str,
        name: &str,
        exit_code: i32,
        reason: &str,
        ctx: &mut Ctx<'_>,
    ) -> bool {
        let now = ctx.now();
        let Some(record) = self.pods.get_mut(uid) else {
            return false;
        };
        let Some(container) = record
            .containers
            .iter_mut()
            .rev()
            .find(|c| &*c.name == name && c.state == ContainerState::Running)
        else {
            return false;
        };
        container.ends = Some((now, exit_code));
        container.reason = reason.into();
        let key = record.key.clone();
        self.end_due(&key, ctx);
        true
    }

    fn due(&mut self, timer: &Timer, ctx: &mut Ctx<'_>) {
        if matches!(timer.code, EXIT | LONG_EXIT | KILL) {
            self.end_due(&timer.key, ctx);
        }
    }

    /// Ends the processes of a Pod whose time has come.
    #[inline(never)]
    fn end_due(&mut self, key: &Key, ctx: &mut Ctx<'_>) {
        let now = ctx.now();
        let cause = ctx.cause();
        let mut stopped = Vec::new();
        let mut changed = None;
        for record in self.pods.values_mut().filter(|r| r.key == *key) {
            for container in &mut record.containers {
                if container.state != ContainerState::Running {
                    continue;
                }
                let by_itself = container.ends.filter(|(at, _)| *at <= now);
                let killed = container.killed_at.is_some_and(|at| at <= now);
                let exit_code = match (by_itself, killed) {
                    (Some((_, code)), _) => code,
                    (None, true) => 137,
                    (None, false) => continue,
                };
                container.state = ContainerState::Exited;
                container.finished = now;
                container.exit_code = exit_code;
                if container.reason.is_empty() {
                    container.reason = if exit_code == 0 { "Completed" } else { "Error" }.into();
                }
                container.pid = 0;
                container.ends = None;
                container.killed_at = None;
                ctx.set_cause(cause);
                let note = Note::new(PROCESS_EXIT)
                    .about(Kind::Pod, key.clone())
                    .arg("container", container.name.clone())
                    .arg("exit_code", i64::from(exit_code))
                    .arg("reason", container.reason.clone());
                ctx.trace(note);
                match container.stop.take() {
                    Some(call) => stopped.push((call, container.name.clone())),
                    None => changed = Some((record.pod.clone(), ctx.cause())),
                }
            }
        }
        for (call, name) in stopped {
            let note = Note::new(STOP_CONTAINER)
                .about(Kind::Pod, key.clone())
                .arg("container", name)
                .arg("grace_s", call.grace_s);
            ctx.trace(note);
            self.done(&call, "", ctx);
        }
        if let Some((pod, cause)) = changed {
            ctx.set_cause(cause);
            let phase = SimDuration::millis(u64::from(self.id) * 137 % 1000);
            let at = (now - phase).next_multiple(RELIST) + phase;
            let to = ComponentId::Kubelet(self.id);
            ctx.local(to, at.since(now), Local::Relist(pod));
        }
    }

    #[inline(never)]
    fn sandbox_stopped(&mut self, call: &Call, ctx: &mut Ctx<'_>) {
        let key = call.pod.key();
        let cidr = self.addresses.cidr();
        let Some(record) = self.pods.get_mut(call.pod.uid()) else {
            return self.done(call, "", ctx);
        };
        if let Some(sandbox) = record.sandbox.as_mut().filter(|s| s.ready) {
            sandbox.ready = false;
            sandbox.pid = 0;
            if !sandbox.host_network {
                let (id, netns) = (&sandbox.id, &sandbox.link.netns);
                let request = cni::request("DEL", &key, call.pod.uid(), id, netns, &cidr);
                let note = Note::new(CNI_DEL)
                    .about(Kind::Pod, key.clone())
                    .arg("ip", sandbox.link.ip.clone())
                    .data(Data::Call(request, Value::map()));
                ctx.trace(note);
                self.addresses.release(&sandbox.id);
            }
            let note = Note::new(STOP_POD_SANDBOX)
                .about(Kind::Pod, key)
                .arg("sandbox", sandbox.id.clone());
            ctx.trace(note);
        }
        self.done(call, "", ctx);
    }
}

/// What containerd says when the registry does not tell what a name means.
#[inline(never)]
pub(crate) fn unresolved(code: &str, full: &str, why: &str) -> String {
    format!(
        "rpc error: code = {code} desc = failed to pull and unpack image \"{full}\": failed to resolve reference \"{full}\": {why}"
    )
}

fn catalogue_signal(image: &str) -> Option<&'static str> {
    (!image.is_empty()).then(|| catalogue::image(image).stop_signal)
}

/// The address of a machine; its Node's InternalIP says the same.
pub fn node_ip(id: u16) -> String {
    let n = u32::from(id) + 11;
    format!("192.168.{}.{}", 1 + n / 256, n % 256)
}
