//! From requests and limits to cgroup v2 files and `oom_score_adj`.
//!
//! Models: pkg/kubelet/cm/helpers_linux.go, pkg/kubelet/cm/cgroup_manager_linux.go, pkg/kubelet/qos/policy.go (v1.36),
//! github.com/opencontainers/cgroups (container weights, runc 1.3.2 and later)

use super::resources::{Qos, Side, amount, has_pod_level, is_sidecar, pod_amounts, qos};
use podscope_api::{Object, Quantity, Value};

/// The smallest `cpu.shares`.
const MIN_SHARES: i64 = 2;
/// The largest `cpu.shares`.
const MAX_SHARES: i64 = 262_144;
/// The smallest quota in microseconds.
const MIN_QUOTA_US: i64 = 1_000;
/// The default period in microseconds.
pub const PERIOD_US: i64 = 100_000;
/// `oom_score_adj` of Guaranteed and node-critical Pods.
const GUARANTEED_OOM: i64 = -997;
/// `oom_score_adj` of BestEffort Pods.
const BEST_EFFORT_OOM: i64 = 1_000;
/// Priority from which a Pod is critical for its node.
const NODE_CRITICAL: i64 = 2_000_001_000;

/// `cpu.shares` for a request in thousandths of a core.
pub fn cpu_shares(milli_cpu: i64) -> i64 {
    if milli_cpu <= 0 {
        return MIN_SHARES;
    }
    (milli_cpu.saturating_mul(1024) / 1000).clamp(MIN_SHARES, MAX_SHARES)
}

/// The quota in microseconds for a limit in thousandths of a core; 0 without a limit.
pub fn cpu_quota_us(milli_cpu: i64, period_us: i64) -> i64 {
    if milli_cpu == 0 {
        return 0;
    }
    (milli_cpu.saturating_mul(period_us) / 1000).max(MIN_QUOTA_US)
}

/// `cpu.weight` as the kubelet writes it for Pods and QoS classes: linear in the shares.
pub fn pod_weight(shares: i64) -> i64 {
    1 + (shares.clamp(MIN_SHARES, MAX_SHARES) - 2) * 9_999 / 262_142
}

/// The kubelet's inverse of [`pod_weight`].
pub fn weight_to_shares(weight: i64) -> i64 {
    (weight - 1).saturating_mul(262_142) / 9_999 + 2
}

/// `cpu.weight` as runc writes it for containers: 1024 shares give 100.
pub fn container_weight(shares: i64) -> i64 {
    if shares <= MIN_SHARES {
        return 1;
    }
    if shares >= MAX_SHARES {
        return 10_000;
    }
    let l = libm::log2(shares as f64);
    let exponent = (l * l + 125.0 * l) / 612.0 - 7.0 / 34.0;
    libm::ceil(libm::pow(10.0, exponent)) as i64
}

/// What the kubelet sets on a Pod's cgroup; `None` leaves the kernel's default (`max`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PodConfig {
    /// `cpu.shares`, written as `cpu.weight`.
    pub cpu_shares: Option<i64>,
    /// Quota in microseconds; -1 when quotas are off.
    pub cpu_quota_us: Option<i64>,
    /// Period in microseconds.
    pub cpu_period_us: Option<i64>,
    /// `memory.max` in bytes.
    pub memory_bytes: Option<i64>,
}

/// The settings of a Pod's cgroup.
pub fn pod_config(spec: &Value, enforce_cpu: bool, period_us: i64, pod_level: bool) -> PodConfig {
    let get = |side: Side, name: &str| -> Quantity {
        let mut amounts = pod_amounts(spec, side, pod_level);
        amounts.remove(name).unwrap_or_default()
    };
    let all = [spec.get("containers"), spec.get("initContainers")];
    let every = |name: &str| {
        let own = pod_level && !quantity_is_zero(spec.get("resources").get("limits").get(name));
        own || all
            .iter()
            .flat_map(|c| c.items())
            .all(|c| !amount(c, Side::Limits, name).is_zero())
    };
    let shares = cpu_shares(get(Side::Requests, "cpu").milli_value());
    let quota = if enforce_cpu {
        cpu_quota_us(get(Side::Limits, "cpu").milli_value(), period_us)
    } else {
        -1
    };
    let memory = get(Side::Limits, "memory").value();
    match qos(spec, pod_level) {
        Qos::Guaranteed => PodConfig {
            cpu_shares: Some(shares),
            cpu_quota_us: Some(quota),
            cpu_period_us: Some(period_us),
            memory_bytes: Some(memory),
        },
        Qos::Burstable => PodConfig {
            cpu_shares: Some(shares),
            cpu_quota_us: every("cpu").then_some(quota),
            cpu_period_us: every("cpu").then_some(period_us),
            memory_bytes: every("memory").then_some(memory),
        },
        Qos::BestEffort => PodConfig {
            cpu_shares: Some(MIN_SHARES),
            ..PodConfig::default()
        },
    }
}

fn quantity_is_zero(value: &Value) -> bool {
    Quantity::from_value(value).is_none_or(|q| q.is_zero())
}

