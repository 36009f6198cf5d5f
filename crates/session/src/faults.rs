//! Faults as the page offers and shows them.

use crate::session::Session;
use crate::simulation::Command;
use crate::view::*;
use podscope_api::{Map, Value};
use podscope_cluster::{TraceEvent, faults};
use podscope_kernel::SimTime;
use std::rc::Rc;

/// The faults that can be injected now, with their targets.
pub fn kinds(session: &Session) -> Rc<[FaultKindView]> {
    let cluster = session.simulation().cluster();
    faults::KINDS
        .iter()
        .map(|k| FaultKindView {
            kind: k.name,
            code: code(k.name),
            aims_at: match k.target {
                faults::Target::None => FaultTarget::Nothing,
                faults::Target::Node => FaultTarget::Node,
                faults::Target::Pod => FaultTarget::Pod,
                faults::Target::Image => FaultTarget::Image,
                faults::Target::EtcdMember => FaultTarget::EtcdMember,
                faults::Target::Zone => FaultTarget::Zone,
                faults::Target::Webhooks => FaultTarget::Webhooks,
                faults::Target::Object(_) => FaultTarget::Object,
            },
            targets: faults::targets(cluster, k).into(),
            params: k.params.iter().map(param).collect(),
        })
        .collect()
}

fn param(param: &faults::Param) -> FaultParamView {
    FaultParamView {
        name: param.name,
        default: param.default,
        accepts: match param.accepts {
            faults::Accepts::Number(low, high) => FaultAccepts::Number(low, high),
            faults::Accepts::OneOf(words) => FaultAccepts::OneOf(words),
            faults::Accepts::Container => FaultAccepts::Container,
        },
    }
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
        let Some(param) = known.params.iter().find(|p| p.name == *key) else {
            let args = vec![
                ("kind", Arg::Text(kind.into())),
                ("name", Arg::Text((*key).into())),
            ];
            return Err(Msg::new("refused.no-parameter", args));
        };
        if let faults::Accepts::Number(low, high) = param.accepts
            && param.problem(value).is_some()
        {
            let args = vec![
                ("name", Arg::Text((*key).into())),
                ("low", Arg::Text(low.to_string().into())),
                ("high", Arg::Text(high.to_string().into())),
                ("value", Arg::Text((*value).into())),
            ];
            return Err(Msg::new("refused.number", args));
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

/// Everything about the faults in force, those being mended and those still to come, oldest first.
pub fn detail(session: &Session) -> Vec<FaultDetail> {
    let cluster = session.simulation().cluster();
    let now = cluster.now();
    let timers = crate::deadlines::views(session);
    let given = |params: &Value| -> Rc<[(Text, Text)]> {
        let known = params
            .entries()
            .iter()
            .filter(|(name, _)| &**name != "target");
        known
            .map(|(name, value)| (Text::from(&**name), Text::from(value.str_or_empty())))
            .collect()
    };
    let mut list: Vec<FaultDetail> = faults::active(cluster)
        .into_iter()
        .map(|(_, f)| {
            let about = |t: &&TimerView| {
                let named = |(_, arg): &(&'static str, Arg)| matches!(arg, Arg::Text(text) if *text == f.target);
                !f.target.is_empty() && t.name.args.iter().any(named)
            };
            FaultDetail {
                id: f.number,
                name: Msg::new(code(f.kind), vec![("target", Arg::Text(f.target.clone()))]),
                params: given(&f.params),
                at: f.since.0.saturating_mul(1_000),
                state: if f.ending {
                    FaultState::Ending
                } else {
                    FaultState::InForce
                },
                timers: timers.iter().filter(about).cloned().collect(),
            }
        })
        .collect();
    for timed in session.timeline.journal() {
        let Command::Inject { kind, params, .. } = &timed.command else {
            continue;
        };
        let Some(known) = faults::kind(kind).filter(|_| timed.at > now) else {
            continue;
        };
        let target = Text::from(params.get("target").str_or_empty());
        list.push(FaultDetail {
            id: 0,
            name: Msg::new(code(known.name), vec![("target", Arg::Text(target))]),
            params: given(params),
            at: timed.at.0.saturating_mul(1_000),
            state: FaultState::Planned,
            timers: Rc::new([]),
        });
    }
    podscope_api::sort::by_key(&mut list, |f| f.at);
    list
}

/// Tries a command on a copy of the world at the cursor: the engine's reason when it would refuse the
/// fault. Nothing of it enters the journal or the trace.
pub fn refusal(session: &Session, command: &Command) -> Option<Refused> {
    let mut copy = session.simulation().clone();
    let mut trace = Vec::new();
    let at = SimTime(session.now().0 + 1);
    podscope_kernel::World::command(&mut copy, at, command, &mut trace);
    let event = trace.iter().find(|e| e.code == faults::REFUSED)?;
    let why = Text::from(event.arg("why").str_or_empty());
    Some(Msg::new("refused.fault", vec![("why", Arg::Text(why))]))
}

/// The message code of a kind: `fault.<kind>`.
#[inline(never)]
fn code(kind: &'static str) -> &'static str {
    match kind {
        "node-power" => "fault.node-power",
        "node-reboot" => "fault.node-reboot",
        "zone-loss" => "fault.zone-loss",
        "partition" => "fault.partition",
        "node-drain" => "fault.node-drain",
        "spot-termination" => "fault.spot-termination",
        "config-missing" => "fault.config-missing",
        "stuck-finalizer" => "fault.stuck-finalizer",
        "memory-pressure" => "fault.memory-pressure",
        "disk-pressure" => "fault.disk-pressure",
        "pid-pressure" => "fault.pid-pressure",
        "link-slow" => "fault.link-slow",
        "clock-skew" => "fault.clock-skew",
        "certificate-expired" => "fault.certificate-expired",
        "kubelet-crash" => "fault.kubelet-crash",
        "kubelet-restart" => "fault.kubelet-restart",
        "kube-proxy-down" => "fault.kube-proxy-down",
        "cni-failure" => "fault.cni-failure",
        "ip-exhaustion" => "fault.ip-exhaustion",
        "container-crash" => "fault.container-crash",
        "container-oom" => "fault.container-oom",
        "readiness-failure" => "fault.readiness-failure",
        "liveness-failure" => "fault.liveness-failure",
        "startup-failure" => "fault.startup-failure",
        "exec-failure" => "fault.exec-failure",
        "slow-start" => "fault.slow-start",
        "slow-stop" => "fault.slow-stop",
        "image-missing" => "fault.image-missing",
        "image-architecture" => "fault.image-architecture",
        "registry-auth" => "fault.registry-auth",
        "registry-rate-limit" => "fault.registry-rate-limit",
        "registry-down" => "fault.registry-down",
        "registry-slow" => "fault.registry-slow",
        "apiserver-down" => "fault.apiserver-down",
        "apiserver-overload" => "fault.apiserver-overload",
        "watch-cut" => "fault.watch-cut",
        "webhook-down" => "fault.webhook-down",
        "webhook-slow" => "fault.webhook-slow",
        "etcd-member-down" => "fault.etcd-member-down",
        "etcd-quorum-loss" => "fault.etcd-quorum-loss",
        "etcd-slow" => "fault.etcd-slow",
        "etcd-no-space" => "fault.etcd-no-space",
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
        "node-power" | "partition" | "kubelet-crash" | "kubelet-restart" | "node-reboot"
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
                faults::Target::Zone => usage.push_str(" target=ZONE"),
                faults::Target::Object(_) => usage.push_str(" target=RESOURCE/NAME"),
                faults::Target::Webhooks => usage.push_str(" target=CONFIGURATION"),
            }
            for param in k.params {
                usage.push_str(&format!(" [{}={}]", param.name, param.default));
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
