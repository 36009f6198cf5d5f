//! Validation of Jobs and CronJobs.
//!
//! Models: pkg/apis/batch/validation (v1.36)

use super::field::{Errors, Path};
use super::meta::{self, print_selector};
use super::{cron, names, pod, workload};
use crate::apiserver::go;
use podscope_api::Value;

const ACTIONS: &[&str] = &["Count", "FailIndex", "FailJob", "Ignore"];
const MAX_INDEXES: i64 = 100_000;

/// A new Job; its selector and template labels have been generated.
#[inline(never)]
pub(super) fn job(errors: &mut Errors, job: &Value) {
    generated_selector(errors, job);
    let path = &Path::root("spec");
    let job_spec = job.get("spec");
    spec_with_selector(errors, path, job_spec);
    // The longest Pod name of an indexed Job must fit.
    if job_spec.get("completionMode").as_str() == Some("Indexed")
        && let Some(completions) = job_spec.get("completions").as_int()
        && completions > 0
    {
        let name = format!(
            "{}-{}",
            job.at("metadata.name").str_or_empty(),
            completions - 1
        );
        errors.invalid_each(
            &Path::root("metadata").f("name"),
            &name,
            names::label(&name),
        );
    }
}

fn generated_selector(errors: &mut Errors, job: &Value) {
    let spec = job.get("spec");
    if spec.get("manualSelector").is_true() || spec.get("selector").is_null() {
        return;
    }
    let uid = Value::str(job.at("metadata.uid").str_or_empty());
    let wanted = podscope_api::value!({
        "matchLabels": {"batch.kubernetes.io/controller-uid": (uid.clone())}
    });
    let legacy = podscope_api::value!({"matchLabels": {"controller-uid": (uid)}});
    let selector = spec.get("selector");
    if *selector != wanted && *selector != legacy {
        errors.invalid_text(
            &Path::root("spec").f("selector"),
            &print_selector(selector),
            "`selector` not auto-generated",
        );
    }
}

fn spec_with_selector(errors: &mut Errors, path: &Path<'_>, spec: &Value) {
    job_spec(errors, path, spec);
    let selector = spec.get("selector");
    if selector.is_null() {
        errors.required(&path.f("selector"), "");
    } else {
        meta::selector(errors, &path.f("selector"), selector);
    }
    workload::matches_template(errors, &path.f("template"), selector, spec.get("template"));
}

/// `spec` of a Job, also as a CronJob's template (without selector).
fn job_spec(errors: &mut Errors, path: &Path<'_>, spec: &Value) {
    for field in [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
    ] {
        errors.non_negative(&path.f(field), spec.get(field));
    }
    let completions = spec.get("completions").as_int();
    let max_failed = spec.get("maxFailedIndexes").as_int();
    if let Some(max_failed) = max_failed {
        let path = &path.f("maxFailedIndexes");
        errors.non_negative(path, spec.get("maxFailedIndexes"));
        if completions.is_some_and(|c| max_failed > c) {
            errors.invalid_int(
                path,
                max_failed,
                "must be less than or equal to completions",
            );
        }
    }
    let manager = spec.get("managedBy");
    if !manager.is_null() {
        let text = manager.str_or_empty();
        let mut complaints = names::qualified_name(text);
        if !text.contains('/') {
            complaints = vec!["should be a domain-prefixed path (such as \"acme.io/foo\")".into()];
        }
        errors.invalid_each(&path.f("managedBy"), text, complaints);
        if text.len() > 63 {
            errors.too_long(&path.f("managedBy"), 63);
        }
    }
    let indexed = spec.get("completionMode").as_str() == Some("Indexed");
    if let Some(mode) = spec.get("completionMode").as_str() {
        let mode_path = &path.f("completionMode");
        if !["Indexed", "NonIndexed"].contains(&mode) {
            errors.not_supported_text(
                mode_path,
                &podscope_api::status::quote(mode),
                &["NonIndexed", "Indexed"],
            );
            return;
        }
        if indexed {
            match completions {
                None => errors.required(&path.f("completions"), "when completion mode is Indexed"),
                Some(c) => indexed_bounds(errors, path, spec, c),
            }
        }
    }
    if !indexed {
        for field in ["backoffLimitPerIndex", "maxFailedIndexes"] {
            if let Some(n) = spec.get(field).as_int() {
                errors.invalid_int(&path.f(field), n, "requires indexed completion mode");
            }
        }
    }
    if max_failed.is_some() && spec.get("backoffLimitPerIndex").is_null() {
        errors.required(
            &path.f("backoffLimitPerIndex"),
            "when maxFailedIndexes is specified",
        );
    }
    failure_policy(errors, path, spec);
    success_policy(errors, path, spec, indexed);
    let has_policy = !spec.get("podFailurePolicy").is_null();
    if let Some(policy) = spec.get("podReplacementPolicy").as_str() {
        let path = &path.f("podReplacementPolicy");
        if has_policy {
            if policy != "Failed" {
                errors.not_supported(path, policy, &["Failed"]);
            }
        } else if !["Failed", "TerminatingOrFailed"].contains(&policy) {
            errors.not_supported(path, policy, &["Failed", "TerminatingOrFailed"]);
        }
    }
    let template_path = &path.f("template");
    let template = spec.get("template");
    pod::template(errors, template_path, template);
    let restart = template.at("spec.restartPolicy").str_or_empty();
    let restart_path = &template_path.f("spec.restartPolicy");
    if restart.is_empty() || restart == "Always" {
        errors.required(restart_path, "valid values: \"OnFailure\", \"Never\"");
    } else if !["OnFailure", "Never"].contains(&restart) {
        errors.not_supported(restart_path, restart, &["OnFailure", "Never"]);
    } else if has_policy && restart != "Never" {
        errors.invalid_str(
            restart_path,
            restart,
            "only \"Never\" is supported when podFailurePolicy is specified",
        );
    }
}

