//! Containers and Pod templates.

use super::{Page, rfc1123, volume};
use crate::output::go_text;
use crate::table::text;
use crate::text::{DESCRIBE, align, or_none};
use podscope_api::quantity::Quantity;
use podscope_api::status::quote;
use podscope_api::{Object, Value};

/// Containers with their statuses; `pod` resolves fields in environment variables.
pub(super) fn containers(
    page: &mut Page,
    label: &str,
    containers: &Value,
    statuses: &Value,
    pod: Option<&Object>,
    space: &str,
) {
    if containers.items().is_empty() {
        page.line(0, &format!("{space}{label}: <none>"));
        return;
    }
    page.line(0, &format!("{space}{label}:"));
    for container in containers.items() {
        let name = container.get("name");
        let status = statuses.items().iter().find(|s| s.get("name") == name);
        basics(page, container, status, space);
        for (title, field) in [("Command", "command"), ("Args", "args")] {
            let words = container.get(field).items();
            if !words.is_empty() {
                page.line(2, &format!("{title}:"));
            }
            for line in words.iter().flat_map(|w| w.str_or_empty().split('\n')) {
                page.line(3, line);
            }
        }
        if let Some(status) = status {
            state(page, "State", status.get("state"));
            if !status.at("lastState.terminated").is_null() {
                state(page, "Last State", status.get("lastState"));
            }
            page.field(
                2,
                "Ready",
                if status.get("ready").is_true() {
                    "True"
                } else {
                    "False"
                },
            );
            page.field(
                2,
                "Restart Count",
                status.get("restartCount").as_int().unwrap_or(0),
            );
        }
        resources(page, container.get("resources"), 2);
        for (title, field) in [
            ("Liveness", "livenessProbe"),
            ("Readiness", "readinessProbe"),
            ("Startup", "startupProbe"),
        ] {
            let probe = container.get(field);
            if !probe.is_null() {
                page.field(2, title, probe_text(probe));
            }
        }
        environment(page, container, pod);
        mounts(page, container);
    }
}

fn basics(page: &mut Page, container: &Value, status: Option<&Value>, space: &str) {
    let indent = if space.is_empty() { "" } else { " " };
    page.line(
        1,
        &format!("{indent}{}:", container.get("name").str_or_empty()),
    );
    if let Some(status) = status {
        page.field(2, "Container ID", status.get("containerID").str_or_empty());
    }
    page.field(2, "Image", container.get("image").str_or_empty());
    if let Some(status) = status {
        page.field(2, "Image ID", status.get("imageID").str_or_empty());
    }
    for (title, field) in [("Port", "containerPort"), ("Host Port", "hostPort")] {
        let ports: Vec<String> = container
            .get("ports")
            .items()
            .iter()
            .map(|port| {
                let number = port.get(field).as_int().unwrap_or(0);
                let protocol = port.get("protocol").str_or_empty();
                match port.get("name").str_or_empty() {
                    "" => format!("{number}/{protocol}"),
                    name => format!("{number}/{protocol} ({name})"),
                }
            })
            .collect();
        let plural = if ports.len() > 1 { "s" } else { "" };
        page.field(2, &format!("{title}{plural}"), or_none(&ports.join(", ")));
    }
    seccomp(page, 2, container.get("securityContext"));
}

pub(super) fn seccomp(page: &mut Page, level: usize, context: &Value) {
    let profile = context.get("seccompProfile");
    if !profile.is_null() {
        page.field(level, "SeccompProfile", profile.get("type").str_or_empty());
        page.field_if(level, "LocalhostProfile", profile.get("localhostProfile"));
    }
}

