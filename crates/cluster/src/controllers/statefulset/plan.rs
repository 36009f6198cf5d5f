//! What a StatefulSet does next, decided from its Pods and its two revisions.
//!
//! Models: pkg/controller/statefulset/{stateful_set_control.go,stateful_set_utils.go} (v1.36)
//! Left out: maxUnavailable (its feature gate is off).

use super::super::meta::{is_available, owner_reference, ready_since, replicas};
use super::super::pod_control::{label, pod_from};
use super::super::revisions::{REVISION_LABEL, applied};
use podscope_api::{Kind, Object, Timestamp, Value, value};
use std::rc::Rc;

/// The label with a Pod's own name.
const POD_NAME: &str = "statefulset.kubernetes.io/pod-name";
/// The label with a Pod's number.
const POD_INDEX: &str = "apps.kubernetes.io/pod-index";

/// What a sync asks for, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Plan {
    /// Pods to be created, each with the claims that it needs.
    pub create: Vec<Object>,
    /// Pods whose labels have to be mended.
    pub mend: Vec<Object>,
    /// Pods to be deleted.
    pub delete: Vec<Rc<Object>>,
}

/// What a sync looks at.
#[derive(Clone, Copy, Debug)]
pub struct State<'a> {
    /// The set.
    pub set: &'a Object,
    /// The revision that Pods have until the rollout is complete.
    pub current: &'a Object,
    /// The revision with the newest template.
    pub update: &'a Object,
    /// The set's Pods.
    pub pods: &'a [Rc<Object>],
    /// The wall clock.
    pub now: Timestamp,
}

/// The number at the end of a Pod's name, when the name is made of the set's and a number.
pub fn ordinal(set: &str, pod: &str) -> Option<i64> {
    let digits = pod.strip_prefix(set)?.strip_prefix('-')?;
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse::<i32>().ok().map(i64::from))?
}

fn first(set: &Object) -> i64 {
    set.at("spec.ordinals.start").as_int().unwrap_or(0)
}

fn partition(set: &Object) -> i64 {
    let partition = set.at("spec.updateStrategy.rollingUpdate.partition");
    partition.as_int().unwrap_or(0).max(0)
}

/// True for the strategy `RollingUpdate`.
fn is_rolling(set: &Object) -> bool {
    set.at("spec.updateStrategy.type").as_str() != Some("OnDelete")
}

/// True when Pods need not wait for each other.
fn bursts(set: &Object) -> bool {
    set.at("spec.podManagementPolicy").as_str() == Some("Parallel")
}

fn min_ready(set: &Object) -> i64 {
    set.at("spec.minReadySeconds").as_int().unwrap_or(0)
}

fn phase(pod: &Object) -> &str {
    pod.at("status.phase").str_or_empty()
}

fn is_ready(pod: &Object) -> bool {
    phase(pod) == "Running" && ready_since(pod).is_some()
}

/// Running, Ready for long enough and not going.
fn is_healthy(set: &Object, pod: &Object, now: Timestamp) -> bool {
    is_ready(pod) && is_available(pod, min_ready(set), now) && !pod.is_being_deleted()
}

/// The name of the claim that a Pod has for a claim template.
pub fn claim_name(set: &str, template: &str, ordinal: i64) -> String {
    format!("{template}-{set}-{ordinal}")
}

/// The claims that the Pod with this number needs.
pub fn claims(set: &Object, ordinal: i64) -> Vec<Object> {
    let templates = set.at("spec.volumeClaimTemplates").items().iter();
    let claim = |template: &Value| {
        let name = template.at("metadata.name").str_or_empty();
        let mut claim = Object(template.clone());
        claim.set("apiVersion", "v1");
        claim.set("kind", "PersistentVolumeClaim");
        claim.remove("status");
        claim.set("metadata.name", claim_name(set.name(), name, ordinal));
        claim.set("metadata.namespace", set.namespace());
        for (key, text) in set.at("spec.selector.matchLabels").entries() {
            label(&mut claim, key, text.str_or_empty());
        }
        let policy = set.at("spec.persistentVolumeClaimRetentionPolicy");
        if policy.get("whenDeleted").as_str() == Some("Delete") {
            let mut owner = owner_reference(Kind::StatefulSet, set);
            owner.remove("blockOwnerDeletion");
            owner.set("controller", true);
            claim.set("metadata.ownerReferences", vec![owner]);
        }
        claim
    };
    templates.map(claim).collect()
}

