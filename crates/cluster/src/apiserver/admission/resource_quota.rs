//! ResourceQuota: a namespace's quotas must have room for what a new object uses. It runs last.
//!
//! Models: staging/src/k8s.io/apiserver/pkg/admission/plugin/resourcequota, pkg/quota/v1/evaluator/core (v1.36)
//! Left out: charging the quota's status (the caller stores it).

use super::{Admission, Lookup, Operation};
use crate::apiserver::validation::pod::{qos, resources};
use podscope_api::{Kind, Quantity, Status, Value};

/// Amounts by name.
pub type Usage = Vec<(String, Quantity)>;

/// Refuses a new object when a quota has no room, or cannot tell because a container names no amounts.
pub fn admit(a: &mut Admission<'_>, lookup: &dyn Lookup) -> Result<(), Status> {
    if a.namespace.is_empty() || !a.subresource.is_empty() || a.operation == Operation::Delete {
        return Ok(());
    }
    let mut quotas = lookup.list(Kind::ResourceQuota, a.namespace);
    quotas.retain(|q| !q.at("status.hard").is_empty() && in_scope(q, a.kind, &a.object));
    if quotas.is_empty() {
        return Ok(());
    }
    let before = match (a.operation, a.old) {
        (Operation::Update, Some(old)) => {
            if a.kind != Kind::Service && a.kind != Kind::PersistentVolumeClaim {
                return Ok(());
            }
            usage(a.kind, old)
        }
        _ => Usage::new(),
    };
    let mut wanted = usage(a.kind, &a.object);
    for (name, amount) in &mut wanted {
        if let Some((_, old)) = before.iter().find(|(n, _)| n == name) {
            *amount = amount.minus(*old);
        }
    }
    // The server's cache lists them as they came.
    podscope_api::sort::by(&mut quotas, |a, b| {
        let created =
            |q: &podscope_api::Object| q.at("metadata.creationTimestamp").as_text().cloned();
        (created(a), a.resource_version()).cmp(&(created(b), b.resource_version()))
    });
    if a.operation == Operation::Create {
        for quota in &quotas {
            missing(a, quota.name(), quota.at("status.hard"))?;
        }
    }
    for quota in quotas {
        let hard = quota.at("status.hard");
        let mut over: Vec<(&str, Quantity, Quantity, Quantity)> = Vec::new();
        for (name, amount) in &wanted {
            let Some(limit) = Quantity::from_value(hard.get(name)) else {
                continue;
            };
            let used =
                Quantity::from_value(quota.at("status.used").get(name)).unwrap_or(Quantity::ZERO);
            if amount.sign() > 0 && used.plus(*amount) > limit {
                over.push((name, *amount, used, limit));
            }
        }
        if !over.is_empty() {
            podscope_api::sort::by_key(&mut over, |o| o.0);
            let list = |pick: fn(&(&str, Quantity, Quantity, Quantity)) -> Quantity| {
                let parts: Vec<String> = over
                    .iter()
                    .map(|o| format!("{}={}", o.0, pick(o)))
                    .collect();
                parts.join(",")
            };
            return Err(a.forbidden(&format!(
                "exceeded quota: {}, requested: {}, used: {}, limited: {}",
                quota.name(),
                list(|o| o.1),
                list(|o| o.2),
                list(|o| o.3)
            )));
        }
    }
    Ok(())
}

/// What an object counts for.
pub fn usage(kind: Kind, object: &Value) -> Usage {
    let one = Quantity::new(1, podscope_api::quantity::Format::DecimalSi);
    let counted = match kind.group() {
        "" => format!("count/{}", kind.plural()),
        group => format!("count/{}.{group}", kind.plural()),
    };
    let mut usage: Usage = vec![(counted, one)];
    match kind {
        Kind::Pod => pod_usage(&mut usage, object, one),
        Kind::Service => service_usage(&mut usage, object, one),
        Kind::PersistentVolumeClaim => claim_usage(&mut usage, object, one),
        Kind::ConfigMap | Kind::Secret | Kind::ReplicationController | Kind::ResourceQuota => {
            usage.push((kind.plural().to_string(), one));
        }
        _ => {}
    }
    usage
}

fn pod_usage(usage: &mut Usage, pod: &Value, one: Quantity) {
    if matches!(
        pod.at("status.phase").str_or_empty(),
        "Succeeded" | "Failed"
    ) {
        return;
    }
    usage.push(("pods".into(), one));
    let spec = pod.get("spec");
    for (field, prefix) in [("requests", "requests."), ("limits", "limits.")] {
        let mut sums = resources::aggregate(spec, field);
        for (name, value) in spec.get("resources").get(field).entries() {
            let own = Quantity::from_value(value).unwrap_or(Quantity::ZERO);
            match sums.iter_mut().find(|(n, _)| n.as_str() == &**name) {
                Some((_, total)) => *total = own,
                None => sums.push((name.to_string(), own)),
            }
        }
        for (name, value) in spec.get("overhead").entries() {
            let extra = Quantity::from_value(value).unwrap_or(Quantity::ZERO);
            if let Some((_, total)) = sums.iter_mut().find(|(n, _)| n.as_str() == &**name) {
                *total = total.plus(extra);
            }
        }
        for (name, amount) in sums {
            let standard = ["cpu", "memory", "ephemeral-storage"].contains(&name.as_str());
            if field == "requests" && (standard || resources::is_huge_page(&name)) {
                usage.push((name.clone(), amount));
            }
            let quotable = standard
                || (field == "requests"
                    && (resources::is_huge_page(&name) || resources::is_extended(&name)));
            if quotable {
                usage.push((format!("{prefix}{name}"), amount));
            }
        }
    }
}

