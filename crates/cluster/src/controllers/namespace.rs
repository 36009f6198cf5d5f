//! Namespace: empties a namespace that is being deleted, Pods first, then lets it go.
//!
//! Models: pkg/controller/namespace (v1.36)
//! Left out: `deletecollection`: each object is deleted by a request of its own.

use super::meta::{self, failure_text};
use super::{Controller, Next, Resume, Work};
use crate::client::informer::{CacheEvent, Caches};
use crate::component::ControllerId;
use crate::sim::Ctx;
use crate::trace::Note;
use podscope_api::{Key, Kind, Object, Request, Value};
use podscope_kernel::SimDuration;
use std::rc::Rc;

crate::codes! {
    /// The objects of a namespace that is going away are deleted.
    EMPTY = "namespace.empty";
    /// Something is left in it: it is looked at again.
    WAIT = "namespace.wait";
    /// Nothing is left: it may go.
    FINALIZE = "namespace.finalize";
}

/// How long after its deletion began a namespace is emptied: everybody shall have heard of it.
const GRACE: SimDuration = SimDuration::secs(5);
/// When to look again while something is left.
const AGAIN: SimDuration = SimDuration::secs(5);

const LISTED: u8 = 1;
const DELETED: u8 = 2;
const FINALIZED: u8 = 3;
const WAITS: u8 = 4;

/// The controller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct NamespaceController;

/// The deletion of one namespace's content in progress.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sync {
    namespace: Option<Rc<Object>>,
    /// Whether Pods are gone and the rest is to be deleted.
    rest: bool,
    left: i64,
}

/// Kinds in a namespace beside Pods; Events go with it.
fn other_kinds() -> impl Iterator<Item = Kind> {
    Kind::ALL
        .iter()
        .copied()
        .filter(|k| k.namespaced() && *k != Kind::Pod)
}

impl Controller for NamespaceController {
    const ID: ControllerId = ControllerId::Namespace;
    const WORKERS: usize = 10;
    type Sync = Sync;

    fn start(&mut self, caches: &Caches, work: &mut Work<'_>, _ctx: &mut Ctx<'_>) {
        for namespace in caches.list(Kind::Namespace) {
            if namespace.is_being_deleted() {
                work.add_after(namespace.key(), GRACE);
            }
        }
    }

    fn event(
        &mut self,
        event: &CacheEvent,
        _caches: &Caches,
        work: &mut Work<'_>,
        _ctx: &mut Ctx<'_>,
    ) {
        let Some(new) = event.new.as_ref().filter(|n| n.is_being_deleted()) else {
            return;
        };
        let began = event.old.as_ref().is_none_or(|o| !o.is_being_deleted());
        if event.kind == Kind::Namespace && began {
            work.add_after(new.key(), GRACE);
        }
    }

    fn reconcile(
        &mut self,
        key: &Key,
        resume: Resume<'_, Sync>,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) -> Next {
        let Resume {
            stage,
            answers,
            sync,
        } = resume;
        match stage {
            0 => {
                let Some(namespace) = caches
                    .get(Kind::Namespace, key)
                    .filter(|n| n.is_being_deleted())
                else {
                    return Next::Done;
                };
                sync.namespace = Some(namespace.clone());
                Next::Call {
                    requests: vec![Request::list(Kind::Pod, key.name.clone())],
                    stage: LISTED,
                }
            }
            LISTED => {
                if let Some(text) = meta::first_failure(answers) {
                    return Next::Retry(text.to_string());
                }
                self.delete_listed(key, sync, answers, ctx)
            }
            DELETED => {
                let failure = answers.iter().find_map(|a| match a {
                    Err(failure) if meta::code(a) != 404 => Some(failure_text(failure)),
                    _ => None,
                });
                match failure {
                    Some(text) => Next::Retry(text.to_string()),
                    // Another look finds out what is really left.
                    None => wait(key, sync, ctx),
                }
            }
            WAITS => Next::After(AGAIN),
            _ => match answers.first() {
                Some(answer @ Err(failure)) if meta::code(answer) != 404 => {
                    Next::Retry(failure_text(failure).to_string())
                }
                _ => Next::Done,
            },
        }
    }
}

