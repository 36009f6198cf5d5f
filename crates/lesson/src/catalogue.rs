//! The message catalogue: every word for people that does not come from Kubernetes itself.
//!
//! A file is a list of entries, compact enough to ship with the page:
//!
//! ```text
//! # a comment
//! play = Play
//! [scheduler.bound]            entries below are scheduler.bound.title, …
//! title = {pod} gets a node
//! what = The scheduler writes {node} into the Pod,
//!   as one more sub-resource.  (an indented line continues the text; `\n` breaks it)
//! ```
//!
//! `{name}` is replaced by the argument. `{name|Pod|Pods}` chooses by a count. A `[]` line ends the
//! section. Text may hold `code` in backquotes; the page decides how that looks.

use std::borrow::Cow;
use std::cell::OnceCell;

/// Messages by code.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// Sorted by code.
    entries: Vec<(String, Cow<'static, str>)>,
    /// Reads the words that are looked up when an entry is missing here.
    read_later: Option<fn() -> Catalogue>,
    later: OnceCell<Box<Catalogue>>,
}

/// An argument as the catalogue sees it: its text, and its count when it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument<'a> {
    /// The name in braces.
    pub name: &'a str,
    /// What replaces it.
    pub text: Cow<'a, str>,
    /// Chooses singular or plural.
    pub count: Option<i64>,
}

impl Catalogue {
    /// Reads files. Later entries win. Lines that are no entry are skipped: words are content, and a
    /// broken line must not take the page down; `problems` finds them in tests.
    pub fn read(files: &[&'static str]) -> Catalogue {
        let mut entries: Vec<(String, Cow<'static, str>)> = Vec::new();
        for file in files {
            read_file(file, &mut entries);
        }
        Catalogue {
            entries,
            ..Catalogue::default()
        }
    }

    /// The same, with words that are read when the first code is missing here.
    pub fn with_later(mut self, read: fn() -> Catalogue) -> Catalogue {
        self.read_later = Some(read);
        self
    }

    /// The text of a code, with its braces.
    pub fn get(&self, code: &str) -> Option<&str> {
        let at = self
            .entries
            .binary_search_by(|entry| entry.0.as_str().cmp(code));
        match at {
            Ok(at) => self.entries.get(at).map(|entry| entry.1.as_ref()),
            Err(_) => self.later()?.get(code),
        }
    }

    #[inline(never)]
    fn later(&self) -> Option<&Catalogue> {
        let read = self.read_later?;
        Some(self.later.get_or_init(|| Box::new(read())))
    }

    /// All codes that are read by now.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.0.as_str())
    }

    /// The text of a code with its arguments put in; the code itself when it is unknown.
    pub fn say(&self, code: &str, arguments: &[Argument<'_>]) -> String {
        match self.get(code) {
            Some(text) => fill(text, arguments),
            None => code.to_owned(),
        }
    }
}

/// Lines of a file that are neither comment, section, entry nor continuation: (line from 1, text).
pub fn problems(file: &str) -> Vec<(usize, &str)> {
    let odd = |line: &str| {
        let blank = line.trim().is_empty() || line.starts_with('#');
        let section = line.starts_with('[') && line.trim_end().ends_with(']');
        !(blank || section || line.starts_with("  ") || line.contains(" = "))
    };
    file.lines()
        .enumerate()
        .filter(|(_, line)| odd(line))
        .map(|(i, l)| (i + 1, l))
        .collect()
}

fn read_file(file: &'static str, entries: &mut Vec<(String, Cow<'static, str>)>) {
    let mut section = "";
    // Where the entry before went.
    let mut last = usize::MAX;
    for line in file.lines() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            section = name.split(']').next().unwrap_or_default();
        } else if line.starts_with("  ") {
            if let Some((_, text)) = entries.get_mut(last) {
                let text = text.to_mut();
                text.push(' ');
                text.push_str(line.trim());
            }
        } else if let Some((key, text)) = line.split_once(" = ") {
            let key = key.trim();
            let code = if section.is_empty() {
                key.to_owned()
            } else {
                [section, key].join(".")
            };
            let text = Cow::Borrowed(text.trim());
            match entries.binary_search_by(|entry| entry.0.cmp(&code)) {
                Ok(at) => {
                    entries[at].1 = text;
                    last = at;
                }
                Err(at) => {
                    entries.insert(at, (code, text));
                    last = at;
                }
            }
        }
    }
}

fn fill(text: &str, arguments: &[Argument<'_>]) -> String {
    let mut out = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some(open) = rest.find(['{', '\\']) {
        let (before, from) = rest.split_at(open);
        out.push_str(before);
        if let Some(after) = from.strip_prefix("\\n") {
            out.push('\n');
            rest = after;
            continue;
        }
        let Some(close) = from.find('}').filter(|_| from.starts_with('{')) else {
            let mut chars = from.chars();
            out.extend(chars.next());
            rest = chars.as_str();
            continue;
        };
        let inside = from.get(1..close).unwrap_or_default();
        put(&mut out, inside, arguments);
        rest = from.get(close + 1..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

fn put(out: &mut String, inside: &str, arguments: &[Argument<'_>]) {
    let mut parts = inside.split('|');
    let name = parts.next().unwrap_or_default();
    let argument = arguments.iter().find(|argument| argument.name == name);
    match (argument, parts.next()) {
        (Some(argument), None) => out.push_str(&argument.text),
        (Some(argument), Some(one)) => {
            let many = parts.next().unwrap_or(one);
            out.push_str(if argument.count == Some(1) { one } else { many });
        }
        // Braces that are no argument stay: `{}` is YAML too.
        (None, _) => {
            out.push('{');
            out.push_str(inside);
            out.push('}');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argument(name: &'static str, text: &'static str, count: Option<i64>) -> Argument<'static> {
        Argument {
            name,
            text: text.into(),
            count,
        }
    }

    #[test]
    fn entries_sections_and_continuations_are_read() {
        let words = Catalogue::read(&[
            "play = Play\n[a.b]\ntitle = One\n  two\n# no\n[]\nplay = Go\nstop = {}\n",
        ]);
        assert_eq!(words.say("play", &[]), "Go");
        assert_eq!(words.say("a.b.title", &[]), "One two");
        assert_eq!(words.say("stop", &[]), "{}");
        assert_eq!(words.say("unknown.code", &[]), "unknown.code");
        assert_eq!(
            words.codes().collect::<Vec<_>>(),
            ["a.b.title", "play", "stop"]
        );
    }

    #[test]
    fn arguments_and_plurals_are_put_in() {
        let text = "{n} {n|Pod|Pods} on {node}: {other}\\nmore \\ {open";
        let many = fill(
            text,
            &[
                argument("n", "3", Some(3)),
                argument("node", "node-1", None),
            ],
        );
        assert_eq!(many, "3 Pods on node-1: {other}\nmore \\ {open");
        let one = fill("{n|Pod|Pods}", &[argument("n", "1", Some(1))]);
        assert_eq!(one, "Pod");
    }

    #[test]
    fn problems_are_found() {
        assert_eq!(
            problems("a = b\n  more\n[x]\n# c\n\nodd line\n"),
            [(6, "odd line")]
        );
    }
}
