//! `podscope check`: plays a scenario and says which invariants were broken, where, and what explains it.

use crate::say::{Words, time};
use crate::{args, run};
use podscope_session::Session;
use podscope_session::invariants::CheckApi;
use podscope_session::view::Msg;
use std::process::ExitCode;

/// Plays and looks. The exit code is 1 when something is broken that no fault explains.
///
/// # Errors
/// Bad input, in words for the person.
pub fn check(words: Vec<String>) -> Result<ExitCode, String> {
    let options = args::parse(words)?;
    if !options.rest.is_empty() {
        return Err("check takes no words after --".into());
    }
    let scenario = options.scenario()?;
    let say = Words::english();
    if scenario.commands.is_empty() && options.span.is_none() {
        return Err(
            "nothing to check: give manifest files, --scenario, --preset, --fault or --for".into(),
        );
    }
    let mut session = Session::from_scenario(&scenario).map_err(|e| e.to_string())?;
    run::finish(&mut session, options.span.as_deref())?;
    let found = session.check();
    let unexplained = found.violations.iter().filter(|v| !v.excused).count();
    let failed = || match unexplained {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    };
    if options.output == "json" {
        println!("{}", podscope_session::json::check(&found));
        return Ok(failed());
    }
    for violation in found.violations.iter() {
        println!(
            "{} event {}: {}",
            time(violation.at),
            violation.event,
            say.say(&violation.text, ".title")
        );
        println!("  {}", say.say(&violation.text, ".broken"));
        println!("  {}", say.say(&violation.text, ".why"));
        if violation.excused {
            println!("  {}", say.say(&violation.text, ".excuse"));
        }
    }
    let invariants = session.invariants().len();
    println!(
        "{invariants} invariants, {} events: {} broken, {unexplained} without an explanation",
        found.events,
        found.violations.len() as u64 + found.more
    );
    if found.violations.is_empty() {
        println!("{}", say.say(&Msg::plain("invariant.none"), ""));
    }
    Ok(failed())
}
