//! PodSecurity: the levels `baseline` and `restricted` of the Pod Security Standards.
//!
//! Models: staging/src/k8s.io/pod-security-admission (v1.36)
//! Left out: exemptions and audit annotations.

use super::{Admission, Lookup, Operation};
use podscope_api::status::quote;
use podscope_api::{Cause, Kind, Status, Value};

const PREFIX: &str = "pod-security.kubernetes.io/";
const LATEST: u32 = u32::MAX;
const LEVELS: &[&str] = &["privileged", "baseline", "restricted"];

/// How strict a namespace is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Anything goes.
    Privileged,
    /// Known ways out of the container are closed.
    Baseline,
    /// Hardened.
    Restricted,
}

/// A level at the rules of a minor version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The level.
    pub level: Level,
    /// The minor version; the newest when it is `u32::MAX`.
    pub minor: u32,
}

impl Policy {
    /// The policy that a namespace's labels ask for in a mode (`enforce`, `warn` or `audit`).
    pub fn of(namespace: &Value, mode: &str) -> Policy {
        let labels = namespace.at("metadata.labels");
        let get = |suffix: &str| {
            labels
                .get(&format!("{PREFIX}{mode}{suffix}"))
                .str_or_empty()
        };
        let level = match get("") {
            "baseline" => Level::Baseline,
            "restricted" => Level::Restricted,
            _ => Level::Privileged,
        };
        let minor = get("-version")
            .strip_prefix("v1.")
            .and_then(|v| v.parse().ok());
        Policy {
            level,
            minor: minor.unwrap_or(LATEST),
        }
    }

    /// `restricted:latest`, `baseline:v1.24`.
    pub fn name(self) -> String {
        let level = LEVELS.get(self.level as usize).copied().unwrap_or("");
        if self.minor == LATEST {
            format!("{level}:latest")
        } else {
            format!("{level}:v1.{}", self.minor)
        }
    }
}

/// Enforces on Pods, warns on Pods and workloads, checks a Namespace's own labels.
pub fn admit(a: &mut Admission<'_>, lookup: &dyn Lookup) -> Result<(), Status> {
    if a.operation == Operation::Delete || !matches!(a.subresource, "" | "ephemeralcontainers") {
        return Ok(());
    }
    if a.kind == Kind::Namespace {
        return namespace_labels(a);
    }
    let (metadata, spec) = match a.kind {
        Kind::Pod => ("metadata", "spec"),
        Kind::CronJob => (
            "spec.jobTemplate.spec.template.metadata",
            "spec.jobTemplate.spec.template.spec",
        ),
        Kind::PodTemplate => ("template.metadata", "template.spec"),
        Kind::Deployment
        | Kind::ReplicaSet
        | Kind::ReplicationController
        | Kind::DaemonSet
        | Kind::StatefulSet
        | Kind::Job => ("spec.template.metadata", "spec.template.spec"),
        _ => return Ok(()),
    };
    let Some(namespace) = lookup.get(Kind::Namespace, "", a.namespace) else {
        return Ok(());
    };
    if a.kind == Kind::Pod
        && let Some(old) = a.old
        && !significant(&a.object, old)
    {
        return Ok(());
    }
    let enforce = Policy::of(&namespace, "enforce");
    // A namespace that only enforces warns about workloads at the same level.
    let own = format!("{PREFIX}warn");
    let warn = match namespace.labels().get(&own) {
        Value::Null => enforce,
        _ => Policy::of(&namespace, "warn"),
    };
    let pod = Pod {
        metadata: a.object.at(metadata),
        spec: a.object.at(spec),
    };
    let words = |policy: Policy| {
        let violations = evaluate(policy, &pod);
        (!violations.is_empty()).then(|| {
            format!(
                "violate PodSecurity {}: {}",
                quote(&policy.name()),
                violations.join(", ")
            )
        })
    };
    if a.kind == Kind::Pod
        && let Some(text) = words(enforce)
    {
        let text = text.replacen("violate", "violates", 1);
        return Err(a.forbidden(&text));
    }
    // What is enforced on the Pod itself is not warned about again.
    if a.kind == Kind::Pod && warn == enforce {
        return Ok(());
    }
    if let Some(text) = words(warn) {
        a.warnings.push(format!("would {text}").into());
    }
    Ok(())
}

