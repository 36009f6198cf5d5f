//! Tables of kubelet: decisions of the kubelet, cgroup values, kube-proxy.

use super::Outcome;
use crate::load::Table;
use podscope_api::{Object, Quantity, Value, value};
use podscope_cluster::node::backoff::{BackOff, Rules, grace_seconds};
use podscope_cluster::node::eviction::{self, Candidate, Order};
use podscope_cluster::node::{cgroup, phase, proxy, resources};
use podscope_kernel::{SimDuration, SimTime};

/// Runs one case when the table belongs to this area.
pub fn run(table: &Table, case: &Value) -> Option<Outcome> {
    let input = case.get("input");
    let got = match &*table.name {
        "kubelet_cpu_quota" => value!({"quotaMicroseconds":
            (cgroup::cpu_quota_us(int(input, "milliCPU"), int(input, "periodMicroseconds")))}),
        "kubelet_cpu_request_to_weight" => {
            let shares = cgroup::cpu_shares(int(input, "milliCPU"));
            value!({"cpuShares": (shares), "containerCpuWeight": (cgroup::container_weight(shares)),
                "podCgroupCpuWeight": (cgroup::pod_weight(shares))})
        }
        "kubelet_cpu_weight_to_shares" => {
            value!({"cpuShares": (cgroup::weight_to_shares(int(input, "cpuWeight")))})
        }
        "kubelet_crashloop_backoff" => crash_loop(input),
        "kubelet_effective_grace_period" => value!({"gracePeriodSeconds": (grace_seconds(
            input.get("terminationGracePeriodSeconds").as_int(),
            input.get("deletionGracePeriodSeconds").as_int(),
            input.get("kubeletOverrideSeconds").as_int(),
        ))}),
        "kubelet_eviction_message" => eviction_message(input),
        "kubelet_eviction_rank" => eviction_rank(input),
        "kubelet_oom_score_adj" => {
            let pod = Object(input.get("pod").clone());
            let container = input.get("container").str_or_empty();
            let memory = int(input, "nodeMemoryCapacityBytes");
            value!({"oomScoreAdj": (cgroup::oom_score_adj(&pod, container, memory, pod_level(input)))})
        }
        "kubelet_pod_cgroup_config" => {
            let config = cgroup::pod_config(
                input.at("pod.spec"),
                input.get("enforceCPULimits").is_true(),
                int(input, "cpuQuotaPeriodMicroseconds"),
                pod_level(input),
            );
            let number = |n: Option<i64>| n.map_or(Value::Null, Value::from);
            value!({"cpuShares": (number(config.cpu_shares)),
                "cpuQuotaMicroseconds": (number(config.cpu_quota_us)),
                "cpuPeriodMicroseconds": (number(config.cpu_period_us)),
                "memoryBytes": (number(config.memory_bytes))})
        }
        "kubelet_pod_conditions" => condition(input),
        "kubelet_pod_phase" => value!({"phase": (phase::phase(
            input.get("podSpec"),
            input.get("containerStatuses").items(),
            input.get("podIsTerminal").is_true(),
            input.get("podHasInitialized").is_true(),
        ))}),
        "kubelet_qos_class" => {
            value!({"qosClass": (resources::qos(input.at("pod.spec"), pod_level(input)).name())})
        }
        "kubeproxy_iptables_chain_names" => chain_names(input),
        "kubeproxy_iptables_probabilities" => {
            let count = usize::try_from(int(input, "endpoints")).unwrap_or(0);
            let list: Vec<Value> = (0..count)
                .filter_map(|i| proxy::probability(i, count))
                .map(Value::from)
                .collect();
            let last = count > 0 && proxy::probability(count - 1, count).is_none();
            value!({"probabilitiesInRuleOrder": (list), "lastRuleHasNoProbability": (last)})
        }
        _ => return None,
    };
    Some(compare(got, case.get("expected")))
}

fn int(input: &Value, field: &str) -> i64 {
    input.get(field).as_int().unwrap_or(0)
}

fn pod_level(input: &Value) -> bool {
    input.get("featurePodLevelResources").is_true()
}

/// Equal but for fields that are null on one side and absent on the other.
fn compare(got: Value, want: &Value) -> Outcome {
    let text = |v: &Value| podscope_api::json::to_string(&without_nulls(v));
    Outcome::equal(text(&got), text(want))
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Map(map) => Value::from_pairs(
            map.entries()
                .iter()
                .filter(|(_, v)| !v.is_null())
                .map(|(k, v)| (k.clone(), without_nulls(v))),
        ),
        Value::List(items) => Value::list(items.iter().map(without_nulls)),
        Value::Float(f) if f.0.fract() == 0.0 => Value::from(f.0 as i64),
        other => other.clone(),
    }
}

