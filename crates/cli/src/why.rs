//! `podscope why`: where a Pod is and why, or what led to an event.

use crate::say::{Words, time};
use crate::{args, run};
use podscope_session::api::SessionApi;
use podscope_session::view::*;
use podscope_session::whatif::api::WhatIfApi;
use podscope_session::{Session, json};
use std::process::ExitCode;

/// Opens what the options describe and goes to the moment that is asked for; gives the words beside.
///
/// # Errors
/// Bad input, in words for the person.
pub fn open(words: Vec<String>) -> Result<(Session, String, args::Options), String> {
    let mut options = args::parse(words)?;
    if options.files.is_empty() {
        return Err(
            "name a Pod (or NAMESPACE/POD), for example: podscope why --preset pending large"
                .into(),
        );
    }
    let subject = options.files.remove(0);
    let scenario = options.scenario()?;
    let mut session = Session::from_scenario(&scenario).map_err(|e| e.to_string())?;
    run::finish(
        &mut session,
        options.at.as_deref().or(options.span.as_deref()),
    )?;
    Ok((session, subject, options))
}

/// The Pod that a person means: `name`, `namespace/name`, or the beginning of one Pod's name.
///
/// # Errors
/// There is none, or there are several.
pub fn pod(session: &Session, words: &str) -> Result<ObjectRef, String> {
    let (namespace, name) = words.split_once('/').unwrap_or(("", words));
    let all: Vec<ObjectRef> = podscope_session::whatif::pods(session);
    let fits = |p: &&ObjectRef| namespace.is_empty() || *p.namespace == *namespace;
    let inside = || all.iter().filter(fits);
    if let Some(exact) = inside().find(|p| *p.name == *name) {
        return Ok(exact.clone());
    }
    let begins: Vec<&ObjectRef> = inside().filter(|p| p.name.starts_with(name)).collect();
    let list = |pods: &[&ObjectRef]| {
        let names = pods.iter().map(|p| format!("{}/{}", p.namespace, p.name));
        names.collect::<Vec<_>>().join(", ")
    };
    match begins.as_slice() {
        [one] => Ok((*one).clone()),
        [] if all.is_empty() => Err(format!("there is no Pod {words:?}; there are none at all")),
        [] => Err(format!(
            "there is no Pod {words:?}; there are: {}",
            list(&all.iter().take(40).collect::<Vec<_>>())
        )),
        many => Err(format!("several Pods begin with {words:?}: {}", list(many))),
    }
}

/// Answers.
///
/// # Errors
/// Bad input, in words for the person.
pub fn why(words: Vec<String>) -> Result<ExitCode, String> {
    let (session, subject, options) = open(words)?;
    let say = Words::english();
    let digits = subject.trim_start_matches('#');
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        let number: EventIndex = digits
            .parse()
            .map_err(|_| format!("{subject}: there are not so many events"))?;
        return event(&session, number, &options.output, &say);
    }
    let pod = pod(&session, &subject)?;
    let Some(view) = session.why(&pod) else {
        return Err(format!("there is no Pod {subject:?}"));
    };
    if options.output == "json" {
        println!("{}", json::why(&view));
        return Ok(ExitCode::SUCCESS);
    }
    println!("Pod {}/{}", view.pod.namespace, view.pod.name);
    println!("  {}", say.say(&view.stage, ""));
    if let Some(message) = &view.message {
        println!("  scheduler: {message}");
    }
    if view.left_out > 0 {
        println!("\n{} attempts are left out", view.left_out);
    }
    for attempt in view.attempts.iter() {
        print_attempt(attempt, &say);
    }
    println!("\nCauses");
    print_causes(&session, &view.causes, &view.root, &say);
    Ok(ExitCode::SUCCESS)
}

fn event(
    session: &Session,
    number: EventIndex,
    output: &str,
    say: &Words,
) -> Result<ExitCode, String> {
    // The trace is printed with numbers from 0, the session counts from 1.
    let index = number.saturating_add(1);
    let known = session.log().len();
    let Some(explained) = session.explain(index) else {
        return Err(format!(
            "there is no event {number}; the last is {}",
            known.saturating_sub(1)
        ));
    };
    let Some(root) = session.root(index) else {
        return Err(format!("there is no event {number}"));
    };
    if output == "json" {
        println!("{}", json::causes(&explained.causes, &root));
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "#{number} at {}: {}",
        time(explained.at),
        say.say(&explained.msg, ".title")
    );
    println!("  {}", say.say(&explained.msg, ".why"));
    if let Some((file, line, text)) = &explained.line {
        println!("  decided by {file} line {line}: {text}");
    }
    println!("\nCauses");
    print_causes(session, &explained.causes, &root, say);
    if let Some(attempt) = session
        .attempt(index)
        .filter(|_| explained.msg.code.starts_with("scheduler."))
    {
        print_attempt(&attempt, say);
    }
    Ok(ExitCode::SUCCESS)
}

