//! The scheduler's decisions: every score of every Node, and the Node that was taken.
//!
//! A Pod's decisions are told apart by the name that its random one was made from, and their order.
//!
//! `ImageLocality` is left out: the recorded machines list an image under the short name in the manifest,
//! the simulated ones as containerd does, under the full one, which upstream's plugin does not find.

use super::{Check, Pair};
use crate::normal::Names;
use crate::run::{Decision, Run};
use std::collections::BTreeMap;

pub fn compare(pair: &Pair) -> Vec<Check> {
    let theirs = by_base(pair.recorded, &pair.theirs);
    let ours = by_base(pair.played, &pair.ours);
    let mut checks = Vec::new();
    let scored = pair.recorded.decisions.iter().any(|d| !d.scores.is_empty());
    for (base, recorded) in &theirs {
        let played = ours.get(base).map_or(&[][..], Vec::as_slice);
        for (i, theirs) in recorded.iter().enumerate() {
            let name = |what: &str| format!("{what} {base} #{}", i + 1);
            let Some(ours) = played.get(i) else {
                let told = format!("never; recorded {}", theirs.node);
                checks.push(Check::new(name("node"), Some(told)));
                continue;
            };
            let told = format!("{}, recorded {}", ours.node, theirs.node);
            let differs = ours.node != theirs.node;
            checks.push(Check::new(name("node"), differs.then_some(told)));
            if scored && (!theirs.scores.is_empty() || !ours.scores.is_empty()) {
                checks.push(Check::new(name("scores"), scores_differ(theirs, ours)));
            }
            if !theirs.scores.is_empty() && !theirs.best().contains(&theirs.node.as_str()) {
                let told = format!("{} is not among the best recorded", theirs.node);
                checks.push(Check::new(name("recorded"), Some(told)));
            }
        }
        if played.len() > recorded.len() {
            let told = format!("{}, recorded {}", played.len(), recorded.len());
            checks.push(Check::new(format!("decisions {base}"), Some(told)));
        }
    }
    for (base, played) in ours.iter().filter(|(base, _)| !theirs.contains_key(*base)) {
        let told = format!("{}, recorded none", played.len());
        checks.push(Check::new(format!("decisions {base}"), Some(told)));
    }
    checks
}

fn by_base<'a>(run: &'a Run, names: &Names) -> BTreeMap<String, Vec<&'a Decision>> {
    let mut by: BTreeMap<String, Vec<&Decision>> = BTreeMap::new();
    for decision in &run.decisions {
        let base = names.base(&decision.pod).to_owned();
        by.entry(base).or_default().push(decision);
    }
    by
}

/// Scores that differ; a plugin that is not mentioned gave nothing.
fn scores_differ(theirs: &Decision, ours: &Decision) -> Option<String> {
    let mut told = Vec::new();
    let nodes: std::collections::BTreeSet<&String> =
        theirs.scores.keys().chain(ours.scores.keys()).collect();
    for node in nodes {
        let empty = BTreeMap::new();
        let recorded = theirs.scores.get(node).unwrap_or(&empty);
        let played = ours.scores.get(node).unwrap_or(&empty);
        let plugins: std::collections::BTreeSet<&String> =
            recorded.keys().chain(played.keys()).collect();
        for plugin in plugins.into_iter().filter(|p| *p != "ImageLocality") {
            let of = |by: &BTreeMap<String, i64>| by.get(plugin).copied().unwrap_or(0);
            if of(recorded) != of(played) {
                told.push(format!(
                    "{node} {plugin} {}, recorded {}",
                    of(played),
                    of(recorded)
                ));
            }
        }
    }
    (!told.is_empty()).then(|| told.join("; "))
}
