//! Reads the marked tags of `index.html` and writes the page of the site.

use super::CONTENT_SECURITY_POLICY;
use super::assets::Names;
use super::wasm::Engine;
use crate::shell::Result;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A `<link data-trunk …>` or `<script data-trunk …></script>`.
pub struct Tag {
    /// Where it stands in the source, in bytes.
    range: std::ops::Range<usize>,
    element: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    /// An attribute's value; empty when it has none.
    pub fn get(&self, name: &str) -> Option<&str> {
        let attribute = self.attributes.iter().find(|(key, _)| key == name);
        attribute.map(|(_, value)| value.as_str())
    }

    /// Whether it is of this kind: its `rel`, or `script`.
    pub fn is(&self, kind: &str) -> bool {
        match self.element.as_str() {
            "script" => kind == "script",
            _ => self.get("rel") == Some(kind),
        }
    }

    /// The file that it names, relative to the workspace's root.
    pub fn source(&self) -> Result<&str> {
        let name = if self.element == "script" {
            "src"
        } else {
            "href"
        };
        let missing = || format!("index.html: <{} data-trunk> without {name}", self.element);
        self.get(name)
            .map(|path| path.trim_start_matches("./"))
            .ok_or_else(missing)
    }

    /// The folder of the site that a copied file goes to.
    pub fn target_folder(&self, out: &Path) -> PathBuf {
        out.join(self.get("data-target-path").unwrap_or_default())
    }

    /// That file's name without its folder.
    pub fn file_name(&self) -> Result<&str> {
        let source = self.source()?;
        Ok(source.rsplit('/').next().unwrap_or(source))
    }
}

const KINDS: [&str; 6] = ["rust", "css", "icon", "script", "copy-file", "copy-dir"];

/// Finds the marked tags.
pub fn trunk_tags(source: &str) -> Result<Vec<Tag>> {
    let mut tags = Vec::new();
    let mut from = 0;
    while let Some((start, element)) = next_tag(source, from) {
        let (attributes, mut end) = attributes(source, start + 1 + element.len())?;
        from = end;
        if !attributes.iter().any(|(name, _)| name == "data-trunk") {
            continue;
        }
        if element == "script" {
            let close = source.get(end..).and_then(|rest| rest.find("</script>"));
            end += close.ok_or("index.html: <script> is not closed")? + "</script>".len();
            from = end;
        }
        let tag = Tag {
            range: start..end,
            element: element.to_owned(),
            attributes,
        };
        if !KINDS.iter().any(|kind| tag.is(kind)) {
            let rel = tag.get("rel").unwrap_or_default();
            return Err(format!(
                "index.html: data-trunk rel=\"{rel}\" is not supported"
            ));
        }
        tags.push(tag);
    }
    Ok(tags)
}

/// The next `<link` or `<script` outside comments: its offset and name.
fn next_tag(source: &str, mut from: usize) -> Option<(usize, &'static str)> {
    loop {
        let rest = source.get(from..)?;
        let at = from + rest.find('<')?;
        let tag = source.get(at..)?;
        if tag.starts_with("<!--") {
            from = at + tag.find("-->")? + 3;
        } else if tag.starts_with("<link") {
            return Some((at, "link"));
        } else if tag.starts_with("<script") {
            return Some((at, "script"));
        } else {
            from = at + 1;
        }
    }
}

/// Attributes from `from` to the tag's `>`, and the offset behind that.
fn attributes(source: &str, from: usize) -> Result<(Vec<(String, String)>, usize)> {
    let unclosed = || "index.html: a tag is not closed".to_owned();
    let mut found = Vec::new();
    let mut rest = source.get(from..).unwrap_or_default();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if let Some(behind) = rest.strip_prefix('>') {
            return Ok((found, source.len() - behind.len()));
        }
        let end = rest
            .find(|c: char| c.is_whitespace() || matches!(c, '=' | '>' | '/'))
            .ok_or_else(unclosed)?;
        let (name, behind) = rest.split_at(end);
        rest = behind;
        let mut value = "";
        if let Some(behind) = rest.strip_prefix('=') {
            let quote = behind.chars().next().filter(|c| matches!(c, '"' | '\''));
            let quote = quote.ok_or("index.html: attribute values must be quoted")?;
            let inside = behind.get(1..).unwrap_or_default();
            let close = inside.find(quote).ok_or_else(unclosed)?;
            value = inside.get(..close).unwrap_or_default();
            rest = inside.get(close + 1..).unwrap_or_default();
        }
        if name.is_empty() {
            return Err("index.html: a tag has an unreadable attribute".to_owned());
        }
        found.push((name.to_owned(), value.to_owned()));
    }
}

