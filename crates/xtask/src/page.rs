//! The scripts of `tests/page`, run with Node on the built site.

use crate::shell::{self, Context, Result};
use crate::{setup, workspace};
use std::path::Path;
use std::process::Command;

fn script(name: &str) -> Result<Command> {
    script_on(&workspace::dist(), name)
}

/// A script of `tests/page`, on the site in a folder.
pub fn script_on(site: &Path, name: &str) -> Result<Command> {
    if !site.join("index.html").is_file() {
        return Err(format!(
            "{} holds no site: run `cargo xtask build` first",
            site.display()
        ));
    }
    setup::page_packages()?;
    let mut command = Command::new(setup::node()?);
    command
        .current_dir(workspace::page_tests())
        .env("PODSCOPE_DIST", site)
        .env("PODSCOPE_CHROMIUM", setup::browser()?.program);
    if !name.is_empty() {
        command.arg(name);
    }
    Ok(command)
}

/// Walks through the page and the embed in a browser: every `tests/page/*.test.mjs`.
pub fn walk() -> Result<()> {
    let folder = workspace::page_tests();
    let entries = std::fs::read_dir(&folder).context(|| folder.display().to_string())?;
    let names = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut tests: Vec<String> = names.filter(|name| name.ends_with(".test.mjs")).collect();
    tests.sort();
    if tests.is_empty() {
        return Err("tests/page holds no *.test.mjs".to_owned());
    }
    let mut node = script("")?;
    shell::run(
        node.args(["--test", "--test-reporter=spec", "--test-timeout=1200000"])
            .args(tests),
    )
}

/// `cargo xtask shots [ARGS…]`.
pub fn shots(args: &[String]) -> Result<()> {
    shell::run(script("shots.mjs")?.args(args))
}

/// `cargo xtask prerender`: writes the first scene into index.html.
pub fn prerender() -> Result<()> {
    shell::run(&mut script("prerender.mjs")?)
}

/// The page benchmark.
pub fn bench() -> Result<()> {
    shell::run(&mut script("bench.mjs")?)
}
