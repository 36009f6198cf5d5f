//! `kubectl rollout`: status, history, undo, restart, pause and resume.
//!
//! Models: staging/src/k8s.io/kubectl/pkg/{cmd/rollout,polymorphichelpers} (v1.36)

use super::apply::LAST_APPLIED;
use crate::ctx::{Ctx, EventType};
use crate::describe::{replica_sets, same_template, template_text};
use crate::fault::{Fault, Res};
use crate::flags::Flags;
use crate::result::{DryRun, Report};
use crate::target::{self, Info, Rules};
use crate::text::{DESCRIBE, align};
use podscope_api::status::{qualified, quote};
use podscope_api::{Kind, Object, PatchType, Request, Value, Verb, value};
use std::collections::BTreeMap;

const FLAGS: &str = "filename,f=S recursive,R=b kustomize,k=s selector,l=s output,o=s template=s \
show-managed-fields=b allow-missing-template-keys=b field-manager=s";
const STATUS: &str =
    "filename,f=S recursive,R=b kustomize,k=s selector,l=s watch,w=b revision=i timeout=d";
const HISTORY: &str = "filename,f=S recursive,R=b kustomize,k=s selector,l=s revision=i output,o=s template=s \
show-managed-fields=b allow-missing-template-keys=b";
const UNDO: &str = "filename,f=S recursive,R=b kustomize,k=s selector,l=s to-revision=i dry-run=s:unchanged output,o=s \
template=s show-managed-fields=b allow-missing-template-keys=b";

const REVISION: &str = "deployment.kubernetes.io/revision";
const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";

pub(super) fn run(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let (sub, rest) = super::command_first(words);
    let rest = rest.as_slice();
    match sub {
        "status" => status(ctx, rest),
        "history" => history(ctx, rest),
        "undo" => undo(ctx, rest),
        "restart" => change(ctx, "rollout restart", rest),
        "pause" => change(ctx, "rollout pause", rest),
        "resume" => change(ctx, "rollout resume", rest),
        _ => Err(super::unknown_sub("rollout", sub)),
    }
}

/// The workloads that the command line names.
fn workloads(ctx: &mut Ctx<'_>, flags: &Flags, lists: bool) -> Res<(Vec<Info>, Vec<Fault>)> {
    if flags.args.is_empty() && !flags.has("filename") && !flags.has("selector") {
        return Err(Fault::text("required resource not specified"));
    }
    let rules = Rules {
        bare_type_lists: lists,
        may_be_empty: false,
    };
    let targets = target::targets(ctx, flags, &flags.args, rules)?;
    target::read_all(ctx, &targets, flags)
}

fn kind_group(kind: Kind) -> String {
    qualified(kind.group(), kind.name())
}

