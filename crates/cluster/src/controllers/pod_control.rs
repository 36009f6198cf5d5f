//! Creating Pods in growing batches and deleting them, with the Events that tell of it; and claiming:
//! adopting orphans, releasing strays.
//!
//! Models: pkg/controller/controller_utils.go RealPodControl, controller_ref_manager.go (v1.36)

use super::Next;
use super::meta::{self, adopt, failure_text, owner_reference, release};
use crate::client::informer::Caches;
use crate::client::recorder::{Recorder, Regarding};
use crate::sim::Ctx;
use podscope_api::selector::Selector;
use podscope_api::{Key, Kind, Object, Request, Response, Value, value};
use podscope_kernel::collections::BTreeMap;
use std::rc::Rc;

/// Objects that are created in batches of 1, 2, 4 and so on, until one fails.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Batches {
    left: Vec<Rc<Object>>,
    size: usize,
}

impl Batches {
    /// To be created in this order.
    pub fn new(objects: Vec<Object>) -> Batches {
        let left = objects.into_iter().rev().map(Rc::new).collect();
        Batches { left, size: 1 }
    }
    /// How many have not been sent.
    pub fn left(&self) -> usize {
        self.left.len()
    }
    /// The requests of the next batch; empty when all have been sent.
    pub fn next_batch(&mut self) -> Vec<Request> {
        let size = self.size.min(self.left.len());
        self.size = self.size.saturating_mul(2);
        let from = self.left.len() - size;
        let batch = self.left.split_off(from);
        let create = |o: Rc<Object>| Request::create(Kind::Pod, Rc::unwrap_or_clone(o));
        batch.into_iter().rev().map(create).collect()
    }
    /// Sends no more; how many that leaves out.
    pub fn stop(&mut self) -> usize {
        std::mem::take(&mut self.left).len()
    }
}

/// Tells of created Pods. Gives how many failed and the words of the first failure; a namespace that is
/// going away is not worth a word.
pub fn created(
    recorder: &mut Recorder,
    regarding: &Regarding,
    answers: &[Response],
    ctx: &mut Ctx<'_>,
) -> (usize, Option<String>) {
    let (mut failed, mut first) = (0, None);
    for answer in answers {
        let (event, reason, message) = match answer {
            Ok(answer) => (
                "Normal",
                "SuccessfulCreate",
                format!("Created pod: {}", answer.object.name()),
            ),
            Err(failure) => {
                failed += 1;
                if meta::namespace_terminating(answer) {
                    continue;
                }
                let text = failure_text(failure);
                first.get_or_insert_with(|| text.to_string());
                ("Warning", "FailedCreate", format!("Error creating: {text}"))
            }
        };
        recorder.record(ctx, regarding.clone(), event, reason, "", &message);
    }
    (failed, first)
}

/// Tells of deleted Pods. Gives those that were not, and the words of the first failure.
pub fn deleted(
    recorder: &mut Recorder,
    regarding: &Regarding,
    pods: &[Rc<Object>],
    answers: &[Response],
    ctx: &mut Ctx<'_>,
) -> (Vec<Rc<Object>>, Option<String>) {
    let (mut failed, mut first) = (Vec::new(), None);
    for (pod, answer) in pods.iter().zip(answers) {
        let (event, reason, message) = match answer {
            Ok(_) => (
                "Normal",
                "SuccessfulDelete",
                format!("Deleted pod: {}", pod.name()),
            ),
            Err(failure) => {
                failed.push(pod.clone());
                if meta::code(answer) == 404 {
                    continue;
                }
                let text = failure_text(failure);
                first.get_or_insert_with(|| text.to_string());
                ("Warning", "FailedDelete", format!("Error deleting: {text}"))
            }
        };
        recorder.record(ctx, regarding.clone(), event, reason, "", &message);
    }
    (failed, first)
}

/// The requests that delete these Pods.
pub fn deletions(pods: &[Rc<Object>]) -> Vec<Request> {
    let delete = |p: &Rc<Object>| Request::delete(Kind::Pod, p.key().namespace, p.key().name);
    pods.iter().map(delete).collect()
}

/// The Pod that `owner` makes from a template: with the template's labels, annotations and finalizers.
pub fn pod_from(kind: Kind, owner: &Object, template: &Value) -> Object {
    let mut pod = value!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "generateName": (format!("{}-", owner.name())),
            "namespace": (owner.key().namespace),
            "ownerReferences": [(owner_reference(kind, owner))]
        },
        "spec": (template.get("spec").clone())
    });
    for field in ["labels", "annotations", "finalizers"] {
        let value = template.get("metadata").get(field);
        if !value.is_empty() {
            pod.entry("metadata").set(field, value.clone());
        }
    }
    Object(pod)
}

