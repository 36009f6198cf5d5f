//! Security contexts of Pods and containers, operating systems.
//!
//! Models: pkg/apis/core/validation ValidateSecurityContext, validatePodSpecSecurityContext,
//! validateWindows, validateHostUsers (v1.36)

use super::volume::descending;
use crate::apiserver::go;
use crate::apiserver::validation::field::{Errors, Path, print};
use crate::apiserver::validation::names;
use podscope_api::Value;

const PROFILE_TYPES: &[&str] = &["Localhost", "RuntimeDefault", "Unconfined"];
const WINDOWS: &str = "cannot be set for a windows pod";
const LINUX: &str = "windows options cannot be set for a linux pod";
const CONTAINER_LISTS: &[&str] = &["initContainers", "containers", "ephemeralContainers"];

/// Calls `visit` with every container and its path: init containers, containers, ephemeral containers.
fn each_container(
    errors: &mut Errors,
    spec_path: &Path<'_>,
    spec: &Value,
    visit: impl Fn(&mut Errors, &Path<'_>, &Value),
) {
    for list in CONTAINER_LISTS {
        let path = spec_path.f(list);
        for (i, container) in spec.get(list).items().iter().enumerate() {
            visit(errors, &path.i(i), container);
        }
    }
}

/// `securityContext` of a container.
pub(super) fn container(errors: &mut Errors, path: &Path<'_>, sc: &Value, host_users: bool) {
    if sc.is_null() {
        return;
    }
    names::user_id(errors, &path.f("runAsUser"), sc.get("runAsUser"));
    names::user_id(errors, &path.f("runAsGroup"), sc.get("runAsGroup"));
    let proc_mount = sc.get("procMount");
    errors.optional_one_of(&path.f("procMount"), proc_mount, &["Default", "Unmasked"]);
    if host_users && proc_mount.as_str() == Some("Unmasked") {
        errors.invalid(
            &path.f("procMount"),
            proc_mount,
            "`hostUsers` must be false to use `Unmasked`",
        );
    }
    seccomp(errors, &path.f("seccompProfile"), sc.get("seccompProfile"));
    if sc.get("allowPrivilegeEscalation").as_bool() == Some(false) {
        let refuse = |errors: &mut Errors, what: &str| {
            let printed = go::internal_json("SecurityContext", sc);
            errors.invalid_text(
                path,
                &printed,
                &format!("cannot set `allowPrivilegeEscalation` to false and {what}"),
            );
        };
        if sc.get("privileged").is_true() {
            refuse(errors, "`privileged` to true");
        }
        for capability in sc.at("capabilities.add").items() {
            if capability.as_str() == Some("CAP_SYS_ADMIN") {
                refuse(errors, "`capabilities.Add` CAP_SYS_ADMIN");
            }
        }
    }
    windows_options(errors, &path.f("windowsOptions"), sc.get("windowsOptions"));
    app_armor(
        errors,
        &path.f("appArmorProfile"),
        sc.get("appArmorProfile"),
    );
}

/// `securityContext` of a Pod.
pub(super) fn pod(errors: &mut Errors, path: &Path<'_>, spec: &Value) {
    let sc = spec.get("securityContext");
    for field in ["fsGroup", "runAsUser", "runAsGroup"] {
        names::user_id(errors, &path.f(field), sc.get(field));
    }
    let groups = path.f("supplementalGroups");
    for (i, group) in sc.get("supplementalGroups").items().iter().enumerate() {
        names::user_id(errors, &groups.i(i), group);
    }
    if spec.get("shareProcessNamespace").is_true() && spec.get("hostPID").is_true() {
        errors.invalid_text(
            &path.f("shareProcessNamespace"),
            "true",
            "ShareProcessNamespace and HostPID cannot both be enabled",
        );
    }
    sysctls(errors, &path.f("sysctls"), sc.get("sysctls"), spec);
    let change = sc.get("fsGroupChangePolicy");
    errors.optional_one_of(
        &path.f("fsGroupChangePolicy"),
        change,
        &["Always", "OnRootMismatch"],
    );
    seccomp(errors, &path.f("seccompProfile"), sc.get("seccompProfile"));
    windows_options(errors, &path.f("windowsOptions"), sc.get("windowsOptions"));
    app_armor(
        errors,
        &path.f("appArmorProfile"),
        sc.get("appArmorProfile"),
    );
    errors.optional_one_of(
        &path.f("supplementalGroupsPolicy"),
        sc.get("supplementalGroupsPolicy"),
        &["Merge", "Strict"],
    );
    errors.optional_one_of(
        &path.f("seLinuxChangePolicy"),
        sc.get("seLinuxChangePolicy"),
        &["MountOption", "Recursive"],
    );
}

fn sysctls(errors: &mut Errors, path: &Path<'_>, list: &Value, spec: &Value) {
    let mut seen: Vec<&str> = Vec::new();
    for (i, sysctl) in list.items().iter().enumerate() {
        let path = path.i(i);
        let path = &path.f("name");
        let name = sysctl.get("name").str_or_empty();
        if name.is_empty() {
            errors.required(path, "");
        } else if !sysctl_fits(name) {
            errors.invalid_str(
                path,
                name,
                "must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$",
            );
        } else if seen.contains(&name) {
            errors.duplicate(path, name);
        }
        let dotted = name.replace('/', ".");
        let ipc = ["kernel.shm", "kernel.msg", "fs.mqueue."]
            .iter()
            .any(|p| dotted.starts_with(p))
            || dotted == "kernel.sem";
        if spec.get("hostNetwork").is_true() && dotted.starts_with("net.") {
            errors.invalid_str(
                path,
                name,
                "may not be specified when 'hostNetwork' is true",
            );
        } else if spec.get("hostIPC").is_true() && ipc {
            errors.invalid_str(path, name, "may not be specified when 'hostIPC' is true");
        }
        seen.push(name);
    }
}

fn sysctl_fits(name: &str) -> bool {
    let edge = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= 253
        && name.split(['.', '/']).all(|part| {
            let b = part.as_bytes();
            b.first().is_some_and(|c| edge(*c))
                && b.last().is_some_and(|c| edge(*c))
                && b.iter().all(|c| edge(*c) || matches!(c, b'-' | b'_'))
        })
}

fn seccomp(errors: &mut Errors, path: &Path<'_>, profile: &Value) {
    if profile.is_null() {
        return;
    }
    let kind = profile.get("type").str_or_empty();
    if kind.is_empty() {
        errors.required(
            &path.f("type"),
            "type is required when seccompProfile is set",
        );
    } else if !PROFILE_TYPES.contains(&kind) {
        errors.not_supported(&path.f("type"), kind, PROFILE_TYPES);
    }
    let file = profile.get("localhostProfile");
    let path = &path.f("localhostProfile");
    match (kind, file.as_str()) {
        ("Localhost", None) => {
            errors.required(path, "must be set when seccomp type is Localhost");
        }
        ("Localhost", Some(file)) => descending(errors, path, file),
        (_, Some(_)) => errors.invalid_text(
            path,
            &go::internal_json("SeccompProfile", profile),
            "can only be set when seccomp type is Localhost",
        ),
        _ => {}
    }
}

fn app_armor(errors: &mut Errors, path: &Path<'_>, profile: &Value) {
    if profile.is_null() {
        return;
    }
    let file = profile.get("localhostProfile");
    let file_path = &path.f("localhostProfile");
    match profile.get("type").str_or_empty() {
        "Localhost" => {
            let text = file.str_or_empty();
            if text.trim() != text {
                errors.invalid_str(file_path, text, "must not be padded with whitespace");
            } else if text.is_empty() {
                errors.required(file_path, "must be set when AppArmor type is Localhost");
            }
            if text.len() > 4095 {
                errors.too_long(file_path, 4095);
            }
        }
        "RuntimeDefault" | "Unconfined" => {
            if !file.is_null() {
                errors.invalid_text(
                    file_path,
                    &print(file),
                    "can only be set when AppArmor type is Localhost",
                );
            }
        }
        "" => errors.required(
            &path.f("type"),
            "type is required when appArmorProfile is set",
        ),
        other => errors.not_supported(&path.f("type"), other, PROFILE_TYPES),
    }
}

fn windows_options(errors: &mut Errors, path: &Path<'_>, options: &Value) {
    if let Some(name) = options.get("gmsaCredentialSpecName").as_str() {
        errors.invalid_each(
            &path.f("gmsaCredentialSpecName"),
            name,
            names::subdomain(name),
        );
    }
    if let Some(spec) = options.get("gmsaCredentialSpec").as_str() {
        let path = &path.f("gmsaCredentialSpec");
        if spec.is_empty() {
            errors.invalid_str(path, spec, "gmsaCredentialSpec cannot be an empty string");
        } else if spec.len() > 64 * 1024 {
            errors.invalid_str(path, spec, "gmsaCredentialSpec size must be under 64 KiB");
        }
    }
    if let Some(name) = options.get("runAsUserName").as_str() {
        let path = &path.f("runAsUserName");
        for what in user_name(name) {
            errors.invalid_str(path, name, &format!("runAsUserName{what}"));
        }
    }
}

/// What is wrong with a Windows user name, each to be read after `runAsUserName`.
#[inline(never)]
fn user_name(name: &str) -> Vec<&'static str> {
    if name.is_empty() {
        return vec![" cannot be an empty string"];
    }
    if name.chars().any(|c| c.is_ascii_control()) {
        return vec![" cannot contain control characters"];
    }
    if name.matches('\\').count() > 1 {
        return vec![" cannot contain more than one backslash"];
    }
    let (domain, user) = match name.split_once('\\') {
        Some((domain, user)) => (Some(domain), user),
        None => (None, name),
    };
    let mut wrong = Vec::new();
    if domain.is_some_and(|d| d.len() >= 256) {
        wrong.push("'s Domain length must be under 256 characters");
    }
    let netbios = |d: &str| {
        (1..=15).contains(&d.len())
            && !d.starts_with('.')
            && !d.contains(['\\', '/', ':', '*', '?', '"', '<', '>', '|'])
    };
    let dns = |d: &str| {
        d.split('.').all(|p| {
            (1..=63).contains(&p.len())
                && !p.starts_with('-')
                && !p.ends_with('-')
                && p.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
        })
    };
    if domain.is_some_and(|d| !netbios(d) && !dns(d)) {
        wrong.push("'s Domain doesn't match the NetBios nor the DNS format");
    }
    if user.is_empty() {
        wrong.push("'s User cannot be empty");
    } else if user.len() > 104 {
        wrong.push("'s User length must not be longer than 104 characters");
    }
    if !user.is_empty() && user.chars().all(|c| c == '.' || c == ' ') {
        wrong.push("'s User cannot contain only periods or spaces");
    }
    if user.contains([
        '"', '/', '\\', ':', ';', '|', '=', ',', '+', '*', '?', '<', '>', '@', '[', ']',
    ]) {
        wrong.push("'s User cannot contain the following characters: \"/\\:;|=,+*?<>@[]");
    }
    wrong
}

