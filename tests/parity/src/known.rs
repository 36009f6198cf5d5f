//! Differences that are known: a file per recording, which may only shrink.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const HEADER: &str = "# Known differences from this recording, one check a line. `cargo xtask parity --bless` \
                      takes out those that are gone; nothing puts any in.\n";

/// Where a recording's known differences are kept.
pub fn file(recording: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("known")
        .join(format!("{recording}.txt"))
}

/// The known differences; `None` when the recording has no file yet.
///
/// # Errors
/// A file that is there but cannot be read.
pub fn read(recording: &str) -> Result<Option<BTreeSet<String>>, String> {
    let path = file(recording);
    if !path.exists() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(Some(parse(&text)))
}

/// Writes what is left of the known differences; all of them when there was no file.
///
/// # Errors
/// A file that cannot be written.
pub fn shrink(
    recording: &str,
    known: Option<&BTreeSet<String>>,
    differ: &BTreeSet<String>,
) -> Result<(), String> {
    let left = differ
        .iter()
        .filter(|name| known.is_none_or(|known| known.contains(*name)));
    let mut text = HEADER.to_owned();
    for name in left {
        writeln!(text, "{name}").ok();
    }
    let path = file(recording);
    std::fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))
}

fn parse(text: &str) -> BTreeSet<String> {
    let lines = text.lines();
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_no_differences() {
        let known = parse("# head\noutput 001-apply\n\nevent Normal x\n");
        assert_eq!(known.len(), 2);
        assert!(known.contains("event Normal x"));
    }
}
