//! Checks what a scenario expects of its end.

use crate::scenario::{self, Expectation, Scenario};
use crate::session::Session;
use crate::simulation::Command;
use podscope_kernel::{SimDuration, SimTime};
use podscope_kubectl::Invocation;
use std::rc::Rc;

/// Plays a scenario to its end; gives one line per expectation that does not hold.
pub fn check(scenario: &Scenario) -> Vec<String> {
    let mut session = match Session::from_scenario(scenario) {
        Ok(session) => session,
        Err(error) => return vec![error.to_string()],
    };
    session.seek_end();
    all(&mut session, &scenario.expect)
}

/// Checks expectations at the cursor; one line per expectation that does not hold.
pub(crate) fn all(session: &mut Session, expect: &[Expectation]) -> Vec<String> {
    expect
        .iter()
        .enumerate()
        .filter_map(|(i, e)| {
            one(session, e)
                .err()
                .map(|why| format!("expect[{i}]: {why}"))
        })
        .collect()
}

fn one(session: &mut Session, expected: &Expectation) -> Result<(), String> {
    if !expected.event.is_empty() {
        return event(session, expected);
    }
    if expected.kubectl.is_empty() {
        return Err("give kubectl or event".into());
    }
    let argv = scenario::split_words(&expected.kubectl).map_err(|e| e.to_string())?;
    let before = session.simulation().terminals().count();
    let limit = session.now() + SimDuration::secs(600);
    let invocation = Invocation {
        argv,
        ..Invocation::default()
    };
    session.submit(Command::Kubectl(Rc::new(invocation)));
    session.run_while(
        |s| s.terminals().nth(before).is_none_or(|t| t.exit.is_none()),
        limit,
    );
    let Some(terminal) = session.simulation().terminals().nth(before) else {
        return Err("too many commands".into());
    };
    let output = format!("{}{}", terminal.stdout, terminal.stderr);
    if output.contains(&expected.contains) {
        Ok(())
    } else {
        Err(format!(
            "kubectl {} does not contain {:?}:\n{output}",
            expected.kubectl, expected.contains
        ))
    }
}

fn event(session: &Session, expected: &Expectation) -> Result<(), String> {
    let time = |text: &str, default: u64| -> Result<SimTime, String> {
        if text.is_empty() {
            return Ok(SimTime(default));
        }
        scenario::parse_duration(text)
            .map(|d| SimTime(d.0))
            .map_err(|e| e.to_string())
    };
    let (after, before) = (time(&expected.after, 0)?, time(&expected.before, u64::MAX)?);
    let mut seen = Vec::new();
    for e in session.log().iter().filter(|e| e.code == expected.event) {
        let about = e
            .subject
            .as_ref()
            .is_none_or(|s| s.key.name.contains(&expected.object));
        if about && e.at >= after && e.at <= before {
            return Ok(());
        }
        seen.push(e.at.to_string());
    }
    seen.truncate(10);
    Err(format!(
        "no event {} in the given time; it happened at: {}",
        expected.event,
        seen.join(", ")
    ))
}
