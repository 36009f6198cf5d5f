//! A Rust toolchain that can build for `wasm32-unknown-unknown`.
//!
//! Tried in this order: the active toolchain has the target; a toolchain that an earlier set-up
//! linked; `rustup target add`; on Debian as root, the distribution's own Rust with its standard
//! library built here once (for machines that reach package registries only).

use crate::shell::{self, Context, Result, say};
use crate::workspace;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const TARGET: &str = "wasm32-unknown-unknown";

/// The name under which rustup knows Debian's toolchain.
const LINKED: &str = "podscope-wasm";

/// Debian's toolchain, below `/usr`.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTLIB: &str = "/usr/lib/rustlib";
const DEBIAN_PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];

/// Which toolchain builds for wasm: the active one, or a rustup toolchain by name.
pub struct WasmToolchain {
    linked: bool,
}

impl WasmToolchain {
    /// A `cargo` of this toolchain, in the workspace root.
    pub fn cargo(&self) -> Command {
        let mut command = match self.linked {
            true => Command::new("cargo"),
            false => Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())),
        };
        command.current_dir(workspace::root());
        self.choose(&mut command);
        command
    }

    /// A `rustc` of this toolchain.
    pub fn rustc(&self) -> Command {
        let mut command = active_rustc();
        self.choose(&mut command);
        command
    }

    /// Makes a command that calls `cargo` or `rustc` itself use this toolchain.
    pub fn choose(&self, command: &mut Command) {
        if self.linked {
            // The variables that the outer `cargo run` set belong to the other toolchain.
            for name in ["LD_LIBRARY_PATH", "CARGO", "RUSTC", "RUSTDOC"] {
                command.env_remove(name);
            }
            command.env("RUSTUP_TOOLCHAIN", LINKED);
        }
    }

    /// One line about it.
    pub fn describe(&self) -> String {
        match self.linked {
            true => format!("rustup toolchain `{LINKED}` (Debian's Rust)"),
            false => "the active toolchain".to_owned(),
        }
    }
}

/// Finds or installs a toolchain for wasm.
pub fn wasm_toolchain() -> Result<WasmToolchain> {
    let route = std::env::var("PODSCOPE_WASM_ROUTE").unwrap_or_default();
    if route != "debian" && has_target(&mut active_rustc()) {
        return Ok(WasmToolchain { linked: false });
    }
    if route != "rustup" && debian_is_ready() {
        return Ok(WasmToolchain { linked: true });
    }
    let by_rustup = match route.as_str() {
        "debian" => Err("left out by PODSCOPE_WASM_ROUTE".to_owned()),
        _ => rustup_target_add(),
    };
    let Err(rustup_error) = by_rustup else {
        return Ok(WasmToolchain { linked: false });
    };
    let by_debian = match route.as_str() {
        "rustup" => Err("left out by PODSCOPE_WASM_ROUTE".to_owned()),
        _ => install_debian(),
    };
    match by_debian {
        Ok(()) => Ok(WasmToolchain { linked: true }),
        Err(debian_error) => Err(format!(
            "no Rust standard library for {TARGET}. `rustup target add {TARGET}` would bring it \
             ({rustup_error}); Debian's packages: {debian_error}"
        )),
    }
}

fn active_rustc() -> Command {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(workspace::root());
    rustc
}

/// Whether a `rustc` finds a standard library for wasm.
fn has_target(rustc: &mut Command) -> bool {
    let folder = shell::output(rustc.args(["--print", "target-libdir", "--target", TARGET]));
    folder.is_ok_and(|folder| has_std(Path::new(folder.trim())))
}

fn has_std(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libstd-") && name.ends_with(".rlib")
        })
    })
}

fn rustup_target_add() -> Result<()> {
    if shell::which("rustup").is_none() {
        return Err("rustup is not installed".to_owned());
    }
    say(format!("rustup target add {TARGET}"));
    let mut command = Command::new("rustup");
    command
        .current_dir(workspace::root())
        .args(["target", "add", TARGET]);
    shell::run_quiet_within(&mut command, Duration::from_secs(180))?;
    match has_target(&mut active_rustc()) {
        true => Ok(()),
        false => Err("rustup succeeded, but rustc does not see the target".to_owned()),
    }
}

fn debian_target_folder() -> PathBuf {
    Path::new(DEBIAN_RUSTLIB).join(TARGET).join("lib")
}

/// Written when the standard library is complete: the version that it was built with.
fn stamp_file() -> PathBuf {
    debian_target_folder().join("podscope.stamp")
}

fn debian_rustc_version() -> Result<String> {
    let mut rustc = Command::new(DEBIAN_RUSTC);
    shell::output(rustc.env_remove("LD_LIBRARY_PATH").arg("-vV"))
}

