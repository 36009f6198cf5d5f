//! NodeResourcesFit: what the Pod asks for must be left on the Node; emptier (or fuller) Nodes score higher.
//!
//! Models: `pkg/scheduler/framework/plugins/noderesources/fit.go`, `least_allocated.go`,
//! `most_allocated.go`, `requested_to_capacity_ratio.go` (v1.36)

use super::{Cycle, Plugin, PluginId, PreFilter};
use crate::scheduler::events::ClusterEvent;
use crate::scheduler::node_info::{NodeInfo, Slot};
use crate::scheduler::profile::Strategy;
use crate::scheduler::resources::{Resource, Resources, is_extended, pod_requests};
use crate::scheduler::verdict::{Code, Reason, Rejection};
use podscope_api::{Kind, Object, Text, Value, value};
use std::rc::Rc;

/// A resource that scoring looks at.
#[derive(Clone)]
struct Rated {
    resource: Resource,
    weight: i64,
    /// What the Pod asks for.
    own: i64,
}

/// State: the resources that filtering and scoring look at.
#[derive(Clone, Default)]
pub struct NodeResourcesFit {
    scalar: Vec<(Text, i64)>,
    rated: Vec<Rated>,
}

/// Why the Pod does not fit: every resource that is short, and whether any could never be enough.
pub fn insufficient(
    requests: &Resources,
    scalar: &[(Text, i64)],
    node: &NodeInfo,
) -> (Vec<Reason>, bool) {
    let mut reasons = Vec::new();
    let mut never = false;
    let used = node.pods.len() as i64;
    if used + 1 > node.allocatable.pods {
        reasons.push(Reason::TooManyPods {
            used,
            allocatable: node.allocatable.pods,
        });
    }
    let (has, taken) = (&node.allocatable, &node.requested);
    let mut check = |resource: &dyn Fn() -> Text, requested: i64, used: i64, allocatable: i64| {
        if requested > 0 && requested > allocatable.saturating_sub(used) {
            reasons.push(Reason::Insufficient {
                resource: resource(),
                requested,
                used,
                allocatable,
            });
            never |= requested > allocatable;
        }
    };
    check(
        &|| "cpu".into(),
        requests.milli_cpu,
        taken.milli_cpu,
        has.milli_cpu,
    );
    check(
        &|| "memory".into(),
        requests.memory,
        taken.memory,
        has.memory,
    );
    check(
        &|| "ephemeral-storage".into(),
        requests.ephemeral_storage,
        taken.ephemeral_storage,
        has.ephemeral_storage,
    );
    for (name, requested) in scalar {
        let (used, allocatable) = (
            taken.scalar(name).unwrap_or(0),
            has.scalar(name).unwrap_or(0),
        );
        check(&|| name.clone(), *requested, used, allocatable);
    }
    (reasons, never)
}

impl NodeResourcesFit {
    /// Requested (with this Pod) and allocatable of a resource; zeros when it is not rated.
    fn rated(node: &NodeInfo, rated: &Rated) -> (i64, i64) {
        let used = match rated.resource {
            Resource::Cpu => node.non_zero.0,
            Resource::Memory => node.non_zero.1,
            Resource::Scalar(_) if rated.own == 0 => return (0, 0),
            _ => node.requested.amount(&rated.resource),
        };
        let allocatable = node.allocatable.amount(&rated.resource);
        (used.saturating_add(rated.own), allocatable)
    }
}

impl Plugin for NodeResourcesFit {
    fn pre_filter(&mut self, cycle: Cycle) -> PreFilter {
        let profile = cycle.profile;
        let ignored = |name: &Text| {
            let group = name.split('/').next().unwrap_or("");
            is_extended(name)
                && (profile.ignored_resources.contains(name)
                    || profile.ignored_groups.iter().any(|g| g.as_ref() == group))
        };
        let scalar = cycle.pod.requests.scalar.iter();
        self.scalar = scalar.filter(|(name, _)| !ignored(name)).cloned().collect();
        PreFilter::Success
    }

    fn filter(&self, cycle: Cycle, node: &NodeInfo) -> Result<(), Rejection> {
        let (reasons, never) = insufficient(&cycle.pod.requests, &self.scalar, node);
        if reasons.is_empty() {
            return Ok(());
        }
        let code = if never {
            Code::UnschedulableAndUnresolvable
        } else {
            Code::Unschedulable
        };
        Err(Rejection {
            plugin: PluginId::NodeResourcesFit,
            code,
            reasons,
        })
    }

    fn pre_score(&mut self, cycle: Cycle, _nodes: &[Slot]) -> bool {
        let pod = cycle.pod;
        let rated = cycle.profile.fit_resources.iter().map(|(name, weight)| {
            let resource = Resource::named(name);
            let own = match resource {
                Resource::Cpu => pod.non_zero.0,
                Resource::Memory => pod.non_zero.1,
                _ => pod.requests.amount(&resource),
            };
            Rated {
                resource,
                weight: *weight,
                own,
            }
        });
        self.rated = rated.collect();
        true
    }

