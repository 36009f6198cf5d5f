//! The simulated kubectl v1.36: builds requests and prints answers; speaks only the API.
//!
//! A command is a pure function of what was typed and of the replies so far. [`run`] is called again from
//! the start with one more reply each time, until it is done; so the code inside reads as a plain sequence
//! of calls, and the state of a running command is its list of replies.

mod command;
mod ctx;
mod describe;
mod fault;
mod files;
mod flags;
mod jsonpath;
mod output;
mod result;
mod sort;
mod table;
mod target;
mod text;

pub use ctx::{Call, Env, EventType, Invocation, Outcome, Received, Reply};
pub use files::Memory;
pub use table::{Cell, Table, columns, row};

/// Runs a command as far as the replies allow.
///
/// The same invocation, environment and replies give the same outcome. `replies` must answer the calls of
/// earlier outcomes, in order.
pub fn run(invocation: &Invocation, env: &Env, replies: &[Reply]) -> Outcome {
    go_on(invocation, env, replies, &mut Memory::default())
}

/// [`run`] for callers that keep what has been read of the files from one call to the next.
pub fn go_on(
    invocation: &Invocation,
    env: &Env,
    replies: &[Reply],
    memory: &mut Memory,
) -> Outcome {
    let mut ctx = ctx::Ctx::new(invocation, env, replies, memory);
    let result = command::dispatch(&mut ctx, &invocation.argv);
    ctx.finish(result)
}
