//! Claims and volumes in a whole cluster.

use crate::world::{Cluster, Command};
use crate::{ClusterConfig, NodeConfig};
use podscope_api::{Key, Kind, Object, Request, Value, value};
use podscope_kernel::SimDuration;
use std::rc::Rc;

struct Bench {
    cluster: Cluster,
    codes: Vec<&'static str>,
}

impl Bench {
    fn new() -> Bench {
        let node = |i| NodeConfig::worker(format!("node-{i}"), format!("zone-{i}"));
        let config = ClusterConfig {
            nodes: (1..=3).map(node).collect(),
            ..ClusterConfig::default()
        };
        Bench {
            cluster: Cluster::new(config),
            codes: Vec::new(),
        }
    }
    fn send(&mut self, request: Request) {
        let now = self.cluster.now();
        self.cluster
            .command(now, &Command::Request(Rc::new(request)));
    }
    fn create(&mut self, object: Value) {
        let object = Object(object);
        let kind = object.kind().expect("the kind is served");
        self.send(Request::create(kind, object));
    }
    fn pass(&mut self, seconds: u64) {
        let until = self.cluster.now() + SimDuration::secs(seconds);
        while self.cluster.next_time().is_some_and(|t| t <= until) {
            self.cluster.step();
            let trace = self.cluster.take_trace();
            self.codes.extend(trace.iter().map(|event| event.code));
        }
        self.cluster.idle_until(until);
    }
    fn get(&self, kind: Kind, name: &str) -> Option<Object> {
        let namespace = if kind.namespaced() { "default" } else { "" };
        let stored = self.cluster.etcd().get(kind, &Key::new(namespace, name));
        stored.map(|s| (*s.object).clone())
    }
    fn text(&self, kind: Kind, name: &str, path: &str) -> String {
        let object = self.get(kind, name).unwrap_or_default();
        object.at(path).str_or_empty().to_string()
    }
    fn phase(&self, kind: Kind, name: &str) -> String {
        self.text(kind, name, "status.phase")
    }
    fn annotation(&self, name: &str, key: &str) -> Option<String> {
        let claim = self.get(Kind::PersistentVolumeClaim, name)?;
        claim.annotation(key).map(str::to_string)
    }
    /// `reason: message` of the Events about an object, each once, oldest first.
    fn events(&self, name: &str) -> Vec<String> {
        let mut events: Vec<_> = self.cluster.api().cached(Kind::Event).collect();
        podscope_api::sort::by_key(&mut events, |e| {
            e.at("metadata.creationTimestamp")
                .str_or_empty()
                .to_string()
        });
        let about = |e: &&Rc<Object>| {
            let named = |field: &str| e.at(field).as_str() == Some(name);
            named("involvedObject.name") || named("regarding.name")
        };
        let line = |e: &Rc<Object>| {
            let text = match e.at("message").as_str() {
                Some(text) => text,
                None => e.at("note").str_or_empty(),
            };
            format!("{}: {text}", e.at("reason").str_or_empty())
        };
        events.into_iter().filter(about).map(line).collect()
    }
}

fn claim(name: &str, class: Option<&str>) -> Value {
    let mut claim = value!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": (name), "namespace": "default"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    });
    if let Some(class) = class {
        claim.set("spec.storageClassName", class);
    }
    claim
}

fn volume(name: &str, size: &str, class: &str, host: &str) -> Value {
    let mut volume = value!({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": (name)},
        "spec": {
            "capacity": {"storage": (size)}, "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain", "hostPath": {"path": "/data"}
        }
    });
    if !class.is_empty() {
        volume.set("spec.storageClassName", class);
    }
    if !host.is_empty() {
        let term = value!({"matchExpressions": [
            {"key": "kubernetes.io/hostname", "operator": "In", "values": [(host)]}]});
        volume.set(
            "spec.nodeAffinity.required.nodeSelectorTerms",
            Value::list([term]),
        );
    }
    volume
}

fn class(name: &str, provisioner: &str, delayed: bool) -> Value {
    let mode = if delayed {
        "WaitForFirstConsumer"
    } else {
        "Immediate"
    };
    value!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": (name)},
        "provisioner": (provisioner), "volumeBindingMode": (mode)
    })
}

fn pod(name: &str, claim: &str) -> Value {
    value!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": (name), "namespace": "default"},
        "spec": {
            "containers": [{"name": "c", "image": "nginx"}],
            "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": (claim)}}]
        }
    })
}

const PV: Kind = Kind::PersistentVolume;
const PVC: Kind = Kind::PersistentVolumeClaim;