fn state(page: &mut Page, title: &str, state: &Value) {
    let (running, terminated) = (state.get("running"), state.get("terminated"));
    if !running.is_null() {
        page.field(2, title, "Running");
        page.field(3, "Started", rfc1123(running.get("startedAt")));
    } else if terminated.is_null() {
        page.field(2, title, "Waiting");
        page.field_if(3, "Reason", state.at("waiting.reason"));
    } else {
        page.field(2, title, "Terminated");
        page.field_if(3, "Reason", terminated.get("reason"));
        page.field_if(3, "Message", terminated.get("message"));
        page.field(
            3,
            "Exit Code",
            terminated.get("exitCode").as_int().unwrap_or(0),
        );
        if let Some(signal) = terminated.get("signal").as_int().filter(|s| *s > 0) {
            page.field(3, "Signal", signal);
        }
        page.field(3, "Started", rfc1123(terminated.get("startedAt")));
        page.field(3, "Finished", rfc1123(terminated.get("finishedAt")));
    }
}

pub(super) fn resources(page: &mut Page, resources: &Value, level: usize) {
    for (title, field) in [("Limits", "limits"), ("Requests", "requests")] {
        let amounts = resources.get(field).entries();
        if !amounts.is_empty() {
            page.line(level, &format!("{title}:"));
        }
        for (name, amount) in amounts {
            page.field(level + 1, name, text(amount));
        }
    }
}

pub(super) fn probe_text(probe: &Value) -> String {
    let number = |field: &str| probe.get(field).as_int().unwrap_or(0);
    let timing = format!(
        "delay={}s timeout={}s period={}s #success={} #failure={}",
        number("initialDelaySeconds"),
        number("timeoutSeconds"),
        number("periodSeconds"),
        number("successThreshold"),
        number("failureThreshold")
    );
    let (exec, http) = (probe.get("exec"), probe.get("httpGet"));
    let (tcp, grpc) = (probe.get("tcpSocket"), probe.get("grpc"));
    if !exec.is_null() {
        let command = exec.get("command");
        let shown = if command.is_null() {
            "[]".to_string()
        } else {
            go_text(command)
        };
        format!("exec {shown} {timing}")
    } else if !http.is_null() {
        let part = |field: &str| http.get(field).str_or_empty();
        let host = match part("host") {
            host if host.contains(':') => format!("[{host}]"),
            host => host.to_string(),
        };
        let path = part("path");
        let slash = if path.is_empty() || path.starts_with('/') {
            ""
        } else {
            "/"
        };
        format!(
            "http-get {}://{host}:{}{slash}{path} {timing}",
            part("scheme").to_ascii_lowercase(),
            text(http.get("port"))
        )
    } else if !tcp.is_null() {
        let host = tcp.get("host").str_or_empty();
        format!("tcp-socket {host}:{} {timing}", text(tcp.get("port")))
    } else if !grpc.is_null() {
        let service = grpc.get("service").str_or_empty();
        format!("grpc <pod>:{} {service} {timing}", text(grpc.get("port")))
    } else {
        format!("unknown {timing}")
    }
}