/// The status line, and whether the rollout is over.
fn progress(o: &Object, revision: i64) -> Result<(String, bool), String> {
    let (spec, status) = (o.spec(), o.status());
    let count = |field: &str| status.get(field).as_int().unwrap_or(0);
    let name = quote(o.name());
    let observed = o.generation() <= count("observedGeneration");
    let rolling = |path: &str| match spec.at(path).str_or_empty() {
        "RollingUpdate" => Ok(()),
        _ => Err("rollout status is only available for RollingUpdate strategy type".to_string()),
    };
    match o.kind() {
        Some(Kind::Deployment) => {
            if revision > 0 {
                let running = revision_of(o);
                if running != revision {
                    return Err(format!(
                        "desired revision ({revision}) is different from the running revision ({running})"
                    ));
                }
            }
            if !observed {
                return Ok((
                    "Waiting for deployment spec update to be observed...".into(),
                    false,
                ));
            }
            if o.condition("Progressing").get("reason").as_str() == Some("ProgressDeadlineExceeded")
            {
                return Err(format!("deployment {name} exceeded its progress deadline"));
            }
            let wanted = spec.get("replicas").as_int().unwrap_or(1);
            let updated = count("updatedReplicas");
            let waiting = |what: String| {
                Ok((
                    format!("Waiting for deployment {name} rollout to finish: {what}"),
                    false,
                ))
            };
            if updated < wanted {
                return waiting(format!(
                    "{updated} out of {wanted} new replicas have been updated..."
                ));
            }
            if count("replicas") > updated {
                let old = count("replicas") - updated;
                return waiting(format!("{old} old replicas are pending termination..."));
            }
            let available = count("availableReplicas");
            if available < updated {
                return waiting(format!(
                    "{available} of {updated} updated replicas are available..."
                ));
            }
            Ok((format!("deployment {name} successfully rolled out"), true))
        }
        Some(Kind::DaemonSet) => {
            rolling("updateStrategy.type")?;
            if !observed {
                return Ok((
                    "Waiting for daemon set spec update to be observed...".into(),
                    false,
                ));
            }
            let wanted = count("desiredNumberScheduled");
            let (updated, available) = (count("updatedNumberScheduled"), count("numberAvailable"));
            let waiting = |what: String| {
                Ok((
                    format!("Waiting for daemon set {name} rollout to finish: {what}"),
                    false,
                ))
            };
            if updated < wanted {
                return waiting(format!(
                    "{updated} out of {wanted} new pods have been updated..."
                ));
            }
            if available < wanted {
                return waiting(format!(
                    "{available} of {wanted} updated pods are available..."
                ));
            }
            Ok((format!("daemon set {name} successfully rolled out"), true))
        }
        Some(Kind::StatefulSet) => {
            rolling("updateStrategy.type")?;
            if count("observedGeneration") == 0 || !observed {
                return Ok((
                    "Waiting for statefulset spec update to be observed...".into(),
                    false,
                ));
            }
            let wanted = spec.get("replicas").as_int().unwrap_or(1);
            let ready = count("readyReplicas");
            if ready < wanted {
                return Ok((
                    format!("Waiting for {} pods to be ready...", wanted - ready),
                    false,
                ));
            }
            let updated = count("updatedReplicas");
            if let Some(partition) = spec.at("updateStrategy.rollingUpdate.partition").as_int() {
                let part = wanted - partition;
                if updated < part {
                    return Ok((
                        format!(
                            "Waiting for partitioned roll out to finish: {updated} out of {part} new pods have been updated..."
                        ),
                        false,
                    ));
                }
                return Ok((
                    format!(
                        "partitioned roll out complete: {updated} new pods have been updated..."
                    ),
                    true,
                ));
            }
            let text = |field: &str| status.get(field).str_or_empty();
            if text("updateRevision") != text("currentRevision") {
                return Ok((
                    format!(
                        "waiting for statefulset rolling update to complete {updated} pods at revision {}...",
                        text("updateRevision")
                    ),
                    false,
                ));
            }
            Ok((
                format!(
                    "statefulset rolling update complete {} pods at revision {}...",
                    count("currentReplicas"),
                    text("currentRevision")
                ),
                true,
            ))
        }
        other => {
            let kind = other.map_or(String::new(), kind_group);
            Err(format!("no status viewer has been implemented for {kind}"))
        }
    }
}

#[inline(never)]
fn status(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "rollout status", STATUS, words)?;
    let revision = flags.int("revision").unwrap_or(0);
    let (infos, faults) = workloads(ctx, &flags, true)?;
    Fault::all(faults)?;
    let deadline = flags
        .micros("timeout")
        .filter(|t| *t > 0)
        .map(|t| ctx.now.0 + t);
    for info in infos {
        let mut object = info.object.clone();
        loop {
            let (line, done) = progress(&object, revision).map_err(Fault::Text)?;
            ctx.say(&line);
            if done || !flags.bool_or("watch", true) {
                break;
            }
            let mut request = Request::new(Verb::Watch, info.kind, info.namespace(), "");
            request.options.field_selector = format!("metadata.name={}", info.name()).into();
            request.options.resource_version = Some(object.resource_version());
            let left = deadline.map(|d| (d - ctx.now.0).max(0));
            match ctx.watch(request, left)? {
                Some((EventType::Deleted, _)) => {
                    return Err(Fault::text("object has been deleted"));
                }
                Some((_, changed)) => object = target::typed(info.kind, &changed),
                None => return Err(Fault::text("timed out waiting for the condition")),
            }
        }
    }
    Ok(())
}

fn revision_of(o: &Object) -> i64 {
    o.annotation(REVISION)
        .and_then(|r| r.parse().ok())
        .unwrap_or(0)
}

/// Past templates by revision, each with its change cause.
fn revisions(ctx: &mut Ctx<'_>, info: &Info) -> Res<BTreeMap<i64, (Value, String)>> {
    let mut found = BTreeMap::new();
    match info.kind {
        Kind::Deployment => {
            ctx.send(Request::get(info.kind, info.namespace(), info.name()))?;
            let (sets, _) = replica_sets(ctx, &info.object)?;
            for set in sets {
                let cause = set.annotation(CHANGE_CAUSE).unwrap_or("").to_string();
                found.insert(revision_of(&set), (set.at("spec.template").clone(), cause));
            }
        }
        Kind::DaemonSet | Kind::StatefulSet => {
            let mut request = Request::list(Kind::ControllerRevision, info.namespace());
            let selector = info.object.at("spec.selector");
            request.options.label_selector =
                podscope_api::selector::Selector::describe(selector).into();
            let list = ctx.send(request)?;
            for item in list.object.get("items").items() {
                let item = Object(item.clone());
                if item.controller().is_none_or(|c| c.uid != info.object.uid()) {
                    continue;
                }
                let cause = item.annotation(CHANGE_CAUSE).unwrap_or("").to_string();
                let number = item.get("revision").as_int().unwrap_or(0);
                found.insert(number, (item.at("data.spec.template").clone(), cause));
            }
        }
        kind => {
            return Err(Fault::Text(format!(
                "no history viewer has been implemented for {}",
                quote(&kind_group(kind))
            )));
        }
    }
    Ok(found)
}

