//! YAML text to objects with spans and diagnostics, and back.
//!
//! [`parse`] never fails: it gives documents and [`Diagnostic`]s. [`check`](check::check) adds what the
//! schema knows, [`explain`](explain::explain) places a server's refusal in the text.
//! Knows nothing of a cluster.

pub mod check;
pub mod complete;
pub mod diagnostic;
pub mod document;
pub mod explain;
pub mod highlight;
pub mod not_simulated;
pub mod parse;
mod reader;
pub mod scalar;
mod scanner;
pub mod server;
pub mod span;
pub mod suggest;
pub mod yaml;

pub use check::check;
pub use complete::complete;
pub use diagnostic::{Diagnostic, Edit, Message, Severity};
pub use document::{Document, Located};
pub use explain::{explain, explain_warning};
pub use highlight::{Class, Token, highlight};
pub use not_simulated::not_simulated;
pub use parse::parse;
pub use span::Span;
pub use yaml::scalar_text;
