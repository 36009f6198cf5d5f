//! DELETE: grace periods, finalizers, propagation.
//!
//! Models: staging/src/k8s.io/apiserver/pkg/registry/rest/delete.go, generic/registry/store.go, pkg/registry/core/pod/strategy.go (v1.36)

use super::write::{Decision, answered, other};
use super::{ApiServer, InFlight, Progress, not_found, refuse};
use crate::etcd::Etcd;
use crate::sim::Ctx;
use crate::trace::RequestId;
use podscope_api::request::Propagation;
use podscope_api::{Key, Kind, Object, Request, Status, Timestamp, Value, Verb, value};

/// Finalizer that keeps an owner until its dependents are gone.
pub const FOREGROUND: &str = "foregroundDeletion";
/// Finalizer that keeps an owner until its dependents have lost it as owner.
pub const ORPHAN: &str = "orphan";

/// True when deletion was asked for, no grace period runs and no finalizer is left.
pub(crate) fn finished(object: &Object) -> bool {
    object.is_being_deleted()
        && object
            .at("metadata.deletionGracePeriodSeconds")
            .as_int()
            .unwrap_or(0)
            == 0
        && object.at("metadata.finalizers").items().is_empty()
        && (object.kind() != Some(Kind::Namespace)
            || object.at("spec.finalizers").items().is_empty())
}

/// The grace period in seconds that a Pod gets.
fn pod_grace(pod: &Object, asked: Option<i64>) -> i64 {
    let spec = pod.at("spec.terminationGracePeriodSeconds").as_int();
    let seconds = asked.or(spec).unwrap_or(30);
    let phase = pod.at("status.phase").str_or_empty();
    if pod.at("spec.nodeName").str_or_empty().is_empty() || matches!(phase, "Failed" | "Succeeded")
    {
        return 0;
    }
    if seconds < 0 { 1 } else { seconds }
}

impl ApiServer {
    #[inline(never)]
    pub(crate) fn delete(
        &mut self,
        ctx: &mut Ctx<'_>,
        etcd: &mut Etcd,
        id: RequestId,
        flight: &mut InFlight,
        request: &Request,
    ) -> Progress {
        let kind = request.kind;
        if request.verb == Verb::DeleteCollection {
            let message = "deletecollection is carried out by deleting each object";
            return refuse(
                ctx,
                id,
                "storage",
                Status::new(405, "MethodNotAllowed", message),
            );
        }
        let key = Key::new(request.namespace.clone(), request.name.clone());
        let Some(stored) = etcd.get(kind, &key) else {
            return match flight.marked.take() {
                Some(last) => answered(200, (*last).clone(), flight),
                None => refuse(ctx, id, "storage", not_found(kind, &request.name)),
            };
        };
        let (current, revision) = (stored.object.clone(), stored.mod_revision);
        let options = &request.options;
        let uid = &*options.precondition_uid;
        if !uid.is_empty() && uid != current.uid() {
            return refuse(
                ctx,
                id,
                "storage",
                other("UID", kind, &key, uid, current.uid()),
            );
        }
        let asked = &*options.precondition_resource_version;
        let found = revision.to_string();
        if !asked.is_empty() && asked != found {
            let status = other("ResourceVersion", kind, &key, asked, &found);
            return refuse(ctx, id, "storage", status);
        }
        let object = marked(&current, kind, request, ctx.wall());
        if options.dry_run {
            return answered(200, object, flight);
        }
        // A Pod is marked first even without a grace period; two revisions tell of its end.
        let removed_at_once = kind != Kind::Pod || object == *current;
        if finished(&object) && removed_at_once {
            return self.remove(ctx, etcd, id, flight, kind, key, revision);
        }
        if object == *current {
            return answered(200, object, flight);
        }
        let decision = Decision {
            object: Some(object),
            code: 200,
            answer: None,
        };
        self.store(
            ctx,
            etcd,
            id,
            flight,
            kind,
            key,
            decision,
            Some((revision, false)),
        )
    }

    /// Proposes the removal of the key.
    #[allow(clippy::too_many_arguments, reason = "the parts of one write")]
    #[inline(never)]
    pub(crate) fn remove(
        &mut self,
        ctx: &mut Ctx<'_>,
        etcd: &mut Etcd,
        id: RequestId,
        flight: &mut InFlight,
        kind: Kind,
        key: Key,
        revision: u64,
    ) -> Progress {
        // A Pod is answered with its last state, other kinds with a Status.
        let answer = (kind != Kind::Pod).then(|| {
            let uid = etcd
                .get(kind, &key)
                .map(|s| s.object.uid().to_string())
                .unwrap_or_default();
            let mut v =
                value!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"});
            v.set(
                "details",
                value!({"name": (key.name.clone()), "kind": (kind.plural()), "uid": (uid)}),
            );
            if !kind.group().is_empty() {
                v.set("details.group", kind.group());
            }
            Object(v)
        });
        let decision = Decision {
            object: None,
            code: 200,
            answer,
        };
        self.store(
            ctx,
            etcd,
            id,
            flight,
            kind,
            key,
            decision,
            Some((revision, false)),
        )
    }
}

/// The object marked for deletion: finalizers by propagation, deletion time, grace period.
fn marked(current: &Object, kind: Kind, request: &Request, now: Timestamp) -> Object {
    let mut object = current.clone();
    let propagation = request.options.propagation;
    let mut finalizers: Vec<Value> = object.at("metadata.finalizers").items().to_vec();
    let wants = |p: Propagation| propagation == Some(p);
    for (finalizer, wanted) in [
        (ORPHAN, wants(Propagation::Orphan)),
        (FOREGROUND, wants(Propagation::Foreground)),
    ] {
        let has = finalizers.iter().any(|f| f.as_str() == Some(finalizer));
        if wanted && !has {
            finalizers.push(finalizer.into());
        } else if !wanted && has && propagation.is_some() {
            finalizers.retain(|f| f.as_str() != Some(finalizer));
        }
    }
    let none_left = finalizers.is_empty();
    if none_left {
        object.remove("metadata.finalizers");
    } else {
        object.set("metadata.finalizers", finalizers);
    }
    let asked = request.options.grace_period_seconds;
    let grace = if kind == Kind::Pod {
        pod_grace(&object, asked)
    } else {
        0
    };
    if let Some(deleted) = current.deleted() {
        // Asked again: a shorter grace period counts, a longer one does not.
        let before = current
            .at("metadata.deletionGracePeriodSeconds")
            .as_int()
            .unwrap_or(0);
        if grace < before && asked.is_some() {
            let started = deleted.0 - before * 1_000_000;
            // Never into the past; what has run out leaves a second to those who end it gracefully.
            let at = started + grace * 1_000_000;
            let grace = if at < now.0 { grace.min(1) } else { grace };
            let at = Timestamp(at.max(now.0));
            object.set("metadata.deletionTimestamp", at.seconds_text());
            object.set("metadata.deletionGracePeriodSeconds", grace);
        }
        return object;
    }
    object.set(
        "metadata.deletionTimestamp",
        Timestamp(now.0 + grace * 1_000_000).seconds_text(),
    );
    object.set("metadata.deletionGracePeriodSeconds", grace);
    if kind == Kind::Namespace {
        object.remove("metadata.deletionGracePeriodSeconds");
        object.set("status.phase", "Terminating");
    }
    if object.generation() > 0 {
        let next = object.generation() + 1;
        object.set("metadata.generation", next);
    }
    object
}
