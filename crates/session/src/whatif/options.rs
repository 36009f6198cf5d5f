//! For one no of one plugin on one Node: the edits that could turn it into a yes.

use super::edit::{Edit, Gone, asked, lower};
use super::state::State;
use podscope_api::{Kind, Object, Text, Value};
use podscope_cluster::scheduler::framework;
use podscope_cluster::scheduler::node_selector::NodeTerm;
use podscope_cluster::scheduler::pod_info::{HostPort, PodInfo};
use podscope_cluster::scheduler::resources::Resource;
use podscope_cluster::scheduler::taint::Taint;
use podscope_cluster::scheduler::verdict::{Reason, Rejection};
use std::rc::Rc;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const HOSTNAME: &str = "kubernetes.io/hostname";
/// The most Pods of one Node that are weighed for going.
const MAX_PODS: usize = 128;
/// The most Pods that go together.
const MAX_GONE: usize = 4;
/// The highest maxSkew that is offered.
const MAX_SKEW: i64 = 1_000;

/// A way to answer one no: edits that are made together.
pub type Way = Vec<Edit>;

/// The ways to answer a no of a Node, in the order in which they are tried.
#[inline(never)]
pub fn options(state: &State, node: &Text, no: &Rejection) -> Vec<Way> {
    let Some(reason) = no.reasons.first() else {
        return Vec::new();
    };
    match reason {
        Reason::Cordoned => vec![vec![Edit::Uncordon(node.clone())]],
        Reason::Taint(taint) => taint_options(node, taint),
        Reason::NodeAffinity => affinity_options(state, node),
        Reason::Port(port) => port_options(state, node, port),
        Reason::TooManyPods { used, allocatable } => {
            let mut out = vec![vec![Edit::Capacity {
                node: node.clone(),
                resource: "pods".into(),
                from: *allocatable,
                to: used.saturating_add(1),
            }]];
            out.extend(gone(state, node, &|_| true));
            out
        }
        Reason::Insufficient {
            resource,
            requested,
            used,
            allocatable,
        } => {
            let mut out = Vec::new();
            out.extend(request_option(state, resource, Some(node)));
            let to = used.saturating_add(*requested);
            if to > *allocatable {
                out.push(vec![Edit::Capacity {
                    node: node.clone(),
                    resource: resource.clone(),
                    from: *allocatable,
                    to,
                }]);
            }
            let resource = Resource::named(resource);
            out.extend(gone(state, node, &|pod| pod.requests.amount(&resource) > 0));
            out
        }
        Reason::SpreadLabel { topology_key } => {
            let mut out = spread_options(state, topology_key, None);
            out.extend(label_values(state, node, topology_key));
            out
        }
        Reason::Spread {
            topology_key,
            matching,
            own,
            minimum,
            ..
        } => {
            let skew = matching.saturating_add(*own).saturating_sub(*minimum);
            let mut out = spread_options(state, topology_key, Some(skew));
            out.extend(gone_near(state, node, topology_key));
            out
        }
        Reason::PodAffinity => term_options(state, false, None),
        Reason::PodAntiAffinity { topology_key } => {
            let mut out = term_options(state, true, Some(topology_key));
            out.extend(gone_near(state, node, topology_key));
            out
        }
        Reason::ExistingAntiAffinity { topology_key } => gone_near(state, node, topology_key),
        _ => volume_options(state),
    }
}

fn taint_options(node: &Text, taint: &Taint) -> Vec<Way> {
    match &*taint.key {
        "node.kubernetes.io/unschedulable" => vec![vec![Edit::Uncordon(node.clone())]],
        // What the cluster itself says about a Node in trouble: it would not run there, and the taint
        // would come again.
        key if key.starts_with("node.kubernetes.io/") => Vec::new(),
        _ => vec![
            vec![Edit::Tolerate(taint.clone())],
            vec![Edit::Untaint {
                node: node.clone(),
                taint: taint.clone(),
            }],
        ],
    }
}

/// The highest request with which the Pod fits on the Node (or, with none, on any).
pub fn request_option(state: &State, resource: &Text, node: Option<&str>) -> Option<Way> {
    let has = asked(&state.pod, resource);
    let with = |most: i64| {
        let parts = lower(&state.pod, resource, most);
        Edit::Request {
            resource: resource.clone(),
            parts,
        }
    };
    let enough = |most: i64| {
        let mut state = state.clone();
        with(most).apply(&mut state);
        match node {
            // Another plugin may go on saying no; this one must not.
            Some(node) => match state.first_no(node) {
                Ok(()) => true,
                Err(no) => !no.reasons.iter().any(|r| is_of(r, resource)),
            },
            None => state.fits(None),
        }
    };
    if has <= 0 || !enough(0) {
        return None;
    }
    let (mut fits, mut too_much) = (0, has);
    while too_much - fits > 1 {
        let middle = fits + (too_much - fits) / 2;
        if enough(middle) {
            fits = middle;
        } else {
            too_much = middle;
        }
    }
    Some(vec![with(fits)])
}

