//! A Pod's phase and conditions from the statuses of its containers.
//!
//! Models: pkg/kubelet/kubelet_pods.go (getPhase), pkg/kubelet/status/generate.go (v1.36)

use super::resources::is_sidecar;
use podscope_api::{Value, value};

/// The status of a container by name, in a list of app and init statuses.
fn of<'a>(statuses: &'a [Value], name: &str) -> Option<&'a Value> {
    statuses
        .iter()
        .find(|s| s.get("name").as_str() == Some(name))
}

fn name(container: &Value) -> &str {
    container.get("name").str_or_empty()
}

/// What the container's own rules say about this exit code.
#[inline(never)]
fn rule_action(container: &Value, exit_code: i64) -> Option<&str> {
    let rules = container.get("restartPolicyRules").items();
    let hit = rules.iter().find(|rule| {
        let codes = rule.get("exitCodes");
        let values = codes.get("values").items();
        let listed = values.iter().any(|v| v.as_int() == Some(exit_code));
        match codes.get("operator").str_or_empty() {
            "In" => listed,
            "NotIn" => !listed,
            _ => false,
        }
    });
    hit.map(|rule| rule.get("action").str_or_empty())
}

/// The reason of a container that was removed because another one has all containers restarted.
const RESTARTING_ALL: &str = "RestartingAllContainers";

/// Whether a container has just ended in a way that has all containers of the Pod restarted.
fn restarts_all(spec: &Value, statuses: &[Value]) -> bool {
    let lists = [spec.get("initContainers"), spec.get("containers")];
    lists.iter().flat_map(|l| l.items()).any(|container| {
        let code =
            of(statuses, name(container)).and_then(|s| s.at("state.terminated.exitCode").as_int());
        code.is_some_and(|c| rule_action(container, c) == Some("RestartAllContainers"))
    })
}

/// Whether the container with this exit code will run again, by its own policy and rules or the Pod's policy.
pub fn restarts(container: &Value, pod_policy: &str, exit_code: i64) -> bool {
    if let Some(action) = rule_action(container, exit_code) {
        return matches!(action, "Restart" | "RestartAllContainers");
    }
    match container
        .get("restartPolicy")
        .as_str()
        .unwrap_or(if pod_policy.is_empty() {
            "Always"
        } else {
            pod_policy
        }) {
        "Never" => false,
        "OnFailure" => exit_code != 0,
        _ => true,
    }
}

