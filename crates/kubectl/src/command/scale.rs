//! `kubectl scale` and `kubectl autoscale`.
//!
//! Models: staging/src/k8s.io/kubectl/pkg/cmd/{scale/scale,autoscale/autoscale}.go (v1.36)

use crate::ctx::Ctx;
use crate::fault::{Fault, Res};
use crate::result::{DryRun, Report};
use crate::target::{self, Info, Rules};
use podscope_api::{Body, Kind, Object, PatchType, Request, Verb, value};
use std::rc::Rc;

const FLAGS: &str = "all=b replicas=i current-replicas=i resource-version=s timeout=d selector,l=s filename,f=S \
recursive,R=b kustomize,k=s dry-run=s:unchanged output,o=s template=s show-managed-fields=b \
allow-missing-template-keys=b";

#[inline(never)]
pub(super) fn run(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "scale", FLAGS, words)?;
    if !flags.has("replicas") {
        return Err(Fault::text("required flag(s) \"replicas\" not set"));
    }
    let Some(replicas) = flags.int("replicas").filter(|n| *n >= 0) else {
        return Err(Fault::text(
            "The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0",
        ));
    };
    let report = Report::read(ctx, &flags, "")?;
    let targets = target::targets(ctx, &flags, &flags.args, Rules::default())?;
    let (infos, mut faults) = target::read_all(ctx, &targets, &flags)?;
    let wanted = flags.int("current-replicas").filter(|n| *n >= 0);
    let guarded = wanted.is_some() || flags.has("resource-version");
    for info in infos {
        let result = if report.dry_run == DryRun::Client {
            Ok(())
        } else if guarded {
            replace(
                ctx,
                &report,
                &info,
                replicas,
                wanted,
                flags.str("resource-version"),
            )
        } else {
            let change = value!({"spec": {"replicas": (replicas)}});
            let mut request = Request::patch(
                info.kind,
                info.namespace(),
                info.name(),
                "scale",
                PatchType::Merge,
                change,
            );
            report.options(&mut request, false);
            ctx.send(request).map(|_| ())
        };
        let result = result.and_then(|()| match flags.micros("timeout").filter(|t| *t > 0) {
            Some(timeout) if report.dry_run == DryRun::No => {
                wait(ctx, &info, replicas, ctx.now.0 + timeout)
            }
            _ => Ok(()),
        });
        match result {
            Ok(()) => {
                let mut object = info.object.as_ref().clone();
                object.set("spec.replicas", replicas);
                report.done(ctx, info.kind, &object, "scaled")?;
            }
            Err(Fault::Need(call)) => return Err(Fault::Need(call)),
            Err(fault) => faults.push(fault),
        }
    }
    Fault::all(faults)
}

fn scale_of(info: &Info) -> Request {
    let mut request = Request::get(info.kind, info.namespace(), info.name());
    request.subresource = "scale".into();
    request
}

/// Reads the scale, checks it, writes it.
fn replace(
    ctx: &mut Ctx<'_>,
    report: &Report,
    info: &Info,
    replicas: i64,
    wanted: Option<i64>,
    version: &str,
) -> Res<()> {
    let mut scale = ctx.send(scale_of(info))?.object.as_ref().clone();
    let now = scale.at("spec.replicas").as_int().unwrap_or(0);
    if let Some(wanted) = wanted.filter(|w| *w != now) {
        return Err(Fault::Text(format!(
            "Expected replicas to be {wanted}, was {now}"
        )));
    }
    let found = scale.at("metadata.resourceVersion").str_or_empty();
    if !version.is_empty() && version != found {
        return Err(Fault::Text(format!(
            "Expected resource version to be {version}, was {found}"
        )));
    }
    scale.set("spec.replicas", replicas);
    let mut request = Request::new(Verb::Update, info.kind, info.namespace(), info.name());
    request.subresource = "scale".into();
    request.body = Body::Object(Rc::new(scale));
    report.options(&mut request, false);
    ctx.send(request).map(|_| ())
}

fn wait(ctx: &mut Ctx<'_>, info: &Info, replicas: i64, deadline: i64) -> Res<()> {
    loop {
        let scale = ctx.send(scale_of(info))?.object;
        let count = |path: &str| scale.at(path).as_int().unwrap_or(0);
        if count("spec.replicas") == replicas && count("status.replicas") == replicas {
            return Ok(());
        }
        ctx.sleep((deadline - ctx.now.0).clamp(1, 1_000_000))?;
        if ctx.now.0 >= deadline {
            let name = podscope_api::status::quote(info.name());
            return Err(Fault::Text(format!(
                "timed out waiting for {name} to be synced"
            )));
        }
    }
}

const AUTOSCALE: &str = "min=i max=i cpu-percent=i cpu=s memory=s name=s all=b filename,f=S recursive,R=b kustomize,k=s \
dry-run=s:unchanged output,o=s template=s save-config=b field-manager=s show-managed-fields=b \
allow-missing-template-keys=b";

#[inline(never)]
pub(super) fn autoscale(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "autoscale", AUTOSCALE, words)?;
    let report = Report::read(ctx, &flags, "kubectl-autoscale")?;
    let (min, max) = (
        flags.int("min").unwrap_or(-1),
        flags.int("max").unwrap_or(-1),
    );
    if max < 1 {
        return Err(Fault::Text(format!(
            "--max=MAXPODS is required and must be at least 1, max: {max}"
        )));
    }
    if max < min {
        return Err(Fault::Text(format!(
            "--max=MAXPODS must be larger or equal to --min=MINPODS, max: {max}, min: {min}"
        )));
    }
    let targets = target::targets(ctx, &flags, &flags.args, Rules::default())?;
    let (infos, mut faults) = target::read_all(ctx, &targets, &flags)?;
    for info in infos {
        if !matches!(
            info.kind,
            Kind::Deployment | Kind::ReplicaSet | Kind::StatefulSet | Kind::ReplicationController
        ) {
            faults.push(Fault::Text(format!(
                "cannot autoscale a {}: no matches for kind {} in group {}",
                info.kind,
                podscope_api::status::quote(info.kind.name()),
                podscope_api::status::quote(info.kind.group())
            )));
            continue;
        }
        let name = flags
            .opt("name")
            .filter(|n| !n.is_empty())
            .unwrap_or(info.name());
        let mut hpa = value!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": (name)}, "spec": {"maxReplicas": (max)}});
        hpa.set(
            "spec.scaleTargetRef",
            value!({"apiVersion": (info.kind.api_version()), "kind": (info.kind.name()), "name": (info.name())}),
        );
        if min > 0 {
            hpa.set("spec.minReplicas", min);
        }
        let percent = flags
            .str("cpu")
            .strip_suffix('%')
            .and_then(|p| p.parse().ok());
        if let Some(percent) = percent.or(flags.int("cpu-percent")).filter(|p| *p >= 0) {
            let metric = value!({"type": "Resource", "resource": {"name": "cpu",
                "target": {"type": "Utilization", "averageUtilization": (percent)}}});
            hpa.set("spec.metrics", vec![metric]);
        }
        if report.dry_run == DryRun::Client {
            hpa.set(
                "status",
                value!({"currentMetrics": null, "desiredReplicas": 0}),
            );
            hpa.set("metadata.namespace", info.namespace());
        }
        let created = report.create(ctx, Kind::HorizontalPodAutoscaler, Object(hpa), false)?;
        report.done(ctx, Kind::HorizontalPodAutoscaler, &created, "autoscaled")?;
    }
    Fault::all(faults)
}
