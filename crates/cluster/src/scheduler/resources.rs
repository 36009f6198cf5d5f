//! What a Pod asks for and what a Node has, as integers.
//!
//! Models: `k8s.io/component-helpers/resource/helpers.go`, `pkg/scheduler/framework/types.go` (v1.36)

use podscope_api::quantity::Format;
use podscope_api::{Quantity, Text, Value};
use podscope_kernel::collections::BTreeMap;

/// CPU that scoring counts for a container that asks for none: 100 thousandths of a core.
pub const DEFAULT_MILLI_CPU: i64 = 100;
/// Memory that scoring counts for a container that asks for none: 200 MiB in bytes.
pub const DEFAULT_MEMORY: i64 = 200 * 1024 * 1024;

/// Amounts of resources.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Resources {
    /// CPU in thousandths of a core.
    pub milli_cpu: i64,
    /// Memory in bytes.
    pub memory: i64,
    /// Local storage in bytes.
    pub ephemeral_storage: i64,
    /// Number of Pods (Nodes only).
    pub pods: i64,
    /// Extended resources and huge pages, sorted by name.
    pub scalar: Vec<(Text, i64)>,
}

/// A resource by place, so that reading an amount compares no texts for the common ones.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// `cpu`.
    Cpu,
    /// `memory`.
    Memory,
    /// `ephemeral-storage`.
    EphemeralStorage,
    /// Any other.
    Scalar(Text),
}

impl Resource {
    /// The resource with this name.
    pub fn named(name: &Text) -> Resource {
        match name.as_ref() {
            "cpu" => Resource::Cpu,
            "memory" => Resource::Memory,
            "ephemeral-storage" => Resource::EphemeralStorage,
            _ => Resource::Scalar(name.clone()),
        }
    }
    /// The resource's name.
    pub fn name(&self) -> Text {
        match self {
            Resource::Cpu => "cpu".into(),
            Resource::Memory => "memory".into(),
            Resource::EphemeralStorage => "ephemeral-storage".into(),
            Resource::Scalar(name) => name.clone(),
        }
    }
}

impl Resources {
    /// The amount of a resource; 0 when it is not listed.
    pub fn amount(&self, resource: &Resource) -> i64 {
        match resource {
            Resource::Cpu => self.milli_cpu,
            Resource::Memory => self.memory,
            Resource::EphemeralStorage => self.ephemeral_storage,
            Resource::Scalar(name) => self.scalar(name).unwrap_or(0),
        }
    }

    /// The amount of a scalar resource, `None` when it is not listed.
    pub fn scalar(&self, name: &str) -> Option<i64> {
        let found = self.scalar.binary_search_by(|(n, _)| n.as_ref().cmp(name));
        found.ok().map(|i| self.scalar[i].1)
    }

    /// Adds `other` `factor` times (1 or -1).
    pub fn add(&mut self, other: &Resources, factor: i64) {
        let plus = |a: i64, b: i64| a.saturating_add(b.saturating_mul(factor));
        self.milli_cpu = plus(self.milli_cpu, other.milli_cpu);
        self.memory = plus(self.memory, other.memory);
        self.ephemeral_storage = plus(self.ephemeral_storage, other.ephemeral_storage);
        for (name, amount) in &other.scalar {
            match self.scalar.binary_search_by(|(n, _)| n.cmp(name)) {
                Ok(i) => self.scalar[i].1 = plus(self.scalar[i].1, *amount),
                Err(i) => self
                    .scalar
                    .insert(i, (name.clone(), amount.saturating_mul(factor))),
            }
        }
    }

    /// A resource list such as `status.allocatable`.
    pub fn from_list(list: &Value) -> Resources {
        let mut amounts = Amounts::default();
        amounts.add(list);
        amounts.resources()
    }
}

/// Sums by resource name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amounts(pub BTreeMap<Text, Quantity>);

impl Amounts {
    fn add(&mut self, list: &Value) {
        for (name, value) in list.entries() {
            self.plus(name, read(value));
        }
    }
    fn plus(&mut self, name: &Text, amount: Quantity) {
        match self.0.get_mut(name) {
            Some(sum) => *sum = sum.plus(amount),
            None => {
                self.0.insert(name.clone(), amount);
            }
        }
    }
    fn set(&mut self, list: &Value) {
        for (name, value) in list.entries() {
            if is_pod_level(name) {
                self.0.insert(name.clone(), read(value));
            }
        }
    }
    fn add_all(&mut self, other: &Amounts) {
        for (name, amount) in &other.0 {
            self.plus(name, *amount);
        }
    }
    fn max(&mut self, other: &Amounts) {
        for (name, amount) in &other.0 {
            match self.0.get_mut(name) {
                Some(mine) if *mine >= *amount => {}
                Some(mine) => *mine = *amount,
                None => {
                    self.0.insert(name.clone(), *amount);
                }
            }
        }
    }
    fn of(list: &Value) -> Amounts {
        let mut amounts = Amounts::default();
        amounts.add(list);
        amounts
    }
    /// The integers that the scheduler counts with.
    pub fn resources(&self) -> Resources {
        let mut out = Resources::default();
        for (name, amount) in &self.0 {
            match name.as_ref() {
                "cpu" => out.milli_cpu = amount.milli_value(),
                "memory" => out.memory = amount.value(),
                "ephemeral-storage" => out.ephemeral_storage = amount.value(),
                "pods" => out.pods = amount.value(),
                other if is_scalar(other) => out.scalar.push((name.clone(), amount.value())),
                _ => {}
            }
        }
        out
    }
}

fn read(value: &Value) -> Quantity {
    Quantity::from_value(value).unwrap_or_default()
}

