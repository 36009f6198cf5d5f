//! `kubectl set image|env|resources|selector|serviceaccount` and `kubectl patch`.
//!
//! Models: staging/src/k8s.io/kubectl/pkg/cmd/{set,patch} (v1.36)

use super::create::amounts;
use super::pairs;
use crate::ctx::Ctx;
use crate::fault::{Fault, Res};
use crate::files;
use crate::flags::Flags;
use crate::result::{DryRun, Report};
use crate::target::{self, Info, Rules};
use podscope_api::status::quote;
use podscope_api::{Kind, Object, PatchType, Request, Status, Value, json, patch, value};

const SET: &str = "all=b selector,l=s filename,f=S recursive,R=b kustomize,k=s local=b dry-run=s:unchanged output,o=s \
template=s field-manager=s show-managed-fields=b allow-missing-template-keys=b";
const ENV: &str = "all=b selector,l=s filename,f=S recursive,R=b kustomize,k=s local=b dry-run=s:unchanged output,o=s \
template=s field-manager=s show-managed-fields=b allow-missing-template-keys=b env,e=S from=s prefix=s \
keys=S containers,c=s list=b resolve=b overwrite=b";
const RESOURCES: &str = "all=b selector,l=s filename,f=S recursive,R=b kustomize,k=s local=b dry-run=s:unchanged output,o=s \
template=s field-manager=s show-managed-fields=b allow-missing-template-keys=b containers,c=s limits=s \
requests=s";

#[inline(never)]
pub(super) fn run(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let (sub, rest) = super::command_first(words);
    let rest = rest.as_slice();
    match sub {
        "image" => image(ctx, rest),
        "env" => env(ctx, rest),
        "resources" => resources(ctx, rest),
        "selector" => selector(ctx, rest),
        "serviceaccount" | "sa" => service_account(ctx, rest),
        "subject" => {
            let word = rest.first().map_or("", String::as_str);
            target::kinds(word)?;
            Err(Fault::text("set subject is not simulated"))
        }
        _ => Err(super::unknown_sub("set", sub)),
    }
}

/// Where a kind keeps its Pod spec.
fn pod_spec(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Pod => Some("spec"),
        Kind::CronJob => Some("spec.jobTemplate.spec.template.spec"),
        Kind::Deployment
        | Kind::ReplicaSet
        | Kind::StatefulSet
        | Kind::DaemonSet
        | Kind::Job
        | Kind::ReplicationController => Some("spec.template.spec"),
        _ => None,
    }
}

fn read(ctx: &mut Ctx<'_>, flags: &Flags, resources: &[String]) -> Res<(Vec<Info>, Vec<Fault>)> {
    let rules = Rules {
        bare_type_lists: false,
        may_be_empty: false,
    };
    let targets = target::targets(ctx, flags, resources, rules)?;
    target::read_all(ctx, &targets, flags)
}

/// Sends what an edit changed, if it changed anything.
fn save(
    ctx: &mut Ctx<'_>,
    report: &Report,
    info: &Info,
    edited: Object,
    what: &str,
    failing: &str,
) -> Res<()> {
    let change = patch::two_way_strategic(info.kind.name(), &info.object, &edited);
    if change.entries().is_empty() {
        return Ok(());
    }
    if report.dry_run == DryRun::Client {
        return report.done(ctx, info.kind, &edited, what);
    }
    let object = report
        .patch(ctx, info, PatchType::Strategic, change, false)
        .map_err(|fault| match fault {
            Fault::Need(call) => Fault::Need(call),
            fault => Fault::Text(format!("failed to patch {failing} {}", fault.inner())),
        })?;
    report.done(ctx, info.kind, &object, what)
}

/// Names of containers as a pattern: `*` is any number of characters.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|tail| {
            (0..=tail.len()).any(|i| tail.get(i..).is_some_and(|t| fits(rest, t)))
        }),
    }
}