fn indexed_bounds(errors: &mut Errors, path: &Path<'_>, spec: &Value, completions: i64) {
    let parallelism = spec.get("parallelism").as_int().unwrap_or(0);
    if parallelism > MAX_INDEXES {
        errors.invalid_int(
            &path.f("parallelism"),
            parallelism,
            "must be less than or equal to 100000 when completion mode is Indexed",
        );
    }
    if spec.get("backoffLimitPerIndex").is_null() {
        return;
    }
    let max_failed = spec.get("maxFailedIndexes").as_int();
    if max_failed.is_some_and(|m| m > MAX_INDEXES) {
        errors.invalid_int(
            &path.f("maxFailedIndexes"),
            max_failed.unwrap_or(0),
            "must be less than or equal to 100000",
        );
    }
    if completions > MAX_INDEXES {
        match max_failed {
            None => errors.required(
                &path.f("maxFailedIndexes"),
                "must be specified when completions is above 100000",
            ),
            Some(m) => {
                if m > 10_000 {
                    errors.invalid_int(
                        &path.f("maxFailedIndexes"),
                        m,
                        "must be less than or equal to 10000 when completions are above 100000",
                    );
                }
                if parallelism > 10_000 {
                    errors.invalid_int(
                        &path.f("parallelism"),
                        parallelism,
                        "must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index",
                    );
                }
            }
        }
    }
}

fn failure_policy(errors: &mut Errors, path: &Path<'_>, spec: &Value) {
    let policy = spec.get("podFailurePolicy");
    if policy.is_null() {
        return;
    }
    let list = path.f("podFailurePolicy.rules");
    let rules = policy.get("rules").items();
    if rules.len() > 20 {
        errors.too_many(&list, rules.len(), 20);
    }
    let template = spec.at("template.spec");
    let containers: Vec<&str> = ["initContainers", "containers"]
        .iter()
        .flat_map(|f| template.get(f).items())
        .map(|c| c.get("name").str_or_empty())
        .collect();
    for (i, rule) in rules.iter().enumerate() {
        let path = &list.i(i);
        let action = rule.get("action").str_or_empty();
        let action_path = &path.f("action");
        if action == "FailIndex" {
            if spec.get("backoffLimitPerIndex").is_null() {
                errors.invalid_str(
                    action_path,
                    action,
                    "requires the backoffLimitPerIndex to be set",
                );
            }
        } else if action.is_empty() {
            errors.required(
                action_path,
                "valid values: [\"Count\" \"FailIndex\" \"FailJob\" \"Ignore\"]",
            );
        } else if !ACTIONS.contains(&action) {
            errors.not_supported(action_path, action, ACTIONS);
        }
        let codes = rule.get("onExitCodes");
        let conditions = rule.get("onPodConditions");
        if !codes.is_null() {
            exit_codes(errors, &path.f("onExitCodes"), codes, &containers);
        }
        let conditions_path = path.f("onPodConditions");
        if conditions.items().len() > 20 {
            errors.too_many(&conditions_path, conditions.items().len(), 20);
        }
        for (j, condition) in conditions.items().iter().enumerate() {
            let path = &conditions_path.i(j);
            names::check(
                errors,
                &path.f("type"),
                condition.get("type"),
                names::qualified_name,
            );
            errors.one_of(
                &path.f("status"),
                condition.get("status"),
                &["False", "True", "Unknown"],
            );
        }
        match (codes.is_null(), conditions.is_empty()) {
            // These two come out of the server without a quoted value.
            (true, true) => errors.invalid_text(
                path,
                "specifying one of OnExitCodes and OnPodConditions is required",
                "",
            ),
            (false, false) => errors.invalid_text(
                path,
                "specifying both OnExitCodes and OnPodConditions is not supported",
                "",
            ),
            _ => {}
        }
    }
}

