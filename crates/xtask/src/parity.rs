//! The recordings of a real cluster against the differences that are known: they only become fewer.

use crate::shell::{self, Context, Result};
use crate::workspace;
use std::path::PathBuf;

/// The folder of recordings, when this machine has it.
pub fn recordings() -> Option<PathBuf> {
    let shared = std::env::var_os("PODSCOPE_SHARED").map(PathBuf::from);
    let folder = shared
        .unwrap_or_else(|| workspace::root().join("../shared"))
        .join("golden");
    folder.is_dir().then_some(folder)
}

/// `cargo xtask parity [--bless]`.
pub fn command(args: &[String]) -> Result<()> {
    let bless = match args {
        [] => false,
        [only] if only == "--bless" => true,
        _ => return Err(format!("unknown options {args:?}")),
    };
    let folder =
        recordings().ok_or("no recordings: set PODSCOPE_SHARED to the folder of golden/")?;
    println!("{}", check(&folder, bless)?);
    Ok(())
}

/// Plays every recording that has a file of known differences; `Ok` is the last line, `Err` tells of new ones.
pub fn check(folder: &std::path::Path, bless: bool) -> Result<String> {
    let mut runner = shell::cargo(&["run", "--quiet", "--release", "--package", "parity", "--"]);
    runner.arg("--ratchet");
    if bless {
        runner.arg("--bless");
    }
    for recording in with_known_differences()? {
        runner.arg(folder.join(recording));
    }
    let output = runner.output().context(|| "parity".to_owned())?;
    let printed = String::from_utf8_lossy(&output.stdout);
    println!("{printed}");
    let last = printed.lines().last().unwrap_or_default().to_owned();
    match output.status.code() {
        Some(0) => Ok(last),
        Some(1) => Err(format!("differences that are not known: {last}")),
        _ => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}

/// Names of recordings, from `tests/parity/known/<recording>.txt`.
fn with_known_differences() -> Result<Vec<String>> {
    let folder = workspace::root().join("tests/parity/known");
    let entries = std::fs::read_dir(&folder).context(|| folder.display().to_string())?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            Some(name.strip_suffix(".txt")?.to_owned())
        })
        .collect();
    names.sort();
    Ok(names)
}