fn image(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "set image", SET, words)?;
    let report = Report::read(ctx, &flags, "kubectl-set")?;
    let (names, images) = pairs(&flags.args, "image")?;
    let mut problems: Vec<Fault> = Vec::new();
    if names.is_empty() && !flags.has("filename") {
        problems.push(Fault::text(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        ));
    }
    if images.is_empty() {
        problems.push(Fault::text("at least one image update is required"));
    }
    Fault::all(problems)?;
    let (infos, mut faults) = read(ctx, &flags, &names)?;
    for info in infos {
        let mut edited = info.object.as_ref().clone();
        let Some(place) = pod_spec(info.kind) else {
            faults.push(Fault::Text(format!(
                "error: the {} does not have a pod template",
                info.kind
            )));
            continue;
        };
        let mut missing = Vec::new();
        for change in &images {
            let (container, image) = change.split_once('=').unwrap_or((change, ""));
            let mut found = false;
            for list in ["initContainers", "containers"] {
                let list = edited.at_mut(place).entry(list);
                if list.is_null() {
                    continue;
                }
                for one in list.list_mut() {
                    if fits(container, one.get("name").str_or_empty()) {
                        one.set("image", image);
                        found = true;
                    }
                }
            }
            edited
                .at_mut(place)
                .map_mut()
                .retain(|k, v| !(k.ends_with("ontainers") && v.is_null()));
            if !found {
                missing.push(Fault::Text(format!(
                    "error: unable to find container named {}",
                    quote(container)
                )));
            }
        }
        if !missing.is_empty() {
            faults.extend(missing);
            continue;
        }
        match save(
            ctx,
            &report,
            &info,
            edited,
            "image updated",
            "image update to pod template:",
        ) {
            Ok(()) => {}
            Err(Fault::Need(call)) => return Err(Fault::Need(call)),
            Err(fault) => faults.push(fault),
        }
    }
    Fault::all(faults)
}

fn env(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "set env", ENV, words)?;
    let report = Report::read(ctx, &flags, "kubectl-set")?;
    let (names, mut changes) = pairs(&flags.args, "environment")?;
    changes.extend(flags.all("env").into_iter().map(String::from));
    let pattern = flags.opt("containers").unwrap_or("*");
    let mut set: Vec<Value> = Vec::new();
    let mut remove: Vec<String> = Vec::new();
    for change in &changes {
        if let Some((name, value)) = change.split_once('=') {
            set.push(value!({"name": (name), "value": (value)}));
        } else if let Some(name) = change.strip_suffix('-') {
            remove.push(name.to_string());
        }
    }
    if let Some(from) = flags.opt("from") {
        set.extend(from_source(ctx, &flags, from)?);
    }
    if set.is_empty() && remove.is_empty() && !flags.is("list") {
        target::targets(ctx, &flags, &names, Rules::default())?;
        return Err(Fault::text(
            "at least one environment variable must be provided",
        ));
    }
    let (infos, mut faults) = read(ctx, &flags, &names)?;
    for info in infos {
        let Some(place) = pod_spec(info.kind) else {
            faults.push(Fault::Text(format!(
                "{} does not have a pod template",
                info.plural_title()
            )));
            continue;
        };
        let mut edited = info.object.as_ref().clone();
        if flags.is("list") {
            list_env(ctx, &info, edited.at(place), pattern);
            continue;
        }
        let mut refused = None;
        for list in ["containers", "initContainers"] {
            if edited.at(place).get(list).is_null() {
                continue;
            }
            for container in edited.at_mut(place).entry(list).list_mut() {
                if !fits(pattern, container.get("name").str_or_empty()) {
                    continue;
                }
                if !flags.bool_or("overwrite", true) {
                    let taken = set.iter().find_map(|variable| {
                        let name = variable.get("name");
                        let old = container
                            .get("env")
                            .items()
                            .iter()
                            .find(|e| e.get("name") == name)?;
                        Some(format!(
                            "'{}' already has a value ({}), and --overwrite is false",
                            name.str_or_empty(),
                            old.get("value").str_or_empty()
                        ))
                    });
                    refused = refused.or(taken);
                }
                update_env(container, &set, &remove);
            }
        }
        if let Some(why) = refused {
            faults.push(Fault::Text(format!("{} {why}", info.plural_title())));
            continue;
        }
        match save(
            ctx,
            &report,
            &info,
            edited,
            "env updated",
            "env update to pod template",
        ) {
            Ok(()) => {}
            Err(Fault::Need(call)) => return Err(Fault::Need(call)),
            Err(fault) => faults.push(fault),
        }
    }
    Fault::all(faults)
}

