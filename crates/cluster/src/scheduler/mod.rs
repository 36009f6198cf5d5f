//! kube-scheduler: which Node a Pod runs on.
//!
//! [`framework::schedule`] decides as a pure function over the [`cache::Cache`]; every plugin is one file in
//! [`plugins`].
//!
//! Models: `pkg/scheduler` (v1.36)

pub mod affinity;
pub mod cache;
pub mod fit_error;
pub mod framework;
pub mod node_info;
pub mod node_selector;
pub mod node_tree;
pub mod plugins;
pub mod pod_info;
pub mod profile;
pub mod resources;
pub mod taint;
pub mod verdict;