#[test]
fn a_claim_takes_the_smallest_volume_at_once() {
    let mut bench = Bench::new();
    bench.create(volume("big", "10Gi", "", ""));
    bench.create(volume("small", "2Gi", "", ""));
    bench.create(volume("tiny", "100Mi", "", ""));
    bench.pass(2);
    assert_eq!(bench.phase(PV, "small"), "Available");
    bench.create(claim("data", None));
    bench.pass(3);
    assert_eq!(
        (bench.phase(PVC, "data"), bench.phase(PV, "small")),
        ("Bound".into(), "Bound".into())
    );
    assert_eq!(bench.text(PVC, "data", "spec.volumeName"), "small");
    assert_eq!(bench.text(PVC, "data", "status.capacity.storage"), "2Gi");
    assert_eq!(bench.text(PV, "small", "spec.claimRef.name"), "data");
    let yes = Some("yes".to_string());
    assert_eq!(
        bench.annotation("data", "pv.kubernetes.io/bind-completed"),
        yes
    );
    assert_eq!(
        bench.annotation("data", "pv.kubernetes.io/bound-by-controller"),
        yes
    );
    bench.create(pod("web", "data"));
    bench.pass(20);
    assert_eq!(bench.phase(Kind::Pod, "web"), "Running");
    // In use: the claim stays until the Pod is gone. The volume is kept, but not for the next one.
    bench.send(Request::delete(PVC, "default", "data"));
    bench.pass(5);
    assert!(bench.get(PVC, "data").is_some_and(|c| c.is_being_deleted()));
    bench.send(Request::delete(Kind::Pod, "default", "web"));
    bench.pass(60);
    assert_eq!(bench.get(PVC, "data"), None);
    assert_eq!(bench.phase(PV, "small"), "Released");
    bench.create(claim("data", None));
    bench.pass(20);
    assert_eq!(bench.text(PVC, "data", "spec.volumeName"), "big");
}

#[test]
fn a_claim_without_a_volume_says_so_and_takes_one_that_comes() {
    let mut bench = Bench::new();
    bench.create(claim("data", None));
    bench.pass(1);
    bench.create(pod("web", "data"));
    bench.pass(2);
    assert_eq!(bench.phase(PVC, "data"), "Pending");
    assert_eq!(
        bench.events("data"),
        [
            "FailedBinding: no persistent volumes available for this claim and no storage class is set"
        ]
    );
    assert_eq!(
        bench.events("web"),
        [
            "FailedScheduling: 0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"
        ]
    );
    bench.create(volume("disk", "2Gi", "", "node-2"));
    bench.pass(40);
    assert_eq!(bench.phase(PVC, "data"), "Bound");
    assert_eq!(bench.text(Kind::Pod, "web", "spec.nodeName"), "node-2");
    assert_eq!(bench.phase(Kind::Pod, "web"), "Running");
}

#[test]
fn the_first_pod_decides_where_a_waiting_claim_is_bound() {
    let mut bench = Bench::new();
    bench.create(class("local", "kubernetes.io/no-provisioner", true));
    bench.create(volume("disk-2", "2Gi", "local", "node-2"));
    bench.create(volume("disk-3", "3Gi", "local", "node-3"));
    bench.create(claim("data", Some("local")));
    bench.pass(3);
    assert_eq!(bench.phase(PVC, "data"), "Pending");
    assert_eq!(
        bench.events("data"),
        ["WaitForFirstConsumer: waiting for first consumer to be created before binding"]
    );
    let mut web = pod("web", "data");
    web.set(
        "spec.nodeSelector",
        value!({"kubernetes.io/hostname": "node-3"}),
    );
    bench.create(web);
    bench.pass(20);
    assert_eq!(bench.text(PVC, "data", "spec.volumeName"), "disk-3");
    assert_eq!(bench.phase(Kind::Pod, "web"), "Running");
    assert_eq!(bench.text(Kind::Pod, "web", "status.nominatedNodeName"), "");
    for code in ["scheduler.reserve", "scheduler.pre_bind", "scheduler.bound"] {
        assert!(bench.codes.contains(&code), "{code}");
    }
    // A second Pod finds only the other volume, on the other Node.
    bench.create(claim("more", Some("local")));
    bench.create(pod("second", "more"));
    bench.pass(20);
    assert_eq!(bench.text(Kind::Pod, "second", "spec.nodeName"), "node-2");
    bench.create(claim("none", Some("local")));
    bench.create(pod("third", "none"));
    bench.pass(5);
    let why = bench.get(Kind::Pod, "third").unwrap_or_default();
    let why = why
        .condition("PodScheduled")
        .get("message")
        .str_or_empty()
        .to_string();
    assert!(
        why.starts_with(
            "0/3 nodes are available: 3 node(s) didn't find available persistent volumes to bind."
        ),
        "{why}"
    );
}