fn exit_codes(errors: &mut Errors, path: &Path<'_>, codes: &Value, containers: &[&str]) {
    let operator = codes.get("operator").str_or_empty();
    let operator_path = &path.f("operator");
    if operator.is_empty() {
        errors.required(operator_path, "valid values: [\"In\" \"NotIn\"]");
    } else if !["In", "NotIn"].contains(&operator) {
        errors.not_supported(operator_path, operator, &["In", "NotIn"]);
    }
    if let Some(name) = codes.get("containerName").as_str()
        && !containers.contains(&name)
    {
        errors.invalid_str(
            &path.f("containerName"),
            name,
            "must be one of the container or initContainer names in the pod template",
        );
    }
    let list = path.f("values");
    let values = codes.get("values").items();
    if values.is_empty() {
        errors.invalid_text(&list, "[]", "at least one value is required");
    } else if values.len() > 255 {
        errors.too_many(&list, values.len(), 255);
    }
    let mut seen: Vec<i64> = Vec::new();
    let mut ordered = true;
    for (i, value) in values.iter().enumerate() {
        let value = value.as_int().unwrap_or(0);
        if operator == "In" && value == 0 {
            errors.invalid_int(&list.i(i), value, "must not be 0 for the In operator");
        }
        if seen.contains(&value) {
            errors.duplicate_text(&list.i(i), &value.to_string());
        }
        ordered &= seen.last().is_none_or(|last| *last <= value);
        seen.push(value);
    }
    if !ordered {
        errors.invalid_text(
            &list,
            &podscope_api::json::to_string(codes.get("values")),
            "must be ordered",
        );
    }
}

fn success_policy(errors: &mut Errors, path: &Path<'_>, spec: &Value, indexed: bool) {
    let policy = spec.get("successPolicy");
    if policy.is_null() {
        return;
    }
    let path = &path.f("successPolicy");
    if !indexed {
        return errors.invalid_text(
            path,
            &go::internal_json("SuccessPolicy", policy),
            "requires indexed completion mode",
        );
    }
    let list = path.f("rules");
    let rules = policy.get("rules").items();
    if rules.is_empty() {
        errors.required(
            &list,
            "at least one rules must be specified when the successPolicy is specified",
        );
    }
    if rules.len() > 20 {
        errors.too_many(&list, rules.len(), 20);
    }
    for (i, rule) in rules.iter().enumerate() {
        let path = &list.i(i);
        let count = rule.get("succeededCount");
        if rule.get("succeededIndexes").is_null() && count.is_null() {
            errors.required(
                path,
                "at least one of succeededCount or succeededIndexes must be specified",
            );
        }
        if let Some(n) = count.as_int() {
            let path = &path.f("succeededCount");
            errors.positive(path, count);
            let completions = spec.get("completions").as_int().unwrap_or(0);
            if n > completions {
                errors.invalid_int(
                    path,
                    n,
                    &format!("must be less than or equal to {completions} (the number of specified completions)"),
                );
            }
        }
    }
}

/// A changed Job.
pub(super) fn job_update(errors: &mut Errors, new: &Value, old: &Value) {
    let path = &Path::root("spec");
    let (spec, old_spec) = (new.get("spec"), old.get("spec"));
    generated_selector(errors, new);
    // The server checks the object and then the change, each with its spec.
    spec_with_selector(errors, path, spec);
    spec_with_selector(errors, path, spec);
    completions(errors, path, spec, old_spec);
    let immutable = |errors: &mut Errors, field: &str, printed: String| {
        if spec.get(field) != old_spec.get(field) {
            errors.invalid_text(&path.f(field), &printed, "field is immutable");
        }
    };
    immutable(errors, "selector", print_selector(spec.get("selector")));
    // A suspended Job that never started may change where its Pods run.
    let template = spec.get("template");
    let mut comparable = template.clone();
    let not_started = old_spec.get("suspend").is_true() && old.at("status.startTime").is_null();
    if not_started {
        let was = old_spec.get("template");
        for field in [
            "spec.nodeSelector",
            "spec.affinity",
            "spec.tolerations",
            "spec.schedulingGates",
        ] {
            restore(&mut comparable, was, field);
        }
        for field in ["metadata.labels", "metadata.annotations"] {
            restore(&mut comparable, was, field);
        }
        for list in ["containers", "initContainers"] {
            let old_list = was.get("spec").get(list).items();
            if old_list.len() == comparable.get("spec").get(list).items().len()
                && !old_list.is_empty()
            {
                let mut items = comparable.get("spec").get(list).items().to_vec();
                for (item, was) in items.iter_mut().zip(old_list) {
                    restore(item, was, "resources");
                }
                comparable.set(&format!("spec.{list}"), items);
            }
        }
    }
    if comparable != *old_spec.get("template") {
        errors.invalid_text(
            &path.f("template"),
            &go::internal_json("PodTemplateSpec", template),
            "field is immutable",
        );
    }
    let plain = |field: &str| match spec.get(field) {
        Value::Null => "null".to_string(),
        value => super::field::print(value),
    };
    immutable(errors, "completionMode", plain("completionMode"));
    let policy = spec.get("podFailurePolicy");
    let printed = go::internal_json("PodFailurePolicy", policy);
    immutable(errors, "podFailurePolicy", printed);
    immutable(
        errors,
        "backoffLimitPerIndex",
        plain("backoffLimitPerIndex"),
    );
    immutable(errors, "managedBy", plain("managedBy"));
    let printed = go::internal_json("SuccessPolicy", spec.get("successPolicy"));
    immutable(errors, "successPolicy", printed);
}

