//! `kubectl create`, from files and from flags, and `kubectl replace`.
//!
//! Models: staging/src/k8s.io/kubectl/pkg/cmd/{create,replace} (v1.36)
//! Left out: roles, bindings, ingresses, TLS and registry secrets.

use super::apply::LAST_APPLIED;
use super::delete;
use crate::ctx::Ctx;
use crate::fault::{Fault, Res};
use crate::files;
use crate::flags::Flags;
use crate::result::{DryRun, Report};
use crate::target::{self, Target};
use podscope_api::quantity::Quantity;
use podscope_api::request::{FieldValidation, Propagation};
use podscope_api::selector::Selector;
use podscope_api::status::quote;
use podscope_api::{Body, Kind, Object, Request, Value, Verb, json, value};
use std::rc::Rc;

/// Flags that every form of `create` has.
macro_rules! create_flags {
    ($own:literal) => {
        concat!(
            $own,
            " dry-run=s:unchanged output,o=s template=s save-config=b field-manager=s validate=s:strict ",
            "show-managed-fields=b allow-missing-template-keys=b"
        )
    };
}

const FILE: &str = create_flags!(
    "filename,f=S recursive,R=b kustomize,k=s selector,l=s edit=b raw=s windows-line-endings=b"
);

#[inline(never)]
pub(super) fn run(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let (sub, rest) = super::command_first(words);
    let rest = rest.as_slice();
    match sub {
        "deployment" | "deploy" => deployment(ctx, rest),
        "namespace" | "ns" => namespace(ctx, rest),
        "configmap" | "cm" => config_map(ctx, rest),
        "secret" => secret(ctx, rest),
        "serviceaccount" | "sa" => service_account(ctx, rest),
        "service" | "svc" => service(ctx, rest),
        "job" => job(ctx, rest),
        "cronjob" | "cj" => cron_job(ctx, rest),
        "quota" | "resourcequota" => quota(ctx, rest),
        "poddisruptionbudget" | "pdb" => disruption_budget(ctx, rest),
        "priorityclass" | "pc" => priority_class(ctx, rest),
        "token" => token(ctx, rest),
        _ if words.first().is_none_or(|w| w.starts_with('-')) => from_files(ctx, words),
        _ => Err(Fault::usage(
            "create",
            format!("Unexpected args: [{}]", words.join(" ")),
        )),
    }
}

const TOKEN: &str = "audience=S duration=d output,o=s template=s bound-object-kind=s bound-object-name=s \
bound-object-uid=s show-managed-fields=b allow-missing-template-keys=b";

fn token(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "create token", TOKEN, words)?;
    let [name] = flags.args.as_slice() else {
        return Err(Fault::usage(
            "create token",
            format!("exactly one NAME is required, got {}", flags.args.len()),
        ));
    };
    let mut body =
        value!({"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "spec": {}});
    let audiences = flags.all("audience");
    if !audiences.is_empty() {
        let audiences = audiences.into_iter().map(Value::from);
        body.set("spec.audiences", Value::list(audiences));
    }
    if let Some(micros) = flags.micros("duration").filter(|d| *d > 0) {
        body.set("spec.expirationSeconds", micros / 1_000_000);
    }
    let mut request = Request::new(
        Verb::Create,
        Kind::ServiceAccount,
        ctx.namespace.as_str(),
        name.as_str(),
    );
    request.subresource = "token".into();
    request.body = Body::Object(Rc::new(Object(body)));
    let answer = ctx.send(request).map_err(|fault| match fault {
        Fault::Need(call) => Fault::Need(call),
        fault => Fault::Text(format!("failed to create token: {}", fault.inner())),
    })?;
    let token = answer.object.at("status.token").str_or_empty().to_string();
    ctx.say(&token);
    Ok(())
}

fn validation(flags: &Flags) -> FieldValidation {
    match flags.str("validate") {
        "false" | "ignore" => FieldValidation::Ignore,
        "warn" => FieldValidation::Warn,
        _ => FieldValidation::Strict,
    }
}

fn from_files(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "create", FILE, words)?;
    if !flags.has("filename") && !flags.has("kustomize") {
        ctx.complain("error: must specify one of -f and -k\n");
        return Err(Fault::Silent);
    }
    let report = Report::read(ctx, &flags, "kubectl-create")?;
    let mut faults = Vec::new();
    let mut count = 0;
    for found in files::manifests(ctx, &flags)? {
        let manifest = match found {
            Ok(manifest) => manifest,
            Err(fault) => {
                faults.push(fault);
                continue;
            }
        };
        count += 1;
        let mut object = manifest.object;
        if flags.is("save-config") {
            let text = json::to_string(&object) + "\n";
            object
                .at_mut("metadata.annotations")
                .map_mut()
                .insert(LAST_APPLIED, text.into());
        }
        match post(ctx, &report, manifest.kind, object, validation(&flags)) {
            Ok(object) => report.done(ctx, manifest.kind, &object, "created")?,
            Err(Fault::Need(call)) => return Err(Fault::Need(call)),
            Err(fault) => faults.push(fault.when("creating", &manifest.source)),
        }
    }
    if count == 0 && faults.is_empty() {
        return Err(Fault::text("no objects passed to create"));
    }
    Fault::all(faults)
}

