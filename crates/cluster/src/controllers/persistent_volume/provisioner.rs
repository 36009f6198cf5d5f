//! The external provisioners of the simulated cluster: they make a volume for a claim that asks for one, and
//! delete it when its claim is gone.
//!
//! They stand for the programs that a cluster's owner installs: one that makes folders on the chosen Node, and
//! disks of a zone. A class with any other provisioner is served by nobody, as in a cluster without that program.
//!
//! Models: sig-storage-lib-external-provisioner controller. Left out: their being Pods of the cluster.

use super::volume::is_disposable;
use super::{DELETE, PROVISION, PROVISIONED_BY, PROVISIONER};
use crate::client::informer::{CacheEvent, Caches};
use crate::client::recorder::{Recorder, Regarding, Style};
use crate::component::ControllerId;
use crate::controllers::meta::{self, failure_text};
use crate::controllers::{Controller, Next, Resume, Work};
use crate::scheduler::volumes::{SELECTED_NODE, class_of, is_delayed};
use crate::sim::Ctx;
use crate::trace::Note;
use podscope_api::{Key, Kind, Object, Request, Value, value};
use podscope_kernel::collections::BTreeMap;
use podscope_kernel::{SimDuration, SimTime};

/// From the order to the finished volume, low and high, in microseconds.
const MAKING: (u64, u64) = (1_000_000, 3_000_000);

/// What a provisioner makes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Makes {
    /// A folder on one Node.
    Folder,
    /// A disk that the Nodes of one zone can reach.
    Disk,
}

/// The provisioners that are there.
const KNOWN: &[(&str, Makes)] = &[
    ("rancher.io/local-path", Makes::Folder),
    ("ebs.csi.aws.com", Makes::Disk),
    ("pd.csi.storage.gke.io", Makes::Disk),
    ("disk.csi.azure.com", Makes::Disk),
];

const ASKED: u8 = 1;
const GONE: u8 = 2;

/// The provisioners.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Provisioner {
    recorders: BTreeMap<&'static str, Recorder>,
    /// Claims whose volumes are being made, and volumes that are being deleted, with when that is done.
    busy: BTreeMap<Key, SimTime>,
}

fn known(name: &str) -> Option<(&'static str, Makes)> {
    KNOWN.iter().find(|(known, _)| *known == name).copied()
}

/// The name of the volume for a claim.
fn volume_name(claim: &Object) -> String {
    ["pvc-", claim.uid()].concat()
}

impl Provisioner {
    fn tell(
        &mut self,
        who: &'static str,
        claim: &Object,
        event: (&str, &str),
        text: &str,
        ctx: &mut Ctx<'_>,
    ) {
        let recorder = self
            .recorders
            .entry(who)
            .or_insert_with(|| Recorder::new(who, "", Style::Core));
        let regarding = Regarding::object(Kind::PersistentVolumeClaim, claim);
        recorder.record(ctx, regarding, event.0, event.1, "", text);
    }

