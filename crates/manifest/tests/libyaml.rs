//! Compares the reader with libyaml (behind `serde_yaml`), from which Go's yaml.v2 descends too.

use podscope_manifest::{Message, parse};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// What Go's reader says of the first document in `text`, such as
/// `yaml: line 5: did not find expected key`; `None` when it can read it.
fn libyaml(text: &str) -> Option<String> {
    if let Some(problem) = control_character(text) {
        return Some(format!("yaml: {problem}"));
    }
    if let Some(line) = other_yaml_version(text) {
        return Some(match line {
            0 => "yaml: found incompatible YAML document".to_string(),
            line => format!("yaml: line {line}: found incompatible YAML document"),
        });
    }
    let document = serde_yaml::Deserializer::from_str(text).next()?;
    let error = IgnoredAny::deserialize(document).err()?;
    let words = error.to_string();
    if words.starts_with("unknown anchor") {
        let name = error
            .location()
            .and_then(|at| anchor_name(text, at.line(), at.column()));
        return Some(format!(
            "yaml: unknown anchor '{}' referenced",
            name.unwrap_or_default()
        ));
    }
    // Limits of this reader that Go's does not have; our own limits speak for themselves.
    if words.contains("limit exceeded") {
        return None;
    }
    let (problem, context) = split_context(&words);
    let (problem, line) = split_line(problem);
    let line = match line.saturating_sub(1) {
        0 => split_line(context).1.saturating_sub(1),
        counted_from_0 if is_parser_problem(problem) => counted_from_0,
        counted_from_0 => counted_from_0 + 1,
    };
    Some(match line {
        0 => format!("yaml: {problem}"),
        line => format!("yaml: line {line}: {problem}"),
    })
}

/// Problems that the parser finds; all others come from the scanner.
fn is_parser_problem(problem: &str) -> bool {
    problem.starts_with("did not find expected")
        || problem == "found undefined tag handle"
        || problem.starts_with("found duplicate %")
        || problem == "found incompatible YAML document"
}

/// `problem at line 2 column 3, while parsing a block mapping at line 1 column 1` in two.
fn split_context(words: &str) -> (&str, &str) {
    match words.find(", while ") {
        Some(at) => (
            words.get(..at).unwrap_or(words),
            words.get(at..).unwrap_or(""),
        ),
        None => (words, ""),
    }
}

/// Cuts ` at line N column M` off; the line is 0 when there is none.
fn split_line(words: &str) -> (&str, usize) {
    let Some(at) = words.rfind(" at line ") else {
        let end = words.rfind(" at position ").unwrap_or(words.len());
        return (words.get(..end).unwrap_or(words), 0);
    };
    let number = words
        .get(at + " at line ".len()..)
        .and_then(|rest| rest.split(' ').next())
        .and_then(|digits| digits.parse().ok());
    (words.get(..at).unwrap_or(words), number.unwrap_or(0))
}

fn anchor_name(text: &str, line: usize, column: usize) -> Option<String> {
    let line = text.lines().nth(line.checked_sub(1)?)?;
    let rest: String = line.chars().skip(column.checked_sub(1)?).collect();
    let name = rest.trim_start_matches('*');
    let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')));
    Some(name.get(..end.unwrap_or(name.len()))?.to_string())
}

/// The line (from 0) of a `%YAML` directive for another version than 1.1, which Go's reader refuses.
fn other_yaml_version(text: &str) -> Option<usize> {
    let head = text.lines().take_while(|l| l.starts_with(['%', '#']));
    head.enumerate().find_map(|(i, line)| {
        let version = line.strip_prefix("%YAML ")?.split('#').next()?.trim();
        (version != "1.1").then_some(i)
    })
}

/// Characters that Go's reader refuses before it scans.
fn control_character(text: &str) -> Option<&'static str> {
    let allowed = |c: char| {
        matches!(c, '\t' | '\n' | '\r' | '\u{85}' | ' '..='~')
            || (c >= '\u{a0}' && !matches!(c, '\u{fffe}' | '\u{ffff}'))
    };
    (!text.chars().all(allowed)).then_some("control characters are not allowed")
}

mod mutate;

#[test]
fn libyaml_agrees() {
    let mut random = mutate::Random(7);
    let (mut same, mut refused) = (0, 0);
    let mut wrong = Vec::new();
    let rounds = mutate::rounds(20_000);
    for _ in 0..rounds {
        let text = mutate::text(&mut random);
        // libyaml takes what is behind the first document for the next one.
        if text.contains("---") || text.contains("...") {
            continue;
        }
        // Go's reader spells one word otherwise.
        let want = libyaml(&text).map(|w| w.replace("hexadecimal", "hexdecimal"));
        // Go's reader dropped this rule.
        if want
            .as_ref()
            .is_some_and(|w| w.contains("found unexpected ':'"))
        {
            continue;
        }
        let (_, diagnostics) = parse(&text);
        let got = diagnostics.into_iter().find_map(|d| match d.message {
            Message::Yaml(words) => Some(words),
            _ => None,
        });
        let is_value_error = got.as_ref().is_some_and(|w| {
            [
                "map merge",
                "map key",
                "cannot decode",
                "contains itself",
                "excessive",
                "base64",
            ]
            .iter()
            .any(|e| w.contains(e))
        });
        if is_value_error && want.is_none() {
            continue;
        }
        if got == want {
            same += 1;
            refused += usize::from(want.is_some());
        } else {
            wrong.push(format!("{text:?}\n   ours {got:?}\n   theirs {want:?}"));
        }
    }
    assert!(
        same > rounds / 2 && refused > rounds / 20,
        "{same} {refused}"
    );
}
