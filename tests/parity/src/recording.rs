//! Reads a recording's folder.

use crate::run::{Change, Command, Decision, Run, What, Write, text};
use podscope_api::json;
use podscope_api::{Object, Timestamp, Value};
use std::io::Read;
use std::path::{Path, PathBuf};

/// A recording of a real cluster.
pub struct Recording {
    /// The folder's name.
    pub name: String,
    /// Its start on the wall clock, in microseconds since 1970.
    pub epoch: i64,
    /// How long it is, in microseconds.
    pub length: i64,
    /// What was seen.
    pub run: Run,
    /// What the recorder did to machines and processes, and headings of its script: when, and the words.
    pub notes: Vec<(i64, String)>,
    /// Manifests by file name.
    pub files: Vec<(String, String)>,
    /// Manifests of what ran before the recording began.
    pub earlier: Vec<(String, String)>,
}

impl Recording {
    /// Reads a folder.
    ///
    /// # Errors
    /// The file that is missing or cannot be read.
    pub fn read(folder: &Path) -> Result<Recording, String> {
        let script = read(&folder.join("commands.txt"))?;
        let window = script
            .lines()
            .find_map(|line| line.strip_prefix("# window "))
            .ok_or_else(|| format!("{}: commands.txt has no window", folder.display()))?;
        let epoch = micros(window.split(' ').next().unwrap_or(""))
            .ok_or_else(|| format!("{}: unreadable window {window:?}", folder.display()))?;
        let end = window.split(' ').nth(2).and_then(micros).unwrap_or(epoch);
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let mut recording = Recording {
            name: name.into_owned(),
            epoch,
            length: end - epoch,
            run: Run::default(),
            notes: Vec::new(),
            files: Vec::new(),
            earlier: Vec::new(),
        };
        for line in script.lines() {
            recording.script_line(folder, line);
        }
        for entry in lines(folder, "audit.jsonl")? {
            recording.run.writes.extend(write(&entry, epoch));
        }
        recording.run.writes.sort_by_key(|write| write.at);
        for entry in lines(folder, "watch.jsonl")? {
            let reason = entry.at("object.reason").as_str();
            let real = reason != Some(NOT_REAL);
            let change = change(&entry, epoch).filter(|_| real);
            recording.run.changes.extend(change);
        }
        if let Ok(scores) = read(&folder.join("SCORES.tsv")) {
            recording.run.decisions = decisions(&scores);
        } else {
            recording.run.decisions = bindings(&recording.run);
        }
        if let Ok(entries) = std::fs::read_dir(folder.join("manifests")) {
            for path in entries.filter_map(|e| Some(e.ok()?.path())) {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                recording.files.push((name.into_owned(), read(&path)?));
            }
            recording.files.sort();
        }
        recording.earlier = earlier(folder, &recording)?;
        Ok(recording)
    }

    fn script_line(&mut self, folder: &Path, line: &str) {
        if let Some(note) = line.strip_prefix("# ") {
            if let Some((at, words)) = note.split_once(' ')
                && let Some(at) = micros(at)
            {
                self.notes.push((at - self.epoch, words.to_owned()));
            }
            return;
        }
        let mut parts = line.splitn(4, ' ');
        let (Some(start), Some(end), Some(exit), Some(rest)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return;
        };
        let (Some(start), Some(end)) = (micros(start), micros(end)) else {
            return;
        };
        let Some((stem, line)) = rest.strip_prefix('[').and_then(|r| r.split_once("] ")) else {
            return;
        };
        let output = |kind: &str| {
            let path = folder.join("kubectl").join(format!("{stem}.{kind}"));
            let text = read(&path).unwrap_or_default();
            let other = |line: &str| line.contains(NOT_REAL) || line.contains(OTHER_NODE);
            let lines = text.lines().filter(|line| !other(line));
            lines.map(|line| format!("{line}\n")).collect()
        };
        self.run.commands.push(Command {
            stem: stem.to_owned(),
            line: line.to_owned(),
            start: start - self.epoch,
            end: end - self.epoch,
            exit: exit.strip_prefix("rc=").and_then(|code| code.parse().ok()),
            stdout: output("stdout"),
            stderr: output("stderr"),
            skipped: None,
        });
    }
}

/// An Event that only the recorded machines' stand-in for a file system gives rise to.
const NOT_REAL: &str = "ImageGCFailed";

/// In the recordings of the control plane's failures a Deployment with a Service runs from the start; the first
/// of them has the manifests.
fn earlier(folder: &Path, recording: &Recording) -> Result<Vec<(String, String)>, String> {
    let has = |name: &str| recording.files.iter().any(|(file, _)| file == name);
    let runs = recording.name.starts_with("16") || recording.name.starts_with("18");
    if !runs || has("web.yaml") {
        return Ok(Vec::new());
    }
    let first = folder.join("../16a-etcd-down/manifests");
    let names = ["web.yaml", "web-svc.yaml"];
    let file = |name: &&str| Ok(((*name).to_owned(), read(&first.join(name))?));
    names.iter().map(file).collect()
}

/// A wall-clock time with fractions of a second.
fn micros(text: &str) -> Option<i64> {
    Timestamp::parse(text).map(|t| t.0)
}