fn debian_std_is_built() -> bool {
    let built_with = std::fs::read_to_string(stamp_file());
    built_with.is_ok_and(|stamp| debian_rustc_version().is_ok_and(|version| version == stamp))
        && has_std(&debian_target_folder())
}

fn toolchain_is_linked() -> bool {
    let list = shell::output(Command::new("rustup").args(["toolchain", "list"]));
    list.is_ok_and(|list| {
        list.lines()
            .any(|line| line.split(' ').next() == Some(LINKED))
    })
}

fn debian_is_ready() -> bool {
    Path::new(DEBIAN_RUSTC).exists() && debian_std_is_built() && toolchain_is_linked()
}

fn install_debian() -> Result<()> {
    if shell::which("apt-get").is_none() {
        return Err("not a Debian machine".to_owned());
    }
    if shell::which("rustup").is_none() {
        return Err("rustup is needed beside them".to_owned());
    }
    if !shell::is_root() {
        return Err("must be installed by root".to_owned());
    }
    let source = Path::new(DEBIAN_RUSTLIB).join("src");
    if ![DEBIAN_RUSTC, DEBIAN_CARGO]
        .iter()
        .all(|p| Path::new(p).exists())
        || !source.exists()
    {
        apt_install(&DEBIAN_PACKAGES)?;
    }
    link_rust_lld()?;
    if !debian_std_is_built() {
        build_debian_std()?;
    }
    if !toolchain_is_linked() {
        shell::run_quiet(Command::new("rustup").args(["toolchain", "link", LINKED, "/usr"]))?;
    }
    Ok(())
}

/// Installs Debian packages, with fresh lists.
pub fn apt_install(packages: &[&str]) -> Result<()> {
    say(format!("apt-get install {}", packages.join(" ")));
    let mut update = Command::new("apt-get");
    shell::run_quiet(update.args(["-o", "DPkg::Lock::Timeout=300", "update"]))?;
    let mut install = Command::new("apt-get");
    install
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["-o", "DPkg::Lock::Timeout=300"])
        .args(["install", "-y", "--no-install-recommends"])
        .args(packages);
    shell::run_quiet(&mut install)
}

/// Debian's Rust has no linker for wasm; the rustup toolchain carries one.
#[cfg(unix)]
fn link_rust_lld() -> Result<()> {
    let sysroot = shell::output(active_rustc().args(["--print", "sysroot"]))?;
    let version = shell::output(active_rustc().arg("-vV"))?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .ok_or("`rustc -vV` names no host")?;
    let within = format!("{host}/bin/rust-lld");
    let linker = Path::new(sysroot.trim()).join("lib/rustlib").join(&within);
    if !linker.exists() {
        return Err(format!("no linker for wasm at {}", linker.display()));
    }
    let link = Path::new(DEBIAN_RUSTLIB).join(&within);
    if link.exists() {
        return Ok(());
    }
    if let Some(folder) = link.parent() {
        std::fs::create_dir_all(folder).context(|| folder.display().to_string())?;
    }
    std::fs::remove_file(&link).ok();
    std::os::unix::fs::symlink(&linker, &link).context(|| link.display().to_string())
}

#[cfg(not(unix))]
fn link_rust_lld() -> Result<()> {
    Err("not a Debian machine".to_owned())
}

/// Builds `std` for wasm once from Debian's source package and installs it beside the host's.
fn build_debian_std() -> Result<()> {
    say("building Rust's standard library for wasm, once (about 1 minute)");
    let folder = workspace::cache()?.join("wasm-std");
    workspace::write(
        &folder.join("Cargo.toml"),
        b"[package]\nname = \"podscope-std\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\
          [lib]\npath = \"lib.rs\"\n[workspace]\n",
    )?;
    workspace::write(&folder.join("lib.rs"), b"#![no_std]\n")?;
    let mut cargo = Command::new(DEBIAN_CARGO);
    cargo
        .current_dir(&folder)
        // Without its bitcode, fat LTO could not include the standard library.
        .env("RUSTFLAGS", "-Cembed-bitcode=yes")
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env_remove("LD_LIBRARY_PATH")
        .env_remove("RUSTUP_TOOLCHAIN")
        .args(["build", "--release", "--target", TARGET])
        .args(["-Z", "build-std=std,panic_abort,test,proc_macro"])
        .args(["--config", &format!("build.rustc=\"{DEBIAN_RUSTC}\"")]);
    shell::run_quiet(&mut cargo)?;

    let target = debian_target_folder();
    std::fs::remove_dir_all(&target).ok();
    for file in workspace::files_under(&folder.join("target").join(TARGET).join("release/deps"))? {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.ends_with(".rlib") && !name.starts_with("libpodscope_std") {
            workspace::write(&target.join(&name), &workspace::read_bytes(&file)?)?;
        }
    }
    workspace::write(&stamp_file(), debian_rustc_version()?.as_bytes())?;
    std::fs::remove_dir_all(&folder).ok();
    Ok(())
}
