//! Faults: what can be broken, each in a file of its own, and how it is mended.

use crate::trace::TraceId;
use crate::world::Cluster;
use podscope_api::{Text, Value};

/// Breaks something.
pub(crate) fn inject(_cluster: &mut Cluster, _kind: &str, _name: &Text, _params: &Value) {}

/// Mends what was broken under this name.
pub(crate) fn heal(_cluster: &mut Cluster, _name: &str) {}

/// A fault's own time has come.
pub(crate) fn due(_cluster: &mut Cluster, _name: &str, _cause: Option<TraceId>) {}
