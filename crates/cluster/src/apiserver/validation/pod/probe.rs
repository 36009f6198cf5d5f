//! Probes, lifecycle hooks and their handlers.
//!
//! Models: pkg/apis/core/validation validateProbe, validateLifecycle, validateHandler (v1.36)

use crate::apiserver::validation::field::{Errors, Path};
use crate::apiserver::validation::names;
use podscope_api::Value;

/// What a hook or probe is checked against.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// The Pod's `terminationGracePeriodSeconds`.
    pub grace_seconds: Option<i64>,
    /// `spec.os.name`, or empty.
    pub os: &'a str,
}

/// The three probes of a container.
pub(super) fn probes(
    errors: &mut Errors,
    path: &Path<'_>,
    container: &Value,
    context: Context<'_>,
) {
    for field in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let value = container.get(field);
        if value.is_null() {
            continue;
        }
        let path = &path.f(field);
        probe(errors, path, value, context);
        if field == "readinessProbe" {
            let seconds = value.get("terminationGracePeriodSeconds");
            if !seconds.is_null() {
                errors.invalid(
                    &path.f("terminationGracePeriodSeconds"),
                    seconds,
                    "must not be set for readinessProbes",
                );
            }
        } else {
            let threshold = value.get("successThreshold").as_int().unwrap_or(0);
            if threshold != 1 {
                errors.invalid_int(&path.f("successThreshold"), threshold, "must be 1");
            }
        }
    }
}

#[inline(never)]
fn probe(errors: &mut Errors, path: &Path<'_>, value: &Value, context: Context<'_>) {
    handler(
        errors,
        path,
        value,
        &["exec", "httpGet", "tcpSocket", "grpc"],
        context,
    );
    for field in [
        "initialDelaySeconds",
        "timeoutSeconds",
        "periodSeconds",
        "successThreshold",
        "failureThreshold",
    ] {
        errors.non_negative(&path.f(field), value.get(field));
    }
    if let Some(seconds) = value.get("terminationGracePeriodSeconds").as_int()
        && seconds <= 0
    {
        errors.invalid_int(
            &path.f("terminationGracePeriodSeconds"),
            seconds,
            "must be greater than 0",
        );
    }
}

/// `lifecycle` of a container.
#[inline(never)]
pub(super) fn lifecycle(errors: &mut Errors, path: &Path<'_>, value: &Value, context: Context<'_>) {
    for field in ["postStart", "preStop"] {
        let hook = value.get(field);
        if !hook.is_null() {
            let kinds = &["exec", "httpGet", "tcpSocket", "sleep"];
            handler(errors, &path.f(field), hook, kinds, context);
        }
    }
    if let Some(signal) = value.get("stopSignal").as_str() {
        let path = &path.f("stopSignal");
        match context.os {
            "" => errors.forbidden(
                path,
                "may not be set for containers with empty `spec.os.name`",
            ),
            "windows" if !["SIGKILL", "SIGTERM"].contains(&signal) => {
                errors.not_supported(path, signal, &["SIGKILL", "SIGTERM"]);
            }
            "linux" if !LINUX_SIGNALS.contains(&signal) => {
                errors.not_supported(path, signal, LINUX_SIGNALS);
            }
            _ => {}
        }
    }
}

fn handler(
    errors: &mut Errors,
    path: &Path<'_>,
    value: &Value,
    kinds: &[&str],
    context: Context<'_>,
) {
    let mut found = false;
    for kind in kinds {
        let action = value.get(kind);
        if action.is_null() {
            continue;
        }
        let path = &path.f(kind);
        if found {
            errors.forbidden(path, "may not specify more than 1 handler type");
            continue;
        }
        found = true;
        match *kind {
            "exec" => {
                if action.get("command").is_empty() {
                    errors.required(&path.f("command"), "");
                }
            }
            "httpGet" => http_get(errors, path, action),
            "sleep" => {
                let seconds = action.get("seconds").as_int().unwrap_or(0);
                if let Some(grace) = context.grace_seconds
                    && (seconds < 0 || seconds > grace)
                {
                    errors.invalid_int(
                        path,
                        seconds,
                        &format!(
                            "must be non-negative and less than terminationGracePeriodSeconds ({grace})"
                        ),
                    );
                }
            }
            _ => names::port_number_or_name(errors, &path.f("port"), action.get("port")),
        }
    }
    if !found {
        errors.required(path, "must specify a handler type");
    }
}

fn http_get(errors: &mut Errors, path: &Path<'_>, action: &Value) {
    if action.get("path").is_empty() {
        errors.required(&path.f("path"), "");
    }
    names::port_number_or_name(errors, &path.f("port"), action.get("port"));
    let scheme = action.get("scheme").str_or_empty();
    if !["HTTP", "HTTPS"].contains(&scheme) {
        errors.not_supported(&path.f("scheme"), scheme, &["HTTP", "HTTPS"]);
    }
    for header in action.get("httpHeaders").items() {
        names::check(
            errors,
            &path.f("httpHeaders"),
            header.get("name"),
            names::header_name,
        );
    }
}

const LINUX_SIGNALS: &[&str] = &[
    "SIGABRT",
    "SIGALRM",
    "SIGBUS",
    "SIGCHLD",
    "SIGCLD",
    "SIGCONT",
    "SIGFPE",
    "SIGHUP",
    "SIGILL",
    "SIGINT",
    "SIGIO",
    "SIGIOT",
    "SIGKILL",
    "SIGPIPE",
    "SIGPOLL",
    "SIGPROF",
    "SIGPWR",
    "SIGQUIT",
    "SIGRTMAX",
    "SIGRTMAX-1",
    "SIGRTMAX-10",
    "SIGRTMAX-11",
    "SIGRTMAX-12",
    "SIGRTMAX-13",
    "SIGRTMAX-14",
    "SIGRTMAX-2",
    "SIGRTMAX-3",
    "SIGRTMAX-4",
    "SIGRTMAX-5",
    "SIGRTMAX-6",
    "SIGRTMAX-7",
    "SIGRTMAX-8",
    "SIGRTMAX-9",
    "SIGRTMIN",
    "SIGRTMIN+1",
    "SIGRTMIN+10",
    "SIGRTMIN+11",
    "SIGRTMIN+12",
    "SIGRTMIN+13",
    "SIGRTMIN+14",
    "SIGRTMIN+15",
    "SIGRTMIN+2",
    "SIGRTMIN+3",
    "SIGRTMIN+4",
    "SIGRTMIN+5",
    "SIGRTMIN+6",
    "SIGRTMIN+7",
    "SIGRTMIN+8",
    "SIGRTMIN+9",
    "SIGSEGV",
    "SIGSTKFLT",
    "SIGSTOP",
    "SIGSYS",
    "SIGTERM",
    "SIGTRAP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGUSR1",
    "SIGUSR2",
    "SIGVTALRM",
    "SIGWINCH",
    "SIGXCPU",
    "SIGXFSZ",
];