fn update_env(container: &mut Value, set: &[Value], remove: &[String]) {
    let mut env = container.get("env").items().to_vec();
    for variable in set {
        match env
            .iter_mut()
            .find(|e| e.get("name") == variable.get("name"))
        {
            Some(old) => *old = variable.clone(),
            None => env.push(variable.clone()),
        }
    }
    env.retain(|e| !remove.iter().any(|r| e.get("name").as_str() == Some(r)));
    if env.is_empty() {
        container.map_mut().remove("env");
    } else {
        container.set("env", env);
    }
}

/// Variables for the keys of a ConfigMap or Secret.
fn from_source(ctx: &mut Ctx<'_>, flags: &Flags, from: &str) -> Res<Vec<Value>> {
    let (word, name) = from.split_once('/').unwrap_or((from, ""));
    let kind = target::kind(word)?;
    let field = match kind {
        Kind::ConfigMap => "configMapKeyRef",
        Kind::Secret => "secretKeyRef",
        other => {
            return Err(Fault::Text(format!(
                "unsupported resource specified in --from: {other}"
            )));
        }
    };
    let namespace = ctx.namespace.clone();
    let source = ctx
        .send(Request::get(kind, namespace.as_str(), name))?
        .object;
    let wanted = flags.list("keys");
    let mut variables: Vec<Value> = Vec::new();
    for (key, _) in source.get("data").entries() {
        if !wanted.is_empty() && !wanted.contains(&key.as_ref()) {
            continue;
        }
        let made: String = key
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() {
                    c.to_ascii_uppercase()
                } else {
                    '_'
                }
            })
            .collect();
        if made != key.as_ref() {
            ctx.complain(&format!("Warning: key {key} transferred to {made}"));
        }
        let mut variable = value!({"name": (format!("{}{made}", flags.str("prefix")))});
        variable.set(
            &format!("valueFrom.{field}"),
            value!({"key": (key.clone()), "name": (name)}),
        );
        variables.push(variable);
    }
    podscope_api::sort::by(&mut variables, |a, b| {
        a.get("name")
            .str_or_empty()
            .cmp(b.get("name").str_or_empty())
    });
    Ok(variables)
}

fn list_env(ctx: &mut Ctx<'_>, info: &Info, spec: &Value, pattern: &str) {
    for list in ["containers", "initContainers"] {
        for container in spec.get(list).items() {
            let name = container.get("name").str_or_empty();
            if !fits(pattern, name) {
                continue;
            }
            let (kind, object) = (info.kind, info.name());
            ctx.say(&format!("# {kind} {object}, container {name}"));
            for variable in container.get("env").items() {
                let name = variable.get("name").str_or_empty();
                let from = variable.get("valueFrom");
                let part = |path: &str| from.at(path).str_or_empty();
                let keyed = |what: &str, field: &str| {
                    let key = from.get(field).get("key").str_or_empty();
                    let source = from.get(field).get("name").str_or_empty();
                    format!("# {name} from {what} {source}, key {key}")
                };
                let line = if from.is_null() {
                    format!("{name}={}", variable.get("value").str_or_empty())
                } else if !from.get("fieldRef").is_null() {
                    format!("# {name} from field path {}", part("fieldRef.fieldPath"))
                } else if !from.get("resourceFieldRef").is_null() {
                    format!(
                        "# {name} from resource field {}",
                        part("resourceFieldRef.resource")
                    )
                } else if !from.get("configMapKeyRef").is_null() {
                    keyed("configmap", "configMapKeyRef")
                } else {
                    keyed("secret", "secretKeyRef")
                };
                ctx.say(&line);
            }
        }
    }
}

