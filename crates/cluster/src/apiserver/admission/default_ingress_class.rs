//! DefaultIngressClass: Ingresses without a class get the default one.
//!
//! Models: plugin/pkg/admission/network/defaultingressclass (v1.36)

use super::{Admission, Lookup, Operation};
use podscope_api::{Kind, Status};

/// Sets `spec.ingressClassName` of a new Ingress.
pub fn admit(a: &mut Admission<'_>, lookup: &dyn Lookup) -> Result<(), Status> {
    if a.kind != Kind::Ingress
        || a.operation != Operation::Create
        || !a.object.at("spec.ingressClassName").is_null()
        || !a
            .object
            .at("metadata.annotations")
            .get("kubernetes.io/ingress.class")
            .is_null()
    {
        return Ok(());
    }
    let key = "ingressclass.kubernetes.io/is-default-class";
    let mut defaults: Vec<_> = lookup
        .list(Kind::IngressClass, "")
        .into_iter()
        .filter(|c| c.annotation(key) == Some("true"))
        .collect();
    podscope_api::sort::by(&mut defaults, |x, y| {
        y.created().cmp(&x.created()).then(x.name().cmp(y.name()))
    });
    if let Some(class) = defaults.first() {
        a.object.set("spec.ingressClassName", class.name());
    }
    Ok(())
}
