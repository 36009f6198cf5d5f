//! Containers of every sort: names, images, ports, mounts, restart rules.
//!
//! Models: pkg/apis/core/validation validateContainers, validateInitContainers,
//! validateEphemeralContainers, ValidateVolumeMounts (v1.36)

use super::probe::{self, Context};
use super::{env, resources, security, volume};
use crate::apiserver::validation::field::{Errors, Path};
use crate::apiserver::validation::names;
use podscope_api::Value;

/// What all containers of a Pod are checked against.
pub(super) struct Pod<'a> {
    pub spec: &'a Value,
    pub volumes: &'a [&'a Value],
    pub claims: &'a [&'a str],
    pub context: Context<'a>,
    pub host_users: bool,
}

const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];
const RESTART_POLICIES: &[&str] = &["Always", "Never", "OnFailure"];

/// `containers`.
pub(super) fn containers(errors: &mut Errors, path: &Path<'_>, pod: &Pod<'_>) {
    let list = pod.spec.get("containers").items();
    if list.is_empty() {
        return errors.required(path, "");
    }
    let mut seen: Vec<&str> = Vec::new();
    for (i, container) in list.iter().enumerate() {
        let path = &path.i(i);
        common(errors, path, container, pod);
        let name = container.get("name").str_or_empty();
        if seen.contains(&name) {
            errors.duplicate(&path.f("name"), name);
        }
        seen.push(name);
        let lifecycle = container.get("lifecycle");
        if !lifecycle.is_null() {
            probe::lifecycle(errors, &path.f("lifecycle"), lifecycle, pod.context);
        }
        probe::probes(errors, path, container, pod.context);
        restart_policy(errors, path, container);
    }
    host_port_conflicts(errors, path, list);
}

/// `initContainers`.
pub(super) fn init_containers(errors: &mut Errors, list_path: &Path<'_>, pod: &Pod<'_>) {
    let mut seen = names_of(pod.spec.get("containers"));
    for (i, container) in pod.spec.get("initContainers").items().iter().enumerate() {
        let path = &list_path.i(i);
        common(errors, path, container, pod);
        let rules = container.get("restartPolicyRules").items();
        let sidecar = container.get("restartPolicy").as_str() == Some("Always");
        if sidecar {
            if !rules.is_empty() {
                restart_policy(errors, path, container);
            }
        } else {
            restart_policy(errors, path, container);
        }
        let name = container.get("name").str_or_empty();
        if seen.contains(&name) {
            errors.duplicate(&path.f("name"), name);
        } else if !name.is_empty() {
            seen.push(name);
        }
        // Init containers run one by one: each is checked alone, and the server numbers it 0.
        host_port_conflicts(errors, list_path, std::slice::from_ref(container));
        if sidecar {
            let lifecycle = container.get("lifecycle");
            if !lifecycle.is_null() {
                probe::lifecycle(errors, &path.f("lifecycle"), lifecycle, pod.context);
            }
            probe::probes(errors, path, container, pod.context);
        } else {
            for field in [
                "lifecycle",
                "livenessProbe",
                "readinessProbe",
                "startupProbe",
            ] {
                if !container.get(field).is_null() {
                    errors.forbidden(
                        &path.f(field),
                        "may not be set for init containers without restartPolicy=Always",
                    );
                }
            }
        }
    }
}