/// `oom_score_adj` of a container: the higher, the sooner the kernel kills it when memory runs out.
pub fn oom_score_adj(
    pod: &Object,
    container: &str,
    node_memory_bytes: i64,
    pod_level: bool,
) -> i64 {
    let spec = pod.spec();
    let priority = spec.get("priority").as_int().unwrap_or(0);
    let critical_class = spec.get("priorityClassName").as_str() == Some("system-node-critical");
    if priority >= NODE_CRITICAL || critical_class {
        return GUARANTEED_OOM;
    }
    match qos(spec, pod_level) {
        Qos::Guaranteed => return GUARANTEED_OOM,
        Qos::BestEffort => return BEST_EFFORT_OOM,
        Qos::Burstable => {}
    }
    let capacity = node_memory_bytes.max(1);
    let apps = spec.get("containers").items();
    let init = spec.get("initContainers").items();
    let Some(own) = apps
        .iter()
        .chain(init)
        .find(|c| c.get("name").as_str() == Some(container))
    else {
        return BEST_EFFORT_OOM - 1;
    };
    let memory = |c: &Value| amount(c, Side::Requests, "memory").value();
    let pod_request = spec.get("resources").get("requests").get("memory");
    let spare_each = match Quantity::from_value(pod_request).filter(|_| pod_level) {
        Some(total) => {
            // What the Pod asks for beyond its containers is spread over those that run on.
            let lasting = || apps.iter().chain(init.iter().filter(|c| is_sidecar(c)));
            let named: i64 = lasting().map(memory).fold(0, i64::saturating_add);
            let count = i64::try_from(lasting().count()).unwrap_or(1).max(1);
            (total.value().saturating_sub(named) / count).max(0)
        }
        None => 0,
    };
    let score = |request: i64| {
        let request = i128::from(request.saturating_add(spare_each));
        i64::try_from(1000 - 1000 * request / i128::from(capacity)).unwrap_or(0)
    };
    let mut adjust = score(memory(own));
    let in_init = init
        .iter()
        .any(|c| c.get("name").as_str() == Some(container));
    if in_init && is_sidecar(own) {
        let smallest = apps.iter().map(memory).min().unwrap_or(0);
        adjust = adjust.min(score(smallest));
    }
    if adjust < 1000 + GUARANTEED_OOM {
        return 1000 + GUARANTEED_OOM;
    }
    if adjust >= BEST_EFFORT_OOM {
        return BEST_EFFORT_OOM - 1;
    }
    adjust
}

/// The cgroup of a Pod below `/sys/fs/cgroup`, with the systemd driver.
pub fn pod_path(uid: &str, class: Qos) -> String {
    let id = uid.replace('-', "_");
    match class {
        Qos::Guaranteed => format!("kubepods.slice/kubepods-pod{id}.slice"),
        Qos::Burstable => {
            format!("kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{id}.slice")
        }
        Qos::BestEffort => {
            format!("kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{id}.slice")
        }
    }
}

/// The files of a Pod's cgroup.
pub fn pod_files(spec: &Value) -> Value {
    let config = pod_config(spec, true, PERIOD_US, has_pod_level(spec));
    let mut files = Value::map();
    let shares = config.cpu_shares.unwrap_or(MIN_SHARES);
    let map = files.map_mut();
    map.insert("cpu.weight", pod_weight(shares).to_string().into());
    map.insert("cpu.max", cpu_max(config.cpu_quota_us).into());
    map.insert("memory.max", memory_max(config.memory_bytes).into());
    map.insert("pids.max", "max".into());
    files
}

/// The files of a container's cgroup.
pub fn container_files(container: &Value) -> Value {
    let cpu = amount(container, Side::Requests, "cpu").milli_value();
    let limit = amount(container, Side::Limits, "cpu").milli_value();
    let asked = !container.at("resources.requests.cpu").is_null();
    let memory = amount(container, Side::Limits, "memory").value();
    let shares = cpu_shares(if asked { cpu } else { limit });
    let mut files = Value::map();
    let map = files.map_mut();
    map.insert("cpu.weight", container_weight(shares).to_string().into());
    let quota = cpu_quota_us(limit, PERIOD_US);
    map.insert("cpu.max", cpu_max(Some(quota)).into());
    map.insert(
        "memory.max",
        memory_max(Some(memory).filter(|m| *m > 0)).into(),
    );
    map.insert("memory.oom.group", "1".into());
    map.insert("memory.swap.max", "0".into());
    files
}

fn cpu_max(quota_us: Option<i64>) -> String {
    match quota_us.filter(|q| *q > 0) {
        Some(quota) => format!("{quota} {PERIOD_US}"),
        None => format!("max {PERIOD_US}"),
    }
}

fn memory_max(bytes: Option<i64>) -> String {
    bytes.map_or_else(|| "max".to_string(), |b| b.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use podscope_api::value;

    #[test]
    fn two_weight_formulas() {
        assert_eq!(
            (cpu_shares(100), cpu_shares(1000), cpu_shares(0)),
            (102, 1024, 2)
        );
        assert_eq!((pod_weight(102), pod_weight(1024)), (4, 39));
        assert_eq!((container_weight(102), container_weight(1024)), (17, 100));
    }

    #[test]
    fn files_follow_requests_and_limits() {
        let c = value!({"name": "c", "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "200m", "memory": "256Mi"}}});
        let files = container_files(&c);
        assert_eq!(files.get("cpu.max").as_str(), Some("20000 100000"));
        assert_eq!(files.get("memory.max").as_str(), Some("268435456"));
        let spec = value!({"containers": [{"name": "c"}]});
        let files = pod_files(&spec);
        assert_eq!(files.get("memory.max").as_str(), Some("max"));
        assert_eq!(
            pod_path("a-b", qos(&spec, true)),
            "kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-poda_b.slice"
        );
    }
}
