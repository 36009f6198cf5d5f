//! What each filter says of one Node, written from the fact sheet, with nothing kept between calls.

use crate::amounts::{allocatable, requests};
use crate::matching::*;
use podscope_api::Value;
use std::collections::{BTreeMap, BTreeSet};

pub const U: &str = "Unschedulable";
pub const UU: &str = "UnschedulableAndUnresolvable";
pub const HOSTNAME: &str = "kubernetes.io/hostname";

/// The cluster as the incoming Pod meets it; `placed` are Pods with `spec.nodeName`.
#[derive(Clone)]
pub struct Sight<'a> {
    pub nodes: &'a [Value],
    pub placed: Vec<&'a Value>,
    /// The same as `placed` before anybody was moved in thought.
    pub snapshot: Vec<&'a Value>,
    /// Pods that wait for a Node, with the Node in `spec.nodeName`.
    pub plans: &'a [Value],
    pub others: &'a [Value],
    pub pod: &'a Value,
}

/// Why a Node is out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct No {
    pub code: &'static str,
    pub plugin: &'static str,
    pub reasons: Vec<String>,
}

fn no(plugin: &'static str, code: &'static str, reason: &str) -> Option<No> {
    Some(No {
        code,
        plugin,
        reasons: vec![reason.to_string()],
    })
}

pub fn name(object: &Value) -> &str {
    object.at("metadata.name").str_or_empty()
}
pub fn label<'a>(node: &'a Value, key: &str) -> Option<&'a str> {
    node.at("metadata.labels").get(key).as_str()
}

impl<'a> Sight<'a> {
    pub fn pods_on(&self, node: &Value) -> Vec<&'a Value> {
        let mine = self.placed.iter().copied();
        mine.filter(|p| p.at("spec.nodeName").as_str() == Some(name(node)))
            .collect()
    }
    pub fn node_of(&self, pod: &Value) -> Option<&'a Value> {
        let wanted = pod.at("spec.nodeName").str_or_empty();
        self.nodes.iter().find(|n| name(n) == wanted)
    }
    pub fn of_kind(&self, kind: &str) -> Vec<&'a Value> {
        let all = self.others.iter();
        all.filter(|o| o.get("kind").as_str() == Some(kind))
            .collect()
    }
    pub fn namespace_labels(&self) -> BTreeMap<String, Value> {
        let all = self.of_kind("Namespace").into_iter();
        all.map(|n| (name(n).to_string(), n.at("metadata.labels").clone()))
            .collect()
    }
    /// What the Pods on a Node ask for together.
    pub fn used(&self, node: &Value, resource: &str) -> i64 {
        let pods = self.pods_on(node).into_iter();
        pods.map(|p| requests(p).get(resource).copied().unwrap_or(0))
            .sum()
    }
}

/// Host ports of containers and sidecars: address, protocol, port.
pub fn host_ports(pod: &Value) -> Vec<(String, String, i64)> {
    let main = pod.at("spec.containers").items().iter();
    let early = pod.at("spec.initContainers").items().iter();
    let sidecars = early.filter(|c| c.get("restartPolicy").as_str() == Some("Always"));
    let or = |v: &Value, default: &str| match v.str_or_empty() {
        "" => default.to_string(),
        text => text.to_string(),
    };
    main.chain(sidecars)
        .flat_map(|c| c.get("ports").items())
        .filter(|p| p.get("hostPort").as_int().unwrap_or(0) > 0)
        .map(|p| {
            (
                or(p.get("hostIP"), "0.0.0.0"),
                or(p.get("protocol"), "TCP"),
                p.get("hostPort").as_int().unwrap_or(0),
            )
        })
        .collect()
}

fn ports_clash(sight: &Sight, node: &Value) -> bool {
    let taken: Vec<_> = sight
        .pods_on(node)
        .into_iter()
        .flat_map(host_ports)
        .collect();
    host_ports(sight.pod).iter().any(|mine| {
        taken.iter().any(|other| {
            let any = "0.0.0.0";
            let address = mine.0 == any || other.0 == any || mine.0 == other.0;
            address && mine.1 == other.1 && mine.2 == other.2
        })
    })
}

