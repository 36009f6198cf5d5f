//! The cluster that a recording was made on, and what was done to its machines and processes.

use crate::recording::Recording;
use crate::run::What;
use podscope_api::{Object, Value};
use podscope_cluster::{ClusterConfig, NodeConfig};
use podscope_session::{Command, Invocation};
use std::collections::BTreeSet;

/// How long the simulated cluster is at rest before the recording starts, in microseconds.
pub const LEAD: i64 = 60_000_000;

/// The machines of every recording: 4 CPUs, 8 GiB, 110 Pods, a zone each.
const NODES: [&str; 3] = ["node-1", "node-2", "node-3"];

/// Recordings in which a machine joins later: it is there from the start, switched off and forgotten.
const JOINS: [(&str, &str); 1] = [("05-unschedulable", "node-4")];

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
    ClusterConfig {
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
    if !recording.earlier.is_empty() {
        present.insert("nginx:1.25".to_owned());
    }
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
    if !recording.earlier.is_empty() {
        let mut argv = vec!["apply".to_owned()];
        for (name, _) in &recording.earlier {
            argv.extend(["-f".to_owned(), name.clone()]);
        }
        let files = recording.earlier.clone();
        let apply = Invocation {
            argv,
            files,
            ..Invocation::default()
        };
        acts.push((LEAD - 5_000_000, Command::Kubectl(std::rc::Rc::new(apply))));
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
pub fn inject(kind: &str, target: &str) -> Command {
    inject_with(kind, target, &[])
}

fn inject_with(kind: &str, target: &str, params: &[(&str, &str)]) -> Command {
    let target_param = (!target.is_empty()).then_some(("target", target));
    let params = params.iter().copied().chain(target_param);
    Command::Inject {
        kind: kind.into(),
        name: format!("{kind} {target}").into(),
        params: Value::from_pairs(params.map(|(name, value)| (name, Value::str(value)))),
    }
}

pub fn heal(kind: &str, target: &str) -> Command {
    Command::Heal {
        name: format!("{kind} {target}").into(),
    }
}

/// Statuses that the recorder wrote of Nodes without a machine, with the times.
pub fn statuses(recording: &Recording) -> Vec<(i64, Command)> {
    let nodes = recording
        .run
        .changes
        .iter()
        .filter(|c| c.resource == "nodes");
    let machine = |name: &str| NODES.contains(&name) || joins(&recording.name).any(|n| n == name);
    let mut last: Option<&Value> = None;
    let mut acts = Vec::new();
    for change in nodes.filter(|c| c.what != What::Deleted && !machine(c.object.name())) {
        let status = change.object.status();
        if !status.is_empty() && last != Some(status) {
            last = Some(status);
            let body = Value::from_pairs([("status", status.clone())]);
            let body = podscope_api::json::to_string(&body);
            let argv = ["patch", "node", change.object.name()];
            let argv = [
                &argv[..],
                &["--subresource=status", "--type=merge", "-p", &body],
            ]
            .concat();
            acts.push((change.at, kubectl(&argv)));
        }
    }
    acts
}

/// What is done to a new Pod whose manifest tells the recorded machines' containers to misbehave: they take
/// `FAKE_STOP_SECONDS` to stop, end `FAKE_EXIT_AFTER` seconds after their start with `FAKE_EXIT_CODE`, are
/// ready when `FAKE_READY_FILE` exists.
pub fn behaviour(pod: &Object, ready: bool) -> Vec<Command> {
    let mut acts = Vec::new();
    let target = format!("{}/{}", pod.namespace(), pod.name());
    let containers = pod.spec().get("containers").items();
    let env = |name: &str| {
        let all = containers.iter().flat_map(|c| c.get("env").items());
        let mut named = all.filter(|e| e.get("name").as_str() == Some(name));
        named
            .next()
            .map(|e| e.get("value").str_or_empty().to_owned())
    };
    if let Some(seconds) = env("FAKE_STOP_SECONDS") {
        acts.push(inject_with("slow-stop", &target, &[("seconds", &seconds)]));
    }
    if let Some(seconds) = env("FAKE_EXIT_AFTER") {
        let code = env("FAKE_EXIT_CODE").unwrap_or_else(|| "0".to_owned());
        let params = [
            ("after_s", &*seconds),
            ("exit_code", &code),
            ("times", "always"),
        ];
        acts.push(inject_with("container-crash", &target, &params));
    }
    if env("FAKE_READY_FILE").is_some() && !ready {
        acts.push(inject("readiness-failure", &target));
    }
    acts
}

/// Ends what [`behaviour`] did.
pub fn forget(pod: &Object) -> Vec<Command> {
    let target = format!("{}/{}", pod.namespace(), pod.name());
    let kinds = ["slow-stop", "container-crash", "readiness-failure"];
    kinds.iter().map(|kind| heal(kind, &target)).collect()
}

/// The Node that a note names; empty when it names none.
fn node_named(words: &str) -> &str {
    words
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .find(|word| word.starts_with("node-"))
        .unwrap_or("")
}

/// The Node whose kubelet a note says was stopped or killed.
pub fn stopped_kubelet(words: &str) -> Option<&str> {
    let stops = words.contains("SIGSTOP") || words.starts_with("kill kubelet");
    let node = node_named(words);
    (stops && !node.is_empty()).then_some(node)
}

/// What a note of the script says was done to machines and processes; `Err` says what cannot be done here.
pub fn note(recording: &Recording, words: &str, state: &mut Downs) -> Result<Vec<Command>, String> {
    let node = node_named(words);
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
    if let Some(node) = stopped_kubelet(words) {
        // A stopped process goes on where it was, a crashed one starts anew; what others see of its
        // silence is the same.
        state.kubelet = Some(node.to_owned());
        return Ok(vec![inject("kubelet-crash", node)]);
    }
    if words.starts_with("SIGCONT") || words.starts_with("the kubelet returns") {
        let back = state.kubelet.take();
        let back = back.map(|node| heal("kubelet-crash", &node));
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
    if words.contains("probe succeeds") || words.contains("probe starts to succeed") {
        return Ok(state.make_ready(true));
    }
    if words.starts_with("probe fails again") {
        return Ok(state.make_ready(false));
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
    /// Whether the file that makes Pods ready exists.
    pub ready: bool,
    /// Pods that look for this file, as `namespace/name`.
    pub probed: Vec<String>,
}

impl Downs {
    fn make_ready(&mut self, ready: bool) -> Vec<Command> {
        self.ready = ready;
        let act = if ready { heal } else { inject };
        let pods = self.probed.iter();
        pods.map(|pod| act("readiness-failure", pod)).collect()
    }
}