/// Whether a resource is counted one by one: extended, huge pages, attachable volumes.
fn is_scalar(name: &str) -> bool {
    let native = !name.contains('/') || name.contains("kubernetes.io/");
    (!native && !name.starts_with("requests."))
        || name.starts_with("hugepages-")
        || name.contains("kubernetes.io/")
        || name.starts_with("attachable-volumes-")
}

/// Whether a name is that of an extended resource.
pub fn is_extended(name: &str) -> bool {
    name.contains('/') && !name.contains("kubernetes.io/") && !name.starts_with("requests.")
}

fn is_pod_level(name: &str) -> bool {
    name == "cpu" || name == "memory" || name.starts_with("hugepages-")
}

/// Which half of `resources` is summed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `requests`.
    Requests,
    /// `limits`.
    Limits,
}

/// What a whole Pod asks for or is limited to: containers, sidecars, init containers,
/// Pod-level resources and overhead.
pub fn pod_amounts(pod: &Value, side: Side) -> Amounts {
    aggregate(pod, side, &[])
}

/// A Pod's requests as the scheduler counts them: what filters use, and (CPU, memory) for scoring.
pub fn pod_requests(pod: &Value) -> (Resources, (i64, i64)) {
    let amounts = pod_amounts(pod, Side::Requests);
    let pod_level = pod.get("spec").get("resources").get("requests");
    let has_pod_level = pod_level
        .entries()
        .iter()
        .any(|(name, _)| is_pod_level(name));
    let mut missing: Vec<(&str, Quantity)> = Vec::new();
    for (name, amount) in [
        ("cpu", Quantity::milli(DEFAULT_MILLI_CPU, Format::DecimalSi)),
        ("memory", Quantity::new(DEFAULT_MEMORY, Format::BinarySi)),
    ] {
        if !has_pod_level || !amounts.0.contains_key(name) {
            missing.push((name, amount));
        }
    }
    let non_zero = aggregate(pod, Side::Requests, &missing).resources();
    (amounts.resources(), (non_zero.milli_cpu, non_zero.memory))
}

fn aggregate(pod: &Value, side: Side, missing: &[(&str, Quantity)]) -> Amounts {
    let spec = pod.get("spec");
    let field = match side {
        Side::Requests => "requests",
        Side::Limits => "limits",
    };
    let statuses = pod.get("status").get("containerStatuses");
    let init_statuses = pod.get("status").get("initContainerStatuses");
    let container = |container: &Value, statuses: Option<&Value>| {
        let mut amounts = Amounts::of(container.get("resources").get(field));
        if let Some(status) = statuses.and_then(|s| named(s, container)) {
            actual(pod, status, field, &mut amounts);
        }
        for (name, amount) in missing {
            if !amounts.0.contains_key(*name) {
                amounts.0.insert((*name).into(), *amount);
            }
        }
        amounts
    };
    let mut sum = Amounts::default();
    for c in spec.get("containers").items() {
        sum.add_all(&container(c, Some(statuses)));
    }
    let (mut sidecars, mut init) = (Amounts::default(), Amounts::default());
    for c in spec.get("initContainers").items() {
        if is_sidecar(c) {
            let amounts = container(c, Some(init_statuses));
            sum.add_all(&amounts);
            sidecars.add_all(&amounts);
            init.max(&sidecars);
        } else {
            let mut amounts = container(c, None);
            amounts.add_all(&sidecars);
            init.max(&amounts);
        }
    }
    sum.max(&init);
    sum.set(spec.get("resources").get(field));
    for (name, value) in spec.get("overhead").entries() {
        let overhead = read(value);
        match side {
            Side::Requests => sum.plus(name, overhead),
            // Overhead raises a limit only where there is one.
            Side::Limits => {
                if let Some(limit) = sum.0.get_mut(name).filter(|limit| !limit.is_zero()) {
                    *limit = limit.plus(overhead);
                }
            }
        }
    }
    sum
}

/// Whether an init container goes on running beside the containers.
pub fn is_sidecar(container: &Value) -> bool {
    container.get("restartPolicy").as_str() == Some("Always")
}

fn named<'a>(statuses: &'a Value, container: &Value) -> Option<&'a Value> {
    let name = container.get("name").as_str()?;
    let status = statuses
        .items()
        .iter()
        .find(|s| s.get("name").as_str() == Some(name))?;
    (!status.get("resources").is_null()).then_some(status)
}

/// While a container is resized in place, the largest of asked, allocated and actual counts.
fn actual(pod: &Value, status: &Value, field: &str, amounts: &mut Amounts) {
    let infeasible = pod.get("status").get("conditions").items().iter().any(|c| {
        c.get("type").as_str() == Some("PodResizePending")
            && c.get("reason").as_str() == Some("Infeasible")
    });
    if infeasible {
        *amounts = Amounts::default();
    }
    amounts.max(&Amounts::of(status.get("resources").get(field)));
    if field == "requests" {
        amounts.max(&Amounts::of(status.get("allocatedResources")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use podscope_api::value;

    #[test]
    fn init_containers_run_before_and_sidecars_beside() {
        let pod = value!({"spec": {
            "containers": [{"name": "a", "resources": {"requests": {"cpu": "200m", "memory": "1Gi"}}}],
            "initContainers": [
                {"name": "s", "restartPolicy": "Always", "resources": {"requests": {"cpu": "50m"}}},
                {"name": "i", "resources": {"requests": {"cpu": "300m"}}}
            ]
        }});
        let (requests, non_zero) = pod_requests(&pod);
        // max(200 + 50, 300 + 50) beside the memory of the only container that asks for any.
        assert_eq!((requests.milli_cpu, requests.memory), (350, 1 << 30));
        assert_eq!(non_zero, (350, (1 << 30) + DEFAULT_MEMORY));
    }
}
