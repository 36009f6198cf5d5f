//! `config.json` of a container, and the steps in which runc turns it into a process.
//!
//! Models: opencontainers/runtime-spec 1.2, opencontainers/runc 1.3, containerd's CRI plugin 2.1

use super::Sandbox;
use crate::node::cgroup;
use podscope_api::{Object, Value, value};

/// The capabilities of a container that asks for nothing.
const CAPABILITIES: &[&str] = &[
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FSETID",
    "CAP_FOWNER",
    "CAP_MKNOD",
    "CAP_NET_RAW",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETFCAP",
    "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE",
    "CAP_SYS_CHROOT",
    "CAP_KILL",
    "CAP_AUDIT_WRITE",
];

const MASKED: &[&str] = &[
    "/proc/asound",
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
];

const READ_ONLY: &[&str] = &[
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
];

fn texts(words: &[&str]) -> Value {
    Value::list(words.iter().map(|w| Value::from(*w)))
}

fn mount(destination: &str, kind: &str, source: impl Into<Value>, options: &[&str]) -> Value {
    value!({"destination": (destination), "type": (kind), "source": (source.into()), "options": (texts(options))})
}

/// The capabilities after `securityContext.capabilities`.
fn capabilities(container: &Value) -> Value {
    let security = container.get("securityContext");
    let named = |field: &str| -> Vec<String> {
        let items = security.get("capabilities").get(field).items();
        items
            .iter()
            .map(|v| format!("CAP_{}", v.str_or_empty()))
            .collect()
    };
    let (add, drop) = (named("add"), named("drop"));
    let all_dropped = drop.iter().any(|c| c == "CAP_ALL");
    let mut list: Vec<Value> = CAPABILITIES
        .iter()
        .filter(|c| !all_dropped && !drop.iter().any(|d| d == *c))
        .map(|c| Value::from(*c))
        .collect();
    for capability in add {
        if !list.iter().any(|c| c.as_str() == Some(&*capability)) {
            list.push(capability.into());
        }
    }
    let list = Value::from(list);
    value!({"bounding": (list.clone()), "effective": (list.clone()), "permitted": (list)})
}

/// What a container's `config.json` is made from.
pub struct Parts<'a> {
    /// The Pod.
    pub pod: &'a Object,
    /// The container in the Pod's spec.
    pub container: &'a Value,
    /// The container's id.
    pub id: &'a str,
    /// Its sandbox.
    pub sandbox: &'a Sandbox,
    /// The cgroup of the Pod.
    pub cgroup: &'a str,
    /// The command line.
    pub argv: &'a [String],
    /// The image's user.
    pub user: i64,
    /// The machine's memory in bytes.
    pub node_memory: i64,
}

