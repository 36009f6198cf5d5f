//! `kubectl run` and `kubectl expose`.
//!
//! Models: staging/src/k8s.io/kubectl/pkg/cmd/{run/run,expose/expose}.go (v1.36)

use crate::ctx::Ctx;
use crate::fault::{Fault, Res};
use crate::flags::Flags;
use crate::output::{self, Format};
use crate::result::{DryRun, Report};
use crate::table::text;
use crate::target::{self, Info, Rules};
use podscope_api::status::quote;
use podscope_api::{Kind, Object, Value, json, value};

const RUN: &str = "image=s restart=s port=s env=S labels,l=s annotations=S expose=b command=b stdin,i=b tty,t=b rm=b \
attach=b quiet,q=b privileged=b image-pull-policy=s overrides=s override-type=s pod-running-timeout=d \
leave-stdin-open=b grace-period=i force=b timeout=d wait=b cascade=s:background dry-run=s:unchanged \
output,o=s template=s save-config=b field-manager=s filename,f=S kustomize,k=s recursive,R=b \
show-managed-fields=b allow-missing-template-keys=b";

/// `a=b,c=d` as a map.
fn pairs(text: &str) -> Res<Value> {
    let mut map = Value::map();
    for part in text.split(',').filter(|p| !p.is_empty()) {
        let Some((key, value)) = part.split_once('=').filter(|(k, _)| !k.is_empty()) else {
            return Err(Fault::Text(format!("unexpected label spec: {part}")));
        };
        map.map_mut().insert(key, Value::from(value));
    }
    Ok(map)
}

