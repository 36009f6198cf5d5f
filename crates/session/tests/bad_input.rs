//! Bad input for the scheduler through `kubectl apply`: the server's refusal or a Pod that waits with a
//! reason, never a panic; and no more steps than the stated bound.

use podscope_api::{Key, Kind, Value, json, value};
use podscope_session::Session;
use podscope_session::api::{SessionApi, Source};

const CLUSTER: &str = "podscope: 1\ncluster:\n  nodes:\n  - name: node-1\n  - name: node-2\n";

/// Trace events that one applied Pod may take, whatever is in it, beside the heartbeats: a Pod that is
/// pulled, started and made ready takes about 120.
const MAX_EVENTS: usize = 400;

struct Said {
    exit: Option<i32>,
    output: String,
    /// `metadata`, `spec` and `status` of the Pod; null when it was refused.
    pod: Value,
}

impl Said {
    fn scheduled(&self) -> Value {
        let conditions = self.pod.at("status.conditions").items().iter();
        let mut mine = conditions.filter(|c| c.get("type").as_str() == Some("PodScheduled"));
        mine.next().cloned().unwrap_or_default()
    }
    /// In one line: refused with what, waiting with what, or on which Node.
    fn outcome(&self) -> String {
        let scheduled = self.scheduled();
        let (exit, output) = (self.exit, self.output.replace('\n', " / "));
        match self.pod.at("spec.nodeName").str_or_empty() {
            _ if self.pod.is_null() => format!("refused {exit:?}: {output}"),
            "" => format!("waits: {}", scheduled.get("message").str_or_empty()),
            node => format!("on {node}"),
        }
    }
}

fn pod_text(spec: &Value, metadata: &Value) -> String {
    let mut pod = value!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "bad"},
        "spec": {"containers": [{"name": "c", "image": "nginx"}]}
    });
    pod = podscope_api::patch::merge(
        &pod,
        &value!({"spec": (spec.clone()), "metadata": (metadata.clone())}),
    );
    json::to_string(&pod)
}

/// Applies a Pod `bad` with these parts of its spec, to a cluster of two Nodes.
fn apply(spec: &Value, metadata: &Value) -> Said {
    apply_text(&pod_text(spec, metadata), MAX_EVENTS)
}

fn apply_text(text: &str, most: usize) -> Said {
    let mut session = Session::open(Source::Scenario(CLUSTER)).expect("opens");
    let (before, began) = (session.log().len(), session.now());
    // As a person would: typed into the editor, looked at, applied.
    let _ = session.edit("bad.yaml", text);
    let applied = session.apply("bad.yaml");
    session.run_until_stable();
    let events = session.log().len() - before;
    // Two Nodes' heartbeats, for as long as something is tried again and again.
    let most = most + 6 * ((session.now().0 - began.0) / 1_000_000) as usize;
    let start: String = text.chars().take(4000).collect();
    assert!(events <= most, "{events} trace events after {start}");
    let terminal = session.terminal();
    let last = terminal.last();
    let key = Key::new("default", "bad");
    let stored = session.simulation().cluster().etcd().get(Kind::Pod, &key);
    let said = Said {
        exit: last.and_then(|entry| entry.exit),
        output: match applied {
            Ok(()) => last.map(|e| e.output.to_string()).unwrap_or_default(),
            Err(refused) => format!("session: {}", refused.code),
        },
        pod: stored.map(|s| s.object.0.clone()).unwrap_or_default(),
    };
    // What is said of it does not hang either.
    let _ = (session.view(), session.queues());
    said
}

fn requests(cpu: &str, memory: &str) -> Value {
    value!({"containers": [{"name": "c", "image": "nginx", "resources": {"requests": {"cpu": (cpu), "memory": (memory)}}}]})
}

fn node_affinity(terms: Value) -> Value {
    value!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": (terms)}}}})
}

fn pod_affinity(kind: &str, terms: Value) -> Value {
    let mut spec = Value::map();
    spec.set(
        &format!("affinity.{kind}.requiredDuringSchedulingIgnoredDuringExecution"),
        terms,
    );
    spec
}

