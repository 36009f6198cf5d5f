//! May this user do this? Node authorizer, then RBAC; and the request's priority level.
//!
//! Models: plugin/pkg/auth/authorizer/{node,rbac}, pkg/apis/flowcontrol/bootstrap (v1.36)

use super::{ApiServer, resource};
use crate::component::User;
use podscope_api::{Kind, Object, Request, Status, Text, Value, Verb};

/// The group that may do everything.
pub const MASTERS: &str = "system:masters";
/// The group of kubelets.
pub const NODES: &str = "system:nodes";

/// Decides; the reason is for the person who watches.
///
/// # Errors
/// `403 Forbidden` in the server's words.
pub fn authorize(user: &User, request: &Request, api: &ApiServer) -> Result<Text, Status> {
    if user.groups.iter().any(|g| &**g == MASTERS) {
        return Ok("group system:masters may do everything".into());
    }
    if user.groups.iter().any(|g| &**g == NODES) && node_may(user, request) {
        return Ok("Node authorizer: it concerns this node".into());
    }
    if let Some(rule) = rbac(user, request, api) {
        return Ok(rule);
    }
    Err(denied(user, request))
}

#[inline(never)]
fn denied(user: &User, request: &Request) -> Status {
    let place = if request.kind.namespaced() && !request.namespace.is_empty() {
        format!(
            " in the namespace {}",
            podscope_api::status::quote(&request.namespace)
        )
    } else {
        " at the cluster scope".to_string()
    };
    let why = format!(
        "User {} cannot {} resource {} in API group {}{place}",
        podscope_api::status::quote(&user.name),
        request.verb.name(),
        podscope_api::status::quote(&resource(request)),
        podscope_api::status::quote(request.kind.group()),
    );
    Status::forbidden(
        request.kind.group(),
        request.kind.plural(),
        &request.name,
        &why,
    )
}

/// What the Node authorizer and NodeRestriction let a kubelet do.
fn node_may(user: &User, request: &Request) -> bool {
    let node = user.name.strip_prefix("system:node:").unwrap_or("");
    match request.kind {
        Kind::Node => !request.verb.writes() || request.name.is_empty() || &*request.name == node,
        Kind::Lease => {
            &*request.namespace == "kube-node-lease"
                && (request.name.is_empty() || &*request.name == node)
        }
        Kind::Pod => request.verb != Verb::Create || &*request.subresource == "eviction",
        Kind::Event => request.verb.writes(),
        Kind::ServiceAccount => &*request.subresource == "token" || !request.verb.writes(),
        Kind::Secret
        | Kind::ConfigMap
        | Kind::Service
        | Kind::RuntimeClass
        | Kind::PersistentVolumeClaim
        | Kind::PersistentVolume => !request.verb.writes(),
        _ => false,
    }
}

fn subjects_include(user: &User, binding: &Object) -> bool {
    binding.get("subjects").items().iter().any(|s| {
        let name = s.get("name").str_or_empty();
        match s.get("kind").str_or_empty() {
            "User" => *name == *user.name,
            "Group" => user.groups.iter().any(|g| **g == *name),
            "ServiceAccount" => {
                let account = user.name.strip_prefix("system:serviceaccount:");
                account.and_then(|a| a.split_once(':'))
                    == Some((s.get("namespace").str_or_empty(), name))
            }
            _ => false,
        }
    })
}

fn rule_allows(rule: &Value, request: &Request) -> bool {
    let has = |field: &str, wanted: &str| {
        rule.get(field)
            .items()
            .iter()
            .any(|v| v.as_str().is_some_and(|s| s == "*" || s == wanted))
    };
    let names = rule.get("resourceNames").items();
    let named = |resources: &Value| {
        resources.items().iter().any(|v| match v.str_or_empty() {
            "*" => true,
            text => match text.split_once('/') {
                None => request.subresource.is_empty() && text == request.kind.plural(),
                Some((resource, subresource)) => {
                    !request.subresource.is_empty()
                        && *subresource == *request.subresource
                        && (resource == "*" || resource == request.kind.plural())
                }
            },
        })
    };
    has("verbs", request.verb.name())
        && has("apiGroups", request.kind.group())
        && named(rule.get("resources"))
        && (names.is_empty() || names.iter().any(|n| n.as_str() == Some(&*request.name)))
}

fn rbac(user: &User, request: &Request, api: &ApiServer) -> Option<Text> {
    let role_allows = |binding: &Object, namespace: &str| -> Option<Text> {
        if !subjects_include(user, binding) {
            return None;
        }
        let role_ref = binding.get("roleRef");
        let name = role_ref.get("name").str_or_empty();
        let (kind, scope) = match role_ref.get("kind").str_or_empty() {
            "ClusterRole" => (Kind::ClusterRole, ""),
            _ => (Kind::Role, namespace),
        };
        let role = api.cached_one(kind, &podscope_api::Key::new(scope, name))?;
        role.get("rules")
            .items()
            .iter()
            .any(|r| rule_allows(r, request))
            .then(|| {
                format!(
                    "RBAC: {} {:?} of {} {:?}",
                    kind.name(),
                    name,
                    binding.get("kind").str_or_empty(),
                    binding.name()
                )
                .into()
            })
    };
    if let Some(reason) = api
        .cached(Kind::ClusterRoleBinding)
        .find_map(|b| role_allows(b, ""))
    {
        return Some(reason);
    }
    if request.namespace.is_empty() {
        return None;
    }
    api.cached(Kind::RoleBinding)
        .filter(|b| b.namespace() == &*request.namespace)
        .find_map(|b| role_allows(b, &request.namespace))
}

/// The priority level of the mandatory and suggested configuration that a request falls into.
pub fn priority_level(user: &User, request: &Request) -> &'static str {
    let in_group = |g: &str| user.groups.iter().any(|x| &**x == g);
    if in_group(MASTERS) {
        return "exempt";
    }
    if in_group(NODES) {
        let heartbeat = matches!(request.kind, Kind::Node | Kind::Lease);
        return if heartbeat { "node-high" } else { "system" };
    }
    let leader = request.kind == Kind::Lease && &*request.namespace == "kube-system";
    if leader && user.name.starts_with("system:kube-") {
        return "leader-election";
    }
    if user.name.starts_with("system:serviceaccount:kube-system:")
        || &*user.name == "system:kube-scheduler"
        || &*user.name == "system:kube-controller-manager"
    {
        return "workload-high";
    }
    if user.name.starts_with("system:serviceaccount:") {
        return "workload-low";
    }
    "global-default"
}