fn is_of(reason: &Reason, name: &str) -> bool {
    matches!(reason, Reason::Insufficient { resource, .. } if **resource == *name)
}

fn affinity_options(state: &State, node: &Text) -> Vec<Way> {
    let Some(info) = state.cache.find(node) else {
        return Vec::new();
    };
    let labels = &info.labels;
    let spec = state.pod.spec();
    let (mut drop, mut label) = (Vec::new(), Vec::new());
    for (key, value) in spec.get("nodeSelector").entries() {
        let wanted = value.as_text().cloned().unwrap_or_else(|| "".into());
        if labels.get(key).as_str() != Some(&*wanted) {
            drop.push(Edit::DropSelector {
                key: key.clone(),
                value: wanted.clone(),
            });
            label.push((key.clone(), wanted));
        }
    }
    if !drop.is_empty() {
        let mut out = vec![drop];
        out.extend(labels_option(node, label));
        return out;
    }
    let terms = spec.at("affinity.nodeAffinity").get(REQUIRED);
    let terms = terms.get("nodeSelectorTerms").items();
    let mut out: Vec<Way> = Vec::new();
    for (place, term) in terms.iter().enumerate() {
        let expressions = term.get("matchExpressions").items();
        let missed: Vec<&Value> = expressions
            .iter()
            .filter(|e| {
                let alone = Value::from_pairs([("matchExpressions", Value::list([(*e).clone()]))]);
                NodeTerm::parse(&alone).is_none_or(|t| !t.matches(&info.name, labels))
            })
            .collect();
        let by_name = !term.get("matchFields").items().is_empty();
        let stays = expressions.len() > missed.len() || by_name;
        if !missed.is_empty() && stays {
            let drop = missed.iter().map(|e| Edit::DropExpression {
                term: place,
                key: e.get("key").str_or_empty().into(),
            });
            out.push(drop.collect());
        }
        let wanted: Option<Vec<(Text, Text)>> = missed.iter().map(|e| wanted(e)).collect();
        if let Some(wanted) = wanted.filter(|w| !w.is_empty() && !by_name) {
            out.extend(labels_option(node, wanted));
        }
    }
    out.push(vec![Edit::DropNodeAffinity]);
    out
}

/// A label that meets an expression; `None` when a label's absence is wanted or nothing can meet it.
fn wanted(expression: &Value) -> Option<(Text, Text)> {
    let key: Text = expression.get("key").as_text()?.clone();
    let first = expression.get("values").index(0);
    let number = || first.as_str()?.parse::<i64>().ok();
    let value: Text = match expression.get("operator").as_str()? {
        "In" => first.as_text()?.clone(),
        "Exists" => "".into(),
        "Gt" => number()?.checked_add(1)?.to_string().into(),
        "Lt" => number()?.checked_sub(1)?.to_string().into(),
        _ => return None,
    };
    Some((key, value))
}

fn labels_option(node: &Text, labels: Vec<(Text, Text)>) -> Option<Way> {
    if labels.iter().any(|(key, _)| **key == *HOSTNAME) {
        return None;
    }
    let label = |(key, value)| Edit::Label {
        node: node.clone(),
        key,
        value,
    };
    Some(labels.into_iter().map(label).collect())
}

/// The Node gets a label with a value that other Nodes have; the first with which the no is gone.
fn label_values(state: &State, node: &Text, key: &Text) -> Option<Way> {
    if **key == *HOSTNAME {
        return None;
    }
    let topology = state.cache.topology(key);
    let values = topology.values.iter().take(8);
    let mut tries = values.map(|value| Edit::Label {
        node: node.clone(),
        key: key.clone(),
        value: value.clone(),
    });
    let found = tries.find(|edit| {
        let mut after = state.clone();
        edit.apply(&mut after);
        match after.first_no(node) {
            Ok(()) => true,
            Err(no) => !no.reasons.iter().any(|r| {
                matches!(r, Reason::SpreadLabel { topology_key } | Reason::Spread { topology_key, .. }
                    if topology_key == key)
            }),
        }
    });
    found.map(|edit| vec![edit])
}

