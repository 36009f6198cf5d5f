//! `cargo xtask bench`: the engine natively, then as wasm in Node, then the page in a browser.

use crate::shell::{self, Context, Result, say};
use crate::site::{self, Mode};
use crate::{page, setup, workspace};
use std::path::PathBuf;
use std::process::Command;

/// Runs all of it, or with `--node` only the engine in Node. The rest goes to the benchmarks.
pub fn run(args: &[String]) -> Result<()> {
    let only_node = args.iter().any(|a| a == "--node");
    let args: Vec<&String> = args.iter().filter(|a| *a != "--node").collect();
    if only_node {
        return in_node(&args);
    }
    say("cargo bench");
    let mut cargo = shell::cargo(&[
        "bench",
        "--package",
        "podscope-session",
        "--bench",
        "engine",
    ]);
    cargo.arg("--").args(&args);
    shell::run(&mut cargo)?;
    in_node(&args)?;
    if !workspace::dist().join("index.html").is_file() {
        site::set_up(Mode::Release)?;
        site::build(Mode::Release)?;
    }
    say("page benchmark");
    page::bench()
}

/// The engine's benchmark, compiled as the page's engine is, in Node.
fn in_node(args: &[&String]) -> Result<()> {
    say("compiling the engine's benchmark (profile wasm)");
    let toolchain = setup::wasm_toolchain()?;
    let mut cargo = toolchain.cargo();
    cargo.args(["build", "--quiet", "--profile", "wasm"]);
    cargo.args(["--target", "wasm32-unknown-unknown"]);
    cargo.args(["--package", "podscope-session", "--bench", "engine"]);
    cargo.arg("--message-format=json");
    let compiled = executable(&shell::output(&mut cargo)?)
        .ok_or("cargo does not say where the benchmark is")?;

    let out = workspace::target().join("bindgen").join("bench");
    std::fs::remove_dir_all(&out).ok();
    let mut bindgen = Command::new(setup::bindgen_folder()?.join("wasm-bindgen"));
    bindgen.args(["--target", "nodejs", "--no-typescript"]);
    bindgen.args(["--out-name", "engine", "--out-dir"]);
    shell::run_quiet(bindgen.arg(&out).arg(&compiled))?;
    // Beside a `package.json` of its own, whatever stands further up.
    let manifest = out.join("package.json");
    std::fs::write(&manifest, "{}").context(|| manifest.display().to_string())?;
    match setup::wasm_opt() {
        Ok(optimizer) => {
            site::optimize(&optimizer, &toolchain, &out.join("engine_bg.wasm"))?;
        }
        Err(error) => say(format!("without wasm-opt: {error}")),
    }
    say("the engine in Node");
    let mut node = Command::new(setup::node()?);
    shell::run(node.arg(out.join("engine.js")).args(args))
}

/// The last program among cargo's messages.
fn executable(messages: &str) -> Option<PathBuf> {
    let (_, last) = messages.rsplit_once("\"executable\":\"")?;
    let path = last.split('"').next()?;
    Some(PathBuf::from(path.replace("\\\\", "\\")))
}

#[cfg(test)]
mod tests {
    use super::executable;

    #[test]
    fn the_program_is_found_among_cargos_messages() {
        let messages = r#"{"reason":"compiler-artifact","executable":null}
{"reason":"compiler-artifact","executable":"/t/engine-1.wasm","fresh":false}
{"reason":"build-finished"}"#;
        let found = executable(messages).map(|p| p.display().to_string());
        assert_eq!(found.as_deref(), Some("/t/engine-1.wasm"));
        assert_eq!(executable("{}"), None);
    }
}
