//! `kubectl cordon`, `uncordon` and `drain`.
//!
//! Models: staging/src/k8s.io/kubectl/pkg/drain/{drain,filters,cordon}.go (v1.36)

use crate::ctx::Ctx;
use crate::fault::{Fault, Res};
use crate::flags::Flags;
use crate::result::{DryRun, Report};
use crate::target::{self, Info, Rules};
use podscope_api::status::quote;
use podscope_api::{Body, Kind, Object, PatchType, Request, Value, Verb, value};
use std::collections::BTreeMap;
use std::rc::Rc;

const CORDON: &str = "selector,l=s dry-run=s:unchanged";
const DRAIN: &str = "selector,l=s dry-run=s:unchanged force=b ignore-daemonsets=b delete-emptydir-data=b \
delete-local-data=b grace-period=i timeout=d pod-selector=s disable-eviction=b \
skip-wait-for-delete-timeout=i chunk-size=i";

/// The nodes that the command line names.
fn nodes(ctx: &mut Ctx<'_>, flags: &Flags) -> Res<(Vec<Info>, Vec<Fault>)> {
    if flags.args.is_empty() && !flags.has("selector") {
        let usage = format!("USAGE: {} NODE [flags]", flags.command);
        return Err(Fault::usage(flags.command, usage));
    }
    if !flags.args.is_empty() && flags.has("selector") {
        return Err(Fault::text(
            "error: cannot specify both a node name and a --selector option",
        ));
    }
    let words: Vec<String> = if flags.args.iter().any(|a| a.contains('/')) {
        flags.args.clone()
    } else {
        std::iter::once("nodes".to_string())
            .chain(flags.args.iter().cloned())
            .collect()
    };
    let targets = target::targets(ctx, flags, &words, Rules::default())?;
    target::read_all(ctx, &targets, flags)
}

#[inline(never)]
pub(super) fn cordon(ctx: &mut Ctx<'_>, words: &[String], on: bool) -> Res<()> {
    let command = if on { "cordon" } else { "uncordon" };
    let flags = super::flags(ctx, command, CORDON, words)?;
    let report = Report::read(ctx, &flags, "")?;
    let (infos, faults) = nodes(ctx, &flags)?;
    for info in &infos {
        set_schedulable(ctx, &report, info, on)?;
    }
    Fault::all(faults)
}

fn set_schedulable(ctx: &mut Ctx<'_>, report: &Report, info: &Info, cordon: bool) -> Res<()> {
    let word = if cordon { "cordoned" } else { "uncordoned" };
    if info.object.at("spec.unschedulable").is_true() == cordon {
        return report.done(ctx, Kind::Node, &info.object, &format!("already {word}"));
    }
    if report.dry_run != DryRun::Client {
        let wanted = if cordon {
            Value::Bool(true)
        } else {
            Value::Null
        };
        let change = value!({"spec": {"unschedulable": (wanted)}});
        report.patch(ctx, info, PatchType::Strategic, change, false)?;
    }
    report.done(ctx, Kind::Node, &info.object, word)
}

#[inline(never)]
pub(super) fn drain(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "drain", DRAIN, words)?;
    let report = Report::read(ctx, &flags, "")?;
    let (infos, mut faults) = nodes(ctx, &flags)?;
    Fault::all(std::mem::take(&mut faults))?;
    for info in &infos {
        set_schedulable(ctx, &report, info, true)?;
    }
    let mut pending: Vec<(&Info, Vec<Fault>)> = Vec::new();
    for info in &infos {
        match drain_node(ctx, &flags, &report, info) {
            Ok(failed) if failed.is_empty() => {
                report.done(ctx, Kind::Node, &info.object, "drained")?;
            }
            Ok(failed) => {
                let why = match failed.as_slice() {
                    [one] => one.inner(),
                    many => Fault::Many(many.to_vec()).inner(),
                };
                ctx.complain(&format!(
                    "error: unable to drain node {} due to error: {why}, continuing command...",
                    quote(info.name())
                ));
                pending.push((info, failed));
            }
            Err(fault) => return Err(fault),
        }
    }
    if pending.is_empty() {
        return Ok(());
    }
    ctx.complain("There are pending nodes to be drained:");
    for (info, _) in &pending {
        ctx.complain(&format!(" {}", info.name()));
    }
    for (_, failed) in &pending {
        for fault in failed {
            ctx.complain(&fault.inner());
        }
    }
    Err(Fault::Silent)
}

