//! Volumes: ConfigMaps and Secrets are fetched, the service account token is asked for.
//!
//! Models: pkg/kubelet/volumemanager, pkg/volume/{configmap,secret,projected} (v1.36)
//! Left out: attachable volumes; a PersistentVolumeClaim counts as mounted.

use super::worker::{Doing, Mode, Worker};
use super::{Kubelet, Sent, VOLUMES, VOLUMES_TIMER, is_not_found};
use crate::client::informer::Caches;
use crate::entry::Timer;
use crate::node::runtime::{Runtime, plugin_of};
use crate::sim::Ctx;
use crate::trace::{Data, Note};
use podscope_api::{Key, Kind, Object, Request, Response, Text, Value, value};
use podscope_kernel::SimDuration;
use podscope_kernel::collections::BTreeMap;

/// The volume manager's pace.
const POLL: SimDuration = SimDuration::millis(300);
/// From the start of a Pod's worker to the volume manager's first look, low and high, in microseconds.
const FIRST_LOOK: (u64, u64) = (100_000, 180_000);
/// First wait after a volume failed; it doubles.
const FIRST_RETRY: SimDuration = SimDuration::millis(500);
/// Longest wait after a volume failed.
const LAST_RETRY: SimDuration = SimDuration::secs(122);

/// A ConfigMap or Secret that a Pod refers to: `configmap/name`, with the volume or container it is for.
struct Need {
    source: Text,
    optional: bool,
}

fn need(kind: &str, name: &Value, optional: &Value) -> Option<Need> {
    let name = name.as_str()?;
    // Every namespace has this one.
    (name != "kube-root-ca.crt").then(|| Need {
        source: format!("{kind}/{name}").into(),
        optional: optional.is_true(),
    })
}

fn volume_needs(volume: &Value) -> Vec<Need> {
    let (map, secret) = (volume.get("configMap"), volume.get("secret"));
    let mut needs: Vec<Need> = need("configmap", map.get("name"), map.get("optional"))
        .into_iter()
        .chain(need(
            "secret",
            secret.get("secretName"),
            secret.get("optional"),
        ))
        .collect();
    for source in volume.at("projected.sources").items() {
        let (map, secret) = (source.get("configMap"), source.get("secret"));
        needs.extend(need("configmap", map.get("name"), map.get("optional")));
        needs.extend(need("secret", secret.get("name"), secret.get("optional")));
    }
    needs
}

fn container_needs(container: &Value) -> Vec<Need> {
    let mut needs = Vec::new();
    for variable in container.get("env").items() {
        let from = variable.get("valueFrom");
        let (map, secret) = (from.get("configMapKeyRef"), from.get("secretKeyRef"));
        needs.extend(need("configmap", map.get("name"), map.get("optional")));
        needs.extend(need("secret", secret.get("name"), secret.get("optional")));
    }
    for from in container.get("envFrom").items() {
        let (map, secret) = (from.get("configMapRef"), from.get("secretRef"));
        needs.extend(need("configmap", map.get("name"), map.get("optional")));
        needs.extend(need("secret", secret.get("name"), secret.get("optional")));
    }
    needs
}

fn has_token(volume: &Value) -> bool {
    let sources = volume.at("projected.sources").items();
    sources
        .iter()
        .any(|s| !s.get("serviceAccountToken").is_null())
}

/// The source as the kubelet names it when it is missing: `configmap "x" not found`.
fn missing(source: &str) -> String {
    let (kind, name) = source.split_once('/').unwrap_or(("", source));
    format!("{kind} \"{name}\" not found")
}

impl Kubelet {
    /// Begins to fetch what the Pod's volumes and variables come from.
    pub(super) fn begin_volumes(&mut self, worker: &mut Worker, ctx: &mut Ctx<'_>) {
        worker.doing = Doing::Volumes;
        worker.asked = false;
        // The volume manager finds the Pod at its next pass.
        let wait = ctx.jitter("kubelet", FIRST_LOOK);
        let timer = Timer::keyed(VOLUMES_TIMER, worker.pod.key());
        ctx.set_timer(wait, timer);
    }