    fn make(&mut self, key: &Key, caches: &Caches, ctx: &mut Ctx<'_>) -> Next {
        let claim = caches.get(Kind::PersistentVolumeClaim, key);
        let wanted = claim.and_then(|claim| {
            let (who, makes) = known(claim.annotation(PROVISIONER[1])?)?;
            let free = claim.spec().get("volumeName").str_or_empty().is_empty();
            let class = caches.get(Kind::StorageClass, &Key::new("", class_of(claim)))?;
            let ready = !is_delayed(Some(class)) || claim.annotation(SELECTED_NODE).is_some();
            let new = caches.get(Kind::PersistentVolume, &Key::new("", volume_name(claim)));
            (free && ready && new.is_none() && !claim.is_being_deleted())
                .then(|| (claim.clone(), class.clone(), who, makes))
        });
        let Some((claim, class, who, makes)) = wanted else {
            self.busy.remove(key);
            return Next::Done;
        };
        let node = claim.annotation(SELECTED_NODE).unwrap_or("").to_string();
        match self.busy.get(key) {
            Some(done) if *done > ctx.now() => return Next::After(done.since(ctx.now())),
            Some(_) => {}
            None => {
                let text =
                    format!("External provisioner is provisioning volume for claim \"{key}\"");
                self.tell(who, &claim, ("Normal", "Provisioning"), &text, ctx);
                if let Err(why) = possible(&claim, makes, &node) {
                    let class = class.name();
                    let text =
                        format!("failed to provision volume with StorageClass \"{class}\": {why}");
                    self.tell(who, &claim, ("Warning", "ProvisioningFailed"), &text, ctx);
                    return Next::Retry(text);
                }
                let wait = ctx.jitter("provisioner", MAKING);
                self.busy.insert(key.clone(), ctx.now() + wait);
                return Next::After(wait);
            }
        }
        let volume = new_volume(&claim, &class, (who, makes), &node, caches);
        ctx.trace(
            Note::new(PROVISION)
                .about(Kind::PersistentVolumeClaim, key.clone())
                .arg("volume", volume.key().name)
                .arg("provisioner", who)
                .arg("node", node),
        );
        Next::Call {
            requests: vec![Request::create(Kind::PersistentVolume, volume)],
            stage: ASKED,
        }
    }

    fn dispose(&mut self, key: &Key, caches: &Caches, ctx: &mut Ctx<'_>) -> Next {
        let volume = caches.get(Kind::PersistentVolume, key);
        let who = volume.and_then(|v| known(v.annotation(PROVISIONED_BY)?));
        let due = volume.is_some_and(|v| {
            let released = v.status().get("phase").as_str() == Some("Released");
            released && is_disposable(v) && !v.is_being_deleted()
        });
        let (Some((who, _)), true) = (who, due) else {
            self.busy.remove(key);
            return Next::Done;
        };
        match self.busy.get(key) {
            Some(done) if *done > ctx.now() => return Next::After(done.since(ctx.now())),
            Some(_) => {}
            None => {
                let wait = ctx.jitter("provisioner", MAKING);
                self.busy.insert(key.clone(), ctx.now() + wait);
                return Next::After(wait);
            }
        }
        self.busy.remove(key);
        ctx.trace(
            Note::new(DELETE)
                .about(Kind::PersistentVolume, key.clone())
                .arg("provisioner", who),
        );
        Next::Call {
            requests: vec![Request::delete(
                Kind::PersistentVolume,
                "",
                key.name.clone(),
            )],
            stage: GONE,
        }
    }
}

/// Whether a volume can be made.
///
/// # Errors
/// Why not, in the provisioner's words.
fn possible(claim: &Object, makes: Makes, node: &str) -> Result<(), &'static str> {
    let modes = claim.spec().get("accessModes").items().iter();
    let mut modes = modes.filter_map(Value::as_str);
    let shared = modes.any(|mode| matches!(mode, "ReadWriteMany" | "ReadOnlyMany"));
    match makes {
        Makes::Folder if node.is_empty() => Err("configuration error, no node was specified"),
        Makes::Folder if shared => {
            Err("NodePath only supports ReadWriteOnce and ReadWriteOncePod (1.22+) access modes")
        }
        Makes::Disk if shared => {
            Err("rpc error: code = InvalidArgument desc = Volume capabilities not supported")
        }
        _ => Ok(()),
    }
}

