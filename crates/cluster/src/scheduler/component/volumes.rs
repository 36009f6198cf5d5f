//! Reserve and PreBind of VolumeBinding: the claims of a placed Pod get their volumes, first in the scheduler's
//! own memory, then by writing; the Pod is bound when the volume controller has done its part.
//!
//! Models: `pkg/scheduler/framework/plugins/volumebinding/binder.go` AssumePodVolumes, BindPodVolumes (v1.36)

use super::binding::failure_text;
use super::{Call, PRE_BIND, RESERVE, Scheduler, UNRESERVE, VOLUMES_CHECK};
use crate::client::informer::Caches;
use crate::entry::Timer;
use crate::scheduler::node_info::Slot;
use crate::scheduler::plugins::volume_binding::PodVolumes;
use crate::scheduler::plugins::{Cycle, Plugins};
use crate::scheduler::pod_info::PodInfo;
use crate::scheduler::volumes::{SELECTED_NODE, annotate, bound_volume, is_fully_bound, reaches};
use crate::sim::Ctx;
use crate::trace::{Data, Note};
use podscope_api::{Key, Kind, Object, Request, Response, Text, Value, value};
use podscope_kernel::{SimDuration, SimTime};
use std::collections::VecDeque;
use std::rc::Rc;

/// How often PreBind looks whether the claims are bound.
const POLL: SimDuration = SimDuration::secs(1);
/// After this long PreBind gives up (`bindTimeoutSeconds`).
const TIMEOUT: SimDuration = SimDuration::secs(600);

/// What was reserved for a Pod, and how far writing it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Reserved {
    pod: Rc<PodInfo>,
    node: Text,
    /// Still to be written.
    to_write: VecDeque<(Kind, Object)>,
    /// Written, as the API server answered.
    written: Vec<(Kind, Object)>,
    /// Claims that must be bound in the end.
    claims: Vec<Key>,
    /// When writing ended.
    since: SimTime,
}

impl Scheduler {
    /// Reserve: takes the volumes that Filter found on the chosen Node.
    #[inline(never)]
    pub(super) fn reserve(
        &mut self,
        pod: &Rc<PodInfo>,
        slot: Slot,
        plugins: &Plugins,
        ctx: &mut Ctx<'_>,
    ) {
        let cycle = Cycle {
            cache: &self.cache,
            profile: self.profile_for(&pod.object),
            pod,
        };
        let node = self.cache.node(slot).name.clone();
        let found = plugins.volume_binding.on(cycle, self.cache.node(slot));
        let PodVolumes {
            bindings,
            provisions,
        } = found.unwrap_or_default();
        let pair = |(volume, claim): &(Object, Object)| value!({"claim": (claim.name()), "volume": (volume.name())});
        let make = |claim: &Object| value!({"claim": (claim.name())});
        let shown = value!({
            "bindings": (Value::list(bindings.iter().map(pair).collect::<Vec<_>>())),
            "provisions": (Value::list(provisions.iter().map(make).collect::<Vec<_>>()))
        });
        let count = bindings.len() + provisions.len();
        let mut to_write = VecDeque::new();
        let mut claims = Vec::new();
        for (volume, claim) in &bindings {
            claims.push(claim.key());
            to_write.extend(bound_volume(volume, claim).map(|v| (Kind::PersistentVolume, v)));
        }
        for claim in provisions {
            claims.push(claim.key());
            let mut claim = claim;
            annotate(&mut claim, SELECTED_NODE, &node);
            to_write.push_back((Kind::PersistentVolumeClaim, claim));
        }
        for (kind, object) in &to_write {
            self.cache.apply(*kind, &object.key(), Some(object));
        }
        ctx.trace(
            Note::new(RESERVE)
                .about(Kind::Pod, pod.key.clone())
                .arg("node", node.clone())
                .arg("claims", super::count(count))
                .data(Data::Json(shown.into())),
        );
        let reserved = Reserved {
            pod: pod.clone(),
            node,
            to_write,
            written: Vec::new(),
            claims,
            since: ctx.now(),
        };
        self.reserved.insert(pod.key.clone(), reserved);
    }

    /// PreBind begins: the Pod tells where it is going to be, then volumes and claims are written one by one.
    #[inline(never)]
    pub(super) fn pre_bind(
        &mut self,
        pod: &Rc<PodInfo>,
        node: &Text,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        let claims = self.reserved.get(&pod.key).map_or(0, |r| r.claims.len());
        ctx.trace(
            Note::new(PRE_BIND)
                .about(Kind::Pod, pod.key.clone())
                .arg("node", node.clone())
                .arg("claims", super::count(claims)),
        );
        if let Some(latest) = self.latest(pod, caches) {
            let mut wanted = latest.clone();
            wanted.set("status.nominatedNodeName", node.clone());
            self.patch(&latest, &wanted, ctx);
        }
        self.write_next(&pod.key, ctx);
    }

    fn write_next(&mut self, key: &Key, ctx: &mut Ctx<'_>) {
        let Some(reserved) = self.reserved.get_mut(key) else {
            return;
        };
        match reserved.to_write.pop_front() {
            Some((kind, object)) => {
                reserved.written.push((kind, object.clone()));
                let pod = reserved.pod.clone();
                let id = ctx.request(Request::update(kind, "", object));
                self.calls.insert(id, Call::PreBind { pod });
            }
            None => {
                reserved.since = ctx.now();
                ctx.set_timer(POLL, Timer::keyed(VOLUMES_CHECK, key.clone()));
            }
        }
    }

