//! YAML text to objects with spans and diagnostics, and back.