/// The environment: the image's path, the host name, the container's own variables, the API's address.
fn environment(parts: &Parts<'_>) -> Value {
    let pod = parts.pod;
    let mut env = vec![
        Value::from("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        format!("HOSTNAME={}", pod.name()).into(),
    ];
    for variable in parts.container.get("env").items() {
        let name = variable.get("name").str_or_empty();
        let from = variable.get("valueFrom");
        let text = match from.at("fieldRef.fieldPath").as_str() {
            Some("status.podIP") => parts.sandbox.link.ip.to_string(),
            Some(path) => pod.at(path).str_or_empty().to_string(),
            None if from.is_null() => variable.get("value").str_or_empty().to_string(),
            None => "…".to_string(),
        };
        env.push(format!("{name}={text}").into());
    }
    env.push("KUBERNETES_SERVICE_HOST=10.96.0.1".into());
    env.push("KUBERNETES_SERVICE_PORT=443".into());
    Value::from(env)
}

fn mounts(parts: &Parts<'_>) -> Value {
    let uid = parts.pod.uid();
    let name = parts.container.get("name").str_or_empty();
    let files = format!(
        "/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/{}",
        parts.sandbox.id
    );
    let bind = &["rbind", "rprivate", "rw"];
    let mut list = vec![
        mount("/proc", "proc", "proc", &["nosuid", "noexec", "nodev"]),
        mount(
            "/dev",
            "tmpfs",
            "tmpfs",
            &["nosuid", "strictatime", "mode=755", "size=65536k"],
        ),
        mount(
            "/dev/pts",
            "devpts",
            "devpts",
            &[
                "nosuid",
                "noexec",
                "newinstance",
                "ptmxmode=0666",
                "mode=0620",
                "gid=5",
            ],
        ),
        mount(
            "/dev/mqueue",
            "mqueue",
            "mqueue",
            &["nosuid", "noexec", "nodev"],
        ),
        mount(
            "/sys",
            "sysfs",
            "sysfs",
            &["nosuid", "noexec", "nodev", "ro"],
        ),
        mount(
            "/sys/fs/cgroup",
            "cgroup",
            "cgroup",
            &["nosuid", "noexec", "nodev", "relatime", "ro"],
        ),
    ];
    for volume_mount in parts.container.get("volumeMounts").items() {
        let volume = volume_mount.get("name").str_or_empty();
        let found = parts
            .pod
            .at("spec.volumes")
            .items()
            .iter()
            .find(|v| v.get("name").as_str() == Some(volume));
        let plugin = found.map_or("empty-dir", super::plugin_of);
        let access = if volume_mount.get("readOnly").is_true() {
            "ro"
        } else {
            "rw"
        };
        let source = match found.map(|v| v.at("hostPath.path").str_or_empty()) {
            Some(path) if !path.is_empty() => path.to_string(),
            _ => format!("/var/lib/kubelet/pods/{uid}/volumes/kubernetes.io~{plugin}/{volume}"),
        };
        list.push(mount(
            volume_mount.get("mountPath").str_or_empty(),
            "bind",
            source,
            &["rbind", "rprivate", access],
        ));
    }
    let kubelet = format!("/var/lib/kubelet/pods/{uid}");
    list.push(mount(
        "/etc/hosts",
        "bind",
        format!("{kubelet}/etc-hosts"),
        bind,
    ));
    let log = format!(
        "{kubelet}/containers/{name}/{}",
        parts.id.get(..8).unwrap_or("")
    );
    list.push(mount("/dev/termination-log", "bind", log, bind));
    list.push(mount(
        "/etc/hostname",
        "bind",
        format!("{files}/hostname"),
        bind,
    ));
    list.push(mount(
        "/etc/resolv.conf",
        "bind",
        format!("{files}/resolv.conf"),
        bind,
    ));
    let shm = format!(
        "/run/containerd/io.containerd.grpc.v1.cri/sandboxes/{}/shm",
        parts.sandbox.id
    );
    list.push(mount("/dev/shm", "bind", shm, bind));
    Value::from(list)
}

/// `config.json` of an app or init container.
pub fn config(parts: &Parts<'_>) -> Value {
    let spec = parts.pod.spec();
    let security = parts.container.get("securityContext");
    let pod_security = spec.get("securityContext");
    let name = parts.container.get("name").str_or_empty();
    let number = |field: &str| {
        let own = security.get(field).as_int();
        own.or(pod_security.get(field).as_int())
    };
    let uid = number("runAsUser").unwrap_or(parts.user);
    let gid = number("runAsGroup").unwrap_or(0);
    let oom = cgroup::oom_score_adj(parts.pod, name, parts.node_memory, true);
    let namespace_of = |kind: &str, file: &str| value!({"type": (kind), "path": (format!("/proc/{}/ns/{file}", parts.sandbox.pid))});
    let slice = parts.cgroup.rsplit('/').next().unwrap_or("");
    let mut process = value!({
        "user": {"uid": (uid), "gid": (gid), "additionalGids": [(gid)]},
        "args": (Value::list(parts.argv.iter().map(|w| Value::from(w.as_str())))),
        "env": (environment(parts)),
        "cwd": (parts.container.get("workingDir").as_str().unwrap_or("/")),
        "capabilities": (capabilities(parts.container)),
        "oomScoreAdj": (oom)
    });
    if security.get("allowPrivilegeEscalation").as_bool() == Some(false) {
        process.set("noNewPrivileges", true);
    }
    let mut linux = value!({
        "resources": {
            "devices": [{"allow": false, "access": "rwm"}],
            "unified": (cgroup::container_files(parts.container))
        },
        "cgroupsPath": (format!("{slice}:cri-containerd:{}", parts.id)),
        "namespaces": [
            {"type": "pid"}, {"type": "mount"}, {"type": "cgroup"},
            (namespace_of("network", "net")), (namespace_of("ipc", "ipc")), (namespace_of("uts", "uts"))
        ],
        "maskedPaths": (texts(MASKED)),
        "readonlyPaths": (texts(READ_ONLY))
    });
    let profile = security.at("seccompProfile.type").as_str();
    if profile.or(pod_security.at("seccompProfile.type").as_str()) == Some("RuntimeDefault") {
        linux.set(
            "seccomp",
            value!({"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]}),
        );
    }
    let mut root = value!({"path": "rootfs"});
    if security.get("readOnlyRootFilesystem").is_true() {
        root.set("readonly", true);
    }
    value!({
        "ociVersion": "1.2.1",
        "process": (process),
        "root": (root),
        "mounts": (mounts(parts)),
        "annotations": {
            "io.kubernetes.cri.container-type": "container",
            "io.kubernetes.cri.container-name": (name),
            "io.kubernetes.cri.sandbox-id": (parts.sandbox.id.clone()),
            "io.kubernetes.cri.sandbox-name": (parts.pod.name()),
            "io.kubernetes.cri.sandbox-namespace": (parts.pod.namespace()),
            "io.kubernetes.cri.sandbox-uid": (parts.pod.uid())
        },
        "linux": (linux)
    })
}

/// `config.json` of the pause container that holds the Pod's namespaces.
pub fn pause_config(pod: &Object, sandbox: &Sandbox, cgroup: &str) -> Value {
    let slice = cgroup.rsplit('/').next().unwrap_or("");
    let network = if sandbox.host_network {
        value!({"type": "network", "path": "/proc/1/ns/net"})
    } else {
        value!({"type": "network", "path": (sandbox.link.netns.clone())})
    };
    value!({
        "ociVersion": "1.2.1",
        "process": {
            "user": {"uid": 65535, "gid": 65535, "additionalGids": [65535]},
            "args": ["/pause"], "cwd": "/", "noNewPrivileges": true, "oomScoreAdj": (-998),
            "capabilities": (capabilities(podscope_api::value::NULL))
        },
        "root": {"path": "rootfs", "readonly": true},
        "hostname": (pod.name()),
        "annotations": {
            "io.kubernetes.cri.container-type": "sandbox",
            "io.kubernetes.cri.sandbox-id": (sandbox.id.clone()),
            "io.kubernetes.cri.sandbox-name": (pod.name()),
            "io.kubernetes.cri.sandbox-namespace": (pod.namespace()),
            "io.kubernetes.cri.sandbox-uid": (pod.uid())
        },
        "linux": {
            "resources": {"devices": [{"allow": false, "access": "rwm"}], "cpu": {"shares": 2}},
            "cgroupsPath": (format!("{slice}:cri-containerd:{}", sandbox.id)),
            "namespaces": [{"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}, {"type": "cgroup"}, (network)],
            "seccomp": {"defaultAction": "SCMP_ACT_ERRNO"}
        }
    })
}

/// The steps of `runc create` for a container: (what, with what), in order.
pub fn create_steps(config: &Value, pid: u32, cgroup: &str) -> Value {
    let (mut joined, mut fresh) = (Vec::new(), Vec::new());
    for namespace in config.at("linux.namespaces").items() {
        let flag = match namespace.get("type").str_or_empty() {
            "pid" => "CLONE_NEWPID",
            "ipc" => "CLONE_NEWIPC",
            "uts" => "CLONE_NEWUTS",
            "mount" => "CLONE_NEWNS",
            "network" => "CLONE_NEWNET",
            _ => "CLONE_NEWCGROUP",
        };
        if namespace.get("path").is_null() {
            fresh.push(flag);
        } else {
            joined.push(Value::from(format!(
                "setns({}, {flag})",
                namespace.get("path").str_or_empty()
            )));
        }
    }
    let step = |what: &str, with: Value| value!({"step": (what), "with": (with)});
    let files = config.at("linux.resources.unified");
    let count = i64::try_from(config.get("mounts").items().len()).unwrap_or(0);
    let mut steps = vec![
        step("clone", "runc init".into()),
        step("cgroup", format!("/sys/fs/cgroup/{cgroup}").into()),
        step("setns", Value::from(joined)),
        step("unshare", fresh.join("|").into()),
        step("mounts", count.into()),
    ];
    if !files.is_null() {
        steps.push(step("cgroup-files", files.clone()));
    }
    steps.push(step("pivot_root", "pivot_root(\".\", \".\")".into()));
    steps.push(step("masked-paths", config.at("linux.maskedPaths").clone()));
    steps.push(step(
        "capabilities",
        config.at("process.capabilities.effective").clone(),
    ));
    steps.push(step(
        "seccomp",
        config
            .at("linux.seccomp.defaultAction")
            .as_str()
            .unwrap_or("unconfined")
            .into(),
    ));
    steps.push(step("user", config.at("process.user").clone()));
    steps.push(step("exec.fifo", "waits for runc start".into()));
    value!({"pid": (i64::from(pid)), "steps": (Value::from(steps))})
}
