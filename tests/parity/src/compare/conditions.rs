//! What objects' conditions and phases went through, and when.
//!
//! Objects with random names are compared as a set of their histories. A history is the list of
//! (status, reason, message) of one condition, from the object's creation; of objects that were there
//! before, only what changed counts. A kubelet may merge its first two reports of a Pod, so a leading
//! `False` of `PodReadyToStartContainers` does not count.

use super::{Check, Pair, seconds};
use crate::normal::Names;
use crate::run::{Run, What};
use std::collections::{BTreeMap, BTreeSet};

/// What one condition of one object went through, with the times.
type History = Vec<(String, i64)>;

/// Kinds whose conditions are compared.
const KINDS: [&str; 9] = [
    "deployments",
    "replicasets",
    "daemonsets",
    "statefulsets",
    "jobs",
    "cronjobs",
    "pods",
    "nodes",
    "poddisruptionbudgets",
];

pub fn compare(pair: &Pair) -> Vec<Check> {
    let theirs = histories(pair.recorded, &pair.theirs);
    let ours = histories(pair.played, &pair.ours);
    let mut checks = Vec::new();
    let none = Vec::new();
    for (name, recorded) in &theirs {
        let played = ours.get(name).unwrap_or(&none);
        let (a, b) = (words(recorded), words(played));
        if a != b {
            let told = differ(&a, &b);
            checks.push(Check::new(format!("conditions {name}"), Some(told)));
            continue;
        }
        checks.push(Check::new(format!("conditions {name}"), None));
        checks.push(Check::new(
            format!("times {name}"),
            late(pair, recorded, played),
        ));
    }
    for (name, played) in ours.iter().filter(|(name, _)| !theirs.contains_key(*name)) {
        let told = differ(&[], &words(played));
        checks.push(Check::new(format!("conditions {name}"), Some(told)));
    }
    checks
}

fn words(histories: &[History]) -> Vec<Vec<&str>> {
    let mut all: Vec<Vec<&str>> = histories
        .iter()
        .map(|history| history.iter().map(|(words, _)| words.as_str()).collect())
        .collect();
    all.sort();
    all
}

fn differ(recorded: &[Vec<&str>], played: &[Vec<&str>]) -> String {
    let show = |side: &[Vec<&str>], other: &[Vec<&str>], sign: char| -> Vec<String> {
        let mut other = other.to_vec();
        let mut lines = Vec::new();
        for history in side {
            match other.iter().position(|o| o == history) {
                Some(at) => {
                    other.remove(at);
                }
                None => lines.push(format!("{sign} {}", super::cut(&history.join(" → ")))),
            }
        }
        lines.truncate(3);
        lines
    };
    let mut told = show(recorded, played, '-');
    told.extend(show(played, recorded, '+'));
    told.join("\n")
}

/// The largest difference in time between histories with equal words. Which of several such histories is which
/// cannot be told, so their moments are compared in order, change by change.
fn late(pair: &Pair, recorded: &[History], played: &[History]) -> Option<String> {
    let (theirs, ours) = (moments(recorded), moments(played));
    let mut worst: Option<(i64, i64)> = None;
    for (change, times) in &theirs {
        let others = ours.get(change).into_iter().flatten();
        for (a, b) in times.iter().zip(others) {
            let beyond = worst.is_none_or(|(x, y)| (a - b).abs() > (x - y).abs());
            if !pair.close(*a, *b) && beyond {
                worst = Some((*a, *b));
            }
        }
    }
    worst.map(|(a, b)| format!("at {} s, recorded {} s", seconds(b), seconds(a)))
}

/// For each change of histories with the same words, when it happened in each of them, in order.
fn moments(histories: &[History]) -> BTreeMap<(Vec<&str>, usize), Vec<i64>> {
    let mut moments: BTreeMap<(Vec<&str>, usize), Vec<i64>> = BTreeMap::new();
    for history in histories {
        let words: Vec<&str> = history.iter().map(|(words, _)| words.as_str()).collect();
        for (i, (_, at)) in history.iter().enumerate() {
            moments.entry((words.clone(), i)).or_default().push(*at);
        }
    }
    moments.values_mut().for_each(|times| times.sort_unstable());
    moments
}

fn histories(run: &Run, names: &Names) -> BTreeMap<String, Vec<History>> {
    let mut by_object: BTreeMap<(String, String), History> = BTreeMap::new();
    for change in run.changes.iter().filter(|c| KINDS.contains(&&*c.resource)) {
        let object = &change.object;
        let name = format!("{}/{}", change.resource, names.base(object.name()));
        let mut note = |condition: &str, words: String| {
            let key = (format!("{name} {condition}"), object.uid().to_owned());
            let history = by_object.entry(key).or_default();
            if history.last().is_none_or(|(last, _)| *last != words) {
                history.push((words, change.moment));
            }
        };
        if change.what == What::Deleted {
            note("phase", "deleted".to_owned());
            continue;
        }
        let phase = object.status().get("phase").str_or_empty();
        if change.resource == "pods" {
            let going = if object.is_being_deleted() {
                ", going"
            } else {
                ""
            };
            note("phase", format!("{phase}{going}"));
        }
        for condition in object.status().get("conditions").items() {
            let of = |field: &str| condition.get(field).str_or_empty();
            let words = format!("{} {} {}", of("status"), of("reason"), of("message"));
            note(of("type"), names.text(words.trim()).trim().to_owned());
        }
    }
    let added = run.changes.iter().filter(|c| c.what == What::Added);
    let added: BTreeSet<&str> = added.map(|c| c.object.uid()).collect();
    let mut by_name: BTreeMap<String, Vec<History>> = BTreeMap::new();
    for ((name, uid), mut history) in by_object {
        let merged = name.ends_with(" PodReadyToStartContainers") && history[0].0 == "False";
        // A healthy Node may have been reported within the run or only before it.
        let healthy = ["True KubeletReady", "False KubeletHas"];
        let healthy = healthy.iter().any(|words| history[0].0.starts_with(words));
        let there_before = !added.contains(&*uid) && (healthy || !name.starts_with("nodes/"));
        if there_before || merged {
            history.remove(0);
        }
        if !history.is_empty() {
            by_name.entry(name).or_default().push(history);
        }
    }
    by_name
}
