//! Turns lines of a recorded shell script into kubectl invocations.

use podscope_session::{Invocation, scenario::split_words};

/// What a line of the script does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// The invocations, one after the other.
    pub invocations: Vec<Invocation>,
    /// When the shell gives up on it, in seconds.
    pub timeout: Option<i64>,
    /// Whether standard output was thrown away.
    pub quiet: bool,
    /// Whether the recorder let it run beside the script and ended it.
    pub beside: bool,
}

/// Reads a line. `rename` gives the simulated name for a recorded one; `described` is the Pod that
/// `$(kubectl get … -o name …)` stood for.
///
/// # Errors
/// Why it cannot be run here.
pub fn read(
    line: &str,
    files: &[(String, String)],
    described: Option<&str>,
    rename: &dyn Fn(&str) -> String,
) -> Result<Line, String> {
    let mut out = Line::default();
    let mut line = line.trim();
    if let Some((command, _)) = line.split_once("   # long-running") {
        out.beside = true;
        line = command.trim_end();
    }
    for redirection in [">/dev/null", "2>&1"] {
        if let Some(rest) = line.strip_suffix(redirection) {
            out.quiet |= redirection.starts_with('>');
            line = rest.trim_end();
        }
    }
    if let Some(rest) = line.strip_prefix("timeout ")
        && let Some((seconds, rest)) = rest.split_once(' ')
    {
        out.timeout = seconds.parse().ok();
        line = rest;
    }
    for part in line.split("; ") {
        out.invocations
            .push(invocation(part, files, described, rename)?);
    }
    Ok(out)
}

fn invocation(
    part: &str,
    files: &[(String, String)],
    described: Option<&str>,
    rename: &dyn Fn(&str) -> String,
) -> Result<Invocation, String> {
    let mut part = part.trim().to_owned();
    let mut stdin = String::new();
    if let Some(from) = part.find("$(kubectl get po")
        && let Some(length) = part[from..].find(')')
    {
        let pod = described.ok_or("which Pod was meant is not known")?;
        let kind = if part[..from].ends_with("pod ") {
            ""
        } else {
            "pod/"
        };
        part.replace_range(from..=from + length, &format!("{kind}{pod}"));
    }
    if let Some((producer, consumer)) = part.split_once(" | kubectl ") {
        stdin = produce(producer, files)?;
        part = format!("kubectl {consumer}");
    }
    let Some(rest) = part.strip_prefix("kubectl ") else {
        let program = part.split(' ').next().unwrap_or("").to_owned();
        return Err(format!("{program} is not simulated"));
    };
    if rest.contains("$(") || rest.contains(" | ") {
        return Err("the shell's own syntax is not simulated".into());
    }
    let argv = split_words(rest).map_err(|e| e.to_string())?;
    let word = |word: &String| match word.split_once('/') {
        Some((kind, name)) => format!("{kind}/{}", rename(name)),
        None => rename(word),
    };
    Ok(Invocation {
        argv: argv.iter().map(word).collect(),
        files: files.to_vec(),
        stdin,
    })
}

/// What the first half of a pipe prints: `cat FILE` and `sed s/FROM/TO/[g] FILE`.
fn produce(command: &str, files: &[(String, String)]) -> Result<String, String> {
    let words = split_words(command).map_err(|e| e.to_string())?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let file = |name: &str| {
        let found = files.iter().find(|(file, _)| file == name);
        found
            .map(|(_, text)| text.clone())
            .ok_or_else(|| format!("{name} was not recorded"))
    };
    match words[..] {
        ["cat", name] => file(name),
        ["sed", rule, name] => {
            let parts: Vec<&str> = rule.split('/').collect();
            let ["s", from, to, how] = parts[..] else {
                return Err(format!("sed {rule} is not simulated"));
            };
            let times = if how == "g" { usize::MAX } else { 1 };
            let text = file(name)?;
            let lines = text
                .lines()
                .map(|line| line.replacen(from, to, times) + "\n");
            Ok(lines.collect())
        }
        _ => Err(format!("`{command}` is not simulated")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_line(line: &str) -> Result<Line, String> {
        let files = [("a.yaml".to_owned(), "x: vip\ny: vip vip\n".to_owned())];
        read(line, &files, Some("web-1"), &|name| {
            name.replace("old", "new")
        })
    }

    #[test]
    fn the_shell_of_the_recordings_is_understood() {
        let line = read_line("sed s/vip/vip2/ a.yaml | kubectl apply -f -").expect("known");
        assert_eq!(line.invocations[0].stdin, "x: vip2\ny: vip2 vip\n");
        assert_eq!(line.invocations[0].argv, ["apply", "-f", "-"]);
        let line = read_line("timeout 14 kubectl drain node-1; kubectl get pod/old >/dev/null");
        let line = line.expect("known");
        assert_eq!((line.timeout, line.quiet), (Some(14), true));
        assert_eq!(line.invocations[1].argv, ["get", "pod/new"]);
        let line = read_line("kubectl describe $(kubectl get pod -o name | head -1)");
        assert_eq!(
            line.expect("known").invocations[0].argv,
            ["describe", "pod/web-1"]
        );
        assert!(read_line("curl -sS x").is_err_and(|why| why.starts_with("curl")));
    }
}
