//! What the program in a simulated container does: how long it runs, how it ends, what it does on SIGTERM.
//!
//! A small reading of the command line: `sleep`, `exit`, shell scripts of these, known servers and
//! interpreters. Left out: pipes, variables, loops with an end; what is unknown is taken for a server.

use super::catalogue::Image;
use podscope_kernel::SimDuration;

/// What a program does when it is asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnStop {
    /// It ends by itself soon, with this exit code.
    Exits(i32),
    /// Process 1 without a handler: the signal has no effect, only SIGKILL does.
    Ignores,
}

/// How a program will go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Program {
    /// After how long it ends by itself; `None` when it runs for ever.
    pub runs: Option<SimDuration>,
    /// Its exit code then.
    pub exit_code: i32,
    /// What it does on the stop signal.
    pub on_stop: OnStop,
}

const SERVER: Program = Program {
    runs: None,
    exit_code: 0,
    on_stop: OnStop::Exits(0),
};

/// The shortest run: a process has to start before it can end.
const INSTANT: SimDuration = SimDuration::millis(20);

fn ends(after: SimDuration, exit_code: i32) -> Program {
    Program {
        runs: Some(after.max(INSTANT)),
        exit_code,
        on_stop: OnStop::Ignores,
    }
}

const FOR_EVER: Program = Program {
    runs: None,
    exit_code: 0,
    on_stop: OnStop::Ignores,
};

/// The command line: the Pod's `command` replaces the entrypoint, its `args` the image's arguments.
pub fn argv(image: &Image, command: &[String], args: &[String]) -> Vec<String> {
    let own = |words: &[&str]| words.iter().map(|w| w.to_string()).collect::<Vec<_>>();
    let mut argv = if command.is_empty() {
        own(image.entrypoint)
    } else {
        command.to_vec()
    };
    if !args.is_empty() {
        argv.extend_from_slice(args);
    } else if command.is_empty() {
        argv.extend(own(image.cmd));
    }
    argv
}

/// What a command line does.
pub fn program(argv: &[String]) -> Program {
    let words: Vec<&str> = argv.iter().map(String::as_str).collect();
    command(&words)
}

