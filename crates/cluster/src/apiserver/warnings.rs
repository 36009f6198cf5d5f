//! Texts of `Warning` headers: things that work but probably not as meant.
//!
//! Models: pkg/api/pod/warnings.go, pkg/api/service/warnings.go and the strategies' WarningsOnCreate (v1.36)

use super::validation::field::Path;
use super::validation::names;
use podscope_api::status::quote;
use podscope_api::{Kind, Quantity, Text, Value};

/// Warnings about a new or changed object; `old` is what it was before.
pub fn of(kind: Kind, object: &Value, old: Option<&Value>) -> Vec<Text> {
    let mut out = Warnings(Vec::new());
    let old_at = |path: &str| old.map_or(podscope_api::value::NULL, |o| o.at(path));
    let workload_name = |out: &mut Warnings| {
        if old.is_none() {
            let complaints = names::label(object.at("metadata.name").str_or_empty());
            if !complaints.is_empty() {
                out.add(format!(
                    "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [{}]",
                    complaints.join(" ")
                ));
            }
        }
    };
    match kind {
        Kind::Pod => {
            if old.is_none() {
                let complaints = names::label(object.at("metadata.name").str_or_empty());
                if !complaints.is_empty() {
                    out.add(format!(
                        "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [{}]",
                        complaints.join(" ")
                    ));
                }
            }
            pod(
                &mut out,
                None,
                object,
                old.unwrap_or(podscope_api::value::NULL),
            );
        }
        Kind::Deployment | Kind::ReplicaSet | Kind::StatefulSet | Kind::Job => {
            workload_name(&mut out);
            let path = Path::root("spec.template");
            pod(
                &mut out,
                Some(&path),
                object.at("spec.template"),
                old_at("spec.template"),
            );
        }
        Kind::DaemonSet | Kind::ReplicationController => {
            let path = Path::root("spec.template");
            pod(
                &mut out,
                Some(&path),
                object.at("spec.template"),
                old_at("spec.template"),
            );
        }
        Kind::PodTemplate => {
            let path = Path::root("template");
            pod(
                &mut out,
                Some(&path),
                object.get("template"),
                old_at("template"),
            );
        }
        Kind::CronJob => {
            workload_name(&mut out);
            let template = "spec.jobTemplate.spec.template";
            let path = Path::root(template);
            pod(&mut out, Some(&path), object.at(template), old_at(template));
            if object.at("spec.schedule").str_or_empty().contains("TZ") {
                out.add("cannot use TZ or CRON_TZ in schedule, use timeZone field instead".into());
            }
        }
        Kind::Service => service(&mut out, object),
        Kind::Endpoints => out.add(
            "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice".into(),
        ),
        _ => {}
    }
    out.0
}

struct Warnings(Vec<Text>);

impl Warnings {
    fn add(&mut self, text: String) {
        let text: Text = text.into();
        if !self.0.contains(&text) {
            self.0.push(text);
        }
    }
}

const NODE_LABELS: &[(&str, &str)] = &[
    (
        "beta.kubernetes.io/arch",
        "deprecated since v1.14; use \"kubernetes.io/arch\" instead",
    ),
    (
        "beta.kubernetes.io/os",
        "deprecated since v1.14; use \"kubernetes.io/os\" instead",
    ),
    (
        "failure-domain.beta.kubernetes.io/region",
        "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead",
    ),
    (
        "failure-domain.beta.kubernetes.io/zone",
        "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead",
    ),
    (
        "beta.kubernetes.io/instance-type",
        "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead",
    ),
    (
        "node-role.kubernetes.io/master",
        "use \"node-role.kubernetes.io/control-plane\" instead",
    ),
];

fn node_label(key: &str) -> Option<&'static str> {
    NODE_LABELS.iter().find(|(k, _)| *k == key).map(|(_, m)| *m)
}