/// Rules for Pods with Windows HostProcess containers.
pub(super) fn host_process(errors: &mut Errors, path: &Path<'_>, spec: &Value) {
    let own = spec
        .at("securityContext.windowsOptions.hostProcess")
        .as_bool();
    let (mut all, mut host) = (0, 0);
    for list in CONTAINER_LISTS {
        for (i, container) in spec.get(list).items().iter().enumerate() {
            let theirs = container
                .at("securityContext.windowsOptions.hostProcess")
                .as_bool();
            all += 1;
            if let (Some(own), Some(theirs)) = (own, theirs)
                && own != theirs
            {
                errors.invalid_text(
                    &path
                        .f(list)
                        .i(i)
                        .f("securityContext.windowsOptions.hostProcess"),
                    &theirs.to_string(),
                    &format!(
                        "pod hostProcess value must be identical if both are specified, was {own}"
                    ),
                );
            }
            if theirs.or(own) == Some(true) {
                host += 1;
            }
        }
    }
    if host > 0 {
        if host != all {
            errors.invalid_str(
                path,
                "",
                "If pod contains any hostProcess containers then all containers must be HostProcess containers",
            );
        }
        if !spec.get("hostNetwork").is_true() {
            errors.invalid_text(
                &path.f("hostNetwork"),
                "false",
                "hostNetwork must be true if pod contains any hostProcess containers",
            );
        }
    }
}

