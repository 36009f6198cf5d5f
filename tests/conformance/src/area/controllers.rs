//! Tables of controllers: decisions of the controllers.

use super::Outcome;
use crate::load::Table;
use podscope_api::{Object, Quantity, Text, Timestamp, Value, value};
use podscope_cluster::apiserver::strategy::hash::template_hash;
use podscope_cluster::controllers::deployment::plan::{Inputs, Step, plan};
use podscope_cluster::controllers::deployment::{bounds, replica_sets, scale, status};
use podscope_cluster::controllers::horizontal_pod_autoscaler as hpa;
use podscope_cluster::controllers::node_lifecycle::zone::ZoneState;
use podscope_cluster::controllers::replicaset::{ranking, slow_start_batches};
use podscope_cluster::controllers::taint_eviction::{Stay, min_toleration_time};
use podscope_cluster::controllers::{endpointslice, job, replicaset};
use podscope_kernel::collections::BTreeMap;
use std::rc::Rc;

/// Runs one case when the table belongs to this area.
pub fn run(table: &Table, case: &Value) -> Option<Outcome> {
    let (input, expected) = (case.get("input"), case.get("expected"));
    let run: fn(&Value, &Value) -> Outcome = match &*table.name {
        "deployment_cleanup_history" => cleanup_history,
        "deployment_cleanup_unhealthy" => cleanup_unhealthy,
        "deployment_complete" => complete,
        "deployment_find_new_replicaset" => find_new,
        "deployment_max_unavailable" => max_unavailable,
        "deployment_min_available" => min_available,
        "deployment_new_rs_new_replicas" => new_size,
        "deployment_pod_template_hash" => pod_template_hash,
        "deployment_progressing" => progressing,
        "deployment_reconcile_new_rs" => reconcile_new,
        "deployment_reconcile_old_rs" => reconcile_old,
        "deployment_replicaset_fraction" => fraction,
        "deployment_replicaset_name" => replica_set_name,
        "deployment_requeue_stuck" => requeue_stuck,
        "deployment_resolve_fenceposts" => fenceposts,
        "deployment_rollout_trace" => rollout_trace,
        "deployment_scale_down_old_rs" => scale_down_old,
        "deployment_scale_proportional" => scale_proportional,
        "deployment_sync_rollout_status" => sync_rollout_status,
        "deployment_timed_out" => timed_out,
        "endpointslice_pod_included" => pod_included,
        "endpointslice_pod_to_endpoint" => pod_to_endpoint,
        "hpa_resource_replicas" => hpa_replicas,
        "job_backoff_remaining" => job_backoff,
        "node_zone_state" => zone_state,
        "replicaset_pods_to_delete" => pods_to_delete,
        "replicaset_slow_start_batch" => slow_start,
        "replicaset_sort_active_pods" => sort_active,
        "replicaset_sort_active_pods_with_ranks" => sort_with_ranks,
        "replicaset_status" => replica_set_status,
        "replicaset_status_conditions" => replica_set_conditions,
        "taint_min_toleration_time" => toleration_time,
        _ => return None,
    };
    Some(run(input, expected))
}

fn object(v: &Value) -> Object {
    Object(v.clone())
}

fn objects(list: &Value) -> Vec<Rc<Object>> {
    list.items().iter().map(|v| Rc::new(object(v))).collect()
}

fn int(v: &Value, field: &str) -> i64 {
    v.get(field).as_int().unwrap_or(0)
}

fn time(v: &Value) -> Option<Timestamp> {
    v.as_str().and_then(Timestamp::parse)
}

fn number(v: &Value) -> f64 {
    match v {
        Value::Int(i) => *i as f64,
        Value::Float(f) => f.0,
        _ => 0.0,
    }
}

fn names<'a>(list: impl IntoIterator<Item = &'a str>) -> Value {
    Value::list(list.into_iter().map(Value::from))
}

