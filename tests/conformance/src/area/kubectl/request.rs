//! Requests in a form that can be compared with recorded ones.

use podscope_api::request::{FieldValidation, Propagation};
use podscope_api::{Body, Kind, PatchType, Request, Value, Verb, json};

/// A request as a proxy would see it.
#[derive(Clone, Debug)]
pub struct Shown {
    pub method: String,
    pub path: String,
    pub body: String,
    /// Whether the path is one of a modelled kind.
    pub known: bool,
}

impl PartialEq for Shown {
    fn eq(&self, other: &Shown) -> bool {
        (&self.method, &self.path, &self.body) == (&other.method, &other.path, &other.body)
    }
}

impl Shown {
    /// A recorded request.
    pub fn recorded(value: &Value) -> Shown {
        let text = |field: &str| value.get(field).str_or_empty().to_string();
        let path = text("path");
        let known = Kind::ALL.iter().any(|k| {
            let group = if k.group().is_empty() {
                "/api"
            } else {
                k.group()
            };
            path.contains(group) && path.contains(&format!("/{}", k.plural()))
        });
        Shown {
            method: text("method"),
            // What the server does anyway.
            path: unescape(&path)
                .replace("&fieldValidation=Warn", "")
                .replace("&force=false", ""),
            body: text("body"),
            known,
        }
    }

    /// A request of ours.
    pub fn sent(request: &Request) -> Shown {
        let options = &request.options;
        let mut query: Vec<String> = Vec::new();
        if options.dry_run && request.verb != Verb::Delete {
            query.push("dryRun=All".into());
        }
        for (name, value) in [
            ("fieldManager", options.field_manager.as_ref()),
            ("fieldSelector", options.field_selector.as_ref()),
        ] {
            if !value.is_empty() {
                query.push(format!("{name}={value}"));
            }
        }
        match options.field_validation {
            FieldValidation::Strict => query.push("fieldValidation=Strict".into()),
            FieldValidation::Ignore => query.push("fieldValidation=Ignore".into()),
            FieldValidation::Warn => {}
        }
        if options.force {
            query.push("force=true".into());
        }
        if !options.label_selector.is_empty() {
            query.push(format!("labelSelector={}", options.label_selector));
        }
        let query = if query.is_empty() {
            String::new()
        } else {
            format!("?{}", query.join("&"))
        };
        let body = match &request.body {
            Body::Object(object) => json::to_string(object) + "\n",
            Body::Patch(PatchType::Apply, config) => json::to_string(config) + "\n",
            Body::Patch(_, patch) => json::to_string(patch),
            Body::None if request.verb == Verb::Delete => delete_options(request),
            Body::None => String::new(),
        };
        Shown {
            method: request.verb.method().into(),
            path: format!("{}{query}", request.path()),
            body,
            known: true,
        }
    }
}

fn delete_options(request: &Request) -> String {
    let mut parts: Vec<String> = Vec::new();
    if let Some(seconds) = request.options.grace_period_seconds {
        parts.push(format!("\"gracePeriodSeconds\":{seconds}"));
    }
    let policy = request.options.propagation.map(|p| match p {
        Propagation::Background => "Background",
        Propagation::Foreground => "Foreground",
        Propagation::Orphan => "Orphan",
    });
    parts.extend(policy.map(|p| format!("\"propagationPolicy\":\"{p}\"")));
    if request.options.dry_run {
        parts.push("\"dryRun\":[\"All\"]".into());
    }
    format!("{{{}}}\n", parts.join(","))
}

fn unescape(path: &str) -> String {
    path.replace("%3D", "=")
        .replace("%2C", ",")
        .replace("%2F", "/")
        .replace("%21", "!")
}

/// Whether a sent request is the recorded one; bodies are compared as JSON.
pub fn alike(sent: Option<&Shown>, recorded: Option<&Shown>, case: &Value) -> bool {
    let (Some(sent), Some(recorded)) = (sent, recorded) else {
        return sent.is_none() && recorded.is_none();
    };
    if (&sent.method, &sent.path) != (&recorded.method, &recorded.path) {
        return false;
    }
    if recorded.body == "(protobuf)" {
        let body = json::parse(&sent.body).unwrap_or_default();
        let created = case.get("created").items();
        return created.is_empty() || created.iter().any(|c| within(&body, c));
    }
    let bare = |text: &str| {
        let mut value = json::parse(text).unwrap_or_default();
        if recorded.method == "PUT" {
            value.remove("metadata.resourceVersion");
            value.remove("status.selector");
        }
        value
    };
    bare(&sent.body) == bare(&recorded.body)
}

/// Whether everything in `small` stands in `large` too.
fn within(small: &Value, large: &Value) -> bool {
    match (small, large) {
        (Value::Map(small), _) => small
            .entries()
            .iter()
            .all(|(k, v)| v.is_empty() || within(v, large.get(k))),
        (Value::List(small), Value::List(large)) => {
            small.len() == large.len() && small.iter().zip(large.iter()).all(|(a, b)| within(a, b))
        }
        (a, b) => a == b,
    }
}
