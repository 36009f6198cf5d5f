//! Whom the kubelet evicts first when something runs out, and what it says about it.
//!
//! Models: pkg/kubelet/eviction/helpers.go (v1.36)

use super::resources::{Side, pod_amounts};
use podscope_api::{Object, Quantity, Value};
use std::cmp::{Ordering, Reverse};

/// What the kubelet knows of a Pod when it has to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// The Pod's name.
    pub name: &'a str,
    /// The Pod's spec.
    pub spec: &'a Value,
    /// `spec.priority`.
    pub priority: i64,
    /// Memory in use, in bytes.
    pub memory_bytes: i64,
    /// How many processes it has.
    pub processes: i64,
}

impl Candidate<'_> {
    /// Memory in use beyond the request.
    fn excess(&self) -> i64 {
        let requests = pod_amounts(self.spec, Side::Requests, true);
        let request = requests.get("memory").map_or(0, Quantity::value);
        self.memory_bytes.saturating_sub(request)
    }
}

/// Which order counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Memory: who uses more than requested, then priority, then the excess.
    Memory,
    /// Process IDs: priority, then the number of processes.
    Processes,
    /// Priority alone.
    Priority,
}

/// Puts the Pods in the order in which they are evicted.
pub fn rank(pods: &mut [Candidate<'_>], order: Order) {
    podscope_api::sort::by(pods, |a, b| {
        let priority = a.priority.cmp(&b.priority);
        match order {
            Order::Memory => {
                let (x, y) = (a.excess(), b.excess());
                let exceeds = Reverse(x > 0).cmp(&Reverse(y > 0));
                exceeds.then(priority).then(y.cmp(&x))
            }
            Order::Processes => priority.then(b.processes.cmp(&a.processes)),
            Order::Priority => priority.then(Ordering::Equal),
        }
    });
}

/// The Event's and the status's text, and the Event's annotations.
///
/// `usage` is what each container uses, `pod_usage` what the Pod uses together.
pub fn message(
    pod: &Object,
    resource: &str,
    usage: &[(&str, Quantity)],
    pod_usage: Option<Quantity>,
) -> (String, Vec<(&'static str, String)>) {
    let spec = pod.spec();
    let mut text = format!("The node was low on resource: {resource}. ");
    let mut annotations = Vec::new();
    let over = |used: &Quantity, request: Quantity| used.minus(request).sign() > 0;
    let says = |what: &str, name: &str, used: &Quantity, request: Quantity| {
        format!(
            "{what} {name} was using {}, request is {}, has larger consumption of {resource}. ",
            used.canonical(),
            request.canonical()
        )
    };
    let own = Quantity::from_value(spec.get("resources").get("requests").get(resource));
    if let (Some(used), Some(request)) = (pod_usage, own)
        && over(&used, request)
    {
        text.push_str(&says("Pod", pod.name(), &used, request));
        annotations.push(("offending_pod", pod.name().to_string()));
        annotations.push(("offending_pod_usage", used.canonical()));
    }
    let lists = [spec.get("containers"), spec.get("initContainers")];
    let (mut names, mut amounts) = (Vec::new(), Vec::new());
    for (name, used) in usage {
        let mut all = lists.iter().flat_map(|l| l.items());
        let Some(container) = all.find(|c| c.get("name").as_str() == Some(name)) else {
            continue;
        };
        let request = super::resources::amount(container, Side::Requests, resource);
        if over(used, request) {
            text.push_str(&says("Container", name, used, request));
            names.push((*name).to_string());
            amounts.push(used.canonical());
        }
    }
    annotations.push(("offending_containers", names.join(",")));
    annotations.push(("offending_containers_usage", amounts.join(",")));
    annotations.push(("starved_resource", resource.to_string()));
    (text, annotations)
}
