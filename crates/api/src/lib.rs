//! Kubernetes objects as values, quantities, label selectors, field paths, Status and the schema tables.