fn resources(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "set resources", RESOURCES, words)?;
    let report = Report::read(ctx, &flags, "kubectl-set")?;
    let sides = [
        ("limits", amounts(flags.str("limits"))?),
        ("requests", amounts(flags.str("requests"))?),
    ];
    let pattern = flags.opt("containers").unwrap_or("*");
    let (infos, mut faults) = read(ctx, &flags, &flags.args)?;
    if flags.str("limits").is_empty() && flags.str("requests").is_empty() {
        return Err(Fault::text(
            "you must specify an update to requests or limits (in the form of --requests/--limits)",
        ));
    }
    for info in infos {
        let Some(place) = pod_spec(info.kind) else {
            faults.push(Fault::Text(format!(
                "the {} does not have a pod template",
                info.kind
            )));
            continue;
        };
        let mut edited = info.object.as_ref().clone();
        let mut found = false;
        for container in edited.at_mut(place).entry("containers").list_mut() {
            if !fits(pattern, container.get("name").str_or_empty()) {
                continue;
            }
            found = true;
            for (side, amounts) in &sides {
                for (name, amount) in amounts.entries() {
                    let place = container.entry("resources").entry(side).map_mut();
                    place.insert(name.clone(), amount.clone());
                }
            }
        }
        if !found {
            faults.push(Fault::Text(format!(
                "unable to find container named {pattern}"
            )));
            continue;
        }
        let what = "resource requirements updated";
        match save(
            ctx,
            &report,
            &info,
            edited,
            what,
            "resources update to pod template",
        ) {
            Ok(()) => {}
            Err(Fault::Need(call)) => return Err(Fault::Need(call)),
            Err(fault) => faults.push(fault),
        }
    }
    Fault::all(faults)
}

fn selector(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "set selector", SET, words)?;
    let report = Report::read(ctx, &flags, "kubectl-set")?;
    let Some((text, names)) = flags.args.split_last() else {
        return Err(Fault::text("resources must be specified before selector"));
    };
    let mut wanted = Value::map();
    for part in text.split(',') {
        let Some((key, value)) = part.split_once('=') else {
            return Err(Fault::Text(format!("invalid selector: {part}")));
        };
        wanted.map_mut().insert(key, Value::from(value));
    }
    let (infos, mut faults) = read(ctx, &flags, names)?;
    for info in infos {
        if info.kind != Kind::Service {
            faults.push(Fault::Text(format!(
                "selector for {} cannot be changed",
                info.kind
            )));
            continue;
        }
        let mut edited = info.object.as_ref().clone();
        edited.set("spec.selector", wanted.clone());
        let object = if report.dry_run == DryRun::Client {
            std::rc::Rc::new(edited)
        } else {
            let change = patch::two_way_strategic("Service", &info.object, &edited);
            report.patch(ctx, &info, PatchType::Strategic, change, false)?
        };
        report.done(ctx, info.kind, &object, "selector updated")?;
    }
    Fault::all(faults)
}

fn service_account(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "set serviceaccount", SET, words)?;
    let report = Report::read(ctx, &flags, "kubectl-set")?;
    let Some((account, names)) = flags.args.split_last() else {
        return Err(Fault::text("serviceaccount is required"));
    };
    let (infos, mut faults) = read(ctx, &flags, names)?;
    for info in infos {
        let Some(place) = pod_spec(info.kind) else {
            faults.push(Fault::Text(format!(
                "the {} does not have a pod template",
                info.kind
            )));
            continue;
        };
        let mut edited = info.object.as_ref().clone();
        edited
            .at_mut(place)
            .set("serviceAccountName", account.as_str());
        let failing = "ServiceAccountName";
        save(
            ctx,
            &report,
            &info,
            edited,
            "serviceaccount updated",
            failing,
        )?;
    }
    Fault::all(faults)
}

const PATCH: &str = "patch,p=s patch-file=s type=s subresource=s local=b filename,f=S recursive,R=b kustomize,k=s \
dry-run=s:unchanged output,o=s template=s field-manager=s show-managed-fields=b \
allow-missing-template-keys=b";

