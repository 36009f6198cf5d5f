//! The areas of tables. Each area knows its tables by name and runs one case through the engine's own code.

pub mod apimachinery;
pub mod apiserver;
pub mod controllers;
pub mod kubectl;
pub mod kubelet;
pub mod scheduler;

use crate::load::Table;
use podscope_api::Value;

/// What became of one case.
pub enum Outcome {
    /// The engine agrees with real Kubernetes.
    Pass,
    /// It does not; the difference for a reader.
    Fail(String),
    /// The engine cannot run this yet; the reason.
    Skip(String),
}

impl Outcome {
    /// Compares what the engine said with what was recorded.
    pub fn equal<T: PartialEq + std::fmt::Debug>(got: T, want: T) -> Outcome {
        if got == want {
            Outcome::Pass
        } else {
            Outcome::Fail(format!("\nwant {want:?}\n got {got:?}"))
        }
    }
}

/// An area's runner: `None` when the table is not one of its own.
type Run = fn(&Table, &Value) -> Option<Outcome>;

const AREAS: &[Run] = &[
    apimachinery::run,
    apiserver::run,
    controllers::run,
    kubelet::run,
    kubectl::run,
    scheduler::run,
];

/// Runs one case in the area that knows its table.
pub fn run(table: &Table, case: &Value) -> Outcome {
    AREAS
        .iter()
        .find_map(|area| area(table, case))
        .unwrap_or_else(|| Outcome::Skip("no runner for this table yet".into()))
}
