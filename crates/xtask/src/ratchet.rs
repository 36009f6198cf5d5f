//! The conformance tables against the scores recorded in the repository: they only go up.

use crate::shell::{self, Context, Result};
use crate::workspace;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Table → (passed, total).
type Scores = BTreeMap<String, (u32, u32)>;

const HEADER: &str = "# table passed total: `cargo xtask conformance --bless` raises these; nothing \
                      lowers them.\n";

/// The folder of tables, when this machine has it.
pub fn tables() -> Option<PathBuf> {
    let shared = std::env::var_os("PODSCOPE_SHARED").map(PathBuf::from);
    let folder = shared
        .unwrap_or_else(|| workspace::root().join("../shared"))
        .join("conformance");
    folder.is_dir().then_some(folder)
}

/// `cargo xtask conformance [--bless]`.
pub fn command(args: &[String]) -> Result<()> {
    let bless = match args {
        [] => false,
        [only] if only == "--bless" => true,
        _ => return Err(format!("unknown options {args:?}")),
    };
    let tables = tables().ok_or("no tables: set PODSCOPE_SHARED to the folder of conformance/")?;
    println!("{}", check(&tables, bless)?);
    Ok(())
}

/// Runs the tables; `Ok` is one line about the scores, `Err` names the tables that fell.
pub fn check(tables: &std::path::Path, bless: bool) -> Result<String> {
    let mut build = shell::cargo(&["build", "--quiet", "--release", "--package", "conformance"]);
    shell::run(&mut build)?;
    let mut runner = shell::cargo(&["run", "--quiet", "--release", "--package", "conformance"]);
    let output = runner
        .arg("--")
        .arg(tables)
        .output()
        .context(|| "conformance".to_owned())?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    // 1 means that cases failed, which the recorded scores allow for.
    if !matches!(output.status.code(), Some(0 | 1)) {
        return Err(format!("the runner stopped early: {}", errors.trim()));
    }
    println!("{printed}");
    let scores = read_runner(&printed);
    let summary = printed.lines().last().unwrap_or_default().to_owned();

    let file = workspace::root().join("tests/conformance/ratchet.txt");
    let recorded = match file.is_file() {
        true => read_recorded(&workspace::read(&file)?)?,
        false => Scores::new(),
    };
    let fallen = fallen(&recorded, &scores);
    if !fallen.is_empty() {
        return Err(format!("below the recorded score: {}", fallen.join("; ")));
    }
    if bless {
        workspace::write(&file, write_recorded(&scores).as_bytes())?;
    }
    Ok(format!(
        "{summary}; {} tables hold their recorded scores",
        recorded.len()
    ))
}

/// Lines `name passed/total …` of the runner.
fn read_runner(printed: &str) -> Scores {
    let read = |line: &str| -> Option<(String, (u32, u32))> {
        let mut words = line.split(' ');
        let name = words.next().filter(|name| !name.is_empty())?;
        let (passed, total) = words.next()?.split_once('/')?;
        Some((name.to_owned(), (passed.parse().ok()?, total.parse().ok()?)))
    };
    let mut scores = Scores::new();
    for (name, (passed, total)) in printed.lines().filter_map(read) {
        // Several files may carry one table.
        let score = scores.entry(name).or_default();
        *score = (score.0 + passed, score.1 + total);
    }
    scores
}

fn read_recorded(text: &str) -> Result<Scores> {
    let mut scores = Scores::new();
    for line in text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let wrong = || format!("tests/conformance/ratchet.txt: unreadable line `{line}`");
        let words: Vec<&str> = line.split(' ').collect();
        let [name, passed, total] = words[..] else {
            return Err(wrong());
        };
        let (Ok(passed), Ok(total)) = (passed.parse(), total.parse()) else {
            return Err(wrong());
        };
        scores.insert(name.to_owned(), (passed, total));
    }
    Ok(scores)
}

fn write_recorded(scores: &Scores) -> String {
    let mut text = HEADER.to_owned();
    for (name, (passed, total)) in scores {
        writeln!(text, "{name} {passed} {total}").ok();
    }
    text
}

/// One line per recorded table that passes fewer cases than it did, or did not run.
fn fallen(recorded: &Scores, scores: &Scores) -> Vec<String> {
    let judge = |(name, (passed, total)): (&String, &(u32, u32))| match scores.get(name) {
        None => Some(format!("{name} did not run (recorded {passed}/{total})")),
        Some((now, of)) if now < passed => {
            Some(format!("{name} {now}/{of} (recorded {passed}/{total})"))
        }
        Some(_) => None,
    };
    recorded.iter().filter_map(judge).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runners_lines_are_read() {
        let printed = "a/b 1/1\na/b 2/3\n  FAIL a/b/1: 1/2\nc skipped (9 cases): later\n\
                       d 5/5 (2 skipped: gates)\n8 passed, 1 failed, 11 skipped\n";
        let want = [("a/b".to_owned(), (3, 4)), ("d".to_owned(), (5, 5))];
        assert_eq!(read_runner(printed), Scores::from(want));
    }

    #[test]
    fn a_score_may_rise_but_not_fall_or_vanish() {
        let recorded = read_recorded("# head\na 3 4\nb 2 2\nc 1 1\n").expect("readable");
        let now = read_runner("a 4/4\nb 1/2\n");
        let want = ["b 1/2 (recorded 2/2)", "c did not run (recorded 1/1)"];
        assert_eq!(fallen(&recorded, &now), want);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let scores = read_runner("a 3/4\nb 2/2");
        assert_eq!(read_recorded(&write_recorded(&scores)), Ok(scores));
        assert!(read_recorded("a 3").is_err());
    }
}
