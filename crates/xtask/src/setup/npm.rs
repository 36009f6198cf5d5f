//! Node, and the packages from npm: `wasm-opt`, and what the browser tests use.

use crate::shell::{self, Context, Result, say};
use crate::workspace;
use std::path::PathBuf;
use std::process::Command;

const BINARYEN_VERSION: &str = "132.0.0";

/// Older releases of wasm-opt refuse what today's rustc emits.
const OLDEST_WASM_OPT: u32 = 120;

/// A `wasm-opt`: a program, or a script for Node.
pub enum WasmOpt {
    /// Found on `PATH`.
    Program(PathBuf),
    /// From the npm package `binaryen`.
    Script(PathBuf),
}

impl WasmOpt {
    /// A command that runs it.
    pub fn command(&self) -> Result<Command> {
        match self {
            WasmOpt::Program(file) => Ok(Command::new(file)),
            WasmOpt::Script(file) => {
                let mut command = Command::new(node()?);
                command.arg(file);
                Ok(command)
            }
        }
    }

    /// One line about it.
    pub fn describe(&self) -> String {
        let (WasmOpt::Program(file) | WasmOpt::Script(file)) = self;
        file.display().to_string()
    }
}

/// The `node` program.
pub fn node() -> Result<PathBuf> {
    shell::which("node").ok_or_else(|| "Node.js is not installed (node is not on PATH)".to_owned())
}

fn npm(args: &[&str]) -> Result<Command> {
    let program = shell::which("npm").ok_or("Node.js is not installed (npm is not on PATH)")?;
    let mut command = Command::new(program);
    command
        .args(args)
        .args(["--no-audit", "--no-fund", "--loglevel=error"]);
    Ok(command)
}

/// Finds or installs `wasm-opt`.
pub fn wasm_opt() -> Result<WasmOpt> {
    if let Some(program) = shell::which("wasm-opt") {
        let answer = shell::output(Command::new(&program).arg("--version")).unwrap_or_default();
        let version = answer
            .split_whitespace()
            .find_map(|word| word.parse::<u32>().ok());
        if version.is_some_and(|version| version >= OLDEST_WASM_OPT) {
            return Ok(WasmOpt::Program(program));
        }
    }
    let folder = workspace::cache()?.join(format!("binaryen-{BINARYEN_VERSION}"));
    let script = folder.join("node_modules/binaryen/bin/wasm-opt");
    if script.is_file() {
        return Ok(WasmOpt::Script(script));
    }
    say(format!("npm install binaryen@{BINARYEN_VERSION}"));
    // Installed aside and renamed, so that a half-finished one is never taken for whole.
    let aside = workspace::cache()?.join(format!("binaryen.{}.tmp", std::process::id()));
    std::fs::create_dir_all(&aside).context(|| aside.display().to_string())?;
    let mut command = npm(&["install"])?;
    command
        .arg("--prefix")
        .arg(&aside)
        .arg(format!("binaryen@{BINARYEN_VERSION}"));
    shell::run_quiet(&mut command)?;
    if std::fs::rename(&aside, &folder).is_err() {
        std::fs::remove_dir_all(&aside).ok();
    }
    match script.is_file() {
        true => Ok(WasmOpt::Script(script)),
        false => Err(format!(
            "npm installed binaryen, but {} is missing",
            script.display()
        )),
    }
}

/// Installs the packages of the browser tests; returns their folder.
pub fn page_packages() -> Result<PathBuf> {
    let folder = workspace::page_tests();
    let wanted = workspace::read(&folder.join("package-lock.json"))?;
    let modules = folder.join("node_modules");
    let stamp = modules.join(".podscope-lock.json");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(modules);
    }
    say("npm ci in tests/page");
    shell::run_quiet(npm(&["ci"])?.current_dir(&folder))?;
    workspace::write(&stamp, wanted.as_bytes())?;
    Ok(modules)
}
