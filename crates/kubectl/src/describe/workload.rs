//! Deployments, ReplicaSets, DaemonSets, StatefulSets, Jobs and CronJobs.

use super::pod::owner;
use super::{Page, container, rfc1123};
use crate::ctx::Ctx;
use crate::fault::Res;
use crate::table::{labels, text};
use crate::text::or_none;
use podscope_api::selector::Selector;
use podscope_api::{Kind, Object, Request, Timestamp, Value, duration};

fn number(object: &Object, path: &str) -> i64 {
    object.at(path).as_int().unwrap_or(0)
}

fn head(page: &mut Page, o: &Object, created: bool) {
    page.field(0, "Name", o.name());
    page.field(0, "Namespace", o.namespace());
    if created {
        page.field(
            0,
            "CreationTimestamp",
            rfc1123(o.at("metadata.creationTimestamp")),
        );
    }
}

fn marks(page: &mut Page, o: &Object) {
    page.labels("", "Labels", o.labels());
    page.annotations("Annotations", o.at("metadata.annotations"));
}

fn selector(page: &mut Page, o: &Object) {
    page.field(0, "Selector", Selector::describe(o.at("spec.selector")));
}

/// The objects of a kind that the workload's selector finds and that it controls.
pub(crate) fn controlled(ctx: &mut Ctx<'_>, kind: Kind, owner: &Object) -> Res<Vec<Object>> {
    let mut request = Request::list(kind, owner.namespace());
    request.options.label_selector = Selector::describe(owner.at("spec.selector")).into();
    let list = ctx.send(request)?;
    let items = list
        .object
        .get("items")
        .items()
        .iter()
        .map(|i| Object(i.clone()));
    Ok(items
        .filter(|i| i.controller().is_some_and(|c| c.uid == owner.uid()))
        .collect())
}

fn pods_status(ctx: &mut Ctx<'_>, page: &mut Page, o: &Object) -> Res<()> {
    let pods = controlled(ctx, Kind::Pod, o)?;
    let count = |phase: &str| {
        pods.iter()
            .filter(|p| p.status().get("phase").as_str() == Some(phase))
            .count()
    };
    let shown = format!(
        "{} Running / {} Waiting / {} Succeeded / {} Failed",
        count("Running"),
        count("Pending"),
        count("Succeeded"),
        count("Failed")
    );
    page.field(0, "Pods Status", shown);
    Ok(())
}

/// The ReplicaSets of a Deployment by age, and which of them is its newest.
pub(crate) fn replica_sets(
    ctx: &mut Ctx<'_>,
    deployment: &Object,
) -> Res<(Vec<Object>, Option<Object>)> {
    let mut sets = controlled(ctx, Kind::ReplicaSet, deployment)?;
    crate::sort::sort(&mut sets, |a, b| {
        (a.created(), a.name()) < (b.created(), b.name())
    });
    let newest = sets.iter().find(|s| same_template(deployment, s)).cloned();
    Ok((sets, newest))
}

/// Whether two workloads have the same Pod template, the hash label apart.
pub(crate) fn same_template(a: &Object, b: &Object) -> bool {
    let bare = |o: &Object| {
        let mut template = o.at("spec.template").clone();
        let labels = template.at_mut("metadata.labels");
        labels.map_mut().remove("pod-template-hash");
        template
            .at_mut("metadata")
            .map_mut()
            .remove("creationTimestamp");
        template
    };
    bare(a) == bare(b)
}

pub(super) fn deployment(ctx: &mut Ctx<'_>, page: &mut Page, o: &Object) -> Res<()> {
    head(page, o, true);
    marks(page, o);
    selector(page, o);
    let status = |field: &str| o.status().get(field).as_int().unwrap_or(0);
    let replicas = format!(
        "{} desired | {} updated | {} total | {} available | {} unavailable",
        number(o, "spec.replicas"),
        status("updatedReplicas"),
        status("replicas"),
        status("availableReplicas"),
        status("unavailableReplicas")
    );
    page.field(0, "Replicas", replicas);
    page.field(0, "StrategyType", o.at("spec.strategy.type").str_or_empty());
    page.field(0, "MinReadySeconds", number(o, "spec.minReadySeconds"));
    let rolling = o.at("spec.strategy.rollingUpdate");
    if !rolling.is_null() {
        let part = |field: &str| text(rolling.get(field));
        let shown = format!(
            "{} max unavailable, {} max surge",
            part("maxUnavailable"),
            part("maxSurge")
        );
        page.field(0, "RollingUpdateStrategy", shown);
    }
    container::template(page, o.at("spec.template"));
    page.conditions(o);
    let (sets, newest) = replica_sets(ctx, o)?;
    let created = |sets: &[&Object]| {
        let shown = sets.iter().map(|s| {
            let (made, wanted) = (number(s, "status.replicas"), number(s, "spec.replicas"));
            format!("{} ({made}/{wanted} replicas created)", s.name())
        });
        or_none(&shown.collect::<Vec<_>>().join(", ")).to_string()
    };
    if !sets.is_empty() {
        let is_new = |s: &&Object| newest.as_ref().is_some_and(|n| n.uid() == s.uid());
        let old: Vec<&Object> = sets.iter().filter(|s| !is_new(s)).collect();
        page.field(0, "OldReplicaSets", created(&old));
        let new: Vec<&Object> = newest.iter().collect();
        page.field(0, "NewReplicaSet", created(&new));
    }
    Ok(())
}

