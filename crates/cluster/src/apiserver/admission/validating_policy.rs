//! ValidatingAdmissionPolicy: rules in CEL that the API server evaluates itself.
//!
//! Models: staging/src/k8s.io/apiserver/pkg/admission/plugin/policy/validating (v1.36)
//! Left out: parameters, variables, audit actions, type checking. CEL is the subset of [`super::cel`].

use super::{Admission, Lookup, cel, webhook};
use podscope_api::{Cause, Kind, Status, Value, value};

/// Evaluates the policies whose bindings include the request.
pub fn admit(a: &mut Admission<'_>, lookup: &dyn Lookup) -> Result<(), Status> {
    if matches!(
        a.kind,
        Kind::ValidatingAdmissionPolicy | Kind::ValidatingAdmissionPolicyBinding
    ) {
        return Ok(());
    }
    for binding in lookup.list(Kind::ValidatingAdmissionPolicyBinding, "") {
        let name = binding.at("spec.policyName").str_or_empty();
        let Some(policy) = lookup.get(Kind::ValidatingAdmissionPolicy, "", name) else {
            continue;
        };
        let constraints = policy.at("spec.matchConstraints");
        if !included(a, lookup, constraints) || !bound(a, lookup, binding.at("spec.matchResources"))
        {
            continue;
        }
        let scope = variables(a, lookup);
        for validation in policy.at("spec.validations").items() {
            let Err(failure) = evaluate(&policy, validation, &scope) else {
                continue;
            };
            act(a, &binding, policy.name(), validation, &failure)?;
        }
    }
    Ok(())
}

fn included(a: &Admission<'_>, lookup: &dyn Lookup, constraints: &Value) -> bool {
    let any = |field: &str| {
        constraints
            .get(field)
            .items()
            .iter()
            .any(|rule| webhook::rule_matches(a, rule))
    };
    any("resourceRules")
        && !any("excludeResourceRules")
        && webhook::selectors_match(a, lookup, constraints)
}

fn bound(a: &Admission<'_>, lookup: &dyn Lookup, resources: &Value) -> bool {
    resources.is_null()
        || ((resources.get("resourceRules").is_empty() || included(a, lookup, resources))
            && webhook::selectors_match(a, lookup, resources))
}

#[inline(never)]
fn variables(a: &Admission<'_>, lookup: &dyn Lookup) -> Vec<(String, Value)> {
    let namespace = lookup.get(Kind::Namespace, "", a.namespace);
    vec![
        ("object".into(), a.object.clone()),
        ("oldObject".into(), a.old.cloned().unwrap_or_default()),
        (
            "request".into(),
            value!({
                "operation": (a.operation.name()),
                "namespace": (a.namespace),
                "name": (a.name()),
                "dryRun": (a.dry_run),
                "userInfo": {
                    "username": (a.user.name.clone()),
                    "groups": (Value::list(a.user.groups.iter().cloned().map(Value::Str)))
                }
            }),
        ),
        (
            "namespaceObject".into(),
            namespace.map_or(Value::Null, |n| n.0.clone()),
        ),
    ]
}

/// One validation: nothing, or the words of its failure.
fn evaluate(policy: &Value, validation: &Value, scope: &[(String, Value)]) -> Result<(), String> {
    let expression = validation.get("expression").str_or_empty();
    match cel::evaluate(expression, scope) {
        Ok(Value::Bool(true)) => Ok(()),
        Ok(_) => Err(message(validation, expression, scope)),
        Err(_) if policy.at("spec.failurePolicy").as_str() == Some("Ignore") => Ok(()),
        Err(why) => Err(format!(
            "expression '{expression}' resulted in error: {why}"
        )),
    }
}

fn message(validation: &Value, expression: &str, scope: &[(String, Value)]) -> String {
    if let Some(by) = validation.get("messageExpression").as_str()
        && let Ok(Value::Str(text)) = cel::evaluate(by, scope)
        && !text.trim().is_empty()
    {
        return text.to_string();
    }
    match validation.get("message").str_or_empty() {
        "" => format!("failed expression: {}", expression.trim()),
        message => message.to_string(),
    }
}

#[inline(never)]
fn act(
    a: &mut Admission<'_>,
    binding: &Value,
    policy: &str,
    validation: &Value,
    failure: &str,
) -> Result<(), Status> {
    let name = binding.at("metadata.name").str_or_empty();
    let text = format!(
        "ValidatingAdmissionPolicy '{policy}' with binding '{name}' denied request: {failure}"
    );
    for action in binding.at("spec.validationActions").items() {
        match action.str_or_empty() {
            "Deny" => return Err(deny(a, &text, validation.get("reason").str_or_empty())),
            "Warn" => a.warnings.push(
                format!("Validation failed for ValidatingAdmissionPolicy '{policy}' with binding '{name}': {failure}").into(),
            ),
            _ => {}
        }
    }
    Ok(())
}

fn deny(a: &Admission<'_>, text: &str, reason: &str) -> Status {
    let (code, reason) = match reason {
        "Unauthorized" => (401, "Unauthorized"),
        "Forbidden" => (403, "Forbidden"),
        "RequestEntityTooLarge" => (413, "RequestEntityTooLarge"),
        _ => (422, "Invalid"),
    };
    let mut status = a.forbidden(text);
    status.code = code;
    status.reason = reason.into();
    status.causes = vec![Cause {
        reason: "".into(),
        message: text.into(),
        field: "".into(),
    }];
    status
}

/// The demonstration policy: every container needs a CPU limit.
#[inline(never)]
pub fn cpu_limits() -> [Value; 2] {
    let expression = "object.spec.containers.all(c, has(c.resources) && has(c.resources.limits) && 'cpu' in c.resources.limits)";
    [
        value!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": "cpu-limits"},
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {
                    "matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {},
                    "resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"],
                        "operations": ["CREATE", "UPDATE"], "resources": ["pods"], "scope": "*"}]
                },
                "validations": [{"expression": (expression), "message": "every container needs a CPU limit"}]
            }
        }),
        value!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": "cpu-limits"},
            "spec": {"policyName": "cpu-limits", "validationActions": ["Deny"]}
        }),
    ]
}