/// Writes a label.
pub fn label(object: &mut Object, key: &str, text: &str) {
    let labels = object.at_mut("metadata.labels").map_mut();
    labels.insert(key, Value::str(text));
}

/// What an owner holds, would let go and would take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Claim {
    /// Controlled by the owner and selected.
    pub mine: Vec<Rc<Object>>,
    /// Controlled by the owner, not selected.
    pub strays: Vec<Rc<Object>>,
    /// Controlled by nobody, selected, not being deleted.
    pub orphans: Vec<Rc<Object>>,
}

/// Looks through the cached objects of kind `child` in the owner's namespace. `fits` narrows what may be taken.
pub fn claim(
    owner: &Object,
    selector: &Selector,
    child: Kind,
    caches: &Caches,
    fits: &dyn Fn(&Object) -> bool,
) -> Claim {
    let mut claim = Claim::default();
    for object in caches.list_in(child, owner.namespace()) {
        let selected = selector.matches(object.labels()) && fits(object);
        match object.controller() {
            Some(by) if by.uid == owner.uid() && selected => claim.mine.push(object.clone()),
            Some(by) if by.uid == owner.uid() && owner.is_being_deleted() => {
                claim.mine.push(object.clone());
            }
            Some(by) if by.uid == owner.uid() => claim.strays.push(object.clone()),
            None if selected && !object.is_being_deleted() && !owner.is_being_deleted() => {
                claim.orphans.push(object.clone());
            }
            _ => {}
        }
    }
    claim
}

impl Claim {
    /// The patches that let go and take.
    pub fn requests(&self, kind: Kind, owner: &Object, child: Kind) -> Vec<Request> {
        let strays = self.strays.iter().map(|o| release(child, o, owner.uid()));
        let orphans = self
            .orphans
            .iter()
            .map(|o| adopt(child, o, owner_reference(kind, owner)));
        strays.chain(orphans).collect()
    }
    /// Takes what the answers to [`Claim::requests`] gave; the words of the first failure that matters.
    pub fn answered(&mut self, answers: &[Response]) -> Option<String> {
        let mut failure = None;
        for (i, answer) in answers.iter().enumerate() {
            match answer {
                Ok(answer) if i >= self.strays.len() => self.mine.push(answer.object.clone()),
                Err(why) if !matches!(meta::code(answer), 404 | 422) => {
                    failure.get_or_insert_with(|| failure_text(why).to_string());
                }
                _ => {}
            }
        }
        self.strays.clear();
        self.orphans.clear();
        failure
    }
    /// Whether anything has to be asked for before `mine` is right.
    pub fn is_settled(&self) -> bool {
        self.strays.is_empty() && self.orphans.is_empty()
    }
}

/// The newest revisions that a controller has written itself, by owner: a sync waits until its caches have
/// seen them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Written(BTreeMap<Key, (u64, u64)>);

impl Written {
    /// Takes in the answer to a write: of the owner itself, or of something that belongs to it.
    pub fn answer(&mut self, owner: &Key, own: bool, answer: &Response) {
        if let Ok(answer) = answer {
            let newest = self.0.entry(owner.clone()).or_default();
            let place = if own { &mut newest.0 } else { &mut newest.1 };
            *place = (*place).max(answer.object.resource_version());
        }
    }
    /// Takes in several answers about Pods.
    pub fn pods(&mut self, owner: &Key, answers: &[Response]) {
        for answer in answers {
            self.answer(owner, false, answer);
        }
    }
    /// Whether the caches lag behind.
    pub fn unseen(&self, owner: &Key, kind: Kind, caches: &Caches) -> bool {
        let (own, pods) = self.0.get(owner).copied().unwrap_or_default();
        seen(caches, kind) < own || seen(caches, Kind::Pod) < pods
    }
    /// Forgets an owner that is gone.
    pub fn forget(&mut self, owner: &Key) {
        self.0.remove(owner);
    }
}

fn seen(caches: &Caches, kind: Kind) -> u64 {
    let mut informers = caches.informers();
    let informer = informers.find(|(_, i)| i.kind == kind);
    informer.map_or(0, |(_, i)| i.revision)
}

/// What a sync that has to wait for its caches answers.
pub fn lagging() -> Next {
    Next::Retry("the cache has not seen this controller's own writes yet".into())
}

/// Why an owner that was read again may not adopt, if so.
pub fn may_not_adopt(owner: &Object, answers: &[Response]) -> Option<String> {
    match answers.first() {
        Some(Ok(answer)) if answer.object.uid() != owner.uid() => {
            Some("the owner has been replaced".into())
        }
        Some(Ok(answer)) if answer.object.is_being_deleted() => {
            Some("the owner has just been deleted".into())
        }
        Some(Err(failure)) => Some(failure_text(failure).to_string()),
        _ => None,
    }
}
