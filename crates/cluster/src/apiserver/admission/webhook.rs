//! MutatingAdmissionWebhook: asks servers outside the API server, which answer with a JSON patch.
//!
//! Models: staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook (v1.36)
//! Left out: match conditions, reinvocation, audit annotations. Who answers a call is the caller's
//! matter ([`Lookup`] gives objects only): the one server that exists in the simulation is [`sidecar`].

use super::{Admission, Lookup};
use podscope_api::status::quote;
use podscope_api::{Kind, PatchType, Selector, Status, Value, json, value};

/// Where the simulation's sidecar injector listens.
pub const SIDECAR_PATH: &str = "/sidecar";

/// How the server behind a configuration's webhooks fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Server {
    /// Nobody listens.
    Down,
    /// It answers after so many seconds.
    Slow(u32),
}

/// How much longer a request takes because of slow webhooks, one after the other.
#[inline(never)]
pub(crate) fn delay(
    api: &crate::apiserver::ApiServer,
    request: &podscope_api::Request,
) -> podscope_kernel::SimDuration {
    let operation = match request.verb {
        podscope_api::Verb::Create => "CREATE",
        podscope_api::Verb::Delete | podscope_api::Verb::DeleteCollection => "DELETE",
        _ => "UPDATE",
    };
    let labels = lookup_labels(api, &request.namespace);
    let mut total = 0;
    for (name, server) in &api.webhooks {
        let key = podscope_api::Key::new("", name.clone());
        let Server::Slow(seconds) = server else {
            continue;
        };
        let Some(configuration) = api.cached_one(Kind::MutatingWebhookConfiguration, &key) else {
            continue;
        };
        for hook in configuration.get("webhooks").items() {
            let rules = hook.get("rules").items();
            let selector = hook.get("namespaceSelector");
            let chosen = selector.is_null()
                || labels.is_null()
                || Selector::from_label_selector(selector).is_ok_and(|s| s.matches(&labels));
            let includes =
                |rule: &Value| includes(rule, request.kind, &request.subresource, operation);
            if chosen && rules.iter().any(includes) {
                total += u64::from(*seconds).min(timeout_seconds(hook));
            }
        }
    }
    podscope_kernel::SimDuration::secs(total)
}

fn lookup_labels(lookup: &dyn Lookup, namespace: &str) -> Value {
    let found = lookup.get(Kind::Namespace, "", namespace);
    found.map_or(Value::Null, |n| n.labels().clone())
}

fn timeout_seconds(hook: &Value) -> u64 {
    let seconds = hook.get("timeoutSeconds").as_int().unwrap_or(10);
    u64::try_from(seconds).unwrap_or(10)
}

/// Calls every matching webhook of every configuration, in the order of their names.
pub fn admit(a: &mut Admission<'_>, lookup: &dyn Lookup) -> Result<(), Status> {
    let own_kind = matches!(
        a.kind,
        Kind::MutatingWebhookConfiguration | Kind::ValidatingWebhookConfiguration
    );
    if own_kind {
        return Ok(());
    }
    for configuration in lookup.list(Kind::MutatingWebhookConfiguration, "") {
        for hook in configuration.get("webhooks").items() {
            if matches(a, lookup, hook) {
                let server = lookup.webhook_server(configuration.name());
                call(a, hook, server)?;
            }
        }
    }
    Ok(())
}

/// Whether rules and selectors of a webhook (or policy) include the request.
pub(super) fn matches(a: &Admission<'_>, lookup: &dyn Lookup, hook: &Value) -> bool {
    hook.get("rules")
        .items()
        .iter()
        .any(|rule| rule_matches(a, rule))
        && selectors_match(a, lookup, hook)
}

/// One rule: API group, version, resource and operation.
#[inline(never)]
pub(super) fn rule_matches(a: &Admission<'_>, rule: &Value) -> bool {
    includes(rule, a.kind, a.subresource, a.operation.name())
}

fn includes(rule: &Value, kind: Kind, subresource: &str, operation: &str) -> bool {
    let has = |field: &str, wanted: &str| {
        rule.get(field)
            .items()
            .iter()
            .any(|v| matches!(v.str_or_empty(), "*" | "*/*") || v.str_or_empty() == wanted)
    };
    let resource = if subresource.is_empty() {
        kind.plural().to_string()
    } else {
        format!("{}/{subresource}", kind.plural())
    };
    has("apiGroups", kind.group())
        && has("apiVersions", kind.version())
        && has("operations", operation)
        && (has("resources", &resource))
}

/// `namespaceSelector` and `objectSelector`.
pub(super) fn selectors_match(a: &Admission<'_>, lookup: &dyn Lookup, hook: &Value) -> bool {
    let selects = |selector: &Value, labels: &Value| {
        selector.is_null()
            || Selector::from_label_selector(selector).is_ok_and(|s| s.matches(labels))
    };
    let namespace = if a.namespace.is_empty() {
        None
    } else {
        lookup.get(Kind::Namespace, "", a.namespace)
    };
    let namespace_labels = namespace.as_ref().map_or(&Value::Null, |n| n.labels());
    (namespace.is_none() || selects(hook.get("namespaceSelector"), namespace_labels))
        && selects(hook.get("objectSelector"), a.object.at("metadata.labels"))
}

