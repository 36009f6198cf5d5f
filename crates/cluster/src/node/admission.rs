//! What the kubelet checks before it takes a Pod.
//!
//! Models: pkg/kubelet/lifecycle/predicate.go (v1.36)

use super::resources::{Side, pod_amounts};
use crate::scheduler::node_selector::RequiredNode;
use podscope_api::{Object, Quantity, Text, Value};

/// What a Pod asks for: thousandths of a core for cpu, whole units for the rest; by name.
pub fn units(spec: &Value) -> Vec<(Text, i64)> {
    pod_amounts(spec, Side::Requests, true)
        .into_iter()
        .map(|(name, amount)| {
            let number = in_units(&name, amount);
            (name, number)
        })
        .collect()
}

fn in_units(name: &str, amount: Quantity) -> i64 {
    if name == "cpu" {
        amount.milli_value()
    } else {
        amount.value()
    }
}

/// Whether a Pod fits on its machine beside the others (each with its [`units`]); the refusal is
/// reason and message.
///
/// # Errors
/// Reason and message, as in the Event and the status.
pub fn admit<'a>(
    pod: &Object,
    node: Option<&Object>,
    others: impl Iterator<Item = (&'a Object, &'a [(Text, i64)])>,
) -> Result<(), (Text, Text)> {
    let Some(node) = node else { return Ok(()) };
    let mut requests = units(pod.spec());
    let ports = host_ports(pod.spec());
    let mut used = vec![0_i64; requests.len()];
    let mut count = 0;
    let mut port_taken = false;
    for (other, amounts) in others {
        count += 1;
        for (place, (name, _)) in used.iter_mut().zip(&requests) {
            if let Some((_, amount)) = amounts.iter().find(|(n, _)| n == name) {
                *place = place.saturating_add(*amount);
            }
        }
        port_taken |= !ports.is_empty() && overlap(&ports, &host_ports(other.spec()));
    }
    let allocatable = node.at("status.allocatable");
    let of = |name: &str| Quantity::from_value(allocatable.get(name));
    if let Some(pods) = of("pods").map(|q| q.value()).filter(|max| count >= *max) {
        return Err(out_of("pods", 1, count, pods));
    }
    // cpu, memory and storage come first, then the others by name.
    let rank = |name: &str| match name {
        "cpu" => 0,
        "memory" => 1,
        "ephemeral-storage" => 2,
        _ => 3,
    };
    let mut asked: Vec<(Text, i64, i64)> = requests
        .drain(..)
        .zip(used)
        .map(|((name, amount), used)| (name, amount, used))
        .collect();
    podscope_api::sort::by_key(&mut asked, |(name, ..)| rank(name));
    for (name, amount, used) in asked.iter().filter(|(_, amount, _)| *amount > 0) {
        let has = of(name).map_or(0, |q| in_units(name, q));
        if *amount > has.saturating_sub(*used) {
            return Err(out_of(name, *amount, *used, has));
        }
    }
    if !RequiredNode::parse(pod.spec()).matches(node.name(), node.labels()) {
        return Err(predicate(
            "NodeAffinity",
            "node(s) didn't match Pod's node affinity/selector",
        ));
    }
    if port_taken {
        return Err(predicate(
            "NodePorts",
            "node(s) didn't have free ports for the requested pod ports",
        ));
    }
    let blocked = node.at("spec.taints").items().iter().any(|taint| {
        taint.get("effect").as_str() == Some("NoExecute")
            && !pod
                .at("spec.tolerations")
                .items()
                .iter()
                .any(|t| tolerates(t, taint))
    });
    if blocked {
        return Err(predicate(
            "TaintToleration",
            "node(s) had taints that the pod didn't tolerate",
        ));
    }
    Ok(())
}

#[inline(never)]
fn out_of(name: &str, requested: i64, used: i64, capacity: i64) -> (Text, Text) {
    let message = format!(
        "Node didn't have enough resource: {name}, requested: {requested}, used: {used}, capacity: {capacity}"
    );
    (format!("OutOf{name}").into(), message.into())
}

fn predicate(name: &str, why: &str) -> (Text, Text) {
    (
        name.into(),
        format!("Predicate {name} failed: {why}").into(),
    )
}

/// The host ports that a Pod takes: address, protocol, number.
fn host_ports(spec: &Value) -> Vec<(&str, &str, i64)> {
    let ports = spec.get("containers").items().iter();
    let ports = ports.flat_map(|c| c.get("ports").items());
    ports
        .filter_map(|p| {
            let number = p.get("hostPort").as_int().filter(|n| *n > 0)?;
            let ip = p.get("hostIP").as_str().filter(|ip| !ip.is_empty());
            let protocol = p.get("protocol").as_str().unwrap_or("TCP");
            Some((ip.unwrap_or("0.0.0.0"), protocol, number))
        })
        .collect()
}

fn overlap(a: &[(&str, &str, i64)], b: &[(&str, &str, i64)]) -> bool {
    a.iter().any(|(ip, protocol, number)| {
        b.iter().any(|(other, p, n)| {
            p == protocol && n == number && (ip == other || *ip == "0.0.0.0" || *other == "0.0.0.0")
        })
    })
}

#[inline(never)]
fn tolerates(toleration: &Value, taint: &Value) -> bool {
    let text = |v: &Value, field: &str| v.get(field).str_or_empty().to_string();
    let effect = text(toleration, "effect");
    if !effect.is_empty() && effect != text(taint, "effect") {
        return false;
    }
    let key = text(toleration, "key");
    let exists = text(toleration, "operator") == "Exists";
    if key.is_empty() {
        return exists;
    }
    key == text(taint, "key") && (exists || text(toleration, "value") == text(taint, "value"))
}