/// The phase: `statuses` are those of all containers, `terminal` says that nothing will be started again,
/// `initialized` that an app container has run.
pub fn phase(spec: &Value, statuses: &[Value], terminal: bool, initialized: bool) -> &'static str {
    let policy = spec.get("restartPolicy").as_str().unwrap_or("Always");
    let init = spec.get("initContainers").items();
    let exit_code = |state: &Value| state.at("terminated.exitCode").as_int().unwrap_or(0);
    let reason_of = |state: &Value| state.at("terminated.reason").str_or_empty().to_string();
    let all_again = !terminal && restarts_all(spec, statuses);
    let (mut pending_init, mut failed_init) = (0, 0);
    for container in init.iter().filter(|c| !is_sidecar(c)) {
        let Some(status) = of(statuses, name(container)) else {
            pending_init += 1;
            continue;
        };
        let (state, last) = (status.get("state"), status.get("lastState"));
        let mut ended = |code: i64, reason: &str| {
            if all_again || reason == RESTARTING_ALL {
                pending_init += i32::from(code != 0);
            } else if code != 0 && !restarts(container, policy, code) {
                failed_init += 1;
            } else if code != 0 && policy == "Never" {
                pending_init += 1;
            }
        };
        if !state.get("running").is_null() {
            pending_init += 1;
        } else if !state.get("terminated").is_null() {
            ended(exit_code(state), &reason_of(state));
        } else if !state.get("waiting").is_null() && !last.get("terminated").is_null() {
            ended(exit_code(last), &reason_of(last));
        } else {
            pending_init += 1;
        }
    }
    let mut pending_sidecars = 0;
    let (mut unknown, mut running, mut waiting, mut stopped, mut succeeded) = (0, 0, 0, 0, 0);
    let mut restarting = 0;
    for container in init.iter().filter(|c| is_sidecar(c)) {
        let Some(status) = of(statuses, name(container)) else {
            unknown += 1;
            continue;
        };
        let state = status.get("state");
        if !state.get("running").is_null() {
            pending_sidecars += i32::from(!status.get("started").is_true());
            running += 1;
        } else if !state.get("terminated").is_null() {
            // A sidecar that ended does not count.
        } else if !state.get("waiting").is_null() {
            if status.at("lastState.terminated").is_null() {
                pending_sidecars += 1;
                waiting += 1;
            }
        } else {
            pending_sidecars += 1;
            unknown += 1;
        }
    }
    for container in spec.get("containers").items() {
        let Some(status) = of(statuses, name(container)) else {
            unknown += 1;
            continue;
        };
        let (state, last) = (status.get("state"), status.get("lastState"));
        if !state.get("running").is_null() {
            running += 1;
        } else if !state.get("terminated").is_null() {
            stopped += 1;
            let code = exit_code(state);
            succeeded += i32::from(code == 0);
            restarting += i32::from(all_again || restarts(container, policy, code));
        } else if !state.get("waiting").is_null() {
            if last.get("terminated").is_null() {
                waiting += 1;
            } else {
                stopped += 1;
                let again = all_again
                    || reason_of(last) == RESTARTING_ALL
                    || restarts(container, policy, exit_code(last));
                restarting += i32::from(again);
            }
        } else {
            unknown += 1;
        }
    }
    if failed_init > 0 {
        return "Failed";
    }
    if pending_init > 0 || (pending_sidecars > 0 && !initialized) || waiting > 0 {
        return "Pending";
    }
    if unknown > 0 || (running == 0 && stopped == 0) {
        return "Pending";
    }
    if running > 0 {
        return "Running";
    }
    let ended = if stopped == succeeded {
        "Succeeded"
    } else {
        "Failed"
    };
    if !terminal && restarting > 0 {
        "Running"
    } else {
        ended
    }
}

fn condition(kind: &str, reason: &str, message: &str) -> Value {
    let mut condition = value!({"type": (kind), "status": "False", "lastProbeTime": null});
    if !reason.is_empty() {
        condition.set("reason", reason);
    }
    if !message.is_empty() {
        condition.set("message", message);
    }
    condition
}

fn holds(kind: &str, reason: &str) -> Value {
    let mut condition = condition(kind, reason, "");
    condition.set("status", "True");
    condition
}

fn message(unknown: &[&str], other: &[&str], word: &str) -> String {
    let mut parts = Vec::new();
    if !unknown.is_empty() {
        parts.push(format!(
            "containers with unknown status: [{}]",
            unknown.join(" ")
        ));
    }
    if !other.is_empty() {
        parts.push(format!(
            "containers with {word} status: [{}]",
            other.join(" ")
        ));
    }
    parts.join(", ")
}

/// `ContainersReady` (without transition time); `statuses` is `None` when they are not known yet.
pub fn containers_ready(spec: &Value, statuses: Option<&[Value]>, phase: &str) -> Value {
    const TYPE: &str = "ContainersReady";
    let Some(statuses) = statuses else {
        return condition(TYPE, "UnknownContainerStatuses", "");
    };
    let lasting = spec
        .get("initContainers")
        .items()
        .iter()
        .filter(|c| is_sidecar(c))
        .chain(spec.get("containers").items());
    let (mut unknown, mut unready) = (Vec::new(), Vec::new());
    for container in lasting {
        match of(statuses, name(container)) {
            None => unknown.push(name(container)),
            Some(status) if !status.get("ready").is_true() => unready.push(name(container)),
            Some(_) => {}
        }
    }
    if phase == "Succeeded" && unknown.is_empty() {
        return condition(TYPE, "PodCompleted", "");
    }
    if phase == "Failed" {
        return condition(TYPE, "PodFailed", "");
    }
    let text = message(&unknown, &unready, "unready");
    if text.is_empty() {
        holds(TYPE, "")
    } else {
        condition(TYPE, "ContainersNotReady", &text)
    }
}

