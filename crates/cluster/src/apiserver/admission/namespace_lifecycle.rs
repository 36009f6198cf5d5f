//! NamespaceLifecycle: objects need a namespace that exists and is not going away.
//!
//! Models: staging/src/k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle (v1.36)

use super::{Admission, Lookup, Operation};
use podscope_api::{Cause, Kind, Status};

/// Namespaces that cannot be deleted.
const IMMORTAL: &[&str] = &["default", "kube-system", "kube-public"];

/// Refuses new objects in missing or terminating namespaces and the deletion of immortal ones.
pub fn admit(a: &mut Admission<'_>, lookup: &dyn Lookup) -> Result<(), Status> {
    if a.kind == Kind::Namespace {
        if a.operation == Operation::Delete && IMMORTAL.contains(&a.name()) {
            return Err(a.forbidden("this namespace may not be deleted"));
        }
        return Ok(());
    }
    if a.namespace.is_empty() || a.operation == Operation::Delete {
        return Ok(());
    }
    let Some(namespace) = lookup.get(Kind::Namespace, "", a.namespace) else {
        return Err(Status::not_found("", "namespaces", a.namespace));
    };
    let terminating = namespace.at("status.phase").as_str() == Some("Terminating");
    if a.operation == Operation::Create && terminating {
        let why = format!(
            "unable to create new content in namespace {} because it is being terminated",
            a.namespace
        );
        let mut status = a.forbidden(&why);
        status.causes.push(Cause {
            reason: "NamespaceTerminating".into(),
            message: format!("namespace {} is being terminated", a.namespace).into(),
            field: "metadata.namespace".into(),
        });
        return Err(status);
    }
    Ok(())
}
