//! The service worker: its list of the site's files.

use super::assets;
use crate::shell::Result;
use crate::workspace;
use std::path::Path;

/// Its name in the site. It must not change: browsers look for updates under the name they know.
pub const WORKER: &str = "sw.js";

/// Writes the worker for the site in `out`. It keeps the page and every file with a hash in its name,
/// but for other languages' words.
///
/// Errors: the worker's source lacks the lines to fill in.
pub fn write(out: &Path, source: &str) -> Result<()> {
    let mut files = vec!["./".to_owned()];
    for file in workspace::files_under(out)? {
        let name = file.strip_prefix(out).unwrap_or(&file).to_string_lossy();
        if is_hashed(&name) && !name.starts_with("words-") {
            files.push(format!("./{}", name.replace('\\', "/")));
        }
    }
    files.sort();
    let worker = fill(source, &files)?;
    workspace::write(&out.join(WORKER), worker.as_bytes())
}

fn fill(source: &str, files: &[String]) -> Result<String> {
    let list = files.join("', '");
    let version = assets::fnv1a(list.as_bytes()) & 0xffff_ffff_ffff;
    let mut worker = source.to_owned();
    for (found, instead) in [
        ("const FILES = [];", format!("const FILES = ['{list}'];")),
        ("'podscope-0'", format!("'podscope-{version:012x}'")),
    ] {
        if worker.matches(found).count() != 1 {
            return Err(format!("web/{WORKER} has no single `{found}`"));
        }
        worker = worker.replace(found, &instead);
    }
    Ok(worker)
}

/// `page-0123456789ab.css`, and wasm-bindgen's snippets.
fn is_hashed(name: &str) -> bool {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let hash = stem.rsplit_once('-').map_or("", |(_, hash)| hash);
    name.starts_with("snippets/")
        || hash.len() == 12 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_and_the_version_follow_the_files() {
        let source = "const FILES = [];\nconst CACHE = 'podscope-0';\n";
        let one = fill(source, &["./".into(), "./a-0123456789ab.css".into()]).unwrap();
        assert!(one.starts_with("const FILES = ['./', './a-0123456789ab.css'];\n"));
        let other = fill(source, &["./".into()]).unwrap();
        let version = |worker: &str| worker.lines().nth(1).map(str::to_owned);
        assert_ne!(version(&one), version(&other));
        assert!(fill("", &[]).is_err());
    }

    #[test]
    fn only_names_with_a_hash_are_kept() {
        assert!(is_hashed("page-0123456789ab.css"));
        assert!(is_hashed("podscope-web_bg-0123456789ab.wasm"));
        for name in ["embed.html", "pod-scope.js", "sw.js", "page-0123456789.css"] {
            assert!(!is_hashed(name), "{name}");
        }
    }
}
