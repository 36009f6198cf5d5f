//! Small commands: `logs`, `api-resources`, `api-versions`, `version` and those that the simulation cannot do.
//!
//! Models: staging/src/k8s.io/kubectl/pkg/cmd (v1.36)

use crate::ctx::Ctx;
use crate::describe::controlled;
use crate::fault::{Fault, Res};
use crate::table::{Cell, Table};
use crate::target::{self, Rules, Target};
use podscope_api::{Kind, Object, Request, Status, Value};

const LOGS: &str = "all-containers=b all-pods=b container,c=s follow,f=b previous,p=b tail=i since=d since-time=s \
timestamps=b limit-bytes=i prefix=b selector,l=s ignore-errors=b max-log-requests=i \
pod-running-timeout=d insecure-skip-tls-verify-backend=b";
const EXEC: &str = "container,c=s stdin,i=b tty,t=b quiet,q=b filename,f=S pod-running-timeout=d";
const RESOURCES: &str =
    "api-group=s namespaced=b output,o=s no-headers=b sort-by=s verbs=S categories=S cached=b";

/// `kubectl certificate approve|deny`: there are no signing requests.
pub(super) fn certificate(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let (sub, rest) = super::command_first(words);
    if !matches!(sub, "approve" | "deny") {
        return Err(super::unknown_sub("certificate", sub));
    }
    let flags = super::flags(ctx, "certificate", "force=b filename,f=S", &rest)?;
    let Some(name) = flags.args.first() else {
        return Err(Fault::text(
            "one or more CSRs must be specified as <name> or -f <filename>",
        ));
    };
    let (group, plural) = ("certificates.k8s.io", "certificatesigningrequests");
    Err(Status::not_found(group, plural, name).into())
}

/// The container that a command is about: the one asked for, or the default one.
fn container(ctx: &mut Ctx<'_>, pod: &Object, asked: &str) -> Res<String> {
    let mut names: Vec<String> = Vec::new();
    let mut bare: Vec<&str> = Vec::new();
    for (list, mark) in [
        ("containers", ""),
        ("initContainers", " (init)"),
        ("ephemeralContainers", " (ephem)"),
    ] {
        for c in pod.spec().get(list).items() {
            let name = c.get("name").str_or_empty();
            names.push(format!("{name}{mark}"));
            bare.push(name);
        }
    }
    if !asked.is_empty() {
        if bare.contains(&asked) {
            return Ok(asked.to_string());
        }
        return Err(Fault::Text(format!(
            "container {asked} is not valid for pod {} out of: {}",
            pod.name(),
            names.join(", ")
        )));
    }
    if let Some(name) = pod.annotation("kubectl.kubernetes.io/default-container")
        && bare.contains(&name)
    {
        return Ok(name.to_string());
    }
    let first = bare.first().copied().unwrap_or("").to_string();
    if bare.len() > 1 {
        ctx.complain(&format!(
            "Defaulted container \"{first}\" out of: {}",
            names.join(", ")
        ));
    }
    Ok(first)
}

#[inline(never)]
pub(super) fn logs(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "logs", LOGS, words)?;
    if flags.args.is_empty() && !flags.has("selector") {
        return Err(Fault::usage(
            "logs",
            "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command",
        ));
    }
    let word = flags.args.first().map_or("", String::as_str);
    let (kind, name) = match word.split_once('/') {
        Some((kind, name)) => (target::kind(kind)?, name),
        None => (Kind::Pod, word),
    };
    let asked = match flags.str("container") {
        "" => flags.args.get(1).map_or("", String::as_str),
        asked => asked,
    };
    let target = Target {
        kind,
        namespace: ctx.namespace.clone(),
        name: name.to_string(),
    };
    let object = match target::read(ctx, &target, &flags) {
        Ok(infos) => infos.into_iter().next().map(|i| i.object.as_ref().clone()),
        Err(fault) if fault.is_not_found() => {
            return Err(Fault::Text(format!(
                "error from server (NotFound): {} in namespace \"{}\"",
                fault.inner(),
                ctx.namespace
            )));
        }
        Err(fault) => return Err(fault),
    };
    let Some(object) = object else {
        return Ok(());
    };
    let pod = if kind == Kind::Pod {
        object
    } else {
        let pods = if kind == Kind::Deployment {
            let mut request = Request::list(Kind::Pod, object.namespace());
            let selector = object.at("spec.selector");
            request.options.label_selector =
                podscope_api::selector::Selector::describe(selector).into();
            let list = ctx.send(request)?;
            list.object
                .get("items")
                .items()
                .iter()
                .map(|p| Object(p.clone()))
                .collect()
        } else {
            controlled(ctx, Kind::Pod, &object)?
        };
        let count = pods.len();
        let Some(first) = pods.into_iter().next() else {
            return Err(Fault::text("timed out waiting for the condition"));
        };
        if count > 1 {
            ctx.complain(&format!("Found {count} pods, using pod/{}", first.name()));
        }
        first
    };
    let container = container(ctx, &pod, asked)?;
    if pod.at("spec.nodeName").str_or_empty().is_empty() {
        // Nobody runs it, so nobody has written anything.
        return Ok(());
    }
    let mut request = Request::get(Kind::Pod, pod.namespace(), pod.name());
    request.subresource = "log".into();
    // The container travels where the API has no other place for it here.
    request.options.field_selector = format!("container={container}").into();
    let answer = ctx.send(request)?;
    let log = match &answer.object.0 {
        Value::Str(log) => log.to_string(),
        other => other.get("log").str_or_empty().to_string(),
    };
    let lines: Vec<&str> = log.lines().collect();
    let skip = match flags.int("tail") {
        Some(tail) if tail >= 0 => lines
            .len()
            .saturating_sub(usize::try_from(tail).unwrap_or(0)),
        _ => 0,
    };
    for line in lines.iter().skip(skip) {
        ctx.say(line);
    }
    Ok(())
}

