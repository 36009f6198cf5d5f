//! `kubectl delete`.
//!
//! Models: staging/src/k8s.io/kubectl/pkg/cmd/delete/delete.go (v1.36)

use crate::ctx::{Ctx, EventType};
use crate::fault::{Fault, Res};
use crate::result::DryRun;
use crate::target::{self, Rules};
use podscope_api::request::Propagation;
use podscope_api::status::quote;
use podscope_api::{Kind, Request, Verb};

const FLAGS: &str = "all-namespaces,A=b all=b selector,l=s field-selector=s filename,f=S recursive,R=b kustomize,k=s \
force=b grace-period=i now=b cascade=s:background wait=b timeout=d ignore-not-found=b output,o=s \
dry-run=s:unchanged interactive,i=b raw=s";

/// What was deleted and is waited for.
struct Gone {
    kind: Kind,
    namespace: String,
    name: String,
    uid: String,
}

#[inline(never)]
pub(super) fn run(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "delete", FLAGS, words)?;
    let dry_run = DryRun::read(ctx, &flags)?;
    let propagation = match flags.str("cascade") {
        "" | "background" | "true" => Propagation::Background,
        "foreground" => Propagation::Foreground,
        "orphan" | "false" => Propagation::Orphan,
        other => {
            return Err(Fault::Text(format!(
                "invalid cascade value ({other}). Must be \"background\", \"foreground\", or \"orphan\""
            )));
        }
    };
    match flags.str("output") {
        "" | "name" => {}
        other => {
            return Err(Fault::usage(
                "delete",
                format!("unexpected -o output mode: {other}. We only support '-o name'"),
            ));
        }
    }
    let force = flags.is("force");
    let mut grace = flags.int("grace-period").unwrap_or(-1);
    if flags.is("now") {
        if grace != -1 {
            return Err(Fault::text(
                "--now and --grace-period cannot be specified together",
            ));
        }
        grace = 1;
    }
    if grace == 0 && !force {
        // Without --force a grace period of zero means: as soon as is safe.
        grace = 1;
    } else if force && grace < 0 {
        grace = 0;
    }
    if force && grace > 0 && flags.has("grace-period") {
        return Err(Fault::text(
            "--force and --grace-period greater than 0 cannot be specified together",
        ));
    }
    let everything = flags.is("all");
    let targets = target::targets(ctx, &flags, &flags.args, Rules::default())?;
    let mut gone: Vec<Gone> = Vec::new();
    let mut faults = Vec::new();
    let ignore = flags.bool_or("ignore-not-found", everything);
    let (mut found, mut warned_scope) = (0, false);
    if grace == 0 && force {
        ctx.complain("Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.");
    }
    for target in &targets {
        let names: Vec<(String, String, String)> = if target.name.is_empty() {
            match target::read(ctx, target, &flags) {
                Ok(infos) => infos
                    .iter()
                    .map(|i| {
                        (
                            i.namespace().to_string(),
                            i.name().to_string(),
                            i.object.uid().to_string(),
                        )
                    })
                    .collect(),
                Err(Fault::Need(call)) => return Err(Fault::Need(call)),
                Err(fault) => {
                    faults.push(fault);
                    continue;
                }
            }
        } else {
            vec![(target.namespace.clone(), target.name.clone(), String::new())]
        };
        for (namespace, name, uid) in names {
            found += 1;
            let kind = target.kind;
            if !kind.namespaced() && ctx.namespace_given && !warned_scope {
                warned_scope = true;
                ctx.complain("Warning: deleting cluster-scoped resources, not scoped to the provided namespace");
            }
            if dry_run != DryRun::Client {
                let mut request = Request::delete(kind, namespace.as_str(), name.as_str());
                request.options.grace_period_seconds = (grace >= 0).then_some(grace);
                request.options.propagation = Some(propagation);
                request.options.dry_run = dry_run == DryRun::Server;
                let answer = ctx.send(request);
                let absent = matches!(&answer, Err(f) if f.is_not_found());
                match answer {
                    Err(Fault::Need(call)) => return Err(Fault::Need(call)),
                    Err(_) if absent && ignore => {}
                    Err(fault) => {
                        faults.push(fault);
                        continue;
                    }
                    Ok(answer) => {
                        let uid = match answer.object.get("details").get("uid").as_str() {
                            Some(uid) => uid.to_string(),
                            None if !uid.is_empty() => uid.clone(),
                            None => answer.object.uid().to_string(),
                        };
                        say(
                            ctx,
                            kind,
                            &namespace,
                            &name,
                            flags.str("output"),
                            grace == 0,
                            dry_run,
                        );
                        gone.push(Gone {
                            kind,
                            namespace,
                            name,
                            uid,
                        });
                        continue;
                    }
                }
                gone.push(Gone {
                    kind,
                    namespace,
                    name,
                    uid,
                });
                continue;
            }
            // The client looks whether there is something to delete.
            let mut one = target.clone();
            one.namespace = namespace.clone();
            one.name = name.clone();
            match target::read(ctx, &one, &flags) {
                Ok(_) => say(
                    ctx,
                    kind,
                    &namespace,
                    &name,
                    flags.str("output"),
                    grace == 0,
                    dry_run,
                ),
                Err(Fault::Need(call)) => return Err(Fault::Need(call)),
                Err(fault) if fault.is_not_found() && ignore => {}
                Err(fault) => faults.push(fault),
            }
        }
    }
    if found == 0 && faults.is_empty() {
        ctx.say("No resources found");
    }
    if dry_run == DryRun::No && flags.bool_or("wait", true) {
        let deadline = flags
            .micros("timeout")
            .filter(|t| *t > 0)
            .map(|t| ctx.now.0 + t);
        for one in &gone {
            wait_gone(ctx, one.kind, &one.namespace, &one.name, &one.uid, deadline)?;
        }
    }
    Fault::all(faults)
}