/// Creates an object that says its namespace itself.
fn post(
    ctx: &mut Ctx<'_>,
    report: &Report,
    kind: Kind,
    object: Object,
    validation: FieldValidation,
) -> Res<Rc<Object>> {
    if report.dry_run == DryRun::Client {
        return Ok(Rc::new(object));
    }
    let namespace = match object.namespace() {
        _ if !kind.namespaced() => String::new(),
        "" => ctx.namespace.clone(),
        own => own.to_string(),
    };
    let mut request = Request::create(kind, object);
    request.namespace = namespace.into();
    report.options(&mut request, false);
    request.options.field_validation = validation;
    Ok(target::typed(kind, &ctx.send(request)?.object))
}

/// A form of `create` that makes one object from flags.
struct Form<'a> {
    flags: &'a Flags,
    kind: Kind,
    /// What an error begins with; empty to print it as it is.
    failed: &'a str,
}

impl Form<'_> {
    fn name(&self) -> Res<String> {
        match self.flags.args.as_slice() {
            [name] => Ok(name.clone()),
            args if self.flags.dash == Some(1) && !args.is_empty() => Ok(args[0].clone()),
            args => {
                let command = self.flags.command;
                Err(Fault::usage(
                    command,
                    format!("exactly one NAME is required, got {}", args.len()),
                ))
            }
        }
    }

    /// The words after `--`.
    fn command(&self) -> Vec<Value> {
        let from = self.flags.dash.unwrap_or(self.flags.args.len());
        self.flags
            .args
            .iter()
            .skip(from)
            .map(|w| Value::from(w.as_str()))
            .collect()
    }

    fn finish(&self, ctx: &mut Ctx<'_>, mut object: Object) -> Res<()> {
        let report = Report::read(ctx, self.flags, "kubectl-create")?;
        object.set("apiVersion", self.kind.api_version());
        object.set("kind", self.kind.name());
        if self.kind.namespaced() && ctx.namespace_given {
            object.set("metadata.namespace", ctx.namespace.as_str());
        }
        if self.flags.is("save-config") {
            let text = json::to_string(&object) + "\n";
            object
                .at_mut("metadata.annotations")
                .map_mut()
                .insert(LAST_APPLIED, text.into());
        }
        let made = post(ctx, &report, self.kind, object, validation(self.flags));
        let made = made.map_err(|fault| match fault {
            Fault::Status(status) if !self.failed.is_empty() => {
                Fault::Text(format!("{} {}", self.failed, status.message))
            }
            other => other,
        })?;
        report.done(ctx, self.kind, &made, "created")
    }
}

fn required(flags: &Flags, names: &[&str]) -> Res<()> {
    let missing: Vec<String> = names
        .iter()
        .filter(|n| !flags.has(n))
        .map(|n| quote(n))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Fault::Text(format!(
        "required flag(s) {} not set",
        missing.join(", ")
    )))
}