#[inline(never)]
fn history(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "rollout history", HISTORY, words)?;
    let wanted = flags.int("revision").unwrap_or(0);
    if wanted < 0 {
        return Err(Fault::Text(format!(
            "revision must be a positive integer: {wanted}"
        )));
    }
    let (infos, mut faults) = workloads(ctx, &flags, true)?;
    for info in infos {
        let found = match revisions(ctx, &info) {
            Ok(found) => found,
            Err(Fault::Need(call)) => return Err(Fault::Need(call)),
            Err(fault) => {
                faults.push(fault);
                continue;
            }
        };
        let (with, text) = if wanted > 0 {
            let Some((template, cause)) = found.get(&wanted) else {
                faults.push(Fault::text("unable to find the specified revision"));
                continue;
            };
            let mut template = template.clone();
            if !cause.is_empty() {
                let annotations = template.at_mut("metadata.annotations");
                annotations
                    .map_mut()
                    .insert(CHANGE_CAUSE, Value::from(cause.as_str()));
            }
            (
                format!("with revision #{wanted}"),
                template_text(&template, false).replace("\n  \t", "\n\t"),
            )
        } else if found.is_empty() {
            (String::new(), "No rollout history found.".into())
        } else {
            let mut text = "REVISION\tCHANGE-CAUSE\n".to_string();
            for (number, (_, cause)) in found.iter().filter(|(number, _)| **number != 0) {
                text.push_str(&format!("{number}\t{}\n", crate::text::or_none(cause)));
            }
            (String::new(), align(&text, DESCRIBE))
        };
        ctx.say(&format!("{} {with}\n{text}", info.title()));
    }
    Fault::all(faults)
}

#[inline(never)]
fn undo(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "rollout undo", UNDO, words)?;
    let report = Report::read(ctx, &flags, "kubectl-rollout")?;
    let wanted = flags.int("to-revision").unwrap_or(0);
    let (infos, mut faults) = workloads(ctx, &flags, false)?;
    for info in infos {
        if info.object.annotation(LAST_APPLIED).is_some() {
            ctx.complain(&format!(
                "Warning: resource {} was previously managed with 'kubectl apply'. Rolling back will not update the {LAST_APPLIED} annotation, which may cause unexpected behavior on future 'kubectl apply' operations. Consider using 'kubectl apply' with your previous configuration file instead.",
                info.plural_title()
            ));
        }
        match roll_back(ctx, &report, &info, wanted) {
            Ok(what) => report.done(ctx, info.kind, &info.object, &what)?,
            Err(Fault::Need(call)) => return Err(Fault::Need(call)),
            Err(fault) => faults.push(fault),
        }
    }
    Fault::all(faults)
}

fn roll_back(ctx: &mut Ctx<'_>, report: &Report, info: &Info, wanted: i64) -> Res<String> {
    let kind = info.kind;
    if !matches!(kind, Kind::Deployment | Kind::DaemonSet | Kind::StatefulSet) {
        return Err(Fault::Text(format!(
            "no rollbacker has been implemented for {}",
            quote(&kind_group(kind))
        )));
    }
    let missing = || {
        Fault::Text(format!(
            "unable to find specified revision {wanted} in history"
        ))
    };
    if wanted < 0 {
        return Err(missing());
    }
    if kind != Kind::Deployment {
        return roll_back_revision(ctx, report, info, wanted);
    }
    ctx.send(Request::get(kind, info.namespace(), info.name()))?;
    let (sets, _) = replica_sets(ctx, &info.object)?;
    let mut numbered: Vec<&Object> = sets.iter().collect();
    podscope_api::sort::by_key(&mut numbered, |s| std::cmp::Reverse(revision_of(s)));
    let to = if wanted > 0 {
        *numbered
            .iter()
            .find(|s| revision_of(s) == wanted)
            .ok_or_else(missing)?
    } else {
        *numbered.get(1).ok_or_else(|| {
            Fault::Text(format!(
                "no rollout history found for deployment {}",
                quote(info.name())
            ))
        })?
    };
    if info.object.at("spec.paused").is_true() {
        return Err(Fault::text(
            "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again",
        ));
    }
    if same_template(&info.object, to) {
        return Ok(format!(
            "skipped rollback (current template already matches revision {})",
            revision_of(to)
        ));
    }
    let mut template = to.at("spec.template").clone();
    template
        .at_mut("metadata.labels")
        .map_mut()
        .remove("pod-template-hash");
    const OWN: &[&str] = &[
        LAST_APPLIED,
        REVISION,
        "deployment.kubernetes.io/revision-history",
        "deployment.kubernetes.io/desired-replicas",
        "deployment.kubernetes.io/max-replicas",
        "deprecated.deployment.rollback.to",
    ];
    let own = |key: &str| OWN.contains(&key);
    let kept = info
        .object
        .at("metadata.annotations")
        .entries()
        .iter()
        .filter(|(k, _)| own(k));
    let taken = to
        .at("metadata.annotations")
        .entries()
        .iter()
        .filter(|(k, _)| !own(k));
    let annotations = Value::from_pairs(kept.chain(taken).cloned());
    let change = value!([
        {"op": "replace", "path": "/spec/template", "value": (template)},
        {"op": "replace", "path": "/metadata/annotations", "value": (annotations)}
    ]);
    if report.dry_run != DryRun::Client {
        report
            .patch(ctx, info, PatchType::Json, change, false)
            .map_err(|fault| match fault {
                Fault::Need(call) => Fault::Need(call),
                fault => Fault::Text(format!(
                    "failed restoring revision {wanted}: {}",
                    fault.inner()
                )),
            })?;
    }
    Ok("rolled back".into())
}

