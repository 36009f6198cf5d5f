//! Words stand in `content/en`: every code that the program can show has its text.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sources(folder: &Path, found: &mut String) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let text = text.split("#[cfg(test)]").next().unwrap_or_default();
            for line in text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
            {
                found.push_str(line);
                found.push('\n');
            }
        }
    }
}

/// Codes of the catalogue, from every file of `content/en` that the program reads: sections joined with
/// their keys.
fn catalogue() -> BTreeSet<String> {
    let list = root().join("crates/lesson/src/lib.rs");
    let list = std::fs::read_to_string(list).expect("readable");
    let files: Vec<&str> = quoted_after(&list, "include_str!(\"../../../content/en/").collect();
    assert!(files.len() > 2, "the files' list has moved");
    let mut codes = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(root().join("content/en").join(file)).expect("readable");
        let mut section = String::new();
        for line in text.lines() {
            if let Some(name) = line.strip_prefix('[') {
                section = name.trim_end_matches(']').to_owned();
            } else if let Some((key, _)) = line.split_once(" = ") {
                let key = key.trim();
                codes.insert(if section.is_empty() {
                    key.into()
                } else {
                    format!("{section}.{key}")
                });
            }
        }
    }
    codes
}

/// What stands in quotes after `start` in a source text.
fn quoted_after<'a>(text: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(start)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
}

#[test]
fn every_trace_code_is_explained() {
    let mut text = String::new();
    sources(&root().join("crates/cluster/src"), &mut text);
    sources(&root().join("crates/session/src"), &mut text);
    let codes = catalogue();
    let mut missing = BTreeSet::new();
    let mut seen = 0;
    for block in text.split("codes! {").skip(1) {
        let block = block.split('}').next().unwrap_or_default();
        for code in quoted_after(block, " = \"") {
            seen += 1;
            for part in ["title", "what", "why", "detail", "example", "next"] {
                let entry = format!("{code}.{part}");
                if !codes.contains(&entry) {
                    missing.insert(entry);
                }
            }
        }
    }
    assert!(seen > 50, "only {seen} codes found: has the macro changed?");
    assert!(
        missing.is_empty(),
        "content/en (trace.txt, explain.txt, requests.txt) lacks {missing:#?}"
    );
}

#[test]
fn every_word_of_the_page_is_there() {
    let mut text = String::new();
    sources(&root().join("web/src"), &mut text);
    let codes = catalogue();
    let used = [".t(\"", ".t1(\"", "Msg::new(\"", "Msg::plain(\""];
    let used = used.iter().flat_map(|start| quoted_after(&text, start));
    let missing: BTreeSet<&str> = used.filter(|code| !codes.contains(*code)).collect();
    assert!(missing.is_empty(), "content/en lacks {missing:#?}");
}