fn named(name: &str) -> Object {
    Object(value!({"metadata": {"name": (name)}}))
}

/// A container's name from its image: the last part, without tag and digest.
fn image_name(image: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or(image);
    let last = last.split('@').next().unwrap_or(last);
    let last = last.split(':').next().unwrap_or(last);
    last.replace('_', "-")
}

fn deployment(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    const FLAGS: &str = create_flags!("image=S replicas,r=i port=i");
    let flags = super::flags(ctx, "create deployment", FLAGS, words)?;
    required(&flags, &["image"])?;
    let form = Form {
        flags: &flags,
        kind: Kind::Deployment,
        failed: "failed to create deployment:",
    };
    let name = form.name()?;
    let images = flags.list("image");
    if images.len() > 1 && !form.command().is_empty() {
        return Err(Fault::text(
            "cannot specify multiple --image options and command",
        ));
    }
    let mut taken: Vec<String> = Vec::new();
    let containers: Vec<Value> = images
        .iter()
        .map(|image| {
            let mut container = image_name(image);
            while taken.contains(&container) {
                container.push_str("-1");
            }
            taken.push(container.clone());
            let mut made = value!({"image": (*image), "name": (container), "resources": {}});
            let command = form.command();
            if !command.is_empty() {
                made.set("command", command);
            }
            if let Some(port) = flags.int("port").filter(|p| *p >= 0) {
                made.set("ports", vec![value!({"containerPort": (port)})]);
            }
            made
        })
        .collect();
    let labels = value!({"app": (name.as_str())});
    let mut object = named(&name);
    object.set("metadata.labels", labels.clone());
    object.set("spec.replicas", flags.int("replicas").unwrap_or(1));
    object.set("spec.selector.matchLabels", labels.clone());
    object.set("spec.strategy", Value::map());
    object.set("spec.template.metadata.labels", labels);
    object.set("spec.template.spec.containers", containers);
    object.set("status", Value::map());
    form.finish(ctx, object)
}

fn namespace(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "create namespace", create_flags!(""), words)?;
    let form = Form {
        flags: &flags,
        kind: Kind::Namespace,
        failed: "",
    };
    let mut object = named(&form.name()?);
    object.set("spec", Value::map());
    object.set("status", Value::map());
    form.finish(ctx, object)
}

/// Keys and values of `--from-literal`, `--from-file` and `--from-env-file`.
fn data(ctx: &Ctx<'_>, flags: &Flags) -> Res<Vec<(String, String)>> {
    let mut data: Vec<(String, String)> = Vec::new();
    for source in flags.list("from-file") {
        let (key, path) = match source.split_once('=') {
            Some((key, path)) => (key.to_string(), path),
            None => (
                source.rsplit('/').next().unwrap_or(source).to_string(),
                source,
            ),
        };
        data.push((key, files::text(ctx, path)?.to_string()));
    }
    for source in flags.all("from-literal") {
        let Some((key, text)) = source.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return Err(Fault::Text(format!(
                "invalid literal source {source}, expected key=value"
            )));
        };
        data.push((key.to_string(), text.trim_matches(['"', '\'']).to_string()));
    }
    for source in flags.list("from-env-file") {
        for line in files::text(ctx, source)?.lines() {
            let line = line.trim_start();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, text) = line.split_once('=').unwrap_or((line, ""));
            data.push((key.to_string(), text.to_string()));
        }
    }
    Ok(data)
}

fn add_data(object: &mut Object, data: Vec<(String, String)>) -> Res<()> {
    for (key, text) in data {
        let place = object.at_mut("data").map_mut();
        if place.contains_key(&key) {
            return Err(Fault::Text(format!(
                "cannot add key {}, another key by that name already exists in Data for ConfigMap {}",
                quote(&key),
                quote(object.name())
            )));
        }
        place.insert(key, Value::from(text));
    }
    Ok(())
}

const DATA: &str = create_flags!("from-literal=S from-file=S from-env-file=S append-hash=b type=s");

