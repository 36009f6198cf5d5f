//! StorageObjectInUseProtection: claims and volumes cannot vanish while they are used.
//!
//! Models: plugin/pkg/admission/storage/storageobjectinuseprotection (v1.36)

use super::{Admission, Lookup, Operation};
use podscope_api::{Kind, Status, Value};

/// Adds the finalizer to new claims and volumes.
pub fn admit(a: &mut Admission<'_>, _lookup: &dyn Lookup) -> Result<(), Status> {
    let finalizer = match a.kind {
        Kind::PersistentVolumeClaim => "kubernetes.io/pvc-protection",
        Kind::PersistentVolume => "kubernetes.io/pv-protection",
        _ => return Ok(()),
    };
    if a.operation != Operation::Create || !a.subresource.is_empty() {
        return Ok(());
    }
    let finalizer = Value::str(finalizer);
    if !a
        .object
        .at("metadata.finalizers")
        .items()
        .contains(&finalizer)
    {
        a.object
            .at_mut("metadata.finalizers")
            .list_mut()
            .push(finalizer);
    }
    Ok(())
}