/// A Deployment with a rolling update.
fn deployment(replicas: i64, surge: &Value, unavailable: &Value) -> Object {
    Object(value!({
        "metadata": {"name": "foo", "namespace": "default", "uid": "d"},
        "spec": {"replicas": (replicas), "strategy": {"type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": (surge.clone()), "maxUnavailable": (unavailable.clone())}}}
    }))
}

fn replica_set(name: &str, replicas: i64, available: i64) -> Rc<Object> {
    Rc::new(Object(value!({
        "metadata": {"name": (name), "namespace": "default"},
        "spec": {"replicas": (replicas)}, "status": {"availableReplicas": (available)}
    })))
}

fn sizes(expected: &Value) -> Vec<i64> {
    let updates = expected.get("updates").items();
    updates.iter().map(|u| int(u, "replicas")).collect()
}

fn cleanup_history(input: &Value, expected: &Value) -> Outcome {
    let sets: Vec<Rc<Object>> = input
        .get("oldReplicaSets")
        .items()
        .iter()
        .map(|s| {
            Rc::new(Object(value!({
                "metadata": {"name": (s.get("name").clone()), "generation": (s.get("generation").clone()),
                    "annotations": (s.get("annotations").clone()),
                    "creationTimestamp": (s.get("creationTimestamp").clone()),
                    "deletionTimestamp": (s.get("deletionTimestamp").clone())},
                "spec": {"replicas": (s.get("specReplicas").clone())},
                "status": {"replicas": (s.get("statusReplicas").clone()),
                    "observedGeneration": (s.get("observedGeneration").clone())}
            })))
        })
        .collect();
    let limit = input.get("revisionHistoryLimit").clone();
    let d = Object(value!({"spec": {"revisionHistoryLimit": (limit)}}));
    let deleted = replica_sets::surplus_history(&d, &sets);
    let mut got: Vec<&str> = deleted.iter().map(|k| &*k.name).collect();
    let order = expected.get("deletedInOrder");
    if order.is_null() {
        got.sort_unstable();
        return Outcome::equal(&names(got), expected.get("deletedSet"));
    }
    Outcome::equal(&names(got), order)
}

fn cleanup_unhealthy(input: &Value, expected: &Value) -> Outcome {
    let size = int(input, "oldRSReplicas");
    let old = [replica_set("foo-v2", size, int(input, "oldRSAvailable"))];
    let got = scale::clean_up_unhealthy(&old, &mut [size], int(input, "maxCleanupCount"));
    Outcome::equal(resized(&got), sizes(expected))
}

fn resized(resizes: &[scale::Resize]) -> Vec<i64> {
    resizes.iter().map(|r| r.replicas).collect()
}

fn complete(input: &Value, expected: &Value) -> Outcome {
    let d = object(input.get("deployment"));
    Outcome::equal(
        status::is_complete(&d, d.status()),
        expected.get("complete").is_true(),
    )
}

fn find_new(input: &Value, expected: &Value) -> Outcome {
    let d = object(input.get("deployment"));
    let got = replica_sets::find_new(&d, &objects(input.get("replicaSets")));
    let got = got.map_or(-1, |i| i64::try_from(i).unwrap_or(-1));
    Outcome::equal(got, int(expected, "newReplicaSetIndex"))
}

fn max_unavailable(input: &Value, expected: &Value) -> Outcome {
    let d = object(input.get("deployment"));
    Outcome::equal(bounds::max_unavailable(&d), int(expected, "maxUnavailable"))
}

fn min_available(input: &Value, expected: &Value) -> Outcome {
    let d = object(input.get("deployment"));
    Outcome::equal(bounds::min_available(&d), int(expected, "minAvailable"))
}

fn new_size(input: &Value, expected: &Value) -> Outcome {
    let mut d = deployment(
        int(input, "deploymentReplicas"),
        input.get("maxSurge"),
        &Value::Int(1),
    );
    d.set("spec.strategy.type", input.get("strategyType").clone());
    let got = scale::new_size(
        &d,
        int(input, "allReplicaSetsTotal"),
        int(input, "newRSReplicas"),
    );
    Outcome::equal(got, int(expected, "newRSReplicas"))
}

