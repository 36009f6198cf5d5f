//! `podscope test`: plays scenario files and checks what they expect.

use crate::args;
use podscope_session::{Scenario, expect};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Plays every `.yaml` scenario and lesson below the paths.
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
        if is_a(&text, "lesson") {
            let id = file.file_stem().unwrap_or_default().to_string_lossy();
            let problems = podscope_session::check_lesson(&id, &text);
            report(&name, &problems, &mut passed, &mut failed);
            continue;
        }
        if !is_a(&text, "podscope") {
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
        report(&name, &failures, &mut passed, &mut failed);
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    Ok(if failed > 0 || passed == 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Whether a file's first field, after comments, is this one.
fn is_a(text: &str, field: &str) -> bool {
    let mut lines = text.lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
    first.is_some_and(|line| line.split(':').next() == Some(field))
}

fn report(name: &str, failures: &[String], passed: &mut u32, failed: &mut u32) {
    if failures.is_empty() {
        println!("ok   {name}");
        *passed += 1;
        return;
    }
    println!("FAIL {name}");
    for failure in failures {
        println!("     {}", failure.replace('\n', "\n     "));
    }
    *failed += 1;
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
