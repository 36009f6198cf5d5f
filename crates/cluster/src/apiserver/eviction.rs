//! `POST pods/NAME/eviction`: asks the Pod's disruption budget, then deletes the Pod.
//!
//! Up to three writes, one after the other: the budget's status counts the disruption, the Pod gets the
//! condition DisruptionTarget, the Pod is deleted.
//!
//! Models: pkg/registry/core/pod/storage/eviction.go (v1.36)

use super::write::{Decision, answered};
use super::{ApiServer, InFlight, Progress, refuse, special};
use crate::etcd::Etcd;
use crate::sim::Ctx;
use crate::trace::RequestId;
use podscope_api::selector::Selector;
use podscope_api::{Cause, Key, Kind, Object, Request, Status, Timestamp, Value, value};
use std::rc::Rc;

const BLOCKED: &str = "Cannot evict pod as it would violate the pod's disruption budget.";
/// How many disruptions a budget may have under way.
const MOST: usize = 2000;

/// What a budget says to an eviction.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    /// It need not be asked.
    Free,
    /// It allows it: the budget with one disruption less.
    Allowed(Box<Object>),
}

/// A budget's condition, by whether it allows disruptions now; true when that changed it.
pub fn allowed_condition(budget: &mut Object, failed: Option<&str>, now: Timestamp) -> bool {
    let allowed = budget.at("status.disruptionsAllowed").as_int().unwrap_or(0);
    let (status, reason) = match failed {
        Some(_) => ("False", "SyncFailed"),
        None if allowed > 0 => ("True", "SufficientPods"),
        None => ("False", "InsufficientPods"),
    };
    let old = budget.condition("DisruptionAllowed");
    let same = old.get("status").as_str() == Some(status);
    let since = match old.get("lastTransitionTime") {
        at if same && !at.is_null() => at.clone(),
        _ => now.seconds_text().into(),
    };
    let condition = value!({
        "type": "DisruptionAllowed", "status": (status), "reason": (reason),
        "message": (failed.unwrap_or("")), "observedGeneration": (budget.generation()),
        "lastTransitionTime": (since)
    });
    if *old == condition {
        return false;
    }
    special::set_condition(budget, condition);
    true
}

fn blocked(why: String, retry_after: Option<i64>) -> Status {
    let mut status = Status::new(429, "TooManyRequests", BLOCKED);
    if let Some(seconds) = retry_after {
        status.details = value!({"retryAfterSeconds": (seconds)});
    }
    status.causes.push(Cause {
        reason: "DisruptionBudget".into(),
        message: why.into(),
        field: "".into(),
    });
    status
}

/// Asks the budget that selects the Pod.
fn ask(pod: &Object, budgets: &[Rc<Object>], now: Timestamp) -> Result<Verdict, Status> {
    let phase = pod.at("status.phase").str_or_empty();
    if matches!(phase, "Succeeded" | "Failed" | "Pending") || pod.is_being_deleted() {
        return Ok(Verdict::Free);
    }
    let budget = match budgets {
        [] => return Ok(Verdict::Free),
        [budget] => budget,
        _ => {
            let message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
            return Err(Status::new(500, "InternalError", message));
        }
    };
    let count = |field: &str| budget.status().get(field).as_int().unwrap_or(0);
    let name = budget.name();
    if !pod.condition_true("Ready") {
        let policy = budget.at("spec.unhealthyPodEvictionPolicy").as_str();
        let (current, desired) = (count("currentHealthy"), count("desiredHealthy"));
        if policy == Some("AlwaysAllow") || (current >= desired && desired > 0) {
            return Ok(Verdict::Free);
        }
    }
    if count("observedGeneration") < budget.generation() {
        let why = format!("The disruption budget {name} is still being processed by the server.");
        return Err(blocked(why, Some(10)));
    }
    let allowed = count("disruptionsAllowed");
    let forbidden = |why: &str| Status::forbidden("policy", "poddisruptionbudgets", name, why);
    if allowed < 0 {
        return Err(forbidden("pdb disruptions allowed is negative"));
    }
    if budget.at("status.disruptedPods").entries().len() > MOST {
        let why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller";
        return Err(forbidden(why));
    }
    if allowed == 0 {
        let condition = budget.condition("DisruptionAllowed");
        let why = if condition.get("reason").as_str() == Some("SyncFailed") {
            let message = condition.get("message").str_or_empty();
            format!(
                "The disruption budget {name} does not allow evicting pods currently because it failed sync: {message}"
            )
        } else {
            let (desired, current) = (count("desiredHealthy"), count("currentHealthy"));
            format!(
                "The disruption budget {name} needs {desired} healthy pods and has {current} currently"
            )
        };
        return Err(blocked(why, None));
    }
    let mut budget = (**budget).clone();
    budget.set("status.disruptionsAllowed", allowed - 1);
    if allowed == 1 {
        allowed_condition(&mut budget, None, now);
    }
    let pods = budget.at_mut("status.disruptedPods").map_mut();
    pods.insert(pod.key().name, Value::str(now.seconds_text()));
    Ok(Verdict::Allowed(Box::new(budget)))
}

/// The Pod with the condition that tells why it goes.
fn targeted(pod: &Object, now: Timestamp) -> Object {
    let mut pod = pod.clone();
    let mut condition = value!({
        "type": "DisruptionTarget", "status": "True", "lastProbeTime": null,
        "lastTransitionTime": (now.seconds_text()),
        "reason": "EvictionByEvictionAPI", "message": "Eviction API: evicting"
    });
    let old = pod.condition("DisruptionTarget");
    if old.get("status").as_str() == Some("True") {
        condition.set("lastTransitionTime", old.get("lastTransitionTime").clone());
    }
    special::set_condition(&mut pod, condition);
    pod
}

