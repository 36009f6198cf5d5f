//! Invariants of every object: names, uids, revisions, deletion, generations, owners, caches.

use super::{Commit, Finding};
use crate::client::informer::Informer;
use crate::component::Process;
use crate::world::Cluster;
use podscope_api::{Kind, Object, Timestamp, Value};
use podscope_kernel::collections::BTreeSet;

fn finding(
    commit: &Commit<'_>,
    expected: impl std::fmt::Display,
    found: impl std::fmt::Display,
) -> Option<Finding> {
    Some(Finding::new(
        commit.kind,
        commit.key,
        expected.to_string(),
        found.to_string(),
    ))
}

/// An object is stored under its own kind, namespace and name, so no two have one name.
pub(super) fn one_object_per_name(commit: &Commit<'_>) -> Option<Finding> {
    let own = commit.new?.key();
    if own == *commit.key {
        return None;
    }
    finding(commit, commit.key, own)
}

/// A uid belongs to one object for ever: it neither changes nor is given again.
pub(super) fn uids_are_given_once(commit: &Commit<'_>) -> Option<Finding> {
    let new = commit.new?;
    match commit.old {
        Some(old) if old.uid() == new.uid() => None,
        Some(old) => finding(commit, old.uid(), new.uid()),
        None => {
            let (kind, key) = commit.history.first_holder(new.uid())?;
            finding(commit, "?", format!("{} {key}", kind.name()))
        }
    }
}

/// Each change of the store has a revision above all before, and the object carries it.
pub(super) fn revisions_grow(commit: &Commit<'_>) -> Option<Finding> {
    if commit.revision <= commit.history.revision {
        return finding(
            commit,
            format!("> {}", commit.history.revision),
            commit.revision,
        );
    }
    let own = commit.new?.resource_version();
    if own == commit.revision {
        return None;
    }
    finding(commit, commit.revision, own)
}

/// A deletion once begun is not taken back, and its time does not move away: earlier, or to now when it has passed.
///
/// Models: staging/src/k8s.io/apiserver/pkg/registry/rest/delete.go (v1.36)
pub(super) fn deletion_is_final(commit: &Commit<'_>) -> Option<Finding> {
    let (old, new) = (commit.old?, commit.new?);
    let was = old.deleted()?;
    let now = commit.cluster.wall_at(commit.at);
    match new.deleted() {
        Some(is) if is <= was.max(now) => None,
        Some(is) => finding(commit, was.seconds_text(), is.seconds_text()),
        None => finding(commit, was.seconds_text(), "-"),
    }
}

/// An object leaves the store only when nobody's finalizer holds it any more.
///
/// The last finalizer may go with the object; two or more at once may not.
pub(super) fn finalizers_hold(commit: &Commit<'_>) -> Option<Finding> {
    if commit.new.is_some() {
        return None;
    }
    let held = commit.old?.at("metadata.finalizers").items();
    if held.len() < 2 {
        return None;
    }
    finding(
        commit,
        "-",
        held.iter()
            .map(Value::str_or_empty)
            .collect::<Vec<_>>()
            .join(","),
    )
}

/// `metadata.generation` never falls, and stays when the spec stays.
pub(super) fn generation_grows(commit: &Commit<'_>) -> Option<Finding> {
    let (was, is) = (commit.old?.generation(), commit.new?.generation());
    if is >= was {
        return None;
    }
    finding(commit, was, is)
}

/// `status.observedGeneration` never falls and never runs ahead of the generation.
pub(super) fn observed_generation_grows(commit: &Commit<'_>) -> Option<Finding> {
    let new = commit.new?;
    let observed = |o: &Object| o.at("status.observedGeneration").as_int();
    let is = observed(new)?;
    if commit.kind != Kind::PodDisruptionBudget && is > new.generation() {
        return finding(commit, new.generation(), is);
    }
    let was = commit.old.and_then(|o| observed(o))?;
    if is >= was {
        return None;
    }
    finding(commit, was, is)
}

