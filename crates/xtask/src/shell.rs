//! Running other programs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// An error is one line for a person.
pub type Result<T> = std::result::Result<T, String>;

/// Puts what was being done in front of an error.
pub trait Context<T> {
    /// `what` names the action, e.g. `reading dist/index.html`.
    fn context(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: std::fmt::Display> Context<T> for std::result::Result<T, E> {
    fn context(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| format!("{}: {error}", what()))
    }
}

/// Prints one line of progress.
pub fn say(line: impl AsRef<str>) {
    println!("• {}", line.as_ref());
}

/// A native cargo invocation in the workspace root.
pub fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(crate::workspace::root()).args(args);
    command
}

/// Runs to the end with output on the terminal; an error names the command and its exit code.
pub fn run(command: &mut Command) -> Result<()> {
    let line = describe(command);
    let status = command
        .stdin(Stdio::null())
        .status()
        .context(|| format!("`{line}`"))?;
    if status.success() {
        return Ok(());
    }
    Err(match status.code() {
        Some(code) => format!("`{line}` failed with exit code {code}"),
        None => format!("`{line}` was stopped by a signal"),
    })
}

/// Runs quietly; on failure the error carries the last lines of what it printed.
pub fn run_quiet(command: &mut Command) -> Result<()> {
    output(command).map(|_| ())
}

/// Runs quietly and returns standard output.
pub fn output(command: &mut Command) -> Result<String> {
    let line = describe(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .context(|| format!("`{line}`"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("`{line}` failed:\n{}", last_lines(&output, 20)))
}

/// As [`run_quiet`], but gives up after `limit` (an unreachable network must not hang a set-up).
pub fn run_quiet_within(command: &mut Command, limit: Duration) -> Result<()> {
    let line = describe(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context(|| format!("`{line}`"))?;
    let start = Instant::now();
    loop {
        match child.try_wait().context(|| format!("`{line}`"))? {
            Some(status) if status.success() => return Ok(()),
            Some(_) => return Err(format!("`{line}` failed")),
            None if start.elapsed() > limit => {
                child.kill().ok();
                child.wait().ok();
                return Err(format!(
                    "`{line}` gave no answer within {} s",
                    limit.as_secs()
                ));
            }
            None => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// The file that a bare program name would run, looked up on `PATH`.
pub fn which(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .flat_map(|folder| {
            let plain = folder.join(name);
            let exe = folder.join(format!("{name}.exe"));
            let cmd = folder.join(format!("{name}.cmd"));
            [exe, cmd, plain]
        })
        .find(|file| file.is_file() && (!cfg!(windows) || file.extension().is_some()))
}

/// `PATH` with `folders` in front.
pub fn path_with(folders: &[&Path]) -> std::ffi::OsString {
    let old = std::env::var_os("PATH").unwrap_or_default();
    let all = folders
        .iter()
        .map(|f| f.to_path_buf())
        .chain(std::env::split_paths(&old));
    std::env::join_paths(all).unwrap_or(old)
}

/// Whether this process may install packages and write under `/usr`.
pub fn is_root() -> bool {
    cfg!(unix) && output(Command::new("id").arg("-u")).is_ok_and(|answer| answer.trim() == "0")
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

fn last_lines(output: &Output, count: usize) -> String {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let start = lines.len().saturating_sub(count);
    lines.get(start..).unwrap_or_default().join("\n")
}