fn pod_template_hash(input: &Value, expected: &Value) -> Outcome {
    let got = template_hash(
        input.get("podTemplate"),
        input.get("collisionCount").as_int(),
    );
    Outcome::equal(got.as_str(), expected.get("podTemplateHash").str_or_empty())
}

fn progressing(input: &Value, expected: &Value) -> Outcome {
    Outcome::equal(
        status::is_progressing(input.get("oldStatus"), input.get("newStatus")),
        expected.get("progressing").is_true(),
    )
}

fn reconcile_new(input: &Value, expected: &Value) -> Outcome {
    let d = deployment(
        int(input, "replicas"),
        input.get("maxSurge"),
        input.get("maxUnavailable"),
    );
    let (old, new) = (int(input, "oldRSReplicas"), int(input, "newRSReplicas"));
    let got: Vec<i64> = scale::reconcile_new(&d, old + new, new)
        .into_iter()
        .collect();
    Outcome::equal(got, sizes(expected))
}

fn reconcile_old(input: &Value, expected: &Value) -> Outcome {
    let d = deployment(
        int(input, "replicas"),
        input.get("maxSurge"),
        input.get("maxUnavailable"),
    );
    let size = int(input, "oldRSReplicas");
    let old = [replica_set("foo-old", size, int(input, "oldRSAvailable"))];
    let new = replica_set(
        "foo-new",
        int(input, "newRSReplicas"),
        int(input, "newRSAvailable"),
    );
    let got = scale::reconcile_old(&d, &old, Some(&new));
    let last = got.last().map_or(size, |r| r.replicas);
    Outcome::equal(
        (resized(&got), last),
        (sizes(expected), int(expected, "finalOldRSReplicas")),
    )
}

fn fraction(input: &Value, expected: &Value) -> Outcome {
    let mut d = deployment(
        int(input, "deploymentReplicas"),
        input.get("maxSurge"),
        &Value::Int(0),
    );
    d.set(
        "status.replicas",
        input.get("deploymentStatusReplicas").clone(),
    );
    let mut rs = (*replica_set("rs", int(input, "replicaSetReplicas"), 0)).clone();
    rs.set(
        "metadata.annotations",
        input.get("replicaSetAnnotations").clone(),
    );
    Outcome::equal(scale::fraction(&rs, &d), int(expected, "fraction"))
}

fn replica_set_name(input: &Value, expected: &Value) -> Outcome {
    let got = replica_sets::name(
        input.get("deploymentName").str_or_empty(),
        input.get("hash").str_or_empty(),
    );
    Outcome::equal(got.as_str(), expected.get("replicaSetName").str_or_empty())
}

fn requeue_stuck(input: &Value, expected: &Value) -> Outcome {
    let d = object(input.get("deployment"));
    let now = time(input.get("now")).unwrap_or_default();
    let got = status::look_again(&d, input.get("newStatus"), now);
    let got = got.map_or(-1.0, |micros| micros as f64 / 1e6);
    Outcome::equal(got, number(expected.get("requeueAfterSeconds")))
}

fn fenceposts(input: &Value, expected: &Value) -> Outcome {
    let got = bounds::fenceposts(
        input.get("maxSurge"),
        input.get("maxUnavailable"),
        int(input, "replicas"),
    );
    let want = (!expected.get("error").is_true())
        .then(|| (int(expected, "maxSurge"), int(expected, "maxUnavailable")));
    Outcome::equal(got, want)
}