fn config_map(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "create configmap", DATA, words)?;
    let form = Form {
        flags: &flags,
        kind: Kind::ConfigMap,
        failed: "failed to create configmap:",
    };
    let mut object = named(&form.name()?);
    add_data(&mut object, data(ctx, &flags)?)?;
    form.finish(ctx, object)
}

fn secret(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let rest = match words.split_first() {
        Some((sub, rest)) if sub == "generic" => rest,
        Some((sub, _)) if matches!(sub.as_str(), "tls" | "docker-registry") => {
            return Err(Fault::Text(format!("create secret {sub} is not simulated")));
        }
        _ => {
            let sub = words.first().map_or("", String::as_str);
            return Err(super::unknown_sub("create secret", sub));
        }
    };
    let flags = super::flags(ctx, "create secret generic", DATA, rest)?;
    let form = Form {
        flags: &flags,
        kind: Kind::Secret,
        failed: "failed to create secret",
    };
    let mut object = named(&form.name()?);
    if let Some(kind) = flags.opt("type") {
        object.set("type", kind);
    }
    let encoded = data(ctx, &flags)?
        .into_iter()
        .map(|(key, text)| (key, base64(text.as_bytes())));
    add_data(&mut object, encoded.collect())?;
    form.finish(ctx, object)
}

/// Base64 with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * i) & 63) as usize];
            out.push(if i <= chunk.len() { digit as char } else { '=' });
        }
    }
    out
}

fn service_account(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "create serviceaccount", create_flags!(""), words)?;
    let form = Form {
        flags: &flags,
        kind: Kind::ServiceAccount,
        failed: "failed to create serviceaccount:",
    };
    let object = named(&form.name()?);
    form.finish(ctx, object)
}

fn service(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    const FLAGS: &str = create_flags!("tcp=S clusterip=s node-port=i external-name=s");
    let (command, kind, failed) = match words.first().map(String::as_str) {
        Some("clusterip") => (
            "create service clusterip",
            "ClusterIP",
            "failed to create ClusterIP service:",
        ),
        Some("nodeport") => (
            "create service nodeport",
            "NodePort",
            "failed to create NodePort service:",
        ),
        Some("loadbalancer") => (
            "create service loadbalancer",
            "LoadBalancer",
            "failed to create LoadBalancer service:",
        ),
        Some("externalname") => (
            "create service externalname",
            "ExternalName",
            "failed to create ExternalName service:",
        ),
        other => return Err(super::unknown_sub("create service", other.unwrap_or(""))),
    };
    let flags = super::flags(ctx, command, FLAGS, words.get(1..).unwrap_or(&[]))?;
    if kind == "ExternalName" {
        required(&flags, &["external-name"])?;
    }
    let form = Form {
        flags: &flags,
        kind: Kind::Service,
        failed,
    };
    let name = form.name()?;
    let mut object = named(&name);
    object.set("metadata.labels.app", name.as_str());
    object.set("spec.type", kind);
    object.set("spec.selector.app", name.as_str());
    let headless = flags.str("clusterip") == "None";
    if flags.list("tcp").is_empty() && !headless && kind != "ExternalName" {
        return Err(Fault::text(
            "at least one tcp port specifier must be provided",
        ));
    }
    let mut ports = Vec::new();
    for spec in flags.list("tcp") {
        let (port, to) = spec.split_once(':').unwrap_or((spec, spec));
        let bad = || {
            Fault::Text(format!(
                "strconv.Atoi: parsing {}: invalid syntax",
                quote(port)
            ))
        };
        let number: i64 = port.parse().map_err(|_| bad())?;
        let to = to
            .parse::<i64>()
            .map_or_else(|_| Value::from(to), Value::from);
        let mut made = value!({"name": (spec.replace(':', "-")), "port": (number), "protocol": "TCP",
            "targetPort": (to)});
        if let Some(node) = flags.int("node-port").filter(|n| *n != 0) {
            made.set("nodePort", node);
        }
        ports.push(made);
    }
    if !ports.is_empty() {
        object.set("spec.ports", ports);
    }
    if flags.has("clusterip") {
        object.set("spec.clusterIP", flags.str("clusterip"));
    }
    if kind == "ExternalName" {
        object.set("spec.externalName", flags.str("external-name"));
    }
    object.set("status.loadBalancer", Value::map());
    form.finish(ctx, object)
}