pub(super) fn replica_set(ctx: &mut Ctx<'_>, page: &mut Page, o: &Object) -> Res<()> {
    head(page, o, false);
    selector(page, o);
    marks(page, o);
    owner(page, o);
    let (current, wanted) = (number(o, "status.replicas"), number(o, "spec.replicas"));
    page.field(
        0,
        "Replicas",
        format!("{current} current / {wanted} desired"),
    );
    pods_status(ctx, page, o)?;
    container::template(page, o.at("spec.template"));
    page.conditions(o);
    Ok(())
}

pub(super) fn daemon_set(ctx: &mut Ctx<'_>, page: &mut Page, o: &Object) -> Res<()> {
    head(page, o, false);
    selector(page, o);
    page.field(
        0,
        "Node-Selector",
        labels(o.at("spec.template.spec.nodeSelector")),
    );
    marks(page, o);
    for (title, field) in [
        (
            "Desired Number of Nodes Scheduled",
            "desiredNumberScheduled",
        ),
        (
            "Current Number of Nodes Scheduled",
            "currentNumberScheduled",
        ),
        (
            "Number of Nodes Scheduled with Up-to-date Pods",
            "updatedNumberScheduled",
        ),
        (
            "Number of Nodes Scheduled with Available Pods",
            "numberAvailable",
        ),
        ("Number of Nodes Misscheduled", "numberMisscheduled"),
    ] {
        page.line(
            0,
            &format!("{title}: {}", o.status().get(field).as_int().unwrap_or(0)),
        );
    }
    pods_status(ctx, page, o)?;
    container::template(page, o.at("spec.template"));
    Ok(())
}

pub(super) fn stateful_set(ctx: &mut Ctx<'_>, page: &mut Page, o: &Object) -> Res<()> {
    head(page, o, true);
    selector(page, o);
    marks(page, o);
    let (wanted, total) = (number(o, "spec.replicas"), number(o, "status.replicas"));
    page.field(0, "Replicas", format!("{wanted} desired | {total} total"));
    page.field(
        0,
        "Update Strategy",
        o.at("spec.updateStrategy.type").str_or_empty(),
    );
    if !o.at("spec.updateStrategy.rollingUpdate").is_null() {
        let partition = number(o, "spec.updateStrategy.rollingUpdate.partition");
        page.field(1, "Partition", partition);
        page.field_if(
            1,
            "MaxUnavailable",
            o.at("spec.updateStrategy.rollingUpdate.maxUnavailable"),
        );
    }
    pods_status(ctx, page, o)?;
    container::template(page, o.at("spec.template"));
    let claims = o.at("spec.volumeClaimTemplates").items();
    if claims.is_empty() {
        page.field(0, "Volume Claims", "<none>");
        return Ok(());
    }
    page.line(0, "Volume Claims:");
    for claim in claims {
        page.field(1, "Name", claim.at("metadata.name").str_or_empty());
        page.field(
            1,
            "StorageClass",
            claim.at("spec.storageClassName").str_or_empty(),
        );
        page.labels("  ", "Labels", claim.at("metadata.labels"));
        page.annotations("  Annotations", claim.at("metadata.annotations"));
        let capacity = text(claim.at("spec.resources.requests.storage"));
        page.field(
            1,
            "Capacity",
            if capacity.is_empty() {
                "<default>"
            } else {
                &capacity
            },
        );
        page.field(
            1,
            "Access Modes",
            crate::output::go_text(claim.at("spec.accessModes")),
        );
    }
    Ok(())
}

