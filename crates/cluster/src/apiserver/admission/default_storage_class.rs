//! DefaultStorageClass: claims without a class get the default one.
//!
//! Models: plugin/pkg/admission/storage/storageclass/setdefault (v1.36)

use super::{Admission, Lookup, Operation};
use podscope_api::{Kind, Status};

const ANNOTATIONS: [&str; 2] = [
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
];

/// Sets `spec.storageClassName` of a new claim; of several default classes the newest wins.
pub fn admit(a: &mut Admission<'_>, lookup: &dyn Lookup) -> Result<(), Status> {
    if a.kind != Kind::PersistentVolumeClaim
        || a.operation != Operation::Create
        || !a.subresource.is_empty()
        || !a.object.at("spec.storageClassName").is_null()
    {
        return Ok(());
    }
    let mut defaults: Vec<_> = lookup
        .list(Kind::StorageClass, "")
        .into_iter()
        .filter(|c| {
            ANNOTATIONS
                .iter()
                .any(|key| c.annotation(key) == Some("true"))
        })
        .collect();
    podscope_api::sort::by(&mut defaults, |x, y| {
        y.created().cmp(&x.created()).then(x.name().cmp(y.name()))
    });
    if let Some(class) = defaults.first() {
        a.object.set("spec.storageClassName", class.name());
    }
    Ok(())
}
