//! Garbage collector: deletes objects whose owners are gone, and carries out foreground and orphaning deletion.
//!
//! Before it acts on an object it asks the API server for the object and for each owner: its caches may be late.
//!
//! Models: pkg/controller/garbagecollector (v1.36)
//! Left out: discovery of resources, owners in another namespace.

use super::meta::{self, failure_text, strategic};
use super::{Controller, Next, Resume, Work};
use crate::apiserver::delete::{FOREGROUND, ORPHAN};
use crate::client::informer::{CacheEvent, Caches};
use crate::component::ControllerId;
use crate::sim::Ctx;
use crate::trace::Note;
use podscope_api::request::Propagation;
use podscope_api::{Key, Kind, Object, Request, Response, Text, Value, value};
use podscope_kernel::collections::BTreeSet;
use std::rc::Rc;

crate::codes! {
    /// All owners of an object are gone (or going): it is deleted.
    DELETE = "garbage_collector.delete";
    /// Some owners of an object are gone: they are taken off its list.
    DROP_OWNERS = "garbage_collector.drop_owners";
    /// An object waits for its dependents, which are deleted first.
    FOREGROUND_DELETION = "garbage_collector.foreground";
    /// An object is deleted without its dependents: it is taken off their owner lists.
    ORPHAN_DEPENDENTS = "garbage_collector.orphan";
    /// An object need not wait any more: its finalizer is removed.
    REMOVE_FINALIZER = "garbage_collector.remove_finalizer";
}

/// How many uids of objects known to be gone are remembered.
const MAX_ABSENT: usize = 500;

const ITEM_READ: u8 = 1;
const OWNERS_READ: u8 = 2;
const DELETED: u8 = 3;
const LAST: u8 = 4;
const FINALIZER_READ: u8 = 5;
const FINALIZER_REMOVED: u8 = 6;
const ORPHANED: u8 = 7;

/// The controller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct GarbageCollector {
    absent: BTreeSet<Text>,
}

/// Work on one object in progress.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sync {
    item: Option<Rc<Object>>,
    /// Owners that were asked for: their uids.
    asked: Vec<Text>,
    dangling: Vec<Text>,
    waiting: Vec<Text>,
    solid: bool,
    finalizer: &'static str,
    conflicts: u8,
}

/// The queue's key of an object: its kind stands before its namespace.
fn key_of(kind: Kind, object: &Object) -> Key {
    let key = object.key();
    Key::new(format!("{}:{}", kind.name(), key.namespace), key.name)
}

fn object_of(key: &Key) -> Option<(Kind, Key)> {
    let (kind, namespace) = key.namespace.split_once(':')?;
    let kind = Kind::ALL.iter().copied().find(|k| k.name() == kind)?;
    Some((kind, Key::new(namespace, key.name.clone())))
}

fn has_finalizer(object: &Object, finalizer: &str) -> bool {
    object
        .at("metadata.finalizers")
        .items()
        .iter()
        .any(|f| f.as_str() == Some(finalizer))
}

fn waits_for_dependents(object: &Object) -> bool {
    object.is_being_deleted() && has_finalizer(object, FOREGROUND)
}

/// Cached objects of any kind that name this uid as an owner.
fn dependents(uid: &str, caches: &Caches) -> Vec<(Kind, Rc<Object>)> {
    super::WATCHED
        .iter()
        .flat_map(|kind| caches.owned_by(*kind, uid).map(|o| (*kind, o.clone())))
        .collect()
}

fn blocks(dependent: &Object, uid: &str) -> bool {
    dependent
        .owners()
        .any(|o| o.uid == uid && o.block_owner_deletion)
}

impl Controller for GarbageCollector {
    const ID: ControllerId = ControllerId::GarbageCollector;
    const WORKERS: usize = 20;
    type Sync = Sync;

