//! Defaults of Jobs and CronJobs.
//!
//! Models: pkg/apis/batch/v1/defaults.go (v1.36)

use super::{each, pod, set};
use podscope_api::Value;

/// A Job.
#[inline(never)]
pub(super) fn job(object: &mut Value) {
    job_spec(object.entry("spec"));
    let spec = object.entry("spec");
    // Completions and parallelism belong together: nothing given means one of each.
    if spec.get("completions").is_null() && spec.get("parallelism").is_null() {
        spec.set("completions", 1);
    }
    set(spec, "parallelism", 1);
    // With a limit per index the total is left open.
    let backoff = match spec.get("backoffLimitPerIndex") {
        Value::Null => 6,
        _ => i64::from(i32::MAX),
    };
    set(spec, "backoffLimit", backoff);
    set(spec, "completionMode", "NonIndexed");
    set(spec, "suspend", false);
    let replacement = match spec.get("podFailurePolicy") {
        Value::Null => "TerminatingOrFailed",
        _ => "Failed",
    };
    set(spec, "podReplacementPolicy", replacement);
    set(spec, "manualSelector", false);
}

#[inline(never)]
fn job_spec(spec: &mut Value) {
    pod::template(spec.entry("template"));
    if !spec.get("podFailurePolicy").is_null() {
        each(spec.entry("podFailurePolicy"), "rules", |rule| {
            each(rule, "onPodConditions", |condition| {
                set(condition, "status", "True")
            });
        });
    }
}

/// A CronJob.
pub(super) fn cron_job(object: &mut Value) {
    let spec = object.entry("spec");
    set(spec, "concurrencyPolicy", "Allow");
    set(spec, "suspend", false);
    set(spec, "successfulJobsHistoryLimit", 3);
    set(spec, "failedJobsHistoryLimit", 1);
    job_spec(spec.at_mut("jobTemplate.spec"));
}
