//! Runs the conformance tables and recordings of real Kubernetes against the engine.
//!
//! `cargo run -q --release -p conformance -- PATH…` prints `name passed/total` per table, the failing
//! ids with a readable difference, tables that cannot run yet with the reason, and a last line
//! `N passed, N failed, N skipped`. It exits non-zero when anything failed.

mod area;
mod load;

use std::process::ExitCode;

fn main() -> ExitCode {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    if paths.is_empty() {
        eprintln!("usage: conformance PATH… (files or folders of conformance tables)");
        return ExitCode::from(2);
    }
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for path in &paths {
        let tables = match load::tables(path) {
            Ok(tables) => tables,
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::from(2);
            }
        };
        for table in tables {
            let score = run_table(&table);
            passed += score.0;
            failed += score.1;
            skipped += score.2;
        }
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if failed > 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// How many failing ids are printed with their difference for each table.
const MAX_DIFFERENCES: usize = 2000;

fn run_table(table: &load::Table) -> (usize, usize, usize) {
    let mut failures = Vec::new();
    let (mut passed, mut skipped) = (0, 0);
    let mut reason = String::new();
    for case in &table.cases {
        match area::run(table, case) {
            area::Outcome::Pass => passed += 1,
            area::Outcome::Fail(difference) => failures.push((load::id(case), difference)),
            area::Outcome::Skip(why) => {
                skipped += 1;
                reason = why;
            }
        }
    }
    if passed == 0 && failures.is_empty() {
        println!("{} skipped ({} cases): {reason}", table.name, skipped);
    } else if skipped > 0 {
        println!(
            "{} {passed}/{} ({skipped} skipped: {reason})",
            table.name,
            passed + failures.len()
        );
    } else {
        println!("{} {passed}/{}", table.name, passed + failures.len());
    }
    for (id, difference) in failures.iter().take(MAX_DIFFERENCES) {
        println!("  FAIL {id}: {}", difference.replace('\n', "\n    "));
    }
    if failures.len() > MAX_DIFFERENCES {
        println!("  … and {} more", failures.len() - MAX_DIFFERENCES);
    }
    (passed, failures.len(), skipped)
}