fn pod_template(container: &str, image: &str, command: Vec<Value>, restart: &str) -> Value {
    let mut made = value!({"image": (image), "name": (container), "resources": {}});
    if !command.is_empty() {
        made.set("command", command);
    }
    value!({"metadata": {}, "spec": {"containers": [(made)], "restartPolicy": (restart)}})
}

fn job(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    const FLAGS: &str = create_flags!("image=s from=s");
    let flags = super::flags(ctx, "create job", FLAGS, words)?;
    let form = Form {
        flags: &flags,
        kind: Kind::Job,
        failed: "failed to create job:",
    };
    let name = form.name()?;
    let mut object = named(&name);
    match (flags.opt("image"), flags.opt("from")) {
        (Some(image), None) => {
            let template = pod_template(&name, image, form.command(), "Never");
            object.set("spec.template", template);
        }
        (None, Some(from)) => {
            let Some((word, from)) = from.split_once('/') else {
                return Err(Fault::text("from must be an existing cronjob"));
            };
            let kind = target::kind(word)?;
            if kind != Kind::CronJob {
                return Err(Fault::text("from must be an existing cronjob"));
            }
            let namespace = ctx.namespace.clone();
            let cron = ctx
                .send(Request::get(kind, namespace.as_str(), from))?
                .object;
            let template = cron.at("spec.jobTemplate");
            object.set("spec", template.get("spec").clone());
            if let Value::Map(_) = template.at("metadata.labels") {
                object.set("metadata.labels", template.at("metadata.labels").clone());
            }
            let annotations = object.at_mut("metadata.annotations");
            *annotations = template.at("metadata.annotations").clone();
            annotations
                .map_mut()
                .insert("cronjob.kubernetes.io/instantiate", "manual".into());
            object.set(
                "metadata.ownerReferences",
                vec![
                    value!({"apiVersion": "batch/v1", "kind": "CronJob", "name": (cron.name()),
                    "uid": (cron.uid()), "controller": true}),
                ],
            );
        }
        _ => return Err(Fault::text("either --image or --from must be specified")),
    }
    object.set("status", Value::map());
    form.finish(ctx, object)
}

fn cron_job(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    const FLAGS: &str = create_flags!("image=s schedule=s restart=s");
    let flags = super::flags(ctx, "create cronjob", FLAGS, words)?;
    required(&flags, &["image", "schedule"])?;
    let form = Form {
        flags: &flags,
        kind: Kind::CronJob,
        failed: "failed to create cronjob:",
    };
    let name = form.name()?;
    let restart = flags.opt("restart").unwrap_or("OnFailure");
    let template = pod_template(&name, flags.str("image"), form.command(), restart);
    let mut object = named(&name);
    object.set("spec.schedule", flags.str("schedule"));
    object.set("spec.jobTemplate.metadata.name", name.as_str());
    object.set("spec.jobTemplate.spec.template", template);
    object.set("status", Value::map());
    form.finish(ctx, object)
}

/// Amounts such as `cpu=1,pods=2`.
pub(super) fn amounts(text: &str) -> Res<Value> {
    let mut amounts = Value::map();
    for part in text.split(',').filter(|p| !p.is_empty()) {
        let Some((name, amount)) = part.split_once('=') else {
            return Err(Fault::Text(format!(
                "invalid argument syntax {part}, expected <resource>=<value>"
            )));
        };
        let amount = Quantity::parse(amount).map_err(|e| Fault::Text(e.to_string()))?;
        amounts
            .map_mut()
            .insert(name, Value::from(amount.canonical()));
    }
    Ok(amounts)
}

