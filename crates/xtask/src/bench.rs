//! `cargo xtask bench`: the engine natively, then the page in a browser.

use crate::shell::{self, Result, say};
use crate::site::{self, Mode};
use crate::{page, workspace};

/// Runs both; arguments go to `cargo bench`.
pub fn run(args: &[String]) -> Result<()> {
    say("cargo bench");
    let mut cargo = shell::cargo(&[
        "bench",
        "--workspace",
        "--exclude",
        "podscope-web",
        "--benches",
    ]);
    shell::run(cargo.args(args))?;
    if !workspace::dist().join("index.html").is_file() {
        site::set_up(Mode::Release)?;
        site::build(Mode::Release)?;
    }
    say("page benchmark");
    page::bench()
}
