//! Defaults of Services.
//!
//! Models: pkg/apis/core/v1/defaults.go SetDefaults_Service (v1.36)

use super::{each, set};
use crate::apiserver::validation::service::externally_accessible;
use podscope_api::Value;

/// A Service.
#[inline(never)]
pub(super) fn service(object: &mut Value) {
    let spec = object.entry("spec");
    set(spec, "sessionAffinity", "None");
    match spec.get("sessionAffinity").str_or_empty() {
        "None" => {
            spec.remove("sessionAffinityConfig");
        }
        "ClientIP" => set(
            spec,
            "sessionAffinityConfig.clientIP.timeoutSeconds",
            10_800,
        ),
        _ => {}
    }
    set(spec, "type", "ClusterIP");
    each(spec, "ports", |port| {
        set(port, "protocol", "TCP");
        if port.get("targetPort").is_empty() {
            let own = port.get("port").as_int().unwrap_or(0);
            port.set("targetPort", own);
        }
    });
    if externally_accessible(spec) {
        set(spec, "externalTrafficPolicy", "Cluster");
    }
    let kind = spec.get("type").str_or_empty();
    let load_balancer = kind == "LoadBalancer";
    if ["NodePort", "LoadBalancer", "ClusterIP"].contains(&kind)
        && spec.get("internalTrafficPolicy").is_null()
    {
        spec.set("internalTrafficPolicy", "Cluster");
    }
    if load_balancer {
        set(spec, "allocateLoadBalancerNodePorts", true);
    }
}
