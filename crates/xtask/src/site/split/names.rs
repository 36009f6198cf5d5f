//! Short names between the module and its JavaScript: wasm-bindgen's carry hashes, which do not
//! compress.

use super::module::{Module, malformed};
use crate::shell::Result;
use std::collections::BTreeMap;

/// Long name → short name.
pub type Renamed<'a> = BTreeMap<&'a str, String>;

/// Names this short stay.
const SHORT: usize = 12;

/// Renames the module's imports and exports in its JavaScript, and says how. A name that the
/// JavaScript does not mention as wasm-bindgen writes it (`NAME: function` once, `wasm.NAME`) stays.
pub fn shorten<'a>(module: &Module<'a>, glue: &str) -> Result<(String, Renamed<'a>)> {
    let mut renamed = Renamed::new();
    for import in module
        .imports
        .clone()
        .into_iter()
        .flat_map(|section| section.into_imports())
    {
        let name = import.map_err(malformed)?.name;
        let key = format!("{name}: function(");
        if name.len() > SHORT && words(glue, name) == 1 && glue.contains(&key) {
            let short = format!("i{}", renamed.len());
            renamed.insert(name, short);
        }
    }
    for export in module.exports.clone().into_iter().flatten() {
        let name = export.map_err(malformed)?.name;
        let uses = glue.matches(&format!("wasm.{name}")).count();
        if name.len() > SHORT && uses > 0 && uses == words(glue, name) {
            let short = format!("e{}", renamed.len());
            renamed.insert(name, short);
        }
    }
    let mut text = String::with_capacity(glue.len());
    let mut rest = glue;
    while let Some(start) = rest.find(is_word) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c| !is_word(c)).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        text.push_str(before);
        text.push_str(renamed.get(word).map_or(word, String::as_str));
        rest = after;
    }
    text.push_str(rest);
    Ok((text, renamed))
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$'
}

fn words(text: &str, word: &str) -> usize {
    text.split(|c| !is_word(c))
        .filter(|found| *found == word)
        .count()
}

/// JavaScript without indentation, empty lines and lines that only comment.
pub fn without_comments(glue: &str) -> String {
    let mut text = String::new();
    for line in glue.lines().map(str::trim) {
        if !line.is_empty()
            && !line.starts_with("//")
            && !line.starts_with("/*")
            && !line.starts_with('*')
        {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}