    fn score(&self, cycle: Cycle, node: &NodeInfo) -> i64 {
        let (mut sum, mut weights) = (0, 0);
        for rated in &self.rated {
            let (requested, allocatable) = Self::rated(node, rated);
            if allocatable == 0 {
                continue;
            }
            let score = rate(&cycle.profile.strategy, requested, allocatable);
            if score > 0
                || !matches!(
                    cycle.profile.strategy,
                    Strategy::RequestedToCapacityRatio(_)
                )
            {
                sum += score * rated.weight;
                weights += rated.weight;
            }
        }
        if weights == 0 {
            return 0;
        }
        match cycle.profile.strategy {
            Strategy::RequestedToCapacityRatio(_) => {
                libm::round(sum as f64 / weights as f64) as i64
            }
            _ => sum / weights,
        }
    }

    fn account(&self, cycle: Cycle, node: &NodeInfo) -> Value {
        let resources = self.rated.iter().map(|rated| {
            let (requested, allocatable) = Self::rated(node, rated);
            let score = match allocatable {
                0 => 0,
                allocatable => rate(&cycle.profile.strategy, requested, allocatable),
            };
            value!({
                "resource": (rated.resource.name()), "requested": (requested),
                "allocatable": (allocatable), "score": (score), "weight": (rated.weight)
            })
        });
        value!({"resources": (resources.collect::<Vec<Value>>())})
    }

    fn hint(cycle: Cycle, event: &ClusterEvent) -> bool {
        if event.is_pod_delete() || event.taints_changed() {
            return true;
        }
        if event.kind == Kind::Pod {
            return scales_down(cycle, event);
        }
        let (before, after) = event.nodes();
        let Some(after) = after else {
            return false;
        };
        let requests = &cycle.pod.requests;
        let fits_when_empty = insufficient(requests, &requests.scalar, &after)
            .0
            .is_empty();
        let more = |before: &NodeInfo| {
            let (b, a) = (&before.allocatable, &after.allocatable);
            let scalar = requests.scalar.iter();
            a.pods > b.pods
                || (requests.milli_cpu > 0 && a.milli_cpu > b.milli_cpu)
                || (requests.memory > 0 && a.memory > b.memory)
                || (requests.ephemeral_storage > 0 && a.ephemeral_storage > b.ephemeral_storage)
                || scalar
                    .clone()
                    .any(|(name, _)| a.scalar(name) > b.scalar(name))
        };
        fits_when_empty && before.is_none_or(|before| more(&before))
    }
}

/// Whether a Pod on a Node (or the waiting one) asks for less than before of what the waiting one wants.
///
/// Models: isResourceScaleDown (v1.36)
#[inline(never)]
fn scales_down(cycle: Cycle, event: &ClusterEvent) -> bool {
    let (Some(old), Some(new)) = (&event.old, &event.new) else {
        return false;
    };
    if !event.own && new.spec().get("nodeName").str_or_empty().is_empty() {
        return false;
    }
    let requests = |object: &Rc<Object>| pod_requests(object).0;
    let (old, new, wanted) = (requests(old), requests(new), &cycle.pod.requests);
    let own = [Resource::Cpu, Resource::Memory, Resource::EphemeralStorage];
    let scalar = wanted.scalar.iter();
    let scalar = scalar.map(|(name, _)| Resource::Scalar(name.clone()));
    own.into_iter()
        .chain(scalar)
        .any(|r| wanted.amount(&r) > 0 && new.amount(&r) < old.amount(&r))
}

/// One resource's score, 0 to 100.
fn rate(strategy: &Strategy, requested: i64, allocatable: i64) -> i64 {
    let percent = |part: i64| match part.checked_mul(100) {
        Some(hundredfold) => hundredfold / allocatable.max(1),
        None => part / (allocatable / 100).max(1),
    };
    match strategy {
        Strategy::LeastAllocated if requested > allocatable => 0,
        Strategy::LeastAllocated => percent(allocatable - requested),
        Strategy::MostAllocated => percent(requested.min(allocatable)),
        Strategy::RequestedToCapacityRatio(shape) => broken_line(
            shape,
            if requested > allocatable {
                100
            } else {
                percent(requested)
            },
        ),
    }
}