fn seconds(value: &Value) -> SimDuration {
    SimDuration::secs(u64::try_from(value.as_int().unwrap_or(0)).unwrap_or(0))
}

fn crash_loop(input: &Value) -> Value {
    let rules = Rules {
        initial: seconds(input.get("initialSeconds")),
        max: seconds(input.get("maxSeconds")),
        reset_after: seconds(input.get("resetAfterSeconds")),
    };
    let int = |n: u64| Value::from(i64::try_from(n).unwrap_or(i64::MAX));
    let mut back_off = BackOff::default();
    // The back-off's memory starts empty, far from any reset.
    let mut start = SimTime(0);
    let mut runs = Vec::new();
    for (i, run) in input.get("runDurationsSeconds").items().iter().enumerate() {
        let exit = start + seconds(run);
        let wait = back_off.wait(exit, rules);
        let next = exit + wait;
        back_off.next(next, exit, rules);
        runs.push(value!({
            "run": (int(i as u64 + 1)), "startedAtSecond": (int(start.0 / 1_000_000)),
            "ranForSeconds": (run.clone()), "exitedAtSecond": (int(exit.0 / 1_000_000)),
            "waitBeforeNextStartSeconds": (int(wait.as_secs())),
            "nextStartAtSecond": (int(next.0 / 1_000_000))
        }));
        start = next;
    }
    value!({"runs": (runs)})
}

fn eviction_message(input: &Value) -> Value {
    let pod = Object(input.get("pod").clone());
    let quantity = |v: &Value| Quantity::from_value(v).unwrap_or_default();
    let usage: Vec<(&str, Quantity)> = input
        .get("containerUsage")
        .items()
        .iter()
        .map(|u| {
            (
                u.get("container").str_or_empty(),
                quantity(u.get("workingSet")),
            )
        })
        .collect();
    let together = input.get("podUsage");
    let together = (!together.is_empty()).then(|| quantity(together));
    let (message, annotations) = eviction::message(
        &pod,
        input.get("resource").str_or_empty(),
        &usage,
        together.filter(|_| pod_level(input)),
    );
    let annotations = annotations.into_iter().map(|(k, v)| (k, Value::from(v)));
    value!({"message": (message), "annotations": (Value::from_pairs(annotations))})
}

fn eviction_rank(input: &Value) -> Value {
    let order = match input.get("resource").str_or_empty() {
        "memory" => Order::Memory,
        "process" => Order::Processes,
        _ => Order::Priority,
    };
    let mut pods: Vec<Candidate<'_>> = input
        .get("pods")
        .items()
        .iter()
        .map(|p| Candidate {
            name: p.get("name").str_or_empty(),
            spec: p,
            priority: int(p, "priority"),
            memory_bytes: int(p, "memoryWorkingSetBytes"),
            processes: int(p, "processCount"),
        })
        .collect();
    eviction::rank(&mut pods, order);
    value!({"order": (Value::list(pods.iter().map(|p| Value::from(p.name))))})
}

fn condition(input: &Value) -> Value {
    let spec = input.get("podSpec");
    let statuses = input.get("containerStatuses");
    let statuses = (!statuses.is_null()).then(|| statuses.items());
    let told = input.get("phase").str_or_empty();
    let condition = match input.get("conditionType").str_or_empty() {
        "ContainersReady" => phase::containers_ready(spec, statuses, told),
        "Ready" => phase::ready(spec, input.get("conditions").items(), statuses, told),
        "Initialized" => phase::initialized(spec, statuses, told),
        _ => {
            let mut sandboxes: Vec<&Value> = input.get("sandboxes").items().iter().collect();
            sandboxes.sort_by_key(|s| std::cmp::Reverse(int(s, "attempt")));
            let list: Vec<(bool, &str)> = sandboxes
                .iter()
                .map(|s| {
                    let ready = s.get("state").as_str() == Some("SANDBOX_READY");
                    (ready, s.get("ip").str_or_empty())
                })
                .collect();
            phase::ready_to_start(spec, &list)
        }
    };
    value!({"condition": (condition)})
}

fn chain_names(input: &Value) -> Value {
    let text = |field: &str| input.get(field).str_or_empty();
    let (name, protocol) = (text("servicePortName"), text("protocol"));
    let chain = |prefix: &str| proxy::service_chain(prefix, name, protocol);
    value!({
        "clusterPolicyChain": (chain("KUBE-SVC-")), "localPolicyChain": (chain("KUBE-SVL-")),
        "externalChain": (chain("KUBE-EXT-")), "firewallChain": (chain("KUBE-FW-")),
        "endpointChain": (proxy::endpoint_chain(name, protocol, text("endpoint")))
    })
}
