//! `podscope what-if`: what would have to change so that a Pod gets a node.

use crate::say::{Words, time};
use crate::why;
use podscope_session::json;
use podscope_session::view::*;
use podscope_session::whatif::api::WhatIfApi;
use std::process::ExitCode;

/// Answers.
///
/// # Errors
/// Bad input, in words for the person.
pub fn what_if(words: Vec<String>) -> Result<ExitCode, String> {
    let (node, words) = take_node(words)?;
    let (session, subject, options) = why::open(words)?;
    let pod = why::pod(&session, &subject)?;
    let say = Words::english();
    let Some(view) = session.what_if(&pod, node.as_deref()) else {
        return Err(format!("there is no Pod {subject:?}"));
    };
    let sensitivity = session.sensitivity(&pod);
    if options.output == "json" {
        println!("{}", json::what_if(&view, sensitivity.as_deref()));
        return Ok(ExitCode::SUCCESS);
    }
    println!("Pod {}/{}", view.pod.namespace, view.pod.name);
    println!("  {}", say.say(&view.now, ""));
    if !view.blockers.is_empty() {
        println!("\nIn the way, all of it");
    }
    for blocker in view.blockers.iter() {
        if blocker.reasons.is_empty() {
            println!("  {}: nothing", blocker.node);
        }
        for (text, numbers) in blocker.reasons.iter() {
            match numbers.code {
                "verdict.none" => println!("  {}: {text}", blocker.node),
                _ => println!("  {}: {text}: {}", blocker.node, say.say(numbers, "")),
            }
        }
    }
    for (i, answer) in view.answers.iter().enumerate() {
        println!(
            "\n{}. → {}, bound after {}",
            i + 1,
            answer.node,
            time(answer.after)
        );
        for edit in answer.edits.iter() {
            println!("   {}", say.say(&edit.text, ""));
        }
        for victim in answer.victims.iter() {
            println!("   (the Pod {} has to go)", victim.name);
        }
        for command in answer.commands.iter() {
            println!("     kubectl {command}");
        }
    }
    if view
        .bounds
        .args
        .iter()
        .any(|(name, arg)| *name == "weighed" && *arg != Arg::Count(0))
    {
        println!("\n{}", say.say(&view.bounds, ""));
    }
    if let Some(sensitivity) = sensitivity.filter(|s| !s.totals.is_empty()) {
        println!("\nScores now");
        for (node, total) in sensitivity.totals.iter() {
            println!("  {node}: {total}");
        }
        for row in sensitivity.changes.iter() {
            match &row.winner {
                Some(winner) => println!("  {} → {winner} wins", say.say(&row.text, "")),
                None => println!("  {} → it fits nowhere", say.say(&row.text, "")),
            }
        }
        println!("  {}", say.say(&sensitivity.bounds, ""));
    }
    Ok(ExitCode::SUCCESS)
}

/// Takes `--node X` out of the words.
fn take_node(words: Vec<String>) -> Result<(Option<String>, Vec<String>), String> {
    let mut node = None;
    let mut rest = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        if word == "--node" {
            node = Some(words.next().ok_or("--node needs a value")?);
        } else if let Some(name) = word.strip_prefix("--node=") {
            node = Some(name.to_string());
        } else {
            rest.push(word);
        }
    }
    Ok((node, rest))
}
