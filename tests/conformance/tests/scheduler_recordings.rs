//! Recorded decisions of the real kube-scheduler, taken again: the recorded watch fills the scheduler's cache, and
//! each Pod's verdicts and scores are compared with those that were logged (`SCORES.tsv`).
//!
//! Only a Pod's first attempt is compared: what the cluster looked like at later ones is not recorded exactly.

use podscope_api::{Object, Text, Value, json};
use podscope_cluster::scheduler::cache::Cache;
use podscope_cluster::scheduler::framework::schedule;
use podscope_cluster::scheduler::plugins::Cycle;
use podscope_cluster::scheduler::plugins::default_preemption::{post_filter, post_filter_message};
use podscope_cluster::scheduler::pod_info::PodInfo;
use podscope_cluster::scheduler::profile::Profile;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

/// One logged decision.
struct Decision {
    pod: String,
    /// By node: by plugin: normalized score times weight.
    scores: BTreeMap<String, BTreeMap<String, i64>>,
    /// The Node, or the message of a Pod that fitted nowhere.
    outcome: Result<String, String>,
}

fn golden() -> Option<PathBuf> {
    let shared = std::env::var_os("PODSCOPE_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    Some(shared.join("golden")).filter(|folder| folder.is_dir())
}

/// The recorded watch events in order; `None` when they cannot be unpacked here.
fn watch(folder: &Path) -> Option<Vec<Value>> {
    let plain = folder.join("watch.jsonl");
    let text = match std::fs::read_to_string(&plain) {
        Ok(text) => text,
        Err(_) => {
            let packed = folder.join("watch.jsonl.gz");
            let out = Command::new("gzip").arg("-dc").arg(packed).output().ok()?;
            String::from_utf8(out.stdout).ok()?
        }
    };
    Some(text.lines().filter_map(|l| json::parse(l).ok()).collect())
}

fn decisions(folder: &Path) -> Vec<Decision> {
    let text = std::fs::read_to_string(folder.join("SCORES.tsv")).unwrap_or_default();
    let mut open: BTreeMap<String, BTreeMap<String, BTreeMap<String, i64>>> = BTreeMap::new();
    let mut made = Vec::new();
    for line in text.lines().filter(|l| !l.starts_with('#')).skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let [pod, node, plugin, score] = cells[..] else {
            continue;
        };
        let outcome = match plugin {
            "BOUND" => Ok(node.to_string()),
            "UNSCHEDULABLE" => Err(score.to_string()),
            _ => {
                let scores = open.entry(pod.to_string()).or_default();
                let score = score.parse().expect("a logged score is a number");
                let node = scores.entry(node.to_string()).or_default();
                node.insert(plugin.to_string(), score);
                continue;
            }
        };
        let scores = open.remove(pod).unwrap_or_default();
        made.push(Decision {
            pod: pod.to_string(),
            scores,
            outcome,
        });
    }
    made
}

/// The recorded cluster's Nodes: three hollow ones.
fn nodes(golden: &Path) -> Vec<Object> {
    let file = golden.join("14-scheduler-scoring/kubectl/002-nodes-yaml.stdout");
    let text = std::fs::read_to_string(file).expect("the nodes are recorded");
    let document = podscope_manifest::parse::first(&text).expect("the nodes can be read");
    let list = document.expect("there is a document").object;
    list.get("items")
        .items()
        .iter()
        .cloned()
        .map(Object)
        .collect()
}

fn is_alive(pod: &Object) -> bool {
    !PodInfo::is_finished(pod)
}

fn node_of(pod: &Object) -> Text {
    pod.spec().get("nodeName").str_or_empty().into()
}

/// The cluster as far as it was recorded.
struct World {
    cache: Cache,
    pods: BTreeMap<String, Object>,
    /// Placed by a decision that the watch has not told of yet.
    assumed: BTreeMap<String, Text>,
}

impl World {
    fn put(&mut self, pod: &Object, node: &Text) {
        if !node.is_empty() && is_alive(pod) {
            self.cache.update_pod(Rc::new(PodInfo::new(pod)), node);
        }
    }
    fn take(&mut self, name: &str) {
        let Some(pod) = self.pods.remove(name) else {
            return;
        };
        let node = match self.assumed.remove(name) {
            Some(node) => node,
            None => node_of(&pod),
        };
        self.cache.remove_pod(&PodInfo::new(&pod), &node);
    }
    fn apply(&mut self, event: &Value) {
        let object = Object(event.get("object").clone());
        let gone = event.get("type").as_str() == Some("DELETED");
        if event.get("resource").as_str() != Some("pods") {
            if let Some(kind) = object.kind() {
                let now = (!gone).then_some(&object);
                self.cache.apply(kind, &object.key(), now);
            }
            return;
        }
        let name = object.key().to_string();
        let assumed = self.assumed.get(&name).cloned();
        self.take(&name);
        if gone {
            return;
        }
        let node = match (node_of(&object), assumed) {
            (node, Some(assumed)) if node.is_empty() => {
                self.assumed.insert(name.clone(), assumed.clone());
                assumed
            }
            (node, _) => node,
        };
        self.put(&object, &node);
        self.pods.insert(name, object);
    }
}