#[test]
fn a_provisioner_makes_and_deletes_volumes() {
    let mut bench = Bench::new();
    bench.create(class("standard", "rancher.io/local-path", true));
    bench.create(claim("data", Some("standard")));
    bench.create(pod("web", "data"));
    bench.pass(30);
    let claim_now = bench.get(PVC, "data").expect("the claim is there");
    let name = format!("pvc-{}", claim_now.uid());
    assert_eq!(bench.phase(PVC, "data"), "Bound");
    assert_eq!(bench.text(PVC, "data", "spec.volumeName"), name);
    let node = bench.text(Kind::Pod, "web", "spec.nodeName");
    assert_eq!(
        bench.annotation("data", "volume.kubernetes.io/selected-node"),
        Some(node.clone())
    );
    let made = bench.get(PV, &name).expect("the volume is there");
    let term = made
        .at("spec.nodeAffinity.required.nodeSelectorTerms")
        .index(0)
        .clone();
    assert_eq!(
        term.get("matchExpressions")
            .index(0)
            .get("values")
            .index(0)
            .as_str(),
        Some(&*node)
    );
    assert_eq!(bench.phase(Kind::Pod, "web"), "Running");
    let events = bench.events("data");
    for reason in [
        "ExternalProvisioning",
        "Provisioning:",
        "ProvisioningSucceeded",
    ] {
        assert!(
            events.iter().any(|e| e.starts_with(reason)),
            "{reason}: {events:?}"
        );
    }
    bench.send(Request::delete(Kind::Pod, "default", "web"));
    bench.send(Request::delete(PVC, "default", "data"));
    bench.pass(60);
    assert_eq!((bench.get(PVC, "data"), bench.get(PV, &name)), (None, None));
}

#[test]
fn without_its_provisioner_a_claim_waits_and_the_pod_gives_up_and_tries_again() {
    let mut bench = Bench::new();
    bench.create(class("slow", "example.com/disk", true));
    bench.create(claim("data", Some("slow")));
    bench.create(pod("web", "data"));
    bench.pass(30);
    assert_eq!(bench.phase(PVC, "data"), "Pending");
    let nominated = bench.text(Kind::Pod, "web", "status.nominatedNodeName");
    assert_eq!(
        bench.annotation("data", "volume.kubernetes.io/selected-node"),
        Some(nominated)
    );
    assert!(
        bench
            .events("data")
            .iter()
            .any(|e| e.contains("external provisioner 'example.com/disk'"))
    );
    bench.pass(600);
    let why = "FailedScheduling: running PreBind plugin \"VolumeBinding\": binding volumes: context deadline exceeded";
    assert_eq!(bench.events("web"), [why]);
    // A volume made by hand is taken, too.
    let mut disk = volume("disk", "2Gi", "slow", "");
    disk.set(
        "spec.claimRef",
        value!({"name": "data", "namespace": "default"}),
    );
    bench.create(disk);
    bench.pass(60);
    assert_eq!(bench.phase(PVC, "data"), "Bound");
    assert_eq!(bench.phase(Kind::Pod, "web"), "Running");
}

#[test]
fn a_pods_own_claim_is_made_for_it_and_goes_with_it() {
    let mut bench = Bench::new();
    bench.create(class("disk", "ebs.csi.aws.com", false));
    let mut web = pod("web", "");
    web.set(
        "spec.volumes",
        value!([{"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": {
            "accessModes": ["ReadWriteOnce"], "storageClassName": "disk",
            "resources": {"requests": {"storage": "1Gi"}}}}}}]),
    );
    bench.create(web);
    bench.pass(40);
    assert_eq!(bench.phase(PVC, "web-v"), "Bound");
    assert_eq!(bench.phase(Kind::Pod, "web"), "Running");
    // The disk was made before anybody asked where the Pod would run: in the first zone.
    assert_eq!(bench.text(Kind::Pod, "web", "spec.nodeName"), "node-1");
    bench.send(Request::delete(Kind::Pod, "default", "web"));
    bench.pass(60);
    assert_eq!(bench.get(PVC, "web-v"), None);
}

#[test]
fn two_pods_do_not_get_one_volume() {
    let mut bench = Bench::new();
    bench.create(class("local", "kubernetes.io/no-provisioner", true));
    bench.create(volume("only", "2Gi", "local", "node-2"));
    bench.create(claim("one", Some("local")));
    bench.create(claim("two", Some("local")));
    bench.pass(2);
    // Both at once: the second finds nothing while the first is being written.
    bench.create(pod("a", "one"));
    bench.create(pod("b", "two"));
    bench.pass(20);
    let (first, second) = match bench.phase(PVC, "one").as_str() {
        "Bound" => (("a", "one"), ("b", "two")),
        _ => (("b", "two"), ("a", "one")),
    };
    assert_eq!(bench.text(PVC, first.1, "spec.volumeName"), "only");
    assert_eq!(bench.phase(Kind::Pod, first.0), "Running");
    assert_eq!(bench.phase(PVC, second.1), "Pending");
    assert_eq!(bench.text(Kind::Pod, second.0, "spec.nodeName"), "");
    // Another volume wakes the Pod that waits.
    bench.create(volume("more", "2Gi", "local", "node-3"));
    bench.pass(20);
    assert_eq!(bench.phase(Kind::Pod, second.0), "Running");
    assert_eq!(bench.text(Kind::Pod, second.0, "spec.nodeName"), "node-3");
    assert_eq!(bench.text(PVC, second.1, "spec.volumeName"), "more");
}
