//! `podscope run`: plays a scenario and prints its trace.

use crate::args;
use podscope_session::{Session, scenario, transcript};
use std::io::Write;
use std::process::ExitCode;

/// Plays what the words describe.
///
/// # Errors
/// Bad input, in words for the person.
pub fn run(words: Vec<String>) -> Result<ExitCode, String> {
    let options = args::parse(words)?;
    if !options.rest.is_empty() {
        return Err("run takes no words after --".into());
    }
    let scenario = options.scenario()?;
    if scenario.commands.is_empty() && options.span.is_none() {
        return Err(
            "nothing to do: give manifest files, --scenario, --preset, --fault or --for".into(),
        );
    }
    let mut session = Session::from_scenario(&scenario).map_err(|e| e.to_string())?;
    finish(&mut session, options.span.as_deref())?;
    let mut out = std::io::stdout().lock();
    let written = match options.output.as_str() {
        "hash" => writeln!(out, "{:016x}", session.log_hash()),
        "json" => json(&mut out, &session),
        _ => write!(out, "{}", transcript::of(&session)),
    };
    // A closed pipe (`| head`) is no failure.
    if written.is_err() {
        return Ok(ExitCode::SUCCESS);
    }
    let failed: Vec<String> = session
        .simulation()
        .terminals()
        .filter(|t| t.exit.is_some_and(|code| code != 0))
        .map(|t| {
            format!(
                "kubectl {}: {}",
                t.invocation.argv.join(" "),
                t.stderr.trim_end()
            )
        })
        .collect();
    let refused = podscope_session::refused_faults(&session);
    for line in failed.iter().chain(&refused) {
        eprintln!("podscope: {line}");
    }
    Ok(if failed.is_empty() && refused.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Moves a session to its end.
///
/// # Errors
/// A duration that cannot be read.
pub fn finish(session: &mut Session, span: Option<&str>) -> Result<(), String> {
    match span {
        Some(span) => {
            let span = scenario::parse_duration(span).map_err(|e| e.to_string())?;
            session.seek_time(podscope_session::SimTime(span.0));
        }
        None => session.seek_end(),
    }
    Ok(())
}

fn json(out: &mut impl Write, session: &Session) -> std::io::Result<()> {
    for event in session.shown_log() {
        writeln!(out, "{}", transcript::json_line(event))?;
    }
    Ok(())
}

/// Lists what can be broken.
///
/// # Errors
/// None.
pub fn faults() -> Result<ExitCode, String> {
    for line in podscope_session::fault_help() {
        println!("{line}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Lists the scenarios that come with the program.
///
/// # Errors
/// None.
pub fn presets() -> Result<ExitCode, String> {
    for (id, title) in podscope_session::preset_titles() {
        println!("{id:<20} {title}");
    }
    Ok(ExitCode::SUCCESS)
}