fn environment(page: &mut Page, container: &Value, pod: Option<&Object>) {
    let sources = container.get("envFrom").items();
    if !sources.is_empty() {
        page.line(2, "Environment Variables from:");
    }
    for source in sources {
        let (kind, from) = match source.get("configMapRef") {
            Value::Null => ("Secret", source.get("secretRef")),
            map => ("ConfigMap", map),
        };
        let with = match source.get("prefix").str_or_empty() {
            "" => String::new(),
            prefix => format!(" with prefix '{prefix}'"),
        };
        let name = from.get("name").str_or_empty();
        let optional = from.get("optional").is_true();
        page.line(3, &format!("{name}\t{kind}{with}\tOptional: {optional}"));
    }
    let variables = container.get("env").items();
    if variables.is_empty() {
        page.field(2, "Environment", "<none>");
        return;
    }
    page.line(2, "Environment:");
    for variable in variables {
        let name = variable.get("name").str_or_empty();
        let from = variable.get("valueFrom");
        if from.is_null() {
            for (i, line) in variable.get("value").str_or_empty().split('\n').enumerate() {
                let name = if i == 0 {
                    format!("{name}:")
                } else {
                    String::new()
                };
                page.line(3, &format!("{name}\t{line}"));
            }
            continue;
        }
        let (field, amount) = (from.get("fieldRef"), from.get("resourceFieldRef"));
        let keyed = |source: &Value, from: &str| {
            format!(
                "<set to the key '{}' {from} '{}'>\tOptional: {}",
                source.get("key").str_or_empty(),
                source.get("name").str_or_empty(),
                source.get("optional").is_true()
            )
        };
        let shown = if !field.is_null() {
            let path = field.get("fieldPath").str_or_empty();
            let value = pod.map_or(String::new(), |pod| field_value(pod, path));
            format!(
                "{value} ({}:{path})",
                field.get("apiVersion").str_or_empty()
            )
        } else if !amount.is_null() {
            let resource = amount.get("resource").str_or_empty();
            format!("{} ({resource})", resource_value(container, amount))
        } else if !from.get("secretKeyRef").is_null() {
            keyed(from.get("secretKeyRef"), "in secret")
        } else {
            keyed(from.get("configMapKeyRef"), "of config map")
        };
        page.field(3, name, shown);
    }
}

