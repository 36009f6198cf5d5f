//! YAML text to objects with spans and diagnostics, and back.

pub mod diagnostic;
pub mod document;
pub mod go_error;
pub mod parse;
pub mod scalar;
pub mod server;
pub mod span;
pub mod yaml;

pub use diagnostic::{Diagnostic, Edit, Message, Severity};
pub use document::{Document, Located};
pub use parse::parse;
pub use span::Span;