/// A file's text; a compressed one beside it when there is no plain one.
fn read(path: &Path) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    if path.exists() {
        let bytes = std::fs::read(path).map_err(failed)?;
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    let mut packed = PathBuf::from(path).into_os_string();
    packed.push(".gz");
    let packed = std::fs::read(&packed).map_err(failed)?;
    let mut bytes = Vec::new();
    let mut reader = flate2::read::GzDecoder::new(packed.as_slice());
    reader.read_to_end(&mut bytes).map_err(failed)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn lines(folder: &Path, name: &str) -> Result<Vec<Value>, String> {
    let path = folder.join(name);
    let parse = |line: &str| json::parse(line).map_err(|e| format!("{}: {e}", path.display()));
    read(&path)?.lines().map(parse).collect()
}

/// A line of the audit log, if it may have changed something.
fn write(entry: &Value, epoch: i64) -> Option<Write> {
    let verb = text(entry, "verb");
    if matches!(&*verb, "get" | "list" | "watch") {
        return None;
    }
    if is_foreign(entry, "objectRef.namespace", "objectRef.name") {
        return None;
    }
    let mut resource = text(entry, "objectRef.resource");
    let sub = entry.at("objectRef.subresource").str_or_empty();
    if !sub.is_empty() {
        resource = format!("{resource}/{sub}");
    }
    let mut name = text(entry, "objectRef.name");
    if name.is_empty() {
        name = text(entry, "responseObject.metadata.name");
    }
    let namespace = match &*resource {
        "namespaces" => String::new(),
        _ => text(entry, "objectRef.namespace"),
    };
    Some(Write {
        at: micros(entry.get("received").str_or_empty())? - epoch,
        done: micros(entry.get("done").str_or_empty())? - epoch,
        user: crate::normal::user(entry.get("user").str_or_empty()),
        verb,
        resource,
        namespace,
        name,
        code: entry.get("code").as_int().unwrap_or(0),
    })
}

/// Whether it belongs to another recording, which was made on a real machine at the same time.
fn is_foreign(entry: &Value, namespace: &str, name: &str) -> bool {
    let name = entry.at(name).str_or_empty();
    entry.at(namespace).as_str() == Some("real") || name == "real" || name.starts_with(OTHER_NODE)
}

/// The machine of that other recording.
const OTHER_NODE: &str = "node-real";

fn change(entry: &Value, epoch: i64) -> Option<Change> {
    let what = match entry.get("type").str_or_empty() {
        "ADDED" => What::Added,
        "MODIFIED" => What::Modified,
        "DELETED" => What::Deleted,
        _ => return None,
    };
    let resource = match entry.get("resource").str_or_empty() {
        "pdbs" => "poddisruptionbudgets".to_owned(),
        other => other.to_owned(),
    };
    let object = entry.get("object");
    if is_foreign(entry, "object.metadata.namespace", "object.metadata.name")
        || is_foreign(object, "involvedObject.namespace", "involvedObject.name")
    {
        return None;
    }
    let at = micros(entry.get("received").str_or_empty())? - epoch;
    Some(Change {
        at,
        moment: at,
        resource,
        what,
        object: Object(entry.get("object").clone()),
    })
}

/// Reads SCORES.tsv: rows `namespace/pod node plugin score`. A decision falls with the last total of its Pod,
/// or with its binding when a single Node was left; bindings run side by side and end in any order.
fn decisions(table: &str) -> Vec<Decision> {
    let mut open: Vec<(usize, Decision)> = Vec::new();
    let mut made = Vec::new();
    for (row, line) in table.lines().enumerate() {
        let mut columns = line.split('\t');
        let (Some(pod), Some(node), Some(plugin)) =
            (columns.next(), columns.next(), columns.next())
        else {
            continue;
        };
        let Some((namespace, pod)) = pod.split_once('/') else {
            continue;
        };
        if namespace == "real" {
            continue;
        }
        let place = open.iter().position(|(_, decision)| decision.pod == pod);
        let place = place.unwrap_or_else(|| {
            let decision = Decision {
                pod: pod.to_owned(),
                ..Decision::default()
            };
            open.push((row, decision));
            open.len() - 1
        });
        let score = columns.next().and_then(|score| score.parse().ok());
        match (plugin, score) {
            ("BOUND", _) => {
                let (row, mut decision) = open.remove(place);
                decision.node = node.to_owned();
                made.push((row, decision));
            }
            ("TOTAL", _) => open[place].0 = row,
            (_, Some(score)) => {
                let by = open[place].1.scores.entry(node.to_owned()).or_default();
                by.insert(plugin.to_owned(), score);
            }
            _ => {}
        }
    }
    made.sort_by_key(|(row, _)| *row);
    made.into_iter().map(|(_, decision)| decision).collect()
}

/// Decisions as far as requests and the watch stream tell: who was bound, in order, and where to.
fn bindings(run: &Run) -> Vec<Decision> {
    let node_of = |pod: &str| {
        let pods = run.changes.iter().filter(|c| c.resource == "pods");
        let mut states = pods.filter(|c| c.object.name() == pod).map(|c| &c.object);
        states.find_map(|pod| Some(pod.spec().get("nodeName").as_str()?.to_owned()))
    };
    let bound = run
        .writes
        .iter()
        .filter(|w| w.resource == "pods/binding" && w.code < 300);
    let decision = |write: &Write| {
        Some(Decision {
            node: node_of(&write.name)?,
            pod: write.name.clone(),
            ..Decision::default()
        })
    };
    bound.filter_map(decision).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_are_read_in_the_order_of_their_totals() {
        let table = "pod\tnode\tplugin\tscore\nd/a\tn1\tFit\t90\nd/a\tn2\tFit\t95\nd/a\tn2\tTOTAL\t95\n\
                     d/b\tn1\tFit\t80\nd/b\tn1\tTOTAL\t80\nd/b\tn1\tBOUND\t\nd/c\tn3\tBOUND\t\n\
                     d/a\tn2\tBOUND\t\n";
        let made = decisions(table);
        let names: Vec<&str> = made.iter().map(|d| d.pod.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(made[0].best(), ["n2"]);
        assert_eq!(made[0].totals()["n1"], 90);
    }
}