/// A Pod's own field as the downward API gives it.
fn field_value(pod: &Object, path: &str) -> String {
    if let Some((map, key)) = path.split_once("['") {
        let key = key.trim_end_matches("']");
        return pod.at(map).get(key).str_or_empty().to_string();
    }
    match path {
        "metadata.name" | "metadata.namespace" | "metadata.uid" => text(pod.at(path)),
        "metadata.labels" | "metadata.annotations" => {
            let pairs = pod.at(path).entries().iter();
            let lines = pairs.map(|(k, v)| format!("{k}={}", quote(v.str_or_empty())));
            lines.collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

fn resource_value(container: &Value, reference: &Value) -> String {
    let resource = reference.get("resource").str_or_empty();
    let Some((side, name)) = resource.split_once('.') else {
        return String::new();
    };
    let amount = Quantity::from_value(container.get("resources").get(side).get(name));
    let divisor = Quantity::from_value(reference.get("divisor")).filter(|d| !d.is_zero());
    let up = |a: i64, b: i64| if b == 0 { 0 } else { (a + b - 1).div_euclid(b) };
    let value = match (amount, name) {
        (None, _) => 0,
        (Some(a), "cpu") => up(a.milli_value(), divisor.map_or(1000, |d| d.milli_value())),
        (Some(a), _) => up(a.value(), divisor.map_or(1, |d| d.value())),
    };
    if value == 0 && matches!(resource, "limits.cpu" | "limits.memory") {
        return "node allocatable".into();
    }
    value.to_string()
}

fn mounts(page: &mut Page, container: &Value) {
    let mut mounts = container.get("volumeMounts").items().to_vec();
    if mounts.is_empty() {
        page.field(2, "Mounts", "<none>");
    } else {
        page.line(2, "Mounts:");
    }
    let path = |m: &Value| m.get("mountPath").str_or_empty().to_string();
    crate::sort::sort(&mut mounts, |a, b| path(a) < path(b));
    for mount in &mounts {
        let mut flags = if mount.get("readOnly").is_true() {
            "ro"
        } else {
            "rw"
        }
        .to_string();
        let sub = mount.get("subPath").str_or_empty();
        if !sub.is_empty() {
            flags.push_str(&format!(",path={}", quote(sub)));
        }
        page.line(
            3,
            &format!(
                "{} from {} ({flags})",
                path(mount),
                mount.get("name").str_or_empty()
            ),
        );
    }
    let devices = container.get("volumeDevices").items();
    if !devices.is_empty() {
        page.line(2, "Devices:");
    }
    for device in devices {
        let part = |field: &str| device.get(field).str_or_empty();
        page.line(3, &format!("{} from {}", part("devicePath"), part("name")));
    }
}

/// Tolerations, sorted by key, one for each line.
pub(super) fn tolerations(page: &mut Page, indent: &str, tolerations: &Value) {
    let mut sorted = tolerations.items().to_vec();
    if sorted.is_empty() {
        page.line(0, &format!("{indent}Tolerations:\t<none>"));
    }
    let key = |t: &Value| t.get("key").str_or_empty().to_string();
    crate::sort::sort(&mut sorted, |a, b| key(a) < key(b));
    for (i, toleration) in sorted.iter().enumerate() {
        let mut line = key(toleration);
        let part = |field: &str| toleration.get(field).str_or_empty();
        if !part("value").is_empty() {
            line.push_str(&format!("={}", part("value")));
        }
        if !part("effect").is_empty() {
            line.push_str(&format!(":{}", part("effect")));
        }
        if part("operator") == "Exists" && part("value").is_empty() {
            line.push_str(if line.is_empty() {
                "op=Exists"
            } else {
                " op=Exists"
            });
        } else if matches!(part("operator"), "Lt" | "Gt") {
            line.push_str(&format!(" op={}", part("operator")));
        }
        if let Some(seconds) = toleration.get("tolerationSeconds").as_int() {
            line.push_str(&format!(" for {seconds}s"));
        }
        let title = if i == 0 { "Tolerations:" } else { "" };
        page.line(0, &format!("{indent}{title}\t{line}"));
    }
}

pub(super) fn spread(page: &mut Page, indent: &str, constraints: &Value) {
    let mut sorted = constraints.items().to_vec();
    let key = |c: &Value| c.get("topologyKey").str_or_empty().to_string();
    crate::sort::sort(&mut sorted, |a, b| key(a) < key(b));
    for (i, constraint) in sorted.iter().enumerate() {
        let mut line = format!(
            "{}:{} when max skew {} is exceeded",
            key(constraint),
            constraint.get("whenUnsatisfiable").str_or_empty(),
            constraint.get("maxSkew").as_int().unwrap_or(0)
        );
        let selector = constraint.get("labelSelector");
        if !selector.is_null() {
            let selector = podscope_api::selector::Selector::describe(selector);
            line.push_str(&format!(" for selector {selector}"));
        }
        let title = if i == 0 {
            "Topology Spread Constraints:"
        } else {
            ""
        };
        page.line(0, &format!("{indent}{title}\t{line}"));
    }
}

/// A Pod template.
pub(super) fn template(page: &mut Page, template: &Value) {
    page.line(0, "Pod Template:");
    let (meta, spec) = (template.get("metadata"), template.get("spec"));
    page.labels("  ", "Labels", meta.get("labels"));
    if !meta.get("annotations").entries().is_empty() {
        page.annotations("  Annotations", meta.get("annotations"));
    }
    page.field_if(1, "Service Account", spec.get("serviceAccountName"));
    if !spec.get("initContainers").items().is_empty() {
        containers(
            page,
            "Init Containers",
            spec.get("initContainers"),
            &Value::Null,
            None,
            "  ",
        );
    }
    containers(
        page,
        "Containers",
        spec.get("containers"),
        &Value::Null,
        None,
        "  ",
    );
    volume::volumes(page, spec.get("volumes"), "  ");
    spread(page, "  ", spec.get("topologySpreadConstraints"));
    page.field_if(1, "Priority Class Name", spec.get("priorityClassName"));
    page.labels("  ", "Node-Selectors", spec.get("nodeSelector"));
    tolerations(page, "  ", spec.get("tolerations"));
}

/// A Pod template as `rollout history --revision` prints it: cells are not aligned.
pub(crate) fn template_text(value: &Value, aligned: bool) -> String {
    let mut page = Page::default();
    template(&mut page, value);
    if aligned {
        align(&page.text, DESCRIBE)
    } else {
        page.text
    }
}