/// `ephemeralContainers`.
pub(super) fn ephemeral_containers(errors: &mut Errors, path: &Path<'_>, pod: &Pod<'_>) {
    let mut others = names_of(pod.spec.get("containers"));
    others.extend(names_of(pod.spec.get("initContainers")));
    let mut seen = others.clone();
    for (i, container) in pod
        .spec
        .get("ephemeralContainers")
        .items()
        .iter()
        .enumerate()
    {
        let path = &path.i(i);
        common(errors, path, container, pod);
        image_trimmed(errors, path, container);
        let name = container.get("name").str_or_empty();
        if seen.contains(&name) {
            errors.duplicate(&path.f("name"), name);
        } else {
            seen.push(name);
        }
        let target = container.get("targetContainerName").str_or_empty();
        if !target.is_empty() && !others.contains(&target) {
            errors.not_found(&path.f("targetContainerName"), target, "");
        }
        for field in [
            "ports",
            "resources",
            "resizePolicy",
            "restartPolicy",
            "restartPolicyRules",
            "livenessProbe",
            "readinessProbe",
            "startupProbe",
            "lifecycle",
        ] {
            if !container.get(field).is_empty() {
                errors.forbidden(&path.f(field), "cannot be set for an Ephemeral Container");
            }
        }
        let mounts = path.f("volumeMounts");
        for (j, mount) in container.get("volumeMounts").items().iter().enumerate() {
            for field in ["subPath", "subPathExpr"] {
                if !mount.get(field).is_empty() {
                    errors.forbidden(
                        &mounts.i(j).f(field),
                        "cannot be set for an Ephemeral Container",
                    );
                }
            }
        }
    }
}

fn names_of(list: &Value) -> Vec<&str> {
    list.items()
        .iter()
        .map(|c| c.get("name").str_or_empty())
        .collect()
}

fn common(errors: &mut Errors, path: &Path<'_>, container: &Value, pod: &Pod<'_>) {
    let name = container.get("name");
    if name.is_empty() {
        errors.required(&path.f("name"), "");
    } else {
        names::check(errors, &path.f("name"), name, names::label);
    }
    if container.get("image").is_empty() {
        errors.required(&path.f("image"), "");
    }
    errors.one_of(
        &path.f("terminationMessagePolicy"),
        container.get("terminationMessagePolicy"),
        &["File", "FallbackToLogsOnError"],
    );
    ports(errors, &path.f("ports"), container.get("ports"));
    env::env(errors, &path.f("env"), container.get("env"));
    env::env_from(errors, &path.f("envFrom"), container.get("envFrom"));
    mounts(errors, &path.f("volumeMounts"), container, pod.volumes);
    devices(errors, &path.f("volumeDevices"), container, pod.volumes);
    errors.one_of(
        &path.f("imagePullPolicy"),
        container.get("imagePullPolicy"),
        &["Always", "IfNotPresent", "Never"],
    );
    resources::requirements(
        errors,
        &path.f("resources"),
        container.get("resources"),
        resources::container_resource_name,
        pod.claims,
    );
    resize_policy(errors, &path.f("resizePolicy"), container, pod.spec);
    security::container(
        errors,
        &path.f("securityContext"),
        container.get("securityContext"),
        pod.host_users,
    );
}

fn ports(errors: &mut Errors, path: &Path<'_>, ports: &Value) {
    let mut seen: Vec<&str> = Vec::new();
    for (i, port) in ports.items().iter().enumerate() {
        let path = &path.i(i);
        let name = port.get("name").str_or_empty();
        if !name.is_empty() {
            let complaints = names::port_name(name);
            if !complaints.is_empty() {
                errors.invalid_each(&path.f("name"), name, complaints);
            } else if seen.contains(&name) {
                errors.duplicate(&path.f("name"), name);
            } else {
                seen.push(name);
            }
        }
        match port.get("containerPort").as_int().unwrap_or(0) {
            0 => errors.required(&path.f("containerPort"), ""),
            number => names::port_number(errors, &path.f("containerPort"), number),
        }
        match port.get("hostPort").as_int().unwrap_or(0) {
            0 => {}
            number => names::port_number(errors, &path.f("hostPort"), number),
        }
        errors.one_of(&path.f("protocol"), port.get("protocol"), PROTOCOLS);
    }
}