/// `Ready`: all containers are, and all readiness gates; `conditions` are the Pod's other conditions.
pub fn ready(spec: &Value, conditions: &[Value], statuses: Option<&[Value]>, phase: &str) -> Value {
    let mut containers = containers_ready(spec, statuses, phase);
    containers.set("type", "Ready");
    if containers.get("status").as_str() != Some("True") {
        return containers;
    }
    let mut missing = Vec::new();
    for gate in spec.get("readinessGates").items() {
        let gate = gate.get("conditionType").str_or_empty();
        let found = conditions
            .iter()
            .find(|c| c.get("type").as_str() == Some(gate));
        let quoted = podscope_api::status::quote(gate);
        match found.map(|c| c.get("status").str_or_empty()) {
            None => missing.push(format!(
                "corresponding condition of pod readiness gate {quoted} does not exist."
            )),
            Some("True") => {}
            Some(status) => missing.push(format!(
                "the status of pod readiness gate {quoted} is not \"True\", but {status}"
            )),
        }
    }
    if missing.is_empty() {
        containers
    } else {
        condition("Ready", "ReadinessGatesNotReady", &missing.join(", "))
    }
}

/// Whether an app container has run.
pub fn has_started(spec: &Value, statuses: &[Value]) -> bool {
    spec.get("containers").items().iter().any(|c| {
        of(statuses, name(c)).is_some_and(|s| {
            let state = s.get("state");
            !state.get("running").is_null() || !state.get("terminated").is_null()
        })
    })
}

/// `Initialized`: every init container is done, every sidecar has started.
pub fn initialized(spec: &Value, statuses: Option<&[Value]>, phase: &str) -> Value {
    const TYPE: &str = "Initialized";
    let init = spec.get("initContainers").items();
    let Some(statuses) = statuses else {
        return if init.is_empty() {
            holds(TYPE, "")
        } else {
            condition(TYPE, "UnknownContainerStatuses", "")
        };
    };
    let (mut unknown, mut incomplete) = (Vec::new(), Vec::new());
    for container in init {
        let Some(status) = of(statuses, name(container)) else {
            unknown.push(name(container));
            continue;
        };
        let field = if is_sidecar(container) {
            "started"
        } else {
            "ready"
        };
        if !status.get(field).is_true() {
            incomplete.push(name(container));
        }
    }
    if phase == "Succeeded" && unknown.is_empty() {
        return holds(TYPE, "PodCompleted");
    }
    if has_started(spec, statuses) {
        return holds(TYPE, "");
    }
    let text = message(&unknown, &incomplete, "incomplete");
    if text.is_empty() {
        holds(TYPE, "")
    } else {
        condition(TYPE, "ContainersNotInitialized", &text)
    }
}

/// `PodReadyToStartContainers`: the newest sandbox is ready and has an address.
/// Sandboxes newest first, as (ready, address).
pub fn ready_to_start(spec: &Value, sandboxes: &[(bool, &str)]) -> Value {
    const TYPE: &str = "PodReadyToStartContainers";
    let host_network = spec.get("hostNetwork").is_true();
    let usable = sandboxes
        .first()
        .is_some_and(|(ready, ip)| *ready && (host_network || !ip.is_empty()));
    let several = sandboxes.iter().filter(|(ready, _)| *ready).count() > 1;
    if usable && !several {
        holds(TYPE, "")
    } else {
        condition(TYPE, "", "")
    }
}
