//! Makes equal what two runs cannot share: random names, uids, revisions, addresses, ages, times.

use crate::run::{Run, base_of};
use std::collections::BTreeMap;

/// Random names of one run with what they were made from (see [`base_of`]).
#[derive(Default)]
pub struct Names(BTreeMap<String, String>);

impl Names {
    /// The names of all objects of a run.
    pub fn of(run: &Run) -> Names {
        let objects = run.changes.iter();
        let mut names: BTreeMap<String, String> = objects
            .filter_map(|c| base_of(&c.object, &run.aliases))
            .collect();
        names.extend(run.aliases.clone());
        for (name, other) in &run.aliases {
            names.insert(format!("{name}-"), format!("{other}-"));
        }
        Names(names)
    }
    /// The name without its random letters.
    pub fn base<'a>(&'a self, name: &'a str) -> &'a str {
        self.0.get(name).map_or(name, String::as_str)
    }
    /// [`Names::base`], also of Pods that are older than the run, by the look of their names.
    pub fn pod_base(&self, name: &str) -> String {
        match (self.0.get(name), replica_set_of(name)) {
            (Some(base), _) => base.clone(),
            (None, Some(owner)) => format!("{owner}-*****"),
            (None, None) => name.to_owned(),
        }
    }
    /// A text in which everything random or of the moment is replaced by stars and words in angle brackets.
    pub fn text(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for line in text.lines() {
            out.push_str(&self.line(line));
            out.push('\n');
        }
        out
    }

    /// [`Names::text`] for one line; gaps between columns become two spaces wide.
    pub fn line(&self, line: &str) -> String {
        let trimmed = line.trim_start();
        let indent = &line[..line.len() - trimmed.len()];
        let head = trimmed.strip_prefix("- ").unwrap_or(trimmed);
        for (key, shown) in MOMENTARY {
            if head.starts_with(key) {
                return format!("{indent}{key} {shown}");
            }
        }
        let mut out = String::from(indent);
        // The recorded machines give an image its short name, as it stands in the manifest.
        let mut trimmed = trimmed.replace("docker.io/library/", "");
        for (word, shown) in MACHINE {
            if trimmed.contains(word) {
                trimmed = trimmed.replace(word, shown);
            }
        }
        let mut rest = trimmed.as_str();
        let table = !trimmed.contains(": ");
        while !rest.is_empty() {
            if let Some(after) = date(rest) {
                out.push_str("<time>");
                rest = after;
                continue;
            }
            let end = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
            if end > 0 {
                let (word, after) = rest.split_at(end);
                // In a column of its own an amount of minutes is an age.
                let alone =
                    table && out.ends_with("  ") && (after.is_empty() || after.starts_with("  "));
                if alone && word.ends_with('m') && is_span(&format!("{word}0s")) {
                    out.push_str("<span>");
                } else {
                    self.word(word, &mut out);
                }
                rest = after;
                continue;
            }
            let gap = rest.len() - rest.trim_start_matches(' ').len();
            if gap > 0 {
                out.push_str(if gap > 1 { "  " } else { " " });
                rest = &rest[gap..];
                continue;
            }
            let c = rest.chars().next().unwrap_or(' ');
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
        out.truncate(out.trim_end().len());
        repeats(&out)
    }

    fn word(&self, word: &str, out: &mut String) {
        let core = word.trim_end_matches(['.', ':']);
        let tail = &word[core.len()..];
        if let Some(base) = self.0.get(core) {
            out.push_str(base);
        } else if is_uid(core) {
            out.push_str("<uid>");
        } else if podscope_api::Timestamp::parse(core).is_some() {
            out.push_str("<time>");
        } else if is_address(core) {
            out.push_str("<ip>");
        } else if is_span(core) {
            out.push_str("<span>");
        } else if let Some(owner) = replica_set_of(core) {
            out.push_str(self.0.get(owner).map_or(owner, String::as_str));
            out.push_str("-*****");
        } else if core.starts_with("kube-api-access-") {
            out.push_str("kube-api-access-*");
        } else if let Some((name, _)) = core.rsplit_once('.').filter(|(_, tail)| is_moment(tail)) {
            out.push_str(self.0.get(name).map_or(name, String::as_str));
            out.push_str(".<moment>");
        } else {
            out.push_str(core);
        }
        out.push_str(tail);
    }
}

/// Lines whose value is an accident, by how they begin (leading spaces aside).
const MOMENTARY: &[(&str, &str)] = &[
    ("containerID:", "<id>"),
    ("Container ID:", "<id>"),
    ("imageID:", "<id>"),
    ("Image ID:", "<id>"),
    ("resourceVersion:", "<revision>"),
    ("\"resourceVersion\":", "<revision>"),
];

/// What the recorded and the simulated machines say that they are made of.
const MACHINE: &[(&str, &str)] = &[
    ("Debian GNU/Linux 12 (bookworm)", "<os>"),
    ("Debian GNU/Linux 13 (trixie)", "<os>"),
    ("6.1.0-42-amd64", "<kernel>"),
    ("6.12.0", "<kernel>"),
    ("fakeRuntime://0.1.0", "<runtime>"),
    ("containerd://2.1.4", "<runtime>"),
    ("hollow-kubelet", "kubelet"),
];

/// A user's name without the prefix of service accounts.
pub fn user(name: &str) -> String {
    match name.strip_prefix("system:serviceaccount:kube-system:") {
        Some(account) => format!("sa:{account}"),
        None => name.to_owned(),
    }
}

/// The ReplicaSet of a Pod's name, as far as it looks like one; the Pod may be older than the run.
fn replica_set_of(name: &str) -> Option<&str> {
    let random = |part: &str| {
        let letters = b"bcdfghjklmnpqrstvwxz2456789";
        part.bytes().all(|b| letters.contains(&b))
    };
    let (owner, tail) = name.rsplit_once('-')?;
    let (_, hash) = owner.rsplit_once('-')?;
    let fits = tail.len() == 5 && (6..=10).contains(&hash.len());
    (fits && random(tail) && random(hash)).then_some(owner)
}

fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '_')
}

