//! Random clusters and Pods from a seed; small sets of words, so that rules meet each other often.

use crate::filters::Sight;
use podscope_api::{Value, value};

/// A cluster with a Pod that looks for a Node.
#[derive(Clone, Debug)]
pub struct World {
    pub nodes: Vec<Value>,
    /// Pods with `spec.nodeName`.
    pub placed: Vec<Value>,
    /// Pods that wait for a Node, with the Node in `spec.nodeName`.
    pub plans: Vec<Value>,
    /// Namespaces, Services, controllers and budgets.
    pub others: Vec<Value>,
    pub pod: Value,
    /// Where the search begins.
    pub start: u64,
}

impl World {
    pub fn sight(&self) -> Sight<'_> {
        Sight {
            nodes: &self.nodes,
            placed: self.placed.iter().collect(),
            snapshot: self.placed.iter().collect(),
            plans: &self.plans,
            others: &self.others,
            pod: &self.pod,
        }
    }
}

/// splitmix64
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    /// Below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
    /// True in `n` of a hundred.
    pub fn percent(&mut self, n: u64) -> bool {
        self.next() % 100 < n
    }
    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

pub const ZONE: &str = "topology.kubernetes.io/zone";
pub const HOSTNAME: &str = "kubernetes.io/hostname";
const KEYS: [&str; 12] = [
    HOSTNAME, HOSTNAME, HOSTNAME, ZONE, ZONE, ZONE, ZONE, "disk", "disk", "rack", "rack", "gone",
];
const SPACES: [&str; 3] = ["default", "shop", "lab"];

fn taint(rng: &mut Rng) -> Value {
    value!({
        "key": (rng.pick(&["dedicated", "gpu", "node.kubernetes.io/unschedulable"])),
        "value": (rng.pick(&["a", "b", ""])),
        "effect": (rng.pick(&["NoSchedule", "NoExecute", "PreferNoSchedule", "PreferNoSchedule"]))
    })
}

/// A Node; a roomy one has room for most of what Pods ask for, so that other rules decide.
pub fn node(rng: &mut Rng, name: &str, roomy: bool) -> Value {
    let mut labels = Value::map();
    if rng.percent(97) {
        *labels.entry(HOSTNAME) = name.into();
    }
    if rng.percent(85) {
        *labels.entry(ZONE) = rng.pick(&["z1", "z2", "z3"]).into();
    }
    if rng.percent(10) {
        *labels.entry("topology.kubernetes.io/region") = rng.pick(&["r1", "r2"]).into();
    }
    if rng.percent(4) {
        *labels.entry("failure-domain.beta.kubernetes.io/zone") = rng.pick(&["z1", "z9"]).into();
    }
    if rng.percent(60) {
        *labels.entry("disk") = rng.pick(&["ssd", "hdd"]).into();
    }
    if rng.percent(40) {
        *labels.entry("rack") = rng.pick(&["1", "2", "10", "x"]).into();
    }
    let mut room = value!({
        "cpu": (rng.pick(&["1", "2", "4", "1500m", "3.7", "8"])),
        "memory": (rng.pick(&["1Gi", "2Gi", "4000Mi", "8Gi", "3G"])),
        "ephemeral-storage": (rng.pick(&["1Gi", "10Gi"])),
        "pods": (rng.pick(&["1", "2", "4", "110", "110", "110"]))
    });
    if roomy {
        *room.entry("cpu") = rng.pick(&["16", "32"]).into();
        *room.entry("memory") = rng.pick(&["16Gi", "48Gi"]).into();
        *room.entry("pods") = "110".into();
    }
    if rng.percent(30) {
        *room.entry("nvidia.com/gpu") = rng.pick(&["0", "1", "2", "4"]).into();
    }
    if rng.percent(15) {
        *room.entry("hugepages-2Mi") = rng.pick(&["64Mi", "1Gi"]).into();
    }
    for what in ["cpu", "memory", "pods", "ephemeral-storage"] {
        if rng.percent(2) {
            room.remove(what);
        }
    }
    let mut node = value!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": (name), "uid": (name), "labels": (labels)},
        "spec": {}, "status": {"allocatable": (room)}
    });
    if rng.percent(3) {
        node.remove("metadata.labels");
    }
    let count = [0, 0, 0, 1, 1, 2, 3][rng.below(7)];
    if count > 0 && rng.percent(50) {
        node.set("spec.taints", Value::list((0..count).map(|_| taint(rng))));
    }
    if rng.percent(6) {
        node.set("spec.unschedulable", true);
    }
    let mut images = Vec::new();
    for (names, size) in [
        (vec!["nginx:latest"], 150),
        (vec!["registry:5000/db:1", "registry:5000/db:latest"], 2500),
        (vec!["registry:5000/tool:latest"], 20),
        (vec!["data:v2"], 900),
    ] {
        if rng.percent(30) {
            let names = Value::list(names.into_iter().map(Value::from));
            images.push(value!({"names": (names), "sizeBytes": ((size as i64) << 20)}));
        }
    }
    node.set("status.images", Value::list(images));
    node
}