/// True when an update touches what the standards look at.
fn significant(new: &Value, old: &Value) -> bool {
    let images = |v: &Value| -> Vec<Value> {
        ["initContainers", "containers", "ephemeralContainers"]
            .iter()
            .flat_map(|list| v.get("spec").get(list).items().iter())
            .map(|c| {
                let mut c = c.clone();
                c.remove("image");
                c
            })
            .collect()
    };
    images(new) != images(old) || new.at("metadata.annotations") != old.at("metadata.annotations")
}

#[inline(never)]
fn namespace_labels(a: &mut Admission<'_>) -> Result<(), Status> {
    let mut causes = Vec::new();
    for mode in ["enforce", "audit", "warn"] {
        let labels = a.object.at("metadata.labels");
        let mut refuse = |key: String, value: &str, why: &str| {
            causes.push(Cause {
                reason: "FieldValueInvalid".into(),
                message: format!("Invalid value: {}: {why}", quote(value)).into(),
                field: format!("metadata.labels[{key}]").into(),
            });
        };
        let key = format!("{PREFIX}{mode}");
        if let Some(level) = labels.get(&key).as_str()
            && !LEVELS.contains(&level)
        {
            refuse(
                key,
                level,
                "must be one of privileged, baseline, restricted",
            );
        }
        let key = format!("{PREFIX}{mode}-version");
        if let Some(version) = labels.get(&key).as_str() {
            let minor = version.strip_prefix("v1.");
            let fits = version == "latest"
                || minor.is_some_and(|m| {
                    m == "0"
                        || (!m.starts_with('0')
                            && !m.is_empty()
                            && m.bytes().all(|c| c.is_ascii_digit()))
                });
            if !fits {
                refuse(key, version, "must be \"latest\" or \"v1.x\"");
            }
        }
    }
    if causes.is_empty() {
        return Ok(());
    }
    Err(Status::invalid("", "Namespace", a.name(), causes))
}

/// A Pod or the template of one.
pub struct Pod<'a> {
    /// Its metadata.
    pub metadata: &'a Value,
    /// Its spec.
    pub spec: &'a Value,
}

impl<'a> Pod<'a> {
    fn containers(&self) -> impl Iterator<Item = &'a Value> {
        let spec = self.spec;
        ["initContainers", "containers", "ephemeralContainers"]
            .into_iter()
            .flat_map(move |list| spec.get(list).items())
    }

    /// The containers of which something holds, as `container "a"` or `containers "a", "b"`; nothing for none.
    fn which(&self, holds: impl Fn(&Value) -> bool) -> Option<String> {
        let names: Vec<String> = self
            .containers()
            .filter(|c| holds(c))
            .map(|c| quote(c.get("name").str_or_empty()))
            .collect();
        match names.len() {
            0 => None,
            n => Some(format!(
                "container{} {}",
                if n > 1 { "s" } else { "" },
                names.join(", ")
            )),
        }
    }

    fn windows(&self) -> bool {
        self.spec.at("os.name").as_str() == Some("windows")
    }

    fn host_users_off(&self) -> bool {
        self.spec.get("hostUsers").as_bool() == Some(false)
    }
}

