//! One draw: a cluster, and what is done to it at which time.

use crate::workloads::{SERVERS, chance, pick, workload};
use podscope_api::request::Propagation;
use podscope_api::{Kind, PatchType, Request, Text, Value, value};
use podscope_cluster::faults::{self, Accepts};
use podscope_cluster::{ClusterConfig, NodeConfig};
use podscope_kernel::{Rng, SimTime};

/// What is done.
#[derive(Clone, Debug)]
pub enum Act {
    /// A person's request.
    Request(Request),
    /// A fault; its target is the one at this place (modulo) among those that there are then.
    Fault {
        kind: &'static str,
        name: Text,
        target: usize,
        params: Value,
    },
    /// A fault's end.
    Heal(Text),
    /// Deletes the Pod at this place (modulo).
    DeletePod(usize, Option<i64>),
}

impl Act {
    /// What it is, for counting.
    pub fn name(&self) -> String {
        match self {
            Act::Request(r) => r.kind.name().to_string(),
            Act::Fault { kind, .. } => (*kind).to_string(),
            Act::Heal(_) => "heal".into(),
            Act::DeletePod(..) => "delete-pod".into(),
        }
    }
}

/// A draw.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The cluster.
    pub config: ClusterConfig,
    /// What is done when, in order of time.
    pub acts: Vec<(SimTime, Act)>,
}

impl Plan {
    /// The plan for people.
    pub fn text(&self) -> String {
        let mut out = format!(
            "cluster seed {} with {} nodes, etcd {}\n",
            self.config.seed,
            self.config.nodes.len(),
            self.config.etcd_members
        );
        for (at, act) in &self.acts {
            let text = match act {
                Act::Request(r) => {
                    let body = match &r.body {
                        podscope_api::Body::Object(o) => podscope_api::json::to_string(o),
                        podscope_api::Body::Patch(_, p) => podscope_api::json::to_string(p),
                        podscope_api::Body::None => format!("{:?}", r.options.propagation),
                    };
                    format!("{} {} {body}", r.verb.name(), r.path())
                }
                other => format!("{other:?}"),
            };
            out.push_str(&format!("{:>9.3}s {text}\n", at.0 as f64 / 1e6));
        }
        out
    }
}

fn params(rng: &mut Rng, kind: &faults::Kind) -> Value {
    let mut all = Value::map();
    for param in kind.params {
        if chance(rng, 50) {
            continue;
        }
        #[allow(
            unreachable_patterns,
            reason = "further kinds of parameters stay at their default"
        )]
        match param.accepts {
            Accepts::Number(low, high) => {
                let most = high.min(low + 40);
                let n = rng.between(0, u64::try_from(most - low).unwrap_or(0));
                all.set(
                    param.name,
                    (low + i64::try_from(n).unwrap_or(0)).to_string(),
                );
            }
            Accepts::OneOf(words) => all.set(param.name, *pick(rng, words)),
            _ => {}
        }
    }
    all
}

fn config(rng: &mut Rng, seed: u64) -> ClusterConfig {
    let mut nodes = Vec::new();
    for i in 1..=1 + rng.below(5) {
        let zone = format!("zone-{}", 1 + rng.below(3));
        let mut node = NodeConfig::worker(format!("node-{i}"), zone);
        node.milli_cpu = *pick(rng, &[1_000, 2_000, 4_000]);
        node.max_pods = *pick(rng, &[4, 20, 110]);
        if chance(rng, 10) {
            node.taints
                .push(("dedicated".into(), "x".into(), "NoSchedule".into()));
        }
        nodes.push(node);
    }
    ClusterConfig {
        seed,
        nodes,
        etcd_members: *pick(rng, &[1, 3, 5]),
        ..ClusterConfig::default()
    }
}