fn spread_options(state: &State, key: &Text, skew: Option<i64>) -> Vec<Way> {
    let mut out = Vec::new();
    let listed = state.pod.spec().get("topologySpreadConstraints").items();
    for (index, constraint) in listed.iter().enumerate() {
        let hard = constraint.get("whenUnsatisfiable").as_str() != Some("ScheduleAnyway");
        if !hard || constraint.get("topologyKey").as_str() != Some(&**key) {
            continue;
        }
        let from = constraint.get("maxSkew").as_int().unwrap_or(1);
        if let Some(to) = skew.filter(|to| *to > from && *to <= MAX_SKEW) {
            out.push(vec![Edit::Skew {
                index,
                key: key.clone(),
                from,
                to,
            }]);
        }
        out.push(vec![Edit::SoftSpread {
            index,
            key: key.clone(),
        }]);
    }
    out
}

fn term_options(state: &State, anti: bool, key: Option<&Text>) -> Vec<Way> {
    let side = if anti {
        "podAntiAffinity"
    } else {
        "podAffinity"
    };
    let affinity = state.pod.spec().get("affinity").get(side).get(REQUIRED);
    let terms = affinity.items().iter().enumerate();
    terms
        .map(|(index, term)| {
            let key: Text = term.get("topologyKey").str_or_empty().into();
            (index, key)
        })
        .filter(|(_, topology)| key.is_none_or(|key| key == topology))
        .map(|(index, key)| vec![Edit::DropPodTerm { anti, index, key }])
        .collect()
}

fn port_options(state: &State, node: &Text, port: &HostPort) -> Vec<Way> {
    let mut out = vec![vec![Edit::DropPort(port.clone())]];
    out.extend(gone(state, node, &|pod| {
        pod.ports.iter().any(|p| p.clashes(port))
    }));
    out
}

/// Each volume with a claim goes, all of them together last.
fn volume_options(state: &State) -> Vec<Way> {
    let volumes = state.pod.spec().get("volumes").items().iter();
    let claims: Vec<Edit> = volumes
        .filter_map(|volume| {
            let claim = volume.get("persistentVolumeClaim").get("claimName");
            let claim = claim.as_text()?.clone();
            let volume = volume.get("name").as_text()?.clone();
            Some(Edit::DropVolume { volume, claim })
        })
        .collect();
    claims.into_iter().take(8).map(|edit| vec![edit]).collect()
}

/// How a Pod would go: with the one that its controller makes in its place put where it fits now. `None`
/// for Pods that are not to go: those of the same controller, and those that would come again on the spot.
pub fn going(state: &State, pod: &Rc<PodInfo>) -> Option<Gone> {
    if pod.terminating {
        return None;
    }
    let Some(owner) = pod.object.controller() else {
        return Some(Gone {
            pod: pod.clone(),
            owner: "".into(),
            to: None,
        });
    };
    let own = state.pod.controller();
    if own.is_some_and(|own| own.uid == owner.uid) || matches!(owner.kind, "DaemonSet" | "Node") {
        return None;
    }
    let mut next: Object = pod.object.clone();
    next.remove("spec.nodeName");
    next.remove("metadata.uid");
    next.remove("status");
    next.set("metadata.name", [&*pod.key.name, "-next"].concat());
    let next = Rc::new(PodInfo::new(&next));
    let (decision, _) = framework::schedule(&next, &state.cache, state.profile(), 0);
    let slot = decision.chosen?;
    let to = state.cache.node(slot).name.clone();
    Some(Gone {
        pod: pod.clone(),
        owner: [owner.kind, "/", owner.name].concat().into(),
        to: Some((next, to)),
    })
}

/// Other Pods of a Node that go: one of which any suffices, else the fewest together.
fn gone(state: &State, node: &Text, concerns: &dyn Fn(&PodInfo) -> bool) -> Vec<Way> {
    let Some(info) = state.cache.find(node) else {
        return Vec::new();
    };
    let pods = info.pods.iter().map(|placed| &placed.pod);
    let pods = pods.filter(|pod| concerns(pod)).take(MAX_PODS);
    let pods: Vec<Rc<PodInfo>> = pods.cloned().collect();
    fewest(state, node, pods)
}

/// Pods of the Node's domain that go.
fn gone_near(state: &State, node: &Text, key: &Text) -> Vec<Way> {
    let topology = state.cache.topology(key);
    let Some(slot) = state.cache.find(node).map(|n| n.slot) else {
        return Vec::new();
    };
    let Some(domain) = topology.domain(slot) else {
        return Vec::new();
    };
    let near = state.cache.nodes();
    let near = near.filter(|n| topology.domain(n.slot) == Some(domain));
    let pods = near.flat_map(|n| n.pods.iter().map(|placed| placed.pod.clone()));
    // Only Pods that a rule can count: any with labels, and any with rules of its own.
    let pods = pods.filter(|p| !p.labels().is_empty() || p.affinity.is_some());
    let pods: Vec<Rc<PodInfo>> = pods.take(MAX_PODS).collect();
    fewest(state, node, pods)
}

