//! The commands, by name.

mod describe;
mod get;

use crate::ctx::Ctx;
use crate::fault::{Fault, Res};
use crate::flags::Flags;
use podscope_api::status::quote;

/// Reads a command's flags and takes over the namespace.
fn flags(
    ctx: &mut Ctx<'_>,
    command: &'static str,
    table: &'static str,
    words: &[String],
) -> Res<Flags> {
    let flags = Flags::parse(command, table, words)?;
    if let Some(context) = flags.opt("context").filter(|c| !c.is_empty()) {
        return Err(Fault::Text(format!(
            "context {} does not exist",
            quote(context)
        )));
    }
    if let Some(namespace) = flags.opt("namespace") {
        if !namespace.is_empty() {
            ctx.namespace = namespace.to_string();
            ctx.namespace_given = true;
        }
    }
    Ok(flags)
}

/// Runs the command that the words name.
pub(crate) fn dispatch(ctx: &mut Ctx<'_>, argv: &[String]) -> Res<()> {
    let (command, words) = match argv.split_first() {
        Some((command, words)) => (command.as_str(), words),
        None => ("", argv),
    };
    match command {
        "describe" => describe::run(ctx, words),
        "get" => get::run(ctx, words),
        _ => Err(unknown(command)),
    }
}

fn unknown(command: &str) -> Fault {
    Fault::Text(format!(
        "unknown command {} for \"kubectl\"",
        quote(command)
    ))
}
