//! Runs the conformance tables and recordings of real Kubernetes against the engine.
fn main() {}