const VOLUMES: &[(&str, &str)] = &[
    (
        "photonPersistentDisk",
        "deprecated in v1.11, non-functional in v1.16+",
    ),
    (
        "gitRepo",
        "deprecated in v1.11, and disabled by default in v1.33+",
    ),
    ("scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    ("flocker", "deprecated in v1.22, non-functional in v1.25+"),
    ("storageos", "deprecated in v1.22, non-functional in v1.25+"),
    ("quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    ("glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    ("cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    ("rbd", "deprecated in v1.28, non-functional in v1.31+"),
];

const NULL_SELECTOR: &str = "a null labelSelector results in matching no pod";

/// A Pod (without base) or the template of one at `base`.
fn pod(out: &mut Warnings, base: Option<&Path<'_>>, pod: &Value, old: &Value) {
    let root = Path::root("spec");
    let below;
    let spec_path = match base {
        Some(base) => {
            below = base.f("spec");
            &below
        }
        None => &root,
    };
    let spec = pod.get("spec");
    node_labels(out, spec_path, spec);
    annotations(out, base, pod, old);
    volumes(out, spec_path, spec);
    let list = spec_path.f("hostAliases");
    let aliases = spec.get("hostAliases").items();
    for (i, alias) in aliases.iter().enumerate() {
        if aliases
            .iter()
            .take(i)
            .any(|a| a.get("ip") == alias.get("ip"))
        {
            out.add(format!(
                "{}: duplicate ip {}",
                list.i(i).f("ip"),
                quote(alias.get("ip").str_or_empty())
            ));
        }
    }
    let list = spec_path.f("imagePullSecrets");
    let secrets = spec.get("imagePullSecrets").items();
    for (i, secret) in secrets.iter().enumerate() {
        let name = secret.get("name").str_or_empty();
        if name.is_empty() {
            out.add(format!("{}: invalid empty name \"\"", list.i(i).f("name")));
        } else if secrets
            .iter()
            .take(i)
            .any(|s| s.get("name").str_or_empty() == name)
        {
            out.add(format!(
                "{}: duplicate name {}",
                list.i(i).f("name"),
                quote(name)
            ));
        }
    }
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        let path = spec_path.f(list);
        for (i, c) in spec.get(list).items().iter().enumerate() {
            container(out, &path.i(i), c);
        }
    }
    ports(out, spec_path, spec);
    let grace = spec
        .get("terminationGracePeriodSeconds")
        .as_int()
        .unwrap_or(0);
    if grace < 0 {
        out.add(format!(
            "{}: must be >= 0; negative values are invalid and will be treated as 1",
            spec_path.f("terminationGracePeriodSeconds")
        ));
    }
    for kind in ["podAffinity", "podAntiAffinity"] {
        let affinity = spec.at("affinity").get(kind);
        let path = spec_path.f("affinity");
        let path = path.f(kind);
        let required = "requiredDuringSchedulingIgnoredDuringExecution";
        let list = path.f(required);
        for (i, term) in affinity.get(required).items().iter().enumerate() {
            if term.get("labelSelector").is_null() {
                out.add(format!("{}: {NULL_SELECTOR}", list.i(i).f("labelSelector")));
            }
        }
        let preferred = "preferredDuringSchedulingIgnoredDuringExecution";
        let list = path.f(preferred);
        for (i, term) in affinity.get(preferred).items().iter().enumerate() {
            if term.at("podAffinityTerm.labelSelector").is_null() {
                out.add(format!(
                    "{}: {NULL_SELECTOR}",
                    list.i(i).f("podAffinityTerm.labelSelector")
                ));
            }
        }
    }
}

fn node_labels(out: &mut Warnings, path: &Path<'_>, spec: &Value) {
    let selector = path.f("nodeSelector");
    for (key, _) in spec.get("nodeSelector").entries() {
        if let Some(message) = node_label(key) {
            out.add(format!("{}: {message}", selector.k(key)));
        }
    }
    let node = spec.at("affinity.nodeAffinity");
    let base = path.f("affinity.nodeAffinity");
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let list = base.f(required);
    let list = list.f("nodeSelectorTerms");
    let terms = node.get(required).get("nodeSelectorTerms");
    for (i, term) in terms.items().iter().enumerate() {
        term_labels(out, &list.i(i), term);
    }
    let preferred = "preferredDuringSchedulingIgnoredDuringExecution";
    let list = base.f(preferred);
    for (i, term) in node.get(preferred).items().iter().enumerate() {
        term_labels(out, &list.i(i).f("preference"), term.get("preference"));
    }
    let list = path.f("topologySpreadConstraints");
    for (i, constraint) in spec
        .get("topologySpreadConstraints")
        .items()
        .iter()
        .enumerate()
    {
        let path = &list.i(i);
        if let Some(message) = node_label(constraint.get("topologyKey").str_or_empty()) {
            out.add(format!(
                "{}: {} is {message}",
                path.f("topologyKey"),
                constraint.get("topologyKey").str_or_empty()
            ));
        }
        if constraint.get("labelSelector").is_null() {
            out.add(format!("{}: {NULL_SELECTOR}", path.f("labelSelector")));
        }
    }
}

#[inline(never)]
fn term_labels(out: &mut Warnings, path: &Path<'_>, term: &Value) {
    let list = path.f("matchExpressions");
    for (i, expression) in term.get("matchExpressions").items().iter().enumerate() {
        let key = expression.get("key").str_or_empty();
        if let Some(message) = node_label(key) {
            out.add(format!("{}: {key} is {message}", list.i(i).f("key")));
        }
    }
}

fn annotations(out: &mut Warnings, base: Option<&Path<'_>>, pod: &Value, old: &Value) {
    let root = Path::root("metadata");
    let below;
    let metadata = match base {
        Some(base) => {
            below = base.f("metadata");
            &below
        }
        None => &root,
    };
    let path = metadata.f("annotations");
    let all = pod.at("metadata.annotations");
    let fresh = |key: &str| old.at("metadata.annotations").get(key).is_null();
    let spec = pod.get("spec");
    let critical = "scheduler.alpha.kubernetes.io/critical-pod";
    if !all.get(critical).is_null() && fresh(critical) {
        out.add(format!(
            "{}: non-functional in v1.16+; use the \"priorityClassName\" field instead",
            path.k(critical)
        ));
    }
    let seccomp = "seccomp.security.alpha.kubernetes.io/pod";
    if !all.get(seccomp).is_null() && spec.at("securityContext.seccompProfile").is_null() {
        out.add(format!(
            "{}: non-functional in v1.27+; use the \"seccompProfile\" field instead",
            path.k(seccomp)
        ));
    }
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for c in spec.get(list).items() {
            let name = c.get("name").str_or_empty();
            let key = format!("container.seccomp.security.alpha.kubernetes.io/{name}");
            if !all.get(&key).is_null() && c.at("securityContext.seccompProfile").is_null() {
                out.add(format!(
                    "{}: non-functional in v1.27+; use the \"seccompProfile\" field instead",
                    path.k(&key)
                ));
            }
            let key = format!("container.apparmor.security.beta.kubernetes.io/{name}");
            if !all.get(&key).is_null() {
                out.add(format!(
                    "{}: deprecated since v1.30; use the \"appArmorProfile\" field instead",
                    path.k(&key)
                ));
            }
        }
    }
}

fn volumes(out: &mut Warnings, path: &Path<'_>, spec: &Value) {
    let list = path.f("volumes");
    for (i, volume) in spec.get("volumes").items().iter().enumerate() {
        let path = &list.i(i);
        for (source, message) in VOLUMES {
            if !volume.get(source).is_null() {
                out.add(format!("{}: {message}", path.f(source)));
            }
        }
        let template = volume.at("ephemeral.volumeClaimTemplate");
        if let Some(text) = fractional(template.at("spec.resources.requests").get("storage")) {
            let path = path.f("ephemeral.volumeClaimTemplate.spec.resources.requests");
            out.add(format!("{}: {text}", path.k("storage")));
        }
        let sources = volume.at("projected.sources").items();
        if sources.iter().any(|s| s.entries().is_empty()) {
            out.add(format!(
                "volume {} (Projected) has no sources provided",
                quote(volume.get("name").str_or_empty())
            ));
        }
    }
}

/// Complains about an amount of bytes that is not whole.
fn fractional(value: &Value) -> Option<String> {
    let quantity = Quantity::from_value(value)?;
    // Amounts beyond 64 bits of thousandths come out as not whole, as on the server.
    (quantity.milli_value() % 1000 != 0).then(|| {
        format!(
            "fractional byte value {} is invalid, must be an integer",
            quote(&quantity.to_string())
        )
    })
}

fn container(out: &mut Warnings, path: &Path<'_>, c: &Value) {
    for field in ["limits", "requests"] {
        let resources = path.f("resources");
        let list = resources.f(field);
        for name in ["memory", "ephemeral-storage"] {
            if let Some(text) = fractional(c.get("resources").get(field).get(name)) {
                out.add(format!("{}: {text}", list.k(name)));
            }
        }
    }
    let list = path.f("env");
    let env = c.get("env").items();
    for (i, var) in env.iter().enumerate() {
        let name = var.get("name").str_or_empty();
        let earlier = env
            .iter()
            .take(i)
            .rfind(|v| v.get("name").str_or_empty() == name);
        let Some(_) = earlier else {
            continue;
        };
        // Building on the earlier value is fine.
        if !var
            .get("value")
            .str_or_empty()
            .contains(&format!("$({name})"))
        {
            out.add(format!(
                "{}: hides previous definition of {}, which may be dropped when using apply",
                list.i(i),
                quote(name)
            ));
        }
    }
}

fn ports(out: &mut Warnings, spec_path: &Path<'_>, spec: &Value) {
    let mut seen: Vec<(String, &Value)> = Vec::new();
    for list in ["initContainers", "containers"] {
        let path = spec_path.f(list);
        for (i, c) in spec.get(list).items().iter().enumerate() {
            let item = path.i(i);
            let ports = item.f("ports");
            for (j, port) in c.get("ports").items().iter().enumerate() {
                let at = ports.i(j).to_string();
                let same_port = |p: &Value| {
                    p.get("containerPort") == port.get("containerPort")
                        && p.get("protocol") == port.get("protocol")
                        && p.get("hostPort").as_int().unwrap_or(0)
                            == port.get("hostPort").as_int().unwrap_or(0)
                        && p.get("hostIP").str_or_empty() == port.get("hostIP").str_or_empty()
                };
                if let Some((first, _)) = seen.iter().find(|(_, p)| same_port(p)) {
                    out.add(format!("{at}: duplicate port definition with {first}"));
                }
                let name = port.get("name").str_or_empty();
                let named = |p: &Value| p.get("name").str_or_empty() == name;
                if !name.is_empty()
                    && let Some((first, _)) = seen.iter().find(|(_, p)| named(p))
                {
                    out.add(format!(
                        "{at}: duplicate port name {} with {first}, services and probes that select ports by name will use {first}",
                        quote(name)
                    ));
                }
                seen.push((at, port));
            }
        }
    }
}

#[inline(never)]
fn service(out: &mut Warnings, service: &Value) {
    let spec = service.get("spec");
    if !spec.get("externalIPs").is_empty() {
        out.add(
            "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
                .into(),
        );
    }
    let hints = "service.kubernetes.io/topology-aware-hints";
    if !service.at("metadata.annotations").get(hints).is_null() {
        out.add(format!(
            "annotation {hints} is deprecated, please use service.kubernetes.io/topology-mode instead"
        ));
    }
    let kind = spec.get("type").str_or_empty();
    if spec.get("clusterIP").as_str() == Some("None") {
        for field in ["externalIPs", "loadBalancerIP"] {
            if !spec.get(field).is_empty() {
                out.add(format!(
                    "spec.{field} is ignored when spec.clusterIP is \"None\""
                ));
            }
        }
        if spec.get("sessionAffinity").as_str() == Some("ClientIP") {
            out.add("spec.SessionAffinity is ignored for headless services".into());
        }
    }
    if !spec.get("externalName").is_empty() && kind != "ExternalName" {
        out.add("spec.externalName is ignored when spec.type is not \"ExternalName\"".into());
    }
    if spec.get("trafficDistribution").as_str() == Some("PreferClose") {
        out.add(
            "spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\""
                .into(),
        );
    }
}