fn restore(value: &mut Value, old: &Value, path: &str) {
    match old.at(path) {
        Value::Null => {
            value.remove(path);
        }
        was => value.set(path, was.clone()),
    }
}

fn completions(errors: &mut Errors, path: &Path<'_>, spec: &Value, old_spec: &Value) {
    let (new, old) = (spec.get("completions"), old_spec.get("completions"));
    if new == old {
        return;
    }
    let at = &path.f("completions");
    let refuse = |errors: &mut Errors, why: &str| errors.invalid(at, new, why);
    let indexed = spec.get("completionMode").as_str() == Some("Indexed");
    if !indexed {
        return refuse(errors, "field is immutable");
    }
    if new.is_null() {
        return errors.required(at, "when completion mode is Indexed");
    }
    // An elastic indexed Job changes completions and parallelism together.
    if new != spec.get("parallelism") {
        refuse(
            errors,
            "can only be modified in tandem with spec.parallelism",
        );
    }
}

/// `spec` of a CronJob.
pub(super) fn cron_job(errors: &mut Errors, cron_job: &Value) {
    cron_spec(errors, cron_job.get("spec"));
    let name = cron_job.at("metadata.name").str_or_empty();
    if name.len() > 52 {
        errors.invalid_str(
            &Path::root("metadata").f("name"),
            name,
            "must be no more than 52 characters",
        );
    }
}

/// `spec` of a new or changed CronJob.
#[inline(never)]
pub(super) fn cron_spec(errors: &mut Errors, spec: &Value) {
    let path = &Path::root("spec");
    let schedule = spec.get("schedule").str_or_empty();
    let schedule_path = &path.f("schedule");
    let zone = spec.get("timeZone");
    if schedule.is_empty() {
        errors.required(schedule_path, "");
    } else if schedule.contains("TZ") {
        let why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
        errors.invalid_str(schedule_path, schedule, why);
    } else if let Err(why) = cron::check(schedule) {
        errors.invalid_str(schedule_path, schedule, &why);
    }
    errors.non_negative(
        &path.f("startingDeadlineSeconds"),
        spec.get("startingDeadlineSeconds"),
    );
    if let Some(zone) = zone.as_str() {
        time_zone(errors, &path.f("timeZone"), zone);
    }
    errors.one_of(
        &path.f("concurrencyPolicy"),
        spec.get("concurrencyPolicy"),
        &["Allow", "Forbid", "Replace"],
    );
    let template_path = path.f("jobTemplate");
    let template = spec.get("jobTemplate");
    let spec_path = &template_path.f("spec");
    let job = template.get("spec");
    job_spec(errors, spec_path, job);
    if job.get("manualSelector").is_true() {
        errors.not_supported_text(&spec_path.f("manualSelector"), "true", &["nil", "false"]);
    }
    for field in ["successfulJobsHistoryLimit", "failedJobsHistoryLimit"] {
        errors.non_negative(&path.f(field), spec.get(field));
    }
}

fn time_zone(errors: &mut Errors, path: &Path<'_>, zone: &str) {
    if zone.is_empty() {
        return errors.invalid_str(path, zone, "timeZone must be nil or non-empty string");
    }
    if zone.eq_ignore_ascii_case("local") {
        errors.invalid_str(
            path,
            zone,
            "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones",
        );
    }
    if !cron::is_time_zone(zone) {
        errors.invalid_str(path, zone, &format!("unknown time zone {zone}"));
    }
}