fn quota(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    const FLAGS: &str = create_flags!("hard=s scopes=s");
    let flags = super::flags(ctx, "create quota", FLAGS, words)?;
    let form = Form {
        flags: &flags,
        kind: Kind::ResourceQuota,
        failed: "failed to create quota:",
    };
    let mut object = named(&form.name()?);
    object.set("spec", Value::map());
    let hard = amounts(flags.str("hard"))?;
    if !hard.is_empty() {
        object.set("spec.hard", hard);
    }
    let scopes = flags.list("scopes");
    if !scopes.is_empty() {
        object.set(
            "spec.scopes",
            Value::list(scopes.into_iter().map(Value::from)),
        );
    }
    object.set("status", Value::map());
    form.finish(ctx, object)
}

/// A label selector as `matchLabels` and `matchExpressions`.
fn match_labels(text: &str) -> Res<Value> {
    use podscope_api::selector::Operator;
    let parsed = Selector::parse(text).map_err(Fault::Text)?;
    let mut selector = Value::map();
    for requirement in parsed.requirements() {
        let values = || Value::list(requirement.values.iter().map(|v| Value::from(v.as_str())));
        let operator = match requirement.operator {
            Operator::Equals | Operator::DoubleEquals => {
                let first = requirement.values.first().cloned().unwrap_or_default();
                let place = selector.at_mut("matchLabels").map_mut();
                place.insert(requirement.key.as_str(), Value::from(first));
                continue;
            }
            Operator::In => "In",
            Operator::NotIn | Operator::NotEquals => "NotIn",
            Operator::Exists => "Exists",
            _ => "DoesNotExist",
        };
        let mut expression = value!({"key": (requirement.key.as_str()), "operator": (operator)});
        if !requirement.values.is_empty() {
            expression.set("values", values());
        }
        selector
            .entry("matchExpressions")
            .list_mut()
            .push(expression);
    }
    Ok(selector)
}

fn disruption_budget(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    const FLAGS: &str = create_flags!("selector=s min-available=s max-unavailable=s");
    let flags = super::flags(ctx, "create poddisruptionbudget", FLAGS, words)?;
    let form = Form {
        flags: &flags,
        kind: Kind::PodDisruptionBudget,
        failed: "failed to create poddisruptionbudgets:",
    };
    let name = form.name()?;
    if flags.str("selector").is_empty() {
        return Err(Fault::text("a selector must be specified"));
    }
    let (min, max) = (flags.str("min-available"), flags.str("max-unavailable"));
    if min.is_empty() && max.is_empty() {
        return Err(Fault::text(
            "one of min-available or max-unavailable must be specified",
        ));
    }
    if !min.is_empty() && !max.is_empty() {
        return Err(Fault::text(
            "min-available and max-unavailable cannot be both specified",
        ));
    }
    let mut object = named(&name);
    for (field, text) in [("spec.minAvailable", min), ("spec.maxUnavailable", max)] {
        if !text.is_empty() {
            object.set(
                field,
                text.parse::<i64>()
                    .map_or_else(|_| Value::from(text), Value::from),
            );
        }
    }
    object.set("spec.selector", match_labels(flags.str("selector"))?);
    for field in [
        "currentHealthy",
        "desiredHealthy",
        "disruptionsAllowed",
        "expectedPods",
    ] {
        object.set(&format!("status.{field}"), 0);
    }
    form.finish(ctx, object)
}

fn priority_class(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    const FLAGS: &str = create_flags!("value=i global-default=b description=s preemption-policy=s");
    let flags = super::flags(ctx, "create priorityclass", FLAGS, words)?;
    required(&flags, &["value"])?;
    let form = Form {
        flags: &flags,
        kind: Kind::PriorityClass,
        failed: "failed to create priorityclass:",
    };
    let mut object = named(&form.name()?);
    object.set("value", flags.int("value").unwrap_or(0));
    if flags.is("global-default") {
        object.set("globalDefault", true);
    }
    if !flags.str("description").is_empty() {
        object.set("description", flags.str("description"));
    }
    object.set(
        "preemptionPolicy",
        flags
            .opt("preemption-policy")
            .unwrap_or("PreemptLowerPriority"),
    );
    form.finish(ctx, object)
}

