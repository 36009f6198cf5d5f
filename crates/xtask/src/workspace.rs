//! Where things are.

use crate::shell::{Context, Result};
use std::path::{Path, PathBuf};

/// The workspace's root folder.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// The built site.
pub fn dist() -> PathBuf {
    root().join("dist")
}

/// Cargo's target folder.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The browser tests and their scripts.
pub fn page_tests() -> PathBuf {
    root().join("tests/page")
}

/// Folder for tools, kept per person and outside the checkout, so that a clean checkout finds them.
pub fn cache() -> Result<PathBuf> {
    if let Some(folder) = std::env::var_os("PODSCOPE_CACHE") {
        return Ok(folder.into());
    }
    let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"));
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| home.map(|home| PathBuf::from(home).join(".cache")))
        .ok_or("no home folder: set PODSCOPE_CACHE to a folder for tools")?;
    Ok(base.join("podscope"))
}

/// The version of a package in Cargo.lock.
pub fn locked_version(package: &str) -> Result<String> {
    let lock = read(&root().join("Cargo.lock"))?;
    find_locked(&lock, package).ok_or_else(|| format!("Cargo.lock holds no package `{package}`"))
}

fn find_locked(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    let version = lines.nth(1)?.strip_prefix("version = \"")?;
    version.strip_suffix('"').map(str::to_owned)
}

/// Reads a text file; an error names it.
pub fn read(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).context(|| file.display().to_string())
}

/// Reads a file's bytes; an error names it.
pub fn read_bytes(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).context(|| file.display().to_string())
}

/// Writes a file and the folders above it; an error names it.
pub fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).context(|| folder.display().to_string())?;
    }
    std::fs::write(file, bytes).context(|| file.display().to_string())
}

/// Every file under `folder`, sorted.
pub fn files_under(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).context(|| folder.display().to_string())? {
            let path = entry.context(|| folder.display().to_string())?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_the_lock_file() {
        let lock = "[[package]]\nname = \"a\"\nversion = \"1.2.3\"\n\n[[package]]\nname = \"ab\"\nversion = \"2.0.0\"\n";
        assert_eq!(find_locked(lock, "ab").as_deref(), Some("2.0.0"));
        assert_eq!(find_locked(lock, "b"), None);
    }
}