/// The page of the site: every marked tag replaced by what it stands for.
pub fn page(source: &str, tags: &[Tag], names: &Names, engine: &Engine) -> Result<String> {
    let mut page = String::with_capacity(source.len() + 1024);
    let mut copied = 0;
    for tag in tags {
        push_linked(&mut page, source.get(copied..tag.range.start), names);
        copied = tag.range.end;
        let replacement = replacement(tag, names, engine)?;
        if replacement.is_empty() {
            // Leave no blank line behind.
            let kept = page
                .trim_end_matches([' ', '\t'])
                .trim_end_matches('\n')
                .len();
            page.truncate(kept);
        }
        page.push_str(&replacement);
    }
    push_linked(&mut page, source.get(copied..), names);
    insert_policy(&page)
}

fn push_linked(page: &mut String, part: Option<&str>, names: &Names) {
    page.push_str(&names.link_text(part.unwrap_or_default()));
}

fn replacement(tag: &Tag, names: &Names, engine: &Engine) -> Result<String> {
    if tag.is("rust") {
        let (glue, wasm) = (names.get(&engine.glue_name)?, names.get(&engine.wasm_name)?);
        let boot = names.get("boot.js")?;
        let later = match engine.later {
            Some(_) => String::new(),
            None => {
                let href = names.get(super::LATER_STYLES)?;
                format!("<link rel=\"stylesheet\" href=\"./{href}\">\n")
            }
        };
        return Ok(format!(
            "{later}<link rel=\"modulepreload\" href=\"./{glue}\">\n\
             <link rel=\"preload\" href=\"./{wasm}\" as=\"fetch\" type=\"application/wasm\" crossorigin>\n\
             <script type=\"module\" src=\"./{boot}\"></script>"
        ));
    }
    if tag.is("css") && tag.get("data-later").is_some() {
        return Ok(String::new());
    }
    if tag.is("css") {
        let href = names.get(tag.file_name()?)?;
        return Ok(format!(
            "<link rel=\"stylesheet\" href=\"./{href}\"{}>",
            others(tag)
        ));
    }
    if tag.is("icon") {
        let href = names.get(tag.file_name()?)?;
        return Ok(format!(
            "<link rel=\"icon\" href=\"./{href}\"{}>",
            others(tag)
        ));
    }
    if tag.is("script") {
        let src = names.get(tag.file_name()?)?;
        return Ok(format!("<script src=\"./{src}\"{}></script>", others(tag)));
    }
    Ok(String::new())
}

/// The attributes that neither Trunk nor this module reads.
fn others(tag: &Tag) -> String {
    let mut text = String::new();
    for (name, value) in &tag.attributes {
        let ours = matches!(name.as_str(), "rel" | "href" | "src") || name.starts_with("data-");
        if !ours && value.is_empty() {
            write!(text, " {name}").ok();
        } else if !ours {
            write!(text, " {name}=\"{value}\"").ok();
        }
    }
    text
}

/// A static host sends no headers of ours, so the policy stands in the page.
fn insert_policy(page: &str) -> Result<String> {
    let head = "<head>";
    let (before, after) = page.split_once(head).ok_or("index.html has no <head>")?;
    let charset = "<meta charset=\"utf-8\">\n";
    let after = after
        .trim_start()
        .strip_prefix(charset)
        .ok_or("index.html: `<meta charset=\"utf-8\">` must be the first line of <head>")?;
    Ok(format!(
        "{before}{head}\n{charset}<meta http-equiv=\"Content-Security-Policy\" \
         content=\"{CONTENT_SECURITY_POLICY}\">\n{after}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_marked_tags_are_read() {
        let source = "<head><!-- <link data-trunk rel=\"rust\"> -->\n<link rel='x' href='y'>\n\
                      <link data-trunk rel=\"css\" href=\"web/a.css\" media=\"print\" />\n\
                      <script data-trunk src=\"web/t.js\" defer></script></head>";
        let tags = trunk_tags(source).expect("readable");
        let sources: Vec<_> = tags
            .iter()
            .map(|tag| tag.source().expect("named"))
            .collect();
        assert_eq!(sources, ["web/a.css", "web/t.js"]);
        assert_eq!(
            tags.first().map(others).as_deref(),
            Some(" media=\"print\"")
        );
        assert_eq!(tags.last().map(others).as_deref(), Some(" defer"));
    }

    #[test]
    fn unreadable_pages_are_refused() {
        for source in [
            "<link data-trunk rel=\"sass\" href=\"a\">",
            "<link data-trunk",
            "<link a=b>",
        ] {
            assert!(trunk_tags(source).is_err(), "{source}");
        }
    }
}
