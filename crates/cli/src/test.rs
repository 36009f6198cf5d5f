//! `podscope test`: plays scenario files and checks what they expect.

use crate::args;
use podscope_session::{Scenario, expect};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Plays every `.yaml` scenario below the paths.
///
/// # Errors
/// A path that cannot be read.
pub fn test(paths: Vec<String>) -> Result<ExitCode, String> {
    if paths.is_empty() {
        return Err("give scenario files or folders, for example: podscope test content".into());
    }
    let mut files = Vec::new();
    for path in &paths {
        collect(Path::new(path), &mut files)?;
    }
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for file in files {
        let name = file.display().to_string();
        let text = args::read(&name)?;
        if !text.trim_start().starts_with("podscope:") {
            continue;
        }
        let failures = match Scenario::parse(&text) {
            Ok(scenario) if scenario.expect.is_empty() => {
                println!("skip {name}: it expects nothing");
                skipped += 1;
                continue;
            }
            Ok(scenario) => expect::check(&scenario),
            Err(error) => vec![error.to_string()],
        };
        if failures.is_empty() {
            println!("ok   {name}");
            passed += 1;
        } else {
            println!("FAIL {name}");
            for failure in failures {
                println!("     {}", failure.replace('\n', "\n     "));
            }
            failed += 1;
        }
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    Ok(if failed > 0 || passed == 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("{}: {e}", path.display());
    if path.is_dir() {
        let mut children = Vec::new();
        for entry in std::fs::read_dir(path).map_err(failed)? {
            children.push(entry.map_err(failed)?.path());
        }
        children.sort();
        for child in children {
            collect(&child, files)?;
        }
    } else if !path.exists() {
        return Err(format!("{}: no such file or folder", path.display()));
    } else if path.extension().is_some_and(|e| e == "yaml") {
        files.push(path.to_path_buf());
    }
    Ok(())
}