    fn ask_token(&mut self, worker: &Worker, ctx: &mut Ctx<'_>) {
        let pod = &worker.pod;
        let account = match pod.at("spec.serviceAccountName").str_or_empty() {
            "" => "default",
            name => name,
        };
        let body = value!({
            "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "metadata": {},
            "spec": {
                "audiences": ["https://kubernetes.default.svc.cluster.local"], "expirationSeconds": 3607,
                "boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": (pod.name()), "uid": (pod.uid())}
            }
        });
        let mut request = Request::create(Kind::ServiceAccount, Object(body));
        request.namespace = pod.key().namespace;
        request.name = account.into();
        request.subresource = "token".into();
        let id = ctx.request(request);
        self.sent.insert(id, Sent::Token(pod.key()));
    }

    fn fetch_sources(&mut self, worker: &mut Worker, ctx: &mut Ctx<'_>) {
        let spec = worker.pod.spec().clone();
        let volumes = spec.get("volumes").items().iter().flat_map(volume_needs);
        let all = [spec.get("initContainers"), spec.get("containers")];
        let containers = all.iter().flat_map(|c| c.items()).flat_map(container_needs);
        let mut asked = BTreeMap::new();
        for need in volumes.chain(containers).take(200) {
            if worker.sources.get(&need.source).copied().flatten() == Some(true) {
                asked.insert(need.source, Some(true));
                continue;
            }
            if asked.contains_key(&need.source) {
                continue;
            }
            let kind = if need.source.starts_with("secret/") {
                Kind::Secret
            } else {
                Kind::ConfigMap
            };
            let name = need.source.split_once('/').map_or("", |(_, n)| n);
            let key = worker.pod.key();
            let id = ctx.request(Request::get(kind, key.namespace.clone(), name));
            self.sent.insert(id, Sent::Source(key, need.source.clone()));
            // Until the answer comes, what was missing counts as missing.
            let before = worker.sources.get(&need.source).copied().flatten();
            asked.insert(need.source, before);
        }
        worker.sources = asked;
    }

    /// The token has arrived, or not.
    pub(super) fn token_answered(&mut self, key: &Key, response: &Response, ctx: &mut Ctx<'_>) {
        let Some(worker) = self.pods.get_mut(key) else {
            return;
        };
        if response.is_ok() {
            worker.token = true;
        } else if worker.doing == Doing::Volumes && worker.mode == Mode::Syncing {
            let worker = worker.clone();
            let _ = ctx;
            self.failed_volume(&worker, "kube-api-access", "failed to fetch token", ctx);
        }
    }

    /// A ConfigMap or Secret has arrived, or not.
    pub(super) fn source_answered(
        &mut self,
        key: &Key,
        source: Text,
        response: &Response,
        _ctx: &mut Ctx<'_>,
    ) {
        let Some(worker) = self.pods.get_mut(key) else {
            return;
        };
        let found = match response {
            Ok(_) => Some(true),
            Err(_) if is_not_found(response) => Some(false),
            Err(_) => return,
        };
        if let Some(place) = worker.sources.get_mut(&source) {
            *place = found;
        }
    }

    fn failed_volume(&mut self, worker: &Worker, volume: &str, why: &str, ctx: &mut Ctx<'_>) {
        let pod = worker.pod.clone();
        let message = format!("MountVolume.SetUp failed for volume \"{volume}\" : {why}");
        self.event(&pod, "", "Warning", "FailedMount", &message, ctx);
    }

    /// Looks whether all volumes are mounted; goes on when they are.
    pub(super) fn look_at_volumes(
        &mut self,
        key: &Key,
        runtime: &mut Runtime,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        let Some(mut worker) = self.pods.remove(key) else {
            return;
        };
        if worker.doing == Doing::Volumes && worker.mode == Mode::Syncing && !worker.asked {
            worker.asked = true;
            let cause = ctx.cause();
            self.fetch_sources(&mut worker, ctx);
            let volumes = worker.pod.at("spec.volumes").items();
            if volumes.iter().any(has_token) && !worker.token {
                self.ask_token(&worker, ctx);
            }
            ctx.set_cause(cause);
            // The worker looks again at the end of its own 300 ms.
            let wait = ctx.jitter("kubelet", (90_000, 160_000));
            ctx.set_timer(wait, Timer::keyed(VOLUMES_TIMER, key.clone()));
        } else if worker.doing == Doing::Volumes
            && worker.mode == Mode::Syncing
            && self.all_mounted(&mut worker, ctx)
        {
            worker.mounted = true;
            worker.doing = Doing::Nothing;
            self.pods.insert(key.clone(), worker);
            self.sync(key, runtime, caches, ctx);
            return;
        }
        self.pods.insert(key.clone(), worker);
    }

    fn all_mounted(&mut self, worker: &mut Worker, ctx: &mut Ctx<'_>) -> bool {
        let pod = worker.pod.clone();
        let volumes = pod.at("spec.volumes").items();
        let mut pending = false;
        let mut failures = Vec::new();
        for volume in volumes {
            let name = volume.get("name").str_or_empty();
            pending |= has_token(volume) && !worker.token;
            for need in volume_needs(volume) {
                match worker.sources.get(&need.source).copied().flatten() {
                    Some(true) => {}
                    Some(false) if need.optional => {}
                    Some(false) => failures.push((name, missing(&need.source))),
                    None => pending = true,
                }
            }
        }
        let timer = Timer::keyed(VOLUMES_TIMER, pod.key());
        if !failures.is_empty() {
            for (volume, why) in &failures {
                self.failed_volume(worker, volume, why, ctx);
            }
            let doubled = worker.volume_wait.times(2);
            worker.volume_wait = doubled.max(FIRST_RETRY).min(LAST_RETRY);
            self.fetch_sources(worker, ctx);
            let timer = Timer::deadline(VOLUMES_TIMER, pod.key());
            ctx.set_timer(worker.volume_wait, timer);
            return false;
        }
        if pending {
            if volumes.iter().any(has_token) && !worker.token && worker.volume_wait > POLL.times(30)
            {
                self.ask_token(worker, ctx);
                worker.volume_wait = SimDuration::ZERO;
            }
            worker.volume_wait = worker.volume_wait + POLL;
            ctx.set_timer(POLL, timer);
            return false;
        }
        let list = volumes.iter().map(|v| {
            let (name, plugin) = (v.get("name").str_or_empty(), plugin_of(v));
            let path = format!(
                "/var/lib/kubelet/pods/{}/volumes/kubernetes.io~{plugin}/{name}",
                pod.uid()
            );
            value!({"name": (name), "plugin": (plugin), "path": (path)})
        });
        let note = Note::new(VOLUMES)
            .about(Kind::Pod, pod.key())
            .arg("count", i64::try_from(volumes.len()).unwrap_or(0))
            .data(Data::Json(Value::list(list).into()));
        ctx.trace(note);
        true
    }

    /// True when a variable's ConfigMap or Secret is missing: the container cannot be created.
    pub(super) fn lacks_config(
        &mut self,
        worker: &mut Worker,
        slot: u8,
        ctx: &mut Ctx<'_>,
    ) -> bool {
        let needs = container_needs(worker.container(slot));
        let absent = needs.iter().find(|n| {
            !n.optional && worker.sources.get(&n.source).copied().flatten() == Some(false)
        });
        let Some(absent) = absent else { return false };
        let why = missing(&absent.source);
        let (pod, field) = (worker.pod.clone(), worker.field(slot));
        let message = format!("Error: {why}");
        self.event(&pod, &field, "Warning", "Failed", &message, ctx);
        self.wait_reason(worker, slot, "CreateContainerConfigError", &why);
        worker.failed = true;
        // What is missing now may be there at the next try.
        self.fetch_sources(worker, ctx);
        true
    }
}
