//! Namespaces, ConfigMaps, Secrets, ServiceAccounts, PriorityClasses, quotas and limits.

use super::Page;
use crate::ctx::Ctx;
use crate::fault::Res;
use crate::table::text;
use podscope_api::{Kind, Object, Request, Value};

fn head(page: &mut Page, o: &Object) {
    page.field(0, "Name", o.name());
    if !o.namespace().is_empty() {
        page.field(0, "Namespace", o.namespace());
    }
    page.labels("", "Labels", o.labels());
    page.annotations("Annotations", o.at("metadata.annotations"));
}

pub(super) fn namespace(ctx: &mut Ctx<'_>, page: &mut Page, o: &Object) -> Res<()> {
    head(page, o);
    page.field(0, "Status", o.at("status.phase").str_or_empty());
    let conditions = o.status().get("conditions").items();
    if !conditions.is_empty() {
        page.line(0, "Conditions:");
        page.line(1, "Type\tStatus\tLastTransitionTime\tReason\tMessage");
        page.line(1, "----\t------\t------------------\t------\t-------");
        for c in conditions {
            let part = |field: &str| c.get(field).str_or_empty();
            let at = super::rfc1123(c.get("lastTransitionTime"));
            let line = format!(
                "{} \t{}\t{at}\t{}\t{}",
                part("type"),
                part("status"),
                part("reason"),
                part("message")
            );
            page.line(1, &line);
        }
    }
    let quotas = ctx.send(Request::list(Kind::ResourceQuota, o.name()))?;
    let limits = ctx.send(Request::list(Kind::LimitRange, o.name()))?;
    let quotas = quotas.object.get("items").items();
    page.line(0, "");
    if quotas.is_empty() {
        page.line(0, "No resource quota.");
    } else {
        page.line(0, "Resource Quotas");
    }
    for quota in quotas {
        page.line(
            0,
            &format!("  Name:\t{}", quota.at("metadata.name").str_or_empty()),
        );
        page.line(0, "  Resource\tUsed\tHard");
        page.line(0, "  --------\t---\t---");
        for (name, hard) in quota.at("status.hard").entries() {
            let used = text(quota.at("status.used").get(name));
            page.line(0, &format!("  {name}\t{used}\t{}", text(hard)));
        }
    }
    let limits = limits.object.get("items").items();
    page.line(0, "");
    if limits.is_empty() {
        page.line(0, "No LimitRange resource.");
    } else {
        page.line(0, "Resource Limits");
        page.line(0, LIMIT_TITLES[0].replace("Type", " Type").as_str());
        page.line(0, LIMIT_TITLES[1].replacen("----", " ----", 1).as_str());
    }
    for limit in limits {
        limit_rows(page, limit, " ");
    }
    Ok(())
}

const LIMIT_TITLES: [&str; 2] = [
    "Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio",
    "----\t--------\t---\t---\t---------------\t-------------\t-----------------------",
];

fn limit_rows(page: &mut Page, range: &Value, indent: &str) {
    const COLUMNS: [&str; 5] = [
        "min",
        "max",
        "defaultRequest",
        "default",
        "maxLimitRequestRatio",
    ];
    for limit in range.at("spec.limits").items() {
        let mut names: Vec<&str> = Vec::new();
        for column in COLUMNS {
            for (name, _) in limit.get(column).entries() {
                if !names.contains(&name.as_ref()) {
                    names.push(name);
                }
            }
        }
        podscope_api::sort::natural(&mut names);
        for name in names {
            let mut line = format!("{indent}{}\t{name}", limit.get("type").str_or_empty());
            for column in COLUMNS {
                let shown = text(limit.get(column).get(name));
                line.push('\t');
                line.push_str(if shown.is_empty() { "-" } else { &shown });
            }
            page.line(0, &line);
        }
    }
}