fn print_causes(session: &Session, causes: &[CauseView], root: &RootView, say: &Words) {
    let (text, number) = match root {
        RootView::Act(msg, number) | RootView::Timer(msg, number) => (say.say(msg, ""), *number),
        RootView::Unknown(number) => ("(nothing that is known)".to_string(), *number),
    };
    println!("  {:>10}  {text}", format!("#{}", number.saturating_sub(1)));
    for cause in causes.iter().filter(|c| c.event != Some(number)) {
        let at = cause
            .event
            .map_or(String::new(), |e| format!("#{}", e.saturating_sub(1)));
        println!(
            "  {at:>10}  {:>10}  {}",
            time(cause.at),
            say.say(&cause.text, ".title")
        );
        let line = cause
            .event
            .and_then(|e| session.explain(e))
            .and_then(|e| e.line.clone());
        if let Some((file, line, text)) = line {
            println!("  {:>10}  {:>10}  by {file} line {line}: {text}", "", "");
        }
    }
}

fn print_attempt(attempt: &AttemptView, say: &Words) {
    println!(
        "\nAttempt {} at {} (#{}): {}. {}",
        attempt.number,
        time(attempt.at),
        attempt.event.saturating_sub(1),
        say.say(&attempt.woken, ""),
        say.say(&attempt.outcome, "")
    );
    if let Some(message) = &attempt.message {
        println!("  {message}");
    }
    for differs in attempt.differs.iter() {
        println!("  since the last attempt: {}", say.say(differs, ""));
    }
    if let Some(no) = &attempt.pre_filter {
        println!("  before any node was looked at, {} said no:", no.plugin);
        for (text, numbers) in no.reasons.iter() {
            println!("    {text} ({})", say.say(numbers, ""));
        }
    }
    let width = attempt
        .nodes
        .iter()
        .map(|n| n.node.len())
        .max()
        .unwrap_or(0);
    if !attempt.nodes.is_empty() {
        println!("  filters: {}", attempt.filters.join(", "));
    }
    for node in attempt.nodes.iter() {
        match &node.rejected {
            None => {
                let mark = if node.chosen { ", chosen" } else { "" };
                println!("    {:width$}  fits{mark}", node.node);
            }
            Some(no) => {
                for (text, numbers) in no.reasons.iter() {
                    let numbers = match numbers.code {
                        "verdict.none" => String::new(),
                        _ => format!(": {}", say.say(numbers, "")),
                    };
                    println!("    {:width$}  {}: {text}{numbers}", node.node, no.plugin);
                }
            }
        }
    }
    if attempt.nodes.is_empty() {
        for (text, n) in attempt.reasons.iter() {
            println!("    {n} nodes: {text}");
        }
    }
    if !attempt.scorers.is_empty() {
        println!("  scores: raw → normalised × weight = weighted");
    }
    for node in attempt.nodes.iter().filter(|n| n.total.is_some()) {
        println!(
            "    {:width$}  total {}",
            node.node,
            node.total.unwrap_or(0)
        );
        for ((plugin, weight), score) in attempt.scorers.iter().zip(node.scores.iter()) {
            let account = score
                .account
                .iter()
                .map(|(name, value)| format!("{name} {value}"));
            let account = account.collect::<Vec<_>>().join(", ");
            let account = if account.is_empty() {
                account
            } else {
                format!("   ({account})")
            };
            println!(
                "    {:width$}    {plugin}: {} → {} × {weight} = {}{account}",
                "", score.raw, score.normalized, score.weighted
            );
        }
    }
    if let Some(preemption) = &attempt.preemption {
        for candidate in preemption.candidates.iter() {
            let victims = candidate.victims.iter();
            let victims =
                victims.map(|(pod, priority)| format!("{} (priority {priority})", pod.name));
            let victims = victims.collect::<Vec<_>>().join(", ");
            println!(
                "  {} could be made free by {victims}; {} protected by a PodDisruptionBudget",
                candidate.node, candidate.violations
            );
        }
        if let Some(why) = &preemption.why {
            println!("  chosen: {}", say.say(why, ""));
        }
        for (text, n) in preemption.rejected.iter() {
            println!("  preemption: {n} nodes: {text}");
        }
    }
}