/// Runs whole syncs one after the other, with Pods that become available in between.
fn rollout_trace(input: &Value, expected: &Value) -> Outcome {
    let replicas = int(input, "replicas");
    let mut d = deployment(replicas, input.get("maxSurge"), input.get("maxUnavailable"));
    d.set("spec.selector.matchLabels.app", "x");
    d.set("spec.template.metadata.labels.app", "x");
    let new_available = input.get("newPodsBecomeAvailable").is_true();
    let mut old = (*replica_set("foo-old", replicas, replicas)).clone();
    old.set("metadata.uid", "old");
    old.set("metadata.creationTimestamp", "2026-01-01T00:00:00Z");
    old.set("spec.template.metadata.labels.app", "before");
    replica_sets::annotate_sizes(&mut old, &d);
    let mut new: Option<Object> = None;
    let mut steps = Vec::new();
    for sync in 1..=200_i64 {
        let sets = std::iter::once(&old)
            .chain(&new)
            .map(|o| Rc::new(o.clone()))
            .collect();
        let planned = plan(Inputs {
            deployment: d.clone(),
            sets,
            pods: Vec::new(),
            now: Timestamp(1_800_000_000_000_000),
        });
        let mut actions: Vec<String> = Vec::new();
        for step in planned.steps {
            match step {
                Step::Create(set) => {
                    let size = set.at("spec.replicas").as_int().unwrap_or(0);
                    actions.push(format!("create new ReplicaSet with {size} replicas"));
                    let mut set = set;
                    set.set("metadata.uid", "new");
                    set.set("metadata.creationTimestamp", "2026-01-02T00:00:00Z");
                    new = Some(set);
                }
                Step::Update(set, Some(_)) if set.name() == "foo-old" => {
                    actions.push("scale old".into());
                    old = set;
                }
                Step::Update(set, Some(_)) => {
                    actions.push("scale new".into());
                    new = Some(set);
                }
                Step::Update(..) | Step::Delete(_) | Step::Status(_) => {}
            }
        }
        actions.dedup();
        let size = |o: &Object| o.at("spec.replicas").as_int().unwrap_or(0);
        let new_size = new.as_ref().map_or(0, size);
        if !actions.is_empty() {
            steps.push(value!({
                "sync": (sync), "action": (actions.join(", ")), "new": (new_size), "old": (size(&old))
            }));
        }
        let old_size = size(&old);
        old.set("status.availableReplicas", old_size);
        let mut moved = !actions.is_empty();
        if let Some(set) = new.as_mut().filter(|_| new_available) {
            moved |= set.at("status.availableReplicas").as_int() != Some(new_size);
            set.set("status.availableReplicas", new_size);
        }
        if !moved {
            break;
        }
    }
    Outcome::equal(&Value::from(steps), expected.get("steps"))
}

fn scale_down_old(input: &Value, expected: &Value) -> Outcome {
    let d = deployment(
        int(input, "replicas"),
        &Value::Int(0),
        input.get("maxUnavailable"),
    );
    let size = int(input, "oldRSReplicas");
    let available = int(input, "availablePods");
    let old = [replica_set("foo-v2", size, available)];
    let got = scale::scale_down_old(&d, &old, &mut [size], available);
    let down = size - got.last().map_or(size, |r| r.replicas);
    Outcome::equal(
        (resized(&got), down),
        (sizes(expected), int(expected, "scaledDown")),
    )
}

