//! `build` and `serve`.

use crate::shell::{Result, say};
use crate::site::{self, Mode};
use crate::{http, workspace};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const DEFAULT_PORT: u16 = 8080;

/// How often sources are looked at for changes.
const POLL: Duration = Duration::from_secs(1);

/// `cargo xtask build [--dev]`.
pub fn build(args: &[String]) -> Result<()> {
    let mut mode = Mode::Release;
    for arg in args {
        match arg.as_str() {
            "--dev" => mode = Mode::Dev,
            other => return Err(format!("unknown option `{other}`")),
        }
    }
    site::set_up(mode)?;
    site::build(mode)
}

/// `cargo xtask serve [--port N] [--dev]`.
pub fn serve(args: &[String]) -> Result<()> {
    let (mut mode, mut port) = (Mode::Release, DEFAULT_PORT);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--dev" => mode = Mode::Dev,
            "--port" => {
                let number = args.next().and_then(|number| number.parse().ok());
                port = number.ok_or("--port needs a number from 0 to 65535")?;
            }
            other => return Err(format!("unknown option `{other}`")),
        }
    }
    site::set_up(mode)?;
    let mut built = newest_source()?;
    site::build(mode)?;
    let (listener, port) = http::listen(port)?;
    println!("\n  Podscope is at http://localhost:{port}/   (Ctrl+C stops)\n");
    std::io::stdout().flush().ok();
    std::thread::spawn(move || http::serve(&listener, &workspace::dist()));
    loop {
        std::thread::sleep(POLL);
        // A file may vanish between listing and reading it; the next look will tell.
        let Ok(newest) = newest_source() else {
            continue;
        };
        if newest == built {
            continue;
        }
        built = newest;
        match site::build(mode) {
            Ok(()) => say("reload the page"),
            Err(error) => say(format!("not rebuilt, the old site stays: {error}")),
        }
    }
}

/// The time of the latest change among everything that goes into the site, and how many files.
fn newest_source() -> Result<(SystemTime, usize)> {
    let root = workspace::root();
    let mut newest = SystemTime::UNIX_EPOCH;
    let mut count = 0;
    let mut files: Vec<PathBuf> = vec![root.join("index.html"), root.join("Cargo.lock")];
    for folder in ["web", "crates", "content"] {
        if root.join(folder).is_dir() {
            files.extend(workspace::files_under(&root.join(folder))?);
        }
    }
    for file in files.iter().filter(|file| !is_foreign(file, &root)) {
        if let Ok(changed) = std::fs::metadata(file).and_then(|data| data.modified()) {
            newest = newest.max(changed);
            count += 1;
        }
    }
    Ok((newest, count))
}

fn is_foreign(file: &Path, root: &Path) -> bool {
    let within = file.strip_prefix(root).unwrap_or(file);
    within.starts_with("crates/xtask")
        || within.starts_with("crates/cli")
        || within.components().any(|part| part.as_os_str() == "tests")
}
