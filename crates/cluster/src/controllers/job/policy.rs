//! What a Pod's failure means for its Job: podFailurePolicy, and when a successPolicy is met.
//!
//! Models: pkg/controller/job/{pod_failure_policy.go,success_policy.go} (v1.36)

use super::index;
use podscope_api::{Object, Value};
use podscope_kernel::collections::BTreeSet;

/// What a failed Pod does to its Job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It counts towards the limit.
    Counts,
    /// It does not count.
    Ignored,
    /// Its index is not tried again.
    FailsIndex,
    /// The Job fails, in these words.
    FailsJob(String),
}

/// The first rule that fits decides; without one the failure counts.
pub fn verdict(job: &Object, pod: &Object) -> Verdict {
    let rules = job.at("spec.podFailurePolicy.rules").items();
    let place = format!("{}/{}", pod.namespace(), pod.name());
    for (i, rule) in rules.iter().enumerate() {
        let codes = rule.get("onExitCodes");
        let exit = (!codes.is_null()).then(|| exited(codes, pod)).flatten();
        let conditions = rule.get("onPodConditions").items().iter();
        let condition = conditions.clone().find(|wanted| {
            let status = pod
                .condition(wanted.get("type").str_or_empty())
                .get("status");
            status.as_str() == Some(wanted.get("status").as_str().unwrap_or("True"))
        });
        let what = match (exit, condition) {
            (Some((container, code)), _) => {
                format!("Container {container} for pod {place} failed with exit code {code}")
            }
            (None, Some(condition)) => {
                let name = condition.get("type").str_or_empty();
                format!("Pod {place} has condition {name}")
            }
            (None, None) => continue,
        };
        let action = rule.get("action").str_or_empty();
        return match action {
            "Ignore" => Verdict::Ignored,
            "FailIndex" => Verdict::FailsIndex,
            "FailJob" => Verdict::FailsJob(format!("{what} matching {action} rule at index {i}")),
            _ => Verdict::Counts,
        };
    }
    Verdict::Counts
}

/// The first container whose exit code is meant, with the code.
fn exited<'a>(rule: &Value, pod: &'a Object) -> Option<(&'a str, i64)> {
    let wanted = rule.get("containerName").as_str();
    let lists = ["status.containerStatuses", "status.initContainerStatuses"];
    let mut all = lists.iter().flat_map(|list| pod.at(list).items());
    all.find_map(|status| {
        let name = status.get("name").str_or_empty();
        let code = status.at("state.terminated.exitCode").as_int()?;
        let listed = rule.get("values").items().iter();
        let listed = listed.clone().any(|v| v.as_int() == Some(code));
        let fits = match rule.get("operator").str_or_empty() {
            "In" => listed,
            "NotIn" => !listed,
            _ => false,
        };
        (wanted.is_none_or(|w| w == name) && code != 0 && fits).then_some((name, code))
    })
}

/// The words of the first rule of the successPolicy that is met.
pub fn success(job: &Object, succeeded: &BTreeSet<i64>, completions: i64) -> Option<String> {
    let rules = job.at("spec.successPolicy.rules").items();
    let met = |rule: &Value| {
        let listed = rule.get("succeededIndexes").as_str();
        let count = rule.get("succeededCount").as_int();
        let among = match listed {
            Some(text) => index::parse(text, completions),
            None => (0..completions.min(100_000)).collect(),
        };
        let done = among.iter().filter(|i| succeeded.contains(i)).count();
        match count {
            Some(count) => i64::try_from(done).unwrap_or(i64::MAX) >= count,
            None => listed.is_some() && done == among.len(),
        }
    };
    let i = rules.iter().position(met)?;
    Some(format!("Matched rules at index {i}"))
}
