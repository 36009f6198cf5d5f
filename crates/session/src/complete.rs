//! Completions of a kubectl command line.

use crate::session::Session;
use podscope_api::{Kind, Object};
use std::rc::Rc;

const VERBS: &[&str] = &[
    "annotate",
    "api-resources",
    "api-versions",
    "apply",
    "autoscale",
    "cordon",
    "create",
    "delete",
    "describe",
    "drain",
    "edit",
    "events",
    "explain",
    "expose",
    "get",
    "help",
    "label",
    "logs",
    "patch",
    "replace",
    "rollout",
    "run",
    "scale",
    "set",
    "taint",
    "uncordon",
    "version",
    "wait",
];
/// The most completions.
const MAX: usize = 50;

/// Words that follow a command or one of its flags.
const FOLLOWERS: &[(&str, &[&str])] = &[
    (
        "create",
        &[
            "-f",
            "configmap",
            "deployment",
            "job",
            "namespace",
            "poddisruptionbudget",
            "priorityclass",
            "quota",
            "role",
            "rolebinding",
            "secret",
            "service",
            "serviceaccount",
        ],
    ),
    (
        "rollout",
        &["history", "pause", "restart", "resume", "status", "undo"],
    ),
    (
        "set",
        &[
            "env",
            "image",
            "resources",
            "selector",
            "serviceaccount",
            "subject",
        ],
    ),
    ("-o", &["json", "jsonpath=", "name", "wide", "yaml"]),
    ("--output", &["json", "jsonpath=", "name", "wide", "yaml"]),
    (
        "--for",
        &["condition=Available", "condition=Ready", "delete"],
    ),
    ("--dry-run", &["client", "server"]),
];

/// Flags worth offering, by command.
const FLAGS: &[(&str, &[&str])] = &[
    ("apply", &["--dry-run=", "--server-side", "-f", "-o"]),
    ("autoscale", &["--cpu-percent=", "--max=", "--min="]),
    (
        "create",
        &["--dry-run=", "--image=", "--replicas=", "-f", "-o"],
    ),
    (
        "delete",
        &[
            "--all",
            "--force",
            "--grace-period=",
            "--wait=false",
            "-f",
            "-l",
        ],
    ),
    (
        "drain",
        &["--delete-emptydir-data", "--force", "--ignore-daemonsets"],
    ),
    ("events", &["--for", "-A"]),
    (
        "expose",
        &["--name=", "--port=", "--target-port=", "--type="],
    ),
    (
        "get",
        &["--show-labels", "--sort-by=", "-A", "-l", "-n", "-o", "-w"],
    ),
    ("logs", &["--previous", "-c"]),
    ("patch", &["--type=", "-p"]),
    ("rollout", &["--to-revision=", "--timeout="]),
    ("run", &["--image=", "--labels=", "--port=", "--restart="]),
    ("scale", &["--current-replicas=", "--replicas="]),
    ("wait", &["--for", "--timeout="]),
];

/// Words that may stand in place of the last one of `line` (with or without `kubectl`).
pub fn complete(session: &Session, line: &str) -> Vec<Rc<str>> {
    let words: Vec<&str> = line.split(' ').filter(|w| !w.is_empty()).collect();
    let fresh = line.is_empty() || line.ends_with(' ');
    let (done, last) = match words.split_last() {
        Some((last, done)) if !fresh => (done, *last),
        _ => (words.as_slice(), ""),
    };
    let (done, named) = match done.split_first() {
        Some((&"kubectl", rest)) => (rest, true),
        _ => (done, false),
    };
    let mut out = candidates(session, done, last);
    if done.is_empty() && !named {
        out.push("kubectl".into());
    }
    out.retain(|w| w.starts_with(last) && w != last);
    podscope_api::sort::natural(&mut out);
    out.dedup();
    out.truncate(MAX);
    out.into_iter().map(Rc::from).collect()
}

fn table(table: &[(&str, &[&str])], name: &str) -> Option<Vec<String>> {
    let found = table.iter().find(|(known, _)| *known == name)?;
    Some(found.1.iter().map(|w| (*w).to_string()).collect())
}

fn candidates(session: &Session, done: &[&str], last: &str) -> Vec<String> {
    let verbs = || VERBS.iter().map(|v| (*v).to_string()).collect();
    let Some((command, rest)) = done.split_first() else {
        return verbs();
    };
    if last.starts_with('-') {
        let mut flags = table(FLAGS, command).unwrap_or_default();
        flags.extend(["--help", "--namespace="].map(String::from));
        return flags;
    }
    let before = rest.last().copied().unwrap_or(command);
    match before {
        "-f" | "--filename" => return session.files.iter().map(|f| f.name.to_string()).collect(),
        "-n" | "--namespace" => return names(session, Kind::Namespace),
        _ => {}
    }
    if let Some(words) = table(FOLLOWERS, before) {
        return words;
    }
    // `deployment/web`: the name behind the slash.
    if let Some((kind, _)) = last.split_once('/') {
        let names = Kind::from_word(kind).map(|k| names(session, k));
        return names
            .unwrap_or_default()
            .into_iter()
            .map(|name| format!("{kind}/{name}"))
            .collect();
    }
    let rest: Vec<&str> = rest
        .iter()
        .copied()
        .filter(|w| !w.starts_with('-'))
        .collect();
    let group = matches!(*command, "rollout" | "set");
    let rest = if group {
        rest.get(1..).unwrap_or_default()
    } else {
        &rest[..]
    };
    match (*command, rest) {
        ("help", []) => verbs(),
        ("apply" | "replace", []) => vec!["-f".into()],
        ("cordon" | "uncordon" | "drain", []) => names(session, Kind::Node),
        ("logs", []) => names(session, Kind::Pod),
        ("run" | "create" | "version" | "api-resources" | "api-versions" | "events", _) => {
            Vec::new()
        }
        (_, []) => Kind::ALL.iter().map(|k| k.plural().to_string()).collect(),
        (_, [kind, ..]) => Kind::from_word(kind)
            .map(|k| names(session, k))
            .unwrap_or_default(),
    }
}

/// The objects of a kind that can be named without their namespace.
pub fn named(session: &Session, kind: Kind) -> impl Iterator<Item = &Object> {
    let etcd = session.simulation().cluster().etcd();
    etcd.of_kind(kind)
        .filter(|(key, _)| key.namespace.is_empty() || &*key.namespace == "default")
        .map(|(_, stored)| &*stored.object)
}

fn names(session: &Session, kind: Kind) -> Vec<String> {
    let known = named(session, kind);
    known.map(|object| object.name().to_string()).collect()
}
