//! What one metric of an autoscaler asks for.
//!
//! Models: pkg/controller/podautoscaler/horizontal.go (v1.36)

use super::load;
use super::replica_calculator::{Rules, resource_replicas};
use podscope_api::{Object, Text, Timestamp, Value, value};
use podscope_kernel::collections::BTreeMap;
use std::rc::Rc;

/// What one metric asks for: the size, the metric's name, what was measured.
pub fn one(
    metric: &Value,
    workload: &Object,
    pods: &[Rc<Object>],
    current: i64,
    autoscaler: &Object,
    now: Timestamp,
) -> Result<(i64, String, Value), String> {
    let (field, kind) = match metric.get("type").str_or_empty() {
        "Resource" => ("resource", "Resource"),
        "ContainerResource" => ("containerResource", "ContainerResource"),
        other => {
            return Err(format!(
                "failed to get {} metric value: unable to get metric: no metrics API serves it here",
                other.to_lowercase()
            ));
        }
    };
    let source = metric.get(field);
    let resource = source.get("name").str_or_empty();
    let only = source.get("container").str_or_empty();
    let usage = load::usage(workload, pods, resource, only, now);
    let fail = |why: &str| format!("failed to get {resource} utilization: {why}");
    if usage.is_empty() {
        let why = format!(
            "unable to get metrics for resource {resource}: no metrics returned from resource metrics API"
        );
        return Err(fail(&why));
    }
    let average = source.at("target.averageValue");
    let utilization = source.at("target.averageUtilization").as_int();
    let mut requests: BTreeMap<Text, i64> = BTreeMap::new();
    for pod in pods {
        let mut sum = 0;
        for container in load::containers(pod, only) {
            let request = container.at("resources.requests").get(resource);
            if request.is_null() && utilization.is_some() {
                let name = container.get("name").str_or_empty();
                let why = format!(
                    "missing request for {resource} in container {name} of Pod {}",
                    pod.name()
                );
                return Err(fail(&why));
            }
            sum += load::milli(request);
        }
        if utilization.is_none() {
            sum = load::milli(average);
        }
        requests.insert(pod.key().name, sum);
    }
    let tolerance = |direction: &str| {
        let own = autoscaler
            .at("spec.behavior")
            .get(direction)
            .get("tolerance");
        match own.is_null() {
            true => 0.1,
            false => load::milli(own) as f64 / 1000.0,
        }
    };
    let rules = Rules {
        is_cpu: resource == "cpu",
        now,
        cpu_initialization: 300_000_000,
        initial_readiness: 30_000_000,
        target_percent: utilization.unwrap_or(100).max(1),
        tolerance_up: tolerance("scaleUp"),
        tolerance_down: tolerance("scaleDown"),
    };
    let objects: Vec<Object> = pods.iter().map(|p| (**p).clone()).collect();
    let decision = resource_replicas(current, &objects, usage, &requests, rules).map_err(fail)?;
    let value = value_text(resource, decision.average_milli);
    let mut now_used = value!({"averageValue": (value)});
    if utilization.is_some() {
        now_used.set("averageUtilization", decision.utilization_percent);
    }
    let mut status = value!({"name": (resource), "current": (now_used)});
    if !only.is_empty() {
        status.set("container", only);
    }
    let container = if only.is_empty() { "" } else { " container" };
    let name = match utilization {
        Some(_) => {
            format!("{resource}{container} resource utilization (percentage of request)")
        }
        None => format!("{resource}{container} resource"),
    };
    let mut measured = value!({"type": (kind)});
    measured.set(field, status);
    Ok((decision.replicas, name, measured))
}

/// Thousandths as a quantity is written: `250m`, and bytes in whole numbers.
fn value_text(resource: &str, milli: i64) -> String {
    if resource == "cpu" || milli % 1000 != 0 {
        return match milli % 1000 {
            0 => (milli / 1000).to_string(),
            _ => format!("{milli}m"),
        };
    }
    (milli / 1000).to_string()
}
