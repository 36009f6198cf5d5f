//! What commands printed and how they ended.
//!
//! Items of lists and lines of tables are sorted: random names sort them at random. How far
//! `rollout status` counts on the way is an accident; its last line and its exit code are not.

use super::{Check, Pair, Verdict, cut, seconds};
use crate::normal::Names;
use crate::run::Command;

pub fn compare(pair: &Pair) -> Vec<Check> {
    let mut checks = Vec::new();
    for (theirs, ours) in pair.recorded.commands.iter().zip(&pair.played.commands) {
        let name = format!("output {}", theirs.stem);
        if let Some(why) = &ours.skipped {
            let verdict = Verdict::Skipped(why.clone());
            checks.push(Check { name, verdict });
            continue;
        }
        let difference = differ(pair, theirs, ours);
        checks.push(Check::new(name, difference));
        let (long, short) = (theirs.end - theirs.start, ours.end - ours.start);
        // How fast a client deletes hundreds of old Events is a matter of its rate limit alone.
        if (long > 1_000_000 || short > 1_000_000) && !theirs.line.contains("delete events") {
            let late = !pair.close(long, short);
            let told = format!("took {} s, recorded {} s", seconds(short), seconds(long));
            checks.push(Check::new(
                format!("took {}", theirs.stem),
                late.then_some(told),
            ));
        }
    }
    checks
}

fn differ(pair: &Pair, theirs: &Command, ours: &Command) -> Option<String> {
    if theirs.exit != ours.exit {
        let of = |exit: Option<i64>| exit.map_or("none".to_owned(), |code| code.to_string());
        let said = cut(ours.stderr.lines().next().unwrap_or(""));
        return Some(format!(
            "exit code {}, recorded {} {said}",
            of(ours.exit),
            of(theirs.exit)
        ));
    }
    let recorded = old_left_out(theirs);
    let how = Form::of(&theirs.line);
    let out = lines_differ(
        &how.parts(&pair.theirs, &recorded),
        &how.parts(&pair.ours, &ours.stdout),
    );
    let err = lines_differ(
        &Form::Lines.parts(&pair.theirs, &theirs.stderr),
        &Form::Lines.parts(&pair.ours, &ours.stderr),
    );
    out.or(err)
}

/// What was recorded, without Events that were last seen before the recording began.
fn old_left_out(command: &Command) -> String {
    if !command.line.starts_with("kubectl get events") {
        return command.stdout.clone();
    }
    let fresh = |line: &&str| {
        // With -A the namespace comes first.
        let mut words = line.split_whitespace().take(2);
        let age = words.find_map(|word| podscope_session::scenario::parse_duration(word).ok());
        let age = age.map_or(0, |age| age.0);
        i64::try_from(age).unwrap_or(0) <= command.start + 1_000_000
    };
    let lines = command.stdout.lines().filter(fresh);
    lines.map(|line| format!("{line}\n")).collect()
}

/// How an output is taken apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Lines,
    Yaml,
    Describe,
    LastLine,
}

impl Form {
    fn of(line: &str) -> Form {
        let yaml = ["-o yaml", "-o json", "-oyaml"];
        if yaml.iter().any(|flag| line.contains(flag)) {
            Form::Yaml
        } else if line.contains("kubectl describe") {
            Form::Describe
        } else if line.contains("rollout status") {
            Form::LastLine
        } else {
            Form::Lines
        }
    }

    /// The output's parts in an order that does not depend on names; each part is one or more lines.
    fn parts(self, names: &Names, output: &str) -> Vec<String> {
        let text = names.text(output);
        let mut parts: Vec<String> = match self {
            Form::Lines => text.lines().map(str::to_owned).collect(),
            Form::LastLine => text.lines().last().map(str::to_owned).into_iter().collect(),
            Form::Yaml => {
                let text = format!("\n{text}");
                text.split("\n- ").map(str::to_owned).collect()
            }
            Form::Describe => text.split("\n\n\n").map(events_sorted).collect(),
        };
        parts.sort();
        parts
    }
}

/// A description with its Events in alphabetical order.
fn events_sorted(text: &str) -> String {
    let text = text.trim();
    let Some(at) = text.find("\nEvents:") else {
        return text.to_owned();
    };
    let mut events: Vec<&str> = text[at..].lines().collect();
    events.sort_unstable();
    format!("{}\n{}", &text[..at], events.join("\n"))
}

/// The first lines that only one side has.
fn lines_differ(recorded: &[String], played: &[String]) -> Option<String> {
    if recorded == played {
        return None;
    }
    let (theirs, ours) = (lines(recorded), lines(played));
    if theirs == ours && recorded.len() == played.len() && recorded.len() > 1 {
        return None;
    }
    let missing = surplus(&theirs, &ours);
    let added = surplus(&ours, &theirs);
    let mut told = Vec::new();
    for (sign, lines) in [('-', missing), ('+', added)] {
        told.extend(lines.iter().take(4).map(|l| format!("{sign} {}", cut(l))));
        if lines.len() > 4 {
            told.push(format!("{sign} … {} lines", lines.len()));
        }
    }
    if told.is_empty() {
        told.push("the same lines in another order".to_owned());
    }
    Some(told.join("\n"))
}

fn lines(parts: &[String]) -> Vec<&str> {
    let mut lines: Vec<&str> = parts.iter().flat_map(|part| part.lines()).collect();
    lines.sort_unstable();
    lines
}

/// Lines of `a` beyond those of `b`; both sorted.
fn surplus<'a>(a: &[&'a str], b: &[&str]) -> Vec<&'a str> {
    let mut rest = b.iter().peekable();
    let mut out = Vec::new();
    for line in a {
        while rest.next_if(|other| *other < line).is_some() {}
        if rest.next_if(|other| *other == line).is_none() {
            out.push(*line);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_may_stand_in_another_order_but_not_differ() {
        let names = Names::default();
        let form = Form::of("kubectl get pods -o yaml");
        let a = form.parts(&names, "items:\n- a: 1\n  b: 2\n- a: 3\n");
        let b = form.parts(&names, "items:\n- a: 3\n- a: 1\n  b: 2\n");
        assert_eq!(lines_differ(&a, &b), None);
        let c = form.parts(&names, "items:\n- a: 3\n- a: 1\n  b: 4\n");
        assert_eq!(lines_differ(&a, &c).as_deref(), Some("-   b: 2\n+   b: 4"));
    }

    #[test]
    fn events_in_a_description_may_stand_in_another_order() {
        let form = Form::of("kubectl describe pods");
        let names = Names::default();
        let a = form.parts(&names, "Name: a\nEvents:\n  x\n  y\n\n\nName: b\n");
        let b = form.parts(&names, "Name: b\n\n\nName: a\nEvents:\n  y\n  x\n");
        assert_eq!(lines_differ(&a, &b), None);
    }
}
