//! Faults as the page offers and shows them.

use crate::session::Session;
use crate::view::*;
use podscope_api::{Map, Value};
use podscope_cluster::{TraceEvent, faults};
use std::rc::Rc;

/// The faults that can be injected now, with their targets.
pub fn kinds(session: &Session) -> Rc<[FaultKindView]> {
    let cluster = session.simulation().cluster();
    faults::KINDS
        .iter()
        .map(|k| FaultKindView {
            kind: k.name,
            targets: faults::targets(cluster, k).into(),
            params: k.params,
        })
        .collect()
}

/// The parameters of a fault from its target and the person's choices.
///
/// # Errors
/// An unknown fault or parameter.
pub fn params(kind: &str, target: &str, given: &[(&str, &str)]) -> Result<Value, Refused> {
    let Some(known) = faults::kind(kind) else {
        return Err(Msg::new(
            "refused.no-fault-kind",
            vec![("kind", Arg::Text(kind.into()))],
        ));
    };
    let mut params = Map::default();
    if !target.is_empty() {
        params.insert("target", Value::str(target));
    }
    for (key, value) in given {
        if !known.params.iter().any(|(name, _)| name == key) {
            let args = vec![
                ("kind", Arg::Text(kind.into())),
                ("name", Arg::Text((*key).into())),
            ];
            return Err(Msg::new("refused.no-parameter", args));
        }
        params.insert(*key, Value::str(*value));
    }
    Ok(Value::from(params))
}

/// The faults in force; one that is being mended, such as a machine that boots, is not.
pub fn views(session: &Session) -> Vec<FaultView> {
    faults::active(session.simulation().cluster())
        .into_iter()
        .filter(|(_, f)| !f.ending)
        .map(|(_, f)| FaultView {
            id: f.number,
            name: Msg::new(code(f.kind), vec![("target", Arg::Text(f.target.clone()))]),
            since: f.since.0.saturating_mul(1_000),
        })
        .collect()
}

/// The message code of a kind: `fault.<kind>`.
#[inline(never)]
fn code(kind: &'static str) -> &'static str {
    match kind {
        "node-power" => "fault.node-power",
        "partition" => "fault.partition",
        "kubelet-crash" => "fault.kubelet-crash",
        "container-crash" => "fault.container-crash",
        "readiness-failure" => "fault.readiness-failure",
        "liveness-failure" => "fault.liveness-failure",
        "slow-start" => "fault.slow-start",
        "image-missing" => "fault.image-missing",
        "registry-down" => "fault.registry-down",
        "registry-slow" => "fault.registry-slow",
        "apiserver-down" => "fault.apiserver-down",
        "etcd-member-down" => "fault.etcd-member-down",
        "scheduler-down" => "fault.scheduler-down",
        "controller-manager-down" => "fault.controller-manager-down",
        _ => "fault.other",
    }
}

/// The name of the fault with this handle.
pub fn name_of(session: &Session, fault: u32) -> Option<Rc<str>> {
    faults::active(session.simulation().cluster())
        .into_iter()
        .find(|(_, f)| f.number == fault)
        .map(|(name, _)| name.clone())
}

/// The node whose silence begins (`false`) or ends (`true`) with an event.
pub fn silence(session: &Session, event: &TraceEvent) -> Option<(u16, bool)> {
    if !matches!(
        event.arg("kind").str_or_empty(),
        "node-power" | "partition" | "kubelet-crash"
    ) {
        return None;
    }
    let ends = match event.code {
        faults::INJECTED => false,
        faults::HEALED | faults::ENDED => true,
        _ => return None,
    };
    let target = event.arg("target").str_or_empty();
    let node = session
        .simulation()
        .cluster()
        .nodes()
        .iter()
        .find(|n| &*n.config.name == target)?;
    Some((node.id, ends))
}

/// The names of all kinds.
pub fn names() -> Vec<&'static str> {
    faults::KINDS.iter().map(|k| k.name).collect()
}

/// One line of help per kind.
pub fn help() -> Vec<String> {
    faults::KINDS
        .iter()
        .map(|k| {
            let mut usage = k.name.to_string();
            match k.target {
                faults::Target::None => {}
                faults::Target::Node => usage.push_str(" target=NODE"),
                faults::Target::Pod => usage.push_str(" target=POD|LABEL=VALUE"),
                faults::Target::Image => usage.push_str(" target=IMAGE"),
                faults::Target::EtcdMember => usage.push_str(" target=NUMBER"),
            }
            for (name, default) in k.params {
                usage.push_str(&format!(" [{name}={default}]"));
            }
            format!("{usage:<64} {}", k.help)
        })
        .collect()
}

/// Faults of the trace so far that were refused, with the reason.
pub fn refused(session: &Session) -> Vec<String> {
    session
        .shown_log()
        .iter()
        .filter(|e| e.code == faults::REFUSED)
        .map(|e| {
            format!(
                "fault {} target={}: {}",
                e.arg("kind").str_or_empty(),
                e.arg("target").str_or_empty(),
                e.arg("why").str_or_empty()
            )
        })
        .collect()
}