fn scale_proportional(input: &Value, expected: &Value) -> Outcome {
    let summary = input.get("deployment");
    let d = Object(value!({
        "spec": {"replicas": (summary.get("replicas").clone()), "strategy": (summary.get("strategy").clone())},
        "status": {"replicas": (summary.get("statusReplicas").clone())}
    }));
    let set = |s: &Value| {
        Rc::new(Object(value!({
            "metadata": {"name": (s.get("name").clone()), "annotations": (s.get("annotations").clone()),
                "creationTimestamp": (s.get("creationTimestamp").clone())},
            "spec": {"replicas": (s.get("replicas").clone())},
            "status": {"availableReplicas": (s.get("availableReplicas").clone())}
        })))
    };
    let mut sets: Vec<Rc<Object>> = input.get("oldRSs").items().iter().map(set).collect();
    let new = (!input.get("newRS").is_null()).then(|| {
        sets.push(set(input.get("newRS")));
        sets.len() - 1
    });
    let mut finals: BTreeMap<String, i64> = BTreeMap::new();
    for rs in &sets {
        finals.insert(
            rs.name().into(),
            rs.at("spec.replicas").as_int().unwrap_or(0),
        );
    }
    let mut updates = Vec::new();
    for resize in scale::scale(&d, &sets, new) {
        let rs = &sets[resize.index];
        let before = rs.at("spec.replicas").as_int().unwrap_or(0);
        if before == resize.replicas && !replica_sets::sizes_differ(rs, &d) {
            continue;
        }
        finals.insert(rs.name().into(), resize.replicas);
        let mut updated = (**rs).clone();
        replica_sets::annotate_sizes(&mut updated, &d);
        updates.push(value!({
            "replicaSet": (rs.name()), "replicas": (resize.replicas),
            "desiredReplicasAnnotation": (updated.annotation(replica_sets::DESIRED).unwrap_or("")),
            "maxReplicasAnnotation": (updated.annotation(replica_sets::MAX).unwrap_or(""))
        }));
    }
    let finals = Value::from_pairs(finals.into_iter().map(|(k, v)| (k, Value::Int(v))));
    let got = value!({"finalSizes": (finals), "updatesInOrder": (updates)});
    Outcome::equal(&got, expected)
}

fn sync_rollout_status(input: &Value, expected: &Value) -> Outcome {
    let d = object(input.get("deployment"));
    let all = objects(input.get("allReplicaSets"));
    let new = (!input.get("newReplicaSet").is_null()).then(|| object(input.get("newReplicaSet")));
    let now = Timestamp(1_795_168_800_000_000);
    let status = status::rollout(&d, &all, new.as_ref(), now);
    let got = object(&value!({"status": (status)}));
    let got = got.condition("Progressing");
    let before = d.condition("Progressing");
    let got = if got.is_null() {
        Value::Null
    } else {
        let same = |field: &str| {
            let zero = |v: &Value| v.is_null();
            before.get(field) == got.get(field) || (zero(before.get(field)) && zero(got.get(field)))
        };
        value!({
            "type": "Progressing", "status": (got.get("status").clone()),
            "reason": (got.get("reason").clone()),
            "message": (got.get("message").str_or_empty()),
            "lastTransitionTimeUnchanged": (same("lastTransitionTime")),
            "lastUpdateTimeUnchanged": (same("lastUpdateTime"))
        })
    };
    Outcome::equal(&got, expected.get("progressingCondition"))
}

fn timed_out(input: &Value, expected: &Value) -> Outcome {
    let seconds = input.get("progressDeadlineSeconds").clone();
    let d = Object(value!({"spec": {"progressDeadlineSeconds": (seconds)}}));
    let status = value!({"conditions": (input.get("conditions").clone())});
    let now = time(input.get("now")).unwrap_or_default();
    Outcome::equal(
        status::is_timed_out(&d, &status, now),
        expected.get("timedOut").is_true(),
    )
}

fn pod_included(input: &Value, expected: &Value) -> Outcome {
    let terminating = input.get("includeTerminating").is_true();
    Outcome::equal(
        endpointslice::is_included(&object(input.get("pod")), terminating),
        expected.get("included").is_true(),
    )
}

fn pod_to_endpoint(input: &Value, expected: &Value) -> Outcome {
    let node = (!input.get("node").is_null()).then(|| object(input.get("node")));
    let got = endpointslice::endpoint(
        &object(input.get("pod")),
        node.as_ref(),
        &object(input.get("service")),
    );
    Outcome::equal(&got, expected.get("endpoint"))
}