type Check = fn(&Pod<'_>, u32) -> Option<String>;

/// Checks of the baseline in their order: from which version on, and from which on the restricted level has its own.
const BASELINE: &[(Check, u32, u32)] = &[
    (app_armor, 0, LATEST),
    (capabilities_baseline, 0, 22),
    (host_namespaces, 0, LATEST),
    (host_path, 0, 0),
    (host_ports, 0, LATEST),
    (probe_hosts, 34, LATEST),
    (privileged, 0, LATEST),
    (proc_mount, 0, 35),
    (se_linux, 0, LATEST),
    (seccomp_baseline, 0, 19),
    (sysctls, 0, LATEST),
    (windows_host_process, 0, LATEST),
];
/// What the restricted level adds.
const RESTRICTED: &[(Check, u32)] = &[
    (privilege_escalation, 8),
    (capabilities_restricted, 22),
    (proc_mount_restricted, 35),
    (restricted_volumes, 0),
    (run_as_non_root, 0),
    (run_as_user, 23),
    (seccomp_restricted, 19),
];

/// What is wrong with a Pod at a level, each as `reason (detail)`.
pub fn evaluate(policy: Policy, pod: &Pod<'_>) -> Vec<String> {
    let minor = policy.minor;
    let restricted = policy.level == Level::Restricted;
    let mut violations = Vec::new();
    if policy.level == Level::Privileged {
        return violations;
    }
    for (check, since, replaced) in BASELINE {
        let overridden = restricted && minor >= *replaced && *replaced != LATEST;
        if minor >= *since && !overridden {
            violations.extend(check(pod, minor));
        }
    }
    if restricted {
        for (check, since) in RESTRICTED {
            if minor >= *since {
                violations.extend(check(pod, minor));
            }
        }
    }
    violations
}

fn joined(parts: &[String]) -> String {
    parts
        .iter()
        .map(|p| quote(p))
        .collect::<Vec<_>>()
        .join(", ")
}

/// `pod` and the containers of which something holds: `pod and container "a" …`.
fn setters(pod_too: bool, containers: Option<String>) -> Option<String> {
    match (pod_too, containers) {
        (true, Some(c)) => Some(format!("pod and {c}")),
        (true, None) => Some("pod".to_string()),
        (false, c) => c,
    }
}

#[inline(never)]
fn app_armor(pod: &Pod<'_>, _: u32) -> Option<String> {
    let mut forbidden: Vec<String> = Vec::new();
    let mut own: Vec<String> = Vec::new();
    let path = "securityContext.appArmorProfile.type";
    let bad = |v: &Value| {
        v.at(path)
            .as_str()
            .filter(|t| !["RuntimeDefault", "Localhost"].contains(t))
            .map(str::to_string)
    };
    let note = |list: &mut Vec<String>, t: String| {
        if !list.contains(&t) {
            list.push(t);
        }
    };
    let pod_bad = bad(pod.spec);
    let containers = pod.which(|c| bad(c).is_some());
    if let Some(t) = &pod_bad {
        note(&mut own, t.clone());
    }
    for c in pod.containers() {
        if let Some(t) = bad(c) {
            note(&mut own, t);
        }
    }
    for (key, value) in pod.metadata.get("annotations").entries() {
        let value = value.str_or_empty();
        if key.starts_with("container.apparmor.security.beta.kubernetes.io/")
            && !["", "runtime/default"].contains(&value)
            && !value.starts_with("localhost/")
        {
            note(&mut forbidden, format!("{key}={}", quote(value)));
        }
    }
    let mut details: Vec<String> = Vec::new();
    if let Some(who) = setters(pod_bad.is_some(), containers) {
        details.push(format!(
            "{who} must not set AppArmor profile type to {}",
            joined(&own)
        ));
    }
    if !forbidden.is_empty() {
        let word = if forbidden.len() > 1 {
            "annotations"
        } else {
            "annotation"
        };
        details.push(format!("{word} {}", forbidden.join(", ")));
    }
    if details.is_empty() {
        return None;
    }
    let many = own.len() + forbidden.len() > 1;
    Some(format!(
        "forbidden AppArmor profile{} ({})",
        if many { "s" } else { "" },
        details.join("; ")
    ))
}

const DEFAULT_CAPABILITIES: &[&str] = &[
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// The containers that add capabilities that are not allowed, and those capabilities.
fn added(pod: &Pod<'_>, allowed: &[&str]) -> Option<(String, Vec<String>)> {
    let bad = |c: &Value| -> Vec<String> {
        c.at("securityContext.capabilities.add")
            .items()
            .iter()
            .map(|v| v.str_or_empty().to_string())
            .filter(|v| !allowed.contains(&v.as_str()))
            .collect()
    };
    let who = pod.which(|c| !bad(c).is_empty())?;
    let mut all: Vec<String> = pod.containers().flat_map(bad).collect();
    podscope_api::sort::natural(&mut all);
    all.dedup();
    Some((who, all))
}

#[inline(never)]
fn capabilities_baseline(pod: &Pod<'_>, _: u32) -> Option<String> {
    let (who, all) = added(pod, DEFAULT_CAPABILITIES)?;
    Some(format!(
        "non-default capabilities ({who} must not include {} in securityContext.capabilities.add)",
        joined(&all)
    ))
}

#[inline(never)]
fn capabilities_restricted(pod: &Pod<'_>, minor: u32) -> Option<String> {
    if minor >= 25 && pod.windows() {
        return None;
    }
    let drops = |c: &Value| {
        c.at("securityContext.capabilities.drop")
            .items()
            .iter()
            .any(|v| v.as_str() == Some("ALL"))
    };
    let mut details = Vec::new();
    if let Some(who) = pod.which(|c| !drops(c)) {
        details.push(format!(
            "{who} must set securityContext.capabilities.drop=[\"ALL\"]"
        ));
    }
    if let Some((who, all)) = added(pod, &["NET_BIND_SERVICE"]) {
        details.push(format!(
            "{who} must not include {} in securityContext.capabilities.add",
            joined(&all)
        ));
    }
    (!details.is_empty()).then(|| format!("unrestricted capabilities ({})", details.join("; ")))
}

fn host_namespaces(pod: &Pod<'_>, _: u32) -> Option<String> {
    let used: Vec<String> = ["hostNetwork", "hostPID", "hostIPC"]
        .iter()
        .filter(|f| pod.spec.get(f).is_true())
        .map(|f| format!("{f}=true"))
        .collect();
    (!used.is_empty()).then(|| format!("host namespaces ({})", used.join(", ")))
}

#[inline(never)]
fn host_path(pod: &Pod<'_>, _: u32) -> Option<String> {
    let names: Vec<String> = pod
        .spec
        .get("volumes")
        .items()
        .iter()
        .filter(|v| !v.get("hostPath").is_null())
        .map(|v| quote(v.get("name").str_or_empty()))
        .collect();
    let s = if names.len() > 1 { "s" } else { "" };
    (!names.is_empty()).then(|| format!("hostPath volumes (volume{s} {})", names.join(", ")))
}

#[inline(never)]
fn host_ports(pod: &Pod<'_>, _: u32) -> Option<String> {
    let used = |c: &Value| -> Vec<i64> {
        c.get("ports")
            .items()
            .iter()
            .filter_map(|p| p.get("hostPort").as_int())
            .filter(|p| *p != 0)
            .collect()
    };
    let who = pod.which(|c| !used(c).is_empty())?;
    let mut ports: Vec<String> = pod
        .containers()
        .flat_map(used)
        .map(|p| p.to_string())
        .collect();
    podscope_api::sort::natural(&mut ports);
    ports.dedup();
    let (verb, s) = (
        if who.starts_with("containers") {
            "use"
        } else {
            "uses"
        },
        if ports.len() > 1 { "s" } else { "" },
    );
    Some(format!(
        "hostPort ({who} {verb} hostPort{s} {})",
        ports.join(", ")
    ))
}

#[inline(never)]
fn probe_hosts(pod: &Pod<'_>, _: u32) -> Option<String> {
    let used = |c: &Value| -> Vec<String> {
        [
            "livenessProbe",
            "readinessProbe",
            "startupProbe",
            "lifecycle.postStart",
            "lifecycle.preStop",
        ]
        .iter()
        .flat_map(|handler| {
            ["httpGet", "tcpSocket"]
                .iter()
                .map(|kind| {
                    c.at(handler)
                        .get(kind)
                        .get("host")
                        .str_or_empty()
                        .to_string()
                })
                .collect::<Vec<_>>()
        })
        .filter(|h| !h.is_empty())
        .collect()
    };
    let who = pod.which(|c| !used(c).is_empty())?;
    let mut hosts: Vec<String> = pod.containers().flat_map(used).collect();
    podscope_api::sort::natural(&mut hosts);
    hosts.dedup();
    let verb = if who.starts_with("containers") {
        "use"
    } else {
        "uses"
    };
    let s = if hosts.len() > 1 { "s" } else { "" };
    Some(format!(
        "probe or lifecycle host ({who} {verb} probe or lifecycle host{s} {})",
        joined(&hosts)
    ))
}

#[inline(never)]
fn privileged(pod: &Pod<'_>, _: u32) -> Option<String> {
    let who = pod.which(|c| c.at("securityContext.privileged").is_true())?;
    Some(format!(
        "privileged ({who} must not set securityContext.privileged=true)"
    ))
}

fn proc_mounts(pod: &Pod<'_>) -> Option<String> {
    let bad = |c: &Value| {
        c.at("securityContext.procMount")
            .as_str()
            .filter(|m| *m != "Default")
            .map(str::to_string)
    };
    let who = pod.which(|c| bad(c).is_some())?;
    let mut kinds: Vec<String> = pod.containers().filter_map(bad).collect();
    podscope_api::sort::natural(&mut kinds);
    kinds.dedup();
    Some(format!(
        "procMount ({who} must not set securityContext.procMount to {})",
        joined(&kinds)
    ))
}

fn proc_mount(pod: &Pod<'_>, minor: u32) -> Option<String> {
    // With a user namespace of its own a Pod may see an unmasked /proc.
    if minor >= 35 && pod.host_users_off() {
        return None;
    }
    proc_mounts(pod)
}

fn proc_mount_restricted(pod: &Pod<'_>, _: u32) -> Option<String> {
    proc_mounts(pod)
}

#[inline(never)]
fn se_linux(pod: &Pod<'_>, minor: u32) -> Option<String> {
    let allowed = |t: &str| {
        ["", "container_t", "container_init_t", "container_kvm_t"].contains(&t)
            || (minor >= 31 && t == "container_engine_t")
    };
    let path = "securityContext.seLinuxOptions";
    let get = |v: &Value, f: &str| v.at(path).get(f).str_or_empty().to_string();
    let bad = |v: &Value| {
        !allowed(&get(v, "type")) || !get(v, "user").is_empty() || !get(v, "role").is_empty()
    };
    let pod_bad = bad(pod.spec);
    let who = setters(pod_bad, pod.which(bad))?;
    let everyone = || std::iter::once(pod.spec).chain(pod.containers());
    let mut types: Vec<String> = everyone()
        .map(|v| get(v, "type"))
        .filter(|t| !allowed(t))
        .collect();
    podscope_api::sort::natural(&mut types);
    types.dedup();
    let mut data: Vec<String> = Vec::new();
    if !types.is_empty() {
        let s = if types.len() > 1 { "s" } else { "" };
        data.push(format!("type{s} {}", joined(&types)));
    }
    for field in ["user", "role"] {
        if everyone().any(|v| !get(v, field).is_empty()) {
            data.push(format!("{field} may not be set"));
        }
    }
    Some(format!(
        "seLinuxOptions ({who} set forbidden securityContext.seLinuxOptions: {})",
        data.join("; ")
    ))
}

const SECCOMP: &str = "securityContext.seccompProfile.type";

#[inline(never)]
fn seccomp_baseline(pod: &Pod<'_>, minor: u32) -> Option<String> {
    if minor < 19 {
        return seccomp_annotations(pod);
    }
    let bad = |v: &Value| {
        v.at(SECCOMP)
            .as_str()
            .filter(|t| !["RuntimeDefault", "Localhost"].contains(t))
            .map(str::to_string)
    };
    let pod_bad = bad(pod.spec);
    let who = setters(pod_bad.is_some(), pod.which(|c| bad(c).is_some()))?;
    let mut types: Vec<String> = pod_bad
        .into_iter()
        .chain(pod.containers().filter_map(bad))
        .collect();
    podscope_api::sort::natural(&mut types);
    types.dedup();
    Some(format!(
        "seccompProfile ({who} must not set securityContext.seccompProfile.type to {})",
        joined(&types)
    ))
}

fn seccomp_annotations(pod: &Pod<'_>) -> Option<String> {
    let mut forbidden: Vec<String> = Vec::new();
    for (key, value) in pod.metadata.get("annotations").entries() {
        let value = value.str_or_empty();
        let ours = &**key == "seccomp.security.alpha.kubernetes.io/pod"
            || key.starts_with("container.seccomp.security.alpha.kubernetes.io/");
        if ours
            && !["runtime/default", "docker/default"].contains(&value)
            && !value.starts_with("localhost/")
        {
            forbidden.push(format!("{key}={}", quote(value)));
        }
    }
    let s = if forbidden.len() > 1 { "s" } else { "" };
    (!forbidden.is_empty()).then(|| {
        format!(
            "seccompProfile (forbidden annotation{s} {})",
            forbidden.join(", ")
        )
    })
}

#[inline(never)]
fn seccomp_restricted(pod: &Pod<'_>, minor: u32) -> Option<String> {
    if minor >= 25 && pod.windows() {
        return None;
    }
    let mut details: Vec<String> = Vec::new();
    let kind = |v: &Value| v.at(SECCOMP).as_str().map(str::to_string);
    let fine = |t: &str| ["RuntimeDefault", "Localhost"].contains(&t);
    let pod_kind = kind(pod.spec);
    let pod_bad = pod_kind.as_deref().is_some_and(|t| !fine(t));
    let explicit = pod.which(|c| kind(c).is_some_and(|t| !fine(&t)));
    let mut types: Vec<String> = pod_kind
        .clone()
        .into_iter()
        .chain(pod.containers().filter_map(kind))
        .filter(|t| !fine(t))
        .collect();
    podscope_api::sort::natural(&mut types);
    types.dedup();
    if let Some(who) = setters(pod_bad, explicit) {
        details.push(format!(
            "{who} must not set securityContext.seccompProfile.type to {}",
            joined(&types)
        ));
    }
    let pod_fine = pod_kind.as_deref().is_some_and(fine);
    if !pod_fine
        && !pod_bad
        && let Some(who) = pod.which(|c| kind(c).is_none())
    {
        details.push(format!(
            "pod or {who} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\""
        ));
    }
    (!details.is_empty()).then(|| format!("seccompProfile ({})", details.join("; ")))
}

const SYSCTLS: &[(&str, u32)] = &[
    ("kernel.shm_rmid_forced", 0),
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ping_group_range", 0),
    ("net.ipv4.ip_unprivileged_port_start", 0),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
];

fn sysctls(pod: &Pod<'_>, minor: u32) -> Option<String> {
    let forbidden: Vec<&str> = pod
        .spec
        .at("securityContext.sysctls")
        .items()
        .iter()
        .map(|s| s.get("name").str_or_empty())
        .filter(|name| {
            !SYSCTLS
                .iter()
                .any(|(n, since)| n == name && minor >= *since)
        })
        .collect();
    (!forbidden.is_empty()).then(|| format!("forbidden sysctls ({})", forbidden.join(", ")))
}

#[inline(never)]
fn windows_host_process(pod: &Pod<'_>, _: u32) -> Option<String> {
    let on = |v: &Value| v.at("securityContext.windowsOptions.hostProcess").is_true();
    let who = setters(on(pod.spec), pod.which(on))?;
    Some(format!(
        "hostProcess ({who} must not set securityContext.windowsOptions.hostProcess=true)"
    ))
}

#[inline(never)]
fn privilege_escalation(pod: &Pod<'_>, minor: u32) -> Option<String> {
    if minor >= 25 && pod.windows() {
        return None;
    }
    let who =
        pod.which(|c| c.at("securityContext.allowPrivilegeEscalation").as_bool() != Some(false))?;
    Some(format!(
        "allowPrivilegeEscalation != false ({who} must set securityContext.allowPrivilegeEscalation=false)"
    ))
}

const ALLOWED_VOLUMES: &[&str] = &[
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
    "image",
];

#[inline(never)]
fn restricted_volumes(pod: &Pod<'_>, _: u32) -> Option<String> {
    let mut names: Vec<String> = Vec::new();
    let mut kinds: Vec<String> = Vec::new();
    for volume in pod.spec.get("volumes").items() {
        let source = volume
            .entries()
            .iter()
            .find(|(k, v)| &**k != "name" && !v.is_null())
            .map_or("unknown", |(k, _)| &**k);
        if !ALLOWED_VOLUMES.contains(&source) {
            names.push(quote(volume.get("name").str_or_empty()));
            kinds.push(source.to_string());
        }
    }
    if names.is_empty() {
        return None;
    }
    podscope_api::sort::natural(&mut kinds);
    kinds.dedup();
    Some(format!(
        "restricted volume types (volume{} {} {} restricted volume type{} {})",
        if names.len() > 1 { "s" } else { "" },
        names.join(", "),
        if names.len() > 1 { "use" } else { "uses" },
        if kinds.len() > 1 { "s" } else { "" },
        joined(&kinds)
    ))
}

#[inline(never)]
fn run_as_non_root(pod: &Pod<'_>, minor: u32) -> Option<String> {
    if minor >= 35 && pod.host_users_off() {
        return None;
    }
    let path = "securityContext.runAsNonRoot";
    let own = pod.spec.at(path).as_bool();
    let explicit = pod.which(|c| c.at(path).as_bool() == Some(false));
    let implicit = pod.which(|c| c.at(path).as_bool().is_none());
    let mut details = Vec::new();
    // A pod-level `false` counts only where some container relies on it.
    let pod_bad = own == Some(false) && implicit.is_some();
    if let Some(who) = setters(pod_bad, explicit) {
        details.push(format!(
            "{who} must not set securityContext.runAsNonRoot=false"
        ));
    }
    if own.is_none()
        && let Some(who) = implicit
    {
        details.push(format!(
            "pod or {who} must set securityContext.runAsNonRoot=true"
        ));
    }
    (!details.is_empty()).then(|| format!("runAsNonRoot != true ({})", details.join("; ")))
}

#[inline(never)]
fn run_as_user(pod: &Pod<'_>, minor: u32) -> Option<String> {
    if minor >= 35 && pod.host_users_off() {
        return None;
    }
    let root = |v: &Value| v.at("securityContext.runAsUser").as_int() == Some(0);
    let who = setters(root(pod.spec), pod.which(root))?;
    Some(format!("runAsUser=0 ({who} must not set runAsUser=0)"))
}