/// At most one owner is the managing controller.
pub(super) fn one_controller(commit: &Commit<'_>) -> Option<Finding> {
    let controllers = commit.new?.owners().filter(|o| o.controller).count();
    if controllers < 2 {
        return None;
    }
    finding(commit, 1, controllers)
}

/// Each type of condition stands at most once in a status.
pub(super) fn conditions_are_unique(commit: &Commit<'_>) -> Option<Finding> {
    let mut seen = BTreeSet::new();
    for condition in commit.new?.at("status.conditions").items() {
        let name = condition.get("type").str_or_empty();
        if !seen.insert(name) {
            return finding(commit, 1, name);
        }
    }
    None
}

/// A Lease passes to another holder only when it was given up or has run out.
///
/// Models: staging/src/k8s.io/client-go/tools/leaderelection (v1.36)
pub(super) fn lease_has_one_holder(commit: &Commit<'_>) -> Option<Finding> {
    if commit.kind != Kind::Lease {
        return None;
    }
    let (old, new) = (commit.old?, commit.new?);
    let holder = |o: &Object| o.at("spec.holderIdentity").str_or_empty().to_string();
    let (was, is) = (holder(old), holder(new));
    if was.is_empty() || is.is_empty() || was == is {
        return None;
    }
    let renewed = Timestamp::parse(old.at("spec.renewTime").str_or_empty())?;
    let seconds = old.at("spec.leaseDurationSeconds").as_int().unwrap_or(0);
    let now = commit.cluster.wall_at(commit.at);
    if now.0 - renewed.0 >= seconds * 1_000_000 {
        return None;
    }
    finding(commit, was, is)
}

/// Every owner that an object names is there with this uid, or the object is being deleted.
pub(super) fn owners_resolve(cluster: &Cluster, out: &mut Vec<Finding>) {
    let uids: BTreeSet<&str> = cluster
        .etcd
        .objects()
        .values()
        .map(|s| s.object.uid())
        .collect();
    for ((kind, key), stored) in cluster.etcd.objects() {
        if stored.object.is_being_deleted() {
            continue;
        }
        for owner in stored.object.owners() {
            // Kinds that are not served (custom resources) cannot be looked up.
            let served = Kind::from_api(owner.api_version, owner.kind).is_some();
            if served && !uids.contains(owner.uid) {
                let name = format!("{} {}", owner.kind, owner.name);
                out.push(Finding::new(*kind, key, name, "-"));
            }
        }
    }
}

/// Every informer cache of a process that runs holds what the store holds.
pub(super) fn caches_equal_the_store(cluster: &Cluster, out: &mut Vec<Finding>) {
    for (process, caches) in &cluster.caches {
        for (_, informer) in caches.informers() {
            if let Some((object, expected, found)) = difference(cluster, informer) {
                out.push(Finding {
                    kind: Some(informer.kind),
                    object: format!("{}: {object}", name(*process)).into(),
                    expected: expected.into(),
                    found: found.into(),
                });
            }
        }
    }
}

fn name(process: Process) -> String {
    crate::world::component_of(process).to_string()
}

/// The first object that a cache has otherwise than the store, with both revisions.
fn difference(cluster: &Cluster, informer: &Informer) -> Option<(String, String, String)> {
    let stored = cluster
        .etcd
        .of_kind(informer.kind)
        .filter(|(_, s)| informer.scope.shows(&s.object));
    let mut count = 0;
    for (key, stored) in stored {
        count += 1;
        let cached = informer.objects().get(key);
        let found = cached.map_or(0, |o| o.resource_version());
        if found != stored.mod_revision {
            let (a, b) = (stored.mod_revision.to_string(), found.to_string());
            return Some((key.to_string(), a, b));
        }
    }
    let cached = informer.objects().len();
    (cached != count).then(|| {
        let extra = informer
            .objects()
            .keys()
            .find(|k| cluster.etcd.get(informer.kind, k).is_none());
        let extra = extra.map_or_else(String::new, |k| k.to_string());
        (extra, "-".into(), cached.to_string())
    })
}
