//! `cargo xtask test`: everything that CI runs, one named step after the other.

use crate::shell::{self, Context, Result, say};
use crate::site::{self, Mode};
use crate::{page, parity, ratchet, setup, size, workspace};
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What became of a step.
enum Outcome {
    /// With a remark, which may be empty.
    Passed(String),
    Failed(String),
    /// It could not run here, for this reason. On CI that is a failure.
    Skipped(String),
}

impl From<Result<String>> for Outcome {
    fn from(result: Result<String>) -> Outcome {
        match result {
            Ok(remark) => Outcome::Passed(remark),
            Err(error) => Outcome::Failed(error),
        }
    }
}

struct Step {
    name: &'static str,
    /// Part of `--fast`.
    fast: bool,
    /// Why it does not count yet; then it runs only when asked for with `--only`, and every run says so.
    pending: Option<&'static str>,
    run: fn() -> Outcome,
}

const STEPS: [Step; 12] = [
    Step {
        name: "format",
        fast: true,
        pending: None,
        run: format,
    },
    Step {
        name: "clippy",
        fast: true,
        pending: None,
        run: clippy,
    },
    Step {
        name: "native tests",
        fast: true,
        pending: None,
        run: native_tests,
    },
    Step {
        name: "conformance",
        fast: true,
        pending: None,
        run: conformance,
    },
    Step {
        name: "parity",
        fast: true,
        pending: None,
        run: parity,
    },
    Step {
        name: "setup",
        fast: false,
        pending: None,
        run: set_up,
    },
    Step {
        name: "session in Node",
        fast: false,
        pending: None,
        run: || wasm_test("crates/session", Place::Node),
    },
    Step {
        name: "session in Chrome",
        fast: false,
        pending: None,
        run: || wasm_test("crates/session", Place::Chrome),
    },
    Step {
        name: "web in Chrome",
        fast: false,
        pending: None,
        run: || wasm_test("web", Place::Chrome),
    },
    Step {
        name: "build",
        fast: false,
        pending: None,
        run: build,
    },
    Step {
        name: "size budgets",
        fast: false,
        pending: None,
        run: || size::check().into(),
    },
    Step {
        name: "page walk",
        fast: false,
        pending: None,
        run: page_walk,
    },
];

/// Runs the steps; fails when one did.
pub fn run(args: &[String]) -> Result<()> {
    let mut fast = false;
    let mut only = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--fast" => fast = true,
            "--only" => only.push(args.next().ok_or("--only needs a word")?.to_lowercase()),
            other => return Err(format!("unknown option `{other}`")),
        }
    }
    let chosen = |step: &&Step| {
        let name = step.name.to_lowercase();
        match only.is_empty() {
            true => step.pending.is_none() && (step.fast || !fast),
            false => only.iter().any(|word| name.contains(word)),
        }
    };
    let steps: Vec<&Step> = STEPS.iter().filter(chosen).collect();
    if steps.is_empty() {
        let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        return Err(format!(
            "no step is called so; there are: {}",
            names.join(", ")
        ));
    }
    let on_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    let start = Instant::now();
    let done: Vec<_> = steps
        .iter()
        .map(|step| (step.name, perform(step, on_ci)))
        .collect();
    summarize(&done, start.elapsed())
}

fn perform(step: &Step, on_ci: bool) -> (Outcome, Duration) {
    println!("\n── {} ──", step.name);
    std::io::stdout().flush().ok();
    let start = Instant::now();
    let outcome = match (step.run)() {
        Outcome::Skipped(reason) if on_ci => Outcome::Failed(format!(
            "could not run, and CI=true allows no gaps: {reason}"
        )),
        outcome => outcome,
    };
    match &outcome {
        Outcome::Failed(error) => println!("✗ {}: {error}", step.name),
        Outcome::Skipped(reason) => println!("! {} was SKIPPED: {reason}", step.name),
        Outcome::Passed(_) => {}
    }
    (outcome, start.elapsed())
}