/// `exec` and `attach`: as far as the client goes.
#[inline(never)]
pub(super) fn exec(ctx: &mut Ctx<'_>, command: &'static str, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, command, EXEC, words)?;
    let Some(name) = flags.args.first() else {
        return Err(Fault::usage(
            command,
            "pod, type/name or --filename must be specified",
        ));
    };
    if command == "exec" && flags.args.len() < 2 {
        return Err(Fault::usage(
            "exec",
            "you must specify at least one command for the container",
        ));
    }
    let words = if name.contains('/') {
        vec![name.clone()]
    } else {
        vec!["pods".into(), name.clone()]
    };
    let targets = target::targets(ctx, &flags, &words, Rules::default())?;
    for target in &targets {
        for info in target::read(ctx, target, &flags)? {
            let phase = info.object.at("status.phase").str_or_empty();
            if matches!(phase, "Succeeded" | "Failed") {
                return Err(Fault::Text(format!(
                    "cannot exec into a container in a completed pod; current phase is {phase}"
                )));
            }
            container(ctx, &info.object, flags.str("container"))?;
            if info.object.at("spec.nodeName").str_or_empty().is_empty() {
                return Err(Fault::Text(format!(
                    "unable to upgrade connection: pod {} does not have a host assigned",
                    info.name()
                )));
            }
        }
    }
    Err(Fault::Text(format!(
        "{command} is not simulated: containers here have no processes to talk to"
    )))
}

#[inline(never)]
pub(super) fn api_resources(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "api-resources", RESOURCES, words)?;
    if let Some(extra) = flags.args.first() {
        return Err(Fault::usage(
            "api-resources",
            format!("unexpected arguments: [{extra}]"),
        ));
    }
    let mut kinds: Vec<Kind> = Kind::ALL
        .iter()
        .copied()
        .filter(|k| flags.opt("api-group").is_none_or(|g| g == k.group()))
        .filter(|k| !flags.has("namespaced") || k.namespaced() == flags.is("namespaced"))
        .collect();
    podscope_api::sort::by_key(&mut kinds, |k| (k.group(), k.plural()));
    if flags.str("output") == "name" {
        for kind in kinds {
            ctx.say(&target::resource(kind));
        }
        return Ok(());
    }
    let titles = ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"];
    let rows = kinds.iter().map(|k| {
        vec![
            Cell::from(k.plural()),
            k.short_names().join(",").into(),
            k.api_version().into(),
            k.namespaced().to_string().into(),
            k.name().into(),
        ]
    });
    let table = Table {
        titles: if flags.is("no-headers") {
            Vec::new()
        } else {
            titles.map(String::from).to_vec()
        },
        rows: rows.collect(),
    };
    ctx.out.push_str(&table.print());
    Ok(())
}

/// The group versions that a default v1.36 server serves.
const GROUP_VERSIONS: &str = "admissionregistration.k8s.io/v1
apiextensions.k8s.io/v1
apiregistration.k8s.io/v1
apps/v1
authentication.k8s.io/v1
authorization.k8s.io/v1
autoscaling/v1
autoscaling/v2
batch/v1
certificates.k8s.io/v1
coordination.k8s.io/v1
discovery.k8s.io/v1
events.k8s.io/v1
flowcontrol.apiserver.k8s.io/v1
networking.k8s.io/v1
node.k8s.io/v1
policy/v1
rbac.authorization.k8s.io/v1
resource.k8s.io/v1
scheduling.k8s.io/v1
storage.k8s.io/v1
v1";

pub(super) fn api_versions(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    super::flags(ctx, "api-versions", "", words)?;
    ctx.say(GROUP_VERSIONS);
    Ok(())
}

pub(super) fn version(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "version", "client=b output,o=s", words)?;
    ctx.say("Client Version: v1.36.2\nKustomize Version: v5.8.1");
    if !flags.is("client") {
        ctx.say("Server Version: v1.36.2");
    }
    Ok(())
}

/// Commands whose first check fails, or that have nothing to talk to.
#[inline(never)]
pub(super) fn refuse(ctx: &mut Ctx<'_>, command: &str, words: &[String]) -> Res<()> {
    Err(match command {
        "cp" => {
            super::flags(ctx, "cp", "container,c=s no-preserve=b retries=i", words)?;
            Fault::text(if words.is_empty() {
                "source and destination are required"
            } else {
                "cp is not simulated: containers here have no files"
            })
        }
        "top" => Fault::text("Metrics API not available"),
        "plugin" => Fault::text("unable to find any kubectl plugins in your PATH"),
        "proxy" => {
            super::flags(
                ctx,
                "proxy",
                "port,p=i address=s www,w=s api-prefix=s",
                words,
            )?;
            Fault::text("proxy is not simulated")
        }
        "options" => {
            let flags = super::flags(ctx, "options", "", words);
            match flags {
                Err(fault) => {
                    let first = fault.line();
                    let first = first.lines().next().unwrap_or("");
                    Fault::Text(format!("{first}\nRun 'kubectl options' without flags."))
                }
                Ok(_) => Fault::Silent,
            }
        }
        _ => Fault::Text(format!("{command} is not simulated")),
    })
}
