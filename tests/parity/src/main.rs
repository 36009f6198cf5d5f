//! Replays recordings of a real cluster in the simulation and compares what was seen.
//!
//! `cargo run -q --release -p parity -- RECORDING…` runs the recorded commands in order, does to machines
//! and processes what the notes say, and compares outputs, exit codes, API writes, Events, conditions,
//! scheduling decisions and times. It prints what differs and, with `--all`, what agrees; per recording a
//! line `name agrees/all`; last `N passed, N failed, N skipped`.
//! `--seed N` plays with other random choices, `--trace` prints what was simulated. It exits non-zero when something differs;
//! with `--ratchet` only when a difference is not in `known/<recording>.txt`. `--bless` shrinks these files.

mod compare;
mod known;
mod normal;
mod observe;
mod play;
mod recording;
mod run;
mod script;
mod setup;

use compare::Verdict;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

#[derive(Clone, Copy, Default)]
struct Options {
    all: bool,
    ratchet: bool,
    bless: bool,
    trace: bool,
    seed: Option<u64>,
}

#[derive(Clone, Copy, Default)]
struct Score {
    passed: usize,
    failed: usize,
    skipped: usize,
    fresh: usize,
}

fn main() -> ExitCode {
    let mut options = Options::default();
    let mut folders = Vec::new();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seed" => options.seed = words.next().and_then(|seed| seed.parse().ok()),
            "--all" => options.all = true,
            "--ratchet" => options.ratchet = true,
            "--bless" => options.bless = true,
            "--trace" => options.trace = true,
            _ => folders.push(word),
        }
    }
    if folders.is_empty() {
        eprintln!("usage: parity [--all] [--ratchet] [--bless] RECORDING… (folders of recordings)");
        return ExitCode::from(2);
    }
    let mut sum = Score::default();
    for folder in &folders {
        match one(Path::new(folder), options) {
            Ok(score) => {
                sum.passed += score.passed;
                sum.failed += score.failed;
                sum.skipped += score.skipped;
                sum.fresh += score.fresh;
            }
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::from(2);
            }
        }
    }
    println!(
        "{} passed, {} failed, {} skipped",
        sum.passed, sum.failed, sum.skipped
    );
    let bad = if options.ratchet {
        sum.fresh
    } else {
        sum.failed
    };
    if bad > 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

fn one(folder: &Path, options: Options) -> Result<Score, String> {
    let mut recording = recording::Recording::read(folder)?;
    let mut played = play::play(&recording, options.seed);
    if options.trace {
        trace(&played.run);
    }
    let names = [&recording.run, &played.run].map(normal::Names::of);
    recording.run.take_out_races();
    played.run.take_out_races();
    let mut checks = compare::compare(&recording.run, &played.run, names);
    for words in played.not_done {
        checks.push(compare::Check {
            name: format!("act {words}"),
            verdict: Verdict::Skipped("this cannot be done to the simulation yet".to_owned()),
        });
    }
    let known = known::read(&recording.name)?;
    let mut score = Score::default();
    let mut differ = BTreeSet::new();
    println!("{}", recording.name);
    for check in &checks {
        match &check.verdict {
            Verdict::Agrees => {
                score.passed += 1;
                if options.all {
                    println!("  agrees  {}", check.name);
                }
            }
            Verdict::Skipped(why) => {
                score.skipped += 1;
                println!("  skipped {}: {why}", check.name);
            }
            Verdict::Differs(told) => {
                score.failed += 1;
                let expected = known.as_ref().is_some_and(|k| k.contains(&check.name));
                score.fresh += usize::from(!expected);
                differ.insert(check.name.clone());
                if options.ratchet && expected {
                    continue;
                }
                let sign = if expected { "known  " } else { "DIFFERS" };
                println!(
                    "  {sign} {}\n      {}",
                    check.name,
                    told.replace('\n', "\n      ")
                );
            }
        }
    }
    let gone = known
        .iter()
        .flatten()
        .filter(|name| !differ.contains(*name));
    let gone = gone.count();
    println!(
        "{} {}/{} ({} skipped, {} differences not known, {gone} known ones gone)",
        recording.name,
        score.passed,
        score.passed + score.failed,
        score.skipped,
        score.fresh
    );
    if options.bless {
        known::shrink(&recording.name, known.as_ref(), &differ)?;
    }
    Ok(score)
}

/// Prints what was simulated, a line for each write and each Event.
fn trace(run: &run::Run) {
    let mut lines: Vec<(i64, String)> = Vec::new();
    for write in &run.writes {
        let (user, verb, resource) = (&write.user, &write.verb, &write.resource);
        let name = &write.name;
        lines.push((
            write.at,
            format!("{user} {verb} {resource} {name} {}", write.code),
        ));
    }
    for change in run.changes.iter().filter(|c| c.resource == "events") {
        let event = &change.object.0;
        let about = event.at("involvedObject.name").str_or_empty();
        let (reason, message) = (event.get("reason"), event.get("message"));
        let words = format!(
            "  {about} {}: {}",
            reason.str_or_empty(),
            message.str_or_empty()
        );
        lines.push((change.at, words));
    }
    lines.sort_by_key(|(at, _)| *at);
    for (at, line) in lines {
        println!("{:>10} {line}", compare::seconds(at));
    }
}
