//! Why a command stops, and how kubectl prints that.
//!
//! Models: staging/src/k8s.io/kubectl/pkg/cmd/util/helpers.go (v1.36)

use crate::ctx::Call;
use podscope_api::Status;
use podscope_api::status::quote;

pub(crate) type Res<T> = Result<T, Fault>;

/// Why a command stops.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// A reply is missing; not an error.
    Need(Box<Call>),
    /// The server refused.
    Status(Status),
    /// Nobody listens.
    Refused(String),
    /// An error of kubectl's own; printed after `error: `.
    Text(String),
    /// Text printed as it is.
    Raw(String),
    /// Several; each on its own line.
    Many(Vec<Fault>),
    /// Everything was already printed.
    Silent,
    /// Only help was asked for, and printed.
    Help,
}

impl From<Status> for Fault {
    fn from(status: Status) -> Fault {
        Fault::Status(status)
    }
}

impl Fault {
    pub fn text(text: impl Into<String>) -> Fault {
        Fault::Text(text.into())
    }

    /// An error with the hint that names the command's help.
    pub fn usage(command: &str, text: impl std::fmt::Display) -> Fault {
        Fault::Text(format!(
            "{text}\nSee 'kubectl {command} -h' for help and examples"
        ))
    }

    pub fn is_not_found(&self) -> bool {
        matches!(self, Fault::Status(status) if status.code == 404)
    }

    /// One fault for several; nothing for none.
    pub fn all(mut faults: Vec<Fault>) -> Res<()> {
        if let Some(at) = faults.iter().position(|f| matches!(f, Fault::Need(_))) {
            return Err(faults.swap_remove(at));
        }
        match faults.len() {
            0 => Ok(()),
            1 => Err(faults.swap_remove(0)),
            _ => {
                let mut flat: Vec<Fault> = Vec::new();
                let mut seen = Vec::new();
                for fault in faults {
                    let text = fault.line();
                    if !seen.contains(&text) {
                        seen.push(text);
                        flat.push(fault);
                    }
                }
                if flat.len() == 1 {
                    Err(flat.swap_remove(0))
                } else {
                    Err(Fault::Many(flat))
                }
            }
        }
    }

    /// Says in the message what was being done to what.
    pub fn when(self, doing: &str, source: &str) -> Fault {
        let prefix = format!("error when {doing} {}: ", quote(source));
        match self {
            Fault::Status(mut status) => {
                status.message = format!("{prefix}{}", status.message).into();
                Fault::Status(status)
            }
            Fault::Text(text) => Fault::Text(format!("{prefix}{text}")),
            other => other,
        }
    }

    /// The error's own text, as inside another error.
    pub fn inner(&self) -> String {
        match self {
            Fault::Status(status) => status.message.to_string(),
            Fault::Many(faults) => {
                let texts: Vec<String> = faults.iter().map(Fault::inner).collect();
                format!("[{}]", texts.join(", "))
            }
            Fault::Text(text) | Fault::Raw(text) => text.clone(),
            other => other.line(),
        }
    }

    /// One line without the `error: ` of kubectl's own errors, as in a list of errors.
    #[inline(never)]
    pub fn line(&self) -> String {
        match self {
            Fault::Status(status) => match status.reason.as_ref() {
                "Unauthorized" => {
                    "error: You must be logged in to the server (Unauthorized)".into()
                }
                "" => format!("Error from server: {}", status.message),
                reason => format!("Error from server ({reason}): {}", status.message),
            },
            Fault::Refused(server) => format!(
                "The connection to the server {server} was refused - did you specify the right host or port?"
            ),
            Fault::Text(text) | Fault::Raw(text) => text.clone(),
            Fault::Many(faults) => {
                let lines: Vec<String> = faults.iter().map(Fault::line).collect();
                lines.join("\n")
            }
            Fault::Need(_) | Fault::Silent | Fault::Help => String::new(),
        }
    }

    /// What stands on the error stream when the command ends with this.
    pub fn print(&self) -> String {
        match self {
            Fault::Status(status) if status.reason.as_ref() == "Invalid" => invalid(status),
            Fault::Text(text) if !text.starts_with("error: ") => format!("error: {text}"),
            other => other.line(),
        }
    }
}

#[inline(never)]
fn invalid(status: &Status) -> String {
    let detail = |key: &str| status.details.get(key).str_or_empty();
    let mut text = "The request is invalid".to_string();
    if !detail("kind").is_empty() || !detail("name").is_empty() {
        text = format!(
            "The {} {} is invalid",
            detail("kind"),
            quote(detail("name"))
        );
    } else if !status.message.is_empty() && status.causes.is_empty() {
        return format!("{text}: {}", status.message);
    }
    let mut lines: Vec<String> = Vec::new();
    for cause in &status.causes {
        let line = format!("{}: {}", cause.field, cause.message);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    match lines.as_slice() {
        [] => {}
        [one] => {
            text.push_str(": ");
            text.push_str(one);
        }
        many => {
            text.push_str(": \n");
            for line in many {
                text.push_str("* ");
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    text
}
