//! What the kubelet checks before it takes a Pod.
//!
//! Models: pkg/kubelet/lifecycle/predicate.go (v1.36)

use super::resources::{Amounts, Side, pod_amounts};
use podscope_api::{Object, Quantity, Text, Value};

/// Whether a Pod fits on its machine beside the others; the refusal is reason and message.
///
/// # Errors
/// Reason and message, as in the Event and the status.
pub fn admit<'a>(
    pod: &Object,
    node: Option<&Object>,
    others: impl Iterator<Item = &'a Object>,
) -> Result<(), (Text, Text)> {
    let Some(node) = node else { return Ok(()) };
    let requests = pod_amounts(pod.spec(), Side::Requests, true);
    let mut used = Amounts::new();
    let mut count = 0;
    for other in others {
        count += 1;
        for (name, amount) in pod_amounts(other.spec(), Side::Requests, true) {
            let sum = used.get(&name).map_or(amount, |before| before.plus(amount));
            used.insert(name, sum);
        }
    }
    let allocatable = node.at("status.allocatable");
    let of = |name: &str| Quantity::from_value(allocatable.get(name));
    if let Some(pods) = of("pods").map(|q| q.value()).filter(|max| count >= *max) {
        return Err(out_of("pods", 1, count, pods));
    }
    let mut names: Vec<&Text> = requests.keys().collect();
    // cpu, memory and storage come first, then the others by name.
    let rank = |name: &str| match name {
        "cpu" => 0,
        "memory" => 1,
        "ephemeral-storage" => 2,
        _ => 3,
    };
    names.sort_by_key(|n| (rank(n), (*n).clone()));
    for name in names {
        let units = |q: Quantity| {
            if &**name == "cpu" {
                q.milli_value()
            } else {
                q.value()
            }
        };
        let asked = requests.get(name).copied().map_or(0, units);
        if asked <= 0 {
            continue;
        }
        let has = of(name).map_or(0, units);
        let taken = used.get(name).copied().map_or(0, units);
        if asked > has.saturating_sub(taken) {
            return Err(out_of(name, asked, taken, has));
        }
    }
    if !selected(pod, node) {
        return Err(predicate(
            "NodeAffinity",
            "node(s) didn't match Pod's node affinity/selector",
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

/// `spec.nodeSelector`: every label must be there.
fn selected(pod: &Object, node: &Object) -> bool {
    let wanted = pod.at("spec.nodeSelector").entries();
    wanted
        .iter()
        .all(|(key, value)| node.labels().get(key) == value)
}

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