fn hpa_replicas(input: &Value, expected: &Value) -> Outcome {
    let now = time(input.get("now")).unwrap_or_default();
    let is_cpu = input.get("resource").as_str() == Some("cpu");
    let containers = int(input, "containersPerPod");
    let count = int(input, "currentReplicas");
    let or = |list: &Value, i: usize, otherwise: &str| match list.index(i).as_str() {
        Some(text) if !text.is_empty() => text.to_string(),
        _ => otherwise.to_string(),
    };
    let (mut pods, mut requests) = (Vec::new(), BTreeMap::new());
    for i in 0..usize::try_from(count).unwrap_or(0) {
        let name: Text = format!("test-pod-{i}").into();
        let mut pod = Object(value!({
            "metadata": {"name": (name.clone())},
            "status": {
                "phase": (or(input.get("podPhase"), i, "Running")),
                "startTime": (or(input.get("podStartTime"), i, "0001-01-01T00:00:00Z")),
                "conditions": [{"type": "Ready", "status": (or(input.get("podReady"), i, "True"))}]
            }
        }));
        if input.get("podDeleting").index(i).is_true() {
            pod.set("metadata.deletionTimestamp", now.seconds_text());
        }
        pods.push(pod);
        let request = input.get("requestPerContainer").index(i);
        if let Some(request) = Quantity::from_value(request) {
            requests.insert(name, request.milli_value() * containers);
        }
    }
    let mut metrics = BTreeMap::new();
    for (k, usage) in input
        .get("usageMilliPerContainerByPod")
        .items()
        .iter()
        .enumerate()
    {
        let name = or(input.get("metricPodNames"), k, &format!("test-pod-{k}"));
        let metric = hpa::Metric {
            milli: usage.items().iter().filter_map(Value::as_int).sum(),
            at: time(input.get("metricTimestamp")).unwrap_or_default(),
            window: int(input, "metricWindowSeconds") * 1_000_000,
        };
        metrics.insert(Text::from(name), metric);
    }
    let rules = hpa::Rules {
        is_cpu,
        now,
        cpu_initialization: int(input, "cpuInitializationPeriodSeconds") * 1_000_000,
        initial_readiness: int(input, "initialReadinessDelaySeconds") * 1_000_000,
        target_percent: int(input, "targetUtilizationPercent"),
        tolerance_up: number(input.get("toleranceUp")),
        tolerance_down: number(input.get("toleranceDown")),
    };
    let got = hpa::resource_replicas(count, &pods, metrics, &requests, rules);
    if let Some(text) = expected.get("errorContains").as_str() {
        return match got {
            Err(error) if error.contains(text) => Outcome::Pass,
            other => Outcome::Fail(format!("want error {text:?}, got {other:?}")),
        };
    }
    let want = hpa::Decision {
        replicas: int(expected, "replicas"),
        utilization_percent: int(expected, "utilizationPercent"),
        average_milli: int(expected, "usageMilliPerPodAverage"),
    };
    Outcome::equal(got, Ok(want))
}

fn job_backoff(input: &Value, expected: &Value) -> Outcome {
    let micros = |field: &str| (number(input.get(field)) * 1e6) as i64;
    let got = job::backoff_remaining(
        int(input, "failuresAfterLastSuccess"),
        time(input.get("lastFailureTime")),
        time(input.get("now")).unwrap_or_default(),
        micros("defaultBackoffSeconds"),
        micros("maxBackoffSeconds"),
    );
    Outcome::equal(got as f64 / 1e6, number(expected.get("remainingSeconds")))
}

fn zone_state(input: &Value, expected: &Value) -> Outcome {
    let (ready, lost) = (int(input, "readyNodes"), int(input, "notReadyNodes"));
    let state = ZoneState::of(ready, lost);
    let rate = match state.taint_interval(ready + lost) {
        None => "0".to_string(),
        Some(interval) => (1.0 / interval.as_secs() as f64).to_string(),
    };
    let got = value!({
        "notReady": (lost), "zoneState": (state.name()),
        "nodeTaintingRatePerSecondIfOtherZonesHealthy": (rate)
    });
    Outcome::equal(&got, expected)
}