/// `hostUsers: false` excludes the host's other namespaces.
pub(super) fn host_users(errors: &mut Errors, path: &Path<'_>, spec: &Value) {
    if spec.get("hostUsers").as_bool() != Some(false) {
        return;
    }
    let forbid = "when `hostUsers` is false";
    for (field, shown) in [
        ("hostNetwork", "hostNetwork"),
        ("hostPID", "HostPID"),
        ("hostIPC", "HostIPC"),
    ] {
        if spec.get(field).is_true() {
            errors.forbidden(&path.f(shown), forbid);
        }
    }
    each_container(errors, path, spec, |errors, path, container| {
        if !container.get("volumeDevices").is_empty() {
            errors.forbidden(&path.f("volumeDevices"), forbid);
        }
    });
}

/// `spec.os` and what each system excludes.
pub(super) fn os(errors: &mut Errors, path: &Path<'_>, spec: &Value) {
    let os = spec.get("os");
    if os.is_null() {
        return;
    }
    match os.get("name").str_or_empty() {
        "" => errors.required(&path.f("os").f("name"), ""),
        "linux" => {
            if !spec.at("securityContext.windowsOptions").is_null() {
                errors.forbidden(&path.f("securityContext.windowsOptions"), LINUX);
            }
            each_container(errors, path, spec, |errors, path, container| {
                if !container.at("securityContext.windowsOptions").is_null() {
                    errors.forbidden(&path.f("securityContext.windowsOptions"), LINUX);
                }
            });
        }
        "windows" => {
            for field in [
                "securityContext.appArmorProfile",
                "securityContext.seLinuxOptions",
                "hostUsers",
                "hostPID",
                "hostIPC",
                "securityContext.seccompProfile",
                "securityContext.fsGroup",
                "securityContext.fsGroupChangePolicy",
                "securityContext.sysctls",
                "shareProcessNamespace",
                "securityContext.runAsUser",
                "securityContext.runAsGroup",
                "securityContext.supplementalGroups",
                "securityContext.supplementalGroupsPolicy",
                "securityContext.seLinuxChangePolicy",
            ] {
                let value = spec.at(field);
                let set = if matches!(field, "hostPID" | "hostIPC") {
                    value.is_true()
                } else {
                    !value.is_null()
                };
                if set {
                    errors.forbidden(&path.f(field), WINDOWS);
                }
            }
            each_container(errors, path, spec, |errors, path, container| {
                let path = &path.f("securityContext");
                for field in [
                    "appArmorProfile",
                    "seLinuxOptions",
                    "seccompProfile",
                    "capabilities",
                    "readOnlyRootFilesystem",
                    "privileged",
                    "allowPrivilegeEscalation",
                    "procMount",
                    "runAsUser",
                    "runAsGroup",
                ] {
                    if !container.get("securityContext").get(field).is_null() {
                        errors.forbidden(&path.f(field), WINDOWS);
                    }
                }
            });
        }
        other => errors.not_supported(&path.f("os"), other, &["linux", "windows"]),
    }
}