#[inline(never)]
pub(super) fn patch_command(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "patch", PATCH, words)?;
    let report = Report::read(ctx, &flags, "kubectl-patch")?;
    if !flags.has("patch") && !flags.has("patch-file") {
        return Err(Fault::text(
            "must specify --patch or --patch-file containing the contents of the patch",
        ));
    }
    let patch_type = match flags
        .opt("type")
        .unwrap_or("strategic")
        .to_ascii_lowercase()
        .as_str()
    {
        "json" => PatchType::Json,
        "merge" => PatchType::Merge,
        "strategic" => PatchType::Strategic,
        other => {
            return Err(Fault::Text(format!(
                "--type must be one of [json merge strategic], not {}",
                quote(other)
            )));
        }
    };
    let text = match flags.opt("patch-file") {
        Some(file) => files::text(ctx, file)?.to_string(),
        None => flags.str("patch").to_string(),
    };
    let change = parse_patch(&text)?;
    let subresource = flags.str("subresource");
    let targets = target::targets(ctx, &flags, &flags.args, Rules::default())?;
    for target in &targets {
        let live = if subresource.is_empty() {
            target::read(ctx, target, &flags)?
        } else {
            let mut request =
                Request::get(target.kind, target.namespace.as_str(), target.name.as_str());
            request.subresource = subresource.into();
            let answer = ctx.send(request);
            if matches!(&answer, Err(fault) if fault.is_not_found())
                && let Err(Fault::Need(call)) =
                    ctx.send(Request::get(Kind::Namespace, "", target.namespace.as_str()))
            {
                return Err(Fault::Need(call));
            }
            vec![Info {
                kind: target.kind,
                object: answer?.object,
            }]
        };
        for info in live {
            let change = match &change {
                Ok(change) => change.clone(),
                Err(status) => return Err(Fault::Status(status.clone())),
            };
            let patched = if report.dry_run == DryRun::Client {
                let kind = info.kind.name();
                let patched =
                    patch::apply(patch_type, kind, &info.object, &change).map_err(Fault::Status)?;
                std::rc::Rc::new(Object(patched))
            } else {
                let place = if info.kind.namespaced() {
                    info.namespace()
                } else {
                    ""
                };
                let mut request = Request::patch(
                    info.kind,
                    place,
                    info.name(),
                    subresource,
                    patch_type,
                    change,
                );
                report.options(&mut request, false);
                target::typed(info.kind, &ctx.send(request)?.object)
            };
            let what = if patched == info.object {
                "patched (no change)"
            } else {
                "patched"
            };
            if subresource == "scale" {
                let suffix = report.dry_run.suffix();
                ctx.say(&format!("scale.autoscaling/{} {what}{suffix}", info.name()));
            } else if report.dry_run == DryRun::Server && what != "patched" {
                let title = target::title(info.kind, info.name());
                match report.format {
                    crate::output::Format::Default => ctx.say(&format!("{title} {what}")),
                    _ => report.done(ctx, info.kind, &patched, what)?,
                }
            } else {
                report.done(ctx, info.kind, &patched, what)?;
            }
        }
    }
    Ok(())
}

/// The patch's value; what only the server would find wrong is its refusal.
fn parse_patch(text: &str) -> Res<Result<Value, Status>> {
    if !text.trim_start().starts_with('{') {
        let value = files::yaml(text)
            .map_err(|why| Fault::Text(format!("unable to parse {}: {why}", quote(text))))?;
        return Ok(Ok(value));
    }
    Ok(json::parse(text).map_err(|why| {
        // The parser names line and column; the server names the character.
        let column = why
            .rsplit("column ")
            .next()
            .and_then(|c| c.parse::<usize>().ok());
        let found = column.and_then(|c| text.chars().nth(c.saturating_sub(1)));
        let words = match found {
            _ if why.contains("EOF") => "unexpected end of JSON input".to_string(),
            Some(c) if why.contains("key must be") => {
                format!("invalid character '{c}' looking for beginning of object key string")
            }
            Some(c) if why.contains("expected `:`") => {
                format!("invalid character '{c}' after object key")
            }
            Some(c) => format!("invalid character '{c}' looking for beginning of value"),
            None => why,
        };
        Status::bad_request(words)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(fits("*", "web") && fits("w*b", "web") && fits("web", "web"));
        assert!(!fits("w*x", "web") && !fits("we", "web"));
    }
}