/// The Pod with this number, from a set that has the template wanted.
fn new_pod(set: &Object, revision: &str, ordinal: i64) -> Object {
    let name = format!("{}-{ordinal}", set.name());
    let mut pod = pod_from(Kind::StatefulSet, set, set.at("spec.template"));
    pod.set("metadata.name", name.clone());
    label(&mut pod, POD_NAME, &name);
    label(&mut pod, POD_INDEX, &ordinal.to_string());
    label(&mut pod, REVISION_LABEL, revision);
    pod.set("spec.hostname", name);
    pod.set("spec.subdomain", set.at("spec.serviceName").clone());
    if pod.at("spec.subdomain").is_empty() {
        pod.remove("spec.subdomain");
    }
    for template in set.at("spec.volumeClaimTemplates").items() {
        let volume = template.at("metadata.name");
        let claim = claim_name(set.name(), volume.str_or_empty(), ordinal);
        let volumes = pod.at_mut("spec.volumes").list_mut();
        volumes.retain(|v| v.get("name") != volume);
        volumes.push(value!({
            "name": (volume.clone()), "persistentVolumeClaim": {"claimName": (claim)}
        }));
    }
    pod
}

fn revision_of(pod: &Object) -> &str {
    pod.label(REVISION_LABEL).unwrap_or("")
}

/// A Pod that is to be: there already, or planned.
enum Slot<'a> {
    There(&'a Rc<Object>),
    New(i64),
}

/// The Pods that the set wants by number, and those beyond, the highest first.
fn slots<'a>(state: State<'a>) -> (Vec<Slot<'a>>, Vec<&'a Rc<Object>>) {
    let (from, count) = (first(state.set), replicas(state.set).max(0));
    let mut wanted: Vec<Slot<'a>> = (from..from + count).map(Slot::New).collect();
    let mut condemned: Vec<(i64, &Rc<Object>)> = Vec::new();
    for pod in state.pods {
        let Some(n) = ordinal(state.set.name(), pod.name()) else {
            continue;
        };
        let place = usize::try_from(n - from).ok();
        match place.and_then(|place| wanted.get_mut(place)) {
            Some(slot) => *slot = Slot::There(pod),
            None => condemned.push((n, pod)),
        }
    }
    podscope_api::sort::by_key(&mut condemned, |(n, _)| -n);
    (wanted, condemned.into_iter().map(|(_, pod)| pod).collect())
}

/// What to do now. In order: at most one Pod comes or goes per sync, and only when those before it are healthy.
pub fn plan(state: State<'_>) -> Plan {
    let mut plan = Plan::default();
    let set = state.set;
    if set.is_being_deleted() {
        return plan;
    }
    let (wanted, condemned) = slots(state);
    let burst = bursts(set);
    for slot in &wanted {
        let blocked = match slot {
            Slot::New(n) => {
                plan.create.push(versioned(state, *n));
                true
            }
            Slot::There(pod) if matches!(phase(pod), "Failed" | "Succeeded") => {
                if !pod.is_being_deleted() {
                    plan.delete.push((*pod).clone());
                }
                true
            }
            Slot::There(pod) if !is_healthy(set, pod, state.now) && !burst => true,
            Slot::There(pod) => {
                plan.mend.extend(mended(pod));
                false
            }
        };
        if blocked && !burst {
            return plan;
        }
    }
    let unhealthy = first_unhealthy(&wanted, &condemned);
    for pod in condemned {
        if pod.is_being_deleted() {
            if burst {
                continue;
            }
            return plan;
        }
        let first = unhealthy.is_some_and(|u| u.uid() == pod.uid());
        if !burst && !is_healthy(set, pod, state.now) && !first {
            return plan;
        }
        plan.delete.push(pod.clone());
        if !burst {
            return plan;
        }
    }
    let quiet = plan.create.is_empty() && plan.delete.is_empty();
    if is_rolling(set) && (quiet || burst) {
        roll(state, &wanted, &mut plan);
    }
    plan
}