/// What is sent to a webhook: an `AdmissionReview`.
pub fn review(a: &Admission<'_>, uid: &str) -> Value {
    let resource = |name: &str, last: &str| {
        let mut v = value!({"group": (a.kind.group()), "version": (a.kind.version())});
        v.set(last, name);
        v
    };
    let mut request = value!({
        "uid": (uid),
        "kind": (resource(a.kind.name(), "kind")),
        "resource": (resource(a.kind.plural(), "resource")),
        "requestKind": (resource(a.kind.name(), "kind")),
        "requestResource": (resource(a.kind.plural(), "resource")),
        "operation": (a.operation.name()),
        "userInfo": {
            "username": (a.user.name.clone()),
            "groups": (Value::list(a.user.groups.iter().cloned().map(Value::Str)))
        },
        "object": (a.object.clone()),
        "oldObject": (a.old.cloned().unwrap_or_default()),
        "dryRun": (a.dry_run)
    });
    let name = a.object.at("metadata.name").str_or_empty();
    if !name.is_empty() {
        request.set("name", name);
    }
    if !a.namespace.is_empty() {
        request.set("namespace", a.namespace);
    }
    value!({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": (request)})
}

/// The URL that a webhook is called at, with the time it may take.
fn url(hook: &Value) -> String {
    let client = hook.get("clientConfig");
    let timeout = hook.get("timeoutSeconds").as_int().unwrap_or(10);
    let base = match client.get("url").as_str() {
        Some(url) => url.to_string(),
        None => {
            let service = client.get("service");
            format!(
                "https://{}.{}.svc:{}{}",
                service.get("name").str_or_empty(),
                service.get("namespace").str_or_empty(),
                service.get("port").as_int().unwrap_or(443),
                service.get("path").str_or_empty()
            )
        }
    };
    format!("{base}?timeout={timeout}s")
}

#[inline(never)]
fn call(a: &mut Admission<'_>, hook: &Value, server: Option<Server>) -> Result<(), Status> {
    let name = hook.get("name").str_or_empty();
    let url = url(hook);
    let path = url.split('?').next().unwrap_or("");
    let late = matches!(server, Some(Server::Slow(s)) if u64::from(s) >= timeout_seconds(hook));
    let answers = !late && server != Some(Server::Down);
    let answer = if answers && path.ends_with(SIDECAR_PATH) {
        sidecar(&review(a, "00000000-0000-0000-0000-000000000000"))
    } else {
        let host = path
            .trim_start_matches("https://")
            .split('/')
            .next()
            .unwrap_or("");
        let why = format!(
            "failed to call webhook: Post {}: {}",
            quote(&url),
            if late {
                "context deadline exceeded".to_string()
            } else {
                format!("dial tcp {host}: connect: connection refused")
            }
        );
        if hook.get("failurePolicy").as_str() == Some("Ignore") {
            return Ok(());
        }
        return Err(Status::new(
            500,
            "InternalError",
            format!(
                "Internal error occurred: failed calling webhook {}: {why}",
                quote(name)
            ),
        ));
    };
    take(a, name, &answer)
}

/// Takes over a webhook's answer.
///
/// # Errors
/// The webhook's refusal.
pub fn take(a: &mut Admission<'_>, name: &str, answer: &Value) -> Result<(), Status> {
    let response = answer.get("response");
    for warning in response.get("warnings").items() {
        if let Some(text) = warning.as_text() {
            a.warnings.push(text.clone());
        }
    }
    if !response.get("allowed").is_true() {
        let status = response.get("status");
        let message = status.get("message").str_or_empty();
        let reason = status.get("reason").str_or_empty();
        let head = format!("admission webhook {} denied the request", quote(name));
        let text = match (message, reason) {
            ("", "") => format!("{head} without explanation"),
            ("", reason) => format!("{head}: {reason}"),
            (message, _) => format!("{head}: {message}"),
        };
        let code = status.get("code").as_int().unwrap_or(400);
        let code = u16::try_from(code).unwrap_or(400);
        return Err(Status::new(code, reason, text));
    }
    let patch = response.get("patch");
    if !patch.is_empty() {
        a.object = podscope_api::patch::apply(PatchType::Json, a.kind.name(), &a.object, patch)?;
    }
    Ok(())
}

/// The simulation's sidecar injector: adds a proxy container to Pods that have none.
/// It answers as a webhook does, except that the patch is given as JSON and not in base64.
pub fn sidecar(review: &Value) -> Value {
    let request = review.get("request");
    let mut response = value!({"allowed": true});
    response.set("uid", request.get("uid").clone());
    let has = request
        .at("object.spec.containers")
        .items()
        .iter()
        .any(|c| c.get("name").as_str() == Some("proxy"));
    if request.at("kind.kind").as_str() == Some("Pod") && !has {
        response.set("patchType", "JSONPatch");
        response.set(
            "patch",
            value!([{"op": "add", "path": "/spec/containers/-", "value": {
                "name": "proxy", "image": "envoy:1.30",
                "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}}
            }}]),
        );
    }
    value!({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "response": (response)})
}

/// The configuration that puts the sidecar injector into the namespace `default`.
#[inline(never)]
pub fn sidecar_configuration() -> Value {
    value!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "sidecar-injector"},
        "webhooks": [{
            "name": "sidecar.podscope.example",
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "failurePolicy": "Fail",
            "timeoutSeconds": 5,
            "matchPolicy": "Equivalent",
            "reinvocationPolicy": "Never",
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}},
            "objectSelector": {},
            "clientConfig": {"url": "https://127.0.0.1:9999/sidecar"},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
                "resources": ["pods"], "scope": "*"}]
        }]
    })
}

/// A patch as the trace shows it.
pub fn patch_text(answer: &Value) -> String {
    json::to_string(answer.at("response.patch"))
}
