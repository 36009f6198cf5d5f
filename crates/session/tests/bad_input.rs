//! Bad input for the scheduler through `kubectl apply`: the server's refusal or a Pod that waits with a
//! reason, never a panic; and no more steps than the stated bound.

use podscope_api::{Key, Kind, Value, json, value};
use podscope_session::Session;
use podscope_session::api::{SessionApi, Source};

const CLUSTER: &str = "podscope: 1\ncluster:\n  nodes:\n  - name: node-1\n  - name: node-2\n";

/// Trace events that one applied Pod may take, whatever is in it: a Pod that is pulled, started and made
/// ready takes about 120.
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

/// Applies a Pod `bad` with these parts of its spec, to a cluster of two Nodes.
fn apply(spec: &Value, metadata: &Value) -> Said {
    let mut pod = value!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "bad"},
        "spec": {"containers": [{"name": "c", "image": "nginx"}]}
    });
    pod = podscope_api::patch::merge(
        &pod,
        &value!({"spec": (spec.clone()), "metadata": (metadata.clone())}),
    );
    apply_text(&json::to_string(&pod))
}

fn apply_text(text: &str) -> Said {
    let mut session = Session::open(Source::Scenario(CLUSTER)).expect("opens");
    let before = session.log().len();
    // As a person would: typed into the editor, looked at, applied.
    let _ = session.edit("bad.yaml", text);
    let applied = session.apply("bad.yaml");
    session.run_until_stable();
    let events = session.log().len() - before;
    assert!(events <= MAX_EVENTS, "{events} trace events");
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
fn survey() {
    let none = Value::map();
    let cases: Vec<(&str, Value)> = vec![
        ("cpu 1e30", requests("1e30", "1Mi")),
        (
            "cpu 9223372036854775807",
            requests("9223372036854775807", "1Mi"),
        ),
        ("memory 1e30", requests("1", "1e30")),
        ("memory 9Ei", requests("1", "9Ei")),
        ("negative cpu", requests("-1", "1Mi")),
        ("negative memory", requests("1", "-1Gi")),
        ("sub-milli cpu", requests("0.0000001", "1Mi")),
        ("sub-milli memory", requests("1", "1m")),
        ("not a quantity", requests("a lot", "1Mi")),
        ("two suffixes", requests("1mm", "1Mi")),
        (
            "operator",
            node_affinity(
                value!([{"matchExpressions": [{"key": "a", "operator": "Like", "values": ["b"]}]}]),
            ),
        ),
        (
            "In without values",
            node_affinity(value!([{"matchExpressions": [{"key": "a", "operator": "In"}]}])),
        ),
        (
            "Gt with a word",
            node_affinity(
                value!([{"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["much"]}]}]),
            ),
        ),
        (
            "Gt with two",
            node_affinity(
                value!([{"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["1", "2"]}]}]),
            ),
        ),
        (
            "Exists with values",
            node_affinity(
                value!([{"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["1"]}]}]),
            ),
        ),
        (
            "bad key",
            node_affinity(value!([{"matchExpressions": [{"key": "a b", "operator": "Exists"}]}])),
        ),
        (
            "bad value",
            node_affinity(
                value!([{"matchExpressions": [{"key": "a", "operator": "In", "values": ["b c"]}]}]),
            ),
        ),
        ("no terms", node_affinity(value!([]))),
        ("an empty term", node_affinity(value!([{}]))),
        (
            "two names",
            node_affinity(value!([{"matchFields": [
            {"key": "metadata.name", "operator": "In", "values": ["node-1"]},
            {"key": "metadata.name", "operator": "In", "values": ["node-2"]}]}])),
        ),
        (
            "name of no node",
            node_affinity(value!([{"matchFields": [
            {"key": "metadata.name", "operator": "In", "values": ["node-9"]}]}])),
        ),
        (
            "another field",
            node_affinity(value!([{"matchFields": [
            {"key": "metadata.namespace", "operator": "In", "values": ["x"]}]}])),
        ),
        (
            "preferred bad value",
            value!({"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 1, "preference": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b c"]}]}}]}}}),
        ),
        (
            "preferred weight",
            value!({"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 1000, "preference": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}}]}}}),
        ),
        (
            "pod term without key",
            pod_affinity("podAffinity", value!([{"labelSelector": {}}])),
        ),
        (
            "pod selector",
            pod_affinity(
                "podAffinity",
                value!([{"topologyKey": "a", "labelSelector": {"matchExpressions": [{"key": "a", "operator": "Near"}]}}]),
            ),
        ),
        (
            "pod selector value",
            pod_affinity(
                "podAntiAffinity",
                value!([{"topologyKey": "a", "labelSelector": {"matchLabels": {"a": "b c"}}}]),
            ),
        ),
        (
            "namespace",
            pod_affinity(
                "podAntiAffinity",
                value!([{"topologyKey": "a", "namespaces": ["No Name"]}]),
            ),
        ),
        (
            "near and far",
            value!({"affinity": {
            "podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"a": "b"}}}]},
            "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"a": "b"}}}]}}}),
        ),
        (
            "skew 0",
            value!({"topologySpreadConstraints": [{"maxSkew": 0, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule"}]}),
        ),
        (
            "minDomains anyway",
            value!({"topologySpreadConstraints": [{"maxSkew": 1, "minDomains": 2, "topologyKey": "a", "whenUnsatisfiable": "ScheduleAnyway"}]}),
        ),
        (
            "minDomains huge",
            value!({"topologySpreadConstraints": [{"maxSkew": 1, "minDomains": 2147483647, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}}]}),
        ),
        (
            "skew huge",
            value!({"topologySpreadConstraints": [{"maxSkew": 2147483647, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {}}]}),
        ),
        (
            "same constraint twice",
            value!({"topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule"}, {"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule"}]}),
        ),
        (
            "toleration operator",
            value!({"tolerations": [{"key": "a", "operator": "Gt", "value": "1"}]}),
        ),
        (
            "toleration without key",
            value!({"tolerations": [{"operator": "Equal", "value": "1"}]}),
        ),
        (
            "toleration value",
            value!({"tolerations": [{"key": "a", "operator": "Exists", "value": "1"}]}),
        ),
        (
            "port 70000",
            value!({"containers": [{"name": "c", "image": "nginx", "ports": [{"containerPort": 80, "hostPort": 70000}]}]}),
        ),
        ("priority", value!({"priority": 9223372036854775807i64})),
        ("priority class", value!({"priorityClassName": "none"})),
        (
            "gpu 0.5",
            value!({"containers": [{"name": "c", "image": "nginx", "resources": {"limits": {"nvidia.com/gpu": "0.5"}}}]}),
        ),
        (
            "gpu unequal",
            value!({"containers": [{"name": "c", "image": "nginx", "resources": {"limits": {"nvidia.com/gpu": "2"}, "requests": {"nvidia.com/gpu": "1"}}}]}),
        ),
    ];
    for (name, spec) in &cases {
        println!("{name}: {}", apply(spec, &none).outcome());
    }
    let long = "x".repeat(64);
    for (name, metadata) in [
        ("label of 64", value!({"labels": {"a": (long.clone())}})),
        (
            "label of a million",
            value!({"labels": {"a": ("x".repeat(1_000_000))}}),
        ),
        ("label key", value!({"labels": {"a/b/c": "d"}})),
        (
            "annotation of 300,000",
            value!({"annotations": {"a": ("x".repeat(300_000))}}),
        ),
    ] {
        let outcome = apply(&none, &metadata).outcome();
        println!("{name}: {}", outcome.chars().take(300).collect::<String>());
    }
}

#[test]
fn survey_many() {
    let none = Value::map();
    let many = |n: usize, make: &dyn Fn(usize) -> Value| Value::list((0..n).map(make));
    let cases: Vec<(&str, Value)> = vec![
        (
            "tolerations",
            value!({"tolerations": (many(3000, &|i| value!({"key": (format!("k{i}")), "operator": "Exists"})))}),
        ),
        (
            "node terms",
            node_affinity(many(
                3000,
                &|i| value!({"matchExpressions": [{"key": (format!("k{i}")), "operator": "Exists"}]}),
            )),
        ),
        (
            "pod terms",
            pod_affinity(
                "podAntiAffinity",
                many(
                    2000,
                    &|i| value!({"topologyKey": (format!("k{i}")), "labelSelector": {"matchLabels": {"a": "b"}}}),
                ),
            ),
        ),
        (
            "near terms",
            pod_affinity(
                "podAffinity",
                many(
                    2000,
                    &|i| value!({"topologyKey": (format!("k{i}")), "labelSelector": {"matchLabels": {"a": "b"}}}),
                ),
            ),
        ),
        (
            "constraints",
            value!({"topologySpreadConstraints": (many(2000, &|i| value!({"maxSkew": 1, "topologyKey": (format!("k{i}")), "whenUnsatisfiable": "DoNotSchedule"})))}),
        ),
        (
            "soft constraints",
            value!({"topologySpreadConstraints": (many(2000, &|i| value!({"maxSkew": 1, "topologyKey": (format!("k{i}")), "whenUnsatisfiable": "ScheduleAnyway"})))}),
        ),
        (
            "containers",
            value!({"containers": (many(2000, &|i| value!({"name": (format!("c{i}")), "image": "nginx"})))}),
        ),
        (
            "gates",
            value!({"schedulingGates": (many(2000, &|i| value!({"name": (format!("g{i}"))})))}),
        ),
        (
            "selector",
            value!({"nodeSelector": (Value::from_pairs((0..3000).map(|i| (format!("k{i}"), Value::from("v")))))}),
        ),
        (
            "requests",
            value!({"containers": [{"name": "c", "image": "nginx", "resources": {"limits": (Value::from_pairs((0..2000).map(|i| (format!("a.b/k{i}"), Value::from("1")))))}}]}),
        ),
    ];
    let only = std::env::var("ONLY").unwrap_or_default();
    for (name, spec) in cases.iter().filter(|c| only.is_empty() || c.0 == only) {
        let begin = std::time::Instant::now();
        let said = apply(spec, &none);
        let outcome: String = said.outcome().chars().take(300).collect();
        println!("{name}: {} ms: {outcome}", begin.elapsed().as_millis());
    }
}
