//! The cluster that a recording was made on, and what was done to its machines and processes.

use crate::recording::Recording;
use crate::run::What;
use podscope_api::Value;
use podscope_cluster::{ClusterConfig, NodeConfig};
use podscope_session::{Command, Invocation};
use std::collections::BTreeSet;

/// How long the simulated cluster is at rest before the recording starts, in microseconds.
pub const LEAD: i64 = 60_000_000;

/// The machines of every recording: 4 CPUs, 8 GiB, 110 Pods, a zone each.
const NODES: [&str; 3] = ["node-1", "node-2", "node-3"];

/// Recordings in which a machine joins later: it is there from the start, switched off and forgotten.
const JOINS: [(&str, &str); 1] = [("05-unschedulable", "node-4")];

/// The seed with which the few random choices that matter fall as recorded (preemption among equals).
const SEEDS: [(&str, u64); 1] = [("09-preemption", 1)];

/// The cluster at the start.
pub fn config(recording: &Recording) -> ClusterConfig {
    let name = recording.name.as_str();
    let images = images_present(recording);
    let late: Vec<&str> = joins(name).collect();
    let nodes = NODES.into_iter().chain(late.iter().copied()).map(|node| {
        let zone = node.replace("node-", "zone-");
        let mut config = NodeConfig::worker(node, zone);
        let fresh = late.contains(&node);
        let images = images.iter().filter(|_| !fresh);
        config.images = images.map(|image| image.as_str().into()).collect();
        config
    });
    let seed = SEEDS.iter().find(|(of, _)| *of == name);
    ClusterConfig {
        seed: seed.map_or(1, |(_, seed)| *seed),
        epoch_micros: recording.epoch - LEAD,
        nodes: nodes.collect(),
        etcd_members: if name.starts_with("16f") { 3 } else { 1 },
        ..ClusterConfig::default()
    }
}

fn joins(recording: &str) -> impl Iterator<Item = &'static str> {
    let here = JOINS.iter().filter(move |(of, _)| *of == recording);
    here.map(|(_, node)| *node)
}

/// Images that were on the machines: those found present before anybody had pulled them.
fn images_present(recording: &Recording) -> BTreeSet<String> {
    let mut pulled = BTreeSet::new();
    let mut present = BTreeSet::new();
    for change in recording
        .run
        .changes
        .iter()
        .filter(|c| c.resource == "events")
    {
        let message = change.object.0.get("message").str_or_empty();
        let image = message.split('"').nth(1).unwrap_or("").to_owned();
        if message.starts_with("Pulling image") {
            pulled.insert(image);
        } else if message.contains("already present on machine") && !pulled.contains(&image) {
            present.insert(image);
        }
    }
    present
}

/// What is done to bring the cluster into the recorded state, with the time (microseconds before the start).
pub fn before(recording: &Recording) -> Vec<(i64, Command)> {
    let mut acts = Vec::new();
    for node in joins(&recording.name) {
        acts.push((LEAD - 2_000_000, inject("kubelet-crash", node)));
        acts.push((LEAD - 3_000_000, kubectl(&["delete", "node", node])));
    }
    acts.push((5_000_000, kubectl(&["delete", "events", "--all"])));
    acts
}

/// A kubectl command.
fn kubectl(argv: &[&str]) -> Command {
    let argv = argv.iter().map(|word| (*word).to_owned()).collect();
    Command::Kubectl(std::rc::Rc::new(Invocation {
        argv,
        ..Invocation::default()
    }))
}

/// A fault, named by its kind and target.
fn inject(kind: &str, target: &str) -> Command {
    Command::Inject {
        kind: kind.into(),
        name: format!("{kind} {target}").into(),
        params: Value::from_pairs([("target", Value::str(target))]),
    }
}

fn heal(kind: &str, target: &str) -> Command {
    Command::Heal {
        name: format!("{kind} {target}").into(),
    }
}

/// What a note of the script says was done to machines and processes; `Err` says what cannot be done here.
pub fn note(recording: &Recording, words: &str, state: &mut Downs) -> Result<Vec<Command>, String> {
    let node = words
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .find(|word| word.starts_with("node-"))
        .unwrap_or("");
    if words.starts_with("recovery: add node") {
        let object = recording.run.changes.iter().find(|change| {
            change.resource == "nodes" && change.what == What::Added && change.object.name() == node
        });
        let object = object.ok_or("the Node was not recorded")?;
        let mut manifest = object.object.0.clone();
        for field in [
            "managedFields",
            "uid",
            "resourceVersion",
            "creationTimestamp",
        ] {
            manifest.remove(&format!("metadata.{field}"));
        }
        let create = Invocation {
            argv: ["create", "-f", "-"].map(str::to_owned).to_vec(),
            files: Vec::new(),
            stdin: podscope_api::json::to_string(&manifest),
        };
        let create = Command::Kubectl(std::rc::Rc::new(create));
        return Ok(vec![create, heal("kubelet-crash", node)]);
    }
    let stops = words.contains("SIGSTOP") || words.starts_with("kill kubelet");
    if stops && !node.is_empty() {
        state.kubelet = Some(node.to_owned());
        return Ok(vec![inject("kubelet-crash", node)]);
    }
    if words.contains("SIGCONT") || words.starts_with("the kubelet returns") {
        let back = state
            .kubelet
            .take()
            .map(|node| heal("kubelet-crash", &node));
        return back
            .map(|back| vec![back])
            .ok_or("nothing was stopped".into());
    }
    for (process, kind) in [
        ("kube-apiserver", "apiserver-down"),
        ("kube-scheduler", "scheduler-down"),
        ("kube-controller-manager", "controller-manager-down"),
    ] {
        if words.starts_with("SIGTERM to") && words.contains(process)
            || words.starts_with("SIGKILL to") && words.contains(process)
        {
            return Ok(vec![inject(kind, "")]);
        }
        if words.starts_with(process) && words.contains("started") {
            return Ok(vec![heal(kind, "")]);
        }
    }
    if words.contains("SIGSTOP") || words.contains("SIGKILL") || words.contains("SIGNAL") {
        return Err(words.to_owned());
    }
    Ok(Vec::new())
}

/// What is down at a moment of a script.
#[derive(Default)]
pub struct Downs {
    kubelet: Option<String>,
}