impl NamespaceController {
    fn delete_listed(
        &mut self,
        key: &Key,
        sync: &mut Sync,
        answers: &[podscope_api::Response],
        ctx: &mut Ctx<'_>,
    ) -> Next {
        let mut requests = Vec::new();
        sync.left = 0;
        for answer in answers.iter().flatten() {
            let list = answer.object.get("kind").str_or_empty();
            let Some(kind) = Kind::ALL
                .iter()
                .copied()
                .find(|k| list.strip_suffix("List") == Some(k.name()))
            else {
                continue;
            };
            for item in answer.object.get("items").items() {
                let item = Object(item.clone());
                sync.left += 1;
                if !item.is_being_deleted() {
                    let mut delete = Request::delete(kind, key.name.clone(), item.name());
                    delete.options.propagation =
                        Some(podscope_api::request::Propagation::Background);
                    requests.push(delete);
                }
            }
        }
        if sync.left == 0 && !sync.rest {
            sync.rest = true;
            return Next::Call {
                requests: other_kinds()
                    .map(|kind| Request::list(kind, key.name.clone()))
                    .collect(),
                stage: LISTED,
            };
        }
        if sync.left == 0 {
            return finalize(sync, ctx);
        }
        if !requests.is_empty() {
            let count = i64::try_from(requests.len()).unwrap_or(i64::MAX);
            let note = Note::new(EMPTY)
                .about(Kind::Namespace, key.clone())
                .arg("objects", count)
                .arg("pods", !sync.rest);
            ctx.trace(note);
        }
        Next::Call {
            requests,
            stage: DELETED,
        }
    }
}

/// Pods take their time; the rest goes at once and is looked at again right away.
fn wait(key: &Key, sync: &mut Sync, ctx: &mut Ctx<'_>) -> Next {
    if sync.rest {
        return Next::Call {
            requests: other_kinds()
                .map(|kind| Request::list(kind, key.name.clone()))
                .collect(),
            stage: LISTED,
        };
    }
    let note = Note::new(WAIT)
        .about(Kind::Namespace, key.clone())
        .arg("left", sync.left);
    ctx.trace(note);
    let Some(namespace) = &sync.namespace else {
        return Next::Done;
    };
    let mut updated = (**namespace).clone();
    let at = ctx.wall().seconds_text();
    let text = format!(
        "Some resources are remaining: pods. has {} resource instances",
        sync.left
    );
    let conditions = [
        (
            "NamespaceDeletionDiscoveryFailure",
            "False",
            "ResourcesDiscovered",
            "All resources successfully discovered",
        ),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            "False",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        (
            "NamespaceDeletionContentFailure",
            "False",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        (
            "NamespaceContentRemaining",
            "True",
            "SomeResourcesRemain",
            &*text,
        ),
        (
            "NamespaceFinalizersRemaining",
            "False",
            "ContentHasNoFinalizers",
            "All content-preserving finalizers finished",
        ),
    ];
    for (name, status, reason, message) in conditions {
        let same = namespace.condition(name);
        if same.get("status").as_str() == Some(status)
            && same.get("message").as_str() == Some(message)
        {
            continue;
        }
        let condition = podscope_api::value!({
            "type": (name), "status": (status), "reason": (reason), "message": (message),
            "lastTransitionTime": (at.clone())
        });
        crate::apiserver::special::set_condition(&mut updated, condition);
    }
    if updated == **namespace {
        return Next::After(AGAIN);
    }
    Next::Call {
        requests: vec![Request::update(Kind::Namespace, "status", updated)],
        stage: WAITS,
    }
}

fn finalize(sync: &Sync, ctx: &mut Ctx<'_>) -> Next {
    let Some(namespace) = &sync.namespace else {
        return Next::Done;
    };
    ctx.trace(Note::new(FINALIZE).about(Kind::Namespace, namespace.key()));
    let mut updated = (**namespace).clone();
    let left: Vec<Value> = updated
        .at("spec.finalizers")
        .items()
        .iter()
        .filter(|f| f.as_str() != Some("kubernetes"))
        .cloned()
        .collect();
    if left.is_empty() {
        updated.remove("spec.finalizers");
    } else {
        updated.set("spec.finalizers", left);
    }
    // The status may have been written meanwhile: only the finalizers count here.
    updated.remove("metadata.resourceVersion");
    Next::Call {
        requests: vec![Request::update(Kind::Namespace, "finalize", updated)],
        stage: FINALIZED,
    }
}
