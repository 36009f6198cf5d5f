//! What a cluster is made of at the start.

use crate::scheduler::profile::Strategy;
use podscope_api::Text;
use podscope_kernel::SimDuration;

/// A machine that will run a kubelet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NodeConfig {
    /// The Node's name.
    pub name: Text,
    /// `topology.kubernetes.io/zone`; empty for none.
    pub zone: Text,
    /// CPU capacity in thousandths of a core.
    pub milli_cpu: i64,
    /// Memory capacity in bytes.
    pub memory_bytes: i64,
    /// How many Pods fit.
    pub max_pods: i64,
    /// Further labels.
    pub labels: Vec<(Text, Text)>,
    /// Taints as (key, value, effect).
    pub taints: Vec<(Text, Text, Text)>,
    /// Extended resources as (name, count).
    pub extended: Vec<(Text, i64)>,
    /// Names of images already on the machine.
    pub images: Vec<Text>,
}

impl NodeConfig {
    /// A worker with 4 CPUs, 8 GiB and room for 110 Pods.
    pub fn worker(name: impl Into<Text>, zone: impl Into<Text>) -> NodeConfig {
        NodeConfig {
            name: name.into(),
            zone: zone.into(),
            milli_cpu: 4_000,
            memory_bytes: 8 << 30,
            max_pods: 110,
            labels: Vec::new(),
            taints: Vec::new(),
            extended: Vec::new(),
            images: Vec::new(),
        }
    }
}

/// The cluster at the start.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClusterConfig {
    /// Seed of every random stream.
    pub seed: u64,
    /// Wall-clock time at simulated time zero, in microseconds since 1970.
    pub epoch_micros: i64,
    /// The machines.
    pub nodes: Vec<NodeConfig>,
    /// How many etcd members there are (1, 3 or 5).
    pub etcd_members: u8,
    /// Whether the sidecar-injecting webhook is registered.
    pub sidecar_webhook: bool,
    /// Whether the policy that demands CPU limits is bound.
    pub cpu_limit_policy: bool,
    /// Profiles of the scheduler: names (Pods ask for one with `schedulerName`) with how each rates full Nodes.
    /// `default-scheduler` is there in any case.
    pub schedulers: Vec<(Text, Strategy)>,
}

impl Default for ClusterConfig {
    /// Three workers in two zones, three etcd members, 2026-11-20T10:00:00Z.
    fn default() -> Self {
        ClusterConfig {
            seed: 1,
            epoch_micros: 1_795_168_800_000_000,
            nodes: vec![
                NodeConfig::worker("node-1", "zone-1"),
                NodeConfig::worker("node-2", "zone-1"),
                NodeConfig::worker("node-3", "zone-2"),
            ],
            etcd_members: 3,
            sidecar_webhook: false,
            cpu_limit_policy: false,
            schedulers: Vec::new(),
        }
    }
}

/// Modelled delays, in the order of magnitude of the recordings; jitter is drawn from named streams.
pub mod delay {
    use super::SimDuration;

    /// One way between the control plane's processes, low and high.
    pub const CONTROL_PLANE: (u64, u64) = (120, 320);
    /// One way between a machine and the API server, low and high.
    pub const NODE_LINK: (u64, u64) = (250, 600);
    /// Reading, authenticating and authorizing a request.
    pub const FRONT: (u64, u64) = (180, 360);
    /// Decoding, defaulting, admission, validation of a write.
    pub const PIPELINE: (u64, u64) = (500, 1_100);
    /// An etcd member's write-ahead log reaching the disk.
    pub const FSYNC: (u64, u64) = (700, 1_600);
    /// From commit to the watch event's departure.
    pub const WATCH_DISPATCH: (u64, u64) = (60, 240);
    /// From a work item being queued to a worker taking it.
    pub const WORKER: (u64, u64) = (80, 300);
    /// How long a client waits for an answer before it gives up.
    pub const CLIENT_TIMEOUT: SimDuration = SimDuration::secs(10);
}