fn say(
    ctx: &mut Ctx<'_>,
    kind: Kind,
    namespace: &str,
    name: &str,
    output: &str,
    forced: bool,
    dry_run: DryRun,
) {
    if output == "name" {
        ctx.say(&target::title(kind, name));
        return;
    }
    let how = if forced { "force deleted" } else { "deleted" };
    let place = match namespace {
        "" => String::new(),
        namespace => format!(" from {namespace} namespace"),
    };
    let line = format!(
        "{} {} {how}{place}{}",
        target::singular(kind),
        quote(name),
        dry_run.suffix()
    );
    ctx.say(&line);
}

/// Waits until the object is gone or another one has its name.
pub(super) fn wait_gone(
    ctx: &mut Ctx<'_>,
    kind: Kind,
    namespace: &str,
    name: &str,
    uid: &str,
    deadline: Option<i64>,
) -> Res<()> {
    let mut uid = uid.to_string();
    loop {
        let found = match ctx.send(Request::get(kind, namespace, name)) {
            Ok(answer) => answer.object,
            Err(fault) if fault.is_not_found() => return Ok(()),
            Err(fault) => return Err(fault),
        };
        if uid.is_empty() {
            uid = found.uid().to_string();
        } else if found.uid() != uid {
            return Ok(());
        }
        let mut version = found.resource_version();
        loop {
            let mut request = Request::new(Verb::Watch, kind, namespace, "");
            request.options.field_selector = format!("metadata.name={name}").into();
            request.options.resource_version = Some(version);
            let left = deadline.map(|d| (d - ctx.now.0).max(0));
            match ctx.watch(request, left)? {
                Some((EventType::Deleted, _)) => return Ok(()),
                Some((_, object)) => version = version.max(object.resource_version()),
                None if deadline.is_some_and(|d| ctx.now.0 >= d) => {
                    return Err(Fault::Text(format!(
                        "timed out waiting for the condition on {}/{name}",
                        kind.plural()
                    )));
                }
                None => break,
            }
        }
    }
}