fn selector(rng: &mut Rng) -> Value {
    let app = |rng: &mut Rng| Value::from(rng.pick(&["a", "b", "c"]));
    match rng.below(12) {
        0 => value!({}),
        1 => value!({"matchExpressions": [{"key": "app", "operator": "Exists"}]}),
        2 => value!({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}),
        3 => {
            let values = Value::list([app(rng), app(rng)]);
            value!({"matchExpressions": [{"key": "app", "operator": "In", "values": (values)}]})
        }
        4 => {
            let values = Value::list([app(rng)]);
            value!({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": (values)}]})
        }
        5 => value!({"matchLabels": {"app": (app(rng)), "tier": "x"}}),
        _ => value!({"matchLabels": {"app": (app(rng))}}),
    }
}

fn affinity_term(rng: &mut Rng) -> Value {
    let mut term = value!({"topologyKey": (rng.pick(&KEYS))});
    if rng.percent(96) {
        term.set("labelSelector", selector(rng));
    }
    if rng.percent(15) {
        term.set(
            "namespaces",
            Value::list([Value::from(rng.pick(&SPACES)), rng.pick(&SPACES).into()]),
        );
    }
    if rng.percent(15) {
        let by = match rng.below(3) {
            0 => value!({}),
            1 => value!({"matchLabels": {"team": "blue"}}),
            _ => value!({"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}),
        };
        term.set("namespaceSelector", by);
    }
    term
}

fn some(rng: &mut Rng, most: usize, make: impl Fn(&mut Rng) -> Value) -> Value {
    let count = 1 + rng.below(most);
    Value::list((0..count).map(|_| make(rng)))
}

fn pod_affinity(rng: &mut Rng, pod: &mut Value, often: u64) {
    for kind in ["podAffinity", "podAntiAffinity"] {
        let path = format!("spec.affinity.{kind}");
        if rng.percent(often) {
            let terms = some(rng, 2, affinity_term);
            pod.set(
                &format!("{path}.requiredDuringSchedulingIgnoredDuringExecution"),
                terms,
            );
        }
        if rng.percent(often) {
            let terms = some(
                rng,
                3,
                |rng| value!({"weight": ((1 + rng.below(100)) as i64), "podAffinityTerm": (affinity_term(rng))}),
            );
            pod.set(
                &format!("{path}.preferredDuringSchedulingIgnoredDuringExecution"),
                terms,
            );
        }
    }
}

fn node_term(rng: &mut Rng) -> Value {
    let mut term = Value::map();
    if rng.percent(85) {
        let rules = some(rng, 2, |rng| match rng.below(8) {
            0 => value!({"key": "disk", "operator": "In", "values": ["ssd"]}),
            1 => value!({"key": "disk", "operator": "NotIn", "values": ["ssd"]}),
            2 => value!({"key": (rng.pick(&KEYS)), "operator": "Exists"}),
            3 => value!({"key": "rack", "operator": "DoesNotExist"}),
            4 => value!({"key": "rack", "operator": "Gt", "values": [(rng.pick(&["1", "5"]))]}),
            5 => value!({"key": "rack", "operator": "Lt", "values": [(rng.pick(&["2", "10"]))]}),
            6 => {
                value!({"key": (ZONE), "operator": "In", "values": ["z1", (rng.pick(&["z2", "z3"]))]})
            }
            _ => {
                value!({"key": "disk", "operator": (rng.pick(&["In", "NotIn"])), "values": [(rng.pick(&["ssd", "bad value!"]))]})
            }
        });
        term.set("matchExpressions", rules);
    }
    if rng.percent(12) {
        let name = format!("node-{}", rng.below(8));
        let operator = rng.pick(&["In", "In", "In", "NotIn"]);
        let rule = value!({"key": "metadata.name", "operator": (operator), "values": [(name)]});
        let twice = match rng.percent(15) {
            true => vec![
                rule,
                value!({"key": "metadata.name", "operator": "In", "values": ["node-1"]}),
            ],
            false => vec![rule],
        };
        term.set("matchFields", Value::list(twice));
    }
    term
}

fn container(rng: &mut Rng, name: &str, ports: bool) -> Value {
    let mut asked = Value::map();
    if rng.percent(60) {
        *asked.entry("cpu") = rng
            .pick(&["100m", "250m", "500m", "1", "0", "1.5", "2500u", "3"])
            .replace("2500u", "0.0025")
            .into();
    }
    if rng.percent(60) {
        *asked.entry("memory") = rng
            .pick(&["64Mi", "256Mi", "0.5Gi", "1G", "0", "2Gi"])
            .into();
    }
    if rng.percent(8) {
        *asked.entry("ephemeral-storage") = rng.pick(&["500Mi", "2Gi"]).into();
    }
    if rng.percent(4) {
        *asked.entry("nvidia.com/gpu") = rng.pick(&["1", "2", "0"]).into();
    }
    if rng.percent(1) {
        *asked.entry("hugepages-2Mi") = "64Mi".into();
    }
    let mut container = value!({
        "name": (name),
        "image": (rng.pick(&["nginx", "nginx:latest", "registry:5000/db:1", "registry:5000/tool", "data:v2", "new"])),
        "resources": {"requests": (asked)}
    });
    if ports {
        let ports = some(rng, 2, |rng| {
            let mut port = value!({"containerPort": 80});
            if rng.percent(80) {
                port.set("hostPort", [80, 443][rng.below(2)]);
            }
            if rng.percent(30) {
                port.set("hostIP", rng.pick(&["127.0.0.1", "10.0.0.1", "0.0.0.0"]));
            }
            if rng.percent(30) {
                port.set("protocol", rng.pick(&["TCP", "UDP"]));
            }
            port
        });
        container.set("ports", ports);
    }
    container
}

/// A Pod with `often` of a hundred for every rarer field.
pub fn pod(rng: &mut Rng, name: &str, often: u64) -> Value {
    let mut labels = Value::map();
    if rng.percent(90) {
        *labels.entry("app") = rng.pick(&["a", "b", "c"]).into();
    }
    if rng.percent(20) {
        *labels.entry("tier") = rng.pick(&["x", "y"]).into();
    }
    let mut pod = value!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": (name), "uid": (name), "labels": (labels),
            "namespace": (rng.pick(&["default", "default", "default", "shop", "lab"]))
        },
        "spec": {"priority": ([0, 0, 0, 10, 100, 1000, -5][rng.below(7)])},
        "status": {}
    });
    let ports = rng.percent(often);
    let containers = (0..1 + rng.below(2)).map(|i| container(rng, &format!("c{i}"), ports));
    pod.set("spec.containers", Value::list(containers));
    if rng.percent(often) {
        let early = some(rng, 3, |rng| {
            let ports = rng.percent(20);
            let mut container = container(rng, "early", ports);
            if rng.percent(50) {
                container.set("restartPolicy", "Always");
            }
            container
        });
        pod.set("spec.initContainers", early);
    }
    if rng.percent(often / 2) {
        pod.set("spec.overhead", value!({"cpu": "50m", "memory": "100Mi"}));
    }
    if rng.percent(often / 2) {
        let mut asked = Value::map();
        if rng.percent(60) {
            *asked.entry("cpu") = rng.pick(&["1", "200m"]).into();
        }
        if rng.percent(60) {
            *asked.entry("memory") = "512Mi".into();
        }
        if !asked.entries().is_empty() {
            pod.set("spec.resources.requests", asked);
        }
    }
    pod_affinity(rng, &mut pod, often);
    pod
}

/// The Pod that looks for a Node: more of everything.
fn incoming(rng: &mut Rng) -> Value {
    let often = [0, 5, 15, 40][rng.below(4)];
    let mut pod = pod(rng, "incoming", often);
    pod.set("spec.priority", [0, 10, 1000, 100_000][rng.below(4)]);
    if rng.percent(40) {
        let tolerations = some(rng, 3, |rng| {
            let mut one = Value::map();
            if rng.percent(85) {
                one.set(
                    "key",
                    rng.pick(&["dedicated", "gpu", "node.kubernetes.io/unschedulable"]),
                );
            }
            match rng.below(3) {
                0 => one.set("operator", "Exists"),
                1 => one.set("operator", "Equal"),
                _ => {}
            }
            if one.get("operator").as_str() != Some("Exists") {
                if one.get("key").is_null() {
                    one.set("operator", "Exists");
                } else {
                    one.set("value", rng.pick(&["a", "b", ""]));
                }
            }
            if rng.percent(60) {
                one.set(
                    "effect",
                    rng.pick(&["NoSchedule", "NoExecute", "PreferNoSchedule"]),
                );
            }
            one
        });
        pod.set("spec.tolerations", tolerations);
    }
    if rng.percent(often) {
        pod.set("spec.nodeSelector", value!({"disk": "ssd"}));
    }
    let path = "spec.affinity.nodeAffinity";
    if rng.percent(often + 5) {
        let terms = some(rng, 3, node_term);
        pod.set(
            &format!("{path}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"),
            terms,
        );
    }
    if rng.percent(often + 10) {
        let terms = some(rng, 3, |rng| {
            let mut term = node_term(rng);
            // Terms that cannot be read end the attempt with an error here; see malformed terms.
            if podscope_api::json::to_string(&term).contains("bad value")
                || term.get("matchFields").items().len() > 1
            {
                term = value!({});
            }
            value!({"weight": ((1 + rng.below(100)) as i64), "preference": (term)})
        });
        pod.set(
            &format!("{path}.preferredDuringSchedulingIgnoredDuringExecution"),
            terms,
        );
    }
    if rng.percent(often + 15) {
        let rules = some(rng, 3, |rng| {
            let mut rule = value!({
                "topologyKey": (rng.pick(&[HOSTNAME, HOSTNAME, HOSTNAME, ZONE, ZONE, ZONE, ZONE, ZONE, "disk", "gone"])),
                "maxSkew": ((1 + rng.below(3)) as i64),
                "whenUnsatisfiable": (rng.pick(&["DoNotSchedule", "ScheduleAnyway"]))
            });
            if rng.percent(95) {
                rule.set("labelSelector", selector(rng));
                if rng.percent(10) {
                    rule.set("matchLabelKeys", value!(["tier", "absent"]));
                }
            }
            let hard = rule.get("whenUnsatisfiable").as_str() == Some("DoNotSchedule");
            if hard && rng.percent(20) {
                rule.set("minDomains", (1 + rng.below(4)) as i64);
            }
            if rng.percent(20) {
                rule.set("nodeAffinityPolicy", rng.pick(&["Honor", "Ignore"]));
            }
            if rng.percent(20) {
                rule.set("nodeTaintsPolicy", rng.pick(&["Honor", "Ignore"]));
            }
            rule
        });
        pod.set("spec.topologySpreadConstraints", rules);
    }
    if rng.percent(30) {
        let name = rng.pick(&["own", "own", "missing"]);
        let kind = rng.pick(&["ReplicaSet", "ReplicaSet", "StatefulSet"]);
        pod.set(
            "metadata.ownerReferences",
            value!([{"apiVersion": "apps/v1", "kind": (kind), "name": (name), "uid": "own", "controller": true}]),
        );
    }
    if rng.percent(often / 8) {
        pod.set("spec.nodeName", format!("node-{}", rng.below(5)));
    }
    if rng.percent(5) {
        pod.set("spec.preemptionPolicy", "Never");
    }
    if rng.percent(5) {
        pod.set("status.nominatedNodeName", format!("node-{}", rng.below(6)));
    }
    if rng.percent(often / 2) {
        pod.set(
            "spec.volumes",
            value!([{"name": "v", "image": {"reference": "data:v2"}}]),
        );
    }
    pod
}

fn others(rng: &mut Rng) -> Vec<Value> {
    let mut out = Vec::new();
    for space in SPACES {
        let mut labels = value!({"kubernetes.io/metadata.name": (space)});
        if rng.percent(50) {
            *labels.entry("team") = rng.pick(&["blue", "red"]).into();
        }
        out.push(value!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": (space), "labels": (labels)}
        }));
    }
    for i in 0..rng.below(3) {
        let mut service = value!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": (format!("s{i}")), "namespace": (rng.pick(&SPACES))},
            "spec": {}
        });
        if rng.percent(90) {
            service.set("spec.selector", value!({"app": (rng.pick(&["a", "b"]))}));
        }
        out.push(service);
    }
    for kind in ["ReplicaSet", "StatefulSet"] {
        if rng.percent(50) {
            out.push(value!({
                "apiVersion": "apps/v1", "kind": (kind),
                "metadata": {"name": "own", "namespace": "default"},
                "spec": {"selector": (selector(rng))}
            }));
        }
    }
    for i in 0..rng.below(4) {
        let mut budget = value!({
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
            "metadata": {"name": (format!("b{i}")), "namespace": (rng.pick(&["default", "shop"]))},
            "spec": {},
            "status": {"disruptionsAllowed": (rng.below(3) as i64)}
        });
        if rng.percent(95) {
            budget.set("spec.selector", selector(rng));
        }
        if rng.percent(15) {
            budget.set(
                "status.disruptedPods",
                value!({"p1": "2026-01-01T00:00:00Z", "p4": "2026-01-01T00:00:00Z"}),
            );
        }
        out.push(budget);
    }
    out
}