/// `Fri, 20 Nov 2026 09:59:45 +0000` at the start; what follows it.
fn date(text: &str) -> Option<&str> {
    let comma = text.get(3..5)? == ", ";
    let zone = text.get(25..31)? == " +0000";
    (comma && zone).then(|| &text[31..])
}

/// The end of an Event's name: nanoseconds since 1970, in hexadecimal.
fn is_moment(tail: &str) -> bool {
    tail.len() == 16 && tail.bytes().all(|b| b.is_ascii_hexdigit())
}

fn is_uid(word: &str) -> bool {
    let parts: Vec<usize> = word.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && word.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

fn is_address(word: &str) -> bool {
    let (host, port) = word.split_once(':').unwrap_or((word, "0"));
    let part = |p: &str| (1..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit());
    let digits = port.bytes().all(|b| b.is_ascii_digit());
    host.split('.').count() == 4 && host.split('.').all(part) && digits
}

/// A length of time such as `3s`, `2m3s`, `1.801s`, `12d`; `100m` alone is an amount of CPU.
fn is_span(word: &str) -> bool {
    let mut rest = word;
    let mut units = Vec::new();
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        if digits == 0 {
            return false;
        }
        rest = &rest[digits..];
        let Some(unit) = ["ms", "us", "ns", "s", "m", "h", "d"]
            .into_iter()
            .find(|unit| rest.starts_with(unit))
        else {
            return false;
        };
        units.push(unit);
        rest = &rest[unit.len()..];
    }
    !units.is_empty() && units != ["m"]
}

/// Takes away how often and since when an event was seen, and how large an image is: `<span> (x2 over <span>)`.
fn repeats(line: &str) -> String {
    let mut line = line.to_owned();
    if let Some(from) = line.find("<span> (x")
        && let Some(length) = line[from..].find(')')
    {
        line.replace_range(from + 6..from + length + 1, "");
    }
    // The recorded probes say what file they miss.
    let failed = "probe failed:";
    if let Some(from) = line.find(failed) {
        line.truncate(from + failed.len());
    }
    let size = "Image size: ";
    if let Some(from) = line.find(size)
        && let Some(length) = line[from..].find(" bytes")
    {
        line.replace_range(from + size.len()..from + length, "N");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_random_or_of_the_moment_is_made_equal() {
        let pair = ("web-5f-abcde".to_owned(), "web-5f-*****".to_owned());
        let names = Names([pair].into());
        for (given, want) in [
            (
                "pod/web-5f-abcde   1/1     Running   0  3s",
                "pod/web-5f-*****  1/1  Running  0  <span>",
            ),
            ("  - cpu: 100m", "  - cpu: 100m"),
            (
                "Start Time:  Fri, 20 Nov 2026 09:59:45 +0000",
                "Start Time:  <time>",
            ),
            (
                "  uid: b619c8d7-2ca4-4944-84e4-5929449494c3",
                "  uid: <uid>",
            ),
            ("ip: 10.244.1.71", "ip: <ip>"),
            (
                "name: web-5f-abcde.18e9b86c17e39703",
                "name: web-5f-*****.<moment>",
            ),
            ("node-1   Ready   61m   v1", "node-1  Ready  <span>  v1"),
            ("image: docker.io/library/nginx:1", "image: nginx:1"),
            ("at: \"2026-11-20T09:59:45Z\"", "at: \"<time>\""),
            (
                "    resourceVersion: \"17\"",
                "    resourceVersion: <revision>",
            ),
            (
                "  Warning  F  3s (x2 over 5s)  default-scheduler  no",
                "  Warning  F  <span>  default-scheduler  no",
            ),
            (
                "pulled in 1.801s (1.801s including waiting). Image size: 70 bytes.",
                "pulled in <span> (<span> including waiting). Image size: N bytes.",
            ),
        ] {
            assert_eq!(names.line(given), want);
        }
    }
}
