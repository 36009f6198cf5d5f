//! Finds and reads tables: `.json` envelopes and `.jsonl` corpora.

use podscope_api::{Value, json};
use std::path::{Path, PathBuf};

/// One table of cases.
pub struct Table {
    /// The table's name: its `table` field, else its path below the corpora folder without extension.
    pub name: String,
    /// Where it was read from.
    pub path: PathBuf,
    /// The cases, one value each.
    pub cases: Vec<Value>,
}

/// All tables at `path`, a file or a folder (searched recursively, in name order).
pub fn tables(path: &str) -> Result<Vec<Table>, String> {
    let mut files = Vec::new();
    collect(Path::new(path), &mut files)?;
    let mut tables = Vec::new();
    for file in files {
        tables.extend(read(&file)?);
    }
    Ok(tables)
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("{}: {e}", path.display());
    if path.is_dir() {
        let mut children: Vec<PathBuf> = Vec::new();
        for entry in std::fs::read_dir(path).map_err(failed)? {
            children.push(entry.map_err(failed)?.path());
        }
        children.sort();
        for child in children {
            collect(&child, files)?;
        }
    } else if !path.exists() {
        return Err(format!("{}: no such file or folder", path.display()));
    } else if matches!(
        path.extension().and_then(|e| e.to_str()),
        Some("json" | "jsonl")
    ) {
        files.push(path.to_path_buf());
    }
    Ok(())
}

fn read(file: &Path) -> Result<Option<Table>, String> {
    let failed = |e: &dyn std::fmt::Display| format!("{}: {e}", file.display());
    let text = std::fs::read_to_string(file).map_err(|e| failed(&e))?;
    if file.extension().is_some_and(|e| e == "jsonl") {
        let mut cases = Vec::new();
        for line in text.lines().filter(|l| !l.trim().is_empty()) {
            cases.push(json::parse(line).map_err(|e| failed(&e))?);
        }
        return Ok(Some(Table {
            name: corpus_name(file),
            path: file.to_path_buf(),
            cases,
        }));
    }
    let envelope = json::parse(&text).map_err(|e| failed(&e))?;
    let stem = file.file_stem().and_then(|s| s.to_str()).unwrap_or("");
    if let (Value::List(cases), Some(name)) = (&envelope, stem.strip_suffix("_input")) {
        return Ok(Some(Table {
            name: name.to_string(),
            path: file.to_path_buf(),
            cases: cases.to_vec(),
        }));
    }
    let Some(name) = envelope.get("table").as_str() else {
        return Ok(None);
    };
    Ok(Some(Table {
        name: name.to_string(),
        path: file.to_path_buf(),
        cases: envelope.get("cases").items().to_vec(),
    }))
}

/// `admission/real/create` for `…/corpora/admission/real/create.jsonl`; otherwise the last three parts.
fn corpus_name(file: &Path) -> String {
    let parts: Vec<String> = file
        .with_extension("")
        .iter()
        .map(|p| p.to_string_lossy().into_owned())
        .collect();
    let start = parts
        .iter()
        .rposition(|p| p == "corpora")
        .map_or(parts.len().saturating_sub(3), |i| i + 1);
    parts.get(start..).unwrap_or(&[]).join("/")
}

/// The case's id; for a field its kind and path.
pub fn id(case: &Value) -> String {
    match case.get("id").as_str() {
        Some(id) => id.to_string(),
        None => {
            let text = |name: &str| case.get(name).str_or_empty();
            format!("{} {}", text("kind"), text("path"))
        }
    }
}
