//! The simulated Kubernetes v1.36 cluster: etcd, API server, controllers, scheduler, kubelet, runtime, network, faults.
//!
//! Invariant: the API server is the hub. A component learns only through its watches, the answers to its
//! requests and its timers; only the components of one machine talk to each other directly.

pub mod apiserver;
pub mod bootstrap;
pub mod client;
pub mod component;
pub mod config;
pub mod controllers;
pub mod election;
pub mod entry;
pub mod etcd;
pub mod faults;
pub mod invariants;
pub mod network;
pub mod node;
pub mod scheduler;
pub mod sim;
pub mod trace;
pub mod world;

pub use component::{ComponentId, ControllerId, Process};
pub use config::{ClusterConfig, NodeConfig};
pub use sim::Ctx;
pub use trace::{Data, Note, RequestId, TraceEvent, TraceId};
pub use world::{Cluster, Command};
