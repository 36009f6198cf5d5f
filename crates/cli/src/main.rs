//! The podscope binary: runs scenarios headless.

mod args;
mod check;
mod kubectl;
mod run;
mod say;
mod test;
mod whatif;
mod why;

use std::process::ExitCode;

const USAGE: &str = "\
podscope: Kubernetes v1.36, simulated, one step at a time

  podscope run [FILES…] [--scenario FILE] [--preset NAME] [--nodes N] [--seed N]
               [--for DURATION | --until stable] [--fault 'KIND key=value… at=DURATION']…
               [--output text|json|hash]
      applies the manifests (or plays the scenario) and prints the trace
  podscope kubectl [--scenario FILE | --preset NAME] [--at DURATION] -- ARGS…
      plays a scenario to its end (or to a time) and runs a kubectl command there
  podscope why POD|EVENT [FILES…] [--scenario FILE | --preset NAME] [--at DURATION] [--output text|json]
      where a Pod is in its life and why: verdicts, scores, attempts, causes; or what led to an event
  podscope what-if POD [--node NAME] [FILES…] [--scenario FILE | --preset NAME] [--at DURATION]
               [--output text|json]
      the smallest changes that give a Pod a node (or this node), each tried on a copy of the cluster first
  podscope check [FILES…] [--scenario FILE | --preset NAME] [--for DURATION] [--fault …]…
               [--output text|json]
      plays a scenario and looks after every step whether an invariant is broken, and what explains it
  podscope test PATHS…
      plays scenario files and lessons and checks what they expect
  podscope faults
      lists what can be broken, with parameters
  podscope presets
      lists the scenarios that come with it
";

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let command = words.next().unwrap_or_default();
    let rest: Vec<String> = words.collect();
    let result = match command.as_str() {
        "run" => run::run(rest),
        "kubectl" => kubectl::kubectl(rest),
        "why" => why::why(rest),
        "what-if" => whatif::what_if(rest),
        "check" => check::check(rest),
        "test" => test::test(rest),
        "faults" => run::faults(),
        "presets" => run::presets(),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        "version" | "--version" => {
            println!(
                "podscope {} (models Kubernetes v1.36.2)",
                env!("CARGO_PKG_VERSION")
            );
            Ok(ExitCode::SUCCESS)
        }
        "" => Err(format!("no command is given\n\n{USAGE}")),
        other => Err(format!("unknown command {other:?}\n\n{USAGE}")),
    };
    match result {
        Ok(code) => code,
        Err(message) => {
            eprintln!("podscope: {message}");
            ExitCode::from(2)
        }
    }
}
