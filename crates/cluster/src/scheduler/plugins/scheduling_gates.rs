//! PreEnqueue: who may hold a Pod back before it is tried at all, and why.
//!
//! SchedulingGates holds Pods with gates, DynamicResources Pods whose resource claims do not exist yet. (A third,
//! DefaultPreemption, holds a Pod while its victims are being deleted: `scheduler/component/preemption.rs`.)
//!
//! Models: `pkg/scheduler/framework/plugins/{schedulinggates,dynamicresources}` (v1.36). Left out: resource claims
//! themselves, which are not served, so that a Pod that names one waits for it.

use podscope_api::Object;

/// Why a Pod may not be tried, in Kubernetes' words; empty when it may.
pub fn pre_enqueue(pod: &Object) -> String {
    let gates = pod.spec().get("schedulingGates").items();
    if !gates.is_empty() {
        let names: Vec<&str> = gates
            .iter()
            .map(|gate| gate.get("name").str_or_empty())
            .collect();
        return ["waiting for scheduling gates: [", &names.join(" "), "]"].concat();
    }
    match pod.spec().get("resourceClaims").items() {
        [] => String::new(),
        [first, ..] => missing_claim(pod, first.get("resourceClaimName").str_or_empty()),
    }
}

/// The plugin that may not let the Pod be tried; empty when none minds.
pub fn pre_enqueue_plugin(pod: &Object) -> &'static str {
    let has = |field: &str| !pod.spec().get(field).items().is_empty();
    match () {
        () if has("schedulingGates") => "SchedulingGates",
        () if has("resourceClaims") => "DynamicResources",
        () => "",
    }
}

/// A claim that the Pod names, or (with an empty name) one that is to be made from a template.
#[inline(never)]
fn missing_claim(pod: &Object, claim: &str) -> String {
    let (namespace, name) = (pod.namespace(), pod.name());
    if claim.is_empty() {
        return format!("pod \"{namespace}/{name}\": ResourceClaim not created yet");
    }
    format!("could not find ResourceClaim \"{namespace}/{claim}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use podscope_api::value;

    #[test]
    fn gates_and_missing_claims_hold_a_pod_back() {
        let pod = |spec| {
            pre_enqueue(&Object(
                value!({"metadata": {"name": "p", "namespace": "n"}, "spec": (spec)}),
            ))
        };
        assert_eq!(pod(value!({})), "");
        let gates = value!({"schedulingGates": [{"name": "a.b/c"}, {"name": "d"}]});
        assert_eq!(pod(gates), "waiting for scheduling gates: [a.b/c d]");
        let named = value!({"resourceClaims": [{"name": "gpu", "resourceClaimName": "big"}]});
        assert_eq!(pod(named), "could not find ResourceClaim \"n/big\"");
        let template =
            value!({"resourceClaims": [{"name": "gpu", "resourceClaimTemplateName": "t"}]});
        assert_eq!(pod(template), "pod \"n/p\": ResourceClaim not created yet");
    }
}
