//! Kubernetes objects as values, quantities, label selectors, field paths, Status and the schema tables.
//!
//! Objects are kept as JSON-like trees ([`Value`]) whose branches are shared and immutable, so that a
//! copy costs one reference count and fields that the simulation does not act on survive unchanged.
//! Knows nothing of YAML text and nothing of the simulation.

pub mod decode;
mod decode_time;
pub mod duration;
pub mod float;
pub mod int_or_string;
pub mod json;
mod json_reader;
pub mod kind;
pub mod managed;
pub mod object;
pub mod patch;
pub mod quantity;
pub mod request;
pub mod schema;
pub mod selector;
pub mod sort;
pub mod status;
pub mod time;
pub mod value;

pub use int_or_string::IntOrString;
pub use kind::Kind;
pub use object::{Key, Object};
pub use quantity::Quantity;
pub use request::{Answer, Body, Failure, Options, PatchType, Request, Response, Verb};
pub use selector::{FieldSelector, Selector};
pub use status::{Cause, Status};
pub use time::Timestamp;
pub use value::{Map, Text, Value};
