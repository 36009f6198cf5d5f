//! The three patch formats of the API, and how `kubectl apply` computes a patch.
//!
//! Models: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go (v1.36)

mod diff;
mod json_patch;
mod keys;
mod list;
mod strategic;

pub use diff::{three_way_merge, three_way_strategic, two_way_strategic};
pub use keys::{Rule, rule};
pub use strategic::strategic;

use crate::request::PatchType;
use crate::status::Status;
use crate::value::Value;

/// Applies a patch of any type but server-side apply to an object of the kind named `kind`.
/// The result is not decoded, defaulted or validated.
///
/// # Errors
/// The server's refusal: 400 for a malformed patch, 422 for one that does not fit the object,
/// 500 for an unknown directive.
pub fn apply(
    patch_type: PatchType,
    kind: &str,
    object: &Value,
    patch: &Value,
) -> Result<Value, Status> {
    match patch_type {
        PatchType::Json => json_patch::apply(object, patch),
        PatchType::Merge => Ok(merge(object, patch)),
        PatchType::Strategic => strategic(kind, object, patch),
        PatchType::Apply => Err(Status::bad_request(
            "server-side apply is not a patch of fields",
        )),
    }
}

/// A JSON merge patch (RFC 7386) applied to a document.
#[inline(never)]
pub fn merge(document: &Value, patch: &Value) -> Value {
    let Some(fields) = patch.as_map() else {
        return patch.clone();
    };
    let mut result = document.clone();
    let target = result.map_mut();
    for (key, change) in fields.entries() {
        if change.is_null() {
            target.remove(key);
        } else {
            let merged = merge(target.get(key).unwrap_or(&Value::Null), change);
            target.insert(key.clone(), merged);
        }
    }
    result
}

/// The 422 of a patch that cannot be applied: its own reason stays in the server's log.
fn unprocessable() -> Status {
    let mut status = Status::new(
        422,
        "Invalid",
        "the server rejected our request due to an error in our request",
    );
    status.details = Value::map();
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    #[test]
    fn merge_patch_removes_replaces_and_adds() {
        let got = merge(
            &value!({"a": 1, "b": {"c": 2, "d": [1]}, "e": "x"}),
            &value!({"a": null, "b": {"d": [2], "n": {"z": null, "y": 1}}, "e": {"f": 1}}),
        );
        assert_eq!(
            got,
            value!({"b": {"c": 2, "d": [2], "n": {"y": 1}}, "e": {"f": 1}})
        );
    }
}
