//! Content-hashed file names, and references to them.

use crate::shell::Result;
use crate::workspace;
use std::collections::BTreeMap;
use std::path::Path;

/// Plain name (`page.css`) → name in the site (`page-0123456789ab.css`).
#[derive(Default)]
pub struct Names {
    hashed: BTreeMap<String, String>,
}

impl Names {
    /// Writes an asset into the site's root under its hashed name.
    pub fn add(&mut self, out: &Path, name: &str, bytes: &[u8]) -> Result<()> {
        let bytes = self.link(name, bytes);
        let hashed = hashed_name(name, &bytes);
        workspace::write(&out.join(&hashed), &bytes)?;
        match self.hashed.insert(name.to_owned(), hashed) {
            None => Ok(()),
            Some(_) => Err(format!(
                "two assets are called `{name}`: give one another name"
            )),
        }
    }

    /// As [`Names::add`], from a file.
    pub fn add_file(&mut self, out: &Path, file: &Path) -> Result<()> {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        self.add(out, &name, &workspace::read_bytes(file)?)
    }

    /// Copies a file into `folder` under its own name.
    pub fn copy(&self, file: &Path, folder: &Path) -> Result<()> {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let bytes = self.link(&name, &workspace::read_bytes(file)?);
        workspace::write(&folder.join(&name), &bytes)
    }

    /// The name in the site of an asset.
    pub fn get(&self, name: &str) -> Result<&str> {
        let hashed = self.hashed.get(name).map(String::as_str);
        hashed.ok_or_else(|| format!("`{name}` is not an asset of the site"))
    }

    /// Replaces plain names by hashed ones in the texts that can refer to other files.
    fn link(&self, name: &str, bytes: &[u8]) -> Vec<u8> {
        let extension = Path::new(name)
            .extension()
            .unwrap_or_default()
            .to_string_lossy();
        if !matches!(&*extension, "js" | "mjs" | "css" | "html" | "webmanifest") {
            return bytes.to_vec();
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => self.link_text(text).into_bytes(),
            Err(_) => bytes.to_vec(),
        }
    }

    /// A reference is a plain name with a quote, bracket or slash before it and a quote, bracket,
    /// `?` or `#` behind it.
    pub fn link_text(&self, text: &str) -> String {
        let mut linked = text.to_owned();
        for (name, hashed) in &self.hashed {
            let mut done = String::new();
            let mut rest = linked.as_str();
            while let Some(at) = rest.find(name.as_str()) {
                let (before, from) = rest.split_at(at);
                let after = from.get(name.len()..).unwrap_or_default();
                let whole = before.ends_with(['"', '\'', '`', '(', '/'])
                    && after.starts_with(['"', '\'', '`', ')', '?', '#']);
                done.push_str(before);
                done.push_str(if whole { hashed } else { name });
                rest = after;
            }
            done.push_str(rest);
            linked = done;
        }
        linked
    }
}

fn hashed_name(name: &str, bytes: &[u8]) -> String {
    let hash = fnv1a(bytes) & 0xffff_ffff_ffff;
    match name.rsplit_once('.') {
        Some((stem, extension)) => format!("{stem}-{hash:012x}.{extension}"),
        None => format!("{name}-{hash:012x}"),
    }
}

/// FNV-1a, 64 bits: names need to differ when contents differ, not to resist an attacker.
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_get_hashed_names_and_other_words_stay() {
        let mut names = Names::default();
        names.hashed.insert("page.css".into(), "page-1.css".into());
        let text = "import './page.css'; url(page.css) \"homepage.css\" page.css 'a/page.css?x'";
        let want =
            "import './page-1.css'; url(page-1.css) \"homepage.css\" page.css 'a/page-1.css?x'";
        assert_eq!(names.link_text(text), want);
    }

    #[test]
    fn the_hash_follows_the_content() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_ne!(hashed_name("a.js", b"1"), hashed_name("a.js", b"2"));
    }
}
