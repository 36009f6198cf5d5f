//! kube-scheduler: which Node a Pod runs on.
//!
//! [`framework::schedule`] decides as a pure function over the [`cache::Cache`]; every plugin is one file in
//! [`plugins`]. [`Scheduler`] is the component around it: queue, binding, preemption, events.
//!
//! Models: `pkg/scheduler` (v1.36)

pub mod affinity;
pub mod cache;
pub mod component;
pub mod events;
pub mod fit_error;
#[cfg(test)]
mod fixture;
pub mod framework;
pub mod node_info;
pub mod node_selector;
pub mod node_tree;
pub mod plugins;
pub mod pod_info;
pub mod profile;
#[cfg(test)]
mod property;
pub mod queue;
pub mod report;
pub mod resources;
pub mod taint;
#[cfg(test)]
mod tests;
pub mod verdict;
pub mod volumes;

pub use component::Scheduler;