pub(super) fn job(page: &mut Page, o: &Object) {
    head(page, o, false);
    selector(page, o);
    marks(page, o);
    owner(page, o);
    let spec = o.spec();
    page.field_if(0, "Parallelism", spec.get("parallelism"));
    match spec.get("completions") {
        Value::Null => page.field(0, "Completions", "<unset>"),
        n => page.field(0, "Completions", text(n)),
    }
    page.field_if(0, "Completion Mode", spec.get("completionMode"));
    page.field_if(0, "Suspend", spec.get("suspend"));
    page.field_if(0, "Backoff Limit", spec.get("backoffLimit"));
    page.field_if(
        0,
        "TTL Seconds After Finished",
        spec.get("ttlSecondsAfterFinished"),
    );
    let time = |field: &str| o.status().get(field);
    if !time("startTime").is_null() {
        page.field(0, "Start Time", rfc1123(time("startTime")));
    }
    if !time("completionTime").is_null() {
        page.field(0, "Completed At", rfc1123(time("completionTime")));
    }
    let at = |field: &str| time(field).as_str().and_then(Timestamp::parse);
    if let (Some(start), Some(end)) = (at("startTime"), at("completionTime")) {
        let shown = duration::human((end.0 - start.0).saturating_mul(1000));
        page.field(0, "Duration", shown);
    }
    if let Some(seconds) = spec.get("activeDeadlineSeconds").as_int() {
        page.field(0, "Active Deadline Seconds", format!("{seconds}s"));
    }
    let count = |field: &str| o.status().get(field).as_int().unwrap_or(0);
    let ready = match o.status().get("ready").as_int() {
        Some(ready) => format!(" ({ready} Ready)"),
        None => String::new(),
    };
    let shown = format!(
        "{} Active{ready} / {} Succeeded / {} Failed",
        count("active"),
        count("succeeded"),
        count("failed")
    );
    page.field(0, "Pods Statuses", shown);
    if spec.get("completionMode").as_str() == Some("Indexed") {
        let done = o.status().get("completedIndexes").str_or_empty();
        page.field(0, "Completed Indexes", or_none(&capped(done)));
    }
    container::template(page, spec.get("template"));
}

/// At most 50 characters of a list of indexes, cut at a comma.
fn capped(list: &str) -> String {
    match list.get(..50).filter(|_| list.len() > 50) {
        Some(start) => {
            let kept = start
                .rfind(',')
                .map_or("", |at| start.get(..=at).unwrap_or(""));
            format!("{kept}...")
        }
        None => list.to_string(),
    }
}

pub(super) fn cron_job(page: &mut Page, o: &Object) {
    head(page, o, false);
    marks(page, o);
    let spec = o.spec();
    let unset = |value: &Value| match text(value) {
        t if t.is_empty() => "<unset>".to_string(),
        t => t,
    };
    page.field(0, "Schedule", spec.get("schedule").str_or_empty());
    page.field(
        0,
        "Concurrency Policy",
        spec.get("concurrencyPolicy").str_or_empty(),
    );
    let suspend = match spec.get("suspend") {
        Value::Bool(true) => "True",
        Value::Bool(false) => "False",
        _ => "<unset>",
    };
    page.field(0, "Suspend", suspend);
    page.field(0, "Time Zone", unset(spec.get("timeZone")));
    page.field(
        0,
        "Successful Job History Limit",
        unset(spec.get("successfulJobsHistoryLimit")),
    );
    page.field(
        0,
        "Failed Job History Limit",
        unset(spec.get("failedJobsHistoryLimit")),
    );
    match spec.get("startingDeadlineSeconds").as_int() {
        Some(seconds) => page.field(0, "Starting Deadline Seconds", format!("{seconds}s")),
        None => page.field(0, "Starting Deadline Seconds", "<unset>"),
    }
    let job = spec.at("jobTemplate.spec");
    match job.get("selector") {
        Value::Null => page.field(0, "Selector", "<unset>"),
        selector => page.field(0, "Selector", Selector::describe(selector)),
    }
    page.field(0, "Parallelism", unset(job.get("parallelism")));
    page.field(0, "Completions", unset(job.get("completions")));
    if let Some(seconds) = job.get("activeDeadlineSeconds").as_int() {
        page.field(0, "Active Deadline Seconds", format!("{seconds}s"));
    }
    container::template(page, job.get("template"));
    let last = o.status().get("lastScheduleTime");
    let last = if last.is_null() {
        "<unset>".into()
    } else {
        rfc1123(last)
    };
    page.field(0, "Last Schedule Time", last);
    let active = o.status().get("active").items();
    let names: Vec<&str> = active
        .iter()
        .map(|j| j.get("name").str_or_empty())
        .collect();
    page.field(0, "Active Jobs", or_none(&names.join(", ")));
}