/// Replays one recording; gives how many decisions were compared.
fn replay(golden: &Path, folder: &str) -> usize {
    let folder = golden.join(folder);
    let Some(watch) = watch(&folder) else {
        eprintln!("skipped: {} cannot be unpacked (no gzip)", folder.display());
        return 0;
    };
    let mut world = World {
        cache: Cache::default(),
        pods: BTreeMap::new(),
        assumed: BTreeMap::new(),
    };
    for node in nodes(golden) {
        world.apply(
            &podscope_api::value!({"type": "ADDED", "resource": "nodes", "object": (node.0)}),
        );
    }
    let namespace = podscope_api::value!({
        "type": "ADDED", "resource": "namespaces", "object": {
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}
    });
    world.apply(&namespace);
    let (mut at, mut compared) = (0, 0);
    let mut tried: Vec<String> = Vec::new();
    for decision in decisions(&folder) {
        let created = watch.iter().position(|event| {
            event.get("type").as_str() == Some("ADDED")
                && event.get("resource").as_str() == Some("pods")
                && Object(event.get("object").clone()).key().to_string() == decision.pod
        });
        let Some(created) = created.filter(|_| !tried.contains(&decision.pod)) else {
            continue;
        };
        tried.push(decision.pod.clone());
        while at <= created {
            world.apply(&watch[at]);
            at += 1;
        }
        compared += compare(&world.cache, &watch[created], &decision);
        if let Ok(node) = &decision.outcome {
            let pod = Object(watch[created].get("object").clone());
            let known = world.pods.get(&decision.pod).cloned();
            if known.is_some_and(|pod| node_of(&pod).is_empty()) {
                let node: Text = node.as_str().into();
                world.put(&pod, &node);
                world.assumed.insert(decision.pod.clone(), node);
            }
        }
    }
    compared
}

/// Decides again; gives 1 when there was something to compare.
fn compare(cache: &Cache, created: &Value, logged: &Decision) -> usize {
    let pod = PodInfo::new(&Object(created.get("object").clone()));
    let profile = Profile::default();
    let (decision, plugins) = schedule(&pod, cache, &profile, 0);
    match &logged.outcome {
        Err(message) => {
            // The log's line ends at the first quotation mark in the message.
            let logged_text = message.trim_end_matches('\\');
            let cycle = Cycle {
                cache,
                profile: &profile,
                pod: &pod,
            };
            let out = match decision.pre_filter {
                Some(_) => Default::default(),
                None => post_filter(cycle, &plugins, &decision, 0),
            };
            let text = decision.fit_error(&post_filter_message(cycle, &decision, &out));
            let same = match message.ends_with('\\') {
                true => text.starts_with(logged_text),
                false => text == logged_text,
            };
            assert!(same, "{}: {text}\n  logged: {message}", logged.pod);
            1
        }
        Ok(node) if logged.scores.is_empty() => {
            let feasible: Vec<&str> = decision
                .feasible
                .iter()
                .map(|s| &*cache.node(*s).name)
                .collect();
            assert_eq!(feasible, [node.as_str()], "{}", logged.pod);
            1
        }
        Ok(node) => {
            let scores = decision.scores.expect("there is a choice");
            let mut own: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
            for (i, slot) in scores.nodes.iter().enumerate() {
                let row = own.entry(cache.node(*slot).name.to_string()).or_default();
                for by in &scores.by_plugin {
                    let weighted = by.normalized[i] * by.plugin.weight();
                    row.insert(by.plugin.name().to_string(), weighted);
                }
                // Not modelled as a score: it rates Pods with resource claims only.
                row.insert("DynamicResources".into(), 0);
                row.insert("TOTAL".into(), scores.totals[i]);
            }
            assert_eq!(own, logged.scores, "{}", logged.pod);
            let best = own.values().map(|row| row["TOTAL"]).max();
            assert_eq!(Some(own[node]["TOTAL"]), best, "{}: {node}", logged.pod);
            1
        }
    }
}

#[test]
fn recorded_decisions_come_out_the_same() {
    let Some(golden) = golden() else {
        eprintln!("skipped: no recordings (set PODSCOPE_SHARED)");
        return;
    };
    for (folder, wanted) in [
        ("05-unschedulable", 35),
        ("07-node-failure", 15),
        ("07b-node-short-outage-and-node-delete", 4),
        ("14-scheduler-scoring", 30),
        ("16f-etcd-three-members", 6),
        ("18-resource-pressure", 19),
    ] {
        let compared = replay(&golden, folder);
        assert!(compared == wanted || compared == 0, "{folder}: {compared}");
        println!("{folder}: {compared} decisions");
    }
}
