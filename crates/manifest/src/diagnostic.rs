//! What is wrong, or worth knowing, about a manifest's text: plain data, words elsewhere.

use crate::span::Span;
use podscope_api::Text;

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Probably not meant.
    Warning,
    /// Will be refused.
    Error,
}

/// What it is about. The words are chosen by code, but for texts that are Kubernetes' own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Message {
    /// The YAML reader's words, such as `yaml: line 3: did not find expected key`.
    Yaml(String),
    /// A key stands twice in one map; the last one counts.
    DuplicateKey(String),
    /// The text is longer than what is read.
    TooLarge {
        /// Its length in bytes.
        bytes: u32,
        /// The longest length in bytes.
        limit: u32,
    },
    /// The text has more documents than what is read.
    TooManyDocuments {
        /// How many are read.
        limit: u32,
    },
    /// Lists and maps are nested too deep.
    TooDeep {
        /// The deepest level.
        limit: u32,
    },
    /// A document without `apiVersion` or `kind`; the missing field.
    MissingType(&'static str),
    /// A kind that is not simulated.
    UnknownKind {
        /// The `apiVersion`.
        api_version: String,
        /// The `kind`.
        kind: String,
    },
    /// The API server's words about a field.
    Server(Text),
    /// A field that the simulation stores but does not act on.
    NotSimulated(String),
}

impl Message {
    /// The code under which the words are found: `yaml`, `duplicate-key` and so on.
    pub fn code(&self) -> &'static str {
        match self {
            Message::Yaml(_) => "yaml",
            Message::DuplicateKey(_) => "duplicate-key",
            Message::TooLarge { .. } => "too-large",
            Message::TooManyDocuments { .. } => "too-many-documents",
            Message::TooDeep { .. } => "too-deep",
            Message::MissingType(_) => "missing-type",
            Message::UnknownKind { .. } => "unknown-kind",
            Message::Server(_) => "server",
            Message::NotSimulated(_) => "not-simulated",
        }
    }
}

/// A change of the text that would mend it: the bytes of `span` become `text`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Edit {
    /// What to replace.
    pub span: Span,
    /// By what.
    pub text: String,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Diagnostic {
    /// How much it matters.
    pub severity: Severity,
    /// The field path, empty when it is about the text as a whole.
    pub path: String,
    /// Where.
    pub span: Span,
    /// What.
    pub message: Message,
    /// How to mend it.
    pub fix: Option<Edit>,
}

impl Diagnostic {
    /// A finding without path and fix.
    pub fn new(severity: Severity, span: Span, message: Message) -> Diagnostic {
        Diagnostic {
            severity,
            path: String::new(),
            span,
            message,
            fix: None,
        }
    }

    /// An error without path and fix.
    pub fn error(span: Span, message: Message) -> Diagnostic {
        Diagnostic::new(Severity::Error, span, message)
    }

    /// A warning without path and fix.
    pub fn warning(span: Span, message: Message) -> Diagnostic {
        Diagnostic::new(Severity::Warning, span, message)
    }
}
