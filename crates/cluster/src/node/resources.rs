//! What a Pod asks of a machine: requests and limits summed up, QoS class.
//!
//! Models: staging/src/k8s.io/component-helpers/resource/helpers.go, pkg/apis/core/v1/helper/qos/qos.go (v1.36)

use podscope_api::{Object, Quantity, Text, Value};
use podscope_kernel::collections::BTreeMap;

/// Amounts by resource name.
pub type Amounts = BTreeMap<Text, Quantity>;

/// Which of the two lists of a container's resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// `resources.requests`.
    Requests,
    /// `resources.limits`.
    Limits,
}

impl Side {
    fn field(self) -> &'static str {
        match self {
            Side::Requests => "requests",
            Side::Limits => "limits",
        }
    }
}

/// True for an init container that keeps running.
pub fn is_sidecar(container: &Value) -> bool {
    container.get("restartPolicy").as_str() == Some("Always")
}

/// One amount, zero when absent or unreadable.
pub fn amount(container: &Value, side: Side, resource: &str) -> Quantity {
    quantity(container.get("resources").get(side.field()).get(resource))
}

fn quantity(value: &Value) -> Quantity {
    Quantity::from_value(value).unwrap_or_default()
}

fn list(resources: &Value, side: Side) -> Amounts {
    resources
        .get(side.field())
        .entries()
        .iter()
        .map(|(name, value)| (name.clone(), quantity(value)))
        .collect()
}

fn add(to: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        let sum = match to.remove(name) {
            Some(before) => before.plus(*amount),
            None => *amount,
        };
        to.insert(name.clone(), sum);
    }
}

fn raise(to: &mut Amounts, others: &Amounts) {
    for (name, amount) in others {
        let less = to
            .get(name)
            .is_none_or(|before| (*before).minus(*amount).sign() < 0);
        if less {
            to.insert(name.clone(), *amount);
        }
    }
}

/// Whether the Pod sets cpu, memory or hugepages for itself as a whole.
pub fn has_pod_level(spec: &Value) -> bool {
    let supported = |name: &str| matches!(name, "cpu" | "memory") || name.starts_with("hugepages-");
    [Side::Requests, Side::Limits].iter().any(|side| {
        let entries = spec.get("resources").get(side.field()).entries();
        entries.iter().any(|(name, _)| supported(name))
    })
}

/// The Pod's requests or limits: containers together, or the largest step of initialization if that is
/// more; the Pod's own resources win when `pod_level`; overhead on top.
pub fn pod_amounts(spec: &Value, side: Side, pod_level: bool) -> Amounts {
    let mut sum = Amounts::new();
    for container in spec.get("containers").items() {
        add(&mut sum, &list(container.get("resources"), side));
    }
    let (mut sidecars, mut largest) = (Amounts::new(), Amounts::new());
    for container in spec.get("initContainers").items() {
        let own = list(container.get("resources"), side);
        let mut step;
        if is_sidecar(container) {
            add(&mut sum, &own);
            add(&mut sidecars, &own);
            step = sidecars.clone();
        } else {
            step = own;
            add(&mut step, &sidecars);
        }
        raise(&mut largest, &step);
    }
    raise(&mut sum, &largest);
    if pod_level && has_pod_level(spec) {
        for (name, amount) in list(spec.get("resources"), side) {
            if matches!(&*name, "cpu" | "memory") || name.starts_with("hugepages-") {
                sum.insert(name, amount);
            }
        }
    }
    let overhead = spec.get("overhead");
    for (name, value) in overhead.entries() {
        // Overhead raises limits only where there is one.
        if side == Side::Requests || sum.get(name).is_some_and(|q| !q.is_zero()) {
            add(&mut sum, &Amounts::from([(name.clone(), quantity(value))]));
        }
    }
    sum
}

/// Amounts as an API object's map of quantities.
pub fn to_value(amounts: &Amounts) -> Value {
    Value::from_pairs(
        amounts
            .iter()
            .map(|(name, q)| (name.clone(), Value::from(q.canonical()))),
    )
}

/// How the kernel and the kubelet treat a Pod that competes for cpu and memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Qos {
    /// Limits for everything, equal to the requests.
    Guaranteed,
    /// Something in between.
    Burstable,
    /// Neither requests nor limits.
    BestEffort,
}

impl Qos {
    /// The name in `status.qosClass`.
    pub fn name(self) -> &'static str {
        match self {
            Qos::Guaranteed => "Guaranteed",
            Qos::Burstable => "Burstable",
            Qos::BestEffort => "BestEffort",
        }
    }
}

/// The QoS class of a Pod's spec.
pub fn qos(spec: &Value, pod_level: bool) -> Qos {
    let positive = |resources: &Value, side: Side| -> Amounts {
        list(resources, side)
            .into_iter()
            .filter(|(name, q)| matches!(&**name, "cpu" | "memory") && q.sign() > 0)
            .collect()
    };
    let (mut requests, mut limits) = (Amounts::new(), Amounts::new());
    let mut guaranteed = true;
    let mut count = |resources: &Value| {
        add(&mut requests, &positive(resources, Side::Requests));
        let own = positive(resources, Side::Limits);
        guaranteed &= own.len() == 2;
        add(&mut limits, &own);
    };
    if pod_level && has_pod_level(spec) {
        count(spec.get("resources"));
    } else {
        let all = [spec.get("containers"), spec.get("initContainers")];
        for container in all.iter().flat_map(|c| c.items()) {
            count(container.get("resources"));
        }
    }
    if requests.is_empty() && limits.is_empty() {
        return Qos::BestEffort;
    }
    let equal = requests.iter().all(|(name, request)| {
        limits
            .get(name)
            .is_some_and(|l| (*l).minus(*request).is_zero())
    });
    if guaranteed && equal && requests.len() == limits.len() {
        Qos::Guaranteed
    } else {
        Qos::Burstable
    }
}

/// The QoS class that the API server wrote into the status, else computed.
pub fn qos_of(pod: &Object) -> Qos {
    match pod.at("status.qosClass").str_or_empty() {
        "Guaranteed" => Qos::Guaranteed,
        "Burstable" => Qos::Burstable,
        "BestEffort" => Qos::BestEffort,
        _ => qos(pod.spec(), true),
    }
}
