//! Languages: the words of every folder of `content/` beside the English ones, one file each, and a
//! pseudo-language that shows what a translation would break.

use super::assets::Names;
use crate::shell::{Context, Result};
use crate::workspace;
use std::path::Path;

/// The made-up language: longer words, other letters. Only tests ask for it, by `?lang=qps`.
pub const PSEUDO: &str = "qps";

/// Adds `words-<locale>.txt` for each language and gives their codes.
pub fn add(root: &Path, out: &Path, names: &mut Names) -> Result<Vec<String>> {
    let content = root.join("content");
    let mut locales = vec![PSEUDO.to_owned()];
    let english = words(&content.join("en"))?;
    names.add(out, &file_name(PSEUDO), pseudo(&english).as_bytes())?;
    let entries = std::fs::read_dir(&content).context(|| content.display().to_string())?;
    let mut folders: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    folders.sort();
    for folder in folders {
        let locale = folder.file_name().unwrap_or_default().to_string_lossy();
        if locale != "en" && folder.join("page.txt").is_file() {
            names.add(out, &file_name(&locale), words(&folder)?.as_bytes())?;
            locales.push(locale.into_owned());
        }
    }
    Ok(locales)
}

/// The name of a language's file before its hash.
pub fn file_name(locale: &str) -> String {
    format!("words-{locale}.txt")
}

/// All entries of a folder, each file from no section on.
fn words(folder: &Path) -> Result<String> {
    let mut files = workspace::files_under(folder)?;
    let lessons = folder.join("lessons");
    files.retain(|file| file.parent() == Some(folder) || file.parent() == Some(&*lessons));
    files.sort();
    let mut all = String::new();
    for file in files
        .iter()
        .filter(|f| f.extension().is_some_and(|e| e == "txt"))
    {
        // What the program reads as files of their own has a name before its sections here.
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let prefix = if file.parent() == Some(&*lessons) {
            format!("lesson.{stem}")
        } else if stem == "glossary" {
            "term".to_owned()
        } else {
            String::new()
        };
        if !prefix.is_empty() {
            all.push_str(&format!("[{prefix}]\n"));
        }
        for line in workspace::read(file)?
            .lines()
            .filter(|line| !line.trim().is_empty())
        {
            match line.strip_prefix('[') {
                _ if line.starts_with('#') => {}
                // Where a term is seen does not depend on the language.
                _ if prefix == "term"
                    && (line.starts_with("see =") || line.starts_with("glyph =")) => {}
                Some(section) if !prefix.is_empty() => {
                    all.push_str(&format!("[{prefix}.{section}\n"));
                }
                _ => {
                    all.push_str(line);
                    all.push('\n');
                }
            }
        }
        all.push_str("[]\n");
    }
    Ok(all)
}

/// The same entries in the made-up language. Placeholders, code and keys stay.
fn pseudo(words: &str) -> String {
    let mut out = String::with_capacity(words.len() * 2);
    for line in words.lines() {
        match line.split_once(" = ") {
            _ if line.starts_with('[') => out.push_str(line),
            Some((key, text)) if !line.starts_with("  ") => {
                out.push_str(key);
                out.push_str(" = ");
                out.push_str(&translated(text));
            }
            _ => {
                out.push_str("  ");
                out.push_str(&translated(line.trim()));
            }
        }
        out.push('\n');
    }
    out
}

/// Latin letters with marks, and two fifths more of them in Greek.
fn translated(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth = 0usize;
    let mut code = false;
    let mut letters = 0;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            '`' => code = !code,
            // `\n` is a line's end.
            '\\' => {
                out.push(c);
                out.extend(chars.next());
                continue;
            }
            _ => {}
        }
        if depth > 0 || code {
            out.push(c);
            continue;
        }
        letters += usize::from(c.is_alphabetic());
        out.push(marked(c));
    }
    let more: String = "λόγια "
        .chars()
        .cycle()
        .take((letters * 2).div_ceil(5))
        .collect();
    if !more.trim().is_empty() {
        out.push(' ');
        out.push_str(more.trim());
    }
    out
}

fn marked(c: char) -> char {
    match c {
        'a' => 'á',
        'c' => 'ç',
        'e' => 'é',
        'i' => 'í',
        'n' => 'ñ',
        'o' => 'ö',
        'u' => 'ü',
        'y' => 'ý',
        'A' => 'Á',
        'E' => 'É',
        'I' => 'Í',
        'O' => 'Ö',
        'U' => 'Ü',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_placeholders_and_code_stay() {
        let words = "[a.b]\ntitle = {pod} gets a `node`\n  and {n} {n|Pod|Pods}\\n\n";
        let made = pseudo(words);
        assert_eq!(
            made,
            "[a.b]\ntitle = {pod} géts á `node` λό\n  áñd {n} {n|Pod|Pods}\\n λό\n"
        );
    }
}