fn resources(sight: &Sight, node: &Value) -> Option<No> {
    let (mut reasons, mut code) = (Vec::new(), U);
    let count = sight.pods_on(node).len() as i64;
    if count + 1 > allocatable(node, "pods") {
        reasons.push("Too many pods".to_string());
    }
    for (resource, asked) in requests(sight.pod) {
        let all = allocatable(node, &resource);
        if asked > 0 && asked > all - sight.used(node, &resource) {
            reasons.push(format!("Insufficient {resource}"));
            if asked > all {
                code = UU;
            }
        }
    }
    (!reasons.is_empty()).then_some(No {
        code,
        plugin: "NodeResourcesFit",
        reasons,
    })
}

/// A rule of `topologySpreadConstraints`.
pub struct Spread {
    pub key: String,
    pub max_skew: i64,
    pub min_domains: i64,
    pub selector: Selector,
    honor_affinity: bool,
    honor_taints: bool,
}

/// The Pod's own rules that say `when` about what cannot be met.
pub fn spreads(pod: &Value, when: &str) -> Vec<Spread> {
    let all = pod.at("spec.topologySpreadConstraints").items().iter();
    all.filter(|c| c.get("whenUnsatisfiable").as_str() == Some(when))
        .map(|c| {
            let mut selector = label_selector(c.get("labelSelector"));
            for key in c.get("matchLabelKeys").items() {
                let key = key.str_or_empty();
                let value = pod.at("metadata.labels").get(key).as_str();
                if let (Some(value), Some(all)) = (value, &mut selector) {
                    all.push((key.to_string(), "In".to_string(), vec![value.to_string()]));
                }
            }
            Spread {
                key: c.get("topologyKey").str_or_empty().to_string(),
                max_skew: c.get("maxSkew").as_int().unwrap_or(1),
                min_domains: c.get("minDomains").as_int().unwrap_or(1),
                selector,
                honor_affinity: c.get("nodeAffinityPolicy").as_str() != Some("Ignore"),
                honor_taints: c.get("nodeTaintsPolicy").as_str() == Some("Honor"),
            }
        })
        .collect()
}

impl Spread {
    pub fn system(key: &str, max_skew: i64, selector: Selector) -> Spread {
        Spread {
            key: key.to_string(),
            max_skew,
            min_domains: 1,
            selector,
            honor_affinity: true,
            honor_taints: false,
        }
    }
    /// Whether Pods on this Node are counted for the incoming Pod.
    pub fn includes(&self, pod: &Value, node: &Value) -> bool {
        (!self.honor_affinity || node_wanted(pod, node))
            && (!self.honor_taints || !tainted(pod, node))
    }
    fn selects(&self, sight: &Sight, pod: &Value) -> bool {
        namespace(pod) == namespace(sight.pod) && selects(&self.selector, pod.at("metadata.labels"))
    }
    /// Matching Pods on a Node: of the same namespace, not going, and none for an empty selector.
    ///
    /// Pods that are put there or taken away in thought are added and subtracted without the last two
    /// conditions, as upstream does (`updateWithPod` against `countPodsMatchSelector`).
    pub fn count(&self, sight: &Sight, node: &Value) -> i64 {
        let on = |pods: &[&Value], others: &[&Value]| {
            let mine = pods.iter().filter(|p| {
                p.at("spec.nodeName").as_str() == Some(name(node))
                    && self.selects(sight, p)
                    && !others.iter().any(|o| std::ptr::eq(*o, **p))
            });
            mine.copied().cloned().collect::<Vec<Value>>()
        };
        let stands =
            |p: &&Value| !is_empty(&self.selector) && p.at("metadata.deletionTimestamp").is_null();
        let there = on(&sight.snapshot, &[]);
        there.iter().filter(stands).count() as i64 + on(&sight.placed, &sight.snapshot).len() as i64
            - on(&sight.snapshot, &sight.placed).len() as i64
    }
}

