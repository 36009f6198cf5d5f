//! Faults as the page offers and shows them.

use crate::session::Session;
use crate::view::*;
use podscope_api::{Map, Value};
use podscope_cluster::{TraceEvent, faults};
use std::rc::Rc;

/// The faults that can be injected now, with their targets.
pub fn kinds(session: &Session) -> Rc<[FaultKindView]> {
    let _ = session;
    Vec::new().into()
}

/// The parameters of a fault from its target and the person's choices.
///
/// # Errors
/// An unknown fault or parameter.
pub fn params(kind: &str, target: &str, given: &[(&str, &str)]) -> Result<Value, Refused> {
    let _ = kind;
    let mut params = Map::default();
    if !target.is_empty() {
        params.insert("target", Value::str(target));
    }
    for (key, value) in given {
        params.insert(*key, Value::str(*value));
    }
    Ok(Value::from(params))
}

/// The faults in force.
pub fn views(session: &Session) -> Vec<FaultView> {
    let _ = session;
    Vec::new()
}

/// The name of the fault with this handle.
pub fn name_of(session: &Session, fault: u32) -> Option<Rc<str>> {
    let _ = (session, fault);
    None
}

/// Whether an event silences a machine (`false`: begins, `true`: ends).
pub fn silence(event: &TraceEvent) -> Option<(u16, bool)> {
    let _ = event;
    None
}

/// The names of all kinds.
pub fn names() -> Vec<&'static str> {
    vec!["node-power"]
}

/// One line of help per kind.
pub fn help() -> Vec<String> {
    Vec::new()
}

/// Faults of the journal that were refused, with the reason.
pub fn refused(session: &Session) -> Vec<String> {
    let _ = session;
    Vec::new()
}