    fn start(&mut self, caches: &Caches, work: &mut Work<'_>, _ctx: &mut Ctx<'_>) {
        for kind in super::WATCHED {
            for object in caches.list(*kind) {
                let waits = waits_for_dependents(object)
                    || object.is_being_deleted() && has_finalizer(object, ORPHAN);
                if waits || needs_a_look(object, caches) {
                    work.add(key_of(*kind, object), None);
                }
            }
        }
    }

    fn event(
        &mut self,
        event: &CacheEvent,
        caches: &Caches,
        work: &mut Work<'_>,
        _ctx: &mut Ctx<'_>,
    ) {
        let Some(object) = event.object() else { return };
        let Some(new) = &event.new else {
            if self.absent.len() >= MAX_ABSENT {
                self.absent.pop_first();
            }
            self.absent.insert(object.uid().into());
            for (kind, dependent) in dependents(object.uid(), caches) {
                work.add(key_of(kind, &dependent), event.cause);
            }
            // An owner may have waited for this one.
            for owner in object.owners() {
                if let Some((kind, owner)) = cached_owner(object, &owner, caches)
                    && waits_for_dependents(owner)
                {
                    work.add(key_of(kind, owner), event.cause);
                }
            }
            return;
        };
        let owners_changed = event.old.as_ref().is_none_or(|old| {
            old.at("metadata.ownerReferences") != new.at("metadata.ownerReferences")
        });
        let began = event.old.as_ref().is_none_or(|old| {
            !old.is_being_deleted()
                || old.at("metadata.finalizers") != new.at("metadata.finalizers")
        });
        if new.is_being_deleted() && began {
            if waits_for_dependents(new) || has_finalizer(new, ORPHAN) {
                work.add(key_of(event.kind, new), event.cause);
            }
            if waits_for_dependents(new) {
                for (kind, dependent) in dependents(new.uid(), caches) {
                    work.add(key_of(kind, &dependent), event.cause);
                }
            }
        } else if owners_changed && needs_a_look(new, caches) {
            work.add(key_of(event.kind, new), event.cause);
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
        let Some((kind, key)) = object_of(key) else {
            return Next::Done;
        };
        match stage {
            0 => begin(kind, &key, sync, caches, ctx),
            ITEM_READ => match answers.first() {
                Some(Ok(answer)) => self.item_read(kind, &answer.object, sync, caches, ctx),
                other => ended(other),
            },
            OWNERS_READ => {
                if let Some(text) = answers
                    .iter()
                    .find(|a| a.is_err() && meta::code(a) != 404)
                    .and_then(|a| a.as_ref().err().map(failure_text))
                {
                    return Next::Retry(text.to_string());
                }
                for (uid, answer) in std::mem::take(&mut sync.asked).into_iter().zip(answers) {
                    match answer {
                        Ok(answer) if *answer.object.uid() != *uid => sync.dangling.push(uid),
                        Ok(answer) if waits_for_dependents(&answer.object) => {
                            sync.waiting.push(uid);
                        }
                        Ok(_) => sync.solid = true,
                        Err(_) => {
                            self.absent.insert(uid.clone());
                            sync.dangling.push(uid);
                        }
                    }
                }
                decide(kind, sync, caches, ctx)
            }
            DELETED => match answers.first() {
                // Something else has changed on the object: what matters is that its owners are the same.
                Some(answer @ Err(_)) if meta::code(answer) == 409 && sync.conflicts < 5 => {
                    sync.conflicts += 1;
                    Next::Call {
                        requests: vec![read(kind, &key)],
                        stage: ITEM_READ,
                    }
                }
                other => ended(other),
            },
            ORPHANED => match answers
                .iter()
                .find(|a| a.is_err() && !matches!(meta::code(a), 404 | 422))
            {
                Some(Err(failure)) => Next::Retry(failure_text(failure).to_string()),
                _ => Next::Call {
                    requests: vec![read(kind, &key)],
                    stage: FINALIZER_READ,
                },
            },
            FINALIZER_READ => match answers.first() {
                Some(Ok(answer)) => remove_finalizer(kind, &answer.object, sync, ctx),
                other => ended(other),
            },
            FINALIZER_REMOVED => match answers.first() {
                Some(answer @ Err(_)) if meta::code(answer) == 409 && sync.conflicts < 5 => {
                    sync.conflicts += 1;
                    Next::Call {
                        requests: vec![read(kind, &key)],
                        stage: FINALIZER_READ,
                    }
                }
                other => ended(other),
            },
            _ => ended(answers.first()),
        }
    }
}

fn ended(answer: Option<&Response>) -> Next {
    match answer {
        Some(answer @ Err(failure)) if meta::code(answer) != 404 => {
            Next::Retry(failure_text(failure).to_string())
        }
        _ => Next::Done,
    }
}

fn read(kind: Kind, key: &Key) -> Request {
    Request::get(kind, key.namespace.clone(), key.name.clone())
}

fn cached_owner<'a>(
    object: &Object,
    owner: &podscope_api::object::OwnerRef<'_>,
    caches: &'a Caches,
) -> Option<(Kind, &'a Rc<Object>)> {
    let kind = Kind::from_api(owner.api_version, owner.kind)?;
    let namespace = if kind.namespaced() {
        object.namespace()
    } else {
        ""
    };
    let found = caches.get(kind, &Key::new(namespace, owner.name))?;
    (found.uid() == owner.uid).then_some((kind, found))
}