/// The unhealthy Pod with the lowest number.
fn first_unhealthy<'a>(
    wanted: &[Slot<'a>],
    condemned: &[&'a Rc<Object>],
) -> Option<&'a Rc<Object>> {
    let there = wanted.iter().filter_map(|slot| match slot {
        Slot::There(pod) => Some(*pod),
        Slot::New(_) => None,
    });
    there
        .chain(condemned.iter().rev().copied())
        .find(|pod| !is_ready(pod) || pod.is_being_deleted())
}

/// The Pod with the highest number that has an old template goes, when all above it are healthy.
fn roll(state: State<'_>, wanted: &[Slot<'_>], plan: &mut Plan) {
    let from = usize::try_from(partition(state.set)).unwrap_or(usize::MAX);
    for slot in wanted.iter().skip(from).rev() {
        let Slot::There(pod) = slot else { return };
        if revision_of(pod) != state.update.name() && !pod.is_being_deleted() {
            if !plan.delete.iter().any(|p| p.uid() == pod.uid()) {
                plan.delete.push((*pod).clone());
            }
            return;
        }
        if !is_healthy(state.set, pod, state.now) {
            return;
        }
    }
}

/// The Pod with this number at the revision that it should have.
fn versioned(state: State<'_>, ordinal: i64) -> Object {
    let below = ordinal < first(state.set) + partition(state.set);
    let revision = if is_rolling(state.set) && below {
        state.current
    } else {
        state.update
    };
    let set = applied(state.set, revision);
    new_pod(&set, revision.name(), ordinal)
}

/// The Pod with the labels of its identity, when they are wrong.
fn mended(pod: &Rc<Object>) -> Option<Object> {
    let name = pod.name();
    let index = name.rsplit('-').next().unwrap_or("");
    if pod.label(POD_NAME) == Some(name) && pod.label(POD_INDEX) == Some(index) {
        return None;
    }
    let mut mended = (**pod).clone();
    label(&mut mended, POD_NAME, name);
    label(&mut mended, POD_INDEX, index);
    Some(mended)
}

/// The status after this sync: counts, revisions, and the end of a rollout.
pub fn status(state: State<'_>) -> Value {
    let State {
        set, current, now, ..
    } = state;
    let (current_name, update_name) = (current.name(), state.update.name());
    let [mut all, mut ready, mut available, mut old, mut new] = [0i64; 5];
    for pod in state.pods {
        if ordinal(set.name(), pod.name()).is_none() || phase(pod).is_empty() {
            continue;
        }
        all += 1;
        if is_ready(pod) {
            ready += 1;
            available += i64::from(is_available(pod, min_ready(set), now));
        }
        if !pod.is_being_deleted() {
            old += i64::from(revision_of(pod) == current_name);
            new += i64::from(revision_of(pod) == update_name);
        }
    }
    let wanted = replicas(set);
    let complete = is_rolling(set) && new == all && ready == all && all == wanted;
    let (old, current_name) = if complete {
        (new, update_name)
    } else {
        (old, current_name)
    };
    let mut status = set.status().clone();
    for (field, n) in [("replicas", all), ("availableReplicas", available)] {
        status.set(field, n);
    }
    for (field, n) in [
        ("readyReplicas", ready),
        ("currentReplicas", old),
        ("updatedReplicas", new),
    ] {
        if n == 0 {
            status.map_mut().remove(field);
        } else {
            status.set(field, n);
        }
    }
    status.set("observedGeneration", set.generation());
    status.set("currentRevision", current_name);
    status.set("updateRevision", update_name);
    if status.get("collisionCount").is_null() {
        status.set("collisionCount", 0);
    }
    status
}

/// The Pods that are not healthy yet wait for the time that they have to be Ready.
pub fn waits_for_available(set: &Object, status: &Value) -> bool {
    min_ready(set) > 0 && status.get("availableReplicas").as_int() != Some(replicas(set))
}
