//! Compiles `web` to wasm, generates its JavaScript, and optimises it.

use super::Mode;
use crate::setup::{self, WasmToolchain};
use crate::shell::{self, Context, Result, say};
use crate::workspace;
use std::path::{Path, PathBuf};
use std::process::Command;

/// As Trunk names them: after the package.
const PACKAGE: &str = "podscope-web";

/// The compiled engine and page.
pub struct Engine {
    /// `podscope-web_bg.wasm`.
    pub wasm_name: String,
    pub wasm: Vec<u8>,
    /// As the linker wrote it, with relocations: tells where constants lie. Empty in `Mode::Dev`.
    pub linked: Vec<u8>,
    /// What the first scene does not run, when it was cut off: `podscope-web_later.wasm`.
    pub later: Option<Vec<u8>>,
    /// `podscope-web.js`: wasm-bindgen's module, which loads the wasm from beside itself.
    pub glue_name: String,
    pub glue: String,
    /// JavaScript that crates bring along: path below `snippets/`, and content.
    pub snippets: Vec<(PathBuf, Vec<u8>)>,
}

/// Compiles.
pub fn build(mode: Mode) -> Result<Engine> {
    let toolchain = setup::wasm_toolchain()?;
    let profile = match mode {
        Mode::Release => "wasm",
        Mode::Dev => "dev",
    };
    say(format!(
        "compiling the engine and the page (profile {profile})"
    ));
    let mut cargo = toolchain.cargo();
    cargo.args([
        "rustc",
        "--package",
        PACKAGE,
        "--lib",
        "--crate-type=cdylib",
    ]);
    cargo.args(["--target", "wasm32-unknown-unknown", "--profile", profile]);
    if mode == Mode::Release {
        cargo.args(["--", "-Clink-arg=--emit-relocs"]);
    }
    shell::run(&mut cargo)?;

    let folder = if mode == Mode::Dev { "debug" } else { profile };
    let compiled = workspace::target()
        .join("wasm32-unknown-unknown")
        .join(folder)
        .join(format!("{}.wasm", PACKAGE.replace('-', "_")));
    if !compiled.is_file() {
        return Err(format!(
            "{} is missing: is `web` a cdylib?",
            compiled.display()
        ));
    }

    let out = workspace::target().join("bindgen").join(profile);
    std::fs::remove_dir_all(&out).ok();
    let mut bindgen = Command::new(setup::bindgen_folder()?.join("wasm-bindgen"));
    bindgen.args([
        "--target",
        "web",
        "--no-typescript",
        "--out-name",
        PACKAGE,
        "--out-dir",
    ]);
    bindgen.arg(&out).arg(&compiled);
    if mode == Mode::Release {
        // Names stay until the module is cut: a list tells what is in which part.
        bindgen.arg("--remove-producers-section");
    }
    shell::run_quiet(&mut bindgen)?;

    let wasm_name = format!("{PACKAGE}_bg.wasm");
    let glue_name = format!("{PACKAGE}.js");
    let wasm_file = out.join(&wasm_name);
    if mode == Mode::Release
        && let Ok(optimizer) = setup::wasm_opt()
    {
        optimize(&optimizer, &toolchain, &wasm_file)?;
    }
    Ok(Engine {
        wasm: workspace::read_bytes(&wasm_file)?,
        linked: match mode {
            Mode::Release => workspace::read_bytes(&compiled)?,
            Mode::Dev => Vec::new(),
        },
        later: None,
        glue: workspace::read(&out.join(&glue_name))?,
        snippets: snippets(&out.join("snippets"))?,
        wasm_name,
        glue_name,
    })
}

fn snippets(folder: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let read = |file: PathBuf| {
        let within = file.strip_prefix(folder).unwrap_or(&file).to_path_buf();
        Ok((within, workspace::read_bytes(&file)?))
    };
    workspace::files_under(folder)?
        .into_iter()
        .map(read)
        .collect()
}

/// Makes a module smaller, in place.
pub fn optimize(optimizer: &setup::WasmOpt, toolchain: &WasmToolchain, wasm: &Path) -> Result<()> {
    say("wasm-opt -Oz");
    let optimized = wasm.with_extension("opt.wasm");
    let mut command = optimizer.command()?;
    // Not --all-features: browsers refuse modules that use what they do not have.
    command.args(features(toolchain)?);
    command.args([
        // Each of these makes the compressed module smaller: measured, one by one.
        "--flatten",
        "--rereloop",
        "-Oz",
        "-Oz",
        "--reorder-functions-by-name",
        // The cut goes between functions: what is called once, and late, must stay one of its own.
        "--one-caller-inline-max-function-size=10",
        "--debuginfo",
        "--strip-producers",
        "--strip-target-features",
    ]);
    shell::run_quiet(command.arg(wasm).arg("-o").arg(&optimized))?;
    std::fs::rename(&optimized, wasm).context(|| wasm.display().to_string())
}

/// wasm-opt's options for the features that rustc emits.
fn features(toolchain: &WasmToolchain) -> Result<Vec<String>> {
    let mut rustc = toolchain.rustc();
    let printed =
        shell::output(rustc.args(["--print", "cfg", "--target", "wasm32-unknown-unknown"]))?;
    Ok(printed
        .lines()
        .filter_map(|line| line.strip_prefix("target_feature=\"")?.strip_suffix('"'))
        .filter_map(option_of_feature)
        .collect())
}

fn option_of_feature(feature: &str) -> Option<String> {
    let name = match feature {
        "nontrapping-fptoint" => "nontrapping-float-to-int",
        "bulk-memory" | "extended-const" | "multivalue" | "mutable-globals" | "reference-types"
        | "sign-ext" => feature,
        _ => return None,
    };
    Some(format!("--enable-{name}"))
}