/// Whether an owner of the object seems to be missing, or is waiting for it to go.
fn needs_a_look(object: &Object, caches: &Caches) -> bool {
    object.owners().any(|owner| {
        let cached = Kind::from_api(owner.api_version, owner.kind)
            .is_some_and(|k| super::WATCHED.contains(&k));
        cached && cached_owner(object, &owner, caches).is_none_or(|(_, o)| waits_for_dependents(o))
    })
}

fn begin(kind: Kind, key: &Key, sync: &mut Sync, caches: &Caches, ctx: &mut Ctx<'_>) -> Next {
    let Some(item) = caches.get(kind, key) else {
        return Next::Done;
    };
    let about = |code| Note::new(code).about(kind, key.clone());
    if item.is_being_deleted() && has_finalizer(item, ORPHAN) {
        sync.finalizer = ORPHAN;
        let requests: Vec<Request> = dependents(item.uid(), caches)
            .iter()
            .map(|(kind, dependent)| meta::release(*kind, dependent, item.uid()))
            .collect();
        let count = i64::try_from(requests.len()).unwrap_or(i64::MAX);
        ctx.trace(about(ORPHAN_DEPENDENTS).arg("dependents", count));
        return Next::Call {
            requests,
            stage: ORPHANED,
        };
    }
    if item.is_being_deleted() && !waits_for_dependents(item) {
        return Next::Done;
    }
    Next::Call {
        requests: vec![read(kind, key)],
        stage: ITEM_READ,
    }
}

impl GarbageCollector {
    fn item_read(
        &mut self,
        kind: Kind,
        item: &Rc<Object>,
        sync: &mut Sync,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) -> Next {
        sync.item = Some(item.clone());
        if waits_for_dependents(item) {
            let blocking = dependents(item.uid(), caches)
                .into_iter()
                .filter(|(_, d)| blocks(d, item.uid()))
                .count();
            if blocking == 0 {
                sync.finalizer = FOREGROUND;
                return Next::Call {
                    requests: vec![read(kind, &item.key())],
                    stage: FINALIZER_READ,
                };
            }
            // Each dependent is looked at itself, and its end wakes this one again.
            let note = Note::new(FOREGROUND_DELETION)
                .about(kind, item.key())
                .arg("dependents", i64::try_from(blocking).unwrap_or(i64::MAX));
            ctx.trace(note);
            return Next::Done;
        }
        if item.is_being_deleted() {
            return Next::Done;
        }
        if sync.conflicts > 0 {
            return decide(kind, sync, caches, ctx);
        }
        let mut requests = Vec::new();
        for owner in item.owners() {
            if self.absent.contains(owner.uid) {
                sync.dangling.push(owner.uid.into());
                continue;
            }
            let Some(owner_kind) = Kind::from_api(owner.api_version, owner.kind) else {
                sync.solid = true;
                continue;
            };
            let namespace = if owner_kind.namespaced() {
                item.key().namespace
            } else {
                "".into()
            };
            requests.push(Request::get(owner_kind, namespace, owner.name));
            sync.asked.push(owner.uid.into());
        }
        if item.owners().next().is_none() {
            return Next::Done;
        }
        Next::Call {
            requests,
            stage: OWNERS_READ,
        }
    }
}