/// Pods in the order of their deletion; equal ones may change places.
fn pods_to_delete(input: &Value, expected: &Value) -> Outcome {
    let diff = usize::try_from(int(input, "diff")).unwrap_or(0);
    let pods = objects(input.get("pods"));
    let related = objects(input.get("relatedPods"));
    let now = Timestamp(1_795_168_800_000_000);
    let got = ranking::pods_to_delete(&pods, &related, diff, now);
    let mut got: Vec<&str> = got.iter().map(|p| p.name()).collect();
    let mut want: Vec<&str> = expected
        .get("deleteInOrder")
        .items()
        .iter()
        .map(Value::str_or_empty)
        .collect();
    if diff < pods.len() {
        got.sort_unstable();
        want.sort_unstable();
    }
    Outcome::equal(got, want)
}

fn slow_start(input: &Value, expected: &Value) -> Outcome {
    let size = |field: &str| usize::try_from(int(input, field)).unwrap_or(0);
    let mut left = size("callsThatSucceedBeforeFailing");
    let (mut calls, mut successes, mut failed) = (0, 0, false);
    for batch in slow_start_batches(size("count"), size("initialBatchSize")) {
        let good = batch.min(left);
        left -= good;
        calls += batch;
        successes += good;
        if good < batch {
            failed = true;
            break;
        }
    }
    let int = |n: usize| i64::try_from(n).unwrap_or(-1);
    let got = value!({"calls": (int(calls)), "successes": (int(successes)), "error": (failed)});
    Outcome::equal(&got, expected)
}

fn sort_active(input: &Value, expected: &Value) -> Outcome {
    let rules = ranking::Rules {
        now: None,
        deletion_cost: false,
    };
    let mut pods = objects(input.get("pods"));
    pods.reverse();
    pods.sort_by(|a, b| ranking::compare(a, 0, b, 0, rules));
    Outcome::equal(&names(pods.iter().map(|p| p.name())), expected.get("order"))
}

fn sort_with_ranks(input: &Value, expected: &Value) -> Outcome {
    let logarithmic = input.get("featureLogarithmicScaleDown").is_true();
    let rules = ranking::Rules {
        now: time(input.get("now")).filter(|_| logarithmic),
        deletion_cost: input.get("featurePodDeletionCost").is_true(),
    };
    let (a, b) = (object(input.get("a")), object(input.get("b")));
    let (x, y) = (int(input, "aRank"), int(input, "bRank"));
    let got = value!({
        "aBeforeB": (ranking::compare(&a, x, &b, y, rules).is_lt()),
        "bBeforeA": (ranking::compare(&b, y, &a, x, rules).is_lt())
    });
    Outcome::equal(&got, expected)
}

fn calculated(input: &Value) -> Value {
    let counts = input
        .get("featureDeploymentReplicaSetTerminatingReplicas")
        .is_true()
        && !input.get("isReplicationController").is_true();
    let terminating = i64::try_from(input.get("terminatingPods").items().len()).unwrap_or(0);
    replicaset::status::calculate(
        &object(input.get("replicaSet")),
        &objects(input.get("activePods")),
        counts.then_some(terminating),
        input.get("manageReplicasError").as_str(),
        Timestamp(1_795_168_800_000_000),
    )
}

fn replica_set_status(input: &Value, expected: &Value) -> Outcome {
    Outcome::equal(&calculated(input), expected.get("status"))
}

fn replica_set_conditions(input: &Value, expected: &Value) -> Outcome {
    let status = calculated(input);
    let got = status.get("conditions").items().iter().map(|c| {
        value!({
            "type": (c.get("type").clone()), "status": (c.get("status").clone()),
            "reason": (c.get("reason").str_or_empty()),
            "message": (c.get("message").str_or_empty())
        })
    });
    Outcome::equal(&Value::list(got), expected.get("conditions"))
}

fn toleration_time(input: &Value, expected: &Value) -> Outcome {
    let got = match min_toleration_time(input.get("tolerationsUsed").items()) {
        Stay::ForEver => None,
        Stay::Seconds(seconds) => Some(seconds as f64),
    };
    let want = (!expected.get("infinite").is_true()).then(|| number(expected.get("seconds")));
    Outcome::equal(got, want)
}
