//! `podscope kubectl`: a kubectl command at the end (or at a moment) of a scenario.

use crate::{args, run};
use podscope_session::{Command, SimTime, scenario};
use std::process::ExitCode;
use std::rc::Rc;

/// The longest that a command may take, in simulated seconds.
const MAX_WAIT_SECS: u64 = 3_600;

/// Runs the command that stands after `--`.
///
/// # Errors
/// Bad input, in words for the person.
pub fn kubectl(words: Vec<String>) -> Result<ExitCode, String> {
    let options = args::parse(words)?;
    if options.rest.is_empty() {
        return Err("give the kubectl command after --, for example: podscope kubectl --preset birth -- get pods".into());
    }
    let scenario = options.scenario()?;
    let mut session =
        podscope_session::Session::from_scenario(&scenario).map_err(|e| e.to_string())?;
    run::finish(
        &mut session,
        options.at.as_deref().or(options.span.as_deref()),
    )?;
    let mut argv = options.rest;
    if argv.first().is_some_and(|w| w == "kubectl") {
        argv.remove(0);
    }
    let mut files: Vec<(String, String)> = scenario
        .files
        .iter()
        .map(|f| (f.name.clone(), f.text.clone()))
        .collect();
    for pair in argv
        .windows(2)
        .filter(|p| p[0] == "-f" || p[0] == "--filename")
    {
        if !files.iter().any(|(name, _)| *name == pair[1])
            && let Ok(text) = args::read(&pair[1])
        {
            files.push((pair[1].clone(), text));
        }
    }
    let invocation = podscope_session::Invocation {
        argv,
        files,
        stdin: String::new(),
    };
    let before = session.simulation().terminals().count();
    session.submit(Command::Kubectl(Rc::new(invocation)));
    let limit = session.now()
        + scenario::parse_duration(&format!("{MAX_WAIT_SECS}s")).map_err(|e| e.to_string())?;
    session.run_while(
        |s| s.terminals().nth(before).is_none_or(|t| t.exit.is_none()),
        SimTime(limit.0),
    );
    let Some(terminal) = session.simulation().terminals().nth(before) else {
        return Err("the scenario has too many commands".into());
    };
    print!("{}", terminal.stdout);
    eprint!("{}", terminal.stderr);
    match terminal.exit {
        Some(code) => Ok(ExitCode::from(code)),
        None => Err(format!(
            "the command has not ended after {MAX_WAIT_SECS} simulated seconds"
        )),
    }
}