fn summarize(done: &[(&str, (Outcome, Duration))], total: Duration) -> Result<()> {
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    println!("\n── summary, {:.0} s ──", total.as_secs_f64());
    for (name, (outcome, duration)) in done {
        let (mark, note) = match outcome {
            Outcome::Passed(remark) => (&mut passed, ("ok", remark)),
            Outcome::Failed(error) => (&mut failed, ("FAILED", error)),
            Outcome::Skipped(reason) => (&mut skipped, ("SKIPPED", reason)),
        };
        *mark += 1;
        let (verdict, note) = note;
        let note = note.lines().next().unwrap_or_default();
        println!(
            "{name:<18} {:>7.1} s  {verdict:<8} {note}",
            duration.as_secs_f64()
        );
    }
    for step in &STEPS {
        if let Some(reason) = step.pending {
            println!("NOT PART OF THE TEST YET: {} ({reason})", step.name);
        }
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    match failed {
        0 => Ok(()),
        count => Err(format!("{count} of {} steps failed", done.len())),
    }
}

fn format() -> Outcome {
    shell::run(&mut shell::cargo(&["fmt", "--all", "--check"]))
        .map(|()| String::new())
        .into()
}

fn clippy() -> Outcome {
    let args = [
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ];
    shell::run(&mut shell::cargo(&args))
        .map(|()| String::new())
        .into()
}

fn native_tests() -> Outcome {
    // The default members: `web` runs in a browser below.
    watch(&mut shell::cargo(&["test", "--no-fail-fast"])).into()
}

fn conformance() -> Outcome {
    match ratchet::tables() {
        Some(tables) => ratchet::check(&tables, false).into(),
        None => Outcome::Skipped("no tables at ../shared/conformance (or PODSCOPE_SHARED)".into()),
    }
}

fn parity() -> Outcome {
    match parity::recordings() {
        Some(folder) => parity::check(&folder, false).into(),
        None => Outcome::Skipped("no recordings at ../shared/golden (or PODSCOPE_SHARED)".into()),
    }
}

/// A missing piece fails here once, and again in the step that needs it.
fn set_up() -> Outcome {
    setup::everything().map(|()| String::new()).into()
}

fn build() -> Outcome {
    site::build(Mode::Release).map(|()| String::new()).into()
}

fn page_walk() -> Outcome {
    match setup::browser() {
        Ok(_) => page::walk().map(|()| String::new()).into(),
        Err(error) => Outcome::Skipped(error),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Node,
    Chrome,
}

/// A browser test may take this long before the runner gives up; a debug build is slow.
const WASM_TEST_SECONDS: &str = "300";

/// The wasm tests of a crate, by `wasm-pack test`.
fn wasm_test(folder: &str, place: Place) -> Outcome {
    if !has_wasm_tests(&workspace::root().join(folder)) {
        return Outcome::Skipped(format!("{folder} has no wasm_bindgen_test yet"));
    }
    let browser = setup::browser();
    match (place, &browser) {
        (Place::Chrome, Err(error)) => return Outcome::Skipped(error.clone()),
        (Place::Node, _) if setup::node().is_err() => {
            return Outcome::Skipped("Node.js is not installed".to_owned());
        }
        _ => {}
    }
    let command = match place {
        Place::Node => wasm_pack(folder).map(|mut command| {
            command.arg("--node");
            command
        }),
        Place::Chrome => wasm_pack(folder).and_then(|mut command| {
            let browser = browser?;
            command.args(["--headless", "--chrome"]);
            if let Some(driver) = &browser.driver {
                command.arg("--chromedriver").arg(driver);
            }
            command
                .env(
                    "WASM_BINDGEN_TEST_WEBDRIVER_JSON",
                    browser.webdriver_json()?,
                )
                // For suites that name no place; the others keep theirs.
                .env("WASM_BINDGEN_USE_BROWSER", "1");
            Ok(command)
        }),
    };
    command
        .and_then(|mut command| watch(command.arg(folder)))
        .into()
}

fn wasm_pack(_folder: &str) -> Result<Command> {
    let (pack, bindgen) = (setup::wasm_pack()?, setup::bindgen_folder()?);
    let mut command = Command::new(pack.join("wasm-pack"));
    setup::wasm_toolchain()?.choose(&mut command);
    command
        .current_dir(workspace::root())
        .env("PATH", shell::path_with(&[&bindgen, &pack]))
        .env("WASM_BINDGEN_TEST_TIMEOUT", WASM_TEST_SECONDS)
        .args(["test", "--mode", "no-install"]);
    Ok(command)
}

fn has_wasm_tests(folder: &Path) -> bool {
    let files = workspace::files_under(folder).unwrap_or_default();
    let rust = files
        .iter()
        .filter(|file| file.extension().is_some_and(|end| end == "rs"));
    rust.filter_map(|file| workspace::read(file).ok())
        .any(|text| text.contains("wasm_bindgen_test"))
}

/// Runs a test command with its output on the terminal. A run without a single test is a failure:
/// a runner that finds none exits with success.
fn watch(command: &mut Command) -> Result<String> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context(|| command.get_program().to_string_lossy().into_owned())?;
    let mut tests = 0;
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output)
            .lines()
            .map_while(std::io::Result::ok)
        {
            println!("{line}");
            tests += tests_passed(&line).unwrap_or_default();
        }
    }
    let status = child
        .wait()
        .context(|| "waiting for the tests".to_owned())?;
    if !status.success() {
        return Err(format!("tests failed ({status}); {tests} passed"));
    }
    if tests == 0 {
        return Err("no test ran".to_owned());
    }
    say(format!("{tests} tests passed"));
    Ok(format!("{tests} tests"))
}

/// The count of a line `test result: ok. 12 passed; 0 failed; …`.
fn tests_passed(line: &str) -> Option<u32> {
    let rest = line.trim_start().strip_prefix("test result: ")?;
    let (_, counts) = rest.split_once(". ")?;
    counts.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passed_tests_are_counted() {
        let line = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out";
        assert_eq!(tests_passed(line), Some(12));
        assert_eq!(tests_passed("running 12 tests"), None);
    }

    #[test]
    fn a_failed_step_fails_the_run_and_a_skipped_one_does_not() {
        let run = |outcome: Outcome| summarize(&[("x", (outcome, Duration::ZERO))], Duration::ZERO);
        assert!(run(Outcome::Failed("y".to_owned())).is_err());
        assert!(run(Outcome::Skipped("y".to_owned())).is_ok());
    }

    #[test]
    fn ci_allows_no_gaps() {
        let step = Step {
            name: "x",
            fast: true,
            pending: None,
            run: || Outcome::Skipped("no browser".to_owned()),
        };
        assert!(matches!(perform(&step, true).0, Outcome::Failed(_)));
        assert!(matches!(perform(&step, false).0, Outcome::Skipped(_)));
    }
}