/// What becomes of an object whose owners have been looked up.
fn decide(kind: Kind, sync: &mut Sync, caches: &Caches, ctx: &mut Ctx<'_>) -> Next {
    let Some(item) = sync.item.clone() else {
        return Next::Done;
    };
    let about = |code| Note::new(code).about(kind, item.key());
    if sync.solid {
        let gone: Vec<Value> = sync
            .dangling
            .iter()
            .chain(&sync.waiting)
            .map(|uid| value!({"$patch": "delete", "uid": (uid.clone())}))
            .collect();
        if gone.is_empty() {
            return Next::Done;
        }
        let count = i64::try_from(gone.len()).unwrap_or(i64::MAX);
        ctx.trace(about(DROP_OWNERS).arg("owners", count));
        let patch = value!({"metadata": {"ownerReferences": (gone), "uid": (item.uid())}});
        return Next::Call {
            requests: vec![strategic(kind, &item, "", patch)],
            stage: LAST,
        };
    }
    let has_dependents = !dependents(item.uid(), caches).is_empty();
    let (policy, name) =
        if (!sync.waiting.is_empty() && has_dependents) || has_finalizer(&item, FOREGROUND) {
            (Propagation::Foreground, "Foreground")
        } else if has_finalizer(&item, ORPHAN) {
            (Propagation::Orphan, "Orphan")
        } else {
            (Propagation::Background, "Background")
        };
    let owner = item.owners().next().map(|o| o.name.to_string());
    let note = about(DELETE)
        .arg("policy", name)
        .arg("owner", owner.unwrap_or_default())
        .arg("waiting", !sync.waiting.is_empty());
    ctx.trace(note);
    let mut delete = Request::delete(kind, item.key().namespace, item.key().name);
    delete.options.propagation = Some(policy);
    delete.options.precondition_uid = item.uid().into();
    if sync.conflicts == 0 {
        delete.options.precondition_resource_version = item.resource_version().to_string().into();
    }
    Next::Call {
        requests: vec![delete],
        stage: DELETED,
    }
}

fn remove_finalizer(kind: Kind, item: &Rc<Object>, sync: &mut Sync, ctx: &mut Ctx<'_>) -> Next {
    if !has_finalizer(item, sync.finalizer) {
        return Next::Done;
    }
    let note = Note::new(REMOVE_FINALIZER)
        .about(kind, item.key())
        .arg("finalizer", sync.finalizer);
    ctx.trace(note);
    let left: Vec<Value> = item
        .at("metadata.finalizers")
        .items()
        .iter()
        .filter(|f| f.as_str() != Some(sync.finalizer))
        .cloned()
        .collect();
    let left = if left.is_empty() {
        Value::Null
    } else {
        Value::from(left)
    };
    let version = item.at("metadata.resourceVersion").clone();
    let patch = value!({"metadata": {"resourceVersion": (version), "finalizers": (left)}});
    let key = item.key();
    Next::Call {
        requests: vec![Request::patch(
            kind,
            key.namespace,
            key.name,
            "",
            podscope_api::PatchType::Merge,
            patch,
        )],
        stage: FINALIZER_REMOVED,
    }
}
