//! The commands, by name.

mod apply;
mod create;
mod delete;
mod describe;
mod drain;
mod events;
mod explain;
mod get;
mod help;
mod label;
mod misc;
mod rollout;
mod run;
mod scale;
mod set;
mod taint;
mod wait;

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
    if flags.is("help") {
        help::print(ctx, command, table);
        return Err(Fault::Help);
    }
    if let Some(context) = flags.opt("context").filter(|c| !c.is_empty()) {
        return Err(Fault::Text(format!(
            "context {} does not exist",
            quote(context)
        )));
    }
    if let Some(namespace) = flags.opt("namespace")
        && !namespace.is_empty()
    {
        ctx.namespace = namespace.to_string();
        ctx.namespace_given = true;
    }
    Ok(flags)
}

/// Flags that every command has and that take no value.
const BARE: &[&str] = &[
    "--disable-compression",
    "--insecure-skip-tls-verify",
    "--match-server-version",
    "--warnings-as-errors",
];

/// The command's name and the other words; flags may stand before it.
fn command_first(words: &[String]) -> (&str, Vec<String>) {
    let mut at = 0;
    while let Some(word) = words.get(at) {
        if !word.starts_with('-') {
            break;
        }
        let alone = word.contains('=')
            || BARE.contains(&word.as_str())
            || !word.starts_with("--") && word.len() > 2;
        at += if alone { 1 } else { 2 };
    }
    let Some(command) = words.get(at) else {
        return ("", words.to_vec());
    };
    let mut rest = words.to_vec();
    rest.remove(at);
    (command, rest)
}

/// Runs the command that the words name, or prints its help when that is asked for.
pub(crate) fn dispatch(ctx: &mut Ctx<'_>, argv: &[String]) -> Res<()> {
    let (command, words) = command_first(argv);
    if !COMMANDS.contains(&command) || !help::is_asked(&words) {
        return run(ctx, command, &words);
    }
    // The command prints its own flags, if it comes to reading them.
    match run(ctx, command, &words) {
        Err(Fault::Help) => {}
        _ if !ctx.out.is_empty() => {}
        _ if help::is_known(command) => help::print(ctx, command, ""),
        _ => help::not_simulated(ctx, command),
    }
    ctx.err.clear();
    Ok(())
}

fn run(ctx: &mut Ctx<'_>, command: &str, words: &[String]) -> Res<()> {
    match command {
        "" => {
            help::overview(ctx);
            Ok(())
        }
        "help" => help::run(ctx, words),
        "annotate" => label::run(ctx, words, label::Marks::Annotations),
        "api-resources" => misc::api_resources(ctx, words),
        "api-versions" => misc::api_versions(ctx, words),
        "apply" => apply::run(ctx, words),
        "attach" => misc::exec(ctx, "attach", words),
        "autoscale" => scale::autoscale(ctx, words),
        "certificate" => misc::certificate(ctx, words),
        "cordon" => drain::cordon(ctx, words, true),
        "create" => create::run(ctx, words),
        "delete" => delete::run(ctx, words),
        "describe" => describe::run(ctx, words),
        "drain" => drain::drain(ctx, words),
        "events" => events::run(ctx, words),
        "exec" => misc::exec(ctx, "exec", words),
        "explain" => explain::run(ctx, words),
        "expose" => run::expose(ctx, words),
        "get" => get::run(ctx, words),
        "label" => label::run(ctx, words, label::Marks::Labels),
        "logs" => misc::logs(ctx, words),
        "patch" => set::patch_command(ctx, words),
        "replace" => create::replace(ctx, words),
        "rollout" => rollout::run(ctx, words),
        "run" => run::run(ctx, words),
        "scale" => scale::run(ctx, words),
        "set" => set::run(ctx, words),
        "taint" => taint::run(ctx, words),
        "uncordon" => drain::cordon(ctx, words, false),
        "version" => misc::version(ctx, words),
        "wait" => wait::run(ctx, words),
        _ if COMMANDS.contains(&command) => misc::refuse(ctx, command, words),
        _ => Err(unknown(command)),
    }
}

/// Every command of kubectl, for suggestions.
const COMMANDS: &[&str] = &[
    "annotate",
    "api-resources",
    "api-versions",
    "apply",
    "attach",
    "auth",
    "autoscale",
    "certificate",
    "cluster-info",
    "completion",
    "config",
    "cordon",
    "cp",
    "create",
    "debug",
    "delete",
    "describe",
    "diff",
    "drain",
    "edit",
    "events",
    "exec",
    "explain",
    "expose",
    "get",
    "help",
    "kuberc",
    "kustomize",
    "label",
    "logs",
    "options",
    "patch",
    "plugin",
    "port-forward",
    "proxy",
    "replace",
    "rollout",
    "run",
    "scale",
    "set",
    "taint",
    "top",
    "uncordon",
    "version",
    "wait",
];

/// How many letters must change to make one word the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
        for (j, y) in b.iter().enumerate() {
            let cost = if x == y {
                diagonal
            } else {
                1 + diagonal.min(row[j]).min(row[j + 1])
            };
            diagonal = row[j + 1];
            row[j + 1] = cost;
        }
    }
    row.last().copied().unwrap_or(0)
}

fn unknown(command: &str) -> Fault {
    let mut text = format!("unknown command {} for \"kubectl\"", quote(command));
    let near: Vec<&&str> = COMMANDS
        .iter()
        .filter(|c| command.len() < 64 && (distance(command, c) <= 2 || c.starts_with(command)))
        .collect();
    if !near.is_empty() && !command.is_empty() {
        text.push_str("\n\nDid you mean this?\n");
        for name in near {
            text.push_str(&format!("\t{name}\n"));
        }
    }
    Fault::Text(text)
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