fn host_port_conflicts(errors: &mut Errors, path: &Path<'_>, containers: &[Value]) {
    let mut seen: Vec<String> = Vec::new();
    for (i, container) in containers.iter().enumerate() {
        let path = path.i(i);
        let path = path.f("ports");
        for (j, port) in container.get("ports").items().iter().enumerate() {
            let number = port.get("hostPort").as_int().unwrap_or(0);
            if number == 0 {
                continue;
            }
            let key = format!(
                "{}/{}/{number}",
                port.get("protocol").str_or_empty(),
                port.get("hostIP").str_or_empty()
            );
            if seen.contains(&key) {
                errors.duplicate(&path.i(j).f("hostPort"), &key);
            } else {
                seen.push(key);
            }
        }
    }
}

fn mounts(errors: &mut Errors, list_path: &Path<'_>, container: &Value, volumes: &[&Value]) {
    let mut seen: Vec<&str> = Vec::new();
    let devices = container.get("volumeDevices").items();
    for (i, mount) in container.get("volumeMounts").items().iter().enumerate() {
        let path = &list_path.i(i);
        let name = mount.get("name").str_or_empty();
        let target = mount.get("mountPath").str_or_empty();
        if name.is_empty() {
            errors.required(&path.f("name"), "");
        }
        if volume::find(volumes, name).is_none() {
            errors.not_found(&path.f("name"), name, "");
        }
        if target.is_empty() {
            errors.required(&path.f("mountPath"), "");
        }
        if seen.contains(&target) {
            errors.invalid_str(&path.f("mountPath"), target, "must be unique");
        }
        seen.push(target);
        if devices.iter().any(|d| d.get("name").str_or_empty() == name) {
            errors.invalid_str(
                &path.f("name"),
                name,
                "must not already exist in volumeDevices",
            );
        }
        if devices
            .iter()
            .any(|d| d.get("devicePath").str_or_empty() == target)
        {
            errors.invalid_str(
                &path.f("mountPath"),
                target,
                "must not already exist as a path in volumeDevices",
            );
        }
        // For what follows the server names the list, not the mount.
        let sub_path = mount.get("subPath").str_or_empty();
        volume::descending(errors, &list_path.f("subPath"), sub_path);
        let expression = mount.get("subPathExpr").str_or_empty();
        if !expression.is_empty() && !sub_path.is_empty() {
            errors.invalid_str(
                &path.f("subPathExpr"),
                expression,
                "subPathExpr and subPath are mutually exclusive",
            );
        }
        volume::descending(errors, &list_path.f("subPathExpr"), expression);
        propagation(errors, list_path, container, mount);
    }
}

fn propagation(errors: &mut Errors, list_path: &Path<'_>, container: &Value, mount: &Value) {
    let propagation = mount.get("mountPropagation");
    let path = &list_path.f("mountPropagation");
    errors.optional_one_of(
        path,
        propagation,
        &["Bidirectional", "HostToContainer", "None"],
    );
    let privileged = container.at("securityContext.privileged").is_true();
    if propagation.as_str() == Some("Bidirectional") && !privileged {
        errors.forbidden(
            path,
            "Bidirectional mount propagation is available only to privileged containers",
        );
    }
    let path = &list_path.f("recursiveReadOnly");
    match mount.get("recursiveReadOnly").as_str() {
        None | Some("Disabled") => {}
        Some("Enabled" | "IfPossible") => {
            if !mount.get("readOnly").is_true() {
                errors.forbidden(path, "may only be specified when readOnly is true");
            }
            if !matches!(propagation.as_str(), None | Some("None")) {
                errors.forbidden(
                    path,
                    "may only be specified when mountPropagation is None or not specified",
                );
            }
        }
        Some(other) => errors.not_supported(path, other, &["Disabled", "Enabled", "IfPossible"]),
    }
}

