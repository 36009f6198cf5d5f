//! Command line flags, as kubectl's flag library reads them.

use crate::fault::{Fault, Res};
use podscope_api::status::quote;

/// Flags that every command knows. Each is `name[,short]=type[:value when given without one]` with type
/// b (bool), i (int), s (text), S (list), d (duration).
const GLOBAL: &str = "namespace,n=s context=s cluster=s user=s kubeconfig=s server,s=s token=s as=s as-group=S \
as-uid=s request-timeout=s v,v=i warnings-as-errors=b cache-dir=s certificate-authority=s client-certificate=s \
client-key=s insecure-skip-tls-verify=b match-server-version=b tls-server-name=s disable-compression=b \
profile=s profile-output=s help,h=b";

/// What the command line said.
pub(crate) struct Flags {
    /// The command's words, such as `rollout status`.
    pub command: &'static str,
    values: Vec<(&'static str, String)>,
    /// Words that are not flags.
    pub args: Vec<String>,
    /// How many words stood before `--`.
    pub dash: Option<usize>,
}

struct Spec {
    name: &'static str,
    short: &'static str,
    kind: &'static str,
    bare: Option<&'static str>,
}

fn specs(table: &'static str) -> impl Iterator<Item = Spec> {
    table
        .split_whitespace()
        .chain(GLOBAL.split_whitespace())
        .map(|entry| {
            let (names, kind) = entry.split_once('=').unwrap_or((entry, "b"));
            let (name, short) = names.split_once(',').unwrap_or((names, ""));
            let (kind, bare) = match kind.split_once(':') {
                Some((kind, bare)) => (kind, Some(bare)),
                None => (kind, (kind == "b").then_some("true")),
            };
            Spec {
                name,
                short,
                kind,
                bare,
            }
        })
}

/// A command's own flags, one a line: name, letter, what it takes.
pub(crate) fn describe(table: &'static str) -> Vec<String> {
    let own = table.split_whitespace().count();
    specs(table)
        .take(own)
        .map(|spec| {
            let name = match spec.short {
                "" => format!("    --{}", spec.name),
                short => format!("-{short}, --{}", spec.name),
            };
            let takes = match (spec.kind, spec.bare) {
                ("b", _) => String::new(),
                ("i", _) => "=NUMBER".into(),
                ("d", _) => "=DURATION".into(),
                ("S", _) => "=TEXT, may be repeated".into(),
                (_, Some(bare)) => format!("[=TEXT], alone: {bare}"),
                _ => "=TEXT".into(),
            };
            name + &takes
        })
        .collect()
}

impl Flags {
    /// Reads the words that follow the command's name. `table` lists the command's own flags.
    pub fn parse(command: &'static str, table: &'static str, words: &[String]) -> Res<Flags> {
        let mut flags = Flags {
            command,
            values: Vec::new(),
            args: Vec::new(),
            dash: None,
        };
        let fail = |text: String| {
            Fault::Text(format!("{text}\nSee 'kubectl {command} --help' for usage."))
        };
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            if flags.dash.is_some() || !word.starts_with('-') || word == "-" {
                flags.args.push(word.clone());
            } else if word == "--" {
                flags.dash = Some(flags.args.len());
            } else if let Some(long) = word.strip_prefix("--") {
                let (name, value) = match long.split_once('=') {
                    Some((name, value)) => (name, Some(value.to_string())),
                    None => (long, None),
                };
                let spec = specs(table)
                    .find(|s| s.name == name)
                    .ok_or_else(|| fail(format!("unknown flag: --{name}")))?;
                let value = match (value, spec.bare) {
                    (Some(value), _) => value,
                    (None, Some(bare)) => bare.to_string(),
                    (None, None) => rest
                        .next()
                        .cloned()
                        .ok_or_else(|| fail(format!("flag needs an argument: --{name}")))?,
                };
                flags.set(&spec, value).map_err(fail)?;
            } else {
                let mut letters = word.get(1..).unwrap_or("");
                while let Some(letter) = letters.chars().next() {
                    let after = letters.get(letter.len_utf8()..).unwrap_or("");
                    let spec = specs(table)
                        .find(|s| s.short.len() == 1 && s.short.starts_with(letter))
                        .ok_or_else(|| {
                            fail(format!("unknown shorthand flag: '{letter}' in {word}"))
                        })?;
                    let value = if let Some(value) = after.strip_prefix('=') {
                        letters = "";
                        value.to_string()
                    } else if let Some(bare) = spec.bare {
                        letters = after;
                        bare.to_string()
                    } else if !after.is_empty() {
                        letters = "";
                        after.to_string()
                    } else {
                        letters = "";
                        rest.next().cloned().ok_or_else(|| {
                            fail(format!("flag needs an argument: '{letter}' in {word}"))
                        })?
                    };
                    flags.set(&spec, value).map_err(fail)?;
                }
            }
        }
        Ok(flags)
    }

