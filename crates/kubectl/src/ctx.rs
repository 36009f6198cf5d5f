//! What a running command can do: send requests, wait, write to its two streams.

use crate::fault::{Fault, Res};
use crate::files::Memory;
use podscope_api::{Answer, Failure, Object, Request, Response, Text, Timestamp};
use std::rc::Rc;

/// A command line and the files it can read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Invocation {
    /// The words after `kubectl`.
    pub argv: Vec<String>,
    /// Files as (name, text).
    pub files: Vec<(String, String)>,
    /// What `-f -` reads.
    pub stdin: String,
}

/// Where a command runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Env {
    /// When the command was started.
    pub now: Timestamp,
    /// The current context's namespace.
    pub namespace: String,
    /// The server as host:port, for connection errors.
    pub server: String,
}

/// What a command waits for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// The answer to a request.
    Request(Request),
    /// Time to pass.
    Sleep {
        /// How long, in microseconds.
        micros: i64,
    },
    /// The next change after `options.resource_version` of the objects that the request selects.
    Watch {
        /// A request with the watch verb.
        request: Request,
        /// When to give up, in microseconds from now.
        timeout_micros: Option<i64>,
    },
}

/// What happened to a watched object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventType {
    /// It appeared.
    Added,
    /// It changed.
    Modified,
    /// It is gone.
    Deleted,
}

/// What came back for a [`Call`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Received {
    /// For a request.
    Answer(Response),
    /// For a watch.
    Event(EventType, Rc<Object>),
    /// For a sleep, or a watch that timed out.
    Elapsed,
}

/// A reply and when it came.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reply {
    /// When it came.
    pub at: Timestamp,
    /// What came.
    pub received: Received,
}

/// How far a command got. The streams hold everything written since its start.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It waits for one more reply.
    Need {
        /// What for.
        call: Call,
        /// Output so far.
        stdout: String,
        /// Error output so far.
        stderr: String,
    },
    /// It ended.
    Done {
        /// Output.
        stdout: String,
        /// Error output.
        stderr: String,
        /// Exit code.
        exit_code: u8,
    },
}

/// The most bytes that one stream may hold.
const MAX_OUTPUT: usize = 8 << 20;

pub(crate) struct Ctx<'a> {
    pub invocation: &'a Invocation,
    env: &'a Env,
    replies: &'a [Reply],
    pub memory: &'a mut Memory,
    next: usize,
    /// The time of the last reply.
    pub now: Timestamp,
    pub out: String,
    pub err: String,
    /// The namespace in force.
    pub namespace: String,
    /// Whether `-n` was given.
    pub namespace_given: bool,
    warned: Vec<Text>,
}

impl<'a> Ctx<'a> {
    pub fn new(
        invocation: &'a Invocation,
        env: &'a Env,
        replies: &'a [Reply],
        memory: &'a mut Memory,
    ) -> Ctx<'a> {
        Ctx {
            invocation,
            env,
            replies,
            memory,
            next: 0,
            now: env.now,
            out: String::new(),
            err: String::new(),
            namespace: env.namespace.clone(),
            namespace_given: false,
            warned: Vec::new(),
        }
    }

    pub fn say(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    pub fn complain(&mut self, line: &str) {
        self.err.push_str(line);
        self.err.push('\n');
    }

    /// A `Warning:` line, once for each distinct text.
    #[inline(never)]
    pub fn warn(&mut self, text: &str) {
        if !self.warned.iter().any(|w| w.as_ref() == text) {
            self.warned.push(text.into());
            self.complain(&format!("Warning: {text}"));
        }
    }

    fn reply(&mut self, call: Call) -> Res<&'a Received> {
        if self.out.len() + self.err.len() > MAX_OUTPUT {
            return Err(Fault::text("output limit reached"));
        }
        let Some(reply) = self.replies.get(self.next) else {
            return Err(Fault::Need(Box::new(call)));
        };
        self.next += 1;
        self.now = reply.at;
        Ok(&reply.received)
    }

    /// Sends a request; prints the answer's warnings.
    pub fn send(&mut self, request: Request) -> Res<Answer> {
        let received = self.reply(Call::Request(request))?;
        match received {
            Received::Answer(Ok(answer)) => {
                for warning in &answer.warnings {
                    self.warn(warning);
                }
                Ok(answer.clone())
            }
            Received::Answer(Err(Failure::Status(status))) => Err(Fault::Status(status.clone())),
            Received::Answer(Err(Failure::ConnectionRefused)) => {
                Err(Fault::Refused(self.env.server.clone()))
            }
            _ => Err(Fault::Raw(
                "Unable to connect to the server: net/http: TLS handshake timeout".into(),
            )),
        }
    }

    /// Waits.
    pub fn sleep(&mut self, micros: i64) -> Res<()> {
        self.reply(Call::Sleep { micros }).map(|_| ())
    }

    /// The next change; `None` when the time is over.
    pub fn watch(
        &mut self,
        request: Request,
        timeout_micros: Option<i64>,
    ) -> Res<Option<(EventType, Rc<Object>)>> {
        let call = Call::Watch {
            request,
            timeout_micros,
        };
        Ok(match self.reply(call)? {
            Received::Event(what, object) => Some((*what, object.clone())),
            _ => None,
        })
    }

    pub fn finish(mut self, result: Res<()>) -> Outcome {
        let exit_code = match result {
            Ok(()) | Err(Fault::Help) => 0,
            Err(Fault::Need(call)) => {
                return Outcome::Need {
                    call: *call,
                    stdout: self.out,
                    stderr: self.err,
                };
            }
            Err(fault) => {
                let text = fault.print();
                self.err.push_str(&text);
                if !text.is_empty() && !text.ends_with('\n') {
                    self.err.push('\n');
                }
                1
            }
        };
        Outcome::Done {
            stdout: self.out,
            stderr: self.err,
            exit_code,
        }
    }
}