/// What a filter says of a Pod.
enum Verdict {
    Fine,
    Skip,
    Warn(&'static str),
    /// Neither deleted nor an error.
    SkipWarn(&'static str),
    Error(&'static str),
}

/// Drains one node; what stands in the way is given back.
fn drain_node(ctx: &mut Ctx<'_>, flags: &Flags, report: &Report, node: &Info) -> Res<Vec<Fault>> {
    let mut request = Request::list(Kind::Pod, "");
    request.options.field_selector = format!("spec.nodeName={}", node.name()).into();
    request.options.label_selector = flags.str("pod-selector").into();
    let list = ctx.send(request)?;
    let pods = list
        .object
        .get("items")
        .items()
        .iter()
        .map(|p| Object(p.clone()));
    let mut evict: Vec<Object> = Vec::new();
    let (mut errors, mut warnings): (BTreeMap<&str, Vec<String>>, Vec<(&str, Vec<String>)>) =
        Default::default();
    for pod in pods {
        let title = format!("{}/{}", pod.namespace(), pod.name());
        let mut delete = true;
        // Of several warnings about a Pod the last one counts.
        let mut warning = None;
        for verdict in verdicts(ctx, flags, &pod)? {
            match verdict {
                Verdict::Fine => {}
                Verdict::Skip => delete = false,
                Verdict::Warn(why) | Verdict::SkipWarn(why) => {
                    warning = Some(why);
                    delete &= matches!(verdict, Verdict::Warn(_));
                }
                Verdict::Error(why) => {
                    errors.entry(why).or_default().push(title.clone());
                    delete = false;
                }
            }
            if !delete {
                break;
            }
        }
        if let Some(why) = warning {
            match warnings.iter_mut().find(|(w, _)| *w == why) {
                Some((_, names)) => names.push(title),
                None => warnings.push((why, vec![title])),
            }
        }
        if delete {
            evict.push(pod);
        }
    }
    if !errors.is_empty() {
        let all = errors
            .iter()
            .map(|(why, names)| format!("{why}: {}", names.join(", ")));
        return Ok(all.map(Fault::Text).collect());
    }
    if !warnings.is_empty() {
        let all = warnings
            .iter()
            .map(|(why, names)| format!("{why}: {}", names.join(", ")));
        let line = format!("Warning: {}", all.collect::<Vec<_>>().join("; "));
        ctx.complain(&line);
    }
    evict_all(ctx, flags, report, evict)
}

fn verdicts(ctx: &mut Ctx<'_>, flags: &Flags, pod: &Object) -> Res<Vec<Verdict>> {
    let finished = matches!(
        pod.at("status.phase").str_or_empty(),
        "Succeeded" | "Failed"
    );
    let owner = pod.controller();
    let mut verdicts = Vec::new();
    if owner.as_ref().is_some_and(|o| o.kind == "DaemonSet") && !finished {
        let owner_name = owner.as_ref().map_or("", |o| o.name);
        let found = ctx.send(Request::get(Kind::DaemonSet, pod.namespace(), owner_name));
        match found {
            Err(Fault::Need(call)) => return Err(Fault::Need(call)),
            Err(fault) if fault.is_not_found() && flags.is("force") => {
                verdicts.push(Verdict::Warn("deleting Pods that declare no controller"));
            }
            Err(fault) => return Err(fault),
            Ok(_) if flags.is("ignore-daemonsets") => {
                verdicts.push(Verdict::SkipWarn("ignoring DaemonSet-managed Pods"));
            }
            Ok(_) => verdicts.push(Verdict::Error(
                "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)",
            )),
        }
    }
    if pod.annotation("kubernetes.io/config.mirror").is_some() {
        verdicts.push(Verdict::Skip);
    }
    let local = pod
        .at("spec.volumes")
        .items()
        .iter()
        .any(|v| !v.get("emptyDir").is_null());
    if local && !finished {
        let allowed = flags.is("delete-emptydir-data") || flags.is("delete-local-data");
        verdicts.push(if allowed {
            Verdict::Warn("deleting Pods with local storage")
        } else {
            Verdict::Error(
                "cannot delete Pods with local storage (use --delete-emptydir-data to override)",
            )
        });
    }
    if owner.is_none() && !finished {
        verdicts.push(if flags.is("force") {
            Verdict::Warn("deleting Pods that declare no controller")
        } else {
            Verdict::Error(
                "cannot delete Pods that declare no controller (use --force to override)",
            )
        });
    }
    verdicts.push(Verdict::Fine);
    Ok(verdicts)
}

/// Seconds after which a refused eviction is tried again.
const RETRY_SECONDS: i64 = 5;

fn evict_all(
    ctx: &mut Ctx<'_>,
    flags: &Flags,
    report: &Report,
    pods: Vec<Object>,
) -> Res<Vec<Fault>> {
    let deleting = flags.is("disable-eviction");
    let deadline = flags
        .micros("timeout")
        .filter(|t| *t > 0)
        .map(|t| (ctx.now.0 + t, t));
    let late = |ctx: &Ctx<'_>| deadline.is_some_and(|(end, _)| ctx.now.0 >= end);
    let mut open = pods.clone();
    let mut failed = Vec::new();
    // Ask for all, again and again for those that a disruption budget protects.
    while !open.is_empty() {
        let mut refused = Vec::new();
        for pod in std::mem::take(&mut open) {
            if !deleting {
                let line = format!(
                    "evicting pod {}/{}{}",
                    pod.namespace(),
                    pod.name(),
                    report.dry_run.suffix()
                );
                ctx.say(&line);
            }
            if report.dry_run != DryRun::No {
                continue;
            }
            let grace = flags.int("grace-period").filter(|g| *g >= 0);
            let request = if deleting {
                let mut request = Request::delete(Kind::Pod, pod.namespace(), pod.name());
                request.options.grace_period_seconds = grace;
                request
            } else {
                eviction(&pod, grace)
            };
            match ctx.send(request) {
                Ok(_) => {}
                Err(Fault::Need(call)) => return Err(Fault::Need(call)),
                Err(fault) if fault.is_not_found() => {}
                Err(Fault::Status(status)) if status.code == 429 => {
                    ctx.complain(&format!(
                        "error when evicting pods/{} -n {} (will retry after {RETRY_SECONDS}s): {}",
                        quote(pod.name()),
                        quote(pod.namespace()),
                        status.message
                    ));
                    refused.push(pod);
                }
                Err(fault) => failed.push(Fault::Text(format!(
                    "error when evicting pods/{} -n {}: {}",
                    quote(pod.name()),
                    quote(pod.namespace()),
                    fault.inner()
                ))),
            }
        }
        if refused.is_empty() {
            break;
        }
        if late(ctx) {
            let names = refused.iter().map(|pod| {
                let limit = podscope_api::duration::go_text(deadline.map_or(0, |(_, t)| t * 1000));
                Fault::Text(format!(
                    "error when evicting pods/{} -n {}: global timeout reached: {limit}",
                    quote(pod.name()),
                    quote(pod.namespace())
                ))
            });
            failed.extend(names);
            break;
        }
        ctx.sleep(RETRY_SECONDS * 1_000_000)?;
        open = refused;
    }
    if report.dry_run != DryRun::No {
        return Ok(failed);
    }
    let mut waiting = pods;
    while !waiting.is_empty() {
        let mut left = Vec::new();
        for pod in std::mem::take(&mut waiting) {
            let gone = match ctx.send(Request::get(Kind::Pod, pod.namespace(), pod.name())) {
                Ok(found) => found.object.uid() != pod.uid(),
                Err(fault) if fault.is_not_found() => true,
                Err(fault) => return Err(fault),
            };
            if gone {
                let how = if deleting { "deleted" } else { "evicted" };
                ctx.say(&format!("pod/{} {how}", pod.name()));
            } else {
                left.push(pod);
            }
        }
        if left.is_empty() {
            break;
        }
        if late(ctx) {
            let limit = podscope_api::duration::go_text(deadline.map_or(0, |(_, t)| t * 1000));
            failed.extend(left.iter().map(|pod| {
                Fault::Text(format!(
                    "error when waiting for pod {} in namespace {} to terminate: global timeout reached: {limit}",
                    quote(pod.name()),
                    quote(pod.namespace())
                ))
            }));
            break;
        }
        ctx.sleep(1_000_000)?;
        waiting = left;
    }
    Ok(failed)
}

fn eviction(pod: &Object, grace: Option<i64>) -> Request {
    let mut body = value!({"apiVersion": "policy/v1", "kind": "Eviction",
        "metadata": {"name": (pod.name()), "namespace": (pod.namespace())}});
    if let Some(grace) = grace {
        body.set("deleteOptions.gracePeriodSeconds", grace);
    }
    let mut request = Request::new(Verb::Create, Kind::Pod, pod.namespace(), pod.name());
    request.subresource = "eviction".into();
    request.body = Body::Object(Rc::new(Object(body)));
    request
}
