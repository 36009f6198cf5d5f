//! What cannot be is refused with a sentence, for every kind of fault.

use super::super::{Accepts, KINDS, Target};
use super::*;

#[test]
fn every_kind_refuses_what_cannot_be() {
    let mut cluster = one_node();
    on(&mut cluster, 2);
    for kind in KINDS {
        let nobody = match kind.target {
            Target::None => value!({"target": "something"}),
            Target::Image => value!({"target": "A B"}),
            _ => value!({"target": "nobody"}),
        };
        inject(&mut cluster, kind.name, "f", nobody);
        let why = refused(&cluster.take_trace()).unwrap_or_default();
        assert!(why.len() > 8, "{}: \"{why}\"", kind.name);
        let first = super::super::targets(&cluster, kind).into_iter().next();
        for param in kind.params {
            if matches!(param.accepts, Accepts::Container) {
                continue;
            }
            let mut params = Value::map();
            if let Some(target) = first.as_ref().filter(|t| !t.is_empty()) {
                params.set("target", target.clone());
            }
            params.set(param.name, "nonsense");
            inject(&mut cluster, kind.name, "f", params);
            let why = refused(&cluster.take_trace()).unwrap_or_default();
            assert!(!why.is_empty(), "{} {}", kind.name, param.name);
        }
        heal(&mut cluster, "f");
        let why = refused(&cluster.take_trace()).unwrap_or_default();
        assert!(
            why.contains("in force"),
            "{}: healed without being there",
            kind.name
        );
    }
    assert!(super::super::active(&cluster).is_empty());
}