/// A change to a workload that was made.
fn change(rng: &mut Rng, made: &Request) -> Option<Request> {
    let name = match &made.body {
        podscope_api::Body::Object(o) => o.name().to_string(),
        _ => return None,
    };
    let patch = |body: Value| {
        let (kind, merge) = (made.kind, PatchType::Strategic);
        Some(Request::patch(kind, "default", &*name, "", merge, body))
    };
    let scales = matches!(
        made.kind,
        Kind::Deployment | Kind::StatefulSet | Kind::ReplicaSet
    );
    match rng.below(10) {
        0..=3 if scales || made.kind == Kind::DaemonSet => {
            let image = *pick(rng, &SERVERS);
            patch(value!({"spec": {"template": {"spec": {"containers":
                [{"name": "c", "image": (image)}]}}}}))
        }
        4..=6 if scales => {
            let replicas = i64::try_from(rng.below(8)).unwrap_or(0);
            patch(value!({"spec": {"replicas": (replicas)}}))
        }
        7 if made.kind == Kind::Deployment => {
            let paused = chance(rng, 30);
            patch(value!({"spec": {"paused": (paused)}}))
        }
        8 => {
            let mut delete = Request::delete(made.kind, "default", name);
            delete.options.propagation = Some(*pick(
                rng,
                &[
                    Propagation::Background,
                    Propagation::Foreground,
                    Propagation::Orphan,
                ],
            ));
            Some(delete)
        }
        _ => None,
    }
}

/// The draw of a seed.
pub fn draw(seed: u64) -> Plan {
    let mut rng = Rng::new(podscope_kernel::state_hash(&("swarm", seed)));
    let rng = &mut rng;
    let config = config(rng, seed);
    let mut acts: Vec<(SimTime, Act)> = Vec::new();
    let at = |rng: &mut Rng, from: u64, to: u64| SimTime(rng.between(from, to));
    for i in 0..1 + rng.below(4) {
        let start = at(rng, 1_000, 40_000_000);
        let made = workload(rng, &format!("w{i}"));
        for _ in 0..rng.below(4) {
            let when = at(rng, start.0 + 100_000, 200_000_000);
            if let Some(change) = change(rng, &made[0]) {
                acts.push((when, Act::Request(change)));
            }
        }
        acts.extend(made.into_iter().map(|r| (start, Act::Request(r))));
    }
    for i in 0..rng.below(5) {
        let kind = pick(rng, faults::KINDS);
        let name: Text = format!("fault-{i}").into();
        let when = at(rng, 1_000, 150_000_000);
        let fault = Act::Fault {
            kind: kind.name,
            name: name.clone(),
            target: usize::try_from(rng.below(1_000)).unwrap_or(0),
            params: params(rng, kind),
        };
        acts.push((when, fault));
        if chance(rng, 70) {
            let most = *pick(rng, &[2_000_000, 60_000_000, 450_000_000]);
            let end = at(rng, when.0 + 100_000, when.0 + most);
            acts.push((end, Act::Heal(name)));
        }
    }
    for _ in 0..rng.below(3) {
        let place = usize::try_from(rng.below(1_000)).unwrap_or(0);
        let grace = chance(rng, 20).then_some(0);
        acts.push((
            at(rng, 10_000_000, 200_000_000),
            Act::DeletePod(place, grace),
        ));
    }
    // A class for the claims of StatefulSets.
    let class = value!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
        "metadata": {"name": "standard"}, "provisioner": "ebs.csi.aws.com",
        "volumeBindingMode": "Immediate"});
    let class = Request::create(Kind::StorageClass, podscope_api::Object(class));
    acts.push((SimTime(500), Act::Request(class)));
    if chance(rng, 20) {
        // Cordoned for a while.
        let node = pick(rng, &config.nodes).name.clone();
        let cordon = |on: Value| {
            let body = value!({"spec": {"unschedulable": (on)}});
            let patch = PatchType::Strategic;
            Act::Request(Request::patch(
                Kind::Node,
                "",
                node.clone(),
                "",
                patch,
                body,
            ))
        };
        let start = at(rng, 1_000_000, 100_000_000);
        let end = at(rng, start.0 + 1_000, 220_000_000);
        acts.push((start, cordon(Value::Bool(true))));
        acts.push((end, cordon(Value::Null)));
    }
    acts.sort_by_key(|(at, _)| *at);
    Plan { config, acts }
}