fn spread(sight: &Sight, node: &Value) -> Option<No> {
    const NAME: &str = "PodTopologySpread";
    let rules = spreads(sight.pod, "DoNotSchedule");
    let has_all = |n: &&Value| rules.iter().all(|r| label(n, &r.key).is_some());
    for rule in &rules {
        let Some(value) = label(node, &rule.key) else {
            return no(
                NAME,
                UU,
                "node(s) didn't match pod topology spread constraints (missing required label)",
            );
        };
        let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
        for n in sight.nodes.iter().filter(has_all) {
            if rule.includes(sight.pod, n) {
                *counts.entry(label(n, &rule.key).unwrap_or("")).or_default() +=
                    rule.count(sight, n);
            }
        }
        let least = if (counts.len() as i64) < rule.min_domains {
            0
        } else {
            counts.values().copied().min().unwrap_or(0)
        };
        let me = selects(&rule.selector, sight.pod.at("metadata.labels")) as i64;
        if counts.get(value).copied().unwrap_or(0) + me - least > rule.max_skew {
            return no(
                NAME,
                U,
                "node(s) didn't match pod topology spread constraints",
            );
        }
    }
    None
}

/// The pairs of label and value on Nodes of Pods that `all` mean.
fn places(
    sight: &Sight,
    terms: &[Term],
    means: impl Fn(&Term, &Value) -> bool,
) -> BTreeSet<(String, String)> {
    let mut pairs = BTreeSet::new();
    for pod in &sight.placed {
        let Some(node) = sight.node_of(pod) else {
            continue;
        };
        for term in terms.iter().filter(|t| means(t, pod)) {
            if let Some(value) = label(node, &term.key) {
                pairs.insert((term.key.clone(), value.to_string()));
            }
        }
    }
    pairs
}

/// Pairs at which Pods stand that do not want the incoming one beside them.
fn unwanted(sight: &Sight) -> BTreeSet<(String, String)> {
    let names = sight.namespace_labels();
    let mut pairs = BTreeSet::new();
    for other in &sight.placed {
        for term in terms(other, "podAntiAffinity", "required") {
            let node = sight.node_of(other);
            if let Some(value) = node.and_then(|n| label(n, &term.key))
                && term.means(sight.pod, &names)
            {
                pairs.insert((term.key.clone(), value.to_string()));
            }
        }
    }
    pairs
}

fn pods_affinity(sight: &Sight, node: &Value) -> Option<No> {
    const NAME: &str = "InterPodAffinity";
    let names = sight.namespace_labels();
    let at = |pairs: &BTreeSet<(String, String)>, key: &str| {
        label(node, key).is_some_and(|v| pairs.contains(&(key.to_string(), v.to_string())))
    };
    let wanted = terms(sight.pod, "podAffinity", "required");
    if !wanted.is_empty() {
        let all = |pod: &Value| wanted.iter().all(|t| t.means(pod, &names));
        let pairs = places(sight, &wanted, |_, pod| all(pod));
        let has_keys = wanted.iter().all(|t| label(node, &t.key).is_some());
        let beside = wanted.iter().all(|t| at(&pairs, &t.key));
        let first = pairs.is_empty() && all(sight.pod);
        if !has_keys || !(beside || first) {
            return no(NAME, UU, "node(s) didn't match pod affinity rules");
        }
    }
    let shunned = terms(sight.pod, "podAntiAffinity", "required");
    let pairs = places(sight, &shunned, |term, pod| term.means(pod, &names));
    if shunned.iter().any(|t| at(&pairs, &t.key)) {
        return no(NAME, U, "node(s) didn't match pod anti-affinity rules");
    }
    let pairs = unwanted(sight);
    if pairs.iter().any(|(key, _)| at(&pairs, key)) {
        return no(
            NAME,
            U,
            "node(s) didn't satisfy existing pods anti-affinity rules",
        );
    }
    None
}

