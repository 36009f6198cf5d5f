//! The API server's refusal: `metav1.Status` as data.
//!
//! Models: staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go (v1.36)

use crate::value::{Text, Value};
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

/// One entry of `details.causes`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cause {
    /// Machine-readable reason, such as `FieldValueInvalid`.
    pub reason: Text,
    /// The server's words for this field.
    pub message: Text,
    /// The field path, such as `spec.template.spec.containers[0].name`.
    pub field: Text,
}

/// A request that failed: a shared [`Refusal`], since results that may hold one are moved often.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Status(Rc<Refusal>);

impl Deref for Status {
    type Target = Refusal;
    fn deref(&self) -> &Refusal {
        &self.0
    }
}

impl DerefMut for Status {
    fn deref_mut(&mut self) -> &mut Refusal {
        Rc::make_mut(&mut self.0)
    }
}

/// What a [`Status`] says. `code` is the HTTP status.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Refusal {
    /// HTTP status code.
    pub code: u16,
    /// Machine-readable reason, such as `NotFound`.
    pub reason: Text,
    /// The server's words.
    pub message: Text,
    /// `details` without causes: name, group, kind, retryAfterSeconds and so on; null when absent.
    pub details: Value,
    /// `details.causes`.
    pub causes: Vec<Cause>,
}

impl Status {
    /// A status without details.
    pub fn new(code: u16, reason: &str, message: impl Into<Text>) -> Status {
        Status(Rc::new(Refusal {
            code,
            reason: reason.into(),
            message: message.into(),
            details: Value::Null,
            causes: Vec::new(),
        }))
    }

    fn about(
        code: u16,
        reason: &str,
        message: String,
        group: &str,
        kind: &str,
        name: &str,
    ) -> Status {
        let mut details = Value::map();
        for (key, text) in [("name", name), ("group", group), ("kind", kind)] {
            if !text.is_empty() {
                details.set(key, text);
            }
        }
        let mut status = Status::new(code, reason, message);
        status.details = details;
        status
    }

    /// `404 NotFound`; `resource` is the plural name, `group` may be empty.
    pub fn not_found(group: &str, resource: &str, name: &str) -> Status {
        let message = format!("{} {} not found", qualified(group, resource), quote(name));
        Status::about(404, "NotFound", message, group, resource, name)
    }

    /// `409 AlreadyExists`.
    pub fn already_exists(group: &str, resource: &str, name: &str) -> Status {
        let message = format!(
            "{} {} already exists",
            qualified(group, resource),
            quote(name)
        );
        Status::about(409, "AlreadyExists", message, group, resource, name)
    }

    /// `409 Conflict` with the server's reason.
    pub fn conflict(group: &str, resource: &str, name: &str, why: &str) -> Status {
        let message = format!(
            "Operation cannot be fulfilled on {} {}: {why}",
            qualified(group, resource),
            quote(name)
        );
        Status::about(409, "Conflict", message, group, resource, name)
    }

    /// `403 Forbidden` with the server's reason.
    pub fn forbidden(group: &str, resource: &str, name: &str, why: &str) -> Status {
        let message = if name.is_empty() {
            format!("{} is forbidden: {why}", qualified(group, resource))
        } else {
            format!(
                "{} {} is forbidden: {why}",
                qualified(group, resource),
                quote(name)
            )
        };
        Status::about(403, "Forbidden", message, group, resource, name)
    }

    /// `422 Invalid`; `kind` is the singular kind name. The message lists the causes.
    #[inline(never)]
    pub fn invalid(group: &str, kind: &str, name: &str, causes: Vec<Cause>) -> Status {
        // The message names every error once; the causes repeat them.
        let mut texts: Vec<String> = Vec::new();
        for cause in &causes {
            let text = format!("{}: {}", cause.field, cause.message);
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        let list = match texts.as_slice() {
            [] => "<nil>".to_string(),
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let message = format!(
            "{} {} is invalid: {list}",
            qualified(group, kind),
            quote(name)
        );
        let mut status = Status::about(422, "Invalid", message, group, kind, name);
        status.causes = causes;
        status
    }

    /// `400 BadRequest`.
    pub fn bad_request(message: impl Into<Text>) -> Status {
        Status::new(400, "BadRequest", message)
    }

    /// The `Status` object as the server sends it.
    pub fn to_value(&self) -> Value {
        let mut v = crate::value!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"});
        v.set("message", self.message.clone());
        if !self.reason.is_empty() {
            v.set("reason", self.reason.clone());
        }
        let mut details = self.details.clone();
        if !self.causes.is_empty() {
            let causes = self.causes.iter().map(|c| {
                let mut v = Value::map();
                for (key, text) in [
                    ("reason", &c.reason),
                    ("message", &c.message),
                    ("field", &c.field),
                ] {
                    if !text.is_empty() {
                        v.set(key, text.clone());
                    }
                }
                v
            });
            details.set("causes", Value::list(causes));
        }
        if !details.is_null() {
            v.set("details", details);
        }
        v.set("code", i64::from(self.code));
        v
    }
}

/// `deployments.apps`, or `pods` in the core group.
pub fn qualified(group: &str, resource: &str) -> String {
    if group.is_empty() {
        resource.to_string()
    } else {
        format!("{resource}.{group}")
    }
}

/// Text in double quotes with Go's `%q` escapes for what may stand in names and values.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => {
                out.push_str(&format!("\\x{:02x}", c as u32));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_follow_the_server() {
        let s = Status::not_found("apps", "deployments", "web");
        assert_eq!(s.message.as_ref(), "deployments.apps \"web\" not found");
        let s = Status::already_exists("", "pods", "p");
        assert_eq!(s.message.as_ref(), "pods \"p\" already exists");
        assert_eq!(s.to_value().at("details.kind").as_str(), Some("pods"));
    }
}