    /// One volume or claim is written, or could not be.
    #[inline(never)]
    pub(super) fn volume_written(
        &mut self,
        pod: &Rc<PodInfo>,
        answer: &Response,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        let Some(reserved) = self.reserved.get_mut(&pod.key) else {
            return;
        };
        if !reserved.pod.is_same(pod) {
            return;
        }
        match answer {
            Ok(answer) => {
                if let Some((_, written)) = reserved.written.last_mut() {
                    *written = (*answer.object).clone();
                }
                self.write_next(&pod.key, ctx);
            }
            Err(failure) => {
                let path = match reserved.written.last() {
                    Some((Kind::PersistentVolume, volume)) => {
                        ["persistentvolumes/", volume.name()].concat()
                    }
                    Some((_, claim)) => {
                        let Key { namespace, name } = claim.key();
                        format!("namespaces/{namespace}/persistentvolumeclaims/{name}")
                    }
                    None => String::new(),
                };
                let why = failure_text(failure, "Put", &path);
                self.pre_bind_failed(&pod.key, &why, caches, ctx);
            }
        }
    }

    /// PreBind looks whether all claims are bound: then the Pod can be, too.
    #[inline(never)]
    pub(super) fn check_volumes(&mut self, key: &Key, caches: &Caches, ctx: &mut Ctx<'_>) {
        let Some(reserved) = self.reserved.get(key) else {
            return;
        };
        match reserved.bound(caches) {
            Ok(true) => {
                let (pod, node) = (reserved.pod.clone(), reserved.node.clone());
                self.bind(pod, node, ctx);
            }
            Ok(false) if ctx.now().since(reserved.since) < TIMEOUT => {
                ctx.set_timer(POLL, Timer::keyed(VOLUMES_CHECK, key.clone()));
            }
            Ok(false) => {
                let why = "binding volumes: context deadline exceeded";
                self.pre_bind_failed(key, why, caches, ctx);
            }
            Err(why) => {
                let why = ["binding volumes: ", &why].concat();
                self.pre_bind_failed(key, &why, caches, ctx);
            }
        }
    }

    fn pre_bind_failed(&mut self, key: &Key, why: &str, caches: &Caches, ctx: &mut Ctx<'_>) {
        let Some(reserved) = self.reserved.get(key) else {
            return;
        };
        let (pod, node) = (reserved.pod.clone(), reserved.node.clone());
        let message = ["running PreBind plugin \"VolumeBinding\": ", why].concat();
        self.failed(&pod, &node, &message, caches, ctx);
    }

    /// Unreserve: volumes and claims are again what the API server says that they are.
    #[inline(never)]
    pub(super) fn unreserve(&mut self, pod: &PodInfo, caches: &Caches, ctx: &mut Ctx<'_>) {
        let reserved = self.reserved.get(&pod.key);
        if reserved.is_none_or(|reserved| !reserved.pod.is_same(pod)) {
            return;
        }
        let Some(reserved) = self.reserved.remove(&pod.key) else {
            return;
        };
        for (kind, object) in reserved.to_write.iter().chain(&reserved.written) {
            let key = object.key();
            let now = caches.get(*kind, &key);
            self.cache.apply(*kind, &key, now.map(|object| &**object));
        }
        ctx.trace(
            Note::new(UNRESERVE)
                .about(Kind::Pod, pod.key.clone())
                .arg("node", reserved.node)
                .arg("claims", super::count(reserved.claims.len())),
        );
    }
}

impl Reserved {
    /// Whether every claim is bound.
    ///
    /// # Errors
    /// Why it never will be.
    fn bound(&self, caches: &Caches) -> Result<bool, String> {
        let Key { name, .. } = &self.pod.key;
        let exists = caches.get(Kind::Pod, &self.pod.key);
        if exists.is_none_or(|pod| pod.uid() != self.pod.object.uid()) {
            return Err(format!(
                "pod does not exist any more: pod \"{name}\" not found"
            ));
        }
        let node = caches.get(Kind::Node, &Key::new("", self.node.clone()));
        let Some(node) = node else {
            let node = &self.node;
            return Err(format!(
                "failed to get node \"{node}\": node \"{node}\" not found"
            ));
        };
        let near = |volume: &Object| {
            if reaches(volume, node.name(), node.labels()) {
                return Ok(());
            }
            let (volume, node) = (volume.name(), node.name());
            Err(format!(
                "pv \"{volume}\" node affinity doesn't match node \"{node}\": no matching NodeSelectorTerms"
            ))
        };
        for (kind, written) in &self.written {
            let Some(now) = caches.get(*kind, &written.key()) else {
                let what = match kind {
                    Kind::PersistentVolume => "failed to check binding",
                    _ => "failed to check provisioning pvc",
                };
                let kind = kind.name();
                return Err(format!(
                    "{what}: could not find {kind} \"{}\"",
                    written.key()
                ));
            };
            if now.resource_version() < written.resource_version() {
                return Ok(false);
            }
            if *kind == Kind::PersistentVolume {
                near(now)?;
                if now.at("spec.claimRef.uid").str_or_empty().is_empty() {
                    return Err(format!("ClaimRef got reset for pv \"{}\"", now.name()));
                }
            } else if now.annotation(SELECTED_NODE) != Some(&*self.node) {
                return Err(format!("provisioning failed for PVC \"{}\"", now.name()));
            }
        }
        for key in &self.claims {
            let Some(claim) = caches.get(Kind::PersistentVolumeClaim, key) else {
                return Err(format!(
                    "failed to check binding: could not find v1.PersistentVolumeClaim \"{key}\""
                ));
            };
            let volume = claim.spec().get("volumeName").str_or_empty();
            if !volume.is_empty() {
                match caches.get(Kind::PersistentVolume, &Key::new("", volume)) {
                    Some(volume) => near(volume)?,
                    None => return Ok(false),
                }
            }
            if !is_fully_bound(claim) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