/// Old annotations for seccomp and AppArmor: their own form, and whether they agree with the fields.
pub(super) fn annotations(errors: &mut Errors, path: &Path<'_>, annotations: &Value, spec: &Value) {
    let mirror = "kubernetes.io/config.mirror";
    if let Some(value) = annotations.get(mirror).as_str()
        && spec.get("nodeName").is_empty()
    {
        errors.invalid_str(
            &path.k(mirror),
            value,
            "must set spec.nodeName if mirror pod annotation is set",
        );
    }
    let cost = "controller.kubernetes.io/pod-deletion-cost";
    if let Some(value) = annotations.get(cost).as_str() {
        let digits = value.strip_prefix('-').unwrap_or(value);
        let plain = value == "0" || (!digits.starts_with('0') && !value.starts_with('+'));
        if !plain || value.parse::<i32>().is_err() {
            errors.invalid_str(&path.k(cost), value, "must be a 32bit integer");
        }
    }
    for (key, value) in annotations.entries() {
        let profile = value.str_or_empty();
        let pod_level = &**key == SECCOMP_POD;
        if pod_level || key.starts_with(SECCOMP_CONTAINER) {
            let path = &path.f(key);
            if let Some(file) = profile.strip_prefix("localhost/") {
                descending(errors, path, file);
            } else if !["runtime/default", "docker/default", "unconfined"].contains(&profile) {
                errors.invalid_str(path, profile, "must be a valid seccomp profile");
            }
        }
    }
    for (key, value) in annotations.entries() {
        let Some(name) = key.strip_prefix(APP_ARMOR_CONTAINER) else {
            continue;
        };
        let known = CONTAINER_LISTS.iter().any(|list| {
            spec.get(list)
                .items()
                .iter()
                .any(|c| c.get("name").as_str() == Some(name))
        });
        if !known {
            errors.invalid_str(&path.k(key), name, "container not found");
        }
        let profile = value.str_or_empty();
        if !["", "runtime/default", "unconfined"].contains(&profile)
            && !profile.starts_with("localhost/")
        {
            errors.invalid_str(
                &path.k(key),
                profile,
                &format!(
                    "invalid AppArmor profile name: {}",
                    podscope_api::status::quote(profile)
                ),
            );
        }
    }
}