fn base_name(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

fn command(words: &[&str]) -> Program {
    let Some((first, rest)) = words.split_first() else {
        return ends(INSTANT, 0);
    };
    match base_name(first) {
        "docker-entrypoint.sh" | "tini" | "dumb-init" | "--" | "exec" | "env"
            if !rest.is_empty() =>
        {
            command(rest)
        }
        "sh" | "bash" | "ash" | "dash" => match rest {
            [flag, text, ..] if flag.starts_with('-') && flag.ends_with('c') => script(text),
            [] => ends(INSTANT, 0),
            _ => FOR_EVER,
        },
        "sleep" => match rest.first().map(|w| duration(w)) {
            Some(Some(span)) => ends(span, 0),
            Some(None) => FOR_EVER,
            None => ends(INSTANT, 1),
        },
        "tail" if rest.iter().any(|w| w.starts_with("-f") || *w == "-F") => FOR_EVER,
        "python" | "python3" | "node" | "ruby" | "perl" | "irb" | "php" => {
            if rest.is_empty() {
                ends(INSTANT, 0)
            } else {
                FOR_EVER
            }
        }
        "false" => ends(INSTANT, 1),
        "true" | ":" | "echo" | "ls" | "cat" | "env" | "date" | "printf" | "touch" | "mkdir"
        | "cp" | "mv" | "rm" | "id" | "hostname" | "uname" | "test" | "export" | "cd" | "set"
        | "nslookup" | "wget" | "curl" | "chmod" | "chown" | "hello" | "pwd" | "whoami" => {
            ends(INSTANT, 0)
        }
        _ => SERVER,
    }
}

/// Seconds with an optional unit; `None` for `infinity`.
#[inline(never)]
fn duration(word: &str) -> Option<SimDuration> {
    let (number, unit) = match word.find(|c: char| !c.is_ascii_digit() && c != '.') {
        Some(at) => word.split_at(at),
        None => (word, "s"),
    };
    let scale = match unit {
        "s" => 1_000_000,
        "m" => 60_000_000,
        "h" => 3_600_000_000,
        "d" => 86_400_000_000,
        _ => return None,
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let whole: u64 = whole.parse().ok()?;
    let tenths: u64 = part.get(..1).and_then(|d| d.parse().ok()).unwrap_or(0);
    Some(SimDuration(
        whole
            .saturating_mul(scale)
            .saturating_add(tenths * scale / 10),
    ))
}

#[inline(never)]
fn script(text: &str) -> Program {
    let on_stop = if text.contains("trap ") {
        OnStop::Exits(0)
    } else {
        OnStop::Ignores
    };
    let mut total = SimDuration::ZERO;
    let mut status = 0;
    let mut skip = false;
    let mut rest = text;
    while !rest.is_empty() {
        let (part, separator, tail) = next_part(rest);
        rest = tail;
        let words: Vec<&str> = part
            .split_whitespace()
            .map(|w| w.trim_matches(|c| c == '"' || c == '\''))
            .skip_while(|w| matches!(*w, "do" | "then" | "{" | "("))
            .collect();
        if !skip && !words.is_empty() {
            match words[0] {
                "exit" => {
                    let code = words.get(1).and_then(|w| w.parse().ok());
                    let mut program = ends(total, code.unwrap_or(status));
                    program.on_stop = on_stop;
                    return program;
                }
                "while" | "until" if !words.contains(&"read") => {
                    return Program {
                        on_stop,
                        ..FOR_EVER
                    };
                }
                "while" | "until" | "for" | "if" | "done" | "fi" | "else" | "trap" => {}
                first if first.contains('=') => {}
                _ => {
                    let program = command(&words);
                    let Some(runs) = program.runs else {
                        let direct = words[0] == "exec" || program.on_stop == OnStop::Ignores;
                        let on_stop = if direct && on_stop == OnStop::Ignores {
                            program.on_stop
                        } else {
                            on_stop
                        };
                        return Program { on_stop, ..program };
                    };
                    status = program.exit_code;
                    if runs > INSTANT {
                        total = total + runs;
                    }
                }
            }
        }
        skip = match separator {
            "&&" => status != 0,
            "||" => status == 0,
            _ => false,
        };
    }
    Program {
        on_stop,
        ..ends(total, status)
    }
}

/// The text up to the next separator, the separator, and what follows.
fn next_part(text: &str) -> (&str, &str, &str) {
    for (at, c) in text.char_indices() {
        let tail = &text[at..];
        for separator in ["&&", "||", ";", "\n"] {
            if let Some(rest) = tail.strip_prefix(separator) {
                return (&text[..at], separator, rest);
            }
        }
        if c == '&' || c == '|' {
            return (&text[..at], "", &tail[1..]);
        }
    }
    (text, "", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> (Option<u64>, i32) {
        let argv: Vec<String> = words.iter().map(|w| w.to_string()).collect();
        let program = program(&argv);
        (program.runs.map(SimDuration::as_millis), program.exit_code)
    }

    #[test]
    fn scripts_are_read() {
        assert_eq!(
            of(&["sh", "-c", "echo hi; sleep 2; exit 3"]),
            (Some(2000), 3)
        );
        assert_eq!(of(&["/bin/sh", "-c", "false && sleep 9"]), (Some(20), 1));
        assert_eq!(of(&["sh", "-c", "false || sleep 1.5"]), (Some(1500), 0));
        assert_eq!(of(&["sh", "-c", "while true; do sleep 1; done"]).0, None);
        assert_eq!(of(&["sleep", "infinity"]).0, None);
        assert_eq!(of(&["sleep", "1m"]).0, Some(60_000));
        assert_eq!(of(&["nginx", "-g", "daemon off;"]).0, None);
        assert_eq!(of(&[]), (Some(20), 0));
    }
}