/// The volume for a claim. A disk of no chosen Node lies in the zone of the first Node.
fn new_volume(
    claim: &Object,
    class: &Object,
    (who, makes): (&str, Makes),
    node: &str,
    caches: &Caches,
) -> Object {
    const HOSTNAME: &str = "kubernetes.io/hostname";
    const ZONE: &str = "topology.kubernetes.io/zone";
    let name = volume_name(claim);
    let spec = claim.spec();
    let storage = spec.get("resources").get("requests").get("storage").clone();
    let policy = class.get("reclaimPolicy").as_str().unwrap_or("Delete");
    let mut volume = value!({
        "apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": {"name": (name.clone()), "annotations": {"pv.kubernetes.io/provisioned-by": (who)}},
        "spec": {
            "accessModes": (spec.get("accessModes").clone()),
            "capacity": {"storage": (storage)},
            "claimRef": {
                "apiVersion": "v1", "kind": "PersistentVolumeClaim",
                "name": (claim.name()), "namespace": (claim.namespace()),
                "resourceVersion": (claim.at("metadata.resourceVersion").clone()), "uid": (claim.uid())
            },
            "persistentVolumeReclaimPolicy": (policy),
            "storageClassName": (class.name()),
            "volumeMode": (spec.get("volumeMode").as_str().unwrap_or("Filesystem"))
        }
    });
    let chosen = caches.get(Kind::Node, &Key::new("", node));
    let labels = |key: &str| {
        let node = chosen.or_else(|| caches.list(Kind::Node).next());
        node.and_then(|node| node.label(key).map(str::to_string))
    };
    let (key, place) = match makes {
        Makes::Folder => {
            let (ns, claim) = (claim.namespace(), claim.name());
            let path = format!("/opt/local-path-provisioner/{name}_{ns}_{claim}");
            let folder = value!({"path": (path), "type": "DirectoryOrCreate"});
            volume.set("spec.hostPath", folder);
            (HOSTNAME, labels(HOSTNAME))
        }
        Makes::Disk => {
            let handle = ["vol-", claim.uid()].concat();
            let disk = value!({"driver": (who), "fsType": "ext4", "volumeHandle": (handle)});
            volume.set("spec.csi", disk);
            (ZONE, labels(ZONE))
        }
    };
    if let Some(place) = place {
        let term =
            value!({"matchExpressions": [{"key": (key), "operator": "In", "values": [(place)]}]});
        volume.set(
            "spec.nodeAffinity.required.nodeSelectorTerms",
            Value::list([term]),
        );
    }
    Object(volume)
}

impl Controller for Provisioner {
    const ID: ControllerId = ControllerId::Provisioner;
    const WORKERS: usize = 4;
    const BASE_DELAY: SimDuration = SimDuration::secs(15);
    type Sync = ();

    fn start(&mut self, caches: &Caches, work: &mut Work<'_>, ctx: &mut Ctx<'_>) {
        if ctx.now() > SimTime::ZERO {
            for kind in [Kind::PersistentVolume, Kind::PersistentVolumeClaim] {
                for object in caches.list(kind) {
                    work.add(object.key(), None);
                }
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
        if !matches!(
            event.kind,
            Kind::PersistentVolume | Kind::PersistentVolumeClaim
        ) {
            return;
        }
        let mine = |o: &Object| {
            [PROVISIONER[1], PROVISIONED_BY]
                .iter()
                .any(|a| o.annotation(a).is_some_and(|who| known(who).is_some()))
        };
        if let Some(object) = event.new.as_ref().filter(|o| mine(o)) {
            work.add(object.key(), event.cause);
        }
    }

    #[inline(never)]
    fn reconcile(
        &mut self,
        key: &Key,
        resume: Resume<'_, ()>,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) -> Next {
        match resume.stage {
            0 if key.namespace.is_empty() => self.dispose(key, caches, ctx),
            0 => self.make(key, caches, ctx),
            ASKED => {
                self.busy.remove(key);
                match resume.answers.first() {
                    Some(answer @ Err(failure)) if meta::code(answer) != 409 => {
                        Next::Retry(failure_text(failure).to_string())
                    }
                    _ => {
                        let claim = caches.get(Kind::PersistentVolumeClaim, key).cloned();
                        let who = claim
                            .as_ref()
                            .and_then(|c| known(c.annotation(PROVISIONER[1])?));
                        if let (Some(claim), Some((who, _))) = (claim, who) {
                            let text =
                                format!("Successfully provisioned volume {}", volume_name(&claim));
                            self.tell(who, &claim, ("Normal", "ProvisioningSucceeded"), &text, ctx);
                        }
                        Next::Done
                    }
                }
            }
            _ => Next::Done,
        }
    }
}
