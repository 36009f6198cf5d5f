//! Invariants of a Deployment's rolling update.

use super::history::serves;
use super::{Commit, Finding};
use crate::component::{ComponentId, ControllerId};
use crate::controllers::meta::replicas;
use crate::world::Cluster;
use podscope_api::{Key, Kind, Object};
use podscope_kernel::SimDuration;
use std::rc::Rc;

/// How long after a Deployment got another size its Pods may go in proportion only.
const RESIZE: SimDuration = SimDuration::secs(600);

/// The Deployment that a Pod belongs to by way of its ReplicaSet.
pub(super) fn deployment_of<'a>(cluster: &'a Cluster, pod: &Object) -> Option<&'a Rc<Object>> {
    let set = owner(cluster, Kind::ReplicaSet, pod)?;
    owner(cluster, Kind::Deployment, set)
}

fn owner<'a>(cluster: &'a Cluster, kind: Kind, object: &Object) -> Option<&'a Rc<Object>> {
    let owner = object.controller().filter(|o| o.kind == kind.name())?;
    let key = Key::new(object.namespace(), owner.name);
    let stored = cluster.etcd.get(kind, &key)?;
    (stored.object.uid() == owner.uid).then_some(&stored.object)
}

fn sets<'a>(cluster: &'a Cluster, deployment: &'a str) -> impl Iterator<Item = &'a Rc<Object>> {
    let all = cluster.etcd.of_kind(Kind::ReplicaSet);
    all.map(|(_, s)| &s.object)
        .filter(move |s| s.controller().is_some_and(|o| o.uid == deployment))
}

/// When the Deployment's controller makes a ReplicaSet larger, all of them together ask for at most
/// `replicas` and `maxSurge` Pods.
pub(super) fn surge(commit: &Commit<'_>) -> Option<Finding> {
    let by = Some(ComponentId::Controller(ControllerId::Deployment));
    if commit.kind != Kind::ReplicaSet || commit.actor != by {
        return None;
    }
    let new = commit.new?;
    let was = commit.old.map_or(0, |o| replicas(o));
    if replicas(new) <= was {
        return None;
    }
    let deployment = owner(commit.cluster, Kind::Deployment, new)?;
    let (most, _) = commit.history.bounds(deployment.uid(), commit.at)?;
    let total: i64 = sets(commit.cluster, deployment.uid())
        .map(|s| replicas(s))
        .sum();
    if total <= most {
        return None;
    }
    Some(Finding::new(
        Kind::Deployment,
        &deployment.key(),
        most.to_string(),
        total.to_string(),
    ))
}

/// A ReplicaSet deletes a Pod that serves only when enough others do: `replicas` less `maxUnavailable`,
/// unless Pods were lost from outside or the Deployment got another size.
pub(super) fn available(commit: &Commit<'_>) -> Option<Finding> {
    let by = Some(ComponentId::Controller(ControllerId::ReplicaSet));
    if commit.kind != Kind::Pod || commit.actor != by {
        return None;
    }
    let old = commit.old.filter(|o| serves(o))?;
    if commit.new.is_some_and(|n| serves(n)) {
        return None;
    }
    let deployment = deployment_of(commit.cluster, old)?;
    let uid = deployment.uid();
    if deployment.is_being_deleted()
        || commit.history.lost_lately(uid, commit.at)
        || commit.history.resized(uid, commit.at, RESIZE)
    {
        return None;
    }
    let (_, least) = commit.history.bounds(uid, commit.at)?;
    let sets: Vec<&str> = sets(commit.cluster, uid).map(|s| s.uid()).collect();
    let serving = commit
        .cluster
        .etcd
        .of_kind(Kind::Pod)
        .filter(|(_, s)| {
            let owner = s.object.controller();
            serves(&s.object) && owner.is_some_and(|o| sets.contains(&o.uid))
        })
        .count();
    let serving = i64::try_from(serving).unwrap_or(i64::MAX);
    if serving >= least {
        return None;
    }
    Some(Finding::new(
        Kind::Deployment,
        &deployment.key(),
        least.to_string(),
        serving.to_string(),
    ))
}