impl ApiServer {
    /// Does the next of an eviction's writes.
    #[inline(never)]
    pub(crate) fn evict(
        &mut self,
        ctx: &mut Ctx<'_>,
        etcd: &mut Etcd,
        id: RequestId,
        flight: &mut InFlight,
        request: &Request,
        body: &Object,
    ) -> Progress {
        let key = Key::new(request.namespace.clone(), request.name.clone());
        let Some(stored) = etcd.get(Kind::Pod, &key) else {
            return refuse(ctx, id, "storage", super::not_found(Kind::Pod, &key.name));
        };
        let (pod, revision) = (stored.object.clone(), stored.mod_revision);
        let named = body.name();
        if !named.is_empty() && named != &*key.name {
            let why = "name in URL does not match name in Eviction object";
            return refuse(ctx, id, "validate", Status::bad_request(why));
        }
        let dry = request.options.dry_run || !body.at("deleteOptions.dryRun").items().is_empty();
        let now = ctx.wall();
        if flight.step == 0 {
            let selects = |budget: &&Rc<Object>| {
                let selector = budget.at("spec.selector");
                budget.namespace() == &*key.namespace
                    && Selector::from_label_selector(selector)
                        .is_ok_and(|s| s.matches(pod.labels()))
            };
            let budgets = self.cached(Kind::PodDisruptionBudget).filter(selects);
            let budgets: Vec<Rc<Object>> = budgets.cloned().collect();
            let verdict = match ask(&pod, &budgets, now) {
                Ok(verdict) => verdict,
                Err(status) => return refuse(ctx, id, "storage", status),
            };
            if let (Verdict::Allowed(budget), false) = (verdict, dry) {
                flight.more = true;
                let revision = budget.resource_version();
                let key = budget.key();
                let decision = Decision {
                    object: Some(*budget),
                    code: 200,
                    answer: None,
                };
                let kind = Kind::PodDisruptionBudget;
                return self.store(
                    ctx,
                    etcd,
                    id,
                    flight,
                    kind,
                    key,
                    decision,
                    Some((revision, false)),
                );
            }
        }
        let success = Object(value!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201
        }));
        if dry {
            return answered(201, success, flight);
        }
        if flight.step <= 1 {
            let object = targeted(&pod, now);
            if object != *pod {
                (flight.step, flight.more) = (1, true);
                let decision = Decision {
                    object: Some(object),
                    code: 200,
                    answer: None,
                };
                return self.store(
                    ctx,
                    etcd,
                    id,
                    flight,
                    Kind::Pod,
                    key,
                    decision,
                    Some((revision, false)),
                );
            }
        }
        flight.step = 2;
        let mut delete =
            Request::delete(Kind::Pod, request.namespace.clone(), request.name.clone());
        delete.options = request.options.clone();
        let grace = body.at("deleteOptions.gracePeriodSeconds").as_int();
        if grace.is_some() {
            delete.options.grace_period_seconds = grace;
        }
        let progress = self.delete(ctx, etcd, id, flight, &delete);
        if let Some(pending) = &mut flight.pending {
            pending.code = 201;
            pending.answer = Some(success);
        }
        progress
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(ready: &str) -> Object {
        Object(
            value!({"metadata": {"name": "p", "namespace": "d", "labels": {"a": "b"}},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": (ready)}]}}),
        )
    }
    fn budget(allowed: i64, current: i64, desired: i64) -> Rc<Object> {
        Rc::new(Object(value!({
            "metadata": {"name": "web", "namespace": "d", "generation": 1},
            "status": {"observedGeneration": 1, "disruptionsAllowed": (allowed),
                "currentHealthy": (current), "desiredHealthy": (desired)}
        })))
    }

    #[test]
    fn a_budget_allows_or_refuses() {
        let now = Timestamp(0);
        let refused = |pod: &Object, budgets: &[Rc<Object>]| {
            ask(pod, budgets, now).err().map(|status| {
                let cause = status.causes.first().map(|c| c.message.to_string());
                (status.code, cause.unwrap_or_default())
            })
        };
        let why = "The disruption budget web needs 2 healthy pods and has 2 currently";
        assert_eq!(
            refused(&pod("True"), &[budget(0, 2, 2)]),
            Some((429, why.into()))
        );
        assert_eq!(
            refused(&pod("False"), &[budget(0, 2, 2)]),
            None,
            "it is not healthy anyway"
        );
        assert_eq!(
            refused(&pod("False"), &[budget(0, 1, 2)]).map(|r| r.0),
            Some(429)
        );
        assert_eq!(refused(&pod("True"), &[]), None);
        assert_eq!(
            refused(&pod("True"), &[budget(1, 2, 1), budget(1, 2, 1)]).map(|r| r.0),
            Some(500)
        );
        match ask(&pod("True"), &[budget(1, 3, 2)], now) {
            Ok(Verdict::Allowed(budget)) => {
                assert_eq!(budget.at("status.disruptionsAllowed").as_int(), Some(0));
                assert!(!budget.at("status.disruptedPods.p").is_null());
                assert_eq!(
                    budget.condition("DisruptionAllowed").get("status").as_str(),
                    Some("False")
                );
            }
            other => panic!("{other:?}"),
        }
    }
}
