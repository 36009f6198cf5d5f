//! Completions of a kubectl command line.

use crate::session::Session;
use podscope_api::{Key, Kind};
use std::rc::Rc;

const VERBS: &[&str] = &[
    "annotate",
    "api-resources",
    "apply",
    "cordon",
    "create",
    "delete",
    "describe",
    "drain",
    "events",
    "expose",
    "get",
    "label",
    "patch",
    "rollout",
    "run",
    "scale",
    "set",
    "taint",
    "uncordon",
    "version",
];
/// The most completions.
const MAX: usize = 50;

/// Words that may stand in place of the last one of `line` (without `kubectl`).
pub fn complete(session: &Session, line: &str) -> Vec<Rc<str>> {
    let words: Vec<&str> = line.split(' ').filter(|w| !w.is_empty()).collect();
    let fresh = line.is_empty() || line.ends_with(' ');
    let (done, last) = if fresh {
        (words.as_slice(), "")
    } else {
        (&words[..words.len() - 1], words[words.len() - 1])
    };
    let done: &[&str] = if done.first() == Some(&"kubectl") {
        &done[1..]
    } else {
        done
    };
    let mut out: Vec<String> = match done {
        [] => VERBS.iter().map(|v| (*v).to_string()).collect(),
        [.., "-f"] => session.files.iter().map(|f| f.name.to_string()).collect(),
        [.., "-n" | "--namespace"] => names(session, Kind::Namespace),
        ["apply" | "replace"] => vec!["-f".into()],
        ["rollout"] => ["status", "history", "undo", "restart", "pause", "resume"]
            .map(String::from)
            .to_vec(),
        ["cordon" | "uncordon" | "drain"] => names(session, Kind::Node),
        [_] | ["rollout", _] => Kind::ALL.iter().map(|k| k.plural().to_string()).collect(),
        [.., kind] => Kind::from_word(kind)
            .map(|k| names(session, k))
            .unwrap_or_default(),
    };
    out.retain(|w| w.starts_with(last) && w != last);
    podscope_api::sort::natural(&mut out);
    out.truncate(MAX);
    out.into_iter().map(Rc::from).collect()
}

fn names(session: &Session, kind: Kind) -> Vec<String> {
    session
        .simulation()
        .cluster()
        .etcd()
        .objects()
        .range((kind, Key::new("", ""))..)
        .take_while(|((k, _), _)| *k == kind)
        .filter(|((_, key), _)| key.namespace.is_empty() || &*key.namespace == "default")
        .map(|((_, key), _)| key.name.to_string())
        .collect()
}