/// The best single Pods (at most two: one without and one with a controller), else the fewest together.
fn fewest(state: &State, node: &Text, pods: Vec<Rc<PodInfo>>) -> Vec<Way> {
    let Err(now) = state.first_no(node) else {
        return Vec::new();
    };
    let solved = |after: &State| match after.first_no(node) {
        Ok(()) => true,
        Err(no) => !same(&no, &now),
    };
    let mut edits: Vec<Edit> = Vec::new();
    for pod in &pods {
        if let Some(gone) = going(state, pod) {
            edits.push(Edit::Delete(gone));
        }
    }
    podscope_api::sort::by_key(&mut edits, Edit::cost);
    let mut out: Vec<Way> = Vec::new();
    for edit in &edits {
        let kind = edit.kind();
        if out.iter().any(|o: &Way| o.iter().any(|e| e.kind() == kind)) {
            continue;
        }
        let mut after = state.clone();
        edit.apply(&mut after);
        if solved(&after) {
            out.push(vec![edit.clone()]);
        }
    }
    if out.is_empty() {
        out.extend(together(state, &edits, &solved));
    }
    out
}

/// Whether two noes are about one thing, whatever the numbers.
fn same(a: &Rejection, b: &Rejection) -> bool {
    use Reason::*;
    if a.plugin != b.plugin {
        return false;
    }
    match (a.reasons.first(), b.reasons.first()) {
        (Some(Insufficient { resource: a, .. }), Some(Insufficient { resource: b, .. })) => a == b,
        (Some(Port(a)), Some(Port(b))) => a == b,
        (
            Some(Spread {
                topology_key: a, ..
            }),
            Some(Spread {
                topology_key: b, ..
            }),
        ) => a == b,
        (Some(PodAntiAffinity { topology_key: a }), Some(PodAntiAffinity { topology_key: b })) => {
            a == b
        }
        (
            Some(ExistingAntiAffinity { topology_key: a }),
            Some(ExistingAntiAffinity { topology_key: b }),
        ) => a == b,
        (Some(a), Some(b)) => std::mem::discriminant(a) == std::mem::discriminant(b),
        (a, b) => a.is_none() && b.is_none(),
    }
}

/// Several Pods: the largest first until it suffices, then each that is not needed stays.
fn together(state: &State, edits: &[Edit], solved: &dyn Fn(&State) -> bool) -> Option<Way> {
    let size = |edit: &Edit| match edit {
        Edit::Delete(gone) => {
            let asks = &gone.pod.requests;
            let large = asks.milli_cpu.saturating_add(asks.memory >> 20);
            (gone.pod.priority, std::cmp::Reverse(large))
        }
        _ => (0, std::cmp::Reverse(0)),
    };
    // Those without a controller only: what comes again would be counted twice.
    let mut left: Vec<&Edit> = edits.iter().filter(|e| e.kind() == "delete").collect();
    podscope_api::sort::by_key(&mut left, |e| size(e));
    let mut chosen: Vec<Edit> = Vec::new();
    let mut after = state.clone();
    for edit in left.into_iter().take(MAX_PODS) {
        if chosen.len() >= MAX_GONE {
            return None;
        }
        edit.apply(&mut after);
        chosen.push(edit.clone());
        if solved(&after) {
            break;
        }
    }
    if chosen.is_empty() || !solved(&after) {
        return None;
    }
    for place in (0..chosen.len()).rev() {
        let mut without = state.clone();
        let rest = chosen.iter().enumerate().filter(|(i, _)| *i != place);
        rest.for_each(|(_, edit)| edit.apply(&mut without));
        if solved(&without) {
            chosen.remove(place);
        }
    }
    Some(chosen)
}

/// The workload that a Pod belongs to in the end: kind, name.
pub fn workload(
    pod: &Object,
    owner_of: &dyn Fn(Kind, &str) -> Option<Rc<Object>>,
) -> Option<(Kind, Text)> {
    let first = pod.controller()?;
    let kind = Kind::from_api(first.api_version, first.kind)?;
    let above = owner_of(kind, first.name);
    if let Some(second) = above.as_ref().and_then(|o| o.controller())
        && let Some(kind) = Kind::from_api(second.api_version, second.kind)
    {
        return Some((kind, second.name.into()));
    }
    Some((kind, first.name.into()))
}