/// Filters that PreFilter takes out of the round, on the cluster without anybody's plans.
pub fn skipped(sight: &Sight) -> BTreeSet<&'static str> {
    let pod = sight.pod;
    let mut out = BTreeSet::new();
    if required_node_terms(pod).is_null() && pod.at("spec.nodeSelector").is_null() {
        out.insert("NodeAffinity");
    }
    if host_ports(pod).is_empty() {
        out.insert("NodePorts");
    }
    if spreads(pod, "DoNotSchedule").is_empty() {
        out.insert("PodTopologySpread");
    }
    if terms(pod, "podAffinity", "required").is_empty()
        && terms(pod, "podAntiAffinity", "required").is_empty()
        && unwanted(sight).is_empty()
    {
        out.insert("InterPodAffinity");
    }
    out
}

/// What one filter says of a Node.
pub fn one(plugin: &str, sight: &Sight, node: &Value) -> Option<No> {
    let pod = sight.pod;
    match plugin {
        "NodeUnschedulable" => {
            let taint = podscope_api::value!({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"});
            let cordoned = node.at("spec.unschedulable").is_true() && !tolerated(pod, &taint);
            cordoned
                .then(|| no("NodeUnschedulable", UU, "node(s) were unschedulable"))
                .flatten()
        }
        "NodeName" => {
            let wanted = pod.at("spec.nodeName").str_or_empty();
            let other = !wanted.is_empty() && wanted != name(node);
            other
                .then(|| {
                    no(
                        "NodeName",
                        UU,
                        "node(s) didn't match the requested node name",
                    )
                })
                .flatten()
        }
        "TaintToleration" => tainted(pod, node)
            .then(|| no("TaintToleration", UU, "node(s) had untolerated taint(s)"))
            .flatten(),
        "NodeAffinity" => (!node_wanted(pod, node))
            .then(|| {
                no(
                    "NodeAffinity",
                    UU,
                    "node(s) didn't match Pod's node affinity/selector",
                )
            })
            .flatten(),
        "NodePorts" => ports_clash(sight, node)
            .then(|| {
                no(
                    "NodePorts",
                    U,
                    "node(s) didn't have free ports for the requested pod ports",
                )
            })
            .flatten(),
        "NodeResourcesFit" => resources(sight, node),
        "PodTopologySpread" => spread(sight, node),
        "InterPodAffinity" => pods_affinity(sight, node),
        other => panic!("no such filter: {other}"),
    }
}

pub const FILTERS: [&str; 8] = [
    "NodeUnschedulable",
    "NodeName",
    "TaintToleration",
    "NodeAffinity",
    "NodePorts",
    "NodeResourcesFit",
    "PodTopologySpread",
    "InterPodAffinity",
];

/// The first filter's no, in order; `skipped` ones are not asked.
pub fn all(sight: &Sight, node: &Value, skipped: &BTreeSet<&'static str>) -> Option<No> {
    let mut asked = FILTERS.iter().filter(|f| !skipped.contains(**f));
    asked.find_map(|f| one(f, sight, node))
}

/// The same, first as if the Pods that wait for the Node and are at least as important were on it, then without.
pub fn with_plans(sight: &Sight, node: &Value, skipped: &BTreeSet<&'static str>) -> Option<No> {
    let priority = |pod: &Value| pod.at("spec.priority").as_int().unwrap_or(0);
    let mut crowded = sight.clone();
    crowded.placed.extend(sight.plans.iter().filter(|plan| {
        let here = plan.at("spec.nodeName").as_str() == Some(name(node));
        let other = plan.at("metadata.uid") != sight.pod.at("metadata.uid");
        here && other && priority(plan) >= priority(sight.pod)
    }));
    let first = (crowded.placed.len() > sight.placed.len())
        .then(|| all(&crowded, node, skipped))
        .flatten();
    first.or_else(|| all(sight, node, skipped))
}
