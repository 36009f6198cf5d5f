//! Autoscalers and disruption budgets.

use super::{Page, rfc1123};
use crate::table::{hpa_metric, text};
use podscope_api::selector::Selector;
use podscope_api::{Object, Value};

pub(super) fn autoscaler(page: &mut Page, o: &Object) {
    let (spec, status) = (o.spec(), o.status());
    page.field(0, "Name", o.name());
    page.field(0, "Namespace", o.namespace());
    page.labels("", "Labels", o.labels());
    page.annotations("Annotations", o.at("metadata.annotations"));
    page.field(
        0,
        "CreationTimestamp",
        rfc1123(o.at("metadata.creationTimestamp")),
    );
    let target = |field: &str| spec.at("scaleTargetRef").get(field).str_or_empty();
    page.field(
        0,
        "Reference",
        format!("{}/{}", target("kind"), target("name")),
    );
    page.field(0, "Metrics", "( current / target )");
    for (i, metric) in spec.get("metrics").items().iter().enumerate() {
        let current = status.get("currentMetrics").index(i);
        page.line(1, &metric_line(metric, current));
    }
    let least = text(spec.get("minReplicas"));
    page.field(
        0,
        "Min replicas",
        if least.is_empty() { "<unset>" } else { &least },
    );
    page.field(
        0,
        "Max replicas",
        spec.get("maxReplicas").as_int().unwrap_or(0),
    );
    let behavior = spec.get("behavior");
    if !behavior.is_null() {
        page.line(0, "Behavior:");
        rules(page, "Scale Up", behavior.get("scaleUp"));
        rules(page, "Scale Down", behavior.get("scaleDown"));
    }
    let count = |field: &str| status.get(field).as_int().unwrap_or(0);
    page.line(
        0,
        &format!(
            "{} pods:\t{} current / {} desired",
            target("kind"),
            count("currentReplicas"),
            count("desiredReplicas")
        ),
    );
    let conditions = status.get("conditions").items();
    if !conditions.is_empty() {
        page.line(0, "Conditions:");
        page.line(1, "Type\tStatus\tReason\tMessage");
        page.line(1, "----\t------\t------\t-------");
    }
    for c in conditions {
        let part = |field: &str| c.get(field).str_or_empty();
        let line = format!(
            "{}\t{}\t{}\t{}",
            part("type"),
            part("status"),
            part("reason"),
            part("message")
        );
        page.line(1, &line);
    }
}

fn metric_line(metric: &Value, current: &Value) -> String {
    let (now, wanted) = hpa_metric(metric, current);
    let kind = metric.get("type").str_or_empty();
    let field = match kind {
        "Resource" => "resource",
        "ContainerResource" => "containerResource",
        "Pods" => "pods",
        "Object" => "object",
        _ => "external",
    };
    let body = metric.get(field);
    let name = body.at("metric.name").str_or_empty();
    let average = !body.at("target.averageValue").is_null();
    match kind {
        "Pods" => format!("\"{name}\" on pods:\t{now} / {wanted}"),
        "Object" => {
            let of = |field: &str| body.get("describedObject").get(field).str_or_empty();
            let how = if average {
                "target average value"
            } else {
                "target value"
            };
            let wanted = wanted.trim_end_matches(" (avg)");
            format!(
                "\"{name}\" on {}/{} ({how}):\t{now} / {wanted}",
                of("kind"),
                of("name")
            )
        }
        "Resource" | "ContainerResource" => {
            let resource = body.get("name").str_or_empty();
            let place = match body.get("container").str_or_empty() {
                "" => String::new(),
                container => format!(" of container \"{container}\""),
            };
            if average {
                return format!("resource {resource}{place} on pods:\t{now} / {wanted}");
            }
            let value = text(current.get(field).at("current.averageValue"));
            let now = if value.is_empty() || now == "<unknown>" {
                now
            } else {
                format!("{now} ({value})")
            };
            format!(
                "resource {resource}{place} on pods  (as a percentage of request):\t{now} / {wanted}"
            )
        }
        _ => {
            let how = if average {
                "target average value"
            } else {
                "target value"
            };
            format!(
                "\"{name}\" ({how}):\t{now} / {}",
                wanted.trim_end_matches(" (avg)")
            )
        }
    }
}

fn rules(page: &mut Page, title: &str, rules: &Value) {
    if rules.is_null() {
        return;
    }
    page.line(1, &format!("{title}:"));
    if let Some(seconds) = rules.get("stabilizationWindowSeconds").as_int() {
        page.line(2, &format!("Stabilization Window: {seconds} seconds"));
    }
    let policies = rules.get("policies").items();
    if policies.is_empty() {
        return;
    }
    let select = rules.get("selectPolicy").as_str().unwrap_or("Max");
    page.line(2, &format!("Select Policy: {select}"));
    page.line(2, "Policies:");
    for policy in policies {
        let number = |field: &str| policy.get(field).as_int().unwrap_or(0);
        let line = format!(
            "- Type: {}\tValue: {}\tPeriod: {} seconds",
            policy.get("type").str_or_empty(),
            number("value"),
            number("periodSeconds")
        );
        page.line(3, &line);
    }
}

pub(super) fn disruption_budget(page: &mut Page, o: &Object) {
    page.field(0, "Name", o.name());
    page.field(0, "Namespace", o.namespace());
    page.field_if(0, "Min available", o.at("spec.minAvailable"));
    page.field_if(0, "Max unavailable", o.at("spec.maxUnavailable"));
    match o.at("spec.selector") {
        Value::Null => page.field(0, "Selector", "<unset>"),
        selector => page.field(0, "Selector", Selector::describe(selector)),
    }
    page.line(0, "Status:");
    for (title, field) in [
        ("Allowed disruptions", "disruptionsAllowed"),
        ("Current", "currentHealthy"),
        ("Desired", "desiredHealthy"),
        ("Total", "expectedPods"),
    ] {
        page.field(2, title, o.status().get(field).as_int().unwrap_or(0));
    }
}