/// The value at `x` of the line through the points, level before the first and after the last.
fn broken_line(points: &[(i64, i64)], x: i64) -> i64 {
    let mut before: Option<(i64, i64)> = None;
    for &(at, value) in points {
        if x <= at {
            return match before {
                Some((from, start)) if at != from => {
                    start + (value - start) * (x - from) / (at - from)
                }
                _ => value,
            };
        }
        before = Some((at, value));
    }
    before.map_or(0, |(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::super::PluginId;
    use crate::scheduler::fixture::{cache, hint, node, pod, scores, verdicts};
    use podscope_api::{Object, Value, value};

    fn asking(name: &str, requests: Value) -> Object {
        pod(
            name,
            value!({"spec": {"containers": [
                {"name": "c", "resources": {"requests": (requests)}}
            ]}}),
        )
    }

    #[test]
    fn every_shortage_is_named_and_emptier_is_better() {
        let big = asking("big", value!({"cpu": "3", "memory": "7Gi"}));
        let nodes = [node("a", "z", value!({})), node("b", "z", value!({}))];
        let cache = cache(&nodes, &[(big.clone(), "a")]);
        assert_eq!(
            verdicts(&cache, &big),
            [
                "a: NodeResourcesFit: Insufficient cpu, Insufficient memory",
                "b: ok"
            ]
        );
        let gpu = asking("gpu", value!({"example.com/gpu": "1"}));
        assert_eq!(
            verdicts(&cache, &gpu)
                .concat()
                .matches("Insufficient example.com/gpu")
                .count(),
            2
        );
        // A Pod that asks for nothing counts 100m and 200Mi: 4000m and 8192Mi on the empty Node.
        let small = pod("small", value!({}));
        assert_eq!(scores(&cache, &small, PluginId::NodeResourcesFit), [16, 97]);
        let id = PluginId::NodeResourcesFit;
        assert!(hint(&cache, &big, id, Some(asking("x", value!({}))), None));
        let tiny = node("c", "z", value!({"status": {"allocatable": {"cpu": "1"}}}));
        assert!(!hint(&cache, &big, id, None, Some(tiny)));
        assert!(hint(&cache, &big, id, None, Some(nodes[1].clone())));
        // A placed Pod that asks for less wakes those who want that resource.
        let placed = |memory: &str| {
            let mut pod = asking("placed", value!({"cpu": "1", "memory": (memory)}));
            pod.set("spec.nodeName", "a");
            pod
        };
        let (more, less) = (Some(placed("2Gi")), Some(placed("1Gi")));
        assert!(hint(&cache, &big, id, more.clone(), less.clone()));
        assert!(!hint(&cache, &big, id, less.clone(), more.clone()));
        let only_cpu = asking("web", value!({"cpu": "1"}));
        assert!(!hint(&cache, &only_cpu, id, more, less));
    }

    /// How much CPU and which count of GPUs a Pod takes on its Node, in thousandths and pieces.
    fn taken(spec: Value, status: Value) -> (i64, i64) {
        let pod = pod("p", value!({"spec": (spec), "status": (status)}));
        let cache = cache(&[node("a", "z", value!({}))], &[(pod, "a")]);
        let node = cache.find("a").expect("the Node is there");
        let gpus = node.requested.scalar("nvidia.com/gpu").unwrap_or(0);
        (node.requested.milli_cpu, gpus)
    }

    #[test]
    fn every_kind_of_request_counts_as_it_should() {
        let asks = |cpu: &str| value!({"requests": {"cpu": (cpu)}});
        let none = || value!({});
        // Two containers beside a sidecar; the second init container runs beside the sidecar, too.
        let mixed = value!({
            "containers": [
                {"name": "a", "resources": (asks("300m"))},
                {"name": "b", "resources": {"requests": {"cpu": "200m", "nvidia.com/gpu": "1"}}}
            ],
            "initContainers": [
                {"name": "first", "resources": {"requests": {"cpu": "600m", "nvidia.com/gpu": "2"}}},
                {"name": "side", "restartPolicy": "Always", "resources": (asks("100m"))},
                {"name": "last", "resources": (asks("400m"))}
            ]
        });
        // Beside: 300 + 200 + 100; before: 600, then 100 + 400.
        assert_eq!(taken(mixed.clone(), none()), (600, 2));
        let overhead = podscope_api::patch::merge(&mixed, &value!({"overhead": {"cpu": "50m"}}));
        assert_eq!(taken(overhead.clone(), none()), (650, 2));
        // The Pod's own request replaces the sum, but not what it cannot name; overhead comes on top.
        let own = value!({"resources": {"requests": {"cpu": "2", "nvidia.com/gpu": "9"}}});
        let own = podscope_api::patch::merge(&overhead, &own);
        assert_eq!(taken(own, none()), (2050, 2));
        // While a container is resized, the largest of asked, allocated and actual counts.
        let spec = value!({"containers": [{"name": "c", "resources": (asks("1"))}]});
        let status = |allocated: &str, actual: &str| {
            value!({"containerStatuses": [{"name": "c",
                "allocatedResources": {"cpu": (allocated)}, "resources": (asks(actual))}]})
        };
        assert_eq!(taken(spec.clone(), status("500m", "500m")), (1000, 0));
        assert_eq!(taken(spec.clone(), status("1500m", "2")), (2000, 0));
        assert_eq!(taken(spec.clone(), status("1500m", "1")), (1500, 0));
        // What can never be granted does not count.
        let mut never = status("500m", "500m");
        never.set(
            "conditions",
            value!([{"type": "PodResizePending", "status": "True", "reason": "Infeasible"}]),
        );
        assert_eq!(taken(spec, never), (500, 0));
    }
}