fn devices(errors: &mut Errors, path: &Path<'_>, container: &Value, volumes: &[&Value]) {
    let (mut names, mut paths): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    let mounts = container.get("volumeMounts").items();
    for (i, device) in container.get("volumeDevices").items().iter().enumerate() {
        let path = &path.i(i);
        let (name_path, target_path) = (&path.f("name"), &path.f("devicePath"));
        let name = device.get("name").str_or_empty();
        let target = device.get("devicePath").str_or_empty();
        if name.is_empty() {
            errors.required(name_path, "");
        }
        if names.contains(&name) {
            errors.invalid_str(name_path, name, "must be unique");
        }
        match volume::find(volumes, name) {
            None => errors.not_found(name_path, name, ""),
            Some(v) if v.get("persistentVolumeClaim").is_null() && v.get("ephemeral").is_null() => {
                errors.invalid_str(
                    name_path,
                    name,
                    "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode",
                );
            }
            Some(_) => {}
        }
        if target.is_empty() {
            errors.required(target_path, "");
        }
        if paths.contains(&target) {
            errors.invalid_str(target_path, target, "must be unique");
        }
        if volume::has_backsteps(target) {
            errors.invalid_str(target_path, target, "can not contain backsteps ('..')");
        } else {
            paths.push(target);
        }
        if mounts.iter().any(|m| m.get("name").str_or_empty() == name) {
            errors.invalid_str(name_path, name, "must not already exist in volumeMounts");
        }
        if mounts
            .iter()
            .any(|m| m.get("mountPath").str_or_empty() == target)
        {
            errors.invalid_str(
                target_path,
                target,
                "must not already exist as a path in volumeMounts",
            );
        }
        if !name.is_empty() {
            names.push(name);
        }
    }
}

fn resize_policy(errors: &mut Errors, path: &Path<'_>, container: &Value, spec: &Value) {
    let mut seen: Vec<&str> = Vec::new();
    for (i, policy) in container.get("resizePolicy").items().iter().enumerate() {
        let resource = policy.get("resourceName").str_or_empty();
        if seen.contains(&resource) {
            errors.duplicate(&path.i(i), resource);
        }
        seen.push(resource);
        errors.one_of(path, policy.get("resourceName"), &["cpu", "memory"]);
        let restart = policy.get("restartPolicy");
        errors.one_of(path, restart, &["NotRequired", "RestartContainer"]);
        if spec.get("restartPolicy").as_str() == Some("Never")
            && restart.as_str() != Some("NotRequired")
        {
            errors.invalid(
                path,
                restart,
                "must be 'NotRequired' when `restartPolicy` is 'Never'",
            );
        }
    }
}

fn restart_policy(errors: &mut Errors, path: &Path<'_>, container: &Value) {
    let rules = container.get("restartPolicyRules").items();
    match container.get("restartPolicy").as_str() {
        None if rules.is_empty() => return,
        None => errors.required(
            &path.f("restartPolicy"),
            "must specify restartPolicy when restart rules are used",
        ),
        Some(policy) if !RESTART_POLICIES.contains(&policy) => {
            errors.not_supported(&path.f("restartPolicy"), policy, RESTART_POLICIES);
        }
        _ => {}
    }
    let list = path.f("restartPolicyRules");
    if rules.len() > 20 {
        errors.too_long(&list, 20);
    }
    for (i, rule) in rules.iter().enumerate() {
        let path = &list.i(i);
        let action = rule.get("action").str_or_empty();
        if !["Restart", "RestartAllContainers"].contains(&action) {
            errors.not_supported(&path.f("action"), action, &["Restart"]);
        }
        let codes = rule.get("exitCodes");
        let path = &path.f("exitCodes");
        if codes.is_null() {
            errors.required(path, "must be specified");
            continue;
        }
        let operator = codes.get("operator").str_or_empty();
        if !["In", "NotIn"].contains(&operator) {
            errors.not_supported(&path.f("operator"), operator, &["In", "NotIn"]);
        }
        if codes.get("values").items().len() > 255 {
            errors.too_long(&path.f("values"), 255);
        }
    }
}

/// Refuses blanks around an image's name (in Pods, not in templates).
pub(super) fn image_trimmed(errors: &mut Errors, path: &Path<'_>, container: &Value) {
    let image = container.get("image").str_or_empty();
    if image.trim().len() != image.len() {
        errors.invalid_str(
            &path.f("image"),
            image,
            "must not have leading or trailing whitespace",
        );
    }
}