pub(super) fn limit_range(page: &mut Page, o: &Object) {
    page.field(0, "Name", o.name());
    page.field(0, "Namespace", o.namespace());
    for title in LIMIT_TITLES {
        page.line(0, title);
    }
    limit_rows(page, o, "");
}

/// What a quota's scope matches.
fn scope_help(scope: &str) -> &'static str {
    match scope {
        "Terminating" => {
            "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being actively terminated by the system."
        }
        "NotTerminating" => {
            "Matches all pods that do not have an active deadline. These pods usually include long running pods whose container command is not expected to terminate."
        }
        "BestEffort" => {
            "Matches all pods that do not have resource requirements set. These pods have a best effort quality of service."
        }
        "NotBestEffort" => {
            "Matches all pods that have at least one resource requirement set. These pods have a burstable or guaranteed quality of service."
        }
        _ => "",
    }
}

pub(super) fn quota(page: &mut Page, o: &Object) {
    page.field(0, "Name", o.name());
    page.field(0, "Namespace", o.namespace());
    let mut scopes: Vec<&str> = o
        .at("spec.scopes")
        .items()
        .iter()
        .map(Value::str_or_empty)
        .collect();
    podscope_api::sort::natural(&mut scopes);
    if !scopes.is_empty() {
        page.field(0, "Scopes", scopes.join(", "));
    }
    for scope in scopes {
        let help = scope_help(scope);
        if !help.is_empty() {
            page.line(0, &format!(" * {help}"));
        }
    }
    page.line(0, "Resource\tUsed\tHard");
    page.line(0, "--------\t----\t----");
    for (name, hard) in o.at("status.hard").entries() {
        let used = text(o.at("status.used").get(name));
        page.line(0, &format!("{name}\t{used}\t{}", text(hard)));
    }
}

pub(super) fn config_map(page: &mut Page, o: &Object) {
    head(page, o);
    page.line(0, "\nData\n====");
    for (key, value) in o.get("data").entries() {
        page.line(0, &format!("{key}:\n----\n{}\n", value.str_or_empty()));
    }
    page.line(0, "\nBinaryData\n====");
    for (key, value) in o.get("binaryData").entries() {
        page.line(0, &format!("{key}: {} bytes", decoded_len(value)));
    }
    page.line(0, "");
}

/// How many bytes Base64 text stands for.
fn decoded_len(value: &Value) -> usize {
    let text = value.str_or_empty();
    let digits = text.trim_end_matches('=').len();
    digits * 3 / 4
}

pub(super) fn secret(page: &mut Page, o: &Object) {
    head(page, o);
    page.line(0, &format!("\nType:\t{}", o.get("type").str_or_empty()));
    page.line(0, "\nData\n====");
    for (key, value) in o.get("data").entries() {
        page.field(0, key, format!("{} bytes", decoded_len(value)));
    }
}

pub(super) fn service_account(page: &mut Page, o: &Object) {
    head(page, o);
    for (title, field) in [
        ("Image pull secrets", "imagePullSecrets"),
        ("Mountable secrets", "secrets"),
    ] {
        let names = o.get(field).items();
        if names.is_empty() {
            page.field(0, title, "<none>");
        }
        for (i, secret) in names.iter().enumerate() {
            let title = if i == 0 {
                format!("{title}:")
            } else {
                String::new()
            };
            page.line(
                0,
                &format!("{title}\t{}", secret.get("name").str_or_empty()),
            );
        }
    }
    page.field(0, "Tokens", "<none>");
}

pub(super) fn priority_class(page: &mut Page, o: &Object) {
    page.field(0, "Name", o.name());
    page.field(0, "Value", o.get("value").as_int().unwrap_or(0));
    page.field(0, "GlobalDefault", o.get("globalDefault").is_true());
    page.field(
        0,
        "PreemptionPolicy",
        o.get("preemptionPolicy").str_or_empty(),
    );
    page.field(0, "Description", o.get("description").str_or_empty());
    page.annotations("Annotations", o.at("metadata.annotations"));
}