/// Rolls back to a ControllerRevision: its data is the patch.
fn roll_back_revision(ctx: &mut Ctx<'_>, report: &Report, info: &Info, wanted: i64) -> Res<String> {
    let found = revisions(ctx, info)?;
    let mut numbers: Vec<i64> = found.keys().copied().collect();
    numbers.reverse();
    let number = if wanted > 0 {
        numbers.contains(&wanted).then_some(wanted).ok_or_else(|| {
            Fault::Text(format!(
                "unable to find specified revision {wanted} in history"
            ))
        })?
    } else {
        *numbers
            .get(1)
            .ok_or_else(|| Fault::text("no last revision to roll back to"))?
    };
    let template = found
        .get(&number)
        .map(|(t, _)| t.clone())
        .unwrap_or_default();
    let mut bare = template.clone();
    bare.remove("$patch");
    if bare == *info.object.at("spec.template") {
        return Ok(format!(
            "skipped rollback (current template already matches revision {number})"
        ));
    }
    if report.dry_run != DryRun::Client {
        let change = value!({"spec": {"template": (template)}});
        report.patch(ctx, info, PatchType::Strategic, change, false)?;
    }
    Ok("rolled back".into())
}

/// `restart`, `pause` and `resume`: one patch for each workload.
#[inline(never)]
fn change(ctx: &mut Ctx<'_>, command: &'static str, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, command, FLAGS, words)?;
    let report = Report::read(ctx, &flags, "kubectl-rollout")?;
    let (infos, mut faults) = workloads(ctx, &flags, true)?;
    for info in infos {
        let paused = info.object.at("spec.paused").is_true();
        let deployment = info.kind == Kind::Deployment;
        let stamp = ctx.now.seconds_text();
        let restart = value!({"spec": {"template": {"metadata": {"annotations":
            {"kubectl.kubernetes.io/restartedAt": (stamp)}}}}});
        let restartable = deployment || matches!(info.kind, Kind::DaemonSet | Kind::StatefulSet);
        let plan = match command {
            "rollout restart" if !restartable => Err("restarting is not supported"),
            "rollout restart" if paused => {
                Err("can't restart paused deployment (run rollout resume first)")
            }
            "rollout restart" => Ok((restart, "restarted")),
            "rollout pause" if !deployment => Err("pausing is not supported"),
            "rollout pause" if paused => Err("is already paused"),
            "rollout pause" => Ok((value!({"spec": {"paused": true}}), "paused")),
            _ if !deployment => Err("resuming is not supported"),
            _ if !paused => Err("is not paused"),
            _ => Ok((value!({"spec": {"paused": null}}), "resumed")),
        };
        match plan {
            Err(why) => {
                let resource = target::resource(info.kind);
                faults.push(Fault::Text(format!(
                    "error: {resource} {} {why}",
                    quote(info.name())
                )));
            }
            Ok((patch, what)) => {
                match report.patch(ctx, &info, PatchType::Strategic, patch, false) {
                    Ok(object) => report.done(ctx, info.kind, &object, what)?,
                    Err(Fault::Need(call)) => return Err(Fault::Need(call)),
                    Err(fault) => {
                        faults.push(Fault::Text(format!("failed to patch: {}", fault.inner())))
                    }
                }
            }
        }
    }
    Fault::all(faults)
}