const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
const APP_ARMOR_CONTAINER: &str = "container.apparmor.security.beta.kubernetes.io/";

/// Refuses annotations and fields that contradict each other.
pub(super) fn annotations_match(
    errors: &mut Errors,
    path: &Path<'_>,
    annotations: &Value,
    spec: &Value,
) {
    let seccomp_path = "securityContext.seccompProfile";
    if let Some(annotation) = annotations.get(SECCOMP_POD).as_str() {
        profile_matches(
            errors,
            &path.f(seccomp_path),
            annotation,
            spec.at(seccomp_path),
            "seccomp",
        );
    }
    each_container(errors, path, spec, |errors, path, container| {
        let name = container.get("name").str_or_empty();
        if let Some(annotation) = annotations
            .get(&format!("{SECCOMP_CONTAINER}{name}"))
            .as_str()
        {
            profile_matches(
                errors,
                &path.f(seccomp_path),
                annotation,
                container.at(seccomp_path),
                "seccomp",
            );
        }
    });
    if spec.at("os.name").as_str() == Some("windows") {
        return;
    }
    let armor_path = "securityContext.appArmorProfile";
    each_container(errors, path, spec, |errors, path, container| {
        let name = container.get("name").str_or_empty();
        let own = container.at(armor_path);
        let profile = if own.is_null() {
            spec.at(armor_path)
        } else {
            own
        };
        if let Some(annotation) = annotations
            .get(&format!("{APP_ARMOR_CONTAINER}{name}"))
            .as_str()
        {
            profile_matches(errors, &path.f(armor_path), annotation, profile, "apparmor");
        }
    });
}

#[inline(never)]
fn profile_matches(
    errors: &mut Errors,
    path: &Path<'_>,
    annotation: &str,
    profile: &Value,
    what: &str,
) {
    let file = annotation.strip_prefix("localhost/");
    let same = match profile.get("type").str_or_empty() {
        "Unconfined" => annotation == "unconfined",
        "RuntimeDefault" => {
            annotation == "runtime/default" || (what == "seccomp" && annotation == "docker/default")
        }
        "Localhost" => {
            if file.is_some() && profile.get("localhostProfile").as_str() != file {
                return errors.forbidden(
                    &path.f("localhostProfile"),
                    &format!("{what} profile in annotation and field must match"),
                );
            }
            file.is_some()
        }
        _ => true,
    };
    if !same {
        errors.forbidden(
            &path.f("type"),
            &format!("{what} type in annotation and field must match"),
        );
    }
}
