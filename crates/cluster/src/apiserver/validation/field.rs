//! Field paths and the list of field errors that validation collects.
//!
//! Models: staging/src/k8s.io/apimachinery/pkg/util/validation/field (v1.36)

use podscope_api::status::quote;
use podscope_api::{Cause, Value, json};
use std::fmt;

/// One step of a path.
#[derive(Clone, Copy)]
enum Part<'a> {
    Name(&'a str),
    Index(usize),
    Key(&'a str),
}

/// A path into an object, such as `spec.containers[0].resources.limits[cpu]`.
/// It borrows its parent, so that walking an object allocates nothing until an error is found.
#[derive(Clone, Copy)]
pub struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    part: Part<'a>,
}

impl<'a> Path<'a> {
    /// A path of one field.
    pub const fn root(name: &'a str) -> Path<'a> {
        Path {
            parent: None,
            part: Part::Name(name),
        }
    }
    /// The field `name` below this; `name` may contain dots.
    #[inline(never)]
    pub const fn f(&'a self, name: &'a str) -> Path<'a> {
        Path {
            parent: Some(self),
            part: Part::Name(name),
        }
    }
    /// The list item `index` of this.
    #[inline(never)]
    pub const fn i(&'a self, index: usize) -> Path<'a> {
        Path {
            parent: Some(self),
            part: Part::Index(index),
        }
    }
    /// The map entry `key` of this.
    #[inline(never)]
    pub const fn k(&'a self, key: &'a str) -> Path<'a> {
        Path {
            parent: Some(self),
            part: Part::Key(key),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.part {
            Part::Name(name) => {
                if self.parent.is_some() {
                    f.write_str(".")?;
                }
                f.write_str(name)
            }
            Part::Index(i) => write!(f, "[{i}]"),
            Part::Key(key) => write!(f, "[{key}]"),
        }
    }
}

/// The errors found so far, in the order in which the server reports them.
#[derive(Debug, Default)]
pub struct Errors(pub Vec<Cause>);

impl Errors {
    fn push(&mut self, reason: &str, path: &Path<'_>, message: String) {
        self.0.push(Cause {
            reason: reason.into(),
            message: message.into(),
            field: path.to_string().into(),
        });
    }
    /// `Invalid value: <value>: detail`; the value is given as it is to be printed.
    pub fn invalid_text(&mut self, path: &Path<'_>, printed: &str, detail: &str) {
        let colon = if detail.is_empty() { "" } else { ": " };
        self.push(
            "FieldValueInvalid",
            path,
            format!("Invalid value: {printed}{colon}{detail}"),
        );
    }
    /// `Invalid value` for any value; text is quoted, the rest printed as JSON.
    pub fn invalid(&mut self, path: &Path<'_>, value: &Value, detail: &str) {
        let printed = print(value);
        self.invalid_text(path, &printed, detail);
    }
    /// `Invalid value` for text.
    pub fn invalid_str(&mut self, path: &Path<'_>, value: &str, detail: &str) {
        self.invalid_text(path, &quote(value), detail);
    }
    /// `Invalid value` for a number.
    pub fn invalid_int(&mut self, path: &Path<'_>, value: i64, detail: &str) {
        self.invalid_text(path, &value.to_string(), detail);
    }
    /// One `Invalid value` for each message about `value`.
    pub fn invalid_each(&mut self, path: &Path<'_>, value: &str, messages: Vec<String>) {
        for message in messages {
            self.invalid_str(path, value, &message);
        }
    }
    /// `Required value`.
    pub fn required(&mut self, path: &Path<'_>, detail: &str) {
        let colon = if detail.is_empty() { "" } else { ": " };
        self.push(
            "FieldValueRequired",
            path,
            format!("Required value{colon}{detail}"),
        );
    }
    /// `Forbidden: detail`.
    pub fn forbidden(&mut self, path: &Path<'_>, detail: &str) {
        self.push("FieldValueForbidden", path, format!("Forbidden: {detail}"));
    }
    /// `Unsupported value`, listing what is supported in the given order.
    pub fn not_supported(&mut self, path: &Path<'_>, value: &str, supported: &[&str]) {
        self.not_supported_text(path, &quote(value), supported);
    }
    /// `Unsupported value` with the value given as it is to be printed.
    #[inline(never)]
    pub fn not_supported_text(&mut self, path: &Path<'_>, printed: &str, supported: &[&str]) {
        let mut message = format!("Unsupported value: {printed}: supported values: ");
        for (i, s) in supported.iter().enumerate() {
            if i > 0 {
                message.push_str(", ");
            }
            message.push_str(&quote(s));
        }
        self.push("FieldValueNotSupported", path, message);
    }
    /// `Duplicate value` for text.
    pub fn duplicate(&mut self, path: &Path<'_>, value: &str) {
        self.duplicate_text(path, &quote(value));
    }
    /// `Duplicate value` with the value given as it is to be printed.
    pub fn duplicate_text(&mut self, path: &Path<'_>, printed: &str) {
        self.push(
            "FieldValueDuplicate",
            path,
            format!("Duplicate value: {printed}"),
        );
    }
    /// `Not found: "value"`, with a detail that may be empty.
    pub fn not_found(&mut self, path: &Path<'_>, value: &str, detail: &str) {
        let colon = if detail.is_empty() { "" } else { ": " };
        self.push(
            "FieldValueNotFound",
            path,
            format!("Not found: {}{colon}{detail}", quote(value)),
        );
    }
    /// `Too long: may not be more than N bytes`.
    pub fn too_long(&mut self, path: &Path<'_>, bytes: usize) {
        self.push(
            "FieldValueTooLong",
            path,
            format!("Too long: may not be more than {bytes} bytes"),
        );
    }
    /// `Too many: n: must have at most m items`.
    pub fn too_many(&mut self, path: &Path<'_>, count: usize, most: usize) {
        self.push(
            "FieldValueTooMany",
            path,
            format!("Too many: {count}: must have at most {most} items"),
        );
    }
    /// Refuses a negative number; a missing one counts as 0.
    pub fn non_negative(&mut self, path: &Path<'_>, value: &Value) {
        let value = value.as_int().unwrap_or(0);
        if value < 0 {
            self.invalid_int(path, value, "must be greater than or equal to 0");
        }
    }
    /// Refuses a number that is not positive; a missing one counts as 0.
    pub fn positive(&mut self, path: &Path<'_>, value: &Value) {
        let value = value.as_int().unwrap_or(0);
        if value <= 0 {
            self.invalid_int(path, value, "must be greater than zero");
        }
    }
    /// Refuses text that is not one of `supported`; empty or missing text is `Required`.
    pub fn one_of(&mut self, path: &Path<'_>, value: &Value, supported: &[&str]) {
        let value = value.str_or_empty();
        if value.is_empty() {
            self.required(path, "");
        } else if !supported.contains(&value) {
            self.not_supported(path, value, supported);
        }
    }
    /// Refuses text that is not one of `supported`; a missing field is fine, empty text is not.
    pub fn optional_one_of(&mut self, path: &Path<'_>, value: &Value, supported: &[&str]) {
        if let Some(value) = value.as_str()
            && !supported.contains(&value)
        {
            self.not_supported(path, value, supported);
        }
    }
}

/// A value as error messages print it: text quoted as Go's `%q`, the rest as compact JSON.
pub fn print(value: &Value) -> String {
    match value {
        Value::Str(s) => quote(s),
        other => json::to_string(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_print_like_the_server() {
        let spec = Path::root("spec");
        let list = spec.f("containers");
        let item = list.i(2);
        let limits = item.f("resources.limits");
        assert_eq!(
            limits.k("cpu").to_string(),
            "spec.containers[2].resources.limits[cpu]"
        );
    }
}
