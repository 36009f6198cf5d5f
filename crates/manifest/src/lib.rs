//! YAML text to objects with spans and diagnostics, and back.

pub mod scalar;
pub mod yaml;
