//! Installs what a build and the tests need. Everything is idempotent: what is there is kept.

mod browser;
mod npm;
mod tools;
mod wasm;

pub use browser::browser;
pub use npm::{WasmOpt, node, page_packages, wasm_opt};
pub use tools::{bindgen_folder, wasm_pack};
pub use wasm::{WasmToolchain, wasm_toolchain};

use crate::shell::{Result, say};
use std::time::Instant;

/// `cargo xtask setup`: all of it, for the build and for the tests. Says at the end what is missing.
pub fn everything() -> Result<()> {
    let mut missing = Vec::new();
    step("wasm target", &mut missing, || {
        wasm_toolchain().map(|t| t.describe())
    });
    step("wasm-bindgen", &mut missing, || {
        bindgen_folder().map(|f| f.display().to_string())
    });
    step("wasm-opt", &mut missing, || {
        wasm_opt().map(|w| w.describe())
    });
    step("wasm-pack", &mut missing, || {
        wasm_pack().map(|f| f.display().to_string())
    });
    step("browser", &mut missing, || browser().map(|b| b.describe()));
    step("node packages", &mut missing, || {
        page_packages().map(|f| f.display().to_string())
    });
    if missing.is_empty() {
        say("everything is there");
        return Ok(());
    }
    Err(format!("missing: {}", missing.join("; ")))
}

fn step(name: &str, missing: &mut Vec<String>, action: impl FnOnce() -> Result<String>) {
    let start = Instant::now();
    match action() {
        Ok(what) => say(format!(
            "{name}: {what} ({:.1} s)",
            start.elapsed().as_secs_f64()
        )),
        Err(error) => {
            say(format!("{name}: MISSING: {error}"));
            missing.push(format!(
                "{name} ({})",
                error.lines().next().unwrap_or_default()
            ));
        }
    }
}
