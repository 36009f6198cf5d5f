//! What the simulation reports: typed trace events, each with its cause.
//!
//! A trace event has a code; the words for it live in `content/<locale>/`.

use crate::component::ComponentId;
use crate::scheduler::report::Receipt;
use podscope_api::{Key, Kind, Object, Request, Response, Text, Value};
use podscope_kernel::SimTime;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

/// The number of a trace event, counted from the scenario's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId(pub u64);

/// Names a request on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// Which object a trace event is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subject {
    /// The kind.
    pub kind: Kind,
    /// Namespace and name.
    pub key: Key,
}

/// The data that a step shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Data {
    /// Nothing beyond the arguments.
    #[default]
    None,
    /// A request on its way.
    Request(Rc<Request>),
    /// An answer.
    Response(Rc<Response>),
    /// An object as it is now.
    Object(Rc<Object>),
    /// An object before and after.
    Change(Option<Rc<Object>>, Option<Rc<Object>>),
    /// Any other structured data (a CRI call, a CNI result, config.json, …).
    Json(Json),
    /// A call and its result: request, response.
    Call(Value, Value),
}

/// Structured data: there already, or a scheduler's receipt that is made when it is first read.
#[derive(Clone)]
pub struct Json(Content);

#[derive(Clone)]
enum Content {
    Value(Value),
    Receipt(Rc<Receipt>),
}

impl From<Value> for Json {
    fn from(value: Value) -> Json {
        Json(Content::Value(value))
    }
}
impl From<Receipt> for Json {
    fn from(receipt: Receipt) -> Json {
        Json(Content::Receipt(Rc::new(receipt)))
    }
}
impl std::ops::Deref for Json {
    type Target = Value;
    fn deref(&self) -> &Value {
        match &self.0 {
            Content::Value(value) => value,
            Content::Receipt(receipt) => receipt.value(),
        }
    }
}
impl PartialEq for Json {
    fn eq(&self, other: &Json) -> bool {
        **self == **other
    }
}
impl Eq for Json {}
impl std::fmt::Debug for Json {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceEvent {
    /// Its number.
    pub id: TraceId,
    /// When.
    pub at: SimTime,
    /// The trace event that led to it; `None` for a person's command and for timers set at the start.
    pub cause: Option<TraceId>,
    /// Who did it.
    pub actor: ComponentId,
    /// What, as a stable code such as `apiserver.authentication`.
    pub code: &'static str,
    /// The object it is about.
    pub subject: Option<Subject>,
    /// The request it belongs to.
    pub request: Option<RequestId>,
    /// Typed arguments for the words.
    pub args: Vec<(&'static str, Value)>,
    /// The data that it shows.
    pub data: Data,
}

impl TraceEvent {
    /// The argument with this name, or null.
    pub fn arg(&self, name: &str) -> &Value {
        self.args
            .iter()
            .find(|(n, _)| *n == name)
            .map_or(podscope_api::value::NULL, |(_, v)| v)
    }
}

impl Hash for TraceEvent {
    /// Everything but the bulk of `data` (objects are covered by the state hash).
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.id, self.at, self.cause, self.actor, self.code).hash(state);
        (&self.subject, self.request, &self.args).hash(state);
        std::mem::discriminant(&self.data).hash(state);
    }
}

/// A trace event in the making: what a component knows of it. Handed on often, so it is small.
#[derive(Clone, Debug)]
pub struct Note(Box<Draft>);

/// What a [`Note`] says.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) code: &'static str,
    pub(crate) subject: Option<Subject>,
    pub(crate) request: Option<RequestId>,
    pub(crate) args: Vec<(&'static str, Value)>,
    pub(crate) data: Data,
}

impl Note {
    /// A note with this code.
    pub fn new(code: &'static str) -> Note {
        Note(Box::new(Draft {
            code,
            subject: None,
            request: None,
            args: Vec::new(),
            data: Data::None,
        }))
    }
    pub(crate) fn draft(self) -> Draft {
        *self.0
    }
    #[inline(never)]
    fn push(&mut self, name: &'static str, value: Value) {
        self.0.args.push((name, value));
    }
    /// Says which object it is about.
    #[must_use]
    pub fn about(mut self, kind: Kind, key: Key) -> Note {
        self.0.subject = Some(Subject { kind, key });
        self
    }
    /// Says which request it belongs to.
    #[must_use]
    pub fn of(mut self, request: RequestId) -> Note {
        self.0.request = Some(request);
        self
    }
    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, name: &'static str, value: impl Into<Value>) -> Note {
        self.push(name, value.into());
        self
    }
    /// Adds the data.
    #[must_use]
    pub fn data(mut self, data: Data) -> Note {
        self.0.data = data;
        self
    }
}

/// Declares the codes of one component: `codes! { /// doc NAME = "component.what"; }`, with `ALL`.
#[macro_export]
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub const $name: &str = $text;)*
        /// Every code declared here.
        pub const ALL: &[&str] = &[$($text),*];
    };
}

/// Text of a name list, joined by commas (arguments are values).
pub fn joined<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> Text {
    let mut out = String::new();
    for name in names {
        if !out.is_empty() {
            out.push_str(", ");
        }
        out.push_str(name.as_ref());
    }
    out.into()
}