const REPLACE: &str = create_flags!(
    "filename,f=S recursive,R=b kustomize,k=s force=b cascade=s:background grace-period=i timeout=d wait=b raw=s subresource=s"
);

#[inline(never)]
pub(super) fn replace(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "replace", REPLACE, words)?;
    if !flags.has("filename") {
        return Err(Fault::usage(
            "replace",
            "must specify --filename to replace",
        ));
    }
    let report = Report::read(ctx, &flags, "kubectl-replace")?;
    let force = flags.is("force");
    let grace = flags.int("grace-period").unwrap_or(-1);
    if grace >= 0 && !force {
        return Err(Fault::text("--grace-period must have --force specified"));
    }
    let mut faults = Vec::new();
    for found in files::manifests(ctx, &flags)? {
        let manifest = match found {
            Ok(manifest) => manifest,
            Err(fault) => {
                faults.push(fault);
                continue;
            }
        };
        let kind = manifest.kind;
        let place = if kind.namespaced() {
            manifest.object.namespace()
        } else {
            ""
        }
        .to_string();
        let name = manifest.object.name().to_string();
        let target = Target {
            kind,
            namespace: place.clone(),
            name: name.clone(),
        };
        let done = if force {
            let mut request = Request::delete(kind, place.as_str(), name.as_str());
            request.options.grace_period_seconds = (grace >= 0).then_some(grace.max(1));
            request.options.propagation = Some(Propagation::Background);
            match ctx.send(request) {
                Ok(_) => {
                    let from = if place.is_empty() {
                        String::new()
                    } else {
                        format!(" from {place} namespace")
                    };
                    let line = format!("{} {} deleted{from}", target::singular(kind), quote(&name));
                    ctx.say(&line);
                    delete::wait_gone(ctx, kind, &place, &name, "", None)?;
                    match target::read(ctx, &target, &flags) {
                        Err(Fault::Need(call)) => return Err(Fault::Need(call)),
                        _ => post(ctx, &report, kind, manifest.object, validation(&flags)),
                    }
                }
                Err(fault) if fault.is_not_found() => {
                    post(ctx, &report, kind, manifest.object, validation(&flags))
                }
                Err(fault) => Err(fault),
            }
        } else if report.dry_run == DryRun::Client {
            target::read(ctx, &target, &flags).map(|_| Rc::new(manifest.object))
        } else {
            put(ctx, &report, &flags, &target, manifest.object)
        };
        match done {
            Ok(object) => report.done(ctx, kind, &object, "replaced")?,
            Err(Fault::Need(call)) => return Err(Fault::Need(call)),
            Err(fault) => faults.push(fault.when("replacing", &manifest.source)),
        }
    }
    Fault::all(faults)
}

fn put(
    ctx: &mut Ctx<'_>,
    report: &Report,
    flags: &Flags,
    target: &Target,
    mut object: Object,
) -> Res<Rc<Object>> {
    if object.at("metadata.resourceVersion").is_null() {
        let live = ctx.send(Request::get(
            target.kind,
            target.namespace.as_str(),
            target.name.as_str(),
        ))?;
        object.set(
            "metadata.resourceVersion",
            live.object.at("metadata.resourceVersion").clone(),
        );
    }
    let mut request = Request::new(
        Verb::Update,
        target.kind,
        target.namespace.as_str(),
        target.name.as_str(),
    );
    request.body = Body::Object(Rc::new(object));
    report.options(&mut request, false);
    request.options.field_validation = validation(flags);
    Ok(target::typed(target.kind, &ctx.send(request)?.object))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_encodings() {
        assert_eq!(image_name("REG:5000/x/Y_z@sha256:abc"), "Y-z");
        assert_eq!(image_name("nginx:1.27"), "nginx");
        for (text, want) in [("", ""), ("a", "YQ=="), ("ab", "YWI="), ("abc", "YWJj")] {
            assert_eq!(base64(text.as_bytes()), want);
        }
    }
}
