//! Command-line tools from crates.io, installed once per person and version.

use crate::shell::{self, Result, say};
use crate::workspace;
use std::path::PathBuf;
use std::process::Command;

const WASM_PACK_VERSION: &str = "0.15.1";

/// Folder that holds `wasm-bindgen` and `wasm-bindgen-test-runner` in the version of Cargo.lock
/// (the tool and the library must be of one version).
pub fn bindgen_folder() -> Result<PathBuf> {
    let version = workspace::locked_version("wasm-bindgen")?;
    // No `--locked`: the lock file that its release carries names a crate that was withdrawn.
    install(
        "wasm-bindgen-cli",
        &version,
        &["wasm-bindgen", "wasm-bindgen-test-runner"],
        &[],
    )
}

/// Folder that holds `wasm-pack`.
pub fn wasm_pack() -> Result<PathBuf> {
    install(
        "wasm-pack",
        WASM_PACK_VERSION,
        &["wasm-pack"],
        &["--locked"],
    )
}

fn install(package: &str, version: &str, programs: &[&str], options: &[&str]) -> Result<PathBuf> {
    if let Some(folder) = on_path(version, programs) {
        return Ok(folder);
    }
    let root = workspace::cache()?.join(format!("{package}-{version}"));
    let folder = root.join("bin");
    if programs.iter().all(|name| is_program(folder.join(name))) {
        return Ok(folder);
    }
    say(format!(
        "cargo install {package}@{version} (once, about 1 minute)"
    ));
    let mut cargo = shell::cargo(&["install", "--quiet", "--debug", "--force"]);
    cargo
        // Unoptimised and without debug information: built in a third of the time, fast enough.
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_INCREMENTAL", "0")
        .env_remove("CARGO_TARGET_DIR")
        // Away from the workspace, whose settings are not meant for it.
        .current_dir(std::env::temp_dir())
        .arg(format!("{package}@{version}"))
        .args(options)
        .arg("--root")
        .arg(&root);
    for name in programs {
        cargo.args(["--bin", name]);
    }
    shell::run_quiet(&mut cargo)?;
    Ok(folder)
}

fn is_program(file: PathBuf) -> bool {
    file.is_file() || file.with_extension("exe").is_file()
}

/// The folder on `PATH` that already holds the programs in this version.
fn on_path(version: &str, programs: &[&str]) -> Option<PathBuf> {
    let folder = shell::which(programs.first()?)?.parent()?.to_path_buf();
    let right = programs.iter().all(|name| {
        let program = folder.join(name);
        let answer = shell::output(Command::new(&program).arg("--version"));
        answer.is_ok_and(|line| line.split_whitespace().nth(1) == Some(version))
    });
    right.then_some(folder)
}
