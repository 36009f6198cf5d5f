//! The cells of a Pod: READY, STATUS and RESTARTS are computed from its container statuses.

use super::{Cell, age, since};
use crate::text::or_none;
use podscope_api::{Object, Timestamp, Value};

/// What the STATUS column and its neighbours say.
pub(crate) struct Summary {
    pub reason: String,
    pub ready: i64,
    pub total: i64,
    pub restarts: i64,
    pub last_restart: Option<Timestamp>,
}

pub(super) fn cells(pod: &Object, now: Timestamp) -> Vec<Cell> {
    let s = summary(pod);
    let restarts = match s.last_restart {
        Some(at) if s.restarts != 0 => format!("{} ({} ago)", s.restarts, age(at, now)),
        _ => s.restarts.to_string(),
    };
    let status = pod.status();
    let ip = match status.get("podIPs").index(0).get("ip").str_or_empty() {
        "" => status.get("podIP").str_or_empty(),
        ip => ip,
    };
    let gates = pod.spec().get("readinessGates").items();
    let gates = if gates.is_empty() {
        "<none>".to_string()
    } else {
        let met = gates
            .iter()
            .filter(|g| pod.condition_true(g.get("conditionType").str_or_empty()))
            .count();
        format!("{met}/{}", gates.len())
    };
    vec![
        pod.name().into(),
        format!("{}/{}", s.ready, s.total).into(),
        s.reason.into(),
        restarts.into(),
        since(pod.at("metadata.creationTimestamp"), now).into(),
        or_none(ip).into(),
        or_none(pod.spec().get("nodeName").str_or_empty()).into(),
        or_none(status.get("nominatedNodeName").str_or_empty()).into(),
        gates.into(),
    ]
}

/// The reason of a terminated state, or its signal or exit code.
fn ended(terminated: &Value) -> String {
    match terminated.get("reason").str_or_empty() {
        "" => match terminated.get("signal").as_int() {
            Some(signal) if signal != 0 => format!("Signal:{signal}"),
            _ => format!(
                "ExitCode:{}",
                terminated.get("exitCode").as_int().unwrap_or(0)
            ),
        },
        reason => reason.to_string(),
    }
}

fn restart_time(container: &Value) -> Option<Timestamp> {
    Timestamp::parse(container.at("lastState.terminated.finishedAt").as_str()?)
}

pub(crate) fn summary(pod: &Object) -> Summary {
    let (spec, status) = (pod.spec(), pod.status());
    let phase = status.get("phase").str_or_empty();
    let mut reason = match status.get("reason").str_or_empty() {
        "" => phase.to_string(),
        reason => reason.to_string(),
    };
    if pod.condition("PodScheduled").get("reason").as_str() == Some("SchedulingGated") {
        reason = "SchedulingGated".into();
    }
    let init_specs = spec.get("initContainers").items();
    let sidecar = |name: &Value| {
        init_specs
            .iter()
            .any(|c| c.get("name") == name && c.get("restartPolicy").as_str() == Some("Always"))
    };
    let sidecars = init_specs.iter().filter(|c| sidecar(c.get("name"))).count();
    let total = (spec.get("containers").items().len() + sidecars) as i64;
    let (mut ready, mut restarts, mut sidecar_restarts) = (0, 0, 0);
    let (mut last, mut sidecar_last) = (None, None);
    let mut initializing = false;
    for (i, container) in status
        .get("initContainerStatuses")
        .items()
        .iter()
        .enumerate()
    {
        let count = container.get("restartCount").as_int().unwrap_or(0);
        let at = restart_time(container);
        restarts += count;
        last = last.max(at);
        let is_sidecar = sidecar(container.get("name"));
        if is_sidecar {
            sidecar_restarts += count;
            sidecar_last = sidecar_last.max(at);
        }
        let terminated = container.at("state.terminated");
        if !terminated.is_null() && terminated.get("exitCode").as_int().unwrap_or(0) == 0 {
            continue;
        }
        if is_sidecar && container.get("started").is_true() {
            ready += i64::from(container.get("ready").is_true());
            continue;
        }
        initializing = true;
        let waiting = container.at("state.waiting.reason").str_or_empty();
        reason = if !terminated.is_null() {
            format!("Init:{}", ended(terminated))
        } else if !waiting.is_empty() && waiting != "PodInitializing" {
            format!("Init:{waiting}")
        } else {
            format!("Init:{i}/{}", init_specs.len())
        };
        break;
    }
    if !initializing || pod.condition_true("Initialized") {
        restarts = sidecar_restarts;
        last = sidecar_last;
        let mut running = false;
        let mut failed = None;
        for container in status.get("containerStatuses").items().iter().rev() {
            restarts += container.get("restartCount").as_int().unwrap_or(0);
            last = last.max(restart_time(container));
            let terminated = container.at("state.terminated");
            match container.at("state.waiting.reason").str_or_empty() {
                "" if !terminated.is_null() => {
                    reason = ended(terminated);
                    if terminated.get("exitCode").as_int().unwrap_or(0) != 0 {
                        failed = Some(reason.clone());
                    }
                }
                "" => {
                    if container.get("ready").is_true() && !container.at("state.running").is_null()
                    {
                        running = true;
                        ready += 1;
                    }
                }
                waiting => reason = waiting.to_string(),
            }
        }
        if reason == "Completed" {
            if running && pod.condition_true("Ready") {
                reason = "Running".into();
            } else if let Some(failed) = failed {
                reason = failed;
            } else if running {
                reason = "NotReady".into();
            }
        }
    }
    if pod.is_being_deleted() {
        if status.get("reason").as_str() == Some("NodeLost") {
            reason = "Unknown".into();
        } else if !matches!(phase, "Succeeded" | "Failed") {
            reason = "Terminating".into();
        }
    }
    Summary {
        reason,
        ready,
        total,
        restarts,
        last_restart: last,
    }
}