/// Whether text can be an image's name.
fn is_image(text: &str) -> bool {
    let (name, rest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (text, None),
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-/:".contains(c);
    let path = name
        .rsplit_once(':')
        .map_or(name, |(p, tag)| if tag.contains('/') { name } else { p });
    let first_may_be_host = path.split('/').enumerate().all(|(i, part)| {
        !part.is_empty()
            && (i == 0 && path.contains('/') || !part.chars().any(|c| c.is_ascii_uppercase()))
    });
    !name.is_empty()
        && name.chars().all(allowed)
        && first_may_be_host
        && rest.is_none_or(|digest| digest.contains(':'))
}

#[inline(never)]
pub(super) fn run(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "run", RUN, words)?;
    let usage = |why: &str| Fault::usage("run", why);
    let positional = flags.dash.unwrap_or(flags.args.len());
    if positional == 0 {
        return Err(usage("NAME is required for run"));
    }
    let name = flags.args.first().map_or("", String::as_str);
    if flags.str("image").is_empty() {
        return Err(usage("--image is required"));
    }
    if !is_image(flags.str("image")) {
        return Err(Fault::Text(format!(
            "Invalid image name {}: invalid reference format",
            quote(flags.str("image"))
        )));
    }
    if flags.is("tty") && !flags.is("stdin") {
        return Err(usage(
            "-i/--stdin is required for containers with -t/--tty=true",
        ));
    }
    if flags.is("expose") && flags.str("port").is_empty() {
        return Err(usage("--port must be set when exposing a service"));
    }
    let restart = flags.opt("restart").unwrap_or("Always");
    if !matches!(restart, "Always" | "OnFailure" | "Never") {
        return Err(usage(&format!("invalid restart policy: {restart}")));
    }
    if flags.is("rm") && !(flags.is("attach") || flags.is("stdin")) {
        return Err(usage("--rm should only be used for attached containers"));
    }
    let report = Report::read(ctx, &flags, "kubectl-run")?;
    let pod = pod(&flags, name, restart, positional)?;
    let labels = pod.labels().clone();
    let mut made: Vec<(Kind, Object)> = vec![(Kind::Pod, pod)];
    if flags.is("expose") {
        let port: i64 = flags.str("port").parse().unwrap_or(0);
        let mut service = Object(value!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": (name)}}));
        service.set(
            "spec.ports",
            vec![value!({"port": (port), "protocol": "TCP", "targetPort": (port)})],
        );
        service.set("spec.selector", labels);
        service.set("status.loadBalancer", Value::map());
        made.insert(0, (Kind::Service, service));
    }
    for (i, (kind, mut object)) in made.into_iter().enumerate() {
        if report.dry_run == DryRun::Client && ctx.namespace_given {
            object.set("metadata.namespace", ctx.namespace.as_str());
        }
        let created = report.create(ctx, kind, object, false)?;
        if i > 0 && matches!(report.format, Format::Yaml) {
            // Both the service's printer and the pod's write a separator.
            ctx.out.push_str("---\n---\n");
        }
        report.done(ctx, kind, &created, "created")?;
    }
    Ok(())
}

fn pod(flags: &Flags, name: &str, restart: &str, positional: usize) -> Res<Object> {
    let mut container = value!({"name": (name), "image": (flags.str("image")), "resources": {}});
    let words: Vec<Value> = flags
        .args
        .iter()
        .skip(positional.min(1))
        .map(|w| Value::from(w.as_str()))
        .collect();
    if !words.is_empty() {
        container.set(
            if flags.is("command") {
                "command"
            } else {
                "args"
            },
            words,
        );
    }
    let mut env = Vec::new();
    for variable in flags.all("env") {
        let Some((key, value)) = variable.split_once('=').filter(|(k, _)| !k.is_empty()) else {
            return Err(Fault::Text(format!("invalid env: {variable}")));
        };
        env.push(value!({"name": (key), "value": (value)}));
    }
    if !env.is_empty() {
        container.set("env", env);
    }
    if !flags.str("port").is_empty() {
        let port: i64 = flags.str("port").parse().map_err(|_| {
            Fault::Text(format!(
                "strconv.Atoi: parsing {}: invalid syntax",
                quote(flags.str("port"))
            ))
        })?;
        container.set("ports", vec![value!({"containerPort": (port)})]);
    }
    for (flag, field) in [("stdin", "stdin"), ("tty", "tty")] {
        if flags.is(flag) {
            container.set(field, true);
        }
    }
    if flags.is("stdin") {
        container.set("stdinOnce", true);
    }
    if flags.is("privileged") {
        container.set("securityContext.privileged", true);
    }
    if flags.has("image-pull-policy") {
        container.set("imagePullPolicy", flags.str("image-pull-policy"));
    }
    let mut labels = pairs(flags.str("labels"))?;
    if labels.is_empty() {
        labels = value!({"run": (name)});
    }
    let mut pod = Object(value!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": (name)}}));
    pod.set("metadata.labels", labels);
    for annotation in flags.all("annotations") {
        for (key, value) in pairs(annotation)?.entries() {
            let place = pod.at_mut("metadata.annotations").map_mut();
            place.insert(key.clone(), value.clone());
        }
    }
    pod.set("spec.containers", vec![container]);
    pod.set("spec.dnsPolicy", "ClusterFirst");
    pod.set("spec.restartPolicy", restart);
    pod.set("status", Value::map());
    if let Some(text) = flags.opt("overrides") {
        let change = json::parse(text).map_err(|_| {
            Fault::text("invalid character in --overrides: it must be a JSON object")
        })?;
        pod = Object(podscope_api::patch::merge(&pod, &change));
    }
    Ok(pod)
}

const EXPOSE: &str = "port=s protocol=s target-port=s type=s name=s selector=s labels,l=s cluster-ip=s \
load-balancer-ip=s external-ip=s session-affinity=s overrides=s override-type=s filename,f=S recursive,R=b \
kustomize,k=s dry-run=s:unchanged output,o=s template=s save-config=b field-manager=s \
show-managed-fields=b allow-missing-template-keys=b";

#[inline(never)]
pub(super) fn expose(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "expose", EXPOSE, words)?;
    let report = Report::read(ctx, &flags, "kubectl-expose")?;
    if flags.args.is_empty() && !flags.has("filename") {
        return Err(Fault::usage(
            "expose",
            "You must provide one or more resources by argument or filename.\nExample resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'",
        ));
    }
    // `--selector` here is the new Service's, not a filter.
    let bare = Flags::parse("expose", "filename,f=S", &[])?;
    let targets = target::targets(
        ctx,
        if flags.has("filename") { &flags } else { &bare },
        &flags.args,
        Rules::default(),
    )?;
    for target in &targets {
        for info in target::read(ctx, target, &bare)? {
            let mut service = service_for(&flags, &info)?;
            if report.dry_run == DryRun::Client {
                service.set("metadata.namespace", ctx.namespace.as_str());
                if let Format::Default = report.format {
                    report.done(ctx, Kind::Service, &service, "exposed")?;
                } else {
                    let title = target::title(Kind::Service, service.name());
                    let text = output::print(&report.format, &service, &title)?;
                    ctx.out.push_str(&text);
                }
                continue;
            }
            let created = report.create(ctx, Kind::Service, service, false)?;
            report.done(ctx, Kind::Service, &created, "exposed")?;
        }
    }
    Ok(())
}

fn service_for(flags: &Flags, info: &Info) -> Res<Object> {
    let (kind, o) = (info.kind, &info.object);
    let selector = match kind {
        Kind::Deployment | Kind::ReplicaSet => o.at("spec.selector.matchLabels").clone(),
        Kind::Service | Kind::ReplicationController => o.at("spec.selector").clone(),
        Kind::Pod => o.labels().clone(),
        other => return Err(Fault::Text(format!("cannot expose a {other}"))),
    };
    let selector = match flags.opt("selector").filter(|s| !s.is_empty()) {
        Some(text) => pairs(text)?,
        None if selector.is_empty() => {
            return Err(Fault::text(match kind {
                Kind::Pod => {
                    "couldn't retrieve selectors via --selector flag or introspection: the pod has no labels and cannot be exposed"
                }
                _ => {
                    "couldn't retrieve selectors via --selector flag or introspection: the object has no selector"
                }
            }));
        }
        None => selector,
    };
    let found = ports_of(info);
    let ports: Vec<(String, String)> = match flags.opt("port").filter(|p| !p.is_empty()) {
        Some(list) => list
            .split(',')
            .map(|p| {
                let known = found.iter().find(|(number, _)| number == p);
                (
                    p.to_string(),
                    known.map_or("TCP".into(), |(_, protocol)| protocol.clone()),
                )
            })
            .collect(),
        None if found.is_empty() && flags.str("cluster-ip") != "None" => {
            return Err(Fault::text(
                "couldn't find port via --port flag or introspection\nSee 'kubectl expose -h' for help and examples",
            ));
        }
        None => found,
    };
    let many = ports.len() > 1;
    let mut made = Vec::new();
    for (i, (port, protocol)) in ports.iter().enumerate() {
        let number: i64 = port.parse().map_err(|_| {
            Fault::Text(format!(
                "strconv.Atoi: parsing {}: invalid syntax",
                quote(port)
            ))
        })?;
        let protocol = flags.opt("protocol").unwrap_or(protocol);
        let mut entry = value!({"port": (number), "protocol": (protocol)});
        if many {
            entry.set("name", format!("port-{}", i + 1));
        }
        let to = flags.opt("target-port").unwrap_or(port);
        entry.set(
            "targetPort",
            to.parse::<i64>()
                .map_or_else(|_| Value::from(to), Value::from),
        );
        made.push(entry);
    }
    let name = flags
        .opt("name")
        .filter(|n| !n.is_empty())
        .unwrap_or(info.name());
    let mut service =
        Object(value!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": (name)}}));
    let labels = match flags.opt("labels") {
        Some(text) => pairs(text)?,
        None => o.labels().clone(),
    };
    if !labels.is_empty() {
        service.set("metadata.labels", labels);
    }
    service.set("spec.selector", selector);
    if !made.is_empty() {
        service.set("spec.ports", made);
    }
    for (flag, field) in [
        ("type", "spec.type"),
        ("cluster-ip", "spec.clusterIP"),
        ("load-balancer-ip", "spec.loadBalancerIP"),
        ("session-affinity", "spec.sessionAffinity"),
    ] {
        if !flags.str(flag).is_empty() {
            service.set(field, flags.str(flag));
        }
    }
    if !flags.str("external-ip").is_empty() {
        service.set(
            "spec.externalIPs",
            vec![Value::from(flags.str("external-ip"))],
        );
    }
    service.set("status.loadBalancer", Value::map());
    Ok(service)
}

/// Ports and protocols of what is exposed.
fn ports_of(info: &Info) -> Vec<(String, String)> {
    let o = &info.object;
    let (containers, own) = match info.kind {
        Kind::Service => (&Value::Null, o.at("spec.ports")),
        Kind::Pod => (o.at("spec.containers"), &Value::Null),
        _ => (o.at("spec.template.spec.containers"), &Value::Null),
    };
    let protocol = |p: &Value| p.get("protocol").as_str().unwrap_or("TCP").to_string();
    let mut found: Vec<(String, String)> = own
        .items()
        .iter()
        .map(|p| (text(p.get("port")), protocol(p)))
        .collect();
    for port in containers
        .items()
        .iter()
        .flat_map(|c| c.get("ports").items())
    {
        found.push((text(port.get("containerPort")), protocol(port)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_names() {
        for good in [
            "nginx",
            "nginx:1.27",
            "REG:5000/x/y@sha256:abc",
            "a/b-c_d:V1",
        ] {
            assert!(is_image(good), "{good}");
        }
        for bad in ["", "bad image", "Nginx", "a//b"] {
            assert!(!is_image(bad), "{bad}");
        }
    }
}