#[inline(never)]
fn service_usage(usage: &mut Usage, service: &Value, one: Quantity) {
    usage.push(("services".into(), one));
    let spec = service.get("spec");
    let ports = spec.get("ports").items();
    let count = |n: usize| Quantity::new(n as i64, podscope_api::quantity::Format::DecimalSi);
    match spec.get("type").str_or_empty() {
        "NodePort" => usage.push(("services.nodeports".into(), count(ports.len()))),
        "LoadBalancer" => {
            let used = if spec.get("allocateLoadBalancerNodePorts").as_bool() == Some(false) {
                ports
                    .iter()
                    .filter(|p| !p.get("nodePort").is_empty())
                    .count()
            } else {
                ports.len()
            };
            usage.push(("services.nodeports".into(), count(used)));
            usage.push(("services.loadbalancers".into(), one));
        }
        _ => {}
    }
}

fn claim_usage(usage: &mut Usage, claim: &Value, one: Quantity) {
    usage.push(("persistentvolumeclaims".into(), one));
    let storage = Quantity::from_value(claim.at("spec.resources.requests").get("storage"));
    let class = claim.at("spec.storageClassName").str_or_empty();
    if let Some(storage) = storage {
        usage.push(("requests.storage".into(), storage));
        if !class.is_empty() {
            let prefix = format!("{class}.storageclass.storage.k8s.io");
            usage.push((format!("{prefix}/requests.storage"), storage));
            usage.push((format!("{prefix}/persistentvolumeclaims"), one));
        }
    }
}

/// Whether a quota's scopes include the object.
#[inline(never)]
fn in_scope(quota: &Value, kind: Kind, object: &Value) -> bool {
    let spec = quota.get("spec");
    let mut selectors: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for scope in spec.get("scopes").items() {
        selectors.push((scope.str_or_empty(), "Exists", Vec::new()));
    }
    for e in spec.at("scopeSelector.matchExpressions").items() {
        let values = e
            .get("values")
            .items()
            .iter()
            .map(|v| v.str_or_empty())
            .collect();
        selectors.push((
            e.get("scopeName").str_or_empty(),
            e.get("operator").str_or_empty(),
            values,
        ));
    }
    if selectors.is_empty() {
        return true;
    }
    if kind != Kind::Pod {
        return false;
    }
    let best_effort = qos(object) == "BestEffort";
    let terminating = object
        .at("spec.activeDeadlineSeconds")
        .as_int()
        .is_some_and(|n| n >= 0);
    selectors
        .iter()
        .all(|(scope, operator, values)| match *scope {
            "BestEffort" => best_effort,
            "NotBestEffort" => !best_effort,
            "Terminating" => terminating,
            "NotTerminating" => !terminating,
            "PriorityClass" => {
                let class = object.at("spec.priorityClassName").str_or_empty();
                match *operator {
                    "In" => values.contains(&class),
                    "NotIn" => !values.contains(&class),
                    "Exists" => !class.is_empty(),
                    _ => class.is_empty(),
                }
            }
            "CrossNamespacePodAffinity" => cross_namespace(object),
            _ => false,
        })
}

fn cross_namespace(pod: &Value) -> bool {
    ["podAffinity", "podAntiAffinity"].iter().any(|kind| {
        let affinity = pod.at("spec.affinity").get(kind);
        let required = affinity
            .get("requiredDuringSchedulingIgnoredDuringExecution")
            .items();
        let preferred = affinity
            .get("preferredDuringSchedulingIgnoredDuringExecution")
            .items();
        required
            .iter()
            .chain(preferred.iter().map(|w| w.get("podAffinityTerm")))
            .any(|t| !t.get("namespaces").is_empty() || !t.get("namespaceSelector").is_null())
    })
}

/// Every container must name the amounts that a quota on cpu or memory counts.
#[inline(never)]
fn missing(a: &Admission<'_>, quota: &str, hard: &Value) -> Result<(), Status> {
    if a.kind != Kind::Pod {
        return Ok(());
    }
    let spec = a.object.get("spec");
    let whole = spec.get("resources");
    if !whole.get("requests").is_empty() || !whole.get("limits").is_empty() {
        return Ok(());
    }
    let mut lacks: Vec<String> = Vec::new();
    for name in [
        "cpu",
        "limits.cpu",
        "limits.memory",
        "memory",
        "requests.cpu",
        "requests.memory",
    ] {
        if hard.get(name).is_null() {
            continue;
        }
        let (field, resource) = match name.split_once('.') {
            Some((field, resource)) => (field, resource),
            None => ("requests", name),
        };

        let mut containers: Vec<&str> = ["containers", "initContainers"]
            .iter()
            .flat_map(|list| spec.get(list).items())
            .filter(|c| c.get("resources").get(field).get(resource).is_null())
            .map(|c| c.get("name").str_or_empty())
            .collect();
        podscope_api::sort::natural(&mut containers);
        if !containers.is_empty() {
            lacks.push(format!("{name} for: {}", containers.join(",")));
        }
    }
    if lacks.is_empty() {
        return Ok(());
    }
    Err(a.forbidden(&format!(
        "failed quota: {quota}: must specify {}",
        lacks.join("; ")
    )))
}