#[test]
fn every_bad_pod_gets_the_servers_refusal_or_a_reason() {
    let none = Value::map();
    let cases: Vec<(&str, &str, Value)> = vec![
        ("cpu 1e30", "on node-1", requests("1e30", "1Mi")),
        (
            "cpu 9223372036854775807",
            "on node-1",
            requests("9223372036854775807", "1Mi"),
        ),
        ("memory 1e30", "on node-1", requests("1", "1e30")),
        (
            "memory 9Ei",
            "waits: 0/2 nodes are available: 2 Insufficient memory. ",
            requests("1", "9Ei"),
        ),
        (
            "negative cpu",
            "requests[cpu]: Invalid value: \"-1\": must be greater than or equal to 0",
            requests("-1", "1Mi"),
        ),
        (
            "negative memory",
            "requests[memory]: Invalid value: \"-1Gi\": must be greater than or equal to 0",
            requests("1", "-1Gi"),
        ),
        ("sub-milli cpu", "on node-1", requests("0.0000001", "1Mi")),
        ("sub-milli memory", "on node-1", requests("1", "1m")),
        (
            "not a quantity",
            "quantities must match the regular expression",
            requests("a lot", "1Mi"),
        ),
        (
            "two suffixes",
            "unable to parse quantity's suffix",
            requests("1mm", "1Mi"),
        ),
        (
            "operator",
            "operator: Invalid value: \"Like\": not a valid selector operator",
            node_affinity(
                value!([{"matchExpressions": [{"key": "a", "operator": "Like", "values": ["b"]}]}]),
            ),
        ),
        (
            "In without values",
            "values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
            node_affinity(value!([{"matchExpressions": [{"key": "a", "operator": "In"}]}])),
        ),
        (
            "Gt with a word",
            "waits: 0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector. ",
            node_affinity(
                value!([{"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["much"]}]}]),
            ),
        ),
        (
            "Gt with two",
            "values: Required value: must be specified single value when `operator` is 'Lt' or 'Gt'",
            node_affinity(
                value!([{"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["1", "2"]}]}]),
            ),
        ),
        (
            "Exists with values",
            "values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            node_affinity(
                value!([{"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["1"]}]}]),
            ),
        ),
        (
            "bad key",
            "key: Invalid value: \"a b\": name part must consist of",
            node_affinity(value!([{"matchExpressions": [{"key": "a b", "operator": "Exists"}]}])),
        ),
        (
            "bad value",
            "values[0]: Invalid value: \"b c\": a valid label must be",
            node_affinity(
                value!([{"matchExpressions": [{"key": "a", "operator": "In", "values": ["b c"]}]}]),
            ),
        ),
        (
            "no terms",
            "nodeSelectorTerms: Required value: must have at least one node selector term",
            node_affinity(value!([])),
        ),
        (
            "an empty term",
            "waits: 0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector. ",
            node_affinity(value!([{}])),
        ),
        (
            "two names",
            "waits: 0/2 nodes are available: pod affinity terms conflict. not found",
            node_affinity(value!([{"matchFields": [
            {"key": "metadata.name", "operator": "In", "values": ["node-1"]},
            {"key": "metadata.name", "operator": "In", "values": ["node-2"]}]}])),
        ),
        (
            "name of no node",
            "waits: 0/2 nodes are available: 2 node(s) didn't satisfy plugin(s) [NodeAffinity]. ",
            node_affinity(value!([{"matchFields": [
            {"key": "metadata.name", "operator": "In", "values": ["node-9"]}]}])),
        ),
        (
            "another field",
            "matchFields[0].key: Invalid value: \"metadata.namespace\": not a valid field selector key",
            node_affinity(value!([{"matchFields": [
            {"key": "metadata.namespace", "operator": "In", "values": ["x"]}]}])),
        ),
        (
            "preferred weight",
            "weight: Invalid value: 1000: must be in the range 1-100",
            value!({"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 1000, "preference": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}}]}}}),
        ),
        (
            "pod term without key",
            "topologyKey: Required value: can not be empty",
            pod_affinity("podAffinity", value!([{"labelSelector": {}}])),
        ),
        (
            "pod selector",
            "operator: Invalid value: \"Near\": not a valid selector operator",
            pod_affinity(
                "podAffinity",
                value!([{"topologyKey": "a", "labelSelector": {"matchExpressions": [{"key": "a", "operator": "Near"}]}}]),
            ),
        ),
        (
            "pod selector value",
            "labelSelector.matchLabels: Invalid value: \"b c\": a valid label must be",
            pod_affinity(
                "podAntiAffinity",
                value!([{"topologyKey": "a", "labelSelector": {"matchLabels": {"a": "b c"}}}]),
            ),
        ),
        (
            "namespace",
            "Invalid value: \"No Name\": a lowercase RFC 1123 label must consist of",
            pod_affinity(
                "podAntiAffinity",
                value!([{"topologyKey": "a", "namespaces": ["No Name"]}]),
            ),
        ),
        (
            "near and far",
            "waits: 0/2 nodes are available: 2 node(s) didn't match pod affinity rules. ",
            value!({"affinity": {
            "podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"a": "b"}}}]},
            "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"a": "b"}}}]}}}),
        ),
        (
            "skew 0",
            "maxSkew: Invalid value: 0: must be greater than zero",
            value!({"topologySpreadConstraints": [{"maxSkew": 0, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule"}]}),
        ),
        (
            "minDomains anyway",
            "can only use minDomains if whenUnsatisfiable=DoNotSchedule",
            value!({"topologySpreadConstraints": [{"maxSkew": 1, "minDomains": 2, "topologyKey": "a", "whenUnsatisfiable": "ScheduleAnyway"}]}),
        ),
        (
            "minDomains huge",
            "on node-1",
            value!({"topologySpreadConstraints": [{"maxSkew": 1, "minDomains": 2147483647, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}}]}),
        ),
        (
            "skew huge",
            "on node-1",
            value!({"topologySpreadConstraints": [{"maxSkew": 2147483647, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {}}]}),
        ),
        (
            "same constraint twice",
            "Duplicate value: \"{a, DoNotSchedule}\"",
            value!({"topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule"}, {"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule"}]}),
        ),
        (
            "toleration operator",
            "operator: Unsupported value: \"Gt\"",
            value!({"tolerations": [{"key": "a", "operator": "Gt", "value": "1"}]}),
        ),
        (
            "toleration without key",
            "operator must be Exists when `key` is empty",
            value!({"tolerations": [{"operator": "Equal", "value": "1"}]}),
        ),
        (
            "toleration value",
            "value must be empty when `operator` is 'Exists'",
            value!({"tolerations": [{"key": "a", "operator": "Exists", "value": "1"}]}),
        ),
        (
            "port 70000",
            "hostPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
            value!({"containers": [{"name": "c", "image": "nginx", "ports": [{"containerPort": 80, "hostPort": 70000}]}]}),
        ),
        (
            "priority",
            "cannot unmarshal number 9223372036854775807 into Go struct field PodSpec.spec.priority of type int32",
            value!({"priority": 9223372036854775807i64}),
        ),
        (
            "priority class",
            "no PriorityClass with name none was found",
            value!({"priorityClassName": "none"}),
        ),
        (
            "gpu 0.5",
            "limits[nvidia.com/gpu]: Invalid value: \"500m\": must be an integer",
            value!({"containers": [{"name": "c", "image": "nginx", "resources": {"limits": {"nvidia.com/gpu": "0.5"}}}]}),
        ),
        (
            "gpu unequal",
            "must be equal to nvidia.com/gpu limit of 2",
            value!({"containers": [{"name": "c", "image": "nginx", "resources": {"limits": {"nvidia.com/gpu": "2"}, "requests": {"nvidia.com/gpu": "1"}}}]}),
        ),
    ];
    for (name, wanted, spec) in &cases {
        let got = apply(spec, &none).outcome();
        assert!(got.contains(wanted), "{name}: {got}");
    }
    let cases = [
        ("a", "x".repeat(64), "metadata.labels: Invalid value"),
        ("a", "x".repeat(300_000), "must be no more than 63 bytes"),
        (
            "a/b/c",
            "d".to_string(),
            "a valid label key must consist of",
        ),
    ];
    for (key, label, wanted) in cases {
        let labels = Value::from_pairs([(key, Value::from(label))]);
        let got = apply(&none, &value!({"labels": (labels)})).outcome();
        assert!(got.contains(wanted), "{}", &got[..got.len().min(300)]);
    }
    let long = value!({"annotations": {"a": ("x".repeat(300_000))}});
    let got = apply(&none, &long).outcome();
    let wanted = "metadata.annotations: Too long: may not be more than 262144 bytes";
    assert!(got.contains(wanted), "{}", &got[..got.len().min(300)]);
    // The editor takes half a megabyte of text: more is not kept, and nothing is there to be applied.
    let longer = value!({"annotations": {"a": ("x".repeat(1_000_000))}});
    let got = apply(&none, &longer).outcome();
    assert!(got.contains("no objects passed to apply"), "{got}");
}

/// A thousand of everything that may be repeated: the same answers, and steps that do not multiply.
#[test]
fn a_thousand_of_anything_takes_no_more_steps() {
    let none = Value::map();
    let many = |make: &dyn Fn(usize) -> Value| Value::list((0..1000).map(make));
    let key = |i: usize| Value::from(format!("k{i}"));
    let rule = |i: usize, when: &str| value!({"maxSkew": 1, "topologyKey": (key(i)), "whenUnsatisfiable": (when)});
    let term =
        |i: usize| value!({"topologyKey": (key(i)), "labelSelector": {"matchLabels": {"a": "b"}}});
    let exists = |i: usize| value!({"key": (key(i)), "operator": "Exists"});
    let pairs = |prefix: &str, value: &str| {
        Value::from_pairs((0..1000).map(|i| (format!("{prefix}k{i}"), Value::from(value))))
    };
    let cases: Vec<(&str, &str, Value)> = vec![
        (
            "tolerations",
            "on node-1",
            value!({"tolerations": (many(&exists))}),
        ),
        (
            "node terms",
            "waits",
            node_affinity(many(&|i| value!({"matchExpressions": [(exists(i))]}))),
        ),
        (
            "requirements",
            "waits",
            node_affinity(value!([{"matchExpressions": (many(&exists))}])),
        ),
        (
            "far terms",
            "on node-1",
            pod_affinity("podAntiAffinity", many(&term)),
        ),
        (
            "near terms",
            "waits",
            pod_affinity("podAffinity", many(&term)),
        ),
        (
            "constraints",
            "waits",
            value!({"topologySpreadConstraints": (many(&|i| rule(i, "DoNotSchedule")))}),
        ),
        (
            "soft constraints",
            "on node-1",
            value!({"topologySpreadConstraints": (many(&|i| rule(i, "ScheduleAnyway")))}),
        ),
        (
            "gates",
            "waits",
            value!({"schedulingGates": (many(&|i| value!({"name": (key(i))})))}),
        ),
        (
            "selector",
            "waits",
            value!({"nodeSelector": (pairs("", "v"))}),
        ),
        (
            "resources",
            "waits",
            value!({"containers": [{"name": "c", "image": "nginx", "resources": {"limits": (pairs("a.b/", "1"))}}]}),
        ),
    ];
    for (name, wanted, spec) in &cases {
        let got = apply(spec, &none).outcome();
        assert!(
            got.starts_with(wanted),
            "{name}: {}",
            &got[..got.len().min(300)]
        );
    }
    // Each container is started by steps of its own: a few for each, on top of those of the Pod.
    let containers = many(&|i| value!({"name": (key(i)), "image": "nginx"}));
    let text = pod_text(&value!({"containers": (containers)}), &none);
    let got = apply_text(&text, MAX_EVENTS + 4 * 1000);
    assert_eq!(got.outcome(), "on node-1");
}

/// splitmix64
struct Rng(u64);

impl Rng {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}

/// A Pod with most of what the scheduler reads.
fn full() -> Value {
    value!({
        "labels": {"a": "b"},
        "spec": {
            "containers": [{"name": "c", "image": "nginx", "ports": [{"containerPort": 80, "hostPort": 80}],
                "resources": {"requests": {"cpu": "100m", "memory": "1Mi", "ephemeral-storage": "1Mi"}, "limits": {"cpu": "1"}}}],
            "initContainers": [{"name": "i", "image": "nginx", "restartPolicy": "Always"}],
            "resources": {"requests": {"cpu": "1"}},
            "nodeSelector": {"kubernetes.io/os": "linux"},
            "priority": 0, "schedulerName": "default-scheduler",
            "tolerations": [{"key": "a", "operator": "Equal", "value": "b", "effect": "NoExecute", "tolerationSeconds": 5}],
            "topologySpreadConstraints": [{"maxSkew": 1, "minDomains": 1, "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"a": "b"}}, "matchLabelKeys": ["x"],
                "nodeAffinityPolicy": "Honor", "nodeTaintsPolicy": "Honor"}],
            "affinity": {
                "nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{
                        "matchExpressions": [{"key": "x", "operator": "NotIn", "values": ["y"]}],
                        "matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node-1"]}]}]},
                    "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": {
                        "matchExpressions": [{"key": "x", "operator": "Gt", "values": ["1"]}]}}]},
                "podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": {
                    "topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]},
                    "namespaces": ["default"], "namespaceSelector": {}}}]},
                "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{
                    "topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"a": "z"}}}]}
            }
        }
    })
}

fn absurd(rng: &mut Rng) -> Value {
    match rng.below(14) {
        0 => Value::Null,
        1 => "".into(),
        2 => "x".repeat(300).into(),
        3 => Value::from(-1i64),
        4 => Value::from(i64::MAX),
        5 => Value::from(i64::MIN),
        6 => "1e30".into(),
        7 => "-0.0000000000001".into(),
        8 => Value::list([]),
        9 => Value::map(),
        10 => value!([[{}], null]),
        11 => true.into(),
        12 => "\u{1f4a5} a b".into(),
        _ => Value::from(1.5),
    }
}

/// Changes one place somewhere below: another value, a value less, or three hundred times the same.
fn mutate(value: &mut Value, rng: &mut Rng) {
    let deeper = rng.below(8) > 0;
    match value {
        Value::Map(_) if deeper && !value.entries().is_empty() => {
            let at = rng.below(value.entries().len());
            let key = value.entries()[at].0.clone();
            if rng.below(10) == 0 {
                value.map_mut().remove(&key);
            } else {
                mutate(value.entry(&key), rng);
            }
        }
        Value::List(_) if deeper && !value.items().is_empty() => {
            let items = value.list_mut();
            let at = rng.below(items.len());
            if rng.below(6) == 0 {
                let again = items[at].clone();
                items.extend(std::iter::repeat_n(again, 300));
            } else {
                mutate(&mut items[at], rng);
            }
        }
        value => *value = absurd(rng),
    }
}

fn fuzz(seeds: std::ops::Range<u64>) {
    let (mut refused, mut accepted) = (0, 0);
    let pod = full();
    let whole = apply(pod.get("spec"), &Value::map());
    assert_eq!(
        whole.outcome(),
        "on node-1",
        "the Pod before anything is changed"
    );
    for seed in seeds {
        let mut rng = Rng(seed);
        let mut pod = full();
        for _ in 0..1 + rng.below(2) {
            mutate(&mut pod, &mut rng);
        }
        let text = pod_text(
            pod.get("spec"),
            &value!({"labels": (pod.get("labels").clone())}),
        );
        let said = apply_text(&text, MAX_EVENTS + 4 * 600);
        if said.pod.is_null() {
            // Whatever it is: a refusal says something.
            let says = said.exit == Some(1) && !said.output.is_empty();
            assert!(says, "seed {seed}: {} {text}", said.outcome());
            refused += 1;
        } else {
            accepted += 1;
        }
    }
    println!("{refused} refused, {accepted} accepted");
    assert!(refused > 0 && accepted > 0);
}

#[test]
fn mutated_pods_are_refused_or_handled() {
    fuzz(0..60);
}

#[test]
#[ignore = "takes minutes"]
fn many_more_mutated_pods_are_refused_or_handled() {
    fuzz(1000..11_000);
}
