//! Kubernetes objects as values, quantities, label selectors, field paths, Status and the schema tables.
//!
//! Objects are kept as JSON-like trees ([`Value`]) whose branches are shared and immutable, so that a
//! copy costs one reference count and fields that the simulation does not act on survive unchanged.
//! Knows nothing of YAML text and nothing of the simulation.

pub mod json;
pub mod kind;
pub mod object;
pub mod request;
pub mod status;
pub mod time;
pub mod value;

pub use kind::Kind;
pub use object::{Key, Object};
pub use request::{Answer, Body, Failure, Options, PatchType, Request, Response, Verb};
pub use status::{Cause, Status};
pub use time::Timestamp;
pub use value::{Map, Text, Value};