/// A cluster of up to `most` Nodes.
pub fn world(seed: u64, most: usize) -> World {
    let mut rng = Rng(seed);
    let rng = &mut rng;
    let count = match rng.below(50) {
        0 => 0,
        _ => 1 + rng.below(most),
    };
    let roomy = rng.percent(60);
    let nodes: Vec<Value> = (0..count)
        .map(|i| node(rng, &format!("node-{i}"), roomy))
        .collect();
    let crowd = [0, 1, 3, 5, 8][rng.below(5)] * count;
    let often = [0, 3, 12][rng.below(3)];
    let mut placed = Vec::new();
    for i in 0..crowd / 2 + rng.below(crowd / 2 + 1) {
        let mut pod = pod(rng, &format!("p{i}"), often);
        pod.set("spec.nodeName", format!("node-{}", rng.below(count)));
        // Every start is another one, so that importance is never a tie.
        pod.set(
            "status.startTime",
            format!("2026-01-01T00:{:02}:{:02}Z", rng.below(60), i % 60),
        );
        if rng.percent(10) {
            pod.set("metadata.deletionTimestamp", "2026-01-02T00:00:00Z");
            if rng.percent(30) {
                pod.set(
                    "status.conditions",
                    value!([{"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}]),
                );
            }
        }
        placed.push(pod);
    }
    let mut plans = Vec::new();
    if count > 0 && rng.percent(15) {
        for i in 0..1 + rng.below(3) {
            let mut pod = pod(rng, &format!("plan{i}"), often);
            pod.set("spec.nodeName", format!("node-{}", rng.below(count)));
            plans.push(pod);
        }
    }
    World {
        nodes,
        placed,
        plans,
        others: others(rng),
        pod: incoming(rng),
        start: rng.below(count.max(1)) as u64,
    }
}
