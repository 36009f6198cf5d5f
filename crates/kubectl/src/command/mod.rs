//! The commands, by name.

mod apply;
mod delete;
mod describe;
mod drain;
mod events;
mod get;
mod label;
mod rollout;
mod scale;
mod taint;

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
        "annotate" => label::run(ctx, words, label::Marks::Annotations),
        "apply" => apply::run(ctx, words),
        "autoscale" => scale::autoscale(ctx, words),
        "cordon" => drain::cordon(ctx, words, true),
        "delete" => delete::run(ctx, words),
        "describe" => describe::run(ctx, words),
        "drain" => drain::drain(ctx, words),
        "events" => events::run(ctx, words),
        "get" => get::run(ctx, words),
        "label" => label::run(ctx, words, label::Marks::Labels),
        "rollout" => rollout::run(ctx, words),
        "scale" => scale::run(ctx, words),
        "taint" => taint::run(ctx, words),
        "uncordon" => drain::cordon(ctx, words, false),
        _ => Err(unknown(command)),
    }
}

fn unknown(command: &str) -> Fault {
    Fault::Text(format!(
        "unknown command {} for \"kubectl\"",
        quote(command)
    ))
}

/// A group's command that does not exist.
fn unknown_sub(group: &str, sub: &str) -> Fault {
    if sub.is_empty() {
        return Fault::Silent;
    }
    Fault::usage(group, format!("unknown command {}", quote(sub)))
}

/// Splits words into resources and changes such as `a=b` and `a-`, as label, annotate and set take them.
fn pairs(words: &[String], noun: &str) -> Res<(Vec<String>, Vec<String>)> {
    let is_change =
        |s: &str| s.contains('=') && !s.starts_with('=') || s.ends_with('-') && s != "-";
    pairs_of(words, noun, is_change)
}

fn pairs_of(
    words: &[String],
    noun: &str,
    is_change: impl Fn(&str) -> bool,
) -> Res<(Vec<String>, Vec<String>)> {
    let (mut resources, mut changes): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for word in words {
        if is_change(word) {
            changes.push(word.clone());
        } else if changes.is_empty() {
            resources.push(word.clone());
        } else {
            return Err(Fault::Text(format!(
                "all resources must be specified before {noun} changes: {word}"
            )));
        }
    }
    Ok((resources, changes))
}