    fn set(&mut self, spec: &Spec, value: String) -> Result<(), String> {
        let why = match spec.kind {
            "i" => value.parse::<i64>().err().map(|_| {
                let why = if !value.is_empty()
                    && value
                        .trim_start_matches('-')
                        .bytes()
                        .all(|b| b.is_ascii_digit())
                    && value != "-"
                {
                    "value out of range"
                } else {
                    "invalid syntax"
                };
                format!("strconv.ParseInt: parsing {}: {why}", quote(&value))
            }),
            "b" => parse_bool(&value).is_none().then(|| {
                format!(
                    "strconv.ParseBool: parsing {}: invalid syntax",
                    quote(&value)
                )
            }),
            "d" => podscope_api::duration::parse_go(&value)
                .is_none()
                .then(|| format!("time: invalid duration {}", quote(&value))),
            _ => None,
        };
        if let Some(why) = why {
            let shown = if spec.short.is_empty() {
                format!("--{}", spec.name)
            } else {
                format!("-{}, --{}", spec.short, spec.name)
            };
            return Err(format!(
                "invalid argument {} for {} flag: {why}",
                quote(&value),
                quote(&shown)
            ));
        }
        self.values.push((spec.name, value));
        Ok(())
    }

    /// The last value, or `""`.
    pub fn str(&self, name: &str) -> &str {
        self.opt(name).unwrap_or("")
    }

    pub fn opt(&self, name: &str) -> Option<&str> {
        self.values
            .iter()
            .rev()
            .find(|(n, _)| *n == name)
            .map(|(_, v)| v.as_str())
    }

    pub fn has(&self, name: &str) -> bool {
        self.opt(name).is_some()
    }

    /// A bool flag; false when not given.
    pub fn is(&self, name: &str) -> bool {
        self.bool_or(name, false)
    }

    pub fn bool_or(&self, name: &str, default: bool) -> bool {
        self.opt(name).and_then(parse_bool).unwrap_or(default)
    }

    pub fn int(&self, name: &str) -> Option<i64> {
        self.opt(name)?.parse().ok()
    }

    /// A duration in microseconds.
    pub fn micros(&self, name: &str) -> Option<i64> {
        podscope_api::duration::parse_go(self.opt(name)?).map(|nanos| nanos / 1000)
    }

    /// `--request-timeout` in microseconds; a bare number counts seconds, zero sets no limit.
    pub fn request_timeout(&self) -> Option<i64> {
        let text = self.opt("request-timeout")?;
        let bare = text
            .parse::<i64>()
            .ok()
            .map(|s| s.saturating_mul(1_000_000));
        bare.or_else(|| self.micros("request-timeout"))
            .filter(|span| *span > 0)
    }

    /// Every value as given.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.values
            .iter()
            .filter(|(n, _)| *n == name)
            .map(|(_, v)| v.as_str())
            .collect()
    }

    /// Every value, split at commas.
    pub fn list(&self, name: &str) -> Vec<&str> {
        let all = self.all(name).into_iter().flat_map(|v| v.split(','));
        all.filter(|v| !v.is_empty()).collect()
    }
}

#[inline(never)]
fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Flags, String> {
        let words: Vec<String> = line.split(' ').map(String::from).collect();
        Flags::parse(
            "scale",
            "replicas=i output,o=s all,A=b dry-run=s:unchanged",
            &words,
        )
        .map_err(|f| f.line())
    }

    #[test]
    fn forms_of_flags() {
        let f = parse("web -A -oyaml --replicas=3 --dry-run x -n default -- -y").expect("valid");
        assert_eq!(f.args, ["web", "x", "-y"]);
        assert_eq!(
            (f.str("output"), f.int("replicas"), f.is("all")),
            ("yaml", Some(3), true)
        );
        assert_eq!(
            (f.str("dry-run"), f.str("namespace"), f.dash),
            ("unchanged", "default", Some(2))
        );
        assert_eq!(
            parse("--replicas=x").err().as_deref(),
            Some(
                "invalid argument \"x\" for \"--replicas\" flag: strconv.ParseInt: parsing \"x\": invalid syntax\nSee 'kubectl scale --help' for usage."
            )
        );
        assert!(parse("--nope").is_err() && parse("-o").is_err());
    }
}
